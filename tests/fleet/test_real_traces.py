"""Real drives: red lights are no stops, stays are found with their times."""

import pytest

from data.feeds.nmea_file import read_nmea
from fleet.tracking import Place, TrackParams, follow
from tests.fleet.captured import CAPTURES, DEVICE
from tests.fleet.real_traces import munich, places_along, stands, thinned, with_stays


@pytest.mark.parametrize("name", ["car-munich-2014-1hz.json", "car-munich-2014-15s.json"])
def test_red_lights_of_a_city_are_no_visits(name: str) -> None:
    """Twenty minutes through Munich past a stop every 450 m, eleven waits of up to 76 s: none."""
    fixes = munich(name)
    assert follow(fixes, places_along(munich())).stops == ()


def test_the_longest_waits_are_found_where_asked_for() -> None:
    """With a dwell of a minute the two waits above it are found, at times seen by hand.

    The plain twin reads 412 to 479 s and 1,033 to 1,109 s out of the drive.
    """
    fixes = munich()
    begin = fixes[0].fix_at
    spans = stands(fixes, least_s=60)
    seconds = [tuple((fixes[k].fix_at - begin).seconds for k in span) for span in spans]
    assert seconds == [(412, 479), (1033, 1109)]
    lights = [Place(place_id=str(a), lon=fixes[a].lon, lat=fixes[a].lat) for a, _ in spans]
    found = follow(fixes, lights, TrackParams(dwell_s=60)).stops
    assert len(found) == 2
    for stop, (first, last) in zip(found, spans, strict=True):
        assert stop.departed_at is not None
        assert abs((stop.arrived_at - fixes[first].fix_at).total_seconds()) <= 5
        assert abs((stop.departed_at - fixes[last].fix_at).total_seconds()) <= 8


@pytest.mark.parametrize("step", [1, 5, 15])
def test_stays_with_the_noise_of_real_receivers(step: int) -> None:
    """Twenty minutes at every third light, told by what parked receivers really said."""
    fixes = munich()
    where = [a for a, _ in stands(fixes, least_s=15)][::3]
    day, truth = with_stays(fixes, where, seconds=1200)
    places = places_along(fixes)
    found = follow(thinned(day, step), places).stops
    assert len(found) == len(truth)
    for stop, (came, left) in zip(found, truth, strict=True):
        assert stop.departed_at is not None
        # The car stood there anyway for some seconds before and after.
        assert -45 <= (stop.arrived_at - came).total_seconds() <= 15
        assert -15 <= (stop.departed_at - left).total_seconds() <= 90


def test_a_boat_that_sails_past_makes_no_stop() -> None:
    """Ten km/h past a place in its way: slow, but never standing."""
    fixes, _ = read_nmea(CAPTURES / "nmea-bundg-zeus-extract.log", DEVICE)
    middle = fixes[len(fixes) // 2]
    place = Place(place_id="buoy", lon=middle.lon, lat=middle.lat)
    assert follow(fixes, [place]).stops == ()


def test_a_receiver_on_a_desk_is_one_stand() -> None:
    """A minute of a parked SiRFstarV: standing all the time, no way driven."""
    fixes, _ = read_nmea(CAPTURES / "nmea-sirfstarv-nmea.log", DEVICE)
    desk = Place(place_id="desk", lon=fixes[0].lon, lat=fixes[0].lat)
    tracker = follow(fixes, [desk], TrackParams(dwell_s=30))
    (stop,) = tracker.stops
    assert (stop.place_id, stop.is_over, stop.is_arrival_seen) == ("desk", False, False)
    assert stop.arrived_at == fixes[0].fix_at
    assert stop.last_seen_at == fixes[-1].fix_at
