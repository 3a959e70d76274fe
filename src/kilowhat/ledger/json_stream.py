"""JSON cut into its records at the speed of a search, without parsing them.

A record is a line, an element of a top-level array, or a whole document that spans lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from kilowhat.ledger import json_values
from kilowhat.ledger.json_values import BATCH, TOO_LONG, WHOLE_LINE, Broken, Nesting, Splitter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kilowhat.ledger.json_values import Pieces, Record, Refuse

_MOST_BLANK = 1000  # numbers without a record within a batch

STARTS_OBJECT = re.compile(rb'\{\s*+(?:["}]|\Z)')
_NUMBER = rb"-?\d++(?:\.\d++)?(?:[eE][-+]?\d++)?"
STARTS_ARRAY = re.compile(
    rb'\[\s*+(?:[]\[{"]|\Z|(?:' + _NUMBER + rb"|true|false|null)\s*+(?:[],]|\Z))"
)
_LONE_BRACE = re.compile(rb"^\{[ \t\r]*\n", re.MULTILINE)
_TWO_WHOLE_LINES = re.compile(rb"^" + WHOLE_LINE + rb"\n" + WHOLE_LINE + rb"$", re.MULTILINE)


class Batch(NamedTuple):
    """Records numbered first, first + 1, …: one a line of `text`; an empty line is no record."""

    first: int
    text: str


def in_lines(content: Pieces, refuse: Refuse) -> Iterator[Batch]:
    """The lines of a file, numbered from 1; those that are too long are refused unread."""
    number, size = 1, 0  # of the line that is under way, of which `held` has what fits
    held: list[bytes] = []
    for piece in content:
        end = piece.find(b"\n")
        if size + (len(piece) if end < 0 else end) > json_values.LONGEST_RECORD:
            held.clear()
            if end >= 0:
                refuse(number, TOO_LONG)
        else:
            held.append(piece)
        size += len(piece)
        if end < 0:
            continue
        last = piece.rfind(b"\n")
        if held:
            held[-1] = piece[:last]
            yield from _batch(number, b"".join(held))
        elif last > end:
            yield from _batch(number + 1, piece[end + 1 : last])
        number += piece.count(b"\n")
        held = [piece[last + 1 :]]
        size = len(held[0])
    if content.damage or size > json_values.LONGEST_RECORD:
        refuse(number, content.damage or TOO_LONG)
    else:
        yield from _batch(number, b"".join(held))


def _batch(number: int, block: bytes) -> Iterator[Batch]:
    """The lines of a block, unless all of them are blank."""
    if not block.strip():
        return
    lines = block.split(b"\n")
    if not all(map(bytes.strip, lines)):
        block = b"\n".join(line if line.strip() else b"" for line in lines)
    yield Batch(number, _text(block.removesuffix(b"\r")))


def in_values(content: Pieces, refuse: Refuse, size: int = BATCH) -> Iterator[Batch]:
    """The elements of top-level arrays, and the documents outside of them.

    Elements of a file that is an array are numbered from 1; documents have the number of the line
    on which they begin, or the next one when that is taken.
    """
    return _batched(Splitter(content, refuse), size)


def numbered(records: Iterable[str], size: int = BATCH) -> Iterator[Batch]:
    """Records in batches, numbered from 1; an empty one has a number alone."""
    return _batched(((n, text.encode()) for n, text in enumerate(records, 1) if text), size)


def _batched(records: Iterable[tuple[int, Record]], size: int) -> Iterator[Batch]:
    held: list[Record] = []
    first = total = 0
    for number, record in records:
        blank = number - first - len(held)
        if held and (total >= size or blank > _MOST_BLANK):
            yield Batch(first, _joined(held))
            held, total = [], 0
        if held:
            held += [b""] * blank
        else:
            first = number
        held.append(record)
        total += len(record)
    if held:
        yield Batch(first, _joined(held))


def _joined(records: list[Record]) -> str:
    return _text(records[0] if len(records) == 1 else b"\n".join(records))


def _text(block: Record) -> str:
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    if b"\0" in block:
        block = block.replace(b"\0", b"\xff")  # as any other byte that is no text
    return block.decode("utf-8", "replace")


def layout(head: bytes, *, is_all: bool) -> str:
    """How records lie in a text: "lines", "values", or "" when more must be read to know.

    Args:
        head: its first bytes.
        is_all: that there are no others.
    """
    start = head.lstrip()
    if STARTS_ARRAY.match(start):
        return "values"
    if not STARTS_OBJECT.match(start):
        return "lines"
    return "values" if _LONE_BRACE.search(start) else _layout_of_object(start, is_all=is_all)


def _layout_of_object(start: bytes, *, is_all: bool) -> str:
    """The same for a text that begins with an object, by where that ends."""
    newline = start.find(b"\n")
    try:
        end = Nesting().end(start, 0)
    except Broken:
        return "lines"
    if end < 0 and newline < 0:
        return "values" if is_all else ""
    if end < 0:
        return "lines" if _TWO_WHOLE_LINES.search(start, newline) else "values"
    after = start[end : None if newline < 0 else max(newline, end)].strip()
    return "values" if 0 <= newline < end or after[:1] in (b"{", b"[") else "lines"


def layout_of_long_line(content: Pieces) -> str:
    """The same for a text whose first line is long: that of one document, or of a line."""
    nesting, size, string = Nesting(), 0, 0  # bytes so far, and of them in the last string
    pieces = iter(content)
    for piece in pieces:
        at = len(piece) - len(piece.lstrip()) if not size else 0
        try:
            end = nesting.end(piece, at)
        except Broken:
            return "lines"
        if end >= 0:
            size += end
            after = piece[end:].lstrip(b" \t\r")[:1]
            if after in (b"{", b"[") or piece.find(b"\n", at, end) >= 0:
                return "values"
            alone = not piece[end:].strip() and not any(more.strip() for more in pieces)
            return "values" if alone else "lines"
        size += len(piece)
        string = string + len(piece) if nesting.quoted and b'"' not in piece else 0
        if size > json_values.LONGEST_DOCUMENT or string > json_values.LONGEST_RECORD:
            return "lines"
        if b"\n" in piece[at:]:
            return "values"
    return "values"
