"""Every number of every report opens the lines that it sums, or the formula that it comes from."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from api.services.number_behind import number_behind
from api.services.report_costs import costs_of
from api.services.reports import build_report
from data.db import circulation_store, day_sheet_store, region_store, report_store
from data.db import visit_record_store as records_store
from data.db.engine import open_engine, reading, writing
from data.feeds.form_file import shipped_forms
from data.model.costs import Costs, FuelKind
from data.model.day_sheet import DaySheet
from data.model.errors import NotFoundError
from data.model.fleet import VehicleId
from data.model.measures import MeasuredLine
from data.model.number_behind import Formula, NumberBehind
from data.model.place import Library, LibraryId, SettlementId
from data.model.region import Region
from data.model.report import CellKind, Drill, Report, ReportAsked, ReportKind
from data.model.report_settings import ReportSettings, Targets
from data.model.service_costs import CostPrices
from data.model.stock import Carrier, Item, ItemId, ItemPlace, PlaceKind, Title, TitleId
from data.model.visit_record import VisitRecord
from tests.api.publication.office import REGION, region
from tests.data.diary import diary, record
from tests.databases import build

NOW = datetime(2026, 4, 10, 9, tzinfo=UTC)
QUARTER = date(2026, 1, 1), date(2026, 3, 31)
FORMS = shipped_forms()
STOPS = ("kalinovka", "kaluzhskoe", "kamenskoe")


def place() -> Region:
    """The small district with a library in one village and fuel in its bookmobiles."""
    small = region()
    library = Library(
        library_id=LibraryId("lib-1"), name="Библиотека", lon=21.9, lat=54.8,
        settlement_id=SettlementId("kaluzhskoe"),
    )  # fmt: skip
    vehicles = (replace(v, fuel=FuelKind.DIESEL, fuel_per_100km=18.0) for v in small.vehicles)
    return replace(small, vehicles=tuple(vehicles), libraries=(library,))


def more() -> Iterator[VisitRecord]:
    """Fifteen months of stop visits, enough for trends, with a year before to compare with."""
    rng = np.random.default_rng(7)
    for n in range(96):
        on = date(2025, 1, 14) + timedelta(days=5 * n)
        if on > QUARTER[1]:
            return
        stop = STOPS[n % 3]
        came = int(rng.poisson(1 if stop == "kaluzhskoe" else 8))
        yield record(
            f"n{n}", on, f"kibo-{1 + n % 2}", stop, name=stop.title(), settlement_id=stop,
            is_gps_confirmed=n % 4 > 0, is_planned=n % 7 > 0,
            opened_at=datetime(on.year, on.month, on.day, 8, 7 * n % 23, tzinfo=UTC),
            counts={"visits_service.adult": came, "visits_event": n % 2, "events_count": n % 2,
                    "loans_home.children": 2 * came, "users_new": came // 3, "exchange_out": n % 3,
                    "egov_consultations": n % 5, "references_total": came,
                    "satisfied_yes": 2, "satisfied_no": n % 2},
        )  # fmt: skip


def stock() -> Iterator[Title | Item]:
    """Forty items aboard, in a store and at a point."""
    places = (
        ItemPlace(kind=PlaceKind.VEHICLE, key="kibo-1"),
        ItemPlace(kind=PlaceKind.STORE, key="kibo-1"),
        ItemPlace(kind=PlaceKind.VEHICLE, key="kibo-2"),
        ItemPlace(kind=PlaceKind.POINT, key="lib-1"),
    )
    for n in range(40):
        yield Title(
            title_id=TitleId(f"t{n}"), name=f"Книга {n}", is_for_children=n % 3 == 0,
            is_accessible=n % 11 == 0, carrier=Carrier.PERIODICAL if n % 5 == 0 else Carrier.BOOK,
            year=2026 if n % 8 == 0 else 2011,
        )  # fmt: skip
        came = date(2025, 12, 1) if n % 6 == 0 else date(2019, 1, 1) if n % 2 else None
        yield Item(
            item_id=ItemId(f"i{n}"), title_id=TitleId(f"t{n}"), place=places[n % 4],
            acquired_date=came,
        )  # fmt: skip


def sheets() -> Iterator[DaySheet]:
    """The waybills of the first vehicle's even weeks: the other runs are estimates."""
    for n, one in enumerate(r for r in more() if r.vehicle_id == "kibo-1"):
        if n % 2:
            yield DaySheet(
                region_id=REGION, vehicle_id=VehicleId("kibo-1"), service_date=one.service_date,
                odometer_out_km=1000.0 + 100 * n, odometer_in_km=1081.5 + 100 * n + n,
                out_s=8 * 3600, in_s=16 * 3600 + 60 * n,
            )  # fmt: skip


