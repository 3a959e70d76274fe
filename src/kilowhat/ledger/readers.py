"""Logs read as records, whatever contains them; tables are read by the engine."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from kilowhat.ledger import json_stream, json_values
from kilowhat.ledger.containers import HEAD, Dialect
from kilowhat.ledger.containers import dialect as dialect_of
from kilowhat.ledger.files import BLOCK, Content
from kilowhat.ledger.json_stream import Batch
from kilowhat.ledger.json_values import LONGEST_DOCUMENT, LONGEST_RECORD
from kilowhat.ledger.sources import Found, Refusal, Source, beginning, discover

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from kilowhat.ledger.json_values import Refuse

__all__ = [
    "LONGEST_DOCUMENT",
    "LONGEST_RECORD",
    "Batch",
    "Found",
    "Refusal",
    "Source",
    "batches",
    "dialect",
    "discover",
    "first_records",
    "header",
]

_FIRST_BLOCK = 1 << 16  # bytes read at a time, and in all, of
_FIRST_BYTES = 1 << 20  # the records by which the format of a file is found


def batches(
    source: Source,
    refuse: Callable[[Refusal], None],
    advance: Callable[[int], None] = lambda _: None,
    *,
    block_bytes: int = BLOCK,
) -> Generator[Batch, None, None]:
    """The records of a file, many at a time.

    Args:
        source: a file whose container is "json", "otlp" or "metrics" ("empty" has none).
        refuse: told what cannot be read.
        advance: told the bytes of the file that were read, each time [B].
        block_bytes: about as many go together [B].

    Raises:
        ValueError: the file is a table, which the engine reads.
    """

    def tell(line: int, reason: str) -> None:
        refuse(Refusal(source.name, line, reason))

    block = min(block_bytes, json_values.LONGEST_RECORD)
    content = Content(source.path, source.compression, advance, block=block)
    if source.container == "json":
        if _layout(source) == "lines":
            yield from json_stream.in_lines(content, tell)
        else:
            yield from json_stream.in_values(content, tell, block_bytes)
    elif source.container == "otlp":
        yield from _spans(content, tell, block_bytes)
    elif source.container == "metrics":
        yield from _samples(source, content, tell, block_bytes)
    elif source.container != "empty":
        raise ValueError(f"{source.name} is a table")


def _layout(source: Source) -> str:
    def content() -> Content:
        return Content(source.path, source.compression)

    head, is_all = beginning(content(), BLOCK)
    return json_stream.layout(head, is_all=is_all) or json_stream.layout_of_long_line(content())


def _spans(content: Content, tell: Refuse, size: int) -> Iterator[Batch]:
    from kilowhat.ledger.otlp import records  # noqa: PLC0415 - rarely needed

    refused: list[int] = []
    given = 0

    def refuse(number: int, reason: str) -> None:
        refused.append(number)
        tell(number, content.damage or reason)

    for first, text in json_stream.numbered(records(content.stream(), refuse), size):
        yield Batch(first, text)
        given = first + text.count("\n")
    last = max([given, *refused])
    if content.damage and last not in refused:  # it is between two messages that it ends
        tell(last + 1, content.damage)


def _samples(source: Source, content: Content, tell: Refuse, size: int) -> Iterator[Batch]:
    from kilowhat.ledger.prometheus import records  # noqa: PLC0415 - rarely needed

    changed = source.path.stat().st_mtime
    lines = _lines(json_stream.in_lines(content, tell))
    yield from json_stream.numbered(records(lines, changed, tell), size)


def _lines(batches_: Iterable[Batch]) -> Iterator[str]:
    """The lines of batches, those without a record too, so that their numbers hold."""
    number = 1
    for batch in batches_:
        for _ in range(number, batch.first):
            yield ""
        lines = batch.text.split("\n")
        yield from lines
        number = batch.first + len(lines)


def first_records(source: Source, count: int = 100) -> list[str]:
    """The first records of a file, by which its format is found."""
    found: list[str] = []
    size = 0
    with closing(batches(source, lambda _: None, block_bytes=_FIRST_BLOCK)) as all_:
        for batch in all_:
            found += [record for record in batch.text.split("\n") if record]
            size += len(batch.text)
            if len(found) >= count or size >= _FIRST_BYTES:
                break
    return found[:count]


def header(source: Source) -> list[str]:
    """The names of the columns of a table in text.

    Raises:
        ValueError: it is none.
    """
    return list(_dialect(source).header)


def dialect(source: Source) -> tuple[str, str]:
    """What is between the cells of a table in text, and what is around them.

    Raises:
        ValueError: it is none.
    """
    found = _dialect(source)
    return found.delimiter, found.quote


def _dialect(source: Source) -> Dialect:
    head, is_all = beginning(Content(source.path, source.compression, block=HEAD), HEAD)
    found = dialect_of(head, is_all=is_all)
    if found is None:
        raise ValueError(f"{source.name} is not a table in text")
    return found
