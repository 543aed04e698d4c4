"""The weekly board in a real browser: dragged, typed, pinned, undone, shared by two people."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from api.jobs.worker import Worker
from data.db import plan_store, region_store
from data.db.engine import reading, writing
from data.model.accounts import Role
from tests.api.plan_house import small_region
from tests.e2e.dragging import Hand, drag, touch_drag
from tests.e2e.plans import add_small_plan
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit, Visitor
from tests.planner.examples import KAMENSKOE, make_request

pytestmark = [pytest.mark.browser, pytest.mark.walk, NEEDS_CHROMIUM]

REGION = make_request().region_id
PATIENCE_MS = 120_000
HOSTILE = "Каменское <img src=x onerror=alert(1)>"


@pytest.fixture(scope="module", autouse=True)
def region(running: Running) -> None:
    """The small region; one of its stops has a hostile name."""
    small = small_region()
    stops = tuple(replace(s, name=HOSTILE) if s == KAMENSKOE else s for s in small.stops)
    with writing(running.engine) as session:
        region_store.add_region(session, replace(small, stops=stops), at=datetime.now(UTC))


@pytest.fixture
def plan_id(running: Running, request: pytest.FixtureRequest) -> str:
    """A plan of the test's own: two runs on Tuesdays, Zagorskoe left out."""
    name = f"{abs(hash(request.node.name)):032x}"[:32]
    add_small_plan(running.engine, name, "Зима", HOSTILE)
    return name


class Desk:
    """The board as somebody has it open; most tests do without the map, which is slow to draw."""

    def __init__(self, visitor: Visitor, plan_id: str, *, with_map: bool = False) -> None:
        self.visitor, self.page = visitor, visitor.page
        if not with_map:
            self.page.route("**/basemap.pmtiles", lambda route: route.fulfill(status=404))
            visitor.expect(404)
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.set_default_navigation_timeout(PATIENCE_MS)
        visitor.open(f"/desk/{REGION}/plans/{plan_id}", ready="body[data-board]")

    def cell(self, vehicle: str, day: int) -> Locator:
        return self.page.locator(f"[data-cell='{vehicle}/{day}']")

    def list(self, vehicle: str, day: int) -> Locator:
        return self.page.locator(f"[data-list='{vehicle}/{day}']")

    def card(self, stop: str, day: int | None = None) -> Locator:
        at = "" if day is None else f"[data-day='{day}']"
        return self.page.locator(f"#board-weeks .card[data-stop='{stop}']{at}")

    def week(self, number: int) -> None:
        self.page.locator(".week-tab").nth(number).click()

    @property
    def live(self) -> Locator:
        """What a screen reader was told last."""
        return self.page.locator("#board-live")

    def settled(self) -> None:
        """Wait until no step is on its way."""
        expect(self.page.locator(".card.is-ahead")).to_have_count(0)


def stored(running: Running, plan_id: str) -> plan_store.StoredPlan:
    with reading(running.engine) as session:
        return plan_store.get_plan(session, plan_id)


def board_of(running: Running, plan_id: str, role: Role = Role.DISPATCHER) -> Any:
    with running.api(role) as client:
        return client.get(f"/api/v1/plans/{plan_id}/board").json()["state"]


def visits_of(running: Running, plan_id: str) -> dict[str, list[str]]:
    runs = board_of(running, plan_id)["runs"]
    return {f"{r['vehicle_id']}/{r['day']}": [v["stop_id"] for v in r["visits"]] for r in runs}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_visit_is_dragged_to_another_day(
    running: Running, visit: Visit, plan_id: str, language: str
) -> None:
    """What it would do is told while it is held; the card stands there, the server has it."""
    desk = Desk(visit(Role.DISPATCHER, language=language), plan_id)
    hand = Hand(desk.page, desk.card("kaluzhskoe")).over(desk.list("kibo-1", 2))
    expect(desk.cell("kibo-1", 2)).to_have_attribute("data-verdict", "good")
    told = desk.page.locator(".hovering")
    expect(told).to_contain_text("No rule is broken" if language == "en" else "Правила соблюдены")
    desk.visitor.shot("board-dragging")
    hand.drop()
    expect(desk.list("kibo-1", 2).locator(".card")).to_have_attribute("data-stop", "kaluzhskoe")
    expect(desk.live).to_contain_text("Калужское")
    desk.settled()
    assert visits_of(running, plan_id)["kibo-1/2"] == ["kaluzhskoe"]
    assert desk.list("kibo-1", 1).locator(".card").count() == 1
    expect(desk.page.locator(".hovering")).to_have_count(0)
    desk.visitor.assert_quiet()


