"""Load plans of vehicles' runs, as documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from data.db.tables.circulation import LoadPlanRow


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLoad:
    """A load plan as it was made."""

    made_at: datetime
    made_by: str
    rules: Mapping[str, Any]
    facts: Mapping[str, Any]


def get_load(session: Session, region_id: str, vehicle_id: str, on: date) -> KeptLoad | None:
    """The load plan of a run; ``None`` where none was made."""
    row = session.get(LoadPlanRow, (region_id, vehicle_id, on))
    if row is None:
        return None
    return KeptLoad(made_at=row.made_at, made_by=row.made_by, rules=row.rules, facts=row.facts)


def put_load(session: Session, region_id: str, vehicle_id: str, on: date, load: KeptLoad) -> None:
    """Keep the load plan of a run in the place of an earlier one."""
    row = session.get(LoadPlanRow, (region_id, vehicle_id, on))
    if row is None:
        row = LoadPlanRow(
            region_id=region_id, vehicle_id=vehicle_id, service_date=on, made_at=load.made_at
        )
    row.made_at, row.made_by = load.made_at, load.made_by
    row.rules, row.facts = dict(load.rules), dict(load.facts)
    session.add(row)
    session.flush()
