"""What the SDK kept of the calls, written as its exporters write it, and the rows expected."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calls import Call, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
CONSOLE = HERE.parent / "otel-console"
COLUMNS = [
    *("file", "line", "ts_start", "ts_end", "source_id", "provider"),
    *("model_requested", "model_served", "region", "project", "team", "user", "service_tier"),
    *("operation", "input_total", "cache_read", "cache_write", "output_total", "reasoning"),
    *("images_out", "latency_s", "ttft_s", "cost", "status"),
    *("input_characters", "output_characters"),
]

Batch = tuple[list[Any], list[Row]]  # spans, and the calls that they must show


class Tracing:
    """The SDK, set up as a program would, with what its spans were kept aside."""

    def __init__(self, resource: Row, own: Row | None = None) -> None:
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        class Stamp(SpanProcessor):
            def on_start(self, span: Any, parent_context: Any = None) -> None:
                span.set_attributes(own or {})

        self.kept = InMemorySpanExporter()
        # the resource of the program alone: none of this machine's
        provider = TracerProvider(resource=Resource(sdk_resource() | resource))
        provider.add_span_processor(Stamp())
        provider.add_span_processor(SimpleSpanProcessor(self.kept))
        trace.set_tracer_provider(provider)

    def run(self, calls: Iterator[Call]) -> list[Batch]:
        """The spans of each action, in the order in which they ended, and its calls' rows."""
        found = []
        for action, rows in calls:
            self.kept.clear()
            action()
            found.append((list(self.kept.get_finished_spans()), rows))
        return found


def sdk_resource() -> Row:
    from importlib.metadata import version

    return {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": version("opentelemetry-sdk"),
    }


def moment(nanoseconds: int) -> str:
    whole = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=nanoseconds // 1000)
    return whole.strftime("%Y-%m-%d %H:%M:%S.%f")


def of_span(span: Any, row: Row) -> Row:
    """A row with what only the span knows: its times, its ids and what was measured there."""
    told = dict(span.attributes)
    trace_id, span_id = f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"
    answer = told.get("gen_ai.response.id", "")
    first = ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token")
    return row | {
        "ts_start": moment(span.start_time),
        "ts_end": moment(span.end_time),
        "source_id": f"{row['provider']}/{answer}" if len(answer) >= 16 else trace_id + span_id,
        "latency_s": (span.end_time - span.start_time) / 1e9,
        "ttft_s": next((told[name] for name in first if name in told), None),
        "cost": told.get("gen_ai.usage.cost"),
    }


def call_spans(spans: Sequence[Any], rows: Sequence[Row]) -> list[Any]:
    """The spans of the model calls in order of start: of two, one in the other, the inner one."""
    models = {row["model_requested"] for row in rows}
    named = ("gen_ai.request.model", "llm.request.model_name", "llm.model_name")
    found = [
        span
        for span in spans
        if any(str(span.attributes.get(name, "")).startswith(tuple(models)) for name in named)
        or span.name in {"ChatCompletion", "CreateEmbeddings"}
    ]
    found = [s for s in found if not str(s.name).startswith("invoke_agent")]
    outer = {span.parent.span_id for span in found if span.parent}
    return sorted((s for s in found if s.context.span_id not in outer), key=lambda s: s.start_time)


def expected(file: str, batches: Sequence[Batch]) -> list[Row]:
    """The rows of a file that has one record for each batch of spans."""
    found = []
    for line, (spans, rows) in enumerate(batches, 1):
        calls = call_spans(spans, rows)
        if len(calls) != len(rows):
            raise SystemExit(f"{file}, line {line}: {len(calls)} calls instead of {len(rows)}")
        found += [
            of_span(span, row) | {"file": file, "line": line}
            for span, row in zip(calls, rows, strict=True)
        ]
    return found


def note(folder: Path, rows: Sequence[Row]) -> None:
    """Put the rows of some files into expected.csv, in the place of theirs that were there."""
    path, files = folder / "expected.csv", {row["file"] for row in rows}
    kept: list[Row] = []
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            kept = [row for row in csv.DictReader(file) if row["file"] not in files]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        ordered = sorted((*kept, *rows), key=lambda r: (r["file"], int(r["line"]), r["ts_start"]))
        writer.writerows(ordered)


def save(path: Path, text: str) -> None:
    """Write a sample; the folders of this machine, in stack traces, become neutral ones."""
    for own, neutral in ((sys.prefix, "/home/user/.venv"), (sys.base_prefix, "/usr")):
        text = text.replace(own, neutral)
    text = text.replace(str(HERE), "/home/user/project")
    path.write_text(text, encoding="utf-8")


def write_lines(name: str, batches: Sequence[Batch]) -> None:
    """Spans as the OTLP JSON file exporter, and the collector's, write them: a request a line."""
    from opentelemetry.exporter.otlp.json.file import FileSpanExporter

    stream = io.StringIO()
    exporter = FileSpanExporter(stream=stream)
    for spans, _ in batches:
        exporter.export(spans)
    save(HERE / name, stream.getvalue())


def write_protobuf(name: str, batches: Sequence[Batch]) -> None:
    """Spans as the collector's file exporter writes protobuf: a length, then a request."""
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    requests = [encode_spans(spans).SerializeToString() for spans, _ in batches]
    content = b"".join(len(each).to_bytes(4, "big") + each for each in requests)
    (HERE / name).write_bytes(content)


def write_document(name: str, batches: Sequence[Batch]) -> None:
    """All spans as one document, by protobuf's own JSON mapping, with ids in hexadecimal."""
    import base64

    from google.protobuf import json_format
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    request = json_format.MessageToDict(encode_spans([s for spans, _ in batches for s in spans]))
    for origin in request["resourceSpans"]:
        for scoped in origin["scopeSpans"]:
            for span in scoped["spans"]:
                for key in {"traceId", "spanId", "parentSpanId"} & span.keys():
                    span[key] = base64.b64decode(span[key]).hex()
    text = json.dumps(request, indent=1, ensure_ascii=False) + "\n"
    save(HERE / name, text)


def printed_times(span: Any) -> Row:
    """The times as the SDK prints them, rounded to microseconds by its own arithmetic."""
    from opentelemetry.sdk.util import ns_to_iso_str

    start, end = (
        datetime.fromisoformat(ns_to_iso_str(each)) for each in (span.start_time, span.end_time)
    )
    style = "%Y-%m-%d %H:%M:%S.%f"
    return {
        "ts_start": start.strftime(style),
        "ts_end": end.strftime(style),
        "latency_s": (end - start) / timedelta(seconds=1),
    }


def write_console(batches: Sequence[Batch], suite: str) -> None:
    """Spans as the console exporter prints them: a span a line, and over several lines."""
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter

    for name, options in (
        (f"sample-{suite}.jsonl", {"formatter": lambda span: span.to_json(indent=None) + "\n"}),
        (f"sample-{suite}-indented.txt", {}),
    ):
        stream = io.StringIO()
        printer = ConsoleSpanExporter(out=stream, **options)
        rows: list[Row] = []
        line = 1
        for spans, told in batches:
            calls = dict(zip(map(id, call_spans(spans, told)), told, strict=True))
            for span in spans:
                if id(span) in calls:
                    row = of_span(span, calls[id(span)]) | printed_times(span)
                    rows.append(row | {"file": name, "line": line})
                printer.export([span])
                line = stream.getvalue().count("\n") + 1
        save(CONSOLE / name, stream.getvalue())
        note(CONSOLE, rows)


def tell(name: str, batches: Sequence[Batch]) -> None:
    note(HERE, expected(name, batches))
