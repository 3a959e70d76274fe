"""The inventory of a log: its cells priced, added up draw by draw, and what was left out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from kilowhat._version import __version__
from kilowhat.assessment.estimator import Estimator
from kilowhat.assessment.everyday import LOCALES, like
from kilowhat.assessment.rates import UNITS
from kilowhat.assessment.result import entry_dict
from kilowhat.assessment.situations import Sums
from kilowhat.assessment.text import METHOD
from kilowhat.domain.impact import Interval
from kilowhat.domain.inventory import Inventory, Likeness, Period
from kilowhat.language import current, mark, translate
from kilowhat.ledger import alternatives, breakdowns, budget, calendar, covered, mapping, places
from kilowhat.ledger.doubt import drivers
from kilowhat.ledger.engine import Engine, named, opened
from kilowhat.ledger.gather import OF_HOURS, PARTS, Gathered, Gatherer
from kilowhat.ledger.names import Names
from kilowhat.ledger.pricing import TURNS, Kind, Priced, Pricer, entries_of, stretch
from kilowhat.ledger.question import LogQuestion, Watch
from kilowhat.ledger.total import Total
from kilowhat.quantity.notation import format_number
from kilowhat.quantity.quantity import Quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.domain.coverage import Coverage
    from kilowhat.domain.factor import Entry
    from kilowhat.domain.inventory import Alternative, Breakdown
    from kilowhat.ledger.calendar import Span
    from kilowhat.ledger.staging import Relation
    from kilowhat.registry.resolve import Registry

_SHOWN_FILES = 20
_LIKENED = {"energy": 2, "ghg": 1, "water": 1}  # how many everyday things are shown of each
_HOURS_OF_WEEK = 7 * 24
_MOST_OF_IT, _WORTH_SAYING = 0.9, 0.01  # of the electricity, for what is said of a part of it
_TOLD = ("provider", "model", "region", "zone", "project", "team", "tier", "operation")
_GROUPS = {"project", "team"}
_OTHER = ("has_media", "video_ms", "lengths")


def account(question: LogQuestion, registry: Registry, watch: Watch | None = None) -> Inventory:
    """The inventory of a log.

    impact = Σ over situations of (Σ over its calls of their features) · price, draw by draw

    Args:
        question: which files, and what is asked of them.
        registry: the sourced numbers.
        watch: told how far the work has come.

    Raises:
        UsageError: a file, an option or a table that cannot be; the sentence says what would do.
    """
    with opened(question.memory, question.threads) as engine:
        return Accountant(engine, question, registry, watch or Watch()).inventory()


class Accountant:
    """Makes the inventory of the logs that a question names.

    Args:
        engine: works on the rows.
        question: what is asked.
        registry: the sourced numbers.
        watch: told how far the work has come.
    """

    def __init__(
        self, engine: Engine, question: LogQuestion, registry: Registry, watch: Watch
    ) -> None:
        self.engine = engine
        self.question = question
        self.registry = registry
        self.watch = watch
        described = mapping.read(question.mapping) if question.mapping else mapping.Described()
        self.where = _where(question, registry)
        self.names = Names(described, registry.data)
        self.pricer = Pricer(Estimator(registry), self.names, self.where)
        self.turns = registry.turns(*TURNS)
        self.limit = budget.parse(question.budget) if question.budget else None
        self.gathered = Gathered()
        self.relations: Sequence[Relation] = ()
        self.kinds: list[Priced] = []
        self.sums = Sums((), registry.draws)

    def inventory(self) -> Inventory:
        """The inventory."""
        question = self.question
        if question.method == "ecologits":
            from kilowhat.ledger.theirs import inventory  # noqa: PLC0415 - an optional extra

            return inventory(self)
        self.gather()
        self.price()
        total = self.total(question.span)
        tables = self.tables(self.wanted())
        whole = total.impacts
        return Inventory(
            period=self.period(),
            usage=total.usage(self._per_token()),
            impacts=whole,
            stages=total.stages(),
            boundary=total.boundary(),
            breakdowns=tables,
            by_hour=self._by_hour() if question.by_hour else {},
            coverage=self._coverage(total),
            drivers=drivers(total.situations(), total.energy_parts()),
            alternatives=self._alternatives(total),
            likenesses=self._likenesses(total),
            budget=budget.check(self.limit, whole, self._by_period()) if self.limit else None,
            trail=self._trail(total),
            warnings=self._warnings(total),
            sources=self.gathered.files[:_SHOWN_FILES],
            source_count=len(self.gathered.files),
            formats=self.formats(),
            method=METHOD,
            code_version=__version__,
            data_version=self.registry.version,
        )

    def gather(self) -> None:
        """Make the cells of the logs, unless they are given."""
        gatherer = Gatherer(self.engine, self.question, self.where, self.watch, self._annual)
        self.gathered = gatherer.gather()
        self.relations, self.request = gatherer.relations, gatherer.request

    def price(self) -> None:
        """Price the kinds of calls that the cells are about."""
        self.watch.begin("price", 0)
        self.engine.shrink()
        self.kinds = self._kinds(PARTS, "placed")
        self.sums = Total.sums_of(self.kinds, self.registry.draws)

    def _annual(self, zone: str, year: int) -> float | None:
        """The factor of the grid of a zone in a year that ours are drawn around [gCO2e/kWh]."""
        entry = self.registry.find(
            f"grid.{zone}.gwp_location", when=calendar.EPOCH.replace(year=year)
        )
        return entry.factor.central if entry else None

    def _per_token(self) -> tuple[float, float]:
        return self.pricer.characters_per_token(self.kinds)

    # Kinds of calls

    def _kinds(self, view: str, table: str) -> list[Priced]:
        """The kinds of calls in some cells, priced; and the cells with their kinds, a table."""
        days = [int(row[0]) for row in self.engine.rows(f"SELECT DISTINCT day FROM {view}")]
        held = {day: stretch(day, self.turns) for day in days}
        values = ", ".join(f"({day}, {first})" for day, first in held.items()) or "(-1, -1)"
        asked = self.where.keys()
        told = [name if name not in _GROUPS or name in asked else f"'' AS {name}" for name in _TOLD]
        keys = ", ".join([*told, *_OTHER])
        self.engine.run(f"CREATE OR REPLACE TABLE days AS FROM (VALUES {values}) AS d(day, held)")
        self.engine.run(
            f"CREATE OR REPLACE TABLE kinds AS SELECT row_number() OVER () - 1 AS kind, * FROM "
            f"(SELECT DISTINCT {keys}, held FROM {view} JOIN days USING (day) ORDER BY ALL)"
        )
        chosen = ", ".join([*_TOLD, *_OTHER, "held"])
        found = [
            self.pricer.price(Kind(*row))
            for row in self.engine.rows(f"SELECT {chosen} FROM kinds ORDER BY kind")
        ]
        self._label(found)
        mine = [name for name in (*_TOLD, *_OTHER) if name not in _GROUPS or name in asked]
        same = " AND ".join(f"c.{name} = k.{name}" for name in mine)
        shown = ", ".join(f"c.{named(key)}" for key in breakdowns.SHOWN)
        sums = ", ".join(breakdowns.amounts(self.gathered.weights if view == PARTS else ()))
        self.engine.run(
            f"CREATE OR REPLACE TABLE {table} AS SELECT k.kind, {shown}, {sums} FROM {view} AS c "
            f"JOIN days AS d ON c.day = d.day JOIN kinds AS k ON {same} AND k.held = d.held"
        )
        return found

    def _label(self, kinds: Sequence[Priced]) -> None:
        """Put what tables call the kinds beside them."""
        labels = {
            "kind": np.arange(len(kinds)),
            "label": np.array([each.understood.label for each in kinds], dtype=object),
            "place": np.array([each.zone for each in kinds], dtype=object),
            "pricing": np.array([each.pricing for each in kinds], dtype=object),
            "operator": np.array([each.operator for each in kinds], dtype=object),
        }
        self.engine.put("labels", labels)

    def total(self, span: Span) -> Total:
        """The sum of the calls of some days."""
        asked = (
            f"SELECT kind, {breakdowns.sums(self.gathered.weights)} FROM placed "
            f"WHERE {breakdowns.within(span)} GROUP BY kind ORDER BY kind"
        )
        columns = self.engine.columns(asked)
        of = columns.pop("kind").astype(np.intp)
        return Total.made(columns, of, self.kinds, self.sums)

    # What is shown

    def wanted(self) -> list[tuple[str, ...]]:
        """The tables that are asked for; else the usual ones that have something to say."""
        if self.question.by:
            return [breakdowns.check(keys) for keys in self.question.by]
        found: list[tuple[str, ...]] = []
        for keys in breakdowns.USUAL:
            asked = f"SELECT count(DISTINCT {keys[0]}) FROM placed WHERE {keys[0]} <> ''"
            if keys[0] not in _GROUPS or self.engine.rows(asked)[0][0]:
                found.append(keys)
        return found

    def tables(self, wanted: Sequence[Sequence[str]]) -> list[Breakdown]:
        """The inventory by some keys, a table each, priced together."""
        drafts = [
            breakdowns.draft(
                self.engine,
                keys,
                self.kinds,
                weights=self.gathered.weights,
                where=breakdowns.within(self.question.span),
                per_token=self._per_token(),
            )
            for keys in wanted
        ]
        impacts = self.sums.impacts([draft.entries for draft in drafts])
        return [draft.priced(of) for draft, of in zip(drafts, impacts, strict=True)]

    def _by_period(self) -> Breakdown | None:
        if self.limit is None or not self.limit.per:
            return None
        return self.tables([(self.limit.per,)])[0]

    def period(self) -> Period:
        """The time from the first call to the last."""
        asked = (
            "SELECT min(day), max(day), count(DISTINCT day) FROM placed "
            f"WHERE day >= 0 AND {breakdowns.within(self.question.span)}"
        )
        first, last, days = self.engine.rows(asked)[0]
        if first is None:
            return Period("", "", self.question.timezone, 0)
        ends = calendar.as_date(first).isoformat(), calendar.as_date(last).isoformat()
        return Period(*ends, self.question.timezone, int(days))

    def _coverage(self, total: Total) -> Coverage:
        inside = breakdowns.within(self.question.span)
        asked = f"SELECT coalesce(sum(calls), 0) FROM placed WHERE day < 0 AND {inside}"
        undated = int(self.engine.rows(asked)[0][0])
        return covered.coverage(total, self.gathered, undated, self.names.nearest)

    def _alternatives(self, total: Total) -> list[Alternative]:
        found = [alternatives.what_if(c, total, self.pricer) for c in self.question.what_if]
        compared = self.question.compared
        if compared is not None:
            days = self.days(self.question.span), self.days(compared)
            label = compared.label()
            other = self.total(compared)
            found.append(alternatives.period(label, total, other, days, self.pricer))
        return found

    def days(self, span: Span) -> int:
        """How many days of a span have calls [1]."""
        asked = (
            f"SELECT count(DISTINCT day) FROM placed WHERE day >= 0 AND {breakdowns.within(span)}"
        )
        return int(self.engine.rows(asked)[0][0])

    def _likenesses(self, total: Total) -> list[Likeness]:
        locale = LOCALES.get(current(), "world")
        found = []
        for category, most in _LIKENED.items():
            draws = total.draws(category)
            if draws.min() <= 0 or not isinstance(total.impacts[category], Interval):
                continue
            amount = Quantity.of(draws, UNITS[category])
            for each in like(amount, category, self.registry, locale, most):
                source = each.entry.factor.source.key
                found.append(Likeness(category, each.label(), each.count, source))
        return found

    def _trail(self, total: Total) -> list[dict[str, object]]:
        """Every factor that was used, once."""
        found: dict[tuple[object, object], Entry] = {}
        for situation in total.situations():
            for entry in situation.prepared.context.whole_trail():
                found.setdefault((entry.factor.stream, entry.factor.year), entry)
        found |= {(name, None): entry for name, entry in self.pricer.trail.items()}
        return [entry_dict(entry) for entry in found.values()]

    def _warnings(self, total: Total) -> list[str]:
        """What a reader should know: what is said of much of the electricity, most first."""
        parts = [float(part.mean()) for part in total.energy_parts()]
        whole = sum(parts) or 1.0
        shares: Counter[str] = Counter()
        for situation, part in zip(total.situations(), parts, strict=True):
            for sentence in situation.prepared.context.said():
                shares[sentence] += part / whole  # type: ignore[assignment]
        found = []
        for sentence, share in shares.most_common():
            if share >= _MOST_OF_IT:
                found.append(sentence)
            elif share >= _WORTH_SAYING:
                told = translate(mark("{sentence} ({share} % of the electricity)"))
                shown = format_number(100 * share, 2)
                found.append(told.format(sentence=sentence.rstrip("."), share=shown))
        return [*found, *self.of_log()]

    def of_log(self) -> list[str]:
        """What a reader should know of the log itself."""
        found = []
        if self.where.unknown:
            sentence = translate(mark("No such zone or region is known: {names}."))
            listed = ", ".join(f"“{name[:60]}”" for name in list(self.where.unknown)[:5])
            found.append(sentence.format(names=listed))
        if self.gathered.boundary == "direct":
            found.append(
                translate(mark("The hourly factors are direct: what is upstream follows them."))
            )
        return found

    def formats(self) -> dict[str, int]:
        """Calls by the format of their log [1]."""
        asked = (
            "SELECT format, sum(calls)::BIGINT FROM placed "
            f"WHERE {breakdowns.within(self.question.span)} GROUP BY ALL ORDER BY ALL"
        )
        return {str(name): int(count) for name, count in self.engine.rows(asked)}

    def _by_hour(self) -> dict[tuple[int, int], float]:
        """The electricity of each hour of the week, central value [J], by weekday and hour."""
        kinds = self._kinds(OF_HOURS, "placed_by_hour")
        columns = self.engine.columns(
            f"SELECT hour, kind, {breakdowns.sums()} FROM placed_by_hour WHERE hour >= 0 "
            "GROUP BY ALL ORDER BY ALL"
        )
        hours, of = columns.pop("hour").astype(np.intp), columns.pop("kind").astype(np.intp)
        sums = Total.sums_of(kinds, self.registry.draws)
        entries = entries_of(hours, of, columns, kinds, _HOURS_OF_WEEK)
        points = sums.intervals(entries, "energy")[:, 1]
        return {divmod(hour, 24): float(points[hour]) for hour in range(_HOURS_OF_WEEK)}


def _where(question: LogQuestion, registry: Registry) -> places.Places:
    if question.zones is not None:
        return places.read(question.zones, question.zone, registry.data)
    return places.Places((), question.zone, registry.data)
