"""The desk's page of lending aboard: what waits for a person, stock and readers from files."""

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from api.pages.circulation_frame import Form as Decided
from api.pages.circulation_frame import Librarian, Looking, place_names, show
from api.pages.desk_region import Desk, open_desk, text_of
from api.schemas.circulation import TakenIn
from api.services import circulation_desk, circulation_stock
from api.services.circulation_words import shown_conflict, shown_import, shown_refused
from api.services.doubled import doubled_among
from api.services.own_journal import OFFICE
from api.state import ServiceDep
from data.db import devices_store
from data.db.engine import reading
from data.feeds.iso2709 import ENCODINGS
from data.model.errors import BookmobileError, InputError
from data.model.journal_bodies import Choice, DecisionBody
from data.model.stock import parse_place
from fleet.circulation_outcome import Verdict

router = APIRouter(prefix="/desk/{region_id}/circulation")
MOST_DEVICES = 500
SHOWN = 50
"""Conflicts shown at once; the next follow when these are decided."""


@router.get("")
def circulation_page(
    request: Request, region_id: str, asking: Looking, service: ServiceDep
) -> Response:
    """Conflicts with both histories, what was not taken, and the forms for files."""
    return _page(open_desk(request, service, asking, region_id))


@router.post("/conflicts/{event_id}")
def decide(
    request: Request,
    region_id: str,
    event_id: str,
    asking: Librarian,
    service: ServiceDep,
    form: Decided,
) -> Response:
    """Write a decision down."""
    desk = open_desk(request, service, asking, region_id)
    try:
        decision = _decision(form, event_id)
        verdict = circulation_desk.decide(
            service, region_id, decision, by=asking, at=service.clock()
        )
    except BookmobileError as error:
        return _page(desk, error=error)
    told = "still" if verdict is Verdict.CONFLICT else "done"
    return RedirectResponse(f"{desk.root}/circulation?told={told}", status_code=303)


def _decision(form: FormData, event_id: str) -> DecisionBody:
    """What a form decides.

    Raises
    ------
    InputError
        ``circulation.needs_choice``, ``circulation.needs_answer``.
    """
    choice, asks_for = text_of(form, "choice"), text_of(form, "asks_for")
    if choice not in set(Choice):
        raise InputError("circulation.needs_choice")
    answer = text_of(form, "answer") if asks_for in ("item_id", "patron_id", "card") else ""
    if choice == Choice.APPLY and asks_for and not answer:
        raise InputError("circulation.needs_answer")
    told = {asks_for: answer} if answer and choice == Choice.APPLY else {}
    return DecisionBody(
        event_id=event_id,
        rule=text_of(form, "rule"),
        choice=Choice(choice),
        note=text_of(form, "note"),
        **told,
    )


@router.post("/refused/{number}")
def put_aside(
    request: Request, region_id: str, number: int, asking: Librarian, service: ServiceDep
) -> Response:
    """Put a refused event aside."""
    desk = open_desk(request, service, asking, region_id)
    circulation_desk.put_aside(service, region_id, number, by=asking, at=service.clock())
    return RedirectResponse(f"{desk.root}/circulation#refused", status_code=303)


@router.post("/uploads/{kind}")
def take_in(
    request: Request,
    region_id: str,
    kind: str,
    asking: Librarian,
    service: ServiceDep,
    file: Annotated[UploadFile | None, File()] = None,
    place: Annotated[str, Form(max_length=80)] = "",
    encoding: Annotated[str, Form(max_length=20)] = "",
    trial: Annotated[str, Form(max_length=1)] = "",
) -> Response:
    """Take a file in, or only check it."""
    desk = open_desk(request, service, asking, region_id)
    is_trial = trial == "1"
    try:
        if file is None or not file.filename:
            raise InputError("circulation.needs_file")
        raw, name = file.file.read(), file.filename
        if kind == "readers":
            report = circulation_stock.take_readers(
                service, region_id, raw, file_name=name, encoding=encoding or None,
                is_trial=is_trial, by=asking,
            )  # fmt: skip
        else:
            report = circulation_stock.take_stock(
                service, region_id, raw, file_name=name, place=parse_place(place),
                encoding=encoding or None, is_trial=is_trial, by=asking,
            )  # fmt: skip
        previews = circulation_stock.preview_file(raw, name) if is_trial else ()
    except BookmobileError as error:
        return _page(desk, error=error)
    taken = shown_import(report, desk.words, is_trial=is_trial, previews=previews)
    return _page(desk, taken=taken)


def _doubled(desk: Desk) -> list[str]:
    """Names of tablets under whose key two devices write."""
    region_ids = [desk.region.region_id]
    with reading(desk.service.engine) as session:
        devices = devices_store.devices(session, region_ids=region_ids, limit=MOST_DEVICES)
        found = doubled_among(session, devices, region_ids, desk.service.clock())
    return [d.name for d in devices if d.device_id in found]


def _page(
    desk: Desk, error: BookmobileError | None = None, taken: TakenIn | None = None
) -> Response:
    found = circulation_desk.waiting(desk.service, desk.region.region_id)
    told = desk.request.query_params.get("told", "")
    names = place_names(desk)
    return show(
        desk,
        "circulation",
        tab="waiting",
        error=error,
        taken=taken,
        told=told if told in ("done", "still") else "",
        found=found,
        doubled=_doubled(desk),
        conflicts=[shown_conflict(c, desk.words, names) for c in found.conflicts[:SHOWN]],
        refused=[shown_refused(r, desk.words) for r in found.refused],
        places=[pair for pair in names.items() if pair[0] != str(OFFICE)],
        encodings=ENCODINGS,
    )
