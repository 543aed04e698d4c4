"""Things of a region: stops, settlements, libraries, vehicles, crew … each with its history."""

from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response
from pydantic import ValidationError
from sqlmodel import Session

from api.auth import Caller, Dispatcher, Staff, require_region
from api.conditions import IfMatch, IfMatchDep, Items, PagingDep, RepeatDep, etag
from api.errors import problems
from api.schemas.fields import Key
from api.schemas.registers import NormSetBody, NormSetPublic, RuleSetBody, RuleSetPublic
from api.schemas.shown import Meta
from api.schemas.things import (
    Body,
    CrewMemberBody,
    CrewMemberPublic,
    DepotBody,
    DepotPublic,
    LibraryBody,
    LibraryClose,
    LibraryPublic,
    MunicipalityBody,
    MunicipalityPublic,
    SettlementBody,
    SettlementMerge,
    SettlementPublic,
    SpecialistBody,
    SpecialistPublic,
    StopBody,
    StopPublic,
    VehicleBody,
    VehiclePublic,
)
from api.services import things
from api.services.thing_checks import check_thing
from api.services.thing_kinds import (
    CREW,
    DEPOTS,
    LIBRARIES,
    MUNICIPALITIES,
    NORMS,
    RULES,
    SETTLEMENTS,
    SPECIALISTS,
    STOPS,
    VEHICLES,
    ThingKind,
)
from api.state import Service, ServiceDep
from data.db import publication_store, region_store
from data.db.engine import reading, writing
from data.db.region_store import Stored
from data.db.things import adapter_of
from data.model.errors import InputError

router = APIRouter(prefix="/regions/{region_id}")
CHANGE = problems(404, 409, 412, 428)

RegionId = Annotated[str, Path(max_length=64, description="The region.")]
ThingKey = Annotated[str, Path(max_length=120, description="The thing's id in the region.")]
FromDate = Annotated[
    date | None,
    Query(description="From when the change holds; left out: the newest version is corrected."),
]
OnDate = Annotated[date | None, Query(description="As things stood on a date.")]


def thing_of(kind: ThingKind, key: str, body: Body, before: object | None = None) -> Any:
    """The thing that a body tells; what no body can say is kept from before.

    Raises
    ------
    InputError
        ``thing.invalid`` where its values do not go together, or a check of its kind.
    """
    adapter = adapter_of(kind.type)
    kept = {} if before is None else adapter.dump_python(before)
    told = body.model_dump(exclude_none=False)
    try:
        thing = adapter.validate_python(kept | told | {kind.key: key})
    except (ValidationError, ValueError) as wrong:
        reason = wrong.errors()[0]["msg"] if isinstance(wrong, ValidationError) else str(wrong)
        raise InputError("thing.invalid", reason=reason) from wrong
    check_thing(thing)
    return thing


def edit_of(
    service: Service, session: Session, asking: Caller, region_id: str, from_date: date | None
) -> things.Edit:
    """Who changes what of which region, now."""
    return things.Edit(
        session=session,
        caller=asking,
        region_id=region_id,
        at=service.clock(),
        from_date=from_date,
    )


def current_for(
    session: Session,
    region_id: str,
    kind: ThingKind,
    key: str,
    match: IfMatch,
    public: type[Meta],
) -> Stored:
    """The newest version of a thing that a change was made from."""
    before = things.current(session, region_id, kind, key)
    match.check(before.revision, public.from_stored(before))
    return before


