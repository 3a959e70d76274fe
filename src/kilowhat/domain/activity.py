"""Activity data: what was done with a model, where and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True)
class Activity:
    """One kind of use of a model, ``calls`` times; ``None`` means not stated.

    Tokens are counted per call: ``input_tokens`` includes the ``cached_tokens`` read from a
    prompt cache, ``output_tokens`` includes the ``reasoning_tokens``.
    """

    model: str | None = None
    input_tokens: float | None = None
    cached_tokens: float = 0.0
    output_tokens: float | None = None
    reasoning_tokens: float = 0.0
    images_in: float = 0.0
    videos_in: float = 0.0
    audio_in_s: float = 0.0
    audio_out_s: float = 0.0
    images: float = 0.0
    video_s: float = 0.0
    frames: float | None = None
    fps: float | None = None
    width_px: int | None = None
    height_px: int | None = None
    steps: float | None = None
    ulysses: int | None = None
    ring: int | None = None
    calls: float = 1.0
    provider: str | None = None
    zone: str | None = None
    region: str | None = None
    when: date | None = None
    tokens_per_second: float | None = None
    accelerator: str | None = None
    count: int | None = None
    concurrency: float | None = None
    precision: str | None = None
    serving: str = "online"
    parameters: float | None = None
    active: float | None = None
    like: str | None = None