def test_broken_rules_are_marked_and_undone(running: Running, visit: Visit, plan_id: str) -> None:
    """Red while it is held over a vehicle without a lift; kept as a draft; Ctrl+Z mends it."""
    desk = Desk(visit(Role.DISPATCHER, language="ru"), plan_id)
    desk.week(1)
    hand = Hand(desk.page, desk.card("kamenskoe")).over(desk.list("kibo-2", 8))
    expect(desk.cell("kibo-2", 8)).to_have_attribute("data-verdict", "bad")
    expect(desk.page.locator(".hovering")).to_contain_text("lift")
    hand.drop()
    expect(desk.cell("kibo-2", 8).locator(".card.is-broken")).to_have_count(1)
    expect(desk.page.locator(".tools .badge-bad")).to_contain_text("Черновик")
    desk.visitor.shot("board-draft")
    assert stored(running, plan_id).num_violations == 2
    rules = desk.page.locator("#tab-rules")
    expect(rules).to_contain_text("(2)")
    rules.click()
    desk.page.locator(".rule").first.click()
    assert desk.visitor.axe() == []
    desk.page.keyboard.press("Control+z")
    expect(desk.page.locator(".tools .badge-good")).to_be_visible()
    expect(desk.card("kamenskoe", 8)).to_be_visible()
    assert stored(running, plan_id).num_violations == 0
    desk.page.keyboard.press("Control+Shift+Z")
    expect(desk.page.locator(".tools .badge-bad")).to_be_visible()
    # A hostile name is text.
    assert desk.page.locator("#board img").count() == 0
    desk.visitor.assert_quiet()


def test_a_run_is_dragged_by_its_grip(running: Running, visit: Visit, plan_id: str) -> None:
    """The whole Tuesday becomes a Wednesday."""
    desk = Desk(visit(Role.DISPATCHER), plan_id)
    drag(desk.page, desk.cell("kibo-1", 1).locator(".run-grip"), desk.cell("kibo-1", 2))
    expect(desk.list("kibo-1", 2).locator(".card")).to_have_count(2)
    expect(desk.list("kibo-1", 1).locator(".card")).to_have_count(0)
    desk.settled()
    assert visits_of(running, plan_id)["kibo-1/2"] == ["kalinovka", "kaluzhskoe"]
    desk.visitor.assert_quiet()


def test_a_stop_left_out_is_dragged_in_and_a_visit_out(
    running: Running, visit: Visit, plan_id: str
) -> None:
    """From the list into an empty day, and back into the list."""
    desk = Desk(visit(Role.DISPATCHER, language="ru"), plan_id)
    out = desk.page.locator(".out")
    drag(desk.page, out.locator(".card[data-stop='zagorskoe']"), desk.list("kibo-1", 2))
    expect(desk.list("kibo-1", 2).locator(".card")).to_have_attribute("data-stop", "zagorskoe")
    expect(out.locator(".card")).to_have_count(0)
    desk.settled()
    drag(desk.page, desk.card("zagorskoe"), out)
    expect(out.locator(".card")).to_have_attribute("data-stop", "zagorskoe")
    expect(out).to_contain_text("убрано вручную")
    assert "kibo-1/2" not in visits_of(running, plan_id)
    desk.visitor.assert_quiet()


