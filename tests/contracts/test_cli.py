"""The command line as people use it, and misuse it: a number with its doubt, or a sentence."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from kilowhat.cli import VERBS
from kilowhat.cli.stream import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

USE = ("estimate", "gpt-4o", "--in", 500, "--out", 400, "--zone", "FRA")


def said(told: Any) -> str:
    """What was said of a wrong use: one or two lines, after click's usage where it has one."""
    assert told.code == 2, told
    assert told.out == ""
    assert "Traceback" not in told.err
    lines = [line for line in told.err.splitlines() if line]
    assert 1 <= len(lines) <= 4
    assert all(len(line) < 500 for line in lines)
    return str(told.err)


# ── what works ───────────────────────────────────────────────────────────────────────────────


def test_every_number_has_its_interval_unit_boundary_and_source(
    terminal: Callable[..., Any],
) -> None:
    told = terminal(*USE)
    assert told.code == 0
    assert told.err == ""
    for row in ("Energy", "Greenhouse gas", "Water", "Primary energy", "Minerals and metals"):
        (line,) = re.findall(rf"^{row} .*$", told.out, re.MULTILINE)[:1]
        assert re.search(r"\d \S.*\[[\d.,]+ – [\d.,]+\] +\S", line), line
    assert "France 20" in told.out
    assert "Boundary: " in told.out
    assert "Not included: " in told.out
    assert "Where the doubt comes from" in told.out
    assert re.search(r"kilowhat \S+ · data \S+", told.out)


def test_french_is_french_throughout(terminal: Callable[..., Any]) -> None:
    told = terminal(*USE, "--lang", "fr")
    assert told.code == 0
    for word in ("Énergie", "Eau", "Périmètre", "France"):
        assert word in told.out
    for word in ("Energy", "Greenhouse gas", "Water", "Boundary", "Where the doubt", "Not inc"):
        assert not re.search(rf"^(· )?{word}", told.out, re.MULTILINE)
    assert re.search(r"\d,\d", told.out)


def test_the_same_numbers_in_both_languages_and_in_json(terminal: Callable[..., Any]) -> None:
    english = json.loads(terminal(*USE, "--json").out)
    french = json.loads(terminal(*USE, "--json", "--lang", "fr").out)
    assert english["impacts"] == french["impacts"]
    assert english["stages"].keys() == french["stages"].keys()
    assert english["warnings"] != french["warnings"] or not english["warnings"]


REQUIRED = {
    "model", "functional_unit", "zone", "boundary", "impacts", "stages", "drivers", "trail",
    "warnings", "method", "code_version", "data_version",
}  # fmt: skip
UNITS = {"energy": "J", "ghg": "gCO2e", "water": "L", "primary_energy": "MJ", "adpe": "kgSbeq"}


def test_json_has_the_published_shape(terminal: Callable[..., Any]) -> None:
    found = json.loads(terminal(*USE, "--calls", 10, "--json").out)
    assert set(found) >= REQUIRED
    assert {name: value["unit"] for name, value in found["impacts"].items()} == UNITS
    for value in found["impacts"].values():
        assert value["p05"] < value["p50"] < value["p95"]
    assert list(found["stages"]) == ["accelerator", "host", "idle", "facility", "grid", "embodied"]
    for entry in found["trail"]:
        assert {"id", "value", "unit", "source", "rung"} <= set(entry)
    assert found["functional_unit"] == "10 calls"
    assert found["zone"] == "FRA"


