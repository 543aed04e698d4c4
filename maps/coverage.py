"""Access coverage on the ground: nearest libraries by road, stops within walking distance.

Points are searched in a KD-tree of positions on the unit sphere: the chord between two of them
grows with the great circle, so that the nearest is the nearest anywhere on the globe, with no
projection to distort it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from data.model.coverage import (
    NOWHERE,
    REACHES,
    Coverage,
    CoverageParams,
    Group,
    Indices,
    Ints,
    LibraryReach,
    Reach,
    ServedStop,
    StopReach,
    people_of,
    reach_of,
)
from data.model.geo import EARTH_RADIUS_M
from data.model.place import Library, Settlement, Standing
from data.model.region import EstimateParams
from data.model.travel import UNREACHABLE
from data.model.weighted import Floats
from maps.estimate import WALK_MPS, drive_seconds, road_metres
from maps.matrix import MAX_POINTS
from maps.roads import Position, Progress, Roads

type _Nearest = tuple[Indices, Ints, Ints]
"""Index of the nearest library, its road seconds and metres."""

NEAR_LIBRARIES = 16
"""Libraries nearest in a straight line among which the nearest by road is looked for, in regions
too large for a whole table."""
BLOCK = 500
"""Settlements that are measured at once there."""


def on_sphere(positions: Floats) -> Floats:
    """(lon, lat) degrees, shape (n, 2), as points of the unit sphere, shape (n, 3)."""
    lon, lat = np.radians(positions[:, 0]), np.radians(positions[:, 1])
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def arc_m(chord: Floats) -> Floats:
    """Great-circle metres of chords of the unit sphere; infinite stays."""
    arc = 2 * EARTH_RADIUS_M * np.arcsin(np.clip(chord / 2, 0.0, 1.0))
    return np.where(np.isinf(chord), np.inf, arc)


def chord_of(metres: float) -> float:
    """The inverse: chord of the unit sphere under so many great-circle metres."""
    return float(2 * np.sin(metres / (2 * EARTH_RADIUS_M)))


def nearest_points(homes: Floats, places: Floats) -> tuple[Indices, Floats]:
    """The place nearest to each home in a straight line, and its metres."""
    if not len(places):
        return np.full(len(homes), NOWHERE, np.int64), np.full(len(homes), np.inf)
    chord, index = KDTree(on_sphere(places)).query(on_sphere(homes))
    return np.asarray(index, np.int64), arc_m(np.asarray(chord, np.float64))


def stop_reach(
    stops: Sequence[ServedStop],
    homes: Floats,
    people: Floats,
    metres: float,
    roads: Roads | None = None,
) -> StopReach:
    """What the stops that are visited offer to each settlement.

    Parameters
    ----------
    homes
        (lon, lat) of the settlements, shape (n, 2).
    people
        Residents, ``nan`` where not known.
    metres
        Walking distance: by the network where ``roads`` have one, else in a straight line.
    """
    places = np.array([(s.lon, s.lat) for s in stops], np.float64).reshape(-1, 2)
    nearest, away_m = nearest_points(homes, places)
    visits, minutes = np.zeros(len(homes)), np.zeros(len(homes))
    home, stop, pair_m = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    if stops and len(homes):
        pairs = KDTree(on_sphere(homes)).sparse_distance_matrix(
            KDTree(on_sphere(places)), chord_of(metres), output_type="ndarray"
        )
        home, stop, pair_m = pairs["i"], pairs["j"], arc_m(pairs["v"])
        if roads is not None and not roads.is_estimated:
            pair_m = _walked(home, stop, homes, places, pair_m, roads)
            _put_nearest(nearest, away_m, home, stop, pair_m)
            is_near = pair_m <= metres
            home, stop, pair_m = home[is_near], stop[is_near], pair_m[is_near]
        np.maximum.at(visits, home, np.array([s.visits_28 for s in stops])[stop])
        sharing = np.bincount(stop, np.nan_to_num(people)[home], len(stops))
        open_min = np.array([s.open_min_28 for s in stops])
        shared = np.divide(open_min, sharing, out=np.zeros(len(stops)), where=sharing > 0)
        np.add.at(minutes, home, 1000 * shared[stop])
    return StopReach(
        stops=tuple(stops),
        nearest=nearest,
        metres=away_m,
        visits_28=visits,
        minutes_per_1000=minutes,
        home=np.asarray(home, np.int64),
        stop=np.asarray(stop, np.int64),
        away_m=pair_m,
    )


def _walked(
    home: Indices, stop: Indices, homes: Floats, places: Floats, crow_m: Floats, roads: Roads
) -> Floats:
    """Metres on foot of pairs of a home and a stop; straight ones where no network knows."""
    walk_m = crow_m.astype(np.float64)
    for number in np.unique(stop).tolist():
        which = np.flatnonzero(stop == number)
        lon, lat = places[number].tolist()
        found = roads.walks((lon, lat), _pairs(homes[home[which]]))
        walk_m[which] = np.where(np.isnan(found), crow_m[which], np.maximum(found, crow_m[which]))
    return walk_m


def _put_nearest(
    nearest: Indices, away_m: Floats, home: Indices, stop: Indices, walk_m: Floats
) -> None:
    """Take the stop that is nearest on foot for homes that have one within the crow's limit."""
    away_m[home] = np.inf
    for i, j, metres in zip(home.tolist(), stop.tolist(), walk_m.tolist(), strict=True):
        if metres < away_m[i]:
            nearest[i], away_m[i] = j, metres


