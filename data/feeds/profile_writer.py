"""Rule sets and norm sets as TOML, in the form that ``data.feeds.profiles`` reads."""

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import tomlkit

from data.feeds.profiles import LIMITS
from data.model.calendar import MINUTE_S
from data.model.fleet import CrewRules, RuleSet
from data.model.norms import AccessBand, NormSet

_AS_THEY_ARE = frozenset({"drive_extended_per_week", "rest_shift_ratio"})
_KEYS = {name: key for key, name in LIMITS.items()}


def write_norm_sets(norm_sets: Iterable[NormSet], path: Path) -> None:
    """Write ``[[norm_set]]`` tables."""
    tables = []
    for norm_set in norm_sets:
        table = _head(norm_set.norm_set_id, norm_set)
        if norm_set.names:
            table["names"] = dict(norm_set.names)
        if norm_set.sources:
            table["sources"] = dict(norm_set.sources)
        table["band"] = [_band(band) for band in norm_set.bands]
        table["unknown_population"] = _band(norm_set.unknown_population)
        tables.append(table)
    _write({"norm_set": tables}, path)


def write_rule_sets(rule_sets: Iterable[RuleSet], path: Path) -> None:
    """Write ``[[rule_set]]`` tables."""
    tables = []
    for rule_set in rule_sets:
        table = _head(rule_set.rule_set_id, rule_set)
        table["limits"] = _limits(rule_set.rules)
        if rule_set.parameter_marks:
            table["marks"] = {_KEYS[k]: v for k, v in rule_set.parameter_marks.items()}
        tables.append(table)
    _write({"rule_set": tables}, path)


def _head(set_id: str, profile: NormSet | RuleSet) -> dict[str, Any]:
    table: dict[str, Any] = {
        "id": set_id,
        "name": profile.name,
        "source": profile.source,
        "mark": profile.mark,
    }
    for key in ("valid_from", "valid_to"):
        if (day := getattr(profile, key)) is not None:
            table[key] = day
    return table


def _band(band: AccessBand) -> dict[str, Any]:
    table = {"population_from": band.population_from} if band.population_from else {}
    limits = {
        "population_to": band.population_to,
        "max_minutes": band.max_minutes,
        "max_km": band.max_km,
    }
    return table | {key: value for key, value in limits.items() if value is not None}


def _limits(rules: CrewRules) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for parameter in fields(CrewRules):
        value = getattr(rules, parameter.name)
        if value is None or value == ():
            continue
        key = _KEYS[parameter.name]
        if isinstance(value, tuple):
            limits[key] = [_minutes(part) for part in value]
        else:
            limits[key] = value if parameter.name in _AS_THEY_ARE else _minutes(value)
    return limits


def _minutes(seconds: int) -> float:
    return seconds // MINUTE_S if seconds % MINUTE_S == 0 else seconds / MINUTE_S


def _write(tables: dict[str, Any], path: Path) -> None:
    path.write_text(tomlkit.dumps(tables), encoding="utf-8", newline="\n")
