"""Hands for the board: drag with a mouse or a finger as a person does, in many small moves."""

from typing import Any

from playwright.sync_api import Locator, Page

STEPS = 14
PAUSE_MS = 25
LONG_PRESS_MS = 400


def _middle(thing: Locator) -> tuple[float, float]:
    thing.scroll_into_view_if_needed()
    box = thing.bounding_box()
    assert box is not None, "not visible"
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _way(start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    return [
        (start[0] + (end[0] - start[0]) * k / STEPS, start[1] + (end[1] - start[1]) * k / STEPS)
        for k in range(1, STEPS + 1)
    ]


class Hand:
    """A mouse that takes something and holds it."""

    def __init__(self, page: Page, thing: Locator) -> None:
        self._page = page
        self._at = _middle(thing)
        page.mouse.move(*self._at)
        page.mouse.down()

    def over(self, target: Locator) -> "Hand":
        """Carry it over a target and rest there."""
        box = target.bounding_box()
        assert box is not None, "target is not visible"
        end = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for point in _way(self._at, end):
            self._page.mouse.move(*point)
            self._page.wait_for_timeout(PAUSE_MS)
        # A hand never rests quite still.
        self._page.mouse.move(end[0] + 2, end[1] + 1)
        self._at = end
        return self

    def drop(self) -> None:
        """Let go."""
        self._page.wait_for_timeout(2 * PAUSE_MS)
        self._page.mouse.up()


def drag(page: Page, thing: Locator, target: Locator) -> None:
    """Drag with the mouse and let go."""
    Hand(page, thing).over(target).drop()


def touch_drag(page: Page, thing: Locator, target: Locator) -> None:
    """Hold a finger on something until it is taken, carry it, let go."""
    start, end = _middle(thing), _middle(target)
    session: Any = page.context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    send("touchStart", start)
    page.wait_for_timeout(LONG_PRESS_MS)
    for point in _way(start, end):
        send("touchMove", point)
        page.wait_for_timeout(PAUSE_MS)
    page.wait_for_timeout(2 * PAUSE_MS)
    send("touchEnd")
    session.detach()
