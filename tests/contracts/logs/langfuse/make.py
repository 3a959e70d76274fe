"""Write the samples and expected.csv with Langfuse's own types and its own reading of usage.

Needs: langfuse (made with 5.0.4), langchain (its handler imports it). Run: `python make.py` in
this folder. Records are printed by the type of the observations API (v2), by their names on the
wire; the usage of the cases through LangChain is computed by the SDK's handler.
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from langfuse.api.commons.types.observation_v2 import ObservationV2
from langfuse.langchain.CallbackHandler import _parse_usage_model

HERE = Path(__file__).parent
START = datetime(2025, 11, 19, 11, 0, 0, tzinfo=UTC)
SONNET = "claude-sonnet-4-5-20250929"
Json = dict[str, Any]


def with_total(usage: Json) -> Json:
    """Usage as Langfuse stores it: with the sum of its kinds where no total was sent."""
    return usage if "total" in usage else {**usage, "total": sum(usage.values())}


def observation(number: int, kind: str, model: str | None, usage: Json, **more: Any) -> Json:
    """An observation as the API prints it."""
    begun = START + timedelta(seconds=number)
    made = ObservationV2(
        id=f"observation-{number}",
        trace_id=f"trace-{number}",
        start_time=begun,
        end_time=begun + timedelta(seconds=2),
        project_id="project-1",
        parent_observation_id=None,
        type=kind,
        level=more.pop("level", "DEFAULT"),
        environment="production",
        user_id="user-1",
        model=model,
        usage_details=usage,
        latency=2.0,
        **more,
    )
    return json.loads(made.model_dump_json(by_alias=True))


def langchain(usage: Json) -> Json:
    """The usage that the SDK's handler makes of LangChain's."""
    return with_total(_parse_usage_model(usage))


def observations() -> list[Json]:
    """The cases, in order."""
    # LangChain's usage of Anthropic: its input holds what was read from the cache and written
    anthropic = langchain(
        {
            "input_tokens": 21_512,
            "output_tokens": 320,
            "total_tokens": 21_832,
            "input_token_details": {"cache_read": 20_000, "cache_creation": 1_500},
        }
    )
    openai = langchain(
        {
            "input_tokens": 1_500,
            "output_tokens": 1_200,
            "total_tokens": 2_700,
            "input_token_details": {"cache_read": 1_024, "audio": 100},
            "output_token_details": {"reasoning": 900, "audio": 0},
        }
    )
    # LiteLLM's logger takes off what was read from the cache, not what was written to it
    litellm = {
        "input": 1_512,
        "output": 320,
        "total": 21_832,
        "cache_creation_input_tokens": 1_500,
        "cache_read_input_tokens": 20_000,
    }
    # sent by hand: details that are parts of input and of output
    by_hand = {
        "input": 1_000,
        "output": 500,
        "total": 1_500,
        "input_cached_tokens": 600,
        "output_reasoning_tokens": 400,
    }
    # sent without a total, as Anthropic counts: Langfuse adds up the kinds
    summed = with_total({"input": 12, "output": 320, "cache_read_input_tokens": 20_000})
    flex = {"service_tier": "flex"}
    return [
        observation(1, "GENERATION", SONNET, anthropic, total_cost=0.02),
        observation(2, "GENERATION", "gpt-4o-audio-preview", openai, time_to_first_token=0.4),
        observation(3, "GENERATION", SONNET, litellm),
        observation(4, "GENERATION", "o4-mini", by_hand, model_parameters=flex),
        observation(5, "GENERATION", SONNET, summed),
        observation(6, "SPAN", None, {}),
        observation(7, "TOOL", None, {}),
        observation(8, "EMBEDDING", "text-embedding-3-small", with_total({"input": 37})),
        observation(9, "GENERATION", "gpt-4o", {}, level="ERROR", status_message="429"),
        observation(10, "GENERATION", "mistral-large-latest", {}),
    ]


# the earlier API's `usage`, one amount each way with its unit (see README.md)
EARLIER = [
    {"model": "gpt-4o", "usage": {"input": 50, "output": 20, "total": 70, "unit": "TOKENS"}},
    {"model": "text-bison", "usage": {"input": 400, "output": 90, "unit": "CHARACTERS"}},
    {"model": "gpt-4", "promptTokens": 60, "completionTokens": 30},
    {"model": "gpt-4o", "usageDetails": "{not JSON"},
]


def earlier() -> list[Json]:
    """Observations with the fields of the earlier API."""
    base: Json = {"traceId": "trace", "type": "GENERATION", "parentObservationId": None}
    times = {"startTime": "2025-11-19T12:00:00.000Z", "endTime": "2025-11-19T12:00:01.000Z"}
    return [{"id": f"old-{n}", **base, **times, **each} for n, each in enumerate(EARLIER, 1)]


HEADER = (
    "ts_start,ts_end,source_id,model_served,project,user,service_tier,operation,input_total,"
    "cache_read,cache_write,output_total,reasoning,input_characters,output_characters,latency_s,"
    "ttft_s,cost,status,file,line"
)
WHO = "project-1,user-1"
BAD = -9223372036854775807  # a number that could not be read
EXPECTED = {
    1: f"{SONNET},{WHO},,chat,21512,20000,1500,320,,,,2,,0.02,",
    2: f"gpt-4o-audio-preview,{WHO},,chat,1500,1024,,1200,900,,,2,0.4,,",
    3: f"{SONNET},{WHO},,chat,21512,20000,1500,320,,,,2,,,",
    4: f"o4-mini,{WHO},flex,chat,1000,600,,500,400,,,2,,,",
    5: f"{SONNET},{WHO},,chat,20012,20000,,320,,,,2,,,",
    8: f"text-embedding-3-small,{WHO},,embeddings,37,,,0,,,,2,,,",
    9: f"gpt-4o,{WHO},,chat,,,,,,,,2,,,error",
    10: f"mistral-large-latest,{WHO},,chat,,,,,,,,2,,,",
}
EARLIER_EXPECTED = [
    "gpt-4o,,,,chat,50,,,20,,,,,,,",
    "text-bison,,,,chat,,,,,,400,90,,,,",
    "gpt-4,,,,chat,60,,,30,,,,,,,",
    f"gpt-4o,,,,chat,{BAD},,,,,,,,,,",
]


def expected() -> list[str]:
    """The canonical rows, by file and line."""
    noon = "2025-11-19 12:00:00,2025-11-19 12:00:01"
    rows = [
        f"{noon},old-{line},{said},sample-earlier.jsonl,{line}"
        for line, said in enumerate(EARLIER_EXPECTED, 1)
    ]
    for file in ("sample.csv", "sample.jsonl"):
        for line, said in EXPECTED.items():
            begun = START + timedelta(seconds=line)
            bounds = [f"{t:%Y-%m-%d %H:%M:%S}" for t in (begun, begun + timedelta(seconds=2))]
            rows.append(f"{','.join(bounds)},observation-{line},{said},{file},{line}")
    return rows


def main() -> None:
    """Write the four files."""
    rows = observations()
    for name, records in (("sample.jsonl", rows), ("sample-earlier.jsonl", earlier())):
        text = "".join(json.dumps(each) + "\n" for each in records)
        (HERE / name).write_text(text, encoding="utf-8")
    with (HERE / "sample.csv").open("w", encoding="utf-8", newline="") as file:
        columns = list(dict.fromkeys(key for row in rows for key in row))
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            cells = {k: json.dumps(v) if isinstance(v, dict) else v for k, v in row.items()}
            writer.writerow(cells)
    text = "\n".join([HEADER, *expected()]) + "\n"
    (HERE / "expected.csv").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
