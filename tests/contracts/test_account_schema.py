"""What `kilowhat account` prints and reads follows its published schemas; the examples too."""

from __future__ import annotations

import json
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

import examples
from kilowhat.api import account
from kilowhat.cli import run
from kilowhat.domain.coverage import LENGTHS, PRICINGS, REASONS
from kilowhat.domain.inventory import KEYS
from kilowhat.errors import KilowhatError, UsageError
from kilowhat.language import set_language
from kilowhat.ledger import cells, given, hourly, mapping, places
from kilowhat.ledger.alternatives import CHANGEABLE
from kilowhat.ledger.calls import COLUMNS
from kilowhat.ledger.engine import opened, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "tests" / "contracts" / "logs"
EXAMPLES = ROOT / "examples"
PAGES = ("docs/account.md", "docs/fr/account.md")
SCHEMAS = {
    path.name: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "docs" / "schema").glob("*.json"))
}
KNOWN = Registry().with_resources(
    (name, Resource.from_contents(schema)) for name, schema in SCHEMAS.items()
)
TOML = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
IN_PART, OVER_BUDGET = 5, 4


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": name}, registry=KNOWN, format_checker=FormatChecker())


def is_valid(name: str, value: object) -> bool:
    found: bool = validator(name).is_valid(value)
    return found


@pytest.fixture(name="printed")
def _printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[..., tuple[int, Any]]]:
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("KILOWHAT_SALT", "a salt for tests")
    monkeypatch.chdir(ROOT)

    def call(*arguments: str) -> tuple[int, Any]:
        code = run(("account", *arguments, "--json"))
        captured = capsys.readouterr()
        assert code in {0, OVER_BUDGET, IN_PART}, captured.err
        return code, json.loads(captured.out)

    yield call
    set_language("en")


SAMPLES = sorted(folder.name for folder in LOGS.iterdir() if any(folder.glob("sample*")))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_inventory_of_each_format_follows_its_schema(
    printed: Callable[..., tuple[int, Any]], name: str
) -> None:
    files = [str(path.relative_to(ROOT)) for path in sorted((LOGS / name).glob("sample*"))]
    code, found = printed(*files)
    validator("inventory.json").validate(found)
    assert found["coverage"]["rows"] > 0
    assert (code == IN_PART) == bool(found["coverage"]["refused"])


QUESTIONS = {
    "as it is": (),
    "everything beside": (
        "--map", "examples/mapping.toml", "--zones", "examples/zones.toml",
        "--what-if", "zone=SWE", "--what-if", "model=gpt-4o-mini", "--since", "2025-10-16",
        "--compare-to", "2025-10-01..2025-10-15", "--budget", "1 Wh/day:p95",
    ),
    "French": ("--lang", "fr", "--timezone", "Europe/Paris", "--what-if", "region=aws:eu-west-3"),
    "a period without a call": ("--since", "2024"),
    "by each key": tuple(word for key in KEYS for word in ("--by", key)),
    "by several keys": ("--by", "day,model", "--by", "hour,weekday,user"),
}  # fmt: skip


@pytest.mark.parametrize("arguments", QUESTIONS.values(), ids=QUESTIONS)
def test_the_inventory_of_the_examples_follows_its_schema(
    printed: Callable[..., tuple[int, Any]], arguments: tuple[str, ...]
) -> None:
    code, found = printed("examples/logs", *arguments)
    validator("inventory.json").validate(found)
    assert ("budget" in found) == ("--budget" in arguments)
    assert code == (OVER_BUDGET if "--budget" in arguments else 0)


def test_another_method_gives_the_same_form(printed: Callable[..., tuple[int, Any]]) -> None:
    pytest.importorskip("ecologits")
    _, found = printed("examples/logs", "--method", "ecologits", "--zones", "examples/zones.toml",
                       "--by", "team,model", "--what-if", "zone=SWE")  # fmt: skip
    validator("inventory.json").validate(found)
    assert found["coverage"]["pricing"]["none"] > 0


