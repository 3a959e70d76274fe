"""Every formula says what it gives, from what and by whom; and stages never count twice."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kilowhat
from kilowhat import methods
from kilowhat.errors import DimensionError
from kilowhat.methods import embodied, facility, grid
from kilowhat.quantity.quantity import Quantity

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = [module.name for module in pkgutil.iter_modules(methods.__path__)]
MODULES = {name: importlib.import_module(f"kilowhat.methods.{name}") for name in NAMES}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    f"{name}.{key}": value
    for name, module in MODULES.items()
    for key, value in vars(module).items()
    if inspect.isfunction(value) and value.__module__ == module.__name__ and not key.startswith("_")
}
NUMBERS = ("Magnitude", "Quantity", "Vector", "float", "NDArray")
FORMULA_MODULES = ("facility", "grid", "embodied", "training")
each = pytest.mark.parametrize("name", FUNCTIONS)


def said(name: str) -> str:
    """The docstring of a function."""
    return inspect.getdoc(FUNCTIONS[name]) or ""


def prose(name: str) -> str:
    """The docstring before its examples."""
    return said(name).partition(">>>")[0]


def test_the_stages_of_the_chain_were_found() -> None:
    assert len(FUNCTIONS) > 40
    assert set(FORMULA_MODULES) < set(NAMES)


@each
def test_the_first_line_is_a_sentence_that_says_what_you_get(name: str) -> None:
    first, _, rest = said(name).partition("\n\n")
    assert first.endswith((".", ":")), first
    assert first[0].isupper()
    assert rest
    assert not first.lower().startswith(("compute", "calculate", "return", "get "))


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if n.split(".")[0] in FORMULA_MODULES])
def test_a_formula_stands_on_a_line_of_its_own(name: str) -> None:
    lines = prose(name).split("\n\n")[1:]
    if FUNCTIONS[name].__annotations__["return"] in ("Quantity", "Magnitude"):
        assert any(re.match(r"\S+( \S+)? = ", paragraph.strip()) for paragraph in lines), lines


@each
def test_numbers_have_units_in_brackets(name: str) -> None:
    hints = {key: str(hint) for key, hint in FUNCTIONS[name].__annotations__.items()}
    takes_numbers = any(word in hint for hint in hints.values() for word in NUMBERS)
    if takes_numbers:
        assert re.search(r"\[[^\]]+\]", prose(name))


@each
def test_every_argument_is_described(name: str) -> None:
    section = prose(name).partition("Args:")[2]
    if section:
        for argument in inspect.signature(FUNCTIONS[name]).parameters:
            assert re.search(rf"\b{argument}\b", section), argument


@each
def test_what_is_raised_is_told(name: str) -> None:
    tree = ast.parse(textwrap.dedent(inspect.getsource(FUNCTIONS[name])))
    if any(isinstance(node, ast.Raise) for node in ast.walk(tree)):
        assert "Raises:" in said(name)
    if "Raises:" in said(name):
        flags = re.MULTILINE
        known = {*vars(importlib.import_module("kilowhat.errors")), "KeyError", "ValueError"}
        lines = re.findall(r"^ {4}(\w+(?:, \w+)*): ", said(name).partition("Raises:")[2], flags)
        kinds = {kind for line in lines for kind in line.split(", ")}
        assert kinds or "Nothing." in said(name)
        assert kinds <= known


@each
def test_a_source_is_named(name: str) -> None:
    assert re.search(r"^Source: \S", said(name), re.MULTILINE)


@each
def test_there_is_an_example_that_runs(name: str) -> None:
    function = FUNCTIONS[name]
    module = inspect.getmodule(function)
    examples = doctest.DocTestFinder().find(function, name, module=module)
    assert any(example.examples for example in examples), "no doctest"
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    for example in examples:
        assert doctest.DocTestRunner(optionflags=flags).run(example).failed == 0


@each
def test_every_parameter_has_a_type(name: str) -> None:
    signature = inspect.signature(FUNCTIONS[name])
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty


def test_no_public_function_bears_the_name_of_a_module() -> None:
    for package in pkgutil.walk_packages(kilowhat.__path__, "kilowhat."):
        if not package.ispkg:
            continue
        module = importlib.import_module(package.name)
        inside = {child.name for child in pkgutil.iter_modules(module.__path__)}
        hidden = [key for key in inside if inspect.isfunction(vars(module).get(key))]
        assert hidden == [], package.name


# ── facility, grid, embodied: units, boundaries, linearity ───────────────────────────────────

positive = st.floats(1e-6, 1e9)
ratios = st.floats(1.0, 5.0)
shares = st.floats(0.0, 0.9)
CHAIN: dict[Callable[..., Quantity], tuple[str, str, str]] = {
    facility.host_energy: ("J", "1", "J"),
    facility.idle_energy: ("J", "1", "J"),
    facility.overhead_energy: ("J", "1", "J"),
    facility.on_site_water: ("J", "L/kWh", "L"),
    grid.emissions: ("J", "gCO2e/kWh", "gCO2e"),
    grid.direct_part: ("gCO2e", "1", "gCO2e"),
    grid.generation_water: ("J", "L/kWh", "L"),
    grid.primary_energy: ("J", "MJ/kWh", "MJ"),
    grid.resource_depletion: ("J", "kgSbeq/kWh", "kgSbeq"),
    embodied.allocated: ("kgCO2e", "1", "kgCO2e"),
}
formulas = st.sampled_from(list(CHAIN))


@given(formulas, positive, positive, ratios)
def test_the_chain_is_linear_in_what_it_is_given(
    formula: Callable[..., Quantity], one: float, other: float, factor: float
) -> None:
    given_unit, factor_unit, result_unit = CHAIN[formula]
    rate = Quantity.of(factor, factor_unit)

    def result(amount: float) -> float:
        return float(formula(Quantity.of(amount, given_unit), rate).to(result_unit))

    assert result(one) + result(other) == pytest.approx(result(one + other), rel=1e-9)
    assert result(3 * one) == pytest.approx(3 * result(one), rel=1e-9)


@given(formulas, positive, st.lists(ratios, min_size=2, max_size=5))
def test_draws_pass_through_the_chain_one_by_one(
    formula: Callable[..., Quantity], amount: float, factors: list[float]
) -> None:
    given_unit, factor_unit, result_unit = CHAIN[formula]
    whole = formula(
        Quantity.of(amount, given_unit), Quantity.of(np.array(factors), factor_unit)
    ).to(result_unit)
    singly = [
        formula(Quantity.of(amount, given_unit), Quantity.of(f, factor_unit)).to(result_unit)
        for f in factors
    ]
    assert np.asarray(whole) == pytest.approx(singly)


@pytest.mark.parametrize("formula", CHAIN, ids=lambda formula: formula.__name__)
def test_no_unit_can_be_mistaken_for_another(formula: Callable[..., Quantity]) -> None:
    given_unit, factor_unit, result_unit = CHAIN[formula]
    amount, rate = Quantity.of(2.0, given_unit), Quantity.of(2.0, factor_unit)
    assert formula(amount, rate).dimension == Quantity.of(1.0, result_unit).dimension
    for wrong in ("m", "kg", "s"):
        with pytest.raises(DimensionError):
            formula(amount, Quantity.of(2.0, wrong)).to(result_unit)


@given(positive, ratios, ratios, ratios)
def test_overheads_multiply_up_to_the_meter(
    amount: float, host: float, idle: float, pue: float
) -> None:
    accelerator = Quantity.of(amount, "J")
    server = accelerator + facility.host_energy(accelerator, Quantity(host))
    it_energy = server + facility.idle_energy(server, Quantity(idle))
    meter = it_energy + facility.overhead_energy(it_energy, Quantity(pue))
    assert meter.to("J") == pytest.approx(amount * host * idle * pue, rel=1e-9)


@given(positive)
def test_a_ratio_of_one_adds_nothing(amount: float) -> None:
    energy = Quantity.of(amount, "J")
    for overhead in (facility.host_energy, facility.idle_energy, facility.overhead_energy):
        assert overhead(energy, Quantity(1.0)).to("J") == 0.0


def test_google_s_published_prompt_adds_up() -> None:
    """0.24 Wh = accelerators 0.14 + host 0.06 + idle 0.02 + overhead 0.02 (Elsworth 2025)."""
    accelerator = Quantity.of(0.14, "Wh")
    server = accelerator + facility.host_energy(accelerator, Quantity(0.20 / 0.14))
    it_energy = server + facility.idle_energy(server, Quantity(0.22 / 0.20))
    meter = it_energy + facility.overhead_energy(it_energy, Quantity(1.09))
    assert meter.to("Wh") == pytest.approx(0.24, abs=0.0005)


@given(positive, st.floats(0.001, 0.5))
def test_losses_are_the_share_of_what_was_generated(amount: float, share: float) -> None:
    delivered = Quantity.of(amount, "gCO2e")
    lost = grid.loss_part(delivered, Quantity(share)).to("gCO2e")
    generated = amount + lost
    assert lost / generated == pytest.approx(share, rel=1e-9)


@given(positive, shares)
def test_direct_and_upstream_are_the_whole(amount: float, share: float) -> None:
    whole = Quantity.of(amount, "gCO2e")
    direct = grid.direct_part(whole, Quantity(share))
    assert 0 <= direct.to("gCO2e") <= amount
    assert (direct + (whole - direct)).to("gCO2e") == pytest.approx(amount)


@given(st.floats(0.1, 1e5), st.floats(1.0, 10.0), st.floats(0.05, 1.0))
def test_hours_of_use_take_the_whole_of_the_hardware(
    hours: float, life_a: float, busy: float
) -> None:
    life, utilisation = Quantity.of(life_a, "a"), Quantity(busy)
    share = embodied.occupied_share(Quantity.of(hours, "h"), life, utilisation)
    busy_hours = life.to("h") * busy
    assert share.to("1") * busy_hours / hours == pytest.approx(1.0)
    made = Quantity.of(273.0, "kgCO2e")
    every_hour = embodied.occupied_share(Quantity.of(busy_hours, "h"), life, utilisation)
    assert embodied.allocated(made, every_hour).to("kgCO2e") == pytest.approx(273.0)


@given(st.floats(0.1, 0.9), st.floats(1.1, 3.0))
def test_idle_hardware_makes_each_use_dearer(busy: float, factor: float) -> None:
    time, life = Quantity.of(1, "h"), Quantity.of(4, "a")
    well_used = embodied.occupied_share(time, life, Quantity(busy)).to("1")
    idle = embodied.occupied_share(time, life, Quantity(busy / factor)).to("1")
    assert idle == pytest.approx(well_used * factor)


def test_a_life_is_a_time_and_a_share_is_a_number() -> None:
    with pytest.raises(DimensionError):
        embodied.occupied_share(Quantity.of(1, "h"), Quantity.of(4, "kWh"), Quantity(0.5)).to("1")
    with pytest.raises(DimensionError):
        embodied.allocated(Quantity.of(1, "kgCO2e"), Quantity.of(1, "h")).to("kgCO2e")
