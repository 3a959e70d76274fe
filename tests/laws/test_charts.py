"""Charts on linear axes, series in time and heat maps: they fit, and they draw what is so."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kilowhat.display.bars import Interval
from kilowhat.display.charts import Scale, draw_bars, draw_shares, share_text
from kilowhat.display.dates import choose_days, day_of, read_date, slot
from kilowhat.display.drawing import COLOURS, SMALL_SIGN, STEPS
from kilowhat.display.heat import draw_heat, level
from kilowhat.display.plain import is_hidden, plain, shorten
from kilowhat.display.series import Point, draw_series
from kilowhat.display.sparkline import draw_sparkline, gather
from kilowhat.display.text import measure_width
from kilowhat.quantity.notation import format_interval
from strategies import families, intervals, labels, languages, magnitudes

SPACE = "{http://www.w3.org/2000/svg}"
PERIODS = ("day", "week", "month", "year")
days = st.dates(date(1999, 1, 1), date(2100, 12, 31))


def boxes(root: ET.Element) -> list[tuple[float, float, float]]:
    """The labels of the axes: where each begins and ends, and its line."""
    found = []
    for text in root.iter(f"{SPACE}text"):
        if text.attrib.get("font-size") == "12" and text.attrib.get("text-anchor") == "middle":
            half = measure_width(text.text or "") * SMALL_SIGN / 2
            x = float(text.attrib["x"])
            found.append((x - half, x + half, float(text.attrib["y"])))
    return found


def check_drawing(root: ET.Element) -> None:
    """Nothing leaves the drawing, and no two labels of an axis touch."""
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for box in root.iter(f"{SPACE}rect"):
        x, y, w, h = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        assert -0.1 <= x <= x + w <= width + 0.1
        assert -0.1 <= y <= y + h <= height + 0.1
    places = boxes(root)
    for begin, end, y in places:
        assert -0.1 <= begin <= end <= width + 0.1
        assert y <= height
    for one in places:
        others = [other for other in places if other is not one and other[2] == one[2]]
        assert all(other[1] <= one[0] + 0.2 or other[0] >= one[1] - 0.2 for other in others)


@given(
    st.lists(intervals(-3, 6), max_size=5), families, languages, labels,
    st.sampled_from([340.0, 860.0]),
)  # fmt: skip
@settings(max_examples=60)
def test_bars_are_as_long_as_their_values(
    rows: list[Interval], family: str, language: str, title: str, width: float
) -> None:
    root = ET.fromstring(draw_bars(rows, family, title, language=language, width=width))
    check_drawing(root)
    told = root.findtext(f"{SPACE}desc") or ""
    for row in rows:
        assert format_interval(row.p05, row.p50, row.p95, family, language=language) in told
    bars = root.findall(f"{SPACE}rect")
    most = max((row.p95 for row in rows), default=1.0)
    for row, bar, dot in zip(rows, bars, root.findall(f"{SPACE}circle"), strict=True):
        assert float(bar.attrib["width"]) == pytest.approx((width - 28) * row.p50 / most, abs=0.06)
        end = float(bar.attrib["x"]) + float(bar.attrib["width"])
        assert float(dot.attrib["cx"]) == pytest.approx(end, abs=0.11)


def test_bars_bear_nothing_and_zero() -> None:
    assert ET.fromstring(draw_bars([], "energy", "t")).findall(f"{SPACE}rect") == []
    check_drawing(ET.fromstring(draw_bars([Interval("x", 0, 0, 0)], "energy", "t")))


@given(magnitudes(-9, 12), families, languages, st.integers(1, 12))
def test_a_linear_scale_has_round_ticks_in_one_unit(
    high: float, family: str, language: str, room: int
) -> None:
    scale = Scale.of(high, family, room, language)
    assert scale.ticks[0] == 0
    assert len(scale.ticks) <= room + 1
    assert scale.ticks[-1] <= scale.high * (1 + 1e-9)
    shown = [scale.label(tick) for tick in scale.ticks]
    assert len(set(shown)) == len(shown)
    assert all(len(re.sub(r"[^1-9]", "", text.partition("e")[0])) <= 4 for text in shown[:3])


@given(
    st.lists(st.tuples(days, magnitudes(0, 6)), max_size=40, unique_by=lambda pair: pair[0]),
    st.sampled_from(PERIODS), languages, st.sampled_from([340.0, 860.0]),
)  # fmt: skip
@settings(max_examples=60)
def test_a_series_fits_whatever_its_days(
    found: list[tuple[date, float]], period: str, language: str, width: float
) -> None:
    slots = {slot(day, period): value for day, value in found}
    points = [Point(day_of(n, period), v / 2, v, v * 2) for n, v in slots.items()]
    chart = draw_series(points, "energy", "t", period=period, language=language, width=width)
    root = ET.fromstring(chart)
    check_drawing(root)
    for line in root.iter(f"{SPACE}polyline"):
        for pair in line.attrib["points"].split():
            x, y = map(float, pair.split(","))
            assert -0.1 <= x <= width + 0.1
            assert 0 <= y <= float(root.attrib["height"])


@pytest.mark.parametrize("count", [1, 2, 45, 400, 1100])
@pytest.mark.parametrize("width", [340.0, 860.0])
def test_a_series_has_readable_marks_of_time(count: int, width: float) -> None:
    first = date(2024, 2, 27)
    points = [Point(first + timedelta(days=n), 1e6, 2e6, 4e6) for n in range(count)]
    root = ET.fromstring(draw_series(points, "energy", "t", language="en", width=width))
    check_drawing(root)
    texts = [text.text or "" for text in root.iter(f"{SPACE}text")]
    dated = [text for text in texts if re.search(r"20\d\d|^\d+\xa0[A-Z]", text)]
    assert 1 <= len(dated) <= 12
    assert any("20" in text for text in dated)


def test_a_gap_is_a_gap_and_not_a_zero() -> None:
    first = date(2025, 1, 1)
    kept = [n for n in range(300) if n not in (40, 41, 42, 200)]
    points = [Point(first + timedelta(days=n), 1e6, 2e6, 4e6) for n in kept]
    root = ET.fromstring(draw_series(points, "energy", "t", language="en", width=860))
    lines = root.findall(f"{SPACE}polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [40, 157, 99]
    assert len({y for line in lines for y in re.findall(r",(\S+)", line.attrib["points"])}) == 1


def test_a_higher_value_stands_higher() -> None:
    points = [Point(date(2025, 1, n), n * 1e6, n * 2e6, n * 3e6) for n in range(1, 9)]
    root = ET.fromstring(draw_series(points, "energy", "t", language="en"))
    heights = [float(dot.attrib["cy"]) for dot in root.iter(f"{SPACE}circle")]
    assert heights == sorted(heights, reverse=True)


@given(days, st.sampled_from(PERIODS))
def test_slots_of_time_are_numbered_without_a_hole(day: date, period: str) -> None:
    number = slot(day, period)
    first, following = day_of(number, period), day_of(number + 1, period)
    assert first <= day < following
    assert slot(first, period) == number
    assert slot(following - timedelta(days=1), period) == number


@given(days, st.integers(0, 9000), st.sampled_from(PERIODS), st.integers(2, 12))
def test_marks_of_time_are_few_and_inside(first: date, length: int, period: str, most: int) -> None:
    last = first + timedelta(days=length)
    kind, marks = choose_days(first, last, period, most)
    assert len(marks) <= most
    assert all(first <= day <= last for day in marks)
    assert kind in ("day", "month", "year")
    assert marks == sorted(set(marks))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-31", date(2026, 1, 31)), ("2026-W01", date(2025, 12, 29)),
        ("2026-02", date(2026, 2, 1)), ("2026", date(2026, 1, 1)),
        ("2026-01-05T10:00:00+01:00", date(2026, 1, 5)), ("2026-02-30", None), ("", None),
        ("2026-W60", None), ("٢٠٢٦", None), ("20260105", None),
    ],
)  # fmt: skip
def test_dates_are_read_or_refused(text: str, day: date | None) -> None:
    assert read_date(text) == day


hours = st.dictionaries(
    st.tuples(st.integers(0, 6), st.integers(0, 23)), magnitudes(-3, 9) | st.just(0.0)
)


@given(hours, families, languages, st.sampled_from([340.0, 860.0]))
@settings(max_examples=40)
def test_a_heat_map_has_every_hour_of_the_week(
    cells: dict[tuple[int, int], float], family: str, language: str, width: float
) -> None:
    root = ET.fromstring(draw_heat(cells, family, "t", language=language, width=width))
    check_drawing(root)
    boxes_of = [box for box in root.iter(f"{SPACE}rect") if box.find(f"{SPACE}title") is not None]
    assert len(boxes_of) == 7 * 24
    most = max(cells.values(), default=0.0)
    for index, box in enumerate(boxes_of):
        shade = level(cells.get(divmod(index, 24), 0.0), most)
        assert (f"fill-step-{shade}" in box.attrib["class"]) == bool(shade)


def luminance(colour: str) -> float:
    """The relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_shades_differ_in_lightness_alone() -> None:
    light = [luminance(both[0]) for both in STEPS.values()]
    dark = [luminance(both[1]) for both in STEPS.values()]
    assert light == sorted(light, reverse=True)
    assert dark == sorted(dark)
    for mode in (0, 1):
        shades = [both[mode] for both in STEPS.values()]
        assert all(contrast(one, other) >= 1.2 for one, other in pairwise(shades))


