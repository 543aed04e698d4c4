"""The command that drives a plan in imagination and sends what devices would."""

import json
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from math import log
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console

from api.common_cli import LangOption, words_for
from api.database import open_database
from api.edit_cli import DATE, find_vehicle
from api.services.folders import check_folder, made_folder, not_written
from api.services.sending import paced, send, serve_nmea
from api.services.simulated_fleet import let_in, published_days
from api.services.simulating import (
    FORMATS,
    ONE_A_FILE,
    SimulatedRun,
    message,
    messages,
    runs_to_simulate,
    simulate_run,
    truth_of,
)
from api.services.token_file import read_token
from api.settings import Settings
from api.state import clock_of
from api.words import Words
from data.db.engine import reading, writing
from data.feeds.plan_file import read_plan
from data.feeds.plan_gpx import file_stem
from data.feeds.plan_lines import read_lines
from data.model.errors import InputError, RequestError
from data.model.lines import RunLines
from data.model.plan import PlanRequest
from data.model.telemetry import DeviceId
from fleet import emit
from fleet.devices import PROFILES, DeviceParams
from fleet.planned import PlannedRun
from fleet.simulate import DriveParams

_ENDINGS = {"nmea": "nmea", "gpx": "gpx", "osmand": "txt"}


def simulate(
    on: Annotated[datetime, typer.Option("--date", formats=DATE, help="Date to drive.")],
    plan_file: Annotated[Path | None, typer.Argument(metavar="PLAN.json")] = None,
    published: Annotated[
        str | None,
        typer.Option(
            "--published",
            metavar="REGION",
            help="Drive what the service has published for a region, instead of a plan file.",
        ),
    ] = None,
    kind: Annotated[str, typer.Option("--as", help=" | ".join(FORMATS))] = "nmea",
    vehicle: Annotated[
        str | None, typer.Option("--vehicle", help="Id or name; else every vehicle that runs.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File, or folder for a file a vehicle; else the screen."),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="URL", help="Send by HTTP instead of writing.")
    ] = None,
    register: Annotated[
        bool,
        typer.Option(
            "--register", help="With --published and --to: make the trackers and their secret."
        ),
    ] = False,
    listen: Annotated[
        int | None,
        typer.Option(
            "--listen",
            min=0,
            max=65535,
            metavar="PORT",
            help="Stream NMEA to a gpsd that connects: gpsd tcp://127.0.0.1:PORT.",
        ),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File with the device's token.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="Name of the device; else the vehicle's id.")
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option("--speed", min=1, max=1000, help="Times as fast as life; else at once."),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Let the day begin now, at the speed of life.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another day for each number.")] = 1,
    truth: Annotated[
        Path | None, typer.Option("--truth", help="File for what truly happened (JSON).")
    ] = None,
    lines: Annotated[
        Path | None,
        typer.Option("--lines", help="Road lines; else plan.geojson beside the plan, if there."),
    ] = None,
    traffic: Annotated[
        float, typer.Option("--traffic", min=0.5, max=3, help="Drives take so many times longer.")
    ] = 1.05,
    breakdowns: Annotated[
        float, typer.Option("--breakdowns", min=0, max=1, help="Chance of one on each leg.")
    ] = 0.02,
    skips: Annotated[
        float, typer.Option("--skips", min=0, max=1, help="Chance that a stop is left out.")
    ] = 0.0,
    gaps: Annotated[
        float, typer.Option("--gaps", min=0, help="Tunnels and lost signals a day.")
    ] = 2.0,
    noise: Annotated[
        float | None, typer.Option("--noise", min=0, help="Metres of noise; else the device's.")
    ] = None,
    clock: Annotated[
        float, typer.Option("--clock-offset", help="Seconds that the device's clock is ahead.")
    ] = 0.0,
    lang: LangOption = None,
) -> None:
    """Drive a plan's day in imagination: traffic, gaps, noise, breakdowns, with the truth beside.

    The same seed drives the same day. NMEA feeds a real gpsd through gpsfake.
    """
    words = words_for(lang)
    told = Console(stderr=True)
    _check(kind, to, out, speed, live=live)
    if listen is not None and (kind != "nmea" or to is not None or out is not None):
        raise InputError("simulate.listen_nmea")
    if register and (published is None or to is None):
        raise InputError("simulate.register_what")
    devices = _device_params(kind, noise, gaps, clock)
    drive = DriveParams(overall=log(traffic), breakdown_ratio=breakdowns, skip_ratio=skips)
    days = _days(plan_file, published, on.date(), vehicle)
    if device is not None and len(days) > 1:
        raise RequestError("simulate.one_device", vehicles=len(days))
    known = _lines_of(plan_file, lines)
    simulated = [
        simulate_run(
            request,
            run,
            DeviceId(device or _device_name(request, str(run.vehicle_id), kind)),
            seed=seed,
            drive=drive,
            device=devices,
            lines=known,
        )
        for request, run in days
    ]
    if live:
        simulated = [_from_now(run) for run in simulated]
    if truth is not None:
        _write_text(truth, json.dumps([truth_of(r, seed) for r in simulated], indent=1) + "\n")
    pace = 1.0 if live else speed
    if listen is not None:
        sent = serve_nmea(simulated, listen, pace, lambda url: told.print(url, markup=False))
        told.print(words.count("simulate.sent", sent, url="gpsd"), markup=False)
    elif to is not None:
        token = None if token_file is None else read_token(token_file)
        if register:
            token = _let_in(published, kind, simulated)
        sent = send(simulated, kind, to, token, pace)
        told.print(words.count("simulate.sent", sent, url=to), markup=False)
    else:
        _write(told, words, simulated, kind, out, pace)


