"""Cells computed by Apache Spark, where the logs are: Parquet files, or a table that it knows."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kilowhat.errors import DataError, InvalidValue, MissingExtra
from kilowhat.language import mark, translate
from kilowhat.ledger import formats, mapping
from kilowhat.ledger.dialects import statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kilowhat.ledger.cells import Request
    from kilowhat.ledger.formats import Format
    from kilowhat.ledger.mapping import Described

_VIEW = "kilowhat_calls"
_PLACE = {"kilowhat_file": "_metadata.file_path", "kilowhat_line": "_metadata.row_index"}
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # else a sum that is too large would be NULL
}
_QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
_LOG = """\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %p %c{1}: %m%n
logger.gateway.name = org.apache.spark.api.python.PythonGatewayServer
logger.gateway.level = error
"""
_KINDS = {
    "string": "VARCHAR", "int": "INTEGER", "timestamp": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ntz": "TIMESTAMP",
}  # fmt: skip
_NESTED = ("struct", "map", "array", "variant")


def cells(
    source: Sequence[Path | str] | str,
    request: Request,
    wanted: Format | None = None,
    described: Described | None = None,
    *,
    trust_ids: bool = False,
) -> dict[str, list[Any]]:
    """The cells of calls that Spark reads: the values of each column, whole numbers exact.

    A session that runs is used and left as it was; else one is started, and stopped at the end.

    Args:
        source: Parquet files or folders, or the name of a table of the session.
        request: keys, period and clock.
        wanted: the format of the calls; found by the names of the columns if none.
        described: what a mapping file says of the columns.
        trust_ids: whether no id occurs twice, so that none is looked for.

    Raises:
        MissingExtra: PySpark is not installed.
        InvalidValue: there is no Java, Spark does not start, or the columns tell no format.
        DataError: Spark cannot read the calls; the reason is its own.
    """
    with opened() as session, _refusals():
        calls, place = _calls(session, source)
        kinds = {name: _KINDS.get(kind, kind.upper()) for name, kind in calls.dtypes}
        each = _format_of(kinds, wanted, described or mapping.Described())
        _with_columns(calls, each).createOrReplaceTempView(_VIEW)
        try:
            query = statement("spark", _VIEW, each, request, place=place, trust_ids=trust_ids)
            return columns(session.sql(query))
        finally:
            session.catalog.dropTempView(_VIEW)


def columns(found: Any) -> dict[str, list[Any]]:
    """The columns of a frame; decimals without places are whole numbers."""
    rows = found.collect()
    whole = {name for name, kind in found.dtypes if kind.startswith("decimal")}
    return {
        name: [int(row[i]) for row in rows] if name in whole else [row[i] for row in rows]
        for i, name in enumerate(found.columns)
    }


def _calls(session: Any, source: Sequence[Path | str] | str) -> tuple[Any, tuple[str, ...]]:
    """What is read, and the columns that say where a row stands, if there are some."""
    if isinstance(source, str):
        return session.table(source), ()
    found = session.read.parquet(*(str(path) for path in source))
    return found.selectExpr("*", *(f"{of} AS {name}" for name, of in _PLACE.items())), (*_PLACE,)


def _format_of(kinds: Mapping[str, str], wanted: Format | None, described: Described) -> Format:
    """The format of a table with such columns, found as for a file."""
    if wanted is not None:
        return wanted
    if described.columns:
        return mapping.table_format(described.columns, kinds)
    found = formats.of_columns(kinds)
    origins = mapping.guessed(kinds)
    if found is None and mapping.is_log(origins):
        return mapping.table_format(origins, kinds)
    if found is None:
        expected = translate(mark("columns of a known format are needed, or a mapping file"))
        listed = ", ".join(name for name in kinds if name not in _PLACE)
        raise InvalidValue(name="columns", value=listed, expected=expected)
    return found


def _with_columns(calls: Any, each: Format) -> Any:
    """The calls with every column that the format reads; what is nested is written as JSON."""
    from pyspark.sql import functions  # noqa: PLC0415 - an optional extra

    for name in each.columns:
        if name not in calls.columns:
            calls = calls.withColumn(name, functions.lit(None).cast("string"))
    for name, kind in calls.dtypes:
        if name in each.columns and kind.startswith(_NESTED):
            calls = calls.withColumn(name, functions.to_json(functions.col(f"`{name}`")))
    return calls


# The session


@contextmanager
def opened() -> Iterator[Any]:
    """The session that runs, with our settings meanwhile; else one that is stopped at the end."""
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise MissingExtra(package="pyspark", extra="spark") from None
    running = SparkSession.getActiveSession()
    session = running or started()
    before = {name: session.conf.get(name, None) for name in _SETTINGS}
    try:
        for name, value in _SETTINGS.items():
            session.conf.set(name, value)
        yield session
    finally:
        if running is None:
            session.stop()
        else:
            _restore(session.conf, before)


def _restore(settings: Any, before: Mapping[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            settings.unset(name)
        else:
            settings.set(name, value)


def java() -> str | None:
    """Where Java is; ``None`` when it is not found."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")


def started() -> Any:
    """A session of its own, on this machine unless Spark's settings say otherwise.

    Raises:
        InvalidValue: there is no Java, or Spark does not start.
    """
    from pyspark.errors import PySparkException  # noqa: PLC0415 - an optional extra
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an optional extra

    if java() is None:
        expected = translate(mark("Java 17 or later is needed, on the path or in JAVA_HOME"))
        raise InvalidValue(name="engine", value="spark", expected=expected)
    folder = Path(tempfile.mkdtemp(prefix="kilowhat-"))
    try:
        log = folder / "log4j2.properties"
        log.write_text(_LOG, encoding="utf-8")
        told = f"-Dlog4j2.configurationFile={log.as_uri()}"
        builder = SparkSession.builder.appName("kilowhat")
        builder = builder.config("spark.driver.extraJavaOptions", told)
        for name, value in _QUIET.items():
            builder = builder.config(name, value)
        with warnings.catch_warnings():  # of the version of pandas, which is not used
            warnings.filterwarnings("ignore", ".*pandas.*", FutureWarning)
            return builder.getOrCreate()
    except PySparkException as error:
        raise InvalidValue(name="engine", value="spark", expected=_first(error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _refusals() -> Iterator[None]:
    """Spark's errors as ours."""
    from pyspark.errors import PySparkException  # noqa: PLC0415 - an optional extra

    try:
        yield
    except PySparkException as error:
        raise DataError(file="Spark", line=0, reason=_first(error)) from error


def _first(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300]
