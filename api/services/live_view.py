"""What the board shows: vehicles of today with their runs, warnings, planned and driven ways."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.services.cancelling import names_of
from api.services.day_book import days_on
from api.services.day_state import DayState
from api.services.duty import day_span, service_date_of
from api.services.followed_plan import FollowedPlan
from api.services.leg_lines import kept_lines
from api.services.plan_access import account_names
from api.services.promised_days import PromisedDay
from data.db import (
    alert_store,
    live_store,
    publication_store,
    regions_known_store,
    track_store,
)
from data.model.alert import Alert
from data.model.errors import NotFoundError
from data.model.fleet import VehicleId
from data.model.live import DayEnds, Phase, StopActual, VehicleNow
from data.model.telemetry import Fix, JudgedFix, Track
from data.model.tracker import TrackerId
from fleet.filters import judge_all
from fleet.planned import PlannedRun

GAP_S = 300
"""A track is cut where nothing was heard for longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardVehicle:
    """A vehicle of today; ``now`` is ``None`` where nothing follows it."""

    vehicle_id: VehicleId
    name: str
    now: VehicleNow | None
    phase: Phase
    day: PromisedDay | None
    ends: DayEnds | None
    stops: tuple[StopActual, ...]

    @property
    def fix(self) -> Fix | None:
        """Its position, as long as it is on duty."""
        return None if self.now is None or self.phase is Phase.OFF_DUTY else self.now.fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All vehicles of a region at a moment."""

    at: datetime
    revision: int
    service_date: date
    vehicles: tuple[BoardVehicle, ...]
    alerts: tuple[Alert, ...]
    stop_names: Mapping[str, str]
    vehicle_names: Mapping[str, str]
    account_names: Mapping[str, str]


def board(
    session: Session,
    region_id: str,
    *,
    at: datetime,
    since: int | None = None,
    vehicle_id: VehicleId | None = None,
) -> Board:
    """The board at a moment; with ``since`` only the vehicles that changed after a revision.

    Raises
    ------
    NotFoundError
        ``region.unknown``; ``vehicle.unknown`` for one that the region does not have.
    """
    head = publication_store.region_head(session, region_id)
    on = service_date_of(at, ZoneInfo(head.time_zone))
    revision = live_store.live_revision(session)
    names = regions_known_store.vehicle_names(session, [region_id]).get(region_id, {})
    days = days_on(session, region_id, on)
    found = live_store.vehicles_now(session, region_id, since=since)
    live = {v.vehicle_id: v for v in found if v.service_date == on}
    ids = [VehicleId(i) for i in names]
    ids += [i for i in (*days, *live) if i not in names]
    if vehicle_id is not None:
        if vehicle_id not in ids:
            raise NotFoundError("live.unknown_vehicle", vehicle=str(vehicle_id))
        ids = [vehicle_id]
    elif since is not None:
        ids = [i for i in ids if i in live]
    told: dict[VehicleId, list[StopActual]] = defaultdict(list)
    for actual in live_store.load_actuals(
        session, region_id, from_date=on, until_date=on, vehicle_id=vehicle_id
    ):
        told[actual.vehicle_id].append(actual)
    ends = {
        d.vehicle_id: d
        for d in live_store.load_days(session, region_id, from_date=on, until_date=on)
    }
    vehicles = [
        _vehicle(i, names.get(i, ""), live.get(i), days.get(i), ends.get(i), told[i], region_id, at)
        for i in dict.fromkeys(ids)
    ]
    alerts = alert_store.open_alerts(session, region_id, vehicle_id=vehicle_id)
    by = [a.acknowledged_by for a in alerts if a.acknowledged_by]
    return Board(
        at=at,
        revision=revision,
        service_date=on,
        vehicles=tuple(vehicles),
        alerts=alerts,
        stop_names=_stop_names(session, region_id),
        vehicle_names=dict(names),
        account_names=account_names(session, by),
    )


def end_of(session: Session, region_id: str, on: date) -> datetime:
    """The last second that belongs to a service date.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    head = publication_store.region_head(session, region_id)
    return day_span(on, ZoneInfo(head.time_zone))[1] - timedelta(seconds=1)


