"""A training run as text: both roads side by side, and the cards recomputed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kilowhat.assessment.rates import UNITS
from kilowhat.cli.render import interval_text, place_name, width, write_boundary
from kilowhat.cli.words import CATEGORIES
from kilowhat.display.text import Column, Table, wrap, write_entry, write_table
from kilowhat.domain.boundary import Stage
from kilowhat.domain.impact import Interval
from kilowhat.language import mark, translate
from kilowhat.quantity.notation import format_number, format_quantity, format_value

if TYPE_CHECKING:
    from kilowhat.assessment.training import TrainingAnswer
    from kilowhat.domain.evidence import ModelCard
    from kilowhat.methods.training import CardCheck

ROADS = {
    "declared hours": mark("by declared hours"),
    "computed arithmetic": mark("by computed arithmetic"),
}
FINDINGS = {
    "energy": mark("the declared energy is not hours × power × PUE"),
    "greenhouse gas": mark("the greenhouse gas implies an intensity that does not fit"),
    "utilisation": mark("the hours do not fit the arithmetic"),
}


def write_training(answer: TrainingAnswer, said: list[str]) -> str:
    """The answer to a question about a training run, as text."""
    first = next(iter(answer.roads.values()))
    head = translate(mark("Training of {model} · {place}"))
    parts = [
        head.format(model=first.context.model, place=place_name(first)),
        write_table(_impacts(answer), width()),
        write_boundary(first, without=Stage.TRAINING),
    ]
    for name, why in answer.missing.items():
        sentence = translate(mark("No figure {road}: {why}."))
        parts.append(sentence.format(road=translate(ROADS[name]), why=translate(why)))
    if answer.cards:
        parts.append(_cards(answer))
    notes = (*said, *first.all_warnings())
    parts.append("\n".join(line for note in notes for line in wrap(f"· {note}", width())))
    return "\n\n".join(parts)


def _impacts(answer: TrainingAnswer) -> Table:
    columns = [Column("")]
    columns += [Column(translate(ROADS[name]), wraps=True) for name in answer.roads]
    rows = []
    for category in UNITS:
        cells = [translate(CATEGORIES[category])]
        for road in answer.roads.values():
            value = road.interval(category)
            if isinstance(value, Interval):
                cells.append(interval_text(value, category))
            else:
                cells.append(translate(value.reason))
        rows.append(tuple(cells))
    return Table("", tuple(columns), tuple(rows), key="training")


def _cards(answer: TrainingAnswer) -> str:
    lines = [translate(mark("Published figures, recomputed:"))]
    for card, check in answer.cards:
        lines += wrap(_card(card, check), width())
    return "\n".join(lines)


def _card(card: ModelCard, check: CardCheck) -> str:
    declared = []
    if card.accelerator_hours:
        declared.append(f"{format_number(card.accelerator_hours, 3)} h")
    if card.energy_j:
        declared.append(format_quantity(card.energy_j, "energy", 3))
    if card.ghg_g:
        declared.append(format_quantity(card.ghg_g, "ghg", 3))
    numbers = (check.energy_ratio, check.intensity_g_per_kwh, check.utilisation)
    closes = mark("closes") if any(n is not None for n in numbers) else mark("nothing to check")
    verdict = (
        translate(closes)
        if check.closes
        else "; ".join(translate(FINDINGS[finding]) for finding in check.findings)
    )
    more = ""
    if check.intensity_g_per_kwh is not None:
        more = f" ({format_value(check.intensity_g_per_kwh, 'gCO2e/kWh', 2)})"
    twins = ""
    if check.twins:
        sentence = translate(mark(" Same hours, other greenhouse gas: {cards}."))
        twins = sentence.format(cards=", ".join(check.twins))
    told = write_entry(", ".join(declared), f"{verdict}{more}.{twins} [{card.source.key}]")
    return "· " + write_entry(card.model, told)
