"""However a day's events come in, the server ends where one clean sync would have brought it."""

import os
import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.model.crew_bodies import CountBody, MomentBody, SkipBody, SkipReason
from data.model.errors import InputError
from data.model.journal import EventKind
from data.model.journal_bodies import Choice, MoveBody, VisitsMovedBody, VoidBody
from fleet.circulation_outcome import Verdict
from fleet.circulation_replay import Replay
from fleet.circulation_sync import Answer, sync
from fleet.journal import Journal, in_order
from fleet.journal_clock import ClockMark
from tests.fleet.circulating import (
    ABOARD,
    BASE,
    BRANCH,
    ITEMS,
    LENDING,
    MORNING,
    STORE,
    TITLES,
    VISITS,
    Tablet,
    earlier_loan,
)

NUM_DAYS = int(os.environ.get("BOOKMOBILE_RANDOM_DAYS", "300"))
EVENING = MORNING + timedelta(hours=12)
OLD = (earlier_loan("i0", "p4"), earlier_loan("i5", "p3"))


def any_day(seed: int, num_events: int) -> tuple[list[Tablet], list[ClockMark]]:
    """A day of two tablets of one vehicle and a branch, at random, and the marks of the morning."""
    dice = random.Random(seed)
    tablets = [
        Tablet(off_s=dice.choice((0, 3600, -86_400)), fast_s_a_day=dice.choice((0, 8))),
        Tablet(device_id="tablet-b", off_s=dice.choice((0, -15, 90_000))),
        Tablet(device_id="branch", place=BRANCH),
    ]
    marks = [t.mark(MORNING) for t in tablets]
    for n in range(num_events):
        at = MORNING + timedelta(minutes=1 + n)
        tablet = dice.choices(tablets, (5, 4, 1))[0]
        item_id = f"i{dice.randrange(12)}"
        patron_id = dice.choice(("p0", "p1", "p2", "p3", "p4", "blocked", "child", "new"))
        kind = dice.randrange(12)
        known = dice.choice((*[""] * 3, "old-i0", *(e.event_id for e in tablet.events[-5:])))
        if kind <= 3:
            tablet.lend(item_id, patron_id, at)
        elif kind <= 5:
            tablet.take_back(item_id, at, known)
        elif kind == 6:
            tablet.renew(item_id, at, known)
        elif kind == 7:
            tablet.register(f"n{dice.randrange(3)}", at, card=f"c{dice.randrange(3)}", name="A")
        elif kind == 8:
            counts = {"visits_service.children": dice.randrange(-1, 4)}
            tablet.write(CountBody(counts=counts), at, visit_id=f"v{dice.randrange(2)}")
        elif kind == 9:
            moment = dice.choice((EventKind.ARRIVE, EventKind.DEPART, EventKind.SKIP))
            skip = SkipBody(reason=SkipReason.ROAD)
            tablet.write(skip if moment is EventKind.SKIP else MomentBody(), at, kind=moment)
        elif kind == 10:
            place = dice.choice((ABOARD, STORE, BRANCH))
            tablet.write(MoveBody(item_ids=(item_id,), to_place=place), at)
        else:
            follow_up(dice, tablet, tablets, at)
    return tablets, marks


def follow_up(dice: random.Random, tablet: Tablet, tablets: list[Tablet], at: datetime) -> None:
    """A slip taken back, a decision, or a visit that is cancelled."""
    before = [e for t in tablets for e in t.events]
    what = dice.randrange(3)
    if what == 0 and before:
        tablet.write(VoidBody(event_id=dice.choice(before).event_id), at)
    elif what == 1 and before:
        rule = dice.choice(("lent_to_other", "returned_elsewhere", "blocked"))
        tablet.decide(dice.choice(before), rule, dice.choice(list(Choice)), at)
    else:
        coming = tuple(map(str, VISITS[2:5]))
        tablet.write(VisitsMovedBody(gone=(str(VISITS[1]),), coming=coming), at)


