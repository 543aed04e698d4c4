"""Stock of a bookmobile: titles, items, and the place where each item is.

An item is always at exactly one of three kinds of places. A loan does not change its place: it says
who has the item meanwhile.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

from data.model.age_marks import AgeMark
from data.model.errors import InputError

TitleId = NewType("TitleId", str)
ItemId = NewType("ItemId", str)
"""What is scanned: the barcode or tag, or the inventory number where an item has neither."""
BoxId = NewType("BoxId", str)

ID_MAX = 64
TEXT_MAX = 500
NOTE_MAX = 1000


def check_id(name: str, value: str) -> None:
    """Refuse an identifier that is empty, too long or holds control characters.

    Raises
    ------
    InputError
        ``circulation.bad_id``
    """
    if not value or len(value) > ID_MAX or not value.isprintable():
        raise InputError("circulation.bad_id", field=name, value=value[:ID_MAX], limit=ID_MAX)


def check_text(name: str, value: str, limit: int = TEXT_MAX) -> None:
    """Refuse a text that is too long: ``circulation.too_long``."""
    if len(value) > limit:
        raise InputError("circulation.too_long", field=name, length=len(value), limit=limit)


class PlaceKind(StrEnum):
    """The three states of an item's place."""

    VEHICLE = "vehicle"
    """On the shelves of a vehicle; the key is the vehicle's."""
    STORE = "store"
    """In the store from which a vehicle is loaded; the key is the vehicle's."""
    POINT = "point"
    """At a library or library point; the key is the library's."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ItemPlace:
    """Where an item is when nobody has it on loan."""

    kind: PlaceKind
    key: str

    def __post_init__(self) -> None:
        check_id("place", self.key)

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.key}"


def parse_place(text: str) -> ItemPlace:
    """The place that ``str(place)`` wrote.

    Raises
    ------
    InputError
        ``circulation.bad_place``
    """
    kind, colon, key = text.partition(":")
    if not colon or kind not in set(PlaceKind):
        kinds = ", ".join(k.value for k in PlaceKind)
        raise InputError("circulation.bad_place", value=text[:ID_MAX], kinds=kinds)
    return ItemPlace(kind=PlaceKind(kind), key=key)


class Carrier(StrEnum):
    """Kinds of carriers that statistics tell apart (DOMAIN §7, 7)."""

    BOOK = "book"
    PERIODICAL = "periodical"
    AUDIOVISUAL = "audiovisual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """A work of which there are items.

    ``shelf`` is the shelf that it stands on aboard (a subject or classification mark);
    ``is_accessible`` says large print, Braille or talking book.
    """

    title_id: TitleId
    name: str
    author: str = ""
    year: int | None = None
    isbn: str = ""
    language: str = ""
    carrier: Carrier = Carrier.BOOK
    age_mark: AgeMark = AgeMark.NONE
    shelf: str = ""
    classification: str = ""
    publisher: str = ""
    is_for_children: bool = False
    is_accessible: bool = False
    catalogue_code: str = ""
    """The record's own number in the library's catalogue (001, or IRBIS 903)."""

    def __post_init__(self) -> None:
        check_id("title_id", self.title_id)
        if not self.name.strip():
            raise InputError("circulation.no_title", title_id=self.title_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One physical copy.

    ``thickness_mm`` is what it takes of a shelf; ``None`` where nobody knows.
    """

    item_id: ItemId
    title_id: TitleId
    place: ItemPlace
    inventory_no: str = ""
    is_for_loan: bool = True
    """False: to be read aboard only."""
    is_withdrawn: bool = False
    """Written off or lost; kept because loans speak of it."""
    acquired_date: date | None = None
    thickness_mm: float | None = None
    box_id: BoxId | None = None
    """The deposit box that it went to its point in."""
    box_left_date: date | None = None
    box_back_date: date | None = None
    """When its box is to be fetched."""

    def __post_init__(self) -> None:
        check_id("item_id", self.item_id)
        if self.thickness_mm is not None and self.thickness_mm <= 0:
            raise ValueError(f"item {self.item_id}: thickness {self.thickness_mm} is not positive")
        if self.box_id is not None and self.place.kind is not PlaceKind.POINT:
            raise ValueError(f"item {self.item_id}: in box {self.box_id} but not at a point")


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemMove:
    """An item put somewhere else with no loan of it: where from, where to, by which event."""

    event_id: str
    item_id: ItemId
    moved_at: datetime
    from_place: ItemPlace
    to_place: ItemPlace
    box_id: str = ""
    scanned_at: ItemPlace
    """Where whoever scanned it stood."""
    device_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositBox:
    """Items left together at a library point until a later visit takes them back."""

    box_id: BoxId
    point: ItemPlace
    item_ids: tuple[ItemId, ...]
    left_date: date | None = None
    back_date: date | None = None
    """When it is to be fetched."""

    def __post_init__(self) -> None:
        if self.point.kind is not PlaceKind.POINT:
            raise ValueError(f"box {self.box_id} stands at {self.point}, which is no library point")
