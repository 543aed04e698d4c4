"""The calendar over HTTP: entries live where plans read them, and tell which visits they hit."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest

from data.db import publication_store
from data.db.engine import writing
from data.db.tables.plans import PlanRow
from data.db.tables.publication import TimetableRow
from data.model.accounts import Role
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.publication import PromisedVisit, VisitId, VisitState
from tests.api.regions.house import add_bundled, region_of
from tests.e2e.service import Running

ROOT = "/api/v1/regions/kaliningrad"
AT = datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def kaliningrad(running: Running) -> Iterator[None]:
    """The bundled region with three promised visits, one of them cancelled."""
    add_bundled(running)
    with writing(running.engine) as session:
        session.add(PlanRow(plan_id="p" * 32, region_id="kaliningrad", name="P", created_at=AT))
        session.flush()
        session.add(
            TimetableRow(
                timetable_id="t" * 32, region_id="kaliningrad", version=1, plan_id="p" * 32,
                plan_revision=1, from_date=date(2026, 12, 1), until_date=date(2026, 12, 31),
                published_at=AT,
            )
        )  # fmt: skip
        session.flush()
        publication_store.put_visits(
            session,
            [
                visit("a", date(2026, 12, 14), "kibo-1"),
                visit("b", date(2026, 12, 14), "kibo-2"),
                visit("c", date(2026, 12, 15), "kibo-1", VisitState.CANCELLED),
            ],
        )
    yield


def visit(
    letter: str, day: date, vehicle: str, state: VisitState = VisitState.PLANNED
) -> PromisedVisit:
    return PromisedVisit(
        visit_id=VisitId(letter * 32),
        region_id="kaliningrad",
        timetable_id="t" * 32,
        stop_id=StopId(f"stop-{letter}"),
        vehicle_id=VehicleId(vehicle),
        service_date=day,
        position=0,
        arrival_s=36_000,
        start_s=36_600,
        end_s=40_200,
        departure_s=40_500,
        state=state,
        published_at=AT,
        changed_at=AT,
    )


def add(client: httpx.Client, **body: Any) -> httpx.Response:
    return client.post(f"{ROOT}/calendar", json=body)


def entries(client: httpx.Client, kind: str) -> list[dict[str, Any]]:
    found = client.get(f"{ROOT}/calendar", params={"first": "2026-01-01", "last": "2027-12-31"})
    return [e for e in found.json()["entries"] if e["kind"] == kind]


def test_the_bundled_holidays_are_there(dispatcher: httpx.Client) -> None:
    """Days in a row of one name are one entry."""
    closed = entries(dispatcher, "closed")
    assert ("2027-01-01", "2027-01-08") in {(e["first"], e["last"]) for e in closed}


def test_a_closed_day_reaches_the_plan_and_names_its_visits(
    running: Running, dispatcher: httpx.Client
) -> None:
    """The region's calendar closes; both visits of the day are told, the cancelled one is not."""
    answer = add(dispatcher, kind="closed", first="2026-12-14", last="2026-12-15", name="Ремонт")
    assert answer.status_code == 201, answer.text
    assert [hit["visit_id"][0] for hit in answer.json()["hits"]] == ["a", "b"]
    calendar = region_of(running, "kaliningrad").calendar
    assert not calendar.is_working(date(2026, 12, 15))
    assert calendar.closed_dates[date(2026, 12, 14)] == "Ремонт"
    clash = add(dispatcher, kind="working", first="2026-12-15", name="x")
    assert (clash.status_code, clash.json()["code"]) == (422, "calendar.clash")
    mark = answer.json()["entry"]["mark"]
    assert dispatcher.delete(f"{ROOT}/calendar/{mark}").status_code == 204
    assert region_of(running, "kaliningrad").calendar.is_working(date(2026, 12, 15))
    assert dispatcher.delete(f"{ROOT}/calendar/{mark}").status_code == 404


def test_a_vehicles_service_day_hits_its_own_visits(
    running: Running, dispatcher: httpx.Client
) -> None:
    answer = add(dispatcher, kind="vehicle_off", first="2026-12-14", subject="kibo-1")
    assert [hit["vehicle_id"] for hit in answer.json()["hits"]] == ["kibo-1"]
    vehicle = next(
        v for v in region_of(running, "kaliningrad").vehicles if v.vehicle_id == "kibo-1"
    )
    assert vehicle.off_dates == {date(2026, 12, 14)}
    assert entries(dispatcher, "vehicle_off")[0]["subject_name"] == "КИБО 1 (запад)"
    mark = answer.json()["entry"]["mark"]
    assert dispatcher.delete(f"{ROOT}/calendar/{mark}").status_code == 204
    unknown = add(dispatcher, kind="vehicle_off", first="2026-12-14", subject="kibo-9")
    assert unknown.status_code == 404


def test_an_absence_hits_only_where_nobody_else_drives(dispatcher: httpx.Client) -> None:
    """One of two drivers is not missed; the second of both who are away on a day is."""
    body: dict[str, Any] = {"role": "driver", "vehicle_ids": ["kibo-1"]}
    keys = [
        dispatcher.post(f"{ROOT}/crew", json=body | {"name": name}).json()["key"]
        for name in ("Иванов", "Петров")
    ]
    for key, day, num_hits in ((keys[0], "14", 0), (keys[1], "14", 1), (keys[1], "16", 0)):
        answer = add(dispatcher, kind="crew_off", first=f"2026-12-{day}", subject=key)
        assert len(answer.json()["hits"]) == num_hits
    assert {e["subject"] for e in entries(dispatcher, "crew_off")} == set(keys)


