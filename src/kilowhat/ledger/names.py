"""How the names of models in a log are understood, and what stands for those that are not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kilowhat.ledger.mapping import Described
from kilowhat.registry import models
from kilowhat.registry.tables import DATA

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

UNKNOWN = "any"  # the class of models that stands for a name of which nothing is known
_SIZE = re.compile(r"(?<![a-z0-9.])(\d{1,4}(?:\.\d+)?)b(?![a-z0-9])")
_ACTIVE = re.compile(r"(?<![a-z0-9])a(\d{1,3}(?:\.\d+)?)b(?![a-z0-9])")
_BILLION = 1e9


@dataclass(frozen=True, slots=True)
class Understood:
    """What a name was taken for.

    Attributes:
        fields: of the use that stands for it: a model, a size or a class.
        label: how tables call it.
        pricing: model, mapping, size or class.
        how: how the name was understood.
    """

    fields: Mapping[str, object]
    label: str
    pricing: str
    how: str


@dataclass(slots=True)
class Names:
    """Understands names of models; each is looked up once.

    Attributes:
        described: what a mapping file says, which goes first.
        data: directory of the table of models.
    """

    described: Described = field(default_factory=Described)
    data: Path = DATA
    _known: dict[str, Understood] = field(default_factory=dict)

    def understand(self, name: str) -> Understood:
        """What a name is taken for: by the mapping, the table, its size, else any model."""
        if name not in self._known:
            self._known[name] = self._find(name) if name.strip() else unknown(name)
        return self._known[name]

    def _find(self, name: str) -> Understood:
        mapped = self.described.model(name)
        if mapped is not None:
            label = str(mapped.get("model", name))
            return Understood(mapped, label, "mapping", "mapping")
        found = models.load(self.data).find(name)
        if found is None:
            return _by_size(name) or unknown(name)
        return Understood({"model": name}, found.model.id, "model", found.how)

    def nearest(self, name: str) -> tuple[str, ...]:
        """The ids of models whose names look most like one that is not known; slow to find."""
        return tuple(models.load(self.data).nearest(name.strip().lower()))


def _by_size(name: str) -> Understood | None:
    """A size written in a name, such as ``70b``, or ``235b-a22b`` for a mixture of experts."""
    plain = name.lower()
    active = _ACTIVE.search(plain)
    sizes = [float(size) for size in _SIZE.findall(_ACTIVE.sub(" ", plain))]
    if len(sizes) != 1 or not 0.001 <= sizes[0] <= 100_000:
        return None
    told: dict[str, object] = {"parameters": sizes[0] * _BILLION}
    if active and float(active[1]) <= sizes[0]:
        told["active"] = float(active[1]) * _BILLION
    return Understood(told, name, "size", "size")


def unknown(name: str) -> Understood:
    """What stands for a name of which nothing is known: any model, so the interval is wide."""
    return Understood({"like": UNKNOWN}, name, "class", "class")
