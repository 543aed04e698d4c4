"""What a crew or a dispatcher writes down of a vehicle's day: odometer, fuel, waybill.

The fields are those that a waybill asks for (order of the Ministry of Transport of Russia,
28.09.2022 № 390); all but the key may be empty. Clock times are seconds from local midnight of the
service date.
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from data.model.calendar import DAY_S
from data.model.errors import InputError
from data.model.fleet import VehicleId

TEXT_MAX = 200
NOTE_MAX = 500
MOST_KM = 9_999_999.9
MOST_DAY_KM = 2_000.0
MOST_FUEL = 2_000.0
NEAR_KM, NEAR_RATIO = 2.0, 0.05
"""An odometer and a track that differ by less than both are taken to agree."""
JOIN_KM = 1.0
"""Odometer between the evening and the next morning that nobody has to explain."""

LASTING = (
    "valid_until",
    "owner_name",
    "owner_address",
    "owner_phone",
    "owner_ogrn",
    "plate",
    "make_model",
    "driver",
    "licence",
    "carriage",
)
"""Fields that a new sheet takes over from the vehicle's last one."""
TEXTS = (
    "number",
    "owner_name",
    "owner_address",
    "owner_phone",
    "owner_ogrn",
    "plate",
    "make_model",
    "driver",
    "licence",
    "carriage",
    "note",
)
CLOCKS = ("technical_s", "medical_before_s", "medical_after_s", "out_s", "in_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySheet:
    """One vehicle and date; ``None`` is not known, not zero."""

    region_id: str
    vehicle_id: VehicleId
    service_date: date
    number: str = ""
    valid_until: date | None = None
    """Last date for which the waybill holds; ``None``: the service date alone."""
    owner_name: str = ""
    owner_address: str = ""
    owner_phone: str = ""
    owner_ogrn: str = ""
    plate: str = ""
    make_model: str = ""
    technical_s: int | None = None
    is_technical_passed: bool | None = None
    driver: str = ""
    licence: str = ""
    medical_before_s: int | None = None
    is_medical_before_passed: bool | None = None
    medical_after_s: int | None = None
    is_medical_after_passed: bool | None = None
    carriage: str = ""
    odometer_out_km: float | None = None
    odometer_in_km: float | None = None
    out_s: int | None = None
    in_s: int | None = None
    fuel: float | None = None
    """Litres, kilograms or kilowatt-hours used, as the vehicle counts them."""
    note: str = ""
    revision: int = 0
    """0: never stored."""

    def __post_init__(self) -> None:
        for name in TEXTS:
            most = NOTE_MAX if name == "note" else TEXT_MAX
            if len(getattr(self, name)) > most:
                length = len(getattr(self, name))
                raise InputError("waybill.too_long", field=name, length=length, limit=most)
        if self.owner_ogrn and not (self.owner_ogrn.isdigit() and len(self.owner_ogrn) in (13, 15)):
            raise InputError("waybill.bad_ogrn", value=self.owner_ogrn[:40])
        for name in CLOCKS:
            value = getattr(self, name)
            if value is not None and not 0 <= value < 2 * DAY_S:
                raise InputError("waybill.bad_clock", field=name, value=value)
        self._check_amount("odometer_out_km", MOST_KM)
        self._check_amount("odometer_in_km", MOST_KM)
        self._check_amount("fuel", MOST_FUEL)
        way_km = self.odometer_km
        if way_km is not None and way_km < 0:
            raise InputError(
                "waybill.odometer_back", out=self.odometer_out_km, back=self.odometer_in_km
            )
        if way_km is not None and way_km > MOST_DAY_KM:
            raise InputError("waybill.odometer_far", km=round(way_km), limit=round(MOST_DAY_KM))
        if self.out_s is not None and self.in_s is not None and self.in_s < self.out_s:
            raise InputError("waybill.back_before_out")
        if self.valid_until is not None and self.valid_until < self.service_date:
            raise InputError("waybill.ended", date=self.valid_until.isoformat())

    def _check_amount(self, name: str, most: float) -> None:
        value = getattr(self, name)
        if value is not None and not 0 <= value <= most:
            raise InputError("waybill.bad_amount", field=name, value=value, limit=most)

    @property
    def odometer_km(self) -> float | None:
        """What the odometer says the day's way was."""
        if self.odometer_out_km is None or self.odometer_in_km is None:
            return None
        return self.odometer_in_km - self.odometer_out_km


def next_sheet(last: DaySheet | None, blank: DaySheet) -> DaySheet:
    """A sheet of a day begun from the vehicle's last: owner, driver, odometer, next number."""
    if last is None:
        return blank
    lasting = {name: getattr(last, name) for name in LASTING if name != "valid_until"}
    number = ""
    if last.number.isdigit() and last.service_date < blank.service_date:
        number = str(int(last.number) + 1).zfill(len(last.number))
    return replace(blank, **lasting, number=number, odometer_out_km=last.odometer_in_km)


class OdometerVerdict(StrEnum):
    """What an odometer and the track say together."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NO_ODOMETER = "no_odometer"
    NO_TRACK = "no_track"


@dataclass(frozen=True, slots=True, kw_only=True)
class OdometerCheck:
    """The odometer held against the track, and against where the day before had ended.

    ``between_km`` is what the vehicle drove between its last sheet and this one; negative where the
    odometer went back.
    """

    verdict: OdometerVerdict
    odometer_km: float | None
    track_km: float | None
    unseen_km: float = 0.0
    between_km: float | None = None

    @property
    def difference_km(self) -> float | None:
        if self.odometer_km is None or self.track_km is None:
            return None
        return self.odometer_km - self.track_km

    @property
    def is_broken_off(self) -> bool:
        """Whether the odometer does not go on where the day before had ended."""
        return self.between_km is not None and not 0 <= self.between_km <= JOIN_KM


def check_odometer(
    sheet: DaySheet | None,
    track_m: float | None,
    *,
    unseen_m: float = 0.0,
    last: DaySheet | None = None,
) -> OdometerCheck:
    """Hold an odometer against a track.

    Ways in gaps of the track are known as the crow flies alone: a difference may be as much
    greater as they are long.

    Parameters
    ----------
    last
        The vehicle's last sheet before this one.
    """
    odometer_km = None if sheet is None else sheet.odometer_km
    track_km = None if track_m is None else track_m / 1000
    between = None
    if sheet and last and sheet.odometer_out_km is not None and last.odometer_in_km is not None:
        between = sheet.odometer_out_km - last.odometer_in_km
    if track_km is None:
        verdict = OdometerVerdict.NO_TRACK
    elif odometer_km is None:
        verdict = OdometerVerdict.NO_ODOMETER
    else:
        near_km = max(NEAR_KM, NEAR_RATIO * odometer_km) + unseen_m / 1000
        agrees = abs(odometer_km - track_km) <= near_km
        verdict = OdometerVerdict.AGREES if agrees else OdometerVerdict.DIFFERS
    return OdometerCheck(
        verdict=verdict,
        odometer_km=odometer_km,
        track_km=track_km,
        unseen_km=unseen_m / 1000,
        between_km=between,
    )
