"""Laws of the text estimator: exact sums, monotone answers, calibrated conditioning."""

from __future__ import annotations

import csv
import os
from dataclasses import fields, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.assessment.hardware import Machines
from kilowhat.domain.deployment import Deployment, KnownDeployment, OperatingPoint
from kilowhat.errors import DoesNotFit, UnsupportedPrecision
from kilowhat.methods.architecture import of_layout, of_parameters
from kilowhat.methods.call_features import Coefficients, Corrections
from kilowhat.methods.deployment import sample
from kilowhat.methods.inference import (
    FEATURES,
    features,
    mean_call,
    mean_features,
    price_list,
)
from kilowhat.methods.units import Catalogue, possible_units, weight_bytes
from kilowhat.quantity.spread import uniforms
from kilowhat.registry import serving
from kilowhat.registry.resolve import Registry
from kilowhat.registry.tables import DATA

CHAT = (127.0, 0.0, 400.0, 0.0, 0.0)
ASSUMED = ("chunk_tokens", "node_size", "state_bytes", "reduced_bytes", "patches_per_token")
TYPICAL = serving.typical_layouts(Registry())


@cache
def layouts():
    with (DATA / "architectures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    text = {"id", "source", "locator", "note"}
    return {
        row["id"]: (
            of_layout(row["id"], {k: float(v) for k, v in row.items() if v and k not in text}),
            float(row["published_total"]) if row["published_total"] else None,
        )
        for row in rows
    }


@cache
def tables():
    registry = Registry()
    machines = Machines(registry)
    names = ("open", "api", "openai", "google", "anthropic", "deepseek", "alibaba", "amazon")
    names += ("on-premises", "own-machine")
    priors = {name: serving.prior(registry, name)[0] for name in names}
    used = {name for prior in priors.values() for name, _ in prior.accelerators}
    used |= {"rtx-3060"}
    catalogue = Catalogue(
        {name: machines.by_id(name) for name in used},
        serving.precisions(),
        serving.kinds(),
        serving.shared_ranges(registry),
    )
    table = registry.joint("coefficients")
    rows = 1 + (registry.uniform("coefficients") * (len(table["draw"]) - 1)).astype(int)
    fitted = tuple(
        kind(**{field.name: table[field.name][rows] for field in fields(kind)})
        for kind in (Coefficients, Corrections)
    )
    return priors, catalogue, fitted


def architecture(name):
    return layouts()[name][0]


def h100(count=1.0, concurrency=64.0, **changes):
    machine = tables()[1].accelerators["h100-sxm"]
    plain = Deployment(
        kind="endpoint",
        accelerators=("h100-sxm",),
        which=0,
        count=count,
        data_parallel=1.0,
        concurrency=concurrency,
        tdp_w=machine.tdp_w,
        bandwidth_b_s=machine.bandwidth_b_s,
        peak_flop_s=machine.peak_flop_s["bf16"],
        link_b_s=machine.link_b_s,
        dense_bytes=2.0,
        expert_bytes=2.0,
        cache_bytes=2.0,
        **{name: tables()[1].number(name) for name in ASSUMED},
    )
    return replace(plain, **changes)


def drawn(model, prior="open", **known):
    priors, catalogue, coefficients = tables()
    shape = architecture(model) if isinstance(model, str) else model
    told = KnownDeployment(**known)
    found = sample(shape, priors[prior], told, catalogue, coefficients, uniforms)
    prices = price_list(shape, found.deployment, found.point, coefficients[0])
    return found, prices


def energy(model, call=(127.0, 0.0, 400.0), prior="open", **known):
    return features(*call) @ drawn(model, prior, **known)[1].energy_j


MODELS = (
    "llama-3-8b",
    "gemma-3-27b",
    "qwen3-235b-a22b",
    "deepseek-v3",
    "nemotron-nano-9b-v2",
    "gpt-oss-20b",
    "llama-4-scout-17b-16e",
)
POINTS = st.builds(
    OperatingPoint,
    fresh_tokens=st.floats(0, 2e5),
    cached_tokens=st.floats(0, 1e5),
    output_tokens=st.floats(0, 2e4),
    length_variety=st.floats(1, 3.5),
    images=st.floats(0, 3),
    videos=st.floats(0, 1),
).filter(lambda point: point.fresh_tokens + point.output_tokens >= 1)


@given(
    st.sampled_from(MODELS),
    POINTS,
    st.floats(1, 4000),
    st.sampled_from([1.0, 2.0, 8.0, 64.0]),
    st.floats(1, 3),
)
def test_the_mean_call_costs_exactly_power_times_time(model, point, batch, count, gain):
    coefficients = tables()[2][0]
    deployment = h100(
        count, batch, tokens_per_step=gain, work_per_step=gain, data_parallel=max(1.0, count / 8)
    )
    shape = architecture(model)
    prices = price_list(shape, deployment, point, coefficients)
    mean = mean_call(shape, deployment, point, coefficients)
    weights = [np.asarray(value) for value in mean_features(point)]
    total = sum(weight * row for weight, row in zip(weights, prices.energy_j, strict=True))
    busy = sum(weight * row for weight, row in zip(weights, prices.occupancy_s, strict=True))
    assert np.allclose(total, count * mean.power_w * mean.time_s, rtol=1e-9)
    assert np.allclose(busy, count * mean.time_s, rtol=1e-9)
    assert prices.energy_j.shape[0] == len(FEATURES)
    for price in prices:
        assert np.all(np.isfinite(price))
        assert np.all(price >= 0)
    assert np.all(mean.power_w <= deployment.tdp_w)


def test_calls_add_and_their_parts_do_not_interact():
    prices = drawn("llama-3-8b")[1].energy_j
    one, two = features(500, 100, 300, 1), features(20, 0, 40)
    assert np.allclose((one + two) @ prices, one @ prices + two @ prices, rtol=1e-12)
    assert np.allclose(features(0, 0, 0) @ prices, 0.0)


@pytest.mark.parametrize("model", MODELS)
def test_a_larger_batch_costs_less_per_call_and_serves_each_client_slower(model):
    shape, coefficients = architecture(model), tables()[2][0]
    point = OperatingPoint(127.0, 0.0, 400.0)
    batches = (1.0, 4.0, 16.0, 64.0, 256.0)
    calls = [mean_call(shape, h100(8.0, batch), point, coefficients) for batch in batches]
    for fewer, more in pairwise(calls):
        assert np.all(more.energy_j < fewer.energy_j)
        assert np.all(more.tokens_per_second < fewer.tokens_per_second)


def test_cached_tokens_cost_less_than_fresh_ones_and_more_than_none():
    whole = energy("llama-3-8b", (4000.0, 0.0, 200.0))
    cached = energy("llama-3-8b", (4000.0, 3000.0, 200.0))
    short = energy("llama-3-8b", (1000.0, 0.0, 200.0))
    assert np.all(short < cached)
    assert np.all(cached < whole)


@pytest.mark.parametrize(
    ("model", "low", "high"), [("llama-3-70b", 1.4, 2.4), ("llama-3-8b", 2, 4)]
)
def test_prefill_of_100_000_tokens_is_quadratic(model, low, high):
    shape, coefficients = architecture(model), tables()[2][0]
    count = 8.0 if model == "llama-3-70b" else 1.0

    def per_token(length):
        point = OperatingPoint(length, 0.0, 0.0)
        return np.median(mean_call(shape, h100(count, 4.0), point, coefficients).energy_j) / length

    assert low < per_token(100_000.0) / per_token(1_000.0) < high


def test_a_window_bounds_what_a_step_reads():
    coefficients = tables()[2][0]
    slid = architecture("gpt-oss-20b")
    full = replace(
        slid, attention_layers=slid.attention_layers + slid.window_layers, window_layers=0.0
    )
    point = OperatingPoint(20_000.0, 0.0, 400.0)
    cost = [np.median(mean_call(a, h100(), point, coefficients).energy_j) for a in (slid, full)]
    assert cost[0] < cost[1]


def test_a_window_longer_than_the_context_changes_nothing():
    coefficients = tables()[2][0]
    full = architecture("llama-3-8b")
    slid = replace(full, attention_layers=0.0, window_layers=32.0, window_tokens=1e6)
    point = OperatingPoint(500.0, 0.0, 500.0)
    cost = [np.median(mean_call(a, h100(), point, coefficients).energy_j) for a in (slid, full)]
    assert cost[0] == pytest.approx(cost[1], rel=1e-6)


def test_every_layout_adds_up_to_its_published_total():
    checked = 0
    for shape, published in layouts().values():
        if published:
            total = shape.dense_parameters + shape.expert_parameters
            total += shape.embedding_parameters + shape.vision_parameters
            assert total / 1e9 == pytest.approx(published, rel=0.03), shape.name
            checked += 1
    assert checked > 50


@given(st.floats(1e8, 5e12), st.floats(0.01, 1.0))
def test_a_typical_architecture_has_the_parameters_it_was_made_from(total, share):
    shape = of_parameters("x", total, share * total, TYPICAL)
    assert shape.dense_parameters + shape.expert_parameters == pytest.approx(
        total if shape.expert_parameters else share * total, rel=1e-9
    )
    used = shape.expert_parameters * shape.experts_per_token / shape.experts
    assert shape.dense_parameters + used == pytest.approx(share * total, rel=1e-6)


def test_more_active_than_total_parameters_is_refused():
    with pytest.raises(ValueError, match="active"):
        of_parameters("x", 1e9, 2e9, TYPICAL)


def test_the_same_use_gives_the_same_draws():
    assert np.array_equal(energy("deepseek-v3"), energy("deepseek-v3"))


@pytest.mark.parametrize("speed", [15.0, 40.0, 90.0])
def test_an_observed_speed_is_met_by_the_deployments_drawn(speed):
    found, _ = drawn("llama-3-8b", tokens_per_second=speed, lengths=CHAT)
    mean = mean_call(
        architecture("llama-3-8b"), found.deployment, found.point, tables()[2][0]
    ).tokens_per_second
    assert np.median(mean) == pytest.approx(speed, rel=0.2)
    assert not found.deployment.warnings


def test_an_observed_speed_narrows_and_moves_the_answer():
    blind, slow, fast = (
        energy("llama-3-70b", tokens_per_second=speed, lengths=CHAT) for speed in (None, 12.0, 45.0)
    )
    width = [np.log(np.quantile(e, 0.95) / np.quantile(e, 0.05)) for e in (blind, slow, fast)]
    assert width[1] < 0.8 * width[0]
    assert width[2] < 0.8 * width[0]
    assert np.median(fast) > 2 * np.median(slow)


@pytest.mark.parametrize("speed", [0.01, 5000.0])
def test_a_speed_out_of_reach_widens_the_interval_and_says_so(speed):
    found, prices = drawn("llama-3-70b", tokens_per_second=speed)
    call = features(127, 0, 400) @ prices.energy_j
    assert found.deployment.warnings
    assert np.quantile(call, 0.95) / np.quantile(call, 0.05) > 4


def test_conditioning_keeps_the_uniform_numbers_so_that_groups_still_add():
    one = energy("llama-3-8b", tokens_per_second=40.0)
    two = energy("llama-3-8b", tokens_per_second=44.0)
    assert np.corrcoef(np.log(one), np.log(two))[0, 1] > 0.9


def test_a_model_too_large_for_its_accelerators_is_refused():
    with pytest.raises(DoesNotFit) as caught:
        drawn("llama-3-70b", accelerator="rtx-4090", count=1.0, precision="bf16")
    assert caught.value.fields["needed_gb"] == pytest.approx(141, abs=2)
    assert caught.value.fields["available_gb"] == pytest.approx(24)
    with pytest.raises(DoesNotFit):
        drawn("deepseek-v3", "own-machine")


def test_a_precision_that_the_accelerator_lacks_is_refused():
    with pytest.raises(UnsupportedPrecision) as caught:
        drawn("llama-3-8b", accelerator="a100-80", precision="fp8")
    assert "bf16" in caught.value.fields["available"]
    assert "fp8" not in caught.value.fields["available"]
    with pytest.raises(UnsupportedPrecision):
        drawn("llama-3-8b", accelerator="h100-sxm", precision="fp3")


def test_a_unit_is_large_enough_for_its_weights():
    priors, catalogue, _ = tables()
    for model in MODELS:
        shape = architecture(model)
        for name in ("open", "api", "google", "deepseek"):
            units = possible_units(shape, priors[name], KnownDeployment(), catalogue)
            assert sum(unit.weight for unit in units) == pytest.approx(1.0)
            for unit in units:
                held = weight_bytes(shape, unit.precision)
                assert np.all(held <= unit.count * unit.accelerator.memory_b)
                assert np.all(unit.data_parallel >= 1)


def test_ones_own_machine_quantises_until_the_model_fits():
    found, _ = drawn("llama-3-8b", "own-machine", accelerator="rtx-3060", native_precision="bf16")
    assert np.all(np.asarray(found.deployment.dense_bytes) < 2)
    assert found.deployment.concurrency == pytest.approx(1.0)
    joules = energy("llama-3-8b", (100.0, 0.0, 300.0), "own-machine", accelerator="rtx-4090")
    assert 100 < np.median(joules) < 10_000


def test_quantised_weights_cost_less_on_a_laptop():
    def at(precision):
        return np.median(
            energy(
                "llama-3-8b", prior="own-machine", accelerator="apple-m4-max", precision=precision
            )
        )

    assert at("q4") < at("int8") < at("bf16")


def test_every_prior_prices_every_kind_of_model():
    priors = tables()[0]
    for name in sorted({prior.id for prior in priors.values()} - {"own-machine"}):
        for model in MODELS:
            joules = energy(model, prior=name)
            assert np.all(np.isfinite(joules))
            assert np.all(joules > 0)


def test_offline_serving_costs_less_than_online():
    assert np.median(energy("llama-3-8b", serving="offline")) < np.median(energy("llama-3-8b"))


def test_serving_software_of_2024_costs_more():
    known = {"accelerator": "h100-sxm", "count": 1.0, "concurrency": 64.0, "precision": "bf16"}
    ratio = energy("llama-3-8b", year=2024, **known) / energy("llama-3-8b", **known)
    assert 1.5 < np.median(ratio) < 2.6


def test_a_size_of_unknown_value_widens_the_answer():
    size = 3e11 * np.exp(uniforms("size") - 0.5)
    wide = energy(of_parameters("x", size, size / 5, TYPICAL), prior="openai")
    narrow = energy(of_parameters("x", 3e11, 6e10, TYPICAL), prior="openai")
    assert wide.shape == narrow.shape
    assert np.log(wide).std() > np.log(narrow).std()


@pytest.mark.reference
def test_architectures_left_out_are_predicted_within_the_targets(monkeypatch):
    reference = os.environ.get("KILOWHAT_REFERENCE")
    if not reference:
        pytest.skip("KILOWHAT_REFERENCE names no directory of reference measurements")
    pytest.importorskip("scipy")
    pytest.importorskip("pyarrow")
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    from tools.fit import rows as measured
    from tools.fit import text

    rows = measured.read(Path(reference) / "mlenergy_dev.parquet", DATA / "architectures.csv")
    errors, _ = text.leave_one_out(rows, text.fit(rows))
    factor = np.exp(np.abs(errors[rows.is_text]))
    assert np.median(factor) <= 1.12
    assert np.quantile(factor, 0.9) <= 1.35
