"""Each kind of job does what it is for, and refuses what it cannot."""

from datetime import UTC, date, datetime

import pytest

from api.jobs.params import (
    ExplainParams,
    FleetSizeParams,
    FrontierParams,
    PlanParams,
    ReplanParams,
)
from api.services.job_views import job_detail
from api.services.jobs import keep_choice
from api.services.plan_documents import open_plan
from api.words import Words
from data.db import job_store, plan_store
from data.db.engine import reading, writing
from data.db.plan_store import PlanState
from data.feeds.plan_bytes import pack_plan, pins_to_json
from data.model.errors import ConflictError, InputError, NotFoundError
from data.model.jobs import Job, JobState
from data.model.pins import KeptRun, Pins
from planner.score import check
from tests.api.jobs.yard import DORA, REGION_ID, Yard
from tests.plan_example import COTTESMORE, NORTH, WING

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
MONDAY = date(2026, 3, 2)


@pytest.fixture(scope="module")
def planned(busy: Yard) -> Job:
    """A plan of four weeks that everybody starts from."""
    return busy.done(PlanParams(name="Spring", start_date=MONDAY, time_limit_s=1))


def pinned(yard: Yard, plan_id: str, pins: Pins) -> int:
    """A step in which a person pins something; the new version."""
    with writing(yard.engine) as session:
        opened = open_plan(session, plan_id)
        stored = plan_store.append_state(
            session,
            plan_id,
            expect_version=opened.stored.version,
            state=PlanState(
                plan=pack_plan(opened.plan),
                pins=pins_to_json(pins),
                step={"code": "step.pin_run"},
                summary=dict(opened.stored.summary),
                num_violations=0,
            ),
            at=NOW,
            by=DORA.account_id,
        )
    return stored.version


def test_a_plan_goes_on_from_another_on_dates(busy: Yard, planned: Job) -> None:
    """A dated plan begun from a cycle, with a pin and one vehicle less, keeps the pin."""
    job = busy.done(
        PlanParams(
            start_date=MONDAY,
            until_date=date(2026, 3, 29),
            from_plan_id=planned.plan_id,
            num_vehicles=1,
            pin=[f"{COTTESMORE.stop_id}@{NORTH.vehicle_id}:2026-03-10T11:00"],
            time_limit_s=1,
        )
    )
    with reading(busy.engine) as session:
        opened = open_plan(session, job.plan_id or "")
    assert opened.stored.from_plan_id == planned.plan_id
    assert not opened.request.cycle.repeats
    times = {
        (run.day, visit.start_s)
        for run in opened.plan.runs
        for visit in run.visits
        if visit.stop_id == COTTESMORE.stop_id
    }
    assert times == {(8, 11 * 3600)}
    assert check(opened.request, opened.plan) == ()
    assert job.result["num_changes"] > 0


def test_what_is_pinned_outlasts_a_new_search(busy: Yard, planned: Job) -> None:
    """A vehicle's day that was pinned empty stays empty; the rest is moved elsewhere."""
    plan_id = planned.plan_id or ""
    with reading(busy.engine) as session:
        first = open_plan(session, plan_id).plan.runs[0]
    keep = Pins(kept=(KeptRun(vehicle_id=first.vehicle_id, day=first.day),))
    version = pinned(busy, plan_id, keep)
    job = busy.done(ReplanParams(plan_id=plan_id, expect_version=version, time_limit_s=1))
    with reading(busy.engine) as session:
        after = open_plan(session, plan_id)
    assert (job.plan_id, after.stored.version) == (plan_id, version + 1)
    assert after.stored.step["code"] == "step.replanned"
    assert after.request.pins == keep
    used = {(run.vehicle_id, run.day) for run in after.plan.runs}
    assert (first.vehicle_id, first.day) not in used
    assert job.result["summary"]["stops_served"] == 5
    assert after.stored.can_undo


def test_a_plan_changed_meanwhile_keeps_both(busy: Yard, planned: Job) -> None:
    """A dispatcher's step taken during the search stands, and the result stands beside it."""
    plan_id = planned.plan_id or ""
    with reading(busy.engine) as session:
        first = open_plan(session, plan_id).plan.runs[0]
    gone = Pins(kept=(KeptRun(vehicle_id=first.vehicle_id, day=first.day),))
    pinned(busy, plan_id, gone)
    versions: list[int] = []
    job = busy.done(
        ReplanParams(plan_id=plan_id, time_limit_s=1),
        meanwhile=lambda: versions.append(pinned(busy, plan_id, Pins())),
    )
    assert job.result["is_aside"]
    assert busy.plan(plan_id).version == versions[0]
    aside = busy.plan(job.plan_id)
    assert (aside.name, aside.from_plan_id) == ("Spring", plan_id)
    assert job_detail(Words("en"), job).message.startswith("The plan was changed meanwhile")


def test_a_stale_page_is_told_at_once(busy: Yard, planned: Job) -> None:
    """Who asks from a version that is gone is refused before any search."""
    with pytest.raises(ConflictError) as refused:
        busy.ask(ReplanParams(plan_id=planned.plan_id or "", expect_version=99))
    assert refused.value.code == "store.stale"


