"""Laws of the inventory of a log: it is the sum of its calls, and its doubt is theirs."""

from __future__ import annotations

import json
import random
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kilowhat import Estimator, Registry
from kilowhat.assessment.uses import activity
from kilowhat.domain.impact import Interval, Missing
from kilowhat.ledger import cells
from kilowhat.ledger.account import Accountant, account
from kilowhat.ledger.asked import asked
from kilowhat.ledger.engine import opened
from kilowhat.ledger.question import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kilowhat.ledger.total import Total

CATEGORIES = ("energy", "ghg", "water", "primary_energy", "adpe")
MODELS = ("gpt-4o", "claude-sonnet-4-5", "meta-llama/Llama-3.1-70B-Instruct", "qwen3-8b")
ZONES = ("FRA", "USA", "DEU", None)
REGISTRY = Registry(draws=256)


def rows_of(seed: int, count: int) -> list[dict[str, Any]]:
    """A random log, in columns of ours."""
    pick = random.Random(seed)
    made = []
    for number in range(count):
        whole = int(10 ** pick.uniform(0.5, 4.5))
        made.append(
            {
                "source_id": f"call-{seed}-{number}",
                "ts_start": (
                    datetime(2023, 1, 1, tzinfo=UTC)
                    + timedelta(minutes=pick.randrange(60 * 24 * 1000))
                ).isoformat(),
                "provider": pick.choice(["openai", "azure", None]),
                "model_served": pick.choice(MODELS),
                "zone": pick.choice(ZONES),
                "team": pick.choice(["a", "b", None]),
                "service_tier": pick.choice(["default", "batch"]),
                "input_total": whole,
                "cache_read": pick.choice([0, whole // 2]),
                "output_total": int(10 ** pick.uniform(0, 3.5)),
                "images_in": pick.choice([0, 0, 0, 2]),
                "n_requests": pick.choice([1, 1, 1, 7]),
            }
        )
    return made


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@contextmanager
def accounted(paths: Sequence[Path], **options: Any) -> Iterator[tuple[Accountant, Total]]:
    """The sum of everything in some logs, with its draws."""
    question = asked([str(path) for path in paths], {"format": "", **options})
    with opened(threads=2) as engine:
        accountant = Accountant(engine, question, REGISTRY, Watch())
        accountant.gather()
        accountant.price()
        yield accountant, accountant.total(question.span)


def cells_of(paths: Sequence[Path], **options: Any) -> dict[tuple[Any, ...], list[int]]:
    """The cells of some logs, by key."""
    with accounted(paths, **options) as (accountant, _):
        keys = ", ".join(f'"{key}"' for key in cells.KEYS)
        sums = ", ".join(f"sum({name})" for name in cells.SUMS)
        found = accountant.engine.rows(f"SELECT {keys}, {sums} FROM cells GROUP BY {keys}")
    width = len(cells.KEYS)
    return {row[:width]: [int(value) for value in row[width:]] for row in found}


def one(row: dict[str, Any], estimator: Estimator) -> Any:
    """The estimate of a row, by the words of the command line."""
    count = row["n_requests"]
    use = {
        "model": row["model_served"],
        "provider": row["provider"],
        "zone": row["zone"],
        "date": row["ts_start"][:10],
        "in": row["input_total"] / count,
        "cached": row["cache_read"] / count,
        "out": row["output_total"] / count,
        "images_in": row["images_in"] / count,
        "serving": "offline" if row["service_tier"] == "batch" else "online",
        "calls": count,
    }
    return estimator.estimate(activity(use))


@settings(deadline=None, max_examples=5, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6), count=st.integers(1, 60))
def test_account_is_the_sum_of_estimates(
    tmp_path_factory: pytest.TempPathFactory, seed: int, count: int
) -> None:
    """Draw by draw, in every category, to 1e-9."""
    rows = rows_of(seed, count)
    path = write(tmp_path_factory.mktemp("log") / "log.jsonl", rows)
    estimator = Estimator(REGISTRY)
    singles = [one(row, estimator) for row in rows]
    with accounted([path]) as (_, total):
        for category in CATEGORIES:
            each = [single.draws(category) for single in singles]
            known = np.sum([draws for draws in each if draws is not None], axis=0)
            np.testing.assert_allclose(total.draws(category), known, rtol=1e-9)
        assert total.usage((1, 1)).calls == sum(row["n_requests"] for row in rows)
        assert total.usage((1, 1)).input_tokens == sum(row["input_total"] for row in rows)


def test_cells_of_two_logs_add_up(tmp_path: Path) -> None:
    """cells(A + B) = cells(A) + cells(B), as whole numbers."""
    first = write(tmp_path / "a.jsonl", rows_of(1, 300))
    second = write(tmp_path / "b.jsonl", rows_of(2, 200))
    both = cells_of([first, second], by=["team"])
    summed: dict[tuple[Any, ...], list[int]] = {}
    for part in (cells_of([first], by=["team"]), cells_of([second], by=["team"])):
        for key, sums in part.items():
            known = summed.setdefault(key, [0] * len(sums))
            summed[key] = [a + b for a, b in zip(known, sums, strict=True)]
    assert both == summed
    assert len(both) > 100


def test_parts_give_the_same_as_the_whole(tmp_path: Path) -> None:
    """One log cut in three, in other containers and another order, has the same cells."""
    import gzip

    rows = rows_of(3, 400)
    whole = write(tmp_path / "whole.jsonl", rows)
    cut = tmp_path / "cut"
    cut.mkdir()
    write(cut / "one.jsonl", rows[250:])
    text = "".join(json.dumps(row) + "\n" for row in rows[100:250])
    (cut / "two.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    (cut / "three.json").write_text(json.dumps(rows[:100], indent=1), encoding="utf-8")
    assert cells_of([whole]) == cells_of([cut])


def test_cells_saved_and_given_price_alike(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", rows_of(4, 300))
    kept = tmp_path / "cells.parquet"
    direct = account(asked([str(path)], {"by": ["team", "day"], "save_cells": kept}), REGISTRY)
    again = account(asked([], {"by": ["team", "day"], "cells": [kept]}), REGISTRY)
    assert again.usage == direct.usage
    for table, other in zip(direct.breakdowns, again.breakdowns, strict=True):
        assert [row.key for row in table.rows] == [row.key for row in other.rows]
        for mine, theirs in zip(table.rows, other.rows, strict=True):
            assert _close(mine.impacts, theirs.impacts)


def _close(mine: Any, theirs: Any) -> bool:
    return all(
        isinstance(theirs[name], Missing)
        if isinstance(value, Missing)
        else value.p50 == pytest.approx(theirs[name].p50, rel=1e-9)
        for name, value in mine.items()
    )


def test_doubt_does_not_shrink_with_calls(tmp_path: Path) -> None:
    """Ten and ten thousand calls alike have the same relative interval."""
    row = rows_of(5, 1)[0] | {"n_requests": 1}
    widths = []
    for count in (10, 10_000):
        rows = [row | {"source_id": str(number)} for number in range(count)]
        with accounted([write(tmp_path / f"{count}.jsonl", rows)]) as (_, total):
            energy = total.impacts["energy"]
            assert isinstance(energy, Interval)
            widths.append(energy.p95 / energy.p05)
    assert widths[0] == pytest.approx(widths[1], rel=1e-9)
    assert widths[0] > 1.5


@pytest.mark.parametrize("key", ["team", "day", "month", "weekday", "hour", "model", "zone"])
def test_draws_of_subtotals_add_up(tmp_path: Path, key: str) -> None:
    from kilowhat.ledger import breakdowns
    from kilowhat.ledger.pricing import entries_of

    path = write(tmp_path / "log.jsonl", rows_of(6, 400))
    with accounted([path], by=[key]) as (accountant, total):
        found = accountant.engine.columns(
            f"SELECT {breakdowns.expression(key)} AS k, kind, {breakdowns.sums()} "
            "FROM placed JOIN labels USING (kind) GROUP BY ALL"
        )
        names, rows = np.unique(found.pop("k").astype(str), return_inverse=True)
        of = found.pop("kind").astype(np.intp)
        entries = entries_of(rows, of, found, accountant.kinds, len(names))
        draws = total.priced.rows(entries, "ghg", 0, len(names))
        assert len(names) > 1
        np.testing.assert_allclose(draws.sum(axis=0), total.draws("ghg"), rtol=1e-9)


def test_stages_add_up_to_the_impacts(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", [row | {"zone": "FRA"} for row in rows_of(7, 50)])
    found = account(asked([str(path)], {}), Registry(draws=4096))
    energy = sum(stage["energy"].p50 for stage in found.stages.values() if "energy" in stage)
    assert energy == pytest.approx(found.impacts["energy"].p50, rel=0.15)
    assert {"accelerator", "host", "idle", "facility", "grid", "embodied"} <= set(found.stages)


def test_days_are_cut_by_the_time_zone(tmp_path: Path) -> None:
    row = rows_of(8, 1)[0] | {"source_id": None}
    rows = [row | {"ts_start": when} for when in ("2025-03-30T00:30:00Z", "2025-03-29T23:30:00Z")]
    path = write(tmp_path / "log.jsonl", rows)

    def days(zone: str) -> list[str]:
        found = account(asked([str(path)], {"by": ["day,hour"], "timezone": zone}), REGISTRY)
        return [" ".join(row.key.values()) for row in found.breakdowns[0].rows]

    assert days("UTC") == ["2025-03-29 23", "2025-03-30 00"]
    assert days("Europe/Paris") == ["2025-03-30 00", "2025-03-30 01"]
    assert days("-05:00") == ["2025-03-29 18", "2025-03-29 19"]


def test_clock_changes_between_summer_and_winter(tmp_path: Path) -> None:
    """Paris was two hours ahead until 2025-10-26T01:00Z, then one."""
    row = rows_of(9, 1)[0] | {"source_id": None}
    times = ("2025-10-26T00:59:59Z", "2025-10-26T01:00:00Z", "2025-07-01T10:00:00Z")
    path = write(tmp_path / "log.jsonl", [row | {"ts_start": when} for when in times])
    found = account(asked([str(path)], {"by": ["hour"], "timezone": "Europe/Paris"}), REGISTRY)
    assert [row.key["hour"] for row in found.breakdowns[0].rows] == ["02", "12"]


def test_period_takes_its_days_alone(tmp_path: Path) -> None:
    rows = rows_of(10, 400)
    path = write(tmp_path / "log.jsonl", rows)
    found = account(asked([str(path)], {"since": "2024-02", "until": "2024-03"}), REGISTRY)
    inside = [r for r in rows if date(2024, 2, 1) <= date.fromisoformat(r["ts_start"][:10])]
    inside = [r for r in inside if date.fromisoformat(r["ts_start"][:10]) < date(2024, 4, 1)]
    assert found.usage.calls == sum(r["n_requests"] for r in inside) > 0


def test_compared_period_is_clear_of_doubt_or_not(tmp_path: Path) -> None:
    """Twice the calls is clear, since the doubt is shared; the same is not."""
    row = rows_of(11, 1)[0] | {"n_requests": 1}
    rows = [row | {"ts_start": "2025-01-10T00:00:00", "source_id": f"a{n}"} for n in range(10)]
    rows += [row | {"ts_start": "2025-02-10T00:00:00", "source_id": f"b{n}"} for n in range(20)]
    rows += [row | {"ts_start": "2025-03-10T00:00:00", "source_id": f"c{n}"} for n in range(10)]
    path = write(tmp_path / "log.jsonl", rows)

    def change(months: tuple[str, str]) -> Any:
        options = {"since": months[0], "until": months[0], "compare_to": months[1]}
        return account(asked([str(path)], options), REGISTRY).alternatives[0]

    doubled = change(("2025-02", "2025-01"))
    assert doubled.clear["energy"]
    assert doubled.change["energy"].p05 == pytest.approx(2.0)
    same = change(("2025-03", "2025-01"))
    assert not same.clear["energy"]
    assert same.change["energy"].p95 == pytest.approx(1.0)


def test_what_if_is_the_estimate_elsewhere(tmp_path: Path) -> None:
    rows = [row | {"n_requests": 1, "images_in": 0} for row in rows_of(12, 40)]
    path = write(tmp_path / "log.jsonl", rows)
    found = account(asked([str(path)], {"what_if": ["zone=SWE"]}), REGISTRY).alternatives[0]
    estimator = Estimator(REGISTRY)
    elsewhere = np.sum([one(row | {"zone": "SWE"}, estimator).draws("ghg") for row in rows], axis=0)
    assert found.impacts["ghg"].p50 == pytest.approx(np.sort(elsewhere)[128], rel=1e-9)
    assert found.change["ghg"].p95 < 1
    assert found.clear["ghg"]


def test_budget_looks_at_the_worst_day(tmp_path: Path) -> None:
    row = rows_of(13, 1)[0]
    rows = [row | {"ts_start": "2025-01-10T00:00:00", "source_id": f"a{n}"} for n in range(3)]
    rows += [row | {"ts_start": "2025-01-11T00:00:00", "source_id": "b"}]
    path = write(tmp_path / "log.jsonl", rows)
    found = account(asked([str(path)], {"budget": "1 GWh/day:p95"}), REGISTRY).budget
    assert found is not None
    assert not found.is_exceeded
    assert found.day == "2025-01-10"
    tight = account(asked([str(path)], {"budget": "1 µWh/day"}), REGISTRY).budget
    assert tight is not None
    assert tight.is_exceeded
