"""Reports over HTTP: numbers and the lines behind them, files, settings, orders, bad input."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from openpyxl import Workbook, load_workbook
from pypdf import PdfReader

from api.services.report_files import desk_address, report_file
from api.services.reports import build_report
from api.words import Words
from data.db import region_store, visit_record_store
from data.db.engine import reading, writing
from data.feeds.form_file import shipped_forms
from data.model.accounts import Role
from data.model.report import ReportAsked, ReportKind
from data.model.report_schedule import ReportFormat
from data.model.visit_record import VisitRecord
from tests.api.publication.office import REGION, region
from tests.data.diary import HAND, diary, record
from tests.e2e.service import Running, run_service
from tests.paper_links import links_on_paper
from tests.pdf_ua import assert_pdf_ua

BASE = f"/api/v1/regions/{REGION}"
DESK = f"/desk/{REGION}/reports"
MARCH = "from=2026-03-01&until=2026-03-31"
NOW = datetime(2026, 4, 10, 9, tzinfo=UTC)
HOSTILE = '=HYPERLINK("http://x")<script>alert(1)</script>'


def hostile() -> VisitRecord:
    """A stop whose name would be a formula and a script, in February."""
    return record(
        "h1", diary()[0].service_date.replace(month=2), "kibo-1", None, name=HOSTILE,
        counts={"visits_service": 7},
    )  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with the diary that was added up by hand, and a line of February."""
    with run_service(tmp_path_factory.mktemp("reports")) as served:
        served.service.clock = lambda: NOW
        with writing(served.engine) as session:
            region_store.add_region(session, region(), at=NOW)
            visit_record_store.put_records(session, (*diary(), hostile()))
        yield served


@pytest.fixture(scope="module")
def alla(running: Running) -> Iterator[httpx.Client]:
    with running.api(Role.ANALYST, "ru") as client:
        yield client


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text


