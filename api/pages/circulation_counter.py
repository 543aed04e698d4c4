"""The counter: scan a reader, scan items, lend, take back, renew, hand over, register."""

from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api.pages.circulation_frame import (
    Form,
    Librarian,
    back_to,
    chosen_place,
    points_of,
    show,
)
from api.pages.desk_region import Desk, Given, date_of, open_desk, text_of
from api.services import circulation_counter, circulation_day, circulation_find, circulation_persons
from api.services.circulation_counter import Counter, Done, NewReader
from api.services.circulation_find import Found
from api.state import ServiceDep
from data.model.errors import BookmobileError, InputError, NotFoundError
from data.model.patrons import PatronKind
from data.model.place import StopId
from data.model.stock import Title

router = APIRouter(prefix="/desk/{region_id}/circulation")
SAID = ("lent", "returned", "returned_free", "renewed", "reregistered", "registered", "held",
        "unheld", "forgotten")  # fmt: skip
NEW_FIELDS = ("name", "card", "kind", "birth_date", "phone", "stop_id", "is_disabled",
              "has_agreed")  # fmt: skip
TOLD_CHARS = 200


@router.get("/counter")
def counter_page(
    request: Request, region_id: str, asking: Librarian, service: ServiceDep
) -> Response:
    """Where a librarian scans; a reader's card opens the reader, whose items follow."""
    desk = open_desk(request, service, asking, region_id)
    told = text_of(request.query_params, "reader")
    if not told:
        return _counter(desk)
    found = circulation_find.find_readers(service, region_id, told)
    exact = [p for p in found.things if told in (p.card, p.patron_id)]
    if len(exact) == 1 or len(found.things) == 1:
        (reader, *_) = exact or found.things
        path = f"{desk.root}/circulation/readers/{quote(reader.patron_id, safe='')}"
        return back_to(path, place=text_of(request.query_params, "place"))
    if not found.num:
        return _counter(desk, NotFoundError("counter.unknown_reader", reader=told[:80]))
    return _readers(desk, told)


@router.post("/counter/return")
def take_back(
    request: Request, region_id: str, asking: Librarian, service: ServiceDep, form: Form
) -> Response:
    """Take an item back."""
    desk = open_desk(request, service, asking, region_id)
    try:
        item = _needed(form, "item")
        done = circulation_counter.take_back(
            _at(desk, form), item=item, note=text_of(form, "note")[:1000]
        )
    except BookmobileError as error:
        return _counter(desk, error, form)
    said = "returned" if done.patron_id else "returned_free"
    path = f"{desk.root}/circulation/counter"
    return back_to(path, **_said(said, done), back=done.patron_id, place=text_of(form, "place"))


@router.get("/readers")
def readers_page(
    request: Request, region_id: str, asking: Librarian, service: ServiceDep
) -> Response:
    """Readers by name, card or telephone."""
    desk = open_desk(request, service, asking, region_id)
    return _readers(desk, text_of(request.query_params, "q"))


@router.get("/readers/new")
def new_page(request: Request, region_id: str, asking: Librarian, service: ServiceDep) -> Response:
    """The form of a new reader."""
    return _new(open_desk(request, service, asking, region_id), request.query_params)


@router.post("/readers")
def register(
    request: Request, region_id: str, asking: Librarian, service: ServiceDep, form: Form
) -> Response:
    """Register a reader."""
    desk = open_desk(request, service, asking, region_id)
    kind = text_of(form, "kind")
    try:
        new = NewReader(
            card=text_of(form, "card"),
            name=text_of(form, "name"),
            kind=PatronKind(kind) if kind in set(PatronKind) else PatronKind.PERSON,
            birth_date=date_of(form, "birth_date"),
            phone=text_of(form, "phone"),
            stop_id=text_of(form, "stop_id"),
            is_disabled=bool(text_of(form, "is_disabled")),
            has_agreed=bool(text_of(form, "has_agreed")),
        )
        patron_id = circulation_counter.register(_at(desk, form), new)
    except BookmobileError as error:
        return _new(desk, form, error)
    return _to_reader(desk, form, patron_id, "registered")


@router.get("/readers/{patron_id}")
def reader_page(
    request: Request, region_id: str, patron_id: str, asking: Librarian, service: ServiceDep
) -> Response:
    """A reader with loans, holds, what forbids lending, and what was before."""
    return _reader(open_desk(request, service, asking, region_id), patron_id)


@router.post("/readers/{patron_id}/{what}")
def act(
    request: Request,
    region_id: str,
    patron_id: str,
    what: str,
    asking: Librarian,
    service: ServiceDep,
    form: Form,
) -> Response:
    """Lend to a reader, renew, hand a hold over, place or cancel one, register anew, forget."""
    desk = open_desk(request, service, asking, region_id)
    try:
        if what == "hold":
            titles = _place_hold(desk, patron_id, form)
            if titles is not None:
                return _reader(desk, patron_id, form=form, titles=titles)
            return _to_reader(desk, form, patron_id, "held")
        said, done = _acted(desk, patron_id, what, form)
    except BookmobileError as error:
        return _reader(desk, patron_id, error, form, what)
    return _to_reader(desk, form, patron_id, said, done)


