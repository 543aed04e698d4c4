"""The calendar of a region: days without service, moved working days, school time, absences.

Each entry lives where planning reads it: in the region's calendar, in a vehicle, in a person.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from sqlmodel import Session

from api.services.things import Edit
from data.db import audit_store, event_store, publication_store, region_store
from data.model.calendar import ServiceCalendar
from data.model.cancellation import ServiceException
from data.model.crew import Specialist
from data.model.errors import InputError, NotFoundError
from data.model.fleet import Vehicle
from data.model.publication import PromisedVisit
from data.model.region import Region
from data.model.seasons import DateSpan, SchoolCalendar
from data.model.staff import CrewMember

MOST_DAYS = 400
"""Longest span of one entry."""
NAME_MAX = 200
_DAY = timedelta(days=1)


class EntryKind(StrEnum):
    """What an entry of the calendar says."""

    CLOSED = "closed"
    """No vehicle goes: holidays and other closed days."""
    WORKING = "working"
    """A day off that is worked: moved working days."""
    TERM = "term"
    SCHOOL_HOLIDAY = "school_holiday"
    VEHICLE_OFF = "vehicle_off"
    """Service and inspection of a vehicle."""
    CREW_OFF = "crew_off"
    SPECIALIST_OFF = "specialist_off"


OF_REGION = (EntryKind.CLOSED, EntryKind.WORKING)
OF_SCHOOL = (EntryKind.TERM, EntryKind.SCHOOL_HOLIDAY)
CLOSING = (EntryKind.CLOSED, EntryKind.VEHICLE_OFF, EntryKind.CREW_OFF)
"""Kinds of entries that promised visits may fall on."""
OF_SUBJECT = (EntryKind.VEHICLE_OFF, EntryKind.CREW_OFF, EntryKind.SPECIALIST_OFF)
_TYPES: Mapping[EntryKind, type] = {
    EntryKind.VEHICLE_OFF: Vehicle,
    EntryKind.CREW_OFF: CrewMember,
    EntryKind.SPECIALIST_OFF: Specialist,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry: dates from ``first`` to ``last``, both included.

    ``subject`` is the vehicle, crew member or specialist, or the name of the school calendar.
    """

    kind: EntryKind
    first: date
    last: date
    name: str = ""
    subject: str = ""
    subject_name: str = ""

    @property
    def num_days(self) -> int:
        return (self.last - self.first).days + 1

    def dates(self) -> Iterator[date]:
        for number in range(self.num_days):
            yield self.first + number * _DAY

    @property
    def mark(self) -> str:
        """Names the entry in an address."""
        return "~".join((self.kind, self.first.isoformat(), self.last.isoformat(), self.subject))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Everything that a region's calendar shows, with the revision that guards it."""

    entries: tuple[Entry, ...]
    exceptions: tuple[ServiceException, ...]
    """What was cancelled; changed where timetables are, not here."""
    working_weekdays: frozenset[int]
    schools: tuple[str, ...]


def read_calendar(session: Session, region: Region, *, first: date, last: date) -> Calendar:
    """The entries that touch a span of dates, in the order of their dates."""
    crew = region_store.list_things(session, region.region_id, CrewMember)
    found = [
        entry
        for entry in entries_of(region, [stored.thing for stored in crew])
        if entry.first <= last and first <= entry.last
    ]
    return Calendar(
        entries=tuple(sorted(found, key=lambda e: (e.first, list(EntryKind).index(e.kind)))),
        exceptions=publication_store.list_exceptions(
            session, region.region_id, from_date=first, until_date=last
        ),
        working_weekdays=region.calendar.weekdays,
        schools=tuple(region.calendar.schools),
    )


