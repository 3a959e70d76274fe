"""Laws of training energy: two roads to one number, shares that add up, sourced factors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.errors import InvalidValue
from kilowhat.methods.training import (
    LEFT_OUT,
    amortised_energy_j,
    break_even_calls,
    computed_energy_j,
    computed_hours,
    declared_energy_j,
    developed_energy_j,
    implied_intensity,
    implied_utilisation,
    training_flop,
)
from kilowhat.registry.evidence import find
from kilowhat.registry.tables import DATA, FactorReader, read_sources, read_spreads

positive = st.floats(1e-3, 1e6)
KWH = 3.6e6


@given(positive, positive, st.floats(0.05, 1.0), positive, st.floats(0.1, 1.5))
def test_the_two_roads_meet(parameters_g, tokens_g, mfu, power_w, utilisation) -> None:
    flop = training_flop(parameters_g * 1e9, tokens_g * 1e9)
    hours = computed_hours(flop, 312e12, mfu)
    declared = declared_energy_j(hours, power_w, utilisation)
    assert computed_energy_j(flop, 312e12, mfu, power_w, utilisation) == pytest.approx(declared)
    assert implied_utilisation(flop, hours, 312e12) == pytest.approx(mfu)


@given(positive, positive)
def test_energy_is_linear_in_hours_and_in_power(hours: float, power_w: float) -> None:
    once = declared_energy_j(hours, power_w, 0.8)
    assert declared_energy_j(2 * hours, power_w, 0.8) == pytest.approx(2 * once)
    assert declared_energy_j(hours, 3 * power_w, 0.8) == pytest.approx(3 * once)


@given(st.lists(st.floats(1, 1e5), min_size=1, max_size=20))
def test_shares_of_training_add_up(tokens: list[float]) -> None:
    life = sum(tokens)
    shares = [amortised_energy_j(1e12, life, each) for each in tokens]
    assert sum(shares) == pytest.approx(1e12)


@given(positive, positive)
def test_at_break_even_use_equals_training(training_j: float, call_j: float) -> None:
    assert break_even_calls(training_j, call_j) * call_j == pytest.approx(training_j)


def test_vectors_of_draws_pass_through() -> None:
    mfu = np.array([0.2, 0.4])
    energy = computed_energy_j(3.14e23, 125e12, mfu, 300.0, 1.0)
    assert isinstance(energy, np.ndarray)
    assert energy[0] == pytest.approx(2 * energy[1])


@pytest.mark.parametrize("bad", [0.0, -1.0, np.array([1.0, 0.0])])
def test_nothing_is_divided_by_zero(bad) -> None:
    for attempt in (
        lambda: break_even_calls(1.0, bad),
        lambda: amortised_energy_j(1.0, bad, 1.0),
        lambda: implied_intensity(1.0, bad),
        lambda: implied_utilisation(1.0, bad, 1.0),
    ):
        with pytest.raises(InvalidValue):
            attempt()


@pytest.mark.parametrize(
    ("training", "tuning", "query", "parity"),
    [
        ("E042", "E323", "E324", "E325"),
        ("E043", "E326", "E327", "E328"),
        ("E044", "E329", "E330", "E331"),
        ("E045", "E332", "E333", "E334"),
    ],
)
def test_published_break_even_points_are_found_again(training, tuning, query, parity) -> None:
    energy = (find(training).value + find(tuning).value) * KWH
    calls = break_even_calls(energy, find(query).value * KWH)
    assert calls == pytest.approx(find(parity).value, rel=2e-4)


def test_the_reference_run_is_found_again() -> None:
    energy = declared_energy_j(10_000 * 14.8 * 24, 330.0, 1.0) * 1.10
    assert energy / 3.6e9 == pytest.approx(1287, rel=2e-3)
    assert implied_intensity(552.1e6, 1287 * 3.6e9) == pytest.approx(429, abs=0.5)


def test_what_is_left_out_is_said() -> None:
    assert len(LEFT_OUT) >= 4
    assert developed_energy_j(312.0, 1.51) == pytest.approx(471, rel=1e-2)


# --- the factor table


FACTORS = {
    factor.id: factor
    for factor in FactorReader(read_sources(DATA), read_spreads(DATA)).read(
        DATA / "factors" / "training.csv"
    )
}


def test_the_table_is_as_large_as_promised() -> None:
    assert sum(name.endswith(".flop") for name in FACTORS) >= 150
    assert sum(name.endswith(".gpu_hours") for name in FACTORS) >= 60
    assert sum(name.endswith(".reported_ghg") for name in FACTORS) >= 15


def test_the_defaults_are_those_of_the_literature() -> None:
    mfu = FACTORS["training.default.mfu"]
    assert 0.15 < mfu.low < 0.3 < mfu.central < 0.5 < mfu.high < 0.6
    power = FACTORS["training.default.power_utilisation"]
    assert power.low == pytest.approx(283 / 450, abs=1e-3)
    assert power.high == pytest.approx(330 / 300, abs=1e-3)
    multiplier = FACTORS["training.default.development_multiplier"]
    assert (multiplier.low, multiplier.central, multiplier.high) == (1, 1, 1)


def test_a_card_that_does_not_close_gives_no_factor() -> None:
    assert "training.llama-3-3-70b.gpu_hours" in FACTORS
    assert "training.llama-3-3-70b.reported_ghg" not in FACTORS


def test_every_run_has_a_width() -> None:
    exempt = ("development_multiplier",)
    for name, factor in FACTORS.items():
        if not name.endswith(exempt):
            assert factor.low < factor.central < factor.high
