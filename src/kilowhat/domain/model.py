"""A model: what is known of it before any use, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True)
class ParameterCount:
    """How many parameters: 5 %, 50 % and 95 % [1]; all equal when the count is published."""

    low: float
    central: float
    high: float

    @property
    def is_exact(self) -> bool:
        """Whether the count is published, not estimated."""
        return self.low == self.high


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the catalogue.

    Attributes:
        id: its key.
        name: as its provider writes it.
        provider: who made it.
        kind: text, image, video, audio, embedding or vision.
        is_open: whether the weights can be downloaded.
        total: all parameters; ``None`` when nobody has published or estimated them.
        active: parameters that one token uses; ``None`` like ``total``.
        architecture: key of its layout in `architectures.csv` or `diffusion.csv`; "" when the
            layout is not published.
        experts: routed experts per layer [1]; ``None`` when there are none or it is not known.
        takes_images: whether images may be given to it.
        takes_audio: whether sound may be given to it.
        takes_video: whether video may be given to it.
        is_reasoning: whether it writes reasoning tokens.
        precision: number format of the released weights; "" when not known.
        released: the day it came out.
        aliases: further names, with their Hugging Face ids.
        basis: measured, declared, modelled or assumed, of the parameter counts.
        source: key of the source of the parameter counts.
        locator: where in the source.
        note: how the counts came about, when that is not plain.
    """

    id: str
    name: str
    provider: str
    kind: str
    is_open: bool
    total: ParameterCount | None
    active: ParameterCount | None
    architecture: str
    experts: int | None
    takes_images: bool
    takes_audio: bool
    takes_video: bool
    is_reasoning: bool
    precision: str
    released: date | None
    aliases: tuple[str, ...]
    basis: str
    source: str
    locator: str
    note: str


@dataclass(frozen=True, slots=True)
class ModelClass:
    """A size class, for models about which nothing is published: ``--like`` and its ranges."""

    id: str
    label_en: str
    label_fr: str
    total: ParameterCount
    active: ParameterCount
    source: str
    locator: str
    note: str


@dataclass(frozen=True, slots=True)
class ModelMatch:
    """The model that a name means, and how the name was understood.

    Attributes:
        asked: the name as it was given.
        model: the model.
        how: exact, alias, dated alias or normalised.
        precision: number format that the name states, "" when it states none.
    """

    asked: str
    model: Model
    how: str
    precision: str
