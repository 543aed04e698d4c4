"""What every report is built from: the region, its settings and forms, the diary of the span."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from sqlmodel import Session

from api.services.known_stops import known_stops
from api.settings import Settings
from data.db import report_store, visit_record_store
from data.feeds.form_file import forms_of, shipped_forms
from data.model.counted_visit import Counted
from data.model.errors import InputError, NotFoundError
from data.model.fleet import VehicleId
from data.model.measures import KNOWN_MEASURES, Measure, Sums, sums_of
from data.model.public_timetable import PublicStop
from data.model.region import Region
from data.model.report import Cell, CellKind, Drill, ReportAsked, ReportKind, year_earlier
from data.model.report_settings import ReportSettings
from data.model.stat_form import StatForm, form_on
from data.model.visit_record import VisitRecord

COMPARING = frozenset({ReportKind.FORM, ReportKind.SERVICES, ReportKind.TARGETS})
"""Reports that hold a span against the one a year before."""
TIMED = frozenset({ReportKind.PUNCTUALITY, ReportKind.REVIEW, ReportKind.COSTS})
"""Reports that need more of a stop visit than its counts: its times, its own key."""
_date = attrgetter("service_date")
FORMS_FOLDER = "forms"
"""Folder of the service's data where a library puts editions of its own."""


@cache
def _shipped() -> tuple[StatForm, ...]:
    return shipped_forms()


def known_forms(settings: Settings) -> tuple[StatForm, ...]:
    """Shipped editions and those of the service's folder.

    Raises
    ------
    InputError
        As ``data.feeds.form_file.forms_of``; a broken file is named and stops every report of
        forms until it is put right.
    """
    own = forms_of([_forms_folder(settings)])
    shipped = _shipped()
    taken = {form.form_id for form in shipped}
    for form in own:
        if form.form_id in taken:
            name = f"{FORMS_FOLDER}/…"
            raise InputError("forms.twice", file=name, value=form.form_id, other="bookmobile")
    return (*shipped, *own)


def _forms_folder(settings: Settings) -> Path:
    return settings.data_dir / FORMS_FOLDER


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFrame:
    """A region's diary with what reports need to read it."""

    region: Region
    asked: ReportAsked
    forms: tuple[StatForm, ...]
    settings: ReportSettings
    begin: date
    """From when ``diary`` has all that is on record."""
    diary: Sequence[Counted]
    """In order of date."""
    stops: Mapping[str, PublicStop] = field(default_factory=dict)
    """Stops that the diary may speak of, by id."""
    records: tuple[VisitRecord, ...] = ()
    """The stop visits of the span that is asked for, where the report needs them whole."""
    _told: dict[tuple[date, date, str | None], Sums] = field(default_factory=dict)

    @property
    def form(self) -> StatForm:
        """The edition that is asked for, else the one that holds on the last date."""
        if not self.asked.form_id:
            return form_on(self.forms, self.asked.until_date)
        return form_named(self.forms, self.asked.form_id)

    @property
    def now(self) -> Sums:
        """The span that is asked for."""
        return self.during(self.asked.from_date, self.asked.until_date)

    @property
    def year_begin(self) -> date:
        """1 January of the year in which the span ends."""
        return date(self.asked.until_date.year, 1, 1)

    def during(self, first: date, last: date, vehicle_id: str | None = None) -> Sums:
        """The stop visits of a span, both ends in, added up; of one bookmobile or all."""
        part = first, last, vehicle_id
        if part not in self._told:
            some = self.stop_visits(first, last)
            if vehicle_id is not None:
                some = [r for r in some if r.vehicle_id == vehicle_id]
            self._told[part] = sums_of(some)
        return self._told[part]

    def stop_visits(self, first: date, last: date) -> Sequence[Counted]:
        """Those of a span, both ends in."""
        begin = bisect_left(self.diary, first, key=_date)
        return self.diary[begin : bisect_right(self.diary, last, key=_date)]

    def vehicle_ids(self, first: date, last: date) -> list[str]:
        """Bookmobiles that the diary of a span knows."""
        return sorted({str(r.vehicle_id) for r in self.stop_visits(first, last)})

    def vehicle_name(self, vehicle_id: str) -> str:
        found = (v.name for v in self.region.vehicles if v.vehicle_id == vehicle_id)
        return next(found, vehicle_id)

    def counted(
        self,
        key: str,
        sums: Sums,
        span: tuple[date, date] | None = None,
        *,
        vehicle_id: str | None = None,
        stop_id: str | None = None,
    ) -> Cell:
        """A number with the lines behind it.

        Parameters
        ----------
        key
            Name of a known measure.
        sums
            Of the span, vehicle and stop that are named.
        span
            Else the span that is asked for.
        """
        return Cell(
            value=num_of(key, sums),
            drill=self.drill(key, span, vehicle_id=vehicle_id, stop_id=stop_id),
        )

    def drill(
        self,
        key: str,
        span: tuple[date, date] | None = None,
        *,
        vehicle_id: str | None = None,
        stop_id: str | None = None,
        place: str = "",
        against: tuple[date, date] | None = None,
    ) -> Drill:
        """The way to what is behind a measure."""
        first, last = span or (self.asked.from_date, self.asked.until_date)
        return Drill(
            measure=key,
            from_date=first,
            until_date=last,
            vehicle_id=vehicle_id or self.asked.vehicle_id,
            stop_id=stop_id,
            place=place,
            against=against,
        )

    def share(
        self,
        part: str,
        whole: str,
        sums: Sums,
        span: tuple[date, date] | None = None,
        *,
        vehicle_id: str | None = None,
    ) -> Cell:
        """A known measure by another as a ratio; unknown of nothing."""
        drill = self.drill(f"share({part},{whole})", span, vehicle_id=vehicle_id)
        return replace(share_of(num_of(part, sums), num_of(whole, sums)), drill=drill)


