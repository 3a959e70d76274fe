"""Find who serves a model by any of the names under which logs write it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from kilowhat.registry.tables import DATA, table

if TYPE_CHECKING:
    from pathlib import Path


@lru_cache(maxsize=4)
def _names(directory: Path) -> dict[str, str]:
    found = {}
    for row in table(directory / "providers.csv"):
        for name in (row["id"], *row["aliases"].split("|")):
            found[name] = row["id"]
    return found


def find_provider(name: str, directory: Path = DATA) -> str:
    """The provider that a name means; a name that the table does not hold stands for itself.

    >>> find_provider("gcp.vertex_ai"), find_provider("Someone")
    ('google', 'someone')
    """
    plain = name.strip().lower()
    return _names(directory).get(plain, plain)
