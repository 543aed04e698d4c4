"""Forms of things: from a thing to the cells of its form, and from what came back to a thing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from starlette.datastructures import FormData

from api.pages.thing_fields import Field, FormSpec, Widget
from api.services.thing_checks import check_thing
from api.words import Words
from data.feeds.report import Problem
from data.feeds.rows import Row
from data.feeds.values import WEEKDAYS
from data.model.errors import BookmobileError

_MONDAY = date(2026, 1, 5)
"""Names of weekdays are taken from the week that begins here."""
_DAY_WORD = re.compile(rf"\b({'|'.join(WEEKDAYS)})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message still to be put into words."""

    code: str
    facts: Mapping[str, object]


@dataclass(slots=True, kw_only=True)
class Filled:
    """A form with what was typed and what is wrong with it."""

    spec: FormSpec
    cells: dict[str, str]
    faults: dict[str, list[Message]] = field(default_factory=dict)
    """Messages by field."""
    general: list[Message] = field(default_factory=list)
    """Messages of no field of the form."""
    thing: Any = None

    @property
    def is_wrong(self) -> bool:
        return bool(self.faults or self.general)

    @property
    def num_faults(self) -> int:
        return len(self.general) + sum(len(found) for found in self.faults.values())


def form_of(spec: FormSpec, thing: object | None, words: Words) -> Filled:
    """The form of a thing; of a new one with its defaults."""
    if thing is None:
        return Filled(spec=spec, cells=dict(spec.defaults))
    cells = dict(spec.table.to_cells(thing))
    for one in spec.fields:
        if one.name == "windows":
            cells[one.name] = _own_days(cells[one.name], words)
        elif one.widget is Widget.NUMBER and one.name not in ("lon", "lat"):
            cells[one.name] = own_decimal(cells[one.name], words)
    return Filled(spec=spec, cells=cells)


def own_decimal(number: str, words: Words) -> str:
    """A number of a cell with the decimal sign of the reader's language, which is read alike."""
    return number.replace(".", ",") if words.language == "ru" else number


def _own_days(text: str, words: Words) -> str:
    """Weekdays inside a text in the reader's language, as its parser also knows them."""

    def own(match: re.Match[str]) -> str:
        day = _MONDAY + timedelta(days=WEEKDAYS.index(match[1]))
        return words.day(day, "EEEEEE" if words.language == "ru" else "EEE").lower()

    return _DAY_WORD.sub(own, text)


def read_form(spec: FormSpec, data: FormData, key: str, before: object | None) -> Filled:
    """What a person typed, read by the same rules as a table's row.

    Parameters
    ----------
    key
        Id of the thing.
    before
        The thing as it was: what the form does not show is kept.
    """
    cells = {one.name: _typed(one, data) for one in spec.fields}
    filled = Filled(spec=spec, cells=cells)
    kept = dict(spec.table.to_cells(before)) if before is not None else {}
    row = Row(
        file="",
        line=0,
        cells={**kept, **cells, spec.table.id_column: key},
        digits=6,
    )
    for one in spec.fields:
        if len(cells[one.name]) > one.most:
            row.note("feeds.cell.too_long", one.name, most=one.most)
    thing = spec.table.from_row(row) if not row.is_wrong else None
    for problem in row.problems:
        note_problem(filled, problem)
    if thing is not None and not row.is_wrong:
        filled.thing = _with_rest(thing, before)
        try:
            check_thing(filled.thing)
        except BookmobileError as wrong:
            note_error(filled, wrong)
    return filled


def _typed(one: Field, data: FormData) -> str:
    """What was typed into a field, as a cell."""
    values = [str(value) for value in data.getlist(one.name) if isinstance(value, str)]
    if one.widget in (Widget.WEEKDAYS, Widget.SEVERAL):
        return ";".join(value for value in values if value)
    if one.widget is Widget.FLAG:
        return "true" if values else "false"
    return values[-1].strip() if values else ""


def _with_rest(thing: Any, before: object | None) -> Any:
    """The thing with whatever no table holds, as it was before."""
    if before is None:
        return thing
    kept = {
        name: getattr(before, name)
        for name in ("given_setup_s", "given_teardown_s", "visits_expected")
        if hasattr(before, name)
    }
    return replace(thing, **kept)


_COLUMNS = {"lodging_ids": "lodgings", "rule_set_ids": "rule_sets", "vehicle_ids": "vehicles"}
"""Fields of things whose columns are called otherwise."""

FORM_CODES: Mapping[str, str] = {
    "feeds.cell.": "places.cell.",
    "feeds.row.": "places.row.",
}
"""Codes about rows of files, and what forms say instead: no file and no row is at fault."""


def note_problem(filled: Filled, problem: Problem) -> None:
    """Keep a problem of a row beside its field."""
    code = problem.code
    for beginning, own in FORM_CODES.items():
        if code.startswith(beginning):
            code = own + code.removeprefix(beginning)
    column = problem.column
    _keep(filled, column, code, problem.facts)


def note_error(filled: Filled, error: BookmobileError) -> None:
    """Keep a refusal, with its problems, beside the fields that they name."""
    problems = error.facts.get("problems")
    if isinstance(problems, tuple | list) and problems:
        for problem in problems:
            _keep(filled, str(problem.facts.get("field", "")), problem.code, problem.facts)
    else:
        _keep(filled, str(error.facts.get("field", "")), error.code, error.facts)


def _keep(filled: Filled, name: str, code: str, facts: Mapping[str, object]) -> None:
    known = {one.name for one in filled.spec.fields}
    name = _COLUMNS.get(name, name) or ("lon" if code == "places.row.no_position" else "")
    told = Message(code=code, facts=facts)
    if name in known:
        filled.faults.setdefault(name, []).append(told)
    else:
        filled.general.append(told)
