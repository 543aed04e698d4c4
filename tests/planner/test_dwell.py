"""Open times that the plan chooses: longer where there is room, shorter to serve one more stop."""

from collections import Counter
from dataclasses import replace
from itertools import product

import pytest

from data.model.calendar import Window
from data.model.dwell import DwellWorth
from data.model.fleet import CrewRules
from data.model.pins import KeptRun, KeptVisit, Pins
from data.model.place import Stop
from data.model.plan import Plan, PlanRequest
from planner.compile import compile_request
from planner.dwell import MOST_LEVELS, levels_s, worth_of_stops
from planner.edit import Move, apply
from planner.params import SolveParams
from planner.score import check, summarise
from planner.solve import solve
from tests.planner.instances import DAY_RULES, HOUR_S, make_request, make_stop

MINUTE_S = 60
SEARCH = SolveParams(seed=1, work_limit=600, workers=1, time_limit_s=120.0, rounds=2)
MONDAY = frozenset({0})
FREE = CrewRules()


def ranged(name: str, least_min: int, most_min: int, **changes: object) -> Stop:
    times = {"service_s": least_min * MINUTE_S, "service_most_s": most_min * MINUTE_S}
    return make_stop(name, **(times | changes))


def one_day(*stops: Stop, hours: float, rules: CrewRules = FREE) -> PlanRequest:
    """All stops on Mondays, legs of ten minutes, one vehicle with a duty of so many hours."""
    monday = tuple(replace(s, weekdays=MONDAY) for s in stops)
    return shift(monday, rules=rules, minutes=int(hours * 60))


def shift(
    stops: tuple[Stop, ...], *, minutes: int, rules: CrewRules = FREE, weeks: int = 1
) -> PlanRequest:
    """One vehicle with a duty of so many minutes from 8:00, all of them for driving and stops."""
    request = make_request(
        stops, rules=rules, weeks=weeks, duty=(8 * HOUR_S, 8 * HOUR_S + minutes * MINUTE_S)
    )
    vehicles = tuple(replace(v, prep_s=0, closing_s=0) for v in request.vehicles)
    return replace(request, vehicles=vehicles)


