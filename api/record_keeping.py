"""Keeps the records of stop visits up, in the process that follows the vehicles."""

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from api.services.visit_records import keep_all
from api.state import Service
from data.model.errors import BookmobileError

log = logging.getLogger(__name__)
EVERY_S = 5.0
_REST = 10
"""So many times as long as the keeping took it rests: what is under way goes first."""


async def keep_records_now_and_then(service: Service, *, is_mine: Callable[[], bool]) -> None:
    """Keep them up until cancelled; what failed is tried again."""
    rest_s = EVERY_S
    while True:
        await asyncio.sleep(rest_s)
        if not is_mine():
            continue
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            changed = await asyncio.to_thread(keep_all, service)
        except (SQLAlchemyError, BookmobileError):
            log.warning("records.failed", exc_info=True)
        else:
            if changed:
                log.info("records.kept", extra={"changed": changed})
        rest_s = max(EVERY_S, _REST * (loop.time() - began_s))
