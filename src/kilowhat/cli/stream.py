"""``kilowhat estimate --from``: one use a line in, one result a line out, in order."""

from __future__ import annotations

import codecs
import json
import signal
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click

from kilowhat.assessment import Estimator
from kilowhat.assessment.bulk import Bulk, Slot
from kilowhat.assessment.uses import activity, over
from kilowhat.cli.options import registry_of, use_of
from kilowhat.errors import InvalidValue, KilowhatError, UsageError
from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedIOBase

    from kilowhat.assessment.bulk import Layout, Plan
    from kilowhat.assessment.result import Assessment
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
        number = 1
        for chunk in _chunks(file):
            lines = [line.decode("utf-8", "replace") for line in chunk]
            results = pricing.price(list(enumerate(lines, start=number)))
            number += len(lines)
            failed += sum(1 for result in results if result.startswith(FAILED))
            with _whole():
                sys.stdout.write("".join(results))
                sys.stdout.flush()
            advance(sum(map(len, chunk)) + len(chunk))
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
def _opened(path: str) -> Iterator[BufferedIOBase]:
    """Standard input, or a file."""
    if path == "-":
        yield cast("BufferedIOBase", sys.stdin.buffer)
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise InvalidValue(name="from", value=path, expected=error.strerror or "?") from error
    with file:
        yield file


@contextmanager
def _progress(path: str) -> Iterator[Any]:
    """A bar with the time left, when a person watches and output goes elsewhere."""
    if path == "-" or not sys.stderr.isatty() or sys.stdout.isatty():
        yield lambda _: None
        return
    size, name = Path(path).stat().st_size, Path(path).name
    with click.progressbar(length=size, label=name, file=sys.stderr) as bar:
        yield bar.update


def _chunks(file: BufferedIOBase) -> Iterator[list[bytes]]:
    """Lines as they come: what a slow writer has sent at once, of a fast one CHUNK at most.

    A line is cut at a length that no honest use reaches.
    """
    rest, is_cut, is_first = b"", False, True
    while data := file.read1(_PIECE):
        if is_first:
            data, is_first = data.removeprefix(codecs.BOM_UTF8), False
        *whole, last = (rest + data).split(b"\n")
        if is_cut and whole:
            whole, is_cut = whole[1:], False
        for start in range(0, len(whole), CHUNK):
            yield whole[start : start + CHUNK]
        rest = b"" if is_cut else last
        if len(rest) > LONGEST_LINE:
            yield [rest[:LONGEST_LINE] + _CUT]
            rest, is_cut = b"", True
    if rest:
        yield [rest]


_PIECE = 1 << 18
_CUT = "…".encode()  # so that it is never taken for a blank line, nor for a whole one


class Form(NamedTuple):
    """The text of the results of one situation, around what differs between them.

    Seventeen digits always read back as the same number, and are found faster than the fewest that
    do.
    """

    body: str
    tail: str

    @classmethod
    def of(cls, plan: Plan, first: Assessment, *, stages: bool) -> Form:
        """The text of a plan, with a place for its functional unit and for each number.

        The causes of doubt are those of the first use of the situation.
        """
        shared = plan.context.shared_dict()
        if stages:
            shared = {"drivers": first.drivers_dict()} | shared
        else:
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
            form = self._form(sheet.plan, uses[sheet.indexes[0]])
            table = sheet.numbers.reshape(len(sheet.indexes), -1).tolist()
            for index, unit, numbers in zip(sheet.indexes, sheet.units, table, strict=True):
                results[places[index][0]] = form.write(identities[index], unit, numbers)
        return results

    def _form(self, plan: Plan, use: Activity) -> Form:
        """What the results of one situation say alike, written once."""
        known = self._forms.get(id(plan))
        if known is None or known[0] is not plan:
            first = self.bulk.estimator.estimate(use)
            known = (plan, Form.of(plan, first, stages=self.bulk.stages))
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
