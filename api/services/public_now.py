"""Where the bookmobile is now, as residents are told: by GPS, else by the timetable.

Between which stops a vehicle is, when it comes to each, and the point of its way where it is by
now: never the position itself (``public_position``). A position is believed while it is fresh;
afterwards the timetable speaks, and the page says so.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.services.public_position import Snapped, Way, snapped, ways_of
from api.services.public_views import PublicViews
from api.services.public_way import WayDrawing, drawn
from data.db import live_store
from data.model.calendar import DAY_S
from data.model.fleet import VehicleId
from data.model.live import ActualState, LiveEta, Phase, StopActual, VehicleNow
from data.model.place import StopId
from data.model.publication import PromisedVisit, VisitId, VisitState

FRESH = timedelta(minutes=15)
"""A position older than that no longer tells where a vehicle is."""
ON_TIME_S = 120
"""A later opening than this is told as a delay."""
_OVER = frozenset({ActualState.KEPT, ActualState.EARLY, ActualState.LATE})


class Place(StrEnum):
    """Where a stop lies in a vehicle's day."""

    PASSED = "passed"
    SKIPPED = "skipped"
    HERE = "here"
    NEXT = "next"
    TO_COME = "to_come"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopNow:
    """One stop of a vehicle's day in words."""

    stop_id: StopId
    visit_id: str
    name: str
    link: str
    time: str
    """As printed: ``10:00–11:30``."""
    place: Place
    told: str
    """What is expected or what was: ``about 10:12, between 10:08 and 10:20``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NowView:
    """A vehicle at this moment in words."""

    vehicle_id: VehicleId
    vehicle: str
    link: str
    doing: str
    is_measured: bool
    age: str
    """How old the position is; empty where none is used."""
    stops: tuple[StopNow, ...]
    way: WayDrawing | None
    """Its way as a drawing."""
    on_way: str
    """Between which stops it drives, in words; empty where it does not or that is not told."""
    at: str
    """Clock time of what is told."""
    iso_at: str

    def stop(self, visit_id: str) -> StopNow | None:
        """One stop of the day."""
        return next((s for s in self.stops if s.visit_id == visit_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitNow:
    """A visit of today for whoever waits at its stop."""

    now: NowView
    headline: str
    detail: str
    num_before: int
    """Stops that the vehicle still holds before this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTheRoad:
    """What is known of a region's vehicles now."""

    vehicles: Mapping[VehicleId, VehicleNow]
    actuals: Mapping[str, StopActual]
    """By the lasting id of the visit."""
    at: datetime
    ways: Mapping[VehicleId, Way] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        vehicles: Sequence[VehicleNow],
        actuals: Sequence[StopActual],
        at: datetime,
        ways: Mapping[VehicleId, Way] | None = None,
    ) -> "OnTheRoad":
        """The same by vehicle and visit."""
        return cls(
            vehicles={v.vehicle_id: v for v in vehicles},
            actuals={str(a.visit_id): a for a in actuals if a.visit_id is not None},
            at=at,
            ways=ways or {},
        )


def read_road(
    session: Session,
    region_id: str,
    *,
    at: datetime,
    today: date,
    public: Collection[StopId] = (),
) -> OnTheRoad:
    """What is known of a region's vehicles at a moment.

    Parameters
    ----------
    public
        Stops between which their ways are told; without any no way is.
    """
    return OnTheRoad.of(
        live_store.vehicles_now(session, region_id),
        live_store.load_actuals(
            session, region_id, from_date=today - timedelta(days=1), until_date=today
        ),
        at,
        ways_of(session, region_id, today, public) if public else None,
    )