def load_frame(
    session: Session, region: Region, asked: ReportAsked, forms: tuple[StatForm, ...]
) -> ReportFrame:
    """The diary from the beginning of the span and its year, to the span's end.

    Reports that compare have it from a year before.

    Raises
    ------
    NotFoundError
        ``reports.no_vehicle``.
    """
    if asked.vehicle_id and asked.vehicle_id not in {str(v.vehicle_id) for v in region.vehicles}:
        raise NotFoundError("reports.no_vehicle", vehicle_id=asked.vehicle_id[:64])
    begin = min(asked.from_date, date(asked.until_date.year, 1, 1))
    if asked.kind in COMPARING:
        begin = year_earlier(begin)
    vehicle_id = VehicleId(asked.vehicle_id) if asked.vehicle_id else None
    span: dict[str, Any] = {"from_date": begin, "until_date": asked.until_date}
    records: tuple[VisitRecord, ...] = ()
    diary: Sequence[Counted]
    if asked.kind in TIMED:
        diary = records = visit_record_store.load_records(
            session, region.region_id, vehicle_id=vehicle_id, **span
        )
    else:
        diary = visit_record_store.load_counted(
            session, region.region_id, vehicle_id=vehicle_id, **span
        )
    return ReportFrame(
        region=region,
        asked=asked,
        forms=forms,
        settings=report_store.get_settings(session, region.region_id),
        begin=begin,
        diary=diary,
        stops=known_stops(session, region.region_id, region.stops),
        records=tuple(r for r in records if r.service_date >= asked.from_date),
    )


def form_named(forms: Sequence[StatForm], form_id: str) -> StatForm:
    """An edition by its id.

    Raises
    ------
    NotFoundError
        ``forms.unknown``.
    """
    found = next((f for f in forms if f.form_id == form_id), None)
    if found is None:
        known = ", ".join(f.form_id for f in forms)
        raise NotFoundError("forms.unknown", value=form_id[:64], known=known)
    return found


def measure_named(forms: Sequence[StatForm], key: str) -> Measure | None:
    """The measure of a number's name; ``None`` for a ratio of two others.

    Raises
    ------
    NotFoundError
        ``reports.no_measure``, ``forms.unknown``.
    """
    form_id, colon, figure_key = key.partition(":")
    if not colon:
        if key not in KNOWN_MEASURES:
            raise NotFoundError("reports.no_measure", value=key[:80])
        return KNOWN_MEASURES[key]
    figure = form_named(forms, form_id).figure(figure_key)
    if figure is None:
        raise NotFoundError("reports.no_measure", value=key[:80])
    return figure.measure


def num_of(key: str, sums: Sums) -> int:
    """A known measure over stop visits."""
    return sums.value(KNOWN_MEASURES[key])


def months_of(first: date, last: date) -> list[tuple[date, date]]:
    """The months of a span, the first and the last cut to it."""
    found = []
    begin = first
    while begin <= last:
        following = (begin.replace(day=1) + timedelta(days=32)).replace(day=1)
        found.append((begin, min(last, following - timedelta(days=1))))
        begin = following
    return found


def change_of(now: float | None, before: float | None) -> Cell:
    """Growth as a ratio; unknown without anything before."""
    if now is None or not before:
        return Cell(kind=CellKind.RATIO)
    return Cell(value=now / before - 1, kind=CellKind.RATIO)


def share_of(part: float, whole: float) -> Cell:
    """A part as a ratio; unknown of nothing."""
    return Cell(value=part / whole if whole else None, kind=CellKind.RATIO)
