"""One's own account in a browser: password, language, where one is signed in."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import HTMLResponse

from api import auth
from api.auth import Staff
from api.errors import status_of
from api.pages.forms import done_of, see_other
from api.pages.naming import own_regions
from api.rendering import render
from api.routes.session import sign_in_id_of
from api.services import accounts as changes
from api.state import Service, ServiceDep
from data.db import accounts_store, audit_store
from data.db.engine import reading, writing
from data.model.accounts import Caller
from data.model.errors import BookmobileError, InputError

router = APIRouter(prefix="/account")


@router.get("")
def own_page(request: Request, asking: Staff, service: ServiceDep) -> HTMLResponse:
    """The account of whoever is signed in."""
    return _page(request, service, asking, None)


@router.post("/password")
def change_password(
    request: Request,
    asking: Staff,
    service: ServiceDep,
    old: Annotated[str, Form(max_length=1000)] = "",
    new: Annotated[str, Form(max_length=1000)] = "",
    again: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Change one's password; every other sign-in ends."""
    try:
        if new != again:
            raise InputError("account.password_differs")
        changes.change_own_password(service, asking, auth.token_of(request), old, new)
    except InputError as error:
        return _page(request, service, asking, error)
    return see_other("/account", "password")


@router.post("/sign-ins/{sign_in_id}/end")
def end_sign_in(sign_in_id: str, asking: Staff, service: ServiceDep) -> Response:
    """End one of one's sign-ins."""
    account_id = changes.own_account_id(asking)
    with writing(service.engine) as session:
        accounts_store.end_sign_in(session, account_id, sign_in_id)
        audit_store.record(session, asking, "session.end", account_id, sign_in=sign_in_id)
    return see_other("/account", "ended")


def _page(
    request: Request, service: Service, caller: Caller, error: BookmobileError | None
) -> HTMLResponse:
    account_id = changes.own_account_id(caller)
    with reading(service.engine) as session:
        account = accounts_store.account(session, account_id)
        sign_ins = accounts_store.sign_ins(session, account_id)
        regions = own_regions(session, caller, "en")
    return render(
        request, "accounts/own.html", status=status_of(error) if error else 200,
        account=account, sign_ins=sign_ins, this_id=sign_in_id_of(request), error=error,
        regions=dict(regions), done=done_of(request),
    )  # fmt: skip
