"""How a model is served: the machines, and what they are busy with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from kilowhat.domain.architecture import Magnitude


@dataclass(frozen=True, slots=True)
class Deployment:
    """One serving unit: the accelerators that together hold the model and share its batch.

    Every number may be a float or a vector of draws [shape (n_draws,)].

    Attributes:
        kind: deployment class, the key of host, idle, utilisation and lifetime factors:
            hyperscale, endpoint, on-premises or own-machine.
        accelerators: ids of the accelerators that occur among the draws.
        which: index into them, one for all draws or one per draw [1].
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
        chunk_tokens: prompt tokens that one step can take in [token].
        node_size: accelerators that tensor parallelism spans at most [1]; beyond, sequences
            are dealt out.
        state_bytes: stored bytes per number of a recurrent state [B].
        reduced_bytes: bytes exchanged in a layer per number of a token's stream [B].
        patches_per_token: image patches that become one token of the prompt [1].
        bandwidth_factor: reached bandwidth relative to that of the fitted accelerator [1].
        compute_factor: reached peak relative to that of the fitted accelerator [1].
        expert_factor: the same for reading experts, precision included [1].
        overhead_factor: fixed times relative to those of the fitted accelerator [1].
        expert_layer_factor: fixed time per layer with experts relative to 16-bit weights [1].
        tokens_per_step: tokens that one decoding step yields per sequence; above 1 with
            speculative decoding or multi-token prediction [1].
        work_per_step: tokens computed per sequence and step, draft included [1].
        generation_factor: energy and time relative to the serving software fitted on [1].
        warnings: what a reader should be told about how this deployment was arrived at.
    """

    kind: str
    accelerators: tuple[str, ...]
    which: NDArray[np.intp] | int
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
    chunk_tokens: Magnitude
    node_size: float
    state_bytes: float
    reduced_bytes: float
    patches_per_token: float
    bandwidth_factor: Magnitude = 1.0
    compute_factor: Magnitude = 1.0
    expert_factor: Magnitude = 1.0
    overhead_factor: Magnitude = 1.0
    expert_layer_factor: Magnitude = 1.0
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
        length_variety: E[T^2] / E[T]^2 of the generated length; 1, all equal, unless told [1].
        images: images in the prompt, mean [1].
        videos: videos in the prompt, mean [1].
    """

    fresh_tokens: Magnitude
    cached_tokens: Magnitude
    output_tokens: Magnitude
    length_variety: Magnitude = 1.0
    images: Magnitude = 0.0
    videos: Magnitude = 0.0


@dataclass(frozen=True, slots=True)
class Accelerator:
    """What a datasheet says of an accelerator.

    Attributes:
        id: its id, such as h100-sxm.
        tdp_w: rated power [W].
        memory_b: memory [B].
        bandwidth_b_s: memory bandwidth [B/s].
        link_b_s: link to its neighbours, both directions; 0 when none is published [B/s].
        peak_flop_s: dense peak by precision: bf16, fp8, fp4, int8 where published [FLOP/s].
    """

    id: str
    tdp_w: Magnitude
    memory_b: float
    bandwidth_b_s: float
    link_b_s: float
    peak_flop_s: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Precision:
    """How weights are stored and multiplied.

    Attributes:
        id: bf16, fp8, mxfp4, int4 ...
        dense_bytes: stored bytes per dense weight [B].
        expert_bytes: stored bytes per expert weight [B].
        embedding_bytes: stored bytes per weight of embeddings and image encoder [B].
        arithmetic: the peak that multiplications use: bf16, fp8 or fp4.
        needs: the peak without which an accelerator does not take it; bf16 for any.
        fitted: which fitted factors apply: fp8, mxfp4 or none.
    """

    id: str
    dense_bytes: float
    expert_bytes: float
    embedding_bytes: float
    arithmetic: str
    needs: str
    fitted: str


@dataclass(frozen=True, slots=True)
class DeploymentPrior:
    """What is believed of a deployment before anything is known of it.

    Attributes:
        id: key of its factors, `deployment.<id>.*`, and of its draws.
        kind: deployment class: hyperscale, endpoint, on-premises or own-machine.
        accelerators: accelerator ids with their weights [1].
        precisions: stored precisions with their weights [1].
        unit_sizes: multiples of the smallest unit that holds the model, with weights [1].
        wide_units: sizes of wide expert-parallel units with weights; empty without any [1].
        ranges: low, central, high and shape of the numbers, by the last segment of their id:
            concurrency (per accelerator, or per unit) [1], input_tokens, output_tokens [token],
            cached_share, length_variety, generation_factor [1].
        is_per_accelerator: whether concurrency counts sequences per accelerator.
        speculative_share: share of deployments with speculative decoding [1].
    """

    id: str
    kind: str
    accelerators: tuple[tuple[str, float], ...]
    precisions: tuple[tuple[str, float], ...]
    unit_sizes: tuple[tuple[float, float], ...]
    wide_units: tuple[tuple[float, float], ...]
    ranges: Mapping[str, tuple[float, float, float, str]]
    is_per_accelerator: bool
    speculative_share: float


@dataclass(frozen=True, slots=True)
class KnownDeployment:
    """What a user or a log tells of a deployment; None where nothing is told.

    Attributes:
        accelerator: accelerator id.
        count: accelerators that hold one copy of the model [1].
        concurrency: sequences in flight on them, mean [1].
        precision: bf16, fp16, fp8, int8, mxfp4, fp4, nvfp4, int4, q4 ...
        tokens_per_second: output tokens that one client sees each second [token/s].
        serving: online or offline.
        year: when; serving software of 2024 used more energy than today's [a].
        native_precision: the precision in which the model's weights are published.
        lengths: mean fresh, cached and output tokens, images and videos of the calls.
    """

    accelerator: str | None = None
    count: float | None = None
    concurrency: float | None = None
    precision: str | None = None
    tokens_per_second: float | None = None
    serving: str | None = None
    year: int | None = None
    native_precision: str | None = None
    lengths: tuple[float, float, float, float, float] | None = None
