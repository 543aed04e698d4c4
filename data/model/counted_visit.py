"""A stop visit as sums see it: what reports count, without its times, keys and people.

A report over years adds up tens of thousands of stop visits. Whole records cost more to read than
all sums of them together.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple, Protocol

from data.model.stop_counts import CountMethod
from data.model.visit_record import HELD_STATES, RecordState


class Counted(Protocol):
    """What sums look at: a whole record, or its :class:`CountedVisit`."""

    @property
    def stop_id(self) -> str | None: ...
    @property
    def name(self) -> str: ...
    @property
    def settlement_id(self) -> str | None: ...
    @property
    def vehicle_id(self) -> str: ...
    @property
    def service_date(self) -> date: ...
    @property
    def state(self) -> RecordState: ...
    @property
    def is_held(self) -> bool: ...
    @property
    def is_planned(self) -> bool: ...
    @property
    def is_gps_confirmed(self) -> bool: ...
    @property
    def counts(self) -> Mapping[str, int]: ...
    @property
    def count_methods(self) -> tuple[CountMethod, ...]: ...
    @property
    def num_corrections(self) -> int: ...
    @property
    def num_readers(self) -> int: ...
    @property
    def is_simulated(self) -> bool: ...


class CountedVisit(NamedTuple):
    """A stop visit's counts and what sums tell it apart by; a plain tuple, made in no time."""

    stop_id: str | None
    name: str
    settlement_id: str | None
    vehicle_id: str
    service_date: date
    state: RecordState
    is_planned: bool
    is_gps_confirmed: bool
    counts: Mapping[str, int]
    count_methods: tuple[CountMethod, ...]
    num_corrections: int
    num_readers: int
    is_simulated: bool

    @property
    def is_held(self) -> bool:
        return self.state in HELD_STATES
