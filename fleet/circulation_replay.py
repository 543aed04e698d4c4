"""The state that follows from a base and all events, kept up as more of them come.

The state is a function of the base, the rules and the set of events alone: whoever replays the same
set gets the same, whatever the order and the pieces in which it came. A late event takes back what
was replayed after its place, and that is replayed again on top of it; answers given before may
change thereby, and ``run`` tells which.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from data.model.journal import EventId
from data.model.journal_bodies import DecisionBody, VoidBody
from data.model.stock import PlaceKind, Title
from fleet.circulation import apply
from fleet.circulation_act import Lending
from fleet.circulation_outcome import Outcome, Verdict
from fleet.circulation_state import Circulation, Thing
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


class Replay:
    """A state kept up with a growing journal.

    Parameters
    ----------
    base
        Everything as it was before the first event; it is not changed.
    """

    def __init__(
        self,
        base: Iterable[Thing],
        titles: Iterable[Title] = (),
        lending: Lending | None = None,
    ) -> None:
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
            outcome = VOIDED if is_voided else apply(self.state, timed, self.lending, decided)
            for change in outcome.changes:
                self.state.put(change)
            self.steps.append(
                Step(timed=timed, is_voided=is_voided, decisions=decided, outcome=outcome)
            )
        return tuple(
            s for s in self.steps[same:] if before.get(s.timed.event.event_id) != s.outcome
        )

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