def test_a_stop_with_several_visits_asks_whether_all_go(
    running: Running, visit: Visit, plan_id: str
) -> None:
    """One alone would break the rhythm, all alike do not: both are told, all are moved."""
    desk = Desk(visit(Role.DISPATCHER, language="ru"), plan_id)
    drag(desk.page, desk.card("kalinovka", 1), desk.list("kibo-1", 0))
    dialog = desk.page.locator("dialog[open]")
    expect(dialog.locator("section").nth(0)).to_contain_text("нарушено")
    expect(dialog.locator("section").nth(1)).to_contain_text("Правила соблюдены")
    assert desk.visitor.axe() == []
    desk.visitor.shot("board-series")
    dialog.get_by_role("button", name="Перенести все").click()
    expect(desk.card("kalinovka", 0)).to_be_visible()
    desk.settled()
    visits = visits_of(running, plan_id)
    assert visits["kibo-1/0"] == ["kalinovka"]
    assert visits["kibo-1/7"] == ["kalinovka"]
    desk.visitor.assert_quiet()


@pytest.mark.parametrize("language", ["ru", "en"])
def test_everything_goes_by_keyboard(
    running: Running, visit: Visit, plan_id: str, language: str
) -> None:
    """A visit is found by arrows, moved in its dialog, told aloud, and has the focus after."""
    desk = Desk(visit(Role.DISPATCHER, language=language), plan_id)
    desk.card("kalinovka").locator("button").focus()
    desk.page.keyboard.press("ArrowDown")
    focused = desk.page.locator(":focus")
    expect(focused).to_contain_text("Калужское")
    desk.page.keyboard.press("Enter")
    dialog = desk.page.locator("dialog[open]")
    expect(dialog).to_be_visible()
    dialog.locator("select[name=day]").focus()
    desk.page.keyboard.press("ArrowDown")
    legal = "No rule is broken" if language == "en" else "Правила соблюдены"
    expect(dialog.get_by_role("status")).to_contain_text(legal)
    assert desk.visitor.axe() == []
    desk.visitor.shot("board-move-dialog")
    for _ in range(12):
        if desk.page.evaluate("document.activeElement.classList.contains('button-main')"):
            break
        desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Enter")
    expect(desk.card("kaluzhskoe", 2)).to_be_visible()
    expect(desk.page.locator(".card:has(:focus)")).to_have_attribute("data-stop", "kaluzhskoe")
    expect(desk.live).to_contain_text("Калужское")
    desk.settled()
    assert visits_of(running, plan_id)["kibo-1/2"] == ["kaluzhskoe"]
    # Escape closes a dialog and gives the focus back.
    desk.page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(desk.page.locator("dialog[open]")).to_have_count(0)
    expect(desk.page.locator(".card:has(:focus)")).to_have_attribute("data-stop", "kaluzhskoe")
    desk.visitor.assert_quiet()


def test_a_time_is_set_and_a_run_moved_in_dialogs(
    running: Running, visit: Visit, plan_id: str
) -> None:
    """Doors at half past ten; then the run goes to Thursday by its own dialog."""
    desk = Desk(visit(Role.DISPATCHER), plan_id)
    desk.card("kalinovka", 1).locator("button").click()
    dialog = desk.page.locator("dialog[open]")
    dialog.locator("input[name=opens]").fill("09:35")
    expect(dialog.get_by_role("status").locator(".note")).to_be_visible()
    dialog.locator(".button-main").click()
    expect(desk.card("kalinovka", 1)).to_contain_text("09:35")
    desk.page.locator("[data-run='kibo-1/1']").click()
    dialog.locator("select[name=day]").select_option("3")
    expect(dialog.get_by_role("status").locator(".note")).to_be_visible()
    dialog.get_by_role("button", name="Move the run").click()
    expect(desk.list("kibo-1", 3).locator(".card")).to_have_count(2)
    desk.settled()
    assert visits_of(running, plan_id)["kibo-1/3"] == ["kalinovka", "kaluzhskoe"]
    desk.visitor.assert_quiet()


