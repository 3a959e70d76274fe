"""The query that makes cells, taken apart and put together again for another engine.

It is written once, for DuckDB, in `kilowhat.ledger.cells`.  What an engine calls otherwise is
replaced; and what a call adds to its cell is named apart from the sums, since some engines take
the name of a column of the result for the column that it is made of.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp

from kilowhat.errors import InvalidValue
from kilowhat.language import mark, translate
from kilowhat.ledger import cells
from kilowhat.ledger.calls import COLUMNS, MACROS
from kilowhat.ledger.formats import PLACE, Format

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from kilowhat.ledger.cells import Request
    from kilowhat.ledger.dialects import Dialect

_EXACTLY = "EXACTLY_"  # before a function that is to be left as it is written
_EACH = "call_"  # before the name of a sum: what one call adds to it
_ORDER = ("ts_start", "ts_end", "input_total", "output_total", "source_id")
_UNREADABLE_TIME = "0001-01-01"
_NO_TIME = "1900-01-01 00:00:00"  # the first instant that all engines know; theirs instead
_LAST = 10_413_791_999_999_999  # microseconds: the end of 2299, the last that all engines know


def _moment(microseconds: str, whole: str) -> str:
    return (
        f"CASE WHEN x IS NULL THEN NULL WHEN {microseconds} BETWEEN 0 AND {_LAST} "
        f"THEN from_micros({whole}({microseconds})) ELSE TIMESTAMP '{_NO_TIME}' END"
    )


_FULL = re.compile(r"regexp_full_match\(([^,]+), '([^']*)'\)")
_SCIENTIFIC = "-?[0-9][.][0-9]+E[0-9]+"  # how some engines write 12345678.0
_TIMES = {
    "moment": (
        f"CASE WHEN NOT x IS NULL THEN coalesce(read_moment(x), TIMESTAMP '{_NO_TIME}') END"
    ),
    "moment_s": _moment("read_number(x) * 1000000", "round"),
    "moment_ms": _moment("read_number(x) * 1000", "round"),
    "moment_us": _moment("read_number(x)", "round"),
    "moment_ns": _moment("read_number(x) / 1000", "floor"),
}


def _macros(*, is_scientific: bool) -> dict[str, str]:
    """What formats read values with, as in `kilowhat.ledger.calls`, of what engines differ in."""
    found = dict(MACROS)
    if is_scientific:
        found["whole"] = _FULL.sub(rf"regexp_full_match(\1, '\2|{_SCIENTIFIC}')", found["whole"])
    for name, body in found.items():
        told = _FULL.sub(r"regexp_matches(\1, '^(\2)$')", body)
        told = told.replace("try_cast(x AS BIGINT)", "read_whole(x)")
        found[name] = told.replace("try_cast(x AS DOUBLE)", "read_number(x)")
    return found | _TIMES


_PIECES = {
    "read_whole": "whole", "read_number": "number", "read_moment": "moment",
    "from_micros": "from_micros", "epoch_us": "micros",
}  # fmt: skip


def parsed(duckdb: str) -> Any:
    """A query or expression of DuckDB as a tree."""
    return _tree(duckdb, "duckdb").copy()


@lru_cache(maxsize=256)
def _tree(written: str, engine: str) -> Any:
    return sqlglot.parse_one(written, dialect=engine)


class Statement:
    """Makes the text for one engine.

    Args:
        engine: its name, which is also SQLGlot's.
        dialect: what it calls otherwise.
        place: its expressions of the file and line of a row, which say which row with an id
            comes first; none when it has no such thing, and the time says it.
        trust_ids: whether no id occurs twice, so that none is looked for.
    """

    def __init__(
        self, engine: str, dialect: Dialect, place: Sequence[str] = (), *, trust_ids: bool = False
    ) -> None:
        self.engine = engine
        self.dialect = dialect
        self.place = dict(zip(PLACE, place, strict=False))
        self.columns = [name for name in COLUMNS if name != "source_id" or not trust_ids]
        self._macros = _macros(is_scientific=dialect.is_scientific)
        self._types = {
            kind: exp.DataType.build(written, dialect=engine)
            for kind, written in {
                exp.DataType.Type.INT128: dialect.wide,
                exp.DataType.Type.TIMESTAMP: dialect.instant,
                exp.DataType.Type.TIMESTAMPNTZ: dialect.instant,
            }.items()
        }
        self._changes: dict[type, Callable[[Any], Any]] = {
            exp.Anonymous: self._function, exp.Cast: self._cast, exp.IntDiv: self._quotient,
            exp.SHA2: self._digest, exp.Round: self._round, exp.SplitPart: self._part,
            exp.RegexpLike: self._matches, exp.Try: self._json, exp.JSONExtract: self._json,
            exp.JSONExtractScalar: self._json, exp.EQ: self._equal, exp.GT: _greater,
            exp.Greatest: _greatest,
        }  # fmt: skip

    def of(
        self, table: str, source: Format | Collection[str], request: Request, log_format: str
    ) -> str:
        """The whole statement: the columns read, calls, what each adds to its cell, cells."""
        steps: dict[str, Any] = {}
        present = [] if isinstance(source, Format) else [n for n in self.columns if n in source]
        is_last = False
        if isinstance(source, Format):
            log_format, is_last = log_format or source.name, source.keep == "last"
            told = parsed(source.select).named_selects
            present = [name for name in self.columns if name in told]
        query = cells.query("calls", present, request, log_format)
        counted = self._counted(query, present)
        used = {column.name for column in counted.find_all(exp.Column)}
        needed = [name for name in present if name in used]
        if isinstance(source, Format):
            steps = {"raw": self._raw(source, needed), "told": self._told(source, needed)}
        steps["calls"] = self._calls(needed, "told" if steps else "", is_last=is_last)
        steps["counted"] = counted
        self._read_from(next(iter(steps.values())), table)
        whole = self._summed(query)
        for name, step in steps.items():
            whole = whole.with_(exp.to_identifier(name, quoted=True), as_=step)
        text: str = whole.sql(dialect=self.engine, pretty=True)
        return text

    # The steps

    def _raw(self, each: Format, needed: Sequence[str]) -> Any:
        """The columns that a format reads; those that hold JSON as text."""
        if each.kind != "table":
            expected = translate(mark("a format of tables is needed"))
            raise InvalidValue(name="format", value=each.name, expected=expected)
        body = self._pruned(each, needed)
        read = {column.name for column in body.find_all(exp.Column)}
        documents = {found.this.name for found in body.find_all(exp.JSONExtract)}
        chosen = [
            f'"{name}"::VARCHAR AS "{name}"' if name in documents else f'"{name}" AS "{name}"'
            for name in each.columns
            if name in read
        ]
        raw = self._in_words(parsed(f"SELECT {', '.join(chosen)}"))
        for name, written in self.place.items():
            raw.select(
                exp.alias_(_tree(written, self.engine).copy(), name, quoted=True), copy=False
            )
        return raw

    def _told(self, each: Format, needed: Sequence[str]) -> Any:
        """What a format makes of its columns."""
        tree = self._pruned(each, needed)
        for place, inner in enumerate(tree.find_all(exp.Subquery)):
            if isinstance(inner.parent, exp.From) and not inner.alias:  # some engines ask for one
                inner.set("alias", exp.TableAlias(this=exp.to_identifier(f"part_{place}")))
        return self._in_words(tree)

    def _pruned(self, each: Format, needed: Sequence[str]) -> Any:
        """The SELECT of a format with the columns alone that are needed, and those of the place."""
        tree = parsed(each.select)
        kept = [one for one in tree.selects if one.alias_or_name in {*needed, *self.place}]
        missing = [exp.column(name) for name in self.place if name not in tree.named_selects]
        tree.set("expressions", [*kept, *missing])
        return tree

    def _calls(self, present: Sequence[str], step: str, *, is_last: bool) -> Any:
        """Canonical columns, each of its type, and the turn of a row among those with its id."""
        chosen = [f'"{name}"::{COLUMNS[name]} AS "{name}"' for name in present]
        if "source_id" in present:
            way = " DESC" if is_last else ""
            by = ", ".join(
                f'"{name}"{way}' for name in [*self.place] or [n for n in _ORDER if n in present]
            )
            chosen.append(f'row_number() OVER (PARTITION BY "source_id" ORDER BY {by}) AS "turn"')
        return self._in_words(parsed(f"SELECT {', '.join(chosen)} {step and f'FROM {step}'}"))

    def _counted(self, query: cells.Query, present: Sequence[str]) -> Any:
        """What each call that is accepted adds to its cell, and the keys of the cell."""
        tree = parsed(query.sql)
        where = tree.args["where"].this
        if "source_id" in present:  # each call once
            where = exp.and_(parsed("source_id IS NULL OR turn = 1"), where)
        chosen = [
            exp.alias_(each.this.this, _EACH + each.alias)
            if isinstance(each.this, exp.Sum)
            else each
            for each in tree.selects
            if not isinstance(each.this, exp.Count)
        ]
        return self._in_words(exp.select(*chosen).from_("calls").where(where))

    def _summed(self, query: cells.Query) -> Any:
        """The cells, with every column that they have."""
        total = {name: parsed(written) for name, written in query.fixed.items()}
        keys = []
        for each in parsed(query.sql).selects:
            name = each.alias
            if isinstance(each.this, exp.Sum):
                total[name] = parsed(f"sum({_EACH}{name}::HUGEINT)::HUGEINT")
            elif isinstance(each.this, exp.Count):
                total[name] = each.this
            else:
                total[name] = exp.column(name)
                keys.append(exp.column(name))
        listed = [exp.alias_(total[name], name) for name in (*cells.KEYS, *cells.SUMS)]
        return self._in_words(exp.select(*listed).from_("counted").group_by(*keys))

    def _read_from(self, first: Any, table: str) -> None:
        """Let the first step read a table, whose names stay as they were written."""
        try:
            source = sqlglot.parse_one(table, into=exp.Table, dialect=self.engine)
        except sqlglot.ParseError as error:
            expected = translate(mark("the name of a table is needed"))
            raise InvalidValue(name="table", value=table, expected=expected) from error
        source.pop_comments()
        if self.engine == "snowflake":  # a name that is not quoted is in capitals there
            for column in first.find_all(exp.Column):
                if column.name.isidentifier() and column.name.isascii():
                    column.this.set("this", column.name.upper())
        first.from_(source, copy=False)

    # What the engine calls otherwise

    def _in_words(self, tree: Any) -> Any:
        """A tree of DuckDB's SQL in the words of the engine."""
        tree = tree.transform(self._expanded)
        for node in reversed(list(tree.walk(bfs=True))):  # parts before what they are parts of
            if isinstance(node, exp.Identifier):
                node.set(arg_key="quoted", value=True)
            change = self._change(node)
            if change is not None and node is tree:
                return change
            if change is not None:
                node.replace(change)
        return tree

    def _expanded(self, node: Any) -> Any:
        """A node, or what a macro stands for."""
        body = self._macros.get(node.name.lower()) if isinstance(node, exp.Anonymous) else None
        if body is None:
            return node
        value = node.expressions[0].transform(self._expanded)
        tree = parsed(body)
        for place in list(tree.find_all(exp.Column)):
            if place.name == "x":
                place.replace(_enclosed(value.copy(), place.parent))
        return tree.transform(self._expanded)

    def _change(self, node: Any) -> Any:
        """What takes the place of a node, or None."""
        change = self._changes.get(type(node))
        return change(node) if change else None

    def _function(self, node: Any) -> Any:
        piece = _PIECES.get(node.name.lower())
        return self._piece(piece, x=node.expressions[0]) if piece else None

    def _quotient(self, node: Any) -> Any:
        return self._piece("quotient", a=node.this, b=node.expression)

    def _digest(self, node: Any) -> Any:
        return self._piece("digest", x=node.this)

    def _round(self, node: Any) -> Any:
        return None if node.args.get("decimals") else self._piece("round", x=node.this)

    def _part(self, node: Any) -> Any:
        parts = {"a": node.args["delimiter"], "b": node.args["part_index"]}
        return self._piece("part", x=node.this, **parts) if self.dialect.part else None

    def _matches(self, node: Any) -> Any:
        told = self.dialect.matches
        return self._piece("matches", x=node.this, a=node.expression) if told else None

    def _equal(self, node: Any) -> Any:
        """Whether a time is the one that stands for none; engines write that in many ways."""
        if not _is_no_time(node.expression):
            return None
        return exp.LTE(this=node.this, expression=self._instant(_NO_TIME))

    def _json(self, node: Any) -> Any:
        """What reads a JSON document from a text, or a place of one."""
        if isinstance(node, exp.Try):
            return self._piece("json", x=node.this.this)
        path = ".".join(part.name for part in node.expression.find_all(exp.JSONPathKey))
        name = "found" if isinstance(node, exp.JSONExtractScalar) else "inner"
        if not path or not getattr(self.dialect, name):
            return None
        places = {"a": exp.Literal.string(path), "b": exp.Literal.string(f"$.{path}")}
        return self._piece(name, x=node.this, **places)

    def _cast(self, node: Any) -> Any:
        kind = self._types.get(node.to.this)
        if kind is None:
            return None
        if isinstance(node.this, exp.Literal) and node.this.is_string:
            return None if _is_no_time(node) else self._instant(node.this.this)
        node.set("to", kind.copy())
        return None

    def _instant(self, text: str) -> Any:
        written = f"{text.replace('T', ' ')} 00:00:00"[: len(_NO_TIME)]
        return self._template(self.dialect.literal.format(written), {})

    def _piece(self, name: str, **parts: Any) -> Any:
        return self._template(getattr(self.dialect, name), parts)

    def _template(self, written: str, parts: dict[str, Any]) -> Any:
        """A piece of the engine's SQL, with its places filled."""
        tree = _tree(written, self.engine).copy()
        for node in list(tree.walk()):
            if isinstance(node, exp.Column) and node.name in parts:
                node.replace(_enclosed(parts[node.name].copy(), node.parent))
            elif isinstance(node, exp.Anonymous) and node.name.startswith(_EXACTLY):
                node.set("this", node.name.removeprefix(_EXACTLY))
        return tree


def _greater(node: Any) -> Any:
    """Whether a number with places is greater: what is no number is, as in DuckDB."""
    if COLUMNS.get(node.this.name) != "DOUBLE":
        return None
    return exp.not_(exp.LTE(this=node.this, expression=node.expression))


def _greatest(node: Any) -> None:
    """None of ours is missing: no engine need be told what to do then."""
    node.args["ignore_nulls"] = False


def _is_no_time(node: Any) -> bool:
    """Whether it is the time that stands for one that could not be read."""
    return bool(isinstance(node, exp.Cast) and node.this.name == _UNREADABLE_TIME)


def _enclosed(part: Any, around: Any) -> Any:
    """A part in brackets where it needs some."""
    is_apart = isinstance(around, (exp.Func, exp.Cast)) and not isinstance(around, exp.Binary)
    return part if is_apart or not isinstance(part, (exp.Binary, exp.Not)) else exp.paren(part)