def clean(tablets: list[Tablet], marks: list[ClockMark]) -> tuple[Replay, Journal, list[Answer]]:
    """One sync of everything, in the evening."""
    run = Replay((*BASE, *OLD), TITLES, LENDING)
    batch = [e for t in tablets for e in t.events]
    evening = [t.mark(EVENING) for t in tablets]
    synced = sync(Journal(), run, batch, [*marks, *evening], at=EVENING)
    return run, synced.journal, list(synced.answers)


def broken(
    tablets: list[Tablet], marks: list[ClockMark], dice: random.Random
) -> tuple[Replay, Journal, Counter[str]]:
    """The same events in pieces: cut, doubled, shuffled, some through a relay, at any hour."""
    run = Replay((*BASE, *OLD), TITLES, LENDING)
    journal = Journal(marks=tuple(marks))
    left = {t.device_id: list(t.events) for t in tablets}
    answered: Counter[str] = Counter()
    at = MORNING + timedelta(hours=6)
    while any(left.values()):
        at += timedelta(minutes=dice.randrange(1, 20))
        tablet = dice.choice([t for t in tablets if left[t.device_id]])
        relayed = dice.choice(tablets)
        batch = left[tablet.device_id][: dice.randrange(1, 9)]
        if dice.random() < 0.4:
            batch += left[relayed.device_id][: dice.randrange(4)]
        if dice.random() < 0.3:
            batch += dice.choices(tablet.events, k=3)
        dice.shuffle(batch)
        mark = replace(tablet.mark(at), sequence=len(tablet.events))
        synced = sync(journal, run, batch, [mark], at=at)
        journal = synced.journal
        if dice.random() < 0.3:
            continue  # the answer was lost on its way: the device sends all of it again
        for answer in synced.answers:
            assert answer.leaves_device
            answered[answer.event_id] += 1
        for device_id, events in left.items():
            left[device_id] = [e for e in events if e.event_id not in answered]
    evening = [t.mark(EVENING) for t in tablets]
    journal = sync(journal, run, [], evening, at=EVENING).journal
    return run, journal, answered


@settings(max_examples=NUM_DAYS, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.integers(1, 45))
def test_any_sync_equals_a_clean_one(seed: int, num_events: int) -> None:
    """Interrupted, doubled, shuffled and relayed syncs end in the state of one clean sync."""
    tablets, marks = any_day(seed, num_events)
    one, journal, _ = clean(tablets, marks)
    other, pieces, answered = broken(tablets, marks, random.Random(seed + 1))
    assert set(pieces.events) == set(journal.events) == set(answered)
    assert other.state.as_found() == one.state.as_found()
    assert other.outcomes == one.outcomes
    assert [s.timed.event.event_id for s in other.steps] == [
        s.timed.event.event_id for s in one.steps
    ]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_no_item_is_lost(seed: int, num_events: int) -> None:
    """Every item is at one of the three places; all its loans are told, one is undisputed."""
    tablets, marks = any_day(seed, num_events)
    run, *_ = clean(tablets, marks)
    assert set(run.state.items) == {i.item_id for i in ITEMS}
    for item in run.state.items.values():
        assert item.place in (ABOARD, STORE, BRANCH)
        loans = run.state.open_loans_of_item(item.item_id)
        allowed = sum(1 for t in tablets for e in t.events if e.kind is EventKind.DECISION)
        assert sum(not x.is_disputed for x in loans) <= 1 + allowed
    here = [i for place in (ABOARD, STORE, BRANCH) for i in run.state.items_at(place)]
    lent = {x.item_id for x in run.state.loans.values() if x.is_open}
    assert len(here) + len(lent) == len(ITEMS)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_nothing_is_dropped_silently(seed: int, num_events: int) -> None:
    """Every event has an answer, and each that did nothing says why."""
    tablets, marks = any_day(seed, num_events)
    run, journal, answers = clean(tablets, marks)
    assert len(answers) == len(journal.events) == sum(len(t.events) for t in tablets)
    for answer in answers:
        outcome = run.outcomes[answer.event_id]
        if answer.verdict is Verdict.CONFLICT:
            assert answer.rule and answer.proposal
        elif outcome.verdict is Verdict.DUPLICATE:
            assert outcome.rule


