"""Things of a region in a browser: lists, forms, history, ends and merges."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.responses import Response

from api.auth import Dispatcher, Staff
from api.errors import status_of
from api.pages.desk_region import Desk, date_of, form_data, open_desk, text_of, whole_of
from api.pages.forms import done_of, see_other
from api.pages.thing_fields import FORMS
from api.pages.thing_forms import Message, form_of, note_error, read_form
from api.pages.thing_lists import LISTS, Lister, ListRow
from api.pages.thing_page import SECTIONS, SETTINGS_AREA, form_page
from api.services import things
from api.services.thing_kinds import LIBRARIES, SETTLEMENTS, STOPS, ThingKind, kind_named
from api.state import ServiceDep
from data.db import region_store
from data.db.engine import reading, writing
from data.db.region_store import Stored
from data.feeds.values import write_minutes
from data.model.errors import BookmobileError, ConflictError, InputError
from data.model.place import LibraryKind, Standing
from data.model.region import Region

router = APIRouter(prefix="/desk/{region_id}")
PAGE = 100
Form = Annotated[FormData, Depends(form_data)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One page of a list."""

    rows: tuple[ListRow, ...]
    total: int
    start: int
    more: bool


def list_page(
    request: Request,
    region_id: str,
    kind: ThingKind,
    asking: Staff,
    service: ServiceDep,
    text: str,
    district: str,
    show: str,
    on: date | None,
    start: int,
) -> Response:
    """The things of a kind, as they are or as they were on a date."""
    desk = open_desk(request, service, asking, region_id)
    with reading(service.engine) as session:
        found = region_store.list_things(session, region_id, kind.type, on=on)
    chosen = [s for s in found if _matches(kind, s, text, district, show, desk.today)]
    if kind is not STOPS:
        chosen.sort(key=lambda s: str(s.thing.name or s.key).casefold().replace("ё", "е"))
    lister = Lister(region=desk.region, words=desk.words, today=desk.today)
    listed = Listed(
        rows=lister.rows(kind, chosen[start : start + PAGE]),
        total=len(chosen),
        start=start,
        more=len(chosen) > start + PAGE,
    )
    return desk.render(
        "places/list.html",
        area=SETTINGS_AREA,
        kind=kind,
        spec=LISTS[kind.path],
        section=SECTIONS[kind.path],
        kinds=[k for k, of in SECTIONS.items() if of == SECTIONS[kind.path]],
        listed=listed,
        page=PAGE,
        asked={"text": text, "district": district, "show": show, "on": on},
        districts=sorted((m.name, m.municipality_id) for m in desk.region.municipalities),
        num_assumed=sum(lib.standing is Standing.ASSUMED for lib in desk.region.libraries),
        done=done_of(request),
    )


def _matches(
    kind: ThingKind, stored: Stored, text: str, district: str, show: str, today: date
) -> bool:
    thing = stored.thing
    wanted = text.strip().casefold().replace("ё", "е")
    names = f"{thing.name} {getattr(thing, 'community', '')} {getattr(thing, 'name_latin', '')}"
    if wanted not in names.casefold().replace("ё", "е") and wanted != stored.key.casefold():
        return False
    if district and getattr(thing, "municipality_id", district) != district:
        return False
    if kind is not LIBRARIES:
        return True
    is_assumed = thing.standing is Standing.ASSUMED
    is_closed = thing.closed_date is not None and thing.closed_date <= today
    return {
        "": not is_assumed,
        "open": not is_assumed and not is_closed,
        "closed": is_closed,
        "assumed": is_assumed,
        "points": thing.kind is LibraryKind.POINT,
    }.get(show, True)


def add_page(
    request: Request, region_id: str, kind: ThingKind, asking: Dispatcher, service: ServiceDep
) -> Response:
    """The empty form of a new thing."""
    desk = open_desk(request, service, asking, region_id)
    filled = form_of(FORMS[kind.path], None, desk.words)
    if kind is STOPS:
        filled.cells |= _stop_defaults(desk.region)
    for name in ("lon", "lat", "settlement_ids", "settlement_id", "community", "name", "people"):
        given = request.query_params.get(name)
        if given is not None and name in {f.name for f in filled.spec.fields}:
            filled.cells[name] = given[:300]
    return form_page(desk, kind, filled, stored=None)


def own_key(kind: ThingKind, data: FormData) -> str:
    """The key that an empty form was given, so that a form sent twice adds one thing."""
    given = text_of(data, "key")
    return given if kind.is_new_key(given) else kind.new_key()


def _stop_defaults(region: Region) -> dict[str, str]:
    """What a new stop gets by the region's standard."""
    standard = region.standard
    return {
        "service_min": write_minutes(standard.unknown_population_service_s),
        "setup_min": write_minutes(standard.setup_s),
        "teardown_min": write_minutes(standard.teardown_s),
        "max_gap_days": str(standard.max_gap_days),
        "same_weekday": "true" if standard.same_weekday else "false",
    }


def add(
    request: Request,
    region_id: str,
    kind: ThingKind,
    asking: Dispatcher,
    service: ServiceDep,
    data: FormData,
) -> Response:
    """Store a new thing, or show what is wrong with it."""
    desk = open_desk(request, service, asking, region_id)
    key = own_key(kind, data)
    filled = read_form(FORMS[kind.path], data, key, None)
    if not filled.is_wrong:
        try:
            from_date = date_of(data, "from_date") if text_of(data, "since") == "date" else None
            with writing(service.engine) as session:
                edit = _edit(desk, session, from_date)
                things.put(edit, kind, filled.thing, expect_revision=None)
            return see_other(f"{desk.root}/{kind.path}", "added")
        except BookmobileError as wrong:
            if wrong.code == "thing.taken":
                # The button was pressed twice: the form brought its key along.
                return see_other(f"{desk.root}/{kind.path}", "added")
            note_error(filled, wrong)
    return form_page(desk, kind, filled, stored=None, status=422, key=key)


