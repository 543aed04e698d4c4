"""The share of people who are registered readers: another coverage than that of access.

It counts who came, not who lives near. The concept of the region asks for 35 % of the population
(order 225-ОД of 2019). Nothing here is ever added to, or divided by, people in reach.
"""

from dataclasses import dataclass

from data.model.place import MunicipalityId

TARGET_RATIO = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderShare:
    """Registered readers of one place and the people who live there; ``None`` is not known."""

    readers: int
    population: int | None
    municipality_id: MunicipalityId | None = None
    """``None``: the whole region."""
    name: str = ""
    year: int | None = None
    source: str = ""
    target_ratio: float = TARGET_RATIO

    def __post_init__(self) -> None:
        if self.readers < 0 or (self.population is not None and self.population < 0):
            raise ValueError(f"readers {self.readers} of {self.population} people")
        if not 0 < self.target_ratio <= 1:
            raise ValueError(f"target {self.target_ratio} is no share")

    @property
    def ratio(self) -> float | None:
        """Readers to people; readers of other places may bring it above 1."""
        return self.readers / self.population if self.population else None

    @property
    def is_reached(self) -> bool | None:
        """Whether the target is reached; ``None`` where nobody can say."""
        return None if self.ratio is None else self.ratio >= self.target_ratio

    @property
    def readers_lacking(self) -> int | None:
        """Readers still to be won for the target."""
        if self.population is None:
            return None
        wanted = -int(-self.target_ratio * self.population // 1)
        return max(0, wanted - self.readers)
