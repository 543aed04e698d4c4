"""Expected visits: calibrated intervals, shrunken rates, a wide prior where nothing was counted."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from data.model.access import Access, Home
from data.model.demand import PrizeBy
from data.model.errors import InputError
from data.model.fleet import VehicleId
from data.model.learned import LearnedDemand
from data.model.observed import ObservedVisit
from data.model.place import SettlementId, Stop, StopId
from planner.learn.demand import (
    PRIOR,
    Audience,
    audiences,
    expected_total,
    expected_visits,
    features,
    fit_demand,
    prior_demand,
    with_demand,
)
from planner.params import SolveParams
from planner.solve import solve
from tests.planner.learn.world import make_world


class Villages:
    """Sixty stops whose true mean visits are known."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        beta = np.array([rng.normal(m, s) for m, s in PRIOR.values()])
        self.stops, self.audience, self.truth = [], {}, []
        self.counted: list[tuple[Stop, ObservedVisit]] = []
        for k in range(60):
            people = int(np.exp(rng.normal(5.5, 0.8)))
            stop = Stop(
                stop_id=StopId(f"v{k}"),
                name=f"V {k}",
                lon=21.0,
                lat=54.5,
                people=people,
                service_s=int(rng.choice([1800, 3600, 5400])),
            )
            audience = Audience(
                people=people,
                children=int(people * rng.uniform(0.1, 0.25)),
                seniors=int(people * rng.uniform(0.1, 0.3)),
                library_s=int(rng.uniform(300, 2400)),
            )
            mean = float(np.exp(features(audience, stop.service_s) @ beta) * rng.gamma(3) / 3)
            self.stops.append(stop)
            self.audience[stop.stop_id] = audience
            self.truth.append(mean)
            for _ in range(int(rng.choice([0, 1, 3, 12]))):
                count = int(rng.poisson(mean * rng.gamma(5) / 5))
                self.counted.append((stop, seen(stop, count)))


def seen(stop: Stop, count: int) -> ObservedVisit:
    return ObservedVisit(
        service_date=date(2026, 3, 2),
        vehicle_id=VehicleId("kibo-1"),
        place_id=str(stop.stop_id),
        visits=count,
    )


def test_intervals_hold_the_true_mean_and_pooling_helps() -> None:
    """In fifteen districts 80 % hold the truth; neither extreme of pooling comes as near."""
    inside, partial, together, alone, shown = [], [], [], [], []
    for seed in range(15):
        villages = Villages(seed)
        demand = fit_demand(villages.counted, villages.audience)
        pooled = replace(demand, seen={})
        for stop, truth in zip(villages.stops, villages.truth, strict=True):
            audience = villages.audience[stop.stop_id]
            found = expected_visits(demand, stop, audience)
            inside.append(found.low <= truth <= found.high)
            error = float(np.log(found.mean / truth)) ** 2
            partial.append(error)
            flat = expected_visits(pooled, stop, audience).mean
            together.append(float(np.log(flat / truth)) ** 2)
            counts = [v.visits or 0 for s, v in villages.counted if s is stop]
            if counts:
                own = max(0.5, float(np.mean(counts)))
                alone.append(float(np.log(own / truth)) ** 2)
                shown.append(error)
    # 900 stops in fifteen districts that share their rates: some 4 % of chance.
    assert np.mean(inside) == pytest.approx(0.8, abs=0.06)
    assert np.mean(partial) < 0.8 * np.mean(together)
    assert np.mean(shown) < 0.8 * np.mean(alone)


def test_before_any_count_the_stated_prior_answers() -> None:
    """An hour at 300 people: 23 visits over 5.4 stops, within a factor of two or so."""
    stop = Stop(stop_id=StopId("a"), name="A", lon=21, lat=54, people=300, service_s=3600)
    audience = Audience(people=300, library_s=900)
    found = expected_visits(prior_demand(), stop, audience)
    assert found.mean == pytest.approx(23 / 5.4)
    assert found.high / found.low > 4
    unknown = expected_visits(prior_demand(), replace(stop, people=None), Audience())
    assert unknown.high / unknown.low > found.high / found.low


def test_counts_move_an_estimate_the_further_the_more_there_are() -> None:
    """One busy day is doubted, thirty are believed; the interval narrows."""
    stop = Stop(stop_id=StopId("a"), name="A", lon=21, lat=54, people=300, service_s=3600)
    audience = {stop.stop_id: Audience(people=300)}
    found = []
    for num in (1, 30):
        demand = fit_demand([(stop, seen(stop, 20))] * num, audience)
        found.append(expected_visits(demand, stop, audience[stop.stop_id]))
    assert 4.3 < found[0].mean < 16
    assert 16 < found[1].mean <= 20.5
    assert found[1].high - found[1].low < found[0].high - found[0].low
    assert [f.num_records for f in found] == [1, 30]


def test_no_visitors_at_all_is_an_answer() -> None:
    """Ten openings with nobody: few are expected, but not none."""
    stop = Stop(stop_id=StopId("a"), name="A", lon=21, lat=54, people=300, service_s=3600)
    audience = {stop.stop_id: Audience(people=300)}
    demand = fit_demand([(stop, seen(stop, 0))] * 10, audience)
    found = expected_visits(demand, stop, audience[stop.stop_id])
    assert 0 < found.mean < 1


def test_an_audience_is_that_of_all_settlements_of_a_stop() -> None:
    """Children are known where they are for each home; the way is that of the first."""
    homes = tuple(
        Home(settlement_id=SettlementId(i), name=i, people=100, children=c, library_s=w)
        for i, c, w in (("a", 20, 600), ("b", None, 300), ("c", 5, None))
    )
    base = make_world()
    both = tuple(SettlementId(i) for i in ("a", "b"))
    known = tuple(SettlementId(i) for i in ("a", "c"))
    stops = (
        replace(base.stops[0], settlement_ids=both),
        replace(base.stops[1], settlement_ids=known),
        base.stops[2],
    )
    found = audiences(replace(base, stops=stops, access=Access(homes=homes)))
    assert found[stops[0].stop_id].children is None
    assert found[stops[1].stop_id].children == 25
    assert found[stops[1].stop_id].library_s == 600
    assert found[stops[2].stop_id] == Audience(people=base.stops[2].people)


def test_demand_weighs_stops_and_a_plan_tells_what_it_expects() -> None:
    """Prizes become visits of a cycle; the sum of a plan is surer than its stops."""
    request = make_world()
    weighed = with_demand(request, prior_demand(), PrizeBy.DEMAND)
    assert weighed.prize_by is PrizeBy.DEMAND
    for stop in weighed.stops:
        assert stop.visits_expected is not None
        assert stop.prize == pytest.approx(stop.visits_expected.mean, abs=1e-3)
    plan = solve(weighed, SolveParams(work_limit=2000, workers=1, time_limit_s=60))
    total = expected_total(weighed, plan)
    assert total is not None
    served = {v.stop_id for r in plan.runs for v in r.visits}
    means = [s.visits_expected for s in weighed.stops if s.stop_id in served]
    assert total.mean == pytest.approx(sum(e.mean for e in means if e))
    width = sum(e.high - e.low for e in means if e)
    assert total.high - total.low < width
    assert expected_total(request, plan) is None


def test_rates_of_another_kind_are_refused() -> None:
    """A file with other coefficients names what it has and what is needed."""
    with pytest.raises(InputError, match="other_rates"):
        with_demand(
            make_world(),
            LearnedDemand(
                names=("base",), coefficients=(1.0,), covariance=((0.1,),), shape=3, dispersion=0
            ),
        )
