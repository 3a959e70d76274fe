"""Evidence: published figures, the history of forecasts, and the model cards of training runs."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kilowhat.domain.boundary import Stage
    from kilowhat.domain.factor import Source

DIMENSIONS: dict[str, str] = {
    "energy": "J", "power": "W", "ghg": "gCO2e", "water": "L", "adpe": "kgSbeq", "time": "s",
    "ratio": "1", "share": "1", "growth": "1", "count": "1", "efficiency": "1",
    "tokens": "token", "speed": "token/s", "water_intensity": "L/kWh",
    "carbon_intensity": "gCO2e/kWh", "carbon_per_compute": "gCO2e/FLOP",
    "carbon_per_distance": "gCO2e/km", "mass": "kg",
}  # fmt: skip
"""What a figure is a figure of, and the unit that shows its physical dimension."""

PERS = (
    "", "answer", "basket", "charge", "day", "flight", "gpu", "home", "hour", "image", "inference",
    "month", "node", "passenger", "prompt", "query", "request", "response", "search", "server",
    "token", "training", "video", "year",
)  # fmt: skip
"""The functional units of published figures; empty where the figure is a total or a property."""

KINDS = ("", "text", "image", "video", "search", "training")
RANGES = ("", "iqr", "sd", "span", "bounds", "interval")
"""What low and high are: quartiles, one standard deviation, the span of what was observed or
modelled, bounds that are not a distribution, or a stated interval."""

CONFIDENCES = {
    "A": "seen in the primary source, or in its quotation",
    "B": "seen in a secondary source that names the primary one",
    "C": "named by its source, not seen: never used to accuse",
}
OUTCOMES = ("", "observed", "restated", "path", "neighbour")
"""How a vintage turned out: measured for its year; restated by later work on the same year;
the path that its own publisher now expects; or a number known for a neighbouring year only."""


def plain_name(model: str) -> str:
    """The model's name as evidence patterns write it: lower case, hyphens, without its owner.

    >>> plain_name("meta-llama/Llama-3.1-8B-Instruct")
    'llama-3-1-8b-instruct'
    """
    name = model.rsplit("/", maxsplit=1)[-1].lower()
    return "".join(char if char.isalnum() else "-" for char in name)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a figure is about, with the names that readers of both languages give it."""

    id: str
    name_en: str
    name_fr: str
    aliases_en: tuple[str, ...]
    aliases_fr: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """The use that a published figure describes, and the uses that it can stand beside.

    Token counts are those of one call; a window of ``None`` has no limit on that side.
    """

    kind: str
    models: tuple[str, ...]
    tokens_in: float | None = None
    tokens_out: float | None = None
    in_window: tuple[float | None, float | None] = (None, None)
    out_window: tuple[float | None, float | None] = (None, None)

    def holds(
        self,
        model: str,
        tokens_in: float | None,
        tokens_out: float | None,
        parameters: float | None,
    ) -> bool:
        """Whether a call of this kind is comparable with the published figure."""
        return (
            self._names(model, parameters)
            and _inside(tokens_in, self.in_window)
            and _inside(tokens_out, self.out_window)
        )

    def _names(self, model: str, parameters: float | None) -> bool:
        name = plain_name(model)
        if any(fnmatchcase(name, item[1:]) for item in self.models if item.startswith("!")):
            return False
        for item in self.models:
            if item.startswith("parameters>"):
                if parameters is not None and parameters > float(item.removeprefix("parameters>")):
                    return True
            elif fnmatchcase(name, item):
                return True
        return False


def _inside(value: float | None, window: tuple[float | None, float | None]) -> bool:
    low, high = window
    if value is None:
        return True
    return (low is None or value >= low) and (high is None or value <= high)


@dataclass(frozen=True, slots=True)
class Record:
    """One published figure.

    ``value``, ``low`` and ``high`` are in ``unit`` and count ``per`` functional unit; ``digits``
    is half a unit of the last digit that was published [unit]; ``derived_from`` are the records
    that share its root, ``supersedes`` those that it replaces, ``parts`` the equations that must
    hold within the published rounding.
    """

    id: str
    subject: Subject
    label: str
    property_name: str
    dimension: str
    value: float | None
    low: float | None
    high: float | None
    range_kind: str
    digits: float
    unit: str
    per: str
    value_year: str
    published: str
    scope: str
    boundary: Stage
    boundary_note: str
    confidence: str
    self_declared: bool
    supersedes: tuple[str, ...]
    derived_from: tuple[str, ...]
    parts: tuple[str, ...]
    use: Use | None
    source: Source
    locator: str
    quote: str

    @property
    def may_accuse(self) -> bool:
        """Whether a claim may be contradicted on the strength of this record."""
        return self.confidence == "A"

    @property
    def year(self) -> int | None:
        """The last year that the figure describes, when it describes one."""
        last = self.value_year.rsplit("/", maxsplit=1)[-1]
        return int(last[:4]) if last else None


@dataclass(frozen=True, slots=True)
class Vintage:
    """The electricity of a region in a year, as published at one moment [TWh, or % of its total].

    ``scope`` says which load is counted; ``outcome_kind`` how ``outcome_twh`` is known.
    """

    id: str
    region: str
    year: int
    value_twh: float | None
    low_twh: float | None
    high_twh: float | None
    share_percent: float | None
    kind: str
    scenario: str
    published: int
    scope: str
    scope_note: str
    source: Source
    locator: str
    outcome_twh: float | None
    outcome_year: int | None
    outcome_kind: str
    outcome_source: Source | None
    outcome_note: str
    note: str

    @property
    def is_scored(self) -> bool:
        """Whether what happened in that very year is known."""
        return self.outcome_kind in {"observed", "restated"} and self.outcome_year == self.year


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a developer, or a study, published about one training run.

    Hours are accelerator-hours [h]; power is per accelerator [W]; energy [J]; ghg [gCO2e];
    intensity [gCO2e/kWh]; parameters and tokens [1].  ``None``: not published.
    """

    id: str
    subject: str
    model: str
    models: tuple[str, ...]
    developer: str
    published: str
    parameters: float | None
    tokens: float | None
    flop: float | None
    accelerator: str
    accelerators: float | None
    run_hours: float | None
    accelerator_hours: float | None
    power_w: float | None
    power_kind: str
    pue: float | None
    mfu: float | None
    energy_j: float | None
    ghg_g: float | None
    ghg_kind: str
    intensity_g_per_kwh: float | None
    source: Source
    locator: str
    note: str

    @property
    def names(self) -> frozenset[str]:
        """The plain names under which it is found: the run's, and its models' in the catalogue."""
        return frozenset(plain_name(name) for name in (self.subject, self.model, *self.models))
