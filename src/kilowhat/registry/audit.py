"""``kilowhat data check``: every table loaded, and every number asked whether it can be true.

A check is a function from the material to its findings.  What was looked into and stands is
listed, with the reason, in ``acknowledged.csv``; an acknowledgement that no longer answers a
finding is itself one.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from typing import TYPE_CHECKING

from kilowhat.domain.evidence import plain_name
from kilowhat.errors import KilowhatError
from kilowhat.language import mark
from kilowhat.registry import evidence
from kilowhat.registry.findings import ERROR, WARNING, Finding, Material
from kilowhat.registry.places import PROVIDERS
from kilowhat.registry.plausibility import NUMBER_CHECKS
from kilowhat.registry.tables import DATA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kilowhat.registry.findings import Located

FAMILIES = (
    "deployment", "everyday", "facility", "grid", "hardware", "inference", "media", "text",
    "training",
)  # fmt: skip
"""The families that the methods look factors up in."""

_NOT_COUNTRIES = ("EU", "EZ", "UN")  # reserved by ISO 3166 for what is no country
_APART = ("ODbL", "CC-BY-SA")  # licences whose rows stand in a file of their own
_LABELS = {
    "zones.csv": ("id", ("name_en", "name_fr")),
    "equivalences.csv": (
        "id", ("label_en_one", "label_en_many", "label_fr_one", "label_fr_many"),
    ),
    "evidence/subjects.csv": ("id", ("name_en", "name_fr")),
    "model_classes.csv": ("id", ("label_en", "label_fr")),
}  # fmt: skip
_UNIQUE = {
    "zones.csv": ("id",),
    "regions.csv": ("provider", "region"),
    "accelerators.csv": ("id",),
    "models.csv": ("id",),
    "equivalences.csv": ("id",),
}
_OF_A_CLASS = {"host_ratio", "idle_ratio", "lifetime", "utilisation"}
_KEY = re.compile(r"[a-z0-9][a-z0-9.+_-]*")


def tables_load(material: Material) -> Iterator[Finding]:
    """Rows that the loader refuses: in factors, sources, spreads and evidence."""
    _ = material.factors  # reading is what finds them
    yield from material.refused
    if (material.directory / "evidence").is_dir() and not material.refused:
        try:
            evidence.load.__wrapped__(material.directory)
        except KilowhatError as error:
            file, line = error.fields.get("file", "evidence"), error.fields.get("line", 0)
            yield Finding(
                "refused", str(file), "", mark("line {line}: {reason}"),
                mark("The loader refuses the table until this row is mended or removed."),
                {"line": line, "reason": error.fields.get("reason", str(error))},
            )  # fmt: skip


def families_have_files(material: Material) -> Iterator[Finding]:
    """A family without a file, and a file whose name begins with no family of the methods."""
    files = sorted((material.directory / "factors").glob("*.csv"))
    for path in files:
        if path.stem.partition("_")[0] not in FAMILIES:
            yield Finding(
                "family", path.name, "", mark("the file's name begins with no known family"),
                mark("Name it after its rows: family.csv, or family_what.csv."),
            )  # fmt: skip
    for family in FAMILIES:
        if not any(path.stem.partition("_")[0] == family for path in files):
            yield Finding(
                "family", "factors", family, mark("the family {family} has no file"),
                mark("The methods look its factors up; without them every estimate fails."),
                {"family": family},
            )  # fmt: skip


def rows_stand_once(material: Material) -> Iterator[Finding]:
    """A row that stands twice: in one wide table, or in two files of a family."""
    hint = mark("Keep the one that its source still publishes.")
    for name, columns in _UNIQUE.items():
        seen: set[tuple[str, ...]] = set()
        for row in material.table(name):
            key = tuple(row.get(column, "") for column in columns)
            if key in seen:
                yield Finding("duplicate", name, ":".join(key), mark("it stands twice"), hint)
            seen.add(key)
    places: dict[tuple[str, str, object], str] = {}
    for located in material.factors:
        factor = located.factor
        where = places.setdefault((factor.id, factor.source.key, factor.valid_from), located.file)
        if where != located.file:
            yield located.found("duplicate", mark("it also stands in {other}"), hint, other=where)


def zones_are_places(material: Material) -> Iterator[Finding]:
    """A zone listed twice under other names, an aggregate called a country, a missing parent."""
    zones = material.table("zones.csv")
    kinds = {row["id"]: row["kind"] for row in zones}
    names: dict[str, str] = {}
    for row in zones:
        aliases = (row["id"], row["name_en"], row["name_fr"], *row["aliases"].split("|"))
        own = {plain_name(name) for name in (*aliases, row["iso2"]) if name}
        for name in sorted(own):
            other = names.setdefault(name, row["id"])
            if other != row["id"]:
                yield Finding(
                    "duplicate-zone", "zones.csv", row["id"],
                    mark("it shares the name “{name}” with {other}"),
                    mark("One place is one zone: merge them, or rename one."),
                    {"name": name, "other": other},
                )  # fmt: skip
        yield from _misplaced(row, kinds)
    yield from _twin_series(material)


def _misplaced(row: dict[str, str], kinds: dict[str, str]) -> Iterator[Finding]:
    hint = mark("Groups of countries are of kind aggregate, parts of one have it as their parent.")
    parent = row["parent"]
    if parent and parent not in kinds:
        template = mark("its parent {parent} is not a zone")
        yield Finding("parent", "zones.csv", row["id"], template, hint, {"parent": parent})
    is_iso = re.fullmatch(r"[a-z]{3}", row["id"]) and re.fullmatch(r"[A-Z]{2}", row["iso2"])
    holds_countries = kinds.get(parent) == "country" and row["kind"] == "country"
    if row["kind"] == "country" and (not is_iso or row["iso2"] in _NOT_COUNTRIES):
        template = mark("it is called a country, but {iso2} is no country's code")
        fields = {"iso2": row["iso2"] or row["id"]}
        yield Finding("not-a-country", "zones.csv", row["id"], template, hint, fields)
    if holds_countries:
        template = mark("the country {parent} has a country inside")
        yield Finding("not-a-country", "zones.csv", parent, template, hint, {"parent": parent})


def _twin_series(material: Material) -> Iterator[Finding]:
    """Two sibling zones with the same numbers in every year."""
    parents = {row["id"]: row["parent"] for row in material.table("zones.csv")}
    seen: dict[tuple[object, ...], str] = {}
    for (identity, source), years in material.series.items():
        zone = identity.split(".")[1]
        numbers = tuple((year, row.factor.central) for year, row in sorted(years.items()))
        is_varied = len({number for _, number in numbers}) >= 3
        if not identity.endswith(".gwp_location") or not is_varied:
            continue
        other = seen.setdefault((source, parents.get(zone), numbers), identity)
        if other != identity:
            first = years[min(years)]
            yield first.found(
                "duplicate-zone",
                mark("every year equals {other}: one zone under two keys?"),
                mark("One place is one zone: merge them, or rename one."),
                other=other,
            )


def places_are_known(material: Material) -> Iterator[Finding]:
    """Factors and regions of zones that are not in zones.csv; operators' regions, accelerators."""
    zones = {row["id"] for row in material.table("zones.csv")}
    regions = {(row["provider"], row["region"]) for row in material.table("regions.csv")}
    accelerators = {row["id"] for row in material.table("accelerators.csv")}
    for row in material.table("regions.csv"):
        for name in sorted({row["zone"], row["country"]} - zones):
            yield _unknown_zone("regions.csv", f"{row['provider']}:{row['region']}", name)
    for located in material.factors:
        family, subject = located.factor.id.partition(".")[0], located.subject
        if family == "grid" and subject not in zones:
            yield _unknown_zone(located.file, located.factor.id, subject)
        is_peak = family == "hardware" and located.measurand.startswith("peak_")
        if is_peak and subject not in accelerators:
            yield _unknown_name(located, subject, "accelerators.csv")
        if family == "facility":
            yield from _unknown_region(located, regions)


