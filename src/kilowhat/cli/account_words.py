"""The sentences of an inventory: its period, its coverage, its doubt, its verdicts."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from kilowhat.cli.render import FAMILIES
from kilowhat.cli.words import CATEGORIES, FIELDS, STAGES, cause, counted
from kilowhat.display.charts import share_text
from kilowhat.display.dates import read_date, weekday_name, write_day
from kilowhat.display.plain import plain, shorten
from kilowhat.domain.boundary import Stage
from kilowhat.domain.coverage import LENGTHS, PRICINGS, REASONS
from kilowhat.domain.impact import Interval, Missing
from kilowhat.domain.inventory import KEYS
from kilowhat.language import current, mark, translate
from kilowhat.methods.equivalence import rounded
from kilowhat.quantity.notation import format_number, format_quantity, write_interval
from kilowhat.quantity.units import parse_unit
from kilowhat.registry.places import zones

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kilowhat.domain.coverage import Coverage
    from kilowhat.domain.inventory import Breakdown, Budget, Inventory, Likeness, Period, Usage

TIMES = ("day", "week", "month", "year")
"""Keys whose values are times, which are shown in their order."""

_MILLION = 1e6
_REASONS_NAMED = 3

CALLS = FIELDS["calls"]
DAYS = (mark("{count} day"), mark("{count} days"))
_ROWS = (mark("{count} row"), mark("{count} rows"))


def count_text(count: float) -> str:
    """A count, whole below a million, in millions from there on."""
    if abs(count) < _MILLION:
        return format_number(count, None)
    return f"{format_number(count / _MILLION, 3)}\u00a0M"


def tally(words: tuple[str, str], count: float) -> str:
    """A count with its noun, or in a sentence: singular or plural, in millions if large."""
    if abs(count) < _MILLION:
        return counted(*words, count)
    return translate(words[1]).format(count=count_text(count))


def interval_cell(value: Interval | Missing | None, category: str) -> str:
    """An interval for a table; its bounds stay on one line. A dash where there is none."""
    if not isinstance(value, Interval):
        return "—"
    factor = parse_unit(value.unit).factor
    low, middle, high = (end * factor for end in (value.p05, value.p50, value.p95))
    text = write_interval(low, middle, high, FAMILIES[category])
    return f"{text.value} {_unbroken(text.bounds)}".rstrip()


def _unbroken(text: str) -> str:
    return text.replace(" ", "\u00a0")


def key_name(key: str) -> str:
    """What a key of an inventory is called."""
    return translate(KEYS[key]) if key in KEYS else plain(key)


def key_text(key: str, value: str) -> str:
    """The value of a key as readers know it: the name of a zone or of a day."""
    if not value:
        return translate(mark("(not in the log)"))
    if key == "zone":
        zone = zones().get(value.lower())
        return zone.name(current()) if zone else shorten(value)
    if key == "weekday" and value in _WEEKDAYS:
        return weekday_name(int(value), current())
    if key == "hour" and value.isascii() and value.isdigit():
        return f"{int(value)}\u00a0h"
    if key == "pricing" and value in PRICINGS:
        return translate(PRICINGS[value])
    return shorten(value)


_WEEKDAYS = tuple("0123456")  # Monday to Sunday


def table_name(breakdown: Breakdown) -> str:
    """What a table of an inventory is called: ``By day, model``."""
    keys = ", ".join(key_name(key) for key in breakdown.keys)
    return translate(mark("By {keys}")).format(keys=keys)


def _moment(text: str) -> str:
    day = read_date(text.replace(" ", "T"))
    return write_day(day, current()) if isinstance(day, date) else plain(text)


def period_text(period: Period) -> str:
    """The period in days, with the time zone that they are cut in."""
    if not period.start:
        return translate(mark("no call has a time"))
    days = translate(mark("with calls: {days}")).format(days=counted(*DAYS, period.days))
    span = _moment(period.start)
    if _moment(period.end) != span:
        span = f"{span} – {_moment(period.end)}"
    return f"{span} ({days}, {plain(period.timezone)})"


def usage_text(usage: Usage) -> str:
    """The activity data in a line: calls, tokens, images, seconds of video."""
    cached, reasoning = usage.cached_tokens, usage.reasoning_tokens
    parts = [tally(CALLS, usage.calls)]
    if usage.input_tokens:
        parts.append(tally(FIELDS["in"], usage.input_tokens))
        if cached:
            parts[-1] += f" ({tally(FIELDS['cached'], cached)})"
    if usage.output_tokens:
        parts.append(tally(FIELDS["out"], usage.output_tokens))
        if reasoning:
            parts[-1] += f" ({tally(FIELDS['reasoning'], reasoning)})"
    if usage.images:
        parts.append(tally(FIELDS["images"], usage.images))
    if usage.video_s:
        parts.append(tally(FIELDS["video_s"], round(usage.video_s)))
    return " · ".join(parts)


def _shares(counts: Mapping[str, int], words: Mapping[str, str]) -> str:
    """Counts as shares with their names, in the order of the names; those of none are left out."""
    total = sum(counts.values())
    known = [name for name in words if counts.get(name)]
    known += [name for name in counts if name not in words and counts[name]]
    return " · ".join(
        f"{share_text(counts[name] / total)} {translate(words.get(name, name))}" for name in known
    )


def reason_text(reason: str) -> str:
    """Why a row is refused, in words."""
    return translate(REASONS[reason]) if reason in REASONS else plain(reason)


def refusals_text(coverage: Coverage) -> str:
    """How many rows were refused, with the main reasons; says so when none was."""
    refused = coverage.refused_count()
    read = tally(_ROWS, coverage.rows)
    if not refused:
        return translate(mark("{rows} read, none refused.")).format(rows=read)
    ordered = sorted(coverage.refused.items(), key=lambda item: -item[1])
    told = [f"{reason_text(name)} {count_text(n)}" for name, n in ordered[:_REASONS_NAMED]]
    rest = sum(n for _, n in ordered[_REASONS_NAMED:])
    if rest:
        told.append(translate(mark("other reasons {count}")).format(count=count_text(rest)))
    sentence = translate(mark("{rows} read, {count} refused ({share}): {reasons}."))
    return sentence.format(
        rows=read, count=count_text(refused), reasons=", ".join(told),
        share=share_text(refused / max(coverage.rows, refused)),
    )  # fmt: skip


_NOTED = (
    (
        "failed",
        mark("{count} call failed without using a token: no impact is counted."),
        mark("{count} calls failed without using a token: no impact is counted."),
    ),
    ("undated", mark("{count} call has no time."), mark("{count} calls have no time.")),
    (
        "repeated",
        mark("{count} row repeats the id of another, and was left out."),
        mark("{count} rows repeat the id of another, and were left out."),
    ),
    (
        "others",
        mark("{count} record describes no call, and is no part of the inventory."),
        mark("{count} records describe no call, and are no part of the inventory."),
    ),
    (
        "outside",
        mark("{count} row lies outside the period, or has no time."),
        mark("{count} rows lie outside the period, or have no time."),
    ),
    (
        "annual",
        mark("{count} call has no hourly factor: the mean of the year is used."),
        mark("{count} calls have no hourly factor: the mean of the year is used."),
    ),
)


def coverage_lines(coverage: Coverage) -> list[str]:
    """What share of the log is in the inventory, how, and what is left out."""
    lines = []
    if coverage.calls:
        sentence = translate(mark("{share} of {calls} priced: {how}."))
        share = share_text(coverage.priced_share())
        calls = tally(CALLS, coverage.calls)
        how = _shares(coverage.pricing, PRICINGS)
        lines.append(sentence.format(share=share, calls=calls, how=how))
        lengths = _shares(coverage.lengths, LENGTHS)
        if lengths:
            lines.append(translate(mark("Lengths: {shares}.")).format(shares=lengths))
    else:
        lines.append(translate(mark("No call was found.")))
    lines.append(refusals_text(coverage))
    for name, *words in _NOTED:
        count = getattr(coverage, name)
        if count:
            lines.append(tally((words[0], words[1]), count))
    same = translate(mark("{file} is the same as {other}, and is not counted again."))
    lines += [
        same.format(file=shorten(file), other=shorten(other))
        for file, other in coverage.repeated_files
    ]
    return lines


def doubt_names(drivers: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """The causes of the doubt in words; what a cause is about stands beside it where two share one.

    >>> doubt_names([("model.a-1.5.size", 0.5), ("model.b.size", 0.2), ("deployment.count", 0.1)])
    [('size of the model (a-1.5)', 0.5), ('size of the model (b)', 0.2),
     ('number of accelerators', 0.1)]
    """
    words = [plain(cause(identity)) for identity, _ in drivers]
    often = Counter(words)
    return [
        (f"{name} ({_about(identity)})" if often[name] > 1 else name, share)
        for name, (identity, share) in zip(words, drivers, strict=True)
    ]


def _about(identity: str) -> str:
    """What a factor is about: the middle of its id, or the end of a residual's."""
    residual = ".residual."
    if residual in identity:
        return shorten(identity.partition(residual)[2])
    return shorten(identity.partition(".")[2].rpartition(".")[0] or identity)


