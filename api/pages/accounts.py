"""Accounts of staff in a browser, for administrators."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from sqlmodel import Session
from starlette.responses import HTMLResponse

from api.auth import Admin
from api.conditions import IfMatch
from api.errors import status_of
from api.language import language_of
from api.pages.forms import done_of, or_none, read_roles, see_other
from api.pages.naming import named_regions
from api.rendering import render
from api.services import accounts as changes
from api.state import Service, ServiceDep
from data.db import accounts_store
from data.db.engine import reading, writing
from data.db.regions_known_store import region_names
from data.model.accounts import STAFF_ROLES, Account
from data.model.errors import BookmobileError

router = APIRouter(prefix="/accounts")
SHOWN_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountForm:
    """What was typed about an account."""

    login: str = ""
    name: str = ""
    roles: tuple[str, ...] = ()
    region_ids: tuple[str, ...] = ()
    language: str = ""

    @classmethod
    def of(cls, account: Account) -> "AccountForm":
        """The form filled with what is stored."""
        return cls(
            login=account.login,
            name=account.name,
            roles=tuple(str(role) for role in account.roles),
            region_ids=account.region_ids,
            language=account.language or "",
        )


def read_form(
    login: Annotated[str, Form(max_length=200)] = "",
    name: Annotated[str, Form(max_length=1000)] = "",
    roles: Annotated[tuple[str, ...], Form(max_length=20)] = (),
    region_ids: Annotated[tuple[str, ...], Form(max_length=200)] = (),
    language: Annotated[str, Form(max_length=20)] = "",
) -> AccountForm:
    """The form as it was sent."""
    return AccountForm(
        login=login, name=name, roles=roles, region_ids=region_ids, language=language
    )


FormDep = Annotated[AccountForm, Depends(read_form)]
Revision = Annotated[int, Form(ge=1, lt=2**31)]


@router.get("")
def list_page(
    request: Request,
    asking: Admin,
    service: ServiceDep,
    text: Annotated[str, Query(max_length=120)] = "",
    closed: Annotated[bool, Query()] = False,
) -> HTMLResponse:
    """Accounts by login."""
    with reading(service.engine) as session:
        found = accounts_store.accounts(
            session, limit=SHOWN_MAX, text=text.strip(), with_closed=closed
        )
        regions = dict(named_regions(region_names(session), language_of(request)))
    return render(
        request, "accounts/list.html", accounts=found, text=text, closed=closed,
        regions=regions, done=done_of(request),
    )  # fmt: skip


@router.get("/new")
def new_page(request: Request, asking: Admin, service: ServiceDep) -> HTMLResponse:
    """An empty form."""
    return _new(request, service, AccountForm(roles=("dispatcher",)), None)


@router.post("")
def add(
    request: Request,
    asking: Admin,
    service: ServiceDep,
    form: FormDep,
    password: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Add an account; a fault comes back in the form."""
    try:
        account = changes.new_account(
            service.clock(),
            login=form.login,
            name=form.name,
            roles=read_roles(form.roles),
            region_ids=form.region_ids,
            language=or_none(form.language),
        )
        hashed = changes.hash_for(account, password or None)
        with writing(service.engine) as session:
            added = changes.add_account(session, asking, account, hashed)
    except BookmobileError as error:
        return _new(request, service, form, error)
    return see_other(f"/accounts/{added.account_id}", "added")


def _new(
    request: Request, service: Service, form: AccountForm, error: BookmobileError | None
) -> HTMLResponse:
    return render(
        request, "accounts/new.html", status=status_of(error) if error else 200,
        form=form, error=error, roles=STAFF_ROLES, regions=_regions(request, service),
    )  # fmt: skip


@router.get("/{account_id}")
def account_page(
    request: Request, account_id: str, asking: Admin, service: ServiceDep
) -> HTMLResponse:
    """One account: change it, give it a password, close it."""
    return _edit(request, service, account_id, None, None)


@router.post("/{account_id}")
def change(
    request: Request,
    account_id: str,
    asking: Admin,
    service: ServiceDep,
    form: FormDep,
    revision: Revision,
) -> Response:
    """Change name, roles, regions and language."""

    def do(session: Session, before: Account) -> None:
        changes.change_account(
            session,
            asking,
            before,
            name=form.name,
            roles=read_roles(form.roles),
            region_ids=form.region_ids,
            language=or_none(form.language),
        )

    return _try(request, service, account_id, revision, do, "changed", form)


@router.post("/{account_id}/password")
def set_password(
    request: Request,
    account_id: str,
    asking: Admin,
    service: ServiceDep,
    revision: Revision,
    password: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Give a new password; every sign-in of the account ends."""
    try:
        with reading(service.engine) as session:
            account = accounts_store.account(session, account_id)
        hashed = changes.hash_for(account, password)
    except BookmobileError as error:
        return _edit(request, service, account_id, None, error)

    def do(session: Session, before: Account) -> None:
        changes.set_password(session, asking, before, hashed)

    return _try(request, service, account_id, revision, do, "password", None)


@router.post("/{account_id}/close")
def close(
    request: Request, account_id: str, asking: Admin, service: ServiceDep, revision: Revision
) -> Response:
    """Close the account."""

    def do(session: Session, before: Account) -> None:
        changes.close_account(session, asking, before, service.clock())

    return _try(request, service, account_id, revision, do, "closed", None)


@router.post("/{account_id}/reopen")
def reopen(
    request: Request, account_id: str, asking: Admin, service: ServiceDep, revision: Revision
) -> Response:
    """Open the account again."""

    def do(session: Session, before: Account) -> None:
        changes.reopen_account(session, asking, before)

    return _try(request, service, account_id, revision, do, "reopened", None)


def _try(
    request: Request,
    service: Service,
    account_id: str,
    revision: int,
    do: Callable[[Session, Account], None],
    done: str,
    form: AccountForm | None,
) -> Response:
    """Make a change from the revision that the page showed; a refusal comes back in the page."""
    try:
        with writing(service.engine) as session:
            before = accounts_store.account_to_change(session, account_id)
            IfMatch(revision=revision).check(before.revision, {})
            do(session, before)
    except BookmobileError as error:
        # After a change by somebody else the page shows that one's values, not those typed.
        kept = None if error.code == "request.stale" else form
        return _edit(request, service, account_id, kept, error)
    return see_other(f"/accounts/{account_id}", done)


def _edit(
    request: Request,
    service: Service,
    account_id: str,
    form: AccountForm | None,
    error: BookmobileError | None,
) -> HTMLResponse:
    with reading(service.engine) as session:
        account = accounts_store.account(session, account_id)
        sign_ins = accounts_store.sign_ins(session, account_id)
    return render(
        request, "accounts/edit.html", status=status_of(error) if error else 200,
        account=account, form=form or AccountForm.of(account), error=error, roles=STAFF_ROLES,
        regions=_regions(request, service), sign_ins=sign_ins, done=done_of(request),
    )  # fmt: skip


def _regions(request: Request, service: Service) -> list[tuple[str, str]]:
    with reading(service.engine) as session:
        return named_regions(region_names(session), language_of(request))
