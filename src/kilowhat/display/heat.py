"""An SVG heat map of the hours of a week, in one colour from little to much."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from kilowhat.display.dates import weekday_name
from kilowhat.display.drawing import COLOURS, EDGE, STEPS, frame, write_scale, write_text
from kilowhat.display.plain import plain
from kilowhat.display.text import write_entry
from kilowhat.language import current, mark, speaking, translate
from kilowhat.quantity.notation import choose_unit, format_quantity, format_value
from kilowhat.quantity.units import parse_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

_MARGIN = 40.0  # for the names of the days [px]
_CELL = (16.0, 24.0)  # the least and the greatest height of one [px]
_LEVELS = len(STEPS)
HEAT_SENTENCE = mark(
    "Rows are days of the week, columns are hours of the day; the stronger the colour, the more; "
    "an empty frame is an hour without calls."
)


def level(value: float, most: float) -> int:
    """The shade of a value, from 1 to 7, in equal steps of the largest; 0 for none.

    >>> level(0.0, 10.0), level(0.1, 10.0), level(10.0, 10.0)
    (0, 1, 7)
    """
    if value <= 0 or most <= 0:
        return 0
    return min(_LEVELS, max(1, math.ceil(_LEVELS * value / most - 1e-9)))


def _cell(x: float, y: float, width: float, height: float, shade: int, hint: str = "") -> str:
    """One hour: filled by its shade, or a thin frame where there is nothing."""
    told = f"<title>{escape(hint)}</title>" if hint else ""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2"'
    if not shade:
        line = COLOURS["line"][0]
        return f'<rect {place} fill="none" stroke="{line}" class="stroke-line">{told}</rect>'
    name = f"step-{shade}"
    return f'<rect {place} fill="{STEPS[name][0]}" class="fill-{name}">{told}</rect>'


def _legend(most: float, family: str, y: float, width: float, language: str) -> str:
    """The shades with the value up to which each goes; every other one where room is short."""
    room = (width - 2 * EDGE - _MARGIN) / _LEVELS
    parts, labels = [], [(EDGE + _MARGIN, "0")]
    unit = choose_unit(most, family, 2, language)
    size = parse_unit(unit).factor * _LEVELS
    for shade in range(1, _LEVELS + 1):
        x = EDGE + _MARGIN + (shade - 1) * room
        parts.append(_cell(x, y, room - 1, 10, shade))
        labels.append((x + room, format_value(most * shade / size, unit, 2, language)))
    kept = labels if room >= 84 else [labels[0], labels[4], labels[-1]]
    return "".join(parts) + write_scale(kept, y + 26, width)


def draw_heat(
    cells: Mapping[tuple[int, int], float],
    family: str,
    title: str,
    *,
    language: str | None = None,
    width: float = 640.0,
) -> str:
    """The hours of a week, the more the stronger the colour: an ``<svg>`` element.

    Args:
        cells: by day of the week (0 is Monday) and hour of the day, in the base unit of
            ``family``; hours that are left out hold nothing.
        family: a key of `kilowhat.quantity.notation.FAMILIES`.
        title: one line, read aloud and shown as a tooltip.
        language: ``en`` or ``fr``; the one in use when not given.
        width: of the drawing [px]; it shrinks with its container.

    >>> draw_heat({(0, 9): 3.6e6}, "energy", "A < B", language="en").count("<rect")
    175
    """
    tongue = language or current()
    most = max(cells.values(), default=0.0)
    breadth = (width - 2 * EDGE - _MARGIN) / 24
    height = min(max(breadth, _CELL[0]), _CELL[1])
    parts, y = [], 4.0
    for day in range(7):
        name = weekday_name(day, tongue, short=True)
        parts.append(write_text(EDGE, y + height / 2 + 4, name, "soft", ' font-size="12"'))
        for hour in range(24):
            value = cells.get((day, hour), 0.0)
            hint = f"{name} {hour}\u00a0h · {format_quantity(value, family, 2, tongue)}"
            x = EDGE + _MARGIN + hour * breadth
            parts.append(_cell(x, y, breadth - 2, height - 2, level(value, most), hint))
        y += height
    hours = range(0, 24, 3 if width >= 480 else 6)
    labels = [(EDGE + _MARGIN + (h + 0.5) * breadth - 1, f"{h}\u00a0h") for h in hours]
    parts += [write_scale(labels, y + 14, width), _legend(most, family, y + 30, width, tongue)]
    with speaking(tongue):
        told = _told(cells, family, tongue)
    return frame("".join(parts), plain(title), told, width, y + 64, tongue, COLOURS | STEPS)


def _told(cells: Mapping[tuple[int, int], float], family: str, language: str) -> str:
    """What is read aloud: the three hours with the most."""
    sentence = translate(HEAT_SENTENCE)
    heaviest = sorted(cells.items(), key=lambda item: (-item[1], item[0]))[:3]
    entries = (
        write_entry(
            f"{weekday_name(day, language)} {hour}\u00a0h",
            format_quantity(value, family, 2, language),
        )
        for (day, hour), value in heaviest
    )
    return " ".join([sentence, " | ".join(entries)]).rstrip()
