"""``kilowhat account`` as people use it, and with the files that they really have."""

from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOOD = {
    "id": "1", "timestamp": "2025-03-01T10:00:00Z", "model": "gpt-4o", "provider": "openai",
    "prompt_tokens": 500, "completion_tokens": 300, "team": "a", "user": "alice@example.org",
}  # fmt: skip


def lines(path: Path, *rows: dict[str, Any] | str) -> Path:
    """A file of records, or of lines as they are."""
    made = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(made) + "\n", encoding="utf-8")
    return path


def told_json(terminal: Callable[..., Any], *words: object) -> tuple[int, dict[str, Any]]:
    told = terminal("account", *words, "--json")
    assert told.out, told.err
    return told.code, json.loads(told.out)


# ── what works ───────────────────────────────────────────────────────────────────────────────


def test_a_log_becomes_an_inventory(terminal: Callable[..., Any], newcomer: Path) -> None:
    lines(newcomer / "log.jsonl", GOOD)
    told = terminal("account", "log.jsonl", "--zone", "FRA")
    assert told.code == 0
    assert told.err == ""
    shown = told.out.replace("\u00a0", " ").replace("\u202f", " ")
    for word in ("Energy", "Greenhouse gas", "[5 % – 95 %]", "By model", "gpt-4o", "Boundary:"):
        assert word in shown


def test_an_inventory_in_french(terminal: Callable[..., Any], newcomer: Path) -> None:
    lines(newcomer / "log.jsonl", GOOD)
    told = terminal("account", "log.jsonl", "--zone", "FRA", "--lang", "fr")
    assert told.code == 0
    for word in ("Énergie", "Gaz à effet de serre", "Périmètre", "appel"):
        assert word in told.out


def test_a_call_costs_what_its_estimate_says(terminal: Callable[..., Any], newcomer: Path) -> None:
    lines(newcomer / "log.jsonl", GOOD)
    _, inventory = told_json(terminal, "log.jsonl", "--zone", "FRA")
    words = ("--in", 500, "--out", 300, "--zone", "FRA", "--provider", "openai")
    estimate = json.loads(
        terminal("estimate", "gpt-4o", *words, "--date", "2025-03-01", "--json").out
    )
    for name, impact in estimate["impacts"].items():
        assert inventory["impacts"][name]["p50"] == pytest.approx(impact["p50"], rel=1e-9)
        assert inventory["impacts"][name]["p95"] == pytest.approx(impact["p95"], rel=1e-9)
    assert inventory["boundary"] == estimate["boundary"]


