"""The page of one thing: its form, its place on a map, its history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from api.pages.desk_region import Desk
from api.pages.thing_fields import FORMS, FormSpec, Widget
from api.pages.thing_forms import Filled
from api.services.thing_kinds import SETTLEMENTS, ThingKind
from api.web.map_words import map_words
from data.db import region_store
from data.db.engine import reading
from data.db.region_store import Stored
from data.model.region import Region

SETTINGS_AREA = "settings"
SECTIONS = {
    "stops": "places",
    "settlements": "places",
    "libraries": "places",
    "municipalities": "places",
    "vehicles": "fleet",
    "depots": "fleet",
    "crew": "fleet",
    "specialists": "fleet",
}
"""Kinds by the heading under which they are edited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastVersion:
    """A version of a thing and what it changed: field, before, after."""

    stored: Stored
    since: date | None
    changed: tuple[tuple[str, str, str], ...]


def form_page(
    desk: Desk,
    kind: ThingKind,
    filled: Filled,
    stored: Stored | None,
    *,
    status: int = 200,
    key: str = "",
) -> Response:
    """The form as it stands, with the map beside it and the history below."""
    versions: tuple[PastVersion, ...] = ()
    if stored is not None:
        with reading(desk.service.engine) as session:
            found = region_store.history(session, desk.region.region_id, kind.type, stored.key)
        versions = _versions(FORMS[kind.path], found)
    faulty = [f.name for f in filled.spec.fields if f.name in filled.faults]
    return desk.render(
        "places/edit.html",
        area=SETTINGS_AREA,
        status=status,
        kind=kind,
        form=filled,
        faulty=faulty,
        stored=stored,
        new_key=key or kind.new_key(),
        versions=versions,
        section=SECTIONS[kind.path],
        options=_options(filled.spec, desk.region),
        address=quote(stored.key) if stored else "",
        since=None if stored is None or stored.valid_from_date == date.min
        else stored.valid_from_date,
        middle=_middle(desk.region),
        map_words=map_words(desk.words),
        settlements=_all_settlements(desk.region)
        if kind is SETTLEMENTS and stored is not None
        else [],
    )  # fmt: skip


def _versions(spec: FormSpec, found: Sequence[Stored]) -> tuple[PastVersion, ...]:
    """Versions, the newest first, each with what it changed of the one before."""
    told = []
    before: dict[str, str] | None = None
    for stored in found:
        cells = dict(spec.table.to_cells(stored.thing))
        changed = tuple(
            (name, before[name], value)
            for name, value in cells.items()
            if before is not None and before[name] != value
        )
        since = None if stored.valid_from_date == date.min else stored.valid_from_date
        told.append(PastVersion(stored=stored, since=since, changed=changed))
        before = cells
    return tuple(reversed(told))


def _options(spec: FormSpec, region: Region) -> dict[str, list[tuple[str, str]]]:
    """Things that fields choose from: id and name, by kind."""
    wanted = {
        one.of.path: one.of
        for one in spec.fields
        if one.widget in (Widget.ONE, Widget.SEVERAL) and one.of is not None
    }
    options: dict[str, list[tuple[str, str]]] = {}
    for path, kind in wanted.items():
        if kind is SETTLEMENTS:
            options[path] = _all_settlements(region)
            continue
        pairs = [(kind.key_of(one), str(one.name)) for one in getattr(region, kind.list_name)]
        options[path] = sorted(pairs, key=lambda p: p[1].casefold().replace("ё", "е"))
    return options


def _all_settlements(region: Region) -> list[tuple[str, str]]:
    districts = {str(m.municipality_id): m.name for m in region.municipalities}
    pairs = []
    for place in region.settlements:
        district = districts.get(str(place.municipality_id))
        pairs.append(
            (str(place.settlement_id), f"{place.name} ({district})" if district else place.name)
        )
    return sorted(pairs, key=lambda p: p[1].casefold().replace("ё", "е"))


def _middle(region: Region) -> tuple[float, float]:
    places: Sequence[Any] = region.settlements or region.stops or region.depots
    if not places:
        return 0.0, 0.0
    lons, lats = sorted(p.lon for p in places), sorted(p.lat for p in places)
    return lons[len(lons) // 2], lats[len(lats) // 2]
