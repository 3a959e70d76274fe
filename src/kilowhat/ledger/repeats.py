"""Rows that repeat the id of another: each call is counted once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.ledger.engine import Engine
    from kilowhat.ledger.staging import Relation


def drop(engine: Engine, relations: Sequence[Relation]) -> tuple[list[Relation], int]:
    """The relations without repeated rows, and how many were left out.

    Ids are compared within one format: another may give its own to the same call, or the same
    to another call.  Only ids that occur twice are looked at closely, so that a log without
    repeats costs one pass over hashes.
    """
    found, count = list(relations), 0
    for name in dict.fromkeys(each.format.name for each in relations):
        mine = [
            number
            for number, each in enumerate(relations)
            if each.format.name == name and "source_id" in each.present
        ]
        if mine and _mark(engine, [relations[number] for number in mine]):
            for place, number in enumerate(mine):
                found[number], dropped = _without(engine, relations[number], place)
                count += dropped
    return found, count


def _mark(engine: Engine, relations: Sequence[Relation]) -> bool:
    """List the rows to leave out in the table ``repeated``; whether there are any."""
    hashes = " UNION ALL ".join(
        f"SELECT hash(source_id) AS h FROM {each.sql} WHERE source_id IS NOT NULL"
        for each in relations
    )
    engine.run(
        "CREATE OR REPLACE TEMP TABLE doubled AS "
        f"SELECT h FROM ({hashes}) GROUP BY h HAVING count(*) > 1"
    )
    if not engine.rows("SELECT count(*) FROM doubled")[0][0]:
        return False
    rows = " UNION ALL ".join(
        f"SELECT {place} AS place, file, line, {_within(each)} AS inside, source_id "
        f"FROM {each.located} WHERE hash(source_id) IN (SELECT h FROM doubled)"
        for place, each in enumerate(relations)
    )
    order = "DESC" if relations[0].format.keep == "last" else "ASC"
    engine.run(
        "CREATE OR REPLACE TEMP TABLE repeated AS SELECT place, file, line, inside FROM ("
        "SELECT *, row_number() OVER (PARTITION BY source_id "
        f"ORDER BY file {order}, line {order}, inside {order}) AS turn FROM ({rows})"
        ") WHERE turn > 1"
    )
    return True


def _within(relation: Relation) -> str:
    """What tells rows of one line apart: a document may hold many calls."""
    return "0" if relation.sql.startswith("(") else "rowid"


def _without(engine: Engine, relation: Relation, place: int) -> tuple[Relation, int]:
    mine = f"SELECT * FROM repeated WHERE place = {place}"
    count = int(engine.rows(f"SELECT count(*) FROM ({mine})")[0][0])
    if not count:
        return relation, 0
    if not relation.sql.startswith("("):
        engine.run(f"DELETE FROM {relation.sql} WHERE rowid IN (SELECT inside FROM ({mine}))")
        return replace(relation, rows=relation.rows - count), count
    columns = ", ".join(f'"{name}"' for name in relation.present)
    kept = (
        f"(SELECT {columns} FROM {relation.located} AS r WHERE NOT EXISTS "
        f"(SELECT 1 FROM ({mine}) AS d WHERE d.file = r.file AND d.line = r.line))"
    )
    return replace(relation, sql=kept, rows=relation.rows - count), count
