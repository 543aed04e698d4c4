"""Run sheets for the cab: one printable page a run, with room to write the counts.

Stop ids are those of the plan, so that what is written by hand can be typed back. The age bands
are those of the form 6-НК: to 14, 15 to 30, older.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from data.model.buffers import run_buffer_s
from data.model.crew import with_services
from data.model.labels import Labels
from data.model.place import Stop, StopId, StopKind
from data.model.plan import Plan, PlanRequest, Run
from data.model.rhythm_words import stop_rhythms
from data.model.riders import riders_of, riders_told, services_at
from data.model.timetable import run_dates

_TEXTS = (
    "heading", "depot", "aboard", "sign_on", "sign_off", "on_date", "driver", "librarian",
    "odometer_out", "odometer_in", "total", "legend", "col.number", "col.stop", "col.drive",
    "col.arrive", "col.open", "col.close", "col.depart", "col.people", "col.visits", "col.child",
    "col.youth", "col.adult", "col.loans",
)  # fmt: skip


def run_sheets_html(request: PlanRequest, plan: Plan, label: Labels, *, until: date) -> str:
    """All run sheets of a plan as one self-contained page for printing on A4, by day and vehicle.

    Parameters
    ----------
    until
        Last date up to which the repetitions of a run are listed, included.
    """
    order = {v.vehicle_id: i for i, v in enumerate(request.vehicles)}
    runs = sorted(plan.runs, key=lambda r: (r.day, order[r.vehicle_id]))
    assets = files("maps") / "assets"
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((assets / "run_sheet.html").read_text(encoding="utf-8"))
    rhythms = {} if request.cycle.repeats else stop_rhythms(request, plan, label)
    is_estimated = plan.provenance is not None and plan.provenance.is_estimated
    return template.render(
        language=label.language,
        title=label("sheet.title"),
        style=Markup((assets / "run_sheet.css").read_text(encoding="utf-8")),
        text={name: label(f"sheet.{name}") for name in _TEXTS},
        estimated=label("sheet.estimated") if is_estimated else "",
        sheets=[
            {
                **_sheet(request, plan, run, label, until, rhythms),
                "page": label("sheet.page", number=number, total=len(runs)),
            }
            for number, run in enumerate(runs, start=1)
        ],
    )


def _sheet(
    request: PlanRequest,
    plan: Plan,
    run: Run,
    label: Labels,
    until: date,
    rhythms: Mapping[StopId, str],
) -> dict[str, Any]:
    vehicle = next(v for v in request.vehicles if v.vehicle_id == run.vehicle_id)
    stops = {s.stop_id: s for s in request.stops}
    depots = {d.depot_id: d.name for d in request.depots}
    first, last = (depots[place] for place in run.ends(vehicle))
    dates = run_dates(request, plan, run, until)
    served = [stops[v.stop_id] for v in run.visits]
    return {
        "vehicle": vehicle.name,
        "day": label.day(request.cycle.date_of(run.day), "full"),
        "dates_name": label.count("sheet.dates", len(dates)),
        "dates": _date_list(dates, label) or label("sheet.no_dates", until=label.day(until)),
        "depot": _places(run, label, first=first, last=last),
        "aboard": _aboard(request, run, dates, label),
        "sign_on": label.clock(run.sign_on_s),
        "sign_off": label.clock(run.sign_off_s),
        "rows": _rows(request, run, served, label, rhythms, first=first, last=last),
        "totals": label(
            "sheet.totals",
            drive=_duration(run.drive_s, label),
            open=_duration(run.open_s, label),
            work=_duration(run.work_s, label),
        ),
        "buffer": _buffer(run_buffer_s(request, run), label),
        "total_drive": _drive(run.drive_s, run.drive_m, label),
        "total_people": _people_of(served, label),
    }


def _aboard(request: PlanRequest, run: Run, dates: Sequence[date], label: Labels) -> str:
    """Who rides along, and on which of the dates someone of them does not."""
    told = []
    for person in riders_of(request, run):
        name = riders_told((person,), label)
        off = [on for on in dates if not person.works_on(on)]
        told.append(
            label("sheet.aboard_but", name=name, dates=_date_list(off, label)) if off else name
        )
    return "; ".join(told)


def _rows(
    request: PlanRequest,
    run: Run,
    served: Sequence[Stop],
    label: Labels,
    rhythms: Mapping[StopId, str],
    *,
    first: str,
    last: str,
) -> list[dict[str, Any]]:
    event = {"drive": "", "arrive": "", "depart": ""}
    is_away = run.start_depot_id is not None, run.end_depot_id is not None
    leave = label("sheet.departs_lodging" if is_away[0] else "sheet.departs", depot=first)
    rows: list[dict[str, Any]] = [{**event, "event": leave, "depart": label.clock(run.depart_s)}]
    for index, (visit, stop) in enumerate(zip(run.visits, served, strict=True)):
        rows.append(
            {
                "event": "",
                "number": index + 1,
                "name": stop.name,
                "id": stop.stop_id,
                "notes": "; ".join(
                    [
                        *filter(None, [with_services(services_at(request, run, stop), label)]),
                        *_notes(stop, label, rhythms.get(stop.stop_id, "")),
                    ]
                ),
                "drive": _drive(visit.drive_s, visit.drive_m, label),
                "arrive": label.clock(visit.arrival_s),
                "open": label.clock(visit.start_s),
                "close": label.clock(visit.end_s),
                "depart": label.clock(visit.departure_s),
                "people": label("sheet.unknown")
                if stop.people is None
                else label.number(stop.people),
            }
        )
        if run.meal is not None and run.meal.after_visit == index:
            span = {
                "first": label.clock(run.meal.start_s),
                "last": label.clock(run.meal.end_s),
            }
            rows.append({**event, "event": label("sheet.meal", **span)})
    rows.append(
        {
            "event": label("sheet.night" if is_away[1] else "sheet.returns", depot=last),
            "drive": _drive(run.return_drive_s, run.return_drive_m, label),
            "arrive": label.clock(run.return_s),
            "depart": "",
        }
    )
    return rows


def _places(run: Run, label: Labels, *, first: str, last: str) -> str:
    """Where the run starts and ends, said once where that is one place."""
    if run.end_depot_id is not None:
        return label("sheet.night_ends", first=first, last=last)
    return first if first == last else label("sheet.depot_ends", first=first, last=last)


def _notes(stop: Stop, label: Labels, rhythm: str) -> list[str]:
    """What the crew must know of the place; what is not known is not mentioned."""
    site = stop.site
    notes = []
    if stop.community and stop.community != stop.name:
        notes.append(stop.community)
    if rhythm:
        notes.append(label("sheet.rhythm", text=rhythm))
    if stop.kind is not StopKind.PUBLIC:
        notes.append(label(f"sheet.{stop.kind}"))
    if stop.needs:
        notes.append(label("sheet.needs", needs=", ".join(sorted(stop.needs))))
    if site.surface:
        notes.append(label("sheet.surface", surface=site.surface))
    if site.room_m is not None:
        notes.append(label("sheet.room", metres=label.number(site.room_m, 1)))
    for name, value in (
        ("power", site.power),
        ("signal", site.mobile_signal),
        ("light", site.light),
        ("toilet", site.toilet),
        ("step_free", site.step_free),
    ):
        if value is not None:
            notes.append(label(f"sheet.{name}.{'yes' if value else 'no'}"))
    if site.contact:
        notes.append(label("sheet.contact", contact=site.contact))
    if site.permission_until_date is not None:
        notes.append(label("sheet.permission", date=label.day(site.permission_until_date)))
    if site.notes:
        notes.append(site.notes)
    return notes


def _people_of(stops: Sequence[Stop], label: Labels) -> str:
    """People of all stops together, as far as their number is known."""
    known = [s.people for s in stops if s.people is not None]
    return label.number(sum(known)) if known or not stops else label("sheet.unknown")


def _date_list(dates: Sequence[date], label: Labels) -> str:
    """Dates in order, the year said once for each year."""
    by_year: dict[int, list[str]] = {}
    for on in dates:
        by_year.setdefault(on.year, []).append(label.day(on, "d MMM"))
    return "; ".join(f"{year}: {', '.join(days)}" for year, days in by_year.items())


def _drive(seconds: int, metres: int, label: Labels) -> str:
    return f"{label.number(seconds / 60)} / {label.number(metres / 1000, 1)}"


def _buffer(seconds: int, label: Labels) -> str:
    """How much of the driving is kept against delays; nothing where none is."""
    return label("sheet.buffer", minutes=label.number(seconds / 60)) if seconds else ""


def _duration(seconds: int, label: Labels) -> str:
    minutes = round(seconds / 60)
    return label("sheet.duration", hours=label.number(minutes // 60), minutes=minutes % 60)