WORKING: list[tuple[object, ...]] = [
    ("estimate", "gpt-4o"),
    ("estimate", "openai/gpt-4o-2024-08-06", "--out", 5),
    ("estimate", "meta-llama/Llama-3.1-70B-Instruct", "--out", 5),
    ("estimate", "gpt-4o", "--out", 5, "--region", "aws:eu-west-3"),
    ("estimate", "gpt-4o", "--out", 5, "--zone", "France"),
    ("estimate", "gpt-4o", "--out", 5, "--zone", "fr"),
    ("estimate", "gpt-4o", "--out", 5, "--date", "2019", "--zone", "FRA"),
    ("estimate", "gpt-4o", "--out", 5, "--tokens-per-second", 80),
    ("estimate", "gpt-4o", "--out", 5, "--images-in", 2, "--reasoning", 3),
    ("estimate", "gpt-4o", "--in", 5, "--cached", 4),
    ("estimate", "--parameters", "70e9", "--active", "12e9", "--out", 5),
    ("estimate", "--like", "medium", "--out", 5),
    ("estimate", "llama-3.1-8b", "--out", 5, "--accelerator", "h100", "--count", 1,
     "--concurrency", 64, "--precision", "fp8", "--serving", "offline"),
    ("estimate", "llama-3.1-8b", "--out", 5, "--accelerator", "rtx-4090"),
    ("estimate", "flux.1-dev", "--images", 1, "--size", "1024x1024", "--steps", 28),
    ("estimate", "wan2.1-t2v-14b", "--video", "5s", "--size", "832x480", "--fps", 16),
    ("estimate", "wan2.1-t2v-14b", "--frames", 81, "--ulysses", 2, "--ring", 2),
    ("estimate", "object-detection", "--calls", 1000),
    (*USE, "--versus", "gpt-4"),
    (*USE, "--methods"),
    (*USE, "--explain"),
    (*USE, "--explain", "--methods", "--lang", "fr"),
    (*USE, "--this-call"),
    (*USE, "--users", "1e6", "--per-day", 10),
    (*USE, "--per", "1M-tokens"),
    (*USE, "--per", "user-year", "--per-day", 5),
    (*USE, "--market", "--marginal"),
    (*USE, "--draws", 256),
    (*USE, "--purpose", "regulatory-fr"),
    ("estimate", "llama-3.1-8b", "--in", 5, "--out", 5, "--amortise-training", "1e13"),
    ("train", "llama-3.1-70b"),
    ("train", "gpt-3", "--zone", "USA"),
    ("train", "--gpu-hours", "1e6"),
    ("train", "--gpu-hours", "30.84e6", "--accelerator", "h100-sxm"),
    ("train", "--parameters", "70e9", "--tokens", "15e12", "--accelerator", "h100-sxm",
     "--mfu", "0.4", "--development", 2, "--zone", "USA"),
    ("train", "--flop", "1e25", "--accelerator", "a100-80", "--power", 400),
    ("compare", "2.9 Wh"),
    ("compare", "2.9", "Wh"),
    ("compare", "1 h microwave", "--to", "led"),
    ("compare", "1 h micro-ondes", "--lang", "fr"),
    ("compare", "10 kgCO2e", "--most", 3),
    ("compare", "5 L"),
]  # fmt: skip


@pytest.mark.parametrize("words", WORKING, ids=lambda words: " ".join(map(str, words))[:60])
def test_what_people_ask_is_answered(
    terminal: Callable[..., Any], words: tuple[object, ...]
) -> None:
    told = terminal(*words)
    assert told.code == 0, told.err
    assert re.search(r"\[[\d.,]+ – [\d.,]+\]", told.out)
    assert not re.search(r"\bnan\b|\binf\b|None|\b0\.0000", told.out)
    assert max(map(len, told.out.splitlines())) <= 120


@pytest.mark.parametrize("words", WORKING, ids=lambda words: " ".join(map(str, words))[:60])
def test_everything_is_json_too(terminal: Callable[..., Any], words: tuple[object, ...]) -> None:
    told = terminal(*words, "--json")
    assert told.code == 0, told.err

    def refuse(constant: str) -> object:
        raise AssertionError(constant)

    found = json.loads(told.out, parse_constant=refuse)
    assert found


def test_versus_comes_before_any_equivalence(terminal: Callable[..., Any]) -> None:
    told = terminal(*USE, "--versus", "gpt-4")
    assert told.out.index("times the energy of gpt-4") < told.out.index("about ")


