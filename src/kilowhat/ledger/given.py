"""Cells that were saved, or that another engine made: read, checked, and written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kilowhat.errors import DataError, InvalidValue
from kilowhat.language import mark, translate
from kilowhat.ledger import cells
from kilowhat.ledger.engine import named, quoted
from kilowhat.ledger.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from kilowhat.ledger.engine import Engine

_NEEDED = ("model", "calls", "fresh_tokens", "output_tokens")
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
    reader = "read_parquet({})" if is_parquet else "read_csv({}, header = true)"
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
    chosen = [
        f"{named(columns[name])}::{kind} AS {named(name)}"
        for name, kind in wanted.items()
        if name in columns
    ]
    engine.run(f"CREATE OR REPLACE TABLE {table} AS SELECT {', '.join(chosen)} FROM ({query})")
    sums = [name for name in cells.SUMS if name in columns]
    wrong = " OR ".join(f"coalesce({name}, -1) < 0" for name in sums)
    if engine.rows(f"SELECT count(*) FROM {table} WHERE {wrong}")[0][0]:
        expected = translate(mark("sums of cells are whole numbers from 0 on"))
        raise InvalidValue(name="cells", value=origin, expected=expected)
    fixed = {name: f"NULL::{kind}" for name, kind in cells.KEYS.items() if name not in columns}
    fixed |= {name: "0::HUGEINT" for name in cells.SUMS if name not in columns}
    if "rows" not in columns:
        fixed["rows"] = "calls"
    if "each" not in columns:
        fixed["each"] = "1::BIGINT"
    return f"SELECT *, {cells.listed(fixed)} FROM {table}" if fixed else f"SELECT * FROM {table}"


def save(engine: Engine, view: str, path: Path) -> None:
    """Write cells to a Parquet file, all at once; sums stay whole numbers."""
    sums = ", ".join(f"{name}::{_EXACT} AS {name}" for name in cells.SUMS)
    keys = ", ".join(named(key) for key in cells.KEYS)
    with replacing(path) as partial:
        engine.run(
            f"COPY (SELECT {keys}, {sums} FROM {view} ORDER BY ALL) TO {quoted(str(partial))} "
            "(FORMAT parquet, COMPRESSION zstd)"
        )
