"""The audit finds every known error of upstream tables when it is planted, and nothing else."""

from __future__ import annotations

import csv
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from kilowhat.language import speaking
from kilowhat.registry.audit import audit, examine
from kilowhat.registry.findings import Material
from kilowhat.registry.tables import DATA, FACTOR_COLUMNS, SOURCE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kilowhat.registry.findings import Finding

HARDWARE, EMBODIED = "factors/hardware.csv", "factors/hardware_embodied.csv"
GRID, FACILITY = "factors/grid.csv", "factors/facility.csv"


class Copy:
    """A copy of the data directory in which rows can be changed, added and removed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        shutil.copytree(DATA, directory)

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.directory / name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def write(self, name: str, rows: list[dict[str, str]]) -> None:
        with (self.directory / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def change(self, name: str, where: dict[str, str], **cells: str) -> None:
        """Change cells of every row that holds the given ones; there must be such a row."""
        rows = self.rows(name)
        found = [row for row in rows if where.items() <= row.items()]
        assert found, where
        for row in found:
            row.update(cells)
        self.write(name, rows)

    def add(self, name: str, **cells: str) -> None:
        """Add a row, its other cells taken from the first row of the table."""
        rows = self.rows(name)
        self.write(name, [*rows, rows[0] | cells])

    def remove(self, name: str, **cells: str) -> None:
        rows = self.rows(name)
        self.write(name, [row for row in rows if not cells.items() <= row.items()])

    def factor(self, name: str, identity: str, central: str, unit: str, **cells: str) -> None:
        """Add a factor with an interval of a tenth around it."""
        low, high = (f"{float(central) * x}" for x in (0.9, 1.1))
        blank = dict.fromkeys(("boundary", "valid_from", "valid_to", "note"), "")
        values = {"id": identity, "low": low, "central": central, "high": high, "unit": unit,
                  "shape": "lognormal", "basis": "modelled", "locator": "planted"}  # fmt: skip
        self.add(name, **{**blank, **values, **cells})

    def append(self, name: str, text: str) -> None:
        path = self.directory / name
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

    def add_table(self, name: str) -> None:
        """Add a factor table without rows."""
        (self.directory / name).write_text(",".join(FACTOR_COLUMNS) + "\n", encoding="utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path / "data")


def found(copy: Copy, check: str) -> list[Finding]:
    return [finding for finding in audit(copy.directory) if finding.check == check]


def test_the_shipped_data_are_clean_and_quickly_checked() -> None:
    started = time.perf_counter()
    material = Material(DATA)
    findings = examine(material)
    assert [(f.file, f.subject, f.sentence()) for f in findings] == []
    assert len(material.factors) > 5000  # it looked at something
    assert time.perf_counter() - started < 10  # two seconds on a quiet machine


def test_a_copy_of_the_shipped_data_is_clean(copy: Copy) -> None:
    assert audit(copy.directory) == []


# The known errors of upstream tables -----------------------------------------------------------


@pytest.mark.parametrize("kilograms", ["1600000", "3900000", "800000"])
def test_memory_multiplied_twice(copy: Copy, kilograms: str) -> None:
    copy.factor(EMBODIED, "hardware.server-8xgpu-cloud.embodied_gwp", kilograms, "kgCO2e")
    [finding] = found(copy, "bounds")
    assert finding.subject == "hardware.server-8xgpu-cloud.embodied_gwp"
    assert finding.file == "hardware_embodied.csv"


def test_memory_multiplied_twice_in_tonnes_and_in_the_other_categories(copy: Copy) -> None:
    copy.factor(EMBODIED, "hardware.server-a.embodied_gwp", "1600", "tCO2e")
    copy.factor(EMBODIED, "hardware.server-a.embodied_pe", "19000000", "MJ")
    copy.factor(EMBODIED, "hardware.server-a.embodied_adpe", "45", "kgSbeq")
    copy.factor(EMBODIED, "hardware.server-b.host_embodied_gwp", "1600000", "kgCO2e")
    assert len(found(copy, "bounds")) == 4


def test_a_true_server_is_not_found(copy: Copy) -> None:
    copy.factor(EMBODIED, "hardware.server-8xgpu-cloud.embodied_gwp", "10300", "kgCO2e")
    assert audit(copy.directory) == []


@pytest.mark.parametrize("value", ["2.59", "3.59"])
def test_primary_energy_below_the_electricity_itself(copy: Copy, value: str) -> None:
    copy.factor(GRID, "grid.world.primary_energy", value, "MJ/kWh", boundary="GRID|UPSTREAM")
    [finding] = found(copy, "primary-energy")
    assert finding.subject == "grid.world.primary_energy"


def test_primary_energy_in_other_units(copy: Copy) -> None:
    copy.factor(GRID, "grid.world.primary_energy", "2590", "MJ/MWh")
    copy.factor(GRID, "grid.eu27.primary_energy", "9500", "MJ/MWh")
    assert [f.subject for f in found(copy, "primary-energy")] == ["grid.world.primary_energy"]


def test_a_world_average_that_weighs_countries_alike(copy: Copy) -> None:
    world = {"id": "grid.world.gwp_location", "valid_from": "2024-01-01"}
    copy.change(GRID, world, central="390", low="", high="")
    subjects = {f.subject for f in audit(copy.directory)}
    assert subjects == {"grid.world.gwp_location"}


def test_the_unweighted_mean_is_recognised_whatever_its_value(copy: Copy) -> None:
    countries = {row["id"] for row in copy.rows("zones.csv") if row["kind"] == "country"}
    values = [
        float(row["central"])
        for row in copy.rows(GRID)
        if row["id"].endswith(".gwp_location")
        and row["id"].split(".")[1] in countries
        and row["valid_from"] == "2016-01-01"
    ]
    assert len(values) > 150
    copy.factor(
        GRID, "grid.world.gwp_location", f"{sum(values) / len(values):.1f}", "gCO2e/kWh",
        valid_from="2016-01-01", valid_to="2016-12-31", boundary="GRID|UPSTREAM",
    )  # fmt: skip
    assert len(found(copy, "unweighted-mean")) == 1


SPARSE = {
    "rtx-4090": "330", "rtx-3090": "142", "rtx-4080-laptop": "250", "h100-sxm": "1979",
    "a100-80": "624", "l40s": "733", "l4": "242", "b200-sxm": "4500", "mi300x": "2614",
    "h200-sxm": "1979", "rtx-6000-ada": "728", "a10": "250",
}  # fmt: skip


@pytest.mark.parametrize(("accelerator", "peak"), SPARSE.items())
def test_peaks_that_mix_sparse_and_dense(copy: Copy, accelerator: str, peak: str) -> None:
    copy.change(HARDWARE, {"id": f"hardware.{accelerator}.peak_bf16"}, central=peak)
    subjects = {f.subject.split(".")[1] for f in found(copy, "mixed-peaks")}
    assert subjects == {accelerator}


def test_a_second_source_with_a_sparse_peak(copy: Copy) -> None:
    copy.factor(
        HARDWARE, "hardware.rtx-4090.peak_bf16", "330", "TFLOP/s", source="mlsysim", low="",
        high="", shape="point",
    )  # fmt: skip
    [finding] = found(copy, "sources-apart")
    assert finding.subject == "hardware.rtx-4090.peak_bf16"


def test_a_series_whose_basis_changes_between_years(copy: Copy) -> None:
    for year, value in ((2022, "58.1"), (2023, "52.9"), (2024, "16.3")):
        copy.factor(
            GRID, "grid.fra.gwp_location", value, "gCO2e/kWh",
            source="google-datacentre-efficiency", boundary="GRID|UPSTREAM",
            valid_from=f"{year}-01-01", valid_to=f"{year}-12-31",
        )  # fmt: skip
    [finding] = found(copy, "basis-change")
    assert finding.subject == "grid.fra.gwp_location"
    assert finding.fields["year"] == 2024


def test_a_new_basis_in_a_zone_that_one_source_alone_covers(copy: Copy) -> None:
    lone = {"id": "grid.us-cal-ciso.gwp_location", "valid_from": "2025-01-01"}
    copy.change("factors/grid_electricitymaps.csv", lone, central="52")
    assert [f.subject for f in found(copy, "basis-change")] == ["grid.us-cal-ciso.gwp_location"]


def test_a_series_that_turns_from_life_cycle_to_direct(copy: Copy) -> None:
    last = {"id": "grid.deu.gwp_location", "valid_from": "2023-01-01"}
    copy.change(GRID, last, boundary="GRID")
    assert {f.fields["column"] for f in found(copy, "basis-change")} == {"boundary"}


def test_a_zone_listed_twice(copy: Copy) -> None:
    copy.add("zones.csv", **next(r for r in copy.rows("zones.csv") if r["id"] == "fra"))
    assert [f.subject for f in found(copy, "duplicate")] == ["fra"]


def test_a_zone_under_two_ids(copy: Copy) -> None:
    copy.add(
        "zones.csv", id="fr1", kind="subdivision", iso2="", name_en="France", name_fr="France",
        parent="eu27", aliases="",
    )  # fmt: skip
    assert "fr1" in {f.subject for f in found(copy, "duplicate-zone")}


def test_a_series_under_two_zones(copy: Copy) -> None:
    copy.add(
        "zones.csv", id="frx", kind="country", iso2="FX", name_en="Metropolitan France",
        name_fr="France métropolitaine", parent="eu27", aliases="",
    )  # fmt: skip
    rows = copy.rows(GRID)
    twins = [
        row | {"id": "grid.frx.gwp_location"}
        for row in rows
        if row["id"] == "grid.fra.gwp_location"
    ]
    copy.write(GRID, rows + twins)
    assert [f.subject for f in found(copy, "duplicate-zone")] == ["grid.frx.gwp_location"]


def test_the_european_union_called_a_country(copy: Copy) -> None:
    copy.change("zones.csv", {"id": "eu27"}, kind="country")
    subjects = {f.subject for f in found(copy, "not-a-country")}
    assert subjects == {"eu27"}


def test_a_second_european_union_among_the_countries(copy: Copy) -> None:
    copy.add(
        "zones.csv", id="eue", kind="country", iso2="EU", name_en="EU (all members)",
        name_fr="UE (tous les membres)", parent="world", aliases="",
    )  # fmt: skip
    assert {f.subject for f in found(copy, "not-a-country")} == {"eue"}


def test_every_refused_row_is_told_and_the_others_are_still_checked(copy: Copy) -> None:
    copy.factor(GRID, "grid.deu.gwp_marginal", "500", "gCO2e/furlong")
    copy.factor(GRID, "grid.world.primary_energy", "2.59", "MJ/kWh", source="wri-water-2020")
    copy.factor(GRID, "grid.deu.gwp_marginal", "500", "gCO2e/kWh", source="hearsay")
    copy.factor(GRID, "grid.world.primary_energy", "2.6", "MJ/kWh", source="wri-water-2020")
    checks = sorted(finding.check for finding in audit(copy.directory))
    assert checks.count("refused") == 3  # unit, source, and a row that stands twice
    assert checks.count("primary-energy") == 2


# What the house asks of every row --------------------------------------------------------------

PLANTED: dict[str, tuple[Callable[[Copy], None], str]] = {
    "no intensity at zero": (
        lambda c: c.factor(GRID, "grid.nor.gwp_location", "0", "gCO2e/kWh", low="", high=""),
        "not-positive",
    ),
    "no negative intensity": (
        lambda c: c.factor(GRID, "grid.nor.gwp_marginal", "-3", "gCO2e/kWh", low="-3", high="-3"),
        "not-positive",
    ),
    "no PUE below one": (
        lambda c: c.factor(FACILITY, "facility.meta.pue", "0.9", "1"), "bounds",
    ),
    "no PUE above three": (
        lambda c: c.factor(FACILITY, "facility.meta.pue", "3.4", "1"), "bounds",
    ),
    "no unit of another dimension": (
        lambda c: c.factor(FACILITY, "facility.meta.wue", "1.2", "kWh"), "dimension",
    ),
    "no unknown unit": (
        lambda c: c.factor(FACILITY, "facility.meta.wue", "1.2", "gallons"), "refused",
    ),
    "no unknown source": (
        lambda c: c.factor(GRID, "grid.fra.gwp_marginal", "58", "gCO2e/kWh", source="hearsay"),
        "refused",
    ),
    "no unknown source in a wide table": (
        lambda c: c.change("accelerators.csv", {"id": "a10"}, source="hearsay"), "unknown-source",
    ),
    "no row without source": (
        lambda c: c.change("accelerators.csv", {"id": "a10"}, source=""), "unsourced",
    ),
    "no row without place": (
        lambda c: c.change(EMBODIED, {"id": "hardware.a10.embodied_pe"}, locator=""), "unsourced",
    ),
    "no source without licence": (
        lambda c: c.change("sources/grid.csv", {"key": "ember-owid-2026"}, licence=""), "refused",
    ),
    "no source that may not be shared": (
        lambda c: c.change("sources/grid.csv", {"key": "ember-owid-2026"}, redistributable="no"),
        "refused",
    ),
    "no source without use": (
        lambda c: c.add("sources/grid.csv", key="nobodys-2026"), "unused-source",
    ),
    "no name in one language only": (
        lambda c: c.change("zones.csv", {"id": "fra"}, name_fr=""), "label",
    ),
    "no label in one language only": (
        lambda c: c.change("equivalences.csv", {"id": "bath"}, label_en_many=""), "label",
    ),
    "no factor of an unknown zone": (
        lambda c: c.factor(GRID, "grid.atl.gwp_location", "58", "gCO2e/kWh"), "unknown-zone",
    ),
    "no region in an unknown zone": (
        lambda c: c.change("regions.csv", {"region": "eu-west-3"}, zone="atl"), "unknown-zone",
    ),
    "no operator's region that is unknown": (
        lambda c: c.factor(FACILITY, "facility.aws-eu-west-9.pue", "1.2", "1"), "unknown-name",
    ),
    "no peak of an unknown accelerator": (
        lambda c: c.factor(HARDWARE, "hardware.h1000.peak_bf16", "989", "TFLOP/s"), "unknown-name",
    ),
    "no zone inside an unknown one": (
        lambda c: c.change("zones.csv", {"id": "fra"}, parent="atl"), "parent",
    ),
    "no equivalence without factor": (
        lambda c: c.change("equivalences.csv", {"id": "bath"}, factor="everyday.pool.water"),
        "dangling",
    ),
    "no family without file": (
        lambda c: (c.directory / FACILITY).unlink(), "family",
    ),
    "no file without family": (
        lambda c: c.add_table("factors/water.csv"), "family",
    ),
    "no row in two files": (
        lambda c: c.write("factors/grid_again.csv", c.rows(GRID)[:3]), "duplicate",
    ),
    "no share-alike rows beside others": (
        lambda c: c.factor(GRID, "grid.fra.gwp_marginal", "58", "gCO2e/kWh",
                           source="electricitymaps-yearly"),
        "licence",
    ),
    "no acknowledgement of nothing": (
        lambda c: c.add("acknowledged.csv", check="bounds", id="facility.aws.pue", year=""),
        "acknowledged",
    ),
    "no preference for nothing": (
        lambda c: c.append("defaults.toml", '\n"facility.pue" = ["hearsay"]\n'), "dangling",
    ),
    "no class without its lifetime": (
        lambda c: c.remove("factors/deployment.csv", id="deployment.hyperscale.lifetime"),
        "incomplete",
    ),
    "no broken equation in the evidence": (
        lambda c: c.change("evidence/figures.csv", {"id": c.rows("evidence/figures.csv")[0]["id"]},
                           parts="1 = 2"), "refused",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", PLANTED)
def test_each_rule_of_the_house(copy: Copy, rule: str) -> None:
    plant, check = PLANTED[rule]
    plant(copy)
    findings = found(copy, check)
    assert findings
    for finding in findings:
        assert finding.file
        assert "{" not in finding.sentence() + finding.advice()


def test_a_user_may_use_what_may_not_be_shared(tmp_path: Path) -> None:
    """The redistribution rule is about what ships; a user's own directory is exempt."""
    own = tmp_path / "own"
    (own / "factors").mkdir(parents=True)
    (own / "sources").mkdir()
    source = "mine,Meter readings,me,2026,,,private,no,2026-11-22,"
    (own / "sources" / "mine.csv").write_text(f"{','.join(SOURCE_COLUMNS)}\n{source}\n")
    rows = [
        "facility.meta.pue,1.2,1.3,1.4,1,excess,measured,FACILITY,,,mine,log,",
        "facility.meta.wue,,-1,,L/kWh,point,measured,,,,mine,log,",
    ]
    (own / "factors" / "facility.csv").write_text("\n".join([",".join(FACTOR_COLUMNS), *rows, ""]))
    assert [f.subject for f in audit(user_directories=[own])] == ["facility.meta.wue"]


def test_findings_speak_both_languages(copy: Copy) -> None:
    copy.factor(FACILITY, "facility.meta.pue", "3.4", "1")
    [finding] = found(copy, "bounds")
    with speaking("en"):
        english = finding.sentence(), finding.advice()
    with speaking("fr"):
        french = finding.sentence(), finding.advice()
    assert "3.4" in english[0]
    assert "3.4" in french[0]
