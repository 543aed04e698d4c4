"""How often the spans of forecasts hold the arrival, before and after days were recorded.

``pytest -m benchmark -s tests/benchmarks/test_spans.py`` prints the table of docs/tracking.md.
"""

from dataclasses import replace

import pytest
from rich.console import Console

from api.services.leg_times import habits, leg_times
from data.model.learned import Learned
from fleet.devices import TRACKER
from fleet.eta import EtaParams, Forecaster
from fleet.leg_times import LegTimes, planned_times
from fleet.matching import match
from fleet.simulate import DriveParams, TrueDay
from fleet.spans import Spans, calibrated
from fleet.tracking import follow
from tests.benchmarks.test_tracking import KINDS, learned_from
from tests.fleet.days import drive, places, seen, world
from tests.fleet.eta_trial import Trial, spans_of, trials_of

pytestmark = pytest.mark.benchmark

RECORDED, DRIVEN = 60, 80
"""Vehicle-days that were recorded before, and days on which the spans are tried."""
LEAST, MOST = 0.73, 0.87
_CONSOLE = Console(width=130)


@pytest.mark.parametrize(("kind", "params"), KINDS)
def test_spans_by_recorded_days(kind: str, params: DriveParams) -> None:
    """Usual days and roads slower than planned: four of five arrivals, a few hundredths off."""
    misses: list[str] = []
    for is_learned in (False, True):
        learned = learned_from(params, 24) if is_learned else None
        before = _trials(params, learned, Spans())
        spans = _recorded(params, learned)
        after = _trials(params, learned, spans)
        name = f"{kind}, {'learned' if is_learned else 'planned'} times"
        _tell(f"\n{name}: factors {' '.join(f'{f:.2f}' for f in spans.factors)}")
        for old, new in zip(spans_of(before), spans_of(after), strict=True):
            most, num, inside, wide_s = new
            _tell(
                f"  ≤{most:4} min {num:6}  held {old[2]:.0%} -> {inside:.0%}   "
                f"width, median {old[3] / 60:5.1f} -> {wide_s / 60:5.1f} min"
            )
            if not LEAST <= inside <= MOST and kind.startswith(("usual", "roads")):
                misses.append(f"{name}, <= {most} min: {inside:.1%}")
    assert misses == []


def _tell(text: str) -> None:
    _CONSOLE.print(text, markup=False, highlight=False)


def _times(day: TrueDay, learned: Learned | None) -> tuple[LegTimes, EtaParams]:
    vehicle, ids = day.run.vehicle_id, day.run.place_ids
    if learned is None:
        return planned_times(world(), str(vehicle), ids), EtaParams()
    return leg_times(world(), vehicle, ids, learned), habits(learned) or EtaParams()


def _day(k: int, first: int, params: DriveParams, learned: Learned | None) -> TrueDay:
    # What was learned holds for its own legs; else every day has legs of its own.
    seed = 900 + k % 2 if learned is not None else 5000 + 100 * first + k
    return drive(k % 2, seed=seed, params=params, day=first + k // 2)


def _recorded(params: DriveParams, learned: Learned | None) -> Spans:
    scored = []
    for k in range(RECORDED):
        day = _day(k, 80, params, learned)
        times, own = _times(day, learned)
        stops = follow(seen(day, TRACKER, seed=k), places()).stops
        scored.append(Forecaster(day.run, times, params=own).scored(match(day.run, stops)))
    spans = calibrated(scored)
    assert spans is not None
    return spans


def _trials(params: DriveParams, learned: Learned | None, spans: Spans) -> list[Trial]:
    trials: list[Trial] = []
    for k in range(DRIVEN):
        day = _day(k, 0, params, learned)
        times, own = _times(day, learned)
        fixes = seen(day, TRACKER, seed=k)
        mine = replace(own, spans=spans)
        trials += trials_of(day, fixes, places(), times, every_s=600, params=mine)
    return trials
