"""Text and multimodal chat on architectures left out of the fit, beside other estimators."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
from tools.fit.rows import PRECISIONS, PROMPT_TOKENS, Rows, layout_of, layouts, model_layouts, read
from tools.fit.text import (
    NAMES,
    bounds,
    calibrated_errors,
    coefficient_bounds,
    coefficients,
    conformal,
    fit,
    leave_one_out,
)

from bench.accuracy.case import Case, case_of
from bench.accuracy.peers import ecologits, regression
from bench.accuracy.serving import DATA, tables
from kilowhat.domain.deployment import KnownDeployment
from kilowhat.methods.deployment import sample
from kilowhat.methods.inference import features, price_list
from kilowhat.quantity.spread import normal_quantile

if TYPE_CHECKING:
    from pathlib import Path

    from kilowhat.domain.architecture import Architecture
    from kilowhat.methods.call_features import Vector

OURS = "kilowhat, architecture left out"
Z95 = 1.6449


class Study:
    """Measurements, the fits without each architecture, and the shipped spread."""

    def __init__(self, reference: Path) -> None:
        self.rows = read(reference / "mlenergy_dev.parquet", DATA / "architectures.csv")
        self.errors, self.fits = leave_one_out(self.rows, fit(self.rows))
        self.tables = tables()
        self.layouts = layouts(DATA / "architectures.csv")
        self.names = model_layouts(DATA / "architectures.csv")
        shipped = self.tables.registry.joint("coefficients")
        draws = np.array([shipped[name] for name in NAMES]).T[1:]
        self.relative = coefficient_bounds(self.rows, draws)
        self.sigmas = residuals()

    def architecture(self, model: str) -> Architecture:
        """The layout of a model of the measurements."""
        return self.layouts[layout_of(model, self.names)]


def residuals() -> dict[str, float]:
    """Standard deviation, in log, of the residual that the package ships, by case."""
    with (DATA / "factors" / "inference.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["id"].split(".")[1]: float(np.log(float(row["high"])) / Z95)
            for row in csv.DictReader(file)
        }


def known(study: Study, name: str, chosen: Vector, target: str, title: str) -> list[Case]:
    """Deployment known: accelerator, count, concurrency, precision."""
    rows, errors = study.rows.take(chosen), study.errors[chosen]
    relative, groups = study.relative[:, chosen], rows.groups
    limits = bounds(relative, study.sigmas[name])
    artefact = artefacts(rows)
    kept = tuple(limit[~artefact] for limit in limits)
    crossed = crossed_bounds(errors, relative, groups)
    return [
        case_of(f"{title}, deployment known", OURS, errors, groups, limits, target),
        case_of(
            f"{title}, deployment known, named artefacts left out",
            OURS,
            errors[~artefact],
            groups[~artefact],
            kept,
        ),
        case_of(
            f"{title}, deployment known",
            f"{OURS}, its interval too",
            errors,
            groups,
            crossed,
            note="width of the interval learnt on the other architectures only",
        ),
        case_of(
            f"{title}, deployment known",
            "log-linear regression, architecture left out",
            regression(rows),
            groups,
        ),
        case_of(
            f"{title}, parameters known",
            "EcoLogits 0.11.3 as shipped",
            np.log(ecologits(rows) / rows.energy_j),
            groups,
        ),
    ]


def crossed_bounds(errors: Vector, relative: Vector, groups: Vector) -> tuple[Vector, Vector]:
    """Bounds of each architecture's rows from a residual learnt on the others."""
    low, high = np.zeros(len(errors)), np.zeros(len(errors))
    for group in np.unique(groups):
        inside = groups == group
        sigma = conformal(errors[~inside], relative[:, ~inside])
        low[inside], high[inside] = bounds(relative[:, inside], sigma)
    return low, high


def artefacts(rows: Rows) -> Vector:
    """Rows whose step time is set by the benchmark's host, not by model or accelerator.

    One B200, small models: a floor of about 30 ms per step on reasoning questions under
    batch 100, and on images from batch 16 up; and the audio track of one model's videos.
    """
    table = rows.table
    single = (table["gpu_model"] == "B200") & (table["num_gpus"] == 1)
    reasoning = (table["task"] == "gpqa") & (table["avg_batch_size"] < 100)
    qwen = table["model_id"].str.contains("Qwen3-(?:VL|Omni)", regex=True)
    seen = table["task"].isin(["image-chat", "video-chat"]) & qwen
    heard = table["model_id"].str.contains("Omni") & (table["task"] == "video-chat")
    mxfp4 = table["weight_precision"] == "mxfp4"
    return ((single & ((reasoning & ~mxfp4) | seen)) | heard).to_numpy()


