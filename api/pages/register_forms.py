"""Forms of norm sets and rule sets: bands and limits in minutes and kilometres."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from starlette.datastructures import FormData

from api.pages.thing_forms import Message
from api.services.thing_checks import check_thing
from data.feeds.rows import Row
from data.feeds.values import write_date, write_minutes, write_number
from data.model.errors import BookmobileError
from data.model.fleet import CrewRules, RuleSet, RuleSetId
from data.model.norms import AccessBand, NormSet

NUM_BANDS = 8
MARKS = ("V", "S", "C", "U", "D")
_PLAIN = frozenset({"drive_extended_per_week", "rest_shift_ratio"})
"""Parameters of rules that are no times."""
RULE_FIELDS = tuple(f.name for f in fields(CrewRules))
_HEAD = ("name", "name_en", "source", "mark", "valid_from", "valid_to")


@dataclass(slots=True, kw_only=True)
class RegisterForm:
    """A form with what was typed and what is wrong with it."""

    cells: dict[str, str]
    faults: dict[str, list[Message]] = field(default_factory=dict)
    general: list[Message] = field(default_factory=list)
    thing: Any = None
    thing_key: str = ""
    """Id that the form was given; empty for one that nobody has sent."""

    @property
    def is_wrong(self) -> bool:
        return bool(self.faults or self.general)

    @property
    def num_faults(self) -> int:
        return len(self.general) + sum(len(found) for found in self.faults.values())

    def note(self, name: str, code: str, facts: Mapping[str, object]) -> None:
        told = Message(code=code, facts=facts)
        if name in self.cells:
            self.faults.setdefault(name, []).append(told)
        else:
            self.general.append(told)

    def note_error(self, error: BookmobileError) -> None:
        """Keep a refusal with its problems."""
        problems = error.facts.get("problems")
        if isinstance(problems, tuple | list) and problems:
            for problem in problems:
                name = str(problem.facts.get("field", ""))
                if name.startswith("bands."):
                    name = f"band_{name.split('.')[1]}_minutes"
                elif name == "unknown_population":
                    name = "unknown_minutes"
                self.note(name, problem.code, problem.facts)
        else:
            self.note("", error.code, error.facts)

    def note_rows(self, row: Row) -> None:
        """Keep what a row could not read."""
        for problem in row.problems:
            code = problem.code.replace("feeds.cell.", "places.cell.", 1)
            self.note(problem.column, code, problem.facts)


def _head_cells(thing: NormSet | RuleSet | None) -> dict[str, str]:
    if thing is None:
        return dict.fromkeys(_HEAD, "") | {"mark": "U"}
    names = thing.names if isinstance(thing, NormSet) else {}
    return {
        "name": thing.name,
        "name_en": names.get("en", ""),
        "source": thing.source,
        "mark": thing.mark,
        "valid_from": write_date(thing.valid_from),
        "valid_to": write_date(thing.valid_to),
    }


def norm_form(norm: NormSet | None) -> RegisterForm:
    """The form of a norm set; of a new one with one band for all."""
    cells = _head_cells(norm)
    bands = sorted(norm.bands, key=lambda b: b.population_from) if norm else []
    for place in range(NUM_BANDS):
        cells |= _band_cells(f"band_{place}", bands[place] if place < len(bands) else None)
    if norm is None:
        cells["band_0_from"] = "0"
    cells |= _band_cells("unknown", norm.unknown_population if norm else None)
    return RegisterForm(cells=cells)


def _band_cells(name: str, band: AccessBand | None) -> dict[str, str]:
    if band is None:
        return {f"{name}_{part}": "" for part in ("from", "to", "minutes", "km")}
    return {
        f"{name}_from": str(band.population_from),
        f"{name}_to": "" if band.population_to is None else str(band.population_to - 1),
        f"{name}_minutes": write_number(band.max_minutes),
        f"{name}_km": write_number(band.max_km),
    }


def read_norm(data: FormData, key: str, before: NormSet | None) -> RegisterForm:
    """A norm set as it was typed; people "to" are included, as norms say it."""
    form = norm_form(before)
    _take(form, data)
    row = Row(file="", line=0, cells=form.cells)
    name = row.required("name")
    bands = tuple(
        _band(row, f"band_{place}")
        for place in range(NUM_BANDS)
        if any(form.cells[f"band_{place}_{part}"] for part in ("from", "to", "minutes", "km"))
    )
    norm = NormSet(
        norm_set_id=key,
        name=name,
        bands=bands,
        unknown_population=_band(row, "unknown"),
        **_head(form, row),
        names={
            **(before.names if before else {}),
            **({"en": form.cells["name_en"]} if form.cells["name_en"] else {}),
        },
        # What is told in another language belongs to the source that was there before.
        sources=before.sources if before and before.source == form.cells["source"] else {},
    )
    return _checked(form, row, norm)


def _band(row: Row, name: str) -> AccessBand:
    last = row.count(f"{name}_to")
    return AccessBand(
        population_from=row.count(f"{name}_from") or 0,
        population_to=None if last is None else last + 1,
        max_minutes=row.number(f"{name}_minutes", least=0, most=1440),
        max_km=row.number(f"{name}_km", least=0, most=1000),
    )


def rule_form(rules: RuleSet | None) -> RegisterForm:
    """The form of a rule set."""
    cells = _head_cells(rules)
    for name in RULE_FIELDS:
        value = getattr(rules.rules, name) if rules else None
        cells[name] = _limit_cell(name, value)
    return RegisterForm(cells=cells)


def _limit_cell(name: str, value: Any) -> str:
    if value is None or value == ():
        return ""
    if name == "break_split_s":
        return "; ".join(write_minutes(part) for part in value)
    return write_number(value) if name in _PLAIN else write_minutes(value)


def read_rule(data: FormData, key: str, before: RuleSet | None) -> RegisterForm:
    """A rule set as it was typed, times in minutes."""
    form = rule_form(before)
    _take(form, data)
    row = Row(file="", line=0, cells=form.cells)
    name = row.required("name")
    limits: dict[str, Any] = {}
    for parameter in RULE_FIELDS:
        if parameter == "break_split_s":
            limits[parameter] = _parts(form, row)
        elif parameter == "drive_extended_per_week":
            limits[parameter] = row.count(parameter)
        else:
            number = row.number(parameter, least=0, most=20_160)
            is_plain = number is None or parameter in _PLAIN
            limits[parameter] = number if is_plain else round((number or 0) * 60)
    rule_set = RuleSet(
        rule_set_id=RuleSetId(key),
        name=name,
        rules=CrewRules(**limits),
        **_head(form, row),
        parameter_marks=before.parameter_marks if before else {},
    )
    return _checked(form, row, rule_set)


def _parts(form: RegisterForm, row: Row) -> tuple[int, ...]:
    parts = []
    for text in row.parts("break_split_s"):
        quiet = Row(file="", line=0, cells={"part": text})
        minutes = quiet.number("part", least=0, most=1440)
        if minutes is None:
            form.note("break_split_s", "places.cell.not_a_number", {"value": text[:40]})
        else:
            parts.append(round(minutes * 60))
    return tuple(parts)


def _take(form: RegisterForm, data: FormData) -> None:
    for name in form.cells:
        value = data.get(name)
        form.cells[name] = value.strip()[:2000] if isinstance(value, str) else ""


def _head(form: RegisterForm, row: Row) -> dict[str, Any]:
    mark = form.cells["mark"]
    return {
        "source": form.cells["source"],
        "mark": mark if mark in MARKS else "U",
        "valid_from": row.day("valid_from"),
        "valid_to": row.day("valid_to"),
    }


def _checked(form: RegisterForm, row: Row, thing: NormSet | RuleSet) -> RegisterForm:
    form.note_rows(row)
    form.thing_key = str(getattr(thing, "norm_set_id", "") or getattr(thing, "rule_set_id", ""))
    if not form.is_wrong:
        try:
            check_thing(thing)
            form.thing = thing
        except BookmobileError as wrong:
            form.note_error(wrong)
    return form
