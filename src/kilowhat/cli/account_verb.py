"""``kilowhat account``: the inventory of logs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kilowhat.cli.options import common, complete, registry_of, verb, with_settings
from kilowhat.errors import InvalidValue
from kilowhat.language import current, mark, translate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.domain.inventory import Inventory
    from kilowhat.ledger.question import LogQuestion

DONE, OVER_BUDGET, IN_PART = 0, 4, 5
_FILE = click.Path(path_type=Path, dir_okay=False)


@verb("account", mark("The inventory of logs of calls: energy, carbon, water and hardware."))
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--format",
    "log_format",
    metavar="NAME",
    default="auto",
    shell_complete=complete("format"),
    help=mark("log format; found by looking when not given (kilowhat list formats)"),
)
@click.option(
    "--map",
    "mapping",
    metavar="FILE",
    type=_FILE,
    help=mark("which columns are which, and what model names mean (TOML)"),
)
@click.option(
    "--by",
    metavar="KEYS",
    multiple=True,
    shell_complete=complete("key"),
    help=mark("a table by these keys: day,model; may be given several times"),
)
@click.option("--since", metavar="DATE", help=mark("first day, month or year that counts"))
@click.option("--until", metavar="DATE", help=mark("last day, month or year that counts"))
@click.option("--timezone", metavar="NAME", help=mark("cuts days and hours: UTC, Europe/Paris"))
@click.option(
    "--zone",
    metavar="ZONE",
    shell_complete=complete("zone"),
    help=mark("electricity zone of the calls whose log names no place"),
)
@click.option(
    "--zones", metavar="FILE", type=_FILE, help=mark("rules that tell where calls run (TOML)")
)
@click.option(
    "--hourly",
    metavar="FILE",
    type=_FILE,
    help=mark("grid factors hour by hour: zone, start, gwp (Parquet or CSV)"),
)
@click.option(
    "--method",
    type=click.Choice(["ours", "ecologits"]),
    default="ours",
    help=mark("whose formulas: ours, or those of EcoLogits"),
)
@click.option(
    "--budget", metavar="LIMIT", help=mark("exit code 4 above it: 10 kWh/day, 5 kgCO2e:p95")
)
@click.option(
    "--what-if",
    "what_if",
    metavar="FIELD=VALUE",
    multiple=True,
    help=mark("the same calls otherwise: zone=SWE, model=gpt-4o-mini"),
)
@click.option("--compare-to", metavar="PERIOD", help=mark("compare with 2025-01..2025-06"))
@click.option("--resolve", is_flag=True, help=mark("how each model name was understood"))
@click.option("--strict", is_flag=True, help=mark("a refused row is an error"))
@click.option(
    "--top",
    metavar="N",
    type=click.IntRange(1, 10_000),
    default=10,
    help=mark("rows shown of each table"),
)
@click.option("--explain", is_flag=True, help=mark("every stage, factor and source"))
@click.option("--csv", metavar="FILE", type=_FILE, help=mark("write the tables, with metadata"))
@click.option("--parquet", metavar="FILE", type=_FILE, help=mark("write the tables as Parquet"))
@click.option("--html", metavar="FILE", type=_FILE, help=mark("write one page with charts"))
@click.option(
    "--save-cells",
    metavar="FILE",
    type=_FILE,
    help=mark("write the sums that prices apply to (Parquet)"),
)
@click.option(
    "--cells",
    metavar="FILE",
    multiple=True,
    type=_FILE,
    help=mark("price cells that were saved, or made by another engine"),
)
@click.option(
    "--sql",
    metavar="ENGINE",
    help=mark(
        "print the cells query: bigquery, clickhouse, duckdb, postgres, snowflake, spark, trino"
    ),
)
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    help=mark("what runs the cells query"),
)
@click.option("--table", metavar="NAME", help=mark("with --sql or --engine spark: the log's table"))
@click.option("--trust-ids", is_flag=True, help=mark("do not look for repeated calls"))
@click.option("--memory", metavar="SIZE", help=mark("bound of the engine's memory: 320MB"))
@click.option(
    "--threads",
    metavar="N",
    type=click.IntRange(1, 1024),
    help=mark("threads of the engine; as many as processors"),
)
@common
def command(paths: Sequence[str], **options: Any) -> int:
    """Account for logs."""
    said = with_settings(options, ("zone", "factors", "draws", "purpose"))
    question = _question(paths, options)
    if options["sql"]:
        return _print_sql(question, options)
    if not paths and not question.cells and not options["table"]:
        expected = translate(mark("logs are needed: files, folders, patterns, or - for stdin"))
        raise InvalidValue(name="PATH", value="", expected=expected)
    inventory = _account(question, options)
    _write_files(inventory, options)
    _print(inventory, options, said)
    if inventory.budget is not None and inventory.budget.is_exceeded:
        return OVER_BUDGET
    return IN_PART if inventory.coverage.refused_count() else DONE


def _question(paths: Sequence[str], options: dict[str, Any]) -> LogQuestion:
    """The question that the options ask.

    Raises:
        UsageError: an option that cannot be, or several that contradict one another.
    """
    from kilowhat.ledger.asked import asked

    _keep_apart(paths, options)
    if options["table"] and not options["sql"] and options["engine"] == "duckdb":
        expected = translate(mark("only with --sql or --engine spark"))
        raise InvalidValue(name="table", value=options["table"], expected=expected)
    words = {name: options[name] for name in _WORDS}
    words |= {
        "format": "" if options["log_format"] == "auto" else options["log_format"],
        "by_hour": options["html"] is not None,
    }
    return asked(paths, words)


_WORDS = (
    "mapping", "by", "since", "until", "compare_to", "timezone", "zone", "zones", "hourly", "cells",
    "save_cells", "table", "engine", "method", "budget", "what_if", "trust_ids", "strict",
    "memory",
    "threads",
)  # fmt: skip


def _keep_apart(paths: Sequence[str], options: dict[str, Any]) -> None:
    """Refuse to write over what is read, or twice to one file.

    Raises:
        InvalidValue: an output is also an input, or another output.
    """
    told = [*paths, *(options[name] for name in ("mapping", "zones", "hourly") if options[name])]
    taken = {Path(path).resolve() for path in told}
    for name in ("csv", "parquet", "html", "save_cells"):
        path = options[name]
        if path is None:
            continue
        if path.resolve() in taken and path.is_file():
            expected = translate(mark("another file than what is read or written besides"))
            raise InvalidValue(name=name.replace("_", "-"), value=path, expected=expected)
        taken.add(path.resolve())


def _account(question: LogQuestion, options: dict[str, Any]) -> Inventory:
    from kilowhat.api import account_log
    from kilowhat.cli.progress import watching

    with watching() as watch:
        return account_log(question, registry=registry_of(options), watch=watch)


def _print_sql(question: LogQuestion, options: dict[str, Any]) -> int:
    from kilowhat.ledger import places, pushed

    if question.paths:
        expected = translate(mark("no files with --sql: it prints the query for a table"))
        raise InvalidValue(name="PATH", value=question.paths[0], expected=expected)
    where = places.read(question.zones) if question.zones else places.Places()
    click.echo(pushed.text(question, where, options["sql"]), nl=False)
    return DONE


def _write_files(inventory: Inventory, options: dict[str, Any]) -> None:
    """Write the files that are asked for, each all at once."""
    if options["csv"]:
        from kilowhat.cli.export_account import write_csv

        write_csv(inventory, options["csv"])
    if options["parquet"]:
        from kilowhat.ledger.export import write_parquet

        write_parquet(inventory, options["parquet"])
    if options["html"]:
        from kilowhat.cli.page_account import write_account_page
        from kilowhat.ledger.files import replacing

        with replacing(options["html"]) as path:
            path.write_text(write_account_page(inventory, current()), encoding="utf-8")


def _print(inventory: Inventory, options: dict[str, Any], said: Sequence[str]) -> None:
    if options["as_json"]:
        import json

        click.echo(json.dumps(inventory.to_dict(), ensure_ascii=False, indent=2))
        return
    from kilowhat.cli.render_account import write_inventory, write_names

    if options["resolve"]:
        click.echo(write_names(inventory.coverage))
        return
    click.echo(
        write_inventory(inventory, top=options["top"], explain=options["explain"], said=said)
    )
