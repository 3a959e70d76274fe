"""Units: exact round trips, and pint as the oracle of every physical one."""

from __future__ import annotations

import math

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.errors import DimensionError, UnknownUnit
from kilowhat.quantity.quantity import Quantity
from kilowhat.quantity.units import BASES, SYMBOLS, parse_unit
from strategies import compound_symbols, magnitudes, symbols

REGISTRY = pint.UnitRegistry()
COUNTS = {"1", "FLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP", "token", "call", "image"}
# What the oracle calls the base unit of each dimension; substances are weighed as masses.
ORACLE_BASES = {
    "energy": "joule", "time": "second", "ghg": "gram", "water": "litre", "antimony": "kilogram",
    "data": "byte", "length": "metre", "mass": "kilogram",
}  # fmt: skip
SPELLED = {
    "%": "percent", "a": "julian_year", "d": "day", "h": "hour", "m3": "metre**3", "t": "tonne",
    "B": "byte", "kB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte",
    "mi": "mile",
}  # fmt: skip
PHYSICAL = [symbol for symbol in SYMBOLS if symbol not in COUNTS]


def spell(symbol: str) -> str:
    """One symbol of the table in the oracle's words."""
    mass = symbol.removesuffix("CO2e").removesuffix("Sbeq")
    words = SPELLED.get(mass, mass)
    return f"kilo{SPELLED['t']}" if mass == "kt" else words


def oracle(symbol: str) -> pint.Quantity:
    """A product or quotient of the table, as the oracle computes it."""
    result = REGISTRY.Quantity(1.0)
    for index, group in enumerate(symbol.split("/")):
        for part in group.split("."):
            size = REGISTRY.Quantity(1.0, REGISTRY.parse_units(spell(part)))
            result = result / size if index else result * size
    return result


def oracle_base(symbol: str) -> pint.Quantity:
    """The base unit of a symbol's dimension, as the oracle computes it."""
    result = REGISTRY.Quantity(1.0)
    for name, exponent in zip(BASES, parse_unit(symbol).dimension, strict=True):
        if exponent:
            result *= REGISTRY.Quantity(1.0, ORACLE_BASES[name]) ** exponent
    return result


@pytest.mark.parametrize("symbol", PHYSICAL)
def test_each_physical_unit_equals_the_oracle(symbol: str) -> None:
    ratio = (oracle(symbol) / oracle_base(symbol)).to("dimensionless").magnitude
    assert math.isclose(parse_unit(symbol).factor, ratio, rel_tol=1e-12)


@given(compound_symbols(st.sampled_from(PHYSICAL)))
def test_products_and_quotients_equal_the_oracle(symbol: str) -> None:
    ratio = (oracle(symbol) / oracle_base(symbol)).to("dimensionless").magnitude
    assert math.isclose(parse_unit(symbol).factor, ratio, rel_tol=1e-9)


@given(magnitudes(), compound_symbols())
def test_a_value_comes_back_from_its_own_unit(value: float, symbol: str) -> None:
    assert math.isclose(Quantity.of(value, symbol).to(symbol), value, rel_tol=1e-14)


@given(magnitudes(), symbols, st.data())
def test_a_value_comes_back_through_any_other_unit(
    value: float, symbol: str, data: st.DataObject
) -> None:
    dimension = parse_unit(symbol).dimension
    same = [other for other in SYMBOLS if parse_unit(other).dimension == dimension]
    other = data.draw(st.sampled_from(same))
    there = Quantity.of(value, symbol).to(other)
    assert math.isclose(Quantity.of(there, other).to(symbol), value, rel_tol=1e-13)


@given(magnitudes(-6, 6), magnitudes(-6, 6), compound_symbols(), compound_symbols())
def test_multiplying_then_dividing_changes_nothing(x: float, y: float, a: str, b: str) -> None:
    there = Quantity.of(x, a) * Quantity.of(y, b) / Quantity.of(y, b)
    assert math.isclose(there.to(a), x, rel_tol=1e-12)


@given(symbols, symbols)
def test_only_equal_dimensions_add_and_convert(left: str, right: str) -> None:
    one, other = Quantity.of(1.0, left), Quantity.of(1.0, right)
    if one.dimension == other.dimension:
        assert (one + other).dimension == one.dimension
        return
    with pytest.raises(DimensionError):
        one + other
    with pytest.raises(DimensionError):
        one.to(right)


def test_grams_of_carbon_antimony_and_hardware_never_mix() -> None:
    dimensions = {parse_unit(symbol).dimension for symbol in ("gCO2e", "gSbeq", "g")}
    assert len(dimensions) == 3


@pytest.mark.parametrize(("wrong", "near"), [("kWH", "kWh"), ("gC02e", "gCO2e"), ("kWhh", "kWh")])
def test_an_unknown_unit_names_its_neighbours(wrong: str, near: str) -> None:
    with pytest.raises(UnknownUnit) as caught:
        parse_unit(wrong)
    assert near in str(caught.value)
