"""Prepare uses for which only published measurements exist: no layout, but a sourced figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.assessment.result import Context
from kilowhat.domain.impact import FunctionalUnit
from kilowhat.errors import UnsupportedUse
from kilowhat.language import mark, translate
from kilowhat.registry import models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.assessment.site import Sites
    from kilowhat.domain.activity import Activity
    from kilowhat.domain.factor import Entry
    from kilowhat.quantity.quantity import Vector
    from kilowhat.registry.resolve import Registry

METHOD = "published-measurements"
_UNUSED = {
    "size": "width_px", "steps": "steps", "images_in": "images_in", "videos_in": "videos_in",
    "audio_in": "audio_in_s", "audio_out": "audio_out_s", "ulysses": "ulysses", "ring": "ring",
    "tokens_per_second": "tokens_per_second", "accelerator": "accelerator", "count": "count",
    "concurrency": "concurrency", "precision": "precision",
}  # fmt: skip
"""Fields that change nothing here, since no method stands behind a published figure."""


@dataclass(frozen=True, slots=True)
class PreparedFigure:
    """The published energy of one use, or of one second of video."""

    context: Context
    energy_prices: Vector
    time_prices: Vector
    is_per_second: bool

    @property
    def names(self) -> tuple[str, ...]:
        """What the feature is called."""
        return ("seconds" if self.is_per_second else "uses",)

    def features(self, uses: Sequence[Activity]) -> Vector:
        """How many uses, or seconds, shape (uses, 1)."""
        return np.array([[use.calls * self._each(use)] for use in uses])

    def _each(self, use: Activity) -> float:
        return _seconds(use) or 1.0 if self.is_per_second else max(use.images, 1.0)

    def unit(self, use: Activity) -> FunctionalUnit:
        """The uses of the activity, or its seconds where no length is given."""
        if self.is_per_second and not _seconds(use):
            name = f"{use.calls:.15g} s of video"
            return FunctionalUnit(name, mark("{count} s of video"), use.calls)
        count = use.calls * (1.0 if self.is_per_second else max(use.images, 1.0))
        name = "1 use" if count == 1 else f"{count:.15g} uses"
        return FunctionalUnit(name, mark("{count} use"), count, mark("{count} uses"))


def _seconds(use: Activity) -> float:
    """The length of the video of a use, 0 when it gives none [s]."""
    return use.video_s or (use.frames or 0.0) / (use.fps or float("inf"))


class FigurePricer:
    """Turns the situation of a use into the price that published measurements give.

    Args:
        registry: the sourced numbers.
        sites: where uses run.
    """

    def __init__(self, registry: Registry, sites: Sites) -> None:
        self.registry = registry
        self.sites = sites

    def knows(self, name: str) -> bool:
        """Whether there is a published figure of that name: a task, such as object-detection."""
        return self._find(name) is not None

    def _find(self, name: str) -> Entry | None:
        subject = name.strip().lower().replace(" ", "-")
        return self.registry.find(f"media.{subject}.energy")

    def situation(self, use: Activity) -> tuple[object, ...]:
        """All of a use that its price depends on."""
        return (use.model, use.provider, use.zone, use.region, use.when, *_said(use))

    def prepare(self, use: Activity) -> PreparedFigure:
        """The price of one use of a task, or of a model whose layout nobody has published.

        Raises:
            UnsupportedUse: nothing is published that could stand for it.
            UsageError: an unknown zone or region.
        """
        entry, model = self._find(str(use.model)), None
        if entry is None:
            model = models.match(str(use.model), self.registry.data).model
            entry = self._find(f"undisclosed-{model.kind}")
        if entry is None:
            raise UnsupportedUse(
                model=model.id if model else str(use.model),
                use=translate(mark("such a use")),
                reason=translate(mark("neither its layout nor a measurement of it is published")),
            )
        factor = entry.factor
        is_per_second = factor.unit.endswith("/s")
        energy = self.registry.value(factor).to("W" if is_per_second else "J/call")
        kind = "hyperscale" if model else "endpoint"
        site, said = self.sites.resolve(use, use.provider, kind)
        rates = self.sites.rates_of(site, factor.boundary)
        note = mark("No layout is published: the range of published measurements is used.")
        shape = (1, self.registry.draws)
        prices = np.ascontiguousarray(np.broadcast_to(energy, shape))
        context = Context(
            registry=self.registry,
            model=model.id if model else str(use.model),
            method=METHOD,
            rates=rates,
            trail=(entry,),
            influences={},
            warnings=(note, *said, *_said(use)),
            zone=site.zone.id.upper() if site.zone else "WORLD",
            basis={"kind": kind},
        )
        return PreparedFigure(context, prices, np.zeros(shape), is_per_second)


def _said(use: Activity) -> list[str]:
    """The fields that were given and change nothing."""
    given = [name for name, attribute in _UNUSED.items() if getattr(use, attribute)]
    if not given:
        return []
    sentence = translate(mark("Without effect on published measurements: {fields}."))
    return [sentence.format(fields=", ".join(given))]
