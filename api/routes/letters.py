"""Letters about stops for other programs: residents ask, the desk sees how the box stands."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from api.auth import Dispatcher, Staff, require_region
from api.errors import problems
from api.language import language_of
from api.pages.public_region import cache_of, pages_of
from api.schemas.fields import NUL_FREE
from api.schemas.letters import LettersPublic, TriedAgain, WishBody, WishTaken
from api.services.letters import LATELY, Wish, send_at_once, sends_letters, take_wish
from api.state import ServiceDep
from data.db import letter_store, publication_store
from data.db.engine import reading, writing
from data.model.letters import CONFIRM_DAYS
from data.model.place import StopId

public = APIRouter(prefix="/public/{region_id}/letters", tags=["public"])
desk = APIRouter(prefix="/regions/{region_id}/letters", tags=["letters"])
RegionId = Annotated[str, Path(max_length=64, pattern=NUL_FREE, description="The region.")]


@public.post("", status_code=202, responses=problems(404, 429))
def ask_for_letters(
    region_id: RegionId, body: WishBody, request: Request, service: ServiceDep
) -> WishTaken:
    """Ask to be told about a stop; the owner of the address is asked by a letter first."""
    published = cache_of(request).get(service.engine, region_id)
    language = language_of(request, published.timetable.language)
    stop = pages_of(service, published, language).place(StopId(body.stop_id))
    wish = Wish(
        region_id=region_id,
        stop_id=stop.stop_id,
        address=body.address,
        language=language,
        wants_reminder=body.reminder,
    )
    take_wish(service, wish, caller=request.client.host if request.client else "")
    return WishTaken(stop_id=stop.stop_id, confirm_days=CONFIRM_DAYS)


@desk.get("", responses=problems(404))
def get_letters(region_id: RegionId, asking: Staff, service: ServiceDep) -> LettersPublic:
    """How many read about which stop, and what became of their letters."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        publication_store.region_head(session, region_id)
        figures = letter_store.letter_figures(session, region_id, since=service.clock() - LATELY)
    return LettersPublic.from_domain(figures, can_send=sends_letters(service.settings))


@desk.post("/again", responses=problems(404))
def try_letters_again(region_id: RegionId, asking: Dispatcher, service: ServiceDep) -> TriedAgain:
    """Have what waits, or failed and is still of use, tried at once."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        publication_store.region_head(session, region_id)
        return TriedAgain(letters=send_at_once(session, region_id, by=asking, at=service.clock()))
