"""Find a zone or a cloud region by any of its names."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from kilowhat.domain.place import Region, Zone
from kilowhat.errors import UnknownRegion, UnknownZone
from kilowhat.registry.tables import DATA, table

if TYPE_CHECKING:
    from pathlib import Path

WORLD = "world"
PROVIDERS = {"amazon": "aws", "google": "gcp", "microsoft": "azure", "ovhcloud": "ovh"}


def _fold(name: str) -> str:
    plain = name
    if not name.isascii():
        import unicodedata  # noqa: PLC0415 - only accents need it

        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return " ".join(plain.lower().replace("_", "-").split())


@lru_cache(maxsize=4)
def zones(directory: Path = DATA) -> dict[str, Zone]:
    """Every zone, by id."""
    found = {}
    for row in table(directory / "zones.csv"):
        zone = Zone(
            row["id"], row["kind"], row["iso2"], row["name_en"], row["name_fr"], row["parent"]
        )
        found[zone.id] = zone
    return found


@lru_cache(maxsize=4)
def _names(directory: Path) -> dict[str, str]:
    names: dict[str, str] = {}
    for row in table(directory / "zones.csv"):
        for name in (row["iso2"], row["name_en"], row["name_fr"], *row["aliases"].split("|")):
            if name:
                names.setdefault(_fold(name), row["id"])
    return names | {identity: identity for identity in zones(directory)}


def find_zone(name: str, directory: Path = DATA) -> Zone:
    """The zone of an id, an ISO code, or a name in either language.

    Raises:
        UnknownZone: no zone has such a name; names the nearest ones.

    >>> find_zone("France").id
    'fra'
    """
    folded, known = _fold(name), zones(directory)
    if folded in known:
        return known[folded]
    names = _names(directory)
    identity = names.get(folded)
    if identity is None:
        import difflib  # noqa: PLC0415 - only a wrong name needs it

        nearest = difflib.get_close_matches(folded, names, n=3, cutoff=0.6)
        raise UnknownZone(name=name, nearest=sorted({names[near].upper() for near in nearest}))
    return known[identity]


def ancestry(zone: Zone, directory: Path = DATA) -> list[str]:
    """The ids of a zone and of the zones around it, nearest first; the world is not among them."""
    chain = [zone.id]
    while zone.parent and zone.parent != WORLD:
        zone = zones(directory)[zone.parent]
        chain.append(zone.id)
    return chain


@lru_cache(maxsize=4)
def regions(directory: Path = DATA) -> dict[tuple[str, str], Region]:
    """Every cloud region, by provider and region name."""
    found = {}
    for row in table(directory / "regions.csv"):
        region = Region(row["provider"], row["region"], row["zone"], row["name"])
        found[region.provider, region.region] = region
    return found


def find_region(name: str, directory: Path = DATA) -> Region:
    """The cloud region written ``provider:region``.

    Raises:
        UnknownRegion: the provider or the region is not in the table.

    >>> find_region("aws:eu-west-3").zone
    'fra'
    """
    provider, _, region = name.lower().partition(":")
    provider = PROVIDERS.get(provider, provider)
    known = regions(directory)
    if (provider, region) not in known:
        import difflib  # noqa: PLC0415 - only a wrong name needs it

        written = [":".join(key) for key in known]
        nearest = difflib.get_close_matches(f"{provider}:{region}", written, n=3, cutoff=0.6)
        raise UnknownRegion(name=name, nearest=nearest)
    return known[provider, region]
