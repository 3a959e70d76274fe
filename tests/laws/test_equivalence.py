"""Laws of everyday equivalents: two directions, rounding, choice, and a sound table."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.domain.equivalence import Equivalence
from kilowhat.errors import DimensionError, UnknownEquivalence
from kilowhat.methods import equivalence as eq
from kilowhat.quantity.quantity import Quantity
from kilowhat.quantity.units import ENERGY, GHG, WATER
from kilowhat.registry.resolve import Registry
from kilowhat.registry.tables import DATA, table

CATALOGUE = [Equivalence.from_row(row) for row in table(DATA / "equivalences.csv")]
BY_ID = {item.id: item for item in CATALOGUE}
DIMENSIONS = {"energy": ENERGY, "ghg": GHG, "water": WATER}
UNITS = {"energy": "kWh", "ghg": "kgCO2e", "water": "L"}
positive = st.floats(1e-9, 1e15, allow_nan=False)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry(draws=64)


def one_of(registry: Registry, item: Equivalence) -> Quantity:
    return eq.amount_of_one(registry.value(registry.factor(item.factor).factor), item.per)


def counts(registry: Registry, amount: Quantity) -> dict[str, float]:
    return {
        item.id: float(np.median(eq.count_in(amount, one_of(registry, item))))
        for item in CATALOGUE
        if item.is_for(amount.dimension)
    }


@given(positive, positive)
def test_count_and_amount_are_inverse(amount_j: float, one_j: float) -> None:
    amount, one = Quantity.of(amount_j, "J"), Quantity.of(one_j, "J")
    assert eq.amount_in(eq.count_in(amount, one), one).to("J") == pytest.approx(amount_j)


@given(positive)
def test_the_unit_of_the_amount_does_not_matter(amount_kwh: float) -> None:
    one = eq.amount_of_one(Quantity.of(900, "W"), "h")
    in_kwh = eq.count_in(Quantity.of(amount_kwh, "kWh"), one)
    assert eq.count_in(Quantity.of(amount_kwh * 3.6, "MJ"), one) == pytest.approx(in_kwh)


def test_a_rate_counts_its_own_unit() -> None:
    assert eq.amount_of_one(Quantity.of(1, "kW"), "h").to("kWh") == pytest.approx(1)
    assert eq.amount_of_one(Quantity.of(60, "W"), "min").to("Wh") == pytest.approx(1)
    assert eq.amount_of_one(Quantity.of(1, "gCO2e/km"), "m").to("gCO2e") == pytest.approx(1e-3)
    assert eq.amount_of_one(Quantity.of(1, "gCO2e")).to("gCO2e") == 1


def test_unlike_quantities_are_refused() -> None:
    with pytest.raises(DimensionError):
        eq.count_in(Quantity.of(1, "kWh"), Quantity.of(1, "gCO2e"))


def test_shared_draws_cancel_between_two_equivalents(registry: Registry) -> None:
    one = one_of(registry, BY_ID["microwave"])
    back = eq.count_in(eq.amount_in(3.0, one), one)
    assert np.ptp(one.magnitude) > 0
    np.testing.assert_allclose(back, 3.0, rtol=1e-12)


@given(st.floats(1e-6, 1e12), st.floats(1, 10))
def test_rounding_keeps_the_size_and_few_digits(count: float, width: float) -> None:
    said = eq.rounded(count, width)
    assert said == pytest.approx(count, rel=0.05 if count >= 10 or width < 1.5 else 0.5)
    assert eq.rounded(said, width) == said
    digits = f"{said:.6e}".partition("e")[0].replace(".", "").rstrip("0")
    assert len(digits) <= 2


def test_never_three_digits_and_never_infinite() -> None:
    assert eq.rounded(11.382) == 11
    assert eq.rounded(0) == 0
    with pytest.raises(ValueError, match="inf"):
        eq.rounded(math.inf)


@pytest.mark.parametrize("locale", ["fra", "usa", "world", "xyz"])
@pytest.mark.parametrize("amount_wh", [1e-3, 0.3, 2.9, 1e3, 1e6, 1e9, 1e12])
def test_chosen_ones_suit_the_size_and_the_country(
    registry: Registry, locale: str, amount_wh: float
) -> None:
    found = counts(registry, Quantity.of(amount_wh, "Wh"))
    chosen = eq.choose(CATALOGUE, found, locale)
    assert len(chosen) == 2
    assert all(locale in item.locales or "world" in item.locales for item in chosen)
    assert all(item.rank < eq.ON_REQUEST for item in chosen)
    assert len({item.factor for item in chosen}) == 2
    if amount_wh >= 0.3:
        assert all(0.1 <= found[item.id] <= 1000 for item in chosen)


@pytest.mark.parametrize(
    ("unit", "sizes"), [("gCO2e", (0.03, 5, 1e4, 1e8)), ("L", (0.003, 20, 1e6))]
)
def test_emissions_and_water_have_equivalents(
    registry: Registry, unit: str, sizes: tuple[float, ...]
) -> None:
    for size in sizes:
        found = counts(registry, Quantity.of(size, unit))
        first = eq.choose(CATALOGUE, found, "fra")[0]
        assert 0.1 <= found[first.id] <= 1000


def test_readers_get_their_own_country_first(registry: Registry) -> None:
    found = counts(registry, Quantity.of(2, "kgCO2e"))
    assert eq.choose(CATALOGUE, found, "fra")[0].id == "car-fra-km"
    assert eq.choose(CATALOGUE, found, "usa")[0].id == "car-us-mile"


def test_dated_equivalents_are_found_only_by_name(registry: Registry) -> None:
    found = counts(registry, Quantity.of(0.3, "Wh"))
    every = eq.choose(CATALOGUE, found, "world", most=len(CATALOGUE))
    assert "google-search-2009" not in {item.id for item in every}
    assert eq.named(CATALOGUE, "Google search of 2009", ENERGY).id == "google-search-2009"
    assert eq.named(CATALOGUE, "Google search of 2009", GHG).id == "google-search-2009-ghg"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("microwave", "microwave"), ("km en TGV", "tgv-km"), ("LED", "led"), ("kettle", "kettle"),
     ("aller-retour Paris – New York en avion", "paris-new-york"),
     ("heures d'ampoule LED", "led"), ("repas avec du boeuf", "meal-beef")],
)  # fmt: skip
def test_names_in_both_languages(name: str, expected: str) -> None:
    assert eq.named(CATALOGUE, name).id == expected


@pytest.mark.parametrize(
    ("name", "near"), [("microwaive", "microwave"), ("flight", "paris-london")]
)
def test_an_unknown_or_ambiguous_name_gives_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UnknownEquivalence) as caught:
        eq.named(CATALOGUE, name)
    assert near in str(caught.value)


def test_labels_follow_the_number_in_each_language() -> None:
    item = BY_ID["led"]
    assert item.label(1) == "hour of an LED bulb"
    assert item.label(0.5) == item.label(11) == "hours of an LED bulb"
    assert item.label(1.5, "fr") == "heure d’ampoule LED"
    assert item.label(2, "fr") == "heures d’ampoule LED"


def test_the_table_is_sound(registry: Registry) -> None:
    assert len(CATALOGUE) >= 40
    assert len(BY_ID) == len(CATALOGUE)
    for item in CATALOGUE:
        factor = registry.factor(item.factor).factor
        assert one_of(registry, item).dimension == DIMENSIONS[item.dimension], item.id
        assert factor.low < factor.high or factor.shape == "point", f"{item.id}: no interval"
        for language in ("en", "fr"):
            assert all(item.labels[language]), item.id


@pytest.mark.parametrize(
    ("identity", "low", "high"),
    [("led", 0.003, 0.015), ("microwave", 0.7, 1.3), ("kettle", 0.07, 0.15),
     ("smartphone-charge", 0.008, 0.025), ("ev-km", 0.1, 0.35), ("home-usa-year", 6000, 15000),
     ("home-fra-year", 3000, 6000), ("home-dnk-year", 1500, 5000), ("reactor-day", 1e7, 2.2e7),
     ("car-eu-km", 0.1, 0.3), ("paris-new-york", 900, 2600), ("tgv-km", 0.001, 0.01),
     ("streaming", 0.02, 0.1), ("google-search-2009", 0.0002, 0.0005), ("shower", 30, 150)],
)  # fmt: skip
def test_well_known_sizes(registry: Registry, identity: str, low: float, high: float) -> None:
    item = BY_ID[identity]
    size = np.asarray(one_of(registry, item).to(UNITS[item.dimension]))
    assert low <= np.median(size) <= high
