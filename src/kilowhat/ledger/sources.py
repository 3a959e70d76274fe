"""The logs among the files, folders and patterns that a user names, each of them once."""

from __future__ import annotations

import glob
import hashlib
import os
import sys
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kilowhat.errors import InvalidValue
from kilowhat.language import mark, translate
from kilowhat.ledger.containers import HEAD, container, dialect, is_text
from kilowhat.ledger.files import (
    BLOCK,
    PARTIAL,
    TRUNCATED,
    UNREADABLE,
    Content,
    compression_of,
    spooled,
)
from kilowhat.ledger.json_values import NOT_JSON

if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_TEXT, COMPRESSED = "not text", "compressed Parquet"
_LEAST_PARQUET = 12  # bytes: its mark twice, and the size of its footer
_LOGS = (".jsonl", ".ndjson", ".parquet", ".csv", ".tsv")  # one that is none is refused aloud


@dataclass(frozen=True, slots=True)
class Source:
    """One file to read.

    Attributes:
        path: where it is.
        name: as shown to the user: what they typed, and the way from there.
        container: "json", "csv", "parquet", "otlp" (protobuf), "metrics" (Prometheus text) or
            "empty".
        compression: "", "gzip" or "zstd".
        size: bytes on the disk [B].
    """

    path: Path
    name: str
    container: str
    compression: str
    size: int


class Refusal(NamedTuple):
    """What could not be read: the file, the number of the record if it is one, the reason."""

    file: str
    line: int | None
    reason: str


class Found(NamedTuple):
    """The files to read, those that repeat one (with its name), and those that are no logs."""

    sources: list[Source]
    repeated: list[tuple[str, str]]
    refused: list[Refusal]


class _Candidate(NamedTuple):
    path: Path
    name: str
    is_named: bool  # by the user, and not come upon in a folder


def discover(paths: Sequence[str]) -> Found:
    """The logs in files, folders (with all those within), globs, and "-", the standard input.

    Each is listed once, whatever its names. In a folder, files that are no logs are passed over,
    and so are links to folders.

    Raises:
        InvalidValue: a path that does not exist, or a glob that matches nothing.
        MissingExtra: a file compressed with zstd, which needs a package before Python 3.14.
    """
    search = _Search()
    for path in paths:
        try:
            search.look(path)
        except OSError:
            search.found.refused.append(Refusal(path, None, UNREADABLE))
    return search.found


