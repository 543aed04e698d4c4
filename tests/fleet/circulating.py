"""A small stock with readers and visits, and a tablet that writes events by a clock of its own.

Stops and dates are those of a vehicle of the Zelenogradsk district.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from data.model.age_marks import AgeMark
from data.model.journal import BODIES, EventBody, EventId, EventKind, JournalEvent
from data.model.journal_bodies import (
    Choice,
    DecisionBody,
    LoanBody,
    RegistrationBody,
    RenewalBody,
    ReturnBody,
    VisitDate,
)
from data.model.loans import Due, Hold, HoldId, Loan, LoanId
from data.model.patrons import Block, BlockReason, Patron, PatronId
from data.model.place import StopId
from data.model.publication import VisitId
from data.model.stock import Item, ItemId, ItemPlace, PlaceKind, Title, TitleId
from fleet.circulation_act import Lending
from fleet.circulation_replay import Replay, replay
from fleet.circulation_state import Thing
from fleet.journal import Journal, in_order, receive
from fleet.journal_clock import ClockMark

DAY = date(2026, 11, 30)
MORNING = datetime(2026, 11, 30, 6, tzinfo=UTC)
ABOARD = ItemPlace(kind=PlaceKind.VEHICLE, key="v1")
STORE = ItemPlace(kind=PlaceKind.STORE, key="v1")
BRANCH = ItemPlace(kind=PlaceKind.POINT, key="branch")
STOP = StopId("kulikovo")
LENDING = Lending()
BODY_KINDS: Mapping[type, EventKind] = {body: kind for kind, body in reversed(list(BODIES.items()))}
VISITS = tuple(
    VisitDate(visit_id=VisitId(f"v{n}"), opens_date=DAY + timedelta(days=14 * n)) for n in range(8)
)

TITLES = tuple(
    Title(
        title_id=TitleId(f"t{n}"),
        name=f"Title {n}",
        shelf="84",
        age_mark=AgeMark.EIGHTEEN if n == 9 else AgeMark.TWELVE if n == 8 else AgeMark.NONE,
    )
    for n in range(10)
)
ITEMS = tuple(
    Item(item_id=ItemId(f"i{n}"), title_id=TitleId(f"t{n % 10}"), place=ABOARD) for n in range(20)
)
PATRONS = (
    *(
        Patron(patron_id=PatronId(f"p{n}"), card=f"c{n}", stop_ids=frozenset({STOP}))
        for n in range(5)
    ),
    Patron(patron_id=PatronId("child"), card="c8", birth_date=date(2017, 5, 1)),
    Patron(
        patron_id=PatronId("blocked"),
        card="c9",
        blocks=(Block(reason=BlockReason.DEBT, since_date=date(2026, 1, 1)),),
    ),
)
BASE: tuple[Thing, ...] = (*ITEMS, *PATRONS)


def earlier_loan(item_id: str, patron_id: str, **changes: object) -> Loan:
    """A loan that a branch had made before."""
    told: dict[str, object] = {
        "loan_id": LoanId(f"old-{item_id}"),
        "item_id": ItemId(item_id),
        "patron_id": PatronId(patron_id),
        "place": BRANCH,
        "loaned_at": MORNING - timedelta(days=20),
        "due": Due(due_date=DAY + timedelta(days=10)),
        "due_from_date": DAY - timedelta(days=20),
    }
    return Loan(**{**told, **changes})  # type: ignore[arg-type]


def hold_of(hold_id: str, title_id: str, patron_id: str, **changes: object) -> Hold:
    told: dict[str, object] = {
        "hold_id": HoldId(hold_id),
        "title_id": TitleId(title_id),
        "patron_id": PatronId(patron_id),
        "stop_id": STOP,
        "placed_at": MORNING - timedelta(days=3),
    }
    return Hold(**{**told, **changes})  # type: ignore[arg-type]


@dataclass(slots=True)
class Tablet:
    """A device whose clock is off by so many seconds and runs fast by so many a day."""

    device_id: str = "tablet-a"
    place: ItemPlace = ABOARD
    off_s: float = 0.0
    fast_s_a_day: float = 0.0
    events: list[JournalEvent] = field(default_factory=list)

    def clock(self, at: datetime) -> datetime:
        """What the device's clock shows at a moment."""
        days = (at - MORNING).total_seconds() / 86_400
        return at + timedelta(seconds=self.off_s + days * self.fast_s_a_day)

    def mark(self, at: datetime) -> ClockMark:
        """The mark of an exchange with the server."""
        return ClockMark(
            device_id=self.device_id,
            sequence=len(self.events),
            device_at=self.clock(at),
            server_at=at,
        )

    def write(
        self,
        body: EventBody,
        at: datetime,
        *,
        kind: EventKind | None = None,
        visit_id: str | None = "v0",
        stop_id: StopId | None = STOP,
    ) -> JournalEvent:
        """Add an event to the device's journal."""
        sequence = len(self.events) + 1
        number = int.from_bytes(f"{self.device_id}/{sequence}".encode()[-16:])
        event = JournalEvent(
            event_id=EventId(UUID(int=number).hex),
            device_id=self.device_id,
            sequence=sequence,
            device_at=self.clock(at),
            kind=kind or BODY_KINDS[type(body)],
            body=body,
            place=self.place,
            service_date=DAY,
            visit_id=None if visit_id is None else VisitId(visit_id),
            stop_id=stop_id,
            by="account-1",
            snapshot_id="s1",
        )
        self.events.append(event)
        return event

    def lend(self, item_id: str, patron_id: str, at: datetime, **told: object) -> JournalEvent:
        due = {"due_date": VISITS[1].opens_date, "due_visit_id": "v1"}
        body = LoanBody(item_id=item_id, patron_id=patron_id, **{**due, **told})  # type: ignore[arg-type]
        return self.write(body, at)

    def take_back(self, item_id: str, at: datetime, loan_id: str = "") -> JournalEvent:
        return self.write(ReturnBody(item_id=item_id, loan_id=loan_id), at)

    def renew(self, item_id: str, at: datetime, loan_id: str = "") -> JournalEvent:
        visit = VISITS[2]
        body = RenewalBody(
            item_id=item_id,
            loan_id=loan_id,
            due_date=visit.opens_date,
            due_visit_id=visit.visit_id,
        )
        return self.write(body, at)

    def register(self, patron_id: str, at: datetime, **told: object) -> JournalEvent:
        return self.write(RegistrationBody(patron_id=patron_id, **told), at)  # type: ignore[arg-type]

    def decide(
        self, event: JournalEvent, rule: str, choice: Choice, at: datetime, **told: object
    ) -> JournalEvent:
        body = DecisionBody(event_id=event.event_id, rule=rule, choice=choice, **told)  # type: ignore[arg-type]
        return self.write(body, at)


def journal_of(*tablets: Tablet, at: datetime = MORNING + timedelta(days=60)) -> Journal:
    """A journal that took all events of tablets at once."""
    batch = [e for t in tablets for e in t.events]
    marks = [t.mark(MORNING) for t in tablets] + [t.mark(at) for t in tablets]
    marks = [
        ClockMark(
            device_id=m.device_id,
            sequence=0 if m.server_at == MORNING else m.sequence,
            device_at=m.device_at,
            server_at=m.server_at,
        )
        for m in marks
    ]
    return receive(Journal(), batch, marks, at=at)[0]


def replayed(*tablets: Tablet, base: Iterable[Thing] = BASE) -> Replay:
    """The state after all events of tablets."""
    return replay(base, in_order(journal_of(*tablets)), TITLES, LENDING)
