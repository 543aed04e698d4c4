"""Refusals over HTTP: the status of each, and the one shape in which every one is told."""

import logging
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from api.auth import NOBODY, know_caller
from api.language import words_of
from api.problem_words import code_of, facts_of
from api.rendering import is_htmx, render
from data.model.errors import (
    AccessError,
    BookmobileError,
    ConflictError,
    InputError,
    NotFoundError,
    RequestError,
    RoadsError,
    StoreError,
)

log = logging.getLogger(__name__)

STATUS: tuple[tuple[type[BookmobileError], int], ...] = (
    (InputError, 422),
    (RequestError, 422),
    (NotFoundError, 404),
    (ConflictError, 409),
    (AccessError, 403),
    (RoadsError, 503),
    (StoreError, 503),
)
STATUS_OF_CODE = {
    "access.sign_in": 401,
    "access.bad_sign_in": 401,
    "access.too_many": 429,
    "jobs.too_many": 429,
    "request.too_large": 413,
    "request.stale": 412,
    "request.if_match": 428,
}
"""Codes whose status is not that of their class."""
HTTP_CODES = {
    400: "request.unreadable",
    404: "request.no_page",
    405: "request.method",
    413: "request.too_large",
    415: "request.media_type",
}


class ProblemPart(BaseModel):
    """One fault of several."""

    code: str
    message: str
    field: str | None = None
    facts: dict[str, Any] = Field(default_factory=dict)


class Problem(BaseModel):
    """What every refusal looks like."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "account.unknown",
                    "message": "There is no account 7f3a.",
                    "facts": {"account": "7f3a"},
                    "problems": [],
                }
            ]
        }
    )
    code: str = Field(description="Stable code of the refusal.")
    message: str = Field(description="The refusal in the language of whoever asks.")
    facts: dict[str, Any] = Field(default_factory=dict, description="Values named in the message.")
    problems: list[ProblemPart] = Field(
        default_factory=list, description="Each fault, where there are several."
    )


_TOLD = {
    400: "The request cannot be read",
    401: "Not signed in",
    403: "May not do this",
    404: "Not there",
    409: "Clashes with what is there",
    412: "Changed since it was read; `facts.current` is how it stands",
    413: "Too large",
    422: "A value is wrong or missing",
    428: "If-Match is missing",
    429: "Too many tries; Retry-After tells how long to wait",
    503: "Cannot be done now",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """``responses=`` of a route: the refusals that it may answer with."""
    return {status: {"model": Problem, "description": _TOLD[status]} for status in statuses}


COMMON = problems(400, 401, 403, 413, 422)
"""Refusals that any route of the API may answer with."""


def status_of(error: BookmobileError) -> int:
    """The HTTP status of a refusal."""
    if error.code in STATUS_OF_CODE:
        return STATUS_OF_CODE[error.code]
    return next((status for kind, status in STATUS if isinstance(error, kind)), 400)


def problem_of(request: Request, error: BookmobileError) -> Problem:
    """A refusal in the language of whoever asks."""
    words = words_of(request)
    facts = {name: _plain(value) for name, value in error.facts.items() if name != "problems"}
    parts = error.facts.get("problems")
    return Problem(
        code=error.code,
        message=words.error(error),
        facts=facts,
        problems=[
            ProblemPart(
                code=part.code,
                message=words(part.code, **part.facts),
                field=_field(part.facts),
                facts={name: _plain(value) for name, value in part.facts.items()},
            )
            for part in (parts if isinstance(parts, list | tuple) else ())
        ],
    )


def _field(facts: Mapping[str, object]) -> str | None:
    named = facts.get("field") or facts.get("column")
    return None if named is None else str(named)


def _plain(value: object) -> Any:
    if value is None or isinstance(value, str | int | float | bool | dict | list):
        return value
    if isinstance(value, tuple | set | frozenset):
        return [_plain(part) for part in value]
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return str(value)


def wants_html(request: Request) -> bool:
    """Whether a person's browser asks for a page, not a program for data."""
    if request.url.path.startswith("/api/"):
        return False
    return is_htmx(request) or "text/html" in request.headers.get("accept", "")


def answer_refusal(request: Request, error: BookmobileError) -> Response:
    """The answer to a request that is refused."""
    return _answer(request, problem_of(request, error), status_of(error))


def _answer(request: Request, problem: Problem, status: int) -> Response:
    headers: dict[str, str] = {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    if status == 429:
        headers["retry-after"] = str(problem.facts.get("wait_s", 60))
    if status == 412 and "revision" in problem.facts:
        headers["etag"] = f'"{problem.facts["revision"]}"'
    if not wants_html(request):
        return JSONResponse(problem.model_dump(mode="json"), status_code=status, headers=headers)
    if problem.code == "access.sign_in":
        return _to_sign_in(request)
    template = "fragments/problem.html" if is_htmx(request) else "error.html"
    return render(request, template, status=status, headers=headers, problem=problem, code=status)


def _to_sign_in(request: Request) -> Response:
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if is_htmx(request):
        return Response(status_code=204, headers={"HX-Redirect": "/sign-in"})
    after = f"?next={quote(here, safe='/')}" if request.method == "GET" and here != "/" else ""
    return Response(status_code=303, headers={"location": f"/sign-in{after}"})


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, BookmobileError)
    know_caller(request)
    if isinstance(error, RoadsError | StoreError):
        log.error("request.failed", exc_info=error)
    return answer_refusal(request, error)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    know_caller(request)
    words = words_of(request)
    parts = []
    for fault in error.errors():
        code, facts = code_of(fault["type"]), facts_of(fault)
        part = ProblemPart(
            code=code, message=words(code, **facts), field=str(facts["field"]), facts=facts
        )
        if part not in parts:
            parts.append(part)
    message = words.count("request.invalid", len(parts))
    return _answer(request, Problem(code="request.invalid", message=message, problems=parts), 422)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    know_caller(request)
    code = HTTP_CODES.get(error.status_code, "request.refused")
    facts: dict[str, Any] = {"status": error.status_code, "path": request.url.path}
    problem = Problem(code=code, message=words_of(request)(code, **facts), facts=facts)
    response = _answer(request, problem, error.status_code)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


def _hung_up(request: Request, error: Exception) -> Response:
    """Nobody hears the answer; that a phone loses its network is no failure of the program."""
    assert isinstance(error, ClientDisconnect)
    log.info("request.hung_up", extra={"path": request.url.path})
    return Response(status_code=400)


def answer_failure(request: Request, error: Exception) -> Response:
    """The answer to a request that broke the program: a number to find it in the log by."""
    _leave_unknown(request)
    number = uuid.uuid4().hex[:8]
    log.error("request.failed", extra={"number": number}, exc_info=error)
    code = "request.failed"
    message = words_of(request)(code, number=number)
    return _answer(request, Problem(code=code, message=message, facts={"number": number}), 500)


def answer_too_large(request: Request, most_mb: int) -> Response:
    """The answer to a request that is larger than it may be."""
    return answer_outside(request, InputError("request.too_large", limit_mb=most_mb))


def answer_outside(request: Request, error: BookmobileError) -> Response:
    """The answer to a request that no route has seen; the database is not asked who asks."""
    _leave_unknown(request)
    return answer_refusal(request, error)


def _leave_unknown(request: Request) -> None:
    if not hasattr(request.state, "caller"):
        request.state.caller = NOBODY


def install_errors(app: FastAPI) -> None:
    """Let the application tell every refusal in the one shape."""
    app.add_exception_handler(BookmobileError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _hung_up)
