"""Many uses at once: those of one situation are priced by one matrix product.

The numbers are those of `Estimator.estimate`, use by use; only the order of work differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from kilowhat.assessment.rates import UNITS
from kilowhat.domain.boundary import names
from kilowhat.errors import KilowhatError
from kilowhat.language import translate
from kilowhat.quantity.spread import priced, ranks, used

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kilowhat.assessment.estimator import Estimator, Prepared
    from kilowhat.assessment.rates import Rates
    from kilowhat.assessment.result import Context
    from kilowhat.domain.activity import Activity
    from kilowhat.quantity.quantity import Magnitude, Vector

_BLOCK = 32768  # numbers that are worked on at once: they stay in the processor's cache
_KEPT = 512


class Slot(NamedTuple):
    """The place of an interval in the layout of a result, and its unit."""

    unit: str


Layout: TypeAlias = "dict[str, Layout | Slot | str]"
"""The keys of a result, nested; each `Slot` stands for three numbers, in the order of keys."""


class _Term(NamedTuple):
    """What fills a slot: impact per joule, per second, or both, by draw."""

    joule: Magnitude | None
    second: Magnitude | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What the results of one situation have in common: their head and layout, and the work."""

    prepared: Prepared
    head: dict[str, object]
    layout: Layout
    terms: tuple[_Term, ...]

    @property
    def context(self) -> Context:
        """What the uses of the situation share."""
        return self.prepared.context


@dataclass(frozen=True, slots=True)
class Sheet:
    """Uses of one situation, priced together.

    ``indexes`` are their places among the uses given, ``units`` what each result is per, and
    ``numbers`` the 5 %, 50 % and 95 % points, shape (uses, slots of the layout, 3).
    """

    plan: Plan
    indexes: list[int]
    units: list[str]
    numbers: Vector

    def own(self, row: int) -> dict[str, object]:
        """One use's own part of its result."""
        numbers = iter(self.numbers[row].tolist())
        filled = _filled(self.plan.layout, numbers)
        return self.plan.head | {"functional_unit": self.units[row]} | filled


class Priced(NamedTuple):
    """One use priced: its own part of the result, and the context that it shares."""

    own: dict[str, object]
    context: Context


class Bulk:
    """Prices lists of uses against one estimator.

    Args:
        estimator: keeps what the uses of one situation share.
        stages: whether each result lists its stages, or the five impacts only.
    """

    def __init__(self, estimator: Estimator, *, stages: bool = True) -> None:
        self.estimator = estimator
        self.stages = stages
        self._plans: dict[int, Plan] = {}

    def sheets(self, uses: Sequence[Activity]) -> tuple[list[Sheet], dict[int, KilowhatError]]:
        """The uses priced, by situation; and by index the errors of those that cannot be."""
        groups: dict[int, tuple[Prepared, list[int]]] = {}
        errors: dict[int, KilowhatError] = {}
        for index, use in enumerate(uses):
            try:
                prepared = self.estimator.prepare(use)
            except KilowhatError as error:
                errors[index] = error
                continue
            groups.setdefault(id(prepared), (prepared, []))[1].append(index)
        found = [self._sheet(prepared, indexes, uses) for prepared, indexes in groups.values()]
        return found, errors

    def _sheet(self, prepared: Prepared, indexes: list[int], uses: Sequence[Activity]) -> Sheet:
        plan = self._plan(prepared)
        features = prepared.features([uses[index] for index in indexes])
        units = [prepared.unit(uses[index]).name for index in indexes]
        return Sheet(plan, indexes, units, _numbers(plan, features))

    def _plan(self, prepared: Prepared) -> Plan:
        known = self._plans.get(id(prepared))
        if known is None or known.prepared is not prepared:
            known = _plan(prepared, stages=self.stages)
            self._plans[id(prepared)] = known
            if len(self._plans) > _KEPT:
                self._plans.pop(next(iter(self._plans)))
        return known


