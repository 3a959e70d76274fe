"""The logs under examples/: one month of made-up calls, in the forms in which tools write logs.

    python tools/examples.py --write    write them again
    python tools/examples.py --check    exit 1 when a file holds anything else

Each record has the fields that the samples under tests/contracts/logs/ have; the token counts,
times and names come from a stream of random numbers that starts at the same place every time.
There is no text of a prompt or of an answer in them.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import math
import random
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from kilowhat.ledger.engine import opened, quoted

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
START = datetime(2025, 10, 1, tzinfo=UTC)
DAYS = 31
BY_HOUR = (0, 0, 0, 0, 0, 0, 1, 3, 7, 9, 9, 8, 5, 7, 9, 9, 8, 6, 3, 2, 1, 1, 0, 0)
BY_WEEKDAY = (9, 10, 10, 9, 8, 1, 1)
LEFT_OUT = "(left out)"


class Length(NamedTuple):
    """Lengths of calls: the median and how far they spread, as a standard deviation of the log."""

    median: float
    spread: float


class Stream:
    """Random choices; only the one method that gives the same numbers in every Python."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._random = random.Random(name).random
        self._count = 0

    def share(self) -> float:
        return self._random()

    def among(self, weights: tuple[float, ...]) -> int:
        """The place of one of several weights."""
        mark = self.share() * sum(weights)
        for place, weight in enumerate(weights):
            mark -= weight
            if mark < 0:
                return place
        return len(weights) - 1

    def length(self, wanted: Length) -> int:
        first, second = 1.0 - self.share(), self.share()
        normal = math.sqrt(-2 * math.log(first)) * math.cos(2 * math.pi * second)
        return max(1, round(wanted.median * math.exp(wanted.spread * normal)))

    def moment(self) -> datetime:
        """A moment of the month: working days and working hours for the most part."""
        days = tuple(float(BY_WEEKDAY[(START + timedelta(d)).weekday()]) for d in range(DAYS))
        day, hour = self.among(days), self.among(tuple(map(float, BY_HOUR)))
        return START + timedelta(days=day, hours=hour, milliseconds=int(3_600_000 * self.share()))

    def moments(self, count: int) -> list[datetime]:
        return sorted(self.moment() for _ in range(count))

    def identity(self, size: int = 32) -> str:
        """Hexadecimal digits that no other record has."""
        self._count += 1
        return hashlib.sha256(f"{self.name}/{self._count}".encode()).hexdigest()[:size]

    def uuid(self) -> str:
        text = self.identity()
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _lines(records: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in records).encode()


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# A coding agent's session

SONNET = "claude-sonnet-4-5-20250929"


def claude_code() -> bytes:
    """Two sessions: messages on one or two lines each, each longer than the one before."""
    stream = Stream("claude-code")
    records: list[dict[str, Any]] = []
    for day in (7, 21):
        when = START + timedelta(days=day, hours=8, minutes=12)
        session, cached = stream.uuid(), 0
        for _ in range(22):
            when += timedelta(seconds=20 + 400 * stream.share())
            written = stream.length(Length(900, 0.8)) if cached else 14_000
            told = _entry(stream, session, when, "user")
            records.append(told | {"message": {"role": "user", "content": LEFT_OUT}})
            when += timedelta(seconds=2 + 20 * stream.share())
            records += _answer(
                stream, session, when, (3 + stream.among((1, 1, 1)), cached, written)
            )
            cached += written
    return _lines(records)


def _entry(stream: Stream, session: str, when: datetime, kind: str) -> dict[str, Any]:
    return {
        "parentUuid": None, "isSidechain": False, "type": kind, "uuid": stream.uuid(),
        "timestamp": _iso(when), "userType": "external", "cwd": "/home/user/parser",
        "sessionId": session, "version": "2.0.14", "gitBranch": "main",
    }  # fmt: skip


