"""The library's own system at the desk: settings, how far it was told, what it refused, files."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from api.pages.circulation_frame import Form, Librarian, back_to, show
from api.pages.desk_region import Desk, Given, open_desk, text_of, whole_of
from api.services import library_delivery, library_files
from api.services.library_files import Bases
from api.services.library_system import (
    CHOICES,
    CLAIMS,
    CODES,
    NUMBERS,
    SECRETS,
    TEXTS,
    USUAL,
    LinkAsked,
    change_link,
    try_link,
)
from api.state import ServiceDep
from data.model.errors import BookmobileError, InputError
from data.model.library_link import FileState, LibraryLink, SystemKind
from fleet.library.outbox import Posting, Ruling, Standing

router = APIRouter(prefix="/desk/{region_id}/circulation/library")
SAID = ("changed", "decided", "told", "nothing_due", "file_made", "file_told", "away")
TRIED = ("takes_offline", "card_found", "item_found")
BASE_BYTES = 64 * 1024 * 1024


async def _with_files(request: Request) -> FormData:
    return await request.form(max_files=2, max_fields=20)


@router.get("")
def library_page(
    request: Request, region_id: str, asking: Librarian, service: ServiceDep
) -> Response:
    """What was sent, what waits, what was refused, and the settings."""
    return _page(open_desk(request, service, asking, region_id))


@router.post("/settings")
def change(
    request: Request, region_id: str, asking: Librarian, service: ServiceDep, form: Form
) -> Response:
    """Change how the system is reached."""
    desk = open_desk(request, service, asking, region_id)
    try:
        change_link(service, region_id, _asked(form), by=asking, at=service.clock())
    except BookmobileError as error:
        return _page(desk, form, _in_words(desk, error))
    return back_to(f"{desk.root}/circulation/library", said="changed")


@router.post("/try")
def try_it(
    request: Request, region_id: str, asking: Librarian, service: ServiceDep, form: Form
) -> Response:
    """Connect and sign in; nothing is changed there."""
    desk = open_desk(request, service, asking, region_id)
    try:
        told = try_link(
            service, region_id, card=text_of(form, "card")[:64], item=text_of(form, "item")[:64]
        )
    except BookmobileError as error:
        return _page(desk, error=error)
    return _page(desk, tried=told)


@router.post("/send")
def send(request: Request, region_id: str, asking: Librarian, service: ServiceDep) -> Response:
    """Tell the system what is due now."""
    desk = open_desk(request, service, asking, region_id)
    done = library_delivery.deliver(service, region_id)
    said = "away" if not done.is_reached else "told" if done.num_settled else "nothing_due"
    return back_to(f"{desk.root}/circulation/library", said=said)


@router.post("/operations/{operation_id}")
def decide(
    request: Request,
    region_id: str,
    operation_id: str,
    asking: Librarian,
    service: ServiceDep,
    form: Form,
) -> Response:
    """Decide of an operation that was refused."""
    desk = open_desk(request, service, asking, region_id)
    try:
        ruling = text_of(form, "ruling")
        if ruling not in set(Ruling):
            raise InputError("library.needs_ruling")
        library_delivery.decide(
            service, region_id, operation_id, Ruling(ruling),
            note=text_of(form, "note"), by=asking, at=service.clock(),
        )  # fmt: skip
    except BookmobileError as error:
        return _page(desk, error=error)
    return back_to(f"{desk.root}/circulation/library", said="decided")


@router.post("/files")
def make_file(
    request: Request,
    region_id: str,
    asking: Librarian,
    service: ServiceDep,
    form: Annotated[FormData, Depends(_with_files)],
) -> Response:
    """Put what waits into a file."""
    desk = open_desk(request, service, asking, region_id)
    try:
        bases = Bases(readers=_raw(form, "readers"), books=_raw(form, "books"))
        library_files.make_file(service, region_id, bases, by=asking, at=service.clock())
    except BookmobileError as error:
        return _page(desk, error=error)
    return back_to(f"{desk.root}/circulation/library", said="file_made")


def _raw(form: FormData, name: str) -> bytes:
    given = form.get(name)
    if not isinstance(given, UploadFile):
        return b""
    raw = given.file.read(BASE_BYTES + 1)
    if len(raw) > BASE_BYTES:
        raise InputError("library.base_too_large", limit_mb=BASE_BYTES // 1024 // 1024)
    return raw


@router.get("/files/{file_no}")
def file(
    request: Request, region_id: str, file_no: int, asking: Librarian, service: ServiceDep
) -> Response:
    """A file as it was made."""
    open_desk(request, service, asking, region_id)
    name, content = library_files.file_of(service, region_id, file_no)
    return Response(
        content,
        media_type="application/octet-stream",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@router.post("/files/{file_no}")
def say_of_file(
    request: Request,
    region_id: str,
    file_no: int,
    asking: Librarian,
    service: ServiceDep,
    form: Form,
) -> Response:
    """Say whether a file was imported."""
    desk = open_desk(request, service, asking, region_id)
    is_in = text_of(form, "state") == FileState.IMPORTED.value
    state = FileState.IMPORTED if is_in else FileState.PUT_BACK
    try:
        library_files.say_of_file(service, region_id, file_no, state, by=asking, at=service.clock())
    except BookmobileError as error:
        return _page(desk, error=error)
    return back_to(f"{desk.root}/circulation/library", said="file_told")


def _asked(form: FormData) -> LinkAsked:
    told = text_of(form, "kind")
    kind = SystemKind(told) if told in set(SystemKind) else SystemKind.NONE
    settings: dict[str, Any] = {}
    for name in (*TEXTS.get(kind, ()), *(CODES if kind is not SystemKind.NONE else ())):
        if value := text_of(form, name):
            settings[name] = value
    for name in NUMBERS.get(kind, ()):
        number = whole_of(form, name)
        if number is None:
            raise InputError(
                "library.bad_setting", name=name, value=text_of(form, name)[:40], expected="1, 2 …"
            )
        settings[name] = number
    for name in CLAIMS.get(kind, ()):
        settings[name] = bool(text_of(form, name))
    return LinkAsked(
        kind=kind,
        is_on=bool(text_of(form, "is_on")),
        settings=settings,
        secrets={name: _secret(form, name) for name in SECRETS.get(kind, ())},
        seen=whole_of(form, "seen") or 0,
    )


def _secret(form: FormData, name: str) -> str:
    """A password as it was typed: blanks at its ends are its own."""
    value = form.get(name, "")
    return value.replace("\0", "")[:200] if isinstance(value, str) else ""


def _in_words(desk: Desk, error: BookmobileError) -> BookmobileError:
    """The refusal with the setting as the form calls it."""
    name = str(error.facts.get("name", ""))
    if error.code != "library.bad_setting" or not name:
        return error
    facts = {**error.facts, "name": desk.words(f"link.{name}")}
    return InputError(error.code, **facts)


def _page(
    desk: Desk,
    form: FormData | None = None,
    error: BookmobileError | None = None,
    tried: Mapping[str, object] | None = None,
) -> Response:
    found = library_delivery.library_state(desk.service, desk.region.region_id)
    told: Given = form if form is not None else desk.request.query_params
    chosen = text_of(told, "kind", found.link.kind.value)
    kind = SystemKind(chosen) if chosen in set(SystemKind) else found.link.kind
    said = text_of(desk.request.query_params, "said")
    trouble = found.link.trouble
    return show(
        desk,
        "library",
        tab="library",
        error=error,
        found=found,
        link=found.link,
        kind=kind,
        kinds=[one.value for one in SystemKind],
        cells=_cells(found.link, kind, form),
        texts=[name for name in TEXTS.get(kind, ()) if name not in CHOICES],
        picks={name: CHOICES[name] for name in TEXTS.get(kind, ()) if name in CHOICES},
        numbers=NUMBERS.get(kind, ()),
        claims=CLAIMS.get(kind, ()),
        secrets=SECRETS.get(kind, ()),
        secrets_known=found.link.secrets.keys() if kind is found.link.kind else (),
        codes=CODES if kind is not SystemKind.NONE else (),
        counts={s.value: found.counts[s] for s in Standing},
        asking=[(p, _why(desk, p)) for p in found.asking],
        trouble=desk.words(trouble["code"], **trouble.get("facts", {})) if trouble else "",
        trouble_since=trouble.get("since", ""),
        tried=tried,
        tried_names=TRIED,
        said=said if said in SAID else "",
    )


def _why(desk: Desk, posting: Posting) -> str:
    """Why the system refused, in its own words or ours."""
    answer = posting.answer
    if answer is None:
        return ""
    ours = desk.words(answer.code, **answer.facts) if answer.code else ""
    return answer.told or ours


def _cells(link: LibraryLink, kind: SystemKind, form: FormData | None) -> dict[str, Any]:
    names = (*TEXTS.get(kind, ()), *NUMBERS.get(kind, ()), *CLAIMS.get(kind, ()), *CODES)
    if form is not None:
        return {name: text_of(form, name) for name in names}
    usual = USUAL.get(kind, {})
    own = link.settings if link.kind is kind else {}
    return {name: own.get(name, usual.get(name, "")) for name in names}
