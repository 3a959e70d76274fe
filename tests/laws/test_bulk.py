"""Laws of pricing many uses together: the same numbers as one by one, in the order given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kilowhat.assessment.bulk import Bulk, Priced, price
from kilowhat.assessment.estimator import Estimator
from kilowhat.assessment.uses import activity
from kilowhat.domain.activity import Activity
from kilowhat.errors import KilowhatError
from kilowhat.quantity.spread import priced
from kilowhat.registry.resolve import Registry

ESTIMATOR = Estimator(Registry(draws=128))
SITUATIONS: list[dict[str, Any]] = [
    {"model": "gpt-4o", "zone": "FRA"},
    {"model": "gpt-4o"},
    {"model": "llama-3.1-70b", "zone": "USA"},
    {"model": "llama-3.1-8b", "accelerator": "rtx-4090", "zone": "DEU"},
    {"parameters": 70e9, "region": "aws:eu-west-3"},
]
TOKENS = st.floats(1, 1e5)


@st.composite
def uses(draw: st.DrawFn) -> Activity:
    fields = dict(draw(st.sampled_from(SITUATIONS)))
    fields |= {"in": draw(TOKENS), "out": draw(TOKENS), "calls": draw(st.floats(1e-3, 1e9))}
    if draw(st.booleans()):
        fields["cached"] = fields["in"] * draw(st.floats(0, 1))
    return activity(fields)


def alone(use: Activity) -> dict[str, Any]:
    """What one estimate says, without what the results of a situation share."""
    said = ESTIMATOR.estimate(use).to_dict()
    names = ("model", "zone", "boundary", "functional_unit", "impacts", "stages")
    return {name: said[name] for name in names}


@settings(max_examples=25)
@given(st.lists(uses(), min_size=1, max_size=40))
def test_together_is_exactly_one_by_one(some: list[Activity]) -> None:
    for use, result in zip(some, price(ESTIMATOR, some), strict=True):
        assert isinstance(result, Priced)
        assert result.own == alone(use)


@pytest.mark.parametrize("count", [1, 7, 512])
def test_the_company_of_a_use_does_not_change_it(count: int) -> None:
    use = activity({"model": "gpt-4o", "in": 300, "out": 200, "zone": "FRA"})
    others = [
        activity({"model": "gpt-4o", "in": 300, "out": n, "zone": "FRA"}) for n in range(count)
    ]
    [result] = price(ESTIMATOR, [use])
    among = price(ESTIMATOR, [*others, use])[-1]
    assert isinstance(result, Priced)
    assert isinstance(among, Priced)
    assert result.own == among.own == alone(use)


def test_images_are_priced_together_as_one_by_one() -> None:
    some = [activity({"model": "flux.1-dev", "images": n, "steps": 28}) for n in range(1, 40)]
    for use, result in zip(some, price(ESTIMATOR, some), strict=True):
        assert isinstance(result, Priced)
        assert result.own == alone(use)


def test_an_error_stands_in_its_place() -> None:
    good = Activity(model="gpt-4o", output_tokens=10)
    bad = Activity(model="no-such-model", output_tokens=10)
    results = price(ESTIMATOR, [good, bad, good])
    assert isinstance(results[1], KilowhatError)
    assert results[0] == results[2]


def test_without_stages_the_impacts_are_the_same() -> None:
    use = activity({"model": "gpt-4o", "in": 300, "out": 200, "zone": "FRA"})
    [whole], [short] = (price(ESTIMATOR, [use], stages=stages) for stages in (True, False))
    assert isinstance(whole, Priced)
    assert isinstance(short, Priced)
    assert short.own == {name: part for name, part in whole.own.items() if name != "stages"}


def test_uses_of_one_situation_share_a_sheet() -> None:
    some = [
        activity({"model": "gpt-4o", "out": n, "zone": z}) for n in (1, 2) for z in ("FRA", "US")
    ]
    sheets, errors = Bulk(ESTIMATOR).sheets(some)
    assert [sheet.indexes for sheet in sheets] == [[0, 2], [1, 3]]
    assert not errors


@given(
    st.lists(st.lists(st.floats(0, 1e9), min_size=9, max_size=9), min_size=1, max_size=40),
    st.integers(2, 70),
)
def test_the_sum_of_priced_amounts_does_not_depend_on_its_company(
    rows: list[list[float]], n: int
) -> None:
    prices = np.random.default_rng(0).lognormal(size=(9, n))
    amounts = np.array(rows)
    together = priced(amounts, prices)
    for row, total in zip(amounts, together, strict=True):
        assert np.array_equal(priced(row[None], prices)[0], total)
        assert np.allclose(total, row @ prices, rtol=1e-12)
