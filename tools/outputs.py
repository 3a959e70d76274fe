"""The outputs shown in the pages: run the commands again, and write or compare what they print.

    python tools/outputs.py --write    run every marked block, rewrite the pages that differ
    python tools/outputs.py --check    the same, but list what differs and exit 1

A block is marked by a comment on the line before its fence:

    <!-- run -->            each line that starts with "$ " is run; what it prints follows it
    <!-- run lines=12 -->   only the first 12 lines of each output are kept, then a line "…"
    <!-- run rc=2 -->       the exit code that is expected (0 when not given)

Fences are ``console`` (a shell in the root of the checkout) or ``pycon`` (one Python session a
page). Pages under docs/fr/ and LISEZMOI.md speak French, the others English. Everything below
``<!-- generated: verbs -->`` is the help of every verb.

The hash of the data is not compared, and numbers of six digits or more may differ in the last
ones: they are not the same on every processor.
"""

from __future__ import annotations

import contextlib
import difflib
import doctest
import io
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from kilowhat.language import set_language

ROOT = Path(__file__).resolve().parent.parent
WIDTH = "100"
TIME_LIMIT_S = 300
GENERATED = "<!-- generated: verbs -->"
_BLOCK = re.compile(
    r"^<!-- run(?P<options>[^>]*)-->\n```(?P<kind>console|pycon)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_HASH = re.compile(r"(\d{4}\.\d{2}\+)[0-9a-f]{12}")
_LONG_NUMBER = re.compile(r"(?<![\w.])-?\d[\d.]{5,}(?:e[+-]?\d+)?(?![\w.])")
_CLOSE = 1e-6


def pages() -> list[Path]:
    """Every page that may hold a marked block."""
    docs = sorted((ROOT / "docs").rglob("*.md"))
    return [ROOT / "README.md", ROOT / "LISEZMOI.md", ROOT / "examples" / "README.md", *docs]


def language(page: Path) -> str:
    """The language that a page speaks."""
    return "fr" if page.parent.name == "fr" or page.name == "LISEZMOI.md" else "en"


class WrongExit(Exception):
    """A command of a page ended otherwise than the page says."""


@cache
def run(command: str, speaking: str, expected: int) -> str:
    """What a command prints, errors included, in a terminal of fixed width without settings."""
    with tempfile.TemporaryDirectory() as home:
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("KILOWHAT_", "LC_"))}
        environment = keep | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": home,
            "XDG_CONFIG_HOME": home,
            "COLUMNS": WIDTH,
            "LINES": "50",
            "LANGUAGE": speaking,
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "PYTHONIOENCODING": "utf-8",
        }
        done = subprocess.run(
            ["/bin/sh", "-c", command], cwd=ROOT, env=environment, timeout=TIME_LIMIT_S,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8", check=False,
        )  # fmt: skip
    if done.returncode != expected:
        raise WrongExit(f"exit code {done.returncode}: {command}\n{done.stdout[-2000:]}")
    return "\n".join(line.rstrip() for line in done.stdout.splitlines())


def _options(text: str) -> dict[str, int]:
    return {name: int(value) for name, _, value in (o.partition("=") for o in text.split())}


def _commands(body: str) -> list[str]:
    """The commands of a block; one that ends with a backslash goes on in the next line."""
    found: list[str] = []
    continues = False
    for line in body.splitlines():
        if continues:
            found[-1] += "\n" + line
        elif line.startswith("$ "):
            found.append(line[2:])
        continues = bool(found) and found[-1].endswith("\\") and (continues or line[:2] == "$ ")
    return found


def _console(body: str, options: dict[str, int], speaking: str) -> str:
    parts = []
    for command in _commands(body):
        lines = run(command, speaking, options.get("rc", 0)).splitlines()
        most = options.get("lines", len(lines))
        shown = lines[:most] + (["…"] if len(lines) > most else [])
        parts.append("\n".join([f"$ {command}", *shown]))
    return "\n\n".join(parts) + "\n"


