"""Runners that end in a plan: one of the region, or the rest of one that a person works on."""

from dataclasses import replace
from datetime import date
from typing import Any

from api.jobs.context import Context
from api.jobs.outcome import FoundPlan, Outcome
from api.jobs.packing import cycle_facts, refuse_broken, summary_json
from api.jobs.params import PlanParams, ReplanParams
from api.services.fixing import Wishes, with_pins
from api.services.learned_times import accepted_guidance
from api.services.learning import Guidance, guidance_of
from api.services.needs import audit_region
from api.services.plan_documents import OpenedPlan, packed
from api.services.plan_frame import check_frame, with_nights
from api.services.planning import PlanResult, finished, plan_region, solved
from api.services.region_home import check_inside
from api.services.stop_requests import people_asked
from data.db.engine import reading
from data.feeds.plan_bytes import pins_to_json
from data.model.demand import PrizeBy
from data.model.errors import ConflictError
from data.model.pins import KeptRun, Pins
from data.model.plan import Plan, PlanRequest
from data.model.region import Region
from data.model.stop_request import asked_by_stop
from planner.changes import changes
from planner.score import check, summarise
from planner.skeleton import brought_to
from planner.warm_up import warm_up


def run_plan(ctx: Context, params: PlanParams) -> Outcome:
    """A new plan of the region.

    Raises
    ------
    BrokenPlanError
        Where the best plan found breaks rules.
    """
    earlier = None if params.from_plan_id is None else ctx.plan(params.from_plan_id)
    start, until, weeks = _horizon(params, earlier)
    region, first, revision = ctx.region(start)
    region = with_nights(region, params.nights)
    num_weeks = weeks or region.standard.cycle_weeks
    check_frame(
        region,
        start_date=first,
        weeks=num_weeks,
        until_date=until,
        num_vehicles=params.num_vehicles,
    )
    guidance = _guidance(ctx, region, params)
    with reading(ctx.engine) as session:
        guidance = replace(guidance, asked=people_asked(session, region))
    with ctx.roads(region) as roads:
        audit = audit_region(region, roads, on=first, tick=ctx.tick, norm_set_id=params.norm_set_id)
        result = plan_region(
            region,
            audit,
            roads,
            start_date=first,
            weeks=num_weeks,
            until_date=until,
            num_vehicles=params.num_vehicles,
            params=ctx.solve_params(time_limit_s=params.time_limit_s),
            tick=ctx.tick,
            wishes=_wishes(params, earlier),
            guidance=guidance,
        )
    refuse_broken(result.request, result.plan, result.violations)
    facts = {
        "region_revision": revision,
        "norm_set_id": audit.norm.norm_set_id,
        "num_borrowed": result.borrowed,
        "off_road": [s.name for s in result.off_road],
        "drive_bound_s": result.drive_bound_s,
        **_asked_told(result.request, guidance),
    }
    return _new_plan(ctx, params, result, facts, earlier)


def _guidance(ctx: Context, region: Region, params: PlanParams) -> Guidance:
    """What the plan goes by: what a person has accepted, else the file of the region's folder."""
    prize_by = params.prize_by or region.standard.prize_by
    folder = check_inside(region, ctx.settings)
    if params.use_learned:
        with reading(ctx.engine) as session:
            accepted = accepted_guidance(
                session, region.region_id, keep_ratio=params.on_time_ratio, prize_by=prize_by
            )
        if accepted is not None:
            return accepted
    return guidance_of(
        folder,
        learned_file=None,
        use_learned=params.use_learned,
        keep_ratio=params.on_time_ratio,
        prize_by=prize_by,
    )


def _asked_told(request: PlanRequest, guidance: Guidance) -> dict[str, list[dict[str, Any]]]:
    """Residents' requests as a plan tells them: those it goes by, or those it leaves aside.

    A plan that values stops by residents knows who lives there; requests change nothing in it.
    """
    asked = asked_by_stop(request.stops, guidance.asked)
    told = [
        {"stop": s.name, "people": asked[s.stop_id]} for s in request.stops if s.stop_id in asked
    ]
    key = "stop_requests" if request.prize_by is PrizeBy.DEMAND else "stop_requests_aside"
    return {key: told}


def _horizon(
    params: PlanParams, earlier: OpenedPlan | None
) -> tuple[date | None, date | None, int | None]:
    """First date, last date of a dated plan, weeks: as asked, else as the earlier plan has them."""
    start, until, weeks = params.start_date, params.until_date, params.weeks
    if earlier is None:
        return start, until, weeks
    cycle = earlier.request.cycle
    if start is None and until is None and weeks is None and not cycle.repeats:
        return cycle.first_date, cycle.last_date, None
    if cycle.repeats and until is None:
        weeks = weeks or cycle.num_weeks
    return start or cycle.start_date, until, weeks


