"""One cancel moves all that hangs on a visit, and one undo restores it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, select

from api.services import cancelling
from api.services.cascade import CASCADE, Change, ChangeOf, join, leave
from data.db.engine import reading
from data.db.publication_store import get_exception, list_exceptions
from data.db.tables.records import AuditRow
from data.model.cancellation import (
    Cancellation,
    CancelReason,
    Effect,
    ExceptionKind,
    Scope,
)
from data.model.errors import BookmobileError, ConflictError, InputError
from data.model.publication import PromisedVisit, VisitId, VisitState
from data.model.service_time import instant_of
from tests.api.publication.office import NOW, REGION, VEHICLE_ID, Office

TUESDAY, NEXT_TUESDAY = date(2026, 12, 1), date(2026, 12, 8)


@pytest.fixture
def told(office: Office) -> Office:
    """The office with its plan published."""
    office.publish()
    return office


def without_sequence(visits: Iterable[PromisedVisit]) -> list[PromisedVisit]:
    """Visits but for what only calendars read."""
    return [replace(v, sequence=0, changed_at=NOW) for v in visits]


def test_a_visit_is_cancelled_and_restored(either: Office) -> None:
    """State, reason, sequence, notice, audit; after the undo all is as before, sequence grown."""
    either.publish()
    before = either.visits()
    visit = either.visit("kaluzhskoe", TUESDAY)
    done = either.cancel(Scope.VISIT, visit_id=visit.visit_id)
    now = either.visit("kaluzhskoe", TUESDAY)
    assert (now.state, now.reason, now.sequence) == (VisitState.CANCELLED, "weather", 1)
    assert [v for v in either.visits() if v.visit_id != visit.visit_id] == [
        v for v in before if v.visit_id != visit.visit_id
    ]
    (notice,) = either.notices()
    assert (notice.stop_id, notice.code) == ("kaluzhskoe", "notice.cancelled")
    assert (notice.facts["date"], notice.facts["next_date"]) == ("2026-12-01", "2026-12-15")
    either.undo(done.exception_id)
    assert without_sequence(either.visits()) == without_sequence(before)
    assert either.visit("kaluzhskoe", TUESDAY).sequence == 2, "calendars take it over"
    assert [n.code for n in either.notices()] == ["notice.restored"]
    with reading(either.engine) as session:
        actions = [row.action for row in session.exec(select(AuditRow))]
        assert list_exceptions(session, REGION) == ()
        assert get_exception(session, REGION, done.exception_id).is_undone
    assert actions == ["timetable.publish", "visits.cancel", "visits.uncancel"]


def test_the_next_real_visit_is_recomputed(told: Office) -> None:
    """Readers of Kalinovka are sent to the next Tuesday, those of Kaluzhskoe to the one after."""
    done = told.cancel(Scope.RUN, vehicle_id=VEHICLE_ID, from_date=TUESDAY)
    steps = {e.subject: e for e in done.of_step("next_visit")}
    assert steps["kalinovka"].before == {"visit_id": told.visit("kalinovka", TUESDAY).visit_id}
    assert steps["kalinovka"].after == {"visit_id": told.visit("kalinovka", NEXT_TUESDAY).visit_id}
    later = told.visit("kaluzhskoe", TUESDAY + timedelta(14))
    assert steps["kaluzhskoe"].after == {"visit_id": later.visit_id}


@pytest.mark.parametrize(
    ("scope", "which", "kind", "dates"),
    [
        (Scope.RUN, {"vehicle_id": VEHICLE_ID, "from_date": TUESDAY}, "cancelled", [TUESDAY] * 2),
        (Scope.DAY, {"from_date": NEXT_TUESDAY}, "cancelled", [NEXT_TUESDAY] * 2),
        (
            Scope.VEHICLE,
            {"vehicle_id": VEHICLE_ID, "from_date": TUESDAY, "until_date": NEXT_TUESDAY},
            "vehicle_off",
            [TUESDAY] * 2 + [NEXT_TUESDAY] * 2,
        ),
        (Scope.CLOSED, {"from_date": TUESDAY}, "closed_day", [TUESDAY] * 2),
    ],
)
def test_each_scope_takes_its_visits(
    told: Office, scope: Scope, which: dict[str, Any], kind: str, dates: list[date]
) -> None:
    """A run, a day, a vehicle over dates, a closed day: these visits, and undo restores them."""
    before = told.visits()
    done = told.cancel(scope, **which)
    assert done.kind == ExceptionKind(kind)
    gone = [v for v in told.visits() if v.state is VisitState.CANCELLED]
    assert sorted(v.service_date for v in gone) == dates
    told.undo(done.exception_id)
    assert without_sequence(told.visits()) == without_sequence(before)


def test_another_vehicles_run_goes_on(told: Office) -> None:
    """The second vehicle has no visit that day: nothing to cancel, nothing stored."""
    with pytest.raises(InputError) as refused:
        told.cancel(Scope.RUN, vehicle_id="kibo-2", from_date=TUESDAY)
    assert refused.value.code == "cancel.nothing"
    with reading(told.engine) as session:
        assert list_exceptions(session, REGION) == ()


def test_nothing_is_promised_on_a_closed_day_any_more(told: Office) -> None:
    """A later publication leaves the closed day out; what was cancelled there stays so."""
    told.cancel(Scope.CLOSED, CancelReason.HOLIDAY, from_date=TUESDAY)
    told.cancel(Scope.VEHICLE, vehicle_id=VEHICLE_ID, from_date=date(2027, 1, 26))
    published = told.publish(until_date=date(2027, 2, 28))
    assert published.changes["dropped"] == 4
    assert told.visit("kaluzhskoe", TUESDAY).state is VisitState.CANCELLED
    assert not [v for v in told.visits() if v.service_date == date(2027, 1, 26)]


def test_days_that_are_over_are_not_cancelled(told: Office) -> None:
    """Yesterday cannot be cancelled, nor a visit whose doors have closed; one still open can."""
    told.now = NOW + timedelta(days=5, hours=1)  # Tuesday, 15:00 in Kaliningrad
    with pytest.raises(InputError) as refused:
        told.cancel(Scope.DAY, from_date=date(2026, 11, 30))
    assert refused.value.code == "cancel.past"
    with pytest.raises(InputError) as refused:
        told.cancel(Scope.VISIT, visit_id=told.visit("kalinovka", TUESDAY).visit_id)
    assert refused.value.code == "cancel.nothing"
    told.now = NOW + timedelta(days=5, minutes=30)
    told.cancel(Scope.DAY, from_date=TUESDAY)
    assert told.visit("kalinovka", TUESDAY).is_coming
    assert told.visit("kaluzhskoe", TUESDAY).state is VisitState.CANCELLED


def test_undo_after_the_day_is_refused(told: Office) -> None:
    """What was not held in the past cannot be held any more."""
    done = told.cancel(Scope.DAY, from_date=TUESDAY)
    told.now = NOW + timedelta(days=10)
    with pytest.raises(InputError) as refused:
        told.undo(done.exception_id)
    assert refused.value.code == "cancel.passed"
    longer = told.cancel(
        Scope.VEHICLE, vehicle_id=VEHICLE_ID, from_date=NEXT_TUESDAY, until_date=date(2026, 12, 15)
    )
    told.now = NOW + timedelta(days=14)
    told.undo(longer.exception_id)
    assert told.visit("kalinovka", NEXT_TUESDAY).state is VisitState.CANCELLED
    assert told.visit("kalinovka", date(2026, 12, 15)).is_coming


def test_a_visit_under_way_goes_on_when_its_cancellation_is_taken_back(told: Office) -> None:
    """Not one that had been cancelled before it began: nobody opened there."""
    for on, cancelled, is_kept in ((TUESDAY, 10, True), (NEXT_TUESDAY, -30, False)):
        visit = told.visit("kalinovka", on)
        opens = instant_of(on, visit.start_s, ZoneInfo("Europe/Kaliningrad"))
        told.now = opens + timedelta(minutes=cancelled)
        done = told.cancel("visit", visit_id=visit.visit_id)
        told.now = opens + timedelta(minutes=12)
        if is_kept:
            told.undo(done.exception_id)
        else:
            with pytest.raises(InputError, match=r"cancel\.passed"):
                told.undo(done.exception_id)
        assert told.visit("kalinovka", on).is_coming is is_kept


def test_undo_twice_is_refused(told: Office) -> None:
    """The second one finds nothing to undo."""
    done = told.cancel(Scope.DAY, from_date=TUESDAY)
    told.undo(done.exception_id)
    with pytest.raises(ConflictError) as refused:
        told.undo(done.exception_id)
    assert refused.value.code == "cancel.undone"


def test_undo_does_not_open_a_closed_day(told: Office) -> None:
    """A visit was cancelled alone, then its whole day was closed: the day is opened first."""
    visit = told.visit("kaluzhskoe", TUESDAY)
    single = told.cancel(Scope.VISIT, visit_id=visit.visit_id)
    whole = told.cancel(Scope.CLOSED, CancelReason.HOLIDAY, from_date=TUESDAY)
    assert whole.visit_ids == (told.visit("kalinovka", TUESDAY).visit_id,)
    with pytest.raises(ConflictError) as refused:
        told.undo(single.exception_id)
    assert refused.value.code == "cancel.still_closed"
    told.undo(whole.exception_id)
    told.undo(single.exception_id)
    assert told.visit("kaluzhskoe", TUESDAY).is_coming


def test_what_was_not_shown_is_not_cancelled(told: Office) -> None:
    """Between preview and confirmation somebody cancels one of the visits: a conflict."""
    asked = Cancellation(scope=Scope.DAY, reason=CancelReason.ROAD, from_date=TUESDAY)
    with reading(told.engine) as session:
        shown = cancelling.preview(session, REGION, asked, at=told.now)
    told.cancel(Scope.VISIT, visit_id=shown.visits[0].visit_id)
    with pytest.raises(ConflictError) as refused:
        told.cancel(Scope.DAY, CancelReason.ROAD, from_date=TUESDAY, seen=shown.seen)
    assert refused.value.code == "cancel.changed"
    assert told.visit("kaluzhskoe", TUESDAY).is_coming


def test_the_preview_counts_the_people(told: Office) -> None:
    """Residents of the stops, each stop once; visits expected where they were estimated."""
    asked = Cancellation(
        scope=Scope.VEHICLE, reason=CancelReason.BREAKDOWN, vehicle_id=VEHICLE_ID,
        from_date=TUESDAY, until_date=NEXT_TUESDAY,
    )  # fmt: skip
    with reading(told.engine) as session:
        shown = cancelling.preview(session, REGION, asked, at=told.now)
    assert shown.people == 501 + 470 + 547
    assert shown.people_expected is None
    assert len(shown.visits) == 4


@pytest.mark.parametrize(
    ("which", "code"),
    [
        ({"scope": Scope.VISIT}, "cancel.needs_visit"),
        ({"scope": Scope.RUN, "from_date": TUESDAY}, "cancel.needs_vehicle"),
        ({"scope": Scope.DAY}, "cancel.needs_date"),
        (
            {"scope": Scope.DAY, "from_date": TUESDAY, "reason": CancelReason.OTHER},
            "cancel.needs_note",
        ),
        ({"scope": Scope.DAY, "from_date": TUESDAY, "note": "x" * 501}, "cancel.note_long"),
        (
            {"scope": Scope.CLOSED, "from_date": NEXT_TUESDAY, "until_date": TUESDAY},
            "cancel.ends_before",
        ),
        (
            {"scope": Scope.CLOSED, "from_date": TUESDAY, "until_date": date(2028, 1, 1)},
            "cancel.too_long",
        ),
    ],
)
def test_half_a_request_is_refused(which: dict[str, object], code: str) -> None:
    """Each missing or senseless part is named."""
    with pytest.raises(BookmobileError) as refused:
        Cancellation(**{"reason": CancelReason.WEATHER, **which})  # type: ignore[arg-type]
    assert refused.value.code == code


class Shelf:
    """A step that joins the cascade: the last pick-up date of each stop, as circulation has it."""

    name = "pick_up"

    def __init__(self) -> None:
        self.dates: dict[str, date | None] = {}
        self.fails = False

    def apply(self, session: Session, change: Change) -> Iterator[Effect]:
        if self.fails:
            raise InputError("cancel.nothing")
        for stop_id in change.stop_ids:
            after = change.next_after[stop_id]
            before = self.dates.get(stop_id)
            self.dates[stop_id] = None if after is None else after.opens_date
            yield Effect(
                step=self.name,
                subject=stop_id,
                before={"date": before and before.isoformat()},
                after={"date": after and after.opens_date.isoformat()},
            )

    def revert(self, session: Session, change: Change, effects: Sequence[Effect]) -> None:
        for effect in effects:
            assert effect.before is not None
            told = effect.before["date"]
            self.dates[effect.subject] = None if told is None else date.fromisoformat(told)


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    step = Shelf()
    join(step)
    yield step
    leave(step)


def test_whatever_joins_is_moved_and_restored(told: Office, shelf: Shelf) -> None:
    """Pick-up dates go to the next real visit, then to the make-up visit, then back."""
    shelf.dates = {"kaluzhskoe": TUESDAY}
    visit = told.visit("kaluzhskoe", TUESDAY)
    done = told.cancel(Scope.VISIT, visit_id=visit.visit_id)
    assert shelf.dates["kaluzhskoe"] == date(2026, 12, 15)
    extra = told.accept(told.offers(visit.visit_id)[0])
    assert shelf.dates["kaluzhskoe"] == extra.opens_date
    told.undo(done.exception_id)
    assert shelf.dates["kaluzhskoe"] == TUESDAY


def test_a_step_that_fails_takes_everything_back(told: Office, shelf: Shelf) -> None:
    """One transaction: no visit is cancelled whose due dates could not be moved."""
    before = told.visits()
    shelf.fails = True
    with pytest.raises(InputError):
        told.cancel(Scope.DAY, from_date=TUESDAY)
    assert told.visits() == before
    assert told.notices() == ()


def test_names_of_steps_are_their_own(shelf: Shelf) -> None:
    """Joining twice is joining once; another step of the same name is refused."""
    join(shelf)
    assert [s.name for s in CASCADE].count("pick_up") == 1
    with pytest.raises(ValueError, match="pick_up"):
        join(Shelf())


def test_make_up_visits_are_offered_by_rank(told: Office) -> None:
    """After the cancelled date, by working vehicles, within windows, nobody else's time moved."""
    visit = told.visit("kaluzhskoe", TUESDAY)
    told.cancel(Scope.VISIT, visit_id=visit.visit_id)
    offers = told.offers(visit.visit_id)
    assert offers
    assert [o.rank for o in offers] == sorted(o.rank for o in offers)
    for offer in offers:
        assert offer.service_date > TUESDAY
        assert offer.service_date not in (date(2026, 12, 3), date(2026, 12, 9)), "off, closed"
        assert offer.service_date.weekday() in (
            (0, 1, 2, 3) if offer.vehicle_id == VEHICLE_ID else (0,)
        )
        assert offer.end_s - offer.start_s == visit.end_s - visit.start_s
        assert offer.start_s >= 9 * 3600
        assert offer.end_s <= 16 * 3600, "its windows end then"
    assert offers[0].service_date == date(2026, 12, 2), "the next day"