def figures(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The cells of the form's first table by the figure that they open."""
    return {
        row[2]["lines"]["measure"].split(":")[1]: {"month": row[2], "year": row[3]}
        for row in report["tables"][0]["rows"]
    }


def test_the_form_equals_the_count_by_hand_and_opens_its_lines(alla: httpx.Client) -> None:
    """Each number of March is the one on paper; its lines add up to it, and are all there is."""
    report = alla.get(f"{BASE}/reports/form?{MARCH}&form=6nk-2019").json()
    found = figures(report)
    assert {key: found[key]["month"]["value"] for key in HAND} == HAND
    assert found["kibo_visits"]["year"]["value"] == HAND["kibo_visits"] + 7
    for key in HAND:
        behind = alla.get(f"{BASE}/reports/lines", params=found[key]["month"]["lines"]).json()
        assert behind["value"] == HAND[key]
        assert sum(line["amount"] for line in behind["items"]) == HAND[key]
        assert len(behind["items"]) == behind["num_lines"]
    visits = alla.get(f"{BASE}/reports/lines?measure=6nk-2019:kibo_visits&{MARCH}").json()
    assert {x["key"]: x["amount"] for x in visits["items"]} == {"a1": 12, "a2": 2, "b1": 6,
                                                                "b2": 10}  # fmt: skip
    assert [x["num_corrections"] for x in visits["items"]] == [0, 1, 0, 0]


def test_a_ratio_opens_the_two_numbers_it_divides(alla: httpx.Client) -> None:
    """Loans by user: twenty loans, four users, each with its lines."""
    found = alla.get(f"{BASE}/reports/lines?measure=6nk-2019:loans_per_user&{MARCH}").json()
    assert found["value"] == 5
    assert [(p["measure"], p["value"]) for p in found["parts"]] == [
        ("6nk-2019:loans", 20), ("6nk-2019:users", 4),
    ]  # fmt: skip


def test_lines_come_in_pages(alla: httpx.Client) -> None:
    """Two a page: the value is of all, `next` leads on to the last."""
    keys, offset = [], 0
    while offset is not None:
        one = alla.get(f"{BASE}/reports/lines?measure=visits&{MARCH}&limit=2&offset={offset}")
        body = one.json()
        assert body["value"] == 30
        keys += [x["key"] for x in body["items"]]
        offset = body["next"]
    assert keys == ["a1", "a2", "b1", "b2"]


def assert_numbers_open(alla: httpx.Client, book: Workbook) -> None:
    """Numbers of a workbook are numbers still, and lead to pages of the desk that there are."""
    base = str(alla.base_url).rstrip("/")
    led: dict[str, Any] = {}
    for sheet in book.worksheets[1:]:
        for cell in chain.from_iterable(sheet.iter_rows()):
            if cell.hyperlink is not None:
                assert cell.data_type == "n"
                assert isinstance(cell.value, int | float)
                led[str(cell.hyperlink.target)] = cell.value
    assert len(led) > 5
    for target in list(led)[:3]:
        assert target.startswith(f"{base}/desk/{REGION}/reports/")
        assert alla.get(target).status_code == 200
    visits = next((t for t in led if "measure=visits&" in t), None)
    if visits is not None:
        lines = alla.get(f"{BASE}/reports/lines?{urlsplit(visits).query}")
        assert lines.json()["value"] == led[visits]


@pytest.mark.parametrize("kind", ReportKind)
def test_every_report_is_told_alike_everywhere(alla: httpx.Client, kind: ReportKind) -> None:
    """Numbers of the API stand in workbook, CSV and PDF; no code is left without words."""
    report = alla.get(f"{BASE}/reports/{kind}?{MARCH}").json()
    told = json.dumps(report, ensure_ascii=False)
    assert not re.search(r'"text": "reports\.|"title": "reports\.|\{\w+\}', told)
    book = load_workbook(io.BytesIO(alla.get(f"{BASE}/reports/{kind}/file.xlsx?{MARCH}").content))
    assert len(book.sheetnames) == len(report["tables"]) + 1
    for name, table in zip(book.sheetnames[1:], report["tables"], strict=True):
        assert book[name].max_row == len(table["rows"]) + 1
    assert_numbers_open(alla, book)
    for table in report["tables"]:
        answer = alla.get(f"{BASE}/reports/{kind}/file.csv?{MARCH}&table={table['code']}")
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(rows) == len(table["rows"]) + 1
    paper = alla.get(f"{BASE}/reports/{kind}/file.pdf?{MARCH}")
    document = PdfReader(io.BytesIO(paper.content))
    root: Any = document.root_object
    assert root["/Lang"] == "ru"
    assert_pdf_ua(paper.content)
    english = alla.get(f"{BASE}/reports/{kind}/file.pdf?{MARCH}", headers={"accept-language": "en"})
    assert_pdf_ua(english.content)
    text = "\n".join(p.extract_text() for p in document.pages)
    assert report["title"] in text
    page = alla.get(f"{DESK}/{kind}?{MARCH}")
    assert page.status_code == 200
    numbers = re.findall(r'<td class="num">(.*?)</td>', page.text, re.DOTALL)
    assert len(numbers) > 5
    assert [
        n for n in numbers if re.search(r"\d", re.sub("<br>.*|<.*?>", "", n)) and "<a " not in n
    ] == []


@pytest.mark.parametrize("kind", ReportKind)
def test_numbers_on_paper_lead_to_their_lines(alla: httpx.Client, kind: ReportKind) -> None:
    """Each link of a PDF is that of the workbook; its lines come to the number printed there."""
    paper = links_on_paper(alla.get(f"{BASE}/reports/{kind}/file.pdf?{MARCH}").content)
    book = load_workbook(io.BytesIO(alla.get(f"{BASE}/reports/{kind}/file.xlsx?{MARCH}").content))
    led = {
        "#".join(filter(None, (cell.hyperlink.target, cell.hyperlink.location)))
        for sheet in book.worksheets
        for cell in chain.from_iterable(sheet.iter_rows())
        if cell.hyperlink is not None
    }
    assert {link.address for link in paper} == led
    opened = 0
    for link in paper[:: 1 + len(paper) // 40]:
        path, query = urlsplit(link.address).path, urlsplit(link.address).query
        if path != f"{DESK}/lines":
            assert path.startswith(f"/desk/{REGION}/")
            continue
        behind = alla.get(f"{BASE}/reports/lines?{query}").json()
        digits = re.sub(r"[^\d,]", "", link.text).replace(",", ".")
        shown, value = abs(float(digits)), abs(float(behind["value"]))
        # Told as a share, or rounded.
        assert shown in (pytest.approx(value, abs=0.51), pytest.approx(100 * value, abs=0.06)), link
        opened += 1
    assert opened > 5


def test_paper_that_nobody_can_follow_has_no_links(running: Running) -> None:
    """Made on a machine of its own, without an address that others reach: numbers, no links."""
    assert desk_address(running.settings, REGION) == ""
    assert desk_address(replace(running.settings, public_url="https://b.example/"), "r 1") == (
        "https://b.example/desk/r%201"
    )
    asked = ReportAsked(
        kind=ReportKind.FORM, region_id=REGION, from_date=date(2026, 3, 1),
        until_date=date(2026, 3, 31),
    )  # fmt: skip
    with reading(running.engine) as session:
        report = build_report(session, region(), asked, shipped_forms())
    made = {
        kind: report_file(report, kind, Words("ru"), region_name="Р", at=NOW, desk_url="")
        for kind in (ReportFormat.PDF, ReportFormat.XLSX)
    }
    assert links_on_paper(made[ReportFormat.PDF]) == []
    assert_pdf_ua(made[ReportFormat.PDF])
    book = load_workbook(io.BytesIO(made[ReportFormat.XLSX]))
    assert not any(c.hyperlink for s in book.worksheets for row in s.iter_rows() for c in row)


@pytest.mark.parametrize("kind", ReportKind)
def test_every_kind_of_number_has_its_page(alla: httpx.Client, kind: ReportKind) -> None:
    """One link of each measure on a report opens a page with the number, in words, no codes."""
    report = alla.get(f"{BASE}/reports/{kind}?{MARCH}").json()
    links = {
        cell["lines"]["measure"]: cell["lines"]
        for table in report["tables"]
        for row in table["rows"]
        for cell in row
        if cell["lines"] and cell["value"] is not None
    }
    assert links
    for measure, lines in links.items():
        page = alla.get(f"{DESK}/lines", params=lines)
        assert page.status_code == 200, measure
        main = page.text[page.text.index("<main") :]
        told = re.sub("<[^>]*>", " ", main)
        assert not re.search(r"\breports\.\w|\{\w+\}", told), measure
        number = alla.get(f"{BASE}/reports/lines", params=lines).json()
        assert number["value"] is not None
        assert number["items"] or number["parts"] or not number["value"], measure


def test_only_reports_of_places_are_geojson(alla: httpx.Client) -> None:
    """The review of stops is a map; the form is none, and says so."""
    places = alla.get(f"{BASE}/reports/review/file.geojson?{MARCH}").json()
    names = {f["properties"]["name"] for f in places["features"]}
    assert names == {"Калиновка", "Каменское"}
    refused(alla.get(f"{BASE}/reports/form/file.geojson?{MARCH}"), 404, "reports.no_places")


def test_hostile_names_stay_names(alla: httpx.Client) -> None:
    """A stop named like a formula and a script is text on the page and no formula in a file."""
    span = "from=2026-02-01&until=2026-02-28"
    page = alla.get(f"{DESK}/lines?measure=visits&{span}")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text
    for name in ("../../etc/passwd", "a\r\nset-cookie: x", "<b>"):
        answer = alla.get(f"{BASE}/reports/form/file.csv", params={"table": name})
        refused(answer, 404, "reports.no_table")
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("reports/form?from=2026-05-01&until=2026-04-01", 422, "reports.ends_before"),
        ("reports/form?from=2016-05-01&until=2026-04-01", 422, "reports.too_long"),
        ("reports/form?from=0001-01-01&until=0001-02-01", 422, "reports.no_year"),
        ("reports/form?form=6nk-1917", 404, "forms.unknown"),
        ("reports/form?vehicle=kibo-99", 404, "reports.no_vehicle"),
        ("reports/lines?measure=secrets", 404, "reports.no_measure"),
        ("reports/lines?measure=6nk-2019:secrets", 404, "reports.no_measure"),
        ("reports/lines?measure=x:y:z", 404, "forms.unknown"),
    ],
)
def test_what_cannot_be_told_is_refused_with_words(
    alla: httpx.Client, path: str, status: int, code: str
) -> None:
    """Each refusal has its code, its words, and a status."""
    answer = alla.get(f"{BASE}/{path}")
    refused(answer, status, code)
    assert not re.search(r"\{\w+\}", answer.json()["message"])


