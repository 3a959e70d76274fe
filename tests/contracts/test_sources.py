"""Logs found where the user says: each once, whatever its name, and what is no log told."""

from __future__ import annotations

import gzip
import io
import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from kilowhat.errors import InvalidValue
from kilowhat.ledger.containers import container
from kilowhat.ledger.readers import Found, Refusal, batches, dialect, discover, header

if TYPE_CHECKING:
    from pathlib import Path

LINES = b'{"model": "a"}\n{"model": "b"}\n'
TABLE = b"model,tokens\na,1\nb,2\n"
SCRAPE = b"# TYPE up gauge\nup 1\n"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


def put(folder: Path, **files: bytes) -> None:
    """Files by name, with __ for / and _ for a dot."""
    for name, data in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def names(found: Found) -> list[str]:
    return [source.name for source in found.sources]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Where


def test_a_folder_is_searched_to_the_bottom_in_order(folder: Path) -> None:
    put(folder, logs__b_jsonl=LINES, logs__a__z_csv=TABLE, logs___hidden__c_prom=SCRAPE)
    put(folder, logs___git__d_jsonl=LINES + b"{}", logs__a__notes_md=b"# Notes\n\nNone, so far.\n")
    found = discover(["logs"])
    assert names(found) == ["logs/.hidden/c.prom", "logs/a/z.csv", "logs/b.jsonl"]
    assert [source.container for source in found.sources] == ["metrics", "csv", "json"]
    assert [source.path.read_bytes() for source in found.sources] == [SCRAPE, TABLE, LINES]
    assert [source.size for source in found.sources] == [len(SCRAPE), len(TABLE), len(LINES)]
    assert found.refused == found.repeated == []


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.jsonl", ["a.jsonl"]),
        ("logs/**/*.jsonl", ["logs/.x/c.jsonl", "logs/b.jsonl"]),
        ("**", ["a.jsonl", "logs/.x/c.jsonl", "logs/b.jsonl"]),
        ("lo*", ["logs/.x/c.jsonl", "logs/b.jsonl"]),
        ("[ab].jsonl", ["a.jsonl"]),
    ],
)
def test_a_pattern_finds_each_file_once(folder: Path, pattern: str, expected: list[str]) -> None:
    put(folder, a_jsonl=LINES, logs__b_jsonl=LINES + b"{}", logs___x__c_jsonl=b"{}", n_md=b"# N")
    found = discover([pattern])
    assert sorted(names(found)) == expected
    assert found.refused == found.repeated == []


def test_a_name_with_brackets_is_a_name_first(folder: Path) -> None:
    (folder / "a[1].jsonl").write_bytes(LINES)
    assert names(discover(["a[1].jsonl"])) == ["a[1].jsonl"]


