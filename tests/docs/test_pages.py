"""The pages keep their promises: outputs as run now, every verb, both languages, living links."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import outputs
from kilowhat.cli import VERBS, cli
from kilowhat.language import current, set_language

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = outputs.pages() + [ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md")]
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _language() -> object:
    before = current()
    yield
    set_language(before)


@pytest.mark.parametrize("name", ["README.md", "LISEZMOI.md"])
def test_the_readme_shows_what_the_program_prints(name: str) -> None:
    page = ROOT / name
    shown = text_of(page)
    run_again = outputs.renew(shown, outputs.language(page))
    assert outputs.is_same(shown, run_again), "python tools/outputs.py --write"


@pytest.mark.parametrize("name", ["README.md", "LISEZMOI.md"])
def test_a_command_and_its_output_stand_within_forty_lines(name: str) -> None:
    lines = text_of(ROOT / name).splitlines()[:40]
    start = next(i for i, line in enumerate(lines) if line.startswith("$ kilowhat estimate"))
    end = next(i for i, line in enumerate(lines) if i > start and line == "```")
    assert end - start > 15
    assert lines[start - 2] == "<!-- run -->"


def _calls() -> list[str]:
    context = click.Context(cli)
    calls = []
    for verb in VERBS:
        command = cli.get_command(context, verb)
        assert command is not None
        calls.append(verb)
        if isinstance(command, click.Group):
            calls += [f"{verb} {name}" for name in command.list_commands(context)]
    return calls


@pytest.mark.parametrize("page", ["cli.md", "fr/cli.md"])
def test_every_verb_and_option_is_in_the_reference(page: str) -> None:
    text = text_of(DOCS / page)
    context = click.Context(cli)
    for call in _calls():
        assert f"## kilowhat {call}\n" in text, call
        section = text.partition(f"## kilowhat {call}\n")[2].partition("\n## ")[0]
        command: click.Command | None = cli
        for name in call.split():
            assert isinstance(command, click.Group)
            command = command.get_command(context, name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert any(option in section for option in parameter.opts), (call, parameter.opts)


def test_every_verb_is_in_the_readme() -> None:
    for name in ("README.md", "LISEZMOI.md"):
        text = text_of(ROOT / name)
        for verb in ("estimate", "train", "compare", "data", "list", "config"):
            assert f"`{verb}`" in text or f"kilowhat {verb} " in text, (name, verb)


def test_each_page_stands_in_both_languages() -> None:
    english = {page.name for page in DOCS.glob("*.md")}
    french = {page.name for page in (DOCS / "fr").glob("*.md")}
    assert english == french


@pytest.mark.parametrize("name", ["guide.md", "json.md", "cli.md"])
def test_both_languages_run_the_same_commands(name: str) -> None:
    def commands(page: Path) -> list[str]:
        found = re.findall(r"^\$ (.*)$", text_of(page), re.MULTILINE)
        return [line.replace("2,9", "2.9") for line in found]

    assert commands(DOCS / name) == commands(DOCS / "fr" / name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", text_of(page))):
        assert (page.parent / target).exists(), target


def test_make_has_the_targets_that_the_pages_name() -> None:
    makefile = text_of(ROOT / "Makefile")
    said = re.compile(r"(?:`|^\$ )make ([a-z-]+)", re.MULTILINE)
    named = {target for page in PAGES for target in said.findall(text_of(page))}
    assert {"demo", "test", "golden", "bench-accuracy", "bench-account"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_each_record_of_the_sample_names_its_source() -> None:
    table = text_of(ROOT / "examples" / "README.md")
    lines = text_of(ROOT / "examples" / "usage.jsonl").splitlines()
    ids = [json.loads(line)["id"] for line in lines]
    assert len(set(ids)) == len(ids)
    for identity in ids:
        assert re.search(rf"^\| {re.escape(identity)} \| \S+ [\d.b]+ \| tests/\S+ \|$", table,
                         re.MULTILINE), identity  # fmt: skip
    assert f"holds {len(ids)} uses" in table


def test_the_demonstration_runs_and_says_what_it_shows(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    command = Path(sys.executable).with_name("kilowhat")
    done = subprocess.run(
        ["sh", str(ROOT / "tools" / "demo.sh")],
        env=environment | {"KILOWHAT": str(command)}, capture_output=True, encoding="utf-8",
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"^(\d)\. ", done.stdout, re.MULTILINE) == list("12345678")
    assert done.stdout.count("\n$ kilowhat ") == 9
    results = [line for line in done.stdout.splitlines() if line.startswith('{"id": ')]
    assert len(results) == 3
    uses = (ROOT / "examples" / "usage.jsonl").read_text(encoding="utf-8").count("\n")
    assert f"{uses} lines in, {uses} results out." in done.stdout


class TestTheToolItself:
    def test_it_runs_a_block_and_keeps_the_rest(self) -> None:
        page = "before\n<!-- run -->\n```console\n$ echo new\nold\n```\nafter\n"
        assert outputs.renew(page, "en") == page.replace("old", "new")

    def test_it_cuts_long_outputs(self) -> None:
        page = "<!-- run lines=2 -->\n```console\n$ seq 5\n```\n"
        assert "1\n2\n…\n```" in outputs.renew(page, "en")

    def test_it_renews_a_python_session(self) -> None:
        page = (
            "<!-- run -->\n```pycon\n>>> for i in range(2):\n...     print(i)\n7\n>>> 1 + 1\n```\n"
        )
        renewed = outputs.renew(page, "en")
        assert ">>> for i in range(2):\n...     print(i)\n0\n1\n>>> 1 + 1\n2\n```" in renewed

    def test_it_refuses_another_exit_code(self) -> None:
        with pytest.raises(outputs.WrongExit, match="exit code 3"):
            outputs.renew("<!-- run -->\n```console\n$ exit 3\n```\n", "en")
        assert outputs.renew("<!-- run rc=3 -->\n```console\n$ exit 3\n```\n", "en")

    def test_an_unmarked_block_is_left_alone(self) -> None:
        page = "```console\n$ exit 3\n```\n"
        assert outputs.renew(page, "en") == page

    @pytest.mark.parametrize(
        ("left", "right", "same"),
        [
            ("0.61 Wh", "0.62 Wh", False),
            ("0.61 Wh", "0.61 Wh", True),
            ("data 2026.11+0123456789ab", "data 2026.11+ba9876543210", True),
            ('"p50": 2193.7637534790456', '"p50": 2193.7637534790401', True),
            ('"p50": 2193.7637534790456', '"p50": 2193.8637534790456', False),
            ("2026-11-22", "2026-11-23", False),
            ("one\ntwo", "one", False),
        ],
    )
    def test_only_the_hash_and_last_digits_may_differ(
        self, left: str, right: str, same: bool
    ) -> None:
        assert outputs.is_same(left, right) is same
