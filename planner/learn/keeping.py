"""How surely published times are kept: delays carried from stop to stop, day after day.

The doors never open before the published time, so time gained is lost and time lost is carried on:
with ``late[k]`` the lateness at stop ``k``, ``late[k] = max(0, late[k-1] + taken - planned)``.
A buffer at each leg's own 80 % would therefore keep fewer than 80 % of the arrivals further on, and
buffers at the 80 % of every single part would add up to more than the sum needs. Both are avoided:
a leg is planned at one quantile of the sum of all that happens on it, and that quantile is the
least at which days drawn from what was learned keep every arrival as often as asked.
"""

from dataclasses import dataclass

import numpy as np

from data.model.learned import Learned
from data.model.place import StopId
from data.model.plan import Plan, PlanRequest, Run
from planner.learn.mixed import Floats
from planner.learn.times import LearnedTimes, Links

NUM_DAYS = 4000
"""Days drawn; the standard error of a share of 80 % is 0.6 %."""
SEED = 20_261_130
INCIDENT_S = 3600.0
"""What a leg set aside as far too late adds: the arrivals after it count as late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The share of days on which a stop visit can open in time."""

    run: Run
    visit: int
    stop_id: StopId
    ratio: float
    late_p80_s: float
    """Lateness that four days in five do not exceed."""


def late_days(
    links: Links, planned_s: Floats, late_share: float, *, num_days: int = NUM_DAYS
) -> Floats:
    """Lateness at every stop of a run on drawn days, shape (days, stops), seconds."""
    rng = np.random.default_rng(SEED)
    num = len(planned_s)
    taken = np.zeros((num_days, num))
    for part in links.parts:
        day = rng.standard_normal((num_days, 1)) * part.day**0.5
        own = rng.standard_normal((num_days, num)) * np.sqrt(part.own)
        taken += part.median_s * np.exp(day + own)
    taken += INCIDENT_S * (rng.random((num_days, num)) < late_share)
    late = np.zeros((num_days, num))
    before = np.zeros(num_days)
    for k in range(num):
        before = np.maximum(0.0, before + taken[:, k] - planned_s[k])
        late[:, k] = before
    return late


def kept_arrivals(request: PlanRequest, plan: Plan, learned: Learned) -> tuple[Kept, ...]:
    """How surely each stop visit of a plan opens in time, by what was learned.

    The runs are taken as they are planned, with all their buffers and waiting. A meal keeps its
    length, so a late run eats late.
    """
    times = LearnedTimes(request, learned)
    vehicles = {v.vehicle_id: v for v in request.vehicles}
    found = []
    for run in plan.runs:
        if not run.visits:
            continue
        vehicle = vehicles[run.vehicle_id]
        points = [str(run.ends(vehicle)[0]), *(str(v.stop_id) for v in run.visits)]
        links = times.links(vehicle, request.travel[run.vehicle_id], points)
        late = late_days(links, np.array(_gaps(run), np.float64), learned.drive.late_share)
        for k, visit in enumerate(run.visits):
            found.append(
                Kept(
                    run=run,
                    visit=k,
                    stop_id=visit.stop_id,
                    ratio=float((late[:, k] <= 0).mean()),
                    late_p80_s=float(np.quantile(late[:, k], 0.8)),
                )
            )
    return tuple(found)


def _gaps(run: Run) -> list[int]:
    """Seconds from the depot, or the doors' closing, to the next opening; meals taken off."""
    gaps = []
    left_s = run.depart_s
    for k, visit in enumerate(run.visits):
        eaten_s = 0
        if run.meal is not None and run.meal.after_visit == k - 1:
            eaten_s = run.meal.end_s - run.meal.start_s
        gaps.append(visit.start_s - left_s - eaten_s)
        left_s = visit.end_s
    return gaps
