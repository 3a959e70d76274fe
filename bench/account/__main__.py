"""Time `kilowhat account` beside other ways, in one run, and write docs/account_speed.md.

Usage: python -m bench.account [--rows 20000000] [--tries 3] [--json-mb 200] [--without spark]
       [--output FILE]
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from bench.account import generate, tables
from bench.account.run import Benchmark

DOCUMENT = Path(__file__).parents[2] / "docs" / "account_speed.md"
ENGINES = ("polars", "narwhals", "spark", "ecologits")


def _machine(tries: int) -> str:
    """The processor, and what runs on it."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [x for x in info.read_text(encoding="utf-8").splitlines() if "model name" in x]
        name = models[0].partition(":")[2].strip() if models else name
    packages = ", ".join(f"{each} {version(each)}" for each in ("duckdb", "numpy"))
    return f"{name}, Python {platform.python_version()}, {packages}; best of {tries}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000,
                        help="of the middle log; the others have a twentieth and five times as "
                        "many")  # fmt: skip
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--json-mb", type=int, default=200, help="of each log of JSON lines")
    parser.add_argument("--without", choices=ENGINES, action="append", default=[])
    parser.add_argument("--folder", type=Path, help="where the logs are written for a while")
    parser.add_argument("--output", type=Path, default=DOCUMENT)
    return parser.parse_args()


def main() -> int:
    """Generate, measure, print the tables, and write the page."""
    options = _options()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        benchmark = Benchmark(
            folder,
            small=generate.log(folder, options.rows // 20, name="small"),
            large=generate.log(folder, options.rows, files=5, name="large"),
            tries=options.tries,
            json_b=options.json_mb * 10**6,
            wanted=[each for each in ENGINES if each not in options.without],
        )
        found = benchmark.run()
    page = (Path(__file__).parent / "page.md").read_text(encoding="utf-8")
    made = tables.made(found)
    for key, table in made.items():
        page = page.replace("{{" + key + "}}", table)
        print(table)
    page = page.replace("{{machine}}", _machine(options.tries))
    options.output.write_text(page, encoding="utf-8")
    missed = tables.missed(found)
    print(f"{time.monotonic() - start:.0f} s; {missed} targets missed", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
