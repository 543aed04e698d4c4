"""Runners that end in several plans to choose from."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from api.jobs.context import Context
from api.jobs.outcome import BrokenPlanError, Outcome
from api.jobs.packing import choice
from api.jobs.params import FleetSizeParams, FrontierParams
from api.services.choices import Setting, Sized, fleet_sizes, frontier_of
from api.services.needs import audit_region
from api.services.plan_frame import check_frame
from api.show_choices import base_facts, frontier_facts, point_names, size_facts
from data.feeds.plan_file import plain
from data.model.jobs import JobFailure, JobPlan, JobPlanDocument

_FILE = "file"


def run_frontier(ctx: Context, params: FrontierParams) -> Outcome:
    """Plans that trade people, fairness and kilometres; the checker has passed each.

    Raises
    ------
    BrokenPlanError
        ``frontier.none`` where no plan keeps every rule.
    """
    with _setting(ctx, params, params.num_vehicles) as (setting, facts):
        ready, found = frontier_of(
            setting,
            num_vehicles=params.num_vehicles,
            num_plans=params.num_plans,
            params=ctx.solve_params(time_limit_s=params.time_limit_s),
            tick=ctx.tick,
        )
    if not found.points:
        raise BrokenPlanError(JobFailure(code="frontier.none"))
    ctx.tick.phase("phase.check")
    names = point_names(found.points)
    told = frontier_facts(ready.request, found, names)
    told["plans"] = [_without_file(p) for p in told["plans"]]
    return Outcome(
        result=plain(told),
        choices=tuple(
            choice(name, ready.request, point.plan, point.summary, facts)
            for name, point in zip(names, found.points, strict=True)
        ),
    )


def run_fleet_size(ctx: Context, params: FleetSizeParams) -> Outcome:
    """Plans of one to N vehicles, and of one vehicle at each of some bases.

    A fleet whose best plan breaks rules has its figures and no plan.
    """
    with _setting(ctx, params, params.num_vehicles) as (setting, facts):
        own = len(setting.region.vehicles)
        found = fleet_sizes(
            setting,
            most_vehicles=params.num_vehicles or own + 2,
            num_bases=params.num_bases,
            params=ctx.solve_params(time_limit_s=params.time_limit_s),
            tick=ctx.tick,
        )
    ctx.tick.phase("phase.check")
    sizes, bases = [size_facts(s) for s in found.sizes], [base_facts(b) for b in found.bases]
    sized = [*zip(sizes, found.sizes, strict=True)]
    sized += [
        (told, base.sized)
        for told, base in zip(bases, found.bases, strict=True)
        if base.sized is not None
    ]
    choices = tuple(
        _sized_choice(str(told["name"]), one, facts) for told, one in sized if not one.violations
    )
    result = {
        "sizes": [_without_file(s) for s in sizes],
        "bases": [_without_file(b) for b in bases],
        "num_base_candidates": found.num_candidates,
        "comfortable_s": round(found.comfortable_s),
        "is_cut_short": found.is_cut_short,
    }
    return Outcome(result=plain(result), choices=choices)


def _sized_choice(
    name: str, sized: Sized, facts: dict[str, Any]
) -> tuple[JobPlan, JobPlanDocument]:
    told = facts | {"num_borrowed": sized.borrowed, "bases": list(sized.bases)}
    return choice(name, sized.request, sized.plan, sized.summary, told)


@contextmanager
def _setting(
    ctx: Context, params: FrontierParams | FleetSizeParams, num_vehicles: int | None
) -> Iterator[tuple[Setting, dict[str, Any]]]:
    """What all plans of a set have in common, its roads open while the block runs."""
    region, first, revision = ctx.region(params.start_date)
    weeks = params.weeks or region.standard.cycle_weeks
    check_frame(region, start_date=first, weeks=weeks, num_vehicles=num_vehicles)
    with ctx.roads(region) as roads:
        audit = audit_region(region, roads, on=first, tick=ctx.tick, norm_set_id=params.norm_set_id)
        facts = {
            "region_revision": revision,
            "norm_set_id": audit.norm.norm_set_id,
            "job_id": ctx.job.job_id,
        }
        yield (
            Setting(region=region, audit=audit, roads=roads, start_date=first, weeks=weeks),
            facts,
        )


def _without_file(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name != _FILE}
