"""An SVG chart of intervals on a logarithmic axis, drawn on the server side, without script."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kilowhat.display.bars import positive
from kilowhat.display.drawing import (
    COLOURS,
    EDGE,
    GAP,
    STRIP,
    frame,
    upright,
    write_heading,
    write_scale,
)
from kilowhat.display.text import write_entry
from kilowhat.language import current, mark, speaking, translate
from kilowhat.quantity.notation import (
    choose_unit,
    format_interval,
    format_quantity,
    format_value,
)
from kilowhat.quantity.units import parse_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.display.bars import Interval

SCALE_SENTENCE = mark(
    "Logarithmic scale; each bar spans 90 % of the doubt, the dot is the central value."
)


@dataclass(frozen=True, slots=True)
class _Axis:
    """Where a value stands: a logarithmic scale between two positions in px."""

    low: float
    high: float
    left: float
    right: float

    def place(self, value: float) -> float:
        share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return self.left + share * (self.right - self.left)


def _axis(intervals: Sequence[Interval], width: float) -> _Axis:
    known = positive(intervals) or [1.0]
    low, high = min(known), max(known)
    margin = max((high / low) ** 0.04, 1.15)
    return _Axis(low / margin, high * margin, EDGE, width - EDGE)


def _ticks(axis: _Axis, unit: str, room: int) -> list[float]:
    """Round values of a unit inside the axis: decades, or 1-2-5 steps when it holds few."""
    size = parse_unit(unit).factor
    first = math.floor(math.log10(axis.low / size))
    last = math.ceil(math.log10(axis.high / size))
    strides = range(1, last - first + 2)
    tries = [((1, 2, 5), 1), *(((1,), stride) for stride in strides)]
    ticks: list[float] = []
    for steps, stride in tries:
        powers = [power for power in range(first, last + 1) if power % stride == 0]
        ticks = [step * 10.0**power * size for power in powers for step in steps]
        ticks = [tick for tick in ticks if axis.low <= tick <= axis.high]
        if len(ticks) <= room:
            break
    return ticks


def _tick_label(value: float, unit: str, family: str, language: str) -> str:
    own = choose_unit(value, family, 1, language)
    steps = math.log10(parse_unit(own).factor / parse_unit(unit).factor)
    if abs(steps - round(steps)) < 1e-9:
        return format_quantity(value, family, 1, language)
    return format_value(value / parse_unit(unit).factor, unit, 1, language)


def _row(
    item: Interval, value: str, axis: _Axis, ticks: Sequence[float], y: float
) -> tuple[str, float]:
    """One interval: its label and value, the bar under them; and where the next one starts."""
    main, band = ("main", "band") if item.is_main else ("other", "band-other")
    label = f"{item.label} ({item.note})" if item.note else item.label
    heading, y = write_heading(label, value, y, axis.right + EDGE, is_main=item.is_main)
    y += STRIP / 2
    left, middle, right = (axis.place(v) for v in (item.p05, item.p50, item.p95))
    # The lines of the scale stay in the strips of the bars, clear of the text.
    parts = [upright(axis.place(tick), y - STRIP / 2 + 2, y + STRIP / 2) for tick in ticks]
    parts.append(
        f'<rect x="{left:.1f}" y="{y - 5:.1f}" width="{max(right - left, 2):.1f}" height="10" '
        f'rx="5" fill="{COLOURS[band][0]}" class="fill-{band}"/>'
        f'<circle cx="{middle:.1f}" cy="{y:.1f}" r="6" fill="{COLOURS[main][0]}" '
        f'class="fill-{main}"/>'
    )
    return heading + "".join(parts), y + STRIP / 2 + GAP


def draw_intervals(
    intervals: Sequence[Interval],
    family: str,
    title: str,
    *,
    language: str | None = None,
    width: float = 640.0,
) -> str:
    """The intervals as a chart: an ``<svg>`` element that can stand alone or in a page.

    Args:
        intervals: in the base unit of ``family``, top to bottom.
        family: a key of `kilowhat.quantity.notation.FAMILIES`.
        title: one line, read aloud and shown as a tooltip.
        language: ``en`` or ``fr``; the one in use when not given.
        width: of the drawing [px]; it shrinks with its container.

    >>> from kilowhat.display.bars import Interval
    >>> chart = draw_intervals([Interval("A", 360.0, 3600.0, 7200.0)], "energy", "A < B")
    >>> chart.startswith("<svg"), "A &lt; B" in chart
    (True, True)
    """
    tongue = language or current()
    axis = _axis(intervals, width)
    values = [format_interval(i.p05, i.p50, i.p95, family, language=tongue) for i in intervals]
    unit = choose_unit(math.sqrt(axis.low * axis.high), family, 1, tongue)
    ticks = _ticks(axis, unit, max(2, int(width / 95)))
    y, rows = 4.0, []
    for item, value in zip(intervals, values, strict=True):
        drawn, y = _row(item, value, axis, ticks, y)
        rows.append(drawn)
    labels = [(axis.place(tick), _tick_label(tick, unit, family, tongue)) for tick in ticks]
    with speaking(tongue):
        told = " | ".join(write_entry(i.label, v) for i, v in zip(intervals, values, strict=True))
        told = f"{translate(SCALE_SENTENCE)} {told}"
    body = "".join(rows) + write_scale(labels, y + 8, width)
    return frame(body, title, told, width, y + 18, tongue)
