"""Plans of a region: the list, and what is asked for there."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlmodel import Session
from starlette.responses import HTMLResponse

from api.auth import Staff, require_region
from api.language import words_of
from api.rendering import render
from api.schemas.jobs import JobPublic
from api.services.job_views import job_public
from api.services.plan_access import account_names
from api.services.plan_listing import plan_public
from api.services.region_parts import parts_of
from api.state import ServiceDep
from api.words import Words
from data.db import job_store, plan_store
from data.db.engine import reading
from data.model.accounts import Caller, Role
from data.model.jobs import JobKind

router = APIRouter()
JOBS_SHOWN = 12


@router.get("/desk/{region_id}/plans")
def plans(
    region_id: str,
    request: Request,
    asking: Staff,
    service: ServiceDep,
    archived: Annotated[bool, Query()] = False,
) -> HTMLResponse:
    """The plans of a region and the searches for more."""
    require_region(asking, region_id)
    words = words_of(request)
    with reading(service.engine) as session:
        region, _ = parts_of(request).regions.load(session, region_id)
        found = plan_store.list_plans(session, region_id, with_archived=archived)
        names = account_names(session, (i for p in found for i in (p.created_by, p.changed_by)))
        jobs = _jobs(session, words, region_id, asking)
    return render(
        request,
        "plans/list.html",
        language=region.language,
        region_id=region_id,
        region_name=region.name_in(words.language),
        area="plans",
        plans=[plan_public(words, plan, names) for plan in found],
        horizons={plan.plan_id: _horizon(words, plan.facts) for plan in found},
        jobs=jobs,
        with_archived=archived,
        can_edit=asking.may(Role.DISPATCHER),
        zone=region.time_zone,
        usual_weeks=region.standard.cycle_weeks,
        own_vehicles=len(region.vehicles),
        has_lodging=any(d.is_lodging for d in region.depots),
    )


def _jobs(session: Session, words: Words, region_id: str, asking: Caller) -> Sequence[JobPublic]:
    """Searches that run, and sets of plans that were found lately."""
    if not asking.may(Role.DISPATCHER):
        return ()
    kinds = (JobKind.PLAN, JobKind.FRONTIER, JobKind.FLEET_SIZE)
    found = job_store.list_jobs(session, region_id, kinds=kinds, limit=JOBS_SHOWN)
    return [job_public(words, job) for job in found]


def _horizon(words: Words, facts: Mapping[str, Any]) -> str:
    """What a plan covers, from what was noted of it when it was made."""
    told = []
    if facts.get("repeats", True):
        told.append(words.count("plans.weeks", int(facts.get("weeks") or 0)))
    else:
        ends = (date.fromisoformat(facts[name]) for name in ("start_date", "end_date"))
        told.append(" – ".join(words.day(on) for on in ends))
    if facts.get("num_vehicles"):
        told.append(words.count("plans.vehicles", int(facts["num_vehicles"])))
    return ", ".join(told)
