"""The audit log, live events and kept answers as the database keeps them."""

import threading
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from data.db import answers_store, audit_store, event_store
from data.db.engine import reading, writing
from data.model.accounts import PROGRAM, Caller, Role
from data.model.errors import InputError
from data.model.records import KeptAnswer

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OLGA = Caller(account_id="olga", roles=frozenset({Role.ADMIN}))


def test_the_log_tells_who_did_what_newest_first(engine: Engine) -> None:
    """Filters by account, region, subject and the beginning of an action; pages by id."""
    with writing(engine) as session:
        audit_store.record(session, OLGA, "account.add", "a1", login="ivan")
        audit_store.record(session, PROGRAM, "account.add", "a2")
        audit_store.record(session, OLGA, "accounting", "a3")
        audit_store.record(session, OLGA, "plan.publish", "p1", region_id="rutland", stops=3)
    with reading(engine) as session:
        everything = audit_store.entries(session, limit=9)
        first, second = audit_store.entries(session, limit=2)
        accounts = audit_store.entries(session, limit=9, action="account")
        olgas = audit_store.entries(session, limit=9, account_id="olga", action="account.add")
        (published,) = audit_store.entries(session, limit=9, region_id="rutland", subject="p1")
        older = audit_store.entries(session, limit=9, before=second.audit_id)
        soon = datetime.now(UTC) + timedelta(minutes=1)
        assert audit_store.entries(session, limit=9, since_at=soon) == []
        assert len(audit_store.entries(session, limit=9, until_at=soon)) == 4
    assert [one.subject for one in everything] == ["p1", "a3", "a2", "a1"]
    assert [first, second, *older] == everything
    assert [one.subject for one in accounts] == ["a2", "a1"]
    assert [(one.subject, dict(one.facts)) for one in olgas] == [("a1", {"login": "ivan"})]
    assert dict(published.facts) == {"stops": 3}
    assert published.at.tzinfo is not None


def test_only_old_entries_of_one_action_are_dropped(engine: Engine) -> None:
    """Failed sign-ins are kept for a time; what was changed is kept for good."""
    with writing(engine) as session:
        audit_store.record(session, PROGRAM, "session.failed", "x")
        audit_store.record(session, PROGRAM, "account.add", "y")
        later = datetime.now(UTC) + timedelta(days=1)
        session.flush()
        assert audit_store.drop_before(session, "session.failed", NOW) == 0
        assert audit_store.drop_before(session, "session.failed", later) == 1
        assert [one.subject for one in audit_store.entries(session, limit=9)] == ["y"]


def test_events_are_stored_with_what_they_tell_of(engine: Engine) -> None:
    """A transaction that is rolled back tells nobody; a later one on the session is clean."""
    with writing(engine) as session:
        event_store.emit(session, "plan", "p1", "rutland", version=2)
    try:
        with writing(engine) as session:
            event_store.emit(session, "plan", "p2")
            raise InputError("x")
    except InputError:
        pass
    with writing(engine) as session:
        event_store.emit(session, "job", "j1")
    with reading(engine) as session:
        told = event_store.events_after(session, 0)
        newest = event_store.newest_id(session)
        assert event_store.events_after(session, newest) == []
    assert [(one.topic, one.subject, one.region_id) for one in told] == [
        ("plan", "p1", "rutland"),
        ("job", "j1", None),
    ]
    assert dict(told[0].facts) == {"version": 2}
    assert told[1].event_id == newest > told[0].event_id


def test_an_event_is_never_seen_after_a_later_one(engine: Engine) -> None:
    """Whoever reads past an id has seen every event before it, however long its transaction.

    The slow transaction emits first and commits last; if its id were given at the emitting, a
    reader that had seen the quick one would miss it.
    """
    emitted = threading.Event()
    go_on = threading.Event()

    def slow() -> None:
        with writing(engine) as session:
            event_store.emit(session, "plan", "slow")
            emitted.set()
            go_on.wait(20)

    # SQLite has one writer at a time: there the quick one simply waits for the slow one.
    thread = threading.Thread(target=slow)
    thread.start()
    assert emitted.wait(20)
    threading.Timer(0.3, go_on.set).start()
    with writing(engine) as session:
        event_store.emit(session, "plan", "quick")
    seen: list[str] = []
    last = 0
    end = time.monotonic() + 20
    while len(seen) < 2 and time.monotonic() < end:
        with reading(engine) as session:
            for one in event_store.events_after(session, last):
                seen.append(one.subject)
                last = one.event_id
    thread.join()
    assert sorted(seen) == ["quick", "slow"]


def test_the_newest_event_stays_so_that_ids_go_on(engine: Engine) -> None:
    """After everything old is dropped, a new event has a higher id than any before."""
    with writing(engine) as session:
        for subject in "abc":
            event_store.emit(session, "plan", subject)
    later = datetime.now(UTC) + timedelta(days=1)
    with writing(engine) as session:
        before = event_store.newest_id(session)
        assert event_store.drop_before(session, later) == 2
        assert event_store.oldest_id(session) == before
        event_store.emit(session, "plan", "d")
    with reading(engine) as session:
        assert event_store.newest_id(session) > before


def test_a_kept_answer_comes_back_byte_for_byte(engine: Engine) -> None:
    """Status, headers and body; an old one is dropped."""
    answer = KeptAnswer(
        key="olga:k", request_hash="h", status=201, headers={"etag": '"1"'},
        body='{"name":"Ольга"}'.encode(), at=NOW,
    )  # fmt: skip
    with writing(engine) as session:
        assert answers_store.kept_answer(session, "olga:k") is None
        answers_store.keep_answer(session, answer)
    with writing(engine) as session:
        assert answers_store.kept_answer(session, "olga:k") == answer
        assert answers_store.drop_before(session, NOW) == 0
        assert answers_store.drop_before(session, NOW + timedelta(seconds=1)) == 1
        session.flush()
        session.expire_all()
        assert answers_store.kept_answer(session, "olga:k") is None


def test_two_requests_with_one_key_do_it_once(engine: Engine) -> None:
    """The second waits for the first and finds its answer; neither fails."""
    done: list[str] = []

    def ask() -> None:
        with writing(engine) as session:
            if answers_store.kept_answer(session, "key") is not None:
                done.append("again")
                return
            time.sleep(0.2)
            done.append("first")
            answers_store.keep_answer(
                session,
                KeptAnswer(key="key", request_hash="", status=201, headers={}, body=b"", at=NOW),
            )

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["again", "again", "again", "first"]
