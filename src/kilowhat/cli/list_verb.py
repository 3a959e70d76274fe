"""``kilowhat list``: the names that other verbs understand."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from kilowhat.cli.factor_text import number, print_json
from kilowhat.cli.options import print_table, shared, verb
from kilowhat.errors import (
    UnknownAccelerator,
    UnknownEquivalence,
    UnknownFormat,
    UnknownModel,
    UnknownName,
    UnknownRegion,
    UnknownZone,
)
from kilowhat.language import current, mark, translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.display.text import Column

_Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Listing:
    """What one listing shows: its table, the columns searched, those shown, and its error."""

    file: str
    searched: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    error: type[UnknownName]


LISTINGS = {
    "models": Listing(
        "models.csv",
        ("id", "name", "provider", "kind", "aliases"),
        (
            ("id", mark("Id")), ("name", mark("Name")), ("provider", mark("Provider")),
            ("kind", mark("Kind")), ("total", mark("Parameters (10⁹)")),
            ("active", mark("Active (10⁹)")), ("released", mark("Released")),
            ("basis", mark("Basis")),
        ),
        UnknownModel,
    ),
    "zones": Listing(
        "zones.csv",
        ("id", "iso2", "name_en", "name_fr", "aliases", "kind"),
        (
            ("id", mark("Id")), ("name", mark("Name")), ("kind", mark("Kind")),
            ("parent", mark("Part of")),
        ),
        UnknownZone,
    ),
    "regions": Listing(
        "regions.csv",
        ("id", "zone", "country", "name"),
        (("id", mark("Id")), ("name", mark("Name")), ("zone", mark("Zone"))),
        UnknownRegion,
    ),
    "accelerators": Listing(
        "accelerators.csv",
        ("id", "name", "vendor", "kind", "aliases"),
        (
            ("id", mark("Id")), ("name", mark("Name")), ("kind", mark("Kind")),
            ("tdp", mark("Power (W)")), ("memory", mark("Memory (GB)")),
            ("bandwidth", mark("Bandwidth (GB/s)")), ("released", mark("Released")),
        ),
        UnknownAccelerator,
    ),
    "equivalences": Listing(
        "equivalences.csv",
        ("id", "dimension", "label_en_one", "label_en_many", "label_fr_one", "label_fr_many"),
        (
            ("id", mark("Id")), ("name", mark("Name")), ("dimension", mark("Of")),
            ("value", mark("One is")), ("locales", mark("Where")), ("source", mark("Source")),
        ),
        UnknownEquivalence,
    ),
    "formats": Listing(
        "",
        ("id", "name", "kind"),
        (("id", mark("Id")), ("name", mark("Name")), ("kind", mark("Kind"))),
        UnknownFormat,
    ),
}  # fmt: skip

_NUMBERS = ("total", "active", "tdp", "memory", "bandwidth", "value")
_WORDS = {
    "text": mark("text"), "image": mark("image"), "video": mark("video"), "audio": mark("audio"),
    "embedding": mark("embedding"), "vision": mark("vision"), "country": mark("country"),
    "aggregate": mark("aggregate"), "subdivision": mark("subdivision"),
    "bidding-zone": mark("bidding zone"), "datacentre": mark("datacentre"),
    "desktop": mark("desktop"), "laptop": mark("laptop"), "edge": mark("edge"),
    "npu": mark("npu"), "tpu": mark("tpu"), "declared": mark("declared"),
    "modelled": mark("modelled"), "measured": mark("measured"), "assumed": mark("assumed"),
    "records": mark("records"), "table": mark("table"),
    "energy": mark("energy"), "ghg": mark("greenhouse gas"), "water": mark("water"),
}  # fmt: skip
_TRANSLATED = ("kind", "basis", "dimension")


@verb("list", mark("Models, zones, regions, accelerators, equivalences, log formats."))
@click.argument("what", type=click.Choice(list(LISTINGS)))
@click.argument("pattern", required=False)
@shared("json", "lang", "factors")
def command(what: str, pattern: str | None, **options: Any) -> int:
    """List names, all or those that hold a pattern."""
    from kilowhat.registry.tables import DATA, table

    listing = LISTINGS[what]
    rows = _formats() if what == "formats" else [_named(row) for row in table(DATA / listing.file)]
    if pattern:
        rows = _matching(rows, listing, pattern)
    _ADDED.get(what, _nothing)(rows, options)
    if options["as_json"]:
        print_json([_as_dict(row, listing) for row in rows])
    else:
        _print(rows, listing)
    return 0


def _formats() -> list[_Row]:
    """The log formats, from the files that read them."""
    from kilowhat.ledger.formats import formats

    return [{"id": each.name, "name": each.title, "kind": each.kind} for each in formats().values()]


def _named(row: _Row) -> _Row:
    """The row with an id, and a name in the language in use."""
    language = current()
    if "region" in row:
        row["id"] = f"{row['provider']}:{row['region']}"
    for column in (f"name_{language}", f"label_{language}_one"):
        if column in row:
            row["name"] = row[column]
    return row


def _plain(text: str) -> str:
    import unicodedata

    folded = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in folded if not unicodedata.combining(sign)).lower()


def _matching(rows: list[_Row], listing: Listing, pattern: str) -> list[_Row]:
    """The rows that hold a pattern in any of their names.

    Raises:
        UnknownName: none does; names the nearest ones.
    """
    wanted = _plain(pattern)
    found = [
        row for row in rows if any(wanted in _plain(row.get(name, "")) for name in listing.searched)
    ]
    if not found:
        names = {_plain(row[column]): row["id"] for row in rows for column in ("id", "name")}
        nearest = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
        raise listing.error(name=pattern, nearest=list(dict.fromkeys(names[n] for n in nearest)))
    return found


def _nothing(rows: list[_Row], options: dict[str, Any]) -> None:
    """Add nothing: the table says it all."""


def _add_hardware(rows: list[_Row], options: dict[str, Any]) -> None:
    from kilowhat.cli.options import registry_of

    family = registry_of(options).family("hardware")
    for row in rows:
        for name in ("tdp", "memory", "bandwidth"):
            found = family.get(f"hardware.{row['id']}.{name}")
            row[name] = repr(found[0].central) if found else ""


def _add_factors(rows: list[_Row], options: dict[str, Any]) -> None:
    """What one of each equivalence stands for, from its factor."""
    from kilowhat.cli.options import registry_of

    registry = registry_of(options)
    for row in rows:
        entry = registry.find(row["factor"])
        row["value"] = repr(entry.factor.central) if entry else ""
        row["unit"] = entry.factor.unit if entry else ""


_ADDED = {"accelerators": _add_hardware, "equivalences": _add_factors}


def _as_dict(row: _Row, listing: Listing) -> dict[str, object]:
    """The row as JSON: its columns; numbers as numbers, aliases as a list, blanks as null."""
    shown = {name: row[name] for name, _ in listing.columns}
    extra = {name: row[name] for name in ("unit", "aliases", "iso2", "source") if name in row}
    result: dict[str, object] = {}
    for name, text in (shown | extra).items():
        if name == "aliases":
            result[name] = [alias for alias in text.split("|") if alias]
        elif name in _NUMBERS:
            result[name] = float(text) if text else None
        else:
            result[name] = text or None
    if "total_low" in row:
        for name in ("total_low", "total_high", "active_low", "active_high"):
            result[name] = float(row[name]) if row[name] else None
    return result


def _print(rows: Sequence[_Row], listing: Listing) -> None:
    from kilowhat.display.text import Table

    columns = tuple(_column(name, heading) for name, heading in listing.columns)
    cells = tuple(tuple(_cell(row, name) for name, _ in listing.columns) for row in rows)
    count = translate(mark("{count} in all.")).format(count=number(len(rows), None))
    print_table(Table("", columns, cells, (count,)))


def _column(name: str, heading: str) -> Column:
    from kilowhat.display.text import Column

    side = "right" if name in _NUMBERS else "left"
    return Column(translate(heading), side, wraps=name in ("id", "name", "source", "locales"))


def _cell(row: _Row, name: str) -> str:
    text = row[name]
    if name in _TRANSLATED:
        return translate(_WORDS.get(text, text))
    if name == "locales":
        return text.replace("|", ", ")
    if name not in _NUMBERS or not text:
        return _range(row, name) or text or "—"
    shown = number(float(text), None)
    if name == "value":
        from kilowhat.cli.factor_text import unit

        return f"{shown}\u202f{unit(row['unit'])}"
    return _range(row, name) or shown


def _range(row: _Row, name: str) -> str:
    """Low to high of a model's parameters, where they are a range."""
    low, high = row.get(f"{name}_low", ""), row.get(f"{name}_high", "")
    if not (low and high and name in _NUMBERS):
        return ""
    return f"{number(float(low), None)} – {number(float(high), None)}"
