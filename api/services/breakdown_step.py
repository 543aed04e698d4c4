"""The warning that a breakdown puts on the board, as a step of the cascade: an undo ends it."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlmodel import Session

from api.services.cascade import Change, ChangeOf, join
from data.db import alert_store, event_store, publication_store
from data.model.alert import Alert, AlertKind
from data.model.cancellation import Effect


class BreakdownStep:
    """Raises a warning of the vehicle, with the exception by which it was decided."""

    name = "breakdown"

    def apply(self, session: Session, change: Change) -> Iterator[Effect]:
        if change.kind is not ChangeOf.BREAKDOWN or change.exception_id is None:
            return
        exception = publication_store.get_exception(session, change.region_id, change.exception_id)
        if exception.vehicle_id is None:
            return
        alert = Alert(
            alert_id=uuid.uuid4().hex,
            region_id=change.region_id,
            vehicle_id=exception.vehicle_id,
            service_date=exception.from_date,
            kind=AlertKind.BREAKDOWN,
            key=f"{AlertKind.BREAKDOWN.value}/{exception.exception_id}",
            since_at=change.at,
            raised_at=change.at,
            facts={"exception_id": exception.exception_id, "reason": change.reason},
        )
        alert_store.add_alert(session, alert)
        _tell(session, alert, "raised")
        yield Effect(
            step=self.name,
            subject=alert.alert_id,
            before=None,
            after={"vehicle_id": exception.vehicle_id},
        )

    def revert(self, session: Session, change: Change, effects: Sequence[Effect]) -> None:
        for effect in effects:
            alert = alert_store.get_alert(session, change.region_id, effect.subject)
            if alert.ended_at is None:
                ended = replace(alert, ended_at=change.at, revision=alert.revision + 1)
                alert_store.save_alert(session, ended)
                _tell(session, ended, "ended")


def _tell(session: Session, alert: Alert, state: str) -> None:
    event_store.emit(
        session,
        "alert",
        alert.alert_id,
        alert.region_id,
        vehicle=alert.vehicle_id,
        kind=alert.kind.value,
        state=state,
    )


join(BreakdownStep())
