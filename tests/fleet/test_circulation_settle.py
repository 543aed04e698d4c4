"""The settled past and the rest come to what the whole journal comes to."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from data.model.journal import EventId, EventKind, JournalEvent
from data.model.journal_bodies import (
    Choice,
    DecisionBody,
    LoanBody,
    MoveBody,
    RenewalBody,
    ReturnBody,
    VoidBody,
)
from data.model.loans import Loan
from data.model.patrons import Patron, PatronId
from data.model.stock import Item, ItemId, ItemPlace, PlaceKind, Title, TitleId
from fleet.circulation_outcome import Verdict
from fleet.circulation_replay import Replay, Settled
from fleet.circulation_settle import is_ended, rest_of, settle, settled_after
from fleet.circulation_state import Thing
from fleet.circulation_sync import item_history, sync
from fleet.journal import Journal
from fleet.journal_clock import ClockMark

BEGIN = datetime(2026, 12, 1, 6, tzinfo=UTC)
BUS = ItemPlace(kind=PlaceKind.VEHICLE, key="bus")
OFFICE = ItemPlace(kind=PlaceKind.POINT, key="office")
ITEMS, PATRONS, DEVICES = 8, 5, 3
TITLES = tuple(Title(title_id=TitleId(f"t{n}"), name=f"T{n}") for n in range(ITEMS))
BASE: tuple[Thing, ...] = (
    *(Item(item_id=ItemId(f"i{n}"), title_id=TitleId(f"t{n}"), place=BUS) for n in range(ITEMS)),
    *(Patron(patron_id=PatronId(f"p{n}"), card=f"c{n}") for n in range(PATRONS)),
)


class World:
    """Devices whose clocks are off, and what they write and bring."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.off_s = {
            f"d{n}": chance.choice((0.0, 3600.0, -86_400.0, 7.25)) for n in range(DEVICES)
        }
        self.off_s["office"] = 0.0
        self.written: dict[str, list[JournalEvent]] = {d: [] for d in self.off_s}
        self.left: dict[str, list[JournalEvent]] = {d: [] for d in self.off_s}
        self.happened: dict[str, datetime] = {}

    def write(self, at: datetime) -> None:
        """Something happens on a device."""
        chance = self.chance
        device = chance.choice(sorted(self.off_s))
        if device != "office" and chance.random() < 0.02:
            self.off_s[device] += chance.choice((-7200.0, 7200.0))
        kind, body = self._what(device)
        event = JournalEvent(
            event_id=EventId(f"{device}-{len(self.written[device]) + 1}"),
            device_id=device,
            sequence=len(self.written[device]) + 1,
            device_at=at + timedelta(seconds=self.off_s[device]),
            kind=kind,
            body=body,
            place=OFFICE if device == "office" else BUS,
            service_date=date(2026, 12, 1),
        )
        self.happened[event.event_id] = at
        self.written[device].append(event)
        self.left[device].append(event)

    def _what(self, device: str) -> tuple[EventKind, Any]:
        chance = self.chance
        item, patron = f"i{chance.randrange(ITEMS)}", f"p{chance.randrange(PATRONS)}"
        what = chance.random()
        if what < 0.5:
            due = date(2026, 12, 20)
            return EventKind.LOAN, LoanBody(item_id=item, patron_id=patron, due_date=due)
        if what < 0.8:
            return EventKind.RETURN, ReturnBody(item_id=item)
        if what < 0.9 or not self.left[device]:
            return EventKind.RENEWAL, RenewalBody(item_id=item, due_date=date(2026, 12, 29))
        return EventKind.VOID, VoidBody(event_id=chance.choice(self.left[device]).event_id)

    def bring(self, at: datetime) -> tuple[list[JournalEvent], list[ClockMark]]:
        """What a device that is reached brings, with its clock."""
        device = self.chance.choice(sorted(self.off_s))
        batch, self.left[device] = self.left[device], []
        mark = ClockMark(
            device_id=device,
            sequence=len(self.written[device]),
            device_at=at + timedelta(seconds=self.off_s[device]),
            server_at=at,
        )
        return batch, [mark]

    def decisions(self, replay: Replay, at: datetime) -> list[JournalEvent]:
        """A librarian decides all that waits."""
        made = []
        for step in replay.conflicts:
            body = DecisionBody(
                event_id=step.timed.event.event_id,
                rule=step.outcome.rule,
                choice=self.chance.choice(tuple(Choice)),
            )
            event = JournalEvent(
                event_id=EventId(f"office-{len(self.written['office']) + 1}"),
                device_id="office",
                sequence=len(self.written["office"]) + 1,
                device_at=at,
                kind=EventKind.DECISION,
                body=body,
                place=OFFICE,
                service_date=date(2026, 12, 1),
            )
            self.written["office"].append(event)
            made.append(event)
        return made


NUM: Counter[str] = Counter()


