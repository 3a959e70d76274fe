"""What an observed speed says of the machines and the batch behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.language import mark
from kilowhat.methods.inference import mean_call

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from kilowhat.domain.architecture import Architecture
    from kilowhat.domain.deployment import Deployment, OperatingPoint
    from kilowhat.methods.call_features import Coefficients, Vector

GRID = 32
"""Points of the concurrency's distribution: an accuracy of the numbers, not a fact."""

OUTSIDE = mark(
    "The observed speed lies outside what the known ways of serving this model reach; "
    "the interval is widened."
)


@dataclass(frozen=True, slots=True)
class Conditioned:
    """Distributions after a speed was seen, to map the same uniform numbers through.

    Attributes:
        units: cumulative weights of the ways of serving, shape (n_units,).
        shares: cumulative weights of the concurrency's own probability, by unit,
            shape (n_units, GRID + 1).
        excess: standard deviation to add to the logarithm of energy and time [1].
        warnings: what a reader should be told.
    """

    units: Vector
    shares: Vector
    excess: float
    warnings: tuple[str, ...]

    def unit(self, uniform: Vector) -> NDArray[np.intp]:
        """Index of the way of serving, for each uniform number, shape (n_draws,)."""
        return np.searchsorted(self.units, uniform).clip(0, len(self.units) - 1)

    def share(self, first: Vector, second: Vector) -> Vector:
        """Probability of the concurrency before the speed was seen, shape (n_draws,)."""
        index = self.unit(first)
        result = np.empty_like(second)
        edges = np.linspace(0.0, 1.0, GRID + 1)
        for unit in np.unique(index):
            chosen = index == unit
            result[chosen] = np.interp(second[chosen], self.shares[unit], edges)
        return np.clip(result, 1e-6, 1.0 - 1e-6)


def condition(
    tokens_per_second: float,
    weights: Sequence[float],
    speed: Callable[[Vector], Vector],
    spread: float,
    reach: float,
    surprise: float,
) -> Conditioned:
    """Distributions of the way of serving and of its concurrency, given an observed speed.

    weight ∝ prior · exp(−(ln v_observed − ln v_computed)²/(2·spread²))

    It is computed on a grid of equal prior probability of the concurrency.

    Args:
        tokens_per_second: output tokens that one client sees each second [token/s].
        weights: prior weights of the ways of serving [1].
        speed: computed speeds [token/s], shape (n_units, GRID), for given probabilities of
            the concurrency, shape (GRID,).
        spread: standard deviation of the logarithm of observed over computed speed [1].
        reach: how many of these a speed may lie outside of everything believed [1].
        surprise: share of what lies beyond that becomes doubt of energy and time [1].

    Returns:
        The distributions; wider, and with a warning, when no way reaches such a speed.

    Source: Bayes 1763 (10.1098/rstl.1763.0053); `deployment.serving.speed_spread` for the spread.

    >>> seen = condition(50.0, [1.0], lambda share: 100.0 * (1.0 - share[None, :]),
    ...                  0.2, 2.0, 0.5)
    >>> bool(0.4 < seen.share(np.array([0.5]), np.array([0.5]))[0] < 0.6)
    True
    """
    middles = (np.arange(GRID) + 0.5) / GRID
    distance = (np.log(tokens_per_second) - np.log(speed(middles))) / spread
    nearest = float(np.min(np.abs(distance)))
    beyond = max(nearest - reach, 0.0)
    likelihood = np.exp(-0.5 * (distance**2 - nearest**2))
    joint = np.asarray(weights)[:, None] * likelihood + 1e-300
    by_unit = joint.sum(axis=1)
    shares = np.zeros((len(by_unit), GRID + 1))
    shares[:, 1:] = np.cumsum(joint, axis=1) / by_unit[:, None]
    return Conditioned(
        units=np.cumsum(by_unit) / by_unit.sum(),
        shares=shares,
        excess=surprise * spread * beyond,
        warnings=(OUTSIDE,) if beyond else (),
    )


def at_pace(
    architecture: Architecture,
    deployment: Deployment,
    point: OperatingPoint,
    coefficients: Coefficients,
    tokens_per_second: float,
) -> Deployment:
    """A deployment that is described, at the speed that was observed on it.

    t_observed = t_computed · speed computed / speed observed

    Its machines and its batch are known, so the speed fixes the time of a step, and with it the
    energy: only the power is still computed.

    Args:
        architecture: the model.
        deployment: the machines, their number and the sequences in flight.
        point: the mean call that they are busy with.
        coefficients: the fitted coefficients, floats or draws.
        tokens_per_second: output tokens that one client sees each second [token/s].

    Returns:
        The deployment with its ``generation_factor`` [1, shape (n_draws,)] such that each draw
        has that speed; with a warning where the computed speed is more than twice or less than
        half of it.

    Source: Little 1961 (10.1287/opre.9.3.383), for speed and time at a given concurrency.

    >>> from kilowhat.registry.resolve import Registry
    >>> from kilowhat.assessment import Estimator, activity
    >>> use = {"model": "llama-3.1-8b", "out": 400, "accelerator": "h100-sxm", "count": 1,
    ...        "concurrency": 64, "tokens_per_second": 80, "in": 100}
    >>> energy = Estimator(Registry(draws=64)).estimate(activity(use)).energy_j
    >>> bool((energy < 700 * 1.5 * 400 / 80 / 64).all())
    True
    """
    computed = mean_call(architecture, deployment, point, coefficients).tokens_per_second
    slower = computed / tokens_per_second
    is_odd = not 1 / ODD_PACE <= float(np.median(slower)) <= ODD_PACE
    return replace(
        deployment,
        generation_factor=deployment.generation_factor * slower,
        warnings=deployment.warnings + ((ODD,) if is_odd else ()),
    )


ODD_PACE = 2.0  # when to warn: no number of a result depends on it
ODD = mark(
    "The tokens per second given are far from what this model, hardware and concurrency give."
)
