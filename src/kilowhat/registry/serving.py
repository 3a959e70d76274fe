"""What is believed of deployments beforehand: priors by provider, precisions, accelerators."""

from __future__ import annotations

from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING

from kilowhat.domain.architecture import TypicalLayout, TypicalLayouts
from kilowhat.domain.deployment import DeploymentPrior, Precision
from kilowhat.quantity.spread import Spread
from kilowhat.registry.providers import find_provider
from kilowhat.registry.tables import DATA, table

if TYPE_CHECKING:
    from pathlib import Path

    from kilowhat.domain.architecture import Magnitude
    from kilowhat.domain.factor import Entry, Factor
    from kilowhat.registry.resolve import Registry

Range = tuple[float, float, float, str]
SHARED = ("serving", "unmeasured")
"""Subjects of deployment factors that every prior shares."""
_TYPICAL = "inference.typical-"


def _weights(cell: str) -> tuple[tuple[str, float], ...]:
    """The choices of a cell written ``a:0.7|b:0.3``."""
    pairs = (part.rpartition(":") for part in cell.split("|") if part)
    return tuple((name, float(weight)) for name, _, weight in pairs)


def _sizes(cell: str) -> tuple[tuple[float, float], ...]:
    return tuple((float(size), weight) for size, weight in _weights(cell))


@lru_cache(maxsize=4)
def precisions(directory: Path = DATA) -> dict[str, Precision]:
    """Every way to store and multiply weights, by id and by alias."""
    found = {}
    for row in table(directory / "inference" / "precisions.csv"):
        precision = Precision(
            row["id"], float(row["dense_bytes"]), float(row["expert_bytes"]),
            float(row["embedding_bytes"]), row["arithmetic"], row["needs"], row["fitted"],
        )  # fmt: skip
        for name in (row["id"], *filter(None, row["aliases"].split("|"))):
            found[name] = precision
    return found


@lru_cache(maxsize=4)
def kinds(directory: Path = DATA) -> dict[str, str]:
    """Which accelerators behave like a fitted kind, by id."""
    rows = table(directory / "inference" / "kinds.csv")
    return {row["accelerator"]: row["kind"] for row in rows}


@lru_cache(maxsize=4)
def _rows(directory: Path) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in table(directory / "deployments.csv")}


def prior_id(provider: str | None, *, is_open: bool, directory: Path = DATA) -> str:
    """The prior of a provider; ``open`` for open weights that no provider is named for.

    A provider that the table does not name is an API like any other.
    """
    if provider is None:
        return "open" if is_open else "api"
    name = find_provider(provider, directory)
    for identity, row in _rows(directory).items():
        if name == identity or name in row["providers"].split("|"):
            return identity
    return "api"


def is_named(provider: str | None, directory: Path = DATA) -> bool:
    """Whether a provider has a prior of its own; true when none was named."""
    return provider is None or prior_id(provider, is_open=True, directory=directory) != "api"


def _range(factor: Factor) -> Range:
    return factor.low, factor.central, factor.high, factor.shape


def ranges(registry: Registry, subject: str) -> tuple[dict[str, Range], list[Entry]]:
    """The ranges of a subject's deployment factors, by property, with their trail."""
    start = f"deployment.{subject}."
    found, trail = {}, []
    for identity in registry.ids("deployment"):
        if identity.startswith(start):
            entry = registry.factor(identity)
            trail.append(entry)
            found[identity.removeprefix(start)] = _range(entry.factor)
    return found, trail


def shared_ranges(registry: Registry) -> dict[str, Range]:
    """The ranges that every prior shares; those of ``unmeasured`` keep that word in front."""
    serving, _ = ranges(registry, "serving")
    unmeasured, _ = ranges(registry, "unmeasured")
    return serving | {f"unmeasured_{name}": value for name, value in unmeasured.items()}


def prior(registry: Registry, identity: str) -> tuple[DeploymentPrior, list[Entry]]:
    """What is believed of a deployment before anything is known of it, with its trail.

    Raises:
        KeyError: no such prior.
    """
    row = _rows(registry.data)[identity]
    found, trail = ranges(registry, identity)
    return DeploymentPrior(
        id=identity,
        kind=row["class"],
        accelerators=_weights(row["accelerators"]),
        precisions=_weights(row["precisions"]),
        unit_sizes=_sizes(row["unit_sizes"]),
        wide_units=_sizes(row["wide_units"]),
        ranges=found,
        is_per_accelerator=row["concurrency_per"] == "accelerator",
        speculative_share=float(row["speculative_share"]),
    ), trail


def typical_layouts(registry: Registry, model: str | None = None) -> TypicalLayouts:
    """How models are usually laid out: the middle, or draws for a model of that name.

    The draws say how much models of one size differ; two models differ independently.
    """
    return TypicalLayouts(
        dense=_typical(registry, "dense", model),
        mixture=_typical(registry, "mixture", model),
        mixture_share=registry.factor(f"{_TYPICAL}mixture.active_share").factor.central,
    )


def _typical(registry: Registry, kind: str, model: str | None) -> TypicalLayout:
    def number(name: str) -> Magnitude:
        factor = registry.factor(f"{_TYPICAL}{kind}.{name}").factor
        if model is None or factor.low == factor.high:
            return factor.central
        spread = Spread(*_range(factor))
        return spread.quantile(registry.uniform(f"model.{model}.{name}"))

    return TypicalLayout(**{field.name: number(field.name) for field in fields(TypicalLayout)})


def typical_trail(
    registry: Registry, model: str, *, is_mixture: bool
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """The factors of the typical layout of one kind, and the streams that draw a model's own."""
    start = f"{_TYPICAL}{'mixture' if is_mixture else 'dense'}."
    names = [field.name for field in fields(TypicalLayout)]
    entries = [registry.factor(f"{start}{name}") for name in names]
    streams = [
        f"model.{model}.{name}"
        for name, entry in zip(names, entries, strict=True)
        if entry.factor.low != entry.factor.high
    ]
    return tuple(entries), tuple(streams)
