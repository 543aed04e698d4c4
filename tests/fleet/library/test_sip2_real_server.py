"""The SIP2 client against somebody else's server and codec: pysip2 (MIT), over TCP.

pysip2 is an ACS for real use. It answers what its handlers say; the handlers here keep a few loans.
"""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from data.model.library_ops import OperationKind, Outcome
from fleet.library.sip2_client import Sip2Client, Sip2Settings
from fleet.library.sip2_system import Sip2System
from tests.fleet.library.operations import AT, CARD, DUE, ITEM, operation

pysip2 = pytest.importorskip("pysip2", reason="pysip2 0.1 is not installed")
anyio = pytest.importorskip("anyio")
anyio_thread = pytest.importorskip("anyio.from_thread")
TITLE = "Война и мир"


class Library:
    """A pysip2 server in a thread of its own."""

    def __init__(self, encoding: str) -> None:
        self.loans: dict[str, str] = {}
        self.no_block: list[str] = []
        self.server = pysip2.SIP2Server(
            institution_id="BM",
            encoding=encoding,
            error_detection="required",
            login_required=True,
        )
        self._routes()
        self._ready = threading.Event()
        self._stop: Any = None
        self._token: Any = None
        self.port = 0
        self._thread = threading.Thread(target=lambda: anyio.run(self._serve))

    async def _serve(self) -> None:
        # What ``start`` of pysip2 0.1 does, and the listener is closed at the end.
        listener = await self.server.listen("127.0.0.1", 0)
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, self.server._handle_connection)
            self.port = listener.extra(anyio.abc.SocketAttribute.local_port)
            self._stop = anyio.Event()
            self._token = anyio.lowlevel.current_token()
            self._ready.set()
            await self._stop.wait()
            group.cancel_scope.cancel()

    def __enter__(self) -> "Library":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        anyio_thread.run_sync(self._stop.set, token=self._token)
        self._thread.join(10)

    def _routes(self) -> None:
        async def login(req: Any, ctx: Any) -> Any:
            is_known = (req.login_user_id, req.login_password) == ("van", "secret")
            return pysip2.LoginResponse(ok="1" if is_known else "0")

        async def checkout(req: Any, ctx: Any) -> Any:
            self.no_block.append(req.no_block)
            holder = self.loans.setdefault(req.item_identifier, req.patron_identifier)
            is_done = holder == req.patron_identifier
            return pysip2.CheckoutResponse(
                ok="1" if is_done else "0",
                renewal_ok="N",
                magnetic_media="U",
                desensitize="N",
                transaction_date=ctx.now_18(),
                institution_id=req.institution_id,
                patron_identifier=req.patron_identifier,
                item_identifier=req.item_identifier,
                title_identifier=TITLE,
                due_date=req.nb_due_date,
                screen_message=() if is_done else ("Выдано другому читателю",),
            )

        async def checkin(req: Any, ctx: Any) -> Any:
            self.loans.pop(req.item_identifier, None)
            return pysip2.CheckinResponse(
                ok="1",
                resensitize="Y",
                magnetic_media="U",
                alert="N",
                transaction_date=ctx.now_18(),
                institution_id=req.institution_id,
                item_identifier=req.item_identifier,
                permanent_location="MAIN",
            )

        async def item(req: Any, ctx: Any) -> Any:
            return pysip2.ItemInformationResponse(
                circulation_status="04" if req.item_identifier in self.loans else "03",
                security_marker="00",
                fee_type="01",
                transaction_date=ctx.now_18(),
                item_identifier=req.item_identifier,
                title_identifier=TITLE,
            )

        for message, handler in (
            (pysip2.LOGIN, login),
            (pysip2.CHECKOUT, checkout),
            (pysip2.CHECKIN, checkin),
            (pysip2.ITEM_INFORMATION, item),
        ):
            self.server.route(message)(handler)


@pytest.fixture(params=["utf-8", "cp1251"])
def library(request: pytest.FixtureRequest) -> Iterator[tuple[Library, Sip2Client]]:
    with Library(request.param) as made:
        client = Sip2Client(
            Sip2Settings(
                host="127.0.0.1",
                port=made.port,
                login="van",
                password="secret",
                encoding=request.param,
                timeout_s=5.0,
            )
        )
        yield made, client
        client.close()


def test_a_loan_and_its_return(library: tuple[Library, Sip2Client]) -> None:
    """Checked frames, numbers and Cyrillic pass both ways; the loan is told as done."""
    server, client = library
    assert client.open().takes_offline
    system = Sip2System(client)
    assert system.carry_out(operation(), is_repeat=False).outcome is Outcome.ACCEPTED
    assert (server.loans, server.no_block) == ({ITEM: CARD}, ["Y"])
    other = operation(card="R-2", operation_id="op-2")
    assert system.carry_out(other, is_repeat=False).told == "Выдано другому читателю"
    item = client.item(ITEM)
    assert (item.title, item.is_charged) == (TITLE, True)
    back = operation(OperationKind.RETURN, operation_id="op-3")
    assert system.carry_out(back, is_repeat=False).outcome is Outcome.ACCEPTED
    assert system.carry_out(back, is_repeat=True).outcome is Outcome.ALREADY
    assert server.loans == {}


def test_what_the_server_does_not_do_is_refused(library: tuple[Library, Sip2Client]) -> None:
    """No handler for renewals: the server says so, in its words."""
    _, client = library
    reply = client.renew(CARD, ITEM, at=AT, due_date=DUE)
    assert (reply.is_done, reply.told) == (False, "COMMAND NOT SUPPORTED")
