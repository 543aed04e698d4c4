"""Learned factors are calibrated, beat both extremes of pooling, and shrug off incidents."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from planner.learn.lessons import DRIVE_PRIOR
from planner.learn.ratios import (
    EARLY,
    IMPOSSIBLE,
    LATE,
    WHOLE_DAY,
    RatioPrior,
    Sample,
    fit_ratio,
    predict,
)

LEGS = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "uk-mobile-libraries"
PRIOR = RatioPrior(
    overall_sd=0.3,
    level_sd={"leg": 0.12, "hour": 0.05},
    day_sd=0.06,
    residual_sd=0.1,
    short_s=60.0,
    closed=frozenset({"hour"}),
)


class Roads:
    """Forty legs of known truth, driven seven a day."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.base_s = np.exp(self.rng.normal(6.3, 0.7, 40)).clip(60, 5000)
        self.log_factor = 0.1 + self.rng.normal(0, 0.15, 40)

    def days(self, num: int) -> tuple[np.ndarray, Sample]:
        legs, days, hours, times = [], [], [], []
        for day in range(num):
            slow = self.rng.normal(0, 0.08)
            for leg in self.rng.choice(40, 7, replace=False):
                hour = int(self.rng.integers(0, 3))
                noise = self.rng.normal(0, 0.1) * np.sqrt(1 + 60 / self.base_s[leg])
                log = self.log_factor[leg] + slow + (-0.05, 0.0, 0.05)[hour] + noise
                legs.append(int(leg))
                days.append(str(day))
                hours.append(str(hour))
                times.append(self.base_s[leg] * np.exp(log))
        index = np.array(legs, np.intp)
        units = {"leg": [str(leg) for leg in legs], "hour": hours}
        return index, Sample(
            observed_s=np.array(times), planned_s=self.base_s[index], units=units, days=days
        )


def test_intervals_and_quantiles_hold_what_they_promise() -> None:
    """Over ten worlds 80 % intervals hold the truth, and p80 four new days in five."""
    inside, kept = [], []
    for seed in range(10):
        roads = Roads(seed)
        learned = fit_ratio(roads.days(40)[1], PRIOR).learned
        found = [predict(learned, roads.base_s[k], {"leg": str(k)}) for k in range(40)]
        for k, prediction in enumerate(found):
            low, high = prediction.interval()
            inside.append(low <= np.exp(roads.log_factor[k]) <= high)
        legs, new = roads.days(150)
        p80 = np.array([roads.base_s[k] * found[k].quantile(0.8) for k in range(40)])
        kept.append(float((new.observed_s <= p80[legs]).mean()))
    # 400 legs in ten worlds whose overall factor and days are shared: some 3 % of chance.
    assert np.mean(inside) == pytest.approx(0.8, abs=0.07)
    assert np.mean(kept) == pytest.approx(0.8, abs=0.04)


def test_partial_pooling_beats_both_extremes_on_new_days() -> None:
    """Neither each leg by itself nor one factor for all comes as near to the truth."""
    partial, alone, together = [], [], []
    for seed in range(8):
        roads = Roads(100 + seed)
        legs, sample = roads.days(20)
        learned = fit_ratio(sample, PRIOR).learned
        log = np.log(sample.observed_s / sample.planned_s)
        by_leg = defaultdict(list)
        for leg, value in zip(legs, log, strict=True):
            by_leg[int(leg)].append(float(value))
        for k, truth in enumerate(roads.log_factor):
            found = predict(learned, roads.base_s[k], {"leg": str(k)}).mean
            partial.append((found - truth) ** 2)
            together.append((log.mean() - truth) ** 2)
            alone.append((float(np.mean(by_leg[k])) - truth) ** 2 if k in by_leg else truth**2)
    assert np.mean(partial) < 0.95 * np.mean(alone)
    assert np.mean(partial) < 0.6 * np.mean(together)


def test_incidents_are_set_aside_by_name_and_change_little() -> None:
    """A breakdown, a wrong clock and a day in snow stand in the list, each with its cause."""
    roads = Roads(7)
    _, sample = roads.days(40)
    clean = fit_ratio(sample, PRIOR).learned
    times = sample.observed_s.copy()
    times[5] += 2.0 * sample.planned_s[5]
    times[11] = -40.0
    times[23] *= 0.3
    snow = [i for i, day in enumerate(sample.days) if day == "30"]
    times[snow] *= 1.9
    fit = fit_ratio(
        Sample(observed_s=times, planned_s=sample.planned_s, units=sample.units, days=sample.days),
        PRIOR,
    )
    reasons = {a.index: a.reason for a in fit.set_aside}
    assert reasons[5] == LATE
    assert reasons[11] == IMPOSSIBLE
    assert reasons[23] == EARLY
    assert {reasons.get(i) for i in snow} <= {WHOLE_DAY, LATE}
    assert len(reasons) <= 3 + len(snow) + 2
    assert fit.learned.overall == pytest.approx(clean.overall, abs=0.02)
    assert fit.learned.num_set_aside == len(reasons)
    assert fit.learned.late_share == pytest.approx(8 / len(times), abs=0.01)


