"""How far long work has come, on a terminal: a bar with the rate and the time left."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from kilowhat.language import mark, translate
from kilowhat.ledger.question import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEPS = {
    "read": mark("Reading"),
    "sum": mark("Adding up"),
    "price": mark("Pricing"),
}
_EVERY_S = 0.1
_WIDTH = 24
_MEGA = 1e6


@contextmanager
def watching() -> Iterator[Watch]:
    """Who draws the bar; nobody where no person watches."""
    if not sys.stderr.isatty():
        yield Watch()
        return
    bar = _Bar()
    try:
        yield Watch(bar.begin, bar.advance, bar.share)
    finally:
        bar.clear()


class _Bar:
    """A line on the terminal's error stream, drawn anew a few times a second."""

    def __init__(self) -> None:
        self._name, self._size, self._done = "", 0, 0
        self._started = self._drawn = time.monotonic()

    def begin(self, name: str, size: int) -> None:
        self._name, self._size, self._done = name, size, 0
        self._started = time.monotonic()

    def advance(self, size: int) -> None:
        self._done += size
        if self._size:
            spent = max(time.monotonic() - self._started, 1e-6)
            rate = self._done / spent
            left = (self._size - self._done) / rate if rate else 0.0
            self._draw(self._done / self._size, f"{rate / _MEGA:.0f} MB/s", left)

    def share(self, done: float) -> None:
        spent = time.monotonic() - self._started
        self._draw(done, "", spent * (1 - done) / done if done > 0 else 0.0)

    def _draw(self, done: float, rate: str, left_s: float) -> None:
        now = time.monotonic()
        if now - self._drawn < _EVERY_S:
            return
        self._drawn = now
        full = round(_WIDTH * min(max(done, 0.0), 1.0))
        bar = "█" * full + "░" * (_WIDTH - full)
        name = translate(_STEPS.get(self._name, self._name))
        minutes, seconds = divmod(round(max(left_s, 0.0)), 60)
        line = f"\r{name} {bar} {100 * done:3.0f} %  {rate}  {minutes}:{seconds:02d} "
        click.echo(f"{line}\033[K", err=True, nl=False)

    def clear(self) -> None:
        click.echo("\r\033[K", err=True, nl=False)
