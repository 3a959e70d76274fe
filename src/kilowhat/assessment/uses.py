"""The fields that describe a use: one table for the command line, JSON lines and Python.

Each field knows its kind and its bounds, so a wrong value gives the same sentence everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from kilowhat.domain.activity import Activity
from kilowhat.errors import InvalidValue, KilowhatError, UnknownName
from kilowhat.language import current, mark, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

UNITS_PER = ("call", "1k-calls", "1M-tokens", "image", "second", "user-year")
"""What a result may be per."""
_SIZE = re.compile(r"\s*(\d{1,5})\s*[x×X*]\s*(\d{1,5})\s*")
_YEAR = re.compile(r"\d{4}")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a use: name in JSON, attribute of `Activity`, kind, bounds, help."""

    name: str
    attribute: str
    kind: str
    help: str
    low: float = 0.0
    high: float = 1e15
    metavar: str = "N"

    @property
    def flag(self) -> str:
        """The field as a command-line option."""
        return "--" + self.name.replace("_", "-")

    def read(self, value: object) -> Any:
        """The value in the type of its attribute.

        Raises:
            InvalidValue: the value is of the wrong kind or out of bounds.
        """
        return _READERS[self.kind](self, value)


def _fail(field: Field, value: object, expected: str) -> InvalidValue:
    return InvalidValue(name=field.name, value=value, expected=expected)


def _plain(bound: float) -> str:
    """A bound as a reader writes it, powers of ten from a million million on."""
    from kilowhat.quantity.notation import format_number  # noqa: PLC0415 - for errors only

    return format_number(bound, None) if bound < 1e12 else f"{bound:g}"