def _unknown_region(located: Located, regions: set[tuple[str, str]]) -> Iterator[Finding]:
    operator, _, region = located.subject.partition("-")
    provider = PROVIDERS.get(operator, operator)
    is_cloud = any(provider == known for known, _ in regions)
    if region and is_cloud and (provider, region) not in regions:
        yield _unknown_name(located, f"{provider}:{region}", "regions.csv")


def _unknown_name(located: Located, name: str, table: str) -> Finding:
    template = mark("{name} is not in {table}")
    hint = mark("Add it there, or mend the id.")
    return located.found("unknown-name", template, hint, name=name, table=table)


def _unknown_zone(file: str, subject: str, zone: str) -> Finding:
    return Finding(
        "unknown-zone", file, subject, mark("the zone {zone} is not in zones.csv"),
        mark("Add it there, with its names and its parent, or mend the id."), {"zone": zone},
    )  # fmt: skip


def labels_are_translated(material: Material) -> Iterator[Finding]:
    """Names and labels that are missing in one of the languages."""
    for name, (key, columns) in _LABELS.items():
        for row in material.table(name):
            for column in columns:
                if not row.get(column, "").strip():
                    yield Finding(
                        "label", name, row.get(key, ""), mark("{column} is empty"),
                        mark("Every name that users see exists in English and French."),
                        {"column": column},
                    )  # fmt: skip


