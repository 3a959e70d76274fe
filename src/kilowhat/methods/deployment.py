"""What is believed of a deployment, given what is known of it: draws of machines and batches."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from kilowhat.domain.deployment import Deployment, OperatingPoint
from kilowhat.language import mark
from kilowhat.methods.conditioning import at_pace, condition
from kilowhat.methods.inference import mean_call
from kilowhat.methods.roofline import cache_shards
from kilowhat.methods.units import link_b_s, possible_units, weight_bytes
from kilowhat.quantity.spread import Spread, normal_quantile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from kilowhat.domain.architecture import Architecture, Magnitude
    from kilowhat.domain.deployment import (
        Accelerator,
        DeploymentPrior,
        KnownDeployment,
        Precision,
    )
    from kilowhat.methods.call_features import Coefficients, Corrections, Vector
    from kilowhat.methods.units import Catalogue, Range, Unit


Record = TypeVar("Record", "Architecture", "Coefficients", "Corrections")


class Sampled(NamedTuple):
    """A deployment and the point that it works at, both as draws."""

    deployment: Deployment
    point: OperatingPoint


def sample(
    architecture: Architecture,
    prior: DeploymentPrior,
    known: KnownDeployment,
    catalogue: Catalogue,
    fitted: tuple[Coefficients, Corrections],
    uniform: Callable[[str], Vector],
) -> Sampled:
    """Draws of a deployment and its operating point, given what is known of them.

    A unit (accelerator, precision, count, speculation) is drawn by one uniform number, its
    concurrency by another. Observed tokens per second change the distributions that the two
    numbers are mapped through, not the numbers: draws of two groups still add.

    Args:
        architecture: the model.
        prior: what is believed beforehand of this provider or class.
        known: what the user or the log tells.
        catalogue: accelerators, precisions, kinds and shared ranges.
        fitted: coefficients and corrections, floats or draws [shape (n_draws,)].
        uniform: stratified uniform numbers in (0, 1) by key [1], shape (n_draws,).

    Returns:
        The deployment and the point, numbers of shape (n_draws,) or floats.

    Raises:
        DoesNotFit: the model exceeds the memory of the accelerators that are known.
        UnsupportedPrecision: the accelerator that is known lacks the precision.

    Source: priors in `data/deployments.csv` and `data/factors/deployment.csv`; speculative
    decoding after Leviathan, Kalman and Matias 2023 (10.48550/arXiv.2211.17192).

    >>> from kilowhat.domain.deployment import Accelerator, DeploymentPrior, KnownDeployment
    >>> from kilowhat.domain.deployment import Precision
    >>> from kilowhat.methods.architecture import of_parameters
    >>> plain = Precision("bf16", 2.0, 2.0, 2.0, "bf16", "bf16", "")
    >>> h100 = Accelerator("h100-sxm", 700.0, 80e9, 3.35e12, 900e9, {"bf16": 989e12})
    >>> from kilowhat.methods.call_features import Coefficients, Corrections
    >>> from kilowhat.methods.units import Catalogue
    >>> from kilowhat.quantity.spread import uniforms
    >>> from kilowhat.registry.resolve import Registry
    >>> from kilowhat.registry.serving import shared_ranges, typical_layouts
    >>> tables = Catalogue({"h100-sxm": h100}, {"bf16": plain}, {"h100-sxm": "hopper"},
    ...                    shared_ranges(Registry()))
    >>> prior = DeploymentPrior("open", "endpoint", (("h100-sxm", 1.0),), (("bf16", 1.0),),
    ...     ((1.0, 1.0),), (), {"length_variety": (1.5, 1.5, 1.5, "point")}, False, 0.0)
    >>> known = KnownDeployment("h100-sxm", 1.0, 64.0, lengths=(100.0, 0.0, 400.0, 0.0, 0.0))
    >>> fitted = (Coefficients(*[0.5] * 19), Corrections(*[1.0] * 7))
    >>> model = of_parameters("8B", 8e9, 8e9, typical_layouts(Registry()))
    >>> found = sample(model, prior, known, tables, fitted, uniforms)
    >>> found.deployment.concurrency
    64.0
    """
    units = possible_units(architecture, prior, known, catalogue)
    point = _point(prior, known, uniform)
    draw = _Draw(architecture, prior, known, catalogue, fitted[1], uniform)
    first = uniform(f"deployment.{prior.id}.unit")
    second = uniform(f"deployment.{prior.id}.concurrency")
    weights = [unit.weight for unit in units]
    is_described = known.accelerator is not None and known.concurrency is not None
    if known.tokens_per_second is None or is_described:
        share = np.cumsum(weights) / np.sum(weights)
        index = np.searchsorted(share, first).clip(0, len(units) - 1)
        deployment = _assemble(draw, units, index, second, point)
        speed = known.tokens_per_second
        if speed is not None:
            deployment = at_pace(architecture, deployment, point, fitted[0], speed)
        return Sampled(deployment, point)
    central = _central(draw, fitted)
    found = condition(
        known.tokens_per_second,
        weights,
        central.speeds,
        catalogue.number("speed_spread"),
        catalogue.number("speed_reach"),
        catalogue.number("surprise_share"),
    )
    index, second = found.unit(first), found.share(first, second)
    deployment = _assemble(draw, units, index, second, point)
    if found.warnings:
        z = normal_quantile(uniform(f"deployment.{prior.id}.surprise"))
        deployment = replace(
            deployment,
            generation_factor=deployment.generation_factor * np.exp(found.excess * z),
            warnings=deployment.warnings + found.warnings,
        )
    return Sampled(deployment, point)


CROWDED = mark(
    "So many calls in flight need more memory for their caches than these accelerators have: the "
    "figure is too low."
)
_NUMBERS: dict[tuple[int, Range], tuple[Vector, Vector]] = {}
"""Numbers by the vector of uniform numbers (kept alive here) and the range."""
_MOST_NUMBERS = 512


def _numbers(range_: Range, uniform: Vector) -> Vector:
    """Draws of a range; remembered, since quantiles cost more than all else here."""
    key = (id(uniform), range_)
    found = _NUMBERS.get(key)
    if found is None or found[0] is not uniform:
        if len(_NUMBERS) >= _MOST_NUMBERS:
            _NUMBERS.clear()
        found = _NUMBERS[key] = (uniform, Spread(*range_).quantile(uniform))
    return found[1]


class _Draw(NamedTuple):
    """Everything that stays the same while units are turned into deployments."""

    architecture: Architecture
    prior: DeploymentPrior
    known: KnownDeployment
    catalogue: Catalogue
    corrections: Corrections
    uniform: Callable[[str], Vector]

    def quantile(self, name: str, probability: Vector) -> Vector:
        """The prior's number of that name, else the shared one, at a probability."""
        range_ = self.prior.ranges.get(name) or self.catalogue.ranges[name]
        return Spread(*range_).quantile(probability)

    def number(self, name: str) -> Vector:
        """Draws of the number of that name."""
        range_ = self.prior.ranges.get(name) or self.catalogue.ranges[name]
        return _numbers(range_, self.uniform(f"deployment.{self.prior.id}.{name}"))


