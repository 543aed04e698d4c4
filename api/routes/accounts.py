"""Accounts of staff, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.auth import Admin
from api.conditions import IfMatchDep, Items, PagingDep, RepeatDep, etag
from api.errors import problems
from api.schemas.accounts import (
    NUL_FREE,
    AccountCreate,
    AccountPassword,
    AccountPublic,
    AccountUpdate,
)
from api.services import accounts as changes
from api.state import ServiceDep
from data.db import accounts_store
from data.db.engine import reading, writing
from data.model.accounts import Role

router = APIRouter(prefix="/accounts", tags=["accounts"])
CHANGE = problems(404, 409, 412, 428)


@router.get("")
def list_accounts(
    asking: Admin,
    service: ServiceDep,
    paging: PagingDep,
    role: Annotated[Role | None, Query(description="Only accounts with this role.")] = None,
    text: Annotated[
        str, Query(max_length=120, pattern=NUL_FREE, description="Part of a login or a name.")
    ] = "",
    closed: Annotated[bool, Query(description="Closed accounts too.")] = False,
) -> Items[AccountPublic]:
    """Accounts by login."""
    with reading(service.engine) as session:
        found = accounts_store.accounts(
            session,
            limit=paging.fetch,
            after=paging.after_text(),
            role=role,
            text=text,
            with_closed=closed,
        )
    return paging.page(found, AccountPublic.from_domain, lambda account: (account.login,))


@router.post(
    "",
    status_code=201,
    response_model=AccountPublic,
    responses=problems(409),
)
def add_account(
    body: AccountCreate, asking: Admin, service: ServiceDep, repeat: RepeatDep
) -> Response:
    """Add an account."""
    account = changes.new_account(
        service.clock(),
        login=body.login,
        name=body.name,
        roles=body.roles,
        region_ids=body.region_ids,
        language=body.language,
    )
    password = None if body.password is None else body.password.get_secret_value()
    hashed = changes.hash_for(account, password)
    with writing(service.engine) as session:
        if (before := repeat.answer(session)) is not None:
            return before
        added = changes.add_account(session, asking, account, hashed)
        headers = {
            "etag": etag(added.revision),
            "location": f"/api/v1/accounts/{added.account_id}",
        }
        return repeat.keep(session, 201, AccountPublic.from_domain(added), headers)


@router.get("/{account_id}", responses=problems(404))
def get_account(
    account_id: str, asking: Admin, service: ServiceDep, response: Response
) -> AccountPublic:
    """One account."""
    with reading(service.engine) as session:
        found = accounts_store.account(session, account_id)
    response.headers["etag"] = etag(found.revision)
    return AccountPublic.from_domain(found)


@router.patch("/{account_id}", responses=CHANGE)
def change_account(
    account_id: str,
    body: AccountUpdate,
    asking: Admin,
    service: ServiceDep,
    match: IfMatchDep,
    response: Response,
) -> AccountPublic:
    """Change name, roles, regions or language."""
    sent = body.model_dump(exclude_unset=True)
    with writing(service.engine) as session:
        before = accounts_store.account_to_change(session, account_id)
        match.check(before.revision, AccountPublic.from_domain(before))
        roles, region_ids = sent.get("roles"), sent.get("region_ids")
        changed = changes.change_account(
            session,
            asking,
            before,
            name=body.name if body.name is not None else before.name,
            roles=before.roles if roles is None else roles,
            region_ids=before.region_ids if region_ids is None else region_ids,
            language=sent.get("language", before.language),
        )
    response.headers["etag"] = etag(changed.revision)
    return AccountPublic.from_domain(changed)


@router.put("/{account_id}/password", responses=CHANGE)
def set_password(
    account_id: str,
    body: AccountPassword,
    asking: Admin,
    service: ServiceDep,
    match: IfMatchDep,
    response: Response,
) -> AccountPublic:
    """Give an account a new password, or take it away; its sign-ins end."""
    with reading(service.engine) as session:
        account = accounts_store.account(session, account_id)
    given = None if body.password is None else body.password.get_secret_value()
    hashed = changes.hash_for(account, given)
    with writing(service.engine) as session:
        before = accounts_store.account_to_change(session, account_id)
        match.check(before.revision, AccountPublic.from_domain(before))
        changed = changes.set_password(session, asking, before, hashed)
    response.headers["etag"] = etag(changed.revision)
    return AccountPublic.from_domain(changed)


@router.delete("/{account_id}", responses=CHANGE)
def close_account(
    account_id: str, asking: Admin, service: ServiceDep, match: IfMatchDep, response: Response
) -> AccountPublic:
    """Close an account: nobody signs in by it, what it did stays readable."""
    with writing(service.engine) as session:
        before = accounts_store.account_to_change(session, account_id)
        match.check(before.revision, AccountPublic.from_domain(before))
        closed = changes.close_account(session, asking, before, service.clock())
    response.headers["etag"] = etag(closed.revision)
    return AccountPublic.from_domain(closed)


@router.post("/{account_id}/reopen", responses=CHANGE)
def reopen_account(
    account_id: str, asking: Admin, service: ServiceDep, match: IfMatchDep, response: Response
) -> AccountPublic:
    """Open a closed account again."""
    with writing(service.engine) as session:
        before = accounts_store.account_to_change(session, account_id)
        match.check(before.revision, AccountPublic.from_domain(before))
        opened = changes.reopen_account(session, asking, before)
    response.headers["etag"] = etag(opened.revision)
    return AccountPublic.from_domain(opened)
