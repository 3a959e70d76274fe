"""What the statistics of Parquet files say of their columns, so that rows need not be asked.

The engine uses them for one file, but not for several together; logs are written in many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kilowhat.ledger.calls import COLUMNS, Fact
from kilowhat.ledger.engine import named, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.ledger.engine import Engine


def facts(engine: Engine, paths: str, plain: Sequence[tuple[str, str]]) -> dict[str, Fact]:
    """Bounds of columns over all row groups of some files, where each of them tells.

    Args:
        engine: reads the ends of the files.
        paths: of the files, as a list of SQL.
        plain: columns of ours that are columns of theirs as they stand: (ours, theirs).
    """
    found = {}
    for ours, theirs in plain:
        low, high = (_bound(f"stats_{end}_value", ours) for end in ("min", "max"))
        asked = (
            f"SELECT min({low}), max({high}), sum(stats_null_count), "
            f"bool_and({low} IS NOT NULL AND {high} IS NOT NULL AND stats_null_count IS NOT NULL) "
            f"FROM parquet_metadata({paths}) WHERE path_in_schema = {quoted(theirs)}"
        )
        least, largest, nulls, is_told = engine.rows(asked)[0]
        if is_told:
            found[ours] = Fact(float(least), float(largest), bool(nulls))
    return found


def _bound(column: str, ours: str) -> str:
    """The expression of a bound as a number; times in microseconds."""
    if COLUMNS[ours] == "TIMESTAMP":
        return f"epoch_us(try_cast({named(column)} AS TIMESTAMP))"
    return f"try_cast({named(column)} AS BIGINT)"