def test_pins_hold_and_are_taken_off(running: Running, visit: Visit, plan_id: str) -> None:
    """A pinned card cannot be dragged; run and day are pinned too; undo takes each pin back."""
    desk = Desk(visit(Role.DISPATCHER, language="ru"), plan_id)
    desk.card("kaluzhskoe").locator("button").click()
    desk.page.locator("dialog[open]").get_by_role("button", name="Закрепить").click()
    pinned = desk.page.locator(".card.is-fixed[data-stop='kaluzhskoe']")
    expect(pinned).to_have_count(1)
    drag(desk.page, desk.card("kaluzhskoe"), desk.list("kibo-1", 2))
    assert visits_of(running, plan_id)["kibo-1/1"] == ["kalinovka", "kaluzhskoe"]
    desk.page.locator("button.day-head").first.click()
    desk.page.locator("dialog[open]").get_by_role("button", name="Закрепить день").click()
    expect(desk.page.locator(".cell.is-pinned")).to_have_count(2)
    desk.visitor.shot("board-pinned")
    undo = desk.page.get_by_role("button", name="Отменить")
    undo.click()
    expect(desk.page.locator(".cell.is-pinned")).to_have_count(0)
    undo.click()
    expect(pinned).to_have_count(0)
    expect(undo).to_be_disabled()
    desk.page.get_by_role("button", name="Вернуть").click()
    expect(pinned).to_have_count(1)
    desk.visitor.assert_quiet()


def test_places_are_offered_and_taken(running: Running, visit: Visit, plan_id: str) -> None:
    """A stop left out: why, where it fits, and one click puts it there."""
    desk = Desk(visit(Role.DISPATCHER, language="ru"), plan_id)
    desk.page.locator(".out .card-open").click()
    dialog = desk.page.locator("dialog[open]")
    expect(dialog.locator(".places li").first).to_contain_text("+7 км")
    assert desk.visitor.axe() == []
    desk.visitor.shot("board-places")
    dialog.get_by_role("button", name="Поставить:").first.click()
    expect(desk.card("zagorskoe")).to_be_visible()
    expect(desk.page.locator(".out-none")).to_contain_text("Все места обслуживаются")
    desk.settled()
    assert stored(running, plan_id).summary["stops_served"] == 4
    desk.visitor.assert_quiet()


def test_a_new_stop_is_put_on_the_map(running: Running, visit: Visit, plan_id: str) -> None:
    """A click on the map, a name, a place: the plan serves a stop that it did not know."""
    desk = Desk(visit(Role.DISPATCHER), plan_id, with_map=True)
    desk.page.wait_for_selector("#board-map[data-ready]")
    desk.page.get_by_role("button", name="New stop").click()
    box = desk.page.locator("#board-map").bounding_box()
    assert box is not None
    desk.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    dialog = desk.page.locator("dialog[open]")
    dialog.locator("input[name=name]").fill("Fair")
    dialog.locator("input[name=people]").fill("80")
    dialog.get_by_role("button", name="Find places").click()
    dialog.get_by_role("button", name="Put in:").first.click()
    expect(desk.page.locator("#board-weeks .card", has_text="Fair")).to_be_visible()
    desk.settled()
    assert stored(running, plan_id).summary["stops_served"] == 4
    desk.visitor.assert_quiet()


def test_map_and_board_point_at_the_same_stop(visit: Visit, plan_id: str) -> None:
    """A run alone on the map; a stop clicked there opens its dialog."""
    desk = Desk(visit(Role.DISPATCHER, language="ru"), plan_id, with_map=True)
    desk.page.wait_for_selector("#board-map[data-ready]")
    before = desk.page.locator("#board-map").screenshot()
    desk.page.locator(".run-map").first.click()
    desk.page.wait_for_timeout(1500)
    assert desk.page.locator("#board-map").screenshot() != before
    desk.card("kalinovka").locator("button").hover()
    expect(desk.page.locator(".card.is-pointed")).to_have_count(1)
    desk.visitor.shot("board-one-run")
    assert desk.visitor.axe() == []
    desk.visitor.assert_quiet()