def entries_of(region: Region, crew: Iterable[CrewMember]) -> Iterator[Entry]:
    """All entries of a region; days in a row of one name are one entry."""
    calendar = region.calendar
    yield from _merged(EntryKind.CLOSED, calendar.closed_dates)
    yield from _merged(EntryKind.WORKING, calendar.extra_dates)
    for school, terms in calendar.schools.items():
        for kind, spans in (
            (EntryKind.TERM, terms.terms),
            (EntryKind.SCHOOL_HOLIDAY, terms.holidays),
        ):
            for span in spans:
                yield Entry(
                    kind=kind, first=span.first, last=span.last, name=span.name, subject=school,
                    subject_name=school,
                )  # fmt: skip
    for vehicle in region.vehicles:
        off = dict.fromkeys(vehicle.off_dates, "")
        yield from _merged(EntryKind.VEHICLE_OFF, off, vehicle.vehicle_id, vehicle.name)
    for person in crew:
        off = dict.fromkeys(person.off_dates, "")
        yield from _merged(EntryKind.CREW_OFF, off, person.crew_member_id, person.name)
    for one in region.specialists:
        off = dict.fromkeys(one.off_dates, "")
        yield from _merged(EntryKind.SPECIALIST_OFF, off, one.specialist_id, one.name)


def _merged(
    kind: EntryKind, dates: Mapping[date, str], subject: str = "", subject_name: str = ""
) -> Iterator[Entry]:
    days = sorted(dates)
    if not days:
        return
    begins = [days[0]]
    ends = []
    for before, after in pairwise(days):
        if after - before != _DAY or dates[before] != dates[after]:
            ends.append(before)
            begins.append(after)
    ends.append(days[-1])
    for first, last in zip(begins, ends, strict=True):
        yield Entry(
            kind=kind,
            first=first,
            last=last,
            name=dates[first],
            subject=subject,
            subject_name=subject_name,
        )


def add_entry(edit: Edit, entry: Entry) -> tuple[PromisedVisit, ...]:
    """Put an entry into the calendar; gives the promised visits that fall on it.

    Raises
    ------
    InputError
        ``calendar.ends_before``, ``calendar.too_long``, ``calendar.needs_subject``,
        ``calendar.name_long`` or ``calendar.clash``.
    NotFoundError
        ``thing.unknown`` for a vehicle or person that is not there.
    """
    _check(entry)
    if entry.kind in OF_SUBJECT:
        _change_subject(edit, entry, is_off=True)
    else:
        calendar = _calendar(edit)
        if entry.kind in OF_REGION:
            changed = _with_days(calendar, entry)
        else:
            changed = _with_span(calendar, entry)
        _put_calendar(edit, changed)
    _note(edit, "calendar.add", entry)
    return hits_of(edit.session, edit.region_id, entry)


def remove_entry(edit: Edit, entry: Entry) -> None:
    """Take an entry out of the calendar.

    Raises
    ------
    NotFoundError
        ``calendar.unknown``.
    """
    if entry.kind in OF_SUBJECT:
        _change_subject(edit, entry, is_off=False)
    else:
        calendar = _calendar(edit)
        if entry.kind in OF_REGION:
            changed = _without_days(calendar, entry)
        else:
            changed = _without_span(calendar, entry)
        if changed == calendar:
            raise NotFoundError("calendar.unknown")
        _put_calendar(edit, changed)
    _note(edit, "calendar.remove", entry)


def set_weekdays(edit: Edit, weekdays: frozenset[int]) -> None:
    """Say on which weekdays there is service at all.

    Raises
    ------
    InputError
        ``calendar.no_weekday``.
    """
    if not weekdays or not weekdays <= set(range(7)):
        raise InputError("calendar.no_weekday", field="weekdays")
    _put_calendar(edit, replace(_calendar(edit), weekdays=weekdays))
    audit_store.record(
        edit.session,
        edit.caller,
        "calendar.weekdays",
        edit.region_id,
        region_id=edit.region_id,
        weekdays=sorted(weekdays),
    )
    event_store.emit(edit.session, "calendar", "weekdays", edit.region_id)


