"""A question in the words of the command line, for callers of the library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kilowhat.errors import UnknownName
from kilowhat.ledger import alternatives, calendar
from kilowhat.ledger.question import LogQuestion
from kilowhat.ledger.salt import read_salt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FILES = ("mapping", "zones", "hourly", "save_cells")
_WORDS = (
    "format", "by", "since", "until", "compare_to", "timezone", "zone", "cells", "table",
    "engine", "method", "budget", "what_if", "by_hour", "salt", "trust_ids",
    "strict", "memory", "threads",
    *_FILES,
)  # fmt: skip


def asked(paths: Sequence[str], options: Mapping[str, Any]) -> LogQuestion:
    """The question that options ask of logs; ``None`` is as good as none.

    Args:
        paths: files, folders and patterns; "-" is standard input.
        options: by the words of the command line, with ``_`` for ``-``; ``by`` and ``what_if``
            are lists of texts.

    Raises:
        UnknownName: an option that there is not; names the nearest.
        UsageError: a period or an assumption that is not written as one.
    """
    import difflib  # noqa: PLC0415 - only a wrong name needs it

    given = {name: value for name, value in options.items() if value not in (None, "", ())}
    for name in given:
        if name not in _WORDS:
            raise UnknownName(name=name, nearest=difflib.get_close_matches(name, _WORDS, n=3))
    if any(
        "user" in str(keys).split(",") for keys in map(_spaceless, _listed(given.get("by", [])))
    ):
        given.setdefault("salt", read_salt())
    span = calendar.between(given.pop("since", None), given.pop("until", None))
    compared = given.pop("compare_to", None)
    by = [tuple(k.strip() for k in keys.split(",")) for keys in _listed(given.pop("by", []))]
    changes = [alternatives.parse(text) for text in _listed(given.pop("what_if", []))]
    given |= {name: Path(given[name]) for name in _FILES if name in given}
    cells = [Path(path) for path in _listed(given.pop("cells", []))]
    return LogQuestion(
        paths=paths, by=by, span=span, what_if=changes, cells=cells,
        compared=calendar.span(compared) if compared else None, **given,
    )  # fmt: skip


def _spaceless(keys: object) -> str:
    return "".join(str(keys).split())


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, (str, Path)) else list(value)
