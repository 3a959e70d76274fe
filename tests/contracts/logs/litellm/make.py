"""Write the samples of `litellm` and `litellm-payload` with the real LiteLLM.

Needs: litellm[proxy] (made with 1.106.2), duckdb; `loopback.py` of the folder `openai` beside
this one; `psql` and an empty PostgreSQL database that libpq's variables (PGHOST, PGPORT, PGUSER,
PGDATABASE) name. Run: `python make.py` in this folder.

A router calls the loopback server; a custom logger keeps what LiteLLM gives to loggers, the
StandardLoggingPayload, and makes of it, by the proxy's own function, the row of its table
LiteLLM_SpendLogs. The table itself is made by the proxy's migrations and exported by PostgreSQL.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm
import litellm_proxy_extras
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy._types import SpendLogsMetadataFields
from litellm.proxy.spend_tracking.spend_tracking_utils import (
    get_logging_payload,
    spend_log_row_with_retained_metadata,
)

HERE = Path(__file__).parent
PAYLOADS = HERE.parent / "litellm-payload"
sys.path.insert(0, str(HERE.parent / "openai"))
import loopback as stub  # noqa: E402

SONNET = "claude-sonnet-4-5-20250929"
ANTHROPIC_USAGE = {
    "input_tokens": 12,
    "cache_creation_input_tokens": 1_500,
    "cache_read_input_tokens": 20_000,
    "output_tokens": 320,
    "service_tier": "standard",
    "inference_geo": "us",
}
LEFT_OUT = SpendLogsMetadataFields(exclude=("model_map_information",))
ASKED = [{"role": "user", "content": "Bonjour ?"}]
WHO = {
    "user_api_key_user_id": "user-1",
    "user_api_key_team_id": "team-1",
    "user_api_key_team_alias": "search",
    "user_api_key_project_id": "project-1",
    "user_api_key_project_alias": "assistant",
}


def answering(path: str, given: stub.Json) -> stub.Answer:
    """What the server says, by path and model."""
    model = str(given.get("model"))
    if path.endswith("/messages"):
        if given.get("stream"):
            return 200, stub.message_stream(SONNET, 31, ANTHROPIC_USAGE)
        return 200, stub.message(SONNET, 30, ANTHROPIC_USAGE)
    if path.endswith("/responses"):
        return 200, stub.response("gpt-5-2025-08-07", 10, (2000, 800, 1536, 300, 512), "priority")
    if path.endswith("/embeddings"):
        return 200, stub.embeddings(model, 37)
    if path.endswith("/images/generations"):
        return 200, stub.images(2, 40, 0, 544)
    if model == "gpt-4.1":
        return 429, stub.error("rate_limit_exceeded", "Slow down.")
    if model == "gpt-4o-mini" and not given.get("stream"):
        return 200, stub.chat("gpt-4o-mini-2024-07-18", 5, stub.chat_usage(70, 30))
    if given.get("stream"):
        return 200, stub.chat_stream(
            "gpt-4o-mini-2024-07-18", 3, stub.chat_usage(900, 210, 640), True
        )
    if model == "o4-mini":
        return 200, stub.chat(
            "o4-mini-2025-04-16", 2, stub.chat_usage(150, 1200, thought=1024), "flex"
        )
    return 200, stub.chat("gpt-4o-2024-08-06", 1, stub.chat_usage(1500, 320, 1024, 256))


def router(address: str, caching: bool = False) -> litellm.Router:
    """A router whose groups are named as a team would name them."""
    groups = {
        "assistant": "openai/gpt-4o",
        "thinker": "openai/o4-mini",
        "quick": "openai/gpt-4o-mini",
        "writer": f"anthropic/{SONNET}",
        "busy": "openai/gpt-4.1",
        "search": "openai/text-embedding-3-small",
        "artist": "openai/gpt-image-1",
        "agent": "openai/gpt-5",
    }
    deployments = [
        {
            "model_name": name,
            "litellm_params": {
                "model": model,
                "api_key": "none",
                "api_base": address if model.startswith("anthropic") else f"{address}/v1",
            },
            "model_info": {"id": f"deployment-{name}"},
        }
        for name, model in groups.items()
    ]
    return litellm.Router(model_list=deployments, num_retries=0, cache_responses=caching)


class Keeper(CustomLogger):
    """Keeps the payload of each call, and its row of the table."""

    def __init__(self) -> None:
        super().__init__()
        self.payloads: list[Any] = []
        self.rows: list[Any] = []

    def _keep(self, kwargs: Any, answer: Any, start: Any, end: Any) -> None:
        payload = kwargs["standard_logging_object"]
        if payload["status"] == "failure":  # what the proxy's hook of failures does
            payload["error_information"]["traceback"] = ""  # it would name this machine's folders
            known = kwargs["litellm_params"].setdefault("metadata", {})
            known.update(status="failure", error_information=payload["error_information"])
            kwargs = {key: value for key, value in kwargs.items() if value is not None}
        self.payloads.append(json.loads(json.dumps(payload, default=str)))
        row = get_logging_payload(kwargs, answer, start, end)
        # as with `spend_logs_metadata_fields: {exclude: [model_map_information]}` in its settings
        self.rows.append(spend_log_row_with_retained_metadata(row, LEFT_OUT))

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self._keep(kwargs, response_obj, start_time, end_time)

    async def async_log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self._keep(kwargs, response_obj, start_time, end_time)


async def settled(keeper: Keeper, number: int) -> None:
    """Wait until so many calls were logged: LiteLLM logs in the background."""
    for _ in range(500):
        if len(keeper.payloads) >= number:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(f"{len(keeper.payloads)} of {number} calls were logged")


async def calls(address: str, keeper: Keeper) -> None:
    """One call after the other, so that their order in the log is known."""
    each = router(address)
    more: Any = {"metadata": {**WHO, "tags": ["production"]}, "user": "customer-7"}
    plain: Any = {"messages": ASKED, **more}
    number = 0

    async def logged() -> None:
        nonlocal number
        number += 1
        await settled(keeper, number)

    await each.acompletion(model="assistant", **plain)
    await logged()
    await each.acompletion(model="thinker", **plain)
    await logged()
    options: Any = {"stream": True, "stream_options": {"include_usage": True}}
    async for _ in await each.acompletion(model="quick", **plain, **options):
        pass
    await logged()
    await each.acompletion(model="writer", max_tokens=64, **plain)
    await logged()
    async for _ in await each.acompletion(model="writer", max_tokens=64, stream=True, **plain):
        pass
    await logged()
    caching = router(address, caching=True)
    for _ in range(2):  # the second answer is the cache's
        await caching.acompletion(model="quick", **plain)
        await logged()
    litellm.cache = None
    await each.aembedding(model="search", input=["Bonjour"], **more)
    await logged()
    await each.aimage_generation(model="artist", prompt="Un chat", n=2, **more)
    await logged()
    # the proxy gives these two routes its metadata under this other name
    elsewhere: Any = {"litellm_metadata": more["metadata"]}
    await each.aresponses(model="agent", input="Bonjour ?", **elsewhere)
    await logged()
    await each.aanthropic_messages(model="writer", max_tokens=64, messages=ASKED, **elsewhere)
    await logged()
    try:
        await each.acompletion(model="busy", **plain)
    except litellm.RateLimitError:
        await logged()


def sql(text: str, **more: Any) -> str:
    """What `psql` prints."""
    done = subprocess.run(
        ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1"],
        input=text,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PGTZ": "UTC", "PGOPTIONS": "-c client_min_messages=warning"},
        **more,
    )
    return done.stdout


def stored(rows: list[Any]) -> None:
    """Put the rows into the proxy's own table."""
    folder = Path(litellm_proxy_extras.__file__).parent / "migrations"
    sql(";\n".join(p.read_text("utf-8") for p in sorted(folder.glob("*/migration.sql"))) + ";")
    columns = sql(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = 'LiteLLM_SpendLogs' ORDER BY ordinal_position"
    ).split()
    for row in rows:
        known = {key: value for key, value in row.items() if key in columns}
        document = json.dumps(
            {key: nested(key, value) for key, value in known.items()}, default=str
        )
        names = ", ".join(f'"{key}"' for key in known)
        sql(
            f'INSERT INTO "LiteLLM_SpendLogs" ({names}) SELECT {names} FROM '
            f'json_populate_record(NULL::"LiteLLM_SpendLogs", $row${document}$row$::json);'
        )


