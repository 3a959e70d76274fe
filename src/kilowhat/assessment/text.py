"""Prepare uses of text and multimodal chat models."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from kilowhat.assessment.remarks import refuse_audio, remarks
from kilowhat.assessment.result import Context
from kilowhat.assessment.subject import Subject, Subjects
from kilowhat.assessment.uses import refuse_media_fields
from kilowhat.domain.deployment import KnownDeployment
from kilowhat.domain.impact import FunctionalUnit
from kilowhat.language import mark
from kilowhat.methods.call_features import (
    FEATURES,
    OUTPUT_SQUARED,
    Coefficients,
    Corrections,
    features,
)
from kilowhat.methods.deployment import sample
from kilowhat.methods.inference import PriceList, price_list
from kilowhat.methods.units import Catalogue
from kilowhat.quantity.spread import Spread
from kilowhat.registry import serving
from kilowhat.registry.providers import find_provider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.assessment.hardware import Machines
    from kilowhat.assessment.site import Sites
    from kilowhat.domain.activity import Activity
    from kilowhat.domain.deployment import Deployment, DeploymentPrior, OperatingPoint
    from kilowhat.domain.factor import Entry
    from kilowhat.quantity.quantity import Vector
    from kilowhat.registry.resolve import Registry

METHOD = "kilowhat-roofline"
OWN_MACHINE_KINDS = ("desktop", "laptop", "edge")
_KEPT = 64
Joint = TypeVar("Joint", Coefficients, Corrections)


@dataclass(frozen=True, slots=True)
class PreparedText:
    """Prices of one situation's calls, linear in their features."""

    context: Context
    energy_prices: Vector
    time_prices: Vector
    input_tokens: float
    output_tokens: float

    @property
    def names(self) -> tuple[str, ...]:
        """What the features are called."""
        return FEATURES

    def features(self, uses: Sequence[Activity]) -> Vector:
        """The features of uses, all calls of each together, shape (uses, features).

        Lengths that are not given are the defaults.
        """
        told = np.array(
            [
                (
                    *lengths(use, self.input_tokens, self.output_tokens),
                    use.cached_tokens, use.images_in, use.videos_in, use.calls,
                )
                for use in uses
            ]
        )  # fmt: skip
        whole, output, cached, images, videos, calls = told.T
        each: Vector = (calls * features(whole, cached, output, images, videos)).T
        return each

    def unit(self, use: Activity) -> FunctionalUnit:
        """The calls of the activity."""
        if use.calls == 1:
            return _ONE_CALL
        return replace(_ONE_CALL, name=f"{use.calls:.15g} calls", count=use.calls)


_ONE_CALL = FunctionalUnit("1 call", mark("{count} call"), 1.0, mark("{count} calls"))


def lengths(use: Activity, input_tokens: float, output_tokens: float) -> tuple[float, float]:
    """Tokens in and out of a call: as given, else the defaults [token, token]."""
    whole = input_tokens if use.input_tokens is None else use.input_tokens
    output = output_tokens if use.output_tokens is None else use.output_tokens
    return whole, output


class Served(NamedTuple):
    """The accelerators' part of a situation: who serves what on which machines, at what price."""

    subject: Subject
    believed: DeploymentPrior
    known: KnownDeployment
    deployment: Deployment
    point: OperatingPoint
    residual: Vector
    prices: PriceList
    trail: tuple[Entry, ...]


