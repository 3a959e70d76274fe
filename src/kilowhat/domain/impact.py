"""Results: intervals with units, what is missing and why, and what a result is per."""

from __future__ import annotations

from dataclasses import dataclass

from kilowhat.language import translate


@dataclass(frozen=True, slots=True)
class Interval:
    """A doubtful number: its 5 %, 50 % and 95 % points [unit]."""

    unit: str
    p05: float
    p50: float
    p95: float

    def to_dict(self) -> dict[str, object]:
        """The interval as JSON shows it."""
        return {"unit": self.unit, "p05": self.p05, "p50": self.p50, "p95": self.p95}

    def scaled(self, factor: float) -> Interval:
        """The interval of a multiple of the same number."""
        return Interval(self.unit, self.p05 * factor, self.p50 * factor, self.p95 * factor)


@dataclass(frozen=True, slots=True)
class Missing:
    """An impact that no sourced factor gives, with the reason; never a zero."""

    unit: str
    reason: str

    def to_dict(self) -> dict[str, object]:
        """The gap as JSON shows it."""
        return {"unit": self.unit, "missing": translate(self.reason)}


@dataclass(frozen=True, slots=True)
class FunctionalUnit:
    """What a result is per (ISO 14040): its name, and how many the activity holds.

    ``label`` and ``plural`` are texts for the catalogue, with a place for ``{count}``.
    """

    name: str
    label: str
    count: float = 1.0
    plural: str = ""
