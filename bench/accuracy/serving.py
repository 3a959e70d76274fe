"""The shipped tables, as the estimator reads them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.assessment.hardware import Machines
from kilowhat.methods.call_features import Coefficients, Corrections
from kilowhat.methods.units import Catalogue
from kilowhat.registry import serving
from kilowhat.registry.resolve import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from kilowhat.domain.deployment import DeploymentPrior
    from kilowhat.methods.call_features import Vector

DATA = Path(__file__).parents[2] / "src" / "kilowhat" / "data"


@dataclass(frozen=True)
class Tables:
    """Priors by id, catalogue, the shipped draws of the coefficients, and a registry."""

    registry: Registry
    priors: dict[str, DeploymentPrior]
    catalogue: Catalogue
    coefficients: tuple[Coefficients, Corrections]

    @property
    def uniform(self) -> Callable[[str], Vector]:
        """Uniform numbers by key, the same vector each time."""
        return self.registry.uniform

    def number(self, identity: str) -> Vector:
        """Draws of a factor [in its own unit]."""
        return np.asarray(self.registry.value(self.registry.factor(identity).factor).magnitude)


@cache
def tables() -> Tables:
    """The shipped tables."""
    registry = Registry()
    machines = Machines(registry)
    names = ("open", "api", "openai", "google", "deepseek")
    priors = {name: serving.prior(registry, name)[0] for name in names}
    used = {name for prior in priors.values() for name, _ in prior.accelerators}
    catalogue = Catalogue(
        accelerators={name: machines.by_id(name) for name in used},
        precisions=serving.precisions(),
        kinds=serving.kinds(),
        ranges=serving.shared_ranges(registry),
    )
    return Tables(registry, priors, catalogue, _drawn(registry))


def _drawn(registry: Registry) -> tuple[Coefficients, Corrections]:
    """Whole rows of the joint table, one for each draw; row 0 is the fit to everything."""
    table = registry.joint("coefficients")
    uniform = registry.uniform("inference.text.coefficients")
    rows = 1 + (uniform * (len(table["draw"]) - 1)).astype(int)
    return (
        Coefficients(**{field.name: table[field.name][rows] for field in fields(Coefficients)}),
        Corrections(**{field.name: table[field.name][rows] for field in fields(Corrections)}),
    )
