"""Results as text: what matters first, in the reader's language and width."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from kilowhat.assessment.question import describe
from kilowhat.assessment.rates import UNITS
from kilowhat.cli.words import (
    BESIDE,
    CATEGORIES,
    FIELDS,
    METHODS,
    STAGES,
    cause,
    counted,
    short_name,
    unit_text,
)
from kilowhat.display.bars import Interval as Bar
from kilowhat.display.bars import write_bars
from kilowhat.display.text import Column, Table, wrap, write_entry, write_table
from kilowhat.domain.boundary import Stage
from kilowhat.domain.impact import Interval, Missing
from kilowhat.language import current, mark, translate
from kilowhat.quantity.notation import (
    format_interval,
    format_number,
    format_quantity,
    write_interval,
)
from kilowhat.quantity.spread import summarise
from kilowhat.quantity.units import parse_unit
from kilowhat.registry.places import zones

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kilowhat.assessment.everyday import Comparison, Likeness
    from kilowhat.assessment.peers import Method
    from kilowhat.assessment.question import Answer, Population
    from kilowhat.assessment.result import Assessment

FAMILIES = {
    "energy": "energy",
    "ghg": "ghg",
    "water": "water",
    "primary_energy": "primary_energy",
    "adpe": "adpe",
    "power": "power",
}


def width() -> int:
    """The columns to write in: the terminal's, or 100 into a pipe."""
    return max(40, min(shutil.get_terminal_size((100, 24)).columns, 120))


def base(value: float, unit: str) -> float:
    """A value of a result in the base unit of its dimension."""
    return value * parse_unit(unit).factor


def interval_text(interval: Interval, category: str) -> str:
    """An interval with the prefix that suits it."""
    factor = parse_unit(interval.unit).factor
    family = FAMILIES[category]
    return format_interval(
        interval.p05 * factor, interval.p50 * factor, interval.p95 * factor, family
    )


def _cells(value: Interval | Missing, category: str) -> tuple[str, str]:
    if isinstance(value, Missing):
        return "—", translate(value.reason)
    factor = parse_unit(value.unit).factor
    text = write_interval(
        value.p05 * factor, value.p50 * factor, value.p95 * factor, FAMILIES[category]
    )
    return text.value, text.bounds


def write_answer(answer: Answer, *, explain: bool, beside: list[str], said: list[str]) -> str:
    """The answer to a question about a use, as text."""
    assessment = answer.assessment
    parts = [_heading(assessment), write_table(_impacts(assessment), width())]
    if answer.versus is not None and isinstance(answer.ratio, Interval):
        parts.append(_versus(answer.ratio, answer.versus))
    parts.append(_beside(assessment, beside))
    if answer.population is not None:
        parts.append(_population(answer.population))
    if answer.methods:
        parts.append(_methods(answer.methods))
    parts.append(_likenesses(answer.likenesses))
    parts.append(write_boundary(assessment))
    parts.append(_doubts(assessment))
    if explain:
        from kilowhat.cli.explain import write_explanation

        parts.append(write_explanation(assessment))
    parts += [_lines((*said, *assessment.all_warnings())), _versions(assessment, explain=explain)]
    return "\n\n".join(part for part in parts if part)


def _heading(assessment: Assessment) -> str:
    use = assessment.activity
    counts = describe(use)
    words = [
        counted(*FIELDS[name], value)
        for name, value in counts.items()
        if name != "calls" or value != 1
    ]
    told = ", ".join(words) if words else unit_text(assessment.unit)
    head = write_entry(assessment.context.model, told)
    place = place_name(assessment)
    per = translate(mark("Per {unit}")).format(unit=unit_text(assessment.unit))
    return f"{head}\n{per} · {place}"


def place_name(assessment: Assessment) -> str:
    """The zone, and the year of its greenhouse-gas factor."""
    registry = assessment.context.registry
    zone = zones(registry.data).get(assessment.context.zone.lower())
    name = zone.name(current()) if zone else assessment.context.zone
    for entry in assessment.context.rates.trail:
        if entry.factor.id.endswith(_MAIN["grid", "ghg"]) and entry.factor.year:
            return f"{name} {entry.factor.year}"
    return name


def _impacts(assessment: Assessment) -> Table:
    rows = []
    for category in UNITS:
        value, bounds = _cells(assessment.interval(category), category)
        rows.append(
            (translate(CATEGORIES[category]), value, bounds, _sources(assessment, category))
        )
    return Table(
        "",
        (
            Column(""),
            Column(translate(mark("Central")), "right", wraps=False),
            Column("[5 % – 95 %]", wraps=True),
            Column(translate(mark("Main source"))),
        ),
        tuple(rows),
        key="impacts",
    )


