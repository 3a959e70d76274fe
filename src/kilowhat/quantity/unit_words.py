"""How each unit is written and read: its words in English and French, its usual variants.

The case of a prefix is part of the unit: ``mWh`` and ``MWh`` differ by nine orders of magnitude,
so a unit whose case leaves that open is refused with the candidates, never guessed.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from functools import lru_cache

from kilowhat.errors import UnknownUnit
from kilowhat.quantity.units import SYMBOLS, parse_unit

_PREFIXES = {
    "": ("",), "n": ("nano",), "µ": ("micro",), "m": ("milli",), "c": ("centi",),
    "h": ("hecto",), "k": ("kilo",), "M": ("mega",), "G": ("giga",), "T": ("tera",),
    "P": ("peta",), "E": ("exa",),
}  # fmt: skip

_STEMS = {
    "Wh": ("watthour", "wattheure"), "W": ("watt",), "J": ("joule",), "L": ("litre", "liter"),
    "s": ("second", "seconde", "sec"), "m": ("meter", "metre"), "B": ("byte", "octet"),
    "g": ("gram", "gramme", "gm"), "t": ("tonne", "ton"),
}  # fmt: skip

_WORDS = {
    "min": ("minute", "mn"), "h": ("hour", "hr", "heure"), "d": ("day", "jour", "journee"),
    "a": ("year", "yr", "an", "annee"), "mi": ("mile",), "m3": ("cubicmeter", "cubicmetre",
    "metrecube"), "token": ("token", "jeton", "tok"), "call": ("call", "appel", "request",
    "requete", "query", "queries", "prompt"), "image": ("image", "img"),
    "%": ("percent", "pct", "pourcent"), "t": ("metricton", "metrictonne"), "FLOP": ("operation",),
}  # fmt: skip

_MASSES = ("ng", "µg", "mg", "g", "kg", "t", "kt", "Mt", "Gt")

# Spellings that are neither table symbols nor words; their case counts.
_VARIANTS = {
    "l": "L", "ml": "mL", "cl": "cL", "hl": "hL", "kl": "kL", "Ml": "ML", "Gl": "GL",
    "µl": "µL", "o": "B", "ko": "kB", "Mo": "MB", "Go": "GB", "To": "TB", "KB": "kB",
    "m^3": "m3", "FLOPs": "FLOP", "GFLOPs": "GFLOP", "TFLOPs": "TFLOP", "PFLOPs": "PFLOP",
    "EFLOPs": "EFLOP", "FLOPS": "FLOP/s", "GFLOPS": "GFLOP/s", "TFLOPS": "TFLOP/s",
    "PFLOPS": "PFLOP/s", "EFLOPS": "EFLOP/s", "us": "µs", "uWh": "µWh", "uL": "µL", "ul": "µL",
    "w": "W",
}  # fmt: skip

_SHOWN = {
    "en": {"a": ("year", "years"), "d": ("day", "days"), "token": ("token", "tokens"),
           "call": ("call", "calls"), "image": ("image", "images")},
    "fr": {"a": ("an", "ans"), "d": ("jour", "jours"), "token": ("token", "tokens"),
           "call": ("appel", "appels"), "image": ("image", "images"), "B": ("o", "o"),
           "kB": ("ko", "ko"), "MB": ("Mo", "Mo"), "GB": ("Go", "Go"), "TB": ("To", "To")},
}  # fmt: skip

_EQUIVALENT = r"(?:[eé]q(?:uivalent)?s?\.?|e)"
_CARBON = re.compile(
    rf"(?P<mass>.+?)[ -]?(?:(?:of|de|d['’ ]) ?)?(?:{_EQUIVALENT}[ -]?)?(?:de )?"
    rf"(?:CO2|carbone?)[ -]?{_EQUIVALENT}?",
    re.IGNORECASE,
)
_ANTIMONY = re.compile(
    rf"(?P<mass>.+?)[ -]?(?:(?:of|de|d['’ ]) ?)?(?:{_EQUIVALENT}[ -]?)?"
    rf"(?:Sb|antimony|antimoine)[ -]?{_EQUIVALENT}?",
    re.IGNORECASE,
)
_PER = re.compile(r" ?/ ?| (?:per|par|an?|each) ", re.IGNORECASE)
_TIMES = re.compile(r" ?[.·⋅*×] ?(?=[^\W\d]|%)")
_ABBREVIATED = re.compile(r"\b([eé]q)\. ?", re.IGNORECASE)
_TIDY = str.maketrans({"μ": "µ", "₂": "2", "³": "3", "’": "'", "‑": "-", "–": "-"})


def _word(text: str) -> str:
    """The text as a key of words: lower case, without accents, plurals, spaces or hyphens."""
    plain = unicodedata.normalize("NFD", text.lower())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[ \-']", "", re.sub(r"(?<=[a-z]{2})s\b", "", plain))


def _words() -> dict[str, str]:
    table = {word: symbol for symbol, words in _WORDS.items() for word in words}
    for unit, stems in _STEMS.items():
        for prefix, names in _PREFIXES.items():
            if prefix + unit in (*SYMBOLS, *_MASSES):
                table |= {name + stem: prefix + unit for name in names for stem in stems}
    return table


_BY_WORD = _words()
_BY_LOWER: dict[str, list[str]] = {}
for _symbol in SYMBOLS:
    _BY_LOWER.setdefault(_symbol.lower(), []).append(_symbol)


def _scale(symbol: str) -> str:
    """The symbol with the power of ten that its prefix stands for, when it has one."""
    powers = {"m": "⁻³", "M": "⁶", "p": "⁻¹²", "P": "¹⁵"}
    if len(symbol) > 1 and symbol[0] in powers and symbol[1:] in SYMBOLS:
        return f"{symbol} (10{powers[symbol[0]]} {symbol[1:]})"
    if symbol[:2] == "Mt":
        return f"{symbol} (10⁶ {symbol[1:]})"
    return symbol


def _refuse(name: str, candidates: list[str]) -> UnknownUnit:
    return UnknownUnit(name=name, nearest=[_scale(symbol) for symbol in candidates])


def _ignore_case(text: str, whole: str) -> str | None:
    """The one symbol that differs from the text by case alone, when case cannot matter."""
    found = _BY_LOWER.get(text.lower(), [])
    if not found:
        return None
    # Lower-case b is the bit, A the ampere, T the tesla: one letter leaves too much open.
    is_data = found[0] in {"B", "kB", "MB", "GB", "TB"}
    is_letter = len(text) == 1 and text not in "WHSJ"
    is_open = len(found) > 1 or (text[0] != found[0][0] and found[0][0] in "mMpP")
    if is_data or is_letter or (is_open and len(text) > 1):
        raise _refuse(whole, found)
    return found[0]


def _mass_of(text: str, substance: str, whole: str) -> str:
    """The symbol of a mass of CO2e or Sbeq."""
    mass = _VARIANTS.get(text, text)
    if mass not in _MASSES:
        mass = _BY_WORD.get(_word(text), mass)
    if mass not in _MASSES and mass.lower() in {"mt", "mg"}:
        # "mt" and "MT" stand for metric ton in American use, and for megatonne elsewhere.
        small = "t" if mass.lower() == "mt" else "mg"
        raise _refuse(whole, [small + substance, "Mt" + substance])
    if mass not in _MASSES and mass.lower() in _MASSES:
        mass = mass.lower()
    if mass + substance not in SYMBOLS:
        nearest = [symbol for symbol in SYMBOLS if symbol.endswith(substance)]
        raise _refuse(whole, difflib.get_close_matches(text + substance, nearest, 3, 0.4))
    return mass + substance


def _part(text: str, whole: str, language: str) -> str:
    """The symbol of the table for one factor of a product or quotient."""
    if text in SYMBOLS and text != "1":
        return text
    if text in _VARIANTS:
        return _VARIANTS[text]
    if text.lower() == "j" and language == "fr" and text != "J":
        return "d"
    if text.replace(" ", "").replace("-", "") in SYMBOLS and text != "1":
        return text.replace(" ", "").replace("-", "")
    for pattern, substance in ((_CARBON, "CO2e"), (_ANTIMONY, "Sbeq")):
        found = pattern.fullmatch(text)
        if found:
            return _mass_of(found["mass"], substance, whole)
    symbol = _BY_WORD.get(_word(text)) or _ignore_case(text, whole)
    if symbol is None or symbol not in SYMBOLS:
        raise _refuse(whole, _nearest(text))
    return symbol


def _nearest(text: str) -> list[str]:
    names = {symbol: symbol for symbol in SYMBOLS} | _BY_WORD
    close = difflib.get_close_matches(text, names, 3, 0.6)
    close += difflib.get_close_matches(_word(text), _BY_WORD, 2, 0.8)
    close += [symbol for symbol in SYMBOLS if len(text) > 1 and symbol.startswith(text)]
    found = dict.fromkeys(names.get(name, name) for name in close)
    return [symbol for symbol in found if symbol in SYMBOLS][:4]


def is_near_miss(word: str) -> bool:
    """Whether a word differs from a symbol of the table by case alone (``mwh``, ``Gb``)."""
    return len(word) > 1 and word not in SYMBOLS and word.lower() in _BY_LOWER


@lru_cache(maxsize=1024)
def read_unit(text: str, language: str = "en") -> str:
    """The symbols of the closed table that a unit written by a person stands for.

    Args:
        text: a symbol, a French or English word, or a quotient such as ``kWh par jour``.
        language: ``en`` or ``fr``; decides only whether ``j`` is a day or a joule.

    Raises:
        UnknownUnit: not a unit of the table, or its case leaves open which one.

    >>> read_unit("kilowattheures par an")
    'kWh/a'
    >>> read_unit("kg éq. CO2/kWh")
    'kgCO2e/kWh'
    """
    tidy = " ".join(unicodedata.normalize("NFC", text).translate(_TIDY).split())
    whole = tidy
    if not tidy:
        raise UnknownUnit(name=text, nearest=[])
    parts = []
    for group in _PER.split(tidy):
        factors = _TIMES.split(_ABBREVIATED.sub(r"\1 ", group))  # the point of "éq." is no product
        parts.append(".".join(_part(part.strip(), whole, language) for part in factors))
    symbol = "/".join(parts)
    return parse_unit(symbol).symbol


def _plain(symbol: str, language: str, *, is_plural: bool) -> str:
    """One symbol of the table as it is shown in a language."""
    if symbol in _SHOWN[language]:
        return _SHOWN[language][symbol][is_plural]
    for substance, english, french in (
        ("CO2e", "CO2e", "éq.\u202fCO2"),
        ("Sbeq", "Sb eq", "éq.\u202fSb"),
    ):
        if symbol.endswith(substance):
            mass = symbol.removesuffix(substance)
            return f"{mass}\u202f{french}" if language == "fr" else f"{mass} {english}"
    return "m³" if symbol == "m3" else symbol


def write_unit(symbol: str, language: str = "en", *, is_plural: bool = False) -> str:
    """A unit of the closed table as readers of a language expect it.

    Args:
        symbol: such as ``gCO2e/kWh``.
        language: ``en`` or ``fr``.
        is_plural: whether more than one is counted (``2 calls``, ``2 appels``).

    Raises:
        UnknownUnit: a part is not in the closed table.

    >>> write_unit("gCO2e/kWh"), write_unit("kWh/a", "fr")
    ('g CO2e/kWh', 'kWh/an')
    """
    parse_unit(symbol)
    groups = [
        "·".join(
            _plain(part, language, is_plural=is_plural and index == 0) for part in group.split(".")
        )
        for index, group in enumerate(symbol.split("/"))
    ]
    return "/".join("" if part == "1" and i == 0 else part for i, part in enumerate(groups))
