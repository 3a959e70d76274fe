"""Logs to account for: a year of a gateway's calls as Parquet, and session logs as JSON lines."""

from __future__ import annotations

import json
import re
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

THREADS = 2
MODELS = {
    "gpt-4o-mini": "openai", "gpt-4o": "openai", "claude-sonnet-4-5": "anthropic",
    "gpt-4.1": "openai", "claude-haiku-4-5": "anthropic", "gemini-2.5-flash": "google",
    "mistral-large-latest": "mistral", "gemini-2.5-pro": "google", "o3": "openai",
    "claude-opus-4-1": "anthropic", "mistral-small-latest": "mistral", "gpt-4.1-nano": "openai",
}  # fmt: skip
"""The models of a log and who serves them, the most used first."""
ZONES = ("USA", "FRA", "IRL", "DEU", "SWE", "GBR", "JPN", "IND")
TEAMS = ("search", "support", "coding", "sales", "research", "legal", "finance", "design",
         "platform", "mobile", "hiring", "health", "games")  # fmt: skip
_CHUNK = 5_000_000
_YEAR_US = 365 * 86_400_000_000
_DRAW = "((hash(range * 16 + {}) % 1000003 + 0.5) / 1000003)"  # evenly between 0 and 1


class Written(NamedTuple):
    """A generated log: where it is, its rows, and the bytes on the disk [B]."""

    paths: list[Path]
    rows: int
    size_b: int

    def first(self) -> Written:
        """The first of its files."""
        [path, *_] = self.paths
        return Written([path], self.rows // len(self.paths), path.stat().st_size)


def log(folder: Path, rows: int, files: int = 1, name: str = "log") -> Written:
    """Write a year of calls, which fall into 455,520 (day, provider, model, zone, team).

    Calls are in the order of time, as a gateway writes them.  Lengths are log-normal; three of
    ten prompts were partly in a cache.  The same rows each time.

    Args:
        folder: where the files are put.
        rows: how many calls a file has.
        files: how many files; each is the same year of another gateway.
        name: of the files.
    """
    paths = []
    link = duckdb.connect(config={"threads": THREADS, "memory_limit": "1GB"})
    for number in range(files):
        path = folder / f"{name}-{number}.parquet"
        parts = [path.with_suffix(f".{start}.part") for start in range(0, rows, _CHUNK)]
        for start, part in zip(range(0, rows, _CHUNK), parts, strict=True):
            _write(link, part, number * rows, rows, (start, min(start + _CHUNK, rows)))
        listed = ", ".join(f"'{part}'" for part in parts)
        link.execute(f"COPY (FROM read_parquet([{listed}])) TO '{path}' {_FORMAT}")
        for part in parts:
            part.unlink()
        paths.append(path)
    link.close()
    return Written(paths, rows * files, sum(path.stat().st_size for path in paths))


_FORMAT = "(FORMAT parquet, COMPRESSION zstd)"


def _write(
    link: duckdb.DuckDBPyConnection, path: Path, first: int, rows: int, part: tuple[int, int]
) -> None:
    start, stop = (first + place for place in part)
    link.execute(f"COPY ({_rows(first, rows, start, stop)}) TO '{path}' {_FORMAT}")


def _rows(first: int, rows: int, start: int, stop: int) -> str:
    """The query of some of the calls of a file."""
    draws = ", ".join(f"{_DRAW.format(number)} AS u{number}" for number in range(10))
    model, zone, team = (
        _picked(values, f"u{number}") for number, values in enumerate((MODELS, ZONES, TEAMS))
    )
    step = _YEAR_US / rows
    when = f"(range - {first}) * {step!r} + u9 * {step!r}"
    served = ", ".join(f"'{provider}'" for provider in MODELS.values())
    return (
        f"WITH d AS (SELECT range, {draws} FROM range({start}, {stop})), "
        f"n AS (SELECT *, {_index(len(MODELS), 'u0')} AS m, {_normal(3, 4)} AS a, "
        f"{_normal(5, 6)} AS b FROM d), "
        "t AS (SELECT *, least(200000, 1 + exp(6.6 + 1.5 * a))::BIGINT AS tokens_in, "
        "least(32000, 1 + exp(5.3 + 1.1 * b))::BIGINT AS tokens_out FROM n) "
        f"SELECT TIMESTAMP '2025-01-01' + to_microseconds(({when})::BIGINT) AS ts_start, "
        f"[{served}][m] AS provider, {model} AS model_served, {zone} AS zone, {team} AS team, "
        f"CASE WHEN {team} = 'research' THEN 'batch' ELSE 'default' END AS service_tier, "
        "tokens_in AS input_total, "
        "CASE WHEN u7 < 0.3 THEN (tokens_in * u8)::BIGINT ELSE 0 END AS cache_read, "
        "tokens_out AS output_total, "
        "round(0.3 + tokens_out / (20 + 100 * u8) + tokens_in * u7 / 20000, 3) AS latency_s FROM t"
    )


def _index(count: int, draw: str) -> str:
    """A place in a list from 1 on, the first ones more often."""
    return f"(1 + floor({count} * power({draw}, 1.5)))::INTEGER"


def _picked(values: Iterable[str], draw: str) -> str:
    listed = list(values)
    names = ", ".join(f"'{value}'" for value in listed)
    return f"[{names}][{_index(len(listed), draw)}]"


def _normal(one: int, other: int) -> str:
    return f"(sqrt(-2 * ln(u{one})) * cos(2 * pi() * u{other}))"


def hours(path: Path) -> None:
    """Write factors of the grid of every zone and hour of the year, with a day and a season."""
    zones = ", ".join(f"('{zone}', {100 + 60 * place})" for place, zone in enumerate(ZONES))
    link = duckdb.connect()
    link.execute(
        "COPY (SELECT zone, TIMESTAMP '2025-01-01' + to_hours(range) AS start, "
        "base * (1 + 0.3 * sin(range * pi() / 12) + 0.2 * cos(range * pi() / 4380)) AS gwp "
        f"FROM range({365 * 24}), (VALUES {zones}) AS z(zone, base)) TO '{path}' (FORMAT parquet)"
    )
    link.close()


# Session logs


IDS = ("uuid", "parentUuid", "sessionId", "promptId", "id", "requestId", "traceId", "spanId",
       "parentSpanId")  # fmt: skip
_LONG = 16  # characters of an id from which its first ones can be replaced


def lines(path: Path, samples: Sequence[Path], size_b: int) -> int:
    """Write JSON lines of so many bytes: samples again and again, each time with other ids.

    Returns:
        The bytes that were written [B].
    """
    text = "".join(sample.read_text(encoding="utf-8").rstrip("\n") + "\n" for sample in samples)
    found: set[str] = set()
    for line in text.splitlines():
        _collect(json.loads(line), found)
    pattern = re.compile('"(' + "|".join(map(re.escape, sorted(found))) + ')"')
    written = 0
    with path.open("w", encoding="utf-8") as file:
        for number in count():
            if written >= size_b:
                return written
            written += file.write(pattern.sub(partial(_other, number), text))
    raise AssertionError


def _collect(value: object, found: set[str]) -> None:
    """The ids in a value of JSON: of messages and spans, and of responses among attributes."""
    if isinstance(value, list):
        for each in value:
            _collect(each, found)
    elif isinstance(value, dict):
        if value.get("key") == "gen_ai.response.id":
            found.add(value["value"]["stringValue"])
        for name, each in value.items():
            if name in IDS and isinstance(each, str) and each:
                found.add(each)
            _collect(each, found)


def _other(number: int, match: re.Match[str]) -> str:
    known = match.group(1)
    if len(known) >= _LONG:
        return f'"{number:07x}{known[7:]}"'
    return f'"{known}-{number:x}"'
