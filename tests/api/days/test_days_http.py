"""Driven days, sheets, learned times and breakdowns over HTTP: roles, guards, hostile values."""

import csv
import io
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from api.auth import cookie_name
from api.services.accounts import add_account, new_account
from api.services.signing_in import open_sign_in
from data.db import region_store
from data.db.engine import writing
from data.model.accounts import PROGRAM, Role
from tests.api.days.driven import drive_day, evening, wait_for_days
from tests.api.days.yard import FIRST, MORNING, SECOND, TUESDAY, Yard, yard_region
from tests.api.publication.office import REGION
from tests.databases import KINDS, postgres_url
from tests.e2e.service import Running, run_service

BASE = f"/api/v1/regions/{REGION}"
DAY = f"{BASE}/days/{TUESDAY.isoformat()}"
LATER = TUESDAY + timedelta(days=14)
SHEET = f"{DAY}/sheets/{FIRST}"
FILES = (f"{DAY}/report.xlsx", f"{DAY}/visits.csv", f"{BASE}/days/report.xlsx")


class Served:
    """The yard behind a server whose clock is in hand."""

    def __init__(self, running: Running, yard: Yard) -> None:
        self.running, self.yard = running, yard

    def api(self, role: Role | None, language: str = "en") -> httpx.Client:
        return self.running.api(role, language)

    def stranger(self) -> httpx.Client:
        """A dispatcher of another region."""
        service = self.running.service
        account = new_account(
            service.clock(), login="lapp", name="", roles=[Role.DISPATCHER], region_ids=["lapland"]
        )
        with writing(service.engine) as session:
            add_account(session, PROGRAM, account, None)
        client = httpx.Client(base_url=self.running.url, timeout=30, verify=False)
        token = open_sign_in(service, account, way="test").token
        client.cookies.set(cookie_name(service.settings), token)
        return client


