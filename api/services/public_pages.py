"""What each public page shows, whether it is served or written as a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from api.services.public import Published
from api.services.public_views import PublicViews, StopView, subject_of
from api.web.public_links import PublicLinks
from api.words import Words
from data.feeds.notices_atom import AtomEntry, notices_atom
from data.feeds.visits_csv import visits_csv
from data.feeds.visits_geojson import visits_geojson
from data.feeds.visits_ical import visits_ical
from data.model.errors import NotFoundError
from data.model.fleet import VehicleId
from data.model.geo import distance_m
from data.model.place import Settlement, StopId
from data.model.place_search import sound_of
from data.model.public_timetable import PublicStop, PublicTimetable
from data.model.publication import Moment

SOON = 8
EMBEDDED = 10
RUN_DAYS = 15
_PLACES_NEAR = 3
"""Settlements without a stop whose nearest stops are told."""
_FEED_NOTICES = 50

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

type Context = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicPages:
    """The pages of one region in one language at one moment: each gives its template's context."""

    published: Published
    now: Moment
    words: Words
    links: PublicLinks

    @property
    def timetable(self) -> PublicTimetable:
        return self.published.timetable

    @property
    def views(self) -> PublicViews:
        return PublicViews(self.timetable, self.now, self.words, self.links)

    @property
    def region_name(self) -> str:
        return self.timetable.name_in(self.words.language)

    def _common(self, page: str) -> Context:
        return {
            "links": self.links,
            "views": self.views,
            "region_name": self.region_name,
            "here_page": page,
        }

    def home(self, *, query: str = "", position: tuple[float, float] | None = None) -> Context:
        """The search, its results, the next visits, all stops.

        Parameters
        ----------
        position
            Lon and lat of whoever looks for the nearest stops.
        """
        groups: list[tuple[str, list[StopView]]] = []
        heading = ""
        if position is not None:
            heading = self.words("public.results.near")
            near = self.timetable.nearest(*position)
            groups.append(("", [self.views.stop(s, metres=m) for s, m in near]))
        elif query:
            heading = self.words("public.results", query=query)
            groups = self._found(query)
        return self._common("home") | {
            "query": query,
            "heading": heading,
            "groups": groups,
            "soon": self.views.soon(most=SOON),
            "stops": self._list(),
        }

    def _found(self, query: str) -> list[tuple[str, list[StopView]]]:
        """Stops by name, and for villages without a stop those that are nearest, best first."""
        groups: list[tuple[str, list[StopView]]] = []
        num_places = 0
        for place in self.published.find(query):
            if isinstance(place, PublicStop):
                if not groups or groups[-1][0]:
                    groups.append(("", []))
                groups[-1][1].append(self.views.stop(place))
            elif num_places < _PLACES_NEAR:
                num_places += 1
                district = self.timetable.district_of(place)
                told = f"{place.name}, {district}" if district else place.name
                heading = self.words("public.results.near_place", place=told)
                groups.append((heading, self._near(place)))
        return groups

    def stops_named(self, query: str) -> list[tuple[PublicStop, float | None]]:
        """Stops by name and those nearest to villages of the name, best first, each once."""
        found: dict[StopId, tuple[PublicStop, float | None]] = {}
        for place in self.published.find(query):
            near = [(place, None)] if isinstance(place, PublicStop) else self._measured(place)
            for stop, metres in near:
                found.setdefault(stop.stop_id, (stop, metres))
        return list(found.values())

    def _near(self, place: Settlement) -> list[StopView]:
        """The stops that serve a settlement, or else the nearest ones."""
        return [self.views.stop(s, metres=m) for s, m in self._measured(place)]

    def _measured(self, place: Settlement) -> list[tuple[PublicStop, float]]:
        own = [s for s in self.timetable.stops if place.settlement_id in s.settlement_ids]
        if own:
            return [(s, distance_m(place.lon, place.lat, s.lon, s.lat)) for s in own]
        return list(self.timetable.nearest(place.lon, place.lat, most=3))

    def _list(self) -> list[Context]:
        """All stops by name; the file site also looks them up by the villages that they serve."""
        names = {s.settlement_id: s for s in self.timetable.settlements}
        rows = []
        for stop in self.timetable.stops:
            sounds = ""
            if self.links.is_static:
                told = [stop.name, stop.community]
                for key in stop.settlement_ids:
                    if key in names:
                        told += [names[key].name, names[key].name_latin]
                sounds = "|".join(dict.fromkeys(filter(None, map(sound_of, told))))
            rows.append(
                {
                    "name": stop.name,
                    "community": "" if stop.community == stop.name else stop.community,
                    "link": self.links.stop(stop.stop_id),
                    "sounds": sounds,
                }
            )
        return rows

    def stop(self, stop_id: StopId) -> Context:
        """The timetable of one stop.

        Raises
        ------
        NotFoundError
            ``public.no_stop``.
        """
        place = self.place(stop_id)
        views = self.views
        ics = self.links.absolute(self.links.stop_ics(stop_id))
        return self._common("stop") | {
            "stop": views.stop(place),
            "place": place,
            "visits": views.coming(stop_id),
            "notices": views.notices(self.timetable.notices_of(stop_id, self.now[0])),
            "near": views.near(place),
            "webcal": _webcal(ics),
        }

    def place(self, stop_id: StopId) -> PublicStop:
        """A stop of the timetable.

        Raises
        ------
        NotFoundError
            ``public.no_stop``.
        """
        place = self.timetable.stop_of.get(stop_id)
        if place is None:
            raise NotFoundError("public.no_stop")
        return place

    def vehicle(self, vehicle_id: VehicleId) -> Context:
        """The coming days of one vehicle.

        Raises
        ------
        NotFoundError
            ``public.no_vehicle``.
        """
        name = self.vehicle_name(vehicle_id)
        ics = self.links.vehicle_ics(vehicle_id)
        return self._common("vehicle") | {
            "vehicle": name,
            "vehicle_id": vehicle_id,
            "days": self.views.run_days(vehicle_id, most=RUN_DAYS),
            "ics": ics,
            "webcal": _webcal(self.links.absolute(ics)),
        }

    def vehicle_name(self, vehicle_id: VehicleId) -> str:
        """What a vehicle is called.

        Raises
        ------
        NotFoundError
            ``public.no_vehicle`` for one that readers do not know.
        """
        if vehicle_id not in self.vehicle_ids:
            raise NotFoundError("public.no_vehicle")
        return self.timetable.vehicles.get(vehicle_id, vehicle_id)

    @property
    def vehicle_ids(self) -> tuple[VehicleId, ...]:
        """Vehicles that have ever come to a public stop, in the order of their names."""
        names = self.timetable.vehicles
        known = {v.vehicle_id for v in self.timetable.visits}
        return tuple(sorted(known, key=lambda i: (names.get(i, i), i)))

    def whole(self) -> Context:
        """The whole timetable by stop."""
        timetable, words = self.timetable, self.words
        first, last = timetable.from_date, timetable.until_date
        names = timetable.vehicles
        return self._common("timetable") | {
            "stops": [self.views.stop(s) for s in timetable.stops],
            "first": "" if first is None else words.day(first, "d MMMM y"),
            "last": "" if last is None else words.day(last, "d MMMM y"),
            "vehicles": [(self.links.vehicle(i), names.get(i, i)) for i in self.vehicle_ids],
        }

    def notices(self) -> Context:
        """All notices that are shown now."""
        return self._common("notices") | {"notices": self.views.notices(self.timetable.notices)}

    def data(self) -> Context:
        """Addresses of the feeds."""
        return self._common("data") | {"example": next(iter(self.timetable.stops), None)}

    def embed(self, stop_ids: Sequence[StopId] = ()) -> Context:
        """The next visits of some stops, or of all, to be shown in another page.

        Raises
        ------
        NotFoundError
            ``public.no_stop``.
        """
        places = [self.place(stop_id) for stop_id in dict.fromkeys(stop_ids)]
        only = places[0] if len(places) == 1 else None
        title = self.words("public.title", region=self.region_name)
        return self._common("embed") | {
            "title": title if only is None else self.words("public.ical.stop", stop=only.name),
            "more": self.links.page("timetable") if only is None else self.links.stop(only.stop_id),
            "with_names": only is None,
            "visits": self.views.soon(most=EMBEDDED, stops=places or self.timetable.stops),
        }

    def stop_calendar(self, stop_id: StopId) -> bytes:
        """A stop's visits as iCalendar."""
        place = self.place(stop_id)
        return visits_ical(
            self.timetable,
            self.timetable.visits_of(stop_id),
            self.words,
            name=self.words("public.ical.stop", stop=place.name),
            address=self.links.absolute(self.links.stop_ics(stop_id)),
            stop_address=self._stop_address,
        )

    def vehicle_calendar(self, vehicle_id: VehicleId) -> bytes:
        """A vehicle's visits as iCalendar."""
        name = self.vehicle_name(vehicle_id)
        return visits_ical(
            self.timetable,
            [v for v in self.timetable.visits if v.vehicle_id == vehicle_id],
            self.words,
            name=self.words("public.ical.vehicle", vehicle=name),
            address=self.links.absolute(self.links.vehicle_ics(vehicle_id)),
            stop_address=self._stop_address,
        )

    def calendar(self) -> bytes:
        """All visits as iCalendar."""
        return visits_ical(
            self.timetable,
            self.timetable.visits,
            self.words,
            name=self.words("public.ical.region", region=self.region_name),
            address=self.links.absolute(self.links.feed("timetable.ics")),
            stop_address=self._stop_address,
        )

    def table(self) -> bytes:
        """The timetable in the exchange schema of mobile-library stops."""
        return visits_csv(
            self.timetable,
            self.timetable.visits,
            organisation=self.region_name,
            timetable_url=self.links.absolute(self.links.page("timetable")),
            from_date=self.now[0],
        )

    def geojson(self) -> bytes:
        """Stops with their coming visits."""
        return visits_geojson(
            self.timetable, from_date=self.now[0], stop_address=self._stop_address
        )

    def atom(self) -> bytes:
        """Notices as a feed; those withdrawn are gone, and what takes place after all is told."""
        timetable, views = self.timetable, self.views
        shown = [n for n in timetable.notices if n.stop_id in timetable.stop_of][:_FEED_NOTICES]
        told = ((n, views.notice(n)) for n in shown)
        entries = [
            AtomEntry(
                entry_id=f"urn:uuid:{_uuid(n.notice_id)}",
                title=self.words(subject_of(n), stop=view.stop_name),
                text=view.text,
                address=self._stop_address(n.stop_id),
                updated_at=n.created_at,
            )
            for n, view in told
        ]
        return notices_atom(
            entries,
            feed_id=f"tag:bookmobile,2026:{timetable.region_id}/notices/{self.words.language}",
            title=f"{self.region_name}: {self.words('public.notices')}",
            author=self.region_name,
            address=self.links.absolute(self.links.feed("notices.atom")),
            page=self.links.absolute(self.links.page("notices")),
            language=self.words.language,
            updated_at=timetable.changed_at or _EPOCH,
        )

    def _stop_address(self, stop_id: StopId) -> str:
        return self.links.absolute(self.links.stop(stop_id))


def _webcal(address: str) -> str:
    """An address that calendar programs subscribe to; empty where none is known."""
    _, found, rest = address.partition("://")
    return f"webcal://{rest}" if found else ""


def _uuid(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
