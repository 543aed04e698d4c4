"""A plan with its request in one JSON file that can be judged without its region.

The file holds the request and the plan with its provenance. Of the travel matrices it keeps all
cells, so that a stop left out can be put in by hand; beyond ``MOST_WITH_TRAVEL`` stops it keeps
those between depots and served stops, as every file once did. Dates are ISO, sets are sorted lists,
times are seconds; matrices are zlib-packed little-endian int32, base64. The same plan gives the
same bytes.
"""

import base64
import binascii
import dataclasses
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from data.feeds.tables import check_file
from data.model.access import Access, Home
from data.model.calendar import Cycle, ServiceCalendar
from data.model.costs import NO_COSTS, Costs
from data.model.crew import Specialist
from data.model.demand import PrizeBy
from data.model.dwell import DEFAULT_DWELL_WORTH, DwellWorth
from data.model.errors import InputError
from data.model.fleet import CrewRules, RuleSet, RuleSetId, Vehicle, VehicleId
from data.model.learned import LearnedUse
from data.model.pins import NO_PINS, ChangeCap, Pins
from data.model.place import Depot, Stop, StopId
from data.model.plan import Plan, PlanRequest
from data.model.travel import TravelMatrix

FORMAT = "bookmobile-plan"
VERSION = 1

MOST_WITH_TRAVEL = 1200
"""Most stops of which all travel is kept: some 10 MB for each matrix."""
_CELL = np.dtype("<i4")
_MOST_POINTS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMatrix:
    """A travel matrix and the vehicles that share it."""

    vehicles: tuple[VehicleId, ...]
    point_ids: tuple[str, ...]
    shape: tuple[int, int]
    travel_s: str
    travel_m: str
    source: str
    is_estimated: bool
    base_s: str = ""
    buffer_s: str = ""
    """Empty where nothing was learned."""

    @classmethod
    def from_domain(cls, matrix: TravelMatrix, vehicles: tuple[VehicleId, ...]) -> "StoredMatrix":
        return cls(
            vehicles=vehicles,
            point_ids=matrix.point_ids,
            shape=(len(matrix.point_ids), len(matrix.point_ids)),
            travel_s=_packed(matrix.travel_s),
            travel_m=_packed(matrix.travel_m),
            source=matrix.source,
            is_estimated=matrix.is_estimated,
            base_s="" if matrix.base_s is None else _packed(matrix.base_s),
            buffer_s="" if matrix.buffer_s is None else _packed(matrix.buffer_s),
        )

    def to_domain(self) -> TravelMatrix:
        """The matrix; ``ValueError`` where the cells are damaged or their number is wrong."""
        rows, columns = self.shape
        if not rows == columns == len(self.point_ids) <= _MOST_POINTS:
            raise ValueError(f"shape {rows} × {columns}, points {len(self.point_ids)}")
        return TravelMatrix(
            point_ids=self.point_ids,
            travel_s=_unpacked(self.travel_s, rows),
            travel_m=_unpacked(self.travel_m, rows),
            source=self.source,
            is_estimated=self.is_estimated,
            base_s=_unpacked(self.base_s, rows) if self.base_s else None,
            buffer_s=_unpacked(self.buffer_s, rows) if self.buffer_s else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAccess:
    """An ``Access`` whose ways to each stop are one text: home, seconds, home, seconds …"""

    homes: tuple[Home, ...]
    near: Mapping[StopId, str]

    @classmethod
    def from_domain(cls, access: Access) -> "StoredAccess":
        near = {
            stop_id: " ".join(f"{home} {seconds}" for home, seconds in ways)
            for stop_id, ways in access.near.items()
        }
        return cls(homes=access.homes, near=near)

    def to_domain(self) -> Access:
        """The ways as numbers; ``ValueError`` where they are damaged."""
        near = {}
        for stop_id, text in self.near.items():
            numbers = [int(part) for part in text.split()]
            near[stop_id] = tuple(zip(numbers[::2], numbers[1::2], strict=True))
        return Access(homes=self.homes, near=near)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """A ``PlanRequest`` whose matrices are text."""

    region_id: str
    cycle: Cycle
    calendar: ServiceCalendar
    time_zone: str
    depots: tuple[Depot, ...]
    vehicles: tuple[Vehicle, ...]
    stops: tuple[Stop, ...]
    crew_rules: Mapping[VehicleId, CrewRules]
    rule_sets_used: Mapping[VehicleId, tuple[RuleSetId, ...]]
    clock_tolerance_s: int
    meal_window_start_s: int
    meal_window_end_s: int
    travel: tuple[StoredMatrix, ...]
    pins: Pins = NO_PINS
    change_cap: ChangeCap | None = None
    specialists: tuple[Specialist, ...] = ()
    prize_by: PrizeBy = PrizeBy.PEOPLE
    learned: LearnedUse | None = None
    dwell_worth: DwellWorth = DEFAULT_DWELL_WORTH
    access: StoredAccess | None = None
    costs: Costs = NO_COSTS
    provisional_rules: tuple[RuleSet, ...] = ()

    @classmethod
    def from_domain(cls, request: PlanRequest, plan: Plan) -> "StoredRequest":
        kept = {f.name: getattr(request, f.name) for f in dataclasses.fields(request)}
        access = None if request.access is None else StoredAccess.from_domain(request.access)
        travel = tuple(_stored_travel(request, plan))
        return cls(**kept | {"travel": travel, "access": access})

    def to_domain(self) -> PlanRequest:
        kept = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        travel: dict[VehicleId, TravelMatrix] = {}
        for number, stored in enumerate(self.travel):
            try:
                matrix = stored.to_domain()
            except (ValueError, zlib.error, binascii.Error) as wrong:
                raise InputError(
                    "plan_file.matrix_damaged", place=f"request.travel[{number}]", cause=str(wrong)
                ) from wrong
            travel.update(dict.fromkeys(stored.vehicles, matrix))
        try:
            access = None if self.access is None else self.access.to_domain()
        except ValueError as wrong:
            raise InputError(
                "plan_file.access_damaged", place="request.access", cause=str(wrong)
            ) from wrong
        return PlanRequest(**kept | {"travel": travel, "access": access})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """What the file holds."""

    format: str
    version: int
    request: StoredRequest
    plan: Plan


_FILE = TypeAdapter(StoredPlan)


def write_plan(path: Path, request: PlanRequest, plan: Plan) -> None:
    """Write a plan and its request as one file.

    Stops that the plan does not serve stay in the request; where the request has more than
    ``MOST_WITH_TRAVEL`` stops, their travel is left out.
    """
    stored = StoredPlan(
        format=FORMAT,
        version=VERSION,
        request=StoredRequest.from_domain(request, plan),
        plan=plan,
    )
    text = json.dumps(plain(stored), ensure_ascii=False, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def read_plan(path: Path) -> tuple[PlanRequest, Plan]:
    """Read a plan and its request.

    Values of free tables (facts, parameters) come back as JSON has them: lists for tuples.

    Raises
    ------
    InputError
        ``feeds.file.*``, ``plan_file.unreadable``, ``plan_file.not_json``,
        ``plan_file.not_a_plan``, ``plan_file.version``, ``plan_file.missing_key``,
        ``plan_file.wrong_value``, ``plan_file.matrix_damaged``, ``plan_file.unknown_id``;
        facts name the file and the place.
    """
    found = _parsed(path)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError("plan_file.not_a_plan", file=path.name, format=FORMAT)
    if found.get("version") != VERSION:
        raise InputError(
            "plan_file.version", file=path.name, found=found.get("version"), known=VERSION
        )
    try:
        stored = _FILE.validate_python(found)
    except ValidationError as wrong:
        raise _wrong_value(path, wrong) from wrong
    try:
        request = stored.request.to_domain()
        _check_ids(request, stored.plan)
    except InputError as wrong:
        raise InputError(wrong.code, **{"file": path.name, **wrong.facts}) from wrong
    return request, stored.plan


def _parsed(path: Path) -> Any:
    """The JSON of a file, or ``InputError`` with the place where it breaks off."""
    check_file(path)
    try:
        return json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as wrong:
        reason = wrong.strerror or str(wrong)
        raise InputError("plan_file.unreadable", file=path.name, cause=reason) from wrong
    except json.JSONDecodeError as wrong:
        line, column = wrong.lineno, wrong.colno
    except UnicodeDecodeError as wrong:
        line, column = 1 + wrong.object.count(b"\n", 0, wrong.start), 1
    except RecursionError:
        # Brackets nested thousands deep are no plan either.
        line, column = 1, 1
    raise InputError("plan_file.not_json", file=path.name, line=line, column=column)


def _stored_travel(request: PlanRequest, plan: Plan) -> Iterator[StoredMatrix]:
    """The matrices, each once, cut down to depots and stops in order of the request."""
    is_whole = len(request.stops) <= MOST_WITH_TRAVEL
    served = {v.stop_id for r in plan.runs for v in r.visits}
    points = [str(d.depot_id) for d in request.depots]
    points += [str(s.stop_id) for s in request.stops if is_whole or s.stop_id in served]
    sharing: dict[int, list[VehicleId]] = {}
    for vehicle in request.vehicles:
        matrix = request.travel.get(vehicle.vehicle_id)
        if matrix is not None:
            sharing.setdefault(id(matrix), []).append(vehicle.vehicle_id)
    for vehicle_ids in sharing.values():
        matrix = request.travel[vehicle_ids[0]]
        kept = matrix.restricted_to([p for p in points if p in matrix.index])
        yield StoredMatrix.from_domain(kept, tuple(vehicle_ids))


def _packed(cells: NDArray[np.int32]) -> str:
    packed = zlib.compress(np.ascontiguousarray(cells, dtype=_CELL).tobytes(), level=9)
    return base64.b64encode(packed).decode("ascii")


def _unpacked(text: str, size: int) -> NDArray[np.int32]:
    expected = size * size * _CELL.itemsize
    stream = zlib.decompressobj()
    # One byte past the expected length is enough to see that there is too much.
    raw = stream.decompress(base64.b64decode(text, validate=True), expected + 1)
    if len(raw) != expected:
        raise ValueError(f"cells: {len(raw)} bytes, expected {expected}")
    return np.frombuffer(raw, dtype=_CELL).reshape(size, size).astype(np.int32)


def plain(value: Any) -> Any:
    """A value as JSON has it; sets are sorted so that the same plan gives the same bytes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(k)): plain(v) for k, v in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(v) for v in value)
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    return value


def _wrong_value(path: Path, wrong: ValidationError) -> InputError:
    """The first thing that does not fit, with its place written as a path."""
    first = wrong.errors(include_url=False)[0]
    place = ""
    for part in first["loc"]:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
    facts = {"file": path.name, "place": place, "num_problems": wrong.error_count()}
    if first["type"] == "missing":
        return InputError("plan_file.missing_key", **facts)
    value = repr(first["input"])
    value = value if len(value) <= 60 else value[:57] + "…"
    return InputError("plan_file.wrong_value", value=value, cause=first["msg"], **facts)


def _check_ids(request: PlanRequest, plan: Plan) -> None:
    """Raise ``InputError`` if the plan speaks of a stop, vehicle or place that is not there."""
    stops = {s.stop_id for s in request.stops}
    depots = {d.depot_id for d in request.depots}
    vehicles = {v.vehicle_id for v in request.vehicles}
    specialists = {s.specialist_id for s in request.specialists}
    for number, run in enumerate(plan.runs):
        if run.vehicle_id not in vehicles:
            raise _unknown(f"plan.runs[{number}].vehicle_id", run.vehicle_id)
        for index, rider in enumerate(run.specialist_ids):
            if rider not in specialists:
                raise _unknown(f"plan.runs[{number}].specialist_ids[{index}]", rider)
        for name in ("start_depot_id", "end_depot_id"):
            place = getattr(run, name)
            if place is not None and place not in depots:
                raise _unknown(f"plan.runs[{number}].{name}", place)
        for index, visit in enumerate(run.visits):
            if visit.stop_id not in stops:
                raise _unknown(f"plan.runs[{number}].visits[{index}].stop_id", visit.stop_id)
    for number, unserved in enumerate(plan.unserved):
        if unserved.stop_id not in stops:
            raise _unknown(f"plan.unserved[{number}].stop_id", unserved.stop_id)


def _unknown(place: str, value: str) -> InputError:
    return InputError("plan_file.unknown_id", place=place, value=value)
