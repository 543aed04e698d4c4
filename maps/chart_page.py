"""One self-contained page of charts beside their figures in tables, with links to the plans."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a table; ``link`` leads from its first cell."""

    cells: tuple[str, ...]
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Charts with a heading, the table of their figures and what is to be said of them."""

    title: str
    charts: tuple[tuple[str, str], ...]
    """SVG and caption of each."""
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


def chart_page(
    sections: Sequence[Section], *, language: str, title: str, lead: Sequence[str] = ()
) -> str:
    """The page as one HTML file without scripts, forbidden by its policy to fetch anything."""
    assets = files("maps") / "assets"
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((assets / "chart_page.html").read_text(encoding="utf-8"))
    return template.render(
        language=language,
        title=title,
        lead=lead,
        style=Markup((assets / "chart_page.css").read_text(encoding="utf-8")),
        sections=[
            {
                "title": s.title,
                "charts": [{"svg": Markup(svg), "caption": caption} for svg, caption in s.charts],
                "columns": s.columns,
                "rows": s.rows,
                "notes": s.notes,
            }
            for s in sections
        ],
    )