class TextPricer:
    """Turns the situation of a use of a text model into prices.

    Args:
        registry: the sourced numbers.
    """

    def __init__(self, registry: Registry, machines: Machines, sites: Sites) -> None:
        self.registry = registry
        self.machines = machines
        self.sites = sites
        self.subjects = Subjects(registry)
        self._kept: dict[tuple[object, ...], Served] = {}

    def situation(self, use: Activity) -> tuple[object, ...]:
        """All of a use that its prices depend on; uses with the same one share them.

        Raises:
            UsageError: a field that a text call does not have, or sound.
        """
        refuse_media_fields(use)
        refuse_audio(use)
        assumed = (use.input_tokens is None, use.output_tokens is None)  # which must be said
        return (*self._without_place(use), use.zone, use.region, use.when, *assumed)

    def _lengths(self, use: Activity) -> tuple[float, float, float, float, float]:
        whole, output = lengths(use, *self._default_lengths("open"))
        fresh = whole - use.cached_tokens
        return fresh, use.cached_tokens, max(output, 1.0), use.images_in, use.videos_in

    def _default_lengths(self, identity: str) -> tuple[float, float]:
        """The median prompt and answer of a prior's calls [token, token]."""
        names = ("input_tokens", "output_tokens")
        found = [
            self.registry.factor(f"deployment.{identity}.{name}").factor.central for name in names
        ]
        return found[0], found[1]

    def prepare(self, use: Activity) -> PreparedText:
        """The prices and the context of a situation.

        Raises:
            UsageError: an unknown name, a model that does not fit, or an unsupported use.
        """
        served = self._serve(use)
        subject, believed, deployment = served.subject, served.believed, served.deployment
        site, said = self.sites.resolve(use, _operator(use, subject), believed.kind)
        which = deployment.which
        key = "" if use.tokens_per_second else f"{believed.id}/{subject.name}/{served.known}"
        rates = self.sites.rates(site, deployment.accelerators, which, key)
        default_in, default_out = self._default_lengths(believed.id)
        if subject.model is not None and subject.model.kind == "embedding":
            default_out = 0.0
        notes = (
            *subject.notes,
            *said,
            *deployment.warnings,
            *self._remarks(use, believed, subject, deployment),
        )
        context = Context(
            registry=self.registry,
            model=subject.name,
            method=METHOD,
            rates=rates,
            trail=served.trail,
            influences=self._influences(subject, deployment, served.point, served.residual),
            warnings=notes,
            zone=site.zone.id.upper() if site.zone else "WORLD",
            accelerators=deployment.accelerators,
            basis={"prior": believed.id, "kind": believed.kind},
        )
        return PreparedText(context, *served.prices, default_in, default_out)

    def _serve(self, use: Activity) -> Served:
        """The accelerators' part of a situation: the same in every zone, so kept for the next."""
        situation = self._without_place(use)
        if situation in self._kept:
            return self._kept[situation]
        subject = self.subjects.resolve(use)
        believed, trail = self._prior(use, subject)
        known = self._known(use, subject)
        catalogue, machines = self._catalogue(believed, known)
        fitted = self._joint(Coefficients), self._joint(Corrections)
        deployment, point = sample(
            subject.architecture, believed, known, catalogue, fitted, self.registry.uniform
        )
        residual, fit_trail = self._residual(subject, use)
        prices = price_list(
            subject.architecture, deployment, point, fitted[0], residual, with_media=_sees(use)
        )
        if known.lengths is not None:
            _widen_squares(prices, point)
        shape = (len(FEATURES), self.registry.draws)
        served = Served(
            subject, believed, known, deployment, point, residual,
            PriceList(*(_filled(table, shape) for table in prices)),
            (*_used(trail, known), *subject.trail, *fit_trail, *self.machines.trail(machines)),
        )  # fmt: skip
        self._kept[situation] = served
        if len(self._kept) > _KEPT:
            self._kept.pop(next(iter(self._kept)))
        return served

    def _without_place(self, use: Activity) -> tuple[object, ...]:
        """All of a use that the accelerators' part depends on."""
        year = use.when.year if use.when else None
        lengths_ = self._lengths(use) if use.concurrency is not None else None
        return (*_serving_values(use), year, _sees(use), lengths_)

    def _prior(self, use: Activity, subject: Subject) -> tuple[DeploymentPrior, list[Entry]]:
        """What is believed of the deployment of a use, by its provider or its own machine."""
        is_own = False
        if use.accelerator is not None:
            machine = self.machines.find(use.accelerator)
            is_own = self.machines.kind(machine.id) in OWN_MACHINE_KINDS
        if is_own and use.provider is None:
            return serving.prior(self.registry, "own-machine")
        provider = _provider(use, subject)
        is_open = subject.model is None or subject.model.is_open
        identity = serving.prior_id(provider, is_open=is_open, directory=self.registry.data)
        return serving.prior(self.registry, identity)

    def _known(self, use: Activity, subject: Subject) -> KnownDeployment:
        """What the use tells of its deployment."""
        accelerator = self.machines.find(use.accelerator).id if use.accelerator else None
        return KnownDeployment(
            accelerator=accelerator,
            count=use.count,
            concurrency=use.concurrency,
            precision=use.precision,
            tokens_per_second=use.tokens_per_second,
            serving=use.serving,
            year=use.when.year if use.when else None,
            native_precision=subject.native_precision,
            lengths=self._lengths(use) if use.concurrency is not None else None,
        )

    def _catalogue(
        self, believed: DeploymentPrior, known: KnownDeployment
    ) -> tuple[Catalogue, tuple[str, ...]]:
        """The tables that a deployment is drawn from, and the accelerators in them."""
        names = (
            (known.accelerator,)
            if known.accelerator
            else tuple(n for n, _ in believed.accelerators)
        )
        data = self.registry.data
        return Catalogue(
            accelerators={name: self.machines.by_id(name) for name in names},
            precisions=serving.precisions(data),
            kinds=serving.kinds(data),
            ranges=serving.shared_ranges(self.registry),
        ), names

    def _joint(self, kind: type[Joint]) -> Joint:
        """The fitted coefficients, a row of the joint table for each draw."""
        table = self.registry.joint("coefficients")
        uniform = self.registry.uniform("inference.text.coefficients")
        last = len(table["draw"]) - 1  # row 0 is the fit to everything, the others its draws
        rows = 1 + np.minimum((uniform * last).astype(int), last - 1)
        return kind(**{field.name: table[field.name][rows] for field in fields(kind)})

    def _residual(self, subject: Subject, use: Activity) -> tuple[Vector, list[Entry]]:
        """What the formula misses of an architecture: draws keyed by it, so that two differ."""
        case = "media-in" if _sees(use) else "text"
        entry = self.registry.factor(f"inference.{case}.residual")
        factor = entry.factor
        key = f"inference.residual|{subject.architecture.name}"  # one error, however it is used
        spread = Spread(factor.low, factor.central, factor.high, factor.shape)
        return spread.quantile(self.registry.uniform(key)), [entry]

    def _remarks(
        self, use: Activity, believed: DeploymentPrior, subject: Subject, deployment: Deployment
    ) -> list[str]:
        """What was assumed of a use, in words."""
        defaults = self._default_lengths(believed.id)
        named = serving.is_named(use.provider, self.registry.data)
        return remarks(use, believed, subject.model, deployment, defaults, is_named=named)

    def _influences(
        self, subject: Subject, deployment: Deployment, point: OperatingPoint, residual: Vector
    ) -> dict[str, Vector]:
        """Where the doubt may come from, besides factors: a vector of draws for each cause."""
        found = {
            "deployment.concurrency": deployment.concurrency,
            "deployment.count": deployment.count,
            "deployment.accelerator": deployment.bandwidth_b_s,
            "deployment.precision": deployment.dense_bytes,
            "deployment.serving_software": deployment.generation_factor,
            "deployment.speculative_decoding": deployment.tokens_per_step,
            "deployment.lengths": point.fresh_tokens + point.cached_tokens + point.output_tokens,
            f"inference.residual.{subject.architecture.name}": residual,
        }
        found |= {key: self.registry.uniform(key) for key in subject.influences}
        return {name: np.asarray(value) for name, value in found.items() if np.ndim(value) == 1}


