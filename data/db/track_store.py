"""Fixes and tracks: stored once however often they come, packed when they are some minutes old.

Every transaction that stores fixes has a number, ``arrival``, one after the other: whoever follows
the vehicles reads on from the last number that it has seen and misses nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from sqlalchemy import Table, bindparam, case, or_, tuple_
from sqlalchemy import select as core_select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, func, select, update

from data.db.tables.tracking import FixRow, FollowerRow, TrackChunkRow, TrackerRow
from data.model.fleet import VehicleId
from data.model.telemetry import DeviceId, Fix
from data.model.track_bytes import (
    SLOT_S,
    US,
    FixKey,
    instant_of_us,
    key_of,
    pack_chunk,
    pack_fix,
    rank_of,
    settled,
    slots_between,
    unpack_chunk,
    unpack_fix,
    us_of,
)
from data.model.tracker import Counts, Tracker, TrackerId

FOLLOWER = 1
SETTLE_AFTER = timedelta(minutes=15)
"""So long after its end a quarter of an hour is packed."""
_MAY_BE_PACKED = timedelta(minutes=5)
"""From so soon after a slot's end a chunk is looked for: clocks of machines differ."""
_IN_ONE = 300
_FIXES: Table = FixRow.__table__  # type: ignore[attr-defined]
_TRACKERS: Table = TrackerRow.__table__  # type: ignore[attr-defined]

type _Place = tuple[int, FixKey]
"""Number of the tracker and key of the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFix:
    """A fix with the tracker that it came from."""

    tracker_id: TrackerId
    number: int
    """Of the tracker."""
    fix: Fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A fix as it came in; ``arrival`` is the transaction that stored it."""

    arrival: int
    number: int
    key: FixKey
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Fixes of one tracker that are to be stored, and how many of its others were not taken."""

    tracker: Tracker
    fixes: Sequence[Fix] = ()
    num_refused: int = 0
    num_guarded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was erased for its age."""

    num_fixes: int
    num_chunks: int


def add_fixes(session: Session, tracker: Tracker, fixes: Sequence[Fix], *, at: datetime) -> Counts:
    """Store fixes of one tracker; those that are known change nothing."""
    return add_deliveries(session, [Delivery(tracker=tracker, fixes=fixes)], at=at)[0]


def add_deliveries(
    session: Session, deliveries: Sequence[Delivery], *, at: datetime
) -> tuple[Counts, ...]:
    """Store fixes of many trackers in one transaction; what became of each delivery.

    A fix is known again by its tracker, its time and its sequence where it has one. Of two that
    claim to be the same the same one stays, whichever came first.
    """
    wanted, owner = _wanted(deliveries)
    arrival = _next_arrival(session)
    packed = _packed_before(session, wanted, at)
    rows = [
        {
            "tracker_no": number,
            "fix_us": key.fix_us,
            "sequence": key.sequence,
            "arrival": arrival,
            "body": body,
        }
        for (number, key), body in wanted.items()
        if packed.get((number, key)) is None or rank_of(body) < rank_of(packed[number, key])
    ]
    new = _insert(session, rows)
    _replace_known(session, [r for r in rows if _place(r) not in new], arrival)
    new -= packed.keys()
    num_new: dict[int, int] = defaultdict(int)
    for place in new:
        num_new[owner[place]] += 1
    counts = tuple(
        Counts(
            num_new=num_new[index],
            num_known=len(delivery.fixes) - num_new[index],
            num_refused=delivery.num_refused,
            num_guarded=delivery.num_guarded,
        )
        for index, delivery in enumerate(deliveries)
    )
    _count(session, deliveries, counts, at)
    return counts


