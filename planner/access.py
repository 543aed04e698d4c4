"""How far people are from a library or a stop: the measures of fairness of a plan.

Every home has one access time: road seconds by car to the nearest open library or to the nearest
stop that the plan serves, whichever is less. Homes are those that lack a library in reach; those
that have one would hide the others in every mean.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from data.model.access import Access
from data.model.place import SettlementId, StopId
from data.model.plan import Plan, PlanRequest
from data.model.weighted import (
    Floats,
    finite,
    gini,
    mean_of_worst,
    weighted_mean,
    weighted_percentile,
)

WORST_SHARE = 0.1
"""Share of the people whom ``p90_s`` leaves out and ``worst_tenth_s`` is the mean of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFigures:
    """Access of the people without a library in reach; times are road seconds.

    ``num_no_way`` homes have no road to any library or served stop; they count as infinitely far,
    so measures that they reach are ``None``. Homes of unknown population weigh nothing, but may be
    the worst one.

    Notes
    -----
    ``gini`` is that of the time itself: 0 where all are equally far. It may rise while everybody
    gains, since a stop at one door makes the others the more unequal; read it beside ``p90_s``.
    """

    people: int
    mean_s: float | None
    p90_s: float | None
    """Least time that at least nine tenths of the people do not exceed."""
    worst_tenth_s: float | None
    """Mean time of the tenth that is worst off."""
    gini: float | None
    worst_id: SettlementId | None
    worst_name: str
    worst_s: float | None
    num_homes: int
    num_no_way: int
    num_unknown_people: int


def served_stops(plan: Plan) -> frozenset[StopId]:
    """The stops that a plan visits."""
    return frozenset(v.stop_id for r in plan.runs for v in r.visits)


def access_s(access: Access, served: Collection[StopId]) -> Floats:
    """Access time of every home, seconds, infinite where no road leads."""
    seconds = np.array(
        [np.inf if h.library_s is None else h.library_s for h in access.homes], np.float64
    )
    for stop_id in served:
        for home, way_s in access.near.get(stop_id, ()):
            seconds[home] = min(seconds[home], way_s)
    return seconds


def measure(access: Access, served: Collection[StopId]) -> AccessFigures:
    """The measures of fairness where these stops are served.

    References
    ----------
    Percentile: inverse of the weighted distribution, definition 1 of Hyndman, Fan (1996),
    doi:10.1080/00031305.1996.10473566. Gini by the Lorenz curve, as for transport by Delbosc,
    Currie (2011), doi:10.1016/j.jtrangeo.2011.02.008.
    """
    seconds = access_s(access, served)
    weight = np.array([h.people or 0 for h in access.homes], np.float64)
    worst = int(np.argmax(seconds)) if len(seconds) else None
    return AccessFigures(
        people=int(weight.sum()),
        mean_s=weighted_mean(seconds, weight),
        p90_s=weighted_percentile(seconds, weight, 1 - WORST_SHARE),
        worst_tenth_s=mean_of_worst(seconds, weight, WORST_SHARE),
        gini=gini(seconds, weight),
        worst_id=None if worst is None else access.homes[worst].settlement_id,
        worst_name="" if worst is None else access.homes[worst].name,
        worst_s=None if worst is None else finite(float(seconds[worst])),
        num_homes=len(access.homes),
        num_no_way=int(np.isinf(seconds).sum()),
        num_unknown_people=sum(h.people is None for h in access.homes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """People of one kind: served by a plan and in all, and homes where their number is unknown."""

    served: int
    total: int
    num_unknown: int


def groups_served(request: PlanRequest, plan: Plan) -> dict[str, Group]:
    """Residents, children and seniors of the homes that a plan serves; empty if unknown.

    A home is served if a stop in its walking distance is visited.
    """
    if request.access is None:
        return {}
    served = served_stops(plan)
    homes = {h for s in request.stops if s.stop_id in served for h in s.settlement_ids}
    found = {}
    for kind, field in (("residents", "people"), ("children", "children"), ("seniors", "seniors")):
        counts = [(h.settlement_id in homes, getattr(h, field)) for h in request.access.homes]
        if any(count is not None for _, count in counts):
            found[kind] = Group(
                served=sum(count or 0 for is_served, count in counts if is_served),
                total=sum(count or 0 for _, count in counts),
                num_unknown=sum(count is None for _, count in counts),
            )
    return found