def test_a_model_is_exactly_once_itself(terminal: Callable[..., Any]) -> None:
    found = json.loads(terminal(*USE, "--versus", "gpt-4o", "--json").out)
    ratio = found["versus"]["energy_ratio"]
    assert (ratio["p05"], ratio["p50"], ratio["p95"]) == (1.0, 1.0, 1.0)
    assert "1.0 times the energy of gpt-4o (" in terminal(*USE, "--versus", "gpt-4o").out


@pytest.mark.parametrize("calls", [10, 1e9])
def test_calls_scale_exactly(terminal: Callable[..., Any], calls: float) -> None:
    one = json.loads(terminal(*USE, "--json").out)["impacts"]
    many = json.loads(terminal(*USE, "--calls", calls, "--json").out)["impacts"]
    for category, value in one.items():
        for point in ("p05", "p50", "p95"):
            assert many[category][point] == pytest.approx(calls * value[point])


def test_what_was_assumed_is_said(terminal: Callable[..., Any]) -> None:
    told = terminal("estimate", "gpt-4o")
    for words in ("No zone given", "world average", "No --in given", "No --out given"):
        assert words in told.out


def test_regulation_uses_its_factor(terminal: Callable[..., Any]) -> None:
    trail = json.loads(terminal(*USE, "--purpose", "regulatory-fr", "--json").out)["trail"]
    assert 51.9 in [entry["value"] for entry in trail]


