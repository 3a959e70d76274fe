"""Options that several verbs share, and those generated from the table of fields of a use."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from kilowhat.cli import Localised, settings
from kilowhat.errors import InvalidValue
from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kilowhat.assessment.uses import Field
    from kilowhat.display.text import Table
    from kilowhat.registry.resolve import Registry

_HELP = {"help_option_names": ["-h", "--help"]}
_UNLIMITED = 100_000  # columns: what is read by a program has one line a row


def verb(name: str, text: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A decorator that makes a command whose help is in the language in use."""
    return click.command(name, cls=Localised, help=text, context_settings=_HELP)


class LocalisedGroup(Localised, click.Group):
    """A group whose help, and that of its commands, is in the language in use."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, then the commands, translated."""
        super().format_options(ctx, formatter)
        names = self.list_commands(ctx)
        found = [(name, self.get_command(ctx, name)) for name in names]
        rows = [(name, translate(command.help or "")) for name, command in found if command]
        if rows:
            with formatter.section(translate(mark("Commands"))):
                formatter.write_dl(rows)


def verb_group(name: str, text: str) -> Callable[[Callable[..., Any]], click.Group]:
    """A decorator that makes a group of commands whose help is in the language in use."""
    return click.group(name, cls=LocalisedGroup, help=text, context_settings=_HELP)


def print_table(table: Table) -> None:
    """Print a table: within the width of a terminal, or one line a row where none reads it."""
    from kilowhat.display.text import write_table

    width = shutil.get_terminal_size().columns if _is_terminal() else _UNLIMITED
    click.echo(write_table(table, width))


def _is_terminal() -> bool:
    return sys.stdout.isatty()


Completer = Any  # click's own type of these callbacks is private


def field_options(fields: Iterable[Field]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that adds one option for each field of a use; values stay text until read."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for field in reversed(list(fields)):
            function = click.option(
                field.flag,
                _parameter(field.name),
                metavar=field.metavar,
                help=field.help,
                shell_complete=complete(field.name) if field.name in _NAMES else None,
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


_SHARED: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "json": click.option("--json", "as_json", is_flag=True, help=mark("print JSON")),
    "lang": click.option(
        "--lang", type=click.Choice(["fr", "en"]), expose_value=False, help=mark("language")
    ),
    "factors": click.option(
        "--factors",
        metavar="DIR",
        help=mark("a directory of your own factors"),
        type=click.Path(path_type=str),
    ),
    "draws": click.option(
        "--draws", metavar="N", help=mark("draws of each doubtful number (1024)")
    ),
    "purpose": click.option(
        "--purpose",
        metavar="NAME",
        help=mark("preferred sources: attributional, consequential, regulatory-fr"),
    ),
}


def shared(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator that adds some of the options that verbs have in common."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in reversed(names):
            function = _SHARED[name](function)
        return function

    return decorate


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that adds --json, --lang, --factors, --draws and --purpose."""
    return shared(*_SHARED)(function)


def with_settings(options: dict[str, Any], names: Iterable[str]) -> list[str]:
    """Fill in options that were not given from the user's settings; say which, and from where.

    Raises:
        InvalidValue: a settings file cannot be read.
    """
    said = []
    found = settings.read()
    is_placed = any(options.get(_parameter(name)) is not None for name in ("zone", "region"))
    for name in names:
        key = name if name in options else _parameter(name)
        if name in ("zone", "region") and is_placed:
            continue  # where the use runs is said on the command line
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
        if not os.path.isdir(directory / "factors"):  # noqa: PTH112 - no name is too long for it
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


_NAMES: dict[str, tuple[str, str, str]] = {
    "model": ("models.csv", "id", "name"),
    "zone": ("zones.csv", "id", "name_{language}"),
    "region": ("regions.csv", "provider:region", "name"),
    "accelerator": ("accelerators.csv", "id", "name"),
    "equivalence": ("equivalences.csv", "id", "label_{language}_many"),
}
"""What can be completed: the table that holds the names, its columns of names and of help."""


def complete(kind: str) -> Completer:
    """A callback that completes model, zone, region, accelerator, equivalence or factor names."""

    def callback(
        ctx: click.Context,  # noqa: ARG001 - click passes it
        param: click.Parameter,  # noqa: ARG001
        incomplete: str,
    ) -> list[CompletionItem]:
        names = _NAMED[kind]() if kind in _NAMED else _table_names(kind)
        typed = incomplete.lower()
        return [
            CompletionItem(name, help=said)
            for name, said in names
            if name.lower().startswith(typed)
        ]

    return callback


def _table_names(kind: str) -> list[tuple[str, str]]:
    """Names and what to say of each, read without the numeric library: a key press waits."""
    import csv

    import kilowhat
    from kilowhat.language import current

    file, columns, said = _NAMES[kind]
    path = Path(str(kilowhat.__file__)).parent / "data" / file
    with path.open(newline="", encoding="utf-8") as table:
        return [
            (
                ":".join(row[column] for column in columns.split(":")),
                row[said.format(language=current())],
            )
            for row in csv.DictReader(table)
        ]


def _format_names() -> list[tuple[str, str]]:
    from kilowhat.ledger.formats import formats

    return [(each.name, each.title) for each in formats().values()]


def _key_names() -> list[tuple[str, str]]:
    from kilowhat.domain.inventory import KEYS

    return [(key, translate(said)) for key, said in KEYS.items()]


def _factor_names() -> list[tuple[str, str]]:
    from kilowhat.registry.resolve import Registry

    registry = Registry()
    return [(identity, "") for family in registry.families() for identity in registry.ids(family)]


_NAMED = {"factor": _factor_names, "format": _format_names, "key": _key_names}
