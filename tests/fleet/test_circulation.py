"""Loans, returns, renewals and registrations: what stands, and what is shown to a person."""

from datetime import timedelta

import pytest

from data.model.journal_bodies import Choice, MoveBody, ReregistrationBody, VoidBody
from data.model.loans import DueBasis, HoldState
from data.model.stock import ItemPlace, PlaceKind
from fleet.circulation_limits import Rule
from fleet.circulation_outcome import Proposal, Verdict
from fleet.circulation_replay import Replay
from fleet.circulation_sync import histories
from tests.fleet.circulating import (
    ABOARD,
    BASE,
    BRANCH,
    DAY,
    MORNING,
    STOP,
    STORE,
    Tablet,
    earlier_loan,
    hold_of,
    replayed,
)

HOUR = timedelta(hours=1)
LATER = MORNING + 4 * HOUR


def only_conflict(run: Replay) -> tuple[str, Proposal | None]:
    (step,) = run.conflicts
    return step.outcome.rule, step.outcome.proposal


def test_a_loan_and_its_return() -> None:
    """An item is lent, is due at the visit that was told, and comes back."""
    tablet = Tablet()
    loan = tablet.lend("i1", "p1", MORNING)
    run = replayed(tablet)
    (open_loan,) = run.state.open_loans_of_item("i1")
    assert (open_loan.patron_id, open_loan.due.visit_id) == ("p1", "v1")
    assert (open_loan.due.basis, open_loan.stop_id) == (DueBasis.VISIT, STOP)
    tablet.take_back("i1", LATER, loan.event_id)
    run = replayed(tablet)
    assert run.state.open_loans_of_item("i1") == ()
    assert run.state.loans[open_loan.loan_id].returned_at == LATER
    assert not run.conflicts


def test_lent_aboard_while_a_branch_returned_it_later() -> None:
    """C5: a person sees the rule, a proposal and both histories; nothing is dropped."""
    tablet = Tablet()
    branch = Tablet(device_id="branch", place=BRANCH)
    loan = tablet.lend("i1", "p1", MORNING)
    back = branch.take_back("i1", LATER)
    run = replayed(tablet, branch)
    assert only_conflict(run) == (Rule.RETURNED_ELSEWHERE, Proposal.CLOSE_LOAN)
    (step,) = run.conflicts
    assert step.outcome.facts["loan_id"] == loan.event_id
    own, other = histories(run, step)
    assert [(x.kind, x.place) for x in own] == [("return", "point:branch")]
    assert [(x.kind, x.patron_id) for x in other] == [("loan", "p1")]
    assert len(run.state.open_loans_of_item("i1")) == 1
    branch.decide(back, Rule.RETURNED_ELSEWHERE, Choice.APPLY, LATER + HOUR)
    settled = replayed(tablet, branch)
    assert not settled.conflicts
    assert settled.state.open_loans_of_item("i1") == ()
    assert settled.state.items[step.outcome.facts["item_id"]].place == BRANCH  # type: ignore[index]
    branch.events.pop()
    branch.decide(back, Rule.RETURNED_ELSEWHERE, Choice.LEAVE, LATER + HOUR)
    assert len(replayed(tablet, branch).state.open_loans_of_item("i1")) == 1


def test_a_reader_may_bring_it_elsewhere() -> None:
    """Days after a loan its return at a library is no news that anybody must judge."""
    tablet, branch = Tablet(), Tablet(device_id="branch", place=BRANCH)
    tablet.lend("i1", "p1", MORNING)
    branch.take_back("i1", MORNING + timedelta(days=4))
    run = replayed(tablet, branch)
    assert not run.conflicts
    (loan,) = run.state.loans.values()
    assert (loan.place, loan.return_place) == (ABOARD, BRANCH)


