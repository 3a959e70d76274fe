"""Every error of kilowhat.

::

    KilowhatError
    ├── UsageError                 the caller can mend it (exit code 2)
    │   ├── InvalidValue           a value that is negative, absurd or of the wrong kind
    │   ├── UnknownName            a name that is not in a table, with the nearest ones
    │   │   ├── UnknownModel
    │   │   ├── UnknownZone
    │   │   ├── UnknownRegion
    │   │   ├── UnknownAccelerator
    │   │   ├── UnknownUnit
    │   │   ├── UnknownFactor
    │   │   ├── UnknownEquivalence
    │   │   └── UnknownFormat
    │   ├── UnsupportedPrecision   the accelerator has no such arithmetic
    │   ├── DoesNotFit             the model's weights exceed the accelerators' memory
    │   ├── MissingFactor          no rung of a look-up ladder holds a number
    │   ├── UnsupportedUse         no sourced method for this use of this model
    │   ├── MissingExtra           an optional part that is not installed
    │   └── RefusedRows            rows of a log that cannot be accounted, where none may be
    ├── DimensionError             quantities of different dimensions were added or compared
    ├── BoundaryError              an overhead applied to a number that already contains it
    └── DataError                  a shipped or user's table that must be refused
"""

from __future__ import annotations

from typing import ClassVar

from kilowhat.language import mark, translate

_LONGEST = 80  # characters of a name or value that a sentence repeats


class KilowhatError(Exception):
    """Base of all errors: keeps its fields, and builds its sentence in the language in use."""

    template: ClassVar[str] = mark("Something went wrong.")
    hint: ClassVar[str] = ""

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(*fields.values())

    def __getattr__(self, name: str) -> object:
        fields = self.__dict__.get("fields", {})
        if name in fields:
            return fields[name]
        raise AttributeError(name)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.fields))

    def sentence(self) -> str:
        """The error in one sentence, in the language in use."""
        return translate(self.template).format(**self._shown())

    def advice(self) -> str:
        """The way out, in the language in use; empty when there is none to give."""
        return translate(self.hint).format(**self._shown()) if self.hint else ""

    def _shown(self) -> dict[str, object]:
        return {key: _shown(key, value) for key, value in self.fields.items()}

    def __str__(self) -> str:
        return " ".join(part for part in (self.sentence(), self.advice()) if part)


def _shown(key: str, value: object) -> object:
    """A field as a sentence shows it: lists joined, and what a user typed on one short line."""
    if isinstance(value, int) and abs(value) >= 10**_LONGEST:
        return "10^80…"  # too long to write out, and refused by the interpreter far beyond
    if key in ("name", "value"):
        line = " ".join(str(value).split())
        return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
    return ", ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else value


def _rebuild(kind: type[KilowhatError], fields: dict[str, object]) -> KilowhatError:
    return kind(**fields)


class UsageError(KilowhatError):
    """The caller asked for something that cannot be; the sentence says what would work."""


class InvalidValue(UsageError):
    """A value that is negative, absurd or of the wrong kind: fields name, value, expected."""

    template = mark("{name} = {value} is not valid: {expected}.")


class UnknownName(UsageError):
    """A name that no table holds: fields name, nearest (list of valid names)."""

    template = mark("Unknown name “{name}”.")

    def advice(self) -> str:
        """The nearest valid names, when there are some, then the general way out."""
        nearest = self.fields.get("nearest")
        words = (
            translate(mark("Did you mean: {nearest}?")).format(**self._shown()) if nearest else ""
        )
        return " ".join(part for part in (words, super().advice()) if part)


class UnknownModel(UnknownName):
    """A model name that is not in the catalogue."""

    template = mark("Unknown model “{name}”.")
    hint = mark(
        "Describe it instead: --parameters 70e9 [--active 12e9], or --like "
        "small|medium|large|frontier|any. The catalogue: kilowhat list models."
    )


class UnknownZone(UnknownName):
    """An electricity zone that is not in the table."""

    template = mark("Unknown electricity zone “{name}”.")
    hint = mark("All zones: kilowhat list zones.")


class UnknownRegion(UnknownName):
    """A cloud region that is not in the table."""

    template = mark("Unknown cloud region “{name}”.")
    hint = mark("Regions are written provider:region, for example aws:eu-west-3.")


class UnknownAccelerator(UnknownName):
    """An accelerator that is not in the table."""

    template = mark("Unknown accelerator “{name}”.")
    hint = mark("All accelerators: kilowhat list accelerators.")


class UnknownUnit(UnknownName):
    """A unit that is not in the closed table."""

    template = mark("Unknown unit “{name}”.")


class UnknownFactor(UnknownName):
    """A factor id that no table holds."""

    template = mark("Unknown factor “{name}”.")
    hint = mark("All factors: kilowhat data list.")


class UnknownEquivalence(UnknownName):
    """An everyday equivalence that is not in the table."""

    template = mark("Unknown equivalence “{name}”.")
    hint = mark("All equivalences: kilowhat list equivalences.")


class UnsupportedPrecision(UsageError):
    """An arithmetic that the accelerator lacks: fields precision, accelerator, available."""

    template = mark("{accelerator} has no {precision} arithmetic; it has: {available}.")


class DoesNotFit(UsageError):
    """A model larger than the memory: fields model, accelerator, count, needed_gb, available_gb."""

    template = mark(
        "{model} needs about {needed_gb} GB of memory for its weights; "
        "{count} × {accelerator} has {available_gb} GB."
    )
    hint = mark("Use more accelerators (--count), a smaller precision, or a smaller model.")


class MissingFactor(UsageError):
    """No rung of the ladder holds a number: fields wanted, tried, reason."""

    template = mark("No sourced value for {wanted} (tried: {tried}).")


class UnsupportedUse(UsageError):
    """No sourced method for such a use: fields model, use, reason."""

    template = mark("No sourced method for {use} with {model}: {reason}.")


class MissingExtra(UsageError):
    """An optional part that is not installed: fields package, extra."""

    template = mark("{package} is not installed.")
    hint = mark("pip install 'kilowhat[{extra}]' adds it.")


class RefusedRows(UsageError):
    """Rows of a log that cannot be accounted, where none may be: fields count, first."""

    template = mark("{count} row(s) refused; the first: {first}.")
    hint = mark("Without --strict the others are accounted, and these are listed.")


class UnknownFormat(UnknownName):
    """A log format that is not in the table."""

    template = mark("Unknown log format “{name}”.")
    hint = mark("All formats: kilowhat list formats.")


class DimensionError(KilowhatError):
    """Quantities of different dimensions were mixed: fields left, right, operation."""

    template = mark("{operation}: {left} and {right} have different dimensions.")


class BoundaryError(KilowhatError):
    """A stage applied to a number that already contains it: fields have, add."""

    template = mark("The number already contains {add} (its boundary: {have}).")


class DataError(KilowhatError):
    """A table that must be refused: fields file, line, reason."""

    template = mark("{file}, line {line}: {reason}.")
