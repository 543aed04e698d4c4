"""Readers, stock, loans and holds of a tablet's day, with no more of a person than it needs."""

import hashlib
from collections.abc import Iterable
from datetime import date

from api.schemas.tablet import (
    BlockAboard,
    BoxAboard,
    HoldAboard,
    ItemAboard,
    LoanAboard,
    PatronAboard,
    TitleAboard,
)
from data.model.age_marks import age_on
from data.model.patrons import Patron
from data.model.place import Stop
from data.model.stock import DepositBox
from fleet.circulation_snapshot import Snapshot

CARD_END = 3


def card_hash(salt: str, card: str) -> str:
    """What a tablet knows of a card: enough to recognise it when it is scanned."""
    return hashlib.sha256(f"{salt}{card}".encode()).hexdigest() if card else ""


def patrons_aboard(snapshot: Snapshot, on: date, salt: str) -> list[PatronAboard]:
    """The readers of the day."""
    return [_patron(patron, on, salt) for patron in snapshot.patrons]


def _patron(patron: Patron, on: date, salt: str) -> PatronAboard:
    return PatronAboard(
        patron_id=patron.patron_id,
        card_hash=card_hash(salt, patron.card),
        card_end=patron.card[-CARD_END:],
        name=patron.name,
        kind=patron.kind,
        age_years=None if patron.birth_date is None else age_on(patron.birth_date, on),
        stop_ids=sorted(patron.stop_ids),
        expires_date=patron.expires_date,
        blocks=[
            BlockAboard(reason=b.reason, until_date=b.until_date) for b in patron.blocks_on(on)
        ],
    )


def titles_aboard(snapshot: Snapshot) -> list[TitleAboard]:
    """The works of which the tablet has items or holds."""
    return [
        TitleAboard(**{name: getattr(title, name) for name in TitleAboard.model_fields})
        for title in snapshot.titles
    ]


def items_aboard(snapshot: Snapshot) -> list[ItemAboard]:
    """The copies that the day's crew may have in hand."""
    return [
        ItemAboard(
            item_id=item.item_id,
            title_id=item.title_id,
            place=str(item.place),
            inventory_no=item.inventory_no,
            is_for_loan=item.is_for_loan,
            box_id=item.box_id or "",
        )
        for item in snapshot.items
        if not item.is_withdrawn
    ]


def loans_aboard(snapshot: Snapshot) -> list[LoanAboard]:
    """Open loans; who has what is told of the day's readers alone."""
    known = {patron.patron_id for patron in snapshot.patrons}
    return [
        LoanAboard(
            loan_id=loan.loan_id,
            item_id=loan.item_id,
            patron_id=loan.patron_id if loan.patron_id in known else "",
            stop_id=loan.stop_id or "",
            due_date=loan.due.due_date,
            due_visit_id=loan.due.visit_id or "",
            loaned_at=loan.loaned_at,
            num_renewals=loan.num_renewals,
            is_disputed=loan.is_disputed,
        )
        for loan in snapshot.loans
    ]


def holds_aboard(snapshot: Snapshot) -> list[HoldAboard]:
    """Open holds at the day's stops."""
    return [
        HoldAboard(
            hold_id=hold.hold_id,
            title_id=hold.title_id,
            patron_id=hold.patron_id,
            stop_id=hold.stop_id,
            state=hold.state,
            item_id=hold.item_id or "",
            pickup_visit_id=hold.pickup_visit_id or "",
            pickup_date=hold.pickup_date,
            keep_until_date=hold.keep_until_date,
        )
        for hold in snapshot.holds
    ]


def boxes_aboard(boxes: Iterable[DepositBox], stop: Stop, on: date) -> list[BoxAboard]:
    """Boxes that stand at a stop's own library point and are to be fetched."""
    return [
        BoxAboard(box_id=box.box_id, place=str(box.point), item_ids=list(box.item_ids))
        for box in boxes
        if box.point.key in (stop.stop_id, *stop.settlement_ids)
        and (box.back_date is None or box.back_date <= on)
    ]
