"""Plans changed by hand: each step judged by every rule, stored as a state, undone and redone."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlmodel import Session

from api.services.plan_documents import OpenedPlan
from api.services.plan_steps import Step, after, told
from api.services.plan_words import key_of
from api.services.warm_plans import warmed
from data.db import audit_store, event_store, plan_store
from data.db.plan_store import PlanState, StoredPlan
from data.feeds.plan_bytes import pack_plan, pack_request, pins_to_json
from data.model.accounts import Caller
from data.model.errors import RequestError
from data.model.plan import Plan, PlanRequest, Violation
from planner.changes import Change, changes
from planner.score import PlanSummary, check, summarise

ACTION = "plan.step"
"""Action of the audit log: its facts are the version that a step led to, and the step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """A plan after steps, and what they do to it; differences are after less before."""

    request: PlanRequest
    plan: Plan
    violations: tuple[Violation, ...]
    broken: tuple[Violation, ...]
    """Those of the violations that were none before the steps."""
    num_mended: int
    """Rules broken before that now hold."""
    summary: PlanSummary
    delta_people: int
    delta_prize: float
    delta_drive_m: int
    delta_drive_s: int
    delta_work_s: int
    changed: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A state that was stored, with what its steps did."""

    opened: OpenedPlan
    edited: Edited


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A step that somebody took since a version that a dispatcher saw."""

    at: datetime
    account_id: str | None
    version: int
    step: dict[str, object]


def edited(opened: OpenedPlan, steps: Sequence[Step]) -> Edited:
    """The plan after some steps, every rule it breaks, and what the steps change.

    Raises
    ------
    RequestError
        As ``plan_steps.after``.
    """
    plan, warm = opened.plan, warmed(opened)
    try:
        request_after, plan_after = after(opened.request, plan, steps, warm.retimer)
    except RequestError as refused:
        raise without_commands(refused) from refused
    found = check(request_after, plan_after)
    known = {key_of(v) for v in warm.violations}
    before, summary = warm.summary, summarise(request_after, plan_after)
    return Edited(
        request=request_after,
        plan=plan_after,
        violations=found,
        broken=tuple(v for v in found if key_of(v) not in known),
        num_mended=len(known - {key_of(v) for v in found}),
        summary=summary,
        delta_people=summary.people_reached - before.people_reached,
        delta_prize=summary.prize_collected - before.prize_collected,
        delta_drive_m=summary.drive_m - before.drive_m,
        delta_drive_s=summary.drive_s - before.drive_s,
        delta_work_s=summary.work_s - before.work_s,
        changed=changes(plan, plan_after),
    )


def take(
    session: Session,
    opened: OpenedPlan,
    steps: Sequence[Step],
    *,
    may_break: bool,
    by: Caller,
    at: datetime,
) -> Taken:
    """Take steps on an opened plan and store the state that they lead to.

    Parameters
    ----------
    may_break
        Keep a state that breaks rules as a draft; without it such steps are refused.

    Raises
    ------
    RequestError
        ``edit.breaks_rules`` with the rules that did not break before; as ``plan_steps.after``.
    ConflictError
        ``store.stale`` where the plan has changed since it was opened.
    """
    result = edited(opened, steps)
    if result.broken and not may_break:
        raise RequestError("edit.breaks_rules", n=len(result.broken), problems=result.broken)
    step = told(result.request, result.plan, steps)
    stored = append(session, opened, result, step, by=by, at=at)
    return Taken(
        opened=OpenedPlan(stored=stored, request=result.request, plan=result.plan), edited=result
    )


def append(
    session: Session,
    opened: OpenedPlan,
    result: Edited,
    step: dict[str, object],
    *,
    by: Caller,
    at: datetime,
) -> StoredPlan:
    """Store a state that follows an opened one; who reads the plan is told."""
    # Pins stand beside the request in a state, so that a pin does not store the travel anew.
    is_same = _judged_alike(opened.request, result.request)
    stored = plan_store.append_state(
        session,
        opened.stored.plan_id,
        expect_version=opened.stored.version,
        state=PlanState(
            plan=pack_plan(result.plan),
            pins=pins_to_json(result.request.pins),
            step=step,
            summary=asdict(result.summary),
            num_violations=len(result.violations),
        ),
        at=at,
        by=by.account_id,
        request=None if is_same else pack_request(result.request, result.plan),
    )
    _tell(session, stored, by, step)
    return stored


def undo(session: Session, plan_id: str, version: int, *, by: Caller) -> StoredPlan:
    """Go back by one step.

    Raises
    ------
    ConflictError
        ``store.stale``, ``plan.nothing_to_undo``.
    """
    return _went(session, plan_id, version, "step.undo", by=by, go=plan_store.undo)


def redo(session: Session, plan_id: str, version: int, *, by: Caller) -> StoredPlan:
    """Take the step again that was undone last.

    Raises
    ------
    ConflictError
        ``store.stale``, ``plan.nothing_to_redo``.
    """
    return _went(session, plan_id, version, "step.redo", by=by, go=plan_store.redo)


def _went(
    session: Session,
    plan_id: str,
    version: int,
    code: str,
    *,
    by: Caller,
    go: Callable[..., StoredPlan],
) -> StoredPlan:
    before = plan_store.get_plan(session, plan_id)
    stored = go(session, plan_id, expect_version=version)
    which = before.step if code == "step.undo" else stored.step
    _tell(session, stored, by, {"code": code, "first": which})
    return stored


def _tell(session: Session, stored: StoredPlan, by: Caller, step: dict[str, object]) -> None:
    audit_store.record(
        session,
        by,
        ACTION,
        stored.plan_id,
        region_id=stored.region_id,
        version=stored.version,
        step=step,
    )
    event_store.emit(
        session,
        "plan",
        stored.plan_id,
        stored.region_id,
        version=stored.version,
        account_id=by.account_id,
    )


_ON_SCREEN = {
    "edit.no_travel": "step.no_travel",
    "edit.already_served": "step.already_served",
}
"""Refusals whose words name commands of the terminal, and the same for a page."""


def without_commands(refused: RequestError) -> RequestError:
    """A refusal of the planner in words that fit a page."""
    return RequestError(_ON_SCREEN.get(refused.code, refused.code), **refused.facts)


def missed_since(session: Session, plan_id: str, version: int, *, most: int = 20) -> list[Missed]:
    """Steps that were taken since a version, the newest first."""
    found = audit_store.entries(session, limit=most, action=ACTION, subject=plan_id)
    return [
        Missed(
            at=entry.at,
            account_id=entry.account_id,
            version=int(entry.facts["version"]),
            step=dict(entry.facts["step"]),
        )
        for entry in found
        if int(entry.facts["version"]) > version
    ]


def _judged_alike(one: PlanRequest, other: PlanRequest) -> bool:
    """Whether two requests differ in nothing but pins."""
    return one.stops is other.stops and one.travel is other.travel
