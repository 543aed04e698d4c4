"""Loading a run at the desk: what goes aboard and why, what to fetch, what to hand over."""

from datetime import date

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api.pages.circulation_frame import Form, Librarian, Looking, back_to, place_names, show
from api.pages.desk_region import Desk, Given, date_of, open_desk, text_of, whole_of
from api.services import circulation_day, load_planning
from api.services.circulation_find import stop_names
from api.services.circulation_moves import move_items
from api.services.load_export import lists_xlsx
from api.state import ServiceDep
from data.db import publication_store
from data.db.engine import reading
from data.model.errors import BookmobileError, InputError
from data.model.fleet import VehicleId
from data.model.stock import ItemPlace, PlaceKind
from planner.load_problem import LoadRules, Quota, ShelfRule

router = APIRouter(prefix="/desk/{region_id}/circulation/loads")
SAID = ("planned", "aside", "nothing_aside", "moved")
MOST_ITEMS, MOST_METRES, MOST_SHELVES = 10_000, 1_000, 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("")
def loads_page(request: Request, region_id: str, asking: Looking, service: ServiceDep) -> Response:
    """The loading of a vehicle's run; of its next one where no date is told."""
    return _page(open_desk(request, service, asking, region_id), request.query_params)


@router.get("/lists.xlsx")
def lists_page(request: Request, region_id: str, asking: Looking, service: ServiceDep) -> Response:
    """Load list and pick list as a workbook."""
    desk = open_desk(request, service, asking, region_id)
    vehicle_id, on = _run(desk, request.query_params)
    page = load_planning.load_page(service, region_id, vehicle_id, on)
    with reading(service.engine) as session:
        stops = stop_names(session, region_id)
    raw = lists_xlsx(page, stops, place_names(desk), on, desk.words)
    name = f"loading-{on.isoformat()}.xlsx"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(raw, media_type=XLSX, headers=headers)


@router.post("/{what}")
def act(
    request: Request,
    region_id: str,
    what: str,
    asking: Librarian,
    service: ServiceDep,
    form: Form,
) -> Response:
    """Plan the load, set holds aside, or note what was put aboard."""
    desk = open_desk(request, service, asking, region_id)
    at = service.clock()
    try:
        vehicle_id, on = _run(desk, form)
        match what:
            case "plan":
                load_planning.make_load(
                    service, region_id, vehicle_id, on, _rules(form), by=asking, at=at
                )
                said, count = "planned", 0
            case "aside":
                count = circulation_day.set_holds_aside(
                    service, region_id, vehicle_id, on, by=asking, at=at
                )
                said = "aside" if count else "nothing_aside"
            case "aboard" | "ashore":
                said, count = (
                    "moved",
                    _moved(desk, form, vehicle_id, on, is_aboard=what == "aboard"),
                )
            case _:
                raise InputError("counter.unknown_act", what=what[:40])
    except BookmobileError as error:
        return _page(desk, form, error)
    return back_to(
        f"{desk.root}/circulation/loads",
        vehicle=vehicle_id, date=on.isoformat(), said=said, count=str(count),
    )  # fmt: skip


def _moved(desk: Desk, form: FormData, vehicle_id: VehicleId, on: date, *, is_aboard: bool) -> int:
    """Note that items are aboard or in the store: those that are marked, or all of the plan."""
    region_id = desk.region.region_id
    item_ids = [str(i) for i in form.getlist("item")]
    if text_of(form, "all"):
        page = load_planning.load_page(desk.service, region_id, vehicle_id, on)
        planned = page.put_aboard if is_aboard else page.taken_off
        # What was lent meanwhile is with its reader, and comes when it comes.
        item_ids = [x.item.item_id for x in planned if x.why != "lent"]
    kind = PlaceKind.VEHICLE if is_aboard else PlaceKind.STORE
    return move_items(
        desk.service,
        region_id,
        item_ids,
        ItemPlace(kind=kind, key=str(vehicle_id)),
        by=desk.asking,
        at=desk.service.clock(),
    )