def test_refused_rows_follow_the_schema(
    printed: Callable[..., tuple[int, Any]], tmp_path: Path
) -> None:
    log = tmp_path / "damaged.jsonl"
    log.write_text(
        '{"model": "gpt-4o", "prompt_tokens": 100, "completion_tokens": 20}\n'
        '{"model": "gpt-4o", "prompt_tokens": -1, "completion_tokens": 20}\nnot JSON\n',
        encoding="utf-8",
    )
    code, found = printed(str(log))
    validator("inventory.json").validate(found)
    assert code == IN_PART
    assert found["coverage"]["refused"] == {"negative number": 1, "not JSON": 1}
    places_ = {(row["line"], row["reason"]) for row in found["coverage"]["refused_rows"]}
    assert places_ == {(2, "negative number"), (3, "not JSON")}


@pytest.fixture(name="accounted", scope="module")
def _accounted() -> str:
    """An inventory from Python, as JSON."""
    table, told = str(EXAMPLES / "own_table.csv"), str(EXAMPLES / "own_table.toml")
    found = account(table, mapping=told, what_if="zone=SWE", budget="1 MWh")
    return json.dumps(found.to_dict())


@pytest.mark.parametrize(
    "break_it",
    [
        lambda d: d.pop("coverage"),
        lambda d: d.update(total=1),
        lambda d: d["impacts"]["energy"].update(unit="Wh"),
        lambda d: d["by"][0]["rows"][0]["key"].update(moon="full"),
        lambda d: d["by"][0]["rows"][0]["usage"].update(calls=1.5),
        lambda d: d["by"][0]["rows"][0]["impacts"].pop("water"),
        lambda d: d["coverage"]["pricing"].update(guess=1),
        lambda d: d["coverage"]["refused"].update({"bad luck": 1}),
        lambda d: d["coverage"]["models"][0].update(how="by feel"),
        lambda d: d["boundary"].append("moon"),
        lambda d: d["alternatives"][0]["change"]["ghg"].update(unit="gCO2e"),
        lambda d: d["period"].update(start="last week"),
        lambda d: d["stages"].update(cooling={}),
        lambda d: d["budget"].update(point="p99"),
    ],
)
def test_the_schema_sees_a_wrong_inventory(
    accounted: str, break_it: Callable[[Any], object]
) -> None:
    found = json.loads(accounted)
    assert is_valid("inventory.json", found)
    break_it(found)
    assert not is_valid("inventory.json", found)


def test_the_schemas_hold_the_words_of_the_program() -> None:
    defined = SCHEMAS["inventory.json"]["$defs"]
    assert defined["key"]["propertyNames"]["enum"] == list(KEYS)
    assert defined["table"]["properties"]["keys"]["items"]["enum"] == list(KEYS)
    parts = defined["coverage"]["properties"]
    for part, words in (("pricing", PRICINGS), ("lengths", LENGTHS), ("refused", REASONS)):
        assert parts[part]["propertyNames"]["enum"] == list(words)
    names = SCHEMAS["mapping.json"]["properties"]["columns"]["propertyNames"]["enum"]
    assert names == list(COLUMNS)
    assert list(SCHEMAS["cells.json"]["properties"]) == [*cells.KEYS, *cells.SUMS]


# The files that people write

DOCUMENTED = [
    (page, number, text)
    for page in PAGES
    for number, text in enumerate(TOML.findall((ROOT / page).read_text(encoding="utf-8")))
]


def kind_of(told: dict[str, object]) -> str:
    return "zones.json" if set(told) & {"rule", "default"} else "mapping.json"


def load(path: Path, kind: str) -> object:
    return places.read(path) if kind == "zones.json" else mapping.read(path)


@pytest.mark.parametrize(("page", "number", "text"), DOCUMENTED)
def test_what_the_pages_show_is_read(tmp_path: Path, page: str, number: int, text: str) -> None:
    told = tomllib.loads(text)
    validator(kind_of(told)).validate(told)
    file = tmp_path / "shown.toml"
    file.write_text(text, encoding="utf-8")
    assert load(file, kind_of(told)), (page, number)


