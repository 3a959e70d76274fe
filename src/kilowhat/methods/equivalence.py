"""Everyday equivalents of an energy, an emission or a volume of water, in both directions."""

from __future__ import annotations

import difflib
import math
import unicodedata
from typing import TYPE_CHECKING

from kilowhat.errors import UnknownEquivalence
from kilowhat.quantity.quantity import Quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kilowhat.domain.equivalence import Equivalence
    from kilowhat.quantity.quantity import Magnitude
    from kilowhat.quantity.units import Dimension

EVERYWHERE = "world"
ON_REQUEST = 90
"""Equivalents of this rank or above are dated or contested: shown only when asked for."""
_EASY = (0.1, 1000.0)
_HANDY = (0.95, 100.0)


def amount_of_one(factor: Quantity, per: str = "") -> Quantity:
    """What one of an everyday thing takes [J, gCO2e or L]; may be a vector of draws.

    one = factor · 1 per

    Args:
        factor: value of the ``everyday`` factor [W, J, gCO2e, gCO2e/km, L, L/d …].
        per: unit of one thing when the factor is a rate: ``min`` for minutes of use, ``km`` …

    Raises:
        UnknownUnit: ``per`` is not in the closed table.

    Source: definition of the watt-hour, BIPM, The International System of Units, 9th edition.

    >>> amount_of_one(Quantity.of(900, "W"), "h").to("Wh")
    900.0
    """
    return factor * Quantity.of(1.0, per) if per else factor


def count_in(amount: Quantity, one: Quantity) -> Magnitude:
    """How many everyday things an amount makes [1]; a vector when either is one.

    n = amount / one

    Args:
        amount: what is compared [J, gCO2e or L].
        one: what one thing takes, from `amount_of_one` [same dimension].

    Raises:
        DimensionError: the two measure different things.

    Source: definition of a ratio of like quantities, JCGM 200 (VIM), 1.1.

    >>> count_in(Quantity.of(1.8, "kWh"), amount_of_one(Quantity.of(900, "W"), "h"))
    2.0
    """
    return (amount / one).to("1")


def amount_in(count: Magnitude, one: Quantity) -> Quantity:
    """What so many everyday things take [J, gCO2e or L]: the inverse of `count_in`.

    amount = n · one

    Args:
        count: how many [1]; may be a vector of draws.
        one: what one thing takes, from `amount_of_one` [J, gCO2e or L].

    Raises:
        Nothing.

    Source: definition of a ratio of like quantities, JCGM 200 (VIM), 1.1.

    >>> amount_in(2, amount_of_one(Quantity.of(900, "W"), "h")).to("kWh")
    1.8
    """
    return one * count


def rounded(count: float, width: float = 1.0) -> float:
    """A count as one would say it [1]: "about 11 hours", never 11.382.

    Two significant digits from 10 on, or when the interval is narrower than 1.5; else one.

    Args:
        count: how many [1].
        width: 95 % point over 5 % point of the count's interval [1].

    Raises:
        ValueError: the count is not finite.

    Source: GUM (JCGM 100), 7.2.6: digits follow from the uncertainty.

    >>> rounded(11.382), rounded(3.44, width=3), rounded(0.0412), rounded(238.2)
    (11.0, 3.0, 0.041, 240.0)
    """
    if not math.isfinite(count):
        raise ValueError(count)
    if count == 0:
        return 0.0
    digits = 2 if abs(count) >= 10 or width < 1.5 else 1
    return float(f"{count:.{digits - 1}e}")


def choose(
    catalogue: Iterable[Equivalence],
    counts: Mapping[str, float],
    locale: str = EVERYWHERE,
    most: int = 2,
) -> list[Equivalence]:
    """The few equivalents that say an amount best to the readers of a country.

    Those counted between about 0.1 and 1,000 come first, then the nearest to that; among equals
    those between 1 and 100, the reader's own country, then the rank of the table.  One thing is
    named once (minutes or hours of a lamp, not both).  Dated ones are never chosen.

    Args:
        catalogue: every equivalent.
        counts: how many of each the amount makes, by id [1]; those absent are left out.
        locale: country code of the reader, such as ``fra``; ``world`` when unknown.
        most: how many are wanted.

    Raises:
        Nothing.

    Source: none; a rule of presentation.

    >>> from kilowhat.domain.equivalence import Equivalence
    >>> lamp = Equivalence("led", "energy", "everyday.led-bulb.power", "h", {}, ("world",), 1)
    >>> [item.id for item in choose([lamp], {"led": 11.4})]
    ['led']
    """
    known = [
        item
        for item in catalogue
        if item.id in counts
        and counts[item.id] > 0
        and item.rank < ON_REQUEST
        and (locale in item.locales or EVERYWHERE in item.locales)
    ]
    chosen: dict[str, Equivalence] = {}
    for item in sorted(known, key=lambda item: _order(item, counts[item.id], locale)):
        chosen.setdefault(item.factor, item)
    return list(chosen.values())[:most]


def _order(item: Equivalence, count: float, locale: str) -> tuple[float, bool, bool, int, str]:
    """Sorting key: decades outside the easy range, not handy, foreign, rank, id."""
    low, high = _EASY
    outside = max(math.log10(low / count), math.log10(count / high), 0.0)
    is_handy = _HANDY[0] <= count <= _HANDY[1]
    return round(outside, 3), not is_handy, locale not in item.locales, item.rank, item.id


def named(
    catalogue: Sequence[Equivalence], name: str, dimension: Dimension | None = None
) -> Equivalence:
    """The equivalent that a reader's word names: an id, a label in any language, or its end.

    Args:
        catalogue: every equivalent, dated ones included.
        name: such as ``microwave``, ``km en TGV``, ``LED bulb``.
        dimension: of the amount compared, when known; only its equivalents are looked at.

    Raises:
        UnknownEquivalence: none, or more than one, bears the name; gives the nearest.

    Source: none; a look-up.

    >>> from kilowhat.domain.equivalence import Equivalence
    >>> labels = {"en": ("hour of an LED bulb", "hours of an LED bulb")}
    >>> named([Equivalence("led", "energy", "f", "h", labels, (), 1)], "LED bulb").id
    'led'
    """
    wanted = _plain(name)
    known = [item for item in catalogue if dimension is None or item.is_for(dimension)]
    for match in (_is_id, _is_label, _is_part):
        found = [item for item in known if match(item, wanted)]
        if len({item.factor for item in found}) == 1:  # its hour, minute and second are one thing
            return found[0]
        if found:
            raise UnknownEquivalence(name=name, nearest=[item.id for item in found][:5])
    ids = [item.id for item in known]
    nearest = difflib.get_close_matches(wanted.replace(" ", "-"), ids, n=3, cutoff=0.5)
    raise UnknownEquivalence(name=name, nearest=nearest)


def _plain(text: str) -> str:
    """Lower case, without accents or typographic apostrophes, single spaces."""
    letters = unicodedata.normalize("NFD", text.replace("’", "'").replace("œ", "oe"))
    kept = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(kept.lower().split())


def _words(item: Equivalence) -> list[str]:
    return [_plain(label) for pair in item.labels.values() for label in pair]


def _is_id(item: Equivalence, wanted: str) -> bool:
    return item.id == wanted.replace(" ", "-")


def _is_label(item: Equivalence, wanted: str) -> bool:
    return wanted in _words(item)


def _is_part(item: Equivalence, wanted: str) -> bool:
    return any(f" {wanted} " in f" {label} " for label in _words(item))
