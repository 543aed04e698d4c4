"""Files of reports: names that tell files apart, the date of the region, units of numbers."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from urllib.parse import quote

import httpx
import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from api.services.report_files import file_name, report_csv, report_xlsx
from api.words import Words
from data.db import region_store, visit_record_store
from data.db.engine import writing
from data.model.accounts import Role
from data.model.report import (
    Cell,
    CellKind,
    Report,
    ReportAsked,
    ReportColumn,
    ReportKind,
    ReportTable,
)
from data.model.report_schedule import ReportFormat
from tests.api.publication.office import REGION, region
from tests.data.diary import diary
from tests.e2e.service import Running, run_service

BASE = f"/api/v1/regions/{REGION}"
DESK = f"/desk/{REGION}/reports"
MARCH = "from=2026-03-01&until=2026-03-31"
NIGHT = datetime(2026, 4, 9, 22, 30, tzinfo=UTC)
"""Half past midnight of the 10th in Kaliningrad."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service just after midnight of its region."""
    with run_service(tmp_path_factory.mktemp("files")) as served:
        served.service.clock = lambda: NIGHT
        with writing(served.engine) as session:
            region_store.add_region(session, region(), at=NIGHT)
            visit_record_store.put_records(session, diary())
        yield served


@pytest.fixture(scope="module")
def alla(running: Running) -> Iterator[httpx.Client]:
    with running.api(Role.ANALYST, "ru") as client:
        yield client


def empty(vehicle_id: str | None = None, form_id: str = "") -> Report:
    asked = ReportAsked(
        kind=ReportKind.FORM, region_id=REGION, from_date=date(2026, 10, 1),
        until_date=date(2026, 10, 31), vehicle_id=vehicle_id, form_id=form_id,
    )  # fmt: skip
    table = ReportTable(code="form", columns=(ReportColumn(code="x"),), rows=())
    return Report(asked=asked, tables=(table,))


def test_files_of_other_vehicles_editions_and_languages_have_other_names() -> None:
    """Two standing orders for one folder never write over each other's file."""
    reports = (empty(), empty("kibo-1"), empty("kibo-2"), empty("кибо"), empty(form_id="own"))
    names = [file_name(r, ReportFormat.PDF, lang) for r in reports for lang in ("ru", "en")]
    assert len(set(names)) == len(names)
    assert file_name(empty("kibo-1"), ReportFormat.PDF, "ru") == (
        "form_2026-10-01_2026-10-31_kibo-1_ru.pdf"
    )
    assert all(n.isascii() and "/" not in n and '"' not in n for n in names)
    assert file_name(empty("../../x"), ReportFormat.PDF, "ru").count(".") == 1


@pytest.mark.parametrize("ending", ["pdf", "xlsx"])
@pytest.mark.parametrize("path", [f"{BASE}/reports/form", f"{DESK}/form"])
def test_a_table_is_asked_of_csv_alone(alla: httpx.Client, path: str, ending: str) -> None:
    """What stands there for another format breaks no header and gets into no name."""
    for table in ("й", 'x"; a="b'):
        answer = alla.get(f"{path}/file.{ending}?{MARCH}&table={quote(table)}")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == (
            f'attachment; filename="form_2026-03-01_2026-03-31_ru.{ending}"'
        )


@pytest.mark.parametrize("path", [f"{BASE}/reports/form", f"{DESK}/form"])
def test_paper_tells_the_date_of_its_region(alla: httpx.Client, path: str) -> None:
    """At half past midnight in Kaliningrad it is made today, though in Greenwich it is not yet."""
    paper = PdfReader(io.BytesIO(alla.get(f"{path}/file.pdf?{MARCH}").content))
    text = " ".join("".join(p.extract_text() for p in paper.pages).split())
    assert "10 апреля 2026" in text
    assert "9 апреля 2026" not in text


@pytest.mark.parametrize("name", ["from", "until"])
@pytest.mark.parametrize("page", ["lines?measure=visits&", "form?", "form/file.csv?"])
def test_a_date_that_is_none_is_told(alla: httpx.Client, page: str, name: str) -> None:
    """No number of another span stands in for the one that was asked for."""
    answer = alla.get(f"{DESK}/{page}{name}=31.03.2026")
    assert answer.status_code == 422
    assert "31.03.2026" in answer.text


def test_a_date_before_that_is_none_is_told(alla: httpx.Client) -> None:
    """The span that growth is told against is refused the same way; none at all is none."""
    answer = alla.get(f"{DESK}/lines?measure=growth(visits)&{MARCH}&against_from=x&against_until=y")
    assert answer.status_code == 422
    assert alla.get(f"{DESK}/lines?measure=visits&from=&until=").status_code == 200


def test_shares_among_other_numbers_bear_their_unit() -> None:
    """A growth of -12.5 %, a goal of 10 % and two bookmobiles stand in one column, each clear."""
    columns = (
        ReportColumn(code="target"),
        ReportColumn(code="result", kind=CellKind.NUMBER),
        ReportColumn(code="share", kind=CellKind.RATIO),
    )
    ratio, count = CellKind.RATIO, CellKind.COUNT
    rows = (
        (Cell(value="a"), Cell(value=-0.125, kind=ratio), Cell(value=0.1)),
        (Cell(value="b"), Cell(value=4.75, kind=ratio), Cell(value=None)),
        (Cell(value="c"), Cell(value=2, kind=count), Cell(value=-0.5)),
    )
    table = ReportTable(code="targets", columns=columns, rows=rows)
    report = replace(empty(), tables=(table,))
    text = report_csv(report, Words("en")).decode("utf-8-sig")
    assert [r[1:] for r in csv.reader(io.StringIO(text))][1:] == [
        ["-12.5%", "10.0"], ["475.0%", ""], ["2", "-50.0"],
    ]  # fmt: skip
    made = report_xlsx(report, Words("en"), region_name="R", desk_url="")
    sheet = load_workbook(io.BytesIO(made)).worksheets[1]
    told = [(sheet.cell(k, 2).value, sheet.cell(k, 2).number_format) for k in (2, 3, 4)]
    assert told == [(-0.125, "0.0%"), (4.75, "0.0%"), (2, "#,##0.0")]
    assert sheet.cell(2, 3).value == 10
