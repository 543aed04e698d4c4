"""The crew of a bookmobile: who drives it and who lends on board."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NewType

from data.model.fleet import VehicleId

CrewMemberId = NewType("CrewMemberId", str)


class CrewRole(StrEnum):
    """What a crew member does aboard; one person may do both."""

    DRIVER = "driver"
    LIBRARIAN = "librarian"
    DRIVER_LIBRARIAN = "driver_librarian"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrewMember:
    """A driver or librarian who belongs to vehicles."""

    crew_member_id: CrewMemberId
    name: str
    role: CrewRole
    vehicle_ids: frozenset[VehicleId] = frozenset()
    """Vehicles that he works on; empty means any."""
    weekdays: frozenset[int] = frozenset()
    """Working weekdays, Monday is 0; empty means any."""
    off_dates: frozenset[date] = frozenset()
    phone: str = ""

    def works_on(self, day: date) -> bool:
        """Whether he may be aboard on a date."""
        return day not in self.off_dates and (not self.weekdays or day.weekday() in self.weekdays)
