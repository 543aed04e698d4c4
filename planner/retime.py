"""Clock times of a run that a person has changed by hand: published starts stay where they can.

The rules are those of ``planner.schedule``. Where no times keep them all, the run still gets times,
with as few limits lifted as will do; the checker then names what is broken.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise, product

from data.model.calendar import DAY_S, DAYS_PER_WEEK
from data.model.crew import Specialist
from data.model.errors import RequestError
from data.model.fleet import Vehicle, VehicleId
from data.model.nights import NO_NIGHTS, Nights, ends_on
from data.model.place import DepotId, Stop, StopId
from data.model.plan import PlanRequest, Run
from data.model.travel import UNREACHABLE
from planner.aboard import within_hours
from planner.duty import duty_window, vehicle_day
from planner.problem import NO_LIMIT, VehicleDay
from planner.schedule import GRID_S, Site, Timing, time_sites, timed_run

Span = tuple[int, int]
"""Earliest and latest start of the doors, seconds."""

ANY_TIME: Span = (0, 2 * DAY_S)
_MOST_WINDOW_CHOICES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A visit to be timed.

    ``published_s`` is the start that readers know, kept where possible; of visits that cannot all
    keep theirs, one that comes from elsewhere (``is_moved``) yields first. ``asked_s`` is the start
    that a person sets.
    """

    stop: Stop
    published_s: int | None = None
    asked_s: int | None = None
    is_moved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A run with times; ``is_legal`` if they keep every rule of the run by itself."""

    run: Run
    is_legal: bool


class Retimer:
    """Times runs of one request, one after the other; ``nights`` are those spent away."""

    def __init__(self, request: PlanRequest, nights: Nights = NO_NIGHTS) -> None:
        self.request = request
        self._nights = nights
        self._number = {v.vehicle_id: k for k, v in enumerate(request.vehicles)}
        self._cut: dict[VehicleId, Span] = {}

    def vehicle(self, vehicle_id: VehicleId) -> Vehicle:
        """A vehicle of the request.

        Raises
        ------
        RequestError
            ``edit.unknown_vehicle``.
        """
        number = self._number.get(vehicle_id)
        if number is None:
            raise RequestError("edit.unknown_vehicle", vehicle_id=vehicle_id)
        return self.request.vehicles[number]

    def time(
        self,
        vehicle_id: VehicleId,
        day: int,
        wishes: Sequence[Wish],
        spans: Mapping[StopId, Span],
        *,
        riders: Sequence[Specialist] = (),
        legal_only: bool = False,
    ) -> Timed | None:
        """A run through the wishes in their order.

        Parameters
        ----------
        spans
            Starts that the stop's visits on other days allow; a stop without one is free.
        riders
            Specialists aboard, whose hours hold the run from leaving to return.
        legal_only
            Answer ``None`` where no times keep the rules; otherwise there is always an answer.

        Raises
        ------
        RequestError
            ``edit.no_travel``, ``edit.unknown_vehicle``.
        """
        vehicle = self.vehicle(vehicle_id)
        ends = ends_on(vehicle, day, self._nights)
        legs = self.legs(vehicle, [w.stop for w in wishes], day)
        job = _Job(wishes=tuple(wishes), spans=spans, legs=legs, weekday=day % DAYS_PER_WEEK)
        whole = (vehicle.duty_start_s, vehicle.duty_end_s)
        duties = dict.fromkeys((self._rested(vehicle), whole))
        runs = [
            within_hours(self._vehicle_day(vehicle, day, duty, ends), riders) for duty in duties
        ]
        timing = next((t for run in runs if (t := job.best(run)) is not None), None)
        is_legal = timing is not None and UNREACHABLE not in legs
        if legal_only and not is_legal:
            return None
        if timing is None:
            timing = _lenient(job, runs[-1])
        stops = [w.stop for w in wishes]
        run = timed_run(self.request, vehicle, day, stops, timing, ends)
        if riders:
            run = replace(run, specialist_ids=tuple(p.specialist_id for p in riders))
        return Timed(run=run, is_legal=is_legal)

    def _rested(self, vehicle: Vehicle) -> Span:
        """The duty window that keeps the daily rest whatever the days beside hold."""
        if vehicle.vehicle_id not in self._cut:
            self._cut[vehicle.vehicle_id] = duty_window(self.request, vehicle)
        return self._cut[vehicle.vehicle_id]

    def _vehicle_day(
        self, vehicle: Vehicle, day: int, duty: Span, ends: tuple[DepotId, DepotId]
    ) -> VehicleDay:
        nodes = dict.fromkeys((d.depot_id for d in self.request.depots), 0)
        number = self._number[vehicle.vehicle_id]
        duties = {vehicle.vehicle_id: duty}
        return vehicle_day(self.request, number, day, 0, nodes, duties, [], ends)

    def legs(self, vehicle: Vehicle, stops: Sequence[Stop], day: int) -> list[int]:
        """Seconds of the legs to every stop and to where the day ends.

        ``UNREACHABLE`` stands where no road leads.
        """
        matrix = self.request.travel.get(vehicle.vehicle_id)
        start, end = ends_on(vehicle, day, self._nights)
        points = [str(start), *(str(s.stop_id) for s in stops), str(end)]
        known = matrix.index if matrix is not None else {}
        for point in points:
            if matrix is None or point not in known:
                raise RequestError("edit.no_travel", point=point, vehicle=vehicle.name)
        assert matrix is not None  # every point was found in it
        return [matrix.seconds(a, b) for a, b in pairwise(points)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One run to be timed; ``legs`` lead to every stop and home."""

    wishes: tuple[Wish, ...]
    spans: Mapping[StopId, Span]
    legs: list[int]
    weekday: int
    keeps_windows: bool = True

    def best(self, run: VehicleDay) -> Timing | None:
        """Times with as many published starts kept as the rules bear, ``None`` if none do."""
        kept = [w.published_s is not None for w in self.wishes]
        timing = self._round(run, kept)
        if timing is not None or not any(kept):
            return timing
        free = [False] * len(kept)
        if self._timed(run, free, grid=1) is None:
            return None
        stay = [k and not w.is_moved for k, w in zip(kept, self.wishes, strict=True)]
        timing = self._round(run, stay)
        if timing is not None:
            return timing
        order = sorted(range(len(kept)), key=lambda k: self.wishes[k].is_moved)
        for k in order:
            free[k] = kept[k]
            if free[k] and self._timed(run, free, grid=1) is None:
                free[k] = False
        return self._round(run, free)

    def _round(self, run: VehicleDay, kept: list[bool]) -> Timing | None:
        """Times with new starts on round minutes if possible."""
        return self._timed(run, kept, grid=GRID_S) or self._timed(run, kept, grid=1)

    def _timed(self, run: VehicleDay, kept: list[bool], *, grid: int) -> Timing | None:
        home = max(0, self.legs[-1])
        choices = (time_sites(run, sites, home) for sites in self._choices(kept, grid))
        return min((t for t in choices if t is not None), key=lambda t: t.work, default=None)

    def _choices(self, kept: list[bool], grid: int) -> Iterator[list[Site]]:
        """The visits as sites, once for every choice among their windows."""
        spans = [self._spans(wish, keep=k) for wish, k in zip(self.wishes, kept, strict=True)]
        for chosen in islice(product(*spans), _MOST_WINDOW_CHOICES):
            yield [
                Site(
                    lo=lo - wish.stop.setup_s,
                    hi=hi - wish.stop.setup_s,
                    occupied=wish.stop.occupied_s,
                    setup=wish.stop.setup_s,
                    into=max(0, leg),
                    grid=1 if lo == hi else grid,
                )
                for wish, leg, (lo, hi) in zip(self.wishes, self.legs, chosen, strict=False)
            ]

    def _spans(self, wish: Wish, *, keep: bool) -> list[Span]:
        lo, hi = self.spans.get(wish.stop.stop_id, ANY_TIME)
        if wish.asked_s is not None:
            lo = hi = wish.asked_s
        elif keep and wish.published_s is not None:
            lo, hi = max(lo, wish.published_s), min(hi, wish.published_s)
        windows = _windows(wish.stop, self.weekday) if self.keeps_windows else (ANY_TIME,)
        both = [(max(lo, a), min(hi, b)) for a, b in windows]
        return [(a, b) for a, b in both if a <= b]


