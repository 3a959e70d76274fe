"""``kilowhat completion``: the script that teaches a shell our names."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from kilowhat.cli.options import shared, verb
from kilowhat.language import mark

SHELLS = ("bash", "zsh", "fish")


@verb("completion", mark("The completion script of a shell."))
@click.argument("shell", type=click.Choice(SHELLS))
@shared("lang")
def command(shell: str) -> int:
    """Print the script; click makes it, and asks this program for the names when Tab is hit."""
    from kilowhat.cli import cli

    kind = get_completion_class(shell)
    assert kind is not None  # the three shells are click's own
    complete = kind(cli, {}, "kilowhat", "_KILOWHAT_COMPLETE")
    click.echo(complete.source_template % complete.source_vars())
    return 0
