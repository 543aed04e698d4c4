"""Operations of a day aboard, for tests."""

from datetime import UTC, date, datetime, timedelta

from data.model.library_ops import LibraryOperation, OperationId, OperationKind

AT = datetime(2026, 11, 26, 8, 15, 30, 125000, tzinfo=UTC)
DUE = date(2026, 12, 14)
ITEM, CARD = "4600001", "R-1"


def operation(
    kind: OperationKind = OperationKind.LOAN,
    *,
    operation_id: str = "op-1",
    after_s: float = 0.0,
    **told: object,
) -> LibraryOperation:
    """One operation: of ITEM and CARD unless told otherwise."""
    given: dict[str, object] = {"item_id": ITEM, "card": CARD}
    if kind in (OperationKind.LOAN, OperationKind.RENEWAL):
        given["due_date"] = DUE
    if kind is OperationKind.REGISTRATION:
        given["item_id"] = ""
    return LibraryOperation(
        operation_id=OperationId(operation_id),
        kind=kind,
        at=AT + timedelta(seconds=after_s),
        **(given | told),  # type: ignore[arg-type]
    )
