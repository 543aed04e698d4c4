"""The dispatcher's timetable: publish with a diff, cancel, make up, take back; keyboard alone."""

from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Page

from data.model.accounts import Role
from data.model.publication import VisitState
from tests.api.publication.office import NOW, REGION, Office
from tests.api.publication.test_publishing import later_plan
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit
from tests.planner.examples import make_plan, make_request, shifted

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]
DESK = f"/desk/{REGION}"
TUESDAY = NOW.date() + timedelta(5)
SCREENS = [("ru", 1366, 768, False), ("en", 800, 1180, True)]


@pytest.fixture(scope="module")
def office(running: Running) -> Office:
    """A region with a plan that keeps the rules, one that moves a time, one that breaks a rule."""
    office = Office(running.engine)
    running.service.clock = lambda: office.now
    office.add_plan("plan-2", make_request(), later_plan())
    first, second = make_plan().runs
    broken = replace(make_plan(), runs=(shifted(first, -4 * 3600), second))
    office.add_plan("plan-3", make_request(), broken)
    return office


def choose(page: Page, plan_id: str, until: str = "2027-01-24") -> None:
    """Ask for the changes that a plan makes."""
    page.locator("select[name=plan]").select_option(value=plan_id)
    page.get_by_label("Последний день").fill(until)
    page.get_by_role("button", name="Показать изменения").click()
    page.wait_for_selector("#diff")


def test_publish_with_its_diff_and_its_cap(office: Office, visit: Visit) -> None:
    """First everything is new; then a moved time is shown, capped, allowed, published."""
    desk = visit(Role.DISPATCHER, language="ru")
    page = desk.open(f"{DESK}/timetable")
    assert "Ещё ничего не опубликовано" in page.locator("main").inner_text()
    page.get_by_role("link", name="Опубликовать план").click()
    page.wait_for_selector("body[data-ready]")
    choose(page, office.plan_ids["plan-1"])
    assert "первый график" in page.locator("main").inner_text()
    page.get_by_role("button", name="Опубликовать").click()
    page.wait_for_url("**/timetable?published=1")
    assert "Версия 1 опубликована" in page.get_by_role("status").first.inner_text()
    assert len(office.visits()) == 16

    desk.open(f"{DESK}/timetable/publish")
    page.get_by_label("Сколько стоянок можно перенести или снять").fill("3")
    choose(page, office.plan_ids["plan-2"])
    table = page.locator("table").inner_text()
    assert "вт 14:00–15:00 → вт 14:30–15:30" in table
    assert "4 стоянки, с 1 декабря" in table
    assert "Так опубликовать нельзя" in page.locator("main").inner_text()
    assert page.get_by_role("button", name="Опубликовать").count() == 0
    assert desk.axe() == []
    desk.shot("desk-publish-capped", whole=True)
    page.get_by_label("Сколько стоянок можно перенести или снять").fill("4")
    choose(page, office.plan_ids["plan-2"])
    page.get_by_label("Примечание для коллег").fill("Позже на полчаса")
    page.get_by_role("button", name="Опубликовать").click()
    page.wait_for_url("**/timetable?published=2")
    assert office.visit("kaluzhskoe", TUESDAY).opens_s == 14.5 * 3600

    desk.open(f"{DESK}/timetable/publish")
    assert "нарушен" in page.get_by_role("option", name="plan-3").inner_text()
    choose(page, office.plan_ids["plan-3"])
    assert "нарушает правила" in page.locator("main").inner_text()
    assert page.get_by_role("button", name="Опубликовать").count() == 0
    desk.shot("desk-publish-broken", whole=True)
    desk.assert_quiet()


