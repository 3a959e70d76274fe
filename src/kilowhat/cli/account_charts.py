"""The charts of an inventory's page, each drawn twice: for wide pages and for narrow ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kilowhat.cli.account_tables import hours_table, more_text, select
from kilowhat.cli.account_words import TIMES, category_name, key_text, table_name, tally
from kilowhat.display.bars import Interval as Bar
from kilowhat.display.charts import draw_bars
from kilowhat.display.dates import read_date
from kilowhat.display.heat import draw_heat
from kilowhat.display.html import write_html_table
from kilowhat.display.plain import shorten
from kilowhat.display.series import Point, draw_series
from kilowhat.display.text import write_entry
from kilowhat.domain.impact import Interval, Missing
from kilowhat.language import current, mark, translate
from kilowhat.quantity.units import parse_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kilowhat.domain.inventory import Breakdown, Inventory, Row

WIDE, NARROW = 760.0, 340.0  # of the two drawings of a chart [px]
_MOST_BARS = 12
_NOT_DRAWN = (
    mark("{count} row without a date or a number is not drawn."),
    mark("{count} rows without a date or a number are not drawn."),
)
_COMPARED = ("energy", "ghg", "water")


def figure(wide: str, narrow: str, caption: str = "") -> str:
    """Both drawings of a chart, of which a page shows the one that suits it."""
    from html import escape

    told = f'<figcaption class="kw-note">{escape(caption)}</figcaption>' if caption else ""
    return (
        f'<figure><div class="kw-wide">{wide}</div><div class="kw-narrow">{narrow}</div>'
        f"{told}</figure>"
    )


def _both(draw: Callable[[float], str], caption: str = "") -> str:
    return figure(draw(WIDE), draw(NARROW), caption)


def bar_of(label: str, value: Interval | Missing | None, *, is_main: bool = True) -> Bar | None:
    """An impact as a bar of a chart, in the base unit of its family; nothing for a gap."""
    if not isinstance(value, Interval):
        return None
    factor = parse_unit(value.unit).factor
    bounds = (value.p05 * factor, value.p50 * factor, value.p95 * factor)
    return Bar(shorten(label, 60), *bounds, is_main=is_main)


def breakdown_chart(breakdown: Breakdown) -> str:
    """The energy of a table as a series in time, or as bars; empty where it cannot be drawn."""
    if breakdown.keys[0] in TIMES:
        return _series(breakdown) if len(breakdown.keys) == 1 else ""
    return "" if set(breakdown.keys) & set(TIMES) else _bars(breakdown)


def _series(breakdown: Breakdown) -> str:
    period = breakdown.keys[0]
    points, undated = [], 0
    for row in breakdown.rows:
        day, bar = read_date(row.key.get(period, "")), bar_of("", row.impacts.get("energy"))
        if day is None or bar is None:
            undated += 1
        else:
            points.append(Point(day, bar.p05, bar.p50, bar.p95))
    if not points:
        return ""
    name = category_name("energy")
    title = write_entry(table_name(breakdown), name)
    sentence = mark("The line or the dots are central values, the band spans 90 % of the doubt.")
    caption = f"{name}. {translate(sentence)}"
    if undated:
        caption += " " + tally(_NOT_DRAWN, undated)
    return _both(
        lambda width: draw_series(points, "energy", title, period=period, width=width), caption
    )


def _bars(breakdown: Breakdown) -> str:
    """Bars of the energy; of greenhouse gas as well where places are compared."""
    is_ordered = breakdown.keys[0] in ("hour", "weekday")
    selection = select(breakdown, 24 if is_ordered else _MOST_BARS)
    is_placed = "zone" in breakdown.keys or "region" in breakdown.keys
    more = more_text(selection)
    return "".join(
        _bars_of(breakdown, selection.rows, category, more)
        for category in (("energy", "ghg") if is_placed else ("energy",))
    )


def _bars_of(breakdown: Breakdown, rows: Sequence[Row], category: str, more: str) -> str:
    bars = []
    for row in rows:
        label = " · ".join(key_text(key, row.key.get(key, "")) for key in breakdown.keys)
        bar = bar_of(label, row.impacts.get(category))
        if bar is not None:
            bars.append(bar)
    if not bars:
        return ""
    name = category_name(category)
    title = write_entry(table_name(breakdown), name)
    sentence = mark("Each bar ends at the central value; the line spans 90 % of the doubt.")
    caption = f"{name}. {translate(sentence)} {more}".rstrip()
    if len(bars) < len(rows):
        caption += " " + tally(_NOT_DRAWN, len(rows) - len(bars))
    return _both(lambda width: draw_bars(bars, category, title, width=width), caption)


def hours_chart(inventory: Inventory, title: str) -> Sequence[str]:
    """The heat map of the hours of the week, and its table."""
    drawn = _both(lambda width: draw_heat(inventory.by_hour, "energy", title, width=width))
    table = write_html_table(hours_table(inventory))
    summary = translate(mark("Table"))
    return drawn, f"<details><summary>{summary}</summary>{table}</details>"


def compare_charts(inventory: Inventory) -> list[str]:
    """The inventory beside its alternatives: a chart of each category that all of them have."""
    from html import escape

    charts = []
    for category in _COMPARED:
        ours = translate(mark("This inventory"))
        found = [bar_of(ours, inventory.impacts.get(category))]
        found += [
            bar_of(other.label, other.impacts.get(category), is_main=False)
            for other in inventory.alternatives
        ]
        bars = [bar for bar in found if bar is not None]
        if len(bars) < len(found):
            continue
        name = category_name(category)
        charts.append(f"<h3>{escape(name)}</h3>")
        charts.append(
            _both(lambda width: draw_bars(bars, category, name, language=current(), width=width))  # noqa: B023
        )
    return charts