def test_an_accepted_make_up_is_promised_and_told(told: Office) -> None:
    """It stands in for the cancelled one, other visits stay; the undo withdraws it."""
    visit = told.visit("kaluzhskoe", TUESDAY)
    before = told.visits()
    done = told.cancel(Scope.VISIT, visit_id=visit.visit_id)
    offer = told.offers(visit.visit_id)[0]
    extra = told.accept(offer)
    assert (extra.make_up_for, extra.service_date) == (visit.visit_id, offer.service_date)
    (new_date,) = [n.facts["new_date"] for n in told.notices() if "new_date" in n.facts]
    assert new_date == offer.service_date.isoformat()
    with pytest.raises(ConflictError) as refused:
        told.offers(visit.visit_id)
    assert refused.value.code == "make_up.has_one"
    told.undo(done.exception_id)
    gone = next(v for v in told.visits() if v.visit_id == extra.visit_id)
    assert (gone.state, gone.sequence) == (VisitState.WITHDRAWN, 1)
    left = [v for v in told.visits() if v.visit_id != extra.visit_id]
    assert without_sequence(left) == without_sequence(before)
    assert [n.code for n in told.notices()] == ["notice.restored"]


def test_a_place_that_is_taken_is_not_given_twice(told: Office) -> None:
    """Of two cancelled stops the second is offered what the first has left."""
    told.cancel(Scope.RUN, vehicle_id=VEHICLE_ID, from_date=TUESDAY)
    one, two = told.visit("kalinovka", TUESDAY), told.visit("kaluzhskoe", TUESDAY)
    first = told.offers(one.visit_id)[0]
    told.accept(first)
    for offer in told.offers(two.visit_id):
        if (offer.vehicle_id, offer.service_date) == (first.vehicle_id, first.service_date):
            assert offer.departure_s <= first.arrival_s or first.departure_s <= offer.arrival_s
    gone = replace(first, missed_id=two.visit_id, start_s=first.start_s + 1)
    with pytest.raises(ConflictError) as refused:
        told.accept(gone)
    assert refused.value.code == "make_up.gone"


