"""An inventory as one tidy table of comma-separated values, with its metadata beside it.

The CSV has one row for each row of each table, after one of the whole:

``table``
    what the row is of: ``total``, or the keys of its table joined by ``+``.
one column a key
    as the log or the program names it (a zone by its id); empty where the table has no such key
    or the log does not say.
``calls`` to ``video_s``
    the activity data.
``energy_p05_kwh``, ``energy_p50_kwh``, ``energy_p95_kwh`` and so on
    the 5 %, 50 % and 95 % points of each impact; the end of a column's name is its unit.  Empty
    where no sourced factor gives the impact, and ``missing`` says why.

It is RFC 4180: UTF-8, commas, points for decimals, CRLF.  A text that a spreadsheet would take for
a formula has an apostrophe before it; so has one that begins with an apostrophe, so taking one away
gives the text back.  Control characters of names are replaced.

``NAME.csv-metadata.json`` describes it in the words of W3C's CSV on the Web: each column with its
type and unit, the boundary, the method, the versions, the sources of the factors.
"""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kilowhat.cli.account_tables import cited
from kilowhat.cli.account_words import POINTS, category_name
from kilowhat.display.plain import plain
from kilowhat.domain.impact import Interval, Missing
from kilowhat.domain.inventory import KEYS
from kilowhat.language import current, mark, translate
from kilowhat.ledger.files import replacing
from kilowhat.quantity.units import parse_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kilowhat.domain.inventory import Inventory, Usage

IMPACT_UNITS = {
    "energy": "kWh",
    "ghg": "kgCO2e",
    "water": "L",
    "primary_energy": "MJ",
    "adpe": "kgSbeq",
}
"""The unit of each impact in the CSV."""

USAGE = {
    "calls": (mark("Calls that reached a model"), "integer", ""),
    "input_tokens": (mark("Prompt tokens, cached ones included"), "integer", ""),
    "cached_tokens": (mark("Prompt tokens read from a cache"), "integer", ""),
    "output_tokens": (mark("Generated tokens, reasoning included"), "integer", ""),
    "reasoning_tokens": (mark("Generated tokens that are reasoning"), "integer", ""),
    "images": (mark("Images generated"), "integer", ""),
    "video_s": (mark("Video generated"), "double", "s"),
}
_DEVICES = Path("/dev")
_FORMULA = tuple("=+-@\t\r\n'\uff1d\uff0b\uff0d\uff20")  # and the wide forms of the first four


def neutral(text: str) -> str:
    """The text made plain, with an apostrophe before it where a spreadsheet would compute it.

    >>> neutral("=1+1"), neutral("gpt-4o"), neutral("'x")
    ("'=1+1", 'gpt-4o', "''x")
    """
    shown = plain(text)
    return f"'{shown}" if text.lstrip().startswith(_FORMULA) else shown


def write_csv(inventory: Inventory, path: Path) -> None:
    """Write the inventory as CSV, and its metadata beside it, each all at once.

    Args:
        inventory: what to write.
        path: of the CSV; the metadata's has ``-metadata.json`` after it.  A device or pipe gets
            no metadata.

    Raises:
        InvalidValue: the path is a folder, or in none.
        OSError: the file cannot be written.
    """
    keys = _keys(inventory)
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_names(keys))
        writer.writerows(_rows(inventory, keys))
    if path.is_file() and path.parent != _DEVICES:
        beside = path.with_name(f"{path.name}-metadata.json")
        text = json.dumps(describe(inventory, path.name), ensure_ascii=False, indent=2)
        with replacing(beside) as partial:
            partial.write_text(text + "\n", encoding="utf-8")


def _keys(inventory: Inventory) -> list[str]:
    """The keys of all tables, each once, in the order in which keys are named."""
    used = {key for breakdown in inventory.breakdowns for key in breakdown.keys}
    return [key for key in KEYS if key in used] + sorted(used - set(KEYS))


@cache
def _impact_names() -> tuple[tuple[str, str, str], ...]:
    """The columns of impacts: category, point, name."""
    return tuple(
        (category, point, f"{category}_{point}_{unit.lower()}")
        for category, unit in IMPACT_UNITS.items()
        for point in POINTS
    )


def _names(keys: list[str]) -> list[str]:
    return ["table", *keys, *USAGE, *(name for _, _, name in _impact_names()), "missing"]


