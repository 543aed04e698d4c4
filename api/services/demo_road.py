"""The demo's vehicles: recorded past days, and a day that is being driven when the demo opens.

Everything is simulated from a seed and told by trackers that are named so. Where nobody is on the
road at this hour, the demo's clock is put back into its last working day: nothing is stored of a
time to come, and every page tells the demo's time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlmodel import Session

from api.auth import hash_token, new_token
from api.services.duty import day_span, service_date_of
from api.services.promised_days import PromisedDay, promised_days
from api.services.simulating import SimulatedRun, simulate_run
from data.db import day_sheet_store, publication_store, track_store, tracker_store
from data.db.engine import reading, writing
from data.db.track_erase import forget_day
from data.feeds.plan_lines import read_lines
from data.model.day_sheet import DaySheet
from data.model.fleet import VehicleId
from data.model.lines import RunLines
from data.model.telemetry import DeviceId
from data.model.tracker import Protocol, Tracker, TrackerId
from fleet.devices import PROFILES
from fleet.simulate import DriveParams

PAST_DAYS = 14
"""Calendar days before today that have been driven when the demo begins."""
_LEFT = timedelta(minutes=60)
"""A day with less left to drive is over."""
_EARLIEST_RATIO = 0.3
"""How far into its day the clock is put back, at least."""
_AHEAD_S = 6 * 60
"""A vehicle that is shown driving has so much of its way left."""
KINDS = (Protocol.OWNTRACKS, Protocol.OSMAND)
"""How vehicles are told of, in turn: two programs of phones."""
ALMOST = DriveParams(breakdown_ratio=0.03, skip_ratio=0.02, detour_ratio=0.01)
_ODOMETER_KM = 48_200
_WRONG_EVERY = 7
"""Every seventh sheet holds a slip of the pen, for the check to find."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A simulated device: the tracker that it is known as, and its secret."""

    tracker: Tracker
    secret: str

    @property
    def kind(self) -> str:
        return self.tracker.protocol.value


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDay:
    """The day that is driven while the demo runs."""

    on: date
    offset_s: int
    """What the demo's clock is behind (negative) the time it is."""
    runs: tuple[SimulatedRun, ...]
    phones: tuple[Phone, ...]

    def now(self, real: datetime) -> datetime:
        """The demo's time."""
        return real + timedelta(seconds=self.offset_s)


def begin(
    engine: Engine, region_id: str, folder: Path, *, at: datetime, seed: int
) -> DemoDay | None:
    """Make ready the day that the demo shows; ``None`` where no day is published.

    What was told of that day before is forgotten, and what is past of it by the demo's clock is
    stored; the rest is to be sent as it happens.

    Parameters
    ----------
    folder
        Where the files of the demo's plan are, its road lines among them.
    """
    lines = _lines(folder)
    with reading(engine) as session:
        head = publication_store.region_head(session, region_id)
        zone = ZoneInfo(head.time_zone)
        days = _last_days(session, region_id, at, zone)
    if not days:
        return None
    phones = phones_of(engine, region_id, days, at=at)
    runs = tuple(drive(days, phones, lines, seed=seed))
    on = days[0].run.service_date
    now = _moment(runs, at, is_today=on == service_date_of(at, zone))
    with writing(engine) as session:
        forget_day(session, region_id, on, *day_span(on, zone))
        for run, phone in zip(runs, phones, strict=True):
            _reopen_sheet(session, region_id, phone.tracker.vehicle_id, on, at=now)
            told = [f for f in run.fixes if f.received_at is not None and f.received_at <= now]
            track_store.add_fixes(session, phone.tracker, told, at=now)
    offset_s = round((now - at).total_seconds())
    return DemoDay(on=on, offset_s=offset_s, runs=runs, phones=phones)


def _reopen_sheet(
    session: Session, region_id: str, vehicle_id: VehicleId | None, on: date, *, at: datetime
) -> None:
    """Take back what a crew can only write down in the evening."""
    sheet = vehicle_id and day_sheet_store.get_sheet(session, region_id, vehicle_id, on)
    if sheet:
        open_again = replace(sheet, odometer_in_km=None, in_s=None, fuel=None)
        day_sheet_store.put_sheet(session, open_again, expect_revision=None, by=None, at=at)


def _last_days(
    session: Session, region_id: str, at: datetime, zone: ZoneInfo
) -> tuple[PromisedDay, ...]:
    """The runs of today as long as they go on or are over, else of the last day that had any."""
    today = service_date_of(at, zone)
    for back in range(PAST_DAYS + 1):
        on = today - timedelta(days=back)
        days = [d for d in promised_days(session, region_id, on) if _can_drive(d)]
        begins = min((d.run.depart_at for d in days if d.run.depart_at), default=None)
        if begins is not None and begins <= at:
            return tuple(days)
    return ()


def _can_drive(day: PromisedDay) -> bool:
    run = day.run
    return bool(run.stops) and None not in (run.depart_at, run.start_depot_id, run.end_depot_id)


