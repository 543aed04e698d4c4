"""Plans side by side and sets of plans to choose from: figures, differences, charts, pages."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from api.services.choice_sets import chart_svg, sections_of
from api.services.plan_documents import open_plan
from api.services.scenarios import compared, comparison, price_of
from api.words import Words
from data.db import job_store
from data.db.engine import reading, writing
from data.model.costs import Costs
from data.model.errors import NotFoundError, RequestError
from data.model.jobs import Job, JobKind, JobPlan, JobState
from tests.api.plan_house import PLAN_ID, House, small_house

ACCESS = {
    "people": 900, "mean_s": 300.0, "p90_s": 600.0, "worst_tenth_s": 720.0, "gini": 0.5,
    "worst_id": "x", "worst_name": "Даль", "worst_s": 1200.0, "num_homes": 9, "num_no_way": 0,
    "num_unknown_people": 0,
}  # fmt: skip
FIGURES = {
    "people_reached": 1500, "people_total": 2000, "prize_collected": 1700.0, "stops_served": 3,
    "drive_m": 120_000, "drive_s": 7200, "open_s": 9000, "work_s": 36_000,
    "vehicle_days_used": 4, "bound": 1900.0, "access": ACCESS, "cost": None, "currency": None,
}  # fmt: skip


def job(kind: JobKind, result: dict[str, Any]) -> Job:
    return Job(
        job_id="j" * 32, region_id="chernyakhovsk", kind=kind, params={},
        created_at=datetime.now(UTC), state=JobState.DONE, result=result,
    )  # fmt: skip


FRONTIER = job(
    JobKind.FRONTIER,
    {
        "num_searches": 2, "num_planned": 4, "num_found": 2,
        "plans": [
            FIGURES | {"name": "01-most-people", "best_in": ["most-people"]},
            FIGURES | {"name": "02", "best_in": [], "people_reached": 1200, "drive_m": 90_000},
        ],
    },
)  # fmt: skip
FLEET = job(
    JobKind.FLEET_SIZE,
    {
        "sizes": [
            FIGURES | {"name": "vehicles-01", "num_vehicles": 1, "num_borrowed": 0,
                       "bases": ["Черняховск"], "num_violations": 0},
            FIGURES | {"name": "vehicles-02", "num_vehicles": 2, "num_borrowed": 1,
                       "bases": ["Черняховск"], "num_violations": 0, "people_reached": 1900},
            FIGURES | {"name": "vehicles-03", "num_vehicles": 3, "num_borrowed": 2,
                       "bases": ["Черняховск"], "num_violations": 2},
        ],
        "bases": [
            FIGURES | {"name": "base-a", "base": "Черняховск", "is_own": True, "is_assumed": False,
                       "prize_in_reach": 1000.0, "bound": 1800.0, "is_beaten": False,
                       "num_violations": 0},
            {"name": "base-b", "base": "Гусев", "is_own": False, "is_assumed": True,
             "prize_in_reach": 500.0, "bound": 900.0, "is_beaten": True},
        ],
        "num_base_candidates": 7, "comfortable_s": 5400, "is_cut_short": True,
    },
)  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with small_house(tmp_path_factory.mktemp("house")).serving() as served:
        anna = served.client("anna")
        copied = anna.send("POST", f"/plans/{PLAN_ID}/copy", {"name": "Без <b>Калужского</b>"})
        served.other = copied.json()["plan_id"]
        anna.send(
            "POST",
            f"/plans/{served.other}/edits",
            {"steps": [{"kind": "remove", "stop_id": "kaluzhskoe"}]},
            version=1,
        )
        yield served


def page(house: House, path: str, language: str = "ru") -> tuple[int, str]:
    answer = house.page(path, "anna", language)
    return answer.status_code, answer.text


def test_plans_stand_side_by_side(house: House) -> None:
    """One stop less: its people are missed, told as worse; driving saved is told as better."""
    with reading(house.service.engine) as session:
        opened = [open_plan(session, plan_id) for plan_id in (PLAN_ID, house.other)]
    costs = Costs(currency="₽", per_km=Decimal(20))
    table = comparison(Words("en"), compared(opened, costs))
    lines = {line.label: line.cells for line in table.lines}
    people = lines["People reached"]
    assert [c.text for c in people] == ["1,518", "1,048"]
    assert (people[1].difference, people[1].is_better) == ("\N{MINUS SIGN}470", False)
    cost = next(cells for label, cells in lines.items() if label.startswith("Cost,"))
    assert cost[1].is_better is True
    assert lines["Broken rules"][1].text == "0"


def test_the_page_compares_in_both_languages(house: House) -> None:
    """Names are text, prices change the table, a bad price is told at its field."""
    asked = f"?plan={PLAN_ID}&plan={house.other}"
    status, text = page(house, f"/compare{asked}&cost_km=18,50&currency=руб.")
    assert status == 200
    assert "Без &lt;b&gt;Калужского&lt;/b&gt;" in text
    assert "Затраты, руб." in text
    status, text = page(house, f"/compare{asked}", "en")
    assert "Plans side by side" in text
    status, text = page(house, f"/compare{asked}&cost_km=дорого")
    assert status == 422
    assert "«дорого» — не цена" in text
    assert 'aria-invalid="true"' in text
    assert page(house, "/compare?plan=none")[0] == 404


def test_programs_get_the_figures(house: House) -> None:
    """The same as JSON; an unknown plan and too many are refused."""
    vera = house.client("vera")
    path = f"/regions/{small_region_id(house)}/comparison"
    found = vera.get(path, plan=[PLAN_ID, house.other]).json()
    assert [p["summary"]["people_reached"] for p in found] == [1518, 1048]
    assert [p["num_changes"] for p in found] == [0, 1]
    assert vera.get(path, plan=["none"]).status_code == 404
    assert vera.get(path, plan=["x"] * 9).status_code == 422
    assert vera.get(path).status_code == 422


def test_too_many_or_foreign_plans_are_refused(house: House) -> None:
    """Nine plans are more than a table shows."""
    with reading(house.service.engine) as session:
        opened = [open_plan(session, PLAN_ID)] * 9
    with pytest.raises(RequestError) as refused:
        compared(opened)
    assert refused.value.facts["limit"] == 8


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "1e99", "1 000,5.5", "x"])
def test_a_price_is_a_number_from_nought(text: str) -> None:
    """Whatever is none is refused; comma and point both part decimals."""
    with pytest.raises(RequestError):
        price_of(text, "cost_km")
    assert price_of(" 18,50 ", "cost_km") == Decimal("18.50")
    assert price_of("  ", "cost_km") is None


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_frontier_is_a_table_with_charts(language: str) -> None:
    """A line for each plan, which one can be kept, what cut it short, two charts."""
    words = Words(language)
    kept = [
        JobPlan(name="01-most-people", summary={}, plan_id="p1"),
        JobPlan(name="02", summary={}),
    ]
    (section,) = sections_of(words, FRONTIER, kept)
    assert [c.plan_id for c in section.choices] == ["p1", None]
    assert section.choices[1].name == "02"
    assert len(section.columns) == len(section.choices[0].cells)
    assert any("2" in note and "4" in note for note in section.notes)
    for chart in section.charts:
        svg = chart_svg(words, FRONTIER, chart.name)
        assert svg.startswith("<svg")
        assert "style=" not in svg
    with pytest.raises(NotFoundError):
        chart_svg(words, FRONTIER, "vehicles")


def test_fleets_are_tables_of_sizes_and_bases() -> None:
    """The gain is that of the last vehicle; what breaks rules or is beaten cannot be kept."""
    words = Words("en")
    kept = [JobPlan(name=n, summary={}) for n in ("vehicles-01", "vehicles-02", "base-a")]
    sizes, bases = sections_of(words, FLEET, kept)
    assert [c.cells[3] for c in sizes.choices] == ["+1,500", "+400", "—"]
    assert [c.name for c in sizes.choices] == ["vehicles-01", "vehicles-02", ""]
    assert [c.name for c in bases.choices] == ["base-a", ""]
    assert all(len(c.cells) == len(s.columns) for s in (sizes, bases) for c in s.choices)
    assert "Черняховск" in chart_svg(words, FLEET, "bases")
    assert chart_svg(words, FLEET, "vehicles").count("1900")


def test_the_page_of_a_set_is_shown_to_dispatchers(house: House) -> None:
    """Tables, charts as pictures with words; an analyst is refused; an unknown job is told."""
    with writing(house.service.engine) as session:
        asked = Job(
            job_id="f" * 32, region_id=small_region_id(house), kind=JobKind.FRONTIER,
            params={"kind": "frontier"}, created_at=datetime.now(UTC),
        )  # fmt: skip
        job_store.add_job(session, asked)
    status, text = page(house, f"/choices/{asked.job_id}")
    assert status == 200
    assert "Выбирать не из чего" in text
    assert page(house, "/choices/none")[0] == 404
    answer = house.page(f"/choices/{asked.job_id}", "vera", "en")
    assert answer.status_code == 403


def small_region_id(house: House) -> str:
    with reading(house.service.engine) as session:
        return open_plan(session, PLAN_ID).stored.region_id


def test_the_list_of_plans(house: House) -> None:
    """Each plan with its figures; whoever only reads has no buttons that change anything."""
    status, text = page(house, "/plans")
    assert status == 200
    assert "Winter" in text
    assert "Без &lt;b&gt;Калужского&lt;/b&gt;" in text
    assert "1 518" in text.replace("\N{NO-BREAK SPACE}", " ")
    assert 'data-act="archive"' in text
    reader = house.page("/plans", "vera", "en").text
    assert "data-act" not in reader
    assert "new-plan" not in reader


def test_the_board_of_the_plan_changed_last(house: House) -> None:
    """The area of the desk leads to it."""
    answer = house.page("/board", "anna", "en")
    assert answer.status_code == 303
    assert answer.headers["location"].endswith(f"/plans/{house.other}")


def test_nobody_unknown_sees_plans(house: House, tmp_path: Path) -> None:
    """Pages of plans lead to the sign-in or refuse."""
    for path in ("/plans", f"/plans/{PLAN_ID}", "/compare", "/choices/x", "/basemap.pmtiles"):
        assert house.page(path, None, "en").status_code in (303, 401)