class _Central(NamedTuple):
    """The middle of everything but the unit and its concurrency, to compute speeds with."""

    draw: _Draw
    coefficients: Coefficients

    def speeds(self, share: Vector) -> Vector:
        """Tokens per second by unit and by probability of the concurrency [token/s]."""
        units = possible_units(*self.draw[:4])
        index = np.repeat(np.arange(len(units)), len(share))
        tiled = np.tile(share, len(units))
        draw = self.draw._replace(uniform=lambda _: np.full(len(index), 0.5))
        point = _point(draw.prior, draw.known, draw.uniform)
        deployment = _assemble(draw, units, index, tiled, point)
        mean = mean_call(draw.architecture, deployment, point, self.coefficients)
        speed: Vector = np.broadcast_to(mean.tokens_per_second, index.shape)
        return speed.reshape(len(units), len(share))


def _central(draw: _Draw, fitted: tuple[Coefficients, Corrections]) -> _Central:
    """The same with medians in place of draws."""
    return _Central(
        draw._replace(
            architecture=_medians(draw.architecture), corrections=_medians(draw.corrections)
        ),
        _medians(fitted[0]),
    )


def _medians(record: Record) -> Record:
    """A record of draws with each vector replaced by its median."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    middles: dict[str, Any] = {
        name: float(np.median(value))
        for name, value in values.items()
        if isinstance(value, np.ndarray)
    }
    return replace(record, **middles)


def _point(
    prior: DeploymentPrior, known: KnownDeployment, uniform: Callable[[str], Vector]
) -> OperatingPoint:
    """The calls' own mean lengths where they are known, else the prior's."""

    def number(name: str) -> Vector:
        return _numbers(prior.ranges[name], uniform(f"deployment.{prior.id}.{name}"))

    variety = number("length_variety")
    if known.lengths is not None:
        fresh, cached, output, images, videos = known.lengths
        return OperatingPoint(fresh, cached, output, variety, images, videos)
    whole = number("input_tokens")
    found = whole * number("cached_share")
    return OperatingPoint(whole - found, found, number("output_tokens"), variety)


def _gather(values: list[Magnitude], index: NDArray[np.intp]) -> Magnitude:
    """The value of each draw's unit: a float when all units agree."""
    first = values[0]
    if all(value is first for value in values):
        return first
    if np.ndim(first) == 0 and all(np.ndim(one) == 0 and one == first for one in values):
        return first
    draws = np.arange(len(index))
    stacked = np.stack([np.broadcast_to(value, index.shape) for value in values])
    chosen: Vector = stacked[index, draws]
    return chosen


