"""The golden tables: what the data resolve to, so that a change of data shows what it moves.

    python tools/golden.py --write    rewrite the tables under tests/golden/
    python tools/golden.py --check    compare, list what differs, exit 1 when something does

Each table is one function of the registry that yields its rows; its file is named after it.
"""

from __future__ import annotations

import csv
import difflib
import io
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from kilowhat.domain.impact import Missing
from kilowhat.errors import UsageError
from kilowhat.registry.places import WORLD, ancestry, find_zone, zones
from kilowhat.registry.resolve import Registry
from kilowhat.registry.tables import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kilowhat.assessment import Assessment, Estimator
    from kilowhat.domain.factor import Factor

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"
ZONES = (
    "world", "fra", "deu", "swe", "pol", "gbr", "usa", "us-cal-ciso", "chn", "ind", "bra", "se-se3",
)  # fmt: skip
DATES = (date(2018, 7, 1), date(2023, 7, 1), date(2025, 7, 1))
OPERATORS = (
    "aws", "azure", "google", "meta", "ovh", "scaleway", "hyperscale", "colocation",
    "on-premises", "own-machine", "aws-eu-west-3", "aws-us-east-1", "azure-francecentral",
    "azure-westeurope", "google-europe-west9", "google-us-central1",
)  # fmt: skip
ACCELERATORS = (
    "a100-40", "a100-80", "b200-sxm", "b300-sxm", "h100-pcie", "h100-sxm", "h200-sxm", "h800-sxm",
    "l4", "l40s", "mi300x", "rtx-3090", "rtx-4090", "rtx-5090", "t4", "tpu-v5e", "tpu-v6e",
    "trainium2", "v100-sxm-32", "apple-m4-max", "rtx-4090-laptop",
)  # fmt: skip
FACTOR_COLUMNS = (
    "subject", "property", "date", "id", "low", "central", "high", "unit", "boundary", "source",
    "valid_from",
)  # fmt: skip
Row = tuple[str, ...]


def factors(registry: Registry) -> Iterator[Row]:
    """Every property of the zones at each date, of operators, and of accelerators."""
    yield FACTOR_COLUMNS
    for zone in ZONES:
        for name in _properties(registry, "grid"):
            for when in DATES:
                yield _resolved(registry, zone, name, when, _zone_ladder(registry, zone, name))
    for operator in OPERATORS:
        for name in ("pue", "wue"):
            for when in DATES:
                ladder = [f"facility.{place}.{name}" for place in _around(operator)]
                yield _resolved(registry, operator, name, when, ladder)
    for accelerator in ACCELERATORS:
        for name in _properties(registry, "hardware"):
            ladder = [f"hardware.{accelerator}.{name}"]
            if registry.find(*ladder):
                yield _resolved(registry, accelerator, name, None, ladder)


def _properties(registry: Registry, family: str) -> list[str]:
    return sorted({identity.rpartition(".")[2] for identity in registry.family(family)})


def _around(operator: str) -> list[str]:
    """The place itself, and the operator whose region it is."""
    fleet = operator.partition("-")[0]
    return [operator, fleet] if fleet in OPERATORS and fleet != operator else [operator]


def _zone_ladder(registry: Registry, zone: str, name: str) -> list[str]:
    """The zone, those around it up to its country, and for the average the world."""
    known = zones(registry.data)
    around = [] if zone == WORLD else ancestry(find_zone(zone, registry.data), registry.data)[1:]
    ladder = [zone, *(other for other in around if known[other].kind != "aggregate")]
    if name == "gwp_location" and zone != WORLD:
        ladder.append(WORLD)
    return [f"grid.{place}.{name}" for place in ladder]


def _resolved(
    registry: Registry, subject: str, name: str, when: date | None, ladder: list[str]
) -> Row:
    day = when.isoformat() if when else ""
    entry = registry.find(*ladder, when=when)
    if entry is None:
        return (subject, name, day, "missing", *[""] * (len(FACTOR_COLUMNS) - 4))
    return (subject, name, day, *_cells(entry.factor))


def _cells(factor: Factor) -> Row:
    numbers = (f"{value:.6g}" for value in (factor.low, factor.central, factor.high))
    boundary = "|".join(str(stage.name) for stage in factor.boundary)
    start = factor.valid_from.isoformat() if factor.valid_from else ""
    return (factor.id, *numbers, factor.unit, boundary, factor.source.key, start)


