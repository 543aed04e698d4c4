"""What stands on a filled-in sheet becomes events of the journal; typed twice it is there once.

The sheet says sums, the journal keeps amounts: what was typed of a sheet before is taken off, so
that the same sheet adds nothing and a changed one adds the difference. Times and reasons that were
typed otherwise are taken back first. Nothing that a tablet wrote is touched.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from api.services.day_report import sheet_for
from api.services.ledger import Ledger
from api.services.own_journal import SERVICE, Entry, write_down
from api.services.run_sheets import FIELDS, SKIPS, RunSheet, SheetStop
from api.state import Service
from data.db import audit_store, day_sheet_store, event_store
from data.model.accounts import Caller
from data.model.crew_bodies import CountBody, MomentBody, SkipBody, SkipReason
from data.model.day_sheet import DaySheet
from data.model.errors import InputError
from data.model.journal import EventKind
from data.model.journal_bodies import VoidBody
from data.model.service_time import clock_s, instant_of
from data.model.stop_counts import MOST_COUNTED, CountFault, CountMethod, add_counts, count_faults
from fleet.circulation_replay import Step

MOMENTS = {"opened": EventKind.OPEN, "closed": EventKind.CLOSE}
WAY = ("odometer_out_km", "odometer_in_km", "fuel")


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedStop:
    """One line of the paper; ``None`` and nought are empty boxes."""

    opened_s: int | None = None
    closed_s: int | None = None
    skip: SkipReason | None = None
    note: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return self == TypedStop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What the journal has of a stop visit already: from paper, and by others."""

    typed: TypedStop = TypedStop()
    typed_at: datetime | None = None
    events: Mapping[EventKind, str] = field(default_factory=dict)
    """Ids of the events from paper that may have to be taken back."""
    aboard: Mapping[str, int] = field(default_factory=dict)
    """Counted on tablets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedSheet:
    """A whole sheet as it was typed."""

    stops: Mapping[str, TypedStop]
    """By the id of the stop visit."""
    odometer_out_km: float | None = None
    odometer_in_km: float | None = None
    fuel: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """What whoever types should look at before it is saved."""

    stop: str
    code: str
    fault: CountFault | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing:
    """A sheet held against the journal: what would be written, and what to look at."""

    entries: tuple[Entry, ...]
    warned: tuple[Warned, ...]
    num_stops: int
    way: DaySheet | None
    """The day sheet as it would be; ``None`` where that does not change."""


def before_of(ledger: Ledger, sheet: RunSheet) -> dict[str, Before]:
    """What the journal has of a sheet's stop visits."""
    own: dict[str, list[Step]] = {s.visit.visit_id: [] for s in sheet.stops}
    for step in ledger.replay.steps:
        visit_id = step.timed.event.visit_id
        if visit_id in own and not step.is_voided:
            own[visit_id].append(step)
    return {visit_id: _before(steps, sheet) for visit_id, steps in own.items()}


def _before(steps: list[Step], sheet: RunSheet) -> Before:
    typed, aboard = TypedStop(), dict[str, int]()
    events: dict[EventKind, str] = {}
    typed_at: datetime | None = None
    for step in steps:
        event, body = step.timed.event, step.timed.event.body
        is_paper = event.device_id == SERVICE
        if isinstance(body, CountBody):
            is_paper = body.method is CountMethod.PAPER
            if is_paper:
                typed = replace(typed, counts=add_counts((typed.counts, body.counts)))
            else:
                aboard = add_counts((aboard, body.counts))
        elif isinstance(body, MomentBody) and is_paper and event.kind in MOMENTS.values():
            at_s = clock_s(sheet.on, body.moment_at or step.timed.at, sheet.zone)
            name = "opened_s" if event.kind is EventKind.OPEN else "closed_s"
            typed = replace(typed, **{name: round(at_s)})  # type: ignore[arg-type]
            events[event.kind] = event.event_id
        elif isinstance(body, SkipBody) and is_paper:
            typed = replace(typed, skip=body.reason, note=body.note)
            events[event.kind] = event.event_id
        else:
            continue
        if is_paper:
            typed_at = max(typed_at or step.timed.at, step.timed.at)
    return Before(typed=typed, typed_at=typed_at, events=events, aboard=aboard)


