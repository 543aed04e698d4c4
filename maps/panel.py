"""The panel beside the map: figures, choice of vehicle and day, legend with switches, sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from data.model.calendar import DAYS_PER_WEEK
from data.model.figures import PlanFigures
from data.model.labels import Labels
from data.model.plan import Plan, PlanRequest
from data.model.region import Region
from maps.symbols import HOLLOW_FILL, Symbol, svg, vehicle_colour


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendRow:
    """One kind of thing on the map: its switch, symbol and number."""

    layer: str
    name: str
    symbol: Markup
    count: str
    on: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What the panel shows; texts are ready made and are escaped when the page is written."""

    title: str
    subtitle: str
    groups: Sequence[Mapping[str, Any]]
    estimated: Mapping[str, str] | None = None
    warnings: Sequence[str] = ()
    reach: Mapping[str, Any] | None = None
    facts: Sequence[tuple[str, str]] = ()
    calendar: Mapping[str, Any] = field(default_factory=dict)
    legend_notes: Sequence[Mapping[str, Any]] = ()
    online: str = ""
    about: Sequence[str] = ()


def panel_html(panel: Panel, region: Region, label: Labels) -> str:
    """The panel as HTML."""
    source = (files("maps") / "assets" / "panel.html").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    calendar = {"weeks": (), "vehicles": (), **panel.calendar}
    return environment.from_string(source).render(
        title=panel.title,
        subtitle=panel.subtitle,
        groups=panel.groups,
        estimated=panel.estimated,
        warnings=panel.warnings,
        reach=panel.reach,
        facts=panel.facts,
        legend_notes=panel.legend_notes,
        online=panel.online,
        about=panel.about,
        find=label("map.find"),
        runs_heading=label("map.runs"),
        all_runs=label("map.all_runs"),
        all_days_name=label("map.all_days"),
        layers_heading=label("map.layers"),
        sources_heading=label("map.sources"),
        sources=[
            {"title": s.title, "licence": s.licence, "address": web_address(s.address)}
            for s in region.sources
        ],
        panel_open=label("map.panel_open"),
        panel_close=label("map.panel_close"),
        noscript=label("map.noscript"),
        **calendar,
    )


def web_address(address: str) -> str:
    """The address if it may stand in a link; anything but the web's own schemes may not."""
    return address if address.startswith(("https://", "http://")) else ""


def legend_row(
    layer: str, name: str, symbol: Symbol | None, count: str, *, on: bool = True
) -> LegendRow:
    """A row with its symbol; without one it is a line."""
    drawn = svg(symbol) if symbol else _line(18)
    return LegendRow(layer=layer, name=name, symbol=Markup(drawn), count=count, on=on)


def _line(width_px: int, dash: str = "") -> str:
    return (
        f'<svg width="{width_px}" height="10" aria-hidden="true"><path d="M1 5H{width_px - 1}" '
        f'stroke="{vehicle_colour(0)}" stroke-width="2.5"{dash}/></svg>'
    )


def reach_of(figures: PlanFigures, label: Labels, *, is_register_complete: bool) -> dict[str, Any]:
    """People reached of the people without a library, as the panel's first line.

    Where the register of libraries is not complete the words claim no more than is known.
    """
    ratio = figures.reached_ratio
    share = "" if ratio is None else label.percent(ratio)
    code = "map.reach_text" if is_register_complete else "map.reach_text_unsure"
    if not figures.settlements_lacking:
        code = "map.reach_text_none_lacking"
    elif ratio is None:
        code += "_nobody"
    notes = [
        label(
            "map.reach_settlements",
            reached=label.number(figures.settlements_reached),
            total=label.number(figures.settlements_lacking),
        )
    ]
    if figures.settlements_unknown:
        notes.append(label.count("map.reach_unknown", figures.settlements_unknown))
    return {
        "number": label.number(figures.people_reached),
        "text": label(code, total=label.number(figures.people_lacking), share=share),
        "percent": None if ratio is None else round(100 * ratio, 1),
        "share": share,
        "notes": notes,
    }


def facts_of(figures: PlanFigures, label: Labels) -> list[tuple[str, str]]:
    """The figures of a plan, name and value."""
    hours = 3600
    facts = [
        ("stops", label.number(figures.stops_served)),
        ("unserved", label.number(figures.stops_unserved)),
        ("visits", label.number(figures.num_visits)),
        (
            "vehicle_days",
            label(
                "map.of",
                part=label.number(figures.vehicle_days),
                whole=label.number(figures.vehicle_days_available),
            ),
        ),
        ("distance", label("map.km", km=label.number(figures.drive_m / 1000))),
        ("driving", label("map.hours", hours=label.number(figures.drive_s / hours))),
        ("open", label("map.hours", hours=label.number(figures.open_s / hours))),
    ]
    if figures.gap_ratio is not None:
        facts.append(("gap", label("map.at_most", value=label.percent(figures.gap_ratio))))
    return [(label(f"map.fact.{name}"), value) for name, value in facts]


def calendar_of(request: PlanRequest, plan: Plan, label: Labels) -> dict[str, Any]:
    """The choice of vehicle, week, weekday and day. Weekdays without a run have no column."""
    order = {v.vehicle_id: i for i, v in enumerate(request.vehicles)}
    on_day: dict[int, list[int]] = {}
    for run in plan.runs:
        on_day.setdefault(run.day, []).append(order[run.vehicle_id])
    weekdays = sorted({d % DAYS_PER_WEEK for d in on_day})
    weeks = []
    for week in range(request.cycle.num_weeks):
        days = [week * DAYS_PER_WEEK + w for w in weekdays]
        monday = request.cycle.date_of(week * DAYS_PER_WEEK)
        span = (monday, monday + timedelta(days=DAYS_PER_WEEK - 1))
        cells = []
        for day in days:
            on = request.cycle.date_of(day)
            closed = request.calendar.closed_dates.get(on, "")
            title = label.day(on, "full")
            cells.append(
                {
                    "day": day,
                    "name": label.day(on, "d"),
                    "title": f"{title} ({closed})" if closed else title,
                    "colours": [vehicle_colour(i) for i in sorted(on_day.get(day, ()))],
                }
            )
        weeks.append(
            {
                "name": label("map.week", n=week + 1),
                "title": label("map.span", first=label.day(span[0]), last=label.day(span[1])),
                "days": " ".join(map(str, days)),
                "cells": cells,
            }
        )
    return {
        "weeks": weeks if on_day else [],
        "all_days": " ".join(map(str, sorted(on_day))),
        "columns": [
            {
                "name": label.weekday(request.cycle.date_of(w)),
                "days": " ".join(
                    str(w + DAYS_PER_WEEK * k) for k in range(request.cycle.num_weeks)
                ),
            }
            for w in weekdays
        ],
        "vehicles": [
            {"name": v.name, "colour": vehicle_colour(i)} for i, v in enumerate(request.vehicles)
        ],
    }


def line_note(label: Labels, *, follows_roads: bool) -> dict[str, Any]:
    """The legend of the run lines: along the roads, or dashed where they are estimated."""
    drawn = _line(26, "" if follows_roads else ' stroke-dasharray="5 4"')
    code = "map.line_roads" if follows_roads else "map.line_straight"
    return {"symbol": Markup(drawn), "text": label(code)}


def hollow_note(label: Labels) -> dict[str, Any]:
    """The legend of hollow symbols."""
    symbol = Symbol(shape="triangle_down", fill=HOLLOW_FILL, stroke="#b8660b")
    return {"symbol": Markup(svg(symbol, hollow=True)), "text": label("map.hollow")}
