"""The rules by which a library lends from its vehicles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from data.model.patrons import PatronKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LendingRules:
    """What is allowed aboard; a region's own, with defaults that Russian libraries mostly use.

    Parameters
    ----------
    is_due_at_visit
        Whether due dates rest on visits at all; otherwise a loan lasts ``most_days``.
    least_days, most_days
        A loan is due at the first visit of its stop from ``least_days`` on; ``most_days`` after
        the loan where no visit is promised until then.
    most_loans
        Items that one patron may have at once, by kind of patron; absent: as many as they like.
    overdue_days
        A patron with an item overdue for longer gets no more.
    hold_visits
        For how many visits of its stop a hold is kept for its reader.
    firm_mark_years
        Age marks from here on are never lent to the younger; below, the crew may decide
        (article 5 of 436-FZ forbids only what is marked 18+ to all children).
    doubt_days
        A return at another place, by somebody who knew nothing of the loan, is shown to a person
        within so many days after the loan; later the reader has simply brought the item there.
    snapshot_hours
        A tablet whose list of blocks is older lends only what a person confirms.
    """

    is_due_at_visit: bool = True
    least_days: int = 7
    most_days: int = 30
    most_loans: Mapping[PatronKind, int] = field(
        default_factory=lambda: {PatronKind.PERSON: 10, PatronKind.HOME: 20}
    )
    most_renewals: int = 2
    overdue_days: int = 14
    hold_visits: int = 2
    firm_mark_years: int = 18
    doubt_days: int = 4
    snapshot_hours: int = 72
    registration_days: int = 365

    def __post_init__(self) -> None:
        if not 0 < self.least_days <= self.most_days:
            raise ValueError(f"loans of {self.least_days} to {self.most_days} days")
        for name in ("most_renewals", "overdue_days", "doubt_days"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must not be negative")
        for name in ("hold_visits", "snapshot_hours", "registration_days"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesChange:
    """Rules that took effect at an instant; ``by`` is an account, empty where nobody chose them."""

    rules: LendingRules
    valid_from: datetime
    by: str = ""

    def __post_init__(self) -> None:
        if self.valid_from.utcoffset() is None:
            raise ValueError(f"rules valid from {self.valid_from}, which has no zone")