def test_a_due_date_nobody_gives() -> None:
    """A date that cannot be meant (a clock of another year) makes way for the most days."""
    for told in (DAY + timedelta(days=400), DAY - timedelta(days=1)):
        tablet = Tablet()
        tablet.lend("i1", "p1", MORNING, due_date=told)
        (loan,) = replayed(tablet).state.open_loans_of_item("i1")
        assert (loan.due.basis, loan.due.due_date) == (DueBasis.MOST_DAYS, DAY + timedelta(days=30))


def test_lent_to_another_before_it_was_returned() -> None:
    """The reader has the item: both loans are open until a person closes the older one."""
    tablet = Tablet()
    base = (*BASE, earlier_loan("i1", "p2"))
    loan = tablet.lend("i1", "p1", MORNING)
    run = replayed(tablet, base=base)
    assert only_conflict(run) == (Rule.LENT_TO_OTHER, Proposal.CLOSE_OTHER_LOAN)
    assert [x.is_disputed for x in run.state.open_loans_of_item("i1")] == [False, True]
    own, other = histories(run, run.conflicts[0])
    assert ([x.loan_id for x in other], len(own)) == (["old-i1"], 1)
    tablet.decide(loan, Rule.LENT_TO_OTHER, Choice.APPLY, LATER)
    run = replayed(tablet, base=base)
    assert [(x.patron_id, x.is_disputed) for x in run.state.open_loans_of_item("i1")] == [
        ("p1", False)
    ]
    assert not run.conflicts


def test_a_return_that_means_another_loan() -> None:
    """A tablet that knew an older loan does not close a newer one unasked."""
    tablet = Tablet()
    tablet.lend("i1", "p1", MORNING)
    tablet.take_back("i1", LATER, "old-i1")
    assert only_conflict(replayed(tablet)) == (Rule.RETURN_OF_OTHER_LOAN, Proposal.CLOSE_LOAN)


def test_two_tablets_share_a_vehicle() -> None:
    """What one tablet lent the other takes back, though it knew nothing of the loan."""
    one, two = Tablet(), Tablet(device_id="tablet-b")
    one.lend("i1", "p1", MORNING)
    two.take_back("i1", LATER)
    two.lend("i1", "p2", LATER + HOUR)
    run = replayed(one, two)
    assert not run.conflicts
    assert [x.patron_id for x in run.state.open_loans_of_item("i1")] == ["p2"]


def test_the_same_loan_twice() -> None:
    """Typed from paper as well, a loan is one; another day it is a renewal."""
    tablet = Tablet()
    tablet.lend("i1", "p1", MORNING)
    again = tablet.lend("i1", "p1", LATER)
    next_visit = tablet.lend("i1", "p1", MORNING + timedelta(days=14))
    run = replayed(tablet)
    assert run.outcomes[again.event_id].verdict is Verdict.DUPLICATE
    assert run.outcomes[next_visit.event_id].verdict is Verdict.ACCEPTED
    assert [x.num_renewals for x in run.state.open_loans_of_item("i1")] == [1]


@pytest.mark.parametrize(
    ("item_id", "patron_id", "rule"),
    [
        ("i1", "blocked", Rule.BLOCKED),
        ("i9", "child", Rule.AGE_MARK),
        ("i8", "child", Rule.AGE_MARK),
        ("nothing", "p1", Rule.ITEM_UNKNOWN),
        ("i1", "nobody", Rule.PATRON_UNKNOWN),
    ],
)
def test_objections_are_shown(item_id: str, patron_id: str, rule: Rule) -> None:
    """A loan against a rule waits for a person; where item and reader are known it stands."""
    tablet = Tablet()
    loan = tablet.lend(item_id, patron_id, MORNING)
    run = replayed(tablet)
    assert only_conflict(run)[0] == rule
    is_known = rule not in (Rule.ITEM_UNKNOWN, Rule.PATRON_UNKNOWN)
    assert len(run.state.open_loans_of_item(item_id)) == is_known
    told = {Rule.ITEM_UNKNOWN: {"item_id": "i3"}, Rule.PATRON_UNKNOWN: {"patron_id": "p3"}}
    tablet.decide(loan, rule, Choice.APPLY, LATER, **told.get(rule, {}))
    run = replayed(tablet)
    assert not run.conflicts
    assert len(run.state.loans) == 1


