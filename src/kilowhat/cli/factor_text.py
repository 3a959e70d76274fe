"""How the command line writes a factor: its number, width, unit and years; and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from kilowhat.language import current, mark, translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.domain.factor import Factor


def number(value: float, digits: int | None = 3) -> str:
    """A number in the notation of the language in use; all its digits where none are given."""
    from kilowhat.quantity.notation import format_number

    return format_number(value, digits)


def width(factor: Factor) -> str:
    """The 5 % and 95 % points of a factor, in brackets."""
    if factor.low == factor.high:
        return translate(mark("exact"))
    return f"[{number(factor.low)} – {number(factor.high)}]"


def unit(symbol: str) -> str:
    """A unit as readers of the language in use expect it; 1 for a plain number."""
    from kilowhat.quantity.notation import write_unit

    return write_unit(symbol, current()) or "1"


def years(group: Sequence[Factor]) -> str:
    """The first and last year that some rows describe."""
    found = sorted({factor.year for factor in group if factor.year is not None})
    if not found:
        return "—"
    return str(found[0]) if len(found) == 1 else f"{found[0]}–{found[-1]}"


def print_json(value: object) -> None:
    """Print a value as JSON, for people and programs alike."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def as_dict(factor: Factor) -> dict[str, object]:
    """A row as JSON: its columns, its source's licence, and who says how wide it is."""
    from kilowhat.domain.boundary import names

    return {
        "id": factor.id,
        "low": factor.low,
        "central": factor.central,
        "high": factor.high,
        "unit": factor.unit,
        "shape": factor.shape,
        "basis": factor.basis,
        "boundary": names(factor.boundary),
        "valid_from": factor.valid_from.isoformat() if factor.valid_from else None,
        "valid_to": factor.valid_to.isoformat() if factor.valid_to else None,
        "source": factor.source.key,
        "title": factor.source.title,
        "licence": factor.source.licence,
        "locator": factor.locator,
        "note": factor.note,
        "spread_source": factor.spread_source or factor.source.key,
        "is_user": factor.source.is_user,
    }


def validity(factor: Factor) -> str:
    """What a factor is valid for: a year, years, or a span of days."""
    start, end = factor.valid_from, factor.valid_to
    if start is None and end is None:
        return "—"
    if start and end and (start.month, start.day, end.month, end.day) == (1, 1, 12, 31):
        return str(start.year) if start.year == end.year else f"{start.year}–{end.year}"
    return f"{start or ''} → {end or ''}".strip()