def edit_page(
    request: Request,
    region_id: str,
    kind: ThingKind,
    key: str,
    asking: Staff,
    service: ServiceDep,
) -> Response:
    """The form of a thing with its history."""
    desk = open_desk(request, service, asking, region_id)
    with reading(service.engine) as session:
        stored = things.current(session, region_id, kind, key)
    return form_page(desk, kind, form_of(FORMS[kind.path], stored.thing, desk.words), stored)


def change(
    request: Request,
    region_id: str,
    kind: ThingKind,
    key: str,
    asking: Dispatcher,
    service: ServiceDep,
    data: FormData,
) -> Response:
    """Store a changed thing; a form that is out of date shows what was changed meanwhile."""
    desk = open_desk(request, service, asking, region_id)
    with reading(service.engine) as session:
        stored = things.current(session, region_id, kind, key)
    filled = read_form(FORMS[kind.path], data, key, stored.thing)
    seen = whole_of(data, "revision")
    status = 422
    if seen != stored.revision:
        filled.general.append(Message(code="places.stale", facts={}))
        status = 412
    elif not filled.is_wrong:
        try:
            from_date = date_of(data, "from_date") if text_of(data, "since") == "date" else None
            with writing(service.engine) as session:
                edit = _edit(desk, session, from_date)
                things.put(edit, kind, filled.thing, expect_revision=seen)
            return see_other(f"{desk.root}/{kind.path}", "changed")
        except ConflictError as wrong:
            note_error(filled, wrong)
            status = 412 if wrong.code == "store.stale" else status_of(wrong)
        except BookmobileError as wrong:
            note_error(filled, wrong)
            status = status_of(wrong)
    return form_page(desk, kind, filled, stored, status=status)


def end(
    request: Request,
    region_id: str,
    kind: ThingKind,
    key: str,
    asking: Dispatcher,
    service: ServiceDep,
    data: FormData,
) -> Response:
    """Let a thing end; a branch is closed, a settlement may be merged."""
    desk = open_desk(request, service, asking, region_id)
    try:
        on = date_of(data, "on_date") or desk.today
        seen = whole_of(data, "revision")
        if seen is None:
            raise InputError("request.if_match")
        with writing(service.engine) as session:
            edit = _edit(desk, session, None)
            act = text_of(data, "act")
            if kind is LIBRARIES and act == "close":
                things.close_library(edit, key, on=on, expect_revision=seen)
            elif kind is SETTLEMENTS and act == "merge":
                things.merge_settlements(
                    edit,
                    key,
                    text_of(data, "into"),
                    on=on,
                    adds_people=text_of(data, "adds_people") == "true",
                    expect_revision=seen,
                )
            else:
                things.end(edit, kind, key, to_date=on, expect_revision=seen)
        return see_other(f"{desk.root}/{kind.path}", "ended")
    except BookmobileError as wrong:
        with reading(service.engine) as session:
            stored = things.current(session, region_id, kind, key)
        filled = form_of(FORMS[kind.path], stored.thing, desk.words)
        note_error(filled, wrong)
        status = 412 if wrong.code == "store.stale" else status_of(wrong)
        return form_page(desk, kind, filled, stored, status=status)


def _edit(desk: Desk, session: Session, from_date: date | None) -> things.Edit:
    return things.Edit(
        session=session,
        caller=desk.asking,
        region_id=desk.region.region_id,
        at=desk.service.clock(),
        from_date=from_date,
    )


def _add_routes(path: str) -> None:
    """The pages of one kind of thing, at addresses of its own."""
    kind = kind_named(path)

    @router.get(f"/{path}")
    def list_one(
        request: Request,
        region_id: str,
        asking: Staff,
        service: ServiceDep,
        text: Annotated[str, Query(max_length=120)] = "",
        district: Annotated[str, Query(max_length=120)] = "",
        show: Annotated[str, Query(max_length=20)] = "",
        on: Annotated[str, Query(max_length=10)] = "",
        start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        day = _query_date(on)
        return list_page(
            request, region_id, kind, asking, service, text, district, show, day, start
        )

    @router.get(f"/add/{path}")
    def add_one_page(
        request: Request, region_id: str, asking: Dispatcher, service: ServiceDep
    ) -> Response:
        return add_page(request, region_id, kind, asking, service)

    @router.post(f"/add/{path}")
    def add_one(
        request: Request, region_id: str, asking: Dispatcher, service: ServiceDep, data: Form
    ) -> Response:
        return add(request, region_id, kind, asking, service, data)

    @router.post(f"/end/{path}/{{key:path}}")
    def end_one(
        request: Request,
        region_id: str,
        key: str,
        asking: Dispatcher,
        service: ServiceDep,
        data: Form,
    ) -> Response:
        return end(request, region_id, kind, key, asking, service, data)

    @router.get(f"/{path}/{{key:path}}")
    def edit_one_page(
        request: Request, region_id: str, key: str, asking: Staff, service: ServiceDep
    ) -> Response:
        return edit_page(request, region_id, kind, key, asking, service)

    @router.post(f"/{path}/{{key:path}}")
    def change_one(
        request: Request,
        region_id: str,
        key: str,
        asking: Dispatcher,
        service: ServiceDep,
        data: Form,
    ) -> Response:
        return change(request, region_id, kind, key, asking, service, data)


def _query_date(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError("form.not_a_date", field="on", value=text) from None


for _path in FORMS:
    _add_routes(_path)
