"""What differs between two directories of factors, number by number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kilowhat.quantity.units import parse_unit
from kilowhat.registry.tables import DATA, FactorReader, read_sources, read_spreads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kilowhat.domain.factor import Factor

ADDED, REMOVED, CHANGED = "added", "removed", "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One number that differs: before in one directory, after in the other."""

    kind: str
    before: Factor | None
    after: Factor | None

    @property
    def factor(self) -> Factor:
        """The factor itself: the later one, or the one that was removed."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def ratio(self) -> float | None:
        """After over before [1]; nothing where one is missing, zero, or of another dimension."""
        if self.before is None or self.after is None or not self.before.central:
            return None
        old, new = parse_unit(self.before.unit), parse_unit(self.after.unit)
        if old.dimension != new.dimension:
            return None
        return self.after.central * new.factor / (self.before.central * old.factor)


def is_whole(directory: Path) -> bool:
    """Whether a directory is a whole data directory, and not a user's few factors."""
    return (directory / "zones.csv").is_file()


def differences(directory: Path, shipped: Path = DATA) -> list[Difference]:
    """What a directory has otherwise than the shipped data, by id.

    A whole data directory is compared row by row (id, source, validity).  A user's own factors
    are compared with the shipped ones of the same id and date, whatever their source: they take
    their place; what a user leaves out is not removed.

    Raises:
        DataError: a table holds a row that must be refused.

    >>> differences(DATA)
    []
    """
    ours = list(_factors(shipped, is_user=False))
    if is_whole(directory):
        return _by_row(ours, list(_factors(directory, is_user=False)))
    theirs = list(_factors(directory, is_user=True, beside=shipped))
    by_id: dict[str, list[Factor]] = {}
    for factor in ours:
        by_id.setdefault(factor.id, []).append(factor)
    found = []
    for factor in theirs:
        before = _same_date(factor, by_id.get(factor.id, []))
        if before is None:
            found.append(Difference(ADDED, None, factor))
        elif _content(before) != _content(factor):
            found.append(Difference(CHANGED, before, factor))
    return found


def _by_row(ours: list[Factor], theirs: list[Factor]) -> list[Difference]:
    old = {(factor.id, factor.source.key, factor.valid_from): factor for factor in ours}
    new = {(factor.id, factor.source.key, factor.valid_from): factor for factor in theirs}
    found = []
    for key in sorted(old.keys() | new.keys(), key=str):
        before, after = old.get(key), new.get(key)
        if before is None or after is None:
            found.append(Difference(REMOVED if after is None else ADDED, before, after))
        elif _content(before) != _content(after):
            found.append(Difference(CHANGED, before, after))
    return found


def _content(factor: Factor) -> tuple[object, ...]:
    """What makes two rows of one key differ: the number, its width and what it covers."""
    return (
        factor.low, factor.central, factor.high, factor.unit, factor.shape, factor.basis,
        factor.boundary, factor.valid_to,
    )  # fmt: skip


def _same_date(factor: Factor, candidates: list[Factor]) -> Factor | None:
    """The candidate of the same date, else the latest one; nothing when there is none."""
    same = [other for other in candidates if other.valid_from == factor.valid_from]
    if same:
        return same[0]
    return max(candidates, key=lambda other: str(other.valid_from or ""), default=None)


def _factors(directory: Path, *, is_user: bool, beside: Path | None = None) -> Iterator[Factor]:
    sources = read_sources(directory, is_user=is_user)
    spreads = read_spreads(directory)
    if beside is not None:
        sources = read_sources(beside) | sources
        spreads = read_spreads(beside) | spreads
    reader = FactorReader(sources, spreads, is_user=is_user)
    for path in sorted((directory / "factors").glob("*.csv")):
        yield from reader.read(path)
