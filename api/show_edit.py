"""Terminal tables of places for a stop and of what would serve it, and the same as JSON facts."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from api.words import Words
from data.model.calendar import MINUTE_S
from data.model.fleet import VehicleId
from data.model.place import Stop
from data.model.plan import Plan, PlanRequest
from planner.insert import Place
from planner.relax import Change, Explanation


def visit_words(
    words: Words, request: PlanRequest, vehicle_id: VehicleId, day: int, start_s: int
) -> str:
    """A visit as a person reads it: date, clock time, vehicle."""
    names = {v.vehicle_id: v.name for v in request.vehicles}
    return words(
        "edit.visit",
        date=words.day(request.cycle.date_of(day), "EEE d MMM"),
        clock=words.clock(start_s),
        vehicle=names.get(vehicle_id, str(vehicle_id)),
    )


def signed(words: Words, value: float, digits: int = 0) -> str:
    """A difference with its sign."""
    text = words.number(abs(value), digits)
    if round(value, digits) == 0:
        return text
    return f"+{text}" if value > 0 else f"\N{MINUS SIGN}{text}"


def show_explanation(console: Console, words: Words, told: Explanation) -> None:
    """The reason in a sentence, then the changes that would serve the stop.

    Where no change is needed the reason is not told: it speaks of the search that left it out.
    """
    cheapest = told.cheapest
    if cheapest is None or cheapest.code != "relax.none":
        console.print(words(f"{told.reason.reason}.detail", **told.reason.facts), markup=False)
    if not told.changes:
        console.print(words("edit.explain.nothing"))
        return
    table = Table(title=words("edit.explain.title", stop=told.stop.name))
    table.add_column(words("edit.explain.change"))
    table.add_column(words("edit.explain.proof"))
    table.add_column(words("edit.when"))
    table.add_column(words("edit.km"), justify="right")
    table.add_column(words("edit.work_min"), justify="right")
    for change in told.changes:
        table.add_row(
            change_words(words, change),
            words(f"edit.proof.{change.proof or 'none'}"),
            "\n".join(_visits(words, change, told.stop)) or "—",
            signed(words, change.delta_drive_m / 1000, 1) if change.is_proved else "—",
            signed(words, change.delta_work_s / MINUTE_S) if change.is_proved else "—",
        )
    console.print(table)


def show_explanations(console: Console, words: Words, found: Sequence[Explanation]) -> None:
    """A line for each unserved stop: its people, the reason, the least change that is proved."""
    table = Table(title=words("edit.explain.all_title"))
    table.add_column(words("edit.explain.stop"))
    table.add_column(words("edit.explain.people"), justify="right")
    table.add_column(words("edit.explain.reason"))
    table.add_column(words("edit.explain.change"))
    for told in found:
        change = told.cheapest
        people = told.stop.people
        table.add_row(
            told.stop.name,
            "—" if people is None else words.number(people),
            words(told.reason.reason),
            words("edit.proof.none") if change is None else change_words(words, change),
        )
    console.print(table)
    proved = sum(told.cheapest is not None for told in found)
    console.print(
        words("edit.explain.proved_of", proved=words.number(proved), total=words.number(len(found)))
    )


def change_words(words: Words, change: Change) -> str:
    """A change in a few words."""
    code = change.code
    if code == "relax.none" and change.proof != "place":
        code = "relax.replan"
    return words(code, **change.facts)


def _visits(words: Words, change: Change, stop: Stop) -> list[str]:
    if change.plan is None or change.request is None:
        return []
    return [
        visit_words(words, change.request, r.vehicle_id, r.day, v.start_s)
        for r in change.plan.runs
        for v in r.visits
        if v.stop_id == stop.stop_id
    ]


def explanation_facts(words: Words, request: PlanRequest, told: Explanation) -> dict[str, Any]:
    """An explanation as JSON has it."""
    reason = told.reason
    return {
        "stop_id": told.stop.stop_id,
        "stop": told.stop.name,
        "reason": {
            "code": reason.reason,
            "facts": dict(reason.facts),
            "text": words(f"{reason.reason}.detail", **reason.facts),
        },
        "changes": [
            {
                "code": change.code,
                "facts": dict(change.facts),
                "text": change_words(words, change),
                "is_proved": change.is_proved,
                "proof": change.proof,
                "dates": [request.cycle.date_of(day).isoformat() for day in change.days],
                "delta_drive_m": change.delta_drive_m,
                "delta_work_s": change.delta_work_s,
            }
            for change in told.changes
        ],
    }


def show_places(
    console: Console,
    words: Words,
    request: PlanRequest,
    plan: Plan,
    stop: Stop,
    places: Sequence[Place],
) -> None:
    """Places by added driving, with what they move."""
    if not places:
        console.print(words("edit.insert.none", stop=stop.name), markup=False)
        return
    table = Table(title=words("edit.insert.title", stop=stop.name))
    table.add_column(words("edit.when"))
    table.add_column(words("edit.after"))
    for code in ("km", "drive_min", "work_min", "moved"):
        table.add_column(words(f"edit.{code}"), justify="right")
    names = {s.stop_id: s.name for s in request.stops}
    runs = {(r.vehicle_id, r.day): r for r in plan.runs}
    for place in places:
        before = []
        for edit in place.edits:
            run = runs.get((edit.vehicle_id, edit.day))
            at = (edit.position or 0) - 1
            before.append(names[run.visits[at].stop_id] if run and at >= 0 else "—")
        table.add_row(
            "\n".join(
                visit_words(words, request, e.vehicle_id, e.day, e.at_s or 0) for e in place.edits
            ),
            "\n".join(before),
            signed(words, place.added_drive_m / 1000, 1),
            signed(words, place.added_drive_s / MINUTE_S),
            signed(words, place.added_work_s / MINUTE_S),
            words.number(num_moved(place)),
        )
    console.print(table)


def num_moved(place: Place) -> int:
    """Published times of other stops that a place changes."""
    stop_id = place.edits[0].stop_id
    return sum(c.stop_id != stop_id for c in place.judgement.changed)


def place_facts(request: PlanRequest, place: Place) -> dict[str, Any]:
    """A place as JSON has it; ``start_s`` are seconds from midnight."""
    return {
        "visits": [
            {
                "vehicle_id": edit.vehicle_id,
                "date": request.cycle.date_of(edit.day).isoformat(),
                "position": edit.position,
                "start_s": edit.at_s,
            }
            for edit in place.edits
        ],
        "added_drive_s": place.added_drive_s,
        "added_drive_m": place.added_drive_m,
        "added_work_s": place.added_work_s,
        "num_other_times_changed": num_moved(place),
    }