def doubt_text(drivers: Sequence[tuple[str, float]], top: int = 5) -> str:
    """The main causes of the doubt about the energy, in a sentence; empty when none is known."""
    if not drivers:
        return ""
    told = [f"{name} {share_text(share)}" for name, share in doubt_names(drivers[:top])]
    sentence = translate(mark("Where the doubt comes from (energy): {drivers}."))
    return sentence.format(drivers=", ".join(told))


def change_text(change: Interval | Missing | None) -> str:
    """A ratio as a change in percent, or as a multiple where it is large: ``−65% [−80 – −40]``."""
    if not isinstance(change, Interval):
        return "—"
    if change.p95 > _MULTIPLE:
        text = write_interval(change.p05, change.p50, change.p95, "number")
        return f"×\u00a0{text.central} {_unbroken(text.bounds)}".rstrip()
    low, middle, high = (_percent(end) for end in (change.p05, change.p50, change.p95))
    space = "\u202f" if current() == "fr" else ""
    bounds = "" if low == high else f" [{low}\u00a0–\u00a0{high}]"
    return f"{middle}{space}%{bounds}"


_MULTIPLE = 3.0  # a ratio from which "× 4" says more than "+300%"


def _percent(ratio: float) -> str:
    """A ratio as a signed percentage, without its sign."""
    change = round(100 * (ratio - 1), 1 if abs(ratio - 1) < 0.1 else 0)
    sign = "+" if change > 0 else ""
    return sign + format_number(change or 0.0, None)


