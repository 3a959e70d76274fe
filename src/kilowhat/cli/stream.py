"""``kilowhat estimate --from``: one use a line in, one result a line out, in order."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import ExitStack, contextmanager
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

import click

from kilowhat.assessment import Estimator
from kilowhat.assessment.bulk import Bulk, Slot
from kilowhat.assessment.uses import activity, over
from kilowhat.cli.options import registry_of, use_of
from kilowhat.errors import InvalidValue, KilowhatError, UsageError
from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kilowhat.assessment.bulk import Layout, Plan
    from kilowhat.domain.activity import Activity

CHUNK = 1024
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
            with _whole():
                sys.stdout.write("".join(results))
                sys.stdout.flush()
            advance(sum(len(line) for _, line in chunk))
    if failed:
        sentence = translate(mark("{count} line(s) could not be priced."))
        click.echo(sentence.format(count=failed), err=True)
    return IN_PART if failed else DONE


@contextmanager
def _whole() -> Iterator[None]:
    """Hold Ctrl-C back while lines are written, so that none is cut."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
            line += "…"  # never taken for a blank line, nor for a whole one
        yield line


class Form(NamedTuple):
    """The text of the results of one situation, around what differs between them.

    Seventeen digits always read back as the same number, and are found faster than the fewest that
    do.
    """

    body: str
    tail: str

    @classmethod
    def of(cls, plan: Plan, *, stages: bool) -> Form:
        """The text of a plan, with a place for its functional unit and for each number."""
        shared = plan.context.shared_dict()
        if not stages:
            del shared["trail"]
        whole = plan.head | {"functional_unit": _HOLE} | _with_holes(plan.layout)
        body = _DUMP(whole)[1:-1].replace("%", "%%").replace(_DUMP(_HOLE), "%s", 1)
        return cls(body.replace(_DUMP(_HOLE), "%.17g"), f", {_DUMP(shared)[1:]}\n")

    def write(self, identity: dict[str, object], unit: str, numbers: list[float]) -> str:
        """One line: what the use calls itself, then its result."""
        head = _opening(identity["id"]) if identity else "{"
        return head + self.body % (_QUOTE(unit), *numbers) + self.tail


def _opening(identity: object) -> str:
    """The start of a line that has an id; text and whole numbers without the encoder's set-up."""
    if type(identity) is str:
        return f'{{"id": {_QUOTE(identity)}, '
    return f'{{"id": {identity if type(identity) is int else _DUMP(identity)}, '


_HOLE = "\0"  # no text of ours holds it


def _with_holes(layout: Layout) -> dict[str, object]:
    """A layout with a hole for each number."""
    return {
        name: {"unit": part.unit, "p05": _HOLE, "p50": _HOLE, "p95": _HOLE}
        if isinstance(part, Slot)
        else (_with_holes(part) if isinstance(part, dict) else part)
        for name, part in layout.items()
    }


class Pricing:
    """Turns numbered lines of JSON into lines of JSON.

    Args:
        estimator: keeps what the uses of one situation share.
        defaults: fields for lines that do not give them.
        stages: whether each line lists stages and trail, or the five impacts only.
    """

    def __init__(self, estimator: Estimator, defaults: dict[str, object], *, stages: bool) -> None:
        self.defaults = defaults
        self.bulk = Bulk(estimator, stages=stages)
        self._forms: dict[int, tuple[Plan, Form]] = {}

    def price(self, chunk: list[tuple[int, str]]) -> list[str]:
        """The results of some lines, in order; blank lines yield nothing."""
        results: list[str] = []
        identities: list[dict[str, object]] = []
        uses: list[Activity] = []
        places: list[tuple[int, int]] = []
        for number, line in chunk:
            if not line.strip():
                continue
            identity, use = self._read(line)
            if isinstance(use, KilowhatError):
                results.append(_failure(identity, number, use))
                continue
            places.append((len(results), number))
            results.append("")
            identities.append(identity)
            uses.append(use)
        sheets, errors = self.bulk.sheets(uses)
        for index, error in errors.items():
            place, number = places[index]
            results[place] = _failure(identities[index], number, error)
        for sheet in sheets:
            form = self._form(sheet.plan)
            table = sheet.numbers.reshape(len(sheet.indexes), -1).tolist()
            for index, unit, numbers in zip(sheet.indexes, sheet.units, table, strict=True):
                results[places[index][0]] = form.write(identities[index], unit, numbers)
        return results

    def _form(self, plan: Plan) -> Form:
        """What the results of one situation say alike, written once."""
        known = self._forms.get(id(plan))
        if known is None or known[0] is not plan:
            known = (plan, Form.of(plan, stages=self.bulk.stages))
            self._forms[id(plan)] = known
            if len(self._forms) > CHUNK:
                self._forms.pop(next(iter(self._forms)))
        return known[1]

    def _read(self, line: str) -> tuple[dict[str, object], Activity | KilowhatError]:
        """The identity of a line, and its use or its error."""
        identity: dict[str, object] = {}
        try:
            fields = _load(line)
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


def _load(line: str) -> object:
    """The JSON value of a line, as `json.loads` without its two searches for white space."""
    text = line.strip(" \t\r\n")
    value, end = _DECODE(text)
    if end != len(text):
        raise ValueError(text[end:])
    return value


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


_DECODE = json.JSONDecoder(parse_constant=_no_constant).raw_decode
_QUOTE = json.encoder.encode_basestring  # what the encoder uses for text that may be any
_DUMP = json.JSONEncoder(ensure_ascii=False).encode
FAILED = '{"error"'


def _failure(identity: dict[str, object], number: object, error: KilowhatError) -> str:
    """The line that stands for one that could not be priced."""
    wrong = {"line": number, "kind": type(error).__name__, "message": str(error)}
    return _DUMP({"error": wrong} | identity) + "\n"
