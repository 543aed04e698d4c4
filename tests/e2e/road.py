"""A published day on a running service, driven by devices that tell of it, the clock in hand."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import httpx

from api.services.trackers import NewTracker, add_tracker
from data.db import live_store
from data.db.engine import reading
from data.model.fleet import VehicleId
from data.model.telemetry import Fix
from data.model.tracker import Protocol
from fleet import batch
from fleet.devices import TRACKER
from fleet.simulate import DriveParams
from tests.api.tracking.depot import ANNA, NORTH, REGION, SOUTH, fill
from tests.e2e.service import Running
from tests.fleet.days import DAY, drive, seen

MORNING = datetime(DAY.year, DAY.month, DAY.day, 5, 0, tzinfo=UTC)
"""Seven o'clock by the region's clocks, before anybody has left."""
DEVICE = replace(
    TRACKER,
    period_s=10,
    parked_period_s=20,
    outlier_ratio=0.01,
    outlier_m=(3000.0, 6000.0),
    gaps_per_day=1.0,
    holes_per_day=0.0,
)
"""Jumps so far that no bus could have driven there."""
TRAFFIC = (0.0, 0.75)
"""Drives of the second vehicle take twice as long: it comes late."""
PATIENCE_S = 90.0
_MOST_FIXES = 400


@dataclass(kw_only=True)
class Road:
    """The day; ``now`` is the service's clock."""

    running: Running
    now: datetime = MORNING
    fixes: dict[VehicleId, tuple[Fix, ...]] = field(default_factory=dict)
    secrets: dict[VehicleId, str] = field(default_factory=dict)
    _told: dict[VehicleId, int] = field(default_factory=dict)

    @classmethod
    def begin(cls, running: Running) -> "Road":
        """Publish the plan and pair a tracker with each of two vehicles."""
        road = cls(running=running)
        running.service.clock = lambda: road.now
        fill(running.engine, road.now)
        for number, vehicle_id in enumerate((NORTH, SOUTH)):
            params = DriveParams(overall=TRAFFIC[number], breakdown_ratio=0.0)
            day = drive(number, seed=number + 1, params=params)
            found = sorted(seen(day, DEVICE, seed=5), key=lambda f: f.fix_at)
            road.fixes[vehicle_id] = tuple(replace(f, sequence=k) for k, f in enumerate(found))
            asked = NewTracker(
                vehicle_id=vehicle_id, protocol=Protocol.BOOKMOBILE, external_id=None,
                name=f"Трекер {number + 1}",
            )  # fmt: skip
            set_up = add_tracker(running.service, ANNA, REGION, asked)
            assert set_up.secret is not None
            road.secrets[vehicle_id] = set_up.secret
            road._told[vehicle_id] = 0
        return road

    def tell(self, until: datetime, *vehicle_ids: VehicleId) -> None:
        """Let the day go on to a moment: the vehicles drive, all or some of them are heard."""
        self.now = until
        for vehicle_id in vehicle_ids or (NORTH, SOUTH):
            self._send(vehicle_id, until)

    def _send(self, vehicle_id: VehicleId, until: datetime) -> None:
        fixes = self.fixes[vehicle_id]
        first = self._told[vehicle_id]
        last = next((k for k, f in enumerate(fixes) if f.fix_at > until), len(fixes))
        headers = {"authorization": f"Bearer {self.secrets[vehicle_id]}"}
        for start in range(first, last, _MOST_FIXES):
            part = fixes[start : min(start + _MOST_FIXES, last)]
            answer = httpx.post(
                f"{self.running.url}/api/v1/positions",
                content=batch.encode(part, sent_at=self.now),
                headers=headers,
                timeout=60,
            )
            assert answer.status_code == 200, answer.text
        self._told[vehicle_id] = max(first, last)
        if last > first:
            self.wait(lambda: self._is_followed(vehicle_id, until))

    def _is_followed(self, vehicle_id: VehicleId, until: datetime) -> bool:
        with reading(self.running.engine) as session:
            found = live_store.vehicle_now(session, REGION, vehicle_id)
        if found is None or found.fix is None:
            return False
        good = [f for f in self.fixes[vehicle_id] if f.fix_at <= until]
        return found.fix.fix_at >= good[-1].fix_at - timedelta(seconds=60)

    def wait(self, is_so: Callable[[], bool]) -> None:
        """Wait for what the follower does in its own time."""
        end = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < end, "the follower did not come to it"
            time.sleep(0.1)

    def at(self, hour: int, minute: int = 0) -> datetime:
        """A time of the day by the region's clocks, two hours ahead of UTC."""
        return MORNING.replace(hour=hour - 2, minute=minute)
