"""Housekeeping of the running service, and answers kept for repetitions."""

from datetime import timedelta

from api.services.signing_in import open_sign_in
from api.tidying import FAILED_SIGN_IN, tidy
from data.db import accounts_store, audit_store, event_store
from data.db.engine import reading, writing
from data.model.accounts import NOBODY, PROGRAM, Role
from tests.e2e.service import Running


def test_what_is_kept_for_a_time_goes_after_it(running: Running) -> None:
    """Ended sign-ins, failed ones in the log, events and kept answers; changes stay for good."""
    service, settings = running.service, running.settings
    now = service.clock()
    open_sign_in(service, running.accounts[Role.CREW], way="test")
    with writing(running.engine) as session:
        audit_store.record(session, NOBODY, FAILED_SIGN_IN, "x")
        audit_store.record(session, PROGRAM, "plan.publish", "p")
        event_store.emit(session, "plan", "p1")
        event_store.emit(session, "plan", "p2")
    with running.api(Role.ADMIN) as admin:
        body = {"login": "kept", "roles": ["crew"]}
        admin.post("/api/v1/accounts", json=body, headers={"idempotency-key": "k"})

    nothing = tidy(running.engine, settings, now)
    assert set(nothing.values()) == {0}

    later = tidy(running.engine, settings, now + timedelta(days=settings.event_keep_days + 1))
    told = {"sign_ins": 2, "failed_sign_ins": 0, "events": 1, "answers": 1}
    assert {name: later[name] for name in told} == told
    assert sum(later.values()) == sum(told.values())

    last = tidy(running.engine, settings, now + timedelta(days=settings.sign_in_keep_days + 1))
    assert last["failed_sign_ins"] == 1
    with reading(running.engine) as session:
        assert accounts_store.count_sign_ins(session) == 0
        actions = {one.action for one in audit_store.entries(session, limit=99)}
    assert "plan.publish" in actions
    assert FAILED_SIGN_IN not in actions
