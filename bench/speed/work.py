"""What is timed: the same uses, priced by kilowhat and by EcoLogits."""

from __future__ import annotations

import json
import logging
import random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODELS = {  # a provider and a model as EcoLogits calls them; kilowhat takes the model's name
    "gpt-4o": "openai",
    "gpt-4o-mini": "openai",
    "claude-sonnet-4-5": "anthropic",
    "mistral-large-latest": "mistralai",
}
ZONES = ("FRA", "USA", "DEU")


class Use(NamedTuple):
    """A call: model, tokens in and out, zone."""

    model: str
    tokens_in: int
    tokens_out: int
    zone: str


def uses(count: int) -> list[Use]:
    """Calls of several models and zones, each of its own length; the same ones each time."""
    chosen = random.Random(2026)
    return [
        Use(
            chosen.choice(tuple(MODELS)),
            chosen.randint(10, 4000),
            chosen.randint(10, 2000),
            chosen.choice(ZONES),
        )
        for _ in range(count)
    ]


def write_lines(path: Path, some: list[Use]) -> None:
    """The uses as lines of JSON."""
    with path.open("w", encoding="utf-8") as file:
        for number, use in enumerate(some):
            line = {"id": number, "model": use.model, "in": use.tokens_in, "out": use.tokens_out}
            file.write(json.dumps(line | {"zone": use.zone}) + "\n")


def ours(some: list[Use]) -> Callable[[], object]:
    """Single estimates, the five impacts as intervals; models warm."""
    from kilowhat import Activity, Estimator

    estimator = Estimator()

    def loop() -> None:
        for use in some:
            activity = Activity(
                model=use.model,
                input_tokens=use.tokens_in,
                output_tokens=use.tokens_out,
                zone=use.zone,
            )
            impacts = estimator.estimate(activity).impacts
            assert len(impacts) == 5

    loop()
    return loop


def theirs(some: list[Use]) -> Callable[[], object]:
    """EcoLogits' `llm_impacts` in a loop, told tokens out and a latency."""
    from ecologits.log import logger
    from ecologits.tracers.utils import llm_impacts

    logger.setLevel(logging.CRITICAL)  # its warnings, once a model, are not the matter

    def loop() -> None:
        for use in some:
            impacts = llm_impacts(
                provider=MODELS[use.model],
                model_name=use.model,
                output_token_count=use.tokens_out,
                request_latency=use.tokens_out / 60,
                electricity_mix_zone=use.zone,
            )
            assert impacts.energy is not None

    loop()
    return loop
