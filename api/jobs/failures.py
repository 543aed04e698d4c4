"""Refusals as a job keeps them."""

from types import NoneType
from typing import Any

from data.feeds.plan_file import plain
from data.model.errors import BookmobileError
from data.model.jobs import JobFailure


def failure_of(error: BookmobileError) -> JobFailure:
    """The code and facts of a refusal, and of each of its parts."""
    facts = {name: value for name, value in error.facts.items() if name != "problems"}
    parts = error.facts.get("problems")
    found = parts if isinstance(parts, list | tuple) else ()
    return JobFailure(
        code=error.code,
        facts=_json(facts),
        problems=tuple(JobFailure(code=part.code, facts=_json(dict(part.facts))) for part in found),
    )


def _json(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts as JSON values; what JSON does not know as text."""
    known = (str, int, float, bool, list, dict, NoneType)
    return {
        name: value if isinstance(value, known) else str(value)
        for name, value in plain(facts).items()
    }
