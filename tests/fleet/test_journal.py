"""The journal: what events say survives JSON, each is taken once, at its true time."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.model.crew_bodies import (
    ConsultationBody,
    ConsultationKind,
    CountBody,
    DefectBody,
    DefectKind,
    GatheringBody,
    MomentBody,
    OdometerBody,
    SkipBody,
    SkipReason,
    UnplannedStopBody,
    WayEnd,
)
from data.model.errors import InputError
from data.model.journal import EventBody, EventKind
from data.model.journal_bodies import (
    ClockSetBody,
    HoldBody,
    HoldCancelledBody,
    HoldExpiredBody,
    HoldHandedBody,
    HoldReadyBody,
    MoveBody,
    ReregistrationBody,
    VisitsMovedBody,
    VoidBody,
)
from fleet.journal import Journal, Reception, in_order, missing_sequences, receive
from fleet.journal_clock import ClockMark, correct
from fleet.journal_json import digest, event_from_json, event_to_json
from tests.fleet.circulating import BRANCH, DAY, MORNING, STORE, Tablet, journal_of

MINUTE = timedelta(minutes=1)


def full_day() -> Tablet:
    """One event of every kind."""
    tablet = Tablet()
    tablet.lend("i1", "p1", MORNING, hold_id="h1", overrides=("blocked", "over_limit"))
    tablet.lend("i2", "", MORNING, card="c 7", due_visit_id="")
    tablet.take_back("i1", MORNING)
    tablet.renew("i2", MORNING)
    tablet.register(
        "p-new",
        MORNING,
        card="c77",
        name="Ёлкина Анна",
        birth_date=date(2010, 2, 28),
        consent_at=datetime(2026, 11, 30, 9, 0, 0, 250000, tzinfo=UTC),
    )
    tablet.decide(tablet.events[0], "blocked", "allow", MORNING, note="known\nwell")  # type: ignore[arg-type]
    moments = (EventKind.ARRIVE, EventKind.OPEN, EventKind.CLOSE, EventKind.DEPART)
    for kind in moments:
        body = MomentBody(moment_at=MORNING, is_from_gps=True, odometer_km=12345.6)
        tablet.write(body, MORNING, kind=kind)
    bodies: list[EventBody] = [
        ReregistrationBody(patron_id="p1", expires_date=DAY),
        HoldBody(hold_id="h2", title_id="t1", patron_id="p1", stop_id="kulikovo"),
        HoldReadyBody(hold_id="h2", item_id="i1", pickup="2026-12-14 v1", keep_until_date=DAY),
        HoldHandedBody(hold_id="h2"),
        HoldCancelledBody(hold_id="h3"),
        HoldExpiredBody(hold_id="h4"),
        MoveBody(item_ids=("i1", "i2"), to_place=STORE),
        CountBody(counts={"visits_service.children": 3, "egov_consultations": -1}),
        SkipBody(reason=SkipReason.ROAD, note="snow"),
        UnplannedStopBody(name="Farm", lon=20.5, lat=54.9),
        DefectBody(defect=DefectKind.LIGHT, photo_ids=("ab" * 32,)),
        ConsultationBody(consultation=ConsultationKind.EGOV, minutes=12),
        GatheringBody(name="Reading hour"),
        OdometerBody(end=WayEnd.IN, odometer_km=45213.4, fuel=31.5),
        ClockSetBody(jump_s=-86400.0),
        VisitsMovedBody(gone=("2026-12-14 v1",), coming=("2026-12-28 v2",)),
        VoidBody(event_id=tablet.events[0].event_id),
    ]
    for one in bodies:
        tablet.write(one, MORNING)
    return tablet


def test_every_kind_survives_json() -> None:
    """Each kind of event is read from its JSON as it was, and says the same on every way."""
    events = full_day().events
    assert {e.kind for e in events} == set(EventKind)
    for event in events:
        told = json.loads(json.dumps(event_to_json(event), ensure_ascii=False))
        read = event_from_json(told)
        assert read == event
        assert digest(read) == digest(event)
        assert told["v"] == 1


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"v": 2}, "journal.version", "2"),
    ({"v": True}, "journal.version", "True"),
    ({"kind": "teleport"}, "journal.unknown_kind", "teleport"),
    ({"colour": "red"}, "journal.unknown_field", "colour"),
    ({"sequence": "7"}, "journal.bad_value", "sequence"),
    ({"sequence": 0}, "journal.out_of_range", "sequence"),
    ({"sequence": 1.0}, "journal.bad_value", "sequence"),
    ({"device_at": "2026-11-30T10:00:00"}, "journal.bad_value", "device_at"),
    ({"device_at": "yesterday"}, "journal.bad_value", "device_at"),
    ({"service_date": "20261130"}, "journal.bad_value", "service_date"),
    ({"place": "moon:1"}, "circulation.bad_place", "moon:1"),
    ({"event_id": "a\u0000b"}, "journal.bad_value", "event_id"),
    ({"event_id": "x" * 65}, "circulation.bad_id", "event_id"),
    ({"device_id": None}, "journal.bad_value", "device_id"),
    ({"body": {"item_id": "i1", "patron_id": "p1"}}, "journal.missing_field", "due_date"),
    ({"body": {"item_id": "i1", "due_date": "2026-12-14"}}, "journal.missing_field", "patron_id"),
    ({"body": []}, "journal.not_an_object", "body"),
]


@pytest.mark.parametrize(("change", "code", "named"), WRONG)
def test_bad_events_are_refused(change: dict[str, Any], code: str, named: str) -> None:
    """What is not an event of this version is refused with the field or value named."""
    tablet = Tablet()
    told = event_to_json(tablet.lend("i1", "p1", MORNING))
    with pytest.raises(InputError) as caught:
        event_from_json({**told, **change})
    assert caught.value.code == code
    assert named in map(str, caught.value.facts.values())


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_anything_is_read_or_refused(told: object) -> None:
    """No JSON breaks the reader, at the top or in place of any field."""
    event = event_to_json(Tablet().lend("i1", "p1", MORNING))
    for hostile in (told, *({**event, name: told} for name in event)):
        try:
            event_from_json(hostile)
        except InputError as refused:
            assert refused.code.startswith(("journal.", "circulation."))


def test_once_only() -> None:
    """The same event again is a duplicate; other content under its id or number is refused."""
    tablet, copy = Tablet(), Tablet()
    first = tablet.lend("i1", "p1", MORNING)
    other = copy.lend("i2", "p2", MORNING)
    journal, answers = receive(Journal(), [first, first], at=MORNING)
    assert [a.reception for a in answers] == [Reception.NEW, Reception.DUPLICATE]
    journal, answers = receive(journal, [other], at=MORNING)
    assert (answers[0].reception, answers[0].code) == (Reception.REFUSED, "journal.id_taken")
    told = event_to_json(other) | {"event_id": "another"}
    _, answers = receive(journal, [event_from_json(told)], at=MORNING)
    assert (answers[0].code, answers[0].known_id) == ("journal.sequence_taken", first.event_id)
    assert list(journal.events.values()) == [first]


def test_missing_numbers_are_told() -> None:
    """Numbers that no way has brought are named as spans."""
    tablet = Tablet()
    for n in range(9):
        tablet.lend(f"i{n}", "p1", MORNING)
    some = [tablet.events[n] for n in (0, 1, 4, 8)]
    journal, _ = receive(Journal(), some, at=MORNING)
    assert missing_sequences(journal, tablet.device_id, 9) == (range(3, 5), range(6, 9))
    assert missing_sequences(journal, "other", 1) == (range(1, 2),)


@pytest.mark.parametrize("off_s", [0, 37, -86_400, 400 * 86_400])
@pytest.mark.parametrize("fast_s_a_day", [0, 20, -20])
def test_a_wrong_clock_is_corrected(off_s: float, fast_s_a_day: float) -> None:
    """Events get their true times though the clock is off by a year or drifts all day."""
    tablet = Tablet(off_s=off_s, fast_s_a_day=fast_s_a_day)
    times = [MORNING + n * 37 * MINUTE for n in range(12)]
    for n, at in enumerate(times):
        tablet.lend(f"i{n}", "p1", at)
    for timed, at in zip(in_order(journal_of(tablet)), times, strict=True):
        assert abs((timed.at - at).total_seconds()) <= 0.002
        assert not timed.corrected.is_doubtful


@pytest.mark.parametrize("jump_s", [86_400, -86_400, 7200, -7200])
@pytest.mark.parametrize("is_told", [True, False])
def test_a_clock_set_at_noon(jump_s: float, is_told: bool) -> None:  # noqa: FBT001
    """A clock put right at noon: the morning's events are corrected, the afternoon's are not."""
    tablet = Tablet(off_s=-jump_s)
    morning = tablet.mark(MORNING)
    before = [MORNING + n * MINUTE for n in range(1, 30)]
    for n, at in enumerate(before):
        tablet.lend(f"i{n}", "p1", at)
    tablet.off_s = 0
    noon = MORNING + 31 * MINUTE
    if is_told:
        tablet.write(ClockSetBody(jump_s=jump_s), noon)
    after = [noon + n * MINUTE for n in range(1, 30)]
    for n, at in enumerate(after):
        tablet.take_back(f"i{n}", at)
    evening = tablet.mark(MORNING + 120 * MINUTE)
    journal, _ = receive(Journal(), tablet.events, [morning, evening], at=evening.server_at)
    timed = [t for t in in_order(journal) if t.event.kind is not EventKind.CLOCK_SET]
    wrong_s = [
        abs((t.at - at).total_seconds()) for t, at in zip(timed, before + after, strict=True)
    ]
    assert max(wrong_s) <= 1


def test_one_mark_across_a_jump() -> None:
    """Without a mark of the morning, a jump that the device saw is enough."""
    tablet = Tablet(off_s=-86_400)
    tablet.lend("i1", "p1", MORNING)
    tablet.off_s = 0
    tablet.write(ClockSetBody(jump_s=86_400), MORNING + MINUTE)
    tablet.lend("i2", "p1", MORNING + 2 * MINUTE)
    evening = tablet.mark(MORNING + 60 * MINUTE)
    journal, _ = receive(Journal(), tablet.events, [evening], at=evening.server_at)
    assert [t.at - MORNING for t in in_order(journal)] == [0 * MINUTE, MINUTE, 2 * MINUTE]


def test_times_never_go_back_nor_into_the_future() -> None:
    """A clock that nobody marked is told as doubtful; nothing happens after it was received."""
    tablet = Tablet(off_s=3 * 86_400)
    events = [tablet.lend(f"i{n}", "p1", MORNING + n * MINUTE) for n in range(3)]
    got = {e.event_id: MORNING + 5 * MINUTE for e in events}
    found = correct(events, [], got)
    assert all(c.is_doubtful and c.at == MORNING + 5 * MINUTE for c in found.values())
    late = ClockMark(device_id="tablet-a", sequence=3, device_at=MORNING, server_at=MORNING)
    times = [c.at for c in correct(events[::-1], [late], got).values()]
    assert times == sorted(times)


def test_a_place_at_a_point_is_read() -> None:
    """A return at a branch keeps where it was."""
    branch = Tablet(device_id="branch", place=BRANCH)
    told = event_to_json(branch.take_back("i1", MORNING))
    assert told["place"] == "point:branch"
    assert event_from_json(told).place == BRANCH
