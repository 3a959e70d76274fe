"""Many uses at once: those of one situation are priced by one matrix product.

The numbers are those of `Estimator.estimate`, use by use; only the order of work differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kilowhat.assessment.rates import UNITS
from kilowhat.domain.boundary import names
from kilowhat.errors import KilowhatError
from kilowhat.language import translate
from kilowhat.quantity.spread import summarise_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.assessment.estimator import Estimator, Prepared
    from kilowhat.assessment.result import Context
    from kilowhat.domain.activity import Activity
    from kilowhat.quantity.quantity import Magnitude, Vector


class Priced(NamedTuple):
    """One use priced: its own part of the result, and the context that it shares."""

    own: dict[str, object]
    context: Context


def price(
    estimator: Estimator, uses: Sequence[Activity], *, stages: bool = True
) -> list[Priced | KilowhatError]:
    """The results of many uses, in their order; an error stands where one cannot be priced.

    Args:
        estimator: keeps what the uses of one situation share.
        uses: any mix of situations.
        stages: whether each result lists its stages, or the five impacts only.
    """
    results: list[Priced | KilowhatError | None] = [None] * len(uses)
    groups: dict[int, tuple[Prepared, list[int]]] = {}
    for index, use in enumerate(uses):
        try:
            prepared = estimator.prepare(use)
        except KilowhatError as error:
            results[index] = error
            continue
        groups.setdefault(id(prepared), (prepared, []))[1].append(index)
    for prepared, indexes in groups.values():
        owned = _price_group(prepared, [uses[index] for index in indexes], stages=stages)
        for index, own in zip(indexes, owned, strict=True):
            results[index] = Priced(own, prepared.context)
    return [result for result in results if result is not None]


def _price_group(
    prepared: Prepared, uses: Sequence[Activity], *, stages: bool
) -> list[dict[str, object]]:
    context = prepared.context
    features = np.array([prepared.features(use) for use in uses])
    energy = features @ prepared.energy_prices
    time = features @ prepared.time_prices
    head: dict[str, object] = {
        "model": context.model,
        "zone": context.zone,
        "boundary": names(context.rates.boundary),
    }
    impacts = {category: _total(context, category, energy, time) for category in UNITS}
    staged = _stages(context, energy, time) if stages else {}
    results = []
    for row, use in enumerate(uses):
        own = head | {"functional_unit": prepared.unit(use).name, "impacts": _row(impacts, row)}
        if stages:
            own["stages"] = {stage: _row(of, row) for stage, of in staged.items()}
        results.append(own)
    return results


Column = list[dict[str, object]] | dict[str, object]


def _row(columns: dict[str, Column], row: int) -> dict[str, object]:
    return {
        name: column[row] if isinstance(column, list) else column
        for name, column in columns.items()
    }


def _intervals(unit: str, draws: Vector) -> list[dict[str, object]]:
    low, central, high = summarise_rows(draws).tolist()
    return [
        {"unit": unit, "p05": p05, "p50": p50, "p95": p95}
        for p05, p50, p95 in zip(low, central, high, strict=True)
    ]


def _total(context: Context, category: str, energy: Vector, time: Vector) -> Column:
    joule, second, known = context.rates.totals(category)
    if not known:
        reason = context.rates.missing["grid", category]
        return {"unit": UNITS[category], "missing": translate(reason)}
    draws = energy * joule
    if second is not None:
        draws += time * second
    return _intervals(UNITS[category], draws)


def _stages(context: Context, energy: Vector, time: Vector) -> dict[str, dict[str, Column]]:
    rates = context.rates
    found: dict[str, dict[str, Column]] = {stage: {} for stage in rates.stages()}
    for source, draws in ((rates.per_joule, energy), (rates.per_second, time)):
        for (stage, category), rate in source.items():
            found[stage][category] = _intervals(UNITS[category], _times(draws, rate))
    for (stage, category), reason in rates.missing.items():
        found[stage].setdefault(category, {"unit": UNITS[category], "missing": translate(reason)})
    parts = {name: _intervals("gCO2e", _times(energy, rate)) for name, rate in rates.parts.items()}
    if parts:
        found["grid"]["ghg_parts"] = [_row(dict(parts), row) for row in range(energy.shape[0])]
    return found


def _times(draws: Vector, rate: Magnitude) -> Vector:
    result: Vector = draws * rate
    return result
