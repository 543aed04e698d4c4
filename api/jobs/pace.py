"""How often workers tell that they live, and when silence means that they do not."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds of everything that waits.

    A search ends by itself ``lease_s`` after its worker last reached the database, and the job is
    handed out again only ``lost_s`` after that: a job never runs twice at once, not even where a
    worker was stopped for a while or cut off.
    """

    tell_s: float = 0.5
    """Least time between two changes that people are told."""
    beat_s: float = 2.0
    """Most time between two signs of life."""
    lease_s: float = 20.0
    lost_s: float = 30.0
    reap_s: float = 3.0
    """Time between two looks for lost jobs."""
    poll_s: float = 0.25
    """Time between two looks into the queue."""
    stop_s: float = 45.0
    """Time that a search which was asked to stop has to hand over its best plan."""
    overrun_s: float = 900.0
    """Time beyond its limit that a search may take. Large plans are timed, checked and explained in
    it; on a busy machine those of 1,200 stops and 8 vehicles took over two minutes."""
    prepare_s: float = 4 * 3600.0
    """Time for all before the search; a road network of a country takes an hour."""
    most_tries: int = 3

    def __post_init__(self) -> None:
        if not self.beat_s < self.lease_s < self.lost_s:
            raise ValueError(
                f"beat_s {self.beat_s} < lease_s {self.lease_s} < lost_s {self.lost_s} must hold"
            )

    @property
    def silence(self) -> timedelta:
        return timedelta(seconds=self.lost_s)


USUAL = Pace()
