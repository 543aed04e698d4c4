"""Sets of plans to choose from: the frontier of a region, its fleet by size and by base."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TypedDict

from api.progress import Ticker
from api.services.access import access_of
from api.services.comparing import cost_of, fairness
from api.services.folders import made_folder
from api.services.learning import NO_GUIDANCE, Guidance, guided
from api.services.needs import NeedAudit, library_position
from api.services.plan_folder import Published, run_lines
from api.services.plan_frame import fleet_of
from api.services.planning import Prepared, finished, measure, prepared, stops_of
from api.words import Words
from data.feeds.plan_file import write_plan
from data.model.calendar import HOUR_S, MINUTE_S
from data.model.fleet import CrewRules, Vehicle
from data.model.place import Depot, DepotId, Library, LibraryKind, Standing
from data.model.plan import Plan, PlanRequest, Violation
from data.model.region import Region
from maps.draw import draw_map
from maps.roads import NO_CLOSURES, Closures, Roads
from planner.access import AccessFigures
from planner.bases import Screened, comfortable_s, screen
from planner.bound import prize_bound
from planner.candidates import build_request, frame_request
from planner.choices import part_of
from planner.frontier import Frontier, FrontierProgress, frontier
from planner.frontier_points import Point
from planner.params import SolveParams
from planner.score import PlanSummary, check, summarise
from planner.solve import Progress, solve
from planner.warm_up import warm_up


class Horizon(TypedDict):
    """Dates of a plan."""

    start_date: date
    weeks: int
    until_date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What every plan of a set has in common."""

    region: Region
    audit: NeedAudit
    roads: Roads
    start_date: date
    weeks: int
    until_date: date | None = None
    """Last date of plans that do not repeat."""
    closures: Closures = NO_CLOSURES
    guidance: Guidance = NO_GUIDANCE

    @property
    def horizon(self) -> Horizon:
        """The dates as ``frame_request`` and ``build_request`` take them."""
        return {
            "start_date": self.start_date,
            "weeks": self.weeks,
            "until_date": self.until_date,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """A plan of a fleet, or the rules that the best one found breaks."""

    vehicles: tuple[Vehicle, ...]
    bases: tuple[str, ...]
    """Where they stand, in their order, each place once."""
    borrowed: int
    request: PlanRequest
    plan: Plan
    summary: PlanSummary
    access: AccessFigures | None
    violations: tuple[Violation, ...]
    cost: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRow:
    """A base that was screened; ``sized`` is ``None`` where no plan was made, for a reason."""

    screened: Screened
    name: str
    is_own: bool
    is_assumed: bool
    """Whether the library there is assumed, not known."""
    bound: float
    """Weighted people that no plan of one vehicle can exceed from here."""
    sized: Sized | None
    is_beaten: bool = False
    """Whether it was left out since its bound is no more than what another base reaches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSizes:
    """People reached by number of vehicles and, with one vehicle, by its base."""

    sizes: tuple[Sized, ...]
    bases: tuple[BaseRow, ...]
    num_candidates: int
    comfortable_s: float
    is_cut_short: bool


def frontier_of(
    setting: Setting,
    *,
    num_vehicles: int | None,
    num_plans: int,
    params: SolveParams,
    tick: Ticker,
) -> tuple[Prepared, Frontier]:
    """The request of a region and the plans that trade people, fairness and kilometres."""
    ready = prepared(
        setting.region,
        setting.audit,
        setting.roads,
        **setting.horizon,
        num_vehicles=num_vehicles,
        tick=tick,
        closures=setting.closures,
        guidance=setting.guidance,
    )
    tick.phase("phase.compile")
    warm_up()
    tick.phase("phase.frontier")

    def tell(progress: FrontierProgress) -> None:
        tick.fraction(progress.fraction)
        tick.best(
            "frontier.best",
            n=progress.num_plans,
            prize=round(progress.prize),
            p90="—" if progress.p90_s is None else round(progress.p90_s / MINUTE_S, 1),
            km=round(progress.drive_m / 1000),
        )

    found = frontier(
        ready.request, params, num_plans=num_plans, progress=tell, should_stop=tick.should_stop
    )
    points = tuple(replace(p, plan=finished(ready.request, p.plan)) for p in found.points)
    return ready, replace(found, points=tuple(_with_bound(ready.request, p) for p in points))


def _with_bound(request: PlanRequest, point: Point) -> Point:
    return replace(point, summary=summarise(request, point.plan))


def fleet_sizes(
    setting: Setting,
    *,
    most_vehicles: int,
    num_bases: int,
    params: SolveParams,
    tick: Ticker,
) -> FleetSizes:
    """Plans for one to ``most_vehicles`` vehicles, and for one vehicle at each of some bases.

    A plan goes on from that of one vehicle fewer, so that more vehicles never reach fewer people.
    Of the bases those are planned whose stops in comfortable reach have most people, the region's
    own depots always; they are taken in order of a bound, and one that cannot beat the best so far
    is left out. The time is shared evenly.
    """
    sizing = _Sizing(setting, params, tick, most_vehicles + num_bases)
    sizes = sizing.by_number(most_vehicles)
    bases, num_candidates, reach_s = sizing.by_base(num_bases) if num_bases else ((), 0, 0.0)
    return FleetSizes(
        sizes=sizes,
        bases=bases,
        num_candidates=num_candidates,
        comfortable_s=reach_s,
        is_cut_short=sizing.is_cut_short,
    )


class _Sizing:
    """The searches of one comparison of fleets: they share stops, ways and time."""

    def __init__(self, setting: Setting, params: SolveParams, tick: Ticker, total: int) -> None:
        self.setting = setting
        self.params = params
        self.tick = tick
        self.total = total
        self.done = 0
        self.is_cut_short = False
        is_dated = setting.until_date is not None
        self.stops = stops_of(setting.region, setting.audit, setting.weeks, is_dated=is_dated)
        self.access = access_of(setting.region, setting.audit, self.stops, setting.roads, tick)

    def by_number(self, most: int) -> tuple[Sized, ...]:
        region = self.setting.region
        fleet, _ = fleet_of(region, most)
        frame_request(region, **self.setting.horizon, vehicles=fleet)
        travel, _ = measure(
            region, self.stops, fleet, self.setting.roads, self.tick, self.setting.closures
        )
        self.tick.phase("phase.compile")
        warm_up()
        self.tick.phase("phase.fleet")
        found: list[Sized] = []
        for number in range(1, most + 1):
            vehicles, borrowed = fleet_of(region, number)
            request = build_request(
                region,
                self.stops,
                {v.vehicle_id: travel[v.vehicle_id] for v in vehicles},
                **self.setting.horizon,
                vehicles=vehicles,
            )
            request = guided(request, self.setting.guidance)
            sized = self._sized(request, borrowed, found[-1] if found else None)
            if sized is None:
                break
            found.append(sized)
        return tuple(found)

    def by_base(self, num: int) -> tuple[tuple[BaseRow, ...], int, float]:
        """One vehicle at each base that the screening leaves."""
        region = self.setting.region
        model, rules = self._model()
        candidates = candidate_bases(region, self.setting.audit, self.setting.roads, model)
        widened = replace(region, depots=candidates)
        placed = [replace(model, depot_id=d.depot_id, end_depot_id=None) for d in candidates]
        travel, _ = measure(
            widened, self.stops, placed, self.setting.roads, self.tick, self.setting.closures
        )
        matrix = travel[model.vehicle_id]
        reach_s = comfortable_s(model, rules)
        known = {d.depot_id for d in region.depots}
        own = frozenset(d.depot_id for d in candidates if d.depot_id in known)
        chosen = screen(candidates, self.stops, matrix, reach_s, always=own, num=num)
        self.total += len(chosen) - num
        self.tick.phase("phase.bases")
        requests = {}
        for screened in chosen:
            vehicle = replace(model, depot_id=screened.depot.depot_id, end_depot_id=None)
            frame = build_request(
                widened,
                self.stops,
                {vehicle.vehicle_id: matrix},
                **self.setting.horizon,
                vehicles=(vehicle,),
            )
            points = [str(d.depot_id) for d in frame.depots] + [str(s.stop_id) for s in self.stops]
            own_travel = {vehicle.vehicle_id: matrix.restricted_to(points)}
            requests[screened.depot.depot_id] = guided(
                replace(frame, travel=own_travel), self.setting.guidance
            )
        bounds = {d: prize_bound(r)[0] for d, r in requests.items()}
        assumed = {
            base_id(x) for x in self.setting.audit.libraries if x.standing is Standing.ASSUMED
        }
        rows = []
        best = 0.0
        for screened in sorted(chosen, key=lambda s: (-bounds[s.depot.depot_id], -s.prize)):
            depot_id = screened.depot.depot_id
            is_beaten = bounds[depot_id] <= best
            sized = None if is_beaten else self._sized(requests[depot_id], 0, None)
            if sized is not None and not sized.violations:
                best = max(best, sized.summary.prize_collected)
            rows.append(
                BaseRow(
                    screened=screened,
                    name=place_name(region, screened.depot),
                    is_own=depot_id in own,
                    is_assumed=depot_id in assumed,
                    bound=bounds[depot_id],
                    sized=sized,
                    is_beaten=is_beaten,
                )
            )
        rows.sort(key=lambda r: -(r.sized.summary.prize_collected if r.sized else 0.0))
        return tuple(rows), len(candidates), reach_s

    def _model(self) -> tuple[Vehicle, CrewRules]:
        """The region's first vehicle, with the rules of its crew."""
        vehicles, _ = fleet_of(self.setting.region, 1)
        frame = frame_request(
            self.setting.region,
            **self.setting.horizon,
            vehicles=vehicles,
        )
        return vehicles[0], frame.crew_rules[vehicles[0].vehicle_id]

    def _place(self, vehicle: Vehicle) -> str:
        depots = {d.depot_id: d for d in self.setting.region.depots}
        depot = depots.get(vehicle.depot_id)
        return str(vehicle.depot_id) if depot is None else place_name(self.setting.region, depot)

    def _sized(self, request: PlanRequest, borrowed: int, before: Sized | None) -> Sized | None:
        """The plan of a fleet; ``None`` once a person has stopped the work."""
        if self.tick.should_stop() and self.done:
            self.is_cut_short = True
            return None
        request = replace(request, access=self.access)

        def tell(progress: Progress) -> None:
            self.tick.fraction((self.done + progress.fraction) / self.total)
            self.tick.best(
                "plan.best", prize=round(progress.prize), hours=round(progress.travel_s / HOUR_S)
            )

        share = 1 / self.total
        plan = solve(
            request,
            part_of(self.params, share, 0, left_s=self.params.time_limit_s * share),
            start=None if before is None else before.plan,
            progress=tell,
            should_stop=self.tick.should_stop,
        )
        if before is not None and _rank(request, plan) > _rank(request, before.plan):
            plan = before.plan  # the new vehicle stays at its base
        self.done += 1
        plan = finished(request, plan)
        summary = summarise(request, plan)
        return Sized(
            vehicles=request.vehicles,
            bases=tuple(dict.fromkeys(self._place(v) for v in request.vehicles)),
            borrowed=borrowed,
            request=request,
            plan=plan,
            summary=summary,
            access=fairness(self.access, plan),
            violations=check(request, plan),
            cost=cost_of(summary, request.costs),
        )


def _rank(request: PlanRequest, plan: Plan) -> tuple[int, float, int]:
    """Broken rules, weighted people with a minus, driving: smaller is better."""
    summary = summarise(request, plan)
    return len(check(request, plan)), -summary.prize_collected, summary.drive_s


def candidate_bases(
    region: Region, audit: NeedAudit, roads: Roads, vehicle: Vehicle
) -> tuple[Depot, ...]:
    """The region's depots and the places of its libraries, one a settlement, that roads reach.

    Points are no places to keep a vehicle at; of several libraries in a settlement a known one
    stands for all.
    """
    homes = {str(s.settlement_id): s for s in region.settlements}
    own = [d for d in region.depots if not d.is_lodging]
    taken = {d.settlement_id for d in own if d.settlement_id is not None}
    found: list[Depot] = []
    libraries = sorted(
        audit.libraries, key=lambda x: (x.standing is not Standing.KNOWN, x.library_id)
    )
    for library in libraries:
        position = library_position(library, homes)
        if library.kind is not LibraryKind.LIBRARY or position is None:
            continue
        if library.settlement_id in taken:
            continue
        if library.settlement_id is not None:
            taken.add(library.settlement_id)
        home = homes.get(library.settlement_id or "")
        found.append(
            Depot(
                depot_id=base_id(library),
                name=home.name if home else library.name,
                lon=position[0],
                lat=position[1],
                settlement_id=library.settlement_id,
            )
        )
    every = [*own, *found]
    snaps = roads.snap([(d.lon, d.lat) for d in every], vehicle)
    return tuple(d for d, snap in zip(every, snaps, strict=True) if snap.is_usable)


def base_id(library: Library) -> DepotId:
    """The id of a base at a library."""
    return DepotId(f"base-{library.library_id}")


def place_name(region: Region, depot: Depot) -> str:
    """The settlement of a depot, else the depot's own name."""
    homes = {s.settlement_id: s.name for s in region.settlements}
    return homes.get(depot.settlement_id, depot.name) if depot.settlement_id else depot.name


def write_choice(
    setting: Setting, request: PlanRequest, plan: Plan, folder: Path, words: Words
) -> None:
    """The file and the map of one plan of a set; ``bookmobile export`` writes the rest of it."""
    made_folder(folder)
    write_plan(folder / "plan.json", request, plan)
    page = draw_map(
        setting.region,
        setting.audit.needs,
        request,
        plan,
        run_lines(request, plan.runs, setting.roads, words.language, setting.closures),
        words,
        estimated=setting.roads.is_estimated,
        until=Published.half_a_year(setting.region, request, words).until,
    )
    (folder / "map.html").write_text(page, encoding="utf-8")
