"""Laws of EcoLogits' method over a log: the same as the sum of what the library says per call."""

from __future__ import annotations

import math
import random
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kilowhat.errors import MissingExtra, UnsupportedUse
from kilowhat.ledger import ecologits, ecologits_sums
from kilowhat.ledger.ecologits_names import PROVIDERS, mix_name

if TYPE_CHECKING:
    from collections.abc import Sequence

duckdb = pytest.importorskip("duckdb", reason="DuckDB (extra account) is not installed")
pytest.importorskip("ecologits", reason="EcoLogits (extra ecologits) is not installed")

from ecologits.electricity_mix_repository import electricity_mixes  # noqa: E402
from ecologits.impacts import llm  # noqa: E402
from ecologits.model_repository import models  # noqa: E402
from ecologits.tracers.utils import PROVIDER_CONFIG_MAP, llm_impacts  # noqa: E402

EXACT = 1e-12
MODELS = [(model.provider.value, model.name) for model in models.list_models()]
ZONES = [None, "fra", "USA", "swe", "world", "dma", "europe"]
REASONS = {"model-not-registered": "model", "zone-not-registered": "zone"}


class Call(NamedTuple):
    """A row of a log."""

    provider: str | None
    model: str
    zone: str | None
    tokens: int | None
    latency_s: float | None
    team: str = "a"


class Sums(NamedTuple):
    """What the module says of a log: its groups, and their impacts."""

    groups: dict[str, Any]
    priced: ecologits.Priced


def connected(some: Sequence[Call], threads: int = 1, columns: str = "") -> Any:
    link = duckdb.connect(config={"threads": threads})
    link.execute(
        "CREATE TABLE calls (provider VARCHAR, model VARCHAR, zone VARCHAR, "
        "output_total BIGINT, latency_s DOUBLE, team VARCHAR)"
    )
    given = {
        name: np.array(values, dtype=object)
        for name, values in zip(Call._fields, zip(*some, strict=True), strict=True)
    }
    given["tokens"] = np.array([-1 if c.tokens is None else c.tokens for c in some])
    given["latency_s"] = np.array([-1 if c.latency_s is None else c.latency_s for c in some], float)
    link.register("given", given)
    link.execute(
        "INSERT INTO calls SELECT provider, model, zone, nullif(tokens, -1), "
        "nullif(latency_s, -1), team FROM given"
    )
    return link


def summed(link: Any, calls: str = "calls", keys: Sequence[str] = (), requests: str = "1") -> Sums:
    parameters = ecologits.models_needed(link.execute(ecologits_sums.names_query(calls)).fetchall())
    link.register("models_given", ecologits_sums.latency_table(parameters))
    link.execute(f"CREATE OR REPLACE TABLE {ecologits_sums.TABLE} AS SELECT * FROM models_given")
    groups = link.execute(ecologits_sums.query(calls, keys, requests)).fetchnumpy()
    return Sums(groups, ecologits.impacts(groups, parameters))


def theirs(call: Call) -> Any:
    """What the library says of a call."""
    return llm_impacts(
        provider=call.provider or "",
        model_name=call.model,
        output_token_count=call.tokens or 0,
        request_latency=math.inf if call.latency_s is None else call.latency_s,
        electricity_mix_zone=mix_name(call.zone) if call.zone else None,
    )


def ends(said: Any, name: str) -> tuple[float, float]:
    for part in name.split("."):
        said = getattr(said, part)
    return getattr(said.value, "min", said.value), getattr(said.value, "max", said.value)


def total(some: Sequence[Any], name: str) -> list[float]:
    """Sums of an output over what the library says of calls, low and high, not rounded between."""
    return [math.fsum(each) for each in zip(*(ends(said, name) for said in some), strict=True)]


def is_exact(found: float, expected: float) -> bool:
    return math.isclose(found, expected, rel_tol=EXACT, abs_tol=0)


def log_of_all_models() -> list[Call]:
    """Calls of every model there is: cut off or not at both ends, at neither, at one."""
    chosen = random.Random(2026)
    found = []
    for model in ecologits.models_needed(MODELS):
        for place in range(8):
            tokens = chosen.choice([0, 1, chosen.randint(2, 400), chosen.randint(400, 200_000)])
            low_s, high_s = (tokens * tau_s + model.ttft_s for tau_s in model.tau_s)
            own_s = [low_s * chosen.random(), (low_s + high_s) / 2, high_s * 1.5]
            latency_s = [None, 0.0, 1e-9, 1e-3, math.inf, *own_s][place]
            found.append(Call(*model.asked, chosen.choice(ZONES), tokens, latency_s))
    return found


