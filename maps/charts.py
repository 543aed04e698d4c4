"""Charts of plans to choose from, drawn to SVG here: nothing is fetched and no script is needed.

Every chart stands beside a table of the same figures (``maps.chart_page``), so that nobody depends
on colour or sight. The dots of a plan lead to its map.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import altair as alt
import vl_convert

from data.model.labels import Labels
from maps.dots import Dot

WIDTH = 560
HEIGHT = 340
DOT_AREA = 170
INK = "#1d3557"
ACCENT = "#c0392b"
_BASE = "https://vega.github.io/vega-datasets/"
"""What the renderer puts before relative links."""
_LOCALES = {"ru": "ru-RU", "en": "en-GB"}


def dots_svg(
    dots: Sequence[Dot], label: Labels, *, x: str, y: str, shade: str = "", is_line: bool = False
) -> str:
    """Named dots over two figures, a third by colour; with ``is_line`` joined from left to right.

    Parameters
    ----------
    x, y, shade
        Titles of the figures.
    """
    data = _data(dots)
    across = alt.X("x:Q", title=x, scale=alt.Scale(zero=is_line, nice=True))
    if is_line:
        across = across.axis(values=sorted({d.x for d in dots}), format="d")
    up = alt.Y("y:Q", title=y, scale=alt.Scale(zero=is_line, nice=True))
    base = alt.Chart(data).encode(x=across, y=up)
    colour: Any = alt.value(INK)
    if any(d.shade is not None for d in dots):
        colour = alt.Color(
            "shade:Q",
            title=shade,
            scale=alt.Scale(scheme="viridis", reverse=True),
            legend=alt.Legend(orient="bottom", gradientLength=WIDTH // 2, titleLimit=WIDTH),
        )
    points = base.mark_point(filled=True, size=DOT_AREA, opacity=1).encode(
        color=colour, href="link:N"
    )
    names = base.mark_text(dy=-15, fontSize=13, fontWeight="bold").encode(text="name:N")
    layers = [points, names]
    if is_line:
        layers.insert(0, base.mark_line(color=INK, strokeWidth=2))
    return chart_svg(alt.layer(*layers), label)


def bars_svg(dots: Sequence[Dot], label: Labels, *, x: str) -> str:
    """A bar for each dot's ``x`` in the order given, marked ones in another colour."""
    names = alt.Axis(labelLimit=320)
    chart = (
        alt.Chart(_data(dots))
        .mark_bar()
        .encode(
            x=alt.X("x:Q", title=x),
            y=alt.Y("name:N", title=None, sort=[d.name for d in dots], axis=names),
            href="link:N",
            color=alt.condition("datum.is_marked", alt.value(ACCENT), alt.value(INK)),
        )
    )
    return chart_svg(chart, label, height=max(60, 32 * len(dots)))


def _data(dots: Sequence[Dot]) -> Any:
    make: Any = alt.Data  # its constructor carries no types
    return make(values=[asdict(dot) for dot in dots])


def chart_svg(chart: Any, label: Labels, *, height: int = HEIGHT) -> str:
    """A chart as SVG of the usual look, as wide as its page."""
    made = chart.properties(width=WIDTH, height=height, background="white").configure_axis(
        labelFontSize=12, titleFontSize=13, gridColor="#dddddd"
    )
    locale: Any = _LOCALES[label.language]
    svg: str = vl_convert.vegalite_to_svg(
        made.to_json(),
        format_locale=locale,
        allowed_base_urls=[],
    )
    svg = svg.replace(_BASE, "")
    # A chart is as wide as its page; its own size is only its shape.
    return re.sub(r'^<svg ([^>]*?)width="\d+" height="\d+"', r"<svg \1", svg, count=1)
