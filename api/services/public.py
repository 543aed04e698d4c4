"""What readers of a region are told, read once for each change of it."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from api.services.cancelling import names_of
from api.services.public_feeds import MadeFeeds
from data.db import publication_store, region_store
from data.db.engine import reading
from data.model.cancellation import standing
from data.model.fleet import VehicleId
from data.model.geo import distance_m
from data.model.place import Settlement, Stop
from data.model.place_search import Named, find
from data.model.public_timetable import (
    PublicStop,
    PublicTimetable,
    is_public,
    sequences_of,
    told_visits,
)
from data.model.publication import Moment, moment_of

MOST_REGIONS = 16
SAME_PLACE_M = 3_000
"""A stop so near a settlement of its name stands in it."""
type _Key = tuple[str, int, int]
"""Region, revision of what is published, revision of the region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A region's timetable with what is looked for in it."""

    timetable: PublicTimetable
    places: tuple[Named[PublicStop | Settlement], ...]
    region_revision: int
    feeds: MadeFeeds = field(default_factory=MadeFeeds, repr=False, compare=False)
    """What was made of it before; of all regions together where a cache holds them."""

    def now(self, at: datetime) -> Moment:
        """An instant by the region's clocks."""
        return moment_of(at, self.timetable.time_zone)

    def find(self, query: str) -> tuple[PublicStop | Settlement, ...]:
        """Places whose name is like the query, best first."""
        return find(query, self.places)

    @property
    def key(self) -> _Key:
        """The region and the revisions that this was read at."""
        return self.timetable.region_id, self.timetable.revision, self.region_revision

    @property
    def mark(self) -> str:
        """Stands for everything that is told, but for what depends on the time."""
        return f"{self.timetable.revision}-{self.region_revision}"


class PublishedCache:
    """Regions that were asked for last, one cache for each application."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Published] = OrderedDict()
        self._feeds = MadeFeeds()
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}

    def get(self, engine: Engine, region_id: str) -> Published:
        """What a region tells now.

        Raises
        ------
        NotFoundError
            ``region.unknown``.
        """
        with reading(engine) as session:
            head = publication_store.region_head(session, region_id)
            state = publication_store.publication_state(session, region_id)
        key = (region_id, state.revision, head.revision)
        known = self._known(key)
        if known is not None:
            return known
        with self._lock:
            turn = self._turns.setdefault(region_id, threading.Lock())
        # After a change all readers come at once: one of them reads it for all.
        with turn:
            known = self._known(key)
            if known is not None:
                return known
            with reading(engine) as session:
                made = replace(read_published(session, region_id), feeds=self._feeds)
            with self._lock:
                # What stood before a change is asked for by nobody.
                self._held[region_id] = made
                self._held.move_to_end(region_id)
                while len(self._held) > MOST_REGIONS:
                    self._held.popitem(last=False)
            return made

    @property
    def num_regions(self) -> int:
        """How many regions are kept, one state of each."""
        return len(self._held)

    def _known(self, key: _Key) -> Published | None:
        with self._lock:
            known = self._held.get(key[0])
            if known is None or known.key != key:
                return None
            self._held.move_to_end(key[0])
            return known


def read_published(session: Session, region_id: str) -> Published:
    """The same, read from the database."""
    head = publication_store.region_head(session, region_id)
    state = publication_store.publication_state(session, region_id)
    newest = publication_store.newest_timetable(session, region_id)
    region = region_store.load_region(session, region_id)
    stops, vehicles = names_of(session, region_id)
    visits = publication_store.load_visits(session, region_id)
    shown = _shown(stops.values(), region.stops, {v.stop_id for v in visits})
    by_id = {v.visit_id: v for v in visits}
    notices = publication_store.load_notices(session, region_id)
    timetable = PublicTimetable(
        region_id=region_id,
        names=head.names,
        time_zone=head.time_zone,
        language=head.language,
        revision=state.revision,
        changed_at=state.changed_at,
        version=newest.version if newest else 0,
        from_date=newest.from_date if newest else None,
        until_date=newest.until_date if newest else None,
        stops=shown,
        vehicles={VehicleId(i): name for i, name in vehicles.items()}
        | {v.vehicle_id: v.name for v in region.vehicles},
        visits=told_visits(visits, (s.stop_id for s in shown)),
        sequences=sequences_of(visits),
        notices=standing(notices, by_id),
        settlements=region.settlements,
        districts={m.municipality_id: m.name for m in region.municipalities},
        phone=region.phone,
    )
    return Published(timetable=timetable, places=_places(timetable), region_revision=head.revision)


def _shown(
    stops: Iterable[PublicStop], cards: tuple[Stop, ...], visited: set[str]
) -> tuple[PublicStop, ...]:
    """Public stops that were ever visited, by name, each as its card now says."""
    now = {card.stop_id: card for card in cards}
    found = []
    for stop in stops:
        card = now.get(stop.stop_id)
        told = stop if card is None else _with_card(stop, card)
        if is_public(told) and told.stop_id in visited:
            found.append(told)
    return tuple(sorted(found, key=lambda s: (s.name.casefold(), s.community, s.stop_id)))


def _with_card(stop: PublicStop, card: Stop) -> PublicStop:
    """The stop where it stands now; its people were counted for the plan."""
    current = PublicStop.of(card)
    return replace(
        current,
        people=stop.people if current.people is None else current.people,
        visits_expected=stop.visits_expected,
    )


def _places(timetable: PublicTimetable) -> tuple[Named[PublicStop | Settlement], ...]:
    """Everything that a reader may type: stops first, then settlements, large ones before small.

    A settlement that has a stop of the same name is found as that stop.
    """
    named: list[Named[PublicStop | Settlement]] = [
        Named.of(stop, _names(stop.name, stop.community), 1e9) for stop in timetable.stops
    ]
    by_name: dict[str, list[PublicStop]] = {}
    for stop in timetable.stops:
        by_name.setdefault(stop.name, []).append(stop)
    for place in timetable.settlements:
        if not any(_stands_in(stop, place) for stop in by_name.get(place.name, ())):
            names = [place.name_latin, *_names(place.name, timetable.district_of(place))]
            named.append(Named.of(place, names, float(place.population or 0)))
    return tuple(named)


def _names(name: str, district: str) -> list[str]:
    """A name alone, with its district, and with the word that tells the district from others."""
    first, _, _ = district.partition(" ")
    return [name, *(f"{name} {more}" for more in (district, first) if more)]


def _stands_in(stop: PublicStop, place: Settlement) -> bool:
    """Whether a stop of the same name is the one in a settlement."""
    if place.settlement_id in stop.settlement_ids:
        return True
    return distance_m(stop.lon, stop.lat, place.lon, place.lat) <= SAME_PLACE_M
