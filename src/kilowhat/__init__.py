"""How much energy, carbon, water and hardware AI takes, how sure that is, and who says so.

The public names are loaded when they are first used: importing this package costs nothing.

* `estimate`: a use of a model, as an `Assessment`.
* `train`: the training of a model, by declared hours and by arithmetic.
* `account`: logs of calls, as an `Inventory`.
* `compare`: an amount in everyday things, and the reverse.
* `Estimator`, `Registry`: what several estimates share; `Activity`, `Quantity`: the nouns.
* `KilowhatError`: the base of every error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kilowhat._version import __version__

if TYPE_CHECKING:
    from kilowhat.api import account, compare, estimate, train
    from kilowhat.assessment.estimator import Estimator
    from kilowhat.assessment.result import Assessment
    from kilowhat.domain.activity import Activity
    from kilowhat.errors import KilowhatError
    from kilowhat.quantity.quantity import Quantity
    from kilowhat.registry.resolve import Registry

__all__ = [
    "Activity",
    "Assessment",
    "Estimator",
    "KilowhatError",
    "Quantity",
    "Registry",
    "__version__",
    "account",
    "compare",
    "estimate",
    "train",
]

_HOMES = {
    "Activity": "kilowhat.domain.activity",
    "Assessment": "kilowhat.assessment.result",
    "Estimator": "kilowhat.assessment.estimator",
    "KilowhatError": "kilowhat.errors",
    "Quantity": "kilowhat.quantity.quantity",
    "Registry": "kilowhat.registry.resolve",
    "account": "kilowhat.api",
    "compare": "kilowhat.api",
    "estimate": "kilowhat.api",
    "train": "kilowhat.api",
}


def __getattr__(name: str) -> object:
    """A public name, imported now."""
    import importlib  # noqa: PLC0415 - importing this package must cost nothing

    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
