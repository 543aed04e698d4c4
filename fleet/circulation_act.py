"""An event in its circumstances: when it happened, by what rules, what persons decided of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from data.model.journal import JournalEvent
from data.model.journal_bodies import Choice, DecisionBody
from data.model.lending import LendingRules
from data.model.loans import Due, DueBasis
from data.model.publication import VisitId
from fleet.journal import TimedEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Lending:
    """By what events are judged: the same for a whole replay.

    Parameters
    ----------
    rules
        In force now.
    earlier
        Rules of before, each with the instant at which it ended, by time: an event is judged by
        those in force when it happened, whenever it comes.
    """

    rules: LendingRules = field(default_factory=LendingRules)
    time_zone: str = "Europe/Kaliningrad"
    earlier: tuple[tuple[datetime, LendingRules], ...] = ()

    def in_force(self, at: datetime) -> "Lending":
        """As it was at an instant."""
        for until, rules in self.earlier:
            if at < until:
                return Lending(rules=rules, time_zone=self.time_zone)
        return self

    def local_date(self, at: datetime) -> date:
        """The date of an instant by the region's clocks."""
        return at.astimezone(ZoneInfo(self.time_zone)).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An event in its circumstances.

    ``settled`` holds what a person decided, by the rule of the conflict.
    """

    timed: TimedEvent
    lending: Lending
    settled: Mapping[str, DecisionBody] = field(default_factory=dict)

    @property
    def event(self) -> JournalEvent:
        return self.timed.event

    @property
    def at(self) -> datetime:
        return self.timed.at

    @property
    def on(self) -> date:
        return self.lending.local_date(self.timed.at)

    def is_settled(self, rule: str) -> bool:
        return rule in self.settled

    def is_applied(self, rule: str) -> bool:
        """Whether a person decided to do as was proposed."""
        return rule in self.settled and self.settled[rule].choice is Choice.APPLY

    def told(self, name: str, otherwise: str) -> str:
        """A field that a decision puts right, or as the event has it."""
        for decision in self.settled.values():
            if value := getattr(decision, name):
                return str(value)
        return otherwise

    def due(self, due_date: date, due_visit_id: str) -> Due:
        """The due date that was told; one that no rule gives makes way for the most days."""
        latest = self.on + timedelta(days=self.lending.rules.most_days)
        # A tablet whose clock was off by a day reckoned from the day beside.
        if not self.on <= due_date <= latest + timedelta(days=1):
            return Due(due_date=latest, basis=DueBasis.MOST_DAYS)
        if not due_visit_id:
            return Due(due_date=due_date, basis=DueBasis.GIVEN)
        return Due(due_date=due_date, basis=DueBasis.VISIT, visit_id=VisitId(due_visit_id))