def library_reach(
    libraries: Sequence[Library],
    places: Sequence[Position],
    settlements: Sequence[Settlement],
    roads: Roads,
    *,
    straight: EstimateParams | None = None,
    progress: Progress | None = None,
) -> LibraryReach:
    """The nearest library of each settlement by road, of all and of the known ones.

    Parameters
    ----------
    places
        Where each library stands.
    straight
        The estimate behind ``roads`` where its ways are straight lines: they grow with the crow's,
        so that the nearest in a straight line is the nearest, and no table is needed.
    """
    is_known = np.array([lib.standing is Standing.KNOWN for lib in libraries], np.bool_)
    positions = np.array(places, np.float64).reshape(-1, 2)
    homes = positions_of(settlements)

    def nearest(chosen: Indices) -> _Nearest:
        if not len(chosen):
            nowhere = np.full(len(homes), NOWHERE, np.int32)
            return nowhere.astype(np.int64), nowhere, nowhere
        if straight is not None:
            index, seconds, metres = _straight(positions[chosen], homes, straight)
        else:
            index, seconds, metres = _by_road(positions[chosen], homes, roads, progress)
        return np.where(index == NOWHERE, NOWHERE, chosen[index]), seconds, metres

    every = np.arange(len(libraries))
    known = every[is_known]
    of_all = nearest(every)
    of_known = of_all if len(known) == len(every) else nearest(known)
    return LibraryReach(
        libraries=tuple(libraries),
        nearest=of_all[0],
        seconds=of_all[1],
        metres=of_all[2],
        nearest_known=of_known[0],
        seconds_known=of_known[1],
        metres_known=of_known[2],
        inside=_inside(libraries, settlements),
    )


def _inside(libraries: Sequence[Library], settlements: Sequence[Settlement]) -> NDArray[np.int8]:
    """The best library that names each settlement as its own."""
    best: dict[str, int] = {}
    for library in libraries:
        reach = Reach.LIBRARY if library.standing is Standing.KNOWN else Reach.ASSUMED
        if library.settlement_id is not None:
            known = best.get(library.settlement_id, 0)
            best[library.settlement_id] = max(known, REACHES.index(reach))
    return np.array([best.get(s.settlement_id, 0) for s in settlements], np.int8)


def _straight(places: Floats, homes: Floats, params: EstimateParams) -> _Nearest:
    index, crow_m = nearest_points(homes, places)
    road_m = road_metres(crow_m.round(3), params)
    seconds = drive_seconds(road_m, params)
    return index, np.rint(seconds).astype(np.int32), np.rint(road_m).astype(np.int32)


