"""SVG charts on a linear axis from zero: bars with their intervals, and one bar of shares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from kilowhat.display.drawing import (
    COLOURS,
    EDGE,
    GAP,
    STEPS,
    STRIP,
    frame,
    upright,
    write_heading,
    write_scale,
)
from kilowhat.display.plain import plain
from kilowhat.display.text import write_entry
from kilowhat.language import current, mark, speaking, translate
from kilowhat.quantity.notation import (
    choose_unit,
    format_interval,
    format_value,
)
from kilowhat.quantity.units import parse_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.display.bars import Interval

LINEAR_SENTENCE = mark(
    "Linear scale from zero; each bar ends at the central value, the line across its end spans "
    "90 % of the doubt."
)


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from zero: its largest value, its round ticks, and the unit of their labels.

    ``high`` and ``ticks`` are in the base unit of a family.
    """

    high: float
    ticks: tuple[float, ...]
    unit: str
    language: str

    @classmethod
    def of(cls, high: float, family: str, room: int, language: str) -> Scale:
        """The scale from zero to a value, with at most so many ticks above zero [1].

        >>> scale = Scale.of(9e6, "energy", 5, "en")
        >>> [scale.label(tick) for tick in scale.ticks]
        ['0', '0.5 kWh', '1 kWh', '1.5 kWh', '2 kWh', '2.5 kWh']
        """
        unit = choose_unit(high, family, 1, language)
        size = parse_unit(unit).factor
        top = high / size or 1.0
        power = math.floor(math.log10(top))
        tries = (m * 10.0**p for p in range(power - 1, power + 2) for m in (1, 2, 5))
        step = next(one for one in tries if top / one <= max(room, 1))
        count = math.floor(top / step + 1e-9)
        return cls(top * size, tuple(n * step * size for n in range(count + 1)), unit, language)

    def label(self, tick: float) -> str:
        """A tick with its unit; zero without."""
        shown = float(f"{tick / parse_unit(self.unit).factor:.9g}")
        return format_value(shown, self.unit, None, self.language) if shown else "0"

    def share(self, value: float) -> float:
        """How far along the scale a value stands, from 0 to 1 [1]."""
        return min(max(value / self.high, 0.0), 1.0)


def _bar(item: Interval, scale: Scale, y: float, width: float) -> str:
    """One bar from zero to its central value, with the line of its doubt; ``y`` is its middle."""
    main, band = ("main", "band") if item.is_main else ("other", "band-other")
    room = width - 2 * EDGE
    left, middle, right = (EDGE + room * scale.share(v) for v in (item.p05, item.p50, item.p95))
    ends = "".join(f"M{x:.1f} {y - 4:.1f}v8" for x in (left, right))
    return (
        f'<rect x="{EDGE:.1f}" y="{y - 6:.1f}" width="{middle - EDGE:.1f}" height="12" '
        f'fill="{COLOURS[band][0]}" class="fill-{band}"/>'
        f'<path d="M{left:.1f} {y:.1f}H{right:.1f}{ends}" fill="none" stroke-width="1.6" '
        f'stroke="{COLOURS[main][0]}" class="stroke-{main}"/>'
        f'<circle cx="{middle:.1f}" cy="{y:.1f}" r="4.5" fill="{COLOURS[main][0]}" '
        f'class="fill-{main}"/>'
    )


def draw_bars(
    rows: Sequence[Interval],
    family: str,
    title: str,
    *,
    language: str | None = None,
    width: float = 640.0,
) -> str:
    """Horizontal bars with their intervals, on a linear axis from zero: an ``<svg>`` element.

    Args:
        rows: in the base unit of ``family``, top to bottom.
        family: a key of `kilowhat.quantity.notation.FAMILIES`.
        title: one line, read aloud and shown as a tooltip.
        language: ``en`` or ``fr``; the one in use when not given.
        width: of the drawing [px]; it shrinks with its container.

    >>> from kilowhat.display.bars import Interval
    >>> chart = draw_bars([Interval("A", 360.0, 3600.0, 7200.0)], "energy", "A < B")
    >>> chart.startswith("<svg"), "A &lt; B" in chart
    (True, True)
    """
    tongue = language or current()
    scale = Scale.of(max((row.p95 for row in rows), default=0.0), family, int(width / 95), tongue)
    places = [EDGE + (width - 2 * EDGE) * scale.share(tick) for tick in scale.ticks]
    y, parts, told = 4.0, [], []
    some = any(not item.is_main for item in rows)  # weight tells those apart that stand out
    for item in rows:
        value = format_interval(item.p05, item.p50, item.p95, family, language=tongue)
        label = plain(f"{item.label} ({item.note})" if item.note else item.label)
        told.append((label, value))
        heading, y = write_heading(label, value, y, width, is_main=item.is_main and some)
        lines = [upright(x, y + 2, y + STRIP) for x in places]
        parts += [heading, *lines, _bar(item, scale, y + STRIP / 2, width)]
        y += STRIP + GAP
    labels = [(x, scale.label(tick)) for x, tick in zip(places, scale.ticks, strict=True)]
    parts.append(write_scale(labels, y + 8, width))
    with speaking(tongue):
        read = " | ".join(write_entry(label, value) for label, value in told)
        read = f"{translate(LINEAR_SENTENCE)} {read}"
    return frame("".join(parts), plain(title), read, width, y + 18, tongue)


