"""What a plan breaks, leaves out and how it came to be, in words and tied to places on a board."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import TypeAdapter

from api.words import Words
from data.model.calendar import DAYS_PER_WEEK
from data.model.fleet import VehicleId
from data.model.place import StopId
from data.model.plan import PlanRequest, Unserved, Violation
from data.model.rule_notes import Provisional, note_of, provisional_rules

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OF_WEEKDAYS = frozenset({"allowed", "weekday"})
_MONDAY = date(2026, 3, 2)
_PROVISIONAL = TypeAdapter(Provisional)
DESK_NOTE = "rules.provisional_desk"
"""The note on ended rules for who works at the desk, not with files."""
LATE = frozenset({"rule.duty_late", "rule.shift", "rule.window_missed"})
"""Rules whose breach means that a run or a visit ends later than it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A broken rule as a person reads it, and what on the board it is about.

    ``days`` are cycle days; without a vehicle they are those of the stop's visits that it is about,
    without days all of them.
    """

    code: str
    text: str
    stop_id: StopId | None = None
    vehicle_id: VehicleId | None = None
    days: tuple[int, ...] = ()
    is_late: bool = False
    key: tuple[object, ...] = field(default=(), compare=False)
    """What it is about, whatever its amounts: a rule broken before and after an edit has one."""


def told_violations(
    words: Words, request: PlanRequest, violations: Sequence[Violation]
) -> tuple[Told, ...]:
    """Each broken rule in words."""
    names = {str(s.stop_id): s.name for s in request.stops}
    return tuple(_told(words, request, names, violation) for violation in violations)


def _told(
    words: Words, request: PlanRequest, names: Mapping[str, str], violation: Violation
) -> Told:
    facts = dict(violation.facts)
    stop_id, vehicle_id = facts.get("stop_id"), facts.get("vehicle_id")
    if stop_id is not None:
        facts["stop"] = names.get(str(stop_id), stop_id)
    return Told(
        code=violation.code,
        text=words(violation.code, **readable(words, facts)),
        stop_id=None if stop_id is None else StopId(str(stop_id)),
        vehicle_id=None if vehicle_id is None else VehicleId(str(vehicle_id)),
        days=_days(request, facts),
        is_late=violation.code in LATE,
        key=key_of(violation),
    )


def rule_notes(words: Words, request: PlanRequest) -> list[str]:
    """What is to be known of rules that a plan keeps past their end, as pages tell it."""
    return [note_of(rules, words, DESK_NOTE) for rules in provisional_rules(request)]


def rule_notes_of(words: Words, facts: Mapping[str, Any]) -> list[str]:
    """The same from what was noted of a plan when it was made (``api.jobs.packing``)."""
    return [
        note_of(_PROVISIONAL.validate_python(rules), words, DESK_NOTE)
        for rules in facts.get("provisional_rules", ())
    ]


def key_of(violation: Violation) -> tuple[object, ...]:
    """What a violation is about, whatever its amounts."""
    named = ("vehicle_id", "stop_id", "specialist_id", "day", "date", "week")
    return (violation.code, *(violation.facts.get(name) for name in named))


def _days(request: PlanRequest, facts: Mapping[str, Any]) -> tuple[int, ...]:
    """The days that a violation names: a day, a date, two dates or a week."""
    cycle, days = request.cycle, set()
    if isinstance(facts.get("day"), int):
        days.add(int(facts["day"]))
    for name in ("date", "next_date"):
        on = _as_date(facts.get(name))
        if on is not None:
            day = cycle.day_of(on)
            # The day after the last one of a cycle is its first.
            days.add(day % cycle.num_days if cycle.repeats else day)
    if isinstance(facts.get("week"), int) and facts.get("vehicle_id") is not None:
        first = min(days, default=DAYS_PER_WEEK * (int(facts["week"]) - 1))
        monday = first - first % DAYS_PER_WEEK
        days |= set(range(monday, monday + DAYS_PER_WEEK))
    return tuple(sorted(d for d in days if 0 <= d < cycle.num_days))


def readable(words: Words, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts whose dates, weekdays and broken numbers are written as the language does."""
    return {name: _readable(words, name, value) for name, value in facts.items()}


def _readable(words: Words, name: str, value: Any) -> Any:
    on = _as_date(value)
    if on is not None:
        return words.day(on, "EEE d MMM")
    if name in _OF_WEEKDAYS and isinstance(value, str):
        parts = value.split(", ")
        if all(part in _WEEKDAYS for part in parts):
            days = (date.fromordinal(_MONDAY.toordinal() + _WEEKDAYS.index(p)) for p in parts)
            return ", ".join(words.weekday(day) for day in days)
    return words.number(value, 1) if isinstance(value, float) else value


def _as_date(value: object) -> date | None:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def told_unserved(words: Words, left: Unserved) -> str:
    """Why a stop is left out: in a sentence with its amounts, in a few words where none is told."""
    told = words(f"{left.reason}.detail", **readable(words, left.facts))
    return words(left.reason) if "{" in told else told


def told_step(words: Words, step: Mapping[str, Any]) -> str:
    """What was done to a plan, from the code and facts of ``plan_steps.told``."""
    facts = {k: v for k, v in step.items() if k not in ("code", "first", "n", "at_s")}
    code = str(step.get("code") or "step.begun")
    if "at_s" in step:
        facts["clock"] = words.clock(int(step["at_s"]))
    if isinstance(step.get("first"), Mapping):
        facts["first"] = told_step(words, step["first"])
    if "n" in step:
        return words.count(code, int(step["n"]), **readable(words, facts))
    return words(code, **readable(words, facts))
