"""When events happened in truth, though the clock of the tablet was wrong.

Whenever a device speaks with the server, both tell their time: a mark. Between two marks a clock is
taken to drift evenly; before the first and after the last it is off by as much as there. Where a
clock was set by hand, the two marks beside the jump do not lie on one line: the events are cut into
stretches of steady running, each corrected by the marks within it, or else, across the jump.

A jump is known where the device saw it (it compares its clock with one that only counts on) or
where its clock went backwards from one event to the next. One that only the marks betray is put
where most time is missing between two events.

References
----------
Cristian (1989), doi:10.1007/BF01784024: the offset of a clock from one exchange.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from data.model.journal import EventId, JournalEvent
from data.model.journal_bodies import ClockSetBody

BACK_S = 1.0
"""A clock that goes back by more was set."""
STEADY_RATIO = 0.001
"""Drift beyond 3.6 s an hour is no drift; such marks are not joined by a line."""
STEADY_S = 5.0
"""Marks may differ by so much because of the network alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockMark:
    """A device's time and the server's at one moment, after the event of ``sequence``.

    ``server_at`` is in the middle of the exchange, as well as the server knows.
    """

    device_id: str
    sequence: int
    device_at: datetime
    server_at: datetime

    @property
    def offset_s(self) -> float:
        """What must be added to the device's time."""
        return (self.server_at - self.device_at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """When an event happened.

    ``is_doubtful`` says that no mark tells how far off the clock was, or that the corrected time
    would lie in the future and was put back to when the server got it.
    """

    at: datetime
    offset_s: float
    is_doubtful: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockAnchor:
    """How a device's clock stood where the settled part of its journal ends.

    Parameters
    ----------
    sequence
        Greatest number of the settled part.
    marks
        The last marks before it on one steady line, by time; later events are reckoned from them.
    device_at
        The device's time at the last thing before it; a clock that goes back from there was set.
    at
        When the last settled event happened.
    gaps
        Numbers up to ``sequence`` that had not come.
    """

    device_id: str
    sequence: int
    marks: tuple[ClockMark, ...] = ()
    device_at: datetime | None = None
    at: datetime
    gaps: tuple[int, ...] = ()

    def is_past(self, mark: ClockMark) -> bool:
        """Whether a mark belongs to the settled part."""
        if mark.sequence != self.sequence or not self.marks:
            return mark.sequence <= self.sequence
        return mark.server_at <= self.marks[-1].server_at


_MARKS_KEPT = 4


def anchored(
    device_id: str,
    sequence: int,
    events: Sequence[JournalEvent],
    marks: Sequence[ClockMark],
    found: Mapping[EventId, Corrected],
    before: ClockAnchor | None = None,
) -> ClockAnchor:
    """The anchor of a device's journal after an event.

    Parameters
    ----------
    events, marks
        All of the device that are not settled yet.
    found
        As ``correct`` gave it.
    """
    known = {e.sequence for e in events}
    first = 1 if before is None else before.sequence + 1
    own = [e for e in events if first <= e.sequence <= sequence]
    until = [m for m in marks if m.sequence <= sequence and not (before and before.is_past(m))]
    last = _stretches(own, until, before)
    _offsets_across(last)
    gaps = [n for n in (() if before is None else before.gaps) if n not in known]
    gaps += [n for n in range(first, sequence + 1) if n not in known]
    entries: list[JournalEvent | ClockMark] = [*own, *until]
    entries.sort(key=_place)
    device_at = entries[-1].device_at if entries else None
    times = [found[e.event_id].at for e in own]
    return ClockAnchor(
        device_id=device_id,
        sequence=sequence,
        marks=tuple(last[-1].marks[-_MARKS_KEPT:]),
        device_at=device_at or (None if before is None else before.device_at),
        at=max([*times, *(() if before is None else (before.at,))]),
        gaps=tuple(gaps),
    )


def _place(entry: JournalEvent | ClockMark) -> tuple[int, int, datetime]:
    if isinstance(entry, JournalEvent):
        return entry.sequence, 0, entry.utc_at
    return entry.sequence, 1, entry.server_at


@dataclass(slots=True)
class _Stretch:
    """Events and marks between which the clock ran steadily."""

    events: list[JournalEvent]
    marks: list[ClockMark]
    jump_s: float = 0.0
    """By how much the clock was set at its beginning; 0 where that is not known."""


def correct(
    events: Sequence[JournalEvent],
    marks: Sequence[ClockMark],
    received_at: Mapping[EventId, datetime],
    anchor: ClockAnchor | None = None,
) -> dict[EventId, Corrected]:
    """The times of one device's events.

    Parameters
    ----------
    events
        Of one device; any order.
    received_at
        When the server first got each; nothing happens after that.
    anchor
        Where the settled part of the journal ends. An event of a number before it has come late:
        its time follows from the marks there, and moves no other.

    Returns
    -------
    dict
        Times never go back from one sequence number to the next.
    """
    found: dict[EventId, Corrected] = {}
    last = datetime.min.replace(tzinfo=UTC)
    if anchor is not None:
        last = anchor.at
        for event in events:
            if event.sequence <= anchor.sequence:
                found[event.event_id] = _late(event, marks, received_at, anchor)
        events = [e for e in events if e.sequence > anchor.sequence]
        marks = [m for m in marks if not anchor.is_past(m)]
    stretches = _stretches(events, marks, anchor)
    _offsets_across(stretches)
    for stretch in stretches:
        for event in stretch.events:
            seconds = _offset_at(stretch.marks, event.device_at)
            is_doubtful = seconds is None
            at = _rounded(event.utc_at + timedelta(seconds=seconds or 0.0))
            latest = received_at.get(event.event_id)
            if latest is not None and at > latest:
                is_doubtful |= (at - latest).total_seconds() > STEADY_S
                at = latest
            last = max(last, at)
            offset = (last - event.utc_at).total_seconds()
            found[event.event_id] = Corrected(at=last, offset_s=offset, is_doubtful=is_doubtful)
    return found


def _late(
    event: JournalEvent,
    marks: Sequence[ClockMark],
    received_at: Mapping[EventId, datetime],
    anchor: ClockAnchor,
) -> Corrected:
    near = sorted((*marks, *anchor.marks), key=lambda m: abs(m.sequence - event.sequence))
    seconds = near[0].offset_s if near else 0.0
    at = _rounded(event.utc_at + timedelta(seconds=seconds))
    at = min(at, received_at.get(event.event_id, at), anchor.at)
    offset = (at - event.utc_at).total_seconds()
    return Corrected(at=at, offset_s=offset, is_doubtful=True)


def _rounded(at: datetime) -> datetime:
    """To the millisecond, as devices tell time."""
    millis = round(at.microsecond / 1000)
    return at.replace(microsecond=0) + timedelta(milliseconds=millis)


def _stretches(
    events: Sequence[JournalEvent],
    marks: Sequence[ClockMark],
    anchor: ClockAnchor | None = None,
) -> list[_Stretch]:
    entries: list[JournalEvent | ClockMark] = [*events, *marks]
    found = [_Stretch([], [] if anchor is None else list(anchor.marks))]
    before: datetime | None = None if anchor is None else anchor.device_at
    for entry in sorted(entries, key=_place):
        jump_s = 0.0
        if isinstance(entry, JournalEvent) and isinstance(entry.body, ClockSetBody):
            jump_s = entry.body.jump_s
        elif before is not None and (before - entry.device_at).total_seconds() > BACK_S:
            jump_s = (entry.device_at - before).total_seconds()
        elif isinstance(entry, ClockMark) and not _is_steady(found[-1].marks, entry):
            found.append(_cut(found[-1], entry))
        if jump_s:
            found.append(_Stretch([], [], jump_s))
        if isinstance(entry, JournalEvent):
            found[-1].events.append(entry)
        else:
            found[-1].marks.append(entry)
        before = entry.device_at
    return found


def _cut(stretch: _Stretch, mark: ClockMark) -> _Stretch:
    """Take from a stretch what came after its clock was set unseen; gives the stretch thereafter.

    A clock put forward leaves a gap of at least as much between two events; without such a gap it
    was set after the last of them.
    """
    jump_s = stretch.marks[-1].offset_s - mark.offset_s
    after_mark = [e for e in stretch.events if e.sequence > stretch.marks[-1].sequence]
    times = [stretch.marks[-1].device_at, *(e.device_at for e in after_mark)]
    gaps = [(b - a).total_seconds() for a, b in pairwise(times)]
    keep = len(after_mark)
    if jump_s > 0 and gaps and max(gaps) >= jump_s - STEADY_S:
        keep = gaps.index(max(gaps))
    moved = after_mark[keep:]
    if moved:
        del stretch.events[-len(moved) :]
    return _Stretch(moved, [], jump_s)


def _is_steady(marks: Sequence[ClockMark], mark: ClockMark) -> bool:
    """Whether a mark lies on the line of the one before it, for a clock that drifts a little."""
    if not marks:
        return True
    before = marks[-1]
    elapsed_s = abs((mark.server_at - before.server_at).total_seconds())
    return abs(mark.offset_s - before.offset_s) <= STEADY_S + STEADY_RATIO * elapsed_s


def _offsets_across(stretches: list[_Stretch]) -> None:
    """Give stretches without a mark one that follows from the next, or else the one before."""
    for later, earlier in zip(stretches[:0:-1], stretches[-2::-1], strict=True):
        if not earlier.marks and later.marks:
            earlier.marks = [_shifted(later.marks[0], later.jump_s)]
    for earlier, later in pairwise(stretches):
        if not later.marks and earlier.marks:
            later.marks = [_shifted(earlier.marks[-1], -later.jump_s)]


def _shifted(mark: ClockMark, by_s: float) -> ClockMark:
    """A mark as it would be on the other side of a jump."""
    return ClockMark(
        device_id=mark.device_id,
        sequence=mark.sequence,
        device_at=mark.device_at - timedelta(seconds=by_s),
        server_at=mark.server_at,
    )


def _offset_at(marks: Sequence[ClockMark], device_at: datetime) -> float | None:
    if not marks:
        return None
    times = [m.device_at for m in marks]
    after = bisect_left(times, device_at)
    if after == 0:
        return marks[0].offset_s
    if after == len(marks):
        return marks[-1].offset_s
    left, right = marks[after - 1], marks[after]
    span_s = (right.device_at - left.device_at).total_seconds()
    part = (device_at - left.device_at).total_seconds() / span_s if span_s else 0.0
    return left.offset_s + part * (right.offset_s - left.offset_s)
