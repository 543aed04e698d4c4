"""Rule sets of crews and norm sets of provision, read from TOML and checked key by key.

The files keep their sources' units (minutes, kilometres); minutes become seconds here, once.
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from data.feeds.values import seconds_of_minutes
from data.model.errors import InputError
from data.model.fleet import CrewRules, RuleSet, RuleSetId
from data.model.norms import AccessBand, NormSet

MARKS = ("V", "S", "U", "D", "C")

LIMITS = {
    "drive_daily_max": "drive_daily_max_s",
    "drive_ext_max": "drive_extended_max_s",
    "drive_ext_per_week": "drive_extended_per_week",
    "drive_week_max": "drive_week_max_s",
    "drive_two_week_max": "drive_two_week_max_s",
    "drive_cont_max": "drive_continuous_max_s",
    "break": "break_s",
    "break_split": "break_split_s",
    "shift_max": "shift_max_s",
    "meal_after": "meal_after_s",
    "meal_min": "meal_min_s",
    "meal_max": "meal_max_s",
    "daily_rest_min": "daily_rest_s",
    "rest_shift_ratio": "rest_shift_ratio",
    "week_work_max": "week_work_max_s",
}
"""Keys of ``[rule_set.limits]`` and the parameters of ``CrewRules`` that they set."""

_HEAD = ("id", "name", "source", "mark", "valid_from", "valid_to")
_BAND = ("population_from", "population_to", "max_minutes", "max_km")


def load_rule_sets() -> dict[RuleSetId, RuleSet]:
    """The rule sets that come with the program, by id."""
    return parse_rule_sets(_shipped("rule_sets.toml"), "rule_sets.toml")


def load_norm_sets() -> dict[str, NormSet]:
    """The norm sets that come with the program, by id."""
    return parse_norm_sets(_shipped("norms.toml"), "norms.toml")


def read_rule_sets(path: Path) -> dict[RuleSetId, RuleSet]:
    """The rule sets of a file, by id; errors as in ``parse_rule_sets``."""
    return parse_rule_sets(_text_of(path), path.name)


def read_norm_sets(path: Path) -> dict[str, NormSet]:
    """The norm sets of a file, by id; errors as in ``parse_norm_sets``."""
    return parse_norm_sets(_text_of(path), path.name)


def parse_rule_sets(text: str, file: str) -> dict[RuleSetId, RuleSet]:
    """Rule sets from TOML text, in the order of the file.

    Parameters
    ----------
    text
        ``[[rule_set]]`` tables with ``[rule_set.limits]`` in minutes and, where a parameter's mark
        differs from the set's, ``[rule_set.marks]``.
    file
        Name of the file, for messages.

    Raises
    ------
    InputError
        ``profiles.not_toml``, ``profiles.unknown_key``, ``profiles.missing_key``,
        ``profiles.wrong_value``, ``profiles.twice`` or ``profiles.empty``, with file and place.
    """
    sets: dict[RuleSetId, RuleSet] = {}
    for table in _tables(text, file, "rule_set"):
        table.allow((*_HEAD, "limits", "marks"))
        limits = table.inner("limits")
        limits.allow(tuple(LIMITS))
        marks = table.inner("marks")
        marks.allow(tuple(LIMITS))
        set_id = RuleSetId(table.text("id"))
        if set_id in sets:
            raise InputError("profiles.twice", file=file, id=set_id)
        valid_from, valid_to = table.validity()
        sets[set_id] = RuleSet(
            rule_set_id=set_id,
            name=table.text("name"),
            rules=_crew_rules(limits),
            source=table.text("source", ""),
            mark=table.mark("mark", "U"),
            valid_from=valid_from,
            valid_to=valid_to,
            parameter_marks={LIMITS[key]: marks.mark(key) for key in marks.values},
        )
    return sets


def parse_norm_sets(text: str, file: str) -> dict[str, NormSet]:
    """Norm sets from TOML text, in the order of the file.

    Parameters
    ----------
    text
        ``[[norm_set]]`` tables with ``[[norm_set.band]]``, ``[norm_set.unknown_population]`` and,
        if wanted, ``names`` and ``sources`` by language.
    file
        Name of the file, for messages.

    Raises
    ------
    InputError
        As ``parse_rule_sets``; also ``profiles.bands_broken`` where the bands overlap or leave a
        population without a norm.
    """
    sets: dict[str, NormSet] = {}
    for table in _tables(text, file, "norm_set"):
        table.allow((*_HEAD, "names", "sources", "band", "unknown_population"))
        set_id = table.text("id")
        if set_id in sets:
            raise InputError("profiles.twice", file=file, id=set_id)
        valid_from, valid_to = table.validity()
        sets[set_id] = NormSet(
            norm_set_id=set_id,
            name=table.text("name"),
            bands=_bands(table),
            unknown_population=_band(table.inner("unknown_population", required=True)),
            names=table.inner("names").texts(),
            source=table.text("source", ""),
            sources=table.inner("sources").texts(),
            mark=table.mark("mark", "D"),
            valid_from=valid_from,
            valid_to=valid_to,
        )
    return sets


def _crew_rules(limits: "_Table") -> CrewRules:
    chosen: dict[str, Any] = {}
    for key in limits.values:
        name = LIMITS[key]
        if key == "break_split":
            chosen[name] = tuple(seconds_of_minutes(m) for m in limits.numbers(key))
        elif key == "rest_shift_ratio":
            chosen[name] = limits.number(key)
        elif key == "drive_ext_per_week":
            chosen[name] = limits.whole(key)
        else:
            chosen[name] = seconds_of_minutes(limits.number(key))
    return CrewRules(**chosen)


def _bands(table: "_Table") -> tuple[AccessBand, ...]:
    bands = tuple(_band(t) for t in table.list_of("band"))
    edge: int | None = 0
    for band in bands:
        if band.population_from != edge:
            break
        edge = band.population_to
    else:
        if edge is None:
            return bands
    edges = ", ".join(
        f"{b.population_from}–{'' if b.population_to is None else b.population_to}" for b in bands
    )
    raise InputError("profiles.bands_broken", file=table.file, place=table.place, bands=edges)


def _band(table: "_Table") -> AccessBand:
    table.allow(_BAND)
    if "max_minutes" not in table.values and "max_km" not in table.values:
        raise table.missing("max_minutes")
    return AccessBand(
        population_from=table.whole("population_from", 0) or 0,
        population_to=table.whole("population_to", None),
        max_minutes=table.number("max_minutes") if "max_minutes" in table.values else None,
        max_km=table.number("max_km") if "max_km" in table.values else None,
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """A TOML table that knows its place, so that an error can name it."""

    file: str
    place: str
    values: dict[str, Any]

    def allow(self, known: Sequence[str]) -> None:
        for key in self.values:
            if key not in known:
                near = get_close_matches(key, known, n=1, cutoff=0.0)
                raise InputError(
                    "profiles.unknown_key",
                    file=self.file,
                    place=self.place,
                    key=key,
                    nearest=near[0],
                    known=", ".join(known),
                )

    def missing(self, key: str) -> InputError:
        return InputError("profiles.missing_key", file=self.file, place=self.place, key=key)

    def wrong(self, key: str, expected: str) -> InputError:
        return InputError(
            "profiles.wrong_value",
            file=self.file,
            place=self.place,
            key=key,
            value=self.values[key],
            expected=expected,
        )

    def inner(self, key: str, *, required: bool = False) -> "_Table":
        found = self.values.get(key)
        if found is None:
            if required:
                raise self.missing(key)
            found = {}
        if not isinstance(found, dict):
            raise self.wrong(key, "[table]")
        return _Table(self.file, f"{self.place}.{key}", found)

    def list_of(self, key: str) -> Iterator["_Table"]:
        found = self.values.get(key)
        if found is None:
            raise self.missing(key)
        if not isinstance(found, list) or not all(isinstance(t, dict) for t in found):
            raise self.wrong(key, "[[table]]")
        for number, table in enumerate(found, start=1):
            yield _Table(self.file, f"{self.place}.{key} {number}", table)

    def text(self, key: str, default: str | None = None) -> str:
        found = self.values.get(key, default)
        if found is None:
            raise self.missing(key)
        if not isinstance(found, str) or (default is None and not found.strip()):
            raise self.wrong(key, '"…"')
        return found

    def texts(self) -> dict[str, str]:
        """Every key with its text."""
        return {key: self.text(key) for key in self.values}

    def mark(self, key: str, default: str | None = None) -> str:
        found = self.text(key, default)
        if found not in MARKS:
            raise self.wrong(key, " | ".join(MARKS))
        return found

    def number(self, key: str) -> float:
        found = self.values[key]
        if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < 1e6:
            raise self.wrong(key, "> 0")
        return float(found)

    def numbers(self, key: str) -> tuple[float, ...]:
        found = self.values[key]
        if not isinstance(found, list) or not found:
            raise self.wrong(key, "[…]")
        parts = _Table(self.file, self.place, {f"{key} {n}": v for n, v in enumerate(found, 1)})
        return tuple(parts.number(part) for part in parts.values)

    def whole(self, key: str, default: int | None = None) -> int | None:
        found = self.values.get(key, default)
        if key not in self.values:
            return default
        if isinstance(found, bool) or not isinstance(found, int) or found < 0:
            raise self.wrong(key, "0, 1, 2 …")
        return found

    def validity(self) -> tuple[date | None, date | None]:
        """``valid_from`` and the exclusive ``valid_to``."""
        for key in ("valid_from", "valid_to"):
            found = self.values.get(key)
            if found is not None and (not isinstance(found, date) or isinstance(found, datetime)):
                raise self.wrong(key, "2026-11-30")
        start, end = self.values.get("valid_from"), self.values.get("valid_to")
        if start is not None and end is not None and end <= start:
            raise self.wrong("valid_to", f"> {start}")
        return start, end


def _tables(text: str, file: str, kind: str) -> Iterator[_Table]:
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise InputError("profiles.not_toml", file=file, cause=str(wrong)) from wrong
    _Table(file, "", found).allow((kind,))
    if not found.get(kind):
        raise InputError("profiles.empty", file=file, kind=kind)
    for number, table in enumerate(_Table(file, "", found).list_of(kind), start=1):
        named = table.values.get("id", number)
        yield _Table(file, f"{kind} {named}", table.values)


def _shipped(name: str) -> str:
    return (files("data") / "samples" / name).read_text(encoding="utf-8")


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise InputError("profiles.unreadable", file=path.name, cause=str(wrong)) from wrong
