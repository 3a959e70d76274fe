"""``kilowhat compare``: an amount in everyday things, and the reverse."""

from __future__ import annotations

import json
from typing import Any

import click

from kilowhat.cli.options import common, complete, registry_of, verb, with_settings
from kilowhat.language import mark


@verb("compare", mark("An amount in everyday equivalents, in both directions."))
@click.argument("amount", nargs=-1, required=True)
@click.option(
    "--to",
    metavar="THING",
    shell_complete=complete("equivalence"),
    help=mark("one everyday thing only: led, tgv, kettle"),
)
@click.option("--most", metavar="N", type=click.IntRange(1, 100), default=6, help=mark("how many"))
@common
def command(amount: tuple[str, ...], to: str | None, most: int, **options: Any) -> int:
    """Compare an amount, or so many of an everyday thing."""
    from kilowhat.assessment.everyday import compare
    from kilowhat.quantity.notation import split_quantity

    said = with_settings(options, ("factors", "draws", "purpose"))
    reading, thing = split_quantity(" ".join(amount))
    comparison = compare(
        reading.quantity, registry_of(options), thing=thing or None, to=to, most=most
    )
    notes = [*said, *([reading.note] if reading.note else [])]
    if options["as_json"]:
        click.echo(
            json.dumps(comparison.to_dict() | {"warnings": notes}, ensure_ascii=False, indent=2)
        )
        return 0
    from kilowhat.cli.render import write_comparison

    click.echo(write_comparison(comparison))
    for note in notes:
        click.echo(f"· {note}", err=True)
    return 0
