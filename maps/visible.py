"""Compiled kernels of the estimate: sight lines inside an outline, and ways round its corners."""

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]


def _visible(origins: Floats, targets: Floats, walls: Floats) -> Flags:
    """Whether the straight line from each origin to each target crosses no wall.

    Parameters
    ----------
    origins, targets
        Places, shape (n, 2) and (m, 2), plane metres.
    walls
        Segments, shape (w, 4): x, y of one end, x, y of the other. No place may lie on a wall.

    Returns
    -------
    shape (n, m)
    """
    n, m, w = len(origins), len(targets), len(walls)
    seen = np.ones((n, m), np.bool_)
    for i in range(n):
        ax, ay = origins[i]
        for j in range(m):
            bx, by = targets[j]
            west, east = min(ax, bx), max(ax, bx)
            south, north = min(ay, by), max(ay, by)
            dx, dy = bx - ax, by - ay
            for k in range(w):
                px, py, qx, qy = walls[k]
                if (
                    (px < west and qx < west)
                    or (px > east and qx > east)
                    or (py < south and qy < south)
                    or (py > north and qy > north)
                ):
                    continue
                side_p = dx * (py - ay) - dy * (px - ax)
                side_q = dx * (qy - ay) - dy * (qx - ax)
                if side_p * side_q > 0:
                    continue
                wx, wy = qx - px, qy - py
                side_a = wx * (ay - py) - wy * (ax - px)
                side_b = wx * (by - py) - wy * (bx - px)
                if side_a * side_b <= 0:
                    seen[i, j] = False
                    break
    return seen


def _round_corners(origins: Floats, between: Floats, targets: Floats) -> Floats:
    """Shortest way from each origin to each target over one corner or more, in metres.

    ``origins`` (n, c) and ``targets`` (m, c) hold metres to the corners in sight, ``inf`` for the
    others; ``between`` (c, c) the shortest metres from corner to corner.
    """
    n, m, c = len(origins), len(targets), len(between)
    best = np.full((n, m), np.inf)
    reached = np.empty(c)
    for i in range(n):
        for v in range(c):
            least = np.inf
            for u in range(c):
                metres = origins[i, u] + between[u, v]
                least = min(least, metres)
            reached[v] = least
        for j in range(m):
            least = np.inf
            for v in range(c):
                metres = reached[v] + targets[j, v]
                least = min(least, metres)
            best[i, j] = least
    return best


visible: Callable[[Floats, Floats, Floats], Flags] = njit(cache=True)(_visible)
round_corners: Callable[[Floats, Floats, Floats], Floats] = njit(cache=True)(_round_corners)
