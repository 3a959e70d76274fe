"""The tables of the page: targets beside what was measured, engines, parts, session logs."""

from __future__ import annotations

import math
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.account.measure import Took
    from bench.account.run import Found

_MB = 2**20  # of memory, as in the targets
_ENGINES = {
    "polars": ("Polars {}, streaming", "polars"),
    "narwhals": ("Narwhals {} over DuckDB, with our expressions", "narwhals"),
    "spark": ("PySpark {} local[2], with our text", "pyspark"),
}


class Target(NamedTuple):
    """One line of the table of targets."""

    what: str
    measured: str
    limit: str
    is_met: bool


def made(found: Found) -> dict[str, str]:
    """Every table by its place in the page."""
    return {
        "targets": _table(
            ("", "measured", "target", "met"),
            [(*each[:3], "yes" if each.is_met else "**no**") for each in targets(found)],
        ),
        "engines": _engines(found),
        "command": _command(found),
        "sessions": _sessions(found),
        "skipped": _skipped(found),
    }


def missed(found: Found) -> int:
    """How many targets were missed."""
    return sum(not each.is_met for each in targets(found))


def targets(found: Found) -> list[Target]:
    """Every target with what was measured: ratios first, then times and memory."""
    return [*_ratios(found), *_growth(found), *_ecologits(found), *_equal(found), *_times(found),
            *_memory(found)]  # fmt: skip


def _most(what: str, value: float, limit: float, shown: str) -> Target:
    return Target(what, shown.format(value), f"≤ {shown.format(limit)}", value <= limit)


def _least(what: str, value: float, limit: float, shown: str) -> Target:
    return Target(what, shown.format(value), f"≥ {shown.format(limit)}", value >= limit)


def _ratios(found: Found) -> Iterator[Target]:
    passes: dict[str, tuple[str, dict[str, float]]] = {
        "cells": ("the pass that makes cells, over DuckDB's own scan", {"middle": 2, "large": 1.5}),
        "hourly": ("the same with hourly factors, over the scan", {"middle": 3, "large": 3}),
    }
    for work, (what, limits) in passes.items():
        for size, limit in limits.items():
            value = found.took[work, size].cpu_s / found.took["scan", size].cpu_s
            yield _most(f"{what}, {_rows(found, size)}", value, limit, "{:.2f}×")


def _growth(found: Found) -> Iterator[Target]:
    for work, what in {"cells": "the pass", "command": "the whole command"}.items():
        for first in ("small", "middle"):
            ratio = found.rows["large"] / found.rows[first]
            times = [found.took[work, size].cpu_s for size in ("large", first)]
            value = math.log(times[0] / times[1]) / math.log(ratio)
            told = f"time of {what} goes with rows to the power, {ratio:.0f}-fold rows"
            yield _most(told, value, 1.05, "{:.2f}")


def _ecologits(found: Found) -> Iterator[Target]:
    took = found.took.get(("ecologits", "middle"))
    if took is None:
        return
    told = took.told
    yield _least(
        f"EcoLogits' formulas, our query over its library on {told['sample_rows']:,.0f} calls",
        told["ratio"], 2000, "{:,.0f}×",
    )  # fmt: skip
    difference = told["largest_relative_difference"]
    yield _most("… and the largest relative difference of all outputs", difference, 1e-12, "{:.0e}")


def _equal(found: Found) -> Iterator[Target]:
    for name in _ENGINES:
        if (name, "middle") in found.took:
            value = found.took[name, "middle"].told["different"]
            yield Target(f"cells that differ from {_engine(name)}", f"{value:,}", "0", value == 0)


def _times(found: Found) -> Iterator[Target]:
    for size in ("middle", "large"):
        value = found.rows[size] / found.took["cells", size].cpu_s / 1e6
        told = f"rows a second and core, {_rows(found, size)}"
        yield _least(told, value, 7, "{:.1f} million")
    cells = found.took["cells", "middle"].told["cells"]
    for draws in ("4000", "1024"):
        value = found.took["report", draws].told["parts"]["price"]["cpu_s"]
        told = f"four tables and the rest of a report of {cells:,} cells, {int(draws):,} draws"
        yield _most(told, value, 1, "{:.2f} s")
    took = found.took["what-if", "1024"]
    value = max(each["cpu_s"] for each in took.told["what_if"])
    yield _most(f"`--what-if` on {cells:,} cells", value, 0.5, "{:.2f} s")


def _memory(found: Found) -> Iterator[Target]:
    for size in found.rows:
        value = found.took["command", size].rss_b / _MB
        yield _most(f"peak memory of the command, {_rows(found, size)}", value, 512, "{:.0f} MB")


def _rows(found: Found, size: str) -> str:
    return f"{found.rows[size] / 1e6:g} million rows"


def _engine(name: str) -> str:
    words, package = _ENGINES[name]
    return words.format(version(package))


def _engines(found: Found) -> str:
    """Every pass over the middle and the large log."""
    shown: list[tuple[str, str, Took]] = []
    for size in ("middle", "large"):
        for work, words in {
            "scan": "DuckDB's scan of the columns", "cells": "**cells, as the command runs them**",
            "hourly": "cells with hourly factors",
        }.items():  # fmt: skip
            shown.append((words, size, found.took[work, size]))
        there = [name for name in _ENGINES if (name, size) in found.took]
        shown += [(_engine(name), size, found.took[name, size]) for name in there]
    rows = []
    for words, size, took in shown:
        base = found.took["scan", size]
        rows.append(
            (f"{found.rows[size] / 1e6:g} M", words, f"{took.cpu_s / base.cpu_s:.2f}×",
             f"{took.cpu_s:.2f} s", f"{took.wall_s:.2f} s", f"{took.rss_b / _MB:.0f} MB")
        )  # fmt: skip
    return _table(("rows", "", "over the scan", "CPU", "wall", "peak memory"), rows)


def _command(found: Found) -> str:
    """The whole command and its parts."""
    rows = []
    for size, count in found.rows.items():
        whole, parts = found.took["command", size], found.took["parts", size].told["parts"]
        rows.append(
            (f"{count / 1e6:g} M", f"{found.size_b[size] / 1e6:,.0f} MB", f"{whole.wall_s:.1f} s",
             f"{whole.cpu_s:.1f} s", f"{parts['read']['cpu_s']:.1f} s",
             f"{parts['sum']['cpu_s']:.1f} s", f"{parts['price']['cpu_s']:.1f} s",
             f"{whole.rss_b / _MB:.0f} MB")
        )  # fmt: skip
    return _table(
        ("rows", "on the disk", "wall", "CPU", "… until cells are begun", "… cells and counts",
         "… prices and tables", "peak memory"), rows,
    )  # fmt: skip


def _sessions(found: Found) -> str:
    rows = []
    for (work, name), took in found.took.items():
        if work == "session":
            size_mb = found.size_b[name] / 1e6
            rows.append(
                (name, f"{size_mb:,.0f} MB", f"{size_mb / took.cpu_s:.0f} MB/s",
                 f"{took.cpu_s:.1f} s", f"{took.wall_s:.1f} s", f"{took.rss_b / _MB:.0f} MB")
            )  # fmt: skip
    return _table(("JSON lines", "size", "a core", "CPU", "wall", "peak memory"), rows)


def _skipped(found: Found) -> str:
    told = [f"{_engine(name)}: {reason}." for name, reason in found.skipped.items()]
    return f"Not measured: {' '.join(told)}\n" if told else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(each)} |" for each in lines) + "\n"
