"""A plan with learned buffers keeps its published times; one without does not."""

from dataclasses import replace
from statistics import mean

import numpy as np
import pytest

from data.model.learned import Learned
from data.model.observed import ObservedVisit, VisitStatus
from data.model.plan import Plan, PlanRequest
from planner.learn.buffers import with_learned
from planner.learn.keeping import kept_arrivals
from planner.learn.lessons import Lessons, learn
from planner.learn.propose import propose
from planner.learn.times import Spread, sum_quantile
from planner.params import SolveParams
from planner.score import check
from planner.solve import solve
from tests.planner.learn.world import DEPOT, Truth, drive_days, kept_shares, make_world

PARAMS = SolveParams(work_limit=4000, workers=1, time_limit_s=60)
TRUTH = Truth()
WORLDS = tuple(Truth(seed=seed) for seed in range(7, 15))
"""Worlds with other legs that are slower or faster than they look: a leg never driven before is
unlike what was learned, for better or worse."""


@pytest.fixture(scope="module")
def request_and_plan() -> tuple[PlanRequest, Plan]:
    """Twelve stops planned by the roads' own times."""
    request = make_world()
    return request, solve(request, PARAMS)


@pytest.fixture(scope="module")
def lessons(request_and_plan: tuple[PlanRequest, Plan]) -> Lessons:
    """Forty weeks driven and written down."""
    request, plan = request_and_plan
    return learn(request, plan, drive_days(request, plan, TRUTH, cycles=20, seed=1))


@pytest.fixture(scope="module")
def buffered(
    request_and_plan: tuple[PlanRequest, Plan], lessons: Lessons
) -> tuple[PlanRequest, Plan]:
    """The same stops planned by what was learned."""
    request = with_learned(request_and_plan[0], lessons.learned, source="test")
    return request, solve(request, PARAMS)


@pytest.fixture(scope="module")
def kept_in_worlds(
    request_and_plan: tuple[PlanRequest, Plan],
) -> list[tuple[list[float], list[float], list[float]]]:
    """In each world: shares kept without buffers, with them, and those foretold with them."""
    request, plan = request_and_plan
    found = []
    for truth in WORLDS:
        learned = learn(request, plan, drive_days(request, plan, truth, cycles=20, seed=1)).learned
        ready = with_learned(request, learned, source="test")
        made = solve(ready, PARAMS)
        assert check(ready, made) == ()
        plain = kept_shares(drive_days(request, plan, truth, cycles=500, seed=2))
        kept = kept_shares(drive_days(ready, made, truth, cycles=500, seed=2))
        told = [k.ratio for k in kept_arrivals(ready, made, learned)]
        found.append(([*plain.values()], [*kept.values()], told))
    return found


def test_what_is_true_is_learned(lessons: Lessons) -> None:
    """Drives, setup and turnaround come out as the world has them."""
    learned = lessons.learned
    assert np.exp(learned.drive.overall) == pytest.approx(np.exp(TRUTH.overall), rel=0.08)
    assert np.exp(learned.setup.overall) * 600 == pytest.approx(TRUTH.setup_s, rel=0.12)
    assert np.exp(learned.turnaround.overall) * 300 == pytest.approx(TRUTH.turnaround_s, rel=0.12)
    assert learned.opening.overall == pytest.approx(0.0, abs=0.01)


@pytest.mark.thorough
def test_published_times_hold_with_buffers_and_not_without(
    kept_in_worlds: list[tuple[list[float], list[float], list[float]]],
) -> None:
    """Over the worlds at least 80 % of openings are in time, without buffers far fewer."""
    assert mean(mean(plain) for plain, _, _ in kept_in_worlds) < 0.4
    assert mean(mean(kept) for _, kept, _ in kept_in_worlds) >= 0.8
    assert all(mean(kept) > mean(plain) + 0.3 for plain, kept, _ in kept_in_worlds)


@pytest.mark.thorough
def test_the_promise_is_foretold(
    kept_in_worlds: list[tuple[list[float], list[float], list[float]]],
) -> None:
    """The shares told beside a plan are those that new days then show, over the worlds."""
    for _, kept, told in kept_in_worlds:
        assert len(told) == len(kept)
        assert min(told) >= 0.75
    seen = mean(mean(kept) for _, kept, _ in kept_in_worlds)
    assert mean(mean(told) for _, _, told in kept_in_worlds) == pytest.approx(seen, abs=0.05)


def test_each_leg_at_its_own_80_percent_would_not_do(
    request_and_plan: tuple[PlanRequest, Plan], buffered: tuple[PlanRequest, Plan]
) -> None:
    """Delays carried on ask for more than p80 of each leg, and for less than p80 on every part."""
    request, _ = buffered
    assert request.learned is not None
    assert 0.8 < request.learned.leg_level < 0.97


def test_a_stricter_promise_takes_longer_buffers(
    request_and_plan: tuple[PlanRequest, Plan], lessons: Lessons
) -> None:
    """Ninety days in a hundred ask for more than seventy, on every leg."""
    request = request_and_plan[0]
    lax = with_learned(request, lessons.learned, source="", keep_ratio=0.7)
    strict = with_learned(request, lessons.learned, source="", keep_ratio=0.9)
    vehicle_id = request.vehicles[0].vehicle_id
    few, many = lax.travel[vehicle_id].buffer_s, strict.travel[vehicle_id].buffer_s
    assert few is not None
    assert many is not None
    assert (many >= few).all()
    assert many.sum() > 1.2 * few.sum()


