"""The query that makes cells as SQL text for other engines, where the logs already are."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kilowhat.errors import MissingExtra, UnknownName
from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from kilowhat.ledger.cells import Request
    from kilowhat.ledger.formats import Format


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an engine calls otherwise than DuckDB: pieces of its SQL with places x, a and b.

    What reads a value gives NULL where it cannot.

    Attributes:
        wide: the type of whole numbers of 38 digits.
        instant: the type of an instant.
        literal: an instant written out, with a place for its text.
        micros: microseconds of an instant since 1970.
        from_micros: the instant of such a number.
        digest: SHA-256 of a text, in hexadecimal.
        quotient: the whole part of a by b.
        round: a number rounded, halves away from zero.
        whole: a whole number read from text or a number.
        number: a number read from text.
        moment: an instant read from ISO 8601 text, or from a time.
        json: a JSON document read from text.
        found: the text at the path a, or b with its root, of the JSON document x; here and
            below "" when SQLGlot knows it.
        inner: the document at that path.
        matches: whether the text x holds the pattern a.
        part: part b of the text x that a divides.
        is_scientific: whether a number with places is written so as text: 1.2E7.
        run: how to run a query and save what it gives.
    """

    wide: str
    instant: str
    literal: str
    micros: str
    from_micros: str
    digest: str
    quotient: str
    whole: str
    number: str
    moment: str
    json: str
    run: tuple[str, ...]
    round: str = "ROUND(x)"
    found: str = ""
    inner: str = ""
    matches: str = ""
    part: str = ""
    is_scientific: bool = False


_ISO = (  # else "12:30", "2025" or "25:00:00" would be a time for some
    "'^[12][0-9]{3}-[0-9]{1,2}-[0-9]{1,2}"
    "([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?([^0-9:].*)?)?$'"
)
_DIGITS = r"'^ *[+-]?\d{1,40}(\.0*)?([eE]\+?\d{1,2})? *$'"
_DECIMAL = r"'^\s*[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,2})?\s*$'"
_DATE = (
    r"((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)"
    r"|02-(0[1-9]|1\d|2[0-8]))"
)
_LEAP = r"(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29"
_TIME = r"([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)? ?(Z|UTC|[+-](0\d|1[0-5])(:?[0-5]\d)?)?)?"
_MOMENT = rf"'^([1-9]\d{{3}}-{_DATE}|{_LEAP}){_TIME}$'"

