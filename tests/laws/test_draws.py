"""Laws of doubt: one stream a factor, the same everywhere, shared and never averaged away."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.domain.activity import Activity
from kilowhat.quantity.spread import SHAPES, Spread, normal_quantile, summarise, uniforms
from kilowhat.registry.resolve import Registry

if TYPE_CHECKING:
    from kilowhat.assessment.estimator import Estimator

keys = st.text(min_size=1, max_size=40)
sizes = st.sampled_from([2, 64, 100, 1024])
USE = Activity(model="gpt-4o", input_tokens=500, output_tokens=400, zone="FRA")


@given(keys, sizes)
def test_draws_are_stratified(key: str, n: int) -> None:
    draws = uniforms(key, n)
    assert sorted((draws * n).astype(int)) == list(range(n))
    assert draws.min() > 0
    assert draws.max() < 1


@given(keys)
def test_one_key_one_stream(key: str) -> None:
    assert (uniforms(key) == uniforms(key)).all()


@given(keys, keys)
def test_streams_of_two_keys_are_unrelated(one: str, other: str) -> None:
    if one != other:
        correlation = np.corrcoef(uniforms(one), uniforms(other))[0, 1]
        assert abs(correlation) < 0.2  # six standard deviations of 1,024 independent pairs


FIRST = [0.5718874041239912, 0.8735644013276886, 0.3053486844289698, 0.1918499288342083]


def test_the_stream_never_changes() -> None:
    """These are the published draws of version 0.1; a change would change every result."""
    assert uniforms("grid.fra.gwp_location", 4).tolist() == pytest.approx(FIRST, abs=1e-15)


def test_the_same_draws_in_another_process(estimator: Estimator) -> None:
    code = (
        "import json\n"
        "from kilowhat import estimate\n"
        "result = estimate('gpt-4o', input=500, out=400, zone='FRA')\n"
        "print(json.dumps([result.draws(c).tolist() for c in result.impacts]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = estimator.estimate(USE)
    there = json.loads(done.stdout)
    for category, draws in zip(here.impacts, there, strict=True):
        assert np.asarray(here.draws(category)).tolist() == draws


def test_a_thing_over_itself_is_exactly_one(estimator: Estimator) -> None:
    one, again = estimator.estimate(USE), estimator.estimate(USE)
    for category in one.impacts:
        ratio = one.ratio(again, category)
        assert (ratio.p05, ratio.p50, ratio.p95) == (1.0, 1.0, 1.0)


def test_two_registries_share_their_draws(registry: Registry) -> None:
    factor = registry.factor("grid.fra.gwp_location").factor
    mine = registry.value(factor).magnitude
    assert (np.asarray(mine) == np.asarray(Registry().value(factor).magnitude)).all()


def test_two_years_of_one_factor_share_their_doubt(registry: Registry) -> None:
    from datetime import date

    new = registry.factor("grid.fra.gwp_location", when=date(2023, 7, 1)).factor
    old = registry.factor("grid.fra.gwp_location", when=date(2016, 7, 1)).factor
    assert new.year != old.year
    assert new.stream == old.stream
    ratio = registry.value(new).magnitude / registry.value(old).magnitude
    assert np.ptp(ratio) < 0.05 * np.ptp(registry.value(new).magnitude / new.central)


@pytest.mark.parametrize("calls", [1.0, 30.0, 1e8])
def test_the_interval_does_not_shrink_over_calls(estimator: Estimator, calls: float) -> None:
    one = estimator.estimate(USE)
    many = estimator.estimate(replace(USE, calls=calls))
    for category, interval in one.impacts.items():
        wide = many.impacts[category]
        assert wide.p50 == pytest.approx(calls * interval.p50, rel=1e-12)
        assert wide.p95 / wide.p05 == pytest.approx(interval.p95 / interval.p05, rel=1e-12)


def test_a_thousand_rows_are_as_doubtful_as_one(estimator: Estimator) -> None:
    lengths = range(100, 1100)
    rows = [estimator.estimate(replace(USE, output_tokens=n)).energy() for n in lengths]
    low, _, high = summarise(np.sum(rows, axis=0))
    widths = [p95 / p05 for p05, _, p95 in map(summarise, rows)]
    assert min(widths) <= high / low <= max(widths)


def test_subtotals_add_draw_by_draw(estimator: Estimator) -> None:
    night = estimator.estimate(replace(USE, calls=40)).energy()
    day = estimator.estimate(replace(USE, calls=60)).energy()
    whole = estimator.estimate(replace(USE, calls=100)).energy()
    assert np.allclose(night + day, whole, rtol=1e-12)


def test_the_difference_of_uses_that_share_factors_is_sharp(estimator: Estimator) -> None:
    short = estimator.estimate(USE)
    longer = estimator.estimate(replace(USE, output_tokens=440))
    ratio = longer.ratio(short)
    alone = short.impacts["energy"]
    assert ratio.p95 / ratio.p05 < 1.05
    assert alone.p95 / alone.p05 > 3  # either of them alone is wide
    difference = longer.energy() - short.energy()
    assert difference.min() > 0


def test_two_models_keep_a_doubt_of_their_own(estimator: Estimator) -> None:
    one = estimator.estimate(replace(USE, model="llama-3.1-70b"))
    other = estimator.estimate(replace(USE, model="qwen2.5-72b-instruct"))
    ratio = one.ratio(other)
    assert ratio.p95 / ratio.p05 > 1.1  # a residual shared by all models would cancel


@pytest.mark.parametrize("draws", [512, 4096])
def test_the_number_of_draws_changes_little(estimator: Estimator, draws: int) -> None:
    from kilowhat.assessment.estimator import Estimator

    usual = estimator.estimate(USE)
    other = Estimator(Registry(draws=draws)).estimate(USE)
    for category, interval in usual.impacts.items():
        again = other.impacts[category]
        assert again.p50 == pytest.approx(interval.p50, rel=0.15)
        assert again.p05 == pytest.approx(interval.p05, rel=0.25)
        assert again.p95 == pytest.approx(interval.p95, rel=0.25)


@st.composite
def spreads(draw: st.DrawFn) -> Spread:
    shape = draw(st.sampled_from(sorted(set(SHAPES) - {"point"})))
    low, high = {"excess": (1.001, 9.0), "fraction": (0.001, 0.999)}.get(shape, (0.01, 1e6))
    three = sorted(draw(st.floats(low, high)) for _ in range(3))
    if shape in ("uniform", "loguniform"):
        ends = three[0], three[2]
        three[1] = sum(ends) / 2 if shape == "uniform" else (ends[0] * ends[1]) ** 0.5
    return Spread(*three, shape)


@given(spreads())
def test_low_central_and_high_are_the_5_50_and_95_percent_points(spread: Spread) -> None:
    found = spread.quantile(np.array([0.05, 0.5, 0.95]))
    assert found == pytest.approx([spread.low, spread.central, spread.high], rel=1e-6)


@given(spreads(), keys)
def test_draws_keep_the_order_of_their_uniforms(spread: Spread, key: str) -> None:
    ordered = np.sort(uniforms(key, 64))
    assert (np.diff(spread.quantile(ordered)) >= 0).all()


def test_a_point_has_no_doubt() -> None:
    assert (Spread(3.0, 3.0, 3.0, "point").draw("anything", 16) == 3.0).all()


def test_the_normal_quantile_is_the_textbook_one() -> None:
    from statistics import NormalDist

    probabilities = np.array([1e-12, 1e-6, 0.01, 0.3, 0.5, 0.7, 0.975, 1 - 1e-6])
    exact = [NormalDist().inv_cdf(p) for p in probabilities]
    assert normal_quantile(probabilities) == pytest.approx(exact, rel=1e-9, abs=1e-12)