def test_a_page_with_wrong_dates_shows_this_year_and_says_why(alla: httpx.Client) -> None:
    """The form keeps standing; a report that there is none of is not found."""
    page = alla.get(f"{DESK}/form?from=2026-05-01&until=2026-04-01")
    assert page.status_code == 422
    assert "Поменяйте даты местами" in page.text
    assert alla.get(f"{DESK}/nothing").status_code == 404
    assert alla.get(DESK).status_code == 303


def test_settings_change_what_reports_say(alla: httpx.Client) -> None:
    """A price and a base: costs and growth are told; who comes second is told so; audit knows."""
    url = f"{BASE}/report-settings"
    before = alla.get(url)
    body = {k: v for k, v in before.json().items() if k != "revision"}
    body["prices"] |= {"crew_hour": "600", "vehicle_day": 1500, "sources": {"crew_hour": "Штат"}}
    body["targets"] |= {"base_visits": 360, "base_year": 2019}
    match = {"if-match": before.headers["etag"]}
    stored = alla.put(url, json=body, headers=match)
    assert stored.status_code == 200, stored.text
    refused(alla.put(url, json=body, headers=match), 412, "request.stale")
    refused(alla.put(url, json=body), 428, "request.if_match")
    costs = alla.get(f"{BASE}/reports/costs?{MARCH}").json()["tables"][0]
    total = costs["rows"][-1]
    # Three runs of two hours at 600, and three days at 1,500; by visit a thirtieth.
    by_code = {c["code"]: cell["value"] for c, cell in zip(costs["columns"], total, strict=True)}
    assert by_code["crew"] == 3600
    assert by_code["vehicle_cost"] == 4500
    assert by_code["cost"] == 8100
    assert by_code["per_visit"] == 270
    assert by_code["fuel"] is None
    targets = alla.get(f"{BASE}/reports/targets?{MARCH}").json()["tables"][0]["rows"][0]
    assert [targets[1]["value"], targets[2]["value"]] == [89, 37]  # 360 x 90 / 365
    wrong = body | {"targets": body["targets"] | {"coverage": 35}}
    answer = alla.put(url, json=wrong, headers={"if-match": stored.headers["etag"]})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["field"].endswith("coverage")


