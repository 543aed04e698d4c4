"""Recorded days say how wide spans must be: four of five arrivals, no more and no less."""

import numpy as np
import pytest

from fleet.devices import TRACKER
from fleet.eta import EtaParams, Forecaster
from fleet.leg_times import planned_times
from fleet.matching import MatchedDay, match
from fleet.spans import (
    LEAST_DAYS,
    NUM_FACTORS,
    Scored,
    Spans,
    as_it_stood,
    calibrated,
    score_of,
)
from fleet.tracking import follow
from tests.fleet.days import drive, places, seen, world
from tests.fleet.test_eta import RUN


def driven(seed: int = 4) -> MatchedDay:
    day = drive(0, seed=seed)
    return match(day.run, follow(seen(day, TRACKER, seed=1), places()).stops)


def test_a_score_is_how_many_halves_an_arrival_missed() -> None:
    """Ten minutes late where the span ends five minutes later: twice its half."""
    late = score_of(900, 1000, 1300, 1600, is_under_way=False)
    assert (late.number, late.score) == (1, 2.0)
    early = score_of(900, 1000, 1300, 950, is_under_way=True)
    assert (early.number, early.score) == (0, 0.5)
    assert score_of(7300, 7300, 7300, 7310, is_under_way=False).score == 0.5


@pytest.mark.parametrize("wrong", [0.8, 1.5, 2.0])
def test_spans_hold_four_of_five(wrong: float) -> None:
    """The factor is the one within which four of five lie, never narrower than the model."""
    chance = np.random.default_rng(7)
    days = [
        [Scored(number=n, score=wrong * s) for n in range(NUM_FACTORS) for s in chance.random(20)]
        for _ in range(200)
    ]
    spans = calibrated(days)
    assert spans is not None
    factor = max(1.0, 0.804 * wrong)
    assert spans.factors == pytest.approx((factor,) * NUM_FACTORS, rel=0.05)
    low, high = spans.limits(900, 1000, 1300)
    assert (1000 - low, high - 1000) == pytest.approx(
        (spans.factors[1] * 100, spans.factors[1] * 300)
    )


def test_few_days_say_nothing_and_a_rare_horizon_takes_its_neighbour() -> None:
    """Below eight days the model alone tells; a horizon never seen has the factor beside it."""
    day = [Scored(number=2, score=1.5)] * 10
    assert calibrated([day] * (LEAST_DAYS - 1)) is None
    assert calibrated([[]] * 50) is None
    spans = calibrated([day] * LEAST_DAYS)
    assert spans is not None
    assert spans.factors == (1.5,) * NUM_FACTORS


def test_nonsense_is_refused() -> None:
    """Factors are as many as there are horizons, and above zero."""
    for factors in ((1.0,), (0.0,) * NUM_FACTORS, (float("nan"),) * NUM_FACTORS):
        with pytest.raises(ValueError, match="factors above zero"):
            Spans(factors=factors)


def test_a_day_as_it_stood_knows_nothing_of_later() -> None:
    """At each moment only what had happened is told, and each stay that went on goes on."""
    day = driven()
    moments = list(as_it_stood(day))
    assert len(moments) > 20
    for at, then in moments:
        for visit in then.visits:
            if visit.observed is not None:
                assert visit.observed.arrived_at <= at
                left = visit.observed.departed_at
                assert left is None or left <= at
        assert then.departed_at is None or then.departed_at <= at


def test_spans_widen_the_forecast_and_never_before_now() -> None:
    """Twice as wide on both sides, but nobody comes before now or leaves before its time."""
    times = planned_times(world(), str(RUN.vehicle_id), RUN.place_ids)
    wide = EtaParams(spans=Spans(factors=(2.0,) * NUM_FACTORS))
    plain = Forecaster(RUN, times)
    widened = Forecaster(RUN, times, params=wide)
    for at, then in as_it_stood(driven()):
        before, after = (f.forecast(then, at, None).etas for f in (plain, widened))
        for one, other in zip(before, after, strict=True):
            assert other.arrival_at == one.arrival_at
            later = (one.arrival_high_at - one.arrival_at).total_seconds()
            if later > 20:
                assert (other.arrival_high_at - one.arrival_at).total_seconds() == pytest.approx(
                    2 * later, abs=3
                )
            assert at <= other.arrival_low_at <= one.arrival_low_at
    assert plain.scored(driven())
