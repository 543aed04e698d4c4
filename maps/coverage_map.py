"""The map of access coverage as one HTML file that asks the network for nothing.

Municipalities are shaded by the share of their people in reach, settlements are dots by what they
have in reach; a switch turns from before to after. ``assets/coverage.js`` draws on Leaflet's
canvas; no figure is computed here, no word is chosen here.
"""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from itertools import pairwise
from typing import Any

from branca.element import MacroElement
from folium import Map
from folium.template import Template
from jinja2 import Environment, StrictUndefined

from data.model.coverage import REACHES, Coverage, Reach
from data.model.coverage_count import Cut, Row, rows_of, total_of
from data.model.coverage_lines import CoverageLine
from data.model.coverage_told import library_limit, limits_told
from data.model.geo import Ring
from data.model.labels import Labels
from data.model.place import Standing
from data.model.region import Region
from maps.coverage_ground import CoverageAreas, DistrictArea
from maps.draw import script_json
from maps.page import place_of, whole_page
from maps.panel import web_address
from maps.symbols import LIBRARY_SYMBOLS, OUTLINES, STOP, Symbol, svg

SHADES = ("#b2182b", "#ef8a62", "#fddbc7", "#d1e5f0", "#67a9cf", "#2166ac")
"""From few in reach to all (ColorBrewer RdBu, told apart by colour-blind people)."""
SHADE_EDGES = (0.5, 0.75, 0.9, 0.95, 0.99)
"""Shares between the shades: where most are in reach, the last of them matter."""

REACH_SYMBOLS: dict[Reach, Symbol] = {
    Reach.NONE: Symbol(shape="triangle", fill="#d7301f", stroke="#8f1a10", radius_px=4.4),
    Reach.STOP: Symbol(shape="circle", fill="#1f5fbf", stroke="#123f82", radius_px=3.6),
    Reach.ASSUMED: Symbol(shape="diamond", fill="#9ecae1", stroke="#4f87a8", radius_px=3.2),
    Reach.LIBRARY: Symbol(shape="circle", fill="#4c8c6b", stroke="#2f6b4d", radius_px=3.0),
}


def draw_coverage_map(
    region: Region,
    coverage: Coverage,
    lines: Sequence[CoverageLine],
    areas: CoverageAreas,
    label: Labels,
    *,
    subtitle: str,
) -> str:
    """The page; ``subtitle`` says what is compared."""
    rows = {row.key: row for row in rows_of(coverage, Cut.MUNICIPALITY)}
    names = {str(m.municipality_id): m.name for m in region.municipalities}
    data = {
        "outlines": OUTLINES,
        "land": [_flat(ring) for ring in region.land],
        "districts": [_district(area, rows, names, label) for area in areas.districts],
        "library_area": [[_flat(ring) for ring in area] for area in areas.library],
        "stop_area": [[_flat(ring) for ring in area] for area in areas.stops],
        "symbols": [_symbol(REACH_SYMBOLS[reach]) for reach in REACHES],
        "places": [_place(line, label) for line in lines if line.is_inhabited],
        "libraries": _libraries(region, coverage),
        "library_symbols": [_symbol(LIBRARY_SYMBOLS[s]) for s in Standing],
        "stops": [[_whole(s.lat), _whole(s.lon), s.name] for s in coverage.stops_after.stops],
        "stop_symbol": _symbol(STOP),
        "labels": {n: label(f"coverage.map.{n}") for n in _POPUP},
        "text": {n: label(f"map.{n}") for n in ("zoom_in", "zoom_out", "unit_km", "unit_m")},
        "credits": [
            escape(f"{s.title} ({s.licence})" if s.licence else s.title)
            for s in region.sources
            if "openstreetmap" in s.title.lower() or s.title.startswith("©")
        ],
    }
    title = label("coverage.map.title", region=region.name_in(label.language))
    drawn = Map(tiles=None, prefer_canvas=True, zoom_control=False, zoom_snap=0.1, max_zoom=18)
    drawn._id = "bookmobile"  # A random id would make every file differ.
    drawn.get_root()._id = "page"
    _Drawing().add_to(drawn)
    assets = files("maps") / "assets"
    style = "".join((assets / f).read_text(encoding="utf-8") for f in ("map.css", "coverage.css"))
    panel = _panel(region, coverage, areas, label, title=title, subtitle=subtitle)
    return whole_page(
        drawn,
        {
            "style": style,
            "script": (assets / "coverage.js").read_text(encoding="utf-8"),
            "panel": panel,
            "features": script_json(data),
        },
        language=label.language,
        title=escape(title),
    )


_POPUP = ("people", "before", "after", "library", "stop", "rhythm", "why", "share_before",
          "share_after", "settlements")  # fmt: skip


class _Drawing(MacroElement):
    """The places of our style, panel and script in folium's page."""

    _template = Template(
        "{% macro header(this, kwargs) %}<style>"
        + place_of("style")
        + "</style>{% endmacro %}{% macro html(this, kwargs) %}"
        + place_of("panel")
        + "{% endmacro %}{% macro script(this, kwargs) %}"
        + place_of("script")
        + "\ncoverageMap({{ this._parent.get_name() }}, "
        + place_of("features")
        + ");{% endmacro %}"
    )

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "drawing"
        self._id = "bookmobile"


def shade_of(ratio: float | None) -> str:
    """The colour of a share; grey where nobody knows."""
    if ratio is None:
        return "#c9ced3"
    return SHADES[sum(ratio >= edge for edge in SHADE_EDGES)]


