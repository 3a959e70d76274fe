"""Canonical calls in the engine: from the relation ``raw`` of a format to relations of calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kilowhat.ledger import formats
from kilowhat.ledger.calls import COLUMNS, MACROS
from kilowhat.ledger.engine import named

if TYPE_CHECKING:
    from collections.abc import Collection

    from kilowhat.ledger.engine import Engine
    from kilowhat.ledger.formats import Format

PLACE = {"file": "VARCHAR", "line": "BIGINT"}
_PLACED = ", ".join(f"{of} AS {name}" for of, name in zip(formats.PLACE, PLACE, strict=True))


@dataclass(frozen=True, slots=True)
class Relation:
    """Calls in canonical columns.

    Attributes:
        sql: a table, or a query in brackets.
        located: the same with the ``file`` and ``line`` of each row.
        present: the canonical columns that it has, with facts where some are known.
        format: the format of the log that the calls come from.
        rows: how many rows there are [1].
    """

    sql: str
    located: str
    present: Collection[str]
    format: Format
    rows: int


def define_macros(engine: Engine) -> None:
    """Teach an engine what formats read values with."""
    for name, body in MACROS.items():
        engine.run(f"CREATE OR REPLACE MACRO {name}(x) AS {body}")


def selected(select: str, raw: str, source: str = "raw") -> str:
    """The SELECT of a format over a relation that stands for ``raw``."""
    known = f"{source} AS (SELECT * FROM {raw})"
    if select[:5].upper() == "WITH ":
        return f"(WITH {known}, {select[5:]})"
    return f"(WITH {known} {select})"


def canonical(engine: Engine, query: str, *, with_place: bool) -> tuple[str, tuple[str, ...]]:
    """A query with its canonical columns alone, each of its type, and their names.

    Args:
        engine: knows the types of the query.
        query: a SELECT in brackets.
        with_place: whether ``file`` and ``line`` come along.
    """
    kinds = engine.names(f"SELECT * FROM {query}")
    present = tuple(name for name in COLUMNS if name in kinds)
    wanted = {**(PLACE if with_place else {}), **{name: COLUMNS[name] for name in present}}
    chosen = [
        named(name) if kinds[name] == kind else f"{named(name)}::{kind} AS {named(name)}"
        for name, kind in wanted.items()
    ]
    return f"(SELECT {', '.join(chosen)} FROM {query})", present


def table_select(each: Format, *, with_place: bool) -> str:
    """The SELECT of a table's format, with the place of each row if asked for."""
    if not with_place:
        return each.select
    return each.select.replace("SELECT", f"SELECT {_PLACED},", 1)


class Staging:
    """Tables of the engine that hold calls read from text, one for each format.

    Args:
        engine: holds the tables.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._tables: dict[Format, str] = {}
        self._queries: dict[tuple[Format, str], str] = {}

    def table(self, each: Format, raw: str) -> str:
        """The table of a format; made from the columns of its SELECT over ``raw`` at first."""
        if each not in self._tables:
            name = f"staged_{len(self._tables)}"
            query = self.query(each, raw)
            self.engine.run(f"CREATE TABLE {name} AS SELECT * FROM {query} LIMIT 0")
            self._tables[each] = name
        return self._tables[each]

    def query(self, each: Format, raw: str) -> str:
        """What is staged of ``raw``: canonical calls, or what a second SELECT goes on from.

        Worked out once for all batches, since the types of ``raw`` are always the same.
        """
        if (each, raw) not in self._queries:
            select = each.select if each.kind == "records" else table_select(each, with_place=True)
            query = selected(select, raw)
            if not each.then:
                query, _ = canonical(self.engine, query, with_place=True)
            self._queries[each, raw] = query
        return self._queries[each, raw]

    def finish(self) -> list[Relation]:
        """The relations of everything that was staged."""
        found = []
        for each, name in self._tables.items():
            table = name
            if each.then:
                query = selected(each.then, name, "picked")
                whole, _ = canonical(self.engine, query, with_place=True)
                table = f"{name}_calls"
                self.engine.run(f"CREATE TABLE {table} AS SELECT * FROM {whole}")
                self.engine.run(f"DROP TABLE {name}")
            present = tuple(n for n in self.engine.names(table) if n in COLUMNS)
            rows = int(self.engine.rows(f"SELECT count(*) FROM {table}")[0][0])
            found.append(Relation(table, table, present, each, rows))
        return found