@pytest.fixture(scope="module", params=KINDS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Two Tuesdays that have been driven, on each database; the evening of the second."""
    folder = tmp_path_factory.mktemp("days")
    with ExitStack() as stack:
        url = stack.enter_context(postgres_url()) if request.param == "postgresql" else ""
        running = stack.enter_context(run_service(folder, database_url=url))
        yard = Yard(running.engine)
        with writing(running.engine) as session:
            region_store.add_region(
                session, replace(yard_region(), region_id="lapland"), at=yard.now
            )
        running.service.clock = lambda: yard.now
        yard.now = evening(LATER)
        for number, on in enumerate((TUESDAY, LATER)):
            drive_day(yard, on, seed=number + 1)
        wait_for_days(running.engine, 4)
        yield Served(running, yard)


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text


def fields_of(answer: httpx.Response) -> set[str]:
    """What a refusal names as wrong."""
    assert answer.status_code == 422, answer.text
    return {p["field"] for p in answer.json()["problems"]}


def test_reports_tell_what_was_driven(served: Served) -> None:
    """A date and a span; the span without dates is the last four weeks; totals agree."""
    with served.api(Role.ANALYST) as alla:
        one = alla.get(DAY)
        span = alla.get(f"{BASE}/days")
    assert one.status_code == span.status_code == 200
    day = one.json()
    assert {v["vehicle_id"] for v in day["vehicles"]} == {FIRST, SECOND}
    assert day["is_over"] is True
    assert day["total"]["num_planned"] == 10
    told = {d["service_date"]: d["stats"] for d in span.json()["days"]}
    assert told[TUESDAY.isoformat()] == day["total"]
    assert span.json()["last_date"] == LATER.isoformat()
    twice = [leg for leg in span.json()["legs"] if leg["drive"]["num"] == 2]
    assert twice
    assert all(leg["origin"] and leg["drive"]["sd_s"] is not None for leg in twice)


def test_the_files_are_those_of_the_page(served: Served) -> None:
    """Workbooks open, the CSV has a line for each visit, both in the language that is asked for."""
    with served.api(Role.LIBRARIAN, "ru") as lidia:
        book, table, span = (lidia.get(path) for path in FILES)
    for answer, name in ((book, "day_2026-12-01.xlsx"), (table, "day_2026-12-01.csv")):
        assert answer.status_code == 200
        assert name in answer.headers["content-disposition"]
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig"))))
    assert len(rows) == 11
    assert "Стоянка" in rows[0] or "Место стоянки" in rows[0], rows[0]
    assert len(load_workbook(io.BytesIO(book.content)).sheetnames) == 4
    assert len(load_workbook(io.BytesIO(span.content)).sheetnames) == 5
    assert "days_2026-11-18_2026-12-15.xlsx" in span.headers["content-disposition"]


@pytest.mark.parametrize("path", [DAY, f"{BASE}/days", SHEET, f"{BASE}/learned", *FILES])
def test_reading_is_for_those_who_work_there(served: Served, path: str) -> None:
    """Nobody signed in: 401; another region's dispatcher: 403; each role of this one: 200."""
    with served.api(None) as nobody:
        refused(nobody.get(path), 401, "access.sign_in")
    for role in (Role.ANALYST, Role.CREW, Role.LIBRARIAN, Role.DISPATCHER, Role.ADMIN):
        with served.api(role) as one:
            assert one.get(path).status_code == 200, role


def test_another_regions_dispatcher_sees_and_does_nothing(served: Served) -> None:
    """Reading and writing alike are refused before anything is looked up."""
    asked = {"vehicle_id": FIRST}
    with served.stranger() as lapp:
        for path in (DAY, f"{BASE}/days", SHEET, f"{BASE}/learned", *FILES):
            refused(lapp.get(path), 403, "access.region")
        for path, body in {
            f"{BASE}/breakdowns/preview": asked,
            f"{BASE}/breakdowns": asked | {"seen": "x"},
            f"{BASE}/learned": {"first_date": "2026-12-01", "last_date": "2026-12-15"},
            f"{BASE}/learned/x/decision": {"state": "accepted"},
        }.items():
            answer = lapp.post(path, json=body, headers={"if-match": '"1"'})
            refused(answer, 403, "access.region")
        refused(lapp.put(SHEET, json={}, headers={"if-match": '"0"'}), 403, "access.region")


def test_an_unknown_region_date_or_vehicle_is_told(served: Served) -> None:
    """404 with its code; dates at both ends of the calendar answer, empty."""
    with served.api(Role.ADMIN) as anna:
        refused(anna.get("/api/v1/regions/nowhere/days"), 404, "region.unknown")
        refused(anna.get("/api/v1/regions/nowhere/days/2026-12-01"), 404, "region.unknown")
        for on in ("0001-01-01", "9999-12-31"):
            answer = anna.get(f"{BASE}/days/{on}")
            assert (answer.status_code, answer.json()["vehicles"]) == (200, [])
            assert anna.get(f"{BASE}/days/{on}/report.xlsx").status_code == 200
            span = anna.get(f"{BASE}/days", params={"from": on, "until": on})
            assert (span.status_code, span.json()["total"]["num_days"]) == (200, 0)
        unknown = anna.put(f"{DAY}/sheets/kibo-9", json={}, headers={"if-match": '"0"'})
        refused(unknown, 404, "days.no_run")
        refused(anna.get(f"{DAY}/sheets/kibo-9"), 404, "days.no_run")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"from": "2026-12-02", "until": "2026-12-01"}, "days.ends_before"),
        ({"from": "2024-01-01", "until": "2026-12-01"}, "days.too_long"),
        ({"from": "2026-02-30"}, "request.invalid"),
        ({"until": "' or 1=1 --"}, "request.invalid"),
    ],
)
def test_a_span_that_is_none_is_refused(served: Served, query: dict[str, str], code: str) -> None:
    """On the figures and on the workbook alike."""
    with served.api(Role.ANALYST) as alla:
        for path in (f"{BASE}/days", f"{BASE}/days/report.xlsx"):
            refused(alla.get(path, params=query), 422, code)


