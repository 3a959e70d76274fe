"""``kilowhat train``: the training of a model, by declared hours and by arithmetic."""

from __future__ import annotations

import json
from typing import Any

import click

from kilowhat.assessment.uses import Field
from kilowhat.cli.options import common, field_options, registry_of, use_of, verb, with_settings
from kilowhat.language import mark

FIELDS = (
    Field("gpu_hours", "gpu_hours", "number", mark("accelerator-hours, as declared"), 1e-3, 1e12),
    Field("accelerator", "accelerator", "text", mark("accelerator id: h100-sxm"), metavar="ID"),
    Field("parameters", "parameters", "number", mark("parameters of the model"), 1e3, 1e15),
    Field("active", "active", "number", mark("parameters active per token"), 1e3, 1e15),
    Field("tokens", "tokens", "number", mark("tokens trained on"), 1e3, 1e18),
    Field("flop", "flop", "number", mark("arithmetic of the run"), 1e9, 1e32),
    Field("power", "power_w", "number", mark("watts per accelerator, instead of its TDP"), 1, 1e5),
    Field("mfu", "mfu", "number", mark("model FLOP utilisation, 0 to 1"), 1e-3, 1.0),
    Field(
        "precision", "precision", "text", mark("precision trained in: bf16, fp8"), metavar="NAME"
    ),
    Field(
        "development",
        "development",
        "number",
        mark("all runs over the final one: 1 is the final run only"),
        1.0,
        1000.0,
        "X",
    ),
    Field("zone", "zone", "text", mark("electricity zone: FRA, world"), metavar="ZONE"),
    Field("region", "region", "text", mark("cloud region: aws:eu-west-3"), metavar="REGION"),
    Field("provider", "provider", "text", mark("who runs the datacentre"), metavar="NAME"),
    Field("date", "when", "date", mark("when: 2024, or 2024-03-01"), metavar="DATE"),
)


@verb("train", mark("The training of a model: declared hours and computed arithmetic."))
@click.argument("model", required=False)
@field_options(FIELDS)
@common
def command(model: str | None, **options: Any) -> int:
    """Assess a training run."""
    from kilowhat.assessment.training import Trainer, TrainingQuestion

    names = ("zone", "region", "provider", "date", "factors", "draws", "purpose")
    said = with_settings(options, names)
    by_name = {field.name: field for field in FIELDS}
    given = {
        by_name[name].attribute: by_name[name].read(value)
        for name, value in use_of(options).items()
    }
    answer = Trainer(registry_of(options)).train(TrainingQuestion(model=model, **given))
    if options["as_json"]:
        click.echo(json.dumps(answer.to_dict(), ensure_ascii=False, indent=2))
        return 0
    from kilowhat.cli.render_training import write_training

    click.echo(write_training(answer, said))
    return 0
