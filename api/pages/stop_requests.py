"""Requests for a stop: the public form, the private page of the answer, the desk's list."""

from dataclasses import replace
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.auth import Dispatcher, Staff
from api.errors import status_of
from api.pages.desk_region import Desk, form_data, open_desk, text_of, whole_of
from api.pages.public_private import TRAP, show_private
from api.pages.public_region import pages_for
from api.services import stop_requests
from api.services.letters import answer_address, sends_letters
from api.services.plan_access import account_names
from api.services.public_pages import PublicPages
from api.state import Service, ServiceDep, service_of
from api.web.public_links import PREFIX
from data.db import stop_request_store
from data.db.engine import reading, writing
from data.model.demand import PrizeBy
from data.model.errors import BookmobileError, InputError
from data.model.place import Stop
from data.model.region import Region
from data.model.stop_request import (
    ANSWER_MAX,
    CONTACT_DAYS,
    CONTACT_MAX,
    MOST_OPEN,
    MOST_PEOPLE,
    PLACE_MAX,
    REASON_MAX,
    RequestAsked,
    RequestState,
    StopRequest,
    asked_by_stop,
    asked_people,
)

public = APIRouter(prefix=PREFIX + "/{region}")
desk = APIRouter(prefix="/desk/{region_id}/stop-requests")
AREA = "needs"
ANSWERED = (RequestState.ACCEPTED, RequestState.DECLINED)
FIELDS = ("place", "reason", "contact", "people")
MOST_TOKEN = 64
Form = Annotated[FormData, Depends(form_data)]


def _show(
    request: Request, pages: PublicPages, template: str, *, status: int = 200, **context: Any
) -> Response:
    return show_private(request, pages, template, here="request", status=status, **context)


def _form(
    request: Request,
    pages: PublicPages,
    given: dict[str, str],
    error: BookmobileError | None = None,
) -> Response:
    return _show(
        request,
        pages,
        "request",
        status=200 if error is None else status_of(error),
        given=given,
        error=error,
        most={"place": PLACE_MAX, "reason": REASON_MAX, "contact": CONTACT_MAX},
        contact_days=CONTACT_DAYS,
        can_send=sends_letters(service_of(request).settings),
    )


@public.get("/request")
def request_form(region: str, request: Request, service: ServiceDep, place: str = "") -> Response:
    """The form by which a resident asks for a stop."""
    pages = pages_for(request, service, region)
    return _form(request, pages, dict.fromkeys(FIELDS, "") | {"place": place[:PLACE_MAX]})


@public.post("/request")
def ask(region: str, request: Request, service: ServiceDep, form: Form) -> Response:
    """Take a request; the answer will stand at an address that is told once."""
    pages = pages_for(request, service, region)
    given = {name: text_of(form, name) for name in FIELDS}
    try:
        asked = _asked(form, given)
        if text_of(form, TRAP):
            return RedirectResponse(pages.links.page("home"), status_code=303)
        _, token = stop_requests.ask_for_stop(
            service,
            pages.published,
            asked,
            language=pages.words.language,
            caller=request.client.host if request.client else "",
        )
    except BookmobileError as error:
        return _form(request, pages, given, error)
    return RedirectResponse(f"{pages.links.page('request')}/{token}?told=sent", status_code=303)


def _asked(form: FormData, given: dict[str, str]) -> RequestAsked:
    people = whole_of(form, "people")
    if given["people"] and people is None:
        value = given["people"][:20]
        raise InputError("stop_request.bad_people", field="people", value=value, limit=MOST_PEOPLE)
    return RequestAsked(
        place=given["place"], reason=given["reason"], contact=given["contact"], people=people
    )


@public.get("/request/{token}")
def answer_page(
    region: str, token: str, request: Request, service: ServiceDep, told: str = ""
) -> Response:
    """A request and its answer, for whoever has its address."""
    pages = pages_for(request, service, region)
    with reading(service.engine) as session:
        found = stop_requests.asked_with(session, pages.timetable.region_id, token[:MOST_TOKEN])
    address = pages.links.absolute(f"{pages.links.page('request')}/{token}")
    return _show(
        request, pages, "request_told", found=found, is_new=told == "sent", address=address
    )


