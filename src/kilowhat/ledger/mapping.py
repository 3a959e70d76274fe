"""Tables of any make: which of their columns is which of ours, said by a file or by their names."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from kilowhat.assessment.uses import BY_NAME
from kilowhat.errors import InvalidValue, UnknownName
from kilowhat.language import mark, translate
from kilowhat.ledger.calls import COLUMNS
from kilowhat.ledger.engine import named, quoted
from kilowhat.ledger.formats import Format

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

ALIASES: dict[str, tuple[str, ...]] = {
    "ts_start": ("start_time", "started_at", "timestamp", "created_at", "created", "ts", "time",
                 "date", "datetime"),
    "ts_end": ("end_time", "ended_at", "completed_at"),
    "source_id": ("request_id", "call_id", "uuid", "id"),
    "provider": ("vendor", "provider_name", "system"),
    "model_served": ("model", "model_name", "response_model", "model_id"),
    "model_requested": ("request_model", "requested_model"),
    "zone": ("grid_zone", "electricity_zone"),
    "region": ("cloud_region",),
    "project": ("project_id", "project_name", "application", "app"),
    "team": ("team_id", "team_name", "department"),
    "user": ("user_id", "username", "end_user"),
    "service_tier": ("tier",),
    "operation": ("operation_name", "call_type"),
    "input_total": ("input_tokens", "prompt_tokens", "tokens_in", "tokens_prompt", "in"),
    "cache_read": ("cached_tokens", "input_cached_tokens", "cached", "cache_read_tokens"),
    "output_total": ("output_tokens", "completion_tokens", "generated_tokens", "tokens_out",
                     "tokens_completion", "out"),
    "reasoning": ("reasoning_tokens",),
    "images_out": ("images", "images_generated"),
    "n_requests": ("num_model_requests", "requests", "calls", "request_count"),
    "latency_s": ("latency", "duration_s"),
    "cost": ("cost_usd", "spend"),
}  # fmt: skip
"""Names under which tables hold our columns, when no mapping file says."""

_EPOCHS = {"s": "moment_s", "ms": "moment_ms", "us": "moment_us", "ns": "moment_ns"}
_IDENTITY = (
    "source_id",
    "ts_start",
    "model_served",
    "model_requested",
    "input_total",
    "output_total",
)
_KEYS = {"column", "unit", "scale", "value"}
_PLAIN = ("TIMESTAMP", "TINYINT", "SMALLINT", "INTEGER", "BIGINT")
"""Types whose columns are taken as they are, so that what files say of them holds."""
_WHOLE_TYPES = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a column of ours comes from: a column of theirs, with its unit, or one value."""

    column: str = ""
    unit: str = ""
    scale: float = 1.0
    value: str | None = None
    is_guess: bool = False

    def read(self, ours: str, kind: str) -> str:
        """The expression of our column.

        Args:
            ours: our column.
            kind: the type of their column, as the engine writes it.
        """
        if self.value is not None:
            return quoted(self.value)
        theirs, wanted = named(self.column), COLUMNS[ours]
        if wanted == "TIMESTAMP":
            return _time(theirs, kind, self.unit)
        if wanted == "BIGINT":
            if self.scale != 1:
                return f"whole(round(number({theirs}) * {self.scale:.17g}))"
            return f"{theirs}::BIGINT" if kind in _WHOLE_TYPES else f"whole({theirs})"
        if wanted == "DOUBLE":
            value = theirs if kind in {"DOUBLE", "FLOAT"} else f"number({theirs})"
            return value if self.scale == 1 else f"{value} * {self.scale:.17g}"
        return theirs if kind == "VARCHAR" else f"{theirs}::VARCHAR"


def _time(theirs: str, kind: str, unit: str) -> str:
    if unit:
        return f"{_EPOCHS[unit]}({theirs})"
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        zoned = f"{theirs}::TIMESTAMPTZ" if kind.endswith(("TIME ZONE", "TZ_NS")) else theirs
        return theirs if kind == "TIMESTAMP" else f"{zoned}::TIMESTAMP"
    return f"instant({theirs})"


@dataclass(frozen=True, slots=True)
class Described:
    """What a mapping file says: the columns of a table, and how models are to be understood.

    Attributes:
        columns: where our columns come from.
        models: the use that stands for a model's name or pattern, by fields of a use.
    """

    columns: Mapping[str, Origin] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def model(self, name: str) -> Mapping[str, object] | None:
        """What stands for a model's name: the name itself first, then patterns in their order."""
        if name in self.models:
            return self.models[name]
        for pattern, found in self.models.items():
            if fnmatchcase(name, pattern):
                return found
        return None


