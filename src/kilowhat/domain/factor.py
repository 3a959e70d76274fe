"""A factor: one sourced, dated, bounded number; and its source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kilowhat.domain.boundary import NOTHING, Stage

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True)
class Source:
    """Who published a number, where, under which licence, and the hash of the file read."""

    key: str
    title: str
    publisher: str
    year: str
    url: str
    doi: str
    licence: str
    redistributable: str
    retrieved: str
    sha256: str
    is_user: bool = False

    def citation(self) -> str:
        """The source in one line: publisher, year, title, address."""
        where = f"https://doi.org/{self.doi}" if self.doi else self.url
        return ", ".join(part for part in (self.publisher, self.year, self.title, where) if part)


@dataclass(frozen=True, slots=True)
class Factor:
    """One sourced number; low, central and high are its 5 %, 50 % and 95 % points [unit].

    ``spread_source`` names who says how wide it is when the source itself gives no range.
    """

    id: str
    low: float
    central: float
    high: float
    unit: str
    shape: str
    basis: str
    boundary: Stage
    valid_from: date | None
    valid_to: date | None
    source: Source
    locator: str
    note: str = ""
    spread_source: str = ""

    @property
    def stream(self) -> str:
        """The key of its random stream: id and source, so two years share their doubt."""
        return f"{self.id}|{self.source.key}"

    @property
    def year(self) -> int | None:
        """The year that the number describes, when it describes one."""
        moment = self.valid_to or self.valid_from
        return moment.year if moment else None


@dataclass(frozen=True, slots=True)
class Rung:
    """How a factor was found: the ladder of ids that was tried, and which one held."""

    tried: tuple[str, ...]
    used: str
    year_asked: int | None = None
    year_used: int | None = None

    def label(self) -> str:
        """The rung in short: ``2/3 (2023)``, and the year used when another was asked for."""
        step = f"{self.tried.index(self.used) + 1}/{len(self.tried)}"
        if self.year_used and self.year_asked and self.year_used != self.year_asked:
            return f"{step} ({self.year_asked} → {self.year_used})"
        return f"{step} ({self.year_used})" if self.year_used else step


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a trail: a factor, and the rung of the look-up that gave it."""

    factor: Factor
    rung: Rung
    boundary: Stage = field(default=NOTHING)
