"""The promised days of a region, worked out once for each change of what is published.

A timetable's id is given once, in whatever database, and every change of a visit raises the
region's counter: with both a day is known again.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import date

from sqlmodel import Session

from api.services.promised_days import PromisedDay, promised_days
from data.db import publication_store
from data.model.fleet import VehicleId

MOST_DAYS = 24
"""Days of regions that are kept at hand."""

type Days = Mapping[VehicleId, PromisedDay]

_held: OrderedDict[tuple[str, int, date], Days] = OrderedDict()
_lock = threading.Lock()


def days_on(session: Session, region_id: str, on: date) -> Days:
    """Every vehicle's promised day of a date, in the order of the fleet.

    Raises
    ------
    NotFoundError
        ``plan.unknown``.
    """
    state = publication_store.publication_state(session, region_id)
    newest = publication_store.newest_timetable_id(session, region_id)
    if newest is None:
        return {}
    key = (newest, state.revision, on)
    with _lock:
        known = _held.get(key)
        if known is not None:
            _held.move_to_end(key)
            return known
    made = {day.vehicle_id: day for day in promised_days(session, region_id, on)}
    with _lock:
        _held[key] = made
        while len(_held) > MOST_DAYS:
            _held.popitem(last=False)
    return made
