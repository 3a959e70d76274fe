"""The table of everyday equivalents."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from kilowhat.domain.equivalence import Equivalence
from kilowhat.registry.tables import DATA, table

if TYPE_CHECKING:
    from pathlib import Path


@lru_cache(maxsize=4)
def equivalences(directory: Path = DATA) -> tuple[Equivalence, ...]:
    """Every everyday equivalent, dated ones included."""
    return tuple(Equivalence.from_row(row) for row in table(directory / "equivalences.csv"))
