"""Stored plans as the types that the planner knows, opened once and kept at hand."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock

from sqlmodel import Session

from data.db.plan_store import StoredPlan, get_plan, plan_document
from data.feeds.plan_bytes import (
    pack_plan,
    pack_request,
    pins_from_json,
    unpack_plan,
    unpack_request,
)
from data.model.plan import Plan, PlanRequest

MOST_OPEN = 24
"""Plans kept opened; a large one takes some 15 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPlan:
    """A state of a stored plan; the request carries the state's own pins."""

    stored: StoredPlan
    request: PlanRequest
    plan: Plan


_opened: OrderedDict[tuple[str, int, datetime], tuple[PlanRequest, Plan]] = OrderedDict()
_lock = Lock()


def packed(request: PlanRequest, plan: Plan) -> tuple[bytes, bytes]:
    """A request and a plan as ``data.db.plan_store`` keeps them."""
    return pack_request(request, plan), pack_plan(plan)


def open_plan(session: Session, plan_id: str) -> OpenedPlan:
    """A plan in its present state.

    A state never changes once it is stored, so that what was opened stays true.

    Raises
    ------
    NotFoundError
        ``plan.unknown``.
    """
    stored = get_plan(session, plan_id)
    key = (plan_id, stored.revision, stored.changed_at)
    with _lock:
        known = _opened.get(key)
        if known is not None:
            _opened.move_to_end(key)
    if known is None:
        document = plan_document(session, plan_id, revision=stored.revision)
        request = replace(unpack_request(document.request), pins=pins_from_json(document.pins))
        known = request, unpack_plan(document.plan)
        _keep(key, known)
    return OpenedPlan(stored=stored, request=known[0], plan=known[1])


def remember(opened: OpenedPlan) -> None:
    """Keep a state at hand that was stored just now; only once its transaction is committed."""
    stored = opened.stored
    key = (stored.plan_id, stored.revision, stored.changed_at)
    _keep(key, (opened.request, opened.plan))


def _keep(key: tuple[str, int, datetime], known: tuple[PlanRequest, Plan]) -> None:
    with _lock:
        _opened[key] = known
        while len(_opened) > MOST_OPEN:
            _opened.popitem(last=False)
