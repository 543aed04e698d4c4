"""Letters about a stop: asked for, confirmed, changed and ended by residents; the desk's box."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.datastructures import FormData
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from api.auth import Dispatcher, Staff
from api.errors import status_of
from api.pages.desk_region import form_data, open_desk, text_of
from api.pages.public_private import PRIVATE, TRAP, show_private
from api.pages.public_region import pages_for, stop_id_of
from api.services import letters
from api.services.cancelling import names_of
from api.services.letters import CONFIRM, MANAGE, Wish, sends_letters
from api.services.public_pages import PublicPages
from api.state import ServiceDep
from api.web.public_links import PREFIX
from data.db import letter_store
from data.db.engine import reading, writing
from data.model.errors import BookmobileError, NotFoundError
from data.model.letters import ADDRESS_MAX, CONFIRM_DAYS, masked
from data.model.place import StopId

public = APIRouter(prefix=PREFIX + "/{region}")
desk = APIRouter(prefix="/desk/{region_id}/letters")
AREA = "timetable"
ONE_CLICK = ("List-Unsubscribe", "One-Click")
_MOST_TOKEN = 120
_GONE = 410
Form = Annotated[FormData, Depends(form_data)]
Told = Annotated[str, Query(max_length=12)]


def _show(
    request: Request, pages: PublicPages, template: str, *, status: int = 200, **context: Any
) -> Response:
    return show_private(
        request,
        pages,
        template,
        here="letters",
        status=status,
        confirm_days=CONFIRM_DAYS,
        most_address=ADDRESS_MAX,
        **context,
    )


@public.get("/stops/{stop}/letters")
def wish_page(
    region: str, stop: str, request: Request, service: ServiceDep, told: Told = ""
) -> Response:
    """The form by which a resident asks to be told about a stop."""
    pages = pages_for(request, service, region)
    place = pages.place(stop_id_of(stop))
    return _show(
        request,
        pages,
        "letters",
        place=place,
        given={"address": "", "reminder": False},
        error=None,
        is_asked=told == "asked",
        can_send=sends_letters(service.settings),
    )


@public.post("/stops/{stop}/letters")
def ask(region: str, stop: str, request: Request, service: ServiceDep, form: Form) -> Response:
    """Take the wish; the answer tells nothing of the address."""
    pages = pages_for(request, service, region)
    place = pages.place(stop_id_of(stop))
    given = {"address": text_of(form, "address"), "reminder": bool(text_of(form, "reminder"))}
    there = f"{pages.links.stop(place.stop_id)}/letters?told=asked"
    try:
        if text_of(form, TRAP):
            return RedirectResponse(there, status_code=303)
        wish = Wish(
            region_id=pages.timetable.region_id,
            stop_id=place.stop_id,
            address=str(given["address"]),
            language=pages.words.language,
            wants_reminder=bool(given["reminder"]),
        )
        letters.take_wish(service, wish, caller=request.client.host if request.client else "")
    except BookmobileError as error:
        return _show(
            request,
            pages,
            "letters",
            status=status_of(error),
            place=place,
            given=given,
            error=error,
            is_asked=False,
            can_send=sends_letters(service.settings),
        )
    return RedirectResponse(there, status_code=303)


@public.get("/letters/confirm/{token}")
def confirm_page(region: str, token: str, request: Request, service: ServiceDep) -> Response:
    """Asks once more: programs that look into letters follow their links, and agree to nothing."""
    pages = pages_for(request, service, region)
    try:
        with reading(service.engine) as session:
            one = letters.subscription_of(
                session, pages.timetable.region_id, token[:_MOST_TOKEN], CONFIRM, at=service.clock()
            )
    except NotFoundError as error:
        return _show(request, pages, "letters_gone", status=_GONE, error=error)
    return _show(request, pages, "letters_confirm", stop_name=_name(pages, one.stop_id), one=one)


@public.post("/letters/confirm/{token}")
def confirm(region: str, token: str, request: Request, service: ServiceDep) -> Response:
    """The owner of the address says yes."""
    pages = pages_for(request, service, region)
    try:
        with writing(service.engine) as session:
            one = letters.confirm(
                session, pages.timetable.region_id, token[:_MOST_TOKEN], at=service.clock()
            )
    except NotFoundError as error:
        return _show(request, pages, "letters_gone", status=_GONE, error=error)
    there = pages.links.page(f"letters/{letters.token_of(one, MANAGE)}")
    return RedirectResponse(f"{there}?told=confirmed", status_code=303)


@public.get("/letters/{token}")
def own_page(
    region: str, token: str, request: Request, service: ServiceDep, told: Told = ""
) -> Response:
    """What one is told about, to be changed or ended."""
    pages = pages_for(request, service, region)
    region_id = pages.timetable.region_id
    try:
        with reading(service.engine) as session:
            one = letters.subscription_of(
                session, region_id, token[:_MOST_TOKEN], MANAGE, at=service.clock()
            )
            every = letter_store.of_address(session, region_id, one.address)
    except NotFoundError as error:
        return _show(request, pages, "letters_gone", status=_GONE, error=error)
    return _show(
        request,
        pages,
        "letters_own",
        one=one,
        address=masked(one.address),
        stop_name=_name(pages, one.stop_id),
        num_stops=len(every),
        told=told if told in ("confirmed", "kept") else "",
    )


@public.post("/letters/{token}")
def change(region: str, token: str, request: Request, service: ServiceDep, form: Form) -> Response:
    """Change or end it; a mail program ends it at one click, without a page (RFC 8058)."""
    pages = pages_for(request, service, region)
    region_id, at = pages.timetable.region_id, service.clock()
    token, wanted = token[:_MOST_TOKEN], text_of(form, "do")
    is_one_click = form.get(ONE_CLICK[0]) == ONE_CLICK[1]
    try:
        with writing(service.engine) as session:
            if not is_one_click and wanted == "keep":
                reminded = bool(text_of(form, "reminder"))
                letters.remind(session, region_id, token, wants_reminder=reminded, at=at)
                there = pages.links.page(f"letters/{token}")
                return RedirectResponse(f"{there}?told=kept", status_code=303)
            letters.end(session, region_id, token, everywhere=wanted == "end_all", at=at)
    except NotFoundError as error:
        if not is_one_click:
            return _show(request, pages, "letters_gone", status=_GONE, error=error)
    if is_one_click:
        # Said twice it is the same, and nobody learns whether it was known.
        return PlainTextResponse(pages.words("letters.ended"), headers=PRIVATE)
    return _show(request, pages, "letters_gone", error=None)


def _name(pages: PublicPages, stop_id: str) -> str:
    stop = pages.timetable.stop_of.get(StopId(stop_id))
    return stop_id if stop is None else stop.name


@desk.get("")
def box_page(
    request: Request, region_id: str, asking: Staff, service: ServiceDep, told: Told = ""
) -> Response:
    """How many read about which stop, and what became of their letters."""
    opened = open_desk(request, service, asking, region_id)
    with reading(service.engine) as session:
        since = service.clock() - letters.LATELY
        figures = letter_store.letter_figures(session, region_id, since=since)
        stops, _ = names_of(session, region_id)
    rows = sorted(
        ((stops[StopId(i)].name if StopId(i) in stops else i, n)
         for i, n in figures.num_by_stop.items()),
        key=lambda row: (-row[1], row[0]),
    )  # fmt: skip
    return opened.render(
        "timetable/letters.html",
        area=AREA,
        figures=figures,
        rows=rows,
        num_readers=sum(figures.num_by_stop.values()),
        zone=opened.region.time_zone,
        has_mail=service.settings.smtp_url is not None,
        can_send=sends_letters(service.settings),
        told=told if told == "again" else "",
    )


@desk.post("/again")
def try_again(
    request: Request, region_id: str, asking: Dispatcher, service: ServiceDep
) -> Response:
    """Have what waits, or failed and is still of use, tried at once."""
    opened = open_desk(request, service, asking, region_id)
    with writing(service.engine) as session:
        letters.send_at_once(session, region_id, by=asking, at=service.clock())
    return RedirectResponse(f"{opened.root}/letters?told=again", status_code=303)
