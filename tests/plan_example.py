"""A small plan in Rutland that every export and drawing is tried on.

Two buses, four weeks from Monday 2 March 2026; the clocks change on 29 March. Times are round, so
that expected values are plain to work out by hand.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np

from data.model.calendar import Cycle, ServiceCalendar
from data.model.fleet import CrewRules, Vehicle, VehicleId
from data.model.norms import AccessBand, Need, NeedStatus, NormSet
from data.model.place import (
    Depot,
    DepotId,
    Library,
    LibraryId,
    Municipality,
    MunicipalityId,
    Settlement,
    SettlementId,
    SiteCard,
    Standing,
    Stop,
    StopId,
    StopKind,
)
from data.model.plan import Meal, Plan, PlanRequest, Provenance, Run, StopVisit, Unserved
from data.model.region import Region, SourceNote
from data.model.travel import TravelMatrix

HOUR_S = 3600
MINUTE_S = 60

OAKHAM = Depot(depot_id=DepotId("oakham"), name="Oakham", lon=-0.7283, lat=52.6705)

NORTH = Vehicle(
    vehicle_id=VehicleId("north"),
    name="Северный",
    depot_id=OAKHAM.depot_id,
    off_dates=frozenset({date(2026, 4, 1)}),
)
SOUTH = Vehicle(vehicle_id=VehicleId("south"), name="South", depot_id=OAKHAM.depot_id)

COTTESMORE = Stop(
    stop_id=StopId("cottesmore"),
    name="Cottesmore, The Green",
    community="Cottesmore",
    lon=-0.6638,
    lat=52.7126,
    settlement_ids=(SettlementId("cottesmore"),),
    people=1999,
    prize=2000.0,
    service_s=HOUR_S,
    site=SiteCard(surface="asphalt", step_free=True, contact="Shop", notes="=Park by the pump"),
)
EXTON = Stop(
    stop_id=StopId("exton"),
    name="Exton <b>&</b>",
    lon=-0.6347,
    lat=52.6887,
    settlement_ids=(SettlementId("exton"),),
    people=607,
    prize=600.0,
    visits_per_cycle=2,
)
SCHOOL = Stop(
    stop_id=StopId("school"),
    name="Greetham School",
    lon=-0.6318,
    lat=52.7222,
    kind=StopKind.PRIVATE,
    people=None,
)
WING = Stop(
    stop_id=StopId("wing"),
    name="Wing",
    lon=-0.6836,
    lat=52.6172,
    settlement_ids=(SettlementId("wing"),),
    kind=StopKind.ON_REQUEST,
    people=314,
    prize=300.0,
    visits_per_cycle=2,
)
BRAUNSTON = Stop(
    stop_id=StopId("braunston"),
    name="Braunston",
    lon=-0.7703,
    lat=52.6505,
    settlement_ids=(SettlementId("braunston"),),
    people=None,
    prize=20.0,
)
STOPS = (COTTESMORE, EXTON, SCHOOL, WING, BRAUNSTON)


def travel(*, is_estimated: bool) -> TravelMatrix:
    """Ten minutes and eight kilometres between any two points."""
    points = (str(OAKHAM.depot_id), *(str(s.stop_id) for s in STOPS))
    apart = 1 - np.eye(len(points), dtype=np.int32)
    return TravelMatrix(
        point_ids=points,
        travel_s=apart * np.int32(10 * MINUTE_S),
        travel_m=apart * np.int32(8000),
        source="example",
        is_estimated=is_estimated,
    )


def request(*, is_estimated: bool = True) -> PlanRequest:
    return PlanRequest(
        region_id="rutland",
        cycle=Cycle(start_date=date(2026, 3, 2), num_weeks=4),
        calendar=ServiceCalendar(
            closed_dates={date(2026, 4, 6): "Easter Monday", date(2026, 5, 4): "May Day"}
        ),
        time_zone="Europe/London",
        depots=(OAKHAM,),
        vehicles=(NORTH, SOUTH),
        stops=STOPS,
        crew_rules={v.vehicle_id: CrewRules() for v in (NORTH, SOUTH)},
        travel=dict.fromkeys(
            (NORTH.vehicle_id, SOUTH.vehicle_id), travel(is_estimated=is_estimated)
        ),
    )


def make_run(
    vehicle: Vehicle, day: int, openings: Sequence[tuple[Stop, int]], meal: Meal | None = None
) -> Run:
    """A run whose stops open for an hour at the given seconds, ten minutes of driving each."""
    visits = tuple(
        StopVisit(
            stop_id=stop.stop_id,
            arrival_s=start_s - 10 * MINUTE_S,
            start_s=start_s,
            end_s=start_s + HOUR_S,
            departure_s=start_s + HOUR_S + 5 * MINUTE_S,
            drive_s=10 * MINUTE_S,
            drive_m=8000,
        )
        for stop, start_s in openings
    )
    first, last = visits[0].arrival_s, visits[-1].departure_s
    return Run(
        vehicle_id=vehicle.vehicle_id,
        day=day,
        sign_on_s=first - 30 * MINUTE_S,
        depart_s=first - 10 * MINUTE_S,
        visits=visits,
        return_s=last + 10 * MINUTE_S,
        sign_off_s=last + 30 * MINUTE_S,
        return_drive_s=10 * MINUTE_S,
        return_drive_m=8000,
        meal=meal,
    )


def plan() -> Plan:
    """Exton evenly every two weeks, Wing at two different clock times, the rest monthly."""
    ten, noon, three = 10 * HOUR_S, 12 * HOUR_S, 15 * HOUR_S
    lunch = Meal(
        start_s=11 * HOUR_S + 5 * MINUTE_S, end_s=11 * HOUR_S + 35 * MINUTE_S, after_visit=0
    )
    return Plan(
        runs=(
            make_run(NORTH, 0, [(COTTESMORE, ten), (EXTON, noon)], lunch),
            make_run(NORTH, 14, [(EXTON, noon)]),
            make_run(NORTH, 2, [(WING, ten), (SCHOOL, noon)]),
            make_run(SOUTH, 16, [(WING, three)]),
        ),
        unserved=(Unserved(stop_id=BRAUNSTON.stop_id, reason="example.no_time", facts={}),),
        provenance=Provenance(
            problem_hash="0" * 16,
            seed=1,
            parameters={},
            versions={},
            travel_source="example",
            is_estimated=True,
            solve_seconds=1.0,
            stopped_by="work_limit",
            bound=3625.0,
            bound_kind="example",
        ),
    )


SETTLEMENTS = (
    Settlement(
        settlement_id=SettlementId("oakham"),
        name="Oakham",
        lon=-0.7283,
        lat=52.6705,
        municipality_id=MunicipalityId("rutland"),
        population=12149,
        population_year=2021,
    ),
    Settlement(
        settlement_id=SettlementId("cottesmore"),
        name="Cottesmore",
        lon=-0.6638,
        lat=52.7126,
        municipality_id=MunicipalityId("rutland"),
        population=1999,
        population_year=2021,
    ),
    Settlement(
        settlement_id=SettlementId("exton"),
        name="=Exton </script>",
        lon=-0.6347,
        lat=52.6887,
        municipality_id=MunicipalityId("rutland"),
        population=607,
    ),
    Settlement(
        settlement_id=SettlementId("wing"), name="Wing", lon=-0.6836, lat=52.6172, population=314
    ),
    Settlement(settlement_id=SettlementId("braunston"), name="Braunston", lon=-0.7703, lat=52.6505),
)

NORM = NormSet(
    norm_set_id="example",
    name="Fifteen minutes",
    bands=(AccessBand(max_minutes=15.0),),
    unknown_population=AccessBand(max_minutes=30.0),
)


def region() -> Region:
    return Region(
        region_id="rutland",
        names={"en": "Rutland", "ru": "Ратленд"},
        time_zone="Europe/London",
        language="en",
        crs="EPSG:32630",
        settlements=SETTLEMENTS,
        libraries=(
            Library(
                library_id=LibraryId("oakham"),
                name="Oakham Library",
                settlement_id=SettlementId("oakham"),
            ),
            Library(
                library_id=LibraryId("wing"),
                name="",
                standing=Standing.ASSUMED,
                settlement_id=SettlementId("wing"),
            ),
        ),
        municipalities=(
            Municipality(municipality_id=MunicipalityId("rutland"), name="Rutland & Co"),
        ),
        depots=(OAKHAM,),
        vehicles=(NORTH, SOUTH),
        land=(((-0.82, 52.52), (-0.43, 52.52), (-0.43, 52.76), (-0.82, 52.76)),),
        districts={
            MunicipalityId("rutland"): (
                ((-0.82, 52.52), (-0.43, 52.52), (-0.43, 52.76), (-0.82, 52.76)),
            )
        },
        norm_sets=(NORM,),
        norm_set_id="example",
        sources=(SourceNote(title="OpenStreetMap", licence="ODbL 1.0", address="https://osm.org"),),
    )


def needs() -> tuple[Need, ...]:
    band = NORM.bands[0]

    def need(name: str, status: NeedStatus, seconds: int | None, *, inside: bool = False) -> Need:
        return Need(
            settlement_id=SettlementId(name),
            status=status,
            band=band,
            nearest_library_id="oakham" if seconds is not None else None,
            nearest_s=seconds,
            nearest_m=None if seconds is None else seconds * 13,
            has_library_inside=inside,
        )

    return (
        need("oakham", NeedStatus.SERVED, 0, inside=True),
        need("cottesmore", NeedStatus.UNSERVED, 1200),
        need("exton", NeedStatus.UNSERVED_ASSUMED, 1500),
        need("wing", NeedStatus.SERVED_ASSUMED, 0, inside=True),
        need("braunston", NeedStatus.UNSERVED_ASSUMED, None),
    )
