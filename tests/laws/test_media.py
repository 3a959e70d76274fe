"""Images and video: what must hold whatever the model, and what the shipped fit must reach."""

from __future__ import annotations

import csv
import os
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.domain.diffusion import DiffusionArchitecture, MediaDeployment, MediaUse
from kilowhat.methods import media
from kilowhat.methods.denoiser import image_tokens, workload
from kilowhat.quantity.spread import uniforms
from kilowhat.registry.diffusion import diffusion_architectures, habits
from kilowhat.registry.resolve import Registry
from kilowhat.registry.tables import DATA

MODELS = diffusion_architectures()
USUAL = habits(Registry())
TRANSFORMERS = {name: model for name, model in MODELS.items() if not model.channels}
H100 = MediaDeployment(
    batch=1.0,
    ulysses=1.0,
    ring=1.0,
    tdp_w=700.0,
    bandwidth_b_s=3.35e12,
    peak_flop_s=989.5e12,
    link_b_s=900e9,
)
# Parameters of the denoiser as published, in 1e9: an oracle that the table does not hold.
PUBLISHED = {
    "Alpha-VLLM/Lumina-Image-2.0": 2.6,
    "black-forest-labs/FLUX.1-dev": 12,
    "black-forest-labs/FLUX.1-schnell": 12,
    "black-forest-labs/FLUX.2-dev": 32,
    "black-forest-labs/FLUX.2-klein-4B": 4,
    "black-forest-labs/FLUX.2-klein-9B": 9,
    "Efficient-Large-Model/SANA1.5_1.6B_1024px_diffusers": 1.6,
    "Efficient-Large-Model/SANA1.5_4.8B_1024px_diffusers": 4.8,
    "fal/AuraFlow": 6.8,
    "Lightricks/LTX-Video": 1.9,
    "lodestones/Chroma1-HD": 8.9,
    "PixArt-alpha/PixArt-Sigma-XL-2-1024-MS": 0.6,
    "Qwen/Qwen-Image": 20,
    "rhymes-ai/Allegro": 2.8,
    "stabilityai/stable-diffusion-3-medium-diffusers": 2,
    "stabilityai/stable-diffusion-3.5-large": 8.1,
    "stabilityai/stable-diffusion-3.5-medium": 2.5,
    "Tencent-Hunyuan/HunyuanDiT-v1.2-Diffusers": 1.5,
    "tencent/HunyuanVideo": 13,
    "Tongyi-MAI/Z-Image-Turbo": 6,
    "Wan-AI/Wan2.1-T2V-1.3B-Diffusers": 1.3,
    "Wan-AI/Wan2.1-T2V-14B-Diffusers": 14,
    "Wan-AI/Wan2.2-TI2V-5B-Diffusers": 5,
    "zai-org/CogVideoX-2b": 1.7,
    "zai-org/CogVideoX1.5-5B": 5.6,
    "zai-org/CogView3-Plus-3B": 3,
}