@pytest.mark.parametrize(("mode", "paper"), [(0, "#ffffff"), (1, "#14191b")])
def test_text_and_marks_can_be_read(mode: int, paper: str) -> None:
    assert all(contrast(COLOURS[name][mode], paper) >= 4.5 for name in ("ink", "soft"))
    assert all(contrast(COLOURS[name][mode], paper) >= 3 for name in ("main", "other"))


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=5), st.floats(0, 1))
def test_shares_fill_the_bar(parts: list[float], rest: float) -> None:
    whole = sum(parts) + rest
    shares = [(f"part {n}", part / whole) for n, part in enumerate(parts)]
    root = ET.fromstring(draw_shares(shares, "t", rest="rest", width=860))
    check_drawing(root)
    cuts = [r for r in root.findall(f"{SPACE}rect") if r.find(f"{SPACE}title") is not None]
    drawn = sum(float(cut.attrib["width"]) for cut in cuts)
    assert drawn == pytest.approx(832, abs=2.1 * len(cuts))


def test_shares_have_shades_for_five() -> None:
    with pytest.raises(ValueError, match="6"):
        draw_shares([("x", 0.1)] * 6, "t")


@given(st.floats(0, 1), languages)
def test_a_share_is_never_rounded_to_nothing_or_to_all(share: float, language: str) -> None:
    shown = re.sub(r"[\s%\xa0\u202f]", "", share_text(share, language)).replace(",", ".")
    if shown == "0":
        assert share == 0
    if shown == "100":
        assert share > 0.99998
    if not shown.startswith("<"):
        assert float(shown) == pytest.approx(100 * share, rel=0.051)


@given(st.text(max_size=200), st.integers(3, 60))
def test_plain_text_has_nothing_hidden(text: str, most: int) -> None:
    shown = plain(text)
    assert not any(is_hidden(sign) for sign in shown)
    assert "\n" not in shown
    assert plain(shown) == shown
    assert len(shorten(text, most)) <= most
    shown.encode("utf-8")


@given(st.lists(st.none() | st.floats(0, 1e9), min_size=1, max_size=400), st.integers(1, 120))
def test_a_line_of_signs_keeps_the_sum_and_the_gaps(values: list[float | None], most: int) -> None:
    sums, size = gather(values, most)
    assert len(sums) <= most
    assert sum(v for v in sums if v is not None) == pytest.approx(
        sum(v for v in values if v is not None)
    )
    line = draw_sparkline(sums)
    assert len(line) == len(sums)
    assert [sign == "·" for sign in line] == [value is None for value in sums]
    assert size * len(sums) >= len(values)
