"""A running service with a region for tests of regions, and requests to it."""

import time
from typing import Any

import httpx

from api.services.region_parts import RegionParts, make_parts
from data.db import region_store
from data.db.engine import reading, writing
from data.model.accounts import PROGRAM
from data.model.region import Region
from tests.e2e.service import Running


def parts_of(running: Running) -> RegionParts:
    """The parts of the running application."""
    state = running.app.state
    if getattr(state, "region_parts", None) is None:
        state.region_parts = make_parts(running.service)
    parts: RegionParts = state.region_parts
    return parts


def add_bundled(running: Running, name: str = "kaliningrad") -> Region:
    """Store a bundled region."""
    return parts_of(running).setup.add_bundled(name, PROGRAM, at=running.service.clock())


def add_region(running: Running, region: Region) -> None:
    """Store a region of a test."""
    with writing(running.engine) as session:
        region_store.add_region(session, region, at=running.service.clock())


def region_of(running: Running, region_id: str) -> Region:
    """A region as it is stored now."""
    with reading(running.engine) as session:
        return region_store.load_region(session, region_id)


def region_ids(running: Running) -> set[str]:
    """Ids of the stored regions."""
    with reading(running.engine) as session:
        return {r.region_id for r in region_store.list_regions(session, with_closed=True)}


class Importer:
    """One import over HTTP."""

    def __init__(self, client: httpx.Client, **body: Any) -> None:
        self.client = client
        answer = client.post("/api/v1/imports", json=body)
        assert answer.status_code == 201, answer.text
        self.path = answer.headers["location"]

    @property
    def draft_id(self) -> str:
        return self.path.rsplit("/", 1)[1]

    def send(self, name: str, content: bytes, kind: str | None = None) -> httpx.Response:
        """Upload a file."""
        query = {"name": name} | ({"kind": kind} if kind else {})
        return self.client.put(f"{self.path}/uploads", params=query, content=content)

    def give(self, name: str, content: bytes | str, kind: str | None = None) -> str:
        """Upload a file that is taken, and give its id."""
        raw = content.encode() if isinstance(content, str) else content
        answer = self.send(name, raw, kind)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["files"][-1]["file_id"])

    def read(self, *, patience_s: float = 240.0) -> dict[str, Any]:
        """Read the files and give the report."""
        answer = self.client.post(f"{self.path}/reading")
        assert answer.status_code == 202, answer.text
        return self.wait(patience_s=patience_s)

    def wait(self, *, patience_s: float = 240.0) -> dict[str, Any]:
        """The report, once there is one."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            view: dict[str, Any] = self.client.get(self.path).json()
            if view["state"] != "reading":
                return view
            time.sleep(0.1)
        raise AssertionError("the reading does not end")

    def confirm(self) -> httpx.Response:
        return self.client.post(f"{self.path}/confirmation")
