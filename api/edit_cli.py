"""The commands that bend a plan by hand: explain, insert, move."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from api.common_cli import JsonOption, LangOption, print_json, progress_console, words_for
from api.show_changes import change_facts, show_changes
from api.show_edit import (
    explanation_facts,
    place_facts,
    show_explanation,
    show_explanations,
    show_places,
    signed,
    visit_words,
)
from api.show_plan import show_violations, violation_facts
from api.terminal import progress_bars
from api.words import Words
from data.feeds.plan_file import read_plan, write_plan
from data.model.calendar import HOUR_S, MINUTE_S
from data.model.errors import RequestError
from data.model.fleet import Vehicle
from data.model.place import Stop
from data.model.plan import Plan, PlanRequest
from planner.edit import Add, Edit, Judgement, Move, judge
from planner.explanations import explain_all
from planner.insert import best_places
from planner.relax import explain as explain_stop
from planner.warm_up import warm_up

PlanArgument = Annotated[Path, typer.Argument(metavar="PLAN.json", help="Plan file.")]
StopArgument = Annotated[str, typer.Argument(metavar="STOP", help="Id or whole name of a stop.")]
DATE = ["%Y-%m-%d"]
DEFAULT_EXPLAIN_S = 7.0
DEFAULT_EXPLAIN_ALL_S = 300.0


def explain(
    plan_file: PlanArgument,
    stop: Annotated[
        str | None,
        typer.Argument(metavar="STOP", help="Id or whole name; without it every unserved stop."),
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(
            "--time-limit",
            min=1.0,
            help=f"Seconds to look for proofs; {DEFAULT_EXPLAIN_S:g}, "
            f"for every stop {DEFAULT_EXPLAIN_ALL_S:g} in all.",
        ),
    ] = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Tell why a stop is not served and the least change that would serve it, with proof.

    Without a stop: the same of every unserved one, the most worth first, in one table.
    """
    console, words = Console(), words_for(lang)
    request, plan = read_plan(plan_file)
    if stop is None:
        _explain_every(console, words, request, plan, time_limit or DEFAULT_EXPLAIN_ALL_S, as_json)
        return
    wanted = find_stop(request, stop)
    warm_up()
    told = explain_stop(request, plan, wanted, time_limit_s=time_limit or DEFAULT_EXPLAIN_S)
    if as_json:
        print_json(explanation_facts(words, request, told))
    else:
        show_explanation(console, words, told)


def _explain_every(
    console: Console,
    words: Words,
    request: PlanRequest,
    plan: Plan,
    time_limit_s: float,
    as_json: bool,  # noqa: FBT001 - the option of the command
) -> None:
    """Every unserved stop with its reason and the least change proved to serve it."""
    with progress_bars(progress_console() if as_json else console, words) as bars:
        bars.phase("phase.compile")
        warm_up()
        bars.phase("phase.explain")

        def tell(done: int, total: int) -> None:
            bars.fraction(done / total)
            bars.best("edit.explain.done", done=words.number(done), total=words.number(total))

        found = explain_all(
            request, plan, time_limit_s=time_limit_s, progress=tell, should_stop=bars.should_stop
        )
    if as_json:
        print_json({"stops": [explanation_facts(words, request, told) for told in found]})
    else:
        show_explanations(console, words, found)