def read_track(
    session: Session,
    region_id: str,
    vehicle_id: VehicleId,
    from_at: datetime,
    until_at: datetime,
) -> tuple[StoredFix, ...]:
    """A vehicle's fixes of a span of time, all trackers that it had, in order of time."""
    asked = select(TrackerRow.tracker_no, TrackerRow.tracker_id, TrackerRow.external_id).where(
        TrackerRow.region_id == region_id, TrackerRow.vehicle_id == vehicle_id
    )
    named = {no: (TrackerId(i), DeviceId(e)) for no, i, e in session.exec(asked) if no is not None}
    found = _between(session, list(named), us_of(from_at), us_of(until_at))
    return tuple(
        StoredFix(
            tracker_id=named[number][0],
            number=number,
            fix=unpack_fix(key, body, named[number][1]),
        )
        for (number, key), body in sorted(found.items(), key=lambda e: (e[0][1], e[0][0]))
    )


def arrived_after(session: Session, arrival: int, *, limit: int) -> tuple[Arrived, ...]:
    """Fixes that came in after a transaction, in order; whole transactions, ``limit`` and some."""
    t = _FIXES.c
    asked = core_select(t.arrival, t.tracker_no, t.fix_us, t.sequence, t.body).order_by(t.arrival)
    rows = list(session.execute(asked.where(t.arrival > arrival).limit(limit)))
    if len(rows) == limit:
        # The last transaction may be cut: it is read whole.
        last = rows[-1].arrival
        rest = session.execute(asked.where(t.arrival == last))
        rows = [r for r in rows if r.arrival < last] + list(rest)
    return tuple(
        Arrived(arrival=a, number=n, key=FixKey(us, sequence), body=body)
        for a, n, us, sequence, body in rows
    )


def num_fixes(session: Session, tracker: Tracker) -> int:
    """How many fixes of a tracker are stored, packed or not."""
    fresh = select(func.count()).where(FixRow.tracker_no == tracker.number)
    packed = select(func.coalesce(func.sum(TrackChunkRow.num), 0)).where(
        TrackChunkRow.tracker_no == tracker.number
    )
    late = sum(
        1
        for slot, keys in _fresh_by_slot(session, tracker.number).items()
        for key in keys & _keys_of_chunk(session, tracker.number, slot)
    )
    return session.exec(fresh).one() + int(session.exec(packed).one()) - late


def settle(session: Session, numbers: Iterable[int], *, now: datetime, followed: int) -> int:
    """Pack what is over and has been followed; how many fixes.

    Parameters
    ----------
    numbers
        Trackers that are looked at.
    followed
        Fixes of later transactions stay as they are.
    """
    before_us = us_of(now - SETTLE_AFTER) // (SLOT_S * US) * (SLOT_S * US)
    done = 0
    for number in numbers:
        asked = select(FixRow.fix_us, FixRow.sequence, FixRow.body).where(
            FixRow.tracker_no == number,
            col(FixRow.fix_us) < before_us,
            col(FixRow.arrival) <= followed,
        )
        by_slot: dict[int, dict[FixKey, bytes]] = defaultdict(dict)
        for fix_us, sequence, body in session.exec(asked):
            key = FixKey(fix_us, sequence)
            by_slot[key.slot][key] = body
        for slot, fixes in by_slot.items():
            done += len(fixes)
            _pack(session, number, slot, fixes)
        if by_slot:
            session.exec(
                delete(FixRow).where(
                    col(FixRow.tracker_no) == number,
                    col(FixRow.fix_us) < before_us,
                    col(FixRow.arrival) <= followed,
                )
            )
    return done


def erase_before(session: Session, at: datetime) -> Erased:
    """Delete tracks of before an instant, to the quarter of an hour."""
    slot = us_of(at) // (SLOT_S * US)
    chunks = session.exec(delete(TrackChunkRow).where(col(TrackChunkRow.slot) < slot))
    fixes = session.exec(delete(FixRow).where(col(FixRow.fix_us) < slot * SLOT_S * US))
    return Erased(num_fixes=int(fixes.rowcount), num_chunks=int(chunks.rowcount))


