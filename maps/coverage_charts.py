"""Charts of access coverage as SVG: bars before and after, and the map as a plot for paper.

Each stands beside a table of the same figures; colours are those of the map.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import altair as alt

from data.model.coverage import REACHES, Coverage
from data.model.coverage_count import Cut, rows_of
from data.model.coverage_lines import CoverageLine
from data.model.labels import Labels
from data.model.region import Region
from maps.charts import INK, chart_svg
from maps.coverage_ground import DistrictArea
from maps.coverage_map import REACH_SYMBOLS, shade_names, shade_of

AFTER = INK
BEFORE = "#9db4c8"
_BAR_PX = 15
_PERCENT: Any = alt.Scale(domain=[0, 100])
_SHAPES = {"triangle": "triangle-up", "circle": "circle", "diamond": "diamond"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Shares of one class in reach, in per cent."""

    name: str
    before: float
    after: float


def bars_svg(bars: Sequence[Bar], label: Labels) -> str:
    """Two bars for each class: before and after."""
    sides = (label("coverage.before"), label("coverage.after"))
    values = [
        {"name": bar.name, "side": side, "share": share}
        for bar in bars
        for side, share in zip(sides, (bar.before, bar.after), strict=True)
    ]
    chart = (
        alt.Chart(_data(values))
        .mark_bar()
        .encode(
            x=alt.X("share:Q", title=label("coverage.chart.share"), scale=_PERCENT),
            y=alt.Y(
                "name:N",
                title=None,
                sort=[bar.name for bar in bars],
                axis=alt.Axis(labelLimit=300),
            ),
            yOffset=alt.YOffset("side:N", sort=list(sides)),
            color=alt.Color(
                "side:N",
                title=None,
                sort=list(sides),
                scale=alt.Scale(domain=list(sides), range=[BEFORE, AFTER]),
                legend=alt.Legend(orient="top"),
            ),
        )
    )
    # Printed letters are wider than those that the drawing measures with.
    padded = chart.properties(padding={"left": 30, "top": 5, "right": 5, "bottom": 5})
    return chart_svg(padded, label, height=max(60, 2 * _BAR_PX * len(bars)))


def map_svg(
    region: Region,
    coverage: Coverage,
    lines: Sequence[CoverageLine],
    districts: Sequence[DistrictArea],
    label: Labels,
) -> str:
    """The map after the plan: municipalities by share, settlements by what they have in reach."""
    rows = {row.key: row for row in rows_of(coverage, Cut.MUNICIPALITY)}
    legend = dict(shade_names(label))
    layers: list[Any] = []
    for feature in _land(region):
        layers.append(alt.Chart(_data([feature])).mark_geoshape(fill="#faf8f2", stroke="#a9b8c0"))
    shapes = []
    for area in districts:
        row = rows.get(area.municipality_id)
        colour = shade_of(None if row is None else row.ratio(is_after=True))
        facts = {"share": legend.get(colour, label("table.unknown"))}
        shapes += [_feature(ring, facts) for ring in area.rings]
    if shapes:
        domain, colours = list(legend.values()), list(legend)
        layers.append(
            alt.Chart(_data(shapes))
            .mark_geoshape(stroke="#5a6570", strokeWidth=0.8, opacity=0.55)
            .encode(
                color=alt.Color(
                    "properties.share:N",
                    title=label("coverage.chart.municipalities"),
                    scale=alt.Scale(domain=domain, range=colours),
                    legend=alt.Legend(orient="bottom", columns=3, symbolType="square"),
                )
            )
        )
    layers += _dots(lines, label)
    chart = alt.layer(*layers).project("mercator")
    chart = chart.resolve_scale(color="independent", shape="independent")
    padded = chart.properties(padding={"left": 5, "top": 5, "right": 70, "bottom": 5})
    return chart_svg(padded, label, height=330)


def _dots(lines: Sequence[CoverageLine], label: Labels) -> list[Any]:
    names = {reach: label(f"coverage.reach.{reach}") for reach in REACHES}
    found = []
    points = [
        {
            "lon": line.settlement.lon,
            "lat": line.settlement.lat,
            "reach": names[line.after],
            "order": -REACHES.index(line.after),
        }
        for line in lines
        if line.is_inhabited
    ]
    if not points:
        return []
    points.sort(key=lambda p: p["order"])  # type: ignore[arg-type, return-value]
    shown = [names[reach] for reach in REACHES]
    found.append(
        alt.Chart(_data(points))
        .mark_point(filled=True, size=22, opacity=1, stroke="#333333", strokeWidth=0.4)
        .encode(
            longitude="lon:Q",
            latitude="lat:Q",
            shape=alt.Shape(
                "reach:N",
                title=label("coverage.chart.settlements"),
                scale=alt.Scale(
                    domain=shown, range=[_SHAPES[REACH_SYMBOLS[r].shape] for r in REACHES]
                ),
                legend=alt.Legend(orient="bottom", columns=2, labelLimit=320, columnPadding=40),
            ),
            color=alt.Color(
                "reach:N",
                title=label("coverage.chart.settlements"),
                scale=alt.Scale(domain=shown, range=[REACH_SYMBOLS[r].fill for r in REACHES]),
                legend=alt.Legend(orient="bottom", columns=2, labelLimit=320, columnPadding=40),
            ),
        )
    )
    return found


def reach_bars(coverage: Coverage, cut: Cut, names: Sequence[str]) -> tuple[Bar, ...]:
    """Bars of a cut; classes without people of known number have none."""
    bars = []
    for row, name in zip(rows_of(coverage, cut), names, strict=True):
        before, after = row.ratio(is_after=False), row.ratio(is_after=True)
        if before is not None and after is not None:
            bars.append(Bar(name=name, before=100 * before, after=100 * after))
    return tuple(bars)


def _land(region: Region) -> list[dict[str, Any]]:
    return [_feature(ring, {}) for ring in region.land]


def _feature(ring: Sequence[tuple[float, float]], facts: dict[str, Any]) -> dict[str, Any]:
    """A ring as GeoJSON that the drawing takes for the inside of the ring."""
    points = [list(p) for p in ring]
    if points[0] != points[-1]:
        points.append(points[0])
    # On the sphere a ring's inside lies to its right for d3, unlike in RFC 7946.
    turn = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(points))
    if turn > 0:
        points.reverse()
    geometry = {"type": "Polygon", "coordinates": [points]}
    return {"type": "Feature", "geometry": geometry, "properties": facts}


def _data(values: Sequence[Any]) -> Any:
    make: Any = alt.Data  # its constructor carries no types
    return make(values=list(values))
