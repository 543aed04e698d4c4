"""Fixes in the database: stored once, packed and read back the same, erased when they are old."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from data.db import live_store, track_store, tracker_store
from data.db.engine import reading, writing
from data.model.errors import ConflictError
from data.model.fleet import VehicleId
from data.model.telemetry import DeviceId, Fix
from data.model.track_bytes import (
    key_of,
    pack_chunk,
    pack_fix,
    settled,
    unpack_chunk,
    unpack_fix,
)
from data.model.tracker import Protocol, Tracker, TrackerId, UnknownDevice
from tests.api.bare_region import region_row

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
NORTH = VehicleId("north")


def tracker_on(engine: Engine, name: str = "imei-1") -> Tracker:
    """A stored tracker of the vehicle in a stored region."""
    with writing(engine) as session:
        if not tracker_store.all_trackers(session):
            session.add(region_row("kaliningrad", AT))
            session.flush()
        return tracker_store.add_tracker(
            session,
            Tracker(
                tracker_id=TrackerId(f"id-{name}"),
                region_id="kaliningrad",
                vehicle_id=NORTH,
                protocol=Protocol.WIALON,
                external_id=DeviceId(name),
                name=name,
                created_at=AT,
            ),
            None,
        )


def fix(s: float, *, sequence: int | None = None, late_s: float = 1, lon: float = 20.5) -> Fix:
    at = AT + timedelta(seconds=s)
    one = Fix(
        device_id=DeviceId("imei-1"),
        fix_at=at,
        lon=lon + s * 1e-5,
        lat=54.7,
        sequence=sequence,
        received_at=at + timedelta(seconds=late_s),
        speed_mps=10.0,
    )
    return settled(one)


def stored(engine: Engine) -> list[Fix]:
    with reading(engine) as session:
        found = track_store.read_track(
            session, "kaliningrad", NORTH, AT - timedelta(days=1), AT + timedelta(days=1)
        )
    return [one.fix for one in found]


def add(
    engine: Engine, tracker: Tracker, fixes: Sequence[Fix], at: datetime = AT
) -> tuple[int, int]:
    with writing(engine) as session:
        counts = track_store.add_fixes(session, tracker, fixes, at=at)
    return counts.num_new, counts.num_known


def pack_all(engine: Engine, tracker: Tracker, now: datetime, followed: int = 10**9) -> int:
    with writing(engine) as session:
        return track_store.settle(session, [tracker.number], now=now, followed=followed)


def test_a_fix_is_stored_once(engine: Engine) -> None:
    """However often and in whatever order, in one delivery or in many."""
    tracker = tracker_on(engine)
    fixes = [fix(s) for s in range(100)]
    shuffled = [*fixes, *fixes[20:60]]
    random.Random(1).shuffle(shuffled)
    later = AT + timedelta(minutes=2)
    assert add(engine, tracker, shuffled, at=later) == (100, 40)
    assert add(engine, tracker, fixes[::-1], at=later) == (0, 100)
    assert stored(engine) == fixes
    with reading(engine) as session:
        told = tracker_store.get_tracker(session, tracker.tracker_id)
    assert (told.num_stored, told.num_known) == (100, 140)
    assert told.last_fix_at == fixes[-1].fix_at


def test_a_counting_device_may_tell_two_fixes_of_one_moment(engine: Engine) -> None:
    """A sequence that starts anew takes nothing from what is stored."""
    tracker = tracker_on(engine)
    assert add(engine, tracker, [fix(0, sequence=1), fix(0, sequence=2)]) == (2, 0)
    assert add(engine, tracker, [fix(50, sequence=1), fix(0, sequence=1)]) == (1, 1)
    assert len(stored(engine)) == 3


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_that_claim_to_be_one_the_same_one_stays(engine: Engine, first: int) -> None:
    """Whichever came first, and also where the first was packed already."""
    tracker = tracker_on(engine)
    twins = [fix(0, lon=20.5), fix(0, lon=20.6)]
    add(engine, tracker, [twins[first]])
    pack_all(engine, tracker, AT + timedelta(hours=1))
    add(engine, tracker, [twins[1 - first]], at=AT + timedelta(hours=1))
    assert [f.lon for f in stored(engine)] == [20.5]
    pack_all(engine, tracker, AT + timedelta(hours=2))
    assert [f.lon for f in stored(engine)] == [20.5]


def test_late_fixes_open_a_chunk_again(engine: Engine) -> None:
    """Packed, then half of it again with new ones between: nothing lost, nothing doubled."""
    tracker = tracker_on(engine)
    even, odd = [fix(s) for s in range(0, 3000, 2)], [fix(s) for s in range(1, 3000, 2)]
    add(engine, tracker, even)
    later = AT + timedelta(hours=2)
    assert pack_all(engine, tracker, later) == len(even)
    assert stored(engine) == even
    assert add(engine, tracker, even[:700], at=later) == (0, 700)
    assert add(engine, tracker, odd + even, at=later) == (len(odd), len(even))
    whole = sorted(even + odd, key=lambda f: f.fix_at)
    assert stored(engine) == whole
    assert pack_all(engine, tracker, later) == len(odd)
    assert stored(engine) == whole
    with reading(engine) as session:
        assert track_store.num_fixes(session, tracker) == len(whole)
        assert not track_store.arrived_after(session, 0, limit=10)


def test_only_what_is_over_and_followed_is_packed(engine: Engine) -> None:
    """The running quarter of an hour stays open, and so do fixes that nobody has followed yet."""
    tracker = tracker_on(engine)
    add(engine, tracker, [fix(s) for s in range(0, 1800, 10)])
    now = AT + timedelta(minutes=31)
    assert pack_all(engine, tracker, now, followed=0) == 0
    assert pack_all(engine, tracker, now) == 90
    with reading(engine) as session:
        assert len(track_store.arrived_after(session, 0, limit=1000)) == 90


def test_followers_read_whole_transactions(engine: Engine) -> None:
    """Reading on from the last number gives every fix once, and never half a transaction."""
    tracker = tracker_on(engine)
    for k in range(5):
        add(engine, tracker, [fix(100 * k + s) for s in range(7)])
    with reading(engine) as session:
        seen, last = [], 0
        while found := track_store.arrived_after(session, last, limit=10):
            last = found[-1].arrival
            seen.append(len(found))
    assert sum(seen) == 35
    assert all(n % 7 == 0 for n in seen)


def test_tracks_are_erased_by_age(engine: Engine) -> None:
    """Packed and fresh ones, to the quarter of an hour."""
    tracker = tracker_on(engine)
    add(engine, tracker, [fix(s) for s in range(0, 7200, 10)])
    pack_all(engine, tracker, AT + timedelta(minutes=75))
    with writing(engine) as session:
        erased = track_store.erase_before(session, AT + timedelta(minutes=100))
    assert (erased.num_chunks, erased.num_fixes) == (4, 180)
    assert stored(engine)[0].fix_at == AT + timedelta(minutes=90)


def test_a_device_belongs_to_one_vehicle(engine: Engine) -> None:
    """A second open tracker of the same device is refused; once the first is closed it is not."""
    first = tracker_on(engine)
    with pytest.raises(ConflictError) as wrong:
        tracker_on(engine)
    assert wrong.value.code == "tracker.taken"
    again = replace(first, tracker_id=TrackerId("other"))
    with writing(engine) as session:
        tracker_store.close_tracker(session, first.tracker_id, AT)
        tracker_store.add_tracker(session, again, None)
        known = tracker_store.tracker_of(session, Protocol.WIALON, "imei-1")
    assert known is not None
    assert known[0].tracker_id == "other"


def test_unknown_devices_are_few(engine: Engine) -> None:
    """Whoever makes up names fills no disk; the one not heard of for longest goes."""
    with writing(engine) as session:
        for k in range(tracker_store.MOST_UNKNOWN + 5):
            at = AT + timedelta(seconds=k)
            tracker_store.note_unknown(
                session,
                UnknownDevice(
                    protocol=Protocol.OSMAND,
                    external_id=DeviceId(f"x{k}"),
                    address="192.0.2.1",
                    code="tracker.unknown",
                    first_at=at,
                    last_at=at,
                    num_messages=1,
                ),
            )
        assert not tracker_store.forget_unknown(session, Protocol.OSMAND, "x4")
        assert tracker_store.forget_unknown(session, Protocol.OSMAND, "x5")
        assert len(tracker_store.list_unknown(session)) == tracker_store.SHOWN_UNKNOWN


def test_one_follower_at_a_time(engine: Engine) -> None:
    """The second waits until the lease of the first is over or given up."""
    ten = timedelta(seconds=10)
    with writing(engine) as session:
        assert live_store.take_lease(session, "a", at=AT, lasts=ten) is not None
    with writing(engine) as session:
        assert live_store.take_lease(session, "b", at=AT + ten / 2, lasts=ten) is None
        assert live_store.take_lease(session, "a", at=AT + ten / 2, lasts=ten) is not None
        assert live_store.advance_to(session, "a", followed=7, revision=3)
        assert not live_store.advance_to(session, "b", followed=9, revision=9)
    with writing(engine) as session:
        taken = live_store.take_lease(session, "b", at=AT + 2 * ten, lasts=ten)
    assert taken is not None
    assert (taken.followed, taken.revision) == (7, 3)
    with writing(engine) as session:
        assert live_store.take_lease(session, "b", at=AT + timedelta(days=1), lasts=ten)
        # The clock was put forward by a day and is right again.
        assert live_store.take_lease(session, "c", at=AT + 3 * ten, lasts=ten) is not None
        assert live_store.take_lease(session, "b", at=AT + 5 * ten, lasts=ten) is not None
    with writing(engine) as session:
        live_store.give_up_lease(session, "b")
        assert live_store.take_lease(session, "a", at=AT + 2 * ten, lasts=ten) is not None


instants = st.datetimes(datetime(2000, 1, 2), datetime(2099, 1, 1)).map(
    lambda t: t.replace(tzinfo=UTC)
)
figures = st.none() | st.floats(0, 1e6)
extras = st.dictionaries(
    st.text(max_size=8), st.booleans() | st.text(max_size=8) | st.integers(0, 99), max_size=3
)
any_fix = st.builds(
    Fix,
    device_id=st.just(DeviceId("d")),
    fix_at=instants,
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    sequence=st.none() | st.integers(0, 2**53 - 1),
    received_at=st.none() | instants,
    device_at=st.none() | instants,
    speed_mps=st.none() | st.floats(0, 1e300),
    course_deg=st.none() | st.floats(0, 360, exclude_max=True),
    accuracy_m=st.none() | st.floats(1e-9, 1e9),
    altitude_m=st.none() | st.floats(-1e12, 1e12),
    satellites=st.none() | st.integers(0, 2**53),
    hdop=st.none() | st.floats(1e-9, 1e9),
    odometer_m=figures,
    battery_ratio=st.none() | st.floats(0, 1),
    is_valid=st.booleans(),
    extra=extras,
)


@given(st.lists(any_fix, max_size=20))
@settings(max_examples=200, deadline=None)
def test_packing_loses_nothing(fixes: list[Fix]) -> None:
    """Whatever a fix holds: settled once it is settled for good, and packed it comes back."""
    by_key = {key_of(f): f for f in map(settled, fixes)}
    assert all(settled(f) == f for f in by_key.values())
    packed = {key: pack_fix(f) for key, f in by_key.items()}
    assert {k: unpack_fix(k, b, DeviceId("d")) for k, b in packed.items()} == by_key
    back = unpack_chunk(pack_chunk(packed))
    assert back == packed
    told = {k: dict(unpack_fix(k, b, DeviceId("d")).extra) for k, b in back.items()}
    assert told == {k: dict(f.extra) for k, f in by_key.items()}


@given(st.binary(max_size=200))
def test_broken_chunks_are_refused(data: bytes) -> None:
    """Bytes that are no chunk raise what says so, and nothing else."""
    with pytest.raises(ValueError, match="chunk"):
        unpack_chunk(data)