class NowViews:
    """Makes the words of one region's vehicles at one moment."""

    def __init__(self, views: PublicViews, road: OnTheRoad) -> None:
        self._views = views
        self._words = views.words
        self._road = road
        self._zone = ZoneInfo(views.timetable.time_zone)

    def vehicles(self) -> tuple[NowView, ...]:
        """The vehicles that have visits today, in order of their names."""
        ids = {v.vehicle_id for v in self._today}
        names = self._views.timetable.vehicles
        found = (self.vehicle(i) for i in sorted(ids, key=lambda i: (names.get(i, i), i)))
        return tuple(v for v in found if v is not None)

    def vehicle(self, vehicle_id: VehicleId) -> NowView | None:
        """One vehicle; ``None`` where it has no visits today."""
        visits = [v for v in self._today if v.vehicle_id == vehicle_id]
        if not any(v.is_told and v.state is not VisitState.CANCELLED for v in visits):
            return None
        seen = self._seen(vehicle_id, visits[0].service_date)
        stops = tuple(self._stop(v, seen) for v in visits)
        stops = _with_next(stops, None if seen is None else seen.next_visit_id)
        on_way = self.position(vehicle_id)
        return NowView(
            vehicle_id=vehicle_id,
            vehicle=self._views.timetable.vehicles.get(vehicle_id, vehicle_id),
            link=self._views.links.vehicle(vehicle_id),
            doing=self._doing(seen, stops),
            is_measured=seen is not None,
            age="" if seen is None else self._age(seen),
            stops=stops,
            way=self._drawing(vehicle_id, stops, on_way),
            on_way=self._on_way(stops, on_way),
            at=self._clock(self._road.at),
            iso_at=self._road.at.astimezone(UTC).isoformat(timespec="seconds"),
        )

    def todays_runs(self) -> Iterator[list[PromisedVisit]]:
        """The visits of each vehicle that has some today."""
        by_vehicle: dict[VehicleId, list[PromisedVisit]] = {}
        for visit in self._today:
            by_vehicle.setdefault(visit.vehicle_id, []).append(visit)
        yield from by_vehicle.values()

    def seen(self, vehicle_id: VehicleId) -> VehicleNow | None:
        """What GPS says of a vehicle today; ``None`` where that is nothing, or too old."""
        visit = next((v for v in self._today if v.vehicle_id == vehicle_id), None)
        return None if visit is None else self._seen(vehicle_id, visit.service_date)

    def actual(self, visit: PromisedVisit) -> StopActual | None:
        """What became of a visit, as far as it is known."""
        return self._road.actuals.get(visit.visit_id)

    def position(self, vehicle_id: VehicleId) -> Snapped | None:
        """Where on its way a vehicle is, as everybody may see it."""
        visits = [v for v in self._today if v.vehicle_id == vehicle_id]
        if not visits:
            return None
        seen = self._seen(vehicle_id, visits[0].service_date)
        return snapped(seen, self._road.ways.get(vehicle_id))

    def _drawing(
        self, vehicle_id: VehicleId, stops: Sequence[StopNow], at: Snapped | None
    ) -> WayDrawing | None:
        way = self._road.ways.get(vehicle_id)
        if way is None:
            return None
        told = {
            VisitId(s.visit_id): (str(s.place), s.name)
            for s in stops
            if s.place is not Place.CANCELLED
        }
        return drawn(way, at, told)

    def _on_way(self, stops: Sequence[StopNow], at: Snapped | None) -> str:
        words = self._words
        here = next((k for k, s in enumerate(stops) if at and s.visit_id == at.visit_id), None)
        if at is None or here is None or at.is_there:
            return ""
        before = next(
            (s for s in reversed(stops[:here]) if s.place in (Place.PASSED, Place.SKIPPED)), None
        )
        facts = {"stop": stops[here].name, "km": words.number(max(0.1, at.left_m / 1000), 1)}
        if before is None:
            return words("now.way.to", **facts)
        return words("now.way.between", before=before.name, **facts)

    def visit(self, stop_id: StopId) -> VisitNow | None:
        """The visit of today that a stop waits for, or that goes on; ``None`` without one."""
        for visit in self._today:
            if visit.stop_id != stop_id or not visit.is_coming:
                continue
            view = self.vehicle(visit.vehicle_id)
            here = None if view is None else view.stop(visit.visit_id)
            if view is None or here is None or here.place is Place.PASSED:
                continue
            if here.place is Place.SKIPPED and self._is_over(visit):
                continue
            return self._waited_for(visit, view, here)
        return None

    def _waited_for(self, visit: PromisedVisit, view: NowView, here: StopNow) -> VisitNow:
        words = self._words
        before = view.stops[: view.stops.index(here)]
        num_before = sum(s.place in (Place.NEXT, Place.TO_COME, Place.HERE) for s in before)
        eta = self._eta(visit) if view.is_measured else None
        opens = words.clock(visit.opens_s)
        if here.place is Place.HERE:
            closes = words.clock(visit.closes_s % DAY_S)
            code = "now.here" if view.is_measured else "now.here.planned"
            if self._is_over(visit):
                code = "now.here.longer"
            headline, detail = words(code, time=closes), ""
        elif eta is not None:
            late = eta.delay_s > ON_TIME_S
            headline = words(
                "now.late" if late else "now.on_time", time=self._clock(eta.opening_at), plan=opens
            )
            detail = words("now.arrives", **self._range(eta))
        else:
            headline, detail = words("now.planned", time=opens), ""
        return VisitNow(now=view, headline=headline, detail=detail, num_before=num_before)

    @cached_property
    def _today(self) -> Sequence[PromisedVisit]:
        """The visits of today's service date, or of yesterday's while it is not over, in order."""
        today, by_date = self._views.today, self._views.timetable.visits_on
        before = [v for v in by_date.get(today - timedelta(days=1), ()) if v.is_told]
        if any(not self._is_over(v) for v in before):
            return before
        return [v for v in by_date.get(today, ()) if v.is_told]

    def _is_over(self, visit: PromisedVisit) -> bool:
        return visit.ends <= self._views.now

    def _seen(self, vehicle_id: VehicleId, on: date) -> VehicleNow | None:
        """What GPS says of a vehicle; ``None`` where that is nothing, or too old."""
        found = self._road.vehicles.get(vehicle_id)
        if found is None or found.fix is None or found.service_date != on:
            return None
        if found.phase in (Phase.OFF_DUTY, Phase.DONE):
            return found if found.phase is Phase.DONE else None
        is_fresh = self._road.at - found.fix.fix_at <= FRESH
        stands = found.phase in (Phase.STANDING, Phase.WAITING)
        # A parked phone falls silent; it is still where it stood.
        return found if is_fresh or (stands and not found.is_silent) else None

    def _stop(self, visit: PromisedVisit, seen: VehicleNow | None) -> StopNow:
        words = self._words
        place, told = self._place(visit, seen)
        known = self._views.timetable.stop_of
        return StopNow(
            stop_id=visit.stop_id,
            visit_id=str(visit.visit_id),
            name=known[visit.stop_id].name,
            link=self._views.links.stop(visit.stop_id),
            time=f"{words.clock(visit.opens_s)}–{words.clock(visit.closes_s)}",
            place=place,
            told=told,
        )

    def _place(self, visit: PromisedVisit, seen: VehicleNow | None) -> tuple[Place, str]:
        words = self._words
        if visit.state is VisitState.CANCELLED:
            return Place.CANCELLED, words("now.stop.cancelled")
        actual = self._road.actuals.get(visit.visit_id)
        if actual is not None and actual.state in _OVER and actual.actual_from_at is not None:
            until_at = actual.actual_until_at or actual.actual_from_at
            span = f"{self._clock(actual.actual_from_at)}–{self._clock(until_at)}"
            return Place.PASSED, words("now.stop.was", time=span)
        if seen is None:
            return self._by_timetable(visit)
        if visit.visit_id == seen.here_visit_id:
            return Place.HERE, words("now.stop.here")
        if actual is not None and actual.state is ActualState.SKIPPED:
            return Place.SKIPPED, words("now.stop.skipped")
        eta = self._eta(visit)
        told = "" if eta is None else words("now.stop.expected", **self._range(eta))
        return Place.TO_COME, told

    def _by_timetable(self, visit: PromisedVisit) -> tuple[Place, str]:
        if self._is_over(visit):
            return Place.PASSED, ""
        return (Place.HERE, "") if visit.begins <= self._views.now else (Place.TO_COME, "")

    def _eta(self, visit: PromisedVisit) -> LiveEta | None:
        seen = self._seen(visit.vehicle_id, visit.service_date)
        etas = () if seen is None else seen.etas
        found = next((e for e in etas if e.visit_id == visit.visit_id), None)
        return found if found is not None and found.is_measured else None

    def _doing(self, seen: VehicleNow | None, stops: Sequence[StopNow]) -> str:
        words = self._words
        here = next((s for s in stops if s.place is Place.HERE), None)
        coming = next((s for s in stops if s.place in (Place.NEXT, Place.TO_COME)), None)
        suffix = "" if seen is not None else ".planned"
        if seen is not None and seen.phase is Phase.DONE:
            return words("now.doing.done")
        if here is not None:
            return words(f"now.doing.here{suffix}", stop=here.name, time=here.time)
        if coming is None:
            return words("now.doing.done")
        has_begun = any(s.place is Place.PASSED for s in stops)
        waits = seen.phase is Phase.NOT_STARTED if seen is not None else not has_begun
        code = f"now.doing.{'waits' if waits else 'drives'}{suffix}"
        return words(code, stop=coming.name, time=coming.time)

    def _range(self, eta: LiveEta) -> dict[str, str]:
        return {
            "time": self._clock(eta.arrival_at),
            "low": self._clock(eta.low_at),
            "high": self._clock(eta.high_at),
        }

    def _age(self, seen: VehicleNow) -> str:
        if seen.fix is None:
            return ""
        minutes = int(max(timedelta(), self._road.at - seen.fix.fix_at).total_seconds() // 60)
        return (
            self._words.count("now.minutes_ago", minutes) if minutes else self._words("now.fresh")
        )

    def _clock(self, at: datetime) -> str:
        return at.astimezone(self._zone).strftime("%H:%M")


def _with_next(stops: tuple[StopNow, ...], next_id: str | None) -> tuple[StopNow, ...]:
    """The stops with the one marked that the vehicle drives to: the first to come."""
    coming = [s for s in stops if s.place is Place.TO_COME]
    if not coming or any(s.place is Place.HERE for s in stops):
        return stops
    wanted = next((s for s in coming if s.visit_id == next_id), coming[0])
    return tuple(replace(s, place=Place.NEXT) if s is wanted else s for s in stops)
