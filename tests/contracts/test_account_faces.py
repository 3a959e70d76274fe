"""How an inventory is shown: as text, as a page, as a table of comma-separated values."""

from __future__ import annotations

import csv
import json
import math
import random
import re
import tomllib
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.cli.account_tables import central, select
from kilowhat.cli.account_words import budget_text, verdict_line
from kilowhat.cli.export_account import neutral, write_csv
from kilowhat.cli.page_account import write_account_page
from kilowhat.cli.render_account import toml_text, write_inventory, write_names
from kilowhat.display.plain import is_hidden, plain
from kilowhat.display.text import measure_width
from kilowhat.domain.coverage import Coverage, Name, RefusedRow
from kilowhat.domain.impact import Interval, Missing
from kilowhat.domain.inventory import (
    Alternative,
    Breakdown,
    Budget,
    Inventory,
    Likeness,
    Period,
    Row,
    Usage,
)
from kilowhat.errors import UnknownUnit
from kilowhat.language import LANGUAGES, speaking
from kilowhat.ledger import mapping

if TYPE_CHECKING:
    from pathlib import Path

MODELS = (
    "gpt-4o", "claude-sonnet-4-5", "mistral-large-2411", "llama-3.3-70b-instruct", "gpt-4.1-mini",
    "gemini-2.5-flash", "deepseek-v3.1", "qwen3-235b-a22b", "gpt-5", "codestral-2501",
    "claude-opus-4-1", "phi-4", "accounts/fireworks/models/llama-v3p1-405b-instruct",
    "text-embedding-3-small",
)  # fmt: skip
TEAMS = ("search", "support", "research", "billing & payments", "")
NO_WATER = "no sourced factor for this grid zone"


def impacts_of(kwh: float, *, missing: tuple[str, ...] = ()) -> dict[str, Interval | Missing]:
    """Impacts that follow an energy [kWh] as those of a real log do."""
    joules = kwh * 3.6e6
    found: dict[str, Interval | Missing] = {
        "energy": Interval("J", joules * 0.27, joules, joules * 4.4),
        "ghg": Interval("gCO2e", kwh * 22, kwh * 95, kwh * 480),
        "water": Interval("L", kwh * 1.05, kwh * 4.1, kwh * 19.6),
        "primary_energy": Interval("MJ", kwh * 2.7, kwh * 10.2, kwh * 47),
        "adpe": Interval("kgSbeq", kwh * 4.2e-7, kwh * 2.5e-6, kwh * 1.8e-5),
    }
    return found | {name: Missing(found[name].unit, NO_WATER) for name in missing}


def usage_of(calls: int) -> Usage:
    return Usage(calls, calls * 5200, calls * 3100, calls * 410, calls * 120)


def row_of(kwh: float, calls: int, *, missing: tuple[str, ...] = (), **key: str) -> Row:
    return Row(key, usage_of(calls), impacts_of(kwh, missing=missing))


def by_day(days: int, first: date = date(2026, 1, 5)) -> Breakdown:
    """A year's rhythm: weekends are quiet, some days hold nothing."""
    dice = random.Random(7)
    rows = []
    for n in range(days):
        day = first + timedelta(days=n)
        if days > 9 and n % 29 in (11, 12):
            continue
        kwh = (1.2 + 0.4 * math.sin(n / 9)) * (0.3 if day.weekday() > 4 else 1) * (1 + n / 200)
        kwh *= 0.8 + 0.4 * dice.random()
        rows.append(row_of(kwh, round(kwh * 900), day=day.isoformat()))
    return Breakdown(("day",), tuple(rows))


def by_key(key: str, values: tuple[str, ...], missing: dict[str, tuple[str, ...]]) -> Breakdown:
    rows = [
        row_of(40 / (n + 1) ** 1.3, round(40_000 / (n + 1)), missing=missing.get(value, ()),
               **{key: value})
        for n, value in enumerate(values)
    ]  # fmt: skip
    return Breakdown((key,), tuple(rows))


