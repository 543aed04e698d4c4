"""Two bookmobiles that run on the same Tuesdays, published and driven, at a time in hand."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache

from sqlalchemy import Engine

from api.services import breakdown, cancelling
from api.services.breakdown_asked import BreakdownAsked, BreakdownPreview, Decided, Move, OtherDate
from data.db.engine import reading, writing
from data.model.calendar import MINUTE_S
from data.model.cancellation import ServiceException
from data.model.fleet import VehicleId
from data.model.plan import Plan, PlanRequest
from data.model.region import Region
from planner.edit import Add, apply
from planner.score import check
from tests.api.publication.office import ANNA, REGION, Office
from tests.fleet.days import plan, world

TUESDAY = date(2026, 12, 1)
"""Both vehicles have their rounds."""
MORNING = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
"""11:00 in Kaliningrad."""
FIRST, SECOND, THIRD = "kibo-1", "kibo-2", "kibo-3"


def yard_request() -> PlanRequest:
    """The world of the driven days; a third vehicle stands idle on Tuesdays."""
    request = world()
    model = request.vehicles[0]
    vehicles = tuple(
        replace(v, duty_end_s=19 * 3600, weekdays=frozenset({1, 2, 3})) for v in request.vehicles
    )
    idle = replace(
        model,
        vehicle_id=type(model.vehicle_id)(THIRD),
        name="КИБО-3",
        duty_end_s=19 * 3600,
        weekdays=frozenset({1, 2, 3}),
    )
    shared = request.travel[model.vehicle_id]
    return replace(
        request,
        vehicles=(*vehicles, idle),
        travel={**request.travel, idle.vehicle_id: shared},
        crew_rules={
            **request.crew_rules,
            idle.vehicle_id: request.crew_rules[model.vehicle_id],
        },
    )


def yard_region() -> Region:
    request = yard_request()
    return Region(
        region_id=request.region_id,
        names={"en": "Chernyakhovsk district", "ru": "Черняховский район"},
        time_zone=request.time_zone,
        language="ru",
        crs="EPSG:32634",
        depots=request.depots,
        vehicles=request.vehicles,
        stops=request.stops,
        calendar=request.calendar,
    )


@cache
def yard_plan() -> Plan:
    """Both rounds, timed by the planner's own rules."""
    return laid_out(yard_request(), {FIRST: (FIRST, 1), SECOND: (SECOND, 1)})


def laid_out(request: PlanRequest, rounds: Mapping[str, tuple[str, int]]) -> Plan:
    """The rounds of the driven days, each by a vehicle on a day of the cycle."""
    adds = [
        Add(
            stop_id=visit.stop_id,
            vehicle_id=VehicleId(rounds[run.vehicle_id][0]),
            day=rounds[run.vehicle_id][1],
            position=position,
            at_s=visit.start_s + 15 * MINUTE_S,
        )
        for run in plan().runs
        for position, visit in enumerate(run.visits)
    ]
    laid = apply(request, Plan(runs=()), adds)
    assert check(request, laid) == ()
    return laid


class Yard(Office):
    """The office with its plan published a week before, the clock at eleven on Tuesday."""

    def __init__(
        self, engine: Engine, request: PlanRequest | None = None, plan: Plan | None = None
    ) -> None:
        super().__init__(engine, yard_region())
        self.add_plan("rounds", request or yard_request(), plan or yard_plan())
        self.publish("rounds")
        self.now = MORNING

    @classmethod
    def again(cls, engine: Engine) -> "Yard":
        """The same on a copy of its database."""
        yard = cls.__new__(cls)
        yard.engine, yard.now, yard.plan_ids = engine, MORNING, {}
        return yard

    def breakdown(self, **asked: object) -> BreakdownPreview:
        """What a breakdown of the first vehicle would come to."""
        wanted = BreakdownAsked(**{"vehicle_id": FIRST, **asked})  # type: ignore[arg-type]
        with reading(self.engine) as session:
            return breakdown.preview(session, REGION, wanted, at=self.now)

    def decide(self, shown: BreakdownPreview) -> ServiceException:
        """Do what was shown."""
        return self.decide_with(shown, decided_of(shown))

    def decide_with(self, shown: BreakdownPreview, decided: Decided) -> ServiceException:
        """Do something else than what was shown."""
        with writing(self.engine) as session:
            return breakdown.decide(session, REGION, shown.asked, decided, by=ANNA, at=self.now)

    def take_back(self, exception: ServiceException) -> ServiceException:
        with writing(self.engine) as session:
            return cancelling.undo(session, REGION, exception.exception_id, by=ANNA, at=self.now)


def decided_of(shown: BreakdownPreview) -> Decided:
    """Everything as it was shown."""
    return Decided(
        seen=shown.seen,
        moves=tuple(
            Move(visit_id=r.visit.visit_id, vehicle_id=r.after.vehicle_id, start_s=r.after.start_s)
            for r in shown.rows
            if r.after is not None
        ),
        other_dates=tuple(
            OtherDate(
                visit_id=r.visit.visit_id,
                vehicle_id=r.offer.vehicle_id,
                service_date=r.offer.service_date,
                start_s=r.offer.start_s,
            )
            for r in shown.rows
            if r.offer is not None
        ),
    )
