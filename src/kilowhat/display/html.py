"""The HTML shell: self-contained pages and fragments, every text escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from kilowhat.language import current

if TYPE_CHECKING:
    from kilowhat.display.text import Table

STYLE = """\
.kilowhat{--kw-ink:#1b2428;--kw-soft:#55646b;--kw-line:#c9d3d6;--kw-paper:#ffffff;\
--kw-main:#00677f;--kw-other:#6d8790;--kw-band:#b9dae3;--kw-band-other:#d5dfe2;\
color:var(--kw-ink);background:var(--kw-paper);\
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;line-height:1.45}
@media (prefers-color-scheme:dark){.kilowhat{--kw-ink:#e6edef;--kw-soft:#a2b1b7;\
--kw-line:#3b474c;--kw-paper:#14191b;--kw-main:#5fc7de;--kw-other:#93a7ae;\
--kw-band:#1f5a69;--kw-band-other:#36444a}}
.kilowhat table{border-collapse:collapse;margin:.5em 0;font-size:.95em}
.kilowhat caption{text-align:left;font-weight:600;padding-bottom:.3em}
.kilowhat th,.kilowhat td{padding:.25em .8em .25em 0;text-align:left;vertical-align:top;\
border:0;background:none;color:inherit}
.kilowhat thead th{border-bottom:1px solid var(--kw-line);color:var(--kw-soft);font-weight:600}
.kilowhat tr.kw-total td{border-top:1px solid var(--kw-line);font-weight:600}
.kilowhat .kw-number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.kilowhat .kw-note{color:var(--kw-soft);font-size:.88em;margin:.2em 0}
.kilowhat .kw-scroll{overflow-x:auto}
.kilowhat svg{max-width:100%;height:auto}
"""


def write_html_table(table: Table) -> str:
    """The table as an HTML fragment, with its caption and notes; all text escaped.

    >>> from kilowhat.display.text import Column, Table
    >>> "&lt;b&gt;" in write_html_table(Table("", (Column("x"),), (("<b>",),)))
    True
    """
    classes = [' class="kw-number"' if c.align == "right" else "" for c in table.columns]
    head = "".join(
        f'<th scope="col"{css}>{escape(column.heading)}</th>'
        for column, css in zip(table.columns, classes, strict=True)
    )
    rows = []
    for index, row in enumerate(table.rows):
        is_total = table.total and index == len(table.rows) - 1
        cells = "".join(
            f"<td{css}>{escape(cell)}</td>" for cell, css in zip(row, classes, strict=True)
        )
        rows.append(f'<tr class="kw-total">{cells}</tr>' if is_total else f"<tr>{cells}</tr>")
    caption = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    notes = "".join(f'<p class="kw-note">{escape(note)}</p>' for note in table.notes)
    return (
        f'<div class="kw-scroll"><table>{caption}<thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>{notes}"
    )


def write_fragment(*parts: str) -> str:
    """Parts that are already HTML, with the style they need: for notebooks' ``_repr_html_``."""
    return f'<div class="kilowhat"><style>{STYLE}</style>{"".join(parts)}</div>'


def write_page(title: str, *parts: str, language: str | None = None) -> str:
    """A whole page that loads nothing from anywhere, and runs no script.

    Args:
        title: plain text.
        parts: pieces of the body that are already HTML.
        language: ``en`` or ``fr``; the one in use when not given.

    >>> write_page("a < b", "<p>x</p>", language="fr").startswith('<!doctype html><html lang="fr">')
    True
    """
    return (
        f'<!doctype html><html lang="{escape(language or current())}"><head>'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title>'
        f"<style>{STYLE}body{{margin:0;padding:1.5rem;max-width:60rem}}</style></head>"
        f'<body class="kilowhat"><h1>{escape(title)}</h1>{"".join(parts)}</body></html>'
    )
