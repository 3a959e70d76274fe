"""The pieces of work that are measured; each runs in a process of its own.

Usage: python -m bench.account.work NAME '{"argument": …}'
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.account.measure import cpu_s, peak_b, timed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kilowhat.ledger.engine import Engine
    from kilowhat.ledger.staging import Relation

PRESENT = ("ts_start", "provider", "model_served", "zone", "team", "service_tier", "input_total",
           "cache_read", "output_total", "latency_s")  # fmt: skip
KEYS = ("day", "provider", "model", "zone", "team", "tier")
SUMS = ("rows", "calls", "fresh_tokens", "output_tokens", "input_x_output", "output_squared",
        "input_squared_minus_cached_squared", "cached_tokens")  # fmt: skip
"""The sums of cells that are not zero in the generated log."""
TABLES = ("day", "model", "zone", "team")
_DAY_US = 86_400_000_000


def _listed(paths: Sequence[str]) -> str:
    return "read_parquet([" + ", ".join(f"'{path}'" for path in paths) + "])"


def _calls(paths: Sequence[str]) -> str:
    return f"(SELECT {', '.join(PRESENT)} FROM {_listed(paths)})"


def _request() -> Any:
    from kilowhat.ledger.cells import Request

    return Request(keys=("team",))


# DuckDB


def scan(paths: list[str]) -> dict[str, Any]:
    """DuckDB reads what the cells need, and does nothing else: sums of it, of texts their lengths.

    Statistics of the files do not hold them, so that every value must be decoded.
    """
    from kilowhat.ledger.engine import opened

    numbers = ("epoch_us(ts_start)", "input_total", "cache_read", "output_total")
    texts = ("provider", "model_served", "zone", "team", "service_tier")
    sums = [f"sum({of})" for of in (*numbers, *(f"strlen({name})" for name in texts))]
    with opened() as engine:
        return timed(lambda: engine.rows(f"SELECT {', '.join(sums)} FROM {_listed(paths)}"))


def cells(paths: list[str], save: str = "") -> dict[str, Any]:
    """Our cells: the statement that `kilowhat account` runs, into a table of the engine."""
    from kilowhat.ledger import cells as of
    from kilowhat.ledger.engine import opened

    with opened() as engine:
        calls = _read(engine, paths)
        query = of.query(calls.sql, calls.present, _request(), "table")
        took = timed(lambda: engine.run(f"CREATE TABLE made AS {query.sql}"))
        took["cells"] = engine.rows("SELECT count(*) FROM made")[0][0]
        if save:
            _save(engine, f"SELECT *, {of.listed(query.fixed)} FROM made", save)
    return took


def _read(engine: Engine, paths: list[str]) -> Relation:
    """The calls of files as `kilowhat account` reads them, with what is known of their columns."""
    from kilowhat.ledger import readers
    from kilowhat.ledger.ingest import Ingest

    (relation,) = Ingest(engine).read(readers.discover(paths).sources).relations
    return relation


def _save(engine: Engine, query: str, path: str) -> None:
    """Write cells so that they can be compared: their keys and sums, in 64 bits."""
    sums = ", ".join(f"{name}::BIGINT AS {name}" for name in SUMS)
    keys = ", ".join(KEYS)
    engine.run(f"COPY (SELECT {keys}, {sums} FROM ({query})) TO '{path}' (FORMAT parquet)")


def hourly(paths: list[str], hours: str) -> dict[str, Any]:
    """The same pass with the factor of the hour of every call, from which all impacts follow."""
    from kilowhat.ledger import cells as of
    from kilowhat.ledger import hourly as grid
    from kilowhat.ledger.engine import opened
    from kilowhat.ledger.places import Places
    from kilowhat.registry.resolve import Registry

    registry = Registry()
    places = Places((), "", registry.data)
    with opened() as engine:
        calls = _read(engine, paths)

        def run() -> None:
            grid.load(engine, Path(hours))
            weighted = grid.weighted(engine, calls, places, lambda *_: 300.0)
            query = of.query(weighted, calls.present, _request(), "table", grid.WEIGHTS)
            engine.run(f"CREATE TABLE made AS {query.sql}")

        return timed(run)


def same(ours: str, theirs: str) -> dict[str, Any]:
    """How many cells of two files differ."""
    from kilowhat.ledger.engine import opened

    columns = ", ".join([*KEYS, *(f"{name}::BIGINT AS {name}" for name in SUMS)])
    one, other = (f"SELECT {columns} FROM read_parquet('{path}')" for path in (ours, theirs))
    with opened("2GB") as engine:
        found: dict[str, Any] = {"different": 0}

        def run() -> None:
            for a, b in ((one, other), (other, one)):
                asked = f"SELECT count(*) FROM ({a} EXCEPT ALL {b})"
                found["different"] += engine.rows(asked)[0][0]

        return timed(run) | found


# Others


def polars(paths: list[str], save: str) -> dict[str, Any]:
    """The same cells by Polars' streaming engine; what is refused is not looked for."""
    import polars as pl

    whole, cached, out = (pl.col(n) for n in ("input_total", "cache_read", "output_total"))
    sums = {
        "rows": pl.len(), "calls": pl.len(), "fresh_tokens": (whole - cached).sum(),
        "output_tokens": out.sum(), "input_x_output": (whole * out).sum(),
        "output_squared": (out * out).sum(),
        "input_squared_minus_cached_squared": (whole * whole - cached * cached).sum(),
        "cached_tokens": cached.sum(),
    }  # fmt: skip
    day = (pl.col("ts_start").dt.timestamp("us") // _DAY_US).cast(pl.Int32).alias("day")
    keys = [day, "provider", pl.col("model_served").alias("model"), "zone", "team",
            pl.col("service_tier").alias("tier")]  # fmt: skip
    asked = pl.scan_parquet(paths).group_by(keys).agg(**sums)
    made: list[pl.DataFrame] = []
    took: dict[str, Any] = timed(lambda: made.append(asked.collect(engine="streaming")))
    took["rss_b"] = peak_b()
    made[0].write_parquet(save)
    return took


def narwhals(paths: list[str], save: str) -> dict[str, Any]:
    """The same cells by our expressions of Narwhals over a relation of DuckDB."""
    import duckdb
    import polars as pl

    from kilowhat.ledger import frames

    link = duckdb.connect(config={"preserve_insertion_order": "false"})
    relation = link.sql(f"SELECT * FROM {_calls(paths)}")
    made: list[dict[str, list[Any]]] = []
    took: dict[str, Any] = timed(lambda: made.append(frames.cells(relation, _request(), PRESENT)))
    took["rss_b"] = peak_b()
    pl.DataFrame({name: made[0][name] for name in (*KEYS, *SUMS)}).write_parquet(save)
    return took


def spark(paths: list[str], save: str, threads: int = 2) -> dict[str, Any]:
    """The same cells by our text for Spark, in a local session whose start is not counted."""
    from pyspark.sql import SparkSession

    from kilowhat.ledger.dialects import statement

    settings = {
        "spark.sql.session.timeZone": "UTC", "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false", "spark.driver.memory": "4g",
        "spark.sql.shuffle.partitions": "8",
    }  # fmt: skip
    builder = SparkSession.builder.master(f"local[{threads}]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    gateway: Any = session.sparkContext._gateway
    java = gateway.proc.pid
    session.read.parquet(*paths).select(*PRESENT).createOrReplaceTempView("calls")
    query = statement("spark", "calls", PRESENT, _request(), "table")
    before = cpu_s(java)
    took: dict[str, Any] = timed(lambda: session.sql(query).write.mode("overwrite").parquet(save))
    took["cpu_s"] += cpu_s(java) - before
    took["rss_b"] = peak_b() + peak_b(java)
    session.stop()
    return took


def ecologits(path: str, rows: int) -> dict[str, Any]:
    """EcoLogits' formulas: as our one pass, and by its library call by call on a sample."""
    from bench.account.ecologits import measure

    found: dict[str, Any] = {}
    return timed(lambda: found.update(measure(Path(path), rows))) | found


# The command


def command(arguments: list[str], expected: int = 0) -> dict[str, Any]:
    """``kilowhat`` from start to end in this process, which does nothing else before."""
    from kilowhat.cli import run

    sys.argv = ["kilowhat", *arguments]
    wall = time.perf_counter()
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nothing,
        contextlib.redirect_stdout(nothing),
    ):
        code = run(arguments)
    if code != expected:
        raise SystemExit(f"kilowhat {' '.join(arguments)}: exit code {code}")
    return {"cpu_s": time.process_time(), "wall_s": time.perf_counter() - wall}


def parts(paths: list[str], draws: int = 1024, **options: Any) -> dict[str, Any]:
    """An inventory and the time of its parts: until cells are begun, cells, and what follows.

    With cells that are given instead of logs, what follows is all that a report takes.
    """
    from kilowhat.ledger import alternatives
    from kilowhat.ledger.account import account
    from kilowhat.ledger.asked import asked
    from kilowhat.ledger.question import Watch
    from kilowhat.registry.resolve import Registry

    begun: dict[str, tuple[float, float]] = {}

    def note(name: str, _size: int = 0) -> None:
        begun.setdefault(name, (time.process_time(), time.perf_counter()))

    changed: list[dict[str, float]] = []
    what_if = alternatives.what_if

    def timed_what_if(*arguments: Any) -> Any:
        found: list[Any] = []
        changed.append(timed(lambda: found.append(what_if(*arguments))))
        return found[0]

    alternatives.what_if = timed_what_if  # type: ignore[assignment]
    question = asked(paths, options)
    note("read")
    took: dict[str, Any] = timed(lambda: account(question, Registry(draws=draws), Watch(note)))
    note("end")
    took["parts"] = {
        name: {"cpu_s": after[0] - before[0], "wall_s": after[1] - before[1]}
        for (name, before), (_, after) in zip(begun.items(), [*begun.items()][1:], strict=False)
    }
    took["what_if"] = changed
    return took


WORK = {each.__name__: each for each in (
    scan, cells, hourly, same, polars, narwhals, spark, ecologits, command, parts,
)}  # fmt: skip


def main() -> int:
    """Do a piece of work, and print what it took as JSON."""
    name, arguments = sys.argv[1], json.loads(sys.argv[2])
    took = WORK[name](**arguments)
    print(json.dumps({"rss_b": peak_b()} | took))
    return 0


if __name__ == "__main__":
    sys.exit(main())
