"""Fit the coefficients of the decoding step to benchmark measurements, and bootstrap them.

Usage: python -m tools.fit.text REFERENCE_DIRECTORY [--draws 128]

Writes data/inference/coefficients.csv (one joint draw a row; draw 0 is the fit to all rows) and
data/factors/inference.csv (the spread that leave-one-architecture-out errors show).
The loss is a pseudo-Huber loss on the logarithms of energy, step time and power, so that
artefacts of single runs do not pull; architectures weigh by the square root of their rows;
priors keep each coefficient near what the hardware makes plausible.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import norm

from kilowhat.methods.call_features import Coefficients, Corrections
from kilowhat.methods.inference import mean_call
from tools.fit.rows import Rows, read

if TYPE_CHECKING:
    from kilowhat.methods.call_features import Vector

DATA = Path(__file__).parents[2] / "src" / "kilowhat" / "data"
ERROR = 0.12
"""Scale of the loss in the logarithm of energy [1]."""
TIME_WEIGHT = POWER_WEIGHT = 0.3
"""Weight of the errors in time and power, which energy is the product of [1]."""
PRIOR_WEIGHT = 0.5
SEED = 20261122
COVERAGE = 0.905
Z95 = 1.6449
FACTOR_COLUMNS = ("id", "low", "central", "high", "unit", "shape", "basis", "boundary")
FACTOR_COLUMNS += ("valid_from", "valid_to", "source", "locator", "note")


@dataclass(frozen=True)
class Prior:
    """Median, log standard deviation and bounds of a coefficient before any measurement."""

    median: float
    spread: float
    low: float
    high: float


PRIORS: dict[str, Prior] = {
    "idle_power": Prior(0.35, 0.4, 0.1, 0.8),
    "memory_power": Prior(0.25, 0.6, 0.02, 0.8),
    "compute_power": Prior(0.6, 0.6, 0.1, 2.5),
    "power_exponent": Prior(0.6, 0.3, 0.3, 1.0),
    "dense_bandwidth": Prior(0.85, 0.1, 0.5, 0.98),
    "expert_bandwidth": Prior(0.6, 0.3, 0.25, 0.95),
    "cache_bandwidth": Prior(0.7, 0.25, 0.3, 0.95),
    "state_bandwidth": Prior(0.54, 0.4, 0.1, 1.0),
    "compute_peak": Prior(0.65, 0.2, 0.35, 0.95),
    "layer_s": Prior(50e-6, 0.5, 5e-6, 3e-4),
    "sequence_s": Prior(40e-6, 0.5, 1e-6, 3e-4),
    "link_layer_s": Prior(12e-6, 0.6, 1e-6, 1e-4),
    "link_bandwidth": Prior(0.25, 0.5, 0.03, 1.0),
    "expert_spread": Prior(0.75, 0.2, 0.4, 1.0),
    "overlap": Prior(2.0, 0.4, 1.05, 6.0),
    "image_tokens": Prior(800.0, 0.4, 100.0, 4000.0),
    "video_tokens": Prior(1500.0, 0.6, 200.0, 10000.0),
    "image_s": Prior(15e-3, 0.6, 1e-3, 0.1),
    "video_s": Prior(40e-3, 0.6, 1e-3, 0.5),
    "fp8_compute": Prior(0.5, 0.3, 0.2, 1.0),
    "fp8_experts": Prior(0.65, 0.25, 0.3, 1.0),
    "fp8_layers": Prior(1.5, 0.4, 0.8, 4.0),
    "mxfp4_experts": Prior(1.0, 0.3, 0.4, 2.0),
    "blackwell_bandwidth": Prior(0.9, 0.1, 0.6, 1.1),
    "blackwell_compute": Prior(0.9, 0.15, 0.5, 1.3),
    "blackwell_overhead": Prior(1.5, 0.5, 0.7, 4.0),
}
NAMES = tuple(PRIORS)


def coefficients(values: Vector) -> tuple[Coefficients, Corrections]:
    """Coefficients and corrections from a vector in the order of PRIORS."""
    named = dict(zip(NAMES, values, strict=True))
    return (
        Coefficients(**{field.name: named[field.name] for field in fields(Coefficients)}),
        Corrections(**{field.name: named[field.name] for field in fields(Corrections)}),
    )


def predict(
    values: Vector, rows: Rows, length_variety: float | None = 1.5
) -> tuple[Vector, Vector, Vector]:
    """Logarithms of energy per output token [J], time per token [s], power [W], by row."""
    step, corrections = coefficients(values)
    point = rows.point(length_variety)
    deployment = rows.deployment(corrections)
    mean = mean_call(rows.architecture, deployment, point, step)
    return (
        np.log(mean.energy_j / point.output_tokens),
        np.log(1.0 / mean.tokens_per_second),
        np.log(mean.power_w),
    )


def fit(rows: Rows, weights: Vector | None = None, start: Vector | None = None) -> Vector:
    """The coefficients that fit the rows best, priors included, in the order of PRIORS.

    Args:
        rows: measurements.
        weights: weight of each row; by default architectures weigh as the root of their rows.
        start: where the search begins; by default the medians of the priors.
    """
    centre = np.log([prior.median for prior in PRIORS.values()])
    spread = np.array([prior.spread for prior in PRIORS.values()])
    low = np.log([prior.low for prior in PRIORS.values()])
    high = np.log([prior.high for prior in PRIORS.values()])
    if weights is None:
        weights = balanced(rows)
    root = np.sqrt(weights)
    observed = np.log(rows.energy_j), np.log(rows.step_s), np.log(rows.power_w)
    pull = PRIOR_WEIGHT * np.sqrt(weights.sum() / 40.0)

    def residuals(position: Vector) -> Vector:
        computed = predict(np.exp(position), rows)
        errors = [(made - seen) / ERROR for made, seen in zip(computed, observed, strict=True)]
        return np.concatenate(
            [
                root * _robust(errors[0]),
                TIME_WEIGHT * root * _robust(errors[1]),
                POWER_WEIGHT * root * _robust(errors[2]),
                pull * (position - centre) / spread,
            ]
        )

    begin = centre if start is None else np.log(start)
    found = least_squares(
        residuals,
        np.clip(begin, low + 1e-6, high - 1e-6),
        bounds=(low, high),
        x_scale=spread,
        max_nfev=60,
    )
    return np.exp(found.x)


def _robust(error: Vector) -> Vector:
    """Signed root of the pseudo-Huber loss."""
    return np.sign(error) * np.sqrt(2.0 * (np.sqrt(1.0 + error * error) - 1.0))


def balanced(rows: Rows) -> Vector:
    """Weights by which an architecture counts as the root of its number of rows; mean 1."""
    _, inverse, counts = np.unique(rows.groups, return_inverse=True, return_counts=True)
    weight = counts[inverse] ** -0.5
    return weight / weight.mean()


def leave_one_out(rows: Rows, whole: Vector) -> tuple[Vector, dict[str, Vector]]:
    """Log errors of each row predicted without its architecture, and the fits made for it."""
    errors, fits = np.zeros(len(rows)), {}
    for group in np.unique(rows.groups):
        inside = rows.groups == group
        fits[group] = fit(rows.take(~inside), start=whole)
        tested = rows.take(inside)
        errors[inside] = predict(fits[group], tested)[0] - np.log(tested.energy_j)
    return errors, fits


def bootstrap(rows: Rows, whole: Vector, draws: int) -> Vector:
    """Coefficients refitted under Dirichlet weights of the architectures, shape (draws, k)."""
    generator = np.random.default_rng(SEED)
    _, inverse = np.unique(rows.groups, return_inverse=True)
    number = inverse.max() + 1
    base = balanced(rows)
    result = []
    for _ in range(draws):
        share = generator.dirichlet(np.ones(number)) * number
        weights = np.maximum(base * share[inverse], 1e-4)
        result.append(fit(rows, weights, whole))
    return np.array(result)


def coefficient_bounds(rows: Rows, sample: Vector) -> Vector:
    """ln of computed energy over its median, by bootstrap draw and row, shape (draws, n)."""
    made = np.array([predict(values, rows)[0] for values in sample])
    return made - np.median(made, axis=0)


def bounds(relative: Vector, sigma: float, count: int = 256) -> tuple[Vector, Vector]:
    """ln(p05/p50) and ln(p95/p50) of coefficients' and residual's doubt together, by row.

    Args:
        relative: as from `coefficient_bounds`.
        sigma: standard deviation of the residual in log [1].
        count: points of the residual's distribution to combine with.
    """
    z = norm.ppf((np.arange(count) + 0.5) / count) * sigma
    order = np.random.default_rng(SEED).integers(0, len(relative), count)
    total = relative[order] + z[:, None]
    return np.quantile(total, 0.05, axis=0), np.quantile(total, 0.95, axis=0)


def conformal(errors: Vector, relative: Vector, wanted: float = COVERAGE) -> float:
    """The residual's standard deviation for which intervals hold the wanted share of errors."""

    def missing(sigma: float) -> float:
        low, high = bounds(relative, sigma)
        return float(np.mean((errors + low <= 0.0) & (errors + high >= 0.0))) - wanted

    low, high = 0.01, 1.5
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if missing(middle) < 0.0 else (low, middle)
    return high


