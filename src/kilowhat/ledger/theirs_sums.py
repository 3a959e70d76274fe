"""EcoLogits' impacts of the rows of tables, in the categories and units of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kilowhat.assessment.rates import UNITS
from kilowhat.domain.impact import Interval, Missing
from kilowhat.domain.inventory import Breakdown, Row, Usage
from kilowhat.errors import InvalidValue
from kilowhat.language import mark, translate
from kilowhat.ledger import breakdowns, cells, ecologits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kilowhat.ledger.calendar import Span
    from kilowhat.ledger.theirs_calls import Staged

    Numbers = NDArray[np.float64]
    Range = tuple[Numbers, Numbers]
    Impacts = dict[str, Interval | Missing]
    Keys = tuple[str, ...]

OUTPUTS = {
    "energy": ("energy", 3.6e6),  # J/kWh
    "ghg": ("gwp", 1000.0),  # g/kg
    "water": ("wcf", 1.0),
    "primary_energy": ("pe", 1.0),
    "adpe": ("adpe", 1.0),
}
"""The output of EcoLogits of each of our categories, and what its unit is in ours."""
STAGES = {"grid": "usage", "embodied": "embodied"}
"""Our stages that are parts of EcoLogits' results: of the electricity, and of the hardware."""
_STAGED = ("ghg", "primary_energy", "adpe")
_HOURS_OF_WEEK = 7 * 24


@dataclass(frozen=True, slots=True)
class Sums:
    """EcoLogits' impacts of groups of calls, and the row of a table that each belongs to.

    Attributes:
        groups: the sums that they follow from.
        priced: the impacts.
        rows: the row of each group, an index.
        count: how many rows there are.
    """

    groups: dict[str, NDArray[Any]]
    priced: ecologits.Priced
    rows: NDArray[np.intp]
    count: int

    def ends(self, name: str, factor: float) -> Range:
        """The lowest and the highest of an output in every row, times a factor."""
        low, high = self.priced.values[name]
        return self._by_row(low) * factor, self._by_row(high) * factor

    def _by_row(self, values: NDArray[Any]) -> Numbers:
        return np.bincount(self.rows, values, self.count).astype(np.float64)

    def is_priced(self) -> NDArray[np.bool_]:
        """Which groups have impacts: totals of an unknown number of calls have some too."""
        found: NDArray[np.bool_] = (self.priced.calls > 0) | (self.priced.values["energy"][1] > 0)
        return found

    def impacts(self) -> list[Impacts]:
        """The impacts of every row; those of a row without a priced call are missing."""
        has_price = self._by_row(self.is_priced()) > 0
        unpriced = {name: self._by_row(count) for name, count in self.priced.unpriced.items()}
        points = {name: self.ends(*output) for name, output in OUTPUTS.items()}
        return [
            {
                name: interval(UNITS[name], *(end[row] for end in ends))
                if has_price[row]
                else Missing(UNITS[name], _reason({n: of[row] for n, of in unpriced.items()}))
                for name, ends in points.items()
            }
            for row in range(self.count)
        ]

    def stages(self) -> dict[str, Impacts]:
        """The impacts of all rows by stage: of electricity that is used, and of hardware.

        EcoLogits splits neither its energy nor its water.
        """
        if not self.is_priced().any():
            return {}
        found: dict[str, Impacts] = {}
        for stage, part in STAGES.items():
            found[stage] = {}
            for name in _STAGED:
                output, factor = OUTPUTS[name]
                low, high = self.ends(f"{part}.{output}", factor)
                found[stage][name] = interval(UNITS[name], low.sum(), high.sum())
        return found


def interval(unit: str, low: float, high: float) -> Interval:
    """EcoLogits' range: its ends, and their mean in the middle."""
    return Interval(unit, float(low), (float(low) + float(high)) / 2, float(high))


def _reason(unpriced: Mapping[str, float]) -> str:
    """Why calls have no impacts: for most of them."""
    most = max(unpriced, key=lambda name: unpriced[name])
    return ecologits.UNPRICED[most] if unpriced[most] else mark("nothing of it could be priced")


