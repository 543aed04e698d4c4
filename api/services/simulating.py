"""Simulated days of a plan: the plan's own runs, roads and times, driven and told by devices."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from data.model.errors import RequestError
from data.model.fleet import VehicleId
from data.model.lines import RunLines
from data.model.plan import Plan, PlanRequest
from data.model.telemetry import DeviceId, Fix
from fleet import batch, emit
from fleet.devices import DeviceParams, observe
from fleet.planned import PlannedRun, runs_on
from fleet.simulate import DriveParams, TrueDay, drive_plan
from fleet.tracking import places_of

FORMATS = ("nmea", "owntracks", "osmand", "traccar", "gpx", "batch")
ONE_A_FILE = frozenset({"nmea", "gpx"})
"""Formats that do not name their device: each vehicle needs a file of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedRun:
    """A run as it truly was, and what a device told of it in order of arrival."""

    vehicle_id: VehicleId
    vehicle_name: str
    day: TrueDay
    fixes: tuple[Fix, ...]


def runs_to_simulate(
    request: PlanRequest, plan: Plan, on: date, vehicle_id: VehicleId | None
) -> tuple[PlannedRun, ...]:
    """The runs of a date, of all vehicles or of one.

    Raises
    ------
    RequestError
        ``track.no_runs`` where the plan has none then.
    """
    found = [run for run in runs_on(request, plan, on) if vehicle_id in (None, run.vehicle_id)]
    if not found:
        raise RequestError("track.no_runs", date=on.isoformat())
    return tuple(found)


def simulate_run(
    request: PlanRequest,
    run: PlannedRun,
    device_id: DeviceId,
    *,
    seed: int,
    drive: DriveParams,
    device: DeviceParams,
    lines: RunLines | None = None,
) -> SimulatedRun:
    """Drive a run and let a device tell of it."""
    matrix = request.travel.get(run.vehicle_id) or next(iter(request.travel.values()))
    ids = [p for p in dict.fromkeys(run.place_ids) if p in matrix.index]
    pairs = [(a, b) for a in ids for b in ids if a != b and matrix.metres(a, b) >= 0]
    day_number = request.cycle.day_of(run.service_date)
    if request.cycle.repeats:
        day_number %= request.cycle.num_days
    day = drive_plan(
        run,
        {p.place_id: (p.lon, p.lat) for p in places_of(request)},
        {(a, b): matrix.seconds(a, b) - matrix.buffer_seconds(a, b) for a, b in pairs},
        seed=seed,
        params=drive,
        lines=(lines or {}).get((run.vehicle_id, day_number)),
        drive_m={(a, b): matrix.metres(a, b) for a, b in pairs},
    )
    name = next(v.name for v in request.vehicles if v.vehicle_id == run.vehicle_id)
    return SimulatedRun(
        vehicle_id=run.vehicle_id,
        vehicle_name=name,
        day=day,
        fixes=observe(day, device_id, device, seed=seed),
    )


def messages(runs: Sequence[SimulatedRun], kind: str) -> Iterator[tuple[datetime, Fix, bytes]]:
    """The messages of all vehicles in order of arrival, each with its time and its fix."""
    come = sorted(
        ((f.received_at or f.fix_at, str(f.device_id), f) for run in runs for f in run.fixes),
        key=lambda entry: entry[:2],
    )
    for at, _, fix in come:
        yield at, fix, message(fix, kind)


def message(fix: Fix, kind: str) -> bytes:
    """One fix as a format writes it, without the end of a line."""
    match kind:
        case "nmea":
            return emit.nmea(fix).encode()
        case "owntracks":
            return emit.owntracks(fix)
        case "osmand":
            return emit.osmand(fix).encode()
        case "traccar":
            return emit.traccar(fix)
        case _:
            return batch.encode([fix], sent_at=fix.received_at or fix.fix_at)


def truth_of(run: SimulatedRun, seed: int) -> Mapping[str, object]:
    """What truly happened, as JSON has it."""
    return {
        "vehicle_id": run.vehicle_id,
        "date": run.day.run.service_date.isoformat(),
        "seed": seed,
        "driven_m": round(run.day.driven_m),
        "stands": [
            {
                "kind": stand.kind.value,
                "place_id": stand.place_id,
                "position": stand.position,
                "lon": round(float(stand.lon), 6),
                "lat": round(float(stand.lat), 6),
                "from": None if stand.from_at is None else stand.from_at.isoformat(),
                "until": None if stand.until_at is None else stand.until_at.isoformat(),
            }
            for stand in run.day.stands
        ],
    }
