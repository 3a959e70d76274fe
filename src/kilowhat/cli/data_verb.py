"""``kilowhat data``: the sourced numbers, one by one; their sources, their audit, their changes."""

from __future__ import annotations

import difflib
import fnmatch
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kilowhat.cli import Localised
from kilowhat.cli.options import (
    complete,
    print_table,
    registry_of,
    shared,
    verb_group,
    with_settings,
)
from kilowhat.errors import InvalidValue, UnknownFactor
from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kilowhat.domain.factor import Factor, Source
    from kilowhat.registry.difference import Difference
    from kilowhat.registry.findings import Finding, Material
    from kilowhat.registry.resolve import Registry


@verb_group("data", mark("The sourced numbers: list, show, cite, check, diff."))
def command() -> None:
    """Hold the commands about data."""


def _registry(options: dict[str, Any]) -> Registry:
    with_settings(options, ("factors", "purpose"))
    return registry_of(options)


def _number(value: float) -> str:
    from kilowhat.quantity.notation import format_number

    return format_number(value, 4)


def _range(factor: Factor) -> str:
    if factor.low == factor.high:
        return translate(mark("exact"))
    return f"[{_number(factor.low)} – {_number(factor.high)}]"


def _unit(symbol: str) -> str:
    from kilowhat.language import current
    from kilowhat.quantity.notation import write_unit

    return write_unit(symbol, current()) or "1"


def _years(group: Sequence[Factor]) -> str:
    years = sorted({factor.year for factor in group if factor.year is not None})
    if not years:
        return "—"
    return str(years[0]) if len(years) == 1 else f"{years[0]}–{years[-1]}"


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _as_dict(factor: Factor) -> dict[str, object]:
    """A row as JSON: its columns, its source's licence, and who says how wide it is."""
    from kilowhat.domain.boundary import names

    return {
        "id": factor.id,
        "low": factor.low,
        "central": factor.central,
        "high": factor.high,
        "unit": factor.unit,
        "shape": factor.shape,
        "basis": factor.basis,
        "boundary": names(factor.boundary),
        "valid_from": factor.valid_from.isoformat() if factor.valid_from else None,
        "valid_to": factor.valid_to.isoformat() if factor.valid_to else None,
        "source": factor.source.key,
        "title": factor.source.title,
        "licence": factor.source.licence,
        "locator": factor.locator,
        "note": factor.note,
        "spread_source": factor.spread_source or factor.source.key,
        "is_user": factor.source.is_user,
    }


# ---- list


@command.command(
    "list", cls=Localised, help=mark("The factors: by family, or those of a family or pattern.")
)
@click.argument("pattern", required=False, shell_complete=complete("factor"))
@shared("json", "lang", "factors", "purpose")
def list_factors(pattern: str | None, **options: Any) -> int:  # noqa: ANN401
    """List families, or the factors of a family or pattern."""
    registry = _registry(options)
    if pattern is None:
        _list_families(registry, as_json=options["as_json"])
    else:
        _list_ids(registry, _matching(registry, pattern), as_json=options["as_json"])
    return 0


def _matching(registry: Registry, pattern: str) -> list[list[Factor]]:
    """The rows of each id that a family's name, a glob or a part of an id stands for."""
    wanted = pattern.strip().lower()
    families = registry.families()
    if wanted in families:
        return list(registry.family(wanted).values())
    groups = {i: rows for name in families for i, rows in registry.family(name).items()}
    glob = wanted if any(sign in wanted for sign in "*?[") else f"*{wanted}*"
    found = [rows for identity, rows in groups.items() if fnmatch.fnmatchcase(identity, glob)]
    if not found:
        nearest = difflib.get_close_matches(wanted, [*families, *groups], n=3, cutoff=0.6)
        raise UnknownFactor(name=pattern, nearest=nearest)
    return found


def _list_families(registry: Registry, *, as_json: bool) -> None:
    summary = []
    for family in registry.families():
        groups = registry.family(family)
        rows = [factor for group in groups.values() for factor in group]
        summary.append(
            {
                "family": family,
                "ids": len(groups),
                "rows": len(rows),
                "properties": sorted({factor.id.rpartition(".")[2] for factor in rows}),
                "sources": len({factor.source.key for factor in rows}),
            }
        )
    if as_json:
        _print_json(summary)
        return
    from kilowhat.display.text import Column, Table

    columns = (
        Column(translate(mark("Family")), wraps=False),
        Column(translate(mark("Factors")), "right", wraps=False),
        Column(translate(mark("Rows")), "right", wraps=False),
        Column(translate(mark("Sources")), "right", wraps=False),
        Column(translate(mark("Properties"))),
    )
    cells = tuple(
        (
            str(row["family"]), str(row["ids"]), str(row["rows"]), str(row["sources"]),
            ", ".join(row["properties"]),  # type: ignore[arg-type]
        )
        for row in summary
    )  # fmt: skip
    note = translate(mark("Data {version}. One family: kilowhat data list grid."))
    print_table(Table("", columns, cells, (note.format(version=registry.version),)))


