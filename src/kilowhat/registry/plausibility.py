"""Checks that a number can be true: bounds, sums of its kin, other years, other sources.

Each check is a function from the material to its findings.  The bounds are data
(``bounds.csv``, with their source); the tolerances below say when two numbers that should agree
no longer do.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from statistics import fmean, median
from typing import TYPE_CHECKING

from kilowhat.language import mark
from kilowhat.quantity.units import parse_unit
from kilowhat.registry.findings import Finding, Located, group

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kilowhat.domain.factor import Factor
    from kilowhat.registry.findings import Material

_MEAN_TOLERANCE = 0.02  # as near as this to the unweighted mean is no coincidence
_WORLD_TOLERANCE = 1.1  # two world averages of neighbouring years
_STEP_CONTRADICTED = 2.1  # a step of one source that another source does not show
_STEP_ALONE = 3.0  # a step that no other source can confirm
_SLOWER = 0.75  # a narrower arithmetic below this share of the wider one's peak
_KIN_TOLERANCE = 1.5  # a ratio of peaks beside the same ratio of its series
_SERIES_LEAST = 3
_SOURCES_APART = {"hardware.peak": 1.3, "hardware.embodied": 10.0, "facility.pue": 1.5}

_LOOK = mark("Compare with the source's own page, and with a second source.")


def in_bounds(material: Material) -> Iterator[Finding]:
    """Numbers outside the bounds of ``bounds.csv``, and grid intensities at or below zero."""
    bounds = {row["key"]: row for row in material.table("bounds.csv")}
    for row in material.factors:
        if row.factor.id.startswith("grid.") and "gwp" in row.measurand and row.factor.central <= 0:
            yield row.found(
                "not-positive",
                mark("a grid intensity of {value} {unit} is not possible"),
                mark("Remove the row: the zone is then said to be missing."),
                value=row.factor.central,
                unit=row.factor.unit,
            )
            continue
        for key in (row.factor.id, row.family_property):
            if key in bounds:
                yield from _outside(row, bounds[key])
                break


def _outside(row: Located, bound: dict[str, str]) -> Iterator[Finding]:
    unit, ours = parse_unit(bound["unit"]), parse_unit(row.factor.unit)
    if unit.dimension != ours.dimension:
        yield row.found(
            "dimension",
            mark("its unit is {unit} where a multiple of {expected} is needed"),
            mark("The property's name says what it measures; check the column that was read."),
            unit=row.factor.unit,
            expected=bound["unit"],
        )
        return
    value = row.factor.central * ours.factor / unit.factor
    low = float(bound["low"]) if bound["low"] else -math.inf
    high = float(bound["high"]) if bound["high"] else math.inf
    if not low <= value <= high:
        yield row.found(
            "bounds",
            mark("{value} {unit} is outside {low} to {high} ({source})"),
            mark("Look for a unit slip, a number multiplied twice, or another functional unit."),
            value=f"{value:g}",
            unit=bound["unit"],
            low=bound["low"] or "−∞",
            high=bound["high"] or "∞",
            source=bound["source"],
        )


def primary_energy(material: Material) -> Iterator[Finding]:
    """Total primary energy below the electricity itself: 3.6 MJ a kilowatt-hour."""
    least = parse_unit("kWh").factor / parse_unit("MJ").factor
    for row in material.factors:
        if row.family_property != "grid.primary_energy":
            continue
        value = (
            row.factor.central * parse_unit(row.factor.unit).factor / parse_unit("MJ/kWh").factor
        )
        if value < least:
            yield row.found(
                "primary-energy",
                mark("{value} MJ of primary energy is less than the {least} MJ in a kilowatt-hour"),
                mark("Probably the non-renewable part alone; the total is needed."),
                value=f"{value:g}",
                least=f"{least:g}",
            )


def world_average(material: Material) -> Iterator[Finding]:
    """A world average that is an unweighted mean of countries, or far from its neighbours."""
    countries = {row["id"] for row in material.table("zones.csv") if row["kind"] == "country"}
    means = _unweighted_means(material, countries)
    worlds = material.by_id.get("grid.world.gwp_location", [])
    for row in worlds:
        value = row.factor.central
        near = [
            (source, mean)
            for (source, year), mean in means.items()
            if row.start_year in (year, None) and abs(value / mean - 1) < _MEAN_TOLERANCE
        ]
        for source, mean in near[:1]:
            yield row.found(
                "unweighted-mean",
                mark("{value} is the unweighted mean of the countries of {source} ({mean})"),
                mark("A world average is weighted by generation; take it from its publisher."),
                value=f"{value:g}",
                source=source,
                mean=f"{mean:.1f}",
            )
        others = [other.factor.central for other in worlds if other is not row]
        if others and not 1 / _WORLD_TOLERANCE < value / median(others) < _WORLD_TOLERANCE:
            yield row.found(
                "world-apart",
                mark("{value} is far from the other world averages ({others})"),
                _LOOK,
                value=f"{value:g}",
                others=", ".join(f"{other:g}" for other in others),
            )


def _unweighted_means(
    material: Material, countries: set[str]
) -> dict[tuple[str, int | None], float]:
    values: dict[tuple[str, int | None], list[float]] = defaultdict(list)
    for row in material.factors:
        if row.family_property == "grid.gwp_location" and row.subject in countries:
            values[row.factor.source.key, row.start_year].append(row.factor.central)
    return {key: fmean(found) for key, found in values.items() if len(found) >= 20}


def steady_basis(material: Material) -> Iterator[Finding]:
    """A series whose basis changes between years: by its own columns, or by an unlikely step."""
    by_id: dict[str, dict[str, dict[int, Located]]] = defaultdict(dict)
    for (identity, source), years in material.series.items():
        by_id[identity][source] = years
    for identity, sources in by_id.items():
        for source, years in sources.items():
            rest = [other for name, other in sources.items() if name != source]
            for before, after in zip(sorted(years), sorted(years)[1:], strict=False):
                yield from _changed_columns(years[before], years[after])
                if identity.startswith("grid."):
                    yield from _stepped(years, before, after, rest)


def _changed_columns(before: Located, after: Located) -> Iterator[Finding]:
    for name in ("unit", "basis", "boundary"):
        old, new = getattr(before.factor, name), getattr(after.factor, name)
        if old != new:
            yield after.found(
                "basis-change",
                mark("the {column} of the series changes in {year}: {old} → {new}"),
                mark("Give the new basis a source key of its own."),
                column=name,
                year=after.start_year,
                old=old,
                new=new,
            )


def _stepped(
    years: dict[int, Located], before: int, after: int, rest: list[dict[int, Located]]
) -> Iterator[Finding]:
    old, new = years[before].factor.central, years[after].factor.central
    if old <= 0 or new <= 0:
        return
    step = new / old
    known = [
        other[after].factor.central / other[before].factor.central
        for other in rest
        if before in other and after in other and other[before].factor.central > 0
    ]
    apart = min((_fold(step / other) for other in known if other > 0), default=_fold(step))
    own = _fold(step)
    limit = _STEP_CONTRADICTED if known else _STEP_ALONE
    if own >= limit * 0.9 and apart >= limit:
        yield years[after].found(
            "basis-change",
            mark("{old} in {before}, {new} in {year}: a step that no other source shows"),
            mark(
                "A new method of its publisher? Then give it a source key of its own; if the step "
                "is real, say so in acknowledged.csv."
            ),
            old=f"{old:g}",
            new=f"{new:g}",
            before=before,
            year=after,
        )


def _fold(ratio: float) -> float:
    return max(ratio, 1 / ratio)


def _peak(material: Material, accelerator: str, arithmetic: str) -> float | None:
    return material.values.get(f"hardware.{accelerator}.peak_{arithmetic}")


def dense_peaks(material: Material) -> Iterator[Finding]:
    """Peaks that mix sparse and dense, or two accumulators: against each other and their kin."""
    for row in material.by_id.values():
        if row[0].family_property in _PEAKS:
            yield from _slower_than_wider(material, row[0])
    yield from _unlike_kin(material)


_PEAKS = {
    "hardware.peak_bf16": ("fp8", "int8"),
    "hardware.peak_fp16": ("fp8", "int8"),
    "hardware.peak_fp8": ("fp4",),
}
_DENSE_HINT = mark(
    "Is one of them a sparse peak, or one with half-precision accumulation? The dense one with "
    "single-precision accumulation is needed; if the hardware is like that, say so in "
    "acknowledged.csv."
)


def _slower_than_wider(material: Material, row: Located) -> Iterator[Finding]:
    """A narrower arithmetic that is not twice as fast: the wider peak is perhaps sparse."""
    wider = row.measurand.removeprefix("peak_")
    for narrower in _PEAKS[row.family_property]:
        peak = _peak(material, row.subject, narrower)
        if peak is not None and peak / row.factor.central < 2 * _SLOWER:
            yield row.found(
                "mixed-peaks",
                mark("{wider} {value} beside {narrower} {peak} TFLOP/s: twice is usual"),
                _DENSE_HINT,
                wider=wider,
                value=f"{row.factor.central:g}",
                narrower=narrower,
                peak=f"{peak:g}",
            )


_RATIOS = (("bf16", "fp32"), ("fp16", "fp32"), ("fp16", "bf16"), ("fp8", "bf16"),
           ("int8", "bf16"), ("int8", "fp16"), ("fp4", "fp8"))  # fmt: skip
_SERIES = re.compile(r"\D*\d+?(?=\d{0,2}\D|\d{0,2}$)")


def _series_name(name: str) -> str:
    """The product series of an accelerator: its name without the last two digits.

    >>> _series_name("NVIDIA GeForce RTX 4090"), _series_name("NVIDIA H100 PCIe")
    ('NVIDIA GeForce RTX 40', 'NVIDIA H1')
    """
    found = _SERIES.match(name)
    return found[0] if found else name


def _line_name(name: str) -> str:
    """The product line of an accelerator: its name up to the first digit, when that says enough.

    >>> _line_name("NVIDIA RTX PRO 6000 Blackwell"), _line_name("NVIDIA A40 PCIe")
    ('NVIDIA RTX PRO ', 'NVIDIA A40 PCIe')
    """
    line = re.split(r"\d", name, maxsplit=1)[0]
    return line if line.count(" ") >= 2 else name


def _unlike_kin(material: Material) -> Iterator[Finding]:
    """A ratio of two peaks that differs from that of most of its series, or else of its line."""
    names = {row["id"]: row["name"] for row in material.table("accelerators.csv")}
    for above, below in _RATIOS:
        ratios = {}
        for accelerator in names:
            top, bottom = (_peak(material, accelerator, peak) for peak in (above, below))
            if top and bottom:
                ratios[accelerator] = top / bottom
        for accelerator, ratio in ratios.items():
            kin, usual = _usual(accelerator, names, ratios)
            if usual and _fold(ratio / usual) > _KIN_TOLERANCE:
                row = material.by_id[f"hardware.{accelerator}.peak_{above}"][0]
                yield row.found(
                    "mixed-peaks",
                    mark("{above}/{below} is {ratio}, and {usual} in the series {series}"),
                    _DENSE_HINT,
                    above=above,
                    below=below,
                    ratio=f"{ratio:.2g}",
                    usual=f"{usual:.2g}",
                    series=kin,
                )


def _usual(
    accelerator: str, names: dict[str, str], ratios: dict[str, float]
) -> tuple[str, float | None]:
    """The kin of an accelerator and the ratio that most of them share; none without a majority."""
    for kin_of in (_series_name, _line_name):
        kin = kin_of(names[accelerator])
        members = [ratio for other, ratio in ratios.items() if kin_of(names[other]) == kin]
        if len(members) >= _SERIES_LEAST:
            usual = median(members)
            alike = sum(_fold(ratio / usual) <= _KIN_TOLERANCE for ratio in members)
            return kin, usual if alike > len(members) / 2 else None
    return "", None


def sources_agree(material: Material) -> Iterator[Finding]:
    """Two sources of one quantity and year that differ by more than their family ever does."""
    limits = _SOURCES_APART.items()
    for rows in material.by_id.values():
        prefix = rows[0].family_property
        limit = next((most for start, most in limits if prefix.startswith(start)), None)
        if limit is None or len(rows) < 2:
            continue
        for years in group(rows, lambda row: str(row.start_year)).values():
            values = sorted(_base(row.factor) for row in years)
            if len({row.factor.source.key for row in years}) > 1 and values[-1] > limit * values[0]:
                yield years[0].found(
                    "sources-apart",
                    mark("its sources differ {ratio} times: {values}"),
                    _LOOK,
                    ratio=f"{values[-1] / values[0]:.2g}" if values[0] else "∞",
                    values=", ".join(
                        f"{row.factor.central:g} {row.factor.unit} ({row.factor.source.key})"
                        for row in years
                    ),
                )


def _base(factor: Factor) -> float:
    return factor.central * parse_unit(factor.unit).factor


NUMBER_CHECKS = (
    in_bounds, primary_energy, world_average, steady_basis, dense_peaks, sources_agree,
)  # fmt: skip
