"""Items put somewhere by scanning them, and the deposit boxes that stand at points."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from api.services.ledger import Ledger
from api.services.own_journal import Entry, write_down
from api.state import Service
from data.db import audit_store, event_store
from data.model.accounts import Caller
from data.model.errors import ConflictError, InputError, NotFoundError
from data.model.journal import EventKind
from data.model.journal_bodies import MoveBody
from data.model.stock import DepositBox, Item, ItemId, ItemPlace, PlaceKind
from fleet.circulation_lists import boxes_at

MOST_TOLD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class StockAt:
    """How much stands at a place, and how much of that place's is lent."""

    place: ItemPlace
    num_here: int
    num_lent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MovesPage:
    """Boxes at points by when they are to be fetched, and what stands where."""

    boxes: tuple[DepositBox, ...]
    places: tuple[StockAt, ...]


def moves_page(service: Service, region_id: str) -> MovesPage:
    """Where the stock is.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    with service.ledgers.reading(service.engine, region_id) as (_, ledger):
        state = ledger.state
        counts: dict[ItemPlace, list[int]] = {}
        for item in state.items.values():
            if not item.is_withdrawn:
                is_lent = bool(state.open_loans_of_item(item.item_id))
                counts.setdefault(item.place, [0, 0])[is_lent] += 1
        boxes = sorted(boxes_at(state), key=lambda b: (b.back_date or date.max, b.box_id))
        order = list(PlaceKind)
        return MovesPage(
            boxes=tuple(boxes),
            places=tuple(
                StockAt(place=place, num_here=counts[place][0], num_lent=counts[place][1])
                for place in sorted(counts, key=lambda p: (order.index(p.kind), p.key))
            ),
        )


def move_items(
    service: Service,
    region_id: str,
    item_ids: Sequence[str],
    to_place: ItemPlace,
    *,
    box_id: str = "",
    back_date: date | None = None,
    by: Caller,
    at: datetime,
) -> int:
    """Write down that items were put somewhere; gives how many.

    Raises
    ------
    InputError
        ``moves.nothing``; what the event itself refuses.
    NotFoundError
        ``moves.unknown`` naming the numbers that nobody knows.
    ConflictError
        ``moves.lent_now`` where somebody has one of them on loan.
    """
    told = [i.strip() for i in item_ids if i.strip()]
    if not told:
        raise InputError("moves.nothing")
    with service.ledgers.changing(service.engine, region_id) as (session, ledger):
        found = _scanned(ledger, told)
        body = MoveBody(
            item_ids=tuple(dict.fromkeys(i.item_id for i in found)),
            to_place=to_place,
            box_id=box_id,
            back_date=back_date,
        )
        entry = Entry(kind=EventKind.MOVE, body=body, service_date=ledger.lending.local_date(at))
        write_down(session, region_id, [entry], at=at, by=by.account_id or "")
        ledger.catch_up(session)
        audit_store.record(
            session, by, "circulation.move", str(to_place), region_id=region_id,
            items=len(body.item_ids),
        )  # fmt: skip
        event_store.emit(session, "circulation", "", region_id, moved=len(body.item_ids))
        return len(body.item_ids)


def _scanned(ledger: Ledger, told: Sequence[str]) -> list[Item]:
    state = ledger.state
    by_number: dict[str, list[Item]] = {}
    for item in state.items.values():
        if item.inventory_no:
            by_number.setdefault(item.inventory_no, []).append(item)
    found, unknown = [], []
    for text in told:
        known = state.items.get(ItemId(text))
        own = [known] if known is not None else by_number.get(text, [])
        if len(own) != 1:
            unknown.append(text[:40])
        found += own[:1]
    if unknown:
        raise NotFoundError(
            "moves.unknown", numbers=", ".join(unknown[:MOST_TOLD]), count=len(unknown)
        )
    lent = [i.item_id for i in found if state.open_loans_of_item(i.item_id)]
    if lent:
        raise ConflictError("moves.lent_now", numbers=", ".join(lent[:MOST_TOLD]), count=len(lent))
    return found
