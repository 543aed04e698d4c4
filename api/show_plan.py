"""Terminal summaries: the need of a region, a plan in figures, broken rules by name."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from api.services.needs import FAR_FROM_ROAD_M, NeedAudit
from api.services.planning import PlanResult
from api.words import Words
from data.model.buffers import plan_buffer_s
from data.model.calendar import HOUR_S
from data.model.nights import nights_of
from data.model.norms import NeedStatus
from data.model.place import StopId
from data.model.plan import PlanRequest, Violation
from data.model.region import Region
from data.model.rule_notes import provisional_notes
from planner.alone import impossible_stops

MOST_LISTED = 10
"""Names that a terminal list shows before it only counts."""


def show_need(console: Console, words: Words, region: Region, audit: NeedAudit) -> None:
    """Settlements and people by need status, known and assumed apart; nothing without any."""
    if not region.settlements:
        return
    homes = {s.settlement_id: s for s in region.settlements}
    table = Table(title=words("show.need.title", region=region.name_in(words.language)))
    table.add_column(words("show.need.status"))
    for code in ("settlements", "people", "unknown_people"):
        table.add_column(words(f"show.need.{code}"), justify="right")
    for status in NeedStatus:
        found = [homes[n.settlement_id] for n in audit.needs if n.status is status]
        if not found:
            continue
        table.add_row(
            words(f"need_status.{status.value}"),
            words.number(len(found)),
            words.number(sum(s.population or 0 for s in found)),
            words.number(sum(1 for s in found if s.population is None)),
        )
    console.print(table)
    norm = audit.norm
    named = words("show.need.norm", name=norm.name_in(words.language), mark=norm.mark)
    console.print(named, markup=False)
    standing = Counter(library.standing.value for library in audit.libraries)
    console.print(
        words(
            "show.need.libraries",
            known=words.number(standing.get("known", 0)),
            assumed=words.number(standing.get("assumed", 0)),
        )
    )
    if region.library_assumption is not None:
        console.print(words("show.need.assumption", source=region.library_assumption.source))
    if audit.off_road:
        show_names(console, words, "show.off_road", [s.name for s in audit.off_road])
    if audit.far_from_road:
        names = [s.name for s in audit.far_from_road]
        show_names(console, words, "show.far_from_road", names, metres=FAR_FROM_ROAD_M)
    if audit.is_estimated:
        console.print(words("show.estimated"), style="yellow")


def show_plan(console: Console, words: Words, region: Region, result: PlanResult) -> None:
    """A plan in figures: people, stops, kilometres, hours, vehicle-days, gap to a bound."""
    summary = result.summary
    names = {s.stop_id: s.name for s in result.request.stops}
    table = Table(title=words("show.plan.title"), show_header=False)
    table.add_column()
    table.add_column(justify="right")

    def row(code: str, value: str) -> None:
        table.add_row(words(f"show.plan.{code}"), value)

    row("people", _of(words, summary.people_reached, summary.people_total))
    row("stops", _of(words, summary.stops_served, summary.stops_served + summary.stops_unserved))
    if summary.stops_with_unknown_people:
        served = summary.served_with_unknown_people
        row("unknown", _of(words, served, summary.stops_with_unknown_people))
    # What is counted in a cycle, or in all dates of a plan that does not repeat.
    counted = "" if result.request.cycle.repeats else "_dated"
    row(f"visits{counted}", words.number(summary.visits))
    row(f"km{counted}", words.number(summary.drive_m / 1000))
    row("driving", words.number(summary.drive_s / 3600, 1))
    if result.request.learned is not None:
        buffer_s = plan_buffer_s(result.request, result.plan)
        row("buffer", words.number(buffer_s / HOUR_S, 1))
    row("open", words.number(summary.open_s / 3600, 1))
    if any(s.spare_service_s for s in result.request.stops):
        row("dwell", words.number(summary.dwell_added_s / 3600, 1))
    row("days", _of(words, summary.vehicle_days_used, summary.vehicle_days_available))
    nights = Counter(nights_of(result.request, result.plan).values())
    if nights:
        places = {d.depot_id: d.name for d in result.request.depots}
        told = ", ".join(f"{places[d]} {words.number(n)}" for d, n in nights.most_common())
        row("nights", f"{words.number(summary.nights_away)} ({told})")
        cost_of = {d.depot_id: d.night_cost_s for d in result.request.depots}
        hours = sum(cost_of[d] * n for d, n in nights.items()) / 3600
        row("nights_cost", words.number(hours, 1))
    if result.request.specialists:
        row("specialists", _specialist_days(words, result))
    if summary.gap_ratio is not None and not result.drive_bound_s:
        row("gap", words.percent(summary.gap_ratio))
    if result.drive_bound_s:
        row("drive_gap", words.percent(summary.drive_s / result.drive_bound_s - 1))
    console.print(table)
    reasons = Counter(u.reason for u in result.plan.unserved)
    for reason, count in reasons.most_common():
        console.print(words("show.plan.unserved", reason=words(reason), n=words.number(count)))
    if result.off_road:
        show_names(console, words, "show.off_road", [names[s.stop_id] for s in result.off_road])
    if result.borrowed:
        console.print(words.count("show.plan.borrowed", result.borrowed))
    provenance = result.plan.provenance
    if provenance is not None and provenance.is_estimated:
        console.print(words("show.estimated"), style="yellow")
    for note in provisional_notes(result.request, words):
        console.print(note, style="yellow", markup=False)


def _specialist_days(words: Words, result: PlanResult) -> str:
    """Each specialist with the days on which he rides."""
    days = Counter(rider for run in result.plan.runs for rider in run.specialist_ids)
    return ", ".join(
        f"{p.name} {words.number(days[p.specialist_id])}" for p in result.request.specialists
    )


def show_violations(
    console: Console, words: Words, request: PlanRequest, violations: Sequence[Violation]
) -> None:
    """Each broken rule on a line of its own, with why a stop that needs visits can have none."""
    impossible = impossible_stops(request)
    console.print(words.count("cli.check.failed", len(violations)), style="red")
    for violation in violations:
        told = words(violation.code, **_with_stop(request, violation))
        console.print(f"- {told}", markup=False)
        reason = impossible.get(StopId(str(violation.facts.get("stop_id"))))
        if reason is not None:
            told = words(f"{reason.reason}.detail", **reason.facts)
            console.print(f"  {told}", markup=False)


def _with_stop(request: PlanRequest, violation: Violation) -> dict[str, Any]:
    """The facts of a broken rule, with the name of the stop that they tell the id of."""
    facts = dict(violation.facts)
    stop_id = facts.get("stop_id")
    if stop_id is not None:
        facts["stop"] = next((s.name for s in request.stops if s.stop_id == stop_id), stop_id)
    return facts


def violation_facts(words: Words, request: PlanRequest, violation: Violation) -> dict[str, Any]:
    """A broken rule as JSON has it."""
    return {
        "code": violation.code,
        "facts": dict(violation.facts),
        "text": words(violation.code, **_with_stop(request, violation)),
    }


def plan_facts(words: Words, result: PlanResult) -> dict[str, Any]:
    """A plan in figures as JSON has it: metres, seconds, people; what it leaves out and breaks."""
    request, plan = result.request, result.plan
    return {
        "region_id": request.region_id,
        "start_date": request.cycle.start_date.isoformat(),
        "weeks": request.cycle.num_weeks,
        "summary": asdict(result.summary) | {"drive_bound_s": result.drive_bound_s},
        "violations": [violation_facts(words, request, v) for v in result.violations],
        "unserved": [
            {"stop_id": u.stop_id, "reason": u.reason, "text": words(u.reason)}
            for u in plan.unserved
        ],
        "off_road": [s.stop_id for s in result.off_road],
        "borrowed_vehicles": result.borrowed,
        "provisional_rules": [
            {
                "rule_set": rule_set.rule_set_id,
                "name": rule_set.name,
                "ended": None if rule_set.valid_to is None else rule_set.valid_to.isoformat(),
                "source": rule_set.source,
                "text": text,
            }
            for rule_set, text in zip(
                request.provisional_rules, provisional_notes(request, words), strict=True
            )
        ],
        "provenance": None if plan.provenance is None else asdict(plan.provenance),
    }


def show_names(
    console: Console, words: Words, code: str, names: Sequence[str], **facts: float
) -> None:
    """A counted list of names, cut after ``MOST_LISTED``."""
    listed = ", ".join(names[:MOST_LISTED])
    if len(names) > MOST_LISTED:
        listed += " …"
    told = {name: words.number(value) for name, value in facts.items()}
    console.print(words.count(code, len(names), names=listed, **told), markup=False)


def _of(words: Words, part: int, whole: int) -> str:
    share = words.percent(part / whole) if whole else "—"
    return f"{words.number(part)} / {words.number(whole)} ({share})"
