"""Jobs as the API shows and takes them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel

from api.jobs.params import AnyParams, Name
from data.model.jobs import JobKind, JobState

EXAMPLES = {
    "plan": {
        "summary": "Plan four weeks with two vehicles",
        "value": {"kind": "plan", "weeks": 4, "num_vehicles": 2, "time_limit_s": 40},
    },
    "dates": {
        "summary": "Plan the dates of a half-year, going on from a plan",
        "value": {
            "kind": "plan",
            "start_date": "2027-01-11",
            "until_date": "2027-06-27",
            "from_plan_id": "5d0b5c3b8f4e4c0f9b1f0f6c2f3f4a11",
        },
    },
    "replan": {
        "summary": "Search the rest of a plan anew, at most ten times changed",
        "value": {
            "kind": "replan",
            "plan_id": "5d0b5c3b8f4e4c0f9b1f0f6c2f3f4a11",
            "expect_version": 4,
            "max_changes": 10,
        },
    },
    "explain": {
        "summary": "What would serve one stop",
        "value": {
            "kind": "explain",
            "plan_id": "5d0b5c3b8f4e4c0f9b1f0f6c2f3f4a11",
            "stop_id": "stop-27-101",
        },
    },
    "frontier": {
        "summary": "Plans to choose from",
        "value": {"kind": "frontier", "num_plans": 9, "time_limit_s": 120},
    },
    "fleet_size": {
        "summary": "One to five vehicles, and six bases for one",
        "value": {"kind": "fleet_size", "num_vehicles": 5, "num_bases": 6},
    },
}


class JobCreate(RootModel[AnyParams]):
    """What is to be done; ``kind`` tells which of the five it is."""


class FailurePublic(BaseModel):
    """Why a job failed, in the language of whoever asks."""

    code: str
    message: str
    facts: dict[str, Any]
    problems: list["FailurePublic"] = Field(default_factory=list)


class JobPublic(BaseModel):
    """A job as lists and progress bars show it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "job_id": "0f8fad5bd9cb469fa16570867728950e",
                    "region_id": "kaliningrad",
                    "kind": "plan",
                    "state": "running",
                    "plan_id": None,
                    "fraction": 0.42,
                    "phase": "Planning the runs",
                    "message": "Best so far: at most 3 % below the limit, …",
                    "told": {"phase": "jobs.phase.solve", "code": "jobs.plan.best_below"},
                    "is_cancelled": False,
                    "tries": 1,
                    "failure": None,
                    "created_at": "2026-11-26T16:00:00Z",
                    "created_by": None,
                    "started_at": "2026-11-26T16:00:01Z",
                    "ended_at": None,
                }
            ]
        }
    )
    job_id: str
    region_id: str
    kind: JobKind
    state: JobState
    plan_id: str | None = Field(description="The plan that it is about, or that came of it.")
    fraction: float = Field(ge=0, le=1, description="Share of the present try that is done.")
    phase: str = Field(description="What it is at, in words; empty before it has begun.")
    message: str = Field(description="How it stands, in words: the best so far, or the end.")
    told: dict[str, Any] = Field(description="The same as codes: `phase`, `code` and `facts`.")
    is_cancelled: bool = Field(description="Whether somebody asked to stop it.")
    tries: int = Field(description="How often it was begun; a lost worker's job is begun again.")
    failure: FailurePublic | None
    created_at: datetime
    created_by: str | None
    started_at: datetime | None
    ended_at: datetime | None


class JobDetail(JobPublic):
    """A job with what was asked and what came of it."""

    params: dict[str, Any]
    result: dict[str, Any] = Field(
        description="Of a plan: `plan_id`, `version`, `summary`; of an explanation: `stops`; of "
        "sets of plans: their figures, to be kept by `choices`."
    )


class ChoicePublic(BaseModel):
    """A plan that a job found to choose from."""

    name: str
    summary: dict[str, Any]
    facts: dict[str, Any]
    plan_id: str | None = Field(description="The plan that it was kept as.")


class ChoicesPublic(BaseModel):
    """The plans that a job found, in its order."""

    items: list[ChoicePublic]


class ChoiceKeep(BaseModel):
    """Which of a job's plans is to become a plan of the region."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"choice": "01-most-people", "name": "Spring, most people"}]
        },
    )
    choice: Annotated[Name, Field(description="`name` of the choice.")]
    name: Name | None = Field(default=None, description="Name of the plan; otherwise as found.")


class KeptPublic(BaseModel):
    """The plan that a choice became."""

    plan_id: str
    name: str
    version: int