def _wishes(params: PlanParams, earlier: OpenedPlan | None) -> Wishes:
    return Wishes(
        pin=tuple(params.pin),
        keep=tuple(params.keep),
        forbid=tuple(params.forbid),
        max_changes=params.max_changes,
        earlier=None if earlier is None else (earlier.request, earlier.plan),
        dwell=params.dwell,
    )


def _new_plan(
    ctx: Context,
    params: PlanParams,
    result: PlanResult,
    facts: dict[str, Any],
    earlier: OpenedPlan | None,
) -> Outcome:
    request, plan = result.request, result.plan
    summary = summary_json(result.summary)
    asked = params.model_dump(mode="json", exclude_defaults=True, exclude={"kind", "name"})
    told: dict[str, Any] = {"summary": summary, "stopped_by": _stopped_by(plan)}
    if earlier is not None:
        before = brought_to(request, earlier.request.cycle, earlier.plan)
        told["num_changes"] = len(changes(before, plan))
    packed_request, packed_plan = packed(request, plan)
    return Outcome(
        result=told,
        found=FoundPlan(
            name=params.name or "",
            request=packed_request,
            plan=packed_plan,
            pins=pins_to_json(request.pins),
            step={"code": "step.begun", "job_id": ctx.job.job_id},
            summary=summary,
            facts=cycle_facts(request)
            | facts
            | {"job_id": ctx.job.job_id, "asked": asked, "stopped_by": _stopped_by(plan)},
            from_plan_id=params.from_plan_id,
        ),
    )


def run_replan(ctx: Context, params: ReplanParams) -> Outcome:
    """The rest of a plan searched anew; what is pinned, kept and forbidden stays.

    Raises
    ------
    ConflictError
        ``store.stale`` where the plan has changed since it was asked.
    BrokenPlanError
        Where the best plan found breaks rules.
    """
    opened = ctx.plan(params.plan_id)
    stored = opened.stored
    if params.expect_version not in (None, stored.version):
        raise ConflictError(
            "store.stale",
            subject=stored.name,
            found=stored.version,
            expected=params.expect_version,
        )
    request = _fixed(opened, params)
    ctx.tick.phase("phase.compile")
    warm_up()
    ctx.tick.phase("phase.solve")
    search = ctx.solve_params(time_limit_s=params.time_limit_s)
    plan = finished(request, solved(request, opened.plan, search, ctx.tick))
    ctx.tick.phase("phase.check")
    refuse_broken(request, plan, check(request, plan))
    changed = changes(opened.plan, plan)
    own = opened.request
    summary = summary_json(summarise(own, plan))
    result = {
        "summary": summary,
        "stopped_by": _stopped_by(plan),
        "num_changes": len(changed),
        "from_version": stored.version,
    }
    if plan.runs == opened.plan.runs:
        # Nothing better was found: a step that changes nothing would only be in the way of undo.
        same = {"plan_id": stored.plan_id, "version": stored.version, "is_same": True}
        return Outcome(result=result | same)
    packed_request, packed_plan = packed(own, plan)
    return Outcome(
        result=result,
        found=FoundPlan(
            name=stored.name,
            request=packed_request,
            plan=packed_plan,
            pins=pins_to_json(own.pins),
            step={"code": "step.replanned", "n": len(changed), "job_id": ctx.job.job_id},
            summary=summary,
            facts=stored.facts | {"job_id": ctx.job.job_id},
            from_plan_id=stored.plan_id,
            append_to=(stored.plan_id, stored.version),
        ),
    )


def _fixed(opened: OpenedPlan, params: ReplanParams) -> PlanRequest:
    """The plan's request with its own pins, the runs to keep besides, and the cap on changes."""
    own = replace(opened.request, change_cap=None)
    wishes = Wishes(
        keep=tuple(params.keep), max_changes=params.max_changes, earlier=(own, opened.plan)
    )
    wished = with_pins(own, wishes)
    pinned = {(k.vehicle_id, k.day) for k in own.pins.kept}
    kept: tuple[KeptRun, ...] = own.pins.kept + tuple(
        k for k in wished.pins.kept if (k.vehicle_id, k.day) not in pinned
    )
    pins = Pins(visits=own.pins.visits, kept=kept, forbidden=own.pins.forbidden)
    return replace(wished, pins=pins)


def _stopped_by(plan: Plan) -> str:
    return plan.provenance.stopped_by if plan.provenance else ""
