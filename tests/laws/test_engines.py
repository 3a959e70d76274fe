"""Every engine gives the same cells, to the last digit, on logs that hold every case."""

from __future__ import annotations

import csv
import os
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from kilowhat.errors import DataError, InvalidValue, MissingExtra, UsageError
from kilowhat.ledger import cells, formats, mapping
from kilowhat.ledger.calls import COLUMNS, MACROS, MOST_INPUT, MOST_OUTPUT, UNREADABLE
from kilowhat.ledger.cells import Clock, Request
from kilowhat.ledger.dialects import statement
from kilowhat.ledger.staging import table_select

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kilowhat.ledger.formats import Format

HOUR_US = 3_600_000_000
PARIS = Clock(
    "Europe/Paris",
    ((0, HOUR_US), (1_711_846_800_000_000, 2 * HOUR_US), (1_729_990_800_000_000, HOUR_US)),
)
ASKED = Request(
    keys=("hour", "project", "team", "user"), since="TIMESTAMP '2024-02-01'",
    until="TIMESTAMP '2024-12-01 12:30:00'", latest="TIMESTAMP '2026-01-01'", clock=PARIS,
    salt="grain of salt",
)  # fmt: skip
SAMPLED = Request(keys=("hour", "project", "team", "user"), latest="TIMESTAMP '2030-01-01'")
COUNTS = tuple(name for name, kind in COLUMNS.items() if kind == "BIGINT")
SECONDS = ("video_out_s", "audio_in_s", "audio_out_s")
WHOLE = tuple(name for name in COLUMNS if name != "source_id")
ONE_CALL_A_ROW = tuple(name for name in WHOLE if name != "n_requests")
PRESENT = {
    "all": WHOLE,
    "one call a row": ONE_CALL_A_ROW,
    "tokens alone": ("model_served", "input_total", "output_total"),
    "time of the end": ("ts_end", "model_requested", "output_total", "status", "user"),
    "characters": ("ts_start", "model_served", "input_characters", "output_characters"),
    "totals": (
        "model_served", "input_total", "cache_read", "output_total", "n_requests", "status",
    ),
    "the most": ("model_served", "input_total", "cache_read", "output_total"),
    "with ids": tuple(COLUMNS),
}  # fmt: skip
THE_MOST = {"model_served": "m", "input_total": MOST_INPUT, "cache_read": 0,
            "output_total": MOST_OUTPUT}  # fmt: skip
FORMATS = ("litellm", "langfuse", "helicone")
SAMPLES = Path(__file__).parents[1] / "contracts" / "logs"


def at(*parts: int) -> datetime:
    return datetime(*parts)  # noqa: DTZ001 - canonical times are in UTC, without a zone


def times(pick: random.Random) -> datetime | None:
    """Instants of 2024 in UTC, some at the edges of days and of summer time, some refused."""
    day = at(2024, 1, 1) + timedelta(days=pick.randrange(366))
    edges = (
        None, at(1, 1, 1), at(2014, 12, 31), at(2031, 1, 1),
        at(2024, 3, 31, 0, 59, 59, 999_999), at(2024, 3, 31, 1),
        at(2024, 12, 1, 12, 30), at(2024, 2, 1), day - timedelta(microseconds=1),
    )  # fmt: skip
    if pick.random() < 0.2:
        return pick.choice(edges)
    return day + timedelta(microseconds=pick.randrange(86_400_000_000))


def count(pick: random.Random, most: int) -> int | None:
    """A count: often small, sometimes missing or at the limit, rarely refused."""
    odd = pick.random()
    if odd < 0.25:
        return None
    if odd < 0.27:
        return pick.choice((-1, UNREADABLE, most + 1, 2**62))
    return most if odd < 0.4 else pick.randrange(0, min(most, 5000))


def seconds(pick: random.Random) -> float | None:
    """Seconds: with halves of a millisecond, missing, or refused."""
    rare = (-1.0, -1e300, float("nan"), float("inf"), 2e6)
    if pick.random() < 0.02:
        return pick.choice(rare)
    return pick.choice((None, None, 0.0, 1.5, 0.0005, 0.0015, 2.0025, 59.9994999))


