"""Which table a file is, from its columns and its name."""

from pathlib import Path

from api.services.upload_files import UploadKind
from data.feeds.columns import match_columns, tidy_head
from data.feeds.depots import DEPOTS
from data.feeds.libraries import LIBRARIES
from data.feeds.norms_table import COLUMNS as NORM_COLUMNS
from data.feeds.settlements import MUNICIPALITIES, SETTLEMENTS
from data.feeds.specialists import SPECIALISTS
from data.feeds.stops import STOPS
from data.feeds.stops_schema import is_schedule
from data.feeds.tables import Table
from data.feeds.vehicles import VEHICLES

_COLUMNS: dict[UploadKind, tuple[str, ...]] = {
    UploadKind.SETTLEMENTS: SETTLEMENTS.columns,
    UploadKind.LIBRARIES: LIBRARIES.columns,
    UploadKind.STOPS: STOPS.columns,
    UploadKind.VEHICLES: VEHICLES.columns,
    UploadKind.DEPOTS: DEPOTS.columns,
    UploadKind.SPECIALISTS: SPECIALISTS.columns,
    UploadKind.MUNICIPALITIES: MUNICIPALITIES.columns,
    UploadKind.NORMS: NORM_COLUMNS,
}
KNOWN_COLUMNS: dict[str, tuple[str, ...]] = {
    kind.value: columns for kind, columns in _COLUMNS.items()
} | {
    UploadKind.SETTLEMENTS.value: (*SETTLEMENTS.columns, "oktmo"),
    UploadKind.LIBRARIES.value: (*LIBRARIES.columns, "opened_year", "closed_year", "status"),
}
"""Columns that a file's columns may stand for, by kind."""
_COMMON = frozenset({"name", "lon", "lat", "source", "kind", "name_latin", "notes"})
"""Columns that many kinds have, and so tell little."""
_NAMES: dict[UploadKind, tuple[str, ...]] = {
    UploadKind.SETTLEMENTS: ("settlement", "village", "place", "насел", "нп", "посел", "деревн"),
    UploadKind.LIBRARIES: ("lib", "библиотек", "филиал", "branch"),
    UploadKind.STOPS: ("stop", "стоян", "остановк", "timetable", "график"),
    UploadKind.VEHICLES: ("vehicle", "fleet", "машин", "автопарк", "кибо", "библиобус"),
    UploadKind.DEPOTS: ("depot", "base", "баз", "гараж"),
    UploadKind.SPECIALISTS: ("specialist", "специалист"),
    UploadKind.MUNICIPALITIES: ("municipal", "district", "муницип", "район", "округ"),
    UploadKind.NORMS: ("norm", "норм"),
}
_REQUIRED: dict[UploadKind, frozenset[str]] = {
    UploadKind.SETTLEMENTS: frozenset({"name", "lon", "lat"}),
    UploadKind.STOPS: frozenset({"name", "lon", "lat"}),
    UploadKind.DEPOTS: frozenset({"name", "lon", "lat"}),
    UploadKind.VEHICLES: frozenset({"name", "depot_id"}),
    UploadKind.SPECIALISTS: frozenset({"name", "service"}),
    UploadKind.NORMS: frozenset({"norm_set_id", "population_from"}),
}
"""Columns without which no row of a kind can be read."""
_LACKING = 2.0
_OWN_NAME = 3.0
_OWN_COLUMN = 1.0
_COMMON_COLUMN = 0.1


def guess_kind(path: Path, table: Table) -> UploadKind | None:
    """The kind whose columns and name a table has most of; ``None`` where nothing speaks for one.

    A file of the exchange schema of mobile-library stops is known by its columns.
    """
    if is_schedule(path):
        return UploadKind.STOPS
    scores = {kind: _score(path, table, kind) for kind in _COLUMNS}
    best = max(scores, key=lambda kind: scores[kind])
    return best if scores[best] >= _OWN_COLUMN else None


def _score(path: Path, table: Table, kind: UploadKind) -> float:
    found = match_columns(table.columns, _COLUMNS[kind], entity=kind.value, file=path.name)
    own = sum(ours not in _COMMON for ours in found.values())
    words = tidy_head(path.stem)
    is_named = any(word in words for word in _NAMES[kind])
    common = len(found) - own
    has_shapes = any(row.lon is not None for row in table.rows[:1])
    there = set(found.values()) | ({"lon", "lat"} if has_shapes else set())
    lacking = _LACKING * bool(_REQUIRED.get(kind, frozenset()) - there)
    return _OWN_COLUMN * own + _COMMON_COLUMN * common + _OWN_NAME * is_named - lacking
