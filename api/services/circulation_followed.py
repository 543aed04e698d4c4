"""How many due dates and holds follow a cancellation: before it is done, and after."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlmodel import Session

from api.services.circulation_step import CirculationStep
from api.state import Service
from data.db import circulation_store, publication_store
from data.model.cancellation import ServiceException
from data.model.loans import Hold, Loan
from data.model.publication import PromisedVisit, VisitState
from fleet.circulation_due import visits_moved
from fleet.circulation_holds import moves_with
from fleet.circulation_state import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Loans that get another due date, and holds that wait for another visit or another day."""

    num_loans: int = 0
    num_holds: int = 0


NOTHING = Followed()


def would_follow(service: Service, region_id: str, gone: Sequence[PromisedVisit]) -> Followed:
    """What follows if visits are cancelled, of what is known by now.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    if not gone:
        return NOTHING
    with service.ledgers.reading(service.engine, region_id) as (session, ledger):
        if not _lends(session, region_id):
            return NOTHING
        bodies = visits_moved(gone, _as_cancelled(session, region_id, gone))
        rules = ledger.lending.rules
        changes = [
            change
            for stop_id, body in bodies.items()
            for change in moves_with(ledger.state, rules, stop_id, body)
        ]
        return _counted(changes)


def has_followed(service: Service, region_id: str, exception: ServiceException) -> Followed:
    """What followed a cancellation that stands, of what is not settled; nothing once it is undone.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    effects = exception.of_step(CirculationStep.name)
    if not effects or exception.is_undone:
        return NOTHING
    with service.ledgers.reading(service.engine, region_id) as (_, ledger):
        steps = [step for e in effects if (step := ledger.step(e.subject)) is not None]
        return _counted(change for step in steps for change in step.outcome.changes)


def _counted(changes: Iterable[Change]) -> Followed:
    things = [change.after for change in changes]
    return Followed(
        num_loans=sum(isinstance(t, Loan) for t in things),
        num_holds=sum(isinstance(t, Hold) for t in things),
    )


def _lends(session: Session, region_id: str) -> bool:
    return circulation_store.circulation_head(session, region_id).revision > 0


def _as_cancelled(
    session: Session, region_id: str, gone: Sequence[PromisedVisit]
) -> list[PromisedVisit]:
    """The visits of the stops concerned as they would stand."""
    first = min(v.service_date for v in gone) - timedelta(days=1)
    stops, ids = {v.stop_id for v in gone}, {v.visit_id for v in gone}
    found = publication_store.load_visits(session, region_id, from_date=first)
    return [
        replace(v, state=VisitState.CANCELLED) if v.visit_id in ids else v
        for v in found
        if v.stop_id in stops
    ]