def _source_cells(material: Material) -> Iterator[tuple[str, str, str]]:
    """Every cell that names sources: the table, the row's first cell, the cell."""
    for name, rows in material.tables.items():
        for row in rows:
            for column, cell in row.items():
                if (column == "source" or column.endswith("_source")) and cell:
                    yield name, next(iter(row.values())), cell


def sources_are_known(material: Material) -> Iterator[Finding]:
    """Rows without source or locator, sources that no table names, licences that must be apart."""
    used: set[str] = set()
    for name, subject, cell in _source_cells(material):
        for key in cell.split("|"):
            used.add(key)
            if material.sources and key not in material.sources and _KEY.fullmatch(key):
                yield Finding(
                    "unknown-source", name, subject, mark("the source {key} is not known"),
                    mark("Add it to sources/, with its licence and the hash of the file read."),
                    {"key": key},
                )  # fmt: skip
    for name, rows in material.tables.items():
        for row in rows:
            for column in ("source", "locator"):
                if column in row and not row[column].strip():
                    yield Finding(
                        "unsourced", name, next(iter(row.values())), mark("{column} is empty"),
                        mark("Say who published the number, and where in it."), {"column": column},
                    )  # fmt: skip
    yield from _never_used(material, used)
    yield from _mixed_licences(material)


def _never_used(material: Material, used: set[str]) -> Iterator[Finding]:
    texts = [path.read_text(encoding="utf-8") for path in _text_files(material.directory)]
    mentioned = set(_KEY.findall(" ".join(texts)))
    for rows in material.tables.values():
        for row in rows:
            for column in ("locator", "note"):
                mentioned.update(_KEY.findall(row.get(column, "")))
    for key, source in material.sources.items():
        if key not in used and key not in mentioned and not source.is_user:
            yield Finding(
                "unused-source", "sources", key, mark("no table names this source"),
                mark("Remove it, or cite it where its numbers are used."), {}, WARNING,
            )  # fmt: skip


def _text_files(directory: Path) -> Iterator[Path]:
    for pattern in ("*.toml", "*.json", "*.md"):
        yield from directory.rglob(pattern)


def _mixed_licences(material: Material) -> Iterator[Finding]:
    """Share-alike rows in one file with rows of another licence."""
    licences: dict[str, set[str]] = defaultdict(set)
    for row in material.factors:
        if not row.factor.source.is_user:
            licences[row.file].add(row.factor.source.licence)
    for file, found in licences.items():
        apart = [licence for licence in found if licence.startswith(_APART)]
        if apart and len(found) > 1:
            yield Finding(
                "licence", file, "", mark("{licence} rows stand beside rows of other licences"),
                mark("Move them to a file of their own."), {"licence": ", ".join(apart)},
            )  # fmt: skip


