"""Set a region up in a browser: a bundled one, or files that are given, read and confirmed."""

import re
from dataclasses import replace
from typing import Annotated
from zoneinfo import available_timezones

from fastapi import APIRouter, Depends, Query, Request
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, Response

from api.auth import Dispatcher, require_region
from api.errors import status_of
from api.language import words_of
from api.pages.desk_region import form_data, text_of
from api.pages.forms import see_other
from api.rendering import is_htmx, render
from api.routes.imports import open_draft
from api.routes.regions import require_all_regions
from api.services.import_outcome import FileOutcome
from api.services.import_report import report_csv
from api.services.region_drafts import Draft
from api.services.region_parts import parts_of
from api.services.region_setup import DraftView
from api.services.regions import bundled_regions
from api.services.table_guess import KNOWN_COLUMNS
from api.services.upload_files import SUFFIXES, UploadKind
from api.state import ServiceDep, service_of
from data.db import region_store
from data.db.engine import reading, writing
from data.db.regions_known_store import region_names
from data.feeds.region_folder import read_region
from data.model.errors import BookmobileError, InputError, NotFoundError

router = APIRouter(prefix="/setup")
Form = Annotated[FormData, Depends(form_data)]
ENCODINGS = ("utf-8", "cp1251", "cp866", "cp1252", "utf-16")
SHOWN_PROBLEMS = 200
LANGUAGES = ("ru", "en", "de")
REGION_ID = re.compile(r"[a-z0-9](-?[a-z0-9]){1,63}")


@router.get("")
def start_page(request: Request, asking: Dispatcher, service: ServiceDep) -> Response:
    """Where a region may come from, and drafts that are not finished."""
    return _start(request, asking, service, None)


def _start(
    request: Request,
    asking: Dispatcher,
    service: ServiceDep,
    error: BookmobileError | None,
) -> HTMLResponse:
    words = words_of(request)
    with reading(service.engine) as session:
        taken = {r.region_id for r in region_store.list_regions(session, with_closed=True)}
    bundled = []
    for key, folder in bundled_regions().items():
        region = read_region(folder)
        bundled.append((key, region.name_in(words.language), region, key in taken))
    drafts = [
        draft
        for draft in parts_of(request).setup.drafts.all()
        if draft.confirmed_at is None and (draft.made_by == asking.account_id or asking.is_admin)
    ]
    return render(
        request,
        "setup/start.html",
        status=200 if error is None else status_of(error),
        bundled=bundled,
        drafts=drafts,
        error=error,
        may_add=asking.is_admin or not asking.region_ids,
    )


@router.post("/bundled/{name}")
def take_bundled(request: Request, name: str, asking: Dispatcher, service: ServiceDep) -> Response:
    """Take over a region that ships with the program."""
    try:
        require_all_regions(asking)
        region = parts_of(request).setup.add_bundled(name, asking, at=service.clock())
    except BookmobileError as wrong:
        return _start(request, asking, service, wrong)
    return see_other(f"/desk/{region.region_id}", "added")


@router.post("")
def begin(request: Request, asking: Dispatcher, service: ServiceDep, data: Form) -> Response:
    """Begin a draft of a new region."""
    try:
        require_all_regions(asking)
        with writing(service.engine) as session:
            draft = parts_of(request).setup.begin(
                session,
                asking,
                region_id="",
                is_new=True,
                at=service.clock(),
                name=text_of(data, "name")[:300],
            )
    except BookmobileError as wrong:
        return _start(request, asking, service, wrong)
    return see_other(f"/setup/{draft.draft_id}")


@router.post("/into/{region_id}")
def begin_into(
    request: Request, region_id: str, asking: Dispatcher, service: ServiceDep
) -> Response:
    """Begin a draft of more files for a region."""
    require_region(asking, region_id)
    with writing(service.engine) as session:
        draft = parts_of(request).setup.begin(
            session, asking, region_id=region_id, is_new=False, at=service.clock()
        )
    return see_other(f"/setup/{draft.draft_id}")


@router.get("/{draft_id}")
def draft_page(request: Request, draft_id: str, asking: Dispatcher) -> Response:
    """A draft: its files, its reading, its report."""
    setup, _ = open_draft(request, asking, draft_id)
    return _draft(request, setup.view(draft_id))


@router.get("/{draft_id}/state")
def draft_state(request: Request, draft_id: str, asking: Dispatcher) -> Response:
    """The part of the page that changes while files are read; htmx asks for it again and again."""
    setup, _ = open_draft(request, asking, draft_id)
    view = setup.view(draft_id)
    if is_htmx(request) and view.state != "reading":
        # The whole page changes: report, mapping, confirmation.
        return Response(status_code=204, headers={"HX-Redirect": f"/setup/{draft_id}"})
    return render(request, "setup/progress.html", view=view)