def call(pick: random.Random) -> dict[str, Any]:
    """One row of a log."""
    text = {
        "provider": (None, "openai", "self"), "model_requested": (None, "m-large", "m"),
        "model_served": (None, "", "m", "m-small", "modèle d'ici"), "zone": (None, "fra"),
        "region": (None, "aws:eu-west-3"), "project": (None, "a", "b"), "team": (None, "x"),
        "user": (None, "zoé", "it's me", "you"), "service_tier": (None, "batch"),
        "operation": (None, "chat", "Embeddings", "image_generation"),
        "status": (None, None, "ok", "error"),
    }  # fmt: skip
    most = dict.fromkeys(COUNTS, 10**4) | {
        "input_total": MOST_INPUT, "output_total": MOST_OUTPUT, "n_requests": 10**12,
        "input_characters": 10 * MOST_INPUT, "output_characters": 10 * MOST_OUTPUT,
    }  # fmt: skip
    row: dict[str, Any] = {name: pick.choice(values) for name, values in text.items()}
    row |= {name: count(pick, most[name]) for name in COUNTS}
    row |= {name: seconds(pick) for name in SECONDS}
    row |= {"ts_start": times(pick), "ts_end": times(pick)}
    row["n_requests"] = pick.choice((None, 0, 1, 1, 3, 10**12, row["n_requests"]))
    if pick.random() < 0.1:  # totals of very many calls: their products have 36 digits
        row |= {"input_total": 2**60 - 7, "output_total": 10**18 + 3, "n_requests": 10**12}
    for part, whole in (("cache_read", "input_total"), ("reasoning", "output_total")):
        if row[part] is not None and pick.random() < 0.95:
            row[part] = min(row[part], max(row[whole] or 0, 0))
    row["source_id"] = pick.choice((None, None, f"id-{pick.randrange(400)}"))
    return {name: row.get(name) for name in COLUMNS}


def filled(
    rows: Sequence[dict[str, Any]], present: Sequence[str], folder: Path
) -> duckdb.DuckDBPyConnection:
    """A database with the rows in a table ``calls``."""
    text = folder / "calls.csv"
    with text.open("w", newline="") as file:
        told = [["\\N" if row[n] is None else row[n] for n in present] for row in rows]
        csv.writer(file).writerows(told)
    link = duckdb.connect()
    link.execute("SET TimeZone = 'UTC'")
    listed = ", ".join(f'"{name}" {COLUMNS[name]}' for name in present)
    link.execute(f"CREATE TABLE calls ({listed})")
    link.execute(f"COPY calls FROM '{text}' (FORMAT csv, HEADER false, NULLSTR '\\N')")
    return link


class Logs:
    """Random logs, each with some of the columns, and what DuckDB makes of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.links: dict[str, duckdb.DuckDBPyConnection] = {}
        for name, present in PRESENT.items():
            pick = random.Random(f"log {name}")
            rows = [call(pick) for _ in range(500)]
            self.links[name] = filled(
                rows if name != "the most" else [THE_MOST] * 2000, present, folder
            )
            self.links[name].execute(f"COPY calls TO '{self.parquet(name)}' (FORMAT parquet)")

    def parquet(self, name: str) -> Path:
        return self.folder / f"{name.replace(' ', '-')}.parquet"

    def expected(self, name: str, request: Request = ASKED) -> list[tuple[Any, ...]]:
        """The cells by the query that the account itself runs."""
        table = "calls"
        if "source_id" in PRESENT[name]:
            table = each_once("calls")
        query = cells.query(table, PRESENT[name], fitting(request, name), "log")
        return ordered(*fetched(self.links[name], query.whole()))


BY_TIME = ("ts_start", "ts_end", "input_total", "output_total")


def each_once(table: str, way: str = "", by: Sequence[str] = BY_TIME) -> str:
    """The calls of a table, each of them once: the first or the last among those of an id."""
    order = ", ".join(f"{name} {way}" for name in by)
    return (
        f"(SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY source_id ORDER BY {order}) "
        f"AS turn FROM {table}) WHERE source_id IS NULL OR turn = 1)"
    )


def fitting(request: Request, name: str) -> Request:
    """The request without a period where the log has no time."""
    has_time = {"ts_start", "ts_end"} & set(PRESENT[name])
    return request if has_time else replace(request, since="", until="")


def fetched(link: duckdb.DuckDBPyConnection, query: str) -> tuple[list[str], list[Any]]:
    told = link.execute(query)
    return [column[0] for column in told.description or ()], told.fetchall()


def ordered(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Rows of cells with the columns in the order of cells, sorted."""
    place = [list(names).index(name) for name in (*cells.KEYS, *cells.SUMS)]
    told = [tuple(row[index] for index in place) for row in rows]
    return sorted(told, key=lambda row: [(value is not None, str(value)) for value in row])


