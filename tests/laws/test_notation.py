"""Numbers and units: what is written can be read back, and French equals English."""

from __future__ import annotations

import math
import re
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kilowhat.errors import InvalidValue, UnknownUnit, UsageError
from kilowhat.language import LANGUAGES, speaking
from kilowhat.quantity.notation import (
    FAMILIES,
    choose_unit,
    family_of,
    format_interval,
    format_number,
    format_quantity,
    format_value,
    parse_number,
    parse_quantity,
    read_quantity,
    read_unit,
    split_quantity,
    write_interval,
    write_unit,
)
from kilowhat.quantity.units import SYMBOLS, parse_unit
from strategies import compound_symbols, families, languages, magnitudes, signed

digit_counts = st.integers(1, 6)


def half_step(digits: int) -> float:
    """The largest relative error of rounding to significant digits."""
    return 0.5 * 10.0 ** (1 - digits) * (1 + 1e-9)


# --- what is written can be read back -----------------------------------------------------------


@given(signed, digit_counts, languages)
def test_a_number_comes_back_to_the_digits_shown(x: float, digits: int, language: str) -> None:
    text = format_number(x, digits, language)
    assert math.isclose(parse_number(text, language), x, rel_tol=half_step(digits))


@given(st.integers(-(10**14), 10**14), languages)
def test_a_count_comes_back_exactly(n: int, language: str) -> None:
    assert parse_number(format_number(n, None, language), language) == n


@given(magnitudes(), families, digit_counts, languages)
def test_a_quantity_comes_back(value: float, family: str, digits: int, language: str) -> None:
    text = format_quantity(value, family, digits, language)
    if text.startswith("<"):
        assert parse_quantity(text.lstrip("<"), language).magnitude > value
        return
    read = parse_quantity(text, language)
    assert math.isclose(read.magnitude, value, rel_tol=half_step(digits))
    assert read.dimension == parse_unit(FAMILIES[family].home).dimension


@given(signed, compound_symbols(), digit_counts, languages)
def test_a_value_in_a_given_unit_comes_back(
    x: float, symbol: str, digits: int, language: str
) -> None:
    read = read_quantity(format_value(x, symbol, digits, language), language)
    assert math.isclose(read.value, x, rel_tol=half_step(digits))
    assert parse_unit(read.unit).dimension == parse_unit(symbol).dimension
    assert math.isclose(parse_unit(read.unit).factor, parse_unit(symbol).factor)


@given(magnitudes(), families, digit_counts)
def test_french_and_english_say_the_same(value: float, family: str, digits: int) -> None:
    english = format_quantity(value, family, digits, "en").lstrip("<")
    french = format_quantity(value, family, digits, "fr").lstrip("<")
    assert math.isclose(
        parse_quantity(english, "en").magnitude,
        parse_quantity(french, "fr").magnitude,
        rel_tol=1e-9,
    )


@pytest.mark.parametrize("symbol", [symbol for symbol in SYMBOLS if symbol != "1"])
@pytest.mark.parametrize("writes", LANGUAGES)
@pytest.mark.parametrize("reads", LANGUAGES)
def test_each_unit_is_read_in_both_languages(symbol: str, writes: str, reads: str) -> None:
    for is_plural in (False, True):
        shown = write_unit(symbol, writes, is_plural=is_plural)
        assert parse_unit(read_unit(shown, reads)).factor == parse_unit(symbol).factor
        assert parse_unit(read_unit(shown, reads)).dimension == parse_unit(symbol).dimension


# --- how it looks -------------------------------------------------------------------------------


@given(signed, st.one_of(families), digit_counts, languages)
def test_what_is_not_zero_never_looks_like_zero(
    value: float, family: str, digits: int, language: str
) -> None:
    number = re.match("[<>−]?[\\s−]*([0-9.,]+)", format_quantity(value, family, digits, language))
    assert number is not None
    assert number[1].strip("0.,") != ""


