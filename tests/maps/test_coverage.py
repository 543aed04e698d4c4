"""Who has a library by road or a stop on foot: against hand sums and brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.model.coverage import (
    NOWHERE,
    REACHES,
    Coverage,
    CoverageParams,
    Group,
    Reach,
    Rhythm,
    ServedStop,
    reasons_of,
    rhythm_of,
)
from data.model.coverage_count import Cut, Row, groups_of, rows_of, total_of
from data.model.coverage_equity import equity_of
from data.model.errors import InputError
from data.model.geo import distances_m
from maps.coverage import (
    chord_of,
    library_reach,
    measure_coverage,
    nearest_points,
)
from maps.estimate import WALK_MPS, EstimatedRoads
from tests.maps.coverage_example import STRAIGHT, VILLAGES, library, stop

LIMITS = CoverageParams(minutes=10, metres=1000)
ROADS = EstimatedRoads((), STRAIGHT)


def covered(
    *,
    before: tuple[ServedStop, ...] = (),
    after: tuple[ServedStop, ...] = (),
    params: CoverageParams = LIMITS,
    is_known: bool = True,
) -> Coverage:
    """The example with one library in town."""
    found, where = library("central", 0.0, is_known=is_known, inside="town")
    reach = library_reach([found], [where], VILLAGES, ROADS)
    return measure_coverage(VILLAGES, reach, before, after, params)


def reaches(coverage: Coverage, *, is_after: bool = True) -> list[str]:
    side = coverage.after if is_after else coverage.before
    return [REACHES[i].value for i in side]


def by_key(rows: tuple[Row, ...]) -> dict[str, Row]:
    return {row.key: row for row in rows}


def test_a_library_within_the_minutes_and_a_stop_within_the_metres_count() -> None:
    """5 km at 10 m/s are 8 min 20 s: within ten; a stop half a kilometre away reaches two."""
    coverage = covered(after=(stop("halfway", 30.5),))
    assert reaches(coverage, is_after=False) == ["library", "library", "none", "none", "none"]
    assert reaches(coverage) == ["library", "library", "stop", "stop", "none"]
    assert coverage.library.seconds.tolist()[:3] == [0, 500, 3000]
    total = total_of(coverage)
    assert (total.total.settlements, total.total.people, total.total.unknown) == (4, 1160, 1)
    assert total.covered(is_after=False).people == 1100
    assert total.covered(is_after=True).people == 1160
    assert total.gained == 60
    assert total.ratio(is_after=False) == pytest.approx(1100 / 1160)


def test_a_limit_of_kilometres_holds_beside_that_of_minutes() -> None:
    """Within ten minutes, but farther than four kilometres: out of reach."""
    coverage = covered(params=CoverageParams(minutes=10, metres=1000, library_km=4))
    assert reaches(coverage) == ["library", "none", "none", "none", "none"]


def test_a_library_inside_counts_wherever_its_building_stands() -> None:
    """A town's library 20 km from the point that stands for the town is still its own."""
    found, where = library("branch", 20.0, inside="town")
    reach = library_reach([found], [where], VILLAGES, ROADS)
    coverage = measure_coverage(VILLAGES, reach, (), (), LIMITS)
    assert reaches(coverage)[:2] == ["library", "none"]


def test_what_is_only_assumed_is_told_apart() -> None:
    """An assumed library brings people into reach, but under its own name."""
    assert reaches(covered(is_known=False))[:2] == ["assumed", "assumed"]


