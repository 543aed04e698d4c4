"""The desk's page of lending, as a librarian sees it."""

from datetime import timedelta

import pytest

from data.model.accounts import Role
from tests.api.circulation.library import (
    MORNING,
    TabletAt,
    bring,
    pair,
    readers,
    stock,
    stock_up,
)
from tests.api.tracking.depot import REGION, fill
from tests.e2e.service import NEEDS_CHROMIUM, Running, Visit

pytestmark = [pytest.mark.browser, NEEDS_CHROMIUM]
NOON = MORNING + timedelta(hours=5)


def test_a_librarian_decides_a_conflict(running: Running, visit: Visit) -> None:
    """Rule, reader, both histories; decided by one button; nothing waits any more."""
    fill(running.engine, MORNING)
    stock_up(running.engine, *stock(), *readers())
    for number, patron_id in enumerate(("p1", "p2")):
        device, _ = pair(running.engine, number)
        tablet = TabletAt(device=device)
        at = MORNING + timedelta(hours=2, minutes=number)
        tablet.lend("i1", patron_id, at)
        if number:
            tablet.lend("i9", "p3", at)["body"]["colour"] = "red"
        bring(running.service, device.as_caller(), tablet, tablet.events, NOON)
    desk = visit(Role.LIBRARIAN, language="ru")
    desk.open(f"/desk/{REGION}/circulation")
    desk.shot("circulation")
    assert desk.axe() == []
    card = desk.page.locator("article.card")
    assert "хотя числился за другим читателем" in card.inner_text()
    assert "Иванова Мария 1" in card.inner_text()
    assert "colour" in desk.page.get_by_role("main").inner_text()
    desk.page.get_by_role("button", name="Сделать как предложено").click()
    desk.page.get_by_text("Решение записано.").wait_for()
    assert desk.page.locator("article.card").count() == 0
    desk.page.get_by_role("button", name="Отложить").click()
    desk.page.get_by_text("Ничего решать не нужно.").wait_for()
    assert desk.page.get_by_text("colour").count() == 0
    desk.assert_quiet()