def write(path: Path, whole: Vector, sample: Vector) -> None:
    """The joint table: draw 0 is the fit to all rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["draw", *NAMES])
        for index, row in enumerate([whole, *sample]):
            writer.writerow([index, *(f"{value:.4g}" for value in row)])


def write_residuals(path: Path, sigmas: dict[str, float], note: str) -> None:
    """The residual of each case as a factor: its 5 %, 50 % and 95 % points [1]."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FACTOR_COLUMNS)
        for case, sigma in sorted(sigmas.items()):
            far = np.exp(Z95 * sigma)
            row = [f"inference.{case}.residual", f"{1 / far:.4g}", "1", f"{far:.4g}", "1"]
            row += ["lognormal", "modelled", "", "", "", "kilowhat-fit", "tools/fit/text.py", note]
            writer.writerow(row)


def calibrated_errors(rows: Rows, errors: Vector, reach: float = 2.0) -> Vector:
    """Log errors of a row corrected by one other of the same deployment, task and batch.

    Args:
        rows: measurements.
        errors: log errors before.
        reach: largest ratio of the two batches.
    """
    table = rows.table
    keys = ["model_id", "gpu_model", "num_gpus", "weight_precision", "task"]
    log_batch = np.log(table["avg_batch_size"].to_numpy(float))
    result = []
    for index in table.groupby(keys).indices.values():
        gap = np.abs(log_batch[index][:, None] - log_batch[index][None, :])
        first, second = np.nonzero((gap > 0.0) & (gap < np.log(reach) + 0.1))
        result.append(errors[index][first] - errors[index][second])
    return np.concatenate(result)


