"""From a published layout, or from parameter counts alone, to what a step reads and computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kilowhat.domain.architecture import Architecture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kilowhat.domain.architecture import Magnitude, TypicalLayout, TypicalLayouts
    from kilowhat.methods.call_features import Vector

_SCALE = 1e10  # weights of the model that typical layouts are stated for


def of_layout(name: str, layout: Mapping[str, float]) -> Architecture:
    """Architecture of a model whose configuration is published.

    attention = h·(2·heads + 2·kv_heads)·d, feed-forward = (3 if gated else 2)·h·f,
    output head = vocab·h

    Args:
        name: id of the model.
        layout: the numeric columns of `architectures.csv` that are not blank: layers,
            hidden, heads, kv_heads, head_dim, ffn, vocab, tied_embeddings, gated_ffn and,
            where they apply, experts, experts_per_token, expert_ffn, shared_ffn,
            dense_layers, moe_layers, window, full_attention_layers, mla_kv_dim,
            attention_params, attention_layers, mlp_layers, mamba_layers, mamba_inner,
            state, vision_params; where they differ from what those give also expert_params
            (one expert of one layer), shared_params and attention_params (of one layer);
            recurrent_params (of one layer) where there are mamba_layers
            [1; window in tokens].

    Returns:
        The architecture, all numbers floats.

    Raises:
        KeyError: a column that every model has, or that its kind needs, is missing.

    Source: Vaswani et al. 2017 (10.48550/arXiv.1706.03762) for the blocks; the counts that
    follow from `data/architectures.csv` agree with the published totals to 3 %.

    >>> small = {"layers": 2, "hidden": 8, "heads": 2, "kv_heads": 1, "head_dim": 4,
    ...          "ffn": 16, "vocab": 100, "tied_embeddings": 1, "gated_ffn": 1}
    >>> of_layout("tiny", small).dense_parameters
    1952.0
    """
    get = layout.get
    hidden, layers = float(layout["hidden"]), float(layout["layers"])
    heads, head_dim = float(layout["heads"]), float(layout["head_dim"])
    latent = float(get("mla_kv_dim", 0.0))
    attention_layers = float(get("attention_layers", layers))
    full_layers = float(get("full_attention_layers", attention_layers))
    vocabulary = float(layout["vocab"]) * hidden
    return Architecture(
        name=name,
        layers=layers,
        hidden=hidden,
        dense_parameters=vocabulary + _mixing(layout) + _feed_forward(layout),
        expert_parameters=_expert_layers(layout) * float(get("experts", 0.0)) * _expert(layout),
        expert_layers=_expert_layers(layout),
        experts=float(get("experts", 1.0)),
        experts_per_token=float(get("experts_per_token", 1.0)),
        embedding_parameters=0.0 if layout["tied_embeddings"] else vocabulary,
        attention_layers=full_layers,
        window_layers=attention_layers - full_layers,
        window_tokens=float(get("window", 1.0)),
        cache_elements=latent or 2.0 * float(layout["kv_heads"]) * head_dim,
        cache_shards=1.0 if latent else float(layout["kv_heads"]),
        decode_attention_flop=4.0 * heads * (latent or head_dim),
        prefill_attention_flop=4.0 * heads * head_dim,
        state_elements=float(get("mamba_layers", 0.0))
        * float(get("mamba_inner", 0.0))
        * float(get("state", 0.0)),
        vision_parameters=float(get("vision_params", 0.0)),
    )


def _expert(layout: Mapping[str, float]) -> float:
    """Weights of one routed expert of one layer [1]."""
    gated = 3.0 * layout["hidden"] * layout.get("expert_ffn", 0.0)
    return float(layout.get("expert_params", gated))


def _expert_layers(layout: Mapping[str, float]) -> float:
    """Layers that have routed experts [1]."""
    if not layout.get("experts"):
        return 0.0
    return float(layout.get("moe_layers", layout["layers"] - layout.get("dense_layers", 0.0)))


def _mixing(layout: Mapping[str, float]) -> float:
    """Weights that mix tokens, attention and recurrent layers together [1]."""
    hidden = layout["hidden"]
    heads = 2.0 * layout["heads"] + 2.0 * layout["kv_heads"]
    attention = layout.get("attention_params", hidden * heads * layout["head_dim"])
    mixed = layout.get("attention_layers", layout["layers"]) * attention
    if layout.get("mamba_layers"):
        mixed += layout["mamba_layers"] * layout["recurrent_params"]
    return float(mixed)


def _feed_forward(layout: Mapping[str, float]) -> float:
    """Feed-forward weights that every token passes: dense, shared, router [1]."""
    hidden, expert_layers = layout["hidden"], _expert_layers(layout)
    matrices = 3.0 if layout["gated_ffn"] else 2.0
    dense_layers = layout.get("mlp_layers", layout["layers"] - expert_layers)
    shared = layout.get("shared_params", 3.0 * hidden * layout.get("shared_ffn", 0.0))
    router = hidden * layout.get("experts", 0.0)
    dense = matrices * hidden * layout["ffn"]
    return float(dense_layers * dense + expert_layers * (shared + router))


def of_parameters(
    name: str,
    total_parameters: Magnitude,
    active_parameters: Magnitude,
    typical: TypicalLayouts,
) -> Architecture:
    """A typical architecture of a given size, for a model whose layout is not published.

    hidden = a·(N_active/1e10)^b, layers = c·(N_active/1e10)^d, k/E = routed active / routed

    A model is a mixture of experts when few enough of its weights are active.

    Args:
        name: what the model is called.
        total_parameters: all weights [1], float or shape (n_draws,).
        active_parameters: weights that one token uses [1], float or shape (n_draws,).
        typical: a, b, c, d and the rest of a layout, by kind [1]; floats, or draws of how
            much models of one size differ.

    Returns:
        The architecture, its numbers of the shape of the arguments.

    Raises:
        ValueError: more active than total parameters.

    Source: `data/factors/inference_typical.csv`, least squares over `data/architectures.csv`.

    >>> from kilowhat.registry.resolve import Registry
    >>> from kilowhat.registry.serving import typical_layouts
    >>> usual = typical_layouts(Registry())
    >>> float(of_parameters("70B", 70e9, 70e9, usual).cache_shards)
    8.0
    >>> round(float(of_parameters("mix", 600e9, 30e9, usual).experts))
    289
    """
    total, active = np.asarray(total_parameters, float), np.asarray(active_parameters, float)
    if np.any(active > total * (1.0 + 1e-9)):
        message = "more active than total parameters"
        raise ValueError(message)
    is_mixture = active < typical.mixture_share * total

    def usual(value: Callable[[TypicalLayout], Magnitude]) -> Vector:
        return np.where(is_mixture, value(typical.mixture), value(typical.dense))

    scale = active / _SCALE
    hidden = usual(lambda kind: kind.hidden * scale**kind.hidden_exponent)
    layers = usual(lambda kind: kind.layers * scale**kind.layers_exponent)
    routed_active = usual(lambda kind: kind.routed_share) * active
    routed = np.where(is_mixture, total - active + routed_active, 0.0)
    chosen = usual(lambda kind: kind.experts_per_token)
    return Architecture(
        name=name,
        layers=layers,
        hidden=hidden,
        dense_parameters=active - routed_active,
        expert_parameters=routed,
        expert_layers=np.where(is_mixture, layers, 0.0),
        experts=np.where(is_mixture, chosen * routed / np.maximum(routed_active, 1.0), 1.0),
        experts_per_token=chosen,
        embedding_parameters=0.0,
        attention_layers=layers,
        window_layers=0.0,
        window_tokens=1.0,
        cache_elements=usual(lambda kind: kind.cache_elements),
        cache_shards=usual(lambda kind: kind.cache_shards),
        decode_attention_flop=4.0 * hidden * usual(lambda kind: kind.decode_width),
        prefill_attention_flop=4.0 * hidden * usual(lambda kind: kind.prefill_width),
        state_elements=0.0,
        vision_parameters=0.0,
    )
