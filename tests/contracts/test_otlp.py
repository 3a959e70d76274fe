"""OTLP protobuf gives the records that OTLP JSON gives, and says what it cannot read."""

import io
import json
import tracemalloc
from itertools import islice
from pathlib import Path

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from kilowhat.errors import DataError
from kilowhat.ledger import otlp

SAMPLES = Path(__file__).parent / "logs" / "otel"
FRAMED = (SAMPLES / "sample-official.binpb").read_bytes()
LINES = (SAMPLES / "sample-official.jsonl").read_text(encoding="utf-8").splitlines()


def messages() -> list[bytes]:
    found, place = [], 0
    while place < len(FRAMED):
        size = int.from_bytes(FRAMED[place : place + 4], "big")
        found.append(FRAMED[place + 4 : place + 4 + size])
        place += 4 + size
    return found


def framed(*contents: bytes) -> bytes:
    return b"".join(len(each).to_bytes(4, "big") + each for each in contents)


def spans(texts: list[str]) -> list[dict]:
    return [
        span
        for text in texts
        for origin in json.loads(text)["resourceSpans"]
        for scoped in origin["scopeSpans"]
        for span in scoped["spans"]
    ]


def refusals(data: bytes) -> tuple[list[str], list[tuple[int, str]]]:
    told: list[tuple[int, str]] = []
    found = list(otlp.records(data, lambda number, reason: told.append((number, reason))))
    return found, told


def test_messages_with_their_lengths_equal_the_json_exporters_lines():
    found = list(otlp.records(FRAMED))
    assert [json.loads(each) for each in found] == [json.loads(line) for line in LINES]


def test_a_file_is_read_like_its_bytes():
    with (SAMPLES / "sample-official.binpb").open("rb") as file:
        assert list(otlp.records(file)) == list(otlp.records(FRAMED))


def test_one_message_is_one_record():
    (found,) = otlp.records(messages()[0])
    assert json.loads(found) == json.loads(LINES[0])


def test_messages_with_nothing_between_them_are_read_as_one():
    found = list(otlp.records(b"".join(messages())))
    assert spans(found) == spans(LINES)


def test_a_document_of_traces_is_read_as_a_request():
    request = ExportTraceServiceRequest.FromString(messages()[0])
    document = TracesData(resource_spans=request.resource_spans)
    assert list(otlp.records(document.SerializeToString())) == list(otlp.records(messages()[0]))


def test_every_kind_of_value_and_member():
    request = ExportTraceServiceRequest()
    origin = request.resource_spans.add(schema_url="https://example.org/1")
    origin.resource.dropped_attributes_count = 1
    scoped = origin.scope_spans.add()
    scoped.scope.name = "example"
    span = scoped.spans.add(
        trace_id=bytes(range(16)),
        span_id=bytes(range(8)),
        parent_span_id=bytes(range(8, 16)),
        trace_state="a=b",
        start_time_unix_nano=2**63,
    )
    span.attributes.add(key="i").value.int_value = -(2**63)
    span.attributes.add(key="d").value.double_value = 0.1
    span.attributes.add(key="n").value.double_value = float("nan")
    span.attributes.add(key="m").value.double_value = float("-inf")
    span.attributes.add(key="b").value.bool_value = False
    span.attributes.add(key="y").value.bytes_value = b"\xff"
    span.attributes.add(key="a").value.array_value.values.add().string_value = "été\n"
    span.attributes.add(key="k").value.kvlist_value.values.add(key="x").value.string_value = ""
    span.attributes.add(key="0")
    span.links.add(trace_id=bytes(16), span_id=bytes(8))
    span.events.add(name="e", time_unix_nano=5)
    span.status.code = 2
    (found,) = otlp.records(request.SerializeToString())
    origin_found = json.loads(found)["resourceSpans"][0]
    assert origin_found["schemaUrl"] == "https://example.org/1"
    assert origin_found["resource"] == {"droppedAttributesCount": 1}
    (read,) = spans([found])
    assert {pair["key"]: pair["value"] for pair in read.pop("attributes")} == {
        "i": {"intValue": "-9223372036854775808"},
        "d": {"doubleValue": 0.1},
        "n": {"doubleValue": "NaN"},
        "m": {"doubleValue": "-Infinity"},
        "b": {"boolValue": False},
        "y": {"bytesValue": "/w=="},
        "a": {"arrayValue": {"values": [{"stringValue": "été\n"}]}},
        "k": {"kvlistValue": {"values": [{"key": "x", "value": {"stringValue": ""}}]}},
        "0": {},
    }
    assert read == {
        "traceId": "000102030405060708090a0b0c0d0e0f",
        "spanId": "0001020304050607",
        "parentSpanId": "08090a0b0c0d0e0f",
        "traceState": "a=b",
        "startTimeUnixNano": "9223372036854775808",
        "events": [{"timeUnixNano": "5", "name": "e"}],
        "links": [{"traceId": "00" * 16, "spanId": "00" * 8}],
        "status": {"code": 2},
    }


def test_a_record_is_one_line():
    assert not any("\n" in each for each in otlp.records(FRAMED))


@pytest.mark.parametrize("data", [b"", framed(b"")])
def test_nothing_gives_nothing(data):
    assert list(otlp.records(data)) == []


@pytest.mark.parametrize("lost", [1, 2, 3, 100])
def test_a_cut_file_gives_what_is_whole_and_then_an_error(lost):
    data = framed(*messages()[:2], messages()[2])[:-lost]
    reader = otlp.records(data)
    assert [json.loads(next(reader)) for _ in range(2)] == [json.loads(x) for x in LINES[:2]]
    with pytest.raises(DataError) as caught:
        next(reader)
    assert (caught.value.line, caught.value.reason) == (3, otlp.CUT_OFF)


