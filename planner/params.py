"""Parameters of the search, with their tuned defaults."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveParams:
    """How long and how to search.

    Notes
    -----
    With ``work_limit`` and one worker, the same problem and seed give the same plan. The time
    limit is a guard: where it ends the search, the plan says so.
    """

    seed: int = 1
    time_limit_s: float = 60.0
    """Wall-clock guard, seconds, first compilation of the kernels included."""
    work_limit: int | None = None
    """Ruin-and-recreate steps of one chain; ``None`` searches until the time limit."""
    workers: int = 2
    """Chains, one thread each."""
    rounds: int = 3
    """Turns of search and set partitioning."""
    mean_removed: float = 8.0
    """Stops that one step removes on average."""
    max_string: int = 10
    """Most stops removed from one run by a string."""
    cluster_ratio: float = -1.0
    """Share of steps that remove neighbouring stops from all their days; negative: by problem."""
    blink_ratio: float = 0.01
    """Share of places that an insertion overlooks."""
    heat_start: float = 0.0
    """First temperature, in mean distances to a near neighbour; 0: by problem."""
    heat_end: float = 0.02
    """Last temperature, in the same unit."""
    pool_limit: int = 6000
    """Most columns of a set partitioning model."""
    master_ratio: float = 0.2
    """Share of the time limit that set partitioning may use."""
    tour_ratio: float = 0.5
    """Share of the work or time in which nights away from base are decided, where vehicles may
    spend any; 0 keeps those of the plan begun from."""

    skeleton_ratio: float = 0.6
    """Share of the work or time in which dates are planned as a short cycle that repeats, before
    the search of the dates begins from it; 0 searches the dates at once."""

    def __post_init__(self) -> None:
        positive = ("time_limit_s", "workers", "rounds", "mean_removed", "max_string")
        for name in (*positive, "heat_end", "pool_limit"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, must be above 0")
        if self.work_limit is not None and self.work_limit < 1:
            raise ValueError(f"work_limit is {self.work_limit}, must be at least 1")
        if not 0 <= self.blink_ratio < 1 or not 0 <= self.master_ratio < 1:
            raise ValueError("blink_ratio and master_ratio lie in [0, 1)")
        for name in ("tour_ratio", "skeleton_ratio"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, must lie in [0, 1)")
        if self.heat_start != 0 and self.heat_end > self.heat_start:
            raise ValueError(f"heat_end {self.heat_end} above heat_start {self.heat_start}")
        if self.cluster_ratio > 1:
            raise ValueError(f"cluster_ratio is {self.cluster_ratio}, must be at most 1")

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Parameters from a table, for example of a TOML file.

        Raises
        ------
        ValueError
            For a name that is no parameter, or a value out of range.
        """
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"no such parameter: {', '.join(unknown)}; known: {sorted(known)}")
        return cls(**values)

    def to_mapping(self) -> dict[str, Any]:
        """The parameters as a table that ``from_mapping`` reads back."""
        return asdict(self)
