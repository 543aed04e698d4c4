"""Trackers that speak Wialon IPS over TCP: one connection each, every packet answered."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from api.inlets.intake import Intake
from api.inlets.known import BAD_SECRET, KnownTrackers
from api.limiter import network_of
from data.model.errors import AccessError, StoreError
from data.model.telemetry import RefusedError
from data.model.tracker import Protocol, Tracker
from fleet import wialon

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 2000
MOST_OF_ONE_ADDRESS = 200
IDLE_S = 900.0
"""A connection without a word for longer is closed; trackers come again."""
LOGIN_S = 30.0
"""Time to say who one is."""
_READ_BYTES = 64 * 1024
_RETRY_S = 10.0


class WialonServer:
    """Listens for trackers in this process; where another has the port, waits to take over.

    Parameters
    ----------
    port
        0 takes any free one: ``port`` tells which.
    """

    def __init__(
        self, known: KnownTrackers, intake: Intake, *, host: str, port: int,
        clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._known, self._intake, self._clock = known, intake, clock
        self._host, self.port = host, port
        self._server: asyncio.Server | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._of_address: Counter[str] = Counter()

    async def start(self) -> None:
        """Listen, or wait until the port is free."""
        if not await self._listen():
            self._waiting = asyncio.create_task(self._listen_later())

    async def stop(self) -> None:
        """Close every connection; what was not answered the trackers send again."""
        if self._waiting is not None:
            self._waiting.cancel()
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)

    async def _listen(self) -> bool:
        try:
            self._server = await asyncio.start_server(self._connected, self._host, self.port)
        except OSError as wrong:
            log.info("wialon.port_taken", extra={"port": self.port, "reason": str(wrong)})
            return False
        self.port = self._server.sockets[0].getsockname()[1]
        log.info("wialon.listening", extra={"port": self.port})
        return True

    async def _listen_later(self) -> None:
        while not await self._listen():
            await asyncio.sleep(_RETRY_S)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        peer = writer.get_extra_info("peername")
        address = network_of(str(peer[0])) if peer else ""
        is_full = len(self._tasks) >= MOST_CONNECTIONS
        if is_full or self._of_address[address] >= MOST_OF_ONE_ADDRESS:
            writer.close()
            return
        self._tasks.add(task)
        self._of_address[address] += 1
        try:
            await self._talk(reader, writer, address)
        except (ConnectionError, TimeoutError, OSError):
            pass
        except Exception:  # the edge of a connection: one must not end the others
            log.exception("wialon.failed")
        finally:
            self._tasks.discard(task)
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]
            writer.close()
            with suppress(ConnectionError, OSError):
                await writer.wait_closed()

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str
    ) -> None:
        session, tracker, rest = wialon.Session(), None, b""
        while True:
            patience_s = LOGIN_S if tracker is None else IDLE_S
            async with asyncio.timeout(patience_s):
                read = await reader.read(_READ_BYTES)
            if not read:
                return
            try:
                lines, rest = wialon.split_lines(rest + read)
            except RefusedError as wrong:
                log.info("wialon.refused", extra={"code": wrong.refusal.code})
                return
            for line in lines:
                packet = await asyncio.to_thread(
                    wialon.decode, line, session, received_at=self._clock()
                )
                if packet.login is not None:
                    tracker, answer = await self._login(packet.login, address)
                    session = packet.session if tracker else wialon.Session()
                else:
                    answer = await self._take(tracker, packet)
                writer.write(answer)
            async with asyncio.timeout(IDLE_S):
                await writer.drain()

    async def _login(self, login: wialon.Login, address: str) -> tuple[Tracker | None, bytes]:
        def known() -> Tracker:
            secret = login.password or None
            return self._known.by_name(Protocol.WIALON, login.device_id, secret, address)

        try:
            tracker = await asyncio.to_thread(known)
        except AccessError as wrong:
            is_known = wrong.code == BAD_SECRET
            return None, wialon.login_answer(is_known=is_known, is_password_right=False)
        return tracker, wialon.login_answer(is_known=True)

    async def _take(self, tracker: Tracker | None, packet: wialon.Packet) -> bytes:
        """Store what a packet holds; nothing is answered that is not stored."""
        if tracker is None:
            return packet.answer
        decoded = packet.decoded
        try:
            await asyncio.wrap_future(self._intake.submit(tracker, decoded.fixes, decoded.refusals))
        except StoreError:
            # Unanswered, the tracker keeps it and sends it again.
            raise ConnectionError from None
        return packet.answer
