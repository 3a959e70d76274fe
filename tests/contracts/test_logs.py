"""Every log format: its samples, written by real clients where they can be, as expected rows."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kilowhat.ledger import formats, readers, repeats
from kilowhat.ledger.calls import COLUMNS
from kilowhat.ledger.engine import opened
from kilowhat.ledger.ingest import Ingest

if TYPE_CHECKING:
    from kilowhat.ledger.ingest import Log

LOGS = Path(__file__).parent / "logs"
FOLDERS = sorted(path.name for path in LOGS.iterdir() if path.is_dir())
_EACH_ONCE = {"claude-code", "codex", "gemini-cli", "llama-cpp"}
"""Formats that repeat a call over several records: what is expected has each once."""
_NUMBERS = {"BIGINT", "DOUBLE"}


def expected(name: str) -> tuple[list[str], list[dict[str, str]]]:
    """The columns and rows that the samples of a format stand for, written without our SQL."""
    with (LOGS / name / "expected.csv").open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        return list(reader.fieldnames or []), list(reader)


def found(name: str, columns: list[str]) -> tuple[list[dict[str, Any]], Log]:
    """The rows that the samples of a format give, each format found by looking."""
    samples = sorted((LOGS / name).glob("sample*"))
    with opened(threads=2) as engine:
        log = Ingest(engine).read(readers.discover([str(path) for path in samples]).sources)
        rows = []
        relations = log.relations
        if name in _EACH_ONCE:
            relations, count = repeats.drop(engine, relations)
            assert count > 0
        for relation in relations:
            wanted = [*relation.present, "file", "line"]
            listed = ", ".join(
                f'"{column}"::VARCHAR AS "{column}"' if column in wanted else f'NULL AS "{column}"'
                for column in columns
            )
            found_ = engine.rows(f"SELECT {listed} FROM {relation.located}")
            rows += [dict(zip(columns, row, strict=True)) for row in found_]
            extra = set(relation.present) - {*columns, "source_id"} - _nothing_in(engine, relation)
            assert not extra, f"columns that expected.csv does not check: {sorted(extra)}"
    for row in rows:
        row["file"] = Path(str(row["file"])).name
    return rows, log


def _nothing_in(engine: Any, relation: Any) -> set[str]:
    """The columns of a relation that hold no value."""
    counts = ", ".join(f'count("{column}")' for column in relation.present)
    told = engine.rows(f"SELECT {counts} FROM {relation.located}")[0]
    return {name for name, count in zip(relation.present, told, strict=True) if not count}


def canonical(row: dict[str, Any]) -> tuple[Any, ...]:
    """A row to compare: numbers as numbers, nothing as "", times without idle zeros."""
    values = []
    for name, value in sorted(row.items()):
        kind = COLUMNS.get(name, "BIGINT" if name == "line" else "VARCHAR")
        text = "" if value is None else str(value)
        if text and kind in _NUMBERS:
            number = float(text)
            values.append((name, float(f"{number:.9g}")))
        elif kind == "TIMESTAMP" and "." in text:
            values.append((name, text.rstrip("0").rstrip(".")))
        else:
            values.append((name, text))
    return tuple(values)


def test_every_format_has_samples() -> None:
    assert set(FOLDERS) == set(formats.formats())


@pytest.mark.parametrize("name", FOLDERS)
def test_samples_give_the_expected_rows(name: str) -> None:
    columns, wanted = expected(name)
    rows, log = found(name, columns)
    assert set(log.files) == {name}
    mine, theirs = (sorted(map(canonical, of), key=str) for of in (rows, wanted))
    for row, other in zip(mine, theirs, strict=False):
        assert row == other
    assert len(mine) == len(theirs) > 0


@pytest.mark.parametrize("name", FOLDERS)
def test_samples_say_how_they_were_made(name: str) -> None:
    told = (LOGS / name / "README.md").read_text(encoding="utf-8")
    assert len(told) > 200
    for sample in (LOGS / name).glob("sample*"):
        assert sample.stat().st_size < 64_000, sample


@pytest.mark.parametrize("name", FOLDERS)
def test_no_text_of_a_prompt_is_a_column(name: str) -> None:
    """What people wrote never leaves the SELECT of a format: nothing but counts of its signs."""
    columns, _ = expected(name)
    rows, _ = found(name, columns)
    names = {"file", "source_id", "model_requested", "model_served", "project", "team", "user"}
    for row in rows:
        for column, value in row.items():
            if column not in names and isinstance(value, str):
                assert len(value) < 64, (column, value)


def test_formats_recognise_their_own_records_alone() -> None:
    """Each sample is found to be of its format, whatever lies beside it in a folder."""
    with opened(threads=1) as engine:
        log = Ingest(engine).read(readers.discover([str(LOGS / "*" / "sample*")]).sources)
    for name, files in log.files.items():
        assert {Path(file).parent.name for file in files} == {name}
    assert set(log.files) == set(FOLDERS)


def test_macros_read_or_refuse() -> None:
    with opened(threads=1) as engine:
        Ingest(engine)
        whole = engine.rows("SELECT whole('12'), whole('x'), whole(NULL), whole('1e3')")[0]
        assert whole[0] == 12
        assert whole[1] < -(10**18)
        assert whole[2] is None
        moments = engine.rows(
            "SELECT moment('2025-01-01T02:00:00+02:00'), moment_s(1735689600), "
            "moment_ms('1735689600000'), moment_ns('1735689600000000000'), moment('junk')"
        )[0]
        assert {str(moment) for moment in moments[:4]} == {"2025-01-01 00:00:00"}
        assert moments[4].year == 1


def test_documents_and_lines_read_alike(tmp_path: Path) -> None:
    """The same records as lines, as an array and as an indented array."""
    text = (LOGS / "openai" / "sample.jsonl").read_text(encoding="utf-8")
    records = [json.loads(line) for line in text.splitlines()]
    texts = {
        "a.jsonl": "\n".join(map(json.dumps, records)),
        "b.json": json.dumps(records),
        "c.json": json.dumps(records, indent=2),
    }
    counts = set()
    for name, text in texts.items():
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        with opened(threads=1) as engine:
            log = Ingest(engine).read(readers.discover([str(path)]).sources)
            counts.add((sum(each.rows for each in log.relations), log.others))
    assert len(counts) == 1