def test_school_time_and_moved_days(running: Running, dispatcher: httpx.Client) -> None:
    """Terms make a school calendar; spans that overlap are refused; a moved day is worked."""
    term = {"kind": "term", "subject": "школы", "first": "2026-09-01", "last": "2026-10-30"}
    assert add(dispatcher, **term, name="I четверть").status_code == 201
    assert add(dispatcher, **term).json()["code"] == "calendar.clash"
    assert add(dispatcher, kind="working", first="2026-12-19", name="Перенос").status_code == 201
    calendar = region_of(running, "kaliningrad").calendar
    assert calendar.schools["школы"].terms[0].name == "I четверть"
    assert calendar.is_working(date(2026, 12, 19))
    odd = {"kind": "term", "subject": "a/b&c#d ~ школы", "first": "2026-09-01"}
    mark = add(dispatcher, **odd).json()["entry"]["mark"]
    assert dispatcher.delete(f"{ROOT}/calendar/{quote(mark)}").status_code == 204
    [entry] = entries(dispatcher, "term")
    assert dispatcher.delete(f"{ROOT}/calendar/{entry['mark']}").status_code == 204
    assert region_of(running, "kaliningrad").calendar.schools == {}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "closed", "first": "2026-12-10", "last": "2026-12-01"}, "calendar.ends_before"),
        ({"kind": "closed", "first": "2026-12-10", "last": "2036-12-01"}, "calendar.too_long"),
        ({"kind": "vehicle_off", "first": "2026-12-10"}, "calendar.needs_subject"),
        ({"kind": "party", "first": "2026-12-10"}, "request.invalid"),
        ({"kind": "closed", "first": "soon"}, "request.invalid"),
        ({"kind": "closed", "first": "2026-12-10", "name": "x" * 201}, "request.invalid"),
    ],
)
def test_odd_entries_are_refused(dispatcher: httpx.Client, body: dict[str, str], code: str) -> None:
    answer = dispatcher.post(f"{ROOT}/calendar", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert "{" not in answer.json()["message"]


def test_who_may_not(running: Running) -> None:
    """Staff read the calendar, dispatchers change it."""
    with running.api(Role.CREW) as crew:
        assert crew.get(f"{ROOT}/calendar").status_code == 200
        assert add(crew, kind="closed", first="2026-12-10").status_code == 403
        assert crew.get(f"{ROOT}/calendar", params={"first": "2020-01-01", "last": "2030-01-01"}
                        ).json()["code"] == "calendar.span"  # fmt: skip
    with running.api(None) as nobody:
        assert nobody.get(f"{ROOT}/calendar").status_code == 401


def today_of(running: Running) -> date:
    return running.service.clock().astimezone(ZoneInfo("Europe/Kaliningrad")).date()


def test_entries_lead_to_the_cancel_of_what_is_still_promised(
    running: Running, dispatcher: httpx.Client
) -> None:
    """The list links to the cancel, filled in, until nothing is promised there any more."""
    day = today_of(running) + timedelta(days=40)
    with writing(running.engine) as session:
        publication_store.put_visits(
            session, [visit("f", day, "kibo-1"), visit("g", day, "kibo-2")]
        )
    page = f"/desk/kaliningrad/calendar?year={day.year}&month={day.month}"
    as_page = {"accept": "text/html"}
    assert add(dispatcher, kind="closed", first=str(day), name="Ремонт").status_code == 201
    asked = {"from": str(day), "until": str(day), "scope": "closed", "reason": "holiday"}
    link = f"/desk/kaliningrad/cancel?{urlencode(asked)}"
    assert link.replace("&", "&amp;") in dispatcher.get(page, headers=as_page).text
    filled = dispatcher.get(link, headers=as_page)
    assert filled.status_code == 200
    assert 'value="closed" required checked' in filled.text
    assert filled.text.count('<th scope="row">') == 2
    with running.api(Role.LIBRARIAN) as librarian:
        assert "/cancel?" not in librarian.get(page, headers=as_page).text
    done = dispatcher.post("/desk/kaliningrad/cancel", data=asked)
    assert done.status_code == 303, done.text
    assert f"/cancel?from={day}" not in dispatcher.get(page, headers=as_page).text


def test_a_link_to_the_cancel_leaves_days_alone_that_are_over(
    running: Running, dispatcher: httpx.Client
) -> None:
    """An absence that has begun already is cancelled from today on: the past would be refused."""
    today = today_of(running)
    first, last = today - timedelta(days=2), today + timedelta(days=1)
    with writing(running.engine) as session:
        publication_store.put_visits(session, [visit("e", last, "kibo-2")])
    add(dispatcher, kind="vehicle_off", first=str(first), last=str(last), subject="kibo-2")
    page = f"/desk/kaliningrad/calendar?year={last.year}&month={last.month}"
    shown = dispatcher.get(page, headers={"accept": "text/html"}).text
    assert f"/cancel?from={today}&amp;until={last}&amp;scope=vehicle" in shown
