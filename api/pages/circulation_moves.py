"""Moving items at the desk by scanning them, deposit boxes, and what stands where."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.pages.circulation_frame import Form, Librarian, Looking, back_to, place_names, show
from api.pages.desk_region import Desk, Given, date_of, open_desk, text_of, whole_of
from api.services.circulation_moves import move_items, moves_page
from api.services.own_journal import OFFICE
from api.state import ServiceDep
from data.model.errors import BookmobileError, InputError
from data.model.stock import parse_place

router = APIRouter(prefix="/desk/{region_id}/circulation/moves")
MOST_CHARS = 65 * 2000


@router.get("")
def page(request: Request, region_id: str, asking: Looking, service: ServiceDep) -> Response:
    """The form to scan into, the boxes, and what stands where."""
    return _page(open_desk(request, service, asking, region_id), request.query_params)


@router.post("")
def move(
    request: Request, region_id: str, asking: Librarian, service: ServiceDep, form: Form
) -> Response:
    """Write down that items were put somewhere."""
    desk = open_desk(request, service, asking, region_id)
    try:
        place = text_of(form, "place")
        if place not in place_names(desk):
            raise InputError("moves.needs_place")
        count = move_items(
            service,
            region_id,
            text_of(form, "items")[:MOST_CHARS].split("\n"),
            parse_place(place),
            box_id=text_of(form, "box")[:64],
            back_date=date_of(form, "back"),
            by=asking,
            at=service.clock(),
        )
    except BookmobileError as error:
        return _page(desk, form, error)
    path = f"{desk.root}/circulation/moves"
    return back_to(path, said="moved", count=str(count), place=place)


def _page(desk: Desk, told: Given, error: BookmobileError | None = None) -> Response:
    names = place_names(desk)
    query = desk.request.query_params
    return show(
        desk,
        "moves",
        tab="moves",
        error=error,
        page=moves_page(desk.service, desk.region.region_id),
        places=[pair for pair in names.items() if pair[0] != str(OFFICE)],
        told={name: text_of(told, name) for name in ("items", "place", "box", "back")},
        said=text_of(query, "said") == "moved" and error is None,
        count=whole_of(query, "count") or 0,
    )
