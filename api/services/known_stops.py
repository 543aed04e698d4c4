"""Stops that reports and the diary speak of: the region's own, else as they were published.

A plan may serve places that stand in no list of stops: settlements that were found to need one.
"""

from collections.abc import Iterable

from sqlmodel import Session

from api.services.cancelling import names_of
from data.model.place import Stop
from data.model.public_timetable import PublicStop


def known_stops(session: Session, region_id: str, own: Iterable[Stop]) -> dict[str, PublicStop]:
    """Stops by their ids; those of the newest timetables, and over them the region's own."""
    published, _ = names_of(session, region_id)
    found = {str(i): stop for i, stop in published.items()}
    return found | {str(s.stop_id): PublicStop.of(s) for s in own}
