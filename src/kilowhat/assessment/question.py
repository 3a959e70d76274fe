"""A question about a use, and its whole answer: the use, others beside it, what it is like."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kilowhat.assessment.estimator import Estimator
from kilowhat.assessment.everyday import Likeness, likenesses
from kilowhat.assessment.uses import UNITS_PER, activity, over
from kilowhat.domain.impact import FunctionalUnit, Interval, Missing
from kilowhat.errors import InvalidValue
from kilowhat.language import mark, translate
from kilowhat.quantity.spread import Spread, summarise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kilowhat.assessment.peers import Method
    from kilowhat.assessment.result import Assessment
    from kilowhat.domain.activity import Activity
    from kilowhat.domain.factor import Source
    from kilowhat.quantity.quantity import Vector
    from kilowhat.registry.resolve import Registry

DAYS_A_YEAR = 365.25
SECONDS_A_DAY = 86400.0
PER_LABELS = {
    "call": mark("1 call"),
    "1k-calls": mark("1,000 calls"),
    "1M-tokens": mark("1,000,000 tokens"),
    "image": mark("1 image"),
    "second": mark("1 s of video"),
    "user-year": mark("1 user and year"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a use by the fields of `uses.FIELDS`, and what to put beside it."""

    use: Mapping[str, object]
    versus: str | None = None
    with_methods: bool = False
    is_single: bool = False
    users: float | None = None
    per_day: float | None = None
    per: str | None = None
    training_tokens: float | None = None


