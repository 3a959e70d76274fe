"""From files to relations of calls in canonical columns, whatever the format of each."""

from __future__ import annotations

import os
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from kilowhat.domain.coverage import RefusedRow
from kilowhat.errors import DataError
from kilowhat.ledger import formats, mapping, readers, statistics
from kilowhat.ledger.engine import quoted
from kilowhat.ledger.staging import (
    Relation,
    Staging,
    canonical,
    define_macros,
    selected,
    table_select,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from kilowhat.ledger.engine import Engine
    from kilowhat.ledger.formats import Format
    from kilowhat.ledger.mapping import Described
    from kilowhat.ledger.readers import Batch, Refusal, Source

MOST_LISTED = 1000  # refused rows that are listed one by one; all of them are counted
_SNIFFED = 200  # records by which the format of a file is found
_BATCH_BYTES = 4 << 20  # of records that one query works on: enough to outweigh its planning
_RAW = (
    "CREATE OR REPLACE TEMP TABLE raw AS SELECT ? AS file, ? + place - 1 AS line, "
    "try_cast(text AS JSON) AS record, text <> '' AS is_there "
    "FROM unnest(string_split(?, chr(10))) WITH ORDINALITY AS _(text, place)"
)
_PLACE = ", ".join(formats.PLACE)
_NOWHERE = ", ".join(f"NULL AS {name}" for name in formats.PLACE)
_VALID = "(SELECT file, line, record FROM raw WHERE record IS NOT NULL)"


@dataclass(slots=True)
class Log:
    """What was read, and what could not be.

    Attributes:
        relations: the calls.
        refused: records that could not be read, by reason [1].
        refused_rows: the first of them.
        others: records that describe no call: a person's line in a session, other spans [1].
        files: names of the files of each format.
    """

    relations: list[Relation] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    refused_rows: list[RefusedRow] = field(default_factory=list)
    others: int = 0
    files: dict[str, list[str]] = field(default_factory=dict)

    def refuse(self, refusal: Refusal) -> None:
        """Count a record that could not be read, and list it while the list is short."""
        self.refused[refusal.reason] += 1
        if len(self.refused_rows) < MOST_LISTED:
            self.refused_rows.append(RefusedRow(*refusal))


class _Counted(NamedTuple):
    """What became of a batch: lines that are not JSON, and records that are no calls."""

    invalid: list[int]
    others: int


class Ingest:
    """Reads files into an engine.

    Args:
        engine: where calls are put.
        wanted: name of the format of all files; "" when it is to be found.
        described: what a mapping file says of the columns of tables.
        advance: told the bytes that have been read [B].
    """

    def __init__(
        self,
        engine: Engine,
        wanted: str = "",
        described: Described | None = None,
        advance: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.engine = engine
        self.wanted = formats.find(wanted) if wanted else None
        self.described = described or mapping.Described()
        self.advance = advance
        self.log = Log()
        self.staging = Staging(engine)
        define_macros(engine)

    def read(self, sources: Sequence[Source]) -> Log:
        """The calls of files.

        Raises:
            UsageError: a column that the mapping names is not in a table.
        """
        parquet = [source for source in sources if source.container == "parquet"]
        for columns, of in self._alike(parquet).items():
            self._parquet(of, dict(columns))
        for source in sources:
            if source.container == "csv":
                self._csv(source)
            elif source.container not in {"parquet", "empty"}:
                self._records(source)
        self.log.relations += self.staging.finish()
        return self.log

    def _note(self, each: Format, sources: Iterable[Source]) -> None:
        self.log.files.setdefault(each.name, []).extend(source.name for source in sources)

    def _refuse(self, source: Source, reason: str, line: int | None = None) -> None:
        self.log.refuse(readers.Refusal(source.name, line, reason))

    # Tables

    def _format_of(self, kinds: Mapping[str, str]) -> Format | None:
        """The format of a table with such columns; records have text alone."""
        if self.wanted is not None:
            return self.wanted
        if mapping.describes(self.described.columns, kinds):
            return mapping.table_format(self.described.columns, kinds)
        found = formats.of_columns(kinds)
        origins = mapping.guessed(kinds)
        if found is None and mapping.is_log(origins):
            return mapping.table_format(origins, kinds)
        return found

    def _alike(self, sources: Sequence[Source]) -> dict[tuple[tuple[str, str], ...], list[Source]]:
        """Parquet files by their columns; one that cannot be read is refused."""
        found: dict[tuple[tuple[str, str], ...], list[Source]] = {}
        for source in sources:
            try:
                kinds = self.engine.names(f"SELECT * FROM {_parquet([source])}")
            except DataError:
                self._refuse(source, "corrupt file")
            else:
                found.setdefault(tuple(kinds.items()), []).append(source)
        return found

    def _parquet(self, sources: Sequence[Source], kinds: Mapping[str, str]) -> None:
        """Parquet files of one make are read where they lie, as often as need be."""
        each = self._format_of(kinds)
        if each is None or not _fits(each, kinds):
            for source in sources:
                self._refuse(source, "unknown format")
            return
        try:
            self._parquet_relation(each, sources, kinds)
        except DataError:
            for source in sources:
                self._refuse(source, "corrupt file")
            return
        self._note(each, sources)
        for source in sources:
            self.advance(source.size)

    def _parquet_relation(
        self, each: Format, sources: Sequence[Source], kinds: Mapping[str, str]
    ) -> None:
        plain = formats.raw_of_table(each, _parquet(sources), kinds, _NOWHERE)
        placed = formats.raw_of_table(each, _located(sources), kinds, _PLACE)
        sql, present = canonical(
            self.engine, selected(table_select(each, with_place=False), plain), with_place=False
        )
        located, _ = canonical(
            self.engine, selected(table_select(each, with_place=True), placed), with_place=True
        )
        rows = whole = int(self.engine.rows(f"SELECT count(*) FROM {_parquet(sources)}")[0][0])
        if "WHERE" in each.select:  # some rows of such a table are no calls
            rows = int(self.engine.rows(f"SELECT count(*) FROM {sql}")[0][0])
        self.log.others += whole - rows
        known = statistics.facts(self.engine, _paths(sources), each.plain)
        columns = {name: known.get(name) for name in present}
        self.log.relations.append(Relation(sql, located, columns, each, rows))

    def _csv(self, source: Source) -> None:
        """CSV is read once, into a table."""
        scan = _csv(source)
        try:
            kinds = self.engine.names(f"SELECT * FROM {scan}")
            each = self._format_of(kinds)
            if each is None or not _fits(each, kinds):
                self._refuse(source, "unknown format")
                return
            numbered = (
                f"(SELECT *, {quoted(source.name)} AS {formats.PLACE[0]}, "
                f"row_number() OVER () + 1 AS {formats.PLACE[1]} FROM {scan})"  # after the header
            )
            self._stage(self.engine, each, formats.raw_of_table(each, numbered, kinds, _PLACE))
        except DataError:
            self._refuse(source, "corrupt file")
            return
        self._note(each, [source])
        for (line,) in self.engine.rows("SELECT DISTINCT line FROM rejected ORDER BY line"):
            self._refuse(source, "wrong columns", int(line))
        for table in ("rejected", "rejected_scan"):
            self.engine.run(f"DROP TABLE {table}")
        self.advance(source.size)

    def _stage(self, link: Engine, each: Format, raw: str) -> None:
        table = self.staging.table(each, raw)
        query = self.staging.query(each, raw)
        link.run(f"INSERT INTO {table} BY NAME SELECT * FROM {query}")

    # Records

    def _records(self, source: Source) -> None:
        """Records are read in batches, each worked on by the next free thread."""
        chosen = self._sniff(source)
        if not chosen:
            self._refuse(source, "unknown format")
            return
        for each in chosen:
            self._note(each, [source])
        for counted in self._batches(source, chosen):
            for line in counted.invalid:
                self._refuse(source, "not JSON", line)
            self.log.others += counted.others

    def _sniff(self, source: Source) -> list[Format]:
        """The formats that recognise some of the first records of a file."""
        first = readers.first_records(source, _SNIFFED)
        self.engine.run(_RAW, [source.name, 1, "\n".join(first)])
        if self.wanted is not None:
            chosen = [self.wanted]
        elif mapping.describes(self.described.columns, formats.record_keys(self.engine)):
            chosen = [mapping.table_format(self.described.columns, {})]
        else:
            chosen = formats.of_records(self.engine) or self._guess()
        for each in chosen:
            self.staging.table(each, _raw(each, is_alone=len(chosen) == 1))
        return chosen

    def _guess(self) -> list[Format]:
        """Records as the rows of a table whose columns have telling names."""
        origins = mapping.guessed(formats.record_keys(self.engine))
        return [mapping.table_format(origins, {})] if mapping.is_log(origins) else []

    def _batches(self, source: Source, chosen: Sequence[Format]) -> Iterator[_Counted]:
        threads = os.cpu_count() or 1
        links: SimpleQueue[Engine] = SimpleQueue()
        for _ in range(threads):
            links.put(self.engine.fork())

        def work(batch: Batch) -> _Counted:
            link = links.get()
            try:
                return self._batch(link, source.name, chosen, batch)
            finally:
                links.put(link)

        with ThreadPoolExecutor(threads) as pool:
            waiting: deque[Future[_Counted]] = deque()
            batches = readers.batches(
                source, self.log.refuse, self.advance, block_bytes=_BATCH_BYTES
            )
            for batch in batches:
                waiting.append(pool.submit(work, batch))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            for future in waiting:
                yield future.result()

    def _batch(self, link: Engine, name: str, chosen: Sequence[Format], batch: Batch) -> _Counted:
        link.run(_RAW, [name, batch.first, batch.text])
        told = "SELECT line FROM raw WHERE record IS NULL AND is_there ORDER BY line"
        invalid = [int(line) for (line,) in link.rows(told)]
        calls = 0
        for each in chosen:
            raw = _raw(each, is_alone=len(chosen) == 1)
            query = self.staging.query(each, raw)
            link.run(f"CREATE OR REPLACE TEMP TABLE done AS SELECT * FROM {query}")
            calls += int(link.rows("SELECT count(DISTINCT line) FROM done")[0][0])
            table = self.staging.table(each, raw)
            link.run(f"INSERT INTO {table} BY NAME SELECT * FROM done")
        records = int(link.rows("SELECT count(record) FROM raw")[0][0])
        return _Counted(invalid, max(records - calls, 0))


def _fits(each: Format, columns: Collection[str]) -> bool:
    """Whether a table has the columns by which a format is known."""
    return each.kind == "table" and set(each.needed()) <= set(columns)


def _raw(each: Format, *, is_alone: bool = True) -> str:
    """The relation ``raw`` of a format over the records of a batch."""
    mine = _VALID if is_alone or each.kind == "table" else f"{_VALID[:-1]} AND {each.detect})"
    return mine if each.kind == "records" else formats.raw_of_records(each.columns, mine)


def _parquet(sources: Sequence[Source], *, with_place: bool = False) -> str:
    more = ", filename = 'kilowhat_path', file_row_number = true" if with_place else ""
    return f"read_parquet({_paths(sources)}{more})"


def _paths(sources: Sequence[Source]) -> str:
    return f"[{', '.join(quoted(str(source.path)) for source in sources)}]"


def _located(sources: Sequence[Source]) -> str:
    """Parquet files with the name of the file and the number of the row beside each row."""
    names = ", ".join(f"({quoted(str(s.path))}, {quoted(s.name)})" for s in sources)
    return (
        f"(SELECT *, file_row_number + 1 AS {formats.PLACE[1]} "
        f"FROM {_parquet(sources, with_place=True)} JOIN (VALUES {names}) "
        f"AS _(kilowhat_known, {formats.PLACE[0]}) ON kilowhat_path = kilowhat_known)"
    )


def _csv(source: Source) -> str:
    """A CSV file as text, without a guess; rows that do not fit its header are set apart."""
    delimiter, quote = readers.dialect(source)
    options = {
        "delim": quoted(delimiter), "quote": quoted(quote), "escape": quoted(quote),
        "compression": quoted(source.compression or "none"), "header": "true",
        "all_varchar": "true", "auto_detect": "false", "store_rejects": "true",
        "rejects_table": "'rejected'", "rejects_scan": "'rejected_scan'", "rejects_limit": "0",
    }  # fmt: skip
    columns = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in readers.header(source))
    told = ", ".join(f"{name} = {value}" for name, value in options.items())
    return f"read_csv({quoted(str(source.path))}, {told}, columns = {{{columns}}})"
