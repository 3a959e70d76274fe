"""``kilowhat estimate --from``: one use a line in, one result a line out, in order."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, contextmanager
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from kilowhat.assessment import Estimator, price
from kilowhat.assessment.uses import activity, over
from kilowhat.cli.options import registry_of, use_of
from kilowhat.errors import InvalidValue, KilowhatError, UsageError
from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kilowhat.assessment.result import Context
    from kilowhat.domain.activity import Activity

CHUNK = 512
LONGEST_LINE = 1_000_000
DONE, IN_PART = 0, 5


def run(path: str, model: str | None, options: dict[str, Any]) -> int:
    """Price every line; a bad one yields an error object, and the exit code says so."""
    defaults = use_of(options)
    if model is not None:
        defaults["model"] = model
    pricing = Pricing(Estimator(registry_of(options)), defaults, stages=not options["impacts_only"])
    failed = 0
    with ExitStack() as stack:
        file = stack.enter_context(_opened(path))
        advance = stack.enter_context(_progress(path))
        numbered = enumerate(_lines(file), start=1)
        while chunk := list(islice(numbered, CHUNK)):
            results = pricing.price(chunk)
            failed += sum(1 for result in results if result.startswith(FAILED))
            sys.stdout.write("".join(results))
            advance(sum(len(line) for _, line in chunk))
    if failed:
        sentence = translate(mark("{count} line(s) could not be priced."))
        click.echo(sentence.format(count=failed), err=True)
    return IN_PART if failed else DONE


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    """Standard input, or a file."""
    if path == "-":
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(encoding="utf-8-sig", errors="replace")
        yield sys.stdin
        return
    try:
        file = Path(path).open(encoding="utf-8-sig", errors="replace")  # noqa: SIM115 - closed below
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


class Pricing:
    """Turns numbered lines of JSON into lines of JSON.

    Args:
        estimator: keeps what the uses of one situation share.
        defaults: fields for lines that do not give them.
        stages: whether each line lists stages and trail, or the five impacts only.
    """

    def __init__(self, estimator: Estimator, defaults: dict[str, object], *, stages: bool) -> None:
        self.estimator = estimator
        self.defaults = defaults
        self.stages = stages
        self._tails: dict[int, tuple[Context, str]] = {}

    def price(self, chunk: list[tuple[int, str]]) -> list[str]:
        """The results of some lines, in order; blank lines yield nothing."""
        results: list[str] = []
        identities: list[dict[str, object]] = []
        uses: list[Activity] = []
        places: list[int] = []
        for number, line in chunk:
            if not line.strip():
                continue
            identity, use = self._read(number, line)
            if isinstance(use, KilowhatError):
                results.append(_failure(identity, number, use))
                continue
            places.append(len(results))
            results.append("")
            identities.append(identity | {"line": number})
            uses.append(use)
        priced = price(self.estimator, uses, stages=self.stages)
        for place, identity, result in zip(places, identities, priced, strict=True):
            line_number = identity.pop("line")
            if isinstance(result, KilowhatError):
                results[place] = _failure(identity, line_number, result)
            else:
                own = _DUMP(identity | result.own)
                results[place] = f"{own[:-1]}, {self._tail(result.context)}\n"
        return results

    def _tail(self, context: Context) -> str:
        """What the results of one situation say alike, written once."""
        known = self._tails.get(id(context))
        if known is None or known[0] is not context:
            shared = context.shared_dict()
            if not self.stages:
                del shared["trail"]
            known = (context, _DUMP(shared)[1:])
            self._tails[id(context)] = known
            if len(self._tails) > CHUNK:
                self._tails.pop(next(iter(self._tails)))
        return known[1]

    def _read(self, number: int, line: str) -> tuple[dict[str, object], Activity | KilowhatError]:
        """The identity of a line, and its use or its error."""
        identity: dict[str, object] = {}
        try:
            fields = _LOAD(line)
        except (ValueError, RecursionError):
            expected = translate(mark("one JSON object a line"))
            return identity, InvalidValue(name="line", value=line[:40].strip(), expected=expected)
        if not isinstance(fields, dict):
            expected = translate(mark("one JSON object a line"))
            return identity, InvalidValue(name="line", value=line[:40].strip(), expected=expected)
        if "id" in fields and _can_be_written(fields["id"]):
            identity["id"] = fields["id"]
        try:
            return identity, activity(over(self.defaults, fields))
        except UsageError as error:
            return identity, error


def _no_constant(name: str) -> object:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _can_be_written(identity: object) -> bool:
    """Whether what a line calls itself is JSON again; numbers beyond any float are not."""
    if isinstance(identity, (str, int)):
        return True
    try:
        json.dumps(identity, allow_nan=False)
    except (ValueError, RecursionError):
        return False
    return True


_LOAD = json.JSONDecoder(parse_constant=_no_constant).decode
_DUMP = json.JSONEncoder(ensure_ascii=False).encode
FAILED = '{"error"'


def _failure(identity: dict[str, object], number: object, error: KilowhatError) -> str:
    """The line that stands for one that could not be priced."""
    wrong = {"line": number, "kind": type(error).__name__, "message": str(error)}
    return _DUMP({"error": wrong} | identity) + "\n"
