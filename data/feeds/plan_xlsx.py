"""A plan as a workbook: summary, timetable, runs, stops, settlements."""

from collections.abc import Sequence
from pathlib import Path

from data.feeds.need_table import need_cells, need_columns, need_rows
from data.feeds.workbook import Cell, Column, Kind, TableBook
from data.model.buffers import plan_buffer_s
from data.model.calendar import HOUR_S
from data.model.crew import service_name
from data.model.figures import plan_figures
from data.model.labels import Labels
from data.model.nights import nights_of
from data.model.norms import Need
from data.model.plan import Plan, PlanRequest
from data.model.region import Region
from data.model.rhythm_words import stop_rhythms
from data.model.riders import riders_of, riders_told, services_at
from data.model.rule_notes import provisional_notes


def write_xlsx(
    region: Region,
    needs: Sequence[Need],
    request: PlanRequest,
    plan: Plan,
    path: Path,
    *,
    label: Labels,
    estimated: bool | None = None,
) -> None:
    """Write the workbook, with headings in the label's language.

    Parameters
    ----------
    estimated
        Whether travel was estimated without roads; what the plan's provenance says if not given.
    """
    if estimated is None:
        estimated = plan.provenance is not None and plan.provenance.is_estimated
    book = TableBook(path, label, request.cycle.start_date)
    title = label("map.plan_title", region=region.name_in(label.language))
    facts = _summary(region, needs, request, plan, label, estimated=estimated)
    book.add_facts(label("table.sheet.summary"), title, facts)
    book.add_table(label("table.sheet.timetable"), *_timetable(request, plan, label))
    book.add_table(label("table.sheet.runs"), *_runs(request, plan, label))
    book.add_table(label("table.sheet.stops"), *_stops(request, plan, label))
    rows = need_rows(region, needs, region.libraries, is_estimated=estimated)
    book.add_table(label("table.sheet.need"), need_columns(label), need_cells(rows, label))
    book.close()


type _Table = tuple[list[Column], list[list[Cell]]]


def _columns(label: Labels, *named: tuple[str, Kind, int]) -> list[Column]:
    return [Column(label(f"table.col.{name}"), kind, width) for name, kind, width in named]


def _summary(
    region: Region,
    needs: Sequence[Need],
    request: PlanRequest,
    plan: Plan,
    label: Labels,
    *,
    estimated: bool,
) -> list[tuple[str, Kind, Cell]]:
    figures = plan_figures(region.settlements, needs, request, plan)
    cycle = request.cycle
    last = cycle.last_date
    gap = "" if figures.gap_ratio is None else label.percent(figures.gap_ratio)
    buffer: list[tuple[str, Kind, Cell]] = []
    if request.learned is not None:
        buffer = [
            ("buffer_h", Kind.NUMBER, plan_buffer_s(request, plan) / HOUR_S),
            ("learned", Kind.TEXT, request.learned.source),
        ]
    named: list[tuple[str, Kind, Cell]] = [
        ("first_date", Kind.DATE, cycle.first_date),
        ("last_date", Kind.DATE, last),
        ("estimated", Kind.FLAG, estimated),
        ("people_reached", Kind.COUNT, figures.people_reached),
        ("people_lacking", Kind.COUNT, figures.people_lacking),
        ("settlements_reached", Kind.COUNT, figures.settlements_reached),
        ("settlements_lacking", Kind.COUNT, figures.settlements_lacking),
        ("settlements_unknown", Kind.COUNT, figures.settlements_unknown),
        ("stops_served", Kind.COUNT, figures.stops_served),
        ("stops_unserved", Kind.COUNT, figures.stops_unserved),
        ("visits", Kind.COUNT, figures.num_visits),
        ("vehicle_days", Kind.COUNT, figures.vehicle_days),
        ("vehicle_days_available", Kind.COUNT, figures.vehicle_days_available),
        ("nights_away", Kind.COUNT, len(nights_of(request, plan))),
        ("km", Kind.NUMBER, figures.drive_m / 1000),
        ("drive_h", Kind.NUMBER, figures.drive_s / HOUR_S),
        *buffer,
        ("open_h", Kind.NUMBER, figures.open_s / HOUR_S),
        ("gap", Kind.TEXT, gap),
    ]
    if plan.provenance is not None:
        made = plan.provenance
        named += [
            ("travel_source", Kind.TEXT, made.travel_source),
            ("problem_hash", Kind.TEXT, made.problem_hash),
            ("seed", Kind.TEXT, str(made.seed)),
        ]
    named += [("rules", Kind.TEXT, text) for text in provisional_notes(request, label)]
    facts = [(label(f"table.fact.{name}"), kind, value) for name, kind, value in named]
    for source in region.sources:
        text = f"{source.title}: {source.licence}" if source.licence else source.title
        facts.append((label("table.fact.source"), Kind.TEXT, text))
    return facts


