"""Write the samples with vLLM's own Prometheus logger, fed with the calls of the table below.

    pip install prometheus-client numpy
    pip download --no-deps vllm==0.33.0 && unzip -d WHEEL vllm-*.whl
    python make.py WHEEL

Only ``vllm.v1.metrics`` is imported; stand-ins take the place of the parts that need a GPU.
"""

import importlib.abc
import importlib.machinery
import sys
import types
from pathlib import Path
from unittest.mock import MagicMock

HERE = Path(__file__).parent
KEPT = ("vllm:prompt_tokens", "vllm:generation_tokens", "vllm:request_success", "vllm:prefix_cache")
TEN = 1735725600  # 2025-01-01 10:00 UTC
STARTED = "process_start_time_seconds"
REASONS = ("stop", "length", "abort", "error", "repetition")


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
        if name.startswith("vllm.v1.metrics") or name.split(".")[0] not in {"vllm", "torch"}:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = StandIn(spec.name)
        module.__path__ = [str(Path(sys.argv[1], *spec.name.split(".")))]
        return module

    def exec_module(self, module):
        pass


class Server:
    """vLLM's logger of one process, with its engines."""

    def __init__(self, model, engines, start=None):
        from prometheus_client import REGISTRY  # noqa: F401 - where the logger registers
        from vllm.v1.metrics.loggers import PrometheusStatLogger

        self.start = start
        config = MagicMock()
        config.model_config.served_model_name = model
        config.model_config.max_model_len = 8192
        config.observability_config.custom_histogram_buckets = {}
        config.observability_config.show_hidden_metrics = False
        config.lora_config = config.watermark_config = None
        self.logger = PrometheusStatLogger(config, engine_indexes=list(engines))

    def call(self, engine, computed, cached, transferred, generated, reason="stop", times=1):
        """A call of these tokens that ends for this reason, so many times."""
        from vllm.v1.metrics.stats import FinishedRequestStats, IterationStats, PrefillStats

        for _ in range(times):
            prefill = PrefillStats()
            prefill.set(computed + cached + transferred, cached, transferred)
            iteration = IterationStats()
            iteration.prompt_token_stats.update_from_output(prefill)
            iteration.num_generation_tokens = generated
            ended = FinishedRequestStats(finish_reason=FINISH[reason])
            iteration.finished_requests = [ended]
            self.logger.record(None, iteration, engine_idx=engine)

    def scrape(self):
        """What ``GET /metrics`` gives, of the counters of tokens and requests."""
        from prometheus_client import REGISTRY, generate_latest

        lines = generate_latest(REGISTRY).decode().splitlines()
        kept = [line for line in lines if line.removeprefix("# HELP ").removeprefix("# TYPE ")
                .startswith(KEPT) and "_created" not in line]  # fmt: skip
        if self.start is not None:
            kept = [
                f"# HELP {STARTED} Start time of the process since unix epoch in seconds.",
                f"# TYPE {STARTED} gauge",
                f"{STARTED} {self.start}",
                *kept,
            ]
        return "\n".join(kept) + "\n"


def of_several_scrapes():
    """Two engines scraped each hour into one file; the process restarts after the third."""
    text = []
    server = Server("meta-llama/Llama-3.1-8B-Instruct", (0, 1))
    server.call(0, 1000, 0, 0, 200, times=5)
    server.call(1, 800, 0, 0, 100, times=3)
    text.append(server.scrape())
    server.call(0, 600, 400, 0, 250, times=10)
    server.call(1, 500, 300, 0, 50, "length", times=2)
    text.append(server.scrape())
    server.call(0, 100, 900, 0, 70, "abort", times=4)
    text.append(server.scrape())
    server = Server("meta-llama/Llama-3.1-8B-Instruct", (0, 1))
    server.call(0, 300, 0, 0, 30, times=2)
    server.call(1, 200, 0, 0, 20)
    text.append(server.scrape())
    server.call(1, 50, 150, 0, 10, times=3)
    text.append(server.scrape())
    times = (f"# scrape_time {TEN + 3600 * hour}\n" for hour in range(len(text)))
    write("sample.prom", "".join(time + scrape for time, scrape in zip(times, text, strict=True)))


def of_one_scrape():
    """A server that decodes what another one prefilled, scraped once."""
    server = Server('Qwen/Qwen3-32B "fp8"', (0,), TEN - 7200)
    server.call(0, 10, 90, 900, 400, times=50)
    server.call(0, 10, 0, 0, 0, "error")
    write("sample-once.prom", f"# scrape_time {TEN}\n{server.scrape()}")


def of_a_folder():
    """A file for each scrape; the second is of a new process that did more than the first."""
    server = Server("mistralai/Ministral-8B", (0,), TEN - 600)
    server.call(0, 100, 0, 0, 10)
    write("sample-scrape-1.prom", f"# scrape_time {TEN}\n{server.scrape()}")
    server = Server("mistralai/Ministral-8B", (0,), TEN + 600.5)
    server.call(0, 100, 20, 0, 10, times=7)
    write("sample-scrape-2.prom", f"# scrape_time {TEN + 3600}\n{server.scrape()}")
    server.call(0, 100, 0, 0, 11)
    write("sample-scrape-3.prom", f"# scrape_time {TEN + 7200}\n{server.scrape()}")


def of_an_older_version():
    """Without the counters by source, and with times after the values, in milliseconds."""
    text = ""
    server = Server("google/gemma-2-9b-it", (0,))
    for minute, calls in enumerate((1, 4)):
        server.call(0, 70, 30, 0, 9, times=calls)
        for line in server.scrape().splitlines():
            if "by_source" not in line:
                stamp = "" if line.startswith("#") else f" {(TEN + 60 * minute) * 1000}"
                text += f"{line}{stamp}\n"
    write("sample-stamped.prom", text)


def write(name, text):
    (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.meta_path.insert(0, Finder())
    import enum

    import vllm.v1.engine

    # as in vllm/v1/engine/__init__.py, which cannot be imported without a GPU
    FINISH = enum.IntEnum("FinishReason", {r: i for i, r in enumerate(REASONS)})
    FINISH.__str__ = lambda self: self.name
    vllm.v1.engine.FinishReason = FINISH
    of_several_scrapes()
    of_one_scrape()
    of_a_folder()
    of_an_older_version()