def _rows(inventory: Inventory, keys: list[str]) -> Iterator[list[object]]:
    """The whole, then each row of each table."""
    yield _row("total", {}, inventory.usage, inventory.impacts, keys)
    for breakdown in inventory.breakdowns:
        name = "+".join(breakdown.keys)
        for row in breakdown.rows:
            yield _row(name, row.key, row.usage, row.impacts, keys)


def _row(
    table: str,
    key: Mapping[str, str],
    usage: Usage,
    impacts: Mapping[str, Interval | Missing],
    keys: list[str],
) -> list[object]:
    cells: list[object] = [neutral(table), *(neutral(key.get(name, "")) for name in keys)]
    cells += [getattr(usage, name) for name in USAGE]
    for category, point, _ in _impact_names():
        value = impacts.get(category)
        cells.append(_number(value, category, point) if isinstance(value, Interval) else "")
    gaps = (
        f"{name}: {translate(value.reason)}"
        for name, value in impacts.items()
        if isinstance(value, Missing)
    )
    return [*cells, neutral("; ".join(gaps))]


def _number(value: Interval, category: str, point: str) -> str:
    """A point of an interval in the unit of its column, without the rounding of the conversion."""
    size = _size(value.unit, IMPACT_UNITS[category])
    return f"{getattr(value, point) * size:.15g}"


@cache
def _size(unit: str, wanted: str) -> float:
    return parse_unit(unit).factor / parse_unit(wanted).factor


def _column(name: str, title: str, kind: str, unit: str = "") -> dict[str, object]:
    column: dict[str, object] = {"name": name, "titles": name, "dc:description": title}
    column["datatype"] = kind
    if unit:
        column["schema:unitText"] = unit
    return column


def _columns(keys: list[str]) -> Iterator[dict[str, object]]:
    yield _column("table", translate(mark("What the row is of")), "string")
    for key in keys:
        yield _column(key, translate(KEYS.get(key, key)), "string")
    for name, (title, kind, unit) in USAGE.items():
        yield _column(name, translate(title), kind, unit)
    for category, point, name in _impact_names():
        title = f"{category_name(category)}, {translate(POINTS[point])}"
        yield _column(name, title, "double", IMPACT_UNITS[category])
    yield _column("missing", translate(mark("Why impacts are missing")), "string")


def describe(inventory: Inventory, name: str) -> dict[str, Any]:
    """The metadata of a CSV of the inventory, in the words of W3C's CSV on the Web.

    Args:
        inventory: what the CSV holds.
        name: of the CSV, which stands in the same folder.
    """
    columns = list(_columns(_keys(inventory)))
    columns[0]["required"] = True
    period = inventory.period
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": current()}],
        "url": name,
        "dc:title": translate(mark("Inventory of the use of AI")),
        "dc:description": translate(APOSTROPHE),
        "dc:source": _sources(inventory),
        "schema:temporalCoverage": f"{period.start}/{period.end}" if period.start else "..",
        "schema:measurementTechnique": inventory.method,
        "schema:version": inventory.data_version,
        "schema:creator": f"kilowhat {inventory.code_version}",
        "schema:additionalProperty": list(_properties(inventory)),
        "dialect": {"encoding": "utf-8", "delimiter": ",", "lineTerminators": ["\r\n"]},
        "tableSchema": {"columns": columns},
    }


APOSTROPHE = mark(
    "A text that a spreadsheet would take for a formula, or that begins with an apostrophe, has "
    "an apostrophe before it."
)


def _properties(inventory: Inventory) -> Iterator[dict[str, object]]:
    """The boundary, the time zone, and every count of the coverage."""
    coverage = inventory.coverage.to_dict()
    found: dict[str, object] = {"boundary": ", ".join(inventory.boundary)}
    found |= {"timezone": inventory.period.timezone, "days": inventory.period.days}
    for name, value in coverage.items():
        if isinstance(value, dict):
            found |= {f"{name}.{part}": count for part, count in value.items()}
        elif not isinstance(value, list):
            found[name] = value
    for name, value in found.items():
        yield {"@type": "schema:PropertyValue", "schema:name": name, "schema:value": value}


def _sources(inventory: Inventory) -> list[str]:
    """The sources of the factors, as they are cited."""
    return [source.citation() if source else plain(key) for key, source in cited(inventory)]
