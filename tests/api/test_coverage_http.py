"""Coverage over HTTP and on the desk: before and after a plan, files, what if, bad input."""

import csv
import html
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from api.services.coverage_links import CoverageLinks
from api.services.coverage_prices import prices_behind
from api.services.coverage_what_if import _stop_cost
from data.db import publication_store
from data.db.engine import reading
from data.model.accounts import Role
from data.model.costs import Costs, FuelKind
from data.model.place import Library, LibraryId, Settlement, SettlementId
from data.model.report_settings import ReportSettings
from data.model.service_costs import CostPrices
from tests.api.publication.office import region
from tests.api.regions.house import add_region
from tests.e2e.plans import add_small_plan
from tests.e2e.service import Running, run_service
from tests.paper_links import links_on_paper
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
        add_region(
            service,
            replace(made, settlements=places, libraries=(library,), norm_set_id="sp42-30min"),
        )
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


def test_a_day_begins_by_the_regions_clocks(running: Running) -> None:
    """Half an hour past midnight in Kaliningrad it is still the day before in UTC."""
    evening = datetime(2026, 11, 30, 22, 30, tzinfo=UTC)
    with reading(running.engine) as session:
        assert publication_store.today_in(session, "kaliningrad", evening) == date(2026, 12, 1)


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


def listed(page: str) -> tuple[int, int]:
    """Settlements and people that a page of the desk says it lists."""
    told = re.search(r'role="status">([\d,]+) settlements?[^<]*?: (-?[\d,]+)<', page)
    assert told is not None, page[page.index("<main") :][:3000]
    return number(told[1]), number(told[2])


def number(text: str) -> int:
    return int(text.replace(",", ""))


@pytest.mark.parametrize("against", ["", "p1"])
def test_figures_on_paper_and_in_the_workbook_open_what_they_count(
    http: httpx.Client, against: str
) -> None:
    """Each count is that of the list which it opens; a share is that of its people; both files
    lead to the same places. Where the plan goes, its people are the balance of the increase."""
    asked = {"plan": "" if against else "p1", "against": against, "minutes": "2"}
    paper = links_on_paper(http.get(f"{DESK}/files/coverage.pdf", params=asked).content)
    body = http.get(f"{DESK}/files/coverage.xlsx", params=asked).content
    book = load_workbook(io.BytesIO(body))
    led = {
        "#".join(filter(None, (cell.hyperlink.target, cell.hyperlink.location)))
        for sheet in book.worksheets
        for cell in chain.from_iterable(sheet.iter_rows())
        if cell.hyperlink is not None and cell.data_type == "n"
    }
    # On paper those left without are listed, too; in the workbook everybody's open minutes.
    assert {x.address for x in paper if "/verdict?" not in x.address} == {
        x for x in led if "/open-minutes?" not in x
    }
    opened, pages = 0, dict[str, str]()
    for link in paper:
        if "/needs?" in link.address:
            assert "norm=sp42-30min" in link.address
            assert number(link.text) in listed(http.get(link.address).text)
        if not link.address.endswith("#settlements") or (against and "changed" not in link.address):
            continue
        if link.address not in pages:
            pages[link.address] = http.get(link.address).text
        count, people = listed(pages[link.address])
        if "." in link.text:
            every = re.sub(r"&(among|before|after)=\w+", "", link.address)
            pages.setdefault(every, http.get(every).text if every not in pages else "")
            whole = listed(pages[every])[1]
            assert float(link.text) == pytest.approx(100 * people / whole, abs=0.05), link
        else:
            assert number(link.text) in (count, people), link
        opened += 1
    assert opened > (5 if against else 60)
    gained = next(n for a, p in pages.items() if "among=changed" in a for n in [listed(p)[1]] if n)
    assert gained < 0 if against else gained > 0


