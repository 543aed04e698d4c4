"""The demo's day: driven now where somebody is on the road, else on a clock that is put back."""

from datetime import timedelta
from pathlib import Path

from api.services.demo_road import begin
from data.db import live_store, track_store, tracker_store
from data.db.engine import reading
from data.model.calendar import HOUR_S
from data.model.live import Phase
from tests.api.days.driven import evening, follow
from tests.api.days.yard import MORNING, TUESDAY, Yard
from tests.api.publication.office import REGION


def test_in_the_hours_of_service_the_clock_is_right(yard: Yard, tmp_path: Path) -> None:
    """At eleven on a Tuesday both vehicles are on the road: nothing is put back."""
    day = begin(yard.engine, REGION, tmp_path, at=MORNING, seed=1)
    assert day is not None
    assert (day.on, day.offset_s) == (TUESDAY, 0)
    with reading(yard.engine) as session:
        trackers = tracker_store.list_trackers(session, REGION)
        told = [
            s.fix
            for r in day.runs
            for s in track_store.read_track(
                session, REGION, r.vehicle_id, MORNING - timedelta(hours=9), evening(TUESDAY)
            )
        ]
    assert {t.protocol.value for t in trackers} == {"owntracks", "osmand"}
    assert told, "what happened before now is known already"
    assert max(f.fix_at for f in told) <= MORNING


def test_at_night_it_is_the_last_working_day(yard: Yard, tmp_path: Path) -> None:
    """On a Thursday night the demo is back on Tuesday, and a vehicle is driving just then."""
    night = MORNING + timedelta(days=2, hours=11)
    day = begin(yard.engine, REGION, tmp_path, at=night, seed=1)
    assert day is not None
    assert day.on == TUESDAY
    assert day.offset_s < -2 * 24 * HOUR_S
    yard.now = day.now(night)
    assert 7 <= yard.now.hour + 2 <= 17, "in the hours of service"
    moving = [
        r for r in day.runs if r.day.speed_mps[int((yard.now - r.day.began_at).total_seconds())] > 0
    ]
    assert moving
    follow(yard, tmp_path)
    with reading(yard.engine) as session:
        phases = {v.phase for v in live_store.vehicles_now(session, REGION)}
    assert phases & {Phase.DRIVING, Phase.STANDING, Phase.WAITING}


def test_a_second_start_drives_the_same_day_anew(yard: Yard, tmp_path: Path) -> None:
    """What an earlier demo told of the day beyond the moment is forgotten; no tracker doubles."""
    night = MORNING + timedelta(days=2, hours=11)
    first = begin(yard.engine, REGION, tmp_path, at=night, seed=1)
    again = begin(yard.engine, REGION, tmp_path, at=night + timedelta(hours=1), seed=1)
    assert first is not None
    assert again is not None
    assert again.now(night + timedelta(hours=1)) == first.now(night)
    assert [r.fixes for r in again.runs] == [r.fixes for r in first.runs]
    with reading(yard.engine) as session:
        trackers = tracker_store.list_trackers(session, REGION)
    assert len(trackers) == 2


def test_before_anything_is_published_there_is_no_day(yard: Yard, tmp_path: Path) -> None:
    """Two weeks before the first service date nobody drives."""
    assert begin(yard.engine, REGION, tmp_path, at=MORNING - timedelta(days=20), seed=1) is None
