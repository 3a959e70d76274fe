"""In which units a model may be served: accelerators, precision, how many of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from kilowhat.errors import DoesNotFit, UnsupportedPrecision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kilowhat.domain.architecture import Architecture, Magnitude
    from kilowhat.domain.deployment import (
        Accelerator,
        DeploymentPrior,
        KnownDeployment,
        Precision,
    )


_GIGA = 1e9

Range: TypeAlias = tuple[float, float, float, str]
"""Low, central, high and shape of a factor."""


class Catalogue(NamedTuple):
    """Tables that deployments are drawn from.

    accelerators: by id; precisions: by id or alias; kinds: accelerator id to the fitted kind
    it behaves like (hopper or blackwell); ranges: low, central, high, shape of shared factors.
    """

    accelerators: Mapping[str, Accelerator]
    precisions: Mapping[str, Precision]
    kinds: Mapping[str, str]
    ranges: Mapping[str, Range]

    def number(self, name: str) -> float:
        """The central value of a shared factor, in the unit of its table."""
        return self.ranges[name][1]


@dataclass(frozen=True, slots=True)
class Unit:
    """One way in which the model may be served, with its weight; sizes may be draws."""

    accelerator: Accelerator
    precision: Precision
    count: Magnitude
    data_parallel: Magnitude
    is_speculative: bool
    weight: float


def possible_units(
    architecture: Architecture,
    prior: DeploymentPrior,
    known: KnownDeployment,
    catalogue: Catalogue,
) -> list[Unit]:
    """The ways in which the model may be served, given what is known, with their weights.

    n = smallest power of two with n·memory·share >= bytes(weights), times 1, 2 or 4

    Args:
        architecture: the model.
        prior: what is believed beforehand.
        known: what the user or the log tells.
        catalogue: accelerators and precisions.

    Returns:
        Units with positive weights [1]; counts [1] are floats, or draws for a model of unknown
        size [shape (n_draws,)].

    Raises:
        DoesNotFit: the model exceeds the memory of the accelerators that are known.
        UnsupportedPrecision: the accelerator that is known lacks the precision.

    Source: weights of `data/deployments.csv`; shares of memory of `deployment.serving.*`.

    >>> from kilowhat.domain.deployment import Accelerator, DeploymentPrior, KnownDeployment
    >>> from kilowhat.domain.deployment import Precision
    >>> from kilowhat.methods.architecture import of_parameters
    >>> plain = Precision("bf16", 2.0, 2.0, 2.0, "bf16", "bf16", "")
    >>> h100 = Accelerator("h100-sxm", 700.0, 80e9, 3.35e12, 900e9, {"bf16": 989e12})
    >>> from kilowhat.registry.resolve import Registry
    >>> from kilowhat.registry.serving import shared_ranges, typical_layouts
    >>> shared = shared_ranges(Registry())
    >>> tables = Catalogue({"h100-sxm": h100}, {"bf16": plain}, {"h100-sxm": "hopper"}, shared)
    >>> prior = DeploymentPrior("open", "endpoint", (("h100-sxm", 1.0),), (("bf16", 1.0),),
    ...                         ((1.0, 1.0),), (), {}, False, 0.0)
    >>> model = of_parameters("70B", 70e9, 70e9, typical_layouts(Registry()))
    >>> [float(u.count) for u in possible_units(model, prior, KnownDeployment(), tables)]
    [4.0]
    """
    units: list[Unit] = []
    for name, weight in _choices(known.accelerator, prior.accelerators):
        accelerator = catalogue.accelerators[name]
        for precision, share in _precisions(architecture, accelerator, prior, known, catalogue):
            for speculative, odds in _speculation(prior, known):
                units += [
                    Unit(
                        accelerator, precision, count, ranks, speculative, weight * share * p * odds
                    )
                    for count, ranks, p in _sizes(
                        architecture, accelerator, precision, prior, known, catalogue
                    )
                ]
    if not units:
        raise _too_large(architecture, prior, known, catalogue)
    return units


def _too_large(
    architecture: Architecture,
    prior: DeploymentPrior,
    known: KnownDeployment,
    catalogue: Catalogue,
) -> DoesNotFit:
    """That the model does not fit, by the accelerator with the most memory."""
    choices = _choices(known.accelerator, prior.accelerators)
    machines = (catalogue.accelerators[name] for name, _ in choices)
    largest = max(machines, key=lambda machine: machine.memory_b)
    precision = _precisions(architecture, largest, prior, known, catalogue)[-1][0]
    needed = _middle(weight_bytes(architecture, precision))
    count = known.count or 1.0
    return DoesNotFit(
        model=architecture.name,
        accelerator=largest.id,
        count=int(count),
        needed_gb=round(needed / 1e9, 1),
        available_gb=round(count * largest.memory_b / 1e9, 1),
    )


def _middle(value: Magnitude) -> float:
    """The median of draws, or the number itself."""
    return float(value) if np.ndim(value) == 0 else float(np.median(value))


def _choices(
    known: str | None, prior: tuple[tuple[str, float], ...]
) -> tuple[tuple[str, float], ...]:
    """The known value alone, else the prior's values with their weights."""
    return prior if known is None else ((known, 1.0),)


