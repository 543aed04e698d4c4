"""Plans side by side, and sets of plans to choose from."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from api.auth import Dispatcher, Staff, require_region
from api.language import words_of
from api.pages.naming import region_name
from api.rendering import render
from api.services.choice_sets import chart_svg, sections_of
from api.services.job_views import job_public
from api.services.plan_access import opened_for
from api.services.plan_words import rule_notes, rule_notes_of
from api.services.scenarios import MOST_PLANS, compared, comparison, price_of
from api.state import ServiceDep
from data.db import job_store, plan_store
from data.db.engine import reading
from data.model.accounts import Role
from data.model.costs import Costs
from data.model.errors import NotFoundError, RequestError

router = APIRouter()
FOR_AN_HOUR = "private, max-age=3600"
type _Price = Annotated[str, Query(max_length=40)]


@router.get("/desk/{region_id}/compare")
def compare(
    region_id: str,
    request: Request,
    asking: Staff,
    service: ServiceDep,
    plan: Annotated[list[str] | None, Query(max_length=MOST_PLANS)] = None,
    cost_km: _Price = "",
    cost_hour: _Price = "",
    cost_day: _Price = "",
    currency: Annotated[str, Query(max_length=12)] = "",
) -> HTMLResponse:
    """Plans side by side; the first is what the others are told against."""
    require_region(asking, region_id)
    words = words_of(request)
    asked = list(dict.fromkeys(plan or ()))
    prices = {"cost_km": cost_km, "cost_hour": cost_hour, "cost_day": cost_day}
    fault, table, opened = None, None, []
    with reading(service.engine) as session:
        name = region_name(session, region_id, words.language)
        known = plan_store.list_plans(session, region_id)
        for plan_id in asked:
            found = opened_for(session, asking, plan_id)
            if found.stored.region_id != region_id:
                raise NotFoundError("plan.unknown", plan_id=plan_id)
            opened.append(found)
    try:
        costs = Costs(
            currency=currency.strip() or "¤",
            per_km=price_of(cost_km, "cost_km"),
            per_hour=price_of(cost_hour, "cost_hour"),
            per_day=price_of(cost_day, "cost_day"),
        )
        if opened:
            table = comparison(words, compared(opened, costs))
    except RequestError as refused:
        fault = refused
    return render(
        request,
        "scenarios/compare.html",
        status=422 if fault else 200,
        region_id=region_id,
        region_name=name,
        area="plans",
        plans=[o.stored for o in opened],
        others=[p for p in known if p.plan_id not in asked],
        table=table,
        fault=fault,
        prices=prices,
        currency=currency,
        is_full=len(opened) >= MOST_PLANS,
        notes=_once(note for o in opened for note in rule_notes(words, o.request)),
    )


@router.get("/desk/{region_id}/choices/{job_id}")
def choices(
    region_id: str, job_id: str, request: Request, asking: Dispatcher, service: ServiceDep
) -> HTMLResponse:
    """What a frontier or a comparison of fleets found, each plan to be kept by one button."""
    require_region(asking, region_id)
    words = words_of(request)
    with reading(service.engine) as session:
        name = region_name(session, region_id, words.language)
        job = job_store.get_job(session, job_id, region_id=region_id)
        kept = job_store.list_job_plans(session, job_id)
    return render(
        request,
        "scenarios/choices.html",
        region_id=region_id,
        region_name=name,
        area="plans",
        job=job_public(words, job),
        sections=sections_of(words, job, kept) if job.result else (),
        notes=_once(note for one in kept for note in rule_notes_of(words, one.facts)),
        can_edit=asking.may(Role.DISPATCHER),
    )


def _once(notes: Iterable[str]) -> list[str]:
    """Each note but once, in their order."""
    return list(dict.fromkeys(notes))


@router.get("/desk/{region_id}/choices/{job_id}/{chart}.svg")
def chart(
    region_id: str,
    job_id: str,
    chart: str,
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
) -> Response:
    """A chart of a set of plans."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        job = job_store.get_job(session, job_id, region_id=region_id)
    svg = chart_svg(words_of(request), job, chart)
    headers = {"cache-control": FOR_AN_HOUR, "vary": "Cookie, Accept-Language"}
    return Response(svg, media_type="image/svg+xml", headers=headers)
