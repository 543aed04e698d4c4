"""Why published rounds cannot drive much less: what their promises leave open, and a bound."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import linear_sum_assignment

from api.bench.replan import Replan

MOST_EXACT = 12
"""Stops of a round up to which its best order is proved by dynamic programming."""
MOST_VISITS = 3000
_NEVER = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds open rounds.

    ``bound_s`` is driving that no plan on these vehicle-days can fall below, ``None`` where the
    instance is too large to say. ``fixed_ratio`` is the share of visits whose promise allows only
    the published days, ``busy_ratio`` that of the published spans which dwell and pauses fill.
    ``num_proved`` published rounds, of ``num_rounds``, have an order proved to be the shortest.
    """

    bound_s: float | None
    fixed_ratio: float
    busy_ratio: float
    num_proved: int
    num_rounds: int


def limits_of(replan: Replan) -> Limits:
    """The limits of a timetable's open rounds."""
    timetable = replan.timetable
    problem = replan.problem()
    fixed = sum(
        len(p.days)
        for stop, p in enumerate(timetable.promises)
        if problem.option_ptr[stop + 1] - problem.option_ptr[stop] == 1
    )
    stays = sum(timetable.promises[v].dwell_s for r in timetable.rounds for v in r.visits)
    pauses = sum(span.pause_s for span in replan.spans)
    spans = sum(span.end_s - span.start_s for span in replan.spans)
    orders = [_is_shortest(replan, r.visits) for r in timetable.rounds]
    return Limits(
        bound_s=_bound_s(replan),
        fixed_ratio=fixed / max(1, timetable.num_visits),
        busy_ratio=min(1.0, (stays + pauses) / max(1.0, spans)),
        num_proved=sum(orders),
        num_rounds=len(orders),
    )


def _bound_s(replan: Replan) -> float | None:
    """Least sum of legs that gives every visit one way on, but for as many as there are rounds.

    An assignment: each visit is followed by another that may share a day with it, or ends a round.
    Sub-tours, spans and clock times are left aside, so no plan drives less.
    """
    timetable = replan.timetable
    problem = replan.problem()
    days = [
        frozenset(day for option in problem.options_of(stop) for day, _, _ in option)
        for stop in range(problem.num_stops)
    ]
    visit = [p for p, promise in enumerate(timetable.promises) for _ in promise.days]
    if len(visit) > MOST_VISITS:
        return None
    meets = np.array([[not a.isdisjoint(b) for b in days] for a in days])
    np.fill_diagonal(meets, val=False)
    place = np.array(replan.place, np.intp)
    leg = np.where(meets, replan.travel_s[np.ix_(place, place)], _NEVER)
    n, rounds = len(visit), len(timetable.rounds)
    table = np.zeros((n + rounds, n + rounds))
    table[:n, :n] = leg[np.ix_(visit, visit)]
    rows, columns = linear_sum_assignment(table)
    return float(table[rows, columns].sum())


def _is_shortest(replan: Replan, visits: tuple[int, ...]) -> bool:
    """Whether no other order of a round's visits drives less, proved; false for long rounds."""
    n = len(visits)
    if n > MOST_EXACT:
        return False
    place = np.array([replan.place[v] for v in visits], np.intp)
    leg = replan.travel_s[np.ix_(place, place)]
    driven = sum(float(leg[a, b]) for a, b in pairwise(range(n)))
    best = np.full((1 << n, n), _NEVER)
    for k in range(n):
        best[1 << k, k] = 0.0
    for done in range(1, 1 << n):
        rest = [k for k in range(n) if not done >> k & 1]
        if not rest:
            continue
        reach = (best[done][:, None] + leg[:, rest]).min(axis=0)
        for k, value in zip(rest, reach, strict=True):
            best[done | 1 << k, k] = min(best[done | 1 << k, k], float(value))
    return driven <= float(best[-1].min()) + 1e-6
