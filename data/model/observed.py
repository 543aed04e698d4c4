"""What was seen on the road: recorded stop visits and the legs between them.

Times are seconds from local midnight of the service date, as those of a plan; ``None`` is not
known. A tracker and a hand-written diary fill the same records.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

from data.model.fleet import VehicleId


class VisitStatus(StrEnum):
    """What became of a planned stop visit."""

    DONE = "done"
    PARTIAL = "partial"
    CANCELLED = "cancelled"
    MOVED = "moved"
    """Held at another time or place than planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedVisit:
    """One vehicle at one place on one service date, planned and as it was.

    A place is a stop or a depot. The doors are open from ``open_s`` to ``close_s``; a depot has
    none, and only the departure or the arrival there.
    """

    service_date: date
    vehicle_id: VehicleId
    place_id: str
    planned_arrival_s: int | None = None
    planned_open_s: int | None = None
    planned_close_s: int | None = None
    planned_departure_s: int | None = None
    arrival_s: int | None = None
    open_s: int | None = None
    close_s: int | None = None
    departure_s: int | None = None
    meal_s: int | None = None
    """Meal taken there between closing and departure; ``None`` is not known."""
    visits: int | None = None
    """Persons' visits."""
    loans: int | None = None
    status: VisitStatus = VisitStatus.DONE
    reason: str = ""
    """Why it was not held as planned."""

    def __post_init__(self) -> None:
        known = [
            t
            for t in (self.arrival_s, self.open_s, self.close_s, self.departure_s)
            if t is not None
        ]
        if known != sorted(known):
            raise ValueError(f"{self.place_id} on {self.service_date}: times go backwards")
        for count in (self.visits, self.loans, self.meal_s):
            if count is not None and count < 0:
                raise ValueError(f"{self.place_id} on {self.service_date}: negative count {count}")

    @property
    def first_s(self) -> int | None:
        """The earliest time known, by which the visits of a day are put in order."""
        known = (self.arrival_s, self.open_s, self.close_s, self.departure_s)
        return next((t for t in known if t is not None), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedLeg:
    """One drive of one vehicle from one place to the next."""

    service_date: date
    vehicle_id: VehicleId
    origin_id: str
    target_id: str
    depart_s: int
    drive_s: int


def observed_legs(visits: Iterable[ObservedVisit]) -> tuple[ObservedLeg, ...]:
    """The legs between places that follow one another, by date, vehicle and time.

    A cancelled visit was not driven to. A leg whose departure or arrival was not recorded is none.
    """
    days: dict[tuple[date, VehicleId], list[ObservedVisit]] = defaultdict(list)
    for visit in visits:
        if visit.status is not VisitStatus.CANCELLED and visit.first_s is not None:
            days[visit.service_date, visit.vehicle_id].append(visit)
    legs = []
    for key in sorted(days):
        held = sorted(days[key], key=lambda v: v.first_s or 0)
        for here, there in pairwise(held):
            if here.departure_s is None or there.arrival_s is None:
                continue
            legs.append(
                ObservedLeg(
                    service_date=key[0],
                    vehicle_id=key[1],
                    origin_id=here.place_id,
                    target_id=there.place_id,
                    depart_s=here.departure_s,
                    drive_s=there.arrival_s - here.departure_s,
                )
            )
    return tuple(legs)
