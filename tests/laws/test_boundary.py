"""An overhead applies once: adding a stage that is already there is refused, in any order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilowhat.domain.boundary import IT, NOTHING, Stage, names, parse_boundary, widen
from kilowhat.errors import BoundaryError, InvalidValue

stages = st.sets(st.sampled_from(list(Stage)))


def union(parts: set[Stage]) -> Stage:
    result = NOTHING
    for part in parts:
        result |= part
    return result


boundaries = stages.map(union)


@given(boundaries, boundaries)
def test_a_stage_is_added_once_or_refused(have: Stage, add: Stage) -> None:
    if have & add:
        with pytest.raises(BoundaryError) as caught:
            widen(have, add)
        assert caught.value.fields["add"] == ", ".join(names(have & add))
    else:
        assert widen(have, add) == have | add


@given(boundaries, st.sampled_from(list(Stage)))
def test_widening_twice_by_the_same_stage_is_refused(have: Stage, add: Stage) -> None:
    with pytest.raises(BoundaryError):
        widen(widen(have & ~add, add), add)


@given(stages, st.permutations(list(Stage)))
def test_the_order_of_stages_does_not_matter(chosen: set[Stage], order: list[Stage]) -> None:
    result = NOTHING
    for stage in order:
        if stage in chosen:
            result = widen(result, stage)
    assert result == union(chosen)


@given(boundaries)
def test_a_boundary_is_read_as_it_is_written(boundary: Stage) -> None:
    written = "|".join(str(stage.name) for stage in boundary)
    assert parse_boundary(written) == boundary
    assert parse_boundary("|".join(names(boundary))) == boundary


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=1, max_size=12))
def test_what_is_no_stage_is_refused(text: str) -> None:
    if text in Stage.__members__:
        assert names(parse_boundary(text)) == [text.lower()]
    else:
        with pytest.raises(InvalidValue):
            parse_boundary(text)


def test_the_load_of_a_datacentre_is_its_first_three_stages() -> None:
    assert names(IT) == ["accelerator", "host", "idle"]
    assert not IT & Stage.FACILITY
