"""What follows the vehicles: the inlets' writer, who is known, on duty, the follower, the ways."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError

from api.auth import hash_token
from api.inlets.intake import Intake
from api.inlets.known import KnownTrackers
from api.inlets.mqtt import MqttInlet
from api.inlets.wialon_server import WialonServer
from api.services.duty import Guard
from api.services.following import Follower
from api.services.road_lines import RoadLines
from api.state import Service

log = logging.getLogger(__name__)
_HOUSE_EVERY_S = 2.0


@dataclass(slots=True, kw_only=True)
class Road:
    """The parts that take positions and make sense of them."""

    guard: Guard
    known: KnownTrackers
    intake: Intake
    follower: Follower
    lines: RoadLines
    wialon: WialonServer | None = None
    mqtt: MqttInlet | None = None
    _house: "asyncio.Task[None] | None" = field(default=None, repr=False)

    async def start(self) -> None:
        """Begin to take positions."""
        self.intake.start()
        self.follower.start()
        self.lines.start()
        self._house = asyncio.create_task(self._keep_house())
        if self.wialon is not None:
            await self.wialon.start()

    async def stop(self) -> None:
        """Store what has come in, and end."""
        if self._house is not None:
            self._house.cancel()
            with suppress(asyncio.CancelledError):
                await self._house
        if self.mqtt is not None and self.mqtt.is_started:
            await asyncio.to_thread(self.mqtt.stop)
        if self.wialon is not None:
            await self.wialon.stop()
        await asyncio.to_thread(self.lines.stop)
        await asyncio.to_thread(self.intake.stop)
        await asyncio.to_thread(self.follower.stop)

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(_HOUSE_EVERY_S)
            try:
                await asyncio.to_thread(self.known.write_notes)
            except SQLAlchemyError:
                log.warning("road.notes_not_stored", exc_info=True)
            if self.mqtt is not None and self.mqtt.is_started is not self.follower.is_owner:
                # A broker knows a service by its name: one process listens, the one that follows.
                turn = self.mqtt.start if self.follower.is_owner else self.mqtt.stop
                await asyncio.to_thread(turn)


def make_road(service: Service) -> Road:
    """The parts for a service, as its settings have them."""
    settings = service.settings

    def clock() -> datetime:
        """The service's clock as it is when it is looked at."""
        return service.clock()

    guard = Guard(service.engine, settings)
    known = KnownTrackers(service.engine, clock=clock)
    follower = Follower(service.engine, guard, clock=clock)
    intake = Intake(service.engine, guard, clock=clock, stored=follower.wake)
    lines = RoadLines(service.engine, settings, clock=clock, is_mine=lambda: follower.is_owner)
    road = Road(guard=guard, known=known, intake=intake, follower=follower, lines=lines)
    if settings.wialon_port is not None:
        road.wialon = WialonServer(
            known, intake, host=settings.host, port=settings.wialon_port, clock=clock
        )
    if settings.mqtt_url is not None:
        road.mqtt = MqttInlet(
            known,
            intake,
            url=settings.mqtt_url,
            password_file=settings.mqtt_password_file,
            client_id=f"bookmobile-{hash_token(settings.public_url)[:8]}",
            clock=clock,
        )
    return road


def road_of(request: Request) -> Road:
    """The road's parts of the service that a request came to."""
    road: Road = request.app.state.road
    return road


RoadDep = Annotated[Road, Depends(road_of)]
"""Parameter of a route that gives it the road."""
