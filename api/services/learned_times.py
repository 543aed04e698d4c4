"""What recorded days teach, proposed to a person; what was accepted is what plans go by."""

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlmodel import Session

from api.services.day_report import driven_records
from api.services.learned_spans import learned_spans
from api.services.plan_documents import open_plan
from api.services.promised_days import timetable_on
from data.db import audit_store, event_store, learned_store, publication_store
from data.feeds.learned_file import learned_from_json, learned_to_json
from data.model.accounts import Caller
from data.model.day_record import HELD, DayRecord, observed_visits
from data.model.demand import PrizeBy
from data.model.errors import InputError
from data.model.learned import Learned
from data.model.learned_proposal import LearnedProposal, ProposalState
from data.model.live import ActualSource
from data.model.plan import Plan, PlanRequest
from fleet.habits import LateStay, recovered

if TYPE_CHECKING:
    from api.services.learning import Guidance

USUAL_DAYS = 56
MOST_DAYS = 366
LEAST_LEGS = 5
"""Fewer drives teach nothing that a person could judge."""
NOTE_MAX = 500
_PART_DAYS = 31


def propose_learned(
    session: Session, region_id: str, first: date, last: date, *, by: Caller, at: datetime
) -> LearnedProposal:
    """Learn from the driven days of a span and put it before a person.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    InputError
        ``days.ends_before``, ``days.too_long``; ``learned.no_timetable``, ``learned.too_few``.
    """
    # What learns is loaded by those who ask for it, not by every process that answers requests.
    from api.show_learned import proposal_facts
    from planner.learn.lessons import learn
    from planner.learn.propose import propose

    if last < first:
        raise InputError("days.ends_before", first=first.isoformat(), last=last.isoformat())
    if (last - first).days >= MOST_DAYS:
        raise InputError("days.too_long", days=(last - first).days + 1, limit=MOST_DAYS)
    publication_store.region_head(session, region_id)
    records = _in_parts(session, region_id, first, last)
    plan_id, request, plan = _against(session, region_id, last)
    seen = [visit for record in records for visit in observed_visits(record)]
    lessons = learn(request, plan, seen)
    habit = recovered(_late_stays(request, records))
    learned = replace(lessons.learned, recovery_ratio=habit)
    spans = learned_spans(session, region_id, records, learned)
    factors = None if spans is None else spans.factors
    lessons = replace(lessons, learned=replace(learned, span_factors=factors))
    num_legs = lessons.learned.drive.num_records
    if num_legs < LEAST_LEGS:
        raise InputError("learned.too_few", days=len(records), legs=num_legs, limit=LEAST_LEGS)
    review = proposal_facts(lessons, propose(request, lessons)) | {
        "recovery_ratio": habit,
        "span_factors": factors,
    }
    proposal = LearnedProposal(
        proposal_id=uuid.uuid4().hex,
        region_id=region_id,
        plan_id=plan_id,
        first_date=lessons.learned.first_date or first,
        last_date=lessons.learned.last_date or last,
        num_days=lessons.learned.num_days,
        num_legs=num_legs,
        learned=_plain(learned_to_json(lessons.learned)),
        review=_plain(review),
        created_at=at,
        created_by=by.account_id,
    )
    learned_store.add_proposal(session, proposal)
    audit_store.record(
        session,
        by,
        "learned.propose",
        proposal.proposal_id,
        region_id=region_id,
        days=proposal.num_days,
        legs=num_legs,
    )
    return proposal


def decide_learned(
    session: Session,
    region_id: str,
    proposal_id: str,
    state: ProposalState,
    *,
    expect_revision: int | None,
    note: str,
    by: Caller,
    at: datetime,
) -> LearnedProposal:
    """Accept a proposal, reject it, or take one out of use.

    Raises
    ------
    NotFoundError
        ``learned.unknown``.
    ConflictError
        ``store.stale``, ``learned.decided``.
    InputError
        ``learned.note_long``.
    """
    if len(note) > NOTE_MAX:
        raise InputError("learned.note_long", length=len(note), limit=NOTE_MAX)
    found = learned_store.decide(
        session,
        region_id,
        proposal_id,
        state,
        expect_revision=expect_revision,
        note=note,
        by=by.account_id,
        at=at,
    )
    audit_store.record(
        session, by, f"learned.{state.value}", proposal_id, region_id=region_id, note=note
    )
    event_store.emit(session, "learned", proposal_id, region_id, state=state.value)
    return found


def learned_of(session: Session, region_id: str) -> Learned | None:
    """What was accepted; ``None`` where nothing is in use."""
    found = learned_store.in_use(session, region_id)
    return None if found is None else learned_from_json(found.learned)


def accepted_guidance(
    session: Session, region_id: str, *, keep_ratio: float, prize_by: PrizeBy
) -> "Guidance | None":
    """How plans go by what was accepted; ``None`` where nothing is in use."""
    from api.services.learning import Guidance

    found = learned_store.in_use(session, region_id)
    if found is None:
        return None
    span = f"{found.first_date.isoformat()}/{found.last_date.isoformat()}"
    return Guidance(
        learned=learned_from_json(found.learned),
        source=f"{span} {found.proposal_id[:8]}",
        keep_ratio=keep_ratio,
        prize_by=prize_by,
    )


def learned_key(session: Session, region_id: str) -> str:
    """What is in use, by name: as long as it is the same, so is ``learned_of``."""
    return learned_store.in_use_id(session, region_id) or ""


def _late_stays(request: PlanRequest, records: Iterable[DayRecord]) -> Iterator[LateStay]:
    """What visits that opened late show of how crews make up for it."""
    setup_s = {str(s.stop_id): s.setup_s for s in request.stops}
    for record in records:
        for visit in record.in_state(*HELD):
            opens, leaves, stayed = (
                visit.planned_open_s,
                visit.planned_departure_s,
                visit.dwell_s,
            )
            is_known = visit.is_seen_whole and visit.source is ActualSource.MEASURED
            if is_known and opens is not None and leaves is not None and stayed is not None:
                whole_s = leaves - opens + setup_s.get(str(visit.stop_id), 0)
                yield LateStay(late_s=visit.late_s, whole_s=whole_s, stayed_s=stayed)


def _in_parts(session: Session, region_id: str, first: date, last: date) -> list[DayRecord]:
    """The records of a long span, month by month."""
    records: list[DayRecord] = []
    for start in range(0, (last - first).days + 1, _PART_DAYS):
        begin = first + timedelta(days=start)
        end = first + timedelta(days=min((last - first).days, start + _PART_DAYS - 1))
        records += driven_records(session, region_id, begin, end)
    return records


def _against(session: Session, region_id: str, on: date) -> tuple[str, PlanRequest, Plan]:
    """The plan whose roads and stops the records are measured against: the one in force."""
    found = timetable_on(session, region_id, on)
    found = found or publication_store.newest_timetable(session, region_id)
    if found is None:
        raise InputError("learned.no_timetable")
    opened = open_plan(session, found.plan_id)
    return found.plan_id, opened.request, opened.plan


def _plain(document: Any) -> Any:
    """Values as JSON has them; dates as text."""
    return json.loads(json.dumps(document, default=str))