def test_what_is_no_better_is_no_step(busy: Yard, planned: Job) -> None:
    """With a cap of none no time changes; once nothing better is found, nothing is stored."""
    asked = ReplanParams(plan_id=planned.plan_id or "", max_changes=0, time_limit_s=1)
    first = busy.done(asked)
    version = busy.plan(planned.plan_id).version
    job = busy.done(asked)
    assert first.result["num_changes"] == job.result["num_changes"] == 0
    assert job.result["is_same"]
    assert busy.plan(planned.plan_id).version == version
    assert job_detail(Words("en"), job).message.startswith("Nothing better")


def test_pins_that_cannot_hold_are_told(busy: Yard) -> None:
    """The plan is not stored; the reason names the stop, in either language."""
    before = len(busy.plans())
    job = busy.do(
        PlanParams(
            start_date=MONDAY,
            pin=[f"{WING.stop_id}@{NORTH.vehicle_id}:2026-03-20T03:00"],
            weeks=4,
            time_limit_s=1,
        )
    )
    assert job.state is JobState.FAILED and job.failure is not None
    assert job.failure.code == "jobs.broken_rules"
    assert len(busy.plans()) == before
    for language in ("en", "ru"):
        told = job_detail(Words(language), job)
        assert told.failure is not None and told.failure.problems
        assert "Wing" in " ".join(p.message for p in told.failure.problems)
        assert not [p for p in told.failure.problems if "{" in p.message or p.message == p.code]


def test_unserved_stops_are_explained(busy: Yard, planned: Job) -> None:
    """A stop that was forbidden to the one vehicle is left out; its reason is told in words."""
    short = busy.done(
        PlanParams(
            start_date=MONDAY,
            weeks=4,
            num_vehicles=1,
            forbid=[f"{WING.stop_id}@{NORTH.vehicle_id}"],
            time_limit_s=1,
        )
    )
    asked = ExplainParams(plan_id=short.plan_id or "", stop_id=WING.stop_id, time_limit_s=2)
    job = busy.done(asked)
    (stop,) = job_detail(Words("ru"), job).result["stops"]
    assert stop["stop_id"] == WING.stop_id
    assert stop["reason"]["text"] and stop["reason"]["text"] != stop["reason"]["code"]
    every = busy.done(ExplainParams(plan_id=short.plan_id or "", time_limit_s=2))
    assert [s["stop_id"] for s in every.result["stops"]] == [WING.stop_id]
    served = busy.do(ExplainParams(plan_id=planned.plan_id or "", stop_id=COTTESMORE.stop_id))
    assert served.failure is not None and served.failure.code == "edit.already_served"


def test_a_choice_of_plans_can_be_kept(busy: Yard) -> None:
    """The frontier's plans stand with the job; one that is kept becomes a plan, once."""
    job = busy.done(FrontierParams(start_date=MONDAY, num_plans=3, time_limit_s=3))
    with reading(busy.engine) as session:
        found = job_store.list_job_plans(session, job.job_id)
    assert [p.name for p in found] == [p["name"] for p in job.result["plans"]]
    assert found[0].name == "01-most-people"

    def keep() -> str:
        with writing(busy.engine) as session:
            return keep_choice(
                session,
                REGION_ID,
                job.job_id,
                found[0].name,
                name="Most people",
                by=DORA,
                words=Words("en"),
                at=NOW,
            ).plan_id

    with reading(busy.engine) as session:
        opened = open_plan(session, keep())
    assert opened.stored.name == "Most people"
    assert opened.stored.summary["people_reached"] == 2920
    assert check(opened.request, opened.plan) == ()
    with pytest.raises(ConflictError) as refused:
        keep()
    assert refused.value.code == "jobs.kept_already"


def test_fleets_and_bases_are_compared(busy: Yard) -> None:
    """One vehicle and two, and the region's own base, each with a plan to keep."""
    job = busy.done(FleetSizeParams(start_date=MONDAY, num_vehicles=2, num_bases=1, time_limit_s=2))
    assert [s["num_vehicles"] for s in job.result["sizes"]] == [1, 2]
    with reading(busy.engine) as session:
        names = [p.name for p in job_store.list_job_plans(session, job.job_id)]
    assert names[:2] == ["vehicles-01", "vehicles-02"]
    assert len(names) == 2 + len(job.result["bases"])


@pytest.mark.parametrize(
    ("params", "code"),
    [
        (PlanParams(weeks=2, until_date=date(2026, 12, 31)), "request.until_and_weeks"),
        (PlanParams(keep=["2026-03-02"]), "pins.keep_needs_start"),
        (PlanParams(max_changes=3), "pins.cap_needs_start"),
        (PlanParams(dwell="90-30"), "dwell.bad_range"),
        (PlanParams(norm_set_id="none such"), "norms.unknown"),
        (PlanParams(nights=2), "nights.no_lodging"),
    ],
)
def test_what_cannot_be_is_refused_before_it_waits(
    busy: Yard, params: PlanParams, code: str
) -> None:
    """No job is made for what is known to be wrong."""
    with reading(busy.engine) as session:
        before = job_store.list_jobs(session, REGION_ID, limit=200)
    with pytest.raises(InputError) as refused:
        busy.ask(params)
    assert refused.value.code == code
    with reading(busy.engine) as session:
        assert job_store.list_jobs(session, REGION_ID, limit=200) == before


def test_plans_of_nowhere_are_not_found(busy: Yard) -> None:
    """Neither a plan that is not there nor a region that is not."""
    with pytest.raises(NotFoundError) as refused:
        busy.ask(ExplainParams(plan_id="none"))
    assert refused.value.code == "plan.unknown"
