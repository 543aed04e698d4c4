"""A region's desk: the overview, the registers, its own settings, its folder as a zip."""

import io
import tempfile
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated
from zipfile import ZIP_DEFLATED, ZipFile

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from api.auth import Admin, Dispatcher, Staff
from api.errors import status_of
from api.pages.desk_region import Desk, form_data, open_desk, text_of, whole_of
from api.pages.forms import done_of, see_other
from api.pages.settings_form import SettingsForm, read_settings, settings_form
from api.pages.thing_forms import Message
from api.services.import_outcome import holdings, missing_of
from api.services.needs import norm_set_of
from api.services.region_settings import change_settings, put_region_away
from api.services.things import Edit
from api.state import ServiceDep
from data.db import plan_store, publication_store, region_store
from data.db.engine import reading, writing
from data.feeds.profiles import load_norm_sets, load_rule_sets
from data.feeds.region_folder import write_region
from data.model.errors import BookmobileError
from data.model.place import Standing
from data.model.region import Region
from data.model.staff import CrewMember

router = APIRouter(prefix="/desk/{region_id}")
Form = Annotated[FormData, Depends(form_data)]
ENDS_SOON = timedelta(days=120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something to do next; ``href`` is under the desk."""

    code: str
    is_done: bool
    href: str


@router.get("")
def overview(request: Request, region_id: str, asking: Staff, service: ServiceDep) -> Response:
    """What there is, what is assumed, where it comes from, what to do next."""
    desk = open_desk(request, service, asking, region_id)
    region = desk.region
    with reading(service.engine) as session:
        plans = plan_store.list_plans(session, region_id)
        crew = region_store.list_things(session, region_id, CrewMember)
        timetable = publication_store.newest_timetable(session, region_id)
    holds = holdings(region) | {"crew": len(crew)}
    steps = (
        Step(code="check", is_done=not _lacks(region), href="/settings"),
        Step(
            code="register",
            is_done=region.library_register_is_complete,
            href="/libraries",
        ),
        Step(code="needs", is_done=bool(plans), href="/needs"),
        Step(code="plan", is_done=bool(plans), href="/plans"),
        Step(code="publish", is_done=timetable is not None, href="/timetable"),
    )
    return desk.render(
        "regions/overview.html",
        area="overview",
        region=region,
        holds=holds,
        steps=steps,
        missing=missing_of(region),
        assumptions=assumptions(desk),
        done=done_of(request),
    )


def _lacks(region: Region) -> bool:
    return any(told.code.startswith("setup.missing.") for told in missing_of(region))


def assumptions(desk: Desk) -> tuple[Message, ...]:
    """What figures of the region rest on that nobody has confirmed."""
    region, found = desk.region, []

    def told(code: str, **facts: object) -> None:
        shown = {
            name: desk.words.number(value, 1) if isinstance(value, int | float) else value
            for name, value in facts.items()
        }
        found.append(Message(code=f"regions.assumed.{code}", facts=shown))

    assumed = sum(lib.standing is Standing.ASSUMED for lib in region.libraries)
    assumption = region.library_assumption
    if assumed and assumption is not None:
        told(
            "libraries",
            count=assumed,
            official=assumption.official_count,
            source=assumption.source or "—",
        )
    if not region.roads_file:
        told("travel", source=region.estimate.source if region.estimate else "")
    known = [s for s in region.settlements if s.population is not None]
    undated = sum(s.population_year is None for s in known)
    if undated:
        told("undated", count=undated, total=len(known))
    if len(known) < len(region.settlements):
        told(
            "unknown",
            count=len(region.settlements) - len(known),
            people=region.standard.unknown_population_people,
        )
    flagged = sum(bool(s.flags) for s in region.settlements)
    if flagged:
        told("flagged", count=flagged)
    norm = norm_set_of(region)
    if norm.mark != "V":
        told(f"norm_{norm.mark}", name=norm.name_in(desk.words.language))
    if norm.valid_to is not None and norm.valid_to <= desk.today:
        told(
            "norm_ended", name=norm.name_in(desk.words.language), day=desk.words.day(norm.valid_to)
        )
    for rule_set_id in region.default_rule_set_ids:
        rules = region.rule_sets.get(rule_set_id)
        if rules is not None and rules.valid_to and rules.valid_to <= desk.today + ENDS_SOON:
            code = "rules_ended" if rules.valid_to <= desk.today else "rules_end"
            told(code, name=rules.name, day=desk.words.day(rules.valid_to))
    return tuple(found)


@router.get("/settings")
def settings_page(request: Request, region_id: str, asking: Staff, service: ServiceDep) -> Response:
    """The registers of a region and its own settings."""
    desk = open_desk(request, service, asking, region_id)
    with reading(service.engine) as session:
        crew = region_store.keys_of(session, region_id, CrewMember)
    region = desk.region
    counts = {
        "stops": len(region.stops),
        "settlements": len(region.settlements),
        "libraries": sum(lib.standing is Standing.KNOWN for lib in region.libraries),
        "municipalities": len(region.municipalities),
        "vehicles": len(region.vehicles),
        "depots": len(region.depots),
        "crew": len(crew),
        "specialists": len(region.specialists),
        "norms": len(region.norm_sets),
        "rules": len(region.rule_sets),
    }
    return desk.render(
        "regions/settings.html", area="settings", counts=counts, done=done_of(request)
    )


@router.get("/settings/standard")
def standard_page(request: Request, region_id: str, asking: Staff, service: ServiceDep) -> Response:
    """The form of a region's own settings."""
    desk = open_desk(request, service, asking, region_id)
    return _standard(desk, settings_form(desk.region, desk.words))


@router.post("/settings/standard")
def change_standard(
    request: Request, region_id: str, asking: Dispatcher, service: ServiceDep, data: Form
) -> Response:
    """Store the settings, or show what is wrong with them."""
    desk = open_desk(request, service, asking, region_id)
    form = read_settings(desk.region, data)
    seen = whole_of(data, "revision")
    status = 422
    if not form.is_wrong and form.region is not None:
        try:
            with writing(service.engine) as session:
                edit = Edit(session=session, caller=asking, region_id=region_id, at=service.clock())
                change_settings(edit, form.region, expect_revision=seen or 0)
            return see_other(f"{desk.root}/settings", "changed")
        except BookmobileError as wrong:
            status = 412 if wrong.code == "store.stale" else status_of(wrong)
            form.note_error(wrong)
    return _standard(desk, form, status=status)


def _standard(desk: Desk, form: SettingsForm, *, status: int = 200) -> Response:
    region, language = desk.region, desk.words.language
    norms = load_norm_sets() | {n.norm_set_id: n for n in region.norm_sets}
    rules = load_rule_sets() | dict(region.rule_sets)
    return desk.render(
        "regions/standard.html",
        area="settings",
        status=status,
        form=form,
        revision=desk.revision,
        norms=sorted((key, norm.name_in(language)) for key, norm in norms.items()),
        rules=sorted((str(key), rule.name) for key, rule in rules.items()),
    )


@router.post("/settings/close")
def close(
    request: Request, region_id: str, asking: Admin, service: ServiceDep, data: Form
) -> Response:
    """Put the region away, once its short name was typed."""
    desk = open_desk(request, service, asking, region_id)
    if text_of(data, "typed") != region_id:
        form = settings_form(desk.region, desk.words)
        form.general.append(Message(code="regions.close.typed", facts={"region_id": region_id}))
        return _standard(desk, form, status=422)
    with writing(service.engine) as session:
        put_region_away(session, asking, region_id, at=service.clock())
    return see_other("/desk", "closed")


@router.get("/folder.zip")
def folder_zip(request: Request, region_id: str, asking: Staff, service: ServiceDep) -> Response:
    """The region as the folder that can be read in again, without its road extract."""
    desk = open_desk(request, service, asking, region_id)
    out = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, ZipFile(out, "w", ZIP_DEFLATED) as archive:
        write_region(replace(desk.region, roads_file=""), Path(folder))
        for path in sorted(Path(folder).iterdir()):
            archive.write(path, f"{region_id}/{path.name}")
    name = f"{region_id}-{date.isoformat(desk.today)}.zip"
    return Response(
        out.getvalue(),
        media_type="application/zip",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
