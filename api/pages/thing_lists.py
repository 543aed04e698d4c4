"""Lists of things as their pages show them: a heading and a row of short cells each."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from api.services.thing_kinds import (
    CREW,
    DEPOTS,
    LIBRARIES,
    MUNICIPALITIES,
    SETTLEMENTS,
    SPECIALISTS,
    STOPS,
    VEHICLES,
    ThingKind,
)
from api.words import Words
from data.db.region_store import Stored
from data.model.calendar import MINUTE_S
from data.model.crew import Specialist, service_name
from data.model.fleet import Vehicle
from data.model.place import Depot, Library, Municipality, Settlement, SiteCard, Standing, Stop
from data.model.region import Region
from data.model.staff import CrewMember

EXPIRES_SOON = timedelta(days=60)
_MONDAY = date(2026, 1, 5)
SITE_FIELDS = (
    "surface",
    "room_m",
    "power",
    "mobile_signal",
    "light",
    "toilet",
    "step_free",
    "contact",
    "permission_until_date",
    "photo",
)
"""What a site card is complete with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A word that stands out; ``look`` is ``good``, ``warn``, ``bad`` or empty."""

    text: str
    look: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """One thing of a list."""

    key: str
    title: str
    cells: tuple[str, ...]
    badges: tuple[Badge, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSpec:
    """Headings (``places.col.<name>``) beside the name, those of numbers, and what fills a row."""

    heads: tuple[str, ...]
    row: Callable[["Lister", Any], tuple[tuple[str, ...], tuple[Badge, ...]]]
    numbers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lister:
    """Puts things of a region into words."""

    region: Region
    words: Words
    today: date

    def rows(self, kind: ThingKind, things: Iterable[Stored]) -> tuple[ListRow, ...]:
        """Rows of a list."""
        spec = LISTS[kind.path]
        rows = []
        for stored in things:
            cells, badges = spec.row(self, stored.thing)
            title = stored.thing.name or stored.key
            rows.append(ListRow(key=stored.key, title=title, cells=cells, badges=badges))
        return tuple(rows)

    def weekdays(self, days: Iterable[int]) -> str:
        """Short names of weekdays; "any" without one."""
        chosen = sorted(days)
        if not chosen:
            return self.words("places.any_day")
        return ", ".join(self.words.weekday(_MONDAY + timedelta(days=day)) for day in chosen)

    def names(self, keys: Iterable[str], of: Sequence[Any], key: str) -> str:
        """Names of other things by their ids."""
        known = {getattr(thing, key): thing.name for thing in of}
        return ", ".join(str(known.get(one, one)) for one in sorted(keys))

    def count(self, value: int | None) -> str:
        return "—" if value is None else self.words.number(value)


def _stop(see: Lister, stop: Stop) -> tuple[tuple[str, ...], tuple[Badge, ...]]:
    words, site = see.words, stop.site
    badges = []
    until = site.permission_until_date
    if until is not None and until <= see.today:
        badges.append(Badge(text=words("places.badge.expired", day=words.day(until)), look="bad"))
    elif until is not None and until <= see.today + EXPIRES_SOON:
        badges.append(Badge(text=words("places.badge.expires", day=words.day(until)), look="warn"))
    if stop.mandatory:
        badges.append(Badge(text=words("places.badge.mandatory")))
    return (
        stop.community or "—",
        words(f"places.choice.kind.{stop.kind.value}"),
        see.count(stop.people),
        words.number(stop.service_s / MINUTE_S),
        words.number(stop.visits_per_cycle) if stop.recurrence is None else words("places.by_rule"),
        words("places.site_known", known=num_known(site), all=len(SITE_FIELDS)),
    ), tuple(badges)


def num_known(site: SiteCard) -> int:
    """How many facts of a site card are known."""
    return sum(getattr(site, name) not in (None, "") for name in SITE_FIELDS)


def _settlement(see: Lister, place: Settlement) -> tuple[tuple[str, ...], tuple[Badge, ...]]:
    words = see.words
    districts = {m.municipality_id: m.name for m in see.region.municipalities}
    year = "" if place.population_year is None else str(place.population_year)
    badges = []
    if place.flags:
        badges.append(Badge(text=words("places.badge.flagged"), look="warn"))
    return (
        place.kind or "—",
        districts.get(place.municipality_id, "—") if place.municipality_id else "—",
        words("table.unknown") if place.population is None else see.count(place.population),
        year or words("table.undated"),
    ), tuple(badges)


def _library(see: Lister, library: Library) -> tuple[tuple[str, ...], tuple[Badge, ...]]:
    words = see.words
    homes = {s.settlement_id: s.name for s in see.region.settlements}
    badges = []
    if library.standing is Standing.ASSUMED:
        badges.append(Badge(text=words("places.badge.assumed"), look="warn"))
    if library.closed_date is not None:
        code = "closed" if library.closed_date <= see.today else "closes"
        day = words.day(library.closed_date)
        badges.append(Badge(text=words(f"places.badge.{code}", day=day), look="bad"))
    return (
        words(f"places.choice.kind.{library.kind.value}"),
        homes.get(library.settlement_id, "—") if library.settlement_id else "—",
        library.address or "—",
        library.opening_hours or "—",
    ), tuple(badges)


def _municipality(see: Lister, one: Municipality) -> tuple[tuple[str, ...], tuple[Badge, ...]]:
    places = sum(s.municipality_id == one.municipality_id for s in see.region.settlements)
    year = "—" if one.population_year is None else str(one.population_year)
    return (see.words.number(places), see.count(one.population), year), ()


def _vehicle(see: Lister, vehicle: Vehicle) -> tuple[tuple[str, ...], tuple[Badge, ...]]:
    words = see.words
    coming = sorted(day for day in vehicle.off_dates if day >= see.today)
    off = words.day(coming[0]) if coming else "—"
    size = words("places.size", length=words.number(vehicle.length_m, 1),
                 tonnes=words.number(vehicle.weight_kg / 1000, 1))  # fmt: skip
    hours = f"{words.clock(vehicle.duty_start_s)}–{words.clock(vehicle.duty_end_s)}"
    badges = (
        (Badge(text=words.count("places.badge.nights", vehicle.max_nights_away)),)
        if vehicle.max_nights_away
        else ()
    )
    return (
        see.names([vehicle.depot_id], see.region.depots, "depot_id"),
        see.weekdays(vehicle.weekdays),
        hours,
        size,
        off,
    ), badges


def _depot(see: Lister, depot: Depot) -> tuple[tuple[str, ...], tuple[Badge, ...]]:
    based = [v.name for v in see.region.vehicles if v.depot_id == depot.depot_id]
    kind = see.words(f"places.choice.kind.{depot.kind.value}")
    return (kind, ", ".join(based) or "—"), ()


def _crew(see: Lister, person: CrewMember) -> tuple[tuple[str, ...], tuple[Badge, ...]]:
    vehicles = see.names(person.vehicle_ids, see.region.vehicles, "vehicle_id")
    return (
        see.words(f"places.choice.role.{person.role.value}"),
        vehicles or see.words("places.any_vehicle"),
        see.weekdays(person.weekdays),
        person.phone or "—",
    ), ()


def _specialist(see: Lister, person: Specialist) -> tuple[tuple[str, ...], tuple[Badge, ...]]:
    vehicles = see.names(person.vehicle_ids, see.region.vehicles, "vehicle_id")
    return (
        service_name(person.service, see.words),
        vehicles or see.words("places.any_vehicle"),
        see.weekdays(person.weekdays),
    ), ()


LISTS: dict[str, ListSpec] = {
    STOPS.path: ListSpec(
        heads=("community", "kind", "people", "service_min", "visits", "site"),
        row=_stop,
        numbers=frozenset({"people", "service_min", "visits"}),
    ),
    SETTLEMENTS.path: ListSpec(
        heads=("settlement_kind", "district", "population", "year"),
        row=_settlement,
        numbers=frozenset({"population", "year"}),
    ),
    LIBRARIES.path: ListSpec(
        heads=("library_kind", "settlement", "address", "hours"), row=_library
    ),
    MUNICIPALITIES.path: ListSpec(
        heads=("places", "population", "year"),
        row=_municipality,
        numbers=frozenset({"places", "population", "year"}),
    ),
    VEHICLES.path: ListSpec(heads=("depot", "days", "duty", "size", "off"), row=_vehicle),
    DEPOTS.path: ListSpec(heads=("depot_kind", "based"), row=_depot),
    CREW.path: ListSpec(heads=("role", "vehicles", "days", "phone"), row=_crew),
    SPECIALISTS.path: ListSpec(heads=("service", "vehicles", "days"), row=_specialist),
}
