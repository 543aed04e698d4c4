"""A yard whose vehicles have driven: simulated, stored, followed."""

import time
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine

from api.services.demo_road import drive, phones_of
from api.services.duty import Guard
from api.services.following import Follower
from api.services.promised_days import PromisedDay, promised_days
from api.services.simulating import SimulatedRun
from api.settings import Settings
from data.db import live_store, track_store
from data.db.engine import reading, writing
from tests.api.publication.office import REGION

PATIENCE_S = 90.0


class AtWork(Protocol):
    """A database and the time that it is there."""

    @property
    def engine(self) -> Engine: ...

    @property
    def now(self) -> datetime: ...


def runs_of(yard: AtWork, on: date, region_id: str = REGION) -> tuple[PromisedDay, ...]:
    with reading(yard.engine) as session:
        return tuple(d for d in promised_days(session, region_id, on) if d.run.stops)


def drive_day(
    yard: AtWork,
    on: date,
    *,
    seed: int = 1,
    until_at: datetime | None = None,
    region_id: str = REGION,
) -> tuple[SimulatedRun, ...]:
    """Drive the promised runs of a date, and store what phones told of them."""
    days = runs_of(yard, on, region_id)
    phones = phones_of(yard.engine, region_id, days, at=yard.now)
    runs = tuple(drive(days, phones, None, seed=seed))
    with writing(yard.engine) as session:
        for run, phone in zip(runs, phones, strict=True):
            told = [
                f for f in run.fixes if until_at is None or (f.received_at or f.fix_at) <= until_at
            ]
            track_store.add_fixes(session, phone.tracker, told, at=yard.now)
    return runs


def follow(yard: AtWork, folder: Path) -> None:
    """Let the follower take up everything that is stored."""
    settings = Settings(data_dir=folder, database_url=str(yard.engine.url))
    follower = Follower(yard.engine, Guard(yard.engine, settings), clock=lambda: yard.now)
    for _ in range(50):
        if not follower.step():
            break
    follower.step()
    follower.stop()


def wait_for_days(engine: Engine, num: int) -> None:
    """Until a running service has read that so many days of vehicles have ended."""
    end = time.monotonic() + PATIENCE_S
    while True:
        with reading(engine) as session:
            found = live_store.load_days(
                session, REGION, from_date=date(2026, 1, 1), until_date=date(2027, 12, 31)
            )
        if len([e for e in found if e.returned_at is not None]) == num:
            return
        assert time.monotonic() < end, f"followed by now: {found}"
        time.sleep(0.2)


def evening(on: date) -> datetime:
    """When all runs of a date are over."""
    return datetime.fromisoformat(f"{on.isoformat()}T20:00:00+00:00")
