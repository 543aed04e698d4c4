"""The map of a plan, or of need alone, as one HTML file that asks the network for nothing.

folium makes the page and Leaflet's map; ``assets/map.js`` draws the features on one canvas and
wires the panel. All words come from the label function; all figures from ``data.model.figures``.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from html import escape
from importlib.resources import files
from typing import Any

from branca.element import MacroElement
from folium import Map
from folium.template import Template

from data.model.figures import plan_figures
from data.model.geo import Ring
from data.model.labels import Labels
from data.model.lines import RunLines
from data.model.norms import Need, NormSet
from data.model.plan import Plan, PlanRequest
from data.model.region import Region
from data.model.rule_notes import provisional_notes
from maps.encode import encoded
from maps.features import Features
from maps.layers import library_points, run_line_features, settlement_points, stop_points
from maps.page import place_of, whole_page
from maps.panel import (
    Panel,
    calendar_of,
    facts_of,
    hollow_note,
    line_note,
    panel_html,
    reach_of,
)
from maps.symbols import OUTLINES

_DAYS_AHEAD = 182
_TILES = "https://tile.openstreetmap.org"


def draw_map(
    region: Region,
    needs: Sequence[Need],
    request: PlanRequest,
    plan: Plan,
    lines: RunLines | None,
    label: Labels,
    *,
    estimated: bool,
    online_base: bool = False,
    until: date | None = None,
) -> str:
    """The map of a plan: need, libraries, stops, runs by vehicle and day, figures, sources.

    Parameters
    ----------
    lines
        Road lines of the runs; runs without one are drawn straight and dashed.
    estimated
        Whether travel was estimated without a road network; the map then says so.
    online_base
        Whether the map offers a background from the network, off at start.
    until
        Last date that popups list visits for; half a year from the start if not given.
    """
    features = Features(label, region)
    runs = run_line_features(request, plan, lines)
    features.add_stops(request, plan, stop_points(request, plan), until or _ahead(request))
    features.add_runs(request, runs)
    features.add_depots(request.depots)
    features.add_places(settlement_points(region, needs), estimated=estimated)
    features.add_libraries(library_points(region))
    figures = plan_figures(region.settlements, needs, request, plan)
    cycle = request.cycle
    follows_roads = any(r.follows_roads for r in runs)
    panel = Panel(
        title=label("map.plan_title", region=region.name_in(label.language)),
        subtitle=label(
            "map.plan_subtitle",
            first=label.day(cycle.first_date),
            last=label.day(cycle.last_date),
            weeks=label.count("map.weeks", cycle.num_weeks),
            vehicles=label.count("map.vehicles", len(request.vehicles)),
        ),
        groups=[g for g in (features.plan_legend(), *features.place_legend()) if g["rows"]],
        estimated=_estimated(label) if estimated else None,
        reach=reach_of(figures, label, is_register_complete=region.library_register_is_complete),
        facts=facts_of(figures, label),
        calendar=calendar_of(request, plan, label),
        legend_notes=[hollow_note(label), line_note(label, follows_roads=follows_roads)],
        online=label("map.online") if online_base else "",
        warnings=provisional_notes(request, label),
        about=_about(region, plan, label),
    )
    return _page(region, features, panel, label, online_base=online_base)


def draw_need_map(
    region: Region,
    needs: Sequence[Need],
    label: Labels,
    *,
    norm: NormSet,
    estimated: bool = False,
    online_base: bool = False,
) -> str:
    """The map of need: every settlement by whether a library is in reach, and the libraries."""
    features = Features(label, region)
    places = settlement_points(region, needs)
    features.add_places(places, estimated=estimated)
    features.add_libraries(library_points(region))
    features.add_depots(region.depots)
    panel = Panel(
        title=label("map.need_title", region=region.name_in(label.language)),
        subtitle=label("map.need_subtitle", norm=norm.name_in(label.language)),
        groups=[g for g in features.place_legend() if g["rows"]],
        estimated=_estimated(label) if estimated else None,
        facts=features.need_facts(places),
        legend_notes=[hollow_note(label)],
        online=label("map.online") if online_base else "",
        about=_about(region, None, label),
    )
    return _page(region, features, panel, label, online_base=online_base)


class _Drawing(MacroElement):
    """The places of our style, panel and script in folium's page."""

    _template = Template(
        "{% macro header(this, kwargs) %}<style>"
        + place_of("style")
        + "</style>{% endmacro %}{% macro html(this, kwargs) %}"
        + place_of("panel")
        + "{% endmacro %}{% macro script(this, kwargs) %}"
        + place_of("script")
        + "\nbookmobileMap({{ this._parent.get_name() }}, "
        + place_of("features")
        + ");{% endmacro %}"
    )

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "drawing"
        self._id = "bookmobile"


