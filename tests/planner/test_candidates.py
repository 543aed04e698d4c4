"""Stops follow from need, and a request is posed only if it can be."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.model.calendar import HOUR_S, MINUTE_S, ServiceCalendar
from data.model.errors import BookmobileError, InputError
from data.model.fleet import CrewRules, RuleSet, RuleSetId, Vehicle, VehicleId
from data.model.geo import distance_m
from data.model.norms import AccessBand, Need, NeedStatus
from data.model.place import (
    DepotId,
    Municipality,
    MunicipalityId,
    Settlement,
    SettlementId,
    Stop,
    StopId,
)
from data.model.plan import PlanRequest
from data.model.region import PopulationBand, Region, ServiceStandard
from data.model.travel import TravelMatrix
from planner.candidates import (
    WALK_DETOUR_RATIO,
    build_request,
    candidate_stops,
    scaled_stops,
    weighted_people,
    without_stop,
)
from tests.planner.examples import CHERNYAKHOVSK, FIRST, STOPS, matrix

STANDARD = ServiceStandard(
    bands=(
        PopulationBand(up_to=100, service_s=30 * MINUTE_S),
        PopulationBand(up_to=None, service_s=90 * MINUTE_S, visits_per_cycle=2),
    ),
    unknown_population_service_s=45 * MINUTE_S,
)


def settlement(
    name: str, lon: float, lat: float, population: int | None, **facts: int
) -> Settlement:
    return Settlement(
        settlement_id=SettlementId(name),
        name=name,
        lon=lon,
        lat=lat,
        population=population,
        municipality_id=MunicipalityId("chernyakhovsk"),
        children=facts.get("children"),
        seniors=facts.get("seniors"),
    )


# Krasnopolyanskoe, Zarechye and Dolinino stand 0.9 to 1.3 km apart; the others are far away.
PLACES = (
    settlement("Краснополянское", 21.965278, 54.599722, 445, children=135),
    settlement("Заречье", 21.973056, 54.606667, 28, children=7),
    settlement("Долинино", 21.946944, 54.6, 14, children=5),
    settlement("Бухово", 21.753056, 54.759444, None),
    settlement("Вишневое", 21.895556, 54.8475, 0),
    settlement("Веселовка", 22.016111, 54.586111, 219, children=54),
)


def region_of(places: tuple[Settlement, ...] = PLACES, **changes: object) -> Region:
    plain = Region(
        region_id="kaliningrad",
        names={"ru": "Калининградская область"},
        time_zone="Europe/Kaliningrad",
        language="ru",
        crs="EPSG:32634",
        settlements=places,
        municipalities=(
            Municipality(
                municipality_id=MunicipalityId("chernyakhovsk"), name="Черняховский округ"
            ),
        ),
        depots=(CHERNYAKHOVSK,),
        vehicles=(FIRST,),
        standard=replace(STANDARD, walk_to_stop_m=2000),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def needs_of(places: tuple[Settlement, ...], served: str = "") -> tuple[Need, ...]:
    return tuple(
        Need(
            settlement_id=s.settlement_id,
            status=NeedStatus.SERVED if s.name == served else NeedStatus.UNSERVED_ASSUMED,
            band=AccessBand(max_km=3),
            nearest_library_id=None,
            nearest_s=None,
            nearest_m=None,
            has_library_inside=False,
        )
        for s in places
    )


def test_hamlets_in_walking_distance_share_the_stop_of_the_largest() -> None:
    """Zarechye and Dolinino walk to Krasnopolyanskoe; the served and the empty get no stop."""
    stops = candidate_stops(region_of(), needs_of(PLACES, served="Веселовка"), cycle_weeks=4)
    assert [s.name for s in stops] == ["Краснополянское", "Бухово"]
    shared, unknown = stops
    assert shared.settlement_ids == ("Краснополянское", "Заречье", "Долинино")
    assert shared.people == 445 + 28 + 14
    assert shared.prize == 487 + 0.5 * (135 + 7 + 5)
    assert shared.community == "Черняховский округ"
    assert (shared.service_s, shared.visits_per_cycle) == (90 * MINUTE_S, 2)
    assert (shared.min_gap_days, shared.max_gap_days) == (7, 35)
    assert (unknown.people, unknown.prize, unknown.service_s) == (None, 20.0, 45 * MINUTE_S)
    assert unknown.windows[0].start_s == 9 * HOUR_S


def test_places_left_without_a_stop_are_named() -> None:
    """Uninhabited places lack a library too; they can be counted."""
    region, needs = region_of(), needs_of(PLACES, served="Веселовка")
    stops = candidate_stops(region, needs, cycle_weeks=4)
    assert [s.name for s in without_stop(region, needs, stops)] == ["Вишневое"]


def test_small_places_get_no_stop_of_their_own_but_may_share_one() -> None:
    """With a least population of 100, Zarechye is served from its neighbour only."""
    standard = replace(STANDARD, walk_to_stop_m=2000, min_population=100)
    region = region_of(standard=standard)
    stops = candidate_stops(region, needs_of(PLACES), cycle_weeks=4)
    assert [s.name for s in stops] == ["Краснополянское", "Веселовка", "Бухово"]
    assert SettlementId("Заречье") in stops[0].settlement_ids
    alone = region_of(standard=replace(standard, walk_to_stop_m=0))
    names = [s.name for s in candidate_stops(alone, needs_of(PLACES), cycle_weeks=4)]
    assert names == ["Краснополянское", "Веселовка", "Бухово"]


def test_walked_metres_outweigh_the_crow() -> None:
    """With measured ways on foot a river between two places keeps them apart."""
    walk_m = np.full((6, 6), 50_000, dtype=np.int32)
    walk_m[1, 0] = 1500
    stops = candidate_stops(
        region_of(), needs_of(PLACES, served="Веселовка"), cycle_weeks=4, walk_m=walk_m
    )
    assert [s.settlement_ids for s in stops] == [
        ("Краснополянское", "Заречье"),
        ("Бухово",),
        ("Долинино",),
    ]


def test_groups_of_unknown_size_count_as_adults() -> None:
    """Ten people of whom four are children, the seniors not known: 6 + 1.5 * 4."""
    place = settlement("Козловка", 22.03, 54.763056, 10, children=4)
    assert weighted_people(place, STANDARD) == 12.0
    assert weighted_people(replace(place, children=None), STANDARD) == 10.0
    assert weighted_people(replace(place, children=8, seniors=4), STANDARD) == 18.0


def test_a_gap_that_the_visits_cannot_keep_is_refused() -> None:
    """One visit in six weeks is 42 days from the next; the standard allows 35."""
    bands = (PopulationBand(up_to=None, service_s=3600),)
    standard = replace(STANDARD, bands=bands, cycle_weeks=6)
    with pytest.raises(InputError) as refused:
        candidate_stops(region_of(standard=standard), needs_of(PLACES), cycle_weeks=6)
    assert refused.value.code == "candidates.gap_impossible"
    assert refused.value.facts["least_gap_days"] == 42
    assert refused.value.facts["needed_visits"] == 2


@pytest.mark.parametrize(("weeks", "visits"), [(1, 1), (2, 1), (4, 2), (6, 3)])
def test_visits_are_scaled_to_another_cycle(weeks: int, visits: int) -> None:
    """Two visits in four weeks are one in two weeks, three in six, and never none."""
    bands = (PopulationBand(up_to=None, service_s=3600, visits_per_cycle=2),)
    region = region_of(standard=replace(STANDARD, bands=bands, cycle_weeks=4))
    stops = candidate_stops(region, needs_of(PLACES), cycle_weeks=weeks)
    assert {s.visits_per_cycle for s in stops} == {visits}


def test_a_longer_cycle_gets_the_visits_that_the_gap_asks_for() -> None:
    """One visit in four weeks becomes two in six, since 42 days would pass the 35 allowed."""
    bands = (PopulationBand(up_to=None, service_s=3600),)
    region = region_of(standard=replace(STANDARD, bands=bands, cycle_weeks=4))
    stops = candidate_stops(region, needs_of(PLACES), cycle_weeks=6)
    assert {s.visits_per_cycle for s in stops} == {2}


@pytest.mark.parametrize(
    ("weeks", "visits", "gap"), [(4, 2, 14), (2, 1, 14), (1, 1, 7), (6, 3, 14)]
)
def test_given_stops_are_scaled_to_another_cycle(weeks: int, visits: int, gap: int) -> None:
    """A fortnightly stop stays fortnightly where the cycle lets it, and no gap outlasts it."""
    stop = Stop(
        stop_id=StopId("s"), name="Школа", lon=21.1, lat=54.86, visits_per_cycle=2, min_gap_days=14
    )
    (scaled,) = scaled_stops([stop], from_weeks=4, to_weeks=weeks)
    assert (scaled.visits_per_cycle, scaled.min_gap_days) == (visits, gap)


def test_scaled_stops_keep_their_greatest_gap() -> None:
    """A stop of every four weeks, 28 days at most, comes twice in five weeks; else once."""
    stop = Stop(stop_id=StopId("s"), name="Школа", lon=21.1, lat=54.86, max_gap_days=28)
    loose = replace(stop, max_gap_days=None)
    scaled = scaled_stops([stop, loose], from_weeks=4, to_weeks=5)
    assert [s.visits_per_cycle for s in scaled] == [2, 1]


def test_more_visits_than_weeks_are_refused_on_one_weekday() -> None:
    """Three visits in two weeks cannot fall on one weekday."""
    bands = (PopulationBand(up_to=None, service_s=3600, visits_per_cycle=3),)
    standard = replace(STANDARD, bands=bands, cycle_weeks=2)
    with pytest.raises(InputError) as refused:
        candidate_stops(region_of(standard=standard), needs_of(PLACES), cycle_weeks=2)
    assert refused.value.code == "candidates.visits_impossible"
    free = region_of(standard=replace(standard, same_weekday=False))
    assert candidate_stops(free, needs_of(PLACES), cycle_weeks=2)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(21.5, 21.6), st.floats(54.6, 54.65), st.none() | st.integers(0, 900)),
        max_size=25,
    )
)
def test_every_inhabited_place_is_served_once_and_near(
    found: list[tuple[float, float, int | None]],
) -> None:
    """Each place that lacks a library belongs to one stop, in walking distance, none larger."""
    places = tuple(
        settlement(f"p{i:02}", lon, lat, people) for i, (lon, lat, people) in enumerate(found)
    )
    homes = {s.settlement_id: s for s in places}
    region = region_of(places)
    stops = candidate_stops(region, needs_of(places), cycle_weeks=4)
    served = [i for s in stops for i in s.settlement_ids]
    assert sorted(served) == sorted(s.settlement_id for s in places if s.population != 0)
    for stop in stops:
        own = homes[stop.settlement_ids[0]]
        assert (stop.lon, stop.lat) == (own.lon, own.lat)
        for settlement_id in stop.settlement_ids:
            home = homes[settlement_id]
            walked_m = WALK_DETOUR_RATIO * distance_m(stop.lon, stop.lat, home.lon, home.lat)
            assert walked_m <= 2000 + 1e-6
            assert weighted_people(home, region.standard) <= weighted_people(own, region.standard)


RULE_SETS = {
    RuleSetId("ru-424"): RuleSet(
        rule_set_id=RuleSetId("ru-424"),
        name="Приказ № 424",
        rules=CrewRules(shift_max_s=8 * HOUR_S, break_s=15 * MINUTE_S),
        valid_from=date(2021, 1, 1),
        valid_to=date(2027, 1, 1),
    ),
    RuleSetId("ru-pdd26"): RuleSet(
        rule_set_id=RuleSetId("ru-pdd26"),
        name="ПДД 26",
        rules=CrewRules(break_s=45 * MINUTE_S),
    ),
}


def pose(
    *,
    region: Region | None = None,
    start_date: date = date(2026, 11, 30),
    weeks: int = 2,
    vehicles: tuple[Vehicle, ...] = (FIRST,),
    travel: TravelMatrix | None = None,
) -> PlanRequest:
    region = region or region_of(
        rule_sets=RULE_SETS, default_rule_set_ids=(RuleSetId("ru-424"), RuleSetId("ru-pdd26"))
    )
    shared = travel or matrix()
    return build_request(
        region,
        STOPS,
        {v.vehicle_id: shared for v in vehicles},
        start_date=start_date,
        weeks=weeks,
        vehicles=vehicles,
    )


def test_a_request_takes_the_strictest_of_its_rules() -> None:
    """Both sets hold: eight hours from one, a break of 45 minutes from the other."""
    bus = replace(FIRST, max_stops_per_run=None)
    request = pose(vehicles=(bus,))
    rules = request.crew_rules[bus.vehicle_id]
    assert (rules.shift_max_s, rules.break_s) == (8 * HOUR_S, 45 * MINUTE_S)
    assert request.rule_sets_used[bus.vehicle_id] == ("ru-424", "ru-pdd26")
    assert request.vehicles[0].max_stops_per_run == STANDARD.stops_per_day_max
    assert request.depots == (CHERNYAKHOVSK,)


def test_a_vehicle_may_have_rules_of_its_own() -> None:
    """Its own sets replace the region's default ones; its own limit of stops stands."""
    bus = replace(FIRST, rule_set_ids=(RuleSetId("ru-pdd26"),))
    request = pose(vehicles=(bus,))
    assert request.crew_rules[bus.vehicle_id].shift_max_s is None
    assert request.vehicles[0].max_stops_per_run == 3