class Folded:
    """A journal whose settled past is folded into the base now and then."""

    def __init__(self) -> None:
        self.journal, self.replay = Journal(), Replay(BASE, TITLES)
        self.ended: dict[Any, Thing] = {}

    def settle(self, before: datetime) -> bool:
        """Fold, and go on from the new base; false where nothing is settled."""
        found = settle(self.replay, self.journal, before)
        if found is None:
            return False
        NUM["events"] += len(found.event_ids)
        base = self.base() | {k: t for k, t in found.things.items() if t is not None}
        for key, thing in found.things.items():
            if thing is None:
                del base[key]
        self.ended |= {k: t for k, t in base.items() if is_ended(t)}
        known: Settled = settled_after(self.replay.settled, found)
        kept = [t for t in base.values() if not is_ended(t)]
        self.journal = rest_of(self.journal, found)
        self.replay = Replay(kept, TITLES, settled=known)
        sync(self.journal, self.replay, [], at=BEGIN)
        return True

    def base(self) -> dict[Any, Thing]:
        """The state as it is with nothing of the rest."""
        state = self.replay.state.copy()
        for step in reversed(self.replay.steps):
            state.take_back(step.outcome.changes)
        return state.as_found()

    def as_found(self) -> dict[Any, Thing]:
        return self.ended | self.replay.state.as_found()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_the_settled_past_and_the_rest_are_the_whole(seed: int) -> None:
    """Whatever is folded whenever: state and verdicts of the rest are those of a whole replay."""
    chance = random.Random(seed)
    world = World(chance)
    whole_journal, whole = Journal(), Replay(BASE, TITLES)
    part = Folded()
    now = BEGIN
    for _ in range(chance.randrange(30, 90)):
        now += timedelta(minutes=chance.randrange(1, 40), milliseconds=chance.randrange(1000))
        world.write(now)
        if chance.random() < 0.7:
            batch, marks = world.bring(now + timedelta(seconds=1))
            at = now + timedelta(seconds=1)
            # What is brought later than what it precedes is settled is judged elsewhere.
            whole_journal = sync(whole_journal, whole, batch, marks, at=at).journal
            part.journal = sync(part.journal, part.replay, batch, marks, at=at).journal
        if chance.random() < 0.3:
            at = now + timedelta(seconds=2)
            batch = world.decisions(whole, at)
            mark = ClockMark(
                device_id="office", sequence=len(world.written["office"]), device_at=at,
                server_at=at,
            )  # fmt: skip
            batch = [*world.left["office"], *batch]
            world.left["office"] = []
            whole_journal = sync(whole_journal, whole, batch, [mark], at=at).journal
            part.journal = sync(part.journal, part.replay, batch, [mark], at=at).journal
        if chance.random() < 0.3:
            on_the_way = [world.happened[e.event_id] for left in world.left.values() for e in left]
            # Nothing that is still on its way may be earlier than the line.
            NUM["folds"] += part.settle(min(on_the_way, default=now) - timedelta(minutes=40))
    assert part.as_found() == whole.state.as_found()
    rest = part.replay.outcomes
    assert {i: o.verdict for i, o in rest.items()} == {i: whole.outcomes[i].verdict for i in rest}


def test_enough_was_folded() -> None:
    """The property above folded often enough to mean something."""
    assert NUM["folds"] > 5
    assert NUM["events"] > 60


def loan(number: int, item: str, patron: str, at: datetime, device: str = "d0") -> JournalEvent:
    return JournalEvent(
        event_id=EventId(f"{device}-{number}"), device_id=device, sequence=number, device_at=at,
        kind=EventKind.LOAN, place=BUS, service_date=date(2026, 12, 1),
        body=LoanBody(item_id=item, patron_id=patron, due_date=date(2026, 12, 20)),
    )  # fmt: skip


def mark(device: str, sequence: int, at: datetime) -> ClockMark:
    return ClockMark(device_id=device, sequence=sequence, device_at=at, server_at=at)


def folded() -> Folded:
    """One loan of an item that is settled."""
    part = Folded()
    at = BEGIN + timedelta(hours=1)
    done = sync(part.journal, part.replay, [loan(1, "i1", "p1", BEGIN)], [mark("d0", 1, at)], at=at)
    part.journal = done.journal
    assert part.settle(at)
    assert part.journal.events == {}
    return part


def test_what_comes_late_goes_to_a_person_where_it_cannot_be_judged() -> None:
    """Of an item that has moved since it waits; of another it is judged as if it came in time."""
    part = folded()
    at = BEGIN + timedelta(days=40)
    early = BEGIN - timedelta(minutes=5)
    batch = [loan(1, "i1", "p2", early, "d1"), loan(2, "i2", "p2", early, "d1")]
    done = sync(part.journal, part.replay, batch, [mark("d1", 2, at)], at=at)
    first, second = done.answers
    assert (first.verdict, first.rule) == (Verdict.CONFLICT, "too_late")
    assert second.verdict is Verdict.ACCEPTED
    assert [x.patron_id for x in part.replay.state.open_loans_of_item("i2")] == ["p2"]
    part.journal = done.journal
    assert part.settle(at) is False
    decide = JournalEvent(
        event_id=EventId("office-1"), device_id="office", sequence=1, device_at=at,
        kind=EventKind.DECISION, place=OFFICE, service_date=date(2026, 12, 1),
        body=DecisionBody(event_id="d1-1", rule="too_late", choice=Choice.APPLY),
    )  # fmt: skip
    done = sync(part.journal, part.replay, [decide], [mark("office", 1, at)], at=at)
    # Judged now as it would have been on its own: the item has a reader already.
    assert part.replay.outcomes[EventId("d1-1")].rule == "lent_to_other"


