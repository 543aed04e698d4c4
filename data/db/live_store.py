"""The live state of vehicles, what became of stop visits, and who may write it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, or_, select, update

from data.db import visit_record_store
from data.db.tables.tracking import DayEndsRow, FollowerRow, StopActualRow, VehicleNowRow
from data.db.track_store import FOLLOWER
from data.model.fleet import VehicleId
from data.model.live import (
    ActualSource,
    ActualState,
    DayEnds,
    LiveEta,
    Phase,
    StopActual,
    VehicleNow,
)
from data.model.place import StopId
from data.model.publication import VisitId
from data.model.telemetry import DeviceId
from data.model.track_bytes import FixKey, key_of, pack_fix, settled, unpack_fix

_NOW: Table = VehicleNowRow.__table__  # type: ignore[attr-defined]
_ENDS: Table = DayEndsRow.__table__  # type: ignore[attr-defined]
_ACTUAL_COLUMNS: Any = [getattr(StopActualRow, n) for n in StopActual.__dataclass_fields__]
"""Read as plain rows: a board shows thousands."""
_IN_ONE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to follow the vehicles for some seconds."""

    followed: int
    """Everything up to this arrival has been followed."""
    revision: int


def take_lease(session: Session, owner: str, *, at: datetime, lasts: timedelta) -> Lease | None:
    """Become or stay the only one who follows; ``None`` while somebody else does."""
    row = session.get(FollowerRow, FOLLOWER)
    if row is None:
        row = FollowerRow(follower_no=FOLLOWER)
        session.add(row)
        session.flush()
    taken = session.exec(
        update(FollowerRow)
        .where(
            col(FollowerRow.follower_no) == FOLLOWER,
            or_(
                col(FollowerRow.owner).is_(None),
                col(FollowerRow.owner) == owner,
                col(FollowerRow.owned_until_at) < at,
                # A clock that was put forward and back again left it.
                col(FollowerRow.owned_until_at) > at + 3 * lasts,
            ),
        )
        .values(owner=owner, owned_until_at=at + lasts)
        .execution_options(synchronize_session=False)
    ).rowcount
    session.refresh(row)
    return Lease(followed=row.followed, revision=row.revision) if taken else None


def give_up_lease(session: Session, owner: str) -> None:
    """Let somebody else follow at once."""
    session.exec(
        update(FollowerRow)
        .where(col(FollowerRow.follower_no) == FOLLOWER, col(FollowerRow.owner) == owner)
        .values(owner=None, owned_until_at=None)
    )


def advance_to(session: Session, owner: str, *, followed: int, revision: int) -> bool:
    """Note how far has been followed; false where the lease is somebody else's by now."""
    done = session.exec(
        update(FollowerRow)
        .where(col(FollowerRow.follower_no) == FOLLOWER, col(FollowerRow.owner) == owner)
        .values(followed=followed, revision=revision)
        .execution_options(synchronize_session=False)
    )
    return done.rowcount == 1


def followed_to(session: Session) -> int:
    """The arrival up to which everything has been followed."""
    asked = select(FollowerRow.followed).where(FollowerRow.follower_no == FOLLOWER)
    return session.exec(asked).one_or_none() or 0


def live_revision(session: Session) -> int:
    """The revision of the live state as a whole."""
    asked = select(FollowerRow.revision).where(FollowerRow.follower_no == FOLLOWER)
    return session.exec(asked).one_or_none() or 0


def vehicles_now(
    session: Session, region_id: str, *, since: int | None = None
) -> tuple[VehicleNow, ...]:
    """Vehicles of a region as they are, by id; with ``since`` those changed after a revision."""
    asked = select(VehicleNowRow).where(VehicleNowRow.region_id == region_id)
    if since is not None:
        asked = asked.where(col(VehicleNowRow.revision) > since)
    asked = asked.order_by(col(VehicleNowRow.vehicle_id))
    return tuple(_now(row) for row in session.exec(asked))


def vehicle_now(session: Session, region_id: str, vehicle_id: VehicleId) -> VehicleNow | None:
    """A vehicle as it is; ``None`` where it was never followed."""
    row = session.get(VehicleNowRow, (region_id, vehicle_id))
    return None if row is None else _now(row)


def put_vehicles(session: Session, vehicles: Iterable[VehicleNow]) -> None:
    """Take over what is known of vehicles now."""
    _upsert(session, _NOW, [_now_values(vehicle) for vehicle in vehicles])


