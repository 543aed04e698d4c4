"""Where vehicles and people were is erased on schedule; what became of the visits stays."""

from datetime import timedelta
from pathlib import Path

from api.tidying import tidy
from data.db import alert_store, event_store, live_store
from data.db.engine import reading
from data.model.live import ActualState
from data.model.tracker import Protocol
from tests.api.tracking.depot import NORTH, REGION, depot
from tests.api.tracking.test_followed_day import fixes_of_day


def test_tracks_are_erased_on_schedule(tmp_path: Path) -> None:
    """Fixes, the position and unplanned stops go after the days of the setting."""
    fixes = fixes_of_day()
    with depot(tmp_path, fixes[-1].fix_at, track_keep_days=30) as one:
        secret = one.add(Protocol.BOOKMOBILE).secret
        one.send(secret, fixes)
        one.follow()
        one.now += timedelta(hours=2)
        one.road.follower._settled_s = -1e9
        one.follow()
        planned = [a for a in one.actuals() if a.state is not ActualState.UNPLANNED]
        early = tidy(one.engine, one.settings, one.now + timedelta(days=29))
        assert (early["fixes"], early["track_chunks"], early["positions"]) == (0, 0, 0)
        assert one.tracks()
        late = tidy(one.engine, one.settings, one.now + timedelta(days=32))
        assert late["track_chunks"] > 10
        assert late["positions"] == 1
        assert one.tracks() == ()
        assert list(one.actuals()) == planned
        with reading(one.engine) as session:
            now = live_store.vehicle_now(session, REGION, NORTH)
            assert now is not None
            assert now.fix is None
            assert alert_store.open_alerts(session) == ()


def test_moves_are_told_and_forgotten(tmp_path: Path) -> None:
    """One event a round tells pages which vehicles moved; an hour later it is of no use."""
    fixes = fixes_of_day()
    with depot(tmp_path, fixes[50].fix_at) as one:
        secret = one.add(Protocol.BOOKMOBILE).secret
        for start in (0, 20, 40):
            one.send(secret, fixes[start : start + 20])
            one.follow()
        with reading(one.engine) as session:
            told = [e for e in event_store.events_after(session, 0) if e.topic == "vehicle"]
        assert told
        assert told[-1].subject == str(NORTH)
        assert told[-1].region_id == REGION
        assert told[-1].facts["vehicles"] == [str(NORTH)]
        assert told[-1].facts["revision"] == one.get("live")["revision"]
        # The stream's clock is the machine's own.
        tidy(one.engine, one.settings, told[-1].at + timedelta(hours=2))
        with reading(one.engine) as session:
            left = [e for e in event_store.events_after(session, 0) if e.topic == "vehicle"]
        assert len(left) <= 1
