"""Change what is in a region: one thing at a time, with its history, its references kept whole."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from api.services.thing_kinds import (
    CREW,
    DEPOTS,
    LIBRARIES,
    MUNICIPALITIES,
    NORMS,
    RULES,
    SETTLEMENTS,
    SPECIALISTS,
    STOPS,
    VEHICLES,
    ThingKind,
)
from data.db import audit_store, event_store, region_store
from data.db.region_store import Stored
from data.db.things import Thing
from data.feeds.assume import assumed_libraries
from data.feeds.profiles import load_rule_sets
from data.feeds.report import Problem, input_error
from data.feeds.settlements import GROUP_COLUMNS
from data.model.accounts import Caller
from data.model.crew import Specialist
from data.model.errors import InputError, NotFoundError
from data.model.fleet import RuleSet, RuleSetId, Vehicle
from data.model.place import (
    Depot,
    Library,
    LibraryId,
    Settlement,
    SettlementId,
    Standing,
    Stop,
)
from data.model.staff import CrewMember

_EARLIEST = date.min
_MOVE_ASSUMED = (LIBRARIES, SETTLEMENTS)
"""Kinds on which it depends where libraries are assumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Who changes things of which region, when, and from which date on.

    ``from_date`` ``None`` corrects the newest version where it stands.
    """

    session: Session
    caller: Caller
    region_id: str
    at: datetime
    from_date: date | None = None


def current(session: Session, region_id: str, kind: ThingKind, key: str) -> Stored:
    """The newest version of a thing, also of one that has ended.

    Raises
    ------
    NotFoundError
        ``region.unknown`` or ``thing.unknown``.
    """
    region_store.region_revision(session, region_id)
    return region_store.get_thing(session, region_id, kind.type, key)


def put(edit: Edit, kind: ThingKind, thing: Thing, *, expect_revision: int | None) -> Stored:
    """Add a thing (``expect_revision`` ``None``) or change it.

    Raises
    ------
    InputError
        ``thing.unknown_reference`` for each id in it that leads nowhere.
    ConflictError, NotFoundError
        As ``region_store.put_thing``.
    """
    session, region_id = edit.session, edit.region_id
    region_store.hold_region(session, region_id)
    check_references(session, region_id, thing)
    key = kind.key_of(thing)
    from_date = edit.from_date
    if expect_revision is None and from_date is None:
        # A new thing is there since ever unless somebody says since when.
        from_date = _EARLIEST
    region_store.put_thing(
        session, region_id, thing, from_date=from_date, at=edit.at, expect_revision=expect_revision
    )
    if isinstance(thing, Vehicle):
        take_over_rule_sets(edit, thing.rule_set_ids)
    if kind in _MOVE_ASSUMED:
        refresh_assumed(edit)
    _note(edit, f"{kind.path}.{'add' if expect_revision is None else 'change'}", kind, key)
    return region_store.get_thing(session, region_id, kind.type, key)


def end(
    edit: Edit, kind: ThingKind, key: str, *, to_date: date, expect_revision: int | None
) -> Stored:
    """Let a thing end; what still needs it must be changed first.

    Raises
    ------
    InputError
        ``thing.in_use`` with what needs it.
    """
    session, region_id = edit.session, edit.region_id
    region_store.hold_region(session, region_id)
    users = tuple(users_of(session, region_id, kind, key))
    if users:
        shown = ", ".join(name for _, name in users[:5]) + (" …" if len(users) > 5 else "")
        raise InputError("thing.in_use", key=key, count=len(users), users=shown)
    region_store.end_thing(
        session,
        region_id,
        kind.type,
        key,
        to_date=to_date,
        at=edit.at,
        expect_revision=expect_revision,
    )
    if kind in _MOVE_ASSUMED:
        refresh_assumed(edit)
    _note(edit, f"{kind.path}.end", kind, key, to_date=to_date.isoformat())
    return region_store.get_thing(session, region_id, kind.type, key)


def close_library(edit: Edit, key: str, *, on: date, expect_revision: int | None) -> Stored:
    """Close a branch on a date: it stays in the register and in every earlier audit.

    Raises
    ------
    InputError
        ``library.closed_before_opened``.
    """
    region_store.hold_region(edit.session, edit.region_id)
    stored = current(edit.session, edit.region_id, LIBRARIES, key)
    library: Library = stored.thing
    if library.opened_date is not None and on < library.opened_date:
        raise InputError("library.closed_before_opened", opened=library.opened_date, closed=on)
    region_store.put_thing(
        edit.session,
        edit.region_id,
        replace(library, closed_date=on),
        at=edit.at,
        expect_revision=expect_revision or stored.revision,
    )
    refresh_assumed(edit)
    _note(edit, "libraries.close", LIBRARIES, key, closed_date=on.isoformat())
    return current(edit.session, edit.region_id, LIBRARIES, key)


def merge_settlements(
    edit: Edit, key: str, into_key: str, *, on: date, adds_people: bool, expect_revision: int | None
) -> Stored:
    """Let a settlement become part of another: stops, libraries and bases go over to it.

    Parameters
    ----------
    adds_people
        Whether the other takes over its residents; not where its figure counts them already.

    Raises
    ------
    InputError
        ``settlement.merge_self``.
    """
    session, region_id = edit.session, edit.region_id
    if key == into_key:
        raise InputError("settlement.merge_self", key=key)
    region_store.hold_region(session, region_id)
    gone = current(session, region_id, SETTLEMENTS, key)
    into = current(session, region_id, SETTLEMENTS, into_key)
    if into.valid_to_date is not None:
        raise NotFoundError("thing.unknown", kind="settlement", key=into_key)
    region_store.end_thing(
        session,
        region_id,
        Settlement,
        key,
        to_date=on,
        at=edit.at,
        expect_revision=expect_revision or gone.revision,
        merged_into=into_key,
    )
    if adds_people:
        grown = _with_people_of(into.thing, gone.thing)
        _put_from(edit, SETTLEMENTS, into, grown, on)
    old, new = SettlementId(key), SettlementId(into_key)
    for stored in region_store.list_things(session, region_id, Stop):
        ids = stored.thing.settlement_ids
        if old in ids:
            kept = tuple(dict.fromkeys(new if i == old else i for i in ids))
            _put_from(edit, STOPS, stored, replace(stored.thing, settlement_ids=kept), on)
    for kind in (LIBRARIES, DEPOTS):
        for stored in region_store.list_things(session, region_id, kind.type):
            if stored.thing.settlement_id == old:
                _put_from(edit, kind, stored, replace(stored.thing, settlement_id=new), on)
    refresh_assumed(edit)
    _note(edit, "settlements.merge", SETTLEMENTS, key, into=into_key, on=on.isoformat())
    return current(session, region_id, SETTLEMENTS, key)


def _put_from(edit: Edit, kind: ThingKind, stored: Stored, thing: Thing, on: date) -> None:
    region_store.put_thing(
        edit.session,
        edit.region_id,
        thing,
        from_date=max(on, stored.valid_from_date),
        at=edit.at,
        expect_revision=stored.revision,
    )


def _with_people_of(into: Settlement, gone: Settlement) -> Settlement:
    def total(name: str) -> int | None:
        counts = [n for n in (getattr(into, name), getattr(gone, name)) if n is not None]
        return sum(counts) if counts else None

    people: dict[str, Any] = {name: total(name) for name in ("population", *GROUP_COLUMNS)}
    return replace(into, **people)


def refresh_assumed(edit: Edit) -> None:
    """Assume libraries anew after the register or its assumption changed."""
    session, region_id = edit.session, edit.region_id
    region = region_store.load_region(session, region_id)
    stored = {s.key: s for s in region_store.list_things(session, region_id, Library)}
    known = tuple(lib for lib in region.libraries if lib.standing is Standing.KNOWN)
    wanted = {lib.library_id: lib for lib in assumed_libraries(replace(region, libraries=known))}
    on = edit.from_date or edit.at.astimezone(ZoneInfo(region.time_zone)).date()
    for key, held in stored.items():
        if held.thing.standing is Standing.ASSUMED and LibraryId(key) not in wanted:
            region_store.end_thing(
                session,
                region_id,
                Library,
                key,
                to_date=max(on, held.valid_from_date),
                at=edit.at,
                expect_revision=held.revision,
            )
    for key, library in wanted.items():
        if key not in stored:
            region_store.put_thing(
                session, region_id, library, from_date=on, at=edit.at, expect_revision=None
            )


def take_over_rule_sets(edit: Edit, rule_set_ids: Iterable[RuleSetId]) -> None:
    """Store shipped rule sets that a region begins to name, so that it holds all it uses."""
    known = region_store.keys_of(edit.session, edit.region_id, RuleSet)
    shipped = load_rule_sets()
    for rule_set_id in rule_set_ids:
        if rule_set_id not in known and rule_set_id in shipped:
            region_store.put_thing(
                edit.session,
                edit.region_id,
                shipped[rule_set_id],
                at=edit.at,
                expect_revision=None,
            )


def check_references(session: Session, region_id: str, thing: Thing) -> None:
    """Refuse a thing that names another which is not there.

    Raises
    ------
    InputError
        ``thing.unknown_reference`` with all of them in ``problems``.
    """
    problems = []
    for field, kind, wanted in _references(thing):
        known = _keys(session, region_id, kind)
        problems += [
            Problem(
                code="thing.unknown_reference",
                facts={"field": field, "value": key, "kind": kind.path},
            )
            for key in wanted
            if key not in known
        ]
    if problems:
        raise input_error(problems)


def _keys(session: Session, region_id: str, kind: ThingKind) -> frozenset[str]:
    keys = region_store.keys_of(session, region_id, kind.type)
    return keys | {str(key) for key in load_rule_sets()} if kind is RULES else keys


def _references(thing: Thing) -> Iterator[tuple[str, ThingKind, list[str]]]:
    """Ids that a thing names: field, kind and the ids."""
    match thing:
        case Settlement():
            yield "municipality_id", MUNICIPALITIES, _some(thing.municipality_id)
        case Library() | Depot():
            yield "settlement_id", SETTLEMENTS, _some(thing.settlement_id)
        case Stop():
            yield "settlement_ids", SETTLEMENTS, [str(i) for i in thing.settlement_ids]
        case Vehicle():
            yield "depot_id", DEPOTS, _some(thing.depot_id)
            yield "end_depot_id", DEPOTS, _some(thing.end_depot_id)
            yield "lodging_ids", DEPOTS, sorted(thing.lodging_ids)
            yield "rule_set_ids", RULES, [str(i) for i in thing.rule_set_ids]
        case Specialist() | CrewMember():
            yield "vehicle_ids", VEHICLES, sorted(thing.vehicle_ids)


def _some(key: str | None) -> list[str]:
    return [] if key is None else [str(key)]


def users_of(
    session: Session, region_id: str, kind: ThingKind, key: str
) -> Iterator[tuple[ThingKind, str]]:
    """What names a thing and keeps it from ending: kind and name."""
    for other in (SETTLEMENTS, LIBRARIES, DEPOTS, STOPS, VEHICLES, SPECIALISTS, CREW):
        for stored in region_store.list_things(session, region_id, other.type):
            if getattr(stored.thing, "standing", None) is Standing.ASSUMED:
                continue
            for _, target, wanted in _references(stored.thing):
                if target is kind and key in wanted:
                    yield other, stored.thing.name or stored.key
                    break
    if kind in (NORMS, RULES):
        region = region_store.load_region(session, region_id)
        if key == region.norm_set_id or RuleSetId(key) in region.default_rule_set_ids:
            yield kind, region.name_in(region.language)


def _note(edit: Edit, action: str, kind: ThingKind, key: str, **facts: object) -> None:
    told = dict(facts)
    if edit.from_date is not None:
        told["from_date"] = edit.from_date.isoformat()
    audit_store.record(edit.session, edit.caller, action, key, region_id=edit.region_id, **told)
    event_store.emit(edit.session, "region", key, edit.region_id, kind=kind.path)