def weigh(
    session: Session, ledger: Ledger, sheet: RunSheet, typed: TypedSheet, *, now: datetime
) -> Typing:
    """Hold a typed sheet against the journal.

    Raises
    ------
    InputError
        ``runsheet.not_yet``, ``runsheet.skip_counted``, ``runsheet.closed_first``,
        ``runsheet.other_note``, or what a day sheet refuses.
    """
    if instant_of(sheet.on, 0, sheet.zone) > now:
        raise InputError("runsheet.not_yet", date=sheet.on.isoformat())
    before = before_of(ledger, sheet)
    entries: list[Entry] = []
    warned: list[Warned] = []
    num_stops = 0
    for stop in sheet.stops:
        told = typed.stops.get(stop.visit.visit_id, TypedStop())
        was = before[stop.visit.visit_id]
        _check(stop, told)
        own = _entries(sheet, stop, told, was)
        if own:
            num_stops += 1
            warned += _warnings(stop, told, was)
        entries += own
    known = sheet_for(session, sheet.head.region_id, sheet.vehicle.vehicle_id, sheet.on)
    given = {n: v for n in WAY if (v := getattr(typed, n)) is not None}
    way = replace(known, **given)
    is_new = any(getattr(known, n) != v for n, v in given.items())
    return Typing(
        entries=tuple(entries),
        warned=tuple(warned),
        num_stops=num_stops,
        way=way if is_new else None,
    )


def save_sheet(
    service: Service, session: Session, sheet: RunSheet, typing: Typing, *, by: Caller
) -> int:
    """Write a weighed sheet down; gives how many events. The region's ledger must be held."""
    at = service.clock()
    region_id = sheet.head.region_id
    events = write_down(session, region_id, typing.entries, at=at, by=by.account_id or "")
    if typing.way is not None:
        day_sheet_store.put_sheet(
            session,
            typing.way,
            expect_revision=typing.way.revision,
            by=by.account_id,
            at=at,
        )
    if events or typing.way is not None:
        audit_store.record(
            session, by, "sheet.type", sheet.number, region_id=region_id,
            vehicle=str(sheet.vehicle.vehicle_id), date=sheet.on.isoformat(), events=len(events),
        )  # fmt: skip
        event_store.emit(session, "circulation", "", region_id, events=len(events), conflicts=0)
    return len(events)


def _check(stop: SheetStop, told: TypedStop) -> None:
    if told.skip is not None:
        if told.counts or told.opened_s is not None or told.closed_s is not None:
            raise InputError("runsheet.skip_counted", stop=stop.name)
        if told.skip is SkipReason.OTHER and not told.note.strip():
            raise InputError("runsheet.other_note", stop=stop.name)
    if told.opened_s is not None and told.closed_s is not None and told.closed_s < told.opened_s:
        raise InputError("runsheet.closed_first", stop=stop.name)


