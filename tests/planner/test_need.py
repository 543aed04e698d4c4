"""Needs follow the norm: hand-made cases of known, assumed and no libraries."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from data.model.errors import InputError
from data.model.norms import AccessBand, Need, NeedStatus, NormSet
from data.model.place import (
    Library,
    LibraryId,
    LibraryKind,
    Settlement,
    SettlementId,
    Standing,
)
from data.model.travel import UNREACHABLE
from planner.need import audit, summarise

ON = date(2026, 11, 30)


def settlement(name: str, population: int | None) -> Settlement:
    """A place in Chernyakhovsk district; where exactly is of no account here."""
    return Settlement(
        settlement_id=SettlementId(name), name=name, lon=21.8, lat=54.7, population=population
    )


def library(name: str, at: str | None = None, **facts: object) -> Library:
    return Library(
        library_id=LibraryId(name),
        name=name,
        settlement_id=SettlementId(at) if at else None,
        **facts,  # type: ignore[arg-type]
    )


NORM = NormSet(
    norm_set_id="example",
    name="example",
    bands=(
        AccessBand(population_to=500, max_minutes=30, max_km=20),
        AccessBand(population_from=500, max_minutes=15),
    ),
    unknown_population=AccessBand(max_minutes=40),
)
PLACES = (
    settlement("Калиновка", 501),
    settlement("Калужское", 470),
    settlement("Бухово", None),
)


def cells(*rows: tuple[float, ...], scale: int) -> NDArray[np.int32]:
    return np.array([[UNREACHABLE if c < 0 else c * scale for c in r] for r in rows], np.int32)


def judge(
    libraries: tuple[Library, ...],
    minutes: tuple[tuple[float, ...], ...],
    km: tuple[tuple[float, ...], ...] | None = None,
    *,
    register_is_complete: bool = False,
    count_points: bool = True,
) -> tuple[Need, ...]:
    travel_s = cells(*minutes, scale=60).reshape(len(libraries), 3)
    travel_m = travel_s if km is None else cells(*km, scale=1000).reshape(len(libraries), 3)
    return audit(
        PLACES,
        libraries,
        NORM,
        travel_s,
        travel_m,
        register_is_complete=register_is_complete,
        on=ON,
        count_points=count_points,
    )


def test_each_band_has_its_limits() -> None:
    """Sixteen minutes are too far for 501 people, in reach for 470 and for an unknown number."""
    needs = judge((library("a"),), ((16, 16, 16),))
    assert [n.status for n in needs] == [
        NeedStatus.UNSERVED_ASSUMED,
        NeedStatus.SERVED,
        NeedStatus.SERVED,
    ]
    assert [n.nearest_s for n in needs] == [960, 960, 960]


def test_a_limit_is_kept_when_met_exactly() -> None:
    """Farther than the limit lacks; as far as the limit does not."""
    met = judge((library("a"),), ((15, 30, 40),))
    assert {n.status for n in met} == {NeedStatus.SERVED}
    passed = judge((library("a"),), ((15.1, 30.1, 40.1),), ((1, 1, 1),))
    assert {n.status for n in passed} == {NeedStatus.UNSERVED_ASSUMED}


def test_either_limit_exceeded_is_a_lack() -> None:
    """Ten minutes but 21 km: the kilometres decide, where the band has them."""
    needs = judge((library("a"),), ((10, 10, 10),), ((21, 21, 21),))
    assert [n.status for n in needs] == [
        NeedStatus.SERVED,
        NeedStatus.UNSERVED_ASSUMED,
        NeedStatus.SERVED,
    ]


def test_a_known_library_in_reach_outweighs_a_nearer_assumed_one() -> None:
    """Who is in reach of a known library is served; only of an assumed one, assumed so."""
    assumed = library("assumed", standing=Standing.ASSUMED)
    needs = judge((assumed, library("known")), ((2, 2, 2), (10, 29, 41)))
    assert [n.status for n in needs] == [
        NeedStatus.SERVED,
        NeedStatus.SERVED,
        NeedStatus.SERVED_ASSUMED,
    ]
    assert [n.nearest_library_id for n in needs] == ["known", "known", "assumed"]


def test_a_complete_register_makes_a_lack_sure() -> None:
    """None in reach is "unserved" only where all libraries are known."""
    far = ((50, 50, -1),)
    sure = judge((library("a"),), far, register_is_complete=True)
    assert {n.status for n in sure} == {NeedStatus.UNSERVED}
    assert [n.nearest_s for n in sure] == [3000, 3000, None]
    assert [n.nearest_library_id for n in sure] == ["a", "a", None]
    unsure = judge((library("a"),), far)
    assert {n.status for n in unsure} == {NeedStatus.UNSERVED_ASSUMED}


def test_a_library_inside_serves_whatever_the_roads_say() -> None:
    """A settlement with a library inside has one, even where no road was found."""
    needs = judge((library("own", at="Калиновка"),), ((-1, -1, -1),))
    assert needs[0].status is NeedStatus.SERVED
    assert needs[0].has_library_inside
    assert (needs[0].nearest_library_id, needs[0].nearest_s) == ("own", None)
    assert needs[1].status is NeedStatus.UNSERVED_ASSUMED


def test_closed_libraries_do_not_count() -> None:
    """A branch closed on the day itself, or opened the day after, serves nobody."""
    closed = library("closed", at="Калиновка", closed_date=ON)
    unborn = library("unborn", opened_date=date(2026, 12, 1))
    needs = judge((closed, unborn), ((0, 1, 1), (1, 1, 1)))
    assert {n.status for n in needs} == {NeedStatus.UNSERVED_ASSUMED}
    assert not any(n.has_library_inside for n in needs)


def test_points_count_only_if_told_so() -> None:
    """A library point may be left out of account."""
    point = library("point", kind=LibraryKind.POINT)
    assert judge((point,), ((5, 5, 5),))[0].status is NeedStatus.SERVED
    without = judge((point,), ((5, 5, 5),), count_points=False)
    assert without[0].status is NeedStatus.UNSERVED_ASSUMED
    assert without[0].nearest_library_id is None


def test_without_libraries_all_lack_one() -> None:
    """No library at all is no error."""
    assert {n.status for n in judge((), ())} == {NeedStatus.UNSERVED_ASSUMED}


def test_a_norm_without_a_band_is_refused() -> None:
    """A population that no band holds is named."""
    norm = NormSet(
        norm_set_id="half",
        name="half",
        bands=(AccessBand(population_to=500, max_km=3),),
        unknown_population=AccessBand(max_km=3),
    )
    none = np.empty((0, 3), np.int32)
    with pytest.raises(InputError) as refused:
        audit(PLACES, (), norm, none, none, register_is_complete=True, on=ON)
    assert refused.value.code == "need.no_band"
    assert refused.value.facts["population"] == 501


def test_wrong_shapes_are_refused() -> None:
    """The arrays have a row for each library and a column for each settlement."""
    wrong = np.zeros((3, 1), np.int32)
    with pytest.raises(ValueError, match="expected"):
        audit(PLACES, (library("a"),), NORM, wrong, wrong, register_is_complete=True, on=ON)


def test_sums_keep_unknown_population_apart() -> None:
    """501 people lack a library, 470 have one; the place of unknown population is counted alone."""
    needs = judge((library("a"),), ((16, 16, 50),))
    sums = summarise(needs, PLACES)
    lacking, served = sums.by_status[NeedStatus.UNSERVED_ASSUMED], sums.by_status[NeedStatus.SERVED]
    assert (lacking.settlements, lacking.people, lacking.settlements_of_unknown_population) == (
        2,
        501,
        1,
    )
    assert (served.settlements, served.people) == (1, 470)
    assert (sums.total.settlements, sums.total.people) == (3, 971)
    assert sums.by_status[NeedStatus.UNSERVED].settlements == 0
    assert sums.by_band[NORM.bands[1], NeedStatus.UNSERVED_ASSUMED].people == 501


@settings(deadline=None)
@given(
    minutes=st.lists(st.integers(-1, 60), min_size=3, max_size=3),
    more=st.lists(st.integers(-1, 60), min_size=3, max_size=3),
)
def test_another_library_never_takes_service_away(minutes: list[int], more: list[int]) -> None:
    """One library more leaves no settlement worse off."""
    one = judge((library("a"),), (tuple(minutes),))
    two = judge((library("a"), library("b")), (tuple(minutes), tuple(more)))
    for before, after in zip(one, two, strict=True):
        assert before.status is not NeedStatus.SERVED or after.status is NeedStatus.SERVED
