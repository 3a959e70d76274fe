"""Every published model card recomputed: which close, and which do not."""

from __future__ import annotations

import csv

import pytest

from kilowhat.methods.training import recompute_card
from kilowhat.registry.evidence import cards, load
from kilowhat.registry.tables import DATA

PEAK_FLOP_PER_S = {
    "a100-40": 312e12, "a100-80": 312e12, "a800-pcie-40": 312e12, "h100-sxm": 989.4e12,
    "tpu-v3": 123e12, "tpu-v4": 275e12, "v100-sxm-32": 125e12,
}  # fmt: skip
CARDS = load().cards
CHECKS = {
    card.id: recompute_card(card, cards(), peak_flop_per_s=PEAK_FLOP_PER_S.get(card.accelerator))
    for card in cards()
}

DO_NOT_CLOSE = {
    "llama-3-3-70b": ("greenhouse gas",),
    # arithmetic of the base model set beside the hours of a later, shorter run
    "epoch-flan-palm-540b": ("utilisation",),
    "epoch-llava": ("utilisation",),
    "epoch-llava-1-5": ("utilisation",),
    "epoch-luke": ("utilisation",),
    "epoch-minerva-540b": ("utilisation",),
    "epoch-openvla": ("utilisation",),
    "epoch-sphinx-llama-2-13b": ("utilisation",),
    "epoch-u-palm-540b": ("utilisation",),
    # elapsed days that hold interruptions, or a part of the run on fewer chips
    "epoch-bloomberggpt": ("utilisation",),
    "epoch-glam": ("utilisation",),
    "epoch-glm-130b": ("utilisation",),
    "epoch-llama-3-1-405b": ("utilisation",),
    "epoch-megascale-production": ("utilisation",),
    "epoch-nemotron-4-340b": ("utilisation",),
    "epoch-palm-540b": ("utilisation",),
    "epoch-ul2": ("utilisation",),
}


def test_the_cards_that_do_not_close_are_these() -> None:
    assert {name: c.findings for name, c in CHECKS.items() if not c.closes} == DO_NOT_CLOSE


@pytest.mark.parametrize(
    ("card", "energy_mwh", "intensity"),
    [
        ("gpt-3", 1289, 429.0),
        ("bloom-176b", 433, 57.0),
        ("llama-2-7b", 73.7, 423.4),
        ("llama-2-13b", 147.5, 423.4),
        ("llama-2-70b", 688, 423.5),
        ("llama-3-8b", 910, 428.6),
        ("llama-3-70b", 4480, 424.1),
        ("llama-3-1-8b", 1022, 411.0),
        ("llama-3-1-70b", 4900, 416.3),
        ("llama-3-1-405b", 21588, 413.7),
        ("llama-3-2-1b", 259, 413.1),
        ("llama-3-2-3b", 322, 413.0),
        ("llama-3-3-70b", 4900, 2.63),
        ("llama-4-scout", 3500, 386.9),
        ("llama-4-maverick", 1666, 387.2),
    ],
)
def test_a_card_recomputed(card: str, energy_mwh: float, intensity: float) -> None:
    check = CHECKS[card]
    assert check.energy_j is not None
    assert check.energy_j / 3.6e9 == pytest.approx(energy_mwh, rel=1e-3)
    assert check.intensity_g_per_kwh == pytest.approx(intensity, rel=2e-3)


def test_one_card_gives_a_hundredth_of_its_twin() -> None:
    odd, twin = CARDS["llama-3-3-70b"], CARDS["llama-3-1-70b"]
    assert odd.accelerator_hours == twin.accelerator_hours == 7.0e6
    assert (odd.ghg_g, twin.ghg_g) == (12.9e6, 2040e6)
    assert CHECKS["llama-3-3-70b"].twins == ("llama-3-1-70b",)
    assert CHECKS["llama-3-1-70b"].closes, "the twin is not to blame"


def test_hours_that_are_not_those_of_the_arithmetic_give_no_factor() -> None:
    path = DATA / "factors" / "training.csv"
    with path.open(newline="", encoding="utf-8") as file:
        ids = {row["id"] for row in csv.DictReader(file)}
    impossible = [name for name, c in CHECKS.items() if c.utilisation and c.utilisation > 1]
    assert len(impossible) >= 8
    for name in impossible:
        assert f"training.{CARDS[name].subject}.gpu_hours" not in ids
        assert f"training.{CARDS[name].subject}.flop" in ids


def test_two_sources_of_one_run_agree() -> None:
    for ours, theirs, gap in (
        ("gpt-3", "epoch-gpt-3-175b-davinci", 0.001),
        ("bloom-176b", "epoch-bloom-176b", 0.005),
        ("llama-2-70b", "epoch-llama-2-70b", 0.005),
        ("llama-3-1-405b", "epoch-llama-3-1-405b", 0.14),
    ):
        hours = CARDS[ours].accelerator_hours, CARDS[theirs].accelerator_hours
        assert hours[1] == pytest.approx(hours[0], rel=gap)


def test_studies_of_the_recipe_close_with_their_own_intensity() -> None:
    for name in ("gpt-3", "bloom-176b", "bert-base"):
        assert CHECKS[name].intensity_ratio == pytest.approx(1, abs=2e-3)


def test_a_card_without_numbers_is_not_judged() -> None:
    check = CHECKS["deepseek-v3"]
    assert check.closes
    assert check.energy_j is None
    assert check.intensity_g_per_kwh is None