def _upsert(session: Session, table: Table, rows: list[dict[str, Any]]) -> None:
    """Add rows, or take over what they have become."""
    if not rows:
        return
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = (sqlite.insert if is_sqlite else postgresql.insert)(table)
    changed = {c.name: insert.excluded[c.name] for c in table.columns if not c.primary_key}
    asked = insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)
    session.connection().execute(asked, rows)


def forget_positions(session: Session, before: datetime) -> int:
    """Take the position out of vehicles not heard of since; how many."""
    done = session.exec(
        update(VehicleNowRow)
        .where(col(VehicleNowRow.received_at) < before, col(VehicleNowRow.fix).is_not(None))
        .values(fix=None)
    )
    return int(done.rowcount)


def put_day(session: Session, ends: DayEnds, actuals: Sequence[StopActual]) -> None:
    """Take over what became of a vehicle's day in place of what was known of it."""
    put_actuals(session, ends, actuals)
    put_ends(session, [ends])


def put_actuals(session: Session, day: DayEnds, actuals: Sequence[StopActual]) -> None:
    """Take over the stop visits of a day in place of what was known of them.

    What a person wrote of a stop stays until a track shows the vehicle there. A day that changed is
    noted for the records.
    """
    asked = select(StopActualRow).where(
        StopActualRow.region_id == day.region_id,
        StopActualRow.vehicle_id == day.vehicle_id,
        StopActualRow.service_date == day.service_date,
    )
    known = {row.key: row for row in session.exec(asked)}
    is_changed = False
    for actual in actuals:
        values = _actual_values(actual)
        row = known.pop(actual.key, None)
        if row is None:
            session.add(StopActualRow(**values))
            is_changed = True
        elif row.source != ActualSource.HAND.value or actual.source is ActualSource.MEASURED:
            for name, value in values.items():
                if getattr(row, name) != value:
                    setattr(row, name, value)
                    is_changed = True
    for row in known.values():
        if row.source != ActualSource.HAND.value:
            session.delete(row)
            is_changed = True
    if is_changed:
        visit_record_store.note_due(session, day.region_id, day.service_date)
    session.flush()


def put_ends(session: Session, days: Iterable[DayEnds]) -> None:
    """Take over when vehicles left and were back, and how far they drove."""
    _upsert(session, _ENDS, [asdict(day) for day in days])


def put_actual(session: Session, actual: StopActual) -> None:
    """Store what became of one stop visit, whatever was known of it."""
    asked = select(StopActualRow).where(
        StopActualRow.region_id == actual.region_id,
        StopActualRow.vehicle_id == actual.vehicle_id,
        StopActualRow.service_date == actual.service_date,
        StopActualRow.key == actual.key,
    )
    row = session.exec(asked).one_or_none()
    values = _actual_values(actual)
    if row is None:
        session.add(StopActualRow(**values))
    else:
        for name, value in values.items():
            setattr(row, name, value)
    session.flush()


def load_actuals(
    session: Session,
    region_id: str,
    *,
    from_date: date,
    until_date: date,
    vehicle_id: VehicleId | None = None,
) -> tuple[StopActual, ...]:
    """What became of stop visits of a span of dates, by date, vehicle and time."""
    asked = select(*_ACTUAL_COLUMNS).where(
        StopActualRow.region_id == region_id,
        col(StopActualRow.service_date) >= from_date,
        col(StopActualRow.service_date) <= until_date,
    )
    if vehicle_id is not None:
        asked = asked.where(StopActualRow.vehicle_id == vehicle_id)
    found = [_actual(row) for row in session.exec(asked)]
    return tuple(sorted(found, key=_order))


def actuals_of(
    session: Session, region_id: str, visit_ids: Iterable[VisitId]
) -> dict[VisitId, StopActual]:
    """What became of some stop visits; those of which nothing is known are left out."""
    ids = list(dict.fromkeys(visit_ids))
    found: dict[VisitId, StopActual] = {}
    for start in range(0, len(ids), _IN_ONE):
        asked = select(*_ACTUAL_COLUMNS).where(
            StopActualRow.region_id == region_id,
            col(StopActualRow.visit_id).in_(ids[start : start + _IN_ONE]),
        )
        for row in session.exec(asked):
            actual = _actual(row)
            if actual.visit_id is not None:
                found[actual.visit_id] = actual
    return found


