"""Coverage in a real browser: figures, what they open, before and after a plan, files."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from data.model.accounts import Role
from tests.api.regions.house import add_bundled
from tests.e2e.plans import add_small_plan
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
PATIENCE_MS = 240_000
COVERAGE = "/desk/kaliningrad/coverage?on=2026-11-26"


@pytest.fixture(scope="module", autouse=True)
def kaliningrad(running: Running) -> Iterator[None]:
    """The bundled region with a small plan whose stop has a hostile name."""
    add_bundled(running)
    add_small_plan(running.engine, "p1", "Зима <b>", hostile="<script>alert(1)</script>")
    yield


def open_coverage(desk: Visitor, path: str = COVERAGE) -> None:
    desk.open(path)
    desk.page.wait_for_selector("#settlements", timeout=PATIENCE_MS)


@pytest.mark.parametrize(("language", "width", "height"), [("ru", 1366, 768), ("en", 800, 1180)])
def test_figures_map_and_tables(visit: Visit, language: str, width: int, height: int) -> None:
    """Before and after a plan, with everything beside its table; pictures load; axe is content."""
    desk = visit(Role.ANALYST, language=language, width=width, height=height)
    open_coverage(desk, COVERAGE + "&plan=p1")
    main = desk.page.locator("main")
    expect(main).to_contain_text("Зима <b>")
    expect(main).to_contain_text({"ru": "95,2", "en": "95.2"}[language])
    for picture in desk.page.locator("main img").all():
        picture.scroll_into_view_if_needed()
        expect(picture).to_have_js_property("complete", value=True)
        assert picture.evaluate("image => image.naturalWidth") > 0
    assert desk.axe() == []
    assert desk.overflow_px() == 0
    desk.shot("coverage", whole=True)
    desk.assert_quiet()


def test_a_figure_opens_the_settlements_that_it_counts(visit: Visit) -> None:
    """The number of settlements left without in a municipality is that of the list it opens."""
    desk = visit(Role.ANALYST, language="ru")
    open_coverage(desk)
    row = desk.page.locator("#t-municipality ~ div tbody tr", has_text="Правдинский")
    left = row.locator("td").last
    number = left.inner_text()
    left.get_by_role("link").click()
    desk.page.wait_for_selector("#settlements")
    expect(desk.page.locator("#settlements [role=status]")).to_contain_text(number)
    expect(desk.page.locator("#settlements tbody tr").first).to_contain_text("Правдинский")
    expect(desk.page.locator("#settlements tbody tr").first).to_contain_text("при пределах")
    desk.assert_quiet()


def test_a_wrong_limit_is_told_with_what_to_do(visit: Visit) -> None:
    """Letters for minutes: the page says which field, what was written, and what to give."""
    desk = visit(Role.ANALYST, language="en")
    desk.expect(422)
    desk.open("/desk/kaliningrad/coverage?minutes=soon")
    expect(desk.page.get_by_role("alert")).to_contain_text("minutes is not a number: soon")
    assert desk.axe() == []


def test_what_if_a_branch_goes(visit: Visit) -> None:
    """A branch is chosen, the page tells people, minutes and money; axe is content."""
    desk = visit(Role.ANALYST, language="ru")
    desk.open("/desk/kaliningrad/coverage/what-if")
    assert desk.axe() == []
    desk.page.locator("select[name=library]").select_option("lib-14")
    desk.page.get_by_label("Стоянок за 4 недели").fill("2")
    desk.page.get_by_label("Филиал стоит в год").fill("900 000")
    desk.page.get_by_role("button", name="Посчитать").click()
    desk.page.wait_for_selector("#t-changed", timeout=PATIENCE_MS)
    main = desk.page.locator("main")
    expect(main).to_contain_text("станет библиотечным пунктом со стоянкой")
    expect(main.locator("[aria-labelledby=t-changed] tbody")).to_contain_text("Рыбачий")
    assert desk.axe() == []
    desk.shot("coverage-what-if", whole=True)
    desk.assert_quiet()


@pytest.mark.parametrize(("language", "width"), [("ru", 1366), ("ru", 390), ("en", 1366)])
def test_what_stands_behind_figures(visit: Visit, language: str, width: int) -> None:
    """From a P90 to its settlement, from open minutes to who shares a stop, from people to whom."""
    desk = visit(Role.ANALYST, language=language, width=width, height=768)
    open_coverage(desk, COVERAGE + "&plan=p1")
    row = desk.page.locator("#t-equity ~ div tbody tr").nth(1)
    row.locator("td").nth(2).get_by_role("link").click()
    desk.page.wait_for_selector("#lines")
    expect(desk.page.locator("#p90")).to_contain_text("P90")
    expect(desk.page.locator(".behind-sums li")).to_have_count(4)
    assert desk.axe() == []
    assert desk.overflow_px() == 0
    desk.shot("coverage-equity")
    open_coverage(desk, COVERAGE + "&plan=p1&cut=walk&key=0")
    desk.page.locator("#settlements tbody tr").first.locator("td.num a").click()
    expect(desk.page.locator("tfoot")).to_be_visible()
    assert desk.axe() == []
    desk.page.locator("tbody td.num a").first.click()
    expect(desk.page.locator("tfoot")).to_be_visible()
    assert desk.axe() == []
    assert desk.overflow_px() == 0
    desk.open("/desk/kaliningrad/coverage/what-if?library=lib-14&visits=2&branch_year=900000")
    desk.page.wait_for_selector("#t-made", timeout=PATIENCE_MS)
    assert desk.axe() == []
    assert desk.overflow_px() == 0
    desk.page.locator("#t-what_if ~ div tbody tr").nth(1).get_by_role("link").last.click()
    expect(desk.page.locator("main tbody tr")).to_have_count(100)
    assert desk.axe() == []
    desk.assert_quiet()
