"""Positions of many vehicles at once into the running service, and what they take on the disk.

``pytest -m benchmark -s tests/benchmarks/test_ingest.py`` prints the figures of docs/tracking.md;
``BOOKMOBILE_INGEST_S=600`` lets it run for ten minutes instead of one.
"""

import asyncio
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from rich.console import Console
from sqlalchemy import Engine, func
from sqlmodel import select

from api.auth import hash_token, new_token
from data.db import live_store, track_store, tracker_store
from data.db.engine import open_engine, reading, writing
from data.db.migrate import migrate
from data.db.tables.tracking import TrackChunkRow
from data.model.calendar import Cycle
from data.model.fleet import VehicleId
from data.model.plan import Plan, PlanRequest, Run
from data.model.telemetry import DeviceId
from data.model.tracker import Protocol, Tracker, TrackerId
from fleet.devices import GPS_MOUSE, PHONE, TRACKER
from tests.api.tracking.depot import REGION, STAFF_TOKEN, fill
from tests.api.tracking.test_nothing_lost import Server, url  # noqa: F401
from tests.benchmarks.ingest_load import Sender, run
from tests.fleet.days import drive, make_run, seen, world

pytestmark = pytest.mark.benchmark

_CONSOLE = Console(width=130)
VEHICLES = int(os.environ.get("BOOKMOBILE_INGEST_VEHICLES", "500"))
SECONDS = float(os.environ.get("BOOKMOBILE_INGEST_S", "60"))


def tell(text: str) -> None:
    """Say a line."""
    _CONSOLE.print(text, markup=False, highlight=False)


def large_plan(now: datetime) -> tuple[PlanRequest, Plan]:
    """As many vehicles as are wanted, all on one of two rounds that began an hour ago.

    It is midday there whenever this runs, so that no service date ends in between.
    """
    small = replace(world(), time_zone=f"Etc/GMT{now.hour - 12:+d}")
    local = now.astimezone(ZoneInfo(small.time_zone))
    shift = local.hour * 3600 + local.minute * 60 - 9 * 3600 - 1200
    monday = local.date() - timedelta(days=local.weekday())
    vehicles, travel, runs = [], {}, []
    for k in range(VEHICLES):
        kind = k % 2
        vehicle_id = VehicleId(f"bus-{k:03}")
        vehicle = replace(small.vehicles[kind], vehicle_id=vehicle_id, name=f"Bus {k}")
        vehicles.append(vehicle)
        travel[vehicle_id] = small.travel[small.vehicles[kind].vehicle_id]
        run = make_run(small, kind)
        runs.append(_shifted(run, vehicle_id, local.weekday(), shift))
    request = replace(
        small,
        vehicles=tuple(vehicles),
        travel=travel,
        cycle=Cycle(start_date=monday, num_weeks=small.cycle.num_weeks),
    )
    return request, Plan(runs=tuple(runs))


def _shifted(run: Run, vehicle_id: VehicleId, day: int, by_s: int) -> Run:
    visits = tuple(
        replace(
            v,
            arrival_s=v.arrival_s + by_s,
            start_s=v.start_s + by_s,
            end_s=v.end_s + by_s,
            departure_s=v.departure_s + by_s,
        )
        for v in run.visits
    )
    return replace(
        run,
        vehicle_id=vehicle_id,
        day=day,
        sign_on_s=run.sign_on_s + by_s,
        depart_s=run.depart_s + by_s,
        visits=visits,
        return_s=run.return_s + by_s,
        sign_off_s=run.sign_off_s + by_s,
        meal=None,
    )


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:  # noqa: F811
    """A fresh database of each kind."""
    found = open_engine(url)
    migrate(found)
    yield found
    found.dispose()


def trackers(engine: Engine, request: PlanRequest, plan: Plan) -> list[Sender]:
    """A tracker on every vehicle."""
    places = {str(s.stop_id): (s.lon, s.lat) for s in request.stops}
    depots = {str(d.depot_id): (d.lon, d.lat) for d in request.depots}
    senders = []
    with writing(engine) as session:
        for run_of_day, vehicle in zip(plan.runs, request.vehicles, strict=True):
            secret = new_token()
            tracker_store.add_tracker(
                session,
                Tracker(
                    tracker_id=TrackerId(uuid.uuid4().hex),
                    region_id=REGION,
                    vehicle_id=vehicle.vehicle_id,
                    protocol=Protocol.BOOKMOBILE,
                    external_id=DeviceId(f"on-{vehicle.vehicle_id}"),
                    name=vehicle.name,
                    created_at=datetime.now(UTC),
                ),
                hash_token(secret),
            )
            depot = depots[str(vehicle.depot_id)]
            points = [depot, *(places[str(v.stop_id)] for v in run_of_day.visits), depot]
            senders.append(Sender(vehicle_id=str(vehicle.vehicle_id), secret=secret, points=points))
    return senders


