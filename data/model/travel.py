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
    Where times were learned from recorded days, ``base_s`` is what the network said before and
    ``buffer_s`` the part of ``travel_s`` that is kept against delays; ``None`` elsewhere.
    """

    point_ids: tuple[str, ...]
    travel_s: NDArray[np.int32]
    travel_m: NDArray[np.int32]
    source: str
    is_estimated: bool
    base_s: NDArray[np.int32] | None = None
    buffer_s: NDArray[np.int32] | None = None
    index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        n = len(self.point_ids)
        if self.travel_s.shape != (n, n) or self.travel_m.shape != (n, n):
            raise ValueError(f"travel matrix is {self.travel_s.shape}, points are {n}")
        for part in (self.base_s, self.buffer_s):
            if part is not None and part.shape != (n, n):
                raise ValueError(f"part of a travel matrix is {part.shape}, points are {n}")
        object.__setattr__(self, "index", {p: i for i, p in enumerate(self.point_ids)})
        if len(self.index) != n:
            raise ValueError("travel matrix: a point id appears twice")

    def seconds(self, origin: str, target: str) -> int:
        return int(self.travel_s[self.index[origin], self.index[target]])

    def metres(self, origin: str, target: str) -> int:
        return int(self.travel_m[self.index[origin], self.index[target]])

    def unlearned_seconds(self, origin: str, target: str) -> int:
        """What the network says of a leg, before anything was learned of it."""
        if self.base_s is None:
            return self.seconds(origin, target)
        return int(self.base_s[self.index[origin], self.index[target]])

    def buffer_seconds(self, origin: str, target: str) -> int:
        """The part of a leg's seconds that is kept against delays."""
        if self.buffer_s is None:
            return 0
        return int(self.buffer_s[self.index[origin], self.index[target]])

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
            base_s=None if self.base_s is None else self.base_s[cut],
            buffer_s=None if self.buffer_s is None else self.buffer_s[cut],
        )