def test_the_form_of_settings_takes_russian_numbers(alla: httpx.Client, running: Running) -> None:
    """A comma is a decimal point; a word is refused, and the rest of the form is not lost."""
    headers = {"origin": running.url}
    revision = alla.get(f"{BASE}/report-settings").json()["revision"]
    form = {"revision": str(revision), "currency": "rub", "target.visits": "12,5",
            "rule.min_visitors": "2,5", "price.crew_hour": "1\N{NO-BREAK SPACE}200,50"}  # fmt: skip
    done = alla.post(f"{DESK}/settings", data=form, headers=headers)
    assert done.status_code == 303, done.text
    stored = alla.get(f"{BASE}/report-settings").json()
    assert stored["targets"]["visits"] == 0.125
    assert stored["targets"]["coverage"] is None
    assert stored["review"]["min_visitors"] == 2.5
    assert stored["prices"]["crew_hour"] == "1200.50"
    wrong = form | {"revision": str(stored["revision"]), "target.visits": "много"}
    page = alla.post(f"{DESK}/settings", data=wrong, headers=headers)
    assert page.status_code == 422
    assert "много" in page.text
    assert 'value="2,5"' in page.text


def test_orders_are_made_sent_and_taken_away(running: Running, alla: httpx.Client) -> None:
    """An order over HTTP: refused where it is wrong, sent on demand, rests, is taken away."""
    url = f"{BASE}/report-schedules"
    body = {"kind": "form", "format": "csv", "period": "month", "channel": "folder",
            "recipient": "Архив"}  # fmt: skip
    refused(alla.post(url, json=body | {"recipient": "../x"}), 422, "reports.bad_folder")
    refused(alla.post(url, json=body | {"format": "geojson"}), 422, "reports.no_places")
    refused(alla.post(url, json=body | {"vehicle_id": "kibo-99"}), 404, "reports.no_vehicle")
    made = alla.post(url, json=body)
    assert made.status_code == 201, made.text
    one = f"{url}/{made.json()['schedule_id']}"
    sent = alla.post(f"{one}/deliveries")
    assert sent.status_code == 202
    assert sent.json()["until_date"] == "2026-03-31"
    again = alla.post(f"{one}/deliveries").json()
    assert again["delivery_id"] == sent.json()["delivery_id"]
    assert len(alla.get(f"{BASE}/report-deliveries").json()) == 1
    assert alla.patch(one, json={"is_active": False}).json()["is_active"] is False
    assert alla.delete(one).status_code == 204
    refused(alla.delete(one), 404, "reports.no_schedule")
    assert alla.get(f"{BASE}/report-deliveries").json() == []
    with running.api(Role.CREW) as crew:
        refused(crew.post(url, json=body), 403, "access.role")
        assert crew.get(f"{BASE}/reports/form?{MARCH}").status_code == 200
        refused(crew.put(f"{BASE}/report-settings", json={}), 403, "access.role")
    with running.api(None) as nobody:
        refused(nobody.get(f"{BASE}/reports/form"), 401, "access.sign_in")