def _speculation(prior: DeploymentPrior, known: KnownDeployment) -> tuple[tuple[bool, float], ...]:
    """With and without speculative decoding; without, where the deployment was described."""
    share = prior.speculative_share
    if share <= 0.0 or (known.concurrency is not None and known.accelerator is not None):
        return ((False, 1.0),)
    return ((False, 1.0 - share), (True, share))


def _precisions(
    architecture: Architecture,
    accelerator: Accelerator,
    prior: DeploymentPrior,
    known: KnownDeployment,
    catalogue: Catalogue,
) -> list[tuple[Precision, float]]:
    """Precisions that this accelerator can take, with weights."""
    if known.precision is not None:
        return [(_supported(known.precision, accelerator, catalogue, known), 1.0)]
    native = catalogue.precisions[known.native_precision] if known.native_precision else None
    # Weights published in 16 bit are narrowed as a provider or owner sees fit; a benchmark or a
    # dedicated endpoint serves what was published.
    is_narrowed = native == _widest(catalogue) and prior.kind != "endpoint"
    if native is not None and not is_narrowed:
        usable = native.needs in accelerator.peak_flop_s or known.accelerator is None
        wanted = [(native if usable else _widest(catalogue), 1.0)]
    else:
        wanted = [
            (catalogue.precisions[name], weight)
            for name, weight in prior.precisions
            if known.accelerator is None
            or catalogue.precisions[name].needs in accelerator.peak_flop_s
        ]
        wanted = wanted or [(_widest(catalogue), 1.0)]
    if known.accelerator is None or (known.count is None and prior.kind != "own-machine"):
        return wanted
    return _that_fit(architecture, accelerator, known, wanted, catalogue)


def _widest(catalogue: Catalogue) -> Precision:
    """The 16-bit precision, which every accelerator takes."""
    return catalogue.precisions["bf16"]


def _that_fit(
    architecture: Architecture,
    accelerator: Accelerator,
    known: KnownDeployment,
    wanted: list[tuple[Precision, float]],
    catalogue: Catalogue,
) -> list[tuple[Precision, float]]:
    """Wanted precisions that fit the known memory, else the widest that does."""
    memory = (known.count or 1.0) * accelerator.memory_b * catalogue.number("memory_share")
    fitting = [
        (precision, weight)
        for precision, weight in wanted
        if _middle(weight_bytes(architecture, precision)) <= memory
    ]
    if fitting:
        return fitting
    for name in ("fp8", "int8", "int4"):
        precision = catalogue.precisions[name]
        usable = precision.needs in accelerator.peak_flop_s
        if usable and _middle(weight_bytes(architecture, precision)) <= memory:
            return [(precision, 1.0)]
    return [(catalogue.precisions["int4"], 1.0)]


def _supported(
    name: str, accelerator: Accelerator, catalogue: Catalogue, known: KnownDeployment
) -> Precision:
    """The precision of that name, if the accelerator takes it."""
    precision = catalogue.precisions.get(name.lower())
    is_known = known.accelerator is not None
    if precision is None or (is_known and precision.needs not in accelerator.peak_flop_s):
        available = sorted(
            {
                other.id
                for other in catalogue.precisions.values()
                if other.needs in accelerator.peak_flop_s
            }
        )
        raise UnsupportedPrecision(precision=name, accelerator=accelerator.id, available=available)
    return precision


