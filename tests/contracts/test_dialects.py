"""The text for each engine: it parses, says what the engine calls so, and can be run as told."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import TYPE_CHECKING

import pytest
import sqlglot
from sqlglot import exp

from kilowhat.errors import InvalidValue, MissingExtra, UnknownName
from kilowhat.ledger import cells, formats, mapping
from kilowhat.ledger.calls import COLUMNS
from kilowhat.ledger.cells import Clock, Request
from kilowhat.ledger.dialects import DIALECTS, cells_sql, statement

if TYPE_CHECKING:
    from collections.abc import Collection

    from kilowhat.ledger.formats import Format

HOUR_US = 3_600_000_000
ASKED = Request(
    keys=("hour", "user", "team"), since="TIMESTAMP '2025-01-01'",
    until="TIMESTAMP '2026-01-01 12:00:00'", salt="it's salt",
    clock=Clock("Europe/Paris", ((0, HOUR_US), (1_743_296_400_000_000, 2 * HOUR_US))),
)  # fmt: skip
TABLES = [each.name for each in formats.formats().values() if each.kind == "table"]
OWN = mapping.table_format(
    {
        "ts_start": mapping.Origin("When", unit="ms"), "model_served": mapping.Origin("Modèle"),
        "input_total": mapping.Origin("tokens in"), "output_total": mapping.Origin("out"),
        "video_out_s": mapping.Origin("video", scale=0.001),
        "provider": mapping.Origin(value="self"),
    },
    {},
)  # fmt: skip
SOURCES: dict[str, Format | Collection[str]] = {
    "canonical": tuple(COLUMNS), "own": OWN, **{name: formats.find(name) for name in TABLES},
}  # fmt: skip

WIDE = {
    "bigquery": "BIGNUMERIC", "snowflake": "DECIMAL(38, 0)", "clickhouse": "Nullable(Int256)",
    "trino": "DECIMAL(38, 0)", "postgres": "DECIMAL", "spark": "DECIMAL(38, 0)",
    "duckdb": "INT128",
}  # fmt: skip
MICROSECONDS = {
    "bigquery": "UNIX_MICROS(COALESCE(`ts_start`, `ts_end`))",
    "snowflake": 'DATE_PART(EPOCH_MICROSECOND, COALESCE("ts_start", "ts_end"))',
    "clickhouse": 'toUnixTimestamp64Micro(COALESCE("ts_start", "ts_end"))',
    "trino": "DATE_DIFF( 'MILLISECOND', CAST('1970-01-01 00:00:00 UTC' AS TIMESTAMP(6) WITH TIME "
    'ZONE), COALESCE("ts_start", "ts_end") ) * 1000',
    "postgres": 'CAST(EXTRACT(EPOCH FROM COALESCE("ts_start", "ts_end")) * 1000000 AS BIGINT)',
    "spark": "UNIX_MICROS(COALESCE(`ts_start`, `ts_end`))",
    "duckdb": 'EPOCH_US(COALESCE("ts_start", "ts_end"))',
}
DIGEST = {
    "bigquery": "TO_HEX(SHA256('its salt' || `user`))",
    "snowflake": "SHA2('its salt' || \"user\", 256)",
    "clickhouse": "LOWER(HEX(SHA256('its salt' || \"user\")))",
    "trino": "LOWER( TO_HEX(SHA256(TO_UTF8(CONCAT(CAST('its salt' AS VARCHAR), "
    'CAST("user" AS VARCHAR))))) )',
    "postgres": "ENCODE(SHA256(CONVERT_TO('its salt' || \"user\", 'UTF8')), 'hex')",
    "spark": "SHA2('its salt' || `user`, 256)",
    "duckdb": "SHA256('its salt' || \"user\")",
}
SINCE = {
    "bigquery": "CAST('2025-01-01 00:00:00+00:00' AS TIMESTAMP)",
    "snowflake": "CAST('2025-01-01 00:00:00 +00:00' AS TIMESTAMPLTZ)",
    "clickhouse": "CAST('2025-01-01 00:00:00' AS DateTime64(6, 'UTC'))",
    "trino": "CAST('2025-01-01 00:00:00 UTC' AS TIMESTAMP(6) WITH TIME ZONE)",
    "postgres": "CAST('2025-01-01 00:00:00+00' AS TIMESTAMPTZ)",
    "spark": "CAST('2025-01-01 00:00:00+00:00' AS TIMESTAMP)",
    "duckdb": "CAST('2025-01-01 00:00:00' AS TIMESTAMP)",
}
RUN_WITH = {
    "bigquery": "bq query", "snowflake": "snow sql", "clickhouse": "clickhouse-client",
    "trino": "trino --timezone UTC", "postgres": "PGTZ=UTC psql", "spark": "--engine spark",
    "duckdb": "duckdb -csv",
}  # fmt: skip


@lru_cache
def written(engine: str, source: str) -> str:
    return cells_sql(engine, "logs.calls", SOURCES[source], ASKED)


def flat(text: str) -> str:
    """A text in one line."""
    return " ".join(text.split())


@pytest.fixture(params=DIALECTS)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("source", SOURCES)
def test_the_text_parses_in_its_own_dialect(engine: str, source: str) -> None:
    text = written(engine, source)
    trees = sqlglot.parse(text, dialect=engine, error_level=sqlglot.ErrorLevel.RAISE)
    assert len(trees) == 1
    tree = trees[0]
    assert isinstance(tree, exp.Select)
    assert tree.named_selects == [*cells.KEYS, *cells.SUMS]
    read = {table.sql(dialect=engine) for table in tree.find_all(exp.Table)}
    steps = {each.alias for each in tree.ctes}
    assert [name for name in read if name.strip('"`') not in steps] == ["logs.calls"]


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_of_duckdb_is_left(engine: str, source: str) -> None:
    if engine == "duckdb":
        pytest.skip("it is DuckDB's own text")
    text = re.sub(r"'(?:[^']|'')*'|--.*", "", written(engine, source))
    words = set(re.findall(r"[A-Za-z_0-9]+", text))
    foreign = {"EPOCH_US", "HUGEINT", "INT128", "whole", "moment", "read_number", "TIMESTAMPNTZ"}
    assert not foreign & words
    assert "//" not in text
    assert "::" not in text
    if engine in {"postgres", "bigquery", "clickhouse"}:  # these read values in another way
        assert "TRY_CAST" not in words
        assert "TINYINT" not in words


def test_the_critical_places_are_written_as_the_engine_writes_them(engine: str) -> None:
    text = flat(cells_sql(engine, "calls", tuple(COLUMNS), ASKED))
    assert MICROSECONDS[engine] in text
    assert DIGEST[engine] in text
    assert f">= {SINCE[engine]}" in text
    assert f">= {1_743_296_400_000_000} THEN {2 * HOUR_US} ELSE {HOUR_US} END" in text


def test_every_sum_is_of_numbers_that_cannot_wrap(engine: str) -> None:
    tree = sqlglot.parse_one(statement(engine, "t", tuple(COLUMNS), ASKED), dialect=engine)
    sums = list(tree.find_all(exp.Sum))
    assert len(sums) == len(cells.SUMS) - 1  # rows are counted
    assert {each.this.to.sql(dialect=engine) for each in sums} == {WIDE[engine]}
    assert {each.parent.to.sql(dialect=engine) for each in sums} == {WIDE[engine]}


def test_no_name_of_the_result_hides_a_column(engine: str) -> None:
    """ClickHouse would take it for the column, also in the conditions."""
    tree = sqlglot.parse_one(statement(engine, "t", tuple(COLUMNS), ASKED), dialect=engine)
    counted = next(each.this for each in tree.ctes if each.alias == "counted")
    same = {"user"}  # hashed, and used nowhere else
    for each in counted.selects:
        if each.alias in COLUMNS and each.alias not in same:
            assert each.this.name == each.alias


def test_calls_are_counted_once_where_they_have_an_id(engine: str) -> None:
    text = flat(statement(engine, "t", ("source_id", "model_served", "output_total"), Request()))
    assert "ROW_NUMBER() OVER" in text
    without = flat(statement(engine, "t", ("model_served", "output_total"), Request()))
    assert "ROW_NUMBER" not in without
    litellm = formats.find("litellm")
    assert "ROW_NUMBER" in statement(engine, "t", litellm, Request())
    assert "ROW_NUMBER" not in statement(engine, "t", litellm, Request(), trust_ids=True)


def test_columns_that_are_not_needed_are_not_read(engine: str) -> None:
    text = statement(engine, "t", formats.find("litellm"), Request())
    assert "startTime" in text or "STARTTIME" in text
    assert "spend" not in text
    assert "end_user" not in text
    assert "end_user" in statement(engine, "t", formats.find("litellm"), Request(keys=("user",)))


def test_the_head_says_how_to_run_it(engine: str) -> None:
    lines = cells_sql(engine, "t", ("model_served", "output_total"), Request()).splitlines()
    head = [line for line in lines if line.startswith("--")]
    assert lines[: len(head)] == head
    assert any("kilowhat account --cells" in line for line in head)
    assert any(RUN_WITH[engine] in line for line in head)
    assert lines[-1].endswith(";")


@pytest.mark.parametrize(
    ("engine_", "table", "as_typed"),
    [
        ("bigquery", "my-project.logs.calls", "my-project.logs.calls"),
        ("bigquery", "`my-project.logs.events_*`", "`my-project.logs.events_*`"),
        ("snowflake", "db.logs.calls", "db.logs.calls"),
        ("postgres", '"LiteLLM_SpendLogs"', '"LiteLLM_SpendLogs"'),
        ("clickhouse", "s3('calls/*.parquet')", "s3('calls/*.parquet')"),
        ("spark", "hive.logs.calls", "hive.logs.calls"),
    ],
)
def test_the_table_is_named_as_it_was_typed(engine_: str, table: str, as_typed: str) -> None:
    text = statement(engine_, table, ("model_served", "output_total"), Request())
    assert f"FROM {as_typed}\n" in text


@pytest.mark.parametrize(
    "table", ["", "calls; DROP TABLE calls", "calls WHERE 1 = 1", "(SELECT 1)", "a b c"]
)
def test_what_is_no_table_is_refused(engine: str, table: str) -> None:
    with pytest.raises(InvalidValue):
        statement(engine, table, ("model_served", "output_total"), Request())


def test_snowflake_reads_names_that_are_not_quoted() -> None:
    text = flat(statement("snowflake", "t", ("model_served", "output_total"), Request()))
    assert 'CAST("MODEL_SERVED" AS VARCHAR) AS "model_served"' in text
    assert '"tokens in" AS "tokens in"' in flat(statement("snowflake", "t", OWN, Request()))


def test_an_unknown_engine_names_the_nearest() -> None:
    with pytest.raises(UnknownName) as error:
        statement("postgresql", "t", ("model_served",), Request())
    assert error.value.nearest == ["postgres"]
    with pytest.raises(UnknownName) as error:
        statement("cobol", "t", ("model_served",), Request())
    assert error.value.nearest == list(DIALECTS)


def test_a_format_of_records_has_no_table() -> None:
    records = next(each for each in formats.formats().values() if each.kind == "records")
    with pytest.raises(InvalidValue) as error:
        statement("postgres", "t", records, Request())
    assert records.name in error.value.sentence()


def test_without_sqlglot_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    monkeypatch.delitem(sys.modules, "kilowhat.ledger.statements", raising=False)
    with pytest.raises(MissingExtra) as error:
        statement("trino", "t", ("model_served",), Request())
    assert "kilowhat[account]" in error.value.advice()
