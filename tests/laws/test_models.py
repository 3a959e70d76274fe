"""Laws of the model catalogue: sourced, ordered, and layouts that add up to what was released."""

from __future__ import annotations

import contextlib
import csv
import math
import subprocess
import sys
import time
from datetime import date
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.errors import DataError, UnknownModel
from kilowhat.methods.architecture import of_layout
from kilowhat.registry import models
from kilowhat.registry.tables import BASES, DATA, read_sources, table

if TYPE_CHECKING:
    from pathlib import Path

ROWS = table(DATA / "models.csv")
LAYOUTS = table(DATA / "architectures.csv")
CLASSES = table(DATA / "model_classes.csv")
SOURCES = read_sources(DATA)
DIFFUSION = {row["model_id"] for row in table(DATA / "diffusion.csv")}
HEADER = (
    "id,name,provider,kind,open,total_low,total,total_high,active_low,active,active_high,"
    "architecture,experts,images_in,audio_in,video_in,reasoning,precision,released,aliases,"
    "basis,source,locator,note"
)
PRECISIONS = {"", "fp32", "fp16", "bf16", "fp8", "int8", "int4", "mxfp4", "nvfp4"}


def _number(row: dict[str, str], name: str, default: float = 0.0) -> float:
    return float(row[name]) if row[name] else default


def count_parameters(row: dict[str, str]) -> tuple[float, float]:
    """All and active matrix parameters of a layout [10^9], counted block by block."""
    hidden, layers = float(row["hidden"]), float(row["layers"])
    ordinary = 2 * hidden * (float(row["heads"]) + float(row["kv_heads"])) * float(row["head_dim"])
    mixing = _number(row, "attention_layers", layers) * _number(
        row, "attention_params", ordinary
    ) + _number(row, "mamba_layers") * _number(row, "recurrent_params")
    experts = _number(row, "experts")
    expert_layers = _number(row, "moe_layers", layers - _number(row, "dense_layers"))
    expert_layers = expert_layers if experts else 0.0
    dense_layers = layers - expert_layers if experts else layers
    dense_layers = _number(row, "mlp_layers", dense_layers)
    matrices = 3 if row["gated_ffn"] == "1" else 2
    feed_forward = dense_layers * matrices * hidden * float(row["ffn"])
    shared = _number(row, "shared_params", 3 * hidden * _number(row, "shared_ffn"))
    one_expert = _number(row, "expert_params", 3 * hidden * _number(row, "expert_ffn"))
    always = mixing + feed_forward + expert_layers * (shared + hidden * experts)
    vocabulary = float(row["vocab"]) * hidden
    tables = vocabulary * (1 if row["tied_embeddings"] == "1" else 2)
    total = always + expert_layers * experts * one_expert + tables
    used = _number(row, "experts_per_token")
    active = always + expert_layers * used * one_expert + vocabulary
    return (total + _number(row, "vision_params")) / 1e9, active / 1e9


@pytest.mark.parametrize("row", LAYOUTS, ids=lambda row: row["id"])
def test_a_layout_adds_up_to_the_published_total(row: dict[str, str]) -> None:
    total, active = count_parameters(row)
    assert total == pytest.approx(float(row["published_total"]), rel=0.02)
    assert active < total * 1.001
    if row["published_active"]:  # publishers round to 1 or 2 digits, with or without the head
        assert active == pytest.approx(float(row["published_active"]), rel=0.25, abs=0.3)


@pytest.mark.parametrize("row", LAYOUTS, ids=lambda row: row["id"])
def test_the_method_counts_the_same_parameters(row: dict[str, str]) -> None:
    built = of_layout(row["id"], models.layouts()[row["id"]])
    parts = (
        built.dense_parameters,
        built.expert_parameters,
        built.embedding_parameters,
        built.vision_parameters,
    )
    assert sum(map(float, parts)) / 1e9 == pytest.approx(count_parameters(row)[0], rel=0.005)


@pytest.mark.parametrize("row", LAYOUTS, ids=lambda row: row["id"])
def test_a_layout_is_whole(row: dict[str, str]) -> None:
    mixers = _number(row, "attention_layers", float(row["layers"])) + _number(row, "mamba_layers")
    feeds = sum(_number(row, name) for name in ("mlp_layers", "moe_layers"))
    assert mixers <= float(row["layers"]) <= mixers + feeds or not feeds
    assert bool(row["experts"]) == bool(row["expert_ffn"]) == bool(row["experts_per_token"])
    assert bool(row["mamba_layers"]) == bool(row["recurrent_params"]) == bool(row["state"])
    assert bool(row["window"]) == bool(row["full_attention_layers"])
    assert row["kv_heads"] != "0" or row["mla_kv_dim"] or row["expert_ffn"]
    if row["full_attention_layers"]:
        assert float(row["full_attention_layers"]) <= float(row["layers"])
    assert row["source"] in SOURCES
    assert row["locator"]


