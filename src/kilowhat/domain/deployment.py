"""How a model is served: the machines, and what they are busy with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kilowhat.domain.architecture import Magnitude


@dataclass(frozen=True, slots=True)
class Deployment:
    """One serving unit: the accelerators that together hold the model and share its batch.

    Every number may be a float or a vector of draws [shape (n_draws,)].

    Attributes:
        kind: deployment class, the key of host, idle, utilisation and lifetime factors:
            hyperscale, endpoint, on-premises or own-machine.
        accelerators: ids of the accelerators that occur among the draws.
        count: accelerators in the unit [1].
        data_parallel: ranks that each hold all dense weights and their own sequences [1].
        concurrency: sequences in flight in the unit, mean [1].
        tdp_w: rated power of one accelerator [W].
        bandwidth_b_s: memory bandwidth of one accelerator [B/s].
        peak_flop_s: dense peak of one accelerator at the precision computed in [FLOP/s].
        link_b_s: bandwidth of the link between accelerators, both directions [B/s].
        dense_bytes: stored bytes per dense weight [B].
        expert_bytes: stored bytes per expert weight [B].
        cache_bytes: stored bytes per number of the key-value cache [B].
        bandwidth_factor: reached bandwidth relative to that of the fitted accelerator [1].
        compute_factor: reached peak relative to that of the fitted accelerator [1].
        expert_factor: the same for reading experts, precision included [1].
        overhead_factor: fixed times relative to those of the fitted accelerator [1].
        tokens_per_step: tokens that one decoding step yields per sequence; above 1 with
            speculative decoding or multi-token prediction [1].
        work_per_step: tokens computed per sequence and step, draft included [1].
        generation_factor: energy and time relative to the serving software fitted on [1].
        warnings: what a reader should be told about how this deployment was arrived at.
    """

    kind: str
    accelerators: tuple[str, ...]
    count: Magnitude
    data_parallel: Magnitude
    concurrency: Magnitude
    tdp_w: Magnitude
    bandwidth_b_s: Magnitude
    peak_flop_s: Magnitude
    link_b_s: Magnitude
    dense_bytes: Magnitude
    expert_bytes: Magnitude
    cache_bytes: Magnitude
    bandwidth_factor: Magnitude = 1.0
    compute_factor: Magnitude = 1.0
    expert_factor: Magnitude = 1.0
    overhead_factor: Magnitude = 1.0
    tokens_per_step: Magnitude = 1.0
    work_per_step: Magnitude = 1.0
    generation_factor: Magnitude = 1.0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The mean call that a deployment is busy with.

    Every number may be a float or a vector of draws [shape (n_draws,)].

    Attributes:
        fresh_tokens: prompt tokens not found in a cache, mean [token].
        cached_tokens: prompt tokens found in a cache, mean [token].
        output_tokens: generated tokens, reasoning included, mean [token].
        length_variety: E[T^2] / E[T]^2 of the generated length; 1 when all are equal [1].
        images: images in the prompt, mean [1].
        videos: videos in the prompt, mean [1].
    """

    fresh_tokens: Magnitude
    cached_tokens: Magnitude
    output_tokens: Magnitude
    length_variety: Magnitude = 1.5
    images: Magnitude = 0.0
    videos: Magnitude = 0.0
