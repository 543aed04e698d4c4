"""Report: the promises of the concept against the base year."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlmodel import Session

from api.services.report_frame import ReportFrame, num_of
from api.services.report_readers import READERS, SpanReaders, other_users, users_note
from data.db import visit_record_store
from data.model.counted_visit import Counted
from data.model.fleet import VehicleId
from data.model.measures import USERS, Sums, amount_of, sums_of
from data.model.place import Settlement
from data.model.public_timetable import PublicStop
from data.model.region import Region
from data.model.report import (
    Cell,
    CellKind,
    ChartKind,
    Drill,
    Report,
    ReportChart,
    ReportColumn,
    ReportTable,
    Said,
    same_span,
)
from data.model.report_settings import TargetKey, base_year_of

HISTORY_YEARS = 5
MOST_NAMED = 5
BASE_GRACE_DAYS = 14
"""A diary that begins so early in the base span knows all of it: no runs in the holidays (D)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """What this year's visits are held against."""

    span: tuple[date, date]
    visits: Sums | None = None
    """``None``: the diary does not know the whole span."""
    given: int | None = None
    """Of the whole year, by a person; of all bookmobiles together."""
    known_from: date | None = None
    """Where the diary knows a part of the span."""
    is_of_all: bool = False
    """Whether a number was given, but for all bookmobiles, and one is asked for."""

    @property
    def note(self) -> Said | None:
        """What is not known of it."""
        facts = {"year": self.span[0].year, "day": self.known_from}
        if self.visits is not None:
            return None
        if self.known_from is not None:
            given = "" if self.given is None else "_given"
            return Said(code=f"reports.note.base_from{given}", facts=facts)
        if self.given is not None:
            return None
        return Said(code=f"reports.note.no_base{'_of_one' if self.is_of_all else ''}", facts=facts)


def targets_report(session: Session, frame: ReportFrame) -> Report:
    """Visits, coverage, content readers, bookmobiles for settlements without a library.

    The year of the span's last date is told up to that date, and held against the same part of
    the base year.
    """
    on, targets = frame.asked.until_date, frame.settings.targets
    base = _base(session, frame)
    year = frame.during(frame.year_begin, on)
    read = SpanReaders.of(session, frame)
    coverage = _coverage(frame, year, read)
    rows = [
        _visits(frame, year, base),
        *coverage.rows,
        _content(frame, year),
        _vehicles(frame, year),
    ]
    columns = (
        ReportColumn(code="target"),
        ReportColumn(code="base", kind=CellKind.COUNT),
        ReportColumn(code="by_now", kind=CellKind.COUNT, facts={"day": on}),
        ReportColumn(code="result", kind=CellKind.NUMBER),
        ReportColumn(code="goal", kind=CellKind.NUMBER),
        ReportColumn(code="reached"),
    )
    notes = [
        *([base.note] if base.note is not None else []),
        *coverage.notes,
        Said(code="reports.note.targets", facts={"source": targets.source or "—"}),
        Said(code="reports.note.coverage"),
        users_note(read.count((frame.year_begin, on), year.records)),
    ]
    if base.visits is None and base.given is not None:
        notes.append(Said(code="reports.note.base_part", facts={"year": base.span[0].year}))
    tables = (
        ReportTable(code="targets", columns=columns, rows=tuple(rows)),
        _years(session, frame, read),
    )
    return Report(asked=frame.asked, tables=tables, notes=tuple(notes))


def _base(session: Session, frame: ReportFrame) -> _Base:
    """The base from the diary where it knows the whole span, else as a person gave it."""
    on, targets = frame.asked.until_date, frame.settings.targets
    span = same_span(frame.year_begin, on, on.year - base_year_of(targets, on))
    given = targets.base_visits if frame.asked.vehicle_id is None else None
    found = _records(session, frame, *span)
    diary = visit_record_store.record_span(session, frame.region.region_id)
    is_known = diary is not None and (diary[0] - span[0]).days <= BASE_GRACE_DAYS
    if diary is None or not num_of("visits", found):
        is_of_all = given is None and targets.base_visits is not None
        return _Base(span=span, given=given, is_of_all=is_of_all)
    if not is_known:
        return _Base(span=span, given=given, known_from=diary[0])
    return _Base(span=span, given=given, visits=found)


def _records(session: Session, frame: ReportFrame, first: date, last: date) -> Sums:
    """A span of the diary: from the frame where that has it."""
    if frame.begin <= first:
        return frame.during(first, last)
    vehicle_id = frame.asked.vehicle_id
    return sums_of(
        visit_record_store.load_counted(
            session,
            frame.region.region_id,
            from_date=first,
            until_date=last,
            vehicle_id=VehicleId(vehicle_id) if vehicle_id else None,
        )
    )


