"""Figures of forms: equal to a count by hand, open to the lines behind them, from checked files."""

import re
from dataclasses import replace
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.words import Words
from data.feeds.form_file import forms_of, read_form, shipped_forms
from data.model.errors import InputError
from data.model.measures import (
    KNOWN_MEASURES,
    Distinct,
    Measure,
    Over,
    lines_of,
    sums_of,
    value_of,
)
from data.model.readers_served import ReaderCount
from data.model.stat_form import form_on, form_values
from data.model.stop_counts import NAMES, Band
from data.model.visit_record import RecordState
from tests.data.diary import HAND, diary, record

SHIPPED = Path(str(files("data") / "samples" / "forms" / "6nk-2019.toml")).read_text("utf-8")
FORMS = {form.form_id: form for form in shipped_forms()}


def test_the_kibo_figures_equal_a_count_by_hand() -> None:
    """Visits, runs, stop visits and the rest come to what a person got from the same diary."""
    values = {v.figure.key: v.value for v in form_values(FORMS["6nk-2019"], sums_of(diary()))}
    assert {key: values[key] for key in HAND} == HAND
    assert values["visits_per_stop"] == pytest.approx(6)
    assert values["loans_per_user"] == pytest.approx(5)


def test_users_are_persons_where_ids_are_known_and_registrations_otherwise() -> None:
    """A number of persons takes the place of registrations, also in the ratios; it is told."""
    served = ReaderCount(num_readers=10, by_band={Band.CHILDREN: 3}, num_known=4)
    form, sums = FORMS["6nk-2019"], sums_of(diary())
    by_ids = {v.figure.key: v for v in form_values(form, sums, readers=served)}
    by_sum = {v.figure.key: v for v in form_values(FORMS["6nk-2019"], sums_of(diary()))}
    assert (by_ids["users"].value, by_ids["users"].is_by_registrations) == (10, False)
    assert (by_sum["users"].value, by_sum["users"].is_by_registrations) == (4, True)
    assert by_ids["loans_per_user"].value == pytest.approx(2)
    assert (by_ids["users_children"].value, by_ids["users_youth"].value) == (3, 0)
    in_part = form_values(form, sums, readers=replace(served, num_unknown=1))
    told = {v.figure.key: v for v in in_part}
    assert (told["users"].value, told["users"].is_by_registrations) == (4, True)


def test_a_ratio_of_nothing_is_not_known() -> None:
    """Without users there are no loans by user: not zero, not an error."""
    values = {v.figure.key: v.value for v in form_values(FORMS["6nk-2019"], sums_of(()))}
    assert values["kibo_visits"] == 0
    assert values["loans_per_user"] is None


@pytest.mark.parametrize("key", KNOWN_MEASURES)
def test_the_lines_behind_a_number_add_up_to_it(key: str) -> None:
    """Each measure's lines sum to its value; a run with two stop visits counts at the first."""
    measure = KNOWN_MEASURES[key]
    lines = lines_of(measure, diary())
    assert sum(line.amount for line in lines) == value_of(measure, diary())


def test_lines_are_only_those_that_are_summed() -> None:
    """Nobody sees lines that add nothing, but for more of the same run or place."""
    visits = lines_of(KNOWN_MEASURES["visits"], diary())
    assert [(x.record.key, x.amount) for x in visits] == [("a1", 12), ("a2", 2), ("b1", 6),
                                                          ("b2", 10)]  # fmt: skip
    runs = lines_of(KNOWN_MEASURES["runs"], diary())
    assert [(x.record.key, x.amount) for x in runs] == [("a1", 1), ("a2", 0), ("b1", 1),
                                                        ("b2", 0), ("a4", 1)]  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.sampled_from(["kibo-1", "kibo-2"]),
            st.sampled_from(["a", "b", None]),
            st.sampled_from(list(RecordState)),
            st.dictionaries(st.sampled_from(sorted(NAMES)), st.integers(-5, 50), max_size=5),
        ),
        max_size=12,
    )
)
def test_parts_of_a_year_add_up(
    told: list[tuple[int, str, str | None, RecordState, dict[str, int]]],
) -> None:
    """Whatever the diary: sums over vehicles are the sum over all; lines always add up."""
    records = [
        replace(record(str(n), date(2026, 3, 1 + day), vehicle, stop, counts=counts), state=state)
        for n, (day, vehicle, stop, state, counts) in enumerate(told)
    ]
    odd = [Measure(names=("loans_home",), over=Over.CONFIRMED),
           Measure(distinct=Distinct.PLACES, over=Over.NOT_HELD)]  # fmt: skip
    whole = sums_of(records)
    for measure in (*KNOWN_MEASURES.values(), *odd):
        total = value_of(measure, records)
        assert whole.value(measure) == total
        assert sum(line.amount for line in lines_of(measure, records)) == total
        if measure.distinct is None or measure.distinct == "runs":
            by_vehicle = [
                value_of(measure, [r for r in records if r.vehicle_id == v])
                for v in ("kibo-1", "kibo-2")
            ]
            assert sum(by_vehicle) == total


