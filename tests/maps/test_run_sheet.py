"""The printed sheet holds all that a crew needs of a run."""

import re
from dataclasses import replace
from datetime import date

from api.words import Words
from data.model.plan import Plan
from maps.run_sheet import run_sheets_html
from tests import plan_example as example

UNTIL = date(2026, 8, 30)


def sheets(language: str = "en") -> list[str]:
    page = run_sheets_html(example.request(), example.plan(), Words(language), until=UNTIL)
    return page.split('<section class="sheet">')


def test_one_sheet_a_run_in_order_of_days() -> None:
    """Four runs, four sheets, numbered."""
    found = sheets()
    assert len(found) == 1 + 4
    assert [f"{k} of 4" in sheet for k, sheet in enumerate(found) if k] == [True] * 4


def test_a_sheet_says_all_of_a_run() -> None:
    """Ids, times, driving, people, notes, meal, totals; unknown people are not zero."""
    first = sheets()[1]
    for text in (
        "cottesmore",
        "09:50",
        '<td class="n key">10:00</td><td class="n key">11:00</td>',
        "10 / 8",
        "1,999",
        "ground: asphalt; step-free; contact: Shop; =Park by the pump",
        "Meal break 11:05–11:35",
        "driving 0 h 30 min, open 2 h 0 min, work 3 h 45 min",
        "30 / 24",
        "ESTIMATED",
        "Exton &lt;b&gt;&amp;&lt;/b&gt;",
    ):
        assert text in first
    school = next(s for s in sheets() if "Greetham School" in s)
    assert "private" in school
    assert ">?</td>" in school


def test_all_dates_of_the_repetitions_are_listed() -> None:
    """The run of 4 March is not made on 1 April: its vehicle is off that day."""
    north = next(s for s in sheets() if "Greetham School" in s)
    assert "2026: 4 Mar, 29 Apr, 27 May, 24 Jun, 22 Jul, 19 Aug" in north


def test_words_are_all_known() -> None:
    """No code is left in either language, and nothing is fetched."""
    for language in ("ru", "en"):
        page = "".join(sheets(language))
        assert not re.search(r"sheet\.[a-z]+(?!\s*\{)[._]", page.split("</style>")[1])
        assert "://" not in page
    assert "Маршрутный лист" in "".join(sheets("ru"))


def test_a_plan_without_runs_is_an_empty_page() -> None:
    """Nothing to print is no error."""
    page = run_sheets_html(example.request(), Plan(runs=()), Words("ru"), until=UNTIL)
    assert "<section" not in page


def test_people_of_no_known_number_add_up_to_no_number() -> None:
    """Where nobody knows how many live at any stop of a run, the total is not zero."""
    request = example.request()
    unknown = replace(request, stops=tuple(replace(s, people=None) for s in request.stops))
    page = run_sheets_html(unknown, example.plan(), Words("en"), until=UNTIL)
    total = page.split('<section class="sheet">')[1].split("Total")[1]
    assert '<td class="n">?</td>' in total
