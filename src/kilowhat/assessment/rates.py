"""What one joule and one second of an accelerator cause, stage by stage, at a given site.

Every formula of `methods` is linear in the accelerator's energy or in the time that it is
occupied.  So the chain is evaluated once per site, on one joule and on one second; a use, or a
whole log, is then that many joules and seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from kilowhat.domain.boundary import Stage, widen
from kilowhat.errors import MissingFactor
from kilowhat.language import current, mark, translate
from kilowhat.methods import embodied, facility, grid
from kilowhat.quantity.quantity import Quantity
from kilowhat.quantity.units import ENERGY, TIME
from kilowhat.registry.hardware import accelerators
from kilowhat.registry.places import WORLD, ancestry, zones

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    from kilowhat.domain.factor import Entry
    from kilowhat.domain.place import Zone
    from kilowhat.quantity.quantity import Magnitude
    from kilowhat.registry.resolve import Registry

Which: TypeAlias = "NDArray[np.intp] | int"
"""The index of each draw's accelerator among those that occur."""
UNITS = {"energy": "J", "ghg": "gCO2e", "water": "L", "primary_energy": "MJ", "adpe": "kgSbeq"}
"""The impact categories, and the unit of each in results."""
LABELS = {
    "energy": mark("Energy"),
    "ghg": mark("Greenhouse gas"),
    "water": mark("Water consumed"),
    "primary_energy": mark("Primary energy"),
    "adpe": mark("Minerals and metals (ADPe)"),
}
"""What the categories are called."""

_GRID_INTENSITIES: dict[str, tuple[str, Callable[[Quantity, Quantity], Quantity]]] = {
    "water": ("water_consumption", grid.generation_water),
    "primary_energy": ("primary_energy", grid.primary_energy),
    "adpe": ("adpe", grid.resource_depletion),
}
_EMBODIED = {
    "ghg": "embodied_gwp",
    "water": "embodied_water",
    "primary_energy": "embodied_pe",
    "adpe": "embodied_adpe",
}
_BESIDE = {
    "market": ("gwp_residual",),
    "marginal": ("gwp_operating_margin", "gwp_marginal"),
    "long_run_marginal": ("gwp_combined_margin",),
}


@dataclass(frozen=True, slots=True)
class Site:
    """Where a use runs: zone, operator and its region, class of deployment, date."""

    zone: Zone | None
    operator: str | None
    region: str | None
    kind: str
    when: date | None = None


@dataclass(slots=True)
class Rates:
    """Impacts per joule and per accelerator-second, by (stage, category), in result units."""

    per_joule: dict[tuple[str, str], Magnitude] = field(default_factory=dict)
    per_second: dict[tuple[str, str], Magnitude] = field(default_factory=dict)
    parts: dict[str, Magnitude] = field(default_factory=dict)
    beside: dict[str, Magnitude] = field(default_factory=dict)
    beside_from: dict[str, Entry] = field(default_factory=dict)
    missing: dict[tuple[str, str], str] = field(default_factory=dict)
    trail: list[Entry] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    boundary: Stage = Stage.ACCELERATOR
    _totals: dict[str, tuple[Magnitude, Magnitude | None, bool]] = field(default_factory=dict)

    def totals(self, category: str) -> tuple[Magnitude, Magnitude | None, bool]:
        """A category's impact per joule and per second over all stages, and whether it is known.

        A category whose grid stage is missing is not known: the rest would pass for the whole.
        """
        if category not in self._totals:
            joule = sum((v for (_, c), v in self.per_joule.items() if c == category), 0.0)
            times = [v for (_, c), v in self.per_second.items() if c == category]
            known = ("grid", category) not in self.missing
            self._totals[category] = (joule, sum(times, 0.0) if times else None, known)
        return self._totals[category]

    def incomplete(self) -> dict[str, list[str]]:
        """The categories whose total lacks a stage that no sourced factor gives, and which."""
        found: dict[str, list[str]] = {}
        for stage, category in self.missing:
            if ("grid", category) not in self.missing:
                found.setdefault(category, []).append(stage)
        return found

    def stages(self) -> list[str]:
        """The stages that cause something, in life-cycle order."""
        order = ("given", "accelerator", "host", "idle", "facility", "grid", "embodied")
        used = {stage for stage, _ in (*self.per_joule, *self.per_second, *self.missing)}
        return [stage for stage in order if stage in used]


