"""Log formats: one file of SQL each, found in the folder ``sql``, with what recognises it."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from kilowhat.errors import DataError, UnknownFormat
from kilowhat.ledger.engine import named, quoted

if TYPE_CHECKING:
    from collections.abc import Collection

    from kilowhat.ledger.engine import Engine

FOLDER = Path(__file__).parent / "sql"
THEN = "-- then\n"
PLACE = ("kilowhat_file", "kilowhat_line")  # of a row of a table: names that no table has
_INCLUDE = re.compile(r"^-- include: ([a-z-]+)$", re.MULTILINE)
_HEAD = re.compile(r"^-- ([a-z]+): (.*)$")


@dataclass(frozen=True, slots=True)
class Format:
    """A log format: how it is recognised, and the SELECT that makes canonical rows of it.

    Attributes:
        name: its key, the name of its file.
        title: what it is called.
        kind: ``records``, one JSON value a row, or ``table``.
        detect: for records a condition on one of them; for tables the columns that must be there.
        keep: which of the rows with one id stands, ``first`` or ``last``.
        columns: for tables, the columns that are read.
        select: from ``raw`` to canonical rows, or to ``picked`` where there is a second one.
        then: from ``picked``, all files together, to canonical rows; "" when one is enough.
        provides: what the format cannot tell.
        plain: columns of ours that are columns of theirs as they stand: (ours, theirs).
    """

    name: str
    title: str
    kind: str
    detect: str
    select: str
    keep: str = "first"
    columns: tuple[str, ...] = ()
    then: str = ""
    provides: str = ""
    plain: tuple[tuple[str, str], ...] = ()

    def needed(self) -> tuple[str, ...]:
        """The columns that a table must have to be of this format."""
        return _names(self.detect.removeprefix("columns"))


@lru_cache(maxsize=1)
def formats() -> dict[str, Format]:
    """Every format, by name.

    Raises:
        DataError: a file lacks its title, its kind or what recognises it.
    """
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.sql"))}


def find(name: str) -> Format:
    """The format of a name.

    Raises:
        UnknownFormat: there is none; names the nearest.
    """
    known = formats()
    if name not in known:
        raise UnknownFormat(name=name, nearest=difflib.get_close_matches(name, known, n=3))
    return known[name]


def _read(path: Path) -> Format:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    head: dict[str, str] = {}
    body = len(lines)
    for number, line in enumerate(lines):
        found = _HEAD.match(line.rstrip())
        if found is None:
            body = number
            break
        head[found[1]] = " ".join(filter(None, (head.get(found[1]), found[2])))
    missing = [name for name in ("title", "kind", "detect") if name not in head]
    if missing:
        raise DataError(file=path.name, line=1, reason=f"no {', '.join(missing)}")
    text = _INCLUDE.sub(_included, "".join(lines[body:]))
    select, _, then = text.strip().removesuffix(";").partition(THEN)
    return Format(
        name=path.stem,
        title=head["title"],
        kind=head["kind"],
        detect=head["detect"],
        keep=head.get("keep", "first"),
        columns=_names(head.get("columns", "")),
        select=select.strip(),
        then=then.strip(),
        provides=head.get("provides", ""),
    )


def _included(found: re.Match[str]) -> str:
    """What formats that are told apart at their beginning have in common at their end."""
    return (FOLDER / "shared" / f"{found[1]}.sql").read_text(encoding="utf-8")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in re.split(r"[\s,]+", text) if name)


def record_keys(engine: Engine) -> set[str]:
    """The keys of the records in the table ``raw``."""
    told = engine.rows("SELECT json_keys(record) FROM raw WHERE json_type(record) = 'OBJECT'")
    return {key for (keys,) in told for key in keys}


def of_records(engine: Engine) -> list[Format]:
    """The formats that recognise some of the records in the table ``raw``; else one table's.

    Logs of records hold lines that are no calls, so one that is recognised is enough; the rows
    of a table are all alike.
    """
    known = [each for each in formats().values() if each.kind == "records"]
    asked = ", ".join(f"bool_or(coalesce({each.detect}, FALSE))" for each in known)
    told = engine.rows(f"SELECT {asked} FROM raw")[0] if known else ()
    found = [each for each, is_there in zip(known, told, strict=True) if is_there]
    table = None if found else of_columns(record_keys(engine))
    return [table] if table else found


def of_columns(columns: Collection[str]) -> Format | None:
    """The format of a table with such columns: the one that asks for most of them."""
    tables = [each for each in formats().values() if each.kind == "table"]
    fitting = [each for each in tables if set(each.needed()) <= set(columns)]
    return max(fitting, key=lambda each: len(each.needed()), default=None)


def raw_of_table(each: Format, relation: str, present: Collection[str], place: str) -> str:
    """The relation ``raw`` of a table: the columns that the format reads, and where a row stands.

    Args:
        each: the format.
        relation: what is read.
        present: its columns.
        place: expressions of where a row stands, as `PLACE`.
    """
    chosen = [
        f"{named(name)}" if name in present else f"NULL AS {named(name)}" for name in each.columns
    ]
    return f"(SELECT {', '.join([*chosen, place])} FROM {relation})"


def raw_of_records(columns: Collection[str], relation: str) -> str:
    """The relation ``raw`` of a table whose rows are JSON records: each value as text.

    A name with dots leads into the record, unless a key is written so.
    """
    paths: dict[str, list[str]] = {name: [f'$."{name}"'] for name in columns}
    for name in columns:
        if "." in name:
            paths[name].append("$." + ".".join(f'"{part}"' for part in name.split(".")))
    every = [path for of in paths.values() for path in of]
    number = {path: place for place, path in enumerate(every, start=1)}
    chosen = [
        f"coalesce({', '.join(f'found[{number[path]}]' for path in of)}) AS {named(name)}"
        for name, of in paths.items()
    ]
    listed = ", ".join(quoted(path) for path in every)
    values = f"SELECT file, line, json_extract_string(record, [{listed}]) AS found FROM {relation}"
    place = [f"file AS {PLACE[0]}", f"line AS {PLACE[1]}"]
    return f"(SELECT {', '.join([*chosen, *place])} FROM ({values}))"
