"""The verbs as Python functions: the fields and the numbers are those of the command line."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from kilowhat.assessment import everyday
from kilowhat.assessment.estimator import Estimator
from kilowhat.assessment.training import Trainer, TrainingQuestion
from kilowhat.assessment.uses import activity, training_values
from kilowhat.quantity.notation import split_quantity
from kilowhat.quantity.quantity import Quantity

if TYPE_CHECKING:
    from pathlib import Path

    from kilowhat.assessment.everyday import Comparison
    from kilowhat.assessment.result import Assessment
    from kilowhat.assessment.training import TrainingAnswer
    from kilowhat.domain.inventory import Inventory
    from kilowhat.ledger.question import LogQuestion, Watch
    from kilowhat.registry.resolve import Registry


@cache
def _shared() -> Estimator:
    """The estimator that calls without a registry share, so that a model stays warm."""
    return Estimator()


def estimate(
    model: str | None = None, *, registry: Registry | None = None, **fields: object
) -> Assessment:
    """The impacts of a use of a model, all its calls together, with intervals and sources.

    impact = activity data × factor, for each stage and category

    Args:
        model: name as its provider or Hugging Face writes it; or give ``parameters`` or ``like``.
        registry: the sourced numbers; the shipped ones when not given.
        fields: those of the command line, with ``_`` for ``-``: ``out=400, zone="FRA",
            calls=1000, accelerator="h100-sxm", count=8, concurrency=64`` …; the prompt's tokens
            are ``input`` here, since ``in`` is a word of the language [token].

    Returns:
        An assessment: ``impacts``, ``stages``, ``drivers()``, ``trail()``, ``to_dict()``; each
        interval is the 5 %, 50 % and 95 % point in J, gCO2e, L, MJ or kgSbeq.

    Raises:
        UnknownModel: no model has such a name; names the nearest ones.
        UsageError: any other field that is wrong; the message says what would work.

    Source: the trail of the result names every factor's.

    >>> result = estimate("gpt-4o", input=500, out=400, zone="FRA")
    >>> result.impacts["energy"].unit
    'J'
    """
    if "input" in fields:
        fields["in"] = fields.pop("input")
    use = activity({"model": model, **fields})
    return (Estimator(registry) if registry else _shared()).estimate(use)


def train(
    model: str | None = None, *, registry: Registry | None = None, **known: object
) -> TrainingAnswer:
    """The impacts of a training run, by declared hours and by computed arithmetic.

    E = hours · power · utilisation, and E = 6 · N · D / (peak · MFU) · power · utilisation

    Args:
        model: a model whose training is published; or describe the run.
        registry: the sourced numbers; the shipped ones when not given.
        known: those of the command line, with ``_`` for ``-``: ``gpu_hours`` [h],
            ``accelerator``, ``parameters`` [1], ``tokens`` [1], ``flop`` [FLOP], ``power`` [W],
            ``mfu`` [1], ``zone``, ``date`` …

    Raises:
        UsageError: an unknown name, or nothing that either road could start from.

    Source: Patterson et al. 2021 (arXiv 2104.10350); the trail names every factor's.

    >>> answer = train(gpu_hours=1e6, accelerator="h100-sxm", zone="FRA")
    >>> list(answer.roads)
    ['declared hours']
    """
    question = TrainingQuestion(**training_values({"model": model, **known}))
    return Trainer(registry or _shared().registry).train(question)


def compare(
    amount: str | Quantity, *, to: str | None = None, registry: Registry | None = None
) -> Comparison:
    """An amount in everyday things; or so many everyday things as an amount.

    n = amount / what one takes

    Args:
        amount: such as ``"2.9 Wh"``, ``"1 h microwave"``, ``"10 kgCO2e"``, or a quantity.
        to: the only everyday thing to compare with.
        registry: the sourced numbers; the shipped ones when not given.

    Raises:
        UnknownEquivalence: no everyday thing has such a name.
        UnknownUnit: the unit is not known; names the nearest.

    Source: the factor of each likeness.

    >>> compare("2.9 Wh", to="microwave").category
    'energy'
    """
    known = registry or _shared().registry
    if isinstance(amount, Quantity):
        return everyday.compare(amount, known, to=to)
    reading, thing = split_quantity(amount)
    return everyday.compare(reading.quantity, known, thing=thing or None, to=to)


def account(*paths: str | Path, registry: Registry | None = None, **options: object) -> Inventory:
    """The inventory of logs of calls: their impacts by any key, with doubt and coverage.

    impact = Σ over calls of activity data × factor, draw by draw

    Args:
        paths: files, folders and patterns; every format of ``kilowhat list formats`` is found.
        registry: the sourced numbers; the shipped ones when not given.
        options: the attributes of `kilowhat.ledger.question.LogQuestion`, in the words of the
            command line: ``by=["day,model"]``, ``since="2025-01"``, ``zone="FRA"``,
            ``what_if=["zone=SWE"]``, ``compare_to="2025-01..2025-06"``, ``budget="10 kWh/day"`` …

    Returns:
        An inventory: ``impacts``, ``breakdowns``, ``coverage``, ``drivers``, ``to_dict()``;
        intervals are the 5 %, 50 % and 95 % points in J, gCO2e, L, MJ or kgSbeq.

    Raises:
        MissingExtra: ``pip install 'kilowhat[account]'`` adds what is needed.
        UsageError: a file or an option that cannot be; the message says what would do.

    Source: the trail of the result names every factor's.
    """
    from kilowhat.ledger.asked import asked  # noqa: PLC0415 - only logs need it

    return account_log(asked([str(path) for path in paths], options), registry=registry)


def account_log(
    question: LogQuestion, *, registry: Registry | None = None, watch: Watch | None = None
) -> Inventory:
    """The inventory that a question asks for.

    Args:
        question: which logs, and what of them.
        registry: the sourced numbers; the shipped ones when not given.
        watch: told how far the work has come.

    Raises:
        UsageError: a file or an option that cannot be; the message says what would do.
    """
    from kilowhat.ledger.account import account as run  # noqa: PLC0415 - only logs need it

    return run(question, registry or _shared().registry, watch)
