"""The closed table of units, and their exact conversion.

A unit is a dimension (integer exponents over `BASES`) and a factor to that dimension's base unit.
Greenhouse gas, water and resource depletion are dimensions of their own, so grams of CO2e never
add to grams of hardware.  SI and calendar definitions stand here; every other number is data.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import lru_cache

from kilowhat.errors import UnknownUnit

BASES = (
    "energy", "time", "ghg", "water", "antimony", "data",
    "operation", "length", "mass", "token", "call", "image",
)  # fmt: skip
Dimension = tuple[int, ...]
NONE: Dimension = (0,) * len(BASES)


def _base(name: str) -> Dimension:
    return tuple(int(name == base) for base in BASES)


ENERGY, TIME, GHG, WATER, ANTIMONY, DATA, OPERATION, LENGTH, MASS, TOKEN, CALL, IMAGE = (
    _base(base) for base in BASES
)
POWER: Dimension = tuple(e - t for e, t in zip(ENERGY, TIME, strict=True))


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: its symbol, its dimension, and how many base units it holds."""

    symbol: str
    dimension: Dimension
    factor: float


_HOUR_S = 3600.0
_DAY_S = 86400.0
_YEAR_S = 365.25 * _DAY_S

_TABLE: dict[str, tuple[Dimension, float]] = {
    "1": (NONE, 1.0), "%": (NONE, 0.01),
    "J": (ENERGY, 1.0), "mJ": (ENERGY, 1e-3), "kJ": (ENERGY, 1e3), "MJ": (ENERGY, 1e6),
    "GJ": (ENERGY, 1e9), "TJ": (ENERGY, 1e12), "PJ": (ENERGY, 1e15), "EJ": (ENERGY, 1e18),
    "µWh": (ENERGY, 3.6e-3), "mWh": (ENERGY, 3.6), "Wh": (ENERGY, 3.6e3),
    "kWh": (ENERGY, 3.6e6), "MWh": (ENERGY, 3.6e9), "GWh": (ENERGY, 3.6e12),
    "TWh": (ENERGY, 3.6e15), "PWh": (ENERGY, 3.6e18),
    "mW": (POWER, 1e-3), "W": (POWER, 1.0), "kW": (POWER, 1e3), "MW": (POWER, 1e6),
    "GW": (POWER, 1e9), "TW": (POWER, 1e12),
    "ns": (TIME, 1e-9), "µs": (TIME, 1e-6), "ms": (TIME, 1e-3), "s": (TIME, 1.0),
    "min": (TIME, 60.0), "h": (TIME, _HOUR_S), "d": (TIME, _DAY_S), "a": (TIME, _YEAR_S),
    "µgCO2e": (GHG, 1e-6), "mgCO2e": (GHG, 1e-3), "gCO2e": (GHG, 1.0), "kgCO2e": (GHG, 1e3),
    "tCO2e": (GHG, 1e6), "ktCO2e": (GHG, 1e9), "MtCO2e": (GHG, 1e12), "GtCO2e": (GHG, 1e15),
    "µL": (WATER, 1e-6), "mL": (WATER, 1e-3), "cL": (WATER, 1e-2), "L": (WATER, 1.0),
    "hL": (WATER, 1e2), "m3": (WATER, 1e3), "kL": (WATER, 1e3), "ML": (WATER, 1e6),
    "GL": (WATER, 1e9),
    "ngSbeq": (ANTIMONY, 1e-12), "µgSbeq": (ANTIMONY, 1e-9), "mgSbeq": (ANTIMONY, 1e-6),
    "gSbeq": (ANTIMONY, 1e-3), "kgSbeq": (ANTIMONY, 1.0), "tSbeq": (ANTIMONY, 1e3),
    "B": (DATA, 1.0), "kB": (DATA, 1e3), "MB": (DATA, 1e6), "GB": (DATA, 1e9),
    "TB": (DATA, 1e12),
    "FLOP": (OPERATION, 1.0), "GFLOP": (OPERATION, 1e9), "TFLOP": (OPERATION, 1e12),
    "PFLOP": (OPERATION, 1e15), "EFLOP": (OPERATION, 1e18),
    "mm": (LENGTH, 1e-3), "m": (LENGTH, 1.0), "km": (LENGTH, 1e3), "mi": (LENGTH, 1609.344),
    "g": (MASS, 1e-3), "kg": (MASS, 1.0), "t": (MASS, 1e3),
    "token": (TOKEN, 1.0), "call": (CALL, 1.0), "image": (IMAGE, 1.0),
}  # fmt: skip

SYMBOLS = tuple(_TABLE)


def _term(symbol: str, whole: str) -> tuple[Dimension, float]:
    try:
        return _TABLE[symbol]
    except KeyError:
        nearest = difflib.get_close_matches(symbol, SYMBOLS, n=3, cutoff=0.5)
        raise UnknownUnit(name=whole, nearest=nearest) from None


@lru_cache(maxsize=1024)
def parse_unit(symbol: str) -> Unit:
    """The unit that a symbol of the table, or a product and quotient of them, stands for.

    Args:
        symbol: such as ``kWh``, ``gCO2e/kWh``, ``GB/s``; ``.`` multiplies, ``/`` divides.

    Raises:
        UnknownUnit: a part is not in the closed table.

    >>> parse_unit("kWh").factor
    3600000.0
    """
    factor = 1.0
    exponents = [0] * len(BASES)
    sign = 1
    for index, group in enumerate(symbol.split("/")):
        sign = 1 if index == 0 else -1
        for part in group.split("."):
            dimension, size = _term(part, symbol)
            factor *= size**sign
            exponents = [e + sign * d for e, d in zip(exponents, dimension, strict=True)]
    return Unit(symbol, tuple(exponents), factor)


def describe_dimension(dimension: Dimension) -> str:
    """The dimension in words, such as ``energy/time``; ``number`` when it has none."""
    above = [name for name, e in zip(BASES, dimension, strict=True) for _ in range(e)]
    below = [name for name, e in zip(BASES, dimension, strict=True) for _ in range(-e)]
    if not above and not below:
        return "number"
    return "/".join(["·".join(above) or "1", *below])
