"""What the forms of things ask for: one field a column of the thing's table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from api.services.thing_kinds import (
    CREW,
    DEPOTS,
    LIBRARIES,
    MUNICIPALITIES,
    SETTLEMENTS,
    SPECIALISTS,
    STOPS,
    VEHICLES,
    ThingKind,
)
from data.feeds.crew import CREW as CREW_TABLE
from data.feeds.depots import DEPOTS as DEPOTS_TABLE
from data.feeds.entity import Entity
from data.feeds.libraries import LIBRARIES as LIBRARIES_TABLE
from data.feeds.settlements import MUNICIPALITIES as MUNICIPALITIES_TABLE
from data.feeds.settlements import SETTLEMENTS as SETTLEMENTS_TABLE
from data.feeds.specialists import SPECIALISTS as SPECIALISTS_TABLE
from data.feeds.stops import STOPS as STOPS_TABLE
from data.feeds.vehicles import VEHICLES as VEHICLES_TABLE
from data.model.costs import FuelKind
from data.model.place import DepotKind, LibraryKind, StopKind
from data.model.staff import CrewRole


class Widget(StrEnum):
    """How a field is shown."""

    TEXT = "text"
    AREA = "area"
    NUMBER = "number"
    WHOLE = "whole"
    TIME = "time"
    DATE = "date"
    FLAG = "flag"
    KNOWN = "known"
    """Yes, no, or not known."""
    CHOICE = "choice"
    WEEKDAYS = "weekdays"
    ONE = "one"
    """One other thing of the region."""
    SEVERAL = "several"
    """Several other things of the region."""
    PHOTO = "photo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a form; its label is ``places.field.<name>``."""

    name: str
    widget: Widget = Widget.TEXT
    label: str = ""
    """Code of the label where it is not the name's."""
    unit: str = ""
    """Code of the unit shown behind it: ``places.unit.<unit>``."""
    is_required: bool = False
    choices: tuple[str, ...] = ()
    of: ThingKind | None = None
    """What is chosen from."""
    has_hint: bool = False
    """Whether ``places.hint.<name>`` explains it."""
    most: int = 300
    """Longest text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Fields under one heading, ``places.group.<name>``; folded where seldom needed."""

    name: str
    fields: tuple[Field, ...]
    is_folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSpec:
    """The form of a kind of thing."""

    kind: ThingKind
    table: Entity[Any]
    groups: tuple[Group, ...]
    has_position: bool = False
    """Whether a map beside the form shows and sets its place."""
    defaults: Mapping[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[Field, ...]:
        return tuple(one for group in self.groups for one in group.fields)


def _text(name: str, **more: Any) -> Field:
    return Field(name=name, **more)


def _number(name: str, unit: str = "", **more: Any) -> Field:
    return Field(name=name, widget=Widget.NUMBER, unit=unit, **more)


def _whole(name: str, unit: str = "", **more: Any) -> Field:
    return Field(name=name, widget=Widget.WHOLE, unit=unit, **more)


_NAME = _text("name", is_required=True)
_PERSON = _text("name", is_required=True, label="person_name")
_LON = _number("lon", "degrees")
_LAT = _number("lat", "degrees")
_SETTLEMENT = Field(name="settlement_id", widget=Widget.ONE, of=SETTLEMENTS)
_SOURCE = Field(name="source", widget=Widget.AREA, most=2000)
_WEEKDAYS = Field(name="weekdays", widget=Widget.WEEKDAYS, has_hint=True)
_OFF_DATES = _text("off_dates", has_hint=True, most=8000)
_VEHICLES = Field(name="vehicles", widget=Widget.SEVERAL, of=VEHICLES, has_hint=True)

STOP_FORM = FormSpec(
    kind=STOPS,
    table=STOPS_TABLE,
    has_position=True,
    defaults={"service_min": "60", "visits_per_cycle": "1", "kind": "public"},
    groups=(
        Group(
            name="place",
            fields=(
                _NAME,
                _text("community"),
                Field(
                    name="kind",
                    widget=Widget.CHOICE,
                    label="stop_kind",
                    choices=tuple(k.value for k in StopKind),
                ),
                Field(name="settlement_ids", widget=Widget.SEVERAL, of=SETTLEMENTS, has_hint=True),
                _LON,
                _LAT,
            ),
        ),
        Group(
            name="site",
            fields=(
                _text("surface", has_hint=True),
                _number("room_m", "m"),
                Field(name="power", widget=Widget.KNOWN),
                Field(name="mobile_signal", widget=Widget.KNOWN),
                Field(name="light", widget=Widget.KNOWN),
                Field(name="toilet", widget=Widget.KNOWN),
                Field(name="step_free", widget=Widget.KNOWN),
                _text("contact", has_hint=True),
                Field(name="permission_until", widget=Widget.DATE),
                Field(name="photo", widget=Widget.PHOTO),
                Field(name="notes", widget=Widget.AREA, most=2000),
            ),
        ),
        Group(
            name="times",
            fields=(
                _number("service_min", "min", is_required=True),
                _number("service_most_min", "min", has_hint=True),
                _number("setup_min", "min"),
                _number("teardown_min", "min"),
                _whole("visits_per_cycle"),
                _text("windows", has_hint=True),
                _WEEKDAYS,
                Field(name="same_weekday", widget=Widget.FLAG),
                _whole("min_gap_days", "days"),
                _whole("max_gap_days", "days"),
            ),
        ),
        Group(
            name="people",
            fields=(
                _whole("people"),
                Field(name="mandatory", widget=Widget.FLAG),
                _text("needs", has_hint=True),
                _text("services", has_hint=True),
                _whole("services_visits", has_hint=True),
            ),
        ),
        Group(
            name="rule",
            is_folded=True,
            fields=(
                _text("recurrence", has_hint=True),
                Field(name="first_date", widget=Widget.DATE),
                Field(name="last_date", widget=Widget.DATE),
                _text("exceptions", has_hint=True, most=8000),
                _text("extra_dates", most=8000),
                _text("seasons", has_hint=True),
                _text("school", has_hint=True),
            ),
        ),
    ),
)

SETTLEMENT_FORM = FormSpec(
    kind=SETTLEMENTS,
    table=SETTLEMENTS_TABLE,
    has_position=True,
    groups=(
        Group(
            name="place",
            fields=(
                _NAME,
                _text("name_latin"),
                _text("kind", has_hint=True),
                Field(name="municipality_id", widget=Widget.ONE, of=MUNICIPALITIES),
                _LON,
                _LAT,
            ),
        ),
        Group(
            name="residents",
            fields=(
                _whole("population", has_hint=True),
                _whole("population_year"),
                _whole("children"),
                _whole("youth"),
                _whole("seniors"),
                _whole("disabled"),
                _SOURCE,
                _text("flags", has_hint=True),
            ),
        ),
    ),
)

LIBRARY_FORM = FormSpec(
    kind=LIBRARIES,
    table=LIBRARIES_TABLE,
    has_position=True,
    groups=(
        Group(
            name="library",
            fields=(
                _text("name"),
                Field(
                    name="kind", widget=Widget.CHOICE, choices=tuple(k.value for k in LibraryKind)
                ),
                Field(name="standing", widget=Widget.CHOICE, choices=("known", "assumed")),
                Field(name="settlement_id", widget=Widget.ONE, of=SETTLEMENTS, has_hint=True),
                _text("address"),
                _text("opening_hours"),
                _LON,
                _LAT,
                Field(name="opened_date", widget=Widget.DATE),
                Field(name="closed_date", widget=Widget.DATE),
                _SOURCE,
            ),
        ),
    ),
)

MUNICIPALITY_FORM = FormSpec(
    kind=MUNICIPALITIES,
    table=MUNICIPALITIES_TABLE,
    groups=(
        Group(
            name="place",
            fields=(
                _NAME,
                _text("name_latin"),
                _whole("population"),
                _whole("population_urban"),
                _whole("population_rural"),
                _whole("population_year"),
                _SOURCE,
            ),
        ),
    ),
)

VEHICLE_FORM = FormSpec(
    kind=VEHICLES,
    table=VEHICLES_TABLE,
    defaults={
        "height_m": "3.4",
        "width_m": "2.5",
        "length_m": "9.5",
        "weight_kg": "10500",
        "axle_load_kg": "6500",
        "duty_start": "08:00",
        "duty_end": "18:00",
        "prep_min": "20",
        "closing_min": "20",
    },
    groups=(
        Group(
            name="vehicle",
            fields=(
                _NAME,
                Field(name="depot_id", widget=Widget.ONE, of=DEPOTS, is_required=True),
                Field(name="end_depot_id", widget=Widget.ONE, of=DEPOTS, has_hint=True),
                _text("abilities", has_hint=True),
                _whole("seats", has_hint=True),
            ),
        ),
        Group(
            name="days",
            fields=(
                _WEEKDAYS,
                Field(name="duty_start", widget=Widget.TIME),
                Field(name="duty_end", widget=Widget.TIME),
                _number("prep_min", "min"),
                _number("closing_min", "min"),
                _whole("max_stops_per_run"),
                _OFF_DATES,
                _text("rule_sets", has_hint=True),
            ),
        ),
        Group(
            name="size",
            fields=(
                _number("length_m", "m"),
                _number("width_m", "m"),
                _number("height_m", "m"),
                _number("weight_kg", "kg"),
                _number("axle_load_kg", "kg"),
                Field(name="avoid_unpaved", widget=Widget.FLAG),
                Field(
                    name="fuel",
                    widget=Widget.CHOICE,
                    choices=("", *(k.value for k in FuelKind)),
                ),
                _number("fuel_per_100km", has_hint=True),
            ),
        ),
        Group(
            name="nights",
            is_folded=True,
            fields=(
                _whole("max_nights_away", has_hint=True),
                Field(name="lodgings", widget=Widget.SEVERAL, of=DEPOTS, has_hint=True),
            ),
        ),
    ),
)

DEPOT_FORM = FormSpec(
    kind=DEPOTS,
    table=DEPOTS_TABLE,
    has_position=True,
    groups=(
        Group(
            name="depot",
            fields=(
                _NAME,
                Field(name="kind", widget=Widget.CHOICE, choices=tuple(k.value for k in DepotKind)),
                _SETTLEMENT,
                _LON,
                _LAT,
            ),
        ),
        Group(
            name="lodging",
            is_folded=True,
            fields=(
                _number("room_m", "m"),
                _number("check_min", "min", has_hint=True),
                _number("night_cost_min", "min", has_hint=True),
            ),
        ),
    ),
)

CREW_FORM = FormSpec(
    kind=CREW,
    table=CREW_TABLE,
    groups=(
        Group(
            name="person",
            fields=(
                _PERSON,
                Field(
                    name="role",
                    widget=Widget.CHOICE,
                    choices=tuple(r.value for r in CrewRole),
                    is_required=True,
                ),
                _text("phone", most=60),
                _VEHICLES,
                _WEEKDAYS,
                _OFF_DATES,
            ),
        ),
    ),
)

SPECIALIST_FORM = FormSpec(
    kind=SPECIALISTS,
    table=SPECIALISTS_TABLE,
    groups=(
        Group(
            name="person",
            fields=(
                _PERSON,
                _text("service", is_required=True, has_hint=True, most=60),
                _VEHICLES,
                _WEEKDAYS,
                Field(name="duty_start", widget=Widget.TIME),
                Field(name="duty_end", widget=Widget.TIME),
                _whole("days_per_week_max"),
                _OFF_DATES,
            ),
        ),
    ),
)

FORMS: Mapping[str, FormSpec] = {
    form.kind.path: form
    for form in (
        STOP_FORM,
        SETTLEMENT_FORM,
        LIBRARY_FORM,
        MUNICIPALITY_FORM,
        VEHICLE_FORM,
        DEPOT_FORM,
        CREW_FORM,
        SPECIALIST_FORM,
    )
}
