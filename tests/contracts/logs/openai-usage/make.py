"""Write the samples and expected.csv with the real `openai` client's admin calls.

Needs: openai (made with 2.54.0); `loopback.py` of the folder `openai` beside this one.
Run: `python make.py` in this folder. Each page is dumped as the client's own types print it;
`sample-buckets.json` has the buckets of one page as the server sent them.
`expected.csv` is what the loopback server was told to answer, not what our SQL reads.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

from openai import OpenAI

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "openai"))
import loopback as stub  # noqa: E402

DAY = 1_763_510_400  # 2025-11-19T00:00:00Z
HEADER = (
    "ts_start,ts_end,provider,model_served,project,user,service_tier,operation,"
    "input_total,cache_read,cache_write,output_total,images_out,audio_in_s,input_characters,"
    "n_requests,file,line"
)


def bucket(day: int, *results: stub.Json) -> stub.Json:
    """A day of usage."""
    start = DAY + 86_400 * day
    return {
        "object": "bucket",
        "start_time": start,
        "end_time": start + 86_400,
        "results": list(results),
    }


def page(*buckets: stub.Json) -> stub.Json:
    """A page of buckets."""
    return {"object": "page", "data": list(buckets), "has_more": False, "next_page": None}


def result(kind: str, requests: int | None, **more: object) -> stub.Json:
    """A row of a bucket."""
    known = {} if requests is None else {"num_model_requests": requests}
    return {"object": f"organization.usage.{kind}.result", **known, **more}


def tokens(given: int, cached: int, out: int, written: int = 0) -> stub.Json:
    """What completions count: input holds what was read from the cache and written to it."""
    return {
        "input_tokens": given,
        "input_cached_tokens": cached,
        "input_cache_write_tokens": written,
        "input_uncached_tokens": given - cached - written,
        "output_tokens": out,
        "input_audio_tokens": 0,
        "output_audio_tokens": 0,
    }


GROUPED = page(
    bucket(
        0,
        result(
            "completions",
            420,
            **tokens(1_250_000, 300_000, 210_000, 40_000),
            project_id="proj_a",
            model="gpt-4o-2024-08-06",
            batch=False,
            service_tier="default",
        ),
        result(
            "completions",
            9_000,
            **tokens(40_000_000, 0, 6_500_000),
            project_id="proj_b",
            model="gpt-4o-mini-2024-07-18",
            batch=True,
        ),
    ),
    bucket(
        1,
        result(
            "completions",
            3,
            **tokens(900, 0, 120),
            project_id="proj_a",
            user_id="user_1",
            model="o4-mini-2025-04-16",
            batch=False,
        ),
    ),
    bucket(2),  # a day without use
)
UNGROUPED = page(bucket(0, result("completions", 9_420, **tokens(41_250_000, 300_000, 6_710_000))))
ANSWERS = {
    "completions": GROUPED,
    "embeddings": page(
        bucket(0, result("embeddings", 700, input_tokens=81_000, model="text-embedding-3-small"))
    ),
    "images": page(
        bucket(
            0,
            result(
                "images",
                30,
                images=44,
                model="gpt-image-1",
                size="1024x1024",
                source="image.generation",
            ),
        )
    ),
    "audio_speeches": page(bucket(0, result("audio_speeches", 5, characters=4_200, model="tts-1"))),
    "audio_transcriptions": page(
        bucket(0, result("audio_transcriptions", 8, seconds=615, model="whisper-1"))
    ),
    "moderations": page(
        bucket(0, result("moderations", 12, input_tokens=3_400, model="omni-moderation-2024-09-26"))
    ),
    "web_search_calls": page(
        bucket(
            0,
            result("web_searches", 40, num_requests=55, model="gpt-4o-2024-08-06"),
        )
    ),
    "vector_stores": page(bucket(0, result("vector_stores", None, usage_bytes=10_485_760))),
}
COSTS = page(
    bucket(
        0,
        {
            "object": "organization.costs.result",
            "amount": {"value": 3.21, "currency": "usd"},
            "line_item": "gpt-4o",
        },
    )
)


def answering(path: str, given: stub.Json) -> stub.Answer:
    """What the server says, by path."""
    where, _, asked = path.partition("?")
    name = where.rpartition("/")[2]
    if name == "completions" and "group_by" not in asked:
        return 200, UNGROUPED
    return 200, COSTS if name == "costs" else ANSWERS[name]


def pages(client: OpenAI) -> list[str]:
    """One page a line, as the client's types print it."""
    usage = client.admin.organization.usage
    when: Any = {"start_time": DAY, "bucket_width": "1d"}
    keys: Any = ["project_id", "model", "batch"]
    found = [usage.completions(**when, group_by=keys)]
    others = [name for name in ANSWERS if name != "completions"]
    found += [getattr(usage, name)(**when, group_by=["model"]) for name in others[:-1]]
    found += [usage.vector_stores(**when), usage.costs(**when), usage.completions(**when)]
    return [each.model_dump_json() for each in found]


