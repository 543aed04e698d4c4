"""From driven days to a plan that goes by them: published, driven, learned, accepted, planned."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import Engine

from api.jobs.params import PlanParams
from api.services.learned_times import decide_learned, propose_learned
from api.services.plan_documents import OpenedPlan, open_plan
from api.services.publishing import PublishAsked, publish
from data.db.engine import reading, writing
from data.model.jobs import Job
from data.model.learned_proposal import LearnedProposal, ProposalState
from planner.score import check
from tests.api.days.driven import drive_day, follow
from tests.api.jobs.yard import DORA, REGION_ID, Yard

MONDAY = date(2026, 3, 2)
NUM_DAYS = 28
FIRST = PlanParams(name="By the map", start_date=MONDAY, time_limit_s=1)


@dataclass(kw_only=True)
class After:
    """The service when the first four weeks have been driven."""

    engine: Engine
    now: datetime


def published(yard: Yard) -> Job:
    """A plan of four weeks, published from its first day on."""
    job = yard.done(FIRST)
    asked = PublishAsked(plan_id=job.plan_id or "", from_date=MONDAY)
    at = datetime(2026, 2, 27, 12, 0, tzinfo=UTC)
    with writing(yard.engine) as session:
        publish(session, REGION_ID, asked, expect_revision=None, by=DORA, at=at)
    return job


def proposed(yard: Yard, folder: Path) -> LearnedProposal:
    """What the driven weeks taught."""
    last = MONDAY + timedelta(days=NUM_DAYS - 1)
    now = datetime(last.year, last.month, last.day, 23, 0, tzinfo=UTC)
    after = After(engine=yard.engine, now=now)
    for number in range(NUM_DAYS):
        drive_day(after, MONDAY + timedelta(days=number), seed=number, region_id=REGION_ID)
    follow(after, folder)
    with writing(yard.engine) as session:
        return propose_learned(session, REGION_ID, MONDAY, last, by=DORA, at=now)


def decide(yard: Yard, proposal: LearnedProposal, state: ProposalState) -> None:
    with writing(yard.engine) as session:
        decide_learned(
            session, REGION_ID, proposal.proposal_id, state, expect_revision=None, note="",
            by=DORA, at=datetime.now(UTC),
        )  # fmt: skip


def planned(yard: Yard, **more: bool) -> OpenedPlan:
    """A new plan of the same weeks, made by a job."""
    job = yard.done(FIRST.model_copy(update=more))
    with reading(yard.engine) as session:
        return open_plan(session, job.plan_id or "")


def drives_as(one: OpenedPlan, other: OpenedPlan) -> bool:
    """Whether two plans take the same time for every way."""
    pairs = zip(one.request.travel.values(), other.request.travel.values(), strict=True)
    return all(np.array_equal(a.travel_s, b.travel_s) for a, b in pairs)


def test_a_plan_goes_by_what_was_accepted(busy: Yard, tmp_path: Path) -> None:
    """Proposed it changes nothing; accepted, drives take its times and the plan names it;
    asked to leave it out, or once it is out of use, a plan is as before."""
    first = published(busy)
    with reading(busy.engine) as session:
        by_map = open_plan(session, first.plan_id or "")
    proposal = proposed(busy, tmp_path)
    assert drives_as(planned(busy), by_map), "a proposal alone is only a proposal"

    decide(busy, proposal, ProposalState.ACCEPTED)
    taught = planned(busy)
    assert not drives_as(taught, by_map)
    assert check(taught.request, taught.plan) == (), "with the buffers too every rule is kept"
    assert taught.plan.provenance is not None
    assert proposal.proposal_id[:8] in str(taught.plan.provenance.parameters)
    assert drives_as(planned(busy, use_learned=False), by_map)

    decide(busy, proposal, ProposalState.WITHDRAWN)
    assert drives_as(planned(busy), by_map)
