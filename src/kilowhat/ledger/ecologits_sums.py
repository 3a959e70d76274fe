"""The sums of a log from which EcoLogits' impacts of all its calls follow, as one query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kilowhat.ledger.ecologits import Parameters

TABLE = "ecologits_models"
"""The name under which `query` expects the columns of `latency_table`."""

_TICKS = 2.0**72  # of a second; see `query`


def latency_table(parameters: Sequence[Parameters]) -> dict[str, NDArray[Any]]:
    """The columns of the table `TABLE`, a row for each model of the log.

    A model that EcoLogits does not know has times of 0: its calls are counted, and not priced.
    """
    return {
        "number": np.arange(len(parameters), dtype=np.int32),
        "provider": np.array([each.asked[0] for each in parameters], dtype=object),
        "model": np.array([each.asked[1] for each in parameters], dtype=object),
        "tau_low_s": np.array([each.tau_s[0] for each in parameters], dtype=float),
        "tau_high_s": np.array([each.tau_s[1] for each in parameters], dtype=float),
        "ttft_s": np.array([each.ttft_s for each in parameters], dtype=float),
    }


def names_query(calls: str) -> str:
    """SQL of the distinct (provider, model) of calls, for `ecologits.models_needed`."""
    provider, model = "coalesce(provider, '')", "coalesce(model, '')"
    return f"SELECT DISTINCT {provider} AS provider, {model} AS model FROM {calls}"


def query(calls: str, keys: Sequence[str] = (), requests: str = "1") -> str:
    """SQL of the sums of calls by model, zone and further keys: what `ecologits.impacts` takes.

    Each model has two generation times, for its fewest and for its most parameters; each is cut
    off at the latency of the request when that is shorter.  Calls that were cut off add their
    latency, the others their tokens and their number, from which their time follows.  So all
    sums are of whole numbers: exact, and the same in any order.  Latencies are added in steps of
    2⁻⁷² s (exact from 1 µs on, to 10⁻¹³ at 1 ns) in 128 bits, which hold 10⁹ years and overflow
    aloud.  A call without latency is never cut off.

    Args:
        calls: a table, or a query in brackets, with columns provider, model, zone (EcoLogits'
            own for the provider where NULL), output_total, latency_s.
        keys: further columns to sum by.
        requests: expression of how many calls a row stands for, 0 where that is unknown; its
            tokens are then their total, and its latency that of each.
    """
    limit = "c.latency_s" if requests == "1" else f"nullif({requests}, 0) * c.latency_s"
    first = "m.ttft_s" if requests == "1" else f"({requests}) * m.ttft_s"
    cut_low = f"{limit} < c.output_total * m.tau_low_s + {first}"
    cut_high = f"{limit} < c.output_total * m.tau_high_s + {first}"
    columns = ["c.zone", *(f'c."{key}"' for key in keys if key not in _GIVEN)]
    counted = "count(c.output_total)"
    if requests != "1":
        counted = f"sum(CASE WHEN c.output_total IS NOT NULL THEN {requests} END)"
    inner = [
        "m.number",
        *columns,
        f"(CASE WHEN {cut_low} THEN 0 WHEN {cut_high} THEN 1 ELSE 2 END)::TINYINT AS cut",
        f"{'count(*)' if requests == '1' else f'sum({requests})'} AS calls",
        f"{counted} AS counted",
        "sum(c.output_total) AS tokens",
        f"sum(CASE WHEN {cut_high} THEN (({limit}) * {_TICKS!r})::HUGEINT END) AS ticks",
    ]
    grouped = ", ".join(str(place + 1) for place in range(len(columns) + 2))
    names = [column.replace("c.", "g.", 1) for column in columns]
    outer = ["coalesce(g.number, -1) AS number", "m.provider", "m.model", *names]
    outer += [f"{of} AS {name}" for name, of in _SUMS.items()]
    sums = f"SELECT {', '.join(inner)} FROM {calls} AS c LEFT JOIN {TABLE} AS m ON {_SAME}"
    by = ", ".join(["g.number", "m.provider", "m.model", *names])
    return (
        f"WITH g AS ({sums} GROUP BY {grouped}) SELECT {', '.join(outer)} "
        f"FROM g LEFT JOIN {TABLE} AS m ON g.number = m.number GROUP BY {by}"
    )


_GIVEN = ("provider", "model", "zone")
_SAME = "coalesce(c.provider, '') = m.provider AND c.model = m.model"


def _total(column: str, cuts: str, kind: str) -> str:
    return f"coalesce(sum(g.{column}) FILTER (WHERE g.cut {cuts}), 0)::{kind}"


_SUMS = {
    "calls": _total("calls", ">= 0", "BIGINT"),
    "counted_calls": _total("counted", ">= 0", "BIGINT"),
    "output_tokens": _total("tokens", ">= 0", "DOUBLE"),
    "free_calls_low": _total("counted", "> 0", "BIGINT"),
    "free_tokens_low": _total("tokens", "> 0", "DOUBLE"),
    "cut_low_s": f"{_total('ticks', '< 1', 'DOUBLE')} / {_TICKS!r}",
    "free_calls_high": _total("counted", "> 1", "BIGINT"),
    "free_tokens_high": _total("tokens", "> 1", "DOUBLE"),
    "cut_high_s": f"{_total('ticks', '< 2', 'DOUBLE')} / {_TICKS!r}",
}