def _list_ids(registry: Registry, groups: list[list[Factor]], *, as_json: bool) -> None:
    """One line an id: the value in use, of the latest year and the preferred source."""
    used = [registry.factor(group[0].id).factor for group in groups]
    if as_json:
        _print_json(
            [_as_dict(factor) | {"rows": len(rows)} for factor, rows in zip(used, groups, strict=True)]
        )
        return
    from kilowhat.display.text import Column, Table

    columns = (
        Column(translate(mark("Factor"))),
        Column(translate(mark("Value")), "right", wraps=False),
        Column(translate(mark("5 % – 95 %")), wraps=False),
        Column(translate(mark("Unit")), wraps=False),
        Column(translate(mark("Years")), wraps=False),
        Column(translate(mark("Source"))),
    )
    cells = tuple(
        (
            factor.id, _number(factor.central), _range(factor), _unit(factor.unit),
            _years(rows), factor.source.key,
        )
        for factor, rows in zip(used, groups, strict=True)
    )  # fmt: skip
    print_table(Table("", columns, cells))


# ---- show and cite


def _rows(registry: Registry, identity: str) -> list[Factor]:
    """Every row of an id.

    Raises:
        UnknownFactor: no such id; names the nearest ones.
    """
    wanted = identity.strip().lower()
    family = wanted.partition(".")[0]
    if family in registry.families() and wanted in registry.family(family):
        return registry.family(family)[wanted]
    known = [i for name in registry.families() for i in registry.family(name)]
    raise UnknownFactor(
        name=identity, nearest=difflib.get_close_matches(wanted, known, n=3, cutoff=0.6)
    )


@command.command("show", cls=Localised, help=mark("Every row of a factor: years, sources, width."))
@click.argument("identity", metavar="ID", shell_complete=complete("factor"))
@shared("json", "lang", "factors", "purpose")
def show(identity: str, **options: Any) -> int:  # noqa: ANN401
    """Show every row of one id, and which of them is used."""
    registry = _registry(options)
    rows = _rows(registry, identity)
    used = registry.factor(rows[0].id).factor
    if options["as_json"]:
        _print_json([_as_dict(row) | {"is_used": row is used} for row in rows])
        return 0
    _show_table(rows, used)
    for line in _details(rows):
        click.echo(line)
    return 0


def _show_table(rows: Sequence[Factor], used: Factor) -> None:
    from kilowhat.display.text import Column, Table

    columns = (
        Column("", wraps=False),
        Column(translate(mark("Valid")), wraps=False),
        Column(translate(mark("Value")), "right", wraps=False),
        Column(translate(mark("5 % – 95 %")), wraps=False),
        Column(translate(mark("Unit")), wraps=False),
        Column(translate(mark("Basis")), wraps=False),
        Column(translate(mark("Source"))),
    )
    cells = tuple(
        (
            "→" if row is used else "", _validity(row), _number(row.central), _range(row),
            _unit(row.unit), translate(_BASIS[row.basis]), row.source.key,
        )
        for row in rows
    )  # fmt: skip
    note = translate(mark("→ used when no date is given."))
    print_table(Table(rows[0].id, columns, cells, (note,)))


_BASIS = {
    "measured": mark("measured"),
    "declared": mark("declared"),
    "modelled": mark("modelled"),
    "assumed": mark("assumed"),
}


def _validity(factor: Factor) -> str:
    start, end = factor.valid_from, factor.valid_to
    if start is None and end is None:
        return "—"
    if start and end and (start.month, start.day, end.month, end.day) == (1, 1, 12, 31):
        return str(start.year) if start.year == end.year else f"{start.year}–{end.year}"
    return f"{start or ''} → {end or ''}".strip()


def _details(rows: Sequence[Factor]) -> Iterable[str]:
    """What the rows of each source share: boundary, who says the width, licence, place, note."""
    from kilowhat.domain.boundary import names

    for key in dict.fromkeys(row.source.key for row in rows):
        own = [row for row in rows if row.source.key == key]
        last = own[-1]
        source = last.source
        yield ""
        yield f"{key}: {source.citation()}"
        told = [
            (mark("licence"), source.licence),
            (mark("retrieved"), source.retrieved),
            (mark("boundary"), ", ".join(names(last.boundary))),
            (mark("width"), _width(last)),
            (mark("where"), last.locator),
            (mark("note"), last.note),
            (mark("yours"), translate(mark("from your own directory")) if source.is_user else ""),
        ]
        for label, text in told:
            if text:
                yield f"  {translate(label)}: {text}"


