"""Cells of calls in a data frame of any make: Polars, PySpark, pandas, a relation of DuckDB.

The query of `kilowhat.ledger.cells` is followed, step by step, in the expressions of Narwhals, so
that every engine does what DuckDB does.  Some of them sum in 64 bits and wrap without a word: a
number is cut into parts of few bits, each is summed, and Python puts the sums together.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import zip_longest
from operator import add, and_, eq, ge, le, lt, mod, mul, or_, sub
from typing import TYPE_CHECKING, Any

from kilowhat.errors import MissingExtra
from kilowhat.ledger.calls import COLUMNS
from kilowhat.ledger.cells import KEYS, SUMS, Query, query

try:
    import narwhals as nw
    from sqlglot import exp, parse_one
except ImportError as error:
    raise MissingExtra(package=error.name or "narwhals", extra="account") from None

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from kilowhat.ledger.cells import Request

_NARROW, _LIMB = 30, 13  # bits of a part: sums over 2^33 calls at the limits stay below 2^63
_LIMBS = 5  # parts of 13 bits that hold a number of 63
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - canonical times are in UTC, without a zone
_DAY_US, _HOUR_US, _MINUTE_US, _SECOND_US = 86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000


def cells(
    frame: Any, request: Request, present: Collection[str], log_format: str = ""
) -> dict[str, list[Any]]:
    """The cells of calls in a data frame: the values of each column, whole numbers exact.

    Equal to those of `kilowhat.ledger.cells.query`, up to 2^33 calls.  Calls that occur twice are
    the caller's business, as there.

    Args:
        frame: calls in canonical columns, of any make that Narwhals knows.
        request: keys, period and clock.
        present: the canonical columns that it has.
        log_format: where the calls come from, as a key.
    """
    told = query("calls", present, replace(request, salt="", hash_user="({})"), log_format)
    tree: Any = parse_one(told.sql, read="duckdb")
    calls = _canonical(nw.from_native(frame), present)
    accepted = _with_parts(calls.filter(_value(tree.args["where"].this)), tree)
    keys = {each.alias: each.this for each in tree.selects if not each.find(exp.AggFunc)}
    sums = {each.alias: _summed(each.this) for each in tree.selects if each.alias not in keys}
    rows = _grouped(accepted, keys, sums)
    found: dict[str, list[Any]] = {name: [row[i] for row in rows] for i, name in enumerate(keys)}
    place = len(keys)
    for name, number in sums.items():
        end = place + len(number.parts)
        found[name] = [number.joined(row[place:end]) for row in rows]
        place = end
    if "user" in found:
        salt = request.salt.replace("'", "")
        found["user"] = [None if user is None else _hashed(salt + user) for user in found["user"]]
    return _complete(found, told, len(rows))


def _grouped(frame: Any, keys: Mapping[str, Any], sums: Mapping[str, _Number]) -> list[Any]:
    """A row for each cell: its keys, then the sums of every part of its numbers."""
    parts = {
        f"{name}_{place}": part
        for name, number in sums.items()
        for place, part in enumerate(number.parts)
    }
    frame = frame.select(
        *(_value(of).alias(name) for name, of in keys.items()),
        *(part.alias(name) for name, part in parts.items()),
    )
    cells_ = frame.group_by(*keys).agg(*(nw.col(name).sum() for name in parts))
    return _rows(cells_.select(*keys, *parts))


def _rows(frame: Any) -> list[Any]:
    """The rows of a frame, whatever it is."""
    native = nw.to_native(frame)
    if frame.implementation.is_duckdb():
        return list(native.fetchall())
    if frame.implementation.is_spark_like():
        return list(native.collect())
    if frame.implementation.is_pandas_like():
        return list(native.astype(object).where(native.notna(), None).itertuples(index=False))
    return list(frame.lazy().collect().rows())


def _complete(found: dict[str, list[Any]], told: Query, count: int) -> dict[str, list[Any]]:
    """The columns in the order of cells, with those that have one value."""
    for name, written in told.fixed.items():
        constant: Any = parse_one(written, read="duckdb").this
        found[name] = [_constant(constant)] * count
    return {name: found[name] for name in (*KEYS, *SUMS)}


def _constant(node: Any) -> Any:
    if isinstance(node, exp.Null):
        return None
    return node.this if isinstance(node, exp.Boolean) else _literal(node)


def _literal(node: Any) -> Any:
    """The value of a number or a text, as it is written."""
    if node.is_string:
        return str(node.this)
    return float(node.this) if set(node.this) & set(".eE") else int(node.this)


def _hashed(user: str) -> str:
    """What `Request.hash_user` makes of a user, where the engine cannot."""
    return hashlib.sha256(user.encode()).hexdigest()[:12]


# Times, as microseconds since 1970


_KINDS: dict[str, Any] = {"BIGINT": nw.Int64, "DOUBLE": nw.Float64, "VARCHAR": nw.String}


def _canonical(frame: Any, present: Collection[str]) -> Any:
    """A frame with the columns that matter alone, each of its type, its times as whole numbers."""
    found = frame.collect_schema()
    chosen = []
    for name in present:
        column, kind = nw.col(name), _KINDS.get(COLUMNS[name])
        if kind is None:
            if getattr(found[name], "time_zone", None):
                column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
            column = _microseconds(column).alias(name)
        elif found[name] != kind:
            column = column.cast(kind)
        chosen.append(column)
    return frame.select(*chosen)


def _microseconds(when: Any) -> Any:
    """Microseconds since 1970, of what every engine tells of a time."""
    date = when.dt
    year = date.year().cast(nw.Int64)
    leap = _quotient(year - 1969, 4) - _quotient(year - 1901, 100) + _quotient(year - 1601, 400)
    days = (year - 1970) * 365 + leap + date.ordinal_day().cast(nw.Int64) - 1
    parts = (
        (days, _DAY_US), (date.hour(), _HOUR_US), (date.minute(), _MINUTE_US),
        (date.second(), _SECOND_US), (date.microsecond(), 1),
    )  # fmt: skip
    return sum((part.cast(nw.Int64) * size for part, size in parts[1:]), parts[0][0] * _DAY_US)


def _quotient(number: Any, by: int) -> Any:
    """The whole part of a division; exact where the engine divides by way of 64-bit floats.

    What is divided is a multiple; its rounding moves the quotient by less than a half.
    """
    return ((number - number % by).cast(nw.Float64) / float(by) + 0.5).floor().cast(nw.Int64)


# Numbers that need not fit into 64 bits


@dataclass(frozen=True, slots=True)
class _Number:
    """A whole number of a call in parts, the least first: the sum of part · 2^(bits · place)."""

    parts: tuple[Any, ...]
    bits: int

    def __mul__(self, other: _Number) -> _Number:
        parts: list[Any] = [None] * (len(self.parts) + len(other.parts) - 1)
        for i, mine in enumerate(self.parts):
            for j, theirs in enumerate(other.parts):
                product = mine * theirs
                parts[i + j] = product if parts[i + j] is None else parts[i + j] + product
        return _Number(tuple(parts), self.bits)

    def __sub__(self, other: _Number) -> _Number:
        pairs = zip_longest(self.parts, other.parts)
        return _Number(tuple(a - b if b is not None else a for a, b in pairs), self.bits)

    def joined(self, sums: Sequence[int]) -> int:
        """The sum of the number, of the sums of its parts."""
        return sum(int(each) << (self.bits * place) for place, each in enumerate(sums))


def _cut(number: Any, bits: int, count: int) -> _Number:
    """A number that is not negative in so many parts, of so many bits each but for the last."""
    parts = []
    for place in range(count):
        rest = _quotient(number, 1 << bits * place) if place else number
        parts.append(rest % (1 << bits) if place < count - 1 else rest)
    return _Number(tuple(parts), bits)


def _with_parts(frame: Any, tree: Any) -> Any:
    """A frame with the parts of every number that is wide, which the tree then names."""
    names: dict[str, str] = {}
    for select in tree.selects:
        for node in list(select.find_all(exp.Cast)):
            if node.to.this == exp.DataType.Type.INT128:
                name = names.setdefault(node.this.sql(), f"wide_{len(names)}")
                node.replace(exp.Var(this=name))
    parts = [
        part.alias(f"{name}_{place}")
        for written, name in names.items()
        for place, part in enumerate(_cut(_value(parse_one(written)), _LIMB, _LIMBS).parts)
    ]
    return frame.with_columns(*parts) if parts else frame


def _summed(node: Any) -> _Number:
    """What a call adds to a sum."""
    if isinstance(node, exp.Count):
        return _Number((nw.lit(1),), _NARROW)
    value = _value(node.this)
    return value if isinstance(value, _Number) else _cut(value.cast(nw.Int64), _NARROW, 2)


# Expressions


def _value(node: Any) -> Any:
    """An expression of SQL as one of Narwhals, or as a number in parts."""
    return _MEANINGS[type(node)](node)


def _cast(node: Any) -> Any:
    if isinstance(node.this, exp.Literal) and node.this.is_string:
        since = datetime.fromisoformat(node.this.this) - _EPOCH
        return nw.lit(since // timedelta(microseconds=1))
    return _value(node.this).cast(nw.Int64)


def _greater(node: Any) -> Any:
    """Whether one is greater; a product that may not fit is not made."""
    left, right = node.this, node.expression
    if not isinstance(right, exp.Mul):
        if COLUMNS.get(left.name) == "DOUBLE":
            return ~(_value(left) <= _value(right))  # as in DuckDB, what is no number is greatest
        return _value(left) > _value(right)
    size, many = int(right.this.this.name), _value(right.expression)
    if COLUMNS.get(left.name) == "DOUBLE":
        return ~(_value(left) <= many.cast(nw.Float64) * float(size))
    return _quotient(_value(left) - 1, size) >= many


def _case(node: Any) -> Any:
    found = _value(node.args["default"])
    for each in reversed(node.args["ifs"]):
        condition = _value(each.this)
        if node.this is not None:  # the value that is compared
            condition = _value(node.this) == condition
        found = nw.when(condition).then(_value(each.args["true"])).otherwise(found)
    return found


def _start(node: Any) -> Any:
    """Whether a text begins so: all that the query asks of a pattern."""
    return _value(node.this).str.starts_with(node.expression.name.removesuffix("%"))


def _of_two(operator: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    return lambda node: operator(_value(node.this), _value(node.expression))


def _of_many(operator: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda node: operator(_value(node.this), *map(_value, node.expressions))


_MEANINGS: dict[type, Callable[[Any], Any]] = {
    exp.Add: _of_two(add), exp.Sub: _of_two(sub), exp.Mul: _of_two(mul), exp.Mod: _of_two(mod),
    exp.And: _of_two(and_), exp.Or: _of_two(or_), exp.EQ: _of_two(eq),
    exp.LT: _of_two(lt), exp.LTE: _of_two(le), exp.GTE: _of_two(ge), exp.GT: _greater,
    exp.Coalesce: _of_many(nw.coalesce), exp.Greatest: _of_many(nw.max_horizontal),
    exp.Not: lambda node: ~_value(node.this),
    exp.Is: lambda node: _value(node.this).is_null(),
    exp.Paren: lambda node: _value(node.this),
    exp.Column: lambda node: nw.col(node.name),
    exp.Var: lambda node: _Number(
        tuple(nw.col(f"{node.name}_{place}") for place in range(_LIMBS)), _LIMB
    ),
    exp.Literal: lambda node: nw.lit(_literal(node)),
    exp.Neg: lambda node: nw.lit(-_literal(node.this)),
    exp.Boolean: lambda node: nw.lit(node.this),
    exp.IntDiv: lambda node: _quotient(_value(node.this), int(node.expression.name)),
    exp.Lower: lambda node: _value(node.this).str.to_lowercase(),
    exp.Round: lambda node: (_value(node.this) + 0.5).floor(),
    exp.DPipe: lambda node: _value(node.expression),  # the salt of users is added at the end
    exp.Anonymous: lambda node: _value(node.expressions[0]),  # epoch_us: times are such numbers
    exp.Like: _start, exp.Case: _case, exp.Cast: _cast,
}  # fmt: skip
"""What each part of the query means."""
