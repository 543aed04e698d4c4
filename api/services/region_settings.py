"""A region's own settings: read, checked together, changed with what depends on them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.services.needs import norm_set_of
from api.services.things import Edit, refresh_assumed, take_over_rule_sets
from data.db import audit_store, event_store, region_store
from data.feeds.profiles import load_rule_sets
from data.feeds.report import Problem, input_error
from data.model.accounts import Caller
from data.model.errors import InputError
from data.model.norms import NormSet
from data.model.region import Region


def change_settings(edit: Edit, region: Region, *, expect_revision: int | None) -> Region:
    """Take over a region's settings (not what is in it).

    Raises
    ------
    InputError
        The first fault, all of them in ``problems``; each names its ``field``.
    """
    before = region_store.load_region(edit.session, region.region_id)
    problems = tuple(_faults(region))
    if problems:
        raise input_error(problems)
    region_store.set_region(edit.session, region, at=edit.at, expect_revision=expect_revision)
    take_over_rule_sets(edit, region.default_rule_set_ids)
    _take_over_norm(edit, region)
    register = ("library_register_is_complete", "library_assumption")
    is_moved = any(getattr(before, name) != getattr(region, name) for name in register)
    if is_moved or before.standard.walk_to_stop_m != region.standard.walk_to_stop_m:
        refresh_assumed(edit)
    audit_store.record(
        edit.session,
        edit.caller,
        "region.settings",
        region.region_id,
        region_id=region.region_id,
        changed=_changed(before, region),
    )
    event_store.emit(edit.session, "region", region.region_id, region.region_id)
    return region_store.load_region(edit.session, region.region_id)


def put_region_away(session: Session, caller: Caller, region_id: str, *, at: datetime) -> None:
    """Take a region off every list, with all that happened in it kept."""
    region_store.close_region(session, region_id, at=at)
    audit_store.record(session, caller, "region.close", region_id, region_id=region_id)
    event_store.emit(session, "region", region_id, region_id)


SETTINGS = (
    "names",
    "time_zone",
    "language",
    "start_date",
    "standard",
    "norm_set_id",
    "default_rule_set_ids",
    "library_register_is_complete",
    "library_assumption",
    "travel_factor",
    "costs",
    "sources",
    "phone",
)
"""Fields of a region that people set."""


def _changed(before: Region, after: Region) -> list[str]:
    return [name for name in SETTINGS if getattr(before, name) != getattr(after, name)]


def _take_over_norm(edit: Edit, region: Region) -> None:
    """Store a shipped norm set that a region begins to be judged by."""
    if region.norm_set_id in region_store.keys_of(edit.session, region.region_id, NormSet):
        return
    norm = norm_set_of(region)
    region_store.put_thing(edit.session, region.region_id, norm, at=edit.at, expect_revision=None)


def _faults(region: Region) -> Iterator[Problem]:
    standard = region.standard
    try:
        ZoneInfo(region.time_zone)
    except (KeyError, ValueError, OSError):
        yield _fault("settings.region.time_zone", "time_zone", value=region.time_zone)
    if region.start_date is not None and region.start_date.weekday() != 0:
        monday = region.start_date - timedelta(days=region.start_date.weekday())
        yield _fault(
            "settings.region.not_monday", "start_date", value=region.start_date, monday=monday
        )
    if standard.day_end_s <= standard.day_start_s:
        yield _fault("settings.region.day_backwards", "standard.day_end_s")
    if standard.meal_window_end_s <= standard.meal_window_start_s:
        yield _fault("settings.region.meal_backwards", "standard.meal_window_end_s")
    edges = [band.up_to for band in standard.bands]
    ascending = all(a is not None and (b is None or a < b) for a, b in pairwise(edges))
    if edges[-1] is not None or not ascending:
        told = ", ".join("…" if edge is None else str(edge) for edge in edges)
        yield _fault("settings.region.bands", "standard.bands", bands=told)
    for place, band in enumerate(standard.bands):
        if band.service_most_s is not None and band.service_most_s < band.service_s:
            yield _fault("settings.region.most_below", f"standard.bands.{place}.service_most_s")
    try:
        norm_set_of(region)
    except InputError as wrong:
        yield Problem(code=wrong.code, facts={"field": "norm_set_id", **wrong.facts})
    known = {str(key) for key in load_rule_sets()} | {str(key) for key in region.rule_sets}
    for rule_set_id in region.default_rule_set_ids:
        if rule_set_id not in known:
            yield _fault(
                "settings.region.rules",
                "default_rule_set_ids",
                value=str(rule_set_id),
                known=", ".join(sorted(known)),
            )


def _fault(code: str, field: str, **facts: object) -> Problem:
    return Problem(code=code, facts={"field": field, **facts})


def with_settings(region: Region, values: dict[str, object]) -> Region:
    """The region with some of its settings replaced by values already of the right types."""
    unknown = set(values) - set(SETTINGS)
    if unknown:
        raise ValueError(f"no setting: {sorted(unknown)}")
    return replace(region, **values)  # type: ignore[arg-type]