def test_both_pages_show_the_same_files() -> None:
    shown = [[tomllib.loads(text) for p, _, text in DOCUMENTED if p == page] for page in PAGES]
    assert shown[0] == shown[1]
    assert len(shown[0]) >= 3


@pytest.mark.parametrize("name", ["mapping.toml", "zones.toml", "own_table.toml"])
def test_the_example_files_are_read(name: str) -> None:
    told = tomllib.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    validator(kind_of(told)).validate(told)
    assert load(EXAMPLES / name, kind_of(told))


WRONG = {
    "a column that is none of ours": ("mapping.json", '[columns]\nmodle = "x"'),
    "an unknown table": ("mapping.json", '[column]\nmodel_served = "x"'),
    "a unit of time that there is not": (
        "mapping.json", '[columns]\nts_start = { column = "t", unit = "h" }',
    ),
    "neither a column nor a value": ("mapping.json", '[columns]\nts_start = { unit = "ms" }'),
    "an unknown word of a column": (
        "mapping.json", '[columns]\nts_start = { column = "t", unti = "ms" }',
    ),
    "a scale of zero": ("mapping.json", '[columns]\nlatency_s = { column = "t", scale = 0 }'),
    "a scale that is a text": (
        "mapping.json", '[columns]\nlatency_s = { column = "t", scale = "2" }',
    ),
    "a number for a column": ("mapping.json", "[columns]\nlatency_s = 3"),
    "a number for a model": ("mapping.json", '[models]\n"x" = 3'),
    "nothing for a model": ("mapping.json", '[models]\n"x" = {}'),
    "columns that are no table": ("mapping.json", 'columns = "x"'),
    "a rule without a place": ("zones.json", '[[rule]]\nprovider = "openai"'),
    "a rule with two places": (
        "zones.json", '[[rule]]\nzone = "FRA"\nregion = "aws:eu-west-3"',
    ),
    "an unknown word of a rule": ("zones.json", '[[rule]]\nzone = "FRA"\nuser = "me"'),
    "a single rule": ("zones.json", '[rule]\nzone = "FRA"'),
    "rules under another name": ("zones.json", 'default = "FRA"\n[[rules]]\nzone = "FRA"'),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "text"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_refused_by_schema_and_program(
    tmp_path: Path, schema: str, text: str
) -> None:
    assert not is_valid(schema, tomllib.loads(text))
    file = tmp_path / "wrong.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError):
        load(file, schema)


def test_what_a_use_may_hold_for_a_model_is_a_field_of_a_use() -> None:
    described = SCHEMAS["mapping.json"]["$defs"]["use"]["anyOf"][1]["properties"]
    fields = SCHEMAS["use.json"]["properties"]
    assert set(described) <= set(fields)
    assert set(CHANGEABLE) <= set(described)


# Tables


def rows_of(path: Path) -> list[dict[str, object]]:
    """The rows of a Parquet file, as JSON values."""
    with opened(threads=1) as engine:
        relation = f"SELECT * FROM read_parquet({quoted(str(path))})"
        names = list(engine.names(relation))
        found = [dict(zip(names, row, strict=True)) for row in engine.rows(relation)]
    return [
        {name: int(value) if isinstance(value, Decimal) else value for name, value in row.items()}
        for row in found
    ]


def test_saved_cells_follow_their_schema(
    printed: Callable[..., tuple[int, Any]], tmp_path: Path
) -> None:
    file = tmp_path / "cells.parquet"
    _, whole = printed("examples/logs", "--by", "hour,user,team", "--save-cells", str(file))
    rows = rows_of(file)
    assert len(rows) > 100
    for row in rows:
        validator("cells.json").validate(row)
    assert sum(int(str(row["calls"])) for row in rows) == whole["usage"]["calls"]
    _, again = printed("--cells", str(file), "--by", "hour,user,team")
    assert again["impacts"] == whole["impacts"]
    assert again["by"] == whole["by"]


LEAST = {"model": "gpt-4o", "calls": 2, "fresh_tokens": 2400, "output_tokens": 800}


@pytest.mark.parametrize(
    ("change", "is_right"),
    [
        ({}, True),
        ({"day": 20000, "team": "a", "input_x_output": 960000, "of_another": "x"}, True),
        ({"provider": None, "region": None}, True),
        ({"calls": None}, False),
        ({"calls": -1}, False),
        ({"output_tokens": "many"}, False),
        ({"day": "yesterday"}, False),
    ],
)
def test_cells_are_refused_by_schema_and_program(
    tmp_path: Path, change: dict[str, object], is_right: bool
) -> None:
    row = {**LEAST, **change}
    assert is_valid("cells.json", row) is is_right
    file = tmp_path / "cells.csv"
    values = ",".join("" if value is None else str(value) for value in row.values())
    file.write_text(f"{','.join(row)}\n{values}\n", encoding="utf-8")
    with opened(threads=1) as engine:
        if is_right:
            assert engine.rows(given.load(engine, file, "mine"))
        else:
            with pytest.raises(UsageError):
                given.load(engine, file, "mine")


@pytest.mark.parametrize("missing", LEAST)
def test_cells_without_a_column_are_refused(tmp_path: Path, missing: str) -> None:
    row = {name: value for name, value in LEAST.items() if name != missing}
    assert not is_valid("cells.json", row)
    file = tmp_path / "cells.csv"
    file.write_text(f"{','.join(row)}\n{','.join(map(str, row.values()))}\n", encoding="utf-8")
    with opened(threads=1) as engine, pytest.raises(UsageError):
        given.load(engine, file, "mine")


HOUR = {"zone": "FRA", "start": "2025-10-07T10:00:00Z", "gwp": 21.5}


@pytest.mark.parametrize(
    ("change", "is_right"),
    [
        ({}, True),
        ({"boundary": "direct", "of_another": "x"}, True),
        ({"boundary": "life-cycle", "start": "2025-10-07 10:00:00"}, True),
        ({"gwp": -1}, False),
        ({"gwp": 50_000}, False),
        ({"gwp": None}, False),
        ({"start": None}, False),
        ({"start": "noon"}, False),
        ({"zone": None}, False),
        ({"boundary": "half"}, False),
    ],
)
def test_an_hourly_table_is_refused_by_schema_and_program(
    tmp_path: Path, change: dict[str, object], is_right: bool
) -> None:
    row = {**HOUR, **change}
    assert is_valid("hourly.json", row) is is_right
    file = tmp_path / "hourly.csv"
    values = ",".join("" if value is None else str(value) for value in row.values())
    file.write_text(f"{','.join(row)}\n{values}\n", encoding="utf-8")
    with opened(threads=1) as engine:
        if is_right:
            assert hourly.load(engine, file) in hourly.BOUNDARIES
        else:
            with pytest.raises(KilowhatError):
                hourly.load(engine, file)


# The example logs


def test_the_example_logs_are_what_their_script_makes() -> None:
    assert examples.differing() == []


def test_the_example_logs_are_small_and_whole(printed: Callable[..., tuple[int, Any]]) -> None:
    files = [path for path in EXAMPLES.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 300_000
    _, found = printed("examples/logs", "--map", "examples/mapping.toml",
                       "--zones", "examples/zones.toml")  # fmt: skip
    assert set(found["formats"]) == {"claude-code", "litellm", "openai-usage", "otel", "table"}
    assert found["period"] == {
        "start": "2025-10-01", "end": "2025-10-31", "timezone": "UTC",
        "days": found["period"]["days"],
    }  # fmt: skip
    coverage = found["coverage"]
    assert 300 <= coverage["calls"] <= 999
    assert coverage["priced_share"] == 1
    assert not coverage["refused"]
    assert coverage["repeated"] > 0
    assert coverage["pricing"]["mapping"] > 0
