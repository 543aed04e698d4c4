"""Imports: files are given one by one, read apart from the server, confirmed as a whole."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.auth import Caller, Dispatcher, require_region
from api.conditions import RepeatDep
from api.errors import problems
from api.language import words_of
from api.routes.regions import require_all_regions
from api.schemas.imports import ImportCreate, ImportFileUpdate, ImportPublic, ImportUpdate
from api.schemas.regions import RegionIdText
from api.services.region_drafts import Draft
from api.services.region_parts import parts_of
from api.services.region_setup import RegionSetup
from api.services.upload_files import UploadKind
from api.state import ServiceDep
from data.db.engine import writing
from data.model.errors import NotFoundError

router = APIRouter(prefix="/imports", tags=["imports"])
ImportId = Annotated[str, Path(max_length=64, description="The import.")]
FileId = Annotated[str, Path(max_length=10, description="The file.")]


def open_draft(request: Request, asking: Caller, draft_id: str) -> tuple[RegionSetup, Draft]:
    """A draft of whoever asks, and the set-up that keeps it.

    Raises
    ------
    NotFoundError
        ``setup.unknown``, also for somebody else's.
    AccessError
        ``access.region``.
    """
    setup = parts_of(request).setup
    draft = setup.drafts.get(draft_id)
    if not asking.is_admin and draft.made_by != asking.account_id:
        raise NotFoundError("setup.unknown", id=draft_id[:40])
    if not draft.is_new:
        require_region(asking, draft.region_id)
    return setup, draft


def _shown(request: Request, setup: RegionSetup, draft_id: str) -> ImportPublic:
    return ImportPublic.from_view(setup.view(draft_id), words_of(request))


@router.post("", status_code=201, response_model=ImportPublic, responses=problems(404, 409))
def add_import(
    request: Request,
    body: ImportCreate,
    asking: Dispatcher,
    service: ServiceDep,
    repeat: RepeatDep,
) -> Response:
    """Begin an import; it is kept for a week."""
    if body.into is None:
        require_all_regions(asking)
    else:
        require_region(asking, body.into)
    setup = parts_of(request).setup
    with writing(service.engine) as session:
        if (before := repeat.answer(session)) is not None:
            return before
        draft = setup.begin(
            session,
            asking,
            region_id=body.into or body.region_id or "",
            is_new=body.into is None,
            at=service.clock(),
            name=body.name,
            language=body.language,
            time_zone=body.time_zone,
        )
        headers = {"location": f"/api/v1/imports/{draft.draft_id}"}
        return repeat.keep(session, 201, _shown(request, setup, draft.draft_id), headers)


@router.get("/{import_id}", responses=problems(404))
def get_import(request: Request, import_id: ImportId, asking: Dispatcher) -> ImportPublic:
    """A draft with its files, its progress and its report."""
    setup, _ = open_draft(request, asking, import_id)
    return _shown(request, setup, import_id)


@router.patch("/{import_id}", responses=problems(404, 409))
def change_import(
    request: Request, import_id: ImportId, body: ImportUpdate, asking: Dispatcher
) -> ImportPublic:
    """Change the name, id, language or time zone of the region to be."""
    setup, draft = open_draft(request, asking, import_id)
    sent = body.model_dump(exclude_unset=True)
    if "region_id" in sent and not draft.is_new:
        del sent["region_id"]
    sent = {name: ("" if value is None and name in ("region_id", "name") else value)
            for name, value in sent.items()}  # fmt: skip
    setup.change(replace(draft, **sent))
    return _shown(request, setup, import_id)


@router.delete("/{import_id}", status_code=204, responses=problems(404))
def drop_import(request: Request, import_id: ImportId, asking: Dispatcher) -> None:
    """Forget a draft with all its files."""
    setup, _ = open_draft(request, asking, import_id)
    setup.drop(import_id)


@router.put(
    "/{import_id}/uploads",
    status_code=201,
    responses=problems(404, 409),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
            },
        }
    },
)
async def add_file(
    request: Request,
    import_id: ImportId,
    asking: Dispatcher,
    name: Annotated[str, Query(max_length=300, description="Its name with its ending.")],
    kind: Annotated[
        UploadKind | None, Query(description="What it is for; left out: told from its columns.")
    ] = None,
) -> ImportPublic:
    """Add a file: its bytes are the body as it is (`curl -T villages.xlsx …`)."""
    setup, _ = open_draft(request, asking, import_id)
    await setup.receive(import_id, name, kind, request.stream())
    return _shown(request, setup, import_id)


@router.patch("/{import_id}/uploads/{file_id}", responses=problems(404, 409))
def change_file(
    request: Request, import_id: ImportId, file_id: FileId, body: ImportFileUpdate,
    asking: Dispatcher,
) -> ImportPublic:  # fmt: skip
    """Say what a file is for and which of its columns mean what."""
    setup, _ = open_draft(request, asking, import_id)
    setup.change_file(
        import_id, file_id, kind=body.kind, encoding=body.encoding, mapping=dict(body.mapping)
    )
    return _shown(request, setup, import_id)


@router.delete("/{import_id}/uploads/{file_id}", responses=problems(404, 409))
def drop_file(
    request: Request, import_id: ImportId, file_id: FileId, asking: Dispatcher
) -> ImportPublic:
    """Take a file out again."""
    setup, _ = open_draft(request, asking, import_id)
    setup.drop_file(import_id, file_id)
    return _shown(request, setup, import_id)


@router.post("/{import_id}/reading", status_code=202, responses=problems(404, 409))
def read_import(request: Request, import_id: ImportId, asking: Dispatcher) -> ImportPublic:
    """Read the files; the import tells how far that has come."""
    setup, _ = open_draft(request, asking, import_id)
    setup.read(import_id)
    return _shown(request, setup, import_id)


@router.delete("/{import_id}/reading", responses=problems(404))
def stop_reading(request: Request, import_id: ImportId, asking: Dispatcher) -> ImportPublic:
    """Stop reading; the files stay."""
    setup, _ = open_draft(request, asking, import_id)
    setup.runs.stop(import_id)
    return _shown(request, setup, import_id)


@router.post("/{import_id}/confirmation", status_code=201, responses=problems(404, 409))
def confirm_import(
    request: Request,
    import_id: ImportId,
    asking: Dispatcher,
    service: ServiceDep,
    response: Response,
) -> dict[str, RegionIdText]:
    """Store what was read, all of it or nothing."""
    setup, _ = open_draft(request, asking, import_id)
    now = service.clock()
    region = setup.confirm(import_id, asking, at=now, from_date=now.date())
    response.headers["location"] = f"/api/v1/regions/{region.region_id}"
    return {"region_id": region.region_id}
