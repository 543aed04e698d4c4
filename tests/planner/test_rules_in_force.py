"""Rules of a plan's dates: sets that end, go on provisionally, are followed, or have not begun."""

from dataclasses import replace
from datetime import date

import pytest

from data.feeds.profiles import load_rule_sets
from data.model.calendar import HOUR_S, Cycle
from data.model.errors import InputError
from data.model.fleet import CrewRules, RuleSet, RuleSetId
from data.model.region import Region
from planner.rules_in_force import rules_in_force
from tests.planner.examples import FIRST
from tests.planner.test_candidates import region_of

OLD, ROAD = RuleSetId("ru-424"), RuleSetId("ru-pdd26")
NEW, BREAKS = RuleSetId("new"), RuleSetId("breaks")
SHIPPED = load_rule_sets()
DECEMBER = Cycle.between(date(2026, 12, 1), date(2026, 12, 31))
SEAM = Cycle.between(date(2026, 12, 14), date(2027, 1, 15))
JANUARY = Cycle.between(date(2027, 1, 11), date(2027, 1, 31))


def successor(begins: date = date(2027, 1, 1)) -> RuleSet:
    """Rules that limit all that order 424 does, with a shorter shift."""
    rules = replace(SHIPPED[OLD].rules, shift_max_s=7 * HOUR_S)
    return RuleSet(rule_set_id=NEW, name="Новый порядок", rules=rules, valid_from=begins)


def place(*own: RuleSet, refuses: bool = False) -> Region:
    sets = {s.rule_set_id: s for s in own}
    return region_of(rule_sets={**SHIPPED, **sets}, refuses_ended_rules=refuses)


def names(region: Region, cycle: Cycle, *set_ids: RuleSetId) -> list[str]:
    return [s.rule_set_id for s in rules_in_force(region, FIRST, set_ids, cycle)[1]]


@pytest.mark.parametrize(("cycle", "ended"), [(DECEMBER, []), (SEAM, [OLD]), (JANUARY, [OLD])])
def test_a_set_without_successor_goes_on(cycle: Cycle, ended: list[str]) -> None:
    """Its limits hold on all dates, beside those of a set without end, and it is named."""
    assert names(place(), cycle, OLD, ROAD) == ended
    rules, _ = rules_in_force(place(), FIRST, (OLD, ROAD), cycle)
    assert rules.shift_max_s == SHIPPED[OLD].rules.shift_max_s
    assert rules.break_s == SHIPPED[ROAD].rules.break_s


def test_a_successor_takes_over() -> None:
    """Across the turn of the year both hold, after it the new one alone; nothing is provisional."""
    region = place(successor())
    for cycle, hours in ((DECEMBER, 8), (SEAM, 7), (JANUARY, 7)):
        assert names(region, cycle, OLD, NEW) == []
        assert rules_in_force(region, FIRST, (OLD, NEW), cycle)[0].shift_max_s == hours * HOUR_S
    laxer = replace(successor(), rules=replace(successor().rules, shift_max_s=9 * HOUR_S))
    assert rules_in_force(place(laxer), FIRST, (OLD, NEW), JANUARY)[0].shift_max_s == 9 * HOUR_S


def test_a_gap_before_the_successor_is_bridged() -> None:
    """From 1 to 17 January the old rules go on; once the new ones hold, they do not."""
    region = place(successor(date(2027, 1, 18)))
    assert names(region, JANUARY, OLD, NEW) == [OLD]
    assert names(region, Cycle.between(date(2027, 1, 18), date(2027, 2, 5)), OLD, NEW) == []


def test_rules_of_breaks_alone_do_not_follow_rules_of_work() -> None:
    """A set that begins when another ends replaces it only if it limits all that one limits."""
    breaks = RuleSet(
        rule_set_id=BREAKS,
        name="Перерывы",
        rules=CrewRules(drive_continuous_max_s=4 * HOUR_S, break_s=1800),
        valid_from=date(2027, 1, 1),
    )
    assert names(place(breaks), JANUARY, OLD, BREAKS) == [OLD]


def test_the_region_may_refuse() -> None:
    """Then a plan past the end names the set, its end and the dates."""
    with pytest.raises(InputError) as refused:
        rules_in_force(place(refuses=True), FIRST, (OLD,), SEAM)
    assert refused.value.code == "request.rule_set_expired"
    assert refused.value.facts["valid_to"] == "2027-01-01"
    assert names(place(refuses=True), DECEMBER, OLD) == []
    assert names(place(successor(), refuses=True), SEAM, OLD, NEW) == []


def test_rules_that_have_not_begun_are_no_rules() -> None:
    """A plan whose first date has none and never had is refused."""
    with pytest.raises(InputError) as refused:
        rules_in_force(place(successor()), FIRST, (NEW,), SEAM)
    assert refused.value.code == "request.rules_not_begun"
    assert rules_in_force(place(), FIRST, (), JANUARY) == (CrewRules(), ())
