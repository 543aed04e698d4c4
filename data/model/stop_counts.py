"""What a crew counts at a stop visit, as names and amounts; sums and checks of them.

A count is an amount added, never a total set: two tablets on one vehicle count side by side, and
their counts add up whatever the order in which they arrive. A slip is a negative amount.

Names that are told apart by age carry the band after a point (``visits_service.children``); without
one the age is not known. The total of a name is the sum over its bands.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from data.model.errors import InputError

MOST_COUNTED = 10_000
"""A greater amount at one stop is a slip."""


class Band(StrEnum):
    """Bands of age (DOMAIN §7); their years belong to the version of a report."""

    CHILDREN = "children"
    YOUTH = "youth"
    ADULT = "adult"
    SENIOR = "senior"


BANDED = (
    "visits_service",
    "visits_event",
    "users_new",
    "users_renewed",
    "loans_home",
    "views_onboard",
    "event_participants",
)
PLAIN = (
    "visits_disabled",
    "loans_periodical",
    "loans_audiovisual",
    "loans_installed",
    "loans_licensed",
    "loans_own_digital",
    "loans_other_stock",
    "loans_child_lit",
    "loans_special_format",
    "renewals",
    "returns",
    "returns_other_point",
    "references_total",
    "references_virtual",
    "copies_made",
    "events_count",
    "internet_sessions",
    "egov_consultations",
    "requests_taken",
    "requests_filled",
    "refusals",
    "points_served",
    "collectives_served",
    "exchange_out",
    "exchange_in",
    "home_deliveries",
    "home_delivery_docs",
    "satisfied_yes",
    "satisfied_partly",
    "satisfied_no",
)
"""Counts with no bands. Books lent are what is left of all loans (DOMAIN §7, 7 and 8).

``satisfied_*`` are answers to the one question of readers ("Are you content with us?"): each
a tap for an answer that was given, with nothing of who gave it.
"""
_BANDS_OF = {name: tuple(f"{name}.{band}" for band in Band) for name in BANDED}
NAMES = frozenset(PLAIN) | frozenset(BANDED) | {n for some in _BANDS_OF.values() for n in some}
PARTS = {
    "references_virtual": "references_total",
    "loans_child_lit": "loans_home",
    "loans_special_format": "loans_home",
    "returns_other_point": "returns",
}
"""Counts that are a part of another."""


class CountMethod(StrEnum):
    """How somebody came to a number; officials ask."""

    TAPPED = "tapped"
    TYPED = "typed"
    """Typed as a sum at the end of a stop."""
    PAPER = "paper"
    """From a run sheet, later."""
    JOURNAL = "journal"
    """From the loans and registrations themselves."""


def check_counts(counts: Mapping[str, int]) -> None:
    """Refuse names that nobody counts and amounts beyond reason.

    Raises
    ------
    InputError
        ``counts.unknown``, ``counts.too_many`` or ``counts.none``
    """
    if not counts:
        raise InputError("counts.none")
    for name, amount in counts.items():
        if name not in NAMES:
            raise InputError("counts.unknown", name=name[:64])
        if abs(amount) > MOST_COUNTED:
            raise InputError("counts.too_many", name=name, value=amount, limit=MOST_COUNTED)


def add_counts(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The sum of counts by name; what comes to nothing is left out."""
    total: Counter[str] = Counter()
    for some in counts:
        total.update(some)
    return {name: amount for name, amount in sorted(total.items()) if amount}


VISIT_COUNTS = ("visits_service", "visits_event")
"""Visits of people, for service and events (DOMAIN §8)."""
LOAN_COUNTS = ("loans_home", "views_onboard")
"""Documents issued: taken home and read aboard (DOMAIN §8)."""
USER_COUNTS = ("users_new", "users_renewed")
"""Readers registered, new and again (DOMAIN §8)."""


def totals_of(counts: Mapping[str, int], names: Iterable[str]) -> int:
    """The amounts of some names, each over all its bands, added up."""
    return sum(total_of(counts, name) for name in names)


def total_of(counts: Mapping[str, int], name: str) -> int:
    """A name's amount over all its bands."""
    total = counts.get(name, 0)
    for banded in _BANDS_OF.get(name, ()):
        total += counts.get(banded, 0)
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFault:
    """A sum that cannot be right, as a code and the numbers."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


def count_faults(counts: Mapping[str, int]) -> tuple[CountFault, ...]:
    """What cannot be right in a stop visit's sums (DOMAIN §7, checks)."""
    found = [
        CountFault(code="counts.negative", facts={"name": name, "value": amount})
        for name, amount in sorted(counts.items())
        if amount < 0
    ]
    visits, events = (total_of(counts, n) for n in VISIT_COUNTS)
    loans = total_of(counts, "loans_home")
    if loans > 0 and visits <= 0:
        found.append(CountFault(code="counts.loans_without_visits", facts={"loans": loans}))
    if events > 0 and counts.get("events_count", 0) <= 0:
        found.append(CountFault(code="counts.visits_without_event", facts={"visits": events}))
    disabled = counts.get("visits_disabled", 0)
    if disabled > visits + events:
        facts = {"part": disabled, "whole": visits + events, "name": "visits_disabled"}
        found.append(CountFault(code="counts.part_above_whole", facts=facts))
    for part, whole in PARTS.items():
        amount, all_of_it = counts.get(part, 0), total_of(counts, whole)
        if amount > all_of_it:
            facts = {"part": amount, "whole": all_of_it, "name": part}
            found.append(CountFault(code="counts.part_above_whole", facts=facts))
    by_carrier = sum(counts.get(n, 0) for n in PLAIN if n in _CARRIERS)
    if by_carrier > loans + total_of(counts, "views_onboard"):
        found.append(
            CountFault(
                code="counts.carriers_above_loans", facts={"part": by_carrier, "whole": loans}
            )
        )
    return tuple(found)


_CARRIERS = frozenset({"loans_periodical", "loans_audiovisual", "loans_other_stock"})
