"""The front door: an activity in, an assessment out; the only place that chains methods."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.assessment.estimator import Estimator
from kilowhat.assessment.question import Answer, Question, answer
from kilowhat.assessment.result import Assessment, Context
from kilowhat.assessment.site import Sites
from kilowhat.assessment.uses import activity
from kilowhat.domain.activity import Activity
from kilowhat.domain.impact import FunctionalUnit
from kilowhat.language import mark
from kilowhat.registry.resolve import Registry

if TYPE_CHECKING:
    from datetime import date

    from kilowhat.assessment.bulk import Priced, price
    from kilowhat.assessment.everyday import Comparison, compare
    from kilowhat.assessment.training import Trainer, TrainingAnswer, TrainingQuestion
    from kilowhat.domain.boundary import Stage
    from kilowhat.quantity.quantity import Quantity

__all__ = [
    "Answer",
    "Assessment",
    "Comparison",
    "Estimator",
    "Priced",
    "Question",
    "Trainer",
    "TrainingAnswer",
    "TrainingQuestion",
    "activity",
    "answer",
    "compare",
    "of_activity",
    "of_energy",
    "price",
]

_HOMES = {
    "Comparison": "everyday",
    "Priced": "bulk",
    "Trainer": "training",
    "TrainingAnswer": "training",
    "TrainingQuestion": "training",
    "compare": "everyday",
    "price": "bulk",
}


def __getattr__(name: str) -> object:
    """What one estimate does not need is imported when it is first used."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def of_activity(use: Activity, registry: Registry | None = None) -> Assessment:
    """The impacts of an activity.

    Raises:
        UsageError: an unknown name, a model that does not fit, or an unsupported use.
    """
    return Estimator(registry).estimate(use)


def of_energy(
    energy: Quantity,
    boundary: Stage,
    *,
    zone: str | None = None,
    when: date | None = None,
    kind: str = "endpoint",
    registry: Registry | None = None,
) -> Assessment:
    """The impacts of an amount of electricity that already contains some stages.

    Args:
        energy: a number or draws [J].
        boundary: the stages in it; the others, up to the grid, are added once each.
        zone: of the grid; the world when not given, and said.
        when: date of the factors.
        kind: class of deployment, for the stages to add.
        registry: the sourced numbers.

    Raises:
        UnknownZone: the zone is not in the table.
    """
    known = registry or Registry()
    use = Activity(zone=zone, when=when)
    sites = Sites(known)
    site, said = sites.resolve(use, None, kind)
    context = Context(
        registry=known,
        model="",
        method="given energy",
        rates=sites.rates_of(site, boundary),
        trail=(),
        influences={},
        warnings=tuple(said),
        zone=site.zone.id.upper() if site.zone else "WORLD",
    )
    draws = np.broadcast_to(np.asarray(energy.to("J"), dtype=np.float64), (known.draws,))
    unit = FunctionalUnit("1 amount", mark("1 amount"))
    return Assessment(use, context, draws, np.zeros(known.draws), unit)
