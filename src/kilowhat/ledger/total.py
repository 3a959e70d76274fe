"""The sum of everything that was priced: its draws, stages and boundary."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.assessment.rates import UNITS
from kilowhat.assessment.situations import Entries, Situation, Sums
from kilowhat.domain.boundary import names
from kilowhat.domain.impact import Interval, Missing
from kilowhat.ledger.breakdowns import usage
from kilowhat.ledger.pricing import entries_of
from kilowhat.quantity.spread import summarise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kilowhat.domain.inventory import Usage
    from kilowhat.ledger.pricing import Priced
    from kilowhat.quantity.quantity import Vector

_ORDER = ("given", "accelerator", "host", "idle", "facility", "grid", "embodied")


@dataclass(slots=True)
class Total:
    """All cells together, or those of a period.

    Attributes:
        columns: sums of cells by kind.
        of: the kind of each, an index, shape (kinds that occur,).
        kinds: what ``of`` refers to.
        priced: sums over those that have a price.
        entries: what is summed, as one row.
    """

    columns: Mapping[str, Vector]
    of: NDArray[np.intp]
    kinds: Sequence[Priced]
    priced: Sums
    entries: Entries
    _draws: dict[str, Vector] = field(default_factory=dict)
    _impacts: dict[str, Interval | Missing] = field(default_factory=dict)

    @classmethod
    def made(
        cls,
        columns: Mapping[str, Vector],
        of: NDArray[np.intp],
        kinds: Sequence[Priced],
        priced: Sums,
    ) -> Total:
        """The sum of cells by kind.

        Args:
            columns: sums of cells by kind.
            of: the kind of each, an index.
            kinds: what it refers to.
            priced: sums over those that have a price.
        """
        rows = np.zeros(len(of), dtype=np.intp)
        entries = entries_of(rows, of, columns, kinds, 1)
        return cls(columns, of, kinds, priced, entries)

    @staticmethod
    def sums_of(kinds: Sequence[Priced], n: int) -> Sums:
        """Sums over the kinds that have a price, of n draws."""
        return Sums([each.situation for each in kinds if each.situation is not None], n)

    def draws(self, category: str) -> Vector:
        """The draws of a category of what is known, in its result unit, shape (n,)."""
        if not self._draws:
            for each in UNITS:
                self._draws[each] = self.priced.rows(self.entries, each, 0, 1)[0]
        return self._draws[category]

    @property
    def impacts(self) -> dict[str, Interval | Missing]:
        """The impacts by category; one known of too little is missing."""
        if not self._impacts:
            self._impacts.update(self.priced.impacts([self.entries])[0][0])
        return self._impacts

    def usage(self, per_token: tuple[float, float]) -> Usage:
        """The activity data, what was not priced included."""
        rows = np.zeros(len(self.of), dtype=np.intp)
        return usage(self.columns, rows, self.of, self.kinds, 1, per_token)[0]

    def situations(self) -> list[Situation]:
        """The situation of each entry."""
        return [self.priced.situations[number] for number in self.entries.situations]

    def energy_parts(self) -> list[Vector]:
        """The electricity of each entry, all stages [J], shape (n,) each."""
        found = []
        for situation, amounts in zip(self.situations(), self.entries.amounts, strict=True):
            prices = situation.prices("energy")
            found.append(amounts @ prices if prices is not None else np.zeros(self.priced.draws))
        return found

    def boundary(self) -> list[str]:
        """The stages that every part of the sum contains."""
        found = [situation.rates.boundary for situation in self.situations()]
        return list(names(reduce(lambda a, b: a & b, found))) if found else []

    def stages(self) -> dict[str, dict[str, Interval | Missing]]:
        """The same by life-cycle stage, for the categories that are known of the whole."""
        draws: dict[tuple[str, str], Vector] = {}
        for index, situation in enumerate(self.situations()):
            amounts = self.entries.amounts[index]
            energy, time = amounts @ situation.energy_prices, amounts @ situation.time_prices
            parts = situation.stages(energy, time)
            if self.entries.weighted is not None:
                weighted = self.entries.weighted[index] @ situation.energy_prices
                parts["grid", "ghg"] = weighted * situation.rates.per_joule["grid", "ghg"]
            for key, values in parts.items():
                draws[key] = draws[key] + values if key in draws else np.asarray(values)
        impacts = self.impacts
        found: dict[str, dict[str, Interval | Missing]] = {}
        for stage in _ORDER:
            of = {
                category: Interval(unit, *summarise(draws[stage, category]))
                for category, unit in UNITS.items()
                if (stage, category) in draws and isinstance(impacts[category], Interval)
            }
            if of:
                found[stage] = dict(of)
        return found
