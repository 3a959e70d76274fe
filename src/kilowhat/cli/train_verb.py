"""``kilowhat train``: the training of a model, by declared hours and by arithmetic."""

from __future__ import annotations

import json
from typing import Any

import click

from kilowhat.assessment.uses import TRAINING_FIELDS, training_values
from kilowhat.cli.options import (
    common,
    complete,
    field_options,
    registry_of,
    use_of,
    verb,
    with_settings,
)
from kilowhat.language import mark


@verb("train", mark("The training of a model: declared hours and computed arithmetic."))
@click.argument("model", required=False, shell_complete=complete("model"))
@field_options(field for field in TRAINING_FIELDS if field.name != "model")
@common
def command(model: str | None, **options: Any) -> int:
    """Assess a training run."""
    from kilowhat.assessment.training import Trainer, TrainingQuestion

    names = ("zone", "region", "provider", "date", "factors", "draws", "purpose")
    said = with_settings(options, names)
    known = training_values({"model": model, **use_of(options)})
    answer = Trainer(registry_of(options)).train(TrainingQuestion(**known))
    if options["as_json"]:
        click.echo(json.dumps(answer.to_dict(), ensure_ascii=False, indent=2))
        return 0
    from kilowhat.cli.render_training import write_training

    click.echo(write_training(answer, said))
    return 0
