"""The runner that tells why stops are not served, and what would serve them."""

from typing import Any

from api.jobs.context import Context
from api.jobs.outcome import Outcome
from api.jobs.params import ExplainParams
from data.feeds.plan_file import plain
from data.model.errors import RequestError
from planner.explanations import explain_all
from planner.relax import Explanation, explain
from planner.warm_up import warm_up


def run_explain(ctx: Context, params: ExplainParams) -> Outcome:
    """Why a stop, or every unserved one, is not served, and what would serve it.

    Raises
    ------
    RequestError
        ``edit.unknown_stop``, ``edit.already_served``.
    """
    opened = ctx.plan(params.plan_id)
    request, plan = opened.request, opened.plan
    stop = None
    if params.stop_id is not None:
        stop = next((s for s in request.stops if s.stop_id == params.stop_id), None)
        if stop is None:
            raise RequestError("edit.unknown_stop", stop_id=params.stop_id)
    ctx.tick.phase("phase.compile")
    warm_up()
    ctx.tick.phase("phase.explain")
    if stop is not None:
        told = explain(
            request,
            plan,
            stop,
            time_limit_s=params.limit_s,
            seed=params.seed,
            should_stop=ctx.tick.should_stop,
        )
        found: tuple[Explanation, ...] = (told,)
    else:

        def tell(done: int, total: int) -> None:
            ctx.tick.fraction(done / total)
            ctx.tick.best("explain.done", done=done, total=total)

        found = explain_all(
            request,
            plan,
            time_limit_s=params.limit_s,
            seed=params.seed,
            progress=tell,
            should_stop=ctx.tick.should_stop,
        )
    dates = [request.cycle.date_of(day).isoformat() for day in range(request.cycle.num_days)]
    return Outcome(
        result={
            "version": opened.stored.version,
            "revision": opened.stored.revision,
            "stops": [_explanation(one, dates) for one in found],
        }
    )


def _explanation(told: Explanation, dates: list[str]) -> dict[str, Any]:
    """An explanation as codes and facts; the reader's language words them."""
    explained: dict[str, Any] = plain(
        {
            "stop_id": told.stop.stop_id,
            "stop": told.stop.name,
            "prize": told.stop.prize,
            "people": told.stop.people,
            "mandatory": told.stop.mandatory,
            "reason": {"code": told.reason.reason, "facts": told.reason.facts},
            "changes": [
                {
                    "code": change.code,
                    "facts": change.facts,
                    "is_proved": change.is_proved,
                    "proof": change.proof,
                    "dates": [dates[day] for day in change.days],
                    "delta_drive_m": change.delta_drive_m,
                    "delta_work_s": change.delta_work_s,
                }
                for change in told.changes
            ],
        }
    )
    return explained
