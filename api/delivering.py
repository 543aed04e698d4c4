"""What waits for libraries' own systems is told every half a minute, beside the requests."""

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from api.services.library_delivery import deliver_all
from api.state import Service

log = logging.getLogger(__name__)
EVERY_S = 30


async def deliver_now_and_then(service: Service) -> None:
    """Deliver until cancelled; a turn that fails is followed by the next."""
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await asyncio.to_thread(deliver_all, service)
        except SQLAlchemyError:
            log.warning("delivery.no_database", exc_info=True)
