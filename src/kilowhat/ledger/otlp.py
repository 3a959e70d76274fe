"""Spans in OTLP protobuf as the records that OTLP JSON has.

A file is one message, or messages one after another without anything between them (protobuf then
reads them as one), or messages that each follow their length, as the collector's file exporter
writes them: four bytes, the highest first; each may then be compressed with zstd on its own.

Source: opentelemetry-proto, trace/v1/trace.proto and collector/trace/v1/trace_service.proto;
OTLP specification, JSON Protobuf Encoding; file exporter of opentelemetry-collector-contrib.
"""

from __future__ import annotations

import base64
import importlib
import io
import json
import math
import sys
from typing import TYPE_CHECKING, Any

from kilowhat.errors import DataError, MissingExtra
from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    Refuse = Callable[[int, str], None]  # told the number of a record, and why it is refused

LARGEST = 64 << 20  # bytes of a message, or of what one resource did in a longer one
RECORD = 1 << 20  # bytes of JSON after which a long message goes on in another record
CUT_OFF, TOO_LONG = "truncated", "message too long"
NOT_SPANS, NOT_ZSTD = "not OTLP spans", "corrupt archive"

_LIST = 0x0A  # field 1, with a length: the resources of a message
_ZSTD = b"\x28\xb5\x2f\xfd"
_LENGTH_BYTES, _TRACE_ID_BYTES, _SPAN_ID_BYTES = 4, 16, 8
_MOST_VARINT_BYTES = 10
_WIDTH = {1: 8, 5: 4}  # bytes of the kinds of field that have always the same width


class _Damaged(Exception):
    """A message that cannot be read; the argument is why."""


class _Lost(_Damaged):
    """What follows cannot be found either."""


def records(data: bytes | BinaryIO, refuse: Refuse | None = None) -> Iterator[str]:
    """OTLP JSON texts of the spans of a file, each of one message, or of a part of a long one.

    Args:
        data: the bytes, or a file open for reading; at most 64 MB of it are held at once.
        refuse: told the number of each record that cannot be read, and why: the record is then
            "". Without it the first is an error, raised after the last record that is whole.

    Raises:
        DataError: something cannot be read, and there is no `refuse`.
        MissingExtra: the package opentelemetry-proto is not installed.

    >>> list(records(b""))
    []
    """
    problems: list[tuple[int, str]] = []
    number = 0
    for number, record in enumerate(_records(_Input(data)), 1):
        if isinstance(record, str):
            yield record
        elif refuse is None:
            problems.append((number, str(record)))
        else:
            refuse(number, str(record))
            yield ""
    if problems:
        file = getattr(data, "name", "") or translate(mark("spans"))
        raise DataError(file=file, line=problems[0][0], reason=problems[0][1])


class _Input:
    """Bytes read in order, with a look at those to come."""

    def __init__(self, data: bytes | BinaryIO) -> None:
        self._file = io.BytesIO(data) if isinstance(data, bytes) else data
        self._ahead = b""

    def first(self) -> bytes:
        """The next byte, which stays to be read; b"" at the end."""
        if not self._ahead:
            self._ahead = self._file.read(1)
        return self._ahead

    def take(self, size: int) -> bytes:
        """So many bytes.

        Raises:
            _Lost: there are fewer.
        """
        pieces, left = [self._ahead[:size]], size - len(self._ahead[:size])
        self._ahead = self._ahead[size:]
        while left and (piece := self._file.read(left)):
            pieces.append(piece)
            left -= len(piece)
        if left:
            raise _Lost(CUT_OFF)
        return b"".join(pieces)


def _records(source: _Input) -> Iterator[str | _Damaged]:
    """Texts, and in the place of those that cannot be had the reason why."""
    first = source.first()
    if not first:
        return
    try:
        if first[0] == _LIST:
            yield from _of_message(source)
        else:
            yield from _one_by_one(source)
    except _Lost as lost:
        yield lost


def _one_by_one(source: _Input) -> Iterator[str | _Damaged]:
    """The records of messages that follow their lengths."""
    before = -1
    while source.first():
        size = int.from_bytes(source.take(_LENGTH_BYTES), "big")
        if size > LARGEST:
            raise _Lost(TOO_LONG)
        if size == before == 0:  # what a disk holds where nothing was written
            raise _Lost(NOT_SPANS)
        yield from _of_content(source.take(size))
        before = size


