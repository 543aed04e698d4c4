"""A matrix is computed once: what is known is looked up, what is new costs its rows and columns."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.model.fleet import Vehicle
from data.model.region import EstimateParams
from data.model.travel import UNREACHABLE
from maps import matrix as matrix_module
from maps.estimate import EstimatedRoads
from maps.matrix import MatrixCache
from maps.roads import NO_CLOSURES, Closures, Position, Progress, RoadPoint, Roads, Times
from tests.maps.conftest import BUS, VAN
from tests.osm_region import RegionFacts

PLAIN = EstimateParams(knots_m=(0.0, 1e5), detour_ratio=(1.2, 1.2), speed_mps=(10.0, 10.0))
POINTS: list[Position] = [(20.5 + 0.01 * i, 54.7 + 0.007 * (i * i % 11)) for i in range(12)]


class CountingRoads(EstimatedRoads):
    """The estimate, and a list of the blocks that were asked of it."""

    def __init__(self, params: EstimateParams = PLAIN, *, travel_factor: float = 1.0) -> None:
        super().__init__([], params, travel_factor=travel_factor)
        self.asked: list[tuple[int, int]] = []

    def unscaled(self) -> "CountingRoads":
        same = CountingRoads(self.params)
        same.asked = self.asked
        return same

    def times(
        self,
        origins: Sequence[Position],
        targets: Sequence[Position],
        vehicle: Vehicle | None,
        progress: Progress | None = None,
        closures: Closures = NO_CLOSURES,
    ) -> Times:
        self.asked.append((len(origins), len(targets)))
        return super().times(origins, targets, vehicle, progress)


def test_known_points_are_looked_up(tmp_path: Path) -> None:
    """The same points, also in other order and in another process, cost nothing."""
    roads = CountingRoads()
    first, metres = MatrixCache(roads, tmp_path).times(POINTS, POINTS, BUS)
    assert roads.asked == [(12, 12)]
    plain = EstimatedRoads([], PLAIN).times(POINTS, POINTS, BUS)
    assert (first == plain[0]).all() and (metres == plain[1]).all()
    again, _ = MatrixCache(roads, tmp_path).times(POINTS[::-1], POINTS, BUS)
    assert roads.asked == [(12, 12)] and (again == first[::-1]).all()


def test_new_points_cost_their_rows_and_columns(tmp_path: Path) -> None:
    """Ten points known and two new: two rows of twelve and ten rows of two."""
    roads = CountingRoads()
    cache = MatrixCache(roads, tmp_path)
    cache.times(POINTS[:10], POINTS[:10], BUS)
    seconds, _ = cache.times(POINTS, POINTS, BUS)
    assert sorted(roads.asked[1:]) == [(2, 12), (10, 2)]
    assert (seconds == EstimatedRoads([], PLAIN).times(POINTS, POINTS, BUS)[0]).all()


def test_rectangles_fill_only_what_was_asked(tmp_path: Path) -> None:
    """A rectangle leaves the other cells unknown, and they never come out."""
    roads = CountingRoads()
    cache = MatrixCache(roads, tmp_path)
    cache.times(POINTS[:2], POINTS[2:], BUS)
    seconds, _ = cache.times(POINTS, POINTS, BUS)
    assert (seconds == EstimatedRoads([], PLAIN).times(POINTS, POINTS, BUS)[0]).all()
    assert (seconds >= 0).all()


def test_networks_vehicles_and_closures_have_files_of_their_own(tmp_path: Path) -> None:
    """What travel depends on names the file; the vehicle's name and the factor do not."""
    roads = CountingRoads()
    cache = MatrixCache(roads, tmp_path)
    named = replace(BUS, name="another bus of the same size")
    for vehicle in (BUS, named, VAN, None):
        cache.times(POINTS, POINTS, vehicle)
    cache.times(POINTS, POINTS, BUS, closures=Closures(points=(POINTS[0],)))
    assert len(roads.asked) == 4 and len(list(tmp_path.glob("*.npz"))) == 4
    other = CountingRoads(replace(PLAIN, leg_fixed_s=5.0))
    MatrixCache(other, tmp_path).times(POINTS, POINTS, BUS)
    assert other.asked == [(12, 12)]