def _wanted(
    deliveries: Sequence[Delivery],
) -> tuple[dict[_Place, bytes], dict[_Place, int]]:
    """What each fix is to be, and which delivery brought it first."""
    wanted: dict[_Place, bytes] = {}
    owner: dict[_Place, int] = {}
    for index, delivery in enumerate(deliveries):
        for fix in map(settled, delivery.fixes):
            place, body = (delivery.tracker.number, key_of(fix)), pack_fix(fix)
            known = wanted.get(place)
            if known is None or rank_of(body) < rank_of(known):
                wanted[place] = body
            owner.setdefault(place, index)
    return wanted, owner


def _next_arrival(session: Session) -> int:
    """The number of this transaction; others that store fixes wait until it ends."""
    raise_it = (
        update(FollowerRow)
        .where(col(FollowerRow.follower_no) == FOLLOWER)
        .values(arrival=col(FollowerRow.arrival) + 1)
        .returning(col(FollowerRow.arrival))
        .execution_options(synchronize_session=False)
    )
    number = session.execute(raise_it).scalar_one_or_none()
    if number is None:
        try:
            with session.begin_nested():
                session.add(FollowerRow(follower_no=FOLLOWER))
        except IntegrityError:
            # Another process was the first in the meantime.
            pass
        number = session.execute(raise_it).scalar_one()
    return int(number)


def _packed_before(
    session: Session, wanted: Mapping[_Place, bytes], at: datetime
) -> dict[_Place, bytes]:
    """Those of the wanted fixes that lie in chunks already."""
    newest = us_of(at - _MAY_BE_PACKED) // (SLOT_S * US)
    old: dict[tuple[int, int], list[FixKey]] = defaultdict(list)
    for number, key in wanted:
        if key.slot <= newest:
            old[number, key.slot].append(key)
    found: dict[_Place, bytes] = {}
    for part in batched(old, _IN_ONE):
        asked = select(TrackChunkRow.tracker_no, TrackChunkRow.slot, TrackChunkRow.data).where(
            tuple_(col(TrackChunkRow.tracker_no), col(TrackChunkRow.slot)).in_(part)
        )
        for number, slot, data in session.exec(asked):
            fixes = unpack_chunk(data)
            found |= {(number, k): fixes[k] for k in old[number, slot] if k in fixes}
    return found


def _insert(session: Session, rows: list[dict[str, Any]]) -> set[_Place]:
    """Store what is not there; which of the rows were not."""
    if not rows:
        return set()
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = (sqlite.insert if is_sqlite else postgresql.insert)(_FIXES)
    asked = insert.on_conflict_do_nothing().returning(
        _FIXES.c.tracker_no, _FIXES.c.fix_us, _FIXES.c.sequence
    )
    return {(number, FixKey(us, s)) for number, us, s in session.execute(asked, rows)}


def _place(row: Mapping[str, Any]) -> _Place:
    return row["tracker_no"], FixKey(row["fix_us"], row["sequence"])


def _replace_known(session: Session, rows: Sequence[Mapping[str, Any]], arrival: int) -> None:
    """Of fixes that are known but say something else, keep the one that counts."""
    for row in rows:
        number, key = _place(row)
        stored = session.get(FixRow, (number, key.fix_us, key.sequence))
        if stored is not None and rank_of(row["body"]) < rank_of(stored.body):
            stored.body, stored.arrival = row["body"], arrival
            session.add(stored)
    session.flush()


