"""Doors-open times that a plan chooses: the judgement of pinned visits and kept runs."""

from dataclasses import replace

from data.model.calendar import MINUTE_S
from data.model.pins import KeptRun, KeptVisit, Pins
from data.model.plan import PlanRequest
from planner.score import check
from tests.planner.examples import FIRST, KALINOVKA, make_plan, make_request

PLAN = make_plan()
RUN = PLAN.runs[0]
SHORTER = replace(
    PLAN,
    runs=(
        replace(
            RUN,
            visits=(replace(RUN.visits[0], end_s=RUN.visits[0].end_s - 300), *RUN.visits[1:]),
        ),
        PLAN.runs[1],
    ),
)


def request_with(*visits: KeptVisit) -> PlanRequest:
    """Kalinovka may be open for 80 to 100 minutes; the first run is kept as given."""
    stops = tuple(
        replace(s, service_s=80 * MINUTE_S, service_most_s=100 * MINUTE_S) if s is KALINOVKA else s
        for s in make_request().stops
    )
    kept = (KeptRun(vehicle_id=FIRST.vehicle_id, day=1, visits=visits),) if visits else ()
    return replace(make_request(), stops=stops, pins=Pins(kept=kept))


def kept_visits(end_s: int | None) -> tuple[KeptVisit, ...]:
    first, second = RUN.visits
    return (
        KeptVisit(stop_id=first.stop_id, start_s=first.start_s, end_s=end_s),
        KeptVisit(stop_id=second.stop_id, start_s=second.start_s),
    )


def test_a_kept_closing_may_differ_from_the_other_visits() -> None:
    """A visit whose closing is kept needs not be open as long as the others."""
    kept = request_with(*kept_visits(SHORTER.runs[0].visits[0].end_s))
    assert check(kept, SHORTER) == ()
    assert {v.code for v in check(request_with(), SHORTER)} == {"rule.dwell_differs"}


def test_a_kept_closing_must_stay() -> None:
    """Another closing than the kept one changes the run; without one any closing will do."""
    kept = request_with(*kept_visits(RUN.visits[0].end_s))
    assert {v.code for v in check(kept, SHORTER)} == {"rule.kept_run_changed"}
    assert {v.code for v in check(request_with(*kept_visits(None)), SHORTER)} == {
        "rule.dwell_differs"
    }
