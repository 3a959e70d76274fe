"""An inventory as text: what matters first, in the reader's language and width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kilowhat.cli.account_tables import (
    alternative_table,
    breakdown_table,
    cited,
    doubts_table,
    factors_table,
    impacts_table,
    names_table,
    refused_table,
    stages_table,
)
from kilowhat.cli.account_words import (
    DAYS,
    TIMES,
    boundary_text,
    budget_text,
    category_name,
    coverage_lines,
    doubt_text,
    files_text,
    likeness_text,
    method_text,
    period_text,
    usage_text,
)
from kilowhat.cli.render import width
from kilowhat.cli.words import counted
from kilowhat.display.dates import day_of, read_date, slot
from kilowhat.display.plain import is_hidden, plain
from kilowhat.display.series import name_slot
from kilowhat.display.sparkline import draw_sparkline, gather
from kilowhat.display.text import wrap, write_entry, write_table
from kilowhat.domain.impact import Interval
from kilowhat.language import current, mark, translate
from kilowhat.quantity.notation import format_quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kilowhat.domain.coverage import Coverage, Name
    from kilowhat.domain.inventory import Breakdown, Inventory

_LEAST_POINTS = 3  # fewer say more in a table than in a line of signs
_ROOMY = 80  # columns from which an alternative stands beside the inventory
_WIDEST_LINE = 73  # signs: a year in fives, and nothing runs on


def write_inventory(
    inventory: Inventory, *, top: int = 10, explain: bool = False, said: Sequence[str] = ()
) -> str:
    """The inventory as text, for a terminal or a pipe.

    Args:
        inventory: what to show.
        top: rows of each table at the most [1].
        explain: whether to list every stage, cause, factor, source and refusal as well.
        said: what the reader should know of how the question was read.
    """
    parts = [
        _heading(inventory),
        write_table(impacts_table(inventory.impacts, inventory.method), width()),
    ]
    parts.append(_wrapped(coverage_lines(inventory.coverage)))
    for breakdown in inventory.breakdowns:
        parts += [_series(breakdown), write_table(breakdown_table(breakdown, top), width())]
    parts.append(_wrapped([doubt_text(inventory.drivers)]))
    parts += [
        write_table(alternative_table(inventory, other, is_beside=width() >= _ROOMY), width())
        for other in inventory.alternatives
    ]
    if inventory.budget is not None:
        parts.append(_wrapped([budget_text(inventory.budget)]))
    if explain:
        parts += _explanation(inventory)
    parts += [_likenesses(inventory), _points((*said, *inventory.warnings))]
    parts.append(_last(inventory, explain=explain))
    return "\n\n".join(part for part in parts if part)


def _wrapped(lines: Iterable[str]) -> str:
    return "\n".join(part for line in lines if line for part in wrap(line, width()))


def _points(messages: Iterable[str]) -> str:
    return _wrapped(f"· {plain(message)}" for message in messages)


def _heading(inventory: Inventory) -> str:
    period = write_entry(translate(mark("Period")), period_text(inventory.period))
    return _wrapped([period, usage_text(inventory.usage)])


def _series(breakdown: Breakdown) -> str:
    """A table of days (weeks, months, years) as one line of signs, with its highest."""
    if len(breakdown.keys) != 1 or breakdown.keys[0] not in TIMES:
        return ""
    period = breakdown.keys[0]
    found: dict[int, float] = {}
    for row in breakdown.rows:
        day, value = read_date(row.key[period]), row.impacts.get("energy")
        if day is not None and isinstance(value, Interval):
            found[slot(day, period)] = value.p50
    if len(found) < _LEAST_POINTS:
        return ""
    return _signs(found, period)


def _signs(found: dict[int, float], period: str) -> str:
    first, last = min(found), max(found)
    values = [found.get(number) for number in range(first, last + 1)]
    signs, size = gather(values, min(width(), _WIDEST_LINE))
    begin, end = (name_slot(day_of(n, period), period, current()) for n in (first, last))
    most = max(found, key=lambda number: found[number])
    told = translate(_HIGHEST[period]).format(
        begin=begin, end=end, most=format_quantity(found[most], "energy"),
        when=name_slot(day_of(most, period), period, current()),
    )  # fmt: skip
    if size > 1:
        told += " " + translate(mark("Each sign is {count}.")).format(count=_span(size, period))
    return "\n".join([draw_sparkline(signs), *wrap(told, width())])


_HIGHEST = {
    "day": mark("Energy, {begin} – {end}; the highest day: {most} ({when})."),
    "week": mark("Energy, {begin} – {end}; the highest week: {most} ({when})."),
    "month": mark("Energy, {begin} – {end}; the highest month: {most} ({when})."),
    "year": mark("Energy, {begin} – {end}; the highest year: {most} ({when})."),
}
_SPANS = {
    "day": DAYS,
    "week": (mark("{count} week"), mark("{count} weeks")),
    "month": (mark("{count} month"), mark("{count} months")),
    "year": (mark("{count} year"), mark("{count} years")),
}


def _span(size: int, period: str) -> str:
    return counted(*_SPANS[period], size)


def _likenesses(inventory: Inventory) -> str:
    return _wrapped(
        write_entry(category_name(item.category), plain(likeness_text(item)))
        + f" ({plain(item.source)})"
        for item in inventory.likenesses
    )


def _last(inventory: Inventory, *, explain: bool) -> str:
    method = method_text(inventory)
    if not explain:
        method += " · " + translate(mark("--explain lists every stage, factor and source"))
    return _wrapped([boundary_text(inventory.boundary), files_text(inventory), method])


def _explanation(inventory: Inventory) -> list[str]:
    """Every stage, cause of doubt, refusal, factor and source."""
    tables = [stages_table(inventory)]
    if inventory.drivers:
        tables.append(doubts_table(inventory))
    if inventory.coverage.refused:
        tables.append(refused_table(inventory.coverage))
    tables.append(factors_table(inventory))
    parts = [write_table(table, width()) for table in tables if table.rows]
    rows = [
        f"{plain(row.file)}:{row.line}" if row.line is not None else plain(row.file)
        for row in inventory.coverage.refused_rows
    ]
    if rows:
        heading = translate(mark("The first rows refused"))
        parts.append(_wrapped([write_entry(heading, ", ".join(rows))]))
    sources = [
        write_entry(key, f"{source.citation()} ({source.licence})") if source else plain(key)
        for key, source in cited(inventory)
    ]
    if sources:
        parts.append(_wrapped([translate(mark("Sources")), *sources]))
    return parts


def write_names(coverage: Coverage) -> str:
    """How each name of a model was understood, and what a mapping file that overrules it says."""
    table = names_table(coverage)
    if not table.rows:
        return translate(mark("No call was found."))
    return "\n\n".join([write_table(table, width()), _mapping(coverage.names)])


def _mapping(names: Sequence[Name]) -> str:
    """The lines of a mapping file for the names that were not known, else for the first."""
    unsure = [name for name in names if name.pricing not in ("model", "mapping")] or names[:1]
    intro = translate(
        mark("To overrule it, put lines such as these into a file and give it with --map:")
    )
    lines = ["[models]"]
    lines += [_mapping_line(name) for name in {name.asked: name for name in unsure}.values()]
    hint = translate(mark("a name may be a pattern, and a model may be described:"))
    lines.append(f"# {hint}")
    lines.append('# "my-model-*" = { parameters = 70e9, active = 12e9 }')
    return "\n".join([*wrap(intro, width()), "", *lines])


BLANK = mark("name of a model")


def _mapping_line(name: Name) -> str:
    """A line that says what a name stands for; a remark to fill in where nothing is near."""
    meant = name.nearest or ((name.model,) if name.pricing in ("model", "mapping") else ())
    if not meant:
        return f"# {toml_text(name.asked)} = {toml_text(translate(BLANK))}"
    line = f"{toml_text(name.asked)} = {toml_text(meant[0])}"
    if name.nearest:
        line = f"# {line}"  # a guess, to be looked at first
    others = ", ".join(plain(one) for one in meant[1:])
    return f"{line}  # {others}" if others else line


def toml_text(text: str) -> str:
    r"""The text as a quoted string of a mapping file, with hidden signs written as numbers.

    >>> toml_text('a"b\x1b')
    '"a\\"b\\u001b"'
    """
    signs = []
    for sign in text:
        if sign in '"\\':
            signs.append(f"\\{sign}")
        elif 0xD800 <= ord(sign) <= 0xDFFF:
            signs.append("\\ufffd")  # half of a character: no file can hold it
        elif is_hidden(sign) or sign in "\u2028\u2029":
            signs.append(f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}")
        else:
            signs.append(sign)
    return f'"{"".join(signs)}"'
