"""``kilowhat data check`` and ``diff``: is every number plausible, and what has changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kilowhat.cli.factor_text import as_dict, number, print_json, unit, validity
from kilowhat.cli.options import print_table, shared, verb, with_settings
from kilowhat.errors import InvalidValue
from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.registry.difference import Difference
    from kilowhat.registry.findings import Finding, Material


@verb("check", mark("Load every table and ask of every number if it can be true."))
@click.argument("directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@shared("json", "lang", "factors")
def check(directory: Path | None, **options: Any) -> int:
    """Check the shipped data, a whole data directory, or a user's own factors beside it."""
    from kilowhat.registry.audit import examine
    from kilowhat.registry.findings import ERROR

    material = _material(directory, options)
    findings = examine(material)
    if options["as_json"]:
        print_json(_report(material, findings))
    else:
        _print_findings(material, findings)
    return int(any(finding.severity == ERROR for finding in findings))


def _directory(path: Path) -> Path:
    """A directory that holds factors.

    Raises:
        InvalidValue: there is no such directory.
    """
    if not (path / "factors").is_dir():
        expected = translate(mark("a directory with factors/ and sources/ is needed"))
        raise InvalidValue(name="DIR", value=path, expected=expected)
    return path


def _material(directory: Path | None, options: dict[str, Any]) -> Material:
    from kilowhat.registry.difference import is_whole
    from kilowhat.registry.findings import Material
    from kilowhat.registry.tables import DATA

    with_settings(options, ("factors",))
    given = [directory, Path(options["factors"]) if options["factors"] else None]
    shipped, own = DATA, []
    for path in given:
        if path is not None and is_whole(_directory(path)):
            shipped = path
        elif path is not None:
            own.append(path)
    return Material(shipped, tuple(own))


def _report(material: Material, findings: list[Finding]) -> dict[str, object]:
    return {
        "findings": [
            {
                "severity": finding.severity,
                "check": finding.check,
                "file": finding.file,
                "id": finding.subject,
                "sentence": finding.sentence(),
                "hint": finding.advice(),
            }
            for finding in findings
        ],
        "checked": {
            "numbers": len(material.factors),
            "tables": len(material.tables),
            "sources": len(material.sources),
        },
    }


_SEVERITY = {"error": mark("error"), "warning": mark("warning")}


def _print_findings(material: Material, findings: list[Finding]) -> None:
    for finding in findings:
        where = " ".join(part for part in (finding.file, finding.subject) if part)
        severity = translate(_SEVERITY[finding.severity])
        click.echo(f"{severity}  {where}: {finding.sentence()} [{finding.check}]")
        click.echo(f"    {finding.advice()}")
    words = translate(
        mark("{numbers} numbers in {tables} tables, {sources} sources: {count} findings.")
        if findings
        else mark("{numbers} numbers in {tables} tables, {sources} sources: nothing found.")
    )
    counts = {
        "numbers": len(material.factors),
        "tables": len(material.tables),
        "sources": len(material.sources),
        "count": len(findings),
    }
    click.echo(words.format(**counts))


@verb("diff", mark("What another directory of factors changes."))
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@shared("json", "lang")
def diff(directory: Path, **options: Any) -> int:
    """Compare a user's or an older data directory with the shipped data."""
    from kilowhat.registry.difference import differences

    found = differences(_directory(directory))
    if options["as_json"]:
        print_json([_difference_as_dict(difference) for difference in found])
        return 0
    if not found:
        click.echo(translate(mark("No number differs.")))
        return 0
    _print_differences(found)
    return 0


def _difference_as_dict(difference: Difference) -> dict[str, object]:
    before, after = difference.before, difference.after
    return {
        "kind": difference.kind,
        "id": difference.factor.id,
        "ratio": difference.ratio,
        "before": as_dict(before) if before else None,
        "after": as_dict(after) if after else None,
    }


_KINDS = {"added": mark("added"), "removed": mark("removed"), "changed": mark("changed")}


def _print_differences(found: Sequence[Difference]) -> None:
    from kilowhat.display.text import Column, Table

    columns = (
        Column("", wraps=False),
        Column(translate(mark("Factor"))),
        Column(translate(mark("Valid")), wraps=False),
        Column(translate(mark("Shipped")), "right", wraps=False),
        Column(translate(mark("Other")), "right", wraps=False),
        Column("×", "right", wraps=False),
        Column(translate(mark("Unit")), wraps=False),
        Column(translate(mark("Source"))),
    )
    cells = tuple(
        (
            translate(_KINDS[difference.kind]),
            difference.factor.id,
            validity(difference.factor),
            number(difference.before.central, None) if difference.before else "—",
            number(difference.after.central, None) if difference.after else "—",
            number(difference.ratio) if difference.ratio is not None else "—",
            unit(difference.factor.unit),
            difference.factor.source.key,
        )
        for difference in found
    )
    counts = {kind: sum(d.kind == kind for d in found) for kind in _KINDS}
    words = translate(mark("{added} added, {removed} removed, {changed} changed."))
    print_table(Table("", columns, cells, (words.format(**counts),)))
