"""Images and video: from the picture asked for to the energy of the accelerators.

A diffusion model turns noise into latents in a number of steps, each an evaluation of its
denoiser, and a decoder turns the latents into pixels.  ``workload`` counts what that takes,
``price`` says how long a given deployment needs for it, and at what power.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.domain.diffusion import MediaUse
from kilowhat.methods.denoiser import Workload, workload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from kilowhat.domain.architecture import Magnitude
    from kilowhat.domain.diffusion import DiffusionArchitecture, MediaDeployment, MediaHabits

    Vector = NDArray[np.float64]

_CAP_SHARPNESS = 12.0  # of a smooth minimum: a way of computing, not a fact


@dataclass(frozen=True, slots=True)
class Coefficients:
    """The fitted numbers of this method, one draw or a vector of joint draws of each.

    Attributes:
        gemm_efficiency: share of the peak that matrix products reach [1].
        attention_efficiency: the same for attention on one accelerator [1].
        attention_efficiency_split: the same when several share a picture [1].
        softmax_width: cost of the softmax, in numbers per head [1].
        compute_ratio_b200: efficiency of a B200 relative to an H100 [1].
        overhead_ratio_b200: fixed times of a B200 system relative to an H100 system [1].
        traffic_block: activations moved through memory by a block, in stream widths [1].
        traffic_feed_forward: the same per inner feed-forward width [1].
        traffic_attention: the same per attention [1].
        traffic_norm: the same for normalising queries and keys [1].
        traffic_rotary: the same for rotary positions [1].
        traffic_linear: the same for linear attention [1].
        traffic_joined: the same for joining and parting streams of text and image [1].
        layer_time_s: time that a block takes however small its work [s].
        layer_time_split_s: what is added when several accelerators share it [s].
        layer_time_ring_s: what each further member of a ring adds [s].
        ulysses_cost: exchange of heads, in multiples of the link's ideal time [1].
        ring_cost: passing keys and values round, likewise [1].
        decode_kl_2d_b_px: traffic of an image decoder [B/pixel].
        decode_dc_ae_b_px: traffic of a deep-compression decoder [B/pixel].
        decode_kl_3d_b_px: traffic of a video decoder, per frame [B/pixel].
        power_static: power of a waiting accelerator in the loop, of its rating [1].
        power_busy: what running any kernel adds [1].
        power_compute: what computing at peak would add [1].
        power_traffic: what memory traffic at full bandwidth would add [1].
        power_decode: power while decoding [1].
        power_wait: power while another accelerator decodes [1].
        knee: exponent that joins fixed and proportional times [1].
        power_cap: highest mean power, of the rating [1].
    """

    gemm_efficiency: Magnitude
    attention_efficiency: Magnitude
    attention_efficiency_split: Magnitude
    softmax_width: Magnitude
    compute_ratio_b200: Magnitude
    overhead_ratio_b200: Magnitude
    traffic_block: Magnitude
    traffic_feed_forward: Magnitude
    traffic_attention: Magnitude
    traffic_norm: Magnitude
    traffic_rotary: Magnitude
    traffic_linear: Magnitude
    traffic_joined: Magnitude
    layer_time_s: Magnitude
    layer_time_split_s: Magnitude
    layer_time_ring_s: Magnitude
    ulysses_cost: Magnitude
    ring_cost: Magnitude
    decode_kl_2d_b_px: Magnitude
    decode_dc_ae_b_px: Magnitude
    decode_kl_3d_b_px: Magnitude
    power_static: Magnitude
    power_busy: Magnitude
    power_compute: Magnitude
    power_traffic: Magnitude
    power_decode: Magnitude
    power_wait: Magnitude
    knee: Magnitude
    power_cap: Magnitude

    @classmethod
    def drawn(cls, table: Mapping[str, Vector], uniform: Vector) -> Coefficients:
        """Joint draws: the row of a bootstrap table that each uniform number points to.

        >>> table = {field.name: np.array([1.0, 2.0]) for field in fields(Coefficients)}
        >>> Coefficients.drawn(table, np.array([0.1, 0.9])).knee
        array([1., 2.])
        """
        names = [field.name for field in fields(cls)]
        rows = (uniform * len(table[names[0]])).astype(np.intp)
        return cls(**{name: table[name][rows] for name in names})


def price(
    architecture: DiffusionArchitecture,
    use: MediaUse,
    deployment: MediaDeployment,
    coefficients: Coefficients,
    residual: Magnitude = 1.0,
) -> tuple[Magnitude, Magnitude]:
    """Energy [J] and accelerator time [s] of one image or video, accelerators only.

    E = n·(t_steps·P_steps + t_decode·P_decode)/B

    The time of a step is the smooth maximum of what its blocks take at least and of the sum of
    arithmetic, memory traffic and exchange.  The text encoder is left out: it runs once, and
    takes under 2 % of the work of the models fitted.

    Args:
        architecture: what the model is made of.
        use: what is generated.
        deployment: on what, and how many at once.
        coefficients: fitted numbers, floats or vectors [shape (n_draws,)].
        residual: factor on energy and time for what the formula misses [1].

    Returns:
        Energy [J] and occupied accelerator-seconds [s] per image or video.

    Source: roofline (Williams, Waterman and Patterson 2009, 10.1145/1498765.1498785);
    sequence parallelism after Jacobs et al. 2023 (10.48550/arXiv.2309.14509) and Liu et al.
    2023 (10.48550/arXiv.2310.01889); coefficients of `data/inference/media_coefficients.csv`.

    >>> from kilowhat.domain.diffusion import MediaDeployment
    >>> from kilowhat.registry.diffusion import diffusion_architectures
    >>> from kilowhat.registry.resolve import Registry
    >>> drawn = Coefficients.drawn(Registry().joint("media_coefficients"), np.array([0.5]))
    >>> model = diffusion_architectures()["tencent/HunyuanVideo"]
    >>> h100 = MediaDeployment(1.0, 1.0, 1.0, 700.0, 3.35e12, 989.4e12, 900e9)
    >>> energy_j, time_s = price(model, default_use(model), h100, drawn)
    >>> bool(0.5 < energy_j[0] / (700.0 * time_s[0]) < 1.0)
    True
    """
    ranks = deployment.ulysses * deployment.ring
    work = workload(architecture, use, ranks)
    passes = deployment.batch * use.guidance_passes
    step_s, power = _step(work, passes, deployment, coefficients)
    decode_s = deployment.batch * _decode_s(architecture, work, deployment, coefficients)
    looped_s = use.steps * step_s
    decode_power = _capped(coefficients.power_decode, coefficients.power_cap)
    if not architecture.decodes_everywhere:
        decode_power = (decode_power + (ranks - 1.0) * coefficients.power_wait) / ranks
    scale = ranks * residual / deployment.batch
    energy_j = scale * deployment.tdp_w * (looped_s * power + decode_s * decode_power)
    return energy_j, scale * (looped_s + decode_s)


def _step(
    work: Workload, passes: Magnitude, deployment: MediaDeployment, c: Coefficients
) -> tuple[Magnitude, Magnitude]:
    """Duration of one denoising step [s], and mean power in it as a share of the rating [1]."""
    ranks = deployment.ulysses * deployment.ring
    split = np.where(ranks > 1, 1.0, 0.0)
    attention_flop = work.attention_score_flop * (work.head_width + c.softmax_width)
    attention_share = np.where(ranks > 1, c.attention_efficiency_split, c.attention_efficiency)
    reached = deployment.peak_flop_s * deployment.compute_factor
    compute_s = passes * (work.linear_flop / c.gemm_efficiency + attention_flop / attention_share)
    traffic_s = passes * _traffic(work, c) / deployment.bandwidth_b_s
    busy_s = compute_s / reached + traffic_s + passes * _exchange_s(work, deployment, c)
    per_layer = c.layer_time_s + split * c.layer_time_split_s
    per_layer = per_layer + (deployment.ring - 1.0) * c.layer_time_ring_s
    fixed_s = work.launches * deployment.overhead_factor * per_layer
    step_s = (busy_s**c.knee + fixed_s**c.knee) ** (1.0 / c.knee)
    computed = passes * (work.linear_flop + attention_flop) / deployment.peak_flop_s
    power = (
        c.power_static
        + (c.power_busy * busy_s + c.power_compute * computed + c.power_traffic * traffic_s)
        / step_s
    )
    return step_s, _capped(power, c.power_cap)


def _capped(power: Magnitude, cap: Magnitude) -> Magnitude:
    """A smooth minimum of power and its cap, both as shares of the rating [1]."""
    return power / (1.0 + (power / cap) ** _CAP_SHARPNESS) ** (1.0 / _CAP_SHARPNESS)


def _traffic(work: Workload, c: Coefficients) -> Magnitude:
    """Activations that pass through memory in one evaluation [B]."""
    return (
        c.traffic_block * work.block_bytes
        + c.traffic_feed_forward * work.feed_forward_bytes
        + c.traffic_attention * work.attention_bytes
        + c.traffic_norm * work.norm_bytes
        + c.traffic_rotary * work.rotary_bytes
        + c.traffic_linear * work.linear_bytes
        + c.traffic_joined * work.joined_bytes
    )


def _exchange_s(work: Workload, deployment: MediaDeployment, c: Coefficients) -> Magnitude:
    """Time of passing heads (four tensors) or keys and values (two) between accelerators [s]."""
    heads = 4.0 * c.ulysses_cost * (deployment.ulysses - 1.0) / deployment.ulysses
    round_trip = 2.0 * c.ring_cost * (deployment.ring - 1.0)
    return work.shared_bytes * (heads + round_trip) / (deployment.link_b_s / 2.0)


def _decode_s(
    architecture: DiffusionArchitecture,
    work: Workload,
    deployment: MediaDeployment,
    c: Coefficients,
) -> Magnitude:
    """Time in which one accelerator decodes one image or video [s]."""
    per_px = {
        "kl-2d": c.decode_kl_2d_b_px,
        "dc-ae": c.decode_dc_ae_b_px,
        "kl-3d": c.decode_kl_3d_b_px,
    }[architecture.decoder]
    reached = deployment.bandwidth_b_s * deployment.compute_factor
    return work.decoded_px * per_px / reached


def batching(
    task: str,
    uniform: Callable[[str], Vector],
    usual: MediaHabits,
    count: Magnitude | None = None,
    batch: Magnitude | None = None,
    ulysses: Magnitude | None = None,
    ring: Magnitude | None = None,
) -> tuple[Magnitude, Magnitude, Magnitude]:
    """Batch, Ulysses and ring degrees [1, 1, 1]: as stated, else drawn from what is usual.

    batch = 2^u, u uniform over 0 … log2(most at once); likewise the ranks of a video

    An image is taken to run on one accelerator, the heads of a video to be exchanged among
    several (at most ``count``).

    Args:
        task: text-to-image or text-to-video.
        uniform: stream of uniform numbers by key, each of shape (n_draws,).
        usual: how many are generated at once, and on how many accelerators, at most.
        count: accelerators at hand [1].
        batch: images or videos generated at once [1].
        ulysses: degree of head exchange [1].
        ring: degree of ring attention [1].

    Source: `media.serving.*` in `data/factors/media.csv`, assumed within the ranges of the
    measurements fitted on (ML.ENERGY benchmark v3).

    >>> from kilowhat.domain.diffusion import MediaHabits
    >>> usual = MediaHabits(16.0, 2.0, 8.0)
    >>> batching("text-to-image", lambda key: np.array([0.1, 0.9]), usual, batch=4.0)
    (4.0, 1.0, 1.0)
    """
    is_video = task == "text-to-video"
    if batch is None:
        widest = np.log2(usual.most_videos if is_video else usual.most_images)
        batch = 2.0 ** np.floor(uniform("media.batch") * (widest + 1.0))
    if ulysses is not None or ring is not None:
        return batch, 1.0 if ulysses is None else ulysses, 1.0 if ring is None else ring
    if not is_video:
        return batch, 1.0, 1.0
    ranks = usual.most_ranks
    most = np.log2(ranks if count is None else np.minimum(count, ranks))
    return batch, 2.0 ** np.floor(uniform("media.ranks") * (np.floor(most) + 1.0)), 1.0


def accelerator_factors(
    kind: str | None, coefficients: Coefficients, unmeasured: Magnitude
) -> tuple[Magnitude, Magnitude]:
    """Reached peak and fixed times of an accelerator relative to the H100's [1, 1].

    Args:
        kind: kind of accelerator, as in `data/inference/kinds.csv`; None for one that was
            never measured, and is like none that was.
        coefficients: fitted numbers [1].
        unmeasured: reached peak of an accelerator that was never measured, relative to
            the H100's: draws of ``media.unmeasured.compute_ratio`` [1].

    Source: fit on H100 and B200 (ML.ENERGY benchmark v3).

    >>> one = Coefficients(*(0.5 for _ in fields(Coefficients)))
    >>> accelerator_factors("hopper", one, 0.9), accelerator_factors(None, one, 0.9)
    ((1.0, 1.0), (0.9, 1.0))
    """
    if kind == "hopper":
        return 1.0, 1.0
    if kind == "blackwell":
        return coefficients.compute_ratio_b200, coefficients.overhead_ratio_b200
    return unmeasured, 1.0


def default_use(
    architecture: DiffusionArchitecture,
    width_px: Magnitude | None = None,
    height_px: Magnitude | None = None,
    frames: Magnitude | None = None,
    steps: Magnitude | None = None,
    guidance_passes: Magnitude | None = None,
) -> MediaUse:
    """What is generated: as stated, else the model's own published defaults.

    Args:
        architecture: the model.
        width_px: width of the picture [pixel].
        height_px: height of the picture [pixel].
        frames: frames of a video [1].
        steps: denoising steps [1].
        guidance_passes: evaluations of the denoiser in one step [1].

    Source: default settings of each model, `data/diffusion.csv`.

    >>> from kilowhat.registry.diffusion import diffusion_architectures
    >>> default_use(diffusion_architectures()["zai-org/CogVideoX-2b"], steps=20.0).frames
    49.0
    """
    a = architecture
    return MediaUse(
        width_px=a.default_width_px if width_px is None else width_px,
        height_px=a.default_height_px if height_px is None else height_px,
        frames=a.default_frames if frames is None else frames,
        steps=a.default_steps if steps is None else steps,
        guidance_passes=a.guidance_passes if guidance_passes is None else guidance_passes,
    )
