"""Write the sample: what a real llama.cpp server answers, for a tiny model of random weights.

    pip install gguf==0.19.0 numpy cmake ninja
    pip download --no-deps --no-binary :all: llama-cpp-python==0.3.36 && tar xzf llama_cpp*.tar.gz
    cmake -G Ninja -S llama_cpp_python-*/vendor/llama.cpp -B BUILD -DLLAMA_OPENSSL=OFF \
        -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF && ninja -C BUILD llama-server
    python make.py BUILD/bin/llama-server llama_cpp_python-*/vendor/llama.cpp
"""

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import gguf
import numpy as np

HERE = Path(__file__).parent
PORT, WIDTH = 8766, 64
PROMPT = "Once upon a time there was a small house at the edge of the woods, and in it a clock."
CHAT = {"messages": [{"role": "user", "content": PROMPT}], "max_tokens": 6}
LONG = ("generation_settings", "prompt")  # left out of the sample


def write_model(vocabulary, path):
    """A LLaMA of one layer, with the tokens of llama.cpp's own test vocabulary."""
    writer = gguf.GGUFWriter(path, "llama")
    for key, field in gguf.GGUFReader(vocabulary).fields.items():
        if key.startswith("tokenizer."):
            value = field.contents()
            size = len(value) if key == "tokenizer.ggml.tokens" else None
            many = field.types[0] == gguf.GGUFValueType.ARRAY
            writer.add_key_value(
                key, value, field.types[0], sub_type=field.types[-1] if many else None
            )
            words = size or locals().get("words")
    writer.add_context_length(4096)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // 2)
    writer.add_vocab_size(words)
    random = np.random.default_rng(0)
    for name, rows in {"token_embd": words, "output": words, "blk.0.ffn_gate": WIDTH,
                       "blk.0.ffn_up": WIDTH, "blk.0.ffn_down": WIDTH, "blk.0.attn_q": WIDTH,
                       "blk.0.attn_k": WIDTH, "blk.0.attn_v": WIDTH,
                       "blk.0.attn_output": WIDTH}.items():  # fmt: skip
        weights = random.standard_normal((rows, WIDTH)) * 0.05
        writer.add_tensor(f"{name}.weight", weights.astype(np.float32))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def ask(path, **body):
    """The answers of the server: one, or the events of a stream."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}{path}",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        text = answer.read().decode()
    if not body.get("stream"):
        return [json.loads(text)]
    events = (line.removeprefix("data: ") for line in text.splitlines() if line)
    return [json.loads(event) for event in events if event != "[DONE]"]


def wait():
    """Until the server is ready."""
    for _ in range(60):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health").close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    sys.exit("the server does not start")


def answers():
    yield from ask("/completion", prompt=PROMPT, n_predict=8)
    yield from ask("/completion", prompt=PROMPT + " It told", n_predict=8)
    yield from ask("/completion", prompt="Two", n_predict=3, stream=True, timings_per_token=True)
    yield from ask("/v1/chat/completions", **CHAT)
    yield from ask("/v1/chat/completions", **CHAT, stream=True)
    yield from ask("/v1/chat/completions", **CHAT, stream=True, timings_per_token=True,
                   stream_options={"include_usage": True})  # fmt: skip
    yield from ask("/v1/completions", prompt=PROMPT, max_tokens=4)


def main():
    program, source = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/tiny.gguf"
        write_model(f"{source}/models/ggml-vocab-llama-spm.gguf", model)
        server = subprocess.Popen(
            [program, "-m", model, "-a", "tiny-llama", "--port", str(PORT), "-t", "1", "-c",
             "2048", "-np", "1", "--seed", "1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait()
        found = list(answers())
        server.terminate()
        server.wait()
    lines = ({k: v for k, v in answer.items() if k not in LONG} for answer in found)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (HERE / "sample.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