def weight_bytes(architecture: Architecture, precision: Precision) -> Magnitude:
    """Memory that a model's weights take [B].

    W = dense·b_dense + experts·b_expert + (embedding + vision)·b_embedding

    Args:
        architecture: the model.
        precision: how its weights are stored.

    Returns:
        Bytes [B], of the shape of the architecture's numbers.

    Source: block sizes of `data/inference/precisions.csv` (gguf 0.19.0).

    >>> from kilowhat.domain.deployment import Precision
    >>> from kilowhat.methods.architecture import of_parameters
    >>> fp8 = Precision("fp8", 1.0, 1.0, 2.0, "fp8", "fp8", "fp8")
    >>> from kilowhat.registry.resolve import Registry
    >>> from kilowhat.registry.serving import typical_layouts
    >>> model = of_parameters("8B", 8e9, 8e9, typical_layouts(Registry()))
    >>> float(weight_bytes(model, fp8)) / 1e9
    8.0
    """
    return (
        architecture.dense_parameters * precision.dense_bytes
        + architecture.expert_parameters * precision.expert_bytes
        + precision.embedding_bytes
        * (architecture.embedding_parameters + architecture.vision_parameters)
    )


def link_b_s(accelerator: Accelerator, ranges: Mapping[str, Range]) -> float:
    """Bandwidth of the link to an accelerator's neighbours, a usual one where none is published.

    Args:
        accelerator: what its datasheet says.
        ranges: shared factors: fast_memory, datacentre_link, pcie_link [GB/s].

    Returns:
        Bandwidth, both directions [B/s].

    Source: `data/factors/hardware.csv`; where it has none, `deployment.serving.*_link`.

    >>> from kilowhat.domain.deployment import Accelerator
    >>> from kilowhat.registry.resolve import Registry
    >>> from kilowhat.registry.serving import shared_ranges
    >>> card = Accelerator("card", 350.0, 24e9, 936e9, 0.0, {"bf16": 71e12})
    >>> link_b_s(card, shared_ranges(Registry())) / 1e9
    64.0
    """
    is_fast = accelerator.bandwidth_b_s >= ranges["fast_memory"][1] * _GIGA
    usual = ranges["datacentre_link" if is_fast else "pcie_link"][1] * _GIGA
    return accelerator.link_b_s or usual


def _sizes(
    architecture: Architecture,
    accelerator: Accelerator,
    precision: Precision,
    prior: DeploymentPrior,
    known: KnownDeployment,
    catalogue: Catalogue,
) -> list[tuple[Magnitude, Magnitude, float]]:
    """Sizes of the unit, ranks of data parallelism, and weights."""
    share, node = catalogue.number("weight_share"), catalogue.number("node_size")
    needed = weight_bytes(architecture, precision)
    if known.count is not None or prior.kind == "own-machine":
        count = known.count or 1.0
        if _middle(needed) > count * accelerator.memory_b * catalogue.number("memory_share"):
            return []
        return [(count, max(1.0, count / node), 1.0)]
    smallest = 2.0 ** np.ceil(np.log2(np.maximum(needed / (accelerator.memory_b * share), 1.0)))
    wide_share = sum(weight for _, weight in prior.wide_units)
    dense = np.maximum(architecture.dense_parameters * precision.dense_bytes, 1.0)

    def size(
        count: Magnitude, span: Magnitude, weight: float
    ) -> tuple[Magnitude, Magnitude, float]:
        spare = accelerator.memory_b * count * share - needed
        return count, np.maximum(1.0, np.minimum(count / span, 1.0 + spare / dense)), weight

    sizes = [
        size(smallest * factor, node, p * (1.0 - wide_share)) for factor, p in prior.unit_sizes
    ]
    is_wide = np.asarray(architecture.expert_parameters) > catalogue.number("wide_experts")
    for count, p in prior.wide_units:
        wide = np.where(is_wide, np.maximum(count, smallest), smallest)
        sizes.append(size(wide, np.where(is_wide, 1.0, node), p))
    return [size for size in sizes if size[2] > 0.0]