def test_a_sheet_is_written_by_what_was_seen(served: Served) -> None:
    """Begun at revision 0; a write needs If-Match, gives an ETag; the slower one is told."""
    path = f"{DAY}/sheets/{SECOND}"
    body = {"odometer_out_km": 48210.5, "odometer_in_km": 48371, "note": "=1+1<script>"}
    with served.api(Role.CREW) as crew, served.api(Role.ANALYST) as alla:
        begun = crew.get(path)
        assert (begun.headers["etag"], begun.json()["revision"]) == ('"0"', 0)
        refused(crew.put(path, json=body), 428, "request.if_match")
        refused(alla.put(path, json=body, headers={"if-match": '"0"'}), 403, "access.role")
        made = crew.put(path, json=body, headers={"if-match": '"0"'})
        assert (made.status_code, made.headers["etag"]) == (200, '"1"'), made.text
        slower = crew.put(path, json=body | {"fuel": 1}, headers={"if-match": '"0"'})
        refused(slower, 412, "request.stale")
        assert slower.json()["facts"]["current"]["odometer_in_km"] == 48371
        assert crew.get(path).json() == made.json()
        after = crew.get(f"{BASE}/days/{LATER.isoformat()}/sheets/{SECOND}").json()
        assert (after["odometer_out_km"], after["revision"]) == (48371, 0)
        day = crew.get(DAY).json()
        mine = next(v for v in day["vehicles"] if v["vehicle_id"] == SECOND)
        assert mine["odometer"]["odometer_km"] == 160.5
        book = load_workbook(io.BytesIO(crew.get(FILES[0]).content))
    cells = [c for sheet in book.worksheets for row in sheet.iter_rows() for c in row]
    assert not [c for c in cells if c.data_type == "f"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"odometer_out_km": -1}, "odometer_out_km"),
        ({"odometer_out_km": 1e9}, "odometer_out_km"),
        ({"odometer_out_km": "much"}, "odometer_out_km"),
        ({"fuel": 2001}, "fuel"),
        ({"number": "x" * 201}, "number"),
        ({"note": "x" * 501}, "note"),
        ({"driver": "a\x00b"}, "driver"),
        ({"out_s": -5}, "out_s"),
        ({"in_s": 172_801}, "in_s"),
        ({"valid_until": "soon"}, "valid_until"),
        ({"is_technical_passed": "perhaps"}, "is_technical_passed"),
        ({"revision": 7}, "revision"),
    ],
)
def test_a_value_that_cannot_be_is_named(served: Served, body: dict[str, Any], field: str) -> None:
    """By its field, and nothing is stored."""
    with served.api(Role.DISPATCHER) as dmitry:
        before = dmitry.get(SHEET).json()
        answer = dmitry.put(SHEET, json=body, headers={"if-match": '"0"'})
        assert fields_of(answer) == {field}
        assert dmitry.get(SHEET).json() == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"owner_ogrn": "12345"}, "waybill.bad_ogrn"),
        ({"out_s": 40_000, "in_s": 30_000}, "waybill.back_before_out"),
        ({"odometer_out_km": 20, "odometer_in_km": 10}, "waybill.odometer_back"),
        ({"odometer_out_km": 0, "odometer_in_km": 90_000}, "waybill.odometer_far"),
        ({"valid_until": "2026-11-30"}, "waybill.ended"),
        ({"in_s": 172_800}, "waybill.bad_clock"),
    ],
)
def test_values_that_contradict_each_other_are_told(
    served: Served, body: dict[str, Any], code: str
) -> None:
    """With a code of their own, in the caller's language."""
    with served.api(Role.DISPATCHER, "ru") as dmitry:
        answer = dmitry.put(SHEET, json=body, headers={"if-match": '"0"'})
        refused(answer, 422, code)
        assert any("а" <= letter <= "я" for letter in answer.json()["message"])


@pytest.mark.parametrize(
    "content", [b"", b"[", b'{"fuel": NaN}', b'{"fuel": 1e999}', b"null", b'"x"', b"\xff\xfe"]
)
def test_bodies_that_are_none_are_refused(served: Served, content: bytes) -> None:
    """Nothing of it breaks the program."""
    headers = {"if-match": '"0"', "content-type": "application/json"}
    with served.api(Role.DISPATCHER) as dmitry:
        answer = dmitry.put(SHEET, content=content, headers=headers)
        assert answer.status_code in (400, 422), answer.text
        for path in ("breakdowns", "breakdowns/preview", "learned", "learned/x/decision"):
            answer = dmitry.post(f"{BASE}/{path}", content=content, headers=headers)
            assert answer.status_code in (400, 422), answer.text


def test_a_body_that_is_too_large_is_refused(served: Served) -> None:
    """Before it is read."""
    with served.api(Role.DISPATCHER) as dmitry:
        body = {"note": "x" * 40_000_000}
        refused(dmitry.put(SHEET, json=body, headers={"if-match": '"0"'}), 413, "request.too_large")


def test_learned_times_are_proposed_and_decided(served: Served) -> None:
    """Only a dispatcher; by what was seen; twice is a conflict; one is in use at most."""
    span = {"first_date": TUESDAY.isoformat(), "last_date": LATER.isoformat()}
    with served.api(Role.DISPATCHER) as dmitry, served.api(Role.LIBRARIAN) as lidia:
        refused(lidia.post(f"{BASE}/learned", json=span), 403, "access.role")
        backward = {"first_date": LATER.isoformat(), "last_date": TUESDAY.isoformat()}
        refused(dmitry.post(f"{BASE}/learned", json=backward), 422, "days.ends_before")
        long = span | {"first_date": "2020-01-01"}
        refused(dmitry.post(f"{BASE}/learned", json=long), 422, "days.too_long")
        quiet = {"first_date": "2026-11-20", "last_date": "2026-11-21"}
        refused(dmitry.post(f"{BASE}/learned", json=quiet), 422, "learned.too_few")
        made = dmitry.post(f"{BASE}/learned", json=span)
        assert made.status_code == 201, made.text
        one = made.json()
        assert (one["state"], one["num_days"]) == ("open", 4)
        path = f"{BASE}/learned/{one['proposal_id']}/decision"
        accept = {"state": "accepted", "note": "<b>да</b>"}
        seen = {"if-match": f'"{one["revision"]}"'}
        refused(dmitry.post(path, json=accept), 428, "request.if_match")
        refused(lidia.post(path, json=accept, headers=seen), 403, "access.role")
        refused(dmitry.post(path, json=accept, headers={"if-match": '"99"'}), 412, "request.stale")
        unknown = f"{BASE}/learned/{'0' * 32}/decision"
        refused(dmitry.post(unknown, json=accept, headers=seen), 404, "learned.unknown")
        assert fields_of(dmitry.post(path, json={"state": "good"}, headers=seen)) == {"state"}
        done = dmitry.post(path, json=accept, headers=seen).json()
        assert (done["state"], done["note"]) == ("accepted", "<b>да</b>")
        again = {"if-match": f'"{done["revision"]}"'}
        refused(dmitry.post(path, json=accept, headers=again), 409, "learned.decided")
        assert [p["state"] for p in lidia.get(f"{BASE}/learned").json()] == ["accepted"]


