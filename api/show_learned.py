"""Terminal tables: what recorded days taught, and what a plan makes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from api.services.planning import PlanResult
from api.words import Words
from data.model.buffers import plan_buffer_s
from data.model.calendar import HOUR_S, MINUTE_S
from data.model.demand import PrizeBy, VisitsEstimate
from data.model.plan import Plan, PlanRequest
from planner.learn.demand import expected_total
from planner.learn.lessons import Lessons, OddRecord
from planner.learn.propose import DemandRow, FactorRow, Proposal, TimeRow
from planner.learn.records import Records

MOST_ROWS = 20
"""Rows that a terminal table shows before it only counts; ``--all`` and JSON hold every one."""


def show_learned(console: Console, words: Words, result: PlanResult) -> None:
    """What a plan makes of recorded days: buffers, arrivals kept, expected visits."""
    request = result.request
    use = request.learned
    if use is not None:
        told = words(
            "learn.plan.source",
            source=use.source,
            days=words.number(use.num_days),
            legs=words.number(use.num_legs),
            first=words.day(use.first_date) if use.first_date else "—",
            last=words.day(use.last_date) if use.last_date else "—",
        )
        console.print(told, markup=False)
        told = words(
            "learn.plan.buffers",
            level=words.percent(use.leg_level),
            keep=words.percent(use.keep_ratio),
            hours=words.number(plan_buffer_s(request, result.plan) / HOUR_S, 1),
        )
        console.print(told, markup=False)
    if use is not None and result.kept:
        names = {s.stop_id: s.name for s in request.stops}
        worst = min(result.kept, key=lambda k: k.ratio)
        mean = sum(k.ratio for k in result.kept) / len(result.kept)
        told = words(
            "learn.plan.kept",
            mean=words.percent(mean),
            least=words.percent(worst.ratio),
            stop=names[worst.stop_id],
        )
        console.print(told, markup=False)
        short = sum(k.ratio < use.keep_ratio for k in result.kept)
        if short:
            told = words.count("learn.plan.short", short, keep=words.percent(use.keep_ratio))
            console.print(told, style="yellow", markup=False)
    total = expected_total(request, result.plan)
    if total is not None:
        console.print(words("learn.plan.visits", visits=interval(words, total)), markup=False)
    if request.prize_by is PrizeBy.DEMAND:
        console.print(words("learn.plan.prize_by_demand"), markup=False)


def learned_facts(result: PlanResult) -> dict[str, Any]:
    """The same as JSON has it; nothing where nothing was learned."""
    request = result.request
    facts: dict[str, Any] = {"prize_by": request.prize_by.value}
    facts["expected_visits"] = visits_facts(request, result.plan)
    if request.learned is not None:
        facts["learned"] = asdict(request.learned) | {
            "buffer_s": plan_buffer_s(request, result.plan),
            "kept": [
                {
                    "stop_id": kept.stop_id,
                    "vehicle_id": kept.run.vehicle_id,
                    "day": kept.run.day,
                    "ratio": kept.ratio,
                }
                for kept in result.kept
            ],
        }
    return facts


def visits_facts(request: PlanRequest, plan: Plan) -> dict[str, float] | None:
    """Visits that a plan may expect in a cycle, as JSON has them."""
    total = expected_total(request, plan)
    if total is None:
        return None
    return {"mean": total.mean, "low": total.low, "high": total.high}


def interval(words: Words, expected: VisitsEstimate) -> str:
    """An estimate with its interval: ``412 (330–505)``."""
    digits = 0 if expected.mean >= 20 else 1
    low, high = words.number(expected.low, digits), words.number(expected.high, digits)
    return f"{words.number(expected.mean, digits)} ({low}–{high})"


def show_proposal(
    console: Console,
    words: Words,
    request: PlanRequest,
    lessons: Lessons,
    proposal: Proposal,
    *,
    show_all: bool,
) -> None:
    """The proposal as tables: factors, legs, stops, demand, what was set aside and why."""
    names = {str(s.stop_id): s.name for s in request.stops}
    names |= {str(d.depot_id): d.name for d in request.depots}
    most = None if show_all else MOST_ROWS
    learned = lessons.learned
    told = words(
        "learn.title",
        days=words.number(learned.num_days),
        first=words.day(learned.first_date) if learned.first_date else "—",
        last=words.day(learned.last_date) if learned.last_date else "—",
    )
    console.print(told, markup=False)
    _show_factors(console, words, request, proposal.factors)
    _show_spreads(console, words, lessons)
    legs = sorted(proposal.legs, key=lambda r: -abs(r.p50_s - r.planned_s))
    _show_times(console, words, "legs", legs, names, most)
    for kind in ("setup", "turnaround", "opening"):
        rows = sorted(getattr(proposal, kind), key=lambda r: -abs(r.p50_s - r.planned_s))
        _show_times(console, words, kind, rows, names, most)
    _show_demand(console, words, request, proposal.demand, names, most)
    _show_odd(console, words, lessons.odd, names, most)
    _show_skipped(console, words, lessons.records)


def _show_factors(
    console: Console, words: Words, request: PlanRequest, rows: Sequence[FactorRow]
) -> None:
    vehicles = {str(v.vehicle_id): v.name for v in request.vehicles}
    table = _table(words, "factors", ("unit", "factor", "interval", "n"))
    for row in rows:
        unit = words("learn.all") if not row.level else words(f"learn.level.{row.level}")
        name = vehicles.get(row.unit, row.unit)
        table.add_row(
            f"{unit} {name}".strip(),
            f"×{words.number(row.factor, 2)}",
            f"{words.number(row.low, 2)}–{words.number(row.high, 2)}",
            words.number(row.num),
        )
    console.print(table)


def _show_spreads(console: Console, words: Words, lessons: Lessons) -> None:
    drive = lessons.learned.drive
    told = words(
        "learn.spreads",
        leg=words.percent(drive.level_sd.get("leg", 0.0), 0),
        day=words.percent(drive.day_sd, 0),
        rest=words.percent(drive.residual_sd, 0),
    )
    console.print(told, markup=False)


def _show_times(
    console: Console,
    words: Words,
    kind: str,
    rows: Sequence[TimeRow],
    names: Mapping[str, str],
    most: int | None,
) -> None:
    if not rows:
        console.print(words(f"learn.{kind}.none"), markup=False)
        return
    heads = ("place", "planned", "p50", "interval", "p80", "change", "n")
    table = _table(words, kind, heads)

    def minutes(seconds: float) -> str:
        return words.number(seconds / MINUTE_S, 1)

    for row in rows[:most]:
        change = words.percent(row.change, 0)
        table.add_row(
            " → ".join(names.get(i, i) for i in row.ids),
            minutes(row.planned_s),
            minutes(row.p50_s),
            f"{minutes(row.low_s)}–{minutes(row.high_s)}",
            minutes(row.p80_s),
            f"+{change}" if row.change > 0 else change,
            words.number(row.num),
        )
    console.print(table)
    _show_more(console, words, len(rows), most)


def _show_demand(
    console: Console,
    words: Words,
    request: PlanRequest,
    rows: Sequence[DemandRow],
    names: Mapping[str, str],
    most: int | None,
) -> None:
    people = {str(s.stop_id): s.people for s in request.stops}
    table = _table(words, "demand", ("stop", "people", "counted", "expected", "n"))
    ordered = sorted(rows, key=lambda r: (-r.expected.num_records, -r.expected.mean))
    for row in ordered[:most]:
        known = people.get(row.stop_id)
        table.add_row(
            names.get(row.stop_id, row.stop_id),
            "—" if known is None else words.number(known),
            "—" if row.counted is None else words.number(row.counted, 1),
            interval(words, row.expected),
            words.number(row.expected.num_records),
        )
    console.print(table)
    _show_more(console, words, len(rows), most)


def _show_odd(
    console: Console,
    words: Words,
    odd: Sequence[OddRecord],
    names: Mapping[str, str],
    most: int | None,
) -> None:
    if not odd:
        return
    console.print(words.count("learn.odd", len(odd)), markup=False)
    for record in sorted(odd, key=lambda r: -abs(r.score))[:most]:
        places = record.place.split(" → ")
        told = words(
            "learn.odd.line",
            day=words.day(record.service_date),
            kind=words(f"learn.kind.{record.kind}"),
            place=" → ".join(names.get(p, p) for p in places),
            observed=words.number(record.observed_s / MINUTE_S, 1),
            planned=words.number(record.planned_s / MINUTE_S, 1),
            reason=words(record.reason),
        )
        console.print(f"  {told}", markup=False)
    _show_more(console, words, len(odd), most)


def _show_skipped(console: Console, words: Words, records: Records) -> None:
    for code, num in records.skipped.items():
        console.print(words.count(code, num), markup=False)


def _show_more(console: Console, words: Words, num: int, most: int | None) -> None:
    if most is not None and num > most:
        console.print(words.count("learn.more", num - most), markup=False)


def _table(words: Words, kind: str, heads: Sequence[str]) -> Table:
    table = Table(title=words(f"learn.{kind}.title"))
    for number, head in enumerate(heads):
        table.add_column(words(f"learn.head.{head}"), justify="right" if number else "left")
    return table


def proposal_facts(lessons: Lessons, proposal: Proposal) -> dict[str, Any]:
    """The proposal as JSON has it: seconds, ids, every row."""
    learned = lessons.learned
    return {
        "num_days": learned.num_days,
        "first_date": learned.first_date,
        "last_date": learned.last_date,
        "proposal": asdict(proposal),
        "set_aside": [asdict(record) for record in lessons.odd],
        "skipped": lessons.records.skipped,
    }
