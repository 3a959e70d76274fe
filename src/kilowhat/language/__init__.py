"""French and English: which one is in use, and the look-up of each message.

Messages are written in English in the code and looked up at the moment that they are shown, so
one error can be read in both languages.
"""

from __future__ import annotations

import gettext as _gettext
import os
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LANGUAGES = ("en", "fr")
LOCALES = Path(__file__).parent / "locales"
_active: ContextVar[str] = ContextVar("kilowhat_language", default="en")


@cache
def _catalogue(language: str) -> _gettext.NullTranslations:
    if language == "en":
        return _gettext.NullTranslations()
    return _gettext.translation("messages", LOCALES, [language])


def translate(message: str) -> str:
    """The message in the language in use; the English text itself where that is English."""
    return _catalogue(_active.get()).gettext(message) if message else message


def mark(message: str) -> str:
    """The message unchanged: marks a text for the catalogues that is translated when shown."""
    return message


def current() -> str:
    """The code of the language in use: ``en`` or ``fr``."""
    return _active.get()


def choose(explicit: str | None = None, environ: Mapping[str, str] | None = None) -> str:
    """The language to use: the explicit one, then the environment's, then English.

    >>> choose(None, {"LC_ALL": "fr_FR.UTF-8"})
    'fr'
    """
    if explicit in LANGUAGES:
        return str(explicit)
    settings = os.environ if environ is None else environ
    for variable in ("KILOWHAT_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        for candidate in settings.get(variable, "").split(":"):
            if candidate[:2].lower() in LANGUAGES:
                return candidate[:2].lower()
            if candidate:
                break
    return "en"


def set_language(language: str) -> None:
    """Put a language in use for the rest of this context."""
    _active.set(language if language in LANGUAGES else "en")


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Put a language in use for the length of a ``with`` block."""
    token = _active.set(language if language in LANGUAGES else "en")
    try:
        yield
    finally:
        _active.reset(token)
