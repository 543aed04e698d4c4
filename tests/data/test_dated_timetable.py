"""A plan of dates: its series, calendar, exchange rows and words are the rules asked for."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import icalendar
import pytest
from dateutil.rrule import rrulestr

from api.words import Words
from data.feeds.plan_file import read_plan, write_plan
from data.feeds.stops import import_stops
from data.feeds.stops_csv import MobileStopRow, read_stops_csv, visit_dates, write_stops_csv
from data.feeds.timetable_csv import write_timetable
from data.feeds.timetable_ical import write_ical
from data.model.calendar import MINUTE_S, Cycle, ServiceCalendar, Window
from data.model.fleet import CrewRules
from data.model.place import Stop
from data.model.plan import Plan, PlanRequest
from data.model.recurrence import Recurrence, parse_rule
from data.model.rhythm_words import rule_text, stop_rhythms
from data.model.seasons import parse_season
from data.model.timetable import visit_dates as dates_of_plan
from data.model.timetable import visit_series
from planner.params import SolveParams
from planner.rhythm import counted
from planner.score import check
from planner.solve import solve
from tests.planner.examples import FIRST, KALINOVKA, KALUZHSKOE, make_request

UK = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "uk-mobile-libraries"
FROM, UNTIL = date(2027, 1, 12), date(2027, 5, 28)
CLOSED = ServiceCalendar(
    weekdays=frozenset(range(6)), closed_dates={date(2027, 3, 8): "8", date(2027, 4, 13): "x"}
)


def request_of(*stops: Stop) -> PlanRequest:
    """One vehicle that goes every working day, a minute between any two places."""
    request = make_request()
    matrix = request.travel[FIRST.vehicle_id]
    points = [str(FIRST.depot_id), *(str(s.stop_id) for s in stops)]
    size = len(points)
    near = replace(
        matrix,
        point_ids=tuple(points),
        travel_s=matrix.travel_s[:1, :1].repeat(size, 0).repeat(size, 1) + MINUTE_S,
        travel_m=matrix.travel_m[:1, :1].repeat(size, 0).repeat(size, 1) + 500,
    )
    vehicle = replace(
        FIRST, weekdays=frozenset(), off_dates=frozenset(), max_stops_per_run=None, prep_s=0
    )
    return counted(
        replace(
            request,
            cycle=Cycle.between(FROM, UNTIL),
            calendar=CLOSED,
            clock_tolerance_s=0,
            vehicles=(vehicle,),
            crew_rules={vehicle.vehicle_id: CrewRules()},
            travel={vehicle.vehicle_id: near},
            stops=tuple(replace(s, needs=frozenset(), mandatory=True) for s in stops),
        )
    )


def planned(request: PlanRequest) -> Plan:
    plan = solve(request, SolveParams(work_limit=60, workers=1, rounds=1))
    assert check(request, plan) == ()
    assert plan.unserved == ()
    return plan


def every_frequency() -> list[MobileStopRow]:
    """A published row for each frequency text that occurs, from any authority."""
    rows: dict[str, MobileStopRow] = {}
    for path in sorted((UK / "stops").glob("*.csv")):
        for row in read_stops_csv(path)[0]:
            rows.setdefault(row.frequency, replace(row, stop=f"{row.stop} {row.frequency}"))
    return list(rows.values())


@pytest.mark.skipif(not UK.exists(), reason="shared data not at hand")
def test_every_published_frequency_is_planned_as_it_is(tmp_path: Path) -> None:
    """Import, plan on dates, publish: each row has its frequency and dates again."""
    published = every_frequency()
    assert len(published) >= 25
    write_stops_csv(published, tmp_path / "in.csv")
    stops, _ = import_stops(tmp_path / "in.csv")
    # All are put into one town and one day's hours, so that one vehicle can serve them.
    opened = [
        replace(
            s, lon=21.8, lat=54.6, service_s=600, windows=(Window(start_s=28_800, end_s=61_200),)
        )
        for s in stops
    ]
    request = request_of(*opened)
    plan = planned(request)
    write_timetable(
        request, plan, tmp_path / "out.csv", organisation="x", timetable_url="", until=UNTIL
    )
    rows, report = read_stops_csv(tmp_path / "out.csv")
    assert report.problems == ()
    told = {row.stop: row for row in rows}
    assert len(rows) == len(told) == len(published)
    for row in published:
        again = told[row.stop.strip()]
        assert again.frequency == row.frequency
        wanted = [d for d in visit_dates(row, FROM, UNTIL) if d not in CLOSED.closed_dates]
        assert list(visit_dates(again, FROM, UNTIL)) == wanted


SUMMER = Recurrence(rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", seasons=(parse_season("04-01/09-30"),))
MONTHLY = Recurrence(rule="FREQ=MONTHLY;BYDAY=2TU", extra_dates=frozenset({date(2027, 2, 4)}))


@pytest.fixture(scope="module")
def seasonal() -> tuple[PlanRequest, Plan]:
    """A stop of the summer, one of the second Tuesday with one more date."""
    wide: dict[str, Any] = {"windows": (), "min_gap_days": 1, "max_gap_days": None}
    request = request_of(
        replace(KALINOVKA, recurrence=SUMMER, **wide),
        replace(KALUZHSKOE, recurrence=MONTHLY, **wide),
    )
    return request, planned(request)


def test_series_follow_the_rules(seasonal: tuple[PlanRequest, Plan]) -> None:
    """Holidays are exceptions, a season ends its series, the further date is a series alone."""
    request, plan = seasonal
    series = visit_series(request, plan, UNTIL)
    summer, monthly, further = sorted(series, key=lambda s: (s.stop.name, -len(s.dates)))
    assert summer.rule.text == "FREQ=WEEKLY;INTERVAL=2"
    assert summer.dates[0] >= date(2027, 4, 1)
    assert (monthly.rule.text, monthly.dates[0]) == ("FREQ=MONTHLY;BYDAY=2TU", FROM)
    assert monthly.exceptions == (date(2027, 4, 13),)
    assert (further.dates, further.end_date) == ((date(2027, 2, 4),), date(2027, 2, 4))


def test_the_calendar_file_says_the_same(
    seasonal: tuple[PlanRequest, Plan], tmp_path: Path
) -> None:
    """A calendar program that expands the events finds the dates of the plan."""
    request, plan = seasonal
    write_ical(request, plan, tmp_path / "t.ics", until=UNTIL, label=Words("en"))
    calendar = icalendar.Calendar.from_ical((tmp_path / "t.ics").read_bytes())
    found: dict[str, set[date]] = {}
    events: list[Any] = list(calendar.walk("VEVENT"))
    for event in events:
        start = event["dtstart"].dt
        rule = rrulestr(event["rrule"].to_ical().decode(), dtstart=start)
        dropped = event.get("exdate")
        left_out = {d.dt for d in dropped.dts} if dropped is not None else set()
        stop_id = str(event["uid"]).split(".")[0]
        found.setdefault(stop_id, set()).update(d.date() for d in rule if d not in left_out)
    for stop in request.stops:
        assert sorted(found[stop.stop_id]) == list(
            dates_of_plan(request, plan, stop.stop_id, UNTIL)
        )


def test_words_of_rules() -> None:
    """Both languages say rules as people do."""
    cases = (
        ("FREQ=MONTHLY;BYDAY=2TU", "second Tuesday of the month", "второй вторник месяца"),
        ("FREQ=MONTHLY;BYDAY=-1WE", "last Wednesday of the month", "последняя среда месяца"),
        (
            "FREQ=MONTHLY;INTERVAL=2;BYDAY=1SU",
            "first Sunday of the month, every 2 months",
            "первое воскресенье месяца, раз в 2 месяца",
        ),
        ("FREQ=WEEKLY;INTERVAL=1", "every Friday", "каждую пятницу"),
        ("FREQ=WEEKLY;INTERVAL=3", "Fridays, every 3 weeks", "по пятницам, раз в 3 недели"),
        ("FREQ=WEEKLY;INTERVAL=5", "Fridays, every 5 weeks", "по пятницам, раз в 5 недель"),
    )
    for rule, english, russian in cases:
        assert rule_text(parse_rule(rule), 4, Words("en")) == english
        assert rule_text(parse_rule(rule), 4, Words("ru")) == russian


def test_words_of_a_plan(seasonal: tuple[PlanRequest, Plan]) -> None:
    """A stop's words name its season."""
    request, plan = seasonal
    told = stop_rhythms(request, plan, Words("ru"))
    assert told[KALINOVKA.stop_id] == "по вторникам, раз в 2 недели, с 1 апреля по 30 сентября"
    assert told[KALUZHSKOE.stop_id].startswith("второй вторник месяца; 4 февр. 2027")


def test_a_plan_of_dates_is_kept_in_its_file(
    seasonal: tuple[PlanRequest, Plan], tmp_path: Path
) -> None:
    """Horizon, rules, seasons and schools come back from the plan file."""
    request, plan = seasonal
    write_plan(tmp_path / "plan.json", request, plan)
    again, stored = read_plan(tmp_path / "plan.json")
    assert again.cycle == request.cycle
    assert again.stops == request.stops
    assert again.calendar == request.calendar
    assert stored == plan
    assert check(again, stored) == ()
