"""Terminal lists: what changes for readers between two plans, and why pins cannot hold."""

from typing import Any

from rich.console import Console

from api.words import Words
from data.model.plan import Plan, PlanRequest
from planner.changes import Change, Time, changes
from planner.pinning import PIN_REASONS

MOST_CHANGES = 40
"""Changes that a terminal list shows before it only counts."""


def show_changes(
    console: Console, words: Words, request: PlanRequest, before: Plan, after: Plan
) -> None:
    """Each published time that changes on a line of its own; new stops after them."""
    found = changes(before, after)
    published = [c for c in found if c.is_published]
    new = {c.stop_id for c in found if not c.is_published}
    stops = {s.stop_id: s.name for s in request.stops}
    console.print(words.count("show.changes.count", len(published)))
    for change in published[:MOST_CHANGES]:
        line = "- " + change_in_words(words, request, change)
        console.print(line, markup=False, soft_wrap=True)
    if len(published) > MOST_CHANGES:
        console.print(words.count("show.changes.more", len(published) - MOST_CHANGES))
    if new:
        names = ", ".join(sorted(stops.get(s, str(s)) for s in new))
        told = words.count("show.changes.new", len(new), names=names)
        console.print(told, markup=False, soft_wrap=True)


def change_in_words(words: Words, request: PlanRequest, change: Change) -> str:
    """One change: the stop, when it was and when it is now."""
    stop = next((s.name for s in request.stops if s.stop_id == change.stop_id), change.stop_id)
    was, now = change.before, change.after
    if was is None and now is not None:
        return words("show.changes.added", stop=stop, now=_told(words, request, now))
    if now is None and was is not None:
        return words("show.changes.dropped", stop=stop, was=_told(words, request, was))
    assert was is not None  # a change has a side
    assert now is not None
    told = _told(words, request, was), _told(words, request, now)
    return words("show.changes.line", stop=stop, was=told[0], now=told[1])


def change_facts(words: Words, request: PlanRequest, change: Change) -> dict[str, Any]:
    """One change as JSON has it."""

    def when(time: Time | None) -> dict[str, Any] | None:
        if time is None:
            return None
        date = request.cycle.date_of(time.day).isoformat()
        return {
            "date": date,
            "start": words.clock(time.start_s),
            "end": words.clock(time.end_s),
            "vehicle_id": time.vehicle_id,
        }

    return {
        "stop_id": change.stop_id,
        "before": when(change.before),
        "after": when(change.after),
        "is_published": change.is_published,
    }


def _told(words: Words, request: PlanRequest, time: Time) -> str:
    """A published time as readers know it: weekday, date, clock time, vehicle."""
    names = {v.vehicle_id: v.name for v in request.vehicles}
    return words(
        "show.changes.time",
        day=words.day(request.cycle.date_of(time.day), "EEE d MMM"),
        time=words.clock(time.start_s),
        until=words.clock(time.end_s),
        vehicle=names.get(time.vehicle_id, str(time.vehicle_id)),
    )


def show_pin_reasons(console: Console, words: Words, plan: Plan) -> None:
    """Why stops cannot be served as they are pinned, one line each."""
    for left in plan.unserved:
        if left.reason in PIN_REASONS:
            console.print("  " + words(f"{left.reason}.detail", **left.facts), markup=False)