def nested(key: str, value: Any) -> Any:
    """A value as the table keeps it: JSON columns get JSON, not text of it."""
    documents = ("metadata", "request_tags", "messages", "response", "proxy_server_request")
    return json.loads(value) if key in documents and isinstance(value, str) else value


HEADER = (
    "ts_start,ts_end,source_id,provider,model_requested,model_served,zone,region,project,team,user,"
    "service_tier,operation,input_total,cache_read,cache_write,output_total,reasoning,images_out,"
    "n_requests,latency_s,ttft_s,cost,status,file,line"
)
# what the server was told to answer, call by call: from `provider` to `zone`, then from
# `service_tier` to `images_out`; the cache's answer is no call
KNOWN = "assistant,search,user-1"
SAID = [
    ("openai,assistant,openai/gpt-4o,", ",chat,1500,1024,256,320,0,"),
    ("openai,thinker,openai/o4-mini,", "flex,chat,150,0,0,1200,1024,"),
    ("openai,quick,openai/gpt-4o-mini,", ",chat,900,640,0,210,0,"),
    # LiteLLM adds what was read from the cache and written to it: 12 + 20000 + 1500
    (f"anthropic,writer,anthropic/{SONNET},usa", "standard,chat,21512,20000,1500,320,0,"),
    (f"anthropic,writer,anthropic/{SONNET},usa", ",chat,21512,20000,1500,320,0,"),
    ("openai,quick,openai/gpt-4o-mini,", ",chat,70,0,0,30,0,"),
    None,
    ("openai,search,openai/text-embedding-3-small,", ",embeddings,37,,,0,,"),
    ("openai,artist,openai/gpt-image-1,", ",image_generation,40,0,,544,,2"),
    ("openai,agent,openai/gpt-5,", "priority,chat,2000,1536,300,800,512,"),
    (f"anthropic,writer,anthropic/{SONNET},usa", "standard,chat,21512,20000,1500,320,0,"),
    ("openai,busy,openai/gpt-4.1,", ",chat,0,,,0,,"),
]


