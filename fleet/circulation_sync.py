"""One exchange with a tablet or a relay: a batch in, an answer for each event out.

An event leaves its device only when it was answered as accepted, duplicate or conflict; a refused
one stays there and is shown. Conflicts name the rule, what is proposed, and both histories: what
the vehicle knew of the item, and what everybody else did with it.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime

from data.model.journal import EventId, EventKind, JournalEvent
from data.model.journal_bodies import MoveBody
from data.model.loans import Loan
from data.model.stock import ItemMove
from fleet.circulation_outcome import Outcome, Proposal, Verdict
from fleet.circulation_replay import Replay, Step
from fleet.journal import (
    Brought,
    Journal,
    Ordering,
    Received,
    Reception,
    TimedEvent,
    items_of,
    missing_sequences,
    receive_all,
)
from fleet.journal_clock import ClockMark


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One thing that happened to an item; ids, no names."""

    at: datetime
    kind: str
    place: str
    event_id: str = ""
    device_id: str = ""
    by: str = ""
    patron_id: str = ""
    loan_id: str = ""
    verdict: str = ""
    to_place: str = ""
    """Where an item was put by it, where that is not where it happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a device is told of one of its events.

    Parameters
    ----------
    code
        Why it was refused.
    own_history, other_history
        Of a conflict: what happened to its item at the event's own place, and elsewhere.
    """

    event_id: EventId
    verdict: Verdict
    code: str = ""
    rule: str = ""
    proposal: Proposal | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    corrected_at: datetime | None = None
    is_clock_doubtful: bool = False
    own_history: tuple[HistoryLine, ...] = ()
    other_history: tuple[HistoryLine, ...] = ()

    @property
    def leaves_device(self) -> bool:
        """Whether the device may forget the event."""
        return self.verdict is not Verdict.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What an exchange came to.

    Parameters
    ----------
    answers
        One for each event of the batch, in its order.
    altered
        Events of before whose answers are other now; the devices have left them, persons see them.
    missing
        By device, the numbers of its sequence that have not come by any way.
    """

    journal: Journal
    answers: tuple[Answer, ...]
    altered: tuple[Step, ...]
    refused: tuple[Received, ...]
    missing: Mapping[str, tuple[range, ...]]


def sync(
    journal: Journal,
    replay: Replay,
    batch: Sequence[JournalEvent],
    marks: Iterable[ClockMark] = (),
    *,
    at: datetime,
    is_office: bool = True,
) -> Synced:
    """Take a batch into a journal, bring the state up to it, and answer each event.

    ``replay`` must stand at the journal; it is brought to the new one. ``is_office`` is false for
    what tablets and relays bring.
    """
    brought = Brought(batch=tuple(batch), marks=tuple(marks), at=at, is_office=is_office)
    (synced,) = sync_all(journal, replay, [brought], Ordering())
    return synced


def sync_all(
    journal: Journal, replay: Replay, brought: Sequence[Brought], ordering: Ordering
) -> list[Synced]:
    """Take what several exchanges bring, replay once, and answer each as if it came last."""
    taken, received = receive_all(journal, brought)
    all_received = [r for told in received for r in told]
    fresh = {r.event.event_id for r in all_received if r.reception is Reception.NEW}
    changed = replay.run(ordering.in_order(taken))
    altered = tuple(s for s in changed if s.timed.event.event_id not in fresh)
    wanted = {r.event.event_id for r in all_received}
    by_id = {s.timed.event.event_id: s for s in replay.steps if s.timed.event.event_id in wanted}
    by_item = _by_items(replay, [s for s in by_id.values() if _is_conflict(s)])
    last = _last_sequences(taken)
    missing: dict[str, tuple[range, ...]] = {}
    found = []
    for one, told in zip(brought, received, strict=True):
        for device in dict.fromkeys(e.device_id for e in one.batch):
            if device not in missing:
                missing[device] = missing_sequences(taken, device, last.get(device, 0))
        found.append(
            Synced(
                journal=taken,
                answers=tuple(_answer(r, by_id, replay, by_item) for r in told),
                altered=altered,
                refused=tuple(r for r in told if r.reception is Reception.REFUSED),
                missing={e.device_id: missing[e.device_id] for e in one.batch},
            )
        )
    return found


def _is_conflict(step: Step) -> bool:
    return step.outcome.verdict is Verdict.CONFLICT


def _by_items(replay: Replay, conflicts: Sequence[Step]) -> dict[str, list[Step]]:
    """The events of the items that some conflicts are about."""
    if not conflicts:
        return {}
    items = {i for s in conflicts for i in items_of(s.timed.event)}
    items |= {str(told) for s in conflicts if (told := s.outcome.facts.get("item_id"))}
    return steps_by_item(replay.steps, items)


def _last_sequences(journal: Journal) -> dict[str, int]:
    last = {device: anchor.sequence for device, anchor in journal.anchors.items()}
    for device, sequence in journal.by_sequence:
        if sequence > last.get(device, 0):
            last[device] = sequence
    return last


def steps_by_item(steps: Sequence[Step], only: Set[str] | None = None) -> dict[str, list[Step]]:
    """The events that speak of each item, or of some items, in order."""
    found: dict[str, list[Step]] = {}
    for step in steps:
        for item_id in items_of(step.timed.event):
            if only is None or item_id in only:
                found.setdefault(item_id, []).append(step)
    return found


def _answer(
    received: Received,
    steps: Mapping[EventId, Step],
    replay: Replay,
    by_item: Mapping[str, Sequence[Step]],
) -> Answer:
    event = received.event
    if received.reception is Reception.REFUSED:
        facts = {"sequence": event.sequence, "known_id": received.known_id or ""}
        return Answer(
            event_id=event.event_id, verdict=Verdict.REFUSED, code=received.code, facts=facts
        )
    step = steps[event.event_id]
    outcome = step.outcome
    is_again = received.reception is Reception.DUPLICATE
    # A conflict told again is still one: the device may have lost the first answer.
    is_conflict = outcome.verdict is Verdict.CONFLICT
    verdict = Verdict.DUPLICATE if is_again and not is_conflict else outcome.verdict
    own, other = histories(replay, step, by_item) if is_conflict else ((), ())
    return Answer(
        event_id=event.event_id,
        verdict=verdict,
        rule=outcome.rule,
        proposal=outcome.proposal,
        facts=outcome.facts,
        corrected_at=step.timed.at,
        is_clock_doubtful=step.timed.corrected.is_doubtful,
        own_history=own,
        other_history=other,
    )


def histories(
    replay: Replay, step: Step, by_item: Mapping[str, Sequence[Step]] | None = None
) -> tuple[tuple[HistoryLine, ...], tuple[HistoryLine, ...]]:
    """What happened to a conflict's items at its own place and elsewhere, each in order.

    Parameters
    ----------
    by_item
        ``steps_by_item`` of the replay, where several conflicts are told.
    """
    by_item = steps_by_item(replay.steps) if by_item is None else by_item
    items = set(items_of(step.timed.event))
    if told := step.outcome.facts.get("item_id"):
        items.add(str(told))
    steps = {s.timed.event.event_id: s for i in sorted(items) for s in by_item.get(i, ())}
    loans = [loan for item_id in sorted(items) for loan in replay.state.loans_of_item(item_id)]
    lines = item_history(tuple(steps.values()), loans)
    place = str(step.timed.event.place)
    own = tuple(line for line in lines if line.place == place)
    return own, tuple(line for line in lines if line.place != place)


def item_history(
    steps: Sequence[Step], loans: Iterable[Loan], moves: Iterable[ItemMove] = ()
) -> tuple[HistoryLine, ...]:
    """Events of items by time, with the loans and moves of which they tell nothing any more."""
    lines = [_line(s.timed, s.outcome) for s in steps]
    known = {str(s.timed.event.event_id) for s in steps}
    ended = {
        str(c.after.loan_id)
        for s in steps
        for c in s.outcome.changes
        if isinstance(c.after, Loan) and not c.after.is_open
    }
    for loan in loans:
        if loan.loan_id not in known:
            lines.append(_base_line(loan))
        if loan.returned_at is not None and loan.loan_id not in ended:
            lines.append(_returned_line(loan, loan.returned_at))
    lines += [_moved_line(move) for move in moves if move.event_id not in known]
    return tuple(sorted(lines, key=lambda line: (line.at, line.event_id)))


def _base_line(loan: Loan) -> HistoryLine:
    return HistoryLine(
        at=loan.loaned_at,
        kind=EventKind.LOAN.value,
        place=str(loan.place),
        patron_id=loan.patron_id,
        loan_id=loan.loan_id,
    )


def _returned_line(loan: Loan, at: datetime) -> HistoryLine:
    return HistoryLine(
        at=at,
        kind=EventKind.RETURN.value,
        place="" if loan.return_place is None else str(loan.return_place),
        patron_id=loan.patron_id,
        loan_id=loan.loan_id,
    )


def _moved_line(move: ItemMove) -> HistoryLine:
    return HistoryLine(
        at=move.moved_at,
        kind=EventKind.MOVE.value,
        place=str(move.scanned_at),
        event_id=move.event_id,
        device_id=move.device_id,
        to_place=str(move.to_place),
    )


def _line(timed: TimedEvent, outcome: Outcome) -> HistoryLine:
    event = timed.event
    return HistoryLine(
        at=timed.at,
        kind=event.kind.value,
        place=str(event.place),
        event_id=event.event_id,
        device_id=event.device_id,
        by=event.by,
        patron_id=getattr(event.body, "patron_id", ""),
        loan_id=getattr(event.body, "loan_id", ""),
        verdict=outcome.verdict.value,
        to_place=str(event.body.to_place) if isinstance(event.body, MoveBody) else "",
    )