def test_an_edition_in_the_folder_is_offered_and_a_broken_one_is_named(
    running: Running, alla: httpx.Client
) -> None:
    """A library's own file is one more edition; a slip in it is told with file and line."""
    folder: Path = running.settings.data_dir / "forms"
    folder.mkdir()
    own = folder / "own.toml"
    own.write_text(
        'id = "own"\nform = "6-НК"\nmark = "D"\nsource = { ru = "Приказ" }\n'
        'names = { ru = "Своя" }\n[[figure]]\nkey = "a"\nnames = { ru = "А" }\n'
        'sum = ["visits_service"]\n',
        encoding="utf-8",
    )
    try:
        assert "own" in {f["form_id"] for f in alla.get(f"{BASE}/reports/forms").json()}
        report = alla.get(f"{BASE}/reports/form?{MARCH}&form=own").json()
        assert report["tables"][0]["rows"][0][2]["value"] == HAND["visits_service"]
        own.write_text(own.read_text("utf-8").replace("visits_service", "visits_servise"), "utf-8")
        answer = alla.get(f"{BASE}/reports/form?{MARCH}")
        refused(answer, 422, "forms.unknown_count")
        assert "own.toml" in answer.json()["message"]
        assert "visits_service" in answer.json()["message"]
    finally:
        own.unlink()
