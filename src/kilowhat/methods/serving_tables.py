"""The tables that deployments and coefficients are drawn from, read from the data directory."""

from __future__ import annotations

import csv
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.domain.deployment import Accelerator, DeploymentPrior, Precision
from kilowhat.methods.call_features import Coefficients, Corrections
from kilowhat.methods.units import Catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kilowhat.methods.call_features import Vector

    Range = tuple[float, float, float, str]

GIGA, TERA = 1e9, 1e12
PEAKS = ("bf16", "fp8", "fp4", "int8")


def read_ranges(data: Path) -> dict[str, Range]:
    """Low, central, high and shape of each deployment factor, by id.

    Args:
        data: the data directory.

    Returns:
        Ranges keyed `deployment.<subject>.<name>`, units as in the table.

    Source: `factors/deployment.csv`.
    """
    found: dict[str, Range] = {}
    for row in _rows(data / "factors" / "deployment.csv"):
        central = float(row["central"])
        low, high = float(row["low"] or central), float(row["high"] or central)
        found[row["id"]] = (low, central, high, row["shape"])
    return found


def read_priors(data: Path, ranges: Mapping[str, Range]) -> dict[str, DeploymentPrior]:
    """Deployment priors by id, and by each provider they stand for.

    Args:
        data: the data directory.
        ranges: ranges by id, as from `read_ranges`.

    Returns:
        Priors keyed by id and by provider: open, api, openai, azure, google ...

    Source: `deployments.csv`.
    """
    priors: dict[str, DeploymentPrior] = {}
    for row in _rows(data / "deployments.csv"):
        start = f"deployment.{row['id']}."
        own = {name.removeprefix(start): r for name, r in ranges.items() if name.startswith(start)}
        prior = DeploymentPrior(
            id=row["id"],
            kind=row["class"],
            accelerators=_weights(row["accelerators"]),
            precisions=_weights(row["precisions"]),
            unit_sizes=_sizes(row["unit_sizes"]),
            wide_units=_sizes(row["wide_units"]),
            ranges=own,
            is_per_accelerator=row["concurrency_per"] == "accelerator",
            speculative_share=float(row["speculative_share"]),
        )
        for name in (row["id"], *filter(None, row["providers"].split("|"))):
            priors[name] = prior
    return priors


def read_catalogue(
    data: Path, ranges: Mapping[str, Range], accelerators: Mapping[str, Accelerator]
) -> Catalogue:
    """Accelerators, precisions, fitted kinds and shared ranges in one.

    Args:
        data: the data directory.
        ranges: ranges by id, as from `read_ranges`.
        accelerators: accelerators by id, as from `accelerator`.

    Source: `inference/precisions.csv`, `inference/kinds.csv`.
    """
    precisions: dict[str, Precision] = {}
    for row in _rows(data / "inference" / "precisions.csv"):
        precision = Precision(
            id=row["id"],
            dense_bytes=float(row["dense_bytes"]),
            expert_bytes=float(row["expert_bytes"]),
            arithmetic=row["arithmetic"],
            needs=row["needs"],
            fitted=row["fitted"],
        )
        for name in (row["id"], *filter(None, row["aliases"].split("|"))):
            precisions[name] = precision
    kinds = {row["accelerator"]: row["kind"] for row in _rows(data / "inference" / "kinds.csv")}
    shared = {
        f"{subject}_{name}" if subject == "unmeasured" else name: range_
        for (subject, name), range_ in _named(ranges)
        if subject in {"unmeasured", "serving"}
    }
    return Catalogue(accelerators, precisions, kinds, shared)


def accelerator(id_: str, value: Callable[[str], float | None]) -> Accelerator | None:
    """An accelerator from its hardware factors; None when one that is needed is missing.

    Args:
        id_: its id, such as h100-sxm.
        value: the central value of `hardware.<id>.<name>` in the table's own unit, or None:
            tdp [W], memory [GB], bandwidth and link_bandwidth [GB/s], peak_* [TFLOP/s].

    Source: `factors/hardware.csv`.

    >>> table = {"tdp": 700.0, "memory": 80.0, "bandwidth": 3350.0, "peak_bf16": 989.4}
    >>> accelerator("h100-sxm", table.get).bandwidth_b_s
    3350000000000.0
    """
    tdp_w, memory, bandwidth = value("tdp"), value("memory"), value("bandwidth")
    peaks = {name: value(f"peak_{name}") for name in PEAKS}
    peaks["bf16"] = peaks["bf16"] or value("peak_fp16")
    if tdp_w is None or memory is None or bandwidth is None or peaks["bf16"] is None:
        return None
    return Accelerator(
        id=id_,
        tdp_w=tdp_w,
        memory_b=memory * GIGA,
        bandwidth_b_s=bandwidth * GIGA,
        link_b_s=(value("link_bandwidth") or 0.0) * GIGA,
        peak_flop_s={name: peak * TERA for name, peak in peaks.items() if peak},
    )


def read_coefficients(data: Path) -> dict[str, Vector]:
    """The joint table of fitted coefficients: name to its values, one per row of the table.

    Row 0 is the fit to all measurements, the others are bootstrap draws.

    Source: `inference/coefficients.csv`.
    """
    rows = _rows(data / "inference" / "coefficients.csv")
    names = [field.name for kind in (Coefficients, Corrections) for field in fields(kind)]
    return {name: np.array([float(row[name]) for row in rows]) for name in names}


def drawn(
    table: Mapping[str, Vector], uniform: Vector | None = None
) -> tuple[Coefficients, Corrections]:
    """Coefficients and corrections of whole rows of the joint table.

    Args:
        table: as from `read_coefficients`.
        uniform: uniform numbers, shape (n_draws,); None for the fit to all measurements.

    Returns:
        Vectors of draws, whose correlation is that of the table; or floats.

    Source: bootstrap over architectures.
    """
    if uniform is None:
        chosen = {name: float(values[0]) for name, values in table.items()}
    else:
        length = len(next(iter(table.values()))) - 1
        row = 1 + np.minimum((uniform * length).astype(int), length - 1)
        chosen = {name: values[row] for name, values in table.items()}
    return (
        Coefficients(**{field.name: chosen[field.name] for field in fields(Coefficients)}),
        Corrections(**{field.name: chosen[field.name] for field in fields(Corrections)}),
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _named(ranges: Mapping[str, Range]) -> list[tuple[tuple[str, str], Range]]:
    return [((id_.split(".")[1], id_.split(".")[2]), range_) for id_, range_ in ranges.items()]


def _weights(text: str) -> tuple[tuple[str, float], ...]:
    """`a:0.5|b:0.5` as pairs."""
    pairs = (part.rsplit(":", 1) for part in text.split("|") if part)
    return tuple((name, float(weight)) for name, weight in pairs)


def _sizes(text: str) -> tuple[tuple[float, float], ...]:
    """`1:0.5|2:0.5` as pairs of numbers."""
    return tuple((float(name), weight) for name, weight in _weights(text))