def hits_of(session: Session, region_id: str, entry: Entry) -> tuple[PromisedVisit, ...]:
    """Promised visits, still to come, on which an entry's dates fall."""
    return hits_of_each(session, region_id, [entry])[0]


def hits_of_each(
    session: Session, region_id: str, entries: Sequence[Entry]
) -> list[tuple[PromisedVisit, ...]]:
    """The same for several entries, in their order; visits are read once for all.

    Crews are not promised to readers, so an absence hits the visits of the vehicles that have
    nobody else of the person's role on that day; a day that is worked hits none.
    """
    closing = [e for e in entries if e.kind in CLOSING]
    if not closing:
        return [() for _ in entries]
    crew = [s.thing for s in region_store.list_things(session, region_id, CrewMember)]
    coming = [
        visit
        for visit in publication_store.load_visits(
            session,
            region_id,
            from_date=min(e.first for e in closing),
            until_date=max(e.last for e in closing),
        )
        if visit.is_coming
    ]
    coming.sort(key=lambda v: (v.service_date, v.start_s, v.visit_id))
    return [_hit(entry, coming, crew) for entry in entries]


def _hit(
    entry: Entry, coming: Sequence[PromisedVisit], crew: Sequence[CrewMember]
) -> tuple[PromisedVisit, ...]:
    """The visits of ``coming`` that one entry hits."""
    found = (v for v in coming if entry.first <= v.service_date <= entry.last)
    match entry.kind:
        case EntryKind.CLOSED:
            return tuple(found)
        case EntryKind.VEHICLE_OFF:
            return tuple(v for v in found if v.vehicle_id == entry.subject)
        case EntryKind.CREW_OFF:
            return tuple(v for v in found if _is_left(crew, entry.subject, v))
        case _:
            return ()


def _is_left(crew: Sequence[CrewMember], person_id: str, visit: PromisedVisit) -> bool:
    """Whether a visit has nobody of a person's role once that person is away."""
    person = next((m for m in crew if m.crew_member_id == person_id), None)
    if person is None or visit.vehicle_id not in person.vehicle_ids:
        return False
    return not any(
        m.role is person.role
        and m is not person
        and visit.service_date not in m.off_dates
        and (not m.vehicle_ids or visit.vehicle_id in m.vehicle_ids)
        for m in crew
    )


def entry_of(mark: str) -> Entry:
    """The entry that an address names.

    Raises
    ------
    NotFoundError
        ``calendar.unknown``.
    """
    parts = mark.split("~", 3)
    try:
        kind, first, last = EntryKind(parts[0]), *map(date.fromisoformat, parts[1:3])
        return Entry(kind=kind, first=first, last=last, subject=parts[3])
    except (ValueError, IndexError):
        raise NotFoundError("calendar.unknown") from None


def _check(entry: Entry) -> None:
    if entry.last < entry.first:
        raise InputError("calendar.ends_before", field="last", first=entry.first, last=entry.last)
    if entry.num_days > MOST_DAYS:
        raise InputError("calendar.too_long", field="last", days=entry.num_days, limit=MOST_DAYS)
    if len(entry.name) > NAME_MAX:
        raise InputError("calendar.name_long", field="name", limit=NAME_MAX)
    if entry.kind in (*OF_SUBJECT, *OF_SCHOOL) and not entry.subject.strip():
        raise InputError("calendar.needs_subject", field="subject")


def _calendar(edit: Edit) -> ServiceCalendar:
    stored = region_store.list_things(edit.session, edit.region_id, ServiceCalendar)
    calendar: ServiceCalendar = stored[0].thing if stored else ServiceCalendar()
    return calendar


def _put_calendar(edit: Edit, calendar: ServiceCalendar) -> None:
    stored = region_store.list_things(edit.session, edit.region_id, ServiceCalendar)
    region_store.put_thing(
        edit.session,
        edit.region_id,
        calendar,
        at=edit.at,
        expect_revision=stored[0].revision if stored else None,
    )


