"""What the data resolve to has not moved: the diff is the review of a change of data."""

from __future__ import annotations

import csv
from collections import Counter

import pytest

import golden


@pytest.mark.parametrize("name", golden.TABLES)
def test_the_golden_table_is_what_the_data_resolve_to(name: str) -> None:
    changes = golden.differences(name)
    assert changes == [], "\n".join(
        ["read the diff, then python tools/golden.py --write", *changes[:40]]
    )


def test_twelve_zones_at_three_dates_and_every_grid_property() -> None:
    with golden.path_of("factors").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    zones = {row["subject"] for row in rows if row["property"] == "gwp_location"}
    assert zones == set(golden.ZONES)
    assert len(zones) == 12
    for zone in zones:
        dates = {row["date"] for row in rows if row["subject"] == zone}
        assert dates == {day.isoformat() for day in golden.DATES}


def test_a_changed_number_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *rest = golden.written("factors").splitlines()
    cells = rest[0].split(",")
    cells[5] = "1234.5"
    changed = "\n".join([first, ",".join(cells), *rest[1:], ""])
    monkeypatch.setattr(golden, "written", lambda name: changed)
    assert any(
        line.startswith("+") and ",1234.5," in line for line in golden.differences("factors")
    )


def test_every_model_has_four_estimates_or_says_why_not() -> None:
    with golden.path_of("estimates").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    per_model = Counter(row["model"] for row in rows)
    assert len(per_model) >= 300
    assert min(per_model.values()) >= 4
    priced = [row for row in rows if row["energy_unit"]]
    assert len(priced) > 0.9 * len(rows)
    for row in priced:
        low, middle, high = (float(row[f"energy_{point}"]) for point in ("p05", "p50", "p95"))
        assert 0 < low <= middle <= high
