"""January 2027 can be planned; every output says that the rules of drivers' hours had ended."""

import json
from pathlib import Path

from openpyxl import load_workbook

from data.feeds.region_folder import read_region, write_region
from tests.api.runner import Terminal

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "samples" / "kaliningrad"
DATES = ("--from", "2027-01-11", "--until", "2027-01-16", "--time-limit", "2")
SOURCE = "consultant.ru cons_doc_LAW_409550"


def test_every_output_says_that_rules_are_provisional(bookmobile: Terminal, tmp_path: Path) -> None:
    """Name, end and source stand in the terminal, the map, the workbook, JSON and the plan file."""
    out = tmp_path / "out"
    for language, word in (("en", "PROVISIONAL"), ("ru", "ПРЕДВАРИТЕЛЬНЫЕ")):
        told = bookmobile("plan", "kaliningrad", *DATES, "--out", out, "--lang", language)
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
    told = bookmobile("plan", "kaliningrad", *DATES, "--out", out, "--json")
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
