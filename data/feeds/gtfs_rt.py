"""What is happening on the road as GTFS Realtime: delays, vehicles on their way, notices.

Ids are those of the GTFS feed (``data.feeds.gtfs``); a thing that the feed does not have is not
named. Positions are handed in as the public may see them.

References
----------
GTFS Realtime reference 2.0, google/transit @2dd229b.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from google.transit import gtfs_realtime_pb2 as rt

VERSION = "2.0"


class Effect(StrEnum):
    """What a notice does to readers."""

    NO_SERVICE = "NO_SERVICE"
    MODIFIED_SERVICE = "MODIFIED_SERVICE"
    ADDITIONAL_SERVICE = "ADDITIONAL_SERVICE"
    OTHER_EFFECT = "OTHER_EFFECT"
    NO_EFFECT = "NO_EFFECT"
    """What was told before no longer holds: the visit takes place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunName:
    """A trip of the feed and the vehicle that drives it."""

    trip_id: str
    route_id: str
    start_date: date
    vehicle_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopMoment:
    """Opening and closing of one visit, expected or past; ``None`` where nothing is known."""

    stop_id: str
    sequence: int
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    delay_s: int = 0
    uncertainty_s: int | None = None
    """Half of what holds the arrival with 80 %; ``None``: it has happened."""
    is_skipped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDelay:
    """A run with its visits in order."""

    run: RunName
    at: datetime
    stops: tuple[StopMoment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlace:
    """A vehicle on its way, as the public may see it."""

    run: RunName
    at: datetime
    lon: float
    lat: float
    stop_id: str
    sequence: int
    is_there: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notice to readers of a stop; ``texts`` by language."""

    alert_id: str
    texts: Mapping[str, str]
    effect: Effect
    cause: str
    """A name of GTFS Realtime's causes."""
    from_at: datetime
    until_at: datetime
    stop_ids: tuple[str, ...] = ()
    agency_id: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)


def trip_updates(delays: Iterable[RunDelay], *, at: datetime) -> bytes:
    """A message of runs under way: when the doors open and close at each stop."""
    message = _message(at)
    for delay in delays:
        entity = message.entity.add(id=delay.run.trip_id)
        update = entity.trip_update
        _name(update, delay.run)
        update.timestamp = _seconds(delay.at)
        for stop in delay.stops:
            _stop(update.stop_time_update.add(), stop)
    return _bytes(message)


def vehicle_positions(places: Iterable[RunPlace], *, at: datetime) -> bytes:
    """A message of vehicles on their way."""
    message = _message(at)
    for place in places:
        vehicle = message.entity.add(id=place.run.trip_id).vehicle
        _name(vehicle, place.run)
        vehicle.position.longitude, vehicle.position.latitude = place.lon, place.lat
        vehicle.current_stop_sequence, vehicle.stop_id = place.sequence, place.stop_id
        status = rt.VehiclePosition.VehicleStopStatus
        vehicle.current_status = status.STOPPED_AT if place.is_there else status.IN_TRANSIT_TO
        vehicle.timestamp = _seconds(place.at)
    return _bytes(message)


def alerts(notices: Iterable[Told], *, at: datetime) -> bytes:
    """A message of what readers are told besides the timetable."""
    message = _message(at)
    for told in notices:
        alert = message.entity.add(id=told.alert_id).alert
        alert.active_period.add(start=_seconds(told.from_at), end=_seconds(told.until_at))
        alert.cause = rt.Alert.Cause.Value(told.cause)
        alert.effect = rt.Alert.Effect.Value(told.effect.value)
        for stop_id in told.stop_ids:
            alert.informed_entity.add(stop_id=stop_id)
        if not told.stop_ids:
            alert.informed_entity.add(agency_id=told.agency_id)
        for language, text in told.texts.items():
            alert.header_text.translation.add(text=text, language=language)
        for language, url in told.urls.items():
            alert.url.translation.add(text=url, language=language)
    return _bytes(message)


def _message(at: datetime) -> rt.FeedMessage:
    message = rt.FeedMessage()
    message.header.gtfs_realtime_version = VERSION
    message.header.incrementality = rt.FeedHeader.FULL_DATASET
    message.header.timestamp = _seconds(at)
    return message


def _name(target: rt.TripUpdate | rt.VehiclePosition, run: RunName) -> None:
    target.trip.trip_id, target.trip.route_id = run.trip_id, run.route_id
    target.trip.start_date = run.start_date.strftime("%Y%m%d")
    target.trip.schedule_relationship = rt.TripDescriptor.SCHEDULED
    target.vehicle.id, target.vehicle.label = run.route_id, run.vehicle_label


def _stop(update: rt.TripUpdate.StopTimeUpdate, stop: StopMoment) -> None:
    update.stop_sequence, update.stop_id = stop.sequence, stop.stop_id
    relation = rt.TripUpdate.StopTimeUpdate.ScheduleRelationship
    if stop.is_skipped:
        update.schedule_relationship = relation.SKIPPED
        return
    if stop.opens_at is None or stop.closes_at is None:
        update.schedule_relationship = relation.NO_DATA
        return
    update.schedule_relationship = relation.SCHEDULED
    update.arrival.time, update.arrival.delay = _seconds(stop.opens_at), stop.delay_s
    update.departure.time = _seconds(max(stop.opens_at, stop.closes_at))
    update.arrival.uncertainty = stop.uncertainty_s or 0


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _bytes(message: rt.FeedMessage) -> bytes:
    text: bytes = message.SerializeToString(deterministic=True)
    return text
