"""Plans changed by hand: steps tried and taken, places for one more stop."""

from contextlib import ExitStack
from dataclasses import dataclass, field

from fastapi import APIRouter, Request, Response

from api.auth import Dispatcher
from api.conditions import IfMatchDep, etag
from api.errors import problems
from api.language import words_of
from api.schemas.plans import EditCreate, EditPublic, NewStopStep, PlaceRequest, PlacesPublic
from api.services import editing
from api.services.placing import Spot, new_stop, places_for, roads_like
from api.services.plan_access import (
    account_names,
    check_match,
    opened_for,
    telling_stale,
)
from api.services.plan_documents import OpenedPlan, remember
from api.services.plan_edit_views import edit_public, places_public, taken_public
from api.services.plan_steps import NewStop, after
from api.services.region_home import check_inside
from api.services.region_parts import parts_of
from api.services.step_schemas import spot_of, steps_of
from api.state import Service, ServiceDep
from data.db.engine import reading, writing
from data.model.errors import RequestError
from data.model.place import StopId
from data.model.plan import Plan, PlanRequest

router = APIRouter(tags=["plans"])
CHANGE = problems(404, 409, 412, 428)


@dataclass(slots=True, kw_only=True)
class _Ground:
    """Gives new points their travel; roads are opened for the first one and closed at the end."""

    request: Request
    service: Service
    opened: OpenedPlan
    stack: ExitStack = field(default_factory=ExitStack)

    def place(self, spot: Spot) -> NewStop:
        """The step that lets the plan know a new point."""
        settings, region_id = self.service.settings, self.opened.stored.region_id
        with reading(self.service.engine) as session:
            region, _ = parts_of(self.request).regions.load(session, region_id)
        folder = check_inside(region, settings)
        roads = self.stack.enter_context(
            roads_like(self.opened.request, region, folder, settings.cache_dir)
        )
        return new_stop(self.opened.request, region, spot, roads)


@router.post("/plans/{plan_id}/edits", responses=CHANGE)
def edit_plan(
    plan_id: str,
    body: EditCreate,
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
    match: IfMatchDep,
    response: Response,
) -> EditPublic:
    """Take steps as one state, or with ``dry_run`` only tell what they would do.

    The state is refused where it breaks rules, unless ``may_break`` keeps it as a draft.
    """
    words = words_of(request)
    with reading(service.engine) as session:
        opened = opened_for(session, asking, plan_id)
        check_match(session, opened.stored, match, words)
    # Travel to a new point may take a while: it is measured before the one writer's turn.
    ground = _Ground(request=request, service=service, opened=opened)
    with ground.stack:
        steps = steps_of(body.steps, ground.place)
    if body.dry_run:
        result = editing.edited(opened, steps)
        response.headers["etag"] = etag(opened.stored.version)
        return edit_public(words, opened.plan, result)
    with (
        telling_stale(service.engine, plan_id, match, words),
        writing(service.engine) as session,
    ):
        opened = opened_for(session, asking, plan_id)
        check_match(session, opened.stored, match, words)
        taken = editing.take(
            session, opened, steps, may_break=body.may_break, by=asking, at=service.clock()
        )
        names = account_names(session, (taken.opened.stored.changed_by,))
    remember(taken.opened)
    response.headers["etag"] = etag(taken.opened.stored.version)
    is_wider = any(isinstance(step, NewStop) for step in steps)
    return taken_public(words, opened.plan, taken, names, is_wider=is_wider)


@router.post("/plans/{plan_id}/places", responses=problems(404))
def find_places(
    plan_id: str,
    body: PlaceRequest,
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
) -> PlacesPublic:
    """Where one more stop fits into the plan as it stands; nothing is stored.

    A place is taken by sending its ``steps`` to ``edits``, for a new point after the step
    ``new_stop``.
    """
    with reading(service.engine) as session:
        opened = opened_for(session, asking, plan_id)
    judged, plan = opened.request, opened.plan
    if body.spot is not None:
        judged, plan, stop_id = _with_spot(request, service, opened, body.spot)
    elif body.stop_id is not None:
        stop_id = StopId(body.stop_id)
    else:
        raise RequestError("placing.nothing_named")
    try:
        places = places_for(judged, plan, stop_id, most=body.most)
    except RequestError as refused:
        raise editing.without_commands(refused) from refused
    stop = next(s for s in judged.stops if s.stop_id == stop_id)
    return places_public(words_of(request), judged, plan, stop, places)


def _with_spot(
    request: Request, service: Service, opened: OpenedPlan, given: NewStopStep
) -> tuple[PlanRequest, Plan, StopId]:
    """The plan with a new point among its unserved stops."""
    ground = _Ground(request=request, service=service, opened=opened)
    with ground.stack:
        step = ground.place(spot_of(given))
    judged, plan = after(opened.request, opened.plan, [step])
    return judged, plan, step.stop.stop_id
