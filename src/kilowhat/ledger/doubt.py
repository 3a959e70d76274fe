"""Where the doubt of an inventory comes from: causes that its situations share, and those apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kilowhat.assessment.result import LEAST_SHARE, explained_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.assessment.situations import Situation
    from kilowhat.quantity.quantity import Vector

_CHANCE = 9.0
_ENOUGH = 0.995  # of the energy: smaller situations cannot move the shares that are shown


def drivers(situations: Sequence[Situation], energy_j: Sequence[Vector]) -> list[tuple[str, float]]:
    """The causes of the doubt about the energy of all, and the share of each, largest first.

    share_c = R² of the logarithm of the total on c, where c = Σ_s w_s · b_s · log(c_s)

    A cause may have other draws in each situation (the accelerators of two providers).  They are
    put together with the share ``w_s`` of the situation in the energy, and the slope ``b_s`` of
    its energy on them: what the cause does to the total, to first order.

    Args:
        situations: what is summed.
        energy_j: the electricity of each, all stages [J], shape (draws,).
    """
    if not situations:
        return []
    total = np.sum(energy_j, axis=0)
    if total.min() <= 0 or np.ptp(total) == 0:
        return []
    response = np.log(total) - np.log(total).mean()
    whole = float(response @ response)
    moved: dict[str, Vector] = {}
    order = sorted(range(len(situations)), key=lambda index: -float(energy_j[index].mean()))
    seen, all_of_it = 0.0, float(total.mean())
    for index in order:
        if seen >= _ENOUGH * all_of_it:
            break
        weight = float(energy_j[index].mean()) / all_of_it
        seen += float(energy_j[index].mean())
        _move(moved, situations[index], energy_j[index], weight)
    found = [(name, explained_share(np.exp(v), response, whole)) for name, v in moved.items()]
    return sorted(((n, s) for n, s in found if s >= LEAST_SHARE), key=lambda each: -each[1])


def _move(moved: dict[str, Vector], situation: Situation, energy_j: Vector, weight: float) -> None:
    """Add what each cause does to one situation, in the logarithm of the total."""
    if energy_j.min() <= 0:
        return
    response = np.log(energy_j)
    response = response - response.mean()
    for name, values in situation.prepared.context.causes():
        scaled = np.log(values) if values.min() > 0 else values
        centred = scaled - scaled.mean()
        spread = float(centred @ centred)
        common = float(response @ centred)
        # Three times what chance makes of draws that have nothing to do with one another.
        if spread > 0 and common**2 > _CHANCE * spread * float(response @ response) / len(centred):
            slope = common / spread
            known = moved.get(name)
            step = weight * slope * centred
            moved[name] = step if known is None else known + step
