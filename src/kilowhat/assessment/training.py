"""Training: declared hours and computed arithmetic side by side, and its share per call."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.assessment.hardware import PEAKS, Machines
from kilowhat.assessment.rates import RateBuilder
from kilowhat.assessment.result import Assessment, Context
from kilowhat.assessment.site import Sites
from kilowhat.domain.activity import Activity
from kilowhat.domain.boundary import Stage
from kilowhat.domain.evidence import plain_name
from kilowhat.domain.impact import FunctionalUnit
from kilowhat.errors import InvalidValue, UnsupportedPrecision, UnsupportedUse
from kilowhat.language import mark, translate
from kilowhat.methods import training
from kilowhat.quantity.notation import format_number
from kilowhat.registry import evidence, models

if TYPE_CHECKING:
    from datetime import date

    from kilowhat.domain.deployment import Accelerator
    from kilowhat.domain.evidence import ModelCard
    from kilowhat.domain.factor import Entry
    from kilowhat.methods.training import CardCheck
    from kilowhat.quantity.quantity import Magnitude, Vector
    from kilowhat.registry.resolve import Registry

DECLARED, COMPUTED = "declared hours", "computed arithmetic"
THIRD_PARTY = "epoch"
"""Sources whose cards are estimates by somebody else than the developer begin so."""
LEFT_OUT = mark(
    "Left out: failed and research runs (--development 1.5 would add half), roll-outs of "
    "reinforcement learning, data preparation, storage and network."
)


@dataclass(frozen=True, slots=True)
class TrainingQuestion:
    """What is known of a training run; ``None`` where nothing is.

    Hours are accelerator-hours [h], power is per accelerator [W], parameters and tokens [1].
    """

    model: str | None = None
    gpu_hours: float | None = None
    accelerator: str | None = None
    parameters: float | None = None
    active: float | None = None
    tokens: float | None = None
    flop: float | None = None
    power_w: float | None = None
    is_measured: bool = False
    mfu: float | None = None
    precision: str = "bf16"
    development: float | None = None
    zone: str | None = None
    region: str | None = None
    provider: str | None = None
    when: date | None = None


@dataclass(frozen=True, slots=True)
class TrainingAnswer:
    """Each road to the energy of a training run, and the published cards recomputed."""

    roads: dict[str, Assessment]
    cards: tuple[tuple[ModelCard, CardCheck], ...]
    break_even: dict[str, tuple[float, float, float]]
    missing: dict[str, str]

    def __str__(self) -> str:
        return "\n\n".join(f"{name}\n{road}" for name, road in self.roads.items())

    def to_dict(self) -> dict[str, object]:
        """The answer as JSON shows it."""
        return {
            "roads": {name: road.to_dict() for name, road in self.roads.items()},
            "missing_roads": {name: translate(why) for name, why in self.missing.items()},
            "cards": [_card_dict(card, check) for card, check in self.cards],
        }


def _completeness(card: ModelCard) -> int:
    """How much a card says, its own energy and gas first."""
    told = (card.accelerator_hours, card.power_w, card.tokens, card.flop, card.parameters)
    return 10 * sum(x is not None for x in (card.energy_j, card.ghg_g)) + sum(
        x is not None for x in told
    )


def _card_dict(card: ModelCard, check: CardCheck) -> dict[str, object]:
    return {
        "id": card.id,
        "model": card.model,
        "declared": {
            "accelerator_hours": card.accelerator_hours,
            "energy_j": card.energy_j,
            "ghg_g": card.ghg_g,
            "ghg_kind": card.ghg_kind,
        },
        "recomputed": {
            "energy_j": check.energy_j,
            "energy_ratio": check.energy_ratio,
            "intensity_g_per_kwh": check.intensity_g_per_kwh,
            "intensity_ratio": check.intensity_ratio,
            "utilisation": check.utilisation,
        },
        "closes": check.closes,
        "findings": list(check.findings),
        "same_hours_as": list(check.twins),
        "source": card.source.key,
    }


class Trainer:
    """Assesses training runs against one registry.

    Args:
        registry: the sourced numbers.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.machines = Machines(registry)
        self.sites = Sites(registry)

    def train(self, question: TrainingQuestion) -> TrainingAnswer:
        """Both roads, where both are possible; the reason where one is not.

        Raises:
            UsageError: an unknown name, or nothing that either road could start from.
        """
        if question.precision not in PEAKS:
            raise UnsupportedPrecision(
                precision=question.precision,
                accelerator=question.accelerator or "?",
                available=list(PEAKS),
            )
        cards = self._cards(question.model)
        known, entries, notes = self._completed(question, cards)
        if known.accelerator is None and (known.flop or known.tokens or known.gpu_hours):
            name = self.registry.default("training", "accelerator")
            known = replace(known, accelerator=name)
            sentence = translate(mark("No accelerator given: {accelerator} is assumed."))
            notes.append(sentence.format(accelerator=name))
        roads: dict[str, Assessment] = {}
        missing: dict[str, str] = {}
        for name, road in ((DECLARED, self._declared), (COMPUTED, self._computed)):
            found = road(known, entries)
            if isinstance(found, str):
                missing[name] = found
            else:
                roads[name] = self._assessment(known, name, *found, notes)
        if not roads:
            expected = "; ".join(translate(reason) for reason in missing.values())
            raise UnsupportedUse(
                model=question.model or "?",
                use=translate(mark("its training")),
                reason=expected,
            )
        return TrainingAnswer(roads, tuple(self._checked(cards)), {}, missing)

    def _cards(self, model: str | None) -> list[ModelCard]:
        if model is None:
            return []
        return evidence.cards(model)

    def _checked(self, cards: list[ModelCard]) -> list[tuple[ModelCard, CardCheck]]:
        everything = evidence.cards()
        checked = []
        for card in cards:
            peak = None
            if card.accelerator:
                entry = self.registry.find(f"hardware.{card.accelerator}.peak_bf16")
                peak = entry.factor.central * 1e12 if entry else None
            checked.append((card, training.recompute_card(card, everything, peak_flop_per_s=peak)))
        return checked

    def _completed(
        self, question: TrainingQuestion, cards: list[ModelCard]
    ) -> tuple[TrainingQuestion, list[Entry], list[str]]:
        """The question, with what the tables know of a named model filled in."""
        entries: list[Entry] = []
        notes: list[str] = []
        if question.model is None:
            return question, entries, notes
        filled = question
        card = max(cards, key=_completeness, default=None)
        if card is not None:
            filled = replace(
                filled,
                gpu_hours=filled.gpu_hours or card.accelerator_hours,
                accelerator=filled.accelerator or card.accelerator or None,
                parameters=filled.parameters or card.parameters,
                tokens=filled.tokens or card.tokens,
                flop=filled.flop or card.flop,
                power_w=filled.power_w or card.power_w,
                is_measured=filled.power_w is None and card.power_kind == "system",
            )
            sentence = translate(
                mark("Hours, hardware and tokens as {source} estimates them: nobody declared them.")
                if card.source.key.startswith(THIRD_PARTY)
                else mark("Hours, hardware and tokens as {source} declares them.")
            )
            notes.append(sentence.format(source=card.source.citation()))
        filled = self._from_factors(filled, entries)
        if filled.parameters is None and not filled.flop and not filled.gpu_hours:
            model = models.find(question.model, self.registry.data)
            if model.total is not None and model.active is not None and model.total.is_exact:
                filled = replace(
                    filled, parameters=model.total.central, active=model.active.central
                )
        return filled, entries, notes

    def _from_factors(self, question: TrainingQuestion, entries: list[Entry]) -> TrainingQuestion:
        """Arithmetic and hours of a model from the factor table."""
        subject = plain_name(str(question.model))

        def number(name: str, unit: str, given: float | None) -> float | None:
            entry = self.registry.find(f"training.{subject}.{name}") if given is None else None
            if entry is None:
                return given
            entries.append(entry)
            return float(np.median(self.registry.value(entry.factor).to(unit)))

        return replace(
            question,
            gpu_hours=number("gpu_hours", "h", question.gpu_hours),
            flop=number("flop", "FLOP", question.flop),
        )

    def _machine(self, question: TrainingQuestion) -> Accelerator | None:
        return self.machines.find(question.accelerator) if question.accelerator else None

    def _draws(self, name: str, entries: list[Entry]) -> Vector:
        entry = self.registry.factor(f"training.default.{name}")
        entries.append(entry)
        value = self.registry.value(entry.factor).to("1")
        return np.broadcast_to(np.asarray(value), (self.registry.draws,))

    def _power(self, question: TrainingQuestion, machine: Accelerator) -> Magnitude:
        return question.power_w or machine.tdp_w

    def _load(self, question: TrainingQuestion, entries: list[Entry]) -> Magnitude:
        """Mean power over the power given [1]: 1 when that was measured on the whole system."""
        return 1.0 if question.is_measured else self._draws("power_utilisation", entries)

    def _declared(
        self, question: TrainingQuestion, entries: list[Entry]
    ) -> tuple[Vector, Magnitude, list[Entry]] | str:
        """Energy and accelerator-seconds from declared hours, or why not."""
        machine = self._machine(question)
        if question.gpu_hours is None or machine is None:
            return mark(
                "no accelerator-hours and accelerator are declared (--gpu-hours, --accelerator)"
            )
        used = list(entries)
        energy = training.declared_energy_j(
            question.gpu_hours,
            self._power(question, machine),
            self._load(question, used),
        )
        return np.asarray(energy), question.gpu_hours * 3600.0, used

    def _computed(
        self, question: TrainingQuestion, entries: list[Entry]
    ) -> tuple[Vector, Magnitude, list[Entry]] | str:
        """Energy and accelerator-seconds from arithmetic, or why not."""
        machine = self._machine(question)
        flop: Magnitude | None = question.flop
        if flop is None and question.parameters and question.tokens:
            flop = training.training_flop(question.active or question.parameters, question.tokens)
        if flop is None:
            return mark("no parameters and tokens are known (--parameters, --tokens)")
        if machine is None:
            return mark("no accelerator is known (--accelerator)")
        used = list(entries)
        peaks = machine.peak_flop_s
        peak = peaks.get(question.precision)
        if peak is None and question.precision == "fp16":
            peak = peaks.get("bf16")  # tensor units run both at one rate
        if peak is None:
            return mark("its accelerator has no known peak in the precision trained in")
        share = question.mfu or self._draws("mfu", used)
        hours = training.computed_hours(flop, peak, share)
        energy = training.declared_energy_j(
            hours, self._power(question, machine), self._load(question, used)
        )
        return np.asarray(energy), hours * 3600.0, used

    def _assessment(
        self,
        question: TrainingQuestion,
        name: str,
        energy: Vector,
        seconds: Magnitude,
        entries: list[Entry],
        notes: list[str],
    ) -> Assessment:
        """One road's energy at its site, with everything that follows from it."""
        machine = self._machine(question)
        if machine is None:
            raise AssertionError
        place = Activity(zone=question.zone, region=question.region, when=question.when)
        site, said = self.sites.resolve(place, question.provider, "hyperscale")
        have = Stage.ACCELERATOR | Stage.HOST | Stage.IDLE
        rates = RateBuilder(self.registry, site, have).build((machine.id,))
        factor = question.development or 1.0
        shape = (self.registry.draws,)
        model = question.model or (
            f"{question.parameters / 1e9:.15g}B"
            if question.parameters
            else f"{format_number(question.gpu_hours or 0.0, 3)} h × {machine.id}"
        )
        context = Context(
            registry=self.registry,
            model=model,
            method=f"training: {name}",
            rates=rates,
            trail=(*entries, *self.machines.trail((machine.id,))),
            influences={},
            warnings=(*notes, *said, LEFT_OUT),
            zone=site.zone.id.upper() if site.zone else "WORLD",
            accelerators=(machine.id,),
        )
        return Assessment(
            place,
            context,
            np.broadcast_to(training.developed_energy_j(energy, factor), shape),
            np.broadcast_to(np.asarray(seconds) * factor, shape),
            FunctionalUnit("1 training", mark("1 training")),
        )