def load_days(
    session: Session,
    region_id: str,
    *,
    from_date: date,
    until_date: date,
    vehicle_id: VehicleId | None = None,
) -> tuple[DayEnds, ...]:
    """When vehicles left and were back, by date and vehicle."""
    asked = select(DayEndsRow).where(
        DayEndsRow.region_id == region_id,
        col(DayEndsRow.service_date) >= from_date,
        col(DayEndsRow.service_date) <= until_date,
    )
    if vehicle_id is not None:
        asked = asked.where(DayEndsRow.vehicle_id == vehicle_id)
    asked = asked.order_by(col(DayEndsRow.service_date), col(DayEndsRow.vehicle_id))
    return tuple(
        DayEnds(**{name: getattr(row, name) for name in DayEnds.__dataclass_fields__})
        for row in session.exec(asked)
    )


def drop_unplanned_before(session: Session, on: date) -> int:
    """Delete stops that nobody planned of before a date: they tell where people were."""
    done = session.exec(
        delete(StopActualRow).where(
            col(StopActualRow.service_date) < on,
            col(StopActualRow.state) == ActualState.UNPLANNED.value,
        )
    )
    return int(done.rowcount)


def _order(actual: StopActual) -> tuple[Any, ...]:
    at = actual.planned_open_at or actual.actual_from_at
    return (actual.service_date, actual.vehicle_id, at is None, at, actual.key)


def _actual_values(actual: StopActual) -> dict[str, Any]:
    return asdict(actual) | {"state": actual.state.value, "source": actual.source.value}


def _actual(row: Any) -> StopActual:
    values = dict(row._mapping)
    return StopActual(
        **values
        | {
            "vehicle_id": VehicleId(row.vehicle_id),
            "visit_id": None if row.visit_id is None else VisitId(row.visit_id),
            "stop_id": None if row.stop_id is None else StopId(row.stop_id),
            "state": ActualState(row.state),
            "source": ActualSource(row.source),
        }
    )


def _now_values(vehicle: VehicleNow) -> dict[str, Any]:
    fix = None if vehicle.fix is None else settled(vehicle.fix)
    key = None if fix is None else key_of(fix)
    return {
        "region_id": vehicle.region_id,
        "vehicle_id": vehicle.vehicle_id,
        "service_date": vehicle.service_date,
        "fix_us": None if key is None else key.fix_us,
        "sequence": None if key is None else key.sequence,
        "fix": None if fix is None else pack_fix(fix),
        "device_id": "" if fix is None else fix.device_id,
        "received_at": vehicle.received_at,
        "phase": vehicle.phase.value,
        "is_silent": vehicle.is_silent,
        "here_visit_id": vehicle.here_visit_id,
        "next_visit_id": vehicle.next_visit_id,
        "delay_s": vehicle.delay_s,
        "departure_at": vehicle.departure_at,
        "return_at": vehicle.return_at,
        "etas": [_eta_values(eta) for eta in vehicle.etas],
        "off_m": vehicle.off_m,
        "at": vehicle.at,
        "revision": vehicle.revision,
    }


def _now(row: VehicleNowRow) -> VehicleNow:
    fix = None
    if row.fix is not None and row.fix_us is not None and row.sequence is not None:
        fix = unpack_fix(FixKey(row.fix_us, row.sequence), row.fix, DeviceId(row.device_id))
    return VehicleNow(
        region_id=row.region_id,
        vehicle_id=VehicleId(row.vehicle_id),
        service_date=row.service_date,
        fix=fix,
        received_at=row.received_at,
        phase=Phase(row.phase),
        is_silent=row.is_silent,
        here_visit_id=None if row.here_visit_id is None else VisitId(row.here_visit_id),
        next_visit_id=None if row.next_visit_id is None else VisitId(row.next_visit_id),
        delay_s=row.delay_s,
        departure_at=row.departure_at,
        return_at=row.return_at,
        etas=tuple(_eta(values) for values in row.etas),
        off_m=row.off_m,
        at=row.at,
        revision=row.revision,
    )


def _eta_values(eta: LiveEta) -> dict[str, Any]:
    values = asdict(eta)
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in values.items()}


def _eta(values: dict[str, Any]) -> LiveEta:
    times = {k: datetime.fromisoformat(v) for k, v in values.items() if k.endswith("_at")}
    return LiveEta(**values | times)