def add_routes(kind: ThingKind, body_type: type[Body], public_type: type[Meta]) -> None:
    """The routes of one kind of thing."""
    path = f"/{kind.path}"
    tags: list[str | Any] = [kind.path]
    what = kind.path
    key_path = path + "/{key:path}"

    def shown(stored: Stored, response: Response) -> Any:
        response.headers["etag"] = etag(stored.revision)
        return public_type.from_stored(stored)

    @router.get(
        path,
        response_model=Items[public_type],  # type: ignore[valid-type]
        tags=tags,
        summary=f"List {what}",
        responses=problems(404),
    )
    def list_all(
        region_id: RegionId,
        asking: Staff,
        service: ServiceDep,
        paging: PagingDep,
        text: Annotated[str, Query(max_length=120, description="Part of a name.")] = "",
        on: OnDate = None,
    ) -> Any:
        require_region(asking, region_id)
        with reading(service.engine) as session:
            region_store.region_revision(session, region_id)
            found = region_store.list_things(session, region_id, kind.type, on=on)
        wanted, after = text.casefold(), paging.after_text()
        shown = sorted(
            (s for s in found if s.key > after and wanted in str(s.thing.name).casefold()),
            key=lambda s: s.key,
        )
        return paging.page(shown[: paging.fetch], public_type.from_stored, lambda s: (s.key,))

    @router.post(
        path,
        status_code=201,
        response_model=public_type,
        tags=tags,
        summary=f"Add one of {what}",
        responses=problems(404, 409),
    )
    def add(
        region_id: RegionId,
        body: body_type,  # type: ignore[valid-type]
        asking: Dispatcher,
        service: ServiceDep,
        repeat: RepeatDep,
        key: Annotated[Key | None, Query(description="Its id; left out: one is made.")] = None,
        from_date: Annotated[
            date | None, Query(description="Since when it is there; left out: ever since.")
        ] = None,
    ) -> Response:
        require_region(asking, region_id)
        thing = thing_of(kind, key or kind.new_key(), body)
        with writing(service.engine) as session:
            if (before := repeat.answer(session)) is not None:
                return before
            edit = edit_of(service, session, asking, region_id, from_date)
            stored = things.put(edit, kind, thing, expect_revision=None)
            headers = {
                "etag": etag(stored.revision),
                "location": f"/api/v1/regions/{quote(region_id)}{path}/{quote(stored.key)}",
            }
            return repeat.keep(session, 201, public_type.from_stored(stored), headers)

    @router.get(
        key_path + "/history",
        response_model=list[public_type],  # type: ignore[valid-type]
        tags=tags,
        summary=f"History of one of {what}",
        responses=problems(404),
    )
    def history(region_id: RegionId, key: ThingKey, asking: Staff, service: ServiceDep) -> Any:
        require_region(asking, region_id)
        with reading(service.engine) as session:
            things.current(session, region_id, kind, key)
            found = region_store.history(session, region_id, kind.type, key)
        return [public_type.from_stored(stored) for stored in found]

    @router.get(
        key_path,
        response_model=public_type,
        tags=tags,
        summary=f"Get one of {what}",
        responses=problems(404),
    )
    def get(
        region_id: RegionId,
        key: ThingKey,
        asking: Staff,
        service: ServiceDep,
        response: Response,
        on: OnDate = None,
    ) -> Any:
        require_region(asking, region_id)
        with reading(service.engine) as session:
            stored = things.current(session, region_id, kind, key)
            if on is not None:
                stored = region_store.get_thing(session, region_id, kind.type, key, on=on)
        return shown(stored, response)

    @router.put(
        key_path,
        response_model=public_type,
        tags=tags,
        summary=f"Change one of {what}",
        responses=CHANGE,
    )
    def change(
        region_id: RegionId,
        key: ThingKey,
        body: body_type,  # type: ignore[valid-type]
        asking: Dispatcher,
        service: ServiceDep,
        match: IfMatchDep,
        response: Response,
        from_date: FromDate = None,
    ) -> Any:
        require_region(asking, region_id)
        with writing(service.engine) as session:
            before = current_for(session, region_id, kind, key, match, public_type)
            thing = thing_of(kind, key, body, before.thing)
            edit = edit_of(service, session, asking, region_id, from_date)
            stored = things.put(edit, kind, thing, expect_revision=before.revision)
        return shown(stored, response)

    @router.delete(
        key_path,
        response_model=public_type,
        tags=tags,
        summary=f"Let one of {what} end; its history stays",
        responses=CHANGE,
    )
    def end(
        region_id: RegionId,
        key: ThingKey,
        asking: Dispatcher,
        service: ServiceDep,
        match: IfMatchDep,
        response: Response,
        to_date: Annotated[
            date | None, Query(description="First date without it; left out: today.")
        ] = None,
    ) -> Any:
        require_region(asking, region_id)
        with writing(service.engine) as session:
            before = current_for(session, region_id, kind, key, match, public_type)
            edit = edit_of(service, session, asking, region_id, None)
            stored = things.end(
                edit,
                kind,
                key,
                to_date=to_date or publication_store.today_in(session, region_id, service.clock()),
                expect_revision=before.revision,
            )
        return shown(stored, response)


_KINDS: tuple[tuple[ThingKind, type[Body], type[Meta]], ...] = (
    (STOPS, StopBody, StopPublic),
    (SETTLEMENTS, SettlementBody, SettlementPublic),
    (LIBRARIES, LibraryBody, LibraryPublic),
    (MUNICIPALITIES, MunicipalityBody, MunicipalityPublic),
    (VEHICLES, VehicleBody, VehiclePublic),
    (DEPOTS, DepotBody, DepotPublic),
    (CREW, CrewMemberBody, CrewMemberPublic),
    (SPECIALISTS, SpecialistBody, SpecialistPublic),
    (NORMS, NormSetBody, NormSetPublic),
    (RULES, RuleSetBody, RuleSetPublic),
)

SUFFIXED = APIRouter(prefix="/regions/{region_id}")
"""Acts on one thing whose addresses end in the act: matched before the things themselves."""


@SUFFIXED.post(
    "/libraries/{key:path}/close",
    response_model=LibraryPublic,
    tags=["libraries"],
    responses=CHANGE,
)
def close_library(
    region_id: RegionId,
    key: ThingKey,
    body: LibraryClose,
    asking: Dispatcher,
    service: ServiceDep,
    match: IfMatchDep,
    response: Response,
) -> Meta:
    """Close a branch from a date on; it stays in the register and in earlier audits."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        before = current_for(session, region_id, LIBRARIES, key, match, LibraryPublic)
        edit = edit_of(service, session, asking, region_id, None)
        stored = things.close_library(
            edit, key, on=body.closed_date, expect_revision=before.revision
        )
    response.headers["etag"] = etag(stored.revision)
    return LibraryPublic.from_stored(stored)


@SUFFIXED.post(
    "/settlements/{key:path}/merge",
    response_model=SettlementPublic,
    tags=["settlements"],
    responses=CHANGE,
)
def merge_settlement(
    region_id: RegionId,
    key: ThingKey,
    body: SettlementMerge,
    asking: Dispatcher,
    service: ServiceDep,
    match: IfMatchDep,
    response: Response,
) -> Meta:
    """Let a settlement become part of another; stops, libraries and bases go over to it."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        before = current_for(session, region_id, SETTLEMENTS, key, match, SettlementPublic)
        edit = edit_of(service, session, asking, region_id, None)
        stored = things.merge_settlements(
            edit,
            key,
            body.into,
            on=body.on_date,
            adds_people=body.adds_people,
            expect_revision=before.revision,
        )
    response.headers["etag"] = etag(stored.revision)
    return SettlementPublic.from_stored(stored)


for _kind, _body, _public in _KINDS:
    add_routes(_kind, _body, _public)
