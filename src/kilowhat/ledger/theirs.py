"""The inventory of a log by EcoLogits' formulas: the sums of what its library says of each call.

Its numbers are ranges between the fewest and the most parameters that a model may have.  Lowest
and highest stand where our method has the 5 % and 95 % points, and their mean in the middle.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from importlib.metadata import version
from operator import or_
from typing import TYPE_CHECKING

from kilowhat._version import __version__
from kilowhat.assessment.result import entry_dict
from kilowhat.domain.boundary import names as stage_names
from kilowhat.domain.coverage import Coverage, Name
from kilowhat.domain.inventory import Inventory
from kilowhat.errors import InvalidValue
from kilowhat.language import mark, translate
from kilowhat.ledger import (
    breakdowns,
    budget,
    cells,
    ecologits,
    theirs_calls,
    theirs_change,
    theirs_words,
)
from kilowhat.ledger.pricing import CHARACTERS_IN, CHARACTERS_OUT
from kilowhat.ledger.theirs_sums import Tables

if TYPE_CHECKING:
    from kilowhat.domain.factor import Entry
    from kilowhat.domain.inventory import Alternative, Breakdown, Usage
    from kilowhat.ledger.account import Accountant
    from kilowhat.ledger.question import LogQuestion
    from kilowhat.ledger.theirs_sums import Sums

_SHOWN_FILES = 20
_FAILED = f"lengths = {cells.FAILED}"
# A row of an unknown number of calls stands for one.
_COUNT = f"sum(CASE WHEN lengths = {cells.TOTALS} THEN rows ELSE calls END)::BIGINT"


def inventory(accountant: Accountant) -> Inventory:
    """The inventory of a log by EcoLogits' formulas.

    Args:
        accountant: knows the question, where calls run, and what the names of models mean.

    Raises:
        InvalidValue: something is asked that this method cannot give.
        MissingExtra: EcoLogits is not installed.
        UsageError: a file, an option or a table that cannot be; the sentence says what would do.
    """
    _check(accountant.question)
    ecologits.models_needed([])  # says at once when EcoLogits is not installed
    accountant.gather()
    return Theirs(accountant).inventory()


def _check(question: LogQuestion) -> None:
    """Refuse what needs our method."""
    calls = mark("--method ecologits needs the calls themselves, not sums of them")
    hours = mark("--method ecologits knows no hourly factors: they work with our method only")
    place = mark("--method ecologits can change the place alone: zone=SWE or region=aws:eu-west-3")
    changes = [theirs_change.label(c) for c in question.what_if if not theirs_change.is_place(c)]
    for name, value, expected in (
        ("cells", ", ".join(map(str, question.cells)), calls),
        ("table", question.table, calls),
        ("engine", question.engine if question.engine != "duckdb" else "", calls),
        ("hourly", question.hourly, hours),
        ("what-if", "; ".join(changes), place),
    ):
        if value:
            raise InvalidValue(name=name, value=value, expected=translate(expected))


class Theirs:
    """Makes the inventory of calls that were gathered, by EcoLogits' formulas.

    Args:
        accountant: gathered the calls.
    """

    def __init__(self, accountant: Accountant) -> None:
        self.accountant = accountant
        self.engine = accountant.engine
        self.question = accountant.question
        accountant.watch.begin("price", 0)
        self.known = theirs_calls.models(self.engine, accountant.names)
        self.staged = self._staged()
        self.trail: list[Entry] = []
        self.tables = Tables(self.staged, self._per_token())

    def _staged(self) -> theirs_calls.Staged:
        """The sums of all calls, in one pass over each relation."""
        accountant = self.accountant
        staged = theirs_calls.Staged(self.engine, accountant.where, self.known)
        for relation in accountant.relations:
            request = accountant.request(relation)
            if self.question.by_hour:
                request = replace(request, keys=(*request.keys, "hour"))
            accountant.watch.begin("sum", 0)
            statement = staged.statement(relation, request)
            self.engine.watched(statement, accountant.watch.progress)
        staged.finish()
        return staged

    def _per_token(self) -> tuple[float, float]:
        """Characters of a token of a prompt and of an answer [1], where the log has characters."""
        asked = f"SELECT count(*) FROM placed WHERE lengths = {cells.CHARACTERS}"
        if not self.engine.rows(asked)[0][0]:
            return 1.0, 1.0
        registry = self.accountant.registry
        self.trail = [registry.factor(name) for name in (CHARACTERS_IN, CHARACTERS_OUT)]
        whole, out = (entry.factor.central for entry in self.trail)
        return whole, out

    def inventory(self) -> Inventory:
        """The inventory."""
        accountant, question = self.accountant, self.question
        usage, whole = self.tables.whole(question.span)
        impacts, limit = whole.impacts()[0], accountant.limit
        return Inventory(
            period=accountant.period(),
            usage=usage,
            impacts=impacts,
            stages=whole.stages(),
            boundary=stage_names(reduce(or_, ecologits.BOUNDARIES.values())),
            breakdowns=[self.tables.table(keys, question.span) for keys in accountant.wanted()],
            by_hour=self.tables.by_hour(question.span) if question.by_hour else {},
            coverage=self._coverage(),
            drivers=(),
            alternatives=self._alternatives(usage, whole),
            budget=budget.check(limit, impacts, self._by_period()) if limit else None,
            trail=[entry_dict(entry) for entry in self.trail],
            warnings=self._warnings(whole),
            sources=accountant.gathered.files[:_SHOWN_FILES],
            source_count=len(accountant.gathered.files),
            formats=accountant.formats(),
            method=f"ecologits {version('ecologits')}",
            code_version=__version__,
            data_version=accountant.registry.version,
        )

    def _by_period(self) -> Breakdown | None:
        limit = self.accountant.limit
        return self.tables.table((limit.per,), self.question.span) if limit and limit.per else None

    def _alternatives(self, usage: Usage, whole: Sums) -> list[Alternative]:
        data, staged = self.accountant.where.data, self.staged
        changes = self.question.what_if
        found = [theirs_change.what_if(c, usage, whole, staged, data) for c in changes]
        span = self.question.compared
        if span is not None:
            done, other = self.tables.whole(span)
            days = self.accountant.days(self.question.span), self.accountant.days(span)
            pair = whole, other
            found.append(theirs_change.compared(span.label(), done, pair, days, staged))
        return found

    def _warnings(self, whole: Sums) -> list[str]:
        """What a reader should know: of the method, of the log, and what EcoLogits itself says."""
        timed = self.tables.timed(self.question.span)
        return [
            *theirs_words.of_method(),
            *theirs_words.of_calls(whole, self.staged, timed),
            *theirs_words.of_mapping(self.accountant.names.described, self.known),
            *self.accountant.of_log(),
            *whole.priced.warnings,
        ]

    def _coverage(self) -> Coverage:
        inside = breakdowns.within(self.question.span)
        counts = self.engine.rows(
            f"SELECT pricing, {_COUNT} FROM placed WHERE NOT {_FAILED} AND {inside} "
            "GROUP BY ALL ORDER BY ALL"
        )
        pricing = {str(name): int(count) for name, count in counts}
        asked = f"SELECT coalesce(sum(calls), 0)::BIGINT FROM placed WHERE {inside} AND "
        failed, undated = (int(self.engine.rows(asked + of)[0][0]) for of in (_FAILED, "day < 0"))
        gathered = self.accountant.gathered
        reported = sum(count for name, count in pricing.items() if name != "none")
        return Coverage(
            rows=gathered.rows,
            calls=sum(pricing.values()),
            pricing=pricing,
            lengths={"reported": reported} if reported else {},
            failed=failed,
            undated=undated,
            repeated=gathered.repeated,
            others=gathered.others,
            outside=gathered.outside,
            refused=dict(gathered.refused),
            refused_rows=gathered.refused_rows,
            repeated_files=gathered.repeated_files,
            names=self._names(inside),
        )

    def _names(self, inside: str) -> list[Name]:
        """How every name of a model was understood, most calls first."""
        rows = self.engine.rows(
            f"SELECT model, operator, reason, number, {_COUNT} FROM placed "
            f"WHERE NOT {_FAILED} AND {inside} GROUP BY ALL ORDER BY ALL"
        )
        found: dict[tuple[str, str], Name] = {}
        for asked, operator, reason, number, count in rows:  # those priced, "", come first
            key = asked, operator
            if key in found:
                found[key] = replace(found[key], calls=found[key].calls + count)
                continue
            each = self.known[number]
            model = each.label if each.parameters.known_as else ""
            pricing, how = ("none", "") if reason else (each.pricing, each.how)
            why = ecologits.UNPRICED.get(reason, "")
            found[key] = Name(asked, operator, model, pricing, how, count, reason=why)
        return sorted(found.values(), key=lambda name: (-name.calls, name.asked))
