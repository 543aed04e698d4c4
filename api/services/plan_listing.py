"""Plans in lists: shown, renamed, put away, copied."""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from api.schemas.plans import PlanPublic
from api.services.plan_words import rule_notes_of, told_step
from api.words import Words
from data.db import audit_store, event_store, plan_store
from data.db.plan_store import PlanState, StoredPlan
from data.model.accounts import Caller


def plan_public(words: Words, stored: StoredPlan, names: Mapping[str, str]) -> PlanPublic:
    """A plan as the API shows it; ``names`` are those of accounts by id."""
    return PlanPublic(
        plan_id=stored.plan_id,
        region_id=stored.region_id,
        name=stored.name,
        version=stored.version,
        is_draft=stored.num_violations > 0,
        num_violations=stored.num_violations,
        can_undo=stored.can_undo,
        can_redo=stored.can_redo,
        notes=rule_notes_of(words, stored.facts),
        facts=dict(stored.facts),
        summary=dict(stored.summary),
        step=told_step(words, stored.step),
        created_at=stored.created_at,
        created_by=names.get(stored.created_by or "", ""),
        changed_at=stored.changed_at,
        changed_by=names.get(stored.changed_by or "", ""),
        from_plan_id=stored.from_plan_id,
        is_archived=stored.archived_at is not None,
    )


def change_plan(
    session: Session,
    stored: StoredPlan,
    *,
    name: str | None,
    is_archived: bool | None,
    by: Caller,
    at: datetime,
) -> StoredPlan:
    """Rename a plan, put it away or take it out again; ``None`` leaves as it is.

    Raises
    ------
    ConflictError
        ``store.stale``.
    """
    changed = stored
    if name is not None and name != stored.name:
        changed = plan_store.rename_plan(
            session, stored.plan_id, expect_version=changed.version, name=name
        )
        facts = {"was": stored.name, "name": name}
        audit_store.record(
            session, by, "plan.rename", stored.plan_id, region_id=stored.region_id, **facts
        )
    if is_archived is not None and is_archived != (stored.archived_at is not None):
        changed = plan_store.archive_plan(
            session,
            stored.plan_id,
            expect_version=changed.version,
            at=at if is_archived else None,
        )
        action = "plan.archive" if is_archived else "plan.restore"
        audit_store.record(session, by, action, stored.plan_id, region_id=stored.region_id)
    if changed is not stored:
        _emit(session, changed, by)
    return changed


def copy_plan(
    session: Session, source: StoredPlan, plan_id: str, *, name: str, by: Caller, at: datetime
) -> StoredPlan:
    """A new plan whose first state is the present one of another."""
    document = plan_store.plan_document(session, source.plan_id, revision=source.revision)
    stored = plan_store.add_plan(
        session,
        plan_id=plan_id,
        region_id=source.region_id,
        name=name,
        request=document.request,
        state=PlanState(
            plan=document.plan,
            pins=document.pins,
            step={"code": "step.copied", "plan": source.name},
            summary=source.summary,
            num_violations=source.num_violations,
        ),
        facts=source.facts,
        at=at,
        by=by.account_id,
        from_plan_id=source.plan_id,
    )
    audit_store.record(
        session, by, "plan.copy", plan_id, region_id=source.region_id, source=source.plan_id
    )
    _emit(session, stored, by)
    return stored


def _emit(session: Session, stored: StoredPlan, by: Caller) -> None:
    event_store.emit(
        session,
        "plan",
        stored.plan_id,
        stored.region_id,
        version=stored.version,
        account_id=by.account_id,
    )