def _run(desk: Desk, told: Given) -> tuple[VehicleId, date]:
    """The vehicle and date that are asked for, or the first vehicle's next run."""
    vehicles = [str(v.vehicle_id) for v in desk.region.vehicles]
    if not vehicles:
        raise InputError("loads.no_vehicle")
    wanted = text_of(told, "vehicle")
    vehicle_id = VehicleId(wanted if wanted in vehicles else vehicles[0])
    on = date_of(told, "date")
    if on is None:
        on = desk.today
        with reading(desk.service.engine) as session:
            coming = publication_store.load_visits(
                session, desk.region.region_id, from_date=on, vehicle_id=vehicle_id
            )
        on = next((v.service_date for v in coming if v.is_coming), on)
    return vehicle_id, on


def _rules(form: FormData) -> LoadRules:
    """The rules that a form tells.

    Raises
    ------
    InputError
        ``loads.out_of_range`` naming the field and its limits.
    """
    shelves = {}
    for number in range(MOST_SHELVES):
        shelf = form.get(f"shelf.{number}")
        if not isinstance(shelf, str):
            break
        least = _number(form, f"least.{number}", 0, MOST_METRES * 100, otherwise=0.0)
        most = _number(form, f"most.{number}", 0, MOST_METRES * 100, otherwise=-1.0)
        if least > 0 or most >= 0:
            shelves[shelf[:200]] = ShelfRule(
                least_mm=least * 10, most_mm=None if most < 0 else most * 10
            )
    swaps = whole_of(form, "most_swaps") if text_of(form, "most_swaps") else None
    if text_of(form, "most_swaps") and (swaps is None or swaps > MOST_ITEMS):
        raise InputError("loads.out_of_range", field="most_swaps", least=0, most=MOST_ITEMS)
    return LoadRules(
        num_items=round(_number(form, "num_items", 1, MOST_ITEMS)),
        capacity_mm=_number(form, "capacity_m", 1, MOST_METRES) * 1000,
        least_ratio={q: _number(form, q.value, 0, 100) / 100 for q in Quota},
        shelves=shelves,
        most_copies=round(_number(form, "most_copies", 1, 100)),
        most_swaps=swaps,
    )


def _number(
    form: FormData, name: str, least: float, most: float, *, otherwise: float | None = None
) -> float:
    text = text_of(form, name).replace(",", ".").replace("\u00a0", "")
    if not text and otherwise is not None:
        return otherwise
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not least <= value <= most:
        field = name.partition(".")[0]
        raise InputError("loads.out_of_range", field=field, least=least, most=most)
    return value


def _page(desk: Desk, told: Given, error: BookmobileError | None = None) -> Response:
    if error is not None and "field" in error.facts:
        name = desk.words(f"loads.rule.{error.facts['field']}")
        error = InputError(error.code, **{**error.facts, "field": name})
    try:
        vehicle_id, on = _run(desk, told)
    except InputError as wrong:
        return show(desk, "loads_none", tab="loads", error=error or wrong)
    query = desk.request.query_params
    page = load_planning.load_page(
        desk.service, desk.region.region_id, vehicle_id, on, asked=text_of(query, "why")[:200]
    )
    with reading(desk.service.engine) as session:
        stops = stop_names(session, desk.region.region_id)
    said = text_of(query, "said")
    return show(
        desk,
        "loads",
        tab="loads",
        error=error,
        page=page,
        rules=page.rules,
        facts=page.kept.facts if page.kept else {},
        vehicle_id=vehicle_id,
        vehicle_name=next(v.name for v in desk.region.vehicles if v.vehicle_id == vehicle_id),
        vehicles=[(str(v.vehicle_id), v.name) for v in desk.region.vehicles],
        on=on,
        stop_names=stops,
        quotas=[q.value for q in Quota],
        given=told if error else {},
        why=text_of(query, "why")[:200],
        said=said if said in SAID else "",
        count=whole_of(query, "count") or 0,
    )
