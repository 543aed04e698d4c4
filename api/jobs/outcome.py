"""What passes between a worker and the process that searches for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from data.model.jobs import JobFailure, JobPlan, JobPlanDocument, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """How far the search is."""

    fraction: float
    told: Told
    is_searching: bool = False
    """Whether there may be a best plan to keep when it is asked to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPlan:
    """A plan that the checker has passed, packed as ``data.db.plan_store`` keeps it.

    ``append_to`` names the plan, and the version of it, that this one continues; without it the
    plan is new.
    """

    name: str
    request: bytes
    plan: bytes
    pins: Mapping[str, Any]
    step: Mapping[str, Any]
    summary: Mapping[str, Any]
    facts: Mapping[str, Any]
    from_plan_id: str | None = None
    append_to: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a job: figures, and a plan or several to choose from."""

    result: Mapping[str, Any]
    found: FoundPlan | None = None
    choices: tuple[tuple[JobPlan, JobPlanDocument], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why nothing came of it."""

    failure: JobFailure
    result: Mapping[str, Any] = field(default_factory=dict)


class BrokenPlanError(Exception):
    """The best plan found breaks rules, so that it is not to be stored."""

    def __init__(self, failure: JobFailure) -> None:
        super().__init__(failure.code)
        self.failure = failure


type FromSearch = Note | Outcome | Refusal

BEAT, STOP = "beat", "stop"
"""What a worker tells its search: it is still the worker's; it is to end with the best so far."""
