"""Tracks held against a plan after the fact: which vehicle, which run, what became of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from data.model.errors import RequestError
from data.model.fleet import VehicleId
from data.model.observed import ObservedVisit
from data.model.plan import Plan, PlanRequest
from data.model.service_time import date_of, instant_of
from data.model.telemetry import Fix, Track
from fleet.day_figures import DayFigures, day_figures
from fleet.leg_times import planned_times
from fleet.matching import MatchedDay, MatchParams, match
from fleet.planned import PlannedRun, runs_on
from fleet.records import observed_visits
from fleet.tracking import Tracker, follow, places_of

_DAY_ENDS_S = 30 * 3600
"""A service date's track may go on until six in the morning of the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrivenDay:
    """A vehicle's day as planned and as its track shows it."""

    vehicle_id: VehicleId
    device_id: str
    is_guessed: bool
    """Whether the vehicle was told by the stops that the track visits."""
    run: PlannedRun
    day: MatchedDay
    track: Track
    figures: DayFigures
    records: tuple[ObservedVisit, ...]


def driven_days(
    request: PlanRequest,
    plan: Plan,
    fixes: Iterable[Fix],
    *,
    vehicle_of: Mapping[str, VehicleId],
    on: date | None = None,
    params: MatchParams | None = None,
) -> tuple[DrivenDay, ...]:
    """Each device's days with a run of the plan, by date and vehicle.

    A device is of the vehicle that ``vehicle_of`` names, else of the one whose id is its name, else
    of the only one that runs, else of the one whose planned stops its track visits most.

    Raises
    ------
    RequestError
        ``track.no_fixes``, ``track.no_runs_for``, ``track.which_vehicle``.
    """
    zone = ZoneInfo(request.time_zone)
    by_device: dict[str, list[Fix]] = defaultdict(list)
    for fix in fixes:
        by_device[str(fix.device_id)].append(fix)
    if not by_device:
        raise RequestError("track.no_fixes")
    found = []
    seen_dates: set[date] = set()
    for device_id, own in by_device.items():
        dates = {date_of(f.fix_at, zone) for f in own}
        seen_dates |= dates
        for day in sorted(dates if on is None else {on}):
            runs = runs_on(request, plan, day)
            mine = _of_date(own, day, zone)
            if runs and mine:
                driven = _driven(request, device_id, mine, runs, vehicle_of, params)
                found += [] if driven is None else [driven]
    if not found:
        dates_told = ", ".join(d.isoformat() for d in sorted(seen_dates)[:5])
        raise RequestError("track.no_runs_for", dates=dates_told)
    return tuple(sorted(found, key=lambda d: (d.run.service_date, d.vehicle_id)))


def _of_date(fixes: Sequence[Fix], on: date, zone: ZoneInfo) -> list[Fix]:
    first = instant_of(on, 0, zone)
    last = instant_of(on, _DAY_ENDS_S, zone)
    return [f for f in fixes if first <= f.fix_at < last]


def _driven(
    request: PlanRequest,
    device_id: str,
    fixes: Sequence[Fix],
    runs: Sequence[PlannedRun],
    vehicle_of: Mapping[str, VehicleId],
    params: MatchParams | None,
) -> DrivenDay | None:
    tracker = follow(fixes, places_of(request))
    name = device_id.rpartition("/")[2]
    wanted = vehicle_of.get(device_id) or vehicle_of.get(name) or vehicle_of.get("")
    wanted = wanted or next((r.vehicle_id for r in runs if r.vehicle_id == name), None)
    if wanted is not None:
        run = next((r for r in runs if r.vehicle_id == wanted), None)
        is_guessed = False
    else:
        run, is_guessed = _guessed(device_id, tracker, runs, params), True
    if run is None:
        return None
    day = match(run, tracker.stops, params)
    track = tracker.track(run.vehicle_id)
    times = planned_times(request, str(run.vehicle_id), run.place_ids)
    return DrivenDay(
        vehicle_id=run.vehicle_id,
        device_id=device_id,
        is_guessed=is_guessed,
        run=run,
        day=day,
        track=track,
        figures=day_figures(day, track, dict(times.drive_s)),
        records=observed_visits(day),
    )


def _guessed(
    device_id: str, tracker: Tracker, runs: Sequence[PlannedRun], params: MatchParams | None
) -> PlannedRun | None:
    """The run whose stops the track visits most; none where it visits none of any."""
    scored = [(match(run, tracker.stops, params).num_held, run) for run in runs]
    most = max(score for score, _ in scored)
    best = [run for score, run in scored if score == most]
    if not most:
        return None
    if len(best) > 1:
        raise RequestError(
            "track.which_vehicle",
            device=device_id,
            date=runs[0].service_date.isoformat(),
            vehicles=", ".join(str(r.vehicle_id) for r in best),
        )
    return best[0]
