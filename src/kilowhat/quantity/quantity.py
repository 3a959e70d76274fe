"""A magnitude (a float, or a vector of draws) with its dimension.

Magnitudes are kept in the base unit of their dimension; a unit is named on the way in and on the
way out.  The formulas of kilowhat are ordinary arithmetic on these.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, TypeAlias

from kilowhat.errors import DimensionError
from kilowhat.quantity.units import NONE, Dimension, describe_dimension, parse_unit

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    Vector: TypeAlias = NDArray[np.float64]
    Magnitude: TypeAlias = float | Vector


class Quantity:
    """A number or a vector of draws, in base units, with a dimension.

    >>> (Quantity.of(2, "kWh") / Quantity.of(1, "h")).to("W")
    2000.0
    """

    __slots__ = ("dimension", "magnitude")

    def __init__(self, magnitude: Magnitude, dimension: Dimension = NONE) -> None:
        self.magnitude = magnitude
        self.dimension = dimension

    @classmethod
    def of(cls, value: Magnitude, unit: str) -> Quantity:
        """The quantity that a value in a unit stands for.

        Raises:
            UnknownUnit: the unit is not in the closed table.
        """
        parsed = parse_unit(unit)
        return cls(value * parsed.factor, parsed.dimension)

    def to(self, unit: str) -> Magnitude:
        """The magnitude in a unit.

        Raises:
            DimensionError: the unit measures something else.
        """
        parsed = parse_unit(unit)
        if parsed.dimension != self.dimension:
            raise DimensionError(
                left=describe_dimension(self.dimension), right=unit, operation="conversion"
            )
        return self.magnitude / parsed.factor

    def _same(self, other: object, operation: str) -> Quantity:
        if not isinstance(other, Quantity):
            other = Quantity(other)  # type: ignore[arg-type]
        if other.dimension != self.dimension:
            raise DimensionError(
                left=describe_dimension(self.dimension),
                right=describe_dimension(other.dimension),
                operation=operation,
            )
        return other

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.magnitude + self._same(other, "+").magnitude, self.dimension)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.magnitude - self._same(other, "-").magnitude, self.dimension)

    def _combine(
        self, other: Quantity | Magnitude, join: Callable[[int, int], int]
    ) -> tuple[Magnitude, Dimension]:
        if isinstance(other, Quantity):
            if other.dimension is NONE:
                return other.magnitude, self.dimension
            pairs = zip(self.dimension, other.dimension, strict=True)
            return other.magnitude, tuple(join(a, b) for a, b in pairs)
        return other, self.dimension

    def __mul__(self, other: Quantity | Magnitude) -> Quantity:
        magnitude, dimension = self._combine(other, operator.add)
        return Quantity(self.magnitude * magnitude, dimension)

    __rmul__ = __mul__

    def __truediv__(self, other: Quantity | Magnitude) -> Quantity:
        magnitude, dimension = self._combine(other, operator.sub)
        return Quantity(self.magnitude / magnitude, dimension)

    def __neg__(self) -> Quantity:
        return Quantity(-self.magnitude, self.dimension)

    def __repr__(self) -> str:
        return f"Quantity({self.magnitude!r}, {describe_dimension(self.dimension)})"
