"""Write sample.jsonl, sample-batch.jsonl and expected.csv with the real `openai` client.

Needs: openai (made with 2.54.0). Run: `python make.py` in this folder.
The client talks to `loopback.py`; each answer is dumped as the client's own types print it.
`expected.csv` is what the loopback server was told to answer, not what our SQL reads.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import loopback as stub
from openai import OpenAI

HERE = Path(__file__).parent
HEADER = (
    "ts_start,ts_end,source_id,provider,model_served,service_tier,operation,input_total,"
    "cache_read,cache_write,output_total,reasoning,images_out,audio_in_s,file,line"
)


def answering(path: str, given: stub.Json) -> stub.Answer:
    """What the server says, by path and model."""
    model = str(given.get("model", ""))
    if path.endswith("/chat/completions"):
        return 200, _chat(model, given)
    if path.endswith("/responses"):
        return 200, _response(model)
    if path.endswith("/embeddings"):
        return 200, stub.embeddings(model, 37)
    if path.endswith("/images/generations"):
        return 200, stub.images(2, 40, 0, 544)
    if path.endswith("/audio/transcriptions"):
        return 200, {"text": stub.TEXT, "usage": {"type": "duration", "seconds": 12.5}}
    if path.endswith("/files/file-batch/content"):
        return 200, _batch()
    return 404, stub.error("not_found", path)


def _chat(model: str, given: stub.Json) -> stub.Json | list[stub.Json]:
    if given.get("stream"):
        asked = bool(given.get("stream_options"))
        number, usage = (3, stub.chat_usage(900, 210, 640)) if asked else (4, {})
        return stub.chat_stream("gpt-4o-mini-2024-07-18", number, usage, asked)
    if model == "o4-mini":
        usage = stub.chat_usage(150, 1200, thought=1024)
        return stub.chat("o4-mini-2025-04-16", 2, usage, "flex")
    if model == "grok-4":
        return stub.chat(
            "grok-4-0709", 6, {**stub.chat_usage(100, 20, thought=300), "total_tokens": 420}, None
        )
    if model == "deepseek-chat":
        bare = {"prompt_tokens": 500, "completion_tokens": 40, "total_tokens": 540}
        usage = {**bare, "prompt_cache_hit_tokens": 320, "prompt_cache_miss_tokens": 180}
        return stub.chat("deepseek-chat", 7, usage, None)
    if model == "our-deployment":  # Azure names the deployment and adds its filters' verdict
        answer = stub.chat("gpt-4o-2024-08-06", 8, stub.chat_usage(60, 15), None)
        return {**answer, "prompt_filter_results": [{"prompt_index": 0}]}
    if model == "mistral-large-latest":
        bare = {"prompt_tokens": 70, "completion_tokens": 30, "total_tokens": 100}
        answer = stub.chat(model, 5, bare, None)
        del answer["system_fingerprint"]
        return answer
    return stub.chat("gpt-4o-2024-08-06", 1, stub.chat_usage(1500, 320, 1024, 256))


def _response(model: str) -> stub.Json:
    if model == "gpt-5-pro":
        answer = stub.response("gpt-5-pro-2025-10-06", 11, (0, 0, 0, 0, 0), "default")
        answer.update(status="queued", usage=None, completed_at=None, output=[], background=True)
        return answer
    return stub.response("gpt-5-2025-08-07", 10, (2000, 800, 1536, 300, 512), "priority")


def _batch() -> str:
    chat = stub.chat("gpt-4o-mini-2024-07-18", 20, stub.chat_usage(400, 60, 128))
    response = stub.response("gpt-5-2025-08-07", 21, (90, 45, 0, 0, 32), "default")
    lines: list[Any] = [
        _batch_line(1, 200, chat),
        _batch_line(2, 200, response),
        _batch_line(3, 400, stub.error("invalid_request_error", "no such model")),
        _batch_line(4, None, None),
    ]
    return "".join(json.dumps(line) + "\n" for line in lines)


def _batch_line(number: int, status: int | None, body: stub.Json | None) -> stub.Json:
    done = {"status_code": status, "request_id": f"req_{number:04d}", "body": body}
    late = {"code": "batch_expired", "message": "The request was not run in time."}
    return {
        "id": f"batch_req_{number:04d}",
        "custom_id": f"task-{number}",
        "response": done if status else None,
        "error": None if status else late,
    }


def calls(client: OpenAI) -> list[str]:
    """One line a call, or a chunk, as the client's types print it."""
    asking: Any = [{"role": "user", "content": "Bonjour ?"}]
    lines = [
        client.chat.completions.create(model=model, messages=asking).model_dump_json()
        for model in ("gpt-4o", "o4-mini")
    ]
    streams = (
        client.chat.completions.create(model="gpt-4o-mini", messages=asking, stream=True, **more)
        for more in ({"stream_options": {"include_usage": True}}, {})
    )
    lines += [chunk.model_dump_json() for stream in streams for chunk in stream]
    lines += [
        client.chat.completions.create(model=model, messages=asking).model_dump_json()
        for model in ("mistral-large-latest", "grok-4", "deepseek-chat", "our-deployment")
    ]
    lines.append(client.responses.create(model="gpt-5", input="Bonjour ?").model_dump_json())
    queued = client.responses.create(model="gpt-5-pro", input="Bonjour ?", background=True)
    lines.append(queued.model_dump_json())
    vector = client.embeddings.create(
        model="text-embedding-3-small", input="Bonjour", encoding_format="float"
    )
    lines.append(vector.model_dump_json())
    drawn = client.images.generate(model="gpt-image-1", prompt="Un chat", n=2)
    lines.append(drawn.model_dump_json())
    named = json.loads(drawn.model_dump_json()) | {"model": "gpt-image-1"}
    lines.append(json.dumps(named))
    sound = ("a.wav", io.BytesIO(b"RIFF"))
    heard = client.audio.transcriptions.create(model="whisper-1", file=sound)
    lines.append(json.dumps({"model": "whisper-1", **json.loads(heard.model_dump_json())}))
    return lines


