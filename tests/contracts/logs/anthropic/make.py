"""Write sample.jsonl, sample-batch.jsonl and expected.csv with the real `anthropic` client.

Needs: anthropic (made with 2.12.0); `loopback.py` of the folder `openai` beside this one.
Run: `python make.py` in this folder. Each answer is dumped as the client's own types print it;
`expected.csv` is what the loopback server was told to answer, not what our SQL reads.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from anthropic import Anthropic

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "openai"))
import loopback as stub  # noqa: E402

HEADER = (
    "source_id,provider,model_served,zone,service_tier,operation,input_total,cache_read,"
    "cache_write,output_total,reasoning,file,line"
)
SONNET, OPUS, HAIKU = "claude-sonnet-4-5-20250929", "claude-opus-4-1-20250805", "claude-haiku-4-5"


def usage(given: int, out: int, read: int = 0, hour: int = 0, minutes: int = 0) -> stub.Json:
    """A usage object; what was written to the cache is split by how long it is kept."""
    return {
        "input_tokens": given,
        "cache_creation_input_tokens": hour + minutes,
        "cache_read_input_tokens": read,
        "cache_creation": {
            "ephemeral_1h_input_tokens": hour,
            "ephemeral_5m_input_tokens": minutes,
        },
        "output_tokens": out,
        "service_tier": "standard",
    }


def iteration(kind: str, given: int, out: int, read: int = 0, **more: str) -> stub.Json:
    """One sampling of several behind one answer."""
    counts = {"input_tokens": given, "output_tokens": out, "cache_read_input_tokens": read}
    return {"type": kind, **counts, "cache_creation_input_tokens": 0, **more}


def answering(path: str, given: stub.Json) -> stub.Answer:
    """What the server says, by path and model."""
    if path.partition("?")[0].endswith("/results"):
        return 200, _batch()
    if path.endswith("/batches/msgbatch_01"):
        return 200, _batch_state()
    model = str(given.get("model"))
    if given.get("stream"):
        return 200, stub.message_stream(HAIKU, 3, usage(30, 77, read=900))
    return 200, _message(model)


def _message(model: str) -> stub.Json:
    if model == SONNET:
        known = {"inference_geo": "us", "server_tool_use": {"web_search_requests": 2}}
        return stub.message(SONNET, 1, {**usage(12, 320, 20_000, 1_000, 500), **known})
    if model == OPUS:
        thought = {"output_tokens_details": {"thinking_tokens": 600}, "service_tier": "priority"}
        return stub.message(OPUS, 2, {**usage(50, 900), **thought, "inference_geo": "global"})
    # a turn that was first compacted, and that asked an adviser of another model
    runs = [
        iteration("compaction", 9_000, 400),
        iteration("message", 100, 40, 5_000),
        iteration("advisor_message", 700, 80, model=OPUS),
        iteration("message", 150, 60, 5_100),
    ]
    return stub.message(model, 4, {**usage(250, 100, read=10_100), "iterations": runs})


def _batch_state() -> stub.Json:
    counts = dict.fromkeys(("processing", "errored", "canceled", "expired"), 0)
    return {
        "id": "msgbatch_01",
        "type": "message_batch",
        "processing_status": "ended",
        "request_counts": {**counts, "succeeded": 1},
        "created_at": "2025-11-19T11:00:00Z",
        "expires_at": "2025-11-20T11:00:00Z",
        "ended_at": "2025-11-19T12:00:00Z",
        "results_url": "/v1/messages/batches/msgbatch_01/results",
    }


def _batch() -> str:
    message = stub.message(HAIKU, 5, {**usage(200, 50, 0, 0, 128), "service_tier": "batch"})
    wrong = stub.error("invalid_request_error", "max_tokens: required")
    results = (
        {"type": "succeeded", "message": message},
        {"type": "errored", "error": {"type": "error", "error": wrong["error"]}},
        {"type": "expired"},
        {"type": "canceled"},
    )
    lines = [{"custom_id": f"task-{n}", "result": result} for n, result in enumerate(results, 1)]
    return "".join(json.dumps(line) + "\n" for line in lines)


def calls(client: Anthropic) -> list[str]:
    """One line a call, then the raw events of a stream."""
    asked: Any = {"max_tokens": 64, "messages": [{"role": "user", "content": "Bonjour ?"}]}
    create = client.messages.create
    lines = [create(model=model, **asked).model_dump_json() for model in (SONNET, OPUS)]
    with client.messages.stream(model=HAIKU, **asked) as stream:
        lines.append(stream.get_final_message().model_dump_json())
    lines.append(client.beta.messages.create(model="claude-opus-4-6", **asked).model_dump_json())
    events = create(model=HAIKU, stream=True, **asked)
    return lines + [event.model_dump_json() for event in events]


CALLS = [
    # 12 new + 20000 read from the cache + 1500 written to it
    f"msg_0001,anthropic,{SONNET},usa,standard,chat,21512,20000,1500,320,,1",
    # 600 of the 900 tokens are thinking; "global" names no place
    f"msg_0002,anthropic,{OPUS},,priority,chat,50,0,0,900,600,2",
    f"msg_0003,anthropic,{HAIKU},,standard,chat,930,900,0,77,,3",
    # the sums over its two samplings; then the compaction and the adviser, which those leave out
    "msg_0004,anthropic,claude-opus-4-6,,standard,chat,10350,10100,0,100,,4",
    "msg_0004/1,anthropic,claude-opus-4-6,,standard,chat,9000,0,0,400,,4",
    f"msg_0004/3,anthropic,{OPUS},,standard,chat,700,0,0,80,,4",
    # lines 5 to 10 are the same call as line 3, event by event: its start is the only one that
    # has an id, and its output is known at its end only
]
BATCH = [f"msg_0005,anthropic,{HAIKU},,batch,chat,328,0,128,50,,1"]


def main() -> None:
    """Write the three files."""
    with stub.serving(answering) as address:
        client = Anthropic(api_key="none", base_url=address, max_retries=0)
        lines = calls(client)
        results = [r.model_dump_json() for r in client.messages.batches.results("msgbatch_01")]
    (HERE / "sample.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (HERE / "sample-batch.jsonl").write_text("\n".join(results) + "\n", encoding="utf-8")
    rows = [HEADER]
    for name, told in (("sample-batch.jsonl", BATCH), ("sample.jsonl", CALLS)):
        for values, _, line in (row.rpartition(",") for row in told):
            rows.append(f"{values},{name},{line}")
    (HERE / "expected.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