def _timetable(request: PlanRequest, plan: Plan, label: Labels) -> _Table:
    columns = _columns(
        label,
        ("date", Kind.DATE, 12),
        ("weekday", Kind.TEXT, 8),
        ("vehicle", Kind.TEXT, 18),
        ("stop_id", Kind.TEXT, 16),
        ("stop", Kind.TEXT, 28),
        ("community", Kind.TEXT, 20),
        ("opens", Kind.CLOCK, 9),
        ("closes", Kind.CLOCK, 9),
        ("people", Kind.COUNT, 10),
        *([("services", Kind.TEXT, 26)] if request.specialists else []),
    )
    stops = {s.stop_id: s for s in request.stops}
    names = {v.vehicle_id: v.name for v in request.vehicles}
    rows: list[list[Cell]] = []
    for run in sorted(plan.runs, key=lambda r: (r.day, r.vehicle_id)):
        on = request.cycle.date_of(run.day)
        for visit in run.visits:
            stop = stops[visit.stop_id]
            rows.append(
                [
                    on,
                    label.weekday(on),
                    names[run.vehicle_id],
                    stop.stop_id,
                    stop.name,
                    stop.community,
                    visit.start_s,
                    visit.end_s,
                    label("table.unknown") if stop.people is None else stop.people,
                ]
            )
            if request.specialists:
                coming = sorted(services_at(request, run, stop))
                rows[-1].append(", ".join(service_name(s, label) for s in coming))
    return columns, rows


def _runs(request: PlanRequest, plan: Plan, label: Labels) -> _Table:
    columns = _columns(
        label,
        ("date", Kind.DATE, 12),
        ("weekday", Kind.TEXT, 8),
        ("vehicle", Kind.TEXT, 18),
        ("depot", Kind.TEXT, 22),
        ("ends_at", Kind.TEXT, 22),
        ("sign_on", Kind.CLOCK, 9),
        ("departs", Kind.CLOCK, 9),
        ("returns", Kind.CLOCK, 9),
        ("sign_off", Kind.CLOCK, 9),
        ("num_stops", Kind.COUNT, 9),
        ("km", Kind.NUMBER, 9),
        ("drive_h", Kind.NUMBER, 9),
        ("open_h", Kind.NUMBER, 9),
        ("work_h", Kind.NUMBER, 9),
        ("stops_in_order", Kind.TEXT, 60),
        *([("specialists", Kind.TEXT, 36)] if request.specialists else []),
    )
    vehicles = {v.vehicle_id: v for v in request.vehicles}
    depots = {d.depot_id: d.name for d in request.depots}
    names = {s.stop_id: s.name for s in request.stops}
    rows: list[list[Cell]] = []
    for run in sorted(plan.runs, key=lambda r: (r.day, r.vehicle_id)):
        on = request.cycle.date_of(run.day)
        vehicle = vehicles[run.vehicle_id]
        rows.append(
            [
                on,
                label.weekday(on),
                vehicle.name,
                *(depots[place] for place in run.ends(vehicle)),
                run.sign_on_s,
                run.depart_s,
                run.return_s,
                run.sign_off_s,
                len(run.visits),
                run.drive_m / 1000,
                run.drive_s / HOUR_S,
                run.open_s / HOUR_S,
                run.work_s / HOUR_S,
                " – ".join(names[v.stop_id] for v in run.visits),
            ]
        )
        if request.specialists:
            rows[-1].append(riders_told(riders_of(request, run), label))
    return columns, rows


def _stops(request: PlanRequest, plan: Plan, label: Labels) -> _Table:
    columns = _columns(
        label,
        ("stop_id", Kind.TEXT, 16),
        ("stop", Kind.TEXT, 28),
        ("community", Kind.TEXT, 20),
        ("kind", Kind.TEXT, 12),
        ("people", Kind.COUNT, 10),
        ("visits_wanted", Kind.COUNT, 11),
        ("visits_planned", Kind.COUNT, 11),
        ("rhythm", Kind.TEXT, 36),
        ("served", Kind.FLAG, 10),
        ("reason", Kind.TEXT, 60),
        ("lon", Kind.DEGREES, 10),
        ("lat", Kind.DEGREES, 10),
    )
    planned: dict[str, int] = {}
    for run in plan.runs:
        for visit in run.visits:
            planned[visit.stop_id] = planned.get(visit.stop_id, 0) + 1
    rhythms = stop_rhythms(request, plan, label)
    reasons = {u.stop_id: label(u.reason, **u.facts) for u in plan.unserved}
    rows: list[list[Cell]] = [
        [
            stop.stop_id,
            stop.name,
            stop.community,
            label(f"stop_kind.{stop.kind}"),
            label("table.unknown") if stop.people is None else stop.people,
            stop.visits_per_cycle,
            planned.get(stop.stop_id, 0),
            rhythms.get(stop.stop_id, ""),
            stop.stop_id in planned,
            reasons.get(stop.stop_id, ""),
            stop.lon,
            stop.lat,
        ]
        for stop in request.stops
    ]
    return columns, rows
