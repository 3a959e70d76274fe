"""Days, weeks, months and years: read from a table's keys, named in English and French."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.",
           "nov.", "déc."),
}  # fmt: skip
_WEEKDAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
}
_SHORT_WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
}
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?|-W(\d{2}))?(?:T.*)?", re.ASCII)


def read_date(text: str) -> date | None:
    """The first day of a day, week, month or year in ISO 8601; ``None`` for anything else.

    >>> read_date("2026-W02"), read_date("2026-03"), read_date("soon")
    (datetime.date(2026, 1, 5), datetime.date(2026, 3, 1), None)
    """
    found = _DATE.fullmatch(text)
    if not found:
        return None
    year, month, day, week = (int(part) if part else 0 for part in found.groups())
    try:
        return date.fromisocalendar(year, week, 1) if week else date(year, month or 1, day or 1)
    except ValueError:
        return None


def weekday_name(weekday: int, language: str, *, short: bool = False) -> str:
    """A day of the week, 0 being Monday."""
    return (_SHORT_WEEKDAYS if short else _WEEKDAYS)[language][weekday]


def write_month(day: date, language: str) -> str:
    """A month with its year: ``Mar 2026``, ``mars 2026``."""
    return f"{_MONTHS[language][day.month - 1]}\u00a0{day.year}"


def write_day(day: date, language: str, *, year: bool = True) -> str:
    r"""A day: ``3 Jan 2026``, ``1er janv. 2026``.

    >>> write_day(date(2026, 5, 3), "en", year=False)
    '3\xa0May'
    """
    number = "1er" if day.day == 1 and language == "fr" else str(day.day)
    shown = f"{number}\u00a0{_MONTHS[language][day.month - 1]}"
    return f"{shown}\u00a0{day.year}" if year else shown


def slot(day: date, period: str) -> int:
    """The number of a day, week, month or year, counted from an origin of its own [1]."""
    if period == "week":
        return (day.toordinal() - 1) // 7  # the first day of the calendar is a Monday
    if period == "month":
        return day.year * 12 + day.month - 1
    return day.year if period == "year" else day.toordinal()


def day_of(number: int, period: str) -> date:
    """The first day of the slot of a number: the inverse of `slot`.

    >>> day_of(slot(date(2026, 2, 1), "month"), "month")
    datetime.date(2026, 2, 1)
    """
    if period == "week":
        return date.fromordinal(number * 7 + 1)
    if period == "month":
        return date(number // 12, number % 12 + 1, 1)
    return date(number, 1, 1) if period == "year" else date.fromordinal(number)


def choose_days(first: date, last: date, period: str, most: int) -> tuple[str, list[date]]:
    """Round days to mark on a time axis, at most so many, and what they are.

    Returns:
        ``day``, ``month`` or ``year``, and the days; all of one kind, evenly spread.
    """
    for kind, step in _STEPS:
        if _RANKS[kind] < _RANKS.get(period, 0):
            continue
        days = list(_round_days(first, last, kind, step))
        if len(days) <= most:
            return ("day" if kind == "week" else kind), days
    return "year", [first]


_RANKS = {"day": 0, "week": 1, "month": 2, "year": 3}
_STEPS = (
    ("day", 1), ("day", 2), ("week", 1), ("week", 2), ("month", 1), ("month", 2), ("month", 3),
    ("month", 6), ("year", 1), ("year", 2), ("year", 5), ("year", 10), ("year", 100),
)  # fmt: skip


def _round_days(first: date, last: date, kind: str, step: int) -> Iterator[date]:
    number = slot(first, kind)
    if kind == "day":
        yield from (first + timedelta(days=n) for n in range(0, (last - first).days + 1, step))
        return
    number += day_of(number, kind) < first
    number += -number % step
    while number <= slot(last, kind):
        yield day_of(number, kind)
        number += step