class RateBuilder:
    """Chains the methods for one site, and remembers each factor that it used."""

    def __init__(self, registry: Registry, site: Site, have: Stage = Stage.ACCELERATOR) -> None:
        self.registry = registry
        self.site = site
        self.rates = Rates(boundary=have)

    def build(self, machines: Sequence[str] = (), which: Which = 0) -> Rates:
        """The rates of the site for hardware that is a mix of accelerators.

        Stages that the energy already contains (``have``) are not added again.

        Args:
            machines: ids of the accelerators that occur; without any, nothing is said of
                the making of the hardware.
            which: index into them, a number or a vector over draws.
        """
        energy = self._electricity(Quantity(1.0, ENERGY))
        self._grid(energy)
        if machines:
            self._embodied(Quantity(1.0, TIME), machines, which)
        return self.rates

    def _value(self, *ladder: str) -> Quantity:
        entry = self.registry.factor(*ladder, when=self.site.when)
        self.rates.trail.append(entry)
        return self.registry.value(entry.factor)

    def _put(self, stage: str, category: str, impact: Quantity) -> None:
        self.rates.per_joule[stage, category] = impact.to(UNITS[category])

    def _facility_ladder(self, name: str) -> list[str]:
        site = self.site
        ladder = [f"facility.{site.kind}.{name}", f"facility.colocation.{name}"]
        if site.operator:
            ladder.insert(0, f"facility.{site.operator}.{name}")
            if site.region:
                ladder.insert(0, f"facility.{site.operator}-{site.region}.{name}")
        return ladder

    def _electricity(self, given: Quantity) -> Quantity:
        """The electricity at the meter behind some energy; fills its stages."""
        rates, kind = self.rates, self.site.kind
        self._put(
            "accelerator" if rates.boundary == Stage.ACCELERATOR else "given", "energy", given
        )
        it_energy = given
        if Stage.HOST not in rates.boundary:
            ratio = self._value(f"deployment.{kind}.host_ratio")
            it_energy = self._add(Stage.HOST, it_energy, facility.host_energy(it_energy, ratio))
        if Stage.IDLE not in rates.boundary:
            ratio = self._value(f"deployment.{kind}.idle_ratio")
            it_energy = self._add(Stage.IDLE, it_energy, facility.idle_energy(it_energy, ratio))
        if Stage.FACILITY in rates.boundary:
            rates.missing["facility", "water"] = mark("on-site water follows from the IT energy")
            return it_energy
        pue = self._value(*self._facility_ladder("pue"))
        try:
            wue = self._value(*self._facility_ladder("wue"))
            self._put("facility", "water", facility.on_site_water(it_energy, wue))
        except MissingFactor:
            rates.missing["facility", "water"] = mark("no published water use of this site")
        return self._add(Stage.FACILITY, it_energy, facility.overhead_energy(it_energy, pue))

    def _add(self, stage: Stage, energy: Quantity, more: Quantity) -> Quantity:
        """The energy with one stage more, which may not be in it already."""
        self.rates.boundary = widen(self.rates.boundary, stage)
        self._put(str(stage.name).lower(), "energy", more)
        return energy + more

    def _zones(self) -> list[str]:
        """The zone and those around it, up to its country; aggregates stand for themselves."""
        zone = self.site.zone
        if zone is None or zone.id == WORLD:
            return [WORLD]
        known = zones(self.registry.data)
        around = ancestry(zone, self.registry.data)
        return [around[0], *(z for z in around[1:] if known[z].kind != "aggregate")]

    def _grid(self, energy: Quantity) -> None:
        rates, ids = self.rates, self._zones()
        ladder = [f"grid.{zone}.gwp_location" for zone in ids]
        if self.registry.purpose == "regulatory-fr":
            ladder.insert(0, f"grid.{ids[0]}.gwp_regulatory")
        if ids != [WORLD]:
            ladder.append(f"grid.{WORLD}.gwp_location")
        intensity = self._value(*ladder)
        entry = rates.trail[-1]
        self._say_fallback(entry, ids)
        ghg = grid.emissions(energy, intensity)
        rates.boundary = widen(rates.boundary, entry.boundary & ~rates.boundary | Stage.GRID)
        self._split(ghg, ids)
        for category, (name, formula) in _GRID_INTENSITIES.items():
            found = self._optional([f"grid.{zone}.{name}" for zone in ids])
            if found is None:
                rates.missing["grid", category] = mark("no sourced factor for this grid zone")
            else:
                self._put("grid", category, formula(energy, found))
        self._beside(energy, ids)

    def _say_fallback(self, entry: Entry, ids: list[str]) -> None:
        """Say so where the factor is of another zone or year than asked for."""
        rates, when = self.rates, self.site.when
        used = entry.factor.id.split(".")[1]
        if used == WORLD and ids != [WORLD]:
            rates.notes.append(mark("No grid factor for this zone: the world average is used."))
        elif used != ids[0]:
            known = zones(self.registry.data)
            sentence = translate(
                mark("No life-cycle grid factor for {zone}: that of {used} is taken.")
            )
            names = {"zone": known[ids[0]], "used": known[used]}
            shown = {key: zone.name(current()) for key, zone in names.items()}
            rates.notes.append(sentence.format(**shown))
        year = entry.factor.year
        if when is not None and year is not None and year != when.year:
            sentence = translate(mark("No grid factor for {asked}: that of {year} is taken."))
            rates.notes.append(sentence.format(asked=when.year, year=year))

    def _split(self, ghg: Quantity, ids: list[str]) -> None:
        """Direct, upstream and losses apart, as far as the zone's data go."""
        rates = self.rates
        owner = rates.trail[-1].factor.id.split(".")[1]  # the zone whose factor was used
        share = self._optional([f"grid.{owner}.direct_share"])
        if share is not None:
            direct = grid.direct_part(ghg, share)
            rates.parts["direct"] = direct.to("gCO2e")
            rates.parts["upstream"] = (ghg - direct).to("gCO2e")
        if rates.trail[-1].factor.id.endswith(".gwp_regulatory"):
            rates.notes.append(
                mark("The regulatory factor does not say whether it holds losses: none are added.")
            )
        elif Stage.LOSSES not in rates.boundary:
            lost = self._optional([f"grid.{zone}.losses" for zone in ids])
            if lost is not None:
                losses = grid.loss_part(ghg, lost)
                rates.parts["losses"] = losses.to("gCO2e")
                ghg = ghg + losses
                rates.boundary = widen(rates.boundary, Stage.LOSSES)
            else:
                rates.notes.append(
                    mark("Transmission and distribution losses are not known for this zone.")
                )
        self._put("grid", "ghg", ghg)

    def _optional(self, ladder: list[str]) -> Quantity | None:
        entry = self.registry.find(*ladder, when=self.site.when)
        if entry is None:
            return None
        self.rates.trail.append(entry)
        return self.registry.value(entry.factor)

    def _beside(self, energy: Quantity, ids: list[str]) -> None:
        """Market-based and marginal figures: shown beside the average, never added to it."""
        for name, properties in _BESIDE.items():
            for property_ in properties:
                entry = self.registry.find(
                    *(f"grid.{zone}.{property_}" for zone in ids), when=self.site.when
                )
                if entry is not None and name not in self.rates.beside:
                    intensity = self.registry.value(entry.factor)
                    self.rates.beside[name] = grid.emissions(energy, intensity).to("gCO2e")
                    self.rates.beside_from[name] = entry
                    self.rates.trail.append(entry)

    def _embodied(self, occupancy: Quantity, machines: Sequence[str], which: Which) -> None:
        rates, kind = self.rates, self.site.kind
        share = embodied.occupied_share(
            occupancy,
            self._value(f"deployment.{kind}.lifetime"),
            self._value(f"deployment.{kind}.utilisation"),
        )
        for category, name in _EMBODIED.items():
            made = self._mixed(name, machines, which)
            if made is None:
                rates.missing["embodied", category] = mark("no sourced factor for this hardware")
            else:
                impact = embodied.allocated(made, share)
                rates.per_second["embodied", category] = impact.to(UNITS[category])
                rates.boundary |= Stage.EMBODIED

    def _made(self, name: str, accelerator: str) -> Quantity | None:
        """The making of an accelerator with its share of the host; a laptop is one thing."""
        kind = self.site.kind
        if accelerators(self.registry.data)[accelerator].kind == "laptop":
            return self._optional([f"hardware.laptop.{name}"])
        card = self._optional([f"hardware.{accelerator}.{name}", f"hardware.{kind}.{name}"])
        host = self._optional([f"hardware.{kind}.host_{name}"])
        return None if card is None or host is None else card + host

    def _mixed(self, name: str, machines: Sequence[str], which: Which) -> Quantity | None:
        """The factor of each draw's accelerator; nothing when one of them has none."""
        values = []
        for accelerator in machines:
            found = self._made(name, accelerator)
            if found is None:
                return None
            values.append(found)
        if len(values) == 1:
            return values[0]
        import numpy as np  # noqa: PLC0415 - only mixes of accelerators need it

        draws = np.stack(
            [np.broadcast_to(value.magnitude, (self.registry.draws,)) for value in values]
        )
        index = np.broadcast_to(np.asarray(which, dtype=np.intp), (self.registry.draws,))
        chosen = draws[index, np.arange(self.registry.draws)]
        return Quantity(chosen, values[0].dimension)
