"""``--explain``: each formula with its numbers, each factor with its source, each doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kilowhat.cli.render import interval_text, width
from kilowhat.cli.words import CATEGORIES, STAGES
from kilowhat.display.text import Column, Table, wrap, write_entry, write_table
from kilowhat.domain.impact import Interval
from kilowhat.language import mark, translate
from kilowhat.quantity.notation import format_number, format_quantity, format_value, write_interval
from kilowhat.quantity.spread import summarise

if TYPE_CHECKING:
    from kilowhat.assessment.result import Assessment
    from kilowhat.domain.factor import Entry

TERMS = {
    "fresh_tokens": mark("prompt tokens computed"),
    "output_tokens": mark("tokens generated"),
    "input_x_output": mark("prompt × generated (cache read)"),
    "output_squared": mark("generated² (cache read)"),
    "input_squared_minus_cached_squared": mark("prompt² − cached² (attention)"),
    "images": mark("images"),
    "videos": mark("videos"),
    "images_x_output": mark("images × generated (cache read)"),
    "videos_x_output": mark("videos × generated (cache read)"),
    "uses": mark("uses"),
    "seconds": mark("seconds"),
}
FORMULAS: dict[str, tuple[str, tuple[str, ...]]] = {
    "host": (mark("E_host = E_accelerator · (host ratio − 1)"), (".host_ratio",)),
    "idle": (mark("E_idle = (E_accelerator + E_host) · (idle ratio − 1)"), (".idle_ratio",)),
    "facility": (mark("E_facility = E_IT · (PUE − 1);  W_site = E_IT · WUE"), (".pue", ".wue")),
    "grid": (
        mark("GHG = E · intensity;  losses = GHG · share / (1 − share);  others = E · factor"),
        (".gwp_location", ".gwp_regulatory", ".losses", ".direct_share", ".water_consumption",
         ".primary_energy", ".adpe"),
    ),
    "embodied": (
        mark("I = (accelerator + its share of the node) · time / (lifetime · utilisation)"),
        (".lifetime", ".utilisation", "embodied_gwp", "embodied_adpe", "embodied_pe",
         "embodied_water"),
    ),
}  # fmt: skip


BASES = {
    "measured": mark("measured"),
    "declared": mark("declared"),
    "modelled": mark("modelled"),
    "assumed": mark("assumed"),
}


def write_explanation(assessment: Assessment) -> str:
    """Everything behind a result, as text."""
    parts = [_title(mark("How it is computed"))]
    parts += [_accelerators(assessment), *_stages(assessment)]
    parts += [
        _title(mark("Factors, who says so, and the rung of the look-up")),
        _factors(assessment),
    ]
    parts += [_title(mark("Where the doubt comes from")), _doubts(assessment)]
    parts += [_title(mark("Sources")), _sources(assessment)]
    return "\n\n".join(part for part in parts if part)


def _title(text: str) -> str:
    shown = translate(text)
    return f"{shown}\n{'─' * len(shown)}"


def _accelerators(assessment: Assessment) -> str:
    """The energy of the accelerators, feature by feature."""
    terms = assessment.terms
    if terms is None:
        return ""
    formula = translate(mark("E_accelerator = Σ amount · price"))
    lines = [formula, *_hardware(assessment)]
    for name, amount, price in zip(terms.names, terms.amounts, terms.prices, strict=True):
        middle = float(np.median(price))
        if amount and middle:
            each = format_quantity(middle, "primary_energy", 3)
            total = format_quantity(float(amount) * middle, "primary_energy", 3)
            label = translate(TERMS.get(name, name))
            count = format_number(float(amount), None)
            lines.append("  " + write_entry(label, f"{count} × {each} = {total}"))
    energy = assessment.interval("energy", "accelerator")
    if isinstance(energy, Interval):
        lines.append(f"  = {interval_text(energy, 'energy')}")
    return "\n".join(lines)


def _hardware(assessment: Assessment) -> list[str]:
    """The deployment that was assumed: its accelerators and what is in flight on them."""
    context = assessment.context
    lines = []
    if context.accelerators:
        machines = translate(STAGES["accelerator"])
        lines.append("  " + write_entry(machines, ", ".join(context.accelerators)))
    for name, values in context.influences.items():
        if name in DEPLOYMENT:
            text = write_interval(*summarise(values), "number")
            lines.append("  " + write_entry(translate(DEPLOYMENT[name]), str(text)))
    return lines


DEPLOYMENT = {
    "deployment.concurrency": mark("calls in flight"),
    "deployment.count": mark("accelerators that share them"),
    "deployment.batch": mark("generated at once"),
    "deployment.serving_software": mark("energy relative to the serving software measured"),
}


def _stages(assessment: Assessment) -> list[str]:
    """Each later stage: its formula, its factors' values, its result."""
    blocks = []
    for stage, values in assessment.stages.items():
        if stage not in FORMULAS:
            continue
        formula, endings = FORMULAS[stage]
        lines = wrap(write_entry(translate(STAGES[stage]), translate(formula)), width())
        if stage == "embodied":
            time = str(write_interval(*summarise(assessment.occupancy_s), "time"))
            lines.append("  " + write_entry(translate(mark("accelerator time")), time))
        seen = set()
        for entry in assessment.context.rates.trail:
            factor = entry.factor
            if factor.id.endswith(endings) and factor.id not in seen:
                seen.add(factor.id)
                lines.append(f"  {factor.id} = {_value(entry)}")
        for category, value in values.items():
            name = translate(CATEGORIES[category])
            if isinstance(value, Interval):
                lines.append("  → " + write_entry(name, interval_text(value, category)))
            else:
                lines.append("  → " + write_entry(name, f"— ({translate(value.reason)})"))
        blocks.append("\n".join(lines))
    parts = assessment.parts()
    if parts:
        lines = [translate(mark("Greenhouse gas of the grid, apart:"))]
        lines += [
            "  " + write_entry(translate(PARTS[name]), interval_text(value, "ghg"))
            for name, value in parts.items()
        ]
        blocks.append("\n".join(lines))
    return blocks


