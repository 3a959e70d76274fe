"""A limit set for a log, and whether it was kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kilowhat.assessment.rates import UNITS
from kilowhat.domain.impact import Interval
from kilowhat.domain.inventory import Budget
from kilowhat.errors import InvalidValue
from kilowhat.language import mark, translate
from kilowhat.quantity.reading import parse_quantity
from kilowhat.quantity.units import parse_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kilowhat.domain.impact import Missing
    from kilowhat.domain.inventory import Breakdown

POINTS = ("p05", "p50", "p95")
PERIODS = {
    "day": "day", "d": "day", "jour": "day", "j": "day", "week": "week", "semaine": "week",
    "month": "month", "mois": "month", "year": "year", "an": "year", "année": "year", "a": "year",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as it was written.

    Attributes:
        text: as it was written.
        category: energy, ghg, water, primary_energy or adpe.
        value: in the unit of the category's results.
        per: day, week, month or year; "" for the whole log.
        point: p05, p50 or p95 of the interval that is compared.
    """

    text: str
    category: str
    value: float
    per: str
    point: str


def parse(text: str) -> Limit:
    """A limit such as ``10 kWh/day``, ``5 tCO2e``, or ``2 kWh/day:p95``.

    Raises:
        InvalidValue: it is not written so, or in a unit that no impact has.

    >>> limit = parse("10 kWh/day:p95")
    >>> limit.value, limit.per, limit.point
    (36000000.0, 'day', 'p95')
    """
    amount, colon, point = text.strip().rpartition(":")
    if not colon:
        amount, point = text.strip(), "p50"
    expected = translate(mark("a limit such as 10 kWh/day, 5 tCO2e or 2 kWh/day:p95"))
    if point not in POINTS:
        raise InvalidValue(name="budget", value=text, expected=expected)
    before, slash, per = amount.rpartition("/")
    if slash and per.strip().lower() in PERIODS:
        amount, per = before, PERIODS[per.strip().lower()]
    else:
        per = ""
    quantity = parse_quantity(amount)
    for category, unit in UNITS.items():
        if parse_unit(unit).dimension == quantity.dimension:
            value = float(quantity.to(unit))
            if value > 0:
                return Limit(text, category, value, per, point)
    raise InvalidValue(name="budget", value=text, expected=expected)


def check(limit: Limit, whole: Mapping[str, Interval | Missing], by: Breakdown | None) -> Budget:
    """What was found against a limit: of the whole log, or of its highest day, week, month …

    Args:
        limit: what is allowed.
        whole: the impacts of the whole log.
        by: the inventory by the period of the limit, when it has one.

    Raises:
        InvalidValue: the category has no value.
    """
    found = [("", whole)] if by is None else [(r.key[limit.per], r.impacts) for r in by.rows]
    values = [
        (getattr(impacts[limit.category], limit.point), key)
        for key, impacts in found
        if isinstance(impacts[limit.category], Interval) and (key or not limit.per)
    ]
    if not values and found:
        expected = translate(mark("the log has no value to compare with"))
        raise InvalidValue(name="budget", value=limit.text, expected=expected)
    value, key = max(values, default=(0.0, ""))
    return Budget(
        text=limit.text,
        category=limit.category,
        unit=UNITS[limit.category],
        limit=limit.value,
        value=value,
        point=limit.point,
        is_exceeded=value > limit.value,
        day=key,
    )