def price(
    estimator: Estimator, uses: Sequence[Activity], *, stages: bool = True
) -> list[Priced | KilowhatError]:
    """The results of many uses, in their order; an error stands where one cannot be priced.

    Args:
        estimator: keeps what the uses of one situation share.
        uses: any mix of situations.
        stages: whether each result lists its stages, or the five impacts only.
    """
    sheets, errors = Bulk(estimator, stages=stages).sheets(uses)
    results: dict[int, Priced | KilowhatError] = dict(errors)
    for sheet in sheets:
        for row, index in enumerate(sheet.indexes):
            results[index] = Priced(sheet.own(row), sheet.plan.context)
    return [results[index] for index in range(len(uses))]


def _filled(layout: Layout, numbers: Iterator[list[float]]) -> dict[str, object]:
    """A layout with the numbers of one use in its slots."""
    result: dict[str, object] = {}
    for name, part in layout.items():
        if isinstance(part, Slot):
            p05, p50, p95 = next(numbers)
            result[name] = {"unit": part.unit, "p05": p05, "p50": p50, "p95": p95}
        else:
            result[name] = _filled(part, numbers) if isinstance(part, dict) else part
    return result


def _plan(prepared: Prepared, *, stages: bool) -> Plan:
    context = prepared.context
    rates = context.rates
    terms: list[_Term] = []
    layout: Layout = {"impacts": _impacts(rates, terms)}
    if stages:
        layout["stages"] = _stages(rates, terms)
    head: dict[str, object] = {
        "model": context.model,
        "zone": context.zone,
        "boundary": names(rates.boundary),
    }
    return Plan(prepared, head, layout, tuple(terms))


def _impacts(rates: Rates, terms: list[_Term]) -> Layout:
    found: Layout = {}
    for category, unit in UNITS.items():
        joule, second, is_known = rates.totals(category)
        if is_known:
            found[category] = Slot(unit)
            terms.append(_Term(joule, second))
        else:
            found[category] = _missing(unit, rates.missing["grid", category])
    return found


def _stages(rates: Rates, terms: list[_Term]) -> Layout:
    found: Layout = {}
    for stage in rates.stages():
        of: Layout = {}
        for category, unit in UNITS.items():
            term = _Term(
                rates.per_joule.get((stage, category)), rates.per_second.get((stage, category))
            )
            if term.joule is not None or term.second is not None:
                of[category] = Slot(unit)
                terms.append(term)
            elif (stage, category) in rates.missing:
                of[category] = _missing(unit, rates.missing[stage, category])
        if stage == "grid" and rates.parts:
            of["ghg_parts"] = {name: Slot("gCO2e") for name in rates.parts}
            terms += [_Term(rate, None) for rate in rates.parts.values()]
        found[stage] = of
    return found


def _missing(unit: str, reason: str) -> Layout:
    return {"unit": unit, "missing": translate(reason)}


def _numbers(plan: Plan, features: Vector) -> Vector:
    """The intervals of every use and slot, shape (uses, slots, 3)."""
    amounts, energy_prices = used(features, plan.prepared.energy_prices)
    _, time_prices = used(features, plan.prepared.time_prices)
    draws = energy_prices.shape[1]
    numbers = np.empty((len(features), len(plan.terms), 3))
    rows = max(1, _BLOCK // draws)
    work = np.empty((2, rows, draws))
    for start in range(0, len(features), rows):
        block = slice(start, start + rows)
        energy = priced(amounts[block], energy_prices)
        time = priced(amounts[block], time_prices)
        _fill(numbers[block], plan.terms, (energy, time), work[:, : len(energy)])
    return numbers


def _fill(
    numbers: Vector, terms: Sequence[_Term], uses: tuple[Vector, Vector], work: Vector
) -> None:
    """The intervals of a few uses, written into ``numbers`` [shape (uses, slots, 3)].

    Args:
        numbers: what to fill.
        terms: of each slot.
        uses: accelerator energy [J] and time [s], each of shape (uses, n).
        work: room for the draws of two terms, shape (2, uses, n).
    """
    energy, time = uses
    wanted = ranks(energy.shape[1])
    draws, more = work
    for slot, (joule, second) in enumerate(terms):
        if second is None:
            np.multiply(energy, 0.0 if joule is None else joule, out=draws)
        else:
            np.multiply(time, second, out=draws)
            if joule is not None:
                draws += np.multiply(energy, joule, out=more)
        draws.sort(axis=-1)
        numbers[:, slot] = draws[:, wanted]
