"""Shapes and colours of the map: what a thing is must show without its colour too."""

import math
from dataclasses import dataclass

from data.model.norms import NeedStatus
from data.model.place import Standing

type Outline = tuple[tuple[float, float], ...]
"""Corners in units of the symbol's radius, y downwards; empty is a circle."""


def _regular(corners: int, turn_deg: float, size: float) -> Outline:
    angles = [math.radians(turn_deg + 360 * k / corners) for k in range(corners)]
    return tuple((round(size * math.cos(a), 3), round(size * math.sin(a), 3)) for a in angles)


_ARM = 0.2
_FAR = 1.05

OUTLINES: dict[str, Outline] = {
    "circle": (),
    "triangle": _regular(3, -90, 1.35),
    "triangle_down": _regular(3, 90, 1.35),
    "diamond": _regular(4, -90, 1.25),
    "square": _regular(4, -45, 1.2),
    "cross": tuple(
        (round((x - y) * math.sqrt(0.5), 3), round((x + y) * math.sqrt(0.5), 3))
        for x, y in (
            (-_ARM, -_FAR), (_ARM, -_FAR), (_ARM, -_ARM), (_FAR, -_ARM), (_FAR, _ARM),
            (_ARM, _ARM), (_ARM, _FAR), (-_ARM, _FAR), (-_ARM, _ARM), (-_FAR, _ARM),
            (-_FAR, -_ARM), (-_ARM, -_ARM),
        )
    ),
    "house": ((0, -1.3), (1.2, -0.2), (1.2, 1.0), (-1.2, 1.0), (-1.2, -0.2)),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """How one kind of thing is drawn; an empty fill is hollow."""

    shape: str
    fill: str
    stroke: str
    radius_px: float = 5.0
    weight_px: float = 1.0


HOLLOW_FILL = "#ffffff"

NEED_SYMBOLS: dict[NeedStatus, Symbol] = {
    NeedStatus.SERVED: Symbol(shape="circle", fill="#4c8c6b", stroke="#2f6b4d", radius_px=3.2),
    NeedStatus.SERVED_ASSUMED: Symbol(
        shape="diamond", fill="#9ecae1", stroke="#4f87a8", radius_px=3.4
    ),
    NeedStatus.UNSERVED: Symbol(shape="triangle", fill="#d7301f", stroke="#8f1a10", radius_px=4.6),
    NeedStatus.UNSERVED_ASSUMED: Symbol(
        shape="triangle_down", fill="#fdae4b", stroke="#b8660b", radius_px=4.4
    ),
}
NOT_JUDGED = Symbol(shape="circle", fill="#b8bcc2", stroke="#7d838c", radius_px=3.0)

LIBRARY_SYMBOLS: dict[Standing, Symbol] = {
    Standing.KNOWN: Symbol(shape="square", fill="#22577a", stroke="#ffffff", radius_px=5.0),
    Standing.ASSUMED: Symbol(
        shape="square", fill="#ffffff", stroke="#22577a", radius_px=3.6, weight_px=1.5
    ),
}
STOP = Symbol(shape="circle", fill="#1f5fbf", stroke="#ffffff", radius_px=7.0, weight_px=1.5)
UNSERVED_STOP = Symbol(
    shape="cross", fill="#5a1e12", stroke="#5a1e12", radius_px=3.4, weight_px=0.0
)
DEPOT = Symbol(shape="house", fill="#111111", stroke="#ffffff", radius_px=9.0, weight_px=2.0)

VEHICLE_COLOURS = (
    "#1f5fbf", "#a3198f", "#00796b", "#7a4a12", "#c2185b", "#3f4a56", "#5b7a00", "#5a3fc0",
)  # fmt: skip
"""Colours of runs; none is near a colour of the settlements."""


def vehicle_colour(index: int) -> str:
    return VEHICLE_COLOURS[index % len(VEHICLE_COLOURS)]


def svg(symbol: Symbol, *, size_px: int = 18, hollow: bool = False) -> str:
    """The symbol as inline SVG for the legend."""
    fill = HOLLOW_FILL if hollow else symbol.fill
    ink = symbol.stroke if hollow or symbol.stroke != "#ffffff" else symbol.fill
    paint = f'fill="{fill}" stroke="{ink}" stroke-width="{1.6 if hollow else symbol.weight_px}"'
    middle = size_px / 2
    radius = min(middle - 3, max(symbol.radius_px, 4.5))
    outline = OUTLINES[symbol.shape]
    if outline:
        corners = " ".join(
            f"{middle + radius * x:.1f},{middle + radius * y:.1f}" for x, y in outline
        )
        drawn = f'<polygon points="{corners}" stroke-linejoin="round" {paint}/>'
    else:
        drawn = f'<circle cx="{middle}" cy="{middle}" r="{radius}" {paint}/>'
    return f'<svg width="{size_px}" height="{size_px}" aria-hidden="true">{drawn}</svg>'
