"""Folds whole service dates of a region anew: what is known becomes records, and a trail."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.services.ledger import Ledger
from api.services.visit_records_fold import Known, PlaceThen, hand_actual, record_of
from api.services.visit_records_places import RecordPlaces
from api.services.visit_records_readers import served_readers
from data.db import (
    audit_store,
    live_store,
    publication_store,
    visit_reader_store,
    visit_record_store,
)
from data.db.publication_store import RegionHead
from data.db.visit_record_store import RecordBook
from data.model.accounts import PROGRAM
from data.model.errors import NotFoundError
from data.model.fleet import VehicleId
from data.model.live import ActualSource, ActualState, StopActual
from data.model.publication import PromisedVisit, VisitId
from data.model.stop_counts import BANDED, Band, add_counts, total_of
from data.model.visit_record import CountCorrection, RecordState, VisitRecord
from fleet.circulation_counts import counts_of_visits
from fleet.circulation_replay import Step
from fleet.crew_log import VisitLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was done to keep the records up."""

    num_dates: int = 0
    num_changed: int = 0
    num_late: int = 0
    """Of those, records of days that had been written up before."""

    def __add__(self, other: "Kept") -> "Kept":
        return Kept(
            num_dates=self.num_dates + other.num_dates,
            num_changed=self.num_changed + other.num_changed,
            num_late=self.num_late + other.num_late,
        )


@dataclass(slots=True)
class _Day:
    """What is known of one service date, by the keys of its stop visits."""

    visits: dict[str, PromisedVisit] = field(default_factory=dict)
    actuals: dict[str, StopActual] = field(default_factory=dict)
    stands: dict[VehicleId, list[StopActual]] = field(default_factory=lambda: defaultdict(list))
    logs: dict[str, VisitLog] = field(default_factory=dict)


