"""The French catalogue is whole, and click reads it too."""

from __future__ import annotations

import gettext
import string
from typing import TYPE_CHECKING

import click
import pytest
from babel.messages.catalog import Message
from click.testing import CliRunner

import translations
from kilowhat import errors
from kilowhat.language import LOCALES, choose, current, speaking, translate

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_every_message_is_translated_and_compiled() -> None:
    assert translations.problems() == []


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (Message("Unknown {name}", ""), "not translated"),
        (Message("Unknown {name}", "Inconnu"), "placeholders"),
        (Message("Unknown {name}", "{nom} inconnu"), "placeholders"),
        (Message("Unknown", "Inconnu", flags=["fuzzy"]), "fuzzy"),
        (Message("Did you?", "Vraiment ?"), "no-break"),
        (Message("Error: {e}", "Erreur: {e}"), "no-break"),
        (Message(("{n} value", "{n} values"), ("{n} valeur", "")), "not translated"),
    ],
)
def test_each_fault_is_found(message: Message, problem: str) -> None:
    assert any(problem in found for found in translations.check_message(message))


def test_a_sound_message_passes() -> None:
    message = Message("Error: {e}?", "Erreur\u00a0: {e}\u202f?")
    assert translations.check_message(message) == []


def subclasses(kind: type[errors.KilowhatError]) -> Iterator[type[errors.KilowhatError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from subclasses(child)


@pytest.mark.parametrize("kind", list(subclasses(errors.KilowhatError)))
def test_each_error_speaks_both_languages(kind: type[errors.KilowhatError]) -> None:
    texts = kind.template + kind.hint
    names = [name for _, name, _, _ in string.Formatter().parse(texts) if name]
    error = kind(**{name: f"<{name}>" for name in names}, nearest=["abc"])
    english = str(error)
    with speaking("fr"):
        french = str(error)
    assert english != french
    assert all(f"<{name}>" in french for name in names)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--calls", type=float)
def command(calls: float | None) -> None:
    """One command."""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], ["Utilisation\u00a0:", "Options", "Afficher cette aide et quitter"]),
        (["--nope"], ["Erreur\u00a0:", "Option inconnue"]),
        (["--calls", "x"], ["Valeur non valable pour", "--calls"]),
        (["--calls"], ["demande une valeur"]),
        (["extra"], ["Argument en trop"]),
    ],
)
def test_click_speaks_french(
    arguments: list[str], words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = gettext.bindtextdomain("messages")
    monkeypatch.setenv("LANGUAGE", "fr")
    gettext.bindtextdomain("messages", str(LOCALES))
    try:
        shown = CliRunner().invoke(command, arguments).output
    finally:
        gettext.bindtextdomain("messages", before)
    assert all(word in shown for word in words), shown


def test_the_language_is_chosen_by_flag_then_environment() -> None:
    assert choose("fr", {"LANG": "en_US.UTF-8"}) == "fr"
    assert choose(None, {"KILOWHAT_LANG": "fr", "LANG": "en_US.UTF-8"}) == "fr"
    assert choose(None, {"LC_ALL": "C", "LANG": "fr_FR.UTF-8"}) in {"en", "fr"}
    assert choose(None, {"LANG": "de_DE.UTF-8"}) == "en"
    assert choose(None, {}) == "en"


def test_speaking_ends_with_its_block() -> None:
    before = current()
    with speaking("fr"):
        assert translate("number") == "nombre"
    assert current() == before
