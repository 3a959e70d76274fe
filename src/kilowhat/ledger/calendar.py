"""Days and hours: time zones as steps of offsets, and periods as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kilowhat.errors import InvalidValue
from kilowhat.language import mark, translate
from kilowhat.ledger.cells import Clock

EPOCH = date(1970, 1, 1)
_FIRST, _LAST = datetime(2015, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)
_WRITTEN = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


@dataclass(frozen=True, slots=True)
class Span:
    """Days from the first to the one before ``end``; ``None`` where a side is open."""

    start: date | None = None
    end: date | None = None

    def label(self) -> str:
        """The span from its first day to its last: ``2025-01-01..2025-06-30``."""
        last = self.end - timedelta(days=1) if self.end else None
        return f"{self.start or ''}..{last or ''}"


def clock(name: str) -> Clock:
    """The clock of a time zone: ``UTC``, ``Europe/Paris`` or an offset such as ``+02:00``.

    Raises:
        InvalidValue: no such zone is known.

    >>> clock("+02:00").steps
    ((0, 7200000000),)
    """
    if name.upper() in {"UTC", "Z"}:
        return Clock()
    zone = _zone(name)
    steps = [(0, _offset_us(zone, _FIRST))]
    when = _FIRST
    while when < _LAST:
        later = when + timedelta(days=1)
        if _offset_us(zone, later) != steps[-1][1]:
            steps.append(_change(zone, when, later))
        when = later
    return Clock(name, tuple(steps))


def _zone(name: str) -> tzinfo:
    expected = translate(mark("a time zone such as UTC, Europe/Paris or +02:00"))
    try:
        if name[:1] in "+-":
            found = datetime.fromisoformat(f"2020-01-01T00:00:00{name}").tzinfo
            if found is not None:
                return found
        return ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError, OSError) as error:
        raise InvalidValue(name="timezone", value=name, expected=expected) from error


def _offset_us(zone: tzinfo, when: datetime) -> int:
    offset = when.astimezone(zone).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)


def _change(zone: tzinfo, before: datetime, after: datetime) -> tuple[int, int]:
    """The instant between two at which the offset changes, and the new offset."""
    old = _offset_us(zone, before)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        before, after = (middle, after) if _offset_us(zone, middle) == old else (before, middle)
    instant = after.replace(microsecond=0)
    start = datetime(1970, 1, 1, tzinfo=UTC)
    return (instant - start) // timedelta(microseconds=1), _offset_us(zone, after)


def span(text: str) -> Span:
    """The days of ``2025``, ``2025-03``, ``2025-03-01``, or from one to another: ``A..B``.

    Raises:
        InvalidValue: it is none of these, or ends before it begins.

    >>> span("2025-01..2025-06").end
    datetime.date(2025, 7, 1)
    """
    first, dots, last = text.strip().partition("..")
    start = _bounds(first)[0] if first or not dots else None
    end = _bounds(last or first)[1] if last or not dots else None
    if start and end and end <= start:
        expected = translate(mark("the end after the start"))
        raise InvalidValue(name="period", value=text, expected=expected)
    return Span(start, end)


def between(since: str | None, until: str | None) -> Span:
    """The days from the first of ``since`` to the last of ``until``; open where none is given.

    Raises:
        InvalidValue: one is no date, month or year, or the end comes before the start.
    """
    return span(f"{since or ''}..{until or ''}") if since or until else Span()


def _bounds(text: str) -> tuple[date, date]:
    """The first day of a date, month or year, and the day after its last."""
    found = _WRITTEN.fullmatch(text.strip())
    parts = found.groups() if found else ("0", "0", "0")  # there is no year 0
    year, month, day = (int(part) if part else 0 for part in parts)
    try:
        if day:
            start = date(year, month, day)
            return start, start + timedelta(days=1)
        if month:
            start = date(year, month, 1)
            return start, (start + timedelta(days=32)).replace(day=1)
        return date(year, 1, 1), date(year + 1, 1, 1)
    except ValueError:
        expected = translate(mark("a date, month or year such as 2025-03-01, 2025-03, 2025"))
        raise InvalidValue(name="period", value=text, expected=expected) from None


def instant(day: date, told: Clock) -> str:
    """The instant at which a day begins by a clock, as a literal of SQL in universal time."""
    local = (day - EPOCH) // timedelta(microseconds=1)
    offset = told.steps[0][1]
    for start, shift in told.steps[1:]:
        if local - shift >= start:
            offset = shift
    when = datetime(1970, 1, 1) + timedelta(microseconds=local - offset)  # noqa: DTZ001
    return f"TIMESTAMP '{when.isoformat(sep=' ')}'"


def as_date(day: int) -> date:
    """The date of a number of days since 1970."""
    return EPOCH + timedelta(days=int(day))
