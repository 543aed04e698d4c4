"""Rule sets and norm sets: those shipped say what the sources say, broken ones say where."""

from datetime import date
from pathlib import Path

import pytest

from data.feeds.profile_writer import write_norm_sets
from data.feeds.profiles import (
    MARKS,
    load_norm_sets,
    load_rule_sets,
    parse_norm_sets,
    parse_rule_sets,
    read_norm_sets,
    read_rule_sets,
)
from data.model.calendar import HOUR_S, MINUTE_S
from data.model.errors import InputError
from data.model.fleet import RuleSet, RuleSetId, strictest
from data.model.norms import NormSet


def test_the_shipped_rule_sets_hold_the_published_values() -> None:
    """Some values of each table, in seconds."""
    sets = load_rule_sets()
    assert set(sets) >= {"ru-424", "ru-pdd26", "eu-561", "gb-domestic-passenger"}
    ru = sets[RuleSetId("ru-424")]
    assert (ru.rules.shift_max_s, ru.rules.drive_continuous_max_s) == (8 * HOUR_S, 4 * HOUR_S)
    assert (ru.rules.meal_min_s, ru.rules.meal_max_s) == (30 * MINUTE_S, 2 * HOUR_S)
    assert ru.is_valid_on(date(2026, 12, 31))
    assert not ru.is_valid_on(date(2027, 1, 1))
    assert (ru.mark, ru.parameter_marks["shift_max_s"]) == ("S", "U")
    eu = sets[RuleSetId("eu-561")].rules
    assert (eu.drive_week_max_s, eu.drive_two_week_max_s) == (56 * HOUR_S, 90 * HOUR_S)
    assert eu.break_split_s == (15 * MINUTE_S, 30 * MINUTE_S)
    assert eu.drive_extended_per_week == 2
    women = sets[RuleSetId("ru-rural-women-36h")]
    assert (women.rules.week_work_max_s, women.mark) == (36 * HOUR_S, "V")


def test_two_sets_at_once_give_the_strictest() -> None:
    """A bus under order 424 and traffic rule 26: no extension, the longer break, 36 hours."""
    sets = load_rule_sets()
    chosen = ("ru-424", "ru-pdd26", "ru-rural-women-36h")
    rules = strictest(sets[RuleSetId(i)].rules for i in chosen)
    assert (rules.drive_daily_max_s, rules.drive_extended_max_s) == (9 * HOUR_S, None)
    assert (rules.drive_continuous_max_s, rules.break_s) == (4 * HOUR_S, 45 * MINUTE_S)
    assert rules.daily_rest_s == 11 * HOUR_S
    assert rules.week_work_max_s == 36 * HOUR_S


def test_every_shipped_set_names_its_source_and_mark() -> None:
    """Nobody is shown a value without where it comes from."""
    sets: list[RuleSet | NormSet] = [*load_rule_sets().values(), *load_norm_sets().values()]
    for found in sets:
        assert found.source
        assert found.name
        assert found.mark in MARKS


def test_the_shipped_norms_have_limits_for_all() -> None:
    """Every norm set holds a band for everyone and one for unknown population."""
    norms = load_norm_sets()
    assert {"design-default", "sp42-30min", "ru-r965-rural"} <= set(norms)
    assert (norms["design-default"].bands[0].max_km, norms["design-default"].mark) == (3, "D")
    assert norms["sp42-30min"].unknown_population.max_minutes == 30
    assert [b.max_minutes for b in norms["ru-r965-rural"].bands] == [40, 30, 15]


GOOD_RULES = """
[[rule_set]]
id = "own"
name = "Own"
mark = "D"
[rule_set.limits]
shift_max = 450
break_split = [15, 30]
[rule_set.marks]
shift_max = "U"
"""


def test_a_set_of_ones_own_is_read() -> None:
    """Minutes become seconds once; what is not given sets no limit."""
    own = parse_rule_sets(GOOD_RULES, "own.toml")[RuleSetId("own")]
    assert own.rules.shift_max_s == 450 * 60
    assert own.rules.break_split_s == (900, 1800)
    assert own.rules.meal_after_s is None
    assert own.parameter_marks == {"shift_max_s": "U"}