def _acted(desk: Desk, patron_id: str, what: str, form: FormData) -> tuple[str, Done]:
    counter = _at(desk, form)
    overrides = [str(rule) for rule in form.getlist("override")]
    match what:
        case "loan":
            return "lent", circulation_counter.lend(
                counter,
                reader=patron_id,
                item=_needed(form, "item"),
                stop_id=text_of(form, "stop_id"),
                overrides=overrides,
            )
        case "return":
            return "returned", circulation_counter.take_back(counter, item=_needed(form, "item"))
        case "renew":
            return "renewed", circulation_counter.renew(
                counter, loan_id=text_of(form, "loan_id"), overrides=overrides
            )
        case "hand-over":
            return "lent", circulation_counter.hand_over(
                counter, hold_id=text_of(form, "hold_id"), overrides=overrides
            )
        case "unhold":
            circulation_day.cancel_hold(
                desk.service, desk.region.region_id, text_of(form, "hold_id"),
                by=desk.asking, at=counter.at,
            )  # fmt: skip
            return "unheld", Done()
        case "reregister":
            until = circulation_counter.reregister(
                counter, patron_id=patron_id, card=text_of(form, "card")
            )
            return "reregistered", Done(due_date=until)
        case "forget":
            if not text_of(form, "sure"):
                raise InputError("counter.not_sure")
            circulation_persons.forget_patron(
                desk.service, desk.region.region_id, patron_id, by=desk.asking
            )
            return "forgotten", Done()
    raise NotFoundError("counter.unknown_act", what=what[:40])


def _place_hold(desk: Desk, patron_id: str, form: FormData) -> Found[Title] | None:
    """Place a hold, or give the titles among which one is to be chosen."""
    service, region_id = desk.service, desk.region.region_id
    title_id = text_of(form, "title_id")
    if not title_id:
        told = _needed(form, "title")
        found = circulation_find.find_titles(service, region_id, told)
        if not found.num:
            raise NotFoundError("counter.unknown_title", title=told[:80])
        if found.num > 1:
            return found
        title_id = found.things[0].title_id
    circulation_day.place_hold(
        service, region_id, title_id=title_id, patron_id=patron_id,
        stop_id=StopId(_needed(form, "stop_id")), by=desk.asking, at=service.clock(),
    )  # fmt: skip
    return None


def _needed(form: FormData, name: str) -> str:
    value = text_of(form, name)
    if not value:
        raise InputError(f"counter.needs_{name}")
    return value


def _at(desk: Desk, form: FormData) -> Counter:
    return Counter(
        service=desk.service,
        region_id=desk.region.region_id,
        place=chosen_place(desk, form),
        by=desk.asking,
        at=desk.service.clock(),
    )


def _said(said: str, done: Done) -> dict[str, str]:
    due = "" if done.due_date is None else done.due_date.isoformat()
    return {"said": said, "what": done.item_name[:TOLD_CHARS], "until": due}


def _to_reader(
    desk: Desk, form: FormData, patron_id: str, said: str, done: Done | None = None
) -> Response:
    path = f"{desk.root}/circulation/readers/{quote(patron_id, safe='')}"
    return back_to(path, **_said(said, done or Done()), place=text_of(form, "place"))


def _message(desk: Desk) -> str:
    """What was just done, in words."""
    told = desk.request.query_params
    said = text_of(told, "said")
    if said not in SAID:
        return ""
    until = ""
    try:
        if (on := date_of(told, "until")) is not None:
            until = desk.words.day(on)
    except InputError:
        until = ""
    return desk.words(f"counter.said.{said}", what=text_of(told, "what")[:TOLD_CHARS], until=until)


def _counter(
    desk: Desk, error: BookmobileError | None = None, form: Given | None = None
) -> Response:
    told = form if form is not None else desk.request.query_params
    back = text_of(desk.request.query_params, "back")
    return show(
        desk,
        "counter",
        tab="counter",
        error=error,
        points=points_of(desk),
        place=str(chosen_place(desk, told)),
        message="" if error else _message(desk),
        back=back[:64],
        item=text_of(told, "item") if error else "",
    )


def _readers(desk: Desk, told: str) -> Response:
    found = circulation_find.find_readers(desk.service, desk.region.region_id, told)
    return show(desk, "readers", tab="readers", found=found, q=told)


def _new(desk: Desk, told: Given, error: BookmobileError | None = None) -> Response:
    stops = circulation_find.stops_served(desk.service, desk.region.region_id, desk.today)
    return show(
        desk,
        "reader_new",
        tab="readers",
        error=error,
        told={name: text_of(told, name) for name in NEW_FIELDS},
        kinds=[kind.value for kind in PatronKind],
        points=points_of(desk),
        place=str(chosen_place(desk, told)),
        stops=stops,
    )


def _reader(
    desk: Desk,
    patron_id: str,
    error: BookmobileError | None = None,
    form: FormData | None = None,
    what: str = "",
    titles: Found[Title] | None = None,
) -> Response:
    service, region_id = desk.service, desk.region.region_id
    found = circulation_find.reader_page(service, region_id, patron_id, service.clock())
    told: Given = form if form is not None else desk.request.query_params
    stops = circulation_find.stops_served(service, region_id, desk.today)
    own = found.patron.stop_ids
    facts = {} if error is None else error.facts
    return show(
        desk,
        "reader",
        tab="readers",
        error=error,
        found=found,
        patron=found.patron,
        blocks=found.patron.blocks_on(found.on),
        titles=titles,
        # A reader's own stops come first: there the items come back.
        stops=sorted(stops, key=lambda pair: pair[0] not in own),
        stop_names=dict(stops),
        stop_id=text_of(told, "stop_id") if form is not None else next(iter(sorted(own)), ""),
        points=points_of(desk),
        place=str(chosen_place(desk, told)),
        message="" if error else _message(desk),
        again=_again(form, what) if facts.get("can_override") and form is not None else None,
        rule=str(facts.get("rule", "")),
    )


def _again(form: FormData, what: str) -> dict[str, object]:
    """What to send once more, with the word that it is to be done all the same."""
    names = ("item", "stop_id", "loan_id", "hold_id")
    return {
        "what": what,
        "fields": {name: text_of(form, name) for name in names if text_of(form, name)},
        "overrides": [str(rule) for rule in form.getlist("override")],
    }
