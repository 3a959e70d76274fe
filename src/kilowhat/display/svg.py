"""An SVG chart of intervals on a logarithmic axis, drawn on the server side, without script.

Colours are CSS variables with a light and a dark value, taken from the page where it defines
them.  The title and the description carry the same numbers for readers who cannot see them drawn.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from kilowhat.display.bars import positive
from kilowhat.display.text import measure_width, wrap, write_entry
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

_EDGE = 14.0  # margin on each side [px]
_LINE = 19.0  # height of a line of text [px]
_BAR = 22.0  # height of the strip that holds a bar [px]
_GAP = 10.0  # between two rows [px]
_SIGN = 7.4  # width that a sign of 13 px text may take [px]

_COLOURS = {
    "ink": ("#1b2428", "#e6edef"), "soft": ("#55646b", "#a2b1b7"), "line": ("#c9d3d6", "#3b474c"),
    "main": ("#00677f", "#5fc7de"), "other": ("#6d8790", "#93a7ae"),
    "band": ("#b9dae3", "#1f5a69"), "band-other": ("#d5dfe2", "#36444a"),
}  # fmt: skip
SCALE_SENTENCE = mark(
    "Logarithmic scale; each bar spans 90 % of the doubt, the dot is the central value."
)


def _style(identity: str) -> str:
    """The rules of one chart: its colours by day and by night, then its marks."""
    day, night = (
        ";".join(f"--{name}:var(--kw-{name},{both[n]})" for name, both in _COLOURS.items())
        for n in (0, 1)
    )
    marks = "".join(
        f"#{identity} .{kind}-{name}{{{kind}:var(--{name})}}"
        for kind in ("fill", "stroke")
        for name in _COLOURS
    )
    return (
        f"#{identity}{{{day}}}@media (prefers-color-scheme:dark){{#{identity}{{{night}}}}}{marks}"
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
    return _Axis(low / margin, high * margin, _EDGE, width - _EDGE)


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


def _text(x: float, y: float, words: str, colour: str = "ink", more: str = "") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{_COLOURS[colour][0]}" class="fill-{colour}"{more}>'
        f"{escape(words)}</text>"
    )


def _row(
    item: Interval, value: str, axis: _Axis, ticks: Sequence[float], y: float
) -> tuple[str, float]:
    """One interval: its label and value, the bar under them; and where the next one starts."""
    width = axis.right + _EDGE
    main, band = ("main", "band") if item.is_main else ("other", "band-other")
    label = f"{item.label} ({item.note})" if item.note else item.label
    beside = width - 2 * _EDGE - measure_width(value) * _SIGN - 12
    room = beside if measure_width(label) * _SIGN <= beside else width - 2 * _EDGE
    lines = wrap(label, int(room / _SIGN))
    weight = ' font-weight="600"' if item.is_main else ""
    parts = []
    for line in lines:
        parts.append(_text(_EDGE, y + 14, line, more=weight))
        y += _LINE
    if room == beside:
        y -= _LINE
    parts.append(_text(width - _EDGE, y + 14, value, "ink", f' text-anchor="end"{weight}'))
    y += _LINE + _BAR / 2
    left, middle, right = (axis.place(v) for v in (item.p05, item.p50, item.p95))
    # The lines of the scale stay in the strips of the bars, clear of the text.
    parts += [_tick_line(axis.place(tick), y - _BAR / 2 + 2, y + _BAR / 2) for tick in ticks]
    parts.append(
        f'<rect x="{left:.1f}" y="{y - 5:.1f}" width="{max(right - left, 2):.1f}" height="10" '
        f'rx="5" fill="{_COLOURS[band][0]}" class="fill-{band}"/>'
        f'<circle cx="{middle:.1f}" cy="{y:.1f}" r="6" fill="{_COLOURS[main][0]}" '
        f'class="fill-{main}"/>'
    )
    return "".join(parts), y + _BAR / 2 + _GAP


def _tick_line(x: float, top: float, bottom: float) -> str:
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}" '
        f'stroke="{_COLOURS["line"][0]}" class="stroke-line"/>'
    )


def _scale(axis: _Axis, labels: Sequence[tuple[float, str]], y: float) -> str:
    """The labels of the ticks under the last bar, kept inside the drawing."""
    parts = []
    for value, words in labels:
        half = measure_width(words) * 6.6 / 2
        centre = min(max(axis.place(value), half), axis.right + _EDGE - half)
        parts.append(_text(centre, y, words, "soft", ' text-anchor="middle" font-size="12"'))
    return "".join(parts)


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
    labels = [(tick, _tick_label(tick, unit, family, tongue)) for tick in ticks]
    with speaking(tongue):
        sentence = translate(SCALE_SENTENCE)
        told = " | ".join(write_entry(i.label, v) for i, v in zip(intervals, values, strict=True))
    height = y + 18
    body = "".join(rows) + _scale(axis, labels, y + 8)
    identity = "kw" + hashlib.blake2b(f"{title}{told}{body}".encode(), digest_size=6).hexdigest()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{identity}" role="img" lang="{tongue}" '
        f'viewBox="0 0 {width:g} {height:.0f}" width="{width:g}" height="{height:.0f}" '
        f'aria-labelledby="{identity}-t {identity}-d" font-size="13" '
        'font-family="system-ui,-apple-system,Segoe UI,Roboto,DejaVu Sans,sans-serif">'
        f'<title id="{identity}-t">{escape(title)}</title>'
        f'<desc id="{identity}-d">{escape(sentence)} {escape(told)}</desc>'
        f"<style>{_style(identity)}</style>{body}</svg>"
    )