DIALECTS: dict[str, Dialect] = {
    "bigquery": Dialect(
        wide="BIGNUMERIC",
        instant="TIMESTAMP",
        literal="CAST('{}+00:00' AS TIMESTAMP)",
        micros="UNIX_MICROS(x)",
        from_micros="TIMESTAMP_MICROS(CAST(x AS INT64))",
        digest="TO_HEX(SHA256(x))",
        quotient="DIV(a, b)",
        whole="SAFE_CAST(SAFE_CAST(CAST(x AS STRING) AS BIGNUMERIC) AS INT64)",
        number="SAFE_CAST(CAST(x AS STRING) AS FLOAT64)",
        moment=(
            r"SAFE_CAST(REGEXP_REPLACE(CAST(x AS STRING), '([.][0-9]{6})[0-9]+', '\\1') "
            "AS TIMESTAMP)"
        ),
        json="SAFE.PARSE_JSON(x)",
        part="SPLIT(x, a)[SAFE_ORDINAL(b)]",
        run=(
            (
                "  bq query --use_legacy_sql=false --format=csv --max_rows=10000000"
                " < cells.sql > cells.csv"
            ),
        ),
    ),
    "snowflake": Dialect(
        wide="DECIMAL(38, 0)",
        instant="TIMESTAMP_LTZ",
        literal="CAST('{} +00:00' AS TIMESTAMP_LTZ)",
        micros="DATE_PART(EPOCH_MICROSECOND, x)",
        from_micros="EXACTLY_TO_TIMESTAMP_LTZ(CAST(x AS BIGINT), 6)",
        digest="SHA2(x, 256)",
        quotient="CAST((a - MOD(a, b)) / b AS BIGINT)",
        whole="EXACTLY_TRY_TO_NUMBER(TO_VARCHAR(x), 38, 0)",
        number="TRY_TO_DOUBLE(TO_VARCHAR(x))",
        moment=(
            f"CASE WHEN REGEXP_LIKE(TO_VARCHAR(x), {_ISO}) "
            "THEN TRY_TO_TIMESTAMP_LTZ(TO_VARCHAR(x)) END"
        ),
        json="TRY_PARSE_JSON(x)",
        found="TO_VARCHAR(GET_PATH(x, a))",
        inner="GET_PATH(x, a)",
        matches="REGEXP_INSTR(x, a) > 0",
        run=(
            "  ALTER SESSION SET TIMEZONE = 'UTC';",
            "  snow sql --filename cells.sql --format CSV > cells.csv",
        ),
    ),
    "clickhouse": Dialect(
        wide="Nullable(Int256)",
        instant="Nullable(DateTime64(6, 'UTC'))",
        literal="CAST('{}' AS DateTime64(6, 'UTC'))",
        micros="toUnixTimestamp64Micro(x)",
        from_micros="fromUnixTimestamp64Micro(accurateCastOrNull(x, 'Int64'), 'UTC')",
        digest="LOWER(HEX(SHA256(x)))",
        quotient="intDiv(a, b)",
        round="FLOOR(x + 0.5)",
        whole="toInt64OrNull(toString(toDecimal128OrNull(trimBoth(toString(x)), 9)))",
        number="toFloat64OrNull(trimBoth(toString(x)))",
        moment=(
            "CASE WHEN toTypeName(x) LIKE '%Date%' THEN accurateCastOrNull(x, "
            f"'DateTime64(6, ''UTC'')') WHEN match(toString(x), {_ISO}) "
            "THEN parseDateTime64BestEffortOrNull(toString(x), 6, 'UTC') END"
        ),
        json="CASE WHEN isValidJSON(x) THEN x END",
        found="NULLIF(NULLIF(JSON_VALUE(x, b), ''), 'null')",
        inner="JSONExtractRaw(x, a)",
        part="arrayElement(splitByString(a, x), b)",
        run=(
            (
                "  clickhouse-client --session_timezone UTC --queries-file cells.sql"
                " --format CSVWithNames --format_csv_null_representation '' > cells.csv"
            ),
        ),
    ),
    "trino": Dialect(
        wide="DECIMAL(38, 0)",
        instant="TIMESTAMP(6) WITH TIME ZONE",
        literal="CAST('{} UTC' AS TIMESTAMP(6) WITH TIME ZONE)",
        micros=(
            "DATE_DIFF('millisecond', "
            "CAST('1970-01-01 00:00:00 UTC' AS TIMESTAMP(6) WITH TIME ZONE), x) * 1000"
        ),
        from_micros="FROM_UNIXTIME_NANOS(CAST(x AS DECIMAL(38, 0)) * 1000)",
        digest="LOWER(TO_HEX(SHA256(TO_UTF8(x))))",
        quotient="a / b",
        whole=(
            "CASE WHEN TRY_CAST(x AS DECIMAL(38, 9)) = ROUND(TRY_CAST(x AS DECIMAL(38, 9))) "
            "THEN TRY_CAST(TRY_CAST(x AS DECIMAL(38, 9)) AS BIGINT) END"
        ),
        is_scientific=True,
        number="TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE)",
        moment=(
            f"CASE WHEN REGEXP_LIKE(CAST(x AS VARCHAR), {_ISO}) "
            "THEN COALESCE(TRY_CAST(x AS TIMESTAMP(6) WITH TIME ZONE), "
            "TRY(FROM_ISO8601_TIMESTAMP_NANOS(REPLACE(CAST(x AS VARCHAR), ' ', 'T')))) END"
        ),
        json="TRY(JSON_PARSE(x))",
        run=(
            "  trino --timezone UTC --output-format CSV_HEADER --file cells.sql > cells.csv",
        ),
    ),
    "postgres": Dialect(
        wide="DECIMAL",
        instant="TIMESTAMPTZ",
        literal="CAST('{}+00' AS TIMESTAMPTZ)",
        micros="CAST(EXTRACT(EPOCH FROM x) * 1000000 AS BIGINT)",
        from_micros="TO_TIMESTAMP(x / 1000000.0)",
        digest="ENCODE(SHA256(CONVERT_TO(x, 'UTF8')), 'hex')",
        quotient="a / b",
        round="FLOOR(x + 0.5)",
        whole=(
            f"CASE WHEN CAST(x AS TEXT) ~ {_DIGITS} "
            "THEN CASE WHEN ABS(CAST(CAST(x AS TEXT) AS DECIMAL)) < 9223372036854775808 "
            "THEN CAST(CAST(CAST(x AS TEXT) AS DECIMAL) AS BIGINT) END END"
        ),
        number=(
            f"CASE WHEN CAST(x AS TEXT) ~ {_DECIMAL} "
            "THEN CAST(CAST(x AS TEXT) AS DOUBLE PRECISION) END"
        ),
        moment=(
            f"CASE WHEN CAST(x AS TEXT) ~ {_MOMENT} "
            r"THEN CAST(REGEXP_REPLACE(CAST(x AS TEXT), '(\.\d{6})\d+', '\1') AS TIMESTAMPTZ) END"
        ),
        json=r"CASE WHEN x ~ '^\s*[{\[]' THEN CAST(x AS JSON) END",
        run=("  PGTZ=UTC psql --csv --file cells.sql --output cells.csv",),
    ),
    "spark": Dialect(
        wide="DECIMAL(38, 0)",
        instant="TIMESTAMP",
        literal="CAST('{}+00:00' AS TIMESTAMP)",
        micros="UNIX_MICROS(x)",
        from_micros="TIMESTAMP_MICROS(CAST(x AS BIGINT))",
        digest="SHA2(x, 256)",
        quotient="a DIV b",
        whole=(
            "CASE WHEN TRY_CAST(x AS DECIMAL(38, 9)) = ROUND(TRY_CAST(x AS DECIMAL(38, 9))) "
            "THEN TRY_CAST(TRY_CAST(x AS DECIMAL(38, 9)) AS BIGINT) END"
        ),
        is_scientific=True,
        number="TRY_CAST(x AS DOUBLE)",
        moment=f"CASE WHEN CAST(x AS STRING) RLIKE {_ISO} THEN TRY_CAST(x AS TIMESTAMP) END",
        json="CASE WHEN NOT TRY_PARSE_JSON(x) IS NULL THEN x END",
        run=(
            "  kilowhat account --engine spark --table NAME",
            "  or spark.sql(text).write.parquet('cells.parquet'), with ANSI mode and",
            "  spark.sql.session.timeZone = UTC",
        ),
    ),
    "duckdb": Dialect(
        wide="HUGEINT",
        instant="TIMESTAMP",
        literal="CAST('{}' AS TIMESTAMP)",
        micros="EPOCH_US(x)",
        from_micros="MAKE_TIMESTAMP(CAST(x AS BIGINT))",
        digest="SHA256(x)",
        quotient="a // b",
        whole="TRY_CAST(x AS BIGINT)",
        number="TRY_CAST(x AS DOUBLE)",
        moment=(
            "COALESCE(TRY_CAST(TRY_CAST(x AS TIMESTAMPTZ) AS TIMESTAMP), TRY_CAST(x AS TIMESTAMP))"
        ),
        json="TRY(JSON_EXTRACT(x, '$'))",
        run=("  duckdb -csv -cmd \"SET TimeZone = 'UTC'\" logs.db < cells.sql > cells.csv",),
    ),
}  # fmt: skip
"""The engines that cells can be asked of as text."""