@given(magnitudes(-9, 9), families)
def test_the_prefix_leaves_few_digits(value: float, family: str) -> None:
    home = FAMILIES[family].home
    if family in {"token", "call", "image", "number", "time"}:
        return
    unit = choose_unit(value, family, 2, "en")
    symbols = FAMILIES[family].symbols
    shown = float(f"{value / parse_unit(unit).factor:.1e}")
    if unit != symbols[-1]:
        step = parse_unit(symbols[symbols.index(unit) + 1]).factor / parse_unit(unit).factor
        assert shown < step * (1 + 1e-9)
    if unit != symbols[0]:
        assert shown >= (0.1 if unit == home else 1.0)


@given(magnitudes(-9, 9), magnitudes(0, 2), magnitudes(0, 2), families, languages)
def test_an_interval_has_one_unit_and_its_order(
    middle: float, down: float, up: float, family: str, language: str
) -> None:
    low, high = middle / down, middle * up
    shown = write_interval(low, middle, high, family, 3, language)
    text = str(shown)
    assert shown.unit == "" or text.count(shown.unit) >= 1
    factor = parse_unit(shown.symbol).factor
    for part, value in ((shown.low, low), (shown.central, middle), (shown.high, high)):
        if part.startswith("<"):
            assert value / factor < 1e-3
        else:
            read = parse_number(part, language)
            assert math.isclose(read, value / factor, rel_tol=half_step(3))


def test_the_house_examples() -> None:
    wh = (0.11 * 3600, 0.42 * 3600, 1.9 * 3600)
    assert format_interval(*wh, "energy", language="en") == "0.42 Wh [0.11 – 1.9]"
    assert format_interval(*wh, "energy", language="fr") == "0,42\u202fWh [0,11 – 1,9]"
    assert format_interval(*wh, "energy", language="fr", per="call").startswith(
        "0,42\u202fWh/appel"
    )


@pytest.mark.parametrize(
    ("value", "family", "english", "french"),
    [
        (15.0, "energy", "4.2 mWh", "4,2\u202fmWh"),
        (1287 * 3.6e15, "energy", "1,300 TWh", "1\u202f300\u202fTWh"),
        (999.96, "ghg", "1.0 kg CO2e", "1,0\u202fkg\u202féq.\u202fCO2"),
        (0.0012, "ghg", "1.2 mg CO2e", "1,2\u202fmg\u202féq.\u202fCO2"),
        (3.2e14, "ghg", "320 Mt CO2e", "320\u202fMt\u202féq.\u202fCO2"),
        (2.6e-4, "water", "0.26 mL", "0,26\u202fmL"),
        (3200.0, "water", "3.2 m³", "3,2\u202fm³"),
        (5e6, "water", "5.0 ML", "5\u202f000\u202fm³"),
        (3e-9, "adpe", "3.0 µg Sb eq", "3,0\u202fµg\u202féq.\u202fSb"),
        (1.2, "adpe", "1.2 kg Sb eq", "1,2\u202fkg\u202féq.\u202fSb"),
        (9.9e6, "primary_energy", "9.9 MJ", "9,9\u202fMJ"),
        (4.2e4, "primary_energy", "42 kJ", "42\u202fkJ"),
        (2 * 86400.0, "time", "2.0 days", "2,0\u202fjours"),
        (16e9, "data", "16 GB", "16\u202fGo"),
        (0.0, "energy", "0 Wh", "0\u202fWh"),
        (1e-9, "energy", "< 0.001 µWh", "<\u202f0,001\u202fµWh"),
    ],
)
def test_values_as_readers_expect_them(
    value: float, family: str, english: str, french: str
) -> None:
    assert format_quantity(value, family, language="en") == english
    assert format_quantity(value, family, language="fr") == french


