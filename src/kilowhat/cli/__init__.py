"""The command line: one file per verb, imported only when it is called."""

from __future__ import annotations

import gettext
import importlib
import os
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

import click

from kilowhat._version import __version__
from kilowhat.errors import KilowhatError, UsageError
from kilowhat.language import LOCALES, choose, mark, set_language, translate

if TYPE_CHECKING:
    from collections.abc import Sequence

DONE, OUR_FAULT, WRONG_USE, IN_PART = 0, 1, 2, 5
INTERRUPTED = 130
_LONGEST = 80  # characters of what was typed that a sentence repeats

VERBS: dict[str, str] = {
    "estimate": mark("Energy, carbon, water and hardware of a use of a model."),
    "train": mark("The same for the training of a model."),
    "account": mark("The inventory of logs of calls: energy, carbon, water and hardware."),
    "compare": mark("An amount in everyday equivalents, in both directions."),
    "data": mark("The sourced numbers: list, show, cite, check, diff."),
    "list": mark("Models, zones, regions, accelerators, equivalences, log formats."),
    "config": mark("Your defaults, and where each comes from."),
    "completion": mark("The completion script of a shell."),
}


class Verbs(click.Group):
    """A group whose commands are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The verbs, in the order of the help page."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a verb; its module is imported now."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"kilowhat.cli.{cmd_name}_verb")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first argument; an unknown one names the nearest verbs."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            import difflib

            name = args[0] if len(args[0]) <= _LONGEST else f"{args[0][:_LONGEST]}…"
            nearest = difflib.get_close_matches(name, VERBS, n=2)
            words = translate("Unknown command “{name}”.").format(name=name)
            if nearest:
                words += " " + translate("Did you mean: {nearest}?").format(
                    nearest=", ".join(nearest)
                )
            raise click.UsageError(words, ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of verbs on the help page, without importing any of them."""
        with formatter.section(translate("Commands")):
            formatter.write_dl([(name, translate(text)) for name, text in VERBS.items()])


class Localised(click.Command):
    """A command whose help is looked up in the language in use when it is shown."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help text, translated."""
        original, self.help = self.help, translate(self.help) if self.help else ""
        try:
            super().format_help_text(ctx, formatter)
        finally:
            self.help = original

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, their help translated."""
        rows = []
        for parameter in self.get_params(ctx):
            row = None if isinstance(parameter, click.Argument) else parameter.get_help_record(ctx)
            if row is not None:
                rows.append((row[0], translate(row[1])))
        if rows:
            with formatter.section(translate("Options")):
                formatter.write_dl(rows)


def _language(arguments: Sequence[str]) -> str:
    """The language of a command line, needed before it is parsed: for help and errors."""
    for index, argument in enumerate(arguments):
        if argument == "--lang" and index + 1 < len(arguments):
            return choose(arguments[index + 1])
        if argument.startswith("--lang="):
            return choose(argument.partition("=")[2])
    if "KILOWHAT_LANG" not in os.environ:
        from kilowhat.cli import settings

        try:
            setting = settings.read().get("lang")
        except KilowhatError:
            setting = None  # said when the command reads its settings
        if setting:
            return choose(setting.value)
    return choose()


def _speak(language: str) -> None:
    """Put a language in use, for our messages and for click's own."""
    set_language(language)
    os.environ["LANGUAGE"] = language
    gettext.bindtextdomain("messages", str(LOCALES))
    gettext.textdomain("messages")


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help=mark(
        "How much energy, carbon, water and hardware AI takes, how sure that is, who says so."
    ),
)
@click.version_option(
    __version__, "--version", prog_name="kilowhat", message="%(prog)s %(version)s"
)
@click.option("--lang", type=click.Choice(["fr", "en"]), expose_value=False, help="fr | en")
def cli() -> None:
    """Hold the verbs."""


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code; every error is one sentence."""
    _make_writable()
    _speak(_language(arguments))
    try:
        result: Any = cli.main(args=list(arguments), prog_name="kilowhat", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except (click.Abort, KeyboardInterrupt):
        click.echo(translate("Interrupted."), err=True)
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return WRONG_USE
    except (BrokenPipeError, SystemExit):  # the latter is what click makes of the former
        _close_quietly()
        return DONE
    except OSError as error:
        click.echo(error_line(error.strerror or str(error)), err=True)
        _close_quietly()
        return OUR_FAULT
    except KilowhatError as error:
        _complain(error)
        return WRONG_USE if isinstance(error, UsageError) else OUR_FAULT
    return int(result or DONE)


def _make_writable() -> None:
    """Let no character that a terminal or a file cannot hold stop an answer."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def error_line(message: str) -> str:
    """A message behind the word that click puts before its own."""
    return gettext.gettext("Error: {message}").format(message=message)


def _complain(error: KilowhatError) -> None:
    click.echo(error_line(error.sentence()), err=True)
    advice = error.advice()
    if advice:
        click.echo(advice, err=True)


def _close_quietly() -> None:
    """Keep the interpreter from complaining about a closed pipe when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
