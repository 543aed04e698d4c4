"""Readers, items and titles found by what a librarian types or scans, and what is known of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from api.services.cancelling import names_of
from api.services.circulation_counter import find_item, find_patron
from api.services.ledger import Ledger
from api.state import Service
from data.db import publication_store, region_store
from data.db.engine import reading
from data.model.lending import LendingRules
from data.model.loans import Hold, Loan
from data.model.patrons import Patron
from data.model.place import Stop, StopId
from data.model.stock import Item, ItemId, Title
from fleet.circulation_sync import HistoryLine, item_history

MOST_FOUND = 50
MOST_HISTORY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Found[T]:
    """The first of what was found, and how much there is."""

    things: tuple[T, ...]
    num: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedItem:
    """An item with its title and who has it."""

    item: Item
    title: Title | None
    loan: Loan | None = None
    reader: Patron | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedLoan:
    """A loan with the name of its item."""

    loan: Loan
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedHold:
    """A hold with the name of its title, and who asked."""

    hold: Hold
    name: str
    reader: Patron | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderPage:
    """All that is known of a reader."""

    patron: Patron
    loans: tuple[NamedLoan, ...]
    past: tuple[NamedLoan, ...]
    num_past: int
    holds: tuple[NamedHold, ...]
    on: date
    rules: LendingRules

    @property
    def is_expired(self) -> bool:
        expires = self.patron.expires_date
        return expires is not None and expires < self.on

    @property
    def most_loans(self) -> int | None:
        """How many items the reader may have at once; ``None``: as many as they like."""
        return self.rules.most_loans.get(self.patron.kind)

    @property
    def is_forgotten(self) -> bool:
        patron = self.patron
        return not (patron.name or patron.card or patron.phone or patron.birth_date)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPage:
    """All that is known of an item."""

    item: Item
    title: Title | None
    loans: tuple[Loan, ...]
    holds: tuple[NamedHold, ...]
    history: tuple[HistoryLine, ...]
    """The latest lines, newest first."""
    num_history: int
    readers: dict[str, Patron]
    others: tuple[Item, ...]
    """Other items of the title."""


def find_readers(service: Service, region_id: str, told: str) -> Found[Patron]:
    """Readers in whose name, card or telephone all words stand; a card scanned whole comes first.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    words = told.casefold().split()
    with service.ledgers.reading(service.engine, region_id) as (_, ledger):
        patrons = ledger.state.patrons.values()
        known = [p for p in patrons if p.merged_into is None and (p.name or p.card)]
        found = [p for p in known if _holds(words, (p.name, p.card, p.phone))]
        found.sort(key=lambda p: (p.card != told, p.name.casefold(), p.patron_id))
        return Found(things=tuple(found[:MOST_FOUND]), num=len(found))


def find_items(service: Service, region_id: str, told: str) -> Found[NamedItem]:
    """Items in whose title, author or numbers all words stand; one scanned whole comes first.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    words = told.casefold().split()
    with service.ledgers.reading(service.engine, region_id) as (_, ledger):
        state = ledger.state
        fitting = {t.title_id for t in state.titles.values() if _holds(words, (t.name, t.author))}
        found = [
            i
            for i in state.items.values()
            if i.title_id in fitting or _holds(words, (i.item_id, i.inventory_no))
        ]
        found.sort(key=lambda i: (i.item_id != told, _title_key(ledger, i), i.item_id))
        named = tuple(_named(ledger, i) for i in found[:MOST_FOUND])
        return Found(things=named, num=len(found))


def find_titles(service: Service, region_id: str, told: str) -> Found[Title]:
    """The title of an item that was scanned, or those in whose name and author all words stand.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    words = told.casefold().split()
    with service.ledgers.reading(service.engine, region_id) as (_, ledger):
        state = ledger.state
        item = state.items.get(ItemId(told))
        if item is not None and item.title_id in state.titles:
            return Found(things=(state.titles[item.title_id],), num=1)
        found = [t for t in state.titles.values() if words and _holds(words, (t.name, t.author))]
        found.sort(key=lambda t: (t.name.casefold(), t.title_id))
        return Found(things=tuple(found[:MOST_FOUND]), num=len(found))


def _holds(words: Sequence[str], texts: Iterable[str]) -> bool:
    text = " ".join(texts).casefold()
    return all(word in text for word in words)


def _title_key(ledger: Ledger, item: Item) -> str:
    title = ledger.state.title_of(item)
    return "" if title is None else title.name.casefold()


