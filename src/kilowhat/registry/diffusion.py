"""The published architectures of image and video models."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING

from kilowhat.domain.diffusion import DiffusionArchitecture
from kilowhat.registry.tables import DATA, table

if TYPE_CHECKING:
    from pathlib import Path


def _cell(kind: str, text: str) -> object:
    """A cell in the type of its attribute, as the dataclass writes it."""
    if kind == "str":
        return text
    if kind == "bool":
        return text == "1"
    if kind.startswith("tuple"):
        return tuple(float(part) for part in text.split("|") if part)
    return float(text or 0)


@lru_cache(maxsize=4)
def diffusion_architectures(directory: Path = DATA) -> dict[str, DiffusionArchitecture]:
    """Every image and video model whose architecture is published, by id."""
    kinds = {field.name: str(field.type) for field in fields(DiffusionArchitecture)}
    found = {}
    for row in table(directory / "diffusion.csv"):
        values = {name: _cell(kind, row[name]) for name, kind in kinds.items() if name != "name"}
        found[row["model_id"]] = DiffusionArchitecture(name=row["model_id"], **values)  # type: ignore[arg-type]
    return found
