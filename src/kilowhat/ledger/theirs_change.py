"""EcoLogits' impacts of calls elsewhere or in another period, beside those of an inventory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.domain.impact import Interval, Missing
from kilowhat.domain.inventory import Alternative
from kilowhat.errors import InvalidValue
from kilowhat.language import mark, translate
from kilowhat.ledger import ecologits
from kilowhat.ledger.theirs_calls import country
from kilowhat.ledger.theirs_sums import OUTPUTS
from kilowhat.registry.places import find_region, find_zone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kilowhat.domain.inventory import Usage
    from kilowhat.ledger.theirs_calls import Staged
    from kilowhat.ledger.theirs_sums import Range, Sums


def is_place(change: Mapping[str, object]) -> bool:
    """Whether another assumption is about the place alone: all that EcoLogits' sums allow."""
    return set(change) in ({"zone"}, {"region"})


def label(change: Mapping[str, object]) -> str:
    """Another assumption as it is written."""
    return ",".join(f"{name}={value}" for name, value in change.items())


def what_if(
    change: Mapping[str, object], usage: Usage, whole: Sums, staged: Staged, data: Path
) -> Alternative:
    """The same calls on another electricity mix; those without impacts stay without.

    Args:
        change: the zone or the region.
        usage: what was done.
        whole: the inventory's impacts, as one row.
        staged: the calls.
        data: directory of the tables of zones and regions.

    Raises:
        InvalidValue: EcoLogits has no mix for the zone.
        UsageError: no such zone or region is known.
    """
    is_priced = whole.is_priced()
    zones = np.where(is_priced, _zone(change, data), whole.groups["zone"]).astype(object)
    priced = ecologits.impacts(whole.groups | {"zone": zones}, staged.parameters)
    other = replace(whole, priced=priced)
    if is_priced.any() and not other.is_priced().any():
        expected = translate(ecologits.UNPRICED["zone"])
        raise InvalidValue(name="what-if", value=label(change), expected=expected)
    changes = _changes(other, whole, staged, 1.0)
    return Alternative(
        label(change), "what-if", usage, other.impacts()[0], changes, _clear(changes)
    )


def _zone(change: Mapping[str, object], data: Path) -> str:
    """The zone of another assumption, as EcoLogits has mixes."""
    ((name, value),) = change.items()
    is_zone = name == "zone"
    zone = find_zone(str(value), data).id if is_zone else find_region(str(value), data).zone
    return country(zone, data)


def compared(
    name: str, usage: Usage, pair: tuple[Sums, Sums], days: tuple[int, int], staged: Staged
) -> Alternative:
    """The log in another period, and how many times its impact the inventory's is.

    Args:
        name: the other period, as it is written.
        usage: what was done in it.
        pair: the impacts of the inventory and of the other period, as one row each.
        days: with calls in each; where they differ, means per day are compared.
        staged: the calls.
    """
    per_day = days[0] != days[1]
    changes = _changes(*pair, staged, days[1] / days[0] if per_day and days[0] else 1.0)
    impacts = pair[1].impacts()[0]
    return Alternative(name, "period", usage, impacts, changes, _clear(changes), per_day)


def _changes(
    above: Sums, below: Sums, staged: Staged, scale: float
) -> dict[str, Interval | Missing]:
    """By category, how many times one sum another is."""
    if not (above.is_priced().any() and below.is_priced().any()):
        reason = mark("one of the two has no value for this category")
        return dict.fromkeys(OUTPUTS, Missing("1", reason))
    count = len(staged.parameters)
    over, under = (
        replace(each, rows=each.groups["number"], count=count) for each in (above, below)
    )
    return {
        name: ratio(over.ends(*output), under.ends(*output), scale)
        for name, output in OUTPUTS.items()
    }


def _clear(changes: Mapping[str, Interval | Missing]) -> dict[str, bool]:
    """By category, whether the change is larger than the doubt."""
    return {
        name: isinstance(value, Interval) and not value.p05 <= 1.0 <= value.p95
        for name, value in changes.items()
    }


def ratio(above: Range, below: Range, scale: float = 1.0) -> Interval | Missing:
    """The ratio of two sums over models: its lowest, its central and its highest value.

    Each model has somewhere between its fewest and its most parameters, the same in both sums.

    Args:
        above: what is divided, by model: for the fewest and for the most parameters.
        below: what it is divided by, in the same order of models.
        scale: what the ratio is multiplied with.

    >>> fewest, most = np.array([1.0, 2.0]), np.array([3.0, 2.0])
    >>> ratio((2 * fewest, 2 * most), (fewest, most))
    Interval(unit='1', p05=2.0, p50=2.0, p95=2.0)
    """
    if below[0].sum() <= 0:
        return Missing("1", mark("there is nothing to compare with"))
    middle = sum(end.sum() for end in above) / sum(end.sum() for end in below)
    low, high = (_extreme(above, below, sign) for sign in (-1.0, 1.0))
    ends = min(low, middle), middle, max(high, middle)
    return Interval("1", *(scale * float(end) for end in ends))


def _extreme(above: Range, below: Range, sign: float) -> float:
    """The lowest (sign -1) or highest (1) ratio.

    From any ratio, each model takes the end that moves the sums beyond it; the ratio of these is
    the next, until it stays (Dinkelbach, On nonlinear fractional programming, 1967).
    """
    found = float(above[0].sum() / below[0].sum())
    while True:
        low, high = (
            sign * (over - found * under) for over, under in zip(above, below, strict=True)
        )
        over, under = (np.where(high > low, most, least) for least, most in (above, below))
        better = float(over.sum() / under.sum())
        if sign * (better - found) <= abs(found) * 1e-12:
            return found
        found = better
