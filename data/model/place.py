"""Places: settlements, libraries, municipalities, depots and the stops of a bookmobile."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NewType

from data.model.calendar import Window
from data.model.demand import VisitsEstimate
from data.model.geo import check_position
from data.model.recurrence import Recurrence

SettlementId = NewType("SettlementId", str)
MunicipalityId = NewType("MunicipalityId", str)
LibraryId = NewType("LibraryId", str)
DepotId = NewType("DepotId", str)
StopId = NewType("StopId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """An inhabited place. A missing population is ``None``, never zero."""

    settlement_id: SettlementId
    name: str
    lon: float
    lat: float
    name_latin: str = ""
    kind: str = ""
    municipality_id: MunicipalityId | None = None
    population: int | None = None
    population_year: int | None = None
    """Year of the figure; ``None`` means the source does not date it."""
    children: int | None = None
    """Aged 0 to 14."""
    youth: int | None = None
    """Aged 15 to 30."""
    seniors: int | None = None
    """Aged 65 and over."""
    disabled: int | None = None
    """People with a disability, of any age."""
    source: str = ""
    flags: tuple[str, ...] = ()
    """Quality remarks of the source, as codes."""

    def __post_init__(self) -> None:
        check_position(self.lon, self.lat)
        counts = (self.population, self.children, self.youth, self.seniors, self.disabled)
        for count in counts:
            if count is not None and count < 0:
                raise ValueError(f"settlement {self.settlement_id}: negative count {count}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Municipality:
    """A municipal unit with its census figures."""

    municipality_id: MunicipalityId
    name: str
    name_latin: str = ""
    population: int | None = None
    population_urban: int | None = None
    population_rural: int | None = None
    population_year: int | None = None
    source: str = ""


class Standing(StrEnum):
    """How a library is known to be there."""

    KNOWN = "known"
    ASSUMED = "assumed"


class LibraryKind(StrEnum):
    LIBRARY = "library"
    POINT = "point"


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A fixed library or a library point (``LibraryKind.POINT``).

    Either its own position or its settlement is known; a closed branch stays, with its date.
    """

    library_id: LibraryId
    name: str
    standing: Standing = Standing.KNOWN
    kind: LibraryKind = LibraryKind.LIBRARY
    settlement_id: SettlementId | None = None
    lon: float | None = None
    lat: float | None = None
    address: str = ""
    opening_hours: str = ""
    opened_date: date | None = None
    closed_date: date | None = None
    source: str = ""

    def __post_init__(self) -> None:
        if (self.lon is None) != (self.lat is None):
            raise ValueError(f"library {self.library_id}: lon and lat go together")
        if self.lon is not None and self.lat is not None:
            check_position(self.lon, self.lat)

    def is_open_on(self, day: date) -> bool:
        """Whether the library exists on a date."""
        return (self.opened_date is None or self.opened_date <= day) and (
            self.closed_date is None or day < self.closed_date
        )


class DepotKind(StrEnum):
    """What a vehicle finds at a place where its runs start and end."""

    BASE = "base"
    LODGING = "lodging"


@dataclass(frozen=True, slots=True, kw_only=True)
class Depot:
    """Where runs start, end and reload; a lodging is where a vehicle may only spend a night.

    At a lodging nothing is loaded: instead of the vehicle's preparation and closing a check of
    ``check_s`` is due, in the evening and again in the morning.
    """

    depot_id: DepotId
    name: str
    lon: float
    lat: float
    settlement_id: SettlementId | None = None
    kind: DepotKind = DepotKind.BASE
    room_m: float | None = None
    """Length of vehicle that a lodging takes, metres; ``None`` takes any."""
    check_s: int = 600
    """Seconds of the check at a lodging, evening and morning each; of no meaning at a base."""
    night_cost_s: int = 3600
    """What a night here is worth, in seconds of driving: it is spent to save driving only where it
    saves more. A night that serves more people is spent at any cost."""

    def __post_init__(self) -> None:
        check_position(self.lon, self.lat)
        if self.check_s < 0 or self.night_cost_s < 0:
            raise ValueError(f"depot {self.depot_id}: negative time")

    @property
    def is_lodging(self) -> bool:
        return self.kind is DepotKind.LODGING


