"""Jobs in words: how one stands, why it failed, what would serve a stop."""

from collections.abc import Mapping
from typing import Any

from api.jobs.packing import BROKEN
from api.schemas.jobs import FailurePublic, JobDetail, JobPublic
from api.services.plan_words import readable
from api.words import Words
from data.model.jobs import Job, JobFailure, JobKind, JobState, Told


def job_public(words: Words, job: Job) -> JobPublic:
    """A job as lists show it."""
    return JobPublic(**_fields(words, job))


def job_detail(words: Words, job: Job) -> JobDetail:
    """A job with what was asked and what came of it; explanations are put into words."""
    result = dict(job.result)
    if job.kind is JobKind.EXPLAIN and "stops" in result:
        result["stops"] = [_explained(words, stop) for stop in result["stops"]]
    return JobDetail(**_fields(words, job), params=dict(job.params), result=result)


def _fields(words: Words, job: Job) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "region_id": job.region_id,
        "kind": job.kind,
        "state": job.state,
        "plan_id": job.plan_id,
        "fraction": job.fraction,
        "phase": words(job.told.phase) if job.told.phase else "",
        "message": message_of(words, job),
        "told": {
            "phase": job.told.phase,
            "code": job.told.code,
            "facts": dict(job.told.facts),
        },
        "is_cancelled": job.is_cancelled,
        "tries": job.tries,
        "failure": None if job.failure is None else _failure(words, job.failure),
        "created_at": job.created_at,
        "created_by": job.created_by,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
    }


def message_of(words: Words, job: Job) -> str:
    """How a job stands, in a sentence."""
    match job.state:
        case JobState.FAILED if job.failure is not None:
            return _refused(words, job.failure)
        case JobState.DONE:
            return _outcome(words, job)
        case JobState.CANCELLED:
            if not job.result:
                return words("jobs.cancelled")
            return words("jobs.cancelled_kept", best=_outcome(words, job))
        case JobState.RUNNING:
            return _running(words, job.told)
        case _:
            return words(f"jobs.state.{job.state.value}")


def _running(words: Words, told: Told) -> str:
    if told.code:
        # Plain numbers, so that they are written as the language does.
        facts = {n: words.number(v, 1) if _is_number(v) else v for n, v in told.facts.items()}
        return words(told.code, **facts)
    return words(told.phase) if told.phase else words("jobs.state.running")


def _outcome(words: Words, job: Job) -> str:
    """What came of a job, with its figures."""
    result, code = job.result, f"jobs.done.{job.kind.value}"
    match job.kind:
        case JobKind.PLAN | JobKind.REPLAN:
            if job.kind is JobKind.REPLAN and result.get("is_aside"):
                return words("jobs.done.aside")
            if job.kind is JobKind.REPLAN and result.get("is_same"):
                return words("jobs.done.same")
            return words(code, **_figures(words, result))
        case JobKind.EXPLAIN:
            return words.count(code, len(result.get("stops", ())))
        case JobKind.FRONTIER:
            return words.count(code, len(result.get("plans", ())))
        case JobKind.FLEET_SIZE:
            return words.count(code, len(result.get("sizes", ())))


def _figures(words: Words, result: Mapping[str, Any]) -> dict[str, str]:
    summary = result.get("summary", {})
    gap = summary.get("gap_ratio")
    return {
        "people": words.number(summary.get("people_reached", 0)),
        "stops": words.number(summary.get("stops_served", 0)),
        "km": words.number(summary.get("drive_m", 0) / 1000),
        "gap": "—" if gap is None else words.percent(gap),
        "changes": words.number(result.get("num_changes", 0)),
    }


def _failure(words: Words, failure: JobFailure) -> FailurePublic:
    return FailurePublic(
        code=failure.code,
        message=_refused(words, failure),
        facts=dict(failure.facts),
        problems=[_failure(words, problem) for problem in failure.problems],
    )


def _refused(words: Words, failure: JobFailure) -> str:
    shown = readable(words, failure.facts)
    if failure.code == BROKEN:
        return words.count(BROKEN, int(shown.pop("n")))
    return words(failure.code, **shown)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _explained(words: Words, stop: Mapping[str, Any]) -> dict[str, Any]:
    """An explanation with its reason and each change in words."""
    reason = dict(stop["reason"])
    reason["text"] = words(f"{reason['code']}.detail", **readable(words, reason["facts"]))
    return dict(stop) | {
        "reason": reason,
        "changes": [dict(change) | {"text": _change(words, change)} for change in stop["changes"]],
    }


def _change(words: Words, change: Mapping[str, Any]) -> str:
    code = str(change["code"])
    if code == "relax.none" and change["proof"] != "place":
        code = "relax.replan"
    return words(code, **readable(words, change["facts"]))
