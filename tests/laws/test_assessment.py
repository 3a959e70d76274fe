"""Laws of the assessment: stages add up, uses are linear, gaps are said, nothing counts twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kilowhat.assessment import Estimator, Question, answer, of_energy, price
from kilowhat.assessment.rates import UNITS
from kilowhat.domain.activity import Activity
from kilowhat.domain.boundary import IT, Stage, names
from kilowhat.domain.impact import Interval, Missing
from kilowhat.errors import BoundaryError, InvalidValue, KilowhatError, UnsupportedUse
from kilowhat.quantity.quantity import Quantity
from kilowhat.registry.places import zones
from kilowhat.registry.resolve import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from kilowhat.assessment import Assessment
    from kilowhat.quantity.quantity import Vector

TEXT = Activity(model="gpt-4o", input_tokens=1000, output_tokens=400, zone="FRA")
USES = {
    "undisclosed": TEXT,
    "open": replace(TEXT, model="llama-3.1-70b", zone="DEU"),
    "deployed": replace(
        TEXT, model="deepseek-v3", accelerator="h200-sxm", count=8, concurrency=64,
        precision="fp8",
    ),
    "fast": replace(TEXT, model="llama-3.1-8b", tokens_per_second=90.0),
    "described": Activity(parameters=70e9, active=12e9, output_tokens=100, input_tokens=10),
    "like": Activity(like="frontier", output_tokens=100, input_tokens=10, zone="USA"),
    "image": Activity(model="flux.1-dev", images=2, steps=28, zone="FRA"),
    "video": Activity(model="wan2.1-t2v-14b", video_s=5.0, zone="world"),
    "published": Activity(model="object-detection", calls=1000),
    "at home": replace(TEXT, model="llama-3.1-8b", accelerator="rtx-4090", concurrency=1),
}  # fmt: skip
OWN = "own-machine"
every_use = pytest.mark.parametrize("use", USES.values(), ids=USES)


def known(assessment: Assessment, category: str, stage: str | None = None) -> Vector:
    draws = assessment.draws(category, stage)
    assert draws is not None
    return draws


# ── stages and categories ────────────────────────────────────────────────────────────────────


@every_use
def test_stages_sum_to_impacts_draw_by_draw(estimator: Estimator, use: Activity) -> None:
    assessment = estimator.estimate(use)
    for category in UNITS:
        whole = assessment.draws(category)
        if whole is None:
            continue
        parts = [assessment.draws(category, stage) for stage in assessment.stages]
        added = sum(part for part in parts if part is not None)
        assert np.allclose(added, whole, rtol=1e-12)


@every_use
def test_every_impact_is_an_interval_in_its_unit_or_a_gap_with_a_reason(
    estimator: Estimator, use: Activity
) -> None:
    assessment = estimator.estimate(use)
    assert list(assessment.impacts) == list(UNITS)
    for stage, group in {"": assessment.impacts, **assessment.stages}.items():
        by_definition = stage == "facility" and assessment.context.basis["kind"] == OWN
        for category, value in group.items():
            assert value.unit == UNITS[category]
            if isinstance(value, Missing):
                assert len(value.reason) > 10
            elif by_definition:  # a machine at home has no cooling plant: PUE 1, water 0
                assert (value.p05, value.p95) == (0.0, 0.0)
            else:
                assert 0 < value.p05 <= value.p50 <= value.p95 < float("inf")


@every_use
def test_bulk_prices_are_those_of_one_use(estimator: Estimator, use: Activity) -> None:
    ((own, _),) = price(estimator, [use])  # type: ignore[misc]
    alone = estimator.estimate(use).to_dict()
    for category, value in alone["impacts"].items():  # type: ignore[attr-defined]
        assert own["impacts"][category] == pytest.approx(value)
    for stage, categories in alone["stages"].items():  # type: ignore[attr-defined]
        assert set(own["stages"][stage]) == set(categories)
        for category, value in categories.items():
            for key in set(value) - {"unit", "missing"}:
                assert own["stages"][stage][category][key] == pytest.approx(value[key]), category
    assert own["boundary"] == alone["boundary"]
    assert own["functional_unit"] == alone["functional_unit"]


@every_use
def test_stages_come_in_the_order_of_life(estimator: Estimator, use: Activity) -> None:
    stages = list(estimator.estimate(use).stages)
    order = ["given", "accelerator", "host", "idle", "facility", "grid", "embodied"]
    assert stages == [stage for stage in order if stage in stages]
    assert {"facility", "grid"} <= set(stages)
    assert ("given" in stages) != ("accelerator" in stages)


@every_use
def test_the_grid_carries_no_energy_and_the_embodied_stage_neither(
    estimator: Estimator, use: Activity
) -> None:
    stages = estimator.estimate(use).stages
    assert "energy" not in stages["grid"]
    assert "energy" not in stages.get("embodied", {})
    assert "ghg" in stages["grid"]


@every_use
def test_every_factor_used_has_a_source_and_a_rung(estimator: Estimator, use: Activity) -> None:
    trail = estimator.estimate(use).trail()
    assert len({(e.factor.stream, e.factor.year) for e in trail}) == len(trail)
    for entry in trail:
        assert entry.factor.source.key
        assert entry.factor.locator
        assert entry.rung.used in entry.rung.tried
        assert entry.rung.used == entry.factor.id


@every_use
def test_the_boundary_names_the_stages_that_are_in(estimator: Estimator, use: Activity) -> None:
    assessment = estimator.estimate(use)
    inside = set(names(assessment.boundary()))
    shown = {
        stage
        for stage, values in assessment.stages.items()
        if any(isinstance(value, Interval) for value in values.values())
    }
    assert shown - {"given"} <= inside
    already = {"accelerator", "host", "idle"} if "given" in shown else set()
    assert inside <= shown | {"upstream", "losses"} | already


@every_use
def test_drivers_are_shares_in_falling_order(estimator: Estimator, use: Activity) -> None:
    assessment = estimator.estimate(use)
    for category in ("energy", "ghg"):
        shares = [driver.share for driver in assessment.drivers(category)]
        assert shares
        assert shares == sorted(shares, reverse=True)
        assert all(0 < share <= 1.0 + 1e-9 for share in shares)


def test_parts_of_the_grid_s_gas_are_shown_apart(estimator: Estimator) -> None:
    grid = estimator.estimate(TEXT).to_dict()["stages"]["grid"]  # type: ignore[index]
    assert set(grid["ghg_parts"]) == {"direct", "upstream", "losses"}
    parts = estimator.estimate(TEXT).context.rates.parts
    whole = estimator.estimate(TEXT).context.rates.per_joule["grid", "ghg"]
    assert np.allclose(sum(parts.values()), whole)


# ── linear in the features of a call ─────────────────────────────────────────────────────────

counts = st.integers(0, 100_000)


@given(counts, counts, counts, counts, st.floats(1, 1e9), st.floats(1, 1e9))
def test_calls_of_one_operating_point_add_up(
    fresh: int, cached: int, out: int, images: int, one: float, other: float
) -> None:
    assume(fresh + out > 0)
    use = replace(
        TEXT,
        input_tokens=float(fresh + cached),
        cached_tokens=float(cached),
        output_tokens=float(out),
        images_in=float(images % 20),
    )
    prepared = SHARED.prepare(use)
    together = prepared.features([replace(use, calls=one + other)])
    apart = prepared.features([replace(use, calls=one), replace(use, calls=other)]).sum(axis=0)
    assert together[0] == pytest.approx(apart, rel=1e-12)


SHARED = Estimator(Registry(draws=64))
rows = st.lists(
    st.tuples(counts, st.floats(0, 1), st.integers(1, 20_000), st.integers(1, 1000)),
    min_size=1,
    max_size=8,
)


@given(rows)
def test_a_log_is_exactly_the_sum_of_its_rows(log: list[tuple[int, float, int, int]]) -> None:
    """account(log) = Σ estimate(row): only the sums of the features are needed."""
    uses = [
        replace(
            TEXT, input_tokens=float(whole), cached_tokens=float(int(whole * share)),
            output_tokens=float(out), calls=float(calls),
        )
        for whole, share, out, calls in log
    ]  # fmt: skip
    prepared = SHARED.prepare(uses[0])
    features = prepared.features(uses).sum(axis=0)
    account = features @ prepared.energy_prices
    one_by_one = np.sum([SHARED.estimate(use).energy_j for use in uses], axis=0)
    assert account == pytest.approx(one_by_one, rel=1e-9)


@pytest.mark.parametrize(
    "more",
    [
        {"output_tokens": 800.0},
        {"input_tokens": 4000.0},
        {"calls": 2.0},
    ],
)
@pytest.mark.parametrize("model", ["gpt-4o", "llama-3.1-70b", "deepseek-v3"])
def test_more_of_anything_costs_more_in_every_draw(
    estimator: Estimator, more: dict[str, float], model: str
) -> None:
    use = replace(TEXT, model=model)
    less = estimator.estimate(use).energy()
    assert (estimator.estimate(replace(use, **more)).energy() > less).all()  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["images_in", "videos_in"])
@pytest.mark.parametrize("model", ["gpt-4o", "llama-3.1-70b", "deepseek-v3"])
def test_what_a_model_sees_costs_energy(estimator: Estimator, kind: str, model: str) -> None:
    use = replace(TEXT, model=model)
    none, one, two = (
        estimator.estimate(replace(use, **{kind: float(n)})).energy()  # type: ignore[arg-type]
        for n in (0, 1, 2)
    )
    assert (two > one).all()
    assert np.median(one) > np.median(none)  # the formula's own error is another for images


def test_cached_tokens_are_cheaper_but_not_free(estimator: Estimator) -> None:
    fresh = estimator.estimate(replace(TEXT, input_tokens=20_000)).energy()
    cached = replace(TEXT, input_tokens=20_000, cached_tokens=19_000)
    some = estimator.estimate(cached).energy()
    none = estimator.estimate(replace(TEXT, input_tokens=1000)).energy()
    assert (some < fresh).all()
    assert (some > none).all()


def test_reasoning_tokens_cost_what_output_costs(estimator: Estimator) -> None:
    thought = replace(TEXT, output_tokens=2000, reasoning_tokens=1600)
    said = replace(TEXT, output_tokens=2000)
    assert (estimator.estimate(thought).energy() == estimator.estimate(said).energy()).all()


@pytest.mark.parametrize("name", ["image", "video", "published"])
def test_media_scale_with_their_number(estimator: Estimator, name: str) -> None:
    one = estimator.estimate(USES[name])
    ten = estimator.estimate(replace(USES[name], calls=USES[name].calls * 10))
    assert np.allclose(ten.energy(), 10 * one.energy())
    assert ten.unit.count == pytest.approx(10 * one.unit.count)


def test_more_steps_pixels_and_seconds_cost_more(estimator: Estimator) -> None:
    image, video = USES["image"], USES["video"]
    for less, more in (
        (image, replace(image, steps=56)),
        (
            replace(image, width_px=512, height_px=512),
            replace(image, width_px=1024, height_px=1024),
        ),
        (video, replace(video, video_s=10.0)),
    ):
        assert (estimator.estimate(more).energy() > estimator.estimate(less).energy()).all()


# ── overheads once ───────────────────────────────────────────────────────────────────────────


def test_water_on_site_follows_the_it_energy_not_the_facility_s(estimator: Estimator) -> None:
    assessment = estimator.estimate(TEXT)
    rates = assessment.context.rates
    registry = assessment.context.registry
    it_energy = sum(known(assessment, "energy", s) for s in ("accelerator", "host", "idle"))
    (wue,) = [e.factor for e in rates.trail if e.factor.id.endswith(".wue")]
    expected = it_energy * registry.value(wue).to("L/J")
    assert np.allclose(known(assessment, "water", "facility"), expected)


def test_pue_is_applied_once(estimator: Estimator) -> None:
    assessment = estimator.estimate(TEXT)
    (pue,) = [e.factor for e in assessment.trail() if e.factor.id.endswith(".pue")]
    it_energy = sum(known(assessment, "energy", s) for s in ("accelerator", "host", "idle"))
    ratio = assessment.context.registry.value(pue).magnitude
    assert np.allclose(assessment.energy(), it_energy * ratio)


KWH = Quantity.of(1.0, "kWh")


@pytest.mark.parametrize(
    ("boundary", "stages"),
    [
        (Stage.ACCELERATOR, ["accelerator", "host", "idle", "facility", "grid"]),
        (Stage.ACCELERATOR | Stage.HOST, ["given", "idle", "facility", "grid"]),
        (IT, ["given", "facility", "grid"]),
        (IT | Stage.FACILITY, ["given", "facility", "grid"]),
    ],
)
def test_energy_gets_the_stages_that_it_lacks_once_each(
    registry: Registry, boundary: Stage, stages: list[str]
) -> None:
    assessment = of_energy(KWH, boundary, zone="FRA", registry=registry)
    assert list(assessment.stages) == stages
    whole = assessment.energy()
    assert whole.min() >= 3.6e6
    if Stage.FACILITY in boundary:
        assert np.allclose(whole, 3.6e6)
        assert isinstance(assessment.stages["facility"]["water"], Missing)
    else:
        assert whole.min() > 3.6e6
    assert names(assessment.boundary())[:4] == ["accelerator", "host", "idle", "facility"]


@pytest.mark.parametrize("more", [Stage.GRID, Stage.GRID | Stage.UPSTREAM])
def test_a_stage_that_is_already_in_cannot_be_added(registry: Registry, more: Stage) -> None:
    with pytest.raises(BoundaryError):
        of_energy(KWH, IT | Stage.FACILITY | more, zone="FRA", registry=registry)


def test_energy_is_linear_and_may_be_a_vector(registry: Registry) -> None:
    one = of_energy(KWH, IT, zone="FRA", registry=registry)
    draws = np.linspace(1.0, 2.0, registry.draws)
    many = of_energy(Quantity.of(draws, "kWh"), IT, zone="FRA", registry=registry)
    for category in UNITS:
        assert np.allclose(known(many, category), draws * known(one, category))


# ── where, and when ──────────────────────────────────────────────────────────────────────────


def test_no_zone_is_the_world_and_said(estimator: Estimator) -> None:
    assessment = estimator.estimate(replace(TEXT, zone=None))
    assert assessment.context.zone == "WORLD"
    assert any("world average" in warning for warning in assessment.all_warnings())
    assert "grid.world.gwp_location" in [e.factor.id for e in assessment.trail()]


def test_a_zone_that_was_asked_for_is_not_said(estimator: Estimator) -> None:
    warnings = estimator.estimate(TEXT).all_warnings()
    assert not any("world average" in warning for warning in warnings)


def _without_grid_factor(registry: Registry) -> list[str]:
    held = registry.family("grid")
    return [
        zone.id
        for zone in zones(registry.data).values()
        if zone.kind == "country" and f"grid.{zone.id}.gwp_location" not in held
    ]


def test_a_zone_without_a_factor_takes_the_world_s_and_says_so(
    registry: Registry, estimator: Estimator
) -> None:
    lacking = _without_grid_factor(registry)
    assert lacking, "every country has a factor now: drop this law"
    assessment = estimator.estimate(replace(TEXT, zone=lacking[0]))
    assert assessment.context.zone == lacking[0].upper()
    assert any("No grid factor for this zone" in said for said in assessment.all_warnings())
    entry = next(e for e in assessment.trail() if e.factor.id.endswith("gwp_location"))
    assert entry.rung.used == "grid.world.gwp_location"
    assert entry.rung.tried[0] == f"grid.{lacking[0]}.gwp_location"


def test_a_category_without_a_factor_is_missing_never_zero(
    registry: Registry, estimator: Estimator
) -> None:
    held = registry.family("grid")
    lacking = [
        zone.id
        for zone in zones(registry.data).values()
        if zone.kind == "country"
        and f"grid.{zone.id}.gwp_location" in held
        and f"grid.{zone.id}.primary_energy" not in held
    ]
    assert lacking, "every country has a primary-energy factor now: drop this law"
    assessment = estimator.estimate(replace(TEXT, zone=lacking[0]))
    value = assessment.impacts["primary_energy"]
    assert isinstance(value, Missing)
    assert assessment.draws("primary_energy") is None
    shown = assessment.to_dict()["impacts"]["primary_energy"]  # type: ignore[index]
    assert set(shown) == {"unit", "missing"}
    assert isinstance(assessment.impacts["ghg"], Interval)


def test_gaps_are_told_in_the_language_in_use(estimator: Estimator) -> None:
    from kilowhat.language import speaking

    assessment = of_energy(KWH, IT | Stage.FACILITY, zone="FRA", registry=estimator.registry)
    english = assessment.stages["facility"]["water"].to_dict()["missing"]
    with speaking("fr"):
        french = assessment.stages["facility"]["water"].to_dict()["missing"]
    assert english != french


@pytest.mark.parametrize(("asked", "used"), [(2016, 2016), (2019, 2019)])
def test_an_older_date_takes_that_year_s_factor(
    estimator: Estimator, asked: int, used: int
) -> None:
    assessment = estimator.estimate(replace(TEXT, when=date(asked, 7, 1)))
    entry = next(e for e in assessment.trail() if e.factor.id == "grid.fra.gwp_location")
    assert entry.factor.year == used
    assert f"({used})" in entry.rung.label()


def test_a_year_that_is_not_known_says_which_one_was_used(estimator: Estimator) -> None:
    latest = estimator.registry.factor("grid.fra.gwp_location").factor.year
    assessment = estimator.estimate(replace(TEXT, when=date(2031, 7, 1)))
    entry = next(e for e in assessment.trail() if e.factor.id == "grid.fra.gwp_location")
    assert entry.rung.label().endswith(f"(2031 → {latest})")


def test_a_region_gives_its_zone(estimator: Estimator) -> None:
    assessment = estimator.estimate(replace(TEXT, zone=None, region="aws:eu-west-3"))
    assert assessment.context.zone == "FRA"


def test_a_region_and_a_zone_may_agree_but_not_contradict(estimator: Estimator) -> None:
    there = replace(TEXT, region="aws:eu-west-3")
    assert estimator.estimate(there).context.zone == "FRA"
    with pytest.raises(InvalidValue):
        estimator.estimate(replace(there, zone="DEU"))


def test_the_french_regulation_has_its_own_factor() -> None:
    regulatory = Estimator(Registry(purpose="regulatory-fr", draws=64)).estimate(TEXT)
    entry = next(e for e in regulatory.trail() if e.factor.id == "grid.fra.gwp_regulatory")
    assert entry.factor.central == 51.9
    elsewhere = Estimator(Registry(purpose="regulatory-fr", draws=64)).estimate(
        replace(TEXT, zone="DEU")
    )
    assert any(e.factor.id == "grid.deu.gwp_location" for e in elsewhere.trail())


# ── a single call, populations, other units ──────────────────────────────────────────────────

ASKED = {"model": "gpt-4o", "in": 1000, "out": 400, "zone": "FRA"}


def test_a_single_call_is_wider_around_the_same_middle(registry: Registry) -> None:
    mean = answer(Question(use=ASKED), registry).assessment.impacts
    single = answer(Question(use=ASKED, is_single=True), registry).assessment.impacts
    for category, value in mean.items():
        assert isinstance(value, Interval)
        one = single[category]
        assert isinstance(one, Interval)
        least = 1.02 if category == "energy" else 0.95  # where doubt is wider, little is added
        assert one.p95 / one.p05 > least * value.p95 / value.p05
        assert one.p50 == pytest.approx(value.p50, rel=0.12)


def test_many_calls_are_not_a_single_one(registry: Registry) -> None:
    with pytest.raises(InvalidValue):
        answer(Question(use={**ASKED, "calls": 1000}, is_single=True), registry)


@pytest.mark.parametrize("calls", [1, 40])
@pytest.mark.parametrize("per", [None, "call", "1k-calls", "1M-tokens", "user-year"])
def test_a_population_does_not_depend_on_the_unit_shown(
    registry: Registry, calls: float, per: str | None
) -> None:
    use = {**ASKED, "calls": calls}
    one = answer(Question(use=ASKED), registry).assessment.impacts["energy"]
    asked = Question(use=use, users=1e6, per_day=10, per=per)
    population = answer(asked, registry).population
    assert population is not None
    assert isinstance(one, Interval)
    assert population.day.p50 == pytest.approx(1e7 * one.p50)
    assert population.year.p50 == pytest.approx(365.25e7 * one.p50)
    mean_power = population.day.p50 / 86400
    assert population.peak_power.p50 > mean_power
    assert population.peak_power.unit == "W"


@pytest.mark.parametrize("per", [None, "1k-calls"])
def test_published_figures_stand_for_the_same_use_in_any_unit(
    registry: Registry, per: str | None
) -> None:
    methods = answer(Question(use=ASKED, with_methods=True, per=per), registry).methods
    assert methods[0].is_ours
    openai = next(m for m in methods if "OpenAI" in m.name)
    assert openai.interval.p50 == pytest.approx(0.34 * 3600)


@pytest.mark.parametrize(
    ("per", "times"),
    [("call", 1 / 40), ("1k-calls", 25.0), ("1M-tokens", 1e6 / 1400 / 40), ("user-year", 36.525)],
)
def test_per_unit_is_the_same_use_many_times(registry: Registry, per: str, times: float) -> None:
    use = {**ASKED, "calls": 40}
    whole = answer(Question(use=use), registry).assessment
    per_day = 4.0 if per == "user-year" else None
    shown = answer(Question(use=use, per=per, per_day=per_day), registry).assessment
    assert np.allclose(shown.energy(), whole.energy() * times, rtol=1e-9)


def test_tokens_that_are_assumed_are_not_counted(registry: Registry) -> None:
    with pytest.raises(InvalidValue):
        answer(Question(use={"model": "gpt-4o", "out": 400}, per="1M-tokens"), registry)


@pytest.mark.parametrize(
    "use", [ASKED, {"parameters": 70e9, "out": 4}, {"like": "small", "out": 4}]
)
def test_versus_compares_with_any_description(registry: Registry, use: dict[str, object]) -> None:
    result = answer(Question(use=use, versus="gpt-4o"), registry)
    assert isinstance(result.ratio, Interval)
    assert result.versus is not None
    assert result.versus.context.model == "gpt-4o"
    if use is ASKED:
        assert (result.ratio.p05, result.ratio.p50, result.ratio.p95) == (1.0, 1.0, 1.0)


def test_training_is_added_only_on_request_and_once(registry: Registry) -> None:
    use = {**ASKED, "model": "llama-3.1-8b"}
    without = answer(Question(use=use), registry).assessment
    with_it = answer(Question(use=use, training_tokens=1e12), registry).assessment
    assert "training" not in without.stages
    assert "training" in names(with_it.boundary())
    share = known(with_it, "energy") - known(without, "energy")
    assert np.allclose(share, known(with_it, "energy", "training"))
    twice = answer(Question(use=use, training_tokens=2e12), registry).assessment
    assert np.allclose(2 * known(twice, "energy", "training"), share)


# ── defaults are said, for each use apart ────────────────────────────────────────────────────


def test_lengths_that_are_assumed_are_said_of_the_right_uses(estimator: Estimator) -> None:
    def said(use: Activity) -> bool:
        return any("No --in given" in text for text in estimator.estimate(use).all_warnings())

    bare, whole = replace(TEXT, input_tokens=None), TEXT
    for _ in range(2):  # whichever of them is prepared first
        assert said(bare)
        assert not said(whole)


@pytest.mark.parametrize("accelerator", ["rtx-4090", "apple-m3-max", "rtx-4070-laptop"])
def test_one_s_own_machine_serves_one_at_a_time_and_says_so(
    estimator: Estimator, accelerator: str
) -> None:
    use = replace(TEXT, model="llama-3.1-8b", accelerator=accelerator)
    assessment = estimator.estimate(use)
    assert any("your own machine" in said for said in assessment.all_warnings())
    alone = estimator.estimate(replace(use, concurrency=1.0))
    busy = estimator.estimate(replace(use, accelerator="h100-sxm", concurrency=64.0, count=1))
    assert np.median(alone.energy()) > 2 * np.median(busy.energy())
    middle = np.median(assessment.energy()) / np.median(alone.energy())
    assert 0.4 < middle < 2.5  # nobody shares it: it is used as if alone


# ── what nobody can answer ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "more",
    [
        {"images": 1.0}, {"video_s": 5.0}, {"frames": 40.0}, {"fps": 8.0}, {"steps": 20.0},
        {"width_px": 512, "height_px": 512}, {"ulysses": 2}, {"ring": 2},
        {"audio_in_s": 30.0}, {"audio_out_s": 30.0},
    ],
)  # fmt: skip
def test_a_text_call_refuses_what_it_cannot_count(
    estimator: Estimator, more: dict[str, float]
) -> None:
    estimator.estimate(TEXT)  # one that is prepared must not let the next slip through
    with pytest.raises((InvalidValue, UnsupportedUse)):
        estimator.estimate(replace(TEXT, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "more",
    [
        {"output_tokens": 5.0}, {"input_tokens": 5.0}, {"images_in": 1.0}, {"audio_in_s": 5.0},
        {"tokens_per_second": 5.0}, {"video_s": 5.0}, {"frames": 30.0},
    ],
)  # fmt: skip
def test_an_image_refuses_what_it_cannot_count(
    estimator: Estimator, more: dict[str, float]
) -> None:
    estimator.estimate(USES["image"])
    with pytest.raises((InvalidValue, UnsupportedUse)):
        estimator.estimate(replace(USES["image"], **more))  # type: ignore[arg-type]


def test_a_published_figure_says_what_changed_nothing(estimator: Estimator) -> None:
    use = Activity(model="gpt-image-1", images=1, zone="FRA", accelerator="h100-sxm", steps=5)
    warnings = estimator.estimate(use).all_warnings()
    assert any("accelerator" in said and "steps" in said for said in warnings)


@given(st.sampled_from(sorted(USES)), st.data())
def test_one_bad_use_does_not_harm_the_others(name: str, data: st.DataObject) -> None:
    bad = replace(TEXT, model=data.draw(st.sampled_from(["gpt4oo", "flux.1-dev", "", "🤖"])))
    uses = [USES[name], bad, USES[name]]
    results = price(SHARED, uses, stages=False)
    assert isinstance(results[1], KilowhatError)
    assert results[0] == results[2]
    assert not isinstance(results[0], KilowhatError)


# ── a user's own factors ─────────────────────────────────────────────────────────────────────

FACTORS = (
    "id,low,central,high,unit,shape,basis,boundary,valid_from,valid_to,source,locator,note\n"
    "grid.fra.gwp_location,90,100,110,gCO2e/kWh,lognormal,declared,GRID|UPSTREAM|LOSSES,,,"
    "our-contract,page 3,\n"
)
SOURCES = (
    "key,title,publisher,year,url,doi,licence,redistributable,retrieved,sha256\n"
    "our-contract,Our contract,Us,2026,https://example.org,,private,no,2026-01-01,\n"
)


@pytest.fixture
def own_factors(tmp_path: Path) -> Path:
    (tmp_path / "factors").mkdir()
    (tmp_path / "sources").mkdir()
    (tmp_path / "factors" / "grid.csv").write_text(FACTORS, encoding="utf-8")
    (tmp_path / "sources" / "ours.csv").write_text(SOURCES, encoding="utf-8")
    return tmp_path


def test_one_s_own_factor_wins_and_is_marked(own_factors: Path, estimator: Estimator) -> None:
    mine = Registry([own_factors])
    result = of_energy(KWH, IT | Stage.FACILITY, zone="FRA", registry=mine)
    ghg = result.impacts["ghg"]
    assert isinstance(ghg, Interval)
    assert ghg.p50 == pytest.approx(100, rel=0.01)
    marked = [row for row in result.to_dict()["trail"] if row["is_user"]]  # type: ignore[attr-defined]
    assert [row["id"] for row in marked] == ["grid.fra.gwp_location"]
    assert mine.version != estimator.registry.version
    shipped = of_energy(KWH, IT | Stage.FACILITY, zone="FRA", registry=estimator.registry)
    assert not [row for row in shipped.to_dict()["trail"] if row["is_user"]]  # type: ignore[attr-defined]