def read(path: Path) -> Described:
    """A mapping file.

    Raises:
        InvalidValue: it cannot be read, or says something that cannot be.
        UnknownName: a column that is not one of ours; names the nearest.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidValue(name="map", value=path, expected=str(error)) from error
    unknown = set(told) - {"columns", "models"}
    if unknown:
        raise UnknownName(name=min(unknown), nearest=["columns", "models"])
    columns = {ours: _origin(ours, value) for ours, value in _table(told, "columns").items()}
    models = {name: _use(name, value) for name, value in _table(told, "models").items()}
    return Described(columns, models)


def _table(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = told.get(name, {})
    if not isinstance(value, dict):
        raise InvalidValue(name=name, value=value, expected=translate(mark("a table is needed")))
    return value


def _origin(ours: str, value: object) -> Origin:
    if ours not in COLUMNS:
        import difflib  # noqa: PLC0415 - only a wrong name needs it

        raise UnknownName(name=ours, nearest=difflib.get_close_matches(ours, COLUMNS, n=3))
    if isinstance(value, str):
        return Origin(value)
    expected = translate(mark("a column's name, or a table with column, unit, scale or value"))
    if (
        not isinstance(value, dict)
        or not set(value) <= _KEYS
        or not {"column", "value"} & set(value)
    ):
        raise InvalidValue(name=ours, value=value, expected=expected)
    unit = value.get("unit", "")
    if unit and unit not in _EPOCHS:
        raise InvalidValue(name=f"{ours}.unit", value=unit, expected=" | ".join(_EPOCHS))
    scale = value.get("scale", 1.0)
    if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not 0 < scale < 1e12:
        raise InvalidValue(name=f"{ours}.scale", value=scale, expected="> 0")
    if scale != 1 and COLUMNS[ours] not in {"BIGINT", "DOUBLE"}:
        expected = translate(mark("a number has a scale; a time has a unit"))
        raise InvalidValue(name=f"{ours}.scale", value=scale, expected=expected)
    if unit and COLUMNS[ours] != "TIMESTAMP":
        expected = translate(mark("a number has a scale; a time has a unit"))
        raise InvalidValue(name=f"{ours}.unit", value=unit, expected=expected)
    constant = None if value.get("value") is None else str(value["value"])
    return Origin(str(value.get("column", "")), str(unit), float(scale), constant)


def _use(name: str, value: object) -> Mapping[str, object]:
    """The fields of a use that stand for a model; checked when the use is made."""
    if isinstance(value, str):
        return {"model": value}
    if not isinstance(value, dict) or not value:
        expected = translate(mark("a model's name, or a table of fields of a use"))
        raise InvalidValue(name=f"models.{name}", value=value, expected=expected)
    for key, each in value.items():
        if key not in BY_NAME:
            import difflib  # noqa: PLC0415 - only a wrong name needs it

            raise UnknownName(name=key, nearest=difflib.get_close_matches(key, BY_NAME, n=3))
        BY_NAME[key].read(each)
    return value


def guessed(columns: Collection[str]) -> dict[str, Origin]:
    """Where our columns come from in a table that nobody described: by their names.

    >>> guessed(["model", "prompt_tokens", "completion_tokens"])["input_total"].column
    'prompt_tokens'
    """
    by_name = {name.lower(): name for name in reversed(list(columns))}
    found = {}
    for ours in COLUMNS:
        for name in (ours, *ALIASES.get(ours, ())):
            if name in by_name:
                found[ours] = Origin(by_name[name], is_guess=True)
                break
    return found


def describes(origins: Mapping[str, Origin], columns: Collection[str]) -> bool:
    """Whether a description fits a table: all columns that it names are there.

    A name with dots leads into a record, whose own keys are its columns.
    """
    theirs = [origin.column for origin in origins.values() if origin.value is None]
    known = set(columns)
    return bool(theirs) and all(n in known or n.partition(".")[0] in known for n in theirs)


def is_log(origins: Mapping[str, Origin]) -> bool:
    """Whether columns say enough of a log: a model, and something that was done."""
    has_model = "model_served" in origins or "model_requested" in origins
    done = ("input_total", "output_total", "images_out", "video_out_s", "n_requests",
            "input_characters", "output_characters")  # fmt: skip
    return has_model and any(name in origins for name in done)


def table_format(origins: Mapping[str, Origin], kinds: Mapping[str, str]) -> Format:
    """The format of a table whose columns are known.

    Args:
        origins: where our columns come from.
        kinds: the type of each column of the table; text where it is not named.

    Raises:
        InvalidValue: a column is not in the table.
    """
    theirs = [origin.column for origin in origins.values() if origin.value is None]
    missing = [name for name in theirs if kinds and name not in kinds]
    if missing:
        expected = translate(mark("a column of the table: {columns}"))
        listed = ", ".join(list(kinds)[:20])
        raise InvalidValue(name="map", value=missing[0], expected=expected.format(columns=listed))
    read = {
        ours: origin.read(ours, kinds.get(origin.column, "VARCHAR"))
        for ours, origin in origins.items()
    }
    identity = origins.get("source_id")
    if identity is not None and identity.is_guess:
        # A guessed id may be the number of a row: a repeat is alike in all that is counted too.
        alike = [f"{of}::VARCHAR" for ours, of in read.items() if ours in _IDENTITY]
        all_of_it = f"concat_ws('/', {', '.join(alike)})"
        read["source_id"] = f"CASE WHEN {named(identity.column)} IS NOT NULL THEN {all_of_it} END"
    chosen = [f"{of} AS {named(ours)}" for ours, of in read.items()]
    return Format(
        name="table",
        title=translate(mark("any table")),
        kind="table",
        detect="",
        columns=tuple(dict.fromkeys(theirs)),
        select=f"SELECT {', '.join(chosen)} FROM raw",
        plain=tuple(
            (ours, origin.column)
            for ours, origin in origins.items()
            if kinds.get(origin.column) in _PLAIN and origin.scale == 1 and not origin.unit
        ),
    )