def _count(
    session: Session, deliveries: Sequence[Delivery], counts: Sequence[Counts], at: datetime
) -> None:
    """Add to the figures of the trackers."""
    added: dict[int, Counts] = defaultdict(Counts)
    last: dict[int, datetime] = {}
    for delivery, count in zip(deliveries, counts, strict=True):
        number = delivery.tracker.number
        added[number] = added[number] + count
        times = [f.fix_at for f in delivery.fixes if f.fix_at <= at + timedelta(minutes=1)]
        if times:
            last[number] = max(last.get(number, times[0]), *times)
    t = _TRACKERS.c
    b_last = bindparam("b_last", type_=t.last_fix_at.type)
    session.connection().execute(
        _TRACKERS.update()
        .where(t.tracker_no == bindparam("b_number"))
        .values(
            heard_at=bindparam("b_at"),
            last_fix_at=case(
                (or_(t.last_fix_at.is_(None), t.last_fix_at < b_last), b_last), else_=t.last_fix_at
            ),
            num_stored=t.num_stored + bindparam("b_new"),
            num_known=t.num_known + bindparam("b_known"),
            num_refused=t.num_refused + bindparam("b_refused"),
            num_guarded=t.num_guarded + bindparam("b_guarded"),
        ),
        [
            {
                "b_number": number,
                "b_at": at,
                "b_last": last.get(number),
                "b_new": count.num_new,
                "b_known": count.num_known,
                "b_refused": count.num_refused,
                "b_guarded": count.num_guarded,
            }
            for number, count in sorted(added.items())
        ],
    )


def _between(
    session: Session, numbers: Sequence[int], from_us: int, until_us: int
) -> dict[_Place, bytes]:
    """Fixes of trackers in a span; where a chunk has a fresh one too, the one that counts."""
    slots = slots_between(instant_of_us(from_us), instant_of_us(until_us))
    found: dict[_Place, bytes] = {}
    if not numbers or not slots:
        return found
    chunks = select(TrackChunkRow.tracker_no, TrackChunkRow.data).where(
        col(TrackChunkRow.tracker_no).in_(numbers),
        col(TrackChunkRow.slot) >= slots[0],
        col(TrackChunkRow.slot) <= slots[-1],
    )
    for number, data in session.exec(chunks):
        for key, body in unpack_chunk(data).items():
            if from_us <= key.fix_us < until_us:
                found[number, key] = body
    fresh = select(FixRow.tracker_no, FixRow.fix_us, FixRow.sequence, FixRow.body).where(
        col(FixRow.tracker_no).in_(numbers),
        col(FixRow.fix_us) >= from_us,
        col(FixRow.fix_us) < until_us,
    )
    for number, fix_us, sequence, body in session.exec(fresh):
        place = number, FixKey(fix_us, sequence)
        if place not in found or rank_of(body) < rank_of(found[place]):
            found[place] = body
    return found


def _fresh_by_slot(session: Session, number: int) -> dict[int, set[FixKey]]:
    asked = select(FixRow.fix_us, FixRow.sequence).where(FixRow.tracker_no == number)
    found: dict[int, set[FixKey]] = defaultdict(set)
    for fix_us, sequence in session.exec(asked):
        key = FixKey(fix_us, sequence)
        found[key.slot].add(key)
    return found


def _keys_of_chunk(session: Session, number: int, slot: int) -> set[FixKey]:
    row = session.get(TrackChunkRow, (number, slot))
    return set() if row is None else set(unpack_chunk(row.data))


def _pack(session: Session, number: int, slot: int, fixes: dict[FixKey, bytes]) -> None:
    """Put fixes into the chunk of their slot."""
    row = session.get(TrackChunkRow, (number, slot))
    if row is None:
        region_id, vehicle_id = session.exec(
            select(TrackerRow.region_id, TrackerRow.vehicle_id).where(
                TrackerRow.tracker_no == number
            )
        ).one()
        row = TrackChunkRow(
            tracker_no=number,
            slot=slot,
            region_id=region_id,
            vehicle_id=vehicle_id or "",
            num=0,
            data=b"",
        )
    else:
        for key, body in unpack_chunk(row.data).items():
            known = fixes.get(key)
            if known is None or rank_of(body) < rank_of(known):
                fixes[key] = body
    row.num, row.data = len(fixes), pack_chunk(fixes)
    session.add(row)
    session.flush()
    session.expunge(row)