NOON = "2025-11-19 11:00:"  # and the seconds
MINI = "openai,gpt-4o-mini-2024-07-18"
GPT_5 = "openai,gpt-5-2025-08-07"
CALLS = [
    # gpt-4o: 1024 of the 1500 prompt tokens were read from the cache, 256 written to it
    "01,,chatcmpl-0001,openai,gpt-4o-2024-08-06,default,chat,1500,1024,256,320,0,,,1",
    # o4-mini: 1024 of the 1200 tokens are reasoning
    "02,,chatcmpl-0002,openai,o4-mini-2025-04-16,flex,chat,150,0,0,1200,1024,,,2",
    # a stream with usage, lines 3 to 5: of the two rows with its id the last stands
    f"03,,chatcmpl-0003,{MINI},default,chat,,,,,,,,4",
    f"03,,chatcmpl-0003,{MINI},default,chat,900,640,0,210,0,,,5",
    # a stream without usage, lines 6 and 7: a call whose tokens are not known
    f"04,,chatcmpl-0004,{MINI},default,chat,,,,,,,,7",
    # other makers' models behind the same API: the record does not say who served them
    "05,,chatcmpl-0005,,mistral-large-latest,,chat,70,,,30,,,,8",
    # xAI counts the 300 tokens of reasoning beside the 20 of the completion
    "06,,chatcmpl-0006,,grok-4-0709,,chat,100,0,0,320,300,,,9",
    "07,,chatcmpl-0007,,deepseek-chat,,chat,500,320,,40,,,,10",
    "08,,chatcmpl-0008,azure,gpt-4o-2024-08-06,,chat,60,0,0,15,0,,,11",
    f"10,{NOON}14,resp_0010,{GPT_5},priority,chat,2000,1536,300,800,512,,,12",
    # line 13 is queued: nothing has run yet
    ",,,openai,text-embedding-3-small,,embeddings,37,,,,,,,14",
    # an images answer does not name its model (line 15); line 16 is the same with the name added
    "50,,,,,,image_generation,40,,,544,,2,,15",
    "50,,,openai,gpt-image-1,,image_generation,40,,,544,,2,,16",
    ",,,openai,whisper-1,,audio,,,,,,,12.5,17",
]
BATCH = [
    f"20,,chatcmpl-0020,{MINI},batch,chat,400,128,0,60,0,,,1",
    f"21,{NOON}25,resp_0021,{GPT_5},batch,chat,90,0,0,45,32,,,2",
]


def expected() -> list[str]:
    """The canonical rows, by file and line."""
    rows = [HEADER]
    for file, lines in (("sample-batch.jsonl", BATCH), ("sample.jsonl", CALLS)):
        for text in lines:
            values, _, line = text.rpartition(",")
            rows.append(f"{'' if text.startswith(',') else NOON}{values},{file},{line}")
    return rows


def main() -> None:
    """Write the three files."""
    with stub.serving(answering) as address:
        client = OpenAI(api_key="none", base_url=f"{address}/v1", max_retries=0)
        lines = calls(client)
        batch = client.files.content("file-batch").text
    (HERE / "sample.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (HERE / "sample-batch.jsonl").write_text(batch, encoding="utf-8")
    (HERE / "expected.csv").write_text("\n".join(expected()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
