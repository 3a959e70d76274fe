"""Write the sample: what Ollama's own client makes of the answers of a loopback stub.

pip install ollama==0.6.3
python make.py
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import ollama

HERE = Path(__file__).parent
END = {"done": True, "done_reason": "stop"}
ANSWERS = {
    "chat": [
        [{"model": "llama3.2", "created_at": "2025-01-01T10:00:05.5Z",
          "message": {"role": "assistant", "content": "Hello."}, **END,
          "total_duration": 5500000000, "load_duration": 2000000000, "prompt_eval_count": 26,
          "prompt_eval_duration": 500000000, "eval_count": 298, "eval_duration": 3000000000}],
        [{"model": "llama3.2", "created_at": "2025-01-01T10:01:00.123456789Z",
          "message": {"role": "assistant", "content": part}, "done": False}
         for part in ("One", " two")]
        + [{"model": "llama3.2", "created_at": "2025-01-01T12:01:02+02:00",
            "message": {"role": "assistant", "content": ""}, **END,
            "total_duration": 2250000000, "load_duration": 50000000, "eval_count": 40,
            "eval_duration": 2000000000}],
        [{"model": "gpt-oss:120b-cloud", "remote_model": "gpt-oss:120b",
          "remote_host": "https://ollama.com:443", "created_at": "2025-01-01T10:02:00Z",
          "message": {"role": "assistant", "content": "Far away.", "thinking": "Hm."}, **END,
          "total_duration": 900000000, "prompt_eval_count": 70, "eval_count": 120}],
    ],
    "generate": [
        [{"model": "qwen3:8b", "created_at": "2025-01-01T10:03:00Z", "response": "Blue.", **END,
          "context": [1, 2, 3], "total_duration": 1000000000, "load_duration": 0,
          "prompt_eval_count": 11, "prompt_eval_duration": 10000000, "eval_count": 4,
          "eval_duration": 90000000}],
        [{"model": "qwen3:8b", "created_at": "2025-01-01T10:04:00Z", "response": "",
          "done": True, "done_reason": "load"}],
    ],
    "embed": [
        [{"model": "nomic-embed-text", "embeddings": [[0.25, -0.5], [0.125, 1.0]],
          "total_duration": 14143917, "load_duration": 1019500, "prompt_eval_count": 8}],
    ],
}  # fmt: skip


class Stub(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        answer = ANSWERS[self.path.rsplit("/", 1)[1]].pop(0)
        body = "".join(json.dumps(part) + "\n" for part in answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/x-ndjson")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = ollama.Client(host=f"http://127.0.0.1:{server.server_port}")
    ask = [{"role": "user", "content": "Hello"}]
    answers = [client.chat("llama3.2", ask)]
    answers += client.chat("llama3.2", ask, stream=True)
    answers.append(client.chat("gpt-oss:120b-cloud", ask))
    answers.append(client.generate("qwen3:8b", "Why is the sky blue?"))
    answers.append(client.generate("qwen3:8b", ""))
    answers.append(client.embed("nomic-embed-text", ["one", "two"]))
    server.shutdown()
    lines = "".join(answer.model_dump_json() + "\n" for answer in answers)
    (HERE / "sample.jsonl").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main()
