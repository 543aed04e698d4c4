"""Registers in a browser: norms of access and working-time rules, each with its history."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api.auth import Dispatcher, Staff
from api.errors import status_of
from api.pages.desk_region import Desk, date_of, form_data, open_desk, text_of, whole_of
from api.pages.forms import done_of, see_other
from api.pages.places import own_key
from api.pages.register_forms import (
    MARKS,
    NUM_BANDS,
    RULE_FIELDS,
    RegisterForm,
    norm_form,
    read_norm,
    read_rule,
    rule_form,
)
from api.pages.thing_forms import Message
from api.services import things
from api.services.thing_kinds import NORMS, RULES, ThingKind
from api.state import ServiceDep
from data.db import region_store
from data.db.engine import reading, writing
from data.db.region_store import Stored
from data.feeds.profiles import load_norm_sets, load_rule_sets
from data.model.errors import BookmobileError, NotFoundError

router = APIRouter(prefix="/desk/{region_id}")
Form = Annotated[FormData, Depends(form_data)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A kind of register and its forms."""

    kind: ThingKind
    form: Callable[[Any], RegisterForm]
    read: Callable[[FormData, str, Any], RegisterForm]
    shipped: Callable[[], Any]


NORM_REGISTER = Register(kind=NORMS, form=norm_form, read=read_norm, shipped=load_norm_sets)
RULE_REGISTER = Register(kind=RULES, form=rule_form, read=read_rule, shipped=load_rule_sets)


def _list(desk: Desk, register: Register) -> Response:
    region = desk.region
    with reading(desk.service.engine) as session:
        stored = region_store.list_things(session, region.region_id, register.kind.type)
    own = {s.key for s in stored}
    shipped = [
        (str(key), thing) for key, thing in register.shipped().items() if str(key) not in own
    ]
    in_use = {region.norm_set_id} | {str(key) for key in region.default_rule_set_ids}
    return desk.render(
        "norms/list.html",
        area="settings",
        kind=register.kind,
        stored=stored,
        shipped=shipped,
        in_use=in_use,
        done=done_of(desk.request),
    )


def _form_page(
    desk: Desk,
    register: Register,
    form: RegisterForm,
    stored: Stored | None,
    *,
    status: int = 200,
) -> Response:
    versions: tuple[Stored, ...] = ()
    if stored is not None:
        with reading(desk.service.engine) as session:
            versions = region_store.history(
                session, desk.region.region_id, register.kind.type, stored.key
            )
    return desk.render(
        "norms/edit.html",
        area="settings",
        status=status,
        kind=register.kind,
        form=form,
        stored=stored,
        new_key=form.thing_key or register.kind.new_key(),
        versions=tuple(reversed(versions)),
        forms_of=register.form,
        earliest=date.min,
        address=quote(stored.key) if stored else "",
        marks=MARKS,
        num_bands=NUM_BANDS,
        rule_fields=RULE_FIELDS,
    )


def _stored(desk: Desk, register: Register, key: str) -> Stored:
    """A set as it is stored, or a shipped one that the region does not hold yet."""
    with reading(desk.service.engine) as session:
        try:
            return things.current(session, desk.region.region_id, register.kind, key)
        except NotFoundError:
            shipped = {str(k): thing for k, thing in register.shipped().items()}
            if key not in shipped:
                raise
            return Stored(key=key, revision=0, thing=shipped[key], valid_from_date=date.min)


def _save(
    desk: Desk, register: Register, form: RegisterForm, stored: Stored | None, data: FormData
) -> Response:
    seen = None if stored is None else whole_of(data, "revision")
    status = 422
    if stored is not None and seen != stored.revision:
        form.general.append(Message(code="places.stale", facts={}))
        status = 412
    elif not form.is_wrong:
        try:
            from_date = date_of(data, "from_date") if text_of(data, "since") == "date" else None
            with writing(desk.service.engine) as session:
                edit = things.Edit(
                    session=session,
                    caller=desk.asking,
                    region_id=desk.region.region_id,
                    at=desk.service.clock(),
                    from_date=from_date,
                )
                # A shipped set that is changed becomes the region's own.
                things.put(edit, register.kind, form.thing, expect_revision=seen or None)
            done = "added" if stored is None else "changed"
            return see_other(f"{desk.root}/{register.kind.path}", done)
        except BookmobileError as wrong:
            if wrong.code == "thing.taken":
                # The button was pressed twice: the form brought its key along.
                return see_other(f"{desk.root}/{register.kind.path}", "added")
            form.note_error(wrong)
            status = 412 if wrong.code == "store.stale" else status_of(wrong)
    return _form_page(desk, register, form, stored, status=status)


def _end(desk: Desk, register: Register, stored: Stored, data: FormData) -> Response:
    try:
        with writing(desk.service.engine) as session:
            edit = things.Edit(
                session=session,
                caller=desk.asking,
                region_id=desk.region.region_id,
                at=desk.service.clock(),
            )
            things.end(
                edit,
                register.kind,
                stored.key,
                to_date=date_of(data, "on_date") or desk.today,
                expect_revision=whole_of(data, "revision") or 0,
            )
        return see_other(f"{desk.root}/{register.kind.path}", "ended")
    except BookmobileError as wrong:
        form = register.form(stored.thing)
        form.note_error(wrong)
        return _form_page(desk, register, form, stored, status=status_of(wrong))


def _add_routes(register: Register) -> None:
    path = register.kind.path

    @router.get(f"/{path}")
    def list_page(request: Request, region_id: str, asking: Staff, service: ServiceDep) -> Response:
        return _list(open_desk(request, service, asking, region_id), register)

    @router.get(f"/add/{path}")
    def add_page(
        request: Request, region_id: str, asking: Dispatcher, service: ServiceDep
    ) -> Response:
        desk = open_desk(request, service, asking, region_id)
        return _form_page(desk, register, register.form(None), None)

    @router.post(f"/add/{path}")
    def add(
        request: Request, region_id: str, asking: Dispatcher, service: ServiceDep, data: Form
    ) -> Response:
        desk = open_desk(request, service, asking, region_id)
        form = register.read(data, own_key(register.kind, data), None)
        return _save(desk, register, form, None, data)

    @router.post(f"/end/{path}/{{key:path}}")
    def end(
        request: Request,
        region_id: str,
        key: str,
        asking: Dispatcher,
        service: ServiceDep,
        data: Form,
    ) -> Response:
        desk = open_desk(request, service, asking, region_id)
        return _end(desk, register, _stored(desk, register, key), data)

    @router.get(f"/{path}/{{key:path}}")
    def edit_page(
        request: Request, region_id: str, key: str, asking: Staff, service: ServiceDep
    ) -> Response:
        desk = open_desk(request, service, asking, region_id)
        stored = _stored(desk, register, key)
        return _form_page(desk, register, register.form(stored.thing), stored)

    @router.post(f"/{path}/{{key:path}}")
    def change(
        request: Request,
        region_id: str,
        key: str,
        asking: Dispatcher,
        service: ServiceDep,
        data: Form,
    ) -> Response:
        desk = open_desk(request, service, asking, region_id)
        stored = _stored(desk, register, key)
        form = register.read(data, key, stored.thing)
        return _save(desk, register, form, stored, data)


for _register in (NORM_REGISTER, RULE_REGISTER):
    _add_routes(_register)
