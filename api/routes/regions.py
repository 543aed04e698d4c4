"""Regions: the list, one in figures, its settings, photos of its stops."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Path, Request, Response
from pydantic import ValidationError
from sqlmodel import Session
from starlette.responses import FileResponse

from api.auth import Admin, Anyone, Caller, Dispatcher, Staff, require_region
from api.conditions import IfMatchDep, Items, PagingDep, etag
from api.errors import problems
from api.language import words_of
from api.schemas.regions import (
    MessagePublic,
    RegionCreate,
    RegionDetail,
    RegionPublic,
    SettingsBody,
    SourcePublic,
)
from api.schemas.shown import free_of_limits
from api.services.import_outcome import holdings, missing_of
from api.services.photos import keep_photo, photo_path, photos_folder
from api.services.region_parts import parts_of
from api.services.region_settings import (
    SETTINGS,
    change_settings,
    put_region_away,
    with_settings,
)
from api.services.things import Edit
from api.state import Service, ServiceDep
from api.words import Words
from data.db import region_store
from data.db.engine import reading, writing
from data.db.things import adapter_of
from data.model.errors import AccessError, InputError
from data.model.region import Region

router = APIRouter(prefix="/regions", tags=["regions"])
RegionId = Annotated[str, Path(max_length=64, description="The region.")]
CHANGE = problems(404, 409, 412, 428)
PHOTO_MAX_MB = 20
SettingsPublic = free_of_limits(SettingsBody, "SettingsPublic")


@router.get("")
def list_regions(asking: Staff, service: ServiceDep, paging: PagingDep) -> Items[RegionPublic]:
    """The regions that one works in, by id."""
    after = paging.after_text()
    with reading(service.engine) as session:
        found = [
            one
            for one in region_store.list_regions(session)
            if one.region_id > after and asking.works_in(one.region_id)
        ]
    return paging.page(
        found[: paging.fetch], RegionPublic.from_summary, lambda one: (one.region_id,)
    )


@router.post("", status_code=201, response_model=RegionDetail, responses=problems(409))
def add_region(
    request: Request,
    body: RegionCreate,
    asking: Dispatcher,
    service: ServiceDep,
    response: Response,
) -> RegionDetail:
    """Take over a region that ships with the program."""
    require_all_regions(asking)
    region = parts_of(request).setup.add_bundled(body.bundled, asking, at=service.clock())
    response.headers["location"] = f"/api/v1/regions/{region.region_id}"
    return _detail(request, service, region.region_id, response)


def require_all_regions(asking: Caller) -> None:
    """Refuse whoever works in some regions only: a new one would be none of them.

    Raises
    ------
    AccessError
        ``access.new_region`` (403).
    """
    if asking.region_ids and not asking.is_admin:
        raise AccessError("access.new_region")


@router.get("/{region_id}", responses=problems(404))
def get_region(
    request: Request, region_id: RegionId, asking: Staff, service: ServiceDep, response: Response
) -> RegionDetail:
    """What a region holds and what it still lacks."""
    require_region(asking, region_id)
    return _detail(request, service, region_id, response)


def _detail(request: Request, service: Service, region_id: str, response: Response) -> RegionDetail:
    with reading(service.engine) as session:
        region, revision = parts_of(request).regions.load(session, region_id)
        summary = next(r for r in region_store.list_regions(session, with_closed=True)
                       if r.region_id == region_id)  # fmt: skip
    response.headers["etag"] = etag(revision)
    words = words_of(request, region.language)
    return RegionDetail(
        **RegionPublic.from_summary(summary).model_dump(),
        time_zone=region.time_zone,
        language=region.language,
        crs=region.crs,
        holds=holdings(region),
        missing=[_message(told.code, words) for told in missing_of(region)],
        sources=[
            SourcePublic(title=s.title, licence=s.licence, address=s.address)
            for s in region.sources
        ],
    )


def _message(code: str, words: Words) -> MessagePublic:
    return MessagePublic(code=code, message=words(code))


@router.delete("/{region_id}", status_code=204, responses=CHANGE)
def close_region(
    region_id: RegionId, asking: Admin, service: ServiceDep, match: IfMatchDep
) -> None:
    """Put a region away; everything that happened in it stays readable."""
    with writing(service.engine) as session:
        revision = region_store.region_revision(session, region_id)
        match.check(revision, {"region_id": region_id, "revision": revision})
        put_region_away(session, asking, region_id, at=service.clock())


@router.get("/{region_id}/settings", response_model=SettingsPublic, responses=problems(404))
def get_settings(
    request: Request, region_id: RegionId, asking: Staff, service: ServiceDep, response: Response
) -> Any:
    """A region's own settings: service standard, norm, crew rules, register, prices."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        region, revision = parts_of(request).regions.load(session, region_id)
    response.headers["etag"] = etag(revision)
    return shown_settings(region)