def refusal(**changes: object) -> BookmobileError:
    with pytest.raises(BookmobileError) as refused:
        pose(**changes)  # type: ignore[arg-type]
    return refused.value


def test_an_expired_rule_set_is_refused_where_the_region_says_so() -> None:
    """Four weeks from 7 December 2026 end after 1 January 2027, when order 424 is gone."""
    strict = region_of(
        rule_sets=RULE_SETS,
        default_rule_set_ids=(RuleSetId("ru-424"), RuleSetId("ru-pdd26")),
        refuses_ended_rules=True,
    )
    refused = refusal(start_date=date(2026, 12, 7), weeks=4, region=strict)
    assert refused.code == "request.rule_set_expired"
    assert refused.facts["rule_set"] == "ru-424"
    assert (refused.facts["end"], refused.facts["valid_to"]) == ("2027-01-03", "2027-01-01")
    # Three weeks end on 27 December.
    assert pose(start_date=date(2026, 12, 7), weeks=3, region=strict)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"vehicles": ()}, "request.no_vehicle"),
        ({"start_date": date(2026, 12, 1)}, "request.start_not_monday"),
        ({"weeks": 0}, "request.weeks_out_of_range"),
        ({"weeks": 13}, "request.weeks_out_of_range"),
        ({"vehicles": (FIRST, FIRST)}, "request.id_twice"),
        ({"vehicles": (replace(FIRST, depot_id=DepotId("gusev")),)}, "request.depot_unknown"),
        (
            {"vehicles": (replace(FIRST, rule_set_ids=(RuleSetId("ru-425"),)),)},
            "request.rule_set_unknown",
        ),
        ({"travel": matrix().restricted_to(["chernyakhovsk"])}, "request.travel_missing"),
        (
            {"vehicles": (replace(FIRST, vehicle_id=VehicleId("x"), weekdays=frozenset({6})),)},
            "request.no_working_day",
        ),
        (
            {
                "region": region_of(
                    calendar=ServiceCalendar(
                        closed_dates={date(2026, 11, 30 - i): "отпуск" for i in range(30)}
                    )
                ),
                "start_date": date(2026, 11, 16),
            },
            "request.no_working_day",
        ),
    ],
)
def test_a_request_that_cannot_be_posed_says_why(changes: dict[str, object], code: str) -> None:
    """Each impossible request has a code of its own."""
    assert refusal(**changes).code == code