def test_a_settled_slip_is_not_taken_back_silently() -> None:
    """Whoever keeps the journal says that the target is settled; a person sees the wish."""
    part = folded()
    assert part.replay.settled is not None
    part.replay.settled.event_ids.add("d0-1")
    at = BEGIN + timedelta(days=40)
    void = JournalEvent(
        event_id=EventId("d0-2"), device_id="d0", sequence=2, device_at=at, kind=EventKind.VOID,
        place=BUS, service_date=date(2026, 12, 1), body=VoidBody(event_id="d0-1"),
    )  # fmt: skip
    done = sync(part.journal, part.replay, [void], [mark("d0", 2, at)], at=at)
    assert done.answers[0].rule == "voided_too_late"
    assert len(part.replay.state.open_loans_of_item("i1")) == 1


def test_what_waits_holds_the_line() -> None:
    """A conflict, and an event of which the library's system is yet to be told, are not settled."""
    part = Folded()
    at = BEGIN + timedelta(hours=1)
    batch = [loan(1, "i1", "p1", BEGIN), loan(2, "i1", "p2", BEGIN + timedelta(minutes=1)),
             loan(3, "i2", "p3", BEGIN + timedelta(minutes=2))]  # fmt: skip
    done = sync(part.journal, part.replay, batch, [mark("d0", 1, BEGIN), mark("d0", 3, at)], at=at)
    assert [a.verdict.value for a in done.answers] == ["accepted", "conflict", "accepted"]
    found = settle(part.replay, done.journal, at)
    assert found is not None
    assert set(found.event_ids) == {"d0-1"}
    assert settle(part.replay, done.journal, at, held={"d0-1"}) is None


def test_numbers_that_had_not_come_are_still_missed() -> None:
    """The gap of a settled journal is told, and closed by what comes late."""
    part = Folded()
    at = BEGIN + timedelta(hours=1)
    batch = [loan(1, "i1", "p1", BEGIN), loan(3, "i3", "p3", BEGIN + timedelta(minutes=2))]
    part.journal = sync(part.journal, part.replay, batch, [mark("d0", 3, at)], at=at).journal
    assert part.settle(at)
    late = loan(2, "i2", "p2", BEGIN + timedelta(minutes=1))
    asked = sync(part.journal, part.replay, [loan(4, "i4", "p4", at)], [mark("d0", 4, at)], at=at)
    assert [list(r) for r in asked.missing["d0"]] == [[2]]
    done = sync(asked.journal, part.replay, [late], [mark("d0", 4, at)], at=at)
    assert done.missing["d0"] == ()
    assert done.answers[0].verdict is Verdict.ACCEPTED
    assert isinstance(part.replay.state.open_loans_of_item("i2")[0], Loan)


def test_a_settled_move_tells_where_the_item_was() -> None:
    """A move, and a return that ended no loan, are kept as moves; a loan tells its own places."""
    part = Folded()
    at = BEGIN + timedelta(hours=1)
    moved = JournalEvent(
        event_id=EventId("office-1"), device_id="office", sequence=1, device_at=BEGIN,
        kind=EventKind.MOVE, place=OFFICE, service_date=date(2026, 12, 1),
        body=MoveBody(item_ids=("i1", "i2"), to_place=OFFICE, box_id="box"),
    )  # fmt: skip
    back = JournalEvent(
        event_id=EventId("d0-2"), device_id="d0", sequence=2,
        device_at=BEGIN + timedelta(minutes=2), kind=EventKind.RETURN, place=BUS,
        service_date=date(2026, 12, 1), body=ReturnBody(item_id="i2"),
    )  # fmt: skip
    lent = loan(1, "i1", "p1", BEGIN + timedelta(minutes=1))
    marks = [mark("office", 1, BEGIN), mark("d0", 2, at)]
    done = sync(part.journal, part.replay, [moved, lent, back], marks, at=at)
    whole = item_history(part.replay.steps, ())
    found = settle(part.replay, done.journal, at)
    assert found is not None
    assert [(m.event_id, m.item_id, m.from_place, m.to_place, m.box_id) for m in found.moves] == [
        ("office-1", "i1", BUS, OFFICE, "box"),
        ("office-1", "i2", BUS, OFFICE, "box"),
        ("d0-2", "i2", OFFICE, BUS, ""),
    ]
    loans = [t for t in found.things.values() if isinstance(t, Loan)]
    told = item_history((), loans, found.moves[:1])
    assert [(x.at, x.kind, x.place, x.to_place) for x in told] == [
        (x.at, x.kind, x.place, x.to_place) for x in whole[:2]
    ]
