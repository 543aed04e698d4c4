"""A region's rules of lending: what is in force, what was, and who changed it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime

from api.state import Service
from data.db import accounts_store, audit_store, circulation_store, event_store, publication_store
from data.db.engine import reading
from data.model.accounts import Caller
from data.model.errors import ConflictError, InputError
from data.model.lending import LendingRules, RulesChange
from data.model.patrons import PatronKind

LIMITS: Mapping[str, tuple[int, int]] = {
    "least_days": (1, 365),
    "most_days": (1, 365),
    "most_renewals": (0, 100),
    "overdue_days": (0, 365),
    "hold_visits": (1, 20),
    "firm_mark_years": (6, 18),
    "doubt_days": (0, 60),
    "snapshot_hours": (1, 720),
    "registration_days": (1, 3660),
}
"""The least and the most of each number that people may choose."""
MOST_LOANS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDifference:
    """One rule that a change made other; values as they are kept."""

    name: str
    before: object
    after: object


@dataclass(frozen=True, slots=True, kw_only=True)
class PastChange:
    """A change with who made it and what it changed."""

    change: RulesChange
    by_name: str
    differences: tuple[RuleDifference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesNow:
    """What is in force, and how it came to be; the newest change first."""

    rules: LendingRules
    history: tuple[PastChange, ...]

    @property
    def number(self) -> int:
        """How often they were changed: what a form must have seen to change them."""
        return len(self.history)


def rules_now(service: Service, region_id: str) -> RulesNow:
    """The rules of a region.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        head = circulation_store.circulation_head(session, region_id)
        changes = circulation_store.rules_changes(head)
        names = accounts_store.names(session, {c.by for c in changes if c.by})
    found = []
    before = LendingRules()
    for change in changes:
        differences = _differences(before, change.rules)
        by_name = names.get(change.by, "")
        found.append(PastChange(change=change, by_name=by_name, differences=differences))
        before = change.rules
    return RulesNow(rules=before, history=tuple(reversed(found)))


def _differences(before: LendingRules, after: LendingRules) -> tuple[RuleDifference, ...]:
    found = []
    for one in fields(LendingRules):
        old, new = getattr(before, one.name), getattr(after, one.name)
        if old == new:
            continue
        if one.name != "most_loans":
            found.append(RuleDifference(name=one.name, before=old, after=new))
            continue
        for kind in PatronKind:
            if old.get(kind) != new.get(kind):
                name = f"most_loans.{kind.value}"
                found.append(RuleDifference(name=name, before=old.get(kind), after=new.get(kind)))
    return tuple(found)


def change_rules(
    service: Service,
    region_id: str,
    numbers: Mapping[str, int | None],
    *,
    is_due_at_visit: bool,
    seen: int,
    by: Caller,
    at: datetime,
) -> bool:
    """Let other rules take effect from now on; false where they are the same.

    What was lent before keeps its due date, and is judged by the rules of its time.

    Parameters
    ----------
    numbers
        By the names of ``LIMITS``, and ``most_loans.<kind>`` with ``None`` for no limit.
    seen
        How often the rules had been changed when the form was opened.

    Raises
    ------
    InputError
        ``rules.out_of_range``, ``rules.least_above_most``.
    ConflictError
        ``rules.changed_meanwhile``.
    """
    with service.ledgers.changing(service.engine, region_id) as (session, ledger):
        changes = circulation_store.rules_changes(ledger.head)
        if len(changes) != seen:
            raise ConflictError("rules.changed_meanwhile")
        before = ledger.lending.rules
        after = _checked(before, numbers, is_due_at_visit=is_due_at_visit)
        differences = _differences(before, after)
        if not differences:
            return False
        change = RulesChange(rules=after, valid_from=at, by=by.account_id or "")
        circulation_store.add_rules(session, region_id, change)
        audit_store.record(
            session, by, "circulation.rules", region_id, region_id=region_id,
            changed=[d.name for d in differences],
        )  # fmt: skip
        event_store.emit(session, "circulation", "", region_id, rules=True)
        return True


def _checked(
    before: LendingRules, numbers: Mapping[str, int | None], *, is_due_at_visit: bool
) -> LendingRules:
    told: dict[str, int] = {}
    for name, (least, most) in LIMITS.items():
        value = numbers.get(name)
        if value is None or not least <= value <= most:
            raise InputError("rules.out_of_range", field=name, least=least, most=most)
        told[name] = value
    if told["least_days"] > told["most_days"]:
        raise InputError("rules.least_above_most", least=told["least_days"], most=told["most_days"])
    loans: dict[PatronKind, int] = {}
    for kind in PatronKind:
        name = f"most_loans.{kind.value}"
        value = numbers.get(name)
        if value is None:
            continue
        if not 1 <= value <= MOST_LOANS:
            raise InputError("rules.out_of_range", field=name, least=1, most=MOST_LOANS)
        loans[kind] = value
    return replace(before, most_loans=loans, is_due_at_visit=is_due_at_visit, **told)
