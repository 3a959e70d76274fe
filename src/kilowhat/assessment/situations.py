"""Situations: what many calls have in common, and the sums of impacts over many of them.

Everything is linear in the features of calls.  So the draws of a sum are the sums of the calls'
features times the prices of their situation, added over situations draw by draw: doubt that they
share stays shared, and does not shrink with the number of calls.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.assessment.rates import UNITS
from kilowhat.domain.impact import Interval, Missing
from kilowhat.language import mark, translate
from kilowhat.methods.call_features import FEATURES
from kilowhat.quantity.notation import format_number
from kilowhat.quantity.spread import ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kilowhat.assessment.estimator import Prepared
    from kilowhat.assessment.rates import Rates
    from kilowhat.quantity.quantity import Magnitude, Vector

    Indexes = NDArray[np.intp]

LEAST_KNOWN = 0.99  # of the electricity, for a category's sum to stand for the whole
_DENSE = 0.05  # share of filled places from which one product of matrices is the quicker way
_ROWS = 512  # rows of a table that are worked on at once


@dataclass(frozen=True, slots=True)
class Situation:
    """The prices of one situation, per unit of each feature of its calls.

    Attributes:
        prepared: who serves what, where.
        energy_prices: accelerator energy [J], shape (features, draws).
        time_prices: accelerator time [s], shape (features, draws).
    """

    prepared: Prepared
    energy_prices: Vector
    time_prices: Vector

    @classmethod
    def of(cls, prepared: Prepared, scale: Vector | None = None) -> Situation:
        """The situation of prepared uses.

        Args:
            prepared: who serves what, where.
            scale: what a unit of each feature is worth, where features are not counted in
                their own unit, shape (features, draws).
        """
        energy, time = _filled(prepared.energy_prices), _filled(prepared.time_prices)
        if scale is not None:
            energy, time = energy * scale, time * scale
        return cls(prepared, energy, time)

    @property
    def rates(self) -> Rates:
        """What a joule and a second of its accelerators cause."""
        return self.prepared.context.rates

    def prices(self, category: str) -> Vector | None:
        """The impact of a unit of each feature, shape (features, draws); none if not known."""
        joule, second, is_known = self.rates.totals(category)
        return self._priced(joule, second) if is_known else None

    def grid_prices(self) -> Vector:
        """The greenhouse gas of the electricity of a unit of each feature [gCO2e]."""
        return self._priced(self.rates.per_joule["grid", "ghg"], None)

    def _priced(self, joule: Magnitude | None, second: Magnitude | None) -> Vector:
        found = self.energy_prices * (0.0 if joule is None else joule)
        if second is not None:
            found = found + self.time_prices * second
        return found

    def stages(self, energy_j: Vector, time_s: Vector) -> dict[tuple[str, str], Vector]:
        """The draws of every stage and category for an energy and a time, shape (draws,) each."""
        found: dict[tuple[str, str], Vector] = {}
        for key, rate in self.rates.per_joule.items():
            found[key] = energy_j * rate
        for key, rate in self.rates.per_second.items():
            found[key] = found[key] + time_s * rate if key in found else time_s * rate
        return found


def _filled(prices: Vector) -> Vector:
    """Prices with as many features as text has: images and videos have one alone."""
    if len(prices) == len(FEATURES):
        return prices
    found = np.zeros((len(FEATURES), prices.shape[1]))
    found[: len(prices)] = prices
    return found


@dataclass(frozen=True, slots=True)
class Entries:
    """Which calls stand in which row of a table, by situation.

    Attributes:
        rows: index of the row of each entry, shape (entries,).
        situations: index of the situation of each entry, shape (entries,).
        amounts: sums of features, shape (entries, features).
        weighted: the same, each call weighted with the grid of its hour over that of its year;
            ``None`` without hourly factors.
        count: how many rows there are.
    """

    rows: Indexes
    situations: Indexes
    amounts: Vector
    weighted: Vector | None
    count: int


@dataclass(slots=True)
class Sums:
    """Sums over situations that share one set of draws.

    Attributes:
        situations: what entries refer to by their index.
        draws: how many there are [1].
    """

    situations: Sequence[Situation]
    draws: int
    _kind: str = ""
    _kept: dict[int, Vector | None] = field(default_factory=dict)
    _energy: Vector | None = None

    def intervals(self, entries: Entries, category: str) -> Vector:
        """The 5 %, 50 % and 95 % points of every row, shape (rows, 3)."""
        found = np.zeros((entries.count, 3))
        wanted = ranks(self.draws)
        for start in range(0, entries.count, _ROWS):
            stop = min(start + _ROWS, entries.count)
            draws = self.rows(entries, category, start, stop)
            draws.sort(axis=1)
            found[start:stop] = draws[:, wanted]
        return found

    def rows(self, entries: Entries, category: str, start: int, stop: int) -> Vector:
        """The draws of some rows, shape (stop - start, draws); unknown parts count nothing."""
        inside = np.flatnonzero((entries.rows >= start) & (entries.rows < stop))
        rows, of = entries.rows[inside] - start, entries.situations[inside]
        result = np.zeros((stop - start, self.draws))
        if not len(inside):
            return result
        parts = [(category, entries.amounts[inside])]
        if entries.weighted is not None and category == "ghg":
            # The grid of each hour stands in place of that of the year.
            parts = [("ghg less grid", parts[0][1]), ("grid", entries.weighted[inside])]
        for kind, amounts in parts:
            self._add(result, kind, rows, of, amounts)
        return result

    def _add(self, result: Vector, kind: str, rows: Indexes, of: Indexes, amounts: Vector) -> None:
        used = np.flatnonzero(amounts.any(axis=0))
        present, index = np.unique(of, return_inverse=True)
        filled = len(rows) / (len(result) * len(present))
        if filled < _DENSE or not len(used):
            for number in present:
                mine = of == number
                prices = self._prices(int(number), kind)
                if prices is not None:
                    result[rows[mine]] += amounts[mine][:, used] @ prices[used]
            return
        stacked, dense = [], np.zeros((len(result), len(present), len(used)))
        dense[rows, index] = amounts[:, used]
        for place, number in enumerate(present):
            prices = self._prices(int(number), kind)
            if prices is None:
                dense[:, place] = 0.0
                prices = np.zeros((amounts.shape[1], self.draws))
            stacked.append(prices[used])
        result += dense.reshape(len(result), -1) @ np.concatenate(stacked)

    def _prices(self, number: int, kind: str) -> Vector | None:
        """The prices of a situation; those of one kind are kept, until another is asked for."""
        if kind != self._kind:
            self._kind, self._kept = kind, {}
        if number not in self._kept:
            self._kept[number] = self._find(number, kind)
        return self._kept[number]

    def _find(self, number: int, kind: str) -> Vector | None:
        situation = self.situations[number]
        if kind == "grid":
            return situation.grid_prices()
        if kind == "ghg less grid":
            whole = situation.prices("ghg")
            return None if whole is None else whole - situation.grid_prices()
        return situation.prices(kind)

    def known(self, entries: Entries) -> dict[str, Vector]:
        """By category, the share of each row's electricity whose impact is known, shape (rows,)."""
        mine = (entries.amounts * self._mean_energy()[entries.situations]).sum(axis=1)
        whole = np.bincount(entries.rows, mine, entries.count)
        found = {}
        for category in UNITS:
            has = np.array([s.rates.totals(category)[2] for s in self.situations], dtype=bool)
            part = np.bincount(entries.rows, mine * has[entries.situations], entries.count)
            found[category] = np.divide(part, whole, out=np.ones(entries.count), where=whole > 0)
        return found

    def _mean_energy(self) -> Vector:
        """The mean electricity of a unit of each feature [J], shape (situations, features)."""
        if self._energy is None:
            self._energy = np.zeros((len(self.situations), len(FEATURES)))
            for number, situation in enumerate(self.situations):
                prices = situation.prices("energy")
                if prices is not None:
                    self._energy[number] = prices.mean(axis=1)
        return self._energy

    def impacts(self, tables: Sequence[Entries]) -> list[list[dict[str, Interval | Missing]]]:
        """The impacts of every row of some tables; what is known of too little is missing there.

        Tables are priced together, one category after the other, so that each price is worked
        out once.
        """
        points: list[dict[str, Vector]] = [{} for _ in tables]
        for category in UNITS:
            for found, entries in zip(points, tables, strict=True):
                found[category] = self.intervals(entries, category)
        return [self._rows(of, found) for of, found in zip(tables, points, strict=True)]

    def _rows(
        self, entries: Entries, points: dict[str, Vector]
    ) -> list[dict[str, Interval | Missing]]:
        known = self.known(entries)
        has_price = np.bincount(entries.rows, minlength=entries.count) > 0
        return [
            {
                category: _impact(unit, points[category][row], float(known[category][row]))
                if has_price[row]
                else Missing(unit, mark("nothing of it could be priced"))
                for category, unit in UNITS.items()
            }
            for row in range(entries.count)
        ]


def _impact(unit: str, points: Vector, known: float) -> Interval | Missing:
    if known >= LEAST_KNOWN:
        return Interval(unit, *map(float, points))
    sentence = translate(mark("sourced for {share} % of the electricity only"))
    return Missing(unit, sentence.format(share=format_number(100 * known, 2)))
