"""``kilowhat config``: each default, its value, and where it was set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kilowhat.cli import settings
from kilowhat.cli.factor_text import print_json
from kilowhat.cli.options import print_table, verb
from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable


def _flags(function: Callable[..., Any]) -> Callable[..., Any]:
    """One flag a setting, as the other verbs have them: what is given here wins here too."""
    for name, said in reversed(settings.SETTINGS.items()):
        kind = click.Choice(["fr", "en"]) if name == "lang" else None
        function = click.option(f"--{name}", f"flag_{name}", type=kind, help=said)(function)
    return function


@verb("config", mark("Your defaults, and where each comes from."))
@click.option("--json", "as_json", is_flag=True, help=mark("print JSON"))
@click.option("--path", is_flag=True, help=mark("print the path of your own settings file"))
@click.option("--schema", is_flag=True, help=mark("print the JSON Schema of the settings file"))
@_flags
def command(*, as_json: bool, path: bool, schema: bool, **flags: str | None) -> int:
    """Show every setting, its value and its origin; or the file, or its schema."""
    if path:
        click.echo(settings.user_file())
    elif schema:
        print_json(settings.schema())
    else:
        _show(_settings(flags), as_json=as_json)
    return 0


def _settings(flags: dict[str, str | None]) -> dict[str, settings.Setting]:
    """What is set, flags first."""
    found = settings.read()
    given = {
        name: settings.Setting(value, f"--{name}")
        for name in settings.SETTINGS
        if (value := flags.get(f"flag_{name}"))
    }
    return found | given


def _show(found: dict[str, settings.Setting], *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                name: {
                    "value": found[name].value if name in found else None,
                    "origin": found[name].origin if name in found else None,
                    "default": translate(settings.DEFAULTS[name]) or None,
                    "help": translate(said),
                }
                for name, said in settings.SETTINGS.items()
            }
        )
        return
    from kilowhat.display.text import Column, Table

    columns = tuple(
        Column(translate(heading), wraps=wraps)
        for heading, wraps in (
            (mark("Setting"), False), (mark("Value"), True), (mark("From"), True),
            (mark("What it is"), True),
        )
    )  # fmt: skip
    rows = tuple((name, *_cells(name, found), translate(said))
                 for name, said in settings.SETTINGS.items())  # fmt: skip
    order = translate(
        mark(
            "Order: flags, KILOWHAT_* variables, ./kilowhat.toml or [tool.kilowhat] in "
            "./pyproject.toml, then {file}."
        )
    )
    print_table(Table("", columns, rows, (order.format(file=settings.user_file()),)))


def _cells(name: str, found: dict[str, settings.Setting]) -> tuple[str, str]:
    if name in found:
        return found[name].value, found[name].origin
    return translate(settings.DEFAULTS[name]) or "—", translate(mark("not set"))