def test_standard_input(newcomer: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kilowhat", "account", "-", "--json"],
        input=json.dumps(GOOD), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["usage"]["calls"] == 1


def test_tables_that_are_asked_for(terminal: Callable[..., Any], newcomer: Path) -> None:
    lines(newcomer / "log.jsonl", GOOD, GOOD | {"id": "2", "team": "b", "model": "gpt-4o-mini"})
    _, found = told_json(terminal, "log.jsonl", "--by", "team,model", "--by", "month")
    assert [table["keys"] for table in found["by"]] == [["team", "model"], ["month"]]
    assert {tuple(row["key"].values()) for row in found["by"][0]["rows"]} == {
        ("a", "gpt-4o"), ("b", "gpt-4o-mini"),
    }  # fmt: skip


def test_users_are_hashed(terminal: Callable[..., Any], newcomer: Path) -> None:
    lines(newcomer / "log.jsonl", GOOD)
    told = terminal("account", "log.jsonl", "--by", "user", "--json")
    assert "alice" not in told.out
    (row,) = json.loads(told.out)["by"][0]["rows"]
    assert len(row["key"]["user"]) == 12
    again = terminal("account", "log.jsonl", "--by", "user", "--json")
    assert json.loads(again.out)["by"] == json.loads(told.out)["by"]  # this user's own salt is kept


def test_mapping_file(terminal: Callable[..., Any], newcomer: Path) -> None:
    (newcomer / "log.csv").write_text("llm;q;a;when\nour-bot-3;500;300;1740823200000\n")
    (newcomer / "map.toml").write_text(
        '[columns]\nmodel_served = "llm"\ninput_total = "q"\noutput_total = "a"\n'
        'ts_start = { column = "when", unit = "ms" }\nprovider = { value = "openai" }\n'
        '[models]\n"our-bot-*" = "gpt-4o"\n'
    )
    _, mapped = told_json(terminal, "log.csv", "--map", "map.toml", "--zone", "FRA")
    lines(newcomer / "log.jsonl", GOOD)
    _, plain = told_json(terminal, "log.jsonl", "--zone", "FRA")
    assert mapped["impacts"] == plain["impacts"]
    assert mapped["coverage"]["pricing"] == {"mapping": 1}
    assert mapped["period"]["start"] == "2025-03-01"


def test_rules_of_places(terminal: Callable[..., Any], newcomer: Path) -> None:
    lines(newcomer / "log.jsonl", GOOD, GOOD | {"id": "2", "team": "paris"})
    (newcomer / "zones.toml").write_text('default = "USA"\n[[rule]]\nteam = "par*"\nzone = "FRA"\n')
    _, found = told_json(terminal, "log.jsonl", "--zones", "zones.toml", "--by", "zone")
    assert sorted(row["key"]["zone"] for row in found["by"][0]["rows"]) == ["FRA", "USA"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_hourly_factors(terminal: Callable[..., Any], newcomer: Path, suffix: str) -> None:
    """Twice the factor of the year at one hour, half at another: both are counted."""
    from kilowhat import Registry

    duckdb = pytest.importorskip("duckdb")
    annual = Registry().factor("grid.pol.gwp_location").factor.central
    times = ("2025-03-01T10:20:00Z", "2025-03-01T11:40:00Z", "2025-03-01T12:00:00Z")
    rows = [GOOD | {"id": str(n), "timestamp": when} for n, when in enumerate(times)]
    lines(newcomer / "log.jsonl", *rows)
    duckdb.sql(
        "COPY (SELECT * FROM (VALUES ('Poland', TIMESTAMP '2025-03-01 10:00:00', "
        f"{2 * annual}), ('POL', TIMESTAMP '2025-03-01 11:00:00', {annual / 2})) "
        f"AS t(zone, start, gwp)) TO '{newcomer}/hours.{suffix}'"
    )
    _, plain = told_json(terminal, "log.jsonl", "--zone", "POL", "--by", "hour")
    _, found = told_json(
        terminal, "log.jsonl", "--zone", "POL", "--by", "hour", "--hourly", f"hours.{suffix}"
    )
    assert found["coverage"]["without_hourly_factor"] == 1
    assert found["impacts"]["energy"] == plain["impacts"]["energy"]
    year = plain["by"][0]["rows"][0]
    wanted = {"10": 2.0, "11": 0.5, "12": 1.0}
    made = found["stages"]["grid"]["ghg"]["p50"] / plain["stages"]["grid"]["ghg"]["p50"]
    assert made == pytest.approx(sum(wanted.values()) / 3, rel=1e-9)
    for row in found["by"][0]["rows"]:
        ratio = row["impacts"]["ghg"]["p50"] / year["impacts"]["ghg"]["p50"]
        assert ratio == pytest.approx(wanted[row["key"]["hour"]], rel=0.1)  # less what is embodied


def test_files_are_written(terminal: Callable[..., Any], newcomer: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    lines(newcomer / "log.jsonl", GOOD)
    told = terminal(
        "account", "log.jsonl", "--by", "model", "--csv", "out.csv", "--parquet", "out.parquet",
        "--html", "out.html", "--save-cells", "cells.parquet",
    )  # fmt: skip
    assert told.code == 0
    with (newcomer / "out.csv").open(newline="", encoding="utf-8") as file:
        assert any(row.get("model") == "gpt-4o" for row in csv.DictReader(file))
    assert (newcomer / "out.csv-metadata.json").is_file()
    rows = duckdb.sql(f"SELECT * FROM '{newcomer}/out.parquet'").fetchall()
    assert [row[0] for row in rows] == ["total", "model"]
    page = (newcomer / "out.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    assert not list(newcomer.glob(".*partial*"))


def test_budget_sets_the_exit_code(terminal: Callable[..., Any], newcomer: Path) -> None:
    lines(newcomer / "log.jsonl", GOOD)
    assert terminal("account", "log.jsonl", "--budget", "1 µWh/day").code == 4
    assert terminal("account", "log.jsonl", "--budget", "1 kWh/day:p95").code == 0
    assert terminal("account", "log.jsonl", "--budget", "1 kgCO2e").code == 0


def test_names_and_how_they_were_understood(terminal: Callable[..., Any], newcomer: Path) -> None:
    names = ("openai/gpt-4o-2024-08-06", "acme-70b-chat", "mystery", "whisper-1")
    rows = [GOOD | {"id": str(n), "model": name} for n, name in enumerate(names)]
    lines(newcomer / "log.jsonl", *rows)
    told = terminal("account", "log.jsonl", "--resolve")
    for name in names:
        assert name in told.out
    _, found = told_json(terminal, "log.jsonl")
    by_name = {each["name"]: each for each in found["coverage"]["models"]}
    assert by_name["openai/gpt-4o-2024-08-06"]["how"] == "dated alias"
    assert by_name["acme-70b-chat"]["pricing"] == "size"
    assert by_name["mystery"]["pricing"] == "class"
    wide = found["coverage"]
    assert sum(wide["pricing"].values()) == 4


def test_the_same_file_twice_is_noticed(terminal: Callable[..., Any], newcomer: Path) -> None:
    lines(newcomer / "log.jsonl", GOOD)
    lines(newcomer / "copy.jsonl", GOOD)
    _, found = told_json(terminal, "log.jsonl", "log.jsonl", "copy.jsonl")
    assert found["usage"]["calls"] == 1
    assert len(found["coverage"]["repeated_files"]) == 2


# ── bad input ────────────────────────────────────────────────────────────────────────────────

BAD: dict[str, tuple[str, dict[str, Any] | str]] = {
    "not json": ("not JSON", '{"model": "gpt-4o", '),
    "negative": ("negative number", GOOD | {"id": "2", "prompt_tokens": -1}),
    "absurd": ("absurd number", GOOD | {"id": "2", "prompt_tokens": 10**12}),
    "beyond 64 bits": ("unreadable number", GOOD | {"id": "2", "prompt_tokens": 10**30}),
    "a word": ("unreadable number", GOOD | {"id": "2", "completion_tokens": "many"}),
    "a list": ("unreadable number", GOOD | {"id": "2", "completion_tokens": [1]}),
    "no model": ("no model", {"id": "2", "timestamp": "2025-03-01", "model": ""}),
    "clock": ("time out of range", GOOD | {"id": "2", "timestamp": "2199-01-01"}),
    "no time": ("unreadable time", GOOD | {"id": "2", "timestamp": "yesterday"}),
    "cached": ("cached exceeds input", GOOD | {"id": "2", "cached_tokens": 501}),
    "reasoning": ("reasoning exceeds output", GOOD | {"id": "2", "reasoning_tokens": 301}),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_refused_with_its_line(
    terminal: Callable[..., Any], newcomer: Path, name: str
) -> None:
    reason, row = BAD[name]
    lines(newcomer / "log.jsonl", GOOD, row, GOOD | {"id": "3"})
    code, found = told_json(terminal, "log.jsonl")
    assert code == 5
    assert found["usage"]["calls"] == 2
    assert found["coverage"]["refused"] == {reason: 1}
    assert found["coverage"]["refused_rows"] == [{"file": "log.jsonl", "line": 2, "reason": reason}]
    strict = terminal("account", "log.jsonl", "--strict")
    assert strict.code == 2
    assert strict.out == ""
    assert "log.jsonl:2" in strict.err


def test_bad_rows_of_tables_are_refused(terminal: Callable[..., Any], newcomer: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    head = "model,prompt_tokens,completion_tokens\n"
    (newcomer / "log.csv").write_text(
        head + "gpt-4o,5,5\ngpt-4o,-5,5\ngpt-4o,5,5,5,5\ngpt-4o,7,x\n"
    )
    code, found = told_json(terminal, "log.csv")
    assert code == 5
    assert found["usage"]["calls"] == 1
    assert sum(found["coverage"]["refused"].values()) == 3
    duckdb.sql(
        "COPY (SELECT 'gpt-4o' AS model, CASE WHEN i = 3 THEN -1 ELSE i END AS input_total, "
        f"5 AS output_total FROM range(10) AS t(i)) TO '{newcomer}/log.parquet'"
    )
    code, found = told_json(terminal, "log.parquet")
    assert code == 5
    assert found["coverage"]["refused_rows"] == [
        {"file": "log.parquet", "line": 4, "reason": "negative number"}
    ]


def test_what_files_say_of_their_columns_hides_no_bad_row(
    terminal: Callable[..., Any], newcomer: Path
) -> None:
    """Statistics of several files spare checks only where no file needs them."""
    duckdb = pytest.importorskip("duckdb")
    good = "SELECT 'gpt-4o' AS model_served, TIMESTAMP '2025-03-01' AS ts_start, "
    for name, whole, out in (("a", 5, 5), ("b", -1, 5), ("c", "NULL", 5), ("d", 5, 99_999_999)):
        numbers = f"{whole}::BIGINT AS input_total, {out}::BIGINT AS output_total"
        duckdb.sql(f"COPY ({good}{numbers}, 0 AS cache_read) TO '{newcomer}/{name}.parquet'")
    _, clean = told_json(terminal, "a.parquet")
    assert clean["coverage"]["refused"] == {}
    code, found = told_json(terminal, "a.parquet", "b.parquet", "c.parquet", "d.parquet")
    assert code == 5
    assert found["coverage"]["refused"] == {"absurd number": 1, "negative number": 1}
    assert found["coverage"]["lengths"] == {"reported": 1, "assumed": 1}


def test_repeated_ids_count_once(terminal: Callable[..., Any], newcomer: Path) -> None:
    lines(newcomer / "log.jsonl", GOOD, GOOD, GOOD | {"id": "2"}, GOOD | {"id": None})
    code, found = told_json(terminal, "log.jsonl")
    assert code == 0
    assert found["usage"]["calls"] == 3
    assert found["coverage"]["repeated"] == 1
    _, trusted = told_json(terminal, "log.jsonl", "--trust-ids")
    assert trusted["usage"]["calls"] == 4


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_truncated_archive_gives_what_it_holds(
    terminal: Callable[..., Any], newcomer: Path, cut: int
) -> None:
    text = "".join(json.dumps(GOOD | {"id": str(n)}) + "\n" for n in range(2000))
    (newcomer / "log.jsonl.gz").write_bytes(gzip.compress(text.encode())[:-cut])
    code, found = told_json(terminal, "log.jsonl.gz")
    assert code == 5
    assert 0 < found["usage"]["calls"] <= 2000
    assert sum(found["coverage"]["refused"].values()) >= 1


def test_empty_and_strange_files(terminal: Callable[..., Any], newcomer: Path) -> None:
    (newcomer / "empty.jsonl").write_bytes(b"")
    (newcomer / "strange.parquet").write_bytes(b"PAR1 and nothing of the kind PAR1")
    (newcomer / "noise.jsonl").write_bytes(bytes(range(256)) * 40)
    lines(newcomer / "good.jsonl", GOOD)
    code, found = told_json(terminal, ".")
    assert code == 5
    assert found["usage"]["calls"] == 1
    assert {row["file"].rpartition("/")[2] for row in found["coverage"]["refused_rows"]} >= {
        "strange.parquet"
    }


def test_nothing_at_all(terminal: Callable[..., Any], newcomer: Path) -> None:
    (newcomer / "empty.jsonl").write_bytes(b"")
    code, found = told_json(terminal, "empty.jsonl")
    assert code == 0
    assert found["usage"]["calls"] == 0
    assert all("missing" in impact for impact in found["impacts"].values())


def test_unknown_columns_and_formats(terminal: Callable[..., Any], newcomer: Path) -> None:
    lines(newcomer / "log.jsonl", {"colour": "red"}, {"colour": "blue"})
    code, found = told_json(terminal, "log.jsonl")
    assert code == 5
    assert found["coverage"]["refused"] == {"unknown format": 1}


def test_formats_mixed_in_one_file(terminal: Callable[..., Any], newcomer: Path) -> None:
    openai = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1740823200, "model": "gpt-4o",
        "choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }  # fmt: skip
    anthropic = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [], "usage": {"input_tokens": 10, "output_tokens": 5},
    }  # fmt: skip
    lines(newcomer / "log.jsonl", openai, anthropic, {"something": "else"})
    _, found = told_json(terminal, "log.jsonl")
    assert found["formats"] == {"anthropic": 1, "openai": 1}
    assert found["coverage"]["no_calls"] == 1


# ── what once went wrong ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("keys", ["user", "model,user", "model, user"])
def test_users_are_hashed_with_a_salt_however_keys_are_written(
    terminal: Callable[..., Any], newcomer: Path, keys: str
) -> None:
    from hashlib import sha256

    lines(newcomer / "log.jsonl", GOOD)
    _, found = told_json(terminal, "log.jsonl", "--by", keys)
    (row,) = found["by"][0]["rows"]
    plain = sha256(b"alice@example.org").hexdigest()[:12]
    assert row["key"]["user"] not in {plain, "alice@example.org"}


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_columns_of_theirs_may_bear_our_names(
    terminal: Callable[..., Any], newcomer: Path, suffix: str
) -> None:
    duckdb = pytest.importorskip("duckdb")
    written = {"csv": "csv", "parquet": "parquet", "jsonl": "json"}[suffix]
    duckdb.sql(
        "COPY (SELECT * FROM (VALUES ('a', 'hi', 'z', 'p', 5), ('a', 'hi', 'z', 'p', 5), "
        "('b', 'hi', 'z', 'p', 5), ('c', 'hi', 'z', 'p', -1)) "
        "AS t(request_id, line, file, path_, input_tokens), (SELECT 'gpt-4o' AS model, 5 AS "
        f"output_tokens)) TO '{newcomer}/log.{suffix}' (FORMAT {written})"
    )
    code, found = told_json(terminal, f"log.{suffix}")
    assert code == 5
    assert found["usage"]["calls"] == 2
    assert found["coverage"]["repeated"] == 1
    line = 5 if suffix == "csv" else 4  # a CSV file has a header
    assert found["coverage"]["refused_rows"] == [
        {"file": f"log.{suffix}", "line": line, "reason": "negative number"}
    ]


@pytest.mark.parametrize("option", ["--csv", "--html", "--parquet", "--save-cells"])
def test_what_is_read_is_never_written_over(
    terminal: Callable[..., Any], newcomer: Path, option: str
) -> None:
    log = lines(newcomer / "log.jsonl", GOOD)
    before = log.read_bytes()
    assert terminal("account", "log.jsonl", option, "./log.jsonl").code == 2
    assert log.read_bytes() == before


def test_times_of_data_frames(terminal: Callable[..., Any], newcomer: Path) -> None:
    """Times with a zone and nanoseconds, as pandas writes them, are read; in UTC."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    when = pa.array([1740823200_000_000_000], pa.timestamp("ns", tz="Europe/Paris"))
    columns = {"timestamp": when, "model": ["gpt-4o"], "input_tokens": [5], "output_tokens": [5]}
    parquet.write_table(pa.table(columns), newcomer / "log.parquet")
    _, found = told_json(terminal, "log.parquet", "--by", "day,hour")
    assert found["by"][0]["rows"][0]["key"] == {"day": "2025-03-01", "hour": "10"}


def test_scale_applies_to_whole_numbers(terminal: Callable[..., Any], newcomer: Path) -> None:
    (newcomer / "log.csv").write_text("model,kin,out\ngpt-4o,1.5,5\n")
    (newcomer / "map.toml").write_text(
        '[columns]\nmodel_served = "model"\noutput_total = "out"\n'
        'input_total = { column = "kin", scale = 1000 }\n'
    )
    _, found = told_json(terminal, "log.csv", "--map", "map.toml")
    assert found["usage"]["input_tokens"] == 1500


@pytest.mark.parametrize("written", ["12.5", "1.000", "1,000", "true", "0x10"])
def test_numbers_that_are_not_whole_are_refused(
    terminal: Callable[..., Any], newcomer: Path, written: str
) -> None:
    lines(newcomer / "log.jsonl", GOOD | {"prompt_tokens": written}, GOOD | {"id": "2"})
    code, found = told_json(terminal, "log.jsonl")
    assert code == 5
    assert found["coverage"]["refused"] == {"unreadable number": 1}


def test_a_period_hides_nothing(terminal: Callable[..., Any], newcomer: Path) -> None:
    rows = [GOOD, GOOD | {"id": "2", "timestamp": "garbage"}, GOOD | {"id": "3", "timestamp": None}]
    lines(newcomer / "log.jsonl", *rows, GOOD | {"id": "4", "timestamp": "2024-01-01"})
    code, found = told_json(terminal, "log.jsonl", "--since", "2025")
    assert code == 5
    assert found["usage"]["calls"] == 1
    assert found["coverage"]["refused"] == {"unreadable time": 1}
    assert found["coverage"]["outside_period"] == 2


def test_a_format_that_does_not_fit_is_refused(
    terminal: Callable[..., Any], newcomer: Path
) -> None:
    (newcomer / "log.csv").write_text("model,input_tokens,output_tokens\ngpt-4o,5,5\n")
    code, found = told_json(terminal, "log.csv", "--format", "litellm")
    assert code == 5
    assert found["coverage"]["refused"] == {"unknown format": 1}


def test_row_numbers_are_no_ids_of_calls(terminal: Callable[..., Any], newcomer: Path) -> None:
    """Two months numbered from one are two months; the very same row twice is one."""
    for month in ("01", "02"):
        (newcomer / f"{month}.csv").write_text(
            "id,timestamp,model,input_tokens,output_tokens\n"
            + "".join(f"{n},2025-{month}-0{n},gpt-4o,{n},5\n" for n in (1, 2))
        )
    _, found = told_json(terminal, "01.csv", "02.csv")
    assert found["usage"]["calls"] == 4


def test_times_since_1970_are_understood(terminal: Callable[..., Any], newcomer: Path) -> None:
    rows = [
        GOOD | {"id": str(n), "timestamp": when}
        for n, when in enumerate([1740823200, 1740823200000, "1740823200", 1740823200.5])
    ]
    lines(newcomer / "log.jsonl", *rows)
    _, found = told_json(terminal, "log.jsonl", "--by", "day")
    assert [row["key"]["day"] for row in found["by"][0]["rows"]] == ["2025-03-01"]


def test_cells_keep_what_was_refused(terminal: Callable[..., Any], newcomer: Path) -> None:
    lines(newcomer / "log.jsonl", GOOD, GOOD | {"id": "2", "prompt_tokens": -1}, GOOD)
    assert terminal("account", "log.jsonl", "--save-cells", "c.parquet").code == 5
    code, found = told_json(terminal, "--cells", "c.parquet", "--cells", "./c.parquet")
    assert code == 5
    assert found["usage"]["calls"] == 1
    assert found["coverage"]["refused"] == {"negative number": 1}
    assert found["coverage"]["repeated"] == 1
    assert len(found["coverage"]["repeated_files"]) == 1


@pytest.mark.parametrize(
    "change",
    ["lengths = 99", "day = 10000000", "calls = 1.5", "calls = -1", "fresh_tokens = 1e30"],
)
def test_cells_that_cannot_be_are_refused(
    terminal: Callable[..., Any], newcomer: Path, change: str
) -> None:
    duckdb = pytest.importorskip("duckdb")
    lines(newcomer / "log.jsonl", GOOD)
    assert terminal("account", "log.jsonl", "--save-cells", "c.parquet").code == 0
    name, _, value = change.partition(" = ")
    duckdb.sql(
        f"COPY (SELECT * REPLACE ({value}::DOUBLE AS {name}) FROM '{newcomer}/c.parquet') "
        f"TO '{newcomer}/t.parquet'"
    )
    told = terminal("account", "--cells", "t.parquet")
    assert told.code == 2
    assert "Traceback" not in told.err


def test_many_unknown_names_are_quick(terminal: Callable[..., Any], newcomer: Path) -> None:
    """A name that is not known costs no search among all names, unless it is shown."""
    import time

    lines(newcomer / "log.jsonl", *(GOOD | {"id": str(n), "model": f"x-{n}"} for n in range(3000)))
    start = time.process_time()
    _, found = told_json(terminal, "log.jsonl")
    assert found["coverage"]["pricing"] == {"class": 3000}
    assert time.process_time() - start < 20  # it was 7 ms a name, for the search alone


WRONG: dict[tuple[str, ...], str] = {
    ("account",): "logs are needed",
    ("account", "nowhere.jsonl"): "nowhere.jsonl",
    ("account", "log.jsonl", "--format", "litelm"): "litellm",
    ("account", "log.jsonl", "--by", "modle"): "model",
    ("account", "log.jsonl", "--zone", "Frnce"): "FRA",
    ("account", "log.jsonl", "--since", "March"): "2025-03",
    ("account", "log.jsonl", "--since", "2025-02", "--until", "2025-01"): "after",
    ("account", "log.jsonl", "--timezone", "Mars/Base"): "Europe/Paris",
    ("account", "log.jsonl", "--budget", "10 apples"): "apples",
    ("account", "log.jsonl", "--budget", "10 km"): "kWh/day",
    ("account", "log.jsonl", "--what-if", "zone"): "zone=SWE",
    ("account", "log.jsonl", "--what-if", "colour=red"): "zone",
    ("account", "log.jsonl", "--what-if", "zone=Atlantis"): "Atlantis",
    ("account", "log.jsonl", "--map", "none.toml"): "none.toml",
    ("account", "log.jsonl", "--hourly", "none.parquet"): "none.parquet",
    ("account", "log.jsonl", "--memory", "lots"): "lots",
    ("account", "--cells", "log.jsonl", "--hourly", "hours.csv"): "calls themselves",
    ("account", "--cells", "none.parquet"): "none.parquet",
    ("account", "--cells", "log.jsonl"): "columns",
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_words_are_one_sentence(
    terminal: Callable[..., Any], newcomer: Path, words: tuple[str, ...]
) -> None:
    lines(newcomer / "log.jsonl", GOOD)
    told = terminal(*words)
    assert told.code == 2, told
    assert told.out == ""
    assert "Traceback" not in told.err
    assert WRONG[words].lower() in told.err.lower()
    assert len(told.err.splitlines()) <= 4


def test_prompts_are_never_in_a_result(terminal: Callable[..., Any], newcomer: Path) -> None:
    secret = "the-secret-of-the-prompt"
    record = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1740823200, "model": "gpt-4o",
        "choices": [{"message": {"role": "assistant", "content": secret}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }  # fmt: skip
    lines(newcomer / "log.jsonl", record)
    told = terminal(
        "account", "log.jsonl", "--json", "--html", "a.html", "--csv", "a.csv",
        "--save-cells", "c.parquet",
    )  # fmt: skip
    assert told.code == 0
    assert secret not in told.out
    for path in newcomer.rglob("*"):
        if path.is_file() and path.name != "log.jsonl":
            assert secret.encode() not in path.read_bytes()


def test_killed_while_it_writes_leaves_the_earlier_file(newcomer: Path) -> None:
    """``kill -9`` at the moment of writing: what was there before is intact."""
    log = lines(newcomer / "log.jsonl", GOOD)
    out = newcomer / "out.parquet"
    command = [sys.executable, "-m", "kilowhat", "account", str(log), "--parquet", str(out)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    before = out.read_bytes()
    program = (
        "import os, sys\n"
        "from kilowhat.ledger import engine\n"
        "run = engine.Engine.run\n"
        "def stop(self, query, values=()):\n"
        "    run(self, query, values)\n"
        "    if query.startswith('COPY'):\n"
        f"        os.kill(os.getpid(), {int(signal.SIGKILL)})\n"
        "engine.Engine.run = stop\n"
        "from kilowhat.cli import run as main\n"
        "main(sys.argv[1:])\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, *command[3:]], check=False, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL
    assert out.read_bytes() == before
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert not [path for path in newcomer.iterdir() if "partial" in path.name]


def test_interrupted_it_stops_cleanly(newcomer: Path) -> None:
    """Ctrl-C while a log is read: one line, and no file is left behind."""
    pipe = newcomer / "log.jsonl"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-m", "kilowhat", "account", "-", "--html", "out.html"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=newcomer,
        env={**os.environ, "TMPDIR": str(newcomer)},
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write((json.dumps(GOOD) + "\n").encode() * 20_000)
    process.stdin.flush()  # it has started to read: the pipe holds less
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in err
    pipe.unlink()
    assert not list(newcomer.glob("*.html"))
    assert not list(newcomer.glob("kilowhat-*"))
