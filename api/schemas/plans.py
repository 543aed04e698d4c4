"""Plans as the API shows and takes them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.accounts import NUL_FREE
from api.services.plan_views import BoardFrame, BoardState, RunView, SummaryView, ViolationView
from data.model.calendar import DAYS_PER_WEEK, Cycle

MOST_STEPS = 50
MOST_DAY = Cycle.MAX_DATED_WEEKS * DAYS_PER_WEEK
LATEST_S = 2 * 86_400

StopKey = Annotated[str, Field(min_length=1, max_length=120, pattern=NUL_FREE)]
VehicleKey = Annotated[str, Field(min_length=1, max_length=120, pattern=NUL_FREE)]
Day = Annotated[int, Field(ge=0, lt=MOST_DAY, description="Day of the cycle, from 0.")]
Position = Annotated[
    int, Field(ge=0, le=1000, description="Place in the run, from 0; without it the best one.")
]
Clock = Annotated[
    int, Field(ge=0, le=LATEST_S, description="When the doors open, seconds from midnight.")
]
PlanName = Annotated[str, Field(min_length=1, max_length=200, pattern=NUL_FREE)]


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AddStep(_Step):
    """One more visit of a stop."""

    kind: Literal["add"]
    stop_id: StopKey
    vehicle_id: VehicleKey
    day: Day
    position: Position | None = None
    at_s: Clock | None = None


class RemoveStep(_Step):
    """A stop's visit of a day taken out; without a day all its visits."""

    kind: Literal["remove"]
    stop_id: StopKey
    day: Day | None = None


class MoveStep(_Step):
    """A visit goes to another vehicle, day or place in a run."""

    kind: Literal["move"]
    stop_id: StopKey
    from_day: Day
    vehicle_id: VehicleKey
    day: Day
    position: Position | None = None
    at_s: Clock | None = None


class SwapStep(_Step):
    """Two visits change places."""

    kind: Literal["swap"]
    stop_id: StopKey
    day: Day
    other_id: StopKey
    other_day: Day


class MoveRunStep(_Step):
    """A whole run goes to another vehicle or day; a run that is there comes here instead."""

    kind: Literal["move_run"]
    vehicle_id: VehicleKey
    day: Day
    to_vehicle_id: VehicleKey
    to_day: Day


class RetimeStep(_Step):
    """The doors of a visit open at another time."""

    kind: Literal["retime"]
    stop_id: StopKey
    day: Day
    at_s: Clock


class PinVisitStep(_Step):
    """A visit keeps its vehicle, day and time; with ``is_pinned`` false it is free again."""

    kind: Literal["pin_visit"]
    stop_id: StopKey
    day: Day
    is_pinned: bool = True


class PinRunStep(_Step):
    """A vehicle's day stays as it is, or is free again."""

    kind: Literal["pin_run"]
    vehicle_id: VehicleKey
    day: Day
    is_pinned: bool = True


class PinDayStep(_Step):
    """All runs of a day stay as they are, or are free again."""

    kind: Literal["pin_day"]
    day: Day
    is_pinned: bool = True


class ForbidStep(_Step):
    """Visits of a stop that may not be: by a vehicle, on a day, on a weekday (Monday is 0)."""

    kind: Literal["forbid"]
    stop_id: StopKey
    vehicle_id: VehicleKey | None = None
    day: Day | None = None
    weekday: Annotated[int, Field(ge=0, lt=DAYS_PER_WEEK)] | None = None
    is_forbidden: bool = True


class NewStopStep(_Step):
    """A point of the map becomes a stop of the plan; steps after it may add its visits."""

    kind: Literal["new_stop"]
    stop_id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
    name: Annotated[str, Field(min_length=1, max_length=300, pattern=NUL_FREE)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]
    visits: Annotated[int, Field(ge=1, le=60)] = 1
    service_min: Annotated[int, Field(ge=5, le=600)] = 60
    people: Annotated[int, Field(ge=0, le=10_000_000)] | None = None


AnyStep = Annotated[
    AddStep
    | RemoveStep
    | MoveStep
    | SwapStep
    | MoveRunStep
    | RetimeStep
    | PinVisitStep
    | PinRunStep
    | PinDayStep
    | ForbidStep
    | NewStopStep,
    Field(discriminator="kind"),
]


