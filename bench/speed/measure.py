"""How long commands and loops take: the best of several tries, since others use the machine too."""

from __future__ import annotations

import gc
import os
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class Took(NamedTuple):
    """The best wall time and the best processor time (user and system) of some tries [s]."""

    wall_s: float
    cpu_s: float


def environment() -> dict[str, str]:
    """The environment of a user: compiled modules are kept, English, one thread."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("KILOWHAT_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {"LANGUAGE": "en", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def command(arguments: Sequence[str], tries: int, cwd: Path) -> Took:
    """How long a command takes from start to exit; run once before, so that its files are read.

    Raises:
        subprocess.CalledProcessError: the command fails.
    """
    walls, cpus = [], []
    for _ in range(tries + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        subprocess.run(
            arguments, check=True, cwd=cwd, env=environment(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        walls.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return Took(min(walls[1:]), min(cpus[1:]))


def importing(name: str, tries: int, cwd: Path) -> Took:
    """How long an import takes inside a fresh interpreter, the interpreter's own start left out."""
    code = (
        "import sys, time; w, c = time.perf_counter(), time.process_time(); "
        f"import {name}; print(time.perf_counter() - w, time.process_time() - c)"
    )
    found = []
    for _ in range(tries + 1):
        said = subprocess.run(
            [sys.executable, "-c", code], check=True, cwd=cwd, env=environment(),
            capture_output=True, text=True,
        )  # fmt: skip
        found.append([float(part) for part in said.stdout.split()])
    return Took(min(w for w, _ in found[1:]), min(c for _, c in found[1:]))


def loops(works: Sequence[Callable[[], object]], tries: int) -> list[Took]:
    """How long each of some loops takes; they take turns, so that a busy minute hits them all."""
    best = [Took(float("inf"), float("inf"))] * len(works)
    for _ in range(tries + 1):
        for index, work in enumerate(works):
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            took = Took(time.perf_counter() - wall, time.process_time() - cpu)
            best[index] = Took(*map(min, best[index], took))
    return best