def names_lead_somewhere(material: Material) -> Iterator[Finding]:
    """Equivalences whose factor is missing, and preferences of defaults.toml that match nothing."""
    for row in material.table("equivalences.csv"):
        if material.factors and row["factor"] not in material.by_id:
            yield Finding(
                "dangling", "equivalences.csv", row["id"], mark("no factor {name}"),
                mark("Mend the id, or add the factor with its source."), {"name": row["factor"]},
            )  # fmt: skip
    path = material.directory / "defaults.toml"
    content = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known: dict[str, set[str]] = defaultdict(set)
    for located in material.factors:
        known[located.family_property].add(located.factor.source.key)
        known[located.factor.id].add(located.factor.source.key)
    for purpose, section in content.items():
        for name, prefixes in section.items() if isinstance(section, dict) else ():
            for prefix in prefixes if isinstance(prefixes, list) else ():
                if not any(key.startswith(prefix) for key in known.get(name, ())):
                    yield Finding(
                        "dangling", "defaults.toml", f"{purpose}.{name}",
                        mark("no row of a source {prefix}…"),
                        mark("Mend the key, or drop the preference."), {"prefix": prefix},
                    )  # fmt: skip


def classes_are_complete(material: Material) -> Iterator[Finding]:
    """Classes of deployment of which one of the four numbers is missing."""
    have: dict[str, set[str]] = defaultdict(set)
    for located in material.factors:
        if located.factor.id.startswith("deployment."):
            have[located.subject].add(located.measurand)
    for name, properties in have.items():
        for missing in sorted(_OF_A_CLASS - properties if _OF_A_CLASS & properties else ()):
            yield Finding(
                "incomplete", "deployment.csv", f"deployment.{name}.{missing}",
                mark("the class {name} has no {missing}"),
                mark("A class needs its host and idle ratios, its lifetime and its utilisation."),
                {"name": name, "missing": missing},
            )  # fmt: skip


CHECKS = (
    tables_load, families_have_files, rows_stand_once, zones_are_places, places_are_known,
    labels_are_translated, sources_are_known, names_lead_somewhere, classes_are_complete,
    *NUMBER_CHECKS,
)  # fmt: skip


def audit(directory: Path = DATA, user_directories: Sequence[Path] = ()) -> list[Finding]:
    """What is wrong in a data directory, and in a user's own factors beside it.

    Args:
        directory: a whole data directory.
        user_directories: directories of a user's own factors.

    >>> [finding.sentence() for finding in audit() if finding.severity == "error"]
    []
    """
    return examine(Material(directory, tuple(user_directories)))


def examine(material: Material) -> list[Finding]:
    """The findings of every check, less those acknowledged; errors first."""
    found = [finding for check in CHECKS for finding in check(material)]
    return _unacknowledged(material, found)


def _unacknowledged(material: Material, found: list[Finding]) -> list[Finding]:
    """The findings that are not acknowledged, then the acknowledgements without a finding."""
    rows = {
        (row["check"], row["id"], row["year"]): row for row in material.table("acknowledged.csv")
    }
    answered = set()
    left = []
    for finding in found:
        key = (finding.check, finding.subject, str(finding.fields.get("year", "")))
        if key in rows:
            answered.add(key)
        else:
            left.append(finding)
    if material.factors:
        for check, subject, year in sorted(rows.keys() - answered):
            template = mark("nothing is found any more: {check} {year}")
            hint = mark("Remove the acknowledgement.")
            fields = {"check": check, "year": year}
            left.append(
                Finding(
                    "acknowledged", "acknowledged.csv", subject, template, hint, fields, WARNING
                )
            )
    return sorted(left, key=lambda finding: (finding.severity != ERROR, finding.file))