def _by_road(places: Floats, homes: Floats, roads: Roads, progress: Progress | None) -> _Nearest:
    """By one table where it is small enough, else by blocks of settlements and near libraries."""
    distinct, first = np.unique(places, axis=0, return_index=True)
    if len(distinct) + len(homes) <= MAX_POINTS:
        index, seconds, metres = _of_table(distinct, homes, roads, progress)
        return np.where(index == NOWHERE, NOWHERE, first[index]), seconds, metres
    tree = KDTree(on_sphere(distinct))
    index = np.full(len(homes), NOWHERE, np.int64)
    seconds = np.full(len(homes), NOWHERE, np.int32)
    metres = seconds.copy()
    near = min(NEAR_LIBRARIES, len(distinct))
    # Neighbours stand together in the leaves of a tree, so that blocks share their libraries.
    order = KDTree(on_sphere(homes), leafsize=BLOCK).indices
    for start in range(0, len(order), BLOCK):
        rows = order[start : start + BLOCK]
        _, found = tree.query(on_sphere(homes[rows]), k=near)
        candidates = np.unique(np.asarray(found))
        of_block = _of_table(distinct[candidates], homes[rows], roads, None)
        local, seconds[rows], metres[rows] = of_block
        index[rows] = np.where(local == NOWHERE, NOWHERE, first[candidates[local]])
        if progress is not None:
            progress(min(1.0, (start + BLOCK) / len(order)))
    return index, seconds, metres


def _of_table(places: Floats, homes: Floats, roads: Roads, progress: Progress | None) -> _Nearest:
    table, table_m = roads.times(_pairs(places), _pairs(homes), None, progress)
    lost = np.iinfo(np.int32).max
    far = np.where(table == UNREACHABLE, lost, table)
    index = far.argmin(axis=0).astype(np.int64)
    columns = np.arange(len(homes))
    is_lost = far[index, columns] == lost
    return (
        np.where(is_lost, NOWHERE, index),
        np.where(is_lost, NOWHERE, table[index, columns]).astype(np.int32),
        np.where(is_lost, NOWHERE, table_m[index, columns]).astype(np.int32),
    )


def _pairs(positions: Floats) -> list[Position]:
    return [(x, y) for x, y in positions.tolist()]


def positions_of(settlements: Sequence[Settlement]) -> Floats:
    """(lon, lat) of settlements, shape (n, 2)."""
    return np.array([(s.lon, s.lat) for s in settlements], np.float64).reshape(-1, 2)


def measure_coverage(
    settlements: Sequence[Settlement],
    library: LibraryReach,
    before: Sequence[ServedStop],
    after: Sequence[ServedStop],
    params: CoverageParams,
    *,
    travel_source: str = "",
    is_estimated: bool = False,
    roads: Roads | None = None,
) -> Coverage:
    """Who has a library or a stop in reach, with the stops before and those after.

    Ways to stops are walked on ``roads`` where these are a network.
    """
    places = tuple(settlements)
    homes, people = positions_of(places), people_of(places)
    residents = people[Group.RESIDENTS]
    limits = (homes, residents, params.metres, roads)
    first = stop_reach(before, *limits)
    second = first if before == after else stop_reach(after, *limits)
    return Coverage(
        settlements=places,
        params=params,
        library=library,
        stops_before=first,
        stops_after=second,
        before=reach_of(library, first, params),
        after=reach_of(library, second, params),
        people=people,
        walk_mps=WALK_MPS,
        travel_source=travel_source,
        is_estimated=is_estimated,
        is_walked=roads is not None and not roads.is_estimated,
    )


def within(coverage: Coverage, positions: Sequence[Position]) -> NDArray[np.bool_]:
    """Whether each settlement has one of some places within walking distance."""
    places = np.array(positions, np.float64).reshape(-1, 2)
    _, metres = nearest_points(positions_of(coverage.settlements), places)
    return np.asarray(metres <= coverage.params.metres)
