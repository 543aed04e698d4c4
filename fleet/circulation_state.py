"""Where every item is and who has it: the state that events change, change by change."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from data.model.loans import Hold, HoldId, Loan, LoanId
from data.model.patrons import Patron, PatronId
from data.model.place import StopId
from data.model.stock import Item, ItemId, ItemPlace, Title, TitleId
from fleet.crew_log import VisitLog

type Thing = Item | Patron | Loan | Hold | VisitLog
type Key = tuple[type[Any], str]
type Subject = tuple[str, str]
"""An item, reader or title by its kind and id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A thing before and after; ``None`` where it is not there."""

    before: Thing | None
    after: Thing | None

    @property
    def key(self) -> Key:
        thing = self.after if self.after is not None else self.before
        assert thing is not None
        return type(thing), key_of(thing)


def key_of(thing: Thing) -> str:
    """The id of a thing among its kind."""
    match thing:
        case Item():
            return thing.item_id
        case Patron():
            return thing.patron_id
        case Loan():
            return thing.loan_id
        case Hold():
            return thing.hold_id
        case VisitLog():
            return thing.visit_id


def subjects_of(change: Change) -> tuple[Subject, ...]:
    """The items, readers and titles that a change has to do with."""
    found: list[Subject] = []
    for thing in (change.before, change.after):
        match thing:
            case Item():
                found.append(("item", thing.item_id))
            case Patron():
                found.append(("patron", thing.patron_id))
            case Loan():
                found += [("item", thing.item_id), ("patron", thing.patron_id)]
            case Hold():
                found += [("title", thing.title_id), ("patron", thing.patron_id)]
    return tuple(dict.fromkeys(found))


class Circulation:
    """Items, patrons, loans, holds and what was written down of visits, found by id.

    Only ``put`` changes it, and each change can be taken back by ``take_back``.
    """

    def __init__(self, things: Iterable[Thing] = (), titles: Iterable[Title] = ()) -> None:
        self.titles: dict[TitleId, Title] = {t.title_id: t for t in titles}
        self.items: dict[ItemId, Item] = {}
        self.patrons: dict[PatronId, Patron] = {}
        self.loans: dict[LoanId, Loan] = {}
        self.holds: dict[HoldId, Hold] = {}
        self.visits: dict[str, VisitLog] = {}
        self._tables: dict[type[Any], dict[Any, Any]] = {
            Item: self.items,
            Patron: self.patrons,
            Loan: self.loans,
            Hold: self.holds,
            VisitLog: self.visits,
        }
        self._loans_of_item: dict[ItemId, set[LoanId]] = {}
        self._open_of_item: dict[ItemId, set[LoanId]] = {}
        self._open_of_patron: dict[PatronId, set[LoanId]] = {}
        self._holds_of_title: dict[TitleId, set[HoldId]] = {}
        self._by_card: dict[str, set[PatronId]] = {}
        self._of_title: dict[TitleId, set[ItemId]] = {}
        self._bound_to: dict[str, set[LoanId]] = {}
        self._holds_at: dict[StopId, set[HoldId]] = {}
        for thing in things:
            self.put(Change(before=None, after=thing))

    def copy(self) -> "Circulation":
        """A state that changes apart from this one."""
        return Circulation(self.things(), self.titles.values())

    def things(self) -> Iterator[Thing]:
        """Everything in it."""
        for table in self._tables.values():
            yield from table.values()

    def as_found(self) -> dict[Key, Thing]:
        """Everything by kind and id; two states are the same where these are equal."""
        return {(type(t), key_of(t)): t for t in self.things()}

    def put(self, change: Change) -> None:
        """Take a change over."""
        kind, key = change.key
        old = self._tables[kind].pop(key, None)
        if old is not None:
            self._forget(old)
        if change.after is not None:
            self._tables[kind][key] = change.after
            self._remember(change.after)

    def take_back(self, changes: Iterable[Change]) -> None:
        """Undo changes, given in the order in which they were put."""
        for change in reversed(tuple(changes)):
            self.put(Change(before=change.after, after=change.before))

    def _entries(self, thing: Thing) -> Iterator[tuple[dict[Any, set[Any]], Any, Any]]:
        if isinstance(thing, Loan):
            yield self._loans_of_item, thing.item_id, thing.loan_id
        if isinstance(thing, Loan) and thing.is_open:
            yield self._open_of_item, thing.item_id, thing.loan_id
            yield self._open_of_patron, thing.patron_id, thing.loan_id
            if thing.due.visit_id is not None:
                yield self._bound_to, thing.due.visit_id, thing.loan_id
        elif isinstance(thing, Hold) and thing.is_open:
            yield self._holds_of_title, thing.title_id, thing.hold_id
            yield self._holds_at, thing.stop_id, thing.hold_id
        elif isinstance(thing, Item):
            yield self._of_title, thing.title_id, thing.item_id
        elif isinstance(thing, Patron) and thing.card:
            yield self._by_card, thing.card, thing.patron_id

    def _remember(self, thing: Thing) -> None:
        for index, key, value in self._entries(thing):
            index.setdefault(key, set()).add(value)

    def _forget(self, thing: Thing) -> None:
        for index, key, value in self._entries(thing):
            index[key].discard(value)
            if not index[key]:
                del index[key]

    def open_loans_of_item(self, item_id: str) -> tuple[Loan, ...]:
        """Open loans of an item, the latest last; more than one only while one is disputed."""
        ids = self._open_of_item.get(ItemId(item_id), ())
        return tuple(sorted((self.loans[i] for i in ids), key=_by_time))

    def loans_of_item(self, item_id: str) -> tuple[Loan, ...]:
        """All loans of an item, ended ones too, by time."""
        ids = self._loans_of_item.get(ItemId(item_id), ())
        return tuple(sorted((self.loans[i] for i in ids), key=_by_time))

    def open_loans_of_patron(self, patron_id: str) -> tuple[Loan, ...]:
        """What a patron has, by time of the loan."""
        ids = self._open_of_patron.get(PatronId(patron_id), ())
        return tuple(sorted((self.loans[i] for i in ids), key=_by_time))

    def open_holds_of_title(self, title_id: str) -> tuple[Hold, ...]:
        """Open holds of a title, in the order in which they were placed."""
        ids = self._holds_of_title.get(TitleId(title_id), ())
        return tuple(sorted((self.holds[i] for i in ids), key=lambda h: (h.placed_at, h.hold_id)))

    def open_holds_at(self, stop_id: str) -> tuple[Hold, ...]:
        """Open holds of a stop, in the order in which they were placed."""
        ids = self._holds_at.get(StopId(stop_id), ())
        return tuple(sorted((self.holds[i] for i in ids), key=lambda h: (h.placed_at, h.hold_id)))

    def open_loans_due_at(self, visit_id: str) -> tuple[Loan, ...]:
        """Open loans whose due date rests on a visit."""
        ids = self._bound_to.get(visit_id, ())
        return tuple(sorted((self.loans[i] for i in ids), key=_by_time))

    def items_of_title(self, title_id: str) -> tuple[Item, ...]:
        """Items of a title that are not written off, by id."""
        ids = sorted(self._of_title.get(TitleId(title_id), ()))
        return tuple(self.items[i] for i in ids if not self.items[i].is_withdrawn)

    def patrons_with_card(self, card: str) -> tuple[Patron, ...]:
        """Whoever has a card; two only while one of them must get another."""
        return tuple(self.patrons[i] for i in sorted(self._by_card.get(card, ())))

    def patron_of(self, patron_id: str, card: str = "") -> Patron | None:
        """A patron by id, or by card where the id is not known."""
        found = self.patrons.get(PatronId(patron_id)) if patron_id else None
        if found is None and card:
            owners = self.patrons_with_card(card)
            found = owners[0] if len(owners) == 1 else None
        while found is not None and found.merged_into is not None:
            found = self.patrons.get(found.merged_into)
        return found

    def title_of(self, item: Item) -> Title | None:
        return self.titles.get(item.title_id)

    def items_at(self, place: ItemPlace) -> tuple[Item, ...]:
        """Items whose place it is and that nobody has on loan, by id."""
        here = (i for i in self.items.values() if i.place == place and not i.is_withdrawn)
        return tuple(
            sorted(
                (i for i in here if i.item_id not in self._open_of_item),
                key=lambda i: i.item_id,
            )
        )

    def expected_back(self, stop_id: StopId, on: date) -> tuple[Loan, ...]:
        """Open loans of a stop that are due by a date, the longest overdue first."""
        due = (
            loan
            for loan in self.loans.values()
            if loan.is_open and loan.stop_id == stop_id and loan.due.due_date <= on
        )
        return tuple(sorted(due, key=lambda x: (x.due.due_date, x.patron_id, x.loan_id)))


def _by_time(loan: Loan) -> tuple[Any, str]:
    return loan.loaned_at, loan.loan_id
