"""The Python functions: the names and the numbers of the command line, typed and documented."""

from __future__ import annotations

import doctest
import importlib
import inspect
import json
import pkgutil
import re
from typing import TYPE_CHECKING, Any

import pytest

import kilowhat
from kilowhat import compare, estimate, train
from kilowhat.assessment.uses import FIELDS
from kilowhat.errors import InvalidValue, KilowhatError, UnknownModel, UnknownName, UsageError
from kilowhat.quantity.quantity import Quantity
from kilowhat.registry.resolve import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

VERBS = {"estimate": estimate, "train": train, "compare": compare}


@pytest.mark.parametrize("name", VERBS)
def test_each_verb_is_documented_with_units_errors_and_source(name: str) -> None:
    said = inspect.getdoc(VERBS[name]) or ""
    for part in ("Args:", "Raises:", "Source:", ">>> "):
        assert part in said
    assert re.search(r"^\w+ = .", said, re.MULTILINE), "no formula on a line of its own"


@pytest.mark.parametrize("name", VERBS)
def test_each_verb_is_typed(name: str) -> None:
    signature = inspect.signature(VERBS[name])
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "gpt-4o", "input": 500, "out": 400, "zone": "FRA"},
        {"parameters": 70e9, "out": 10},
        {"model": "llama-3.1-8b", "in": 5, "out": 10, "accelerator": "h100-sxm", "count": 1,
         "concurrency": 8},
        {"model": "flux.1-dev", "images": 2, "size": "512x512"},
    ],
)  # fmt: skip
def test_the_function_and_the_command_give_the_same(
    terminal: Callable[..., Any], fields: dict[str, object]
) -> None:
    words: list[object] = []
    for name, value in fields.items():
        if name != "model":
            words += ["--" + name.replace("input", "in").replace("_", "-"), value]
    told = terminal("estimate", *filter(None, [fields.get("model")]), *words, "--json")
    result = estimate(**fields).to_dict()  # type: ignore[arg-type]
    shown = json.loads(told.out)
    for key in ("impacts", "stages", "warnings", "boundary", "data_version", "functional_unit"):
        assert json.loads(json.dumps(result[key])) == shown[key]


def test_training_takes_the_words_of_the_command(terminal: Callable[..., Any]) -> None:
    told = terminal(
        "train", "--gpu-hours", "1e6", "--accelerator", "h100-sxm", "--power", 500, "--date",
        2023, "--zone", "FRA", "--json",
    )  # fmt: skip
    answer = train(gpu_hours=1e6, accelerator="h100-sxm", power=500, date=2023, zone="FRA")
    assert json.loads(json.dumps(answer.to_dict())) == json.loads(told.out)


def test_comparison_takes_text_or_a_quantity() -> None:
    text, quantity = compare("2.9 Wh", to="led"), compare(Quantity.of(2.9, "Wh"), to="led")
    assert text.to_dict() == quantity.to_dict()


def test_both_directions_meet() -> None:
    """So many hours of a microwave, then back, are as many."""
    there = compare("3 h microwave", to="microwave").likenesses[0].count
    assert (there.p05, there.p50, there.p95) == pytest.approx((3.0, 3.0, 3.0), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda: estimate("gpt4oo"), UnknownModel),
        (lambda: estimate("gpt-4o", outt=5), UnknownName),
        (lambda: estimate("gpt-4o", out=-1), InvalidValue),
        (lambda: estimate("gpt-4o", out=float("nan")), InvalidValue),
        (lambda: estimate("gpt-4o", out=10**5000), InvalidValue),
        (lambda: estimate("gpt-4o", out=True), InvalidValue),
        (estimate, InvalidValue),
        (lambda: train(gpu_hours=float("nan"), accelerator="h100-sxm"), InvalidValue),
        (lambda: train(gpu_hours=-1, accelerator="h100-sxm"), InvalidValue),
        (lambda: train(gpu_hourz=1), UnknownName),
        (train, UsageError),
        (lambda: train("gpt4oo"), UnknownModel),
        (lambda: compare("much"), InvalidValue),
        (lambda: compare("5 m"), InvalidValue),
        (lambda: compare(Quantity.of(1.0, "m")), InvalidValue),
        (lambda: compare(Quantity.of(-1.0, "Wh")), InvalidValue),
        (lambda: compare(Quantity.of(float("nan"), "Wh")), InvalidValue),
    ],
)
def test_what_is_wrong_raises_one_of_our_errors(
    call: Callable[[], object], kind: type[KilowhatError]
) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert isinstance(caught.value, UsageError)
    assert len(str(caught.value)) < 700


def test_a_registry_of_one_s_own_is_used() -> None:
    mine = Registry(draws=128)
    assert estimate("gpt-4o", out=5, registry=mine).energy().shape == (128,)
    assert estimate("gpt-4o", out=5).energy().shape == (1024,)


def test_the_library_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    estimate("gpt-4o", out=5).to_dict()
    train(gpu_hours=1e6, accelerator="h100-sxm").to_dict()
    compare("2.9 Wh").to_dict()
    assert capsys.readouterr() == ("", "")


def test_results_show_themselves() -> None:
    result = estimate("gpt-4o", input=100, out=50, zone="FRA")
    text = str(result)
    assert "gpt-4o" in text
    assert re.search(r"\[[\d.,]+ – [\d.,]+\]", text)
    html = result._repr_html_()
    assert "gpt-4o" in html
    assert html.count("<table") == html.count("</table>") >= 1


def test_names_written_as_html_stay_text() -> None:
    result = estimate(parameters=7e9, out=5, zone="FRA", provider="<script>alert(1)</script>")
    assert "<script>" not in result._repr_html_()


def test_types_of_results_can_be_imported() -> None:
    assert set(kilowhat.__all__) >= {"estimate", "train", "compare", "Activity", "Assessment"}
    assert isinstance(estimate("gpt-4o", out=1), kilowhat.Assessment)
    assert isinstance(estimate("gpt-4o", out=1).activity, kilowhat.Activity)
    assert kilowhat.Activity.__annotations__["input_tokens"] == "float | None"


def test_every_field_is_an_attribute_that_can_be_read() -> None:
    activity = estimate("gpt-4o", out=1).activity
    for field in FIELDS:
        assert field.kind == "size" or hasattr(activity, field.attribute)


MODULES = [
    module.name
    for module in pkgutil.walk_packages(kilowhat.__path__, "kilowhat.")
    if not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_in_the_code_runs(name: str, newcomer: object) -> None:
    module = importlib.import_module(name)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    assert doctest.testmod(module, optionflags=flags).failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_every_module_and_public_name_is_described(name: str) -> None:
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip()
    for key, value in vars(module).items():
        is_ours = getattr(value, "__module__", None) == name and not key.startswith("_")
        if is_ours and (inspect.isclass(value) or inspect.isfunction(value)):
            assert (value.__doc__ or "").strip(), f"{name}.{key}"