def test_narrow_terminals_are_respected(
    terminal: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    told = terminal(*USE)
    assert told.code == 0
    assert max(map(len, told.out.splitlines())) <= 60


@pytest.mark.parametrize("verb", ["", *VERBS])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_verb_helps_in_both_languages(
    terminal: Callable[..., Any], verb: str, language: str
) -> None:
    words = [verb] if verb else []
    told = terminal(*words, "--lang", language, "--help")
    assert told.code == 0
    assert "Options" in told.out
    assert "help" in told.out
    english = terminal(*words, "--lang", "en", "--help").out
    assert (told.out == english) == (language == "en")


# ── what cannot be ───────────────────────────────────────────────────────────────────────────

WRONG: dict[tuple[object, ...], str] = {
    ("estimate", "gpt4oo"): "gpt-4o",
    ("estimate", ""): "model",
    ("estimate", "🤖"): "🤖",
    ("estimate",): "model",
    ("estimate", "gpt-4o", "gpt-4"): "gpt-4",
    (*USE, "--zone", "Frnce"): "FRA",
    (*USE[:-2], "--region", "aws:eu-wst-3"): "aws:eu-west-3",
    (*USE[:-2], "--region", "eu-west-3"): "provider:region",
    (*USE, "--region", "aws:us-east-1"): "FRA",
    (*USE, "--accelerator", "h100x"): "h100-sxm",
    (*USE, "--precision", "fp99"): "bf16",
    ("estimate", "llama-3.1-8b", "--accelerator", "a100-80", "--precision", "fp8"): "bf16",
    ("estimate", "llama-3.1-405b", "--accelerator", "rtx-4090"): "--count",
    ("estimate", "llama-3.1-405b", "--accelerator", "h100-sxm", "--count", 1): "GB",
    (*USE, "--count", 8): "accelerator",
    (*USE, "--count", 2.5, "--accelerator", "h100-sxm"): "count",
    (*USE, "--concurrency", 0): "concurrency",
    (*USE, "--calls", 0): "calls",
    (*USE, "--calls", "1e19"): "calls",
    (*USE, "--calls", -3): "calls",
    (*USE, "--cached", 501): "in = 500",
    (*USE, "--reasoning", 401): "out = 400",
    (*USE, "--per", "flop"): "1M-tokens",
    (*USE, "--per", "image"): "--images",
    (*USE, "--per", "second"): "--video",
    ("estimate", "gpt-4o", "--out", 4, "--per", "1M-tokens"): "--in",
    (*USE, "--this-call", "--calls", 9): "calls",
    (*USE, "--date", "hier"): "2025-03-01",
    (*USE, "--date", 1999): "2000",
    (*USE, "--users", "many"): "users",
    (*USE, "--users", 0): "users",
    (*USE, "--users", "nan"): "users",
    (*USE, "--per-day", "-1"): "per_day",
    (*USE, "--amortise-training", "0"): "amortise_training",
    (*USE, "--amortise-training", "1e12"): "gpt-4o",
    (*USE, "--serving", "batch"): "online",
    (*USE, "--draws", 10): "64",
    (*USE, "--draws", "many"): "64",
    (*USE, "--draws", "1e3"): "64",
    (*USE, "--purpose", "mine"): "regulatory-fr",
    (*USE, "--factors", "nowhere"): "factors/",
    (*USE, "--factors", "."): "factors/",
    (*USE, "--versus", "gpt4oo"): "gpt-4o",
    (*USE, "--versus", "flux.1-dev"): "flux.1-dev",
    (*USE, "--images", 2): "images",
    (*USE, "--steps", 20): "steps",
    (*USE, "--size", "64x64"): "size",
    (*USE, "--audio-in", "30s"): "gpt-4o",
    (*USE, "--impacts-only"): "--from",
    (*USE, "--outt", 5): "--out",
    (*USE, "--zonne", "FRA"): "--zone",
    (*USE, "--out"): "--out",
    (*USE, "--lang", "de"): "fr",
    ("estimate", "--parameters", "70e9", "--active", "80e9"): "active",
    ("estimate", "--parameters", "70e9", "--like", "small"): "parameters",
    ("estimate", "gpt-4o", "--like", "small"): "model",
    ("estimate", "--like", "huge"): "frontier",
    ("estimate", "--parameters", "70"): "parameters",
    ("estimate", "flux.1-dev", "--size", "1024"): "1024x1024",
    ("estimate", "flux.1-dev", "--size", "9999999x1"): "size",
    ("estimate", "flux.1-dev", "--steps", 0): "steps",
    ("estimate", "flux.1-dev", "--steps", 1.5): "steps",
    ("estimate", "flux.1-dev", "--out", 5): "flux.1-dev",
    ("estimate", "flux.1-dev", "--video", "5s"): "flux.1-dev",
    ("estimate", "flux.1-dev", "--images-in", 1): "images_in",
    ("estimate", "flux.1-dev", "--precision", "fp99"): "bf16",
    ("estimate", "wan2.1-t2v-14b", "--video", "-5s"): "video",
    ("estimate", "wan2.1-t2v-14b", "--video", "5 Wh"): "5s",
    ("estimate", "wan2.1-t2v-14b", "--video", "5s", "--fps", 8, "--frames", 999): "frames",
    ("estimate", "wan2.1-t2v-14b", "--count", 2, "--accelerator", "h100-sxm", "--ulysses", 4): "4",
    ("train",): "--gpu-hours",
    ("train", "gpt4oo"): "gpt-4o",
    ("train", "--gpu-hours", -5, "--accelerator", "h100-sxm"): "gpu_hours",
    ("train", "--gpu-hours", "nan", "--accelerator", "h100-sxm"): "gpu_hours",
    ("train", "--gpu-hours", 1, "--accelerator", "h100x"): "h100-sxm",
    ("train", "--gpu-hours", 1, "--accelerator", "h100-sxm", "--precision", "fp7"): "bf16",
    ("train", "--parameters", "1e9", "--tokens", "1e9", "--active", "2e9"): "active",
    ("train", "--gpu-hours", 1, "--accelerator", "h100-sxm", "--mfu", 1.5): "mfu",
    ("train", "--flop", "1e25", "--accelerator", "a100-80", "--precision", "fp8"): "precision",
    ("compare",): "AMOUNT",
    ("compare", "much"): "2.9",
    ("compare", "2.9 Wh", "--to", "leed"): "led",
    ("compare", "2.9 Wh", "--most", 0): "most",
    ("compare", "5 mwh"): "MWh",
    ("compare", "5 flurbs"): "flurbs",
    ("compare", "5 m"): "energy",
    ("compare", "5 W"): "energy",
    ("compare", "1 kWh microwave"): "energy",
    ("compare", "0 Wh"): "positive",
    ("compare", "--", "-5 Wh"): "positive",
    ("compare", "1e400 Wh"): "1e400",
    ("compare", "nan Wh"): "nan",
    ("estimat", "gpt-4o"): "estimate",
    ("données",): "données",
    ("--frobnicate",): "--frobnicate",
    ("list", "modles"): "models",
    ("completion", "cmd"): "bash",
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG, ids=lambda words: " ".join(map(str, words))[-50:])
def test_wrong_use_is_told_in_a_sentence_with_a_way_out(
    terminal: Callable[..., Any], words: tuple[object, ...]
) -> None:
    sentence = said(terminal(*words))
    assert WRONG[words] in sentence


@pytest.mark.parametrize("words", WRONG, ids=lambda words: " ".join(map(str, words))[-50:])
def test_wrong_use_is_told_in_french(
    terminal: Callable[..., Any], words: tuple[object, ...]
) -> None:
    if words == (*USE, "--lang", "de"):
        return
    english = terminal(*words)
    head, *rest = words if words[0] in VERBS else ("", *words)
    french = terminal(*filter(None, [head]), *(["--lang", "fr"] if head else []), *rest)
    assert french.code == 2
    if head:
        assert french.err != english.err
        assert not re.search(
            r"^Error|^Usage|is not valid|Did you mean|No sourced", french.err, re.MULTILINE
        )


HUGE = 1_000_000


@pytest.mark.parametrize(
    "words",
    [
        ("estimate", "x" * HUGE), ("x" * HUGE,), ("estimate", "gpt-4o", "--out", "9" * HUGE),
        ("estimate", "gpt-4o", "--zone", "é" * HUGE), ("estimate", "gpt-4o", "--date", "2" * HUGE),
        ("estimate", "gpt-4o", "--region", "aws:" + "x" * HUGE),
        ("estimate", "gpt-4o", "--accelerator", "x" * HUGE),
        ("estimate", "flux.1-dev", "--size", "1x" * HUGE), ("compare", "x" * HUGE),
        (*USE, "--versus", "x" * HUGE), (*USE, "--per", "x" * HUGE),
        (*USE, "--draws", "9" * HUGE), (*USE, "--users", "9" * HUGE),
        ("estimate", "wan2.1-t2v-14b", "--video", "5" * HUGE + "s"),
        ("compare", "5 " + "x" * HUGE), ("compare", "9" * HUGE + " Wh"),
        ("compare", "2.9 Wh", "--to", "x" * HUGE), ("train", "x" * HUGE),
        ("train", "--flop", "9" * HUGE), ("estimate", "--from", "x" * HUGE),
        (*USE, "--factors", "x" * HUGE), (*USE, "--purpose", "x" * HUGE),
    ],
    ids=lambda words: " ".join(str(word)[:14] for word in words),
)  # fmt: skip
def test_a_million_characters_are_answered_in_one_line(
    terminal: Callable[..., Any], words: tuple[str, ...]
) -> None:
    said(terminal(*words))


@pytest.mark.parametrize(
    "value",
    ["", " ", "nan", "NaN", "inf", "-inf", "1e400", "-1", "-0.5", "True", "1,5e", "é", "٣x", "[]",
     "{}", "null", "5\x00", "\u202e5x", "0x10", "--", "1e8000000"],
)  # fmt: skip
def test_no_number_slips_through(terminal: Callable[..., Any], value: str) -> None:
    said(terminal("estimate", "gpt-4o", "--out", value))


def test_numbers_like_minus_zero_are_zero(terminal: Callable[..., Any]) -> None:
    assert terminal("estimate", "gpt-4o", "--in", "5", "--out", "-0").code == 0


# ── settings ─────────────────────────────────────────────────────────────────────────────────


def test_a_setting_is_used_and_said(terminal: Callable[..., Any], newcomer: Path) -> None:
    (newcomer / "kilowhat.toml").write_text('zone = "DEU"\n', encoding="utf-8")
    told = terminal("estimate", "gpt-4o", "--out", 5)
    assert "Germany" in told.out
    assert "kilowhat.toml" in told.out


def test_the_environment_wins_over_the_file_and_a_flag_over_both(
    terminal: Callable[..., Any], newcomer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (newcomer / "kilowhat.toml").write_text('zone = "DEU"\n', encoding="utf-8")
    monkeypatch.setenv("KILOWHAT_ZONE", "ESP")
    assert "Spain" in terminal("estimate", "gpt-4o", "--out", 5).out
    told = terminal("estimate", "gpt-4o", "--out", 5, "--zone", "FRA")
    assert "France" in told.out
    assert "KILOWHAT_ZONE" not in told.out


def test_a_region_on_the_command_line_wins_over_a_zone_in_the_settings(
    terminal: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILOWHAT_ZONE", "ESP")
    told = terminal("estimate", "gpt-4o", "--out", 5, "--region", "aws:eu-west-3", "--json")
    assert json.loads(told.out)["zone"] == "FRA"


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("ZONE", "Frnce", "FRA"), ("REGION", "aws", "provider:region"), ("DATE", "hier", "2025"),
        ("DRAWS", "many", "64"), ("PURPOSE", "x", "regulatory-fr"),
        ("FACTORS", "nowhere", "factors/"),
    ],
)  # fmt: skip
def test_a_wrong_variable_is_wrong_use(
    terminal: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, name: str, value: str, hint: str
) -> None:
    monkeypatch.setenv(f"KILOWHAT_{name}", value)
    assert hint in said(terminal("estimate", "gpt-4o", "--out", 5))


@pytest.mark.parametrize("value", ["fr", "fr_CA.UTF-8"])
def test_the_language_may_be_a_setting(
    terminal: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("KILOWHAT_LANG", value)
    assert "Énergie" in terminal(*USE).out
    assert "Energy" in terminal(*USE, "--lang", "en").out


@pytest.mark.parametrize(
    "content",
    [
        b"zone = ", b"[[[", b"\xff\xfe", b"zone = FRA", b"zonne = 'FRA'", b"zone = true",
        b"zone = ['FRA']", b"zone = {a = 1}", b"draws = 10", b"lang = 5", b"zone = nan",
        b"zone = 2020-01-01", b"\x00", b"zone = 'FRA'\nzone = 'DEU'",
    ],
)  # fmt: skip
def test_a_broken_settings_file_is_told(
    terminal: Callable[..., Any], newcomer: Path, content: bytes
) -> None:
    (newcomer / "kilowhat.toml").write_bytes(content)
    told = terminal("estimate", "gpt-4o", "--out", 5)
    if content == b"lang = 5":  # not a language: the environment's is used
        assert told.code == 0
        return
    said(told)


@pytest.mark.parametrize("content", [b"tool = 5", b"[tool]\nkilowhat = 5", b"[[[", b"\xff"])
def test_somebody_else_s_project_file_does_no_harm(
    terminal: Callable[..., Any], newcomer: Path, content: bytes
) -> None:
    (newcomer / "pyproject.toml").write_bytes(content)
    told = terminal("estimate", "gpt-4o", "--out", 5)
    if b"kilowhat" in content:
        assert "pyproject.toml" in said(told)
    else:
        assert told.code == 0


def test_settings_that_are_directories_do_no_harm(
    terminal: Callable[..., Any], newcomer: Path
) -> None:
    (newcomer / "kilowhat.toml").mkdir()
    assert terminal("estimate", "gpt-4o", "--out", 5).code == 0


# ── one's own factors ────────────────────────────────────────────────────────────────────────

HEADER = "id,low,central,high,unit,shape,basis,boundary,valid_from,valid_to,source,locator,note\n"
SOURCES = (
    "key,title,publisher,year,url,doi,licence,redistributable,retrieved,sha256\n"
    "ours,Our contract,Us,2026,https://example.org,,private,no,2026-01-01,\n"
)
ROW = "grid.fra.gwp_location,9,10,11,gCO2e/kWh,lognormal,declared,GRID,,,ours,page 3,\n"


def own(where: Path, factors: str, sources: str = SOURCES) -> Path:
    for name, text in (("factors/grid.csv", factors), ("sources/ours.csv", sources)):
        (where / name).parent.mkdir(exist_ok=True)
        (where / name).write_text(text, encoding="utf-8")
    return where


def test_one_s_own_factors_win_and_are_marked(terminal: Callable[..., Any], newcomer: Path) -> None:
    directory = own(newcomer, HEADER + ROW)
    told = terminal(*USE, "--factors", directory)
    assert told.code == 0
    assert "Your own factors are used: grid.fra.gwp_location." in told.out
    assert "Your own factors" not in terminal(*USE).out


@pytest.mark.parametrize(
    "factors",
    [
        "nonsense", HEADER.replace("id,", "name,") + ROW, HEADER + ROW.replace("ours", "theirs"),
        HEADER + ROW.replace("9,10,11", "11,10,9"), HEADER + ROW.replace("gCO2e/kWh", "flurb"),
        HEADER + ROW + ROW, HEADER + ROW.replace("10", "nan"), HEADER + ROW.replace("10", "1e400"),
        HEADER + "a,b\n", HEADER + ROW.replace("lognormal", "cubic"),
        HEADER + ROW.replace("GRID", "MOON"), HEADER + ROW.replace("declared", "guessed"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_told_with_its_line(
    terminal: Callable[..., Any], newcomer: Path, factors: str
) -> None:
    told = terminal(*USE, "--factors", own(newcomer, factors))
    assert told.code in (1, 2)
    assert told.out == ""
    assert "Traceback" not in told.err
    assert "grid.csv" in told.err


# ── other processes ──────────────────────────────────────────────────────────────────────────

PROGRAM = [sys.executable, "-m", "kilowhat"]


def program(*words: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*PROGRAM, *words], capture_output=True, check=False, **more)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full disk here")  # noqa: PTH110
def test_a_full_disk_is_one_sentence(newcomer: Path) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [*PROGRAM, "compare", "2.9 Wh"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_names_that_are_no_text_and_terminals_that_know_no_accent(newcomer: Path) -> None:
    done = program("estimate", "gpt-4o", "--zone", "\udcff")
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = program("compare", "2.9 Wh", "--lang", "fr", env=ascii_only)
    assert done.returncode == 0
    assert done.stdout


def test_a_pipe_that_closes_is_no_error(newcomer: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "list", "models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert told == b""


def test_control_c_while_waiting_is_130(newcomer: Path) -> None:
    """One batch is answered whole; then the program waits for the next, and is told to stop."""
    process = subprocess.Popen(
        [*PROGRAM, "estimate", "--from", "-", "--impacts-only"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
    )  # fmt: skip
    guard = threading.Timer(60, process.kill)
    guard.start()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b'{"model": "gpt-4o", "out": 1}\n' * CHUNK)
    answered = 0
    while answered < CHUNK and (got := process.stdout.read(1 << 16)):
        answered += got.count(b"\n")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    guard.cancel()
    assert answered == CHUNK
    assert process.returncode == 130
    assert err.strip() == b"Interrupted."


def test_a_directory_that_was_deleted_does_no_harm(newcomer: Path) -> None:
    script = (
        "import os, tempfile\n"
        "os.chdir(tempfile.mkdtemp()); os.rmdir(os.getcwd())\n"
        "from kilowhat.cli import run\n"
        "raise SystemExit(run(['compare', '2.9 Wh']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stdout
