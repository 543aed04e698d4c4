"""What a person has fixed before the search: pinned visits, kept runs, forbidden ones."""

from dataclasses import dataclass

from data.model.fleet import VehicleId
from data.model.place import DepotId, StopId


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitPin:
    """A stop gets a visit on a cycle day, by this vehicle, its doors opening in this span.

    The pinned stop is mandatory. ``vehicle_id`` ``None`` leaves the vehicle open. The doors open
    from ``earliest_s`` to ``latest_s``, seconds from midnight; ``None`` leaves that side open.
    """

    stop_id: StopId
    day: int
    vehicle_id: VehicleId | None = None
    earliest_s: int | None = None
    latest_s: int | None = None

    def __post_init__(self) -> None:
        if None not in (self.earliest_s, self.latest_s) and self.latest_s < self.earliest_s:  # type: ignore[operator]
            raise ValueError(f"pin ends ({self.latest_s} s) before it starts ({self.earliest_s} s)")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptVisit:
    """A visit of a kept run: its stop, when the doors open and, if it is to stay, when they close.

    Where ``end_s`` is ``None`` a stop whose doors-open time is a choice may close at another time.
    """

    stop_id: StopId
    start_s: int
    end_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """A vehicle's day that stays as it is: these visits, in this order, and no others.

    Without visits the vehicle stays at its depot. The run starts and ends where it did; ``None``
    means where the vehicle's runs always do.
    """

    vehicle_id: VehicleId
    day: int
    visits: tuple[KeptVisit, ...] = ()
    start_depot_id: DepotId | None = None
    end_depot_id: DepotId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden:
    """Visits of a stop that may not be: by a vehicle, on a cycle day, on a weekday.

    What is given must hold together; a stop alone forbids all its visits. Monday is 0.
    """

    stop_id: StopId
    vehicle_id: VehicleId | None = None
    day: int | None = None
    weekday: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """All that is fixed in a request."""

    visits: tuple[VisitPin, ...] = ()
    kept: tuple[KeptRun, ...] = ()
    forbidden: tuple[Forbidden, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.visits or self.kept or self.forbidden)


NO_PINS = Pins()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedTime:
    """When readers expect the doors of a stop to open and close: cycle day and seconds."""

    stop_id: StopId
    day: int
    start_s: int
    end_s: int | None = None
    """``None`` where no closing was published: any will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCap:
    """Of these published times at most so many may change.

    A change is a time moved, dropped or added at a stop that has a published time; one dropped and
    one added at the same stop are one change. Stops without a published time are free.
    """

    published: tuple[PublishedTime, ...]
    max_changes: int

    def __post_init__(self) -> None:
        if self.max_changes < 0:
            raise ValueError(f"max_changes is {self.max_changes}, must not be below 0")
