"""Plans put straight into the database of a running service."""

from dataclasses import asdict, replace
from datetime import UTC, datetime

from sqlalchemy import Engine

from api.jobs.packing import cycle_facts
from api.services.plan_documents import packed
from data.db import plan_store
from data.db.engine import writing
from data.db.plan_store import PlanState
from data.feeds.plan_bytes import pins_to_json
from data.model.plan import Plan, PlanRequest
from planner.score import check, summarise
from tests.planner.examples import KAMENSKOE, make_plan, make_request


def add_small_plan(engine: Engine, plan_id: str, name: str, hostile: str = "") -> None:
    """The small plan of Chernyakhovsk district; ``hostile`` is the name of one of its stops."""
    asked = make_request()
    if hostile:
        stops = tuple(replace(s, name=hostile) if s == KAMENSKOE else s for s in asked.stops)
        asked = replace(asked, stops=stops)
    add_plan(engine, plan_id, name, asked, make_plan())


def add_plan(engine: Engine, plan_id: str, name: str, asked: PlanRequest, plan: Plan) -> None:
    """A plan in its first state."""
    given, state = packed(asked, plan)
    with writing(engine) as session:
        plan_store.add_plan(
            session,
            plan_id=plan_id,
            region_id=asked.region_id,
            name=name,
            request=given,
            state=PlanState(
                plan=state,
                pins=pins_to_json(asked.pins),
                step={"code": "step.begun"},
                summary=asdict(summarise(asked, plan)),
                num_violations=len(check(asked, plan)),
            ),
            facts=cycle_facts(asked),
            at=datetime.now(UTC),
            by=None,
        )
