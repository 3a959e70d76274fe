"""The reference measurements as inputs of the model, one row a draw."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kilowhat.assessment.hardware import Machines
from kilowhat.domain.architecture import Architecture
from kilowhat.domain.deployment import Deployment, OperatingPoint
from kilowhat.methods.architecture import of_layout
from kilowhat.registry import serving
from kilowhat.registry.resolve import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from kilowhat.domain.deployment import Accelerator
    from kilowhat.methods.call_features import Corrections, Vector

TEXT_TASKS = ("lm-arena-chat", "gpqa", "sourcegraph-fim")
MEDIA_TASKS = ("image-chat", "video-chat")
PROMPT_TOKENS = {"lm-arena-chat": 127.0, "gpqa": 300.0, "sourcegraph-fim": 2006.0}
"""Mean prompt lengths [token]: the public rows do not carry them; fitted, or taken."""
MEDIA_PROMPT_TOKENS = 127.0
MACHINES = {"H100": "h100-sxm", "B200": "b200-sxm"}
PRECISIONS = {"bfloat16": "bf16"}


@cache
def machines_measured() -> dict[str, Accelerator]:
    """The datasheets of the accelerators measured, by the name that the measurements use."""
    known = Machines(Registry())
    return {name: known.by_id(identity) for name, identity in MACHINES.items()}


@cache
def serving_assumed() -> dict[str, float]:
    """The central values of what every deployment shares."""
    return {name: value[1] for name, value in serving.shared_ranges(Registry()).items()}


@dataclass(frozen=True)
class Rows:
    """Measurements and what is known of each; every vector has one entry a row."""

    table: pd.DataFrame
    architecture: Architecture
    energy_j: Vector
    step_s: Vector
    power_w: Vector

    def __len__(self) -> int:
        return len(self.table)

    @property
    def groups(self) -> Vector:
        """The architecture of each row: the unit that is left out."""
        return self.table["group"].to_numpy()

    @property
    def is_text(self) -> Vector:
        """Whether a row is of a text task."""
        return self.table["task"].isin(TEXT_TASKS).to_numpy()

    def take(self, chosen: Vector) -> Rows:
        """The rows at a mask or at indices."""
        pick = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        vectors = {
            field.name: getattr(self.architecture, field.name)[pick]
            for field in fields(Architecture)
            if field.name != "name"
        }
        return Rows(
            self.table.iloc[pick].reset_index(drop=True),
            Architecture(name="rows", **vectors),
            self.energy_j[pick],
            self.step_s[pick],
            self.power_w[pick],
        )

    def deployment(self, corrections: Corrections) -> Deployment:
        """The deployment of each row, corrected by precision and accelerator."""
        table = self.table
        precision, gpu = table["weight_precision"].to_numpy(), table["gpu_model"].to_numpy()
        is_fp8, is_mxfp4 = precision == "fp8", precision == "mxfp4"
        is_b200 = gpu == "B200"
        machines, assumed = machines_measured(), serving_assumed()
        machine = [machines[name] for name in gpu]
        stored = [serving.precisions()[PRECISIONS.get(name, name)] for name in precision]
        is_mixture = np.asarray(self.architecture.expert_parameters) > 0
        ones = np.ones(len(table))

        def where(condition: Vector, value: object) -> Vector:
            return np.where(condition, value, ones)

        return Deployment(
            kind="endpoint",
            accelerators=tuple(MACHINES.values()),
            which=is_b200.astype(int),
            count=table["num_gpus"].to_numpy(float),
            data_parallel=ones,
            concurrency=table["avg_batch_size"].to_numpy(float),
            tdp_w=np.array([one.tdp_w for one in machine]),
            bandwidth_b_s=np.array([one.bandwidth_b_s for one in machine]),
            peak_flop_s=np.array(
                [
                    one.peak_flop_s[kind.arithmetic]
                    for one, kind in zip(machine, stored, strict=True)
                ]
            ),
            link_b_s=np.array([one.link_b_s for one in machine]),
            dense_bytes=np.array([one.dense_bytes for one in stored]),
            expert_bytes=np.array([one.expert_bytes for one in stored]),
            cache_bytes=assumed["cache_bytes"] * ones,
            chunk_tokens=assumed["chunk_tokens"] * ones,
            node_size=assumed["node_size"],
            state_bytes=assumed["state_bytes"],
            reduced_bytes=assumed["reduced_bytes"],
            patches_per_token=assumed["patches_per_token"],
            bandwidth_factor=where(is_b200, corrections.blackwell_bandwidth),
            compute_factor=where(is_b200, corrections.blackwell_compute)
            * where(is_fp8, corrections.fp8_compute),
            expert_factor=where(is_fp8, corrections.fp8_experts)
            * where(is_mxfp4, corrections.mxfp4_experts),
            overhead_factor=where(is_b200, corrections.blackwell_overhead),
            expert_layer_factor=where(is_fp8 & is_mixture, corrections.fp8_layers),
        )

    def point(self, length_variety: float | None = 1.5) -> OperatingPoint:
        """The operating point of each row; its own variety of lengths if none is given."""
        table = self.table
        own = table["hist_m2_out"] / table["hist_mean_out"] ** 2
        prompt = table["task"].map(PROMPT_TOKENS).fillna(MEDIA_PROMPT_TOKENS)
        variety = own.to_numpy() if length_variety is None else length_variety
        return OperatingPoint(
            fresh_tokens=prompt.to_numpy(float),
            cached_tokens=np.zeros(len(table)),
            output_tokens=table["avg_output_len"].to_numpy(float),
            length_variety=variety * np.ones(len(table)),
            images=(table["task"] == "image-chat").to_numpy(float),
            videos=(table["task"] == "video-chat").to_numpy(float),
        )


def read(measurements: Path, architectures: Path) -> Rows:
    """The text and multimodal rows of a table of measurements.

    Args:
        measurements: parquet file of the benchmark (columns in its own README).
        architectures: table of layouts, keyed by `id` or `model_id`.
    """
    table = pd.read_parquet(measurements)
    table = table[table["task"].isin(TEXT_TASKS + MEDIA_TASKS)].reset_index(drop=True)
    known, names = layouts(architectures), model_layouts(architectures)
    made = [known[layout_of(name, names)] for name in table["model_id"]]
    vectors = {
        field.name: np.array([getattr(one, field.name) for one in made], dtype=float)
        for field in fields(Architecture)
        if field.name != "name"
    }
    count = table["num_gpus"].to_numpy(float)
    return Rows(
        table,
        Architecture(name="rows", **vectors),
        table["energy_per_token_j"].to_numpy(float),
        (table["avg_batch_size"] / table["output_tput_tok_s"]).to_numpy(float),
        table["avg_power_w"].to_numpy(float) / count,
    )


def model_layouts(architectures: Path) -> dict[str, str]:
    """Id of the layout of each model, by every name of the model, in lower case."""
    names: dict[str, str] = {}
    with architectures.with_name("models.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for name in (row["id"], row["name"], *row["aliases"].split("|")):
                if name and row["architecture"]:
                    names.setdefault(name.lower(), row["architecture"])
                    names.setdefault(name.lower().rsplit("/", 1)[-1], row["architecture"])
    return names


def layout_of(model: str, names: dict[str, str]) -> str:
    """Id of a model's layout, by its full name or the part behind the slash."""
    name = model.lower()
    return names[name] if name in names else names[name.rsplit("/", 1)[-1]]


def layouts(path: Path) -> dict[str, Architecture]:
    """Every architecture of a table of layouts, by model id."""
    known = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = row.get("model_id") or row["id"]
            numbers = {}
            for key, text in row.items():
                if text and key not in {"id", "model_id", "source", "locator", "aliases"}:
                    try:
                        numbers[key] = float(text)
                    except ValueError:
                        continue
            known[name] = of_layout(name, numbers)
    return known
