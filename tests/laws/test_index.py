"""Laws of reading tables late: the same factors as strict reading, and nothing bad gets used."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.errors import DataError
from kilowhat.quantity.spread import normal_quantile, uniforms
from kilowhat.registry.resolve import Registry
from kilowhat.registry.tables import DATA

if TYPE_CHECKING:
    from pathlib import Path

STRICT, LATE = Registry(), Registry()


@pytest.mark.parametrize("family", STRICT.families())
def test_rows_read_late_are_those_read_strictly(family: str) -> None:
    strict = STRICT.family(family)
    assert LATE.ids(family) == list(strict)
    assert {identity: LATE.candidates(identity) for identity in strict} == strict


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return shutil.copytree(DATA, tmp_path / "data")


def spoil(data: Path, identity: str, old: str, new: str) -> int:
    """Change a cell of the first row of an id; gives its line."""
    path = data / "factors" / "grid.csv"
    lines = path.read_text(encoding="utf-8").split("\n")
    number = next(i for i, line in enumerate(lines) if line.startswith(identity + ","))
    assert old in lines[number]
    lines[number] = lines[number].replace(old, new, 1)
    path.write_text("\n".join(lines), encoding="utf-8")
    return number + 1


def test_a_bad_number_is_refused_with_its_line_when_its_id_is_used(data: Path) -> None:
    line = spoil(data, "grid.fra.gwp_location", ",gCO2e/kWh,", ",furlong,")
    registry = Registry(data=data)
    assert registry.factor("grid.deu.gwp_location").factor.id == "grid.deu.gwp_location"
    for use in (registry.factor, registry.candidates, registry.find):
        with pytest.raises(DataError) as caught:
            use("grid.fra.gwp_location")
        assert (caught.value.fields["file"], caught.value.fields["line"]) == ("grid.csv", line)
    with pytest.raises(DataError):
        Registry(data=data).family("grid")


@pytest.mark.parametrize("new", ["grid.fra,gwp_location", "grid.FRA.gwp_location", "fra.gwp"])
def test_a_malformed_row_is_refused_whatever_is_used(data: Path, new: str) -> None:
    line = spoil(data, "grid.fra.gwp_location", "grid.fra.gwp_location", new)
    with pytest.raises(DataError) as caught:
        Registry(data=data).factor("grid.deu.gwp_location")
    assert (caught.value.fields["file"], caught.value.fields["line"]) == ("grid.csv", line)


@pytest.mark.parametrize("cells", ["someone", "no"])
def test_a_row_that_may_not_ship_is_refused_whatever_is_used(data: Path, cells: str) -> None:
    key = STRICT.factor("grid.fra.gwp_location").factor.source.key
    if cells == "someone":
        spoil(data, "grid.fra.gwp_location", f",{key},", ",someone,")
    else:
        for path in (data / "sources").glob("*.csv"):
            lines = path.read_text(encoding="utf-8").split("\n")
            changed = [x.replace(",yes,", ",no,") if x.startswith(key + ",") else x for x in lines]
            path.write_text("\n".join(changed), encoding="utf-8")
    with pytest.raises(DataError, match="grid"):
        Registry(data=data).factor("grid.deu.gwp_location")


def test_a_row_that_stands_twice_is_refused_whatever_is_used(data: Path) -> None:
    path = data / "factors" / "grid.csv"
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    path.write_text("\n".join([*lines, lines[5], ""]), encoding="utf-8")
    with pytest.raises(DataError, match="twice"):
        Registry(data=data).factor("grid.deu.gwp_location")


def test_names_that_are_none_are_not_kept() -> None:
    registry = Registry()
    for number in range(100):
        assert registry.find(f"media.no-such-task-{number}.energy") is None
    assert not registry._groups


# Draws: to the last bit, on every machine ------------------------------------------------------


def test_the_draws_are_those_of_the_first_release() -> None:
    drawn = b"".join(uniforms(key, 1024).tobytes() for key in ("a", "grid.fra.gwp_location|x"))
    assert hashlib.sha256(drawn).hexdigest() == UNIFORMS_SHA256


@given(st.lists(st.floats(1e-300, 1 - 1e-16), min_size=1, max_size=50))
def test_the_normal_quantile_does_not_depend_on_its_company(probabilities: list[float]) -> None:
    together = normal_quantile(np.array(probabilities))
    for probability, value in zip(probabilities, together, strict=True):
        assert normal_quantile(np.array([probability]))[0] == pytest.approx(value, rel=1e-15)


UNIFORMS_SHA256 = "e7be49f28c493cedc1378877042202b6ce93e0a75a4b2cf10133e7ce72e4e50f"