@pytest.mark.parametrize("every_s", [5])
def test_ingest(tmp_path: Path, url: str, engine: Engine, every_s: int) -> None:  # noqa: F811
    """Vehicles that send a fix a second with a board open: nothing lost, and how fast."""
    now = datetime.now(UTC)
    request, plan = large_plan(now)
    local = now.astimezone(ZoneInfo(request.time_zone)).date()
    fill(engine, now, request=request, plan=plan, first=local, last=local + timedelta(days=1))
    senders = trackers(engine, request, plan)
    server = Server(tmp_path, url)
    server.start()
    try:
        time.sleep(25)
        used = server.cpu_s()
        tally = asyncio.run(
            run(
                server.url,
                senders,
                seconds=SECONDS,
                every_s=every_s,
                region=REGION,
                token=STAFF_TOKEN,
            )
        )
        used = server.cpu_s() - used
        memory_mb = server.memory_mb()
    finally:
        server.kill()
    with reading(engine) as session:
        told = tracker_store.list_trackers(session, REGION)
        done = live_store.followed_to(session)
        behind = len({a.arrival for a in track_store.arrived_after(session, done, limit=100_000)})
    kind = engine.dialect.name
    answers, boards = np.array(tally.answer_s), np.array(tally.board_s)
    ages = np.array(tally.fix_age_s)
    tell(
        f"\n{kind}: {len(senders)} vehicles x 1 Hz in batches of {every_s} for {SECONDS:.0f} s: "
        f"{tally.num_sent:,} fixes sent, {tally.num_stored:,} stored, {tally.num_known} known, "
        f"{tally.num_refused} refused"
    )
    answer_ms = 1e3 * np.quantile(answers, (0.5, 0.95, 0.99))
    board_s = np.quantile(boards, (0.5, 0.95))
    tell(
        f"  answer p50 {answer_ms[0]:.0f} ms, p95 {answer_ms[1]:.0f}, p99 {answer_ms[2]:.0f}; "
        f"from sending to the board p50 {board_s[0]:.2f} s, p95 {board_s[1]:.2f} s; from the fix "
        f"p95 {np.quantile(ages, 0.95):.1f} s ({len(boards):,} seen, asked {tally.num_asked} times)"
    )
    tell(
        f"  server: {used / SECONDS:.2f} cores, {memory_mb:.0f} MB; follower {behind} "
        "transactions behind at the end"
    )
    assert tally.num_sent == tally.num_stored == sum(t.num_stored for t in told)
    assert tally.num_refused == tally.num_known == 0
    with reading(engine) as session:
        assert sum(track_store.num_fixes(session, t) for t in told[:50]) == sum(
            t.num_stored for t in told[:50]
        )


def test_bytes_on_disk(tmp_path: Path, engine: Engine) -> None:
    """Bytes that a fix takes once it is packed, by kind of device."""
    fill(engine, datetime.now(UTC))
    devices = {"1 s, wired": GPS_MOUSE, "15 s, tracker": TRACKER, "10 s, phone": PHONE}
    for name, device in devices.items():
        fixes = seen(drive(0, seed=5), device, seed=5)
        with writing(engine) as session:
            tracker = tracker_store.add_tracker(
                session,
                Tracker(
                    tracker_id=TrackerId(uuid.uuid4().hex),
                    region_id=REGION,
                    vehicle_id=VehicleId(name),
                    protocol=Protocol.FILE,
                    external_id=DeviceId(name),
                    name=name,
                    created_at=datetime.now(UTC),
                ),
                None,
            )
            began = time.perf_counter()
            track_store.add_fixes(session, tracker, fixes, at=datetime.now(UTC))
            stored_s = time.perf_counter() - began
            began = time.perf_counter()
            track_store.settle(
                session, [tracker.number], now=fixes[-1].fix_at + timedelta(days=2), followed=10**9
            )
            packed_s = time.perf_counter() - began
            size, number = session.exec(
                select(
                    func.sum(func.length(TrackChunkRow.data)), func.sum(TrackChunkRow.num)
                ).where(TrackChunkRow.tracker_no == tracker.number)
            ).one()
        tell(
            f"{engine.dialect.name}, {name}: {size / number:.1f} bytes a fix ({number:,}); "
            f"stored {len(fixes) / stored_s:,.0f}/s, packed {number / packed_s:,.0f}/s"
        )
        assert size / number < 25
