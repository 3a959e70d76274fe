"""Coverage of an inventory: how its calls were priced, and what is not in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.domain.coverage import Coverage, Name
from kilowhat.ledger import cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.ledger.gather import Gathered
    from kilowhat.ledger.pricing import Priced
    from kilowhat.ledger.total import Total

_LENGTHS = {
    cells.REPORTED: "reported", cells.CHARACTERS: "characters", cells.NO_OUTPUT: "assumed",
    cells.NO_INPUT: "assumed", cells.NO_LENGTHS: "assumed", cells.TOTALS: "totals",
}  # fmt: skip


def coverage(total: Total, gathered: Gathered, undated: int) -> Coverage:
    """What share of the log an inventory holds.

    Args:
        total: its sum.
        gathered: what was read.
        undated: calls without a time [1].
    """
    told = np.array([each.kind.lengths != cells.TOTALS for each in total.kinds], dtype=bool)
    calls = np.bincount(total.of, total.columns["calls"], len(total.kinds))
    rows = np.bincount(total.of, total.columns["rows"], len(total.kinds))
    counts = np.where(told, calls, rows).tolist()  # a row of unknown calls stands for one
    pricing: Counter[str] = Counter()
    lengths: Counter[str] = Counter()
    failed = 0
    for each, count in zip(total.kinds, counts, strict=True):
        if each.kind.lengths == cells.FAILED:
            failed += round(count)
            continue
        pricing[each.pricing] += round(count)
        if _has_tokens(each):
            lengths[_LENGTHS[each.kind.lengths]] += round(count)
    return Coverage(
        rows=gathered.rows,
        calls=sum(pricing.values()),
        pricing=dict(pricing),
        lengths=dict(lengths),
        failed=failed,
        undated=undated,
        repeated=gathered.repeated,
        others=gathered.others,
        refused=dict(gathered.refused),
        refused_rows=gathered.refused_rows,
        repeated_files=gathered.repeated_files,
        annual=gathered.annual,
        names=names(total.kinds, counts),
    )


def _has_tokens(each: Priced) -> bool:
    """Whether lengths are asked of a call: an image has none."""
    return not each.kind.operation.lower().startswith(("image", "video"))


def names(kinds: Sequence[Priced], counts: Sequence[float]) -> list[Name]:
    """How every name of a model was understood, most calls first."""
    found: dict[tuple[str, str], Name] = {}
    for each, count in zip(kinds, counts, strict=True):
        key = each.kind.model, each.operator
        known = found.get(key)
        if known is None or (known.pricing == "none" and each.pricing != "none"):
            found[key] = Name(
                asked=each.kind.model,
                provider=each.operator,
                model=_meaning(each),
                pricing=each.pricing,
                how=each.understood.how if each.situation else "",
                calls=round(count) + (known.calls if known else 0),
                nearest=each.understood.nearest,
                reason=each.reason,
            )
        else:
            found[key] = replace(known, calls=known.calls + round(count))
    return sorted(found.values(), key=lambda name: (-name.calls, name.asked))


def _meaning(each: Priced) -> str:
    """What a name was taken for: the id of a model, a class or a size."""
    if each.situation is None:
        return ""
    if each.pricing in {"class", "size"}:
        return each.situation.prepared.context.model
    return each.understood.label
