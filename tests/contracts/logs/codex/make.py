"""Write the samples: sessions that Codex CLI itself writes while it talks to a loopback stub.

    npm pack @openai/codex@0.169.0-linux-x64   (and 0.115.0-linux-x64, and 0.63.0)
    python make.py CODEX-0.169 CODEX-0.115 CODEX-0.63   (the programs in the packages' vendor/)

Run it where nothing but the loopback can be reached, for example under ``unshare -n``, and with
TMPDIR outside of /tmp, where Codex does not want its home.
"""

import json
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

HERE = Path(__file__).parent
MODEL = "gpt-5.1-codex"
LONGEST = 200  # characters of a text that the samples keep: the program's own prompts are longer
# what the stub says was used: input, of which cached, output, of which reasoning
USAGE = {
    "0.169": [(9100, 0, 201, 128), (9200, 8064, 202, 64), (9300, 9088, 203, 0), (9400, 0, 90, 10)],
    "0.115": [(9500, 0, 301, 128), (9600, 8064, 302, 64), (9700, 9088, 303, 0), (9800, 9600, 77, 7),
              (9900, 9728, 555, 0), (4000, 2048, 40, 4)],
    "0.63": [(5000, 0, 50, 5), (5100, 4992, 51, 0), (12000, 5120, 152, 2)],
}  # fmt: skip


class Stub(BaseHTTPRequestHandler):
    version: ClassVar[str] = ""
    waiting: ClassVar[list] = []

    def do_GET(self):
        self.send_error(404)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        total, cached, output, reasoning = Stub.waiting.pop(0)
        number = len(USAGE[Stub.version]) - len(Stub.waiting)
        item = {
            "type": "message", "role": "assistant", "id": f"msg_{number}",
            "content": [{"type": "output_text", "text": "Done."}],
        }  # fmt: skip
        names = [tool.get("name") for tool in body.get("tools", [])]
        if number == 1:
            name = next(n for n in ("shell_command", "exec_command", "shell") if n in names)
            given = {"shell": {"command": ["ls"]}, "shell_command": {"command": "ls"}}
            arguments = json.dumps(given.get(name, {"cmd": "ls"}))
            item = {"type": "function_call", "call_id": "call_1", "name": name,
                    "arguments": arguments}  # fmt: skip
        response = {"id": f"resp_{Stub.version}_{number}"}
        usage = {
            "input_tokens": total, "input_tokens_details": {"cached_tokens": cached},
            "output_tokens": output, "output_tokens_details": {"reasoning_tokens": reasoning},
            "total_tokens": total + output,
        }  # fmt: skip
        events = [
            {"type": "response.created", "response": response},
            {"type": "response.output_item.done", "item": item},
            {"type": "response.completed", "response": {**response, "usage": usage}},
        ]
        text = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Home:
    """Where one version of Codex lives."""

    def __init__(self, folder, version, program, port):
        Stub.version, Stub.waiting = version, list(USAGE[version])
        self.home, self.program = Path(folder, version, "user"), program
        self.project = self.home / "project"
        self.project.mkdir(parents=True)
        (self.project / "a.txt").write_text("hello\n", encoding="utf-8")
        address = f'base_url="http://127.0.0.1:{port}/v1"'
        provider = f'name="stub",{address},env_key="STUB_KEY",wire_api="responses"'
        self.settings = [
            "-c", "model_provider=stub", "-c", f"model_providers.stub={{{provider}}}",
        ]  # fmt: skip
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "STUB_KEY": "none"}

    def execute(self, *arguments):
        command = [self.program, "exec", "--skip-git-repo-check", *self.settings, "-m", MODEL]
        subprocess.run(
            [*command, *arguments], cwd=self.project, env=self.environment, check=True, timeout=60,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def sessions(self):
        """The session files, the oldest first."""
        found = (self.home / ".codex" / "sessions").glob("**/*.jsonl")
        return sorted(found, key=lambda path: path.name)

    def keep(self, *names):
        for path, name in zip(self.sessions(), names, strict=True):
            text = path.read_text(encoding="utf-8").replace(str(self.home), "/home/user")
            lines = (json.dumps(shortened(json.loads(line))) + "\n" for line in text.splitlines())
            (HERE / name).write_text("".join(lines), encoding="utf-8")


class Talk:
    """A conversation with ``codex app-server``."""

    def __init__(self, home):
        self.number = 0
        self.process = subprocess.Popen(
            [home.program, "app-server", *home.settings], cwd=home.project, env=home.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.call("initialize", clientInfo={"name": "sample", "title": "sample", "version": "1"})
        self.write(method="initialized")

    def write(self, **message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def until(self, key, value):
        while True:
            told = json.loads(self.process.stdout.readline())
            if told.get(key) == value:
                return told

    def call(self, method, **given):
        self.number += 1
        self.write(id=self.number, method=method, params=given)
        return self.until("id", self.number)["result"]

    def turn(self, thread, text):
        self.call("turn/start", threadId=thread, input=[{"type": "text", "text": text}])
        self.until("method", "turn/completed")

    def compact(self, thread):
        self.call("thread/compact/start", threadId=thread)
        self.until("method", "turn/completed")

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


def forked(home, *, compacted):
    """A session of two turns, another that goes on from it, and perhaps a compaction there."""
    talk = Talk(home)
    options = {"cwd": str(home.project), "approvalPolicy": "never", "sandbox": "read-only"}
    first = talk.call("thread/start", model=MODEL, **options)["thread"]["id"]
    talk.turn(first, "List the files")
    talk.turn(first, "Thanks")
    fork = talk.call("thread/fork", threadId=first, model=MODEL)["thread"]["id"]
    talk.turn(fork, "Something else")
    if compacted:
        talk.compact(fork)
        talk.turn(fork, "And now?")
    talk.close()


def shortened(value):
    """A value without its long texts."""
    if isinstance(value, dict):
        return {key: shortened(part) for key, part in value.items()}
    if isinstance(value, list):
        return [shortened(part) for part in value][:5]
    return "(a long text)" if isinstance(value, str) and len(value) > LONGEST else value


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    new, older, oldest = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        home = Home(folder, "0.169", new, server.server_port)
        forked(home, compacted=False)
        home.keep("sample-169-1.jsonl", "sample-169-2-fork.jsonl")
        home = Home(folder, "0.115", older, server.server_port)
        forked(home, compacted=True)
        home.keep("sample-115-1.jsonl", "sample-115-2-fork.jsonl")
        home = Home(folder, "0.63", oldest, server.server_port)
        home.execute("List the files")
        home.execute("resume", "--last", "Again")
        home.keep("sample-63-resumed.jsonl")
    server.shutdown()


if __name__ == "__main__":
    main()