def test_all_models_on_all_outputs() -> None:
    log = log_of_all_models()
    groups, priced = summed(connected(log))
    assert priced.calls.sum() == len(log)
    by_group: dict[tuple[str, str, str], list[Any]] = {}
    for call in log:
        by_group.setdefault((str(call.provider), call.model, call.zone or ""), []).append(
            theirs(call)
        )
    zones = np.ma.filled(groups["zone"], "")
    assert len(by_group) == len(zones)
    for index, key in enumerate(zip(groups["provider"], groups["model"], zones, strict=True)):
        for name in ecologits.OUTPUTS:
            found = [end[index] for end in priced.values[name]]
            expected = total(by_group[key], name)
            assert all(map(is_exact, found, expected)), (key, name, found, expected)


def test_a_log_holds_every_case() -> None:
    """The law above would hold of a log without cut-off calls too; this one has all kinds."""
    groups, _ = summed(connected(log_of_all_models()))
    cut_low = groups["calls"] - groups["free_calls_low"]
    cut_high = groups["calls"] - groups["free_calls_high"]
    assert (cut_low > 0).sum() > 100
    assert (cut_high > cut_low).sum() > 20
    assert (groups["free_calls_high"] > 0).sum() > 100


NANOSECONDS = st.integers(1, 10**14)  # what clocks tell apart


@st.composite
def calls(draw: st.DrawFn) -> Call:
    provider, model = draw(st.sampled_from([*MODELS[::7], ("openai", "gpt-4o"), ("openai", "x")]))
    return Call(
        provider,
        model,
        draw(st.sampled_from([*ZONES, "us-cal-ciso", "xkx"])),
        draw(st.integers(0, 10**6)),
        draw(st.none() | NANOSECONDS.map(lambda ns: ns / 1e9) | st.sampled_from([0.0, 0.5, 10.0])),
    )


@settings(max_examples=40)
@given(st.lists(calls(), min_size=1, max_size=30))
def test_a_log_is_the_sum_of_its_calls(some: list[Call]) -> None:
    said = [theirs(call) for call in some]
    known = [each for each in said if not each.has_errors]
    priced = summed(connected(some)).priced
    assert priced.calls.sum() == len(known)
    for reason, name in REASONS.items():
        count = sum(each.has_errors and each.errors[0].code == reason for each in said)
        assert priced.unpriced[name].sum() == count
    for name in ecologits.OUTPUTS:
        found = [math.fsum(end) for end in priced.values[name]]
        expected = total(known, name) if known else [0.0, 0.0]
        assert found == pytest.approx(expected, rel=EXACT, abs=0), name


def test_sums_do_not_depend_on_order_threads_or_parts() -> None:
    log = [call._replace(team=str(n % 5)) for n, call in enumerate(log_of_all_models() * 3)]
    mixed = random.Random(7).sample(log, len(log))
    one, many = (summed(connected(some, n)) for some, n in ((log, 1), (mixed, 4)))

    def sorted_sums(sums: Sums) -> list[tuple[Any, ...]]:
        filled = (np.ma.filled(column, "").tolist() for column in list(sums.groups.values())[1:])
        return sorted(zip(*filled, strict=True))

    assert sorted_sums(one) == sorted_sums(many)
    parts = summed(connected(log), keys=["team"])
    for name, (low, high) in parts.priced.values.items():
        expected = [math.fsum(end) for end in one.priced.values[name]]
        assert [math.fsum(low), math.fsum(high)] == pytest.approx(expected, rel=EXACT, abs=0), name


def test_latencies_are_added_without_rounding() -> None:
    chosen = random.Random(5)
    latencies = [chosen.random() * 10 ** chosen.uniform(-6, 4) for _ in range(20_000)]
    log = [Call("openai", "gpt-4o", "fra", 10**9, latency_s) for latency_s in latencies]
    groups = summed(connected(log, 2)).groups
    assert groups["cut_low_s"].tolist() == [math.fsum(latencies)]
    assert groups["cut_high_s"].tolist() == [math.fsum(latencies)]


@pytest.mark.parametrize("latency_s", [None, 0.3, 4.0, 1e4])
def test_a_row_of_several_calls_is_those_calls(latency_s: float | None) -> None:
    log = [Call("anthropic", "claude-opus-4-5", None, 300, latency_s)] * 12
    as_one = "(SELECT provider, model, zone, 3600 AS output_total, any_value(latency_s) AS "
    as_one += "latency_s, 12 AS n_requests FROM calls GROUP BY ALL)"
    apart = summed(connected(log)).priced
    together = summed(connected(log), as_one, requests="n_requests").priced
    assert together.calls.tolist() == apart.calls.tolist() == [12]
    for name, range_ in apart.values.items():
        found = [end[0] for end in together.values[name]]
        assert found == pytest.approx([end[0] for end in range_], rel=EXACT, abs=0), name


