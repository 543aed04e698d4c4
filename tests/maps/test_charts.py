"""Charts are drawn here, link to their plans, and stand on a page that fetches nothing."""

import re
import xml.etree.ElementTree as ET

import pytest

from api.words import Words
from maps.chart_page import Row, Section, chart_page
from maps.charts import bars_svg, dots_svg
from maps.dots import Dot

DOTS = (
    Dot(name="1", link="01-most-people/map.html", x=3663.0, y=23370.0, shade=9.8),
    Dot(name="2", link="02/map.html", x=798.0, y=7888.0, shade=11.6),
)


def links(svg: str) -> set[str]:
    return set(re.findall(r'href="([^"#]*)"', svg))


@pytest.mark.parametrize("language", ["en", "ru"])
def test_dots_lead_to_their_plans(language: str) -> None:
    """Well-formed SVG with relative links, titles in the language and no address to fetch from."""
    words = Words(language)
    svg = dots_svg(DOTS, words, x="км", y="люди", shade="P90")
    ET.fromstring(svg)
    assert links(svg) == {d.link for d in DOTS}
    assert {"км", "люди", "P90"} <= set(re.findall(r">([^<>]+)</text>", svg))
    addresses = set(re.findall(r"https?://[^\"\'<> ]+", svg))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    thousands = "\N{NO-BREAK SPACE}" if language == "ru" else ","
    assert f"10{thousands}000" in svg


def test_a_line_joins_the_dots_and_bars_keep_their_order() -> None:
    """Numbers of vehicles are whole ticks; names of bases stand from best to worst."""
    words = Words("en")
    line = dots_svg(
        [Dot(name=str(n), link="", x=float(n), y=n * 100.0) for n in (1, 2, 3)],
        words,
        x="vehicles",
        y="people",
        is_line=True,
    )
    assert "mark-line" in line
    assert "1.5" not in re.findall(r">([^<>]+)</text>", line)
    bars = bars_svg(
        [
            Dot(name="Зорино", link="a", x=5.0, y=0.0),
            Dot(name="Гвардейск", link="b", x=4.0, y=0.0, is_marked=True),
        ],
        words,
        x="people",
    )
    assert bars.index("Зорино") < bars.index("Гвардейск")


def test_a_page_is_whole_and_escapes_names() -> None:
    """The policy forbids every request; the table has the link; text cannot become markup."""
    section = Section(
        title="A & B",
        charts=(("<svg></svg>", "Caption"),),
        columns=("Plan", "People"),
        rows=(Row(cells=("1 <b>", "5"), link="01/map.html"), Row(cells=("2", "—"))),
        notes=("note",),
    )
    page = chart_page([section], language="ru", title="Title", lead=["Lead"])
    assert "default-src 'none'" in page
    assert '<html lang="ru">' in page
    assert "<svg></svg>" in page
    assert "A &amp; B" in page
    assert '<a href="01/map.html">1 &lt;b&gt;</a>' in page
    assert '<th scope="row">2</th>' in page
    assert "<script" not in page
