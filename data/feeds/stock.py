"""Stock of a bookmobile from tables: one row an item, with its title; rows to values and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.feeds.entity import Entity
from data.feeds.importing import fill, import_table, load_table, recode, stable_id
from data.feeds.report import ImportReport
from data.feeds.rows import Row
from data.feeds.tables import Table
from data.feeds.values import write_date, write_number, write_yes_no
from data.model.age_marks import AgeMark, parse_age_mark
from data.model.errors import InputError
from data.model.stock import Carrier, Item, ItemId, ItemPlace, Title, TitleId, parse_place

EARLIEST_YEAR = 1450
LATEST_YEAR = 2100
CARRIER_WORDS = {
    "книга": "book",
    "книги": "book",
    "брошюра": "book",
    "журнал": "periodical",
    "газета": "periodical",
    "периодика": "periodical",
    "аудиокнига": "audiovisual",
    "аудио": "audiovisual",
    "диск": "audiovisual",
    "cd": "audiovisual",
    "dvd": "audiovisual",
} | {kind.value: kind.value for kind in Carrier}


@dataclass(frozen=True, slots=True, kw_only=True)
class StockedItem:
    """An item with its title, as one row of a table has them."""

    item: Item
    title: Title


def stocked_item_from_row(row: Row, place: ItemPlace) -> StockedItem | None:
    """The item of a row; ``place`` is where it is put unless the row says another."""
    item_id, name = row.required("item_id"), row.required("title")
    mark = parse_age_mark(row.text("age_mark"))
    if mark is None:
        row.flag("feeds.stock.unknown_age_mark", "age_mark")
    year = row.count("year") if row.has("year") else None
    if year is not None and not EARLIEST_YEAR <= year <= LATEST_YEAR:
        row.flag("feeds.stock.odd_year", "year", least=EARLIEST_YEAR, most=LATEST_YEAR)
        year = None
    thickness = row.number("thickness_mm", least=0.1, most=500)
    for_loan = row.yes_no("for_loan")
    acquired = row.day("acquired_date")
    for_children, accessible = row.yes_no("for_children"), row.yes_no("accessible")
    carrier = row.choice("carrier", Carrier, Carrier.BOOK)
    withdrawn = row.yes_no("withdrawn")
    if row.is_wrong:
        return None
    try:
        title = Title(
            title_id=TitleId(row.text("title_id")),
            name=name,
            author=row.text("author"),
            year=year,
            isbn=row.text("isbn"),
            language=row.text("language"),
            carrier=carrier,
            age_mark=mark or AgeMark.NONE,
            shelf=row.text("shelf"),
            classification=row.text("classification"),
            publisher=row.text("publisher"),
            is_for_children=bool(for_children),
            is_accessible=bool(accessible),
            catalogue_code=row.text("catalogue_code"),
        )
        item = Item(
            item_id=ItemId(item_id),
            title_id=title.title_id,
            place=parse_place(row.text("place")) if row.has("place") else place,
            inventory_no=row.text("inventory_no"),
            is_for_loan=for_loan is not False,
            is_withdrawn=bool(withdrawn),
            acquired_date=acquired,
            thickness_mm=thickness,
        )
    except InputError as wrong:
        row.note("feeds.stock.bad_item", "item_id", cause=wrong.code)
        return None
    return StockedItem(item=item, title=title)


def stocked_item_cells(stocked: StockedItem) -> dict[str, str]:
    item, title = stocked.item, stocked.title
    return {
        "item_id": item.item_id,
        "inventory_no": item.inventory_no,
        "title": title.name,
        "author": title.author,
        "year": write_number(title.year),
        "isbn": title.isbn,
        "language": title.language,
        "carrier": title.carrier.value,
        "age_mark": title.age_mark.value,
        "shelf": title.shelf,
        "classification": title.classification,
        "publisher": title.publisher,
        "for_children": write_yes_no(title.is_for_children),
        "accessible": write_yes_no(title.is_accessible),
        "for_loan": write_yes_no(item.is_for_loan),
        "withdrawn": write_yes_no(item.is_withdrawn),
        "acquired_date": write_date(item.acquired_date),
        "thickness_mm": write_number(item.thickness_mm),
        "place": str(item.place),
        "title_id": title.title_id,
        "catalogue_code": title.catalogue_code,
    }


COLUMNS = (
    "item_id",
    "inventory_no",
    "title",
    "author",
    "year",
    "isbn",
    "language",
    "carrier",
    "age_mark",
    "shelf",
    "classification",
    "publisher",
    "for_children",
    "accessible",
    "for_loan",
    "withdrawn",
    "acquired_date",
    "thickness_mm",
    "place",
    "title_id",
    "catalogue_code",
)


def stock_of(place: ItemPlace) -> Entity[StockedItem]:
    """The table of a stock whose items are put at a place."""
    return Entity(
        name="stock",
        id_column="item_id",
        columns=COLUMNS,
        required=("item_id", "title"),
        from_row=lambda row: stocked_item_from_row(row, place),
        to_cells=stocked_item_cells,
        id_of=lambda stocked: stocked.item.item_id,
    )


def complete_stock(rows: Sequence[Row]) -> None:
    """Fill what a foreign table leaves out: ids of items and titles, our words for carriers."""
    for row in rows:
        if not row.has("item_id") and row.has("inventory_no"):
            fill(row, "item_id", row.text("inventory_no"))
        if not row.has("title_id"):
            fill(row, "title_id", _title_id(row))
        recode(row, "carrier", CARRIER_WORDS, Carrier.BOOK.value)


def _title_id(row: Row) -> str:
    """One title for all rows that say the same of it; an ISBN alone may belong to a series."""
    names = ("catalogue_code", "isbn", "title", "author", "year")
    return stable_id("t", *(row.text(name).casefold() for name in names))


def import_stock(
    path: Path,
    place: ItemPlace,
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> tuple[tuple[StockedItem, ...], ImportReport]:
    """Read a stock from CSV or XLSX; good rows load, every other is reported with its cause.

    Raises
    ------
    InputError
        Where nothing can be read at all.
    """
    return import_table(
        path,
        stock_of(place),
        mapping=mapping,
        encoding=encoding,
        layer=sheet,
        optional=("item_id",),
        complete=complete_stock,
    )


def load_stock(table: Table, place: ItemPlace) -> tuple[tuple[StockedItem, ...], ImportReport]:
    """The stock of a table that is read already."""
    return load_table(table, stock_of(place), optional=("item_id",), complete=complete_stock)


def titles_in(stock: Sequence[StockedItem]) -> tuple[Title, ...]:
    """The titles of a stock, each once: as its first item has it."""
    found: dict[TitleId, Title] = {}
    for stocked in stock:
        found.setdefault(stocked.title.title_id, stocked.title)
    return tuple(found.values())
