"""Coverage of an inventory: how its calls were priced, and what is not in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kilowhat.domain.coverage import Coverage, Name
from kilowhat.ledger import cells

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kilowhat.ledger.gather import Gathered
    from kilowhat.ledger.pricing import Priced
    from kilowhat.ledger.total import Total

_LIKENED = 50  # names that are not known for which like ones are looked up: it is slow
_LENGTHS = {
    cells.REPORTED: "reported", cells.CHARACTERS: "characters", cells.NO_OUTPUT: "assumed",
    cells.NO_INPUT: "assumed", cells.NO_LENGTHS: "assumed", cells.TOTALS: "totals",
}  # fmt: skip


def coverage(
    total: Total, gathered: Gathered, undated: int, nearest: Callable[[str], tuple[str, ...]]
) -> Coverage:
    """What share of the log an inventory holds.

    Args:
        total: its sum.
        gathered: what was read.
        undated: calls without a time [1].
        nearest: finds names like one that is not known.
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
        outside=gathered.outside,
        refused=dict(gathered.refused),
        refused_rows=gathered.refused_rows,
        repeated_files=gathered.repeated_files,
        annual=gathered.annual,
        names=names(total.kinds, counts, nearest),
    )


def _has_tokens(each: Priced) -> bool:
    """Whether lengths are asked of a call: an image has none."""
    return not each.kind.operation.lower().startswith(("image", "video"))


def names(
    kinds: Sequence[Priced], counts: Sequence[float], nearest: Callable[[str], tuple[str, ...]]
) -> list[Name]:
    """How every name of a model was understood, most calls first.

    Args:
        kinds: of calls.
        counts: calls of each [1].
        nearest: finds names like one that is not known; asked for the most frequent ones.
    """
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
                reason=each.reason.rstrip("."),
            )
        else:
            found[key] = replace(known, calls=known.calls + round(count))
    ordered = sorted(found.values(), key=lambda name: (-name.calls, name.asked))
    unsure = [at for at, name in enumerate(ordered) if name.how in {"size", "class"}]
    for at in unsure[:_LIKENED]:
        ordered[at] = replace(ordered[at], nearest=nearest(ordered[at].asked))
    return ordered


def _meaning(each: Priced) -> str:
    """What a name was taken for: the id of a model, a class or a size."""
    if each.situation is None:
        return ""
    if each.pricing in {"class", "size"}:
        return each.situation.prepared.context.model
    return each.understood.label
