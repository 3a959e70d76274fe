"""From a question to cells in the engine, and the count of all that is not in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kilowhat.domain.coverage import REASONS, RefusedRow
from kilowhat.errors import InvalidValue, RefusedRows
from kilowhat.language import mark, translate
from kilowhat.ledger import calls, cells, given, hourly, mapping, pushed, readers, repeats
from kilowhat.ledger.engine import named
from kilowhat.ledger.ingest import MOST_LISTED, Ingest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from kilowhat.ledger.engine import Engine
    from kilowhat.ledger.places import Places
    from kilowhat.ledger.question import LogQuestion, Watch
    from kilowhat.ledger.staging import Relation

PARTS = "cells"
OF_HOURS = "cells_by_hour"


@dataclass(slots=True)
class Gathered:
    """What a log holds: cells are in the engine, the rest is counted here.

    Attributes:
        rows: rows that describe calls, refused ones included [1].
        repeated: rows left out because they repeat the id of another [1].
        others: records that describe no call [1].
        outside: rows outside the period, or without a time when there is one [1].
        refused: rows refused, by reason [1].
        refused_rows: the first of them.
        repeated_files: files that are the same as another.
        files: names of the files read.
        weights: features weighted by the hour as well.
        annual: calls to which no hourly factor applies; ``None`` without hourly factors [1].
        boundary: what hourly factors contain; "" without.
    """

    rows: int = 0
    repeated: int = 0
    others: int = 0
    outside: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    refused_rows: list[RefusedRow] = field(default_factory=list)
    repeated_files: list[tuple[str, str]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    weights: tuple[str, ...] = ()
    annual: int | None = None
    boundary: str = ""


class Gatherer:
    """Makes cells of the logs that a question names.

    Args:
        engine: where cells are put.
        question: what is asked.
        where: finds where calls run.
        watch: told how far it has come.
        annual: the factor of the grid of a zone in a year [gCO2e/kWh]; for hourly factors.
    """

    def __init__(
        self,
        engine: Engine,
        question: LogQuestion,
        where: Places,
        watch: Watch,
        annual: Callable[[str, int], float | None],
    ) -> None:
        self.engine = engine
        self.question = question
        self.where = where
        self.watch = watch
        self.annual = annual
        self.found = Gathered()
        self.relations: list[Relation] = []

    def gather(self) -> Gathered:
        """The cells of every log, as the view ``cells``, and what is not in them.

        Raises:
            UsageError: a file, a mapping or a table that cannot be.
        """
        question = self.question
        on_spark = question.engine == "spark"
        if question.hourly is not None:
            elsewhere = on_spark or question.cells or question.save_cells
            self._load_hours(needs_calls=bool(elsewhere))
        self.relations = self._unrepeated() if question.paths and not on_spark else []
        parts, by_hour = [], []
        for number, relation in enumerate(self.relations):
            request = self.request(relation)
            parts.append(self._cells(f"part_{number}", relation, request))
            self._count(relation, request, f"part_{number}")
            if question.by_hour:
                by_hour.append(self._hours(f"hours_{number}", relation, request))
        parts += self._made_elsewhere(on_spark=on_spark)
        self._join(PARTS, parts)
        if question.by_hour:
            self._join(OF_HOURS, by_hour)
        if self.found.weights:
            asked = f"SELECT coalesce(sum({cells.WEIGHTED}{cells.ANNUAL}), 0) FROM {PARTS}"
            self.found.annual = round(self.engine.rows(asked)[0][0])
        if question.strict and self.found.refused:
            raise RefusedRows(count=sum(self.found.refused.values()), first=self._first_refused())
        if question.save_cells is not None:
            given.save(self.engine, PARTS, question.save_cells, self._telling())
        return self.found

    def _first_refused(self) -> str:
        """Where the first refused row stands, and why it was."""
        if not self.found.refused_rows:
            return "?"
        first = self.found.refused_rows[0]
        where = first.file if first.line is None else f"{first.file}:{first.line}"
        return f"{where}: {translate(REASONS.get(first.reason, first.reason))}"

    def _unrepeated(self) -> list[Relation]:
        """The calls of the logs, each once."""
        relations = self._read()
        if not self.question.trust_ids:
            relations, self.found.repeated = repeats.drop(self.engine, relations)
        return relations

    def _load_hours(self, *, needs_calls: bool) -> None:
        """Read the factors of hours.

        Raises:
            InvalidValue: the calls themselves are not there, or the table cannot be.
        """
        path = self.question.hourly
        if path is None:
            return
        if needs_calls:
            expected = translate(mark("the calls themselves are needed, not sums of them"))
            raise InvalidValue(name="hourly", value=path, expected=expected)
        self.found.weights = hourly.WEIGHTS
        self.found.boundary = hourly.load(self.engine, path)

    def _made_elsewhere(self, *, on_spark: bool) -> list[str]:
        """Queries over cells that were saved, or that another engine makes."""
        question, parts = self.question, []
        known: dict[Path, Path] = {}
        for number, path in enumerate(question.cells):
            first = known.setdefault(path.resolve(), path)
            if first is not path:
                self.found.repeated_files.append((str(path), str(first)))
                continue
            part = given.load(self.engine, path, f"given_{number}")
            parts.append(self._given(part, str(path)))
            self._told(given.told(self.engine, path))
        if on_spark:
            part = pushed.from_spark(self.engine, question, self.where, "sparked")
            parts.append(self._given(part, question.table or ", ".join(question.paths)))
        return parts

    def _telling(self) -> dict[str, object]:
        """What cells cannot say of the log, to be kept beside them."""
        found = self.found
        return {
            "refused": dict(found.refused),
            "refused_rows": [row.to_dict() for row in found.refused_rows],
            "repeated": found.repeated,
            "others": found.others,
            "outside": found.outside,
        }

    def _told(self, told: Mapping[str, Any]) -> None:
        """Add what was kept beside cells to what was counted here."""
        found = self.found
        refused = Counter({str(k): int(v) for k, v in told.get("refused", {}).items()})
        found.refused += refused
        found.rows += sum(refused.values())
        found.refused_rows += [
            RefusedRow(str(row["file"]), row["line"], str(row["reason"]))
            for row in told.get("refused_rows", [])[: MOST_LISTED - len(found.refused_rows)]
        ]
        found.repeated += int(told.get("repeated", 0))
        found.others += int(told.get("others", 0))
        found.outside += int(told.get("outside", 0))

    def _given(self, part: str, name: str) -> str:
        """Count the rows of cells that were made elsewhere."""
        self.found.files.append(name)
        asked = f"SELECT sum(rows)::BIGINT FROM ({part})"
        self.found.rows += int(self.engine.rows(asked)[0][0] or 0)
        return part

    def _read(self) -> list[Relation]:
        question = self.question
        described = mapping.read(question.mapping) if question.mapping else None
        found = readers.discover(question.paths)
        if not found.sources and not found.refused:
            expected = translate(mark("a log is needed: there is none in it"))
            raise InvalidValue(name="PATH", value=", ".join(question.paths), expected=expected)
        self.watch.begin("read", sum(source.size for source in found.sources))
        ingest = Ingest(self.engine, question.format, described, self.watch.advance)
        for refusal in found.refused:
            ingest.log.refuse(refusal)
        log = ingest.read(found.sources)
        self.found.repeated_files = list(found.repeated)
        self.found.files = [source.name for source in found.sources]
        self.found.refused = log.refused
        self.found.refused_rows = log.refused_rows
        self.found.others = log.others
        self.found.rows = sum(log.refused.values())
        return log.relations

    def request(self, relation: Relation) -> cells.Request:
        """What is asked of a relation; the clock has but the steps between its first and last."""
        asked = pushed.request_of(self.question, self.where)
        when = calls.time_of(relation.present)
        if when == "NULL" or len(asked.clock.steps) == 1:
            return asked
        ends = f"SELECT epoch_us(min({when})), epoch_us(max({when})) FROM {relation.sql}"
        begin, end = self.engine.rows(ends)[0]
        return asked if begin is None else replace(asked, clock=asked.clock.within(begin, end))

    def _weighted(self, relation: Relation) -> str:
        if not self.found.weights:
            return relation.sql
        return hourly.weighted(self.engine, relation, self.where, self.annual)

    def _cells(self, table: str, relation: Relation, request: cells.Request) -> str:
        """Make the cells of a relation; a query over them with every column."""
        source = self._weighted(relation)
        query = cells.query(
            source, relation.present, request, relation.format.name, self.found.weights
        )
        self.watch.begin("sum", 0)
        self.engine.watched(f"CREATE TABLE {table} AS {query.sql}", self.watch.progress)
        return f"SELECT *, {cells.listed(query.fixed)} FROM {table}"

    def _hours(self, table: str, relation: Relation, request: cells.Request) -> str:
        keys = (*self.where.keys(), "hour")
        coarse = replace(request, keys=keys, of_week=True)
        query = cells.query(relation.sql, relation.present, coarse, relation.format.name)
        self.engine.watched(f"CREATE TABLE {table} AS {query.sql}", self.watch.progress)
        return f"SELECT *, {cells.listed(query.fixed)} FROM {table}"

    def _count(self, relation: Relation, request: cells.Request, table: str) -> None:
        """Count the rows of a relation, those that were refused, and its first and last time."""
        counted = int(self.engine.rows(f"SELECT coalesce(sum(rows), 0) FROM {table}")[0][0])
        refused: Counter[str] = Counter()
        if counted < relation.rows:
            refused = self._refused(relation, request)
        self.found.rows += counted + sum(refused.values())
        if request.since or request.until:
            self.found.outside += relation.rows - counted - sum(refused.values())
        self.found.refused += refused

    def _refused(self, relation: Relation, request: cells.Request) -> Counter[str]:
        reason = calls.refusal(relation.present, request.latest)
        where = " AND ".join(cells.conditions(relation.present, request, refused=True))
        asked = f"SELECT {reason}, count(*) FROM {relation.sql} WHERE {where} GROUP BY ALL"
        found = Counter({str(name): int(count) for name, count in self.engine.rows(asked)})
        room = MOST_LISTED - len(self.found.refused_rows)
        if found and room > 0:
            asked = (
                f"SELECT file, line, {reason} FROM {relation.located} WHERE {where} "
                f"ORDER BY file, line LIMIT {room}"
            )
            self.found.refused_rows += [RefusedRow(*row) for row in self.engine.rows(asked)]
        return found

    def _join(self, name: str, parts: Sequence[str]) -> None:
        """One view of all cells; what the log does not say is empty text, or -1."""
        weights = self.found.weights if name == PARTS else ()
        self.engine.run(cells.table("no_cells", weights))
        whole = " UNION ALL BY NAME ".join([*parts, "SELECT * FROM no_cells"])
        told = [
            f"coalesce({named(key)}, {_NOTHING[kind]}) AS {named(key)}"
            for key, kind in cells.KEYS.items()
        ]
        sums = [*cells.SUMS, *(cells.WEIGHTED + each for each in weights)]
        self.engine.run(
            f"CREATE OR REPLACE VIEW {name} AS SELECT {', '.join([*told, *sums])} FROM ({whole})"
        )


_NOTHING = {
    "VARCHAR": "''", "INTEGER": "-1", "SMALLINT": "-1", "TINYINT": "0", "BIGINT": "0",
    "BOOLEAN": "FALSE",
}  # fmt: skip