def test_figures_by_district_size_distance_and_rhythm() -> None:
    """Each cut holds all inhabited settlements once, and sums to the same people."""
    coverage = covered(after=(stop("halfway", 30.4, visits=2.0),))
    for cut in Cut:
        rows = rows_of(coverage, cut)
        assert sum(r.total.settlements for r in rows) == 4
        assert sum(r.total.people for r in rows) == 1160
    districts = by_key(rows_of(coverage, Cut.MUNICIPALITY))
    assert districts["east"].after[Reach.STOP].settlements == 2
    assert districts["east"].ratio(is_after=False) == 0
    assert districts["west"].ratio(is_after=False) == 1
    sizes = by_key(rows_of(coverage, Cut.SIZE))
    assert sizes["0"].total.people == 60
    assert sizes["1"].total.people == 100
    assert sizes["3"].total.people == 1000
    assert sizes[""].total.unknown == 1
    distances = by_key(rows_of(coverage, Cut.LIBRARY))
    assert distances["0"].total.people == 1100
    assert distances["3"].low == 40
    assert distances["3"].total.people == 60
    walks = by_key(rows_of(coverage, Cut.WALK))
    assert [walks[k].total.settlements for k in ("0", "1", "3")] == [1, 1, 2]
    rhythms = by_key(rows_of(coverage, Cut.RHYTHM))
    assert rhythms["fortnightly"].total.settlements == 2
    assert rhythms[""].total.settlements == 2


def test_an_edge_belongs_to_the_class_within_it() -> None:
    """Exactly fifteen minutes are within fifteen minutes."""
    params = CoverageParams(minutes=10, metres=1000, minute_edges=(500 / 60, 30))
    rows = by_key(rows_of(covered(params=params), Cut.LIBRARY))
    assert rows["0"].total.people == 1100


def test_groups_are_told_as_far_as_they_are_known() -> None:
    """Children of three settlements are known; seniors of none."""
    groups = {g.group: g for g in groups_of(covered(after=(stop("at-far", 30.0),)))}
    children = groups[Group.CHILDREN]
    assert (children.total, children.covered_before, children.covered_after) == (230, 210, 230)
    assert children.num_unknown == 1
    assert not groups[Group.SENIORS].is_known


def test_time_on_foot_counts_where_it_is_less_and_equity_follows() -> None:
    """Before, sixty people are 3,000 s away; after, they walk a hundred metres."""
    coverage = covered(after=(stop("at-far", 30.1),))
    assert coverage.access_s(is_after=False).tolist()[:3] == [0, 500, 3000]
    after = coverage.access_s(is_after=True)
    assert after[2] == pytest.approx(100 / WALK_MPS, rel=1e-3)
    assert after[3] == pytest.approx(900 / WALK_MPS, rel=1e-3)
    residents = [e for e in equity_of(coverage) if e.group is Group.RESIDENTS]
    assert residents[0].mean_s == pytest.approx((100 * 500 + 60 * 3000) / 1160)
    told = (100 * 500 + 60 * 100 / WALK_MPS) / 1160
    assert residents[1].mean_s == pytest.approx(told, rel=1e-3)
    # Nine tenths are 1,044 people: the thousand of the town and some of the next hundred.
    assert residents[0].p90_s == 500
    assert {e.group for e in equity_of(coverage)} == {Group.RESIDENTS, Group.CHILDREN, None}
    lacking = [e for e in equity_of(coverage) if e.kind == "lacking"]
    assert lacking[0].p90_s == 3000
    assert lacking[1].p90_s == pytest.approx(100 / WALK_MPS, rel=1e-3)


def test_open_time_is_shared_by_all_who_have_the_stop_in_reach() -> None:
    """An hour for the 60 people of one village is 1,000 minutes for 1,000 people."""
    reach = covered(after=(stop("halfway", 30.5),)).stops_after
    assert reach.minutes_per_1000.tolist() == [0, 0, 1000, 1000, 0]
    assert reach.visits_28.tolist() == [0, 0, 1, 1, 0]


def test_reasons_name_the_library_the_stop_and_the_limits() -> None:
    """Who has nothing in reach is told what is nearest and how far; others have no reason."""
    coverage = covered(after=(stop("south", 28.0),))
    assert reasons_of(coverage, 0) == ()
    library_reason, stop_reason = reasons_of(coverage, 2)
    assert library_reason.code == "coverage.reason.library_far"
    assert library_reason.facts["minutes"] == 50
    assert library_reason.facts["limit"] == 10
    assert stop_reason.code == "coverage.reason.stop_far"
    assert stop_reason.facts["metres"] == pytest.approx(2000, rel=1e-3)
    left_out = reasons_of(coverage, 2, left_out="Club")
    assert left_out[1].code == "coverage.reason.stop_left_out"
    assert reasons_of(covered(), 2)[1].code == "coverage.reason.no_stop"


