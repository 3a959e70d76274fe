"""An assessment in a few lines, and as a table and chart for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kilowhat.assessment.rates import LABELS
from kilowhat.display.bars import Interval as Bar
from kilowhat.display.html import write_fragment, write_html_table
from kilowhat.display.svg import draw_intervals
from kilowhat.display.text import Column, Table, write_table
from kilowhat.domain.boundary import names
from kilowhat.domain.impact import Interval, Missing
from kilowhat.language import mark, translate
from kilowhat.quantity.notation import write_interval
from kilowhat.quantity.units import parse_unit

if TYPE_CHECKING:
    from kilowhat.assessment.result import Assessment


def _row(category: str, value: Interval | Missing) -> tuple[str, str, str]:
    label = translate(LABELS[category])
    if isinstance(value, Missing):
        return label, "—", translate(value.reason)
    factor = parse_unit(value.unit).factor
    text = write_interval(value.p05 * factor, value.p50 * factor, value.p95 * factor, category)
    return label, text.value, text.bounds


def _table(assessment: Assessment) -> Table:
    title = f"{assessment.context.model}, {assessment.unit.name}, {assessment.context.zone}"
    rows = tuple(_row(category, value) for category, value in assessment.impacts.items())
    columns = (Column(""), Column("", "right", wraps=False), Column("[5 % – 95 %]", wraps=False))
    sentence = translate(mark("Boundary: {inside}."))
    boundary = sentence.format(inside=", ".join(names(assessment.boundary())))
    version = f"{assessment.context.method}, {assessment.context.registry.version}"
    return Table(title, columns, rows, (boundary, version), key="assessment")


def as_text(assessment: Assessment) -> str:
    """The impacts with their intervals and boundary, as aligned text."""
    return write_table(_table(assessment))


def as_html(assessment: Assessment) -> str:
    """The impacts as a table, and the energy of the stages as a chart on a logarithmic axis."""
    bars = [
        Bar(stage, value.p05, value.p50, value.p95)
        for stage, of in assessment.stages.items()
        if isinstance(value := of.get("energy"), Interval) and value.p05 > 0
    ]
    parts = [write_html_table(_table(assessment))]
    if bars:
        parts.append(draw_intervals(bars, "energy", translate(mark("Energy by stage"))))
    return write_fragment(*parts)
