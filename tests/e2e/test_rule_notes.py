"""Rules that end before a plan does, as a dispatcher sees them in a browser."""

import pytest
from playwright.sync_api import expect

from data.model.accounts import Role
from tests.api.test_provisional_rules import PLAN, desk  # noqa: F401  (a fixture)
from tests.e2e.service import NEEDS_CHROMIUM, Visit

pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM, pytest.mark.usefixtures("desk")]


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_board_opens_the_note(visit: Visit, language: str) -> None:
    """A line above the board tells of it; opened, it gives name, end, source and what to do."""
    board = visit(Role.DISPATCHER, language=language)
    page = board.open(f"/desk/kaliningrad/plans/{PLAN}", ready=".grid")
    line = page.locator("details.note")
    expect(line.locator("p")).to_be_hidden()
    line.locator("summary").click()
    expect(line.locator("p")).to_contain_text("№ 424")
    board.shot("rule-note-board")
    assert board.axe() == []
    board.assert_quiet()


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_list_opens_the_note(visit: Visit, language: str) -> None:
    """A badge beside the plan opens the same."""
    listed = visit(Role.DISPATCHER, language=language)
    page = listed.open("/desk/kaliningrad/plans", ready="[data-live]")
    page.locator("details.rule-note summary").click()
    expect(page.locator("details.rule-note p")).to_contain_text("№ 424")
    listed.shot("rule-note-list")
    assert listed.axe() == []
    listed.assert_quiet()
