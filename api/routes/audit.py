"""The audit log, for administrators."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from api.auth import Admin
from api.conditions import Items, PagingDep
from api.schemas.accounts import NUL_FREE
from api.schemas.audit import AuditEntryPublic
from api.state import ServiceDep
from data.db import audit_store
from data.db.engine import reading

router = APIRouter(prefix="/audit", tags=["audit"])
type Text = Annotated[str, Query(max_length=200, pattern=NUL_FREE)]


@router.get("")
def list_entries(
    asking: Admin,
    service: ServiceDep,
    paging: PagingDep,
    account_id: Annotated[Text | None, Query(description="Who did it.")] = None,
    region_id: Annotated[Text | None, Query(description="In which region.")] = None,
    action: Annotated[
        Text, Query(description="A code, or its beginning up to a dot: `account`.")
    ] = "",
    subject: Annotated[Text, Query(description="Id of the thing changed.")] = "",
    since: Annotated[AwareDatetime | None, Query(description="From this instant on.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Before this instant.")] = None,
) -> Items[AuditEntryPublic]:
    """Entries, the newest first."""
    with reading(service.engine) as session:
        found = audit_store.entries(
            session,
            limit=paging.fetch,
            before=paging.after_number(),
            account_id=account_id,
            region_id=region_id,
            action=action,
            subject=subject,
            since_at=since,
            until_at=until,
        )
    return paging.page(found, AuditEntryPublic.from_domain, lambda entry: (entry.audit_id,))
