"""The diary over HTTP: hand-made sums, corrections with a trail, who may, exports without harm."""

import html
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from api.auth import hash_token
from api.services.diary import diary_of, sums_of, ways_of
from data.db import accounts_store, day_sheet_store, visit_record_store
from data.db.engine import reading, writing
from data.model.accounts import Account, Role
from data.model.day_sheet import DaySheet
from data.model.fleet import VehicleId
from data.model.visit_record import RecordState, VisitRecord
from tests.api.circulation.library import MORNING, OLGA_TOKEN
from tests.api.diary.book import Book, book
from tests.api.tracking.depot import NORTH, REGION
from tests.fleet.days import DAY

KONSTANTIN_TOKEN = "token-of-konstantin"


def record(number: int, days: int, **told: object) -> VisitRecord:
    """A stop visit held so many days before the day."""
    return VisitRecord(
        **{  # type: ignore[arg-type]
            "region_id": REGION,
            "key": f"r{number}",
            "name": '=HYPERLINK("x")' if number == 1 else f"Стоянка {number}",
            "vehicle_id": NORTH,
            "service_date": DAY - timedelta(days=days),
            "state": RecordState.DONE,
            "is_gps_confirmed": True,
            "counts": {"visits_service.adult": 10, "loans_home": number},
        }
        | told
    )


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    """Two stops held the month before, three on the day, one of them skipped, one elsewhere."""
    with book(Path(tmp_path_factory.mktemp("diary"))) as made:
        with writing(made.library.engine) as session:
            visit_record_store.put_records(
                session,
                [
                    record(1, 20),
                    record(2, 20, is_gps_confirmed=False),
                    record(3, 0),
                    record(4, 0, counts={"loans_home": 4}),
                    record(5, 0, state=RecordState.SKIPPED, reason="road", counts={}),
                    record(6, 0, vehicle_id=VehicleId("other")),
                    record(7, 400),
                ],
            )
            crew = Account(
                account_id="c" * 32, login="konstantin", name="Константин",
                roles=(Role.CREW,), created_at=MORNING,
            )  # fmt: skip
            accounts_store.add_account(session, crew, None)
            until = MORNING + timedelta(days=9)
            token = hash_token(KONSTANTIN_TOKEN)
            accounts_store.add_sign_in(session, token, crew.account_id, MORNING, until)
        yield made


def test_a_month_has_opening_days_and_totals(one: Book) -> None:
    """By hand: 2 stops and 20 visits before, 2 and 10 on the day; the year has 4 and 30."""
    told = one.library.ask("GET", f"regions/{REGION}/diary?month={DAY}&vehicle_id={NORTH}").json()
    opening, month, year = told["opening"], told["month"], told["year"]
    assert (opening["num_runs"], opening["num_stops"], opening["num_confirmed"]) == (1, 2, 1)
    assert opening["counts"] == {"loans_home": 3, "visits_service.adult": 20}
    (day,) = told["days"]
    assert day["service_date"] == DAY.isoformat()
    assert day["sums"] == month
    assert (month["num_stops"], month["counts"]["loans_home"]) == (2, 7)
    assert month["num_states"] == {"done": 2, "skipped": 1, "unknown": 5}
    assert month["num_faults"] == 2  # loans without visits; skipped, yet the track was there
    assert (year["num_runs"], year["num_stops"]) == (2, 4)
    assert year["counts"] == {"loans_home": 10, "visits_service.adult": 30}
    for edge in ("0001-01-01", "9999-12-31"):
        empty = one.library.ask("GET", f"regions/{REGION}/diary?month={edge}")
        assert empty.status_code == 200
        assert empty.json()["days"] == []


def test_kilometres_and_fuel_open_their_runs(one: Book) -> None:
    """By the odometer of the day sheet, of every vehicle and date of the span; they add up."""
    with writing(one.library.engine) as session:
        for number, vehicle_id in enumerate((NORTH, VehicleId("other"))):
            sheet = DaySheet(
                region_id=REGION,
                vehicle_id=vehicle_id,
                service_date=DAY - timedelta(days=20 * number),
                odometer_out_km=1000,
                odometer_in_km=1080 + number,
                fuel=12.5 + number,
            )
            day_sheet_store.put_sheet(session, sheet, expect_revision=None, by=None, at=MORNING)
    with reading(one.library.engine) as session:
        year = diary_of(session, REGION, DAY).year
        ways = ways_of(session, REGION, DAY.replace(month=1, day=1), DAY)
    assert (year.km, year.fuel) == (sums_of((), ways).km, sums_of((), ways).fuel)
    assert [(w.km, w.fuel) for w in ways if w.is_odometer] == [(81, 13.5), (80, 12.5)]
    client, cookie = one.library.depot.client, {"authorization": f"Bearer {OLGA_TOKEN}"}
    month = client.get(f"/desk/{REGION}/diary?month={DAY:%Y-%m}", headers=cookie).text
    (link,) = set(
        re.findall(rf'href="([^"]+/diary/ways[^"]+from={DAY}&amp;until={DAY}&[^"]+)"', month)
    )
    page = client.get(html.unescape(link), headers=cookie).text
    assert f"/days/{DAY}#v-{NORTH}" in page
    assert "12,5" in page
    assert "13,5" not in page


