"""Sheets of days and proposals of what they taught, on both databases."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from data.db import day_sheet_store, learned_store, plan_store, region_store
from data.db.engine import reading, writing
from data.db.plan_store import PlanState
from data.model.day_sheet import DaySheet
from data.model.errors import ConflictError, NotFoundError
from data.model.fleet import VehicleId
from data.model.learned_proposal import LearnedProposal, ProposalState
from tests.api.publication.office import region

AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
BUS = VehicleId("kibo-1")
REGION = "kaliningrad"
SHEET = DaySheet(
    region_id=REGION, vehicle_id=BUS, service_date=date(2026, 12, 1), number="17",
    odometer_out_km=100, odometer_in_km=250.5, out_s=28_000, is_technical_passed=True,
    driver="Иванов", valid_until=date(2026, 12, 31), note="=1+1",
)  # fmt: skip


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A region with a plan."""
    with writing(engine) as session:
        region_store.add_region(session, region(), at=AT)
        plan_store.add_plan(
            session, plan_id="p" * 32, region_id=REGION, name="Winter", request=b"x",
            state=PlanState(plan=b"y", pins={}, step={"code": "step.begun"}, summary={},
                            num_violations=0),
            facts={}, at=AT, by=None,
        )  # fmt: skip
    return engine


def test_a_sheet_comes_back_as_it_was_written(filled: Engine) -> None:
    """Every field, whatever its type; its revision counts."""
    with writing(filled) as session:
        stored = day_sheet_store.put_sheet(session, SHEET, expect_revision=0, by=None, at=AT)
    with reading(filled) as session:
        found = day_sheet_store.get_sheet(session, REGION, BUS, SHEET.service_date)
        last = day_sheet_store.last_sheet(session, REGION, BUS, date(2026, 12, 9))
        none = day_sheet_store.last_sheet(session, REGION, BUS, SHEET.service_date)
        listed = day_sheet_store.list_sheets(
            session, REGION, from_date=date(2026, 11, 1), until_date=date(2026, 12, 31)
        )
    assert found == stored == replace(SHEET, revision=1) == last
    assert none is None
    assert listed == (stored,)


def test_who_was_slower_is_told_and_changes_nothing(filled: Engine) -> None:
    """Two people fill in one sheet: the second learns that it has changed."""
    with writing(filled) as session:
        day_sheet_store.put_sheet(session, SHEET, expect_revision=0, by=None, at=AT)
    with pytest.raises(ConflictError, match=r"store\.stale"), writing(filled) as session:
        day_sheet_store.put_sheet(
            session, replace(SHEET, number="18"), expect_revision=0, by=None, at=AT
        )
    with reading(filled) as session:
        found = day_sheet_store.get_sheet(session, REGION, BUS, SHEET.service_date)
    assert found is not None
    assert found.number == "17"


def proposal(name: str) -> LearnedProposal:
    return LearnedProposal(
        proposal_id=name, region_id=REGION, plan_id="p" * 32, first_date=date(2026, 11, 1),
        last_date=date(2026, 11, 30), num_days=20, num_legs=70, learned={"x": 1}, created_at=AT,
    )  # fmt: skip


def test_one_proposal_is_in_use_at_most(filled: Engine) -> None:
    """Accepting another replaces the first; taken out of use, nothing is."""
    with writing(filled) as session:
        learned_store.add_proposal(session, proposal("one"))
        assert learned_store.in_use(session, REGION) is None, "a proposal changes nothing"
        _decide(session, "one", ProposalState.ACCEPTED)
        learned_store.add_proposal(session, proposal("two"))
        _decide(session, "two", ProposalState.ACCEPTED)
        used = learned_store.in_use(session, REGION)
        states = {p.proposal_id: p.state for p in learned_store.list_proposals(session, REGION)}
        _decide(session, "two", ProposalState.WITHDRAWN)
        assert learned_store.in_use(session, REGION) is None
    assert used is not None
    assert used.proposal_id == "two"
    assert states == {"one": ProposalState.REPLACED, "two": ProposalState.ACCEPTED}


def test_a_proposal_is_decided_once_and_by_what_was_seen(filled: Engine) -> None:
    """A second decision, one on an old state and one on an unknown proposal are refused."""
    with writing(filled) as session:
        learned_store.add_proposal(session, proposal("one"))
        _decide(session, "one", ProposalState.REJECTED)
        with pytest.raises(ConflictError, match=r"learned\.decided"):
            _decide(session, "one", ProposalState.REJECTED)
        with pytest.raises(ConflictError, match=r"store\.stale"):
            _decide(session, "one", ProposalState.ACCEPTED, expect=1)
        with pytest.raises(NotFoundError, match=r"learned\.unknown"):
            _decide(session, "other", ProposalState.ACCEPTED)


def _decide(
    session: Session, name: str, state: ProposalState, expect: int | None = None
) -> LearnedProposal:
    return learned_store.decide(
        session, REGION, name, state, expect_revision=expect, note="", by=None, at=AT
    )
