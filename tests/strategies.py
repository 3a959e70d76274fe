"""Hypothesis strategies that the tests share."""

from __future__ import annotations

from hypothesis import strategies as st

from kilowhat.display.bars import Interval
from kilowhat.language import LANGUAGES
from kilowhat.quantity.notation import FAMILIES
from kilowhat.quantity.units import SYMBOLS

languages = st.sampled_from(LANGUAGES)
families = st.sampled_from(sorted(FAMILIES))
symbols = st.sampled_from([symbol for symbol in SYMBOLS if symbol != "1"])


def magnitudes(low: int = -12, high: int = 12) -> st.SearchStrategy[float]:
    """Positive numbers spread evenly over orders of magnitude, with awkward mantissas."""
    mantissas = st.one_of(
        st.floats(1.0, 9.9999999),
        st.sampled_from([1.0, 1.05, 9.949, 9.95, 9.96, 9.99, 9.9999, 2.5, 5.0]),
    )
    return st.builds(lambda m, e: m * 10.0**e, mantissas, st.integers(low, high))


signed = st.builds(lambda x, negative: -x if negative else x, magnitudes(), st.booleans())


@st.composite
def compound_symbols(draw: st.DrawFn, parts: st.SearchStrategy[str] = symbols) -> str:
    """Units such as ``kWh``, ``gCO2e/kWh`` or ``W.h/km``."""
    groups = draw(st.lists(st.lists(parts, min_size=1, max_size=2), min_size=1, max_size=3))
    return "/".join(".".join(group) for group in groups)


labels = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=60
)


@st.composite
def intervals(draw: st.DrawFn, low: int = -3, high: int = 9) -> Interval:
    """Labelled intervals in order, sometimes of no width."""
    values = sorted(draw(magnitudes(low, high)) for _ in range(3))
    if draw(st.booleans()):
        values = [values[1]] * 3
    return Interval(draw(labels), *values, note=draw(st.one_of(st.just(""), labels)))
