"""Signing in and out in a browser."""

import secrets
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from api import auth
from api.auth import Anyone
from api.errors import status_of
from api.limiter import Limit, network_asking
from api.oidc import Pending
from api.pages.forms import safe_next
from api.rendering import render
from api.routes.session import address_of
from api.services import signing_in
from api.state import Service, ServiceDep, service_of
from data.model.errors import AccessError, NotFoundError

router = APIRouter()
PENDING_S = 600
"""How long somebody may take at the provider."""


@router.get("/sign-in")
def sign_in_page(request: Request, asking: Anyone) -> Response:
    """The form; whoever is signed in already goes on."""
    after = safe_next(request.query_params.get("next", "/desk"))
    if asking.is_known:
        return RedirectResponse(after, status_code=303)
    return _page(request, after, None)


@router.post("/sign-in")
def sign_in(
    request: Request,
    service: ServiceDep,
    login: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    after: Annotated[str, Form(alias="next", max_length=2000)] = "/desk",
) -> Response:
    """Check login and password; wrong ones come back to the form."""
    try:
        signed = signing_in.sign_in(service, login, password, address_of(request))
    except AccessError as error:
        return _page(request, safe_next(after), error, login=login)
    return _signed_in(service, signed, after)


@router.post("/sign-out")
def sign_out(request: Request, asking: Anyone, service: ServiceDep) -> Response:
    """End the sign-in and go to the first page."""
    token = auth.token_of(request)
    if token is not None:
        signing_in.sign_out(service, asking, token)
    response = RedirectResponse("/", status_code=303)
    auth.clear_cookie(response, service.settings)
    return response


@router.get("/sign-in/oidc")
def leave_for_provider(request: Request, service: ServiceDep) -> Response:
    """Send the browser to the organisation's provider."""
    after = safe_next(request.query_params.get("next", "/desk"))
    if service.oidc is None:
        raise NotFoundError("request.no_page")
    try:
        service.limiter.check(Limit.SIGN_IN_ADDRESS, network_asking(request))
        address, pending = service.oidc.begin(after)
    except AccessError as error:
        return _page(request, after, error)
    response = RedirectResponse(address, status_code=303)
    response.set_cookie(
        _pending_cookie(service), pending.packed(), max_age=PENDING_S, path="/",
        secure=service.settings.is_secure, httponly=True, samesite="lax",
    )  # fmt: skip
    return response


@router.get("/sign-in/oidc/back")
def back_from_provider(request: Request, service: ServiceDep) -> Response:
    """Take what the provider sent back by the browser."""
    if service.oidc is None:
        raise NotFoundError("request.no_page")
    kept = dict(parse_qsl(request.cookies.get(_pending_cookie(service), "")))
    after = safe_next(kept.get("after", "/desk"))
    try:
        service.limiter.check(Limit.SIGN_IN_ADDRESS, network_asking(request))
        pending = Pending(
            state=kept.get("state") or secrets.token_urlsafe(),
            nonce=kept.get("nonce", ""),
            verifier=kept.get("verifier", ""),
            after=after,
        )
        identity = service.oidc.finish(pending, dict(request.query_params))
        signed = signing_in.sign_in_by(service, identity)
    except AccessError as error:
        response = _page(request, after, error)
    else:
        response = _signed_in(service, signed, after)
    response.delete_cookie(
        _pending_cookie(service), path="/", secure=service.settings.is_secure, httponly=True,
        samesite="lax",
    )  # fmt: skip
    return response


def _pending_cookie(service: Service) -> str:
    return "__Host-oidc" if service.settings.is_secure else "oidc"


def _signed_in(service: Service, signed: signing_in.SignedIn, after: str) -> Response:
    response = RedirectResponse(safe_next(after), status_code=303)
    auth.set_cookie(response, service.settings, signed.token, days=service.settings.sign_in_days)
    return response


def _page(request: Request, after: str, error: AccessError | None, *, login: str = "") -> Response:
    settings = service_of(request).settings
    return render(
        request,
        "sign_in.html",
        status=status_of(error) if error else 200,
        after=after,
        login=login,
        error=error,
        provider=settings.oidc_name if settings.oidc_issuer else None,
    )
