"""Circulation for librarians: what waits for a person, decisions, stock and readers from files."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request, UploadFile

from api.auth import Caller, Role, require, require_region
from api.errors import problems
from api.language import words_of
from api.schemas.circulation import (
    DecisionCreate,
    DecisionPublic,
    Forgotten,
    TakenIn,
    WaitingPublic,
)
from api.schemas.fields import NUL_FREE
from api.services import circulation_desk, circulation_persons, circulation_stock
from api.services.circulation_words import shown_conflict, shown_import, shown_refused
from api.state import ServiceDep
from data.model.journal_bodies import DecisionBody
from data.model.stock import parse_place

router = APIRouter(prefix="/regions/{region_id}/circulation", tags=["circulation"])
RegionId = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The region.")]
EventId = Annotated[str, Path(max_length=64, pattern=NUL_FREE)]
PatronKey = Annotated[str, Path(max_length=64, pattern=NUL_FREE)]
Librarian = Annotated[Caller, Depends(require(Role.LIBRARIAN))]
Encoding = Annotated[
    str | None, Form(max_length=20, description="utf-8, cp1251, cp866 …; found out where left out.")
]
IsTrial = Annotated[bool, Form(description="Only tell what would be taken.")]


@router.get("", responses=problems(404))
def get_waiting(
    region_id: RegionId, request: Request, asking: Librarian, service: ServiceDep
) -> WaitingPublic:
    """Conflicts with both histories, and events that could not be taken."""
    require_region(asking, region_id)
    found = circulation_desk.waiting(service, region_id)
    words = words_of(request)
    return WaitingPublic(
        conflicts=[shown_conflict(c, words) for c in found.conflicts],
        refused=[shown_refused(r, words) for r in found.refused],
        num_events=found.num_events,
        num_items=found.num_items,
        num_patrons=found.num_patrons,
        num_loans=found.num_loans,
        revision=found.revision,
    )


@router.post("/conflicts/{event_id}/decision", responses=problems(404, 409))
def post_decision(
    region_id: RegionId,
    event_id: EventId,
    body: DecisionCreate,
    asking: Librarian,
    service: ServiceDep,
) -> DecisionPublic:
    """Decide a conflict; the decision is an event of the journal, and can be taken back."""
    require_region(asking, region_id)
    decision = DecisionBody(event_id=event_id, **body.model_dump())
    verdict = circulation_desk.decide(service, region_id, decision, by=asking, at=service.clock())
    return DecisionPublic(event_id=event_id, answer=verdict)


@router.post("/refused/{number}/seen", status_code=204, responses=problems(404))
def post_seen(
    region_id: RegionId,
    number: Annotated[int, Path(ge=0, le=2**31 - 1)],
    asking: Librarian,
    service: ServiceDep,
) -> None:
    """Put a refused event aside."""
    require_region(asking, region_id)
    circulation_desk.put_aside(service, region_id, number, by=asking, at=service.clock())


@router.post("/uploads/stock", responses=problems(404))
def post_stock(
    region_id: RegionId,
    request: Request,
    file: UploadFile,
    asking: Librarian,
    service: ServiceDep,
    place: Annotated[str, Form(max_length=80, description="vehicle:KEY, store:KEY or point:KEY")],
    encoding: Encoding = None,
    is_trial: IsTrial = False,
) -> TakenIn:
    """Take items in from ISO 2709 (MARC 21, RUSMARC), CSV or XLSX."""
    require_region(asking, region_id)
    raw, name = file.file.read(), file.filename or ""
    report = circulation_stock.take_stock(
        service,
        region_id,
        raw,
        file_name=name,
        place=parse_place(place),
        encoding=encoding or None,
        is_trial=is_trial,
        by=asking,
    )
    previews = circulation_stock.preview_file(raw, name) if is_trial else ()
    return shown_import(report, words_of(request), is_trial=is_trial, previews=previews)


@router.post("/uploads/readers", responses=problems(404))
def post_readers(
    region_id: RegionId,
    request: Request,
    file: UploadFile,
    asking: Librarian,
    service: ServiceDep,
    encoding: Encoding = None,
    is_trial: IsTrial = False,
) -> TakenIn:
    """Take readers in from CSV or XLSX."""
    require_region(asking, region_id)
    report = circulation_stock.take_readers(
        service,
        region_id,
        file.file.read(),
        file_name=file.filename or "",
        encoding=encoding or None,
        is_trial=is_trial,
        by=asking,
    )
    return shown_import(report, words_of(request), is_trial=is_trial)


@router.delete("/patrons/{patron_id}", responses=problems(404, 409))
def forget(
    region_id: RegionId, patron_id: PatronKey, asking: Librarian, service: ServiceDep
) -> Forgotten:
    """Erase what tells who a reader is, in the base and in every event."""
    require_region(asking, region_id)
    changed = circulation_persons.forget_patron(service, region_id, patron_id, by=asking)
    return Forgotten(patron_id=patron_id, num_events=changed)
