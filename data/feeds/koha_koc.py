"""Files of offline circulation for Koha (``.koc``).

A line holds a local time, ``issue`` with card and barcode, or ``return`` with a barcode. The format
has no due dates, holds or registrations: Koha reckons its own due dates, and what it cannot carry
is told. A renewal goes as an ``issue`` to the same reader, which Koha turns into a renewal.

References
----------
Koha ``offline_circ/process_koc.pl`` and ``enqueue_koc.pl`` (``parse_header_line``,
``parse_command_line``, ``arguments_for_command``, ``kocIssueItem``), read at commits 011d608 and
01d5cfc.
"""

from collections.abc import Iterable
from dataclasses import replace
from zoneinfo import ZoneInfo

from data.model.library_ops import (
    ExchangeFile,
    LeftOut,
    LibraryOperation,
    OperationKind,
    in_time_order,
)

VERSION = "1.0"
GENERATOR = "bookmobile"
_ISSUED = frozenset({OperationKind.LOAN, OperationKind.RENEWAL})


def koc_file(
    operations: Iterable[LibraryOperation], *, time_zone: str, generator_version: str
) -> ExchangeFile:
    """Operations of one vehicle and session as a ``.koc`` file.

    Parameters
    ----------
    time_zone
        That of the Koha server, in whose local time the file speaks.
    """
    zone = ZoneInfo(time_zone)
    head = f"Version={VERSION}\tGenerator={GENERATOR}\tGeneratorVersion={generator_version}"
    lines, carried = [head], []
    left_out: list[LeftOut] = []
    wrong: dict[str, LeftOut] = {}
    for operation in in_time_order(operations):
        trouble = _cannot_carry(operation, wrong)
        if trouble is not None:
            left_out.append(trouble)
            continue
        local = operation.at.astimezone(zone)
        moment = f"{local:%Y-%m-%d %H:%M:%S} {local.microsecond // 1000:03d}"
        if operation.kind is OperationKind.RETURN:
            lines.append(f"{moment}\treturn\t{operation.item_id}")
        else:
            lines.append(f"{moment}\tissue\t{operation.card}\t{operation.item_id}")
        carried.append(operation.operation_id)
    return ExchangeFile(
        # Koha reads line by line; a blank line at the end would be one more, empty, command.
        content=("\n".join(lines) + "\n").encode(),
        carried=tuple(carried),
        left_out=tuple(left_out),
    )


def _cannot_carry(operation: LibraryOperation, wrong: dict[str, LeftOut]) -> LeftOut | None:
    """Why an operation is left to a person; ``wrong`` are items of which one was left before."""
    made = operation.operation_id
    if operation.kind not in _ISSUED and operation.kind is not OperationKind.RETURN:
        return LeftOut(operation_id=made, code="library.koc_cannot_carry")
    told = {"item_id": operation.item_id}
    if operation.kind is not OperationKind.RETURN:
        told["card"] = operation.card
    for field, value in told.items():
        if value != value.strip() or any(c in value for c in "\t\r\n"):
            # It would be taken for another one, or for the end of its column.
            facts = {"field": field, "value": value}
            left = LeftOut(operation_id=made, code="library.bad_for_file", facts=facts)
            wrong.setdefault(operation.item_id, left)
            return left
    before = wrong.get(operation.item_id)
    # What follows of the item would mean something else without it.
    return None if before is None else replace(before, operation_id=made)
