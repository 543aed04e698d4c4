"""What an event came to: accepted, a duplicate, or a conflict that waits for a person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleet.circulation_limits import Rule
from fleet.circulation_state import Change


class Verdict(StrEnum):
    """The answer to one event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """It had happened already: the same event again, or the same loan typed from paper."""
    CONFLICT = "conflict"
    REFUSED = "refused"
    """Not taken into the journal; it stays on its device and is shown to a person."""


class Proposal(StrEnum):
    """What ``Choice.APPLY`` does; the names are codes of messages."""

    IDENTIFY_ITEM = "identify_item"
    """Say which item it was."""
    IDENTIFY_PATRON = "identify_patron"
    """Say which reader it was."""
    CLOSE_OTHER_LOAN = "close_other_loan"
    """The loan before it ended when the item was lent again."""
    CLOSE_LOAN = "close_loan"
    """The item came back: the open loan ends."""
    ACCEPT = "accept"
    """Let it stand as it was done aboard."""
    LEND_AGAIN = "lend_again"
    """The item was returned before: what was renewed is a new loan."""
    KEEP_FIRST = "keep_first"
    """What happened first stays; the event has no effect."""
    GIVE_NEW_CARD = "give_new_card"
    """The reader keeps the registration and gets another card."""
    MERGE_PATRONS = "merge_patrons"
    """Both registrations are one reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one event did.

    Parameters
    ----------
    rule, proposal, facts
        Of a conflict; ``rule`` also of a duplicate by content.
    changes
        What the event changed for the time being or for good; ``facts`` hold ids, never names.
    """

    verdict: Verdict
    rule: str = ""
    proposal: Proposal | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()


def accepted(*changes: Change) -> Outcome:
    """An event that did what it says."""
    return Outcome(verdict=Verdict.ACCEPTED, changes=_real(changes))


def duplicate(rule: str) -> Outcome:
    """An event that says again what is known."""
    return Outcome(verdict=Verdict.DUPLICATE, rule=rule)


def conflict(
    rule: Rule, proposal: Proposal, facts: Mapping[str, object], *changes: Change
) -> Outcome:
    """An event that a person must look at; its changes hold for the time being."""
    return Outcome(
        verdict=Verdict.CONFLICT,
        rule=rule.value,
        proposal=proposal,
        facts=facts,
        changes=_real(changes),
    )


def _real(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    return tuple(c for c in changes if c.before != c.after)
