"""Where one more stop fits into a plan as it stands: the ways that keep all rules, cheapest first.

Every vehicle-day and position is timed as a run of its own; the days are put together by the
stop's patterns; what is offered has been judged by the checker as a whole plan.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from data.model.calendar import DAYS_PER_WEEK
from data.model.crew import services_of
from data.model.errors import RequestError
from data.model.fleet import CrewRules, Vehicle, VehicleId
from data.model.nights import ends_on, nights_of
from data.model.place import Stop, StopId
from data.model.plan import Plan, PlanRequest, Run, Unserved, Violation
from data.model.travel import UNREACHABLE
from planner.aboard import Crewing
from planner.alone import longest_driving_s, longest_work_s
from planner.dwell import as_open
from planner.edit import Add, Judgement, judge
from planner.retime import Retimer, Wish
from planner.rhythm import patterns_of
from planner.score import check

NEW_STOP = "unserved.new_stop"
"""Reason of a stop that no plan has been asked to serve yet."""
_PER_DAY = 6
"""Positions of one day that are tried together with those of other days."""
_MOST_JUDGED = 60
"""Ways that the checker may refuse before the search gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A way to serve a stop that breaks no rule, with what it adds to the cycle.

    ``edits`` hold vehicle, day, position and start of every visit; applied, they give the plan of
    the judgement.
    """

    edits: tuple[Add, ...]
    added_drive_s: int
    added_drive_m: int
    added_work_s: int
    judgement: Judgement


@dataclass(frozen=True, slots=True, order=True)
class _Option:
    """One visit on one vehicle-day, timed; ordered by driving, then work."""

    drive_s: int
    work_s: int
    number: int
    day: int
    position: int
    start_s: int


_Way = tuple[_Option, ...]


def best_places(
    request: PlanRequest, plan: Plan, stop: Stop, *, most: int = 10
) -> tuple[Place, ...]:
    """The ways to serve a stop that keep every rule, least added driving first, then least work.

    Rules that the plan breaks already are not held against a place.

    Parameters
    ----------
    stop
        Unserved by the plan. It need not stand in the request, or may differ from the stop that
        does; its travel must be known.
    most
        Greatest number of places.

    Returns
    -------
    tuple of Place
        Empty if the stop fits nowhere without moving others to another run or day.

    Raises
    ------
    RequestError
        ``edit.already_served``, ``edit.no_travel``.
    """
    if plan.days_of(stop.stop_id):
        raise RequestError("edit.already_served", stop=stop.name, stop_id=stop.stop_id)
    request, plan = with_stop(request, plan, stop)
    known = {_told(v) for v in check(request, plan)}
    places: list[Place] = []
    for way in islice(_Search(request, plan, stop).ways(), _MOST_JUDGED + most):
        edits = tuple(_add(request, stop.stop_id, option) for option in way)
        judgement = judge(request, plan, edits)
        if {_told(v) for v in judgement.violations} <= known:
            places.append(
                Place(
                    edits=edits,
                    added_drive_s=judgement.delta_drive_s,
                    added_drive_m=judgement.delta_drive_m,
                    added_work_s=judgement.delta_work_s,
                    judgement=judgement,
                )
            )
        if len(places) >= most:
            break
    return tuple(sorted(places, key=lambda p: (p.added_drive_s, p.added_work_s)))


def with_stop(request: PlanRequest, plan: Plan, stop: Stop) -> tuple[PlanRequest, Plan]:
    """A request that holds the stop as given, and the plan with it among the unserved."""
    is_known = any(s.stop_id == stop.stop_id for s in request.stops)
    if is_known:
        stops = tuple(stop if s.stop_id == stop.stop_id else s for s in request.stops)
    else:
        stops = (*request.stops, stop)
    if not any(u.stop_id == stop.stop_id for u in plan.unserved):
        left_out = Unserved(stop_id=stop.stop_id, reason=NEW_STOP, facts={"stop": stop.name})
        plan = replace(plan, unserved=(*plan.unserved, left_out))
    return replace(request, stops=stops), plan


def _told(violation: Violation) -> tuple[object, ...]:
    """What a violation is about, whatever its amounts."""
    facts = violation.facts
    named = ("vehicle_id", "stop_id", "date", "week")
    return (violation.code, *(facts.get(name) for name in named))


def _add(request: PlanRequest, stop_id: StopId, option: _Option) -> Add:
    return Add(
        stop_id=stop_id,
        vehicle_id=request.vehicles[option.number].vehicle_id,
        day=option.day,
        position=option.position,
        at_s=option.start_s,
    )


class _Search:
    """All ways to serve one stop, cheapest first."""

    def __init__(self, request: PlanRequest, plan: Plan, stop: Stop) -> None:
        self._request = request
        self._stop = stop
        self._nights = nights_of(request, plan)
        self._retimer = Retimer(request, self._nights)
        self._crewing = Crewing(request, plan.runs, self._nights)
        self._stops = {s.stop_id: s for s in request.stops}
        self._runs: dict[tuple[VehicleId, int], Run] = {(r.vehicle_id, r.day): r for r in plan.runs}
        self._starts: dict[StopId, list[tuple[int, int]]] = {}
        for run in plan.runs:
            for visit in run.visits:
                self._starts.setdefault(visit.stop_id, []).append((run.day, visit.start_s))
        self._near: dict[tuple[_Option, int], _Option | None] = {}
        self._days: dict[int, list[_Option]] = {}
        for option in self._options():
            self._days.setdefault(option.day, []).append(option)
        for options in self._days.values():
            options.sort()

    def ways(self) -> Iterator[_Way]:
        """Each way as one option a visit, in order of what they add."""
        is_counted = self._request.recurrence_of(self._stop) is None
        if is_counted and self._stop.visits_per_cycle == 1:
            yield from ((o,) for o in sorted(o for day in self._days.values() for o in day))
            return
        # A pattern waits at the least that its days could cost, and comes back at what its ways do.
        queue: list[tuple[int, int, int, tuple[int, ...], _Way]] = []
        for pattern in self._patterns():
            cheapest = [self._days[day][0] for day in pattern]
            heapq.heappush(queue, (*_cost(cheapest), 0, pattern, ()))
        while queue:
            _, _, is_way, pattern, way = heapq.heappop(queue)
            if is_way:
                yield way
                continue
            for found in self._ways_of(pattern):
                heapq.heappush(queue, (*_cost(found), 1, pattern, found))

    def _patterns(self) -> tuple[tuple[int, ...], ...]:
        return patterns_of(self._request, self._stop, self._days)

    def _ways_of(self, pattern: tuple[int, ...]) -> set[_Way]:
        """The cheapest way of a pattern round every nominal start that one of its options has."""
        options = [self._days[day][:_PER_DAY] for day in pattern]
        found = set()
        for nominal in sorted({o.start_s for day in options for o in day}):
            way = [
                next((n for o in day if (n := self._near_to(o, nominal)) is not None), None)
                for day in options
            ]
            if all(way):
                found.add(tuple(o for o in way if o is not None))
        return found

    def _near_to(self, option: _Option, nominal_s: int) -> _Option | None:
        """The option within the clock tolerance of a nominal start, timed anew if need be."""
        room = self._request.clock_tolerance_s
        if abs(option.start_s - nominal_s) <= room:
            return option
        key = option, nominal_s
        if key not in self._near:
            vehicle = self._request.vehicles[option.number]
            span = (nominal_s - room, nominal_s + room)
            self._near[key] = self._timed(option.number, vehicle, option.day, option.position, span)
        return self._near[key]

    def _options(self) -> Iterator[_Option]:
        stop = self._stop
        for number, vehicle in enumerate(self._request.vehicles):
            if not stop.needs <= vehicle.abilities:
                continue
            for day in self._request.working_days(vehicle):
                if stop.weekdays and day % DAYS_PER_WEEK not in stop.weekdays:
                    continue
                run = self._runs.get((vehicle.vehicle_id, day))
                for position in range(len(run.visits) + 1 if run else 1):
                    option = self._timed(number, vehicle, day, position, None)
                    if option is not None:
                        yield option

    def _timed(
        self,
        number: int,
        vehicle: Vehicle,
        day: int,
        position: int,
        span: tuple[int, int] | None,
    ) -> _Option | None:
        """The stop at a position of a run, ``None`` where the run would break a rule."""
        run = self._runs.get((vehicle.vehicle_id, day))
        wishes = [
            Wish(stop=as_open(self._stops[v.stop_id], v), published_s=v.start_s)
            for v in (run.visits if run else ())
        ]
        wishes.insert(position, Wish(stop=self._stop, is_moved=True))
        limit = vehicle.max_stops_per_run
        is_over = limit is not None and len(wishes) > limit
        if is_over or not self._has_room(vehicle, day, wishes):
            return None
        spans = self._spans(run)
        if span is not None:
            spans[self._stop.stop_id] = span
        riders = self._crewing.riders(vehicle, day, [w.stop for w in wishes])
        if self._stop.services_at_every_visit and not self._stop.services <= services_of(riders):
            return None
        timed = self._retimer.time(
            vehicle.vehicle_id, day, wishes, spans, riders=riders, legal_only=True
        )
        if timed is None:
            return None
        return _Option(
            timed.run.drive_s - (run.drive_s if run else 0),
            timed.run.work_s - (run.work_s if run else 0),
            number,
            day,
            position,
            timed.run.visits[position].start_s,
        )

    def _spans(self, run: Run | None) -> dict[StopId, tuple[int, int]]:
        """Starts that the visits on other days leave to those of a run."""
        room = 2 * self._request.clock_tolerance_s
        spans = {}
        for visit in run.visits if run else ():
            starts = [s for day, s in self._starts[visit.stop_id] if run and day != run.day]
            if starts:
                spans[visit.stop_id] = (max(starts) - room, min(starts) + room)
        return spans

    def _has_room(self, vehicle: Vehicle, day: int, wishes: list[Wish]) -> bool:
        """Whether driving and work, waiting left out, are within the day's limits."""
        legs = self._retimer.legs(vehicle, [w.stop for w in wishes], day)
        start, end = ends_on(vehicle, day, self._nights)
        rules = self._request.crew_rules.get(vehicle.vehicle_id, CrewRules())
        most_s = longest_driving_s(rules)
        busy_s = self._request.prep_s(vehicle, start) + self._request.closing_s(vehicle, end)
        busy_s += sum(w.stop.occupied_s for w in wishes)
        return (
            UNREACHABLE not in legs
            and (most_s is None or sum(legs) <= most_s)
            and busy_s + sum(legs) <= longest_work_s(vehicle, rules)
        )


def _cost(way: list[_Option] | _Way) -> tuple[int, int]:
    return sum(o.drive_s for o in way), sum(o.work_s for o in way)
