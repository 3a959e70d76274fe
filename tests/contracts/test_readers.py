"""Logs read as records: the same ones whatever the layout, the encoding, the compression."""

from __future__ import annotations

import gzip
import importlib
import json
import sys
import tracemalloc
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kilowhat.errors import MissingExtra
from kilowhat.ledger import files, json_values
from kilowhat.ledger.readers import Refusal, Source, batches, discover, first_records

if TYPE_CHECKING:
    from collections.abc import Callable

ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
EXAMPLES = 30


def zstd() -> Any:
    return pytest.importorskip(ZSTD, reason="zstd comes with the extra [account]")


def _has(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.compress,
    "zstd": lambda data: bytes(zstd().compress(data)),
}
COMPRESSIONS = [name for name in PACK if name != "zstd" or _has(ZSTD)]


class Read(NamedTuple):
    records: list[tuple[int, str]]
    refused: list[tuple[int | None, str]]

    @property
    def values(self) -> list[Any]:
        return [json.loads(text) for _, text in self.records]


class Desk:
    """Writes files and reads them as records."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "log"

    def source(self, data: bytes, compression: str = "", container: str = "json") -> Source:
        packed = PACK[compression](data)
        self.path.write_bytes(packed)
        return Source(self.path, "log", container, compression, len(packed))

    def read(self, data: bytes, compression: str = "", *, block: int = 1 << 20) -> Read:
        return self.read_source(self.source(data, compression), block=block)

    def read_source(self, source: Source, *, block: int = 1 << 20) -> Read:
        refused: list[Refusal] = []
        consumed: list[int] = []
        found = []
        for first, text in batches(source, refused.append, consumed.append, block_bytes=block):
            for place, record in enumerate(text.split("\n")):
                if record:
                    assert record.strip()
                    found.append((first + place, record))
        if not any(refusal.reason in {"archive bomb", "corrupt archive"} for refusal in refused):
            assert sum(consumed) == source.size
        assert all(refusal.file == source.name for refusal in refused)
        return Read(found, [(refusal.line, refusal.reason) for refusal in refused])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("logs"))


def small(monkeypatch: pytest.MonkeyPatch, record: int = 100, document: int = 1000) -> None:
    monkeypatch.setattr(json_values, "LONGEST_RECORD", record)
    monkeypatch.setattr(json_values, "LONGEST_DOCUMENT", document)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['"', "\\", '\\"', "{", "}", "[{]", "\\\\", "a\nb", "\u2028", "},\n{", "é", "\0", ","]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars.filter(lambda x: x not in (float("inf"), float("-inf"))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(texts, values, max_size=4)
blocks = st.sampled_from([1, 2, 3, 7, 16, 64, 1000, 1 << 20])
compressions = st.sampled_from(COMPRESSIONS)
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"])
styles = st.sampled_from(
    [{}, {"ensure_ascii": False}, {"separators": (",", ":")}, {"indent": 2}, {"indent": 0}]
)
newlines = st.sampled_from(["\n", "\r\n"])
blanks = st.sampled_from(["", "", "", "\n", " \n", "\t\r\n\n"])


def dumped(value: object, style: dict[str, Any], newline: str = "\n") -> str:
    return json.dumps(value, **style).replace("\n", newline)


# What comes out is what went in


@settings(max_examples=EXAMPLES)
@given(objects, st.lists(st.tuples(values, blanks)), styles, newlines, encodings, compressions,
       blocks, st.booleans())  # fmt: skip
def test_lines_come_out_with_their_numbers(
    desk: Desk,
    first: dict[str, Any],
    more: list[tuple[Any, str]],
    style: dict[str, Any],
    newline: str,
    encoding: str,
    compression: str,
    block: int,
    ends: bool,
) -> None:
    style = {name: of for name, of in style.items() if name != "indent"}
    text, expected = "", []
    for value, blank in [(first, ""), *more]:
        text += blank
        expected.append((text.count("\n") + 1, value))
        text += dumped(value, style) + newline
    text = text if ends else text.removesuffix(newline)
    read = desk.read(text.encode(encoding), compression, block=block)
    assert [(line, json.loads(record)) for line, record in read.records] == expected
    assert read.refused == []


@settings(max_examples=EXAMPLES)
@given(st.lists(values), styles, newlines, encodings, compressions, blocks)
def test_elements_of_an_array_come_out_in_order(
    desk: Desk,
    all_: list[Any],
    style: dict[str, Any],
    newline: str,
    encoding: str,
    compression: str,
    block: int,
) -> None:
    read = desk.read(dumped(all_, style, newline).encode(encoding), compression, block=block)
    assert read.values == all_
    assert [number for number, _ in read.records] == list(range(1, len(all_) + 1))
    assert read.refused == []


@settings(max_examples=EXAMPLES)
@given(st.lists(objects, min_size=1), st.sampled_from([0, 2, 4, "\t"]), newlines, compressions,
       blocks)  # fmt: skip
def test_documents_that_span_lines_come_out_whole(
    desk: Desk, all_: list[Any], indent: int | str, newline: str, compression: str, block: int
) -> None:
    text, expected = "", []
    for value in all_:
        expected.append((text.count("\n") + 1, value))
        text += dumped(value, {"indent": indent}, newline) + newline
    read = desk.read(text.encode(), compression, block=block)
    assert [(line, json.loads(record)) for line, record in read.records] == expected
    assert read.refused == []


@settings(max_examples=EXAMPLES)
@given(st.lists(objects, min_size=2), blocks)
def test_documents_without_anything_between_come_out_one_by_one(
    desk: Desk, all_: list[Any], block: int
) -> None:
    read = desk.read("".join(map(json.dumps, all_)).encode(), block=block)
    assert read.values == all_
    assert [number for number, _ in read.records] == list(range(1, len(all_) + 1))


@settings(max_examples=EXAMPLES)
@given(st.lists(st.lists(values), min_size=1), blocks)
def test_arrays_one_after_another_are_one_list(
    desk: Desk, all_: list[list[Any]], block: int
) -> None:
    read = desk.read("\n".join(map(json.dumps, all_)).encode(), block=block)
    assert read.values == [value for array in all_ for value in array]
    assert read.refused == []


@pytest.mark.parametrize("member", ["data", "resourceSpans"])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_document_with_one_long_list_stays_whole(
    desk: Desk, member: str, indent: int | None
) -> None:
    document = {"object": "page", member: [{"a": n, "b": [{}]} for n in range(50_000)]}
    read = desk.read(json.dumps(document, indent=indent).encode())
    assert read.values == [document]
    assert [number for number, _ in read.records] == [1]


def test_a_document_on_one_line_may_be_longer_than_a_line(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch, 1 << 20, 4 << 20)
    document = {"data": [{"model": "m", "tokens": n} for n in range(60_000)]}
    text = json.dumps(document).encode()
    assert 1 << 20 < len(text) < 4 << 20
    assert desk.read(text + b"\n\n").values == [document]
    assert desk.read(text + b'\n{"a":1}').refused == [(1, "line too long")]
    assert desk.read(text + b'\n{"a":1}').values == [{"a": 1}]
    assert desk.read(json.dumps({"data": [document] * 3}).encode()).refused == [
        (1, "line too long")
    ]


@settings(max_examples=EXAMPLES)
@given(st.lists(objects), blocks, compressions)
def test_members_of_an_archive_are_read_on(
    desk: Desk, all_: list[Any], block: int, compression: str
) -> None:
    lines = [json.dumps(value).encode() + b"\n" for value in [{}, *all_]]
    source = desk.source(b"", compression)
    pack = PACK[compression]
    desk.path.write_bytes(b"".join(map(pack, lines)) + b"\0" * 100 * (compression == "gzip"))
    source = Source(desk.path, "log", "json", compression, desk.path.stat().st_size)
    assert desk.read_source(source, block=block).values == [{}, *all_]


@pytest.mark.skipif("zstd" not in COMPRESSIONS, reason="zstd comes with the extra [account]")
def test_frames_that_hold_nothing_are_passed_over(desk: Desk) -> None:
    aside = b"\x52\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    desk.path.write_bytes(aside + PACK["zstd"](b'{"a": 1}\n') + aside + PACK["zstd"](b"{}"))
    (source,) = discover([str(desk.path)]).sources
    assert source.compression == "zstd"
    assert desk.read_source(source).values == [{"a": 1}, {}]


def test_zstd_without_its_package_says_what_to_install(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.path.write_bytes(b"\x28\xb5\x2f\xfd" + b"\0" * 20)
    monkeypatch.setitem(sys.modules, ZSTD, None)
    with pytest.raises(MissingExtra, match=r"pip install 'kilowhat\[account\]'"):
        discover([str(desk.path)])


def test_bytes_that_are_no_text_are_replaced(desk: Desk) -> None:
    read = desk.read(b'{"a": "\xff"}\n{"b": 1}\0\0\n\0\0\0\n{"c": 2}')
    assert read.records[0] == (1, '{"a": "\ufffd"}')
    assert read.records[1] == (2, '{"b": 1}\ufffd\ufffd')  # which the engine refuses as no JSON
    assert read.records[3] == (4, '{"c": 2}')


def test_short_lines_are_lines_wherever_the_look_at_them_ends(desk: Desk) -> None:
    for data in (b"{}\n" * 500_000, b'{"a":1}\n' * 200_000, b'{"a":{}}\n' * 200_000):
        read = desk.read(data + b"\n{}")
        assert read.records[-1] == (data.count(b"\n") + 2, "{}")
        assert len(read.records) == data.count(b"\n") + 1


def test_the_first_records_are_given_for_a_look(desk: Desk) -> None:
    lines = [json.dumps({"n": n}) for n in range(1000)]
    source = desk.source("\n\n".join(lines).encode(), "gzip")
    assert first_records(source, 3) == lines[:3]
    assert first_records(source) == lines[:100]
    assert first_records(desk.source(b"[" + ",".join(lines).encode()), 1000) == lines
    assert first_records(desk.source(b"", container="empty")) == []


def test_a_table_is_not_read_as_records(desk: Desk) -> None:
    with pytest.raises(ValueError, match="log is a table"):
        list(batches(desk.source(b"a,b\n1,2\n", container="csv"), lambda _: None))


SPANS = Path(__file__).parent / "logs" / "otel" / "sample-official.binpb"


@pytest.mark.parametrize("compression", ["", "gzip"])
def test_spans_come_out_up_to_where_they_are_cut_off(desk: Desk, compression: str) -> None:
    pytest.importorskip("opentelemetry.proto.trace.v1.trace_pb2", reason="needs [account]")
    whole = SPANS.read_bytes()
    all_ = desk.read_source(desk.source(whole, compression, "otlp"))
    assert all_.values
    assert all("resourceSpans" in value for value in all_.values)
    assert all_.refused == []
    packed = PACK[compression](whole)
    for cut in range(30, len(packed), len(packed) // 20):
        desk.path.write_bytes(packed[:cut])
        read = desk.read_source(Source(desk.path, "log", "otlp", compression, cut))
        assert len(read.records) <= len(all_.records)
        if compression:
            assert [reason for _, reason in read.refused] == ["truncated"]
        else:
            assert {reason for _, reason in read.refused} <= {"truncated"}


# What is damaged


@settings(max_examples=EXAMPLES)
@given(st.lists(objects, min_size=1), styles, st.data(), compressions, blocks)
def test_an_array_cut_off_gives_what_is_whole(
    desk: Desk, all_: list[Any], style: dict[str, Any], data: st.DataObject, compression: str,
    block: int,
) -> None:  # fmt: skip
    parts = [dumped(value, style).encode() for value in all_]
    text = b"[" + b", ".join(parts)
    cut = data.draw(st.integers(2, len(text)))
    read = desk.read(text[:cut], compression, block=block)
    ends = [1 + len(b", ".join(parts[: n + 1])) for n in range(len(parts))]
    whole = sum(end <= cut for end in ends)
    assert read.values == all_[:whole]
    assert read.refused == [(whole + 1, "truncated")]


@settings(max_examples=EXAMPLES)
@given(st.lists(objects.filter(bool), min_size=1), st.data(), blocks)
def test_documents_cut_off_give_what_is_whole(
    desk: Desk, all_: list[Any], data: st.DataObject, block: int
) -> None:
    parts = [dumped(value, {"indent": 2}) for value in all_]
    last = data.draw(st.integers(2, len(parts[-1]) - 1))
    text = "\n".join([*parts[:-1], parts[-1][:last]])
    read = desk.read(text.encode(), block=block)
    assert read.values == all_[:-1]
    assert [reason for _, reason in read.refused] == ["truncated"]


@pytest.mark.parametrize("compression", [name for name in COMPRESSIONS if name])
@pytest.mark.parametrize("layout", ["lines", "array", "documents"])
def test_an_archive_cut_off_gives_what_is_whole(desk: Desk, compression: str, layout: str) -> None:
    all_ = [{"n": n, "noise": zlib.crc32(b"%d" % n)} for n in range(5000)]
    text = {
        "lines": "\n".join(map(json.dumps, all_)),
        "array": json.dumps(all_),
        "documents": "\n".join(json.dumps(value, indent=1) for value in all_),
    }[layout]
    packed = PACK[compression](text.encode())
    desk.path.write_bytes(packed[: len(packed) // 2])
    source = Source(desk.path, "log", "json", compression, len(packed) // 2)
    read = desk.read_source(source)
    assert read.values == all_[: len(read.values)]
    assert compression == "zstd" or len(read.values) > 1000  # zstd writes blocks of 128 KiB
    ((line, reason),) = read.refused
    assert reason == "truncated"
    assert line is not None
    assert line > (read.records[-1][0] if read.records else 0)


@pytest.mark.parametrize("compression", [name for name in COMPRESSIONS if name])
def test_a_corrupt_archive_gives_what_came_before(desk: Desk, compression: str) -> None:
    good = PACK[compression](b'{"n": 1}\n{"n": 2}\n')
    bad = bytearray(PACK[compression](b'{"n": 3}\n' * 1000))
    bad[4:] = b"\xee" * (len(bad) - 4)
    for rest in (bytes(bad), b"what is this?"):
        desk.path.write_bytes(good + rest)
        source = Source(desk.path, "log", "json", compression, len(good + rest))
        read = desk.read_source(source)
        assert read.values == [{"n": 1}, {"n": 2}]
        assert read.refused == [(3, "corrupt archive")]


@pytest.mark.parametrize("compression", [name for name in COMPRESSIONS if name])
def test_the_rest_of_an_archive_bomb_is_refused(
    desk: Desk, compression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BOMB_BYTES", 1 << 20)
    monkeypatch.setattr(files, "BOMB_RATIO", 100)
    data = b'{"n": 1}\n' + b'{"n": 2}\n' * 1_000_000
    source = desk.source(data, compression)
    assert len(data) > 100 * source.size
    read = desk.read_source(source)
    assert 10_000 < len(read.records) < 1_000_000
    assert [reason for _, reason in read.refused] == ["archive bomb"]
    monkeypatch.setattr(files, "BOMB_BYTES", 1 << 30)
    assert len(desk.read_source(source).records) == 1_000_001


@pytest.mark.parametrize("block", [1, 10, 1000])
def test_a_line_that_is_too_long_is_refused_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    small(monkeypatch)
    just, over = '{"a": "%s"}' % ("x" * 91), '{"a": "%s"}' % ("x" * 92)  # 100 bytes, 101 bytes
    read = desk.read("\n".join(["{}", over, just, "", over, "{}", over]).encode(), block=block)
    assert [line for line, _ in read.records] == [1, 3, 6]
    assert read.refused == [(line, "line too long") for line in (2, 5, 7)]


@pytest.mark.parametrize("block", [1, 10, 1000])
@pytest.mark.parametrize("newline", ["", "\n"])
def test_an_element_that_is_too_long_is_refused_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, block: int, newline: str
) -> None:
    small(monkeypatch)
    long = json.dumps([[{"a": "x" * 20}, {"b": "\\"}] * 5])
    array = f"[{newline}" + f",{newline}".join(["{}", long, '"' + "y" * 200 + '"', "{}"]) + "]"
    read = desk.read(array.encode(), block=block)
    assert [line for line, _ in read.records] == [1, 4]
    assert read.refused == [(2, "line too long"), (3, "line too long")]


def test_a_document_that_is_too_long_is_refused_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch)
    long, fits = {"a": ["x"] * 300}, {"b": ["x"] * 100}
    text = "\n".join(json.dumps(value, indent=1) for value in (fits, long, fits))
    read = desk.read(text.encode(), block=50)
    assert read.values == [fits, fits]
    assert read.refused == [(105, "line too long")]


GOOD = {"model": "m", "usage": {"n": 1}}


@pytest.mark.parametrize("block", [1, 5, 1000])
@pytest.mark.parametrize(
    "bad", ['{"a": "cut', '{"a": {"b": 1}', '{"a": [1}', '{"a":', '{"a": "x" "b"}}', "nonsense"]
)
@pytest.mark.parametrize("indent", [None, 2])
def test_elements_on_their_own_lines_survive_one_that_is_damaged(
    desk: Desk, bad: str, block: int, indent: int | None
) -> None:
    good = json.dumps(GOOD, indent=indent).replace("\n", "\n ")
    read = desk.read(f"[\n {good},\n {bad},\n {good},\n {good}\n]\n".encode(), block=block)
    unread = [text for _, text in read.records if "usage" not in text]
    assert [text for _, text in read.records if text not in unread] == [good.replace("\n", " ")] * 3
    assert len(unread) + len(read.refused) >= 1
    assert {reason for _, reason in read.refused} <= {"not JSON"}


@pytest.mark.parametrize("block", [1, 5, 1000])
@pytest.mark.parametrize(
    "bad", ['{"a": "cut', '{"a": {"b": 1}', '{"a": [1}', '{"a":', "nonsense", "456}}", ""]
)
def test_lines_survive_a_first_one_that_is_damaged(desk: Desk, bad: str, block: int) -> None:
    good = json.dumps(GOOD)
    read = desk.read(f"{bad}\n{good}\n{good}\n".encode(), block=block)
    assert [line for line, text in read.records if text == good] == [2, 3]
    told = [line for line, text in read.records if text != good] + [n for n, _ in read.refused]
    assert told == [1] * bool(bad)


@pytest.mark.parametrize("block", [1, 5, 1000])
@pytest.mark.parametrize("bad", ['{\n  "a": "cut', '{\n  "a": [', '{\n "a": 1]', '{\n  "a":'])
def test_documents_survive_one_that_is_damaged(desk: Desk, bad: str, block: int) -> None:
    good = json.dumps(GOOD, indent=2)
    read = desk.read(f"{good}\n{bad}\n{good}\n{good}\n".encode(), block=block)
    assert [value for value in read.values if value == GOOD] == [GOOD] * 3
    assert [reason for _, reason in read.refused] == ["not JSON"]
    assert [line for line, _ in read.refused] == [7]
    assert [line for line, text in read.records if "usage" in text] == [1, 9, 15]


@given(st.text(st.sampled_from('{}[]",:\\\n ax1'), max_size=60), blocks)
@settings(max_examples=300)
def test_no_text_stops_the_reading_and_the_block_does_not_matter(
    desk: Desk, text: str, block: int
) -> None:
    whole = desk.read(text.encode())
    cut = desk.read(text.encode(), block=block)
    if text.lstrip()[:1] in ("{", ""):  # lines or documents: numbers are those of lines
        last = text.count("\n") + 1
        assert all(number >= 1 for number, _ in whole.records)
        assert len(whole.records) + len(whole.refused) <= max(last, len(text))
    assert [n for n, _ in whole.records] == sorted(n for n, _ in whole.records)
    if text.strip():
        assert cut.records or cut.refused or set(text) <= set("[], \n")
        assert whole.records or whole.refused or set(text) <= set("[], \n")


# Bounded memory

MIB = 1 << 20


class Measured(NamedTuple):
    memory: float  # the most that was held at once [MiB]
    records: int
    reasons: set[str]


def measured(path: Path, *members: tuple[bytes, int]) -> Measured:
    """The reading of an archive that is cheap to write: each member is repeated so often."""
    path.write_bytes(b"".join(gzip.compress(member, 9) * times for member, times in members))
    source = Source(path, "log", "json", "gzip", path.stat().st_size)
    refused: list[Refusal] = []
    tracemalloc.start()
    try:
        records = sum(
            sum(map(bool, batch.text.split("\n"))) for batch in batches(source, refused.append)
        )
        memory = tracemalloc.get_traced_memory()[1] / MIB
    finally:
        tracemalloc.stop()
    return Measured(memory, records, {refusal.reason for refusal in refused})


def test_what_is_held_is_measured(tmp_path: Path) -> None:
    ends = [(b'{"a": "', 1), (b'"}\n', 1)]
    read = measured(tmp_path / "log", ends[0], (b"x" * MIB, 12), ends[1])
    assert read.records == 1
    assert 12 < read.memory < 80


def test_a_line_of_a_gigabyte_is_never_held(tmp_path: Path) -> None:
    read = measured(
        tmp_path / "log",
        (b'{"good": 1}\n{"a": "', 1),
        (b"x" * (16 * MIB), 60),
        (b'"}\n{"good": 2}\n', 1),
    )
    assert read[1:] == (2, {"line too long"})
    assert read.memory < 24


@pytest.mark.parametrize(
    ("start", "filler", "longest"),
    [
        (b'[{"a": 1}, {"b": "', b"x", 16 * MIB),
        (b'[{"a": 1}, [', b'1, "a", {"b": "c"},'.ljust(2048), 16 * MIB),
        (b'[{"a": 1}, ', b"[", MIB // 16),
        (b'{"b": "', b"x", 16 * MIB),
    ],
)
def test_a_value_without_end_is_never_held(
    tmp_path: Path,
    start: bytes,
    filler: bytes,
    longest: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_values, "LONGEST_RECORD", longest)
    block = filler * (longest // 4 // len(filler))
    read = measured(tmp_path / "log", (start, 1), (block, 32))
    assert read[1:] == (start.startswith(b"["), {"line too long"})
    assert read.memory < (24 if longest > MIB else 5)


def test_a_document_is_held_within_its_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_values, "LONGEST_DOCUMENT", 20 * MIB)
    start, part = b'{\n"data": [', b'"%s",\n' % (b"x" * 1020)
    fits = measured(tmp_path / "log", (start, 1), (part * 1024, 18), (b"1]}", 1))
    assert fits[1:] == (1, set())
    assert fits.memory < 18 * 2 + 24
    exceeds = measured(tmp_path / "log", (start, 1), (part * 1024, 80), (b"1]}", 1))
    assert exceeds[1:] == (0, {"line too long"})
    assert exceeds.memory < 20 + 12


def test_an_archive_bomb_is_stopped_within_bounds(tmp_path: Path) -> None:
    path = tmp_path / "log"
    read = measured(path, (b'{"a": 1}\n', 1), (b"x" * (16 * MIB), 80))
    assert path.stat().st_size * 1000 < 80 * 16 * MIB
    assert read[1:] == (1, {"archive bomb"})
    assert read.memory < 24
