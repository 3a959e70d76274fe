"""``kilowhat data``, ``list``, ``config`` and ``completion`` as a person and a program use them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from kilowhat.cli import run, settings
from kilowhat.cli.list_verb import LISTINGS
from kilowhat.language import current, set_language
from kilowhat.ledger.formats import formats
from kilowhat.registry.tables import DATA, FACTOR_COLUMNS, SOURCE_COLUMNS, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Terminal:
    """Runs command lines in this process, away from the user's settings."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, line: str, *more: str) -> tuple[int, str, str]:
        code = run([*line.split(), *more])
        told = self.capsys.readouterr()
        return code, told.out, told.err

    def json(self, line: str, *more: str) -> Any:
        code, out, err = self(line, *more)
        assert (code, err) == (0, "")
        return json.loads(out)


@pytest.fixture
def kilowhat(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    before = current()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name in settings.SETTINGS:
        monkeypatch.delenv(f"KILOWHAT_{name.upper()}", raising=False)
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, "C")
    monkeypatch.setattr(settings, "user_file", lambda: tmp_path / "user" / "kilowhat.toml")
    yield Terminal(capsys)
    set_language(before)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's own directory: one factor that is ours too, and one that is not."""
    directory = tmp_path / "own"
    for folder in ("factors", "sources"):
        (directory / folder).mkdir(parents=True)
    source = "mine,Meter readings,Me,2026,,,private,no,2026-11-22,"
    (directory / "sources" / "mine.csv").write_text(f"{','.join(SOURCE_COLUMNS)}\n{source}\n")
    rows = [
        "facility.ovh.pue,1.1,1.4,1.6,1,excess,measured,FACILITY,,,mine,meter,",
        "facility.shed.pue,1.5,1.9,2.2,1,excess,measured,FACILITY,,,mine,meter,",
    ]
    (directory / "factors" / "facility.csv").write_text(
        "\n".join([",".join(FACTOR_COLUMNS), *rows, ""])
    )
    return directory


# data ------------------------------------------------------------------------------------------


def test_the_families(kilowhat: Terminal) -> None:
    families = {row["family"]: row for row in kilowhat.json("data list --json")}
    assert {"grid", "facility", "hardware", "everyday"} <= families.keys()
    assert families["grid"]["rows"] > families["grid"]["ids"] > 200
    code, out, _ = kilowhat("data list")
    assert code == 0
    assert all(family in out for family in families)


@pytest.mark.parametrize("pattern", ["facility", "facility.aws*", "azure-west", "*.pue"])
def test_a_family_a_glob_or_a_part_of_an_id(kilowhat: Terminal, pattern: str) -> None:
    rows = kilowhat.json("data list --json", pattern)
    assert rows
    assert all(pattern.strip("*") in row["id"] for row in rows)
    code, out, _ = kilowhat("data list", pattern)
    assert code == 0
    assert all(row["id"] in out for row in rows)


def test_every_row_of_a_factor(kilowhat: Terminal) -> None:
    rows = kilowhat.json("data show grid.fra.gwp_location --json")
    assert sum(row["is_used"] for row in rows) == 1
    assert len({row["source"] for row in rows}) >= 2
    years = {row["valid_from"][:4] for row in rows}
    assert {"2015", "2023"} <= years
    for row in rows:
        assert row["low"] <= row["central"] <= row["high"]
        assert row["spread_source"]
        assert row["licence"]
    code, out, _ = kilowhat("data show grid.fra.gwp_location")
    assert code == 0
    for told in ("licence: ", "boundary: grid, upstream", "width: ", "where: ", "ODbL"):
        assert told in out


def test_what_is_used_depends_on_the_purpose(kilowhat: Terminal) -> None:
    used = {
        purpose: next(
            row["source"]
            for row in kilowhat.json(f"data show grid.fra.gwp_location --json --purpose {purpose}")
            if row["is_used"]
        )
        for purpose in ("attributional", "consequential")
    }
    assert used["attributional"].startswith("ember")
    assert used["consequential"].startswith("electricitymaps")


@pytest.mark.parametrize("verb", ["show", "cite"])
@pytest.mark.parametrize(
    ("wrong", "right"),
    [("grid.frx.gwp_location", "grid.fra.gwp_location"), ("facility.asw.pue", "facility.aws.pue")],
)
def test_a_wrong_id_names_the_nearest(
    kilowhat: Terminal, verb: str, wrong: str, right: str
) -> None:
    code, out, err = kilowhat(f"data {verb}", wrong)
    assert (code, out) == (2, "")
    assert wrong in err
    assert right in err


