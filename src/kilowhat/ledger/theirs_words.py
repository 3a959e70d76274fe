"""What a reader should know of an inventory by EcoLogits' formulas, in sentences."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kilowhat.language import mark, translate
from kilowhat.ledger import ecologits
from kilowhat.ledger.theirs_calls import mix_zone
from kilowhat.quantity.notation import format_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.ledger.mapping import Described
    from kilowhat.ledger.theirs_calls import Model, Staged
    from kilowhat.ledger.theirs_sums import Sums

_LISTED = 5  # zones of which a sentence tells
_RANGE = mark(
    "EcoLogits' range lies between the fewest and the most parameters that a model may have, with "
    "the mean of both in the middle: it is no 90 % interval."
)
_LEFT_OUT = mark(
    "EcoLogits leaves out input tokens, idle capacity, the network and the training of models."
)
_NO_PLACE = mark(
    "Nothing tells where these calls run; EcoLogits' own zone of their provider was taken: {zones}."
)
_WIDENED = mark("EcoLogits has mixes of countries alone, which were taken: {zones}.")
_NO_LATENCY = mark(
    "No usable latency in the log: EcoLogits' own time to generate was taken. Calls: {count}."
)
_UNPRICED = mark("Not priced: {reason}. Calls: {count}.")
_SIZES = mark(
    "EcoLogits takes no size or class from the mapping file: “{name}” is priced by its name alone."
)


def of_method() -> list[str]:
    """What its ranges mean, and what its numbers leave out."""
    return [translate(_RANGE), translate(_LEFT_OUT)]


def of_calls(whole: Sums, staged: Staged, timed: int) -> list[str]:
    """What the log did not tell, and what was not priced.

    Args:
        whole: all calls, as one row.
        staged: the calls.
        timed: how many of the priced calls have a latency [1].
    """
    found = []
    zones = _zones(whole, staged.known)
    if zones:
        told = ", ".join(f"{zone} {_shown(count)}" for zone, count in zones.most_common())
        found.append(translate(_NO_PLACE).format(zones=told))
    if staged.widened:
        pairs = [f"{a.upper()} → {b.upper()}" for a, b in sorted(staged.widened.items())]
        listed = ", ".join(pairs[:_LISTED]) + (", …" if len(pairs) > _LISTED else "")
        found.append(translate(_WIDENED).format(zones=listed))
    untimed = int(whole.priced.calls.sum()) - timed
    if untimed:
        found.append(translate(_NO_LATENCY).format(count=_shown(untimed)))
    for reason, counts in whole.priced.unpriced.items():
        if counts.any():
            why, count = translate(ecologits.UNPRICED[reason]), _shown(int(counts.sum()))
            found.append(translate(_UNPRICED).format(count=count, reason=why))
    return found


def _zones(whole: Sums, known: Sequence[Model]) -> Counter[str]:
    """The priced calls of which nothing tells where they run, by the zone that is taken."""
    found: Counter[str] = Counter()
    numbers, zones = whole.groups["number"], whole.groups["zone"]
    for number, zone, count in zip(numbers, zones, whole.priced.calls, strict=True):
        if not zone and count:
            found[mix_zone(known[number])] += int(count)
    return found


def of_mapping(described: Described, known: Sequence[Model]) -> list[str]:
    """That sizes and classes of a mapping file do not count, where the log has such names."""
    for each in known:
        name = each.parameters.asked[1]
        if "model" not in (described.model(name) or {"model": name}):
            return [translate(_SIZES).format(name=name[:60])]
    return []


def _shown(count: int) -> str:
    return format_number(count, None)