def _reached(result: float | None, goal: float | None) -> Cell:
    if result is None or goal is None:
        return Cell(value=Said(code="reports.reached.unknown"))
    # Shares are quotients: one that is the goal but for rounding has reached it.
    return Cell(value=Said(code=f"reports.reached.{'yes' if result >= goal - 1e-9 else 'no'}"))


def _visits(frame: ReportFrame, year: Sums, base: _Base) -> tuple[Cell, ...]:
    targets, on = frame.settings.targets, frame.asked.until_date
    now = num_of("visits", year)
    span = frame.year_begin, on
    of_year = Said(code="reports.of_year", facts={"year": base.span[0].year})
    growth_key = "growth(visits)"
    before: float | None = None
    told = Cell(note=of_year)
    if base.visits is not None:
        before = num_of("visits", base.visits)
        told = Cell(value=before, drill=frame.drill("visits", base.span), note=of_year)
    elif base.given is not None:
        before = base_part(base.given, on)
        drill = frame.drill("base_visits", span)
        told = Cell(value=before, is_estimate=True, note=of_year, drill=drill)
        growth_key = "growth(visits,base_visits)"
    growth = now / before - 1 if before else None
    against = base.span if base.visits is not None else None
    return (
        Cell(value=Said(code=f"reports.target.{TargetKey.VISITS}")),
        told,
        frame.counted("visits", year, span),
        Cell(
            value=growth,
            kind=CellKind.RATIO,
            drill=frame.drill(growth_key, span, against=against),
        ),
        Cell(value=targets.visits, kind=CellKind.RATIO, setting="target.visits"),
        _reached(growth, targets.visits),
    )


def base_part(base_visits: int, on: date) -> int:
    """The part of a year's visits that falls on the days of a year up to a date."""
    begin = date(on.year, 1, 1)
    days = (date(on.year, 12, 31) - begin).days + 1
    return round(base_visits * ((on - begin).days + 1) / days)


def _places_of(stops: Mapping[str, PublicStop], record: Counted) -> set[str]:
    """Settlements that a stop visit served, as far as they are known."""
    stop = stops.get(str(record.stop_id))
    found = {str(i) for i in stop.settlement_ids} if stop is not None else set()
    return found | ({str(record.settlement_id)} if record.settlement_id is not None else set())


def served_places(
    region: Region, stops: Mapping[str, PublicStop], records: Iterable[Counted]
) -> tuple[Settlement, ...]:
    """Settlements of the stops at which stop visits were held."""
    served: set[str] = set()
    for record in records:
        if record.is_held:
            served |= _places_of(stops, record)
    return tuple(s for s in region.settlements if str(s.settlement_id) in served)


def without_library[C: Counted](region: Region, records: Iterable[C], on: date) -> tuple[C, ...]:
    """Stop visits held in settlements where no library is open."""
    with_library = {
        str(x.settlement_id)
        for x in region.libraries
        if x.settlement_id is not None and x.is_open_on(on)
    }
    return tuple(
        r
        for r in records
        if r.is_held and r.settlement_id is not None and r.settlement_id not in with_library
    )


def residents_of(places: Iterable[Settlement]) -> int | None:
    """People of some settlements; ``None`` where those of one are not known."""
    people = [s.population for s in places]
    known = [num for num in people if num is not None]
    return sum(known) if len(known) == len(people) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coverage:
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[Said, ...]


def _coverage(frame: ReportFrame, year: Sums, read: SpanReaders) -> _Coverage:
    """Users among residents: of the settlements served, and of the region where libraries told."""
    targets, region = frame.settings.targets, frame.region
    span = frame.year_begin, frame.asked.until_date
    served = served_places(region, frame.stops, year.records)
    key, users = read.users(span, year)
    residents = residents_of(served)
    known = {str(s.settlement_id) for s in region.settlements}
    nowhere = sum(
        r.num_readers if key == READERS else amount_of(USERS, r)
        for r in year.records
        if r.is_held and not _places_of(frame.stops, r) & known
    )
    of_residents = Said(code="reports.residents")

    def row(
        code: str, people: Drill, num: int | None, counted: Cell, num_users: int
    ) -> tuple[Cell, ...]:
        share = num_users / num if num else None
        # Users of no known place are not sure to be among the residents.
        sure = (num_users - nowhere) / num if num else None
        reached = _reached(sure, targets.coverage)
        is_open = _reached(share, targets.coverage) != reached
        measure = "" if counted.drill is None else counted.drill.measure
        return (
            Cell(value=Said(code=f"reports.target.{code}")),
            Cell(value=num or None, drill=people, note=of_residents),
            counted,
            Cell(
                value=share,
                kind=CellKind.RATIO,
                drill=frame.drill(f"share({measure},{people.measure})", span),
                is_estimate=nowhere > 0,
            ),
            Cell(value=targets.coverage, kind=CellKind.RATIO, setting="target.coverage"),
            _reached(None, None) if is_open else reached,
        )

    people = frame.drill("residents.served", span)
    counted = Cell(value=users, drill=frame.drill(key, span))
    rows = [row("coverage", people, residents, counted, users)]
    told = list(served)
    if targets.library_users is not None and frame.asked.vehicle_id is None:
        told = list(region.settlements)
        all_users = targets.library_users + users
        drill = frame.drill(f"sum({key},library_users)", span)
        counted = Cell(value=all_users, drill=drill, is_estimate=True)
        people = frame.drill("residents.all", span)
        rows.append(row("coverage_region", people, residents_of(told), counted, all_users))
    return _Coverage(rows=tuple(rows), notes=tuple(_unknown(told, nowhere)))


