"""Defaults that a user sets once, and where each of them comes from.

Order: flags, then ``KILOWHAT_*`` in the environment, then ``./kilowhat.toml`` or
``[tool.kilowhat]`` in ``./pyproject.toml``, then the user's own file.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from kilowhat.errors import InvalidValue, UnknownName
from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SETTINGS: dict[str, str] = {
    "lang": mark("language of messages: fr or en"),
    "zone": mark("electricity zone when none is given"),
    "region": mark("cloud region when none is given"),
    "provider": mark("who serves the models when it is not given"),
    "date": mark("date of the factors when none is given"),
    "factors": mark("directory of your own factors"),
    "draws": mark("number of draws of each doubtful number"),
    "purpose": mark("which sources are preferred: attributional, consequential, regulatory-fr"),
}

DEFAULTS: dict[str, str] = {
    "lang": mark("the environment's"),
    "zone": mark("world average, and said"),
    "region": "",
    "provider": "",
    "date": mark("the latest year known"),
    "factors": "",
    "draws": "1024",
    "purpose": "attributional",
}
"""What happens when a setting is not set: a value, words for one, or nothing."""

_KINDS: dict[str, dict[str, object]] = {
    "lang": {"type": "string", "enum": ["fr", "en"]},
    "zone": {"type": "string", "minLength": 1},
    "region": {"type": "string", "pattern": "^[^:]+:[^:]+$"},
    "provider": {"type": "string", "minLength": 1},
    "date": {
        "anyOf": [
            {"type": "string", "pattern": "^[0-9]{4}(-[0-9]{2}-[0-9]{2})?$"},
            {"type": "integer", "minimum": 2000, "maximum": 2100},
        ]
    },
    "factors": {"type": "string", "minLength": 1},
    "draws": {"type": "integer", "minimum": 64, "maximum": 1_000_000},
    "purpose": {"type": "string", "enum": ["attributional", "consequential", "regulatory-fr"]},
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A default: its value, and where it was set."""

    value: str
    origin: str


def user_file() -> Path:
    """The path of the user's own settings file."""
    if sys.platform != "linux":
        from platformdirs import user_config_path

        return user_config_path("kilowhat") / "kilowhat.toml"
    # The same path as platformdirs', whose import takes longer than all else that settings do.
    home = os.environ.get("XDG_CONFIG_HOME", "").strip() or "~/.config"
    return Path(home).expanduser() / "kilowhat" / "kilowhat.toml"


def schema() -> dict[str, object]:
    """The JSON Schema of ``kilowhat.toml`` and of ``[tool.kilowhat]``, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kilowhat.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {"description": translate(said)} | _KINDS[name] for name, said in SETTINGS.items()
        },
    }


@lru_cache(maxsize=8)
def _parsed(path: Path, changed_ns: int) -> dict[str, object]:  # noqa: ARG001 - part of the key
    """The content of a settings file, read once for each time that it changed."""
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text) if "kilowhat" in f"{path.name} {text}" else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidValue(name=str(path), value="TOML", expected=str(error)) from error


def _here() -> Path:
    """The directory that we are in, or that of the user's file when ours was deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return user_file().parent


def _files(directory: Path) -> Iterator[tuple[Path, dict[str, object]]]:
    candidates = [directory / "kilowhat.toml", directory / "pyproject.toml", user_file()]
    for path in candidates:
        if not path.is_file():
            continue
        try:
            whole = _parsed(path, path.stat().st_mtime_ns)
        except InvalidValue:
            if path.name == "pyproject.toml":
                continue  # somebody else's file: not ours to complain about
            raise
        content: object = whole
        if path.name == "pyproject.toml":
            tool = whole.get("tool", {})
            content = tool.get("kilowhat", {}) if isinstance(tool, dict) else {}
        if not isinstance(content, dict):
            expected = translate(mark("a table of settings is needed"))
            raise InvalidValue(name=str(path), value="tool.kilowhat", expected=expected)
        yield path, content


def read(
    directory: Path | None = None, environ: Mapping[str, str] | None = None
) -> dict[str, Setting]:
    """Every default that is set, with its origin.

    Raises:
        InvalidValue: a settings file is not TOML, or a value is not a text or a number.
        UnknownName: a settings file has a key that is not a setting.
    """
    found: dict[str, Setting] = {}
    variables = os.environ if environ is None else environ
    for name in SETTINGS:
        value = variables.get(f"KILOWHAT_{name.upper()}")
        if value:
            found[name] = Setting(value, f"KILOWHAT_{name.upper()}")
    for path, content in _files(directory or _here()):
        for name, raw in content.items():
            if name not in SETTINGS:
                import difflib

                raise UnknownName(
                    name=f"{path}: {name}", nearest=difflib.get_close_matches(name, SETTINGS)
                )
            if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
                raise InvalidValue(name=name, value=raw, expected=str(path))
            found.setdefault(name, Setting(str(raw), str(path)))
    return found
