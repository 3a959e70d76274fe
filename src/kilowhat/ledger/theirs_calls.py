"""Calls of a log in the engine, as EcoLogits' formulas take them: by model, place and key.

Three tables follow from the cells and one pass over each relation of calls:

- ``ecologits_calls``: the sums of `kilowhat.ledger.ecologits_sums`, by all keys;
- ``placed``: the cells, which hold the activity data, with what tables call each of them;
- ``ecologits_groups``: the sums, with the same names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kilowhat.ledger import cells, ecologits, ecologits_sums
from kilowhat.ledger.engine import named, quoted
from kilowhat.ledger.gather import PARTS
from kilowhat.registry.places import ancestry, find_region, find_zone, zones
from kilowhat.registry.providers import find_provider

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from kilowhat.ledger.engine import Engine
    from kilowhat.ledger.names import Names
    from kilowhat.ledger.places import Places
    from kilowhat.ledger.staging import Relation

CALLS, GROUPS, PLACED = "ecologits_calls", "ecologits_groups", "placed"
OURS = {"WOR": "WORLD", "EEE": "EUROPE"}
"""Electricity mixes of EcoLogits whose zone has another id here."""
_PLACES, _KINDS, _GIVEN = "ecologits_places", "ecologits_kinds", "ecologits_given"
_WITH_OUTPUT = (cells.REPORTED, cells.NO_INPUT, cells.TOTALS)  # lengths that hold output tokens
_KEYS = (
    "day", "hour", "region", "project", "team", "user", "tier", "operation", "format", "lengths",
)  # fmt: skip
_TICKS = "4722366482869645213696::DOUBLE"  # 2⁷²: seconds are summed in steps of 2⁻⁷² s
_SUMS = {
    "calls": "sum(calls)::BIGINT",
    "counted_calls": "sum(counted_calls)::BIGINT",
    "output_tokens": "sum(output_tokens)",
    "free_calls_low": "sum(free_calls_low)::BIGINT",
    "free_tokens_low": "sum(free_tokens_low)",
    "cut_low_s": f"sum((cut_low_s * {_TICKS})::HUGEINT)::DOUBLE / {_TICKS}",
    "free_calls_high": "sum(free_calls_high)::BIGINT",
    "free_tokens_high": "sum(free_tokens_high)",
    "cut_high_s": f"sum((cut_high_s * {_TICKS})::HUGEINT)::DOUBLE / {_TICKS}",
}


@dataclass(frozen=True, slots=True)
class Model:
    """A name of a model in the log, and what it was taken for.

    Attributes:
        parameters: what EcoLogits says of it.
        pricing: model or mapping; none when EcoLogits does not know it.
        how: how the name was understood; "" when it was not.
    """

    parameters: ecologits.Parameters
    pricing: str
    how: str

    @property
    def label(self) -> str:
        """What tables call it: EcoLogits' name, else the log's."""
        known_as = self.parameters.known_as
        return known_as[1] if known_as else self.parameters.asked[1]

    @property
    def operator(self) -> str:
        """Who served the calls, as far as the log says."""
        provider = self.parameters.asked[0]
        return find_provider(provider) if provider else ""


def models(engine: Engine, names: Names) -> list[Model]:
    """The models of the cells; a mapping file may say which model a name means.

    Raises:
        MissingExtra: EcoLogits is not installed.
        UnsupportedUse: the installed EcoLogits does not calculate as `ecologits` expects.
    """
    told = [(p, m) for p, m in engine.rows(f"{ecologits_sums.names_query(PARTS)} ORDER BY ALL")]
    meant = [_meant(*name, names) for name in told]
    found = iter(ecologits.models_needed([each for some in meant for each in some]))
    return [
        _model(name, [next(found) for _ in some]) for name, some in zip(told, meant, strict=True)
    ]


def _meant(provider: str, model: str, names: Names) -> list[tuple[str, str]]:
    """What to ask EcoLogits for: the log's own name, or what a mapping file puts in its place.

    A mapping may mean a model of another provider than the one that served the calls.
    """
    mapped = (names.described.model(model) or {}).get("model")
    if mapped is None:
        return [(provider, model)]
    return [(provider, str(mapped)), ("", str(mapped))]


def _model(name: tuple[str, str], told: Sequence[ecologits.Parameters]) -> Model:
    """A name of the log with the first of its meanings that EcoLogits knows."""
    known = next((each for each in told if each.known_as), told[0])
    pricing, how = _understood(name, known, is_mapped=len(told) > 1)
    return Model(replace(known, asked=name), pricing, how)


def _understood(
    name: tuple[str, str], known: ecologits.Parameters, *, is_mapped: bool
) -> tuple[str, str]:
    """How a model is priced, and how its name was understood."""
    if known.known_as is None:
        return "none", ""
    if is_mapped:
        return "mapping", "mapping"
    return "model", "exact" if known.known_as[1] == name[1] else "normalised"


class Staged:
    """The calls of a log in the engine, with the sums that EcoLogits' impacts follow from.

    Args:
        engine: holds the cells, as the view ``cells``.
        where: finds where calls run.
        known: the models of the cells.
    """

    def __init__(self, engine: Engine, where: Places, known: Sequence[Model]) -> None:
        self.engine = engine
        self.known = known
        self.parameters = [each.parameters for each in known]
        self.widened: dict[str, str] = {}  # zones within a country, whose mix is taken
        self._told = _told(where)
        self._put(ecologits_sums.TABLE, ecologits_sums.latency_table(self.parameters))
        self.only = self._put_places(where)
        kinds = {key: cells.KEYS[key] for key in _KEYS}
        counts = {
            name: "DOUBLE" if name.endswith("_s") or "tokens" in name else "BIGINT"
            for name in _SUMS
        }
        columns = {
            "number": "INTEGER", "zone": "VARCHAR", "provider": "VARCHAR", "model": "VARCHAR",
            "timed": "BOOLEAN", **kinds, **counts,
        }  # fmt: skip
        listed = ", ".join(f"{named(name)} {kind}" for name, kind in columns.items())
        engine.run(f"CREATE OR REPLACE TABLE {CALLS} ({listed})")

    def statement(self, relation: Relation, request: cells.Request) -> str:
        """The statement that adds the calls of a relation, in one pass over it.

        Refused calls and those outside the period are left out, as are those that failed
        without using a token.
        """
        keys = cells.key_expressions(request, relation.present, relation.format.name)
        told = [name for name in _KEYS if _varies(keys.get(name, "NULL"))]
        fixed = [f"{quoted(relation.format.name)} AS format"]
        is_many = "n_requests" in relation.present
        query = ecologits_sums.query(
            self._source(relation, request, keys, told),
            ["timed", *told],
            "n_requests" if is_many else "1",
        )
        return f"INSERT INTO {CALLS} BY NAME SELECT *, {', '.join(fixed)} FROM ({query})"

    def _source(
        self,
        relation: Relation,
        request: cells.Request,
        keys: Mapping[str, str],
        told: Sequence[str],
    ) -> str:
        """Calls with what `ecologits_sums.query` needs, and their keys."""
        present = relation.present
        where = [*cells.conditions(present, request), f"{keys['lengths']} <> {cells.FAILED}"]
        place, join = self._place(keys)
        is_timed = "FALSE"
        if "latency_s" in present:  # what cannot be read is a number below zero
            is_timed = "coalesce(latency_s >= 0 AND isfinite(latency_s), FALSE)"
        chosen = {
            "provider": keys["provider"],
            "model": keys["model"],
            "zone": place,
            "output_total": "output_total" if "output_total" in present else "NULL::BIGINT",
            "timed": is_timed,
            "latency_s": "NULL::DOUBLE",
            **{name: keys[name] for name in told},
        }
        if "latency_s" in present:
            chosen["latency_s"] = f"CASE WHEN {is_timed} THEN latency_s END"
        if "n_requests" in present:
            chosen["n_requests"] = "coalesce(n_requests, 0)"
        accepted = f"(SELECT * FROM {relation.sql} WHERE {' AND '.join(where)})"
        return f"(SELECT {cells.listed(chosen)} FROM {accepted} AS r {join})"

    def _place(self, keys: Mapping[str, str]) -> tuple[str, str]:
        """The expression of the zone of a call, and what has to be joined for it."""
        if self.only is not None:
            return (quoted(self.only) if self.only else "NULL::VARCHAR"), ""
        same = " AND ".join(
            f"coalesce({keys.get(name, 'NULL')}, '') = p.{named('p_' + name)}"
            for name in self._told
        )
        return "nullif(p.p_place, '')", f"LEFT JOIN {_PLACES} AS p ON {same}"

    def _put_places(self, where: Places) -> str | None:
        """Put where the calls run beside what tells it; the zone when it is the same for all."""
        columns = ", ".join(named(name) for name in self._told)
        rows = self.engine.rows(f"SELECT DISTINCT {columns} FROM {PARTS} ORDER BY ALL")
        found = []
        for row in rows:
            known = {name: value for name, value in zip(self._told, row, strict=True) if value}
            place = where.find(known)
            zone = place.zone or (
                find_region(place.region, where.data).zone if place.region else ""
            )
            found.append(country(zone, where.data) if zone else "")
            if found[-1] != zone:
                self.widened[zone] = found[-1]
        held = {
            f"p_{name}": np.array([row[at] for row in rows], dtype=object)
            for at, name in enumerate(self._told)
        }
        self._put(_PLACES, {**held, "p_place": np.array(found, dtype=object)})
        return found[0] if len(set(found)) == 1 else None

    def finish(self) -> None:
        """Name what is in the cells and in the sums, once all relations were added."""
        same = " AND ".join(f"c.{named(n)} = p.{named('p_' + n)}" for n in self._told)
        self.engine.run(
            f"CREATE OR REPLACE VIEW ecologits_cells AS SELECT c.*, m.number, p.p_place FROM "
            f"{PARTS} AS c JOIN {ecologits_sums.TABLE} AS m ON c.provider = m.provider "
            f"AND c.model = m.model JOIN {_PLACES} AS p ON {same}"
        )
        self._put_kinds()
        names = "k.label, k.place, k.pricing, k.operator, k.reason"
        self.engine.run(
            f"CREATE OR REPLACE TABLE {PLACED} AS SELECT c.*, {names} FROM ecologits_cells AS c "
            f"JOIN {_KINDS} AS k USING (number, p_place, lengths)"
        )
        texts = [f"coalesce(c.{named(n)}, {_nothing(n)}) AS {named(n)}" for n in _KEYS]
        self.engine.run(
            f"CREATE OR REPLACE TABLE {GROUPS} AS SELECT c.* REPLACE ({', '.join(texts)}), {names} "
            f"FROM {CALLS} AS c JOIN {_KINDS} AS k ON c.number = k.number "
            "AND coalesce(c.zone, '') = k.p_place AND c.lengths = k.lengths"
        )

    def _put_kinds(self) -> None:
        """What tables call calls of each model, place and knowledge of lengths."""
        kinds = self.engine.columns(
            "SELECT DISTINCT number, p_place, lengths FROM ecologits_cells ORDER BY ALL"
        )
        models_ = [self.known[number] for number in kinds["number"]]
        reasons = self._reasons(kinds)
        places = [
            place.upper() or mix_zone(each)
            for place, each in zip(kinds["p_place"], models_, strict=True)
        ]
        pricing = [
            "none" if reason else each.pricing
            for each, reason in zip(models_, reasons, strict=True)
        ]
        told = {
            "label": [each.label for each in models_],
            "place": places,
            "pricing": pricing,
            "operator": [each.operator for each in models_],
            "reason": reasons,
        }
        self._put(_KINDS, kinds | {n: np.array(of, dtype=object) for n, of in told.items()})

    def _reasons(self, kinds: Mapping[str, NDArray[Any]]) -> list[str]:
        """Why calls of each kind have no impacts, a key of `ecologits.UNPRICED`; "" if they do."""
        count = len(kinds["number"])
        one = dict.fromkeys(_SUMS, np.zeros(count)) | {
            "number": kinds["number"],
            "zone": kinds["p_place"],
            "calls": np.ones(count),
            "counted_calls": np.isin(kinds["lengths"], _WITH_OUTPUT),
        }
        unpriced = ecologits.impacts(one, self.parameters).unpriced
        return [
            next((name for name, counts in unpriced.items() if counts[at]), "")
            for at in range(count)
        ]

    def _put(self, name: str, columns: Mapping[str, NDArray[Any]]) -> None:
        """Make a table of arrays; those of objects hold text, even when there is none."""
        self.engine.put(_GIVEN, columns)
        texts = [n for n, values in columns.items() if values.dtype == object]
        told = ", ".join(f"{named(n)}::VARCHAR AS {named(n)}" for n in texts)
        self.engine.run(
            f"CREATE OR REPLACE TABLE {name} AS SELECT * REPLACE ({told}) FROM {_GIVEN}"
        )

    def sums(self, keys: Sequence[str], where: str) -> dict[str, NDArray[Any]]:
        """The sums by some expressions, ``k0`` and on: what `ecologits.impacts` takes."""
        chosen = [f"{of} AS k{place}" for place, of in enumerate(keys)]
        told = [*chosen, "number", "zone", *(f"{of} AS {name}" for name, of in _SUMS.items())]
        return self.engine.columns(
            f"SELECT {', '.join(told)} FROM {GROUPS} WHERE {where} GROUP BY ALL ORDER BY ALL"
        )


def country(zone: str, data: Path) -> str:
    """The country of a zone within one, else the zone: EcoLogits has mixes of countries alone.

    >>> from kilowhat.registry.tables import DATA
    >>> country("us-midw-miso", DATA), country("europe", DATA)
    ('usa', 'europe')
    """
    around = ancestry(find_zone(zone, data), data)
    return next((each for each in around if zones(data)[each].kind == "country"), zone)


def _told(where: Places) -> tuple[str, ...]:
    """The keys of calls that their place depends on."""
    by_model = any(rule.model != "*" for rule in where.rules)
    return ("zone", "region", "provider", *where.keys(), *(["model"] if by_model else []))


def mix_zone(model: Model) -> str:
    """The zone that EcoLogits takes for a model when none is said, as its id in capitals."""
    zone = model.parameters.zone
    return OURS.get(zone, zone)


def _varies(expression: str) -> bool:
    return expression != "NULL" and not expression.startswith("'")


def _nothing(key: str) -> str:
    """What stands for a key that the log does not say: as in the view ``cells``."""
    return "''" if cells.KEYS[key] == "VARCHAR" else "-1"
