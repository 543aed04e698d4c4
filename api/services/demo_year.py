"""A simulated past of the demo: what people came for and took home at each stop visit.

From the first of January of last year to yesterday the vehicles have gone their published cycle
over and over. How many come follows the people of a stop, the season and a
growth from year to year; the sums are those of services that have published theirs. Every record
says that it is simulated, and the same seed makes the same past.

References
----------
DOMAIN §4: Moscow oblast 2014, 23 visits and 29 documents a run, 1.26 documents a visit.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from sqlalchemy import Engine

from api.services.cancelling import names_of
from api.services.demo_lots import BANDS, USUAL, Lot, lots_of
from api.services.demo_road import PAST_DAYS
from data.db import (
    day_sheet_store,
    publication_store,
    region_store,
    visit_reader_store,
    visit_record_store,
)
from data.db.engine import reading, writing
from data.model.calendar import HOUR_S
from data.model.day_sheet import DaySheet
from data.model.place import Settlement, StopId
from data.model.public_timetable import PublicStop
from data.model.publication import PromisedVisit
from data.model.readers_served import ServedReader, pseudonym
from data.model.region import Region
from data.model.service_time import instant_of
from data.model.stop_counts import Band, CountMethod
from data.model.visit_record import RecordState, VisitRecord

CYCLE_DAYS = 28
VISITS_A_RUN = 23.0
DOCUMENTS_A_VISIT = 1.26
GROWTH = 0.11
"""More visits than at the same time a year before."""
SEASON = (0.92, 1.04, 1.08, 1.05, 0.98, 0.86, 0.80, 0.84, 1.06, 1.14, 1.12, 0.99)
"""Of the mean, by month: gardens in summer, long evenings in autumn."""
SUMMER_CHILDREN = 0.8
EVENT_SHARE, GUESTS = 0.07, 9
"""Share of stop visits with an event, and how many come to it."""
LEFT_OUT = 0.02
"""Share of visits that did not take place; three times as many in the winter months."""
GPS_SHARE = 0.97
COUNTED_BY = "simulation"
_WINTER = frozenset({1, 2, 12})
_HOLIDAYS = frozenset(
    {(1, d) for d in range(1, 9)} | {(2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4), (12, 31)}
)
_ODOMETER_KM = 60_000.0
"""At the end of the past, where no later day is on record."""
_KM_A_RUN = 95.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoYear:
    """What was made."""

    num_records: int
    num_sheets: int
    first: date
    last: date


def record_years(engine: Engine, region_id: str, *, at: datetime, seed: int) -> DemoYear | None:
    """Store the simulated past; ``None`` where nothing is published."""
    with reading(engine) as session:
        head = publication_store.region_head(session, region_id)
        zone = ZoneInfo(head.time_zone)
        region = region_store.load_region(session, region_id)
        visits = publication_store.load_visits(session, region_id)
        stops, _ = names_of(session, region_id)
        today = at.astimezone(zone).date()
        lately = today - timedelta(days=PAST_DAYS)
        told = [
            sheet
            for sheet in day_sheet_store.list_sheets(
                session, region_id, from_date=lately, until_date=today
            )
            if sheet.note != COUNTED_BY
        ]
    if not visits:
        return None
    began = min(v.service_date for v in visits)
    began -= timedelta(days=began.weekday())
    past = _Past(region, stops, visits, began, zone, seed)
    first, last = date(today.year - 1, 1, 1), today - timedelta(days=1)
    records = list(past.records(first, last))
    sheets = list(past.sheets(records, told))
    with writing(engine) as session:
        visit_record_store.put_records(session, records)
        salt = visit_reader_store.reader_salt(session, region_id)
        served = {
            key: [ServedReader(reader=pseudonym(name, salt), band=band) for name, band in some]
            for key, some in past.served.items()
        }
        visit_reader_store.put_readers(session, region_id, records, served)
        for sheet in sheets:
            day_sheet_store.put_sheet(session, sheet, expect_revision=None, by=None, at=at)
    return DemoYear(num_records=len(records), num_sheets=len(sheets), first=first, last=last)


class _Past:
    """Makes the records of one region."""

    def __init__(
        self,
        region: Region,
        stops: Mapping[StopId, PublicStop],
        visits: Sequence[PromisedVisit],
        began: date,
        zone: ZoneInfo,
        seed: int,
    ) -> None:
        self._region_id, self._zone, self._seed, self._began = region.region_id, zone, seed, began
        self._stops = {str(i): s for i, s in stops.items()}
        self._places: Mapping[str, Settlement] = {
            str(s.settlement_id): s for s in region.settlements
        }
        self._regulars: Counter[tuple[str, str, int]] = Counter()
        self.served: dict[str, list[tuple[str, Band]]] = {}
        """Who was served at the records made so far."""
        self._by_date: dict[date, list[PromisedVisit]] = {}
        for visit in sorted(visits, key=lambda v: (v.vehicle_id, v.start_s, v.visit_id)):
            if visit.is_coming:
                self._by_date.setdefault(visit.service_date, []).append(visit)
        cycle = [
            v
            for on, found in self._by_date.items()
            if (on - began).days < CYCLE_DAYS
            for v in found
        ]
        used = {str(v.stop_id) for v in cycle if str(v.stop_id) in self._stops}
        self._lots = lots_of(
            {i: self._stops[i] for i in used}, {i: self._people(i) for i in used}, seed
        )
        runs = len({(v.vehicle_id, v.service_date) for v in cycle})
        people = sum(self._pull(str(v.stop_id)) * self._lot(str(v.stop_id)).pull for v in cycle)
        visits_of_runs = VISITS_A_RUN * max(runs, 1)
        for_services = max(visits_of_runs - EVENT_SHARE * GUESTS * len(cycle), visits_of_runs / 2)
        self._documents = DOCUMENTS_A_VISIT * visits_of_runs / for_services
        # The mean is that of the last year, whose middle is half a year ago.
        self._per_pull = for_services / max(people, 1e-9) * (1 + GROWTH) ** 0.5

    def records(self, first: date, last: date) -> Iterator[VisitRecord]:
        """The records of a span: promised visits by their ids, those before by their dates."""
        on = first
        while on <= last:
            if on >= self._began:
                for number, visit in enumerate(self._by_date.get(on, ())):
                    yield self._record(visit, on, number, last, is_promised=True)
            elif (on.month, on.day) not in _HOLIDAYS:
                like = self._began + timedelta(days=(on - self._began).days % CYCLE_DAYS)
                for number, visit in enumerate(self._by_date.get(like, ())):
                    began_days = self._lot(str(visit.stop_id)).began_days
                    if not began_days or (last - on).days <= began_days:
                        yield self._record(visit, on, number, last, is_promised=False)
            on += timedelta(days=1)

    def sheets(
        self, records: Sequence[VisitRecord], told: Sequence[DaySheet]
    ) -> Iterator[DaySheet]:
        """A day sheet for each vehicle and date before those that have told their own.

        Odometers run on into the told ones.
        """
        later = {sheet.vehicle_id: sheet.odometer_out_km for sheet in reversed(told)}
        until = min((sheet.service_date for sheet in told), default=date.max)
        days = sorted({(r.service_date, r.vehicle_id) for r in records if r.is_held})
        for on, vehicle_id in reversed([d for d in days if d[0] < until]):
            rng = self._rng(on, f"sheet {vehicle_id}")
            in_km = later.get(vehicle_id) or _ODOMETER_KM
            out_km = max(0.0, in_km - float(round(_KM_A_RUN * rng.uniform(0.7, 1.35))))
            later[vehicle_id] = out_km
            yield DaySheet(
                region_id=self._region_id,
                vehicle_id=vehicle_id,
                service_date=on,
                number=f"{on:%m%d}",
                odometer_out_km=out_km,
                odometer_in_km=in_km,
                out_s=8 * HOUR_S,
                in_s=17 * HOUR_S,
                fuel=round((in_km - out_km) * float(rng.uniform(0.155, 0.185)), 1),
                note=COUNTED_BY,
            )

    def _rng(self, on: date, name: str) -> Generator:
        return np.random.default_rng([self._seed, on.toordinal(), *name.encode()])

    def _pull(self, stop_id: str) -> float:
        """How strongly a stop draws people: less than in proportion to those who live there."""
        return math.sqrt(max(self._people(stop_id), 60))

    def _people(self, stop_id: str) -> int:
        """Residents of a stop; 0 where nobody knows."""
        stop = self._stops.get(stop_id)
        places = () if stop is None else stop.settlement_ids
        people = stop.people if stop is not None and stop.people else 0
        return people or sum(
            p.population or 0 for i in places if (p := self._places.get(str(i))) is not None
        )

    def _lot(self, stop_id: str) -> Lot:
        return self._lots.get(stop_id, USUAL)

    def _record(
        self, visit: PromisedVisit, on: date, number: int, last: date, *, is_promised: bool
    ) -> VisitRecord:
        stop_id = str(visit.stop_id)
        rng = self._rng(on, f"{visit.vehicle_id} {number}")
        stop = self._stops.get(stop_id)
        place_id = str(stop.settlement_ids[0]) if stop and stop.settlement_ids else None
        place = None if place_id is None else self._places.get(place_id)
        is_out = rng.random() < LEFT_OUT * (3 if on.month in _WINTER else 1)
        key = (
            str(visit.visit_id) if is_promised else f"demo-{on:%Y%m%d}-{visit.vehicle_id}-{number}"
        )
        opens = instant_of(on, visit.start_s, self._zone)
        closes = instant_of(on, visit.end_s, self._zone)
        opened, closed = self._times(key, opens, closes, is_winter=on.month in _WINTER)
        counts = {} if is_out else self._counts(key, stop_id, on, last, rng)
        return VisitRecord(
            region_id=self._region_id,
            key=key,
            visit_id=visit.visit_id if is_promised else None,
            stop_id=visit.stop_id,
            name=stop_id if stop is None else stop.name,
            settlement_id=place_id,
            municipality_id=None if place is None else place.municipality_id,
            vehicle_id=visit.vehicle_id,
            service_date=on,
            position=number,
            state=RecordState.SKIPPED if is_out else RecordState.DONE,
            reason="skip.weather" if is_out and on.month in _WINTER else "",
            planned_open_at=opens,
            planned_close_at=closes,
            opened_at=None if is_out else opened,
            closed_at=None if is_out else closed,
            is_gps_confirmed=bool(not is_out and rng.random() < GPS_SHARE),
            counts=counts,
            num_readers=len(self.served.get(key, ())),
            counted_by=() if is_out else (COUNTED_BY,),
            count_methods=() if is_out else (CountMethod.TAPPED,),
            is_simulated=True,
        )

    def _times(
        self, key: str, opens: datetime, closes: datetime, *, is_winter: bool
    ) -> tuple[datetime, datetime]:
        """When the doors opened and closed: roads make late, more so in winter."""
        rng = np.random.default_rng([self._seed, *f"times {key}".encode()])
        late_s = max(-240.0, rng.gamma(1.6, 210.0) * (1.5 if is_winter else 1.0) - 180)
        # Who came late stays for those who wait, as long as the next stop allows.
        stays_s = min(late_s, 600.0) * rng.uniform(0.3, 0.9) + rng.normal(0, 100)
        return opens + timedelta(seconds=round(late_s)), closes + timedelta(seconds=round(stays_s))

    def _counts(
        self, key: str, stop_id: str, on: date, last: date, rng: Generator
    ) -> dict[str, int]:
        """Counts of one visit (DOMAIN §7): gamma-mixed Poisson, as counts at stops are spread."""
        years = (on - last).days / 365.25
        lot = self._lot(stop_id)
        mean = self._pull(stop_id) * self._per_pull * lot.part((last - on).days)
        mean *= SEASON[on.month - 1] * (1 + GROWTH) ** years
        visits = int(rng.poisson(mean * rng.gamma(12.0, 1 / 12.0)))
        is_summer = on.month in (6, 7, 8)
        shares = np.array(
            [
                s * (SUMMER_CHILDREN if b == "children" and is_summer else 1.0)
                for b, s in lot.bands.items()
            ]
        )
        shares = shares / shares.sum()
        came = rng.multinomial(visits, shares)
        of_band = np.array([1.05, 0.8, 0.95, 1.05])
        lent = rng.poisson(came * lot.taken * self._documents * of_band)
        aboard = rng.binomial(lent, 0.14)
        home = lent - aboard
        start = (on - date(on.year, 1, 1)).days / 365
        fresh = rng.binomial(came, 0.02 + 0.10 * max(0.0, 1 - 3 * start))
        again = rng.binomial(came - fresh, 0.04 + 0.35 * max(0.0, 1 - 4 * start))
        again = self._serve(key, stop_id, on, came, fresh, again)
        found: dict[str, int] = {}
        for k, band in enumerate(BANDS):
            found[f"visits_service.{band}"] = int(came[k])
            found[f"loans_home.{band}"] = int(home[k])
            found[f"views_onboard.{band}"] = int(aboard[k])
            found[f"users_new.{band}"] = int(fresh[k])
            found[f"users_renewed.{band}"] = int(again[k])
        all_home, all_lent = int(home.sum()), int(lent.sum())
        periodicals = int(rng.binomial(all_lent, 0.22))
        found |= {
            "visits_disabled": int(rng.binomial(visits, 0.05)),
            "loans_periodical": periodicals,
            "loans_audiovisual": int(rng.binomial(all_lent - periodicals, 0.02)),
            "loans_child_lit": int(min(all_home, home[0] + rng.binomial(home[1], 0.4))),
            "returns": int(rng.poisson(0.95 * all_home)),
            "renewals": int(rng.binomial(all_home, 0.12)),
        }
        found |= _services(visits, rng)
        return {name: amount for name, amount in found.items() if amount}

    def _serve(
        self,
        key: str,
        stop_id: str,
        on: date,
        came: NDArray[np.int64],
        fresh: NDArray[np.int64],
        again: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Name the readers of a visit; gives how many of each band registered anew.

        Whoever comes for the first time in a year registers or renews; the others are some of
        those who came before, so that registrations and different readers come to the same.
        """
        rng = self._rng(on, f"readers {key}")
        told: list[tuple[str, Band]] = []
        renewed = again.copy()
        for k, band in enumerate(BANDS):
            regulars = stop_id, band, on.year
            known = self._regulars[regulars]
            first = int(fresh[k] + again[k])
            back = min(int(came[k]) - first, known)
            renewed[k] = int(came[k]) - back - int(fresh[k])
            first = int(came[k]) - back
            numbers = [*rng.permutation(known)[:back].tolist(), *range(known, known + first)]
            self._regulars[regulars] += first
            told += [(f"{stop_id} {band} {number}", Band(band)) for number in numbers]
        self.served[key] = told
        return renewed