ESTIMATE_COLUMNS = (
    "model", "activity", "energy_p05", "energy_p50", "energy_p95", "energy_unit",
    "ghg_p05", "ghg_p50", "ghg_p95", "ghg_unit",
)  # fmt: skip
ACTIVITIES: dict[str, dict[str, dict[str, object]]] = {
    "text": {
        "chat": {"in": 500, "out": 300},
        "document": {"in": 50_000, "cached": 40_000, "out": 500},
        "reasoning": {"in": 500, "out": 5_000, "reasoning": 4_500},
        "step of an agent": {"in": 20_000, "cached": 15_000, "out": 1_000},
    },
    "image": {
        "one image": {"images": 1},
        "one small image": {"images": 1, "size": "512x512"},
        "one image in 50 steps": {"images": 1, "steps": 50},
        "four large images": {"images": 4, "size": "1536x1024"},
    },
    "video": {
        "five seconds": {"video": "5s"},
        "49 small frames": {"frames": 49, "size": "768x512"},
        "five seconds in 50 steps": {"video": "5s", "steps": 50},
        "ten seconds in 720p": {"video": "10s", "size": "1280x720"},
    },
    "embedding": {f"{n} tokens": {"in": n} for n in (10, 100, 1_000, 5_000)},
    "audio": {
        "hear a minute": {"audio_in": "60s"},
        "speak a minute": {"audio_out": "60s"},
        "hear and write": {"audio_in": "60s", "out": 200},
        "read and speak": {"in": 200, "audio_out": "60s"},
    },
    "vision": {f"{n} images seen": {"images_in": n} for n in (1, 2, 10, 100)},
}
OBSERVED: dict[str, object] = {"in": 500, "out": 300, "tokens_per_second": 60}
WHERE = {"zone": "FRA", "date": "2025"}


def estimates(registry: Registry) -> Iterator[Row]:
    """Four activities of each model: energy and greenhouse gas; or why there is no number.

    Models of published shape have a fifth one, with a speed that was observed.
    """
    from kilowhat.assessment import Estimator

    yield ESTIMATE_COLUMNS
    estimator = Estimator(registry)
    shapes = {row["id"] for row in table(registry.data / "architectures.csv")}
    for row in table(registry.data / "models.csv"):
        for name, use in ACTIVITIES[row["kind"]].items():
            yield _estimated(estimator, row["id"], name, use)
        if row["kind"] == "text" and row["id"] in shapes:
            yield _estimated(estimator, row["id"], "chat at 60 tokens/s", OBSERVED)


def _estimated(estimator: Estimator, model: str, name: str, use: dict[str, object]) -> Row:
    from kilowhat.assessment import activity

    try:
        result = estimator.estimate(activity({"model": model, **WHERE, **use}))
    except UsageError as error:
        return (model, name, type(error).__name__, *[""] * (len(ESTIMATE_COLUMNS) - 3))
    return (model, name, *_interval(result, "energy"), *_interval(result, "ghg"))


def _interval(result: Assessment, category: str) -> Row:
    found = result.interval(category)
    if isinstance(found, Missing):
        return ("missing", "", "", "")
    return (*(f"{value:.4g}" for value in (found.p05, found.p50, found.p95)), found.unit)


TABLES: dict[str, Callable[[Registry], Iterator[Row]]] = {
    "factors": factors,
    "estimates": estimates,
}
"""The golden tables: to add one, add the function that yields its rows."""


def written(name: str) -> str:
    """A golden table as the text of its file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(TABLES[name](Registry()))
    return text.getvalue()


def path_of(name: str) -> Path:
    """The file of a golden table."""
    return GOLDEN / f"{name}.csv"


def differences(name: str) -> list[str]:
    """What a golden table would change in its file, as lines of a diff; empty when nothing."""
    path = path_of(name)
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    new = written(name)
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), str(path.name), "now", lineterm="", n=0
    )
    return [] if old == new else list(lines)


def main(arguments: list[str]) -> int:
    """Write or check every golden table."""
    if arguments not in (["--write"], ["--check"]):
        print(__doc__)
        return 2
    differing = 0
    for name in TABLES:
        if arguments == ["--write"]:
            path_of(name).write_text(written(name), encoding="utf-8")
            continue
        changes = differences(name)
        differing += len(changes)
        print("\n".join(changes[:200]), end="\n" if changes else "")
    if differing:
        print(
            "The data resolve to other numbers: read the diff, then python tools/golden.py --write."
        )
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
