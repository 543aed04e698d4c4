"""What librarians see and decide of the circulation aboard: conflicts, with names for ids."""

from dataclasses import dataclass
from datetime import datetime

from api.services.ledger import Ledger
from api.services.own_journal import Entry, write_down
from api.state import Service
from data.db import audit_store, devices_store, event_store, journal_store
from data.model.accounts import Caller
from data.model.errors import ConflictError, NotFoundError
from data.model.journal import EventKind
from data.model.journal_bodies import DecisionBody
from data.model.journal_kept import RefusedEvent
from data.model.stock import ItemId
from fleet.circulation_outcome import Proposal, Verdict
from fleet.circulation_replay import Step
from fleet.circulation_sync import HistoryLine, histories, steps_by_item
from fleet.journal_doubles import base_of

ASKS_FOR = {
    Proposal.IDENTIFY_ITEM: "item_id",
    Proposal.IDENTIFY_PATRON: "patron_id",
    Proposal.GIVE_NEW_CARD: "card",
}
"""What a person must say for a proposal to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenConflict:
    """An event that waits for a person, with both histories of its item."""

    step: Step
    own_history: tuple[HistoryLine, ...]
    other_history: tuple[HistoryLine, ...]
    item_name: str
    """Title of the item that it is about; empty where it is unknown."""
    item_id: str
    patron_name: str

    @property
    def event_id(self) -> str:
        return self.step.timed.event.event_id

    @property
    def rule(self) -> str:
        return self.step.outcome.rule

    @property
    def proposal(self) -> Proposal | None:
        return self.step.outcome.proposal

    @property
    def asks_for(self) -> str:
        """The field that a decision must fill in; empty where none."""
        return ASKS_FOR.get(self.proposal, "") if self.proposal is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """All that waits for a person in a region."""

    conflicts: tuple[OpenConflict, ...]
    refused: tuple[RefusedEvent, ...]
    patron_names: dict[str, str]
    device_names: dict[str, str]
    num_events: int
    num_items: int
    num_patrons: int
    num_loans: int
    revision: int


def waiting(service: Service, region_id: str) -> Waiting:
    """Conflicts in the order in which they happened, and what could not be taken.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    with service.ledgers.reading(service.engine, region_id) as (session, ledger):
        by_item = steps_by_item(ledger.replay.steps)
        conflicts = tuple(_open(ledger, step, by_item) for step in ledger.replay.conflicts)
        refused = journal_store.list_refused(session, region_id)
        lines = [x for c in conflicts for x in (*c.own_history, *c.other_history)]
        ids = {line.device_id for line in lines} | {r.device_id for r in refused}
        devices = {}
        for journal_id in ids:
            try:
                found = devices_store.device(session, base_of(journal_id))
            except NotFoundError:
                continue
            devices[journal_id] = found.name
        state = ledger.state
        return Waiting(
            conflicts=conflicts,
            refused=refused,
            patron_names={
                line.patron_id: _patron_name(ledger, line.patron_id)
                for line in lines
                if line.patron_id
            },
            device_names=devices,
            num_events=len(ledger.journal.events),
            num_items=sum(not i.is_withdrawn for i in state.items.values()),
            num_patrons=len(state.patrons),
            num_loans=sum(loan.is_open for loan in state.loans.values()),
            revision=ledger.head.revision,
        )


def decide(
    service: Service, region_id: str, decision: DecisionBody, *, by: Caller, at: datetime
) -> Verdict:
    """Write down what a person decided of a conflict; gives what became of its event.

    Raises
    ------
    NotFoundError
        ``circulation.unknown_event``.
    ConflictError
        ``circulation.no_conflict`` where it waits for no decision by that rule any more.
    """
    with service.ledgers.changing(service.engine, region_id) as (session, ledger):
        step = ledger.step(decision.event_id)
        if step is None:
            raise NotFoundError("circulation.unknown_event", event_id=decision.event_id)
        if (step.outcome.verdict, step.outcome.rule) != (Verdict.CONFLICT, decision.rule):
            raise ConflictError("circulation.no_conflict", event_id=decision.event_id)
        entry = Entry(
            kind=EventKind.DECISION,
            body=decision,
            service_date=ledger.lending.local_date(at),
        )
        write_down(session, region_id, [entry], at=at, by=by.account_id or "")
        ledger.catch_up(session)
        audit_store.record(
            session, by, "circulation.decide", decision.event_id, region_id=region_id,
            rule=decision.rule, choice=decision.choice.value,
        )  # fmt: skip
        event_store.emit(session, "circulation", decision.event_id, region_id, decided=True)
        after = ledger.step(decision.event_id)
        assert after is not None
        return after.outcome.verdict


def put_aside(
    service: Service, region_id: str, refused_no: int, *, by: Caller, at: datetime
) -> None:
    """Note that a person looked at an event that could not be taken.

    Raises
    ------
    NotFoundError
        ``circulation.unknown_refused``.
    """
    with service.ledgers.changing(service.engine, region_id) as (session, _):
        journal_store.set_seen(session, region_id, refused_no, at)
        audit_store.record(
            session, by, "circulation.put_aside", str(refused_no), region_id=region_id
        )


def _open(ledger: Ledger, step: Step, by_item: dict[str, list[Step]]) -> OpenConflict:
    own, other = histories(ledger.replay, step, by_item)
    body, facts = step.timed.event.body, step.outcome.facts
    item_id = str(facts.get("item_id") or getattr(body, "item_id", ""))
    item = ledger.state.items.get(ItemId(item_id))
    title = None if item is None else ledger.state.title_of(item)
    patron_id = getattr(body, "patron_id", "")
    return OpenConflict(
        step=step,
        own_history=own,
        other_history=other,
        item_name="" if title is None else title.name,
        item_id=item_id,
        patron_name=_patron_name(ledger, patron_id, getattr(body, "card", "")),
    )


def _patron_name(ledger: Ledger, patron_id: str, card: str = "") -> str:
    patron = ledger.state.patron_of(patron_id, card)
    return (patron.name or patron.card) if patron is not None else card