class EditCreate(BaseModel):
    """Steps that are taken together, as one state."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "steps": [
                        {
                            "kind": "move",
                            "stop_id": "stop-27-101",
                            "from_day": 1,
                            "vehicle_id": "kibo-1",
                            "day": 2,
                            "position": 0,
                        }
                    ],
                    "dry_run": True,
                }
            ]
        },
    )
    steps: Annotated[list[AnyStep], Field(min_length=1, max_length=MOST_STEPS)]
    dry_run: bool = Field(default=False, description="Only tell what the steps would do.")
    may_break: bool = Field(
        default=False,
        description="Keep a state that breaks rules as a draft, which cannot be published.",
    )


class TimePublic(BaseModel):
    """When the doors of a stop open, and whose."""

    day: int
    start_s: int
    vehicle_id: str


class ChangePublic(BaseModel):
    """A time of a stop before and after; null where there is none."""

    stop_id: str
    stop: str
    before: TimePublic | None
    after: TimePublic | None
    is_published: bool


class EditPublic(BaseModel):
    """What steps do, and the state that they lead to where it was stored."""

    is_legal: bool = Field(description="Whether the steps break no rule that held before.")
    broken: list[ViolationView] = Field(description="Rules that the steps break.")
    num_mended: int = Field(description="Rules that were broken and now hold.")
    num_violations: int = Field(description="All rules that are broken after the steps.")
    delta_people: int
    delta_drive_m: int
    delta_drive_s: int
    delta_work_s: int
    num_changed: int = Field(description="Times of stops that change for readers.")
    changed: list[ChangePublic] = Field(description="The first of them.")
    summary: SummaryView
    runs: list[RunView] = Field(description="The runs that change, as they are after the steps.")
    state: BoardState | None = Field(description="The stored state; null after a dry run.")
    frame: BoardFrame | None = Field(
        default=None, description="What stays while a plan is edited, where a new stop joined it."
    )


class PlanPublic(BaseModel):
    """A plan as lists show it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "plan_id": "5d0b5c3b8f4e4c0f9b1f0f6c2f3f4a11",
                    "region_id": "kaliningrad",
                    "name": "Spring",
                    "version": 4,
                    "is_draft": False,
                    "num_violations": 0,
                    "can_undo": True,
                    "can_redo": False,
                    "notes": [],
                    "facts": {"weeks": 4, "num_vehicles": 2},
                    "summary": {"people_reached": 23312, "visits": 114},
                    "step": "Taplaki moved",
                    "created_at": "2026-11-26T16:30:00Z",
                    "created_by": "Anna",
                    "changed_at": "2026-11-26T16:41:00Z",
                    "changed_by": "Anna",
                    "from_plan_id": None,
                    "is_archived": False,
                }
            ]
        }
    )
    plan_id: str
    region_id: str
    name: str
    version: int
    is_draft: bool
    num_violations: int
    can_undo: bool
    can_redo: bool
    notes: list[str] = Field(
        description="What is to be known of the plan: rules that it keeps past their end."
    )
    facts: dict[str, Any]
    summary: dict[str, Any]
    step: str
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str
    from_plan_id: str | None
    is_archived: bool


class PlanUpdate(BaseModel):
    """Another name, or put away."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "Spring, second try"}]}
    )
    name: PlanName | None = None
    is_archived: bool | None = None


class PlanCopy(BaseModel):
    """A plan that begins as another one is now."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "Spring without the bridge"}]}
    )
    name: PlanName


class StepPublic(BaseModel):
    """A step that was taken."""

    version: int
    text: str
    at: datetime
    by: str


class PlaceRequest(BaseModel):
    """The stop for which places are sought: one that is left out, or a new point of the map."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"stop_id": "stop-27-101"}]}
    )
    stop_id: StopKey | None = None
    spot: NewStopStep | None = None
    most: Annotated[int, Field(ge=1, le=30)] = 10


class PlacePublic(BaseModel):
    """A way to serve a stop that breaks no rule, with what it adds to the cycle."""

    text: str
    steps: list[AddStep]
    delta_people: int
    added_drive_m: int
    added_drive_s: int
    added_work_s: int


class PlacesPublic(BaseModel):
    """Ways to serve a stop, least added driving first."""

    stop_id: str
    stop: str
    reason: str = Field(description="Why the plan leaves it out, in a sentence.")
    is_estimated: bool = Field(description="Whether travel to it is estimated.")
    places: list[PlacePublic]
