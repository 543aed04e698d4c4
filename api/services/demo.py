"""The demo: a planned region in a database of its own, with an account for each role."""

import shutil
import uuid
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Engine

from api.jobs.packing import cycle_facts, summary_json
from api.passwords import hash_password
from api.services.accounts import add_account, new_account
from api.services.plan_documents import packed
from api.services.planning import PlanResult
from api.services.publishing import PublishAsked, publish
from api.services.region_home import region_files
from api.settings import Settings
from data.db import accounts_store, plan_store, publication_store, region_store
from data.db.engine import reading, writing
from data.db.plan_store import PlanState
from data.feeds.plan_bytes import pins_to_json
from data.model.accounts import PROGRAM, Role
from data.model.region import Region

PASSWORD = "bookmobile-demo"
"""Known to everyone: the settings serve a demo on this machine alone."""
LOGINS = {
    Role.ADMIN: "admin",
    Role.DISPATCHER: "dispatcher",
    Role.LIBRARIAN: "librarian",
    Role.CREW: "crew",
    Role.ANALYST: "analyst",
}
EXTRACT = "extract.osm.pbf"


def is_seeded(engine: Engine, region_id: str) -> bool:
    """Whether an earlier demo has left its planned region and accounts here."""
    with reading(engine) as session:
        known = {r.region_id for r in region_store.list_regions(session)}
        return (
            region_id in known
            and publication_store.newest_timetable(session, region_id) is not None
            and accounts_store.count_admins(session) > 0
        )


def seed(
    engine: Engine,
    settings: Settings,
    region: Region,
    result: PlanResult,
    *,
    name: str,
    from_date: date,
    extract: Path | None,
    at: datetime,
) -> None:
    """Store the region, its plan, the timetable published from a date, and the accounts.

    ``at`` is when all of it is to have happened: the demo's library has run for some weeks. The
    road extract, where there is one, is copied to the service's own files, so that plans made
    later travel on it too. All or nothing: a demo cut short begins anew.
    """
    if extract is not None:
        folder = region_files(settings, region.region_id)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(extract, folder / EXTRACT)
        region = replace(region, roads_file=EXTRACT)
    hashed = hash_password(PASSWORD)
    request, plan = packed(result.request, result.plan)
    plan_id = uuid.uuid4().hex
    with writing(engine) as session:
        region_store.add_region(session, region, at=at)
        for role, login in LOGINS.items():
            account = new_account(at, login=login, name="", roles=(role,), is_demo=True)
            add_account(session, PROGRAM, account, hashed)
        plan_store.add_plan(
            session,
            plan_id=plan_id,
            region_id=region.region_id,
            name=name,
            request=request,
            state=PlanState(
                plan=plan,
                pins=pins_to_json(result.request.pins),
                step={"code": "step.begun"},
                summary=summary_json(result.summary),
                num_violations=0,
            ),
            facts=cycle_facts(result.request),
            at=at,
            by=None,
        )
        asked = PublishAsked(plan_id=plan_id, from_date=from_date)
        publish(session, region.region_id, asked, expect_revision=None, by=PROGRAM, at=at)
