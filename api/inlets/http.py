"""Positions over HTTP: OwnTracks, OsmAnd and the Traccar Client, forwarding Traccar servers.

A known device is always answered with 200 once its message is dealt with, refused positions among
it: these programs send the same again for ever otherwise. What was refused stands in the answer
and in the figures of the tracker.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.errors import problems
from api.inlets.identity import secret_of
from api.limiter import network_asking
from api.road import Road, RoadDep
from api.state import Service, ServiceDep
from data.model.errors import InputError
from data.model.telemetry import Decoded, Fix, Refusal
from data.model.tracker import Protocol, Tracker
from fleet import osmand, owntracks, traccar

router = APIRouter(prefix="/inlets", tags=["inlets"])


async def taken(
    request: Request, road: Road, protocol: Protocol, decode: Callable[[], Decoded]
) -> list[dict[str, Any]]:
    """Decode a message, find its tracker and store it; what of it was not taken.

    Raises
    ------
    InputError
        ``refusal.*`` of a message that names no device.
    AccessError
        ``tracker.unknown``, ``tracker.bad_secret``.
    """
    secret, address = secret_of(request), network_asking(request)

    def understood() -> tuple[Tracker, Decoded]:
        found = decode()
        if found.device_id is None:
            raise unreadable(found)
        return road.known.by_name(protocol, found.device_id, secret, address), found

    tracker, found = await asyncio.to_thread(understood)
    done = await asyncio.wrap_future(road.intake.submit(tracker, found.fixes, found.refusals))
    return [told(refusal) for refusal in (*found.refusals, *done.refusals)]


def unreadable(found: Decoded) -> InputError:
    """The refusal of a message as a whole."""
    if not found.refusals:
        return InputError("refusal.no_device")
    refusal = found.refusals[0]
    return InputError(refusal.code, **refusal.facts)


def told(refusal: Refusal) -> dict[str, Any]:
    """A refusal as the sender sees it."""
    return {"code": refusal.code, "facts": dict(refusal.facts)}


@router.post("/owntracks", responses=problems(503))
async def take_owntracks(request: Request, road: RoadDep, service: ServiceDep) -> Response:
    """A message of OwnTracks in its HTTP mode; the device is USER/DEVICE."""
    body, at = await request.body(), service.clock()
    asked, heads = request.query_params, request.headers
    user = asked.get("u") or heads.get("x-limit-u")
    device = asked.get("d") or heads.get("x-limit-d")
    await taken(
        request,
        road,
        Protocol.OWNTRACKS,
        lambda: owntracks.decode(body, user=user, device=device, received_at=at),
    )
    return Response(owntracks.ANSWER, media_type="application/json")


@router.get("/osmand", responses=problems(503))
@router.get("/osmand/{secret}", include_in_schema=False)
async def take_osmand_query(request: Request, road: RoadDep, service: ServiceDep) -> Response:
    """A position of OsmAnd or the Traccar Client as a query; `token` is the secret.

    The secret may be the last part of the address instead: the QR code of the Traccar Client takes
    no query, and the app sends no header.
    """
    return await _take_osmand(request, road, service, request.url.query)


@router.post("/osmand", responses=problems(503))
@router.post("/osmand/{secret}", include_in_schema=False)
async def take_osmand(request: Request, road: RoadDep, service: ServiceDep) -> Response:
    """A position of OsmAnd or the Traccar Client as query, form or JSON; `token` is the secret."""
    query = request.url.query
    # The address may carry the token alone while the body holds the position.
    has_place = "lat=" in query or "location=" in query
    return await _take_osmand(request, road, service, query if has_place else "")


async def _take_osmand(request: Request, road: Road, service: Service, query: str) -> Response:
    body, at = await request.body(), service.clock()
    kind = request.headers.get("content-type", "")

    def decode() -> Decoded:
        found = osmand.decode_request(query=query, body=body, content_type=kind, received_at=at)
        return replace(found, fixes=tuple(_without_token(f) for f in found.fixes))

    refused = await taken(request, road, Protocol.OSMAND, decode)
    return JSONResponse({"refused": refused})


def _without_token(fix: Fix) -> Fix:
    """The secret is no figure of a position."""
    if "token" not in fix.extra:
        return fix
    return replace(fix, extra={k: v for k, v in fix.extra.items() if k != "token"})


@router.post("/traccar", responses=problems(503))
async def take_traccar(request: Request, road: RoadDep, service: ServiceDep) -> Response:
    """A position or event that a Traccar server forwards as JSON."""
    body, at = await request.body(), service.clock()
    refused = await taken(
        request, road, Protocol.TRACCAR, lambda: traccar.decode(body, received_at=at)
    )
    return JSONResponse({"refused": refused})
