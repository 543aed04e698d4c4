"""The kinds of things that people edit in a region, by the word in their addresses."""

from dataclasses import dataclass
from string import hexdigits
from typing import Any
from uuid import uuid4

from data.model.crew import Specialist
from data.model.errors import NotFoundError
from data.model.fleet import RuleSet, Vehicle
from data.model.norms import NormSet
from data.model.place import Depot, Library, Municipality, Settlement, Stop
from data.model.staff import CrewMember


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingKind:
    """A kind of thing.

    ``path`` is its word in addresses and message codes (``places.kind.<path>``), ``key`` the field
    with its id, ``list_name`` its field of a region (empty: none).
    """

    path: str
    type: type
    key: str
    list_name: str = ""
    prefix: str = ""
    """Begins ids that are made for new things."""

    def key_of(self, thing: Any) -> str:
        return str(getattr(thing, self.key))

    def new_key(self) -> str:
        """An id for a new thing."""
        return f"{self.prefix}-{uuid4().hex[:10]}"

    def is_new_key(self, key: str) -> bool:
        """Whether a key is one that ``new_key`` made."""
        prefix, _, digits = key.rpartition("-")
        return prefix == self.prefix and len(digits) == 10 and set(digits) <= set(hexdigits)


STOPS = ThingKind(path="stops", type=Stop, key="stop_id", list_name="stops", prefix="stop")
SETTLEMENTS = ThingKind(
    path="settlements",
    type=Settlement,
    key="settlement_id",
    list_name="settlements",
    prefix="place",
)
LIBRARIES = ThingKind(
    path="libraries", type=Library, key="library_id", list_name="libraries", prefix="library"
)
MUNICIPALITIES = ThingKind(
    path="municipalities",
    type=Municipality,
    key="municipality_id",
    list_name="municipalities",
    prefix="district",
)
VEHICLES = ThingKind(
    path="vehicles", type=Vehicle, key="vehicle_id", list_name="vehicles", prefix="vehicle"
)
DEPOTS = ThingKind(path="depots", type=Depot, key="depot_id", list_name="depots", prefix="depot")
CREW = ThingKind(path="crew", type=CrewMember, key="crew_member_id", prefix="crew")
SPECIALISTS = ThingKind(
    path="specialists",
    type=Specialist,
    key="specialist_id",
    list_name="specialists",
    prefix="specialist",
)
NORMS = ThingKind(
    path="norms", type=NormSet, key="norm_set_id", list_name="norm_sets", prefix="norm"
)
RULES = ThingKind(path="rules", type=RuleSet, key="rule_set_id", prefix="rules")

ALL = (
    STOPS,
    SETTLEMENTS,
    LIBRARIES,
    MUNICIPALITIES,
    VEHICLES,
    DEPOTS,
    CREW,
    SPECIALISTS,
    NORMS,
    RULES,
)
_BY_PATH = {kind.path: kind for kind in ALL}


def kind_named(path: str) -> ThingKind:
    """The kind of an address.

    Raises
    ------
    NotFoundError
        ``thing.no_kind``.
    """
    if path not in _BY_PATH:
        raise NotFoundError("thing.no_kind", kind=path[:40])
    return _BY_PATH[path]
