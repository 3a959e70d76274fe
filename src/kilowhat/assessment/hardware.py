"""The datasheet numbers of accelerators, with their trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kilowhat.domain.deployment import Accelerator
from kilowhat.errors import UnsupportedUse
from kilowhat.language import mark, translate
from kilowhat.quantity.quantity import Quantity
from kilowhat.registry.hardware import accelerators, find_accelerator

if TYPE_CHECKING:
    from kilowhat.domain.factor import Entry
    from kilowhat.registry.resolve import Registry

PEAKS = ("bf16", "fp16", "fp8", "fp4", "int8")


class Machines:
    """Accelerators by id, read once from a registry.

    Args:
        registry: the sourced numbers.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._kept: dict[str, tuple[Accelerator, list[Entry]]] = {}

    def find(self, name: str) -> Accelerator:
        """The accelerator of any of its names.

        Raises:
            UnknownAccelerator: no accelerator has such a name.
            UnsupportedUse: its datasheet lacks a number that the estimate needs.
        """
        return self.by_id(find_accelerator(name, self.registry.data).id)

    def by_id(self, identity: str) -> Accelerator:
        """The accelerator of an id.

        Raises:
            UnsupportedUse: its datasheet lacks a number that the estimate needs.
        """
        if identity not in self._kept:
            self._kept[identity] = self._read(identity)
        return self._kept[identity][0]

    def trail(self, identities: tuple[str, ...]) -> list[Entry]:
        """The factors behind some accelerators that were read."""
        return [entry for identity in identities for entry in self._kept[identity][1]]

    def kind(self, identity: str) -> str:
        """Where an accelerator is meant to stand: datacentre, desktop, laptop …"""
        return accelerators(self.registry.data)[identity].kind

    def _read(self, identity: str) -> tuple[Accelerator, list[Entry]]:
        entries: list[Entry] = []

        def number(name: str, unit: str) -> float | None:
            entry = self.registry.find(f"hardware.{identity}.{name}")
            if entry is None:
                return None
            entries.append(entry)
            return float(Quantity.of(entry.factor.central, entry.factor.unit).to(unit))

        tdp, memory = number("tdp", "W"), number("memory", "B")
        bandwidth = number("bandwidth", "B/s")
        peaks = {name: number(f"peak_{name}", "FLOP/s") for name in PEAKS}
        known = {name: peak for name, peak in peaks.items() if peak is not None}
        if "fp16" in known:
            known.setdefault("bf16", known["fp16"])  # older tensor cores have the one alone
        if tdp is None or memory is None or bandwidth is None or not known:
            raise UnsupportedUse(
                model=identity,
                use=translate(mark("an estimate")),
                reason=translate(
                    mark("its datasheet lacks power, memory, bandwidth or a tensor peak")
                ),
            )
        link = number("link_bandwidth", "B/s") or 0.0
        return Accelerator(identity, tdp, memory, bandwidth, link, known), entries
