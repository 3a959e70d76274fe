"""The canonical row of a call: its columns, how text becomes values, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

COLUMNS: dict[str, str] = {
    "ts_start": "TIMESTAMP", "ts_end": "TIMESTAMP", "source_id": "VARCHAR",
    "provider": "VARCHAR", "model_requested": "VARCHAR", "model_served": "VARCHAR",
    "zone": "VARCHAR", "region": "VARCHAR", "project": "VARCHAR", "team": "VARCHAR",
    "user": "VARCHAR", "service_tier": "VARCHAR", "operation": "VARCHAR",
    "input_total": "BIGINT", "cache_read": "BIGINT", "cache_write": "BIGINT",
    "output_total": "BIGINT", "reasoning": "BIGINT",
    "images_in": "BIGINT", "videos_in": "BIGINT", "images_out": "BIGINT",
    "video_out_s": "DOUBLE", "audio_in_s": "DOUBLE", "audio_out_s": "DOUBLE",
    "n_requests": "BIGINT", "latency_s": "DOUBLE", "ttft_s": "DOUBLE", "cost": "DOUBLE",
    "status": "VARCHAR", "input_characters": "BIGINT", "output_characters": "BIGINT",
    "measured_energy_j": "DOUBLE",
}  # fmt: skip
"""What a format's SELECT may yield, and the type of each column."""

UNREADABLE = -9223372036854775807  # a whole number that could not be read
_UNREADABLE_NUMBER = "-1e300"
_UNREADABLE_TIME = "TIMESTAMP '0001-01-01'"


def _read(value: str, instead: object) -> str:
    return f"CASE WHEN x IS NULL THEN NULL ELSE coalesce({value}, {instead}) END"


def _moment(microseconds: str) -> str:
    return _read(f"make_timestamp(try_cast({microseconds} AS BIGINT))", _UNREADABLE_TIME)


# A space before an offset would hide it.
_CLOSE = "regexp_replace(x::VARCHAR, ' ([+-][0-9])', '\\1')"
# No fraction, nor what may be a fraction or a thousand: 1.000. Data frames write 12 as 12.0.
_WHOLE_TEXT = " *[+-]?[0-9]+([.]0{0,2})?([eE][+]?[0-9]+)? *"
MACROS: dict[str, str] = {
    "whole": _read(
        f"CASE WHEN regexp_full_match(x::VARCHAR, '{_WHOLE_TEXT}') THEN try_cast(x AS BIGINT) END",
        UNREADABLE,
    ),
    "number": _read("try_cast(x AS DOUBLE)", _UNREADABLE_NUMBER),
    "moment": _read(
        f"try_cast(try_cast({_CLOSE} AS TIMESTAMPTZ) AS TIMESTAMP), try_cast(x AS TIMESTAMP)",
        _UNREADABLE_TIME,
    ),
    "moment_s": _moment("try_cast(x AS DOUBLE) * 1000000"),
    "moment_ms": _moment("try_cast(x AS DOUBLE) * 1000"),
    "moment_us": _moment("try_cast(x AS DOUBLE)"),
    "moment_ns": _moment("try_cast(x AS HUGEINT) // 1000"),
    "instant": (
        "CASE WHEN regexp_full_match(x::VARCHAR, '[0-9]{12,13}') THEN moment_ms(x) "
        "WHEN regexp_full_match(x::VARCHAR, '[0-9]{15,16}') THEN moment_us(x) "
        "WHEN regexp_full_match(x::VARCHAR, '[0-9]{18,19}') THEN moment_ns(x) "
        "WHEN regexp_full_match(x::VARCHAR, '[0-9]{9,10}([.][0-9]+)?') THEN moment_s(x) "
        "ELSE moment(x) END"
    ),
}
"""What formats read values with: what cannot be read becomes a value that is refused."""

