"""The outbox: nothing lost, nothing twice, refusals to a person, whatever ends when."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.model.errors import ConflictError, InputError, NotFoundError
from data.model.library_ops import Answer, LibraryOperation, OperationKind, Outcome
from fleet.library.delivery import Delivery
from fleet.library.outbox import (
    Outbox,
    Posting,
    Ruling,
    Standing,
    add,
    answered,
    due,
    ruled,
    sending,
    wait,
)
from fleet.library.outbox_json import (
    operation_from_json,
    operation_to_json,
    posting_from_json,
    posting_to_json,
)
from tests.fleet.library.operations import AT, operation

NOW = datetime(2026, 11, 26, 18, tzinfo=UTC)
RETURN, LOAN = OperationKind.RETURN, OperationKind.LOAN
FAULTS = [o for o in Outcome if o is not Outcome.ALREADY]
ACCEPTED = Answer(outcome=Outcome.ACCEPTED)
REFUSED = Answer(outcome=Outcome.REFUSED, told="Читатель не найден")


class EndedError(Exception):
    """The program ends here."""


@dataclass
class Library:
    """A system outside that does what the script says, and counts what it did."""

    script: list[Outcome] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def carry_out(self, operation: LibraryOperation, *, is_repeat: bool) -> Answer:
        if is_repeat and operation.operation_id in self.done:
            return Answer(outcome=Outcome.ALREADY)
        outcome = self.script.pop() if self.script else Outcome.ACCEPTED
        was_done = outcome in (Outcome.ACCEPTED, Outcome.DOUBTFUL)
        if was_done:
            self.done.append(operation.operation_id)
        return Answer(outcome=outcome, code="" if was_done else "library.unreachable")


def test_one_item_goes_in_order() -> None:
    """A return waits for its loan; another item does not."""
    box = add(
        Outbox(),
        [
            operation(RETURN, operation_id="b", after_s=60),
            operation(operation_id="a"),
            operation(operation_id="c", item_id="46", after_s=90),
        ],
    )
    assert [p.operation_id for p in due(box, NOW)] == ["a", "c"]
    box = box.put(answered(sending(box["a"]), ACCEPTED, now=NOW))
    assert [p.operation_id for p in due(box, NOW)] == ["b", "c"]


def test_a_new_reader_comes_before_their_loans() -> None:
    """Nobody borrows before they are registered there."""
    box = add(
        Outbox(),
        [
            operation(OperationKind.REGISTRATION, operation_id="r", name="Ли"),
            operation(operation_id="a", after_s=1),
            operation(operation_id="o", card="R-2", item_id="46", after_s=2),
        ],
    )
    assert [p.operation_id for p in due(box, NOW)] == ["r", "o"]


def test_a_refusal_waits_for_a_person_and_holds_its_item() -> None:
    """The system's words are kept; what a person decides lets the rest go on."""
    box = add(
        Outbox(), [operation(operation_id="a"), operation(RETURN, operation_id="b", after_s=9)]
    )
    box = box.put(answered(sending(box["a"]), REFUSED, now=NOW))
    assert [p.operation_id for p in box.asking] == ["a"]
    assert box["a"].answer == REFUSED
    assert due(box, NOW + timedelta(days=9)) == ()
    for ruling, expected in (
        (Ruling.BY_HAND, ["b"]),
        (Ruling.LEAVE, ["b"]),
        (Ruling.AGAIN, ["a"]),
    ):
        decided = box.put(ruled(box["a"], ruling, by="acc-1", at=NOW, note="внесено"))
        assert [p.operation_id for p in due(decided, NOW)] == expected
        assert (decided["a"].ruled_by, decided["a"].note) == ("acc-1", "внесено")
        assert len(decided.unsettled) == (2 if ruling is Ruling.AGAIN else 1)


def test_only_refusals_are_decided() -> None:
    """What is on its way is not a person's."""
    box = add(Outbox(), [operation()])
    with pytest.raises(ConflictError, match="nothing_to_decide"):
        ruled(box["op-1"], Ruling.LEAVE, by="a", at=NOW)
    with pytest.raises(NotFoundError, match="unknown_operation"):
        box["op-9"]


def test_waits_grow_to_an_hour() -> None:
    """Half a minute, doubled, an hour at most; spread by the jitter."""
    assert [wait(n) for n in (1, 2, 3, 7, 8, 90)] == [30, 60, 120, 1920, 3600, 3600]
    down = Answer(outcome=Outcome.UNREACHABLE, code="library.unreachable")
    posting = answered(sending(Posting(operation=operation())), down, now=NOW, jitter=0.5)
    assert posting.standing is Standing.WAITING
    assert posting.next_at == NOW + timedelta(seconds=15)
    box = Outbox.of([posting])
    assert due(box, NOW + timedelta(seconds=14)) == ()
    assert len(due(box, NOW + timedelta(seconds=15))) == 1