def test_the_home_folder_may_be_written_short(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    put(folder, a_jsonl=LINES)
    assert names(discover(["~/a.jsonl"])) == ["~/a.jsonl"]


@pytest.mark.parametrize("path", ["none.jsonl", "none/*.jsonl", "", "a\0b", "a.jsonl/b"])
def test_a_path_that_leads_nowhere_is_an_error(folder: Path, path: str) -> None:
    put(folder, a_jsonl=LINES)
    with pytest.raises(InvalidValue, match="is not valid"):
        discover([path])


def test_the_standard_input_is_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(gzip.compress(LINES)))
    monkeypatch.setattr(sys, "stdin", stream)
    found = discover(["-", "-"])
    (source,) = found.sources
    assert (source.name, source.container, source.compression) == ("-", "json", "gzip")
    assert "".join(batch.text for batch in batches(source, pytest.fail)) == LINES.decode().strip()
    assert found.repeated == [("-", "-")]
    assert not stream.buffer.closed


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_read_once(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    writer = threading.Thread(target=(folder / "pipe").write_bytes, args=(LINES,))
    writer.start()
    (source,) = discover(["pipe"]).sources
    writer.join()
    assert (source.name, source.path.read_bytes()) == ("pipe", LINES)


# Once


def test_a_file_named_twice_is_read_once(folder: Path) -> None:
    put(folder, logs__a_jsonl=LINES, logs__b_jsonl=LINES + b"{}")
    (folder / "link.jsonl").symlink_to(folder / "logs" / "a.jsonl")
    os.link(folder / "logs" / "a.jsonl", folder / "hard.jsonl")
    found = discover(["logs/a.jsonl", "logs", "link.jsonl", "./logs/../hard.jsonl"])
    assert names(found) == ["logs/a.jsonl", "logs/b.jsonl"]
    assert found.repeated == [
        ("logs/a.jsonl", "logs/a.jsonl"),
        ("link.jsonl", "logs/a.jsonl"),
        ("./logs/../hard.jsonl", "logs/a.jsonl"),
    ]


def test_the_same_content_is_read_once(folder: Path) -> None:
    start = LINES * 5000  # longer than what is looked at first
    put(folder, a_jsonl=start + b'{"n": 1}', b_jsonl=start + b'{"n": 2}', c_jsonl=start[:-4])
    put(folder, copy_jsonl=start + b'{"n": 2}', d_csv=TABLE, e_csv=TABLE)
    found = discover(["."])
    assert names(found) == ["a.jsonl", "b.jsonl", "c.jsonl", "d.csv"]
    assert found.repeated == [("copy.jsonl", "b.jsonl"), ("e.csv", "d.csv")]


def test_links_that_turn_in_circles_or_lead_nowhere_are_passed_over(folder: Path) -> None:
    put(folder, logs__a_jsonl=LINES)
    (folder / "logs" / "again").symlink_to(folder / "logs")
    (folder / "logs" / "gone.jsonl").symlink_to(folder / "gone")
    assert names(discover(["logs"])) == ["logs/a.jsonl"]


def test_empty_files_repeat_nothing(folder: Path) -> None:
    put(folder, a_jsonl=b"", b_jsonl=b"", c_jsonl=b" \n\n")
    found = discover(["a.jsonl", "b.jsonl", "c.jsonl"])
    assert [source.container for source in found.sources] == ["empty"] * 3
    assert all(list(batches(source, pytest.fail)) == [] for source in found.sources)
    assert (found.repeated, found.refused) == ([], [])
    assert discover(["."]) == Found([], [], [])


# What is no log


def test_what_is_no_log_is_passed_over_in_a_folder(folder: Path) -> None:
    put(folder, a_jsonl=LINES, i_png=PNG, db_sqlite=b"SQLite format 3\0\1\2", z_zip=b"PK\3\4\0\0")
    put(folder, c_toml=b'[tool]\nname = "x, y"\n', r_md=b"# Title\n\nSome, text.\nMore, text\n")
    put(folder, p_py=b"import os\n\nprint(1, 2)\n", t_txt=b"hello, world\n", m_md=b"|a|b|\n|-|-|\n")
    put(folder, l_log=b"[2025-01-01 12:00:00] INFO started\n", _a_jsonl_12_partial=LINES + b"{}")
    found = discover(["."])
    assert names(found) == ["a.jsonl"]
    assert found.refused == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (PNG, "not text"),
        (b"# Title\n\nSome, text.\n", "not JSON"),
        (b"PAR1" + b"x" * 100, "truncated"),
        (gzip.compress(b"PAR1" + b"x" * 100 + b"PAR1"), "compressed Parquet"),
        (gzip.compress(LINES)[:8], "truncated"),
        (b"\x1f\x8b" + b"\xff" * 50, "corrupt archive"),
        (gzip.compress(gzip.compress(LINES)), "not text"),
    ],
)
def test_what_is_no_log_is_refused_when_it_is_named(folder: Path, data: bytes, reason: str) -> None:
    put(folder, some_log=data, other_jsonl=LINES)
    for path in ("some.log", "some.*"):
        assert discover([path, "other.jsonl"])[1:] == ([], [Refusal("some.log", None, reason)])


def test_a_folder_says_when_what_is_called_a_log_is_none(folder: Path) -> None:
    put(folder, a_jsonl=b"<html></html>", b_csv_gz=gzip.compress(b"\0\1\2"), c_md=b"# C")
    (folder / "d.jsonl.gz").write_bytes(gzip.compress(LINES)[:8])
    found = discover(["."])
    assert {refusal.file: refusal.reason for refusal in found.refused} == {
        "a.jsonl": "not JSON",
        "b.csv.gz": "not text",
        "d.jsonl.gz": "truncated",
    }


def test_a_file_that_cannot_be_read_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, a_jsonl=LINES, b_jsonl=TABLE)

    def refuse(path: Path) -> str:
        if path.name == "a.jsonl":
            raise PermissionError(13, "Permission denied", str(path))
        return ""

    monkeypatch.setattr("kilowhat.ledger.sources.compression_of", refuse)
    found = discover(["."])
    assert found.refused == [Refusal("a.jsonl", None, "not readable")]
    assert names(found) == ["b.jsonl"]


def test_a_file_that_is_gone_when_it_is_read_is_told(folder: Path) -> None:
    put(folder, a_jsonl=LINES)
    (source,) = discover(["a.jsonl"]).sources
    source.path.unlink()
    refused: list[Refusal] = []
    assert list(batches(source, refused.append)) == []
    assert refused == [Refusal("a.jsonl", 1, "not readable")]


# What a file contains


def field(key: int, content: bytes) -> bytes:
    return bytes([key << 3 | 2, len(content)]) + content