NOON = "2025-11-19 11:00:00,2025-11-19 11:00:02"
COST = "1,,,0.1,"
BAD = -9223372036854775807  # a number that could not be read
MISTRAL = "bedrock/mistral.mistral-large-2407-v1:0"
EDGES = [
    # the address names the region: Bedrock's, but for a model that several regions share; Vertex's
    (1, f"edge-1,bedrock,,{MISTRAL},,aws:eu-west-3,,,customer-7,,chat,10,,,20,,,{COST}"),
    (2, f"edge-2,bedrock,nova,us.amazon.nova-pro-v1:0,,,,team-1,,,chat,10,,,20,,,{COST}"),
    (
        3,
        "edge-3,vertex_ai,gemini,vertex_ai/gemini-2.5-pro,,gcp:europe-west9,,,,,chat,10,4,,20,15,,"
        + COST,
    ),
    # a batch of 25 requests, written when its cost was known; asking how it goes is no call
    (
        4,
        "batch_1_batch_cost,openai,quick,gpt-4o-mini,,,,,user-1,batch,chat,1000,,,2000,,,25,,,0.1,",
    ),
    # nor is making a store of vectors (6), nor a request for a model that is not there (7)
    (
        8,
        f"edge-8,openai,assistant,openai/gpt-4o,,,,,user-1,,chat,{BAD},{BAD},{BAD},20,{BAD},,{COST}",
    ),
]


