"""Find an accelerator by any of its names."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from kilowhat.domain.hardware import Accelerator
from kilowhat.errors import UnknownAccelerator
from kilowhat.registry.tables import DATA, table

if TYPE_CHECKING:
    from pathlib import Path


@lru_cache(maxsize=4)
def accelerators(directory: Path = DATA) -> dict[str, Accelerator]:
    """Every accelerator, by id."""
    return {
        row["id"]: Accelerator(row["id"], row["name"], row["vendor"], row["kind"])
        for row in table(directory / "accelerators.csv")
    }


def _fold(name: str) -> str:
    return "-".join(name.lower().replace("_", " ").replace("-", " ").split())


@lru_cache(maxsize=4)
def _names(directory: Path) -> dict[str, str]:
    names: dict[str, str] = {}
    for row in table(directory / "accelerators.csv"):
        for name in (row["name"], *row["aliases"].split("|")):
            if name:
                names.setdefault(_fold(name), row["id"])
    return names | {identity: identity for identity in accelerators(directory)}


def find_accelerator(name: str, directory: Path = DATA) -> Accelerator:
    """The accelerator of an id, a short name or a full one.

    Raises:
        UnknownAccelerator: no accelerator has such a name; names the nearest ones.

    >>> find_accelerator("H100").id
    'h100-sxm'
    """
    names = _names(directory)
    identity = names.get(_fold(name))
    if identity is None:
        import difflib  # noqa: PLC0415 - only a wrong name needs it

        nearest = difflib.get_close_matches(_fold(name), names, n=3, cutoff=0.5)
        raise UnknownAccelerator(name=name, nearest=list(dict.fromkeys(names[n] for n in nearest)))
    return accelerators(directory)[identity]
