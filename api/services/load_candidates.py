"""What may go on a run, with what is known of each item's draw at the run's stops.

Candidates stand on the vehicle or in its store. What is lent, written off, boxed, for reading
aboard only, or set aside for readers of another run is none: it stays as it is.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from api.services.ledger import Ledger
from data.db import circulation_store, publication_store
from data.model.fleet import VehicleId
from data.model.loans import HoldState
from data.model.place import StopId
from data.model.publication import PromisedVisit
from data.model.stock import Item, ItemId, ItemPlace, PlaceKind, Title
from data.model.stock_figures import StockItem, StockSpan
from fleet.circulation_lists import pick_list
from planner.load_problem import TYPICAL_MM, Candidate

PAST_DAYS = 365
"""Loans of the last year tell what a stop's readers want."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadCase:
    """All that a load of a run is planned from."""

    candidates: tuple[Candidate, ...]
    num_readers: int
    num_runs: int
    """Runs of the last year to any of the stops."""
    num_loans: int
    """Loans of the last year at the stops."""


@dataclass(frozen=True, slots=True)
class _Past:
    """Loans of the run's stops: by title how many, how many readers, and when last."""

    loans: Counter[str]
    readers: dict[str, set[str]]
    last: dict[str, datetime]
    dates: set[date]
    """Days on which anything was lent there."""


def load_case(
    session: Session,
    ledger: Ledger,
    vehicle_id: VehicleId,
    on: date,
    visits: Sequence[PromisedVisit],
    span: StockSpan,
    at: datetime,
) -> LoadCase:
    """The candidates of a run.

    Parameters
    ----------
    visits
        Of the run.
    span
        Tells what counts as new.
    """
    state = ledger.state
    stops = sorted({v.stop_id for v in visits if v.is_coming})
    held = {line.item.item_id for line in pick_list(state, visits, on)}
    elsewhere = {
        h.item_id for h in state.holds.values() if h.state is HoldState.READY and h.item_id
    } - held
    past = _past(session, ledger, stops, at)
    # Where no timetable tells of the past, the days of loans do.
    runs = sorted(past.dates | _run_dates(session, ledger, vehicle_id, stops, on))
    vehicle = ItemPlace(kind=PlaceKind.VEHICLE, key=str(vehicle_id))
    store = ItemPlace(kind=PlaceKind.STORE, key=str(vehicle_id))
    found = []
    for item in state.items.values():
        is_held = item.item_id in held
        is_near = item.place in (vehicle, store) and item.item_id not in elsewhere
        if item.is_withdrawn or not item.is_for_loan or not (is_held or is_near):
            continue
        if state.open_loans_of_item(item.item_id):
            continue
        title = state.title_of(item)
        found.append(
            _candidate(item, title, past, runs, span, is_aboard=item.place == vehicle,
                       is_held=is_held)
        )  # fmt: skip
    readers = sum(
        p.merged_into is None and not p.stop_ids.isdisjoint(stops) for p in state.patrons.values()
    )
    return LoadCase(
        candidates=tuple(sorted(found, key=lambda c: c.item_id)),
        num_readers=readers,
        num_runs=len(runs),
        num_loans=past.loans.total(),
    )


def _candidate(
    item: Item,
    title: Title | None,
    past: _Past,
    runs: Sequence[date],
    span: StockSpan,
    *,
    is_aboard: bool,
    is_held: bool,
) -> Candidate:
    key = str(item.title_id)
    num_loans, last = past.loans[key], past.last.get(key)
    since = item.acquired_date or date.min
    # Nobody writes down on which runs a title stood aboard: where it was lent, or is aboard now,
    # it is taken to have been there since it came.
    offers = [d for d in runs if d > since] if is_aboard or num_loans else []
    stale = offers if last is None else [d for d in offers if d > last.date()]
    stocked = StockItem(
        place=item.place,
        acquired_date=item.acquired_date,
        year=None if title is None else title.year,
    )
    thickness = item.thickness_mm or TYPICAL_MM
    return Candidate(
        item_id=item.item_id,
        title_id=item.title_id,
        shelf="" if title is None else title.shelf,
        thickness_mm=min(500.0, thickness),
        is_for_children=title is not None and title.is_for_children,
        is_accessible=title is not None and title.is_accessible,
        is_new=span.is_new(stocked),
        is_aboard=is_aboard,
        is_held=is_held,
        num_loans=num_loans,
        num_offers=max(len(offers), num_loans),
        num_readers_had=len(past.readers.get(key, ())),
        num_stale_offers=len(stale) if is_aboard else 0,
    )


def _past(session: Session, ledger: Ledger, stops: Sequence[StopId], at: datetime) -> _Past:
    """Loans of a year at some stops: those that are replayed, and those that were folded."""
    since = at - timedelta(days=PAST_DAYS)
    state = ledger.state
    wanted = set(stops)
    told: Iterable[tuple[str, str, datetime]] = (
        (x.item_id, x.patron_id, x.loaned_at)
        for x in state.loans.values()
        if x.stop_id in wanted and x.loaned_at >= since
    )
    ended = circulation_store.ended_at_stops(session, ledger.region_id, stops, since)
    past = _Past(Counter(), defaultdict(set), {}, set())
    for item_id, patron_id, when in (*told, *ended):
        item = state.items.get(ItemId(item_id))
        if item is None:
            continue
        key = str(item.title_id)
        past.loans[key] += 1
        past.readers[key].add(patron_id)
        past.last[key] = max(when, past.last.get(key, when))
        past.dates.add(ledger.lending.local_date(when))
    return past


def _run_dates(
    session: Session, ledger: Ledger, vehicle_id: VehicleId, stops: Sequence[StopId], on: date
) -> set[date]:
    visits = publication_store.load_visits(
        session,
        ledger.region_id,
        from_date=on - timedelta(days=PAST_DAYS),
        until_date=on - timedelta(days=1),
        vehicle_id=vehicle_id,
    )
    wanted = set(stops)
    return {v.service_date for v in visits if v.is_coming and v.stop_id in wanted}
