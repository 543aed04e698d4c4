"""Crew members of vehicles: rows to values and back."""

from data.feeds.entity import Entity
from data.feeds.rows import Row
from data.feeds.values import write_date, write_weekdays
from data.model.fleet import VehicleId
from data.model.staff import CrewMember, CrewMemberId, CrewRole


def crew_member_from_row(row: Row) -> CrewMember | None:
    crew_member_id, name = row.required("crew_member_id"), row.required("name")
    role = row.choice("role", CrewRole, CrewRole.DRIVER)
    weekdays, off_dates = row.weekdays("weekdays"), row.days("off_dates")
    if row.is_wrong:
        return None
    return CrewMember(
        crew_member_id=CrewMemberId(crew_member_id),
        name=name,
        role=role,
        vehicle_ids=frozenset(VehicleId(part) for part in row.parts("vehicles")),
        weekdays=weekdays,
        off_dates=off_dates,
        phone=row.text("phone"),
    )


def crew_member_cells(item: CrewMember) -> dict[str, str]:
    return {
        "crew_member_id": item.crew_member_id,
        "name": item.name,
        "role": item.role.value,
        "vehicles": ";".join(sorted(item.vehicle_ids)),
        "weekdays": write_weekdays(item.weekdays),
        "off_dates": ";".join(write_date(day) for day in sorted(item.off_dates)),
        "phone": item.phone,
    }


CREW: Entity[CrewMember] = Entity(
    name="crew",
    id_column="crew_member_id",
    columns=("crew_member_id", "name", "role", "vehicles", "weekdays", "off_dates", "phone"),
    required=("crew_member_id", "name", "role"),
    from_row=crew_member_from_row,
    to_cells=crew_member_cells,
    id_of=lambda item: item.crew_member_id,
)