class StopKind(StrEnum):
    """Who a stop is for; the exchange schema's type is in brackets."""

    PUBLIC = "public"  # Public
    PRIVATE = "private"  # Private
    ON_REQUEST = "on_request"  # Dynamic
    TECHNICAL = "technical"  # Other


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCard:
    """What a crew must know of a stop's ground; ``None`` is not known."""

    surface: str = ""
    room_m: float | None = None
    """Length of vehicle that fits, metres."""
    power: bool | None = None
    mobile_signal: bool | None = None
    light: bool | None = None
    toilet: bool | None = None
    step_free: bool | None = None
    contact: str = ""
    permission_until_date: date | None = None
    photo: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A place where the doors open, with what the timetable must give it.

    Notes
    -----
    ``windows`` empty means any time of the vehicle's duty. ``visits_per_cycle`` is the frequency.
    ``min_gap_days`` and ``max_gap_days`` also hold across the seam of two cycles.
    ``prize`` orders stops when the fleet cannot serve all; it is ignored for mandatory stops.
    """

    stop_id: StopId
    name: str
    lon: float
    lat: float
    community: str = ""
    kind: StopKind = StopKind.PUBLIC
    settlement_ids: tuple[SettlementId, ...] = ()
    """Settlements within walking distance that this stop serves; the first is its own."""
    service_s: int = 3600
    """Doors-open time, seconds; the least where ``service_most_s`` leaves a choice."""
    service_most_s: int | None = None
    """Longest doors-open time that a plan may choose, the same for all visits; ``None``: fixed."""
    setup_s: int = 0
    teardown_s: int = 0
    visits_per_cycle: int = 1
    windows: tuple[Window, ...] = ()
    weekdays: frozenset[int] = frozenset()
    """Allowed weekdays, Monday is 0; empty means any working day."""
    same_weekday: bool = True
    min_gap_days: int = 1
    max_gap_days: int | None = None
    needs: frozenset[str] = frozenset()
    """Vehicle abilities that the stop asks for (``lift``, ``short`` …)."""
    services: frozenset[str] = frozenset()
    """Services that must be aboard, all at once, at the visits that ``services_visits`` counts."""
    services_visits: int | None = None
    """Least visits of a cycle with all ``services``; ``None`` means every visit."""
    mandatory: bool = False
    people: int | None = None
    """Residents served, ``None`` if no settlement has a figure."""
    prize: float = 0.0
    """The worth of serving the stop: weighted people, or visits expected in a cycle."""
    given_setup_s: int | None = None
    given_teardown_s: int | None = None
    """Setup and teardown before recorded days were applied; ``None`` where none were."""
    visits_expected: VisitsEstimate | None = None
    """Of one stop visit; ``None`` where nothing was estimated."""
    site: SiteCard = field(default_factory=SiteCard)
    recurrence: Recurrence | None = None
    """When visits are to be, by rule; then ``visits_per_cycle`` only counts them (the least)."""

    def __post_init__(self) -> None:
        check_position(self.lon, self.lat)
        if self.service_s < 0 or self.setup_s < 0 or self.teardown_s < 0:
            raise ValueError(f"stop {self.stop_id}: negative time")
        if self.service_most_s is not None and self.service_most_s < self.service_s:
            raise ValueError(f"stop {self.stop_id}: longest service below the least")
        if self.visits_per_cycle < 1:
            raise ValueError(f"stop {self.stop_id}: visits_per_cycle {self.visits_per_cycle} < 1")
        if self.prize < 0:
            raise ValueError(f"stop {self.stop_id}: negative prize {self.prize}")
        if self.max_gap_days is not None and self.max_gap_days < self.min_gap_days:
            raise ValueError(f"stop {self.stop_id}: greatest gap below least gap")
        if self.services_visits is not None and self.services_visits < 1:
            raise ValueError(f"stop {self.stop_id}: services_visits {self.services_visits} < 1")

    @property
    def occupied_s(self) -> int:
        """Least seconds that a visit holds the vehicle: setup, service, teardown."""
        return self.setup_s + self.service_s + self.teardown_s

    @property
    def services_at_every_visit(self) -> bool:
        """Whether each visit of the stop must have its services aboard."""
        if not self.services:
            return False
        counted = self.services_visits
        is_ruled = self.recurrence is not None
        return counted is None or (not is_ruled and counted >= self.visits_per_cycle)

    @property
    def served_visits(self) -> int:
        """Least visits of a cycle at which the stop's services must be aboard; 0 without any."""
        if not self.services:
            return 0
        visits = self.visits_per_cycle
        return visits if self.services_visits is None else min(self.services_visits, visits)

    @property
    def spare_service_s(self) -> int:
        """Seconds by which a plan may open the doors for longer than ``service_s``."""
        return 0 if self.service_most_s is None else self.service_most_s - self.service_s
