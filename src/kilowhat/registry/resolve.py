"""Most-specific-first look-up of factors, with memory of the rungs that were tried."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from kilowhat.domain.factor import Entry, Factor, Rung, Source
from kilowhat.errors import InvalidValue, MissingFactor, UnknownFactor
from kilowhat.quantity.quantity import Quantity
from kilowhat.quantity.spread import DRAWS, Spread, uniforms
from kilowhat.registry.tables import (
    DATA,
    FACTOR_COLUMNS,
    FactorReader,
    digest,
    read_joint,
    read_sources,
    read_spreads,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kilowhat.quantity.quantity import Vector

Index: TypeAlias = "tuple[FactorReader, Path, dict[str, list[list[str]]]]"
"""A table of a family: its reader, its file, and its rows by id, not yet parsed."""
PURPOSES = ("attributional", "consequential", "regulatory-fr")

_VALIDITY = ("valid_from", "valid_to")


class Registry:
    """Every sourced number, and one set of shared draws.

    Args:
        directories: directories of a user's own factors, in the shipped schema; they win.
        draws: how many draws a doubtful number has.
        purpose: which of several sources is taken, by ``defaults.toml``.
        data: the shipped data.

    Raises:
        DataError: a table holds a row that must be refused.
        InvalidValue: fewer than 2 draws, or an unknown purpose.
    """

    def __init__(
        self,
        directories: Sequence[Path] = (),
        *,
        draws: int = DRAWS,
        purpose: str = "attributional",
        data: Path = DATA,
    ) -> None:
        if draws < 2:
            raise InvalidValue(name="draws", value=draws, expected=">= 2")
        if purpose not in PURPOSES:
            raise InvalidValue(name="purpose", value=purpose, expected=" | ".join(PURPOSES))
        self.draws = draws
        self.purpose = purpose
        self.data = data
        self.directories = tuple(directories)
        self._families: dict[str, dict[str, list[Factor]]] = {}
        self._indexes: dict[str, list[Index]] = {}
        self._groups: dict[str, list[Factor]] = {}
        self._values: dict[tuple[str, object], Quantity] = {}
        self._uniforms: dict[str, Vector] = {}
        self._joints: dict[str, dict[str, Vector]] = {}

    @cached_property
    def sources(self) -> dict[str, Source]:
        """Every source, by key; a user's own are marked."""
        found = read_sources(self.data)
        for directory in self.directories:
            found |= read_sources(directory, is_user=True)
        return found

    @cached_property
    def version(self) -> str:
        """The version of the data: its calendar date and the hash of every table."""
        calendar = str(self._defaults.get("version", "unversioned"))
        parts = [digest(self.data), *(digest(directory) for directory in self.directories)]
        return f"{calendar}+{'.'.join(parts)}"

    @cached_property
    def _defaults(self) -> dict[str, object]:
        path = self.data / "defaults.toml"
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def default(self, section: str, name: str) -> str:
        """A default of ``defaults.toml``, such as the accelerator of a training run.

        Raises:
            KeyError: no such default.
        """
        found = self._defaults[section]
        if not isinstance(found, dict):
            raise KeyError(section)
        return str(found[name])

    @cached_property
    def _readers(self) -> list[tuple[Path, FactorReader]]:
        spreads = read_spreads(self.data)
        # A user's source may bear a shipped key: it is then theirs alone.
        shipped = read_sources(self.data) if self.directories else self.sources
        readers = [(self.data, FactorReader(shipped, spreads))]
        for directory in self.directories:
            own = spreads | read_spreads(directory)
            readers.append((directory, FactorReader(self.sources, own, is_user=True)))
        return readers

    def families(self) -> list[str]:
        """The families that have a table, in alphabetical order."""
        return sorted(
            {
                path.stem.partition("_")[0]
                for directory, _ in self._readers
                for path in (directory / "factors").glob("*.csv")
            }
        )

    def _tables(self, family: str) -> Iterator[tuple[FactorReader, Path]]:
        """The tables of a family, the shipped ones first, and who reads each."""
        for directory, reader in self._readers:
            for path in sorted((directory / "factors").glob(f"{family}*.csv")):
                if path.stem.partition("_")[0] == family:
                    yield reader, path

    def family(self, name: str) -> dict[str, list[Factor]]:
        """Every factor of a family by id; several years and sources may share one id.

        Raises:
            DataError: a table holds a row that must be refused; every row is checked.
        """
        if name not in self._families:
            found: dict[str, list[Factor]] = {}
            for reader, path in self._tables(name):
                for factor in reader.read(path):
                    found.setdefault(factor.id, []).append(factor)
            self._families[name] = found
        return self._families[name]

    def ids(self, family: str) -> list[str]:
        """The ids of a family, in the order of its tables, without parsing its numbers.

        Raises:
            DataError: a table holds a row that must be refused before its numbers are parsed.
        """
        return list(dict.fromkeys(i for _, _, rows in self._index(family) for i in rows))

    def _index(self, family: str) -> list[Index]:
        if family not in self._indexes:
            self._indexes[family] = [
                (reader, path, reader.index(path)) for reader, path in self._tables(family)
            ]
        return self._indexes[family]

    def _group(self, identity: str) -> list[Factor]:
        """Every row of one id, parsed when first asked for; none where no table holds the id."""
        if identity not in self._groups:
            found: list[Factor] = []
            for reader, path, rows in self._index(identity.partition(".")[0]):
                if identity in rows:
                    found += reader.build(path, rows[identity])
            if not found:
                return found  # not kept: there is no end to the names that are none
            self._groups[identity] = found
        return self._groups[identity]

    def turns(self, *families: str) -> list[date]:
        """The days on which a factor of some families begins or ceases to hold, in order."""
        found = set()
        for _, _, rows in (index for name in families for index in self._index(name)):
            for cells in (cells for group in rows.values() for cells in group):
                begins, ends = (cells[FACTOR_COLUMNS.index(name)] for name in _VALIDITY)
                if begins:
                    found.add(date.fromisoformat(begins))
                if ends:
                    found.add(date.fromisoformat(ends) + timedelta(days=1))
        return sorted(found)

    def all(self) -> Iterator[Factor]:
        """Every factor of every family."""
        for family in self.families():
            for group in self.family(family).values():
                yield from group

    def candidates(self, identity: str) -> list[Factor]:
        """Every row of one id: its years and its sources.

        Raises:
            UnknownFactor: no table holds the id; names the nearest ones.
        """
        group = self._group(identity)
        if not group:
            import difflib  # noqa: PLC0415 - only a wrong name needs it

            family = self.ids(identity.partition(".")[0])
            known = family or [i for name in self.families() for i in self.ids(name)]
            nearest = difflib.get_close_matches(identity, known, n=3, cutoff=0.6)
            raise UnknownFactor(name=identity, nearest=nearest)
        return group

    def find(self, *ladder: str, when: date | None = None) -> Entry | None:
        """The first factor of a ladder of ids that holds a number, or nothing."""
        for identity in ladder:
            group = self._group(identity)
            if group:
                factor = _of_date(self._preferred(group), when)
                asked = when.year if when else None
                return Entry(factor, Rung(ladder, identity, asked, factor.year), factor.boundary)
        return None

    def factor(self, *ladder: str, when: date | None = None) -> Entry:
        """The first factor of a ladder of ids, most specific first, and the rung that held it.

        Args:
            ladder: ids such as ``grid.fra.gwp_location``, ``grid.world.gwp_location``.
            when: the date asked for; the row of that year is taken, else the nearest one.

        Raises:
            MissingFactor: no rung holds a number; lists what was tried.
        """
        entry = self.find(*ladder, when=when)
        if entry is None:
            raise MissingFactor(wanted=ladder[0], tried=list(ladder))
        return entry

    def _preferred(self, group: list[Factor]) -> list[Factor]:
        """The rows of the source to take: a user's own, else by defaults.toml, else the first."""
        own = [factor for factor in group if factor.source.is_user]
        if own:
            return own
        keys = {factor.source.key for factor in group}
        if len(keys) == 1:
            return group
        for prefix in self._preferences(group[0].id):
            chosen = [factor for factor in group if factor.source.key.startswith(prefix)]
            if chosen:
                return chosen
        first = group[0].source.key
        return [factor for factor in group if factor.source.key == first]

    def _preferences(self, identity: str) -> list[str]:
        family, _, rest = identity.partition(".")
        general = f"{family}.{rest.rpartition('.')[2]}"
        for purpose in (self.purpose, "attributional"):
            section = self._defaults.get(purpose)
            if isinstance(section, dict):
                found = section.get(identity) or section.get(general)
                if found:
                    return list(found)
        return []

    def value(self, factor: Factor) -> Quantity:
        """The quantity of a factor: a float for a point, else draws keyed by id and source.

        The same factor gives the same draws in every registry of as many draws.
        """
        key = (factor.stream, factor.valid_from)
        if key not in self._values:
            if factor.low == factor.high:
                quantity = Quantity.of(factor.central, factor.unit)
            else:
                spread = Spread(factor.low, factor.central, factor.high, factor.shape)
                draws = spread.quantile(self.uniform(factor.stream))
                quantity = Quantity.of(draws, factor.unit)
            self._values[key] = quantity
        return self._values[key]

    def joint(self, name: str) -> dict[str, Vector]:
        """A table of joint draws, ``inference/NAME.csv``: a column [shape (rows,)] a coefficient.

        Each row is one bootstrap fit, so rows are drawn whole and correlations survive.

        Raises:
            DataError: the table is ragged or holds something else than numbers.
        """
        if name not in self._joints:
            self._joints[name] = read_joint(self.data / "inference" / f"{name}.csv")
        return self._joints[name]

    def uniform(self, key: str) -> Vector:
        """The stratified uniform draws of a stream, shape (draws,); the same array each time."""
        if key not in self._uniforms:
            stream = uniforms(key, self.draws)
            stream.setflags(write=False)
            self._uniforms[key] = stream
        return self._uniforms[key]


def _of_date(group: list[Factor], when: date | None) -> Factor:
    """The row of a date: the one that covers it, else the latest before, else the earliest."""
    if when is None:
        return max(group, key=lambda factor: factor.valid_from or date.min)
    covering = [
        factor
        for factor in group
        if (factor.valid_from or date.min) <= when <= (factor.valid_to or date.max)
    ]
    if covering:
        return max(covering, key=lambda factor: factor.valid_from or date.min)
    before = [factor for factor in group if (factor.valid_from or date.min) <= when]
    if before:
        return max(before, key=lambda factor: factor.valid_from or date.min)
    return min(group, key=lambda factor: factor.valid_from or date.min)
