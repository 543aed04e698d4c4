"""Which rule sets hold on the dates of a plan, and which of them go on past their end."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date

from data.model.calendar import Cycle
from data.model.errors import InputError
from data.model.fleet import CrewRules, RuleSet, RuleSetId, Vehicle, strictest
from data.model.region import Region


def rules_in_force(
    region: Region, vehicle: Vehicle, set_ids: Sequence[RuleSetId], cycle: Cycle
) -> tuple[CrewRules, tuple[RuleSet, ...]]:
    """The strictest of all rules that hold on any date of the cycle, and the sets that go on.

    A set that ends before the last date goes on provisionally, so that a plan can be made before
    its successor is known, unless a named set has followed it: one that begins when it ends or
    later, but by the first date without it, and limits all that it limits. A set that had been
    followed before the cycle, or begins after it, does not count.

    Raises
    ------
    InputError
        ``request.rule_set_unknown``; ``request.rules_not_begun`` where the first date has no rules
        and never had any; ``request.rule_set_expired`` where the region does not let ended sets go
        on.
    """
    named = [_named(region, vehicle, set_id) for set_id in set_ids]
    first, last = cycle.first_date, cycle.last_date
    begun = [s for s in named if s.valid_from is None or s.valid_from <= first]
    if named and not begun:
        raise InputError("request.rules_not_begun", **_facts(named[0], vehicle, cycle))
    ended = [
        s
        for s in named
        if s.valid_to is not None and s.valid_to <= last and not _is_followed(s, named, first)
    ]
    if ended and region.refuses_ended_rules:
        raise InputError("request.rule_set_expired", **_facts(ended[0], vehicle, cycle))
    holding = [s for s in named if _holds_between(s, first, last) or s in ended]
    return strictest(s.rules for s in holding), tuple(ended)


def _named(region: Region, vehicle: Vehicle, set_id: RuleSetId) -> RuleSet:
    found = region.rule_sets.get(set_id)
    if found is None:
        raise InputError(
            "request.rule_set_unknown",
            rule_set=set_id,
            vehicle=vehicle.name,
            known=", ".join(sorted(region.rule_sets)) or "—",
        )
    return found


def _holds_between(rule_set: RuleSet, first: date, last: date) -> bool:
    return (rule_set.valid_from is None or rule_set.valid_from <= last) and (
        rule_set.valid_to is None or first < rule_set.valid_to
    )


def _is_followed(ended: RuleSet, named: Sequence[RuleSet], first: date) -> bool:
    assert ended.valid_to is not None
    without = max(first, ended.valid_to)
    return any(
        s.valid_from is not None
        and ended.valid_to <= s.valid_from <= without
        and _limited(ended.rules) <= _limited(s.rules)
        for s in named
    )


def _limited(rules: CrewRules) -> frozenset[str]:
    """Names of the parameters that rules set."""
    values = {f.name: getattr(rules, f.name) for f in fields(rules)}
    return frozenset(name for name, value in values.items() if value not in (None, ()))


def _facts(rule_set: RuleSet, vehicle: Vehicle, cycle: Cycle) -> dict[str, object]:
    return {
        "rule_set": rule_set.rule_set_id,
        "name": rule_set.name,
        "vehicle": vehicle.name,
        "valid_from": rule_set.valid_from.isoformat() if rule_set.valid_from else "…",
        "valid_to": rule_set.valid_to.isoformat() if rule_set.valid_to else "…",
        "start": cycle.first_date.isoformat(),
        "end": cycle.last_date.isoformat(),
    }
