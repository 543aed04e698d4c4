"""Plans that a search found, packed with their figures as the database keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from api.jobs.outcome import BrokenPlanError
from api.services.plan_documents import packed
from data.feeds.plan_file import plain
from data.model.calendar import Cycle
from data.model.jobs import JobFailure, JobPlan, JobPlanDocument
from data.model.plan import Plan, PlanRequest, Violation
from data.model.rule_notes import provisional_rules
from planner.score import PlanSummary

BROKEN = "jobs.broken_rules"
_MOST_TOLD = 100


def refuse_broken(request: PlanRequest, plan: Plan, violations: Sequence[Violation]) -> None:
    """Refuse a plan that breaks rules, naming each.

    Raises
    ------
    BrokenPlanError
        ``jobs.broken_rules`` with the violations, then the reasons of mandatory stops left out.
    """
    if not violations:
        return
    names = {str(s.stop_id): s.name for s in request.stops}
    mandatory = {s.stop_id for s in request.stops if s.mandatory}
    pinned = {p.stop_id for p in request.pins.visits}
    told = [JobFailure(code=v.code, facts=_named(v.facts, names)) for v in violations]
    told += [
        JobFailure(code=f"{u.reason}.detail", facts=_named(u.facts, names))
        for u in plan.unserved
        if u.stop_id in mandatory | pinned
    ]
    failure = JobFailure(
        code=BROKEN, facts={"n": len(violations)}, problems=tuple(told[:_MOST_TOLD])
    )
    raise BrokenPlanError(failure)


def _named(facts: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Facts as JSON, a stop's name beside its id."""
    found: dict[str, Any] = plain(facts)
    if "stop_id" in found:
        found["stop"] = names.get(str(found["stop_id"]), found["stop_id"])
    return found


def summary_json(summary: PlanSummary) -> dict[str, Any]:
    """The figures of a plan as JSON values."""
    found: dict[str, Any] = plain(asdict(summary))
    return found


def cycle_facts(request: PlanRequest) -> dict[str, Any]:
    """What lists of plans show of what was asked."""
    cycle: Cycle = request.cycle
    sources = sorted({m.source for m in request.travel.values()})
    return {
        "weeks": cycle.num_weeks,
        "start_date": cycle.first_date.isoformat(),
        "end_date": cycle.last_date.isoformat(),
        "repeats": cycle.repeats,
        "num_vehicles": len(request.vehicles),
        "num_stops": len(request.stops),
        "is_estimated": any(m.is_estimated for m in request.travel.values()),
        "travel_source": "; ".join(sources),
        "provisional_rules": [plain(asdict(rules)) for rules in provisional_rules(request)],
    }


def choice(
    name: str, request: PlanRequest, plan: Plan, summary: PlanSummary, facts: Mapping[str, Any]
) -> tuple[JobPlan, JobPlanDocument]:
    """One of several plans to choose from."""
    packed_request, packed_plan = packed(request, plan)
    return (
        JobPlan(name=name, summary=summary_json(summary), facts=cycle_facts(request) | dict(facts)),
        JobPlanDocument(request=packed_request, plan=packed_plan),
    )