def test_totals_of_an_unknown_number_of_calls_are_never_cut_off() -> None:
    link = connected([Call("openai", "gpt-4o", None, 5000, 0.1)])
    source = "(SELECT *, 0 AS n_requests FROM calls)"
    groups, priced = summed(link, source, requests="n_requests")
    assert groups["cut_high_s"].tolist() == [0.0]
    whole = theirs(Call("openai", "gpt-4o", None, 5000, None))
    deployment = next(m.deployment for m in models.list_models() if m.name == "gpt-4o")
    share = 1 - deployment.ttft / (5000 / deployment.tps + deployment.ttft)
    for name in ("embodied.gwp", "embodied.adpe", "embodied.pe"):
        expected = [end * share for end in ends(whole, name)]
        assert [end[0] for end in priced.values[name]] == pytest.approx(expected, rel=EXACT), name


def test_calls_without_tokens_are_counted_and_not_priced() -> None:
    log = [Call("openai", "gpt-4o", "fra", 100, 2.0), Call("openai", "gpt-4o", "fra", None, 2.0)]
    priced = summed(connected(log)).priced
    assert priced.calls.tolist() == [1]
    assert {name: count.tolist() for name, count in priced.unpriced.items()} == {
        "model": [0], "zone": [0], "tokens": [1],
    }  # fmt: skip
    expected = ends(theirs(log[0]), "gwp")
    assert [end[0] for end in priced.values["gwp"]] == pytest.approx(expected, rel=EXACT)


@pytest.mark.parametrize("provider", list(PROVIDER_CONFIG_MAP))
def test_a_zone_that_is_not_said_is_the_providers(provider: str) -> None:
    model = next(name for of, name in MODELS if of == provider)
    zone = PROVIDER_CONFIG_MAP[provider].datacenter_location
    unsaid = summed(connected([Call(provider, model, None, 9, 1.0)])).priced
    for name in ecologits.OUTPUTS:
        expected = ends(theirs(Call(provider, model, zone, 9, 1.0)), name)
        assert [end[0] for end in unsaid.values[name]] == pytest.approx(expected, rel=EXACT), name


@pytest.mark.parametrize(
    ("provider", "model", "known_as"),
    [
        ("openai", "gpt-4o", ("openai", "gpt-4o")),
        ("azure", "gpt-35-turbo", ("openai", "gpt-35-turbo")),
        ("OpenAI", "gpt-4o", ("openai", "gpt-4o")),
        ("google", "gemini-flash-latest", ("google_genai", "gemini-flash-latest")),
        ("mistral", "mistral/mistral-large-latest", ("mistralai", "mistral-large-latest")),
        ("", "openai/gpt-4o", ("openai", "gpt-4o")),
        ("", "gpt-4o", ("openai", "gpt-4o")),
        ("", "google/gemma-2-9b", ("huggingface_hub", "google/gemma-2-9b")),
        ("aws", "gpt-4o", None),
        ("anthropic", "openai/gpt-4o", None),
        ("openai", "GPT-4o", None),
        ("openai", "gpt-4o-ish", None),
        ("", "", None),
    ],
)
def test_names(provider: str, model: str, known_as: tuple[str, str] | None) -> None:
    found = ecologits.models_needed([(provider, model)])[0]
    assert (found.asked, found.known_as) == ((provider, model), known_as)


def test_providers_are_those_of_the_library() -> None:
    assert set(PROVIDERS.values()) == set(PROVIDER_CONFIG_MAP)
    assert all(PROVIDERS[name] == name for name in PROVIDER_CONFIG_MAP)
    for zone in ("world", "europe"):
        assert electricity_mixes.find_electricity_mix(mix_name(zone)) is not None


def test_its_warnings_are_kept() -> None:
    log = [Call("openai", "gpt-4o", "dma", 10, 1.0), Call("openai", "x", "abw", 10, 1.0)]
    expected = [str(each) for each in theirs(log[0]).warnings]
    assert len(expected) > 2
    assert sorted(summed(connected(log)).priced.warnings) == sorted(expected)


def test_another_calculation_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    original = llm.compute_llm_impacts

    def other(**given: Any) -> Any:
        return original(**(given | {"output_token_count": given["output_token_count"] ** 1.001}))

    ecologits.models_needed([("openai", "gpt-4o")])
    monkeypatch.setattr(llm, "compute_llm_impacts", other)
    with pytest.raises(UnsupportedUse, match="gpt-4o"):
        ecologits.models_needed([("openai", "gpt-4o")])


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ecologits.impacts.llm", None)
    with pytest.raises(MissingExtra, match=r"kilowhat\[ecologits\]"):
        ecologits.models_needed([])


def test_an_empty_log() -> None:
    link = connected([Call("openai", "gpt-4o", None, 1, 1.0)])
    sums = summed(link, "(SELECT * FROM calls WHERE FALSE)")
    assert sums.priced.calls.size == 0
    assert all(low.size == high.size == 0 for low, high in sums.priced.values.values())
