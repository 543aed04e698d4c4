"""Plans: every state that one has had, so that each step can be undone and redone.

States form a tree: undo goes to the parent, redo to its newest child. ``version`` grows with every
change, undo included; whoever changes a plan names the version that he saw.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import Row
from sqlmodel import Session, col, func, select

from data.db.base import Json
from data.db.tables.plans import PlanRevisionRow, PlanRow
from data.model.errors import ConflictError, NotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanState:
    """One state of a plan: its document, its pins, and the step that led here."""

    plan: bytes
    pins: Json
    step: Json
    """``code`` and the facts of what was done."""
    summary: Json
    num_violations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A plan as lists show it, in its present state."""

    plan_id: str
    region_id: str
    name: str
    revision: int
    version: int
    facts: Json
    step: Json
    summary: Json
    num_violations: int
    can_undo: bool
    can_redo: bool
    created_at: datetime
    created_by: str | None
    changed_at: datetime
    changed_by: str | None
    from_plan_id: str | None
    archived_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """What a plan is judged by, and its state."""

    request: bytes
    plan: bytes
    pins: Json


def add_plan(
    session: Session,
    *,
    plan_id: str,
    region_id: str,
    name: str,
    request: bytes,
    state: PlanState,
    facts: Json,
    at: datetime,
    by: str | None,
    from_plan_id: str | None = None,
) -> StoredPlan:
    """Store a new plan in its first state."""
    row = PlanRow(
        plan_id=plan_id,
        region_id=region_id,
        name=name,
        facts=facts,
        from_plan_id=from_plan_id,
        created_at=at,
        created_by=by,
    )
    session.add(row)
    session.flush()
    session.add(_revision(plan_id, (1, None, 1), request, state, (at, by)))
    session.flush()
    return get_plan(session, plan_id)


def get_plan(session: Session, plan_id: str) -> StoredPlan:
    """A plan in its present state.

    Raises
    ------
    NotFoundError
        ``plan.unknown``.
    """
    return _stored(session, _plan_row(session, plan_id))


def list_plans(
    session: Session, region_id: str, *, with_archived: bool = False
) -> tuple[StoredPlan, ...]:
    """Plans of a region, the newest first."""
    asked = select(PlanRow).where(PlanRow.region_id == region_id)
    if not with_archived:
        asked = asked.where(col(PlanRow.archived_at).is_(None))
    rows = session.exec(asked.order_by(col(PlanRow.created_at).desc(), col(PlanRow.plan_id))).all()
    of_region = col(PlanRow.region_id) == region_id
    present = _FACTS.join(PlanRow, _OF_PLAN & (PlanRevisionRow.revision == PlanRow.revision))
    states = {state.plan_id: state for state in session.execute(present.where(of_region))}
    following = (
        sqlalchemy.select(col(PlanRevisionRow.plan_id))
        .join(PlanRow, _OF_PLAN & (PlanRevisionRow.parent == PlanRow.revision))
        .where(of_region)
        .distinct()
    )
    redoable = set(session.execute(following).scalars())
    return tuple(
        _as_stored(row, states[row.plan_id], can_redo=row.plan_id in redoable) for row in rows
    )


def plan_document(session: Session, plan_id: str, *, revision: int | None = None) -> PlanDocument:
    """The request and a state, the present one unless a revision is named."""
    row = _plan_row(session, plan_id)
    state = _state_row(session, plan_id, row.revision if revision is None else revision)
    request = state.request
    if request is None:
        request = _state_row(session, plan_id, state.request_revision).request
    assert request is not None  # the row that is named holds it
    return PlanDocument(request=request, plan=state.plan, pins=state.pins)


def append_state(
    session: Session,
    plan_id: str,
    *,
    expect_version: int,
    state: PlanState,
    at: datetime,
    by: str | None,
    request: bytes | None = None,
) -> StoredPlan:
    """Take a step from the present state; a ``request`` is what the plan is judged by from now on.

    Raises
    ------
    ConflictError
        ``store.stale`` where the plan has changed since ``expect_version``.
    """
    row = _expected(session, plan_id, expect_version)
    last = select(func.max(PlanRevisionRow.revision)).where(PlanRevisionRow.plan_id == plan_id)
    number = int(session.exec(last).one() or 0) + 1
    now = _state_row(session, plan_id, row.revision)
    judged_by = now.request_revision if request is None else number
    numbers = (number, row.revision, judged_by)
    session.add(_revision(plan_id, numbers, request, state, (at, by)))
    return _moved(session, row, number)


def undo(session: Session, plan_id: str, *, expect_version: int) -> StoredPlan:
    """Go back to the state before the last step.

    Raises
    ------
    ConflictError
        ``store.stale``; ``plan.nothing_to_undo``.
    """
    row = _expected(session, plan_id, expect_version)
    parent = _state_row(session, plan_id, row.revision).parent
    if parent is None:
        raise ConflictError("plan.nothing_to_undo", plan=row.name)
    return _moved(session, row, parent)


