"""Coverage over HTTP and on the desk: before and after a plan, files, what if, bad input."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from data.model.accounts import Role
from data.model.place import Library, LibraryId, Settlement, SettlementId
from tests.api.publication.office import region
from tests.api.regions.house import add_region
from tests.e2e.plans import add_small_plan
from tests.e2e.service import Running, run_service
from tests.pdf_ua import assert_pdf_ua

API = "/api/v1/regions/kaliningrad/coverage"
DESK = "/desk/kaliningrad/coverage"
FORMULA = "=HYPERLINK(1)"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with four villages, a library in one of them, and a plan that visits three."""
    folder: Path = tmp_path_factory.mktemp("coverage")
    with run_service(folder) as service:
        made = region()
        empty = Settlement(
            settlement_id=SettlementId("gone"), name="Пустое", lon=21.5, lat=54.7, population=0
        )
        formula = replace(made.settlements[3], name=FORMULA)
        library = Library(
            library_id=LibraryId("lib-1"),
            name="Калиновка",
            settlement_id=SettlementId("kalinovka"),
        )
        places = (*made.settlements[:3], formula, empty)
        add_region(service, replace(made, settlements=places, libraries=(library,)))
        add_small_plan(service.engine, "p1", "Зима")
        yield service


@pytest.fixture(scope="module")
def http(running: Running) -> Iterator[httpx.Client]:
    """An analyst's requests."""
    with running.api(Role.ANALYST, language="en") as client:
        yield client


def test_before_and_after_a_plan(http: httpx.Client) -> None:
    """The library serves its own village alone within 2 min; the plan's stops bring the others."""
    asked: dict[str, str | int] = {"plan": "p1", "minutes": 2, "metres": 1000, "on": "2026-11-26"}
    found = http.get(API, params=asked).json()
    total = found["total_class"]
    assert total["total"] == {"settlements": 4, "people": 1558, "unknown": 0}
    assert total["before"]["library"]["people"] == 501
    assert total["ratio_before"] == pytest.approx(501 / 1558)
    stops = {i["name"] for i in found["items"] if i["after"] == "stop"}
    assert stops == {"Калужское", "Каменское"}
    assert total["gained"] == 470 + 547
    assert found["is_estimated"] is True
    assert found["before_name"] == "fixed libraries alone"
    assert found["after_name"] == "plan Зима"
    sizes = found["classes"]["size"]
    assert sum(row["total"]["people"] for row in sizes) == 1558
    left = http.get(API, params=asked | {"among": "left"}).json()
    assert [item["name"] for item in left["items"]] == [FORMULA]
    assert "min by road; the limit is 2 min" in left["items"][0]["reasons"][0]


def test_pages_of_settlements_follow_one_another(http: httpx.Client) -> None:
    """Three at a time, each once, those with most people first."""
    first = http.get(API, params={"limit": 3}).json()
    second = http.get(API, params={"limit": 3, "after": first["next"]}).json()
    names = [item["population"] for item in (*first["items"], *second["items"])]
    assert names == [547, 501, 470, 40]
    assert second["next"] is None


def test_a_cell_that_could_run_as_a_formula_is_text(http: httpx.Client) -> None:
    """A village with a formula for a name is led by an apostrophe."""
    text = http.get(API + ".csv", params={"plan": "p1"}).text.removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["name"] for row in rows if row["settlement_id"] == "zelenyy"] == [f"'{FORMULA}"]
    assert len(rows) == 5


def test_points_for_a_map(http: httpx.Client) -> None:
    """Inhabited settlements as GeoJSON, with what they have in reach."""
    found = http.get(API + ".geojson", params={"among": "left", "minutes": 2}).json()
    assert found["type"] == "FeatureCollection"
    assert {f["properties"]["reach_after"] for f in found["features"]} == {"none"}


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"minutes": 500}, 422, "coverage.limit"),
        ({"metres": -1}, 422, "coverage.limit"),
        ({"plan": "nowhere"}, 404, "plan.unknown"),
        ({"plan": "current"}, 404, "coverage.no_publication"),
    ],
)
def test_what_cannot_be_counted_is_refused(
    http: httpx.Client, asked: dict[str, str], status: int, code: str
) -> None:
    """A limit beyond reason, a plan that is not there, no timetable yet: each by its name."""
    answer = http.get(API, params=asked)
    assert answer.status_code == status
    assert answer.json()["code"] == code


def test_nobody_reads_it_who_is_not_staff(running: Running) -> None:
    """Without signing in there is nothing to see."""
    with running.api(None) as client:
        assert client.get(API).status_code == 401


def test_the_page_links_each_figure_to_its_settlements(http: httpx.Client) -> None:
    """The figures stand on the page; the hostile name is text there."""
    page = http.get(DESK, params={"plan": "p1", "minutes": "2", "metres": "1000"})
    assert page.status_code == 200
    assert "among=left" in page.text
    assert "cut=size&amp;key=0&amp;among=left#settlements" in page.text
    listed = http.get(DESK, params={"plan": "p1", "minutes": "2", "among": "left"}).text
    assert FORMULA in listed
    assert "Калужское" not in listed.split('id="settlements"')[1]


def test_a_limit_in_letters_is_told(http: httpx.Client) -> None:
    """The page says which field it was."""
    page = http.get(DESK, params={"minutes": "soon"})
    assert page.status_code == 422
    assert "minutes is not a number: soon" in page.text


def test_reports_as_files(http: httpx.Client) -> None:
    """Workbook, PDF and map come as files; any other name is refused with those that there are."""
    book = http.get(f"{DESK}/files/coverage.xlsx", params={"plan": "p1"})
    assert book.content.startswith(b"PK")
    assert "attachment" in book.headers["content-disposition"]
    pdf = http.get(f"{DESK}/files/coverage.pdf", params={"plan": "p1"})
    assert pdf.content.startswith(b"%PDF")
    assert_pdf_ua(pdf.content)
    drawn = http.get(f"{DESK}/files/coverage-map.html", params={"plan": "p1"}).text
    assert "default-src 'none'" in drawn
    assert "<script>alert" not in drawn
    assert http.get(f"{DESK}/files/..%2Fpasswd").status_code == 404
    assert http.get(f"{DESK}/size.svg").headers["content-type"].startswith("image/svg+xml")


def test_what_if_a_branch_becomes_a_point_and_a_stop(http: httpx.Client) -> None:
    """Its people keep a stop, lose the library; what they cost is told as far as it is known."""
    page = http.get(
        f"{DESK}/what-if",
        params={"library": "lib-1", "visits": "2", "open": "90", "branch_year": "730 000"},
    )
    assert page.status_code == 200
    assert "What if Калиновка becomes a library point plus a stop" in page.text
    assert "56,000" in page.text
    assert "180" in page.text
    unknown = http.get(f"{DESK}/what-if", params={"library": "lib-9"})
    assert unknown.status_code == 422
    assert "lib-1" in unknown.text
