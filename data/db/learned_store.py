"""Proposals of what recorded days taught; one of a region may be in use."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session, col, select

from data.db.tables.days import LearnedProposalRow
from data.model.errors import ConflictError, NotFoundError
from data.model.learned_proposal import LearnedProposal, ProposalState

_NAMES = tuple(LearnedProposal.__dataclass_fields__)


def add_proposal(session: Session, proposal: LearnedProposal) -> None:
    """Store a new proposal; those of the region that were still open give way to it."""
    asked = select(LearnedProposalRow).where(
        LearnedProposalRow.region_id == proposal.region_id,
        LearnedProposalRow.state == ProposalState.OPEN.value,
    )
    for row in session.exec(asked):
        session.delete(row)
    values = {name: getattr(proposal, name) for name in _NAMES}
    session.add(LearnedProposalRow(**values | {"state": proposal.state.value}))
    session.flush()


def get_proposal(session: Session, region_id: str, proposal_id: str) -> LearnedProposal:
    """One proposal.

    Raises
    ------
    NotFoundError
        ``learned.unknown``.
    """
    return _proposal(_row(session, region_id, proposal_id))


def list_proposals(session: Session, region_id: str) -> tuple[LearnedProposal, ...]:
    """Proposals of a region, the newest first."""
    asked = (
        select(LearnedProposalRow)
        .where(LearnedProposalRow.region_id == region_id)
        .order_by(col(LearnedProposalRow.created_at).desc(), col(LearnedProposalRow.proposal_id))
    )
    return tuple(_proposal(row) for row in session.exec(asked))


def in_use(session: Session, region_id: str) -> LearnedProposal | None:
    """The accepted proposal, by which plans are made; ``None`` where there is none."""
    asked = select(LearnedProposalRow).where(
        LearnedProposalRow.region_id == region_id,
        LearnedProposalRow.state == ProposalState.ACCEPTED.value,
    )
    row = session.exec(asked).first()
    return None if row is None else _proposal(row)


def in_use_id(session: Session, region_id: str) -> str | None:
    """Which proposal is in use, without what it holds."""
    asked = select(LearnedProposalRow.proposal_id).where(
        LearnedProposalRow.region_id == region_id,
        LearnedProposalRow.state == ProposalState.ACCEPTED.value,
    )
    return session.exec(asked).first()


def decide(
    session: Session,
    region_id: str,
    proposal_id: str,
    state: ProposalState,
    *,
    expect_revision: int | None,
    note: str,
    by: str | None,
    at: datetime,
) -> LearnedProposal:
    """Accept, reject or take out of use; accepting replaces what was in use.

    Raises
    ------
    NotFoundError
        ``learned.unknown``.
    ConflictError
        ``store.stale``; ``learned.decided`` where the proposal cannot become that.
    """
    row = _row(session, region_id, proposal_id)
    if expect_revision not in (None, row.revision):
        raise ConflictError(
            "store.stale", subject=proposal_id, found=row.revision, expected=expect_revision
        )
    before = ProposalState(row.state)
    allowed = {
        ProposalState.OPEN: (ProposalState.ACCEPTED, ProposalState.REJECTED),
        ProposalState.ACCEPTED: (ProposalState.WITHDRAWN,),
        # What was in use once, or was refused too soon, may be taken again.
        ProposalState.REPLACED: (ProposalState.ACCEPTED,),
        ProposalState.WITHDRAWN: (ProposalState.ACCEPTED,),
        ProposalState.REJECTED: (ProposalState.ACCEPTED,),
    }
    if state not in allowed[before]:
        raise ConflictError("learned.decided", state=before.value)
    if state is ProposalState.ACCEPTED:
        asked = select(LearnedProposalRow).where(
            LearnedProposalRow.region_id == region_id,
            LearnedProposalRow.state == ProposalState.ACCEPTED.value,
        )
        for other in session.exec(asked):
            other.state = ProposalState.REPLACED.value
            other.revision += 1
    row.state, row.note = state.value, note
    row.decided_at, row.decided_by = at, by
    row.revision += 1
    session.flush()
    return _proposal(row)


def _row(session: Session, region_id: str, proposal_id: str) -> LearnedProposalRow:
    row = session.get(LearnedProposalRow, proposal_id)
    if row is None or row.region_id != region_id:
        raise NotFoundError("learned.unknown", proposal_id=proposal_id)
    return row


def _proposal(row: LearnedProposalRow) -> LearnedProposal:
    values = {name: getattr(row, name) for name in _NAMES if name != "state"}
    return replace(LearnedProposal(**values), state=ProposalState(row.state))