def _answer(
    stream: Stream, session: str, when: datetime, tokens: tuple[int, int, int]
) -> list[dict[str, Any]]:
    fresh, cached, written = tokens
    used = {
        "input_tokens": fresh, "cache_creation_input_tokens": written,
        "cache_read_input_tokens": cached, "output_tokens": stream.length(Length(350, 0.9)),
        "service_tier": "standard", "inference_geo": "us",
    }  # fmt: skip
    message = {
        "id": f"msg_{stream.identity(24)}", "type": "message", "role": "assistant",
        "model": SONNET, "content": [{"type": "text", "text": LEFT_OUT}], "usage": used,
    }  # fmt: skip
    request = f"req_{stream.identity(24)}"
    lines = 1 + stream.among((1, 1))  # a message with a tool call stands on a line of its own again
    return [
        _entry(stream, session, when, "assistant") | {"message": message, "requestId": request}
        for _ in range(lines)
    ]


# Traces


class Traced(NamedTuple):
    """A service whose calls are traced."""

    service: str
    team: str
    provider: str
    asked: str
    answered: str
    cloud: tuple[str, str]
    asks: Length
    answers: Length
    weight: float


TRACED = (
    Traced("support-bot", "support", "openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18",
           ("gcp", "europe-west9"), Length(1500, 0.6), Length(180, 0.6), 5),
    Traced("support-bot", "support", "vllm", "house-chat", "house-chat",
           ("", ""), Length(1100, 0.6), Length(220, 0.6), 4),
    Traced("triage", "support", "azure.ai.openai", "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14",
           ("azure", "swedencentral"), Length(700, 0.5), Length(60, 0.5), 3),
)  # fmt: skip


def traces() -> bytes:
    """Spans of model calls, as the collector's file exporter writes them: a batch a line."""
    stream = Stream("traces")
    chosen = [
        (when, TRACED[stream.among(tuple(each.weight for each in TRACED))])
        for when in stream.moments(180)
    ]
    return _lines([_batch(stream, when, each) for when, each in chosen])


def _attributes(values: dict[str, str | int]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(v)} if isinstance(v, int) else {"stringValue": v}}
        for key, v in values.items()
    ]


def _batch(stream: Stream, when: datetime, each: Traced) -> dict[str, Any]:
    asks, answers = stream.length(each.asks), stream.length(each.answers)
    cached = asks // 128 * 128 if asks > 1024 and stream.share() < 0.5 else 0
    begin = int(when.timestamp() * 1000) * 1_000_000
    told: dict[str, str | int] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": each.provider,
        "gen_ai.request.model": each.asked,
        "gen_ai.response.model": each.answered,
        "gen_ai.response.id": f"chatcmpl-{stream.identity(24)}",
        "gen_ai.usage.input_tokens": asks,
        "gen_ai.usage.output_tokens": answers,
        "user.id": f"user-{1 + stream.among((5, 4, 3, 2, 1))}",
    }
    if cached:
        told["gen_ai.usage.cache_read.input_tokens"] = cached
    origin = {"service.name": each.service, "team": each.team}
    if each.cloud[0]:
        origin |= {"cloud.provider": each.cloud[0], "cloud.region": each.cloud[1]}
    span = {
        "traceId": stream.identity(32), "spanId": stream.identity(16), "kind": 3,
        "name": f"chat {each.asked}", "startTimeUnixNano": str(begin),
        "endTimeUnixNano": str(begin + 400_000_000 + 12_000_000 * answers),
        "attributes": _attributes(told), "status": {},
    }  # fmt: skip
    spans = {"scope": {"name": "opentelemetry.instrumentation.genai.openai"}, "spans": [span]}
    return {"resourceSpans": [
        {"resource": {"attributes": _attributes(dict(origin))}, "scopeSpans": [spans]}
    ]}  # fmt: skip


# A gateway's table

COLUMNS = (
    "request_id", "call_type", "spend", "total_tokens", "prompt_tokens", "completion_tokens",
    "startTime", "endTime", "model", "model_group", "custom_llm_provider", "api_base", "user",
    "metadata", "cache_hit", "team_id", "end_user", "messages", "response", "status",
    "request_duration_ms",
)  # fmt: skip


class Routed(NamedTuple):
    """What a gateway's group of models stands for."""

    group: str
    provider: str
    model: str
    address: str
    team: str
    project: str
    asks: Length
    answers: Length
    weight: float
    call_type: str = "acompletion"


