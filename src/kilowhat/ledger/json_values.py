"""JSON values found in a text of any size at the speed of a search, without parsing them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Refuse = Callable[[int, str], None]  # told the number of a record, and why it is refused
    Record = bytes | bytearray

LONGEST_RECORD = 16 << 20  # bytes of a line, or of an element of an array
LONGEST_DOCUMENT = 256 << 20  # bytes of a document that spans lines, or is alone in its file
NOT_JSON, TOO_LONG, CUT_OFF = "not JSON", "line too long", "truncated"

BATCH = 1 << 20  # bytes of records that go together
_MOST_REREAD = 64 << 20  # bytes that may be read again to find the records after a damaged one

WHOLE_LINE = rb"[ \t]*\{[^\n]*\}[ \t\r]*"

_STRING = rb'"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+"'
_TO_BRACKET = re.compile(rb'[^]\[{}"]*+(?:' + _STRING + rb'[^]\[{}"]*+)*+([]\[{}"]?)')
_TO_QUOTE = re.compile(rb'[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*+')
_GAP = re.compile(rb"\s*+")
_GAP_IN_ARRAY = re.compile(rb"[\s,]*+")
_WORD = re.compile(rb"[^\n]*+")
_WORD_IN_ARRAY = re.compile(rb'[^]\[{},"\s]*+')

# Where another value may begin after a damaged one. A nested object may begin a line too, so the
# line is that of a whole object, or a brace alone before a line that is indented.
_LONE_BRACE = rb"\{[ \t\r]*\n[ \t]"
_OBJECT = rb'\{[ \t]*"[^\n]*\}'
_NEXT_DOCUMENT = re.compile(rb"\n(?=" + _LONE_BRACE + rb"|" + _OBJECT + rb"[ \t\r]*(?:\n|\Z))")
_NEXT_ELEMENT = re.compile(
    rb"\n(?=[ \t]?(?:" + _LONE_BRACE + rb"|" + _OBJECT + rb",?[ \t\r]*(?:\n|\Z)))"
)


class Pieces(Protocol):
    """Bytes in pieces, with what went wrong: "" or the reason for which they ended too soon."""

    damage: str

    def __iter__(self) -> Iterator[bytes]: ...


class Broken(Exception):
    """What was read cannot be JSON; the argument is where, in the piece that was scanned."""


class Nesting:
    """Where a scan of JSON stands: which brackets are open, and whether it is in a string."""

    __slots__ = ("_escaped", "_open", "quoted")

    def __init__(self, *, quoted: bool = False) -> None:
        self._open = bytearray()  # the bracket that closes each open one
        self.quoted = quoted
        self._escaped = False

    def end(self, data: bytes, at: int) -> int:
        """Where the value that is under way ends; -1 when it goes on after the data.

        Raises:
            Broken: a bracket closes another kind, or a string spans lines.
        """
        if self.quoted and (at := self.end_of_string(data, at)) < 0:
            return -1
        opened = self._open
        for found in _TO_BRACKET.finditer(data, at):
            mark = found[1]
            if mark == b"{":
                opened.append(0x7D)
            elif mark == b"[":
                opened.append(0x5D)
            elif mark == b'"':
                self.quoted = True
                return self.end_of_string(data, found.end())
            elif not mark:
                break
            elif opened.pop() != mark[0]:
                raise Broken(found.end() - 1)
            elif not opened:
                return found.end()
        return -1

    def end_of_string(self, data: bytes, at: int) -> int:
        """Where the string that is under way ends; -1 when it goes on after the data.

        Raises:
            Broken: it spans lines.
        """
        if self._escaped and at < len(data):
            self._escaped = False
            at += data[at] != 0x0A
        found = _TO_QUOTE.match(data, at)
        assert found is not None
        at = found.end()
        if at < len(data) and data[at] == 0x22:
            self.quoted = False
            return at + 1
        if data[at : at + 2] == b"\\":
            self._escaped = True
        elif at < len(data):
            raise Broken(at)
        return -1


class _Held:
    """What is kept of a value that goes over several pieces: nothing once it is too long."""

    __slots__ = ("_longest", "_size", "data", "line", "part", "start")

    def __init__(self, longest: int, data: bytes, start: int, line: int) -> None:
        self.data, self.start, self.line = data, start, line  # where it begins
        self._longest, self._size = longest, 0
        self.part = bytearray()

    @property
    def too_long(self) -> bool:
        return self._size > self._longest

    def add(self, part: bytes) -> None:
        """Go on with the next part of the value."""
        if not self.too_long:
            self.part += part
        self._size += len(part)

    def next_alike(self, *, in_array: bool) -> re.Pattern[bytes]:
        """Where another value may begin if this one is damaged: a line that begins as its own."""
        if not in_array:
            return _NEXT_DOCUMENT
        newline = self.data.rfind(b"\n", 0, self.start)
        indent = self.data[newline + 1 : self.start]
        if newline < 0 or indent.strip() or not indent:
            return _NEXT_ELEMENT
        return re.compile(rb"\n(?=" + indent + rb"[{\[])")


class Splitter:
    """The values at the top level, and in the arrays there, of a text of any size.

    What is damaged is refused once; reading goes on where the next line begins like a value.
    """

    def __init__(self, content: Pieces, refuse: Refuse) -> None:
        self._content, self._pieces = content, iter(content)
        self._data, self._at = b"", 0
        self._counted, self._line = 0, 1  # up to where newlines were counted, and the line there
        self._refuse, self._number = refuse, 0
        self._is_array = self._in_array = self._ended = False
        self._may_reread = _MOST_REREAD

    def __iter__(self) -> Iterator[tuple[int, Record]]:
        while self._to_value():
            self._number += 1
            if not self._is_array:
                self._count_lines(self._at)
                self._number = max(self._number, self._line)
            record = self._value()
            if record is not None:
                yield self._number, record
        if not self._ended and (self._in_array or self._content.damage):
            self._refuse(self._number + 1, self._content.damage or CUT_OFF)

    def _count_lines(self, end: int) -> None:
        self._line += self._data.count(b"\n", self._counted, end)
        self._counted = end

    def _more(self) -> bool:
        if not self._is_array:
            self._count_lines(len(self._data))
        self._data, self._at, self._counted = next(self._pieces, b""), 0, 0
        self._may_reread += len(self._data)  # so that the whole takes twice as long at most
        return bool(self._data)

    def _to_value(self) -> bool:
        """Go to the first byte of the next value; false when there is none."""
        while True:
            gap = (_GAP_IN_ARRAY if self._in_array else _GAP).match(self._data, self._at)
            assert gap is not None
            self._at = gap.end()
            mark = self._data[self._at : self._at + 1]
            if not mark:
                if not self._more():
                    return False
            elif mark == (b"]" if self._in_array else b"["):
                self._in_array = not self._in_array
                self._is_array |= not self._number
                self._at += 1
            else:
                return True

    def _value(self) -> Record | None:
        """The value that begins here; None when it is refused."""
        mark = self._data[self._at]
        if mark in b"{[":
            longest = LONGEST_RECORD if self._in_array else LONGEST_DOCUMENT
            return self._collected(Nesting().end, longest, self._at)
        if mark == 0x22 and self._in_array:
            end_of_string = Nesting(quoted=True).end_of_string
            return self._collected(end_of_string, LONGEST_RECORD, self._at + 1)
        return self._collected(self._end_of_word, LONGEST_RECORD, self._at + 1)

    def _end_of_word(self, data: bytes, at: int) -> int:
        found = (_WORD_IN_ARRAY if self._in_array else _WORD).match(data, at)
        assert found is not None
        return found.end() if found.end() < len(data) else -1

    def _collected(
        self, end_of: Callable[[bytes, int], int], longest: int, at: int
    ) -> Record | None:
        """The value that begins here; None when it is refused.

        Args:
            end_of: finds where the value ends in a piece, or -1.
            longest: the most bytes that it may have.
            at: from where on to look for its end.
        """
        held: _Held | None = None
        while True:
            try:
                end = end_of(self._data, at)
            except Broken as broken:
                self._recover(self._hold(held, broken.args[0], longest))
                return None
            if held is None and 0 < end - self._at <= longest:
                part, self._at = self._data[self._at : end], end
                return part.replace(b"\n", b" ")
            held = self._hold(held, len(self._data) if end < 0 else end, longest)
            if end >= 0:
                return self._complete(held)
            if held.too_long and held.part:
                if self._in_array and self._go_back(held):
                    self._refused(NOT_JSON)
                    return None
                held.part.clear()
            if not self._more():
                is_word = end_of == self._end_of_word and not self._in_array
                if is_word and not self._content.damage:
                    return self._complete(held)
                self._at_end(held)
                return None
            at = 0

    def _hold(self, held: _Held | None, end: int, longest: int) -> _Held:
        """Hold the value that is under way up to here."""
        held = held or _Held(longest, self._data, self._at, self._line)
        held.add(self._data[self._at : end])
        self._at = end
        return held

    def _complete(self, held: _Held) -> Record | None:
        if not held.too_long:
            return _on_one_line(held.part)
        self._refused(TOO_LONG)
        return None

    def _refused(self, reason: str) -> None:
        self._refuse(self._number, reason)

    def _recover(self, held: _Held) -> None:
        """Refuse a value that cannot be JSON, and go on where another may begin."""
        if not self._go_back(held):
            self._go_forward(held.next_alike(in_array=self._in_array))
        self._refused(TOO_LONG if held.too_long else NOT_JSON)

    def _at_end(self, held: _Held) -> None:
        """Refuse the value that the end of the file cuts, unless another begins within it."""
        if self._go_back(held):
            self._refused(NOT_JSON)
            return
        self._ended = True
        self._refused(TOO_LONG if held.too_long else self._content.damage or CUT_OFF)

    def _go_back(self, held: _Held) -> bool:
        """Go to the next value within what is held of a damaged one; false if there is none."""
        if len(held.part) > self._may_reread:
            return False
        self._may_reread -= len(held.part)
        following = held.next_alike(in_array=self._in_array)
        if held.data is self._data:
            found = following.search(self._data, held.start + 1, self._at)
            self._at = found.end() if found else self._at
        elif found := following.search(held.part, 1):
            self._data = bytes(held.part[found.end() :]) + self._data[self._at :]
            self._at = self._counted = 0
            self._line = held.line + held.part.count(b"\n", 0, found.end())
        return found is not None

    def _go_forward(self, following: re.Pattern[bytes]) -> None:
        """Go to the next value after a damaged one, or to the end of the file."""
        found = following.search(self._data, self._at)
        if found:
            self._at = found.end()
            return
        self._count_lines(self._at)
        data = self._data[self._at :]
        while found is None:
            last = data.rfind(b"\n")  # two lines may tell, if there are any
            cut = max(data.rfind(b"\n", 0, last), len(data) - LONGEST_RECORD, 0)
            cut = len(data) if last < 0 else cut
            self._line += data.count(b"\n", 0, cut)
            rest, self._data = data[cut:], b""
            if not self._more():
                self._ended = not self._content.damage
                return
            data = rest + self._data
            found = following.search(data)
        self._data, self._at, self._counted = data, found.end(), 0


def _on_one_line(record: bytearray) -> Record:
    """A record without newlines: outside of strings, where alone they can be, they are space."""
    for start in range(0, len(record), BATCH):  # in place, for the longest are hard to hold twice
        if record.find(b"\n", start, start + BATCH) >= 0:
            record[start : start + BATCH] = record[start : start + BATCH].replace(b"\n", b" ")
    return record