def near_64(study: Study) -> list[Case]:
    """Rows whose batch is near the 64 that EcoLogits assumes."""
    batch = study.rows.table["avg_batch_size"].to_numpy(float)
    chosen = study.rows.is_text & (batch > 40) & (batch < 100)
    rows = study.rows.take(chosen)
    limits = bounds(study.relative[:, chosen], study.sigmas["text"])
    title = "text, rows with a batch of 40 to 100"
    return [
        case_of(title, OURS, study.errors[chosen], rows.groups, limits),
        case_of(
            title,
            "EcoLogits 0.11.3 as shipped",
            np.log(ecologits(rows) / rows.energy_j),
            rows.groups,
        ),
    ]


def calibrated(study: Study) -> list[Case]:
    """One own measurement of the same deployment and task, at a batch within a factor of 2."""
    rows = study.rows.take(study.rows.is_text)
    errors = calibrated_errors(rows, study.errors[study.rows.is_text])
    sigma = study.sigmas["text-calibrated"]
    limits = (np.full(len(errors), -Z95 * sigma), np.full(len(errors), Z95 * sigma))
    one = np.zeros(len(errors))
    title = "text, one own measurement of the deployment at a batch within a factor of 2"
    return [case_of(title, OURS, errors, one, limits, "≤ 1.06 / ≤ 1.15")]


def conditioned(study: Study, *, speed: bool) -> list[Case]:
    """Only the model told, or the model and the tokens per second that a client sees."""
    rows = study.rows.take(study.rows.is_text)
    quantiles = np.array([_quantiles(study, rows, index, speed) for index in range(len(rows))])
    errors = np.log(quantiles[:, 1] / rows.energy_j)
    low, high = np.log(quantiles[:, [0, 2]] / quantiles[:, [1]]).T
    batch = rows.table["avg_batch_size"].to_numpy(float)
    middle = (batch > 14) & (batch < 550)
    name = "model and tokens/s" if speed else "only the model"
    target = "≤ 1.25 / ≤ 1.90" if speed else "≤ 1.45 / ≤ 2.40"
    return [
        case_of(f"text, {name}", OURS, errors, rows.groups, (low, high), target),
        case_of(
            f"text, {name}, batch 16 to 512",
            OURS,
            errors[middle],
            rows.groups[middle],
            (low[middle], high[middle]),
            target,
        ),
    ]


def _quantiles(study: Study, rows: Rows, index: int, speed: bool) -> Vector:  # noqa: FBT001
    """p05, p50 and p95 of the energy per output token of one row [J]."""
    row = rows.table.iloc[index]
    step, corrections = coefficients(study.fits[row["group"]])
    tokens_in, tokens_out = PROMPT_TOKENS[row["task"]], float(row["avg_output_len"])
    told = KnownDeployment(
        native_precision=PRECISIONS.get(row["weight_precision"], row["weight_precision"]),
        tokens_per_second=row["output_tput_tok_s"] / row["avg_batch_size"] if speed else None,
    )
    architecture = study.architecture(row["model_id"])
    found = sample(
        architecture,
        study.tables.priors["open"],
        told,
        study.tables.catalogue,
        (step, corrections),
        study.tables.uniform,
    )
    residual = np.exp(
        study.sigmas["text"] * normal_quantile(study.tables.uniform(architecture.name))
    )
    prices = price_list(architecture, found.deployment, found.point, step, residual)
    energy = features(tokens_in, 0.0, tokens_out) @ prices.energy_j / tokens_out
    return np.quantile(energy, [0.05, 0.5, 0.95])


def floor(study: Study) -> list[Case]:
    """The best that can be done without seeing the batch: each model's and task's own median."""
    rows = study.rows.take(study.rows.is_text)
    table = rows.table.assign(log=np.log(rows.energy_j))
    middle = table.groupby(["model_id", "task"])["log"].transform("median").to_numpy()
    errors = middle - table["log"].to_numpy()
    batch = table["avg_batch_size"].to_numpy(float)
    inside = (batch > 14) & (batch < 550)
    name = "the model's own measured median per task (not a prediction)"
    return [
        case_of("text, only the model", name, errors, rows.groups),
        case_of("text, only the model, batch 16 to 512", name, errors[inside], rows.groups[inside]),
    ]


def cases(reference: Path) -> list[Case]:
    """The text and multimodal part of the accuracy table."""
    study = Study(reference)
    text, media = study.rows.is_text, ~study.rows.is_text
    return [
        *known(study, "text", text, "≤ 1.12 / ≤ 1.35", "text"),
        *near_64(study),
        *known(study, "media-in", media, "≤ 1.15 / ≤ 1.35", "image and video chat"),
        *calibrated(study),
        *conditioned(study, speed=True),
        *conditioned(study, speed=False),
        *floor(study),
    ]