def shade_names(label: Labels) -> list[tuple[str, str]]:
    """Colours and what they say, from all in reach to few."""
    texts = [label("coverage.shade.below", high=label.percent(SHADE_EDGES[0]))]
    for low, high in pairwise(SHADE_EDGES):
        texts.append(
            label("coverage.shade.between", low=label.number(100 * low), high=label.percent(high))
        )
    texts.append(label("coverage.shade.from", low=label.percent(SHADE_EDGES[-1])))
    return list(reversed(list(zip(SHADES, texts, strict=True))))


def _panel(
    region: Region,
    coverage: Coverage,
    areas: CoverageAreas,
    label: Labels,
    *,
    title: str,
    subtitle: str,
) -> str:
    total = total_of(coverage)
    before, after = (total.ratio(is_after=is_after) for is_after in (False, True))
    source = (files("maps") / "assets" / "coverage.html").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source).render(
        title=title,
        subtitle=subtitle,
        t=label,
        before=None if before is None else label.percent(before),
        after=None if after is None else label.percent(after),
        people_after=label.number(total.covered(is_after=True).people),
        people=label.number(total.total.people),
        gained=label.number(total.gained),
        is_estimated=coverage.is_estimated,
        is_walked=coverage.is_walked,
        ground=areas.ground.value,
        shades=shade_names(label),
        reaches=[
            {
                "name": label(f"coverage.reach.{reach}"),
                "symbol": svg(REACH_SYMBOLS[reach]),
                "before": label.number(total.before[reach].settlements),
                "after": label.number(total.after[reach].settlements),
            }
            for reach in reversed(REACHES)
        ],
        library_symbol=svg(LIBRARY_SYMBOLS[Standing.KNOWN]),
        stop_symbol=svg(STOP),
        num_libraries=label.number(len(coverage.library.libraries)),
        num_stops=label.number(len(coverage.stops_after.stops)),
        limits=limits_told(coverage, label),
        library_limit=library_limit(coverage, label),
        metres=label.number(coverage.params.metres),
        register_incomplete=not region.library_register_is_complete,
        sources=[
            {"title": s.title, "licence": s.licence, "address": web_address(s.address)}
            for s in region.sources
        ],
    )


def _district(
    area: DistrictArea, rows: Mapping[str, Row], names: Mapping[str, str], label: Labels
) -> dict[str, Any]:
    row = rows.get(area.municipality_id)
    ratios = [None if row is None else row.ratio(is_after=after) for after in (False, True)]
    facts = []
    if row is not None:
        facts = [
            ["people", label.number(row.total.people)],
            ["settlements", label.number(row.total.settlements)],
            *(
                [name, "—" if ratio is None else label.percent(ratio)]
                for name, ratio in zip(("share_before", "share_after"), ratios, strict=True)
            ),
        ]
    return {
        "name": names.get(area.municipality_id, area.municipality_id),
        "rings": [_flat(ring) for ring in area.rings],
        "shade": [shade_of(ratio) for ratio in ratios],
        "rows": facts,
    }


def _place(line: CoverageLine, label: Labels) -> list[Any]:
    place = line.settlement
    people = label("table.unknown") if place.population is None else label.number(place.population)
    rows = [["people", people]]
    if line.library is not None and line.library_minutes is not None:
        name = line.library.name or label("map.library_unnamed")
        minutes, km = label.number(line.library_minutes), label.number(line.library_km or 0, 1)
        rows.append(["library", label("coverage.map.way", name=name, min=minutes, km=km)])
    if line.stop is not None and line.stop_metres is not None:
        metres = label.number(round(line.stop_metres))
        rows.append(["stop", label("coverage.map.walk", name=line.stop.name, metres=metres)])
    if line.rhythm is not None:
        rows.append(["rhythm", label(f"coverage.rhythm.{line.rhythm}")])
    return [
        _whole(place.lat),
        _whole(place.lon),
        place.name,
        REACHES.index(line.before),
        REACHES.index(line.after),
        rows,
    ]


def _libraries(region: Region, coverage: Coverage) -> list[list[Any]]:
    homes = {str(s.settlement_id): s for s in region.settlements}
    found: dict[tuple[int, int], list[Any]] = {}
    for library in coverage.library.libraries:
        home = homes.get(library.settlement_id or "")
        lon = library.lon if library.lon is not None else home.lon if home else None
        lat = library.lat if library.lat is not None else home.lat if home else None
        if lon is None or lat is None:
            continue
        place = (_whole(lat), _whole(lon))
        standing = list(Standing).index(library.standing)
        known = found.setdefault(place, [*place, [], standing])
        known[3] = min(known[3], standing)
        if library.name:
            known[2].append(library.name)
    return list(found.values())


def _symbol(symbol: Symbol) -> dict[str, Any]:
    return {
        "shape": symbol.shape,
        "fill": symbol.fill,
        "stroke": symbol.stroke,
        "r": symbol.radius_px,
        "weight": symbol.weight_px,
    }


def _whole(degrees: float) -> int:
    """Degrees in units of their fifth decimal, about a metre."""
    return round(degrees * 100_000)


def _flat(ring: Ring) -> list[int]:
    """A ring as whole differences, latitude first: short, and decoded in a line of script."""
    flat, last = [], (0, 0)
    for lon, lat in ring:
        now = (_whole(lat), _whole(lon))
        flat += [now[0] - last[0], now[1] - last[1]]
        last = now
    return flat