def _page(
    region: Region, features: Features, panel: Panel, label: Labels, *, online_base: bool
) -> str:
    bounds = _bounds(region, features)
    names = {m.municipality_id: features.name_of(m) for m in region.municipalities}
    found = {
        **features.payload(),
        "bounds": bounds,
        "land": [encoded(_closed(ring)) for ring in region.land],
        "districts": [
            {
                "name": names.get(key, ""),
                "p": encoded([_middle(max(rings, key=len))]),
                "rings": [encoded(_closed(ring)) for ring in rings],
            }
            for key, rings in region.districts.items()
            if rings
        ],
        "outlines": OUTLINES,
        "credits": [
            escape(f"{s.title} ({s.licence})" if s.licence else s.title)
            for s in region.sources
            if "openstreetmap" in s.title.lower() or s.title.startswith("©")
        ],
        "text": {
            name: label(f"map.{name}")
            for name in (
                "choose",
                "next",
                "first",
                "zoom_in",
                "zoom_out",
                "osm",
                "unit_km",
                "unit_m",
            )
        },
    }
    drawn = Map(tiles=None, prefer_canvas=True, zoom_control=False, zoom_snap=0.1, max_zoom=18)
    drawn._id = "bookmobile"  # A random id would make every file differ.
    drawn.get_root()._id = "page"
    _Drawing().add_to(drawn)
    assets = files("maps") / "assets"
    return whole_page(
        drawn,
        {
            "style": (assets / "map.css").read_text(encoding="utf-8"),
            "script": (assets / "map.js").read_text(encoding="utf-8"),
            "panel": panel_html(panel, region, label),
            "features": script_json(found),
        },
        language=label.language,
        title=escape(panel.title),
        image_hosts=(_TILES,) if online_base else (),
    )


def script_json(value: Any) -> str:
    """JSON that may stand inside a script element: no name can end it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _bounds(region: Region, features: Features) -> list[list[float]]:
    """South-west and north-east corner (lat, lon) of the land, or of all that is drawn."""
    points = [p for ring in region.land for p in ring] or features.positions or [(0.0, 0.0)]
    lons, lats = [p[0] for p in points], [p[1] for p in points]
    return [[min(lats), min(lons)], [max(lats), max(lons)]]


def _closed(ring: Ring) -> Iterable[tuple[float, float]]:
    return ring if ring[0] != ring[-1] else ring[:-1]


def _middle(ring: Ring) -> tuple[float, float]:
    lons, lats = [p[0] for p in ring], [p[1] for p in ring]
    return (min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2


def _ahead(request: PlanRequest) -> date:
    if not request.cycle.repeats:
        return request.cycle.last_date
    days = max(_DAYS_AHEAD, request.cycle.num_days)
    return request.cycle.start_date + timedelta(days=days - 1)


def _estimated(label: Labels) -> dict[str, str]:
    return {"mark": label("map.estimated_mark"), "text": label("map.estimated_text")}


def _about(region: Region, plan: Plan | None, label: Labels) -> list[str]:
    notes = []
    if not region.library_register_is_complete:
        notes.append(label("map.register_incomplete"))
    if region.library_assumption is not None:
        rule = region.library_assumption
        notes.append(
            label("map.assumption", count=label.number(rule.official_count), source=rule.source)
        )
    if plan is not None and plan.provenance is not None:
        notes.append(label("map.travel_source", source=plan.provenance.travel_source))
    return notes