def test_a_new_calibration_needs_no_new_matrix(tmp_path: Path) -> None:
    """The file holds the engine's seconds; the factor is applied on reading."""
    roads = CountingRoads()
    plain, _ = MatrixCache(roads, tmp_path).times(POINTS, POINTS, BUS)
    slow = CountingRoads(travel_factor=1.5)
    scaled, _ = MatrixCache(slow, tmp_path).times(POINTS, POINTS, BUS)
    assert not slow.asked and (scaled == np.rint(1.5 * plain)).all()


def test_positions_are_rounded_once(tmp_path: Path) -> None:
    """A difference below the fifth digit is the same point."""
    roads = CountingRoads()
    cache = MatrixCache(roads, tmp_path)
    cache.times(POINTS, POINTS, BUS)
    moved = [(lon + 2e-6, lat - 2e-6) for lon, lat in POINTS]
    cache.times(moved, moved, BUS)
    assert len(roads.asked) == 1


def test_a_damaged_file_is_computed_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Half a file is not trusted, is not fatal, and is reported."""
    expected, _ = MatrixCache(CountingRoads(), tmp_path).times(POINTS, POINTS, BUS)
    (path,) = tmp_path.glob("*.npz")
    path.write_bytes(path.read_bytes()[:300])
    seconds, _ = MatrixCache(CountingRoads(), tmp_path).times(POINTS, POINTS, BUS)
    assert (seconds == expected).all()
    assert "matrix_cache_damaged" in caplog.text
    caplog.clear()
    MatrixCache(CountingRoads(), tmp_path).times(POINTS, POINTS, BUS)
    assert not caplog.records


def test_the_least_recently_used_files_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a few files are kept, and a file that was just used is among them."""
    monkeypatch.setattr(matrix_module, "MAX_FILES", 3)
    cache = MatrixCache(CountingRoads(), tmp_path)
    cache.times(POINTS, POINTS, BUS)
    (first,) = tmp_path.glob("*.npz")
    for count in range(4):
        os.utime(first, (0, 0))
        cache.times(POINTS, POINTS, BUS)  # used again
        assert first.stat().st_mtime > 0
        cache.times(POINTS[:2], POINTS[:2], replace(BUS, weight_kg=1000.0 + count))
    assert first.exists() and len(list(tmp_path.glob("*.npz"))) == 3


def test_a_full_file_starts_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit of points only those of the request stay."""
    monkeypatch.setattr(matrix_module, "MAX_POINTS", 10)
    roads = CountingRoads()
    cache = MatrixCache(roads, tmp_path)
    cache.times(POINTS[:8], POINTS[:8], BUS)
    seconds, _ = cache.times(POINTS[4:], POINTS[4:], BUS)
    assert roads.asked[1:] == [(8, 8)]
    assert (seconds == EstimatedRoads([], PLAIN).times(POINTS[4:], POINTS[4:], BUS)[0]).all()


def test_progress_and_an_interrupted_fill(tmp_path: Path) -> None:
    """Progress rises to one; what an interruption left half done is not taken for known."""
    roads = CountingRoads()
    cache = MatrixCache(roads, tmp_path)
    cache.times(POINTS[:6], POINTS[:6], BUS)

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.times(POINTS, POINTS, BUS, stop)
    shares: list[float] = []
    seconds, _ = cache.times(POINTS, POINTS, BUS, shares.append)
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert (seconds == EstimatedRoads([], PLAIN).times(POINTS, POINTS, BUS)[0]).all()


def test_real_roads_through_the_cache(
    roads: Roads, region: RegionFacts, positions: list[Position], tmp_path: Path
) -> None:
    """New villages change nothing in the cells of the old; unreachable cells are kept as such."""
    points = [
        RoadPoint(point_id=str(i), lon=lon, lat=lat) for i, (lon, lat) in enumerate(positions)
    ]
    cache = MatrixCache(roads, tmp_path)
    cache.matrix(points[:30], BUS)
    grown = cache.matrix(points, BUS)
    whole = roads.matrix(points, BUS)
    assert (grown.travel_s == whole.travel_s).all() and (grown.travel_m == whole.travel_m).all()
    island = region.cut_off[0]
    assert (np.delete(grown.travel_s[island], island) == UNREACHABLE).all()
    stored = MatrixCache(roads, tmp_path).matrix(points, BUS)
    assert (stored.travel_s == whole.travel_s).all() and stored.source == roads.source
