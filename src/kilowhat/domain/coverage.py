"""Coverage: what share of a log an inventory holds, what is left out, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PRICINGS: dict[str, str] = {
    "model": mark("by its model"),
    "mapping": mark("by the mapping file"),
    "size": mark("by the size in its name"),
    "class": mark("by a class of models: name or size unknown"),
    "none": mark("not priced"),
}
"""How calls were priced, from the surest to none."""

LENGTHS: dict[str, str] = {
    "reported": mark("token counts reported"),
    "characters": mark("tokens estimated from the length of the text"),
    "assumed": mark("no lengths in the log: typical ones assumed"),
    "totals": mark("totals of an unknown number of calls: typical lengths assumed"),
}
"""Where the lengths of calls come from."""

REASONS: dict[str, str] = {
    "not JSON": mark("not JSON"),
    "line too long": mark("the line is too long"),
    "truncated": mark("the file ends in the middle of a record"),
    "corrupt file": mark("the file is damaged"),
    "corrupt archive": mark("the compressed file is damaged"),
    "archive bomb": mark("the compressed file grows beyond all reason"),
    "not text": mark("not text"),
    "not readable": mark("the file cannot be read"),
    "compressed Parquet": mark("a Parquet file inside a compressed one: expand it first"),
    "not OTLP spans": mark("not spans of OpenTelemetry"),
    "message too long": mark("a message is too long"),
    "not a sample": mark("not a sample of a counter"),
    "wrong columns": mark("the row does not have the columns of its header"),
    "unknown format": mark("no known log format"),
    "unreadable number": mark("a number that cannot be read"),
    "negative number": mark("a negative number"),
    "absurd number": mark("more tokens than a call can hold"),
    "cached exceeds input": mark("more cached tokens than input tokens"),
    "reasoning exceeds output": mark("more reasoning tokens than output tokens"),
    "unreadable time": mark("a time that cannot be read"),
    "time out of range": mark("a time in the future, or before 2015"),
    "no model": mark("neither a model nor anything done is named"),
}
"""Why rows are refused."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that could not be accounted: its file, its line (or element, or row), and why.

    ``reason`` is a key of `REASONS`; ``line`` is ``None`` where the whole rest of a file is meant.
    """

    file: str
    line: int | None
    reason: str

    def to_dict(self) -> dict[str, object]:
        """The row as JSON shows it."""
        return {"file": self.file, "line": self.line, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Name:
    """How the name of a model in the log was understood.

    Attributes:
        asked: as the log writes it.
        provider: as the log says; "" when it does not.
        model: what it was taken for: the id of a model, or a class, or a size.
        pricing: a key of `PRICINGS`.
        how: exact, alias, dated alias, normalised, mapping, size, no size (it is known,
            but its size is not published), class; "" when not priced.
        calls: calls with that name [1].
        nearest: ids of models with like names, when it is not known.
        reason: why it is not priced; "" when it is.
    """

    asked: str
    provider: str
    model: str
    pricing: str
    how: str
    calls: int
    nearest: tuple[str, ...] = ()
    reason: str = ""

    def to_dict(self) -> dict[str, object]:
        """The name as JSON shows it."""
        found: dict[str, object] = {
            "name": self.asked, "provider": self.provider, "model": self.model,
            "pricing": self.pricing, "how": self.how, "calls": self.calls,
        }  # fmt: skip
        if self.nearest:
            found["nearest"] = list(self.nearest)
        if self.reason:
            found["reason"] = translate(self.reason)
        return found


@dataclass(frozen=True, slots=True)
class Coverage:
    """What share of the log the inventory holds, and what is left out, and why.

    Attributes:
        rows: rows read that describe calls, refused ones included [1].
        calls: calls that were accounted, priced or not [1].
        pricing: calls by how they were priced, keys of `PRICINGS` [1].
        lengths: calls by where their lengths come from, keys of `LENGTHS` [1].
        failed: calls that failed without using a token; they count as no impact [1].
        undated: calls without a time [1].
        repeated: rows that repeat the id of another row, and were left out [1].
        others: records that describe no call: a person's line in a session, other spans [1].
        outside: rows outside the period that was asked for, or without a time when one was [1].
        refused: rows refused, by reason, keys of `REASONS` [1].
        refused_rows: the first of them, with file and line.
        repeated_files: files that are the same as another: (name, the same as).
        annual: calls to which no hourly factor applies, when hourly factors were given [1].
        names: how each model name was understood, most calls first.
    """

    rows: int
    calls: int
    pricing: Mapping[str, int]
    lengths: Mapping[str, int]
    failed: int = 0
    undated: int = 0
    repeated: int = 0
    others: int = 0
    outside: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    refused_rows: Sequence[RefusedRow] = ()
    repeated_files: Sequence[tuple[str, str]] = ()
    annual: int | None = None
    names: Sequence[Name] = ()

    def refused_count(self) -> int:
        """How many rows were refused [1]."""
        return sum(self.refused.values())

    def priced_share(self) -> float:
        """The share of the calls that were priced [1]."""
        return 1.0 - self.pricing.get("none", 0) / self.calls if self.calls else 0.0

    def to_dict(self) -> dict[str, object]:
        """The coverage as JSON shows it."""
        found: dict[str, object] = {
            "rows": self.rows,
            "calls": self.calls,
            "priced_share": self.priced_share(),
            "pricing": dict(self.pricing),
            "lengths": dict(self.lengths),
            "failed": self.failed,
            "undated": self.undated,
            "repeated": self.repeated,
            "no_calls": self.others,
            "outside_period": self.outside,
            "refused": dict(self.refused),
            "refused_rows": [row.to_dict() for row in self.refused_rows],
            "repeated_files": [{"file": a, "same_as": b} for a, b in self.repeated_files],
            "models": [name.to_dict() for name in self.names],
        }
        if self.annual is not None:
            found["without_hourly_factor"] = self.annual
        return found
