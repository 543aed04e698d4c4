"""A tablet on a vehicle: a service with a published day, a paired browser, both clocks in hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from api.auth import cookie_name
from data.db import journal_store
from data.db.engine import reading
from data.model.accounts import Device
from data.model.age_marks import AgeMark
from data.model.loans import Due, DueBasis, Hold, HoldId, HoldState, Loan, LoanId
from data.model.patrons import Block, BlockReason, Patron, PatronId
from data.model.stock import Item, ItemId, Title, TitleId
from tests.api.circulation.library import ABOARD, STOPS, pair, stock_up
from tests.api.tracking.depot import REGION, fill
from tests.e2e.service import PATIENCE_MS, Running, Visitor
from tests.fleet.days import DAY

MORNING = datetime(2026, 12, 1, 5, 0, tzinfo=UTC)
"""Seven o'clock by the region's clocks."""
BOOKS = (
    ("Два капитана", "Каверин В. А.", AgeMark.TWELVE),
    ("Денискины рассказы", "Драгунский В. Ю.", AgeMark.SIX),
    ("Мастер и Маргарита", "Булгаков М. А.", AgeMark.SIXTEEN),
    ("Лолита", "Набоков В. В.", AgeMark.EIGHTEEN),
    ("<img src=x onerror=alert(1)>", "Чужой текст", AgeMark.NONE),
    ("Муми-тролль и комета", "Янссон Т.", AgeMark.ZERO),
)
NAMES = ("Иванова Мария Петровна", "Сидоров Пётр", "Кузнецова Анна", "Орлов Глеб", "Белова Вера")


def stock(num_items: int) -> list[Title | Item]:
    """Titles with Russian names, items with barcodes ``2000000000`` and on."""
    titles = [
        Title(
            title_id=TitleId(f"t{n}"), name=BOOKS[n % 6][0], author=BOOKS[n % 6][1],
            age_mark=BOOKS[n % 6][2], shelf="84(2)",
        )
        for n in range(max(6, num_items // 2))
    ]  # fmt: skip
    items = [
        Item(
            item_id=ItemId(barcode(n)), title_id=titles[n % len(titles)].title_id, place=ABOARD,
            inventory_no=f"А-{n}",
        )
        for n in range(num_items)
    ]  # fmt: skip
    return [*titles, *items]


def barcode(number: int) -> str:
    return f"{2_000_000_000 + number}"


def card(number: int) -> str:
    return f"39{number:06}"


def readers(number: int) -> list[Patron]:
    """Readers of the day's stops; the second is a child, the third is blocked."""
    born = {1: date(2017, 5, 1)}
    block = Block(reason=BlockReason.DEBT, since_date=date(2026, 1, 1))
    return [
        Patron(
            patron_id=PatronId(f"p{n}"), card=card(n), name=NAMES[n % len(NAMES)],
            birth_date=born.get(n, date(1960 + n % 40, 3, 1)),
            stop_ids=frozenset({STOPS[n % len(STOPS)]}), blocks=(block,) if n == 2 else (),
        )
        for n in range(number)
    ]  # fmt: skip


def lent_before() -> list[Loan | Hold]:
    """An item that is expected back, and one put aside for a reader."""
    loan = Loan(
        loan_id=LoanId("old-1"), item_id=ItemId(barcode(20)), patron_id=PatronId("p0"),
        place=ABOARD, loaned_at=MORNING - timedelta(days=14), stop_id=STOPS[0],
        due=Due(due_date=DAY, basis=DueBasis.GIVEN), due_from_date=DAY - timedelta(days=14),
    )  # fmt: skip
    hold = Hold(
        hold_id=HoldId("hold-1"), title_id=TitleId("t1"), patron_id=PatronId("p0"),
        stop_id=STOPS[0], placed_at=MORNING - timedelta(days=3), state=HoldState.READY,
        item_id=ItemId(barcode(1)), pickup_date=DAY,
        keep_until_date=DAY + timedelta(days=14),
    )  # fmt: skip
    return [loan, hold]


@dataclass(kw_only=True)
class Aboard:
    """The service and the device; ``now`` is the service's clock."""

    running: Running
    device: Device
    token: str
    now: datetime = MORNING

    @classmethod
    def begin(cls, running: Running, *, num_items: int = 60, num_readers: int = 20) -> "Aboard":
        """Publish the day, stock the vehicle, pair the tablet."""
        fill(running.engine, MORNING)
        stock_up(running.engine, *stock(num_items), *readers(num_readers), *lent_before())
        device, token = pair(running.engine, at=MORNING)
        aboard = cls(running=running, device=device, token=token)
        running.service.clock = lambda: aboard.now
        return aboard

    @contextmanager
    def browser(
        self,
        chromium: Browser,
        *,
        language: str = "ru",
        width: int = 800,
        height: int = 1280,
        is_paired: bool = True,
        at: datetime | None = None,
        **options: Any,
    ) -> Iterator[Visitor]:
        """A tablet's browser whose clock begins at the service's and goes on."""
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            locale="ru-RU" if language == "ru" else "en-GB",
            has_touch=True,
            timezone_id="Europe/Kaliningrad",
            accept_downloads=True,
            **options,
        )
        context.set_default_timeout(PATIENCE_MS)
        context.clock.install(time=at or self.now)
        if is_paired:
            self.give_token(context)
        try:
            yield Visitor(
                page=context.new_page(), url=self.running.url, language=language, width=width,
                dark=False,
            )  # fmt: skip
        finally:
            context.close()

    def give_token(self, context: BrowserContext) -> None:
        """What pairing leaves in the browser."""
        name = cookie_name(self.running.settings)
        context.add_cookies([{"name": name, "value": self.token, "url": self.running.url}])

    def events(self) -> list[dict[str, Any]]:
        """The tablet's journal as the server has it, in the order in which it came."""
        with reading(self.running.engine) as session:
            return [
                dict(kept.document)
                for kept in journal_store.load_events(session, REGION)
                if kept.device_id.startswith(self.device.device_id)
            ]


def pass_time(page: Page, hours: float = 0, minutes: float = 0) -> None:
    """Let the tablet's clock go on."""
    page.clock.fast_forward(int((hours * 60 + minutes) * 60_000))


def scan(page: Page, code: str) -> None:
    """Type as a scanner does: fast, with Enter behind; the focus is nowhere in particular."""
    page.evaluate("document.activeElement?.blur()")
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def settle(page: Page) -> None:
    """Wait until the worker holds the app and the map lies on the tablet."""
    page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
    page.wait_for_selector(".t-queue")


def waits(page: Page, count: int) -> None:
    """Wait until so many records are in the queue."""
    page.wait_for_selector(f'.t-queue[data-queue="{count}"]')


def show(page: Page, view: str) -> None:
    """Go to a screen by its address."""
    page.evaluate(f"location.hash = '{view}'")
    page.wait_for_selector(f"main.t-{view.partition('/')[0]}")