def _width(factor: Factor) -> str:
    if factor.shape == "point":
        return ""
    if factor.spread_source:
        words = translate(mark("default of its family ({shape}), from {source}"))
        return words.format(shape=factor.shape, source=factor.spread_source)
    return translate(mark("the row's own ({shape})")).format(shape=factor.shape)


@command.command("cite", cls=Localised, help=mark("How to cite the sources of a factor."))
@click.argument("identity", metavar="ID", shell_complete=complete("factor"))
@click.option("--bibtex", is_flag=True, help=mark("as BibTeX"))
@shared("json", "lang", "factors", "purpose")
def cite(identity: str, *, bibtex: bool, **options: Any) -> int:  # noqa: ANN401
    """Cite the sources of a factor, or one source by its key."""
    registry = _registry(options)
    found = _sources(registry, identity)
    if options["as_json"]:
        _print_json([_source_as_dict(source) for source in found])
    elif bibtex:
        click.echo("\n\n".join(_bibtex(source) for source in found))
    else:
        for source in found:
            words = translate(mark("{citation}. Licence: {licence}. Retrieved {day}. [{key}]"))
            click.echo(
                words.format(
                    citation=source.citation(),
                    licence=source.licence,
                    day=source.retrieved,
                    key=source.key,
                )
            )
    return 0


def _sources(registry: Registry, identity: str) -> list[Source]:
    if identity in registry.sources:
        return [registry.sources[identity]]
    rows = _rows(registry, identity)
    keys = [row.source.key for row in rows] + [row.spread_source for row in rows]
    return [registry.sources[key] for key in dict.fromkeys(keys) if key in registry.sources]


def _source_as_dict(source: Source) -> dict[str, object]:
    names = ("key", "title", "publisher", "year", "url", "doi", "licence", "retrieved", "sha256")
    return {name: getattr(source, name) for name in names}


_SPECIAL = str.maketrans({sign: f"\\{sign}" for sign in "&%$#_{}"})


def _bibtex(source: Source) -> str:
    """The source as a BibTeX entry; braces keep the letters' case and a publisher whole."""
    fields = {
        "title": f"{{{source.title.translate(_SPECIAL)}}}",
        "author": f"{{{source.publisher.translate(_SPECIAL)}}}",
        "year": source.year,
        "doi": source.doi,
        "url": source.url,
        "note": f"{source.licence.translate(_SPECIAL)}; retrieved {source.retrieved}",
    }
    lines = [f"  {name} = {{{text}}}," for name, text in fields.items() if text]
    return "\n".join([f"@misc{{{source.key},", *lines, "}"])


# ---- check


@command.command(
    "check", cls=Localised, help=mark("Load every table and ask of every number if it can be true.")
)
@click.argument("directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@shared("json", "lang", "factors")
def check(directory: Path | None, **options: Any) -> int:  # noqa: ANN401
    """Check the shipped data, a whole data directory, or a user's own factors beside it."""
    from kilowhat.registry.audit import examine
    from kilowhat.registry.findings import ERROR

    material = _material(directory, options)
    findings = examine(material)
    if options["as_json"]:
        _print_json(_report(material, findings))
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


# ---- diff


@command.command("diff", cls=Localised, help=mark("What another directory of factors changes."))
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@shared("json", "lang")
def diff(directory: Path, **options: Any) -> int:  # noqa: ANN401
    """Compare a user's or an older data directory with the shipped data."""
    from kilowhat.registry.difference import differences

    found = differences(_directory(directory))
    if options["as_json"]:
        _print_json([_difference_as_dict(difference) for difference in found])
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
        "before": _as_dict(before) if before else None,
        "after": _as_dict(after) if after else None,
    }


_KINDS = {"added": mark("added"), "removed": mark("removed"), "changed": mark("changed")}


def _print_differences(found: Sequence[Difference]) -> None:
    from kilowhat.display.text import Column, Table

    columns = (
        Column("", wraps=False),
        Column(translate(mark("Factor"))),
        Column(translate(mark("Valid")), wraps=False),
        Column(translate(mark("Shipped")), "right", wraps=False),
        Column(translate(mark("There")), "right", wraps=False),
        Column("×", "right", wraps=False),
        Column(translate(mark("Unit")), wraps=False),
        Column(translate(mark("Source"))),
    )
    cells = tuple(
        (
            translate(_KINDS[difference.kind]),
            difference.factor.id,
            _validity(difference.factor),
            _number(difference.before.central) if difference.before else "—",
            _number(difference.after.central) if difference.after else "—",
            _number(difference.ratio) if difference.ratio is not None else "—",
            _unit(difference.factor.unit),
            difference.factor.source.key,
        )
        for difference in found
    )
    counts = {kind: sum(d.kind == kind for d in found) for kind in _KINDS}
    words = translate(mark("{added} added, {removed} removed, {changed} changed."))
    print_table(Table("", columns, cells, (words.format(**counts),)))
