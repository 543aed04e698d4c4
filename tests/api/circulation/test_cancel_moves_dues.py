"""One cancel moves due dates and holds of its stop, one undo brings them back, to the day."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from api.services import cancelling
from api.services.circulation_followed import Followed, has_followed, would_follow
from data.db import circulation_store, publication_store
from data.db.engine import reading, writing
from data.model.cancellation import Cancellation, CancelReason, Scope
from data.model.loans import Due, DueBasis, Hold, HoldId, HoldState, Loan, LoanId
from data.model.patrons import PatronId
from data.model.publication import PromisedVisit
from data.model.stock import ItemId, TitleId
from tests.api.circulation.library import (
    ABOARD,
    MORNING,
    STOPS,
    Library,
    TabletAt,
    library,
    pair,
    state_of,
)
from tests.api.tracking.depot import ANNA, REGION
from tests.fleet.days import DAY

STOP = STOPS[0]


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Library]:
    with library(tmp_path) as made:
        yield made


def visits(one: Library) -> tuple[PromisedVisit, ...]:
    """The stop's visits after today."""
    with reading(one.engine) as session:
        found = publication_store.load_visits(
            session, REGION, from_date=DAY + timedelta(days=1), stop_id=STOP
        )
    return tuple(sorted(found, key=lambda v: v.opens_date))


def cancel(one: Library, visit: PromisedVisit) -> str:
    asked = Cancellation(scope=Scope.VISIT, visit_id=visit.visit_id, reason=CancelReason("weather"))
    with writing(one.engine) as session:
        done = cancelling.cancel(session, REGION, asked, seen=None, by=ANNA, at=one.service.clock())
    return done.exception_id


def undo(one: Library, exception_id: str) -> None:
    with writing(one.engine) as session:
        cancelling.undo(session, REGION, exception_id, by=ANNA, at=one.service.clock())


def lend(one: Library, visit: PromisedVisit) -> tuple[TabletAt, str]:
    """A tablet lent an item until a visit; not brought yet."""
    device, token = pair(one.engine, 1)
    tablet = TabletAt(device=device)
    tablet.lend(
        "i1",
        "p1",
        MORNING + timedelta(hours=2),
        due_date=visit.opens_date.isoformat(),
        due_visit_id=visit.visit_id,
    )
    return tablet, token


def loan_of(one: Library) -> Loan:
    state = state_of(one.engine)
    return next(t for t in state.values() if isinstance(t, Loan))


def set_aside(one: Library, first: PromisedVisit, last: PromisedVisit) -> None:
    """A hold that lies ready for two visits."""
    hold = Hold(
        hold_id=HoldId("h1"),
        title_id=TitleId("t5"),
        patron_id=PatronId("p2"),
        stop_id=STOP,
        placed_at=MORNING - timedelta(days=3),
        state=HoldState.READY,
        item_id=ItemId("i5"),
        pickup_visit_id=first.visit_id,
        pickup_date=first.opens_date,
        keep_until_date=last.opens_date,
    )
    with writing(one.engine) as session:
        circulation_store.hold_circulation(session, REGION)
        circulation_store.put_things(session, REGION, [hold])
        circulation_store.advance(session, REGION, is_new_base=True)


def hold_of(one: Library) -> Hold:
    return next(t for t in state_of(one.engine).values() if isinstance(t, Hold))


def test_due_date_and_hold_follow_a_cancel_and_its_undo(one: Library) -> None:
    """To the next real visit, and back to the day and the visit that were told."""
    first, second, third = visits(one)[:3]
    set_aside(one, first, second)
    tablet, token = lend(one, first)
    one.bring(token, tablet)
    told = loan_of(one).due
    held = hold_of(one)
    assert told == Due(due_date=first.opens_date, basis=DueBasis.VISIT, visit_id=first.visit_id)
    exception_id = cancel(one, first)
    moved = loan_of(one).due
    assert (moved.due_date, moved.visit_id) == (second.opens_date, second.visit_id)
    assert hold_of(one).pickup_visit_id == second.visit_id
    assert hold_of(one).keep_until_date == third.opens_date
    undo(one, exception_id)
    assert loan_of(one).due == told
    assert hold_of(one) == held


def test_a_loan_that_is_brought_after_the_cancel_moves_as_well(one: Library) -> None:
    """The crew told a date without knowing; undone, what the reader was told stands."""
    first, second = visits(one)[:2]
    tablet, token = lend(one, first)
    exception_id = cancel(one, first)
    one.bring(token, tablet)
    assert loan_of(one).due.visit_id == second.visit_id
    undo(one, exception_id)
    assert loan_of(one).due.visit_id == first.visit_id


def test_a_cancel_is_told_with_its_exception(one: Library) -> None:
    """The effects name the event; the journal keeps both it and its taking back."""
    first = visits(one)[0]
    exception_id = cancel(one, first)
    with reading(one.engine) as session:
        done = publication_store.get_exception(session, REGION, exception_id)
    (effect,) = [e for e in done.effects if e.step == "circulation"]
    assert effect.after == {"stop_id": STOP, "gone": [f"{first.opens_date} {first.visit_id}"]}
    undo(one, exception_id)
    with one.service.ledgers.reading(one.engine, REGION) as (_, ledger):
        kinds = [s.timed.event.kind.value for s in ledger.replay.steps]
    assert kinds == ["visits_moved", "void"]


def test_of_two_cancels_one_undone_leaves_the_other(one: Library) -> None:
    """The loan goes on to the third visit, and back to the first when that is restored."""
    first, second, third = visits(one)[:3]
    tablet, token = lend(one, first)
    one.bring(token, tablet)
    first_cancel = cancel(one, first)
    one.depot.now += timedelta(minutes=5)
    cancel(one, second)
    assert loan_of(one).due.visit_id == third.visit_id
    undo(one, first_cancel)
    assert loan_of(one).due.visit_id == first.visit_id


def test_an_item_aboard_keeps_its_place(one: Library) -> None:
    """A moved due date moves no item."""
    first = visits(one)[0]
    tablet, token = lend(one, first)
    one.bring(token, tablet)
    cancel(one, first)
    with one.service.ledgers.reading(one.engine, REGION) as (_, ledger):
        assert ledger.state.items[ItemId("i1")].place == ABOARD
        assert ledger.state.loans[LoanId(tablet.events[0]["event_id"])].is_open


def test_what_follows_is_counted_before_and_after(one: Library) -> None:
    """As many before as after; another visit moves nothing, and undone there is nothing to tell."""
    first, second, third = visits(one)[:3]
    set_aside(one, first, second)
    tablet, token = lend(one, first)
    one.bring(token, tablet)
    expected = Followed(num_loans=1, num_holds=1)
    assert would_follow(one.service, REGION, [first]) == expected
    assert would_follow(one.service, REGION, [third]) == Followed()
    exception_id = cancel(one, first)
    assert told_of(one, exception_id) == expected
    undo(one, exception_id)
    assert told_of(one, exception_id) == Followed()


def told_of(one: Library, exception_id: str) -> Followed:
    with reading(one.engine) as session:
        done = publication_store.get_exception(session, REGION, exception_id)
    return has_followed(one.service, REGION, done)
