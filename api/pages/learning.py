"""The desk's page of what recorded days teach: a proposal to judge, and what plans go by."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.auth import Dispatcher, Staff
from api.errors import status_of
from api.pages.desk_region import Desk, Given, date_of, form_data, open_desk, text_of, whole_of
from api.services.learned_times import USUAL_DAYS, decide_learned, propose_learned
from api.services.plan_access import account_names
from api.services.plan_documents import open_plan
from api.state import ServiceDep
from data.db import learned_store
from data.db.engine import reading, writing
from data.model.errors import BookmobileError, InputError
from data.model.learned_proposal import LearnedProposal, ProposalState

router = APIRouter(prefix="/desk/{region_id}/learning")
AREA = "days"
ROWS = 200
Form = Annotated[FormData, Depends(form_data)]


@router.get("")
def learning_page(request: Request, region_id: str, asking: Staff, service: ServiceDep) -> Response:
    """What is in use, what is proposed, what was decided before."""
    desk = open_desk(request, service, asking, region_id)
    return _page(desk, request.query_params)


@router.post("")
def propose(
    request: Request, region_id: str, asking: Dispatcher, service: ServiceDep, form: Form
) -> Response:
    """Learn from the days of a span."""
    desk = open_desk(request, service, asking, region_id)
    try:
        first, last = date_of(form, "from"), date_of(form, "until")
        if first is None or last is None:
            raise InputError("cancel.needs_date")
        with writing(service.engine) as session:
            propose_learned(session, region_id, first, last, by=asking, at=service.clock())
    except BookmobileError as error:
        return _page(desk, form, error)
    return RedirectResponse(f"{desk.root}/learning#proposal", status_code=303)


@router.post("/{proposal_id}")
def decide(
    request: Request,
    region_id: str,
    proposal_id: str,
    asking: Dispatcher,
    service: ServiceDep,
    form: Form,
) -> Response:
    """Accept, reject or take out of use."""
    desk = open_desk(request, service, asking, region_id)
    states = {
        "accept": ProposalState.ACCEPTED,
        "reject": ProposalState.REJECTED,
        "withdraw": ProposalState.WITHDRAWN,
    }
    try:
        state = states.get(text_of(form, "act"))
        if state is None:
            raise InputError("learned.no_act")
        with writing(service.engine) as session:
            decide_learned(
                session,
                region_id,
                proposal_id,
                state,
                expect_revision=whole_of(form, "revision"),
                note=text_of(form, "note"),
                by=asking,
                at=service.clock(),
            )
    except BookmobileError as error:
        return _page(desk, form, error)
    return RedirectResponse(f"{desk.root}/learning", status_code=303)


def _page(desk: Desk, given: Given, error: BookmobileError | None = None) -> Response:
    region_id = desk.region.region_id
    with reading(desk.service.engine) as session:
        every = learned_store.list_proposals(session, region_id)
        proposed = next((p for p in every if p.state is ProposalState.OPEN), None)
        used = next((p for p in every if p.state is ProposalState.ACCEPTED), None)
        people = account_names(session, [i for p in every for i in (p.created_by, p.decided_by)])
        shown = proposed or used
        names: dict[str, str] = {}
        if shown is not None:
            request = open_plan(session, shown.plan_id).request
            names = {str(s.stop_id): s.name for s in request.stops}
            names |= {str(d.depot_id): d.name for d in request.depots}
            names |= {str(v.vehicle_id): v.name for v in request.vehicles}
    return desk.render(
        "days/learning.html",
        area=AREA,
        status=200 if error is None else status_of(error),
        error=error,
        zone=desk.region.time_zone,
        proposed=proposed,
        used=used,
        shown=shown,
        before=[p for p in every if p not in (proposed, used)][:20],
        people=people,
        names=names,
        factors=_rows(shown, "factors"),
        tables=[(kind, _times(shown, kind)) for kind in ("legs", "setup", "turnaround")],
        spans=(shown.review.get("span_factors") or []) if shown else [],
        habit=shown.review.get("recovery_ratio") if shown else None,
        odd=_odd(shown),
        first=text_of(given, "from") or (desk.today - timedelta(days=USUAL_DAYS - 1)).isoformat(),
        last=text_of(given, "until") or desk.today.isoformat(),
    )


def _rows(proposal: LearnedProposal | None, kind: str) -> list[dict[str, Any]]:
    if proposal is None:
        return []
    found: list[dict[str, Any]] = proposal.review.get("proposal", {}).get(kind, [])
    return found


def _odd(proposal: LearnedProposal | None) -> list[dict[str, Any]]:
    """What was set aside, with its date as one."""
    found = (proposal.review.get("set_aside") or []) if proposal else []
    return [row | {"on": date.fromisoformat(row["service_date"])} for row in found[:ROWS]]


def _times(proposal: LearnedProposal | None, kind: str) -> list[dict[str, Any]]:
    """The times of a kind, those that differ most from the plan first."""
    rows = sorted(_rows(proposal, kind), key=lambda r: -abs(r["p50_s"] - r["planned_s"]))
    return rows[:ROWS]
