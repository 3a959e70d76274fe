"""Every error: its fields make one sentence in each language, and it survives a process."""

from __future__ import annotations

import pickle
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat import errors
from kilowhat.errors import KilowhatError, UnknownName, UsageError
from kilowhat.language import LANGUAGES, speaking

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, KilowhatError)
]
each = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
languages = pytest.mark.parametrize("language", LANGUAGES)
NUMBERS = {"count": 2, "line": 7, "needed_gb": 140.5, "available_gb": 80.0}
LISTS = {"nearest": ["one", "two"], "tried": ["a.b.c", "a.d.c"], "available": ["bf16", "fp8"]}


def fields_of(kind: type[KilowhatError]) -> set[str]:
    """The fields that an error's sentence and advice name."""
    texts = (kind.template, kind.hint)
    named = {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}
    return named | ({"name", "nearest"} if issubclass(kind, UnknownName) else set())


def example(kind: type[KilowhatError]) -> KilowhatError:
    values = {name: NUMBERS.get(name, LISTS.get(name, f"<{name}>")) for name in fields_of(kind)}
    return kind(**values)


def test_the_tree_in_the_docstring_is_the_real_one() -> None:
    lines = re.findall(r"^([ │├└─]*)(\w+)(?: {2,}\S.*)?$", errors.__doc__ or "", re.MULTILINE)
    drawn: dict[str, str] = {}
    parents: dict[int, str] = {}
    for indent, name in lines:
        if name not in vars(errors):
            continue
        depth = len(indent)
        above = [parents[d] for d in sorted(parents) if d < depth]
        drawn[name] = above[-1] if above else "Exception"
        parents = {d: n for d, n in parents.items() if d < depth} | {depth: name}
    assert drawn == {kind.__name__: kind.__base__.__name__ for kind in KINDS if kind.__base__}


@each
@languages
def test_the_sentence_is_whole_in_each_language(kind: type[KilowhatError], language: str) -> None:
    error = example(kind)
    with speaking(language):
        sentence, advice = error.sentence(), error.advice()
    assert sentence.endswith((".", "!", "?"))
    assert "\n" not in sentence
    for name in fields_of(kind):
        shown = LISTS.get(name, [str(error.fields[name])])
        assert all(str(item) in sentence + advice for item in shown), name
    assert not re.search(r"\{\w*\}", sentence + advice)


@each
def test_french_is_not_english(kind: type[KilowhatError]) -> None:
    error = example(kind)
    english = str(error)
    with speaking("fr"):
        french = str(error)
    assert french != english


@each
def test_fields_can_be_read_by_name(kind: type[KilowhatError]) -> None:
    error = example(kind)
    for name, value in error.fields.items():
        assert getattr(error, name) == value
    with pytest.raises(AttributeError):
        error.nothing_of_the_kind  # noqa: B018


@each
def test_errors_survive_another_process(kind: type[KilowhatError]) -> None:
    error = example(kind)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert copy.fields == error.fields
    assert str(copy) == str(error)


@each
def test_names_are_nouns_and_said_in_a_line(kind: type[KilowhatError]) -> None:
    assert not kind.__name__.startswith(("Cannot", "Raise", "No"))
    assert (kind.__doc__ or "").strip().endswith(".")


@pytest.mark.parametrize(
    "kind", [k for k in KINDS if issubclass(k, UnknownName) and k is not UnknownName]
)
def test_nearest_names_are_offered_only_when_there_are_some(kind: type[UnknownName]) -> None:
    assert "Did you mean: one, two?" in str(kind(name="x", nearest=["one", "two"]))
    assert "Did you mean" not in str(kind(name="x", nearest=[]))


def test_unknown_models_are_told_how_to_describe_themselves() -> None:
    advice = errors.UnknownModel(name="x", nearest=[]).advice()
    assert "--parameters 70e9" in advice
    assert "--like" in advice


@pytest.mark.parametrize(
    "value",
    ["x" * 1_000_000, "a\nb\r\nc", 10**6000, -(10**6000), float("nan"), b"\xff", None, True, []],
    ids=lambda value: type(value).__name__,
)
def test_a_sentence_stays_one_short_line(value: object) -> None:
    for error in (
        errors.InvalidValue(name="out", value=value, expected="a number is needed"),
        errors.UnknownModel(name=value, nearest=[]),
    ):
        assert len(error.sentence()) < 200
        assert "\n" not in error.sentence()


@given(st.text(), st.text(), st.text())
def test_what_was_typed_can_hold_anything(name: str, value: str, expected: str) -> None:
    """Braces and percent signs in a value must not be taken for a template."""
    error = errors.InvalidValue(name=name, value=value, expected=expected)
    for language in LANGUAGES:
        with speaking(language):
            assert isinstance(str(error), str)


def test_only_what_the_caller_can_mend_is_wrong_use() -> None:
    ours = {errors.DimensionError, errors.BoundaryError, errors.DataError}
    assert {k for k in KINDS if not issubclass(k, UsageError)} == ours | {KilowhatError}
