"""Where a vehicle could be based: a quick, stated screening, then a bound that orders the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

from data.model.fleet import CrewRules, Vehicle
from data.model.place import Depot, DepotId, Stop
from data.model.travel import UNREACHABLE, TravelMatrix
from planner.alone import longest_work_s

COMFORT_RATIO = 1 / 3
"""Share of the longest shift that driving to a stop and back may take to be comfortable: what is
left serves two or three stops. A default of this project."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screened:
    """A candidate base: weighted people of the stops within comfortable reach of it."""

    depot: Depot
    prize: float
    num_stops: int


def comfortable_s(vehicle: Vehicle, rules: CrewRules) -> float:
    """Seconds of driving to a stop and back that are comfortable for a vehicle."""
    return COMFORT_RATIO * longest_work_s(vehicle, rules)


def screen(
    candidates: Sequence[Depot],
    stops: Sequence[Stop],
    travel: TravelMatrix,
    most_s: float,
    *,
    always: frozenset[DepotId] = frozenset(),
    num: int,
) -> tuple[Screened, ...]:
    """The candidates with most weighted people in comfortable reach, ``always`` ones among them.

    Parameters
    ----------
    travel
        With every candidate and stop as a point.
    most_s
        Longest comfortable drive there and back.
    num
        Candidates to keep; more where ``always`` names more.

    Returns
    -------
    tuple[Screened, ...]
        Most people first, ties by id.
    """
    found = []
    for depot in candidates:
        home = str(depot.depot_id)
        near = []
        for stop in stops:
            out = travel.seconds(home, str(stop.stop_id))
            back = travel.seconds(str(stop.stop_id), home)
            if UNREACHABLE not in (out, back) and out + back <= most_s:
                near.append(stop)
        found.append(Screened(depot=depot, prize=sum(s.prize for s in near), num_stops=len(near)))
    found.sort(key=lambda s: (-s.prize, s.depot.depot_id))
    room = max(0, num - len(always))
    others = [s for s in found if s.depot.depot_id not in always][:room]
    return tuple(s for s in found if s in others or s.depot.depot_id in always)