def test_replayed_again_takes_back_all() -> None:
    """Taking events away leaves what was before them: no change hides another."""
    tablets, marks = any_day(7, 60)
    run, journal, _ = clean(tablets, marks)
    run.run(())
    assert run.state.as_found() == Replay((*BASE, *OLD), TITLES).state.as_found()
    run.run(in_order(journal))
    assert run.state.as_found() == clean(tablets, marks)[0].state.as_found()


def test_a_copied_tablet_is_refused() -> None:
    """A second tablet with a copied name: clashing numbers are refused, told, and stay there."""
    one, copy = Tablet(), Tablet()
    first = one.lend("i1", "p1", MORNING)
    clash = replace(copy.lend("i2", "p2", MORNING), event_id="f" * 32)  # type: ignore[arg-type]
    run = Replay(BASE, TITLES, LENDING)
    journal = sync(Journal(), run, [first], [one.mark(EVENING)], at=EVENING).journal
    synced = sync(journal, run, [clash], at=EVENING)
    (answer,) = synced.answers
    assert (answer.verdict, answer.code) == (Verdict.REFUSED, "journal.sequence_taken")
    assert answer.facts == {"sequence": 1, "known_id": first.event_id}
    assert not answer.leaves_device
    assert [r.event for r in synced.refused] == [clash]
    assert "p2" not in {x.patron_id for x in run.state.loans.values()}


def test_the_offices_events_are_the_offices() -> None:
    """A tablet that decides a conflict or cancels visits is refused, and told so."""
    tablet = Tablet()
    loan = tablet.lend("i1", "blocked", MORNING)
    tablet.decide(loan, "blocked", Choice.ALLOW, MORNING)
    tablet.write(VisitsMovedBody(gone=(str(VISITS[1]),)), MORNING)
    run = Replay(BASE, TITLES, LENDING)
    synced = sync(Journal(), run, tablet.events, at=EVENING, is_office=False)
    assert [(a.verdict, a.code) for a in synced.answers] == [
        (Verdict.CONFLICT, ""),
        (Verdict.REFUSED, "journal.not_yours"),
        (Verdict.REFUSED, "journal.not_yours"),
    ]
    assert len(synced.refused) == 2


def test_a_late_event_alters_an_answer() -> None:
    """A tablet that comes late may turn an accepted return into a conflict; that is told."""
    one, branch = Tablet(), Tablet(device_id="branch", place=BRANCH)
    one.lend("i1", "p1", MORNING)
    back = branch.take_back("i1", MORNING + timedelta(hours=1))
    run = Replay(BASE, TITLES, LENDING)
    marks = [t.mark(EVENING) for t in (one, branch)]
    first = sync(Journal(), run, branch.events, marks, at=EVENING)
    assert [a.verdict for a in first.answers] == [Verdict.ACCEPTED]
    second = sync(first.journal, run, one.events, marks, at=EVENING)
    assert [a.verdict for a in second.answers] == [Verdict.ACCEPTED]
    assert [s.timed.event.event_id for s in second.altered] == [back.event_id]
    assert second.altered[0].outcome.verdict is Verdict.CONFLICT


def test_answers_hold_no_names() -> None:
    """What goes to a queue of conflicts has ids and no names (C17)."""
    one = Tablet()
    one.register("n1", MORNING, card="c1", name="Анна Ёлкина")
    answer = clean([one], [])[2][0]
    assert answer.verdict is Verdict.CONFLICT
    assert "Ёлкина" not in repr(answer)


def test_bad_moves_are_refused() -> None:
    """A box stands at a point, and a move has items."""
    for told in (
        {"item_ids": (), "to_place": STORE},
        {"item_ids": ("i1",), "to_place": STORE, "box_id": "b"},
    ):
        try:
            MoveBody(**told)  # type: ignore[arg-type]
        except InputError as refused:
            assert refused.code.startswith("journal.")
        else:
            raise AssertionError(told)