def _session(body: str, names: dict[str, object]) -> str:
    """A Python session run again; the statements stay, what they print is renewed."""
    shown = []
    for example in doctest.DocTestParser().get_examples(body):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(example.source, "<page>", "single"), names)
        first, *more = example.source.rstrip("\n").split("\n")
        shown.append("\n".join([f">>> {first}", *(f"... {line}".rstrip() for line in more)]))
        if said.getvalue():
            shown.append(said.getvalue().rstrip("\n"))
    return "\n".join(shown) + "\n"


def _verbs(speaking: str) -> str:
    """The help of every verb, as marked blocks would show it."""
    import click

    from kilowhat.cli import VERBS, cli

    context = click.Context(cli)
    calls = ["--help"]
    for verb in VERBS:
        calls.append(f"{verb} --help")
        command = cli.get_command(context, verb)
        if isinstance(command, click.Group):
            calls += [f"{verb} {name} --help" for name in command.list_commands(context)]
    parts = []
    for call in calls:
        title = " ".join(["kilowhat", *call.split()[:-1]])
        command_line = f"kilowhat {call}"
        text = run(command_line, speaking, 0)
        parts.append(f"## {title}\n\n```console\n$ {command_line}\n{text}\n```")
    return "\n\n".join(parts) + "\n"


def renew(text: str, speaking: str) -> str:
    """A page with every marked block run again."""
    head, generated, _ = text.partition(GENERATED)
    names: dict[str, object] = {"__name__": "__main__"}
    set_language(speaking)

    def block(match: re.Match[str]) -> str:
        body, kind = match["body"], match["kind"]
        if kind == "pycon":
            body = _session(body, names)
        else:
            body = _console(body, _options(match["options"]), speaking)
        return f"<!-- run{match['options']}-->\n```{kind}\n{body}```"

    renewed = _BLOCK.sub(block, head)
    return renewed + (f"{GENERATED}\n\n{_verbs(speaking)}" if generated else "")


def _warm(text: str, speaking: str) -> list[tuple[str, str, int]]:
    """The commands of a page, to be run ahead and side by side."""
    return [
        (command, speaking, _options(match["options"]).get("rc", 0))
        for match in _BLOCK.finditer(text)
        if match["kind"] == "console"
        for command in _commands(match["body"])
    ]


def _skeleton(line: str) -> tuple[str, list[float]]:
    """A line without the hash of the data and its long numbers, and those numbers."""
    plain = _HASH.sub(r"\1", line)
    numbers = [m for m in _LONG_NUMBER.findall(plain) if m.count(".") <= 1]
    for number in numbers:
        plain = plain.replace(number, "#", 1)
    return plain, [float(number) for number in numbers]


def is_same(old: str, new: str) -> bool:
    """Whether two pages are the same, but for the data's hash and the last digits of numbers."""
    before, after = old.splitlines(), new.splitlines()
    if len(before) != len(after):
        return False
    for left, right in zip(before, after, strict=True):
        if left == right:
            continue
        (plain, numbers), (other, others) = _skeleton(left), _skeleton(right)
        pairs = zip(numbers, others, strict=False)
        if plain != other or any(abs(a - b) > _CLOSE * max(abs(a), abs(b)) for a, b in pairs):
            return False
    return True


def main(arguments: list[str]) -> int:
    if arguments not in (["--write"], ["--check"]):
        print(__doc__)
        return 2
    texts = {page: page.read_text(encoding="utf-8") for page in pages()}
    wanted = {call for page, text in texts.items() for call in _warm(text, language(page))}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda call: run(*call), sorted(wanted)))
    differs = False
    for page, text in texts.items():
        new = renew(text, language(page))
        if is_same(text, new):
            continue
        differs = True
        name = str(page.relative_to(ROOT))
        if arguments == ["--write"]:
            page.write_text(new, encoding="utf-8")
            print(f"{name}: written")
        else:
            lines = difflib.unified_diff(
                text.splitlines(), new.splitlines(), name, "as run now", lineterm="", n=1
            )
            print("\n".join(lines))
    if arguments == ["--check"] and differs:
        print("\nOutputs are out of date: python tools/outputs.py --write, then read the diff.")
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except WrongExit as error:
        print(error, file=sys.stderr)
        sys.exit(1)
