"""A server on 127.0.0.1 that answers as model providers do, with the usage each test asks for.

The answer is chosen by the path and by the name of the model in the request, so that a real
client library can be driven through every case without a network. Used by the `make.py` files
of several formats; no test imports it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]

CREATED = 1_763_550_000  # 2025-11-19T11:00:00Z
TEXT = "Bonjour."


def chat_usage(prompt: int, out: int, cached: int = 0, written: int = 0, thought: int = 0) -> Json:
    """A chat.completions usage object with its details."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": out,
        "total_tokens": prompt + out,
        "prompt_tokens_details": {
            "cached_tokens": cached,
            "cache_write_tokens": written,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": thought,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def chat(model: str, number: int, usage: Json, tier: str | None = "default") -> Json:
    """A chat.completions answer."""
    return {
        "id": f"chatcmpl-{number:04d}",
        "object": "chat.completion",
        "created": CREATED + number,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": TEXT, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": usage,
        "service_tier": tier,
        "system_fingerprint": "fp_0000000000",
    }


def chat_stream(model: str, number: int, usage: Json, with_usage: bool) -> list[Json]:
    """The chunks of a streamed chat.completions answer; the last has the usage if asked for."""
    base = {
        "id": f"chatcmpl-{number:04d}",
        "object": "chat.completion.chunk",
        "created": CREATED + number,
        "model": model,
        "service_tier": "default",
        "system_fingerprint": "fp_0000000000",
    }
    delta = {"role": "assistant", "content": TEXT}
    chunks = [
        {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]
    return [*chunks, {**base, "choices": [], "usage": usage}] if with_usage else chunks


def response(model: str, number: int, usage: tuple[int, int, int, int, int], tier: str) -> Json:
    """A Responses API answer; usage is (input, output, cached, written, reasoning)."""
    given, out, cached, written, thought = usage
    message = {
        "id": f"msg_{number:04d}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": TEXT, "annotations": []}],
    }
    return {
        "id": f"resp_{number:04d}",
        "object": "response",
        "created_at": CREATED + number,
        "completed_at": CREATED + number + 4,
        "status": "completed",
        "model": model,
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "service_tier": tier,
        "usage": {
            "input_tokens": given,
            "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
            "output_tokens": out,
            "output_tokens_details": {"reasoning_tokens": thought},
            "total_tokens": given + out,
        },
    }


def embeddings(model: str, prompt: int) -> Json:
    """An embeddings answer, which has neither id nor time."""
    return {
        "object": "list",
        "model": model,
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}],
        "usage": {"prompt_tokens": prompt, "total_tokens": prompt},
    }


def images(count: int, text_in: int, image_in: int, out: int) -> Json:
    """An images answer, which does not name its model."""
    return {
        "created": CREATED + 50,
        "size": "1024x1024",
        "quality": "low",
        "output_format": "png",
        "data": [{"b64_json": "aW1hZ2U="} for _ in range(count)],
        "usage": {
            "input_tokens": text_in + image_in,
            "input_tokens_details": {"text_tokens": text_in, "image_tokens": image_in},
            "output_tokens": out,
            "output_tokens_details": {"text_tokens": 0, "image_tokens": out},
            "total_tokens": text_in + image_in + out,
        },
    }


def message(model: str, number: int, usage: Json) -> Json:
    """An Anthropic Messages answer."""
    return {
        "id": f"msg_{number:04d}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }


def message_stream(model: str, number: int, usage: Json) -> list[Json]:
    """The events of a streamed Anthropic answer: the input first, the output at the end."""
    start = message(model, number, {**usage, "output_tokens": 1})
    start.update(content=[], stop_reason=None)
    ending = {"stop_reason": "end_turn", "stop_sequence": None}
    text = {"type": "text_delta", "text": TEXT}
    return [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": text},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": ending,
            "usage": {"output_tokens": usage["output_tokens"]},
        },
        {"type": "message_stop"},
    ]


def error(kind: str, text: str) -> Json:
    """An error body that both OpenAI's and Anthropic's clients understand."""
    return {"type": "error", "error": {"type": kind, "code": kind, "message": text, "param": None}}


Answer = tuple[int, Json | list[Json] | str]
Answering = Callable[[str, Json], Answer]


def _handler(answering: Answering) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _answer(self, given: Json) -> None:
            status, answer = answering(self.path, given)
            if isinstance(answer, str):
                self._send(status, "application/x-jsonl", answer.encode())
            elif isinstance(answer, list):
                self._send(status, "text/event-stream", _events(answer))
            else:
                self._send(status, "application/json", json.dumps(answer).encode())

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            as_json = (self.headers.get("Content-Type") or "").startswith("application/json")
            self._answer(json.loads(body) if as_json and body else {})

        def log_message(self, *args: object) -> None:
            """Say nothing of each request."""

    return Handler


def _events(events: list[Json]) -> bytes:
    named = (
        (f"event: {event['type']}\n" if "type" in event else "") + f"data: {json.dumps(event)}\n\n"
        for event in events
    )
    return ("".join(named) + "data: [DONE]\n\n").encode()


@contextmanager
def serving(answering: Answering) -> Iterator[str]:
    """The address of a server that answers with `answering(path, request)`, while it lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answering))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
