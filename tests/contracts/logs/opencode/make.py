"""Write the samples: what OpenCode itself keeps of sessions with a loopback stub.

    npm pack opencode-linux-x64-baseline@VERSION && tar xzf opencode-*.tgz
    python make.py OPENCODE-1.18.33 OPENCODE-1.2.15 OPENCODE-1.0.162   (package/bin/opencode)

Run it where nothing but the loopback can be reached, for example under ``unshare -n``.
"""

import json
import re
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

HERE = Path(__file__).parent
# what the stub says was used. An OpenAI-like server: prompt, of which cached, output, of which
# reasoning; Anthropic: fresh input, cache writes, cache reads, output; Google: prompt, of which
# cached, answer, thoughts beside it
USAGE = {
    "local/qwen3-coder": [(5020, 3000, 302, 100), (5100, 5000, 40, 0)],
    "anthropic/claude-sonnet-4-5": [(17, 3000, 11000, 145)],
    "google/gemini-2.5-pro": [(7000, 2000, 50, 300)],
}


class Stub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    waiting: ClassVar[list] = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        # the request that asks for a title has no tools
        used = Stub.waiting.pop(0) if body.get("tools") else (50, 0, 5, 0)
        if self.path.endswith("/messages"):
            events = anthropic(body["model"], *used)
        elif "streamGenerateContent" in self.path:
            events = google(*used)
        else:
            events = like_openai(body, *used)
        text = "".join(
            f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
            if "type" in event
            else f"data: {json.dumps(event)}\n\n"
            for event in events
        ).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def like_openai(body, prompt, cached, output, reasoning):
    tools = [tool["function"]["name"] for tool in body.get("tools", [])]
    call = {
        "index": 0, "id": "call_1", "type": "function",
        "function": {"name": "bash",
                     "arguments": json.dumps({"command": "ls", "description": "List files"})},
    }  # fmt: skip
    wants = "bash" in tools and all(message["role"] != "tool" for message in body["messages"])
    usage = {
        "prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }  # fmt: skip
    choices = (
        {"delta": {"role": "assistant", "content": "I look."}, "finish_reason": None},
        {"delta": {"tool_calls": [call]} if wants else {}, "finish_reason": None},
        {"delta": {}, "finish_reason": "tool_calls" if wants else "stop"},
    )
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1735725600,
            "model": body["model"]}  # fmt: skip
    for choice in choices:
        yield {**base, "choices": [{"index": 0, **choice}]}
    yield {**base, "choices": [], "usage": usage}


def anthropic(model, fresh, written, read, output):
    usage = {"input_tokens": fresh, "cache_creation_input_tokens": written,
             "cache_read_input_tokens": read, "output_tokens": 1}  # fmt: skip
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model,
               "content": [], "stop_reason": None, "stop_sequence": None,
               "usage": usage}  # fmt: skip
    text, stop = {"type": "text", "text": ""}, {"stop_reason": "end_turn", "stop_sequence": None}
    delta = {"type": "text_delta", "text": "Done."}
    yield {"type": "message_start", "message": message}
    yield {"type": "content_block_start", "index": 0, "content_block": text}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "message_delta", "delta": stop, "usage": {"output_tokens": output}}
    yield {"type": "message_stop"}


def google(prompt, cached, answer, thoughts):
    usage = {"promptTokenCount": prompt, "cachedContentTokenCount": cached,
             "candidatesTokenCount": answer, "thoughtsTokenCount": thoughts,
             "totalTokenCount": prompt + answer + thoughts}  # fmt: skip
    content = {"role": "model", "parts": [{"text": "Done."}]}
    yield {"candidates": [{"content": content, "index": 0, "finishReason": "STOP"}],
           "usageMetadata": usage}  # fmt: skip


class Home:
    """Where one version of OpenCode lives."""

    def __init__(self, folder, program, port):
        self.home, self.program = Path(folder, "user"), program
        self.project = self.home / "project"
        self.project.mkdir(parents=True)
        (self.project / "a.txt").write_text("hello\n", encoding="utf-8")
        options = {"baseURL": f"http://127.0.0.1:{port}/v1", "apiKey": "not-a-key"}
        providers = {
            name: {"options": options, "models": {model: {"name": model}}}
            for name, model in (each.split("/") for each in USAGE)
        }
        providers["local"] |= {"npm": "@ai-sdk/openai-compatible", "name": "Local"}
        providers["google"]["models"]["gemini-2.5-pro"]["reasoning"] = True
        settings = {"autoupdate": False, "share": "disabled", "provider": providers,
                    "small_model": "local/qwen3-coder"}  # fmt: skip
        (self.project / "opencode.json").write_text(json.dumps(settings), encoding="utf-8")

    def execute(self, *arguments):
        environment = {
            "PATH": "/usr/bin:/bin", "HOME": str(self.home), "TERM": "dumb",
            "OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1", "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        }  # fmt: skip
        return subprocess.run(
            [self.program, *arguments], cwd=self.project, env=environment, timeout=120,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    def talk(self):
        """A run of each model; the exported sessions and the files of messages."""
        for model, used in USAGE.items():
            Stub.waiting = list(used)
            self.execute("run", "-m", model, "List the files")
        sessions = sorted(set(re.findall(r"ses_\w+", self.execute("session", "list"))))
        exported = [json.loads(self.execute("export", session)) for session in sessions]
        stored = self.home / ".local" / "share" / "opencode" / "storage" / "message"
        messages = [json.loads(path.read_text("utf-8")) for path in stored.glob("*/*.json")]
        return self.neutral(exported), self.neutral(messages)

    def neutral(self, documents):
        return json.loads(json.dumps(documents).replace(str(self.home), "/home/user"))


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    names = ("1.18", "1.2", "1.0")
    for name, program in zip(names, sys.argv[1:], strict=True):
        with tempfile.TemporaryDirectory() as folder:
            exported, messages = Home(folder, program, server.server_port).talk()
        if messages:
            messages.sort(key=lambda message: message["id"])
            write(f"sample-{name}-messages.jsonl", messages)
        else:
            for session in exported:
                session["messages"] = [
                    {**message, "parts": [p for p in message["parts"] if p["type"] != "tool"]}
                    for message in session["messages"]
                ]
            exported.sort(key=lambda session: session["info"]["time"]["created"])
            write(f"sample-{name}-export.jsonl", exported)
    server.shutdown()


def write(name, documents):
    lines = "".join(json.dumps(document) + "\n" for document in documents)
    (HERE / name).write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main()