def _days(
    plan_file: Path | None, published: str | None, on: date, vehicle: str | None
) -> list[tuple[PlanRequest, PlannedRun]]:
    """What is to be driven: of a plan file, or what readers were promised."""
    if (plan_file is None) == (published is None):
        raise InputError("simulate.plan_or_published")
    if plan_file is not None:
        request, plan = read_plan(plan_file)
        wanted = None if vehicle is None else find_vehicle(request, vehicle).vehicle_id
        return [(request, run) for run in runs_to_simulate(request, plan, on, wanted)]
    assert published is not None  # one of both is given
    with open_database(Settings.from_environment()) as engine, reading(engine) as session:
        return [(d.request, d.run) for d in published_days(session, published, on, vehicle)]


def _let_in(region_id: str | None, kind: str, runs: list[SimulatedRun]) -> str:
    assert region_id is not None  # checked before
    devices = {run.vehicle_id: str(run.fixes[0].device_id) for run in runs if run.fixes}
    settings = Settings.from_environment()
    with open_database(settings) as engine, writing(engine) as session:
        return let_in(session, region_id, kind, devices, at=clock_of(settings)())


def _check(kind: str, to: str | None, out: Path | None, speed: float | None, *, live: bool) -> None:
    if kind not in FORMATS:
        raise InputError("simulate.unknown_format", value=kind, known=", ".join(FORMATS))
    if to is not None and kind in ONE_A_FILE:
        raise InputError("simulate.not_by_http", value=kind)
    if to is not None and out is not None:
        raise InputError("simulate.to_or_out")
    if live and speed is not None and speed != 1:
        raise InputError("simulate.live_speed", value=f"{speed:g}")


def _device_name(request: PlanRequest, vehicle_id: str, kind: str) -> str:
    return f"{request.region_id}/{vehicle_id}" if kind == "owntracks" else vehicle_id


def _device_params(kind: str, noise: float | None, gaps: float, clock: float) -> DeviceParams:
    params = replace(
        PROFILES.get(kind, PROFILES["nmea"]),
        gaps_per_day=gaps,
        clock_offset_s=clock,
        is_fix_time_wrong=clock != 0 and kind in ("owntracks", "osmand"),
    )
    return params if noise is None else replace(params, noise_m=noise)


def _lines_of(plan_file: Path | None, lines: Path | None) -> RunLines | None:
    if lines is not None:
        return read_lines(lines)
    if plan_file is None:
        return None
    beside = plan_file.with_name("plan.geojson")
    return read_lines(beside) if beside.is_file() else None


def _from_now(run: SimulatedRun) -> SimulatedRun:
    """The same day beginning now."""
    shift = datetime.now(UTC).replace(microsecond=0) - run.day.began_at

    def moved(at: datetime | None) -> datetime | None:
        return None if at is None else at + shift

    fixes = tuple(
        replace(
            f,
            fix_at=f.fix_at + shift,
            received_at=moved(f.received_at),
            device_at=moved(f.device_at),
        )
        for f in run.fixes
    )
    stands = tuple(
        replace(s, from_at=moved(s.from_at), until_at=moved(s.until_at)) for s in run.day.stands
    )
    day = replace(run.day, began_at=run.day.began_at + shift, stands=stands)
    return replace(run, day=day, fixes=fixes)


def _write(
    told: Console,
    words: Words,
    runs: list[SimulatedRun],
    kind: str,
    out: Path | None,
    speed: float | None,
) -> None:
    if out is None:
        if kind in ONE_A_FILE and len(runs) > 1:
            raise RequestError("simulate.one_vehicle", format=kind, vehicles=len(runs))
        _stream(sys.stdout.buffer, runs, kind, speed)
        return
    if out.suffix and len(runs) > 1 and kind in ONE_A_FILE:
        raise RequestError("simulate.folder_needed", format=kind, vehicles=len(runs), out=out)
    targets = {out: runs}
    if not out.suffix:
        made_folder(out)
        targets = {out / _file_name(run, kind): [run] for run in runs}
    for path, some in targets.items():
        check_folder(path.parent)
        made_folder(path.parent)
        try:
            with path.open("wb") as stream:
                _stream(stream, some, kind, speed)
        except OSError as wrong:
            raise not_written(path, wrong) from wrong
        told.print(words("simulate.written", file=path), markup=False)


def _file_name(run: SimulatedRun, kind: str) -> str:
    day = run.day.run.service_date.isoformat()
    ending = _ENDINGS.get(kind, "jsonl")
    return f"{day}_{file_stem(run.vehicle_name)}_{file_stem(str(run.vehicle_id))}.{ending}"


def _stream(stream: BinaryIO, runs: list[SimulatedRun], kind: str, speed: float | None) -> None:
    if kind == "gpx":
        for run in runs:
            stream.write(emit.gpx(dict.fromkeys(run.fixes), name=run.vehicle_name).encode())
        return
    if kind == "nmea" and speed is None:
        # A receiver's log is in order of time: it knows nothing of networks.
        for run in runs:
            once = {f.fix_at: f for f in run.fixes}
            for at in sorted(once):
                stream.write(message(once[at], kind))
        return
    for _, body in paced(messages(runs, kind), speed):
        stream.write(body if kind == "nmea" else body + b"\n")
        if speed is not None:
            stream.flush()


def _write_text(path: Path, text: str) -> None:
    check_folder(path.parent)
    made_folder(path.parent)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as wrong:
        raise not_written(path, wrong) from wrong