def test_an_exact_value_shows_no_interval_and_a_lost_bound_its_limit() -> None:
    assert format_interval(3600.0, 3600.0, 3600.0, "energy", language="en") == "1.0 Wh"
    assert format_interval(0.036, 3600.0, 7200.0, "energy", language="en") == (
        "1.0 Wh [< 0.001 – 2.0]"
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_refused(value: float) -> None:
    with pytest.raises(InvalidValue):
        format_quantity(value, "energy")


def test_each_family_is_found_from_its_dimension() -> None:
    for name, family in FAMILIES.items():
        dimension = parse_unit(family.home).dimension
        assert all(parse_unit(symbol).dimension == dimension for symbol in family.symbols)
        assert FAMILIES[str(family_of(dimension))].home in {"Wh", family.home}, name
    assert family_of(parse_unit("gCO2e/kWh").dimension) is None


# --- how people write ---------------------------------------------------------------------------

WRITTEN = [
    ("2.9 Wh", 2.9, "Wh"), ("2,9 Wh", 2.9, "Wh"), ("1 287 MWh", 1287, "MWh"),
    ("1\u00a0287\u202fMWh", 1287, "MWh"), ("1\u2009287 MWh", 1287, "MWh"),
    ("1'287 MWh", 1287, "MWh"), ("30.84e6", 30.84e6, "1"), ("30,84E6 h", 30.84e6, "h"),
    ("1,287,000 Wh", 1287000, "Wh"), ("1.287.000 Wh", 1287000, "Wh"),
    ("1,287.5 Wh", 1287.5, "Wh"), ("1.287,5 Wh", 1287.5, "Wh"), ("0,240 Wh", 0.24, "Wh"),
    (".5 Wh", 0.5, "Wh"), ("−3 Wh", -3, "Wh"), ("1.2 × 10⁻⁸ kg Sb eq", 1.2e-8, "kgSbeq"),
    ("1,2x10^-8 kgSbeq", 1.2e-8, "kgSbeq"), ("10 kgCO2e", 10, "kgCO2e"),
    ("10 kg CO2", 10, "kgCO2e"), ("10 kg CO₂ eq", 10, "kgCO2e"), ("10 kg éq. CO2", 10, "kgCO2e"),
    ("10 kgeqCO2", 10, "kgCO2e"), ("10 tonnes of CO2", 10, "tCO2e"),
    ("10 tonnes équivalent CO2", 10, "tCO2e"), ("10 grammes de CO2", 10, "gCO2e"),
    ("55 gCO2eq/kWh", 55, "gCO2e/kWh"), ("55 g CO2 per kWh", 55, "gCO2e/kWh"),
    ("5s", 5, "s"), ("1 h", 1, "h"), ("500 mL", 500, "mL"), ("500ml", 500, "mL"), ("3 l", 3, "L"),
    ("2,5 kWh/jour", 2.5, "kWh/d"), ("2.5 kWh a day", 2.5, "kWh/d"),
    ("2,5 kWh par an", 2.5, "kWh/a"), ("3 wattheures", 3, "Wh"), ("3 wattheure", 3, "Wh"),
    ("3 watt-heures", 3, "Wh"), ("3 kilowattheures", 3, "kWh"), ("3 kilowatts-heures", 3, "kWh"),
    ("3 kilowatt-hours", 3, "kWh"), ("3 mégawattheures", 3, "MWh"), ("3 milliwatt-hours", 3, "mWh"),
    ("2 litres", 2, "L"), ("2 liters", 2, "L"), ("1 litre", 1, "L"), ("1 tonne", 1, "t"),
    ("1 heure", 1, "h"), ("2 heures", 2, "h"), ("3 hours", 3, "h"), ("2 jours", 2, "d"),
    ("1 jour", 1, "d"), ("1 an", 1, "a"), ("3 ans", 3, "a"), ("3 years", 3, "a"),
    ("12 kwh", 12, "kWh"), ("12 KWH", 12, "kWh"), ("4 m³", 4, "m3"), ("16 Go", 16, "GB"),
    ("42 %", 42, "%"), ("42%", 42, "%"), ("0,26 mL/requête", 0.26, "mL/call"),
    ("3 millions de kWh", 3e6, "kWh"), ("2,4 milliards de tokens", 2.4e9, "token"),
    ("8 TFLOPS", 8, "TFLOP/s"), ("3 µg éq. Sb", 3, "µgSbeq"), ("3 μWh", 3, "µWh"),
]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("text", "value", "unit"), WRITTEN)
def test_people_are_understood(text: str, value: float, unit: str, language: str) -> None:
    read = read_quantity(text, language)
    assert (read.value, read.unit) == (pytest.approx(value), unit)
    assert read.quantity.to(unit) == pytest.approx(value)


