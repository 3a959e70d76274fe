"""The result of an assessment: draws inside, intervals at the edge."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kilowhat._version import __version__
from kilowhat.assessment.rates import UNITS
from kilowhat.domain.boundary import Stage, names
from kilowhat.domain.impact import FunctionalUnit, Interval, Missing
from kilowhat.language import mark, translate
from kilowhat.quantity.spread import summarise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kilowhat.assessment.rates import Rates
    from kilowhat.domain.activity import Activity
    from kilowhat.domain.factor import Entry
    from kilowhat.quantity.quantity import Magnitude, Vector
    from kilowhat.registry.resolve import Registry

_APART = ("deployment", "inference", "media")
_DRAWN_AS_IS = (
    ".host_ratio", ".idle_ratio", ".lifetime", ".utilisation", ".call_variety", ".energy",
)  # fmt: skip
LEAST_SHARE = 0.005  # drivers below half a percent of the variance are not listed


@dataclass(frozen=True, slots=True)
class Driver:
    """One cause of the doubt: a factor or a choice of draw, and its share of the variance [1]."""

    id: str
    share: float


@dataclass(frozen=True, slots=True)
class Context:
    """What the uses of one model at one site share: rates, factors, and where doubt comes from."""

    registry: Registry
    model: str
    method: str
    rates: Rates
    trail: tuple[Entry, ...]
    influences: Mapping[str, Vector]
    warnings: tuple[str, ...]
    zone: str
    accelerators: tuple[str, ...] = ()
    basis: Mapping[str, object] = field(default_factory=dict)

    def shared_dict(self) -> dict[str, object]:
        """What every result of the situation says alike, as JSON shows it."""
        return {
            "incomplete": self.rates.incomplete(),
            "trail": [entry_dict(entry) for entry in self.whole_trail()],
            "warnings": self.said(),
            "method": self.method,
            "code_version": __version__,
            "data_version": self.registry.version,
        }

    def whole_trail(self) -> list[Entry]:
        """Every factor used, once, in the order of use."""
        entries = (*self.trail, *self.rates.trail)
        return list({(entry.factor.stream, entry.factor.year): entry for entry in entries}.values())

    def causes(self) -> Iterator[tuple[str, Vector]]:
        """What the doubt may come from: the name and the draws of each cause, shape (n,)."""
        for entry in self.whole_trail():
            # Factors of a deployment or a fit are drawn in other keys: they stand among the
            # influences, by what was drawn.
            family = entry.factor.id.partition(".")[0]
            is_drawn_apart = family in _APART and not entry.factor.id.endswith(_DRAWN_AS_IS)
            if entry.factor.low != entry.factor.high and not is_drawn_apart:
                yield entry.factor.id, np.asarray(self.registry.value(entry.factor).magnitude)
        yield from self.influences.items()

    def _own(self) -> list[str]:
        """The user's own factors that the result rests on."""
        if not self.registry.directories:
            return []
        used = {e.factor.id: "" for e in self.whole_trail() if e.factor.source.is_user}
        sentence = translate(mark("Your own factors are used: {factors}."))
        return [sentence.format(factors=", ".join(used))] if used else []

    def said(self, more: tuple[str, ...] = ()) -> list[str]:
        """What a reader should know, in the language in use, each once."""
        messages = (*self.warnings, *self.rates.notes, *more, *self._own())
        return list(dict.fromkeys(translate(message) for message in messages))


class Terms(NamedTuple):
    """The sum behind the accelerators' energy: features of the use, and the price of each.

    amounts: shape (features,); prices: energy [J] per unit, shape (features, draws).
    """

    names: tuple[str, ...]
    amounts: Vector
    prices: Vector