def test_equity_opens_its_sums(http: httpx.Client) -> None:
    """Every line in the workbook: a plain loop over it comes to the figures of the table."""
    asked = {"plan": "p1", "minutes": "2"}
    figures = http.get(API, params=asked).json()["equity"]
    for one in figures:
        whom, when = one["group"] or one["kind"], "after" if one["is_after"] else "before"
        more = asked | {"whom": whom, "when": when}
        body = http.get(f"{DESK}/equity.xlsx", params=more).content
        rows = list(load_workbook(io.BytesIO(body)).worksheets[1].iter_rows(2, values_only=True))
        minutes: list[float] = [float(str(row[3])) for row in rows]
        people: list[float] = [float(str(row[4])) for row in rows]
        assert minutes == sorted(minutes)
        whole = sum(people)
        mean = sum(m * n for m, n in zip(minutes, people, strict=True)) / whole
        assert one["mean_s"] == pytest.approx(60 * mean)
        passed, at = 0.0, -1
        while passed < 0.9 * whole - 1e-6:
            at += 1
            passed += people[at]
        assert one["p90_s"] == pytest.approx(60 * minutes[at])
        worst = sum(float(str(row[8])) * m for row, m in zip(rows, minutes, strict=True))
        assert one["worst_tenth_s"] == pytest.approx(60 * worst / (whole / 10))
        assert one["gini"] == pytest.approx(1 - sum(float(str(r[10] or 0)) for r in rows), abs=1e-9)
        page = http.get(f"{DESK}/equity", params=more | {"figure": "p90"}).text
        assert str(rows[at][1]).replace("=", "&#61;") in page or str(rows[at][1]) in page
        assert f"{round(mean, 1):.1f}".rstrip("0").rstrip(".") in page
    assert {f["group"] or f["kind"] for f in figures} == {"population", "weighted", "lacking"}
    for wrong in ({"whom": "cats"}, {"whom": "seniors"}, {"when": "now"}):
        assert http.get(f"{DESK}/equity", params=asked | wrong).status_code == 404


def test_open_minutes_open_their_stops_and_who_shares_them(http: httpx.Client) -> None:
    """A settlement's minutes for 1,000 people are the sum over its stops, each shared by all."""
    asked = {"plan": "p1", "minutes": "2"}
    lines = http.get(API, params=asked).json()["items"]
    known = [x for x in lines if x["open_minutes_per_1000"] is not None]
    assert known
    for line in known:
        more = asked | {"settlement": line["settlement_id"]}
        page = http.get(f"{DESK}/open-minutes", params=more).text
        parts = [float(x.replace(",", "")) for x in re.findall(r'num">([\d,]+\.\d)</td>', page)]
        assert parts[-1] == pytest.approx(line["open_minutes_per_1000"], abs=0.06)
        assert parts[-1] == pytest.approx(sum(parts[:-1]), abs=0.2)
        stops = re.findall(r'href="([^"]*stop=[^"]*)">([\d,]+)<', page)
        assert len(stops) == len(parts) - 1
        for address, people in stops:
            shared = http.get(html.unescape(address)).text
            counts = re.findall(r'<td class="num">([\d,]+)</td></tr>', shared)
            assert sum(map(number, counts[:-1])) == number(counts[-1]) == number(people)
    assert http.get(f"{DESK}/open-minutes", params={"settlement": "nowhere"}).status_code == 404
    assert http.get(f"{DESK}/open-minutes", params={"stop": "nowhere"}).status_code == 404


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
    chart = http.get(f"{DESK}/size.svg")
    assert chart.headers["content-type"].startswith("image/svg+xml")
    known = {"if-none-match": chart.headers["etag"]}
    assert http.get(f"{DESK}/size.svg", headers=known).status_code == 304
    assert http.get(f"{DESK}/size.svg?minutes=3", headers=known).status_code == 200


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


