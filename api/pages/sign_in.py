"""Signing in and out in a browser."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from api import auth
from api.auth import Anyone
from api.errors import status_of
from api.pages.forms import safe_next
from api.rendering import render
from api.routes.session import address_of
from api.services import signing_in
from api.state import ServiceDep
from data.model.errors import AccessError

router = APIRouter()


@router.get("/sign-in")
def sign_in_page(request: Request, asking: Anyone) -> Response:
    """The form; whoever is signed in already goes on."""
    after = safe_next(request.query_params.get("next", "/desk"))
    if asking.is_known:
        return RedirectResponse(after, status_code=303)
    return render(request, "sign_in.html", after=after, login="", error=None)


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
        return render(
            request,
            "sign_in.html",
            status=status_of(error),
            after=safe_next(after),
            login=login,
            error=error,
        )
    response = RedirectResponse(safe_next(after), status_code=303)
    auth.set_cookie(response, service.settings, signed.token, days=service.settings.sign_in_days)
    return response


@router.post("/sign-out")
def sign_out(request: Request, asking: Anyone, service: ServiceDep) -> Response:
    """End the sign-in and go to the first page."""
    token = auth.token_of(request)
    if token is not None:
        signing_in.sign_out(service, asking, token)
    response = RedirectResponse("/", status_code=303)
    auth.clear_cookie(response, service.settings)
    return response
