"""The three numbers of КИБО over the demo's recorded months equal a count by hand.

The count reads the table's rows with plain SQL and adds them up in one loop; nothing of the
program's own counting is used.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from api.services.demo_year import record_years
from api.services.number_behind import number_behind
from api.services.reports import build_report
from data.db import region_store
from data.db.engine import reading
from data.feeds.form_file import shipped_forms
from data.model.measures import MeasuredLine
from data.model.number_behind import NumberBehind, ReaderLine
from data.model.region import Region
from data.model.report import Drill, Report, ReportAsked, ReportKind
from tests.api.days.yard import TUESDAY, Yard
from tests.api.publication.office import REGION
from tests.databases import migrated

FORM = "6nk-2019"
FORMS = shipped_forms()
KIBO = ("kibo_visits", "kibo_runs", "kibo_stops")
MONTHS = ((date(2026, 3, 1), date(2026, 3, 31)), (date(2026, 11, 1), date(2026, 11, 30)))
WHOLE = date(2026, 1, 1), TUESDAY


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    """The demo's district with its simulated past."""
    folder: Path = tmp_path_factory.mktemp("months")
    with migrated(f"sqlite:///{folder / 'months.sqlite'}") as engine:
        made = Yard(engine)
        assert record_years(engine, REGION, at=made.now, seed=1) is not None
        yield made


