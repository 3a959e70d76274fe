"""Tables of an inventory: cells by any key, each row with its impacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.domain.inventory import KEYS, Breakdown, Row, Usage
from kilowhat.errors import InvalidValue
from kilowhat.language import mark, translate
from kilowhat.ledger import cells
from kilowhat.ledger.calendar import EPOCH
from kilowhat.ledger.engine import named
from kilowhat.ledger.pricing import entries_of, per_call
from kilowhat.methods.call_features import FEATURES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kilowhat.assessment.situations import Entries
    from kilowhat.domain.impact import Interval, Missing
    from kilowhat.ledger.calendar import Span
    from kilowhat.ledger.engine import Engine
    from kilowhat.ledger.pricing import Priced
    from kilowhat.quantity.quantity import Vector

    Indexes = NDArray[np.intp]

USUAL = (("day",), ("model",), ("zone",), ("project",), ("team",))
"""The tables when none are asked for; those of keys that no call has are left out."""
_DATE = "(DATE '1970-01-01' + day)"
_TIMES = {
    "day": "'%Y-%m-%d'", "week": "'%G-W%V'", "month": "'%Y-%m'", "year": "'%Y'",
}  # fmt: skip
TIME_KEYS = {*_TIMES, "weekday", "hour"}
_OF_KINDS = {"model": "label", "zone": "place", "pricing": "pricing", "provider": "operator"}
MOST_ROWS = 100_000
SUMS = ("rows", "calls", *FEATURES, "cached_tokens", "reasoning_tokens", "images_out")


def expression(key: str) -> str:
    """The expression of a key of a table over ``placed`` and ``labels``."""
    if key in _TIMES:
        return f"CASE WHEN day < 0 THEN '' ELSE strftime({_DATE}, {_TIMES[key]}) END"
    if key == "weekday":  # 1970-01-01 was a Thursday; Monday is 0
        return "CASE WHEN day < 0 THEN '' ELSE ((day + 3) % 7)::VARCHAR END"
    if key == "hour":
        return "CASE WHEN hour < 0 THEN '' ELSE lpad(hour::VARCHAR, 2, '0') END"
    return _OF_KINDS.get(key, named(key))


def needed(keys: Sequence[str]) -> set[str]:
    """The keys of cells that a table needs beside those of the situation."""
    return {key for key in keys if key in {"hour", "project", "team", "user"}}


def check(keys: Sequence[str]) -> tuple[str, ...]:
    """The keys of a table, known and each once.

    Raises:
        InvalidValue: a key that is not in `KEYS`.
    """
    for key in keys:
        if key not in KEYS:
            expected = translate(mark("some of {keys}")).format(keys=", ".join(KEYS))
            raise InvalidValue(name="by", value=key, expected=expected)
    return tuple(dict.fromkeys(keys))


SHOWN = ("day", "hour", "region", "project", "team", "user", "tier", "operation", "format")
"""Keys of cells that rows are told apart by, beside the kind of their calls."""


def amounts(weights: Sequence[str] = ()) -> list[str]:
    """The amounts that prices are applied to, as columns of a query over cells."""
    names = [*SUMS, *(cells.WEIGHTED + name for name in weights)]
    return [f"{per_call(name)} AS {name}" for name in names]


def sums(weights: Sequence[str] = ()) -> str:
    """The sums of those amounts, as columns of a query over cells with their kinds."""
    names = [*SUMS, *(cells.WEIGHTED + name for name in weights)]
    return ", ".join(f"sum({name}) AS {name}" for name in names)


@dataclass(frozen=True, slots=True)
class Draft:
    """A table before its rows are priced.

    Attributes:
        keys: what each row is about.
        values: the keys of every row.
        usage: the activity data of every row.
        entries: what is summed in each row.
    """

    keys: tuple[str, ...]
    values: list[tuple[str, ...]]
    usage: list[Usage]
    entries: Entries

    def priced(self, impacts: Sequence[Mapping[str, Interval | Missing]]) -> Breakdown:
        """The table, with the impacts of its rows."""
        made = [
            Row(dict(zip(self.keys, value, strict=True)), each, impact)
            for value, each, impact in zip(self.values, self.usage, impacts, strict=True)
        ]
        if not set(self.keys) & TIME_KEYS:
            made.sort(key=largest)
        return Breakdown(self.keys, tuple(made))


def draft(
    engine: Engine,
    keys: Sequence[str],
    kinds: Sequence[Priced],
    *,
    weights: Sequence[str] = (),
    where: str = "TRUE",
    per_token: tuple[float, float] = (1.0, 1.0),
) -> Draft:
    """The inventory by some keys, not yet priced.

    Args:
        engine: holds the cells with their kinds, ``placed``, and what those are called, ``labels``.
        keys: what each row is about.
        kinds: what the cells refer to.
        weights: features that were weighted by the hour as well.
        where: condition on the cells.
        per_token: characters of a token of a prompt and of an answer [1].

    Raises:
        InvalidValue: more rows than anyone reads.
    """
    chosen = ", ".join(f"{expression(key)} AS k{place}" for place, key in enumerate(keys))
    grouped = ", ".join(f"k{place}" for place in range(len(keys)))
    rows_of = f"SELECT DISTINCT {chosen} FROM placed JOIN labels USING (kind) WHERE {where}"
    if engine.rows(f"SELECT count(*) FROM ({rows_of})")[0][0] > MOST_ROWS:
        expected = translate(mark("at most {count} rows")).format(count=MOST_ROWS)
        raise InvalidValue(name="by", value=",".join(keys), expected=expected)
    found = engine.columns(
        f"SELECT {chosen}, kind, {sums(weights)} FROM placed JOIN labels USING (kind) "
        f"WHERE {where} GROUP BY ALL ORDER BY {grouped}, kind"
    )
    columns = [found.pop(f"k{place}") for place in range(len(keys))]
    of = found.pop("kind").astype(np.intp)
    rows, values = _numbered(columns)
    entries = entries_of(rows, of, found, kinds, len(values))
    done = usage(found, rows, of, kinds, len(values), per_token)
    return Draft(tuple(keys), values, done, entries)


def _numbered(columns: Sequence[Vector]) -> tuple[Indexes, list[tuple[str, ...]]]:
    """The number of the row that each cell belongs to, and the keys of the rows."""
    values = list(zip(*(map(str, column) for column in columns), strict=True))
    known: dict[tuple[str, ...], int] = {}
    rows = np.array([known.setdefault(value, len(known)) for value in values], dtype=np.intp)
    return rows, list(known)


def largest(row: Row) -> tuple[float, int]:
    """What rows are sorted by: those with the most energy first."""
    energy = row.impacts["energy"]
    return -float(getattr(energy, "p50", 0.0)), -row.usage.calls


def usage(
    columns: Mapping[str, Vector],
    rows: Indexes,
    of: Indexes,
    kinds: Sequence[Priced],
    count: int,
    per_token: tuple[float, float],
) -> list[Usage]:
    """The activity data of every row; tokens that the log gives as characters are converted."""
    text = np.array([each.kind.lengths == cells.CHARACTERS for each in kinds], dtype=bool)
    counted = np.array([each.kind.lengths != cells.FAILED for each in kinds], dtype=bool)
    video = np.array([each.kind.video_ms / 1000 for each in kinds])
    is_text = text[of] if len(of) else np.zeros(0, dtype=bool)
    whole = (columns["fresh_tokens"] + columns["cached_tokens"]) / _scale(is_text, per_token[0])
    output = columns["output_tokens"] / _scale(is_text, per_token[1])
    calls = columns["calls"] * (counted[of] if len(of) else 1)

    def by_row(values: Vector) -> list[int]:
        return [round(value) for value in np.bincount(rows, values, count).tolist()]

    seconds = columns["calls"] * (video[of] if len(of) else 0)
    parts = zip(
        by_row(calls), by_row(whole), by_row(columns["cached_tokens"]), by_row(output),
        by_row(columns["reasoning_tokens"]), by_row(columns["images_out"]),
        np.bincount(rows, seconds, count).tolist(), strict=True,
    )  # fmt: skip
    return [Usage(*part) for part in parts]


def _scale(is_text: Vector, characters: float) -> Vector:
    return np.where(is_text, characters, 1.0)


def within(span: Span) -> str:
    """The condition that cells lie in some days; those without a time lie in no stated ones."""
    found = []
    if span.start is not None:
        found.append(f"day >= {(span.start - EPOCH).days}")
    if span.end is not None:
        found.append(f"day < {(span.end - EPOCH).days} AND day >= 0")
    return " AND ".join(found) or "TRUE"
