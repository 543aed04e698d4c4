"""Forecasts of simulated days against what then happened, by how far ahead they looked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from data.model.telemetry import Fix
from fleet.eta import EtaParams, Forecaster, planned_plus_delay
from fleet.leg_times import LegTimes
from fleet.matching import match
from fleet.simulate import TrueDay
from fleet.tracking import Place, Tracker

HORIZONS_MIN = (10, 20, 40, 60, 120, 600)
"""Upper ends of the bands of how far ahead an arrival truly was."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One forecast of one arrival: seconds ahead, errors of ours and of the plain one."""

    ahead_s: float
    error_s: float
    plain_s: float
    is_inside: bool
    """Whether the truth lay within our 80 %."""
    wide_s: float
    """How wide those were."""


def trials_of(
    day: TrueDay,
    fixes: Sequence[Fix],
    places: Sequence[Place],
    times: LegTimes,
    *,
    every_s: int = 300,
    params: EtaParams | None = None,
) -> Iterable[Trial]:
    """Forecasts every so often from what had come in by then."""
    forecaster = Forecaster(day.run, times, params=params)
    tracker = Tracker(places)
    truth = {v.position: v.from_at for v in day.visits}
    come = sorted(fixes, key=lambda f: f.received_at or f.fix_at)
    at = 0
    end = max(v for v in truth.values() if v is not None)
    now = day.began_at + timedelta(seconds=every_s)
    while now < end:
        first = at
        while at < len(come) and (come[at].received_at or come[at].fix_at) <= now:
            at += 1
        tracker.add(come[first:at])
        matched = match(day.run, tracker.stops, now=now)
        forecast = forecaster.forecast(matched, now, tracker.last)
        plain = planned_plus_delay(matched, now)
        for eta in forecast.etas:
            true_at = truth.get(eta.planned.position)
            if true_at is None or true_at <= now or eta.planned.position not in plain:
                continue
            yield Trial(
                ahead_s=(true_at - now).total_seconds(),
                error_s=abs((eta.arrival_at - true_at).total_seconds()),
                plain_s=abs((plain[eta.planned.position] - true_at).total_seconds()),
                is_inside=eta.arrival_low_at <= true_at <= eta.arrival_high_at,
                wide_s=(eta.arrival_high_at - eta.arrival_low_at).total_seconds(),
            )
        now += timedelta(seconds=every_s)


def table_of(trials: Sequence[Trial]) -> list[tuple[int, int, float, float, float, float, float]]:
    """By horizon in minutes: number, mean error of ours and of the plain one, P90s, coverage."""
    rows = []
    least = 0
    for most in HORIZONS_MIN:
        band = [t for t in trials if least * 60 < t.ahead_s <= most * 60]
        least = most
        if not band:
            continue
        ours, plain = (np.array([getattr(t, n) for t in band]) for n in ("error_s", "plain_s"))
        rows.append(
            (
                most,
                len(band),
                float(ours.mean()),
                float(plain.mean()),
                float(np.quantile(ours, 0.9)),
                float(np.quantile(plain, 0.9)),
                float(np.mean([t.is_inside for t in band])),
            )
        )
    return rows


def spans_of(trials: Sequence[Trial]) -> list[tuple[int, int, float, float]]:
    """By horizon in minutes: number, share inside the span, median width of spans."""
    rows = []
    least = 0
    for most in HORIZONS_MIN:
        band = [t for t in trials if least * 60 < t.ahead_s <= most * 60]
        least = most
        if band:
            inside = float(np.mean([t.is_inside for t in band]))
            rows.append((most, len(band), inside, float(np.median([t.wide_s for t in band]))))
    return rows