def test_one_record_moves_little_and_many_move_all_the_way() -> None:
    """A leg that took half as long again: once it is half believed at most, fifty times wholly."""
    means = []
    for num in (1, 50):
        sample = Sample(
            observed_s=np.full(num, 900.0),
            planned_s=np.full(num, 600.0),
            units={"leg": ["a"] * num, "hour": ["9"] * num},
            days=[str(k) for k in range(num)],
        )
        means.append(predict(fit_ratio(sample, PRIOR).learned, 600.0, {"leg": "a"}))
    assert 1.05 < means[0].median < 1.45
    assert means[1].median == pytest.approx(1.5, abs=0.03)
    low, high = means[0].interval()
    assert high / low > 1.2
    assert means[1].interval()[1] / means[1].interval()[0] < 1.1


def test_an_unknown_unit_is_as_wide_as_units_differ() -> None:
    """A road never driven takes the mean of all and a wider interval than any driven one."""
    roads = Roads(3)
    learned = fit_ratio(roads.days(40)[1], PRIOR).learned
    driven = predict(learned, 600.0, {"leg": "4"})
    new = predict(learned, 600.0, {"leg": "never"})
    assert new.mean == pytest.approx(learned.overall)
    assert new.estimate_variance > driven.estimate_variance
    assert new.estimate_variance == pytest.approx(
        learned.overall_variance + learned.level_sd["leg"] ** 2
    )


@pytest.mark.skipif(not LEGS.exists(), reason="shared data not at hand")
def test_published_gaps_of_real_rounds_teach_a_plausible_factor() -> None:
    """Aberdeenshire: times between published stops against the car times of its legs.

    The file's legs are computed for a car, not driven; what is published between two stops is what
    the library's drivers are given, in steps of five minutes, so that shorter legs tell little.
    A bookmobile is given more than a car needs, and the factor of
    legs that were left out of learning is foretold better than by the car's time.
    """
    times: dict[tuple[str, str, str], tuple[str, str]] = {}
    with (LEGS / "stops" / "aberdeenshire.csv").open(encoding="utf-8") as source:
        for row in csv.DictReader(source):
            times[row["mobile"], row["route"], row["stop"]] = (row["arrival"], row["departure"])
    observed, planned, legs, mobiles = [], [], [], []
    with (LEGS / "legs.csv").open(encoding="utf-8") as source:
        for row in csv.DictReader(source):
            if row["file"] != "aberdeenshire_routes.geojson" or float(row["drive_min"]) < 4:
                continue
            here = times.get((row["mobile"], row["route"], row["origin_stop"]))
            there = times.get((row["mobile"], row["route"], row["destination_stop"]))
            if here is None or there is None or not here[1] or not there[0]:
                continue
            observed.append(60.0 * (_minutes(there[0]) - _minutes(here[1])))
            planned.append(60.0 * float(row["drive_min"]))
            legs.append(f"{row['origin_stop']} {row['destination_stop']}")
            mobiles.append(row["mobile"])
    assert len(observed) > 60
    learn = np.arange(len(observed)) % 3 > 0
    sample = Sample(
        observed_s=np.array(observed)[learn],
        planned_s=np.array(planned)[learn],
        units={
            "leg": [u for u, used in zip(legs, learn, strict=True) if used],
            "vehicle": [u for u, used in zip(mobiles, learn, strict=True) if used],
            "hour": ["09-12"] * int(learn.sum()),
        },
        days=[str(k) for k in np.flatnonzero(learn)],
    )
    fit = fit_ratio(sample, DRIVE_PRIOR)
    assert 1.0 < np.exp(fit.learned.overall) < 2.5
    assert 0 < len(fit.set_aside) < 0.3 * learn.sum()
    errors, as_planned = [], []
    for k in np.flatnonzero(~learn):
        if observed[k] <= 0:
            continue
        found = predict(fit.learned, planned[k], {"leg": legs[k], "vehicle": mobiles[k]})
        errors.append(abs(np.log(observed[k] / planned[k]) - found.mean))
        as_planned.append(abs(np.log(observed[k] / planned[k])))
    assert np.median(errors) < np.median(as_planned)


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")[:2]
    return 60 * int(hours) + int(minutes)