def test_layouts_are_read_as_numbers() -> None:
    layouts = models.layouts()
    assert len(layouts) == len(LAYOUTS)
    assert layouts["qwen3-30b-a3b"]["experts"] == 128
    assert "window" not in layouts["qwen3-30b-a3b"]
    assert "published_total" not in layouts["qwen3-30b-a3b"]
    assert layouts["deepseek-v3"]["mla_kv_dim"] == 576


def test_the_tables_are_sorted_clean_and_large_enough() -> None:
    text = (DATA / "models.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0] == HEADER
    assert "\r" not in text
    assert len(ROWS) >= 300
    for rows in (ROWS, LAYOUTS, CLASSES):
        ids = [row["id"] for row in rows]
        assert ids == sorted(set(ids))
        assert not any(cell.lower() == "nan" for row in rows for cell in row.values())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_a_model_is_sourced_and_in_order(row: dict[str, str]) -> None:
    assert row["source"] in SOURCES
    assert SOURCES[row["source"]].redistributable != "no"
    assert row["locator"]
    assert row["basis"] in BASES
    assert row["kind"] in models.KINDS
    assert row["precision"] in PRECISIONS
    assert row["id"] == row["id"].lower()
    assert all(row[flag] in "01" for flag in ("open", "images_in", "audio_in", "video_in"))
    assert row["architecture"] in {"", *(layout["id"] for layout in LAYOUTS), *DIFFUSION}
    if row["released"]:
        assert date.fromisoformat(row["released"]) > date(2018, 1, 1)
    model = models.find(row["id"])
    if model.total and model.active:
        for name in ("low", "central", "high"):
            assert getattr(model.active, name) <= getattr(model.total, name) * 1.001
    if row["basis"] == "declared" and model.total:
        assert model.total.is_exact
    if row["kind"] == "text":
        assert model.total
        assert model.active


def test_what_is_not_disclosed_is_wide_and_says_why() -> None:
    for model in models.load():
        if model.is_open or model.basis == "declared" or not model.total:
            continue
        assert model.total.high / model.total.low >= 2.2**2 * 0.99, model.id
        assert "disclosed" in model.note, model.id
        assert "Estimates" in model.note or "class" in model.note, model.id


def test_an_interval_holds_every_estimate_that_its_note_names() -> None:
    model = models.find("gpt-4o")
    assert model.total
    assert model.active
    assert model.total.low <= 200e9 < 440e9 <= model.total.high
    assert model.active.low <= 44e9 < 137.5e9 <= model.active.high


def test_a_model_with_a_layout_has_its_total() -> None:
    layouts = {row["id"]: row for row in LAYOUTS}
    for model in models.load():
        if model.architecture in layouts and model.is_open:
            assert model.total
            published = float(layouts[model.architecture]["published_total"])
            assert model.total.central / 1e9 == pytest.approx(published, rel=0.02), model.id


def test_classes_are_what_the_catalogue_says() -> None:
    bands = {
        "small": (1, 20),
        "medium": (10, 130),
        "large": (100, 1000),
        "frontier": (350, 5000),
        "any": (1, 5000),
    }
    sizes = {
        (
            round(float(row["total"]), 1),
            round(float(row["active"]), 1),
            row["open"],
            row["provider"],
        )
        for row in ROWS
        if row["kind"] == "text"
        and (
            row["basis"] == "modelled"
            or (row["basis"] == "declared" and row["released"] >= "2023-06")
        )
    }
    for name, kind in models.classes().items():
        low, high = bands[name]
        inside = sorted(total for total, *_ in sizes if low <= total <= high)
        middle = math.exp(
            (math.log(inside[(len(inside) - 1) // 2]) + math.log(inside[len(inside) // 2])) / 2
        )
        assert kind.total.central / 1e9 == pytest.approx(middle, rel=0.05)
        assert kind.label_en
        assert kind.label_fr
        assert kind.source in SOURCES
    assert set(models.classes()) == set(bands)


def test_a_bad_row_is_refused(tmp_path: Path) -> None:
    row = dict.fromkeys(HEADER.split(","), "") | {"id": "x", "total": "5", "total_low": "6"}
    with (tmp_path / "models.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADER.split(","))
        writer.writeheader()
        writer.writerow(row | {"total_high": "7"})
    with pytest.raises(DataError, match="out of order"):
        models.find("x", tmp_path)


def test_finding_is_quick_and_needs_no_numpy() -> None:
    models.find("gpt-4o")
    start = time.perf_counter()
    for _ in range(100):
        models.find("gpt-4o")
    assert (time.perf_counter() - start) / 100 < 0.005
    script = (
        "import sys, kilowhat.registry.models as m; m.find('gpt-4o-2024-08-06');"
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@given(st.text(min_size=0, max_size=60))
def test_any_text_is_found_or_refused(name: str) -> None:
    with contextlib.suppress(UnknownModel):
        assert models.find(name).id in {row["id"] for row in ROWS}


def test_a_refusal_names_ids_that_are_found() -> None:
    with pytest.raises(UnknownModel) as caught:
        models.find("claude-sonet-45")
    nearest = cast("list[str]", caught.value.fields["nearest"])
    assert nearest
    assert all(models.find(name).id == name for name in nearest)
