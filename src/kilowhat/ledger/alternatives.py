"""The same calls under another assumption, and the same log in another period."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.assessment.rates import UNITS
from kilowhat.assessment.uses import FIELDS
from kilowhat.domain.impact import Interval, Missing
from kilowhat.domain.inventory import Alternative
from kilowhat.errors import InvalidValue, UnknownName
from kilowhat.language import mark, translate
from kilowhat.ledger.total import Total
from kilowhat.quantity.notation import format_number
from kilowhat.quantity.spread import summarise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kilowhat.ledger.pricing import Pricer

CHANGEABLE = ("zone", "region", "model", "provider", "serving", "accelerator", "count", "precision",
              "parameters", "active", "like")  # fmt: skip
"""Fields of a use that another assumption may put in place of the log's."""


def parse(text: str) -> dict[str, object]:
    """Another assumption as it is written: ``zone=SWE`` or ``model=gpt-4o-mini,zone=FRA``.

    Raises:
        InvalidValue: it is not written so.
        UnknownName: a field that cannot be changed; names those that can.

    >>> parse("zone=SWE")
    {'zone': 'SWE'}
    """
    found: dict[str, object] = {}
    for part in text.split(","):
        name, sign, value = (piece.strip() for piece in part.partition("="))
        if not sign or not name or not value:
            expected = translate(mark("FIELD=VALUE, such as zone=SWE"))
            raise InvalidValue(name="what-if", value=text, expected=expected)
        if name not in CHANGEABLE:
            raise UnknownName(name=name, nearest=list(CHANGEABLE))
        found[name] = next(f for f in FIELDS if f.name == name).read(value)
    return found


def what_if(change: Mapping[str, object], total: Total, pricer: Pricer) -> Alternative:
    """The same calls under another assumption, and how many times the inventory's it takes.

    Calls to which it cannot apply, an image model in place of which a text model is put, keep
    their own price.

    Raises:
        UsageError: it applies to no call; the reason is that of the most frequent ones.
    """
    other = replace(pricer, changed=dict(change))
    kinds, kept, reasons = [], 0.0, []
    calls = np.bincount(total.of, total.columns["calls"], len(total.kinds))
    for each, count in zip(total.kinds, calls, strict=True):
        found = other.price(each.kind) if each.situation is not None else each
        if found.situation is None and each.situation is not None:
            kept += count
            reasons.append((count, found.reason))
            found = each
        kinds.append(found)
    if reasons and kept >= total.columns["calls"].sum():
        raise InvalidValue(
            name="what-if", value=_label(change), expected=max(reasons)[1].rstrip(".")
        )
    priced = Total.sums_of(kinds, total.priced.draws)
    changed = Total.made(total.columns, total.of, kinds, priced)
    notes = []
    if kept:
        sentence = translate(mark("{count} calls keep their own price: {reason}"))
        notes.append(sentence.format(count=format_number(kept, None), reason=max(reasons)[1]))
    change_, clear = _ratios(changed, total, 1.0)
    return Alternative(
        label=_label(change),
        kind="what-if",
        usage=changed.usage(pricer.characters_per_token(kinds)),
        impacts=changed.impacts,
        change=change_,
        clear=clear,
        notes=notes,
    )


def _label(change: Mapping[str, object]) -> str:
    return ",".join(f"{name}={value}" for name, value in change.items())


def period(
    label: str, mine: Total, other: Total, days: tuple[int, int], pricer: Pricer
) -> Alternative:
    """The log in another period, and how many times its impact the inventory's is.

    Args:
        label: the other period, as it was given.
        mine: the inventory's sum.
        other: that of the other period.
        days: with calls in each; where they differ, means per day are compared.
        pricer: the sourced numbers.
    """
    per_day = days[0] != days[1]
    scale = days[1] / days[0] if per_day and days[0] else 1.0
    change, clear = _ratios(mine, other, scale)
    return Alternative(
        label=label,
        kind="period",
        usage=other.usage(pricer.characters_per_token(other.kinds)),
        impacts=other.impacts,
        change=change,
        clear=clear,
        per_day=per_day,
    )


def _ratios(
    above: Total, below: Total, scale: float
) -> tuple[dict[str, Interval | Missing], dict[str, bool]]:
    """By category the ratio of two sums, draw by draw, and whether it is clear of 1."""
    found: dict[str, Interval | Missing] = {}
    known = above.impacts, below.impacts
    for category in UNITS:
        if any(isinstance(impacts[category], Missing) for impacts in known):
            reason = mark("one of the two has no value for this category")
            found[category] = Missing("1", reason)
            continue
        over, under = above.draws(category), below.draws(category)
        if under.min() <= 0:
            found[category] = Missing("1", mark("there is nothing to compare with"))
            continue
        found[category] = Interval("1", *summarise(scale * over / under))
    clear = {
        name: isinstance(value, Interval) and not value.p05 <= 1.0 <= value.p95
        for name, value in found.items()
    }
    return found, clear
