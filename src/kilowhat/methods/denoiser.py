"""What one evaluation of a denoiser takes: arithmetic, memory traffic, exchange, launches."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from kilowhat.domain.architecture import Magnitude
    from kilowhat.domain.diffusion import DiffusionArchitecture, MediaUse

_KERNEL = 9.0  # weights of a 3x3 convolution per pair of channels: a definition


class Workload(NamedTuple):
    """What one evaluation of the denoiser takes for one picture or video, on each accelerator.

    Every number may be a float or a vector of draws [shape (n_draws,)].

    Attributes:
        linear_flop: matrix products and convolutions [FLOP].
        attention_score_flop: attention per unit of (padded) head width [FLOP].
        head_width: that padded width [1].
        block_bytes: stream width x tokens, summed over blocks [B].
        feed_forward_bytes: inner feed-forward width x tokens, likewise [B].
        attention_bytes: stream width x tokens, summed over attentions [B].
        norm_bytes: the same where queries and keys are normalised [B].
        rotary_bytes: the same where positions rotate them [B].
        linear_bytes: the same where attention is linear [B].
        joined_bytes: the same where a stream of the text is joined to the image's [B].
        shared_bytes: what an attention exchanges with other accelerators, each of q, k, v [B].
        launches: blocks run one after another [1].
        decoded_px: pixels that come out of the decoder in the end [pixel].
    """

    linear_flop: Magnitude
    attention_score_flop: Magnitude
    head_width: Magnitude
    block_bytes: Magnitude
    feed_forward_bytes: Magnitude
    attention_bytes: Magnitude
    norm_bytes: Magnitude
    rotary_bytes: Magnitude
    linear_bytes: Magnitude
    joined_bytes: Magnitude
    shared_bytes: Magnitude
    launches: Magnitude
    decoded_px: Magnitude


def image_tokens(architecture: DiffusionArchitecture, use: MediaUse) -> Magnitude:
    """Tokens that the picture or video is cut into, the prompt apart [token].

    tokens = ceil(width/p)·ceil(height/p)·ceil((1 + floor((frames − 1)/t))/q)

    Args:
        architecture: the model: edge p of a token [pixel], frames t of a latent frame [1], latent
            frames q of a token [1].
        use: what is generated [pixel, 1]; its numbers may be draws [shape (n_draws,)].

    Source: patch sizes and compression of each model's own configuration, `data/diffusion.csv`.

    >>> from kilowhat.domain.diffusion import MediaUse
    >>> from kilowhat.registry.diffusion import diffusion_architectures
    >>> model = diffusion_architectures()["tencent/HunyuanVideo"]
    >>> float(image_tokens(model, MediaUse(1280.0, 720.0, 129.0, 50.0, 1.0)))
    118800.0
    """
    latent = 1 + np.floor((use.frames - 1) / architecture.latent_frames)
    side = architecture.token_px
    tokens: Magnitude = (
        np.ceil(use.width_px / side)
        * np.ceil(use.height_px / side)
        * np.ceil(latent / architecture.patch_frames)
    )
    return tokens


def workload(architecture: DiffusionArchitecture, use: MediaUse, ranks: Magnitude) -> Workload:
    """What one denoising pass takes on each of ``ranks`` accelerators that share a picture [1].

    linear = 2·w²·(4 + 2·[cross-attention] + feed-forward)·tokens per block

    attention = 4·w·tokens² per block, or 4·w·head·tokens where it is linear

    Args:
        architecture: the model, of width w [1].
        use: what is generated [pixel, 1]; its numbers may be draws [shape (n_draws,)].
        ranks: accelerators that share it [1].

    Returns:
        Arithmetic [FLOP], traffic [B] and launches [1] on each of the accelerators.

    Source: Vaswani et al. 2017 (10.48550/arXiv.1706.03762) for the terms; Peebles and Xie 2023
    (10.1109/ICCV51070.2023.00387) for diffusion transformers.

    >>> from kilowhat.domain.diffusion import MediaUse
    >>> from kilowhat.registry.diffusion import diffusion_architectures
    >>> model = diffusion_architectures()["black-forest-labs/FLUX.1-dev"]
    >>> work = workload(model, MediaUse(1024.0, 1024.0, 1.0, 50.0, 1.0), 1.0)
    >>> round(float(work.linear_flop) / 1e12, 1)
    59.5
    """
    if architecture.channels:
        return _unet_workload(architecture, use, ranks)
    return _transformer_workload(architecture, use, ranks)


def _transformer_workload(a: DiffusionArchitecture, use: MediaUse, ranks: Magnitude) -> Workload:
    image = image_tokens(a, use)
    joint = a.text_tokens if a.text_joins else 0.0
    crossed = 0.0 if a.text_joins else a.text_tokens
    # A prompt that cannot be cut evenly is computed whole on every accelerator.
    text = np.where(np.mod(joint, ranks) == 0, joint / ranks, joint)
    tokens = image / ranks + text
    width, second = a.width, a.second_attention_layers
    shared = a.key_value_heads / a.heads
    stream = a.kernels.element_bytes * width * tokens
    blocks = a.layers * stream + a.kernels.element_bytes * width * second * image / ranks
    score = 4.0 * a.heads * _scores(a, image, joint, crossed) / ranks
    per_token = 2.0 + 2.0 * shared + a.feed_forward_matrices * a.feed_forward_width / width
    per_token = a.layers * (per_token + (2.0 if crossed else 0.0)) + 2.0 * a.skip_layers
    per_image = 4.0 * second
    linear = per_token * tokens + per_image * image / ranks + 2.0 * a.layers * crossed
    return Workload(
        linear_flop=2.0 * width**2 * linear,
        attention_score_flop=score,
        head_width=_padded(a),
        block_bytes=a.layers * stream,
        feed_forward_bytes=a.layers
        * stream
        * (a.feed_forward_matrices - 1.0)
        * a.feed_forward_width
        / width,
        attention_bytes=blocks + (a.layers * stream if crossed else 0.0),
        norm_bytes=blocks * a.query_key_norm,
        rotary_bytes=a.layers * stream * a.rotary,
        linear_bytes=a.layers * stream * a.linear_attention,
        joined_bytes=a.two_stream_layers * stream,
        shared_bytes=a.kernels.element_bytes
        * width
        * (a.layers * (image + joint) + second * image)
        / ranks,
        launches=a.layers
        + a.kernels.second_stream_launches * a.two_stream_layers
        + a.kernels.second_attention_launches * second,
        decoded_px=use.width_px * use.height_px * use.frames,
    )


def _scores(a: DiffusionArchitecture, image: Magnitude, joint: float, crossed: float) -> Magnitude:
    """Pairs of tokens that attend to each other, over all blocks [1]."""
    full = image + joint
    own = full * a.head_width if a.linear_attention else full * full
    return a.layers * (own + image * crossed) + a.second_attention_layers * image * image


def _padded(a: DiffusionArchitecture) -> float:
    return a.kernels.head_multiple * math.ceil(a.head_width / a.kernels.head_multiple)


def _unet_workload(a: DiffusionArchitecture, use: MediaUse, ranks: Magnitude) -> Workload:
    """The same for a U-Net: residual blocks and transformers at several resolutions.

    On the way down each level has ``level_blocks`` residual blocks, on the way up one more,
    and their inputs there are joined with what the way down left; the middle has two.
    """
    latents = (use.width_px / a.token_px) * (use.height_px / a.token_px) / ranks
    linear: Magnitude = 0.0
    score: Magnitude = 0.0
    blocks: Magnitude = 0.0
    attention: Magnitude = 0.0
    launches = 0.0
    for level, channels in enumerate(a.channels):
        tokens = latents / 4.0**level
        places, transformers = _transformers(a, level)
        # Two attentions less the keys and values of the prompt, a gated feed-forward part.
        products = transformers * (4.0 + 2.0 + 12.0) + places * 2.0
        per_pixel = _KERNEL * _convolved(a, level) + products * channels**2
        linear = linear + 2.0 * tokens * per_pixel
        pairs = tokens * tokens * ranks + tokens * a.text_tokens
        score = score + 4.0 * transformers * channels / a.head_width * pairs
        stream = a.kernels.element_bytes * channels * tokens
        residual_blocks = 2.0 * a.level_blocks + 1.0 + 2.0 * _is_last(a, level)
        blocks = blocks + stream * (residual_blocks + transformers)
        attention = attention + stream * transformers
        launches += a.kernels.residual_block_launches * residual_blocks + transformers
    return Workload(
        linear_flop=linear,
        attention_score_flop=score,
        head_width=_padded(a),
        block_bytes=blocks,
        feed_forward_bytes=attention * 8.0,
        attention_bytes=attention * 2.0,
        norm_bytes=0.0,
        rotary_bytes=0.0,
        linear_bytes=0.0,
        joined_bytes=0.0,
        shared_bytes=attention,
        launches=launches,
        decoded_px=use.width_px * use.height_px * use.frames,
    )


def _is_last(a: DiffusionArchitecture, level: int) -> bool:
    return level == len(a.channels) - 1


def _transformers(a: DiffusionArchitecture, level: int) -> tuple[float, float]:
    """Places with attention at a level, and transformer blocks there, the middle's too [1, 1]."""
    depth = a.level_transformers[level]
    places = (2.0 * a.level_blocks + 1.0) if depth else 0.0
    blocks = places * depth
    middle = a.level_transformers[-1] if _is_last(a, level) else 0.0
    return places + (1.0 if middle else 0.0), blocks + middle


def _convolved(a: DiffusionArchitecture, level: int) -> float:
    """Products of channels in the 3x3 convolutions of a level, per latent pixel there [1]."""
    own = a.channels[level]
    finer = a.channels[max(level - 1, 0)]
    coarser = a.channels[min(level + 1, len(a.channels) - 1)]
    down = finer * own + own * own + (a.level_blocks - 1.0) * 2.0 * own * own
    up_inputs = [coarser + own, *[2.0 * own] * int(a.level_blocks - 1), own + finer]
    up = sum(width * own + own * own for width in up_inputs)
    if _is_last(a, level):
        return down + up + 4.0 * own * own
    return down + up + own * own / 4.0 + coarser * coarser
