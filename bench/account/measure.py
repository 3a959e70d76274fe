"""What a piece of work takes in a process of its own: processor time, wall time, memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).parents[2]


class Took(NamedTuple):
    """The best of several tries, each in a fresh process.

    Attributes:
        cpu_s: user and system time of all threads [s].
        wall_s: wall time [s].
        rss_b: the most memory that the process held, the largest of the tries [B].
        told: what else the last try said.
    """

    cpu_s: float
    wall_s: float
    rss_b: float
    told: dict[str, Any]


class Failed(RuntimeError):
    """A piece of work ended with an error; the last lines that it wrote say which."""


def environment() -> dict[str, str]:
    """The environment of a user: English, no settings of theirs, one thread of arithmetic."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("KILOWHAT_")}
    return kept | {"LANGUAGE": "en", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def best(work: str, tries: int, **arguments: Any) -> Took:
    """The least that a piece of work of `bench.account.work` takes.

    Raises:
        Failed: it ended with an error.
    """
    return least([once(work, **arguments) for _ in range(tries)])


def least(tries: Sequence[Took]) -> Took:
    """The best of several tries."""
    return Took(
        min(each.cpu_s for each in tries),
        min(each.wall_s for each in tries),
        max(each.rss_b for each in tries),
        tries[-1].told,
    )


def once(work: str, **arguments: Any) -> Took:
    """What one try takes, in a fresh process.

    Raises:
        Failed: it ended with an error.
    """
    command = [sys.executable, "-m", "bench.account.work", work, json.dumps(arguments)]
    done = subprocess.run(
        command, check=False, cwd=ROOT, env=environment(), capture_output=True, text=True
    )
    if done.returncode:
        raise Failed(f"{work}: {' '.join(done.stderr.strip().splitlines()[-3:])}")
    told = json.loads(done.stdout.splitlines()[-1])
    return Took(told.pop("cpu_s"), told.pop("wall_s"), told.pop("rss_b"), told)


def timed(work: Callable[[], Any]) -> dict[str, float]:
    """Processor time and wall time of a piece of work in this process [s]."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}


def peak_b(process: int | str = "self") -> int:
    """The most memory that a process has held so far [B]."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def cpu_s(process: int) -> float:
    """User and system time of another process [s]."""
    stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
