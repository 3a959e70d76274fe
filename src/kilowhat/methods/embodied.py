"""Manufacture of the hardware, allocated to a use by the hours that it occupies."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kilowhat.quantity.quantity import Quantity


def occupied_share(occupancy: Quantity, lifetime: Quantity, utilisation: Quantity) -> Quantity:
    """The share of an accelerator's useful life that a use takes [1].

    share = occupied time / (lifetime · utilisation)

    Args:
        occupancy: accelerator-seconds of the use [s].
        lifetime: from installation to retirement [s].
        utilisation: share of that life spent on work [1]; the same factor drives idle energy.

    Raises:
        DimensionError: an argument measures something else.

    Source: ITU-T L.1410 and the Software Carbon Intensity specification (time share).

    >>> from kilowhat.quantity.quantity import Quantity
    >>> share = occupied_share(Quantity.of(1, "h"), Quantity.of(4, "a"), Quantity(0.5))
    >>> round(share.to("1") * 1e5, 3)
    5.704
    """
    return occupancy / (lifetime * utilisation)


def allocated(manufacture: Quantity, share: Quantity) -> Quantity:
    """The part of the hardware's manufacture that a use answers for [as given].

    I = manufacture of one accelerator with its share of the node · share of its life

    Args:
        manufacture: impact of making one accelerator and its share of node and fabric.
        share: share of its useful life [1].

    Raises:
        DimensionError: the share has a dimension.

    Source: ISO 14044, 4.3.4 (allocation by physical relationship).

    >>> from kilowhat.quantity.quantity import Quantity
    >>> round(allocated(Quantity.of(300, "kgCO2e"), Quantity(1e-5)).to("gCO2e"), 6)
    3.0
    """
    return manufacture * share
