"""Images and video on models left out of the fit, beside a constant number of joules per FLOP."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2])]

from tools.fit import media as fit  # noqa: E402

from kilowhat.methods.denoiser import workload  # noqa: E402

TASKS = ("text-to-image", "text-to-video")
DRAWS = 32


def shipped_residual(task: str) -> float:
    """Standard deviation, in log, of the residual that the package ships for a task."""
    with (fit.DATA / "factors" / "media.csv").open(encoding="utf-8", newline="") as file:
        factors = {row["id"]: row for row in csv.DictReader(file)}
    return float(np.log(float(factors[f"media.{task}.residual"]["high"])) / 1.645)


def operations(case: fit.Setting) -> np.ndarray:
    """Operations of the denoiser per image or video [FLOP]."""
    work = workload(case.architecture, case.use, 1.0)
    per_pass = work.linear_flop + work.attention_score_flop * case.architecture.head_width
    return case.use.steps * case.use.guidance_passes * per_pass


def constant(cases: dict[str, fit.Setting]) -> dict[str, np.ndarray]:
    """log(predicted / measured) of each model by the mean joules per FLOP of the others."""
    ratios = {name: np.log(case.energy_j / operations(case)) for name, case in cases.items()}
    errors = {}
    for name in cases:
        others = [ratio.mean() for other, ratio in ratios.items() if other != name]
        errors[name] = np.mean(others) - ratios[name]
    return errors


def row(
    case: str, estimator: str, errors: list[np.ndarray], shares: list[float]
) -> dict[str, object]:
    pooled = np.abs(np.concatenate(errors))
    sizes = np.array([len(error) for error in errors])
    return {
        "case": case,
        "estimator": estimator,
        "med": float(np.exp(np.median(pooled))),
        "p90": float(np.exp(np.quantile(pooled, 0.9))),
        "coverage": float(np.dot(shares, sizes) / sizes.sum()) if shares else None,
        "coverage_low": min(shares) if shares else None,
        "coverage_high": max(shares) if shares else None,
        "rows": int(sizes.sum()),
        "models": len(errors),
    }


def rows(directory: Path | None = None, draws: int = DRAWS) -> list[dict[str, object]]:
    """The accuracy table of image and video generation, one dictionary a line.

    Every model is predicted by a fit that has not seen it; ``coverage`` is the share of measured
    values in the 90 % interval, ``coverage_low`` and ``coverage_high`` its range over models.

    Raises:
        RuntimeError: no directory given, and KILOWHAT_REFERENCE is not set.
    """
    reference = directory or os.environ.get("KILOWHAT_REFERENCE")
    if not reference:
        raise RuntimeError("KILOWHAT_REFERENCE names no directory of reference measurements")
    cases = fit.settings(fit.measurements(Path(reference)))
    table = fit.left_out_draws(cases, draws)
    baseline = constant(cases)
    result = []
    for task in TASKS:
        names = [name for name, case in cases.items() if case.architecture.task == task]
        tables = [table[name] for name in names]
        medians = [np.median(one, axis=0) for one in tables]
        shares = fit.coverage(tables, shipped_residual(task))
        result.append(row(task, "kilowhat, model left out", medians, shares))
        same = constant({name: cases[name] for name in names})
        result.append(row(task, "constant J/FLOP, model left out", list(same.values()), []))
        result.append(
            row(
                task,
                "constant J/FLOP over both tasks, model left out",
                [baseline[name] for name in names],
                [],
            )
        )
    return result


if __name__ == "__main__":
    for line in rows():
        print(line)
