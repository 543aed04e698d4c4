"""The dated copy of readers and items that a tablet takes along: no more than its day needs.

Only readers of the run's stops are in it, those who have an item that is due there, and holders of
what is set aside; no telephone numbers, no addresses (152-FZ: as little as the purpose needs).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from data.model.journal_bodies import VisitDate
from data.model.lending import LendingRules
from data.model.loans import Hold, Loan
from data.model.patrons import Patron
from data.model.place import StopId
from data.model.stock import Item, ItemPlace, Title
from fleet.circulation_state import Circulation

VERSION = 1
LEFT_OUT: dict[type, frozenset[str]] = {
    Patron: frozenset({"phone", "registered_date", "is_disabled"})
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a tablet knows.

    Parameters
    ----------
    coming
        For each stop of the run its coming visits: due dates are reckoned from them.
    expires_at
        When the tablet must wipe it.
    """

    vehicle: ItemPlace
    made_at: datetime
    expires_at: datetime
    rules: LendingRules
    titles: tuple[Title, ...]
    items: tuple[Item, ...]
    patrons: tuple[Patron, ...]
    loans: tuple[Loan, ...]
    holds: tuple[Hold, ...]
    coming: Mapping[StopId, tuple[VisitDate, ...]]


def snapshot_of(
    state: Circulation,
    vehicle: ItemPlace,
    coming: Mapping[StopId, Sequence[VisitDate]],
    rules: LendingRules,
    *,
    at: datetime,
) -> Snapshot:
    """The copy for a vehicle's run to the stops of ``coming``."""
    stops = set(coming)
    holds = [h for stop in sorted(stops) for h in state.open_holds_at(stop)]
    due_here = {x.patron_id for x in state.loans.values() if x.is_open and x.stop_id in stops}
    known = {p.patron_id for p in state.patrons.values() if p.stop_ids & stops}
    known |= due_here | {h.patron_id for h in holds}
    patrons = [p for p in state.patrons.values() if p.patron_id in known and p.merged_into is None]
    loans = [x for p in sorted(known) for x in state.open_loans_of_patron(p)]
    wanted = {i.item_id for i in state.items.values() if i.place == vehicle}
    wanted |= {x.item_id for x in loans} | {h.item_id for h in holds if h.item_id is not None}
    items = [state.items[i] for i in sorted(wanted) if i in state.items]
    # An item aboard that somebody else has on loan: the tablet must know that it is not free.
    others = [x for i in items for x in state.open_loans_of_item(i.item_id)]
    all_loans = {x.loan_id: x for x in (*loans, *others)}
    titles = {i.title_id for i in items} | {h.title_id for h in holds}
    return Snapshot(
        vehicle=vehicle,
        made_at=at,
        expires_at=at + timedelta(hours=rules.snapshot_hours),
        rules=rules,
        titles=tuple(state.titles[t] for t in sorted(titles) if t in state.titles),
        items=tuple(items),
        patrons=tuple(sorted(patrons, key=lambda p: p.patron_id)),
        loans=tuple(all_loans[i] for i in sorted(all_loans)),
        holds=tuple(holds),
        coming={stop: tuple(visits) for stop, visits in coming.items()},
    )


def snapshot_to_json(snapshot: Snapshot) -> dict[str, object]:
    """A snapshot as JSON has it, with ``v`` and an ``id`` that says what is in it."""
    told = _plain(snapshot)
    assert isinstance(told, dict)
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return {"v": VERSION, "id": sha256(text.encode()).hexdigest()[:32], **told}


def _plain(value: object) -> object:
    if isinstance(value, ItemPlace | VisitDate):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        left_out = LEFT_OUT.get(type(value), frozenset())
        told = {
            f.name: _plain(getattr(value, f.name)) for f in fields(value) if f.name not in left_out
        }
        return {name: part for name, part in told.items() if part not in (None, "", [], {})}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, frozenset | set):
        return sorted(map(str, value))
    return value