def _with_days(calendar: ServiceCalendar, entry: Entry) -> ServiceCalendar:
    closes = entry.kind is EntryKind.CLOSED
    mine = dict(calendar.closed_dates if closes else calendar.extra_dates)
    other = calendar.extra_dates if closes else calendar.closed_dates
    for day in entry.dates():
        if day in other:
            raise InputError("calendar.clash", field="first", day=day, name=other[day] or "—")
        mine[day] = entry.name.strip()
    sorted_days = dict(sorted(mine.items()))
    if closes:
        return replace(calendar, closed_dates=sorted_days)
    return replace(calendar, extra_dates=sorted_days)


def _without_days(calendar: ServiceCalendar, entry: Entry) -> ServiceCalendar:
    gone = set(entry.dates())
    closes = entry.kind is EntryKind.CLOSED
    mine = calendar.closed_dates if closes else calendar.extra_dates
    left = {day: name for day, name in mine.items() if day not in gone}
    if closes:
        return replace(calendar, closed_dates=left)
    return replace(calendar, extra_dates=left)


def _with_span(calendar: ServiceCalendar, entry: Entry) -> ServiceCalendar:
    span = DateSpan(first=entry.first, last=entry.last, name=entry.name.strip())
    school = entry.subject.strip()
    old = calendar.schools.get(school)
    terms, holidays = (old.terms, old.holidays) if old else ((), ())
    for other in (*terms, *holidays):
        if other.first <= span.last and span.first <= other.last:
            raise InputError(
                "calendar.clash", field="first", day=max(other.first, span.first), name=other.name
            )
    if entry.kind is EntryKind.TERM:
        terms = tuple(sorted((*terms, span), key=lambda s: s.first))
    else:
        holidays = tuple(sorted((*holidays, span), key=lambda s: s.first))
    schools = {**calendar.schools, school: SchoolCalendar(terms=terms, holidays=holidays)}
    return replace(calendar, schools=schools)


def _without_span(calendar: ServiceCalendar, entry: Entry) -> ServiceCalendar:
    old = calendar.schools.get(entry.subject)
    if old is None:
        return calendar

    def left(spans: tuple[DateSpan, ...], kind: EntryKind) -> tuple[DateSpan, ...]:
        return tuple(
            s
            for s in spans
            if not (entry.kind is kind and (s.first, s.last) == (entry.first, entry.last))
        )

    terms = left(old.terms, EntryKind.TERM)
    holidays = left(old.holidays, EntryKind.SCHOOL_HOLIDAY)
    schools = {name: kept for name, kept in calendar.schools.items() if name != entry.subject}
    if terms or holidays:
        schools[entry.subject] = SchoolCalendar(terms=terms, holidays=holidays)
    return replace(calendar, schools=schools)


def _change_subject(edit: Edit, entry: Entry, *, is_off: bool) -> None:
    stored = region_store.get_thing(edit.session, edit.region_id, _TYPES[entry.kind], entry.subject)
    if stored.valid_to_date is not None:
        raise NotFoundError("thing.unknown", kind=entry.kind.value, key=entry.subject)
    days = frozenset(entry.dates())
    before: frozenset[date] = stored.thing.off_dates
    after = before | days if is_off else before - days
    if not is_off and after == before:
        raise NotFoundError("calendar.unknown")
    region_store.put_thing(
        edit.session,
        edit.region_id,
        replace(stored.thing, off_dates=after),
        at=edit.at,
        expect_revision=stored.revision,
    )


def _note(edit: Edit, action: str, entry: Entry) -> None:
    audit_store.record(
        edit.session,
        edit.caller,
        action,
        entry.mark,
        region_id=edit.region_id,
        name=entry.name,
    )
    event_store.emit(edit.session, "calendar", entry.kind.value, edit.region_id)