def _moment(runs: Sequence[SimulatedRun], at: datetime, *, is_today: bool) -> datetime:
    """Now, if a vehicle is on the road and stays so; else when one was well on its way."""
    first = min(r.day.began_at for r in runs)
    last = max(r.day.at(len(r.day.lon)) for r in runs)
    if is_today and at <= last - _LEFT:
        return at
    from_at = first + (last - first) * _EARLIEST_RATIO
    return min(
        (m for r in runs if (m := _well_on_its_way(r, from_at)) is not None), default=from_at
    )


def _well_on_its_way(run: SimulatedRun, from_at: datetime) -> datetime | None:
    """The first whole minute from an instant on at which the vehicle drives on for some time."""
    moving = run.day.speed_mps > 0
    begin_s = max(0, int((from_at - run.day.began_at).total_seconds()))
    for second in range(begin_s, len(moving) - _AHEAD_S, 60):
        if moving[second : second + _AHEAD_S : 60].all():
            return run.day.at(second)
    return None


def drive(
    days: Sequence[PromisedDay], phones: Sequence[Phone], lines: RunLines | None, *, seed: int
) -> Iterator[SimulatedRun]:
    """The days as they truly went, told by their devices."""
    for day, phone in zip(days, phones, strict=True):
        yield simulate_run(
            day.request,
            day.run,
            DeviceId(phone.tracker.external_id),
            seed=seed,
            drive=ALMOST,
            device=PROFILES[phone.kind],
            lines=lines if day.is_as_planned else None,
        )


def phones_of(
    engine: Engine, region_id: str, days: Sequence[PromisedDay], *, at: datetime
) -> tuple[Phone, ...]:
    """The device of each vehicle, made where it is not there, with a secret for this time."""
    phones = []
    with writing(engine) as session:
        for day in days:
            vehicle_id = day.vehicle_id
            place = _place(day)
            protocol = KINDS[place % len(KINDS)]
            name = DeviceId(
                f"demo/{vehicle_id}" if protocol is Protocol.OWNTRACKS else f"demo-{vehicle_id}"
            )
            secret = new_token()
            known = tracker_store.tracker_of(session, protocol, name)
            if known is None:
                tracker = Tracker(
                    tracker_id=TrackerId(new_token()[:32]),
                    region_id=region_id,
                    vehicle_id=vehicle_id,
                    protocol=protocol,
                    external_id=name,
                    name=f"{day.name}: demo",
                    created_at=at,
                )
                tracker = tracker_store.add_tracker(session, tracker, hash_token(secret))
            else:
                tracker = tracker_store.set_secret(session, known[0].tracker_id, hash_token(secret))
            phones.append(Phone(tracker=tracker, secret=secret))
    return tuple(phones)


def _place(day: PromisedDay) -> int:
    ids = [v.vehicle_id for v in day.request.vehicles]
    return ids.index(day.vehicle_id) if day.vehicle_id in ids else 0


def record_past(engine: Engine, region_id: str, folder: Path, *, at: datetime, seed: int) -> int:
    """Drive the days of the past weeks and keep what they told; how many vehicle-days.

    The crews have written down their odometers, now and then with a slip.
    """
    lines = _lines(folder)
    with reading(engine) as session:
        head = publication_store.region_head(session, region_id)
        today = service_date_of(at, ZoneInfo(head.time_zone))
        dates = [today - timedelta(days=back) for back in range(PAST_DAYS, 0, -1)]
        days = [d for on in dates for d in promised_days(session, region_id, on) if _can_drive(d)]
    odometers: dict[VehicleId, float] = {}
    for number, day in enumerate(days):
        (phone,) = phones_of(engine, region_id, [day], at=at)
        (run,) = drive([day], [phone], lines, seed=seed)
        with writing(engine) as session:
            track_store.add_fixes(
                session, phone.tracker, run.fixes, at=run.day.at(len(run.day.lon))
            )
            out_km = odometers.get(day.vehicle_id, _ODOMETER_KM + 9_310.0 * _place(day))
            in_km = out_km + round(run.day.driven_m / 1000)
            odometers[day.vehicle_id] = in_km
            slip_km = 20 if number % _WRONG_EVERY == _WRONG_EVERY - 1 else 0
            sheet = _sheet(region_id, day, out_km, in_km + slip_km, run)
            day_sheet_store.put_sheet(session, sheet, expect_revision=None, by=None, at=at)
    return len(days)


def _sheet(
    region_id: str, day: PromisedDay, out_km: float, in_km: float, run: SimulatedRun
) -> DaySheet:
    vehicle = day.vehicle
    per_100km = vehicle.fuel_per_100km if vehicle else None
    fuel = None if per_100km is None else round(per_100km * (in_km - out_km) / 100, 1)
    return DaySheet(
        region_id=region_id,
        vehicle_id=day.vehicle_id,
        service_date=day.run.service_date,
        number=f"{day.run.service_date:%m%d}",
        odometer_out_km=out_km,
        odometer_in_km=in_km,
        out_s=round(day.run.clock_s(run.day.began_at)),
        in_s=round(day.run.clock_s(run.day.at(len(run.day.lon)))),
        fuel=fuel,
    )


def _lines(folder: Path) -> RunLines | None:
    """The roads of the demo's plan, where its files are still there."""
    file = folder / "plan.geojson"
    return read_lines(file) if file.is_file() else None