def test_a_crew_may_override_what_is_not_firm() -> None:
    """A block and a mark of 12+ may be overridden aboard; a mark of 18+ may not."""
    tablet = Tablet()
    tablet.lend("i1", "blocked", MORNING, overrides=("blocked",))
    tablet.lend("i8", "child", MORNING, overrides=("age_mark",))
    assert not replayed(tablet).conflicts
    tablet.lend("i9", "child", MORNING, overrides=("age_mark",))
    assert only_conflict(replayed(tablet))[0] == Rule.AGE_MARK


def test_limits() -> None:
    """The eleventh item of a reader, and any item of one long overdue, are shown."""
    tablet = Tablet()
    for n in range(11):
        tablet.lend(f"i{10 + n if n != 10 else 1}", "p1", MORNING, overrides=("age_mark",))
    run = replayed(tablet)
    assert only_conflict(run)[0] == Rule.OVER_LIMIT
    assert run.conflicts[0].outcome.facts["count"] == 11
    overdue = earlier_loan("i19", "p2", loan_id="old")
    late = Tablet()
    late.lend("i1", "p2", MORNING + timedelta(days=10 + 15))
    assert only_conflict(replayed(late, base=(*BASE, overdue)))[0] == Rule.OVERDUE


def test_a_hold_is_for_its_reader() -> None:
    """An item set aside is shown if lent to another; lent to its reader, the hold is fulfilled."""
    ready = hold_of("h1", "t1", "p1", state=HoldState.READY, item_id="i1")
    other = Tablet()
    other.lend("i1", "p2", MORNING)
    assert only_conflict(replayed(other, base=(*BASE, ready)))[0] == Rule.HELD_FOR_OTHER
    own = Tablet()
    own.lend("i1", "p1", MORNING)
    run = replayed(own, base=(*BASE, ready))
    assert run.state.holds[ready.hold_id].state is HoldState.HANDED
    assert not run.conflicts


def test_renewals() -> None:
    """Two renewals are allowed; a third, and one where another waits, are shown."""
    tablet = Tablet()
    loan = tablet.lend("i1", "p1", MORNING).event_id
    for n in range(1, 4):
        tablet.renew("i1", MORNING + timedelta(days=n), loan)
    run = replayed(tablet)
    assert only_conflict(run)[0] == Rule.RENEWAL_LIMIT
    assert [x.num_renewals for x in run.state.open_loans_of_item("i1")] == [3]
    waiting = hold_of("h1", "t1", "p2"), hold_of("h2", "t1", "p3")
    one = Tablet()
    loan = one.lend("i1", "p1", MORNING).event_id
    one.renew("i1", MORNING + timedelta(days=1), loan)
    assert only_conflict(replayed(one, base=(*BASE, *waiting)))[0] == Rule.HELD_FOR_OTHER


def test_a_renewal_of_what_was_returned() -> None:
    """Renewed aboard after a branch took it back: on a person's word it is lent again."""
    tablet, branch = Tablet(), Tablet(device_id="branch", place=BRANCH)
    branch.take_back("i1", MORNING, "old-i1")
    renewal = tablet.renew("i1", LATER, "old-i1")
    base = (*BASE, earlier_loan("i1", "p2"))
    run = replayed(tablet, branch, base=base)
    assert only_conflict(run) == (Rule.RENEWAL_NOT_LENT, Proposal.LEND_AGAIN)
    branch.decide(renewal, Rule.RENEWAL_NOT_LENT, Choice.APPLY, LATER + HOUR)
    run = replayed(tablet, branch, base=base)
    assert [x.patron_id for x in run.state.open_loans_of_item("i1")] == ["p2"]


