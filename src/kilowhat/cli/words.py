"""The words of results: what categories, stages, causes and counts are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kilowhat.assessment.rates import LABELS
from kilowhat.language import current, mark, translate
from kilowhat.quantity.notation import format_number

if TYPE_CHECKING:
    from kilowhat.domain.factor import Source
    from kilowhat.domain.impact import FunctionalUnit

CATEGORIES = LABELS

STAGES = {
    "given": mark("given energy"),
    "accelerator": mark("accelerators"),
    "host": mark("host"),
    "idle": mark("idle capacity"),
    "facility": mark("facility"),
    "grid": mark("grid"),
    "upstream": mark("upstream of the grid"),
    "losses": mark("network losses"),
    "embodied": mark("manufacture of hardware"),
    "network": mark("internet network"),
    "device": mark("the user's device"),
    "training": mark("training"),
}

BESIDE = {
    "market": mark("Market-based (residual mix)"),
    "marginal": mark("Marginal, short run"),
    "long_run_marginal": mark("Marginal, long run (combined margin)"),
}

FIELDS = {
    "in": (mark("{count} token in"), mark("{count} tokens in")),
    "cached": (mark("{count} cached"), mark("{count} cached")),
    "out": (mark("{count} token out"), mark("{count} tokens out")),
    "reasoning": (mark("{count} of reasoning"), mark("{count} of reasoning")),
    "images_in": (mark("{count} image in"), mark("{count} images in")),
    "videos_in": (mark("{count} video in"), mark("{count} videos in")),
    "images": (mark("{count} image"), mark("{count} images")),
    "video_s": (mark("{count} s of video"), mark("{count} s of video")),
    "calls": (mark("{count} call"), mark("{count} calls")),
}

METHODS = {
    "kilowhat-roofline": mark("kilowhat, fitted on ML.ENERGY 2026"),
    "kilowhat-diffusion": mark("kilowhat, fitted on ML.ENERGY 2026"),
    "published-measurements": mark("published measurements"),
}

CAUSES = {
    "deployment.concurrency": mark("calls in flight"),
    "deployment.count": mark("number of accelerators"),
    "deployment.accelerator": mark("which accelerator"),
    "deployment.precision": mark("precision of the weights"),
    "deployment.serving_software": mark("serving software"),
    "deployment.speculative_decoding": mark("speculative decoding"),
    "deployment.lengths": mark("lengths of the other calls"),
    "deployment.batch": mark("number generated at once"),
    "deployment.ulysses": mark("parallel layout"),
    "deployment.serving.call_variety": mark("variety between calls"),
}

ENDINGS = {
    ".host_ratio": mark("host ratio"),
    ".idle_ratio": mark("idle capacity"),
    ".utilisation": mark("utilisation of the hardware"),
    ".lifetime": mark("lifetime of the hardware"),
    ".pue": mark("PUE"),
    ".wue": mark("WUE"),
    ".size": mark("size of the model"),
    ".gwp_location": mark("grid intensity"),
    ".losses": mark("network losses"),
    ".energy": mark("published measurements"),
}


def counted(one: str, many: str, count: float) -> str:
    """A count with its noun, singular or plural as the language in use wants."""
    is_single = abs(count) < 2 if current() == "fr" else count == 1
    return translate(one if is_single else many).format(count=format_number(count, None))


def unit_text(unit: FunctionalUnit) -> str:
    """A functional unit in the language in use."""
    return counted(unit.label, unit.plural or unit.label, unit.count)


def cause(identity: str) -> str:
    """What a doubt comes from, in words; its id where there are none."""
    if identity in CAUSES:
        return translate(CAUSES[identity])
    if identity.startswith("inference.") or identity.endswith(".residual"):
        return translate(mark("error of the model itself"))
    for ending, words in ENDINGS.items():
        if identity.endswith(ending):
            return translate(words)
    return identity


def short_name(source: Source) -> str:
    """Who published a source, in a word or two: the whole name stands under ``--explain``."""
    name = source.publisher or source.title
    for sign in (" (", ", ", "; "):
        name = name.partition(sign)[0]
    return name
