"""What a plan keeps against delays: the part of its driving time that is buffer."""

from itertools import pairwise

from data.model.plan import Plan, PlanRequest, Run


def run_buffer_s(request: PlanRequest, run: Run) -> int:
    """Buffer seconds of all legs of a run; zero where nothing was learned."""
    matrix = request.travel.get(run.vehicle_id)
    vehicle = next((v for v in request.vehicles if v.vehicle_id == run.vehicle_id), None)
    if matrix is None or matrix.buffer_s is None or vehicle is None:
        return 0
    start, end = run.ends(vehicle)
    points = [str(start), *(str(v.stop_id) for v in run.visits), str(end)]
    return sum(
        matrix.buffer_seconds(a, b)
        for a, b in pairwise(points)
        if a in matrix.index and b in matrix.index
    )


def plan_buffer_s(request: PlanRequest, plan: Plan) -> int:
    """Buffer seconds of all runs of one cycle."""
    return sum(run_buffer_s(request, run) for run in plan.runs)
