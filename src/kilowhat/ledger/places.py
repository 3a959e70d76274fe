"""Where calls run: what the log says, else the rules of a file, else one zone for all."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from kilowhat.errors import InvalidValue, UnknownName, UnknownRegion, UnknownZone
from kilowhat.language import mark, translate
from kilowhat.registry.places import find_region, find_zone
from kilowhat.registry.providers import find_provider
from kilowhat.registry.tables import DATA

if TYPE_CHECKING:
    from pathlib import Path


class Place(NamedTuple):
    """Where calls run: an electricity zone or a cloud region, "" when neither is known."""

    zone: str
    region: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Where calls of some kind run: every pattern that is given must match.

    Attributes:
        zone: electricity zone; or
        region: cloud region, ``provider:region``.
        provider, project, team, model: patterns, as of file names.
        where: pattern of the region that the log states, for names that no table holds.
    """

    zone: str = ""
    region: str = ""
    provider: str = "*"
    project: str = "*"
    team: str = "*"
    model: str = "*"
    where: str = "*"

    def fits(self, told: dict[str, str]) -> bool:
        """Whether the rule holds for such calls."""
        return all(fnmatchcase(told.get(key, ""), getattr(self, key)) for key in PATTERNS)


PATTERNS = ("provider", "project", "team", "model", "where")
_NAMES = tuple(each.name for each in fields(Rule))


class Places:
    """Finds where calls run.

    Args:
        rules: tried in their order, for calls of which the log says nothing.
        default: the zone of all others; "" when none is given.
        data: directory of the tables of zones and regions.
    """

    def __init__(self, rules: tuple[Rule, ...] = (), default: str = "", data: Path = DATA) -> None:
        self.rules = rules
        self.default = find_zone(default, data).id if default else ""
        self.data = data
        self.unknown: dict[str, None] = {}

    def keys(self) -> tuple[str, ...]:
        """The keys of calls that the rules ask about."""
        asked = {key for rule in self.rules for key in PATTERNS if getattr(rule, key) != "*"}
        return tuple(key for key in ("project", "team") if key in asked)

    def find(self, told: dict[str, str]) -> Place:
        """Where calls run of which the log tells zone, region, provider, project, team, model."""
        zone, region = told.get("zone", ""), told.get("region", "")
        if told.get("provider"):
            told = {**told, "provider": find_provider(told["provider"], self.data)}
        if zone:
            try:
                return Place(find_zone(zone, self.data).id, "")
            except UnknownZone:
                self.unknown[zone] = None
        if region:
            found = self._region(region, told.get("provider", ""))
            if found:
                return Place("", found)
        for rule in self.rules:
            if rule.fits({**told, "where": region}):
                return Place(rule.zone, rule.region)
        if region:
            self.unknown[region] = None
        return Place(self.default, "")

    def _region(self, name: str, provider: str) -> str:
        """A region of the table, whether or not the log writes whose it is."""
        for written in (name, f"{provider}:{name}"):
            try:
                found = find_region(written, self.data)
            except UnknownRegion:
                continue
            return f"{found.provider}:{found.region}"
        return ""


def read(path: Path, default: str = "", data: Path = DATA) -> Places:
    """The rules of a file: a list of ``[[rule]]``, and a zone for all others, ``default``.

    Raises:
        InvalidValue: it cannot be read, or a rule names no place or two.
        UnknownName: a word that no rule has, a zone or a region that is not in the tables.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidValue(name="zones", value=path, expected=str(error)) from error
    unknown = sorted(set(told) - {"default", "rule"})
    if unknown:
        raise UnknownName(name=unknown[0], nearest=["default", "rule"])
    rules = told.get("rule", [])
    if not isinstance(rules, list):
        raise InvalidValue(name="rule", value=rules, expected="[[rule]]")
    return Places(
        tuple(_rule(rule, data) for rule in rules), default or str(told.get("default", "")), data
    )


def _rule(told: object, data: Path) -> Rule:
    if not isinstance(told, dict):
        raise InvalidValue(name="rule", value=told, expected="[[rule]]")
    unknown = sorted(set(told) - set(_NAMES))
    if unknown:
        raise UnknownName(name=unknown[0], nearest=list(_NAMES))
    if ("zone" in told) == ("region" in told):
        expected = translate(mark("exactly one of zone and region"))
        raise InvalidValue(name="rule", value=told, expected=expected)
    values = {name: str(value) for name, value in told.items()}
    if "zone" in values:
        values["zone"] = find_zone(values["zone"], data).id
    else:
        found = find_region(values["region"], data)
        values["region"] = f"{found.provider}:{found.region}"
    return Rule(**values)
