"""What a library's system is to be told of a replayed journal.

Told is what an event came to, not what it says: the item and the reader that a librarian put right,
and nothing of an event that waits for a decision or was found to have no effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from data.model.journal import EventKind
from data.model.library_ops import LibraryOperation, OperationId, OperationKind
from data.model.loans import Hold, HoldState, Loan
from data.model.patrons import Patron
from data.model.stock import ID_MAX
from fleet.circulation_outcome import Verdict
from fleet.circulation_replay import Step
from fleet.circulation_state import Change, Circulation

_BRIEF_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Operations of a journal, and the events that wait.

    Parameters
    ----------
    waiting
        Events in conflict: they are told once a person has decided.
    without_card
        Events that came to a loan of somebody without a card, which no system can be told of.
    """

    operations: tuple[LibraryOperation, ...]
    waiting: tuple[str, ...] = ()
    without_card: tuple[str, ...] = ()


def operations_of(
    steps: Sequence[Step], state: Circulation, *, place: str = "", operator: str = ""
) -> Told:
    """What the replayed events came to, as operations in the order in which they happened.

    Parameters
    ----------
    state
        The state that the steps led to: readers' cards and titles are taken from it.
    place, operator
        Codes of the vehicle and of whoever lends there, in the library's own system.
    """
    found: list[LibraryOperation] = []
    waiting, without_card = [], []
    for step in steps:
        event_id = step.timed.event.event_id
        if step.outcome.verdict is Verdict.CONFLICT:
            waiting.append(str(event_id))
        if step.outcome.verdict is not Verdict.ACCEPTED:
            continue
        number = 0
        for change in step.outcome.changes:
            kind = _kind(change, step.timed.event.kind)
            if kind is None:
                continue
            own_id = f"{event_id[: ID_MAX - 3]}~{number}" if number else str(event_id)
            made = _made(own_id, kind, change, state, step.timed.at, place, operator)
            if made is None:
                without_card.append(str(event_id))
            else:
                found.append(made)
            number += 1
    return Told(operations=tuple(found), waiting=tuple(waiting), without_card=tuple(without_card))


def _kind(change: Change, event: EventKind) -> OperationKind | None:
    """What a change is to the library; ``None`` where it is ours alone (places, set aside …)."""
    match change.before, change.after:
        case None, Loan(is_open=True):
            return OperationKind.LOAN
        case Loan(is_open=True), Loan(is_open=False):
            return OperationKind.RETURN
        case Loan(num_renewals=before), Loan(num_renewals=after) if after > before:
            return OperationKind.RENEWAL
        case None, Hold(state=HoldState.WAITING):
            return OperationKind.HOLD
        case Hold(is_open=True), Hold(state=HoldState.CANCELLED | HoldState.EXPIRED):
            return OperationKind.HOLD_CANCELLED
        case None, Patron() if event is EventKind.REGISTRATION:
            return OperationKind.REGISTRATION
    return None


def _made(
    operation_id: str,
    kind: OperationKind,
    change: Change,
    state: Circulation,
    at: datetime,
    place: str,
    operator: str,
) -> LibraryOperation | None:
    thing = change.after
    common = {
        "operation_id": OperationId(operation_id),
        "kind": kind,
        "at": at,
        "place": place,
        "operator": operator,
    }
    if isinstance(thing, Patron):
        if not thing.card:
            return None
        return LibraryOperation(
            **common,  # type: ignore[arg-type]
            card=thing.card,
            name=thing.name,
            birth_date=thing.birth_date,
            phone=thing.phone,
        )
    assert isinstance(thing, Loan | Hold)
    patron = state.patron_of(thing.patron_id)
    card = patron.card if patron is not None else ""
    if not card and kind is not OperationKind.RETURN:
        return None
    item = state.items.get(thing.item_id) if thing.item_id is not None else None
    title_id = thing.title_id if isinstance(thing, Hold) else item.title_id if item else None
    title = state.titles.get(title_id) if title_id is not None else None
    is_due = kind in (OperationKind.LOAN, OperationKind.RENEWAL)
    return LibraryOperation(
        **common,  # type: ignore[arg-type]
        item_id=thing.item_id or "",
        card=card,
        due_date=thing.due.due_date if is_due and isinstance(thing, Loan) else None,
        inventory_no=item.inventory_no if item is not None else "",
        catalogue_code=title.catalogue_code if title is not None else "",
        brief=_brief(title.author, title.name) if title is not None else "",
    )


def _brief(author: str, name: str) -> str:
    return ". ".join(part.rstrip(". ") for part in (author, name) if part.strip())[:_BRIEF_MAX]