def redo(session: Session, plan_id: str, *, expect_version: int) -> StoredPlan:
    """Take the step again that was undone last.

    Raises
    ------
    ConflictError
        ``store.stale``; ``plan.nothing_to_redo``.
    """
    row = _expected(session, plan_id, expect_version)
    child = _newest_child(session, plan_id, row.revision)
    if child is None:
        raise ConflictError("plan.nothing_to_redo", plan=row.name)
    return _moved(session, row, child)


def rename_plan(session: Session, plan_id: str, *, expect_version: int, name: str) -> StoredPlan:
    """Give a plan another name."""
    row = _expected(session, plan_id, expect_version)
    row.name = name
    return _moved(session, row, row.revision)


def archive_plan(
    session: Session, plan_id: str, *, expect_version: int, at: datetime | None
) -> StoredPlan:
    """Put a plan away, or with ``at=None`` take it out again; nothing of it is lost."""
    row = _expected(session, plan_id, expect_version)
    row.archived_at = at
    return _moved(session, row, row.revision)


def _revision(
    plan_id: str,
    numbers: tuple[int, int | None, int],
    request: bytes | None,
    state: PlanState,
    made: tuple[datetime, str | None],
) -> PlanRevisionRow:
    number, parent, request_revision = numbers
    at, by = made
    return PlanRevisionRow(
        plan_id=plan_id,
        revision=number,
        parent=parent,
        request_revision=request_revision,
        request=request,
        plan=state.plan,
        pins=state.pins,
        step=state.step,
        summary=state.summary,
        num_violations=state.num_violations,
        created_at=at,
        created_by=by,
    )


def _plan_row(session: Session, plan_id: str) -> PlanRow:
    row = session.get(PlanRow, plan_id)
    if row is None:
        raise NotFoundError("plan.unknown", plan_id=plan_id)
    return row


def _state_row(session: Session, plan_id: str, revision: int) -> PlanRevisionRow:
    asked = select(PlanRevisionRow).where(
        PlanRevisionRow.plan_id == plan_id, PlanRevisionRow.revision == revision
    )
    row = session.exec(asked).first()
    if row is None:
        raise NotFoundError("plan.unknown_revision", plan_id=plan_id, revision=revision)
    return row


_SHOWN = ("plan_id", "parent", "step", "summary", "num_violations", "created_at", "created_by")
_FACTS: Any = sqlalchemy.select(*(getattr(PlanRevisionRow, name) for name in _SHOWN))
"""What lists show of a state: the documents, which are large, are not read."""
_OF_PLAN = col(PlanRevisionRow.plan_id) == col(PlanRow.plan_id)


def _state_facts(session: Session, plan_id: str, revision: int) -> Row[Any]:
    found: Row[Any] = session.execute(
        _FACTS.where(PlanRevisionRow.plan_id == plan_id, PlanRevisionRow.revision == revision)
    ).one()
    return found


def _newest_child(session: Session, plan_id: str, revision: int) -> int | None:
    asked = select(func.max(PlanRevisionRow.revision)).where(
        PlanRevisionRow.plan_id == plan_id, PlanRevisionRow.parent == revision
    )
    return session.exec(asked).one()


def _expected(session: Session, plan_id: str, version: int) -> PlanRow:
    row = session.get(PlanRow, plan_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFoundError("plan.unknown", plan_id=plan_id)
    if row.version != version:
        raise ConflictError("store.stale", subject=row.name, found=row.version, expected=version)
    return row


def _moved(session: Session, row: PlanRow, revision: int) -> StoredPlan:
    row.revision = revision
    row.version += 1
    session.add(row)
    session.flush()
    return _stored(session, row)


def _stored(session: Session, row: PlanRow) -> StoredPlan:
    can_redo = _newest_child(session, row.plan_id, row.revision) is not None
    return _as_stored(row, _state_facts(session, row.plan_id, row.revision), can_redo=can_redo)


def _as_stored(row: PlanRow, state: Row[Any], *, can_redo: bool) -> StoredPlan:
    return StoredPlan(
        plan_id=row.plan_id,
        region_id=row.region_id,
        name=row.name,
        revision=row.revision,
        version=row.version,
        facts=row.facts,
        step=state.step,
        summary=state.summary,
        num_violations=state.num_violations,
        can_undo=state.parent is not None,
        can_redo=can_redo,
        created_at=row.created_at,
        created_by=row.created_by,
        changed_at=state.created_at,
        changed_by=state.created_by,
        from_plan_id=row.from_plan_id,
        archived_at=row.archived_at,
    )