def _named(ledger: Ledger, item: Item) -> NamedItem:
    loans = ledger.state.open_loans_of_item(item.item_id)
    loan = loans[-1] if loans else None
    return NamedItem(
        item=item,
        title=ledger.state.title_of(item),
        loan=loan,
        reader=None if loan is None else ledger.state.patron_of(loan.patron_id),
    )


def reader_page(service: Service, region_id: str, patron_id: str, at: datetime) -> ReaderPage:
    """What is known of a reader: loans now and before, holds, what forbids lending.

    Raises
    ------
    NotFoundError
        ``counter.unknown_reader``.
    """
    with service.ledgers.reading(service.engine, region_id) as (session, ledger):
        patron = find_patron(ledger, patron_id)
        past = [x for x in ledger.loans_of_patron(session, patron.patron_id) if not x.is_open]
        past.sort(key=lambda x: (x.returned_at or x.loaned_at, x.loan_id), reverse=True)
        holds = [
            h for h in ledger.state.holds.values() if h.patron_id == patron.patron_id and h.is_open
        ]
        holds.sort(key=lambda h: (h.placed_at, h.hold_id))
        return ReaderPage(
            patron=patron,
            loans=tuple(
                _named_loan(ledger, x) for x in ledger.state.open_loans_of_patron(patron.patron_id)
            ),
            past=tuple(_named_loan(ledger, x) for x in past[:MOST_HISTORY]),
            num_past=len(past),
            holds=tuple(_named_hold(ledger, h) for h in holds),
            on=ledger.lending.local_date(at),
            rules=ledger.lending.rules,
        )


def item_page(service: Service, region_id: str, item_id: str) -> ItemPage:
    """What is known of an item: its place, who has it, and all that happened to it.

    Raises
    ------
    NotFoundError
        ``counter.unknown_item``.
    """
    with service.ledgers.reading(service.engine, region_id) as (session, ledger):
        item = find_item(ledger, item_id)
        state = ledger.state
        loans = ledger.loans_of_item(session, item.item_id)
        steps = ledger.steps_of_item(item.item_id)
        moves = ledger.moves_of_item(session, item.item_id)
        every = item_history(steps, loans, moves)
        lines = every[-MOST_HISTORY:]
        holds = tuple(_named_hold(ledger, h) for h in state.open_holds_of_title(item.title_id))
        ids = {x.patron_id for x in loans} | {line.patron_id for line in lines}
        readers = {i: p for i in ids if i and (p := state.patron_of(i)) is not None}
        others = (i for i in state.items_of_title(item.title_id) if i.item_id != item.item_id)
        return ItemPage(
            item=item,
            title=state.title_of(item),
            loans=loans,
            holds=holds,
            history=tuple(reversed(lines)),
            num_history=len(every),
            readers=readers,
            others=tuple(others)[:MOST_FOUND],
        )


def _named_loan(ledger: Ledger, loan: Loan) -> NamedLoan:
    item = ledger.state.items.get(loan.item_id)
    title = None if item is None else ledger.state.title_of(item)
    return NamedLoan(loan=loan, name=loan.item_id if title is None else title.name)


def _named_hold(ledger: Ledger, hold: Hold) -> NamedHold:
    title = ledger.state.titles.get(hold.title_id)
    return NamedHold(
        hold=hold,
        name=hold.title_id if title is None else title.name,
        reader=ledger.state.patron_of(hold.patron_id),
    )


def stop_names(session: Session, region_id: str) -> dict[StopId, str]:
    """Names of stops: the region's own, and those that plans made and timetables published."""
    published, _ = names_of(session, region_id)
    own = (s.thing for s in region_store.list_things(session, region_id, Stop))
    return {i: s.name for i, s in published.items()} | {
        s.stop_id: s.name for s in own if isinstance(s, Stop)
    }


def stops_served(service: Service, region_id: str, from_date: date) -> tuple[tuple[str, str], ...]:
    """Ids and names of the stops to which a vehicle will still come, by name."""
    with reading(service.engine) as session:
        visits = publication_store.load_visits(session, region_id, from_date=from_date)
        served = {v.stop_id for v in visits if v.is_coming}
        names = stop_names(session, region_id)
    told = ((str(stop_id), names.get(StopId(stop_id), str(stop_id))) for stop_id in served)
    return tuple(sorted(told, key=lambda pair: (pair[1].casefold(), pair[0])))