class Fold:
    """Folds some dates of a region anew."""

    def __init__(
        self,
        session: Session,
        ledger: Ledger,
        head: RegionHead,
        book: RecordBook,
        *,
        now: datetime,
    ) -> None:
        self._session, self._ledger, self._head, self._book = session, ledger, head, book
        self._now, self._zone = now, ZoneInfo(head.time_zone)
        self._places = RecordPlaces(session, head.region_id)

    def run(self, dates: Sequence[date]) -> Kept:
        """Fold dates; what came out the same is not written."""
        if not dates:
            return Kept()
        region_id, session = self._head.region_id, self._session
        days = self._load(dates)
        keys = [key for day in days.values() for key in {*day.visits, *day.logs}]
        lent, by = self._lent(set(keys))
        served = served_readers(session, self._ledger, keys)
        corrections: dict[str, list[CountCorrection]] = defaultdict(list)
        for one in visit_record_store.list_corrections(session, region_id, keys=keys):
            corrections[one.key].append(one)
        before = visit_record_store.records_of(session, region_id, keys)
        changed: list[VisitRecord] = []
        gone: list[str] = []
        for on, day in days.items():
            for key in {*day.visits, *day.logs}:
                log_ = day.logs.get(key)
                known = Known(
                    region_id=region_id,
                    key=key,
                    visit=day.visits.get(key),
                    log=log_,
                    actual=day.actuals.get(key),
                    lent=lent.get(key, {}),
                    lent_by=tuple(sorted(by.get(key, ()))),
                    num_readers=len(served.get(key, ())),
                    stands=() if log_ is None else day.stands[VehicleId(log_.place.key)],
                    corrections=corrections[key],
                )
                self._fold(known, on, before.get(key), changed, gone)
        visit_record_store.put_records(session, changed)
        visit_record_store.drop_records(session, region_id, gone)
        kept = {**before, **{r.key: r for r in changed}}
        real = [r for k, r in kept.items() if k not in set(gone) and not r.is_simulated]
        visit_reader_store.put_readers(session, region_id, real, served)
        visit_reader_store.drop_readers(session, region_id, gone)
        late = [r for r in changed if self._is_late(r, before.get(r.key))]
        for record in late:
            self._trail(before.get(record.key), record)
        return Kept(num_dates=len(dates), num_changed=len(changed) + len(gone), num_late=len(late))

    def _fold(
        self,
        known: Known,
        on: date,
        before: VisitRecord | None,
        changed: list[VisitRecord],
        gone: list[str],
    ) -> None:
        if before is not None and before.is_simulated and not _has_evidence(known):
            return
        place = self._places.on(on, known)
        record = record_of(known, place, self._zone, now=self._now)
        if record is not None and before is not None and before.is_simulated:
            record = _with_simulated(record, before, known)
        if record is not None and before is not None:
            record = _with_known_ages(record, before)
        if record is None:
            if before is not None:
                gone.append(known.key)
        elif record != before:
            changed.append(record)
        self._tell_board(known, record, place)

    def _tell_board(self, known: Known, record: VisitRecord | None, place: PlaceThen) -> None:
        """A stop that the crew opened or left out is so on the board, too, without a track."""
        actual = known.actual
        is_hand = actual is not None and actual.source is ActualSource.HAND
        if known.visit is None or record is None or known.is_seen:
            return
        if known.is_by_hand or known.is_skipped:
            told = hand_actual(known, record, place, self._zone)
            if told != actual:
                live_store.put_actual(self._session, told)
        elif is_hand and actual is not None:
            # The taps were taken back: nothing is known again.
            plain = replace(
                actual,
                state=ActualState.UNKNOWN,
                source=ActualSource.PLANNED,
                actual_from_at=None,
                actual_until_at=None,
                arrival_dev_s=None,
                departure_dev_s=None,
                late_s=0,
                short_s=0,
            )
            live_store.put_actual(self._session, plain)

    def _load(self, dates: Sequence[date]) -> dict[date, _Day]:
        region_id, session = self._head.region_id, self._session
        days = {on: _Day() for on in dates}
        span: dict[str, Any] = {"from_date": min(dates), "until_date": max(dates)}
        for visit in publication_store.load_visits(session, region_id, **span):
            if visit.service_date in days:
                days[visit.service_date].visits[visit.visit_id] = visit
        for actual in live_store.load_actuals(session, region_id, **span):
            day = days.get(actual.service_date)
            if day is None:
                continue
            if actual.visit_id is None:
                day.stands[actual.vehicle_id].append(actual)
            else:
                day.actuals[actual.visit_id] = actual
        visited = dict(self._ledger.state.visits)
        for on, day in days.items():
            day.logs.update({k: v for k, v in visited.items() if k in day.visits})
            day.logs.update({k: v for k, v in visited.items() if v.service_date == on})
        self._without_others(days)
        return days

    def _without_others(self, days: dict[date, _Day]) -> None:
        """Logs of planned visits of other dates: their own dates fold them."""
        for on, day in days.items():
            strange = [VisitId(k) for k in day.logs if k not in day.visits]
            for key, found in self._promised(strange).items():
                if found.service_date != on:
                    del day.logs[key]
                else:
                    day.visits[key] = found

    def _promised(self, ids: Iterable[VisitId]) -> dict[str, PromisedVisit]:
        found: dict[str, PromisedVisit] = {}
        for visit_id in ids:
            try:
                (visit,) = publication_store.get_visits(
                    self._session, self._head.region_id, [visit_id]
                )
            except NotFoundError:
                continue  # nobody planned it
            found[visit_id] = visit
        return found

    def _lent(self, keys: set[str]) -> tuple[dict[str, dict[str, int]], dict[str, set[str]]]:
        """What the journal counts of visits, and by whom."""
        own: list[Step] = [s for s in self._ledger.replay.steps if s.timed.event.visit_id in keys]
        counts = counts_of_visits(self._ledger.state, own)
        by: dict[str, set[str]] = defaultdict(set)
        for step in own:
            event = step.timed.event
            if not step.is_voided and event.visit_id in counts:
                by[str(event.visit_id)].add(event.by or event.device_id.partition(".")[0])
        return counts, by

    def _is_late(self, record: VisitRecord, before: VisitRecord | None) -> bool:
        """Whether a record changes, or comes, after its day was written up."""
        kept = self._book.kept_until_date
        if kept is None or record.service_date > kept:
            return False
        return before is None or _told(before) != _told(record)

    def _trail(self, before: VisitRecord | None, record: VisitRecord) -> None:
        was = {} if before is None else dict(before.counts)
        names = sorted(was.keys() | record.counts.keys())
        counts = {
            name: [was.get(name, 0), record.counts.get(name, 0)]
            for name in names
            if was.get(name, 0) != record.counts.get(name, 0)
        }
        audit_store.record(
            self._session, PROGRAM, "record.late", record.key, region_id=record.region_id,
            date=record.service_date.isoformat(), stop=record.name,
            state=[None if before is None else before.state.value, record.state.value],
            counts=counts,
        )  # fmt: skip


def _told(record: VisitRecord) -> tuple[RecordState, dict[str, int]]:
    return record.state, dict(record.counts)


def _with_simulated(record: VisitRecord, before: VisitRecord, known: Known) -> VisitRecord:
    """A driven visit keeps the counts of a demonstration where nobody has counted anything."""
    if known.log is not None or known.lent:
        return record
    return replace(
        record,
        counts=before.counts,
        counted_by=before.counted_by,
        count_methods=before.count_methods,
        num_readers=before.num_readers,
        is_simulated=True,
    )


def _with_known_ages(record: VisitRecord, before: VisitRecord) -> VisitRecord:
    """Ages that were counted stay, though the reader has been forgotten since."""
    counts = dict(record.counts)
    for name in BANDED:
        names = [f"{name}.{band}" for band in Band]
        is_same = total_of(record.counts, name) == total_of(before.counts, name)
        if is_same and counts.get(name, 0) > before.counts.get(name, 0):
            counts |= {n: before.counts.get(n, 0) for n in (name, *names)}
    return replace(record, counts=add_counts([counts]))


def _has_evidence(known: Known) -> bool:
    return known.log is not None or bool(known.lent) or known.is_seen
