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
from zoneinfo import ZoneInfo

from data.model.errors import InputError
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
    lines, carried, left_out = [head], [], []
    for operation in in_time_order(operations):
        if operation.kind not in _ISSUED and operation.kind is not OperationKind.RETURN:
            code = "library.koc_cannot_carry"
            left_out.append(LeftOut(operation_id=operation.operation_id, code=code))
            continue
        local = operation.at.astimezone(zone)
        moment = f"{local:%Y-%m-%d %H:%M:%S} {local.microsecond // 1000:03d}"
        barcode = _field("item_id", operation.item_id)
        if operation.kind is OperationKind.RETURN:
            lines.append(f"{moment}\treturn\t{barcode}")
        else:
            lines.append(f"{moment}\tissue\t{_field('card', operation.card)}\t{barcode}")
        carried.append(operation.operation_id)
    return ExchangeFile(
        # Koha reads line by line; a blank line at the end would be one more, empty, command.
        content=("\n".join(lines) + "\n").encode(),
        carried=tuple(carried),
        left_out=tuple(left_out),
    )


def _field(name: str, value: str) -> str:
    """A value that cannot be taken for the end of its column."""
    if value != value.strip() or any(c in value for c in "\t\r\n"):
        raise InputError("library.bad_for_file", field=name, value=value)
    return value
