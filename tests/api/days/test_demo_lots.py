"""Stops of the demo's past fare differently, each for a cause that the review can find."""

from dataclasses import replace

from api.services.demo_lots import FEW, LEAST_STOPS, OLD_BANDS, USUAL, WALK_M, lots_of
from data.model.place import StopId
from data.model.public_timetable import PublicStop

ONE = PublicStop(stop_id=StopId("s00"), name="Деревня", lon=20.5, lat=54.7)


def far(num: int) -> dict[str, PublicStop]:
    """Stops in a row, six kilometres from each other."""
    return {
        f"s{n:02}": replace(ONE, stop_id=StopId(f"s{n:02}"), lon=20.5 + 0.1 * n) for n in range(num)
    }


def test_each_cause_is_dealt_and_most_stops_are_usual() -> None:
    """Of a hundred stops two fall to each cause; the same seed deals the same."""
    stops = far(100)
    people = dict.fromkeys(stops, 200)
    lots = lots_of(stops, people, 1)
    assert lots == lots_of(stops, people, 1) != lots_of(stops, people, 2)
    few = [lot for lot in lots.values() if lot.pull == FEW]
    assert len(few) == 6
    assert sum(lot.bands is OLD_BANDS for lot in few) == 2
    assert sum(lot.taken > 1 for lot in few) == 2
    assert sum(lot.fall > 0 for lot in lots.values()) == 2
    assert sum(lot.began_days > 0 for lot in lots.values()) == 5
    assert len(lots) == 13


def test_a_stop_that_loses_its_people_ends_with_a_tenth() -> None:
    """Eleven months ago all still came."""
    falling = replace(USUAL, fall=0.9)
    assert [round(falling.part(days), 3) for days in (700, 330, 165, 0)] == [1, 1, 0.55, 0.1]
    assert USUAL.part(0) == 1


def test_readers_walk_to_the_larger_place() -> None:
    """A kilometre away few come to the smaller of two; six kilometres are no walk."""
    stops = far(LEAST_STOPS)
    people = dict.fromkeys(stops, 200)
    small = replace(ONE, stop_id=StopId("small"), lon=20.5 + WALK_M / 65_000)
    lots = lots_of(stops | {"small": small}, people | {"small": 60}, 1)
    assert lots["small"].pull == FEW
    assert not lots_of(dict(list(stops.items())[:5]), people, 1), "few stops are all usual"
