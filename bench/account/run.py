"""One run of the benchmark: every measurement, by name."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.account import generate
from bench.account.measure import ROOT, Took, best, least, once

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.account.generate import Written

SIZES = ("small", "middle", "large")
SAMPLES = {
    "Claude Code session": ("claude-code/sample-1.jsonl",),
    "OTLP spans": ("otel/sample-official.jsonl",),
}
_REPORT = ("--by", "day", "--by", "model", "--by", "zone", "--by", "team")


@dataclass(slots=True)
class Found:
    """What was measured.

    Attributes:
        rows: of each log, by its size [1].
        size_b: of each log on the disk, by its size, and by what it is a session log of [B].
        took: by (work, size).
        skipped: why an engine was left out, by its name.
    """

    rows: dict[str, int] = field(default_factory=dict)
    size_b: dict[str, int] = field(default_factory=dict)
    took: dict[tuple[str, str], Took] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Benchmark:
    """Measures everything on three logs, and on session logs.

    Attributes:
        folder: for files that are kept for a while.
        small: a log of a twentieth of the rows of the middle one.
        large: five files; the first of them is the middle one.
        tries: of what takes seconds.
        json_b: size of each session log [B].
        wanted: the others that are measured.
    """

    folder: Path
    small: Written
    large: Written
    tries: int
    json_b: int
    wanted: Sequence[str]
    found: Found = field(default_factory=Found)

    def run(self) -> Found:
        """All of it."""
        middle = self.large.first()
        for size, log in zip(SIZES, (self.small, middle, self.large), strict=True):
            self.found.rows[size], self.found.size_b[size] = log.rows, log.size_b
            self._passes(size, [str(path) for path in log.paths])
        self._others([str(path) for path in middle.paths])
        self._reports()
        self._sessions()
        return self.found

    def _note(self, work: str, size: str, took: Took) -> Took:
        self.found.took[work, size] = took
        print(f"{work:12} {size:20} {took.cpu_s:8.2f} s CPU {took.wall_s:8.2f} s "
              f"{took.rss_b / 2**20:7.0f} MB", file=sys.stderr, flush=True)  # fmt: skip
        return took

    def _passes(self, size: str, paths: list[str]) -> None:
        """The passes over a log, which take turns with the scan; then the whole command."""
        hours = self.folder / "hours.parquet"
        generate.hours(hours)
        tries = self.tries if size == "large" else 2 * self.tries
        scans, cells, grids = [], [], []
        for number in range(tries):
            scans.append(once("scan", paths=paths))
            save = str(self._cells("duckdb")) if size == "middle" and number == 0 else ""
            cells.append(once("cells", paths=paths, save=save))
            grids.append(once("hourly", paths=paths, hours=str(hours)))
        for name, taken in {"scan": scans, "cells": cells, "hourly": grids}.items():
            self._note(name, size, least(taken))
        kept = str(self.folder / "kept.parquet")
        arguments = ["account", *paths, *_REPORT]
        self._note("command", size, best("command", 2, arguments=arguments))
        saved = {"save_cells": kept} if size == "middle" else {}
        self._note("parts", size, best("parts", 1, paths=paths, by=[*_REPORT[1::2]], **saved))

    def _cells(self, engine: str) -> Path:
        return self.folder / f"cells-{engine}"

    def _others(self, paths: list[str]) -> None:
        """Other engines and EcoLogits on the middle log; are the cells of all of them the same?"""
        if "spark" in self.wanted and shutil.which("java") is None:
            self.found.skipped["spark"] = "no Java on the path"
        for name in ("polars", "narwhals", "spark"):
            if name not in self.wanted:
                self.found.skipped[name] = "left out of this run"
            if name in self.found.skipped:
                continue
            save = self._cells(name)
            tries = self.tries if name == "polars" else 1  # the others take long
            took = best(name, tries, paths=paths, save=str(save))
            theirs = f"{save}/*.parquet" if name == "spark" else str(save)
            said = once("same", ours=str(self._cells("duckdb")), theirs=theirs)
            took.told["different"] = said.told["different"]
            self._note(name, "middle", took)
        if "ecologits" in self.wanted:
            rows = self.found.rows["middle"]
            self._note("ecologits", "middle", once("ecologits", path=paths[0], rows=rows))

    def _reports(self) -> None:
        """Reports of cells that exist: at 1,024 and 4,000 draws, and otherwise."""
        kept = str(self.folder / "kept.parquet")
        asked: dict[str, Any] = {"paths": [], "cells": [kept], "by": [*_REPORT[1::2]]}
        for draws in (1024, 4000):
            self._note("report", f"{draws}", best("parts", 2, draws=draws, **asked))
        changes = ["zone=SWE", "model=gpt-4o-mini"]
        self._note("what-if", "1024", best("parts", 2, what_if=changes, **asked))

    def _sessions(self) -> None:
        """Logs of JSON lines through the whole command."""
        samples = ROOT / "tests" / "contracts" / "logs"
        for name, files in SAMPLES.items():
            path = self.folder / "session.jsonl"
            chosen = [samples / file for file in files]
            self.found.size_b[name] = generate.lines(path, chosen, self.json_b)
            took = best("command", 2, arguments=["account", str(path), "--zone", "FRA"])
            self._note("session", name, took)