def expected_rows(rows: list[dict[str, str]], file: str, first: int) -> list[str]:
    """The canonical rows of an export whose first row is the call `first`."""
    found = []
    for line, (row, said) in enumerate(zip(rows, SAID[first:], strict=False), 1):
        if said is None:
            continue
        status = "error" if row["status"] == "failure" else ""
        times = f"{row['startTime'].replace('T', ' ')},{row['endTime'].replace('T', ' ')}"
        latency = int(row["request_duration_ms"]) / 1000
        found.append(
            f"{times},{row['request_id']},{said[0]},,{KNOWN},{said[1]},1,{latency},,"
            f"{row['spend']},{status},{file},{line}"
        )
    return found


def expected_payloads(payloads: list[Any], file: str, first: int) -> list[str]:
    """The canonical rows of a file of payloads whose first is the call `first`."""
    found = []
    for line, (each, said) in enumerate(zip(payloads, SAID[first:], strict=False), 1):
        if said is None:
            continue
        status = "error" if each["status"] == "failure" else ""
        # the payload holds the answer, which says its tier
        answered = said[0].startswith("openai") and not status and said[1].startswith(",chat")
        tier = "default" if answered else ""
        bounds = [each["startTime"], each["endTime"]]
        times = ",".join(f"{datetime.fromtimestamp(t, UTC):%Y-%m-%d %H:%M:%S.%f}" for t in bounds)
        begun = each["completionStartTime"] - bounds[0] if each["stream"] else ""
        found.append(
            f"{times},{each['id']},{said[0]},,{KNOWN},{tier}{said[1]},1,"
            f"{bounds[1] - bounds[0]},{begun},"
            f"{each['response_cost']},{status},{file},{line}"
        )
    return found


def main() -> None:
    """Write the samples of both formats."""
    keeper = Keeper()
    litellm.callbacks = [keeper]
    with stub.serving(answering) as address:
        asyncio.run(calls(address, keeper))
        neutral = address.split("//")[1]
    lines = []
    for each in keeper.payloads:
        # the prices of the model, 7 kB a call, which are no part of the call
        each["model_map_information"]["model_map_value"] = None
        lines.append(json.dumps(each).replace(neutral, "127.0.0.1:8080") + "\n")
    (PAYLOADS / "sample.jsonl").write_text("".join(lines[:6]), encoding="utf-8")
    (PAYLOADS / "sample-more.jsonl").write_text("".join(lines[6:]), encoding="utf-8")
    stored(json.loads(json.dumps(keeper.rows, default=str).replace(neutral, "127.0.0.1:8080")))
    table = 'SELECT * FROM "LiteLLM_SpendLogs" ORDER BY "startTime"'
    (HERE / "sample.csv").write_text(
        sql(f"COPY ({table}) TO STDOUT (FORMAT csv, HEADER)"), encoding="utf-8"
    )
    (HERE / "sample.json").write_text(
        sql(f"SELECT json_agg(t) FROM ({table} LIMIT 4) AS t"), encoding="utf-8"
    )
    with duckdb.connect() as engine:
        engine.execute(
            f"COPY (SELECT * FROM read_csv('{HERE / 'sample.csv'}', header = true) OFFSET 3)"
            f" TO '{HERE / 'sample.parquet'}' (FORMAT parquet)"
        )
    kept = [json.loads(line) for line in lines]
    write(
        PAYLOADS,
        expected_payloads(kept[6:], "sample-more.jsonl", 6)
        + expected_payloads(kept[:6], "sample.jsonl", 0),
    )
    with (HERE / "sample.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    write(
        HERE,
        [f"{NOON},{said},sample-edge.jsonl,{line}" for line, said in EDGES]
        + expected_rows(rows, "sample.csv", 0)
        + expected_rows(rows[:4], "sample.json", 0)
        + expected_rows(rows[3:], "sample.parquet", 3),
    )


def write(folder: Path, rows: list[str]) -> None:
    """Write the expected rows of a folder."""
    (folder / "expected.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
