"""Bases are screened by the people in comfortable reach, by a rule that can be told."""

import numpy as np

from data.model.fleet import CrewRules
from data.model.place import Depot, DepotId, StopId
from data.model.travel import UNREACHABLE, TravelMatrix
from planner.bases import comfortable_s, screen
from tests.planner.examples import FIRST, RULES
from tests.planner.instances import make_stop

STOPS = (make_stop("a", prize=100.0), make_stop("b", prize=40.0), make_stop("c", prize=30.0))
GUSEV, NESTEROV, OZYORSK = (
    Depot(depot_id=DepotId(name), name=name, lon=22.2, lat=54.59)
    for name in ("gusev", "nesterov", "ozyorsk")
)


def travel() -> TravelMatrix:
    """Ten minutes everywhere, but from Gusev to a an hour, and no road from Ozyorsk to b."""
    points = ("gusev", "nesterov", "ozyorsk", "a", "b", "c")
    seconds = np.full((6, 6), 600, np.int32)
    np.fill_diagonal(seconds, 0)
    seconds[0, 3] = 3600
    seconds[2, 4] = UNREACHABLE
    return TravelMatrix(
        point_ids=points, travel_s=seconds, travel_m=seconds, source="test", is_estimated=True
    )


def test_people_in_comfortable_reach() -> None:
    """There and back counts; a stop that no road reaches is in nobody's reach."""
    found = screen((GUSEV, NESTEROV, OZYORSK), STOPS, travel(), 3600, num=3)
    assert [(s.depot.name, s.prize, s.num_stops) for s in found] == [
        ("nesterov", 170.0, 3),
        ("ozyorsk", 130.0, 2),
        ("gusev", 70.0, 2),
    ]


def test_bases_of_today_are_always_there() -> None:
    """They take a place of the number asked for, however few people they reach."""
    always = frozenset({GUSEV.depot_id})
    found = screen((GUSEV, NESTEROV, OZYORSK), STOPS, travel(), 3600, always=always, num=2)
    assert [s.depot.name for s in found] == ["nesterov", "gusev"]
    alone = screen((GUSEV, NESTEROV), STOPS, travel(), 3600, always=always, num=0)
    assert [s.depot.name for s in alone] == ["gusev"]


def test_comfort_is_a_third_of_the_longest_shift() -> None:
    """Eight hours of work leave two hours and forty minutes of driving there and back."""
    assert comfortable_s(FIRST, RULES) == 8 * 3600 / 3
    assert comfortable_s(FIRST, CrewRules()) == 10 * 3600 / 3
    assert StopId("a") == STOPS[0].stop_id
