"""A series as one line of signs, for terminals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNS = "▁▂▃▄▅▆▇█"
_GAP = "·"


def draw_sparkline(values: Sequence[float | None]) -> str:
    """One sign a value, its height on a linear scale from zero; a dot where there is none.

    >>> draw_sparkline([1.0, 4.0, None, 8.0])
    '▁▄·█'
    """
    most = max((value for value in values if value is not None), default=0.0)
    return "".join(_GAP if value is None else _sign(value, most) for value in values)


def _sign(value: float, most: float) -> str:
    height = math.ceil(len(_SIGNS) * value / most - 1e-9) if most > 0 else 1
    return _SIGNS[min(max(height, 1), len(_SIGNS)) - 1]


def gather(values: Sequence[float | None], most: int) -> tuple[list[float | None], int]:
    """The series in at most so many sums of neighbours, and how many each sums [1].

    A sum over a gap leaves the gap out; it is a gap itself when all its values are.

    >>> gather([1.0, 2.0, None, 3.0, None], 3)
    ([3.0, 3.0, None], 2)
    """
    size = max(1, math.ceil(len(values) / max(most, 1)))
    sums: list[float | None] = []
    for start in range(0, len(values), size):
        known = [value for value in values[start : start + size] if value is not None]
        sums.append(sum(known) if known else None)
    return sums, size
