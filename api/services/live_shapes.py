"""The board in the shapes of the API."""

from datetime import date, datetime
from urllib.parse import quote

from api.schemas.live import (
    AlertPublic,
    FixPublic,
    LiveBoard,
    RejectedFix,
    StopLive,
    TrackPiece,
    TrackPieceProperties,
    TrackPublic,
    VehicleLive,
)
from api.services.live_view import Board, BoardVehicle, DriverTrack, pieces
from data.model.alert import Alert
from data.model.fleet import VehicleId
from data.model.live import StopActual

MOST_REJECTED = 2000
"""Rejected fixes that are listed one by one; all are counted."""


def shown_board(found: Board) -> LiveBoard:
    """All vehicles."""
    return LiveBoard(
        at=found.at,
        revision=found.revision,
        service_date=found.service_date,
        vehicles=[shown_vehicle(found, vehicle) for vehicle in found.vehicles],
        alerts=[shown_alert(found, alert) for alert in found.alerts],
    )


def shown_vehicle(found: Board, vehicle: BoardVehicle) -> VehicleLive:
    """One vehicle."""
    now, ends, on = vehicle.now, vehicle.ends, found.service_date
    address = f"{quote(str(vehicle.vehicle_id), safe='')}"
    has_run = vehicle.day is not None and bool(vehicle.day.run.stops)
    etas = {} if now is None else {eta.visit_id: eta for eta in now.etas}
    fix = vehicle.fix
    return VehicleLive(
        vehicle_id=str(vehicle.vehicle_id),
        vehicle_name=vehicle.name,
        service_date=on,
        run_id=f"{vehicle.vehicle_id}@{on.isoformat()}" if has_run else None,
        fix=None if fix is None else FixPublic.from_domain(fix),
        received_at=None if now is None else now.received_at,
        age_s=None if fix is None else max(0, round((found.at - fix.fix_at).total_seconds())),
        phase=vehicle.phase,
        is_silent=now is not None and now.is_silent,
        here_visit_id=None if now is None else now.here_visit_id,
        next_visit_id=None if now is None else now.next_visit_id,
        delay_s=None if now is None else now.delay_s,
        departure_at=None if now is None else now.departure_at,
        return_at=None if now is None else now.return_at,
        off_m=None if now is None else now.off_m,
        departed_at=None if ends is None else ends.departed_at,
        returned_at=None if ends is None else ends.returned_at,
        stops=[
            StopLive.of(
                stop,
                stop_name=found.stop_names.get(str(stop.stop_id), ""),
                eta=None if stop.visit_id is None else etas.get(stop.visit_id),
            )
            for stop in sorted(vehicle.stops, key=_order)
        ],
        line_url=f"live/{address}/line?date={on.isoformat()}" if has_run else None,
        track_url=f"tracks/{address}?date={on.isoformat()}",
        revision=0 if now is None else now.revision,
    )


def _order(stop: StopActual) -> tuple[bool, datetime | None, str]:
    at = stop.planned_arrival_at or stop.actual_from_at
    return (at is None, at, stop.key)


def shown_alert(found: Board, alert: Alert) -> AlertPublic:
    """One warning."""
    return AlertPublic.of(
        alert,
        vehicle_name=found.vehicle_names.get(str(alert.vehicle_id), str(alert.vehicle_id)),
        stop_name=found.stop_names.get(str(alert.facts.get("stop_id", "")), ""),
        by=found.account_names.get(alert.acknowledged_by or ""),
    )


def shown_tracks(vehicle_id: VehicleId, on: date, tracks: tuple[DriverTrack, ...]) -> TrackPublic:
    """The ways driven on a date, and what was left out of them."""
    features: list[TrackPiece] = []
    rejected: list[RejectedFix] = []
    counts: dict[str, int] = {}
    length_m = 0.0
    for one in tracks:
        length_m = max(length_m, one.track.length_m)
        for verdict, number in one.track.counts.items():
            counts[verdict.value] = counts.get(verdict.value, 0) + number
        for piece in pieces(one.track):
            line = [[j.fix.lon, j.fix.lat] for j in piece]
            is_line = len(line) > 1
            features.append(
                TrackPiece(
                    geometry={
                        "type": "LineString" if is_line else "Point",
                        "coordinates": line if is_line else line[0],
                    },
                    properties=TrackPieceProperties(
                        tracker_id=one.tracker_id,
                        times=[j.fix.fix_at for j in piece],
                        speeds_mps=[j.fix.speed_mps for j in piece],
                    ),
                )
            )
        rejected += [
            RejectedFix(fix_at=j.fix.fix_at, lon=j.fix.lon, lat=j.fix.lat, reason=j.verdict)
            for j in one.track.judged
            if not j.verdict.is_presence
        ]
    return TrackPublic(
        vehicle_id=str(vehicle_id),
        service_date=on,
        features=features,
        rejected=rejected[:MOST_REJECTED],
        counts=counts,
        length_m=round(length_m),
    )
