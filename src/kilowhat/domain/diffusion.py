"""What an image or video diffusion model is made of, as far as running it is concerned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kilowhat.domain.architecture import Magnitude


@dataclass(frozen=True, slots=True)
class Kernels:
    """How a denoiser is computed where nobody publishes it, the same for all models.

    Attributes:
        element_bytes: bytes of an activation [B].
        head_multiple: attention pads heads to a multiple of this width [1].
        second_stream_launches: kernels that a stream for the text adds, of a block's own [1].
        second_attention_launches: kernels of a second attention, of a block's own [1].
        residual_block_launches: kernels of a residual block, of a transformer block's [1].
    """

    element_bytes: float
    head_multiple: float
    second_stream_launches: float
    second_attention_launches: float
    residual_block_launches: float


@dataclass(frozen=True, slots=True)
class DiffusionArchitecture:
    """A denoiser (a transformer, or a U-Net) and the decoder that turns latents into pixels.

    Attributes:
        name: the model's id.
        task: what it is asked for: text-to-image or text-to-video.
        layers: transformer blocks of the denoiser; 0 for a U-Net [1].
        heads: attention heads [1].
        head_width: numbers per head [1]; heads x head_width is the width of the stream.
        feed_forward_width: inner width of the feed-forward part, active experts together [1].
        feed_forward_matrices: 2, or 3 where it is gated [1].
        key_value_heads: heads of keys and values; fewer than ``heads`` where they are shared [1].
        two_stream_layers: blocks with weights of their own for the text [1].
        second_attention_layers: blocks with one more self-attention over the image [1].
        skip_layers: blocks that first merge the stream with an earlier one [1].
        linear_attention: whether attention costs grow linearly with the tokens.
        query_key_norm: whether queries and keys are normalised.
        rotary: whether positions are given by rotating queries and keys.
        text_tokens: tokens of the prompt that the denoiser sees, padding included [token].
        text_joins: whether the text runs through the layers beside the image; else the image
            looks at it through a separate cross-attention.
        token_px: edge of the square of pixels that one token stands for [pixel].
        latent_frames: frames that one latent frame stands for, after the first; 1 for images [1].
        patch_frames: latent frames that one token stands for [1].
        decoder: family of the decoder: kl-2d, kl-3d or dc-ae.
        decodes_everywhere: whether the usual sequence-parallel pipeline decodes on every
            accelerator instead of on one.
        guidance_passes: evaluations of the denoiser in one step by default: 2 with
            classifier-free guidance, else 1 [1].
        default_steps: denoising steps that its publisher or pipeline uses [1].
        default_width_px: width of its usual picture [pixel].
        default_height_px: height of its usual picture [pixel].
        default_frames: frames of its usual video; 1 for images [1].
        default_fps: frame rate of its usual video; 0 for images [1/s].
        kernels: how it is computed.
        channels: channels of a U-Net's levels, finest first; empty for a transformer [1].
        level_transformers: transformer blocks in each attention of those levels, then of the
            middle [1].
        level_blocks: residual blocks per level on the way down [1].
    """

    name: str
    task: str
    layers: float
    heads: float
    head_width: float
    feed_forward_width: float
    feed_forward_matrices: float
    key_value_heads: float
    two_stream_layers: float
    second_attention_layers: float
    skip_layers: float
    linear_attention: bool
    query_key_norm: bool
    rotary: bool
    text_tokens: float
    text_joins: bool
    token_px: float
    latent_frames: float
    patch_frames: float
    decoder: str
    decodes_everywhere: bool
    guidance_passes: float
    default_steps: float
    default_width_px: float
    default_height_px: float
    default_frames: float
    default_fps: float
    kernels: Kernels
    channels: tuple[float, ...] = ()
    level_transformers: tuple[float, ...] = ()
    level_blocks: float = 0.0

    @property
    def width(self) -> float:
        """Width of the residual stream [1]."""
        return self.heads * self.head_width


@dataclass(frozen=True, slots=True)
class MediaUse:
    """What is generated: one image or one video.

    Every number may be a float or a vector of draws [shape (n_draws,)].

    Attributes:
        width_px: width of the picture [pixel].
        height_px: height of the picture [pixel].
        frames: frames of a video; 1 for an image [1].
        steps: denoising steps [1].
        guidance_passes: evaluations of the denoiser in one step [1].
    """

    width_px: Magnitude
    height_px: Magnitude
    frames: Magnitude
    steps: Magnitude
    guidance_passes: Magnitude


@dataclass(frozen=True, slots=True)
class MediaHabits:
    """What deployments of image and video models usually do, where nothing is told.

    Attributes:
        most_images: images generated at once, at most [1].
        most_videos: videos generated at once, at most [1].
        most_ranks: accelerators that share a video, at most [1].
    """

    most_images: float
    most_videos: float
    most_ranks: float


@dataclass(frozen=True, slots=True)
class MediaDeployment:
    """The accelerators that generate one batch of images or videos together.

    Every number may be a float or a vector of draws [shape (n_draws,)].

    Attributes:
        batch: images or videos generated at once [1].
        ulysses: accelerators among which attention heads are exchanged [1].
        ring: accelerators among which keys and values go round [1]; ulysses x ring
            accelerators share each image or video.
        tdp_w: rated power of one accelerator [W].
        bandwidth_b_s: memory bandwidth of one accelerator [B/s].
        peak_flop_s: dense peak of one accelerator at the precision computed in [FLOP/s].
        link_b_s: bandwidth of the link between accelerators, both directions [B/s].
        compute_factor: reached share of the peak relative to the H100's [1].
        overhead_factor: fixed times relative to the H100's [1].
    """

    batch: Magnitude
    ulysses: Magnitude
    ring: Magnitude
    tdp_w: Magnitude
    bandwidth_b_s: Magnitude
    peak_flop_s: Magnitude
    link_b_s: Magnitude
    compute_factor: Magnitude = 1.0
    overhead_factor: Magnitude = 1.0