ROUTED = (
    Routed("writer", "anthropic", "anthropic/claude-haiku-4-5-20251001", "https://api.anthropic.com",
           "search", "answers", Length(2600, 0.7), Length(420, 0.6), 4),
    Routed("reader", "bedrock", "bedrock/mistral.mistral-large-2407-v1:0",
           "https://bedrock-runtime.eu-west-3.amazonaws.com", "search", "summaries",
           Length(5200, 0.5), Length(380, 0.5), 3),
    Routed("quick", "vertex_ai", "vertex_ai/gemini-2.5-flash",
           "https://europe-west9-aiplatform.googleapis.com", "search", "answers",
           Length(900, 0.6), Length(150, 0.6), 3),
    Routed("thinker", "openai", "openai/gpt-5", "https://api.openai.com/v1", "research",
           "reports", Length(1800, 0.8), Length(1900, 0.7), 2),
    Routed("finder", "openai", "openai/text-embedding-3-small", "https://api.openai.com/v1",
           "search", "answers", Length(300, 0.5), Length(1, 0.0), 0.5, "aembedding"),
)  # fmt: skip


def gateway() -> bytes:
    """The table LiteLLM_SpendLogs as a database exports it, without its columns of text."""
    stream = Stream("gateway")
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for when in stream.moments(150):
        each = ROUTED[stream.among(tuple(each.weight for each in ROUTED))]
        writer.writerow(_spent(stream, when, each))
    return text.getvalue().encode()


def _spent(stream: Stream, when: datetime, each: Routed) -> dict[str, Any]:
    asks, answers = stream.length(each.asks), stream.length(each.answers)
    if each.call_type == "aembedding":
        answers = 0
    cached = asks * 2 // 3 if each.provider == "anthropic" and stream.share() < 0.6 else 0
    thought = answers * 3 // 5 if each.group == "thinker" else 0
    took = 300 + 11 * answers
    used = {
        "prompt_tokens": asks, "completion_tokens": answers, "total_tokens": asks + answers,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }  # fmt: skip
    about = {
        "usage_object": used, "user_api_key_team_alias": each.team,
        "user_api_key_project_alias": each.project,
    }  # fmt: skip
    empty = dict.fromkeys(("end_user", "team_id"), "") | {"messages": "{}", "response": "{}"}
    return empty | {
        "request_id": f"chatcmpl-{stream.uuid()}", "call_type": each.call_type,
        "spend": 0, "total_tokens": asks + answers, "prompt_tokens": asks,
        "completion_tokens": answers, "startTime": _plain(when),
        "endTime": _plain(when + timedelta(milliseconds=took)), "model": each.model,
        "model_group": each.group, "custom_llm_provider": each.provider,
        "api_base": each.address, "user": f"user-{6 + stream.among((3, 2, 1))}",
        "metadata": json.dumps(about), "cache_hit": "None", "status": "success",
        "request_duration_ms": took,
    }  # fmt: skip


