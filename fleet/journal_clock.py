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
) -> dict[EventId, Corrected]:
    """The times of one device's events.

    Parameters
    ----------
    events
        Of one device; any order.
    received_at
        When the server first got each; nothing happens after that.

    Returns
    -------
    dict
        Times never go back from one sequence number to the next.
    """
    stretches = _stretches(events, marks)
    _offsets_across(stretches)
    found: dict[EventId, Corrected] = {}
    last = datetime.min.replace(tzinfo=UTC)
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


def _rounded(at: datetime) -> datetime:
    """To the millisecond, as devices tell time."""
    millis = round(at.microsecond / 1000)
    return at.replace(microsecond=0) + timedelta(milliseconds=millis)


def _stretches(events: Sequence[JournalEvent], marks: Sequence[ClockMark]) -> list[_Stretch]:
    entries: list[tuple[tuple[int, int, datetime], JournalEvent | ClockMark]] = [
        ((e.sequence, 0, e.utc_at), e) for e in events
    ]
    entries += [((m.sequence, 1, m.server_at), m) for m in marks]
    found = [_Stretch([], [])]
    before: datetime | None = None
    for _, entry in sorted(entries, key=lambda pair: pair[0]):
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
