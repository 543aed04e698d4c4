"""How long doors stay open where a stop leaves that to the plan."""

from collections import Counter
from collections.abc import Iterator

from data.model.plan import Violation
from planner.rules.view import PlanView, minutes


def open_time_is_in_its_range(view: PlanView) -> Iterator[Violation]:
    """Doors stay open at least the stop's least time and at most its longest."""
    for stop_id, found in view.visits.items():
        stop = view.stops[stop_id]
        if stop.service_most_s is None:
            continue
        for run, visit in found:
            open_s = visit.end_s - visit.start_s
            if open_s < stop.service_s:
                yield view.of_visit(
                    "rule.dwell_short",
                    run,
                    visit,
                    found_min=minutes(open_s),
                    limit_min=minutes(stop.service_s),
                )
            if open_s > stop.service_most_s:
                yield view.of_visit(
                    "rule.dwell_long",
                    run,
                    visit,
                    found_min=minutes(open_s),
                    limit_min=minutes(stop.service_most_s),
                )


def open_time_stays_the_same(view: PlanView) -> Iterator[Violation]:
    """All visits of a stop are open for the same time; visits whose closing is kept are exempt.

    The time that most visits have is taken as the stop's, the first of equals.
    """
    kept = {
        (run.vehicle_id, run.day, visit.stop_id)
        for run in view.request.pins.kept
        for visit in run.visits
        if visit.end_s is not None
    }
    for stop_id, found in view.visits.items():
        stop = view.stops[stop_id]
        if stop.service_most_s is None:
            continue
        free = [(r, v) for r, v in found if (r.vehicle_id, r.day, stop_id) not in kept]
        times = Counter(v.end_s - v.start_s for _, v in free)
        usual = times.most_common(1)[0][0] if times else 0
        for run, visit in free:
            if visit.end_s - visit.start_s != usual:
                yield view.of_visit(
                    "rule.dwell_differs",
                    run,
                    visit,
                    found_min=minutes(visit.end_s - visit.start_s),
                    usual_min=minutes(usual),
                )
