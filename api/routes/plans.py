"""Plans: lists, names, copies, their boards, undo and redo."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.auth import Dispatcher, Staff, require_region
from api.conditions import IfMatchDep, Items, PagingDep, RepeatDep, etag
from api.errors import problems
from api.language import words_of
from api.schemas.plans import PlanCopy, PlanPublic, PlanUpdate, StepPublic
from api.services import editing
from api.services.plan_access import (
    account_names,
    check_match,
    opened_for,
    plan_for,
    telling_stale,
)
from api.services.plan_listing import change_plan, copy_plan, plan_public
from api.services.plan_views import Board, board_frame, board_state
from api.services.plan_words import told_step
from api.services.warm_plans import warmed
from api.state import ServiceDep
from data.db import plan_store
from data.db.engine import reading, writing

router = APIRouter(tags=["plans"])
CHANGE = problems(404, 409, 412, 428)


@router.get("/regions/{region_id}/plans")
def list_plans(
    region_id: str,
    request: Request,
    asking: Staff,
    service: ServiceDep,
    paging: PagingDep,
    archived: Annotated[bool, Query(description="Plans put away too.")] = False,
) -> Items[PlanPublic]:
    """Plans of a region, the newest first."""
    require_region(asking, region_id)
    words, last = words_of(request), paging.after_text()
    with reading(service.engine) as session:
        found = plan_store.list_plans(session, region_id, with_archived=archived)
        ids = [plan.plan_id for plan in found]
        found = found[ids.index(last) + 1 :] if last in ids else found
        found = found[: paging.fetch]
        names = account_names(session, (i for p in found for i in (p.created_by, p.changed_by)))
    return paging.page(found, lambda p: plan_public(words, p, names), lambda p: (p.plan_id,))


@router.get("/plans/{plan_id}", responses=problems(404))
def get_plan(
    plan_id: str, request: Request, asking: Staff, service: ServiceDep, response: Response
) -> PlanPublic:
    """One plan in its present state."""
    with reading(service.engine) as session:
        stored = plan_for(session, asking, plan_id)
        names = account_names(session, (stored.created_by, stored.changed_by))
    response.headers["etag"] = etag(stored.version)
    return plan_public(words_of(request), stored, names)


@router.patch("/plans/{plan_id}", responses=CHANGE)
def update_plan(
    plan_id: str,
    body: PlanUpdate,
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
    match: IfMatchDep,
    response: Response,
) -> PlanPublic:
    """Rename a plan, or put it away; nothing of it is lost."""
    words = words_of(request)
    with (
        telling_stale(service.engine, plan_id, match, words),
        writing(service.engine) as session,
    ):
        stored = plan_for(session, asking, plan_id)
        check_match(session, stored, match, words)
        stored = change_plan(
            session,
            stored,
            name=body.name,
            is_archived=body.is_archived,
            by=asking,
            at=service.clock(),
        )
        names = account_names(session, (stored.created_by, stored.changed_by))
    response.headers["etag"] = etag(stored.version)
    return plan_public(words, stored, names)


@router.post(
    "/plans/{plan_id}/copy", status_code=201, response_model=PlanPublic, responses=problems(404)
)
def add_copy(
    plan_id: str,
    body: PlanCopy,
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
    repeat: RepeatDep,
) -> Response:
    """A plan of its own that begins as this one is now."""
    with writing(service.engine) as session:
        if (before := repeat.answer(session)) is not None:
            return before
        source = plan_for(session, asking, plan_id)
        stored = copy_plan(
            session, source, uuid.uuid4().hex, name=body.name, by=asking, at=service.clock()
        )
        names = account_names(session, (stored.created_by,))
        headers = {"etag": etag(stored.version), "location": f"/api/v1/plans/{stored.plan_id}"}
        return repeat.keep(session, 201, plan_public(words_of(request), stored, names), headers)


@router.get("/plans/{plan_id}/history", responses=problems(404))
def plan_history(
    plan_id: str,
    request: Request,
    asking: Staff,
    service: ServiceDep,
    since: Annotated[int, Query(ge=0, description="Steps after this version.")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[StepPublic]:
    """Steps that were taken, the newest first."""
    words = words_of(request)
    with reading(service.engine) as session:
        plan_for(session, asking, plan_id)
        missed = editing.missed_since(session, plan_id, since, most=limit)
        names = account_names(session, (m.account_id for m in missed))
    return [
        StepPublic(
            version=m.version,
            text=told_step(words, m.step),
            at=m.at,
            by=names.get(m.account_id or "", ""),
        )
        for m in missed
    ]


@router.get("/plans/{plan_id}/board", responses=problems(404))
def plan_board(
    plan_id: str, request: Request, asking: Staff, service: ServiceDep, response: Response
) -> Board:
    """Everything that the weekly board shows."""
    words = words_of(request)
    with reading(service.engine) as session:
        opened = opened_for(session, asking, plan_id)
        names = account_names(session, (opened.stored.changed_by,))
    warm = warmed(opened)
    response.headers["etag"] = etag(opened.stored.version)
    return Board(
        frame=board_frame(words, opened),
        state=board_state(words, opened, warm.violations, warm.summary, names),
    )


@router.post("/plans/{plan_id}/undo", responses=CHANGE)
def undo_step(
    plan_id: str,
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
    match: IfMatchDep,
    response: Response,
) -> Board:
    """Go back by one step."""
    words = words_of(request)
    with (
        telling_stale(service.engine, plan_id, match, words),
        writing(service.engine) as session,
    ):
        stored = plan_for(session, asking, plan_id)
        check_match(session, stored, match, words)
        editing.undo(session, plan_id, stored.version, by=asking)
    return plan_board(plan_id, request, asking, service, response)


@router.post("/plans/{plan_id}/redo", responses=CHANGE)
def redo_step(
    plan_id: str,
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
    match: IfMatchDep,
    response: Response,
) -> Board:
    """Take the step again that was undone last."""
    words = words_of(request)
    with (
        telling_stale(service.engine, plan_id, match, words),
        writing(service.engine) as session,
    ):
        stored = plan_for(session, asking, plan_id)
        check_match(session, stored, match, words)
        editing.redo(session, plan_id, stored.version, by=asking)
    return plan_board(plan_id, request, asking, service, response)