SERVICE = field(1, field(1, b"service.name") + field(2, field(1, b"gateway")))
SPAN = field(2, field(2, field(1, bytes(range(16)))))
SPANS = field(1, field(1, SERVICE) + SPAN)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"", "empty"),
        (b" \r\n\t\n", "empty"),
        (b"PAR1\0\0", "parquet"),
        (b'{"a": 1}', "json"),
        (b'\n\n {\n  "a": 1}', "json"),
        (b"{}", "json"),
        (b"[]", "json"),
        (b'[{"a": 1}', "json"),
        (b"[1, 2]", "json"),
        (b"[\n", "json"),
        (b'"cut"}\n{"a": 1}\n{"a": 2}\n{"a": 3}\n', "json"),
        (b"started\n" + LINES, "json"),
        (b"{% block %}", ""),
        (b"{name} is here", ""),
        (b"[INFO] started\n", ""),
        (b"[2025-01-01] started\n", ""),
        (b"[tool.x]\na = 1\n", ""),
        (SCRAPE, "metrics"),
        (b'vllm:prompt_tokens_total{model="m"} 1.5e+03 1700000000000\n', "metrics"),
        (b"# HELP up Whether it is.\n# TYPE up gauge\nup NaN\n\nup +Inf\n# EOF\n", "metrics"),
        (b"# HELP me\nI am lost in the text\n", ""),
        (b"hello 5\n", ""),
        (TABLE, "csv"),
        (b"model;tokens\na;1,5\nb;2,5\n", "csv"),
        (b"a\tb\tc\n1\t2\t3\n", "csv"),
        (b'"a","b"\n"x, ""y""\nz",2\n', "csv"),
        (b"1,2\n3,4\n", ""),
        (b"a,a\n3,4\n", ""),
        (b"a\n1\n", ""),
        (b"a,b\n1\n2,3,4\n5\n", ""),
        (b"<html>\n<p>a, b</p>\n", ""),
        (SPANS, "otlp"),
        (len(SPANS).to_bytes(4, "big") + SPANS, "otlp"),
        (field(1, SPAN), "otlp"),
        ((100).to_bytes(4, "big") + b"\x28\xb5\x2f\xfd", "otlp"),
        (PNG, ""),
        (b"\x0a\x04\x08\x01\x10\x02\x12\x04", ""),  # a profile of pprof
    ],
)
def test_a_container_is_known_by_its_first_bytes(head: bytes, expected: str) -> None:
    assert container(head, is_all=True) == expected


@pytest.mark.parametrize(
    ("text", "expected", "columns"),
    [
        ("a,b;c,d\n1,2;3,4\n5,6,7\n", (",", '"'), ["a", "b;c", "d"]),
        ("model;coût\na;1,5\nb;2,5\n", (";", '"'), ["model", "coût"]),
        ("\ufeffmodel\ttokens\na\t1\n", ("\t", '"'), ["model", "tokens"]),
        ("model|tokens\na|1\n", ("|", '"'), ["model", "tokens"]),
        ('"the, model","tokens"\r\n"a",1\r\n', (",", '"'), ["the, model", "tokens"]),
        ("'the, model','tokens'\n'a',1\n", (",", "'"), ["the, model", "tokens"]),
        (",model,tokens\n0,a,1\n", (",", '"'), ["", "model", "tokens"]),
        ("model,tokens\n", (",", '"'), ["model", "tokens"]),
    ],
)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_how_a_table_is_written_is_found(
    folder: Path, text: str, expected: tuple[str, str], columns: list[str], compress: type[bytes]
) -> None:
    put(folder, a_csv=compress(text.encode()))
    (source,) = discover(["a.csv"]).sources
    assert source.container == "csv"
    assert dialect(source) == expected
    assert header(source) == columns


def test_a_long_table_is_known_though_a_cell_is_cut(folder: Path) -> None:
    put(folder, a_csv=b"model,text\n" + b'm,"' + b"x, y\n" * 100_000 + b'"\n')
    (source,) = discover(["a.csv"]).sources
    assert header(source) == ["model", "text"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_table_in_another_encoding_is_given_in_utf_8(folder: Path, encoding: str) -> None:
    put(folder, a_csv="model;équipe\na;1\n".encode(encoding))
    (source,) = discover(["a.csv"]).sources
    assert source.path.read_bytes().decode() == "model;équipe\na;1\n"
    assert (source.name, header(source)) == ("a.csv", ["model", "équipe"])


def test_metrics_are_read_as_one_record_a_sample(folder: Path) -> None:
    put(folder, a_prom=b'# scrape_time 1700000000\nvllm:prompt_tokens_total{model_name="m"} 12\n')
    (source,) = discover(["a.prom"]).sources
    ((first, text),) = batches(source, pytest.fail)
    assert first == 1
    assert '"vllm:prompt_tokens_total"' in text
    assert '"time": 1700000000.0' in text


def test_metrics_that_cannot_be_read_are_refused_by_line(folder: Path) -> None:
    sample = b'vllm:prompt_tokens_total{model_name="m"} 12\n'
    put(folder, a_prom=sample + b"\n\n" + b"vllm:prompt_tokens_total 1x2\n" + sample)
    (source,) = discover(["a.prom"]).sources
    refused: list[Refusal] = []
    assert sum(batch.text.count("prompt") for batch in batches(source, refused.append)) == 2
    assert [(refusal.file, refusal.line) for refusal in refused] == [("a.prom", 4)]