def test_a_breakdown_over_http(served: Served) -> None:
    """Shown, refused where it has changed, done once however often it is sent, undone."""
    served.yard.now = MORNING + timedelta(days=28)
    try:
        _break_down(served)
    finally:
        served.yard.now = evening(LATER)


def _break_down(served: Served) -> None:
    asked = {"vehicle_id": FIRST, "with_other_days": False, "most_late_min": 0}
    with served.api(Role.DISPATCHER) as dmitry, served.api(Role.CREW) as crew:
        refused(crew.post(f"{BASE}/breakdowns/preview", json=asked), 403, "access.role")
        shown = dmitry.post(f"{BASE}/breakdowns/preview", json=asked)
        assert shown.status_code == 200, shown.text
        rows = shown.json()["visits"]
        moves = [
            {
                "visit_id": r["visit_id"],
                "vehicle_id": r["to_vehicle_id"],
                "start_s": r["to_start_s"],
            }
            for r in rows
            if r["to_vehicle_id"] is not None
        ]
        decided = asked | {"seen": shown.json()["seen"], "moves": moves}
        path = f"{BASE}/breakdowns"
        refused(dmitry.post(path, json=decided | {"seen": "0" * 32}), 409, "breakdown.changed")
        strange = decided | {"moves": [moves[0] | {"visit_id": "x"}]}
        refused(dmitry.post(path, json=strange), 404, "visit.unknown")
        nobody = decided | {"moves": [moves[0] | {"vehicle_id": "kibo-9"}]}
        refused(dmitry.post(path, json=nobody), 409, "breakdown.no_helper")
        early = decided | {"moves": [moves[0] | {"start_s": moves[0]["start_s"] - 1800}]}
        impossible = dmitry.post(path, json=early)
        refused(impossible, 422, "breakdown.impossible")
        assert impossible.json()["problems"]
        key = {"idempotency-key": "tow-1"}
        done = dmitry.post(path, json=decided, headers=key)
        assert done.status_code == 201, done.text
        again = dmitry.post(path, json=decided, headers=key)
        assert (again.status_code, again.json()) == (201, done.json())
        assert dmitry.get(done.headers["location"]).json() == done.json()
        undone = dmitry.post(f"{done.headers['location']}/undo")
        assert (undone.status_code, bool(undone.json()["undone_at"])) == (200, True), undone.text
        shown = dmitry.post(f"{BASE}/breakdowns/preview", json=asked)
        assert [r["visit_id"] for r in shown.json()["visits"]] == [r["visit_id"] for r in rows]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"vehicle_id": None}, "vehicle_id"),
        ({"vehicle_id": "x" * 301}, "vehicle_id"),
        ({"reason": "aliens"}, "reason"),
        ({"note": "x" * 501}, "note"),
        ({"back_at_s": -1}, "back_at_s"),
        ({"most_late_min": 181}, "most_late_min"),
        ({"max_changes": 21}, "max_changes"),
        ({"helpers": ["x"] * 201}, "helpers"),
        ({"speed": "fast"}, "speed"),
    ],
)
def test_a_breakdown_that_cannot_be_is_named(
    served: Served, more: dict[str, Any], field: str
) -> None:
    """By its field."""
    with served.api(Role.DISPATCHER) as dmitry:
        body = {"vehicle_id": FIRST} | more
        assert fields_of(dmitry.post(f"{BASE}/breakdowns/preview", json=body)) == {field}


def test_on_a_day_without_a_run_nothing_breaks_down(served: Served) -> None:
    """After the last visit of the evening, and of a vehicle that has none."""
    with served.api(Role.DISPATCHER) as dmitry:
        path = f"{BASE}/breakdowns/preview"
        refused(dmitry.post(path, json={"vehicle_id": FIRST}), 422, "breakdown.nothing_left")
        refused(dmitry.post(path, json={"vehicle_id": "kibo-3"}), 404, "breakdown.no_run")