def _of_content(content: bytes) -> Iterator[str | _Damaged]:
    try:
        if content.startswith(_ZSTD):
            content = _expanded(content)
        if content.startswith(b"{"):
            yield _json_text(content)
        else:
            yield from _of_message(_Input(content))
    except _Damaged as damaged:
        yield _Damaged(*damaged.args)


def _of_message(source: _Input) -> Iterator[str]:
    """The records of a message that goes on to the end of its bytes."""
    writer = _Writer()
    try:
        while source.first():
            content = _field(source)
            if content is not None:
                yield from writer.add(_origin(content))
    except _Damaged:
        yield from writer.rest()
        raise
    yield from writer.rest()


def _field(source: _Input) -> bytes | None:
    """The next field of a message: its bytes if it is in the list of resources."""
    key = _varint(source)
    number, kind = divmod(key, 8)
    if number == 0:
        raise _Lost(NOT_SPANS)
    if kind == 2:
        size = _varint(source)
        if size > LARGEST:
            raise _Lost(TOO_LONG)
        content = source.take(size)
        return content if key == _LIST else None
    if kind == 0:
        _varint(source)
    elif kind in _WIDTH:
        source.take(_WIDTH[kind])
    else:
        raise _Lost(NOT_SPANS)
    return None


def _varint(source: _Input) -> int:
    value = 0
    for place in range(_MOST_VARINT_BYTES):
        byte = source.take(1)[0]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value
    raise _Lost(NOT_SPANS)


def _origin(content: bytes) -> Any:
    """What a resource did.

    Raises:
        _Damaged: the bytes are of something else.
    """
    try:
        message = importlib.import_module("google.protobuf.message")
        trace = importlib.import_module("opentelemetry.proto.trace.v1.trace_pb2")
    except ImportError:
        raise MissingExtra(package="opentelemetry-proto", extra="account") from None
    try:
        origin = trace.ResourceSpans.FromString(content)
    except message.DecodeError:
        raise _Damaged(NOT_SPANS) from None
    if _is_of_others(origin):
        raise _Damaged(NOT_SPANS)
    return origin


def _is_of_others(origin: Any) -> bool:
    """Whether no span has ids: logs and metrics have other things in that place."""
    found = False
    for scoped in origin.scope_spans:
        for span in scoped.spans:
            found = True
            if len(span.trace_id) == _TRACE_ID_BYTES and len(span.span_id) == _SPAN_ID_BYTES:
                return False
    return found


def _json_text(content: bytes) -> str:
    try:
        return json.dumps(json.loads(content), ensure_ascii=False)
    except (ValueError, RecursionError):
        raise _Damaged(NOT_SPANS) from None


def _expanded(content: bytes) -> bytes:
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        zstd = importlib.import_module(name)
    except ImportError:
        raise MissingExtra(package=name, extra="account") from None
    member = zstd.ZstdDecompressor()
    found = bytearray()
    try:
        while not member.eof and len(found) <= LARGEST:
            found += member.decompress(content, LARGEST + 1 - len(found))
            content = b""
            if member.needs_input:
                break
    except zstd.ZstdError:
        raise _Damaged(NOT_ZSTD) from None
    if len(found) > LARGEST:
        raise _Damaged(TOO_LONG)
    if not member.eof:
        raise _Damaged(CUT_OFF)
    return bytes(found)


class _Writer:
    """Writes what resources did as requests in JSON, none much longer than `RECORD`."""

    def __init__(self) -> None:
        self._origins: list[str] = []
        self._size = 0

    def add(self, origin: Any) -> Iterator[str]:
        """The requests that became full with what another resource did."""
        scopes: list[str] = []
        for scoped in origin.scope_spans:
            spans: list[str] = []
            for span in scoped.spans:
                spans.append(_text(_span(span)))
                self._size += len(spans[-1])
                if self._size >= RECORD:
                    scopes.append(_scope_text(scoped, spans))
                    self._origins.append(_origin_text(origin, scopes))
                    yield from self.rest()
                    spans, scopes = [], []
            if spans or not scoped.spans:
                scopes.append(_scope_text(scoped, spans))
        if scopes:
            self._origins.append(_origin_text(origin, scopes))

    def rest(self) -> Iterator[str]:
        """The request that is under way, unless it is empty."""
        if self._origins:
            yield f'{{"resourceSpans":[{",".join(self._origins)}]}}'
        self._origins, self._size = [], 0


