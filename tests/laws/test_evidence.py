"""Laws of the evidence: every figure sourced, in its dimension, and equal to its own parts."""

from __future__ import annotations

import csv
import os
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.domain.evidence import CONFIDENCES, DIMENSIONS, PERS, plain_name
from kilowhat.errors import DataError, KilowhatError, UnknownFactor
from kilowhat.quantity.units import parse_unit
from kilowhat.registry.equations import Band, rounding, sides, written
from kilowhat.registry.evidence import (
    FIGURE_COLUMNS,
    cards,
    comparable,
    figures,
    find,
    history,
    load,
)
from kilowhat.registry.tables import DATA, read_sources

RECORDS = load().records
TABLES = DATA / "evidence"


def written_rows(path: Path = TABLES / "figures.csv") -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


ROWS = {row["id"]: row for row in written_rows()}


def operand(name: str, scaled: str = "", factor: float = 1.0) -> Band:
    identity, _, end = name.partition(".")
    band = written(ROWS[identity][end or "value"], ROWS[identity]["unit"])
    size = factor if identity == scaled else 1.0
    return Band(band.low * size, band.high * size, band.dimension)


def closes(equation: str, scaled: str = "", factor: float = 1.0) -> bool:
    left, right = sides(equation, lambda name: operand(name, scaled, factor))
    return left.meets(right)


# --- the shipped tables


def test_the_tables_are_as_large_as_promised() -> None:
    evidence = load()
    assert len(evidence.records) >= 280
    assert len(evidence.vintages) >= 85
    assert len(evidence.cards) >= 25
    assert evidence.equations >= 90
    assert all(subject.aliases_en and subject.aliases_fr for subject in evidence.subjects.values())


@pytest.mark.parametrize("record", RECORDS.values(), ids=lambda record: record.id)
def test_each_figure_is_whole(record) -> None:
    assert record.confidence in CONFIDENCES
    assert record.per in PERS
    unit = parse_unit(record.unit)
    assert unit.dimension == parse_unit(DIMENSIONS[record.dimension]).dimension
    assert re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", record.published)
    ends = [re.fullmatch(r"\d{4}(-\d\d){0,2}", end) for end in record.value_year.split("/") if end]
    assert all(ends)
    assert record.source.redistributable in {"yes", "facts"}
    assert record.property_name
    assert record.label


def test_every_subject_has_a_figure_and_every_name_is_clean() -> None:
    used = {record.subject.id for record in RECORDS.values()}
    assert used == set(load().subjects)
    for subject in load().subjects.values():
        for alias in (*subject.aliases_en, *subject.aliases_fr):
            assert alias == alias.strip()
            assert len(alias) >= 2


def test_a_record_never_comes_from_itself() -> None:
    def ancestors(identity: str, seen: tuple[str, ...] = ()) -> None:
        assert identity not in seen, f"{' <- '.join((*seen, identity))}"
        for parent in RECORDS[identity].derived_from:
            ancestors(parent, (*seen, identity))

    for identity in RECORDS:
        ancestors(identity)


def test_what_supersedes_is_not_older() -> None:
    for record in RECORDS.values():
        for old in record.supersedes:
            assert record.published[:4] >= RECORDS[old].published[:4]
            assert record.subject == RECORDS[old].subject
            assert record.dimension == RECORDS[old].dimension


def test_only_what_was_seen_may_accuse() -> None:
    assert RECORDS["E140"].may_accuse
    assert not RECORDS["E173"].may_accuse
    assert not RECORDS["E161"].may_accuse, "a card that does not close is no evidence"


def test_one_year_of_one_quantity_has_one_value_in_one_scope() -> None:
    seen: dict[tuple[str, ...], float] = {}
    for record in RECORDS.values():
        if record.value is None:
            continue
        key = (record.label, record.property_name, record.per, record.value_year, record.scope,
               record.source.key, record.published)  # fmt: skip
        value = record.value * parse_unit(record.unit).factor
        assert seen.setdefault(key, value) == value, key


# --- equations: parts are recomputed, and an error in any of them is found


