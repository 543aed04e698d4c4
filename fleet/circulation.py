"""What one event of the journal does to the state: the rules of lending, replayed.

``apply`` reads a state and gives an ``Outcome``; it changes nothing. The item of a late event is
already with its reader, so a conflict never undoes a loan: what was done aboard holds for the time
being where it can, and a person decides.

What a reader was told stands: the due date of a loan is the one in its event, and is moved only by
an event that says that a visit is gone.
"""

from collections.abc import Mapping
from dataclasses import replace

from data.model.journal import AT_VISITS
from data.model.journal_bodies import (
    Choice,
    DecisionBody,
    HoldBody,
    HoldCancelledBody,
    HoldExpiredBody,
    HoldHandedBody,
    HoldReadyBody,
    LoanBody,
    MoveBody,
    RegistrationBody,
    RenewalBody,
    ReregistrationBody,
    ReturnBody,
    VisitsMovedBody,
)
from fleet import circulation_holds, circulation_lend, circulation_people
from fleet.circulation_act import Act, Lending
from fleet.circulation_outcome import Outcome, Verdict, accepted
from fleet.circulation_state import Change, Circulation
from fleet.crew_log import logged
from fleet.journal import TimedEvent


def apply(
    state: Circulation,
    timed: TimedEvent,
    lending: Lending,
    decisions: Mapping[str, DecisionBody] | None = None,
) -> Outcome:
    """What an event does.

    Parameters
    ----------
    decisions
        What persons decided of this event, by rule. A decision counts only where its conflict
        arises: what does not arise any more is not decided.

    Returns
    -------
    Outcome
        Its changes are yet to be put into the state.
    """
    act = Act(timed=timed, lending=lending.in_force(timed.at))
    outcome = _applied(state, act)
    while outcome.verdict is Verdict.CONFLICT and decisions and outcome.rule in decisions:
        decision = decisions[outcome.rule]
        if decision.choice is Choice.LEAVE:
            return Outcome(verdict=Verdict.ACCEPTED, rule=outcome.rule)
        if act.is_settled(outcome.rule):
            # Decided, but what was said did not put it right (the item is unknown as well).
            return outcome
        act = replace(act, settled={**act.settled, outcome.rule: decision})
        outcome = _applied(state, act)
    return outcome


def _applied(state: Circulation, act: Act) -> Outcome:
    match act.event.body:
        case LoanBody() as body:
            return circulation_lend.lend(state, act, body)
        case ReturnBody() as body:
            return circulation_lend.take_back(state, act, body)
        case RenewalBody() as body:
            return circulation_lend.renew(state, act, body)
        case MoveBody() as body:
            return circulation_lend.move(state, act, body)
        case RegistrationBody() as body:
            return circulation_people.register(state, act, body)
        case ReregistrationBody() as body:
            return circulation_people.reregister(state, act, body)
        case HoldBody() | HoldHandedBody() | HoldCancelledBody() as body:
            return circulation_holds.change_hold(state, act, body)
        case HoldReadyBody() | HoldExpiredBody() as body:
            return circulation_holds.set_aside(state, act, body)
        case VisitsMovedBody() as body:
            return circulation_holds.move_visits(state, act, body)
        case _ if act.event.kind in AT_VISITS:
            assert act.event.visit_id is not None
            before = state.visits.get(act.event.visit_id)
            return accepted(Change(before=before, after=logged(before, act.timed)))
        case _:
            return accepted()
