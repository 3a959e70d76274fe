"""Write and read numbers and units, in English and French.

What is written can be read back, in the same language, to the digits shown; a number that is not
zero is never shown as zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from kilowhat.errors import InvalidValue
from kilowhat.language import current, mark, translate
from kilowhat.quantity.unit_words import read_unit, write_unit
from kilowhat.quantity.units import Dimension, parse_unit

if TYPE_CHECKING:
    from kilowhat.quantity.reading import (
        Reading,
        parse_number,
        parse_quantity,
        read_quantity,
        split_quantity,
    )

__all__ = [
    "FAMILIES",
    "Family",
    "IntervalText",
    "Reading",
    "choose_unit",
    "family_of",
    "format_interval",
    "format_number",
    "format_quantity",
    "format_value",
    "parse_number",
    "parse_quantity",
    "read_quantity",
    "read_unit",
    "split_quantity",
    "write_interval",
    "write_unit",
]


def __getattr__(name: str) -> object:
    """What reads numbers and units is imported when something is read."""
    if name in __all__:
        from kilowhat.quantity import reading  # noqa: PLC0415 - most uses only write

        return getattr(reading, name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


NARROW_SPACE = "\u202f"  # no-break; French thousands, and between a French number and its unit
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Family:
    """The units in which one kind of quantity is shown, smallest first.

    The home unit is the one that published figures use: it is kept down to a tenth, so a reader
    finds the usual ``0.42 Wh`` and not ``420 mWh``.
    """

    home: str
    symbols: tuple[str, ...]


FAMILIES: dict[str, Family] = {
    "energy": Family("Wh", ("µWh", "mWh", "Wh", "kWh", "MWh", "GWh", "TWh")),
    "primary_energy": Family("kJ", ("mJ", "J", "kJ", "MJ", "GJ", "TJ", "PJ", "EJ")),
    "power": Family("W", ("mW", "W", "kW", "MW", "GW", "TW")),
    "time": Family("s", ("ns", "µs", "ms", "s", "min", "h", "d", "a")),
    "ghg": Family(
        "gCO2e",
        ("µgCO2e", "mgCO2e", "gCO2e", "kgCO2e", "tCO2e", "ktCO2e", "MtCO2e", "GtCO2e"),
    ),
    "water": Family("mL", ("µL", "mL", "L", "m3", "ML", "GL")),
    "adpe": Family("µgSbeq", ("ngSbeq", "µgSbeq", "mgSbeq", "gSbeq", "kgSbeq", "tSbeq")),
    "data": Family("B", ("B", "kB", "MB", "GB", "TB")),
    "operation": Family("FLOP", ("FLOP", "GFLOP", "TFLOP", "PFLOP", "EFLOP")),
    "length": Family("km", ("mm", "m", "km")),
    "mass": Family("kg", ("g", "kg", "t")),
    "token": Family("token", ("token",)),
    "call": Family("call", ("call",)),
    "image": Family("image", ("image",)),
    "number": Family("1", ("1",)),
}
_ENGLISH_ONLY = ("ML", "GL")  # French readers count large volumes of water in m³

_SMALLEST = Decimal("0.001")  # below this in the unit at hand, "< 0.001" says it better
_LARGEST = Decimal("1e15")


@lru_cache(maxsize=1)
def _family_names() -> dict[Dimension, str]:
    names: dict[Dimension, str] = {}
    for name, family in FAMILIES.items():
        names.setdefault(parse_unit(family.home).dimension, name)
    return names


def family_of(dimension: Dimension) -> str | None:
    """The name of the family that shows a dimension; ``None`` for a compound one.

    >>> family_of(parse_unit("kgCO2e").dimension)
    'ghg'
    """
    return _family_names().get(dimension)


def _round(value: float, digits: int | None) -> Decimal:
    if not math.isfinite(value):
        raise InvalidValue(
            name=translate(mark("number")), value=value, expected=translate(mark("must be finite"))
        )
    return Decimal(repr(float(value)) if digits is None else f"{value:.{digits - 1}e}")


def _punctuate(rounded: Decimal, language: str) -> str:
    sign = "−" if rounded < 0 else ""
    whole, _, part = f"{abs(rounded):f}".partition(".")
    grouped = f"{int(whole):,}"
    if language == "fr":
        grouped = grouped.replace(",", NARROW_SPACE)
    point = "," if language == "fr" else "."
    return sign + grouped + (point + part if part else "")


def format_number(value: float, digits: int | None = 2, language: str | None = None) -> str:
    """A number with its significant digits, in the notation of a language.

    Args:
        value: any finite number [1].
        digits: significant digits; ``None`` shows all of them, as counts are shown.
        language: ``en`` or ``fr``; the one in use when not given.

    Raises:
        InvalidValue: the number is infinite or not a number.

    >>> format_number(1287, 4, "en"), format_number(0.0421, 2, "fr")
    ('1,287', '0,042')
    """
    tongue = language or current()
    rounded = _round(value, digits)
    if rounded == 0:
        return "0"
    if digits is None and rounded == rounded.to_integral_value():
        rounded = rounded.quantize(Decimal(1)) if abs(rounded) < _LARGEST else rounded.normalize()
    if _SMALLEST <= abs(rounded) < _LARGEST:
        return _punctuate(rounded, tongue)
    mantissa, _, power = f"{rounded:e}".partition("e")
    shown = _punctuate(Decimal(mantissa), tongue)
    space = NARROW_SPACE if tongue == "fr" else " "
    return f"{shown}{space}×{space}10{str(int(power)).translate(_SUPERSCRIPTS)}"


def choose_unit(value: float, family: str, digits: int = 2, language: str | None = None) -> str:
    """The unit of a family in which a value reads best.

    Args:
        value: in the base unit of the family's dimension (J, s, gCO2e, L, kgSbeq …).
        family: a key of `FAMILIES`, such as ``energy`` or ``primary_energy``.
        digits: significant digits that will be shown; 999.9 mg becomes 1.0 g.
        language: ``en`` or ``fr``; the one in use when not given.

    >>> choose_unit(1512.0, "energy"), choose_unit(0.5, "water")
    ('Wh', 'mL')
    """
    known = FAMILIES[family]
    if value == 0:
        return known.home
    french = (language or current()) == "fr"
    symbols = [s for s in known.symbols if not (french and s in _ENGLISH_ONLY)]
    sizes = {s: _round(abs(value) / parse_unit(s).factor, digits) for s in symbols}
    fitting = [symbol for symbol in symbols if sizes[symbol] >= 1]
    best = fitting[-1] if fitting else symbols[0]
    is_small = symbols.index(best) < symbols.index(known.home)
    return known.home if is_small and sizes[known.home] >= Decimal("0.1") else best


def _bounded(value: float, digits: int | None, language: str) -> str:
    """The number, or the limit that it stays under where it would need many zeros."""
    if 0 < abs(_round(value, digits)) < _SMALLEST:
        limit = _punctuate(_SMALLEST.copy_sign(Decimal(value)), language)
        return f"{'<' if value > 0 else '>'}{NARROW_SPACE if language == 'fr' else ' '}{limit}"
    return format_number(value, digits, language)


def _join(number: str, unit: str, language: str) -> str:
    if not unit or (unit.startswith("%") and language == "en"):
        return number + unit
    return number + (NARROW_SPACE if language == "fr" else " ") + unit


def _is_plural(value: float, digits: int | None, language: str) -> bool:
    shown = abs(_round(value, digits))
    return shown >= 2 if language == "fr" else shown != 1


def format_quantity(
    value: float, family: str, digits: int = 2, language: str | None = None, per: str = ""
) -> str:
    """A value with the prefix that suits it, such as ``0.42 Wh`` or ``1,3 t éq. CO2``.

    Args:
        value: in the base unit of the family's dimension (J, s, gCO2e, L, kgSbeq …).
        family: a key of `FAMILIES`.
        digits: significant digits.
        language: ``en`` or ``fr``; the one in use when not given.
        per: a unit that the value is divided by, such as ``call`` or ``kWh``.

    Raises:
        InvalidValue: the value is infinite or not a number.

    >>> format_quantity(1512.0, "energy", language="en")
    '0.42 Wh'
    """
    tongue = language or current()
    unit = choose_unit(value, family, digits, tongue)
    shown = value / parse_unit(unit).factor
    label = write_unit(unit, tongue, is_plural=_is_plural(shown, digits, tongue))
    return _join(_bounded(shown, digits, tongue), label + _per(per, tongue), tongue)


def _per(unit: str, language: str) -> str:
    return "/" + write_unit(unit, language) if unit else ""


def format_value(
    value: float, unit: str, digits: int | None = 3, language: str | None = None
) -> str:
    """A value in the unit that it is given in, as tables of factors show it.

    Args:
        value: in ``unit``.
        unit: of the closed table, or a product or quotient such as ``gCO2e/kWh``.
        digits: significant digits; ``None`` shows all of them.
        language: ``en`` or ``fr``; the one in use when not given.

    Raises:
        InvalidValue: the value is infinite or not a number.
        UnknownUnit: the unit is not in the closed table.

    >>> format_value(0.0442, "kgCO2e/kWh", language="en")
    '0.0442 kg CO2e/kWh'
    """
    tongue = language or current()
    label = write_unit(unit, tongue, is_plural=_is_plural(value, digits, tongue))
    return _join(format_number(value, digits, tongue), label, tongue)


@dataclass(frozen=True, slots=True)
class IntervalText:
    """An interval ready to show: its three numbers in one unit, and that unit."""

    central: str
    low: str
    high: str
    unit: str
    symbol: str
    language: str

    @property
    def value(self) -> str:
        """The central number with its unit."""
        return _join(self.central, self.unit, self.language)

    @property
    def bounds(self) -> str:
        """The 5 % and 95 % points, such as ``[0.11 – 1.9]``; empty for an exact value."""
        return "" if self.low == self.high == self.central else f"[{self.low} – {self.high}]"

    def __str__(self) -> str:
        return f"{self.value} {self.bounds}".rstrip()


def write_interval(
    p05: float,
    p50: float,
    p95: float,
    family: str,
    digits: int = 2,
    language: str | None = None,
    per: str = "",
) -> IntervalText:
    """The parts of an interval, with one common prefix: for tables, which align them.

    Args:
        p05: the 5 % point, in the base unit of the family's dimension.
        p50: the central value, in the same unit.
        p95: the 95 % point, in the same unit.
        family: a key of `FAMILIES`.
        digits: significant digits of each number.
        language: ``en`` or ``fr``; the one in use when not given.
        per: a unit that the values are divided by, such as ``call``.

    Raises:
        InvalidValue: a value is infinite or not a number.

    >>> write_interval(396.0, 1512.0, 6840.0, "energy", language="en").bounds
    '[0.11 – 1.9]'
    """
    tongue = language or current()
    unit = choose_unit(p50 or p95 or p05, family, digits, tongue)
    factor = parse_unit(unit).factor
    label = write_unit(unit, tongue, is_plural=_is_plural(p50 / factor, digits, tongue))
    low, central, high = (_bounded(v / factor, digits, tongue) for v in (p05, p50, p95))
    symbol = f"{unit}/{per}" if per else unit
    return IntervalText(central, low, high, label + _per(per, tongue), symbol, tongue)


def format_interval(
    p05: float,
    p50: float,
    p95: float,
    family: str,
    digits: int = 2,
    language: str | None = None,
    per: str = "",
) -> str:
    """A value with its 90 % interval: ``0.42 Wh [0.11 – 1.9]``, ``0,42 Wh [0,11 – 1,9]``.

    The arguments and errors are those of `write_interval`.

    >>> format_interval(396.0, 1512.0, 6840.0, "energy", language="en")
    '0.42 Wh [0.11 – 1.9]'
    """
    return str(write_interval(p05, p50, p95, family, digits, language, per))