@pytest.mark.parametrize(
    ("identity", "equation"),
    [(record.id, part) for record in RECORDS.values() for part in record.parts],
)
def test_each_part_closes_and_a_slip_does_not(identity: str, equation: str) -> None:
    assert closes(equation)
    named = {name.partition(".")[0] for name in re.findall(r"[A-Z]\d{3}", equation)}
    assert named
    for name in named:
        # a small addend may shrink unseen; nothing may grow, and the record itself may do neither
        for factor in (1000.0, 0.001, 3.6) if name == identity else (1000.0,):
            try:
                survived = closes(equation, name, factor)
            except KilowhatError:
                continue
            assert not survived, f"{name} × {factor} passes {equation}"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(TABLES, tmp_path / "evidence")
    return tmp_path


def plant(directory: Path, table: str, identity: str, **cells: str) -> None:
    path = directory / "evidence" / table
    rows = written_rows(path)
    changed = [row for row in rows if row["id"] == identity]
    assert len(changed) == 1
    changed[0].update(cells)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_an_untouched_copy_loads(copy: Path) -> None:
    assert load(copy).records.keys() == RECORDS.keys()


@pytest.mark.parametrize(
    ("identity", "cells", "reason"),
    [
        ("E021", {"value": "564000"}, "does not close"),
        ("E140", {"unit": "GWh"}, "does not close"),
        ("E141", {"value": "55.21"}, "does not close"),
        ("E149", {"value": "433196"}, "does not close"),
        ("E006", {"unit": "W"}, "not energy"),
        ("E006", {"unit": "watthours"}, "Unknown unit"),
        ("E006", {"source": "nobody"}, "unknown source"),
        ("E006", {"locator": ""}, "no locator"),
        ("E006", {"subject_id": "nothing"}, "unknown subject"),
        ("E006", {"value": ""}, "no value"),
        ("E006", {"value": "nan"}, "not a finite"),
        ("E006", {"confidence": "D"}, "confidence"),
        ("E015", {"low": "0.5"}, "is not so"),
        ("E015", {"range_kind": ""}, "range without its kind"),
        ("E020", {"parts": "E020 = E021 / E999"}, "no number"),
        ("E020", {"parts": "E020 = E317"}, "Unknown|valid|energy"),
        ("E020", {"parts": "E020 = __import__('os')"}, "equation"),
        ("E020", {"id": "E021"}, "stands twice"),
        ("E020", {"derived_from": "E998"}, "no record E998"),
    ],
)
def test_a_planted_error_is_refused(
    copy: Path, identity: str, cells: dict[str, str], reason: str
) -> None:
    plant(copy, "figures.csv", identity, **cells)
    with pytest.raises(DataError, match=reason):
        load(copy)


@pytest.mark.parametrize(
    ("table", "identity", "cells"),
    [
        ("history.csv", "H001", {"value_twh": ""}),
        ("history.csv", "H002", {"outcome_source": ""}),
        ("history.csv", "H002", {"low_twh": "300"}),
        ("history.csv", "H001", {"scope": "everything"}),
        ("cards.csv", "gpt-3", {"energy_mwh": "-1"}),
        ("cards.csv", "gpt-3", {"power_kind": "guess"}),
    ],
)
def test_a_planted_error_in_other_tables_is_refused(
    copy: Path, table: str, identity: str, cells: dict[str, str]
) -> None:
    plant(copy, table, identity, **cells)
    with pytest.raises(DataError, match=table):
        load(copy)


# --- the language of equations


@given(st.floats(0.001, 1e6), st.floats(0.001, 1e6), st.floats(0.001, 1e6))
def test_exact_numbers_evaluate_as_arithmetic(a: float, b: float, c: float) -> None:
    x, y, z = (f"{value:.6f}" for value in (a, b, c))
    left, right = sides(f"({x} + {y}) * {z} / {y} - {x} = {x} ^ 2", operand)
    fx, fy, fz = float(x), float(y), float(z)
    assert left.low == pytest.approx((fx + fy) * fz / fy - fx, rel=1e-12, abs=1e-6)
    assert left.low == left.high
    assert right.low == pytest.approx(fx**2)


