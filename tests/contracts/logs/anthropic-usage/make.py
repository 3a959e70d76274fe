"""Write the samples and expected.csv with the real `anthropic` client, where it has the types.

Needs: anthropic (made with 2.12.0); `loopback.py` of the folder `openai` beside this one.
Run: `python make.py` in this folder. `sample-analytics.jsonl` is what the client's own types
print; the client has no types for the Messages usage report, so `sample.json` is written after
the fields that README.md names. `expected.csv` is what the loopback server was told to answer.
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
    "ts_start,ts_end,provider,model_served,zone,project,team,user,service_tier,operation,"
    "input_total,cache_read,cache_write,output_total,n_requests,file,line"
)
SONNET, OPUS, HAIKU = "claude-sonnet-4-5-20250929", "claude-opus-4-1-20250805", "claude-haiku-4-5"
DAYS = [f"2025-11-{day}T00:00:00Z" for day in (19, 20, 21)]


def counts(fresh: int, read: int, hour: int, minutes: int, out: int, **more: object) -> stub.Json:
    """What a row counts: four disjoint kinds of input, and the output."""
    return {
        "uncached_input_tokens": fresh,
        "cache_read_input_tokens": read,
        "cache_creation": {
            "ephemeral_1h_input_tokens": hour,
            "ephemeral_5m_input_tokens": minutes,
        },
        "output_tokens": out,
        "server_tool_use": {"web_search_requests": 0},
        **more,
    }


def bucket(day: int, *results: stub.Json) -> stub.Json:
    """A day of usage."""
    bounds = {"starting_at": DAYS[day], "ending_at": DAYS[day + 1]}
    return {**bounds, "results": list(results)}


def page(*data: stub.Json) -> stub.Json:
    """A page of rows or buckets."""
    return {"data": list(data), "has_more": False, "next_page": None}


KEYS = {"api_key_id": "apikey_1", "context_window": "0-200k"}
PRODUCTION = {**KEYS, "workspace_id": "wrkspc_1", "service_tier": "standard"}
MESSAGES = page(
    bucket(
        0,
        {
            **counts(12_000, 4_000_000, 30_000, 20_000, 90_000),
            **PRODUCTION,
            "model": SONNET,
            "inference_geo": "us",
        },
        {
            **counts(5_000_000, 0, 0, 0, 700_000),
            **PRODUCTION,
            "workspace_id": None,
            "service_tier": "batch",
            "model": HAIKU,
            "inference_geo": "global",
        },
    ),
    bucket(
        1,
        {
            **counts(800, 0, 0, 0, 60),
            **PRODUCTION,
            "model": OPUS,
            "inference_geo": "not_available",
        },
    ),
)
REPORT = page(
    bucket(
        0,
        {
            **counts(700, 9_000, 0, 300, 400, requests=25),
            "model": SONNET,
            "product": "claude_code",
            "inference_geo": "us",
        },
        # code execution: spans, no model
        {**counts(0, 0, 0, 0, 0, requests=6), "product": None, "model": None},
    ),
    bucket(1),  # a day without use
)
USAGE = page(
    {
        "starting_at": DAYS[0],
        "ending_at": DAYS[1],
        "group": {
            "model": OPUS,
            "workspace_id": "wrkspc_1",
            "service_tier": "flex",
            "actor": {"type": "api_actor", "api_key_id": "apikey_1"},
        },
        "usage": counts(100, 50, 20, 10, 80, requests=4, total_tokens=260),
    },
)
USERS = page(
    {
        "starting_at": DAYS[0],
        "ending_at": DAYS[1],
        "model": HAIKU,
        "rbac_group_id": "rbac_group_1",
        "actor": {
            "type": "user_actor",
            "deleted": False,
            "user_id": "user_1",
            "name": "Anonymous",
            "email_address": None,
        },
        **counts(1_000, 0, 0, 0, 500, requests=2, total_tokens=1_500),
    },
)
ANSWERS = {"usage_report": REPORT, "usage": USAGE, "user_usage_report": USERS}


def answering(path: str, given: stub.Json) -> stub.Answer:
    """What the server says, by path."""
    return 200, ANSWERS[path.partition("?")[0].rpartition("/")[2]]


def reports(client: Anthropic) -> list[str]:
    """A page, then rows or buckets, one a line, as the client's types print them."""
    analytics = client.beta.organization.analytics
    when: Any = {"starting_at": DAYS[0], "ending_at": DAYS[2]}
    lines = [analytics.usage_report.list(**when, bucket_width="1d").model_dump_json()]
    rows: Any = [*analytics.usage.list(**when), *analytics.user_usage_report.list(**when)]
    return lines + [row.model_dump_json() for row in rows]


FIRST = "2025-11-19 00:00:00,2025-11-20 00:00:00,anthropic"
SECOND = "2025-11-20 00:00:00,2025-11-21 00:00:00,anthropic"
ROWS = "sample-analytics.jsonl"
EXPECTED = [
    # 700 + 9000 read + 300 written; the row of code execution is no call
    f"{FIRST},{SONNET},usa,,,,,chat,10000,9000,300,400,25,{ROWS},1",
    f"{FIRST},{OPUS},,wrkspc_1,,apikey_1,flex,chat,180,50,30,80,4,{ROWS},2",
    f"{FIRST},{HAIKU},,,rbac_group_1,user_1,,chat,1000,0,0,500,2,{ROWS},3",
    # 12000 + 4000000 read + 50000 written; the number of requests is not told
    f"{FIRST},{SONNET},usa,wrkspc_1,,,standard,chat,4062000,4000000,50000,90000,,sample.json,1",
    f"{FIRST},{HAIKU},,,,,batch,chat,5000000,0,0,700000,,sample.json,1",
    f"{SECOND},{OPUS},,wrkspc_1,,,standard,chat,800,0,0,60,,sample.json,1",
]


def main() -> None:
    """Write the three files."""
    with stub.serving(answering) as address:
        client = Anthropic(api_key="none", base_url=address, max_retries=0)
        lines = reports(client)
    (HERE / "sample-analytics.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (HERE / "sample.json").write_text(json.dumps(MESSAGES, indent=1) + "\n", encoding="utf-8")
    rows = [HEADER, *EXPECTED]
    (HERE / "expected.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