_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _scope_text(scoped: Any, spans: list[str]) -> str:
    scope = scoped.scope
    head = _without_blanks(
        name=scope.name,
        version=scope.version,
        attributes=_attributes(scope.attributes),
        droppedAttributesCount=scope.dropped_attributes_count,
    )
    tail = _without_blanks(schemaUrl=scoped.schema_url)
    return f'{{"scope":{_text(head)},"spans":[{",".join(spans)}]{_more(tail)}}}'


def _origin_text(origin: Any, scopes: list[str]) -> str:
    resource = origin.resource
    head = _without_blanks(
        attributes=_attributes(resource.attributes),
        droppedAttributesCount=resource.dropped_attributes_count,
    )
    tail = _without_blanks(schemaUrl=origin.schema_url)
    return f'{{"resource":{_text(head)},"scopeSpans":[{",".join(scopes)}]{_more(tail)}}}'


def _more(members: dict[str, Any]) -> str:
    """Members to put at the end of an object that has some."""
    return f",{_text(members)[1:-1]}" if members else ""


def _without_blanks(**members: Any) -> dict[str, Any]:
    """Members without those that have the value that protobuf leaves out."""
    return {key: value for key, value in members.items() if value}


def _span(span: Any) -> dict[str, Any]:
    found = _without_blanks(
        traceId=span.trace_id.hex(),
        spanId=span.span_id.hex(),
        traceState=span.trace_state,
        parentSpanId=span.parent_span_id.hex(),
        flags=span.flags,
        name=span.name,
        kind=span.kind,
        startTimeUnixNano=_nanoseconds(span.start_time_unix_nano),
        endTimeUnixNano=_nanoseconds(span.end_time_unix_nano),
        attributes=_attributes(span.attributes),
        droppedAttributesCount=span.dropped_attributes_count,
        events=[_event(event) for event in span.events],
        droppedEventsCount=span.dropped_events_count,
        links=[_link(link) for link in span.links],
        droppedLinksCount=span.dropped_links_count,
    )
    if span.HasField("status"):
        found["status"] = _without_blanks(message=span.status.message, code=span.status.code)
    return found


def _nanoseconds(value: int) -> str:
    return str(value) if value else ""


def _event(event: Any) -> dict[str, Any]:
    return _without_blanks(
        timeUnixNano=_nanoseconds(event.time_unix_nano),
        name=event.name,
        attributes=_attributes(event.attributes),
        droppedAttributesCount=event.dropped_attributes_count,
    )


def _link(link: Any) -> dict[str, Any]:
    return _without_blanks(
        traceId=link.trace_id.hex(),
        spanId=link.span_id.hex(),
        traceState=link.trace_state,
        attributes=_attributes(link.attributes),
        droppedAttributesCount=link.dropped_attributes_count,
        flags=link.flags,
    )


def _attributes(pairs: Any) -> list[dict[str, Any]]:
    return [{"key": pair.key, "value": _value(pair.value)} for pair in pairs]


def _value(value: Any) -> dict[str, Any]:
    """A value as the JSON mapping writes it: whole numbers as text, bytes in base64."""
    kind = value.WhichOneof("value")
    if kind not in _KINDS:
        return {}
    name, write = _KINDS[kind]
    return {name: write(getattr(value, kind))}


def _number(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


_KINDS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "string_value": ("stringValue", str),
    "int_value": ("intValue", str),
    "bool_value": ("boolValue", bool),
    "double_value": ("doubleValue", _number),
    "bytes_value": ("bytesValue", lambda value: base64.b64encode(value).decode("ascii")),
    "array_value": (
        "arrayValue",
        lambda array: _without_blanks(values=[_value(item) for item in array.values]),
    ),
    "kvlist_value": ("kvlistValue", lambda of: _without_blanks(values=_attributes(of.values))),
}
