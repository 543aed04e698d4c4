"""Long work: what is asked, how far it is, who does it, what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class JobKind(StrEnum):
    """What is done."""

    PLAN = "plan"
    REPLAN = "replan"
    EXPLAIN = "explain"
    FRONTIER = "frontier"
    FLEET_SIZE = "fleet_size"


class JobState(StrEnum):
    """Where a job stands; the last three are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_ended(self) -> bool:
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What people are told of a running job: its phase, and the best so far by code and facts."""

    phase: str = ""
    code: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailure:
    """Why a job failed: a message code with facts, and further ones where there are several."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple["JobFailure", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of long work.

    ``fraction`` is of the present try; it starts anew where a lost job is handed out again.
    """

    job_id: str
    region_id: str
    kind: JobKind
    params: Mapping[str, Any]
    created_at: datetime
    created_by: str | None = None
    plan_id: str | None = None
    """The plan that it is about, or that came of it."""
    state: JobState = JobState.QUEUED
    fraction: float = 0.0
    told: Told = Told()
    result: Mapping[str, Any] = field(default_factory=dict)
    failure: JobFailure | None = None
    is_cancelled: bool = False
    """Whether somebody asked to stop; the best so far is kept."""
    tries: int = 0
    worker: str | None = None
    beat_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A worker's right to a job: it ends when the job is handed out again."""

    job_id: str
    worker: str
    tries: int


class Standing(StrEnum):
    """What a worker learns when it tells how far it is."""

    GO_ON = "go_on"
    STOP = "stop"
    """Somebody cancelled the job."""
    LOST = "lost"
    """The job is no longer this worker's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaped:
    """Jobs whose worker was lost: handed out again, given up, or ended as cancelled."""

    again: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    cancelled: tuple[str, ...] = ()

    @property
    def ended(self) -> tuple[str, ...]:
        return self.failed + self.cancelled


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFigures:
    """How many jobs stand where, and since when the oldest waits."""

    num_by_state: Mapping[JobState, int]
    oldest_queued_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """A plan that a job found to choose from; it becomes a plan of the region when it is kept."""

    name: str
    summary: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)
    plan_id: str | None = None
    """The plan that it was kept as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlanDocument:
    """The packed request and plan of a ``JobPlan``."""

    request: bytes
    plan: bytes
