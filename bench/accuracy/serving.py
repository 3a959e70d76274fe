"""The shipped tables, as the estimator reads them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kilowhat.methods.serving_tables import (
    accelerator,
    read_catalogue,
    read_coefficients,
    read_priors,
    read_ranges,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kilowhat.domain.deployment import DeploymentPrior
    from kilowhat.methods.call_features import Vector
    from kilowhat.methods.units import Catalogue

DATA = Path(__file__).parents[2] / "src" / "kilowhat" / "data"


@dataclass(frozen=True)
class Tables:
    """Priors by id and provider, catalogue, joint table of coefficients, ranges of factors."""

    priors: Mapping[str, DeploymentPrior]
    catalogue: Catalogue
    coefficients: Mapping[str, Vector]
    ranges: Mapping[str, tuple[float, float, float, str]]


def tables(data: Path = DATA) -> Tables:
    """The shipped tables of a data directory."""
    hardware: dict[str, dict[str, float]] = {}
    with (data / "factors" / "hardware.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            _, name, number = row["id"].split(".")
            hardware.setdefault(name, {})[number] = float(row["central"])
    made = {name: accelerator(name, values.get) for name, values in hardware.items()}
    usable = {name: machine for name, machine in made.items() if machine is not None}
    ranges = read_ranges(data)
    return Tables(
        read_priors(data, ranges),
        read_catalogue(data, ranges, usable),
        read_coefficients(data),
        ranges,
    )
