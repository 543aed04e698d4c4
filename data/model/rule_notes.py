"""What a plan says of rules that it keeps past their end."""

from dataclasses import dataclass
from datetime import date

from data.model.labels import Labels
from data.model.plan import PlanRequest

NOTE = "rules.provisional"
"""Code of the note; the words beside it tell what to do at the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisional:
    """A rule set that goes on provisionally in a plan.

    Of the source what stands before the first semicolon: the text, not the notes on it.
    """

    rule_set_id: str
    name: str
    ended: date | None
    """First date on which it no longer holds."""
    last: date
    """Last date of the plan."""
    source: str


def provisional_rules(request: PlanRequest) -> tuple[Provisional, ...]:
    """The rule sets that a plan keeps past their end."""
    return tuple(
        Provisional(
            rule_set_id=rule_set.rule_set_id,
            name=rule_set.name,
            ended=rule_set.valid_to,
            last=request.cycle.last_date,
            source=" ".join(rule_set.source.split(";")[0].split()),
        )
        for rule_set in request.provisional_rules
    )


def note_of(rules: Provisional, label: Labels, code: str = NOTE) -> str:
    """The name, end and source of a set that goes on provisionally, and what to do."""
    return label(
        code,
        rule_set=rules.rule_set_id,
        name=rules.name,
        last=label.day(rules.last),
        ended=label.day(rules.ended) if rules.ended else "",
        source=rules.source,
    )


def provisional_notes(request: PlanRequest, label: Labels) -> list[str]:
    """A note for each rule set that goes on provisionally."""
    return [note_of(rules, label) for rules in provisional_rules(request)]