def _assemble(
    draw: _Draw, units: list[Unit], index: NDArray[np.intp], share: Vector, point: OperatingPoint
) -> Deployment:
    """The deployment of each draw's unit, at a probability of its concurrency."""

    def pick(value: Callable[[Unit], Magnitude]) -> Magnitude:
        return _gather([value(unit) for unit in units], index)

    number = draw.catalogue.number
    machines = list(dict.fromkeys(unit.accelerator.id for unit in units))
    factors = {name: _kind_factors(draw, name) for name in machines}
    count, ranks = pick(lambda u: u.count), pick(lambda u: u.data_parallel)
    gain: Magnitude = 1.0
    if any(unit.is_speculative for unit in units):
        gain = np.maximum(draw.number("speculative_gain"), 1.0)
    tokens = pick(lambda u: gain if u.is_speculative else 1.0)
    concurrency = _concurrency(draw, share, count)
    memory = pick(lambda u: number("memory_share") * u.accelerator.memory_b)
    weights = pick(lambda u: _held_bytes(draw.architecture, u))
    each = _held_per_sequence(draw, point, count, ranks)
    room = np.maximum((memory * count - weights) / each, 1.0)
    warnings: tuple[str, ...] = ()
    if draw.known.concurrency is None:
        concurrency = np.minimum(concurrency, room)
    elif draw.known.concurrency > 2.0 * float(np.median(room)):  # so well is it known
        warnings = (CROWDED,)
    fixed = draw.corrections
    return Deployment(
        kind=draw.prior.kind,
        accelerators=tuple(machines),
        which=np.array([machines.index(unit.accelerator.id) for unit in units])[index]
        if len(machines) > 1
        else 0,
        count=count,
        data_parallel=ranks,
        concurrency=concurrency,
        tdp_w=pick(lambda u: u.accelerator.tdp_w),
        bandwidth_b_s=pick(lambda u: u.accelerator.bandwidth_b_s),
        peak_flop_s=pick(lambda u: _peak(u.accelerator, u.precision)),
        link_b_s=pick(lambda u: link_b_s(u.accelerator, draw.catalogue.ranges)),
        dense_bytes=pick(lambda u: u.precision.dense_bytes),
        expert_bytes=pick(lambda u: u.precision.expert_bytes),
        cache_bytes=number("cache_bytes"),
        chunk_tokens=number("chunk_tokens") * ranks,
        node_size=number("node_size"),
        state_bytes=number("state_bytes"),
        reduced_bytes=number("reduced_bytes"),
        patches_per_token=number("patches_per_token"),
        bandwidth_factor=pick(lambda u: factors[u.accelerator.id][0]),
        compute_factor=pick(
            lambda u: factors[u.accelerator.id][1] * (fixed.fp8_compute if _is_narrow(u) else 1.0)
        ),
        expert_factor=pick(lambda u: _expert_factor(u.precision, fixed)),
        overhead_factor=pick(lambda u: factors[u.accelerator.id][2]),
        expert_layer_factor=pick(lambda u: _expert_layer_factor(u.precision, fixed)),
        tokens_per_step=tokens,
        work_per_step=1.0
        if np.ndim(tokens) == 0
        else np.where(tokens > 1.0, tokens + number("draft_work"), 1.0),
        generation_factor=_generation(draw),
        warnings=warnings,
    )