def test_no_make_up_on_days_of_an_exception(told: Office) -> None:
    """A vehicle in repair and a closed day are not offered."""
    visit = told.visit("kaluzhskoe", TUESDAY)
    told.cancel(Scope.VISIT, visit_id=visit.visit_id)
    told.cancel(
        Scope.VEHICLE, CancelReason.BREAKDOWN, vehicle_id=VEHICLE_ID,
        from_date=date(2026, 12, 2), until_date=date(2026, 12, 12),
    )  # fmt: skip
    told.cancel(Scope.CLOSED, CancelReason.HOLIDAY, from_date=date(2026, 12, 7))
    dates = {o.service_date for o in told.offers(visit.visit_id)}
    assert dates
    assert not [on for on in dates if on <= date(2026, 12, 12)]


def test_only_a_cancelled_visit_is_made_up(told: Office) -> None:
    """One that takes place needs no other; an unknown one is not there."""
    visit = told.visit("kaluzhskoe", TUESDAY)
    with pytest.raises(ConflictError) as refused:
        told.offers(visit.visit_id)
    assert refused.value.code == "make_up.not_cancelled"
    with pytest.raises(BookmobileError) as unknown:
        told.offers(VisitId("nobody"))
    assert unknown.value.code == "visit.unknown"


def test_a_publication_joins_the_cascade(told: Office, shelf: Shelf) -> None:
    """Steps learn of visits that move or go with a new timetable."""
    seen: list[ChangeOf] = []
    original = shelf.apply

    def noting(session: Session, change: Change) -> Iterator[Effect]:
        seen.append(change.kind)
        return original(session, change)

    shelf.apply = noting  # type: ignore[method-assign]
    told.publish(from_date=date(2026, 12, 7), until_date=date(2026, 12, 20))
    assert seen == [ChangeOf.PUBLISH]
