"""Which settlements lack a library: roads from every library, judged by a norm set."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from api.progress import Ticker
from data.feeds.profiles import load_norm_sets
from data.model.errors import InputError
from data.model.norms import Need, NormSet
from data.model.place import Library, Settlement
from data.model.region import Region
from data.model.travel import UNREACHABLE
from maps.roads import Position, Roads
from planner.need import audit

MOST_OFF_ROAD = 0.5
"""Share of settlements off the roads from which the extract must be of another place."""

FAR_FROM_ROAD_M = 500.0
"""A settlement farther than this from the road that stands for it is told by name."""

type Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedAudit:
    """The audit of a region: one need a settlement, and by which norm and roads."""

    norm: NormSet
    needs: tuple[Need, ...]
    libraries: tuple[Library, ...]
    """The libraries that were counted, open on the day of the audit."""
    off_road: tuple[Settlement, ...]
    """Settlements that no road reaches within the snapping limit."""
    travel_source: str
    is_estimated: bool
    far_from_road: tuple[Settlement, ...] = ()
    """Settlements whose road is farther than ``FAR_FROM_ROAD_M``: their times begin at it."""


def norm_set_of(region: Region, norm_set_id: str | None = None) -> NormSet:
    """The norm set that judges a region, from its own sets or the shipped ones."""
    wanted = norm_set_id or region.norm_set_id
    known = load_norm_sets() | {n.norm_set_id: n for n in region.norm_sets}
    if wanted not in known:
        raise InputError("norms.unknown", name=wanted, known=", ".join(sorted(known)))
    return known[wanted]


def library_position(
    library: Library, settlements: dict[str, Settlement]
) -> tuple[float, float] | None:
    """Where a library stands: its own position, else its settlement's."""
    if library.lon is not None and library.lat is not None:
        return library.lon, library.lat
    home = settlements.get(library.settlement_id or "")
    return (home.lon, home.lat) if home else None


def placed_libraries(region: Region, on: date) -> tuple[list[Library], list[Position]]:
    """The libraries that are open on a date and of which the place is known, with their places."""
    homes = {str(s.settlement_id): s for s in region.settlements}
    counted: list[Library] = []
    places: list[Position] = []
    for library in region.libraries:
        position = library_position(library, homes)
        if position is None or not library.is_open_on(on):
            continue
        counted.append(library)
        places.append(position)
    return counted, places


def audit_region(
    region: Region,
    roads: Roads,
    *,
    on: date,
    tick: Ticker,
    norm_set_id: str | None = None,
    count_points: bool = True,
) -> NeedAudit:
    """Judge every settlement of a region against a norm set.

    Libraries of one place and standing are measured once. Travel runs from library to settlement
    by private car, which stands in for the way there.

    Raises
    ------
    InputError
        ``need.roads_elsewhere`` where the roads reach less than half of the settlements;
        ``norms.unknown`` for a norm set that nobody knows.
    """
    norm = norm_set_of(region, norm_set_id)
    counted, places = placed_libraries(region, on)
    tick.phase("phase.need")
    snaps = roads.snap([(s.lon, s.lat) for s in region.settlements], None)
    met = tuple(zip(region.settlements, snaps, strict=True))
    off_road = tuple(s for s, snap in met if not snap.is_usable)
    seconds, metres = _travel(places, region.settlements, roads, tick)
    if len(off_road) > MOST_OFF_ROAD * len(region.settlements):
        raise InputError(
            "need.roads_elsewhere",
            off_road=len(off_road),
            total=len(region.settlements),
            source=roads.source,
        )
    needs = audit(
        region.settlements,
        tuple(counted),
        norm,
        seconds,
        metres,
        register_is_complete=region.library_register_is_complete,
        on=on,
        count_points=count_points,
    )
    return NeedAudit(
        norm=norm,
        needs=needs,
        libraries=tuple(counted),
        off_road=off_road,
        travel_source=roads.source,
        is_estimated=roads.is_estimated,
        far_from_road=tuple(
            s for s, snap in met if snap.is_usable and (snap.distance_m or 0.0) > FAR_FROM_ROAD_M
        ),
    )


def _travel(
    places: Sequence[Position],
    settlements: Sequence[Settlement],
    roads: Roads,
    tick: Ticker,
) -> tuple[Ints, Ints]:
    """Seconds and metres from every library (row) to every settlement (column)."""
    targets = [(s.lon, s.lat) for s in settlements]
    shape = (len(places), len(settlements))
    seconds = np.full(shape, UNREACHABLE, dtype=np.int32)
    metres = np.full(shape, UNREACHABLE, dtype=np.int32)
    distinct = sorted(set(places))
    if distinct and targets:
        row_s, row_m = roads.times(distinct, targets, None, tick.fraction)
        row = {place: i for i, place in enumerate(distinct)}
        picked = [row[place] for place in places]
        seconds, metres = row_s[picked], row_m[picked]
    return seconds, metres