@dataclass(frozen=True, slots=True)
class Assessment:
    """The impacts of an activity, all its calls together.

    ``energy_j`` [J] and ``occupancy_s`` [accelerator-s] are the accelerators' own, vectors of
    draws; every other stage follows from them by the rates of the site.
    """

    activity: Activity
    context: Context
    energy_j: Vector
    occupancy_s: Vector
    unit: FunctionalUnit
    warnings: tuple[str, ...] = ()
    extra: Mapping[tuple[str, str], Magnitude] = field(default_factory=dict)
    terms: Terms | None = None

    def draws(self, category: str, stage: str | None = None) -> Vector | None:
        """The draws of a category, in its result unit, of one stage or of all; shape (n,).

        Returns:
            The draws, or nothing when no sourced factor gives them.

        Raises:
            KeyError: an unknown category.
        """
        if category not in UNITS:
            raise KeyError(category)
        if stage is None:
            return self._total(category)
        key = (stage, category)
        found: Magnitude | None = None
        if key in self.context.rates.per_joule:
            found = self.energy_j * self.context.rates.per_joule[key]
        if key in self.context.rates.per_second:
            by_time = self.occupancy_s * self.context.rates.per_second[key]
            found = by_time if found is None else found + by_time
        if key in self.extra:
            found = self.extra[key] + (0.0 if found is None else found)
        return None if found is None else np.broadcast_to(found, self.energy_j.shape)

    def energy(self) -> Vector:
        """The draws of the electricity of all stages [J], shape (n,): it is never missing."""
        return self._total("energy")  # type: ignore[return-value]

    def _total(self, category: str) -> Vector | None:
        joule, second, known = self.context.rates.totals(category)
        if not known:
            return None
        total: Vector = self.energy_j * joule
        if second is not None:
            total = total + self.occupancy_s * second
        for (_, of), value in self.extra.items():
            if of == category:
                total = total + value
        return total

    def interval(self, category: str, stage: str | None = None) -> Interval | Missing:
        """The interval of a category, or what is missing and why.

        Raises:
            KeyError: an unknown category.
        """
        draws = self.draws(category, stage)
        unit = UNITS[category]
        if draws is None:
            where = stage or "grid"
            reason = self.context.rates.missing.get(
                (where, category), mark("no sourced factor for this stage")
            )
            return Missing(unit, reason)
        return Interval(unit, *summarise(draws))

    @property
    def impacts(self) -> dict[str, Interval | Missing]:
        """Every category's interval, for the whole activity."""
        return {category: self.interval(category) for category in UNITS}

    @property
    def stages(self) -> dict[str, dict[str, Interval | Missing]]:
        """Every stage's increments: they sum to the impacts, draw by draw."""
        rates = self.context.rates
        found: dict[str, dict[str, Interval | Missing]] = {}
        for stage in [*rates.stages(), *(s for s, _ in self.extra if s not in rates.stages())]:
            found[stage] = {
                category: self.interval(category, stage)
                for category in UNITS
                if (stage, category) in rates.per_joule
                or (stage, category) in rates.per_second
                or (stage, category) in rates.missing
                or (stage, category) in self.extra
            }
        return found

    def scaled(self, factor: float, unit: FunctionalUnit) -> Assessment:
        """The same activity ``factor`` times, per another functional unit."""
        return replace(
            self,
            energy_j=self.energy_j * factor,
            occupancy_s=self.occupancy_s * factor,
            extra={key: value * factor for key, value in self.extra.items()},
            unit=unit,
        )

    def ratio(self, other: Assessment, category: str = "energy") -> Interval | Missing:
        """How many times the other's impact this one's is, draw by draw.

        Doubt that both share cancels, so the interval can be much sharper than either.
        """
        mine, theirs = self.draws(category), other.draws(category)
        if mine is None or theirs is None:
            return Missing("1", mark("one of the two has no value for this category"))
        return Interval("1", *summarise(mine / theirs))

    def drivers(self, category: str = "energy") -> list[Driver]:
        """What the doubt of a category comes from, largest share first.

        share_i = R² of the logarithm of the result on the logarithm of factor i, alone

        Shares of independent causes sum to at most one; the rest is their interaction.
        """
        draws = self.draws(category)
        if draws is None or draws.min() <= 0 or np.ptp(draws) == 0:
            return []
        response = np.log(draws)
        response = response - response.mean()
        whole = float(response @ response)
        found = []
        for name, values in self.context.causes():
            share = explained_share(values, response, whole)
            if share >= LEAST_SHARE:
                found.append(Driver(name, share))
        return sorted(found, key=lambda driver: -driver.share)

    def boundary(self) -> Stage:
        """The life-cycle stages that the result contains."""
        whole = self.context.rates.boundary
        return whole | Stage.TRAINING if ("training", "energy") in self.extra else whole

    def __str__(self) -> str:
        from kilowhat.assessment.notebook import as_text  # noqa: PLC0415 - only when shown

        return as_text(self)

    def _repr_html_(self) -> str:
        """The result as a notebook shows it."""
        from kilowhat.assessment.notebook import as_html  # noqa: PLC0415 - only when shown

        return as_html(self)

    def all_warnings(self) -> list[str]:
        """What a reader should know, in the language in use, each once."""
        return self.context.said(self.warnings)

    def to_dict(self, *, stages: bool = True) -> dict[str, object]:
        """The result as JSON shows it; without stages it is the five impacts only."""
        result: dict[str, object] = {
            "model": self.context.model,
            "functional_unit": self.unit.name,
            "zone": self.context.zone,
            "boundary": names(self.boundary()),
            "impacts": {name: value.to_dict() for name, value in self.impacts.items()},
        }
        if stages:
            result["stages"] = self._stages_dict()
            result["beside"] = {
                name: Interval("gCO2e", *summarise(self.energy_j * rate)).to_dict()
                for name, rate in self.context.rates.beside.items()
            }
            result["drivers"] = self.drivers_dict()
        shared = self.context.shared_dict()
        if not stages:
            del shared["trail"]
        return result | shared | {"warnings": self.all_warnings()}

    def trail(self) -> list[Entry]:
        """Every factor used, once, in the order of use."""
        return self.context.whole_trail()

    def drivers_dict(self) -> list[dict[str, object]]:
        """The causes of the doubt about energy, as JSON shows them."""
        return [{"id": driver.id, "share": round(driver.share, 4)} for driver in self.drivers()]

    def parts(self) -> dict[str, Interval]:
        """Direct, upstream and losses of the grid's greenhouse gas, as far as they are known."""
        return {
            name: Interval("gCO2e", *summarise(self.energy_j * rate))
            for name, rate in self.context.rates.parts.items()
        }

    def _stages_dict(self) -> dict[str, object]:
        shown: dict[str, dict[str, object]] = {
            stage: {category: value.to_dict() for category, value in of.items()}
            for stage, of in self.stages.items()
        }
        parts = {name: interval.to_dict() for name, interval in self.parts().items()}
        if parts and isinstance(shown.get("grid", {}).get("ghg"), dict):
            shown["grid"]["ghg_parts"] = parts
        return dict(shown)


