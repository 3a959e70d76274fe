"""Laws of an inventory by EcoLogits' formulas: it is the sum of what the library says per call."""

from __future__ import annotations

import csv
import itertools
import json
import math
import random
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat import Registry
from kilowhat.domain.impact import Interval, Missing
from kilowhat.domain.inventory import KEYS
from kilowhat.errors import InvalidValue, MissingExtra
from kilowhat.ledger import theirs
from kilowhat.ledger.account import Accountant
from kilowhat.ledger.asked import asked
from kilowhat.ledger.engine import opened
from kilowhat.ledger.question import Watch
from kilowhat.ledger.theirs_change import ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from kilowhat.domain.inventory import Inventory, Row

duckdb = pytest.importorskip("duckdb", reason="DuckDB (extra account) is not installed")
pytest.importorskip("ecologits", reason="EcoLogits (extra ecologits) is not installed")

from ecologits.tracers.utils import llm_impacts  # noqa: E402

EXACT = 1e-12
REGISTRY = Registry(draws=16)
UNITS = {
    "energy": ("energy", "J", 3.6e6),
    "ghg": ("gwp", "gCO2e", 1000),
    "water": ("wcf", "L", 1),
    "primary_energy": ("pe", "MJ", 1),
    "adpe": ("adpe", "kgSbeq", 1),
}
SERVED = {"azure": "openai", "mistral": "mistralai", "google": "google_genai"}
MODELS = [
    ("openai", "gpt-4o"), ("azure", "gpt-4o"), ("anthropic", "claude-opus-4-5"),
    ("mistral", "mistral-large-latest"), ("google", "gemini-2.5-flash"), ("openai", "unheard-of"),
]  # fmt: skip
PLACES: list[tuple[str | None, str | None, str | None]] = [  # zone, region, the mix
    (None, None, None), ("FRA", None, "FRA"), ("Sweden", None, "SWE"), ("world", None, "WOR"),
    (None, "aws:eu-west-3", "FRA"), (None, "gcp:us-central1", "USA"),
    ("Monaco", None, "MCO"), ("DEU", "aws:x", "DEU"),
]  # fmt: skip
ZONES = {"WOR": "WORLD", "EEE": "EUROPE"}
COLUMNS = (
    "source_id", "ts_start", "provider", "model_served", "zone", "region", "team", "project",
    "user", "operation", "input_total", "output_total", "latency_s", "status",
)  # fmt: skip


@dataclass
class Call:
    """A row of a log, and what the library says of it."""

    row: dict[str, Any]
    zone: str | None

    @property
    def said(self) -> Any:
        """The library's impacts; ``None`` when it has none."""
        row = self.row
        names = SERVED.get(row["provider"], row["provider"]), row["model_served"]
        return asked_of_library(*names, row["output_total"], row["latency_s"], self.zone)


@cache
def asked_of_library(
    provider: str, model: str, tokens: int | None, latency_s: float | None, zone: str | None
) -> Any:
    if tokens is None:
        return None
    found = llm_impacts(
        provider=provider,
        model_name=model,
        output_token_count=tokens,
        request_latency=math.inf if latency_s is None else latency_s,
        electricity_mix_zone=zone,
    )
    return None if found.has_errors else found


def log_of(seed: int, count: int = 120) -> list[Call]:
    """A random log: with models and zones that the library does not know, and without tokens."""
    pick = random.Random(seed)
    made = []
    for number in range(count):
        provider, model = pick.choice(MODELS)
        zone, region, mix = pick.choice(PLACES)
        when = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=pick.randrange(60 * 24 * 40))
        row = {
            "source_id": f"{seed}-{number}",
            "ts_start": when.isoformat(),
            "provider": provider,
            "model_served": model,
            "zone": zone,
            "region": region,
            "team": pick.choice(["a", "b", None]),
            "project": pick.choice(["x", "it's", None]),
            "user": pick.choice(["ann", "bob"]),
            "operation": "chat",
            "input_total": pick.randrange(10_000),
            "output_total": pick.choice([None, 0, 7, *[pick.randrange(1, 20_000)] * 9]),
            "latency_s": pick.choice([None, 0.0, pick.random() * 3, pick.random() * 400]),
            "status": None,
        }
        made.append(Call(row, mix))
    return made


