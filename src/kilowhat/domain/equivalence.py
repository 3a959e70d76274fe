"""Everyday equivalents: things that readers know the size of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kilowhat.quantity.units import ENERGY, GHG, WATER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kilowhat.quantity.units import Dimension

_DIMENSIONS: dict[str, Dimension] = {"energy": ENERGY, "ghg": GHG, "water": WATER}


@dataclass(frozen=True, slots=True)
class Equivalence:
    """A thing that readers know, and the factor that says what one of it takes.

    Attributes:
        id: its name in the table, such as ``microwave``.
        dimension: ``energy``, ``ghg`` or ``water``.
        factor: id of the ``everyday`` factor.
        per: unit of one thing when the factor is a rate, such as ``h`` for a power; else empty.
        labels: what one and several are called, by language: ``{"en": (one, many)}``.
        locales: country codes whose readers know it; ``world`` for everyone.
        rank: which comes first when several fit; from ``ON_REQUEST``, only when asked for.
    """

    id: str
    dimension: str
    factor: str
    per: str
    labels: Mapping[str, tuple[str, str]]
    locales: tuple[str, ...]
    rank: int

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> Equivalence:
        """The equivalence that a row of ``equivalences.csv`` describes.

        Raises:
            KeyError: the row lacks a column.
            ValueError: the rank is not a whole number.
        """
        labels = {
            language: (row[f"label_{language}_one"], row[f"label_{language}_many"])
            for language in ("en", "fr")
        }
        locales = tuple(row["locales"].split("|"))
        head = (row["id"], row["dimension"], row["factor"], row["per"])
        return cls(*head, labels, locales, int(row["rank"]))

    def label(self, count: float, language: str = "en") -> str:
        """What so many are called, the count as shown: French is singular below two."""
        one, many = self.labels[language]
        single = abs(count) < 2 if language == "fr" else count == 1
        return one if single else many

    def is_for(self, dimension: Dimension) -> bool:
        """Whether it measures amounts of a dimension."""
        return _DIMENSIONS[self.dimension] == dimension
