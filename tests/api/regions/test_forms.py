"""Forms of things: what is shown is what is stored, and every refusal has words."""

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import FormData, UploadFile

import data
from api.pages.register_forms import norm_form, read_norm, read_rule, rule_form
from api.pages.settings_form import read_settings, settings_form
from api.pages.thing_fields import FORMS, Widget
from api.pages.thing_forms import FORM_CODES, form_of, read_form
from api.words import LANGUAGES, Words
from data.feeds.profiles import load_norm_sets, load_rule_sets
from data.feeds.region_folder import read_region
from data.model.crew import Specialist, SpecialistId
from data.model.fleet import VehicleId
from data.model.place import Stop, StopKind
from data.model.staff import CrewMember, CrewMemberId, CrewRole
from tests import plan_example

REGION = read_region(Path("data/samples/kaliningrad"))
FEEDS = Path(str(data.__file__)).parent / "feeds"
CODE = re.compile(r'"(feeds\.(?:cell|row)\.[a-z_]+)"')
FORM_FILES = (
    "rows.py", "values.py", "recurrence_cells.py", "settlements.py", "libraries.py", "depots.py",
    "vehicles.py", "specialists.py", "stops.py", "crew.py",
)  # fmt: skip
NOT_IN_FORMS = {
    "feeds.row.duplicate_id",
    "feeds.row.off_land",
    "feeds.row.far_away",
    "feeds.row.closed_date_unknown",
    "feeds.cell.not_a_degree",
}
"""Codes of imports alone: no form can bring them about."""


def sent(filled: Any) -> FormData:
    """What a browser sends of a form that nobody touched."""
    pairs: list[tuple[str, str | UploadFile]] = []
    for one in filled.spec.fields:
        value = filled.cells.get(one.name, "")
        if one.widget in (Widget.WEEKDAYS, Widget.SEVERAL):
            pairs += [(one.name, part) for part in value.split(";") if part]
        elif one.widget is Widget.FLAG:
            pairs += [(one.name, "true")] if value == "true" else []
        else:
            pairs.append((one.name, value))
    return FormData(pairs)


def things() -> list[tuple[str, Any]]:
    specialist = Specialist(
        specialist_id=SpecialistId("anna"), name="Анна", service="children",
        weekdays=frozenset({1, 3}), duty_start_s=9 * 3600, duty_end_s=16 * 3600,
        vehicle_ids=frozenset({VehicleId("kibo-1")}), days_per_week_max=2,
    )  # fmt: skip
    member = CrewMember(
        crew_member_id=CrewMemberId("ivan"), name="Иван", role=CrewRole.DRIVER_LIBRARIAN,
        weekdays=frozenset({0, 4}), phone="+7 911",
    )  # fmt: skip
    return [
        *(("stops", stop) for stop in plan_example.STOPS),
        ("settlements", REGION.settlements[0]),
        ("settlements", REGION.settlements[40]),
        ("libraries", REGION.libraries[20]),
        ("municipalities", REGION.municipalities[3]),
        ("vehicles", REGION.vehicles[0]),
        ("vehicles", plan_example.NORTH),
        ("depots", REGION.depots[0]),
        ("crew", member),
        ("specialists", specialist),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("path", "thing"), things())
def test_a_form_that_nobody_touched_changes_nothing(path: str, thing: Any, language: str) -> None:
    """Shown in either language and sent back, a thing is what it was."""
    spec = FORMS[path]
    shown = form_of(spec, thing, Words(language))
    read = read_form(spec, sent(shown), spec.kind.key_of(thing), thing)
    assert not read.is_wrong, (read.faults, read.general)
    assert read.thing == thing


@pytest.mark.parametrize("norm", load_norm_sets().values(), ids=lambda n: n.norm_set_id)
def test_norm_forms_change_nothing(norm: Any) -> None:
    form = norm_form(norm)
    read = read_norm(FormData(list(form.cells.items())), norm.norm_set_id, norm)
    assert not read.is_wrong
    assert read.thing == norm


@pytest.mark.parametrize("rules", load_rule_sets().values(), ids=lambda r: r.rule_set_id)
def test_rule_forms_change_nothing(rules: Any) -> None:
    form = rule_form(rules)
    read = read_rule(FormData(list(form.cells.items())), rules.rule_set_id, rules)
    assert not read.is_wrong, read.faults
    assert read.thing == rules


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_settings_form_changes_nothing(language: str) -> None:
    form = settings_form(REGION, Words(language))
    pairs: list[tuple[str, str | UploadFile]] = [
        pair for pair in form.cells.items() if pair[0] != "rule_sets"
    ]
    pairs += [("rule_sets", key) for key in form.chosen["rule_sets"]]
    read = read_settings(REGION, FormData(pairs))
    assert not read.is_wrong, read.faults
    assert read.region == REGION


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_of_a_row_has_words_for_forms(language: str) -> None:
    """A form speaks of fields, never of files and rows."""
    words = Words(language)
    codes = {
        code for name in FORM_FILES for code in CODE.findall((FEEDS / name).read_text("utf-8"))
    }
    assert len(codes) > 25
    for code in sorted(codes - NOT_IN_FORMS):
        own = code
        for beginning, form in FORM_CODES.items():
            own = own.replace(beginning, form, 1)
        assert words(own) != own, own
        assert "{file}" not in words(own)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_has_words(language: str) -> None:
    """Labels, hints, units, choices and headings of every form are there."""
    words = Words(language)
    for path, spec in FORMS.items():
        codes = [f"places.kind.{path}", f"places.add.{path}", f"places.new.{path}"]
        for group in spec.groups:
            codes.append(f"places.group.{group.name}")
            for one in group.fields:
                codes.append(f"places.field.{one.label or one.name}")
                codes += [f"places.hint.{one.name}"] if one.has_hint else []
                codes += [f"places.unit.{one.unit}"] if one.unit else []
                codes += [f"places.choice.{one.name}.{c or 'none'}" for c in one.choices]
        codes += [f"places.field.{column}" for column in spec.table.columns]
        assert [code for code in codes if words(code) == code] == []


def test_what_is_typed_wrong_stands_at_its_field() -> None:
    """Each fault is told beside its own field, and what was typed is kept."""
    spec = FORMS["stops"]
    typed = {
        "name": "", "lon": "200", "lat": "55", "service_min": "abc", "windows": "12-9",
        "kind": "party", "max_gap_days": "1", "min_gap_days": "5", "recurrence": "FREQ=DAILY",
    }  # fmt: skip
    read = read_form(spec, FormData(list(typed.items())), "stop-1", None)
    assert set(read.faults) == {
        "name", "lon", "service_min", "windows", "kind", "max_gap_days", "recurrence",
    }  # fmt: skip
    assert read.cells["service_min"] == "abc"
    assert read.thing is None
    nowhere = read_form(spec, FormData([("name", "A"), ("service_min", "5")]), "stop-1", None)
    assert [told.code for told in nowhere.faults["lon"]] == ["places.row.no_position"]


def test_a_form_keeps_what_it_does_not_show() -> None:
    """Worth and learned times of a stop are no fields, and stay."""
    stop = Stop(
        stop_id=plan_example.EXTON.stop_id, name="A", lon=20, lat=54, prize=7.5,
        kind=StopKind.PRIVATE, given_setup_s=60,
    )  # fmt: skip
    spec = FORMS["stops"]
    shown = form_of(spec, stop, Words("ru"))
    shown.cells["name"] = "B"
    read = read_form(spec, sent(shown), stop.stop_id, stop)
    assert (read.thing.name, read.thing.prize, read.thing.given_setup_s) == ("B", 7.5, 60)
