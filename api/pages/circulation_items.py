"""Items at the desk: found by title or number; where one is, who has it, what happened to it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.pages.circulation_frame import Looking, show
from api.pages.desk_region import open_desk, text_of
from api.services import circulation_find
from api.state import ServiceDep

router = APIRouter(prefix="/desk/{region_id}/circulation/items")


@router.get("")
def items_page(request: Request, region_id: str, asking: Looking, service: ServiceDep) -> Response:
    """Items by title, author, barcode or inventory number."""
    desk = open_desk(request, service, asking, region_id)
    told = text_of(request.query_params, "q")
    found = circulation_find.find_items(service, region_id, told)
    return show(desk, "items", tab="items", found=found, q=told)


@router.get("/{item_id}")
def item_page(
    request: Request, region_id: str, item_id: str, asking: Looking, service: ServiceDep
) -> Response:
    """One item with all that happened to it."""
    desk = open_desk(request, service, asking, region_id)
    found = circulation_find.item_page(service, region_id, item_id)
    return show(desk, "item", tab="items", found=found)