def test_two_dispatchers_lose_nothing(running: Running, visit: Visit, plan_id: str) -> None:
    """The other's step comes by itself; a step from an old state is offered on top."""
    desk = Desk(visit(Role.DISPATCHER, language="ru"), plan_id)
    with running.api(Role.ADMIN) as other:
        path = f"/api/v1/plans/{plan_id}/edits"
        first = {"steps": [{"kind": "pin_run", "vehicle_id": "kibo-1", "day": 8}]}
        assert other.post(path, json=first, headers={"if-match": '"1"'}).status_code == 200
        expect(desk.live).to_contain_text("Администратор стенда")
        desk.week(1)
        expect(desk.cell("kibo-1", 8)).to_have_class("cell is-pinned")
        desk.week(0)
        # Now the other is faster than the news.
        second = {
            "steps": [{"kind": "add", "stop_id": "zagorskoe", "vehicle_id": "kibo-1", "day": 2}]
        }

        def be_faster(route: Any) -> None:
            desk.page.unroute("**/edits")
            assert other.post(path, json=second, headers={"if-match": '"2"'}).status_code == 200
            route.continue_()

        desk.page.route("**/edits", be_faster)
        desk.visitor.expect(412)
        desk.card("kaluzhskoe").locator("button").click()
        take_out = desk.page.locator("dialog[open]").get_by_role("button", name="Убрать из плана")
        take_out.click()
        dialog = desk.page.locator("dialog[open]")
        expect(dialog).to_contain_text("Администратор стенда: Добавлена стоянка Загорское")
    expect(dialog.locator(".trial .note")).to_be_visible()
    assert desk.visitor.axe() == []
    desk.visitor.shot("board-conflict")
    dialog.get_by_role("button", name="Применить мой шаг поверх").click()
    expect(desk.page.locator(".out .card[data-stop='kaluzhskoe']")).to_be_visible()
    desk.settled()
    visits = visits_of(running, plan_id)
    assert visits["kibo-1/2"] == ["zagorskoe"]
    assert visits["kibo-1/1"] == ["kalinovka"]


@pytest.fixture(scope="module")
def working(running: Running) -> Iterator[None]:
    """A worker that does the jobs of this module."""
    worker = Worker(running.settings, name="board-test")
    thread = threading.Thread(target=worker.run)
    thread.start()
    yield
    worker.leave()
    thread.join()


@pytest.mark.usefixtures("working")
def test_the_rest_is_searched_anew_around_pins(
    running: Running, visit: Visit, plan_id: str
) -> None:
    """Progress is shown, the pinned run stays, what is left out is served; and it is undone."""
    desk = Desk(visit(Role.DISPATCHER, language="ru"), plan_id)
    desk.page.locator("[data-run='kibo-1/1']").click()
    desk.page.locator("dialog[open]").get_by_role("button", name="Закрепить выезд").click()
    expect(desk.page.locator(".cell.is-pinned")).to_have_count(1)
    before = visits_of(running, plan_id)["kibo-1/1"]
    desk.page.get_by_role("button", name="Пересчитать").click()
    dialog = desk.page.locator("dialog[open]")
    dialog.locator("input[name=seconds]").fill("5")
    dialog.get_by_role("button", name="Начать").click()
    expect(desk.page.locator(".job progress")).to_be_visible()
    desk.visitor.shot("board-replan")
    expect(desk.page.locator(".job")).to_have_count(0)
    expect(desk.page.locator(".out .card")).to_have_count(0)
    assert visits_of(running, plan_id)["kibo-1/1"] == before
    assert stored(running, plan_id).step["code"] == "step.replanned"
    desk.page.get_by_role("button", name="Отменить").click()
    expect(desk.page.locator(".out .card")).to_have_count(1)
    desk.visitor.assert_quiet()


