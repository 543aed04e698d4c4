"""A service with a small published plan near Chernyakhovsk and a clock of its own."""

import socket
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine

from api.app import create_app
from api.auth import hash_token
from api.road import Road
from api.services.live_view import DriverTrack, day_tracks
from api.services.plan_documents import packed
from api.services.trackers import NewTracker, SetUp, add_tracker
from api.serving import make_server
from api.setting_variables import Environment
from api.settings import Settings
from api.state import Service
from data.db import accounts_store, live_store, plan_store, publication_store, region_store
from data.db.engine import reading, writing
from data.db.plan_store import PlanState
from data.db.publication_store import Timetable
from data.feeds.plan_bytes import pins_to_json
from data.model.accounts import Account, Caller, Role
from data.model.fleet import VehicleId
from data.model.live import DayEnds, StopActual, VehicleNow
from data.model.plan import Plan, PlanRequest
from data.model.public_timetable import places_of
from data.model.publication import Publishing, lay, reconcile
from data.model.region import Region
from data.model.telemetry import Fix
from data.model.tracker import Protocol
from fleet import batch
from tests.databases import build
from tests.fleet.days import DAY, world
from tests.fleet.days import plan as small_plan

REGION = world().region_id
FIRST, LAST = DAY - timedelta(days=7), DAY + timedelta(days=60)
NORTH, SOUTH = (v.vehicle_id for v in world().vehicles[:2])
ANNA = Caller(account_id="a" * 32, name="Анна", roles=frozenset({Role.DISPATCHER}))
STAFF_TOKEN = "token-of-anna"


def fill(
    engine: Engine,
    at: datetime,
    *,
    request: PlanRequest | None = None,
    plan: Plan | None = None,
    first: date = FIRST,
    last: date = LAST,
    roads_file: str = "",
) -> None:
    """Store region, plan, its timetable between two dates, and a dispatcher who is signed in."""
    request, plan = request or world(), plan or small_plan()
    given, state = packed(request, plan)
    plan_id, timetable_id = uuid.uuid4().hex, uuid.uuid4().hex
    with writing(engine) as session:
        region_store.add_region(
            session,
            Region(
                region_id=REGION,
                names={"en": "Chernyakhovsk", "ru": "Черняховск"},
                time_zone=request.time_zone,
                language="ru",
                crs="EPSG:32634",
                depots=request.depots,
                vehicles=request.vehicles,
                stops=request.stops,
                calendar=request.calendar,
                roads_file=roads_file,
            ),
            at=at,
        )
        plan_store.add_plan(
            session,
            plan_id=plan_id,
            region_id=REGION,
            name="plan",
            request=given,
            state=PlanState(
                plan=state,
                pins=pins_to_json(request.pins),
                step={"code": "step.begun"},
                summary={},
                num_violations=0,
            ),
            facts={},
            at=at,
            by=None,
        )
        publication_store.add_timetable(
            session,
            Timetable(
                timetable_id=timetable_id,
                region_id=REGION,
                version=1,
                plan_id=plan_id,
                plan_revision=1,
                from_date=first,
                until_date=last,
                places=places_of(request.stops, request.vehicles),
                published_at=at,
            ),
        )
        publishing = Publishing(
            region_id=REGION,
            timetable_id=timetable_id,
            from_date=first,
            now=(first, 0),
            reach_days=14,
            at=at,
            make_id=lambda: uuid.uuid4().hex,
        )
        laid = lay(request, plan, from_date=first, until_date=last)
        publication_store.put_visits(session, reconcile((), laid, publishing=publishing).to_store)
        publication_store.advance(session, REGION, at=at)
        account = Account(
            account_id=ANNA.account_id or "",
            login="anna",
            name="Анна",
            roles=(Role.DISPATCHER,),
            created_at=at,
        )
        accounts_store.add_account(session, account, None)
        accounts_store.add_sign_in(
            session,
            hash_token(STAFF_TOKEN),
            account.account_id,
            at,
            at + timedelta(days=90),
        )