def test_without_a_library_or_a_road_nobody_is_served() -> None:
    """No library at all is a figure, not a failure."""
    reach = library_reach([], [], VILLAGES, ROADS)
    coverage = measure_coverage(VILLAGES, reach, (), (), LIMITS)
    assert set(reaches(coverage)) == {"none"}
    assert reasons_of(coverage, 0)[0].code == "coverage.reason.no_library"
    assert equity_of(coverage)[0].mean_s is None


def test_the_short_cut_for_straight_roads_gives_the_same() -> None:
    """Nearest by the crow and nearest by a table of the same estimate are one."""
    pairs = [library("a", 0.0), library("b", 12.0, is_known=False), library("c", 33.0)]
    libraries, places = zip(*pairs, strict=True)
    table = library_reach(libraries, places, VILLAGES, ROADS)
    short = library_reach(libraries, places, VILLAGES, ROADS, straight=STRAIGHT)
    for name in ("nearest", "seconds", "metres", "nearest_known", "seconds_known"):
        assert getattr(table, name).tolist() == getattr(short, name).tolist()


def test_large_regions_are_measured_in_blocks_with_the_same_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Blocks of settlements and their nearest libraries find what one table finds."""
    rng = np.random.default_rng(4)
    pairs = [library(f"l{i}", float(km)) for i, km in enumerate(rng.uniform(0, 45, 30))]
    libraries, places = zip(*pairs, strict=True)
    whole = library_reach(libraries, places, VILLAGES, ROADS)
    monkeypatch.setattr("maps.coverage.MAX_POINTS", 3)
    monkeypatch.setattr("maps.coverage.BLOCK", 2)
    blocks = library_reach(libraries, places, VILLAGES, ROADS)
    assert blocks.nearest.tolist() == whole.nearest.tolist()
    assert blocks.seconds.tolist() == whole.seconds.tolist()


POSITION = st.tuples(st.floats(-179, 179), st.floats(-85, 85))


@settings(max_examples=60, deadline=None)
@given(st.lists(POSITION, min_size=1, max_size=12), st.lists(POSITION, max_size=12))
def test_the_nearest_is_that_of_brute_force(
    homes: list[tuple[float, float]], places: list[tuple[float, float]]
) -> None:
    """Anywhere on the globe, also over the date line."""
    home, place = (np.array(p, np.float64).reshape(-1, 2) for p in (homes, places))
    index, metres = nearest_points(home, place)
    if not places:
        assert set(index.tolist()) == {NOWHERE}
        assert np.isinf(metres).all()
        return
    brute = distances_m(home, place)
    assert metres == pytest.approx(brute.min(axis=1), abs=0.5)


def test_a_chord_and_its_arc_are_one() -> None:
    """A thousand metres of arc are under the chord that the tree is asked with."""
    assert chord_of(1000.0) == pytest.approx(1000 / 6_371_008.8, rel=1e-6)


@pytest.mark.parametrize(
    ("visits", "rhythm"),
    [(8, Rhythm.WEEKLY), (4, Rhythm.WEEKLY), (2, Rhythm.FORTNIGHTLY), (12 / 13, Rhythm.MONTHLY),
     (0.5, Rhythm.RARER), (0, None)],
)  # fmt: skip
def test_how_often_a_stop_is_visited_has_a_class(visits: float, rhythm: Rhythm | None) -> None:
    """Twelve visits a year, as on each second Tuesday, are monthly."""
    assert rhythm_of(visits) is rhythm


@pytest.mark.parametrize(
    ("field", "value"), [("minutes", 241), ("minutes", -1), ("metres", 1e6), ("library_km", -0.1)]
)
def test_limits_beyond_reason_are_refused(field: str, value: float) -> None:
    """The refusal names the field, the value and the limit."""
    with pytest.raises(InputError) as refused:
        CoverageParams(**{field: value})  # type: ignore[arg-type]
    assert refused.value.code == "coverage.limit"
    assert refused.value.facts["field"] == field
    assert refused.value.facts["value"] == value
