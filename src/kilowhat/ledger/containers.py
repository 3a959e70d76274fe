"""What a file contains, by its first bytes: JSON, a table, a scrape of metrics, spans."""

from __future__ import annotations

import csv
import io
import re
from itertools import islice
from typing import NamedTuple

from kilowhat.ledger.json_stream import STARTS_ARRAY, STARTS_OBJECT

HEAD = 1 << 16  # bytes by which a file is known
_LINES, _ROWS = 20, 50  # by which metrics and tables are
_ODD = 0.4  # the largest share of rows, but for one, that do not have the cells of the header

_CONTROL = bytes(set(range(32)) - set(b"\t\n\f\r\x1b\x1e"))
_OBJECT_LINE = re.compile(rb'^[ \t]*\{[ \t]*["}]', re.MULTILINE)
_LINE = re.compile(rb"^[ \t]*[^\s]", re.MULTILINE)

_NUMBER = r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|[Ii]nf(?:inity)?|NaN)"
_SAMPLE = re.compile(
    r"[A-Za-z_:][\w:]*(?P<labels>\{.*\})?[ \t]+" + _NUMBER + r"(?:[ \t]+-?[\d.]+)?(?:[ \t]+#.*)?"
)
_DESCRIBED = re.compile(r"#[ \t]+(?:HELP|TYPE)[ \t]+[A-Za-z_:][\w:]*(?:[ \t].*)?")

_DELIMITERS, _QUOTES = (",", ";", "\t", "|"), ('"', "'")


class Dialect(NamedTuple):
    """How a table is written in text: what is between cells, what is around them, its header."""

    delimiter: str
    quote: str
    header: tuple[str, ...]
    rows: int  # that were seen, of the header too
    odd: int = 0  # of them, that have other cells than the header


def container(head: bytes, *, is_all: bool) -> str:
    r"""What a file contains: "json", "csv", "parquet", "otlp", "metrics", "empty", or "".

    Args:
        head: its first `HEAD` bytes, expanded, in UTF-8.
        is_all: that there are no others.

    >>> container(b'{"model": "gpt-4o"}', is_all=True)
    'json'
    >>> container(b"model;tokens\ngpt-4o;12\n", is_all=True)
    'csv'
    """
    if head.startswith(b"PAR1"):
        return "parquet"
    if not head.strip():
        return "empty" if is_all else "json"
    if _is_json(head):
        return "json"
    if not is_text(head):
        return "otlp" if _is_spans(head) else ""
    if _is_metrics(head, is_all=is_all):
        return "metrics"
    return "csv" if dialect(head, is_all=is_all) else ""


def is_text(head: bytes) -> bool:
    """Whether bytes are text: no control character but those of lines and of terminals."""
    return len(head.translate(None, _CONTROL)) == len(head)


def _is_json(head: bytes) -> bool:
    start = head.lstrip()
    if STARTS_OBJECT.match(start) or STARTS_ARRAY.match(start):
        return True
    lines = len(_LINE.findall(head))  # the first may be damaged, or not belong there
    return lines > 1 and 2 * len(_OBJECT_LINE.findall(head)) > lines


def _whole_lines(head: bytes, *, is_all: bool) -> str:
    """The text of the lines that are there from end to end."""
    whole = head if is_all else head[: head.rfind(b"\n") + 1] or head
    return whole.decode("utf-8", "replace")


def _is_metrics(head: bytes, *, is_all: bool) -> bool:
    lines = [line.strip() for line in _whole_lines(head, is_all=is_all).split("\n")]
    lines = [line for line in lines if line][:_LINES]
    samples = [found for line in lines if (found := _SAMPLE.fullmatch(line))]
    described = any(map(_DESCRIBED.fullmatch, lines))
    known = len(samples) + sum(line.startswith("#") for line in lines)
    if not samples or 2 * known <= len(lines):  # some may be damaged
        return False
    return described or any(found["labels"] for found in samples)