class Depot:
    """The application on a database; ``now`` is its clock."""

    def __init__(
        self,
        folder: Path,
        now: datetime,
        *,
        url: str = "",
        contents: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self.now = now
        self.settings = Settings(
            language="en",
            cache_dir=folder / "cache",
            data_dir=folder,
            database_url=url,
            environment=Environment.DEVELOPMENT,
            **settings,
        )
        self.app = create_app(self.settings)
        self.service: Service = self.app.state.service
        self.road: Road = self.app.state.road
        # Everything that asks for the time asks here.
        self.service.clock = self.clock
        for part in (self.road.intake, self.road.follower, self.road.known, self.road.lines):
            part._clock = self.clock
        build(self.service.engine)
        fill(self.service.engine, now, **(contents or {}))
        self.client: httpx.Client

    def clock(self) -> datetime:
        return self.now

    @property
    def engine(self) -> Engine:
        return self.service.engine

    def add(
        self,
        protocol: Protocol,
        external_id: str | None = None,
        vehicle_id: VehicleId | None = NORTH,
        *,
        needs_secret: bool = True,
    ) -> SetUp:
        """A tracker."""
        asked = NewTracker(
            vehicle_id=vehicle_id,
            protocol=protocol,
            external_id=external_id,
            name=f"{protocol} {external_id}",
            needs_secret=needs_secret,
        )
        found = add_tracker(self.service, ANNA, REGION, asked)
        self.road.known.forget()
        return found

    def send(self, secret: str | None, fixes: Sequence[Fix]) -> dict[str, Any]:
        """A batch of our own, sent over HTTP; the answer."""
        answer = self.client.post(
            "/api/v1/positions",
            content=batch.encode(fixes, sent_at=self.now),
            headers={"authorization": f"Bearer {secret}"},
        )
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def get(self, path: str, **query: Any) -> Any:
        """What a dispatcher is told; the path begins behind the region."""
        answer = self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        """A dispatcher's request."""
        headers = {"authorization": f"Bearer {STAFF_TOKEN}"} | given.pop("headers", {})
        return self.client.request(
            method, f"/api/v1/regions/{REGION}/{path}", headers=headers, **given
        )

    def follow(self, rounds: int = 1) -> None:
        """Let the follower look at everything now, in this thread."""
        follower = self.road.follower
        for _ in range(rounds):
            follower._rolled_s = -1e9
            for held in follower._days.values():
                held.looked_s, held.read_s = -1e9, -1e9
                held.is_touched = True
            while follower.step():
                pass
            for held in follower._days.values():
                held.read_s = -1e9
            follower.step()

    def actuals(self, vehicle_id: VehicleId = NORTH, on: date = DAY) -> tuple[StopActual, ...]:
        """What became of the stop visits."""
        with reading(self.engine) as session:
            return live_store.load_actuals(
                session, REGION, from_date=on, until_date=on, vehicle_id=vehicle_id
            )

    def tracks(self) -> tuple[DriverTrack, ...]:
        """What is kept of the way driven."""
        with reading(self.engine) as session:
            return day_tracks(session, REGION, NORTH, DAY)

    def ends(self, vehicle_id: VehicleId = NORTH, on: date = DAY) -> DayEnds | None:
        with reading(self.engine) as session:
            found = live_store.load_days(
                session, REGION, from_date=on, until_date=on, vehicle_id=vehicle_id
            )
        return found[0] if found else None

    def vehicle(self, vehicle_id: VehicleId = NORTH) -> VehicleNow | None:
        with reading(self.engine) as session:
            return live_store.vehicle_now(session, REGION, vehicle_id)

    def facts(self) -> list[dict[str, Any]]:
        """The actual stop visits as plain values, without what each database numbers anew."""
        own = {"visit_id", "key"}
        return [{k: v for k, v in asdict(a).items() if k not in own} for a in self.actuals()]


@contextmanager
def depot(folder: Path, now: datetime, **settings: Any) -> Iterator[Depot]:
    """A depot whose application answers; the follower is moved by hand."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        made = Depot(folder, now, port=bound.getsockname()[1], **settings)
        made.road.follower.start = lambda: None  # type: ignore[method-assign]
        made.road.lines.start = lambda: None  # type: ignore[method-assign]
        server = make_server(made.app, made.settings, log_level="warning")
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        try:
            with httpx.Client(
                base_url=f"http://localhost:{made.settings.port}", timeout=60, verify=False
            ) as client:
                made.client = client
                yield made
        finally:
            server.should_exit = True
            thread.join(timeout=30)
            made.engine.dispose()
