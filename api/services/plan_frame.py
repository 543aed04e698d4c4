"""What a plan may be asked of a region: its vehicles, nights and dates, told before any search.

Loads no solver, so that whoever only asks for a plan stays small and quick to start.
"""

from dataclasses import replace
from datetime import date

from data.model.errors import InputError, RequestError
from data.model.fleet import Vehicle, VehicleId
from data.model.region import Region
from planner.candidates import check_recurrences, frame_request


def fleet_of(region: Region, num_vehicles: int | None) -> tuple[tuple[Vehicle, ...], int]:
    """The first ``num_vehicles`` of a region; beyond its own they are copied in turn.

    Returns
    -------
    tuple
        The vehicles, and how many of them are copies.
    """
    own = region.vehicles
    wanted = len(own) if num_vehicles is None else num_vehicles
    if wanted < 1 or not own:
        raise RequestError("request.no_vehicle")
    fleet = list(own[:wanted])
    while len(fleet) < wanted:
        number = len(fleet) + 1
        model = own[(number - 1) % len(own)]
        fleet.append(
            replace(model, vehicle_id=VehicleId(f"{model.vehicle_id}+{number}"), name=f"№ {number}")
        )
    return tuple(fleet), max(0, wanted - len(own))


def with_nights(region: Region, nights: int | None) -> Region:
    """The region whose vehicles may all spend so many nights in a row away; ``None`` leaves them.

    Raises
    ------
    InputError
        ``nights.no_lodging`` if nights are allowed and no depot is a lodging.
    """
    if nights is None:
        return region
    if nights > 0 and not any(d.is_lodging for d in region.depots):
        raise InputError("nights.no_lodging", nights=nights)
    vehicles = tuple(replace(v, max_nights_away=nights) for v in region.vehicles)
    return replace(region, vehicles=vehicles)


def check_frame(
    region: Region,
    *,
    start_date: date,
    weeks: int,
    until_date: date | None = None,
    num_vehicles: int | None,
) -> None:
    """Refuse dates, vehicles and rules that no plan can have, before any long work."""
    vehicles, _ = fleet_of(region, num_vehicles)
    frame = frame_request(
        region, start_date=start_date, weeks=weeks, until_date=until_date, vehicles=vehicles
    )
    check_recurrences(frame, region.stops)
