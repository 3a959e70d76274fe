"""``estimate --from``: one line out for each line in, in order, whatever the lines hold."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.assessment import Estimator
from kilowhat.assessment.uses import BY_NAME
from kilowhat.cli.stream import CHUNK, Pricing
from kilowhat.registry.resolve import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GOOD = '{"model": "gpt-4o", "in": 100, "out": 10, "zone": "FRA"}'


def refuse(constant: str) -> object:
    message = f"{constant} is not JSON"
    raise ValueError(message)


def lines_of(text: str) -> list[dict[str, Any]]:
    """Lines of strict JSON, where NaN is none; a text may hold other breaks than a new line."""
    return [json.loads(line, parse_constant=refuse) for line in text.split("\n") if line]


@pytest.fixture
def stream(terminal: Callable[..., Any], newcomer: Path) -> Callable[..., Any]:
    """Prices some bytes as a file; gives the exit code, the lines, and what was said."""

    def price(content: bytes | str, *words: object) -> tuple[int, list[dict[str, Any]], str]:
        file = newcomer / "uses.jsonl"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        told = terminal("estimate", "--from", file, *words)
        return told.code, lines_of(told.out), told.err

    return price


def test_each_line_is_the_estimate_of_its_use(
    stream: Callable[..., Any], terminal: Callable[..., Any]
) -> None:
    code, (line,), err = stream(GOOD)
    assert (code, err) == (0, "")
    told = terminal("estimate", "gpt-4o", "--in", 100, "--out", 10, "--zone", "FRA", "--json")
    alone = json.loads(told.out)
    assert line["impacts"] == {k: pytest.approx(v) for k, v in alone["impacts"].items()}
    for key in ("model", "functional_unit", "zone", "boundary", "trail", "warnings", "method",
                "code_version", "data_version"):  # fmt: skip
        assert line[key] == alone[key]


def test_the_field_that_judges_the_accuracy_is_there(stream: Callable[..., Any]) -> None:
    use = (
        '{"model": "llama-3.1-70b", "accelerator": "h100-sxm", "count": 4, "concurrency": 64, '
        '"precision": "bf16", "in": 500, "out": 300}'
    )
    _, (line,), _ = stream(use)
    energy = line["stages"]["accelerator"]["energy"]
    assert energy["unit"] == "J"
    assert 0 < energy["p05"] < energy["p50"] < energy["p95"]


def test_a_bad_line_is_an_error_object_and_the_others_go_on(stream: Callable[..., Any]) -> None:
    bad = '{"model": "gpt4oo", "id": "b"}'
    content = f'{GOOD}\n{bad}\n{GOOD[:-1]}, "id": "c"}}\n'
    code, found, err = stream(content)
    assert code == 5
    assert [line.get("id") for line in found] == [None, "b", "c"]
    wrong = found[1]["error"]
    assert wrong["line"] == 2
    assert wrong["kind"] == "UnknownModel"
    assert "gpt-4o" in wrong["message"]
    assert "impacts" in found[0]
    assert "impacts" in found[2]
    assert "1 " in err


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\n", b"\n\n  \n\t\n", b"\xef\xbb\xbf", b"\r\n\r\n",
    ],
)  # fmt: skip
def test_nothing_in_nothing_out(stream: Callable[..., Any], content: bytes) -> None:
    assert stream(content) == (0, [], "")


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff{GOOD}\n{GOOD}", f"{GOOD}\r\n{GOOD}\r\n", f"\n\n{GOOD}\n   \n\t\n{GOOD}\n\n",
        f"  {GOOD}  \n{GOOD}",
    ],
    ids=["BOM", "CRLF", "blank lines", "spaces"],
)  # fmt: skip
def test_files_as_editors_write_them(stream: Callable[..., Any], content: str) -> None:
    code, found, _ = stream(content)
    assert code == 0
    assert len(found) == 2
    assert found[0] == found[1]


def test_blank_lines_count_in_the_number_of_a_line(stream: Callable[..., Any]) -> None:
    _, (line,), _ = stream("\n\n{}\n")
    assert line["error"]["line"] == 3


BAD_LINES: dict[str, bytes] = {
    "no JSON": b"hello",
    "cut": b'{"model": "gpt-4o", "out": 1',
    "list": b"[]",
    "text": b'"gpt-4o"',
    "number": b"5",
    "null": b"null",
    "NaN alone": b"NaN",
    "NaN": b'{"model": "gpt-4o", "out": NaN}',
    "NaN in an id": b'{"model": "gpt-4o", "out": 1, "id": NaN}',
    "Infinity": b'{"model": "gpt-4o", "out": Infinity}',
    "overflow": b'{"model": "gpt-4o", "out": 1e400}',
    "huge integer": b'{"model": "gpt-4o", "out": ' + b"9" * 6000 + b"}",
    "bool": b'{"model": "gpt-4o", "out": true}',
    "negative": b'{"model": "gpt-4o", "out": -1}',
    "text as number": b'{"model": "gpt-4o", "out": "many"}',
    "two objects": GOOD.encode() * 2,
    "single quotes": b"{'model': 'gpt-4o'}",
    "bomb": b"[" * 100_000,
    "closed bomb": b'{"model": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "bomb in an id": b'{"out": 1, "id": ' + b"[" * 900 + b"]" * 900 + b"}",
    "2 MB": b'{"model": "' + b"x" * 2_000_000 + b'"}',
    "2 MB of spaces": b" " * 2_000_000 + b"x",
    "binary": bytes(range(256)).replace(b"\n", b"").replace(b"\r", b""),
    "latin-1": '{"model": "gpt-4o", "zone": "Côte"}'.encode("latin-1"),
    "lone surrogate": b'{"model": "\\ud800"}',
    "NUL": b'{"model": "gpt\\u00004o"}',
    "no model": b'{"out": 5}',
    "unknown field": b'{"model": "gpt-4o", "outt": 5}',
    "image with out": b'{"model": "flux.1-dev", "out": 5}',
    "text with images": b'{"model": "gpt-4o", "out": 5, "images": 1}',
    "sound": b'{"model": "gpt-4o", "out": 5, "audio_in": 30}',
    "count alone": b'{"model": "gpt-4o", "out": 5, "count": 8}',
    "does not fit": b'{"model": "llama-3.1-405b", "out": 5, "accelerator": "rtx-4090"}',
    "precision": b'{"model": "llama-3.1-8b", "accelerator": "a100-80", "precision": "fp8"}',
    "zone and region": b'{"model": "gpt-4o", "out": 5, "zone": "FRA", "region": "aws:us-east-1"}',
    "size": b'{"model": "flux.1-dev", "size": "1024"}',
    "steps": b'{"model": "flux.1-dev", "steps": 0}',
}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_bad_line_is_one_short_sentence(stream: Callable[..., Any], language: str) -> None:
    good = GOOD.encode()
    content = b"\n".join(part for bad in BAD_LINES.values() for part in (bad, good))
    code, found, err = stream(content, "--lang", language)
    assert code == 5
    assert len(found) == 2 * len(BAD_LINES)
    assert "Traceback" not in err
    for number, (name, line) in enumerate(zip(BAD_LINES, found[::2], strict=True)):
        assert set(line) <= {"error", "id"}, name
        assert line["error"]["line"] == 2 * number + 1
        assert 10 < len(line["error"]["message"]) < 400, name
        assert "\n" not in line["error"]["message"]
    assert all(line == found[1] for line in found[1::2])


IDS = [7, 7, -1.5, "seven", "", "é\u2028 🤖", True, None, [1, [2]], {"a": {"b": None}}, 10**30]


def test_ids_come_back_as_they_were_even_twice(stream: Callable[..., Any]) -> None:
    rows = [{"model": "gpt-4o", "out": 1, "id": identity} for identity in IDS]
    bad = [{"model": "gpt4oo", "id": identity} for identity in IDS]
    code, found, _ = stream("\n".join(json.dumps(row) for row in rows + bad))
    assert code == 5
    assert [line["id"] for line in found] == IDS * 2


def test_an_id_that_cannot_be_written_again_is_left_out(stream: Callable[..., Any]) -> None:
    code, found, _ = stream('{"model": "gpt-4o", "out": 1, "id": 1e999}\n' + GOOD)
    assert code == 0
    assert "id" not in found[0]


def test_options_are_defaults_that_a_line_overrides(stream: Callable[..., Any]) -> None:
    rows = ["{}", '{"zone": "DEU"}', '{"region": "aws:us-east-1"}', '{"model": "gpt-4"}',
            '{"parameters": 7e9}']  # fmt: skip
    code, found, _ = stream("\n".join(rows), "gpt-4o", "--out", 10, "--zone", "FRA")
    assert code == 0
    assert [line["zone"] for line in found] == ["FRA", "DEU", found[2]["zone"], "FRA", "FRA"]
    assert found[2]["zone"].startswith("US")
    assert [line["model"] for line in found][3:] == ["gpt-4", "7B"]


def test_impacts_only_leaves_the_stages_out(stream: Callable[..., Any]) -> None:
    _, (line,), _ = stream(GOOD, "--impacts-only")
    _, (whole,), _ = stream(GOOD)
    assert "stages" not in line
    assert "trail" not in line
    assert line["impacts"] == whole["impacts"]
    assert line["warnings"] == whole["warnings"]


@pytest.mark.parametrize(
    "words",
    [
        ["--versus", "gpt-4"], ["--methods"], ["--explain"], ["--this-call"], ["--users", "5"],
        ["--per-day", "5"], ["--per", "call"], ["--market"], ["--marginal"],
        ["--amortise-training", "1e12"],
    ],
)  # fmt: skip
def test_options_of_a_single_use_are_not_ignored_in_silence(
    stream: Callable[..., Any], words: list[str]
) -> None:
    code, found, err = stream(GOOD, *words)
    assert (code, found) == (2, [])
    assert words[0].removeprefix("--") in err


def test_more_lines_than_are_priced_at_once_stay_in_order(stream: Callable[..., Any]) -> None:
    models = ["gpt-4o", "llama-3.1-70b", "nope", "flux.1-dev", "gpt-4o"]
    rows = [
        {"model": model, "id": number, **({} if model == "flux.1-dev" else {"out": number % 7 + 1})}
        for number, model in enumerate(islice(cycle(models), 1300))
    ]
    code, found, _ = stream("\n".join(json.dumps(row) for row in rows), "--impacts-only")
    assert code == 5
    assert [line["id"] for line in found] == list(range(1300))
    assert [("error" in line) for line in found] == [row["model"] == "nope" for row in rows]
    assert found[0]["impacts"] == found[1260]["impacts"]  # the same use, in another batch


def test_a_use_costs_the_same_wherever_it_stands(stream: Callable[..., Any]) -> None:
    other = '{"model": "gpt-4o", "in": 5, "out": 700, "zone": "FRA", "calls": 9}'
    _, alone, _ = stream(GOOD)
    _, among, _ = stream("\n".join([other, GOOD, "{}", other, GOOD]))
    assert among[1] == among[4]
    for category, value in alone[0]["impacts"].items():
        assert among[1]["impacts"][category] == pytest.approx(value)


@pytest.mark.parametrize("path", ["missing.jsonl", ".", ""])
def test_a_file_that_cannot_be_read_is_one_sentence(
    terminal: Callable[..., Any], path: str
) -> None:
    told = terminal("estimate", "--from", path)
    assert told.code == 2
    assert told.out == ""
    assert "Traceback" not in told.err
    assert len(told.err.splitlines()) == 1


# ── any JSON at all ──────────────────────────────────────────────────────────────────────────

PRICING = Pricing(Estimator(Registry(draws=64)), {}, stages=False)
field_names = st.one_of(st.sampled_from([*BY_NAME, "id"]), st.text(max_size=6))
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12),
    st.sampled_from(["gpt-4o", "llama-3.1-8b", "flux.1-dev", "FRA", "5s", "512x512", "fp8",
                     "h100-sxm", "aws:eu-west-3", 1, 10, 100, 0.5]),
)  # fmt: skip
inner = st.one_of(leaves, st.lists(leaves, max_size=2), st.dictionaries(field_names, leaves))
objects = st.dictionaries(field_names, inner, max_size=5)
texts = st.one_of(
    objects.map(json.dumps),
    st.builds(lambda more: json.dumps({"model": "gpt-4o", "out": 10, **more}), objects),
    st.builds(lambda more: json.dumps({"model": "flux.1-dev", **more}), objects),
    st.one_of(leaves, st.lists(inner, max_size=2)).map(json.dumps),
    st.text(max_size=40).map(lambda text: text.replace("\n", " ")),
    st.sampled_from(["", " ", "\t"]),
)


@given(st.lists(texts, max_size=6))
def test_any_lines_give_one_result_each_in_order(content: list[str]) -> None:
    numbered = list(enumerate(content, start=1))
    results = PRICING.price(numbered)
    kept = [(number, line) for number, line in numbered if line.strip()]
    assert len(results) == len(kept)
    for (number, line), result in zip(kept, results, strict=True):
        assert result.endswith("\n")
        (shown,) = lines_of(result.encode("utf-8", "replace").decode())
        if "error" in shown:
            assert shown["error"]["line"] == number
            assert shown["error"]["message"]
        else:
            assert all("p50" in v or "missing" in v for v in shown["impacts"].values())
            assert json.loads(line)


# ── other processes ──────────────────────────────────────────────────────────────────────────


@contextmanager
def guarded(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a process that hangs, so that its test fails instead of waiting for ever."""
    timer = threading.Timer(60, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


COMMAND = [sys.executable, "-m", "kilowhat", "estimate", "--from", "-", "--impacts-only"]


def test_standard_input_takes_any_bytes(newcomer: Path) -> None:
    content = b"\xef\xbb\xbf" + GOOD.encode() + b"\r\n\xff\xfe\n" + GOOD.encode()
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        COMMAND, input=content, capture_output=True, check=False, env=environment, cwd=newcomer
    )
    assert done.returncode == 5
    found = lines_of(done.stdout.decode("ascii", "replace"))
    assert ["error" in line for line in found] == [False, True, False]
    assert b"Traceback" not in done.stderr


def test_a_reader_that_leaves_early_is_no_error(newcomer: Path) -> None:
    lines = (GOOD.encode() + b"\n") * 3000
    (newcomer / "uses.jsonl").write_bytes(lines)
    process = subprocess.Popen(
        [*COMMAND[:5], "uses.jsonl", "--impacts-only"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=newcomer,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())["model"] == "gpt-4o"
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert said == b""


def test_control_c_leaves_whole_lines_and_130(newcomer: Path) -> None:
    """It is told to stop while it writes into a full pipe: no line may be cut."""
    (newcomer / "uses.jsonl").write_bytes((GOOD.encode() + b"\n") * 3 * CHUNK)
    process = subprocess.Popen(
        [*COMMAND[:5], "uses.jsonl", "--impacts-only"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        cwd=newcomer,
    )
    with guarded(process):
        assert process.stdout is not None
        first = process.stdout.read(100)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert err.strip() == b"Interrupted."
    found = lines_of((first + out).decode())
    assert 0 < len(found) < 3 * CHUNK
