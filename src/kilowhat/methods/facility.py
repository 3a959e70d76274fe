"""From accelerators to the building: host, idle capacity, facility overhead, on-site water."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kilowhat.quantity.quantity import Quantity


def host_energy(accelerator_energy: Quantity, host_ratio: Quantity) -> Quantity:
    """The energy of the servers' processors, memory and fans while the accelerators work [J].

    E_host = E_accelerator · (host ratio − 1)

    Args:
        accelerator_energy: of the accelerators alone [J], a number or a vector of draws.
        host_ratio: server energy over accelerator energy [1], at least 1.

    Raises:
        DimensionError: an argument measures something else.

    Source: Elsworth et al. 2025 (arXiv 2508.15734), which counts host CPU and memory apart.

    >>> from kilowhat.quantity.quantity import Quantity
    >>> round(host_energy(Quantity.of(0.14, "Wh"), Quantity(1.43)).to("Wh"), 4)
    0.0602
    """
    return accelerator_energy * host_ratio - accelerator_energy


def idle_energy(server_energy: Quantity, idle_ratio: Quantity) -> Quantity:
    """The energy of machines kept ready for peaks and failures, shared out to the work [J].

    E_idle = E_server · (idle ratio − 1)

    Args:
        server_energy: accelerators and host together [J].
        idle_ratio: energy of all provisioned machines over that of the busy ones [1].

    Raises:
        DimensionError: an argument measures something else.

    Source: Elsworth et al. 2025 (arXiv 2508.15734).

    >>> from kilowhat.quantity.quantity import Quantity
    >>> round(idle_energy(Quantity.of(0.20, "Wh"), Quantity(1.10)).to("Wh"), 4)
    0.02
    """
    return server_energy * idle_ratio - server_energy


def overhead_energy(it_energy: Quantity, pue: Quantity) -> Quantity:
    """The energy of cooling and of power distribution in the building [J].

    E_facility = E_IT · (PUE − 1)

    Args:
        it_energy: accelerators, host and idle machines together [J].
        pue: power usage effectiveness of the site and year [1].

    Raises:
        DimensionError: an argument measures something else.

    Source: ISO/IEC 30134-2 (power usage effectiveness).

    >>> from kilowhat.quantity.quantity import Quantity
    >>> round(overhead_energy(Quantity.of(0.22, "Wh"), Quantity(1.09)).to("Wh"), 4)
    0.0198
    """
    return it_energy * pue - it_energy


def on_site_water(it_energy: Quantity, wue: Quantity) -> Quantity:
    """The water that the building's cooling consumes [L].

    W_site = E_IT · WUE

    Args:
        it_energy: accelerators, host and idle machines together [J]; not the facility's
            energy, since WUE is defined on IT energy and PUE would count twice.
        wue: water usage effectiveness [L/J, usually written L/kWh].

    Raises:
        DimensionError: an argument measures something else.

    Source: ISO/IEC 30134-9 (water usage effectiveness).

    >>> from kilowhat.quantity.quantity import Quantity
    >>> water = on_site_water(Quantity.of(1, "kWh"), Quantity.of(1.15, "L/kWh"))
    >>> round(water.to("L"), 2)
    1.15
    """
    return it_energy * wue
