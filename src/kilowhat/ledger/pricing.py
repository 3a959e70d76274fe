"""Prices of cells: the situation of each, what stands for its model, and where it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kilowhat.assessment.situations import Entries, Situation
from kilowhat.assessment.text import PreparedText
from kilowhat.assessment.uses import activity
from kilowhat.errors import KilowhatError, UnsupportedUse, UsageError
from kilowhat.ledger import cells
from kilowhat.ledger.names import Understood, unknown
from kilowhat.methods.call_features import (
    FEATURES,
    FRESH,
    IMAGES_X_OUTPUT,
    INPUT_X_OUTPUT,
    OUTPUT,
    OUTPUT_SQUARED,
    PREFILL_CONTEXT,
    VIDEOS_X_OUTPUT,
)
from kilowhat.registry.providers import find_provider

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kilowhat.assessment.estimator import Estimator
    from kilowhat.domain.activity import Activity
    from kilowhat.domain.factor import Entry
    from kilowhat.ledger.names import Names
    from kilowhat.ledger.places import Place, Places
    from kilowhat.quantity.quantity import Vector

    Indexes = NDArray[np.intp]

CHARACTERS_IN, CHARACTERS_OUT = (
    "text.input.characters_per_token",
    "text.output.characters_per_token",
)
TURNS = ("grid", "facility", "deployment", "hardware")  # families whose factors go by date
_EPOCH = date(1970, 1, 1)
_SQUARES = (INPUT_X_OUTPUT, OUTPUT_SQUARED, PREFILL_CONTEXT, IMAGES_X_OUTPUT, VIDEOS_X_OUTPUT)
_TYPICAL = 1000.0  # tokens of the use by which a situation is prepared; its prices are per token


class Kind(NamedTuple):
    """What the price of calls depends on, as the log tells it."""

    provider: str
    model: str
    region: str
    zone: str
    project: str
    team: str
    tier: str
    operation: str
    has_media: bool
    video_ms: int
    lengths: int
    year_day: int
    """First day of the stretch of time in which all factors hold; days since 1970, -1: none."""

    def told(self) -> dict[str, str]:
        """What rules of places ask about."""
        return {
            "provider": self.provider, "model": self.model, "region": self.region,
            "zone": self.zone, "project": self.project, "team": self.team,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Priced:
    """A kind of calls with its price, or with the reason why it has none.

    Attributes:
        kind: of calls.
        understood: what its model's name was taken for.
        place: where it runs.
        situation: its prices; ``None`` when it has none.
        reason: why it has none; "" when it has.
    """

    kind: Kind
    understood: Understood
    place: Place
    situation: Situation | None
    reason: str = ""

    @property
    def pricing(self) -> str:
        """How it was priced: a key of `kilowhat.domain.coverage.PRICINGS`."""
        return self.understood.pricing if self.situation else "none"

    @property
    def operator(self) -> str:
        """Who served the calls, as far as the log says."""
        return find_provider(self.kind.provider) if self.kind.provider else ""

    @property
    def zone(self) -> str:
        """The electricity zone whose factors were used, as its id in capitals."""
        return self.situation.prepared.context.zone if self.situation else ""


def stretch(day: int, turns: Sequence[date]) -> int:
    """The first day of the stretch of time around a day in which all factors hold.

    >>> stretch(19_800, [date(2024, 7, 1)]) == (date(2024, 1, 1) - date(1970, 1, 1)).days
    True
    """
    if day < 0:
        return -1
    when = _EPOCH + timedelta(days=day)
    begins = max([date(when.year, 1, 1), *(turn for turn in turns if turn <= when)])
    return (begins - _EPOCH).days


@dataclass(slots=True)
class Pricer:
    """Prices kinds of calls; each kind once.

    Attributes:
        estimator: the sourced numbers and their methods.
        names: understands the names of models.
        places: finds where calls run.
        changed: fields of every use that another assumption puts in place of the log's.
    """

    estimator: Estimator
    names: Names
    places: Places
    changed: Mapping[str, object] = field(default_factory=dict)
    trail: dict[str, Entry] = field(default_factory=dict)

    def price(self, kind: Kind) -> Priced:
        """The price of a kind of calls, or why it has none."""
        understood = self.names.understand(kind.model)
        place = self.places.find(kind.told())
        try:
            return self._priced(kind, understood, place)
        except UnsupportedUse as error:
            if understood.pricing != "model" or not _is_text(kind):
                return Priced(kind, understood, place, None, error.sentence())
            # A model whose size nobody has published: any model stands for it.
            instead = replace(unknown(kind.model), label=understood.label, how="no size")
            try:
                return self._priced(kind, instead, place)
            except UsageError:
                return Priced(kind, understood, place, None, error.sentence())
        except KilowhatError as error:
            return Priced(kind, understood, place, None, error.sentence())

    def _priced(self, kind: Kind, understood: Understood, place: Place) -> Priced:
        use = self._use(kind, understood, place)
        prepared = self.estimator.prepare(use)
        scale = self._scale() if kind.lengths == cells.CHARACTERS else None
        return Priced(kind, understood, place, Situation.of(prepared, scale))

    def _use(self, kind: Kind, understood: Understood, place: Place) -> Activity:
        told: dict[str, Any] = {
            "provider": find_provider(kind.provider) if kind.provider else None,
            "zone": place.zone or None,
            "region": place.region or None,
            "date": (_EPOCH + timedelta(days=kind.year_day)).isoformat()
            if kind.year_day >= 0
            else None,
            "serving": "offline" if kind.tier.lower() == "batch" else "online",
        }
        told |= _lengths(kind)
        told |= understood.fields
        if "zone" in self.changed or "region" in self.changed:
            told |= {"zone": None, "region": None}
        if "model" in self.changed:
            told |= {"parameters": None, "active": None, "like": None}
        return activity({**told, **self.changed})

    def _scale(self) -> Vector:
        """What features counted in characters are worth in tokens, shape (features, draws)."""
        registry = self.estimator.registry
        each = []
        for name in (CHARACTERS_IN, CHARACTERS_OUT):
            entry = registry.factor(name)
            self.trail[name] = entry
            each.append(1.0 / np.asarray(registry.value(entry.factor).magnitude))
        whole, out = each
        one = np.ones(registry.draws)
        return np.stack([whole, out, whole * out, out * out, whole * whole, one, one, out, out])

    def characters_per_token(self, kinds: Sequence[Priced]) -> tuple[float, float]:
        """Characters of a token of a prompt and of an answer, central values [1], if needed."""
        if not any(each.kind.lengths == cells.CHARACTERS for each in kinds):
            return 1.0, 1.0
        factor = self.estimator.registry.factor
        return factor(CHARACTERS_IN).factor.central, factor(CHARACTERS_OUT).factor.central


def _is_text(kind: Kind) -> bool:
    return not (kind.video_ms or kind.operation.lower().startswith(("image", "video", "audio")))


def _lengths(kind: Kind) -> dict[str, object]:
    """The lengths of the use that stands for a kind; prices are per token, so any will do."""
    if not _is_text(kind):
        return {"images": 1.0, "video": kind.video_ms / 1000 or None}
    is_embedding = kind.operation.lower().startswith("embed")
    found: dict[str, object] = {"in": _TYPICAL, "out": 0.0 if is_embedding else _TYPICAL}
    if kind.has_media:
        found |= {"images_in": 1.0, "videos_in": 1.0}
    return found


def default_lengths(prepared: object) -> tuple[float, float]:
    """The lengths that stand for unknown ones [token, token]; zero where there are no tokens."""
    if isinstance(prepared, PreparedText):
        return prepared.input_tokens, prepared.output_tokens
    return 0.0, 0.0


def amounts(columns: Mapping[str, Vector], priced: Priced) -> Vector:
    """The features of cells of one kind, shape (cells, features).

    Args:
        columns: sums of cells; those of products are already over the calls of a row.
        priced: their kind, with its price.

    What is not in the log is put at the median length of such calls.
    """
    found: Vector = np.stack([columns[name] for name in FEATURES], axis=1)
    prepared = priced.situation.prepared if priced.situation else None
    if not isinstance(prepared, PreparedText):
        count = np.where(columns["images_out"] > 0, columns["images_out"], columns["calls"])
        found[:] = 0.0
        found[:, 0] = count if prepared is None else count * _each(prepared, priced.kind)
        return found
    typical_in, typical_out = default_lengths(prepared)
    if priced.kind.operation.lower().startswith("embed"):
        typical_out = 0.0
    calls, cached = columns["calls"], columns["cached_tokens"]
    whole = found[:, FRESH] + cached
    code = priced.kind.lengths
    if code in {cells.NO_INPUT, cells.NO_LENGTHS}:
        found[:, FRESH] = whole = calls * typical_in
        found[:, PREFILL_CONTEXT] = calls * typical_in**2
        found[:, INPUT_X_OUTPUT] = found[:, OUTPUT] * typical_in
    if code in {cells.NO_OUTPUT, cells.NO_LENGTHS}:
        found[:, OUTPUT] = calls * typical_out
        found[:, INPUT_X_OUTPUT] = whole * typical_out
        found[:, OUTPUT_SQUARED] = calls * typical_out**2
    if code == cells.TOTALS:
        found[:, INPUT_X_OUTPUT] = whole * typical_out
        found[:, OUTPUT_SQUARED] = found[:, OUTPUT] * typical_out
        found[:, PREFILL_CONTEXT] = found[:, FRESH] * typical_in
    return found


def _each(prepared: Any, kind: Kind) -> float:
    """The feature of one image, video or use."""
    use = activity({"model": "x", "images": 1.0, "video": kind.video_ms / 1000 or None})
    return float(prepared.features([use])[0, 0])


def per_call(name: str) -> str:
    """The expression of a sum of a cell; products of totals are over the calls of their row."""
    if name in {FEATURES[index] for index in _SQUARES}:
        return f"({name}::DOUBLE / greatest(each, 1))"
    return f"{name}::DOUBLE"


def entries_of(
    rows: Indexes, of: Indexes, columns: Mapping[str, Vector], kinds: Sequence[Priced], count: int
) -> Entries:
    """Cells of a table as entries over the kinds that have a price and used something.

    Args:
        rows: the row of the table of each cell.
        of: the kind of each cell, an index.
        columns: sums of the cells, ``weighted_`` ones among them where there are any.
        kinds: what ``of`` refers to.
        count: rows of the table.
    """
    has_price = np.array([each.situation is not None for each in kinds], dtype=np.intp)
    number = np.cumsum(has_price) - 1
    is_priced = np.array([_counts(each) for each in kinds], dtype=bool)
    inside = np.flatnonzero(is_priced[of]) if len(of) else np.zeros(0, dtype=np.intp)
    found = np.zeros((len(inside), len(FEATURES)))
    is_weighted = any(name.startswith(cells.WEIGHTED) for name in columns)
    weighted = np.zeros_like(found) if is_weighted else None
    mine = of[inside]
    for kind in np.unique(mine):
        where = np.flatnonzero(mine == kind)
        chosen = {name: values[inside[where]] for name, values in columns.items()}
        found[where] = amounts(chosen, kinds[kind])
        if weighted is not None:
            weighted[where] = _weighted(chosen, found[where])
    return Entries(rows[inside], number[mine], found, weighted, count)


def _weighted(columns: Mapping[str, Vector], plain: Vector) -> Vector:
    """Features weighted by the grid of the hour; those that the log lacks follow the rest."""
    found = np.stack([columns[cells.WEIGHTED + name] for name in FEATURES], axis=1)
    told = np.stack([columns[name] for name in FEATURES], axis=1)
    ratio = np.divide(found, told, out=np.zeros_like(found), where=told != 0)
    mean = columns[cells.WEIGHTED + "calls"] / np.maximum(columns["calls"], 1.0)
    return np.where(told != 0, plain * ratio, plain * mean[:, None])


def _counts(priced: Priced) -> bool:
    return priced.situation is not None and priced.kind.lengths != cells.FAILED