_MAIN = {
    ("grid", "ghg"): (".gwp_location", ".gwp_regulatory"),
    ("grid", "water"): (".water_consumption",),
    ("grid", "primary_energy"): (".primary_energy",),
    ("grid", "adpe"): (".adpe",),
    ("facility", "water"): (".wue",),
    ("embodied", "ghg"): ("embodied_gwp",),
    ("embodied", "water"): ("embodied_water",),
    ("embodied", "primary_energy"): ("embodied_pe",),
    ("embodied", "adpe"): ("embodied_adpe",),
}


def _sources(assessment: Assessment, category: str) -> str:
    """Who says so: the source of the factors of the stages that weigh most in a category."""
    if category == "energy":
        method = assessment.context.method
        return translate(METHODS[method]) if method in METHODS else method
    weights = {}
    for stage, of in assessment.stages.items():
        value = of.get(category)
        if isinstance(value, Interval) and (stage, category) in _MAIN:
            weights[stage] = value.p50
    heavy = [stage for stage in weights if weights[stage] >= _WEIGHTY * sum(weights.values())]
    named = []
    for stage in sorted(heavy, key=lambda stage: -weights[stage]):
        endings = _MAIN[stage, category]
        trail = assessment.context.rates.trail
        entry = next((e for e in trail if e.factor.id.endswith(endings)), None)
        if entry is not None:
            source = entry.factor.source
            mine = " ✎" if source.is_user else ""
            named.append(f"{short_name(source)} {source.year}{mine}")
    return "; ".join(dict.fromkeys(named))


_WEIGHTY = 0.2  # the share of a category from which a stage's source is named


def _versus(ratio: Interval, other: Assessment) -> str:
    sentence = translate(mark("{count} times the energy of {model}, {bounds}"))
    text = write_interval(ratio.p05, ratio.p50, ratio.p95, "number")
    first = sentence.format(count=text.central, model=other.context.model, bounds=text.bounds)
    energy = other.interval("energy")
    shown = interval_text(energy, "energy") if isinstance(energy, Interval) else ""
    first = first.rstrip(" ,")  # a model beside itself differs by a number without bounds
    lines = [f"{first} ({write_entry(other.context.model, shown)})"]
    lines += [f"  · {message}" for message in other.all_warnings()]
    return "\n".join(part for line in lines for part in wrap(line, width()))


def _beside(assessment: Assessment, names: list[str]) -> str:
    """Market-based and marginal figures of the grid, with the grid's own average above them."""
    if not names:
        return ""
    rates = assessment.context.rates
    lines = []
    average = assessment.interval("ghg", "grid")
    if isinstance(average, Interval):
        lines.append(write_entry(translate(mark("Grid, average")), interval_text(average, "ghg")))
    wanted = {"market": ("market",), "marginal": ("marginal", "long_run_marginal")}
    for name in names:
        known = [key for key in wanted[name] if key in rates.beside]
        for key in known:
            interval = Interval("gCO2e", *summarise(assessment.energy_j * rates.beside[key]))
            factor = rates.beside_from[key].factor
            who = f" ({short_name(factor.source)}, {factor.year or factor.source.year})"
            lines.append(write_entry(translate(BESIDE[key]), interval_text(interval, "ghg")) + who)
        if not known:
            sentence = translate(
                mark("{name}: no sourced factor for this zone; add grid.{zone}.{id}.")
            )
            zone = assessment.context.zone.lower()
            label, identity = translate(BESIDE[wanted[name][0]]), _BESIDE_IDS[name]
            lines.append(sentence.format(name=label, zone=zone, id=identity))
    return "\n".join(part for line in lines for part in wrap(line, width()))


_BESIDE_IDS = {"market": "gwp_residual", "marginal": "gwp_operating_margin"}


def _population(population: Population) -> str:
    sentence = translate(mark("{users} users × {per_day} a day:"))
    head = sentence.format(
        users=format_number(population.users, None), per_day=format_number(population.per_day, None)
    )
    rows = [
        (translate(mark("Energy a day")), interval_text(population.day, "energy")),
        (translate(mark("Energy a year")), interval_text(population.year, "energy")),
        (
            translate(mark("Power at the busiest hour")),
            interval_text(population.peak_power, "power"),
        ),
    ]
    ratio = population.peak_ratio
    shown = format_interval(ratio.p05, ratio.p50, ratio.p95, "number")
    who = f"{shown} ({short_name(population.peak_source)} {population.peak_source.year})"
    rows.append((translate(mark("Busiest hour over mean")), who))
    if isinstance(population.ghg_year, Interval):
        rows.append(
            (translate(mark("Greenhouse gas a year")), interval_text(population.ghg_year, "ghg"))
        )
    return write_table(Table(head, (Column(""), Column("")), tuple(rows)), width())


