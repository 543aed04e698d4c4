"""Who one is: sign-in, sign-out, own password, language and sign-ins."""

from fastapi import APIRouter, Request, Response

from api import auth
from api.auth import Anyone, Staff
from api.errors import problems
from api.schemas.accounts import (
    AccountPublic,
    CallerPublic,
    OwnLanguage,
    OwnPassword,
    SignInCreate,
    SignInPublic,
)
from api.services import accounts as service_of_accounts
from api.services import signing_in
from api.state import ServiceDep
from data.db import accounts_store, audit_store
from data.db.engine import reading, writing

router = APIRouter(prefix="/session", tags=["session"])


def address_of(request: Request) -> str:
    """Address that a request came from; behind a trusted proxy, the one that it tells."""
    return request.client.host if request.client else "unknown"


@router.get("")
def whoami(asking: Anyone) -> CallerPublic:
    """Whoever asks, with its roles; nobody signed in has the role `public`."""
    return CallerPublic.from_domain(asking)


@router.post("", status_code=201, responses=problems(429))
def sign_in(
    body: SignInCreate, request: Request, response: Response, service: ServiceDep
) -> CallerPublic:
    """Sign in by password; the session is a cookie."""
    signed = signing_in.sign_in(
        service, body.login, body.password.get_secret_value(), address_of(request)
    )
    auth.set_cookie(response, service.settings, signed.token, days=service.settings.sign_in_days)
    return CallerPublic.from_domain(signed.account.as_caller())


@router.delete("", status_code=204)
def sign_out(request: Request, response: Response, asking: Anyone, service: ServiceDep) -> None:
    """Sign out; to sign out twice does no harm."""
    token = auth.token_of(request)
    if token is not None:
        signing_in.sign_out(service, asking, token)
    auth.clear_cookie(response, service.settings)


@router.put("/password", responses=problems(429))
def change_password(
    body: OwnPassword, request: Request, asking: Staff, service: ServiceDep
) -> AccountPublic:
    """Change one's own password; every other sign-in ends."""
    changed = service_of_accounts.change_own_password(
        service,
        asking,
        auth.token_of(request),
        body.old.get_secret_value(),
        body.new.get_secret_value(),
    )
    return AccountPublic.from_domain(changed)


@router.put("/language")
def change_language(body: OwnLanguage, asking: Staff, service: ServiceDep) -> AccountPublic:
    """Choose the language of pages and messages."""
    changed = service_of_accounts.change_own_language(service, asking, body.language)
    return AccountPublic.from_domain(changed)


@router.get("/sign-ins")
def own_sign_ins(request: Request, asking: Staff, service: ServiceDep) -> list[SignInPublic]:
    """Where one is signed in, the last used first."""
    account_id = service_of_accounts.own_account_id(asking)
    this_id = sign_in_id_of(request)
    with reading(service.engine) as session:
        found = accounts_store.sign_ins(session, account_id)
    return [SignInPublic.from_domain(one, this_id) for one in found]


@router.delete("/sign-ins/{sign_in_id}", status_code=204, responses=problems(404))
def end_sign_in(sign_in_id: str, asking: Staff, service: ServiceDep) -> None:
    """End one of one's own sign-ins, on another computer or a lost one."""
    account_id = service_of_accounts.own_account_id(asking)
    with writing(service.engine) as session:
        accounts_store.end_sign_in(session, account_id, sign_in_id)
        audit_store.record(session, asking, "session.end", account_id, sign_in=sign_in_id)


def sign_in_id_of(request: Request) -> str | None:
    """Id of the sign-in that a request came by."""
    token = auth.token_of(request)
    if token is None:
        return None
    return auth.hash_token(token)[: accounts_store.SIGN_IN_ID_CHARS]
