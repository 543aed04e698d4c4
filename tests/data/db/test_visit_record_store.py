"""Stop visits on record and their corrections, on both databases."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from data.db import region_store, visit_reader_store, visit_record_store
from data.db.engine import reading, writing
from data.model.counted_visit import CountedVisit
from data.model.errors import InputError, NotFoundError
from data.model.fleet import VehicleId
from data.model.measures import KNOWN_MEASURES, sums_of, value_of
from data.model.place import StopId
from data.model.publication import VisitId
from data.model.readers_served import ServedReader
from data.model.region import Region
from data.model.stop_counts import Band, CountMethod
from data.model.visit_record import CountCorrection, RecordState, VisitRecord
from tests.databases import migrated

AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
DAY = date(2026, 12, 1)
RECORD = VisitRecord(
    region_id="r",
    key="v1",
    visit_id=VisitId("v1"),
    stop_id=StopId("nida"),
    name="Нида, школа",
    settlement_id="s1",
    municipality_id="m1",
    vehicle_id=VehicleId("kibo-1"),
    service_date=DAY,
    position=1,
    state=RecordState.DONE,
    planned_open_at=AT,
    planned_close_at=AT + timedelta(hours=1),
    opened_at=AT + timedelta(minutes=2),
    closed_at=AT + timedelta(hours=1, minutes=1),
    is_gps_confirmed=True,
    counts={"visits_service.children": 5, "loans_home": 7},
    counted_by=("a1", "t2"),
    count_methods=(CountMethod.JOURNAL, CountMethod.TAPPED),
)
UNPLANNED = VisitRecord(
    region_id="r",
    key="u1",
    name="Roadside",
    vehicle_id=VehicleId("kibo-2"),
    service_date=DAY + timedelta(days=1),
    state=RecordState.UNKNOWN,
    is_simulated=True,
)


def correction(number: int, amount: int = -2) -> CountCorrection:
    """A change of the loans of the record."""
    return CountCorrection(
        correction_id=f"c{number}",
        region_id="r",
        key="v1",
        name="loans_home",
        amount=amount,
        reason="counted twice",
        corrected_at=AT + timedelta(minutes=number),
        corrected_by="olga",
    )


def add_region(engine: Engine) -> None:
    """The region that the records are of."""
    region = Region(
        region_id="r", names={"en": "R"}, time_zone="Europe/Moscow", language="en", crs="EPSG:32636"
    )
    with writing(engine) as session:
        region_store.add_region(session, region, at=AT)


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A database with two records."""
    add_region(engine)
    with writing(engine) as session:
        assert visit_record_store.put_records(session, [UNPLANNED, RECORD]) == 2
    return engine


def test_records_are_read_back_as_they_were(filled: Engine) -> None:
    """By dates, vehicle and stop; another record of the same visit takes its place."""
    with writing(filled) as session:
        load = visit_record_store.load_records
        span: dict[str, Any] = {"from_date": DAY, "until_date": DAY + timedelta(days=1)}
        assert load(session, "r", **span) == (RECORD, UNPLANNED)
        assert load(session, "r", from_date=DAY, until_date=DAY) == (RECORD,)
        assert load(session, "r", **span, vehicle_id=VehicleId("kibo-2")) == (UNPLANNED,)
        assert load(session, "r", **span, stop_id=StopId("nida")) == (RECORD,)
        assert load(session, "other", **span) == ()
        skipped = replace(RECORD, state=RecordState.SKIPPED, reason="road", counts={})
        before = visit_record_store.record_book(session, "r").revision
        visit_record_store.put_records(session, [skipped])
        assert load(session, "r", from_date=DAY, until_date=DAY) == (skipped,)
        assert visit_record_store.record_book(session, "r").revision == before + 1
        assert visit_record_store.record_span(session, "r") == (DAY, DAY + timedelta(days=1))
        with pytest.raises(NotFoundError):
            visit_record_store.record_of(session, "r", "nothing")


def test_what_sums_look_at_is_read_as_whole_records_tell_it(filled: Engine) -> None:
    """Each fact of a counted stop visit is that of its record, and so is every measure."""
    with reading(filled) as session:
        span: dict[str, Any] = {"from_date": DAY, "until_date": DAY + timedelta(days=1)}
        whole = visit_record_store.load_records(session, "r", **span)
        counted = visit_record_store.load_counted(session, "r", **span)
        told = [tuple(getattr(r, n) for n in CountedVisit._fields) for r in whole]
        assert [tuple(c) for c in counted] == told
        assert [c.is_held for c in counted] == [r.is_held for r in whole] == [True, False]
        for measure in KNOWN_MEASURES.values():
            assert sums_of(counted).value(measure) == value_of(measure, whole)
        load = visit_record_store.load_counted
        assert load(session, "r", **span, vehicle_id=VehicleId("kibo-2")) == counted[1:]
        assert load(session, "r", from_date=DAY, until_date=DAY) == counted[:1]
        assert load(session, "other", **span) == ()