_SHADES = ("step-6", "step-5", "step-4", "step-3", "step-2")


def _swatch(shade: str, x: float, y: float, width: float, height: float, hint: str = "") -> str:
    """A rectangle of a shade, or an empty frame where there is none."""
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    told = f"<title>{escape(hint)}</title>" if hint else ""
    if shade:
        return f'<rect {place} fill="{STEPS[shade][0]}" class="fill-{shade}">{told}</rect>'
    soft = COLOURS["soft"][0]
    return (
        f'<rect {place} fill="none" stroke="{soft}" stroke-dasharray="3 2" class="stroke-soft">'
        f"{told}</rect>"
    )


def draw_shares(
    shares: Sequence[tuple[str, float]],
    title: str,
    *,
    rest: str = "",
    language: str | None = None,
    width: float = 640.0,
) -> str:
    """One bar cut into shares, each named below it: an ``<svg>`` element.

    Args:
        shares: label and share [1], the darkest first; at most five.
        title: one line, read aloud and shown as a tooltip.
        rest: what the empty rest of the bar is called, where the shares do not fill it.
        language: ``en`` or ``fr``; the one in use when not given.
        width: of the drawing [px]; it shrinks with its container.

    Raises:
        ValueError: more shares than there are shades.
    """
    tongue = language or current()
    if len(shares) > len(_SHADES):
        raise ValueError(len(shares))
    shades = _SHADES[: len(shares)]
    cuts = [
        (plain(label), share, shade) for (label, share), shade in zip(shares, shades, strict=True)
    ]
    left = 1.0 - sum(share for _, share in shares)
    if left > 1e-9 and rest:
        cuts.append((plain(rest), left, ""))
    x, y, parts, told = EDGE, 38.0, [], []
    for label, share, shade in cuts:
        shown = share_text(share, tongue)
        length = (width - 2 * EDGE) * share
        inset = min(1.0, length / 4)  # a slit between neighbours tells them apart without colour
        parts.append(_swatch(shade, x + inset, 6, length - 2 * inset, 20, f"{label} {shown}"))
        parts.append(_swatch(shade, EDGE + 1, y, 12, 12))
        heading, y = write_heading(label, shown, y - 4, width, left=EDGE + 22)
        parts.append(heading)
        y += 6
        x += length
        told.append((label, shown))
    with speaking(tongue):
        read = " | ".join(write_entry(label, shown) for label, shown in told)
    return frame("".join(parts), plain(title), read, width, y, tongue, COLOURS | STEPS)


def share_text(share: float, language: str | None = None) -> str:
    r"""A share as a percentage [1] that is not shown as 0 or 100 when it is clearly another.

    >>> share_text(0.99996, "en"), share_text(0.5, "fr"), share_text(1e-9, "en")
    ('99.996%', '50\u202f%', '<\xa00.001%')
    """
    percent, missing = 100 * share, 100 * (1 - share)
    if 0 < percent < _LEAST_PERCENT:
        return f"<\u00a0{format_value(_LEAST_PERCENT, '%', 1, language)}"
    if not _LEAST_PERCENT <= missing < 1:
        return format_value(percent, "%", 2 if missing >= 1 else 3, language)
    step = 10.0 ** math.ceil(-math.log10(missing))
    return format_value(round(math.floor(percent * step + 1e-9) / step, 6), "%", None, language)


_LEAST_PERCENT = 0.001
