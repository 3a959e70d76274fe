"""An inventory as one HTML page that loads nothing and runs no script."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from kilowhat.cli.account_charts import (
    NARROW,
    WIDE,
    breakdown_chart,
    compare_charts,
    figure,
    hours_chart,
)
from kilowhat.cli.account_tables import (
    alternative_table,
    breakdown_table,
    cited,
    doubts_table,
    factors_table,
    impacts_table,
    names_table,
    refused_table,
    stages_table,
)
from kilowhat.cli.account_words import (
    boundary_text,
    budget_text,
    category_name,
    coverage_lines,
    doubt_names,
    files_text,
    likeness_text,
    method_text,
    period_text,
    usage_text,
    verdict_line,
)
from kilowhat.display.charts import draw_shares, share_text
from kilowhat.display.html import write_html_table, write_page
from kilowhat.display.plain import plain
from kilowhat.display.text import write_entry
from kilowhat.domain.coverage import LENGTHS, PRICINGS
from kilowhat.language import mark, speaking, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kilowhat.display.text import Table
    from kilowhat.domain.coverage import Coverage
    from kilowhat.domain.inventory import Breakdown, Inventory

MOST_ROWS = 2000
"""Rows of a table of the page at the most; the CSV has them all."""

SOURCES, WARNINGS = mark("Sources"), mark("To know")
_BOUNDS = re.compile(r"\[[^\[\]<>]{1,40}\]")
_STYLE = """\
body.kilowhat{margin:0 auto;box-sizing:border-box}
.kilowhat h1{font-size:1.6rem;line-height:1.2;margin:0 0 .3rem}
.kilowhat h2{font-size:1.2rem;margin:2.4rem 0 .4rem;padding-top:.8rem;\
border-top:1px solid var(--kw-line)}
.kilowhat h3{font-size:1rem;margin:1.4rem 0 .2rem}
.kilowhat p{margin:.35rem 0}
.kilowhat .kw-cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));\
gap:.7rem;margin:1rem 0;padding:0;list-style:none}
.kilowhat .kw-cards li{border:1px solid var(--kw-line);border-radius:.5rem;padding:.6rem .7rem}
.kilowhat .kw-cards span{display:block;color:var(--kw-soft);font-size:.88em}
.kilowhat .kw-cards strong{display:block;font-size:1.15rem;line-height:1.4;white-space:nowrap}
.kilowhat .kw-verdict{border-left:.3rem solid var(--kw-main);padding:.2rem 0 .2rem .7rem;\
font-weight:600}
.kilowhat figure{margin:.6rem 0}
.kilowhat svg{display:block;width:100%;height:auto}
.kilowhat .kw-narrow{display:none;max-width:30rem}
.kilowhat details{margin:.3rem 0 1rem}
.kilowhat summary{cursor:pointer;color:var(--kw-main);padding:.2rem 0}
.kilowhat td{overflow-wrap:break-word;min-width:7rem;max-width:24rem;unicode-bidi:plaintext}
.kilowhat td.kw-number{min-width:0}
.kilowhat ul{padding-left:1.2rem;margin:.4rem 0}
.kilowhat ul:not(.kw-cards) li{overflow-wrap:anywhere}
.kilowhat .kw-bounds{white-space:nowrap}
.kilowhat a{color:var(--kw-main)}
.kilowhat .kw-meter{display:block;height:.6rem;min-width:2px;background:var(--kw-main);\
border-radius:.3rem}
.kilowhat .kw-track{width:60%;vertical-align:middle}
.kilowhat footer{margin-top:2.5rem;padding-top:.8rem;border-top:1px solid var(--kw-line);\
color:var(--kw-soft);font-size:.9em}
@media (max-width:43rem){body.kilowhat{padding:1rem}.kilowhat .kw-wide{display:none}\
.kilowhat td:not(.kw-number){overflow-wrap:anywhere}\
.kilowhat .kw-narrow{display:block}.kilowhat .kw-track{width:30%;min-width:4rem}\
.kilowhat .kw-cards{grid-template-columns:1fr 1fr;gap:.5rem}\
.kilowhat .kw-cards strong{font-size:1rem}}
@media print{body.kilowhat{padding:0;max-width:none;font-size:10pt}\
.kilowhat .kw-cards{grid-template-columns:repeat(5,1fr);gap:.4rem}\
.kilowhat .kw-wide{display:block}.kilowhat .kw-narrow{display:none}\
.kilowhat figure,.kilowhat .kw-cards,.kilowhat tr{break-inside:avoid}\
.kilowhat h2,.kilowhat h3,.kilowhat summary{break-after:avoid}\
.kilowhat .kw-scroll{overflow:visible}\
.kilowhat svg,.kilowhat .kw-meter{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""


def write_account_page(inventory: Inventory, language: str) -> str:
    """The inventory as a whole HTML page, self-contained, without script.

    Args:
        inventory: what to show; its warnings and likenesses are in words already.
        language: ``en`` or ``fr``.
    """
    with speaking(language):
        parts = [
            f"<style>{_STYLE}</style><main>", _head(inventory), _cards(inventory),
            _coverage(inventory.coverage), *map(_breakdown, inventory.breakdowns),
            _hours(inventory), _doubts(inventory), _alternatives(inventory), _stages(inventory),
            _likenesses(inventory), _names(inventory.coverage), _factors(inventory),
            _footer(inventory), "</main>",
        ]  # fmt: skip
        title = translate(mark("Inventory of the use of AI"))
        return write_page(title, *parts, language=language)


def _paragraphs(lines: Iterable[str], css: str = "") -> str:
    kind = f' class="{css}"' if css else ""
    return "".join(f"<p{kind}>{_escaped(line)}</p>" for line in lines if line)


def _escaped(line: str) -> str:
    """A line of text as HTML, whose bounds in brackets stay on one line."""
    return _BOUNDS.sub(r'<span class="kw-bounds">\g<0></span>', escape(line))


def _items(lines: Iterable[str]) -> str:
    items = "".join(f"<li>{_escaped(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def _section(title: str, *parts: str) -> str:
    """A section with its heading; nothing when it would be empty."""
    body = "".join(parts)
    return f"<section><h2>{escape(title)}</h2>{body}</section>" if body else ""


def _folded(table: Table) -> str:
    """A table that opens at a click; nothing when it has no rows."""
    if not table.rows:
        return ""
    shown = escape(translate(mark("Table")))
    return f"<details><summary>{shown}</summary>{_bare(table)}</details>"


def _bare(table: Table) -> str:
    """A table without its title, which the heading above it has said."""
    return write_html_table(replace(table, title=""))


def _head(inventory: Inventory) -> str:
    period = write_entry(translate(mark("Period")), period_text(inventory.period))
    lines = _paragraphs([period, usage_text(inventory.usage)])
    if inventory.budget is not None:
        lines += _paragraphs([budget_text(inventory.budget)], "kw-verdict")
    return lines


def _cards(inventory: Inventory) -> str:
    """The totals, each with its interval, or the reason why it is missing."""
    cards = (
        f"<li><span>{escape(label)}</span><strong>{escape(value)}</strong>"
        f"<span>{escape(bounds)}</span></li>"
        for label, value, bounds in impacts_table(inventory.impacts).rows
    )
    note = translate(mark("In brackets: the 5 % and 95 % points of the doubt."))
    if inventory.method.startswith("ecologits"):
        note = translate(mark("In brackets: the lowest and the highest value."))
    return f'<ul class="kw-cards">{"".join(cards)}</ul>{_paragraphs([note], "kw-note")}'


def _share_bar(counts: Mapping[str, int], words: Mapping[str, str], title: str, rest: str) -> str:
    """A bar of shares by name; ``rest`` is the name that stands for nothing done."""
    total = sum(counts.values())
    if not total:
        return ""
    names = [name for name in words if counts.get(name) and name != rest]
    names += [name for name in counts if name not in words and counts[name]]
    shares = [(translate(words.get(name, name)), counts[name] / total) for name in names]
    left = translate(words[rest]) if rest else ""
    drawn = [draw_shares(shares, title, rest=left, width=width) for width in (WIDE, NARROW)]
    return f"<h3>{escape(title)}</h3>{figure(*drawn)}"


def _coverage(coverage: Coverage) -> str:
    priced = translate(mark("Calls by how they were priced"))
    lengths = translate(mark("Calls by where their lengths come from"))
    parts = [_share_bar(coverage.pricing, PRICINGS, priced, "none")]
    if len([count for count in coverage.lengths.values() if count]) > 1:
        parts.append(_share_bar(coverage.lengths, LENGTHS, lengths, ""))
    if coverage.refused:
        parts.append(write_html_table(refused_table(coverage)))
    title = translate(mark("What the log holds, and what is left out"))
    return _section(title, _paragraphs(coverage_lines(coverage)), *parts)


def _breakdown(breakdown: Breakdown) -> str:
    """A chart of the table, as far as it can be drawn, then the table."""
    table = breakdown_table(breakdown, MOST_ROWS)
    chart = breakdown_chart(breakdown)
    body = chart + _folded(table) if chart else _bare(table)
    return _section(table.title, body if table.rows else "")


def _hours(inventory: Inventory) -> str:
    if not inventory.by_hour:
        return ""
    title = translate(mark("Energy by hour of the week, central values"))
    return _section(title, *hours_chart(inventory, title))


def _doubts(inventory: Inventory) -> str:
    """The share of the doubt by cause, as bars of a table."""
    if not inventory.drivers:
        return ""
    note = doubts_table(inventory).notes
    most = max(share for _, share in inventory.drivers) or 1.0
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td class="kw-number">{escape(share_text(share))}</td>'
        f'<td class="kw-track"><span class="kw-meter" style="width:{100 * share / most:.2f}%">'
        "</span></td></tr>"
        for name, share in doubt_names(inventory.drivers)
    )
    title = translate(mark("Where the doubt about the energy comes from"))
    body = f'<table style="width:100%"><tbody>{rows}</tbody></table>'
    return _section(title, body, _paragraphs(note, "kw-note"))


def _alternatives(inventory: Inventory) -> str:
    """What would have happened otherwise, and other periods: charts, then a verdict of each."""
    parts = compare_charts(inventory) if inventory.alternatives else []
    for other in inventory.alternatives:
        table = alternative_table(inventory, other)
        told = (
            write_entry(
                category_name(name), verdict_line(change, clear=other.clear.get(name, False))
            )
            for name, change in other.change.items()
        )
        notes = _paragraphs(table.notes, "kw-note")
        bare = _folded(replace(table, notes=()))
        parts += [f"<h3>{escape(table.title)}</h3>", _items(told), notes, bare]
    return _section(translate(mark("Otherwise, and before")), *parts)


def _stages(inventory: Inventory) -> str:
    table = stages_table(inventory)
    return _section(table.title, _paragraphs([boundary_text(inventory.boundary)]), _folded(table))


def _likenesses(inventory: Inventory) -> str:
    lines = (
        write_entry(category_name(item.category), plain(likeness_text(item)))
        + f" ({plain(item.source)})"
        for item in inventory.likenesses
    )
    return _section(translate(mark("What that is like")), _items(lines))


def _names(coverage: Coverage) -> str:
    table = names_table(coverage, MOST_ROWS)
    return _section(table.title, _folded(table))


def _factors(inventory: Inventory) -> str:
    """Every factor used, then who published it."""
    table = factors_table(inventory)
    sources = []
    for key, source in cited(inventory):
        if source is None:
            sources.append(f"<li>{escape(plain(key))}</li>")
            continue
        text = escape(write_entry(key, f"{source.citation()} ({source.licence})"))
        address = f"https://doi.org/{source.doi}" if source.doi else source.url
        if address.startswith("https://"):
            link = f'<a href="{escape(address)}" rel="noreferrer">{escape(address)}</a>'
            text = text.replace(escape(address), link)
        sources.append(f"<li>{text}</li>")
    listed = f"<ul>{''.join(sources)}</ul>" if sources else ""
    heading = f"<h3>{escape(translate(SOURCES))}</h3>" if listed else ""
    return _section(table.title, _folded(table), heading, listed)


def _footer(inventory: Inventory) -> str:
    warnings = _items(plain(message) for message in inventory.warnings)
    if warnings:
        warnings = f"<h2>{escape(translate(WARNINGS))}</h2>{warnings}"
    lines = _paragraphs([files_text(inventory), method_text(inventory)])
    return f"{warnings}<footer>{lines}</footer>"
