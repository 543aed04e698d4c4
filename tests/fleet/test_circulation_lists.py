"""What is set aside, picked, loaded and told on a stop's card."""

from dataclasses import replace
from datetime import timedelta

from data.model.journal_bodies import HoldExpiredBody, HoldReadyBody, MoveBody
from data.model.lending import LendingRules
from data.model.loans import HoldState
from data.model.patrons import Patron, PatronId, PatronKind
from data.model.stock import BoxId, DepositBox, Item, ItemId, ItemPlace, PlaceKind, TitleId
from fleet.circulation_lists import (
    assign_holds,
    boxes_at,
    load_list,
    pick_list,
    stop_card,
)
from fleet.circulation_replay import Replay
from fleet.circulation_state import Circulation
from tests.fleet.circulating import (
    ABOARD,
    BASE,
    BRANCH,
    DAY,
    LENDING,
    MORNING,
    STOP,
    STORE,
    TITLES,
    VISITS,
    Tablet,
    earlier_loan,
    hold_of,
    replayed,
)
from tests.fleet.test_circulation_due import promised

RULES = LendingRules()
ELSEWHERE = ItemPlace(kind=PlaceKind.VEHICLE, key="v2")


def with_items_of_t1(*places: ItemPlace) -> list[Item]:
    return [
        Item(item_id=ItemId(f"x{n}"), title_id=TitleId("t50"), place=place)
        for n, place in enumerate(places)
    ]


def test_the_nearest_item_goes_to_the_oldest_hold() -> None:
    """Aboard before store before library; never from another vehicle; one item for one hold."""
    items = with_items_of_t1(BRANCH, ELSEWHERE, STORE, ABOARD)
    holds = [
        hold_of(f"h{n}", "t50", f"p{n}", placed_at=MORNING - timedelta(days=n)) for n in range(4)
    ]
    state = Circulation([*BASE, *items, *holds], TITLES)
    ready = assign_holds(state, STOP, VISITS[1:], ABOARD, from_date=DAY, rules=RULES)
    assert [(b.hold_id, b.item_id) for b in ready if isinstance(b, HoldReadyBody)] == [
        ("h3", "x3"),
        ("h2", "x2"),
        ("h1", "x0"),
    ]
    assert {b.pickup for b in ready if isinstance(b, HoldReadyBody)} == {str(VISITS[1])}


def test_a_hold_nobody_fetched_gives_its_item_free() -> None:
    """After its last visit the next reader gets the item."""
    item = with_items_of_t1(ABOARD)[0]
    over = hold_of(
        "h1",
        "t50",
        "p1",
        state=HoldState.READY,
        item_id="x0",
        pickup_date=DAY - timedelta(days=28),
        keep_until_date=DAY - timedelta(days=14),
    )
    run = Replay((*BASE, item, over, hold_of("h2", "t50", "p2")), TITLES, LENDING)
    bodies = assign_holds(run.state, STOP, VISITS[1:], ABOARD, from_date=DAY, rules=RULES)
    assert [type(b) for b in bodies] == [HoldExpiredBody, HoldReadyBody]
    server = Tablet(device_id="server")
    for body in bodies:
        server.write(body, MORNING)
    state = replayed(server, base=(*BASE, item, over, hold_of("h2", "t50", "p2"))).state
    assert {h.hold_id: h.state for h in state.holds.values()} == {
        "h1": HoldState.EXPIRED,
        "h2": HoldState.READY,
    }
    again = assign_holds(state, STOP, VISITS[1:], ABOARD, from_date=DAY, rules=RULES)
    assert again == ()


def ready(number: int, stop_id: str = STOP, **changes: object) -> object:
    told: dict[str, object] = {
        "state": HoldState.READY,
        "item_id": f"i{number}",
        "pickup_visit_id": "in0",
        "pickup_date": DAY,
        "keep_until_date": DAY + timedelta(days=14),
        "stop_id": stop_id,
    }
    return hold_of(f"h{number}", f"t{number}", f"p{number % 5}", **{**told, **changes})


def test_pick_and_load_lists_of_a_day() -> None:
    """C13: holds stop by stop in order of driving; only what is not aboard is to be loaded."""
    moved = [replace(i, place=STORE) for i in BASE[:3] if isinstance(i, Item)]
    kept = BASE[3:]
    holds = [ready(0), ready(1, "farm"), ready(4), ready(5, pickup_date=DAY + timedelta(days=14))]
    lent = earlier_loan("i2", "p1")
    state = Circulation([*moved, *kept, *holds, lent], TITLES)  # type: ignore[list-item]
    visits = [
        promised(0, start_s=50_000, arrival_s=50_000, end_s=60_000, departure_s=60_000),
        promised(0, "farm"),
    ]
    picks = pick_list(state, visits, DAY)
    assert [(p.stop_id, p.hold_id, p.is_to_fetch) for p in picks] == [
        ("farm", "h1", True),
        (STOP, "h0", True),
        (STOP, "h4", False),
    ]
    loads = load_list(state, ABOARD, picks, planned=(ItemId("i2"), ItemId("i7"), ItemId("i1")))
    assert [(x.item_id, x.reason, x.stop_id) for x in loads] == [
        ("i0", "hold", STOP),
        ("i1", "hold", "farm"),
    ]


def test_a_stop_card() -> None:
    """R5: what is to be handed over and comes back, who is blocked, which boxes are due."""
    school = Patron(
        patron_id=PatronId("school"), kind=PatronKind.COLLECTIVE, stop_ids=frozenset({STOP})
    )
    blocked = next(p for p in BASE if isinstance(p, Patron) and p.patron_id == "blocked")
    own = replace(blocked, patron_id=PatronId("b2"), card="c55", stop_ids=frozenset({STOP}))
    due = earlier_loan("i1", "p2", stop_id=STOP)
    later = earlier_loan("i2", "p2", stop_id=STOP)
    due = replace(due, due=replace(due.due, due_date=DAY - timedelta(days=1)))
    state = Circulation([*BASE, school, own, due, later, ready(3)], TITLES)  # type: ignore[list-item]
    club = ItemPlace(kind=PlaceKind.POINT, key="club")
    box = DepositBox(box_id=BoxId("b"), point=club, item_ids=(ItemId("i9"),), back_date=DAY)
    card = stop_card(state, promised(0), (box, replace(box, back_date=DAY + timedelta(days=1))))
    assert [p.hold_id for p in card.to_hand_over] == ["h3"]
    assert [x.item_id for x in card.expected_back] == ["i1"]
    assert [p.patron_id for p in card.blocked] == ["b2"]
    assert [p.patron_id for p in card.collectives] == ["school"]
    assert card.boxes_back == (box,)


def test_boxes_are_what_their_items_tell() -> None:
    """C15: a box left at a point is there until its items are scanned aboard again."""
    tablet = Tablet()
    club = ItemPlace(kind=PlaceKind.POINT, key="club")
    tablet.write(MoveBody(item_ids=("i1", "i2"), to_place=club, box_id="box-1"), MORNING)
    assert [(b.box_id, b.item_ids) for b in boxes_at(replayed(tablet).state)] == [
        ("box-1", ("i1", "i2"))
    ]
    tablet.write(MoveBody(item_ids=("i1", "i2"), to_place=ABOARD), MORNING + timedelta(hours=1))
    assert boxes_at(replayed(tablet).state) == ()
