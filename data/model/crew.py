"""Specialists who ride with a bookmobile on some days: a consultant, a children's librarian."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import NewType

from data.model.fleet import VehicleId
from data.model.labels import Labels

SpecialistId = NewType("SpecialistId", str)

CHILDREN = "children"
CONSULTANT = "consultant"
SOCIAL = "social"
LAWYER = "lawyer"
KNOWN_SERVICES = (CHILDREN, CONSULTANT, SOCIAL, LAWYER)
"""Codes of services that have a name in the catalogues; any other code is its own name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Specialist:
    """A person who gives one service at stops and rides there with a vehicle.

    Notes
    -----
    He rides the whole run, from the depot and back to it: his own duty window holds the vehicle's
    leaving and its return, not its preparation and closing. He takes one of the vehicle's
    ``seats``, rides with one vehicle a day, and never with a run that starts or ends away from
    base for a night.
    """

    specialist_id: SpecialistId
    name: str
    service: str
    """Code of the service, as ``Stop.services`` name it."""
    weekdays: frozenset[int] = frozenset()
    """Weekdays on which he may ride, Monday is 0; empty means any."""
    off_dates: frozenset[date] = frozenset()
    duty_start_s: int | None = None
    duty_end_s: int | None = None
    """Own hours, seconds from midnight; ``None`` leaves that side to the vehicle."""
    vehicle_ids: frozenset[VehicleId] = frozenset()
    """Vehicles on which he may ride; empty means any with a free seat."""
    days_per_week_max: int | None = None
    """Most days of a calendar week on which he rides."""

    def __post_init__(self) -> None:
        if not self.service:
            raise ValueError(f"specialist {self.specialist_id}: no service")
        start_s, end_s = self.duty_start_s, self.duty_end_s
        if start_s is not None and end_s is not None and end_s <= start_s:
            raise ValueError(f"specialist {self.specialist_id}: duty ends before it starts")
        if self.days_per_week_max is not None and self.days_per_week_max < 0:
            raise ValueError(f"specialist {self.specialist_id}: negative days per week")

    def works_on(self, day: date) -> bool:
        """Whether he may ride on a date, as far as his own days go."""
        return day not in self.off_dates and (not self.weekdays or day.weekday() in self.weekdays)

    def may_ride(self, vehicle_id: VehicleId) -> bool:
        """Whether he may ride with a vehicle, as far as his own limits go."""
        return not self.vehicle_ids or vehicle_id in self.vehicle_ids

    def holds(self, depart_s: int, return_s: int) -> bool:
        """Whether his hours hold a ride that leaves and returns at these seconds."""
        return (self.duty_start_s is None or self.duty_start_s <= depart_s) and (
            self.duty_end_s is None or return_s <= self.duty_end_s
        )


def services_of(riders: Collection[Specialist]) -> frozenset[str]:
    """The services that people give together."""
    return frozenset(r.service for r in riders)


def service_name(service: str, label: Labels) -> str:
    """Who gives a service, in words: ``children's librarian``."""
    return label(f"service.{service}") if service in KNOWN_SERVICES else service


def with_services(services: Collection[str], label: Labels) -> str:
    """Who comes along, for a timetable: ``with children's librarian``; empty without any."""
    if not services:
        return ""
    names = ", ".join(service_name(s, label) for s in sorted(services))
    return label.count("service.with", len(services), names=names)
