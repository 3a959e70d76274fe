"""The tables of an inventory as Parquet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kilowhat.assessment.rates import UNITS
from kilowhat.domain.impact import Interval
from kilowhat.ledger.engine import opened, quoted
from kilowhat.ledger.files import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from kilowhat.domain.impact import Missing
    from kilowhat.domain.inventory import Inventory, Usage

POINTS = ("p05", "p50", "p95")


def columns_of(inventory: Inventory) -> dict[str, NDArray[Any]]:
    """The rows of every table as columns: its keys, activity data, and points of each impact.

    ``table`` names the keys of the table that a row belongs to, ``total`` the whole.  Columns of
    impacts bear their unit: ``energy_j_p50``.  What is missing is not a number.
    """
    keys = list(dict.fromkeys(key for table in inventory.breakdowns for key in table.keys))
    rows: list[tuple[str, Mapping[str, str], Usage, Mapping[str, Interval | Missing]]] = [
        ("total", {}, inventory.usage, inventory.impacts)
    ]
    rows += [
        (",".join(table.keys), dict(row.key), row.usage, row.impacts)
        for table in inventory.breakdowns
        for row in table.rows
    ]
    found: dict[str, list[object]] = {"table": [row[0] for row in rows]}
    for key in keys:
        found[key] = [row[1].get(key, "") for row in rows]
    for name in inventory.usage.to_dict():
        found[name] = [getattr(row[2], name) for row in rows]
    for category, unit in UNITS.items():
        values = [row[3][category] for row in rows]
        for point in POINTS:
            found[f"{category}_{unit.lower()}_{point}"] = [
                getattr(value, point) if isinstance(value, Interval) else np.nan for value in values
            ]
    text = {"table", *keys}
    return {
        name: np.array(of, dtype=object if name in text else None) for name, of in found.items()
    }


def write_parquet(inventory: Inventory, path: Path) -> None:
    """Write the tables of an inventory to a Parquet file, all at once."""
    with opened(threads=1) as engine, replacing(path) as partial:
        engine.put("tables", columns_of(inventory))
        engine.run(f"COPY tables TO {quoted(str(partial))} (FORMAT parquet, COMPRESSION zstd)")
