"""The command that holds tracks against a plan after the fact."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.common_cli import JsonOption, LangOption, print_json, words_for
from api.edit_cli import DATE, PlanArgument, find_vehicle
from api.services.driven_days import driven_days
from api.services.folders import check_folder, made_folder, not_written
from api.services.track_files import TrackFile, read_track
from api.show_track import day_facts, show_days, show_files
from data.feeds.observed_csv import write_observed
from data.feeds.plan_file import read_plan
from data.model.errors import InputError
from data.model.fleet import VehicleId
from data.model.plan import PlanRequest
from fleet.matching import MatchParams

_MINUTE_S = 60.0


def track(
    plan_file: PlanArgument,
    files: Annotated[list[Path], typer.Argument(metavar="FILES …")],
    on: Annotated[
        datetime | None,
        typer.Option("--date", formats=DATE, help="Service date; else every date of the tracks."),
    ] = None,
    vehicle: Annotated[
        str | None, typer.Option("--vehicle", help="Whose tracks they are: id or name.")
    ] = None,
    device: Annotated[
        list[str] | None,
        typer.Option("--device", metavar="DEVICE=VEHICLE", help="Whose device this is."),
    ] = None,
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0, help="Minutes that still count as in time.")
    ] = 10.0,
    out: Annotated[
        Path | None, typer.Option("--out", help="Records to write (CSV), for bookmobile learn.")
    ] = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Tell what became of planned visits by GPX, NMEA or message files: kept, late, skipped …

    The records that --out writes are what `bookmobile learn` learns from.
    """
    words = words_for(lang)
    if out is not None:
        check_folder(out.parent)
    request, plan = read_plan(plan_file)
    vehicle_of = _vehicle_of(request, vehicle, device or [])
    day = None if on is None else on.date()
    read: Sequence[TrackFile] = [read_track(path, on=day) for path in files]
    days = driven_days(
        request,
        plan,
        [fix for file in read for fix in file.fixes],
        vehicle_of=vehicle_of,
        on=day,
        params=MatchParams(tolerance_s=tolerance * _MINUTE_S),
    )
    if out is not None:
        made_folder(out.parent)
        try:
            write_observed(
                out,
                [
                    replace(r, reason=words(r.reason)) if r.reason else r
                    for d in days
                    for r in d.records
                ],
            )
        except OSError as wrong:
            raise not_written(out, wrong) from wrong
    if as_json:
        print_json({"days": [day_facts(d) for d in days], "file": out})
        return
    console = Console()
    show_files(console, words, read)
    show_days(console, words, request, days)
    if out is not None:
        console.print(words("track.written", file=out), markup=False)


def _vehicle_of(
    request: PlanRequest, vehicle: str | None, devices: Sequence[str]
) -> dict[str, VehicleId]:
    """Vehicles by devices; the empty name is any device."""
    found: dict[str, VehicleId] = {}
    if vehicle is not None:
        found[""] = find_vehicle(request, vehicle).vehicle_id
    for entry in devices:
        name, equals, text = entry.partition("=")
        if not equals or not name or not text:
            raise InputError("track.bad_device", value=entry)
        found[name] = find_vehicle(request, text).vehicle_id
    return found
