"""Equations between published numbers: written as text, evaluated as intervals, never executed.

A figure that was rounded to print stands for the interval of everything that rounds to it.  An
equation holds when the intervals of its two sides meet.  Grammar::

    equations := equation { ";" equation }
    equation  := sum "=" sum
    sum       := product { ("+" | "-") product }
    product   := power { ("*" | "/") power }
    power     := atom [ "^" atom ]
    atom      := "-" atom | "(" sum ")" | NAME | [ "~" ] NUMBER [ "[" unit "]" ]

A plain number is exact (24 hours, 8 accelerators); one with ``~`` was rounded as it is written.
A NAME is a record, such as ``E021``, or a bound of it, ``E024.low``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from kilowhat.errors import InvalidValue
from kilowhat.quantity.units import NONE, Dimension, describe_dimension, parse_unit

if TYPE_CHECKING:
    from collections.abc import Callable

_TOKEN = re.compile(
    r"\s*(?:(?P<number>~?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w.])"
    r"|(?P<name>[A-Z]\d{3}(?:\.(?:low|high))?)(?![\w.])"
    r"|\[(?P<unit>[^\]\s]+)\]|(?P<sign>[-+*/^()=]))"
)
_FLOAT_SLACK = 1e-9


def rounding(text: str) -> float:
    """Half a unit of the last digit of a number as it is written.

    >>> rounding("2.9"), rounding("1.287e6"), rounding("33")
    (0.05, 500.0, 0.5)
    """
    exponent = Decimal(text).as_tuple().exponent
    if not isinstance(exponent, int):
        raise InvalidValue(name="number", value=text, expected="a finite number")
    return 0.5 * 10.0**exponent


@dataclass(frozen=True, slots=True)
class Band:
    """An interval of base units, with its dimension."""

    low: float
    high: float
    dimension: Dimension = NONE

    def plus(self, other: Band, sign: int) -> Band:
        """The band of the sum, or of the difference where sign is -1."""
        self._same(other)
        ends = (other.low, other.high) if sign > 0 else (-other.high, -other.low)
        return Band(self.low + ends[0], self.high + ends[1], self.dimension)

    def times(self, other: Band, sign: int) -> Band:
        """The band of the product, or of the quotient where sign is -1."""
        dimension = tuple(
            a + sign * b for a, b in zip(self.dimension, other.dimension, strict=True)
        )
        if sign < 0:
            if other.low <= 0 <= other.high:
                raise InvalidValue(name="divisor", value=other.low, expected="not zero")
            other = Band(1 / other.high, 1 / other.low)
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Band(min(corners), max(corners), dimension)

    def to_the(self, other: Band) -> Band:
        """The band of the power; the exponent and, unless it is whole, the base are numbers."""
        exponent = other.low
        is_whole = other.low == other.high and exponent == int(exponent)
        if other.dimension != NONE or (self.dimension != NONE and not is_whole) or self.low <= 0:
            raise InvalidValue(name="power", value=exponent, expected="number ^ number")
        corners = [a**b for a in (self.low, self.high) for b in (other.low, other.high)]
        dimension = tuple(int(e * exponent) for e in self.dimension)
        return Band(min(corners), max(corners), dimension)

    def meets(self, other: Band) -> bool:
        """Whether some number belongs to both bands."""
        self._same(other)
        slack = _FLOAT_SLACK * max(abs(self.low), abs(self.high))
        return self.low <= other.high + slack and other.low <= self.high + slack

    def _same(self, other: Band) -> None:
        if self.dimension != other.dimension:
            raise InvalidValue(
                name="equation",
                value=describe_dimension(other.dimension),
                expected=describe_dimension(self.dimension),
            )


def written(text: str, unit: str, *, is_exact: bool = False) -> Band:
    """The band that a number, as written in a unit, stands for."""
    size = parse_unit(unit)
    half = 0.0 if is_exact else rounding(text)
    value = float(text)
    return Band((value - half) * size.factor, (value + half) * size.factor, size.dimension)


class _Reader:
    """A recursive-descent reader of one side of an equation after the other."""

    def __init__(self, text: str, look_up: Callable[[str], Band]) -> None:
        self.text = text
        self.look_up = look_up
        self.tokens = self._split(text)
        self.at = 0

    def _split(self, text: str) -> list[tuple[str, str]]:
        tokens = []
        position = 0
        text = text.rstrip()
        while position < len(text):
            found = _TOKEN.match(text, position)
            if not found:
                raise self._refused()
            tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            position = found.end()
        return tokens

    def _refused(self) -> InvalidValue:
        return InvalidValue(name="equation", value=self.text, expected="left = right")

    def _next(self, *signs: str) -> str:
        if self.at < len(self.tokens):
            kind, text = self.tokens[self.at]
            if kind == "sign" and text in signs:
                self.at += 1
                return text
        return ""

    def equation(self) -> tuple[Band, Band]:
        left = self.sum()
        if not self._next("="):
            raise self._refused()
        right = self.sum()
        if self.at != len(self.tokens):
            raise self._refused()
        return left, right

    def sum(self) -> Band:
        total = self.product()
        while sign := self._next("+", "-"):
            total = total.plus(self.product(), 1 if sign == "+" else -1)
        return total

    def product(self) -> Band:
        total = self.power()
        while sign := self._next("*", "/"):
            total = total.times(self.power(), 1 if sign == "*" else -1)
        return total

    def power(self) -> Band:
        base = self.atom()
        return base.to_the(self.atom()) if self._next("^") else base

    def atom(self) -> Band:
        if self._next("-"):
            inner = self.atom()
            return Band(-inner.high, -inner.low, inner.dimension)
        if self._next("("):
            inner = self.sum()
            if not self._next(")"):
                raise self._refused()
            return inner
        if self.at == len(self.tokens):
            raise self._refused()
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "name":
            return self.look_up(text)
        if kind != "number":
            raise self._refused()
        return written(text.lstrip("~"), self._unit(), is_exact=not text.startswith("~"))

    def _unit(self) -> str:
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "unit":
            self.at += 1
            return self.tokens[self.at - 1][1]
        return "1"


def sides(equation: str, look_up: Callable[[str], Band]) -> tuple[Band, Band]:
    """The bands of the two sides of an equation.

    Raises:
        InvalidValue: the text is not an equation, or its sides have different dimensions.

    >>> left, right = sides("564 [MWh] / 195e6 = ~2.9 [Wh]", look_up=lambda name: Band(0, 0))
    >>> left.meets(right)
    True
    """
    return _Reader(equation, look_up).equation()
