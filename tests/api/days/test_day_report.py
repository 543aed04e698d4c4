"""Reports of driven days: what the simulated truth says is what the report says."""

import io
from datetime import date, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from api.services.day_export import day_csv, day_xlsx, period_xlsx
from api.services.day_report import day_report, period_report
from api.services.learned_times import (
    accepted_guidance,
    decide_learned,
    learned_of,
    propose_learned,
)
from api.words import Words
from data.db import day_sheet_store
from data.db.engine import reading, writing
from data.model.day_sheet import DaySheet, OdometerVerdict
from data.model.demand import PrizeBy
from data.model.errors import InputError
from data.model.fleet import VehicleId
from data.model.learned_proposal import ProposalState
from data.model.live import ActualState
from tests.api.days.driven import drive_day, evening, follow
from tests.api.days.yard import FIRST, SECOND, TUESDAY, Yard
from tests.api.publication.office import ANNA, REGION

HELD = (ActualState.KEPT, ActualState.LATE, ActualState.EARLY)


def test_the_report_tells_what_truly_happened(yard: Yard, tmp_path: Path) -> None:
    """Visits held, their times to a minute or two, mileage to 3 %, and the odometer's verdict."""
    yard.now = evening(TUESDAY)
    runs = drive_day(yard, TUESDAY)
    follow(yard, tmp_path)
    driven_km = {r.vehicle_id: r.day.driven_m / 1000 for r in runs}
    slip = DaySheet(
        region_id=REGION, vehicle_id=VehicleId(FIRST), service_date=TUESDAY,
        odometer_out_km=1000, odometer_in_km=1000 + round(driven_km[VehicleId(FIRST)]) + 30,
        note='=HYPERLINK("http://example.org")',
    )  # fmt: skip
    with writing(yard.engine) as session:
        day_sheet_store.put_sheet(session, slip, expect_revision=0, by=None, at=yard.now)
    with reading(yard.engine) as session:
        report = day_report(session, REGION, TUESDAY, at=yard.now)
    assert {v.vehicle_id for v in report.vehicles} == {FIRST, SECOND}
    for run in runs:
        mine = next(v for v in report.vehicles if v.vehicle_id == run.vehicle_id)
        truth = {s.place_id: s for s in run.day.visits}
        held = {v.stop_id: v for v in mine.record.visits if v.state in HELD}
        assert held.keys() == truth.keys()
        for stop_id, visit in held.items():
            true = truth[stop_id]
            assert true.from_at is not None
            assert visit.arrival_s is not None
            assert abs(visit.arrival_s - run.day.run.clock_s(true.from_at)) < 120
        assert mine.stats.driven_m == pytest.approx(run.day.driven_m, rel=0.03)
    first = next(v for v in report.vehicles if v.vehicle_id == FIRST)
    assert first.check.verdict is OdometerVerdict.DIFFERS
    assert first.check.difference_km == pytest.approx(30, abs=4)
    _check_files(report.on, day_xlsx(report, Words("ru")), day_csv(report, Words("en")))


def _check_files(on: date, workbook: bytes, table: bytes) -> None:
    """The workbook opens, no text in it is a formula; the table begins with its mark."""
    book = load_workbook(io.BytesIO(workbook))
    assert len(book.sheetnames) == 4
    cells = [c for sheet in book.worksheets for row in sheet.iter_rows() for c in row]
    assert not [c.value for c in cells if c.data_type == "f"]
    assert any(c.value == '=HYPERLINK("http://example.org")' for c in cells)
    text = table.decode("utf-8-sig")
    assert text.count("\r\n") == 11, "a head and ten visits"
    assert on.isoformat() in text


def test_a_vehicle_that_nobody_followed_is_told_as_such(yard: Yard) -> None:
    """Its visits are listed as promised; no ratio is made up for it."""
    yard.now = evening(TUESDAY) + timedelta(days=1)
    with reading(yard.engine) as session:
        report = day_report(session, REGION, TUESDAY, at=yard.now)
    assert all(not v.record.is_tracked for v in report.vehicles)
    assert {len(v.record.visits) for v in report.vehicles} == {5}
    assert report.total.kept_ratio is None
    assert report.is_over


def test_a_span_adds_up_its_days(yard: Yard, tmp_path: Path) -> None:
    """Two Tuesdays: days, vehicles, each leg driven twice with a spread, a workbook of them."""
    later = TUESDAY + timedelta(days=14)
    yard.now = evening(later)
    for number, on in enumerate((TUESDAY, later)):
        drive_day(yard, on, seed=number + 1)
    follow(yard, tmp_path)
    with reading(yard.engine) as session:
        report = period_report(session, REGION, TUESDAY, later)
    assert [on for on, _ in report.days] == [TUESDAY, later]
    assert report.total.num_days == 4
    assert sum(s.num_planned for _, s in report.days) == report.total.num_planned
    twice = [leg for leg in report.legs if leg.drive.num == 2]
    assert twice
    assert all(leg.drive.sd_s is not None for leg in twice)
    book = load_workbook(io.BytesIO(period_xlsx(report, Words("en"))))
    assert len(book.sheetnames) == 5
    _learn(yard, TUESDAY, later)


def _learn(yard: Yard, first: date, last: date) -> None:
    """A proposal changes nothing; accepted, plans go by it; taken out of use, they do not."""

    def guidance() -> object:
        with reading(yard.engine) as session:
            return accepted_guidance(session, REGION, keep_ratio=0.8, prize_by=PrizeBy.PEOPLE)

    with writing(yard.engine) as session:
        found = propose_learned(session, REGION, first, last, by=ANNA, at=yard.now)
    assert found.num_legs >= 15
    factor = found.review["proposal"]["factors"][0]
    assert factor["low"] < factor["factor"] < factor["high"]
    assert guidance() is None
    for state, is_used in ((ProposalState.ACCEPTED, True), (ProposalState.WITHDRAWN, False)):
        with writing(yard.engine) as session:
            decide_learned(
                session, REGION, found.proposal_id, state, expect_revision=None, note="",
                by=ANNA, at=yard.now,
            )  # fmt: skip
            learned = learned_of(session, REGION)
        assert (guidance() is not None) is is_used
        assert (learned is not None) is is_used
    with pytest.raises(InputError, match=r"learned\.too_few"), writing(yard.engine) as session:
        propose_learned(
            session, REGION, first - timedelta(days=9), first - timedelta(days=8),
            by=ANNA, at=yard.now,
        )  # fmt: skip


@pytest.mark.parametrize(("days", "code"), [(-1, r"days\.ends_before"), (400, r"days\.too_long")])
def test_a_span_that_is_none_is_refused(yard: Yard, days: int, code: str) -> None:
    """With what is wrong and what may be."""
    with pytest.raises(InputError, match=code), reading(yard.engine) as session:
        period_report(session, REGION, TUESDAY, TUESDAY + timedelta(days=days))


def test_a_meal_at_a_stop_is_no_delay(yard: Yard) -> None:
    """The planned departure of the report is after the meal that is planned there."""
    with reading(yard.engine) as session:
        report = day_report(session, REGION, TUESDAY, at=yard.now)
    run = next(v.day for v in report.vehicles if v.vehicle_id == FIRST)
    meals = [s for s in run.run.stops if s.meal_s]
    assert meals
    record = next(v.record for v in report.vehicles if v.vehicle_id == FIRST)
    for stop in meals:
        visit = record.visits[stop.position]
        assert visit.planned_departure_s is not None
        assert visit.planned_departure_s == round(run.run.clock_s(stop.departure_at) + stop.meal_s)