@router.put("/{region_id}/settings", response_model=SettingsPublic, responses=CHANGE)
def set_settings(
    region_id: RegionId,
    body: SettingsBody,
    asking: Dispatcher,
    service: ServiceDep,
    match: IfMatchDep,
    response: Response,
) -> Any:
    """Change a region's own settings; what is left out takes its default."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        region, revision = _region_now(session, region_id)
        match.check(revision, shown_settings(region))
        edit = Edit(session=session, caller=asking, region_id=region_id, at=service.clock())
        changed = change_settings(edit, settings_of(region, body), expect_revision=revision)
        response.headers["etag"] = etag(region_store.region_revision(session, region_id))
    return shown_settings(changed)


def _region_now(session: Session, region_id: str) -> tuple[Region, int]:
    return (
        region_store.load_region(session, region_id),
        region_store.region_revision(session, region_id),
    )


def shown_settings(region: Region) -> Any:
    """A region's settings as the API tells them."""
    document = adapter_of(Region).dump_python(region, include=set(SETTINGS))
    return SettingsPublic.model_validate(document)


def settings_of(region: Region, body: SettingsBody) -> Region:
    """The region with the settings of a body.

    Raises
    ------
    InputError
        ``thing.invalid`` where its values do not go together.
    """
    told = body.model_dump()
    try:
        bare = adapter_of(Region).validate_python(
            {
                "region_id": region.region_id,
                "crs": region.crs,
                **told,
            }
        )
    except (ValidationError, ValueError) as wrong:
        reason = wrong.errors()[0]["msg"] if isinstance(wrong, ValidationError) else str(wrong)
        raise InputError("thing.invalid", reason=reason) from wrong
    return with_settings(region, {name: getattr(bare, name) for name in SETTINGS})


@router.put(
    "/{region_id}/uploads/photos",
    status_code=201,
    tags=["stops"],
    responses=problems(404),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                name: {"schema": {"type": "string", "format": "binary"}}
                for name in ("image/jpeg", "image/png", "image/webp")
            },
        }
    },
)
async def add_photo(
    request: Request, region_id: RegionId, asking: Dispatcher, service: ServiceDep
) -> dict[str, str]:
    """Keep a photo (JPEG, PNG or WebP) and give its name for a stop's `site.photo`."""
    require_region(asking, region_id)
    with reading(service.engine) as session:
        region_store.region_revision(session, region_id)
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > PHOTO_MAX_MB * 1_000_000:
            raise InputError("photo.too_large", limit_mb=PHOTO_MAX_MB)
    folder = photos_folder(service.settings.data_dir, region_id)
    return {"photo": await to_thread.run_sync(keep_photo, folder, bytes(raw))}


@router.get(
    "/{region_id}/photos/{name}",
    tags=["stops"],
    response_class=FileResponse,
    responses=problems(404),
)
def get_photo(
    region_id: RegionId,
    name: Annotated[str, Path(max_length=60)],
    asking: Anyone,
    service: ServiceDep,
) -> FileResponse:
    """A photo of a stop, open to everybody like the stop itself."""
    path = photo_path(photos_folder(service.settings.data_dir, region_id), name)
    return FileResponse(
        path,
        media_type="image/jpeg",
        headers={"cache-control": "public, max-age=31536000, immutable"},
    )
