"""What the energy of a call is linear in, and the fitted coefficients of a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from kilowhat.domain.architecture import Magnitude
    from kilowhat.domain.deployment import OperatingPoint

Vector: TypeAlias = NDArray[np.float64]

FEATURES: tuple[str, ...] = (
    "fresh_tokens",
    "output_tokens",
    "input_x_output",
    "output_squared",
    "input_squared_minus_cached_squared",
    "images",
    "videos",
    "images_x_output",
    "videos_x_output",
)
(
    FRESH,
    OUTPUT,
    INPUT_X_OUTPUT,
    OUTPUT_SQUARED,
    PREFILL_CONTEXT,
    IMAGES,
    VIDEOS,
    IMAGES_X_OUTPUT,
    VIDEOS_X_OUTPUT,
) = range(len(FEATURES))


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Fitted coefficients of the step, drawn jointly.

    Every number may be a float or a vector of draws [shape (n_draws,)].

    Attributes:
        idle_power: power of an accelerator that waits for work, over its TDP [1].
        memory_power: power added at full memory bandwidth, over TDP [1].
        compute_power: power added at full arithmetic peak, over TDP [1].
        power_exponent: exponent of the utilisations in the power [1].
        dense_bandwidth: reached share of the bandwidth, dense weights [1].
        expert_bandwidth: reached share of the bandwidth, expert weights [1].
        cache_bandwidth: reached share of the bandwidth, key-value cache [1].
        state_bandwidth: reached share of the bandwidth, recurrent state [1].
        compute_peak: reached share of the arithmetic peak [1].
        layer_s: fixed time per layer and step [s].
        sequence_s: host time per sequence and step [s].
        link_layer_s: fixed time per layer and step for talk between accelerators [s].
        link_bandwidth: reached share of half the link bandwidth [1].
        expert_spread: exponent on the tokens of a step when counting experts hit [1].
        overlap: exponent p of the overlap of memory and arithmetic [1].
        image_tokens: prompt tokens of one image [token].
        video_tokens: prompt tokens of one video [token].
        image_s: time per image, in which the unit does nothing else [s].
        video_s: time per video, in which the unit does nothing else [s].
    """

    idle_power: Magnitude
    memory_power: Magnitude
    compute_power: Magnitude
    power_exponent: Magnitude
    dense_bandwidth: Magnitude
    expert_bandwidth: Magnitude
    cache_bandwidth: Magnitude
    state_bandwidth: Magnitude
    compute_peak: Magnitude
    layer_s: Magnitude
    sequence_s: Magnitude
    link_layer_s: Magnitude
    link_bandwidth: Magnitude
    expert_spread: Magnitude
    overlap: Magnitude
    image_tokens: Magnitude
    video_tokens: Magnitude
    image_s: Magnitude
    video_s: Magnitude


@dataclass(frozen=True, slots=True)
class Corrections:
    """Fitted factors on the coefficients, by precision and kind of accelerator, drawn jointly.

    Every number may be a float or a vector of draws [shape (n_draws,)]; the reference is
    16-bit weights on an H100.

    Attributes:
        fp8_compute: reached share of the fp8 peak over that of the bf16 peak [1].
        fp8_experts: bandwidth reached on fp8 experts over that on bf16 ones [1].
        fp8_layers: fixed time per layer of expert models in fp8 over that in bf16 [1].
        mxfp4_experts: bandwidth reached on mxfp4 experts over that on bf16 ones [1].
        blackwell_bandwidth: reached share of the bandwidth on B200 over that on H100 [1].
        blackwell_compute: reached share of the peak on B200 over that on H100 [1].
        blackwell_overhead: fixed times on B200 over those on H100 [1].
    """

    fp8_compute: Magnitude
    fp8_experts: Magnitude
    fp8_layers: Magnitude
    mxfp4_experts: Magnitude
    blackwell_bandwidth: Magnitude
    blackwell_compute: Magnitude
    blackwell_overhead: Magnitude


def features(
    input_tokens: Magnitude,
    cached_tokens: Magnitude,
    output_tokens: Magnitude,
    images: Magnitude = 0.0,
    videos: Magnitude = 0.0,
) -> Vector:
    """The numbers that the energy of one call is linear in, in the order of FEATURES.

    Args:
        input_tokens: prompt tokens, cached ones included [token].
        cached_tokens: prompt tokens found in a cache [token].
        output_tokens: generated tokens, reasoning included [token].
        images: images in the prompt [1].
        videos: videos in the prompt [1].

    Returns:
        Vector [token, token, token^2, token^2, token^2, 1, 1, token, token],
        shape (len(FEATURES),); for vectors over calls, shape (len(FEATURES), n_calls).

    Source: what `kilowhat.methods.roofline.loads` is linear in: the matrix products of a
    transformer go with its tokens, attention with pairs of tokens (Vaswani et al. 2017,
    10.48550/arXiv.1706.03762). Sums of these vectors price a whole log.

    >>> features(500, 200, 300).tolist()[:3]
    [300.0, 300.0, 150000.0]
    """
    terms = products(input_tokens, cached_tokens, output_tokens, images, videos)
    return np.array(terms, dtype=np.float64)


def products(whole: Any, cached: Any, output: Any, images: Any, videos: Any) -> tuple[Any, ...]:
    """The features of a call, in the order of FEATURES, of anything that adds and multiplies.

    Numbers, vectors, columns of a data frame, or expressions of a query language: the sums of a
    log are these, summed, so that they are defined once.

    Args:
        whole: prompt tokens, cached ones included [token].
        cached: prompt tokens found in a cache [token].
        output: generated tokens, reasoning included [token].
        images: images in the prompt [1].
        videos: videos in the prompt [1].

    Source: as `features`.

    >>> products(500, 200, 300, 0, 0)[:4]
    (300, 300, 150000, 90000)
    """
    return (
        whole - cached,
        output,
        whole * output,
        output * output,
        whole * whole - cached * cached,
        images,
        videos,
        images * output,
        videos * output,
    )


def mean_features(point: OperatingPoint) -> list[Magnitude]:
    """The features of the mean call of an operating point, its length variety included.

    E[T_out²] = variety·E[T_out]², the others as in `features`

    Args:
        point: the mean call [token, 1]; its numbers may be draws [shape (n_draws,)].

    Returns:
        A list over FEATURES of floats or vectors of draws
        [token, token, token^2, token^2, token^2, 1, 1, token, token].

    Source: definition of the second moment (JCGM 101, 3.6).

    >>> from kilowhat.domain.deployment import OperatingPoint
    >>> mean_features(OperatingPoint(300.0, 0.0, 100.0, 1.5))[3]
    15000.0
    """
    whole = point.fresh_tokens + point.cached_tokens
    out = point.output_tokens
    return [
        point.fresh_tokens,
        out,
        whole * out,
        point.length_variety * out * out,
        whole * whole - point.cached_tokens * point.cached_tokens,
        point.images,
        point.videos,
        point.images * out,
        point.videos * out,
    ]
