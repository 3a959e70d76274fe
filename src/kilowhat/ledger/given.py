"""Cells that were saved, or that another engine made: read, checked, and written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kilowhat.errors import DataError, InvalidValue
from kilowhat.language import mark, translate
from kilowhat.ledger import cells
from kilowhat.ledger.calls import MOST_INPUT, MOST_OUTPUT
from kilowhat.ledger.engine import named, quoted
from kilowhat.ledger.files import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kilowhat.ledger.engine import Engine

_TOLD = "kilowhat"
_NEEDED = ("model", "calls", "fresh_tokens", "output_tokens")
_ABOUT = {
    "lengths": ("lengths",), "day": ("day",), "hour": ("hour",), "each": ("each",),
    "input": ("fresh_tokens", "calls", "lengths"), "output": ("output_tokens", "calls", "lengths"),
}  # fmt: skip
_LIMITS = {
    "lengths": f"lengths NOT BETWEEN {cells.REPORTED} AND {cells.FAILED}",
    "day": "day NOT BETWEEN 16436 AND 47482",  # 2015 to 2099
    "hour": "hour NOT BETWEEN -1 AND 167",
    "each": "each < 0",
    "input": f"(fresh_tokens > calls * {10 * MOST_INPUT}::HUGEINT AND lengths <> {cells.TOTALS})",
    "output": (
        f"(output_tokens > calls * {10 * MOST_OUTPUT}::HUGEINT AND lengths <> {cells.TOTALS})"
    ),
}
"""What cannot be, by what it is about; lengths may be in characters, so ten times the tokens."""
_EXACT = "DECIMAL(38, 0)"  # of whole numbers beyond 64 bits, in files


def load(engine: Engine, path: Path, table: str) -> str:
    """Read a table of cells into the engine; a query over it with every column of cells.

    Args:
        engine: where it is put.
        path: Parquet, or CSV whose header has the names of the columns.
        table: the name that it gets.

    Raises:
        InvalidValue: it cannot be read, or is no table of cells.
    """
    if not path.is_file():
        raise InvalidValue(name="cells", value=path, expected=translate(mark("a file is needed")))
    is_parquet = path.suffix.lower() == ".parquet"
    reader = "read_parquet({})" if is_parquet else "read_csv({}, all_varchar = true)"
    relation = reader.format(quoted(str(path)))
    try:
        return check(engine, f"SELECT * FROM {relation}", path, table)
    except DataError as error:
        reason = str(error.fields["reason"])
        raise InvalidValue(name="cells", value=path, expected=reason) from error


def check(engine: Engine, query: str, origin: object, table: str) -> str:
    """Make a table of a query that gives cells; a query over it with every column of cells.

    Raises:
        InvalidValue: a column is missing, a sum is no whole number or is negative.
        DataError: the query cannot be run.
    """
    columns = {name.lower(): name for name in engine.names(query)}
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        expected = translate(mark("cells are needed; these columns are missing: {columns}"))
        raise InvalidValue(
            name="cells", value=origin, expected=expected.format(columns=", ".join(missing))
        )
    wanted = {**cells.KEYS, **dict.fromkeys(cells.SUMS, "HUGEINT")}
    present = {name: kind for name, kind in wanted.items() if name in columns}
    sums = [name for name in cells.SUMS if name in columns]
    whole = [f"{named(columns[name])}::VARCHAR NOT SIMILAR TO '[0-9]+([.]0+)?'" for name in sums]
    wrong = " OR ".join(f"coalesce({of}, TRUE)" for of in whole)
    if engine.rows(f"SELECT count(*) FROM ({query}) WHERE {wrong}")[0][0]:
        expected = translate(mark("sums of cells are whole numbers from 0 on"))
        raise InvalidValue(name="cells", value=origin, expected=expected)
    chosen = [f"{named(columns[name])}::{kind} AS {named(name)}" for name, kind in present.items()]
    engine.run(f"CREATE OR REPLACE TABLE {table} AS SELECT {', '.join(chosen)} FROM ({query})")
    limits = [of for name, of in _LIMITS.items() if set(_ABOUT[name]) <= set(columns)]
    if limits and engine.rows(f"SELECT count(*) FROM {table} WHERE {' OR '.join(limits)}")[0][0]:
        expected = translate(mark("a cell holds what no call can be"))
        raise InvalidValue(name="cells", value=origin, expected=expected)
    fixed = {name: f"NULL::{kind}" for name, kind in cells.KEYS.items() if name not in columns}
    fixed |= {name: "0::HUGEINT" for name in cells.SUMS if name not in columns}
    if "rows" not in columns:
        fixed["rows"] = "calls"
    if "each" not in columns:
        fixed["each"] = "1::BIGINT"
    return f"SELECT *, {cells.listed(fixed)} FROM {table}" if fixed else f"SELECT * FROM {table}"


def told(engine: Engine, path: Path) -> dict[str, Any]:
    """What was kept beside cells in a Parquet file: refused rows and the like; else nothing.

    Raises:
        InvalidValue: it is not what was written there.
    """
    if path.suffix.lower() != ".parquet":
        return {}
    found = engine.rows(
        f"SELECT decode(value) FROM parquet_kv_metadata({quoted(str(path))}) "
        f"WHERE decode(key) = {quoted(_TOLD)}"
    )
    if not found:
        return {}
    try:
        read: dict[str, Any] = json.loads(found[0][0])
        for name in ("repeated", "others", "outside"):
            read[name] = int(read[name])
        read["refused"] = {str(key): int(value) for key, value in read["refused"].items()}
        rows = [(row["file"], row["line"], row["reason"]) for row in read["refused_rows"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        expected = translate(mark("what was kept beside the cells cannot be read"))
        raise InvalidValue(name="cells", value=path, expected=expected) from error
    return read if len(rows) <= sum(read["refused"].values()) else {}


def save(engine: Engine, view: str, path: Path, beside: Mapping[str, object]) -> None:
    """Write cells to a Parquet file, all at once; sums stay whole numbers.

    Args:
        engine: holds them.
        view: their name.
        path: the file.
        beside: what cells cannot say of the log; kept in the file's metadata.
    """
    sums = ", ".join(f"{name}::{_EXACT} AS {name}" for name in cells.SUMS)
    keys = ", ".join(named(key) for key in cells.KEYS)
    text = json.dumps(beside)
    with replacing(path) as partial:
        engine.run(
            f"COPY (SELECT {keys}, {sums} FROM {view} ORDER BY ALL) TO {quoted(str(partial))} "
            f"(FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{_TOLD}: {quoted(text)}}})"
        )