def _held_bytes(architecture: Architecture, unit: Unit) -> Magnitude:
    """Weights in the memory of the whole unit, dense ones once per rank [B]."""
    copies = np.asarray(unit.data_parallel) - 1.0
    repeated = architecture.dense_parameters * unit.precision.dense_bytes * copies
    return weight_bytes(architecture, unit.precision) + repeated


def _concurrency(draw: _Draw, share: Vector, count: Magnitude) -> Magnitude:
    """Sequences in flight: the known number, else the prior's at a probability [1]."""
    if draw.known.concurrency is not None:
        return draw.known.concurrency
    if draw.known.serving == "offline":
        least = draw.catalogue.number("offline_least")
        share = least + (1.0 - least) * share
    sequences = draw.quantile("concurrency", share)
    return np.maximum(sequences * count if draw.prior.is_per_accelerator else sequences, 1.0)


def _held_per_sequence(
    draw: _Draw, point: OperatingPoint, count: Magnitude, ranks: Magnitude
) -> Magnitude:
    """Memory of the unit that one sequence takes: its cache, copies included, and state [B]."""
    model, number = draw.architecture, draw.catalogue.number
    context = point.fresh_tokens + point.cached_tokens + 0.5 * point.output_tokens
    seen = model.attention_layers * context + model.window_layers * np.minimum(
        context, model.window_tokens
    )
    copies = count / cache_shards(model, count, ranks, number("node_size"))
    cache = model.cache_elements * number("cache_bytes") * seen * copies
    return cache + model.state_elements * number("state_bytes")


def _is_narrow(unit: Unit) -> bool:
    """Whether weights are multiplied in fewer than 16 bits."""
    arithmetic = unit.precision.arithmetic
    return arithmetic != "bf16" and arithmetic in unit.accelerator.peak_flop_s


def _peak(accelerator: Accelerator, precision: Precision) -> float:
    """Peak of the arithmetic that the weights are multiplied in [FLOP/s]."""
    peaks = accelerator.peak_flop_s
    return peaks.get(precision.arithmetic) or peaks.get("bf16") or min(peaks.values())


def _kind_factors(draw: _Draw, name: str) -> tuple[Magnitude, Magnitude, Magnitude]:
    """Bandwidth, peak and fixed times relative to the reference, by kind of accelerator."""
    kind = draw.catalogue.kinds.get(name)
    fixed = draw.corrections
    if kind == "hopper":
        return 1.0, 1.0, 1.0
    if kind == "blackwell":
        return fixed.blackwell_bandwidth, fixed.blackwell_compute, fixed.blackwell_overhead
    reached = draw.catalogue.ranges["unmeasured_efficiency"]
    slower = draw.catalogue.ranges["unmeasured_overhead"]
    efficiency = _numbers(reached, draw.uniform(f"deployment.{name}.efficiency"))
    overhead = _numbers(slower, draw.uniform(f"deployment.{name}.overhead"))
    return efficiency, efficiency, overhead


def _expert_factor(precision: Precision, fixed: Corrections) -> Magnitude:
    """Bandwidth reached on experts relative to 16-bit ones [1]."""
    named = {"fp8": fixed.fp8_experts, "mxfp4": fixed.mxfp4_experts}
    return named.get(precision.fitted, 1.0)


def _expert_layer_factor(precision: Precision, fixed: Corrections) -> Magnitude:
    """Fixed time per layer with experts relative to 16 bit: block-wise scales cost time [1]."""
    return fixed.fp8_layers if precision.fitted == "fp8" else 1.0


def _generation(draw: _Draw) -> Magnitude:
    """Energy relative to the serving software fitted on, by year and prior [1]."""
    known = draw.known
    is_fitted = draw.prior.kind != "own-machine"  # local software is another: never fitted
    is_described = is_fitted and known.accelerator is not None and known.concurrency is not None
    factor: Magnitude = 1.0 if is_described else draw.number("generation_factor")
    fitted_year = draw.catalogue.number("fitted_year")
    if known.year is not None and known.year < fitted_year:
        full = draw.number("generation_2024")
        factor = factor * (full if known.year < fitted_year - 1 else np.sqrt(full))
    return factor
