"""Columns of a query as operands, so that a formula written in arithmetic becomes SQL."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expression:
    """A piece of SQL that adds and multiplies; what is known to be zero stays out of the query.

    >>> x, y = Expression("x"), Expression("y")
    >>> (x * x - y * ZERO).sql
    'x * x'
    """

    sql: str
    is_sum: bool = False

    @property
    def is_zero(self) -> bool:
        """Whether it is the constant zero."""
        return self.sql == "0"

    def __mul__(self, other: Expression) -> Expression:
        if self.is_zero or other.is_zero:
            return ZERO
        return Expression(f"{self._factor()} * {other._factor()}")

    def __sub__(self, other: Expression) -> Expression:
        return self if other.is_zero else Expression(f"{self.sql} - {other._factor()}", is_sum=True)

    def _factor(self) -> str:
        return f"({self.sql})" if self.is_sum else self.sql


ZERO = Expression("0")
