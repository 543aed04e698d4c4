"""A replayed journal as operations for the library's system."""

from datetime import date, timedelta

from data.feeds.koha_koc import koc_file
from data.model.journal_bodies import Choice, VisitsMovedBody
from data.model.library_ops import OperationKind
from fleet.library.from_journal import operations_of
from tests.fleet.circulating import (
    BASE,
    DAY,
    MORNING,
    VISITS,
    Tablet,
    earlier_loan,
    replayed,
)
from tests.fleet.library.koha_rules import Koha

HOUR = timedelta(hours=1)


def test_a_day_as_operations() -> None:
    """Loan, renewal and return with the card, the due date told, and the ids of their events."""
    tablet = Tablet()
    lent = tablet.lend("i1", "p1", MORNING)
    tablet.take_back("i2", MORNING + HOUR)
    tablet.renew("i1", MORNING + 2 * HOUR)
    base = (*BASE, earlier_loan("i2", "p2"))
    run = replayed(tablet, base=base)
    told = operations_of(run.steps, run.state, place="KIBO")
    assert [(o.kind, o.item_id, o.card) for o in told.operations] == [
        (OperationKind.LOAN, "i1", "c1"),
        (OperationKind.RETURN, "i2", "c2"),
        (OperationKind.RENEWAL, "i1", "c1"),
    ]
    first, back, renewed = told.operations
    assert (str(first.operation_id), first.due_date) == (lent.event_id, VISITS[1].opens_date)
    assert (back.due_date, renewed.due_date) == (None, VISITS[2].opens_date)
    assert (first.brief, first.place) == ("Title 1", "KIBO")
    assert told.waiting == ()


def test_what_is_in_conflict_waits() -> None:
    """An item that another reader has is not told until a person decided; then both are."""
    tablet = Tablet()
    event = tablet.lend("i1", "p1", MORNING)
    base = (*BASE, earlier_loan("i1", "p2"))
    run = replayed(tablet, base=base)
    (step,) = run.conflicts
    waiting = operations_of(run.steps, run.state)
    assert (waiting.operations, waiting.waiting) == ((), (event.event_id,))
    tablet.decide(event, step.outcome.rule, Choice.APPLY, MORNING + HOUR)
    run = replayed(tablet, base=base)
    told = operations_of(run.steps, run.state)
    assert {(o.kind, o.card) for o in told.operations} == {
        (OperationKind.RETURN, "c2"),
        (OperationKind.LOAN, "c1"),
    }
    assert len({o.operation_id for o in told.operations}) == 2
    koha = Koha(loans={"i1": ("c2", date(2026, 11, 10))})
    koha.process(
        koc_file(told.operations, time_zone="Europe/Kaliningrad", generator_version="1").content
    )
    assert koha.errors == []
    assert koha.loans["i1"] == ("c1", DAY)


def test_what_had_no_effect_is_not_told() -> None:
    """An event that a librarian left without effect reaches no library."""
    tablet = Tablet()
    event = tablet.lend("i1", "p1", MORNING)
    base = (*BASE, earlier_loan("i1", "p2"))
    (step,) = replayed(tablet, base=base).conflicts
    tablet.decide(event, step.outcome.rule, Choice.LEAVE, MORNING + HOUR)
    run = replayed(tablet, base=base)
    assert operations_of(run.steps, run.state).operations == ()


def test_a_new_reader_with_a_card() -> None:
    """A registration is told with what the reader gave; one without a card is named."""
    tablet = Tablet()
    tablet.register("n1", MORNING, card="c77", name="Петров Пётр", phone="+7 4012")
    nameless = tablet.register("n2", MORNING + HOUR, name="Без билета")
    run = replayed(tablet)
    told = operations_of(run.steps, run.state)
    (made,) = told.operations
    assert (made.kind, made.card, made.name) == (OperationKind.REGISTRATION, "c77", "Петров Пётр")
    assert told.without_card == (nameless.event_id,)


def test_due_dates_that_move_are_no_loans() -> None:
    """A visit is gone and its loans are due later: that is ours, and no loan anew."""
    tablet = Tablet()
    tablet.lend("i1", "p1", MORNING)
    gone, coming = (str(VISITS[1]),), (str(VISITS[2]),)
    tablet.write(VisitsMovedBody(gone=gone, coming=coming), MORNING + HOUR, visit_id=None)
    run = replayed(tablet)
    (loan,) = run.state.loans.values()
    assert loan.due.due_date == VISITS[2].opens_date
    (told,) = operations_of(run.steps, run.state).operations
    assert (told.kind, told.due_date) == (OperationKind.LOAN, VISITS[1].opens_date)
