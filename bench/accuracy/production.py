"""Published production figures, beside what is estimated when only model and provider are told."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from tools.fit.rows import layouts

from bench.accuracy.serving import DATA, Tables, tables
from bench.accuracy.text import residuals
from kilowhat.domain.deployment import KnownDeployment
from kilowhat.methods.architecture import of_parameters
from kilowhat.methods.deployment import sample
from kilowhat.methods.inference import features, price_list
from kilowhat.quantity.spread import Spread, normal_quantile
from kilowhat.registry.serving import typical_layouts

if TYPE_CHECKING:
    from kilowhat.domain.architecture import Architecture

J_PER_WH = 3600.0
Vector = np.ndarray


@dataclass(frozen=True)
class Figure:
    """A published figure and the use that it is taken to stand for.

    Attributes:
        name: what was published, and by whom.
        low: low end of the published figure, in `unit`.
        central: the figure.
        high: its high end.
        unit: Wh or J/token.
        model: model id in models.csv.
        prior: deployment prior.
        call: prompt tokens, cached ones, generated tokens; the publisher does not state them
            where they are assumed.
        stages: what the figure contains: it, or wall (facility included).
        is_assumed: whether the lengths are assumed.
    """

    name: str
    low: float
    central: float
    high: float
    unit: str
    model: str
    prior: str
    call: tuple[float, float, float]
    stages: str
    is_assumed: bool = True


FIGURES = (
    Figure(
        "DeepSeek-V3/R1, one day (E282 to E287): IT energy per output token",
        0.8,
        1.0,
        1.2,
        "J/token",
        "deepseek-v3",
        "deepseek",
        (608 / 168 * 1000.0, 342 / 168 * 1000.0, 1000.0),
        "it",
        is_assumed=False,
    ),
    *(
        Figure(
            f"Google, median Gemini prompt (E001), taken as {call[0]:g} in, {call[2]:g} out",
            0.24,
            0.24,
            0.24,
            "Wh",
            "gemini-2.5-flash",
            "google",
            call,
            "wall",
        )
        for call in ((100.0, 0.0, 200.0), (300.0, 0.0, 400.0), (1000.0, 0.0, 800.0))
    ),
    *(
        Figure(
            f"OpenAI, average query (E006), taken as {call[0]:g} in, {call[2]:g} out",
            0.34,
            0.34,
            0.34,
            "Wh",
            "gpt-4o",
            "openai",
            call,
            "wall",
        )
        for call in ((100.0, 0.0, 200.0), (300.0, 0.0, 400.0), (1000.0, 0.0, 800.0))
    ),
    *(
        Figure(
            f"Microsoft, models above 200e9, 300 out (E015), as {model}",
            0.16,
            0.31,
            0.60,
            "Wh",
            model,
            "openai",
            (300.0, 0.0, 300.0),
            "wall",
        )
        for model in ("deepseek-v3", "llama-3.1-405b-instruct", "qwen3-235b-a22b-instruct-2507")
    ),
)


@dataclass(frozen=True)
class Check:
    """A figure and the estimate: 5 %, 50 %, 95 % points in the figure's unit."""

    figure: Figure
    p05: float
    p50: float
    p95: float

    @property
    def holds(self) -> bool:
        """Whether the whole published range lies inside the 90 % interval."""
        return self.p05 <= self.figure.low and self.figure.high <= self.p95

    @property
    def holds_central(self) -> bool:
        """Whether the central published figure lies inside the 90 % interval."""
        return self.p05 <= self.figure.central <= self.p95


def checks() -> list[Check]:
    """Every figure beside its estimate."""
    known = tables()
    return [_check(figure, known) for figure in FIGURES]


def _check(figure: Figure, known: Tables) -> Check:
    architecture = _architecture(figure.model, known)
    found = sample(
        architecture,
        known.priors[figure.prior],
        KnownDeployment(),
        known.catalogue,
        known.coefficients,
        known.uniform,
    )
    z = normal_quantile(known.uniform(f"inference.residual.{figure.model}"))
    residual = np.exp(residuals()["text"] * z)
    prices = price_list(
        architecture, found.deployment, found.point, known.coefficients[0], residual
    )
    energy = features(*figure.call) @ prices.energy_j
    for name in ("host_ratio", "idle_ratio"):
        energy = energy * known.number(f"deployment.hyperscale.{name}")
    if figure.stages == "wall":
        energy = energy * known.number("facility.hyperscale.pue")
    energy = energy / (J_PER_WH if figure.unit == "Wh" else figure.call[2])
    return Check(figure, *(float(q) for q in np.quantile(energy, [0.05, 0.5, 0.95])))


def _architecture(model: str, known: Tables) -> Architecture:
    """Layout of a model, or draws of one of its believed size."""
    with (DATA / "models.csv").open(encoding="utf-8", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["id"] == model)
    if row["architecture"]:
        return layouts(DATA / "architectures.csv")[row["architecture"]]
    size = known.uniform(f"model.{model}.size")
    total = _believed(row, "total").quantile(size) * 1e9
    active = np.minimum(_believed(row, "active").quantile(size) * 1e9, total)
    return of_parameters(model, total, active, typical_layouts(known.registry, model))


def _believed(row: dict[str, str], name: str) -> Spread:
    return Spread(float(row[f"{name}_low"]), float(row[name]), float(row[f"{name}_high"]))


def markdown(found: list[Check]) -> str:
    """The checks as a Markdown table."""
    head = (
        "| published figure | published | estimated, only model and provider told "
        "[90 % interval] | inside |\n|---|---|---|---|\n"
    )
    return head + "\n".join(_line(check) for check in found) + "\n"


def _line(check: Check) -> str:
    figure = check.figure
    published = f"{figure.central:g}"
    if figure.low != figure.high:
        published += f" [{figure.low:g}–{figure.high:g}]"
    verdict = "yes" if check.holds else "central value only" if check.holds_central else "no"
    return (
        f"| {figure.name} | {published} {figure.unit} | {check.p50:.2g} "
        f"[{check.p05:.2g}–{check.p95:.2g}] | {verdict} |"
    )
