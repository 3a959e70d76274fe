"""An SVG chart of values in time, with the band of their doubt, on a linear axis from zero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from kilowhat.display.charts import Scale
from kilowhat.display.dates import choose_days, day_of, slot, write_day, write_month
from kilowhat.display.drawing import (
    COLOURS,
    EDGE,
    SMALL_SIGN,
    frame,
    upright,
    write_scale,
    write_text,
)
from kilowhat.display.plain import plain
from kilowhat.display.text import measure_width, write_entry
from kilowhat.language import current, mark, speaking, translate
from kilowhat.quantity.notation import format_interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEIGHT = 190.0  # of the plot [px]
_NARROWEST_COLUMN = 7.0  # room of a point that is drawn as a column of its own [px]
SERIES_SENTENCE = mark(
    "Linear scale from zero; the line or the dots are central values, the band spans 90 % of the "
    "doubt, a gap is a time without calls."
)


@dataclass(frozen=True, slots=True)
class Point:
    """The value of one day (or week, month, year): its first day, and its interval.

    The interval is in the base unit of a family.
    """

    day: date
    p05: float
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where a point stands: slots of time from left to right, a linear scale from below."""

    left: float
    right: float
    bottom: float
    first: int
    count: int
    period: str
    scale: Scale

    def step(self) -> float:
        return (self.right - self.left) / self.count

    def x(self, day: date) -> float:
        return self.left + (slot(day, self.period) - self.first + 0.5) * self.step()

    def y(self, value: float) -> float:
        return self.bottom - _HEIGHT * self.scale.share(value)


def _plot(points: Sequence[Point], period: str, scale: Scale, width: float) -> _Plot:
    numbers = [slot(point.day, period) for point in points] or [0]
    margin = max(measure_width(scale.label(tick)) for tick in scale.ticks) * SMALL_SIGN + 8
    count = max(numbers) - min(numbers) + 1
    return _Plot(EDGE + margin, width - EDGE, _HEIGHT + 12, min(numbers), count, period, scale)


def _runs(points: Sequence[Point], period: str) -> Iterator[list[Point]]:
    """The points in pieces without a gap."""
    run = list(points[:1])
    for before, after in pairwise(points):
        if slot(after.day, period) != slot(before.day, period) + 1:
            yield run
            run = []
        run.append(after)
    if run:
        yield run


def _column(point: Point, plot: _Plot, hint: str) -> str:
    """A point as an upright bar of its doubt, with a dot at its central value."""
    x, breadth = plot.x(point.day), min(plot.step() * 0.6, 16.0)
    top, bottom = plot.y(point.p95), plot.y(point.p05)
    return (
        f'<g><title>{escape(hint)}</title><rect x="{x - breadth / 2:.1f}" y="{top:.1f}" '
        f'width="{breadth:.1f}" height="{max(bottom - top, 2):.1f}" rx="{breadth / 2:.1f}" '
        f'fill="{COLOURS["band"][0]}" class="fill-band"/>'
        f'<circle cx="{x:.1f}" cy="{plot.y(point.p50):.1f}" r="{min(breadth / 2, 5):.1f}" '
        f'fill="{COLOURS["main"][0]}" class="fill-main"/></g>'
    )


def _line(run: Sequence[Point], plot: _Plot) -> str:
    """Points without a gap as a band and a line in it; a single one has the width of its slot."""
    half = plot.step() / 2
    places = [(plot.x(point.day), point) for point in run]
    if len(run) == 1:
        places = [(places[0][0] - half, run[0]), (places[0][0] + half, run[0])]
    above = " ".join(f"{x:.1f},{plot.y(point.p95):.1f}" for x, point in places)
    below = " ".join(f"{x:.1f},{plot.y(point.p05):.1f}" for x, point in reversed(places))
    middle = " ".join(f"{x:.1f},{plot.y(point.p50):.1f}" for x, point in places)
    return (
        f'<polygon points="{above} {below}" fill="{COLOURS["band"][0]}" class="fill-band"/>'
        f'<polyline points="{middle}" fill="none" stroke="{COLOURS["main"][0]}" '
        'stroke-width="1.6" stroke-linejoin="round" class="stroke-main"/>'
    )


