"""Read the factor tables: the schema of each, and what is refused.

A table is a CSV under ``factors/`` whose name begins with its family (``grid_water.csv`` holds
``grid.…`` rows).  A row is refused, with its file and line, when its unit is not in the closed
table, its source is unknown or may not be redistributed, its bounds are out of order, or it has
neither a range nor a default spread.

A table of thousands of rows is indexed first, with the checks that need no parsing made on every
row; the rest of them are made on a row when it is used, and on every row by `FactorReader.read`,
which the audit and the tests call.
"""

from __future__ import annotations

import csv
import hashlib
import math
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from kilowhat.domain.boundary import NOTHING, parse_boundary
from kilowhat.domain.factor import Factor, Source
from kilowhat.errors import DataError, KilowhatError
from kilowhat.quantity.units import parse_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kilowhat.quantity.quantity import Vector

DATA = Path(__file__).parent.parent / "data"
FACTOR_COLUMNS = (
    "id", "low", "central", "high", "unit", "shape", "basis", "boundary",
    "valid_from", "valid_to", "source", "locator", "note",
)  # fmt: skip
SOURCE_COLUMNS = (
    "key", "title", "publisher", "year", "url", "doi",
    "licence", "redistributable", "retrieved", "sha256",
)  # fmt: skip
SPREAD_COLUMNS = ("key", "low_ratio", "high_ratio", "shape", "source", "locator", "note")
BASES = ("measured", "declared", "modelled", "assumed")
SHAPES = ("lognormal", "normal", "uniform", "loguniform", "excess", "fraction", "point")
_FLOORS = {"lognormal": 0.0, "loguniform": 0.0, "excess": 1.0, "fraction": 0.0}
_ID = re.compile(r"[a-z0-9_-]+\.[a-z0-9_-]+\.[a-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class DefaultSpread:
    """The width of a family's numbers whose source gives no range: multipliers of the central."""

    low_ratio: float
    high_ratio: float
    shape: str
    source: str


def rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV with their line numbers.

    Raises:
        DataError: the file is not UTF-8, its header differs, or a row has too few cells.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if header != list(columns):
                raise DataError(file=path.name, line=1, reason=f"header is not {','.join(columns)}")
            for cells in reader:
                if len(cells) != len(header):
                    reason = f"{len(cells)} cells where {len(header)} are needed"
                    raise DataError(file=path.name, line=reader.line_num, reason=reason)
                yield reader.line_num, cells
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(file=path.name, line=0, reason=str(error)) from error


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a wide table (models, zones, regions …), a dictionary each.

    Raises:
        DataError: the file is not UTF-8 or a row's cells do not match the header.
    """
    with path.open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file), [])
    return [dict(zip(header, cells, strict=True)) for _, cells in rows(path, header)]


def read_sources(directory: Path, *, is_user: bool = False) -> dict[str, Source]:
    """Every source of a data directory, by key.

    Raises:
        DataError: a key stands twice, or a source does not say whether it may be redistributed.
    """
    found: dict[str, Source] = {}
    for path in sorted((directory / "sources").glob("*.csv")):
        for line, cells in rows(path, SOURCE_COLUMNS):
            source = Source(**dict(zip(SOURCE_COLUMNS, cells, strict=True)), is_user=is_user)
            if source.key in found:
                raise DataError(file=path.name, line=line, reason=f"key {source.key} stands twice")
            if source.redistributable not in ("yes", "facts", "no"):
                raise DataError(file=path.name, line=line, reason="redistributable: yes|facts|no")
            if not (source.title and source.licence):
                raise DataError(file=path.name, line=line, reason="title and licence are needed")
            found[source.key] = source
    return found


def read_spreads(directory: Path) -> dict[str, DefaultSpread]:
    """The default spreads of a data directory, by ``family.property``.

    Raises:
        DataError: a ratio is out of order, or the spread has no source.
    """
    found: dict[str, DefaultSpread] = {}
    for path in sorted((directory / "spreads").glob("*.csv")):
        for line, (key, low, high, shape, source, _, _) in rows(path, SPREAD_COLUMNS):
            ratios = _number(low, path, line), _number(high, path, line)
            spread = DefaultSpread(*ratios, shape, source)
            if not ratios[0] <= 1 <= ratios[1] or shape not in SHAPES or not source:
                raise DataError(file=path.name, line=line, reason=f"not a spread: {key}")
            found[key] = spread
    return found


def _number(text: str, path: Path, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        raise DataError(file=path.name, line=line, reason=f"not a number: {text!r}") from None
    if not math.isfinite(value):
        raise DataError(file=path.name, line=line, reason=f"not a finite number: {text!r}")
    return value


_KEY = itemgetter(0, 10, 8)
_SOURCE = itemgetter(10)


def _cells(path: Path, columns: Sequence[str]) -> list[list[str]]:
    """The rows of a CSV, as `rows` gives them but without line numbers: several times faster."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            found = list(csv.reader(file, strict=True))
    except (UnicodeDecodeError, csv.Error):
        found = []
    if found[:1] != [list(columns)] or set(map(len, found)) != {len(columns)}:
        return [cells for _, cells in rows(path, columns)]  # refuses, with the line
    return found[1:]


@dataclass(frozen=True, slots=True)
class FactorReader:
    """Reads factor tables against the sources and default spreads of a registry."""

    sources: dict[str, Source]
    spreads: dict[str, DefaultSpread]
    is_user: bool = False

    def index(self, path: Path) -> dict[str, list[list[str]]]:
        """The rows of one table by id, as text, to be given to `build`.

        Raises:
            DataError: the header differs, a row has too few cells, stands twice, has a malformed
                id, or its source is unknown or may not be redistributed.
        """
        table = _cells(path, FACTOR_COLUMNS)
        found: dict[str, list[list[str]]] = defaultdict(list)
        for cells in table:
            found[cells[0]].append(cells)
        start = path.stem.partition("_")[0] + "."
        is_sound = (
            len(set(map(_KEY, table))) == len(table)
            and all(key in self.sources and self._may_use(key) for key in set(map(_SOURCE, table)))
            and all(name.startswith(start) and _ID.fullmatch(name) for name in found)
        )
        if not is_sound:
            for _ in self.read(path):  # refuses, with the line and the reason
                pass
        return dict(found)

    def build(self, path: Path, table: list[list[str]]) -> list[Factor]:
        """The factors of some rows of an index.

        Raises:
            DataError: the first row that must be refused, with its line and the reason.
        """
        try:
            return [self._factor(cells, path, 0) for cells in table]
        except DataError:
            lines = {tuple(cells): line for line, cells in rows(path, FACTOR_COLUMNS)}
            return [self._factor(cells, path, lines[tuple(cells)]) for cells in table]

    def _may_use(self, key: str) -> bool:
        return self.is_user or self.sources[key].redistributable != "no"

    def read(self, path: Path) -> Iterator[Factor]:
        """The factors of one table.

        Raises:
            DataError: the first row that must be refused, with its line and the reason.
        """
        family = path.stem.partition("_")[0]
        seen: set[tuple[str, str, str]] = set()
        for line, cells in rows(path, FACTOR_COLUMNS):
            key = (cells[0], cells[10], cells[8])
            if key in seen:
                raise DataError(file=path.name, line=line, reason=f"{cells[0]} stands twice")
            seen.add(key)
            if not cells[0].startswith(family + ".") or not _ID.fullmatch(cells[0]):
                reason = f"id {cells[0]!r} is not {family}.subject.property"
                raise DataError(file=path.name, line=line, reason=reason)
            yield self._factor(cells, path, line)

    def _factor(self, cells: list[str], path: Path, line: int) -> Factor:
        (identity, low, central, high, unit, shape, basis, boundary,
         start, end, source, locator, note) = cells  # fmt: skip
        try:
            parse_unit(unit)
            stages = parse_boundary(boundary) if boundary else NOTHING
        except KilowhatError as error:
            raise DataError(file=path.name, line=line, reason=str(error)) from error
        if basis not in BASES:
            raise DataError(file=path.name, line=line, reason=f"basis {basis!r} is not known")
        values = self._values(identity, (low, central, high), shape, path, line)
        return Factor(
            identity, *values[:3], unit, values[3], basis, stages,
            _day(start, path, line), _day(end, path, line),
            self._source(source, path, line), locator, note, values[4],
        )  # fmt: skip

    def _source(self, key: str, path: Path, line: int) -> Source:
        source = self.sources.get(key)
        if source is None:
            raise DataError(file=path.name, line=line, reason=f"source {key!r} is not known")
        if not self._may_use(key):
            reason = f"source {key!r} may not be redistributed"
            raise DataError(file=path.name, line=line, reason=reason)
        return source

    def _values(
        self, identity: str, cells: tuple[str, str, str], shape: str, path: Path, line: int
    ) -> tuple[float, float, float, str, str]:
        central = _number(cells[1], path, line)
        if shape == "point":
            if any(cell and float(cell) != central for cell in (cells[0], cells[2])):
                raise DataError(file=path.name, line=line, reason="a point has no range")
            return central, central, central, shape, ""
        if bool(cells[0]) != bool(cells[2]):
            raise DataError(file=path.name, line=line, reason="low and high come together")
        spread_source = ""
        if cells[0]:
            low, high = _number(cells[0], path, line), _number(cells[2], path, line)
        else:
            family, _, rest = identity.partition(".")
            spread = self.spreads.get(f"{family}.{rest.rpartition('.')[2]}")
            if spread is None:
                raise DataError(file=path.name, line=line, reason=f"{identity} has no range")
            low, high, shape, spread_source = _widened(central, spread)
        _check(low, central, high, shape, path, line)
        return low, central, high, shape, spread_source


def _widened(central: float, spread: DefaultSpread) -> tuple[float, float, str, str]:
    if spread.shape == "excess":
        above = central - 1
        low, high = 1 + above * spread.low_ratio, 1 + above * spread.high_ratio
    else:
        low, high = central * spread.low_ratio, central * spread.high_ratio
    return low, high, spread.shape, spread.source


def _check(low: float, central: float, high: float, shape: str, path: Path, line: int) -> None:
    if shape not in SHAPES:
        raise DataError(file=path.name, line=line, reason=f"shape {shape!r} is not known")
    if not low <= central <= high:
        raise DataError(file=path.name, line=line, reason="low <= central <= high does not hold")
    if low < high and low <= _FLOORS.get(shape, -math.inf):
        raise DataError(file=path.name, line=line, reason=f"low {low} is out of range for {shape}")
    if low < high and shape == "fraction" and high >= 1:
        raise DataError(file=path.name, line=line, reason=f"high {high} is not a fraction")


def _day(text: str, path: Path, line: int) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DataError(file=path.name, line=line, reason=f"not a date: {text!r}") from None


def digest(directory: Path) -> str:
    """The hash of every table of a data directory (first 12 hexadecimal digits)."""
    total = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        if path.suffix in (".csv", ".toml"):
            total.update(path.relative_to(directory).as_posix().encode())
            total.update(path.read_bytes())
    return total.hexdigest()[:12]


def read_joint(path: Path) -> dict[str, Vector]:
    """The columns of a table of joint draws, by name, each of shape (rows,).

    Raises:
        DataError: the table is ragged or holds something else than numbers.
    """
    import numpy as np  # noqa: PLC0415 - only joint tables need vectors

    with path.open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file), [])
    numbers = [[_number(cell, path, line) for cell in cells] for line, cells in rows(path, header)]
    return {
        name: np.array(column)
        for name, column in zip(header, zip(*numbers, strict=True), strict=True)
    }
