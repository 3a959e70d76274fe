"""``kilowhat estimate``: one use, or one use a line."""

from __future__ import annotations

from typing import Any

import click

from kilowhat.assessment.uses import FIELDS, UNITS_PER, Field
from kilowhat.cli.options import (
    common,
    complete,
    field_options,
    registry_of,
    use_of,
    verb,
    with_settings,
)
from kilowhat.errors import InvalidValue
from kilowhat.language import mark, translate


@verb("estimate", mark("Energy, carbon, water and hardware of a use of a model."))
@click.argument("model", required=False, shell_complete=complete("model"))
@field_options(field for field in FIELDS if field.name != "model")
@click.option(
    "--versus",
    metavar="MODEL2",
    shell_complete=complete("model"),
    help=mark("compare with another model, same use"),
)
@click.option("--methods", is_flag=True, help=mark("published methods side by side with ours"))
@click.option("--explain", is_flag=True, help=mark("every formula, factor, source and doubt"))
@click.option("--this-call", is_flag=True, help=mark("the wider interval of one single call"))
@click.option("--users", metavar="N", help=mark("a population of users"))
@click.option("--per-day", metavar="N", help=mark("uses per user and day"))
@click.option("--per", metavar="|".join(UNITS_PER), help=mark("the functional unit of the result"))
@click.option("--market", is_flag=True, help=mark("market-based carbon beside, where known"))
@click.option("--marginal", is_flag=True, help=mark("marginal carbon beside, where known"))
@click.option(
    "--amortise-training", metavar="TOKENS", help=mark("share the training over so many tokens")
)
@click.option("--from", "lines", metavar="FILE", help=mark("uses as JSON lines; - reads stdin"))
@click.option("--impacts-only", is_flag=True, help=mark("with --from: no stages, faster"))
@common
def command(model: str | None, lines: str | None, **options: Any) -> int:
    """Estimate one use, or one use a line."""
    said = with_settings(
        options, ("zone", "region", "provider", "date", "factors", "draws", "purpose")
    )
    if lines is not None:
        from kilowhat.cli.stream import run

        _refuse(options, _OF_ONE_USE, mark("not with --from"))
        return run(lines, model, options)
    _refuse(options, ("impacts_only",), mark("only with --from"))
    use = use_of(options)
    if model is not None:
        use["model"] = model
    from kilowhat.assessment import Question, answer

    question = Question(
        use=use,
        versus=options["versus"],
        with_methods=options["methods"],
        is_single=options["this_call"],
        users=_number("users", options["users"]),
        per_day=_number("per_day", options["per_day"]),
        per=options["per"],
        training_tokens=_number("amortise_training", options["amortise_training"]),
    )
    result = answer(question, registry_of(options))
    if options["as_json"]:
        import json

        click.echo(json.dumps(result.to_dict(), ensure_ascii=False, indent=2))
        return 0
    from kilowhat.cli.render import write_answer

    beside = [name for name in ("market", "marginal") if options[name]]
    click.echo(write_answer(result, explain=options["explain"], beside=beside, said=said))
    return 0


_OF_ONE_USE = (
    "versus", "methods", "explain", "this_call", "users", "per_day", "per", "market", "marginal",
    "amortise_training",
)  # fmt: skip


def _refuse(options: dict[str, Any], names: tuple[str, ...], expected: str) -> None:
    """Refuse options that would be passed over in silence."""
    for name in names:
        if options[name]:
            raise InvalidValue(
                name=name.replace("_", "-"), value=options[name], expected=translate(expected)
            )


def _number(name: str, value: str | None) -> float | None:
    """A positive number of an option, or nothing."""
    if value is None:
        return None
    field = Field(name, name, "number", "", 1e-12, 1e24)
    number: float = field.read(value)
    return number
