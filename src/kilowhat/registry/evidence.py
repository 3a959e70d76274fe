"""Published figures with their aliases, the history of forecasts, and training runs' model cards.

Everything is read once, when it is first asked for.  A row is refused when its unit is unknown,
does not fit its dimension, or has no source; and each record's ``parts``, the equations between
it and the numbers it was made from, are recomputed: one that does not close within the published
rounding is refused, with the two sides in the message.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from kilowhat.domain.boundary import parse_boundary
from kilowhat.domain.evidence import (
    CONFIDENCES,
    DIMENSIONS,
    KINDS,
    OUTCOMES,
    PERS,
    RANGES,
    ModelCard,
    Record,
    Subject,
    Use,
    Vintage,
    plain_name,
)
from kilowhat.errors import DataError, KilowhatError, UnknownFactor
from kilowhat.quantity.units import parse_unit
from kilowhat.registry.equations import rounding, sides, written
from kilowhat.registry.tables import DATA, read_sources, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from kilowhat.domain.factor import Source
    from kilowhat.registry.equations import Band

SUBJECT_COLUMNS = ("id", "name_en", "name_fr", "aliases_en", "aliases_fr")
FIGURE_COLUMNS = (
    "id", "subject_id", "subject", "property", "dimension", "value", "low", "high", "range_kind",
    "unit", "per", "value_year", "published", "scope", "boundary", "boundary_note", "confidence",
    "self_declared", "supersedes", "derived_from", "parts", "kind", "models", "tokens_in",
    "in_low", "in_high", "tokens_out", "out_low", "out_high", "source", "locator", "quote",
)  # fmt: skip
HISTORY_COLUMNS = (
    "id", "region", "year", "value_twh", "low_twh", "high_twh", "share_percent", "kind",
    "scenario", "published", "scope", "scope_note", "source", "locator", "outcome_twh",
    "outcome_year", "outcome_kind", "outcome_source", "outcome_note", "note",
)  # fmt: skip
CARD_COLUMNS = (
    "id", "subject", "model", "models", "developer", "published", "parameters", "tokens", "flop",
    "accelerator", "accelerators", "run_hours", "accelerator_hours", "power_w", "power_kind",
    "pue", "mfu", "energy_mwh", "ghg_t", "ghg_kind", "intensity_g_per_kwh", "source", "locator",
    "note",
)  # fmt: skip
VINTAGE_KINDS = ("measured", "estimate", "derived", "forecast")
SCOPES = ("datacentre", "datacentre-crypto", "datacentre-wide", "ai", "bitcoin", "internet")
POWER_KINDS = ("", "board", "board-pue", "system")
GHG_KINDS = ("", "location", "market", "undisclosed")
_CARD_TEXTS = frozenset(
    ("id", "subject", "model", "developer", "published", "accelerator", "power_kind", "ghg_kind",
     "locator", "note")
)  # fmt: skip
_CARD_NUMBERS = frozenset(
    ("parameters", "tokens", "flop", "accelerators", "run_hours", "accelerator_hours", "power_w",
     "pue", "mfu", "intensity_g_per_kwh")
)  # fmt: skip

_Row = dict[str, str]
_T = TypeVar("_T")


def _require(condition: object, reason: str) -> None:
    if not condition:
        raise ValueError(reason)


def _number(text: str) -> float | None:
    if not text:
        return None
    value = float(text)
    _require(math.isfinite(value), f"not a finite number: {text!r}")
    return value


def _ordered(row: _Row, low: str, central: str, high: str) -> tuple[float | None, ...]:
    found = tuple(_number(row[name]) for name in (low, central, high))
    known = [value for value in found if value is not None]
    _require(known == sorted(known), f"{low} ≤ {central} ≤ {high} is not so")
    return found


def _items(text: str, separator: str = "|") -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(separator) if item.strip())


def _source(row: _Row, sources: dict[str, Source], name: str = "source") -> Source:
    _require(row[name] in sources, f"unknown source {row[name]!r}")
    found = sources[row[name]]
    _require(found.redistributable != "no" or found.is_user, f"{found.key} may not be shipped")
    return found


def _read(
    path: Path, columns: Sequence[str], build: Callable[[_Row], _T], key: Callable[[_T], str]
) -> dict[str, _T]:
    found: dict[str, _T] = {}
    for line, cells in rows(path, columns):
        try:
            item = build(dict(zip(columns, cells, strict=True)))
            _require(key(item) not in found, f"{key(item)} stands twice")
        except (ValueError, KilowhatError) as error:
            raise DataError(file=path.name, line=line, reason=str(error)) from error
        found[key(item)] = item
    return found


def _subject(row: _Row) -> Subject:
    _require(row["name_en"] and row["name_fr"], "a subject needs a name in both languages")
    aliases = _items(row["aliases_en"]), _items(row["aliases_fr"])
    return Subject(row["id"], row["name_en"], row["name_fr"], *aliases)


def _use(row: _Row) -> Use | None:
    _require(row["kind"] in KINDS, f"unknown kind of use {row['kind']!r}")
    if not row["models"]:
        return None
    _require(row["kind"], "models without a kind of use")
    in_low, tokens_in, in_high = _ordered(row, "in_low", "tokens_in", "in_high")
    out_low, tokens_out, out_high = _ordered(row, "out_low", "tokens_out", "out_high")
    models = _items(row["models"])
    windows = (in_low, in_high), (out_low, out_high)
    return Use(row["kind"], models, tokens_in, tokens_out, *windows)


def _record(row: _Row, subjects: dict[str, Subject], sources: dict[str, Source]) -> Record:
    low, value, high = _ordered(row, "low", "value", "high")
    _require(value is not None or (low is not None and high is not None), "no value")
    _require((low is None and high is None) or row["range_kind"], "a range without its kind")
    _require(row["range_kind"] in RANGES, f"unknown kind of range {row['range_kind']!r}")
    _require(row["subject_id"] in subjects, f"unknown subject {row['subject_id']!r}")
    _require(row["dimension"] in DIMENSIONS, f"unknown dimension {row['dimension']!r}")
    wanted = parse_unit(DIMENSIONS[row["dimension"]]).dimension
    _require(parse_unit(row["unit"]).dimension == wanted, f"{row['unit']}: not {row['dimension']}")
    _require(row["per"] in PERS, f"unknown functional unit {row['per']!r}")
    _require(row["confidence"] in CONFIDENCES, "confidence is A, B or C")
    _require(row["published"][:4].isdigit(), "no year of publication")
    _require(row["locator"], "no locator")
    texts = {
        name: row[name]
        for name in ("id", "dimension", "range_kind", "unit", "per", "value_year",
                     "published", "scope", "boundary_note", "confidence", "locator", "quote")
    }  # fmt: skip
    return Record(
        **texts,
        subject=subjects[row["subject_id"]],
        label=row["subject"],
        property_name=row["property"],
        value=value,
        low=low,
        high=high,
        digits=rounding(row["value"] or row["low"]),
        boundary=parse_boundary(row["boundary"]),
        self_declared=row["self_declared"] == "yes",
        supersedes=_items(row["supersedes"]),
        derived_from=_items(row["derived_from"]),
        parts=_items(row["parts"], ";"),
        use=_use(row),
        source=_source(row, sources),
    )


def _vintage(row: _Row, sources: dict[str, Source]) -> Vintage:
    low, value, high = _ordered(row, "low_twh", "value_twh", "high_twh")
    share, outcome = _number(row["share_percent"]), _number(row["outcome_twh"])
    _require(any(x is not None for x in (low, value, high, share)), "no number")
    _require(row["kind"] in VINTAGE_KINDS, f"unknown kind {row['kind']!r}")
    _require(row["scope"] in SCOPES, f"unknown scope {row['scope']!r}")
    _require(row["outcome_kind"] in OUTCOMES, f"unknown kind of outcome {row['outcome_kind']!r}")
    whole = {bool(row[f"outcome_{name}"]) for name in ("twh", "year", "kind", "source")}
    _require(len(whole) == 1, "an outcome needs its number, year, kind and source")
    names = ("id", "region", "kind", "scenario", "scope", "scope_note", "locator",
             "outcome_kind", "outcome_note", "note")  # fmt: skip
    return Vintage(
        **{name: row[name] for name in names},
        year=int(row["year"]),
        published=int(row["published"]),
        value_twh=value,
        low_twh=low,
        high_twh=high,
        share_percent=share,
        outcome_twh=outcome,
        outcome_year=int(row["outcome_year"]) if row["outcome_year"] else None,
        source=_source(row, sources),
        outcome_source=_source(row, sources, "outcome_source") if outcome is not None else None,
    )


def _si(row: _Row, name: str, unit: str) -> float | None:
    value = _number(row[name])
    _require(value is None or value > 0, f"{name} is not positive")
    return None if value is None else value * parse_unit(unit).factor


def _card(row: _Row, sources: dict[str, Source]) -> ModelCard:
    _require(row["power_kind"] in POWER_KINDS, f"unknown kind of power {row['power_kind']!r}")
    _require(row["ghg_kind"] in GHG_KINDS, f"unknown kind of ghg {row['ghg_kind']!r}")
    texts = {name: row[name] for name in CARD_COLUMNS if name in _CARD_TEXTS}
    numbers = {name: _si(row, name, "1") for name in CARD_COLUMNS if name in _CARD_NUMBERS}
    return ModelCard(
        **cast("dict[str, Any]", texts | numbers),
        models=_items(row["models"]),
        energy_j=_si(row, "energy_mwh", "MWh"),
        ghg_g=_si(row, "ghg_t", "tCO2e"),
        source=_source(row, sources),
    )


def _written(row: _Row) -> dict[str, str]:
    """The numbers of a record as they are written: the operands of equations, by name."""
    cells = {row["id"]: row["value"]}
    cells |= {f"{row['id']}.{end}": row[end] for end in ("low", "high")}
    return {name: text for name, text in cells.items() if text}


def _recompute(path: Path, records: dict[str, Record]) -> int:
    operands: dict[str, Band] = {}
    lines: dict[str, int] = {}
    for line, cells in rows(path, FIGURE_COLUMNS):
        row = dict(zip(FIGURE_COLUMNS, cells, strict=True))
        lines[row["id"]] = line
        for name, text in _written(row).items():
            operands[name] = written(text, row["unit"])
    equations = [(record.id, part) for record in records.values() for part in record.parts]
    for identity, equation in equations:
        if reason := _broken(equation, operands):
            raise DataError(file=path.name, line=lines[identity], reason=reason)
    return len(equations)


def _broken(equation: str, operands: dict[str, Band]) -> str:
    try:
        left, right = sides(equation, operands.__getitem__)
        if left.meets(right):
            return ""
    except KeyError as error:
        return f"{equation}: no number {error}"
    except KilowhatError as error:
        return f"{equation}: {error}"
    return (
        f"{equation}: does not close, [{left.low:.6g}, {left.high:.6g}] and "
        f"[{right.low:.6g}, {right.high:.6g}] in base units"
    )


@dataclass(frozen=True)
class Evidence:
    """The evidence of one data directory, checked."""

    subjects: dict[str, Subject]
    records: dict[str, Record]
    vintages: dict[str, Vintage]
    cards: dict[str, ModelCard]
    equations: int

    def links(self) -> Iterator[tuple[str, str]]:
        """Each record with each record that it is derived from or supersedes."""
        for record in self.records.values():
            for other in (*record.derived_from, *record.supersedes):
                yield record.id, other


@lru_cache(maxsize=4)
def load(directory: Path = DATA) -> Evidence:
    """The evidence tables of a data directory, read once.

    Raises:
        DataError: a row must be refused, or its parts do not add up; with the file and line.

    >>> load().records["E140"].value
    1287.0
    """
    sources = read_sources(DATA)
    if directory != DATA:
        sources |= read_sources(directory, is_user=True)
    tables = directory / "evidence"
    subjects = _read(tables / "subjects.csv", SUBJECT_COLUMNS, _subject, lambda s: s.id)
    records = _read(
        tables / "figures.csv", FIGURE_COLUMNS,
        lambda row: _record(row, subjects, sources), lambda r: r.id,
    )  # fmt: skip
    vintages = _read(
        tables / "history.csv", HISTORY_COLUMNS, lambda row: _vintage(row, sources), lambda v: v.id
    )
    model_cards = _read(
        tables / "cards.csv", CARD_COLUMNS, lambda row: _card(row, sources), lambda c: c.id
    )
    equations = _recompute(tables / "figures.csv", records)
    found = Evidence(subjects, records, vintages, model_cards, equations)
    for record, other in found.links():
        if other not in records:
            raise DataError(file="figures.csv", line=0, reason=f"{record}: no record {other}")
    return found


def figures(
    subject: str | None = None, dimension: str | None = None, per: str | None = None
) -> list[Record]:
    """Published figures, all or those of one subject, dimension and functional unit.

    >>> [record.value for record in figures("gpt-3-training", "energy")]
    [1287.0, 188.7]
    """
    return [
        record
        for record in load().records.values()
        if subject in (None, record.subject.id)
        and dimension in (None, record.dimension)
        and per in (None, record.per)
    ]


def find(record_id: str) -> Record:
    """The record of an id.

    Raises:
        UnknownFactor: no record has this id.
    """
    records = load().records
    if record_id not in records:
        raise UnknownFactor(name=record_id, nearest=[])
    return records[record_id]


def history(region: str | None = None, scope: str | None = None) -> list[Vintage]:
    """Estimates and forecasts of electricity, all or those of one region and scope.

    >>> [v.value_twh for v in history("irl") if v.year == 2024]
    [6.969]
    """
    return [
        vintage
        for vintage in load().vintages.values()
        if region in (None, vintage.region) and scope in (None, vintage.scope)
    ]


def cards(model: str | None = None) -> list[ModelCard]:
    """Model cards of training runs: all, or those of a model of the catalogue or of a run.

    A card's ``subject`` is the subject of the factors ``training.<subject>.*``.

    >>> [card.subject for card in cards("llama-3.1-70b-instruct")]
    ['llama-3-1-70b']
    """
    every = list(load().cards.values())
    if model is None:
        return every
    wanted = plain_name(model)
    return [card for card in every if wanted in card.names]


def comparable(
    model: str,
    kind: str,
    *,
    dimension: str | None = None,
    tokens_in: float | None = None,
    tokens_out: float | None = None,
    parameters: float | None = None,
) -> list[Record]:
    """Published figures that stand beside one call: same kind, a model they cover, like lengths.

    Args:
        model: the model's id, with or without its owner.
        kind: ``text``, ``image``, ``video``, ``search`` or ``training``; never matched across.
        dimension: ``energy``, ``ghg``, ``water`` …; all when ``None``.
        tokens_in: prompt tokens of the call [token]; unknown when ``None``.
        tokens_out: generated tokens of the call [token]; unknown when ``None``.
        parameters: total parameters, for figures about a size class [1].

    >>> [r.value for r in comparable("gemini-2.5-flash", "text", dimension="energy")]
    [0.24, 0.1]
    """
    superseded = {old for record in load().records.values() for old in record.supersedes}
    return [
        record
        for record in load().records.values()
        if record.use is not None
        and record.use.kind == kind
        and record.id not in superseded
        and dimension in (None, record.dimension)
        and record.use.holds(model, tokens_in, tokens_out, parameters)
    ]