def _sees(use: Activity) -> bool:
    """Whether the prompt holds images or videos."""
    return bool(use.images_in or use.videos_in)


_serving_values = attrgetter(
    "model", "parameters", "active", "like", "provider", "tokens_per_second", "accelerator",
    "count", "concurrency", "precision", "serving",
)  # fmt: skip


def _used(trail: list[Entry], known: KnownDeployment) -> list[Entry]:
    """The prior's factors that are used: not those of what the use itself tells."""
    told = set()
    if known.concurrency is not None:
        told |= {"concurrency", "input_tokens", "output_tokens", "cached_share"}
        if known.accelerator is not None:
            told.add("generation_factor")
    return [entry for entry in trail if entry.factor.id.rpartition(".")[2] not in told]


def _widen_squares(prices: PriceList, point: OperatingPoint) -> None:
    """Let one call stand for the mean of such calls, whose squares exceed the square of means."""
    for table in prices:
        table[OUTPUT_SQUARED] *= point.length_variety


def _filled(table: Vector, shape: tuple[int, int]) -> Vector:
    """Prices over every draw, contiguous for the matrix product."""
    return np.ascontiguousarray(np.broadcast_to(table, shape))


def _provider(use: Activity, subject: Subject) -> str | None:
    """Who serves the model: the one named, else the maker of a model that only it serves."""
    if use.provider is not None:
        return find_provider(use.provider)
    if subject.model is not None and not subject.model.is_open:
        return subject.model.provider
    return None


def _operator(use: Activity, subject: Subject) -> str | None:
    return None if use.accelerator else _provider(use, subject)
