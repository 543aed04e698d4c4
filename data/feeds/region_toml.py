"""``region.toml``: everything of a region that is not a table."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pyproj import CRS
from pyproj.exceptions import CRSError

from data.feeds.assume import RULES
from data.feeds.columns import nearest
from data.feeds.report import input_error
from data.feeds.toml_file import Section, read_toml
from data.feeds.values import seconds_of_minutes, write_clock
from data.model.calendar import MINUTE_S, Cycle, ServiceCalendar
from data.model.costs import NO_COSTS, Costs
from data.model.demand import PrizeBy
from data.model.dwell import DwellWorth
from data.model.fleet import RuleSetId
from data.model.region import (
    EstimateParams,
    LibraryAssumption,
    PopulationBand,
    ServiceStandard,
    SourceNote,
)
from data.model.seasons import DateSpan, SchoolCalendar

KM_M = 1000.0
KMH_PER_MPS = 3.6

SERVICE_MINUTES = {
    "setup_min": "setup_s",
    "teardown_min": "teardown_s",
    "clock_tolerance_min": "clock_tolerance_s",
    "unknown_population_service_min": "unknown_population_service_s",
}
SERVICE_CLOCKS = {"day_start": "day_start_s", "day_end": "day_end_s"}
SERVICE_COUNTS = {
    "max_gap_days": 1,
    "stops_per_day_max": 1,
    "walk_to_stop_m": 0,
    "min_population": 0,
}
"""Whole numbers of the service table with the least allowed value."""
PRICES = ("per_km", "per_hour", "per_day", "per_night")
SERVICE_NUMBERS = ("unknown_population_people", "weight_adult", "weight_child", "weight_senior")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionHead:
    """What ``region.toml`` says, before the tables are read."""

    region_id: str
    names: dict[str, str]
    time_zone: str
    language: str
    crs: str
    start_date: date | None
    calendar: ServiceCalendar
    standard: ServiceStandard
    default_rule_set_ids: tuple[RuleSetId, ...]
    refuses_ended_rules: bool
    norm_set_id: str
    library_register_is_complete: bool
    library_assumption: LibraryAssumption | None
    roads_file: str
    travel_factor: float
    estimate: EstimateParams | None
    sources: tuple[SourceNote, ...] = field(default=())
    costs: Costs = NO_COSTS
    phone: str = ""


def read_head(path: Path) -> RegionHead:
    """Read and check ``region.toml``.

    Raises
    ------
    InputError
        ``region.*`` with file, row (line), key and value; every problem is in ``problems``.
    """
    top = read_toml(path)
    region = top.section("region")
    names = region.section("names")
    head = RegionHead(
        region_id=region.required("id"),
        names=_names(names),
        time_zone=_time_zone(region),
        language=_language(region),
        crs=_crs(region),
        start_date=_start_date(region),
        calendar=_calendar(top.section("calendar")),
        standard=_standard(top.section("service")),
        **_crew(top.section("crew")),
        norm_set_id=_norm_set(top.section("norms")),
        **_libraries(top.section("libraries")),
        **_roads(top.section("roads")),
        estimate=_estimate(top.section("estimate")) if "estimate" in top else None,
        sources=tuple(_source(section) for section in top.sections("sources")),
        costs=_costs(top.section("costs")),
        phone=region.text("phone"),
    )
    top.section("estimate")
    region.finish()
    top.finish()
    if top.problems:
        raise input_error(top.problems)
    return head


def _names(section: Section) -> dict[str, str]:
    names = {}
    for language in section.keys:
        if re.fullmatch(r"[a-z]{2,3}", language):
            names[language] = section.required(language)
        else:
            section.note("region.not_a_language", language)
            section.text(language)
    if not names:
        section.note("region.no_name")
    return names


def _time_zone(section: Section) -> str:
    zone = section.required("time_zone")
    if zone:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            from zoneinfo import available_timezones

            section.note(
                "region.unknown_time_zone",
                "time_zone",
                nearest=nearest(zone, sorted(available_timezones())),
            )
    return zone


def _language(section: Section) -> str:
    language = section.required("language")
    if language and not re.fullmatch(r"[a-z]{2,3}", language):
        section.note("region.not_a_language", "language")
    return language


def _crs(section: Section) -> str:
    crs = section.required("crs")
    if crs:
        try:
            is_projected = CRS.from_user_input(crs).is_projected
        except CRSError:
            is_projected = False
        if not is_projected:
            section.note("region.not_a_projected_crs", "crs")
    return crs


def _start_date(section: Section) -> date | None:
    day = section.day("start_date")
    if day is not None and day.weekday() != 0:
        monday = day - timedelta(days=day.weekday())
        section.note("region.not_a_monday", "start_date", monday=monday.isoformat())
    return day


def _calendar(section: Section) -> ServiceCalendar:
    weekdays = section.weekdays("weekdays")
    closed = _named_dates(section.sections("closed"))
    extra = _named_dates(section.sections("extra"))
    schools = _schools(section)
    section.finish()
    calendar = ServiceCalendar(closed_dates=closed, extra_dates=extra, schools=schools)
    return calendar if weekdays is None else replace(calendar, weekdays=weekdays)


def _schools(section: Section) -> dict[str, SchoolCalendar]:
    """School calendars by name, from their terms and holidays."""
    terms = _school_spans(section.sections("term"))
    holidays = _school_spans(section.sections("school_holiday"))
    return {
        name: SchoolCalendar(
            terms=tuple(terms.get(name, ())), holidays=tuple(holidays.get(name, ()))
        )
        for name in dict.fromkeys([*terms, *holidays])
    }


def _school_spans(sections: Iterable[Section]) -> dict[str, list[DateSpan]]:
    spans: dict[str, list[DateSpan]] = {}
    for section in sections:
        school, name = section.required("school"), section.text("name")
        first, last = section.day("date"), section.day("to")
        section.finish()
        for key in ("date", "to"):
            if key not in section:
                section.note("region.missing_key", key)
        if first is None or last is None:
            continue
        if last < first:
            section.note("region.range_backwards", "to", first=first.isoformat())
        elif school:
            spans.setdefault(school, []).append(DateSpan(first=first, last=last, name=name))
    return spans


def _named_dates(sections: Iterable[Section]) -> dict[date, str]:
    dates: dict[date, str] = {}
    for section in sections:
        first, last, name = section.day("date"), section.day("to"), section.text("name")
        section.finish()
        if "date" not in section:
            section.note("region.missing_key", "date")
        if first is None:
            continue
        last = first if last is None else last
        if last < first:
            section.note("region.range_backwards", "to", first=first.isoformat())
        for offset in range((last - first).days + 1):
            dates[first + timedelta(days=offset)] = name
    return dates


def _standard(section: Section) -> ServiceStandard:
    default = ServiceStandard()
    weeks = section.whole("cycle_weeks", default.cycle_weeks, least=1) or default.cycle_weeks
    if weeks > Cycle.MAX_WEEKS:
        section.note("region.too_large", "cycle_weeks", most=Cycle.MAX_WEEKS)
    values: dict[str, Any] = {"cycle_weeks": weeks}
    for key, name in SERVICE_MINUTES.items():
        minutes = section.number(key, least=0)
        if minutes is not None:
            values[name] = seconds_of_minutes(minutes)
    for key, name in SERVICE_CLOCKS.items():
        values[name] = section.clock_s(key, getattr(default, name))
    if values["day_end_s"] <= values["day_start_s"]:
        section.note("region.day_backwards", "day_end", start=write_clock(values["day_start_s"]))
    meal = section.clock_pair_s(
        "meal_window", (default.meal_window_start_s, default.meal_window_end_s)
    )
    values["meal_window_start_s"], values["meal_window_end_s"] = meal
    for key, least in SERVICE_COUNTS.items():
        values[key] = section.whole(key, getattr(default, key), least=least)
    for key in SERVICE_NUMBERS:
        values[key] = section.number(key, getattr(default, key), least=0)
    values["same_weekday"] = section.flag("same_weekday", default=default.same_weekday)
    half_min = section.number("dwell_half_min", default.dwell_worth.half_s / MINUTE_S, least=1)
    ratio = section.number("dwell_worth_ratio", default.dwell_worth.worth_ratio, least=0)
    if ratio is not None and ratio > 1:
        section.note("region.too_large", "dwell_worth_ratio", most=1)
        ratio = 1.0
    values["dwell_worth"] = DwellWorth(
        half_s=seconds_of_minutes(half_min or 30), worth_ratio=ratio or 0.0
    )
    values["prize_by"] = _prize_by(section)
    bands = _bands(section.sections("band"))
    if bands:
        values["bands"] = bands
    section.finish()
    return ServiceStandard(**values)


def _prize_by(section: Section) -> PrizeBy:
    word = section.text("prize_by") or PrizeBy.PEOPLE.value
    if word not in list(PrizeBy):
        section.note("region.not_one_of", "prize_by", choices=", ".join(PrizeBy))
        return PrizeBy.PEOPLE
    return PrizeBy(word)


def _bands(sections: list[Section]) -> tuple[PopulationBand, ...]:
    bands: list[PopulationBand] = []
    for index, section in enumerate(sections):
        up_to = section.whole("up_to")
        minutes = section.number("service_min", least=0)
        visits = section.whole("visits_per_cycle", 1, least=1)
        most = section.number("service_most_min", least=0)
        section.finish()
        if most is not None and most < (minutes or 0):
            section.note("region.too_small", "service_most_min", least=minutes)
            most = minutes
        if "service_min" not in section:
            section.note("region.missing_key", "service_min")
        is_last = index == len(sections) - 1
        if is_last != ("up_to" not in section):
            section.note("region.bands_open_end", "up_to")
        if bands and up_to is not None and up_to <= (bands[-1].up_to or 0):
            section.note("region.bands_not_ascending", "up_to", before=bands[-1].up_to)
        bands.append(
            PopulationBand(
                up_to=up_to,
                service_s=seconds_of_minutes(minutes or 0),
                visits_per_cycle=visits or 1,
                service_most_s=None if most is None else seconds_of_minutes(most),
            )
        )
    return tuple(bands)


def _crew(section: Section) -> dict[str, Any]:
    rule_sets = tuple(RuleSetId(rule) for rule in section.texts("rule_sets"))
    refuses = section.flag("refuse_ended_rules", default=False)
    section.finish()
    return {"default_rule_set_ids": rule_sets, "refuses_ended_rules": refuses}


def _norm_set(section: Section) -> str:
    norm_set = section.text("set")
    section.finish()
    return norm_set


def _libraries(section: Section) -> dict[str, Any]:
    is_complete = section.flag("register_is_complete", default=False)
    assumption = None
    inner = section.section("assumption")
    if "assumption" in section:
        rule = inner.required("rule")
        count = inner.whole("official_count")
        per_library = inner.whole("people_per_library", least=1)
        source = inner.text("source")
        inner.finish()
        if rule and rule not in RULES:
            inner.note("region.not_one_of", "rule", choices=", ".join(sorted(RULES)))
        if "official_count" not in inner:
            inner.note("region.missing_key", "official_count")
        assumption = LibraryAssumption(
            rule=rule, official_count=count or 0, people_per_library=per_library, source=source
        )
    section.finish()
    return {"library_register_is_complete": is_complete, "library_assumption": assumption}


def _roads(section: Section) -> dict[str, Any]:
    extract = section.text("extract")
    factor = section.number("travel_factor", 1.0, least=0.1)
    section.finish()
    return {"roads_file": extract, "travel_factor": factor}


def _estimate(section: Section) -> EstimateParams:
    knots, detour = section.numbers("knots_km"), section.numbers("detour_ratio")
    speeds = section.numbers("speed_kmh")
    fixed_min = section.number("leg_fixed_min", 0.0, least=0)
    factor = section.number("bookmobile_factor", 1.0, least=0.1)
    source = section.text("source")
    section.finish()
    for key, values in (("knots_km", knots), ("detour_ratio", detour), ("speed_kmh", speeds)):
        if key not in section:
            section.note("region.missing_key", key)
        elif len(values) != len(knots):
            section.note("region.not_as_long", key, wanted=len(knots), found=len(values))
    if any(a >= b for a, b in pairwise(knots)):
        section.note("region.knots_not_ascending", "knots_km")
    if any(speed <= 0 for speed in speeds):
        section.note("region.too_small", "speed_kmh", least=0.1)
    if any(ratio < 1 for ratio in detour):
        section.note("region.too_small", "detour_ratio", least=1)
    return EstimateParams(
        knots_m=tuple(km * KM_M for km in knots),
        detour_ratio=detour,
        speed_mps=tuple(kmh / KMH_PER_MPS for kmh in speeds),
        leg_fixed_s=(fixed_min or 0.0) * MINUTE_S,
        bookmobile_factor=1.0 if factor is None else factor,
        source=source,
    )


def _costs(section: Section) -> Costs:
    currency = section.text("currency")
    found = {key: section.number(key, least=0) for key in PRICES}
    section.finish()
    if any(price is not None for price in found.values()) and not currency:
        section.note("region.missing_key", "currency")
    # A price means the decimals that are written, not the binary number nearest to them.
    prices = {k: None if p is None else Decimal(repr(p)) for k, p in found.items()}
    return Costs(currency=currency, **prices)


def _source(section: Section) -> SourceNote:
    note = SourceNote(
        title=section.required("title"),
        licence=section.text("licence"),
        address=section.text("address"),
    )
    section.finish()
    return note
