"""Accounts of staff in a browser, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from api.auth import Admin
from api.rendering import render
from api.state import ServiceDep
from data.db import accounts_store
from data.db.engine import reading

router = APIRouter(prefix="/accounts")
SHOWN_MAX = 500


@router.get("")
def list_page(
    request: Request,
    asking: Admin,
    service: ServiceDep,
    text: Annotated[str, Query(max_length=120)] = "",
) -> HTMLResponse:
    """Every open account."""
    with reading(service.engine) as session:
        found = accounts_store.accounts(session, limit=SHOWN_MAX, text=text)
    return render(request, "accounts/list.html", accounts=found, text=text)