def verdict_text(change: Interval | Missing | None, *, clear: bool) -> str:
    """Whether a change is larger than the doubt, in plain words."""
    if not isinstance(change, Interval):
        return translate(mark("not known"))
    if change.p05 == change.p50 == change.p95 == 1:
        return translate(mark("no change"))
    if clear:
        return translate(mark("the change is larger than the doubt"))
    return translate(mark("the change is smaller than the doubt"))


def verdict_line(change: Interval | Missing, *, clear: bool) -> str:
    """A change and its verdict in one line; the verdict alone where there is no change."""
    verdict = verdict_text(change, clear=clear)
    if isinstance(change, Missing):
        return f"{verdict} ({translate(change.reason)})"
    is_none = change.p05 == change.p50 == change.p95 == 1
    return verdict if is_none else f"{change_text(change)}, {verdict}"


def budget_text(budget: Budget) -> str:
    """Whether a budget is kept, with what was found and the day that it was found on."""
    factor = parse_unit(budget.unit.partition("/")[0]).factor
    family = FAMILIES[budget.category]
    per = "d" if len(budget.day) == len("2025-01-01") else ""  # weeks and months have no symbol
    found = format_quantity(budget.value * factor, family, 3, per=per)
    sentence = translate(
        mark("Budget of {text}: exceeded. {found} found ({point}), {share} of it.")
        if budget.is_exceeded
        else mark("Budget of {text}: kept. {found} found ({point}), {share} of it.")
    )
    point = translate(POINTS.get(budget.point, budget.point))
    if budget.day:
        which = _moment(budget.day) if per else translate(mark("in {period}"))
        point = f"{which.format(period=plain(budget.day))}, {point}"
    share = share_text(budget.value / budget.limit) if budget.limit else "—"
    return sentence.format(text=shorten(budget.text), found=found, point=point, share=share)


POINTS = {
    "p05": mark("5 % point"),
    "p50": mark("central value"),
    "p95": mark("95 % point"),
}


def likeness_text(likeness: Likeness) -> str:
    """An everyday equivalent in words, its count as one would say it."""
    value = likeness.value
    width = value.p95 / value.p05 if value.p05 > 0 else 1.0
    said = rounded(value.p50, width)
    said = said if value.p05 <= said <= value.p95 else rounded(value.p50)
    text = write_interval(value.p05, value.p50, value.p95, "number")
    sentence = translate(mark("about {count} {thing} {bounds}"))
    count = format_number(said, None)
    bounds = _unbroken(text.bounds)
    return sentence.format(count=count, thing=likeness.label, bounds=bounds).rstrip()


def boundary_text(boundary: Sequence[str]) -> str:
    """The stages that every part of an inventory contains, and those that it does not."""
    known = [str(stage.name).lower() for stage in Stage]
    inside, outside = (
        ", ".join(translate(STAGES[name]) for name in known if (name in boundary) is wanted)
        for wanted in (True, False)
    )
    sentence = translate(mark("Boundary: {inside}. Not included: {outside}."))
    return sentence.format(inside=inside or "—", outside=outside or "—")


def method_text(inventory: Inventory) -> str:
    """Who computed it: the program, the method, the data, and how many factors and sources."""
    sources = {entry.get("source") for entry in inventory.trail}
    parts = [
        f"kilowhat {inventory.code_version}",
        translate(mark("method {name}")).format(name=plain(inventory.method)),
        translate(mark("data {version}")).format(version=plain(inventory.data_version)),
        counted(mark("{count} factor"), mark("{count} factors"), len(inventory.trail)),
        counted(mark("{count} source"), mark("{count} sources"), len(sources)),
    ]
    return " · ".join(parts)


def files_text(inventory: Inventory) -> str:
    """The files that were read: how many, and the names of the first."""
    count = max(inventory.source_count, len(inventory.sources))
    if not count:
        return ""
    names = ", ".join(shorten(name) for name in inventory.sources)
    more = ", …" if count > len(inventory.sources) else ""
    head = counted(mark("{count} file"), mark("{count} files"), count)
    formats = ", ".join(f"{plain(name)} {count_text(n)}" for name, n in inventory.formats.items())
    tail = translate(mark("Calls by format: {formats}.")).format(formats=formats)
    told = f"{head} ({names}{more})." if names else f"{head}."
    return f"{told} {tail}" if formats else told


def category_name(category: str) -> str:
    """What a category of impact is called."""
    return translate(CATEGORIES.get(category, category))
