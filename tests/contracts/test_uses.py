"""The fields of a use: one table for options, JSON lines and Python; nothing else gets through."""

from __future__ import annotations

import json
from dataclasses import fields as dataclass_fields
from datetime import date
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.assessment.training import TrainingQuestion
from kilowhat.assessment.uses import (
    BY_NAME,
    FIELDS,
    TRAINING_FIELDS,
    Field,
    activity,
    over,
    training_values,
)
from kilowhat.cli import estimate_verb, train_verb
from kilowhat.domain.activity import Activity
from kilowhat.errors import InvalidValue, KilowhatError, UnknownName
from kilowhat.language import speaking, translate

ISSUED = [
    "model", "in", "cached", "out", "reasoning", "images_in", "videos_in", "images", "frames",
    "size", "steps", "fps", "ulysses", "ring", "calls", "tokens_per_second", "zone", "date",
    "accelerator", "count", "concurrency", "precision", "audio_in", "audio_out", "video",
    "provider", "region", "serving", "parameters", "active", "like",
]  # fmt: skip
BASE = {"model": "gpt-4o"}
numbers = [field for field in FIELDS if field.kind in ("number", "integer")]


def briefly(value: object) -> str:
    """A parameter's name in the list of tests, however huge it is."""
    is_huge = isinstance(value, int) and abs(value) > 10**20
    return "huge" if is_huge else repr(value)[:16]


def options(command: click.Command) -> dict[str, str]:
    """The options of a command that describe a use, and their help."""
    return {
        option: str(parameter.help)
        for parameter in command.params
        if isinstance(parameter, click.Option) and str(parameter.name).startswith("use_")
        for option in parameter.opts
    }


def test_the_table_has_every_field_once() -> None:
    assert sorted(field.name for field in FIELDS) == sorted(ISSUED)
    assert len({field.attribute for field in FIELDS}) == len(FIELDS)


@pytest.mark.parametrize(
    ("command", "table"),
    [(estimate_verb.command, FIELDS), (train_verb.command, TRAINING_FIELDS)],
    ids=["estimate", "train"],
)
def test_options_and_fields_are_the_same(command: click.Command, table: tuple[Field, ...]) -> None:
    wanted = {field.flag: field.help for field in table if field.name != "model"}
    assert options(command) == wanted
    assert any(isinstance(p, click.Argument) and p.name == "model" for p in command.params)


def test_fields_fill_every_attribute_of_a_use() -> None:
    filled = {field.attribute for field in FIELDS if field.kind != "size"}
    sides = {"width_px", "height_px"}
    assert filled | sides == {field.name for field in dataclass_fields(Activity)}


def test_training_fields_are_those_of_its_question() -> None:
    filled = {field.attribute for field in TRAINING_FIELDS}
    assert filled == {field.name for field in dataclass_fields(TrainingQuestion)} - {"is_measured"}


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_field_is_helped_in_both_languages(field: Field) -> None:
    with speaking("fr"):
        assert translate(field.help) != field.help
    assert not field.help.endswith(".")


GOOD: dict[str, list[tuple[object, object]]] = {
    "in": [("12", 12.0), (12, 12.0), (1.5, 1.5), ("3e3", 3000.0)],
    "frames": [("49", 49), (49, 49), (49.0, 49)],
    "video": [("5", 5.0), ("5s", 5.0), ("5 min", 300.0), ("0.5 h", 1800.0), (5, 5.0)],
    "audio_in": [("30s", 30.0), ("1,5 min", 90.0)],
    "date": [("2025", date(2025, 7, 1)), (2025, date(2025, 7, 1)),
             ("2025-03-01", date(2025, 3, 1))],
    "like": [("Small", "small"), (" frontier ", "frontier")],
    "serving": [("offline", "offline")],
    "zone": [(" FRA ", "FRA")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "given_value", "read"),
    [(name, value, read) for name, pairs in GOOD.items() for value, read in pairs],
)
def test_values_are_read_as_people_write_them(name: str, given_value: object, read: object) -> None:
    with speaking("fr" if isinstance(given_value, str) and "," in given_value else "en"):
        assert BY_NAME[name].read(given_value) == read


@pytest.mark.parametrize("text", ["1024x768", "1024×768", " 1024 X 768 ", "1024*768"])
def test_sizes_are_read(text: str) -> None:
    use = activity({**BASE, "size": text})
    assert (use.width_px, use.height_px) == (1024, 768)


BAD_NUMBERS: list[object] = [
    "", " ", "a", "é", "１e", "1,2,3", "0x10", "--5", -5, "-5", float("nan"), "nan", "inf",
    float("inf"), "-inf", "1e400", 10**400, 10**6000, True, False, [], {}, [1], b"5", object(),
    "9" * 1_000_000, "1" + "0" * 400, "½", "5\x00", "null",
]  # fmt: skip


