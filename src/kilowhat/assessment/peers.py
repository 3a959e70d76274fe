"""Published methods and figures side by side with ours, and how far they are apart."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kilowhat.domain.boundary import Stage, names
from kilowhat.domain.impact import Interval
from kilowhat.errors import UnknownModel
from kilowhat.language import mark, translate
from kilowhat.quantity.quantity import Quantity
from kilowhat.quantity.spread import summarise
from kilowhat.registry import evidence, models

if TYPE_CHECKING:
    from kilowhat.assessment.result import Assessment
    from kilowhat.domain.evidence import Record
    from kilowhat.registry.resolve import Registry

_DATACENTRE = Stage.ACCELERATOR | Stage.HOST | Stage.IDLE | Stage.FACILITY


@dataclass(frozen=True, slots=True)
class Method:
    """A published figure or calculation for such a use.

    Attributes:
        name: who says it.
        category: energy, ghg or water.
        interval: p05, p50, p95; equal where only one number is published.
        boundary: the stages that it contains, as far as it says.
        note: what the figure is about.
        source: its reference.
    """

    name: str
    category: str
    interval: Interval
    boundary: tuple[str, ...]
    note: str
    source: str
    is_ours: bool = False

    def to_dict(self) -> dict[str, object]:
        """The method as JSON shows it."""
        return {
            "name": self.name,
            "category": self.category,
            "value": self.interval.to_dict(),
            "boundary": list(self.boundary),
            "note": self.note,
            "source": self.source,
        }


NO_ECOLOGITS = mark("EcoLogits is not installed: pip install 'kilowhat[ecologits]' adds it.")


def is_ecologits_installed() -> bool:
    """Whether the optional extra that compares with EcoLogits is there."""
    return importlib.util.find_spec("ecologits") is not None


def methods_beside(assessment: Assessment, registry: Registry) -> list[Method]:
    """Ours first, then EcoLogits when it is installed, then published figures of such a use."""
    found = [_ours(assessment)]
    found += _ecologits(assessment)
    found += _published(assessment, registry)
    return found


def _ours(assessment: Assessment) -> Method:
    energy = Interval("J", *summarise(assessment.energy()))
    inside = tuple(names(assessment.boundary() & _DATACENTRE))
    return Method(
        "kilowhat", "energy", energy, inside, translate(mark("this estimate")),
        assessment.context.method,
        is_ours=True,
    )  # fmt: skip


def _published(assessment: Assessment, registry: Registry) -> list[Method]:
    """Figures of the evidence table that describe such a use."""
    use = assessment.activity
    if use.model is None:
        return []
    try:
        model = models.find(use.model, registry.data)
    except UnknownModel:
        return []  # a task with a published figure of its own, such as object-detection
    records = evidence.comparable(
        model.id,
        model.kind,
        dimension="energy",
        tokens_in=use.input_tokens,
        tokens_out=use.output_tokens,
        parameters=model.total.central if model.total else None,
    )
    return [method for record in records if (method := _record(record, assessment)) is not None]


def _middle_note() -> str:
    """That the point shown of a range is ours: who gives two ends alone names no centre."""
    return translate(mark(" (the point is our geometric mean of the two ends)"))


def _record(record: Record, assessment: Assessment) -> Method | None:
    """A published figure for as many uses as the activity has."""
    central = record.value
    ends = [v for v in (record.low, central, record.high) if v is not None]
    if not ends:
        return None
    middle = central if central is not None else (ends[0] * ends[-1]) ** 0.5
    count = assessment.unit.count
    unit = record.unit.partition("/")[0]
    low, value, high = (
        float(Quantity.of(v * count, unit).to("J")) for v in (min(ends), middle, max(ends))
    )
    note = "" if central is not None or len(ends) == 1 else _middle_note()
    return Method(
        record.source.publisher or record.source.title,
        "energy",
        Interval("J", low, value, high),
        tuple(names(record.boundary)),
        f"{record.label} ({record.published}){note}",
        record.source.citation(),
    )


def _ecologits(assessment: Assessment) -> list[Method]:
    """EcoLogits' own calculation of the same use, in this process."""
    use = assessment.activity
    if use.model is None or not use.output_tokens:
        return []
    try:
        from ecologits.tracers.utils import llm_impacts  # noqa: PLC0415 - an optional extra
    except ImportError:
        return []
    result = _call(llm_impacts, assessment)
    if result is None:
        return []
    low, high = result
    middle = (low * high) ** 0.5
    return [
        Method(
            "EcoLogits",
            "energy",
            Interval("J", low, middle, high),
            ("accelerator", "host", "facility"),
            translate(mark("batch of 64 on H100, its own range")) + _middle_note(),
            "https://ecologits.ai",
        )
    ]


def _call(llm_impacts: object, assessment: Assessment) -> tuple[float, float] | None:
    """Its lowest and highest energy [J, J], or nothing when it does not know the model."""
    import logging  # noqa: PLC0415

    use = assessment.activity
    name = (use.model or "").rpartition("/")[2]
    provider = use.provider or models.find(str(use.model)).provider
    logger = logging.getLogger("ecologits")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        result = llm_impacts(  # type: ignore[operator]
            provider=_PROVIDERS.get(provider, provider),
            model_name=name,
            output_token_count=use.output_tokens,
            request_latency=1e9,
        )
    finally:
        logger.setLevel(level)
    value = getattr(getattr(result, "energy", None), "value", None)
    if value is None:
        return None
    low, high = getattr(value, "min", value), getattr(value, "max", value)
    return low * 3.6e6 * assessment.unit.count, high * 3.6e6 * assessment.unit.count


_PROVIDERS = {"google": "google_genai", "mistral": "mistralai"}