def board_names(
    session: Session, region_id: str, alerts: Sequence[Alert], *, at: datetime
) -> Board:
    """A board without vehicles: the names that warnings need.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    head = publication_store.region_head(session, region_id)
    by = [a.acknowledged_by for a in alerts if a.acknowledged_by]
    return Board(
        at=at,
        revision=live_store.live_revision(session),
        service_date=service_date_of(at, ZoneInfo(head.time_zone)),
        vehicles=(),
        alerts=tuple(alerts),
        stop_names=_stop_names(session, region_id),
        vehicle_names=regions_known_store.vehicle_names(session, [region_id]).get(region_id, {}),
        account_names=account_names(session, by),
    )


def _stop_names(session: Session, region_id: str) -> dict[str, str]:
    stops, _ = names_of(session, region_id)
    return {str(stop_id): stop.name for stop_id, stop in stops.items()}


def _vehicle(
    vehicle_id: VehicleId,
    name: str,
    now: VehicleNow | None,
    day: PromisedDay | None,
    ends: DayEnds | None,
    told: Sequence[StopActual],
    region_id: str,
    at: datetime,
) -> BoardVehicle:
    stops = tuple(told)
    known = {actual.key for actual in stops}
    if day is not None and any(str(visit.visit_id) not in known for visit in day.visits):
        # Nothing follows it; what its crew wrote of some stops stands among those by the plan.
        plan = FollowedPlan.of(day)
        planned = DayState(region_id, vehicle_id, day.run.service_date, plan).look(at).actuals
        stops = (*stops, *(actual for actual in planned if actual.key not in known))
    if now is not None:
        phase = now.phase
    else:
        phase = Phase.OFF_DUTY if day is None else scheduled_phase(day.run, at)
    return BoardVehicle(
        vehicle_id=vehicle_id,
        name=name or (day.name if day else str(vehicle_id)),
        now=now,
        phase=phase,
        day=day,
        ends=ends,
        stops=stops,
    )


def scheduled_phase(run: PlannedRun, at: datetime) -> Phase:
    """Where in its day a vehicle would be if it kept its timetable."""
    if not run.stops:
        return Phase.OFF_DUTY
    if at < (run.depart_at or run.stops[0].arrival_at):
        return Phase.NOT_STARTED
    if at > (run.return_at or run.stops[-1].departure_at):
        return Phase.DONE
    for stop in run.stops:
        if stop.arrival_at <= at < stop.departure_at:
            return Phase.WAITING if at < stop.start_at else Phase.STANDING
    return Phase.DRIVING


def planned_line(
    session: Session, region_id: str, vehicle_id: VehicleId, on: date
) -> tuple[PromisedDay, tuple[tuple[tuple[float, float], ...], ...], bool]:
    """A vehicle's promised day with one line a leg, and whether they follow real roads.

    Raises
    ------
    NotFoundError
        ``live.no_run``.
    """
    day = days_on(session, region_id, on).get(vehicle_id)
    if day is None or not day.run.stops:
        raise NotFoundError("live.no_run", vehicle=str(vehicle_id), date=on.isoformat())
    run = day.run
    start = run.depot_places.get(run.start_depot_id or "")
    end = run.depot_places.get(run.end_depot_id or "")
    points = [p for p in (start, *((s.lon, s.lat) for s in run.stops), end) if p is not None]
    straight = tuple(pairwise(points))
    roads = kept_lines(session, region_id, day)
    if roads is None:
        return day, straight, False
    legs = tuple(
        leg if road is None else tuple((p[0], p[1]) for p in road)
        for leg, road in zip(straight, roads, strict=True)
    )
    return day, legs, all(road is not None for road in roads)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverTrack:
    """The track that one tracker told of a day."""

    tracker_id: TrackerId
    track: Track


def day_tracks(
    session: Session, region_id: str, vehicle_id: VehicleId, on: date
) -> tuple[DriverTrack, ...]:
    """A vehicle's tracks of a service date with the verdict of each fix, one for each tracker.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    head = publication_store.region_head(session, region_id)
    span = day_span(on, ZoneInfo(head.time_zone))
    by_tracker: dict[TrackerId, list[Fix]] = {}
    for one in track_store.read_track(session, region_id, vehicle_id, *span):
        by_tracker.setdefault(one.tracker_id, []).append(one.fix)
    return tuple(
        DriverTrack(
            tracker_id=tracker_id, track=Track(vehicle_id=vehicle_id, judged=judge_all(fixes))
        )
        for tracker_id, fixes in by_tracker.items()
    )


def pieces(track: Track) -> tuple[tuple[JudgedFix, ...], ...]:
    """The way driven, cut where nothing was heard for long."""
    found: list[list[JudgedFix]] = []
    for one in track.judged:
        if not one.verdict.is_presence:
            continue
        last = found[-1][-1].fix.fix_at if found else None
        if last is None or (one.fix.fix_at - last).total_seconds() > GAP_S:
            found.append([])
        found[-1].append(one)
    return tuple(tuple(piece) for piece in found)
