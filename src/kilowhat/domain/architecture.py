"""What a language model is made of, as far as the energy of running it is concerned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Magnitude: TypeAlias = float | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A transformer (or hybrid) seen from outside: what it reads and computes for a token.

    Every number may be a float or a vector of draws [shape (n_draws,)]: the size of an
    undisclosed model is a distribution.

    Attributes:
        name: the model's id, or what the architecture was made from.
        layers: decoder layers [1].
        hidden: width of the residual stream [1].
        dense_parameters: weights that every token passes through: attention, dense and
            shared feed-forward, router, output head [1].
        expert_parameters: weights of all routed experts together; 0 for a dense model [1].
        expert_layers: layers that have routed experts [1].
        experts: routed experts per layer; 1 for a dense model [1].
        experts_per_token: routed experts that one token uses; 1 for a dense model [1].
        embedding_parameters: weights in memory that no step reads whole [1].
        attention_layers: layers whose attention sees the whole context [1].
        window_layers: layers whose attention sees a sliding window [1].
        window_tokens: the length of that window [token].
        cache_elements: numbers kept per token and attention layer (keys and values, or
            the latent vector) [1].
        cache_shards: the number of accelerators over which the cache of one sequence can
            be split: key-value heads; 1 for latent attention [1].
        decode_attention_flop: operations per generated token, per context token and
            attention layer [FLOP].
        prefill_attention_flop: the same while a prompt is read [FLOP].
        state_elements: recurrent state of one sequence, all layers; 0 without one [1].
        vision_parameters: weights of the image encoder; 0 without one [1].
    """

    name: str
    layers: Magnitude
    hidden: Magnitude
    dense_parameters: Magnitude
    expert_parameters: Magnitude
    expert_layers: Magnitude
    experts: Magnitude
    experts_per_token: Magnitude
    embedding_parameters: Magnitude
    attention_layers: Magnitude
    window_layers: Magnitude
    window_tokens: Magnitude
    cache_elements: Magnitude
    cache_shards: Magnitude
    decode_attention_flop: Magnitude
    prefill_attention_flop: Magnitude
    state_elements: Magnitude
    vision_parameters: Magnitude


@dataclass(frozen=True, slots=True)
class TypicalLayout:
    """How models of one kind, dense or mixtures of experts, are usually laid out.

    Every number may be a float or a vector of draws [shape (n_draws,)].

    Attributes:
        hidden: width of the stream of a model of 1e10 active weights [1].
        hidden_exponent: exponent of the active weights in the width [1].
        layers: decoder layers of a model of 1e10 active weights [1].
        layers_exponent: exponent of the active weights in the layers [1].
        cache_elements: numbers kept per token and layer, the mean over all layers [1].
        cache_shards: key-value heads [1].
        prefill_width: width of the attention over that of the stream, reading a prompt [1].
        decode_width: the same while generating, where a latent cache widens it [1].
        routed_share: share of the active weights that are routed experts [1].
        experts_per_token: routed experts that one token uses [1].
    """

    hidden: Magnitude
    hidden_exponent: Magnitude
    layers: Magnitude
    layers_exponent: Magnitude
    cache_elements: Magnitude
    cache_shards: Magnitude
    prefill_width: Magnitude
    decode_width: Magnitude
    routed_share: Magnitude
    experts_per_token: Magnitude


@dataclass(frozen=True, slots=True)
class TypicalLayouts:
    """The usual layouts of the two kinds, and where one ends.

    Attributes:
        dense: models of which every token uses (nearly) all weights.
        mixture: mixtures of experts.
        mixture_share: active over total weights below which a model is a mixture [1].
    """

    dense: TypicalLayout
    mixture: TypicalLayout
    mixture_share: float
