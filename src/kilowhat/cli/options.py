"""Options that several verbs share, and those generated from the table of fields of a use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kilowhat.cli import Localised, settings
from kilowhat.errors import InvalidValue
from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kilowhat.assessment.uses import Field
    from kilowhat.registry.resolve import Registry


def verb(name: str, text: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A decorator that makes a command whose help is in the language in use."""
    return click.command(
        name, cls=Localised, help=text, context_settings={"help_option_names": ["-h", "--help"]}
    )


def field_options(fields: Iterable[Field]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that adds one option for each field of a use; values stay text until read."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for field in reversed(list(fields)):
            function = click.option(
                field.flag, _parameter(field.name), metavar=field.metavar, help=field.help
            )(function)
        return function

    return decorate


def _parameter(name: str) -> str:
    return f"use_{name}"


def use_of(options: dict[str, Any]) -> dict[str, object]:
    """The fields of a use that were given on the command line, by their names."""
    prefix = _parameter("")
    return {
        key.removeprefix(prefix): value
        for key, value in options.items()
        if key.startswith(prefix) and value is not None
    }


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that adds --json, --lang, --factors, --draws and --purpose."""
    for option in reversed(
        (
            click.option("--json", "as_json", is_flag=True, help=mark("print JSON")),
            click.option(
                "--lang", type=click.Choice(["fr", "en"]), expose_value=False, help=mark("language")
            ),
            click.option(
                "--factors", metavar="DIR", help=mark("a directory of your own factors")
            ),
            click.option("--draws", metavar="N", help=mark("draws of each doubtful number (1024)")),
            click.option(
                "--purpose",
                metavar="NAME",
                help=mark("preferred sources: attributional, consequential, regulatory-fr"),
            ),
        )
    ):
        function = option(function)
    return function


def with_settings(options: dict[str, Any], names: Iterable[str]) -> list[str]:
    """Fill in options that were not given from the user's settings; say which, and from where.

    Raises:
        InvalidValue: a settings file cannot be read.
    """
    said = []
    found = settings.read()
    for name in names:
        key = name if name in options else _parameter(name)
        if options.get(key) is None and name in found:
            options[key] = found[name].value
            sentence = translate(mark("{name} = {value}, from {origin}."))
            setting = found[name]
            said.append(sentence.format(name=name, value=setting.value, origin=setting.origin))
    return said


def registry_of(options: dict[str, Any]) -> Registry:
    """The registry that the shared options describe.

    Raises:
        InvalidValue: no such directory, or a number of draws out of bounds.
    """
    from kilowhat.registry.resolve import Registry

    directories = []
    if options.get("factors"):
        directory = Path(options["factors"])
        if not directory.is_dir():
            expected = translate(mark("a directory with factors/ and sources/ is needed"))
            raise InvalidValue(name="factors", value=directory, expected=expected)
        directories.append(directory)
    draws = options.get("draws") or 1024
    try:
        number = int(draws)
    except ValueError:
        number = 0
    if not 64 <= number <= 1_000_000:
        expected = translate(mark("a whole number from 64 to 1000000"))
        raise InvalidValue(name="draws", value=draws, expected=expected)
    return Registry(directories, draws=number, purpose=options.get("purpose") or "attributional")