def insert(
    plan_file: PlanArgument,
    stop: StopArgument,
    most: Annotated[int, typer.Option("--most", min=1, help="Most places to list.")] = 10,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """List where a stop fits into a plan as it stands, least added driving first."""
    console, words = Console(), words_for(lang)
    request, plan = read_plan(plan_file)
    wanted = find_stop(request, stop)
    places = best_places(request, plan, wanted, most=most)
    if as_json:
        found = [place_facts(request, place) for place in places]
        print_json({"stop_id": wanted.stop_id, "stop": wanted.name, "places": found})
    else:
        show_places(console, words, request, plan, wanted, places)


def move(
    plan_file: PlanArgument,
    stop: StopArgument,
    to: Annotated[str, typer.Option("--to", metavar="VEHICLE", help="Id or name of a vehicle.")],
    day: Annotated[datetime, typer.Option("--day", formats=DATE, help="Date of the cycle.")],
    start: Annotated[
        datetime | None,
        typer.Option("--from", formats=DATE, help="Which visit; without it all, days kept apart."),
    ] = None,
    at: Annotated[str | None, typer.Option("--at", help="When the doors open, HH:MM.")] = None,
    after: Annotated[
        str | None, typer.Option("--after", metavar="STOP", help="Stop of the run to come after.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; else PLAN-edited.json.")
    ] = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Move a stop to a vehicle and day, or put it in: write the plan, or name each broken rule."""
    console, words = Console(), words_for(lang)
    request, plan = read_plan(plan_file)
    moved, vehicle = find_stop(request, stop), find_vehicle(request, to)
    target = (day.date() - request.cycle.start_date).days
    edits = _edits(
        request,
        plan,
        moved,
        vehicle,
        target,
        first=None if start is None else (start.date() - request.cycle.start_date).days,
        at_s=None if at is None else clock_s(at),
        after=None if after is None else find_stop(request, after),
    )
    judged = judge(request, plan, edits)
    if not judged.violations:
        path = out or edited_path(plan_file)
        write_plan(path, request, judged.plan)
    if as_json:
        print_json(_move_facts(words, request, moved, judged))
    else:
        _show_move(console, words, request, plan, moved, judged)
        if not judged.violations:
            console.print(words("cli.written", folder=path), markup=False)
    if judged.violations:
        raise typer.Exit(1)


def _edits(
    request: PlanRequest,
    plan: Plan,
    stop: Stop,
    vehicle: Vehicle,
    day: int,
    *,
    first: int | None,
    at_s: int | None,
    after: Stop | None,
) -> list[Edit]:
    """The visit of ``first``, or all of them by as many days, or a first visit for the stop."""
    days = plan.days_of(stop.stop_id)
    moving = days if first is None else (first,)
    position = None if after is None else _position(request, plan, vehicle, day, after, stop)
    if not days:
        return [
            Add(
                stop_id=stop.stop_id,
                vehicle_id=vehicle.vehicle_id,
                day=day,
                position=position,
                at_s=at_s,
            )
        ]
    return [
        Move(
            stop_id=stop.stop_id,
            from_day=one,
            vehicle_id=vehicle.vehicle_id,
            day=day if k == 0 else (day + one - moving[0]) % request.cycle.num_days,
            position=position if k == 0 else None,
            at_s=at_s,
        )
        for k, one in enumerate(moving)
    ]


def _position(
    request: PlanRequest, plan: Plan, vehicle: Vehicle, day: int, after: Stop, moved: Stop
) -> int:
    """The position behind a stop in the run of a vehicle-day, the moved stop not counted."""
    order = [
        v.stop_id
        for r in plan.runs
        if (r.vehicle_id, r.day) == (vehicle.vehicle_id, day)
        for v in r.visits
        if v.stop_id != moved.stop_id
    ]
    if after.stop_id not in order:
        raise RequestError(
            "edit.after_absent",
            stop=after.name,
            vehicle=vehicle.name,
            date=request.cycle.date_of(day).isoformat(),
        )
    return order.index(after.stop_id) + 1


def find_stop(request: PlanRequest, text: str) -> Stop:
    """The stop with an id, else the only one with a name.

    Raises
    ------
    RequestError
        ``edit.no_such_stop``, ``edit.ambiguous``.
    """
    named = [s for s in request.stops if s.stop_id == text]
    named = named or [s for s in request.stops if s.name == text]
    if not named:
        raise RequestError("edit.no_such_stop", value=text)
    if len(named) > 1:
        ids = ", ".join(sorted(s.stop_id for s in named))
        raise RequestError("edit.ambiguous", value=text, ids=ids)
    return named[0]


def find_vehicle(request: PlanRequest, text: str) -> Vehicle:
    """The vehicle with an id, else the only one with a name.

    Raises
    ------
    RequestError
        ``edit.no_such_vehicle``, also where several have the name.
    """
    named = [v for v in request.vehicles if v.vehicle_id == text]
    named = named or [v for v in request.vehicles if v.name == text]
    if len(named) != 1:
        known = ", ".join(f"{v.vehicle_id} ({v.name})" for v in request.vehicles)
        raise RequestError("edit.no_such_vehicle", value=text, known=known)
    return named[0]


def clock_s(text: str) -> int:
    """Seconds from midnight of ``HH:MM``.

    Raises
    ------
    RequestError
        ``edit.bad_clock``.
    """
    hours, colon, minutes = text.partition(":")
    is_clock = colon and hours.isdecimal() and minutes.isdecimal() and len(minutes) == 2
    if not is_clock or int(hours) > 23 or int(minutes) > 59:
        raise RequestError("edit.bad_clock", value=text)
    return int(hours) * HOUR_S + int(minutes) * MINUTE_S


def edited_path(plan_file: Path) -> Path:
    """Where an edited plan goes: beside the first one, so that this one stays as it was."""
    if plan_file.stem.endswith("-edited"):
        return plan_file
    return plan_file.with_name(f"{plan_file.stem}-edited.json")


def _move_facts(
    words: Words, request: PlanRequest, stop: Stop, judged: Judgement
) -> dict[str, Any]:
    return {
        "stop_id": stop.stop_id,
        "stop": stop.name,
        "is_legal": not judged.violations,
        "violations": [violation_facts(words, request, v) for v in judged.violations],
        "delta_prize": judged.delta_prize,
        "delta_drive_s": judged.delta_drive_s,
        "delta_drive_m": judged.delta_drive_m,
        "delta_work_s": judged.delta_work_s,
        "changed": [change_facts(words, request, c) for c in judged.changed],
    }


def _show_move(
    console: Console,
    words: Words,
    request: PlanRequest,
    before: Plan,
    stop: Stop,
    judged: Judgement,
) -> None:
    visits = [
        visit_words(words, request, r.vehicle_id, r.day, v.start_s)
        for r in judged.plan.runs
        for v in r.visits
        if v.stop_id == stop.stop_id
    ]
    console.print(
        words(
            "edit.move.done",
            stop=stop.name,
            visits="; ".join(visits),
            km=signed(words, judged.delta_drive_m / 1000, 1),
            minutes=signed(words, judged.delta_work_s / MINUTE_S),
        ),
        markup=False,
    )
    show_changes(console, words, request, before, judged.plan)
    if judged.violations:
        show_violations(console, words, request, judged.violations)
        console.print(words("edit.move.broken"))