def explained_share(values: Vector, response: Vector, whole: float) -> float:
    """The share of the variance of a centred response that a quadratic in values explains [1].

    Args:
        values: draws of a cause; their logarithm is taken where all are positive, shape (n,).
        response: centred draws of a result, shape (n,).
        whole: the sum of the squares of the response.
    """
    scaled = np.log(values) if values.min() > 0 else values
    centred = scaled - scaled.mean()
    spread = float(centred @ centred)
    if spread == 0:
        return 0.0
    first = centred / spread**0.5
    square = first * first - (first * first).mean()
    square = square - (square @ first) * first
    length = float(square @ square) ** 0.5
    linear = float(first @ response) ** 2
    curved = float(square @ response / length) ** 2 if length > 1e-12 else 0.0
    return (linear + curved) / whole


def entry_dict(entry: Entry) -> dict[str, object]:
    """A factor that was used, as JSON shows it."""
    factor = entry.factor
    return {
        "id": factor.id,
        "value": factor.central,
        "low": factor.low,
        "high": factor.high,
        "unit": factor.unit,
        "basis": factor.basis,
        "boundary": names(factor.boundary),
        "source": factor.source.key,
        "locator": factor.locator,
        "is_user": factor.source.is_user,
        "rung": entry.rung.label(),
        "tried": list(entry.rung.tried),
    }
