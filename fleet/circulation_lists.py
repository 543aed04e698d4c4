"""What is to be set aside, loaded, picked and fetched for a vehicle's day.

The lists are read from the state; what they ask for becomes events only when somebody does it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from data.model.journal_bodies import HoldExpiredBody, HoldReadyBody, VisitDate
from data.model.lending import LendingRules
from data.model.loans import Hold, HoldId, HoldState, Loan
from data.model.patrons import Patron, PatronId, PatronKind
from data.model.place import StopId
from data.model.publication import PromisedVisit, VisitId
from data.model.stock import BoxId, DepositBox, Item, ItemId, ItemPlace, PlaceKind
from fleet.circulation_due import pickup_of
from fleet.circulation_state import Circulation

_NEARNESS = {PlaceKind.VEHICLE: 0, PlaceKind.STORE: 1, PlaceKind.POINT: 2}


def assign_holds(
    state: Circulation,
    stop_id: StopId,
    coming: Sequence[VisitDate],
    vehicle: ItemPlace,
    *,
    from_date: date,
    rules: LendingRules,
) -> tuple[HoldReadyBody | HoldExpiredBody, ...]:
    """Which items to set aside for the waiting holds of a stop, the oldest hold first.

    An item aboard goes before one in the store, and that before one at a library. A ready hold
    whose time is over gives its item free for the next one; one that had lost its visit gets the
    next.

    Parameters
    ----------
    coming
        The stop's visits, as ``coming_visits`` gives them.
    from_date
        The first date for which items can still be put aboard.

    Returns
    -------
    tuple
        Bodies of events that the server adds to the journal, each once.
    """
    pickup = pickup_of(coming, from_date, rules)
    found: list[HoldReadyBody | HoldExpiredBody] = []
    taken = {h.item_id for h in state.holds.values() if h.state is HoldState.READY}
    holds = state.open_holds_at(stop_id)
    for hold in holds:
        is_over = hold.keep_until_date is not None and hold.keep_until_date < from_date
        if hold.state is HoldState.READY and is_over:
            found.append(HoldExpiredBody(hold_id=hold.hold_id))
            taken.discard(hold.item_id)
    if pickup is None or pickup.pickup_date is None or pickup.visit_id is None:
        return tuple(found)
    visit = VisitDate(visit_id=pickup.visit_id, opens_date=pickup.pickup_date)
    for hold in holds:
        item_id: ItemId | None = None
        if hold.state is HoldState.WAITING:
            item = _nearest_free(state, hold, vehicle, taken)
            item_id = None if item is None else item.item_id
        elif hold.pickup_date is None:
            item_id = hold.item_id
        if item_id is not None and pickup.keep_until_date is not None:
            taken.add(item_id)
            ready = HoldReadyBody(
                hold_id=hold.hold_id,
                item_id=item_id,
                pickup=str(visit),
                keep_until_date=pickup.keep_until_date,
            )
            found.append(ready)
    return tuple(found)


def _nearest_free(
    state: Circulation, hold: Hold, vehicle: ItemPlace, taken: set[ItemId | None]
) -> Item | None:
    free = [
        i
        for i in state.items_of_title(hold.title_id)
        if i.item_id not in taken
        and hold.item_id in (None, i.item_id)
        and i.is_for_loan
        and not state.open_loans_of_item(i.item_id)
        and (i.place.kind is not PlaceKind.VEHICLE or i.place == vehicle)
    ]
    return min(
        free,
        key=lambda i: (_NEARNESS[i.place.kind], i.place.key != vehicle.key, i.item_id),
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PickLine:
    """One item for one reader at one visit, and where it is now."""

    visit_id: VisitId
    stop_id: StopId
    hold_id: HoldId
    patron_id: PatronId
    item: Item
    shelf: str

    @property
    def is_to_fetch(self) -> bool:
        """Whether it is not aboard yet."""
        return self.item.place.kind is not PlaceKind.VEHICLE


def pick_list(
    state: Circulation, visits: Sequence[PromisedVisit], on: date
) -> tuple[PickLine, ...]:
    """The holds to be handed over on a run, stop by stop in order of driving.

    A hold that is kept for several visits stays on the list until it is handed over.
    """
    lines = []
    for visit in sorted(visits, key=lambda v: (v.start_s, v.position)):
        for hold in state.open_holds_at(visit.stop_id):
            if not visit.is_coming or not _is_waited_for(hold, on):
                continue
            item = state.items.get(hold.item_id) if hold.item_id is not None else None
            if item is None or state.open_loans_of_item(item.item_id):
                continue
            title = state.title_of(item)
            lines.append(
                PickLine(
                    visit_id=visit.visit_id,
                    stop_id=visit.stop_id,
                    hold_id=hold.hold_id,
                    patron_id=hold.patron_id,
                    item=item,
                    shelf="" if title is None else title.shelf,
                )
            )
    return tuple(lines)


def _is_waited_for(hold: Hold, on: date) -> bool:
    if hold.state is not HoldState.READY or hold.pickup_date is None:
        return False
    return hold.pickup_date <= on and (hold.keep_until_date is None or on <= hold.keep_until_date)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadLine:
    """An item to be put aboard before the run, and what for."""

    item_id: ItemId
    from_place: ItemPlace
    reason: str
    """``hold``, ``box`` or ``plan``."""
    stop_id: StopId | None = None


def load_list(
    state: Circulation,
    vehicle: ItemPlace,
    picks: Sequence[PickLine],
    boxes: Mapping[StopId, Sequence[DepositBox]] | None = None,
    planned: Sequence[ItemId] = (),
) -> tuple[LoadLine, ...]:
    """Everything that must come aboard and is not, by the place that it is fetched from.

    Parameters
    ----------
    boxes
        Deposit boxes to be left at stops of the run.
    planned
        The items of the load planner (``planner.load``).
    """
    wanted: dict[ItemId, tuple[str, StopId | None]] = {}
    for line in picks:
        wanted.setdefault(line.item.item_id, ("hold", line.stop_id))
    for stop_id, own in (boxes or {}).items():
        for box in own:
            for item_id in box.item_ids:
                wanted.setdefault(item_id, ("box", stop_id))
    for item_id in planned:
        wanted.setdefault(item_id, ("plan", None))
    lines = [
        LoadLine(item_id=item_id, from_place=item.place, reason=reason, stop_id=stop_id)
        for item_id, (reason, stop_id) in wanted.items()
        if (item := state.items.get(item_id)) is not None
        and item.place != vehicle
        and not item.is_withdrawn
        and not state.open_loans_of_item(item_id)
    ]
    return tuple(sorted(lines, key=lambda x: (x.from_place, x.reason, x.item_id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class StopCard:
    """What a crew needs to know of a stop's readers (R5); ids, no names.

    ``boxes_back`` are deposit boxes that are to be fetched by the date.
    """

    stop_id: StopId
    to_hand_over: tuple[PickLine, ...]
    expected_back: tuple[Loan, ...]
    blocked: tuple[Patron, ...]
    collectives: tuple[Patron, ...]
    boxes_back: tuple[DepositBox, ...] = ()


def stop_card(
    state: Circulation,
    visit: PromisedVisit,
    boxes: Sequence[DepositBox] = (),
) -> StopCard:
    """The readers' side of a stop visit."""
    on = visit.opens_date
    own = sorted(
        (p for p in state.patrons.values() if visit.stop_id in p.stop_ids),
        key=lambda p: p.patron_id,
    )
    return StopCard(
        stop_id=visit.stop_id,
        to_hand_over=pick_list(state, (visit,), on),
        expected_back=state.expected_back(visit.stop_id, on),
        blocked=tuple(p for p in own if p.blocks_on(on)),
        collectives=tuple(p for p in own if p.kind is PatronKind.COLLECTIVE),
        boxes_back=tuple(b for b in boxes if b.back_date is not None and b.back_date <= on),
    )


def boxes_at(state: Circulation) -> tuple[DepositBox, ...]:
    """The deposit boxes that stand at points now, as their items tell.

    A box whose items were put in on several days was left on the first, and is to be fetched on
    the last date told.
    """
    found: dict[tuple[BoxId, ItemPlace], list[Item]] = {}
    for item in state.items.values():
        if item.box_id is not None:
            found.setdefault((item.box_id, item.place), []).append(item)
    return tuple(
        DepositBox(
            box_id=box_id,
            point=place,
            item_ids=tuple(sorted(i.item_id for i in items)),
            left_date=min((d for i in items if (d := i.box_left_date)), default=None),
            back_date=max((d for i in items if (d := i.box_back_date)), default=None),
        )
        for (box_id, place), items in sorted(found.items(), key=lambda pair: pair[0])
    )
