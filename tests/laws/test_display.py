"""Tables, bars, charts and pages: they fit, they escape, they say the same numbers."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kilowhat.display.bars import Interval, draw_bar, write_bars
from kilowhat.display.html import write_fragment, write_html_table, write_page
from kilowhat.display.svg import draw_intervals
from kilowhat.display.text import Column, Table, measure_width, write_table
from kilowhat.quantity.notation import format_interval
from strategies import families, intervals, labels, languages

cells = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), max_size=30)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    count = draw(st.integers(1, 4))
    columns = tuple(
        Column(draw(cells), draw(st.sampled_from(["left", "right"])), draw(st.booleans()))
        for _ in range(count)
    )
    rows = draw(st.lists(st.tuples(*[cells] * count), max_size=5))
    return Table(draw(cells), columns, tuple(rows), (draw(cells),), total=draw(st.booleans()))


@given(tables(), st.integers(30, 140))
@settings(max_examples=60)
def test_a_table_fits_its_terminal_and_loses_nothing(table: Table, width: int) -> None:
    text = write_table(table, width)
    wide = any(measure_width(sign) == 2 for sign in text)  # a wide sign may stick out by one
    assert all(measure_width(line) <= width + wide * width for line in text.splitlines())
    squeezed = re.sub(r"\s", "", text)
    for row in table.rows:
        for column, cell in zip(table.columns, row, strict=True):
            if not column.wraps:
                assert re.sub(r"\s", "", cell) in squeezed
            else:
                assert set(re.sub(r"\s", "", cell)) <= set(squeezed)


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(ValueError, match="1 cells"):
        Table("", (Column("x"),), (("a", "b"),), key="t")


def test_numbers_line_up_on_the_right() -> None:
    table = Table("", (Column("a"), Column("b", "right", wraps=False)), (("x", "1"), ("y", "100")))
    assert write_table(table).splitlines()[-2:] == ["x    1", "y  100"]


def test_a_narrow_terminal_gets_records_in_the_right_language() -> None:
    table = Table(
        "", (Column("Étape"), Column("Énergie", "right", wraps=False)), (("GPU", "1" * 30),)
    )
    assert write_table(table, 25).splitlines()[0] == "Étape: GPU"


@given(intervals(), st.integers(3, 120))
def test_a_bar_has_its_dot_inside_and_fits(item: Interval, width: int) -> None:
    bar = draw_bar(item, item.p05 / 2, item.p95 * 2, width)
    assert len(bar) <= width
    assert bar.count("●") == 1
    assert bar.strip()[0] in "├●"
    assert bar[-1] in "┤●"


@given(intervals(), intervals())
def test_a_larger_value_stands_further_right(one: Interval, other: Interval) -> None:
    low, high = min(one.p05, other.p05), max(one.p95, other.p95)
    small, large = sorted((one, other), key=lambda item: item.p50)
    left, right = (draw_bar(item, low, high, 60).index("●") for item in (small, large))
    assert left <= right


@given(st.lists(intervals(), min_size=1, max_size=4), families, languages, st.integers(30, 120))
@settings(max_examples=60)
def test_bars_fit_and_carry_every_value(
    items: list[Interval], family: str, language: str, width: int
) -> None:
    items = [Interval("label", i.p05, i.p50, i.p95) for i in items]
    text = write_bars(items, family, width, language)
    assert all(measure_width(line) <= width for line in text.splitlines())
    squeezed = re.sub(r"\s", "", text)
    for item in items:
        value = format_interval(item.p05, item.p50, item.p95, family, language=language)
        assert re.sub(r"\s", "", value) in squeezed


@given(st.lists(intervals(), max_size=4), families, languages, labels)
@settings(max_examples=60)
def test_a_chart_is_sound_xml_that_says_its_numbers(
    items: list[Interval], family: str, language: str, title: str
) -> None:
    chart = draw_intervals(items, family, title, language=language)
    root = ET.fromstring(chart)
    space = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{space}title").text == title  # type: ignore[union-attr]
    told = root.find(f"{space}desc").text or ""  # type: ignore[union-attr]
    for item in items:
        assert format_interval(item.p05, item.p50, item.p95, family, language=language) in told
    assert len(root.findall(f"{space}circle")) == len(items)
    width = float(root.attrib["width"])
    for mark in root.findall(f"{space}rect"):
        x, length = float(mark.attrib["x"]), float(mark.attrib["width"])
        assert 0 <= x <= x + length <= width + 2
    identities = [e.attrib["id"] for e in root.iter() if "id" in e.attrib]
    assert len(identities) == len(set(identities))


@given(intervals(-2, 6))
def test_a_chart_puts_the_dot_between_its_bounds(item: Interval) -> None:
    root = ET.fromstring(draw_intervals([item], "energy", "t", language="en"))
    space = "{http://www.w3.org/2000/svg}"
    bar, dot = root.find(f"{space}rect"), root.find(f"{space}circle")
    assert bar is not None
    assert dot is not None
    left = float(bar.attrib["x"])
    assert left - 0.2 <= float(dot.attrib["cx"]) <= left + float(bar.attrib["width"]) + 0.2


def test_a_chart_bears_a_bound_at_zero() -> None:
    chart = draw_intervals([Interval("x", 0.0, 3600.0, 7200.0)], "energy", "t", language="en")
    assert "1.0 Wh [0 – 2.0]" in chart
    ET.fromstring(draw_intervals([Interval("x", 0.0, 0.0, 0.0)], "energy", "t"))


HOSTILE = '<script>alert("x")</script>&'


def test_every_text_is_escaped() -> None:
    table = Table(HOSTILE, (Column(HOSTILE),), ((HOSTILE,),), (HOSTILE,))
    chart = draw_intervals([Interval(HOSTILE, 1.0, 2.0, 3.0, HOSTILE)], "energy", HOSTILE)
    page = write_page(HOSTILE, write_html_table(table), chart, language="fr")
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 7


def test_a_page_loads_nothing() -> None:
    chart = draw_intervals([Interval("x", 1.0, 2.0, 3.0)], "energy", "t")
    page = write_page("t", chart, write_fragment("<p>x</p>"), language="en")
    addresses = set(re.findall(r"https?://[^\"' ]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\b(src|href)=|@import", page)
    assert "url(" not in page


def test_a_chart_follows_the_colours_of_night() -> None:
    chart = draw_intervals([Interval("x", 1.0, 2.0, 3.0)], "energy", "t")
    assert "prefers-color-scheme:dark" in chart
    assert "var(--kw-ink," in chart