def _windows(stop: Stop, weekday: int) -> tuple[Span, ...]:
    """When the doors of a stop may open on a weekday."""
    if not stop.windows:
        return (ANY_TIME,)
    return tuple(
        (w.start_s, w.end_s - stop.service_s) for w in stop.windows if w.applies_on(weekday)
    )


def _lenient(job: _Job, run: VehicleDay) -> Timing:
    """Times of a run that no times fit: limits are lifted one after the other until some do."""
    free = replace(job, spans={})
    open_ended = replace(
        run, duty_hi=2.0 * DAY_S, max_work=NO_LIMIT, drive_continuous=NO_LIMIT, max_drive=NO_LIMIT
    )
    hungry = replace(open_ended, meal_after=NO_LIMIT)
    any_hour = replace(free, keeps_windows=False)
    unasked = replace(any_hour, wishes=tuple(replace(w, asked_s=None) for w in job.wishes))
    attempts = (
        (free, run),
        *((j, r) for j in (job, free, any_hour) for r in (open_ended, hungry)),
        (any_hour, replace(open_ended, duty_lo=0.0)),
        (any_hour, replace(hungry, duty_lo=0.0)),
        (unasked, open_ended),
        (unasked, hungry),
    )
    timing = next((t for j, r in attempts if (t := j.best(r)) is not None), None)
    if timing is None:
        last = replace(unasked, wishes=tuple(replace(w, published_s=None) for w in unasked.wishes))
        endless = replace(hungry, duty_hi=NO_LIMIT)
        timing = replace(last, keeps_windows=False).best(endless)
    if timing is None:
        raise ValueError(f"{len(job.wishes)} visits do not fit into {ANY_TIME[1]} s")
    return timing
