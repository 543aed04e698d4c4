"""Features of the map say what the region and the plan say."""

from data.model.norms import NeedStatus
from data.model.place import Standing
from maps.layers import (
    frame,
    library_points,
    run_line_features,
    settlement_points,
    stop_points,
)
from tests import plan_example as example


def test_settlements_come_largest_first_with_their_need() -> None:
    """Names are placed in that order; unknown populations are last, not zero in between."""
    points = settlement_points(example.region(), example.needs())
    assert [p.settlement.name for p in points] == [
        "Oakham",
        "Cottesmore",
        "=Exton </script>",
        "Wing",
        "Braunston",
    ]
    statuses = {str(p.settlement.settlement_id): p.need.status for p in points if p.need}
    assert statuses["cottesmore"] is NeedStatus.UNSERVED
    assert points[0].nearest is not None
    assert points[-1].nearest is None
    assert points[0].municipality is not None
    assert points[0].municipality.name == "Rutland & Co"


def test_a_library_without_a_position_stands_in_its_settlement() -> None:
    """Known and assumed ones stay apart."""
    points = library_points(example.region())
    assert [(p.lon, p.lat, p.standing) for p in points] == [
        (-0.7283, 52.6705, Standing.KNOWN),
        (-0.6836, 52.6172, Standing.ASSUMED),
    ]


def test_stops_have_visits_or_a_reason() -> None:
    """Every stop of the request is on the map, served or not."""
    points = {p.stop.stop_id: p for p in stop_points(example.request(), example.plan())}
    assert [run.day for run, _ in points[example.EXTON.stop_id].visits] == [0, 14]
    left = points[example.BRAUNSTON.stop_id]
    assert left.visits == ()
    assert left.unserved is not None


def test_runs_follow_roads_only_where_lines_are_given() -> None:
    """A run without road lines, or with lines of another run's length, is straight."""
    north = example.NORTH.vehicle_id
    road = [(-0.7283, 52.6705), (-0.7, 52.68), (-0.6347, 52.6887)]
    lines = {(north, 14): [road, road[::-1]], (north, 0): [road]}
    runs = run_line_features(example.request(is_estimated=False), example.plan(), lines)
    assert [(r.run.day, r.follows_roads) for r in runs] == [
        (0, False),
        (2, False),
        (14, True),
        (16, False),
    ]
    assert [len(r.legs) for r in runs] == [3, 3, 2, 2]
    assert runs[2].legs[0] == tuple(road)


def test_estimated_lines_are_shown_but_are_no_roads() -> None:
    """Estimated travel bends round water; its line is kept and marked."""
    road = [(-0.7283, 52.6705), (-0.7, 52.68), (-0.6347, 52.6887)]
    lines = {(example.NORTH.vehicle_id, 14): [road, road[::-1]]}
    runs = run_line_features(example.request(), example.plan(), lines)
    assert not any(r.follows_roads for r in runs)
    assert len(runs[2].legs[0]) == 3


def test_features_become_a_frame() -> None:
    """For those who go on with geopandas: WGS 84, one row a feature."""
    found = frame(stop_points(example.request(), example.plan()))
    assert len(found) == 5
    assert found.crs.to_epsg() == 4326
    assert {"stop", "visits", "unserved"} < set(found.columns)
    assert len(frame(())) == 0