def test_buffers_lie_on_legs_and_nothing_else_is_lost(
    request_and_plan: tuple[PlanRequest, Plan], buffered: tuple[PlanRequest, Plan]
) -> None:
    """Roads are remembered as they were, the diagonal and open times stay, metres too."""
    before, after = request_and_plan[0], buffered[0]
    for vehicle in before.vehicles:
        roads, learned = before.travel[vehicle.vehicle_id], after.travel[vehicle.vehicle_id]
        assert learned.base_s is not None
        assert learned.buffer_s is not None
        assert np.array_equal(learned.base_s, roads.travel_s)
        assert np.array_equal(learned.travel_m, roads.travel_m)
        assert (np.diag(learned.travel_s) == 0).all()
        assert (learned.travel_s > learned.buffer_s).sum() == learned.travel_s.size - 13
    assert [s.service_s for s in after.stops] == [s.service_s for s in before.stops]
    assert {s.given_setup_s for s in after.stops} == {600}


def test_learning_again_from_a_buffered_plan_gives_the_same_roads(
    buffered: tuple[PlanRequest, Plan],
) -> None:
    """Factors are against what the roads said, not against buffers of an earlier lesson."""
    request, plan = buffered
    again = learn(request, plan, drive_days(request, plan, TRUTH, cycles=20, seed=5)).learned
    assert np.exp(again.drive.overall) == pytest.approx(np.exp(TRUTH.overall), rel=0.08)
    twice = with_learned(request, again, source="again")
    assert {s.given_setup_s for s in twice.stops} == {600}


def test_without_records_nothing_changes(request_and_plan: tuple[PlanRequest, Plan]) -> None:
    """No record: roads and stops keep their times, and no buffer is invented."""
    request, plan = request_and_plan
    nothing = learn(request, plan, []).learned
    same = with_learned(request, nothing, source="empty")
    vehicle_id = request.vehicles[0].vehicle_id
    assert np.array_equal(same.travel[vehicle_id].travel_s, request.travel[vehicle_id].travel_s)
    assert [s.occupied_s for s in same.stops] == [s.occupied_s for s in request.stops]


def test_incidents_are_counted_in_the_promise(
    request_and_plan: tuple[PlanRequest, Plan], lessons: Lessons
) -> None:
    """Where one leg in fifty breaks down, the same plan keeps fewer arrivals, and says so."""
    request, plan = request_and_plan
    learned: Learned = lessons.learned
    worse = replace(learned, drive=replace(learned.drive, late_share=0.02))
    ready = with_learned(request, learned, source="")
    kept = mean(k.ratio for k in kept_arrivals(ready, solve(ready, PARAMS), worse))
    usual = mean(k.ratio for k in kept_arrivals(ready, solve(ready, PARAMS), learned))
    assert kept < usual
    assert with_learned(request, worse, source="").learned is not None
    assert plan.runs


def test_a_proposal_names_legs_and_stops_with_their_records(
    request_and_plan: tuple[PlanRequest, Plan], lessons: Lessons
) -> None:
    """Every row has its interval around the typical time and p80 above it."""
    proposal = propose(request_and_plan[0], lessons)
    assert {row.num for row in proposal.legs} == {20}
    for row in (*proposal.legs, *proposal.turnaround, *proposal.setup):
        assert row.low_s < row.p50_s < row.high_s
        assert row.p80_s > row.p50_s
    assert len(proposal.demand) == 12
    assert all(row.counted is None for row in proposal.demand)
    assert proposal.factors[0].level == ""


def test_what_tells_nothing_is_counted(request_and_plan: tuple[PlanRequest, Plan]) -> None:
    """Cancelled visits, unknown places and early arrivals stand in the account."""
    request, plan = request_and_plan
    run = plan.runs[0]
    visit = run.visits[0]
    on = request.cycle.date_of(run.day)

    def seen(place: str, **values: object) -> ObservedVisit:
        return ObservedVisit(
            service_date=on,
            vehicle_id=run.vehicle_id,
            place_id=place,
            **values,  # type: ignore[arg-type]
        )

    early = seen(
        visit.stop_id,
        planned_open_s=visit.start_s,
        arrival_s=visit.start_s - 1500,
        open_s=visit.start_s,
        close_s=visit.end_s,
        departure_s=visit.end_s + 200,
    )
    records = learn(
        request,
        plan,
        [
            seen(str(DEPOT.depot_id), departure_s=run.depart_s - 900),
            early,
            seen("nowhere", arrival_s=visit.end_s + 900, departure_s=visit.end_s + 1000),
            seen(run.visits[-1].stop_id, status=VisitStatus.CANCELLED),
        ],
    ).records
    assert records.skipped == {
        "learn.skip.cancelled": 1,
        "learn.skip.leg_place": 1,
        "learn.skip.place": 1,
        "learn.skip.setup_waited": 1,
    }
    assert len(records.drive_of) == 1


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_the_quantile_of_a_sum_is_that_of_drawn_sums(level: float) -> None:
    """Within two percent of a hundred thousand sums, and below the sum of quantiles."""
    parts = [
        Spread(median_s=np.array([m]), own=np.array([v]), day=0.002)
        for m, v in ((420.0, 0.09), (1500.0, 0.02), (540.0, 0.09))
    ]
    rng = np.random.default_rng(1)
    drawn = sum(
        p.median_s[0] * np.exp(rng.normal(0, np.sqrt(p.own[0] + p.day), 100_000)) for p in parts
    )
    found = float(sum_quantile(parts, level)[0])
    assert found == pytest.approx(float(np.quantile(drawn, level)), rel=0.02)
    if level > 0.5:
        assert found < sum(float(sum_quantile([p], level)[0]) for p in parts)
