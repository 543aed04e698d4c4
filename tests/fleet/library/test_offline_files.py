"""Files for Koha and Evergreen, held against those systems' own rules."""

import contextlib
import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from data.feeds.evergreen_offline import pending_xacts
from data.feeds.koha_koc import koc_file
from data.model.errors import InputError
from data.model.library_ops import LibraryOperation, OperationKind
from tests.fleet.library.evergreen_rules import Evergreen
from tests.fleet.library.koha_rules import Koha
from tests.fleet.library.operations import operation

ZONE = "Europe/Kaliningrad"
LOAN, RETURN, RENEWAL = OperationKind.LOAN, OperationKind.RETURN, OperationKind.RENEWAL


def koc(operations: list[LibraryOperation]) -> bytes:
    return koc_file(operations, time_zone=ZONE, generator_version="0.1.0").content


def test_a_koc_file_by_hand() -> None:
    """Local time with milliseconds, tabs, no blank line at the end."""
    told = [operation(), operation(RETURN, operation_id="op-2", after_s=60)]
    assert koc(told) == (
        b"Version=1.0\tGenerator=bookmobile\tGeneratorVersion=0.1.0\n"
        b"2026-11-26 10:15:30 125\tissue\tR-1\t4600001\n"
        b"2026-11-26 10:16:30 125\treturn\t4600001\n"
    )


def test_an_evergreen_line_by_hand() -> None:
    """The fields that Evergreen's own client writes, and our due date to the end of its day."""
    content = pending_xacts([operation()], time_zone=ZONE).content
    assert json.loads(content) == {
        "timestamp": int(datetime(2026, 11, 26, 8, 15, 30, tzinfo=UTC).timestamp()),
        "type": "checkout",
        "delta": 0,
        "barcode": "4600001",
        "patron_barcode": "R-1",
        "checkout_time": "2026-11-26T10:15:30+02:00",
        "due_date": "2026-12-14T23:59:59+02:00",
    }
    assert content.endswith(b"}\n")


days = st.lists(
    st.tuples(
        st.integers(0, 5), st.integers(0, 3), st.sampled_from(["R-1", "R-2"]), st.integers(0, 400)
    ),
    max_size=30,
)


def _consistent(
    day: list[tuple[int, int, str, int]],
) -> tuple[list[LibraryOperation], dict[str, str]]:
    """Operations as they can happen aboard, some in one second; and who has what in the end."""
    made: list[LibraryOperation] = []
    has: dict[str, str] = {}
    at_ms = 0
    for number, (item, what, card, pause_ms) in enumerate(day):
        at_ms += pause_ms + 1
        barcode = f"46{item}"
        kind = RETURN if barcode in has and what < 2 else RENEWAL if barcode in has else LOAN
        owner = has.get(barcode, card)
        made.append(
            operation(
                kind,
                operation_id=f"op-{number}",
                item_id=barcode,
                card=owner,
                after_s=at_ms / 1000,
            )
        )
        if kind is RETURN:
            del has[barcode]
        else:
            has[barcode] = owner
    return made, has


@given(days, st.randoms(use_true_random=False))
def test_koha_ends_where_the_vehicle_ended(
    day: list[tuple[int, int, str, int]], order: object
) -> None:
    """Any consistent day, told in any order: Koha accepts every line and has the same loans."""
    operations, has = _consistent(day)
    shuffled = list(operations)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    koha = Koha()
    koha.process(koc(shuffled))
    assert koha.errors == []
    assert {item: card for item, (card, _) in koha.loans.items()} == has


@given(days, st.randoms(use_true_random=False))
def test_evergreen_ends_where_the_vehicle_ended(
    day: list[tuple[int, int, str, int]], order: object
) -> None:
    """Any consistent day, told in any order: Evergreen has the same loans."""
    operations, has = _consistent(day)
    order.shuffle(operations)  # type: ignore[attr-defined]
    evergreen = Evergreen()
    evergreen.execute(pending_xacts(operations, time_zone=ZONE).content)
    assert evergreen.errors == []
    assert {item: card for item, (card, _) in evergreen.loans.items()} == has
    assert all(
        due.isoformat().startswith("2026-12-14T23:59:59") for _, due in (evergreen.loans.values())
    )


def test_returned_and_lent_at_one_instant() -> None:
    """One reader gives a book back and the next takes it: the return stands first."""
    told = [
        operation(operation_id="a", card="R-2"),
        operation(RETURN, operation_id="b"),
    ]
    koha, evergreen = Koha(), Evergreen()
    koha.loans["4600001"] = ("R-1", datetime(2026, 11, 1, tzinfo=UTC).date())
    koha.process(koc(told))
    assert koha.errors == []
    assert koha.loans["4600001"][0] == "R-2"
    evergreen.loans["4600001"] = ("R-1", datetime(2026, 11, 1, tzinfo=UTC))
    evergreen.execute(pending_xacts(told, time_zone=ZONE).content)
    assert evergreen.order == ["checkin 4600001", "checkout 4600001"]


def test_what_a_file_cannot_carry_is_told() -> None:
    """Holds and registrations are left out by name, never dropped."""
    told = [
        operation(),
        operation(OperationKind.HOLD, operation_id="h"),
        operation(OperationKind.REGISTRATION, operation_id="r", name="Ли"),
    ]
    for made, code in (
        (koc_file(told, time_zone=ZONE, generator_version="1"), "library.koc_cannot_carry"),
        (pending_xacts(told, time_zone=ZONE), "library.evergreen_cannot_carry"),
    ):
        assert made.carried == ("op-1",)
        assert {(x.operation_id, x.code) for x in made.left_out} == {("h", code), ("r", code)}


def test_a_value_that_would_be_another_one_there_goes_to_a_person() -> None:
    """With what follows of its item; the rest of the day goes into the file."""
    told = [
        operation(operation_id="a", card="R-1 "),
        operation(RETURN, operation_id="b", after_s=60),
        operation(operation_id="c", item_id="4600002", after_s=120),
    ]
    made = koc_file(told, time_zone=ZONE, generator_version="1")
    assert made.carried == ("c",)
    assert [(x.operation_id, x.code) for x in made.left_out] == [
        ("a", "library.bad_for_file"),
        ("b", "library.bad_for_file"),
    ]
    assert made.left_out[0].facts == {"field": "card", "value": "R-1 "}
    koha = Koha()
    koha.process(made.content)
    assert koha.errors == []


hostile = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@given(st.lists(st.tuples(hostile, hostile), max_size=8, unique_by=lambda pair: pair[0]))
def test_any_characters_reach_the_peer_as_they_are_or_a_person(
    pairs: list[tuple[str, str]],
) -> None:
    """Quotes, formulas, ends of lines of other scripts: nobody reads another card or barcode."""
    told = []
    for number, (item, card) in enumerate(pairs):
        with contextlib.suppress(InputError):
            # What no operation can be made of was refused before, and named.
            told.append(
                operation(operation_id=f"op-{number}", item_id=item, card=card, after_s=number)
            )
    lent = {x.item_id: x.card for x in told}
    koha, evergreen = Koha(), Evergreen()
    made = koc_file(told, time_zone=ZONE, generator_version="1")
    koha.process(made.content)
    assert koha.errors == []
    left = {x.operation_id for x in made.left_out}
    carried = {x.item_id: x.card for x in told if x.operation_id not in left}
    assert {item: card for item, (card, _) in koha.loans.items()} == carried
    evergreen.execute(pending_xacts(told, time_zone=ZONE).content)
    assert evergreen.errors == []
    assert {item: card for item, (card, _) in evergreen.loans.items()} == lent