@pytest.mark.parametrize(
    ("old", "new", "code", "fact"),
    [
        ("[[rule_set]]", "[[rule_set]", "profiles.not_toml", ("file", "own.toml")),
        ("shift_max = 450", "shift_maks = 450", "profiles.unknown_key", ("nearest", "shift_max")),
        ("shift_max = 450", "shift_max = -1", "profiles.wrong_value", ("value", -1)),
        ("shift_max = 450", 'shift_max = "450"', "profiles.wrong_value", ("key", "shift_max")),
        ("shift_max = 450", "shift_max = true", "profiles.wrong_value", ("value", True)),
        ("shift_max = 450", "shift_max = nan", "profiles.wrong_value", ("key", "shift_max")),
        ("[15, 30]", "[15, 0]", "profiles.wrong_value", ("key", "break_split 2")),
        ("[15, 30]", "15", "profiles.wrong_value", ("key", "break_split")),
        ('mark = "D"', 'mark = "X"', "profiles.wrong_value", ("place", "rule_set own")),
        ('name = "Own"', "", "profiles.missing_key", ("key", "name")),
        ('id = "own"', 'id = ""', "profiles.wrong_value", ("key", "id")),
        ('mark = "D"', "valid_from = 2027", "profiles.wrong_value", ("key", "valid_from")),
        (
            'mark = "D"',
            "valid_from = 2027-01-01\nvalid_to = 2026-01-01",
            "profiles.wrong_value",
            ("expected", "> 2027-01-01"),
        ),
        ("[rule_set.limits]", "[rules.limits]", "profiles.unknown_key", ("key", "rules")),
    ],
)
def test_a_broken_rule_file_says_where(
    old: str, new: str, code: str, fact: tuple[str, object]
) -> None:
    """One fault each: the code and the fact that a person needs."""
    with pytest.raises(InputError) as refused:
        parse_rule_sets(GOOD_RULES.replace(old, new), "own.toml")
    assert refused.value.code == code
    assert refused.value.facts[fact[0]] == fact[1]


def test_ids_are_unique_and_files_hold_something() -> None:
    """Two sets of one id, or none at all, are refused."""
    with pytest.raises(InputError, match=r"profiles\.twice"):
        parse_rule_sets(GOOD_RULES * 2, "own.toml")
    with pytest.raises(InputError, match=r"profiles\.empty"):
        parse_rule_sets("", "own.toml")


GOOD_NORMS = """
[[norm_set]]
id = "own"
name = "Own"
[[norm_set.band]]
population_to = 500
max_km = 5
[[norm_set.band]]
population_from = 500
max_minutes = 15
[norm_set.unknown_population]
max_km = 5
"""


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("population_to = 500", "population_to = 400", "profiles.bands_broken"),
        ("population_to = 500", "population_to = 600", "profiles.bands_broken"),
        ("max_minutes = 15", "max_minutes = 15\npopulation_to = 900", "profiles.bands_broken"),
        ("max_minutes = 15", "", "profiles.missing_key"),
        ("[norm_set.unknown_population]\nmax_km = 5", "", "profiles.missing_key"),
        ("max_km = 5\n[[", "max_kms = 5\n[[", "profiles.unknown_key"),
        ("population_to = 500", "population_to = 5.5", "profiles.wrong_value"),
    ],
)
def test_a_broken_norm_file_says_where(old: str, new: str, code: str) -> None:
    """Bands begin at 0, meet, and end open; each has a limit."""
    assert parse_norm_sets(GOOD_NORMS, "own.toml")
    with pytest.raises(InputError) as refused:
        parse_norm_sets(GOOD_NORMS.replace(old, new), "own.toml")
    assert refused.value.code == code


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """A missing file and one in another encoding are named."""
    file = tmp_path / "rules.toml"
    with pytest.raises(InputError, match=r"profiles\.unreadable"):
        read_rule_sets(file)
    file.write_bytes('name = "Правила"'.encode("cp1251"))
    with pytest.raises(InputError, match=r"profiles\.unreadable"):
        read_rule_sets(file)


def test_shipped_norms_are_named_in_both_languages(tmp_path: Path) -> None:
    """An English reader is told a norm in English, also from a file written again."""
    shipped = load_norm_sets()
    path = tmp_path / "norms.toml"
    write_norm_sets(shipped.values(), path)
    assert read_norm_sets(path) == shipped
    for norm in shipped.values():
        assert norm.name_in("en").isascii()
        assert norm.name_in("ru") == norm.name_in("de") == norm.name
        assert norm.source_in("ru") == norm.source != norm.source_in("en")
