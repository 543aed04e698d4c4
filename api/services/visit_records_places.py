"""Where stop visits on record were: stops with their settlements, as they were on dates."""

from datetime import date

from sqlmodel import Session

from api.services.known_stops import known_stops
from api.services.visit_records_fold import Known, PlaceThen
from data.db import region_store
from data.model.place import Settlement, Stop
from data.model.public_timetable import PublicStop


class RecordPlaces:
    """Stops with their settlements, as they were on dates."""

    def __init__(self, session: Session, region_id: str) -> None:
        self._session, self._region_id = session, region_id
        self._stops: dict[date, dict[str, PublicStop]] = {}
        self._published: dict[str, PublicStop] | None = None
        self._municipality: dict[str, str | None] | None = None

    def on(self, on: date, known: Known) -> PlaceThen:
        """A visit's place; of a stop that is no longer known, its id."""
        stop_id = known.visit.stop_id if known.visit else known.log.stop_id if known.log else None
        stop = None if not stop_id else self._stops_on(on).get(str(stop_id))
        if stop is None:
            name = known.log.name if known.log and known.log.name else str(stop_id or known.key)
            return PlaceThen(name=name)
        settlement = next(iter(stop.settlement_ids), None)
        return PlaceThen(
            name=stop.name,
            settlement_id=settlement,
            municipality_id=None if settlement is None else self._municipalities().get(settlement),
            lon=stop.lon,
            lat=stop.lat,
        )

    def _stops_on(self, on: date) -> dict[str, PublicStop]:
        if self._published is None:
            self._published = known_stops(self._session, self._region_id, ())
        if on not in self._stops:
            found = region_store.list_things(self._session, self._region_id, Stop, on=on)
            own = {s.key: PublicStop.of(s.thing) for s in found if isinstance(s.thing, Stop)}
            self._stops[on] = self._published | own
        return self._stops[on]

    def _municipalities(self) -> dict[str, str | None]:
        if self._municipality is None:
            found = region_store.list_things(self._session, self._region_id, Settlement)
            self._municipality = {
                s.key: s.thing.municipality_id for s in found if isinstance(s.thing, Settlement)
            }
        return self._municipality
