"""Terminal tables: what became of planned visits, and the figures of the day."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from api.services.driven_days import DrivenDay
from api.services.track_files import TrackFile
from api.words import Words
from data.model.plan import PlanRequest
from fleet.day_figures import DayFigures
from fleet.matching import MatchedVisit, Outcome
from fleet.planned import PlannedRun

MOST_REFUSALS = 5
_STYLES = {
    Outcome.KEPT: "green",
    Outcome.LATE: "yellow",
    Outcome.EARLY: "yellow",
    Outcome.SKIPPED: "red",
    Outcome.UNPLANNED: "cyan",
}


def show_files(console: Console, words: Words, files: Sequence[TrackFile]) -> None:
    """What each file held and what of it was refused, with the reasons."""
    for file in files:
        told = words.count("track.file", len(file.fixes), file=file.file, kind=file.kind)
        console.print(told, markup=False)
        if file.refusals:
            told = words.count("track.refused", len(file.refusals))
            console.print(f"  {told}", style="yellow", markup=False)
        for refusal in file.refusals[:MOST_REFUSALS]:
            line = words(
                "track.refused.line",
                row=refusal.facts.get("row", "—"),
                reason=words(refusal.code, **refusal.facts),
            )
            console.print(f"    {line}", markup=False)


def show_days(
    console: Console, words: Words, request: PlanRequest, days: Sequence[DrivenDay]
) -> None:
    """Every day with its visits and figures."""
    names = {str(s.stop_id): s.name for s in request.stops}
    names |= {str(d.depot_id): d.name for d in request.depots}
    vehicles = {v.vehicle_id: v.name for v in request.vehicles}
    for driven in days:
        title = words(
            "track.day.title",
            vehicle=vehicles[driven.vehicle_id],
            day=words.day(driven.run.service_date),
            device=driven.device_id,
        )
        console.print()
        console.print(title, style="bold", markup=False)
        if driven.is_guessed:
            console.print(words("track.day.guessed"), markup=False)
        console.print(_visits_table(words, driven, names))
        _show_figures(console, words, driven.figures)
        _show_verdicts(console, words, driven)


def _visits_table(words: Words, driven: DrivenDay, names: dict[str, str]) -> Table:
    table = Table()
    heads = ("stop", "planned", "arrived", "left", "deviation", "outcome")
    for number, head in enumerate(heads):
        table.add_column(words(f"track.head.{head}"), justify="right" if 0 < number < 5 else "left")
    run = driven.run
    rows = sorted(
        (*driven.day.visits, *driven.day.unplanned),
        key=lambda v: (
            v.observed.arrived_at
            if v.observed
            else v.planned.arrival_at
            if v.planned
            else run.stops[0].arrival_at
        ),
    )
    _add_depot(table, words, run, names, run.start_depot_id, None, driven.day.departed_at)
    for visit in rows:
        table.add_row(
            _name(words, visit, names),
            _planned(words, run, visit),
            _clock(words, run, visit.observed.arrived_at if visit.observed else None),
            _clock(words, run, visit.observed.departed_at if visit.observed else None),
            _deviation(words, visit),
            _outcome(words, visit),
            style=_STYLES.get(visit.outcome),
        )
    _add_depot(table, words, run, names, run.end_depot_id, driven.day.returned_at, None)
    return table


def _add_depot(
    table: Table,
    words: Words,
    run: PlannedRun,
    names: dict[str, str],
    depot_id: str | None,
    arrived: datetime | None,
    left: datetime | None,
) -> None:
    if depot_id is None:
        return
    planned = run.depart_at if arrived is None and left is not None else run.return_at
    actual = left or arrived
    dev = "" if planned is None or actual is None else _signed(words, actual, planned)
    told = _clock(words, run, planned)
    table.add_row(
        names.get(depot_id, depot_id),
        told,
        _clock(words, run, arrived),
        _clock(words, run, left),
        dev,
        words("track.depot") if actual else words("track.depot.not_seen"),
        style="dim",
    )


def _name(words: Words, visit: MatchedVisit, names: dict[str, str]) -> str:
    if visit.planned is not None:
        return names.get(visit.planned.stop_id, visit.planned.stop_id)
    seen = visit.observed
    if seen is None or seen.place_id is None:
        where = "" if seen is None else f"{seen.lat:.4f}, {seen.lon:.4f}"
        return words("track.elsewhere", place=where)
    return names.get(seen.place_id, seen.place_id)


def _planned(words: Words, run: PlannedRun, visit: MatchedVisit) -> str:
    if visit.planned is None:
        return "—"
    span = (visit.planned.start_at, visit.planned.end_at)
    return "–".join(_clock(words, run, at) for at in span)


def _clock(words: Words, run: PlannedRun, at: datetime | None) -> str:
    return "—" if at is None else words.clock(int(run.clock_s(at)))


def _deviation(words: Words, visit: MatchedVisit) -> str:
    if visit.planned is None or visit.observed is None:
        return ""
    if visit.short_s > visit.late_s:
        return words("track.short", minutes=words.number(visit.short_s / 60))
    if visit.late_s >= 60:
        return words("track.late", minutes=words.number(visit.late_s / 60))
    return words("track.in_time")


def _signed(words: Words, actual: datetime, planned: datetime) -> str:
    minutes = round((actual - planned).total_seconds() / 60)
    sign = "+" if minutes > 0 else "−" if minutes < 0 else ""
    return f"{sign}{words.number(abs(minutes))}"


def _outcome(words: Words, visit: MatchedVisit) -> str:
    told = words(f"track.outcome.{visit.outcome.value}")
    return f"{told}, {words('track.out_of_order')}" if visit.is_out_of_order else told


def _show_figures(console: Console, words: Words, figures: DayFigures) -> None:
    def ratio(value: float | None) -> str:
        return "—" if value is None else words.percent(value, 0)

    console.print(
        words(
            "track.figures.visits",
            held=words.number(figures.num_held),
            planned=words.number(figures.num_planned),
            kept=ratio(figures.kept_ratio),
            punctual=ratio(figures.punctual_ratio),
        ),
        markup=False,
    )
    minutes = "—" if figures.mean_late_s is None else words.number(figures.mean_late_s / 60, 1)
    console.print(
        words(
            "track.figures.times",
            late=minutes,
            dwell=words.number(figures.dwell_s / 60),
            planned=words.number(figures.planned_dwell_s / 60),
            drive=ratio(figures.drive_ratio),
        ),
        markup=False,
    )
    planned_km = "—" if figures.planned_m is None else words.number(figures.planned_m / 1000, 1)
    code = "track.figures.way" if figures.odometer_m is None else "track.figures.way_odometer"
    console.print(
        words(
            code,
            km=words.number(figures.driven_m / 1000, 1),
            planned=planned_km,
            odometer=words.number((figures.odometer_m or 0.0) / 1000, 1),
        ),
        markup=False,
    )


def _show_verdicts(console: Console, words: Words, driven: DrivenDay) -> None:
    """Which fixes were left out and why."""
    counts = {v: n for v, n in driven.track.counts.items() if not v.is_presence}
    if counts:
        told = ", ".join(
            f"{words(f'track.verdict.{v.value}')} — {words.number(n)}" for v, n in counts.items()
        )
        console.print(words("track.left_out", reasons=told), markup=False)


def day_facts(driven: DrivenDay) -> dict[str, Any]:
    """A day as JSON has it: instants in UTC, seconds, metres, ids, codes."""
    figures = driven.figures
    return {
        "vehicle_id": driven.vehicle_id,
        "device_id": driven.device_id,
        "is_guessed": driven.is_guessed,
        "date": driven.run.service_date,
        "departed_at": driven.day.departed_at,
        "returned_at": driven.day.returned_at,
        "visits": [_visit_facts(v) for v in driven.day.visits],
        "unplanned": [_visit_facts(v) for v in driven.day.unplanned],
        "figures": {
            "num_planned": figures.num_planned,
            "num_held": figures.num_held,
            "num_punctual": figures.num_punctual,
            "num_skipped": figures.num_skipped,
            "mean_late_s": figures.mean_late_s,
            "dwell_s": figures.dwell_s,
            "planned_dwell_s": figures.planned_dwell_s,
            "drive_ratio": figures.drive_ratio,
            "driven_m": round(figures.driven_m),
            "planned_m": figures.planned_m,
            "odometer_m": figures.odometer_m,
        },
        "fixes": dict(Counter({v.value: n for v, n in driven.track.counts.items()})),
    }


def _visit_facts(visit: MatchedVisit) -> dict[str, Any]:
    seen, planned = visit.observed, visit.planned
    return {
        "stop_id": planned.stop_id if planned else seen.place_id if seen else None,
        "position": planned.position if planned else None,
        "outcome": visit.outcome.value,
        "is_out_of_order": visit.is_out_of_order,
        "planned_start_at": planned.start_at if planned else None,
        "planned_end_at": planned.end_at if planned else None,
        "arrived_at": seen.arrived_at if seen else None,
        "departed_at": seen.departed_at if seen else None,
        "is_arrival_seen": seen.is_arrival_seen if seen else None,
        "is_departure_seen": seen.is_departure_seen if seen else None,
        "late_s": visit.late_s,
        "short_s": visit.short_s,
    }
