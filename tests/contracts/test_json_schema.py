"""Every JSON that the command line prints follows its published schema, gaps included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry, Resource

from kilowhat.assessment.uses import FIELDS, activity
from kilowhat.cli import run
from kilowhat.errors import UsageError
from kilowhat.language import set_language

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = {
    path.name: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "docs" / "schema").glob("*.json"))
}
KNOWN = Registry().with_resources(
    (name, Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)


def validator(name: str, definition: str | None = None) -> Draft202012Validator:
    reference = f"{name}#/$defs/{definition}" if definition else name
    return Draft202012Validator({"$ref": reference}, registry=KNOWN)


def is_valid(name: str, value: object) -> bool:
    found: bool = validator(name).is_valid(value)
    return found


@pytest.fixture(name="printed")
def _printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., str]]:
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def call(*arguments: str, code: int = 0) -> str:
        assert run(arguments) == code, capsys.readouterr().err
        return capsys.readouterr().out

    yield call
    set_language("en")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_says_what_it_describes(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["title"]
    assert SCHEMAS[name]["description"]


ESTIMATES = {
    "closed model": ("gpt-4o", "--out", "400", "--zone", "FRA"),
    "everything beside": (
        "gpt-4o", "--out", "400", "--zone", "FRA", "--versus", "gpt-4o-mini", "--methods",
        "--users", "1e6", "--per-day", "3", "--market", "--marginal",
    ),
    "own machine": (
        "llama-3.1-8b", "--in", "500", "--out", "300", "--accelerator", "rtx-4090",
        "--concurrency", "1",
    ),
    "one call of a described model": ("--parameters", "70e9", "--out", "300", "--this-call"),
    "per million tokens": ("gpt-4o", "--in", "9", "--out", "9", "--per", "1M-tokens"),
    "image": ("stable-diffusion-3.5-large", "--images", "1", "--size", "1024x1024"),
    "a zone without some factors": ("gpt-4o", "--out", "400", "--zone", "US-CAL-CISO"),
    "French": ("gpt-4o", "--out", "400", "--lang", "fr"),
}  # fmt: skip


@pytest.mark.parametrize("arguments", ESTIMATES.values(), ids=ESTIMATES)
def test_an_estimate_follows_its_schema(
    printed: Callable[..., str], arguments: tuple[str, ...]
) -> None:
    validator("assessment.json").validate(json.loads(printed("estimate", *arguments, "--json")))


def test_python_gives_the_same_form_as_the_command_line() -> None:
    from kilowhat import estimate

    result = json.loads(json.dumps(estimate("gpt-4o", out=400, zone="FRA").to_dict()))
    validator("assessment.json").validate(result)


def test_a_gap_is_an_object_with_its_reason(printed: Callable[..., str]) -> None:
    result = json.loads(printed("estimate", "gpt-4o", "--out", "400", "--json"))
    gap = result["stages"]["embodied"]["water"]
    assert set(gap) == {"unit", "missing"}
    for wrong in ({"unit": "L"}, {"unit": "L", "missing": ""}, {"unit": "L", "p50": 0.0}, None, 0):
        result["impacts"]["water"] = wrong
        assert not is_valid("assessment.json", result)
    result["impacts"]["water"] = gap
    assert is_valid("assessment.json", result)


def test_the_schema_sees_a_wrong_result(printed: Callable[..., str]) -> None:
    text = printed("estimate", "gpt-4o", "--out", "400", "--json")
    for break_it in (
        lambda d: d["impacts"].pop("adpe"),
        lambda d: d["impacts"]["energy"].update(unit="Wh"),
        lambda d: d["trail"][0].pop("source"),
        lambda d: d["boundary"].append("moon"),
        lambda d: d.update(total=1),
        lambda d: d["stages"].update(cooling={}),
    ):
        result = json.loads(text)
        break_it(result)
        assert not is_valid("assessment.json", result)


def _lines(printed: Callable[..., str], tmp_path: Path, *more: str) -> list[dict[str, Any]]:
    """The results of the sample, and of three lines that are wrong, each in its own way."""
    file = tmp_path / "uses.jsonl"
    sample = (ROOT / "examples" / "usage.jsonl").read_text(encoding="utf-8")
    wrong = '{"id": 7, "model": "no-such-model", "out": 5}\n{"model": "gpt-4o", "oot": 5}\n[]\n'
    file.write_text(sample + wrong, encoding="utf-8")
    text = printed("estimate", "--from", str(file), "--zone", "FRA", "--json", *more, code=5)
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("more", [(), ("--impacts-only",)])
def test_lines_follow_their_schema(
    printed: Callable[..., str], tmp_path: Path, more: tuple[str, ...]
) -> None:
    results = _lines(printed, tmp_path, *more)
    for result in results:
        validator("result_line.json").validate(result)
    assert [result["error"]["kind"] for result in results if "error" in result] == [
        "UnknownModel", "UnknownName", "InvalidValue",
    ]  # fmt: skip
    assert [result.get("id") for result in results[-3:]] == [7, None, None]


def test_the_sample_follows_the_schema_of_a_use() -> None:
    lines = (ROOT / "examples" / "usage.jsonl").read_text(encoding="utf-8").splitlines()
    assert 12 <= len(lines) <= 40
    for line in lines:
        validator("use.json").validate(json.loads(line))


def test_the_schema_of_a_use_holds_the_fields_and_bounds_of_the_program() -> None:
    properties = SCHEMAS["use.json"]["properties"]
    assert set(properties) == {"id", *(field.name for field in FIELDS)}
    for field in FIELDS:
        shown = properties[field.name]
        assert shown["description"] == field.help
        if field.kind in ("number", "integer", "duration"):
            assert shown["anyOf"][0]["minimum"] == field.low
            assert shown["anyOf"][0]["maximum"] == field.high


@pytest.mark.parametrize(
    "use",
    [
        {"model": "gpt-4o", "in": 5, "out": 5},
        {"model": "gpt-4o", "date": 2025},
        {"model": "gpt-4o", "audio_in": "30s"},
        {"model": "gpt-4o", "out": -1},
        {"model": "gpt-4o", "out": 1e9},
        {"model": "gpt-4o", "like": "small"},
        {"model": "gpt-4o", "serving": "later"},
        {"model": "gpt-4o", "size": "big"},
        {"model": "gpt-4o", "date": "yesterday"},
        {"model": "gpt-4o", "steps": 2.5},
        {"model": "", "out": 5},
        {"model": "gpt-4o", "count": 8},
        {"parameters": 7e9, "out": 5},
        {"active": 7e9, "out": 5},
        {"colour": "blue", "model": "gpt-4o"},
        {},
    ],
)
def test_schema_and_program_accept_the_same_uses(use: dict[str, object]) -> None:
    try:
        activity(use)
    except UsageError:
        assert not is_valid("use.json", use)
    else:
        assert is_valid("use.json", use)


OTHERS = {
    "train, from a card": ("train.json", ("train", "llama-3.1-405b")),
    "train, one road": (
        "train.json", ("train", "--gpu-hours", "1e6", "--accelerator", "h100-sxm"),
    ),
    "compare": ("compare.json", ("compare", "2.9 Wh")),
    "compare back": ("compare.json", ("compare", "1 h microwave", "--to", "led")),
    "config": ("config.json", ("config",)),
    "families": ("data.json", ("data", "list")),
    "factors": ("data.json", ("data", "list", "grid.fra")),
    "rows": ("data.json", ("data", "show", "grid.fra.gwp_location")),
    "sources": ("data.json", ("data", "cite", "grid.fra.gwp_location")),
    "report": ("data.json", ("data", "check")),
    **{
        name: ("list.json", ("list", name))
        for name in ("models", "zones", "regions", "accelerators", "equivalences")
    },
}  # fmt: skip


@pytest.mark.parametrize(("schema", "arguments"), OTHERS.values(), ids=OTHERS)
def test_the_other_verbs_follow_their_schemas(
    printed: Callable[..., str], schema: str, arguments: tuple[str, ...]
) -> None:
    validator(schema).validate(json.loads(printed(*arguments, "--json")))


def test_a_difference_follows_its_schema(printed: Callable[..., str], tmp_path: Path) -> None:
    for folder in ("factors", "sources"):
        (tmp_path / folder).mkdir()
    (tmp_path / "factors" / "grid.csv").write_text(
        "id,low,central,high,unit,shape,basis,boundary,valid_from,valid_to,source,locator,note\n"
        "grid.fra.gwp_location,30,35,40,gCO2e/kWh,lognormal,declared,GRID|UPSTREAM,2025-01-01,"
        "2025-12-31,mine,letter,\n",
        encoding="utf-8",
    )
    (tmp_path / "sources" / "mine.csv").write_text(
        "key,title,publisher,year,url,doi,licence,redistributable,retrieved,sha256\n"
        "mine,Our contract,Us,2025,,,own,no,2026-11-22,\n",
        encoding="utf-8",
    )
    found = json.loads(printed("data", "diff", str(tmp_path), "--json"))
    assert found
    validator("data.json").validate(found)
    rows = json.loads(printed("data", "show", "grid.fra.gwp_location", "--json", "--factors",
                              str(tmp_path)))  # fmt: skip
    assert any(row["is_user"] for row in rows)
    validator("data.json").validate(rows)


def test_the_page_names_every_schema() -> None:
    for page in ("docs/json.md", "docs/fr/json.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for name in SCHEMAS:
            assert f"schema/{name}" in text, (page, name)


def test_validation_is_not_vacuous() -> None:
    with pytest.raises(ValidationError):
        validator("train.json").validate({"roads": {"by feel": {}}})
