"""What every SVG drawing shares: its colours by day and by night, its text, its frame.

Colours are CSS variables with a light and a dark value, taken from the page where it defines
them.  The title and the description carry the numbers for readers who cannot see them drawn.
"""

from __future__ import annotations

import hashlib
from html import escape
from typing import TYPE_CHECKING

from kilowhat.display.text import measure_width, wrap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EDGE = 14.0  # margin on each side [px]
LINE = 19.0  # height of a line of text [px]
STRIP = 22.0  # height of the strip that holds a bar [px]
GAP = 10.0  # between two rows [px]
SIGN = 7.4  # width that a sign of 13 px text may take [px]
SMALL_SIGN = 7.2  # width that a sign of 12 px text may take [px]

Palette = dict[str, tuple[str, str]]
"""Colours by name: the one by day, the one by night."""

COLOURS: Palette = {
    "ink": ("#1b2428", "#e6edef"), "soft": ("#55646b", "#a2b1b7"), "line": ("#c9d3d6", "#3b474c"),
    "main": ("#00677f", "#5fc7de"), "other": ("#6d8790", "#93a7ae"),
    "band": ("#b9dae3", "#1f5a69"), "band-other": ("#d5dfe2", "#36444a"),
}  # fmt: skip
STEPS: Palette = {
    "step-1": ("#e3f1f4", "#16343c"), "step-2": ("#b9dae3", "#1b4c59"),
    "step-3": ("#8abfce", "#226879"), "step-4": ("#569fb4", "#2f879c"),
    "step-5": ("#267d95", "#4aa8be"), "step-6": ("#005a70", "#7fcadb"),
    "step-7": ("#00394a", "#c3ecf5"),
}  # fmt: skip
"""From little to much, in lightness alone, so that every eye sees the order."""


def style(identity: str, palette: Mapping[str, tuple[str, str]]) -> str:
    """The rules of one drawing: its colours by day and by night, then its marks."""
    day, night = (
        ";".join(f"--{name}:var(--kw-{name},{both[n]})" for name, both in palette.items())
        for n in (0, 1)
    )
    marks = "".join(
        f"#{identity} .{kind}-{name}{{{kind}:var(--{name})}}"
        for kind in ("fill", "stroke")
        for name in palette
    )
    return (
        f"#{identity}{{{day}}}@media (prefers-color-scheme:dark){{#{identity}{{{night}}}}}{marks}"
    )


def write_text(x: float, y: float, words: str, colour: str = "ink", more: str = "") -> str:
    """A line of text at its baseline, escaped; ``more`` is further attributes."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{COLOURS[colour][0]}" class="fill-{colour}"{more}>'
        f"{escape(words)}</text>"
    )


def upright(x: float, top: float, bottom: float) -> str:
    """A line of the scale, from top to bottom."""
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}" '
        f'stroke="{COLOURS["line"][0]}" class="stroke-line"/>'
    )


def write_heading(
    label: str, value: str, y: float, width: float, *, left: float = EDGE, is_main: bool = False
) -> tuple[str, float]:
    """A label on the left and a value on the right, from ``y`` down; and where they end [px].

    The value stands beside the label, or under it where both have no room on one line.
    """
    beside = width - left - EDGE - measure_width(value) * SIGN - 12
    room = beside if measure_width(label) * SIGN <= beside else width - left - EDGE
    weight = ' font-weight="600"' if is_main else ""
    parts = []
    for line in wrap(label, int(room / SIGN)):
        parts.append(write_text(left, y + 14, line, more=weight))
        y += LINE
    if room == beside:
        y -= LINE
    parts.append(write_text(width - EDGE, y + 14, value, "ink", f' text-anchor="end"{weight}'))
    return "".join(parts), y + LINE


def write_scale(labels: Sequence[tuple[float, str]], y: float, width: float) -> str:
    """The labels of ticks, each at its place [px] but inside the drawing; those with no room go."""
    parts, taken = [], -SMALL_SIGN
    for x, words in labels:
        half = measure_width(words) * SMALL_SIGN / 2
        centre = min(max(x, half), width - half)
        if centre - half < taken + SMALL_SIGN:
            continue
        taken = centre + half
        parts.append(write_text(centre, y, words, "soft", ' text-anchor="middle" font-size="12"'))
    return "".join(parts)


def frame(
    body: str,
    title: str,
    told: str,
    width: float,
    height: float,
    language: str,
    palette: Mapping[str, tuple[str, str]] = COLOURS,
) -> str:
    """The whole ``<svg>`` element around its body, with what is read aloud, and its colours.

    Args:
        body: the marks, already SVG.
        title: plain text, one line.
        told: plain text: the numbers that the drawing shows.
        width: of the drawing [px].
        height: of the drawing [px].
        language: ``en`` or ``fr``.
        palette: the colours that the marks use, by day and by night.
    """
    identity = "kw" + hashlib.blake2b(f"{title}{told}{body}".encode(), digest_size=6).hexdigest()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{identity}" role="img" lang="{language}" '
        f'viewBox="0 0 {width:g} {height:.0f}" width="{width:g}" height="{height:.0f}" '
        f'aria-labelledby="{identity}-t {identity}-d" font-size="13" '
        'font-family="system-ui,-apple-system,Segoe UI,Roboto,DejaVu Sans,sans-serif">'
        f'<title id="{identity}-t">{escape(title)}</title>'
        f'<desc id="{identity}-d">{escape(told)}</desc>'
        f"<style>{style(identity, palette)}</style>{body}</svg>"
    )
