"""Cells where the logs are: the query for another engine as text, or run on Spark."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.errors import InvalidValue
from kilowhat.language import mark, translate
from kilowhat.ledger import calendar, cells, formats, given, mapping
from kilowhat.ledger.breakdowns import USUAL, needed
from kilowhat.ledger.calls import COLUMNS

if TYPE_CHECKING:
    from kilowhat.ledger.engine import Engine
    from kilowhat.ledger.formats import Format
    from kilowhat.ledger.mapping import Described
    from kilowhat.ledger.places import Places
    from kilowhat.ledger.question import LogQuestion

TABLE = "calls"
"""The name of the table in a printed query when none is given."""


def request_of(question: LogQuestion, where: Places) -> cells.Request:
    """The cells that a question needs, whatever engine makes them.

    Args:
        question: what is asked.
        where: its rules of places may ask for further keys.
    """
    spans = [question.span, *([question.compared] if question.compared else [])]
    starts, ends = [each.start for each in spans], [each.end for each in spans]
    first = min((day for day in starts if day), default=None) if None not in starts else None
    last = max((day for day in ends if day), default=None) if None not in ends else None
    latest = datetime.now(UTC) + timedelta(days=1)
    clock = calendar.clock(question.timezone)
    wanted = {*where.keys(), *(key for keys in question.by or USUAL for key in needed(keys))}
    return cells.Request(
        keys=tuple(sorted(wanted)),
        since=calendar.instant(first, clock) if first else "",
        until=calendar.instant(last, clock) if last else "",
        latest=f"TIMESTAMP '{latest:%Y-%m-%d %H:%M:%S}'",
        clock=clock,
        salt=question.salt,
    )


def _asked_format(question: LogQuestion) -> tuple[Format | None, Described]:
    """The format that a question names, and what its mapping file says.

    Raises:
        InvalidValue: a format of records, which no engine has as a table.
    """
    described = mapping.read(question.mapping) if question.mapping else mapping.Described()
    wanted = formats.find(question.format) if question.format else None
    if wanted is not None and wanted.kind != "table":
        expected = translate(mark("a format of tables: {names}"))
        names = ", ".join(each.name for each in formats.formats().values() if each.kind == "table")
        raise InvalidValue(
            name="format", value=question.format, expected=expected.format(names=names)
        )
    return wanted, described


def text(question: LogQuestion, where: Places, engine: str) -> str:
    """The cells query for an engine, with how to run it at its head.

    The table has canonical columns, unless a format or a mapping file tells otherwise.

    Raises:
        UsageError: no such engine or table, or a format that no table has.
    """
    from kilowhat.ledger.dialects import cells_sql  # noqa: PLC0415 - needs an optional extra

    wanted, described = _asked_format(question)
    if wanted is None and described.columns:
        wanted = mapping.table_format(described.columns, {})
    source = wanted or list(COLUMNS)
    request = request_of(question, where)
    name = "" if wanted else "table"
    table = question.table or TABLE
    return cells_sql(engine, table, source, request, name, trust_ids=question.trust_ids)


def from_spark(engine: Engine, question: LogQuestion, where: Places, table: str) -> str:
    """Make cells on a Spark session; a query over them with every column of cells.

    Raises:
        UsageError: PySpark or Java is missing, or the columns tell no format.
    """
    from kilowhat.ledger import spark  # noqa: PLC0415 - needs an optional extra

    wanted, described = _asked_format(question)
    source = question.table or list(question.paths)
    request = request_of(question, where)
    found = spark.cells(source, request, wanted, described, trust_ids=question.trust_ids)
    engine.put(
        "from_spark",
        {
            name: np.array([None if v is None else str(v) for v in values], dtype=object)
            for name, values in found.items()
        },
    )
    return given.check(engine, "SELECT * FROM from_spark", "spark", table)