def merged(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Cells as they come out of CSV: a text that is missing and one that is empty are one."""
    count = len(cells.KEYS)
    found: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        key = tuple(None if value == "" else value for value in row[:count])
        sums = found.setdefault(key, [0] * len(cells.SUMS))
        found[key] = [a + b for a, b in zip(sums, row[count:], strict=True)]
    names = (*cells.KEYS, *cells.SUMS)
    return ordered(names, [(*key, *sums) for key, sums in found.items()])


def of_columns(columns: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
    return ordered(list(columns), list(zip(*columns.values(), strict=True)))


def of_text(path: Path) -> list[tuple[Any, ...]]:
    """Cells that an engine wrote as CSV, read as `kilowhat account --cells` reads them."""
    kinds = {**cells.KEYS, **dict.fromkeys(cells.SUMS, "HUGEINT")}
    with path.open(newline="") as file:
        names = next(csv.reader(file))
    columns = "{" + ", ".join(f"'{name}': '{kinds[name]}'" for name in names) + "}"
    query = f"SELECT * FROM read_csv('{path}', header = true, columns = {columns})"
    return merged(ordered(*fetched(duckdb.connect(), query)))


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    return Logs(tmp_path_factory.mktemp("logs"))


def define_macros(link: duckdb.DuckDBPyConnection) -> None:
    """What formats read values with; one may be made of others."""
    for macro, body in sorted(MACROS.items(), key=lambda item: item[0] == "instant"):
        link.execute(f"CREATE MACRO {macro}(x) AS {body}")


def the_sample(name: str) -> duckdb.DuckDBPyConnection:
    """The sample of a format of tables as text, in the table ``calls``."""
    link = duckdb.connect()
    link.execute("SET TimeZone = 'UTC'")
    source = SAMPLES / name / "sample.csv"
    read = f"read_csv('{source}', all_varchar = true, header = true)"
    link.execute(f"CREATE TABLE calls AS SELECT * FROM {read}")
    define_macros(link)
    there = {row[0] for row in link.execute("DESCRIBE calls").fetchall()}
    for column in formats.find(name).columns:
        if column not in there:
            link.execute(f'ALTER TABLE calls ADD COLUMN "{column}" VARCHAR')
    return link


def of_sample(
    link: duckdb.DuckDBPyConnection, each: Format, *, by_line: bool = False
) -> list[tuple[Any, ...]]:
    """The cells of a sample by the SELECT of its format and the query of the account."""
    place = "'sample' AS kilowhat_file, row_number() OVER () AS kilowhat_line"
    raw = f"SELECT *, {place} FROM calls"
    link.execute(f"CREATE OR REPLACE VIEW raw AS {raw}")
    select = table_select(each, with_place=by_line)
    link.execute(f"CREATE OR REPLACE VIEW told AS {select}")
    kinds = {row[0]: row[1] for row in link.execute("DESCRIBE told").fetchall()}
    present = [column for column in COLUMNS if column in kinds]
    chosen = ", ".join(f'"{column}"::{COLUMNS[column]} AS "{column}"' for column in present)
    place = ", line" if by_line else ""
    link.execute(f"CREATE OR REPLACE VIEW canonical AS SELECT {chosen}{place} FROM told")
    table = "canonical"
    if "source_id" in present:
        by = ("line",) if by_line else BY_TIME
        table = each_once(table, "DESC" if each.keep == "last" else "", by)
    query = cells.query(table, present, SAMPLED, each.name).whole()
    return ordered(*fetched(link, query))


def test_the_logs_hold_every_case(logs: Logs) -> None:
    """Else equality would say little."""
    rows = logs.expected("all")
    keys = list(cells.KEYS)
    found = {name: {row[keys.index(name)] for row in rows} for name in keys}
    assert found["lengths"] == set(range(7))
    assert None in found["user"]
    assert len(found["user"]) > 2
    assert len(found["day"]) > 50
    assert found["has_media"] == {True, False}
    sums = {name: [row[place] for row in rows] for place, name in enumerate(cells.SUMS, len(keys))}
    assert max(sums["input_x_output"]) > 2**118
    assert max(sums["fresh_tokens"]) > 2**59
    total = logs.links["all"].execute("SELECT count(*) FROM calls").fetchall()[0][0]
    assert 0.2 * total < sum(sums["rows"]) < 0.9 * total


# Values as they stand in text: the same are read, and the same are refused

NUMBERS = (
    "5", "  7 ", "+5", "-3", "12.5", "13.5", "0.4", "1e3", "1E3", "1.5e3", "1e-3", "abc", "", "nan",
    "inf", "-0", "99999999999999999999", "9223372036854775807", "true", "1.", ".5", "5 tokens",
    "1,000", "1e9", "1e99", "007", "5.0", "5.00", "5.000", "1e3.5", "--5", "5e", "  ", "1d", "5f",
)  # fmt: skip
MOMENTS = (
    "2025-03-01", "2025-03-01T10:00:00Z", "2025-03-01 10:00:00+02:00", "2025-03-01 10:00",
    "2025-03-01T10:00:00.123456789Z", "2025-02-30", "2025-03-01T25:00:00", "2025", "2025-03",
    "10:00", "1735689600", "2025-03-01T10:00:00+0200", "2025-03-01T23:30:00-05:00",
    "2025-03-01T23:30:00-05", "March 1 2025", "20250301", "2024-02-29", "2025-02-29",
    "0000-01-01", "2025-03-01T10", "now", "infinity", "epoch", "today", "01/03/2025",
    "2025-12-31T23:59:59.9999999Z", "2025-03-01 23:59:60", "2025-03-01T10:00:00+14:00",
    "-2025-03-01", "1999-03-01", "Sat, 01 Mar 2025 10:00:00 GMT", "",
)  # fmt: skip
EPOCHS = (
    "1740823200", "1740823200.5", "1740823200000", "1.7408232e9", "-5", "abc", "", "1e30", "nan",
    "0", "1740823200123456", "1740823200123456789", " 1740823200 ",
)  # fmt: skip
ODD = {"": NUMBERS, "moment": (*MOMENTS, *EPOCHS), **dict.fromkeys(("s", "ms", "us", "ns"), EPOCHS)}


def odd_format(unit: str) -> Format:
    """A table whose tokens, or times of a unit, are text."""
    origins = {
        "model_served": mapping.Origin(value="m"), "team": mapping.Origin("word"),
        "output_total": mapping.Origin("tokens"),
    }  # fmt: skip
    if unit:
        origins["ts_start"] = mapping.Origin("time", unit=unit.replace("moment", ""))
    return mapping.table_format(origins, {})


def odd_calls(unit: str) -> duckdb.DuckDBPyConnection:
    """A call for each odd word, in the table ``calls``."""
    link = duckdb.connect()
    link.execute("SET TimeZone = 'UTC'")
    define_macros(link)
    link.execute("CREATE TABLE calls (word VARCHAR, tokens VARCHAR, time VARCHAR)")
    rows = [(f"<{word}>", "1" if unit else word, word) for word in ODD[unit]]
    link.executemany("INSERT INTO calls VALUES (?, ?, ?)", rows)
    return link


# DuckDB, from the text for it


@pytest.mark.parametrize("name", PRESENT)
def test_the_query_is_put_together_again(logs: Logs, name: str) -> None:
    text = statement("duckdb", "calls", PRESENT[name], fitting(ASKED, name), "log")
    assert ordered(*fetched(logs.links[name], text)) == logs.expected(name)


@pytest.mark.parametrize("name", FORMATS)
def test_formats_of_tables_are_put_together_again(name: str) -> None:
    link = the_sample(name)
    expected = of_sample(link, formats.find(name))
    text = statement("duckdb", "calls", formats.find(name), SAMPLED)
    assert ordered(*fetched(link, text)) == expected
    assert len(expected) > 2


@pytest.mark.parametrize("unit", ODD)
def test_odd_values_are_read_alike(unit: str) -> None:
    link = odd_calls(unit)
    text = statement("duckdb", "calls", odd_format(unit), SAMPLED)
    expected = of_sample(link, odd_format(unit))
    assert ordered(*fetched(link, text)) == expected
    assert 0 < len(expected) < len(ODD[unit])


# Data frames, through Narwhals

FRAMES = [name for name in PRESENT if name != "with ids"]  # repeated ids are the caller's business


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("make", ["relation", "eager", "lazy"])
def test_frames_give_the_same_cells(logs: Logs, name: str, make: str) -> None:
    frames = pytest.importorskip("kilowhat.ledger.frames")
    polars = pytest.importorskip("polars")
    frame = {
        "relation": lambda: logs.links[name].table("calls"),
        "eager": lambda: polars.read_parquet(logs.parquet(name)),
        "lazy": lambda: polars.scan_parquet(logs.parquet(name)),
    }[make]()
    found = frames.cells(frame, fitting(ASKED, name), PRESENT[name], "log")
    assert list(found) == [*cells.KEYS, *cells.SUMS]
    assert of_columns(found) == logs.expected(name)


def test_a_sum_of_64_bits_would_wrap(logs: Logs) -> None:
    """Polars sums in 64 bits without a word; the log that shows it is among those above."""
    polars = pytest.importorskip("polars")
    frame = polars.read_parquet(logs.parquet("the most"))
    naive = frame.select((polars.col("input_total") * polars.col("input_total")).sum()).item()
    place = [*cells.KEYS, *cells.SUMS].index("input_squared_minus_cached_squared")
    exact = logs.expected("the most")[0][place]
    assert exact == 2000 * MOST_INPUT**2 > 2**63
    assert naive == exact - 2**64


def test_frames_widen_what_is_narrow(logs: Logs) -> None:
    """A product of two numbers of 32 bits would wrap as well."""
    frames = pytest.importorskip("kilowhat.ledger.frames")
    polars = pytest.importorskip("polars")
    frame = polars.read_parquet(logs.parquet("the most")).with_columns(
        polars.col("input_total", "output_total", "cache_read").cast(polars.Int32),
        polars.col("model_served").cast(polars.Categorical),
    )
    found = frames.cells(frame, fitting(ASKED, "the most"), PRESENT["the most"], "log")
    assert of_columns(found) == logs.expected("the most")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_frames_know_instants_with_a_zone(logs: Logs, zone: str) -> None:
    frames = pytest.importorskip("kilowhat.ledger.frames")
    polars = pytest.importorskip("polars")
    when = polars.col("ts_start").dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    frame = polars.read_parquet(logs.parquet("characters")).with_columns(when)
    found = frames.cells(frame, ASKED, PRESENT["characters"], "log")
    assert of_columns(found) == logs.expected("characters")


@pytest.mark.parametrize("name", FRAMES)
def test_pandas_gives_the_same_cells(logs: Logs, name: str, tmp_path: Path) -> None:
    """But where a time is missing, or a number is none: pandas cannot tell one from the other."""
    frames = pytest.importorskip("kilowhat.ledger.frames")
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    there = [f"{column} IS NOT NULL" for column in PRESENT[name] if column.startswith("ts_")]
    there += [f"NOT coalesce(isnan({n}), FALSE)" for n in SECONDS if n in PRESENT[name]]
    link, path = logs.links[name], tmp_path / "calls.parquet"
    table = f"(SELECT * FROM calls WHERE {' AND '.join(there) or 'TRUE'})"
    link.execute(f"COPY {table} TO '{path}' (FORMAT parquet)")
    request = fitting(ASKED, name)
    query = cells.query(table, PRESENT[name], request, "log")
    frame = pandas.read_parquet(path, dtype_backend="numpy_nullable")
    found = frames.cells(frame, request, PRESENT[name], "log")
    assert of_columns(found) == ordered(*fetched(link, query.whole()))


# ClickHouse, inside this process where chdb is installed


@pytest.fixture(scope="module")
def clickhouse() -> Any:
    session = pytest.importorskip("chdb.session", reason="chdb is not installed").Session()
    session.query("SET session_timezone = 'UTC'")
    return session


def told_by_clickhouse(session: Any, text: str, path: Path) -> list[tuple[Any, ...]]:
    told = session.query(f"{text} SETTINGS format_csv_null_representation = ''", "CSVWithNames")
    path.write_bytes(told.bytes())
    return of_text(path)


@pytest.mark.parametrize("name", PRESENT)
def test_clickhouse_gives_the_same_cells(
    logs: Logs, clickhouse: Any, name: str, tmp_path: Path
) -> None:
    made = f"SELECT * FROM file('{logs.parquet(name)}', 'Parquet')"
    clickhouse.query(f"CREATE OR REPLACE VIEW default.calls AS {made}")
    text = statement("clickhouse", "default.calls", PRESENT[name], fitting(ASKED, name), "log")
    assert told_by_clickhouse(clickhouse, text, tmp_path / "cells") == merged(logs.expected(name))


@pytest.mark.parametrize("name", FORMATS)
def test_clickhouse_reads_formats_of_tables(clickhouse: Any, name: str, tmp_path: Path) -> None:
    link, path = the_sample(name), tmp_path / "calls.parquet"
    link.execute(f"COPY calls TO '{path}' (FORMAT parquet)")
    made = f"SELECT * FROM file('{path}', 'Parquet')"
    clickhouse.query(f"CREATE OR REPLACE VIEW default.calls AS {made}")
    text = statement("clickhouse", "default.calls", formats.find(name), SAMPLED)
    assert told_by_clickhouse(clickhouse, text, tmp_path / "cells") == merged(
        of_sample(link, formats.find(name))
    )


@pytest.mark.parametrize("unit", ODD)
def test_clickhouse_reads_odd_values_alike(clickhouse: Any, unit: str, tmp_path: Path) -> None:
    link, path = odd_calls(unit), tmp_path / "calls.parquet"
    link.execute(f"COPY calls TO '{path}' (FORMAT parquet)")
    made = f"SELECT * FROM file('{path}', 'Parquet')"
    clickhouse.query(f"CREATE OR REPLACE VIEW default.calls AS {made}")
    text = statement("clickhouse", "default.calls", odd_format(unit), SAMPLED)
    found = told_by_clickhouse(clickhouse, text, tmp_path / "cells")
    assert found == merged(of_sample(link, odd_format(unit)))


# Postgres


class Postgres:
    """A private server of Postgres that listens on a socket in a folder of its own.

    It refuses to run as root, so that root runs it as nobody.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = "nobody" if os.getuid() == 0 else None
        if self.user:
            shutil.chown(folder, self.user)
        self._run(
            "initdb", "--no-sync", "--auth=trust", "--username=kilowhat", "--encoding=UTF8",
            "--locale=C", "--pgdata", folder / "data",
        )  # fmt: skip
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off -c shared_buffers=16MB"
        self._run(
            "pg_ctl", "start", "-w", "-D", folder / "data", "-l", folder / "log", "-o", settings
        )

    def _run(self, *words: str | Path) -> None:
        subprocess.run(
            [str(word) for word in words], check=True, user=self.user, cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def tell(self, query: str, output: Path | None = None) -> None:
        """Run a query as its head says, in a session whose time is UTC."""
        where = ("--host", str(self.folder), "--username", "kilowhat", "--dbname", "postgres")
        words = ["psql", "--no-psqlrc", "--quiet", "--csv", "--set", "ON_ERROR_STOP=1", *where]
        done = subprocess.run(
            [*words, *(["--output", str(output)] if output else [])], input=query, text=True,
            capture_output=True, check=False, env={**os.environ, "PGTZ": "UTC"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[:1000]

    def fill(self, table: str, csv_file: Path, kinds: dict[str, str]) -> None:
        """A table with what a CSV file holds."""
        columns = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
        self.tell(
            f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({columns}); "
            f"\\copy {table} FROM '{csv_file}' WITH (FORMAT csv, HEADER true)\n"
        )

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-m", "immediate", "-D", self.folder / "data")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    missing = [name for name in ("initdb", "pg_ctl", "psql") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"no server of Postgres here: {', '.join(missing)} not found")
    folder = Path(tempfile.mkdtemp(prefix="kw-pg-", dir="/tmp"))  # a socket's path is short
    folder.chmod(0o755)
    server = Postgres(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


POSTGRES_TYPES = {"DOUBLE": "DOUBLE PRECISION", "TIMESTAMP": "TIMESTAMP", "VARCHAR": "TEXT"}


@pytest.mark.parametrize("name", PRESENT)
def test_postgres_gives_the_same_cells(
    logs: Logs, postgres: Postgres, name: str, tmp_path: Path
) -> None:
    source, result = tmp_path / "calls.csv", tmp_path / "cells.csv"
    logs.links[name].execute(f"COPY calls TO '{source}' (FORMAT csv, HEADER, FORCE_QUOTE *)")
    kinds = {n: POSTGRES_TYPES.get(COLUMNS[n], COLUMNS[n]) for n in PRESENT[name]}
    postgres.fill("calls", source, kinds)
    text = statement("postgres", "calls", PRESENT[name], fitting(ASKED, name), "log")
    postgres.tell(f"{text};", result)
    assert of_text(result) == merged(logs.expected(name))


@pytest.mark.parametrize("name", FORMATS)
def test_postgres_reads_formats_of_tables(postgres: Postgres, name: str, tmp_path: Path) -> None:
    link, source, result = the_sample(name), tmp_path / "calls.csv", tmp_path / "cells.csv"
    link.execute(f"COPY calls TO '{source}' (FORMAT csv, HEADER, FORCE_QUOTE *)")
    columns = [row[0] for row in link.execute("DESCRIBE calls").fetchall()]
    postgres.fill("calls", source, dict.fromkeys(columns, "TEXT"))
    text = statement("postgres", "calls", formats.find(name), SAMPLED)
    postgres.tell(f"{text};", result)
    assert of_text(result) == merged(of_sample(link, formats.find(name)))


@pytest.mark.parametrize("unit", ODD)
def test_postgres_reads_odd_values_alike(postgres: Postgres, unit: str, tmp_path: Path) -> None:
    link, source, result = odd_calls(unit), tmp_path / "calls.csv", tmp_path / "cells.csv"
    link.execute(f"COPY calls TO '{source}' (FORMAT csv, HEADER, FORCE_QUOTE *)")
    postgres.fill("calls", source, dict.fromkeys(("word", "tokens", "time"), "TEXT"))
    postgres.tell(f"{statement('postgres', 'calls', odd_format(unit), SAMPLED)};", result)
    assert of_text(result) == merged(of_sample(link, odd_format(unit)))


# Spark, on this machine


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """A session that our own code starts, and stops."""
    pytest.importorskip("pyspark")
    from kilowhat.ledger import spark

    if spark.java() is None:
        pytest.skip("no Java here: Spark needs version 17 or later")
    with pytest.MonkeyPatch.context() as patch:  # quick to start rather than quick to run
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto")
        with spark.opened() as session:
            session.conf.set("spark.sql.shuffle.partitions", "1")
            session.conf.set("spark.sql.codegen.wholeStage", "false")
            yield session
    assert session.sparkContext._jsc is None, "a session that we started is stopped"


def told_by_spark(session: Any, text: str) -> list[tuple[Any, ...]]:
    from kilowhat.ledger import spark

    return of_columns(spark.columns(session.sql(text)))


@pytest.mark.parametrize("name", ["all", "the most", "with ids"])
def test_spark_gives_the_same_cells(logs: Logs, session: Any, name: str) -> None:
    session.read.parquet(str(logs.parquet(name))).createOrReplaceTempView("calls")
    text = statement("spark", "calls", PRESENT[name], fitting(ASKED, name), "log")
    assert told_by_spark(session, text) == logs.expected(name)


@pytest.mark.parametrize("name", FORMATS)
def test_spark_finds_formats_of_tables(session: Any, name: str, tmp_path: Path) -> None:
    """By their columns; those that are missing are empty, and files and lines are in order."""
    from kilowhat.ledger import spark

    link, path = the_sample(name), tmp_path / "calls.parquet"
    empty = [
        row[0]
        for row in link.execute("DESCRIBE calls").fetchall()
        if link.execute(f'SELECT count("{row[0]}") FROM calls').fetchall() == [(0,)]
        and row[0] not in formats.find(name).needed()
    ]
    assert empty
    listed = ", ".join(f'"{column}"' for column in empty)
    link.execute(f"COPY (SELECT * EXCLUDE ({listed}) FROM calls) TO '{path}' (FORMAT parquet)")
    found = spark.cells([path], SAMPLED)
    assert of_columns(found) == of_sample(link, formats.find(name), by_line=True)


@pytest.mark.parametrize("unit", ["", "moment", "s", "ns"])
def test_spark_reads_odd_values_alike(session: Any, unit: str, tmp_path: Path) -> None:
    link, path = odd_calls(unit), tmp_path / "calls.parquet"
    link.execute(f"COPY calls TO '{path}' (FORMAT parquet)")
    session.read.parquet(str(path)).createOrReplaceTempView("calls")
    text = statement("spark", "calls", odd_format(unit), SAMPLED)
    assert told_by_spark(session, text) == of_sample(link, odd_format(unit))


@pytest.mark.parametrize("name", ["totals", "characters"])
def test_frames_of_spark_give_the_same_cells(logs: Logs, session: Any, name: str) -> None:
    frames = pytest.importorskip("kilowhat.ledger.frames")
    frame = session.read.parquet(str(logs.parquet(name)))
    if "ts_start" in frame.columns:  # an instant, not a time without a zone
        frame = frame.withColumn("ts_start", frame["ts_start"].cast("timestamp"))
    found = frames.cells(frame, fitting(ASKED, name), PRESENT[name], "log")
    assert of_columns(found) == logs.expected(name)


def test_spark_reads_files_and_leaves_the_session_as_it_was(logs: Logs, session: Any) -> None:
    from kilowhat.ledger import spark

    session.conf.set("spark.sql.ansi.enabled", "false")
    before = session.conf.get("spark.sql.ansi.enabled"), session.catalog.listTables()
    found = spark.cells([logs.parquet("characters")], ASKED)
    assert (session.conf.get("spark.sql.ansi.enabled"), session.catalog.listTables()) == before
    session.conf.unset("spark.sql.ansi.enabled")
    assert set(found["format"]) == {"table"}
    found["format"] = ["log"] * len(found["format"])
    assert of_columns(found) == logs.expected("characters")


def test_spark_says_what_it_cannot_read(session: Any) -> None:
    from kilowhat.ledger import spark

    with pytest.raises(DataError, match="no_such_table"):
        spark.cells("no_such_table", ASKED)
    session.sql("SELECT 1 AS a, 2 AS b").createOrReplaceTempView("no_log")
    with pytest.raises(InvalidValue) as error:
        spark.cells("no_log", ASKED)
    assert "a, b" in error.value.sentence()


def test_what_spark_needs_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from kilowhat.ledger import spark

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert spark.java() is None
    if "pyspark" in sys.modules:
        with pytest.raises(UsageError) as error:
            spark.started()
        assert "Java 17" in error.value.sentence()
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(MissingExtra) as missing, spark.opened():
        pass
    assert "kilowhat[spark]" in missing.value.advice()
