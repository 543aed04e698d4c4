"""January 2027 can be planned; every output says that the rules of drivers' hours had ended."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from data.db import region_store
from data.db.engine import writing
from data.feeds.region_folder import read_region, write_region
from data.model.accounts import Role
from data.model.fleet import RuleSet, RuleSetId
from data.model.plan import PlanRequest
from tests.api.plan_house import small_region
from tests.api.runner import Terminal
from tests.e2e.plans import add_plan
from tests.e2e.service import Running
from tests.planner.examples import RULES, make_plan, make_request

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "samples" / "kaliningrad"
DATES = ("--from", "2027-01-11", "--until", "2027-01-16", "--time-limit", "1")
SOURCE = "consultant.ru cons_doc_LAW_409550"
PLAN = "a" * 32


def test_every_output_says_that_rules_are_provisional(bookmobile: Terminal, tmp_path: Path) -> None:
    """Name, end and source stand in the terminal, the map, the workbook, JSON and the plan file."""
    folder, out = tmp_path / "region", tmp_path / "out"
    rules = (RuleSetId("ru-424"), RuleSetId("ru-pdd26"))
    write_region(replace(small_region(), default_rule_set_ids=rules), folder)
    for language, word in (("en", "PROVISIONAL"), ("ru", "ПРЕДВАРИТЕЛЬНЫЕ")):
        told = bookmobile("plan", folder, *DATES, "--out", out, "--lang", language)
        assert told.code == 0, told.said
        said = " ".join(told.said.split())
        assert word in said
        assert "ru-424" in said
        assert SOURCE in said
        page = (out / "map.html").read_text(encoding="utf-8")
        assert word in page
        assert SOURCE in page
        cells = [
            str(cell)
            for sheet in load_workbook(out / "plan.xlsx")
            for row in sheet.iter_rows(values_only=True)
            for cell in row
        ]
        assert any(word in cell for cell in cells)
    (stored,) = json.loads((out / "plan.json").read_text("utf-8"))["request"]["provisional_rules"]
    assert (stored["rule_set_id"], stored["valid_to"]) == ("ru-424", "2027-01-01")
    told = bookmobile("plan", folder, *DATES, "--out", out, "--json")
    (fact,) = json.loads(told.said[told.said.index("{") : told.said.rindex("}") + 1])[
        "provisional_rules"
    ]
    assert (fact["rule_set"], fact["ended"]) == ("ru-424", "2027-01-01")
    assert SOURCE in fact["source"]


def test_a_region_that_refuses_says_how_to_go_on(bookmobile: Terminal, tmp_path: Path) -> None:
    """The setting survives reading and writing; the refusal names it, the set and the way out."""
    folder = tmp_path / "region"
    write_region(read_region(SAMPLE), folder)
    head = folder / "region.toml"
    text = head.read_text(encoding="utf-8").replace(
        "[crew]\n", "[crew]\nrefuse_ended_rules = true\n"
    )
    head.write_text(text, encoding="utf-8")
    assert read_region(folder).refuses_ended_rules
    copy = tmp_path / "copy"
    write_region(read_region(folder), copy)
    assert read_region(copy).refuses_ended_rules
    told = bookmobile("plan", copy, *DATES, "--out", tmp_path / "out")
    assert told.code == 2
    said = " ".join(told.said.split())
    assert "ru-424" in said
    assert "refuse_ended_rules" in said


def with_ended_rules() -> PlanRequest:
    """The small request whose drivers' rules end before its last date."""
    ended = RuleSet(
        rule_set_id=RuleSetId("ru-424"),
        name="Приказ № 424 <b>",
        rules=RULES,
        source="consultant.ru cons_doc_LAW_409550; read 2026",
        valid_to=date(2026, 12, 5),
    )
    return replace(make_request(), provisional_rules=(ended,))


@pytest.fixture(scope="module")
def desk(running: Running) -> str:
    """The desk of a region whose only plan goes on under ended rules."""
    with writing(running.engine) as session:
        region_store.add_region(session, small_region(), at=datetime.now(UTC))
    add_plan(running.engine, PLAN, "Зима", with_ended_rules(), make_plan())
    return f"/desk/{small_region().region_id}"


@pytest.mark.parametrize(
    ("language", "word", "until"),
    [("en", "PROVISIONAL", "13 Dec 2026"), ("ru", "ПРЕДВАРИТЕЛЬНЫЕ", "13 дек. 2026")],
)
def test_every_page_of_a_plan_says_so(
    running: Running, desk: str, language: str, word: str, until: str
) -> None:
    """The list, the comparison and the page that publishes, in the reader's language, escaped."""
    with running.api(Role.DISPATCHER, language) as asked:
        pages = [
            asked.get(desk + path, headers={"accept": "text/html"})
            for path in ("/plans", f"/compare?plan={PLAN}",
                         f"/timetable/publish?plan={PLAN}&from=2026-11-30")
        ]  # fmt: skip
    for page in pages:
        assert page.status_code == 200, page.text
        assert word in page.text
        assert "Приказ № 424 &lt;b&gt;" in page.text
        assert until in page.text
        assert SOURCE in page.text
        assert "rule_sets.toml" not in page.text


def test_the_api_says_so(running: Running, desk: str) -> None:
    """Lists, one plan and the board give the note in words; the facts of a plan as values."""
    with running.api(Role.DISPATCHER) as asked:
        one = asked.get(f"/api/v1/plans/{PLAN}").json()
        listed = asked.get("/api/v1/regions/kaliningrad/plans").json()["items"]
        board = asked.get(f"/api/v1/plans/{PLAN}/board").json()
    (note,) = one["notes"]
    assert "PROVISIONAL" in note
    assert listed[0]["notes"] == board["frame"]["notes"] == [note]
    (told,) = one["facts"]["provisional_rules"]
    assert (told["rule_set_id"], told["ended"], told["source"]) == ("ru-424", "2026-12-05", SOURCE)
