"""Live events as a stream."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.auth import Staff
from api.state import ServiceDep

router = APIRouter(tags=["events"])
BROWSER_WAITS_MS = 2000


@router.get("/events", response_class=EventSourceResponse)
async def events(
    asking: Staff,
    service: ServiceDep,
    last_event_id: Annotated[
        str | None,
        Header(max_length=18, pattern=r"^[0-9]+$", description="Id of the last event seen."),
    ] = None,
    after: Annotated[
        int | None,
        Query(ge=0, lt=2**62, description="The same, for a browser's first request."),
    ] = None,
) -> AsyncIterator[ServerSentEvent]:
    """What changes, as it changes: jobs, plans, timetables, notices of one's own regions.

    The name of an event is its topic; its data is `{"subject", "region_id", "at", "facts"}`. A
    browser that lost the connection sends `Last-Event-ID` and gets what it missed.
    """
    last_id = after if last_event_id is None else int(last_event_id)
    async for event in service.live.stream(asking, last_id):
        if event is None:
            yield ServerSentEvent(comment="open", retry=BROWSER_WAITS_MS)
            continue
        data = {
            "subject": event.subject,
            "region_id": event.region_id,
            "at": event.at.isoformat(),
            "facts": dict(event.facts),
        }
        yield ServerSentEvent(data=data, event=event.topic, id=str(event.event_id))
