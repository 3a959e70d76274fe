"""Where electricity is used: zones of the grid, and cloud regions in them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of the electricity grid: a country, a part of one, or an aggregate."""

    id: str
    kind: str
    iso2: str
    name_en: str
    name_fr: str
    parent: str

    def name(self, language: str) -> str:
        """The zone's name in a language."""
        return self.name_fr if language == "fr" else self.name_en


@dataclass(frozen=True, slots=True)
class Region:
    """A region of a cloud provider, and the zone that feeds it."""

    provider: str
    region: str
    zone: str
    name: str