@pytest.mark.parametrize("odd", ["", "/etc/passwd", "**", "..", "grid", "é", "[", "a.b.c.d"])
@pytest.mark.parametrize("verb", ["show", "cite"])
def test_what_cannot_be_an_id_is_a_wrong_use(kilowhat: Terminal, verb: str, odd: str) -> None:
    code, out, err = kilowhat(f"data {verb}", odd)
    assert (code, out) == (2, "")
    assert "Traceback" not in err


def test_a_pattern_without_a_match_is_a_wrong_use(kilowhat: Terminal) -> None:
    code, out, err = kilowhat("data list", "faclity")
    assert (code, out) == (2, "")
    assert "facility" in err


def test_citations(kilowhat: Terminal) -> None:
    code, out, _ = kilowhat("data cite grid.fra.gwp_location")
    assert code == 0
    assert "Ember" in out
    assert "CC-BY-4.0" in out
    keys = [source["key"] for source in kilowhat.json("data cite grid.fra.gwp_location --json")]
    code, out, _ = kilowhat("data cite grid.fra.gwp_location --bibtex")
    assert [f"@misc{{{key}," in out for key in keys] == [True] * len(keys)
    assert out.count("{") == out.count("}")
    code, one, _ = kilowhat(f"data cite {keys[0]}")
    assert code == 0
    assert f"[{keys[0]}]" in one


def test_bibtex_escapes_what_is_special(kilowhat: Terminal) -> None:
    code, out, _ = kilowhat("data cite hardware.accelerator.life --bibtex")
    assert code == 0
    assert not re.search(r"(?<!\\)[&%#]", re.sub(r"url = .*", "", out))


def test_a_clean_check(kilowhat: Terminal) -> None:
    code, out, err = kilowhat("data check")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 1
    report = kilowhat.json("data check --json")
    assert report["findings"] == []
    assert report["checked"]["numbers"] > 5000