def cells_sql(
    engine: str,
    table: str,
    source: Format | Collection[str],
    request: Request,
    log_format: str = "",
    *,
    trust_ids: bool = False,
) -> str:
    """The query that makes cells, as a text for an engine, with how to run it at its head.

    Args:
        engine: one of `DIALECTS`.
        table: the table of calls, as the engine names it.
        source: its canonical columns, or the format whose columns it has.
        request: keys, period and clock.
        log_format: the key ``format`` of the cells; the name of the format if there is one.
        trust_ids: whether no id occurs twice, so that none is looked for.

    Raises:
        UnknownName: no such engine.
        InvalidValue: the table is no name of a table, or the format is not one of tables.
        MissingExtra: SQLGlot is not installed.

    >>> from kilowhat.ledger.cells import Request
    >>> text = cells_sql("trino", "logs.calls", ["model_served", "output_total"], Request())
    >>> "SUM(CAST(" in text and "DECIMAL(38, 0)" in text
    True
    """
    body = statement(engine, table, source, request, log_format, trust_ids=trust_ids)
    told = translate(
        mark(
            "Whole-number sums of a log of AI calls, by day, model and place.\n"
            "The first SELECT lists the columns that are read: write NULL for one that the table "
            "lacks.\n"
            "Save the result as CSV or Parquet: kilowhat account --cells FILE prices it.\n"
            "To run it, with the session's times in UTC:"
        )
    )
    head = [*told.split("\n"), *DIALECTS[engine].run]
    return "\n".join([*(f"-- {line}" for line in head), f"{body};", ""])


def statement(
    engine: str,
    table: str,
    source: Format | Collection[str],
    request: Request,
    log_format: str = "",
    place: Sequence[str] = (),
    *,
    trust_ids: bool = False,
) -> str:
    """The query that makes cells, as a text for an engine.

    Args:
        engine: one of `DIALECTS`.
        table: the table of calls, as the engine names it.
        source: its canonical columns, or the format whose columns it has.
        request: keys, period and clock.
        log_format: the key ``format`` of the cells; the name of the format if there is one.
        place: the engine's expressions of the file and line of a row, which say which row with an
            id comes first; the time says it if there are none.
        trust_ids: whether no id occurs twice, so that none is looked for.

    Raises:
        UnknownName: no such engine.
        InvalidValue: the table is no name of a table, or the format is not one of tables.
        MissingExtra: SQLGlot is not installed.
    """
    if engine not in DIALECTS:
        near = difflib.get_close_matches(engine, DIALECTS, n=3) or list(DIALECTS)
        raise UnknownName(name=engine, nearest=near)
    try:
        from kilowhat.ledger.statements import Statement  # noqa: PLC0415 - needs an optional extra
    except ImportError as error:
        if error.name != "sqlglot":
            raise
        raise MissingExtra(package="sqlglot", extra="account") from None
    made = Statement(engine, DIALECTS[engine], place, trust_ids=trust_ids)
    return made.of(table, source, request, log_format)
