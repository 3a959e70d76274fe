"""Accelerators: what they are called."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accelerator:
    """An accelerator: its id, full name, vendor, and kind (datacentre, desktop, laptop …)."""

    id: str
    name: str
    vendor: str
    kind: str