@given(st.decimals(1, 999, places=2), st.decimals(1, 999, places=1))
def test_a_rounded_number_holds_everything_that_rounds_to_it(a, b) -> None:
    exact, _ = sides(f"{a} / {b} = 1", operand)
    rounded, _ = sides(f"~{a} / ~{b} = 1", operand)
    assert rounded.low <= exact.low <= rounded.high
    low, high = (float(a) - 0.005) / (float(b) + 0.05), (float(a) + 0.005) / (float(b) - 0.05)
    assert rounded.low == pytest.approx(low)
    assert rounded.high == pytest.approx(high)


@given(st.text(alphabet="E0123456789.~+-*/^()=[]Whk ex", max_size=40))
def test_any_text_is_an_equation_or_refused(text: str) -> None:
    try:
        sides(text, operand)
    except (KilowhatError, KeyError):
        return
    assert "=" in text


def test_units_count() -> None:
    assert closes("1 [kWh] = 3.6 [MJ]")
    assert closes("11.6 [kW] * 24 [h] = ~278 [kWh]")
    assert not closes("11.6 [kW] * 24 [h] = ~278 [Wh]")
    with pytest.raises(KilowhatError):
        closes("1 [kWh] = 1 [kW]")


def test_the_last_digit_counts() -> None:
    assert rounding("20400") == 0.5
    assert rounding("2.04e4") == 50.0


# --- look-ups


def test_find_and_figures_agree() -> None:
    assert find("E140") in figures("gpt-3-training", "energy", "training")
    with pytest.raises(UnknownFactor):
        find("E998")


@pytest.mark.parametrize(
    ("model", "use", "expected"),
    [
        ("google/gemini-2.5-flash", {"tokens_out": 400}, {"E001", "E301"}),
        ("gpt-4o", {"tokens_in": 100, "tokens_out": 400}, {"E006", "E014", "E049"}),
        ("gpt-4o-2024-08-06", {"tokens_in": 10_000, "tokens_out": 1_500}, {"E051"}),
        ("mistral-large-2411", {"tokens_out": 400, "dimension": "ghg"}, {"E008"}),
        ("bigscience/bloom", {"tokens_out": 100}, {"E022"}),
        ("unknown-llm", {"parameters": 405e9, "tokens_out": 300}, {"E015"}),
        ("unknown-llm", {"parameters": 70e9, "tokens_out": 300}, set()),
        ("unknown-llm", {"parameters": 405e9, "tokens_out": 4_500}, {"E017"}),
    ],
)
def test_a_use_finds_its_published_figures(model, use, expected) -> None:
    wanted = {"dimension": "energy"} | use
    assert {record.id for record in comparable(model, "text", **wanted)} == expected


@pytest.mark.parametrize("kind", ["text", "image", "video", "search", "training"])
def test_kinds_never_mix(kind: str) -> None:
    names = ["gpt-4o", "flux-1-dev", "bloom-176b", "google-search", "wan2-1-t2v-14b", "gpt-3"]
    found = [record for name in names for record in comparable(name, kind)]
    assert found
    assert all(record.use is not None and record.use.kind == kind for record in found)


def test_no_superseded_figure_is_set_beside_a_use() -> None:
    found = {record.id for record in comparable("any", "text", parameters=1e12)}
    assert "E015" in found
    assert "E016" not in found


@given(st.sampled_from(sorted(RECORDS)), st.floats(1, 1e6))
def test_length_windows_are_kept(identity: str, tokens_out: float) -> None:
    use = RECORDS[identity].use
    if use is None or any(item.startswith("parameters") for item in use.models):
        return
    name = next(item for item in use.models if not item.startswith("!")).replace("*", "")
    low, high = use.out_window
    fits = (low is None or tokens_out >= low) and (high is None or tokens_out <= high)
    assert use.holds(name, None, tokens_out, None) == fits


def test_plain_names() -> None:
    assert plain_name("openai/GPT-4o_mini") == "gpt-4o-mini"


# --- history


def test_vintages_are_dated_like_what_they_are() -> None:
    for vintage in history():
        if vintage.kind == "forecast":
            assert vintage.year >= vintage.published
        else:
            assert vintage.year <= vintage.published


def test_outcomes_are_numbers_with_a_source() -> None:
    known = [vintage for vintage in history() if vintage.outcome_twh is not None]
    assert len(known) >= 15
    assert all(v.outcome_source is not None and v.outcome_kind for v in known)
    scored = [vintage for vintage in known if vintage.is_scored]
    assert {v.id for v in scored} < {v.id for v in known}
    assert all(v.outcome_year == v.year for v in scored)


