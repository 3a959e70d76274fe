"""The tables of an inventory, for terminals and pages alike: every cell is plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kilowhat.cli.account_words import (
    TIMES,
    category_name,
    change_text,
    count_text,
    doubt_names,
    interval_cell,
    key_name,
    key_text,
    reason_text,
    table_name,
    tally,
    verdict_text,
)
from kilowhat.cli.explain import BASES
from kilowhat.cli.words import STAGES
from kilowhat.display.charts import share_text
from kilowhat.display.dates import weekday_name
from kilowhat.display.plain import plain, shorten
from kilowhat.display.text import Column, Table
from kilowhat.domain.coverage import PRICINGS
from kilowhat.domain.impact import Interval, Missing
from kilowhat.language import current, mark, translate
from kilowhat.quantity.notation import format_number, format_quantity, format_value
from kilowhat.registry.tables import DATA, read_sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kilowhat.domain.coverage import Coverage, Name
    from kilowhat.domain.factor import Source
    from kilowhat.domain.inventory import Alternative, Breakdown, Inventory, Row

SHOWN = ("energy", "ghg")
"""The categories that every row of a table shows."""

HOWS = {
    "exact": mark("its exact name"),
    "alias": mark("another name of it"),
    "dated alias": mark("a dated name of it"),
    "normalised": mark("its name, written otherwise"),
    "mapping": mark("the mapping file"),
    "size": mark("the size in its name"),
    "class": mark("a class of models: the name is unknown"),
    "no size": mark("a class of models: its size is not published"),
}
"""How the name of a model was understood."""


class Selection(NamedTuple):
    """The rows of a table that are shown, how many are not, and their share of the energy [1]."""

    rows: list[Row]
    left_out: int
    share: float


def central(row: Row, category: str = "energy") -> float:
    """The central value of a row in the unit of its category; zero where it is missing."""
    value = row.impacts.get(category)
    return value.p50 if isinstance(value, Interval) else 0.0


def select(breakdown: Breakdown, top: int) -> Selection:
    """The rows that weigh most, in the order of the table."""
    rows = breakdown.rows
    if len(rows) <= top:
        return Selection(list(rows), 0, 0.0)
    ordered = sorted(range(len(rows)), key=lambda index: -central(rows[index]))
    kept = [rows[index] for index in sorted(ordered[:top])]
    whole = sum(central(row) for row in rows)
    rest = sum(central(rows[index]) for index in ordered[top:])
    return Selection(kept, len(rows) - len(kept), rest / whole if whole else 0.0)


def more_text(selection: Selection) -> str:
    """How much a table leaves out: ``… and 12 more (3.1% of the energy)``; empty for nothing."""
    if not selection.left_out:
        return ""
    sentence = translate(mark("… and {count} more ({share} of the energy)"))
    share = share_text(selection.share)
    return sentence.format(count=count_text(selection.left_out), share=share)


def breakdown_table(breakdown: Breakdown, top: int) -> Table:
    """A table of the inventory: keys, calls, tokens, energy and greenhouse gas."""
    selection = select(breakdown, top)
    rows = []
    for row in selection.rows:
        tokens = row.usage.input_tokens + row.usage.output_tokens
        keys = (key_text(key, row.key.get(key, "")) for key in breakdown.keys)
        impacts = (interval_cell(row.impacts.get(name), name) for name in SHOWN)
        rows.append((*keys, count_text(row.usage.calls), count_text(tokens), *impacts))
    columns = (
        *(Column(_capital(key_name(key))) for key in breakdown.keys),
        Column(translate(mark("Calls")), "right", wraps=False),
        Column(translate(mark("Tokens")), "right", wraps=False),
        *(Column(category_name(name), "right") for name in SHOWN),
    )
    more = more_text(selection)
    notes = ([more] if more else []) + _gaps(selection.rows)
    name = table_name(breakdown)
    if selection.left_out and breakdown.keys[0] in TIMES:
        sentence = translate(mark("{table}: the {count} with the most energy"))
        name = sentence.format(table=name, count=count_text(len(rows)))
    return Table(name, columns, tuple(rows), tuple(notes), key="+".join(breakdown.keys))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _gaps(rows: Sequence[Row]) -> list[str]:
    """Why some of the cells are dashes, each reason once."""
    found: dict[tuple[str, str], None] = {}
    for row in rows:
        for name in SHOWN:
            value = row.impacts.get(name)
            if isinstance(value, Missing):
                found[name, value.reason] = None
    return [f"— {category_name(name)} · {translate(reason)}" for name, reason in found]


def impacts_table(impacts: Mapping[str, Interval | Missing], method: str = "") -> Table:
    """The totals, one category a row; the reason stands where a number is missing.

    Args:
        impacts: by category.
        method: of the inventory: the ends of EcoLogits' ranges are no points of a doubt.
    """
    rows = []
    for name, value in impacts.items():
        shown, _, bounds = interval_cell(value, name).partition(" [")
        bounds = f"[{bounds}" if bounds else ""
        if isinstance(value, Missing):
            bounds = translate(value.reason)
        rows.append((category_name(name), shown, bounds))
    columns = (
        Column(""),
        Column(translate(mark("Central")), "right", wraps=False),
        Column(bounds_heading(method)),
    )
    return Table("", columns, tuple(rows), key="impacts")


def bounds_heading(method: str) -> str:
    """What stands in the brackets of a method."""
    if method.startswith("ecologits"):
        return translate(mark("[lowest – highest]"))
    return "[5\u00a0% – 95\u00a0%]"


def alternative_table(inventory: Inventory, other: Alternative, *, is_beside: bool = True) -> Table:
    """Another period, or the same calls under another assumption, and how much that changes.

    Args:
        inventory: what it is compared with.
        other: what is compared.
        is_beside: whether the inventory's own impacts have a column.
    """
    rows = tuple(
        (
            category_name(name),
            *([interval_cell(inventory.impacts.get(name), name)] if is_beside else []),
            interval_cell(other.impacts.get(name), name),
            change_text(other.change.get(name)),
            verdict_text(other.change.get(name), clear=other.clear.get(name, False)),
        )
        for name in inventory.impacts
        if name in other.impacts
    )
    is_period = other.kind == "period"
    title = mark("Compared with {label}") if is_period else mark("What if {label}?")
    label = shorten(other.label)
    columns = (
        Column(""),
        *([Column(translate(mark("This inventory")), "right")] if is_beside else []),
        Column(label, "right"),
        Column(translate(mark("Change")), "right"),
        Column(translate(mark("Verdict"))),
    )
    notes = [plain(translate(note)) for note in other.notes]
    if other.per_day:
        notes.append(
            translate(mark("The change is of means per day, since the periods differ in length."))
        )
    return Table(translate(title).format(label=label), columns, rows, tuple(notes), key=other.kind)


def stages_table(inventory: Inventory) -> Table:
    """The impacts by life-cycle stage."""
    names = list(inventory.impacts)
    rows = tuple(
        (
            plain(translate(STAGES.get(stage, stage))),
            *(interval_cell(of[name], name) if name in of else "" for name in names),
        )
        for stage, of in inventory.stages.items()
    )
    columns = (
        Column(translate(mark("Stage"))),
        *(Column(category_name(name), "right") for name in names),
    )
    return Table(translate(mark("Impacts by stage")), columns, rows, key="stages")


def doubts_table(inventory: Inventory) -> Table:
    """Every cause of the doubt about the energy, with its share."""
    rows = tuple((name, share_text(share)) for name, share in doubt_names(inventory.drivers))
    columns = (
        Column(translate(mark("Cause"))),
        Column(category_name("energy"), "right", wraps=False),
    )
    note = translate(
        mark("Share of the variance of the logarithm that each explains alone; the rest is shared.")
    )
    title = translate(mark("Where the doubt comes from"))
    return Table(title, columns, rows, (note,), key="doubts")


def refused_table(coverage: Coverage) -> Table:
    """Why rows were refused, how many, and where the first of each kind stands."""
    first: dict[str, str] = {}
    for row in coverage.refused_rows:
        place = shorten(row.file) if row.line is None else f"{shorten(row.file)}:{row.line}"
        first.setdefault(row.reason, place)
    ordered = sorted(coverage.refused.items(), key=lambda item: -item[1])
    rows = tuple((reason_text(name), count_text(n), first.get(name, "")) for name, n in ordered)
    columns = (
        Column(translate(mark("Reason"))),
        Column(translate(mark("Rows")), "right", wraps=False),
        Column(translate(mark("First found at"))),
    )
    return Table(translate(mark("Rows refused")), columns, rows, key="refused")


def _understood(name: Name) -> str:
    """How a name was understood, why not, and what may have been meant."""
    how = translate(HOWS.get(name.how) or PRICINGS.get(name.pricing, name.pricing))
    if name.reason:
        how = f"{how} ({plain(translate(name.reason))})"
    if name.nearest:
        meant = translate(mark("did you mean {names}?"))
        how = f"{how} · {meant.format(names=', '.join(shorten(one) for one in name.nearest))}"
    return how


def names_table(coverage: Coverage, top: int | None = None) -> Table:
    """How each name of a model was understood, most calls first."""
    rows = tuple(
        (
            shorten(name.asked) or translate(mark("(not in the log)")),
            shorten(name.provider) or "—",
            shorten(name.model) or "—",
            _understood(name),
            count_text(name.calls),
        )
        for name in coverage.names[:top]
    )
    columns = (
        Column(translate(mark("Name in the log"))),
        Column(translate(mark("Provider"))),
        Column(translate(mark("Understood as"))),
        Column(translate(mark("How"))),
        Column(translate(mark("Calls")), "right", wraps=False),
    )
    left_out = len(coverage.names) - len(rows)
    more = (mark("… and {count} more name"), mark("… and {count} more names"))
    notes = (tally(more, left_out),) if left_out else ()
    title = translate(mark("How the names of models were understood"))
    return Table(title, columns, rows, notes, key="names")


def _number(entry: Mapping[str, object]) -> str:
    """The value of a factor with its bounds, as the trail gives it."""
    value, low, high = (entry.get(name) for name in ("value", "low", "high"))
    if not isinstance(value, (int, float)):
        return "—"
    shown = format_value(value, str(entry.get("unit", "1")))
    if not isinstance(low, (int, float)) or not isinstance(high, (int, float)) or low == high:
        return shown
    return f"{shown} [{format_number(low, 3)}\u00a0–\u00a0{format_number(high, 3)}]"


def factors_table(inventory: Inventory) -> Table:
    """Every factor used: its value, basis, source, and the rung of the look-up."""
    rows = []
    for entry in inventory.trail:
        basis = str(entry.get("basis", ""))
        mine = " ✎" if entry.get("is_user") else ""
        rows.append(
            (
                shorten(str(entry.get("id", ""))),
                _number(entry),
                plain(translate(BASES.get(basis, basis))),
                shorten(str(entry.get("source", ""))) + mine,
                plain(str(entry.get("rung", ""))),
            )
        )
    headings = (mark("Factor"), mark("Value"), mark("Basis"), mark("Source"), mark("Rung"))
    columns = tuple(
        Column(translate(heading), wraps=index in (0, 1, 3))
        for index, heading in enumerate(headings)
    )
    return Table(translate(mark("Factors used")), columns, tuple(rows), key="factors")


def cited(inventory: Inventory) -> list[tuple[str, Source | None]]:
    """The sources of the factors used, by key; without more where they are not shipped."""
    known = read_sources(DATA)
    keys = sorted({str(entry.get("source", "")) for entry in inventory.trail} - {""})
    return [(key, known.get(key)) for key in keys]


def hours_table(inventory: Inventory) -> Table:
    """The energy of each hour of the week: hours down, days across."""
    days = range(7)
    rows = tuple(
        (
            f"{hour}\u00a0h",
            *(
                format_quantity(inventory.by_hour[day, hour], "energy")
                if (day, hour) in inventory.by_hour
                else ""
                for day in days
            ),
        )
        for hour in range(24)
    )
    columns = (
        Column(""),
        *(Column(weekday_name(day, current(), short=True), "right", wraps=False) for day in days),
    )
    return Table("", columns, rows, key="hours")
