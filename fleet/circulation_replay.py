"""The state that follows from a base and all events, kept up as more of them come.

The state is a function of the base, the rules and the set of events alone: whoever replays the same
set gets the same, whatever the order and the pieces in which it came. A late event takes back what
was replayed after its place, and that is replayed again on top of it; answers given before may
change thereby, and ``run`` tells which.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from data.model.journal import AT_VISITS, EventId
from data.model.journal_bodies import Choice, DecisionBody, VoidBody
from data.model.loans import HoldId
from data.model.stock import PlaceKind, Title
from fleet.circulation import apply
from fleet.circulation_act import Lending
from fleet.circulation_limits import Rule
from fleet.circulation_outcome import Outcome, Proposal, Verdict, conflict
from fleet.circulation_state import Change, Circulation, Subject, Thing, subjects_of
from fleet.journal import TimedEvent

VOIDED = Outcome(verdict=Verdict.ACCEPTED, rule="voided")
"""An event that was taken back: kept, with no effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An event replayed, with all on which its outcome rests but the state."""

    timed: TimedEvent
    is_voided: bool
    decisions: Mapping[str, DecisionBody]
    outcome: Outcome


@dataclass(slots=True, kw_only=True)
class Settled:
    """What of the past is in the base already.

    Parameters
    ----------
    until
        The last settled event happened then.
    touched
        When a settled event last had to do with an item, reader or title, by ``subjects_of``.
    event_ids
        Settled events of which later ones speak; whoever keeps the journal adds to it.
    """

    until: datetime
    touched: Mapping[Subject, datetime] = field(default_factory=dict)
    event_ids: set[str] = field(default_factory=set)


class Replay:
    """A state kept up with a growing journal.

    Parameters
    ----------
    base
        Everything as it was before the first event; it is not changed.
    settled
        Of a base that is the outcome of earlier events.
    """

    def __init__(
        self,
        base: Iterable[Thing],
        titles: Iterable[Title] = (),
        lending: Lending | None = None,
        settled: Settled | None = None,
    ) -> None:
        self.settled = settled
        self.state = Circulation(base, titles)
        self.lending = lending or Lending()
        self.steps: list[Step] = []

    def run(self, events: Sequence[TimedEvent]) -> tuple[Step, ...]:
        """Bring the state to all events of a journal.

        Parameters
        ----------
        events
            All of them, as ``fleet.journal.in_order`` gives them.

        Returns
        -------
        tuple[Step, ...]
            The events whose answers are new or other than before, in order.
        """
        voided, decisions = _voided(events), _decisions(events)
        nothing: Mapping[str, DecisionBody] = {}
        wanted = [
            (t, t.event.event_id in voided, decisions.get(t.event.event_id, nothing))
            for t in events
        ]
        same = 0
        for step, want in zip(self.steps, wanted, strict=False):
            if (step.timed, step.is_voided, step.decisions) != want:
                break
            same += 1
        before = {s.timed.event.event_id: s.outcome for s in self.steps[same:]}
        for step in reversed(self.steps[same:]):
            self.state.take_back(step.outcome.changes)
        del self.steps[same:]
        for timed, is_voided, decided in wanted[same:]:
            outcome = VOIDED if is_voided else self._judged(timed, decided)
            for change in outcome.changes:
                self.state.put(change)
            self.steps.append(
                Step(timed=timed, is_voided=is_voided, decisions=decided, outcome=outcome)
            )
        return tuple(
            s for s in self.steps[same:] if before.get(s.timed.event.event_id) != s.outcome
        )

    def _judged(self, timed: TimedEvent, decided: Mapping[str, DecisionBody]) -> Outcome:
        rule = None if self.settled is None else late_rule(self.state, timed, self.settled)
        if rule is None:
            return apply(self.state, timed, self.lending, decided)
        decision = decided.get(rule.value)
        if decision is None:
            proposal = Proposal.ACCEPT if rule is Rule.TOO_LATE else Proposal.KEEP_FIRST
            return conflict(rule, proposal, {"at": timed.at.isoformat(timespec="minutes")})
        can_apply = rule is Rule.TOO_LATE and timed.event.kind not in AT_VISITS
        if decision.choice is Choice.LEAVE or not can_apply:
            return Outcome(verdict=Verdict.ACCEPTED, rule=rule.value)
        return apply(self.state, timed, self.lending, decided)

    @property
    def outcomes(self) -> dict[EventId, Outcome]:
        """What became of each event."""
        return {s.timed.event.event_id: s.outcome for s in self.steps}

    @property
    def conflicts(self) -> tuple[Step, ...]:
        """The events that wait for a person, in order."""
        return tuple(s for s in self.steps if s.outcome.verdict is Verdict.CONFLICT)


def replay(
    base: Iterable[Thing],
    events: Sequence[TimedEvent],
    titles: Iterable[Title] = (),
    lending: Lending | None = None,
) -> Replay:
    """A state replayed from the beginning."""
    run = Replay(base, titles, lending)
    run.run(events)
    return run


def _voided(events: Sequence[TimedEvent]) -> frozenset[str]:
    """Events that were taken back; taking back a taking back restores.

    A vehicle takes back its own slips, a library those of everybody.
    """
    places = {t.event.event_id: t.event.place for t in events}
    voided: set[str] = set()
    for timed in reversed(events):
        event, body = timed.event, timed.event.body
        if isinstance(body, VoidBody) and event.event_id not in voided:
            is_own = places.get(EventId(body.event_id)) == event.place
            if is_own or event.place.kind is PlaceKind.POINT:
                voided.add(body.event_id)
    return frozenset(voided)


def _decisions(events: Sequence[TimedEvent]) -> dict[str, dict[str, DecisionBody]]:
    """The last decision of each conflict, by event and rule."""
    voided = _voided(events)
    found: dict[str, dict[str, DecisionBody]] = {}
    for timed in events:
        body = timed.event.body
        if isinstance(body, DecisionBody) and timed.event.event_id not in voided:
            found.setdefault(body.event_id, {})[body.rule] = body
    return found


def late_rule(state: Circulation, timed: TimedEvent, settled: Settled) -> Rule | None:
    """Why an event cannot be judged any more, as what followed it is settled; None where it can.

    One that came late is judged as ever where nothing settled had to do with its item, its reader
    or its title after it: then it comes to the same as if it had come in time.
    """
    body = timed.event.body
    if isinstance(body, VoidBody | DecisionBody):
        return Rule.VOIDED_TOO_LATE if body.event_id in settled.event_ids else None
    if timed.at > settled.until:
        return None
    if timed.event.kind in AT_VISITS:
        # Statistics of that time are closed.
        return Rule.TOO_LATE
    return Rule.TOO_LATE if _is_touched(state, timed, settled) else None


def _is_touched(state: Circulation, timed: TimedEvent, settled: Settled) -> bool:
    body = timed.event.body
    items = [*getattr(body, "item_ids", ()), getattr(body, "item_id", "")]
    patron = state.patron_of(getattr(body, "patron_id", ""), getattr(body, "card", ""))
    hold = state.holds.get(HoldId(getattr(body, "hold_id", "")))
    subjects: set[Subject] = {("item", str(i)) for i in items if i}
    subjects |= {("title", str(state.items[i].title_id)) for i in items if i in state.items}
    for item_id in items:
        subjects |= {("patron", str(x.patron_id)) for x in state.open_loans_of_item(str(item_id))}
    if patron is not None:
        subjects.add(("patron", str(patron.patron_id)))
    if hold is not None:
        subjects |= set(subjects_of(Change(before=None, after=hold)))
    return any(settled.touched.get(s, timed.at) > timed.at for s in subjects)
