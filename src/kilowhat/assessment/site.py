"""Where a use runs: its zone, operator and region, and the rates that follow from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kilowhat.assessment.rates import RateBuilder, Rates, Site, Which
from kilowhat.errors import InvalidValue
from kilowhat.language import mark, translate
from kilowhat.registry.places import WORLD, ancestry, find_region, find_zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.domain.activity import Activity
    from kilowhat.domain.boundary import Stage
    from kilowhat.registry.resolve import Registry

NO_ZONE = mark("No zone given: the world average grid is used.")
_OPERATORS = {"gcp": "google"}  # a cloud's name in regions, and its operator's in disclosures


class Sites:
    """Resolves where uses run, and keeps the rates of each site.

    Args:
        registry: the sourced numbers.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._kept: dict[tuple[object, ...], Rates] = {}

    def resolve(self, use: Activity, provider: str | None, kind: str) -> tuple[Site, list[str]]:
        """The site of a use, and what must be said about it.

        Raises:
            UnknownZone: the zone is not in the table.
            UnknownRegion: the region is not in the table.
            InvalidValue: a zone and a region that contradict each other.
        """
        data = self.registry.data
        region = find_region(use.region, data) if use.region else None
        name = use.zone or (region.zone if region else None)
        zone = find_zone(name or WORLD, data)
        if region is not None and use.zone is not None:
            there = find_zone(region.zone, data)
            if zone.id not in ancestry(there, data) and there.id not in ancestry(zone, data):
                expected = translate(mark("region {region} is in zone {zone}"))
                raise InvalidValue(
                    name="zone",
                    value=use.zone,
                    expected=expected.format(region=use.region, zone=there.id.upper()),
                )
        operator = _OPERATORS.get(region.provider, region.provider) if region else provider
        where = region.region if region else None
        site = Site(zone, operator.lower() if operator else None, where, kind, use.when)
        return site, [] if name else [NO_ZONE]

    def rates(self, site: Site, accelerators: Sequence[str], which: Which, key: str) -> Rates:
        """The rates of a site; the same object for the same site and hardware.

        Args:
            site: where.
            accelerators: ids of the accelerators that occur among the draws.
            which: index into them by draw.
            key: names the mix, since an array cannot be a key.
        """
        known = (site, tuple(accelerators), key)
        if key and known in self._kept:
            return self._kept[known]
        rates = RateBuilder(self.registry, site).build(accelerators, which)
        if key:
            self._kept[known] = rates
        return rates

    def rates_of(self, site: Site, have: Stage) -> Rates:
        """The rates of a site for energy that already contains some stages; no hardware."""
        key = (site, have)
        if key not in self._kept:
            self._kept[key] = RateBuilder(self.registry, site, have).build()
        return self._kept[key]