@pytest.mark.parametrize("field", numbers, ids=lambda field: field.name)
@pytest.mark.parametrize("value", BAD_NUMBERS, ids=briefly)
def test_numbers_that_are_none_are_refused_in_a_short_sentence(field: Field, value: object) -> None:
    with pytest.raises(InvalidValue) as caught:
        field.read(value)
    for language in ("en", "fr"):
        with speaking(language):
            assert field.name in caught.value.sentence()
            assert len(str(caught.value)) < 240


@pytest.mark.parametrize("field", numbers, ids=lambda field: field.name)
def test_bounds_are_in_and_beyond_them_is_out(field: Field) -> None:
    assert field.read(field.high) == field.high
    if field.kind == "number":
        assert field.read(field.low) == field.low
    for beyond in (field.low - 1, field.high * 1.01 + 1):
        with pytest.raises(InvalidValue, match="between"):
            field.read(beyond)


BAD: dict[str, list[object]] = {
    "size": ["1024", "1024x", "x1024", "0x0", "15x16", "16385x16", "-1x5", 1024, None, "axb",
             "1e3x1e3", "99999x99999", "1024x1024x3", ["1", "2"]],
    "date": ["hier", "25", "1999", "2101", "2025-13-01", "2025-02-30", 10**400, 10**6000, -1, True,
             2025.5, [], "0000", "２０２５-99-99"],
    "video": ["-5s", "5 Wh", "5 parsecs", "s", "", "1e400 s", True, [], -1, "12 days ago",
              float("nan")],
    "like": ["huge", "", 5, True, []],
    "serving": ["batch", "", 0],
    "model": ["", "   ", 5, True, [], "x" * 201],
    "zone": ["", 5, {}, "z" * 1_000_000],
    "precision": [16, ""],
    "frames": [1.5, "1.5"],
    "count": [2.5],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in BAD.items() for value in values],
    ids=briefly,
)
def test_other_values_of_the_wrong_kind_are_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidValue) as caught:
        BY_NAME[name].read(value)
    assert len(str(caught.value)) < 240


CONTRADICTIONS: list[dict[str, object]] = [
    {"model": "gpt-4o", "in": 10, "cached": 11},
    {"model": "gpt-4o", "cached": 1},
    {"model": "gpt-4o", "out": 10, "reasoning": 11},
    {"model": "gpt-4o", "reasoning": 5},
    {"parameters": 7e9, "active": 8e9},
    {"model": "gpt-4o", "active": 8e9},
    {"model": "gpt-4o", "parameters": 8e9},
    {"model": "gpt-4o", "like": "small"},
    {"like": "small", "parameters": 8e9},
    {},
    {"model": None},
    {"model": "gpt-4o", "count": 8},
    {"model": "wan2.1-t2v-14b", "video": 5, "fps": 16, "frames": 200},
]


@pytest.mark.parametrize("use", CONTRADICTIONS, ids=json.dumps)
def test_fields_that_contradict_one_another_are_refused(use: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        activity(use)


def test_an_unknown_field_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean: cached"):
        activity({**BASE, "cache": 5})
    with pytest.raises(UnknownName):
        activity({**BASE, "x" * 1_000_000: 5})


def test_none_is_the_same_as_absent_and_id_is_no_field() -> None:
    bare = activity(BASE)
    assert activity({**BASE, "in": None, "zone": None, "id": object()}) == bare


def test_nothing_is_guessed() -> None:
    use = activity(BASE)
    stated = {name for name in Activity.__slots__ if getattr(use, name) not in (None, 0.0)}
    assert stated == {"model", "calls", "serving"}


@given(st.dictionaries(st.sampled_from(ISSUED), st.integers(1, 20), max_size=6))
def test_what_a_use_says_wins_over_defaults(defaults: dict[str, int]) -> None:
    both = over(defaults, {"model": "gpt-4o", "zone": "FRA"})
    assert both["model"] == "gpt-4o"
    assert both["zone"] == "FRA"
    assert not {"region", "parameters", "active", "like"} & set(both)
    assert over(defaults, {}) == defaults


names = st.one_of(st.sampled_from(ISSUED), st.text(max_size=8))
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.binary(),
    st.sampled_from(["gpt-4o", "FRA", "5s", "1024x1024", "2025", "fp8", "h100-sxm", "small"]),
)  # fmt: skip
values = st.one_of(
    scalars, st.lists(scalars, max_size=2), st.dictionaries(names, scalars, max_size=2)
)


@given(st.dictionaries(names, values, max_size=5))
def test_any_mapping_gives_a_use_or_a_sentence(use: dict[str, Any]) -> None:
    try:
        result: object = activity(use)
    except KilowhatError as error:
        result = str(error)
    assert isinstance(result, Activity) or 0 < len(str(result)) < 700


training_names = st.one_of(st.sampled_from([f.name for f in TRAINING_FIELDS]), st.text(max_size=8))


@given(st.dictionaries(training_names, values, max_size=5))
def test_any_mapping_gives_a_training_or_a_sentence(known: dict[str, Any]) -> None:
    try:
        result: object = TrainingQuestion(**training_values(known))
    except KilowhatError as error:
        result = str(error)
    assert isinstance(result, TrainingQuestion) or 0 < len(str(result)) < 700
