"""Text from files and logs made safe to show: nothing in it moves a cursor or turns a line."""

from __future__ import annotations

import unicodedata

_BLANK = ("\t", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029")
_JOINERS = ("\u200c", "\u200d")  # without which words and emoji of many people fall apart
_HIDDEN = ("Cc", "Cf", "Cs", "Cn")
_REPLACEMENT = "\ufffd"


def is_hidden(sign: str) -> bool:
    """Whether a sign is a control, a turn of direction, invisible, or no character at all."""
    return unicodedata.category(sign) in _HIDDEN and sign not in _JOINERS


def plain(text: str) -> str:
    r"""The text on one line, each hidden sign replaced by one that can be seen.

    >>> plain("a\x1b[31mb\u202e\nc")
    'a�[31mb� c'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if sign in _BLANK else _REPLACEMENT if is_hidden(sign) else sign for sign in text
    )


def shorten(text: str, most: int = 80) -> str:
    """The text made plain, with its middle left out where it has more than so many signs.

    >>> shorten("0123456789", 7)
    '012…789'
    """
    shown = plain(text)
    if len(shown) <= most:
        return shown
    tail = (most - 1) // 2
    return f"{shown[: most - 1 - tail]}…{shown[len(shown) - tail :]}"