class _Search:
    """The files found so far, and what tells whether another is one of them."""

    def __init__(self) -> None:
        self.found = Found([], [], [])
        self._spooled: dict[str, Path] = {}  # what can be read but once
        self._places: dict[tuple[int, int], str] = {}  # by device and inode
        self._alike: dict[tuple[int, bytes], list[Source]] = {}  # by size and beginning

    def look(self, typed: str) -> None:
        """List the files that the user means by a path."""
        path = Path(typed).expanduser()
        if typed == "-" or (path.exists() and not path.is_file() and not path.is_dir()):
            self._add(_Candidate(self._spool(typed), typed, is_named=True))
        elif typed and path.is_dir():
            self._walk(path, typed)
        elif typed and path.is_file():
            self._add(_Candidate(path, typed, is_named=True))
        elif glob.has_magic(typed):
            self._glob(typed)
        else:
            expected = translate(mark("the name of a file or folder that exists"))
            raise InvalidValue(name="path", value=typed, expected=expected)

    def _spool(self, typed: str) -> Path:
        """The standard input or a pipe, as a file."""
        if typed not in self._spooled:
            with nullcontext(sys.stdin.buffer) if typed == "-" else Path(typed).open("rb") as all_:
                self._spooled[typed] = spooled(iter(lambda: all_.read(BLOCK), b""))
        return self._spooled[typed]

    def _glob(self, typed: str) -> None:
        pattern = str(Path(typed).expanduser())
        matches = glob.glob(pattern, recursive=True, include_hidden=True)  # noqa: PTH207 - hidden
        if not matches:
            expected = translate(mark("a pattern that matches a file"))
            raise InvalidValue(name="path", value=typed, expected=expected)
        is_named = Path(typed).name not in {"*", "**"}
        seen: set[str] = set()  # ** matches a folder, and what is in it
        for match in sorted(matches):
            path = Path(match)
            if path.is_dir():
                self._walk(path, match, seen)
            elif path.is_file() and ".git" not in path.parts and _is_new(match, seen):
                self._add(_Candidate(path, match, is_named))

    def _walk(self, folder: Path, typed: str, seen: set[str] | None = None) -> None:
        """List the logs of a folder."""
        if folder.name == ".git":
            return
        names: list[str] = []
        for within, folders, files in os.walk(folder, onerror=self._cannot_read):
            folders[:] = [each for each in folders if each != ".git"]
            names += [os.path.join(within, file) for file in files]  # noqa: PTH118 - many
        for name in sorted(names):
            path = Path(name)
            shown = str(Path(typed) / path.relative_to(folder))
            if path.is_file() and not PARTIAL.fullmatch(path.name) and _is_new(name, seen):
                self._add(_Candidate(path, shown, is_named=False))

    def _cannot_read(self, error: OSError) -> None:
        self.found.refused.append(Refusal(str(error.filename), None, UNREADABLE))

    def _add(self, candidate: _Candidate) -> None:
        """List a file, unless it is no log or is listed already."""
        try:
            about = candidate.path.stat()
            place = (about.st_dev, about.st_ino)
            if place in self._places:
                self.found.repeated.append((candidate.name, self._places[place]))
            elif self._identify(candidate, about.st_size):
                self._places[place] = candidate.name
        except OSError:
            self._refuse(candidate, UNREADABLE)

    def _refuse(self, candidate: _Candidate, reason: str) -> None:
        self.found.refused.append(Refusal(candidate.name, None, reason))

    def _identify(self, candidate: _Candidate, size: int) -> bool:
        """List a file if it is a log that is not listed; whether it is one."""
        path, name, is_named = candidate
        compression = compression_of(path)
        content = Content(path, compression, block=HEAD)
        head, is_all = beginning(content, HEAD)
        if content.damage and not head:
            self._refuse(candidate, content.damage)
            return False
        kind = container(head, is_all=is_all)
        if kind == "csv" and not is_named and not _has_rows(head, is_all=is_all):
            kind = ""
        if not kind:
            if is_named or _suffix(path) in _LOGS:
                self._refuse(candidate, NOT_JSON if is_text(head) else NOT_TEXT)
            return False
        if kind == "parquet" and (compression or not _has_footer(path)):
            self._refuse(candidate, COMPRESSED if compression else TRUNCATED)
            return False
        source = Source(path, name, kind, compression, size)
        if kind != "empty" and (known := self._same(source, head)):
            self.found.repeated.append((name, known.name))
        elif kind != "empty" or is_named:
            in_utf8 = kind != "csv" or content.encoding == "utf-8"
            self.found.sources.append(source if in_utf8 else _in_utf8(source))
        return True

    def _same(self, source: Source, head: bytes) -> Source | None:
        """The file, listed already, that holds the same bytes."""
        alike = self._alike.setdefault((source.size, hashlib.blake2b(head).digest()), [])
        if alike:
            digest = _digest(source.path)
            for other in alike:
                if _digest(other.path) == digest:
                    return other
        alike.append(source)
        return None


def _is_new(name: str, seen: set[str] | None) -> bool:
    if seen is None:
        return True
    real = os.path.realpath(name)
    if real in seen:
        return False
    seen.add(real)
    return True


def _suffix(path: Path) -> str:
    """What the name says that a file is, but for its compression."""
    plain = path.with_suffix("") if path.suffix in {".gz", ".zst", ".zstd"} else path
    return plain.suffix.lower()


def _has_rows(head: bytes, *, is_all: bool) -> bool:
    """Whether a table has more than a header, which a line of prose may look like."""
    table = dialect(head, is_all=is_all)
    return table is not None and table.rows > 1


def _has_footer(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        return file.read() == b"PAR1" and file.tell() >= _LEAST_PARQUET


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()


def _in_utf8(source: Source) -> Source:
    """A copy of a table in UTF-8, as the engine reads it."""
    path = spooled(Content(source.path, source.compression))
    return replace(source, path=path, compression="", size=path.stat().st_size)


def beginning(content: Content, size: int) -> tuple[bytes, bool]:
    """The first bytes of a file, and whether they are all."""
    head = b""
    with closing(iter(content)) as pieces:
        for piece in pieces:
            head += piece
            if len(head) > size:
                break
    return head[:size], len(head) <= size and not content.damage