def row(name: str, file: str, line: int, **values: object) -> stub.Json:
    """An expected row of the first day."""
    bounds = {"ts_start": "2025-11-19 00:00:00", "ts_end": "2025-11-20 00:00:00"}
    named = {"provider": "openai", "model_served": name, "file": file, "line": line}
    return {**bounds, **named, **values}


def days(file: str, line: int) -> list[stub.Json]:
    """The rows of the page of completions, its first day and its second."""
    first = row(
        "gpt-4o-2024-08-06",
        file,
        line,
        project="proj_a",
        service_tier="default",
        operation="chat",
        input_total=1_250_000,
        cache_read=300_000,
        cache_write=40_000,
        output_total=210_000,
        n_requests=420,
    )
    batch = row(
        "gpt-4o-mini-2024-07-18",
        file,
        line,
        project="proj_b",
        service_tier="batch",
        operation="chat",
        input_total=40_000_000,
        cache_read=0,
        cache_write=0,
        output_total=6_500_000,
        n_requests=9_000,
    )
    later = row(
        "o4-mini-2025-04-16",
        file,
        line,
        project="proj_a",
        user="user_1",
        operation="chat",
        input_total=900,
        cache_read=0,
        cache_write=0,
        output_total=120,
        n_requests=3,
    )
    later.update(ts_start="2025-11-20 00:00:00", ts_end="2025-11-21 00:00:00")
    return [first, batch, later]


def expected() -> list[stub.Json]:
    """The canonical rows, by file and line."""
    file = "sample-pages.jsonl"
    second = days("sample-buckets.json", 2)[2]
    total = {"input_total": 41_250_000, "cache_read": 300_000, "cache_write": 0}
    drawn = {"operation": "image_generation", "images_out": 44, "n_requests": 30}
    speech = {"operation": "audio", "input_characters": 4_200, "n_requests": 5}
    heard = {"operation": "audio", "audio_in_s": 615, "n_requests": 8}
    vectors = {"operation": "embeddings", "input_total": 81_000, "n_requests": 700}
    checked = {"operation": "moderation", "input_total": 3_400, "n_requests": 12}
    return [
        *days("sample-buckets.json", 1)[:2],
        second,
        *days(file, 1),
        row("text-embedding-3-small", file, 2, **vectors),
        row("gpt-image-1", file, 3, **drawn),
        row("tts-1", file, 4, **speech),
        row("whisper-1", file, 5, **heard),
        row("omni-moderation-2024-09-26", file, 6, **checked),
        # lines 7 to 9: web searches (their requests are those of completions), storage, costs
        row(
            "",
            file,
            10,
            operation="chat",
            output_total=6_710_000,
            n_requests=9_420,
            **total,
        ),
    ]


def main() -> None:
    """Write the three files."""
    with stub.serving(answering) as address:
        client = OpenAI(
            api_key="none", admin_api_key="none", base_url=f"{address}/v1", max_retries=0
        )
        lines = pages(client)
    (HERE / "sample-pages.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    buckets = ",\n".join(map(json.dumps, GROUPED["data"]))
    (HERE / "sample-buckets.json").write_text(f"[{buckets}]\n", encoding="utf-8")
    with (HERE / "expected.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADER.split(","), lineterminator="\n")
        writer.writeheader()
        writer.writerows(expected())


if __name__ == "__main__":
    main()