def test_cancel_make_up_and_take_back_by_keyboard(office: Office, visit: Visit) -> None:
    """From the timetable to the preview, the offers and back, without touching the mouse."""
    ensure_published(office)
    before = office.visit("kaluzhskoe", TUESDAY)
    desk = visit(Role.DISPATCHER, language="ru")
    page = desk.open(f"{DESK}/timetable?from=2026-11-30")
    press_link(page, "Отменить выезд: КИБО-1, 1 декабря")
    page.wait_for_selector("#ask")
    assert page.get_by_label("Выезд: одна машина, один день").is_checked()
    page.locator("select[name=reason]").focus()
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    page.get_by_label("Примечание для читателей").focus()
    page.keyboard.type("Мост закрыт.")
    page.keyboard.press("Enter")
    page.wait_for_selector("#shown")
    assert page.evaluate("document.activeElement.id") == "shown"
    told = page.locator("main").inner_text()
    assert "2 стоянки" in told
    assert "в этих местах живёт 971 человек" in told
    assert "вт, 8 дек., 10:15" in page.get_by_role("row", name="Калиновка").inner_text()
    assert desk.axe() == []
    desk.shot("desk-cancel", whole=True)
    page.get_by_role("button", name="Отменить 2 стоянки").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/exceptions/*told=done")
    assert office.visit("kaluzhskoe", TUESDAY).state is VisitState.CANCELLED
    desk.shot("desk-exception", whole=True)
    press_link(page, "Подобрать: Калужское")
    page.wait_for_selector("#offers")
    assert page.evaluate("document.activeElement.id") == "offers"
    assert desk.axe() == []
    desk.shot("desk-offers", whole=True)
    page.get_by_role("button", name="Назначить: 2 декабря").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**told=made_up")
    assert "ср, 2 дек." in page.get_by_role("row", name="Калужское").inner_text()
    page.get_by_role("button", name="Снять отмену").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**told=undone")
    after = office.visit("kaluzhskoe", TUESDAY)
    assert (after.state, after.reason) == (before.state, before.reason)
    assert after.sequence == before.sequence + 2
    assert not [v for v in office.visits() if v.make_up_for and v.is_told]
    desk.assert_quiet()


def press_link(page: Page, name: str) -> None:
    """Go to a link by its name and press Enter."""
    page.get_by_role("link", name=name).first.focus()
    page.keyboard.press("Enter")


def ensure_published(office: Office) -> None:
    if not office.visits():
        office.publish()


def test_what_was_shown_is_what_is_cancelled(office: Office, visit: Visit) -> None:
    """A colleague cancels one of the visits in between: a conflict, and the list anew."""
    ensure_published(office)
    day = NOW.date() + timedelta(19)
    desk = visit(Role.DISPATCHER, language="ru")
    page = desk.open(f"{DESK}/cancel?scope=day&from={day}&reason=weather")
    assert "2 стоянки" in page.locator("main").inner_text()
    done = office.cancel("visit", visit_id=office.visit("kaluzhskoe", day).visit_id)
    desk.expect(409)
    page.get_by_role("button", name="Отменить 2 стоянки").click()
    page.get_by_text("стоянки изменились").wait_for()
    assert office.visit("kalinovka", day).is_coming
    page.get_by_role("button", name="Отменить 1 стоянку").click()
    page.wait_for_url("**told=done")
    office.undo(page.url.split("/exceptions/")[1].split("?")[0])
    office.undo(done.exception_id)


@pytest.mark.parametrize(("language", "width", "height", "dark"), SCREENS)
def test_every_page_is_accessible_and_fits(
    office: Office,
    visit: Visit,
    language: str,
    width: int,
    height: int,
    dark: bool,  # noqa: FBT001
) -> None:
    """No violation of WCAG 2.1 AA, nothing wider than the window, no complaint."""
    ensure_published(office)
    done = office.cancel("day", from_date=NOW.date() + timedelta(33))
    plan_id = office.plan_ids["plan-2"]
    desk = visit(Role.DISPATCHER, language=language, width=width, height=height, dark=dark)
    desk.expect(422)
    for name, path in {
        "timetable": "/timetable?from=2026-12-21",
        "stop": "/timetable?stop=kalinovka",
        "publish": f"/timetable/publish?plan={plan_id}&until=2027-01-24",
        "publish-wrong": f"/timetable/publish?plan={plan_id}&from=2020-01-01",
        "cancel-ask": "/cancel",
        "cancel-wrong": "/cancel?scope=run&reason=weather",
        "cancel-closed": "/cancel?scope=closed&from=2027-03-08&reason=holiday",
        "exception": f"/exceptions/{done.exception_id}",
    }.items():
        desk.open(DESK + path)
        assert desk.axe() == [], path
        assert desk.overflow_px() == 0, path
        desk.shot(f"desk-{name}", whole=True)
    desk.assert_quiet()
    office.undo(done.exception_id)


def test_an_analyst_looks_and_changes_nothing(office: Office, visit: Visit) -> None:
    """No button to publish or cancel for whoever may not."""
    ensure_published(office)
    desk = visit(Role.ANALYST, language="ru")
    page = desk.open(f"{DESK}/timetable")
    assert page.get_by_role("link", name="Опубликовать план").count() == 0
    assert page.get_by_role("link", name="Отменить").count() == 0
    assert "Калиновка" in page.locator("table").first.inner_text()