def test_every_shipped_edition_says_what_it_is() -> None:
    """Source and mark, names in both languages, KIBO figures; no two hold on one date."""
    for form in FORMS.values():
        assert set(form.names) == set(form.source) == {"ru", "en"}
        assert all(set(f.names) == {"ru", "en"} for f in form.figures)
        assert {"kibo_visits", "kibo_runs", "kibo_stops"} <= {f.key for f in form.figures}
    for year in range(2014, 2030):
        assert sum(f.is_valid_on(date(year, 7, 1)) for f in FORMS.values()) == 1
    assert form_on(tuple(FORMS.values()), date(2020, 12, 31)).form_id == "6nk-2019"
    assert form_on(tuple(FORMS.values()), date(2026, 1, 1)).form_id == "6nk-2021"
    assert form_on(tuple(FORMS.values()), date(1999, 1, 1)).form_id == "6nk-2015"


def test_bands_split_a_count() -> None:
    """A band's count is a part of the count over all bands."""
    parts = sum(value_of(Measure(names=(f"visits_service.{b}",)), diary()) for b in Band)
    assert parts == 14
    assert value_of(Measure(names=("visits_service",)), diary()) == 26


@pytest.mark.parametrize(
    ("old", "new", "code", "key"),
    [
        ('id = "6nk-2019"\n', "", "region.missing_key", "id"),
        ('id = "6nk-2019"', 'id = "../etc"', "forms.bad_key", "id"),
        ('mark = "V"', 'mark = "Q"', "forms.bad_mark", "mark"),
        ("valid_to = 2021-01-01", "valid_to = 2018-01-01", "forms.ends_before", "valid_to"),
        ("children = [0, 14]", "children = [14, 0]", "forms.bad_band", "bands.children"),
        ('sum = ["copies_made"]', 'sum = ["copies_maid"]', "forms.unknown_count", "figure.sum"),
        ('sum = ["copies_made"]', "", "forms.one_way", "figure.key"),
        ('sum = ["copies_made"]', "sum = []", "region.missing_key", "figure.sum"),
        ('sum = ["copies_made"]', "sum = 5", "region.wrong_type", "figure.sum"),
        ('distinct = "runs"', 'distinct = "trips"', "forms.unknown_value", "figure.distinct"),
        ('count = "stop_visits"', 'count = "stops"', "forms.unknown_value", "figure.count"),
        ('key = "copies"', 'key = "events"', "forms.figure_twice", "figure.key"),
        ('["kibo_visits", "kibo_stops"]', '["visits", "kibo_stops"]', "forms.unknown_figure",
         "figure.ratio"),
        ('sum = ["users_new.children", "users_renewed.children"]',
         'sum = ["users_new.children", "users_renewed.youth"]', "forms.users_bands",
         "figure.users"),
        ('sum = ["users_new", "users_renewed"]', 'sum = ["users_new", "users_renewed.senior"]',
         "forms.users_bands", "figure.users"),
        ('sum = ["users_new", "users_renewed"]',
         'sum = ["users_new", "users_renewed"]\nless = ["users_new.senior"]',
         "forms.users_bands", "figure.users"),
        ("by_vehicle = true", "by_vehicel = true", "region.unknown_key", "figure.by_vehicel"),
    ],
)  # fmt: skip
def test_a_broken_edition_names_file_line_and_key(
    tmp_path: Path, old: str, new: str, code: str, key: str
) -> None:
    """A wrong value is told with where it stands, in both languages, and the file is not used."""
    path = tmp_path / "mine.toml"
    assert old in SHIPPED
    text = SHIPPED.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_form(path)
    error = refused.value
    assert (error.code, error.facts["file"], error.facts["key"]) == (code, "mine.toml", key)
    line = text.splitlines()[int(str(error.facts["row"])) - 1]
    if new and "key" not in key.rsplit(".", maxsplit=1)[-1]:
        assert key.rsplit(".", maxsplit=1)[-1] in line, line
    for language in ("ru", "en"):
        told = Words(language).error(error)
        assert "mine.toml" in told
        assert not re.search(r"\{\w+\}", told)
        assert told != error.code


def test_a_file_that_is_no_toml_names_the_line(tmp_path: Path) -> None:
    """A slip of the pen is told with its line."""
    path = tmp_path / "mine.toml"
    path.write_text('id = "x"\nform = 6-НК\n', encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read_form(path)
    assert (refused.value.code, refused.value.facts["row"]) == ("region.syntax", 2)


def test_a_new_edition_is_a_new_file(tmp_path: Path) -> None:
    """A file in the folder is one more edition; an id that is taken is refused with both names."""
    text = SHIPPED.replace('id = "6nk-2019"', 'id = "6nk-2027"', 1)
    text = text.replace("2019-01-01", "2027-01-01").replace("valid_to = 2021-01-01\n", "")
    (tmp_path / "2027.toml").write_text(text, encoding="utf-8")
    forms = (*FORMS.values(), *forms_of([tmp_path, tmp_path / "none"]))
    assert form_on(forms, date(2027, 5, 1)).form_id == "6nk-2027"
    (tmp_path / "again.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        forms_of([tmp_path])
    assert refused.value.code == "forms.twice"
    assert refused.value.facts["other"] == "2027.toml"
