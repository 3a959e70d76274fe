"""One decoding step of a batch, as a roofline: how long each resource is busy for a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kilowhat.methods.call_features import (
    FEATURES,
    FRESH,
    IMAGES,
    IMAGES_X_OUTPUT,
    INPUT_X_OUTPUT,
    OUTPUT,
    OUTPUT_SQUARED,
    PREFILL_CONTEXT,
    VIDEOS,
    VIDEOS_X_OUTPUT,
)

if TYPE_CHECKING:
    from kilowhat.domain.architecture import Architecture, Magnitude
    from kilowhat.domain.deployment import Deployment, OperatingPoint
    from kilowhat.methods.call_features import Coefficients


class Loads(NamedTuple):
    """Seconds of the whole unit that one unit of each feature adds, by resource.

    Steps that also read prompts are counted apart from steps that only decode: the former
    are bound by arithmetic, the latter by memory, and the two do not overlap.
    Each is a list over FEATURES of floats or vectors of draws [s per unit of the feature].
    """

    fixed: list[Magnitude]
    memory: list[Magnitude]
    compute: list[Magnitude]
    prompt_memory: list[Magnitude]
    prompt_compute: list[Magnitude]
    ideal_memory: list[Magnitude]
    ideal_compute: list[Magnitude]


class _Step(NamedTuple):
    """What several resources need to know of the step: shares, tokens, lengths."""

    per_output: Magnitude
    per_fresh: Magnitude
    prompt_share: Magnitude
    decode_tokens: Magnitude
    prompt_tokens: Magnitude
    steps_per_fresh: Magnitude
    context: Magnitude
    prompt_context: Magnitude
    media_context: Magnitude


def loads(
    architecture: Architecture,
    deployment: Deployment,
    point: OperatingPoint,
    coefficients: Coefficients,
    *,
    with_media: bool = True,
) -> Loads:
    """How long each resource of the unit is busy for one unit of each feature of a call.

    t_memory = W_dense·ranks/(n·BW·η_m) + W_experts·(1 − (1 − k/E)^(M^s))/(n·BW·η_e)
    + KV/(S·BW·η_kv) + state/(n·BW·η_s)

    t_compute = (2·N_active·tokens + attention)/(n·peak·η_c)

    M tokens are in a step, and the cache is spread over S accelerators (`cache_shards`). What a
    step costs once is shared by the B sequences in it; the rest is linear in a call's tokens.

    Args:
        architecture: the model.
        deployment: the machines.
        point: the mean call that they are busy with.
        coefficients: the fitted coefficients.
        with_media: whether images and videos get a price; without, theirs is 0.

    Returns:
        Seconds of the whole unit per feature [s per unit of the feature].

    Source: roofline model (Williams, Waterman and Patterson 2009, 10.1145/1498765.1498785)
    with the coefficients of `data/inference/coefficients.csv`; prompts read in chunks beside
    decoding after Agrawal et al. 2023 (10.48550/arXiv.2308.16369).

    >>> from kilowhat.domain.deployment import Deployment, OperatingPoint
    >>> from kilowhat.methods.architecture import of_parameters
    >>> from kilowhat.methods.call_features import Coefficients
    >>> fitted = Coefficients(.5, .1, .8, .6, .9, .5, .8, .5, .7, 6e-5, 5e-5, 1e-5, .3, .7, 1.2,
    ...                       500., 800., .01, .03)
    >>> machine = Deployment("endpoint", ("h100-sxm",), 0, 1., 1., 64., 700., 3.35e12, 989e12,
    ...                      900e9, 2., 2., 2., 8192., 8., 4., 4., 4.)
    >>> point = OperatingPoint(100., 0., 400.)
    >>> from kilowhat.registry.resolve import Registry
    >>> from kilowhat.registry.serving import typical_layouts
    >>> model = of_parameters("8B", 8e9, 8e9, typical_layouts(Registry()))
    >>> bool(loads(model, machine, point, fitted).memory[1] > 0)
    True
    """
    step = _step(deployment, point, coefficients)
    empty: list[list[Magnitude]] = [[0.0] * len(FEATURES) for _ in Loads._fields]
    table = Loads(*empty)
    _add_weights(table, step, architecture, deployment, coefficients)
    _add_context(table, step, architecture, deployment, coefficients)
    _add_arithmetic(table, step, architecture, deployment, coefficients)
    _add_overheads(table, step, architecture, deployment, coefficients)
    if with_media:
        _add_media(table, step, architecture, deployment, coefficients)
    return table


def _step(deployment: Deployment, point: OperatingPoint, coefficients: Coefficients) -> _Step:
    """Who bears a step: output tokens, or fresh ones where prompts alone fill the steps.

    With λ prompts arriving per step, a share λ/(1 + λ) of the steps reads 1 + λ prompts each.
    """
    media: Magnitude = 0.0
    if np.any(point.images) or np.any(point.videos):
        media = point.images * coefficients.image_tokens
        media = media + point.videos * coefficients.video_tokens
    fresh = point.fresh_tokens + media
    whole = fresh + point.cached_tokens
    sequences = deployment.tokens_per_step * deployment.concurrency
    chunk = deployment.chunk_tokens
    is_decoding = point.output_tokens * chunk >= sequences * fresh
    arrivals = sequences / np.maximum(point.output_tokens, 1e-9) * np.maximum(1.0, fresh / chunk)
    filled = np.minimum(np.maximum(fresh, 1.0), chunk) * (1.0 + arrivals)
    share, per_output = arrivals / (1.0 + arrivals), 1.0 / sequences
    per_fresh: Magnitude = 0.0
    if not np.all(is_decoding):
        share = np.where(is_decoding, share, 1.0)
        per_output = np.where(is_decoding, per_output, 0.0)
        per_fresh = np.where(is_decoding, 0.0, 1.0 / chunk)
        filled = np.where(is_decoding, filled, chunk)
    return _Step(
        per_output=per_output,
        per_fresh=per_fresh,
        prompt_share=share,
        decode_tokens=deployment.concurrency * deployment.work_per_step,
        prompt_tokens=filled,
        steps_per_fresh=per_output * share * point.output_tokens / np.maximum(fresh, 1.0),
        context=whole + 0.5 * point.length_variety * point.output_tokens,
        prompt_context=0.5 * (whole + point.cached_tokens),
        media_context=whole - 0.5 * media,
    )


def _slid(context: Magnitude, window: Magnitude) -> tuple[Magnitude, Magnitude]:
    """Derivatives of the mean visible context by context and by window [1, 1].

    The smooth minimum (C^-3 + w^-3)^(-1/3) is homogeneous: it equals C·first + w·second.
    """
    cube = (context / window) ** 3
    base = (1.0 + cube) ** (-1.0 / 3.0)
    fourth = (base * base) * (base * base)
    return fourth, fourth * (cube * context / window)


def _add(column: list[Magnitude], feature: int, cost_s: Magnitude) -> None:
    """Add a cost per unit of a feature [s]."""
    if isinstance(cost_s, float) and cost_s == 0.0:
        return
    before = column[feature]
    is_first = isinstance(before, float) and before == 0.0
    column[feature] = cost_s if is_first else before + cost_s


def _add_fixed_per_step(table: Loads, step: _Step, cost_s: Magnitude) -> None:
    """Share a time that each step pays once [s]."""
    _add(table.fixed, OUTPUT, cost_s * step.per_output)
    _add(table.fixed, FRESH, cost_s * step.per_fresh)


def _add_decode_context(column: list[Magnitude], cost_s: Magnitude) -> None:
    """Add a cost per generated token and context token [s]: T_in·T_out + T_out^2/2."""
    _add(column, INPUT_X_OUTPUT, cost_s)
    _add(column, OUTPUT_SQUARED, 0.5 * cost_s)


def _add_weights(
    table: Loads,
    step: _Step,
    architecture: Architecture,
    deployment: Deployment,
    coefficients: Coefficients,
) -> None:
    """Reading weights: all dense ones, and the experts that some token of the step uses."""
    rate = deployment.count * deployment.bandwidth_b_s
    dense_s = (
        architecture.dense_parameters * deployment.dense_bytes * deployment.data_parallel / rate
    )
    slow = 1.0 / (coefficients.dense_bandwidth * deployment.bandwidth_factor)
    decode_share = 1.0 - step.prompt_share
    _add(table.ideal_memory, OUTPUT, dense_s * step.per_output)
    _add(table.ideal_memory, FRESH, dense_s * step.per_fresh)
    _add(table.memory, OUTPUT, dense_s * slow * step.per_output * decode_share)
    _add(table.prompt_memory, OUTPUT, dense_s * slow * step.per_output * step.prompt_share)
    _add(table.prompt_memory, FRESH, dense_s * slow * step.per_fresh)
    if _is_nowhere(architecture.expert_parameters):
        return
    expert_s = architecture.expert_parameters * deployment.expert_bytes / rate
    slow = 1.0 / (
        coefficients.expert_bandwidth * deployment.bandwidth_factor * deployment.expert_factor
    )
    missed = np.log1p(-np.minimum(architecture.experts_per_token / architecture.experts, 0.999999))
    decode_hit, both_hit = _hit(missed, step, coefficients)
    by_output = expert_s * decode_hit * step.per_output
    by_fresh = expert_s * (
        (both_hit - decode_hit) * step.steps_per_fresh + both_hit * step.per_fresh
    )
    _add(table.ideal_memory, OUTPUT, by_output)
    _add(table.memory, OUTPUT, by_output * slow * decode_share)
    _add(table.prompt_memory, OUTPUT, by_output * slow * step.prompt_share)
    _add(table.ideal_memory, FRESH, by_fresh)
    _add(table.prompt_memory, FRESH, by_fresh * slow)


def _hit(missed: Magnitude, step: _Step, coefficients: Coefficients) -> tuple[Magnitude, Magnitude]:
    """Share of experts read by a step that decodes, and by one that reads prompts too [1]."""
    spread = coefficients.expert_spread
    decode_hit = -np.expm1(missed * step.decode_tokens**spread)
    both_hit = -np.expm1(missed * (step.decode_tokens + step.prompt_tokens) ** spread)
    return decode_hit, both_hit


def _is_nowhere(value: Magnitude) -> bool:
    """Whether a quantity is zero in every draw."""
    return not np.any(value)


def _add_split(table: Loads, step: _Step, cost_s: Magnitude, *, memory: bool) -> None:
    """Add a cost per generated and context token [s], split over the two kinds of step."""
    decode, prompt = (
        (table.memory, table.prompt_memory) if memory else (table.compute, table.prompt_compute)
    )
    _add_decode_context(decode, cost_s * (1.0 - step.prompt_share))
    _add_decode_context(prompt, cost_s * step.prompt_share)


def _add_context(
    table: Loads,
    step: _Step,
    architecture: Architecture,
    deployment: Deployment,
    coefficients: Coefficients,
) -> None:
    """Reading the key-value cache, once per step and sequence, and the recurrent state."""
    shards = cache_shards(
        architecture, deployment.count, deployment.data_parallel, deployment.node_size
    )
    rate = deployment.bandwidth_b_s * deployment.tokens_per_step
    token_s = architecture.cache_elements * deployment.cache_bytes / (shards * rate)
    slow = 1.0 / (coefficients.cache_bandwidth * deployment.bandwidth_factor)
    layers, flat = _visible_layers(architecture, step.context)
    _add_decode_context(table.ideal_memory, token_s * layers)
    _add_split(table, step, token_s * layers * slow, memory=True)
    ideal_s = token_s * flat
    busy_s = ideal_s * slow
    if not _is_nowhere(architecture.state_elements):
        state_s = (
            architecture.state_elements * 2.0 * deployment.state_bytes / (deployment.count * rate)
        )
        ideal_s = ideal_s + state_s
        busy_s = busy_s + state_s / (coefficients.state_bandwidth * deployment.bandwidth_factor)
    _add(table.ideal_memory, OUTPUT, ideal_s)
    _add(table.memory, OUTPUT, busy_s * (1.0 - step.prompt_share))
    _add(table.prompt_memory, OUTPUT, busy_s * step.prompt_share)


def cache_shards(
    architecture: Architecture, count: Magnitude, data_parallel: Magnitude, node_size: float
) -> Magnitude:
    """Over how many accelerators of a unit its cache is spread without copies [1].

    S = max(ranks·min(n/ranks, heads), n/node·min(node, heads)): beyond a node, dealt out

    Args:
        architecture: the model.
        count: accelerators of the unit [1].
        data_parallel: ranks of data parallelism [1].
        node_size: accelerators that tensor parallelism spans at most [1].

    Returns:
        Accelerators that each hold a part of their own [1].

    Source: Pope et al. 2023 (10.48550/arXiv.2211.05102), section 3.3: heads or sequences.

    >>> from kilowhat.methods.architecture import of_parameters
    >>> from kilowhat.registry.resolve import Registry
    >>> from kilowhat.registry.serving import typical_layouts
    >>> model = of_parameters("8B", 8e9, 8e9, typical_layouts(Registry()))
    >>> float(cache_shards(model, 4.0, 1.0, 8.0))
    4.0
    """
    heads = architecture.cache_shards
    within = data_parallel * np.minimum(count / data_parallel, heads)
    dealt = count / node_size * np.minimum(node_size, heads)
    return np.maximum(within, dealt)


def _visible_layers(architecture: Architecture, context: Magnitude) -> tuple[Magnitude, Magnitude]:
    """Layers whose reads grow with context [1], and what full windows hold [token]."""
    if _is_nowhere(architecture.window_layers):
        return architecture.attention_layers, 0.0
    by_context, by_window = _slid(context, architecture.window_tokens)
    growing = architecture.attention_layers + architecture.window_layers * by_context
    return growing, architecture.window_layers * architecture.window_tokens * by_window


def _add_arithmetic(
    table: Loads,
    step: _Step,
    architecture: Architecture,
    deployment: Deployment,
    coefficients: Coefficients,
) -> None:
    """Multiplications: weights, attention of decoding and of prompts, image encoder."""
    rate = deployment.count * deployment.peak_flop_s
    active = architecture.dense_parameters + (
        architecture.expert_parameters * architecture.experts_per_token / architecture.experts
    )
    work = deployment.work_per_step / deployment.tokens_per_step
    slow = 1.0 / (coefficients.compute_peak * deployment.compute_factor)
    layers, flat = _visible_layers(architecture, step.context)
    context_s = architecture.decode_attention_flop * work / rate
    output_s = 2.0 * active * work / rate + context_s * flat
    _add(table.ideal_compute, OUTPUT, output_s)
    _add(table.compute, OUTPUT, output_s * slow * (1.0 - step.prompt_share))
    _add(table.prompt_compute, OUTPUT, output_s * slow * step.prompt_share)
    _add_decode_context(table.ideal_compute, context_s * layers)
    _add_split(table, step, context_s * layers * slow, memory=False)
    layers, flat = _visible_layers(architecture, step.prompt_context + 1.0)
    pair_s = 0.5 * architecture.prefill_attention_flop / rate
    fresh_s = 2.0 * active / rate + 2.0 * pair_s * flat
    for column, share in ((table.ideal_compute, 1.0), (table.prompt_compute, slow)):
        _add(column, FRESH, fresh_s * share)
        _add(column, PREFILL_CONTEXT, pair_s * layers * share)


def _add_media(
    table: Loads,
    step: _Step,
    architecture: Architecture,
    deployment: Deployment,
    coefficients: Coefficients,
) -> None:
    """Images and videos: so many prompt tokens each, the encoder's work, and host time.

    What their tokens add to the square of the prompt's length is theirs.
    """
    encoder_s = 2.0 * deployment.patches_per_token * architecture.vision_parameters
    encoder_s = encoder_s / (deployment.count * deployment.peak_flop_s)
    slow = 1.0 / (coefficients.compute_peak * deployment.compute_factor)
    host = deployment.overhead_factor / deployment.data_parallel
    media = (
        (IMAGES, IMAGES_X_OUTPUT, coefficients.image_tokens, coefficients.image_s),
        (VIDEOS, VIDEOS_X_OUTPUT, coefficients.video_tokens, coefficients.video_s),
    )
    for each, by_output, tokens, seconds in media:
        for column in table:
            square = 2.0 * step.media_context * column[PREFILL_CONTEXT]
            _add(column, each, tokens * (column[FRESH] + square))
            _add(column, by_output, tokens * column[INPUT_X_OUTPUT])
        _add(table.ideal_compute, each, tokens * encoder_s)
        _add(table.prompt_compute, each, tokens * encoder_s * slow)
        _add(table.fixed, each, seconds * host)


def _add_overheads(
    table: Loads,
    step: _Step,
    architecture: Architecture,
    deployment: Deployment,
    coefficients: Coefficients,
) -> None:
    """Fixed times per layer and, at each rank's own host, per sequence; talk."""
    slow = deployment.overhead_factor
    host = slow / deployment.data_parallel
    slower = architecture.expert_layers * (deployment.expert_layer_factor - 1.0)
    layers_s = coefficients.layer_s * (architecture.layers + slower)
    several = np.asarray(deployment.count) > 1
    talk_s = np.where(several, coefficients.link_layer_s, 0.0)
    _add_fixed_per_step(table, step, (layers_s + talk_s * architecture.layers) * slow)
    _add(table.fixed, OUTPUT, coefficients.sequence_s * host / deployment.tokens_per_step)
    if not np.any(several):
        return
    others = (deployment.count - 1.0) / deployment.count
    rate = 0.5 * np.where(several, deployment.link_b_s, 1.0) * coefficients.link_bandwidth
    bytes_sent = deployment.reduced_bytes * architecture.layers * architecture.hidden * others
    token_s = np.where(several, bytes_sent / (rate * deployment.data_parallel), 0.0)
    work = deployment.work_per_step / deployment.tokens_per_step
    _add(table.fixed, OUTPUT, token_s * work)
    _add(table.fixed, FRESH, token_s)
