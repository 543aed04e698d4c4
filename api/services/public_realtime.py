"""A region's vehicles as GTFS Realtime, by the same words and guards as the pages.

Delays and places are told of runs that GPS tells of; the place is that of ``public_position``.
Cancelled visits are no longer in the feed, so that they are told as alerts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from api.services.public_now import NowViews
from api.services.public_pages import PublicPages
from api.services.public_views import notice_text
from api.words import LANGUAGES, Words
from data.feeds.gtfs import first_date, runs_of, sequence_of, trip_id_of
from data.feeds.gtfs_rt import (
    Effect,
    RunDelay,
    RunName,
    RunPlace,
    StopMoment,
    Told,
    alerts,
    trip_updates,
    vehicle_positions,
)
from data.model.cancellation import RESTORED, Notice
from data.model.live import ActualState, LiveEta, Phase, StopActual, VehicleNow
from data.model.publication import PromisedVisit
from data.model.service_time import instant_of

_EFFECTS = {
    "notice.cancelled": Effect.NO_SERVICE,
    "notice.moved": Effect.MODIFIED_SERVICE,
    "notice.make_up": Effect.ADDITIONAL_SERVICE,
    RESTORED: Effect.NO_EFFECT,
}
_CAUSES = {
    "weather": "WEATHER",
    "breakdown": "TECHNICAL_PROBLEM",
    "illness": "OTHER_CAUSE",
    "road": "CONSTRUCTION",
    "holiday": "HOLIDAY",
}
_HELD = frozenset({ActualState.KEPT, ActualState.EARLY, ActualState.LATE})


@dataclass(frozen=True)
class Realtime:
    """The three messages of a region at a moment."""

    pages: PublicPages
    views: NowViews
    at: datetime

    @cached_property
    def _runs(self) -> dict[str, tuple[PromisedVisit, ...]]:
        """The runs that the feed has."""
        return runs_of(self.pages.timetable.visits, first_date(self.pages.now[0]))

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.pages.timetable.time_zone)

    def trip_updates(self) -> bytes:
        """When the doors open at each stop of the runs under way."""
        delays = [
            RunDelay(
                run=self._name(run),
                at=seen.at if seen.fix is None else seen.fix.fix_at,
                stops=tuple(self._moment(v, seen) for v in run),
            )
            for run, seen in self._under_way()
        ]
        return trip_updates(delays, at=self.at)

    def vehicle_positions(self) -> bytes:
        """Vehicles on their way, snapped; none off duty."""
        return vehicle_positions(self._places(), at=self.at)

    def alerts(self) -> bytes:
        """The notices that readers are shown."""
        timetable, today = self.pages.timetable, self.pages.now[0]
        known = {v.stop_id for run in self._runs.values() for v in run}
        shown = [
            n for n in timetable.notices if n.stop_id in timetable.stop_of and n.is_shown(today)
        ]
        return alerts((self._told(n, has_stop=n.stop_id in known) for n in shown), at=self.at)

    def _under_way(self) -> Iterator[tuple[Sequence[PromisedVisit], VehicleNow]]:
        for visits in self.views.todays_runs():
            run = self._runs.get(trip_id_of(visits[0]))
            seen = self.views.seen(visits[0].vehicle_id)
            if run is not None and seen is not None and seen.phase is not Phase.NOT_STARTED:
                yield run, seen

    def _places(self) -> Iterator[RunPlace]:
        for run, seen in self._under_way():
            found = self.views.position(run[0].vehicle_id)
            visit = None if found is None else next(
                (v for v in run if v.visit_id == found.visit_id), None
            )  # fmt: skip
            if found is not None and visit is not None and seen.fix is not None:
                yield RunPlace(
                    run=self._name(run),
                    at=seen.fix.fix_at,
                    lon=found.lon,
                    lat=found.lat,
                    stop_id=str(visit.stop_id),
                    sequence=sequence_of(visit),
                    is_there=found.is_there,
                )

    def _name(self, run: Sequence[PromisedVisit]) -> RunName:
        first = run[0]
        names = self.pages.timetable.vehicles
        return RunName(
            trip_id=trip_id_of(first),
            route_id=str(first.vehicle_id),
            start_date=first.service_date,
            vehicle_label=names.get(first.vehicle_id, str(first.vehicle_id)),
        )

    def _moment(self, visit: PromisedVisit, seen: VehicleNow) -> StopMoment:
        stop_id, sequence = str(visit.stop_id), sequence_of(visit)
        opens_at = instant_of(visit.service_date, visit.start_s, self._zone)
        closes_at = instant_of(visit.service_date, visit.end_s, self._zone)
        actual = self.views.actual(visit)
        if actual is not None and actual.state is ActualState.SKIPPED:
            return StopMoment(stop_id=stop_id, sequence=sequence, is_skipped=True)
        held = _held(actual, is_here=visit.visit_id == seen.here_visit_id)
        if held is not None:
            opened_at = max(opens_at, held.actual_from_at or opens_at)
            return StopMoment(
                stop_id=stop_id,
                sequence=sequence,
                opens_at=opened_at,
                closes_at=held.actual_until_at or max(closes_at, seen.departure_at or closes_at),
                delay_s=round((opened_at - opens_at).total_seconds()),
            )
        eta = next((e for e in seen.etas if e.visit_id == visit.visit_id and e.is_measured), None)
        if eta is None:
            return StopMoment(stop_id=stop_id, sequence=sequence)
        return _expected(stop_id, sequence, eta)

    def _told(self, notice: Notice, *, has_stop: bool) -> Told:
        timetable = self.pages.timetable
        with_next = notice.visit_id not in timetable.make_up_of
        stop = timetable.stop_of[notice.stop_id]
        texts = {
            code: f"{stop.name}: {notice_text(notice, Words(code), with_next=with_next)}"
            for code in LANGUAGES
        }
        address = self.pages.links.absolute(self.pages.links.stop(notice.stop_id))
        until = notice.shown_until_date + timedelta(days=1)
        return Told(
            alert_id=notice.notice_id,
            texts=texts,
            effect=_EFFECTS.get(notice.code, Effect.OTHER_EFFECT),
            cause=_CAUSES.get(str(notice.facts.get("reason", "")), "UNKNOWN_CAUSE"),
            from_at=instant_of(notice.shown_from_date, 0, self._zone),
            until_at=instant_of(until, 0, self._zone),
            stop_ids=(str(notice.stop_id),) if has_stop else (),
            agency_id=timetable.region_id,
            urls={} if not address.startswith("http") else dict.fromkeys(LANGUAGES, address),
        )


def _held(actual: StopActual | None, *, is_here: bool) -> StopActual | None:
    """What is known of a visit that is over or goes on."""
    if actual is None or actual.actual_from_at is None:
        return None
    return actual if is_here or actual.state in _HELD else None


def _expected(stop_id: str, sequence: int, eta: LiveEta) -> StopMoment:
    return StopMoment(
        stop_id=stop_id,
        sequence=sequence,
        opens_at=eta.opening_at,
        closes_at=eta.departure_at,
        delay_s=eta.delay_s,
        uncertainty_s=round((eta.high_at - eta.low_at).total_seconds() / 2),
    )
