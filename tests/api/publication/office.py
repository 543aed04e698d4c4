"""A dispatcher's office at a fixed time: a region and its plan in a database."""

import uuid
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Engine

from api.services import cancelling, make_up, publishing
from api.services.plan_documents import packed
from api.services.publishing import PublishAsked, PublishPreview
from data.db import plan_store, publication_store, region_store
from data.db.engine import reading, writing
from data.db.plan_store import PlanState
from data.db.publication_store import Timetable
from data.feeds.plan_bytes import pins_to_json
from data.model.accounts import Caller, Role
from data.model.cancellation import Cancellation, CancelReason, Notice, Scope, ServiceException
from data.model.place import Settlement, SettlementId, Stop, StopKind
from data.model.plan import Plan, PlanRequest
from data.model.publication import PromisedVisit, VisitId
from data.model.region import Region
from planner.score import check, summarise
from tests.planner.examples import FIRST, make_plan, make_request

REGION = "kaliningrad"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
"""Thursday before the first week of the plan, 14:00 in Kaliningrad."""
ANNA = Caller(account_id="a" * 32, name="Анна", roles=frozenset({Role.DISPATCHER}))
FIRST_DATE, LAST_DATE = date(2026, 11, 30), date(2027, 1, 24)


def region() -> Region:
    """The region of the small plan, with the villages around its stops."""
    request = make_request()
    villages = (
        ("kalinovka", "Калиновка", 21.77611, 54.80556, 501),
        ("kaluzhskoe", "Калужское", 21.90389, 54.80472, 470),
        ("kamenskoe", "Каменское", 21.55222, 54.65694, 547),
        ("zelenyy", "Зелёный Бор", 21.7900, 54.8100, 40),
    )
    return Region(
        region_id=request.region_id,
        names={"en": "Chernyakhovsk district", "ru": "Черняховский район"},
        time_zone=request.time_zone,
        language="ru",
        crs="EPSG:32634",
        settlements=tuple(
            Settlement(settlement_id=SettlementId(i), name=n, lon=x, lat=y, population=p)
            for i, n, x, y, p in villages
        ),
        depots=request.depots,
        vehicles=request.vehicles,
        stops=request.stops,
        calendar=request.calendar,
    )


class Office:
    """The services on a database, with the clock in hand."""

    def __init__(self, engine: Engine, stored: Region | None = None) -> None:
        self.engine = engine
        self.now = NOW
        self.plan_ids: dict[str, str] = {}
        with writing(engine) as session:
            region_store.add_region(session, stored or region(), at=NOW)
        self.add_plan("plan-1", make_request(), make_plan())

    @classmethod
    def reopened(cls, engine: Engine, plan_ids: dict[str, str]) -> "Office":
        """The office on a copy of another one's database."""
        office = cls.__new__(cls)
        office.engine, office.now, office.plan_ids = engine, NOW, dict(plan_ids)
        return office

    def add_plan(self, name: str, request: PlanRequest, plan: Plan) -> str:
        """Store a plan as a job would; its id is one that no other test has used."""
        plan_id = self.plan_ids[name] = uuid.uuid4().hex
        given, state = packed(request, plan)
        with writing(self.engine) as session:
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
                facts={},
                at=self.now,
                by=None,
            )
        return plan_id

    def preview(self, plan_id: str = "plan-1", **asked: Any) -> PublishPreview:
        """What publishing would change."""
        with reading(self.engine) as session:
            return publishing.preview(session, REGION, self._asked(plan_id, asked), at=self.now)

    def publish(
        self, plan_id: str = "plan-1", *, expect: int | None = None, **asked: Any
    ) -> Timetable:
        """Publish eight weeks from the plan's first Monday, unless asked for others."""
        with writing(self.engine) as session:
            return publishing.publish(
                session, REGION, self._asked(plan_id, asked), expect_revision=expect, by=ANNA,
                at=self.now,
            )  # fmt: skip

    def visits(self, **which: Any) -> tuple[PromisedVisit, ...]:
        """Promised visits, whatever has become of them."""
        with reading(self.engine) as session:
            return publication_store.load_visits(session, REGION, **which)

    def visit(self, stop_id: str, on: date) -> PromisedVisit:
        """The one visit of a stop on a date."""
        (found,) = [
            v for v in self.visits() if v.stop_id == stop_id and v.service_date == on and v.is_told
        ]
        return found

    def notices(self) -> tuple[Notice, ...]:
        """Notices that are not withdrawn, the newest first."""
        with reading(self.engine) as session:
            return publication_store.load_notices(session, REGION)

    def cancel(
        self,
        scope: Scope | str,
        reason: CancelReason = CancelReason.WEATHER,
        *,
        seen: str | None = None,
        **which: Any,
    ) -> ServiceException:
        """Cancel at once."""
        asked = Cancellation(scope=Scope(scope), reason=reason, **which)
        with writing(self.engine) as session:
            return cancelling.cancel(session, REGION, asked, seen=seen, by=ANNA, at=self.now)

    def undo(self, exception_id: str) -> ServiceException:
        """Take a cancellation back."""
        with writing(self.engine) as session:
            return cancelling.undo(session, REGION, exception_id, by=ANNA, at=self.now)

    def offers(self, visit_id: VisitId) -> tuple[make_up.Offer, ...]:
        """Places for a make-up visit."""
        with reading(self.engine) as session:
            return make_up.offers(session, REGION, visit_id, at=self.now)

    def accept(self, offer: make_up.Offer) -> PromisedVisit:
        """Take one of them."""
        with writing(self.engine) as session:
            return make_up.accept(session, REGION, offer.missed_id, offer.key, by=ANNA, at=self.now)

    def rename(self, stop_id: str, name: str) -> None:
        """Give a stop another name on its card."""
        self._put(stop_id, name=name)

    def make_private(self, stop_id: str) -> None:
        """Take a stop from the public."""
        self._put(stop_id, kind=StopKind.PRIVATE)

    def _put(self, stop_id: str, **changes: Any) -> None:
        with writing(self.engine) as session:
            stored = region_store.get_thing(session, REGION, Stop, stop_id)
            region_store.put_thing(
                session, REGION, replace(stored.thing, **changes), at=self.now,
                expect_revision=stored.revision,
            )  # fmt: skip

    def _asked(self, name: str, asked: dict[str, Any]) -> PublishAsked:
        dates = {"from_date": FIRST_DATE, "until_date": LAST_DATE}
        return PublishAsked(**{"plan_id": self.plan_ids[name], **dates, **asked})


VEHICLE_ID = FIRST.vehicle_id
