"""``kilowhat data``: the sourced numbers, one by one; their sources, their audit, their changes."""

from __future__ import annotations

import difflib
import fnmatch
from typing import TYPE_CHECKING, Any

import click

from kilowhat.cli import Localised
from kilowhat.cli.data_audit import check, diff
from kilowhat.cli.factor_text import as_dict, number, print_json, unit, validity, width, years
from kilowhat.cli.options import (
    complete,
    print_table,
    registry_of,
    shared,
    verb_group,
    with_settings,
)
from kilowhat.errors import UnknownFactor
from kilowhat.language import mark, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kilowhat.domain.factor import Factor, Source
    from kilowhat.registry.resolve import Registry


@verb_group("data", mark("The sourced numbers: list, show, cite, check, diff."))
@shared("lang")
def command() -> None:
    """Hold the commands about data."""


command.add_command(check)
command.add_command(diff)


def _registry(options: dict[str, Any]) -> Registry:
    with_settings(options, ("factors", "purpose"))
    return registry_of(options)


# ---- list


@command.command(
    "list", cls=Localised, help=mark("The factors: by family, or those of a family or pattern.")
)
@click.argument("pattern", required=False, shell_complete=complete("factor"))
@shared("json", "lang", "factors", "purpose")
def list_factors(pattern: str | None, **options: Any) -> int:
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
        print_json(summary)
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
        print_json(
            [
                as_dict(factor) | {"rows": len(rows)}
                for factor, rows in zip(used, groups, strict=True)
            ]
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
            factor.id, number(factor.central, None), width(factor), unit(factor.unit),
            years(rows), factor.source.key,
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
    if family in registry.families() and wanted in registry.ids(family):
        return registry.candidates(wanted)
    known = [i for name in registry.families() for i in registry.ids(name)]
    raise UnknownFactor(
        name=identity, nearest=difflib.get_close_matches(wanted, known, n=3, cutoff=0.6)
    )


@command.command("show", cls=Localised, help=mark("Every row of a factor: years, sources, width."))
@click.argument("identity", metavar="ID", shell_complete=complete("factor"))
@shared("json", "lang", "factors", "purpose")
def show(identity: str, **options: Any) -> int:
    """Show every row of one id, and which of them is used."""
    registry = _registry(options)
    rows = _rows(registry, identity)
    used = registry.factor(rows[0].id).factor
    if options["as_json"]:
        print_json([as_dict(row) | {"is_used": row == used} for row in rows])
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
            "→" if row == used else "", validity(row), number(row.central, None), width(row),
            unit(row.unit), translate(_BASIS[row.basis]), row.source.key,
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
            (mark("width"), _who_says_the_width(last)),
            (mark("where"), last.locator),
            (mark("note"), last.note),
            (mark("yours"), translate(mark("from your own directory")) if source.is_user else ""),
        ]
        for label, text in told:
            if text:
                yield f"  {translate(label)}: {text}"


def _who_says_the_width(factor: Factor) -> str:
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
def cite(identity: str, *, bibtex: bool, **options: Any) -> int:
    """Cite the sources of a factor, or one source by its key."""
    registry = _registry(options)
    found = _sources(registry, identity)
    if options["as_json"]:
        print_json([_source_as_dict(source) for source in found])
    elif bibtex:
        click.echo("\n\n".join(_bibtex(source) for source in found))
    else:
        for source in found:
            words = translate(
                mark("{citation}. Licence: {licence}. Retrieved {day}. [{key}]")
                if source.retrieved
                else mark("{citation}. Licence: {licence}. [{key}]")
            )
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
