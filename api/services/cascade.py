"""What follows from a change of promised visits: a registry of steps, each with its inverse.

A step takes the session and the change, does its part, and tells each thing that it changed as an
``Effect`` with the state before and after. The effects are stored with the exception, so that one
undo hands them back to the steps in reverse order. ``CASCADE`` is the registry: whatever hangs on
a stop visit (holds, due dates) adds a step of its own by ``join``.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Protocol

from sqlmodel import Session

from api.services.letter_queue import queue_notices, take_back_notices
from api.services.restored import TakenBack, restored_notices
from data.db import publication_store
from data.model.cancellation import Effect, Notice, next_visit
from data.model.errors import ConflictError
from data.model.place import StopId
from data.model.publication import Moment, PromisedVisit, VisitId, VisitState


class ChangeOf(StrEnum):
    """What made promised visits change."""

    CANCEL = "cancel"
    MAKE_UP = "make_up"
    BREAKDOWN = "breakdown"
    """The rest of a vehicle's day: some visits with another vehicle or time, some cancelled."""
    PUBLISH = "publish"
    """A new timetable; its effects are not kept, for it is not undone but followed by another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of promised visits and what it means for the stops concerned.

    Parameters
    ----------
    before, after
        The visits that change, in one order; ``before`` lacks those that are added.
    next_before, next_after
        For every stop concerned its next real visit: the first still meant to happen.
    now
        By the region's clocks.
    """

    kind: ChangeOf
    region_id: str
    at: datetime
    now: Moment
    before: tuple[PromisedVisit, ...] = ()
    after: tuple[PromisedVisit, ...] = ()
    next_before: Mapping[StopId, PromisedVisit | None]
    next_after: Mapping[StopId, PromisedVisit | None]
    exception_id: str | None = None
    reason: str = ""
    note: str = ""

    @property
    def stop_ids(self) -> tuple[StopId, ...]:
        """Stops concerned, in order of their first visit."""
        return tuple(dict.fromkeys(v.stop_id for v in self.after))


class CascadeStep(Protocol):
    """One thing that hangs on stop visits."""

    @property
    def name(self) -> str:
        """Its lasting name: effects are stored under it."""
        ...

    def apply(self, session: Session, change: Change) -> Iterable[Effect]:
        """Do what follows from the change; tell everything that was changed."""
        ...

    def revert(self, session: Session, change: Change, effects: Sequence[Effect]) -> None:
        """Undo effects of this step, given newest first; ``change`` is the undoing."""
        ...


class VisitStep:
    """The visits themselves; calendars learn of it by a greater sequence, in either direction."""

    name = "visit"

    def apply(self, session: Session, change: Change) -> Iterator[Effect]:
        if change.kind is ChangeOf.PUBLISH:
            return
        publication_store.put_visits(session, change.after)
        before = {v.visit_id: v for v in change.before}
        for visit in change.after:
            was = before.get(visit.visit_id)
            is_moved = was is not None and laid_of(was) != laid_of(visit)
            yield Effect(
                step=self.name,
                subject=visit.visit_id,
                before=None if was is None else _standing(was, with_times=is_moved),
                after=_standing(visit, with_times=is_moved),
            )

    def revert(self, session: Session, change: Change, effects: Sequence[Effect]) -> None:
        visits = publication_store.get_visits(
            session, change.region_id, (VisitId(e.subject) for e in effects)
        )
        by_id = {v.visit_id: v for v in visits}
        restored = []
        for effect in effects:
            visit = by_id[VisitId(effect.subject)]
            after = effect.after or {}
            is_as_left = (visit.state.value, visit.reason) == (after["state"], after["reason"])
            if not is_as_left or after.get("laid", laid_of(visit)) != laid_of(visit):
                raise ConflictError(
                    "cancel.changed_since",
                    visit_id=visit.visit_id,
                    date=visit.opens_date.isoformat(),
                )
            if is_too_late(visit, change.now, change.at):
                # What was not held in the past was not held.
                continue
            gone = {"state": VisitState.WITHDRAWN.value, "reason": ""}
            state = effect.before or gone
            visit = replace(visit, **_laid_in(state))
            if is_too_late(visit, change.now, change.at):
                # Its time before is over too: it stays where it was moved to.
                continue
            restored.append(
                replace(
                    visit,
                    state=VisitState(state["state"]),
                    reason=state["reason"],
                    sequence=visit.sequence + 1,
                    changed_at=change.at,
                )
            )
        publication_store.put_visits(session, restored)


