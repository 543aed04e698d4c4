"""Charts of reports, drawn to SVG here: columns over time, and bars with long names.

Every chart stands beside the table of its figures, so nobody depends on colour or sight; series
differ in lightness too, so that they are told apart in print.
"""

import re
from collections.abc import Sequence
from typing import Any

import altair as alt
import vl_convert

from data.model.labels import Labels

WIDTH = 680
COLUMNS_HEIGHT = 280
BAR_HEIGHT = 24
SERIES = ("#0b5d55", "#e0a03a", "#7a3b69", "#5b8bd0")
"""Colours of series, dark and light by turns."""
FONT = "Noto Sans, Segoe UI, sans-serif"
_LOCALES = {"ru": "ru-RU", "en": "en-GB"}
_SIZE = re.compile(r'^<svg ([^>]*?)width="(\d+)" height="(\d+)"')


def columns_svg(
    names: Sequence[str],
    series: Sequence[tuple[str, Sequence[float | None]]],
    label: Labels,
    *,
    title: str,
) -> str:
    """A group of columns for each name, in the order given; what is not known has none.

    Parameters
    ----------
    series
        Each with its name and a value for each of ``names``.
    """
    rows = [
        {"name": name, "series": told, "value": value, "order": order}
        for order, (told, values) in enumerate(series)
        for name, value in zip(names, values, strict=True)
        if value is not None
    ]
    legend: Any = alt.Legend(orient="top", title=None, labelLimit=320) if len(series) > 1 else None
    order = [told for told, _ in series]
    chart = (
        alt.Chart(_data(rows))
        .mark_bar()
        .encode(
            x=alt.X("name:N", title=None, sort=list(names), axis=alt.Axis(labelAngle=-40)),
            xOffset=alt.XOffset("series:N", sort=order),
            y=alt.Y("value:Q", title=title, axis=_steps([r["value"] for r in rows])),
            color=alt.Color(
                "series:N",
                sort=order,
                scale=alt.Scale(domain=order, range=list(SERIES[: len(order)])),
                legend=legend,
            ),
        )
    )
    return _svg(chart, label, height=COLUMNS_HEIGHT)


def bars_svg(
    names: Sequence[str], values: Sequence[float | None], label: Labels, *, title: str
) -> str:
    """A bar for each name, in the order given."""
    rows = [
        {"name": name, "value": value or 0, "row": f"{number:04d}"}
        for number, (name, value) in enumerate(zip(names, values, strict=True))
    ]
    # Two places may have one name: the row tells them apart, the name is what is read.
    told = "{" + ", ".join(f"'{r['row']}': {_quoted(str(r['name']))}" for r in rows) + "}"
    axis = alt.Axis(labelLimit=300, labelExpr=f"({told})[datum.value]")
    chart = (
        alt.Chart(_data(rows))
        .mark_bar(color=SERIES[0])
        .encode(
            x=alt.X("value:Q", title=title, axis=_steps(values)),
            y=alt.Y("row:N", title=None, sort=None, axis=axis),
        )
    )
    return _svg(chart, label, height=max(60, BAR_HEIGHT * len(rows)))


def _steps(values: Sequence[Any]) -> Any:
    """An axis with whole steps for what is counted."""
    counted = all(value is None or float(value).is_integer() for value in values)
    return alt.Axis(tickMinStep=1) if counted else alt.Axis()


def _quoted(text: str) -> str:
    """A text as a literal of Vega's expressions, which know no other code in it."""
    safe = "".join(c if c.isalnum() or c in " .,-–—()№" else f"\\u{ord(c):04x}" for c in text
                   if ord(c) < 0x10000)  # fmt: skip
    return f"'{safe}'"


def _data(rows: list[dict[str, Any]]) -> Any:
    make: Any = alt.Data  # its constructor carries no types
    return make(values=rows)


def _svg(chart: Any, label: Labels, *, height: int) -> str:
    made = (
        chart.properties(width=WIDTH, height=height, background="white")
        .configure(font=FONT)
        .configure_axis(labelFontSize=12, titleFontSize=12, gridColor="#dddddd")
        .configure_legend(labelFontSize=12)
    )
    locale: Any = _LOCALES[label.language]
    svg: str = vl_convert.vegalite_to_svg(
        made.to_json(), format_locale=locale, allowed_base_urls=[]
    )
    return svg


def size_of(svg: str) -> tuple[int, int]:
    """Width and height that a drawing says of itself, in pixels."""
    found = _SIZE.match(svg)
    return (int(found[2]), int(found[3])) if found else (WIDTH, COLUMNS_HEIGHT)
