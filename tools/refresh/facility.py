"""Propose changes to the facility table from a region table and from ecologits; write nothing.

    python tools/refresh/facility.py [--package DIRECTORY ...] [--regions CSV] [--data DIRECTORY]

--regions is a cloud region table with the columns year, cloud-provider, cloud-region,
power-usage-effectiveness and water-usage-effectiveness (the Green Software Foundation's
Cloud_Region_Metadata.csv).  From ecologits only single values are compared: it assumes
figures for AI providers, and an assumption of another calculator is no disclosure.
A region table holds rows that are left out on purpose and come up as new: a fleet value repeated
for each region, a year that repeats the one before, regions not in service.
Lines and exit codes are those of grid.py.
"""

from __future__ import annotations

import ast
import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent))
from grid import Proposal, parser, report, roots, shipped_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OPERATORS = {
    "Amazon Web Services": ("aws", "aws-pue-regions"),
    "Google Cloud": ("google", "google-datacentre-efficiency"),
    "Microsoft Azure": ("azure", "microsoft-datacentre-regions"),
}
COLUMNS = {
    "power-usage-effectiveness": ("pue", "1"),
    "water-usage-effectiveness": ("wue", "L/kWh"),
}
# the one value that ecologits takes from a disclosure that this table cites as well
GOOGLE = ("google_genai", "facility.google.pue", "2024-01-01", "google-environmental-report-2025")


def read_regions(path: Path) -> Iterator[Proposal]:
    """PUE and WUE by region and year, of the operators that the table knows."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        wanted = {"year", "cloud-provider", "cloud-region", *COLUMNS}
        missing = wanted - set(rows.fieldnames or ())
        if missing:
            raise ValueError(f"{path.name} lacks the columns {', '.join(sorted(missing))}")
        for row in rows:
            operator = OPERATORS.get(row["cloud-provider"])
            for column, (name, unit) in COLUMNS.items():
                if operator and row[column].strip():
                    yield Proposal(
                        f"facility.{operator[0]}-{row['cloud-region']}.{name}",
                        f"{row['year']}-01-01", float(row[column]), unit, operator[1],
                        f"{row['cloud-region']}, {row['year']}",
                    )  # fmt: skip


def read_ecologits(path: Path) -> Iterator[Proposal]:
    """The fleet PUE of Google, from the provider table in the source, without importing it."""
    provider, identity, start, source = GOOGLE
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Dict):
            continue
        for key, value in zip(node.keys, node.values, strict=True):
            is_wanted = isinstance(key, ast.Constant) and key.value == provider
            if is_wanted and isinstance(value, ast.Call):
                for word in value.keywords:
                    if word.arg == "datacenter_pue" and isinstance(word.value, ast.Constant):
                        pue = float(str(word.value.value))
                        yield Proposal(identity, start, pue, "1", source, f"{provider}.{word.arg}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script."""
    options = parser(__doc__)
    options.add_argument("--regions", type=Path, metavar="CSV")
    chosen = options.parse_args(arguments)
    found = list(read_regions(chosen.regions)) if chosen.regions else []
    names = () if chosen.given_only else ("ecologits",)
    for folder in roots(chosen.package, names):
        path = folder / "ecologits" / "tracers" / "utils.py"
        if path.is_file():
            found += read_ecologits(path)
            break
    keys = {proposal.key for proposal in found}
    by_region = {source for _, source in OPERATORS.values()} if chosen.regions else set()
    shipped = shipped_rows(chosen.data, "facility")
    return report(found, {k: row for k, row in shipped.items() if k in keys or k[1] in by_region})


if __name__ == "__main__":
    raise SystemExit(main())