def _services(visits: int, rng: Generator) -> dict[str, int]:
    """What people asked for besides books, and what was taken to those who cannot come."""
    references = int(rng.binomial(visits, 0.18))
    requests = int(rng.binomial(visits, 0.07))
    filled = int(rng.binomial(requests, 0.72))
    found = {
        "references_total": references,
        "references_virtual": int(rng.binomial(references, 0.06)),
        "egov_consultations": int(rng.binomial(visits, 0.03)),
        "internet_sessions": int(rng.binomial(visits, 0.08)),
        "copies_made": int(rng.poisson(0.05 * visits)),
        "requests_taken": requests,
        "requests_filled": filled,
        "refusals": int(rng.binomial(requests - filled, 0.4)),
        "satisfied_yes": int(rng.binomial(visits, 0.10)),
        "satisfied_partly": int(rng.binomial(visits, 0.015)),
        "satisfied_no": int(rng.binomial(visits, 0.004)),
    }
    if rng.random() < EVENT_SHARE:
        guests = int(rng.poisson(GUESTS))
        found |= {"events_count": 1, "event_participants": guests, "visits_event": guests}
    if visits and rng.random() < 0.12:
        homes = int(rng.integers(1, 4))
        found |= {"home_deliveries": homes, "home_delivery_docs": homes + int(rng.poisson(homes))}
    if rng.random() < 0.02:
        found |= {
            "points_served": 1,
            "collectives_served": int(rng.binomial(1, 0.3)),
            "exchange_out": int(rng.integers(15, 40)),
            "exchange_in": int(rng.integers(10, 35)),
        }
    return found
