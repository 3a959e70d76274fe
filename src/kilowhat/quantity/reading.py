"""Read a number with its unit as people write it, in English or French.

A comma followed by exactly three digits is a thousands separator in English and a decimal comma
in French.  The language decides, and where nobody named one the reading says how it was taken.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from kilowhat.errors import InvalidValue, UnknownUnit
from kilowhat.language import current, mark, translate
from kilowhat.quantity.quantity import Quantity
from kilowhat.quantity.unit_words import is_near_miss, read_unit

_NUMBER = re.compile(
    r"(?P<sign>[-+]?) ?(?P<digits>[0-9]+(?:[ .,'][0-9]+)*|[.,][0-9]+)"
    r"(?:[eE](?P<power>[-+]?[0-9]+)| ?[×x·*] ?10(?P<raised>\^[-+]?[0-9]+|[-+][0-9]+))?"
)
_SUPERSCRIPT = re.compile("[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_FROM_SUPERSCRIPT = str.maketrans("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹", "-+0123456789")
_TIDY = str.maketrans({"−": "-", "–": "-", "’": "'", "\u200b": "", "\u2060": "", "\ufeff": ""})
_WHOLE = re.compile(r"[0-9]*|[0-9]{1,3}(?:(?P<mark>[ .,'])[0-9]{3})(?:(?P=mark)[0-9]{3})*")
_DECIMALS = re.compile(r"[0-9]*|(?:[0-9]{3}[ '])+[0-9]{1,3}")

_MULTIPLES = {
    "thousand": 1e3, "mille": 1e3, "million": 1e6, "millions": 1e6,
    "milliard": 1e9, "milliards": 1e9,
}  # fmt: skip
_BILLIONS = {"en": {"billion": 1e9, "trillion": 1e12}, "fr": {"billion": 1e12, "trillion": 1e18}}


@dataclass(frozen=True, slots=True)
class Reading:
    """A quantity as it was read: its value in the unit written, and what a reader should know.

    Attributes:
        value: the number, in ``unit``.
        unit: the unit in symbols of the closed table; ``1`` when none was written.
        quantity: the same in base units, with its dimension.
        note: how an ambiguous notation was taken, in the language in use; usually empty.
    """

    value: float
    unit: str
    quantity: Quantity
    note: str = ""


def _tidy(text: str) -> str:
    plain = _SUPERSCRIPT.sub(lambda run: "^" + run[0].translate(_FROM_SUPERSCRIPT), text)
    return " ".join(plain.translate(_TIDY).split())


def _not_a_number(text: str) -> InvalidValue:
    return InvalidValue(
        name=translate(mark("number")),
        value=text,
        expected=translate(mark("write it as 2.9, 1287 or 30.84e6")),
    )


def _is_ambiguous(digits: str) -> bool:
    """Whether one comma could be a decimal comma or a thousands separator."""
    return re.fullmatch(r"[1-9][0-9]{0,2},[0-9]{3}", digits) is not None


def _parts(digits: str, language: str) -> tuple[str, str]:
    """The digits before and after the decimal mark, separators kept."""
    marks = [character for character in digits if character in ".,"]
    is_grouped = len(marks) > 1 and len(set(marks)) == 1
    if not marks or is_grouped or (_is_ambiguous(digits) and language == "en"):
        return digits, ""
    whole, _, part = digits.rpartition(marks[-1])
    return (whole, part) if marks[-1] not in whole else ("?", "")


def _value(found: re.Match[str], language: str) -> float:
    digits = found["digits"]
    whole, part = _parts(digits, language)
    if not (_WHOLE.fullmatch(whole) and _DECIMALS.fullmatch(part)):
        raise _not_a_number(digits)
    power = (found["power"] or found["raised"] or "0").lstrip("^")
    plain = re.sub("[ .,']", "", whole), re.sub("[ ']", "", part)
    value = float(f"{found['sign']}{plain[0] or '0'}.{plain[1] or '0'}e{power}")
    if not math.isfinite(value):
        raise _not_a_number(found[0])
    return value


def _note(digits: str, language: str) -> str:
    taken, other = digits.replace(",", ""), digits.replace(",", ".")
    if language == "fr":
        taken, other = other, taken
    message = mark("“{text}” was read as {taken}; write {other} if you meant that.")
    return translate(message).format(text=digits, taken=taken, other=other)


def _leading_number(text: str, language: str | None, *, strict: bool) -> tuple[float, str, str]:
    """The number that a tidy text begins with, the rest of it, and a note."""
    found = _NUMBER.match(text)
    if not found:
        raise _not_a_number(text)
    tongue = language or current()
    note = "" if language or not _is_ambiguous(found["digits"]) else _note(found["digits"], tongue)
    if note and strict:
        digits = found["digits"]
        expected = translate(mark("write {thousands} or {decimal}, both are possible")).format(
            thousands=digits.replace(",", ""), decimal=digits.replace(",", ".")
        )
        raise InvalidValue(name=translate(mark("number")), value=digits, expected=expected)
    value = _value(found, tongue)
    rest = text[found.end() :].strip()
    word, _, after = rest.partition(" ")
    multiple = (_MULTIPLES | _BILLIONS[tongue]).get(word.lower())
    if multiple is None:
        return value, rest, note
    return value * multiple, re.sub(r"^(?:de |d'|of )", "", after), note


def parse_number(text: str, language: str | None = None) -> float:
    """The number that a text stands for [1].

    Args:
        text: such as ``30.84e6``, ``1 287,5`` or ``1,2 × 10⁻⁸``.
        language: ``en`` or ``fr``; the one in use when not given.

    Raises:
        InvalidValue: not a number, or something stands after it.

    >>> parse_number("1,287", "en"), parse_number("1,287", "fr")
    (1287.0, 1.287)
    """
    value, rest, _ = _leading_number(_tidy(text), language, strict=False)
    if rest:
        raise _not_a_number(text)
    return value


def _reading(value: float, unit: str, note: str) -> Reading:
    return Reading(value, unit, Quantity.of(value, unit), note)


def read_quantity(text: str, language: str | None = None, *, strict: bool = False) -> Reading:
    """A number with its unit as it was written, and a note where the notation is ambiguous.

    Args:
        text: such as ``2.9 Wh``, ``1 287 MWh``, ``10 kgCO2e``, ``2,5 kWh/jour``.
        language: ``en`` or ``fr``; when not given, the one in use decides, and the note says so.
        strict: refuse a number that reads differently in the other language, instead of noting.

    Raises:
        InvalidValue: the text does not begin with a number, or is ambiguous and ``strict``.
        UnknownUnit: the unit is not in the closed table, or its case leaves open which one.

    >>> read_quantity("1 287 MWh", "fr").unit
    'MWh'
    """
    value, rest, note = _leading_number(_tidy(text), language, strict=strict)
    unit = read_unit(rest, language or current()) if rest else "1"
    return _reading(value, unit, note)


def parse_quantity(text: str, language: str | None = None, *, strict: bool = False) -> Quantity:
    """The quantity that a text stands for; the arguments and errors are those of `read_quantity`.

    >>> parse_quantity("2,9 Wh").to("J")
    10440.0
    """
    return read_quantity(text, language, strict=strict).quantity


def split_quantity(text: str, language: str | None = None) -> tuple[Reading, str]:
    """The quantity that a text begins with, and the words after it.

    Args:
        text: such as ``1 h microwave`` or ``10 km en voiture``; the unit is the longest run of
            words that is one, and ``1`` when the first word is no unit.
        language: ``en`` or ``fr``; the one in use when not given.

    Raises:
        InvalidValue: the text does not begin with a number.
        UnknownUnit: the case of the unit leaves open which one is meant (``mwh``).

    >>> reading, words = split_quantity("1 h microwave", "en")
    >>> reading.unit, words
    ('h', 'microwave')
    """
    value, rest, note = _leading_number(_tidy(text), language, strict=False)
    words = rest.split(" ") if rest else []
    for count in range(len(words), 0, -1):
        try:
            unit = read_unit(" ".join(words[:count]), language or current())
        except UnknownUnit:
            if count == 1 and is_near_miss(words[0]):
                raise
            continue
        return _reading(value, unit, note), " ".join(words[count:])
    return _reading(value, "1", note), rest