SETTINGS = ReportSettings(
    targets=Targets(library_users=700, base_visits=None),
    prices=CostPrices(
        fuel={FuelKind.DIESEL: Decimal("71.30")}, crew_hour=Decimal("655.5"),
        vehicle_km=Decimal("9.40"), vehicle_day=Decimal(1850), sources={"crew_hour": "Штат"},
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A district with everything that reports tell of."""
    folder: Path = tmp_path_factory.mktemp("numbers")
    found = open_engine(f"sqlite:///{folder / 'numbers.db'}")
    build(found)
    with writing(found) as session:
        region_store.add_region(session, place(), at=NOW)
        records_store.put_records(session, (*diary(), *more()))
        for sheet in sheets():
            day_sheet_store.put_sheet(session, sheet, expect_revision=None, by=None, at=NOW)
        circulation_store.hold_circulation(session, REGION)
        circulation_store.put_things(session, REGION, stock())
        report_store.put_settings(session, REGION, SETTINGS, expect_revision=0, by=None, at=NOW)
    yield found
    found.dispose()


def close(value: object, other: object) -> bool:
    """Whether two amounts are the same but for rounding."""
    return float(value) == pytest.approx(float(other), rel=1e-9, abs=1e-9)  # type: ignore[arg-type]


def check(found: NumberBehind) -> int:
    """Hold a number against its lines, or its parts, and those against theirs; counts lines."""
    value = found.value
    match found.formula:
        case Formula.LINES:
            amounts = [float(x.amount) for x in found.lines if x.amount is not None]
            assert value is None or close(value, sum(amounts)), found.drill
            assert value is None or not value or amounts, found.drill
        case Formula.RATIO:
            over, under = (p.value for p in found.parts)
            assert value is None or (over is not None and under), found.drill
            if value is not None:
                assert close(value, found.per * float(over) / float(under)), found.drill  # type: ignore[arg-type]
        case Formula.GROWTH:
            now, before = (p.value for p in found.parts)
            if value is not None:
                assert close(value, float(now) / float(before) - 1), found.drill  # type: ignore[arg-type]
        case Formula.SUM:
            assert close(value, sum(float(p.value or 0) for p in found.parts))
        case Formula.TREND:
            slope, low, high = (found.facts[k] for k in ("slope", "low", "high"))
            assert low < slope < high  # type: ignore[operator]
            assert close(slope, fitted([x for x in found.lines if isinstance(x, MeasuredLine)]))
        case Formula.SPREAD:
            amounts = [float(x.amount) for x in found.lines if isinstance(x, MeasuredLine)]
            assert value is None or close(value, float(np.std(amounts, ddof=1)))
        case _:
            assert found.setting
    return len(found.lines) + sum(check(part) for part in found.parts)


def fitted(lines: list[MeasuredLine]) -> float:
    """The slope by numpy, in visits by stop visit and month."""
    days = np.array([x.record.service_date.toordinal() for x in lines])
    return float(np.polyfit(days / (365.25 / 12), [float(x.amount) for x in lines], 1)[0])


def asked(kind: ReportKind, **more_: str) -> ReportAsked:
    return ReportAsked(
        kind=kind, region_id=REGION, from_date=QUARTER[0], until_date=QUARTER[1], **more_
    )


def walked(engine: Engine, report: Report) -> tuple[int, int]:
    """Open each number of a report; gives how many numbers and lines there were."""
    num_numbers = num_lines = 0
    with reading(engine) as session:
        for table in report.tables:
            for row in table.rows:
                for cell, column in zip(row, table.columns, strict=True):
                    if not isinstance(cell.value, int | float | Decimal):
                        continue
                    num_numbers += 1
                    where = table.code, column.code, row[0].value
                    assert cell.drill or cell.setting, f"nothing behind {where}"
                    if cell.drill is None:
                        continue
                    found = number_behind(session, place(), cell.drill, FORMS)
                    assert found.value is not None, where
                    assert close(found.value, cell.value), where
                    assert found.kind is CellKind.COUNT or found.kind is (
                        cell.kind or column.kind
                    ), where
                    num_lines += check(found)
    return num_numbers, num_lines


@pytest.mark.parametrize("kind", ReportKind)
@pytest.mark.parametrize("vehicle_id", [None, "kibo-1"])
def test_every_number_opens_what_it_is_made_of(
    engine: Engine, kind: ReportKind, vehicle_id: str | None
) -> None:
    """Each number is there again at the other end of its link, and its lines add up to it."""
    with reading(engine) as session:
        report = build_report(session, place(), replace(asked(kind), vehicle_id=vehicle_id), FORMS)
    numbers, lines = walked(engine, report)
    least = {"form": 100, "services": 90, "targets": 25, "review": 40, "stock": 40, "costs": 40,
             "punctuality": 60}  # fmt: skip
    assert numbers >= least[kind] // (1 if vehicle_id is None else 2)
    assert lines > numbers


@pytest.mark.parametrize("form", [f.form_id for f in FORMS])
def test_every_edition_of_the_form_opens_its_numbers(engine: Engine, form: str) -> None:
    """Figures of older editions, too, and the part of a base year that somebody gave."""
    with reading(engine) as session:
        report = build_report(session, place(), asked(ReportKind.FORM, form_id=form), FORMS)
    assert walked(engine, report)[0] > 50


def test_a_base_year_that_was_typed_in_tells_how_its_part_was_taken(engine: Engine) -> None:
    """3,650 visits of a year: 900 up to 31 March; the link leads to where they were typed in."""
    settings = replace(
        SETTINGS, targets=Targets(base_year=2019, base_visits=3_650, library_users=700)
    )
    with writing(engine) as session:
        held = report_store.get_settings(session, REGION)
        report_store.put_settings(
            session, REGION, settings, expect_revision=held.revision, by=None, at=NOW
        )
    try:
        with reading(engine) as session:
            report = build_report(session, place(), asked(ReportKind.TARGETS), FORMS)
            drill = report.tables[0].rows[0][1].drill
            assert drill is not None
            found = number_behind(session, place(), drill, FORMS)
        assert (found.value, found.setting) == (900, "target.base_visits")
        assert walked(engine, report)[0] > 20
    finally:
        with writing(engine) as session:
            held = report_store.get_settings(session, REGION)
            report_store.put_settings(
                session, REGION, SETTINGS, expect_revision=held.revision, by=None, at=NOW
            )


def test_a_run_costs_the_same_in_every_span(engine: Engine) -> None:
    """Kilometres that nobody wrote are the mean of the year, not of what happens to be asked."""
    drill = Drill(measure="cost", from_date=QUARTER[0], until_date=QUARTER[1])
    with reading(engine) as session:
        whole = number_behind(session, place(), drill, FORMS)
        months = [
            number_behind(session, place(), replace(drill, from_date=first, until_date=last), FORMS)
            for first, last in (
                (date(2026, 1, 1), date(2026, 1, 31)),
                (date(2026, 2, 1), date(2026, 2, 28)),
                (date(2026, 3, 1), date(2026, 3, 31)),
            )
        ]
    parts = [Decimal(str(m.value)) for m in months]
    assert whole.value == sum(parts, Decimal(0))


def test_costs_that_are_known_in_part_are_marked_and_told(engine: Engine) -> None:
    """One bookmobile runs on gas, of which nobody knows the price: its runs are counted out."""
    small = place()
    gas = tuple(
        replace(v, fuel=FuelKind.CNG) if v.vehicle_id == "kibo-2" else v for v in small.vehicles
    )
    with reading(engine) as session:
        report = build_report(session, replace(small, vehicles=gas), asked(ReportKind.COSTS), FORMS)
        whole = build_report(session, small, asked(ReportKind.COSTS), FORMS)
    own = {str(row[0].value): row for row in report.tables[0].rows}
    first, second = (own[v.name] for v in gas[:2])
    total = report.tables[0].rows[-1]
    runs = second[1].value
    note = next(n for n in report.notes if n.code == "reports.note.cost_partly")
    assert note.facts == {"fuel": runs, "crew": 0, "vehicle": 0, "runs": total[1].value}
    # Fuel, cost, and cost by stop visit, visit, loan and person.
    for k in (4, 7, 8, 9, 10, 11):
        assert total[k].is_estimate
        assert not first[k].is_estimate
        assert not whole.tables[0].rows[-1][k].is_estimate
    assert (second[4].value, second[7].is_estimate) == (None, True)
    assert not total[5].is_estimate
    assert not any(n.code == "reports.note.cost_partly" for n in whole.notes)


@pytest.mark.parametrize(
    "measure",
    ["share(visits)", "share(visits,stops,runs)", "growth(visits)", "per(,)", "verdict.merge.x",
     "stock.gold", "cost.secret", "per(" * 9 + "visits", "sum(" * 9 + "x)",
     "residents.nobody", "base_visits.x", "eval(visits,stops)"],
)  # fmt: skip
def test_what_nobody_measures_is_refused(engine: Engine, measure: str) -> None:
    """An address that somebody made up is not found, whatever its brackets."""
    drill = Drill(measure=measure, from_date=QUARTER[0], until_date=QUARTER[1])
    with reading(engine) as session, pytest.raises(NotFoundError) as refused:
        number_behind(session, place(), drill, FORMS)
    assert refused.value.code in ("reports.no_measure", "forms.unknown")


def test_what_if_reckons_with_the_prices_of_reports_where_planning_has_none() -> None:
    """18 l at 71.30 for 100 km and 9.40 of wear: 22.234 a kilometre; planning's own go first."""
    found = costs_of(SETTINGS, place())
    assert (found.per_km, found.per_hour) == (Decimal("22.234"), Decimal("655.5"))
    own = Costs(currency="RUB", per_km=Decimal(30))
    assert costs_of(SETTINGS, replace(place(), costs=own)) == own
    assert not costs_of(ReportSettings(), place()).is_known