def _read_number(field: Field, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise _fail(field, value, translate(mark("a number is needed")))
    try:
        number = float(value)
    except OverflowError:
        raise _fail(field, value, translate(mark("a number is needed"))) from None
    except ValueError:
        number = _written_number(field, str(value))
    if not field.low <= number <= field.high:  # which no "not a number" does
        expected = translate(mark("between {low} and {high}"))
        bounds = {"low": _plain(field.low), "high": _plain(field.high)}
        raise _fail(field, value, expected.format(**bounds))
    return number


def _written_number(field: Field, text: str) -> float:
    """A number as people write it: ``1 200``, ``30,84e6`` in French, ``1,200`` in English."""
    from kilowhat.quantity.notation import parse_number  # noqa: PLC0415 - seldom needed

    try:
        return parse_number(text[:40], current())
    except KilowhatError:
        raise _fail(field, text, translate(mark("a number is needed"))) from None


def _read_integer(field: Field, value: object) -> int:
    number = _read_number(field, value)
    if number != int(number):
        raise _fail(field, value, translate(mark("a whole number is needed")))
    return int(number)


def _read_text(field: Field, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 200:
        raise _fail(field, value, translate(mark("a short text is needed")))
    return value.strip()


def _read_duration(field: Field, value: object) -> float:
    if not isinstance(value, str) or value.strip().replace(".", "", 1).isdigit():
        return _read_number(field, value)
    from kilowhat.quantity.reading import parse_quantity  # noqa: PLC0415 - seldom written out

    try:
        return _read_number(field, parse_quantity(value).to("s"))
    except KilowhatError:
        raise _fail(field, value, translate(mark("a duration such as 5s is needed"))) from None


def _read_size(field: Field, value: object) -> tuple[int, int]:
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise _fail(field, value, translate(mark("a size such as 1024x1024 is needed")))
    width, height = int(match[1]), int(match[2])
    if not (16 <= width <= 16384 and 16 <= height <= 16384):
        raise _fail(field, value, translate(mark("each side from 16 to 16384 pixels")))
    return width, height


def _read_date(field: Field, value: object) -> date:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 9999:
        raise _fail(field, value, translate(mark("a year from 2000 to 2100")))
    text = str(value).strip()
    try:
        when = date(int(text), 7, 1) if _YEAR.fullmatch(text) else date.fromisoformat(text)
    except ValueError:
        expected = translate(mark("a date such as 2025 or 2025-03-01 is needed"))
        raise _fail(field, value, expected) from None
    if not 2000 <= when.year <= 2100:
        raise _fail(field, value, translate(mark("a year from 2000 to 2100")))
    return when


def _read_choice(*choices: str) -> Callable[[Field, object], str]:
    def read(field: Field, value: object) -> str:
        text = str(value).strip().lower()
        if text not in choices:
            raise _fail(field, value, " | ".join(choices))
        return text

    return read


_READERS: dict[str, Callable[[Field, object], Any]] = {
    "number": _read_number,
    "integer": _read_integer,
    "text": _read_text,
    "duration": _read_duration,
    "size": _read_size,
    "date": _read_date,
    "serving": _read_choice("online", "offline"),
    "class": _read_choice("small", "medium", "large", "frontier", "any"),
}

FIELDS: tuple[Field, ...] = (
    Field("model", "model", "text", mark("model name, as its provider or Hugging Face writes it")),
    Field("in", "input_tokens", "number",
          mark("prompt tokens per call, cached ones included"), 0, 1e8),
    Field("cached", "cached_tokens", "number", mark("prompt tokens read from a cache"), 0, 1e8),
    Field("out", "output_tokens", "number",
          mark("generated tokens per call, reasoning included"), 0, 1e7),
    Field("reasoning", "reasoning_tokens", "number",
          mark("generated tokens that are reasoning"), 0, 1e7),
    Field("images_in", "images_in", "number", mark("images in the prompt"), 0, 1e4),
    Field("videos_in", "videos_in", "number", mark("videos in the prompt"), 0, 1e3),
    Field("audio_in", "audio_in_s", "duration", mark("audio in the prompt"), 0, 1e6, "DURATION"),
    Field("audio_out", "audio_out_s", "duration", mark("audio generated"), 0, 1e6, "DURATION"),
    Field("images", "images", "number", mark("images generated per call"), 0, 1e4),
    Field("video", "video_s", "duration",
          mark("length of the video generated"), 0, 1e4, "DURATION"),
    Field("frames", "frames", "integer", mark("frames of the video generated"), 1, 1e6),
    Field("fps", "fps", "number", mark("frames per second of the video"), 0.1, 240),
    Field("size", "size", "size", mark("width x height in pixels"), metavar="WxH"),
    Field("steps", "steps", "integer", mark("denoising steps"), 1, 1000),
    Field("ulysses", "ulysses", "integer", mark("Ulysses sequence-parallel degree"), 1, 1024),
    Field("ring", "ring", "integer", mark("ring sequence-parallel degree"), 1, 1024),
    Field("calls", "calls", "number", mark("how many such calls"), 1e-12, 1e18),
    Field("tokens_per_second", "tokens_per_second", "number",
          mark("tokens per second that one client sees"), 1e-3, 1e6, "X"),
    Field("provider", "provider", "text", mark("who serves the model"), metavar="NAME"),
    Field("zone", "zone", "text",
          mark("electricity zone: FRA, US-CAL-CISO, world"), metavar="ZONE"),
    Field("region", "region", "text", mark("cloud region: aws:eu-west-3"), metavar="REGION"),
    Field("date", "when", "date", mark("when: 2025, or 2025-03-01"), metavar="DATE"),
    Field("accelerator", "accelerator", "text", mark("accelerator id: h100-sxm"), metavar="ID"),
    Field("count", "count", "integer",
          mark("accelerators that hold one copy of the model"), 1, 100000),
    Field("concurrency", "concurrency", "number",
          mark("mean calls in flight on them (batch size for images and video)"), 1, 1e6),
    Field("precision", "precision", "text", mark("arithmetic: bf16, fp8, int4"), metavar="NAME"),
    Field("serving", "serving", "serving", mark("online (default) or offline batches"),
          metavar="online|offline"),
    Field("parameters", "parameters", "number", mark("parameters of a model not in the list"),
          1e6, 1e14),
    Field("active", "active", "number", mark("parameters active per token"), 1e6, 1e14),
    Field("like", "like", "class", mark("a model of this class"),
          metavar="small|medium|large|frontier|any"),
)  # fmt: skip

TRAINING_FIELDS: tuple[Field, ...] = (
    Field("model", "model", "text", mark("a model whose training is published")),
    Field("gpu_hours", "gpu_hours", "number", mark("accelerator-hours, as declared"), 1e-3, 1e12),
    Field("accelerator", "accelerator", "text", mark("accelerator id: h100-sxm"), metavar="ID"),
    Field("parameters", "parameters", "number", mark("parameters of the model"), 1e3, 1e15),
    Field("active", "active", "number", mark("parameters active per token"), 1e3, 1e15),
    Field("tokens", "tokens", "number", mark("tokens trained on"), 1e3, 1e18),
    Field("flop", "flop", "number", mark("arithmetic of the run"), 1e9, 1e32),
    Field("power", "power_w", "number", mark("watts per accelerator, instead of its TDP"), 1, 1e5),
    Field("mfu", "mfu", "number", mark("model FLOP utilisation, 0 to 1"), 1e-3, 1.0),
    Field("precision", "precision", "text", mark("precision trained in: bf16, fp8"),
          metavar="NAME"),
    Field("development", "development", "number",
          mark("all runs over the final one: 1 is the final run only"), 1.0, 1000.0, "X"),
    Field("zone", "zone", "text", mark("electricity zone: FRA, world"), metavar="ZONE"),
    Field("region", "region", "text", mark("cloud region: aws:eu-west-3"), metavar="REGION"),
    Field("provider", "provider", "text", mark("who runs the datacentre"), metavar="NAME"),
    Field("date", "when", "date", mark("when: 2024, or 2024-03-01"), metavar="DATE"),
)  # fmt: skip

BY_NAME = {field.name: field for field in FIELDS}
_OF_TRAINING = {field.name: field for field in TRAINING_FIELDS}


_ALTERNATIVES = (("model", "parameters", "active", "like"), ("zone", "region"))
_OF_MEDIA = ("images", "video_s", "frames", "fps", "width_px", "steps", "ulysses", "ring")
_OF_TEXT = ("images_in", "videos_in", "audio_in_s", "audio_out_s", "tokens_per_second")


def over(defaults: Mapping[str, object], use: Mapping[str, object]) -> Mapping[str, object]:
    """Defaults with the fields of a use over them; what a use names another way is left out.

    >>> over({"model": "gpt-4o", "zone": "FRA"}, {"region": "aws:us-east-1"})
    {'model': 'gpt-4o', 'region': 'aws:us-east-1'}
    """
    if not defaults:
        return use
    given = {name for name, value in use.items() if value is not None}
    hidden = {name for group in _ALTERNATIVES if given.intersection(group) for name in group}
    kept = {name: value for name, value in defaults.items() if name not in hidden - given}
    return {**kept, **{name: value for name, value in use.items() if value is not None}}


def activity(use: Mapping[str, object]) -> Activity:
    """The activity that a mapping of field names to values describes; nothing is guessed.

    Args:
        use: names of `FIELDS`; ``None`` values are the same as absent ones.

    Raises:
        UnknownName: a name that is not a field, with the nearest ones.
        InvalidValue: a value of the wrong kind, out of bounds, or two that contradict.
    """
    values = _read_all(use, BY_NAME)
    if "size" in values:
        values["width_px"], values["height_px"] = values.pop("size")
    result = Activity(**values)
    _check(result)
    return result


def training_values(known: Mapping[str, object]) -> dict[str, Any]:
    """What is known of a training run, by the attributes of `TrainingQuestion`.

    Args:
        known: names of `TRAINING_FIELDS`; ``None`` values are the same as absent ones.

    Raises:
        UnknownName: a name that is not a field, with the nearest ones.
        InvalidValue: a value of the wrong kind, out of bounds, or two that contradict.
    """
    values = _read_all(known, _OF_TRAINING)
    limit = values.get("parameters", 0.0)
    if values.get("active", 0.0) > limit:
        expected = translate(mark("at most {other} = {limit}"))
        raise InvalidValue(
            name="active",
            value=f"{values['active']:g}",
            expected=expected.format(other="parameters", limit=f"{limit:g}"),
        )
    return values


def _read_all(given: Mapping[str, object], fields: Mapping[str, Field]) -> dict[str, Any]:
    """Every value that is given, read, by the attribute of its field."""
    values: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or name == "id":
            continue
        field = fields.get(name)
        if field is None:
            import difflib  # noqa: PLC0415 - only a wrong name needs it

            nearest = difflib.get_close_matches(name[:40], fields, n=3, cutoff=0.5)
            raise UnknownName(name=name, nearest=nearest)
        values[field.attribute] = field.read(value)
    return values


def _check(use: Activity) -> None:
    """Refuse fields that contradict one another."""
    if use.cached_tokens:
        _at_most("cached", use.cached_tokens, "in", use.input_tokens)
    if use.reasoning_tokens:
        _at_most("reasoning", use.reasoning_tokens, "out", use.output_tokens)
    if use.active:
        _at_most("active", use.active, "parameters", use.parameters)
    if use.frames and use.video_s and use.fps and abs(use.frames - use.video_s * use.fps) > 1.5:
        frames = f"{use.video_s * use.fps:g}"
        expected = translate(mark("video × fps is {frames}")).format(frames=frames)
        raise InvalidValue(name="frames", value=f"{use.frames:g}", expected=expected)
    if use.input_tokens == 0 and use.output_tokens == 0 and not (use.images_in or use.videos_in):
        raise InvalidValue(name="out", value=0, expected=translate(mark("nothing to price")))
    if (use.model, use.parameters, use.like).count(None) != 2:
        expected = translate(mark("exactly one of model, parameters and like"))
        raise InvalidValue(name="model", value=use.model or "", expected=expected)
    if use.count is not None and use.accelerator is None:
        expected = translate(mark("count needs an accelerator"))
        raise InvalidValue(name="count", value=use.count, expected=expected)


def _at_most(name: str, value: float, other: str, limit: float | None) -> None:
    """Refuse a part that is larger than its whole."""
    if value > (limit or 0.0):
        expected = translate(mark("at most {other} = {limit}"))
        raise InvalidValue(
            name=name,
            value=f"{value:g}",
            expected=expected.format(other=other, limit=f"{limit or 0:g}"),
        )


def refuse_media_fields(use: Activity) -> None:
    """Refuse fields that only images and video have, on a use that is a text call.

    Raises:
        InvalidValue: the first such field.
    """
    if any(_media_values(use)):
        _refuse(use, _OF_MEDIA, mark("a text call has no such field"))


def refuse_text_fields(use: Activity) -> None:
    """Refuse fields that only text calls have, on a use that generates images or video.

    Raises:
        InvalidValue: the first such field.
    """
    if any(_text_values(use)):
        _refuse(use, _OF_TEXT, mark("the generation of images or video has no such field"))


_media_values = attrgetter(*_OF_MEDIA)
_text_values = attrgetter(*_OF_TEXT)


def _refuse(use: Activity, attributes: tuple[str, ...], expected: str) -> None:
    for attribute in attributes:
        value = getattr(use, attribute)
        if value:
            named = "size" if attribute == "width_px" else attribute
            name = next(field.name for field in FIELDS if field.attribute == named)
            raise InvalidValue(name=name, value=value, expected=translate(expected))
