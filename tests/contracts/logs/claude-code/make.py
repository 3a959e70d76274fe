"""Write the samples: sessions that Claude Code itself writes while it talks to a loopback stub.

    npm pack @anthropic-ai/claude-code-linux-x64@2.1.197 && tar xzf anthropic-ai-*.tgz
    python make.py package/claude

Run it where nothing but the loopback can be reached, for example under ``unshare -n``.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

HERE = Path(__file__).parent
MODEL = "claude-sonnet-4-5-20250929"
LONGEST = 200  # characters of a text that the samples keep: the program's own prompts are longer
# what the stub says was used: fresh input, cache writes, cache reads, output, thinking
USAGE = {
    "List the files": [(13, 3000, 11000, 141, 0), (21, 250, 14000, 60, 24)],
    "And again": [(7, 100, 14250, 33, 0)],
    "Ask a helper": [(15, 120, 14350, 88, 0), (9, 2000, 0, 410, 0), (30, 400, 14470, 52, 0)],
}
TOOLS = {
    "List the files": {"name": "Bash", "input": {"command": "ls", "description": "List files"}},
    "Ask a helper": {
        "name": "Agent",
        "input": {"description": "Helper", "prompt": "Say hello", "subagent_type": "Explore"},
    },
}


class Stub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    waiting: ClassVar[list] = []
    asked = 0

    def do_HEAD(self):
        self.answer(200, "application/json", b"")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if not body.get("stream") or not Stub.waiting:
            error = {"type": "error", "error": {"type": "invalid_request_error", "message": "No"}}
            self.answer(400, "application/json", json.dumps(error).encode())
            return
        Stub.asked += 1
        prompt, number, (fresh, written, read, output, thought) = Stub.waiting.pop(0)
        usage = {
            "input_tokens": fresh, "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read, "service_tier": "standard", "inference_geo": "us",
            "cache_creation": {"ephemeral_5m_input_tokens": written},
            "output_tokens": 1, "output_tokens_details": {"thinking_tokens": thought},
        }  # fmt: skip
        message = {
            "id": f"msg_{Stub.asked:04d}", "type": "message", "role": "assistant", "model": MODEL,
            "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage,
        }  # fmt: skip
        tool = TOOLS.get(prompt) if number == 0 else None
        events = [{"type": "message_start", "message": message}, *blocks(tool)]
        stop = {"stop_reason": "tool_use" if tool else "end_turn", "stop_sequence": None}
        ends = [
            {"type": "message_delta", "delta": stop, "usage": {**usage, "output_tokens": output}},
            {"type": "message_stop"},
        ]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("request-id", f"req_{Stub.asked:04d}")
        self.send_header("connection", "close")
        self.end_headers()
        self.tell(events)
        time.sleep(2)  # so that the first lines are written before the final usage is known
        self.tell(ends)
        self.close_connection = True

    def tell(self, events):
        for event in events:
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        self.wfile.flush()

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def blocks(tool):
    """The events of a block of text and, if there is one, of the use of a tool."""
    found = [("text", {"type": "text", "text": ""}, {"type": "text_delta", "text": "I look."})]
    if tool:
        start = {"type": "tool_use", "id": f"toolu_{Stub.asked:04d}", **tool, "input": {}}
        given = {"type": "input_json_delta", "partial_json": json.dumps(tool["input"])}
        found.append(("tool", start, given))
    for place, (_, start, delta) in enumerate(found):
        yield {"type": "content_block_start", "index": place, "content_block": start}
        yield {"type": "content_block_delta", "index": place, "delta": delta}
        yield {"type": "content_block_stop", "index": place}


def run(program, home, port, prompt, *options):
    """One run of Claude Code in a home and a folder of its own."""
    Stub.waiting = [(prompt, number, used) for number, used in enumerate(USAGE.get(prompt, ()))]
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": f"{home}/user", "TERM": "dumb",
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}", "ANTHROPIC_API_KEY": "not-a-key",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_MAX_RETRIES": "0",
    }  # fmt: skip
    command = [program, "-p", prompt, "--model", MODEL, "--allowedTools", "Bash,Agent",
               "--output-format", "json", *options]  # fmt: skip
    done = subprocess.run(
        command, cwd=f"{home}/user/project", env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return json.loads(done.stdout)["session_id"]


def shortened(value):
    """A value without its long texts."""
    if isinstance(value, dict):
        return {key: shortened(part) for key, part in value.items()}
    if isinstance(value, list):
        return [shortened(part) for part in value][:5]
    return "(a long text)" if isinstance(value, str) and len(value) > LONGEST else value


def keep(home, path, name):
    lines = path.read_text(encoding="utf-8").replace(f"{home}/user", "/home/user").splitlines()
    text = "".join(json.dumps(shortened(json.loads(line))) + "\n" for line in lines)
    (HERE / name).write_text(text, encoding="utf-8")


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as home:
        Path(home, "user", "project").mkdir(parents=True)
        Path(home, "user", "project", "a.txt").write_text("hello\n", encoding="utf-8")
        arguments = (sys.argv[1], home, server.server_port)
        first = run(*arguments, "List the files")
        second = run(*arguments, "And again", "--resume", first, "--fork-session")
        third = run(*arguments, "Ask a helper")
        failed = run(*arguments, "Fail")
        folder = next(Path(home, "user", ".claude", "projects").iterdir())
        names = {first: "1", second: "2-resumed", third: "3-helper", failed: "4-failed"}
        for session, name in names.items():
            keep(home, folder / f"{session}.jsonl", f"sample-{name}.jsonl")
        for path in folder.glob("**/agent-*.jsonl"):
            keep(home, path, "sample-3-helper-sidechain.jsonl")
    server.shutdown()


if __name__ == "__main__":
    main()