def main() -> None:
    """Fit, bootstrap, write, and print the leave-one-out errors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--draws", type=int, default=128)
    options = parser.parse_args()
    rows = read(options.reference / "mlenergy_dev.parquet", DATA / "architectures.csv")
    whole = fit(rows)
    errors, _ = leave_one_out(rows, whole)
    sample = bootstrap(rows, whole, options.draws)
    relative = coefficient_bounds(rows, sample)
    sigmas = {}
    for name, chosen in (("text", rows.is_text), ("media-in", ~rows.is_text)):
        factor = np.exp(np.abs(errors[chosen]))
        sigmas[name] = conformal(errors[chosen], relative[:, chosen])
        print(name, np.round(np.quantile(factor, [0.5, 0.9, 1.0]), 3), round(sigmas[name], 3))
    corrected = calibrated_errors(rows.take(rows.is_text), errors[rows.is_text])
    sigmas["text-calibrated"] = float(np.quantile(np.abs(corrected), COVERAGE) / Z95)
    print("calibrated", np.round(np.exp(np.quantile(np.abs(corrected), [0.5, 0.9])), 3))
    write(DATA / "inference" / "coefficients.csv", whole, sample)
    note = f"{len(rows)} measurements, {len(np.unique(rows.groups))} architectures, one left out"
    write_residuals(DATA / "factors" / "inference.csv", sigmas, note)


if __name__ == "__main__":
    main()
