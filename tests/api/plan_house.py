"""A service with a region, dispatchers and a stored plan, for tests of plans and their board."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from api.app import create_app
from api.auth import hash_token
from api.jobs.packing import cycle_facts
from api.services.plan_documents import packed
from api.setting_variables import Environment
from api.settings import Settings
from api.state import Service
from data.db import accounts_store, plan_store, region_store
from data.db.engine import writing
from data.db.plan_store import PlanState
from data.feeds.plan_bytes import pins_to_json
from data.feeds.profiles import load_norm_sets, load_rule_sets
from data.model.accounts import Account, Role
from data.model.plan import Plan, PlanRequest
from data.model.region import Region
from planner.score import check, summarise
from tests.databases import build
from tests.planner.examples import make_plan, make_request

PLAN_ID = "5d0b5c3b8f4e4c0f9b1f0f6c2f3f4a11"
BEGAN_AT = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


class House:
    """The application on a database and a port of its own; tokens sign its people in."""

    def __init__(self, folder: Path, *, url: str = "") -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        port = self._socket.getsockname()[1]
        self.address = f"http://localhost:{port}"
        self.settings = Settings(
            language="en",
            cache_dir=folder / "cache",
            data_dir=folder / "data",
            database_url=url or f"sqlite:///{(folder / 'house.sqlite').as_posix()}",
            environment=Environment.DEVELOPMENT,
            port=port,
        )
        self.app = create_app(self.settings)
        self.service: Service = self.app.state.service
        build(self.service.engine)
        self.tokens: dict[str, str] = {}
        self.other = ""
        """A second plan, where a test has made one."""

    def add_person(self, login: str, name: str, role: Role, language: str | None = None) -> None:
        """An account that is signed in."""
        account = Account(
            account_id=f"{login:0>32}",
            login=login,
            name=name,
            roles=(role,),
            created_at=BEGAN_AT,
            language=language,
        )
        token = f"token-of-{login}"
        now = datetime.now(UTC)
        with writing(self.service.engine) as session:
            accounts_store.add_account(session, account, None)
            accounts_store.add_sign_in(
                session, hash_token(token), account.account_id, now, now + timedelta(days=1)
            )
        self.tokens[login] = token

    def add_region(self, region: Region) -> None:
        with writing(self.service.engine) as session:
            region_store.add_region(session, region, at=BEGAN_AT)

    def add_plan(
        self, request: PlanRequest, plan: Plan, *, plan_id: str = PLAN_ID, name: str = "Winter"
    ) -> str:
        """Store a plan as a job would."""
        given, state = packed(request, plan)
        with writing(self.service.engine) as session:
            plan_store.add_plan(
                session,
                plan_id=plan_id,
                region_id=request.region_id,
                name=name,
                request=given,
                state=PlanState(
                    plan=state,
                    pins=pins_to_json(request.pins),
                    step={"code": "step.begun"},
                    summary=asdict(summarise(request, plan)),
                    num_violations=len(check(request, plan)),
                ),
                facts=cycle_facts(request),
                at=BEGAN_AT,
                by=None,
            )
        return plan_id

    @contextmanager
    def serving(self) -> Iterator["House"]:
        """The application behind a real server until the end of the block."""
        config = uvicorn.Config(self.app, log_level="warning", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [self._socket]})
        thread.start()
        try:
            with httpx.Client(base_url=self.address, timeout=30, verify=False) as http:
                _wait_for(http)
                self._http = http
                yield self
        finally:
            server.should_exit = True
            thread.join()
            self._socket.close()

    def client(self, login: str | None = None, language: str = "en") -> "Client":
        """Requests as somebody sends them."""
        return Client(self._http, self.tokens.get(login or ""), language)

    def page(self, path: str, login: str | None, language: str) -> httpx.Response:
        """A page of the region's desk, as a browser of somebody asks for it."""
        token = self.tokens.get(login or "")
        headers = {"accept": "text/html", "accept-language": language}
        if token:
            headers["cookie"] = f"session={token}"
        return self._http.get(f"/desk/{make_request().region_id}{path}", headers=headers)


class Client:
    """Requests of one person; ``version`` goes along as ``If-Match``."""

    def __init__(self, http: httpx.Client, token: str | None, language: str) -> None:
        self._http = http
        self._headers = {"accept-language": language}
        if token is not None:
            self._headers["authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: Any) -> Any:
        return self._http.get(f"/api/v1{path}", params=query, headers=self._headers)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: int | None = None,
        **headers: str,
    ) -> Any:
        sent = {**self._headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        if version is not None:
            sent["if-match"] = f'"{version}"'
        return self._http.request(method, f"/api/v1{path}", json=body, headers=sent)

    def edit(self, steps: list[dict[str, Any]], version: int, **more: Any) -> Any:
        """Take steps on the plan, or with ``dry_run=True`` only try them."""
        body = {"steps": steps, **more}
        return self.send("POST", f"/plans/{PLAN_ID}/edits", body, version=version)


def _wait_for(http: httpx.Client) -> None:
    for _ in range(200):
        try:
            http.get("/health")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the server does not answer")


def small_region() -> Region:
    """The region of the small plan in Chernyakhovsk district; travel there is estimated."""
    request = make_request()
    return Region(
        region_id=request.region_id,
        names={"en": "Chernyakhovsk district", "ru": "Черняховский район"},
        time_zone=request.time_zone,
        language="ru",
        crs="EPSG:32634",
        norm_set_id="design-default",
        norm_sets=tuple(load_norm_sets().values()),
        rule_sets=load_rule_sets(),
        depots=request.depots,
        vehicles=request.vehicles,
        stops=request.stops,
    )


def small_house(folder: Path, *, url: str = "") -> House:
    """A service with the small plan, two dispatchers and an analyst."""
    house = House(folder, url=url)
    house.add_person("anna", "Anna", Role.DISPATCHER)
    house.add_person("boris", "Борис", Role.DISPATCHER)
    house.add_person("vera", "Vera", Role.ANALYST)
    house.add_region(small_region())
    house.add_plan(make_request(), make_plan())
    return house
