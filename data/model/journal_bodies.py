"""What an event of the journal says, one type for each kind of event.

Each field is a text, a number, a date, a place, a tuple of texts or counts by name, so that
``fleet.journal_json`` can write and read every body in one way. Bodies check themselves.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from data.model.errors import InputError
from data.model.patrons import NAME_MAX, PatronKind
from data.model.publication import VisitId
from data.model.stock import ID_MAX, NOTE_MAX, ItemPlace, check_id, check_text

MOST_AT_ONCE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitDate:
    """A visit of a stop by its date: all that due dates and holds ask of it."""

    visit_id: VisitId
    opens_date: date

    def __str__(self) -> str:
        return f"{self.opens_date.isoformat()} {self.visit_id}"


def parse_visit_date(text: str) -> VisitDate:
    """The visit that ``str(visit)`` wrote; ``journal.bad_value`` for anything else."""
    day, _, visit_id = text.partition(" ")
    try:
        opens_date = date.fromisoformat(day)
        check_id("visit_id", visit_id)
    except (ValueError, InputError) as wrong:
        raise InputError(
            "journal.bad_value", field="visits", value=text[:ID_MAX], expected="2026-12-14 id"
        ) from wrong
    return VisitDate(visit_id=VisitId(visit_id), opens_date=opens_date)


def _check_optional_id(name: str, value: str) -> None:
    if value:
        check_id(name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanBody:
    """An item handed to a reader.

    Parameters
    ----------
    patron_id, card
        The reader as the tablet knew them, or, of a reader not in its snapshot, the card alone.
    due_date, due_visit_id
        What the reader was told.
    hold_id
        The hold that is thereby handed over.
    overrides
        Rules that the crew was warned of and lent all the same.
    """

    item_id: str
    patron_id: str = ""
    card: str = ""
    due_date: date
    due_visit_id: str = ""
    hold_id: str = ""
    overrides: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_id("item_id", self.item_id)
        for name in ("patron_id", "card", "due_visit_id", "hold_id"):
            _check_optional_id(name, getattr(self, name))
        if not self.patron_id and not self.card:
            raise InputError("journal.missing_field", field="patron_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnBody:
    """An item taken back; ``loan_id`` is the loan that the device took to be open."""

    item_id: str
    loan_id: str = ""
    note: str = ""
    """Damage, a missing supplement …"""

    def __post_init__(self) -> None:
        check_id("item_id", self.item_id)
        _check_optional_id("loan_id", self.loan_id)
        check_text("note", self.note, NOTE_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalBody:
    """A loan made longer."""

    item_id: str
    loan_id: str = ""
    patron_id: str = ""
    due_date: date
    due_visit_id: str = ""
    overrides: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_id("item_id", self.item_id)
        for name in ("loan_id", "patron_id", "due_visit_id"):
            _check_optional_id(name, getattr(self, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationBody:
    """A new reader; the tablet makes up ``patron_id``, ``card`` is from its block of numbers."""

    patron_id: str
    card: str = ""
    name: str = ""
    kind: PatronKind = PatronKind.PERSON
    birth_date: date | None = None
    phone: str = ""
    is_disabled: bool = False
    consent_at: datetime | None = None
    """When the reader agreed to the keeping of their data (152-FZ)."""

    def __post_init__(self) -> None:
        check_id("patron_id", self.patron_id)
        _check_optional_id("card", self.card)
        check_text("name", self.name, NAME_MAX)
        check_text("phone", self.phone, NAME_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReregistrationBody:
    """A reader's registration made to last longer, or their card changed."""

    patron_id: str
    expires_date: date
    card: str = ""

    def __post_init__(self) -> None:
        check_id("patron_id", self.patron_id)
        _check_optional_id("card", self.card)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldBody:
    """A reader asks for a title, or one item of it, at a stop."""

    hold_id: str
    title_id: str
    patron_id: str
    stop_id: str
    item_id: str = ""

    def __post_init__(self) -> None:
        for name in ("hold_id", "title_id", "patron_id", "stop_id"):
            check_id(name, getattr(self, name))
        _check_optional_id("item_id", self.item_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldHandedBody:
    """A hold given to its reader where the loan itself is kept by the library's system."""

    hold_id: str

    def __post_init__(self) -> None:
        check_id("hold_id", self.hold_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldCancelledBody:
    """A hold that its reader does not want any more."""

    hold_id: str

    def __post_init__(self) -> None:
        check_id("hold_id", self.hold_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldReadyBody:
    """An item set aside for a hold; the server tells.

    ``pickup`` is the visit at which it can be had (``2026-12-14 visit-id``).
    """

    hold_id: str
    item_id: str
    pickup: str
    keep_until_date: date

    def __post_init__(self) -> None:
        check_id("hold_id", self.hold_id)
        check_id("item_id", self.item_id)
        parse_visit_date(self.pickup)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldExpiredBody:
    """A hold whose reader did not come; its item is free again."""

    hold_id: str

    def __post_init__(self) -> None:
        check_id("hold_id", self.hold_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveBody:
    """Items put somewhere, found by scanning them; ``box_id`` where they go in a deposit box."""

    item_ids: tuple[str, ...]
    to_place: ItemPlace
    box_id: str = ""
    back_date: date | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.item_ids) <= MOST_AT_ONCE:
            raise InputError("journal.number_of", field="item_ids", limit=MOST_AT_ONCE)
        for item_id in self.item_ids:
            check_id("item_ids", item_id)
        _check_optional_id("box_id", self.box_id)
        if self.box_id and self.to_place.kind != "point":
            raise InputError("journal.box_not_at_point", place=str(self.to_place))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSetBody:
    """The device saw its clock jump between its last event and this one; forward is positive."""

    jump_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitsMovedBody:
    """Visits of the event's stop were cancelled, moved or withdrawn; the server tells.

    Each visit is a text ``2026-12-14 visit-id``. Loans and holds bound to those in ``gone`` (with
    their dates before the change) go to those in ``coming``; a ``VoidBody`` of this event undoes
    it, to the day.
    """

    gone: tuple[str, ...]
    coming: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.gone:
            raise InputError("journal.missing_field", field="gone")
        for text in (*self.gone, *self.coming):
            parse_visit_date(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidBody:
    """An earlier event was a slip: it is kept, and has no effect."""

    event_id: str

    def __post_init__(self) -> None:
        check_id("event_id", self.event_id)


class Choice(StrEnum):
    """What a librarian decides of a conflict."""

    APPLY = "apply"
    """As proposed."""
    LEAVE = "leave"
    """Keep the event, with no effect."""
    ALLOW = "allow"
    """Let the event stand as it was done aboard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionBody:
    """A person's decision of a conflict.

    Parameters
    ----------
    rule
        The conflict's rule as the person saw it: a decision of another rule decides nothing.
    item_id, patron_id
        Who or what it was in truth, where the scan was of something else.
    card
        The card given to a reader whose card was another's.
    """

    event_id: str
    rule: str
    choice: Choice
    item_id: str = ""
    patron_id: str = ""
    card: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        check_id("event_id", self.event_id)
        check_text("rule", self.rule, ID_MAX)
        check_text("note", self.note, NOTE_MAX)
        for name in ("item_id", "patron_id", "card"):
            _check_optional_id(name, getattr(self, name))
