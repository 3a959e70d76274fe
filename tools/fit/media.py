"""Fit the coefficients of `kilowhat.methods.media` on public measurements.

    python tools/fit/media.py [--draws 256]

reads the reference measurements from the directory named by KILOWHAT_REFERENCE, and writes
`src/kilowhat/data/inference/media_coefficients.csv` (joint draws, one a row), then prints the
accuracy on models left out and the width of the residual that makes their 90 % intervals hold
nine measured values of ten: those widths are copied into `src/kilowhat/data/factors/media.csv`.
The measurements themselves do not ship.

Each coefficient starts from a physical guess with a width, in log; models weigh the same however
often they were measured, and count for ROWS independent measurements of 12 %: what a model
gets wrong, it gets wrong in all its rows.  A draw weighs the
models by a Bayesian bootstrap and moves the guesses within their widths.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from kilowhat.domain.diffusion import DiffusionArchitecture, MediaDeployment, MediaUse
from kilowhat.methods.media import Coefficients, price
from kilowhat.registry.diffusion import diffusion_architectures
from tools.fit.rows import machines_measured

DATA = Path(__file__).parents[2] / "src" / "kilowhat" / "data"
ROWS = 5.0
SIGMA = 0.12
TIME_WEIGHT = 0.5

# Guess and width in log.  Efficiencies: what tuned kernels reach on H100.  Traffic: reads and
# writes counted in unfused 16- and 32-bit kernels.  Decoders: their convolutions counted, at
# the speed of memory.  Power: a waiting accelerator in a loop draws about a quarter.
PRIORS: dict[str, tuple[float, float]] = {
    "gemm_efficiency": (0.75, 0.15),
    "attention_efficiency": (0.5, 0.2),
    "attention_efficiency_split": (0.5, 0.2),
    "softmax_width": (24.0, 0.2),
    "compute_ratio_b200": (0.75, 0.2),
    "overhead_ratio_b200": (1.0, 0.2),
    "traffic_block": (28.0, 0.3),
    "traffic_feed_forward": (5.0, 0.3),
    "traffic_attention": (12.0, 0.3),
    "traffic_norm": (32.0, 0.3),
    "traffic_rotary": (50.0, 0.3),
    "traffic_linear": (100.0, 0.4),
    "traffic_joined": (12.0, 0.4),
    "layer_time_s": (8e-4, 0.4),
    "layer_time_split_s": (6e-4, 0.4),
    "layer_time_ring_s": (3e-4, 0.5),
    "ulysses_cost": (4.0, 0.5),
    "ring_cost": (4.0, 0.5),
    "decode_kl_2d_b_px": (6e5, 0.3),
    "decode_dc_ae_b_px": (6e5, 0.4),
    "decode_kl_3d_b_px": (5e5, 0.4),
    "power_static": (0.27, 0.15),
    "power_busy": (0.3, 0.4),
    "power_compute": (0.8, 0.3),
    "power_traffic": (0.3, 0.4),
    "power_decode": (0.75, 0.2),
    "power_wait": (0.25, 0.2),
    "knee": (4.0, 0.3),
    "power_cap": (0.97, 0.02),
}
NAMES = [field.name for field in fields(Coefficients)]
GUESS = np.array([PRIORS[name][0] for name in NAMES])
WIDTH = np.array([PRIORS[name][1] for name in NAMES])


class Setting(NamedTuple):
    """The measured rows of one model: what was run, on what, and with what result."""

    architecture: DiffusionArchitecture
    use: MediaUse
    deployment: MediaDeployment
    is_blackwell: np.ndarray
    energy_j: np.ndarray
    occupancy_s: np.ndarray


def measurements(directory: Path) -> pd.DataFrame:
    table = pd.read_parquet(directory / "mlenergy_dev.parquet")
    return table[table.energy_per_generation_j.notna()].reset_index(drop=True)


def settings(table: pd.DataFrame) -> dict[str, Setting]:
    known = diffusion_architectures()
    return {model: setting(known[model], rows) for model, rows in table.groupby("model_id")}


def setting(architecture: DiffusionArchitecture, rows: pd.DataFrame) -> Setting:
    def column(name: str) -> np.ndarray:
        return rows[name].to_numpy(float)

    machine = [machines_measured()[name] for name in rows.gpu_model]
    return Setting(
        architecture,
        MediaUse(
            column("width"),
            column("height"),
            column("num_frames"),
            column("steps"),
            architecture.guidance_passes,
        ),
        MediaDeployment(
            batch=column("batch_size"),
            ulysses=column("ulysses_degree"),
            ring=column("ring_degree"),
            tdp_w=np.array([one.tdp_w for one in machine]),
            bandwidth_b_s=np.array([one.bandwidth_b_s for one in machine]),
            peak_flop_s=np.array([one.peak_flop_s["bf16"] for one in machine]),
            link_b_s=np.array([one.link_b_s for one in machine]),
        ),
        (rows.gpu_model == "B200").to_numpy(),
        column("energy_per_generation_j"),
        column("batch_latency_s") * column("num_gpus") / column("batch_size"),
    )


def predict(case: Setting, coefficients: Coefficients) -> tuple[np.ndarray, np.ndarray]:
    deployment = replace(
        case.deployment,
        compute_factor=np.where(case.is_blackwell, coefficients.compute_ratio_b200, 1.0),
        overhead_factor=np.where(case.is_blackwell, coefficients.overhead_ratio_b200, 1.0),
    )
    return price(case.architecture, case.use, deployment, coefficients)


def fit(
    cases: dict[str, Setting],
    weights: dict[str, float] | None = None,
    guess: np.ndarray = GUESS,
) -> Coefficients:
    """The coefficients with the highest posterior density given the cases."""

    def distances(shift: np.ndarray) -> np.ndarray:
        coefficients = Coefficients(*(guess * np.exp(shift)))
        parts = [shift / WIDTH]
        for model, case in cases.items():
            energy_j, occupancy_s = predict(case, coefficients)
            weight = np.sqrt((weights or {}).get(model, 1.0) * ROWS / len(case.energy_j)) / SIGMA
            parts += [
                weight * np.log(energy_j / case.energy_j),
                weight * TIME_WEIGHT * np.log(occupancy_s / case.occupancy_s),
            ]
        return np.concatenate(parts)

    found = least_squares(distances, np.zeros(len(NAMES)), x_scale=0.2, max_nfev=100)
    return Coefficients(*(guess * np.exp(found.x)))


def draw(cases: dict[str, Setting], random: np.random.Generator) -> Coefficients:
    weights = random.dirichlet(np.ones(len(cases))) * len(cases)
    moved = GUESS * np.exp(WIDTH * random.standard_normal(len(NAMES)))
    return fit(cases, dict(zip(cases, weights, strict=True)), moved)


def left_out(cases: dict[str, Setting]) -> dict[str, np.ndarray]:
    """log(predicted / measured) of each model, by a fit that has not seen it."""
    errors = {}
    for model, case in cases.items():
        others = {name: other for name, other in cases.items() if name != model}
        errors[model] = np.log(predict(case, fit(others))[0] / case.energy_j)
    return errors


def left_out_draws(cases: dict[str, Setting], draws: int) -> dict[str, np.ndarray]:
    """log(predicted / measured) of each model by draws that have not seen it [draws, rows]."""
    random = np.random.default_rng(2)
    result = {}
    for model, case in cases.items():
        others = {name: other for name, other in cases.items() if name != model}
        drawn = [predict(case, draw(others, random))[0] for _ in range(draws)]
        result[model] = np.log(np.array(drawn) / case.energy_j)
    return result


def coverage(errors: list[np.ndarray], sigma: float) -> list[float]:
    """Share of each model's rows whose measured value lies in the 90 % interval."""
    random = np.random.default_rng(3)
    shares = []
    for table in errors:
        residual = sigma * random.standard_normal((16, len(table), 1))
        spread = (table[None] + residual).reshape(-1, table.shape[1])
        low, high = np.quantile(spread, [0.05, 0.95], axis=0)
        shares.append(float(((low <= 0) & (high >= 0)).mean()))
    return shares


