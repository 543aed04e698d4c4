"""Features with their words: what ``assets/map.js`` draws and what its popups say."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from math import sqrt
from typing import Any

from data.model.calendar import DAY_S
from data.model.crew import service_name, with_services
from data.model.figures import LACKING
from data.model.labels import Labels
from data.model.norms import NeedStatus
from data.model.place import (
    Depot,
    Library,
    Municipality,
    Settlement,
    SettlementId,
    Standing,
    Stop,
)
from data.model.plan import Plan, PlanRequest, Run
from data.model.region import Region
from data.model.rhythm_words import stop_rhythms
from data.model.riders import riders_of, riders_told, services_at, services_on
from data.model.timetable import run_dates
from maps.encode import encoded, simplified
from maps.layers import LibraryPoint, RunLine, SettlementPoint, StopPoint
from maps.panel import LegendRow, legend_row
from maps.symbols import (
    DEPOT,
    LIBRARY_SYMBOLS,
    NEED_SYMBOLS,
    NOT_JUDGED,
    STOP,
    UNSERVED_STOP,
    Symbol,
    vehicle_colour,
)

_LINE_TOLERANCE_M = 12.0
"""Less than a pixel until the map is far enlarged."""

_OFF_AT_START = frozenset({f"library_{Standing.ASSUMED}"})
"""Their settlements have a symbol of their own; both at once would hide one another."""

type _Rows = list[tuple[int, str]]


class Features:
    """Collects what a map shows, as plain values for JSON.

    Parameters
    ----------
    label
        Gives every word that a viewer sees.
    region
        Its language decides whether names are shown in their own letters or in Latin ones.
    """

    def __init__(self, label: Labels, region: Region) -> None:
        self._label = label
        self._in_latin = label.language != region.language
        self._settlements = {s.settlement_id: s for s in region.settlements}
        self._stops_at: dict[SettlementId, list[tuple[int, str]]] = {}
        self._labels: dict[str, int] = {}
        self._dates: dict[date, int] = {}
        self._counts: Counter[str] = Counter()
        self._groups: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ("places", "libraries", "depots", "stops", "runs", "vehicles")
        }
        self.positions: list[tuple[float, float]] = []
        """Where things stand, lon and lat."""
        self._styles: dict[str, Symbol] = {
            **{f"need_{status}": symbol for status, symbol in NEED_SYMBOLS.items()},
            **{f"library_{standing}": symbol for standing, symbol in LIBRARY_SYMBOLS.items()},
            "not_judged": NOT_JUDGED,
            "stops": STOP,
            "stops_unserved": UNSERVED_STOP,
            "depots": DEPOT,
        }

    def payload(self) -> dict[str, Any]:
        """All features with the tables that they refer to."""
        label = self._label
        return {
            **self._groups,
            "labels": list(self._labels),
            "dates": [[d.isoformat(), label.day(d, "EEE, d MMMM")] for d in self._dates],
            "styles": {
                name: {
                    "shape": s.shape,
                    "fill": s.fill,
                    "stroke": s.stroke,
                    "r": s.radius_px,
                    "weight": s.weight_px,
                }
                for name, s in self._styles.items()
            },
        }

    def _row(self, code: str, value: str) -> tuple[int, str]:
        name = self._label(code)
        return self._labels.setdefault(name, len(self._labels)), value

    def _at(self, lon: float, lat: float) -> str:
        self.positions.append((lon, lat))
        return encoded([(lon, lat)])

    def name_of(self, place: Settlement | Municipality | None) -> str:
        """A place's name in the letters of the reader's language, as far as they are known."""
        if place is None:
            return ""
        return (place.name_latin if self._in_latin else "") or place.name

    def _stop_name(self, stop: Stop) -> str:
        """A stop named after its settlement is shown as the settlement is."""
        home = self._settlements.get(stop.settlement_ids[0]) if stop.settlement_ids else None
        return self.name_of(home) if home and home.name == stop.name else stop.name

    def add_places(self, points: Sequence[SettlementPoint], *, estimated: bool) -> None:
        """Settlements by need. The order given is the order in which their names are shown.

        Stops added before are named by the settlements that they serve.
        """
        label = self._label
        for point in points:
            place = point.settlement
            kind = f"need_{point.need.status}" if point.need else "not_judged"
            self._counts[kind] += 1
            rows: _Rows = []
            where = self.name_of(point.municipality)
            if where:
                rows.append(self._row("map.municipality", where))
            rows.append(self._row("map.population", self._population(point)))
            if place.children is not None:
                rows.append(self._row("map.children", label.number(place.children)))
            rows += self._need_rows(point, estimated=estimated)
            base = self._styles[kind].radius_px
            size = 0.85 + min(1.6, sqrt((place.population or 0) / 4000))
            self._groups["places"].append(
                {
                    "p": self._at(point.lon, point.lat),
                    "kind": kind,
                    "r": round(base * size, 1),
                    "hollow": place.population is None,
                    "name": self.name_of(place),
                    "other": place.name if self._in_latin else place.name_latin,
                    "where": where,
                    "rows": rows,
                    "served": self._stops_at.get(place.settlement_id, []),
                }
            )

    def _population(self, point: SettlementPoint) -> str:
        place, label = point.settlement, self._label
        if place.population is None:
            return label("map.population_unknown")
        number = label.number(place.population)
        if place.population_year is None:
            return label("map.population_undated", number=number)
        return label("map.population_year", number=number, year=place.population_year)

    def _need_rows(self, point: SettlementPoint, *, estimated: bool) -> _Rows:
        need, label = point.need, self._label
        if need is None:
            return []
        rows = [self._row("map.status", label(f"need_status.{need.status}"))]
        if point.nearest is not None:
            name = point.nearest.name or label("map.library_unnamed")
            standing = label(f"standing.{point.nearest.standing}")
            rows.append(self._row("map.nearest", f"{name} ({standing})"))
        if (
            need.nearest_s is not None
            and need.nearest_m is not None
            and not need.has_library_inside
        ):
            code = "map.way_estimated" if estimated else "map.way"
            minutes = label.number(need.nearest_s / 60)
            rows.append(
                self._row(
                    "map.way_there", label(code, minutes=minutes, km=self._km(need.nearest_m))
                )
            )
        elif need.nearest_library_id is None:
            rows.append(self._row("map.way_there", label("map.no_way")))
        return rows

    def _km(self, metres: float) -> str:
        return self._label.number(metres / 1000, 1)

    def add_libraries(self, points: Sequence[LibraryPoint]) -> None:
        """Libraries, one symbol a place."""
        for point in points:
            kind = f"library_{point.standing}"
            for library in point.libraries:
                self._counts[f"library_{library.standing}"] += 1
            first = point.libraries[0]
            several = len(point.libraries) > 1
            self._groups["libraries"].append(
                {
                    "p": self._at(point.lon, point.lat),
                    "kind": kind,
                    "name": self._label.count("map.libraries_here", len(point.libraries))
                    if several
                    else first.name or self._label("map.library_unnamed"),
                    "rows": [row for lib in point.libraries for row in self._library(lib, point)],
                }
            )

    def _library(self, library: Library, point: LibraryPoint) -> _Rows:
        label = self._label
        name = library.name or label("map.library_unnamed")
        rows = [self._row("map.library", f"{name} ({label(f'standing.{library.standing}')})")]
        place = self.name_of(point.settlement)
        if len(point.libraries) == 1 and place:
            rows.append(self._row("map.settlement", place))
        if library.address:
            rows.append(self._row("map.address", library.address))
        if library.opening_hours:
            rows.append(self._row("map.opening_hours", library.opening_hours))
        return rows

    def add_depots(self, depots: Sequence[Depot]) -> None:
        for depot in depots:
            self._counts["depots"] += 1
            code = "map.lodging" if depot.is_lodging else "map.depot"
            self._groups["depots"].append(
                {
                    "p": self._at(depot.lon, depot.lat),
                    "name": depot.name,
                    "rows": [self._row(code, str(depot.depot_id))],
                }
            )

    def add_stops(
        self, request: PlanRequest, plan: Plan, points: Sequence[StopPoint], until: date
    ) -> None:
        """Stops with the dates of their visits, or the reason for having none."""
        label = self._label
        # In a cycle that repeats, the number of visits says it more briefly.
        rhythms = {} if request.cycle.repeats else stop_rhythms(request, plan, label)
        most = max((p.stop.people or 0 for p in points), default=0) or 1
        by_people = sorted(points, key=lambda p: -(p.stop.people or 0))
        rank = {p.stop.stop_id: i for i, p in enumerate(by_people)}
        names = {v.vehicle_id: v.name for v in request.vehicles}
        for point in points:
            stop = point.stop
            kind = "stops" if point.visits else "stops_unserved"
            self._counts[kind] += 1
            rows = [self._row("map.stop", str(stop.stop_id))]
            people = label.number(stop.people) if stop.people is not None else ""
            rows.append(self._row("map.people", people or label("map.population_unknown")))
            dates: list[tuple[int, str]] = []
            if point.visits:
                vehicles = dict.fromkeys(names[run.vehicle_id] for run, _ in point.visits)
                rows.append(self._row("map.vehicle", ", ".join(vehicles)))
                often = rhythms.get(stop.stop_id) or label.count("map.per_cycle", len(point.visits))
                rows.append(self._row("map.frequency", often))
                coming = {c for run, _ in point.visits for c in services_at(request, run, stop)}
                if coming:
                    named = ", ".join(service_name(c, label) for c in sorted(coming))
                    rows.append(self._row("map.services", named))
                dates = self._visits_of(request, plan, point, until)
            elif point.unserved is not None:
                reason = label(point.unserved.reason, **point.unserved.facts)
                rows.append(self._row("map.reason", reason))
            heading = label("map.stop_here", name=self._stop_name(stop))
            for settlement_id in stop.settlement_ids:
                at = self._stops_at.setdefault(settlement_id, [])
                at.append((len(self._groups["stops"]), heading))
            share = sqrt((stop.people or 0) / most)
            self._groups["stops"].append(
                {
                    "p": self._at(point.lon, point.lat),
                    "kind": kind,
                    "r": round(4.5 + 5.5 * share, 1) if point.visits else UNSERVED_STOP.radius_px,
                    "name": self._stop_name(stop),
                    "rank": rank[stop.stop_id],
                    "rows": rows,
                    "dates": dates,
                }
            )

    def _visits_of(
        self, request: PlanRequest, plan: Plan, point: StopPoint, until: date
    ) -> list[tuple[int, str]]:
        """Dates (as numbers in the table of dates) with the clock times of the doors."""
        label = self._label
        found: list[tuple[date, str]] = []
        for run, visit in point.visits:
            late = visit.start_s // DAY_S
            clock = label(
                "map.span",
                first=label.clock(visit.start_s - late * DAY_S),
                last=label.clock(visit.end_s - late * DAY_S),
            )
            after = timedelta(days=late)
            for on in run_dates(request, plan, run, until - after):
                coming = with_services(services_on(request, run, point.stop, on), label)
                found.append((on + after, f"{clock}, {coming}" if coming else clock))
        return [
            (self._dates.setdefault(on, len(self._dates)), clock) for on, clock in sorted(found)
        ]

    def add_runs(self, request: PlanRequest, runs: Sequence[RunLine]) -> None:
        """Runs with their lines and their stops in order; stops must have been added before."""
        label = self._label
        numbers = {stop.stop_id: i for i, stop in enumerate(request.stops)}
        order = {v.vehicle_id: i for i, v in enumerate(request.vehicles)}
        self._groups["vehicles"] = [
            {"name": v.name, "colour": vehicle_colour(i)} for i, v in enumerate(request.vehicles)
        ]
        places = {d.depot_id: d.name for d in request.depots}
        for feature in runs:
            run = feature.run
            start, end = (places[place] for place in run.ends(feature.vehicle))
            self._counts["runs"] += 1
            on = request.cycle.date_of(run.day)
            km = label("map.km", km=self._km(run.drive_m))
            brief = label(
                "map.run_brief",
                depart=label.clock(run.depart_s),
                back=label.clock(run.return_s),
                km=km,
                driving=label("map.hours", hours=label.number(run.drive_s / 3600, 1)),
            )
            leaves, arrives = label.clock(run.depart_s), label.clock(run.return_s)
            departs, returns = ("map.departs", leaves), ("map.returns", arrives)
            if run.start_depot_id is not None:
                departs = "map.departs_from", label("map.at_place", clock=leaves, place=start)
            if run.end_depot_id is not None:
                returns = "map.night_at", label("map.at_place", clock=arrives, place=end)
            name = label(
                "map.run_name", vehicle=feature.vehicle.name, date=label.day(on, "EEE, d MMMM")
            )
            self._groups["runs"].append(
                {
                    "vehicle": order[run.vehicle_id],
                    "day": run.day,
                    "roads": feature.follows_roads,
                    "legs": [encoded(simplified(leg, _LINE_TOLERANCE_M)) for leg in feature.legs],
                    "name": name,
                    "brief": brief,
                    "rows": [
                        self._row(*departs),
                        self._row(*returns),
                        self._row("map.fact.stops", label.number(len(run.visits))),
                        self._row("map.fact.distance", km),
                        *self._riders(request, run),
                    ],
                    "stops": [
                        (
                            numbers[v.stop_id],
                            label(
                                "map.span", first=label.clock(v.start_s), last=label.clock(v.end_s)
                            ),
                        )
                        for v in run.visits
                    ],
                }
            )

    def _riders(self, request: PlanRequest, run: Run) -> _Rows:
        """Who rides along; no row where nobody does."""
        told = riders_told(riders_of(request, run), self._label)
        return [self._row("map.aboard", told)] if told else []

    def plan_legend(self) -> dict[str, Any]:
        """Legend of the plan: stops, runs, depots, stops left out."""
        rows = []
        for layer, symbol in (
            ("stops", STOP),
            ("runs", None),
            ("depots", DEPOT),
            ("stops_unserved", UNSERVED_STOP),
        ):
            if self._counts[layer]:
                rows.append(self._legend_row(layer, symbol))
        return {"name": self._label("map.group.plan"), "rows": rows}

    def place_legend(self) -> list[dict[str, Any]]:
        """Legend of settlements and of libraries; kinds that do not occur have no row."""
        kinds = [*(f"need_{s}" for s in reversed(NeedStatus)), "not_judged"]
        settlements = [self._legend_row(k, self._styles[k]) for k in kinds if self._counts[k]]
        standings = [f"library_{s}" for s in Standing]
        libraries = [self._legend_row(k, self._styles[k]) for k in standings if self._counts[k]]
        return [
            {"name": self._label("map.group.settlements"), "rows": settlements},
            {"name": self._label("map.group.libraries"), "rows": libraries},
        ]

    def _legend_row(self, layer: str, symbol: Symbol | None) -> LegendRow:
        count = self._label.number(self._counts[layer])
        name = self._label(f"map.layer.{layer}")
        return legend_row(layer, name, symbol, count, on=layer not in _OFF_AT_START)

    def need_facts(self, points: Sequence[SettlementPoint]) -> list[tuple[str, str]]:
        """Settlements and people without a library, and of how many the number is not known."""
        label = self._label
        lacking = [p.settlement for p in points if p.need and p.need.status in LACKING]
        people = sum(s.population or 0 for s in lacking)
        unknown = sum(s.population is None for s in lacking)
        return [
            (label("map.fact.lacking_settlements"), label.number(len(lacking))),
            (label("map.fact.lacking_people"), label.number(people)),
            (label("map.fact.lacking_unknown"), label.number(unknown)),
        ]
