"""Regions and their things: kept with their history, read as of a date.

A change from a later date closes the version before it and adds one; a change from the same date
corrects it. Whoever changes something names the revision that he saw, so that nobody overwrites
what he has not read. Changes of one region follow one another: each first holds the region.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, or_, select

from data.db.base import Versioned
from data.db.tables.regions import RegionRow
from data.db.things import KINDS, SPECIALIST, Kind, Thing, adapter_of, columns_of, thing_of
from data.db.turns import take_turn
from data.model.calendar import ServiceCalendar
from data.model.crew import Specialist
from data.model.errors import ConflictError, NotFoundError
from data.model.fleet import RuleSet, Vehicle
from data.model.norms import NormSet
from data.model.place import Depot, Library, Municipality, Settlement, Stop
from data.model.region import Region

_LISTS: dict[str, type] = {
    "municipalities": Municipality,
    "settlements": Settlement,
    "libraries": Library,
    "depots": Depot,
    "vehicles": Vehicle,
    "specialists": Specialist,
    "stops": Stop,
    "norm_sets": NormSet,
}
"""Fields of a region that are lists of things."""
_OWN = ("region_id", "names", "time_zone", "language", "crs")
_HELD = "held regions"
"""In a session's notes: regions that its one transaction holds."""
_CONTENTS = (*_LISTS, "rule_sets", "calendar")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSummary:
    """A region as the list of regions shows it."""

    region_id: str
    names: dict[str, str]
    revision: int
    created_at: datetime
    closed_at: datetime | None

    def name_in(self, language: str) -> str:
        return self.names.get(language) or next(iter(self.names.values()), self.region_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A thing with what guards its change."""

    key: str
    revision: int
    thing: Any
    valid_from_date: date
    valid_to_date: date | None = None
    merged_into: str | None = None


def add_region(session: Session, region: Region, *, at: datetime) -> None:
    """Store a region with everything in it, valid since ever.

    Raises
    ------
    ConflictError
        ``region.taken`` where there is one of this id.
    """
    take_turn(session, f"region {region.region_id}")
    if session.get(RegionRow, region.region_id) is not None:
        raise ConflictError("region.taken", region_id=region.region_id)
    session.add(RegionRow(**_columns(region), created_at=at, changed_at=at))
    session.flush()
    for kind, things in _contents(region):
        for order, thing in enumerate(things):
            session.add(_row(kind, region.region_id, thing, order))


def list_regions(session: Session, *, with_closed: bool = False) -> tuple[RegionSummary, ...]:
    """All regions by id."""
    asked = select(RegionRow).order_by(col(RegionRow.region_id))
    if not with_closed:
        asked = asked.where(col(RegionRow.closed_at).is_(None))
    return tuple(
        RegionSummary(
            region_id=row.region_id,
            names=row.names,
            revision=row.revision,
            created_at=row.created_at,
            closed_at=row.closed_at,
        )
        for row in session.exec(asked)
    )


def load_region(session: Session, region_id: str, *, on: date | None = None) -> Region:
    """The region as it was on a date; without one, as its newest versions say.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    row = _region_row(session, region_id)
    contents: dict[str, Any] = {
        name: tuple(s.thing for s in list_things(session, region_id, kind, on=on))
        for name, kind in _LISTS.items()
    }
    rule_sets = list_things(session, region_id, RuleSet, on=on)
    contents["rule_sets"] = {s.thing.rule_set_id: s.thing for s in rule_sets}
    calendars = list_things(session, region_id, ServiceCalendar, on=on)
    contents["calendar"] = calendars[0].thing if calendars else ServiceCalendar()
    own = {name: getattr(row, name) for name in _OWN}
    bare: Region = adapter_of(Region).validate_python(own | row.facts)
    return replace(bare, **contents)


def region_revision(session: Session, region_id: str) -> int:
    """The revision that guards a region's own settings and grows with every change in it."""
    return _region_row(session, region_id).revision


def hold_region(session: Session, region_id: str) -> None:
    """Make other changes of a region wait until this transaction ends.

    Raises
    ------
    NotFoundError
        ``region.unknown``.
    """
    _held_row(session, region_id)


def set_region(
    session: Session, region: Region, *, at: datetime, expect_revision: int | None
) -> int:
    """Take over a region's own settings (standard, names, costs …), not what is in it."""
    row = _held_row(session, region.region_id)
    _check_revision(row.revision, expect_revision, region.region_id)
    for name, value in _columns(region).items():
        setattr(row, name, value)
    return _touched(session, row, at)


def close_region(session: Session, region_id: str, *, at: datetime) -> None:
    """Put a region away; what happened in it stays."""
    row = _held_row(session, region_id)
    row.closed_at = at
    _touched(session, row, at)


def list_things(
    session: Session, region_id: str, kind: type, *, on: date | None = None
) -> tuple[Stored, ...]:
    """Things of a kind in the region's order: those of a date, or those that have not ended."""
    table = KINDS[kind].table
    ends = col(table.valid_to_date)
    asked = select(table).where(*_of(KINDS[kind], region_id))
    if on is None:
        asked = asked.where(ends.is_(None))
    else:
        asked = asked.where(col(table.valid_from_date) <= on, or_(ends.is_(None), ends > on))
    rows = session.exec(asked.order_by(col(table.order), col(table.row_id)))
    return tuple(_stored(kind, row) for row in rows)


def keys_of(session: Session, region_id: str, kind: type) -> frozenset[str]:
    """Ids of the things of a kind that have not ended."""
    table = KINDS[kind].table
    asked = select(table.key).where(
        *_of(KINDS[kind], region_id), col(table.valid_to_date).is_(None)
    )
    return frozenset(session.exec(asked))


def get_thing(
    session: Session, region_id: str, kind: type, key: str, *, on: date | None = None
) -> Stored:
    """One thing, of a date or in its newest version.

    Raises
    ------
    NotFoundError
        ``thing.unknown``.
    """
    found = [s for s in history(session, region_id, kind, key) if on is None or _holds(s, on)]
    if not found:
        raise NotFoundError("thing.unknown", kind=kind.__name__.lower(), key=key)
    return found[-1]


def history(session: Session, region_id: str, kind: type, key: str) -> tuple[Stored, ...]:
    """All versions of a thing, the oldest first."""
    table = KINDS[kind].table
    asked = select(table).where(*_of(KINDS[kind], region_id), col(table.key) == key)
    rows = session.exec(asked.order_by(col(table.valid_from_date)))
    return tuple(_stored(kind, row) for row in rows)


def put_thing(
    session: Session,
    region_id: str,
    thing: Thing,
    *,
    from_date: date | None = None,
    at: datetime,
    expect_revision: int | None,
) -> int:
    """Add a thing or change it from a date on; gives its new revision.

    Without ``from_date``, or with that of the newest version, the version is corrected in place.
    ``expect_revision`` is the one that the caller saw, ``None`` for a thing that must be new.

    Raises
    ------
    ConflictError
        ``store.stale`` where it has changed since, ``thing.taken`` where a new one's key is in use,
        ``thing.before_last`` where ``from_date`` lies before the newest version's.
    """
    kind = KINDS[type(thing)]
    region = _held_row(session, region_id)
    key = kind.key_of(thing)
    newest = _newest(session, region_id, kind, key)
    if newest is None:
        if expect_revision is not None:
            raise NotFoundError("thing.unknown", kind=type(thing).__name__.lower(), key=key)
        row = _row(type(thing), region_id, thing, _next_order(session, region_id, kind))
        row.valid_from_date = from_date or date.min
        session.add(row)
        _touched(session, region, at)
        return row.revision
    if expect_revision is None and newest.valid_to_date is None:
        raise ConflictError("thing.taken", kind=type(thing).__name__.lower(), key=key)
    if expect_revision is not None:
        _check_revision(newest.revision, expect_revision, key)
    since = newest.valid_from_date if from_date is None else from_date
    if since < newest.valid_from_date:
        raise ConflictError("thing.before_last", key=key, since=newest.valid_from_date)
    revision = newest.revision + 1
    if since == newest.valid_from_date:
        for name, value in columns_of(thing).items():
            setattr(newest, name, value)
        newest.valid_to_date = None
        newest.revision = revision
        session.add(newest)
    else:
        if newest.valid_to_date is None or newest.valid_to_date > since:
            newest.valid_to_date = since
            session.add(newest)
        row = _row(type(thing), region_id, thing, newest.order)
        row.valid_from_date, row.revision = since, revision
        session.add(row)
    _touched(session, region, at)
    return revision


def end_thing(
    session: Session,
    region_id: str,
    kind: type,
    key: str,
    *,
    to_date: date,
    at: datetime,
    expect_revision: int | None,
    merged_into: str | None = None,
) -> int:
    """Let a thing end on a date (its first day without it); its history stays.

    Raises
    ------
    NotFoundError
        ``thing.unknown``, also for one that has ended.
    ConflictError
        ``store.stale``, ``thing.before_last``.
    """
    region = _held_row(session, region_id)
    newest = _newest(session, region_id, KINDS[kind], key)
    if newest is None or newest.valid_to_date is not None:
        raise NotFoundError("thing.unknown", kind=kind.__name__.lower(), key=key)
    _check_revision(newest.revision, expect_revision, key)
    if to_date < newest.valid_from_date:
        raise ConflictError("thing.before_last", key=key, since=newest.valid_from_date)
    newest.valid_to_date = to_date
    newest.revision += 1
    if merged_into is not None:
        newest.merged_into = merged_into
    session.add(newest)
    _touched(session, region, at)
    return newest.revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """What an import changed in a region, by kind of thing."""

    added: int = 0
    changed: int = 0
    ended: int = 0


def replace_contents(
    session: Session, region: Region, *, from_date: date, at: datetime
) -> dict[str, Replaced]:
    """Take over an import: what differs gets a version from a date on, what is gone ends.

    Kinds of which the import has nothing stay as they are.
    """
    region_id = region.region_id
    hold_region(session, region_id)
    told = {}
    for kind, things in _contents(region):
        if not things:
            continue
        before = {s.key: s for s in list_things(session, region_id, kind)}
        added = changed = 0
        for thing in things:
            known = before.pop(KINDS[kind].key_of(thing), None)
            if known is not None and known.thing == thing:
                continue
            since = max(from_date, known.valid_from_date) if known else from_date
            revision = known.revision if known else None
            put_thing(session, region_id, thing, from_date=since, at=at, expect_revision=revision)
            added, changed = added + (known is None), changed + (known is not None)
        for gone in before.values():
            end_thing(
                session,
                region_id,
                kind,
                gone.key,
                to_date=max(from_date, gone.valid_from_date),
                at=at,
                expect_revision=gone.revision,
            )
        told[kind.__name__.lower()] = Replaced(added=added, changed=changed, ended=len(before))
    set_region(session, region, at=at, expect_revision=None)
    return told


def _contents(region: Region) -> Iterable[tuple[type, Sequence[Thing]]]:
    for name, kind in _LISTS.items():
        yield kind, getattr(region, name)
    yield RuleSet, tuple(region.rule_sets.values())
    yield ServiceCalendar, (region.calendar,)


def _columns(region: Region) -> dict[str, Any]:
    """The columns of a region's row; what is in it has rows of its own."""
    nothing: dict[str, Any] = dict.fromkeys(_LISTS, ())
    bare = replace(region, **nothing, rule_sets={}, calendar=ServiceCalendar())
    document = adapter_of(Region).dump_python(bare, mode="json")
    for name in _CONTENTS:
        del document[name]
    return {name: document.pop(name) for name in _OWN} | {"facts": document}


def _row(kind: type, region_id: str, thing: Thing, order: int) -> Versioned:
    return KINDS[kind].table(region_id=region_id, order=order, **columns_of(thing))


def _stored(kind: type, row: Versioned) -> Stored:
    return Stored(
        key=row.key,
        revision=row.revision,
        thing=thing_of(kind, row),
        valid_from_date=row.valid_from_date,
        valid_to_date=row.valid_to_date,
        merged_into=getattr(row, "merged_into", None),
    )


def _of(kind: Kind, region_id: str) -> list[ColumnElement[bool]]:
    """Rows of a region that hold a kind."""
    wanted = [col(kind.table.region_id) == region_id]
    if "role" in kind.table.model_fields:
        role = col(kind.table.role)  # type: ignore[attr-defined]
        wanted.append(role == SPECIALIST if kind.role else role != SPECIALIST)
    return wanted


def _newest(session: Session, region_id: str, kind: Kind, key: str) -> Versioned | None:
    asked = select(kind.table).where(*_of(kind, region_id), col(kind.table.key) == key)
    asked = asked.order_by(col(kind.table.valid_from_date).desc())
    # What was read before the region was held may have been changed since.
    return session.exec(asked.execution_options(populate_existing=True)).first()


def _next_order(session: Session, region_id: str, kind: Kind) -> int:
    asked = select(kind.table.order).where(*_of(kind, region_id))
    last = session.exec(asked.order_by(col(kind.table.order).desc())).first()
    return 0 if last is None else last + 1


def _holds(stored: Stored, on: date) -> bool:
    return stored.valid_from_date <= on and (
        stored.valid_to_date is None or on < stored.valid_to_date
    )


def _region_row(session: Session, region_id: str) -> RegionRow:
    row = session.get(RegionRow, region_id)
    if row is None:
        raise NotFoundError("region.unknown", region_id=region_id)
    return row


def _held_row(session: Session, region_id: str) -> RegionRow:
    """The region's row as it is now, and nobody else's until this transaction ends."""
    held: set[str] = session.info.setdefault(_HELD, set())
    if region_id in held:
        return _region_row(session, region_id)
    row = session.get(RegionRow, region_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFoundError("region.unknown", region_id=region_id)
    held.add(region_id)
    return row


def _touched(session: Session, row: RegionRow, at: datetime) -> int:
    row.revision += 1
    row.changed_at = at
    session.add(row)
    session.flush()
    return row.revision


def _check_revision(found: int, expected: int | None, subject: str) -> None:
    if expected is not None and found != expected:
        raise ConflictError("store.stale", subject=subject, found=found, expected=expected)
