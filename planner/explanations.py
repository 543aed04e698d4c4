"""What would serve every stop that a plan leaves out, the most worth first."""

import time
from collections.abc import Callable

from data.model.plan import Plan, PlanRequest
from planner.explain import unserved_reasons
from planner.relax import Explanation, explain

_MOST_S = 3.0
_LEAST_S = 1.0
"""Seconds for one stop: room for the plain ways, and for a few new searches."""


def explain_all(
    request: PlanRequest,
    plan: Plan,
    *,
    time_limit_s: float = 300.0,
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> tuple[Explanation, ...]:
    """Explanations of all unserved stops: mandatory ones first, then by prize.

    Stops that the time does not reach, or that come after ``should_stop`` answers true, have their
    reason and no changes: nothing is proved of them.

    Parameters
    ----------
    progress
        Told after each stop how many of how many are done.
    """
    began_s = time.perf_counter()
    reasons = {u.stop_id: u for u in unserved_reasons(request, plan)}
    left_out = {u.stop_id for u in plan.unserved}
    stops = sorted(
        (s for s in request.stops if s.stop_id in left_out),
        key=lambda s: (not s.mandatory, -s.prize, s.stop_id),
    )
    found = []
    for number, stop in enumerate(stops):
        left_s = time_limit_s - (time.perf_counter() - began_s)
        is_over = left_s <= 0 or (should_stop is not None and should_stop())
        if is_over:
            found.append(Explanation(stop=stop, reason=reasons[stop.stop_id], changes=()))
            continue
        share_s = min(_MOST_S, max(_LEAST_S, left_s / (len(stops) - number)))
        found.append(
            explain(
                request,
                plan,
                stop,
                time_limit_s=min(share_s, left_s),
                seed=seed,
                should_stop=should_stop,
            )
        )
        if progress is not None:
            progress(number + 1, len(stops))
    return tuple(found)