def is_too_late(visit: PromisedVisit, now: Moment, at: datetime) -> bool:
    """Whether a visit has begun without anybody there; one that was under way may go on.

    ``now`` is what the region's clocks show at ``at``.
    """
    if visit.begins > now:
        return False
    left = _clock(now) - (at - visit.changed_at)
    return left < _clock(visit.begins) or visit.ends <= now


def _clock(moment: Moment) -> datetime:
    return datetime.combine(moment[0], time()) + timedelta(seconds=moment[1])


def _standing(visit: PromisedVisit, *, with_times: bool = False) -> dict[str, object]:
    told = {"state": visit.state.value, "reason": visit.reason, "sequence": visit.sequence}
    return told | ({"laid": laid_of(visit)} if with_times else {})


_LAID = ("vehicle_id", "position", "arrival_s", "start_s", "end_s", "departure_s")


def laid_of(visit: PromisedVisit) -> dict[str, object]:
    """Vehicle, date and times of a visit as JSON has them."""
    told: dict[str, object] = {name: getattr(visit, name) for name in _LAID}
    return told | {"service_date": visit.service_date.isoformat()}


def _laid_in(standing: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``laid_of`` in what was kept of a visit; none where they never changed."""
    laid = dict(standing.get("laid") or {})
    if laid:
        laid["service_date"] = date.fromisoformat(laid["service_date"])
    return laid


class NextVisitStep:
    """Tells for each stop which visit readers can now count on; nothing of it is stored twice."""

    name = "next_visit"

    def apply(self, session: Session, change: Change) -> Iterator[Effect]:
        if change.kind is ChangeOf.PUBLISH:
            return
        for stop_id in change.stop_ids:
            before, after = change.next_before.get(stop_id), change.next_after.get(stop_id)
            yield Effect(
                step=self.name,
                subject=stop_id,
                before=None if before is None else {"visit_id": before.visit_id},
                after=None if after is None else {"visit_id": after.visit_id},
            )

    def revert(self, session: Session, change: Change, effects: Sequence[Effect]) -> None:
        """Nothing to take back: what is next is always read from the visits."""


class NoticeStep:
    """Notices to the readers of each stop, and letters to those who asked for them."""

    name = "notice"

    def apply(self, session: Session, change: Change) -> Iterator[Effect]:
        if change.kind is ChangeOf.BREAKDOWN:
            notices = list(self._broken_down(change))
        elif change.kind is ChangeOf.CANCEL:
            notices = [self._cancelled(change, stop_id) for stop_id in change.stop_ids]
        elif change.kind is ChangeOf.MAKE_UP:
            notices = [self._made_up(change, stop_id) for stop_id in change.stop_ids]
        else:
            return
        publication_store.add_notices(session, notices)
        queue_notices(session, notices)
        for notice in notices:
            facts = {"code": notice.code, "stop_id": notice.stop_id}
            yield Effect(step=self.name, subject=notice.notice_id, before=None, after=facts)

    def revert(self, session: Session, change: Change, effects: Sequence[Effect]) -> None:
        publication_store.set_withdrawn(session, (e.subject for e in effects), change.at)
        take_back_notices(
            session,
            change.region_id,
            [e.subject for e in effects],
            change.before,
            exception_id=change.exception_id,
            now=change.now,
            at=change.at,
        )

    def _broken_down(self, change: Change) -> Iterator[Notice]:
        """Of cancelled visits and of other times; another vehicle at the same time is no news."""
        before = {v.visit_id: v for v in change.before}
        gone = {v.stop_id for v in change.after if not v.is_coming}
        yield from (
            self._cancelled(change, stop_id) for stop_id in change.stop_ids if stop_id in gone
        )
        for visit in change.after:
            was = before[visit.visit_id]
            if visit.is_coming and (was.opens_date, was.opens_s) != (
                visit.opens_date,
                visit.opens_s,
            ):
                facts: dict[str, object] = {
                    "old_date": was.opens_date.isoformat(),
                    "old_start_s": was.opens_s,
                    "new_date": visit.opens_date.isoformat(),
                    "new_start_s": visit.opens_s,
                    "count": 1,
                }
                yield _notice(change, visit, "notice.moved", facts, until=visit)

    def _cancelled(self, change: Change, stop_id: StopId) -> Notice:
        visits = [v for v in change.after if v.stop_id == stop_id and not v.is_coming]
        facts: dict[str, object] = {
            "date": visits[0].opens_date.isoformat(),
            "start_s": visits[0].opens_s,
            "last_date": visits[-1].opens_date.isoformat(),
            "count": len(visits),
            "reason": change.reason,
            "note": change.note,
        }
        following = change.next_after.get(stop_id)
        if following is not None:
            facts["next_date"] = following.opens_date.isoformat()
            facts["next_start_s"] = following.opens_s
        return _notice(change, visits[0], "notice.cancelled", facts, until=visits[-1])

    def _made_up(self, change: Change, stop_id: StopId) -> Notice:
        visit = next(v for v in change.after if v.stop_id == stop_id)
        missed = next(v for v in change.before if v.visit_id == visit.make_up_for)
        facts: dict[str, object] = {
            "date": missed.opens_date.isoformat(),
            "start_s": missed.opens_s,
            "new_date": visit.opens_date.isoformat(),
            "new_start_s": visit.opens_s,
            "new_end_s": visit.closes_s,
        }
        return _notice(change, visit, "notice.make_up", facts, until=visit)


def _notice(
    change: Change,
    visit: PromisedVisit,
    code: str,
    facts: Mapping[str, object],
    *,
    until: PromisedVisit,
) -> Notice:
    return Notice(
        notice_id=uuid.uuid4().hex,
        region_id=change.region_id,
        stop_id=visit.stop_id,
        visit_id=visit.visit_id,
        exception_id=change.exception_id,
        code=code,
        facts=facts,
        shown_from_date=change.now[0],
        shown_until_date=max(until.opens_date, change.now[0] + timedelta(days=1)),
        created_at=change.at,
    )


CASCADE: list[CascadeStep] = [VisitStep(), NextVisitStep(), NoticeStep()]
"""Steps in the order in which they are applied; undone in the reverse."""


def join(step: CascadeStep) -> None:
    """Add a step after those that are there; joining twice is joining once.

    Raises
    ------
    ValueError
        Where another step has the name.
    """
    known = {s.name: s for s in CASCADE}
    if known.get(step.name, step) is not step:
        raise ValueError(f"the cascade has a step {step.name!r} already")
    if step.name not in known:
        CASCADE.append(step)


def leave(step: CascadeStep) -> None:
    """Take a step out again."""
    CASCADE.remove(step)


def run_cascade(session: Session, change: Change) -> tuple[Effect, ...]:
    """Let every step do its part; gives all that was changed, in order."""
    effects: list[Effect] = []
    for step in CASCADE:
        effects += step.apply(session, change)
    return tuple(effects)


def undo_cascade(session: Session, change: Change, effects: Sequence[Effect]) -> None:
    """Hand effects back to their steps, the last step and the newest effect first.

    Raises
    ------
    ConflictError
        ``cancel.unknown_step`` for effects of a step that is not there any more.
    """
    known = {s.name for s in CASCADE}
    for effect in effects:
        if effect.step not in known:
            raise ConflictError("cancel.unknown_step", step=effect.step)
    for step in reversed(CASCADE):
        own = [e for e in reversed(effects) if e.step == step.name]
        if own:
            step.revert(session, change, own)
    _tell_restored(session, change, [e for e in effects if e.step == NoticeStep.name])


def _tell_restored(session: Session, change: Change, withdrawn: Sequence[Effect]) -> None:
    """Tell readers of what takes place after all, now that every step is back where it was."""
    undone = TakenBack(
        region_id=change.region_id,
        exception_id=change.exception_id,
        before=change.before,
        now=change.now,
        at=change.at,
    )
    publication_store.add_notices(session, list(restored_notices(session, undone, withdrawn)))


def next_visits(
    visits: Iterable[PromisedVisit], stop_ids: Iterable[StopId], now: Moment
) -> dict[StopId, PromisedVisit | None]:
    """For each stop its next real visit."""
    by_stop: dict[StopId, list[PromisedVisit]] = {stop_id: [] for stop_id in stop_ids}
    for visit in visits:
        if visit.stop_id in by_stop:
            by_stop[visit.stop_id].append(visit)
    return {stop_id: next_visit(own, now) for stop_id, own in by_stop.items()}
