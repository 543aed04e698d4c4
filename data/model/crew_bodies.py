"""What a crew's events say: counts, moments of a stop visit, skips, defects, help given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from data.model.errors import InputError
from data.model.patrons import NAME_MAX
from data.model.stock import NOTE_MAX, check_id, check_text
from data.model.stop_counts import CountMethod, check_counts

MOST_KM = 9_999_999.9
MOST_FUEL = 2_000.0
MOST_PHOTOS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CountBody:
    """Amounts to be added to the counts of a stop visit."""

    counts: Mapping[str, int]
    method: CountMethod = CountMethod.TAPPED

    def __post_init__(self) -> None:
        check_counts(self.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentBody:
    """Arrival, opening, closing or departure.

    ``moment_at`` is given where it is not that of the tap: taken over from GPS or from paper.
    """

    moment_at: datetime | None = None
    is_from_gps: bool = False
    odometer_km: float | None = None

    def __post_init__(self) -> None:
        if self.odometer_km is not None and not 0 <= self.odometer_km <= MOST_KM:
            raise InputError(
                "journal.out_of_range", field="odometer_km", value=self.odometer_km, limit=MOST_KM
            )


class WayEnd(StrEnum):
    """Which end of the day's way an odometer was read at."""

    OUT = "out"
    IN = "in"


@dataclass(frozen=True, slots=True, kw_only=True)
class OdometerBody:
    """The odometer as it was read before the run or after it.

    ``fuel`` is what the day took, as the vehicle counts it; known at the end of the day.
    """

    end: WayEnd
    odometer_km: float
    fuel: float | None = None

    def __post_init__(self) -> None:
        for name, value, limit in (
            ("odometer_km", self.odometer_km, MOST_KM),
            ("fuel", self.fuel, MOST_FUEL),
        ):
            if value is not None and not 0 <= value <= limit:
                raise InputError("journal.out_of_range", field=name, value=value, limit=limit)


class SkipReason(StrEnum):
    """Why a crew leaves a stop out."""

    ROAD = "road"
    WEATHER = "weather"
    SITE_CLOSED = "site_closed"
    NOBODY = "nobody"
    LATE = "late"
    BREAKDOWN = "breakdown"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipBody:
    """A stop left out."""

    reason: SkipReason
    note: str = ""

    def __post_init__(self) -> None:
        check_text("note", self.note, NOTE_MAX)
        if self.reason is SkipReason.OTHER and not self.note.strip():
            raise InputError("journal.missing_field", field="note")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnplannedStopBody:
    """A stop that is in no plan; the event's ``visit_id`` is its own new one."""

    name: str
    lon: float | None = None
    lat: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        check_text("name", self.name, NAME_MAX)
        check_text("note", self.note, NOTE_MAX)
        if not self.name.strip():
            raise InputError("journal.missing_field", field="name")
        for name, value, limit in (("lon", self.lon, 180), ("lat", self.lat, 90)):
            if value is not None and not -limit <= value <= limit:
                raise InputError("journal.out_of_range", field=name, value=value, limit=limit)


class DefectKind(StrEnum):
    """What is wrong with a stop's site."""

    SURFACE = "surface"
    SPACE = "space"
    POWER = "power"
    LIGHT = "light"
    ACCESS = "access"
    SIGN = "sign"
    SAFETY = "safety"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class DefectBody:
    """A defect of a site; photos are sent apart, under their SHA-256."""

    defect: DefectKind
    note: str = ""
    photo_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_text("note", self.note, NOTE_MAX)
        if len(self.photo_ids) > MOST_PHOTOS:
            raise InputError("journal.number_of", field="photo_ids", limit=MOST_PHOTOS)
        for photo_id in self.photo_ids:
            check_id("photo_ids", photo_id)


class ConsultationKind(StrEnum):
    """What a consultation is about."""

    EGOV = "egov"
    REFERENCE = "reference"
    DIGITAL = "digital"
    LEGAL = "legal"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultationBody:
    """Help given to somebody; no name is kept."""

    consultation: ConsultationKind
    minutes: int | None = None
    note: str = ""

    def __post_init__(self) -> None:
        check_text("note", self.note, NOTE_MAX)
        if self.minutes is not None and not 0 <= self.minutes <= 24 * 60:
            raise InputError(
                "journal.out_of_range", field="minutes", value=self.minutes, limit=24 * 60
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheringBody:
    """An event held at a stop; who came is counted by ``CountBody``."""

    name: str
    gathering: str = ""
    """Kind of event in the library's own words."""
    note: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InputError("journal.missing_field", field="name")
        check_text("name", self.name, NAME_MAX)
        check_text("gathering", self.gathering, NAME_MAX)
        check_text("note", self.note, NOTE_MAX)
