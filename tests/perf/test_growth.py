"""Work grows with its amount, and no faster: ratios and exponents, never times."""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING

import pytest

from kilowhat.assessment.bulk import Bulk
from kilowhat.assessment.estimator import Estimator
from kilowhat.cli.stream import Pricing
from kilowhat.domain.activity import Activity
from kilowhat.registry.resolve import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

ESTIMATOR = Estimator(Registry(draws=256))


def best(work: Callable[[], object], tries: int = 5) -> float:
    """Processor time of the best try: others may use the machine."""
    found = []
    for _ in range(tries):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def exponent(work: Callable[[int], object], few: int, many: int) -> float:
    """The power of the amount that the time grows with."""
    work(few)
    short, long = best(lambda: work(few)), best(lambda: work(many), 3)
    return math.log(long / short) / math.log(many / few)


def lines(count: int) -> list[tuple[int, str]]:
    return [
        (n, json.dumps({"model": "gpt-4o", "in": 100 + n, "out": 10 + n % 700, "zone": "FRA"}))
        for n in range(1, count + 1)
    ]


@pytest.mark.parametrize("stages", [False, True])
def test_ten_times_the_lines_take_ten_times_as_long(stages: bool) -> None:
    pricing = Pricing(ESTIMATOR, {}, stages=stages)
    known = {count: lines(count) for count in (400, 4000)}
    assert exponent(lambda count: pricing.price(known[count]), 400, 4000) <= 1.1


def test_wrong_lines_take_no_longer_when_they_are_many() -> None:
    pricing = Pricing(ESTIMATOR, {}, stages=False)
    wrong = {n: [(i, '{"model": "gtp-4o", "out": 5}') for i in range(n)] for n in (400, 4000)}
    assert exponent(lambda count: pricing.price(wrong[count]), 400, 4000) <= 1.1


def test_a_use_costs_less_together_than_alone() -> None:
    uses = [Activity(model="gpt-4o", input_tokens=9.0, output_tokens=float(n)) for n in range(800)]
    bulk = Bulk(ESTIMATOR, stages=False)
    bulk.sheets(uses)
    together = best(lambda: bulk.sheets(uses))
    alone = best(lambda: [ESTIMATOR.estimate(use).impacts for use in uses])
    assert together < alone


def test_a_warm_situation_costs_a_fraction_of_its_preparation() -> None:
    use = Activity(model="gpt-4o", input_tokens=500.0, output_tokens=400.0, zone="FRA")

    def cold() -> None:
        Estimator(ESTIMATOR.registry).prepare(use)

    warm = best(lambda: [ESTIMATOR.estimate(use).impacts for _ in range(20)]) / 20
    assert warm < best(cold) / 4


def test_a_second_factor_of_a_family_costs_a_fraction_of_the_first() -> None:
    def first() -> Registry:
        registry = Registry()
        registry.factor("grid.fra.gwp_location")
        return registry

    registry = first()
    zones = [i for i in registry.ids("grid") if i.endswith(".gwp_location")][:50]
    each = best(lambda: [Registry.find(registry, i) for i in zones], 1) / len(zones)
    assert each < best(first) / 20
