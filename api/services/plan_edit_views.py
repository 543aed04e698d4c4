"""What steps do to a plan and where a stop fits, as the API tells it."""

from collections.abc import Mapping

from api.schemas.plans import (
    AddStep,
    ChangePublic,
    EditPublic,
    PlacePublic,
    PlacesPublic,
    TimePublic,
)
from api.services.editing import Edited, Taken
from api.services.plan_views import (
    BoardState,
    board_frame,
    board_state,
    runs_view,
    summary_view,
    violations_view,
)
from api.services.plan_words import told_unserved
from api.words import Words
from data.model.place import Stop
from data.model.plan import Plan, PlanRequest
from planner.changes import Time
from planner.insert import Place

MOST_CHANGES = 60


def edit_public(words: Words, before: Plan, edited: Edited) -> EditPublic:
    """What steps do, without a stored state."""
    request = edited.request
    names = {s.stop_id: s.name for s in request.stops}
    known = {(r.vehicle_id, r.day): r for r in before.runs}
    touched = [r for r in edited.plan.runs if known.get((r.vehicle_id, r.day)) != r]
    published = [c for c in edited.changed if c.is_published]
    return EditPublic(
        is_legal=not edited.broken,
        broken=violations_view(words, request, edited.broken, edited.broken),
        num_mended=edited.num_mended,
        num_violations=len(edited.violations),
        delta_people=edited.delta_people,
        delta_drive_m=edited.delta_drive_m,
        delta_drive_s=edited.delta_drive_s,
        delta_work_s=edited.delta_work_s,
        num_changed=len(published),
        changed=[
            ChangePublic(
                stop_id=c.stop_id,
                stop=names.get(c.stop_id, c.stop_id),
                before=_time(c.before),
                after=_time(c.after),
                is_published=c.is_published,
            )
            for c in published[:MOST_CHANGES]
        ],
        summary=summary_view(edited.summary),
        runs=runs_view(request, Plan(runs=tuple(touched))),
        state=None,
    )


def _time(time: Time | None) -> TimePublic | None:
    if time is None:
        return None
    return TimePublic(day=time.day, start_s=time.start_s, vehicle_id=time.vehicle_id)


def taken_public(
    words: Words, before: Plan, taken: Taken, names: Mapping[str, str], *, is_wider: bool
) -> EditPublic:
    """What steps did, with the state that was stored.

    Parameters
    ----------
    is_wider
        Whether a new stop joined the plan, so that a board needs its frame anew.
    """
    told = edit_public(words, before, taken.edited)
    edited, opened = taken.edited, taken.opened
    state: BoardState = board_state(
        words, opened, edited.violations, edited.summary, names, broken=edited.broken
    )
    frame = board_frame(words, opened) if is_wider else None
    return told.model_copy(update={"state": state, "frame": frame})


def places_public(
    words: Words, request: PlanRequest, plan: Plan, stop: Stop, places: tuple[Place, ...]
) -> PlacesPublic:
    """The ways to serve a stop, each in a line and as the steps that take it."""
    left = next((u for u in plan.unserved if u.stop_id == stop.stop_id), None)
    return PlacesPublic(
        stop_id=stop.stop_id,
        stop=stop.name,
        reason="" if left is None else told_unserved(words, left),
        is_estimated=any(m.is_estimated for m in request.travel.values()),
        places=[_place(words, request, stop, place) for place in places],
    )


def _place(words: Words, request: PlanRequest, stop: Stop, place: Place) -> PlacePublic:
    vehicles = {v.vehicle_id: v.name for v in request.vehicles}
    visits = [
        words(
            "edit.visit",
            date=words.day(request.cycle.date_of(edit.day), "EEE d MMM"),
            clock=words.clock(edit.at_s or 0),
            vehicle=vehicles[edit.vehicle_id],
        )
        for edit in place.edits
    ]
    return PlacePublic(
        text="; ".join(visits),
        steps=[
            AddStep(
                kind="add",
                stop_id=edit.stop_id,
                vehicle_id=edit.vehicle_id,
                day=edit.day,
                position=edit.position,
                at_s=edit.at_s,
            )
            for edit in place.edits
        ],
        delta_people=stop.people or 0,
        added_drive_m=place.added_drive_m,
        added_drive_s=place.added_drive_s,
        added_work_s=place.added_work_s,
    )