def training_share(assessment: Assessment, tokens: float, registry: Registry) -> Assessment:
    """The assessment with the share of the model's training that falls on it.

    Args:
        assessment: of calls with stated tokens.
        tokens: tokens that the model processes in its whole life, as the user states [token].
        registry: the sourced numbers.

    Raises:
        UnsupportedUse: neither hours nor arithmetic of the training are known.
        InvalidValue: the use has no tokens.
    """
    use = assessment.activity
    mine = (use.input_tokens or 0.0) + (use.output_tokens or 0.0)
    if not mine or use.model is None:
        raise InvalidValue(
            name="amortise_training",
            value=tokens,
            expected=translate(mark("--in or --out is needed")),
        )
    question = TrainingQuestion(model=use.model, when=use.when)  # not where the use is
    roads = Trainer(registry).train(question).roads
    road = roads.get(DECLARED) or roads[COMPUTED]
    share = use.calls * mine / tokens
    extra = {
        ("training", category): draws * share
        for category in ("energy", "ghg", "water", "primary_energy", "adpe")
        if (draws := road.draws(category)) is not None
    }
    sentence = translate(
        mark(
            "Training shared over {count} tokens of use, as you stated; where it ran is not known: "
            "the world average grid."
        )
    )
    return replace(
        assessment,
        extra=extra,
        warnings=(*assessment.warnings, sentence.format(count=format_number(tokens, 3))),
        context=replace(assessment.context, trail=(*assessment.context.trail, *road.trail())),
    )
