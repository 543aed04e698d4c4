"""A resident asks for a stop: where, why, how many would come; the library answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from data.model.errors import InputError
from data.model.geo import distance_m
from data.model.place import Settlement, SettlementId, Stop, StopId

PLACE_MAX, REASON_MAX, CONTACT_MAX, ANSWER_MAX = 120, 1000, 200, 1000
MOST_PEOPLE = 500
MOST_OPEN = 500
"""Requests of a region that wait for an answer; beyond it none is taken."""
CONTACT_DAYS = 90
"""So long after the answer the way to reach whoever asked is erased."""
KEEP_DAYS = 730
"""So long after it was made a request is kept at all."""


NEAR_M = 3000.0
"""A stop so near serves a place."""


class RequestState(StrEnum):
    """What has become of a request."""

    OPEN = "open"
    ACCEPTED = "accepted"
    """The place gets a stop, or is to get one."""
    DECLINED = "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAsked:
    """What a form says; ``contact`` may stay empty: the answer is found at a private address."""

    place: str
    reason: str
    contact: str = ""
    people: int | None = None

    def __post_init__(self) -> None:
        if not self.place.strip():
            raise InputError("stop_request.no_place", field="place")
        if not self.reason.strip():
            raise InputError("stop_request.no_reason", field="reason")
        for name, limit in (
            ("place", PLACE_MAX),
            ("reason", REASON_MAX),
            ("contact", CONTACT_MAX),
        ):
            length = len(getattr(self, name))
            if length > limit:
                raise InputError("stop_request.too_long", field=name, length=length, limit=limit)
        if self.people is not None and not 1 <= self.people <= MOST_PEOPLE:
            raise InputError(
                "stop_request.bad_people", field="people", value=self.people, limit=MOST_PEOPLE
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequest:
    """A request as it is kept."""

    request_id: str
    region_id: str
    place: str
    reason: str
    contact: str = ""
    people: int | None = None
    settlement_id: str | None = None
    """The settlement that the place was taken for."""
    language: str
    state: RequestState = RequestState.OPEN
    answer: str = ""
    answered_at: datetime | None = None
    answered_by: str | None = None
    score: Mapping[str, Any] = field(default_factory=dict)
    """What it was found to be worth; empty: not scored yet."""
    scored_at: datetime | None = None
    created_at: datetime
    counted_people: int | None = None
    """How many people the planner is to expect because of it; ``None``: it does not count."""
    counted_at: datetime | None = None
    counted_by: str | None = None

    @property
    def points(self) -> float:
        """The score as one number; zero where none was worked out."""
        return float(self.score.get("points", 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPeople:
    """People of a settlement who would come to a stop, by requests that count."""

    settlement_id: SettlementId
    name: str
    lon: float
    lat: float
    people: int


def asked_people(
    requests: Iterable[StopRequest], settlements: Iterable[Settlement]
) -> tuple[AskedPeople, ...]:
    """What counted requests say, settlement by settlement; nobody lives in two of them."""
    people: dict[str, int] = {}
    for one in requests:
        if one.settlement_id is not None and one.counted_people is not None:
            people[one.settlement_id] = people.get(one.settlement_id, 0) + one.counted_people
    return tuple(
        AskedPeople(
            settlement_id=s.settlement_id,
            name=s.name,
            lon=s.lon,
            lat=s.lat,
            people=people[str(s.settlement_id)],
        )
        for s in settlements
        if str(s.settlement_id) in people
    )


def asked_by_stop(stops: Sequence[Stop], asked: Iterable[AskedPeople]) -> dict[StopId, int]:
    """How many ask for each stop: the one that serves their settlement, else the nearest near."""
    found: dict[StopId, int] = {}
    for one in asked:
        own = [s for s in stops if one.settlement_id in s.settlement_ids]
        away = [(distance_m(one.lon, one.lat, s.lon, s.lat), s.stop_id) for s in own or stops]
        metres, stop_id = min(away, default=(NEAR_M + 1, None))
        if stop_id is not None and (own or metres <= NEAR_M):
            found[stop_id] = found.get(stop_id, 0) + one.people
    return found