def _entries(sheet: RunSheet, stop: SheetStop, told: TypedStop, was: Before) -> list[Entry]:
    def entry(kind: EventKind, body: object) -> Entry:
        return Entry(
            kind=kind, body=body, service_date=sheet.on, place=sheet.place,  # type: ignore[arg-type]
            stop_id=stop.visit.stop_id, visit_id=stop.visit.visit_id,
        )  # fmt: skip

    found: list[Entry] = []
    for name, kind in MOMENTS.items():
        at_s, then_s = getattr(told, f"{name}_s"), getattr(was.typed, f"{name}_s")
        if at_s == then_s:
            continue
        if kind in was.events:
            found.append(entry(EventKind.VOID, VoidBody(event_id=was.events[kind])))
        if at_s is not None:
            at = instant_of(sheet.on, at_s, sheet.zone)
            found.append(entry(kind, MomentBody(moment_at=at)))
    if (told.skip, told.note) != (was.typed.skip, was.typed.note):
        if EventKind.SKIP in was.events:
            void = VoidBody(event_id=was.events[EventKind.SKIP])
            found.append(entry(EventKind.VOID, void))
        if told.skip is not None:
            found.append(entry(EventKind.SKIP, SkipBody(reason=told.skip, note=told.note)))
    taken = {name: -amount for name, amount in was.typed.counts.items() if name in FIELDS}
    news = add_counts((told.counts, taken))
    if news:
        found.append(entry(EventKind.COUNT, CountBody(counts=news, method=CountMethod.PAPER)))
    return found


def _warnings(stop: SheetStop, told: TypedStop, was: Before) -> list[Warned]:
    found = []
    if was.typed_at is not None:
        found.append(Warned(stop=stop.name, code="runsheet.twice", at=was.typed_at))
    if was.aboard and told.counts:
        found.append(Warned(stop=stop.name, code="runsheet.aboard"))
    whole = add_counts((told.counts, was.aboard))
    found += [
        Warned(stop=stop.name, code="runsheet.fault", fault=fault)
        for fault in (count_faults(whole) if told.counts else ())
    ]
    return found


def read_stop(given: Mapping[str, str], stop: SheetStop) -> TypedStop:
    """One line of the form; what is wrong in it is told with the stop's name.

    Raises
    ------
    InputError
        ``runsheet.bad_time``, ``runsheet.bad_count``, ``runsheet.bad_skip``; ``field`` is the
        name of the box.
    """
    visit_id = stop.visit.visit_id

    def box(name: str) -> str:
        return given.get(f"{name}:{visit_id}", "").strip()

    counts = {name: n for name in FIELDS if (n := _count(box(name), name, stop))}
    skip_text = box("skip")
    skip = None
    if skip_text:
        if not (skip_text.isascii() and skip_text.isdigit() and 1 <= int(skip_text[:3]) <= 7):
            raise InputError(
                "runsheet.bad_skip", stop=stop.name, field="skip", value=skip_text[:20]
            )
        skip = SKIPS[int(skip_text) - 1]
    return TypedStop(
        opened_s=_time(box("opened"), "opened", stop),
        closed_s=_time(box("closed"), "closed", stop),
        skip=skip,
        note=box("note") if skip is not None else "",
        counts=counts,
    )


def _count(text: str, name: str, stop: SheetStop) -> int:
    if not text:
        return 0
    if text.isascii() and text.isdigit() and len(text) <= 6 and int(text) <= MOST_COUNTED:
        return int(text)
    raise InputError(
        "runsheet.bad_count", stop=stop.name, field=name, value=text[:20], limit=MOST_COUNTED
    )


def _time(text: str, name: str, stop: SheetStop) -> int | None:
    if not text:
        return None
    digits = text.replace(":", "").replace(".", "").replace("-", "")
    if digits.isascii() and digits.isdigit() and 3 <= len(digits) <= 4:
        hour, minute = int(digits[:-2]), int(digits[-2:])
        if hour < 24 and minute < 60:
            at = timedelta(hours=hour, minutes=minute)
            return round(at.total_seconds())
    raise InputError("runsheet.bad_time", stop=stop.name, field=name, value=text[:20])


def read_km(text: str, name: str) -> float | None:
    """Kilometres or fuel of the form.

    Raises
    ------
    InputError
        ``runsheet.bad_number``.
    """
    plain = text.strip().replace("\N{NO-BREAK SPACE}", "").replace(" ", "").replace(",", ".")
    if not plain:
        return None
    digits = plain.replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        raise InputError("runsheet.bad_number", field=name, value=text[:20])
    return float(plain)