def test_each_number_of_what_if_opens_what_it_is_made_of(http: httpx.Client) -> None:
    """Counts open their settlements, means their times, kilometres and money the reckoning."""
    asked = {"library": "lib-1", "visits": "2", "open": "90", "branch_year": "730 000",
             "plan": "p1", "minutes": "2"}  # fmt: skip
    page = http.get(f"{DESK}/what-if", params=asked).text
    summary = page[page.index('id="t-what_if"') : page.index('id="t-made"')]
    cells = re.findall(r'<td class="num">(.*?)</td>', summary)
    assert [c for c in cells if re.search(r"\d", re.sub("<.*?>", "", c)) and "<a " not in c] == []
    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', summary)
    assert len(links) >= 12
    for address, text in links:
        if address.startswith("#"):
            assert f'id="{address[1:]}"' in page
            continue
        behind = http.get(html.unescape(address)).text
        if text == "0":
            assert "<tbody>" not in behind
            continue
        rows = re.findall(r"<tr>.*?</tr>", behind[behind.index("<tbody>") :], re.DOTALL)
        sums = [re.findall(r'num">([\d,]+)</td>', row)[-1] for row in rows if "<td" in row]
        if "figure=mean" in address or "figure=p90" in address:
            assert f"= {text}\u00a0min" in behind or f": {text}\u00a0min" in behind
        else:
            assert number(sums[-1]) == number(text), address
    made = page[page.index('id="t-made"') : page.index('id="t-changed"')]
    assert "2 × 90" in made
    assert "730,000.00\u00a0RUB × 28 ÷ 365" in made
    assert "56,000.00\u00a0RUB" in made
    assert http.get(f"{DESK}/what-if/lines", params=asked | {"figure": "cats"}).status_code == 404


def test_the_price_of_a_kilometre_is_taken_apart() -> None:
    """Fuel by the mean of the bookmobiles and wear come to the price that is reckoned with."""
    fuel = {FuelKind.DIESEL: Decimal("71.30"), FuelKind.PETROL: Decimal("62.10")}
    sources = {"fuel.diesel": "АЗС", "crew_hour": "Штат"}
    prices = CostPrices(
        fuel=fuel, vehicle_km=Decimal("9.40"), crew_hour=Decimal(655), sources=sources
    )
    first, second = region().vehicles[:2]
    place = replace(
        region(),
        costs=Costs(),
        vehicles=(
            replace(first, fuel=FuelKind.DIESEL, fuel_per_100km=18.0),
            replace(second, fuel=FuelKind.PETROL, fuel_per_100km=15.5),
        ),
    )
    found = prices_behind(ReportSettings(prices=prices), place)
    by_hand = (Decimal("71.30") * 18 + Decimal("62.10") * Decimal("15.5")) / 200 + Decimal("9.40")
    assert found.costs.per_km == by_hand
    assert found.fuel_km is not None and found.fixed_km is not None
    assert found.fuel_km + found.fixed_km == by_hand
    assert [(o.setting, o.source) for o in (*found.of_km, *found.of_hour)] == [
        ("price.fuel.diesel", "АЗС"), ("price.fuel.petrol", ""), ("price.vehicle_km", ""),
        ("price.crew_hour", "Штат"),
    ]  # fmt: skip
    own = Costs(currency="RUB", per_km=Decimal(30))
    assert prices_behind(ReportSettings(prices=prices), replace(place, costs=own)).fuels == ()


def test_a_link_keeps_what_was_compared() -> None:
    """No plan is a choice: left out of an address, the timetable in force would be taken."""
    links = CoverageLinks(root="/desk/r", asked={"plan": "", "minutes": "", "text": "x"})
    assert links.settlements(among="left") == "/desk/r/coverage?plan=&among=left#settlements"
    unknown = links.settlements(cut="size", key="")
    assert unknown == "/desk/r/coverage?plan=&cut=size&key=#settlements"
    assert CoverageLinks(root="/desk/r", asked={}).address("/equity") == "/desk/r/coverage/equity"


@pytest.mark.parametrize("price", ["per_km", "per_hour"])
def test_half_of_the_prices_is_no_cost_of_a_stop(price: str) -> None:
    """With one price alone savings would be too large: the cost is not known."""
    both = Costs(currency="RUB", per_km=Decimal(30), per_hour=Decimal(600))
    assert _stop_cost(both, 10.0, 2.0) == Decimal("1500.00")
    lacking: dict[str, Any] = {price: None}
    assert _stop_cost(replace(both, **lacking), 10.0, 2.0) is None


@pytest.mark.parametrize("page", ["norms", "rules", "stops", "settlements", "libraries"])
def test_every_register_opens(http: httpx.Client, page: str) -> None:
    """Norms tell their source in several languages, crew rules in that of their country."""
    assert http.get(f"/desk/kaliningrad/{page}").status_code == 200
