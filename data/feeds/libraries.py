"""Libraries: rows to values and back, and their import."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from data.feeds.entity import Entity
from data.feeds.importing import check_known, fill, fill_ids, import_table, recode
from data.feeds.report import ImportReport
from data.feeds.rows import Row
from data.feeds.values import write_date, write_number
from data.model.place import Library, LibraryId, LibraryKind, SettlementId, Standing


def library_from_row(row: Row) -> Library | None:
    library_id = row.required("library_id")
    position = row.position()
    settlement_id = row.text("settlement_id")
    if position is None and not settlement_id and not row.is_wrong:
        row.note("feeds.row.library_nowhere")
    kind = row.choice("kind", LibraryKind, LibraryKind.LIBRARY)
    standing = row.choice("standing", Standing, Standing.KNOWN)
    opened, closed = row.day("opened_date"), row.day("closed_date")
    if opened and closed and closed < opened:
        row.note("feeds.row.closed_before_opened", "closed_date", opened=opened)
    if row.is_wrong:
        return None
    lon, lat = position or (None, None)
    return Library(
        library_id=LibraryId(library_id),
        name=row.text("name"),
        standing=standing,
        kind=kind,
        settlement_id=SettlementId(settlement_id) or None,
        lon=lon,
        lat=lat,
        address=row.text("address"),
        opening_hours=row.text("opening_hours"),
        opened_date=opened,
        closed_date=closed,
        source=row.text("source"),
    )


def library_cells(item: Library) -> dict[str, str]:
    return {
        "library_id": item.library_id,
        "name": item.name,
        "kind": item.kind.value,
        "standing": item.standing.value,
        "settlement_id": item.settlement_id or "",
        "lon": write_number(item.lon),
        "lat": write_number(item.lat),
        "address": item.address,
        "opening_hours": item.opening_hours,
        "opened_date": write_date(item.opened_date),
        "closed_date": write_date(item.closed_date),
        "source": item.source,
    }


LIBRARIES: Entity[Library] = Entity(
    name="libraries",
    id_column="library_id",
    columns=(
        "library_id",
        "name",
        "kind",
        "standing",
        "settlement_id",
        "lon",
        "lat",
        "address",
        "opening_hours",
        "opened_date",
        "closed_date",
        "source",
    ),
    required=("library_id",),
    from_row=library_from_row,
    to_cells=library_cells,
    id_of=lambda item: item.library_id,
)

_KINDS = dict.fromkeys(
    (
        "point",
        "library point",
        "service point",
        "пункт",
        "пункт выдачи",
        "библиотечный пункт",
        "передвижка",
    ),
    LibraryKind.POINT.value,
) | dict.fromkeys(
    (
        "library",
        "branch",
        "public library",
        "central",
        "regional",
        "rural",
        "children",
        "model",
        "библиотека",
        "филиал",
        "центральная",
        "областная",
        "районная",
        "городская",
        "сельская",
        "детская",
        "модельная",
    ),
    LibraryKind.LIBRARY.value,
)

_OPEN = frozenset(["0", "no", "false", "нет", "open", "открыта", "действует", "работает"])
_LONG_CLOSED = "1900-01-01"
"""Closing date of a library that is closed since nobody knows when."""


def _date_from_year(row: Row, year_column: str, date_column: str) -> None:
    """A year alone is its first day."""
    year = row.text(year_column).removesuffix(".0")
    if not row.has(date_column) and len(year) == 4 and year.isdigit():
        fill(row, date_column, f"{year}-01-01")


def _close(row: Row) -> None:
    """A library marked as closed must not count as open, whatever its date."""
    status = row.text("status").casefold()
    if status and status not in _OPEN and not row.has("closed_date"):
        fill(row, "closed_date", row.cells.get("opened_date") or _LONG_CLOSED)
        row.flag("feeds.row.closed_date_unknown", "status")


def import_libraries(
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    settlement_ids: Collection[str] | None = None,
) -> tuple[tuple[Library, ...], ImportReport]:
    """Libraries of a table or vector file; those with a closing date stay, as history.

    Parameters
    ----------
    settlement_ids
        Known settlements; a library of any other is rejected. ``None`` does not ask.

    Raises
    ------
    InputError
        Where the file cannot be read at all (see ``import_table``).
    """

    def complete(rows: Sequence[Row]) -> None:
        fill_ids(rows, "library_id", "library", ("name", "settlement_id", "address", "lon", "lat"))
        for row in rows:
            recode(row, "kind", _KINDS, LibraryKind.LIBRARY.value)
            _date_from_year(row, "opened_year", "opened_date")
            _date_from_year(row, "closed_year", "closed_date")
            _close(row)

    return import_table(
        path,
        LIBRARIES,
        mapping=mapping,
        encoding=encoding,
        layer=layer,
        extra_columns=("opened_year", "closed_year", "status"),
        optional=("library_id",),
        complete=complete,
        check=lambda pairs: check_known(pairs, "settlement_id", settlement_ids, "settlements.csv"),
    )
