"""Who rides along is named wherever a plan is shown, and readers hear of it date by date."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
from icalendar import Calendar

from api.words import Words
from data.feeds.plan_geojson import write_geojson
from data.feeds.plan_gpx import write_gpx
from data.feeds.plan_xlsx import write_xlsx
from data.feeds.stops_csv import read_stops_csv
from data.feeds.timetable_csv import write_timetable
from data.feeds.timetable_ical import write_ical
from data.model.crew import Specialist, SpecialistId
from data.model.plan import Plan, PlanRequest
from data.model.timetable import visit_dates, visit_series
from maps.run_sheet import run_sheets_html
from tests import plan_example as example

UNTIL = date(2026, 5, 31)
OFF = date(2026, 4, 27)
"""A date on which the third repetition of Anna's run falls."""


def case() -> tuple[PlanRequest, Plan]:
    """Anna and Oleg ride with the run of the first Monday; Cottesmore asks for both."""
    anna = Specialist(
        specialist_id=SpecialistId("anna"),
        name="Анна",
        service="children",
        off_dates=frozenset({OFF}),
    )
    oleg = Specialist(specialist_id=SpecialistId("oleg"), name="Олег", service="нотариус")
    request, plan = example.request(), example.plan()
    run = plan.runs[0]
    asking = replace(
        example.COTTESMORE, services=frozenset({"children", "нотариус"}), services_visits=1
    )
    stops = tuple(asking if s.stop_id == asking.stop_id else s for s in request.stops)
    aboard = replace(run, specialist_ids=(anna.specialist_id, oleg.specialist_id))
    return (
        replace(request, stops=stops, specialists=(anna, oleg)),
        replace(plan, runs=(aboard, *plan.runs[1:])),
    )


def test_a_date_without_a_specialist_is_a_line_of_its_own() -> None:
    """The cycle repeats without Anna on the day she is off; no date is lost or told twice."""
    request, plan = case()
    found = [s for s in visit_series(request, plan, UNTIL) if s.stop.stop_id == "cottesmore"]
    by_services = {s.services: s for s in found}
    both, one = frozenset({"children", "нотариус"}), frozenset({"нотариус"})
    assert by_services[both].dates == (date(2026, 3, 2), date(2026, 3, 30), date(2026, 5, 25))
    assert OFF in by_services[both].exceptions
    assert by_services[one].dates == (OFF,)
    stop_id = example.COTTESMORE.stop_id
    told = sorted(on for s in found for on in s.dates)
    assert tuple(told) == visit_dates(request, plan, stop_id, UNTIL)


def test_the_calendar_says_who_comes(tmp_path: Path) -> None:
    """Summaries name the service; stops without any are told as ever."""
    request, plan = case()
    path = tmp_path / "t.ics"
    write_ical(request, plan, path, until=UNTIL, label=Words("en"))
    events = Calendar.from_ical(path.read_bytes()).walk("VEVENT")
    told = {str(e["SUMMARY"]) for e in events}
    assert "Mobile library: Cottesmore, The Green, with children's librarian, нотариус" in told
    assert not [s for s in told if s.startswith("Mobile library: Exton") and "with" in s]


def test_the_exchange_table_says_who_comes(tmp_path: Path) -> None:
    """The route of a line names the services in English; its other columns keep their form."""
    request, plan = case()
    path = tmp_path / "t.csv"
    write_timetable(request, plan, path, organisation="R", timetable_url="", until=UNTIL)
    rows, report = read_stops_csv(path)
    assert report.problems == ()
    routes = {r.route for r in rows if r.stop == "Cottesmore, The Green"}
    assert "Monday 1/4, with children's librarian, нотариус" in routes
    assert all("with" not in r.route for r in rows if r.stop.startswith("Exton"))


def test_files_for_machines_name_riders(tmp_path: Path) -> None:
    """GeoJSON has ids, names and services; GPX names people and services as comments."""
    request, plan = case()
    write_geojson(request, plan, tmp_path / "p.geojson")
    features = json.loads((tmp_path / "p.geojson").read_text("utf-8"))["features"]
    by_id = {f["id"]: f["properties"] for f in features}
    assert by_id["run/north/0"]["specialists"] == ["Анна", "Олег"]
    assert by_id["run/north/14"]["specialist_ids"] == []
    (visit,) = by_id["stop/cottesmore"]["visits"]
    assert visit["services"] == ["children", "нотариус"]
    path = write_gpx(request, plan, tmp_path / "gpx")[0]
    space = "{http://www.topografix.com/GPX/1/1}"
    route = ET.parse(path).getroot().find(f"{space}rte")
    assert route is not None
    assert route.findtext(f"{space}cmt") == "Анна, Олег"
    comments = [p.findtext(f"{space}cmt") for p in route.findall(f"{space}rtept")]
    assert "cottesmore (children, нотариус)" in comments


def test_the_workbook_names_riders(tmp_path: Path) -> None:
    """Columns for riders stand in it only where the request has specialists."""
    request, plan = case()
    label = Words("ru")
    for name, made in (("with", request), ("without", replace(request, specialists=()))):
        path = tmp_path / f"{name}.xlsx"
        write_xlsx(example.region(), example.needs(), made, plan, path, label=label)
        book = openpyxl.load_workbook(path)
        cells = {str(c.value) for sheet in book for row in sheet.iter_rows() for c in row}
        shown = "Анна (детский библиотекарь), Олег (нотариус)" in cells
        assert shown is (name == "with")
        assert ("детский библиотекарь, нотариус" in cells) is (name == "with")


def test_the_run_sheet_tells_the_crew_who_comes_along() -> None:
    """Names and what they give, the dates without them, and the service at its stop."""
    request, plan = case()
    page = run_sheets_html(request, plan, Words("ru"), until=UNTIL)
    assert page.count("Также едут") == 1
    assert "Анна (детский библиотекарь), кроме 2026: 27 апр." in page
    assert "приезжают детский библиотекарь, нотариус" in page
    none = run_sheets_html(example.request(), example.plan(), Words("ru"), until=UNTIL)
    assert "Также едут" not in none