def test_a_correction_is_in_the_counts_and_in_the_trail(filled: Engine) -> None:
    """Each stands by itself, in the order in which they were made."""
    with writing(filled) as session:
        visit_record_store.add_correction(session, correction(1))
        last = visit_record_store.add_correction(session, correction(2, amount=-5))
        assert last.counts == {"visits_service.children": 5}
        assert last.num_corrections == 2
        assert visit_record_store.record_of(session, "r", "v1") == last
        listed = visit_record_store.list_corrections
        both = (correction(1), correction(2, amount=-5))
        assert listed(session, "r", key="v1") == both
        assert listed(session, "r", keys=["v1", "u1"]) == both
        assert listed(session, "r", from_date=DAY, until_date=DAY) == both
        assert listed(session, "r", from_date=DAY + timedelta(days=1)) == ()
        assert listed(session, "r", key="u1") == ()
    with pytest.raises(InputError, match=r"record\.no_reason"):
        replace(correction(3), reason=" ")


def test_how_far_the_records_are_kept_up_is_noted(filled: Engine) -> None:
    """The revision goes on by itself whatever is noted."""
    with writing(filled) as session:
        book = visit_record_store.hold_records(session, "r")
        told = replace(book, event_no=9, mark_no=4, kept_until_date=DAY, revision=77)
        visit_record_store.note_book(session, "r", told)
        for on in (DAY, DAY, DAY + timedelta(days=1)):
            visit_record_store.note_due(session, "r", on)
        visit_record_store.drop_due(session, "r", [DAY])
        assert visit_record_store.due_dates(session, "r") == {DAY + timedelta(days=1)}
    with reading(filled) as session:
        assert visit_record_store.record_book(session, "r") == replace(told, revision=book.revision)


@pytest.mark.benchmark
def test_a_year_of_ten_vehicles_is_read_in_a_second(tmp_path: Path) -> None:
    """25,000 records; prints the processor time that it took."""
    many = [
        replace(
            RECORD,
            key=f"v{n}",
            visit_id=VisitId(f"v{n}"),
            service_date=DAY + timedelta(days=n // 70),
            vehicle_id=VehicleId(f"kibo-{n % 10}"),
            counts={f"loans_home.{band}": n % 9 for band in ("children", "youth", "adult")}
            | {"visits_service.children": 5, "visits_service": 9, "references_total": 1},
        )
        for n in range(25_000)
    ]
    with migrated(f"sqlite:///{tmp_path / 'a.db'}") as engine:
        add_region(engine)
        with writing(engine) as session:
            began_s = time.process_time()
            visit_record_store.put_records(session, many)
            print(f"\nput 25,000 records: {time.process_time() - began_s:.2f} s")  # noqa: T201
        with reading(engine) as session:
            began_s = time.process_time()
            found = visit_record_store.load_records(
                session, "r", from_date=DAY, until_date=DAY + timedelta(days=365)
            )
            took_s = time.process_time() - began_s
    print(f"loaded {len(found):,} records: {took_s:.2f} s")  # noqa: T201
    assert len(found) == 25_000
    assert took_s < 1


def test_readers_go_with_their_record(filled: Engine) -> None:
    """A record that moves to another date or bookmobile takes its readers along, each once."""
    served = {"v1": [ServedReader(reader="anna"), ServedReader(reader="boris", band=Band.ADULT)]}
    later = replace(RECORD, service_date=DAY + timedelta(days=31), vehicle_id=VehicleId("kibo-2"))
    with writing(filled) as session:
        assert visit_reader_store.put_readers(session, "r", [RECORD], served) == 1
        assert visit_reader_store.put_readers(session, "r", [RECORD], served) == 0
        assert visit_reader_store.put_readers(session, "r", [later], served) == 1

    def during(on: date, vehicle_id: str) -> set[str]:
        with reading(filled) as session:
            found = visit_reader_store.readers_during(
                session, "r", from_date=on, until_date=on, vehicle_id=vehicle_id
            )
        return {reader for reader, _, _ in found}

    assert during(DAY, "kibo-1") == set()
    assert during(later.service_date, "kibo-2") == {"anna", "boris"}
    with writing(filled) as session:
        nobody = replace(later, state=RecordState.SKIPPED)
        assert visit_reader_store.put_readers(session, "r", [nobody], {}) == 1
    assert during(later.service_date, "kibo-2") == set()
