"""What charts of plans to choose from show, apart from what draws it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A plan in a chart; ``shade`` is told by colour, ``None`` for a figure that is not known."""

    name: str
    link: str
    x: float
    y: float
    shade: float | None = None
    is_marked: bool = False
    """Whether the dot stands out, as what there is today."""