def write(path: Path, log: Iterable[Call]) -> Path:
    """A log as a file of the kind that its name says."""
    rows = [call.row for call in log]
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    else:
        text = write(path.with_suffix(".jsonl"), log)
        kinds = {"output_total": "BIGINT", "input_total": "BIGINT", "latency_s": "DOUBLE"}
        listed = ", ".join(f"'{name}': '{kinds.get(name, 'VARCHAR')}'" for name in COLUMNS)
        source = f"read_json('{text}', columns = {{{listed}}})"
        duckdb.sql(f"COPY (FROM {source}) TO '{path}' (FORMAT parquet)")
        text.unlink()
    return path


def account(path: Path | Sequence[Path], **options: Any) -> Inventory:
    """The inventory of files by the library's formulas."""
    paths = path if isinstance(path, (list, tuple)) else [path]
    question = asked([str(each) for each in paths], {"method": "ecologits", **options})
    with opened(threads=2) as engine:
        return theirs.inventory(Accountant(engine, question, REGISTRY, Watch()))


def ends(said: Any, name: str) -> tuple[float, float]:
    for part in name.split("."):
        said = getattr(said, part)
    return getattr(said.value, "min", said.value), getattr(said.value, "max", said.value)


def expected(log: Iterable[Call], name: str) -> tuple[float, float] | None:
    """The sum of an output over what the library says of each call, low and high."""
    found = [ends(call.said, name) for call in log if call.said is not None]
    if not found:
        return None
    low, high = zip(*found, strict=True)
    return math.fsum(low), math.fsum(high)


def assert_is_sum(impacts: Any, log: Sequence[Call], part: str = "") -> None:
    """That impacts are the sums over calls, in every category that there is."""
    for category, found in impacts.items():
        output, unit, factor = UNITS[category]
        sums = expected(log, f"{part}{output}")
        if sums is None:
            assert isinstance(found, Missing), category
            continue
        low, high = (value * factor for value in sums)
        assert found.unit == unit
        points = [found.p05, found.p50, found.p95]
        assert points == pytest.approx([low, (low + high) / 2, high], rel=EXACT, abs=0), category


def by_key(inventory: Inventory, number: int = 0) -> dict[tuple[str, ...], Row]:
    return {tuple(row.key.values()): row for row in inventory.breakdowns[number].rows}


def zone_of(call: Call) -> str:
    """The zone that a table shows: where the call runs, else where the library puts it."""
    theirs_ = {"openai": "USA", "azure": "USA", "anthropic": "USA", "mistral": "SWE"}
    if call.zone is None and call.row["model_served"] == "unheard-of":
        return ""
    zone = (call.zone or theirs_.get(call.row["provider"], "USA")).upper()
    return ZONES.get(zone, zone)


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_log_is_the_sum_of_its_calls(tmp_path: Path, kind: str) -> None:
    log = log_of(1)
    found = account(write(tmp_path / f"log.{kind}", log), by=["team,model", "day,zone"])
    assert set(found.impacts) == set(UNITS)
    assert_is_sum(found.impacts, log)
    assert_is_sum(found.stages["grid"], log, "usage.")
    assert_is_sum(found.stages["embodied"], log, "embodied.")
    keys: list[Callable[[Call], tuple[str, str]]] = [
        lambda call: (call.row["team"] or "", call.row["model_served"]),
        lambda call: (call.row["ts_start"][:10], zone_of(call)),
    ]
    for number, key in enumerate(keys):
        rows = by_key(found, number)
        assert set(rows) == {key(call) for call in log}
        for value, row in rows.items():
            part = [call for call in log if key(call) == value]
            assert row.usage.calls == len(part)
            assert row.usage.output_tokens == sum(c.row["output_total"] or 0 for c in part)
            assert row.usage.input_tokens == sum(c.row["input_total"] for c in part)
            assert_is_sum(row.impacts, part)


