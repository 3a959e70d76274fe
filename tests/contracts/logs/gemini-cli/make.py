"""Write the samples: sessions that Gemini CLI itself writes while it talks to a loopback stub.

    npm pack @google/gemini-cli@0.61.0 && tar xzf google-gemini-cli-*.tgz
    npm install --ignore-scripts @google/gemini-cli@0.26.0
    python make.py package/bundle/gemini.js node_modules/@google/gemini-cli/dist/index.js

Run it where nothing but the loopback can be reached, for example under ``unshare -n``.
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
MODEL = "gemini-2.5-pro"
SETTINGS = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "privacy": {"usageStatisticsEnabled": False},
    "general": {"disableAutoUpdate": True, "enableAutoUpdate": False},
    "telemetry": {"enabled": False},
}
# what the stub says was used: prompt, of which cached, put in by tools, answer, thoughts
USAGE = {
    "new": [(5010, 0, 0, 41, 101), (5020, 3000, 60, 42, 0), (5100, 5000, 0, 7, 9)],
    "old": [(6010, 0, 0, 51, 111), (6020, 4000, 0, 52, 112)],
}


class Stub(BaseHTTPRequestHandler):
    waiting: ClassVar[list] = []
    asked = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if "streamGenerateContent" not in self.path:
            self.answer(404, "application/json", b"{}")
            return
        Stub.asked += 1
        prompt, cached, tools, answer, thoughts = Stub.waiting.pop(0)
        usage = {
            "promptTokenCount": prompt, "cachedContentTokenCount": cached,
            "toolUsePromptTokenCount": tools, "candidatesTokenCount": answer,
            "thoughtsTokenCount": thoughts, "totalTokenCount": prompt + tools + answer + thoughts,
        }  # fmt: skip
        parts = [{"text": "Done."}]
        if b"functionResponse" not in body:
            parts = [{"functionCall": {"name": "list_directory", "args": {"dir_path": "."}}}]
        events = (
            event(usage, [{"text": "I think.", "thought": True}]),
            event(usage, [{"text": "I look."}]),
            event(usage, parts, finishReason="STOP"),
        )
        text = "".join(f"data: {json.dumps(each)}\r\n\r\n" for each in events)
        self.answer(200, "text/event-stream", text.encode())

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def event(usage, parts, **more):
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "index": 0, **more}],
        "usageMetadata": usage, "modelVersion": MODEL, "responseId": f"answer-{Stub.asked}",
    }  # fmt: skip


def run(program, home, port, prompt, *options):
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(home), "TERM": "dumb", "GEMINI_API_KEY": "not-a-key",
        "GOOGLE_GEMINI_BASE_URL": f"http://127.0.0.1:{port}",
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
    }  # fmt: skip
    subprocess.run(
        ["node", program, "-m", MODEL, "-y", "-p", prompt, *options], cwd=home / "project",
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, check=True, timeout=120,
    )  # fmt: skip


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for version, program in zip(("new", "old"), sys.argv[1:], strict=True):
        Stub.waiting = list(USAGE[version])
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder, "user")
            (home / "project").mkdir(parents=True)
            (home / "project" / "a.txt").write_text("hello\n", encoding="utf-8")
            (home / ".gemini").mkdir()
            settings = home / ".gemini" / "settings.json"
            settings.write_text(json.dumps(SETTINGS), encoding="utf-8")
            run(program, home, server.server_port, "List the files")
            if version == "new":
                run(program, home, server.server_port, "Again", "--resume", "latest")
            for path in (home / ".gemini").glob("tmp/*/chats/session-*"):
                text = path.read_text(encoding="utf-8").replace(str(home), "/home/user")
                (HERE / f"sample-{version}{path.suffix}").write_text(text, encoding="utf-8")
    server.shutdown()


if __name__ == "__main__":
    main()
