"""A vehicle's day with readers: what it takes along, what it counts, and what a cancel tells it."""

import json
from dataclasses import replace
from datetime import date, timedelta

from data.model.crew_bodies import CountBody, MomentBody, SkipBody, SkipReason
from data.model.fleet import VehicleId
from data.model.journal import EventKind
from data.model.journal_bodies import HoldBody, MoveBody, ReregistrationBody
from data.model.lending import LendingRules
from data.model.patrons import Patron, PatronId, PatronKind
from data.model.place import StopId
from data.model.publication import VisitState
from data.model.stock import ItemPlace, PlaceKind, Title, TitleId
from data.model.stop_counts import Band, add_counts, count_faults, total_of
from fleet.circulation_counts import Bands, counts_of_visits, readers_of_visits
from fleet.circulation_due import visits_moved
from fleet.circulation_snapshot import snapshot_of, snapshot_to_json
from tests.fleet.circulating import (
    ABOARD,
    BASE,
    BRANCH,
    DAY,
    MORNING,
    STOP,
    VISITS,
    Tablet,
    earlier_loan,
    hold_of,
    replayed,
)
from tests.fleet.test_circulation_due import promised

CLUB = ItemPlace(kind=PlaceKind.POINT, key="club")
RULES = LendingRules()


def test_a_day_is_counted_by_its_journal() -> None:
    """Loans by age, returns, renewals, readers, holds and exchange equal a count by hand."""
    child = Patron(patron_id=PatronId("kid"), birth_date=date(2015, 1, 1))
    home = Patron(patron_id=PatronId("home"), kind=PatronKind.HOME)
    school = Patron(patron_id=PatronId("school"), kind=PatronKind.COLLECTIVE)
    hold = hold_of("h1", "t5", "p1")
    base = (*BASE, child, home, school, earlier_loan("i0", "p4"), hold)
    tablet = Tablet()
    at = MORNING
    tablet.lend("i1", "kid", at)
    tablet.lend("i2", "p1", at)
    tablet.lend("i5", "p1", at)
    tablet.lend("i3", "home", at)
    tablet.lend("i4", "home", at)
    tablet.lend("i6", "school", at)
    tablet.lend("i7", "school", at)
    tablet.take_back("i0", at, "old-i0")
    tablet.take_back("i1", at)
    tablet.renew("i2", at)
    tablet.register("n1", at, birth_date=date(2000, 1, 1), name="A")
    tablet.write(ReregistrationBody(patron_id="kid", expires_date=DAY + timedelta(days=900)), at)
    tablet.write(HoldBody(hold_id="h2", title_id="t1", patron_id="p1", stop_id=STOP), at)
    tablet.write(MoveBody(item_ids=("i10", "i11"), to_place=CLUB, box_id="b"), at)
    tablet.write(MoveBody(item_ids=("i11",), to_place=ABOARD), at)
    run = replayed(tablet, base=base)
    assert counts_of_visits(run.state, run.steps)["v0"] == {
        "collectives_served": 1,
        "exchange_in": 1,
        "exchange_out": 2,
        "home_deliveries": 1,
        "home_delivery_docs": 2,
        "loans_home": 6,
        "loans_home.children": 1,
        "points_served": 1,
        "renewals": 1,
        "requests_filled": 1,
        "requests_taken": 1,
        "returns": 2,
        "returns_other_point": 1,
        "users_new.youth": 1,
        "users_renewed.children": 1,
    }
    served = readers_of_visits(run.state, run.steps)["v0"]
    assert {"p1", "home", "n1", "kid"} <= set(served)
    assert "school" not in served, "an organisation is no reader"
    assert (served[PatronId("n1")], served[PatronId("kid")]) == (Band.YOUTH, Band.CHILDREN)


def test_bands_of_age() -> None:
    """Fourteen is a child still, thirty still young; nobody's age is made up."""
    on = date(2026, 11, 30)
    bands = Bands()
    assert bands.of(date(2011, 12, 1), on) is Band.CHILDREN
    assert bands.of(date(2011, 11, 30), on) is Band.YOUTH
    assert bands.of(date(1995, 12, 1), on) is Band.YOUTH
    assert bands.of(date(1990, 1, 1), on) is Band.ADULT
    assert bands.of(date(1966, 11, 30), on) is Band.SENIOR
    assert bands.of(None, on) is None


