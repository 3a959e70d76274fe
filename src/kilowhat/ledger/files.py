"""Files read in pieces, whatever compresses or encodes them, and files replaced all at once."""

from __future__ import annotations

import atexit
import codecs
import importlib
import io
import os
import re
import shutil
import sys
import tempfile
import zlib
from contextlib import contextmanager, suppress
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kilowhat.errors import InvalidValue, MissingExtra
from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

BLOCK = 1 << 20  # bytes that are read, or expanded, at a time
BOMB_RATIO, BOMB_BYTES = 1000, 1 << 30  # beyond both, the rest of an archive is refused
TRUNCATED, CORRUPT, BOMB = "truncated", "corrupt archive", "archive bomb"
UNREADABLE = "not readable"

_COMPRESSED_BYTES = 1 << 16  # read at a time: what follows a member's end is copied once a member
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_ZSTD_ASIDE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")  # a frame that decoders skip
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as UTF-16 does: it goes first
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LONGEST_MARK = 4


class _Damaged(Exception):
    """The rest of a file cannot be had; the argument is the reason."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gunzip:
    """One member of a gzip file, with the interface of the other decompressors of Python."""

    def __init__(self) -> None:
        self._engine = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._engine.eof

    @property
    def needs_input(self) -> bool:
        return not (self._full or self._engine.unconsumed_tail)

    @property
    def unused_data(self) -> bytes:
        return self._engine.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        expanded = self._engine.decompress(self._engine.unconsumed_tail + data, max_length)
        self._full = len(expanded) == max_length
        return expanded


class Content:
    """The bytes of a file, expanded, in UTF-8 without a byte order mark, in pieces.

    Iterate once. What could not be had is told by `damage` at the end: "" when all was well.
    How it was encoded is told by `encoding`.

    Args:
        path: the file.
        compression: "", "gzip" or "zstd".
        advance: told how many bytes of the file were read, each time.
        block: the most bytes that are read or expanded at a time.
    """

    def __init__(
        self,
        path: Path,
        compression: str,
        advance: Callable[[int], None] = lambda _: None,
        *,
        block: int = BLOCK,
    ) -> None:
        self.damage, self.encoding = "", "utf-8"
        self._path, self._compression = path, compression
        self._advance, self._block = advance, block

    def __iter__(self) -> Generator[bytes, None, None]:
        """The pieces, none of them empty."""
        pieces = self._expanded()
        start = b""
        for piece in pieces:
            start += piece
            if len(start) >= _LONGEST_MARK:
                break
        for order, encoding in _ENCODINGS:
            if start.startswith(order):
                start, self.encoding = start[len(order) :], encoding
                break
        if self.encoding != "utf-8":
            yield from _transcoded(chain((start,), pieces), self.encoding)
            return
        if start:
            yield start
        yield from pieces

    def stream(self) -> io.BufferedReader:
        """The same as a file open for reading."""
        return io.BufferedReader(_Stream(iter(self)), self._block)

    def _expanded(self) -> Iterator[bytes]:
        try:
            with self._path.open("rb", buffering=0) as file:
                if self._compression:
                    size = os.fstat(file.fileno()).st_size
                    yield from self._members(self._pieces(file, _COMPRESSED_BYTES), size)
                else:
                    yield from self._pieces(file, self._block)
        except _Damaged as damage:
            self.damage = str(damage)
        except OSError:
            self.damage = UNREADABLE

    def _pieces(self, file: io.FileIO, size: int) -> Iterator[bytes]:
        while piece := file.read(size):
            self._advance(len(piece))
            yield piece

    def _members(self, pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
        """What the members (or frames) expand to, one after another."""
        new, error = _decompressor(self._compression)
        member: _Decompressor | None = None
        expanded = 0
        for piece in pieces:
            rest = piece
            while rest or (member and not member.needs_input):
                if member is None:
                    rest = rest.lstrip(b"\0")  # padding between members, or after the last
                    member = new() if rest else None
                    continue
                try:
                    found = member.decompress(rest, self._block)
                except error:
                    raise _Damaged(CORRUPT) from None
                rest = b""
                expanded += len(found)
                if expanded > max(BOMB_BYTES, BOMB_RATIO * size):
                    raise _Damaged(BOMB)
                if found:
                    yield found
                if member.eof:
                    rest, member = member.unused_data, None
        if member is not None:
            raise _Damaged(TRUNCATED)


def _transcoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in pieces:
        if text := decoder.decode(piece):
            yield text.encode("utf-8", "replace")
    if text := decoder.decode(b"", final=True):
        yield text.encode("utf-8", "replace")


class _Stream(io.RawIOBase):
    """Pieces as a raw file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _decompressor(compression: str) -> tuple[Callable[[], _Decompressor], type[Exception]]:
    if compression == "gzip":
        return _Gunzip, zlib.error
    zstd = _zstd()
    return zstd.ZstdDecompressor, zstd.ZstdError


def _zstd() -> Any:
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtra(package=name, extra="account") from None


def compression_of(path: Path) -> str:
    """How a file is compressed, by its first bytes: "", "gzip" or "zstd".

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        start = file.read(4)
    if start.startswith(_GZIP):
        return "gzip"
    return "zstd" if start == _ZSTD or _ZSTD_ASIDE.match(start) else ""


def spooled(pieces: Iterable[bytes]) -> Path:
    """A temporary file of these bytes, removed when the program ends."""
    with tempfile.NamedTemporaryFile(dir=_spool(), delete=False) as file:
        for piece in pieces:
            file.write(piece)
    return Path(file.name)


@cache
def _spool() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="kilowhat-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


PARTIAL = re.compile(r"\.(?P<name>.+)\.(?P<pid>\d+)\.partial", re.DOTALL)
"""The name of a file that is being written: of which file, and by which process."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, which takes its place all at once if nothing goes wrong.

    Whatever stops the program, `path` is the earlier file or the whole new one. A device or a
    pipe (/dev/stdout) is written to as it is.

    Raises:
        InvalidValue: `path` is a folder, or its folder does not exist.
    """
    target = Path(os.path.realpath(path))  # a link keeps pointing to the file
    if target.is_dir() or not target.parent.is_dir():
        expected = translate(mark("the name of a file in a folder that exists"))
        raise InvalidValue(name="file", value=path, expected=expected)
    if target.exists() and not target.is_file():
        yield target
        return
    _remove_leftovers(target)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)  # an earlier process may have had this one's number
    try:
        yield partial
        _settle(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _settle(partial: Path, target: Path) -> None:
    """Put a finished file in its place, on the disk and not only in the system's memory."""
    if target.exists():
        shutil.copymode(target, partial)
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(target)
    with suppress(OSError):  # some systems cannot open a folder: the name then settles later
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _remove_leftovers(target: Path) -> None:
    """Remove what runs that were killed left of this file."""
    for beside in target.parent.iterdir():
        found = PARTIAL.fullmatch(beside.name)
        if found and found["name"] == target.name and not _is_running(int(found["pid"])):
            with suppress(OSError):  # another run removed it, or it belongs to someone else
                beside.unlink()


def _is_running(pid: int) -> bool:
    if os.name == "nt":  # no signal asks there without doing; an open file cannot be removed
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
