"""Intervals as lists of labelled values, and as small Unicode bars on a logarithmic scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kilowhat.display.text import measure_width, pad, wrap, write_entry
from kilowhat.quantity.notation import format_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

_NARROWEST_BAR = 10
_WIDEST_BAR = 48


@dataclass(frozen=True, slots=True)
class Interval:
    """One labelled interval of a chart, in the base unit of its family.

    Attributes:
        label: in the reader's language.
        p05: the 5 % point.
        p50: the central value.
        p95: the 95 % point.
        note: a few words, such as who published it; may be empty.
        is_main: whether it is the one that the chart is about.
    """

    label: str
    p05: float
    p50: float
    p95: float
    note: str = ""
    is_main: bool = False


def positive(intervals: Sequence[Interval]) -> list[float]:
    """All bounds above zero of some intervals: what a logarithmic scale can show."""
    return [v for item in intervals for v in (item.p05, item.p50, item.p95) if v > 0]


def draw_bar(item: Interval, low: float, high: float, width: int) -> str:
    """One interval as a line: ``├──●────┤`` at its place between two bounds, log scale.

    Args:
        item: what to draw; a bound at or below zero stands at the left edge.
        low: the value at the left edge, above zero.
        high: the value at the right edge.
        width: in columns [1].

    >>> draw_bar(Interval("", 1.0, 10.0, 100.0), 1.0, 100.0, 9)
    '├───●───┤'
    """
    span = math.log(high / low) if high > low else 1.0

    def place(value: float) -> int:
        share = math.log(max(value, low) / low) / span
        return min(width - 1, max(0, round(share * (width - 1))))

    left, middle, right = place(item.p05), place(item.p50), place(item.p95)
    signs = [" "] * width
    signs[left : right + 1] = "─" * (right + 1 - left)
    signs[left], signs[right] = "├", "┤"
    signs[middle] = "●"
    return "".join(signs).rstrip()


def write_bars(
    intervals: Sequence[Interval], family: str, width: int = 80, language: str | None = None
) -> str:
    """The intervals one under the other, with bars as wide as the room allows.

    Args:
        intervals: in the base unit of ``family``.
        family: a key of `kilowhat.quantity.notation.FAMILIES`.
        width: of the terminal [1]; under about 60 columns the bar goes under its label, and
            under 24 only the values are left.
        language: ``en`` or ``fr``; the one in use when not given.

    >>> print(write_bars([Interval("A", 360.0, 3600.0, 36000.0)], "energy", 50, "en"))
    A  ├────────────●────────────┤  1.0 Wh [0.10 – 10]
    """
    if not intervals:
        return ""
    values = [format_interval(i.p05, i.p50, i.p95, family, language=language) for i in intervals]
    labels = max(measure_width(item.label) for item in intervals)
    longest = max(measure_width(value) for value in values)
    known = positive(intervals)
    low, high = (min(known), max(known)) if known else (1.0, 1.0)
    room = min(_WIDEST_BAR, width - labels - longest - 4)
    if room >= _NARROWEST_BAR:
        return "\n".join(
            f"{pad(item.label, labels)}  {pad(draw_bar(item, low, high, room), room)}  {value}"
            for item, value in zip(intervals, values, strict=True)
        )
    lines: list[str] = []
    for item, value in zip(intervals, values, strict=True):
        lines += wrap(write_entry(item.label, value), width)
        if width >= 24:
            lines.append(draw_bar(item, low, high, min(width, _WIDEST_BAR)))
    return "\n".join(lines)
