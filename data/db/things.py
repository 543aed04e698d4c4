"""Things of a region as rows: which table holds which type, and the way there and back."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from data.db.base import Versioned
from data.db.tables.regions import (
    CalendarRow,
    CrewMemberRow,
    DepotRow,
    LibraryRow,
    MunicipalityRow,
    NormSetRow,
    RuleSetRow,
    SettlementRow,
    StopRow,
    VehicleRow,
)
from data.model.calendar import ServiceCalendar
from data.model.crew import Specialist
from data.model.fleet import RuleSet, Vehicle
from data.model.norms import NormSet
from data.model.place import Depot, Library, Municipality, Settlement, Stop
from data.model.staff import CrewMember

type Thing = (
    Settlement
    | Library
    | Municipality
    | Depot
    | Stop
    | Vehicle
    | Specialist
    | CrewMember
    | ServiceCalendar
    | NormSet
    | RuleSet
)

CALENDAR_KEY = "service"
"""Key of a region's one calendar."""
SPECIALIST = "specialist"
_SHARED = frozenset(Versioned.model_fields) - {"name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How things of one type are stored."""

    table: type[Versioned]
    key_of: Callable[[Any], str]
    role: str | None = None
    """Told apart by this value of the column ``role`` where types share a table."""

    @property
    def columns(self) -> frozenset[str]:
        """Columns that hold a field of the thing."""
        return frozenset(self.table.model_fields) - _SHARED - ({"role"} if self.role else set())


KINDS: dict[type, Kind] = {
    Municipality: Kind(table=MunicipalityRow, key_of=lambda t: t.municipality_id),
    Settlement: Kind(table=SettlementRow, key_of=lambda t: t.settlement_id),
    Library: Kind(table=LibraryRow, key_of=lambda t: t.library_id),
    Depot: Kind(table=DepotRow, key_of=lambda t: t.depot_id),
    Stop: Kind(table=StopRow, key_of=lambda t: t.stop_id),
    Vehicle: Kind(table=VehicleRow, key_of=lambda t: t.vehicle_id),
    Specialist: Kind(table=CrewMemberRow, key_of=lambda t: t.specialist_id, role=SPECIALIST),
    CrewMember: Kind(table=CrewMemberRow, key_of=lambda t: t.crew_member_id),
    ServiceCalendar: Kind(table=CalendarRow, key_of=lambda t: CALENDAR_KEY),
    NormSet: Kind(table=NormSetRow, key_of=lambda t: t.norm_set_id),
    RuleSet: Kind(table=RuleSetRow, key_of=lambda t: t.rule_set_id),
}


@cache
def adapter_of(kind: type) -> TypeAdapter[Any]:
    """Reads and writes a type as JSON values."""
    return TypeAdapter(kind)


def columns_of(thing: Thing) -> dict[str, Any]:
    """The columns of a thing's row; what has none of its own stands in ``facts``."""
    kind = KINDS[type(thing)]
    cls: type = type(thing)
    document = adapter_of(cls).dump_python(thing, mode="json")
    own = {name: document.pop(name) for name in kind.columns if name in document}
    named = {"name": own.get("name") or "", "role": kind.role} if kind.role else {}
    return {**own, **named, "key": kind.key_of(thing), "facts": document}


@cache
def _own_names(kind: type) -> frozenset[str]:
    """Fields of a type that have a column of their own."""
    return frozenset(field.name for field in fields(kind)) & KINDS[kind].columns


def thing_of(kind: type, row: Versioned) -> Any:
    """The thing that a row holds."""
    own = {name: getattr(row, name) for name in _own_names(kind)}
    return adapter_of(kind).validate_python(own | row.facts)
