"""The published architectures of image and video models."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING

from kilowhat.domain.diffusion import DiffusionArchitecture, Kernels, MediaHabits
from kilowhat.registry.resolve import Registry
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
    registry = Registry(data=directory)
    names = [field.name for field in fields(Kernels)]
    kernels = Kernels(**{name: _central(registry, f"media.denoiser.{name}") for name in names})
    found = {}
    for row in table(directory / "diffusion.csv"):
        own = ("name", "kernels")
        values = {name: _cell(kind, row[name]) for name, kind in kinds.items() if name not in own}
        name = row["model_id"]
        found[name] = DiffusionArchitecture(name=name, kernels=kernels, **values)  # type: ignore[arg-type]
    return found


def habits(registry: Registry) -> MediaHabits:
    """What deployments of image and video models usually do."""
    names = [field.name for field in fields(MediaHabits)]
    return MediaHabits(**{name: _central(registry, f"media.serving.{name}") for name in names})


def _central(registry: Registry, identity: str) -> float:
    return registry.factor(identity).factor.central
