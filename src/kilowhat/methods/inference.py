"""Text and multimodal chat: tokens to accelerator energy, as a price list per feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kilowhat.methods.call_features import FEATURES, Coefficients, features, mean_features
from kilowhat.methods.roofline import Loads, loads

if TYPE_CHECKING:
    from kilowhat.domain.architecture import Architecture, Magnitude
    from kilowhat.domain.deployment import Deployment, OperatingPoint
    from kilowhat.methods.call_features import Vector

__all__ = [
    "FEATURES",
    "Coefficients",
    "PriceList",
    "features",
    "mean_call",
    "mean_features",
    "price_list",
]


TINY_S = 1e-30
"""Keeps a ratio of two absent times finite [s]."""


class PriceList(NamedTuple):
    """What one unit of each feature of a call costs at an operating point.

    energy_j: accelerator energy [J per unit of the feature], shape (len(FEATURES), n_draws).
    occupancy_s: time of one accelerator [s per unit of the feature], same shape.
    """

    energy_j: Vector
    occupancy_s: Vector


class MeanCall(NamedTuple):
    """The mean call of an operating point, floats or vectors of draws.

    energy_j: accelerator energy [J]; time_s: time of the whole unit [s];
    power_w: mean power of one accelerator [W]; tokens_per_second: output tokens that one
    client sees each second [token/s].
    """

    energy_j: Magnitude
    time_s: Magnitude
    power_w: Magnitude
    tokens_per_second: Magnitude


class _Pace(NamedTuple):
    """Time and energy of the mean call, with what one more second of each resource adds."""

    time_s: Magnitude
    power_share: Magnitude
    time_by: tuple[Magnitude, ...]
    energy_by: tuple[Magnitude, ...]


def price_list(
    architecture: Architecture,
    deployment: Deployment,
    point: OperatingPoint,
    coefficients: Coefficients,
    residual: Magnitude = 1.0,
    *,
    with_media: bool = True,
) -> PriceList:
    """Energy and accelerator time per unit of each feature of a call at an operating point.

    E = n·TDP·t·c(φ0 + φ_m·u_m^γ + φ_c·u_c^γ), t = t_fixed + Σ (t_m^p + t_c^p)^(1/p)

    The sum is over steps that decode and steps that read prompts too; c(u) = u/(1 + u^8)^(1/8).
    E is homogeneous of degree 1 in the seconds of its resources, so each feature's price is the
    sum of ∂E/∂t_i times the seconds that it adds (Euler's theorem).

    Args:
        architecture: the model.
        deployment: the machines.
        point: the mean call that they are busy with.
        coefficients: the fitted coefficients.
        residual: ratio of true to computed energy, one factor per architecture [1].
        with_media: whether images and videos are priced; without, quicker, their price is 0.

    Returns:
        Prices [J and s per unit of the feature]; `features(...) @ energy_j` is the energy of
        a call [J, shape (n_draws,)], and of the mean call exactly n·P·t/B·T_out.

    Source: roofline model (Williams, Waterman and Patterson 2009, 10.1145/1498765.1498785)
    with the coefficients of `data/inference/coefficients.csv`.

    >>> from kilowhat.domain.deployment import Deployment, OperatingPoint
    >>> from kilowhat.methods.architecture import of_parameters
    >>> from kilowhat.methods.call_features import Coefficients
    >>> fitted = Coefficients(.5, .1, .8, .6, .9, .5, .8, .5, .7, 6e-5, 5e-5, 1e-5, .3, .7, 1.2,
    ...                       500., 800., .01, .03)
    >>> machine = Deployment("endpoint", ("h100-sxm",), 0, 1., 1., 64., 700., 3.35e12, 989e12,
    ...                      900e9, 2., 2., 2., 8192., 8., 4., 4., 4.)
    >>> point = OperatingPoint(100., 0., 400.)
    >>> from kilowhat.registry.resolve import Registry
    >>> from kilowhat.registry.serving import typical_layouts
    >>> model = of_parameters("8B", 8e9, 8e9, typical_layouts(Registry()))
    >>> prices = price_list(model, machine, point, fitted)
    >>> bool(0.05 < (features(100, 0, 400) @ prices.energy_j)[0] / 400 < 0.2)
    True
    """
    seconds = loads(architecture, deployment, point, coefficients, with_media=with_media)
    pace = _pace(seconds, mean_features(point), coefficients)
    scale = deployment.generation_factor * deployment.count
    watts = scale * deployment.tdp_w * residual
    energy = [watts * _dot(pace.energy_by, seconds, index) for index in range(len(FEATURES))]
    time = [scale * _dot(pace.time_by, seconds, index) for index in range(len(FEATURES))]
    return PriceList(_stack(energy), _stack(time))


def mean_call(
    architecture: Architecture,
    deployment: Deployment,
    point: OperatingPoint,
    coefficients: Coefficients,
) -> MeanCall:
    """Energy, time, power and client speed of the mean call of an operating point.

    speed = T_out/(B·t)

    Args:
        architecture: the model.
        deployment: the machines.
        point: the mean call that they are busy with.
        coefficients: the fitted coefficients.

    Returns:
        Energy [J], time of the unit [s], power of one accelerator [W], speed [token/s].

    Source: Little 1961 (10.1287/opre.9.3.383) for the speed that a client sees; time and power
    as in `price_list`.

    >>> from kilowhat.domain.deployment import Deployment, OperatingPoint
    >>> from kilowhat.methods.architecture import of_parameters
    >>> from kilowhat.methods.call_features import Coefficients
    >>> fitted = Coefficients(.5, .1, .8, .6, .9, .5, .8, .5, .7, 6e-5, 5e-5, 1e-5, .3, .7, 1.2,
    ...                       500., 800., .01, .03)
    >>> machine = Deployment("endpoint", ("h100-sxm",), 0, 1., 1., 64., 700., 3.35e12, 989e12,
    ...                      900e9, 2., 2., 2., 8192., 8., 4., 4., 4.)
    >>> point = OperatingPoint(100., 0., 400.)
    >>> from kilowhat.registry.resolve import Registry
    >>> from kilowhat.registry.serving import typical_layouts
    >>> model = of_parameters("8B", 8e9, 8e9, typical_layouts(Registry()))
    >>> bool(60 < mean_call(model, machine, point, fitted).tokens_per_second < 120)
    True
    """
    seconds = loads(architecture, deployment, point, coefficients)
    pace = _pace(seconds, mean_features(point), coefficients)
    time_s = pace.time_s * deployment.generation_factor
    power_w = deployment.tdp_w * pace.power_share
    return MeanCall(
        deployment.count * power_w * time_s,
        time_s,
        power_w,
        point.output_tokens / (deployment.concurrency * time_s),
    )


def _pace(seconds: Loads, mean: list[Magnitude], coefficients: Coefficients) -> _Pace:
    """Time, power and their derivatives by the seconds of the seven resources."""
    fixed_s, memory_s, compute_s, prompt_memory_s, prompt_compute_s, ideal_memory, ideal_compute = (
        _total(column, mean) for column in seconds
    )
    decode_s, by_memory, by_compute = _overlap(memory_s, compute_s, coefficients)
    prompt_s, by_prompt_memory, by_prompt_compute = _overlap(
        prompt_memory_s, prompt_compute_s, coefficients
    )
    time_s = fixed_s + decode_s + prompt_s
    gamma = coefficients.power_exponent
    memory = coefficients.memory_power * (ideal_memory / time_s) ** gamma
    compute = coefficients.compute_power * (ideal_compute / time_s) ** gamma
    share = coefficients.idle_power + memory + compute
    # The cap u/(1 + u^8)^(1/8): the eighth power is how sharp the corner is, not a fact.
    square = share * share
    fourth = square * square
    excess = 1.0 + fourth * fourth
    cap = 1.0 / np.sqrt(np.sqrt(np.sqrt(excess)))
    slope = cap / excess
    by_time = share * cap - slope * gamma * (memory + compute)
    by_ideal = slope * gamma * time_s
    time_by = (1.0, by_memory, by_compute, by_prompt_memory, by_prompt_compute)
    energy_by = (
        by_time,
        *(by_time * weight for weight in time_by[1:]),
        by_ideal * memory / (ideal_memory + TINY_S),
        by_ideal * compute / (ideal_compute + TINY_S),
    )
    return _Pace(time_s, share * cap, time_by, energy_by)


def _overlap(
    memory_s: Magnitude, compute_s: Magnitude, coefficients: Coefficients
) -> tuple[Magnitude, Magnitude, Magnitude]:
    """The p-norm of two overlapping times [s], and its derivatives by both [1]."""
    slower = np.maximum(memory_s, compute_s) + TINY_S
    ratio = np.minimum(memory_s, compute_s) / slower
    power = ratio**coefficients.overlap
    greater = (1.0 + power) ** (1.0 / coefficients.overlap - 1.0)
    lesser = greater * power / (ratio + TINY_S)
    is_memory = memory_s >= compute_s
    return (
        slower * (greater + ratio * lesser),
        np.where(is_memory, greater, lesser),
        np.where(is_memory, lesser, greater),
    )


def _total(column: list[Magnitude], mean: list[Magnitude]) -> Magnitude:
    """Seconds of one resource for the mean call [s]."""
    total: Magnitude = 0.0
    for seconds, amount in zip(column, mean, strict=True):
        if not _is_zero(seconds) and not _is_zero(amount):
            part = seconds * amount
            total = part if _is_zero(total) else total + part
    return total


def _dot(weights: tuple[Magnitude, ...], seconds: Loads, index: int) -> Magnitude:
    """Weighted seconds of one feature over the resources."""
    total: Magnitude = 0.0
    for weight, column in zip(weights, seconds, strict=False):
        if not _is_zero(column[index]):
            part = weight * column[index]
            total = part if _is_zero(total) else total + part
    return total


def _is_zero(value: Magnitude) -> bool:
    """Whether a load is absent, as against a vector of draws."""
    return isinstance(value, float) and value == 0.0


def _stack(rows: list[Magnitude]) -> Vector:
    """Rows of draws as one array, shape (len(FEATURES), n_draws)."""
    return np.array(np.broadcast_arrays(*(np.atleast_1d(row) for row in rows)), dtype=np.float64)
