"""What tablets bring: events of their journals, photos."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.auth import Caller, Role, require
from api.errors import problems
from api.language import words_of
from api.routes.tablet import RegionQuery, region_of
from api.schemas.sync import (
    ConflictPublic,
    EventAnswer,
    HistoryPublic,
    SyncAnswer,
    SyncRequest,
)
from api.services.doubled import is_doubled
from api.services.photos import crew_folder, keep_photo_as, photos_folder
from api.services.sync import Exchange, exchange
from api.state import ServiceDep
from api.words import Words
from data.model.errors import InputError
from fleet.circulation_outcome import Verdict
from fleet.circulation_sync import Answer
from fleet.journal_clock import ClockMark

router = APIRouter(prefix="/sync", tags=["tablet"])
Bringing = Annotated[Caller, Depends(require(Role.CREW, Role.LIBRARIAN))]
PhotoId = Annotated[
    str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the file, as the event names it.")
]


@router.post("/events", responses=problems(404))
def post_events(
    body: SyncRequest,
    request: Request,
    asking: Bringing,
    service: ServiceDep,
    region_id: RegionQuery = None,
) -> SyncAnswer:
    """Bring events; each is taken once, however often it is sent, and answered."""
    now = service.clock()
    done = exchange(
        service,
        Exchange(
            region_id=region_of(asking, region_id),
            caller=asking,
            device_id=body.device_id,
            device_now=body.device_now,
            last_sequence=body.last_sequence,
            documents=body.events,
            marks=[ClockMark(**mark.model_dump()) for mark in body.marks],
            at=now,
        ),
    )
    words = words_of(request)
    return SyncAnswer(
        server_now=now,
        offset_s=(now - body.device_now).total_seconds(),
        answers=[_shown(index, answer, words) for index, answer in enumerate(done.answers)],
        num_altered=done.num_altered,
        missing={
            journal: [(span.start, span.stop - 1) for span in spans]
            for journal, spans in done.missing.items()
            if spans
        },
        revision=done.revision,
        is_doubled=is_doubled(service, asking, now),
    )


@router.put("/uploads/photos/{photo_id}", status_code=201, responses=problems(404))
async def put_photo(
    photo_id: PhotoId,
    request: Request,
    asking: Bringing,
    service: ServiceDep,
    region_id: RegionQuery = None,
) -> Response:
    """Bring the photo of a defect; to bring it twice does no harm."""
    folder = photos_folder(service.settings.data_dir, region_of(asking, region_id))
    raw = await request.body()
    if not raw:
        raise InputError("photo.not_an_image", known="JPEG, PNG, WEBP")
    await run_in_threadpool(keep_photo_as, crew_folder(folder), raw, photo_id)
    return Response(status_code=201)


def _shown(index: int, answer: Answer, words: Words) -> EventAnswer:
    conflict = None
    facts = {name: _plain(value) for name, value in answer.facts.items()}
    if answer.verdict is Verdict.CONFLICT:
        conflict = ConflictPublic(
            rule=answer.rule,
            message=words(f"conflict.{answer.rule}", **facts),
            proposal=answer.proposal,
            facts=facts,
            own_history=[HistoryPublic.from_domain(line) for line in answer.own_history],
            other_history=[HistoryPublic.from_domain(line) for line in answer.other_history],
        )
    return EventAnswer(
        index=index,
        event_id=answer.event_id,
        answer=answer.verdict,
        code=answer.code,
        message=words(answer.code, **facts) if answer.code else "",
        facts=facts if answer.code else {},
        conflict=conflict,
        corrected_at=answer.corrected_at,
        is_clock_doubtful=answer.is_clock_doubtful,
    )


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