def test_a_cut_message_without_a_length_gives_the_resources_that_are_whole():
    data = messages()[0] + messages()[1][:-1]
    found, told = refusals(data)
    assert spans(found[:1]) == spans(LINES[:1])
    assert told == [(2, otlp.CUT_OFF)]


def test_a_damaged_message_between_others_is_refused_alone():
    first, second, third = messages()[:3]
    damaged = second[:40] + b"\xff" * 8 + second[48:]
    found, told = refusals(framed(first, damaged, third))
    assert [bool(each) for each in found] == [True, False, True]
    assert json.loads(found[2]) == json.loads(LINES[2])
    assert told == [(2, otlp.NOT_SPANS)]


def test_the_error_names_the_file_and_the_record(tmp_path):
    path = tmp_path / "spans.binpb"
    path.write_bytes(framed(b"\x0b\x0b"))
    with path.open("rb") as file, pytest.raises(DataError, match=r"spans\.binpb, line 1: not OTLP"):
        list(otlp.records(file))


def metrics() -> bytes:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="tokens")
    metric.gauge.data_points.add(as_int=5)
    return request.SerializeToString()


def logs() -> bytes:
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add(time_unix_nano=5, trace_id=bytes(16))
    return request.SerializeToString()


@pytest.mark.parametrize("content", [metrics(), logs()])
def test_metrics_and_logs_are_no_spans(content):
    assert refusals(framed(content)) == ([""], [(1, otlp.NOT_SPANS)])


@pytest.mark.parametrize("content", [b"\xff" * 64, b"\x00" * 64, b"{" * 10, b"\x0a\xff\xff\xff"])
def test_other_bytes_are_refused(content):
    for data in (content, framed(content)):
        found, told = refusals(data)
        assert not any(found)
        assert len(told) == 1


def test_bytes_changed_anywhere_never_end_otherwise():
    whole = framed(*messages()[:2])
    for place in range(0, len(whole), 3):
        data = bytearray(whole)
        data[place] ^= 0xFF
        found, _ = refusals(bytes(data))
        assert all(json.loads(each)["resourceSpans"] for each in found if each)


def test_a_length_beyond_the_limit_is_refused_unread():
    size = otlp.LARGEST + 1
    assert refusals(size.to_bytes(4, "big") + b"\x0a") == ([""], [(1, otlp.TOO_LONG)])
    found, told = refusals(b"\x0a\xff\xff\xff\xff\x0f")
    assert (found, told) == ([""], [(1, otlp.TOO_LONG)])


def many(count: int, text: str) -> bytes:
    request = ExportTraceServiceRequest()
    scoped = request.resource_spans.add().scope_spans.add()
    scoped.scope.name = "example"
    for number in range(1, count + 1):
        span = scoped.spans.add(
            trace_id=number.to_bytes(16, "big"), span_id=number.to_bytes(8, "big")
        )
        span.attributes.add(key="text").value.string_value = text
    return request.SerializeToString()


def test_a_long_message_goes_on_in_another_record():
    data = many(1000, "x" * 3000)
    found = list(otlp.records(framed(data)))
    assert len(found) > 2
    assert max(map(len, found)) < otlp.RECORD + 4000
    assert [int(span["spanId"], 16) for span in spans(found)] == list(range(1, 1001))
    assert all(json.loads(each)["resourceSpans"][0]["scopeSpans"][0]["scope"] for each in found)


def test_memory_does_not_grow_with_the_file():
    class Endless(io.RawIOBase):
        """A message over and over again."""

        def __init__(self) -> None:
            self.place = 0

        def read(self, size: int = -1) -> bytes:
            start = self.place % len(MESSAGE)
            self.place += size
            return (MESSAGE + MESSAGE[:size])[start : start + size]

    MESSAGE = framed(many(50, "x" * 2000))
    reader = otlp.records(Endless())
    next(reader)
    tracemalloc.start()
    for _ in islice(reader, 5):
        pass
    early = tracemalloc.get_traced_memory()[1]
    for _ in islice(reader, 40):
        pass
    late = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert late < early * 1.2


@pytest.fixture
def zstd():
    return pytest.importorskip("backports.zstd", reason="zstd of older Pythons is not installed")


def test_messages_compressed_one_by_one(zstd):
    data = framed(*(zstd.compress(each) for each in messages()))
    assert list(otlp.records(data)) == list(otlp.records(FRAMED))
    lines = framed(*(zstd.compress(line.encode()) for line in LINES))
    assert [json.loads(x) for x in otlp.records(lines)] == [json.loads(x) for x in LINES]


def test_a_compressed_message_that_is_cut_corrupt_or_a_bomb(zstd, monkeypatch):
    monkeypatch.setattr(otlp, "LARGEST", 1 << 20)
    whole = zstd.compress(messages()[0])
    bomb = zstd.compress(bytes(otlp.LARGEST + 1))
    wrong = whole[:12] + b"\xff" * 20 + whole[32:]
    found, told = refusals(framed(whole[:-5], wrong, bomb, whole))
    assert told[0] == (1, otlp.CUT_OFF)
    assert told[1][1] in {otlp.NOT_ZSTD, otlp.NOT_SPANS}
    assert told[2] == (3, otlp.TOO_LONG)
    assert json.loads(found[3]) == json.loads(LINES[0])
