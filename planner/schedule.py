"""Clock times: when each visit of a run starts, and when its meal is.

The search leaves every run feasible by itself (a stop with several visits has its nominal start
as a window), so each run is timed alone: least waiting first, then round times.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isnan

from data.model.fleet import Vehicle
from data.model.nights import ends_on, with_ends
from data.model.place import DepotId, Stop
from data.model.plan import Meal, PlanRequest, Run, StopVisit
from planner.compile import Compiled, latest_start
from planner.dwell import with_service
from planner.problem import NO_LIMIT, Problem, Solution, VehicleDay

GRID_S = 300
"""Published starts are put on this grid where the rules bear it, seconds."""
MOST_EXTRA_S = 300
"""Most waiting that one visit may gain for a round or regular time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A visit to be timed: earliest and latest start of the occupied time, and its parts."""

    lo: int
    hi: int
    occupied: int
    setup: int
    into: int
    """Driving seconds that lead here."""
    grid: int
    """Doors open on multiples of this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Clock times of one run."""

    starts: tuple[int, ...]
    meal: Meal | None
    sign_on: int
    sign_off: int

    @property
    def work(self) -> int:
        meal = self.meal.end_s - self.meal.start_s if self.meal else 0
        return self.sign_off - self.sign_on - meal


def schedule(
    compiled: Compiled, solution: Solution, extra_s: Sequence[int] | None = None
) -> tuple[Run, ...]:
    """Runs with clock times, by vehicle and day; empty vehicle-days have none.

    Parameters
    ----------
    extra_s
        Per stop the seconds by which its visits are open for longer than the least; without it
        those of the solution's options.

    Raises
    ------
    ValueError
        If a run of the solution breaks a rule.
    """
    problem = compiled.problem
    extra_s = extra_of(problem, solution) if extra_s is None else extra_s
    rows = [r for r in range(problem.num_runs) if solution.routes[r]]
    plain = {}
    for row in rows:
        sites = plain_sites(compiled, solution, row, extra_s)
        plain[row] = time_run(problem, solution, row, sites)
    spare = _week_spare(problem, {r: t.work for r, t in plain.items() if t is not None})
    runs = []
    for row in rows:
        least = plain[row]
        if least is None:
            raise ValueError(f"vehicle-day {row} of the solution cannot be timed")
        week = problem.runs[row].week
        extra = MOST_EXTRA_S * len(solution.routes[row])
        most = least.work + (extra if week < 0 else min(extra, spare[week]))
        timing = _rounded(compiled, solution, row, extra_s, least, most)
        if week >= 0:
            spare[week] -= timing.work - least.work
        runs.append(_run(compiled, solution, row, extra_s, timing))
    return tuple(runs)


def extra_of(problem: Problem, solution: Solution) -> tuple[int, ...]:
    """Seconds beyond the least open time that the options of a solution have, by stop."""
    extra = problem.option_extra
    return tuple(int(extra[o]) if o >= 0 else 0 for o in solution.option)


def _week_spare(problem: Problem, work: dict[int, int]) -> list[int]:
    """Seconds of work that each week has left."""
    sums = [0] * len(problem.weeks)
    for row, seconds in work.items():
        week = problem.runs[row].week
        if week >= 0:
            sums[week] += seconds
    return [int(min(w.max_work, 1e9)) - done for w, done in zip(problem.weeks, sums, strict=True)]


def _rounded(
    compiled: Compiled,
    solution: Solution,
    row: int,
    extra_s: Sequence[int],
    least: Timing,
    most: int,
) -> Timing:
    """The most regular and roundest timing with at most ``most`` seconds of work.

    All visits are asked to be regular and round at once; failing that, one after the other.
    """
    num = len(solution.routes[row])

    def timed(round_: list[bool], regular: list[bool]) -> Timing | None:
        sites = _sites(compiled, solution, row, extra_s, round_=round_, regular=regular)
        found = time_run(compiled.problem, solution, row, sites)
        return found if found is not None and found.work <= most else None

    for is_regular in (True, False):
        timing = timed([True] * num, [is_regular] * num)
        if timing is not None:
            return timing
    round_, regular = [False] * num, [False] * num
    for wishes in (regular, round_):
        for k in range(num):
            wishes[k] = True
            timing = timed(round_, regular)
            if timing is None:
                wishes[k] = False
            else:
                least = timing
    return least


def time_run(problem: Problem, solution: Solution, row: int, sites: list[Site]) -> Timing | None:
    """Times of a run of least work, ``None`` if no times keep the rules."""
    run = problem.runs[row]
    home = int(problem.time[run.travel_class, solution.routes[row][-1], run.end_node])
    return time_sites(run, sites, home)


def time_sites(run: VehicleDay, sites: list[Site], home: int) -> Timing | None:
    """Times of least work for visits in order, ``None`` if no times keep the rules of one run.

    ``home`` are the driving seconds from the last visit to where the run ends.
    """
    base = int(run.prep + run.closing) + home + sum(s.occupied + s.into for s in sites)
    best = _timing(run, sites, home, -1, 0)
    if best is not None and (best.work > run.meal_after or best.work > run.max_work):
        best = None
    if best is not None and not keeps_driving(run, sites, home, -1, 0):
        best = None
    if best is not None or run.meal_after == NO_LIMIT:
        return best
    least = int(run.meal_min)
    longest = int(min(run.meal_max, run.meal_hi - run.meal_lo))
    for at in range(len(sites)):
        shortest = _timing(run, sites, home, at, least)
        if shortest is None:
            continue
        # A longer meal may take up waiting, which would be work, or count as a driving break.
        waiting = shortest.sign_off - shortest.sign_on - base - least
        lengths = {min(longest, least + waiting), run.break_length}
        for length in (least, *sorted(int(m) for m in lengths if least < m <= longest)):
            timing = _timing(run, sites, home, at, length)
            if (
                timing is not None
                and timing.work <= run.max_work
                and (best is None or timing.work < best.work)
                and keeps_driving(run, sites, home, at, length)
            ):
                best = timing
    return best


def plain_sites(
    compiled: Compiled, solution: Solution, row: int, extra_s: Sequence[int]
) -> list[Site]:
    """The visits of a run, none of which has to be round or regular."""
    as_is = [False] * len(solution.routes[row])
    return _sites(compiled, solution, row, extra_s, round_=as_is, regular=as_is)


def _sites(
    compiled: Compiled,
    solution: Solution,
    row: int,
    extra_s: Sequence[int],
    *,
    round_: list[bool],
    regular: list[bool],
) -> list[Site]:
    """The visits of a run, with which of them are to be round and at their nominal time."""
    problem = compiled.problem
    run = problem.runs[row]
    sites = []
    node = run.start_node
    for k, stop in enumerate(solution.routes[row]):
        option = solution.option[stop]
        slot = next(s for s in problem.slots_of_option(option) if s[0] == run.day)
        lo, hi = slot[1], min(slot[2], 1e9)
        if extra_s[stop] != problem.option_extra[option]:
            last, due = latest_start(compiled, stop, slot, float(problem.option_extra[option]))
            hi = min(last, due - extra_s[stop], 1e9)
        anchor = solution.anchor[stop]
        if not isnan(anchor):
            tolerance = 0.0 if regular[k] else float(problem.clock_tolerance[stop])
            lo, hi = max(lo, anchor - tolerance), min(hi, anchor + tolerance)
        sites.append(
            Site(
                lo=int(-(-lo // 1)),
                hi=int(hi // 1),
                occupied=int(problem.occupied[stop]) + extra_s[stop],
                setup=compiled.request.stops[stop].setup_s,
                into=int(problem.time[run.travel_class, node, stop]),
                grid=GRID_S if round_[k] else 1,
            )
        )
        node = stop
    return sites


def _timing(
    run: VehicleDay, sites: list[Site], home: int, meal_at: int, meal: int
) -> Timing | None:
    """Earliest finish, then everything before it as late as it can be."""
    ready = int(run.duty_lo + run.prep)
    starts: list[int] = []
    eaten = 0
    for k, site in enumerate(sites):
        doors = max(ready + site.into, site.lo) + site.setup
        start = -(-doors // site.grid) * site.grid - site.setup
        if start > site.hi:
            return None
        starts.append(start)
        ready = start + site.occupied
        if k == meal_at:
            eaten = max(ready, int(run.meal_lo))
            if eaten + meal > run.meal_hi:
                return None
            ready = eaten + meal
    finish = ready + home + int(run.closing)
    if finish > run.duty_hi:
        return None
    due = starts[-1] if meal_at != len(sites) - 1 else eaten - sites[-1].occupied
    for k in range(len(sites) - 1, -1, -1):
        site = sites[k]
        doors = min(due, site.hi) + site.setup
        starts[k] = max(starts[k], doors // site.grid * site.grid - site.setup)
        if k > 0:
            due = starts[k] - site.into
            if k - 1 == meal_at:
                eaten = max(eaten, min(due - meal, int(run.meal_hi) - meal))
                due = eaten
            due -= sites[k - 1].occupied
    taken = None
    if meal_at >= 0:
        # The meal follows its visit at once where the window lets it, and takes up waiting.
        end = eaten + meal
        eaten = max(starts[meal_at] + sites[meal_at].occupied, int(run.meal_lo))
        end = min(end, eaten + int(run.meal_max))
        taken = Meal(start_s=eaten, end_s=end, after_visit=meal_at)
    sign_on = starts[0] - sites[0].into - int(run.prep)
    return Timing(starts=tuple(starts), meal=taken, sign_on=sign_on, sign_off=finish)


def keeps_driving(run: VehicleDay, sites: list[Site], home: int, meal_at: int, meal: int) -> bool:
    """Whether driving between qualifying stays keeps the continuous limit."""
    driven, part = 0, 0
    for k, site in enumerate(sites):
        driven += site.into
        if driven > run.drive_continuous:
            return False
        for stay in (site.occupied, meal) if k == meal_at else (site.occupied,):
            if stay >= run.break_length:
                driven, part = 0, 0
            elif run.break_parts and stay >= run.break_parts[part]:
                part += 1
                if part == len(run.break_parts):
                    driven, part = 0, 0
    return driven + home <= run.drive_continuous


def _run(
    compiled: Compiled, solution: Solution, row: int, extra_s: Sequence[int], timing: Timing
) -> Run:
    """A timed run in the terms of the request."""
    request, place = compiled.request, compiled.problem.runs[row]
    stops = [
        with_service(stop, stop.service_s + extra_s[s]) if stop.service_most_s is not None else stop
        for s in solution.routes[row]
        for stop in [request.stops[s]]
    ]
    number = compiled.vehicle_of(place)
    vehicle = request.vehicles[number]
    ends = ends_on(vehicle, place.day, compiled.nights)
    run = timed_run(request, vehicle, place.day, stops, timing, ends)
    if compiled.aboard is None:
        return run
    return replace(run, specialist_ids=compiled.aboard.needed(number, place.day, stops))


def timed_run(
    request: PlanRequest,
    vehicle: Vehicle,
    day: int,
    stops: Sequence[Stop],
    timing: Timing,
    ends: tuple[DepotId, DepotId],
) -> Run:
    """The run that drives from its start over stops in order to its end at the times given."""
    matrix = request.travel[vehicle.vehicle_id]
    origin, goal = ends
    here: str = origin
    depart = timing.sign_on + request.prep_s(vehicle, origin)
    ready = depart
    visits = []
    for k, (stop, start) in enumerate(zip(stops, timing.starts, strict=True)):
        drive_s = matrix.seconds(here, stop.stop_id)
        doors = start + stop.setup_s
        visits.append(
            StopVisit(
                stop_id=stop.stop_id,
                arrival_s=ready + drive_s,
                start_s=doors,
                end_s=doors + stop.service_s,
                departure_s=start + stop.occupied_s,
                drive_s=drive_s,
                drive_m=matrix.metres(here, stop.stop_id),
            )
        )
        ready = start + stop.occupied_s
        if timing.meal is not None and timing.meal.after_visit == k:
            ready = timing.meal.end_s
        here = stop.stop_id
    back = matrix.seconds(here, goal)
    run = Run(
        vehicle_id=vehicle.vehicle_id,
        day=day,
        sign_on_s=timing.sign_on,
        depart_s=depart,
        visits=tuple(visits),
        return_s=ready + back,
        sign_off_s=ready + back + request.closing_s(vehicle, goal),
        return_drive_s=back,
        return_drive_m=matrix.metres(here, goal),
        meal=timing.meal,
    )
    return with_ends(run, vehicle, origin, goal)
