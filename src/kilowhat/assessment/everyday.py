"""What a result is like: everyday equivalents, chosen for the reader's country; and both ways."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.assessment.rates import UNITS
from kilowhat.domain.impact import Interval
from kilowhat.errors import InvalidValue, UnknownEquivalence
from kilowhat.language import current, mark, translate
from kilowhat.methods import equivalence
from kilowhat.quantity.notation import format_interval, format_number
from kilowhat.quantity.quantity import Quantity
from kilowhat.quantity.spread import summarise
from kilowhat.quantity.units import ENERGY, NONE, describe_dimension, parse_unit
from kilowhat.registry.everyday import equivalences

if TYPE_CHECKING:
    from kilowhat.assessment.result import Assessment
    from kilowhat.domain.equivalence import Equivalence
    from kilowhat.domain.factor import Entry
    from kilowhat.quantity.units import Dimension
    from kilowhat.registry.resolve import Registry

LOCALES = {"fr": "fra", "en": "world"}
_SHOWN = ("energy", "ghg", "water")


@dataclass(frozen=True, slots=True)
class Likeness:
    """An amount as so many of an everyday thing, with the factor that says what one takes."""

    item: Equivalence
    category: str
    count: Interval
    entry: Entry

    @property
    def said(self) -> float:
        """The count as one would say it [1]."""
        count = self.count
        width = count.p95 / count.p05 if count.p05 > 0 else 1.0
        said = equivalence.rounded(count.p50, width)
        is_inside = count.p05 <= said <= count.p95
        return said if is_inside else equivalence.rounded(count.p50)

    def label(self) -> str:
        """The thing, in the number and the language in use."""
        return self.item.label(self.said, current())

    def to_dict(self) -> dict[str, object]:
        """The likeness as JSON shows it."""
        return {
            "id": self.item.id,
            "category": self.category,
            "count": self.count.to_dict(),
            "about": self.said,
            "label": self.label(),
            "factor": self.entry.factor.id,
            "source": self.entry.factor.source.key,
        }


def _one(item: Equivalence, registry: Registry) -> tuple[Quantity, Entry]:
    entry = registry.factor(item.factor)
    return equivalence.amount_of_one(registry.value(entry.factor), item.per), entry


def _likeness(item: Equivalence, category: str, amount: Quantity, registry: Registry) -> Likeness:
    one, entry = _one(item, registry)
    count = np.broadcast_to(equivalence.count_in(amount, one), (registry.draws,))
    return Likeness(item, category, Interval("1", *summarise(count)), entry)


def likenesses(assessment: Assessment, registry: Registry, most: int = 2) -> tuple[Likeness, ...]:
    """The few everyday equivalents that say a result best to the reader.

    Args:
        assessment: the result.
        registry: the sourced numbers.
        most: how many for energy; one is shown for each other category.
    """
    locale = LOCALES.get(current(), "world")
    found: list[Likeness] = []
    for category in _SHOWN:
        draws = assessment.draws(category)
        if draws is None or draws.min() <= 0:
            continue
        amount = Quantity.of(draws, UNITS[category])
        found += like(amount, category, registry, locale, most if category == "energy" else 1)
    return tuple(found)


def like(
    amount: Quantity, category: str, registry: Registry, locale: str, most: int
) -> list[Likeness]:
    """The everyday equivalents that say an amount best to readers of a country."""
    known = [item for item in equivalences(registry.data) if item.is_for(amount.dimension)]
    return _best(known, amount, category, registry, locale, most)


def _best(
    known: list[Equivalence],
    amount: Quantity,
    category: str,
    registry: Registry,
    locale: str,
    most: int,
) -> list[Likeness]:
    """Those of some everyday equivalents that say an amount best."""
    ordered = np.sort(np.ravel(amount.magnitude))  # np.median would import np.ma
    middle = (ordered[(ordered.size - 1) // 2] + ordered[ordered.size // 2]) / 2
    central = Quantity(float(middle), amount.dimension)
    counts = {}
    for item in known:
        entry = registry.factor(item.factor)
        one = equivalence.amount_of_one(
            Quantity.of(entry.factor.central, entry.factor.unit), item.per
        )
        counts[item.id] = float(equivalence.count_in(central, one))
    chosen = equivalence.choose(known, counts, locale, most)
    return [_likeness(item, category, amount, registry) for item in chosen]


@dataclass(frozen=True, slots=True)
class Comparison:
    """An amount beside everyday things: the amount, and so many of each."""

    amount: Interval
    category: str
    likenesses: tuple[Likeness, ...]
    source: Likeness | None = None

    def __str__(self) -> str:
        factor = parse_unit(self.amount.unit).factor
        low, middle, high = (
            end * factor for end in (self.amount.p05, self.amount.p50, self.amount.p95)
        )
        lines = [format_interval(low, middle, high, self.category) + " ="]
        lines += [f"  {format_number(item.said, None)} {item.label()}" for item in self.likenesses]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """The comparison as JSON shows it."""
        return {
            "amount": self.amount.to_dict(),
            "category": self.category,
            "equivalences": [item.to_dict() for item in self.likenesses],
        }


def compare(
    amount: Quantity,
    registry: Registry,
    *,
    thing: str | None = None,
    to: str | None = None,
    most: int = 6,
) -> Comparison:
    """An amount in everyday things; or so many everyday things as an amount and in others.

    Args:
        amount: an energy, a greenhouse gas or a water; or a count of ``thing``.
        registry: the sourced numbers.
        thing: an everyday thing that ``amount`` counts, such as ``microwave``.
        to: the only everyday thing to compare with; the best few when not given.
        most: how many at the most.

    Raises:
        UnknownEquivalence: no everyday thing has such a name.
        InvalidValue: the amount is of a kind that no everyday thing measures, or not positive.
    """
    known = equivalences(registry.data)
    if thing is not None:
        amount, item = _of_thing(amount, thing, registry)
    category = next((i.dimension for i in known if i.is_for(amount.dimension)), None)
    if category is None:
        raise _not_comparable(amount)
    if not np.min(amount.magnitude) > 0:
        expected = translate(mark("a positive number is needed"))
        raise InvalidValue(name="amount", value=amount.magnitude, expected=expected)
    draws = np.broadcast_to(amount.magnitude, (registry.draws,))
    whole = Quantity(draws, amount.dimension)
    if to is not None:
        wanted = _wanted(to, amount.dimension, registry)
        same = [i for i in known if i.factor == wanted.factor and i.rank < equivalence.ON_REQUEST]
        found = _best(same, whole, category, registry, "world", 1)
        found = found or [_likeness(wanted, category, whole, registry)]  # dated: only if asked
    else:
        locale = LOCALES.get(current(), "world")
        found = like(whole, category, registry, locale, most)
        found = [f for f in found if thing is None or f.item.factor != item.factor]
    interval = Interval(UNITS[category], *summarise(np.asarray(whole.to(UNITS[category]))))
    return Comparison(interval, category, tuple(found))


def _wanted(name: str, dimension: Dimension, registry: Registry) -> Equivalence:
    """The everyday thing of a name, which must measure amounts of a dimension.

    Raises:
        UnknownEquivalence: no everyday thing has such a name.
        InvalidValue: it measures something else than the amount.
    """
    known = equivalences(registry.data)
    try:
        return equivalence.named(known, name, dimension)
    except UnknownEquivalence:
        other = equivalence.named(known, name)
    sentence = translate(mark("it is counted in {dimension}, the amount is not"))
    expected = sentence.format(dimension=translate(NAMES[other.dimension]))
    raise InvalidValue(name="to", value=name, expected=expected)


NAMES = {"energy": mark("energy"), "ghg": mark("greenhouse gas"), "water": mark("water")}


def _not_comparable(amount: Quantity) -> InvalidValue:
    measured = describe_dimension(amount.dimension)
    expected = translate(mark("an energy, a greenhouse gas or a water is needed"))
    return InvalidValue(name="amount", value=measured, expected=expected)


_ARTICLE = re.compile(r"^(?:of |an? |the |du |des? |d['’]|un |une )+", re.IGNORECASE)


def _of_thing(amount: Quantity, thing: str, registry: Registry) -> tuple[Quantity, Equivalence]:
    """So many of a thing, or so long of it, as an amount."""
    known = equivalences(registry.data)
    name = _ARTICLE.sub("", thing)
    try:
        item = equivalence.named(known, name)
    except UnknownEquivalence:
        item = equivalence.named(known, name, ENERGY)  # the same thing may have a gas figure too
    one, _ = _one(item, registry)
    entry = registry.factor(item.factor)
    value = registry.value(entry.factor)
    direct = value * amount  # a power for a time, a footprint for a distance
    if item.is_for(direct.dimension):
        return direct, item
    if amount.dimension != NONE:
        raise _not_comparable(amount * value)
    return equivalence.amount_in(float(amount.to("1")), one), item
