"""Write the samples with SGLang's own metrics collector, fed with the calls of the table below.

    pip install prometheus-client msgspec numpy
    pip download --no-deps sglang==0.5.23 && unzip -d WHEEL sglang-*.whl
    python make.py WHEEL

Only ``sglang.srt.observability.metrics_collector`` is imported; stand-ins take the place of the
parts that need a GPU.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from pathlib import Path
from unittest.mock import MagicMock

HERE = Path(__file__).parent
REAL = "sglang.srt.observability.metrics_collector"
KEPT = ("sglang:prompt_tokens_total", "sglang:cached_tokens", "sglang:generation_tokens_total",
        "sglang:num_requests", "sglang:num_aborted")  # fmt: skip
TEN = 1735725600  # 2025-01-01 10:00 UTC


class Anything:
    """An object of a class that is not needed."""

    def __init__(self, *given, **named):
        pass

    def __getattr__(self, name):
        return MagicMock(name=name)


class StandIn(types.ModuleType):
    """A module that has whatever it is asked for."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = MagicMock(name=name)
        if name[:1].isupper():
            found = type(name, (Anything,), {})
        setattr(self, name, found)
        return found


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        if name == REAL or name.split(".")[0] not in {"sglang", "torch"}:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = StandIn(spec.name)
        module.__path__ = [str(Path(sys.argv[1], *spec.name.split(".")))]
        return module

    def exec_module(self, module):
        pass


class Server:
    """SGLang's collector of one process."""

    def __init__(self, model, engine_type="unified"):
        from prometheus_client import REGISTRY

        REGISTRY._collector_to_names.clear()  # as in a new process
        REGISTRY._names_to_collectors.clear()
        metrics_collector = importlib.import_module(REAL)
        metrics_collector.generate_buckets = lambda _, default: default
        self.labels = {"model_name": model, "engine_type": engine_type}
        self.collector = metrics_collector.TokenizerMetricsCollector(labels=self.labels)

    def call(self, prompt, cached, generated, streaming=False, times=1):
        """A call of these tokens, so many times; cached is {tier: tokens}."""
        for _ in range(times):
            self.collector.observe_one_finished_request(
                self.labels, prompt, generated, sum(cached.values()), 1.0, False, cached,
                is_streaming=streaming,
            )  # fmt: skip

    def scrape(self, time):
        """What ``GET /metrics`` gives, of the counters of tokens and requests."""
        from prometheus_client import REGISTRY, generate_latest

        lines = generate_latest(REGISTRY).decode().splitlines()
        kept = [line for line in lines if line.removeprefix("# HELP ").removeprefix("# TYPE ")
                .startswith(KEPT) and "_created" not in line]  # fmt: skip
        return "\n".join([f"# scrape_time {time}", *kept]) + "\n"


def of_several_scrapes():
    """The labels of streams and of cache tiers appear with their first call."""
    server = Server("qwen/qwen2.5-7b-instruct")
    server.call(1000, {"device": 0}, 100, times=3)
    text = server.scrape(TEN)
    server.call(1000, {"device": 600, "host": 100}, 150, times=2)
    server.call(500, {"device": 0}, 50, streaming=True, times=4)
    text += server.scrape(TEN + 3600)
    text += server.scrape(TEN + 7200)
    server = Server("qwen/qwen2.5-7b-instruct")
    server.call(400, {"device": 0}, 40)
    text += server.scrape(TEN + 10800)
    write("sample.prom", text)


def of_servers_apart():
    """A server for prefill and one for decoding, each scraped once."""
    server = Server("deepseek-ai/DeepSeek-V3", "prefill")
    server.call(2000, {"device": 500, "host": 0, "storage": 300}, 1, times=10)
    write("sample-prefill.prom", server.scrape(TEN))
    server = Server("deepseek-ai/DeepSeek-V3", "decode")
    server.call(2000, {"device": 0, "host": 0, "storage": 300}, 700, times=10)
    write("sample-decode.prom", server.scrape(TEN))


def write(name, text):
    (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.meta_path.insert(0, Finder())
    of_several_scrapes()
    of_servers_apart()
