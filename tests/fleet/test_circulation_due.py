"""Due dates and holds follow the visits of their stop, and come back when a visit does."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.model.journal_bodies import VisitDate, VisitsMovedBody, VoidBody
from data.model.lending import LendingRules
from data.model.loans import Due, DueBasis, HoldState
from data.model.place import StopId
from data.model.publication import PromisedVisit, VisitId, VisitState
from fleet.circulation_due import coming_visits, due_of, moved_due, pickup_of
from tests.fleet.circulating import (
    BASE,
    DAY,
    MORNING,
    STOP,
    VISITS,
    Tablet,
    earlier_loan,
    hold_of,
    replayed,
)

RULES = LendingRules(least_days=7, most_days=30, hold_visits=2)


def visit_in(days: int) -> VisitDate:
    return VisitDate(visit_id=VisitId(f"in{days}"), opens_date=DAY + timedelta(days=days))


@pytest.mark.parametrize(
    ("days", "due_in", "basis"),
    [
        ([14, 28], 14, DueBasis.VISIT),
        ([6, 20], 20, DueBasis.VISIT),
        ([7, 14], 7, DueBasis.VISIT),
        ([30], 30, DueBasis.VISIT),
        ([3, 31], 30, DueBasis.MOST_DAYS),
        ([], 30, DueBasis.MOST_DAYS),
    ],
)
def test_due_at_the_next_real_visit(days: list[int], due_in: int, basis: DueBasis) -> None:
    """C11: the first visit from the least days on, unless the most days end before it."""
    due = due_of([visit_in(n) for n in days], DAY, RULES)
    assert (due.due_date, due.basis) == (DAY + timedelta(days=due_in), basis)
    assert (due.visit_id is not None) == (basis is DueBasis.VISIT)


def promised(days: int, stop_id: str = STOP, **changes: object) -> PromisedVisit:
    told: dict[str, object] = {
        "visit_id": VisitId(f"in{days}"),
        "region_id": "r",
        "timetable_id": "t",
        "stop_id": StopId(stop_id),
        "vehicle_id": "v1",
        "service_date": DAY + timedelta(days=days),
        "position": 0,
        "arrival_s": 36_000,
        "start_s": 36_000,
        "end_s": 39_600,
        "departure_s": 39_600,
        "published_at": MORNING,
        "changed_at": MORNING,
    }
    return PromisedVisit(**{**told, **changes})  # type: ignore[arg-type]


def test_only_visits_that_come_count() -> None:
    """Cancelled visits and those of other stops are no dates for a loan."""
    visits = [
        promised(28),
        promised(14, state=VisitState.CANCELLED),
        promised(15, "other"),
        promised(16, state=VisitState.WITHDRAWN),
    ]
    assert coming_visits(visits, STOP) == (visit_in(28),)


def test_a_due_date_is_never_made_earlier() -> None:
    """A visit moved to an earlier date: who was told the later one may come to the next."""
    due = Due(due_date=DAY + timedelta(days=14), basis=DueBasis.VISIT, visit_id=VisitId("in14"))
    earlier = VisitDate(visit_id=VisitId("in14"), opens_date=DAY + timedelta(days=12))
    later = VisitDate(visit_id=VisitId("in14"), opens_date=DAY + timedelta(days=16))
    assert moved_due(due, [earlier, visit_in(28)]).visit_id == "in28"
    assert moved_due(due, [later, visit_in(28)]).due_date == later.opens_date
    assert moved_due(due, []) == Due(due_date=due.due_date, basis=DueBasis.MOST_DAYS)
    given_by_hand = Due(due_date=DAY)
    assert moved_due(given_by_hand, [visit_in(28)]) == given_by_hand


def test_a_hold_is_kept_for_its_visits() -> None:
    """Two visits are waited for; where one alone is promised, that one."""
    two = pickup_of([visit_in(n) for n in (3, 10, 17)], DAY, RULES)
    assert two is not None
    assert (two.pickup_date, two.keep_until_date) == (
        DAY + timedelta(days=3),
        DAY + timedelta(days=10),
    )
    one = pickup_of([visit_in(3)], DAY, RULES)
    assert one is not None
    assert one.keep_until_date == one.pickup_date
    assert pickup_of([], DAY, RULES) is None


def bound_to(n: int, item: int, patron_id: str = "p2") -> object:
    visit = VISITS[n]
    due = Due(due_date=visit.opens_date, basis=DueBasis.VISIT, visit_id=visit.visit_id)
    return earlier_loan(f"i{item}", patron_id, due=due, stop_id=STOP)


def ready_at(n: int, number: int) -> object:
    return hold_of(
        f"h{number}",
        f"t{number}",
        "p3",
        state=HoldState.READY,
        item_id=f"i{number}",
        pickup_visit_id=VISITS[n].visit_id,
        pickup_date=VISITS[n].opens_date,
        keep_until_date=VISITS[n + 1].opens_date,
    )


def moved(n: int, *, coming: tuple[int, ...]) -> VisitsMovedBody:
    return VisitsMovedBody(gone=(str(VISITS[n]),), coming=tuple(str(VISITS[k]) for k in coming))


def test_one_cancel_moves_all_and_undo_restores_all() -> None:
    """C12: due dates and holds of the stop move in one step; undone, each is as it was."""
    base = (*BASE, bound_to(1, 1), bound_to(1, 2), bound_to(2, 3), ready_at(1, 4), ready_at(2, 5))
    tablet, server = Tablet(), Tablet(device_id="server")
    tablet.lend("i6", "p1", MORNING)
    before = replayed(tablet, base=base)  # type: ignore[arg-type]
    cancel = server.write(moved(1, coming=(0, 2, 3, 4)), MORNING + timedelta(hours=1))
    after = replayed(tablet, server, base=base)  # type: ignore[arg-type]
    dues = {x.item_id: x.due.visit_id for x in after.state.loans.values()}
    assert dues == {"i1": "v2", "i2": "v2", "i3": "v2", "i6": "v2"}
    holds = {h.hold_id: (h.pickup_visit_id, h.keep_until_date) for h in after.state.holds.values()}
    assert holds == {
        "h4": ("v2", VISITS[3].opens_date),
        "h5": ("v2", VISITS[3].opens_date),
    }
    server.write(VoidBody(event_id=cancel.event_id), MORNING + timedelta(hours=2))
    restored = replayed(tablet, server, base=base)  # type: ignore[arg-type]
    assert restored.state.as_found() == before.state.as_found()


def test_a_loan_synced_after_the_cancel_moves_too() -> None:
    """A reader was promised a visit that the office had cancelled meanwhile: the loan follows."""
    tablet, server = Tablet(), Tablet(device_id="server")
    server.write(moved(1, coming=(0, 2, 3)), MORNING + timedelta(hours=3))
    tablet.lend("i1", "p1", MORNING + timedelta(hours=1))
    (loan,) = replayed(tablet, server).state.open_loans_of_item("i1")
    assert loan.due.visit_id == "v2"


def test_overdue_loans_stay_overdue() -> None:
    """A cancelled visit forgives nobody whose date was an earlier one."""
    server = Tablet(device_id="server")
    server.write(moved(2, coming=(3, 4)), MORNING)
    (loan,) = replayed(server, base=(*BASE, bound_to(1, 1))).state.open_loans_of_item(  # type: ignore[arg-type]
        "i1"
    )
    assert loan.due.visit_id == "v1"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(1, 9)), max_size=12),
    st.lists(st.integers(0, 3), min_size=1, max_size=4, unique=True),
    st.lists(st.integers(0, 11), max_size=6),
    st.integers(0, 3),
)
def test_cancel_and_undo_restore_every_date(
    loans: list[tuple[int, int]], cancelled: list[int], returned: list[int], hold_at: int
) -> None:
    """Whatever is lent, returned and renewed between, undoing all leaves every date as it was."""
    tablet, server = Tablet(), Tablet(device_id="server")
    base = (*BASE, ready_at(hold_at, 11), ready_at(hold_at + 1, 12))
    at = MORNING
    for n, (visit, item) in enumerate(loans):
        at += timedelta(minutes=7)
        due = VISITS[visit]
        tablet.lend(f"i{item}", f"p{n % 5}", at, due_date=due.opens_date, due_visit_id=f"v{visit}")
    for n in returned:
        at += timedelta(minutes=7)
        tablet.take_back(f"i{n}", at)
    before = replayed(tablet, base=base)  # type: ignore[arg-type]
    cancels = []
    for k, n in enumerate(cancelled):
        left = tuple(m for m in range(8) if m not in cancelled[: k + 1])
        when = MORNING + timedelta(minutes=20 * (k + 1) + 3)
        cancels.append(server.write(moved(n, coming=left), when))
    during = replayed(tablet, server, base=base)  # type: ignore[arg-type]
    gone = {f"v{n}" for n in cancelled}
    last = MORNING + timedelta(minutes=20 * len(cancelled) + 3)
    for loan in during.state.loans.values():
        if loan.is_open and loan.loaned_at < last - timedelta(minutes=20 * len(cancelled)):
            assert loan.due.visit_id not in gone
    for event in cancels:
        server.write(VoidBody(event_id=event.event_id), at + timedelta(hours=1))
    after = replayed(tablet, server, base=base)  # type: ignore[arg-type]
    assert after.state.as_found() == before.state.as_found()


@given(st.dates(date(2026, 1, 1), date(2027, 1, 1)), st.sets(st.integers(0, 90)))
def test_a_due_date_keeps_the_days(lent_on: date, days: set[int]) -> None:
    """Every due date is within the least and most days, and at a visit wherever one is there."""
    visits = [
        VisitDate(visit_id=VisitId(f"d{n}"), opens_date=lent_on + timedelta(days=n))
        for n in sorted(days)
    ]
    due = due_of(visits, lent_on, RULES)
    wait = (due.due_date - lent_on).days
    assert RULES.least_days <= wait <= RULES.most_days
    fitting = [n for n in days if RULES.least_days <= n <= RULES.most_days]
    assert due.basis is (DueBasis.VISIT if fitting else DueBasis.MOST_DAYS)
    assert wait == (min(fitting) if fitting else RULES.most_days)


def test_rules_are_checked() -> None:
    """Rules that contradict themselves are refused."""
    for wrong in ({"least_days": 40}, {"most_renewals": -1}, {"hold_visits": 0}):
        with pytest.raises(ValueError, match=r"days|negative|positive"):
            LendingRules(**wrong)  # type: ignore[arg-type]