PARTS = {
    "direct": mark("direct, at the power plants (what Scope 2 takes)"),
    "upstream": mark("upstream: fuels and plants (Scope 3, category 3)"),
    "losses": mark("losses of the network (Scope 3, category 3)"),
}


def _value(entry: Entry) -> str:
    factor = entry.factor
    central = format_value(factor.central, factor.unit)
    if factor.low == factor.high:
        return central
    low, high = format_number(factor.low, 3), format_number(factor.high, 3)
    return f"{central} [{low} – {high}]"


def _factors(assessment: Assessment) -> str:
    rows = []
    for entry in assessment.trail():
        factor = entry.factor
        source = factor.source
        mine = " ✎" if source.is_user else ""
        basis = translate(BASES[factor.basis])
        rows.append((factor.id, _value(entry), basis, source.key + mine, entry.rung.label()))
    headings = (mark("Factor"), mark("Value"), mark("Basis"), mark("Source"), mark("Rung"))
    columns = tuple(
        Column(translate(heading), wraps=index in (1, 3)) for index, heading in enumerate(headings)
    )
    return write_table(Table("", columns, tuple(rows), key="factors"), width())


def _doubts(assessment: Assessment) -> str:
    shares: dict[str, dict[str, float]] = {}
    for category in ("energy", "ghg", "water"):
        for driver in assessment.drivers(category):
            shares.setdefault(driver.id, {})[category] = driver.share
    rows = tuple(
        (
            name,
            *(
                f"{format_number(100 * of[c])} %" if c in of else ""
                for c in ("energy", "ghg", "water")
            ),
        )
        for name, of in sorted(shares.items(), key=lambda item: -max(item[1].values()))
    )
    columns = (
        Column(translate(mark("Cause"))),
        *(Column(translate(CATEGORIES[c]), "right") for c in ("energy", "ghg", "water")),
    )
    note = translate(
        mark("Share of the variance of the logarithm that each explains alone; the rest is shared.")
    )
    return write_table(Table("", columns, rows, (note,), key="doubts"), width())


def _sources(assessment: Assessment) -> str:
    found = {entry.factor.source.key: entry.factor.source for entry in assessment.trail()}
    lines = []
    for key, source in sorted(found.items()):
        lines += wrap(f"{key}: {source.citation()} ({source.licence})", width())
    return "\n".join(lines)
