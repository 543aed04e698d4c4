"""Files of offline transactions for Evergreen (``pending.xacts``): one JSON object a line.

Unlike Koha's, these carry our due dates, which follow the visits of a stop. Evergreen sorts by
whole seconds and keeps the order of what falls into one. A registration needs an address, a home
library and a profile of Evergreen's own, none of which is asked for aboard: it is left out, and
told.

References
----------
Evergreen ``Open-ILS/src/offline/offline.pl`` at commit 1c8f349: ``ol_collect_commands``,
``ol_process_commands``, ``ol_circ_args_from_command``, ``ol_handle_checkin``,
``ol_handle_register``; the lines that its own client writes are in
``Open-ILS/web/js/ui/default/staff/offline.js`` (``_add_impl2``) at commit 090b92c.
"""

import json
from collections.abc import Iterable
from datetime import datetime, time
from zoneinfo import ZoneInfo

from data.model.library_ops import (
    ExchangeFile,
    LeftOut,
    LibraryOperation,
    OperationKind,
    in_time_order,
)

_TYPES = {
    OperationKind.LOAN: "checkout",
    OperationKind.RENEWAL: "renew",
    OperationKind.RETURN: "checkin",
}
_DAY_END = time(23, 59, 59)


def pending_xacts(operations: Iterable[LibraryOperation], *, time_zone: str) -> ExchangeFile:
    """Operations as a file that Evergreen's offline interface takes.

    Parameters
    ----------
    time_zone
        The region's: a loan is due at the end of its day there.
    """
    zone = ZoneInfo(time_zone)
    lines, carried, left_out = [], [], []
    for operation in in_time_order(operations):
        if operation.kind not in _TYPES:
            code = "library.evergreen_cannot_carry"
            left_out.append(LeftOut(operation_id=operation.operation_id, code=code))
            continue
        lines.append(json.dumps(_transaction(operation, zone), ensure_ascii=False) + "\n")
        carried.append(operation.operation_id)
    return ExchangeFile(
        content="".join(lines).encode(), carried=tuple(carried), left_out=tuple(left_out)
    )


def _transaction(operation: LibraryOperation, zone: ZoneInfo) -> dict[str, object]:
    local = operation.at.astimezone(zone)
    told: dict[str, object] = {
        "timestamp": int(operation.at.timestamp()),
        "type": _TYPES[operation.kind],
        "delta": 0,
        "barcode": operation.item_id,
    }
    if operation.kind is OperationKind.RETURN:
        return told | {"backdate": local.isoformat(timespec="seconds")}
    told["patron_barcode"] = operation.card
    told["checkout_time"] = local.isoformat(timespec="seconds")
    if operation.due_date is not None:
        due = datetime.combine(operation.due_date, _DAY_END, tzinfo=zone)
        told["due_date"] = due.isoformat(timespec="seconds")
    return told