# Spans: a message of OTLP is a list, in field 1, of resources with, in field 1, their attributes
# and, in field 2, what was recorded of them. Source: opentelemetry-proto, trace/v1/trace.proto.

_ZSTD = b"\x28\xb5\x2f\xfd"  # each message may be compressed on its own
_LARGEST_MESSAGE = 1 << 30
_FIELD_1, _FIELD_2 = 0x0A, 0x12  # with a length: number of the field × 8 + 2


def _is_spans(head: bytes) -> bool:
    if _is_list_of_resources(head):
        return True
    size, first = int.from_bytes(head[:4], "big"), head[4:]  # of the first of several messages
    if first.startswith(_ZSTD) or STARTS_OBJECT.match(first):
        return 0 < size < _LARGEST_MESSAGE
    return _is_list_of_resources(first, size)


def _is_list_of_resources(head: bytes, size: int = 1 << 31) -> bool:
    resource = _field(head, size)
    if resource is None or resource.key != _FIELD_1 or resource.size == 0:
        return False
    within = _field(head[resource.start :], resource.size)
    if within is None or within.key not in {_FIELD_1, _FIELD_2}:
        return False
    inner = head[resource.start + within.start :]
    if within.key == _FIELD_2 or within.size == 0:
        return _is_field(inner, min(within.size, resource.size))
    attribute = _field(inner, within.size)
    if attribute is None or attribute.key != _FIELD_1:
        return _is_field(inner, within.size)
    name = _field(inner[attribute.start :], attribute.size)
    return name is not None and name.key == _FIELD_1 and name.size > 0


class _Field(NamedTuple):
    key: int
    size: int
    start: int


def _field(data: bytes, limit: int) -> _Field | None:
    """The field with a length that begins here; None when there is none that fits."""
    size = shift = 0
    for place, byte in enumerate(data[1:11], 2):
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            return _Field(data[0], size, place) if place + size <= limit else None
        shift += 7
    return None


def _is_field(data: bytes, limit: int) -> bool:
    """Whether a field of some kind may begin here, or nothing."""
    return not data or limit == 0 or data[0] >> 3 in range(1, 20)


def dialect(head: bytes, *, is_all: bool) -> Dialect | None:
    r"""How the table at the start of a text is written; None when there is none.

    >>> dialect(b"model\ttokens\na\t1\n", is_all=True).delimiter
    '\t'
    """
    text = _whole_lines(head, is_all=is_all)
    quotes = _QUOTES if text.startswith("'") else _QUOTES[:1]
    found = [_read(text, d, q, is_all=is_all) for d in _DELIMITERS for q in quotes]
    return max(filter(None, found), key=lambda each: (-each.odd, len(each.header)), default=None)


def _read(text: str, delimiter: str, quote: str, *, is_all: bool) -> Dialect | None:
    lines = io.StringIO(text, newline="")
    try:
        rows = list(islice(csv.reader(lines, delimiter=delimiter, quotechar=quote), _ROWS))
    except csv.Error:
        return None
    if not is_all and len(rows) > 2 and len(rows) < _ROWS:
        rows.pop()  # a cell that holds newlines may be cut
    rows = [row for row in rows if row]
    if not rows or not _is_header(rows[0], delimiter):
        return None
    alike = sum(len(row) == len(rows[0]) for row in rows)
    return (
        Dialect(delimiter, quote, tuple(rows[0]), len(rows), len(rows) - alike)
        if len(rows) - alike <= max(1.0, _ODD * len(rows))
        else None
    )


def _is_header(cells: list[str], delimiter: str) -> bool:
    """Whether cells are names: some text, none of it a number, none of them twice."""
    names = [cell.strip() for cell in cells]
    inner = names if delimiter == "|" else names[1:-1]  # an index has no name
    return (
        len(names) > 1
        and all(inner)
        and any(names)
        and len(set(names)) == len(names)
        and not any(re.fullmatch(_NUMBER, name) for name in names)
        and all(len(name) < 200 and "\n" not in name for name in names)
    )
