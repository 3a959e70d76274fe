"""Tables as plain data, and as aligned text for pipes and narrow terminals."""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GAP = "  "
_NARROWEST_COLUMN = 12


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and on which side its cells are aligned.

    Attributes:
        heading: in the reader's language; may be empty.
        align: ``left`` or ``right``.
        wraps: whether its text may run over several lines when room is short; numbers may not.
    """

    heading: str
    align: str = "left"
    wraps: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A table ready to show: every cell is text in the reader's language.

    Attributes:
        title: one line above; may be empty.
        columns: the columns, in order.
        rows: one tuple of cells a row, as long as ``columns``.
        notes: sentences below the table.
        key: a stable name, the same in every language.
        total: whether the last row sums those above, and is set apart.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = field(default=())
    key: str = ""
    total: bool = False

    def __post_init__(self) -> None:
        """Refuse ragged rows."""
        if any(len(row) != len(self.columns) for row in self.rows):
            message = f"table {self.key or self.title!r}: a row has not {len(self.columns)} cells"
            raise ValueError(message)


def measure_width(text: str) -> int:
    """The columns that a text takes on a terminal: wide signs take two, combining marks none.

    >>> measure_width("éq. CO2"), measure_width("电")
    (7, 2)
    """
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(sign) or sign in "\u200b\u2060"
        else 1 + (unicodedata.east_asian_width(sign) in "WF")
        for sign in text
    )


def pad(text: str, width: int, align: str = "left") -> str:
    """The text filled with spaces to a width in terminal columns.

    >>> pad("1.9", 5, "right")
    '  1.9'
    """
    blank = " " * (width - measure_width(text))
    return blank + text if align == "right" else text + blank


def write_entry(label: str, value: str) -> str:
    """A label and its value on one line, with the colon that the language in use wants.

    >>> write_entry("Host", "0.09 Wh")
    'Host: 0.09 Wh'
    """
    return translate(mark("{label}: {value}")).format(label=label, value=value)


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most a width; no-break spaces do not break; never an empty list."""
    wrapper = textwrap.TextWrapper(
        width=max(width, 1), break_on_hyphens=False, break_long_words=True
    )
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += wrapper.wrap(paragraph) or [""]
    return lines


def _widths(table: Table, width: int) -> list[int] | None:
    """A width for each column; ``None`` when the table cannot be set side by side."""
    natural = [max(map(measure_width, cells)) for cells in _by_column(table)]
    least = [
        min(_NARROWEST_COLUMN, size) if column.wraps else size
        for column, size in zip(table.columns, natural, strict=True)
    ]
    room = width - len(_GAP) * (len(natural) - 1)
    while sum(natural) > room:
        shrinkable = [index for index, size in enumerate(natural) if size > least[index]]
        if not shrinkable:
            return None
        natural[max(shrinkable, key=lambda index: natural[index])] -= 1
    return natural


def _by_column(table: Table) -> Iterable[list[str]]:
    for index, column in enumerate(table.columns):
        yield [column.heading, *(row[index] for row in table.rows)]


def _line(cells: Sequence[str], table: Table, widths: Sequence[int]) -> list[str]:
    """One row as lines of text, as many as its tallest cell needs."""
    wrapped = [
        wrap(cell, size) if column.wraps and measure_width(cell) > size else [cell]
        for cell, column, size in zip(cells, table.columns, widths, strict=True)
    ]
    height = max(len(lines) for lines in wrapped)
    return [
        _GAP.join(
            pad(lines[level] if level < len(lines) else "", size, column.align)
            for lines, column, size in zip(wrapped, table.columns, widths, strict=True)
        ).rstrip()
        for level in range(height)
    ]


def _records(table: Table, width: int) -> list[str]:
    """The table as one block of ``heading: cell`` lines a row, for terminals too narrow."""
    lines: list[str] = []
    for row in table.rows:
        for column, cell in zip(table.columns, row, strict=True):
            entry = write_entry(column.heading, cell) if column.heading and cell else cell
            lines += [line for line in wrap(entry, width) if line]
        lines.append("")
    return lines[:-1]


def _side_by_side(table: Table, widths: Sequence[int]) -> list[str]:
    rule = _GAP.join("─" * size for size in widths)
    lines: list[str] = []
    if any(column.heading for column in table.columns):
        lines = [*_line([c.heading for c in table.columns], table, widths), rule]
    for index, row in enumerate(table.rows):
        if table.total and index == len(table.rows) - 1:
            lines.append(rule)
        lines += _line(row, table, widths)
    return lines


def write_table(table: Table, width: int = 80) -> str:
    """The table as aligned text, each line at most ``width`` columns wide.

    Cells that may wrap give way first; when that is not enough, each row becomes a block.

    Args:
        table: what to show.
        width: of the terminal, in columns [1].

    >>> print(write_table(Table("", (Column("Stage"), Column("Energy", "right", wraps=False)),
    ...                         (("GPU", "0.42 Wh"), ("Host", "0.09 Wh")))))
    Stage   Energy
    ─────  ───────
    GPU    0.42 Wh
    Host   0.09 Wh
    """
    widths = _widths(table, width) if table.rows else None
    body = _side_by_side(table, widths) if widths else _records(table, width)
    title = wrap(table.title, width) if table.title else []
    notes = [line for note in table.notes for line in wrap(note, width)]
    return "\n".join([*title, *body, *notes])
