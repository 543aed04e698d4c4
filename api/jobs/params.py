"""What a job of each kind is asked to do: checked when it is asked, read again by its runner."""

from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from data.model.demand import PrizeBy
from data.model.jobs import JobKind

MOST_SECONDS = 3600.0
MOST_VEHICLES = 40
MOST_WISHES = 2000

type Seconds = Annotated[float, Field(ge=1, le=MOST_SECONDS)]
type Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
NUL_FREE = r"^[^\x00]*$"
"""PostgreSQL stores no NUL character."""
type Name = Annotated[str, Field(min_length=1, max_length=200, pattern=NUL_FREE)]
type Id = Annotated[str, Field(min_length=1, max_length=120, pattern=NUL_FREE)]
type Wish = Annotated[str, Field(min_length=1, max_length=300, pattern=NUL_FREE)]
type WishList = Annotated[list[Wish], Field(max_length=MOST_WISHES)]


class JobParams(BaseModel):
    """What every search is told."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)
    kind: JobKind
    seed: Seed = Field(default=1, description="The same seed tries the same ways.")
    threads: int = Field(default=2, ge=1, le=16, description="Search threads.")
    work_limit: int | None = Field(
        default=None,
        ge=1,
        le=10**9,
        description="Search steps instead of time; with one thread the plan can be made again.",
    )


class _Horizon(JobParams):
    """What of a region is planned: its dates and its vehicles."""

    start_date: date | None = Field(
        default=None, description="First Monday of the cycle, or first date of a dated plan."
    )
    weeks: int | None = Field(
        default=None, ge=1, le=6, description="Weeks of the cycle; otherwise the region's."
    )
    num_vehicles: int | None = Field(
        default=None,
        ge=1,
        le=MOST_VEHICLES,
        description="Vehicles to use; beyond the region's own they are copies.",
    )
    norm_set_id: Id | None = Field(default=None, description="Norm set to judge need by.")


class PlanParams(_Horizon):
    """Plan the region anew; the result is a new plan."""

    TIME_LIMIT_S: ClassVar[float] = 40.0
    kind: Literal[JobKind.PLAN] = JobKind.PLAN
    name: Name | None = Field(default=None, description="Name of the plan; otherwise the date.")
    time_limit_s: Seconds = Field(default=TIME_LIMIT_S, description="Seconds of search.")
    until_date: date | None = Field(
        default=None,
        description="Last date of a dated plan: nothing repeats, and weeks say nothing.",
    )
    nights: int | None = Field(
        default=None, ge=0, le=6, description="Most nights in a row away, of every vehicle."
    )
    dwell: Wish | None = Field(
        default=None, description="Least and longest open minutes of every stop, as 30-90."
    )
    prize_by: PrizeBy | None = Field(default=None, description="What a stop is worth.")
    use_learned: bool = Field(default=True, description="Go by the region's learned times.")
    on_time_ratio: float = Field(
        default=0.8, ge=0.5, le=0.95, description="Share of days on which arrivals are kept."
    )
    from_plan_id: Id | None = Field(
        default=None, description="Plan to go on from; gives the dates too."
    )
    max_changes: int | None = Field(
        default=None, ge=0, description="Most times of from_plan_id that may change."
    )
    pin: WishList = Field(default=[], description="STOP@VEHICLE:DATE or …THH:MM.")
    keep: WishList = Field(default=[], description="Runs of from_plan_id: DATE or VEHICLE:DATE.")
    forbid: WishList = Field(default=[], description="STOP@VEHICLE, @DATE or @mon … sun.")


class ReplanParams(JobParams):
    """Search the rest of a plan anew, keeping what is pinned; the plan gets a new state."""

    TIME_LIMIT_S: ClassVar[float] = 20.0
    kind: Literal[JobKind.REPLAN] = JobKind.REPLAN
    plan_id: Id
    expect_version: int | None = Field(
        default=None, ge=1, description="Version that the page shows; otherwise the present one."
    )
    time_limit_s: Seconds = Field(default=TIME_LIMIT_S, description="Seconds of search.")
    max_changes: int | None = Field(
        default=None, ge=0, description="Most times of the plan as it is that may change."
    )
    keep: WishList = Field(
        default=[], description="Runs to keep besides the pinned ones: DATE or VEHICLE:DATE."
    )


class ExplainParams(JobParams):
    """Tell why stops are not served, and the least change that would serve them, with proof."""

    ONE_S: ClassVar[float] = 7.0
    ALL_S: ClassVar[float] = 300.0
    kind: Literal[JobKind.EXPLAIN] = JobKind.EXPLAIN
    plan_id: Id
    stop_id: Id | None = Field(default=None, description="One stop; without it all unserved ones.")
    time_limit_s: Seconds | None = Field(
        default=None, description=f"Seconds; otherwise {ONE_S:g} for one stop, {ALL_S:g} for all."
    )

    @property
    def limit_s(self) -> float:
        return self.time_limit_s or (self.ALL_S if self.stop_id is None else self.ONE_S)


class FrontierParams(_Horizon):
    """Find plans that trade people, fairness and kilometres, to choose from."""

    TIME_LIMIT_S: ClassVar[float] = 120.0
    kind: Literal[JobKind.FRONTIER] = JobKind.FRONTIER
    time_limit_s: Seconds = Field(default=TIME_LIMIT_S, description="Seconds of search in all.")
    num_plans: int = Field(default=9, ge=3, le=20, description="Most plans to choose from.")


class FleetSizeParams(_Horizon):
    """Compare one to N vehicles, and where one vehicle should be based."""

    TIME_LIMIT_S: ClassVar[float] = 180.0
    kind: Literal[JobKind.FLEET_SIZE] = JobKind.FLEET_SIZE
    num_vehicles: int | None = Field(
        default=None,
        ge=1,
        le=MOST_VEHICLES,
        description="Most vehicles; otherwise the region's own and two.",
    )
    time_limit_s: Seconds = Field(default=TIME_LIMIT_S, description="Seconds of search in all.")
    num_bases: int = Field(default=6, ge=0, le=30, description="Bases to compare; 0 for none.")


type AnyParams = Annotated[
    PlanParams | ReplanParams | ExplainParams | FrontierParams | FleetSizeParams,
    Field(discriminator="kind"),
]
_ANY: TypeAdapter[AnyParams] = TypeAdapter(AnyParams)


def params_of(document: dict[str, Any]) -> AnyParams:
    """The parameters that a stored job holds."""
    return _ANY.validate_python(document)