@dataclass(frozen=True, slots=True)
class Population:
    """So many users who do it so many times a day."""

    users: float
    per_day: float
    day: Interval
    year: Interval
    peak_power: Interval
    peak_ratio: Interval
    ghg_year: Interval | Missing
    peak_source: Source

    def to_dict(self) -> dict[str, object]:
        """The population as JSON shows it."""
        return {
            "users": self.users,
            "per_day": self.per_day,
            "energy_per_day": self.day.to_dict(),
            "energy_per_year": self.year.to_dict(),
            "ghg_per_year": self.ghg_year.to_dict(),
            "peak_power": self.peak_power.to_dict(),
            "peak_over_mean": self.peak_ratio.to_dict() | {"source": self.peak_source.key},
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """The assessment of a use, with what was asked beside it."""

    assessment: Assessment
    versus: Assessment | None
    ratio: Interval | Missing | None
    methods: tuple[Method, ...]
    population: Population | None
    likenesses: tuple[Likeness, ...]

    def to_dict(self) -> dict[str, object]:
        """The answer as JSON shows it: the assessment, and what was asked beside it."""
        result = self.assessment.to_dict()
        if self.versus is not None and self.ratio is not None:
            result["versus"] = {
                "model": self.versus.context.model,
                "impacts": {k: v.to_dict() for k, v in self.versus.impacts.items()},
                "energy_ratio": self.ratio.to_dict(),
            }
        if self.methods:
            result["methods"] = [method.to_dict() for method in self.methods]
        if self.population is not None:
            result["population"] = self.population.to_dict()
        result["equivalences"] = [likeness.to_dict() for likeness in self.likenesses]
        return result


def answer(question: Question, registry: Registry) -> Answer:
    """The answer to a question about one use.

    Raises:
        UsageError: an unknown name, a value out of bounds, or a use that no method covers.
    """
    estimator = Estimator(registry)
    use = activity(question.use)
    mean = estimator.estimate(use)
    assessment = _shaped(mean, question, registry)
    whole = _shaped(mean, replace(question, is_single=False, per=None), registry)
    versus = ratio = None
    if question.versus is not None:
        other = activity(over(question.use, {"model": question.versus}))
        versus = _shaped(estimator.estimate(other), question, registry)
        ratio = assessment.ratio(versus)
    methods: Iterable[Method] = ()
    if question.with_methods:
        from kilowhat.assessment.peers import methods_beside  # noqa: PLC0415 - seldom asked for

        methods = methods_beside(whole, registry)
    population = _population(whole, question, registry)
    return Answer(
        assessment, versus, ratio, tuple(methods), population, likenesses(assessment, registry)
    )


def _shaped(assessment: Assessment, question: Question, registry: Registry) -> Assessment:
    """The assessment with a single call's variety, training, and functional unit as asked."""
    if question.is_single:
        assessment = _single(assessment, registry)
    if question.training_tokens is not None:
        from kilowhat.assessment.training import training_share  # noqa: PLC0415 - seldom asked for

        assessment = training_share(assessment, question.training_tokens, registry)
    if question.per is not None:
        assessment = _per(assessment, question.per, question.per_day)
    return assessment


def _single(assessment: Assessment, registry: Registry) -> Assessment:
    """One single call: the variety between calls does not average out."""
    if assessment.activity.calls != 1:
        expected = translate(mark("a single call is one call"))
        raise InvalidValue(
            name="calls", value=f"{assessment.activity.calls:.15g}", expected=expected
        )
    entry = registry.factor("deployment.serving.call_variety")
    factor = entry.factor
    spread = Spread(factor.low, factor.central, factor.high, factor.shape)
    variety = spread.quantile(registry.uniform(factor.stream))
    context = replace(assessment.context, trail=(*assessment.context.trail, entry))
    return replace(
        assessment,
        context=context,
        energy_j=assessment.energy_j * variety,
        occupancy_s=assessment.occupancy_s * variety,
        warnings=(*assessment.warnings, mark("One single call: the variety between calls is in.")),
    )


def _per(assessment: Assessment, per: str, per_day: float | None) -> Assessment:
    """The same result per another functional unit."""
    use = assessment.activity
    if per not in UNITS_PER:
        raise InvalidValue(name="per", value=per, expected=" | ".join(UNITS_PER))
    known = None not in (use.input_tokens, use.output_tokens)  # else some are assumed, not counted
    tokens = (use.output_tokens or 0) + (use.input_tokens or 0) if known else 0
    units = {
        "call": use.calls,
        "1k-calls": use.calls / 1e3,
        "1M-tokens": use.calls * tokens / 1e6,
        "image": use.calls * use.images,
        "second": use.calls * use.video_s,
        "user-year": use.calls / (DAYS_A_YEAR * (per_day or 1.0)),
    }
    count = units[per]
    if not count:
        needed = {
            "1M-tokens": mark("--in and --out are needed"),
            "image": mark("--images is needed"),
            "second": mark("--video is needed"),
        }
        raise InvalidValue(name="per", value=per, expected=translate(needed[per]))
    names = {"1k-calls": "1,000 calls", "1M-tokens": "1,000,000 tokens", "second": "1 s of video"}
    name = names.get(per, f"1 {per}")
    return assessment.scaled(1 / count, FunctionalUnit(name, PER_LABELS[per], 1.0))


def _population(
    assessment: Assessment, question: Question, registry: Registry
) -> Population | None:
    """Energy a day and a year of a population, and the power at its busiest hour."""
    if question.users is None and question.per_day is None:
        return None
    users, per_day = question.users or 1.0, question.per_day or 1.0
    uses = users * per_day / assessment.activity.calls
    ghg = assessment.interval("ghg")
    energy = assessment.energy()
    day = _interval("J", energy * uses)
    ratio = registry.factor("deployment.serving.peak_over_mean").factor
    spread = Spread(ratio.low, ratio.central, ratio.high, ratio.shape)
    peaks = spread.quantile(registry.uniform(ratio.stream))
    power = _interval("W", energy * uses / SECONDS_A_DAY * peaks)
    return Population(
        users,
        per_day,
        day,
        day.scaled(DAYS_A_YEAR),
        power,
        Interval("1", ratio.low, ratio.central, ratio.high),
        ghg if isinstance(ghg, Missing) else ghg.scaled(uses * DAYS_A_YEAR),
        ratio.source,
    )


def _interval(unit: str, draws: Vector) -> Interval:
    return Interval(unit, *summarise(draws))


def describe(use: Activity) -> dict[str, float]:
    """The lengths and counts of a use that are worth repeating to the reader."""
    shown = {
        "in": use.input_tokens,
        "cached": use.cached_tokens,
        "out": use.output_tokens,
        "reasoning": use.reasoning_tokens,
        "images_in": use.images_in,
        "videos_in": use.videos_in,
        "images": use.images,
        "video_s": use.video_s,
        "calls": use.calls,
    }
    return {name: value for name, value in shown.items() if value}
