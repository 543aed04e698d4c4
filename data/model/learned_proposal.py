"""What recorded days taught, put before a person: plans go by it only once it is accepted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class ProposalState(StrEnum):
    """What has become of a proposal."""

    OPEN = "open"
    ACCEPTED = "accepted"
    """What plans go by; one of a region at most."""
    REJECTED = "rejected"
    REPLACED = "replaced"
    """Accepted once, until another was."""
    WITHDRAWN = "withdrawn"
    """Accepted once, then taken out of use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedProposal:
    """One proposal with everything that a person needs to judge it.

    ``learned`` is what plans would go by, ``review`` the rows that are shown, both as JSON has
    them.
    """

    proposal_id: str
    region_id: str
    plan_id: str
    """The plan against whose roads and stops it was learned."""
    state: ProposalState = ProposalState.OPEN
    first_date: date
    last_date: date
    num_days: int
    """Vehicle-days recorded."""
    num_legs: int
    """Drives that were learned from."""
    learned: Mapping[str, Any]
    review: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    created_at: datetime
    created_by: str | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    revision: int = 1
