"""Times of one vehicle as recorded days say they are, for forecasts."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from data.model.fleet import VehicleId
from data.model.learned import Learned, LearnedRatio
from data.model.place import Stop
from data.model.service_time import clock_s, date_of
from data.model.travel import UNREACHABLE, TravelMatrix
from fleet.leg_times import DEFAULT_DAY_SD, Spell
from planner.learn.ratios import predict
from planner.learn.records import hour_band, leg_unit, setup_base_s, teardown_base_s

_UNKNOWN = Spell(median_s=1200.0, sd=0.5)


@dataclass(frozen=True, slots=True)
class LearnedLegTimes:
    """Times of one vehicle as recorded days say they are."""

    vehicle_id: VehicleId
    matrix: TravelMatrix
    stops: dict[str, Stop]
    zone: ZoneInfo
    learned: Learned

    @property
    def day_sd(self) -> float:
        ratio = self.learned.drive
        return ratio.day_sd if ratio.num_records else DEFAULT_DAY_SD

    def drive(self, origin_id: str, target_id: str, at: datetime) -> Spell:
        index = self.matrix.index
        if origin_id not in index or target_id not in index:
            return _UNKNOWN
        base_s = self.matrix.unlearned_seconds(origin_id, target_id)
        if base_s == UNREACHABLE:
            return _UNKNOWN
        hour = hour_band(int(clock_s(date_of(at, self.zone), at, self.zone)))
        units = {
            "leg": leg_unit(origin_id, target_id),
            "vehicle": str(self.vehicle_id),
            "hour": hour,
        }
        return _spell(self.learned.drive, base_s, units)

    def setup(self, stop_id: str) -> Spell:
        stop = self.stops.get(stop_id)
        if stop is None:
            return Spell(median_s=0.0)
        if not self.learned.setup.num_records:
            return Spell(median_s=stop.setup_s, sd=self.learned.setup.residual_sd)
        return _spell(self.learned.setup, setup_base_s(stop), {"stop": stop_id}, with_day=True)

    def turnaround(self, stop_id: str) -> Spell:
        stop = self.stops.get(stop_id)
        if stop is None:
            return Spell(median_s=0.0)
        if not self.learned.turnaround.num_records:
            return Spell(median_s=stop.teardown_s, sd=self.learned.turnaround.residual_sd)
        base_s = teardown_base_s(stop)
        return _spell(self.learned.turnaround, base_s, {"stop": stop_id}, with_day=True)


def _spell(
    ratio: LearnedRatio, base_s: float, units: dict[str, str], *, with_day: bool = False
) -> Spell:
    found = predict(ratio, base_s, units)
    variance = found.estimate_variance + found.residual_variance
    if with_day:
        variance += found.day_variance
    return Spell(median_s=base_s * found.median, sd=variance**0.5)