def _levels(plot: _Plot) -> str:
    """The level lines of the scale, each with its label on the left."""
    parts = []
    for tick in plot.scale.ticks:
        y = plot.y(tick)
        parts.append(
            f'<line x1="{plot.left:.1f}" x2="{plot.right:.1f}" y1="{y:.1f}" y2="{y:.1f}" '
            f'stroke="{COLOURS["line"][0]}" class="stroke-line"/>'
        )
        place = ' text-anchor="end" font-size="12"'
        parts.append(write_text(plot.left - 6, y + 4, plot.scale.label(tick), "soft", place))
    return "".join(parts)


def name_slot(day: date, period: str, language: str) -> str:
    """What a day, week, month or year is called; a week by its first day."""
    if period == "month":
        return write_month(day, language)
    return str(day.year) if period == "year" else write_day(day, language)


def _times(plot: _Plot, width: float, language: str) -> str:
    """Marks and labels under the plot, at round days, as many as have room."""
    first = day_of(plot.first, plot.period)
    last = day_of(plot.first + plot.count, plot.period) - timedelta(days=1)
    kind, days = choose_days(first, last, plot.period, max(2, int((width - plot.left) / 88)))
    parts: list[str] = []
    labels: list[tuple[float, str]] = []
    year = None
    for day in days:
        x = plot.x(day)
        if not plot.left <= x <= plot.right:
            continue
        parts.append(upright(x, plot.bottom, plot.bottom + 5))
        is_new = day.year != year
        labels.append(
            (
                x,
                write_day(day, language, year=is_new)
                if kind == "day"
                else name_slot(day, kind, language),
            )
        )
        year = day.year
    return "".join(parts) + write_scale(labels, plot.bottom + 20, width)


def _told(points: Sequence[Point], values: Sequence[str], period: str, language: str) -> str:
    """What is read aloud: every value of a short series, the first, last and highest of a long."""
    chosen = list(range(len(points)))
    if len(points) > _MOST_READ:
        highest = max(chosen, key=lambda index: points[index].p50)
        chosen = sorted({0, highest, len(points) - 1})
    entries = (
        write_entry(name_slot(points[index].day, period, language), values[index])
        for index in chosen
    )
    return f"{translate(SERIES_SENTENCE)} {' | '.join(entries)}"


_MOST_READ = 31  # values of a series that are read aloud


def draw_series(
    points: Sequence[Point],
    family: str,
    title: str,
    *,
    period: str = "day",
    language: str | None = None,
    width: float = 640.0,
) -> str:
    """Values in time with the band of their doubt: an ``<svg>`` element.

    Args:
        points: in the base unit of ``family``; days that are left out are shown as gaps.
        family: a key of `kilowhat.quantity.notation.FAMILIES`.
        title: one line, read aloud and shown as a tooltip.
        period: what a point stands for: ``day``, ``week``, ``month`` or ``year``.
        language: ``en`` or ``fr``; the one in use when not given.
        width: of the drawing [px]; it shrinks with its container.

    >>> from datetime import date
    >>> points = [Point(date(2026, 1, n), 1e6, 2e6, 4e6) for n in (1, 2, 5)]
    >>> draw_series(points, "energy", "A < B", language="en").count("<circle")
    3
    """
    tongue = language or current()
    ordered = sorted(points, key=lambda point: point.day)
    values = [format_interval(p.p05, p.p50, p.p95, family, language=tongue) for p in ordered]
    scale = Scale.of(max((p.p95 for p in ordered), default=0.0), family, 5, tongue)
    plot = _plot(ordered, period, scale, width)
    if plot.step() >= _NARROWEST_COLUMN:
        names = [name_slot(point.day, period, tongue) for point in ordered]
        drawn = [
            _column(point, plot, f"{name} · {value}")
            for point, name, value in zip(ordered, names, values, strict=True)
        ]
    else:
        drawn = [_line(run, plot) for run in _runs(ordered, period)]
    body = _levels(plot) + "".join(drawn) + (_times(plot, width, tongue) if ordered else "")
    with speaking(tongue):
        told = _told(ordered, values, period, tongue)
    return frame(body, plain(title), told, width, plot.bottom + 28, tongue)