def test_registrations() -> None:
    """A card given twice is nobody's second one; one person twice becomes one."""
    one, two = Tablet(), Tablet(device_id="tablet-b")
    one.register("n1", MORNING, card="c100", name="Анна  Ёлкина")
    one.lend("i1", "n1", MORNING)
    again = two.register("n2", LATER, card="c100", name="анна ёлкина")
    two.lend("i2", "n2", LATER)
    other = two.register("n3", LATER, card="c100", name="Олег")
    run = replayed(one, two)
    assert [(s.outcome.rule, s.outcome.proposal) for s in run.conflicts] == [
        (Rule.CARD_TAKEN, Proposal.MERGE_PATRONS),
        (Rule.CARD_TAKEN, Proposal.GIVE_NEW_CARD),
    ]
    assert len(run.state.open_loans_of_patron("n2")) == 1
    one.decide(again, Rule.CARD_TAKEN, Choice.APPLY, LATER + HOUR)
    one.decide(other, Rule.CARD_TAKEN, Choice.APPLY, LATER + HOUR, card="c101")
    run = replayed(one, two)
    assert not run.conflicts
    assert len(run.state.open_loans_of_patron("n1")) == 2
    assert run.state.patron_of("", "c101") is not None
    one.write(ReregistrationBody(patron_id="n1", expires_date=DAY), LATER + 2 * HOUR)
    patron = replayed(one, two).state.patron_of("n1")
    assert patron is not None
    assert patron.expires_date == DAY + timedelta(days=365)


def test_a_slip_is_taken_back() -> None:
    """A voided loan never was; voiding the void restores it."""
    tablet = Tablet()
    loan = tablet.lend("i1", "p1", MORNING)
    void = tablet.write(VoidBody(event_id=loan.event_id), MORNING)
    assert not replayed(tablet).state.loans
    tablet.write(VoidBody(event_id=void.event_id), MORNING)
    assert len(replayed(tablet).state.loans) == 1


def test_a_vehicle_takes_back_its_own_alone() -> None:
    """Another vehicle's event is not its to take back; a library may."""
    tablet = Tablet()
    loan = tablet.lend("i1", "p1", MORNING)
    other = Tablet(device_id="other", place=ItemPlace(kind=PlaceKind.VEHICLE, key="v2"))
    other.write(VoidBody(event_id=loan.event_id), LATER)
    assert len(replayed(tablet, other).state.loans) == 1
    desk = Tablet(device_id="desk", place=BRANCH)
    desk.write(VoidBody(event_id=loan.event_id), LATER)
    assert not replayed(tablet, desk).state.loans


def test_three_places() -> None:
    """Items go between vehicle, store and point by scan; one on loan is not found unasked."""
    tablet = Tablet()
    club = ItemPlace(kind=PlaceKind.POINT, key="club")
    tablet.write(MoveBody(item_ids=("i1", "i2"), to_place=club, box_id="box-7"), MORNING)
    tablet.write(MoveBody(item_ids=("i3",), to_place=STORE), MORNING)
    run = replayed(tablet)
    assert [i.item_id for i in run.state.items_at(club)] == ["i1", "i2"]
    assert run.state.items_at(club)[0].box_id == "box-7"
    loan = tablet.lend("i1", "p1", LATER)
    assert replayed(tablet).state.items[run.state.items_at(club)[0].item_id].place == ABOARD
    found = tablet.write(MoveBody(item_ids=("i1",), to_place=ABOARD), LATER + HOUR)
    run = replayed(tablet)
    assert only_conflict(run)[0] == Rule.NOT_AT_PLACE
    tablet.decide(found, Rule.NOT_AT_PLACE, Choice.APPLY, LATER + 2 * HOUR)
    run = replayed(tablet)
    assert not run.state.loans[loan.event_id].is_open  # type: ignore[index]
    assert not run.conflicts
