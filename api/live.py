"""Live events: one reader of the event table in each process, handed to every open page."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from data.db import event_store
from data.db.engine import reading
from data.model.accounts import Caller
from data.model.records import LiveEvent

log = logging.getLogger(__name__)
POLL_S = 0.4
QUEUE_MAX = 1000
LONGEST_S = 900.0
"""A stream ends then; the browser comes again and has to show anew who it is."""


@dataclass(eq=False, slots=True)
class _Listener:
    caller: Caller
    queue: "asyncio.Queue[LiveEvent | None]" = field(
        default_factory=lambda: asyncio.Queue(QUEUE_MAX)
    )

    def hand(self, event: LiveEvent) -> None:
        """Queue an event; one that reads too slowly is let go and comes back by its last id."""
        if not may_hear(self.caller, event):
            return
        if self.queue.qsize() >= QUEUE_MAX - 1:
            self.end()
        else:
            self.queue.put_nowait(event)

    def end(self) -> None:
        with suppress(asyncio.QueueFull):
            self.queue.put_nowait(None)


def may_hear(caller: Caller, event: LiveEvent) -> bool:
    """Whether somebody is told of an event: who is signed in, of regions that are its own."""
    if event.region_id is None:
        return caller.is_known
    return caller.works_in(event.region_id)


class LiveEvents:
    """Reads the event table while anybody listens."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._listeners: set[_Listener] = set()
        self._last_id = 0
        self._someone = asyncio.Event()
        self._beginning = asyncio.Lock()
        self._is_lost = False
        self._is_over = False

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            if not self._listeners:
                self._someone.clear()
                await self._someone.wait()
            await self._round()
            await asyncio.sleep(POLL_S)

    async def _round(self) -> None:
        try:
            events = await asyncio.to_thread(self._after, self._last_id)
        except SQLAlchemyError:
            if not self._is_lost:
                log.warning("live.lost", exc_info=True)
            self._is_lost = True
            return
        if self._is_lost:
            log.info("live.back")
        self._is_lost = False
        for event in events:
            for listener in tuple(self._listeners):
                listener.hand(event)
            self._last_id = event.event_id

    def _after(self, event_id: int) -> list[LiveEvent]:
        with reading(self._engine) as session:
            return event_store.events_after(session, event_id)

    def _newest(self) -> int:
        with reading(self._engine) as session:
            return event_store.newest_id(session)

    def end(self) -> None:
        """End every stream, so that the server can stop."""
        self._is_over = True
        for listener in self._listeners:
            listener.end()

    @asynccontextmanager
    async def _listening(self, caller: Caller) -> AsyncIterator[_Listener]:
        listener = _Listener(caller)
        async with self._beginning:
            if not self._listeners:
                self._last_id = await asyncio.to_thread(self._newest)
            self._listeners.add(listener)
        self._someone.set()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def stream(self, caller: Caller, last_id: int | None) -> AsyncIterator[LiveEvent | None]:
        """Events for a caller: those missed since ``last_id`` first, then each as it happens.

        The first item is ``None``: from here on nothing that is committed goes unheard.
        """
        async with self._listening(caller) as listener:
            yield None
            told = 0 if last_id is None else last_id
            while last_id is not None:
                missed = await asyncio.to_thread(self._after, told)
                if not missed:
                    break
                for event in missed:
                    told = event.event_id
                    if may_hear(caller, event):
                        yield event
            ends_at = asyncio.get_running_loop().time() + LONGEST_S
            while not self._is_over:
                try:
                    async with asyncio.timeout_at(ends_at):
                        event_or_end = await listener.queue.get()
                except TimeoutError:
                    return
                if event_or_end is None:
                    return
                if event_or_end.event_id > told:
                    told = event_or_end.event_id
                    yield event_or_end