def test_a_figure_opens_its_lines_in_pages(one: Book) -> None:
    """Only lines that the number is made of; one after another with the cursor."""
    path = f"regions/{REGION}/visit-records?from={DAY}&until={DAY}&vehicle_id={NORTH}&limit=1"
    first = one.library.ask("GET", f"{path}&figure=loans").json()
    assert [r["key"] for r in first["items"]] == ["r3"]
    then = one.library.ask("GET", f"{path}&figure=loans&after={first['next']}").json()
    assert [r["key"] for r in then["items"]] == ["r4"]
    assert then["next"] is None
    assert then["items"][0]["faults"][0]["code"] == "counts.loans_without_visits"
    assert one.library.ask("GET", f"{path}&figure=nonsense").status_code == 422


def test_a_correction_needs_the_state_it_was_made_from(one: Book) -> None:
    """Without it 428, from an old one 412; a repeated one is once; the trail keeps who and why."""
    path = f"regions/{REGION}/visit-records/r2"
    seen = one.library.ask("GET", path)
    body = {"name": "loans_home", "value": 5, "reason": "мимо счёта"}
    send: dict[str, Any] = {
        "json": body,
        "headers": {"if-match": seen.headers["etag"], "idempotency-key": "k"},
    }
    assert one.library.ask("POST", f"{path}/corrections", json=body).status_code == 428
    done = one.library.ask("POST", f"{path}/corrections", **send)
    assert done.status_code == 201, done.text
    assert done.json()["counts"]["loans_home"] == 5
    again = one.library.ask("POST", f"{path}/corrections", **send)
    assert again.json() == done.json()
    stale: dict[str, Any] = {
        "json": body | {"value": 6},
        "headers": {"if-match": seen.headers["etag"]},
    }
    assert one.library.ask("POST", f"{path}/corrections", **stale).status_code == 412
    whole = one.library.ask("GET", path).json()
    (told,) = whole["corrections"]
    assert (told["amount"], told["reason"], told["corrected_by"]) == (3, "мимо счёта", "b" * 32)
    (audit,) = one.audit("record.correct")
    assert (audit.facts["before"], audit.facts["after"]) == (2, 5)


def test_a_crew_corrects_its_own_last_days_only(one: Book) -> None:
    """Not what is three weeks old, not what another account counted, not on another's tablet."""
    body = {"name": "loans_home", "value": 9, "reason": "ошибка"}
    anyhow: dict[str, Any] = {"json": body, "headers": {"if-match": "*"}}

    def correct(key: str, token: str) -> int:
        path = f"regions/{REGION}/visit-records/{key}/corrections"
        return int(one.library.ask("POST", path, token, **anyhow).status_code)

    assert correct("r1", KONSTANTIN_TOKEN) == 403
    assert correct("r3", KONSTANTIN_TOKEN) == 201
    assert correct("r6", one.token) == 403
    assert correct("r4", one.token) == 201
    nothing: dict[str, Any] = {"json": body, "headers": {"if-match": "*"}}
    path = f"regions/{REGION}/visit-records/nothing/corrections"
    assert one.library.ask("POST", path, **nothing).status_code == 404
    bad: dict[str, Any] = {"json": body | {"value": -1}, "headers": {"if-match": "*"}}
    path = f"regions/{REGION}/visit-records/r1/corrections"
    assert one.library.ask("POST", path, **bad).status_code == 422
    unknown: dict[str, Any] = {"json": body | {"name": "nonsense"}, "headers": {"if-match": "*"}}
    assert one.library.ask("POST", path, **unknown).status_code == 422


def test_exports_hold_every_line_and_run_nothing(one: Book) -> None:
    """Opening, days, totals in one sheet, lines in the other; a formula in a name is text."""
    client, cookie = one.library.depot.client, {"authorization": f"Bearer {OLGA_TOKEN}"}
    month = (DAY - timedelta(days=20)).strftime("%Y-%m")
    desk = f"/desk/{REGION}/diary"
    book_ = client.get(f"{desk}/report.xlsx?month={month}&vehicle={NORTH}", headers=cookie)
    assert book_.status_code == 200
    sheets = load_workbook(io.BytesIO(book_.content)).worksheets
    assert sheets[0].max_row == 5
    names = [row[2].value for row in sheets[1].iter_rows(min_row=2)]
    assert names == ['=HYPERLINK("x")', "Стоянка 2"]
    assert all(cell.data_type != "f" for row in sheets[1].iter_rows() for cell in row)
    first = (DAY - timedelta(days=30)).isoformat()
    table = client.get(f"{desk}/lines.csv?from={first}&until={DAY}", headers=cookie)
    lines = table.content.decode("utf-8-sig").splitlines()
    assert len(lines) >= 7
    assert not any(line.split(",")[2].startswith("=") for line in lines)
