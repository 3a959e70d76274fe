"""The registry: what is refused, which rung and year are taken, and the draws of a factor."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.errors import DataError, InvalidValue, MissingFactor, UnknownFactor
from kilowhat.registry.resolve import PURPOSES, Registry
from kilowhat.registry.tables import DATA, FACTOR_COLUMNS, SOURCE_COLUMNS, SPREAD_COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = Registry()
IDS = sorted(factor.id for factor in SHIPPED.all())
SOURCES = """\
alpha,Alpha,A,2026,,,CC0,yes,2026-11-22,
beta,Beta,B,2026,,,CC0,yes,2026-11-22,
closed,Closed,C,2026,,,secret,no,2026-11-22,
"""
SPREADS = "grid.gwp_location,0.8,1.25,lognormal,alpha,,\n"


def row(
    identity: str = "grid.fra.gwp_location", central: str = "50", low: str = "", high: str = "",
    source: str = "alpha", start: str = "", end: str = "", **cells: str,
) -> str:  # fmt: skip
    """One line of a factor table."""
    values = {"id": identity, "low": low, "central": central, "high": high, "unit": "gCO2e/kWh",
              "shape": "lognormal", "basis": "modelled", "boundary": "GRID", "valid_from": start,
              "valid_to": end, "source": source, "locator": "here", "note": ""}  # fmt: skip
    return ",".join((values | cells)[column] for column in FACTOR_COLUMNS)


def make(directory: Path, *lines: str, defaults: str = "", sources: str = SOURCES) -> Path:
    """A data directory with one table of grid factors."""
    for name, columns, text in (
        ("sources/a.csv", SOURCE_COLUMNS, sources),
        ("spreads/a.csv", SPREAD_COLUMNS, SPREADS),
        ("factors/grid.csv", FACTOR_COLUMNS, "".join(f"{line}\n" for line in lines)),
    ):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{','.join(columns)}\n{text}", encoding="utf-8")
    (directory / "defaults.toml").write_text(defaults, encoding="utf-8")
    return directory


# What is refused -------------------------------------------------------------------------------

REFUSED = {
    "a unit that is not in the table": row(unit="furlong"),
    "an unknown source": row(source="gamma"),
    "a source that may not be redistributed": row(source="closed"),
    "a number that is none": row(central="about 50"),
    "a number that is not finite": row(central="nan"),
    "bounds out of order": row(low="60", high="70"),
    "one bound alone": row(low="40"),
    "no range and no default": row("grid.fra.gwp_marginal"),
    "a shape that is not known": row(low="40", high="60", shape="bell"),
    "a positive shape at zero": row(low="0", high="60"),
    "a share above one": row(low="0.5", central="0.9", high="1.1", shape="fraction"),
    "a ratio below one": row(low="0.9", central="1.1", high="1.2", shape="excess"),
    "a point with a range": row(low="40", high="60", shape="point"),
    "a basis that is not known": row(basis="guessed"),
    "a stage that is not known": row(boundary="ROOF"),
    "a date that is none": row(start="2024"),
    "an id of another family": row("facility.fra.pue"),
    "an id of two parts": row("grid.fra"),
    "an id in capitals": row("grid.FRA.gwp_location"),
    "a cell too few": row().rpartition(",")[0],
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_row_is_refused_with_its_file_and_line(tmp_path: Path, reason: str) -> None:
    data = make(tmp_path, row("grid.deu.gwp_location"), REFUSED[reason])
    with pytest.raises(DataError) as caught:
        Registry(data=data).family("grid")
    assert caught.value.fields["file"] == "grid.csv"
    assert caught.value.fields["line"] == 3


def test_a_good_row_is_read(tmp_path: Path) -> None:
    data = make(tmp_path, row(low="40", high="60", start="2024-01-01", end="2024-12-31"))
    [factor] = Registry(data=data).candidates("grid.fra.gwp_location")
    assert (factor.low, factor.central, factor.high) == (40, 50, 60)
    assert (factor.year, factor.spread_source) == (2024, "")


def test_a_row_that_stands_twice_is_refused(tmp_path: Path) -> None:
    data = make(tmp_path, row(), row(central="51"))
    with pytest.raises(DataError, match="twice"):
        Registry(data=data).family("grid")


def test_the_same_row_of_another_year_or_source_is_not(tmp_path: Path) -> None:
    data = make(tmp_path, row(), row(start="2024-01-01"), row(source="beta"))
    assert len(Registry(data=data).candidates("grid.fra.gwp_location")) == 3


def test_a_header_that_differs_is_refused(tmp_path: Path) -> None:
    data = make(tmp_path, row())
    path = data / "factors" / "grid.csv"
    path.write_text(path.read_text().replace("locator", "place"))
    with pytest.raises(DataError, match="header"):
        Registry(data=data).family("grid")


@pytest.mark.parametrize(
    "line",
    [
        "alpha,Again,A,2026,,,CC0,yes,2026-11-22,\n",
        "gamma,Gamma,G,2026,,,CC0,perhaps,2026-11-22,\n",
        "gamma,Gamma,G,2026,,,,yes,2026-11-22,\n",
        "gamma,,G,2026,,,CC0,yes,2026-11-22,\n",
    ],
)
def test_a_source_without_licence_or_standing_twice_is_refused(tmp_path: Path, line: str) -> None:
    data = make(tmp_path, row(), sources=SOURCES + line)
    with pytest.raises(DataError):
        _ = Registry(data=data).sources


def test_a_default_spread_is_named(tmp_path: Path) -> None:
    [factor] = Registry(data=make(tmp_path, row())).candidates("grid.fra.gwp_location")
    assert (factor.low, factor.high) == pytest.approx((40, 62.5))
    assert factor.spread_source == "alpha"


# Which row is taken ----------------------------------------------------------------------------


def test_the_most_specific_rung_is_taken_and_remembered(tmp_path: Path) -> None:
    data = make(tmp_path, row("grid.fra.gwp_location"), row("grid.world.gwp_location"))
    registry = Registry(data=data)
    ladder = ("grid.paris.gwp_location", "grid.fra.gwp_location", "grid.world.gwp_location")
    entry = registry.factor(*ladder)
    assert (entry.factor.id, entry.rung.used) == (ladder[1], ladder[1])
    assert entry.rung.tried == ladder


def test_a_ladder_without_a_number_says_what_was_tried() -> None:
    with pytest.raises(MissingFactor) as caught:
        SHIPPED.factor("grid.atlantis.gwp_location", "grid.lemuria.gwp_location")
    assert caught.value.fields["tried"] == [
        "grid.atlantis.gwp_location",
        "grid.lemuria.gwp_location",
    ]


def test_an_unknown_id_names_its_neighbours() -> None:
    with pytest.raises(UnknownFactor) as caught:
        SHIPPED.candidates("grid.frx.gwp_location")
    assert "grid.fra.gwp_location" in caught.value.fields["nearest"]


@given(
    st.lists(st.integers(2000, 2040), min_size=1, max_size=8, unique=True),
    st.one_of(st.none(), st.dates(date(1995, 1, 1), date(2045, 12, 31))),
)
def test_the_year_that_covers_a_date_else_the_last_before_else_the_first(
    tmp_path_factory: pytest.TempPathFactory, years: list[int], when: date | None
) -> None:
    lines = [
        row(central=str(year), start=f"{year}-01-01", end=f"{year}-12-31") for year in sorted(years)
    ]
    data = make(tmp_path_factory.mktemp("years"), *lines)
    entry = Registry(data=data).factor("grid.fra.gwp_location", when=when)
    before = [year for year in years if when is not None and year <= when.year]
    wanted = max(years) if when is None else max(before, default=min(years))
    assert entry.factor.central == wanted
    assert entry.rung.year_used == wanted
    assert entry.rung.year_asked == (when.year if when else None)


DEFAULTS = """
[attributional]
"grid.gwp_location" = ["beta"]
[consequential]
"grid.gwp_location" = ["alpha"]
[regulatory-fr]
"grid.fra.gwp_location" = ["nobody", "alpha"]
"""


def test_the_purpose_picks_the_source(tmp_path: Path) -> None:
    data = make(
        tmp_path, row(central="1"), row(central="2", source="beta"),
        row("grid.deu.gwp_location", "3"), row("grid.deu.gwp_location", "4", source="beta"),
        defaults=DEFAULTS,
    )  # fmt: skip
    taken = {
        purpose: [
            Registry(data=data, purpose=purpose).factor(f"grid.{zone}.gwp_location").factor.central
            for zone in ("fra", "deu")
        ]
        for purpose in PURPOSES
    }
    assert taken == {"attributional": [2, 4], "consequential": [1, 3], "regulatory-fr": [1, 4]}


def test_without_a_preference_the_first_source_is_taken(tmp_path: Path) -> None:
    data = make(tmp_path, row(central="2", source="beta"), row(central="1"))
    assert Registry(data=data).factor("grid.fra.gwp_location").factor.central == 2


def test_a_users_own_factor_wins_and_is_marked(tmp_path: Path) -> None:
    own = tmp_path / "own"
    source = "mine,Mine,Me,2026,,,private,no,2026-11-22,\n"
    make(own, row(low="30", central="31", high="32", source="mine"), sources=source)
    registry = Registry([own])
    factor = registry.factor("grid.fra.gwp_location").factor
    assert (factor.central, factor.source.is_user) == (31, True)
    assert not registry.factor("grid.deu.gwp_location").factor.source.is_user
    assert registry.version != SHIPPED.version
    assert registry.version.startswith(SHIPPED.version)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(InvalidValue):
        Registry(draws=1)
    with pytest.raises(InvalidValue):
        Registry(purpose="marketing")


# Draws -----------------------------------------------------------------------------------------


@given(st.sampled_from(IDS))
def test_the_same_factor_has_the_same_draws_in_every_registry(identity: str) -> None:
    other = Registry()
    one, two = (r.value(r.factor(identity).factor) for r in (SHIPPED, other))
    assert np.array_equal(one.magnitude, two.magnitude)


def test_the_same_factor_has_the_same_draws_in_every_process() -> None:
    code = (
        "from kilowhat.registry.resolve import Registry; r = Registry();"
        "print(r.value(r.factor('grid.fra.gwp_location').factor).magnitude.tobytes().hex())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(DATA.parent.parent)},
        ).stdout.strip()
        for seed in ("1", "2")
    }  # fmt: skip
    ours = SHIPPED.value(SHIPPED.factor("grid.fra.gwp_location").factor).magnitude
    assert told == {np.asarray(ours).tobytes().hex()}


@given(st.sampled_from(IDS))
def test_a_factor_over_itself_is_exactly_one(identity: str) -> None:
    value = SHIPPED.value(SHIPPED.factor(identity).factor)
    if np.all(value.magnitude != 0):
        assert np.all((value / value).magnitude == 1)


@given(st.sampled_from(IDS))
def test_draws_have_the_quantiles_that_the_row_states(identity: str) -> None:
    factor = SHIPPED.factor(identity).factor
    draws = np.atleast_1d(SHIPPED.value(factor).to(factor.unit))
    low, middle, high = np.quantile(draws, [0.05, 0.5, 0.95])
    width = max(factor.high - factor.low, abs(factor.central) * 1e-9)
    assert abs(low - factor.low) <= 0.02 * width
    assert abs(middle - factor.central) <= 0.02 * width
    assert abs(high - factor.high) <= 0.03 * width


def test_two_years_of_one_source_share_their_doubt() -> None:
    years = [
        SHIPPED.factor("grid.fra.gwp_location", when=date(year, 7, 1)).factor
        for year in (2021, 2022)
    ]
    assert years[0].source == years[1].source
    one, two = (SHIPPED.value(factor).magnitude for factor in years)
    ratio = np.asarray(two) / np.asarray(one)
    assert np.ptp(ratio) < 1e-9 * ratio.mean()


def test_two_factors_do_not_share_their_doubt() -> None:
    one, two = (
        np.log(np.asarray(SHIPPED.value(SHIPPED.factor(identity).factor).magnitude))
        for identity in ("grid.fra.gwp_location", "grid.deu.gwp_location")
    )
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.12  # four standard errors of 1,024 draws


def test_every_shipped_row_has_a_source_that_may_be_shipped_and_a_place_in_it() -> None:
    for factor in SHIPPED.all():
        assert factor.source.redistributable in ("yes", "facts"), factor.id
        assert factor.source.licence, factor.id
        assert factor.locator, factor.id