def test_two_tablets_count_together() -> None:
    """Taps of two tablets add up, slips as negative ones; first arrival and last departure hold."""
    one, two = Tablet(), Tablet(device_id="tablet-b")
    minute = timedelta(minutes=1)
    one.write(MomentBody(), MORNING, kind=EventKind.ARRIVE)
    two.write(MomentBody(odometer_km=7.5), MORNING + minute, kind=EventKind.ARRIVE)
    one.write(CountBody(counts={"visits_service.children": 3}), MORNING + 2 * minute)
    two.write(CountBody(counts={"visits_service.children": 2, "refusals": 1}), MORNING + minute)
    two.write(CountBody(counts={"refusals": -1}), MORNING + 3 * minute)
    one.write(MomentBody(), MORNING + 8 * minute, kind=EventKind.DEPART)
    two.write(MomentBody(), MORNING + 9 * minute, kind=EventKind.DEPART)
    log = replayed(one, two).state.visits["v0"]
    assert log.counts == {"visits_service.children": 5}
    assert (log.arrived_at, log.departed_at) == (MORNING, MORNING + 9 * minute)
    assert (log.odometer_km, log.counted_by, log.count_methods) == (
        7.5,
        ("account-1",),
        ("tapped",),
    )
    one.write(SkipBody(reason=SkipReason.OTHER, note="storm"), MORNING, visit_id="v1")
    skipped = replayed(one, two).state.visits["v1"]
    assert skipped.is_skipped
    assert [n.note for n in skipped.notes] == ["storm"]


def test_sums_that_cannot_be_right() -> None:
    """Loans without visits, events nobody held and parts above the whole are told."""
    wrong = {
        "loans_home.adult": 4,
        "visits_event": 2,
        "loans_child_lit": 5,
        "visits_disabled": 3,
        "refusals": -1,
        "loans_periodical": 9,
    }
    assert [f.code for f in count_faults(wrong)] == [
        "counts.negative",
        "counts.loans_without_visits",
        "counts.visits_without_event",
        "counts.part_above_whole",
        "counts.part_above_whole",
        "counts.carriers_above_loans",
    ]
    right = {"visits_service.adult": 4, "loans_home.adult": 4, "loans_child_lit": 4}
    assert count_faults(right) == ()
    assert total_of(add_counts([right, {"visits_service": 2}]), "visits_service") == 6


def test_a_snapshot_holds_the_days_readers_alone() -> None:
    """C17: readers of other stops and telephone numbers stay at home; it tells when to wipe it."""
    farm = StopId("farm")
    far = Patron(patron_id=PatronId("far"), card="c70", name="Far", stop_ids=frozenset({farm}))
    near = Patron(
        patron_id=PatronId("near"),
        card="c71",
        name="Ёлкина",
        phone="+7 4012 000000",
        stop_ids=frozenset({STOP}),
    )
    guest = replace(far, patron_id=PatronId("guest"), card="c72")
    base = (
        *BASE,
        far,
        near,
        guest,
        earlier_loan("i1", "guest", stop_id=STOP),
        earlier_loan("i2", "far", stop_id=farm),
        hold_of("h1", "t3", "near"),
        hold_of("h2", "t3", "far", stop_id=farm),
    )
    state = replayed(base=base).state
    snapshot = snapshot_of(state, ABOARD, {STOP: VISITS}, RULES, at=MORNING)
    told = snapshot_to_json(snapshot)
    text = json.dumps(told, ensure_ascii=False)
    ids = {p.patron_id for p in snapshot.patrons}
    assert {"near", "guest", "p1"} <= ids
    assert "far" not in ids
    assert "Ёлкина" in text
    assert "4012" not in text
    assert "c70" not in text
    assert [h.hold_id for h in snapshot.holds] == ["h1"]
    # That i2 is on loan is known, of whom is an id.
    assert {x.item_id for x in snapshot.loans} == {"i1", "i2"}
    assert told["expires_at"] == "2026-12-03T06:00:00.000Z"
    assert told["id"] == snapshot_to_json(snapshot)["id"]
    later = snapshot_of(state, ABOARD, {STOP: VISITS}, RULES, at=MORNING + timedelta(hours=1))
    assert told["id"] != snapshot_to_json(later)["id"]


def test_what_a_change_of_visits_tells_the_journal() -> None:
    """Cancelled and moved visits are gone, with what comes then; another vehicle is no news."""
    before = [promised(14), promised(28), promised(42, "farm"), promised(0, state=VisitState.DONE)]
    after = [
        replace(before[0], state=VisitState.CANCELLED),
        replace(before[1], vehicle_id=VehicleId("v2")),
        replace(before[2], service_date=DAY + timedelta(days=44)),
        before[3],
    ]
    told = visits_moved(before, [*after, promised(56), promised(7)])
    assert told[STOP].gone == ("2026-12-14 in14",)
    assert told[STOP].coming == ("2026-12-28 in28", "2027-01-25 in56")
    assert told[StopId("farm")].gone == ("2027-01-11 in42",)
    assert told[StopId("farm")].coming == ("2027-01-13 in42",)
    assert len(told) == 2


def test_titles_count_by_carrier() -> None:
    """Periodicals, talking books, children's and accessible loans are counted as such."""
    titles = (Title(title_id=TitleId("t1"), name="Murzilka", is_for_children=True),)
    run = replayed(base=BASE)
    run.state.titles.update({t.title_id: t for t in titles})
    tablet = Tablet(place=BRANCH)
    tablet.lend("i1", "p1", MORNING)
    counts = counts_of_visits(run.state, replayed(tablet).steps)["v0"]
    assert counts == {"loans_home": 1, "loans_child_lit": 1}