@desk.get("")
def requests_page(
    request: Request, region_id: str, asking: Staff, service: ServiceDep, told: str = ""
) -> Response:
    """Requests that wait, the most worth first, and those that were answered."""
    opened = open_desk(request, service, asking, region_id)
    with reading(service.engine) as session:
        waiting = stop_request_store.list_requests(
            session, region_id, states=[RequestState.OPEN], limit=MOST_OPEN
        )
        answered = stop_request_store.list_requests(session, region_id, states=ANSWERED)
    return opened.render(
        "requests/list.html",
        area=AREA,
        waiting=sorted(waiting, key=lambda r: (-r.points, r.created_at)),
        answered=answered,
        zone=opened.region.time_zone,
        told=told if told == "answered" else "",
    )


@desk.get("/{request_id}")
def request_page(
    request: Request, region_id: str, request_id: str, asking: Staff, service: ServiceDep
) -> Response:
    """One request with its score."""
    return _one(open_desk(request, service, asking, region_id), request_id)


@desk.post("/{request_id}/score")
def score(
    request: Request, region_id: str, request_id: str, asking: Dispatcher, service: ServiceDep
) -> Response:
    """Work its score out anew."""
    opened = open_desk(request, service, asking, region_id)
    try:
        stop_requests.score_request(service.engine, region_id, request_id, at=service.clock())
    except BookmobileError as error:
        return _one(opened, request_id, error)
    return RedirectResponse(_address(opened, request_id), status_code=303)


@desk.post("/{request_id}")
def answer(
    request: Request,
    region_id: str,
    request_id: str,
    asking: Dispatcher,
    service: ServiceDep,
    form: Form,
) -> Response:
    """Answer it."""
    opened = open_desk(request, service, asking, region_id)
    wanted = text_of(form, "state")
    state = RequestState(wanted) if wanted in list(RequestState) else RequestState.OPEN
    text = text_of(form, "answer")
    try:
        with writing(service.engine) as session:
            stop_requests.answer_request(
                session, region_id, request_id, state, text, by=asking, at=service.clock()
            )
    except BookmobileError as error:
        return _one(opened, request_id, error, text=text)
    return RedirectResponse(f"{opened.root}/stop-requests?told=answered", status_code=303)


@desk.post("/{request_id}/count")
def count(
    request: Request,
    region_id: str,
    request_id: str,
    asking: Dispatcher,
    service: ServiceDep,
    form: Form,
) -> Response:
    """Let the planner expect those who asked, or no longer."""
    opened = open_desk(request, service, asking, region_id)
    given = text_of(form, "people")
    people = whole_of(form, "people")
    try:
        if text_of(form, "do") == "count" and people is None:
            raise InputError(
                "stop_request.bad_people", field="people", value=given[:20], limit=MOST_PEOPLE
            )
        with writing(service.engine) as session:
            stop_requests.count_request(
                session,
                region_id,
                request_id,
                people if text_of(form, "do") == "count" else None,
                by=asking,
                at=service.clock(),
            )
    except BookmobileError as error:
        return _one(opened, request_id, error)
    return RedirectResponse(f"{_address(opened, request_id)}#count", status_code=303)


def _address(opened: Desk, request_id: str) -> str:
    return f"{opened.root}/stop-requests/{request_id}"


def _one(
    opened: Desk, request_id: str, error: BookmobileError | None = None, *, text: str = ""
) -> Response:
    service: Service = opened.service
    with reading(service.engine) as session:
        found = stop_request_store.get_request(session, opened.region.region_id, request_id)
        people = account_names(session, [found.counted_by])
    return opened.render(
        "requests/one.html",
        area=AREA,
        status=200 if error is None else status_of(error),
        error=error,
        found=found,
        text=text,
        place_date=date.fromisoformat(found.score["date"]) if "date" in found.score else None,
        most_answer=ANSWER_MAX,
        most_people=MOST_PEOPLE,
        by_mail=answer_address(found.contact) is not None,
        can_send=sends_letters(service.settings),
        counted_by=people.get(found.counted_by or "", ""),
        by_people=opened.region.standard.prize_by is PrizeBy.PEOPLE,
        own_stop=_own_stop(opened.region, found),
        address=_address(opened, request_id),
        zone=opened.region.time_zone,
    )


def _own_stop(region: Region, found: StopRequest) -> Stop | None:
    """The stop on the region's own list that would serve whoever asked."""
    asked = asked_people([replace(found, counted_people=1)], region.settlements)
    served = asked_by_stop(region.stops, asked)
    return next((s for s in region.stops if s.stop_id in served), None)