@pytest.mark.usefixtures("working")
def test_a_search_is_stopped(running: Running, visit: Visit, plan_id: str) -> None:
    """Stopped by its button, long before its time."""
    desk = Desk(visit(Role.DISPATCHER), plan_id)
    desk.page.get_by_role("button", name="Re-optimise").click()
    desk.page.locator("dialog[open] input[name=seconds]").fill("3000")
    desk.page.locator("dialog[open]").get_by_role("button", name="Start").click()
    desk.page.get_by_role("button", name="Stop, keep the best").click()
    expect(desk.page.locator(".job")).to_have_count(0)
    desk.visitor.assert_quiet()


@pytest.mark.usefixtures("working")
def test_why_a_stop_is_left_out_is_proved(visit: Visit, plan_id: str) -> None:
    """The least change that would serve it, with its proof."""
    desk = Desk(visit(Role.DISPATCHER), plan_id)
    desk.page.locator(".out .card-open").click()
    dialog = desk.page.locator("dialog[open]")
    dialog.get_by_role("button", name="What would serve it?").click()
    expect(dialog.locator(".changes .badge-good").first).to_contain_text("proved")
    assert desk.visitor.axe() == []
    desk.visitor.assert_quiet()


def test_whoever_only_reads_changes_nothing(visit: Visit, plan_id: str) -> None:
    """An analyst sees board, rules and figures; there is no button that changes anything."""
    desk = Desk(visit(Role.ANALYST, language="ru"), plan_id)
    drag(desk.page, desk.card("kaluzhskoe"), desk.list("kibo-1", 2))
    assert desk.list("kibo-1", 1).locator(".card").count() == 2
    assert desk.page.locator(".run-grip").count() == 0
    desk.card("kaluzhskoe").locator("button").click()
    dialog = desk.page.locator("dialog[open]")
    expect(dialog).to_contain_text("Калужское")
    assert dialog.locator(".button-main, .button-bad, select").count() == 0
    assert desk.visitor.axe() == []
    desk.visitor.assert_quiet()


@pytest.mark.parametrize(
    ("language", "width", "height", "dark"),
    [("ru", 1366, 768, False), ("en", 1366, 768, True), ("ru", 800, 1180, False)],
)
def test_the_board_is_accessible_and_fits(
    visit: Visit,
    plan_id: str,
    language: str,
    width: int,
    height: int,
    dark: bool,  # noqa: FBT001
) -> None:
    """No fault of WCAG 2.1 A or AA, nothing wider than the window, in light, dark, on a tablet."""
    visitor = visit(Role.DISPATCHER, language=language, width=width, height=height, dark=dark)
    desk = Desk(visitor, plan_id, with_map=width > 1000)
    if width > 1000:
        desk.page.wait_for_selector("#board-map[data-ready]")
    assert visitor.axe() == []
    assert visitor.overflow_px() == 0
    desk.page.locator(".week-tab").last.click()
    expect(desk.page.locator(".week")).to_have_count(2)
    assert visitor.axe() == []
    visitor.shot("board")
    visitor.assert_quiet()


def test_a_finger_drags_on_a_tablet(running: Running, visit: Visit, plan_id: str) -> None:
    """Held a moment, then carried to another day; the list of a tablet is under the board."""
    visitor = visit(Role.DISPATCHER, language="ru", width=800, height=1180)
    desk = Desk(visitor, plan_id)
    touch_drag(desk.page, desk.card("kaluzhskoe"), desk.list("kibo-1", 2))
    expect(desk.list("kibo-1", 2).locator(".card")).to_have_attribute("data-stop", "kaluzhskoe")
    desk.settled()
    assert visits_of(running, plan_id)["kibo-1/2"] == ["kaluzhskoe"]
    visitor.assert_quiet()


def test_an_unknown_plan_is_a_page_that_says_so(visit: Visit) -> None:
    """404 with words and no board."""
    visitor = visit(Role.DISPATCHER, language="ru")
    visitor.expect(404)
    page: Page = visitor.open(f"/desk/{REGION}/plans/nothing")
    assert "Плана nothing нет" in page.inner_text("main")