def test_the_log_of_these_laws_holds_every_case() -> None:
    log = log_of(1)
    known = [call for call in log if call.row["model_served"] != "unheard-of"]
    assert sum(call.said is not None for call in log) > 40
    assert len(known) < len(log) - 5
    assert sum(call.row["output_total"] is None for call in known) > 3
    assert sum(call.zone == "MCO" for call in known) > 3
    assert sum(call.zone is None and call.said is not None for call in log) > 3


def test_every_table_adds_up(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", log_of(2))
    found = account(path, by=[*KEYS, "hour,user", "weekday,pricing,region"], by_hour=True)
    assert len(found.breakdowns) == len(KEYS) + 2
    for table in found.breakdowns:
        assert sum(row.usage.calls for row in table.rows) == found.usage.calls
        for category, whole in found.impacts.items():
            parts = [row.impacts[category] for row in table.rows]
            for point in ("p05", "p50", "p95"):
                told = math.fsum(getattr(p, point) for p in parts if isinstance(p, Interval))
                assert told == pytest.approx(getattr(whole, point), rel=EXACT, abs=0), table.keys
    energy = found.impacts["energy"]
    assert isinstance(energy, Interval)
    assert math.fsum(found.by_hour.values()) == pytest.approx(energy.p50, rel=EXACT)
    assert set(found.by_hour) == set(itertools.product(range(7), range(24)))


def test_the_heat_map_is_by_the_hour_of_the_week(tmp_path: Path) -> None:
    log = log_of(3)
    found = account(write(tmp_path / "log.jsonl", log), by_hour=True, timezone="Asia/Kolkata")
    wanted = dict.fromkeys(itertools.product(range(7), range(24)), 0.0)
    for call in log:
        sums = expected([call], "energy")
        when = datetime.fromisoformat(call.row["ts_start"]) + timedelta(hours=5.5)
        wanted[when.weekday(), when.hour] += sum(sums) / 2 * 3.6e6 if sums else 0.0
    assert found.by_hour == pytest.approx(wanted, rel=1e-9, abs=1e-9)


def test_a_log_in_parts_is_the_whole(tmp_path: Path) -> None:
    log = log_of(4)
    parts = [write(tmp_path / f"{n}.jsonl", log[n::3]) for n in range(2)]
    parts.append(write(tmp_path / "2.csv", log[2::3]))
    whole = account(write(tmp_path / "whole.parquet", log), by=["team,model"])
    together = account(parts, by=["team,model"])
    assert together.impacts == whole.impacts
    assert together.coverage.pricing == whole.coverage.pricing
    assert by_key(together).keys() == by_key(whole).keys()


def test_what_is_left_out_is_counted_with_its_reason(tmp_path: Path) -> None:
    log = log_of(5)
    found = account(write(tmp_path / "log.jsonl", log)).coverage
    priced = sum(call.said is not None for call in log)
    assert found.pricing == {"model": priced, "none": len(log) - priced}
    assert (found.calls, found.rows) == (len(log), len(log))
    assert found.lengths == {"reported": priced}
    names = {(name.asked, name.provider): name for name in found.names}
    assert sum(name.calls for name in found.names) == len(log)
    unheard = names["unheard-of", "openai"]
    assert (unheard.pricing, unheard.model, unheard.how) == ("none", "", "")
    assert unheard.reason == "EcoLogits does not know the model"
    assert names["gpt-4o", "azure"].pricing == "model"
    assert names["gpt-4o", "azure"].how == "exact"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model_served": "unheard-of"}, "EcoLogits does not know the model"),
        ({"zone": "Monaco"}, "EcoLogits has no electricity mix for the zone"),
        ({"output_total": None}, "no count of output tokens, which EcoLogits needs"),
    ],
)
def test_a_row_without_a_priced_call_is_missing(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    plain = {**log_of(6, 1)[0].row, "provider": "openai", "model_served": "gpt-4o", "zone": None}
    call = Call({**plain, "region": None, "output_total": 10, **change}, None)
    found = account(write(tmp_path / "log.jsonl", [call]), by=["model"])
    for impacts in (found.impacts, found.breakdowns[0].rows[0].impacts):
        assert [value.reason for value in impacts.values()] == [reason] * 5  # type: ignore[union-attr]
    assert found.coverage.pricing == {"none": 1}
    assert found.coverage.names[0].reason == reason
    assert f"Not priced: {reason}. Calls: 1." in found.warnings
    assert found.stages == {}


def test_refused_repeated_and_failed_rows_do_not_count(tmp_path: Path) -> None:
    log = log_of(7, 40)
    bad = [{**log[0].row, "source_id": "bad", "output_total": -5}]
    bad += [{**log[1].row, "source_id": "late", "ts_start": "2199-01-01T00:00:00Z"}]
    bad += [log[2].row]
    bad += [{**log[3].row, "source_id": "f", "status": "error", "output_total": None}]
    path = write(tmp_path / "log.jsonl", [*log, *(Call(row, None) for row in bad)])
    found = account(path)
    assert_is_sum(found.impacts, log)
    assert found.coverage.calls == found.usage.calls == len(log)
    assert found.coverage.refused == {"negative number": 1, "time out of range": 1}
    assert (found.coverage.repeated, found.coverage.failed) == (1, 1)


def test_the_period_is_cut_by_the_clock_of_the_time_zone(tmp_path: Path) -> None:
    log = log_of(8, 200)
    path = write(tmp_path / "log.jsonl", log)
    found = account(path, since="2025-01-10", until="2025-01-20", timezone="+09:00", by=["day"])
    inside: dict[tuple[str, ...], list[Call]] = {}
    for call in log:
        local = datetime.fromisoformat(call.row["ts_start"]) + timedelta(hours=9)
        if datetime(2025, 1, 10, tzinfo=UTC) <= local < datetime(2025, 1, 21, tzinfo=UTC):
            inside.setdefault((local.date().isoformat(),), []).append(call)
    assert_is_sum(found.impacts, [call for part in inside.values() for call in part])
    rows = by_key(found)
    assert set(rows) == set(inside)
    for key, part in inside.items():
        assert_is_sum(rows[key].impacts, part)


def test_rules_tell_where_calls_run(tmp_path: Path) -> None:
    log = log_of(9)
    rules = tmp_path / "zones.toml"
    rules.write_text(
        'default = "POL"\n[[rule]]\nteam = "a"\nzone = "ITA"\n'
        '[[rule]]\nmodel = "claude-*"\nregion = "aws:eu-north-1"\n',
        encoding="utf-8",
    )
    for call in log:
        if call.zone is None:
            is_claude = call.row["model_served"].startswith("claude-")
            call.zone = "ITA" if call.row["team"] == "a" else "SWE" if is_claude else "POL"
    found = account(write(tmp_path / "log.csv", log), zones=str(rules))
    assert_is_sum(found.impacts, log)
    assert not any("own zone of their provider" in warning for warning in found.warnings)


def test_one_zone_for_all(tmp_path: Path) -> None:
    log = [call for call in log_of(10) if call.zone is None]
    for call in log:
        call.zone = "FRA"
        call.row |= {"zone": None, "region": None}
    assert_is_sum(account(write(tmp_path / "log.jsonl", log), zone="France").impacts, log)


def test_a_mapping_says_what_a_name_means(tmp_path: Path) -> None:
    log = log_of(11)
    for call in log:
        if call.row["model_served"] == "unheard-of":
            call.row["provider"] = "self"
    path = write(tmp_path / "log.jsonl", log)
    mapping = tmp_path / "map.toml"
    mapping.write_text(
        '[models]\n"unheard-*" = { model = "openai/gpt-4o-mini" }\n"gpt-4o" = { parameters = 1e9 }'
        "\n",
        encoding="utf-8",
    )
    found = account(path, mapping=str(mapping))
    for call in log:
        if call.row["model_served"] == "unheard-of":
            call.row |= {"provider": "openai", "model_served": "gpt-4o-mini"}
    assert_is_sum(found.impacts, log)
    mapped = next(name for name in found.coverage.names if name.asked == "unheard-of")
    assert (mapped.model, mapped.pricing, mapped.how) == ("gpt-4o-mini", "mapping", "mapping")
    assert any("“gpt-4o” is priced by its name alone" in warning for warning in found.warnings)


def test_a_row_of_several_calls_is_those_calls(tmp_path: Path) -> None:
    log = [call for call in log_of(12) if call.row["output_total"] is not None]
    for call in log:
        call.row["output_total"] = 4 * (call.row["output_total"] // 4)
    rows = [Call({**call.row, "n_requests": 4}, call.zone) for call in log]
    found = account(write(tmp_path / "log.jsonl", rows))
    apart = [Call({**c.row, "output_total": c.row["output_total"] // 4}, c.zone) for c in log]
    assert_is_sum(found.impacts, apart * 4)
    assert found.usage.calls == found.coverage.calls == 4 * len(log)


def test_a_latency_that_cannot_be_is_not_taken(tmp_path: Path) -> None:
    log = log_of(13)
    for call in log[::3]:
        call.row["latency_s"] = -2.0
    log[1].row["latency_s"] = "soon"
    path = write(tmp_path / "log.jsonl", log)
    for call in [*log[::3], log[1]]:
        call.row["latency_s"] = None
    found = account(path)
    assert_is_sum(found.impacts, log)
    count = sum(call.said is not None and call.row["latency_s"] is None for call in log)
    assert any(f"was taken. Calls: {count}." in warning for warning in found.warnings)


def test_what_it_says_of_itself(tmp_path: Path) -> None:
    log = log_of(14)
    found = account(write(tmp_path / "log.jsonl", log))
    assert found.method.startswith("ecologits 0.")
    assert list(found.boundary) == [
        "accelerator", "host", "facility", "grid", "upstream", "embodied",
    ]  # fmt: skip
    assert list(found.drivers) == []
    assert "no 90 % interval" in found.warnings[0]
    assert "input tokens" in found.warnings[1]
    assert any("US-MIDW-MISO → USA" in warning for warning in found.warnings)
    assert any("own zone of their provider" in warning for warning in found.warnings)
    theirs_ = {str(w) for c in log if c.said is not None for w in c.said.warnings or ()}
    assert theirs_ <= set(found.warnings)
    json.dumps(found.to_dict())


def test_what_if_is_the_log_elsewhere(tmp_path: Path) -> None:
    log = [call for call in log_of(15) if call.zone != "MCO"]
    path = write(tmp_path / "log.jsonl", log)
    found = account(path, what_if=["zone=SWE", "region=aws:eu-west-3"])
    for other, zone in zip(found.alternatives, ("SWE", "FRA"), strict=True):
        assert_is_sum(other.impacts, [Call(call.row, zone) for call in log])
        change, mine, its = other.change["ghg"], found.impacts["ghg"], other.impacts["ghg"]
        assert isinstance(change, Interval)
        assert isinstance(mine, Interval)
        assert isinstance(its, Interval)
        assert change.p50 == pytest.approx(its.p50 / mine.p50, rel=1e-9)
        for point in ("p05", "p95"):
            one = getattr(its, point) / getattr(mine, point)
            assert change.p05 * (1 - 1e-9) <= one <= change.p95 * (1 + 1e-9)
        assert other.clear["ghg"]
        energy = other.change["energy"]
        assert isinstance(energy, Interval)
        assert (energy.p05, energy.p95) == pytest.approx((1, 1), rel=1e-9)
        assert not other.clear["energy"]


def test_what_if_on_a_zone_without_a_mix_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", log_of(16))
    with pytest.raises(InvalidValue, match="no electricity mix"):
        account(path, what_if=["zone=Monaco"])


def test_another_period_is_compared(tmp_path: Path) -> None:
    log = log_of(17, 300)
    path = write(tmp_path / "log.jsonl", log)
    found = account(path, since="2025-02", until="2025-02", compare_to="2025-01")
    before = [call for call in log if call.row["ts_start"] < "2025-02"]
    after = [call for call in log if call.row["ts_start"] >= "2025-02"]
    assert_is_sum(found.impacts, after)
    (other,) = found.alternatives
    assert_is_sum(other.impacts, before)
    assert (other.kind, other.per_day, other.usage.calls) == ("period", True, len(before))
    days = [len({call.row["ts_start"][:10] for call in part}) for part in (before, after)]
    change, mine, its = (of["energy"] for of in (other.change, found.impacts, other.impacts))
    assert isinstance(change, Interval)
    assert isinstance(mine, Interval)
    assert isinstance(its, Interval)
    assert change.p50 == pytest.approx(mine.p50 / days[1] / (its.p50 / days[0]), rel=1e-9)


RANGES = st.tuples(*[st.floats(1e-3, 1e3)] * 4).map(
    lambda each: (*sorted(each[:2]), *sorted(each[2:]))
)


@given(st.lists(RANGES, min_size=1, max_size=6))
def test_a_ratio_reaches_its_bounds(models: list[tuple[float, float, float, float]]) -> None:
    """Against every combination of fewest and most parameters of the models."""
    over_low, over_high, under_low, under_high = (np.array(x) for x in zip(*models, strict=True))
    found = ratio((over_low, over_high), (under_low, under_high), 2.0)
    assert isinstance(found, Interval)
    ratios = []
    for is_most in itertools.product([False, True], repeat=len(models)):
        over = np.where(is_most, over_high, over_low).sum()
        ratios.append(2 * over / np.where(is_most, under_high, under_low).sum())
    assert [found.p05, found.p95] == pytest.approx([min(ratios), max(ratios)], rel=1e-9)
    assert found.p05 <= found.p50 <= found.p95


def test_a_ratio_to_nothing_is_missing() -> None:
    none = np.zeros(1)
    assert isinstance(ratio((none, none), (none, none)), Missing)


@pytest.mark.parametrize("point", ["p05", "p50", "p95"])
def test_a_budget_is_compared_with_the_highest_day(tmp_path: Path, point: str) -> None:
    path = write(tmp_path / "log.jsonl", log_of(18))
    found = account(path, budget=f"1 Wh/day:{point}", by=["day"])
    assert found.budget is not None
    days = [row.impacts["energy"] for row in found.breakdowns[0].rows]
    assert found.budget.value == max(getattr(day, point, 0.0) for day in days)
    assert found.budget.is_exceeded


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"hourly": "factors.parquet"}, "hourly"),
        ({"cells": "cells.parquet"}, "cells"),
        ({"table": "calls"}, "table"),
        ({"engine": "spark"}, "engine"),
        ({"what_if": ["model=gpt-4o"]}, "what-if"),
        ({"what_if": ["model=gpt-4o,zone=FRA"]}, "what-if"),
    ],
)
def test_what_needs_our_method_is_refused(
    tmp_path: Path, options: dict[str, Any], name: str
) -> None:
    path = write(tmp_path / "log.jsonl", log_of(19, 3))
    with pytest.raises(InvalidValue, match=f"{name} = .*--method ecologits") as caught:
        account(path, **options)
    assert caught.value.fields["name"] == name


def test_a_log_without_calls(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", log_of(20, 5))
    found = account(path, since="2024-01", until="2024-02", by=["day", "model,zone"], by_hour=True)
    assert found.usage.calls == 0
    assert all(isinstance(value, Missing) for value in found.impacts.values())
    assert [table.rows for table in found.breakdowns] == [(), ()]
    assert set(found.by_hour.values()) == {0.0}


def test_a_log_of_totals_is_priced_by_its_tokens(tmp_path: Path) -> None:
    row = {**log_of(21, 1)[0].row, "provider": "openai", "model_served": "gpt-4o", "n_requests": 0}
    row |= {"zone": "FRA", "region": None, "output_total": 5000, "latency_s": 0.1}
    found = account(write(tmp_path / "log.jsonl", [Call(row, "FRA")]))
    energy = found.impacts["energy"]
    assert isinstance(energy, Interval)
    free = expected([Call({**row, "latency_s": None}, "FRA")], "energy")
    assert free is not None
    assert 0 < energy.p95 <= free[1] * 3.6e6  # without the time to the first token of any call
    assert found.coverage.pricing == {"model": 1}


def test_without_the_library_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ecologits.impacts.llm", None)
    with pytest.raises(MissingExtra, match=r"kilowhat\[ecologits\]"):
        account(write(tmp_path / "log.jsonl", log_of(22, 3)))
