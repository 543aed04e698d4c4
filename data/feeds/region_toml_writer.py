"""``region.toml`` written so that it reads back the same."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from math import inf, nextafter
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from data.feeds.region_toml import (
    KM_M,
    KMH_PER_MPS,
    PRICES,
    SERVICE_CLOCKS,
    SERVICE_COUNTS,
    SERVICE_MINUTES,
    SERVICE_NUMBERS,
    RegionHead,
    read_head,
)
from data.feeds.values import WEEKDAYS, write_clock
from data.model.calendar import MINUTE_S, ServiceCalendar
from data.model.costs import NO_COSTS
from data.model.demand import PrizeBy
from data.model.dwell import DEFAULT_DWELL_WORTH
from data.model.errors import BookmobileError
from data.model.region import EstimateParams, Region, ServiceStandard


def write_head(region: Region, path: Path) -> None:
    """Write ``region.toml``; reading it gives the same values back.

    Tables of a file that is there already and say the same stay as they are, comments and all.
    """
    tables = _tables(region)
    document, known = tomlkit.document(), {}
    if path.exists():
        try:
            known = _tables(read_head(path))
            document = tomlkit.parse(path.read_text(encoding="utf-8"))
        except (BookmobileError, TOMLKitError, UnicodeDecodeError):
            known, document = {}, tomlkit.document()  # what cannot be read is replaced
    for name, table in tables.items():
        if known.get(name) != table:
            document[name] = table
    for name in set(document) - set(tables):
        del document[name]
    path.write_text(tomlkit.dumps(document), encoding="utf-8", newline="\n")


def _tables(region: Region | RegionHead) -> dict[str, Any]:
    head: dict[str, Any] = {
        "id": region.region_id,
        "time_zone": region.time_zone,
        "language": region.language,
        "crs": region.crs,
    }
    if region.start_date is not None:
        head["start_date"] = region.start_date
    if region.phone:
        head["phone"] = region.phone
    head["names"] = dict(region.names)
    tables: dict[str, Any] = {
        "region": head,
        "calendar": _calendar_table(region.calendar),
        "service": _service_table(region.standard),
        "crew": {"rule_sets": list(region.default_rule_set_ids)}
        | ({"refuse_ended_rules": True} if region.refuses_ended_rules else {}),
        "norms": {"set": region.norm_set_id},
        "libraries": _libraries_table(region),
        "roads": {"extract": region.roads_file, "travel_factor": _plain(region.travel_factor)},
    }
    if region.estimate is not None:
        tables["estimate"] = _estimate_table(region.estimate)
    if region.costs != NO_COSTS:
        tables["costs"] = {"currency": region.costs.currency} | {
            key: _plain(float(price))
            for key in PRICES
            if (price := getattr(region.costs, key)) is not None
        }
    if region.sources:
        tables["sources"] = [
            {"title": s.title, "licence": s.licence, "address": s.address} for s in region.sources
        ]
    return tables


def _calendar_table(calendar: ServiceCalendar) -> dict[str, Any]:
    table: dict[str, Any] = {"weekdays": [WEEKDAYS[day] for day in sorted(calendar.weekdays)]}
    for key, dates in (("closed", calendar.closed_dates), ("extra", calendar.extra_dates)):
        if dates:
            table[key] = _ranges(dates.items())
    for key in ("term", "school_holiday"):
        spans = [
            {"school": school, "date": s.first, "to": s.last, "name": s.name}
            for school, known in calendar.schools.items()
            for s in (known.terms if key == "term" else known.holidays)
        ]
        if spans:
            table[key] = spans
    return table


def _ranges(dates: Iterable[tuple[date, str]]) -> list[dict[str, Any]]:
    """Named dates, neighbours of one name as a range."""
    ranges: list[dict[str, Any]] = []
    for day, name in sorted(dates):
        last = ranges[-1] if ranges else None
        if last and last["name"] == name and day - last.get("to", last["date"]) == timedelta(1):
            ranges[-1] = {"date": last["date"], "to": day, "name": name}
        else:
            ranges.append({"date": day, "name": name})
    return ranges


def _service_table(standard: ServiceStandard) -> dict[str, Any]:
    table: dict[str, Any] = {"cycle_weeks": standard.cycle_weeks}
    for key, name in SERVICE_MINUTES.items():
        table[key] = _minutes(getattr(standard, name))
    for key, name in SERVICE_CLOCKS.items():
        table[key] = write_clock(getattr(standard, name))
    meal = standard.meal_window_start_s, standard.meal_window_end_s
    table["meal_window"] = [write_clock(seconds) for seconds in meal]
    for key in SERVICE_COUNTS:
        table[key] = getattr(standard, key)
    for key in SERVICE_NUMBERS:
        table[key] = _plain(getattr(standard, key))
    table["same_weekday"] = standard.same_weekday
    if standard.dwell_worth != DEFAULT_DWELL_WORTH:
        table["dwell_half_min"] = _minutes(standard.dwell_worth.half_s)
        table["dwell_worth_ratio"] = _plain(standard.dwell_worth.worth_ratio)
    if standard.prize_by is not PrizeBy.PEOPLE:
        table["prize_by"] = standard.prize_by.value
    table["band"] = [
        ({} if band.up_to is None else {"up_to": band.up_to})
        | {"service_min": _minutes(band.service_s)}
        | (
            {}
            if band.service_most_s is None
            else {"service_most_min": _minutes(band.service_most_s)}
        )
        | {"visits_per_cycle": band.visits_per_cycle}
        for band in standard.bands
    ]
    return table


def _libraries_table(region: Region | RegionHead) -> dict[str, Any]:
    table: dict[str, Any] = {"register_is_complete": region.library_register_is_complete}
    if (assumption := region.library_assumption) is not None:
        table["assumption"] = {
            "rule": assumption.rule,
            "official_count": assumption.official_count,
        }
        if assumption.people_per_library is not None:
            table["assumption"]["people_per_library"] = assumption.people_per_library
        table["assumption"]["source"] = assumption.source
    return table


def _estimate_table(estimate: EstimateParams) -> dict[str, Any]:
    return {
        "knots_km": [_inverse(m, m / KM_M, lambda km: km * KM_M) for m in estimate.knots_m],
        "detour_ratio": list(estimate.detour_ratio),
        "speed_kmh": [
            _inverse(mps, mps * KMH_PER_MPS, lambda kmh: kmh / KMH_PER_MPS)
            for mps in estimate.speed_mps
        ],
        "leg_fixed_min": _inverse(
            estimate.leg_fixed_s, estimate.leg_fixed_s / MINUTE_S, lambda m: m * MINUTE_S
        ),
        "bookmobile_factor": _plain(estimate.bookmobile_factor),
        "source": estimate.source,
    }


def _inverse(value: float, guess: float, load: Callable[[float], float]) -> float:
    """The shortest decimal that loads as ``value``, so that a written file reads back the same."""
    for digits in range(17):
        if load(round(guess, digits)) == value:
            return round(guess, digits)
    return next(
        (near for near in (nextafter(guess, -inf), nextafter(guess, inf)) if load(near) == value),
        guess,
    )


def _minutes(seconds: int) -> float:
    return _plain(seconds / MINUTE_S)


def _plain(number: float) -> float:
    """Whole numbers without a decimal point."""
    return int(number) if number == int(number) else number