def test_the_replayed_failures_are_there() -> None:
    bitcoin = [v for v in history("world", "bitcoin") if v.kind == "forecast"]
    assert [(v.share_percent, v.outcome_twh) for v in bitcoin] == [(100.0, 67.0)]
    andrae = [v for v in history("world") if v.source.key == "andrae-edler-2015"]
    assert [(v.low_twh, v.value_twh, v.high_twh) for v in andrae] == [(1137.0, 2967.0, 7933.0)]


def test_irish_statistics_are_measured() -> None:
    assert [v.value_twh for v in history("irl") if v.kind == "measured"] == [
        1.238, 3.995, 5.3, 6.334, 6.969,
    ]  # fmt: skip


def test_card_names_are_found() -> None:
    assert {card.id for card in cards("gpt-3")} == {"gpt-3", "epoch-gpt-3-175b-davinci"}


def test_cards_lead_from_the_catalogue_to_training_factors() -> None:
    with (DATA / "factors" / "training.csv").open(newline="", encoding="utf-8") as file:
        subjects = {row["id"].split(".")[1] for row in csv.DictReader(file)}
    with (DATA / "models.csv").open(newline="", encoding="utf-8") as file:
        catalogue = {row["id"] for row in csv.DictReader(file)}
    named = [model for card in cards() for model in card.models]
    assert len(set(named)) >= 40
    assert set(named) <= catalogue
    assert {card.subject for card in cards()} <= subjects
    assert not cards("deepseek-r1-distill-llama-70b")
    assert {card.subject for card in cards("meta-llama-3-70b-instruct")} == {"llama-3-70b"}


def test_the_sources_of_evidence_are_all_used() -> None:
    with (DATA / "sources" / "evidence.csv").open(newline="", encoding="utf-8") as file:
        keys = {row["key"] for row in csv.DictReader(file)}
    used = {record.source.key for record in RECORDS.values()}
    used |= {vintage.source.key for vintage in history()}
    used |= {v.outcome_source.key for v in history() if v.outcome_source}
    used |= {card.source.key for card in cards()}
    assert keys <= used
    assert used <= set(read_sources(DATA))


# --- against the reference rows, where they are at hand


def reference(name: str) -> Path:
    directory = os.environ.get("KILOWHAT_REFERENCE")
    if not directory:
        pytest.skip("KILOWHAT_REFERENCE is not set")
    return Path(directory) / name


IN_OTHER_WORDS = {
    "kWh/1000": (1.0, 1e-3),  # Wh each, or kWh each
    "Wh/1000": (1e-3,),
    "lb CO2e": (0.45359237e-3, 0.45359237),  # t, or kg
    "months": (30.0,),
}


@pytest.mark.reference
def test_no_value_was_changed_on_the_way() -> None:
    with reference("evidence.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    compared = 0
    for identity, row in rows.items():
        record = RECORDS.get(identity)
        if record is None or record.value is None or not re.fullmatch(r"[\d.e+]+", row["value"]):
            continue
        value = float(row["value"])
        ratio = record.value / value
        assert any(
            ratio == pytest.approx(k, rel=3e-3) for k in IN_OTHER_WORDS.get(row["unit"], (1.0,))
        ), (identity, record.value, row["value"], row["unit"])
        compared += 1
    assert compared > 230


@pytest.mark.reference
def test_gpu_energies_are_those_of_the_benchmark() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = ["model_id", "gpu_model", "task", "energy_per_request_j", "energy_per_generation_j"]
    table = parquet.read_table(reference("mlenergy_dev.parquet"), columns=columns).to_pylist()
    measured = {
        f"{energy:.1f}"
        for row in table
        if (energy := row["energy_per_request_j"] or row["energy_per_generation_j"])
    }
    found = [
        record.id
        for record in RECORDS.values()
        if record.source.key == "mlenergy-v3-2026"
        and record.per != "token"
        and {f"{record.low:.1f}", f"{record.high:.1f}"} <= measured
    ]
    assert len(found) >= 15, found


def test_the_columns_are_those_of_the_loader() -> None:
    assert tuple(written_rows()[0]) == FIGURE_COLUMNS