def test_an_operation_is_taken_once() -> None:
    """The same again is nothing; other content under its id is told."""
    box = add(Outbox(), [operation()])
    assert add(box, [operation()]) is box
    with pytest.raises(ConflictError, match="other_content"):
        add(box, [operation(item_id="46")])


def test_an_unreached_system_stops_the_round() -> None:
    """The rest waits untouched, with no wait of its own."""
    kept: list[Posting] = []
    library = Library(script=[Outcome.UNREACHABLE, Outcome.ACCEPTED])
    box = add(Outbox(), [operation(operation_id=f"o{n}", item_id=f"46{n}") for n in range(4)])
    box = Delivery(library, kept.append, clock=lambda: NOW).run(box)
    assert library.done == ["o0"]
    assert box.counts()[Standing.SETTLED] == 1
    assert [p.num_tries for p in box.postings.values()] == [1, 1, 0, 0]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([LOAN, RETURN])), max_size=12),
    st.lists(st.sampled_from(FAULTS), max_size=20),
    st.lists(st.integers(1, 9), max_size=12),
)
def test_whenever_it_ends_each_is_done_once(
    day: list[tuple[int, OperationKind]], script: list[Outcome], ends: list[int]
) -> None:
    """The program ends at any moment, the line breaks at any moment: at last each is done once.

    The order of each item's operations is kept as well.
    """
    told = [
        operation(kind, operation_id=f"o{n:02}", item_id=f"46{item}", after_s=n)
        for n, (item, kind) in enumerate(day)
    ]
    library, stored = Library(script=list(script)), {}
    now = NOW
    for _ in range(len(script) + len(ends) + len(told) + 2):
        lives = ends.pop() if ends else 10_000

        def keep(posting: Posting) -> None:
            nonlocal lives
            lives -= 1
            if lives <= 0:
                raise EndedError
            stored[posting.operation_id] = posting_from_json(posting_to_json(posting))

        box = add(Outbox.of(stored.values()), told)
        for posting in box.asking:
            box = box.put(ruled(posting, Ruling.AGAIN, by="acc", at=now))
        with suppress(EndedError):
            Delivery(library, keep, clock=lambda: now).run(box)  # noqa: B023
        now += timedelta(hours=2)
    assert sorted(library.done) == [o.operation_id for o in told]
    for item in range(4):
        own = [o.operation_id for o in told if o.item_id == f"46{item}"]
        assert [d for d in library.done if d in own] == own
    assert all(p.standing is Standing.SETTLED for p in stored.values())


@given(st.dictionaries(st.text(max_size=12), st.one_of(st.text(), st.integers(), st.none())))
def test_any_json_is_an_operation_or_refused(told: dict[str, object]) -> None:
    """No file from outside ends the program."""
    for reader in (operation_from_json, posting_from_json):
        with pytest.raises(InputError):
            reader(told)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "gift"),
        ("at", "2026-11-26T10:00"),
        ("at", 7),
        ("due_date", "14.12.2026"),
        ("card", None),
        ("item_id", 46),
        ("extra", "x"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object) -> None:
    """The field is told, so that whoever made the file can mend it."""
    told = operation_to_json(operation()) | {field: value}
    with pytest.raises(InputError, match="bad_field") as caught:
        operation_from_json(told)
    assert caught.value.facts["field"] == field


def test_json_keeps_everything() -> None:
    """An operation and a posting come back as they were."""
    told = operation(
        OperationKind.REGISTRATION, name="Петров", phone="+7", birth_date=AT.date(), brief="x"
    )
    assert operation_from_json(operation_to_json(told)) == told
    posting = ruled(
        answered(sending(Posting(operation=operation())), REFUSED, now=NOW),
        Ruling.AGAIN,
        by="acc-1",
        at=NOW,
        note="ещё раз",
    )
    assert posting_from_json(posting_to_json(posting)) == posting


@pytest.mark.parametrize(
    ("kind", "lacking"), [(LOAN, "card"), (RETURN, "item_id"), (OperationKind.HOLD, "card")]
)
def test_an_operation_lacks_nothing_that_it_needs(kind: OperationKind, lacking: str) -> None:
    """A loan without a card cannot be told to anybody."""
    with pytest.raises(InputError, match="lacking"):
        operation(kind, **{lacking: ""})  # type: ignore[arg-type]