def raw_log(engine: Engine) -> list[dict[str, Any]]:
    """Every line of the log as it lies in the database."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM visit_record")).mappings().all()
    return [dict(row) for row in rows]


def by_hand(
    log: list[dict[str, Any]], first: date, last: date
) -> dict[str, dict[str, int | set[str]]]:
    """Visits, runs, stops and the lines of each, by vehicle; "" is all of them together."""
    visits: dict[str, int] = defaultdict(int)
    days: dict[str, set[tuple[str, str]]] = defaultdict(set)
    stops: dict[str, int] = defaultdict(int)
    lines: dict[str, set[str]] = defaultdict(set)
    for row in log:
        if not first.isoformat() <= str(row["service_date"])[:10] <= last.isoformat():
            continue
        if row["state"] != "done" and row["state"] != "partial":
            continue
        counts = row["counts"] if isinstance(row["counts"], dict) else json.loads(row["counts"])
        came = 0
        for name, amount in counts.items():
            if name.split(".")[0] in ("visits_service", "visits_event"):
                came = came + amount
        for vehicle in ("", row["vehicle_id"]):
            visits[vehicle] += came
            days[vehicle].add((row["vehicle_id"], str(row["service_date"])))
            stops[vehicle] += 1
            lines[vehicle].add(row["key"])
    return {
        vehicle: {
            "kibo_visits": visits[vehicle],
            "kibo_runs": len(days[vehicle]),
            "kibo_stops": stops[vehicle],
            "lines": lines[vehicle],
        }
        for vehicle in stops
    }


@pytest.fixture(scope="module")
def district(yard: Yard) -> Region:
    with reading(yard.engine) as session:
        return region_store.load_region(session, REGION)


def told(yard: Yard, region: Region, first: date, last: date, vehicle: str) -> Report:
    asked = ReportAsked(
        kind=ReportKind.FORM, region_id=REGION, from_date=first, until_date=last,
        vehicle_id=vehicle or None, form_id=FORM,
    )  # fmt: skip
    with reading(yard.engine) as session:
        return build_report(session, region, asked, FORMS)


def opened(yard: Yard, region: Region, drill: Drill) -> NumberBehind:
    with reading(yard.engine) as session:
        return number_behind(session, region, drill, FORMS)


def figures(report: Report) -> dict[str, tuple[Any, Drill]]:
    """The figures of the asked span by their keys, each with its link."""
    found = {}
    for row in report.tables[0].rows:
        drill = row[2].drill
        assert drill is not None
        found[drill.measure.rpartition(":")[2]] = row[2].value, drill
    return found


@pytest.mark.parametrize(("first", "last"), [*MONTHS, WHOLE])
def test_the_three_numbers_equal_a_count_by_hand(
    yard: Yard, district: Region, first: date, last: date
) -> None:
    """Per vehicle and for all: visits, runs and stops, each with exactly its lines of the log."""
    hand = by_hand(raw_log(yard.engine), first, last)
    assert len(hand) >= 2, "a month with something in it"
    for vehicle, counted in hand.items():
        found = figures(told(yard, district, first, last, vehicle))
        assert {key: found[key][0] for key in KIBO} == {key: counted[key] for key in KIBO}
        for key in KIBO:
            behind = opened(yard, district, found[key][1])
            lines = [x for x in behind.lines if isinstance(x, MeasuredLine)]
            assert sum(x.amount for x in lines) == counted[key]
            keys = {x.record.key for x in lines}
            assert len(lines) == len(keys)
            assert keys <= counted["lines"]  # type: ignore[operator]
            if key != "kibo_visits":
                assert keys == counted["lines"], "every stop held stands behind runs and stops"


def test_the_table_by_vehicle_adds_up_to_the_count(yard: Yard, district: Region) -> None:
    """The rows of vehicles in the report of all are those of each alone."""
    first, last = MONTHS[0]
    hand = by_hand(raw_log(yard.engine), first, last)
    table = next(t for t in told(yard, district, first, last, "").tables
                 if t.code == "form_vehicles")  # fmt: skip
    for row in table.rows:
        drills = {c.drill.measure.rpartition(":")[2]: c.value for c in row[1:] if c.drill}
        name = next(c.drill.vehicle_id for c in row[1:] if c.drill)
        assert {k: drills[k] for k in KIBO} == {k: hand[name or ""][k] for k in KIBO}


def test_users_are_different_readers_counted_by_hand(yard: Yard, district: Region) -> None:
    """The demo knows its readers under pseudonyms: no one counts twice; bands, too."""
    first, last = WHOLE
    with yard.engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM visit_reader")).mappings().all()
    held = {r["key"]: str(r["service_date"])[:10] for r in raw_log(yard.engine)}
    some = [r for r in rows if first.isoformat() <= held[r["key"]] <= last.isoformat()]
    everybody = {r["reader"] for r in some}
    children = {r["reader"] for r in some if r["band"] == "children"}
    assert len(everybody) < len(some), "somebody came twice"
    found = figures(told(yard, district, first, last, ""))
    assert (found["users"][0], found["users_children"][0]) == (len(everybody), len(children))
    behind = opened(yard, district, found["users"][1])
    assert {x.reader for x in behind.lines if isinstance(x, ReaderLine)} == everybody
    assert sum(x.num_served for x in behind.lines if isinstance(x, ReaderLine)) == len(some)


def test_readers_of_one_uncounted_stop_make_persons_uncountable(
    yard: Yard, district: Region
) -> None:
    """Where one stop visit served nobody knows whom, registrations are told, and that it is so."""
    first, last = MONTHS[0]
    whole = figures(told(yard, district, first, last, ""))["users"][0]
    with yard.engine.begin() as connection:
        key = connection.execute(
            text("SELECT key FROM visit_reader WHERE service_date BETWEEN :a AND :b LIMIT 1"),
            {"a": first.isoformat(), "b": last.isoformat()},
        ).scalar_one()
        kept = (
            connection.execute(text("SELECT * FROM visit_reader WHERE key = :key"), {"key": key})
            .mappings()
            .all()
        )
        connection.execute(text("DELETE FROM visit_reader WHERE key = :key"), {"key": key})
        connection.execute(
            text("UPDATE visit_record SET num_readers = 0 WHERE key = :key"), {"key": key}
        )
    try:
        report = told(yard, district, first, last, "")
        hand = 0
        for row in raw_log(yard.engine):
            if first.isoformat() <= str(row["service_date"])[:10] <= last.isoformat():
                counts = json.loads(row["counts"])
                hand += sum(n for c, n in counts.items() if c.split(".")[0] in
                            ("users_new", "users_renewed"))  # fmt: skip
        value, drill = figures(report)["users"]
        assert value == hand
        assert "reports.note.users_in_part" in {n.code for n in report.notes}
        note = next(r[0].note for r in report.tables[0].rows if r[2].drill == drill)
        assert note is not None
        assert note.code == "reports.users.by_registrations"
    finally:
        with yard.engine.begin() as connection:
            connection.execute(
                text("UPDATE visit_record SET num_readers = :n WHERE key = :key"),
                {"n": len(kept), "key": key},
            )
            for reader in kept:
                connection.execute(
                    text("INSERT INTO visit_reader (region_id, key, reader, band, service_date,"
                         " vehicle_id) VALUES (:region_id, :key, :reader, :band, :service_date,"
                         " :vehicle_id)"),
                    dict(reader),
                )  # fmt: skip
    assert figures(told(yard, district, first, last, ""))["users"][0] == whole


def test_every_report_tells_the_same_users(yard: Yard, district: Region) -> None:
    """Goals, costs and stock count the persons whom the form counts, each with its lines."""
    first, last = WHOLE
    users = figures(told(yard, district, first, last, ""))["users"][0]
    reports = {}
    with reading(yard.engine) as session:
        for kind in (ReportKind.TARGETS, ReportKind.COSTS, ReportKind.STOCK):
            asked = ReportAsked(kind=kind, region_id=REGION, from_date=first, until_date=last)
            reports[kind] = build_report(session, district, asked, FORMS)
            assert "reports.note.users_by_id" in {n.code for n in reports[kind].notes}
    goals, years = reports[ReportKind.TARGETS].tables
    cells = [goals.rows[1][2], years.rows[-1][5]]
    assert [c.value for c in cells] == [users, users]
    costs = reports[ReportKind.COSTS].tables[0]
    share, per_person = goals.rows[1][3], costs.rows[-1][11]
    assert per_person.drill is not None
    assert per_person.drill.measure == "per(cost,readers)"
    by_vehicle = reports[ReportKind.STOCK].tables[1].rows
    for row in by_vehicle:
        assert row[4].drill is not None
        own = figures(told(yard, district, first, last, row[4].drill.vehicle_id or ""))
        assert row[4].value == own["users"][0]
    for cell in (*cells, share, *(row[4] for row in by_vehicle)):
        assert cell.drill is not None
        behind = opened(yard, district, cell.drill)
        assert behind.value == pytest.approx(cell.value)
        if not behind.parts:
            assert len(behind.lines) == cell.value


def test_the_days_of_the_demo_are_all_in_the_span(yard: Yard) -> None:
    """The log ends on the day before today, so that the count is of the past alone."""
    dates = {str(r["service_date"])[:10] for r in raw_log(yard.engine)}
    assert max(dates) <= (TUESDAY - timedelta(days=1)).isoformat()