MOST_INPUT, MOST_OUTPUT = 10**8, 10**7  # tokens of a call: as for `kilowhat estimate`
MOST_MEDIA, MOST_CALLS = 10**4, 10**12
EARLIEST = "TIMESTAMP '2015-01-01'"
_EARLIEST_US = datetime(2015, 1, 1, tzinfo=UTC).timestamp() * 1e6
_WHOLE = tuple(name for name, kind in COLUMNS.items() if kind == "BIGINT")
_DECIMAL = ("video_out_s", "audio_in_s", "audio_out_s")
_LIMITS = {
    "input_total": MOST_INPUT, "output_total": MOST_OUTPUT, "input_characters": 10 * MOST_INPUT,
    "output_characters": 10 * MOST_OUTPUT, "images_in": MOST_MEDIA, "videos_in": MOST_MEDIA,
    "images_out": MOST_MEDIA, "video_out_s": MOST_MEDIA, "audio_in_s": 10**6,
    "audio_out_s": 10**6,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """What the statistics of files say of a column.

    Attributes:
        low: its least value, as a number; times in microseconds since 1970.
        high: its largest value.
        has_nulls: whether a value is missing somewhere.
    """

    low: float
    high: float
    has_nulls: bool


def fact(name: str, present: Collection[str]) -> Fact | None:
    """What is known of a column beforehand: columns may come with facts, by their names."""
    return present.get(name) if isinstance(present, Mapping) else None


def is_always_there(name: str, present: Collection[str]) -> bool:
    """Whether no value of a column is missing."""
    known = fact(name, present)
    return known is not None and not known.has_nulls


def _is_within(name: str, low: float, high: float, present: Collection[str]) -> bool:
    """Whether no value of a column lies outside two bounds."""
    known = fact(name, present)
    return known is not None and low <= known.low and known.high <= high


def time_of(present: Collection[str]) -> str:
    """The expression of the time of a call: its start, else its end."""
    known = [name for name in ("ts_start", "ts_end") if name in present]
    return f"coalesce({', '.join(known)})" if len(known) == 2 else (known or ["NULL"])[0]


def unreadable_time(present: Collection[str]) -> str:
    """The condition that the time of a row could not be read."""
    known = [name for name in ("ts_start", "ts_end") if name in present]
    return " OR ".join(f"{name} = {_UNREADABLE_TIME}" for name in known) or "FALSE"


def model_of(present: Collection[str]) -> str:
    """The expression of the model of a call: the one that answered, else the one asked for."""
    known = [name for name in ("model_served", "model_requested") if name in present]
    return f"coalesce({', '.join(known)})" if len(known) == 2 else (known or ["NULL"])[0]


def refusals(present: Collection[str], latest: str) -> list[tuple[str, str]]:
    """Why a row is refused: (reason, condition), in the order in which they are tried.

    Args:
        present: the canonical columns that there are.
        latest: the time after which none can be, as a literal.
    """
    many = _MANY if "n_requests" in present else "1"
    model, when = model_of(present), time_of(present)
    doubtful = [
        n for n in (*_WHOLE, *_DECIMAL) if n in present and not _is_within(n, 0, inf, present)
    ]
    large = [n for n in _LIMITS if n in present and not _is_within(n, -inf, _LIMITS[n], present)]
    times = [
        name
        for name in ("ts_start", "ts_end")
        if name in present and not _is_within(name, _EARLIEST_US, _now_us(), present)
    ]
    found = [
        ("no model", _is_nothing(model, present)),
        (
            "unreadable number",
            [f"{name} = {UNREADABLE}" for name in doubtful if COLUMNS[name] == "BIGINT"]
            + [f"{name} = {_UNREADABLE_NUMBER}" for name in _DECIMAL if name in present],
        ),
        ("negative number", [f"{name} < 0" for name in doubtful]),
        (
            "absurd number",
            [f"{name} > {_most(name, many)}" for name in large]
            + [f"n_requests > {MOST_CALLS}" for name in ("n_requests",) if name in present],
        ),
        ("cached exceeds input", _exceeds("cache_read", "input_total", present)),
        ("reasoning exceeds output", _exceeds("reasoning", "output_total", present)),
        ("unreadable time", [f"{name} = {_UNREADABLE_TIME}" for name in times]),
        ("time out of range", [f"{when} < {EARLIEST}", f"{when} > {latest}"] if times else []),
    ]
    return [(reason, " OR ".join(of)) for reason, of in found if of]


# 0 stands for a number that is not known.
_MANY = f"(CASE n_requests WHEN 0 THEN {MOST_CALLS} ELSE greatest(coalesce(n_requests, 1), 1) END)"


def _is_nothing(model: str, present: Collection[str]) -> list[str]:
    """The condition that a row names no model and nothing that was done; none if it cannot be."""
    if any(is_always_there(name, present) for name in _DONE):
        return []
    done = [f"{name} IS NULL" for name in _DONE if name in present]
    return [" AND ".join([f"({model} IS NULL OR {model} = '')", *done])]


def _now_us() -> float:
    return datetime.now(UTC).timestamp() * 1e6


_DONE = ("input_total", "output_total", "images_out", "video_out_s", "n_requests",
         "input_characters", "output_characters")  # fmt: skip


def _most(name: str, many: str) -> str:
    return str(_LIMITS[name]) if many == "1" else f"{_LIMITS[name]}::HUGEINT * {many}"


def _exceeds(part: str, whole: str, present: Collection[str]) -> list[str]:
    if part not in present:
        return []
    limit = whole if is_always_there(whole, present) else f"coalesce({whole}, 0)"
    return [f"{part} > {limit}"]


def refusal(present: Collection[str], latest: str) -> str:
    """The expression of the reason for which a row is refused; NULL when it is not."""
    cases = (f"WHEN {of} THEN '{reason}'" for reason, of in refusals(present, latest))
    return f"CASE {' '.join(cases) or 'WHEN FALSE THEN NULL'} END"


def accepted(present: Collection[str], latest: str) -> str:
    """The condition under which a row is not refused."""
    conditions = [f"NOT coalesce({of}, FALSE)" for _, of in refusals(present, latest)]
    return " AND ".join(conditions) or "TRUE"