def _unknown(places: Sequence[Settlement], nowhere: int) -> Iterator[Said]:
    """What coverage does not know: how many live in some settlements, where some users live."""
    unknown = [s.name for s in places if s.population is None]
    if unknown:
        some = ", ".join(unknown[:MOST_NAMED]) + (" …" if len(unknown) > MOST_NAMED else "")
        facts: dict[str, object] = {"num": len(unknown), "all": len(places), "names": some}
        yield Said(code="reports.note.people_unknown", facts=facts)
    if nowhere:
        yield Said(code="reports.note.users_nowhere", facts={"num": nowhere})


def _content(frame: ReportFrame, year: Sums) -> tuple[Cell, ...]:
    targets = frame.settings.targets
    span = frame.year_begin, frame.asked.until_date
    yes, answers = num_of("satisfied", year), num_of("answers", year)
    share = frame.share("satisfied", "answers", year, span)
    return (
        Cell(value=Said(code="reports.target.satisfaction")),
        replace(frame.counted("answers", year, span), note=Said(code="reports.of_answers")),
        frame.counted("satisfied", year, span),
        share,
        Cell(value=targets.satisfaction, kind=CellKind.RATIO, setting="target.satisfaction"),
        _reached(yes / answers if answers else None, targets.satisfaction),
    )


def _vehicles(frame: ReportFrame, year: Sums) -> tuple[Cell, ...]:
    """Bookmobiles that held stop visits in settlements where no library is open."""
    targets, on = frame.settings.targets, frame.asked.until_date
    found = without_library(frame.region, year.records, on)
    working = len({str(r.vehicle_id) for r in found})
    span = frame.year_begin, on
    drill = frame.drill("vehicles_without_library", span)
    return (
        Cell(value=Said(code="reports.target.vehicles")),
        Cell(),
        frame.counted("vehicles", year, span),
        Cell(value=working, kind=CellKind.COUNT, drill=drill),
        Cell(value=targets.vehicles, kind=CellKind.COUNT, setting="target.vehicles"),
        _reached(working, targets.vehicles),
    )


def _years(session: Session, frame: ReportFrame, read: SpanReaders) -> ReportTable:
    """Whole years as far as the diary goes back; the last one up to the date."""
    on = frame.asked.until_date
    now, _ = read.users((frame.year_begin, on), frame.during(frame.year_begin, on))
    span = visit_record_store.record_span(session, frame.region.region_id)
    first_year = on.year if span is None else max(span[0].year, on.year - HISTORY_YEARS + 1)
    rows = []
    for year in range(first_year, on.year + 1):
        part = date(year, 1, 1), min(on, date(year, 12, 31))
        sums = _records(session, frame, *part)
        key, users = read.users(part, sums)
        rows.append(
            (
                Cell(value=_year_name(year, part[1])),
                *(frame.counted(code, sums, part) for code in ("visits", "stops", "runs", "loans")),
                Cell(value=users, drill=frame.drill(key, part), note=other_users(key, now)),
                frame.share("satisfied", "answers", sums, part),
            )
        )
    return ReportTable(
        code="years",
        columns=(
            ReportColumn(code="year"),
            *(
                ReportColumn(code=code, kind=CellKind.COUNT)
                for code in ("visits", "stops", "runs", "loans", "users")
            ),
            ReportColumn(code="content", kind=CellKind.RATIO),
        ),
        rows=tuple(rows),
        chart=ReportChart(kind=ChartKind.COLUMNS, series=(1,)),
    )


def _year_name(year: int, last: date) -> str | Said:
    """A year; one that is not over says so."""
    if last == date(year, 12, 31):
        return str(year)
    return Said(code="reports.part_of_year", facts={"year": str(year), "day": last})