@pytest.mark.parametrize("flag", ["", "--factors"])
def test_a_check_of_a_spoilt_copy(kilowhat: Terminal, tmp_path: Path, flag: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(DATA, copy)
    with (copy / "factors" / "grid.csv").open("a", encoding="utf-8") as file:
        file.write(
            "grid.aia.primary_energy,,2.59,,MJ/kWh,lognormal,modelled,GRID|UPSTREAM,,,"
            "ademe-base-impacts-2011,planted,\n"
        )
    where = [*filter(None, [flag]), str(copy)]
    code, out, _ = kilowhat("data check", *where)
    assert code == 1
    assert "grid.aia.primary_energy" in out
    code, out, _ = kilowhat("data check --json", *where)
    assert code == 1
    [finding] = json.loads(out)["findings"]
    assert (finding["check"], finding["severity"]) == ("primary-energy", "error")


def test_a_warning_is_no_failure(kilowhat: Terminal, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(DATA, copy)
    with (copy / "sources" / "grid.csv").open("a", encoding="utf-8") as file:
        file.write("nobodys-2026,Title,Nobody,2026,,,CC0,yes,2026-11-22,\n")
    code, out, _ = kilowhat("data check", str(copy))
    assert code == 0
    assert "nobodys-2026" in out


def test_a_users_own_factors_everywhere(kilowhat: Terminal, own: Path) -> None:
    where = ["--factors", str(own)]
    rows = kilowhat.json("data show facility.ovh.pue --json", *where)
    [used] = [row for row in rows if row["is_used"]]
    assert (used["source"], used["is_user"]) == ("mine", True)
    assert kilowhat.json("data list facility.shed --json", *where)[0]["central"] == 1.9
    code, out, _ = kilowhat("data cite facility.shed.pue", *where)
    assert (code, "Meter readings" in out) == (0, True)
    assert kilowhat("data check", *where)[0] == 0
    assert "from your own directory" in kilowhat("data show facility.shed.pue", *where)[1]


def test_the_difference_that_a_user_makes(kilowhat: Terminal, own: Path) -> None:
    found = {row["id"]: row for row in kilowhat.json("data diff --json", str(own))}
    assert {identity: row["kind"] for identity, row in found.items()} == {
        "facility.ovh.pue": "changed",
        "facility.shed.pue": "added",
    }
    changed = found["facility.ovh.pue"]
    ratio = changed["after"]["central"] / changed["before"]["central"]
    assert changed["ratio"] == pytest.approx(ratio)
    code, out, _ = kilowhat("data diff", str(own))
    assert code == 0
    assert "1 added, 0 removed, 1 changed." in out


def test_the_difference_to_another_edition(kilowhat: Terminal, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(DATA, copy)
    assert kilowhat.json("data diff --json", str(copy)) == []
    path = copy / "factors" / "grid_water.csv"
    header, first, second, *rest = path.read_text(encoding="utf-8").splitlines()
    cells = second.split(",")
    cells[2] = str(2 * float(cells[2]))
    path.write_text("\n".join([header, ",".join(cells), *rest, ""]), encoding="utf-8")
    kinds = {row["kind"]: row for row in kilowhat.json("data diff --json", str(copy))}
    assert kinds.keys() == {"removed", "changed"}
    assert kinds["removed"]["id"] == first.partition(",")[0]
    assert kinds["changed"]["ratio"] == pytest.approx(2)


@pytest.mark.parametrize("verb", ["check", "diff"])
def test_a_directory_that_holds_no_factors(kilowhat: Terminal, tmp_path: Path, verb: str) -> None:
    code, _, err = kilowhat(f"data {verb}", str(tmp_path / "nowhere"))
    assert code == 2
    assert "nowhere" in err


def test_the_help_of_data_lists_its_commands_in_both_languages(kilowhat: Terminal) -> None:
    for language in ("en", "fr"):
        code, out, _ = kilowhat(f"--lang {language} data --help")
        assert (code, out) == kilowhat(f"data --lang {language} --help")[:2]
        assert code == 0
        for verb in ("list", "show", "cite", "check", "diff"):
            assert re.search(rf"^  {verb} +\w", out, re.MULTILINE)
            assert kilowhat(f"data {verb} --lang {language} --help")[0] == 0


# list ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", LISTINGS)
def test_every_name_is_listed(kilowhat: Terminal, what: str) -> None:
    rows = kilowhat.json(f"list {what} --json")
    known = formats() if what == "formats" else table(DATA / LISTINGS[what].file)
    assert len(rows) == len(known)
    code, out, _ = kilowhat(f"list {what}")
    assert code == 0
    assert all(row["id"] in out for row in rows)


@pytest.mark.parametrize(
    ("what", "pattern", "identity"),
    [
        ("models", "gpt-4o", "gpt-4o"),
        ("zones", "Californie", "usa-ca"),
        ("zones", "polynesie", "pyf"),
        ("regions", "paris", "aws:eu-west-3"),
        ("accelerators", "H100 SXM", "h100-sxm"),
        ("equivalences", "bain", "bath"),
    ],
)
def test_a_pattern_is_looked_for_in_every_name(
    kilowhat: Terminal, what: str, pattern: str, identity: str
) -> None:
    rows = kilowhat.json(f"list {what} --json", pattern)
    assert identity in [row["id"] for row in rows]
    assert len(rows) < len(table(DATA / LISTINGS[what].file))


@pytest.mark.parametrize("what", LISTINGS)
def test_a_pattern_without_a_name_is_a_wrong_use(kilowhat: Terminal, what: str) -> None:
    code, out, err = kilowhat(f"list {what} qqqqqq")
    assert (code, out) == (2, "")
    assert "qqqqqq" in err


def test_names_in_the_language_of_the_user(kilowhat: Terminal) -> None:
    names = {
        language: kilowhat.json(f"list zones --json --lang {language} deu")[0]["name"]
        for language in ("en", "fr")
    }
    assert names == {"en": "Germany", "fr": "Allemagne"}


def test_something_else_to_list_is_a_wrong_use(kilowhat: Terminal) -> None:
    code, _, err = kilowhat("list planets")
    assert code == 2
    assert "zones" in err


def test_tables_fit_a_narrow_terminal(kilowhat: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = kilowhat("list accelerators h100")[1]
    assert max(map(len, wide.splitlines())) > 60
    monkeypatch.setattr("kilowhat.cli.options._is_terminal", lambda: True)
    for columns in (100, 60, 40):
        monkeypatch.setenv("COLUMNS", str(columns))
        out = kilowhat("list accelerators h100")[1]
        assert max(map(len, out.splitlines())) <= columns
        assert "h100-sxm" in out


# config and completion -------------------------------------------------------------------------


def test_each_setting_and_where_it_comes_from(
    kilowhat: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "user").mkdir()
    settings.user_file().write_text('zone = "deu"\ndraws = 256\nprovider = "aws"\ndate = 2024\n')
    (tmp_path / "here" / "kilowhat.toml").write_text('zone = "fra"\nprovider = "gcp"\n')
    monkeypatch.setenv("KILOWHAT_PROVIDER", "azure")
    found = kilowhat.json("config --json --date 2023")
    assert found.keys() == settings.SETTINGS.keys()
    told = {name: (entry["value"], entry["origin"]) for name, entry in found.items()}
    assert told["date"] == ("2023", "--date")
    assert told["provider"] == ("azure", "KILOWHAT_PROVIDER")
    assert told["zone"] == ("fra", str(tmp_path / "here" / "kilowhat.toml"))
    assert told["draws"] == ("256", str(settings.user_file()))
    assert told["region"] == (None, None)
    code, out, _ = kilowhat("config")
    assert code == 0
    assert all(name in out for name in settings.SETTINGS)
    assert kilowhat("config --path")[1].strip() == str(settings.user_file())


def test_the_schema_accepts_what_is_read_and_refuses_what_is_not(kilowhat: Terminal) -> None:
    schema = kilowhat.json("config --schema")
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["properties"].keys() == settings.SETTINGS.keys()
    check = jsonschema.Draft202012Validator(schema).is_valid
    good = {
        "lang": "fr", "zone": "fra", "region": "aws:eu-west-3", "provider": "aws",
        "date": "2025-03-01", "factors": "own", "draws": 256, "purpose": "regulatory-fr",
    }  # fmt: skip
    assert good.keys() == settings.SETTINGS.keys()
    assert check(good)
    for wrong in ({"zon": "fra"}, {"lang": "de"}, {"draws": 1}, {"purpose": "x"}, {"date": "May"}):
        assert not check(wrong)


def test_a_setting_that_is_none_is_named(kilowhat: Terminal, tmp_path: Path) -> None:
    (tmp_path / "here" / "kilowhat.toml").write_text('zon = "fra"\n')
    code, _, err = kilowhat("config")
    assert code == 2
    assert "zone" in err


def test_a_directory_of_factors_from_the_settings(
    kilowhat: Terminal, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILOWHAT_FACTORS", str(own))
    assert kilowhat.json("data list facility.shed --json")[0]["is_user"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell(kilowhat: Terminal, shell: str) -> None:
    code, out, err = kilowhat(f"completion {shell}")
    assert (code, err) == (0, "")
    assert f"_KILOWHAT_COMPLETE={shell}_complete" in out
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=out, text=True, check=True)


def test_another_shell_is_a_wrong_use(kilowhat: Terminal) -> None:
    assert kilowhat("completion tcsh")[0] == 2


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("kilowhat data sh", "show"),
        ("kilowhat data show grid.fra.gwp_l", "grid.fra.gwp_location"),
        ("kilowhat data cite facility.ovh.p", "facility.ovh.pue"),
        ("kilowhat list acc", "accelerators"),
        ("kilowhat estimate x --zone fr", "fra"),
        ("kilowhat estimate x --zone FR", "fra"),
        ("kilowhat estimate x --accelerator h100-s", "h100-sxm"),
        ("kilowhat estimate x --region aws:eu-west", "aws:eu-west-3"),
    ],
)
def test_names_are_completed(words: str, offered: str) -> None:
    asked = {
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
        "_KILOWHAT_COMPLETE": "bash_complete",
    }
    told = subprocess.run(
        [sys.executable, "-m", "kilowhat"],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"plain,{offered}" in told.stdout.splitlines()
    assert told.stderr == ""


@pytest.mark.parametrize("kind", ["model", "equivalence"])
def test_models_and_equivalences_can_be_completed(kind: str) -> None:
    from kilowhat.cli.options import complete

    listing = {"model": "models.csv", "equivalence": "equivalences.csv"}[kind]
    known = [row["id"] for row in table(DATA / listing)]
    offered = [item.value for item in complete(kind)(None, None, known[0][:3])]
    assert known[0] in offered
    assert all(name.startswith(known[0][:3]) for name in offered)
