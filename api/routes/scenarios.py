"""Plans side by side, as figures."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.auth import Staff, require_region
from api.errors import problems
from api.services.comparing import Compared
from api.services.plan_access import opened_for
from api.services.scenarios import MOST_PLANS, compared
from api.state import ServiceDep
from data.db.engine import reading

router = APIRouter(tags=["plans"])


@router.get("/regions/{region_id}/comparison", responses=problems(404))
def compare_plans(
    region_id: str,
    asking: Staff,
    service: ServiceDep,
    plan: Annotated[
        list[Annotated[str, Query(max_length=36)]],
        Query(min_length=1, max_length=MOST_PLANS, description="Ids of plans; repeat it."),
    ],
) -> list[Compared]:
    """Figures of plans for a cycle, in the order asked for; the first is what others change.

    Prices are those of each plan's region; what is not known is null.
    """
    require_region(asking, region_id)
    with reading(service.engine) as session:
        opened = [opened_for(session, asking, plan_id) for plan_id in dict.fromkeys(plan)]
    return list(compared(opened))
