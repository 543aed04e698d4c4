"""Nights away from base: where runs start and end, and what a lodging asks for."""

from collections.abc import Iterator

from data.model.place import DepotId
from data.model.plan import Violation
from planner.rules.view import PlanView


def runs_start_and_end_at_base(view: PlanView) -> Iterator[Violation]:
    """A run starts and ends at its vehicle's depots, or at a lodging: at no other base."""
    for run, vehicle in view.runs():
        own = (vehicle.depot_id, vehicle.end_depot_id or vehicle.depot_id)
        codes = ("rule.starts_elsewhere", "rule.ends_elsewhere")
        for place, due, code in zip(run.ends(vehicle), own, codes, strict=True):
            depot = view.depots.get(place)
            if place != due and depot is not None and not depot.is_lodging:
                yield view.of_run(code, run, place=depot.name, due=view.names.get(due, due))


def tours_hang_together(view: PlanView) -> Iterator[Violation]:
    """After a night away the vehicle goes on the next day from where it stands.

    A run that ends at a lodging is followed, on the next calendar day inside the cycle, by a run
    of the same vehicle that starts there; a run starts at a lodging only if the one of the day
    before ended there. No night lies over the seam of the cycle.
    """
    for run, vehicle in view.runs():
        by_day = {r.day: r for r in view.duties[vehicle.vehicle_id]}
        start, end = run.ends(vehicle)
        if _is_lodging(view, end):
            after = by_day.get(run.day + 1)
            if after is None or after.ends(vehicle)[0] != end:
                yield view.of_run("rule.night_not_followed", run, place=view.names[end])
        if _is_lodging(view, start):
            before = by_day.get(run.day - 1)
            if before is None or before.ends(vehicle)[1] != start:
                yield view.of_run("rule.night_not_before", run, place=view.names[start])


def lodgings_take_the_vehicle(view: PlanView) -> Iterator[Violation]:
    """A vehicle spends nights only at lodgings that it may use and fits into."""
    for run, vehicle in view.runs():
        place = view.depots.get(run.ends(vehicle)[1])
        if place is None or not place.is_lodging:
            continue
        if vehicle.lodging_ids and place.depot_id not in vehicle.lodging_ids:
            yield view.of_run("rule.lodging_not_allowed", run, place=place.name)
        if place.room_m is not None and vehicle.length_m > place.room_m:
            yield view.of_run(
                "rule.lodging_too_short",
                run,
                place=place.name,
                found_m=vehicle.length_m,
                limit_m=place.room_m,
            )


def nights_away_are_limited(view: PlanView) -> Iterator[Violation]:
    """A vehicle is away at most so many nights in a row; none unless it is allowed."""
    for vehicle_id, duty in view.duties.items():
        vehicle = view.vehicles[vehicle_id]
        away = {run.day: run for run in duty if _is_lodging(view, run.ends(vehicle)[1])}
        for day, run in away.items():
            if day - 1 in away:
                continue
            found = next(n for n in range(1, len(away) + 1) if day + n not in away)
            if found > vehicle.max_nights_away:
                yield view.of_run(
                    "rule.nights_in_a_row", run, found=found, limit=vehicle.max_nights_away
                )


def _is_lodging(view: PlanView, place: DepotId) -> bool:
    depot = view.depots.get(place)
    return depot is not None and depot.is_lodging