def _draft(request: Request, view: DraftView, error: BookmobileError | None = None) -> HTMLResponse:
    outcome = view.outcome
    reports: dict[str, FileOutcome] = {}
    if outcome is not None:
        reports = {found.file_id: found for found in outcome.files}
    names = {}
    if not view.draft.is_new:
        with reading(service_of(request).engine) as session:
            names = dict(region_names(session).get(view.draft.region_id, {}))
    language = words_of(request).language
    return render(
        request,
        "setup/draft.html",
        status=200 if error is None else status_of(error),
        view=view,
        region_name=names.get(language) or next(iter(names.values()), view.draft.region_id),
        reports=reports,
        error=error,
        kinds=list(UploadKind),
        columns=KNOWN_COLUMNS,
        encodings=ENCODINGS,
        suffixes=",".join(SUFFIXES),
        limit_mb=parts_of(request).setup.upload_max_mb,
        shown_problems=SHOWN_PROBLEMS,
    )


@router.post("/{draft_id}")
def change(request: Request, draft_id: str, asking: Dispatcher, data: Form) -> Response:
    """Take over names, kinds and columns, and read the files."""
    setup, draft = open_draft(request, asking, draft_id)
    try:
        setup.change(_changed(draft, data))
        for file in setup.drafts.files(draft_id):
            if f"kind-{file.file_id}" in data:
                setup.change_file(
                    draft_id,
                    file.file_id,
                    kind=_kind(text_of(data, f"kind-{file.file_id}")),
                    encoding=_encoding(text_of(data, f"encoding-{file.file_id}")),
                    mapping=_mapping(data, file.file_id),
                )
        setup.read(draft_id)
    except BookmobileError as wrong:
        return _draft(request, setup.view(draft_id), wrong)
    return see_other(f"/setup/{draft_id}")


@router.post("/{draft_id}/stop")
def stop(request: Request, draft_id: str, asking: Dispatcher) -> Response:
    """Stop reading; the files stay."""
    setup, _ = open_draft(request, asking, draft_id)
    setup.runs.stop(draft_id)
    return see_other(f"/setup/{draft_id}")


@router.post("/{draft_id}/drop")
def drop(request: Request, draft_id: str, asking: Dispatcher) -> Response:
    """Forget the draft."""
    setup, _ = open_draft(request, asking, draft_id)
    setup.drop(draft_id)
    return see_other("/setup")


@router.post("/{draft_id}/files/{file_id}/drop")
def drop_file(request: Request, draft_id: str, file_id: str, asking: Dispatcher) -> Response:
    """Take one file out."""
    setup, _ = open_draft(request, asking, draft_id)
    setup.drop_file(draft_id, file_id)
    return see_other(f"/setup/{draft_id}")


@router.post("/{draft_id}/confirm")
def confirm(request: Request, draft_id: str, asking: Dispatcher, service: ServiceDep) -> Response:
    """Store the region, all of it or nothing."""
    setup, _ = open_draft(request, asking, draft_id)
    now = service.clock()
    try:
        region = setup.confirm(draft_id, asking, at=now, from_date=now.date())
    except BookmobileError as wrong:
        return _draft(request, setup.view(draft_id), wrong)
    return see_other(f"/desk/{region.region_id}", "added")


@router.get("/{draft_id}/files/{file_id}/problems.csv")
def problems_csv(
    request: Request,
    draft_id: str,
    file_id: str,
    asking: Dispatcher,
    verdict: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The rows with problems as CSV, to mend the file by."""
    setup, _ = open_draft(request, asking, draft_id)
    outcome = setup.view(draft_id).outcome
    found = next((f for f in outcome.files if f.file_id == file_id), None) if outcome else None
    if found is None:
        raise NotFoundError("setup.unknown_file", id=file_id[:40])
    text = report_csv(found, words_of(request), verdict)
    return Response(
        "\ufeff" + text,
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": 'attachment; filename="problems.csv"'},
    )


def _changed(draft: Draft, data: FormData) -> Draft:
    """The draft with the name, address, language and time zone of a form."""
    region_id = text_of(data, "region_id").lower()
    if region_id and not REGION_ID.fullmatch(region_id):
        raise InputError("setup.region_id", field="region_id", value=region_id[:64])
    time_zone = text_of(data, "time_zone")[:64]
    if time_zone and time_zone not in available_timezones():
        raise InputError("settings.region.time_zone", field="time_zone", value=time_zone)
    language = text_of(data, "language")
    return replace(
        draft,
        name=text_of(data, "name")[:300] if draft.is_new else draft.name,
        region_id=region_id if draft.is_new else draft.region_id,
        language=language if language in LANGUAGES else None,
        time_zone=time_zone or None,
    )


def _kind(code: str) -> UploadKind | None:
    return UploadKind(code) if code in set(UploadKind) else None


def _encoding(code: str) -> str | None:
    return code if code in ENCODINGS else None


def _mapping(data: FormData, file_id: str) -> dict[str, str]:
    """Columns told by hand: pairs of fields ``theirs-<file>-<n>`` and ``ours-<file>-<n>``."""
    mapping = {}
    for name, theirs in data.multi_items():
        if name.startswith(f"theirs-{file_id}-") and isinstance(theirs, str):
            ours = text_of(data, name.replace("theirs-", "ours-", 1))
            was = text_of(data, name.replace("theirs-", "was-", 1))
            if (ours and ours != was) or (
                ours and text_of(data, name.replace("theirs-", "told-", 1))
            ):
                mapping[theirs] = ours
    if len(mapping) > 200:
        raise InputError("form.too_many_fields", limit=200)
    return mapping
