"""A loopback HTTP proxy that answers like OpenAI, Anthropic and Gemini, from the table below.

Clients are given it as their plain-HTTP proxy, so that they call the providers' real host names
and nothing leaves the machine. The table is the only source of the counts in expected.csv.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import urlsplit

QUESTION = "Name three rivers of Europe, please."
REPLY = ("The Danube, ", "the Rhône ", "and the Loire.")
SERVED = {
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "o4-mini": "o4-mini-2025-04-16",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-5": "gpt-5-2025-08-07",
    "text-embedding-3-small": "text-embedding-3-small",
    "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
    "claude-haiku-4-5": "claude-haiku-4-5-20251001",
    "claude-opus-4-1": "claude-opus-4-1-20250805",
}
# model: prompt (cached included), cached, completion (reasoning included), reasoning
OPENAI = {
    "gpt-4o-mini": (1200, 1024, 80, 0),
    "o4-mini": (300, 0, 900, 640),
    "gpt-4o": (50, 0, 7, 0),
    "gpt-5": (2000, 1536, 1500, 1024),
    "text-embedding-3-small": (9, 0, 0, 0),
}
# model: input without the cached tokens, cache read, cache written, output
ANTHROPIC = {
    "claude-sonnet-4-5": (12, 4000, 500, 60),
    "claude-haiku-4-5": (900, 300, 0, 40),
    "claude-opus-4-1": (700, 0, 1100, 25),
}
GEMINI = (400, 128, 100, 350)  # prompt, cached, candidates (without thoughts), thoughts
TIER = {"o4-mini": "flex"}


def _chat_usage(model: str) -> dict[str, Any]:
    prompt, cached, completion, reasoning = OPENAI[model]
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _chat(number: int, asked: dict[str, Any]) -> dict[str, Any]:
    model = asked["model"]
    message = {"role": "assistant", "content": "".join(REPLY), "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {
        "id": f"chatcmpl-{number:024}",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": SERVED[model],
        "choices": [choice],
        "usage": _chat_usage(model),
        "service_tier": TIER.get(model, "default"),
        "system_fingerprint": "fp_0000000000",
    }


def _chat_stream(number: int, asked: dict[str, Any]) -> list[dict[str, Any]]:
    whole = _chat(number, asked) | {"object": "chat.completion.chunk", "usage": None}
    events = []
    for text in (*REPLY, None):
        delta = {"role": "assistant", "content": text} if text else {}
        reason = None if text else "stop"
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        events.append(whole | {"choices": [choice]})
    if (asked.get("stream_options") or {}).get("include_usage"):
        events.append(whole | {"choices": [], "usage": _chat_usage(asked["model"])})
    return events


def _embeddings(asked: dict[str, Any]) -> dict[str, Any]:
    prompt = OPENAI[asked["model"]][0]
    vector: str | list[float] = [0.25, 0.5]
    if asked.get("encoding_format") == "base64":
        vector = "AACAPgAAAD8="
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": vector}],
        "model": SERVED[asked["model"]],
        "usage": {"prompt_tokens": prompt, "total_tokens": prompt},
    }


def _images(asked: dict[str, Any]) -> dict[str, Any]:
    images = [{"url": f"https://images.example/{i}.png"} for i in range(asked.get("n") or 1)]
    return {"created": 1_760_000_000, "data": images}


def _function_call(number: int) -> dict[str, Any]:
    return {
        "type": "function_call",
        "id": f"fc_{number:04}",
        "call_id": f"call_{number:04}",
        "name": "longest_river",
        "arguments": "{}",
        "status": "completed",
    }


def _text_item(number: int) -> dict[str, Any]:
    text = {"type": "output_text", "text": "".join(REPLY), "annotations": [], "logprobs": []}
    return {
        "type": "message",
        "id": f"msg_{number:04}",
        "role": "assistant",
        "status": "completed",
        "content": [text],
    }


def _response(number: int, asked: dict[str, Any]) -> dict[str, Any]:
    prompt, cached, completion, reasoning = OPENAI[asked["model"]]
    first = asked.get("tools") and "function_call_output" not in json.dumps(asked["input"])
    return {
        "id": f"resp_{number:024}",
        "object": "response",
        "created_at": 1_760_000_000,
        "status": "completed",
        "model": SERVED[asked["model"]],
        "output": [_function_call(number) if first else _text_item(number)],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "service_tier": "default",
        "usage": {
            "input_tokens": prompt,
            "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
            "output_tokens": completion,
            "output_tokens_details": {"reasoning_tokens": reasoning},
            "total_tokens": prompt + completion,
        },
    }


def _anthropic_usage(model: str) -> dict[str, Any]:
    fresh, read, written, output = ANTHROPIC[model]
    return {
        "input_tokens": fresh,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "output_tokens": output,
        "service_tier": "standard",
    }


def _message(number: int, asked: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"msg_01{number:022}",
        "type": "message",
        "role": "assistant",
        "model": SERVED[asked["model"]],
        "content": [{"type": "text", "text": "".join(REPLY)}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": _anthropic_usage(asked["model"]),
    }


def _message_stream(number: int, asked: dict[str, Any]) -> list[dict[str, Any]]:
    usage = _anthropic_usage(asked["model"])
    start = _message(number, asked) | {"content": [], "stop_reason": None}
    block = {"index": 0}
    return [
        {"type": "message_start", "message": start | {"usage": usage | {"output_tokens": 1}}},
        {"type": "content_block_start", **block, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", **block, "delta": {"type": "text_delta", "text": text}}
            for text in REPLY
        ),
        {"type": "content_block_stop", **block},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            # the final counts are cumulative; the first event's single token is inside them
            "usage": usage,
        },
        {"type": "message_stop"},
    ]


def _gemini(number: int, model: str) -> dict[str, Any]:
    prompt, cached, candidates, thoughts = GEMINI
    content = {"role": "model", "parts": [{"text": "".join(REPLY)}]}
    return {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {
            "promptTokenCount": prompt,
            "cachedContentTokenCount": cached,
            "candidatesTokenCount": candidates,
            "thoughtsTokenCount": thoughts,
            "totalTokenCount": prompt + candidates + thoughts,
        },
        "modelVersion": model,
        "responseId": f"{number:022}",
    }


_REFUSALS = {
    "/v1/messages": {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "Too many requests."},
    },
    "": {"error": {"message": "Too many requests.", "type": "requests", "code": "rate_limit"}},
}


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    calls: ClassVar[list[str]] = []

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = urlsplit(self.path).path
        self.calls.append(path)
        number = len(self.calls)
        if asked.get("model") in {"gpt-4.1", "claude-3-opus-latest"}:
            self._send(429, _REFUSALS.get(path, _REFUSALS[""]))
        elif path.endswith(":generateContent"):
            self._send(200, _gemini(number, path.rsplit("/", 1)[1].split(":")[0]))
        else:
            self._answer(path, number, asked)

    def _answer(self, path: str, number: int, asked: dict[str, Any]) -> None:
        if path.endswith("/embeddings"):
            self._send(200, _embeddings(asked))
        elif path.endswith("/images/generations"):
            self._send(200, _images(asked))
        elif path.endswith("/responses"):
            self._send(200, _response(number, asked))
        elif path.endswith("/messages") and asked.get("stream"):
            self._stream(_message_stream(number, asked), named=True)
        elif path.endswith("/messages"):
            self._send(200, _message(number, asked))
        elif asked.get("stream"):
            self._stream(_chat_stream(number, asked), named=False)
        else:
            self._send(200, _chat(number, asked))

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        self._write(status, "application/json", json.dumps(answer).encode())

    def _stream(self, events: list[dict[str, Any]], *, named: bool) -> None:
        lines = []
        for event in events:
            head = f"event: {event['type']}\n" if named else ""
            lines.append(f"{head}data: {json.dumps(event)}\n\n")
        lines += [] if named else ["data: [DONE]\n\n"]
        self._write(200, "text/event-stream", "".join(lines).encode())

    def _write(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def start() -> str:
    """The address of a new stub that answers until the process ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
