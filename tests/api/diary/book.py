"""A library whose tablet writes at the day's real stop visits, and its records."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from api.services.visit_records import keep_records
from api.services.visit_records_days import Kept
from data.db import audit_store, live_store, publication_store, visit_record_store
from data.db.engine import reading
from data.model.live import StopActual
from data.model.publication import PromisedVisit
from data.model.records import AuditEntry
from data.model.visit_record import VisitRecord
from tests.api.circulation.library import STOPS, Library, TabletAt, library, pair
from tests.api.tracking.depot import NORTH, REGION
from tests.fleet.days import DAY


@dataclass(slots=True, kw_only=True)
class Book:
    """The records of the day at which the library stands."""

    library: Library
    tablet: TabletAt
    token: str
    visits: dict[str, PromisedVisit] = field(default_factory=dict)
    """Of the first vehicle, by stop."""

    def keep(self) -> Kept:
        """Bring the records to what is known."""
        return keep_records(self.library.service, REGION)

    def write(self, kind: str, at: datetime, stop: str, **body: Any) -> dict[str, Any]:
        """An event of the tablet at a planned visit."""
        event = self.tablet.write(kind, at, stop, **body)
        event["visit_id"] = self.visits[stop].visit_id
        return event

    def sync(self) -> None:
        """Bring what the tablet has written; all of it is taken."""
        answer = self.library.bring(self.token, self.tablet)
        refused = [a for a in answer["answers"] if a["answer"] == "refused"]
        assert refused == []

    @property
    def records(self) -> dict[str, VisitRecord]:
        """Of the first vehicle's day, by stop, unplanned ones by key."""
        with reading(self.library.engine) as session:
            found = visit_record_store.load_records(
                session, REGION, from_date=DAY, until_date=DAY, vehicle_id=NORTH
            )
        return {str(r.stop_id or r.key): r for r in found}

    @property
    def actuals(self) -> dict[str, StopActual]:
        """What the board tells of the day, by stop."""
        with reading(self.library.engine) as session:
            found = live_store.load_actuals(
                session, REGION, from_date=DAY, until_date=DAY, vehicle_id=NORTH
            )
        return {str(a.stop_id): a for a in found}

    def audit(self, action: str) -> list[AuditEntry]:
        """What the log tells of an action, the newest first."""
        with reading(self.library.engine) as session:
            return list(audit_store.entries(session, limit=50, action=action))


@contextmanager
def book(folder: Path) -> Iterator[Book]:
    """A library at half past four of the day, its records not made yet."""
    with library(folder) as made:
        device, token = pair(made.engine, 1)
        with reading(made.engine) as session:
            visits = publication_store.load_visits(
                session, REGION, from_date=DAY, until_date=DAY, vehicle_id=NORTH
            )
        told = {str(v.stop_id): v for v in visits}
        assert set(told) == {str(s) for s in STOPS}
        yield Book(library=made, tablet=TabletAt(device=device), token=token, visits=told)
