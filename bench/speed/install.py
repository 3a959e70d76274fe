"""What a fresh installation takes: disk, and time to the first number."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from bench.speed.measure import environment

ROOT = Path(__file__).parents[2]
ASKED = ("estimate", "gpt-4o", "--out", "400", "--zone", "FRA")
_OF_PIP = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence.pth")


class Installed(NamedTuple):
    """Disk that the installation fills [B], and time from its end to the first number [s]."""

    size_b: int
    first_s: float


def measure(directory: Path) -> Installed:
    """Install the package alone into a fresh environment, and run it once.

    Raises:
        subprocess.CalledProcessError: the packages cannot be fetched, or the command fails.
    """
    venv = directory / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    install = [venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", ROOT]
    subprocess.run(install, check=True, env=environment())
    start = time.perf_counter()
    subprocess.run(
        [venv / "bin" / "kilowhat", *ASKED], check=True, cwd=directory,
        env=environment(), stdout=subprocess.DEVNULL,
    )  # fmt: skip
    first_s = time.perf_counter() - start
    [packages] = venv.glob("lib/python*/site-packages")
    return Installed(_size(packages), first_s)


def _size(packages: Path) -> int:
    """The disk blocks of what was installed, as `du` counts, compiled modules included [B]."""
    total = 0
    for top in packages.iterdir():
        if not top.name.startswith(_OF_PIP):
            total += sum(512 * path.lstat().st_blocks for path in (top, *top.rglob("*")))
    return total