def test_one_comma_and_three_digits_depend_on_the_language() -> None:
    assert read_quantity("1,287 MWh", "en").value == 1287
    assert read_quantity("1,287 MWh", "fr").value == 1.287
    assert read_quantity("1,287 MWh", "en").note == ""


@pytest.mark.parametrize(("language", "value"), [("en", 1287), ("fr", 1.287)])
def test_without_a_language_the_one_in_use_decides_and_says_so(language: str, value: float) -> None:
    with speaking(language):
        read = read_quantity("1,287 MWh")
        assert read.value == value
        assert "1287" in read.note
        assert "1.287" in read.note
        with pytest.raises(InvalidValue, match="1287"):
            read_quantity("1,287 MWh", strict=True)
    assert read_quantity("1,28 MWh").note == ""
    assert read_quantity("0,287 MWh", strict=True).value == 0.287


@pytest.mark.parametrize("text", ["4 mwh", "4 MWH", "4 Mwh", "4 mWH", "4 mwh/h"])
def test_milli_or_mega_is_asked_never_guessed(text: str) -> None:
    with pytest.raises(UnknownUnit) as caught:
        parse_quantity(text)
    assert "mWh" in str(caught.value)
    assert "MWh" in str(caught.value)


@pytest.mark.parametrize("text", ["5 mtCO2", "5 MTCO2e"])
def test_metric_ton_or_megatonne_is_asked_never_guessed(text: str) -> None:
    with pytest.raises(UnknownUnit, match=r"tCO2e.*MtCO2e"):
        parse_quantity(text)


@given(st.sampled_from(SYMBOLS), st.randoms(use_true_random=False))
def test_case_never_changes_what_is_meant(symbol: str, random: object) -> None:
    assume(symbol != "1")
    swapped = "".join(
        c.swapcase() if random.random() < 0.5 else c  # type: ignore[attr-defined]
        for c in symbol
    )
    try:
        read = parse_unit(read_unit(swapped))
    except UnknownUnit:
        return
    meant = {s for s in SYMBOLS if s.lower() == symbol.lower()}
    if swapped in SYMBOLS:
        assert read == parse_unit(swapped)
    elif swapped not in {"Mo", "To", "Go", "ml", "Ml"}:
        assert len({parse_unit(s).factor for s in meant}) == 1 or read.dimension in {
            parse_unit(s).dimension for s in meant
        }
        assert read.factor in {parse_unit(s).factor for s in meant}


@pytest.mark.parametrize(
    "text", ["", "Wh", "bonjour", "1 2 Wh", "1,28,7 Wh", "1e999 Wh", "nan Wh", "inf", "1..2 Wh"]
)
def test_what_is_no_number_is_refused_with_a_way_out(text: str) -> None:
    with pytest.raises(UsageError):
        parse_quantity(text)


@pytest.mark.parametrize("text", ["3 foo", "3 kWh/foo", "3 Gb", "3 A", "3 kWh bonjour", "3 /h"])
def test_what_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(UnknownUnit):
        parse_quantity(text)


@given(st.text(max_size=40), languages)
def test_no_text_breaks_the_reader(text: str, language: str) -> None:
    with suppress(UsageError):
        assert math.isfinite(read_quantity(text, language).value)


@pytest.mark.parametrize(
    ("text", "unit", "rest"),
    [
        ("1 h microwave", "h", "microwave"), ("10 km en voiture", "km", "en voiture"),
        ("3 cheeseburgers", "1", "cheeseburgers"), ("2.9 Wh", "Wh", ""), ("7", "1", ""),
        ("2 kWh par jour", "kWh/d", ""), ("10 kg CO2 d'avion", "kgCO2e", "d'avion"),
    ],
)  # fmt: skip
def test_a_quantity_is_split_from_the_words_after_it(text: str, unit: str, rest: str) -> None:
    reading, words = split_quantity(text, "fr")
    assert (reading.unit, words) == (unit, rest)


def test_a_doubtful_unit_is_not_taken_for_a_word() -> None:
    with pytest.raises(UnknownUnit):
        split_quantity("5 mwh led")
