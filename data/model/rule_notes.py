"""What a plan says of rules that it keeps past their end."""

from data.model.labels import Labels
from data.model.plan import PlanRequest


def provisional_notes(request: PlanRequest, label: Labels) -> list[str]:
    """For each rule set that goes on provisionally: its name, end and source, and what to do.

    Of the source what stands before the first semicolon: the text, not the notes on it.
    """
    return [
        label(
            "rules.provisional",
            rule_set=rule_set.rule_set_id,
            name=rule_set.name,
            last=label.day(request.cycle.last_date),
            ended=label.day(rule_set.valid_to) if rule_set.valid_to else "",
            source=" ".join(rule_set.source.split(";")[0].split()),
        )
        for rule_set in request.provisional_rules
    ]
