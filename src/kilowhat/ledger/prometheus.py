"""Prometheus text, as inference servers give it under ``/metrics``, as one JSON record a sample."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Refuse = Callable[[int, str], None]  # told the number of a line, and why it is refused
    Labels = dict[str, str]

COUNTERS = (
    "vllm:prompt_tokens_total",
    "vllm:prompt_tokens_by_source_total",
    "vllm:prompt_tokens_cached_total",
    "vllm:generation_tokens_total",
    "vllm:request_success_total",
    "sglang:prompt_tokens_total",
    "sglang:cached_tokens_total",
    "sglang:generation_tokens_total",
    "sglang:num_requests_total",
)
"""What the names of the samples begin with that count tokens and requests."""

NOT_A_SAMPLE, NOT_FINITE, UNREADABLE_TIME = "not a sample", "unreadable number", "unreadable time"

_PROCESS_START = "process_start_time_seconds"
_SCRAPE_TIME = "# scrape_time"
_LEAST_MILLISECONDS = 1e11  # in seconds the year 5138, in milliseconds 1973
_NAME = re.compile(r"""[a-zA-Z_:][a-zA-Z0-9_:]*(?=[{ \t])|\{\s*"(?=.)""")
_SAMPLE = re.compile(
    r"""(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*+)[ \t]*+
    (?:\{(?P<labels>(?:[^"}]|"(?:\\.|[^"\\])*+")*+)\}[ \t]*|(?<=[ \t]))
    (?P<value>[-+.\w]+)
    (?:[ \t]+(?P<time>[-+.\w]+))?[ \t]*
    (?:\#.*)?""",  # OpenMetrics: an exemplar
    re.VERBOSE,
)
_LABEL = re.compile(r'\s*(?P<name>[a-zA-Z_]\w*)\s*=\s*"(?P<value>(?:\\.|[^"\\])*+)"\s*(?:,|\Z)')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", '"': '"', "\\": "\\"}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


class _Sample(NamedTuple):
    name: str
    labels: Labels
    value: float
    time: float | None

    def series(self) -> str:
        """The name with the labels."""
        return f"{self.name}{sorted(self.labels.items())}"


class _Unreadable(Exception):
    """A line that cannot be read; the argument is why."""


def records(
    lines: Iterable[str],
    default_time: float | None,
    refuse: Refuse,
    prefixes: Sequence[str] = COUNTERS,
) -> Iterator[str]:
    """One JSON text for each sample whose name begins with one of the prefixes.

    A record has the keys ``name``, ``labels`` (in the order of their names), ``value``, ``time``
    (of the scrape), ``scrape`` (its number in the text, if the sample has no time of its own),
    ``start`` (when the process of the server began, if it says so) and ``line``. The time is the
    sample's own, else that of the last comment ``# scrape_time``, else the default. The text may
    hold several scrapes one after another.

    Args:
        lines: of the text format of Prometheus, or of OpenMetrics, parted at newlines alone.
        default_time: the time of samples that have none, as Unix time [s].
        refuse: told the number of each line that cannot be read, counted from 1, and the reason.
        prefixes: of the names of the samples that are wanted.

    >>> text = ["# scrape_time 1735725600", 'vllm:prompt_tokens_total{engine="0"} 1.2e+03']
    >>> list(records(text, None, print))
    ['{"name": "vllm:prompt_tokens_total", "labels": {"engine": "0"}, "value": 1200.0,
      "time": 1735725600.0, "scrape": 1, "start": null, "line": 2}']
    """
    wanted = (*prefixes, _PROCESS_START)
    scrape, starts = _Scrape(default_time), _Starts()
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        try:
            if text.startswith(_SCRAPE_TIME):
                scrape.begin(_seconds(text.removeprefix(_SCRAPE_TIME).strip()))
            elif text.startswith(wanted):
                sample = _sample(text)
                if sample.time is None:
                    scrape.note(sample.series())
                if sample.name == _PROCESS_START:
                    starts.note(sample)
                else:
                    yield _record(sample, scrape, starts.of(sample), number)
            elif text.startswith("# TYPE "):
                scrape.note(text)
            else:
                _pass_over(text)
        except _Unreadable as error:
            refuse(number, str(error))


class _Scrape:
    """Which scrape of a text is read: a new one begins where something is told again."""

    def __init__(self, time: float | None) -> None:
        self.time, self.number = time, 1
        self._seen: set[str] = set()

    def begin(self, time: float | None) -> None:
        self.time = time
        if self._seen:
            self.number += 1
            self._seen.clear()

    def note(self, told: str) -> None:
        if told in self._seen:
            self.begin(self.time)
        self._seen.add(told)


def _pass_over(text: str) -> None:
    """Nothing, if this is a comment or another sample.

    Raises:
        _Unreadable: it is neither.
    """
    if text and not text.startswith("#") and not _NAME.match(text):
        raise _Unreadable(NOT_A_SAMPLE)


class _Starts:
    """When processes began, by the labels that tell them apart; servers give it before the rest."""

    def __init__(self) -> None:
        self._known: dict[frozenset[tuple[str, str]], float] = {}

    def note(self, sample: _Sample) -> None:
        self._known[frozenset(sample.labels.items())] = sample.value

    def of(self, sample: _Sample) -> float | None:
        """That of the process with the most labels in common with the sample, and no others."""
        labels = sample.labels.items()
        fitting = (known for known in self._known if known <= labels)
        found = max(fitting, key=len, default=None)
        return None if found is None else self._known[found]


def _record(sample: _Sample, scrape: _Scrape, start: float | None, number: int) -> str:
    time, place = scrape.time, scrape.number
    record = {
        "name": sample.name, "labels": dict(sorted(sample.labels.items())), "value": sample.value,
        "time": time if sample.time is None else sample.time,
        "scrape": place if sample.time is None else None,
        "start": start, "line": number,
    }  # fmt: skip
    return json.dumps(record)


def _sample(text: str) -> _Sample:
    found = _SAMPLE.fullmatch(text)
    if found is None:
        raise _Unreadable(NOT_A_SAMPLE)
    value = _finite(found["value"])
    time = None if found["time"] is None else _seconds(found["time"])
    return _Sample(found["name"], _labels(found["labels"] or ""), value, time)


def _labels(text: str) -> Labels:
    labels, at = {}, 0
    while text[at:].strip():
        found = _LABEL.match(text, at)
        if found is None or found["name"] in labels:
            raise _Unreadable(NOT_A_SAMPLE)
        labels[found["name"]] = _ESCAPE.sub(_unescaped, found["value"])
        at = found.end()
    return labels


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPED.get(found[1], found[0])


def _finite(text: str) -> float:
    if not _NUMBER.fullmatch(text) or math.isinf(value := float(text)):
        raise _Unreadable(NOT_FINITE)
    return value


def _seconds(text: str) -> float:
    """A Unix time: Prometheus writes milliseconds after a value, OpenMetrics seconds."""
    try:
        value = _finite(text)
    except _Unreadable:
        raise _Unreadable(UNREADABLE_TIME) from None
    return value / 1000 if abs(value) >= _LEAST_MILLISECONDS else value
