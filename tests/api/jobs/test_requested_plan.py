"""Residents who asked for a stop are expected by new plans, once a person has let them count."""

from datetime import UTC, date, datetime
from typing import Any

from api.jobs.params import PlanParams
from api.services.plan_documents import OpenedPlan, open_plan
from api.services.stop_requests import answer_request, count_request
from data.db import stop_request_store
from data.db.engine import reading, writing
from data.model.demand import PrizeBy
from data.model.place import Stop
from data.model.stop_request import RequestState, StopRequest
from tests.api.jobs.yard import DORA, REGION_ID, Yard

AT = datetime(2026, 2, 27, 12, 0, tzinfo=UTC)
ASKED = PlanParams(start_date=date(2026, 3, 2), time_limit_s=1, prize_by=PrizeBy.DEMAND)


def planned(yard: Yard, **more: Any) -> OpenedPlan:
    job = yard.done(ASKED.model_copy(update=more))
    with reading(yard.engine) as session:
        return open_plan(session, job.plan_id or "")


def stops_of(opened: OpenedPlan) -> dict[str, Stop]:
    return {str(s.stop_id): s for s in opened.request.stops}


def test_a_new_plan_expects_those_who_count(busy: Yard) -> None:
    """Counted, a request raises its stop alone, and the plan names it; taken back, a plan is as
    before."""
    before = stops_of(planned(busy))
    with writing(busy.engine) as session:
        asked = StopRequest(
            request_id="r1", region_id=REGION_ID, place="Wing", reason="far away", people=90,
            settlement_id="wing", language="en", created_at=AT,
        )  # fmt: skip
        stop_request_store.add_request(session, asked, "0" * 64)
        answer_request(session, REGION_ID, "r1", RequestState.ACCEPTED, "Yes.", by=DORA, at=AT)
        count_request(session, REGION_ID, "r1", 90, by=DORA, at=AT)
    opened = planned(busy)
    raised = stops_of(opened)
    (wing,) = (s for s in raised.values() if "wing" in s.settlement_ids)
    assert wing.visits_expected is not None
    assert wing.visits_expected.mean == 36.0
    assert wing.prize == 36.0 * wing.visits_per_cycle
    assert {k: s for k, s in raised.items() if s != before[k]} == {str(wing.stop_id): wing}
    assert opened.stored.facts["stop_requests"] == [{"stop": wing.name, "people": 90}]
    assert "stop_requests_aside" not in opened.stored.facts
    by_people = planned(busy, prize_by=PrizeBy.PEOPLE)
    assert by_people.stored.facts["stop_requests_aside"] == [{"stop": wing.name, "people": 90}]
    assert "stop_requests" not in by_people.stored.facts
    (same,) = (s for s in stops_of(by_people).values() if "wing" in s.settlement_ids)
    assert same.prize != wing.prize, "what it is worth to its residents"
    with writing(busy.engine) as session:
        count_request(session, REGION_ID, "r1", None, by=DORA, at=AT)
    assert stops_of(planned(busy)) == before
