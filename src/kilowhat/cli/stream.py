"""``kilowhat estimate --from``: one use a line in, one result a line out, in order."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from kilowhat.assessment import Estimator
from kilowhat.assessment.uses import activity
from kilowhat.cli.options import registry_of, use_of
from kilowhat.errors import InvalidValue, KilowhatError, UsageError
from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kilowhat.domain.activity import Activity

CHUNK = 512
LONGEST_LINE = 1_000_000
DONE, IN_PART = 0, 5


def run(path: str, model: str | None, options: dict[str, Any]) -> int:
    """Price every line; a bad one yields an error object, and the exit code says so."""
    defaults = use_of(options)
    if model is not None:
        defaults["model"] = model
    estimator = Estimator(registry_of(options))
    failed = 0
    with ExitStack() as stack:
        file = stack.enter_context(_opened(path))
        advance = stack.enter_context(_progress(path))
        numbered = enumerate(_lines(file), start=1)
        while chunk := list(islice(numbered, CHUNK)):
            results = _price(chunk, defaults, estimator, stages=not options["impacts_only"])
            for result in results:
                failed += "error" in result
            sys.stdout.write("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in results))
            advance(sum(len(line) for _, line in chunk))
    if failed:
        sentence = translate(mark("{count} line(s) could not be priced."))
        click.echo(sentence.format(count=failed), err=True)
    return IN_PART if failed else DONE


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    """Standard input, or a file."""
    if path == "-":
        yield sys.stdin
        return
    try:
        file = Path(path).open(encoding="utf-8", errors="replace")  # noqa: SIM115 - closed below
    except OSError as error:
        raise InvalidValue(name="from", value=path, expected=error.strerror or "?") from error
    with file:
        yield file


@contextmanager
def _progress(path: str) -> Iterator[Any]:
    """A bar with rate and time left, when a person watches and output goes elsewhere."""
    if path == "-" or not sys.stderr.isatty() or sys.stdout.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(Path(path).name, total=Path(path).stat().st_size)
        yield lambda size: bar.advance(task, size)


def _lines(file: TextIO) -> Iterator[str]:
    """The lines of a file, each cut at a length that no honest use reaches."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
        yield line


def _price(
    chunk: list[tuple[int, str]], defaults: dict[str, object], estimator: Estimator, *, stages: bool
) -> list[dict[str, object]]:
    """The results of some lines, in order; blank lines yield nothing."""
    results: list[dict[str, object]] = []
    uses: list[Activity] = []
    places: list[int] = []
    for number, line in chunk:
        if not line.strip():
            continue
        identity, use = _read(number, line, defaults)
        if isinstance(use, dict):
            results.append(identity | use)
        else:
            places.append(len(results))
            results.append(identity)
            uses.append(use)
    for place, priced in zip(places, estimator.price(uses, stages=stages), strict=True):
        if isinstance(priced, KilowhatError):
            results[place] |= _error(results[place], priced)
        else:
            results[place] = {k: v for k, v in results[place].items() if k != "line"} | priced
    return results


def _read(
    number: int, line: str, defaults: dict[str, object]
) -> tuple[dict[str, object], Activity | dict[str, object]]:
    """The identity of a line, and its use or its error."""
    identity: dict[str, object] = {"line": number}
    try:
        fields = json.loads(line)
        if not isinstance(fields, dict):
            raise InvalidValue(
                name="line", value=line[:40].strip(), expected=translate(mark("a JSON object"))
            )
        if "id" in fields and isinstance(fields["id"], (str, int, float)):
            identity = {"id": fields["id"], **identity}
        return identity, activity({**defaults, **fields})
    except (json.JSONDecodeError, RecursionError) as error:
        expected = translate(mark("one JSON object a line"))
        wrong = InvalidValue(name="line", value=line[:40].strip(), expected=expected)
        wrong.__cause__ = error
        return identity, _error(identity, wrong)
    except UsageError as error:
        return identity, _error(identity, error)


def _error(identity: dict[str, object], error: KilowhatError) -> dict[str, object]:
    """The object that stands for a line that could not be priced."""
    return {
        "error": {
            "line": identity["line"],
            "kind": type(error).__name__,
            "message": str(error),
        }
    }
