"""Plans in a browser: the list, names and copies, a new plan with live progress, scenarios."""

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from api.jobs.worker import Worker
from data.db import plan_store, region_store
from data.db.engine import reading, writing
from data.model.accounts import Role
from tests.api.plan_house import small_region
from tests.e2e.plans import add_small_plan
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]

REGION = small_region().region_id
PLANS = f"/desk/{REGION}/plans"
PATIENCE_MS = 120_000


@pytest.fixture(scope="module", autouse=True)
def region(running: Running) -> None:
    """The small region with two plans."""
    with writing(running.engine) as session:
        region_store.add_region(session, small_region(), at=datetime.now(UTC))
    add_small_plan(running.engine, "a" * 32, "Зима")
    add_small_plan(running.engine, "b" * 32, "Весна")


@pytest.fixture(scope="module")
def working(running: Running) -> Iterator[None]:
    """A worker that does the jobs of this module."""
    worker = Worker(running.settings, name="plans-test")
    thread = threading.Thread(target=worker.run)
    thread.start()
    yield
    worker.leave()
    thread.join()


def opened(visitor: Visitor, path: str = PLANS) -> Visitor:
    visitor.page.set_default_timeout(PATIENCE_MS)
    visitor.page.set_default_navigation_timeout(PATIENCE_MS)
    visitor.open(path, ready="[data-live]")
    return visitor


@pytest.mark.parametrize(
    ("language", "width", "height", "dark"),
    [("ru", 1366, 768, False), ("en", 1366, 768, True), ("en", 800, 1180, False)],
)
def test_the_list_is_accessible_and_fits(
    visit: Visit,
    language: str,
    width: int,
    height: int,
    dark: bool,  # noqa: FBT001
) -> None:
    """No fault of WCAG 2.1 A or AA, dialogs included; nothing wider than the window."""
    visitor = opened(
        visit(Role.DISPATCHER, language=language, width=width, height=height, dark=dark)
    )
    assert visitor.axe() == []
    assert visitor.overflow_px() == 0
    visitor.shot("plans")
    visitor.page.locator("[data-open=new-plan]").click()
    assert visitor.axe() == []
    visitor.shot("plans-new")
    visitor.assert_quiet()


def test_a_plan_is_copied_renamed_and_put_away(running: Running, visit: Visit) -> None:
    """From the menu of its line; what is put away is found again."""
    visitor = opened(visit(Role.DISPATCHER, language="ru"))
    page = visitor.page

    def act(name: str, what: str) -> None:
        line = page.locator("tr", has=page.get_by_role("link", name=name, exact=True))
        line.locator("summary").click()
        line.get_by_role("button", name=what).click()

    act("Зима", "Скопировать")
    field = page.locator("#plan-name input[name=name]")
    expect(field).to_have_value("Зима (копия)")
    field.fill("Лето <i>")
    page.get_by_role("button", name="Сохранить").click()
    expect(page.get_by_role("link", name="Лето <i>")).to_be_visible()
    page.wait_for_selector("[data-live]")
    act("Лето <i>", "Переименовать")
    field.fill("Осень")
    page.get_by_role("button", name="Сохранить").click()
    expect(page.get_by_role("link", name="Осень")).to_be_visible()
    page.wait_for_selector("[data-live]")
    act("Осень", "В архив")
    expect(page.get_by_role("link", name="Осень")).to_have_count(0)
    page.get_by_role("link", name="Показать и архивные").click()
    expect(page.get_by_role("link", name="Осень")).to_be_visible()
    with reading(running.engine) as session:
        (gone,) = (
            p
            for p in plan_store.list_plans(session, REGION, with_archived=True)
            if p.name == "Осень"
        )
    assert gone.archived_at is not None
    visitor.assert_quiet()


def test_ticked_plans_are_compared(visit: Visit) -> None:
    """Two ticks and a button: side by side, with prices; accessible in both languages."""
    visitor = opened(visit(Role.ANALYST, language="en"))
    page = visitor.page
    for name in ("Зима", "Весна"):
        page.get_by_role("checkbox", name=f"Compare {name}").check()
    page.get_by_role("button", name="Compare ticked plans").click()
    expect(page.locator("table.compared thead a")).to_have_count(2)
    page.locator("input[name=cost_km]").fill("2.5")
    page.locator("input[name=currency]").fill("EUR")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("table.compared")).to_contain_text("Cost, €")
    assert visitor.axe() == []
    assert visitor.overflow_px() == 0
    visitor.shot("compare", whole=True)
    visitor.assert_quiet()


def test_a_wrong_value_is_told_in_the_form(visit: Visit) -> None:
    """The server's words beside the form, the field marked; nothing was asked for."""
    visitor = opened(visit(Role.DISPATCHER, language="ru"))
    page = visitor.page
    visitor.expect(422)
    page.locator("[data-open=new-plan]").click()
    form = page.locator("#new-plan form")
    form.evaluate("form => { form.noValidate = true; }")
    form.locator("input[name=weeks]").fill("9")
    form.get_by_role("button", name="Составить").click()
    expect(form.locator(".faults .note-bad")).to_be_visible()
    expect(form.locator("input[name=weeks]")).to_have_attribute("aria-invalid", "true")
    assert visitor.axe() == []
    visitor.assert_quiet()


@pytest.mark.usefixtures("working")
def test_a_new_plan_is_made_and_opened(running: Running, visit: Visit) -> None:
    """Asked for in a form, shown while it is searched, opened on the board when it is there."""
    visitor = opened(visit(Role.DISPATCHER, language="ru"))
    page = visitor.page
    page.locator("[data-open=new-plan]").click()
    form = page.locator("#new-plan form")
    form.locator("input[name=name]").fill("Новый год")
    form.locator("input[name=weeks]").fill("2")
    form.locator("input[name=time_limit_s]").fill("2")
    form.get_by_role("button", name="Составить").click()
    expect(page.locator(".job-line progress, .job-line a").first).to_be_visible()
    visitor.shot("plans-job")
    page.locator(".job-line").get_by_role("link", name="Открыть").first.click()
    page.wait_for_selector("body[data-board]")
    expect(page.locator(".plan-name")).to_contain_text("Новый год")
    visitor.assert_quiet()


@pytest.mark.usefixtures("working")
def test_a_set_of_plans_is_looked_at_and_one_kept(running: Running, visit: Visit) -> None:
    """One to two vehicles: table and chart; a plan of the set becomes one of the region."""
    visitor = opened(visit(Role.DISPATCHER, language="en"))
    page = visitor.page
    page.locator("[data-open=new-fleet]").click()
    form = page.locator("#new-fleet form")
    form.locator("input[name=num_vehicles]").fill("2")
    form.locator("input[name=num_bases]").fill("0")
    form.locator("input[name=weeks]").fill("2")
    form.locator("input[name=time_limit_s]").fill("3")
    form.get_by_role("button", name="Start").click()
    page.get_by_role("link", name="Look at").first.click()
    page.wait_for_selector("#choices[data-live]")
    assert visitor.axe() == []
    assert visitor.overflow_px() == 0
    chart = page.locator(".chart img")
    expect(chart).to_have_js_property("complete", value=True)
    assert chart.evaluate("image => image.naturalWidth") > 0
    visitor.shot("choices", whole=True)
    page.get_by_role("button", name=re.compile("Keep and open")).first.click()
    page.wait_for_selector("body[data-board]")
    with reading(running.engine) as session:
        names = [p.name for p in plan_store.list_plans(session, REGION)]
    assert any("vehicles-0" in name for name in names)
    visitor.assert_quiet()
