"""Cells: one pass over calls gives whole-number sums by key, from which everything follows.

A formula that is linear in the features of a call is linear in their sums.  So a log of any size
becomes a table of a few thousand rows; sums of whole numbers do not depend on their order, on
the number of threads or on the engine, and cells of two logs add up to the cells of both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kilowhat.ledger import calls
from kilowhat.ledger.engine import named
from kilowhat.ledger.expressions import ZERO, Expression
from kilowhat.methods.call_features import FEATURES, products

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

REPORTED, CHARACTERS, NO_OUTPUT, NO_INPUT, NO_LENGTHS, TOTALS, FAILED = range(7)
"""What is known of the lengths of the calls of a cell.

Token counts; characters instead; tokens in only; tokens out only; neither; the totals of an
unknown number of calls; nothing, since the call failed.
"""

TEXT_KEYS = {
    "provider": "provider", "region": "region", "zone": "zone", "project": "project",
    "team": "team", "user": "user", "tier": "service_tier", "operation": "operation",
}  # fmt: skip
"""Keys of cells that are columns of calls, and their columns."""
TIME_KEYS = ("day", "hour")
SITUATION = ("day", "provider", "model", "region", "zone", "tier", "operation", "format")
"""Keys that every cell has: the price of a call depends on them."""
KEYS = {
    "day": "INTEGER", "hour": "SMALLINT", "model": "VARCHAR",
    **dict.fromkeys(TEXT_KEYS, "VARCHAR"),
    "format": "VARCHAR", "has_media": "BOOLEAN", "video_ms": "BIGINT", "lengths": "TINYINT",
    "each": "BIGINT",
}  # fmt: skip
"""Every key that cells may have, and its type; days count from 1970-01-01."""
SUMS = (
    "rows", "calls", *FEATURES, "cached_tokens", "reasoning_tokens", "images_out",
)  # fmt: skip
"""The sums of a cell, whole numbers."""
WEIGHTED, ANNUAL = "weighted_", "annual"
_DAY_US, _HOUR_US = 86_400_000_000, 3_600_000_000


@dataclass(frozen=True, slots=True)
class Clock:
    """How local time follows from universal time: offsets from it, and when they begin.

    Attributes:
        name: of the time zone.
        steps: (first instant, offset), both in microseconds, in the order of time; the first
            one holds before it too.
    """

    name: str = "UTC"
    steps: tuple[tuple[int, int], ...] = ((0, 0),)

    def within(self, first: int, last: int) -> Clock:
        """The clock with the steps alone that matter between two instants [microseconds]."""
        before = [step for step in self.steps if step[0] <= first][-1:] or [self.steps[0]]
        return Clock(self.name, (*before, *(s for s in self.steps if first < s[0] <= last)))

    def local(self, microseconds: str) -> str:
        """The expression of the local time of an instant [microseconds since 1970]."""
        if all(offset == 0 for _, offset in self.steps):
            return microseconds
        cases = " ".join(
            f"WHEN {microseconds} >= {start} THEN {offset}"
            for start, offset in reversed(self.steps[1:])
        )
        first = self.steps[0][1]
        shift = f"CASE {cases} ELSE {first} END" if cases else str(first)
        return f"({microseconds} + {shift})"


@dataclass(frozen=True, slots=True)
class Request:
    """What cells are asked for.

    Attributes:
        keys: keys beside those of the situation.
        since: first instant that counts, as a literal of SQL; "" when there is none.
        until: first instant that no longer counts, as a literal; "" when there is none.
        latest: the instant after which a time is refused, as a literal.
        clock: cuts days and hours.
        salt: mixed into the names of users before they are hashed.
        hash_user: the expression that hashes a text, with a place for it.
        instant_us: the expression that makes microseconds of a time, with a place for it.
        of_week: whether ``hour`` is the hour of the week, from Monday, and ``day`` the first one
            of its year.
    """

    keys: Collection[str] = ()
    since: str = ""
    until: str = ""
    latest: str = "TIMESTAMP '2100-01-01'"
    clock: Clock = field(default_factory=Clock)
    salt: str = ""
    hash_user: str = "substr(sha256({}), 1, 12)"
    instant_us: str = "epoch_us({})"
    of_week: bool = False

    def all_keys(self) -> list[str]:
        """The keys of the cells, in the order of `KEYS`."""
        asked = {*SITUATION, *self.keys}
        return [key for key in KEYS if key in asked]


def amounts(present: Collection[str], *, wide: bool = False) -> dict[str, Expression]:
    """The numbers of a call that are summed, by the names of `SUMS` from ``calls`` on.

    Args:
        present: the canonical columns that there are.
        wide: whether products may exceed 64 bits.
    """

    def whole(*names: str) -> Expression:
        known = [name for name in names if name in present]
        if not known:
            return ZERO
        is_there = calls.is_always_there(known[0], present)
        value = known[0] if is_there else f"coalesce({', '.join(known)}, 0)"
        return Expression(f"{value}::HUGEINT" if wide else value)

    whole_in, out = (
        whole("input_total", "input_characters"),
        whole("output_total", "output_characters"),
    )
    cached = whole("cache_read")
    media = whole("images_in"), whole("videos_in")
    many = "coalesce(n_requests, 1)::HUGEINT" if wide else "coalesce(n_requests, 1)"
    found = {"calls": Expression(many if "n_requests" in present else "1")}
    found |= dict(zip(FEATURES, products(whole_in, cached, out, *media), strict=True))
    return found | {
        "cached_tokens": cached,
        "reasoning_tokens": whole("reasoning"),
        "images_out": _images(present) if "operation" in present else whole("images_out"),
    }


def _images(present: Collection[str]) -> Expression:
    """Images that a call made: at least one where it is what the call was for."""
    told = "coalesce(images_out, 0)" if "images_out" in present else "0"
    return Expression(
        f"CASE WHEN lower(operation) LIKE 'image%' THEN greatest({told}, 1) ELSE {told} END"
    )


def lengths(present: Collection[str]) -> str:
    """The expression of what is known of the lengths of a call: a code of this module."""
    known = all(calls.is_always_there(n, present) for n in ("input_total", "output_total"))
    if known and "n_requests" not in present:
        return str(REPORTED)
    has = {name: _is_there(name, present) for name in _LENGTH_COLUMNS}
    is_embedding = "lower(operation) LIKE 'embed%'" if "operation" in present else "FALSE"
    cases = [(f"{has['input_total']} AND ({has['output_total']} OR {is_embedding})", REPORTED)]
    if "n_requests" in present:
        cases.insert(0, ("n_requests = 0", TOTALS))
    if "status" in present:
        cases.append((f"status = 'error' AND NOT coalesce({has['output_total']}, FALSE)", FAILED))
    cases += [
        (_all_but(has, "input_total", "output_total"), CHARACTERS),
        (has["input_total"], NO_OUTPUT),
        (has["output_total"], NO_INPUT),
    ]  # fmt: skip
    told = " ".join(f"WHEN {condition} THEN {code}" for condition, code in cases)
    return f"(CASE {told} ELSE {NO_LENGTHS} END)::TINYINT"


def _all_but(has: dict[str, str], *names: str) -> str:
    """The condition that every length is there, but for some that are not."""
    return " AND ".join(f"NOT {of}" if name in names else of for name, of in has.items())


_LENGTH_COLUMNS = ("input_total", "output_total", "input_characters", "output_characters")


def _is_there(name: str, present: Collection[str]) -> str:
    return f"({name} IS NOT NULL)" if name in present else "FALSE"


def key_expressions(request: Request, present: Collection[str], log_format: str) -> dict[str, str]:
    """The expression of every key, by name; "NULL" where the log does not say it."""
    when = calls.time_of(present)
    local = request.clock.local(request.instant_us.format(when))
    found = {
        "day": _day(local, request) if when != "NULL" else "NULL",
        "hour": _hour(local, request) if when != "NULL" else "NULL",
        "model": calls.model_of(present),
        "format": "'" + log_format + "'",
        "lengths": lengths(present),
    }
    for key, column in TEXT_KEYS.items():
        found[key] = named(column) if column in present else "NULL"
    if "user" in present:
        salted = f"'{request.salt.replace(chr(39), '')}' || {named('user')}"
        found["user"] = request.hash_user.format(salted)
    media = [name for name in ("images_in", "videos_in") if name in present]
    seen = " OR ".join(f"coalesce({name}, 0) > 0" for name in media)
    found["has_media"] = f"({seen})" if media else "FALSE"
    video = "round(coalesce(video_out_s, 0) * 1000)::BIGINT"
    found["video_ms"] = video if "video_out_s" in present else "0"
    found["each"] = "coalesce(n_requests, 1)" if "n_requests" in present else "1"
    return {key: found[key] for key in KEYS if key in {*request.all_keys(), *_ALWAYS}}


def _day(local: str, request: Request) -> str:
    day = f"({local} // {_DAY_US})::INTEGER"
    if not request.of_week:
        return day
    return f"(date_trunc('year', DATE '1970-01-01' + {day})::DATE - DATE '1970-01-01')::INTEGER"


def _hour(local: str, request: Request) -> str:
    if request.of_week:  # 1970-01-01 was a Thursday: three days after a Monday
        return f"(({local} // {_HOUR_US} + {3 * 24}) % {7 * 24})::SMALLINT"
    return f"({local} // {_HOUR_US} % 24)::SMALLINT"


_ALWAYS = ("has_media", "video_ms", "lengths", "each")


@dataclass(frozen=True, slots=True)
class Query:
    """The query that makes cells, and the keys and sums that need not be computed.

    Attributes:
        sql: its columns are the keys that vary, then the sums that are not zero.
        fixed: expression of every other column of cells.
    """

    sql: str
    fixed: dict[str, str]

    def whole(self) -> str:
        """The query with every column of cells."""
        return f"SELECT *, {listed(self.fixed)} FROM ({self.sql})"


def query(
    relation: str,
    present: Collection[str],
    request: Request,
    log_format: str = "",
    weights: Sequence[str] = (),
) -> Query:
    """The query that makes cells of calls.

    Args:
        relation: calls in canonical columns, a table or a query in brackets; with columns
            ``hourly_weight`` and ``has_hour`` if there are weights.
        present: the columns that it has.
        request: keys, period and clock.
        log_format: where the calls come from, as a key.
        weights: features to be summed with the factor of the hour as well; `ANNUAL` counts the
            calls whose hour has none.
    """
    keys = key_expressions(request, present, log_format)
    numbers = amounts(present, wide="n_requests" in present)
    grouped = {key: of for key, of in keys.items() if not _is_constant(of)}
    chosen = [f"{of} AS {named(key)}" for key, of in grouped.items()]
    fixed = {
        key: f"{keys.get(key, 'NULL')}::{kind}" for key, kind in KEYS.items() if key not in grouped
    }
    fixed |= {name: "0::HUGEINT" for name, of in numbers.items() if of.is_zero}
    sums = ["count(*) AS rows"]
    sums += [f"{_sum(of)} AS {name}" for name, of in numbers.items() if not of.is_zero]
    for name in weights:
        if name == ANNUAL:
            calls_ = numbers["calls"].sql
            sums.append(f"sum(CASE WHEN has_hour THEN 0 ELSE {calls_} END) AS {WEIGHTED}{name}")
        elif numbers[name].is_zero:
            fixed[WEIGHTED + name] = "0::DOUBLE"
        else:
            amount = f"({numbers[name].sql})::DOUBLE"
            sums.append(f"sum(hourly_weight * {amount}) AS {WEIGHTED}{name}")
    where = " AND ".join(conditions(present, request))
    sql = f"SELECT {', '.join([*chosen, *sums])} FROM {relation} WHERE {where}"
    return Query(f"{sql} GROUP BY {', '.join(grouped.values())}" if grouped else sql, fixed)


def listed(columns: dict[str, str]) -> str:
    """Expressions as columns of a query."""
    return ", ".join(f"{of} AS {named(name)}" for name, of in columns.items())


def conditions(present: Collection[str], request: Request, *, refused: bool = False) -> list[str]:
    """What a call must satisfy to be counted, or to be listed as refused in the period."""
    found = [calls.accepted(present, request.latest)]
    when = calls.time_of(present)
    inside = [f"{when} >= {request.since}"] if request.since else []
    inside += [f"{when} < {request.until}"] if request.until else []
    if not refused:
        return [*found, *inside]
    within = " AND ".join(inside) or "TRUE"
    # A time that cannot be read may lie in any period, so its row is refused in each.
    return [f"NOT ({found[0]})", f"({within} OR {calls.unreadable_time(present)})"]


def _is_constant(expression: str) -> bool:
    return expression in {"NULL", "FALSE", "0", "1"} or expression.startswith("'")


def _sum(of: Expression) -> str:
    return "count(*)" if of.sql == "1" else f"sum({of.sql})"


def table(name: str, weights: Sequence[str] = ()) -> str:
    """The statement that makes an empty table of cells, in place of one that there may be."""
    columns = {
        **KEYS, **dict.fromkeys(SUMS, "HUGEINT"),
        **dict.fromkeys((WEIGHTED + each for each in weights), "DOUBLE"),
    }  # fmt: skip
    listed_ = ", ".join(f"{named(key)} {kind}" for key, kind in columns.items())
    return f"CREATE OR REPLACE TABLE {name} ({listed_})"