def _plain(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


# A provider's report


def openai_usage() -> bytes:
    """A page of the report of usage, by day, model and project."""
    stream = Stream("openai-usage")
    days = [START + timedelta(days=day) for day in range(DAYS)]
    data = []
    for day in days:
        results = []
        if day.weekday() < 5:
            results.append(_used(stream, "gpt-4o-2024-08-06", "proj_assistant", 6, batch=False))
        if day.weekday() == 5:  # the week's documents, at night
            results.append(_used(stream, "gpt-4o-mini-2024-07-18", "proj_archive", 12, batch=True))
        begin = int(day.timestamp())
        data.append({"object": "bucket", "start_time": begin, "end_time": begin + 86_400,
                     "results": results})  # fmt: skip
    page = {"object": "page", "has_more": False, "next_page": None, "data": data}
    return (json.dumps(page, indent=1) + "\n").encode()


def _used(stream: Stream, model: str, project: str, most: int, *, batch: bool) -> dict[str, Any]:
    calls = most // 2 + stream.among((1.0,) * most)
    asks = sum(stream.length(Length(1600, 0.6)) for _ in range(calls))
    answers = sum(stream.length(Length(380, 0.6)) for _ in range(calls))
    cached = asks // 5
    return {
        "object": "organization.usage.completions.result", "num_model_requests": calls,
        "input_tokens": asks, "input_cached_tokens": cached, "input_cache_write_tokens": 0,
        "input_uncached_tokens": asks - cached, "output_tokens": answers, "project_id": project,
        "user_id": None, "api_key_id": None, "model": model, "batch": batch,
        "service_tier": None if batch else "default",
    }  # fmt: skip


# A table of one's own


def table(path: Path) -> None:
    """A Parquet table of a warehouse, whose columns have telling names."""
    stream = Stream("table")
    rows = [_row(stream, when) for when in stream.moments(90)]
    values = ",\n".join(f"({', '.join(row)})" for row in rows)
    with opened(threads=1) as engine:
        engine.run(
            "CREATE TABLE own AS FROM (VALUES " + values + ") AS _(request_id, created_at, vendor, "
            "model_name, prompt_tokens, completion_tokens, team, project, end_user)"
        )
        engine.run(f"COPY own TO {quoted(str(path))} (FORMAT parquet, COMPRESSION zstd)")


def _row(stream: Stream, when: datetime) -> tuple[str, ...]:
    place = stream.among((5, 2))
    vendor, model = (("mistral", "mistral-small-2506"), ("self", "lab-moe-30b-a3b"))[place]
    return (
        quoted(stream.uuid()), f"TIMESTAMP '{_plain(when)}'", quoted(vendor), quoted(model),
        str(stream.length(Length(2200, 0.7))), str(stream.length(Length(600, 0.7))),
        quoted("research"), quoted(("reports", "protein-notes")[place]),
        quoted(f"user-{9 + stream.among((2, 1))}"),
    )  # fmt: skip


def foreign() -> bytes:
    """A table whose columns have names of their own, for which a mapping file is needed."""
    stream = Stream("foreign")
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("call", "at_ms", "llm", "tok_in", "tok_out", "took_ms", "unit"))
    for when in stream.moments(40):
        answers = stream.length(Length(250, 0.6))
        writer.writerow((
            stream.identity(12), int(when.timestamp() * 1000),
            ("prod-assistant", "prod-draft-v2")[stream.among((3, 1))],
            stream.length(Length(1300, 0.6)), answers, 250 + 9 * answers,
            ("sales", "legal")[stream.among((2, 1))],
        ))  # fmt: skip
    return text.getvalue().encode()


FILES = {
    "logs/claude-code.jsonl": claude_code,
    "logs/traces.jsonl.gz": traces,
    "logs/gateway.csv": gateway,
    "logs/openai-usage.json": openai_usage,
    "own_table.csv": foreign,
}
PARQUET = "logs/warehouse.parquet"


def content(path: Path) -> object:
    """What a file holds, whatever compresses it and whichever version of a library wrote it."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    if path.suffix == ".parquet":
        with opened(threads=1) as engine:
            relation = f"SELECT * FROM read_parquet({quoted(str(path))})"
            return engine.names(relation), engine.rows(relation)
    return path.read_bytes()


def write(folder: Path) -> list[Path]:
    """Write every file; where they are."""
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        made = make()
        if name.endswith(".gz"):
            made = gzip.compress(made, 9, mtime=0)
        (folder / name).write_bytes(made)
    table(folder / PARQUET)
    return [folder / name for name in (*FILES, PARQUET)]


def differing() -> list[str]:
    """The files of which the repository holds anything else than would be written."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        names = [str(path.relative_to(folder)) for path in write(folder)]
        return [
            name
            for name in names
            if not (EXAMPLES / name).is_file() or content(EXAMPLES / name) != content(folder / name)
        ]


def main(arguments: list[str]) -> int:
    if arguments == ["--write"]:
        for path in write(EXAMPLES):
            print(f"{path.relative_to(EXAMPLES.parent)}: {path.stat().st_size} bytes")
        return 0
    if arguments == ["--check"]:
        found = differing()
        print("\n".join(f"{name} differs: python tools/examples.py --write" for name in found))
        return 1 if found else 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
