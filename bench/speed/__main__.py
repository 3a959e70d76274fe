"""Time kilowhat beside EcoLogits, in one run, and write the table into docs/speed.md.

Usage: python -m bench.speed [--tries N] [--lines N] [--no-install] [--output FILE]
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from bench.speed import install, measure, work

DOCUMENT = Path(__file__).parents[2] / "docs" / "speed.md"
KILOWHAT = (sys.executable, "-m", "kilowhat")
PEER_COLD = (
    "from ecologits.tracers.utils import llm_impacts; "
    "llm_impacts('openai', 'gpt-4o', 400, 5.0, 'FRA')"
)
SINGLES = 2000


class Row(NamedTuple):
    """One line of the table."""

    what: str
    ours: str
    theirs: str
    target: str
    is_met: bool


def _ms(took: measure.Took) -> str:
    return f"{took.wall_s * 1e3:.0f} ms (CPU {took.cpu_s * 1e3:.0f})"


def _command(what: str, ours: measure.Took, theirs: str, limit_ms: int) -> Row:
    return Row(what, _ms(ours), theirs, f"< {limit_ms} ms", ours.wall_s * 1e3 < limit_ms)


def starts(tries: int, cwd: Path) -> list[Row]:
    """The commands and the import, each in a fresh process."""
    helped = measure.command([*KILOWHAT, "--help"], tries, cwd)
    cold = measure.command([*KILOWHAT, *install.ASKED], tries, cwd)
    peer = measure.command([sys.executable, "-c", PEER_COLD], tries, cwd)
    imported = measure.importing("kilowhat", tries, cwd)
    asked = " ".join(install.ASKED)
    return [
        _command("`kilowhat --help`", helped, "—", 150),
        _command(f"`kilowhat {asked}`, cold", cold, f"{_ms(peer)}, one `llm_impacts`", 400),
        _command("`import kilowhat`, without the interpreter's start", imported, "—", 30),
    ]


def rates(tries: int, lines: int, cwd: Path) -> list[Row]:
    """Uses a second: in a program, and through ``--from``."""
    singles, whole = work.uses(SINGLES), work.uses(lines)
    file = cwd / "uses.jsonl"
    work.write_lines(file, whole)
    found = []
    mine, peer = measure.loops([work.ours(singles), work.theirs(singles)], tries)
    own, base = SINGLES / mine.wall_s, measure.Took(*(SINGLES / took for took in peer))
    found.append(
        Row(
            "estimates a second in a program, five impacts, 1,024 draws",
            f"{own:,.0f} ({own / base.wall_s:.1f}×)",
            f"{base.wall_s:,.0f}",
            "≥ 2,500",
            own >= 2500,
        )
    )
    said = {"--impacts-only": ("five impacts", 5.0), "--json": ("all stages and sources", 1.5)}
    for option, (words, least) in said.items():
        asked = [*KILOWHAT, "estimate", "--from", str(file), option]
        took = measure.command(asked, max(2, tries // 2), cwd)
        ratio, of_cpu = lines / took.wall_s / base.wall_s, lines / took.cpu_s / base.cpu_s
        found.append(
            Row(
                f"uses a second, `--from … {option}` ({words}), start included",
                f"{lines / took.wall_s:,.0f} ({ratio:.1f}×; by CPU time {of_cpu:.1f}×)",
                f"{base.wall_s:,.0f}",
                f"≥ {least:g}×",
                ratio >= least,
            )
        )
    return found


def installation(cwd: Path) -> list[Row]:
    """Disk and first number of a fresh environment."""
    fresh = install.measure(cwd)
    size = fresh.size_b / 2**20
    return [
        Row("disk of `pip install .`, dependencies included", f"{size:.0f} MB", "—", "< 95 MB",
            size < 95),
        Row("first number after `pip install .`", f"{fresh.first_s:.1f} s", "—", "< 15 s",
            fresh.first_s < 15),
    ]  # fmt: skip


def markdown(rows: list[Row]) -> str:
    """The table."""
    peer = f"EcoLogits {version('ecologits')}"
    lines = [f"| | kilowhat | {peer} | target | met |", "|---|---|---|---|---|"]
    for row in rows:
        met = "yes" if row.is_met else "**no**"
        lines.append(f"| {row.what} | {row.ours} | {row.theirs} | {row.target} | {met} |")
    return "\n".join(lines) + "\n"


def _machine() -> str:
    """The processor, the interpreter and the numeric library."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [x for x in info.read_text(encoding="utf-8").splitlines() if "model name" in x]
        name = models[0].partition(":")[2].strip() if models else name
    return f"{name}, Python {platform.python_version()}, numpy {version('numpy')}"


def main() -> int:
    """Print the table, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=15)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--no-install", action="store_true", help="needs no network")
    parser.add_argument("--output", type=Path, default=DOCUMENT)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        cwd = Path(name)
        rows = starts(options.tries, cwd) + rates(options.tries, options.lines, cwd)
        if not options.no_install:
            rows += installation(cwd)
    table = markdown(rows)
    print(table)
    template = (Path(__file__).parent / "page.md").read_text(encoding="utf-8")
    page = template.replace("{{rows}}", table).replace("{{machine}}", _machine())
    options.output.write_text(page.replace("{{lines}}", f"{options.lines:,}"), encoding="utf-8")
    return 0 if all(row.is_met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
