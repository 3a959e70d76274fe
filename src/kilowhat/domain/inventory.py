"""An inventory: the impacts of everything in a log, by key, with its coverage and its doubt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kilowhat.domain.coverage import Coverage
    from kilowhat.domain.impact import Interval, Missing

KEYS: dict[str, str] = {
    "day": mark("day"),
    "week": mark("week"),
    "month": mark("month"),
    "year": mark("year"),
    "hour": mark("hour of the day"),
    "weekday": mark("day of the week"),
    "model": mark("model"),
    "provider": mark("provider"),
    "zone": mark("electricity zone"),
    "region": mark("cloud region"),
    "project": mark("project"),
    "team": mark("team"),
    "user": mark("user (hashed)"),
    "tier": mark("service tier"),
    "operation": mark("operation"),
    "format": mark("log format"),
    "pricing": mark("how it was priced"),
}
"""What an inventory can be shown by, and what each key is called."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What was done, all calls together: the activity data of an inventory or of a row of it.

    Attributes:
        calls: calls that reached a model [1].
        input_tokens: prompt tokens, cached ones included [token].
        cached_tokens: prompt tokens read from a cache [token].
        output_tokens: generated tokens, reasoning included [token].
        reasoning_tokens: generated tokens that are reasoning, where the log says [token].
        images: images generated [1].
        video_s: video generated [s].
    """

    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    images: int = 0
    video_s: float = 0.0

    def to_dict(self) -> dict[str, object]:
        """The usage as JSON shows it."""
        return {
            "calls": self.calls,
            "input_tokens": self.input_tokens,
            "cached_tokens": self.cached_tokens,
            "output_tokens": self.output_tokens,
            "reasoning_tokens": self.reasoning_tokens,
            "images": self.images,
            "video_s": self.video_s,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what it is about, its activity data, its impacts.

    Attributes:
        key: the value of each key of the table; "" where the log does not say.
        usage: the activity data.
        impacts: by category, in J, gCO2e, L, MJ, kgSbeq.
    """

    key: Mapping[str, str]
    usage: Usage
    impacts: Mapping[str, Interval | Missing]

    def to_dict(self) -> dict[str, object]:
        """The row as JSON shows it."""
        return {
            "key": dict(self.key),
            "usage": self.usage.to_dict(),
            "impacts": {name: value.to_dict() for name, value in self.impacts.items()},
        }


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The inventory by some keys: every row, in the order of time, else the largest first."""

    keys: tuple[str, ...]
    rows: tuple[Row, ...]

    def to_dict(self) -> dict[str, object]:
        """The table as JSON shows it."""
        return {"keys": list(self.keys), "rows": [row.to_dict() for row in self.rows]}


@dataclass(frozen=True, slots=True)
class Period:
    """The time from the first call to the last, in the zone that days are cut in.

    ``start`` and ``end`` are ISO 8601; both are "" when no call has a time.
    """

    start: str
    end: str
    timezone: str
    days: int

    def to_dict(self) -> dict[str, object]:
        """The period as JSON shows it."""
        return {
            "start": self.start, "end": self.end, "timezone": self.timezone, "days": self.days,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alternative:
    """The same calls under another assumption, or in another period, beside the inventory.

    Attributes:
        label: what is different: ``zone=SWE``, ``2025-01..2025-06``.
        kind: ``what-if`` or ``period``.
        usage: its activity data.
        impacts: its impacts, by category.
        change: by category, the ratio of the inventory's to this one's (``period``), or of this
            one's to the inventory's (``what-if``), draw by draw: doubt that both share cancels.
        per_day: whether the ratio compares means per day, since the periods differ in length.
        clear: by category, whether the change is larger than the doubt: its 90 % interval does
            not hold 1.
        notes: what a reader should know.
    """

    label: str
    kind: str
    usage: Usage
    impacts: Mapping[str, Interval | Missing]
    change: Mapping[str, Interval | Missing]
    clear: Mapping[str, bool]
    per_day: bool = False
    notes: Sequence[str] = ()

    def to_dict(self) -> dict[str, object]:
        """The alternative as JSON shows it."""
        return {
            "label": self.label,
            "kind": self.kind,
            "usage": self.usage.to_dict(),
            "impacts": {name: value.to_dict() for name, value in self.impacts.items()},
            "change": {name: value.to_dict() for name, value in self.change.items()},
            "clear": dict(self.clear),
            "per_day": self.per_day,
            "notes": [translate(note) for note in self.notes],
        }


@dataclass(frozen=True, slots=True)
class Likeness:
    """The whole inventory in an everyday thing: how many of it [1], and the source."""

    category: str
    label: str
    value: Interval
    source: str

    def to_dict(self) -> dict[str, object]:
        """The likeness as JSON shows it."""
        return {
            "category": self.category, "label": self.label, "value": self.value.to_dict(),
            "source": self.source,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit set for the log, and what was found against it, in the limit's unit.

    Attributes:
        text: as it was given: ``10 kWh/day``.
        category: energy, ghg, water, primary_energy or adpe.
        unit: base unit of the category, per day where ``per_day``.
        limit: what is allowed [unit].
        value: what was found [unit].
        point: p05, p50 or p95: the point of the interval that is compared.
        is_exceeded: whether it is more than allowed.
        day: the day with the highest value, when the limit is per day; else "".
    """

    text: str
    category: str
    unit: str
    limit: float
    value: float
    point: str
    is_exceeded: bool
    day: str = ""

    def to_dict(self) -> dict[str, object]:
        """The budget as JSON shows it."""
        return {
            "text": self.text, "category": self.category, "unit": self.unit,
            "limit": self.limit, "value": self.value, "point": self.point,
            "is_exceeded": self.is_exceeded, "day": self.day,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inventory:
    """The impacts of everything in a log.

    Attributes:
        period: from the first call to the last.
        usage: all activity data.
        impacts: by category, for everything that was priced.
        stages: the same by life-cycle stage; they sum to the impacts, draw by draw.
        boundary: the stages that every part of the inventory contains.
        breakdowns: tables by key.
        by_hour: electricity [J], central value, by weekday (0 is Monday) and hour of the day;
            empty when it was not asked for.
        coverage: what is in it and what is not.
        drivers: causes of the doubt about the energy: (factor or cause, share of variance).
        alternatives: what-ifs and other periods.
        likenesses: everyday equivalences.
        budget: a limit and what was found against it.
        trail: the factors used, as JSON shows them.
        warnings: what a reader should know, in the language in use.
        sources: names of the files, the first of many.
        source_count: how many there are.
        formats: calls by the format of their log [1].
        method: the method of pricing.
        code_version: of the program.
        data_version: of the sourced numbers.
    """

    period: Period
    usage: Usage
    impacts: Mapping[str, Interval | Missing]
    stages: Mapping[str, Mapping[str, Interval | Missing]]
    boundary: Sequence[str]
    breakdowns: Sequence[Breakdown]
    coverage: Coverage
    drivers: Sequence[tuple[str, float]]
    method: str
    code_version: str
    data_version: str
    by_hour: Mapping[tuple[int, int], float] = field(default_factory=dict)
    alternatives: Sequence[Alternative] = ()
    likenesses: Sequence[Likeness] = ()
    budget: Budget | None = None
    trail: Sequence[Mapping[str, object]] = ()
    warnings: Sequence[str] = ()
    sources: Sequence[str] = ()
    source_count: int = 0
    formats: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """The inventory as JSON shows it."""
        found: dict[str, object] = {
            "period": self.period.to_dict(),
            "usage": self.usage.to_dict(),
            "impacts": {name: value.to_dict() for name, value in self.impacts.items()},
            "stages": {
                stage: {name: value.to_dict() for name, value in of.items()}
                for stage, of in self.stages.items()
            },
            "boundary": list(self.boundary),
            "by": [table.to_dict() for table in self.breakdowns],
            "coverage": self.coverage.to_dict(),
            "drivers": [{"id": name, "share": round(share, 4)} for name, share in self.drivers],
            "alternatives": [other.to_dict() for other in self.alternatives],
            "equivalences": [likeness.to_dict() for likeness in self.likenesses],
            "trail": [dict(entry) for entry in self.trail],
            "warnings": list(self.warnings),
            "sources": {"files": self.source_count, "first": list(self.sources)},
            "formats": dict(self.formats),
            "method": self.method,
            "code_version": self.code_version,
            "data_version": self.data_version,
        }
        if self.by_hour:
            found["by_hour"] = [
                {"weekday": day, "hour": hour, "energy": {"unit": "J", "p50": value}}
                for (day, hour), value in sorted(self.by_hour.items())
            ]
        if self.budget is not None:
            found["budget"] = self.budget.to_dict()
        return found
