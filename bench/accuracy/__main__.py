"""Recompute the accuracy table and write it into docs/accuracy.md.

Usage: python -m bench.accuracy [--reference DIRECTORY] [--output FILE]

The directory (or the environment variable KILOWHAT_REFERENCE) holds mlenergy_dev.parquet, the
reference measurements, which do not ship.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from bench.accuracy import production, text
from bench.accuracy.case import Case, markdown
from bench.accuracy.media import rows as media_rows

DOCUMENT = Path(__file__).parents[2] / "docs" / "accuracy.md"
TARGETS = {"text-to-image": "≤ 1.18 / ≤ 1.45", "text-to-video": "≤ 1.06 / ≤ 1.14"}


def media(reference: Path) -> list[Case]:
    """Image and video generation, in the same form."""
    found = []
    for line in media_rows(reference):
        covered = line["coverage"] is not None
        name = str(line["case"])
        found.append(
            Case(
                case=name,
                estimator=str(line["estimator"]),
                rows=int(str(line["rows"])),
                groups=int(str(line["models"])),
                median=float(str(line["med"])),
                ninth=float(str(line["p90"])),
                coverage=float(str(line["coverage"])) if covered else None,
                coverage_range=(
                    (float(str(line["coverage_low"])), float(str(line["coverage_high"])))
                    if covered
                    else None
                ),
                target=TARGETS.get(name, "") if covered else "",
            )
        )
    return found


def page(cases: list[Case], checks: list[production.Check]) -> str:
    """The page of documentation, tables included."""
    template = (Path(__file__).parent / "page.md").read_text(encoding="utf-8")
    return template.replace("{{cases}}", markdown(cases)).replace(
        "{{production}}", production.markdown(checks)
    )


def main() -> int:
    """Print the tables, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", default=os.environ.get("KILOWHAT_REFERENCE"))
    parser.add_argument("--output", type=Path, default=DOCUMENT)
    options = parser.parse_args()
    if not options.reference or not Path(options.reference).is_dir():
        print("No reference measurements: set KILOWHAT_REFERENCE to their directory.")
        return 2
    reference = Path(options.reference)
    cases = text.cases(reference) + media(reference)
    checks = production.checks()
    print(markdown(cases))
    print(production.markdown(checks))
    options.output.write_text(page(cases, checks), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
