"""What was assumed of a text use: each default is said, in the language in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kilowhat.errors import UnsupportedUse
from kilowhat.language import mark, translate
from kilowhat.quantity.notation import format_number

if TYPE_CHECKING:
    from kilowhat.domain.activity import Activity
    from kilowhat.domain.deployment import Deployment, DeploymentPrior
    from kilowhat.domain.model import Model

KINDS = {
    "hyperscale": mark("a provider's large datacentre"),
    "endpoint": mark("a dedicated endpoint in colocation"),
    "on-premises": mark("an organisation's own server room"),
    "own-machine": mark("your own machine"),
}
_FITTED_YEAR = 2026


def refuse_audio(use: Activity) -> None:
    """Refuse sound: nobody has published what it takes.

    Raises:
        UnsupportedUse: the use reads or makes sound.
    """
    if use.audio_in_s or use.audio_out_s:
        raise UnsupportedUse(
            model=use.model or "?",
            use=translate(mark("sound")),
            reason=translate(mark("no measurement of sound in or out is published")),
        )


def remarks(
    use: Activity,
    believed: DeploymentPrior,
    model: Model | None,
    deployment: Deployment,
    defaults: tuple[float, float],
    *,
    is_named: bool,
) -> list[str]:
    """Sentences about all that the use did not say and that was assumed.

    Args:
        use: what was said.
        believed: the prior that fills in the rest.
        model: the model, when it is a named one.
        deployment: the draws of the deployment.
        defaults: median prompt and answer of the prior [token, token].
        is_named: whether the provider has a prior of its own, or none was named.
    """
    return [
        *_of_lengths(use, model, defaults),
        *_of_model(use, model),
        *_of_place(use, believed, is_named=is_named),
        *_of_machine(use, deployment),
        *_of_time(use),
    ]


def _of_lengths(use: Activity, model: Model | None, defaults: tuple[float, float]) -> list[str]:
    said = []
    if use.input_tokens is None:
        sentence = translate(mark("No --in given: {count} tokens, the median prompt assumed."))
        said.append(sentence.format(count=format_number(defaults[0], None)))
    is_embedding = model is not None and model.kind == "embedding"
    if use.output_tokens is None and not is_embedding:
        sentence = translate(mark("No --out given: {count} tokens, the median answer assumed."))
        said.append(sentence.format(count=format_number(defaults[1], None)))
    return said


def _of_model(use: Activity, model: Model | None) -> list[str]:
    if model is None:
        return []
    if model.kind == "embedding":
        return [mark("An embedding is priced as the reading of a prompt.")]
    if use.images_in and not model.takes_images:
        return [mark("No table says that this model reads images.")]
    return []


def _of_place(use: Activity, believed: DeploymentPrior, *, is_named: bool) -> list[str]:
    said = []
    if believed.id == "open" and use.accelerator is None:
        said.append(mark("No provider or hardware given: an endpoint on current GPUs is assumed."))
    elif use.accelerator is not None or use.provider is None:
        sentence = translate(mark("Served from {place}: host, idle capacity and PUE follow it."))
        said.append(sentence.format(place=translate(KINDS[believed.kind])))
    if not is_named:
        sentence = translate(mark("Nothing is known of provider “{name}”: any API is assumed."))
        said.append(sentence.format(name=use.provider))
    return said


def _of_machine(use: Activity, deployment: Deployment) -> list[str]:
    said = []
    if use.accelerator is not None and use.precision is None:
        bits = sorted({round(8 * float(b)) for b in np.unique(np.asarray(deployment.dense_bytes))})
        shown = " / ".join(str(4 if bit == 5 else bit) for bit in bits)  # 4 bits and their scales
        sentence = translate(mark("No --precision given: weights of {bits} bits are assumed."))
        said.append(sentence.format(bits=shown))
    if use.accelerator is not None and use.count is None:
        counts = np.unique(np.asarray(deployment.count))
        sentence = translate(mark("No --count given: accelerators assumed: {count}."))
        ends = dict.fromkeys(format_number(float(c), None) for c in (counts[0], counts[-1]))
        said.append(sentence.format(count=" – ".join(ends)))
    if use.serving == "offline" and use.concurrency is not None:
        said.append(mark("Offline serving changes nothing where the concurrency is given."))
    return said


def _of_time(use: Activity) -> list[str]:
    if use.when is None or use.when.year >= _FITTED_YEAR:
        return []
    sentence = translate(
        mark("Serving software of {year} used more energy than today's: that is counted.")
    )
    return [sentence.format(year=use.when.year)]
