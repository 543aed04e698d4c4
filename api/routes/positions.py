"""Our own batches of positions: from the on-board program and from paired tablets."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request

from api.errors import problems
from api.inlets.http import unreadable
from api.inlets.identity import secret_of
from api.road import RoadDep
from api.state import ServiceDep
from data.model.errors import AccessError
from data.model.telemetry import DeviceId
from data.model.tracker import Protocol, Tracker
from fleet import batch

router = APIRouter(prefix="/positions", tags=["positions"])

_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["fixes"],
                "properties": {
                    "sent_at": {"type": "string", "format": "date-time"},
                    "fixes": {
                        "type": "array",
                        "maxItems": 5000,
                        "items": {
                            "type": "object",
                            "required": ["sequence", "fix_at", "lon", "lat"],
                            "properties": {
                                "sequence": {"type": "integer", "minimum": 0},
                                "fix_at": {"type": "string", "format": "date-time"},
                                "lon": {"type": "number"},
                                "lat": {"type": "number"},
                                "speed_mps": {"type": "number"},
                                "course_deg": {"type": "number"},
                                "accuracy_m": {"type": "number"},
                            },
                        },
                    },
                },
            },
            "example": {
                "sent_at": "2026-11-24T08:15:00Z",
                "fixes": [
                    {
                        "sequence": 17,
                        "fix_at": "2026-11-24T08:14:59Z",
                        "lon": 20.511,
                        "lat": 54.743,
                        "speed_mps": 11.7,
                    }
                ],
            },
        }
    },
}


@router.post("", responses=problems(503), openapi_extra={"requestBody": _BODY})
async def take_batch(request: Request, road: RoadDep, service: ServiceDep) -> dict[str, Any]:
    """Store a batch; it may be sent as often as the network needs.

    The device is whoever the bearer token belongs to. The answer counts what was stored and what
    was known already, and names each fix that was refused with its reason.
    """
    body, at = await request.body(), service.clock()
    secret = secret_of(request)
    encoding = request.headers.get("content-encoding", "")

    def understood() -> tuple[Tracker, batch.Batch]:
        tracker = road.known.by_secret(secret)
        if tracker is None or tracker.vehicle_id is None:
            raise AccessError("access.sign_in")
        if tracker.protocol is not Protocol.BOOKMOBILE:
            raise AccessError("tracker.other_protocol", protocol=tracker.protocol.value)
        name = DeviceId(tracker.external_id)
        return tracker, batch.decode(body, name, encoding=encoding, received_at=at)

    tracker, found = await asyncio.to_thread(understood)
    decoded = found.decoded
    if decoded.is_refused and decoded.refusals[0].facts.get("index") is None:
        raise unreadable(decoded)
    done = await asyncio.wrap_future(road.intake.submit(tracker, decoded.fixes, decoded.refusals))
    return batch.answer(
        num_stored=done.counts.num_new,
        num_known=done.counts.num_known,
        refusals=(*decoded.refusals, *done.refusals),
    )
