"""Factors of the grid hour by hour: what each call weighs against the factor of its year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kilowhat.errors import DataError, InvalidValue, UnknownZone
from kilowhat.language import mark, translate
from kilowhat.ledger import calls
from kilowhat.ledger.cells import ANNUAL
from kilowhat.ledger.engine import named, quoted
from kilowhat.methods.call_features import FEATURES
from kilowhat.registry.places import find_region, find_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from kilowhat.ledger.engine import Engine
    from kilowhat.ledger.places import Places
    from kilowhat.ledger.staging import Relation

WEIGHTS = ("calls", *FEATURES, ANNUAL)
"""The sums that are carried with the factor of the hour as well."""
BOUNDARIES = ("life-cycle", "direct")
_HOUR_US = 3_600_000_000
_KEYS = ("zone", "region", "provider", "project", "team", "model")


def load(engine: Engine, path: Path) -> str:
    """Read a table of hourly factors into the engine, as ``hourly``; what its numbers contain.

    Its columns: ``zone``; ``start``, the beginning of the hour in universal time; ``gwp``
    [gCO2e/kWh]; and, if need be, ``boundary``: life-cycle (the default) or direct.

    Raises:
        InvalidValue: it cannot be read, lacks a column, or holds a number that cannot be.
    """
    reader = "read_parquet" if path.suffix == ".parquet" else "read_csv"
    relation = f"{reader}({quoted(str(path))})"
    if not path.is_file():
        raise InvalidValue(name="hourly", value=path, expected=translate(mark("a file is needed")))
    try:
        return _load(engine, path, relation)
    except DataError as error:
        reason = str(error.fields["reason"])
        raise InvalidValue(name="hourly", value=path, expected=reason) from error


def _load(engine: Engine, path: Path, relation: str) -> str:
    columns = engine.names(f"SELECT * FROM {relation}")
    missing = [name for name in ("zone", "start", "gwp") if name not in columns]
    if missing:
        expected = translate(mark("columns zone, start and gwp are needed"))
        raise InvalidValue(name="hourly", value=path, expected=expected)
    boundary = "lower(boundary)" if "boundary" in columns else "'life-cycle'"
    engine.run(
        "CREATE OR REPLACE TABLE hourly_given AS SELECT zone::VARCHAR AS zone, "
        f"epoch_us(start::TIMESTAMP) // {_HOUR_US} AS hour, gwp::DOUBLE AS gwp, "
        f"{boundary} AS boundary FROM {relation}"
    )
    wrong = engine.rows(
        "SELECT count(*) FROM hourly_given WHERE gwp IS NULL OR NOT isfinite(gwp) OR gwp < 0 "
        "OR gwp > 5000 OR hour IS NULL OR zone IS NULL"
    )[0][0]
    if wrong:
        expected = translate(mark("factors from 0 to 5000 gCO2e/kWh, each with a zone and an hour"))
        raise InvalidValue(name="hourly", value=path, expected=expected)
    told = [row[0] for row in engine.rows("SELECT DISTINCT boundary FROM hourly_given")]
    if len(told) != 1 or told[0] not in BOUNDARIES:
        raise InvalidValue(name="boundary", value=told, expected=" | ".join(BOUNDARIES))
    _resolve(engine, path)
    return str(told[0])


def _resolve(engine: Engine, path: Path) -> None:
    """Write the zones of the table as ids; an hour of a zone has one factor."""
    names = [row[0] for row in engine.rows("SELECT DISTINCT zone FROM hourly_given")]
    try:
        values = ", ".join(f"({quoted(n)}, {quoted(find_zone(n).id)})" for n in names)
    except UnknownZone as error:
        raise InvalidValue(name="hourly", value=path, expected=str(error)) from error
    values = values or "('', '')"
    engine.run(
        "CREATE OR REPLACE TABLE hourly AS SELECT z.id AS zone, hour, avg(gwp) AS gwp "
        f"FROM hourly_given JOIN (VALUES {values}) AS z(name, id) "
        "ON hourly_given.zone = z.name GROUP BY ALL"
    )


def weighted(
    engine: Engine,
    relation: Relation,
    places: Places,
    annual: Callable[[str, int], float | None],
) -> str:
    """A relation with ``hourly_weight``: the factor of a call's hour over that of its year.

    Where no hour of its zone is known the weight is 1, and ``has_hour`` is false.

    Args:
        engine: holds ``hourly``.
        relation: the calls.
        places: where they run.
        annual: the factor of a zone in a year [gCO2e/kWh]; none where there is none.
    """
    when = calls.time_of(relation.present)
    keys = _keys(relation, places)
    columns = ", ".join(f"{of} AS {named('p_' + key)}" for key, of in keys.items()) or "0 AS p_"
    combinations = engine.rows(f"SELECT DISTINCT {columns} FROM {relation.sql}")
    rows = []
    for told in combinations:
        known = {k: str(v) for k, v in zip(keys, told, strict=False) if v is not None}
        place = places.find(known)
        zone = place.zone or (find_region(place.region).zone if place.region else "")
        rows.append((*told[: len(keys)], zone))
    table = f"places_{abs(hash(relation.sql)):x}"
    _put(engine, table, list(keys), rows)
    years = engine.rows(
        f"SELECT DISTINCT p.zone, year(make_timestamp(h.hour * {_HOUR_US})) FROM hourly AS h "
        f"JOIN {table}_zones AS p ON h.zone = p.zone"
    )
    factors = [(zone, year, found) for zone, year in years if (found := annual(zone, year))]
    values = ", ".join(f"({quoted(z)}, {y}, {f!r})" for z, y, f in factors) or "('', 0, 1.0)"
    on = " AND ".join(f"w.{named('p_' + k)} IS NOT DISTINCT FROM c.{k}_" for k in keys) or "TRUE"
    engine.run(
        f"CREATE OR REPLACE TABLE {table}_weights AS SELECT p.* EXCLUDE (zone), h.hour, "
        f"h.gwp / a.gwp AS weight FROM {table}_zones AS p JOIN hourly AS h ON p.zone = h.zone "
        f"JOIN (VALUES {values}) AS a(zone, year, gwp) ON a.zone = h.zone "
        f"AND a.year = year(make_timestamp(h.hour * {_HOUR_US}))"
    )
    chosen = ", ".join(f"{of} AS {k}_" for k, of in keys.items())
    hour = f"epoch_us({when}) // {_HOUR_US}"
    inner = f"(SELECT *, {hour} AS hour_{', ' + chosen if chosen else ''} FROM {relation.sql})"
    return (
        "(SELECT c.*, coalesce(w.weight, 1.0) AS hourly_weight, w.weight IS NOT NULL AS has_hour "
        f"FROM {inner} AS c LEFT JOIN {table}_weights AS w ON {on} AND w.hour = c.hour_)"
    )


def _keys(relation: Relation, places: Places) -> dict[str, str]:
    """The columns of calls that their place depends on, as expressions."""
    wanted = {"zone", "region", *places.keys()}
    if places.rules or "region" in relation.present:
        wanted |= {"provider"}
    if any(rule.model != "*" for rule in places.rules):
        wanted |= {"model"}
    model = calls.model_of(relation.present)
    found = {key: named(key) for key in _KEYS if key in wanted and key in relation.present}
    return found | ({"model": model} if "model" in wanted else {})


def _put(engine: Engine, table: str, keys: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    columns = [f"{named('p_' + key)} VARCHAR" for key in keys]
    engine.run(f"CREATE OR REPLACE TABLE {table}_zones ({', '.join([*columns, 'zone VARCHAR'])})")
    marks = ", ".join("?" for _ in range(len(keys) + 1))
    for row in rows:
        engine.run(f"INSERT INTO {table}_zones VALUES ({marks})", row)
