"""The measures of fairness are what their definitions say."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.model.access import Access, Home
from data.model.place import SettlementId, StopId
from data.model.weighted import gini, mean_of_worst
from planner.access import access_s, groups_served, measure
from tests.planner.examples import KALINOVKA, KALUZHSKOE, make_plan, make_request

KIRPICHNOE, GREMYACHE, PRIVOLNOE = (SettlementId(i) for i in ("a", "b", "c"))
HOMES = (
    Home(settlement_id=KIRPICHNOE, name="Кирпичное", people=100, children=20, library_s=600),
    Home(settlement_id=GREMYACHE, name="Гремячье", people=60, children=None, library_s=1200),
    Home(settlement_id=PRIVOLNOE, name="Привольное", people=40, children=5, library_s=2400),
)
NEAR = StopId("near"), StopId("far")
ACCESS = Access(homes=HOMES, near={NEAR[0]: ((0, 0), (1, 300)), NEAR[1]: ((2, 120), (1, 900))})


def test_the_nearer_of_library_and_stops_counts() -> None:
    """Each home takes its least way; a stop that is not served does not shorten it."""
    assert access_s(ACCESS, []).tolist() == [600, 1200, 2400]
    assert access_s(ACCESS, [NEAR[1]]).tolist() == [600, 900, 120]
    assert access_s(ACCESS, NEAR).tolist() == [0, 300, 120]


def test_figures_by_hand() -> None:
    """200 people: mean (100*600 + 60*1200 + 40*2400) / 200; the worst 20 are in Privolnoe.

    Gini by all pairs: (2*100*60*600 + 2*100*40*1800 + 2*60*40*1200) / (2 * 200^2 * 1140).
    """
    told = measure(ACCESS, [])
    assert told.people == 200
    assert told.mean_s == pytest.approx(1140)
    assert told.p90_s == 2400
    assert told.worst_tenth_s == 2400
    assert told.gini == pytest.approx(27_360_000 / 91_200_000)
    assert (told.worst_id, told.worst_s) == (PRIVOLNOE, 2400)
    served = measure(ACCESS, [NEAR[1]])
    assert served.p90_s == 900
    assert served.worst_tenth_s == 900
    assert served.worst_name == "Гремячье"


def test_a_home_without_any_road_is_told_not_hidden() -> None:
    """Its people make the measures that they reach unknown, and it is the worst-off."""
    cut = Home(settlement_id=SettlementId("d"), name="Коса", people=50, library_s=None)
    told = measure(Access(homes=(*HOMES, cut)), [])
    assert told.num_no_way == 1
    assert told.mean_s is None and told.gini is None and told.p90_s is None
    assert (told.worst_name, told.worst_s) == ("Коса", None)


def test_nobody_is_no_figure() -> None:
    """Homes of unknown population weigh nothing, though the worst of them is named."""
    lonely = Access(homes=(Home(settlement_id=GREMYACHE, name="Гремячье", library_s=60),))
    told = measure(lonely, [])
    assert (told.people, told.mean_s, told.p90_s, told.gini) == (0, None, None, None)
    assert (told.num_unknown_people, told.worst_name) == (1, "Гремячье")


TIMES = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(0, 300)), min_size=1, max_size=12
).filter(lambda rows: sum(p for _, p in rows) > 0)


@given(TIMES)
def test_gini_is_the_mean_difference_of_all_pairs(rows: list[tuple[int, int]]) -> None:
    """The sorted formula agrees with the definition over all pairs of people."""
    total = sum(p for _, p in rows)
    mean = sum(t * p for t, p in rows) / total
    pairs = sum(p * q * abs(t - u) for (t, p), (u, q) in product(rows, rows))
    wanted = pairs / (2 * total**2 * mean) if mean else 0.0
    values, weight = np.array(rows, np.float64).T
    assert gini(values, weight) == pytest.approx(wanted, abs=1e-9)


@given(TIMES)
def test_one_more_stop_worsens_no_time(rows: list[tuple[int, int]]) -> None:
    """P90, mean, worst tenth and worst home never rise when a stop more is served."""
    homes = tuple(
        Home(settlement_id=SettlementId(str(k)), name=str(k), people=p, library_s=t)
        for k, (t, p) in enumerate(rows)
    )
    near = {NEAR[0]: tuple((k, t // 3) for k, (t, _) in enumerate(rows) if k % 2)}
    before, after = (measure(Access(homes=homes, near=near), s) for s in ([], [NEAR[0]]))
    for name in ("mean_s", "p90_s", "worst_tenth_s", "worst_s"):
        assert getattr(after, name) <= getattr(before, name) + 1e-9
    weight = np.array([p for _, p in rows], np.float64)
    whole = mean_of_worst(np.array([t for t, _ in rows], np.float64), weight, 1.0)
    assert whole == pytest.approx(before.mean_s)


def test_groups_of_people_by_the_stops_in_their_walking_distance() -> None:
    """Children of unknown number are counted apart; a group nobody counted is not told."""
    plain = make_request()
    homes_of = {KALINOVKA.stop_id: (KIRPICHNOE, GREMYACHE), KALUZHSKOE.stop_id: ()}
    stops = tuple(
        replace(s, settlement_ids=homes_of.get(s.stop_id, (PRIVOLNOE,))) for s in plain.stops[:2]
    )
    request = replace(plain, stops=(*stops, *plain.stops[2:]), access=ACCESS)
    told = groups_served(request, make_plan())
    assert set(told) == {"residents", "children"}
    assert (told["residents"].served, told["residents"].total) == (160, 200)
    assert (told["children"].served, told["children"].num_unknown) == (20, 1)
    assert groups_served(plain, make_plan()) == {}
