"""What an audit looks at, and what it finds."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from kilowhat.errors import DataError
from kilowhat.language import mark, translate
from kilowhat.registry.tables import (
    FACTOR_COLUMNS,
    FactorReader,
    read_sources,
    read_spreads,
    rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from kilowhat.domain.factor import Factor, Source
    from kilowhat.registry.tables import DefaultSpread

ERROR, WARNING = "error", "warning"
REFUSED_HINT = mark("The loader refuses the table until this row is mended or removed.")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an audit found: where, what is wrong, and what to look at."""

    check: str
    file: str
    subject: str
    template: str
    hint: str
    fields: Mapping[str, object] = field(default_factory=dict)
    severity: str = ERROR

    def sentence(self) -> str:
        """What is wrong, in the language in use."""
        return translate(self.template).format(**self.fields)

    def advice(self) -> str:
        """What to look at, in the language in use."""
        return translate(self.hint)


@dataclass(frozen=True, slots=True)
class Located:
    """A factor, and the file that holds it."""

    factor: Factor
    file: str

    @property
    def family_property(self) -> str:
        """Its family and property: ``grid.gwp_location``."""
        family, _, rest = self.factor.id.partition(".")
        return f"{family}.{rest.rpartition('.')[2]}"

    @property
    def subject(self) -> str:
        """The middle segment of its id: ``fra``."""
        return self.factor.id.split(".")[1]

    @property
    def measurand(self) -> str:
        """The last segment of its id: ``gwp_location``."""
        return self.factor.id.rpartition(".")[2]

    @property
    def start_year(self) -> int | None:
        """The year in which its validity begins."""
        start = self.factor.valid_from
        return start.year if start else None

    def found(self, check: str, template: str, hint: str, **fields: object) -> Finding:
        """A finding about this factor."""
        return Finding(check, self.file, self.factor.id, template, hint, fields)


class _Salvage(FactorReader):
    """Reads past the rows that the loader refuses, so that one audit tells of all of them."""

    def read_all(self, path: Path) -> Iterator[Factor | DataError]:
        """Each row as a factor, or as the error for which it is refused; some are both."""
        family = path.stem.partition("_")[0]
        seen: set[tuple[str, str, str]] = set()
        try:
            for line, cells in rows(path, FACTOR_COLUMNS):
                key = (cells[0], cells[10], cells[8])
                if key in seen:
                    yield DataError(file=path.name, line=line, reason=f"{cells[0]} stands twice")
                seen.add(key)
                if not cells[0].startswith(f"{family}.") or cells[0].count(".") != 2:
                    reason = f"id {cells[0]!r} is not {family}.subject.property"
                    yield DataError(file=path.name, line=line, reason=reason)
                    continue
                try:
                    yield self._factor(cells, path, line)
                except DataError as error:
                    yield error
        except DataError as error:
            yield error  # the header, or a row with too few cells: nothing after it can be read


@dataclass
class Material:
    """Everything that the checks look at: read once, with what could not be read."""

    directory: Path
    user_directories: tuple[Path, ...] = ()
    refused: list[Finding] = field(default_factory=list)

    @cached_property
    def sources(self) -> dict[str, Source]:
        """Every source that could be read, by key."""
        found: dict[str, Source] = {}
        for directory in (self.directory, *self.user_directories):
            try:
                found |= read_sources(directory, is_user=directory != self.directory)
            except DataError as error:
                self._refuse(error)
        return found

    @cached_property
    def factors(self) -> list[Located]:
        """Every factor that can be read, table by table; what cannot is among the refused."""
        found: list[Located] = []
        if not self.sources or self.refused:
            return found  # without the sources, every row would be refused for the same cause
        spreads: dict[str, DefaultSpread] = {}
        for directory in (self.directory, *self.user_directories):
            is_user = directory != self.directory
            try:
                spreads |= read_spreads(directory)
            except DataError as error:
                self._refuse(error)
            reader = FactorReader(self.sources, spreads, is_user=is_user)
            for path in sorted((directory / "factors").glob("*.csv")):
                found += self._read(reader, path)
        return found

    def _read(self, reader: FactorReader, path: Path) -> list[Located]:
        """The factors of a table; where the loader refuses it, those that can be read alone."""
        try:
            return [Located(factor, path.name) for factor in reader.read(path)]
        except DataError as error:
            before = len(self.refused)
            salvage = _Salvage(reader.sources, reader.spreads, is_user=reader.is_user)
            found = []
            for item in salvage.read_all(path):
                if isinstance(item, DataError):
                    self._refuse(item)
                else:
                    found.append(Located(item, path.name))
            if len(self.refused) == before:
                self._refuse(error)
            return found

    def _refuse(self, error: DataError) -> None:
        template = mark("line {line}: {reason}")
        fields = {"line": error.fields["line"], "reason": error.fields["reason"]}
        file = str(error.fields["file"])
        self.refused.append(Finding("refused", file, "", template, REFUSED_HINT, fields))

    @cached_property
    def tables(self) -> dict[str, list[dict[str, str]]]:
        """Every table but the sources, as text, by its path below the data directory."""
        found: dict[str, list[dict[str, str]]] = {}
        for directory in (self.directory, *self.user_directories):
            for path in sorted(directory.rglob("*.csv")):
                name = path.relative_to(directory).as_posix()
                if not name.startswith("sources/"):
                    with path.open(newline="", encoding="utf-8", errors="replace") as file:
                        found.setdefault(name, []).extend(
                            {key: value or "" for key, value in row.items() if key}
                            for row in csv.DictReader(file)
                        )
        return found

    def table(self, name: str) -> list[dict[str, str]]:
        """The rows of one wide table; empty when it is not there."""
        return self.tables.get(name, [])

    @cached_property
    def by_id(self) -> dict[str, list[Located]]:
        """The factors of each id: its years and its sources."""
        return group(self.factors, lambda row: row.factor.id)

    @cached_property
    def values(self) -> dict[str, float]:
        """One central value of each id, the first listed."""
        return {identity: found[0].factor.central for identity, found in self.by_id.items()}

    @cached_property
    def series(self) -> dict[tuple[str, str], dict[int, Located]]:
        """The yearly rows of each id and source, by year."""
        found: dict[tuple[str, str], dict[int, Located]] = defaultdict(dict)
        for row in self.factors:
            if row.start_year is not None:
                found[row.factor.id, row.factor.source.key][row.start_year] = row
        return dict(found)


def group(located: Iterable[Located], key: Callable[[Located], str]) -> dict[str, list[Located]]:
    """Rows by a key computed from each."""
    found: dict[str, list[Located]] = defaultdict(list)
    for row in located:
        found[key(row)].append(row)
    return dict(found)