def coverage_of(calls: int) -> Coverage:
    names = (
        Name("gpt-4o-2024-11-20", "openai", "gpt-4o", "model", "dated alias", calls // 2),
        Name("eu.anthropic.claude-sonnet-4-5-v1:0", "aws", "claude-sonnet-4-5", "model",
             "normalised", calls // 3),
        Name("in-house-70b", "", "70B", "size", "size", 812),
        Name("gtp-4o-mini", "azure", "medium", "class", "class", 77, ("gpt-4o-mini", "o4-mini")),
        Name("whisper-1", "openai", "", "none", "", 12, (), "no sourced method for this use"),
    )  # fmt: skip
    return Coverage(
        rows=calls + 5 + 12,
        calls=calls,
        pricing={"model": calls - 901, "size": 812, "class": 77, "none": 12},
        lengths={"reported": calls - 300, "characters": 300},
        failed=41,
        undated=3,
        repeated=120,
        others=1,
        refused={"truncated": 1, "negative number": 5, "no model": 8, "not JSON": 2, "not text": 1},
        refused_rows=(
            RefusedRow("logs/january.jsonl.gz", 1201, "negative number"),
            RefusedRow("logs/january.jsonl.gz", 1322, "no model"),
            RefusedRow("logs/march.jsonl", None, "truncated"),
        ),
        repeated_files=(("logs/copy.jsonl", "logs/march.jsonl"),),
        annual=312,
        names=names,
    )


TRAIL = (
    {"id": "deployment.openai.concurrency", "value": 13.0, "low": 1.5, "high": 120.0, "unit": "1",
     "basis": "assumed", "boundary": [], "source": "kilowhat-priors", "locator": "", "rung": "1/1",
     "is_user": False, "tried": []},
    {"id": "grid.fra.gwp_location", "value": 44.0, "low": 38.0, "high": 51.0,
     "unit": "gCO2e/kWh", "basis": "modelled", "boundary": [], "source": "ember-2026",
     "locator": "", "rung": "1/2 (2025)", "is_user": False, "tried": []},
    {"id": "facility.mine.pue", "value": 1.2, "low": 1.2, "high": 1.2, "unit": "1",
     "basis": "declared", "boundary": [], "source": "own-meter", "locator": "", "rung": "1/1",
     "is_user": True, "tried": []},
)  # fmt: skip
DRIVERS = (
    ("deployment.concurrency", 0.3457), ("model.gpt-4o.size", 0.0921),
    ("model.claude-sonnet-4-5.size", 0.081), ("deployment.serving_software", 0.0605),
    ("deployment.precision", 0.0312), ("grid.fra.gwp_location", 0.021),
)  # fmt: skip
BOUNDARY = ("accelerator", "host", "idle", "facility", "grid", "upstream", "losses", "embodied")


def likenesses() -> tuple[Likeness, ...]:
    return (
        Likeness("energy", "hours of microwave oven", Interval("1", 33, 121, 540), "US DOE"),
        Likeness("ghg", "km of petrol car", Interval("1", 14, 57, 290), "ADEME"),
    )


def alternatives() -> tuple[Alternative, ...]:
    sweden = Alternative(
        "zone=SWE", "what-if", usage_of(9000), impacts_of(121) | {
            "ghg": Interval("gCO2e", 1400.0, 5300.0, 27000.0)},
        {"energy": Interval("1", 1, 1, 1), "ghg": Interval("1", 0.38, 0.46, 0.71),
         "water": Interval("1", 0.7, 1.1, 1.6)},
        {"energy": False, "ghg": True, "water": False},
    )  # fmt: skip
    earlier = Alternative(
        "2025-01..2025-06", "period", usage_of(800), impacts_of(19),
        {"energy": Interval("1", 4.1, 5.2, 7.7), "ghg": Interval("1", 0.93, 1.04, 1.21)},
        {"energy": True, "ghg": False}, per_day=True, notes=("Two days of it have no calls.",),
    )  # fmt: skip
    return sweden, earlier


def by_hour() -> dict[tuple[int, int], float]:
    return {
        (day, hour): 3.6e6 * (0.1 + max(0, 5 - abs(hour - 14)) * (0.15 if day > 4 else 1))
        for day in range(7)
        for hour in range(24)
        if not (day == 6 and hour < 5)
    }


def inventory_of(days: int = 90, calls: int = 98_765) -> Inventory:
    """An inventory with everything in it."""
    first = date(2026, 1, 5)
    missing: dict[str, tuple[str, ...]] = {"phi-4": ("ghg", "water")}
    zones = ("usa", "fra", "swe", "us-cal-ciso", "")
    mixed = Breakdown(
        ("model", "zone"),
        tuple(row_of(30 / (n + 1), 900 // (n + 1), model=MODELS[n], zone=zones[n % 4])
              for n in range(8)),
    )  # fmt: skip
    return Inventory(
        period=Period(
            f"{first.isoformat()}T07:02:11+01:00",
            f"{(first + timedelta(days=days - 1)).isoformat()}T19:44:02+01:00",
            "Europe/Paris", days,
        ),
        usage=usage_of(calls),
        impacts=impacts_of(121, missing=("water",)),
        stages={
            "accelerator": {"energy": impacts_of(66)["energy"]},
            "facility": {"energy": impacts_of(12)["energy"], "water": impacts_of(3)["water"]},
            "grid": {name: impacts_of(70)[name] for name in ("ghg", "primary_energy", "adpe")},
            "embodied": {"ghg": impacts_of(50)["ghg"], "water": Missing("L", NO_WATER)},
        },
        boundary=BOUNDARY,
        breakdowns=(by_day(days), by_key("model", MODELS, missing), by_key("zone", zones, {}),
                    by_key("team", TEAMS, {}), mixed),
        coverage=coverage_of(calls),
        drivers=DRIVERS,
        method="kilowhat-roofline",
        code_version="0.2.0",
        data_version="2026.11+5d7cc58919e1",
        by_hour=by_hour(),
        alternatives=alternatives(),
        likenesses=likenesses(),
        budget=Budget("2 kWh/day", "energy", "J", 7.2e6, 9.3e6, "p50",
                      is_exceeded=True, day="2026-03-11"),
        trail=TRAIL,
        warnings=("No zone given for 12 calls: the world average grid is used.",),
        sources=("logs/january.jsonl.gz", "logs/february.jsonl.gz", "logs/march.jsonl"),
        source_count=3,
        formats={"litellm": calls - 2000, "claude-code": 2000},
    )  # fmt: skip


HOSTILE = "<script>alert(1)</script>\x1b[2J\u202egpj\u2066\x00\x9b"


def hostile() -> Inventory:
    """An inventory whose every name is an attack."""
    base = inventory_of(3, 50)
    nasty = (HOSTILE, "=HYPERLINK('x')", "a\nb", "\ud800", "é" * 5000, "אבג", "-", "{x}", "%s\\")
    names = tuple(
        Name(name, HOSTILE, "", "class", "class", 3, (HOSTILE, "gpt-4o")) for name in nasty
    )
    coverage = Coverage(
        9, 9, {"class": 9}, {"reported": 9}, refused={HOSTILE: 2},
        refused_rows=(RefusedRow(HOSTILE, 3, HOSTILE),), repeated_files=((HOSTILE, "b"),),
        names=names,
    )  # fmt: skip
    other = Alternative(HOSTILE, "what-if", usage_of(1), impacts_of(1), {}, {}, notes=(HOSTILE,))
    return replace(
        base,
        period=Period(HOSTILE, HOSTILE, HOSTILE, 1),
        breakdowns=tuple(by_key(key, nasty, {}) for key in ("model", "day", HOSTILE)),
        coverage=coverage,
        drivers=((f"model.{HOSTILE}.size", 0.4), (HOSTILE, 0.2)),
        alternatives=(other,),
        likenesses=(Likeness("energy", HOSTILE, Interval("1", 1, 2, 3), HOSTILE),),
        budget=Budget(HOSTILE, "energy", "J", 1.0, 2.0, "p95", is_exceeded=True, day=HOSTILE),
        trail=({"id": HOSTILE, "source": HOSTILE, "basis": HOSTILE, "rung": HOSTILE},),
        warnings=(HOSTILE,), sources=(HOSTILE,), formats={HOSTILE: 3}, method=HOSTILE,
        data_version=HOSTILE,
    )  # fmt: skip


def bare() -> Inventory:
    """An inventory of nothing: no call, no time, no factor."""
    gap = {name: Missing("J", NO_WATER) for name in impacts_of(1)}
    return Inventory(
        Period("", "", "UTC", 0), Usage(), gap, {}, (), (), Coverage(0, 0, {}, {}), (), "none",
        "0.2.0", "2026.11",
    )  # fmt: skip


def single() -> Inventory:
    """One call, one day, one model."""
    row = row_of(0.0004, 1, day="2026-01-05")
    return replace(
        inventory_of(1, 1), breakdowns=(Breakdown(("day",), (row,)), by_key("model", ("x",), {})),
        coverage=Coverage(1, 1, {"model": 1}, {"reported": 1}), alternatives=(), by_hour={},
        budget=None,
    )  # fmt: skip


CASES = {
    "whole": inventory_of, "long": lambda: inventory_of(1000), "hostile": hostile, "bare": bare,
    "single": single,
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("columns", [40, 60, 100])
def test_the_text_fits_the_terminal_and_moves_no_cursor(
    case: str, language: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    inventory = CASES[case]()
    with speaking(language):
        text = write_inventory(inventory, explain=True, said=[HOSTILE])
        names = write_names(inventory.coverage).partition("\n\n[models]")[0]
    for line in (text + "\n" + names).split("\n"):
        assert not any(is_hidden(sign) for sign in line), line
        assert measure_width(line) <= columns, line
    text.encode("utf-8")


@pytest.mark.parametrize("case", CASES)
def test_what_is_left_out_is_never_hidden(case: str) -> None:
    inventory = CASES[case]()
    text = " ".join(write_inventory(inventory).split())
    coverage = inventory.coverage
    refused = coverage.refused_count()
    assert (f"{refused} refused" if refused else "none refused") in text
    assert ("priced:" in text) == bool(coverage.calls)
    assert ("not priced" in text) == bool(coverage.pricing.get("none"))


def test_the_text_says_what_matters_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    text = write_inventory(inventory_of(), said=["zone = FRA, from config."])
    wanted = (
        "Period: 5 Jan 2026 – 4 Apr 2026 (with calls: 90 days, Europe/Paris)".replace("\xa0", " "),
        "98,765 calls", "Energy", "120 kWh", "[33 – 530]", NO_WATER,
        "99.98% of 98,765 calls priced", "0.30% tokens estimated from the length of the text",
        "98,782 rows read, 17 refused (0.017%): neither a model nor anything done is named 8",
        "a negative number 5, not JSON 2",
        "41 calls failed", "3 calls have no time.", "120 rows repeat the id of another",
        "1 record describes no call", "312 calls have no hourly factor",
        "logs/copy.jsonl is the same as logs/march.jsonl", "the highest day:", "By day",
        "By model", "By team", "Where the doubt comes from",
        "calls in flight 35%", "size of the model (gpt-4o) 9.2%", "What if zone=SWE?",
        "Compared with 2025-01..2025-06", "Budget of 2 kWh/day: exceeded.",
        "about 120 hours of microwave oven", "· zone = FRA, from config.",
        "· No zone given for 12 calls", "Boundary: accelerators", "method kilowhat-roofline",
        "data 2026.11+5d7cc58919e1 · 3 factors · 3 sources",
    )  # fmt: skip
    flat, at = " ".join(text.replace("\xa0", " ").split()), 0
    for words in wanted:
        found = flat.find(words, at)
        assert found >= 0, words
        at = found


def test_a_table_shows_the_largest_rows_and_how_much_is_left() -> None:
    inventory = inventory_of()
    text = write_inventory(inventory, top=3)
    kwh = [40 / (n + 1) ** 1.3 for n in range(len(MODELS))]
    share = 100 * sum(kwh[3:]) / sum(kwh)
    assert f"… and {len(MODELS) - 3} more ({share:.0f}% of the energy)" in text
    assert MODELS[2] in text
    assert MODELS[4] not in text.partition("By model, electricity zone")[0]


def test_the_heaviest_days_stand_in_their_order() -> None:
    days = by_day(90)
    heavy = sorted(days.rows, key=lambda row: -central(row))[:10]
    shown = [row.key["day"] for row in select(days, 10).rows]
    assert shown == sorted(row.key["day"] for row in heavy)


def test_everything_is_there_when_it_is_asked_for() -> None:
    inventory = inventory_of()
    brief, whole = write_inventory(inventory), write_inventory(inventory, explain=True)
    for entry in TRAIL:
        assert str(entry["id"]) in whole
        assert str(entry["id"]) not in brief
    assert "--explain" in brief
    assert "--explain" not in whole
    for words in ("Impacts by stage", "grid intensity", "logs/march.jsonl", "not text", "✎"):
        assert words in whole


def test_verdicts_are_plain() -> None:
    def verdict(p05: float, p50: float, p95: float, *, clear: bool) -> str:
        return verdict_line(Interval("1", p05, p50, p95), clear=clear).replace("\xa0", " ")

    assert verdict(0.38, 0.46, 0.71, clear=True) == (
        "−54% [−62 – −29], the change is larger than the doubt"
    )
    assert verdict(0.95, 1.012, 1.2, clear=False) == (
        "+1.2% [−5 – +20], the change is smaller than the doubt"
    )
    assert verdict(4.0, 5.2, 7.7, clear=True).startswith("× 5.2 [4.0 – 7.7]")
    assert verdict(1.0, 1.0, 1.0, clear=False) == "no change"
    assert "not known" in verdict_line(Missing("1", NO_WATER), clear=False)


@pytest.mark.parametrize(("value", "words"), [(9.3e6, "exceeded"), (5.4e6, "kept")])
def test_a_budget_says_whether_it_is_kept(value: float, words: str) -> None:
    budget = Budget("2 kWh/day", "energy", "J", 7.2e6, value, "p95", value > 7.2e6, "2026-03-11")
    told = budget_text(budget).replace("\xa0", " ")
    assert words in told
    assert f"{value / 3.6e6:.3g}" in told
    assert "11 Mar 2026, 95 % point" in told
    assert f"{100 * value / 7.2e6:.0f}% of it" in told


def test_the_mapping_that_is_proposed_is_one_that_is_read(tmp_path: Path) -> None:
    snippet = write_names(coverage_of(9000)).partition("[models]")[2]
    assert '\n"gtp-4o-mini"' not in snippet  # a guess is not proposed as a fact
    lines = [
        line.removeprefix("# ") if line.startswith('# "') else line for line in snippet.splitlines()
    ]
    snippet = "\n".join(lines)
    path = tmp_path / "mapping.toml"
    path.write_text(f"[models]{snippet}", encoding="utf-8")
    described = mapping.read(path)
    assert described.model("gtp-4o-mini") == {"model": "gpt-4o-mini"}
    assert set(described.models) >= {"gtp-4o-mini", "in-house-70b"}


@given(st.text(max_size=40))
def test_any_name_can_be_mapped(name: str) -> None:
    line = f"{toml_text(name)} = 1"
    assert not any(is_hidden(sign) for sign in line)
    read = next(iter(tomllib.loads(line)))
    assert read == name.encode("utf-8", "replace").decode().replace("?", "\ufffd") or read == name


SPACE = "{http://www.w3.org/2000/svg}"


def drawings(page: str) -> list[ET.Element]:
    return [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_whole_safe_and_loads_nothing(case: str, language: str) -> None:
    page = write_account_page(CASES[case](), language)
    page.encode("utf-8")
    assert page.startswith(f'<!doctype html><html lang="{language}">')
    assert "<script" not in page
    assert not any(is_hidden(sign) for sign in page if sign != "\n")
    assert not re.search(r"\bsrc=|@import|url\(|<link|<iframe|\bon\w+=", page)
    assert "default-src 'none'" in page
    assert all(address.startswith("https://") for address in re.findall(r'href="([^"]*)', page))
    charts = drawings(page)
    assert all(chart.find(f"{SPACE}title") is not None for chart in charts)
    identities = re.findall(r'\bid="([^"]+)"', page)
    assert len(identities) == len(set(identities))
    assert page.count("<figure>") * 2 == len(charts)  # one for wide pages, one for narrow
    for tag in ("details", "section", "figure", "table", "ul", "div", "main"):
        assert page.count(f"<{tag}>") + page.count(f"<{tag} ") == page.count(f"</{tag}>"), tag


def test_a_page_holds_every_part_and_a_table_behind_each_chart() -> None:
    page = write_account_page(inventory_of(), "en")
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings == [
        "What the log holds, and what is left out", "By day", "By model", "By electricity zone",
        "By team", "By model, electricity zone", "Energy by hour of the week, central values",
        "Where the doubt about the energy comes from", "Otherwise, and before",
        "Impacts by stage", "What that is like", "How the names of models were understood",
        "Factors used", "To know",
    ]  # fmt: skip
    for part in page.split("<section>")[2:8]:
        assert part.index("<figure>") < part.index("<details>")
    for words in (
        "120 kWh",
        NO_WATER,
        "billing &amp; payments",
        "did you mean gpt-4o-mini",
        "ember-2026",
        "2026.11+5d7cc58919e1",
        "the change is larger than the doubt",
    ):
        assert words in page
    table = page.split("<h2>By day</h2>")[1].split("</section>")[0]
    assert table.count("<tr>") == len(by_day(90).rows) + 1


def test_a_page_speaks_french_with_its_numbers() -> None:
    page = write_account_page(inventory_of(), "fr")
    assert 'lang="fr"' in page
    assert "98\u202f765" in page
    assert "11 kg éq. CO2" in re.sub("[\xa0\u202f]", " ", page)
    assert "févr." in page
    assert "États-Unis" in page


def test_rows_without_a_number_are_counted_and_not_drawn_as_zero() -> None:
    zones = by_key("zone", ("usa", "fra"), {"fra": ("ghg",)})
    page = write_account_page(replace(inventory_of(), breakdowns=(zones,)), "en")
    assert "1 row without a date or a number is not drawn." in page
    gas = next(
        c for c in drawings(page) if str(c.findtext(f"{SPACE}title")).endswith("Greenhouse gas")
    )
    assert "France" not in ET.tostring(gas, encoding="unicode")


def read_back(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_csv_holds_every_row_in_the_units_of_its_header(tmp_path: Path) -> None:
    inventory, path = inventory_of(), tmp_path / "out.csv"
    write_csv(inventory, path)
    rows = read_back(path)
    assert len(rows) == 1 + sum(len(table.rows) for table in inventory.breakdowns)
    total = rows[0]
    assert total["table"] == "total"
    assert float(total["energy_p50_kwh"]) == pytest.approx(121, rel=1e-12)
    assert float(total["ghg_p95_kgco2e"]) == pytest.approx(121 * 0.48, rel=1e-12)
    assert total["water_p50_l"] == ""
    assert total["missing"] == f"water: {NO_WATER}"
    days = [row for row in rows if row["table"] == "day"]
    assert [row["day"] for row in days] == [row.key["day"] for row in by_day(90).rows]
    assert int(days[0]["input_tokens"]) == by_day(90).rows[0].usage.input_tokens
    both = next(row for row in rows if row["table"] == "model+zone")
    assert (both["model"], both["zone"], both["team"]) == ("gpt-4o", "usa", "")


def test_the_metadata_describe_the_csv(tmp_path: Path) -> None:
    inventory, path = inventory_of(), tmp_path / "out.csv"
    write_csv(inventory, path)
    told = json.loads((tmp_path / "out.csv-metadata.json").read_text("utf-8"))
    columns = told["tableSchema"]["columns"]
    header = path.read_text("utf-8").splitlines()[0].split(",")
    assert [column["name"] for column in columns] == header
    assert told["url"] == "out.csv"
    units = {column["name"]: column.get("schema:unitText") for column in columns}
    for name, unit in units.items():
        if "_p05_" in name or "_p50_" in name or "_p95_" in name:
            assert name.endswith(f"_{str(unit).lower()}")
    assert told["schema:version"] == inventory.data_version
    assert told["schema:measurementTechnique"] == inventory.method
    values = {p["schema:name"]: p["schema:value"] for p in told["schema:additionalProperty"]}
    assert values["boundary"] == ", ".join(BOUNDARY)
    assert values["refused.no model"] == 8
    assert "ember-2026" in told["dc:source"]


def test_no_cell_is_a_formula_and_each_can_be_had_back(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_csv(hostile(), path)
    for row in read_back(path):
        for name, cell in row.items():
            is_number = name.endswith(tuple("0123456789lhjqes")) and re.fullmatch(r"[\d.e-]+", cell)
            assert is_number or not cell.lstrip().startswith(tuple("=+-@\t\r\uff1d")), cell
            assert not any(is_hidden(sign) for sign in cell)
    assert "'=HYPERLINK('x')" in {row["model"] for row in read_back(path)}


@given(st.text(max_size=20))
def test_a_neutral_text_gives_the_text_back(text: str) -> None:
    cell = neutral(text)
    assert cell.removeprefix("'") == plain(text)
    assert cell == plain(text) or text.lstrip()[:1] in "=+-@'\t\r\n＝＋－＠"


def test_a_csv_that_fails_leaves_the_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_csv(single(), path)
    before = path.read_bytes()
    wrong = Row({"model": "x"}, Usage(), {"energy": Interval("no unit", 1, 2, 3)})
    with pytest.raises(UnknownUnit):
        write_csv(replace(single(), breakdowns=(Breakdown(("model",), (wrong,)),)), path)
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.csv", "out.csv-metadata.json"]
