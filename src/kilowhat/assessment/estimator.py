"""The estimator: keeps what uses have in common, and prices them one by one or together."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from kilowhat.assessment.hardware import Machines
from kilowhat.assessment.result import Assessment, Terms
from kilowhat.assessment.site import Sites
from kilowhat.assessment.text import TextPricer
from kilowhat.errors import UsageError
from kilowhat.quantity.spread import priced
from kilowhat.registry import models
from kilowhat.registry.resolve import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.assessment.media import MediaPricer
    from kilowhat.assessment.published import FigurePricer
    from kilowhat.assessment.result import Context
    from kilowhat.domain.activity import Activity
    from kilowhat.domain.impact import FunctionalUnit
    from kilowhat.quantity.quantity import Vector

_KEPT = 256


class Prepared(Protocol):
    """What the uses of one situation share: their context, and prices linear in features."""

    @property
    def names(self) -> tuple[str, ...]:
        """What the features are called."""

    @property
    def context(self) -> Context:
        """What the uses of the situation share."""

    @property
    def energy_prices(self) -> Vector:
        """Accelerator energy per unit of each feature [J], shape (features, draws)."""

    @property
    def time_prices(self) -> Vector:
        """Accelerator time per unit of each feature [s], shape (features, draws)."""

    def features(self, uses: Sequence[Activity]) -> Vector:
        """The features of uses, all calls of each together, shape (uses, features)."""

    def unit(self, use: Activity) -> FunctionalUnit:
        """What the result of a use is per."""


class Estimator:
    """Prices uses against one registry; what they share is computed once and kept.

    Args:
        registry: the sourced numbers and their draws; the shipped ones when not given.
    """

    def __init__(self, registry: Registry | None = None) -> None:
        self.registry = registry or Registry()
        self._machines, self._sites = Machines(self.registry), Sites(self.registry)
        self._text = TextPricer(self.registry, self._machines, self._sites)
        self._kept: OrderedDict[object, Prepared | UsageError] = OrderedDict()

    @cached_property
    def _media(self) -> MediaPricer:
        from kilowhat.assessment.media import MediaPricer  # noqa: PLC0415 - most uses are text

        return MediaPricer(self.registry, self._machines, self._sites)

    @cached_property
    def _figures(self) -> FigurePricer:
        from kilowhat.assessment.published import FigurePricer  # noqa: PLC0415 - most uses are text

        return FigurePricer(self.registry, self._sites)

    def prepare(self, use: Activity) -> Prepared:
        """What the uses of one situation share; kept for the next of them.

        Raises:
            UsageError: an unknown name, a model that does not fit, or an unsupported use.
        """
        pricer = self._pricer(use)
        key = (pricer, pricer.situation(use))
        if key in self._kept:
            self._kept.move_to_end(key)
            prepared = self._kept[key]
        else:
            try:
                prepared = pricer.prepare(use)
            except UsageError as error:
                prepared = error
            self._kept[key] = prepared
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        if isinstance(prepared, UsageError):
            raise prepared.with_traceback(None)
        return prepared

    def _pricer(self, use: Activity) -> TextPricer | MediaPricer | FigurePricer:
        """The pricer of a use: by what it generates, else by the kind of its model."""
        if use.model is None or use.input_tokens or use.output_tokens:
            return self._text
        if self._figures.knows(use.model):
            return self._figures
        model = models.match(use.model, self.registry.data).model
        if model.kind in ("image", "video") or use.images or use.video_s or use.frames:
            return self._media if self._media.knows(model) else self._figures
        return self._text

    def estimate(self, use: Activity) -> Assessment:
        """The impacts of a use, all its calls together.

        Raises:
            UsageError: an unknown name, a model that does not fit, or an unsupported use.
        """
        prepared = self.prepare(use)
        features = prepared.features([use])[0]
        return Assessment(
            use,
            prepared.context,
            priced(features[None], prepared.energy_prices)[0],
            priced(features[None], prepared.time_prices)[0],
            prepared.unit(use),
            terms=Terms(prepared.names, features, prepared.energy_prices),
        )