def open_minutes(plan: Plan) -> dict[str, int]:
    """Open minutes of each served stop, which all its visits share."""
    found = {(str(v.stop_id), v.end_s - v.start_s) for r in plan.runs for v in r.visits}
    assert len(found) == len({stop for stop, _ in found})
    return {stop: seconds // MINUTE_S for stop, seconds in found}


def solved(request: PlanRequest) -> Plan:
    plan = solve(request, SEARCH)
    assert check(request, plan) == ()
    return plan


def test_room_makes_visits_longer() -> None:
    """With time to spare a stop is open for its longest time."""
    assert open_minutes(solved(one_day(ranged("a", 30, 90), hours=8))) == {"a": 90}


def test_a_fixed_time_stays() -> None:
    """A stop without a longest time is open for what it is owed, whatever is left."""
    stops = (make_stop("a", service_s=1800), ranged("b", 30, 60))
    assert open_minutes(solved(one_day(*stops, hours=8))) == {"a": 30, "b": 60}


def test_one_more_stop_shortens_visits() -> None:
    """People first: two stops at 30 minutes rather than one at 90, the small one served too."""
    stops = (ranged("large", 30, 90, prize=900.0), ranged("small", 30, 90, prize=5.0))
    # Three legs of ten minutes and twice 30 minutes leave five minutes to spare.
    assert open_minutes(solved(one_day(*stops, hours=95 / 60))) == {"large": 35, "small": 30}


def test_a_stated_worth_may_cost_a_small_stop() -> None:
    """Where longer opening is said to be worth more than a stop's people, the stop is left out."""
    stops = (ranged("large", 30, 90, prize=900.0), ranged("small", 30, 90, prize=5.0))
    request = replace(one_day(*stops, hours=95 / 60), dwell_worth=DwellWorth(worth_ratio=0.5))
    assert open_minutes(solved(request)) == {"large": 75}


def test_minutes_spread_over_stops() -> None:
    """Two equal stops share the time that is left; with all of it one would gain less."""
    stops = (ranged("a", 30, 120), ranged("b", 30, 120))
    # 5 h less half an hour of driving are 120 minutes each, 3 h 30 are 90 minutes each.
    assert open_minutes(solved(one_day(*stops, hours=3.5))) == {"a": 90, "b": 90}


def test_more_people_get_more_minutes() -> None:
    """At twice the people a stop gets the half-time more, so that both gain alike in the end."""
    stops = (ranged("twice", 30, 180, prize=200.0), ranged("once", 30, 180, prize=100.0))
    # 3 h 30 leave 180 - 60 = 120 minutes: 75 and 45.
    assert open_minutes(solved(one_day(*stops, hours=3.5))) == {"twice": 105, "once": 75}


def test_all_visits_of_a_stop_share_one_time() -> None:
    """The busier day sets the time of both visits."""
    stops = (
        ranged("both", 30, 120, visits_per_cycle=2, prize=50.0),
        ranged("long", 90, 90, visits_per_cycle=1, mandatory=True),
    )
    monday = tuple(replace(s, weekdays=MONDAY) for s in stops)
    request = shift(monday, weeks=2, minutes=180)
    # On the day of both 180 - 30 - 90 = 60 minutes are left for the other.
    assert open_minutes(solved(request)) == {"both": 60, "long": 90}


def test_windows_bound_the_time() -> None:
    """Doors are open inside one window for the whole time, not across two."""
    windows = (
        Window(start_s=9 * HOUR_S, end_s=10 * HOUR_S),
        Window(start_s=14 * HOUR_S, end_s=55800),
    )
    request = one_day(ranged("a", 30, 180, windows=windows), hours=9)
    assert open_minutes(solved(request)) == {"a": 90}


def test_week_limits_bound_the_time() -> None:
    """Work of all days stays within the week's limit."""
    rules = replace(FREE, week_work_max_s=4 * HOUR_S)
    stops = tuple(
        ranged(f"s{day}", 30, 180, weekdays=frozenset({day}), mandatory=True) for day in range(2)
    )
    request = shift(stops, rules=rules, minutes=600)
    # 4 h less four legs are 200 minutes.
    assert open_minutes(solved(request)) == {"s0": 100, "s1": 100}


def test_meals_are_kept() -> None:
    """Longer opening brings a meal about only where it pays, and the shift holds both."""
    request = one_day(ranged("a", 60, 240), ranged("b", 60, 240), hours=10, rules=DAY_RULES)
    plan = solved(request)
    # A shift of 8 h less half an hour of driving, in two halves.
    assert open_minutes(plan) == {"a": 225, "b": 225}
    assert plan.runs[0].meal is not None


def test_a_kept_closing_fixes_the_time() -> None:
    """A kept run keeps its open times; the stop's other visits have the same."""
    stop = ranged("a", 30, 120, visits_per_cycle=2)
    request = make_request((stop,), weeks=2, rules=FREE)
    kept = KeptVisit(stop_id=stop.stop_id, start_s=9 * HOUR_S, end_s=9 * HOUR_S + 55 * MINUTE_S)
    run = KeptRun(vehicle_id=request.vehicles[0].vehicle_id, day=0, visits=(kept,))
    assert open_minutes(solved(replace(request, pins=Pins(kept=(run,))))) == {"a": 55}


def test_a_plan_goes_on_from_its_open_times() -> None:
    """Begun from its own plan a search keeps the worth of the open times."""
    stops = (ranged("a", 30, 120), ranged("b", 30, 100), ranged("c", 20, 60))
    request = one_day(*stops, hours=4.5)
    plan = solved(request)
    again = solve(request, replace(SEARCH, work_limit=1), start=plan)
    assert check(request, again) == ()
    assert worth(request, open_minutes(again)) >= worth(request, open_minutes(plan))


def worth(request: PlanRequest, minutes: dict[str, int]) -> float:
    stops = {str(s.stop_id): s for s in request.stops}
    return sum(
        stops[s].prize * request.dwell_worth.share(m * 60 - stops[s].service_s)
        for s, m in minutes.items()
    )


@pytest.mark.parametrize("seed", range(4))
def test_open_times_are_the_best_by_brute_force(seed: int) -> None:
    """Of all combinations on five minutes none that a plan can hold is worth more.

    Two vehicles' days share a stop, so that taking the best minute each time would not do.
    """
    prizes = [(100, 180, 90), (60, 200, 70), (150, 90, 160), (80, 80, 310)][seed]
    names = ("both", "first", "second")
    stops = tuple(
        ranged(name, 20, 50, prize=float(p), mandatory=True, visits_per_cycle=2 - (name != "both"))
        for name, p in zip(names, prizes, strict=True)
    )
    stops = tuple(replace(s, weekdays=MONDAY, same_weekday=True) for s in stops)
    limit = 115 + 5 * seed
    request = shift(stops, weeks=2, minutes=limit)
    plan = solved(request)
    days = Counter((r.day, str(v.stop_id)) for r in plan.runs for v in r.visits)
    runs = {r.day: [s for d, s in days if d == r.day] for r in plan.runs}
    best = 0.0
    for extra in product(range(20, 55, 5), repeat=3):
        minutes = dict(zip(names, extra, strict=True))
        if all(sum(minutes[s] + 10 for s in stops) + 10 <= limit for stops in runs.values()):
            best = max(best, worth(request, minutes))
    assert worth(request, open_minutes(plan)) == pytest.approx(best)


def test_levels_ascend_to_the_longest() -> None:
    """The search tries the least and the longest time and some on five minutes between."""
    assert levels_s(ranged("a", 30, 90)) == (0, 1200, 2400, 3600)
    assert levels_s(ranged("a", 30, 37)) == (0, 300)
    assert levels_s(make_stop("a")) == (0,)
    assert len(levels_s(ranged("a", 10, 240))) == MOST_LEVELS


def test_open_times_never_outweigh_a_stop_unless_said() -> None:
    """All the gains together are less than the least difference between two sets of stops."""
    stops = (ranged("a", 30, 90, prize=900.5), ranged("b", 30, 90, prize=0.5))
    request = make_request(stops)
    assert sum(worth_of_stops(request)) < 0.5
    stated = replace(request, dwell_worth=DwellWorth(worth_ratio=0.2))
    assert worth_of_stops(stated) == pytest.approx([180.1, 0.1])


def test_a_request_without_choice_keeps_its_digest() -> None:
    """The worth of longer opening does not change a problem in which nothing can be longer."""
    request = make_request((make_stop("a"),))
    other = replace(request, dwell_worth=DwellWorth(worth_ratio=0.5))
    assert compile_request(request).problem.digest() == compile_request(other).problem.digest()
    longer = replace(request, stops=(ranged("a", 60, 90),))
    assert compile_request(request).problem.digest() != compile_request(longer).problem.digest()


def test_hand_edits_keep_the_chosen_times() -> None:
    """A stop moved to another day and those left behind are open as long as the plan chose."""
    stops = (ranged("a", 30, 60), ranged("b", 30, 75))
    request = make_request(stops, rules=FREE)
    plan = solved(request)
    before = open_minutes(plan)
    day = plan.days_of(stops[0].stop_id)[0]
    move = Move(
        stop_id=stops[0].stop_id,
        from_day=day,
        vehicle_id=request.vehicles[0].vehicle_id,
        day=(day + 1) % 5,
    )
    moved = apply(request, plan, move)
    assert check(request, moved) == ()
    assert open_minutes(moved) == before == {"a": 60, "b": 75}


def test_figures_tell_the_time_added() -> None:
    """The summary counts open time beyond the least of stops that leave a choice."""
    request = one_day(ranged("a", 30, 60), make_stop("b", service_s=2400), hours=8)
    figures = summarise(request, solved(request))
    assert (figures.open_s, figures.dwell_added_s) == (100 * MINUTE_S, 30 * MINUTE_S)


@pytest.mark.thorough
def test_a_choice_of_times_hardly_costs_people_where_time_is_short() -> None:
    """With far more stops than time, as many people are reached as with the least times fixed."""
    fixed = tuple(make_stop(f"s{k}", service_s=2700, prize=float(20 + k * k)) for k in range(40))
    request = make_request(fixed, minutes=25, weeks=1)
    longer = replace(request, stops=tuple(replace(s, service_most_s=7200) for s in fixed))
    search = replace(SEARCH, work_limit=4000)
    reached = [summarise(r, solve(r, search)).prize_collected for r in (request, longer)]
    assert reached[1] >= 0.98 * reached[0]