def table() -> dict[str, np.ndarray]:
    with (DATA / "inference" / "media_coefficients.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


DRAWN = media.Coefficients.drawn(table(), uniforms("law.media", 256))
MIDDLE = media.Coefficients(*(float(np.median(draws)) for draws in table().values()))
models = st.sampled_from(sorted(MODELS))
powers = st.sampled_from([1.0, 2.0, 4.0, 8.0])


def energy(model: str, deployment: MediaDeployment = H100, **stated: float) -> float:
    use = media.default_use(MODELS[model], **stated)
    return float(media.price(MODELS[model], use, deployment, MIDDLE)[0])


def matrix_parameters(a: DiffusionArchitecture) -> float:
    """Weights of the blocks' matrices; modulation, embeddings and text refiners apart."""
    block = 2 + 2 * a.key_value_heads / a.heads
    block += a.feed_forward_matrices * a.feed_forward_width / a.width
    crossed = 0 if a.text_joins else 4
    shared = a.layers * (block + crossed) + a.two_stream_layers * block
    return (shared + 4 * a.second_attention_layers + 2 * a.skip_layers) * a.width**2


def test_the_table_holds_the_coefficients_of_the_formula():
    assert list(table()) == [field.name for field in fields(media.Coefficients)]


@pytest.mark.parametrize("model", sorted(PUBLISHED))
def test_an_architecture_recomputes_the_published_size(model):
    # What is left out (modulation, embeddings) makes up at most two fifths of a model.
    ratio = matrix_parameters(MODELS[model]) / (PUBLISHED[model] * 1e9)
    assert 0.58 < ratio < 1.08


@pytest.mark.parametrize("name", sorted(MODELS))
def test_an_architecture_is_complete(name):
    model = MODELS[name]
    assert model.task in ("text-to-image", "text-to-video")
    assert model.guidance_passes in (1, 2)
    assert model.default_steps >= 1
    assert (model.default_frames > 1) == (model.default_fps > 0) == (model.task == "text-to-video")
    assert bool(model.layers) != bool(model.channels)


def test_tokens_of_known_pictures():
    flux = MODELS["black-forest-labs/FLUX.1-dev"]
    assert image_tokens(flux, media.default_use(flux)) == 64 * 64
    cog = MODELS["zai-org/CogVideoX1.5-5B"]
    # 81 frames: 21 latent frames, padded to 22, two to a token.
    assert image_tokens(cog, media.default_use(cog)) == 11 * 48 * 85


def test_a_unet_by_hand():
    # One level of 2 channels, one block down and two up, no attention, 16 latent pixels.
    small = replace(
        MODELS["stabilityai/stable-diffusion-xl-base-1.0"],
        channels=(2.0,),
        level_transformers=(0.0, 0.0),
        level_blocks=1.0,
    )
    work = workload(small, MediaUse(32.0, 32.0, 1.0, 1.0, 1.0), 1.0)
    down = 2 * 2 + 2 * 2
    up = 2 * (4 * 2 + 2 * 2)
    middle = 4 * 2 * 2
    assert work.linear_flop == 2 * 9 * (down + up + middle) * 16
    assert work.attention_score_flop == 0


def test_a_transformer_by_hand():
    pixart = MODELS["PixArt-alpha/PixArt-Sigma-XL-2-1024-MS"]
    work = workload(pixart, media.default_use(pixart), 1.0)
    width, tokens, text = 1152, 4096, 300
    per_layer = 2 * width**2 * (14 * tokens + 2 * text)
    assert work.linear_flop == pytest.approx(28 * per_layer)
    pairs = tokens**2 + tokens * text
    assert work.attention_score_flop == pytest.approx(28 * 4 * 16 * pairs)
    assert work.head_width == 96  # heads of 72 are padded


def test_a_prompt_that_cannot_be_split_is_computed_everywhere():
    large = MODELS["stabilityai/stable-diffusion-3.5-large"]
    flux = MODELS["black-forest-labs/FLUX.1-dev"]
    for model, is_even in ((large, False), (flux, True)):
        use = media.default_use(model)
        whole = workload(model, use, 1.0).linear_flop
        shared = 2.0 * workload(model, use, 2.0).linear_flop
        assert (shared == pytest.approx(whole)) == is_even


@given(model=models)
def test_energy_is_linear_in_steps_beside_decoding(model):
    one, two, three = (energy(model, steps=steps) for steps in (10.0, 20.0, 30.0))
    assert three - two == pytest.approx(two - one, rel=1e-9)
    assert 0 < two - one < one


@given(model=models, times=st.floats(1.1, 4.0))
def test_more_pixels_or_frames_cost_more(model, times):
    a = MODELS[model]
    width = 64 * np.ceil(a.default_width_px * times / 64)
    assert energy(model, width_px=width) > energy(model)
    if a.task == "text-to-video":
        frames = np.ceil(a.default_frames * times + a.latent_frames * a.patch_frames)
        assert energy(model, frames=frames) > energy(model)


@given(model=models, few=powers, ulysses=powers, ring=powers)
def test_a_larger_batch_never_costs_more_per_picture(model, few, ulysses, ring):
    shared = replace(H100, ulysses=ulysses, ring=ring)
    small = energy(model, replace(shared, batch=few))
    assert energy(model, replace(shared, batch=2 * few)) <= small * 1.02


@given(model=models, ring=powers, ulysses=powers)
def test_power_stays_below_its_cap(model, ring, ulysses):
    shared = replace(H100, ulysses=ulysses, ring=ring)
    energy_j, occupied_s = media.price(
        MODELS[model], media.default_use(MODELS[model]), shared, DRAWN
    )
    assert np.all(energy_j < DRAWN.power_cap * 700.0 * occupied_s)
    assert np.all(np.asarray(DRAWN.power_cap) < 1.05)
    assert np.all(energy_j > 0.1 * 700.0 * occupied_s)


@given(model=models)
def test_floats_and_vectors_agree(model):
    use = media.default_use(MODELS[model])
    energies, seconds = media.price(MODELS[model], use, H100, DRAWN)
    for row in (0, 17, 255):
        one = media.Coefficients(*(float(getattr(DRAWN, f.name)[row]) for f in fields(DRAWN)))
        energy_j, occupied_s = media.price(MODELS[model], use, H100, one)
        assert energies[row] == pytest.approx(energy_j)
        assert seconds[row] == pytest.approx(occupied_s)


def test_the_residual_moves_energy_and_time_alike():
    model = MODELS["tencent/HunyuanVideo"]
    use = media.default_use(model)
    once = media.price(model, use, H100, MIDDLE)
    twice = media.price(model, use, H100, MIDDLE, residual=2.0)
    assert twice == pytest.approx((2 * once[0], 2 * once[1]))


def test_unknown_batching_is_drawn_and_known_batching_is_kept():
    def uniform(key: str) -> np.ndarray:
        return uniforms(key, 1024)

    batch, ulysses, ring = media.batching("text-to-video", uniform, USUAL, count=4)
    assert set(np.unique(batch)) == {1.0, 2.0}
    assert set(np.unique(ulysses)) == {1.0, 2.0, 4.0}
    assert ring == 1.0
    assert media.batching("text-to-video", uniform, USUAL, 8, 4.0, None, 8.0) == (4.0, 1.0, 8.0)
    batch, ulysses, ring = media.batching("text-to-image", uniform, USUAL)
    assert set(np.unique(batch)) == {1.0, 2.0, 4.0, 8.0, 16.0}
    assert (ulysses, ring) == (1.0, 1.0)


def test_every_source_named_by_the_table_is_a_source():
    known = set()
    for file in sorted((DATA / "sources").glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as lines:
            known |= {row["key"] for row in csv.DictReader(lines)}
    with (DATA / "diffusion.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["source"] for row in rows} | {row["defaults_source"] for row in rows} <= known
    assert all(row["locator"] and row["defaults_locator"] for row in rows)


@pytest.mark.reference
def test_the_shipped_coefficients_reproduce_the_measurements():
    directory = os.environ.get("KILOWHAT_REFERENCE")
    if not directory:
        pytest.skip("KILOWHAT_REFERENCE names no directory of reference measurements")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(Path(directory) / "mlenergy_dev.parquet").to_pylist()
    rows = [row for row in rows if row["energy_per_generation_j"] is not None]
    assert len(rows) > 700
    errors: dict[str, list[float]] = {}
    for row in rows:
        model = MODELS[row["model_id"]]
        is_b200 = row["gpu_model"] == "B200"
        deployment = MediaDeployment(
            batch=row["batch_size"],
            ulysses=row["ulysses_degree"],
            ring=row["ring_degree"],
            tdp_w=1000.0 if is_b200 else 700.0,
            bandwidth_b_s=7.7e12 if is_b200 else 3.35e12,
            peak_flop_s=2250e12 if is_b200 else 989.4e12,
            link_b_s=1800e9 if is_b200 else 900e9,
            compute_factor=MIDDLE.compute_ratio_b200 if is_b200 else 1.0,
            overhead_factor=MIDDLE.overhead_ratio_b200 if is_b200 else 1.0,
        )
        use = media.default_use(model, row["width"], row["height"], row["num_frames"], row["steps"])
        predicted, _ = media.price(model, use, deployment, MIDDLE)
        error = abs(np.log(predicted / row["energy_per_generation_j"]))
        errors.setdefault(model.task, []).append(float(error))
    assert np.exp(np.median(errors["text-to-image"])) < 1.12
    assert np.exp(np.median(errors["text-to-video"])) < 1.05
