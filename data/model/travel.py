"""Travel times and distances between points, and where they come from."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

UNREACHABLE = -1
"""Cell value where no road leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelMatrix:
    """Travel between named points for one vehicle class.

    Notes
    -----
    ``travel_s[i, j]`` and ``travel_m[i, j]`` are int32 seconds and metres from row to column,
    ``UNREACHABLE`` where no road leads; the diagonal is zero. ``source`` names the network and
    engine; ``is_estimated`` is true where no road network stood behind the figures.
    """

    point_ids: tuple[str, ...]
    travel_s: NDArray[np.int32]
    travel_m: NDArray[np.int32]
    source: str
    is_estimated: bool
    index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        n = len(self.point_ids)
        if self.travel_s.shape != (n, n) or self.travel_m.shape != (n, n):
            raise ValueError(f"travel matrix is {self.travel_s.shape}, points are {n}")
        object.__setattr__(self, "index", {p: i for i, p in enumerate(self.point_ids)})
        if len(self.index) != n:
            raise ValueError("travel matrix: a point id appears twice")

    def seconds(self, origin: str, target: str) -> int:
        return int(self.travel_s[self.index[origin], self.index[target]])

    def metres(self, origin: str, target: str) -> int:
        return int(self.travel_m[self.index[origin], self.index[target]])

    def restricted_to(self, point_ids: Sequence[str]) -> "TravelMatrix":
        """The same matrix for some of its points, in the given order."""
        rows = np.array([self.index[p] for p in point_ids], dtype=np.intp)
        cut = np.ix_(rows, rows)
        return TravelMatrix(
            point_ids=tuple(point_ids),
            travel_s=self.travel_s[cut],
            travel_m=self.travel_m[cut],
            source=self.source,
            is_estimated=self.is_estimated,
        )
