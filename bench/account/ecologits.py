"""EcoLogits' impacts of a log: our one pass over it beside the library, call by call.

Usage: python -m bench.account.ecologits [--rows 5000000]
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
from ecologits.log import logger
from ecologits.model_repository import models
from ecologits.tracers.utils import llm_impacts

from kilowhat.ledger import ecologits, ecologits_sums
from kilowhat.ledger.ecologits_names import mix_name

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLE = 3000
TRIES = 3
THREADS = 2


class Cost(NamedTuple):
    """The best processor time and wall time of some tries [s], and what the last one gave."""

    cpu_s: float
    wall_s: float
    result: Any


def best(work: Callable[[], Any], tries: int = TRIES) -> Cost:
    """The least that a piece of work takes; others use the machine too."""
    cpus, walls, result = [], [], None
    for _ in range(tries):
        cpu, wall = time.process_time(), time.perf_counter()
        result = work()
        cpus.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
    return Cost(min(cpus), min(walls), result)


def relation(link: duckdb.DuckDBPyConnection, parquet: Path) -> str:
    """The calls of a file in the columns that the method reads, as a query in brackets."""
    source = f"read_parquet('{parquet}')"
    present = {row[0] for row in link.execute(f"DESCRIBE FROM {source}").fetchall()}
    named = [name for name in ("model_served", "model_requested", "model") if name in present]
    model = named[0] if len(named) == 1 else f"coalesce({', '.join(named)})"
    columns = {"provider": "VARCHAR", "zone": "VARCHAR", "latency_s": "DOUBLE"}
    chosen = [name if name in present else f"NULL::{of} AS {name}" for name, of in columns.items()]
    return f"(SELECT {', '.join(chosen)}, {model} AS model, output_total FROM {source})"


def ours(link: duckdb.DuckDBPyConnection, calls: str) -> ecologits.Priced:
    """All of it: the names, what EcoLogits says of each, the sums, the impacts."""
    names = link.execute(ecologits_sums.names_query(calls)).fetchall()
    parameters = ecologits.models_needed(names)
    link.register("given", ecologits_sums.latency_table(parameters))
    link.execute(f"CREATE OR REPLACE TEMP TABLE {ecologits_sums.TABLE} AS SELECT * FROM given")
    groups = link.execute(ecologits_sums.query(calls)).fetchnumpy()
    return ecologits.impacts(groups, parameters)


def theirs(rows: list[tuple[Any, ...]]) -> list[Any]:
    """The library, call by call."""
    return [llm_impacts(*row) for row in rows]


def sample(link: duckdb.DuckDBPyConnection, calls: str, rows: int) -> list[tuple[Any, ...]]:
    """Rows spread over the whole log, as the library is asked for them, in its own names."""
    step = max(1, rows // SAMPLE)
    link.execute(
        f"CREATE OR REPLACE TEMP TABLE sampled AS SELECT * EXCLUDE place FROM "
        f"(SELECT *, row_number() OVER () AS place FROM {calls}) "
        f"WHERE (place - 1) % {step} = 0 LIMIT {SAMPLE}"
    )
    known = {
        each.asked: each.known_as or each.asked
        for each in ecologits.models_needed(
            link.execute(ecologits_sums.names_query("sampled")).fetchall()
        )
    }
    found = link.execute(
        "SELECT coalesce(provider, ''), model, output_total, coalesce(latency_s, 'inf'), zone "
        "FROM sampled WHERE output_total IS NOT NULL"
    ).fetchall()
    return [
        (*known[provider, model], tokens, latency_s, mix_name(zone) if zone else None)
        for provider, model, tokens, latency_s, zone in found
    ]


def largest_difference(priced: ecologits.Priced, said: list[Any]) -> float:
    """The largest relative difference of all outputs at both ends: ours to their sum [1]."""
    found = 0.0
    for name, ends in priced.values.items():
        pairs = [_ends(each, name) for each in said if not each.has_errors]
        for our, their in zip(ends, zip(*pairs, strict=True), strict=True):
            expected = math.fsum(their)
            found = max(found, abs(math.fsum(our) - expected) / expected)
    return found


def _ends(said: Any, name: str) -> tuple[float, float]:
    for part in name.split("."):
        said = getattr(said, part)
    return getattr(said.value, "min", said.value), getattr(said.value, "max", said.value)


def measure(parquet: Path, rows: int) -> dict[str, float]:
    """Our processor time on a whole log, the library's on a sample of it, and how equal they are.

    Args:
        parquet: calls in canonical columns.
        rows: how many there are.
    """
    logger.setLevel(logging.CRITICAL)  # its warnings, once a model, are not the matter
    link = duckdb.connect(config={"threads": THREADS})
    calls = relation(link, parquet)
    whole = best(lambda: ours(link, calls))
    asked = sample(link, calls, rows)
    peer = best(lambda: theirs(asked))
    checked = ours(link, "sampled")
    assert checked.calls.sum() == sum(not each.has_errors for each in peer.result)
    per_row = {"ours": whole.cpu_s / rows, "theirs": peer.cpu_s / len(asked)}
    return {
        "rows": rows,
        "sample_rows": len(asked),
        "priced_share": float(whole.result.calls.sum()) / rows,
        "cpu_s_per_million": per_row["ours"] * 1e6,
        "wall_s": whole.wall_s,
        "ecologits_cpu_s_per_million": per_row["theirs"] * 1e6,
        "ratio": per_row["theirs"] / per_row["ours"],
        "largest_relative_difference": largest_difference(checked, peer.result),
    }


def generate(parquet: Path, rows: int) -> None:
    """A log of many models and zones: log-normal lengths, a tenth of the calls without latency."""
    link = duckdb.connect(config={"threads": THREADS})
    named = [(m.provider.value, m.name) for m in models.list_models()][::9]
    link.execute("CREATE TABLE names (number INTEGER, provider VARCHAR, model VARCHAR)")
    link.executemany("INSERT INTO names VALUES (?, ?, ?)", [(i, *n) for i, n in enumerate(named)])
    link.execute(
        f"""COPY (
            SELECT provider, model,
                ['fra', 'usa', 'deu', 'swe', 'world', NULL][1 + (h // 31) % 6] AS zone,
                tokens AS output_total,
                CASE WHEN (h // 7) % 10 > 0 THEN round(tokens / (5 + h % 200), 3) END AS latency_s
            FROM (
                SELECT (hash(range) % 1000000007)::BIGINT AS h,
                    (1 + exp(5 + 1.2 * sqrt(-2 * ln((1 + hash(range + 1) % 999983) / 1e6))
                        * cos(hash(range + 2) % 1000003)))::BIGINT AS tokens
                FROM range({rows})
            ) JOIN names ON number = (h // 211) % {len(named)}
        ) TO '{parquet}' (FORMAT parquet, COMPRESSION zstd)"""
    )


def main() -> None:
    """Generate a log, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        parquet = Path(name) / "log.parquet"
        generate(parquet, options.rows)
        print(json.dumps(measure(parquet, options.rows), indent=1))


if __name__ == "__main__":
    main()