def pooled(errors: list[np.ndarray], sigma: float) -> float:
    sizes = np.array([table.shape[1] for table in errors])
    return float(np.dot(coverage(errors, sigma), sizes) / sizes.sum())


def conformal(errors: list[np.ndarray], wanted: float = 0.905) -> float:
    """The narrowest residual, as a standard deviation in log, that reaches the coverage."""
    grid = np.arange(0.0, 0.6, 0.005)
    return float(next(sigma for sigma in grid if pooled(errors, sigma) >= wanted))


def summary(errors: np.ndarray) -> str:
    size = np.abs(errors)
    return f"{np.exp(np.median(size)):.3f} / {np.exp(np.quantile(size, 0.9)):.3f}"


def write(draws: list[Coefficients]) -> None:
    path = DATA / "inference" / "media_coefficients.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(NAMES)
        writer.writerows([f"{getattr(one, name):.4g}" for name in NAMES] for one in draws)


def report(cases: dict[str, Setting], draws: int) -> None:
    central = fit(cases)
    for name in NAMES:
        print(f"{name:28s} {getattr(central, name):.4g}")
    errors = left_out(cases)
    for model, error in errors.items():
        print("left out", model, summary(error), f"bias {np.exp(error.mean()):.3f}")
    tables = left_out_draws(cases, draws)
    for task in ("text-to-image", "text-to-video"):
        of_task = [model for model in cases if cases[model].architecture.task == task]
        print(task, summary(np.concatenate([errors[model] for model in of_task])))
        chosen = [tables[model] for model in of_task]
        sigma = conformal(chosen)
        print(
            f"  residual {sigma:.3f}: {np.exp(-1.645 * sigma):.3f} to {np.exp(1.645 * sigma):.3f},"
            f" coverage {pooled(chosen, sigma):.3f} by model {coverage(chosen, sigma)}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=256)
    arguments = parser.parse_args()
    reference = os.environ.get("KILOWHAT_REFERENCE")
    if not reference:
        sys.exit("Set KILOWHAT_REFERENCE to the directory of the reference measurements.")
    cases = settings(measurements(Path(reference)))
    random = np.random.default_rng(1)
    write([draw(cases, random) for _ in range(arguments.draws)])
    report(cases, max(16, arguments.draws // 4))


if __name__ == "__main__":
    main()
