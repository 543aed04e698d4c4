"""A request whose times are the learned ones, with buffers so that published times hold."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from data.model.fleet import Vehicle, VehicleId
from data.model.learned import Learned, LearnedUse
from data.model.place import Stop
from data.model.plan import PlanRequest
from data.model.travel import UNREACHABLE, TravelMatrix
from planner.learn.keeping import late_days
from planner.learn.mixed import Floats
from planner.learn.times import LearnedTimes, Links, Spread, sum_quantile

KEEP_RATIO = 0.8
"""Share of days on which each arrival is to be in time, where nothing else is asked."""
_MOST_SAMPLE_RUNS = 24
_SAMPLE_STOPS = 6
"""Stops of a sample run where the vehicle sets no limit."""
_MOST_SAMPLE_STOPS = 12
_LEVEL_STEPS = 7
_SHORT_OF_IT = 0.02
"""Share of sample arrivals that may be kept less often than asked: the level is no worst case."""


def with_learned(
    request: PlanRequest, learned: Learned, *, source: str, keep_ratio: float = KEEP_RATIO
) -> PlanRequest:
    """A request with learned times in place of those of its roads and stops.

    Notes
    -----
    A stop's setup and teardown become their learned medians. The seconds of a leg become the
    learned median of the drive plus a buffer: the quantile ``leg_level`` of turnaround, drive and
    setup together, less their medians. ``leg_level`` is the same for all legs and the least at
    which runs to near stops, drawn day by day, keep their arrivals with ``keep_ratio``. Open times
    stay as they are: they are promised, not measured.
    """
    times = LearnedTimes(request, learned)
    level = leg_level(request, learned, keep_ratio=keep_ratio)
    travel: dict[VehicleId, TravelMatrix] = {}
    made: dict[int, TravelMatrix] = {}
    for vehicle in request.vehicles:
        matrix = request.travel[vehicle.vehicle_id]
        drive = times.drive(vehicle, matrix)
        if id(drive) not in made:
            made[id(drive)] = _learned_matrix(times, matrix, drive, level)
        travel[vehicle.vehicle_id] = made[id(drive)]
    first = request.travel[request.vehicles[0].vehicle_id]
    setup, turnaround = times.setup(first), times.turnaround(first)
    stops = tuple(
        _learned_stop(stop, setup, turnaround, first.index[str(stop.stop_id)])
        for stop in request.stops
    )
    return replace(
        request,
        stops=stops,
        travel=travel,
        learned=LearnedUse(
            source=source,
            first_date=learned.first_date,
            last_date=learned.last_date,
            num_days=learned.num_days,
            num_legs=learned.drive.num_records,
            keep_ratio=keep_ratio,
            leg_level=level,
        ),
    )


def _learned_stop(stop: Stop, setup: Spread, turnaround: Spread, index: int) -> Stop:
    return replace(
        stop,
        setup_s=round(float(setup.median_s[index])),
        teardown_s=round(float(turnaround.median_s[index])),
        given_setup_s=stop.setup_s if stop.given_setup_s is None else stop.given_setup_s,
        given_teardown_s=(
            stop.teardown_s if stop.given_teardown_s is None else stop.given_teardown_s
        ),
    )


def _learned_matrix(
    times: LearnedTimes, matrix: TravelMatrix, drive: Spread, level: float
) -> TravelMatrix:
    """The matrix with learned seconds and buffers, row by row: it may be large."""
    setup, turnaround = times.setup(matrix), times.turnaround(matrix)
    base_s = matrix.travel_s if matrix.base_s is None else matrix.base_s
    travel_s, buffer_s = base_s.copy(), np.zeros_like(base_s)
    num = len(matrix.point_ids)
    for row in range(num):
        leaving = Spread(
            median_s=np.full(num, turnaround.median_s[row]),
            own=np.full(num, turnaround.own[row]),
            day=turnaround.day,
        )
        on_road = Spread(median_s=drive.median_s[row], own=drive.own[row], day=drive.day)
        link = Links(turnaround=leaving, drive=on_road, setup=setup)
        spare = np.ceil(np.maximum(0.0, sum_quantile(link.parts, level) - link.median_s))
        has_road = base_s[row] != UNREACHABLE
        has_road[row] = False
        median_s = np.maximum(1, np.round(on_road.median_s))
        buffer_s[row] = np.where(has_road, spare, 0)
        travel_s[row] = np.where(has_road, median_s + spare, base_s[row])
    return replace(matrix, travel_s=travel_s, base_s=base_s, buffer_s=buffer_s)


def leg_level(request: PlanRequest, learned: Learned, *, keep_ratio: float = KEEP_RATIO) -> float:
    """The least quantile of each leg at which sample runs keep their arrivals.

    The sample runs leave each vehicle's depot for stops spread over the request and go on to the
    nearest ones. Where incidents alone break the promise, the greatest level tried is answered.
    """
    times = LearnedTimes(request, learned)
    samples = list(_sample_links(request, times))
    if not samples:
        return keep_ratio

    def keeps(level: float) -> bool:
        ratios: list[Floats] = []
        for link in samples:
            planned_s = np.maximum(link.median_s, sum_quantile(link.parts, level))
            late = late_days(link, planned_s, learned.drive.late_share)
            ratios.append((late <= 0).mean(axis=0))
        kept = np.concatenate(ratios)
        return float((kept < keep_ratio).mean()) <= _SHORT_OF_IT

    low, high = keep_ratio, 0.995
    if keeps(low):
        return low
    for _ in range(_LEVEL_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if keeps(middle) else (middle, high)
    return round(high, 4)


def _sample_links(request: PlanRequest, times: LearnedTimes) -> Iterator[Links]:
    """The legs of runs such as a plan may have."""
    for vehicle in _differing(request):
        matrix = request.travel[vehicle.vehicle_id]
        stops = [str(s.stop_id) for s in request.stops]
        length = min(vehicle.max_stops_per_run or _SAMPLE_STOPS, _MOST_SAMPLE_STOPS, len(stops))
        step = max(1, len(stops) // _MOST_SAMPLE_RUNS)
        for first in stops[::step][:_MOST_SAMPLE_RUNS]:
            points = _near_run(matrix, str(vehicle.depot_id), first, stops, length)
            if len(points) > 1:
                yield times.links(vehicle, matrix, points)


def _differing(request: PlanRequest) -> list[Vehicle]:
    """One vehicle of each depot."""
    return list({v.depot_id: v for v in reversed(request.vehicles)}.values())


def _near_run(
    matrix: TravelMatrix, depot: str, first: str, stops: list[str], length: int
) -> list[str]:
    """A run from a depot to a stop and on to the nearest not yet visited."""
    if matrix.seconds(depot, first) == UNREACHABLE:
        return [depot]
    points, left = [depot, first], set(stops) - {first}
    while len(points) <= length and left:
        here = matrix.index[points[-1]]
        near = [
            (int(matrix.travel_s[here, matrix.index[p]]), p)
            for p in left
            if matrix.travel_s[here, matrix.index[p]] != UNREACHABLE
        ]
        if not near:
            break
        points.append(min(near)[1])
        left.discard(points[-1])
    return points