def _methods(methods: Iterable[Method]) -> str:
    from kilowhat.assessment.peers import NO_ECOLOGITS, is_ecologits_installed

    found = list(methods)
    bars = [
        Bar(m.name, base(m.interval.p05, m.interval.unit), base(m.interval.p50, m.interval.unit),
            base(m.interval.p95, m.interval.unit), note=m.note, is_main=m.is_ours)
        for m in found
    ]  # fmt: skip
    title = translate(mark("Published methods and figures for such a use (energy):"))
    lines = [title, write_bars(bars, "energy", width()), *wrap(_spread(found), width()), ""]
    for method in found:
        inside = ", ".join(translate(STAGES[s]) for s in method.boundary if s in STAGES)
        inside = inside or translate(mark("boundary not stated"))
        about = f"{method.note}; {inside}. {method.source}"
        lines += wrap("· " + write_entry(method.name, about), width())
    if not is_ecologits_installed():
        lines += wrap("· " + translate(NO_ECOLOGITS), width())
    return "\n".join(lines)


def _spread(methods: list[Method]) -> str:
    """How far the methods are apart, in a sentence."""
    if len(methods) < 2:
        return translate(mark("No other published method covers this use."))
    middles = [method.interval.p50 for method in methods]
    ends = [(method.interval.p05, method.interval.p95) for method in methods]
    apart = max(low for low, _ in ends) > min(high for _, high in ends)
    sentence = (
        mark(
            "Central values differ by a factor of {factor}, and not all intervals overlap: their "
            "boundaries and assumptions differ."
        )
        if apart
        else mark("Central values differ by a factor of {factor}; all intervals overlap.")
    )
    return translate(sentence).format(factor=format_number(max(middles) / min(middles)))


def likeness_text(likeness: Likeness) -> str:
    """An everyday equivalent in words, with its interval."""
    text = write_interval(likeness.count.p05, likeness.count.p50, likeness.count.p95, "number")
    sentence = translate(mark("about {count} {thing} {bounds}"))
    return sentence.format(
        count=format_number(likeness.said, None), thing=likeness.label(), bounds=text.bounds
    ).rstrip()


def _likenesses(likenesses: Iterable[Likeness]) -> str:
    lines = [
        write_entry(translate(CATEGORIES[item.category]), likeness_text(item))
        + f" ({short_name(item.entry.factor.source)})"
        for item in likenesses
    ]
    return "\n".join(part for line in lines for part in wrap(line, width()))


def write_boundary(assessment: Assessment, *, without: Stage | None = None) -> str:
    """The stages that a result contains, and those that it does not."""
    have = assessment.boundary()
    inside: list[str] = []
    outside: list[str] = []
    for stage in Stage:
        name = translate(STAGES[str(stage.name).lower()])
        if stage is not without:
            (inside if stage in have else outside).append(name)
    sentence = translate(mark("Boundary: {inside}. Not included: {outside}."))
    lines = wrap(sentence.format(inside=", ".join(inside), outside=", ".join(outside)), width())
    for category, stages in assessment.context.rates.incomplete().items():
        sentence = translate(
            mark("{category}: without {stages}, for which no sourced factor is known.")
        )
        names = ", ".join(translate(STAGES[stage]) for stage in stages)
        shown = sentence.format(category=translate(CATEGORIES[category]), stages=names)
        lines += wrap(shown, width())
    return "\n".join(lines)


def _doubts(assessment: Assessment) -> str:
    drivers = assessment.drivers()[:4]
    if not drivers:
        return ""
    listed = ", ".join(f"{cause(d.id)} {format_number(100 * d.share)}\u202f%" for d in drivers)
    sentence = translate(mark("Where the doubt comes from (energy): {drivers}."))
    return "\n".join(wrap(sentence.format(drivers=listed), width()))


def _lines(messages: Iterable[str]) -> str:
    return "\n".join(part for message in messages for part in wrap(f"· {message}", width()))


def _versions(assessment: Assessment, *, explain: bool) -> str:
    result = f"kilowhat {assessment.to_dict(stages=False)['code_version']}"
    data = translate(mark("data {version}")).format(version=assessment.context.registry.version)
    result += f" · {data}"
    if not explain:
        result += " · " + translate(mark("--explain shows every formula, factor and source"))
    return "\n".join(wrap(result, width()))


def write_comparison(comparison: Comparison) -> str:
    """An amount beside everyday things, as text."""
    amount = comparison.amount
    family = FAMILIES[comparison.category]
    factor = parse_unit(amount.unit).factor
    if amount.p05 == amount.p95:
        head = format_quantity(amount.p50 * factor, family, 3)
    else:
        head = interval_text(amount, comparison.category)
    rows = tuple(
        (
            likeness_text(item),
            short_name(item.entry.factor.source),
        )
        for item in comparison.likenesses
    )
    table = Table(f"{head} =", (Column(""), Column(translate(mark("Source")))), rows)
    return write_table(table, width())