class Tables:
    """Tables of calls by any key, with EcoLogits' impacts.

    Args:
        staged: the calls.
        per_token: characters of a token of a prompt and of an answer [1].
    """

    def __init__(self, staged: Staged, per_token: tuple[float, float]) -> None:
        self.staged = staged
        self.engine = staged.engine
        self._usage = ", ".join(_usage_columns(*per_token))

    def table(self, keys: Keys, span: Span) -> Breakdown:
        """The inventory by some keys.

        Raises:
            InvalidValue: more rows than anyone reads.
        """
        values, usage = self.usage(keys, span)
        impacts = self.sums(keys, span, values).impacts()
        made = [
            Row(dict(zip(keys, value, strict=True)), done, impact)
            for value, done, impact in zip(values, usage, impacts, strict=True)
        ]
        if not set(keys) & breakdowns.TIME_KEYS:
            made.sort(key=breakdowns.largest)
        return Breakdown(keys, tuple(made))

    def whole(self, span: Span) -> tuple[Usage, Sums]:
        """The activity data of all calls, and their impacts as one row."""
        values, usage = self.usage((), span)
        return usage[0], self.sums((), span, values)

    def usage(self, keys: Keys, span: Span) -> tuple[list[Keys], list[Usage]]:
        """The activity data by some keys: the values of the keys, and what was done."""
        chosen = [f"{breakdowns.expression(key)} AS k{at}" for at, key in enumerate(keys)]
        by = ", ".join(f"k{place}" for place in range(len(keys)))
        most = breakdowns.MOST_ROWS
        rows = self.engine.rows(
            f"SELECT {', '.join([*chosen, self._usage])} FROM placed "
            f"WHERE {breakdowns.within(span)}"
            + (f" GROUP BY {by} ORDER BY {by} LIMIT {most + 1}" if by else "")
        )
        if len(rows) > most:
            expected = translate(mark("at most {count} rows")).format(count=most)
            raise InvalidValue(name="by", value=",".join(keys), expected=expected)
        values = [tuple(map(str, row[: len(keys)])) for row in rows]
        return values, [_done(row[len(keys) :]) for row in rows]

    def sums(self, keys: Keys, span: Span, values: Sequence[Keys]) -> Sums:
        """The impacts by some keys, in rows with these values."""
        groups = self.staged.sums([breakdowns.expression(k) for k in keys], breakdowns.within(span))
        told = [map(str, groups.pop(f"k{place}")) for place in range(len(keys))]
        number = {value: row for row, value in enumerate(values)}
        found = zip(*told, strict=True) if told else [()] * len(groups["number"])
        return self._sums(groups, np.array([number[value] for value in found]), len(values))

    def _sums(self, groups: dict[str, NDArray[Any]], rows: NDArray[Any], count: int) -> Sums:
        priced = ecologits.impacts(groups, self.staged.parameters)
        return Sums(groups, priced, rows.astype(np.intp), count)

    def by_hour(self, span: Span) -> dict[tuple[int, int], float]:
        """The electricity of each hour of the week, central value [J], by weekday and hour."""
        where = f"day >= 0 AND hour >= 0 AND {breakdowns.within(span)}"
        groups = self.staged.sums(["(day + 3) % 7 * 24 + hour"], where)
        sums = self._sums(groups, groups.pop("k0"), _HOURS_OF_WEEK)
        low, high = sums.ends(*OUTPUTS["energy"])
        return {divmod(at, 24): float(low[at] + high[at]) / 2 for at in range(_HOURS_OF_WEEK)}

    def timed(self, span: Span) -> int:
        """How many of the priced calls have a latency in the log [1]."""
        groups = self.staged.sums((), f"timed AND {breakdowns.within(span)}")
        return int(ecologits.impacts(groups, self.staged.parameters).calls.sum())


def _usage_columns(per_token_in: float, per_token_out: float) -> list[str]:
    """The sums of activity data, as columns of a query over ``placed``."""
    is_text = f"lengths = {cells.CHARACTERS}"
    whole = f"(fresh_tokens + cached_tokens) / CASE WHEN {is_text} THEN {per_token_in!r} ELSE 1 END"
    output = f"output_tokens / CASE WHEN {is_text} THEN {per_token_out!r} ELSE 1 END"
    sums = [
        f"CASE WHEN lengths = {cells.FAILED} THEN 0 ELSE calls END", whole, "cached_tokens",
        output, "reasoning_tokens", "images_out", "calls * video_ms / 1000",
    ]  # fmt: skip
    return [f"coalesce(sum({each}), 0)::DOUBLE" for each in sums]


def _done(sums: Sequence[float]) -> Usage:
    calls, whole, cached, output, reasoning, images = (round(value) for value in sums[:-1])
    return Usage(calls, whole, cached, output, reasoning, images, sums[-1])
